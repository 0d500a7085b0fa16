/* verify finds any single number that was changed behind the program's back. */
#include "books.h"

static struct books b;

#define AT "\"occurred_at\":\"2025-01-10T10:00:00Z\","
#define COURSE "\"provider\":\"p1\",\"course_id\":\"python\""

static void setup(void)
{
    books_open(&b);
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
    books_course(&b, "p1", "python");
    const char *facts =
        "[{\"event_id\":\"e1\",\"type\":\"order.paid\"," AT "\"order_id\":\"o1\",\"currency\":"
        "\"CNY\",\"tax\":12,\"store_fee\":3,\"payment_fee\":5,\"discounts\":[{\"amount\":4,"
        "\"funder\":\"channel\"}],\"lines\":[{\"line_id\":\"1\"," COURSE ",\"quantity\":1,"
        "\"paid\":1000},{\"line_id\":\"2\"," COURSE ",\"quantity\":2,\"paid\":500}]},"
        "{\"event_id\":\"e2\",\"type\":\"order.refunded\"," AT "\"order_id\":\"o1\","
        "\"refund_id\":\"r1\",\"tax_returned\":2,\"fee_returned\":1,\"lines\":[{\"line_id\":\"1\","
        "\"amount\":100}],\"reason\":\"changed my mind\"},"
        "{\"event_id\":\"e3\",\"type\":\"order.refunded\"," AT "\"order_id\":\"o1\","
        "\"refund_id\":\"r2\",\"amount\":5000},"
        "{\"event_id\":\"e4\",\"type\":\"order.paid\"," AT "\"order_id\":\"o2\",\"currency\":"
        "\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":\"p1\",\"course_id\":\"later\","
        "\"quantity\":1,\"paid\":700}]},"
        "{\"event_id\":\"e5\",\"type\":\"order.paid\"," AT "\"order_id\":\"o3\",\"currency\":"
        "\"CNY\",\"learner\":\"u\",\"lines\":[{\"line_id\":\"1\"," COURSE ",\"quantity\":1,"
        "\"paid\":900}]},"
        "{\"event_id\":\"f1\",\"type\":\"rating\"," AT COURSE ",\"learner\":\"u\",\"value\":4},"
        "{\"event_id\":\"f2\",\"type\":\"review\"," AT COURSE ",\"learner\":\"u\",\"value\":5,"
        "\"text\":\"好\",\"language\":\"zh\"},"
        "{\"event_id\":\"f3\",\"type\":\"impression\"," AT COURSE ",\"count\":7},"
        "{\"event_id\":\"f4\",\"type\":\"usage\"," AT COURSE ",\"seconds\":60},"
        "{\"event_id\":\"f5\",\"type\":\"comment\"," AT COURSE ",\"text\":\"x\"},"
        "{\"event_id\":\"f6\",\"type\":\"void\"," AT "\"supersedes\":\"f5\"}]";
    ck_assert_uint_eq(books_post(&b, "c1", facts)->counts[FACT_ACCEPTED], 11);
    /* So that a line has more than one entry. */
    books_accept(&b, "c1",
                 "{\"event_id\":\"e6\",\"type\":\"order.refunded\"," AT "\"order_id\":\"o3\","
                 "\"refund_id\":\"r\",\"amount\":300}");
    books_verify(&b);
}

static void teardown(void)
{
    books_verify(&b);
    books_close(&b);
}

