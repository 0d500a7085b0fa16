/* Rates come in many lines at a time, in quarters, and into books that somebody changed. */
#include "books.h"
#include "ingest/rates.h"

static struct books b;

enum { MANY = 1200, FIRST = 20098 }; /* 2025-01-10 */

static void setup(void)
{
    books_open(&b);
    books_course(&b, "p1", "go");
}

static void teardown(void)
{
    books_close(&b);
}

static void agree(const char *policy, const char *kind)
{
    books_agreement(&b, "a", 1,
                    books_text(&b,
                               "{\"parties\":[\"p1\",\"c1\"],\"currency\":\"CNY\",\"scope\":"
                               "{\"providers\":[\"p1\"],\"channels\":[\"c1\"]},\"effective\":"
                               "{\"from\":\"2025-01-01T00:00:00Z\"},\"period\":{\"kind\":\"%s\","
                               "\"time_zone\":\"UTC\"},\"fx\":{\"policy\":\"%s\"},\"terms\":["
                               "{\"kind\":\"share\",\"payee\":\"p1\",\"share_ppm\":500000},"
                               "{\"kind\":\"residual\",\"payee\":\"c1\"}]}",
                               kind, policy));
}

static const char *order_text(int number, const char *day, const char *currency)
{
    return books_text(&b,
                      "{\"event_id\":\"e%d\",\"type\":\"order.paid\",\"occurred_at\":"
                      "\"%sT10:00:00Z\",\"order_id\":\"o%d\",\"currency\":\"%s\","
                      "\"lines\":[{\"line_id\":\"1\",\"provider\":\"p1\",\"course_id\":\"go\","
                      "\"quantity\":1,\"paid\":100}]}",
                      number, day, number, currency);
}

/* The rates of a day, "" for none of CNY; what came of it. */
static struct rates_given put(int64_t day, const char *usd, const char *cny, const char *reason)
{
    struct rate_row rows[2] = {{.currency = {"USD"}, .rate = usd},
                               {.currency = {"CNY"}, .rate = cny}};
    struct rates_given given = {
        .day = day, .rates = rows, .count = *cny == '\0' ? 1 : 2, .reason = reason};
    books_begin(&b);
    ck_assert_int_eq(ingest_rates_put(b.tx, &given, 1, "op"), ACCORD_OK);
    books_commit(&b);
    return given;
}

#define NET NUMBER(&b, "SELECT SUM(net) FROM rollup WHERE grain = 'period' AND staged = 0")
#define HELD                                                                                       \
    NUMBER(&b, "SELECT SUM(line_count) FROM rollup WHERE grain = 'period' AND staged = 0 AND "     \
               "held = 'no_rate'")
#define ENTRIES NUMBER(&b, "SELECT COUNT(*) FROM entry")

START_TEST(test_versions)
{
    ck_assert_int_eq(put(FIRST, "1", "7", "").version, 1);
    const struct rates_given same = put(FIRST, "1", "7", "");
    ck_assert(same.same && same.version == 1);
    ck_assert(put(FIRST, "1", "8", "").is_unreasonable);
    ck_assert_int_eq(put(FIRST, "1", "8", "typo").version, 2);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM fx_day"), 2);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM fx_rate"), 4);
}
END_TEST

/* More lines than are settled at once go to the background, whatever waits for them or follows. */
START_TEST(test_many_lines)
{
    agree("order_day", "month");
    const char *text = "";
    for (int i = 0; i < MANY; i++) {
        text = books_text(&b, "%s%s\n", text, order_text(i, "2025-01-10", "USD"));
        if (i % 20 == 19) {
            ck_assert_uint_eq(books_post(&b, "c1", text)->counts[FACT_ACCEPTED], 20);
            text = "";
        }
    }
    ck_assert_int_eq(HELD, MANY);
    put(FIRST, "1", "7", "");
    put(FIRST + 1, "1", "7.5", "");
    bool pending = false;
    ck_assert_int_eq(store_resettle_pending(b.db, &pending), ACCORD_OK);
    ck_assert(pending);
    ck_assert_int_eq(HELD, MANY);
    books_verify(&b);
    /* A correction while the job is at work. */
    put(FIRST, "1", "8", "typo");
    bool more = true;
    while (more) {
        ck_assert_int_eq(db_begin(b.db), ACCORD_OK);
        ck_assert_int_eq(ingest_tx_idle(b.tx, b.db, &more), ACCORD_OK);
        books_commit(&b);
    }
    ck_assert_int_eq(HELD, 0);
    ck_assert_int_eq(NET, 800 * MANY);
    books_verify(&b);
}
END_TEST

/* Only what is converted with a rate is settled again. */
START_TEST(test_others_are_left_alone)
{
    agree("order_day", "month");
    put(FIRST, "1", "7", "");
    put(FIRST + 1, "1", "", "");
    put(FIRST + 2, "1", "7.1", "");
    put(FIRST + 3, "1", "7.2", "");
    books_accept(&b, "c1", order_text(1, "2025-01-10", "USD"));
    books_accept(&b, "c1", order_text(2, "2025-01-11", "USD"));
    books_accept(&b, "c1", order_text(3, "2025-01-12", "USD"));
    books_accept(&b, "c1", order_text(4, "2025-01-10", "CNY"));
    books_accept(&b, "c1", order_text(5, "2025-01-11", "EUR"));
    ck_assert_int_eq(NET, 700 + 700 + 710 + 100 + 700);
    const int64_t before = ENTRIES;
    /* The 10th and the 11th, which has none of its own; an entry each. */
    put(FIRST, "1", "8", "typo");
    ck_assert_int_eq(NET, 800 + 800 + 710 + 100 + 800);
    ck_assert_int_eq(ENTRIES, before + 3);
    put(FIRST + 1, "2", "", "typo");
    ck_assert_int_eq(NET, 800 + 400 + 710 + 100 + 800);
    ck_assert_int_eq(ENTRIES, before + 4);
    books_verify(&b);
}
END_TEST

START_TEST(test_quarter_average)
{
    agree("period_average", "quarter");
    books_accept(&b, "c1", order_text(1, "2025-02-10", "USD"));
    put(FIRST - 30, "9", "9", ""); /* of the year before: no part of it */
    put(FIRST, "1", "7", "");
    put(FIRST + 60, "1", "8", "");
    put(FIRST + 80, "1", "9", ""); /* 2025-03-31 */
    ck_assert_int_eq(HELD, 1);
    put(FIRST + 81, "1", "10", "");
    ck_assert_int_eq(HELD, 0);
    ck_assert_int_eq(NET, 800);
    put(FIRST + 1, "1", "7", ""); /* late: 31 / 4 */
    ck_assert_int_eq(NET, 775);
    put(FIRST + 80, "1", "", "none of CNY"); /* 22 / 3 */
    ck_assert_int_eq(NET, 733);
    books_verify(&b);
}
END_TEST

/* Nothing was published in its month: the last one before it. */
START_TEST(test_month_without_rates)
{
    agree("period_average", "month");
    books_accept(&b, "c1", order_text(1, "2025-02-10", "USD"));
    put(FIRST, "1", "7", "");
    put(FIRST + 60, "1", "8", "");
    ck_assert_int_eq(NET, 700);
    books_verify(&b);
}
END_TEST

/* A rate that makes an amount larger than can be told holds the line, and releases it. */
START_TEST(test_absurd_rate)
{
    agree("order_day", "month");
    put(FIRST, "0.000000000000000001", "1", "");
    put(FIRST + 1, "1", "7", "");
    books_accept(&b, "c1", order_text(1, "2025-01-10", "USD"));
    ck_assert_int_eq(HELD, 1);
    put(FIRST, "1", "7", "typo");
    ck_assert_int_eq(HELD, 0);
    ck_assert_int_eq(NET, 700);
    books_verify(&b);
}
END_TEST

/* What was rolled back is forgotten. */
START_TEST(test_roll_back)
{
    struct rate_row row = {.currency = {"USD"}, .rate = "2"};
    struct rates_given given = {.day = FIRST + 1, .rates = &row, .count = 1, .reason = ""};
    agree("order_day", "month");
    put(FIRST, "1", "7", "");
    books_accept(&b, "c1", order_text(1, "2025-01-10", "USD"));
    books_begin(&b);
    ck_assert_int_eq(ingest_rates_put(b.tx, &given, 1, "op"), ACCORD_OK);
    books_roll_back(&b);
    ck_assert_int_eq(HELD, 1);
    books_accept(&b, "c1", order_text(2, "2025-01-10", "USD"));
    ck_assert_int_eq(HELD, 2);
    books_verify(&b);
}
END_TEST

DB_SQL(tamper, "UPDATE fx_rate SET rate = '8' WHERE currency = 'CNY' AND day = 20098");

static void note(void *context, const char *table, const char *what)
{
    (void)table;
    (void)what;
    ++*(int *)context;
}

START_TEST(test_verify_sees_other_rates)
{
    struct verify_summary summary;
    int differences = 0;
    agree("order_day", "month");
    put(FIRST, "1", "7", "");
    put(FIRST + 1, "1", "7", "");
    books_accept(&b, "c1", order_text(1, "2025-01-10", "USD"));
    books_verify(&b);
    ck_assert_int_eq(db_run(b.db, &tamper, NULL, 0, 1, NULL), ACCORD_OK);
    ck_assert_int_eq(ingest_verify(b.db, note, &differences, &summary), ACCORD_OK);
    ck_assert_int_gt(differences, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("rates");
    TCase *tc = tcase_create("rates");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_versions);
    tcase_add_test(tc, test_many_lines);
    tcase_add_test(tc, test_others_are_left_alone);
    tcase_add_test(tc, test_quarter_average);
    tcase_add_test(tc, test_month_without_rates);
    tcase_add_test(tc, test_absurd_rate);
    tcase_add_test(tc, test_roll_back);
    tcase_add_test(tc, test_verify_sees_other_rates);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