/* Each changes one number, or loses or invents one row. */
static const struct db_sql changes[] = {
    {"UPDATE entry SET net = net + 1 WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = 'o3') "
     "AND number = 0"},
    {"UPDATE entry SET gross = gross - 1 WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = "
     "'o3') AND number = 1"},
    {"UPDATE entry SET refunded = refunded + 1 WHERE line = -1"},
    {"UPDATE entry SET line_count = 2 WHERE line = -1"},
    {"UPDATE entry SET tax = tax + 1 WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = 'o1') "
     "AND line = 0"},
    {"UPDATE entry SET store_fee = store_fee + 1 WHERE sale_seq = (SELECT seq FROM sale WHERE "
     "order_id = 'o1') AND line = 1"},
    {"UPDATE entry SET payment_fee = payment_fee + 1 WHERE sale_seq = (SELECT seq FROM sale WHERE "
     "order_id = 'o1') AND line = 1"},
    {"UPDATE entry SET added_back = added_back + 1 WHERE sale_seq = (SELECT seq FROM sale WHERE "
     "order_id = 'o1') AND line = 1"},
    {"UPDATE entry SET admin_fee = admin_fee + 1 WHERE sale_seq = (SELECT seq FROM sale WHERE "
     "order_id = 'o1') AND line = 1"},
    {"UPDATE entry SET base = base + 1 WHERE sale_seq = (SELECT seq FROM sale WHERE "
     "order_id = 'o1') AND line = 1"},
    {"UPDATE entry SET lines_qualified = lines_qualified + 1 WHERE sale_seq = (SELECT seq FROM "
     "sale WHERE "
     "order_id = 'o1') AND line = 1"},
    {"UPDATE entry SET units_qualified = units_qualified + 1 WHERE sale_seq = (SELECT seq FROM "
     "sale WHERE order_id = 'o1') AND line = 1"},
    {"UPDATE entry SET quantity = quantity + 1 WHERE sale_seq = (SELECT seq FROM sale WHERE "
     "order_id = 'o2')"},
    {"UPDATE entry SET day = day + 1 WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = 'o3') "
     "AND number = 0"},
    {"UPDATE entry SET version = 2 WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = 'o3') "
     "AND number = 0"},
    {"UPDATE entry SET held = '' WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = 'o2')"},
    {"UPDATE entry SET course_id = 'other' WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = "
     "'o3') AND number = 0"},
    {"UPDATE entry SET number = 7 WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = 'o3') "
     "AND number = 1"},
    {"UPDATE entry SET seq = 1 WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = 'o3') AND "
     "number = 0"},
    {"UPDATE entry SET generation = 1 WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = "
     "'o3') AND number = 0"},
    {"UPDATE entry SET sale_seq = 99 WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = "
     "'o2')"},
    {"DELETE FROM entry WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = 'o2')"},
    {"UPDATE entry_share SET amount = amount + 1 WHERE sale_seq = (SELECT seq FROM sale WHERE "
     "order_id = 'o3') AND number = 0 AND payee = 'p1'"},
    {"UPDATE entry_share SET payee = 'c2' WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = "
     "'o3') AND number = 0 AND payee = 'c1'"},
    {"UPDATE entry_share SET number = 9 WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = "
     "'o3') AND number = 0 AND payee = 'c1'"},
    {"DELETE FROM entry_share WHERE sale_seq = (SELECT seq FROM sale WHERE order_id = 'o3') AND "
     "number = 1 AND payee = 'c1'"},
    {"UPDATE rollup SET net = net + 1 WHERE grain = 'period' AND held = ''"},
    {"UPDATE rollup SET gross = gross + 1 WHERE grain = 'day' AND held = ''"},
    {"UPDATE rollup SET line_count = line_count + 1 WHERE grain = 'course' AND held = 'unmatched'"},
    {"UPDATE rollup SET day = day + 1 WHERE grain = 'day' AND held = ''"},
    {"UPDATE rollup SET staged = 1 WHERE grain = 'day' AND held = ''"},
    {"DELETE FROM rollup WHERE grain = 'course' AND held = ''"},
    {"UPDATE rollup_share SET amount = amount - 1 WHERE grain = 'period' AND payee = 'p1'"},
    {"UPDATE rollup_share SET amount = amount + 1 WHERE grain = 'course' AND payee = 'c1'"},
    {"DELETE FROM rollup_share WHERE grain = 'day' AND payee = 'c1'"},
    {"UPDATE rating SET value = 3"},
    {"UPDATE rating SET seq = seq + 1"},
    {"DELETE FROM rating"},
    {"UPDATE rating_fact SET value = 3 WHERE event_id = 'f1'"},
    {"UPDATE rating_fact SET occurred_at = occurred_at + 1 WHERE event_id = 'f1'"},
    {"UPDATE feedback_rollup SET total = total + 1 WHERE kind = 'rating.5'"},
    {"UPDATE feedback_rollup SET total = total + 1 WHERE kind = 'impression'"},
    {"UPDATE feedback_rollup SET total = total + 1 WHERE kind = 'usage.seconds'"},
    {"DELETE FROM feedback_rollup WHERE kind = 'review'"},
    {"UPDATE review SET value = 1"},
    {"DELETE FROM review"},
    {"UPDATE sale_line SET paid = paid + 1 WHERE seq = (SELECT seq FROM sale WHERE order_id = "
     "'o1') AND line = 0"},
    {"UPDATE sale_line SET tax = tax + 1 WHERE seq = (SELECT seq FROM sale WHERE order_id = 'o1') "
     "AND line = 0"},
    {"UPDATE sale_line SET store_fee = store_fee + 1 WHERE seq = (SELECT seq FROM sale WHERE "
     "order_id = 'o1') AND line = 1"},
    {"UPDATE sale_line SET payment_fee = -1 WHERE seq = (SELECT seq FROM sale WHERE order_id = "
     "'o1') AND line = 1"},
    {"UPDATE sale_line SET quantity = 5 WHERE seq = (SELECT seq FROM sale WHERE order_id = 'o1') "
     "AND line = 1"},
    {"UPDATE sale_line SET discount_channel = 0 WHERE seq = (SELECT seq FROM sale WHERE order_id = "
     "'o1') AND line = 0"},
    {"UPDATE sale_line SET line = 2 WHERE seq = (SELECT seq FROM sale WHERE order_id = 'o1') AND "
     "line = 1"},
    {"DELETE FROM sale_line WHERE seq = (SELECT seq FROM sale WHERE order_id = 'o1') AND line = 1"},
    {"UPDATE sale SET occurred_at = occurred_at + 1 WHERE order_id = 'o3'"},
    {"UPDATE sale SET currency = 'USD' WHERE order_id = 'o3'"},
    {"DELETE FROM order_key WHERE order_id = 'o3'"},
    {"UPDATE refund_line SET amount = amount + 1 WHERE refund_id = 'r1'"},
    {"UPDATE refund_line SET tax_returned = -1 WHERE refund_id = 'r1'"},
    {"UPDATE refund_line SET fee_returned = 0 WHERE refund_id = 'r1'"},
    {"UPDATE refund_line SET kind = 'charge_back' WHERE refund_id = 'r1'"},
    {"DELETE FROM refund_line WHERE refund_id = 'r2'"},
    {"DELETE FROM refund_key WHERE refund_id = 'r2'"},
    {"UPDATE fact SET body = '{\"value\":2}' WHERE event_id = 'f1'"},
    {"UPDATE fact SET occurred_at = occurred_at + 1 WHERE event_id = 'e5'"},
    {"UPDATE fact SET measure = 8 WHERE event_id = 'f3'"},
    {"UPDATE fact SET learner = NULL WHERE event_id = 'f1'"},
    {"DELETE FROM fact_key WHERE event_id = 'f3'"},
    {"UPDATE fact_text SET text = 'bad' WHERE text = '好'"},
    {"DELETE FROM fact_superseded"},
    {"INSERT INTO fact_superseded (seq, by_seq) SELECT a.seq, b.seq FROM fact a JOIN fact b ON "
     "a.event_id = 'f3' AND b.event_id = 'f6'"},
    {"DELETE FROM unmatched_line"},
    {"UPDATE journal_head SET seq = 3"},
};

static void quiet(void *context, const char *table, const char *what)
{
    (void)context;
    (void)table;
    (void)what;
}

START_TEST(test_finds_any_change)
{
    int64_t changed = 0;
    ck_assert_int_eq(db_begin(b.db), ACCORD_OK);
    const enum accord_error error = db_run(b.db, &changes[_i], NULL, 0, 1, &changed);
    ck_assert_msg(error == ACCORD_OK, "%s: %s", changes[_i].text, db_message(b.db));
    ck_assert_msg(changed == 1 || changes[_i].text[0] == 'D', "%s: %d rows", changes[_i].text,
                  (int)changed);
    struct verify_summary summary = {.differences = 0};
    const enum accord_error verdict = ingest_verify(b.db, quiet, NULL, &summary);
    ck_assert_msg(verdict == ACCORD_OK, "%s: %s (%s)", changes[_i].text, accord_error_code(verdict),
                  db_message(b.db));
    ck_assert_msg(summary.differences > 0, "not found: %s", changes[_i].text);
    db_rollback(b.db);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify");
    TCase *tc = tcase_create("verify");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_finds_any_change, 0, sizeof changes / sizeof *changes);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
