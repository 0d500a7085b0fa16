/* Background jobs: many lines settled again in pieces, visible at one switch. */
#include "books.h"

#include "base/buf.h"

static struct books b;

enum { MANY = 1300 };

#define VISIBLE(held)                                                                              \
    NUMBER(&b, "SELECT SUM(gross) FROM rollup WHERE grain = 'period' AND staged = 0 AND "          \
               "held = '" held "'")
#define VISIBLE_NET NUMBER(&b, "SELECT SUM(net) FROM rollup WHERE grain = 'period' AND staged = 0")

static const char *order_text(int number)
{
    return books_text(&b,
                      "{\"event_id\":\"e%d\",\"type\":\"order.paid\",\"occurred_at\":"
                      "\"2025-01-10T10:00:00Z\",\"order_id\":\"o%d\",\"currency\":\"CNY\","
                      "\"lines\":[{\"line_id\":\"1\",\"provider\":\"p1\",\"course_id\":\"python\","
                      "\"quantity\":1,\"paid\":100}]}",
                      number, number);
}

static void post_many(int from, int to)
{
    struct buf buf;
    buf_init(&buf, 1 << 24);
    for (int i = from; i < to; i++) {
        buf_add_str(&buf, order_text(i));
        buf_add_char(&buf, '\n');
    }
    buf_add_char(&buf, '\0');
    const struct fact_batch *batch = books_post(&b, "c1", buf.data);
    ck_assert_uint_eq(batch->counts[FACT_ACCEPTED], (size_t)(to - from));
    buf_done(&buf);
}

static void refund(int order, int amount)
{
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"r%d\",\"type\":\"order.refunded\",\"occurred_at\":"
                            "\"2025-01-11T10:00:00Z\",\"order_id\":\"o%d\",\"refund_id\":\"r\","
                            "\"amount\":%d}",
                            order, order, amount));
}

static bool pending(void)
{
    bool is = false;
    ck_assert_int_eq(store_resettle_pending(b.db, &is), ACCORD_OK);
    return is;
}

/* One piece of 500 sales. */
static bool idle_once(void)
{
    bool more = false;
    ck_assert_int_eq(db_begin(b.db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_idle(b.tx, b.db, &more), ACCORD_OK);
    books_commit(&b);
    return more;
}

static void setup(void)
{
    books_open(&b);
}

static void teardown(void)
{
    books_close(&b);
}

START_TEST(test_activation)
{
    books_course(&b, "p1", "python");
    post_many(0, MANY);
    ck_assert_int_eq(VISIBLE("unassigned"), 100 * MANY);
    ck_assert(!pending());
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
    ck_assert(pending());
    ck_assert_int_eq(VISIBLE("unassigned"), 100 * MANY);
    books_verify(&b);

    ck_assert(idle_once());
    ck_assert_int_eq(VISIBLE("unassigned"), 100 * MANY);
    ck_assert_int_eq(VISIBLE_NET, 0);
    books_verify(&b);

    /* Meanwhile: a refund of an order that the job has settled, one of an order that it has not,
     * and one of each corrected or taken back; a new order counts at once. */
    refund(0, 10);
    refund(MANY - 1, 20);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(refunded) FROM rollup WHERE staged = 0"), 0);
    books_accept(&b, "c1",
                 "{\"event_id\":\"v1\",\"type\":\"void\",\"occurred_at\":\"2025-01-12T00:00:00Z\","
                 "\"supersedes\":\"e1\"}");
    books_accept(&b, "c1",
                 "{\"event_id\":\"x\",\"type\":\"order.paid\",\"supersedes\":\"e1298\","
                 "\"occurred_at\":\"2025-01-10T10:00:00Z\",\"order_id\":\"o1298\",\"currency\":"
                 "\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":\"p1\",\"course_id\":"
                 "\"python\",\"quantity\":1,\"paid\":300}]}");
    ck_assert_int_eq(VISIBLE("unassigned"), 100 * MANY);
    ck_assert_int_eq(VISIBLE_NET, 0);
    post_many(5000, 5001);
    ck_assert_int_eq(VISIBLE_NET, 100);
    refund(5000, 40);
    ck_assert_int_eq(VISIBLE_NET, 60);
    books_verify(&b);

    const int64_t before = NUMBER(&b, "SELECT seq FROM partner_version WHERE partner = 'p1'");
    ck_assert(idle_once());
    ck_assert_int_eq(VISIBLE("unassigned"), 100 * MANY);
    books_verify(&b);
    /* The last piece makes the switch. */
    ck_assert(!idle_once());
    ck_assert(!pending());
    ck_assert_int_eq(VISIBLE("unassigned"), 0);
    ck_assert_int_eq(VISIBLE_NET, 100 * MANY - 10 - 20 - 100 + 200 + 60);
    ck_assert_int_gt(NUMBER(&b, "SELECT seq FROM partner_version WHERE partner = 'p1'"), before);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM rollup WHERE staged = 1"), 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM rollup_share WHERE staged = 1"), 0);
    books_verify(&b);

    /* The next job has a generation of its own. */
    books_agreement(
        &b, "a", 2,
        "{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"providers\":[\"p1\"],\"channels\":[\"c1\"]},"
        "\"effective\":{\"from\":\"2025-01-05T00:00:00Z\"},\"currency\":\"CNY\",\"period\":{"
        "\"kind\":\"month\",\"time_zone\":\"UTC\"},\"terms\":[{\"kind\":\"residual\",\"payee\":"
        "\"p1\"}]}");
    ck_assert(pending());
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(net) FROM rollup WHERE staged = 0 AND version = 2"), 0);
    refund(7, 100); /* waits for the switch like all others */
    ck_assert_int_gt(books_idle(&b), 2);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(net) FROM rollup WHERE version = 1"), 0);
    ck_assert_int_eq(VISIBLE_NET, 100 * MANY - 10 - 20 - 100 + 200 + 60 - 100);
    ck_assert_int_eq(
        NUMBER(&b, "SELECT SUM(amount) FROM rollup_share WHERE grain = 'day' AND payee = 'c1'"), 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT visible FROM resettle_head"), 2);
    books_verify(&b);
}
END_TEST

START_TEST(test_import)
{
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
    post_many(0, MANY);
    ck_assert_int_eq(VISIBLE("unmatched"), 100 * MANY);
    books_course(&b, "p1", "python");
    ck_assert(pending());
    books_verify(&b);
    ck_assert(idle_once());
    /* A crash in between loses nothing: what was not committed is done again. */
    bool more;
    ck_assert_int_eq(db_begin(b.db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_idle(b.tx, b.db, &more), ACCORD_OK);
    books_roll_back(&b);
    books_verify(&b);
    /* A small change meanwhile does not take the job's place. */
    books_agreement(
        &b, "z", 1,
        "{\"parties\":[\"p2\",\"c1\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":[\"c1\"]},"
        "\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},\"currency\":\"CNY\",\"terms\":[{"
        "\"kind\":\"residual\",\"payee\":\"p2\"}]}");
    ck_assert_int_eq(VISIBLE("unmatched"), 100 * MANY);
    books_idle(&b);
    ck_assert_int_eq(VISIBLE("unmatched"), 0);
    ck_assert_int_eq(VISIBLE_NET, 100 * MANY);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM unmatched_line"), 0);
    books_verify(&b);
}
END_TEST

START_TEST(test_changes_of_agreements)
{
    books_course(&b, "p1", "python");
    post_many(0, 10);
    /* A roll-back takes the book of agreements with it. */
    books_begin(&b);
    books_agreement_now(&b, "a", 1, AGREEMENT_P1_C1);
    books_roll_back(&b);
    post_many(10, 20);
    ck_assert_int_eq(VISIBLE("unassigned"), 2000);
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
    ck_assert_int_eq(VISIBLE_NET, 2000);
    /* It ends before these sales: nobody's any more. */
    books_begin(&b);
    ck_assert_int_eq(store_agreement_end(b.db, "a", 1, INT64_C(1735776000000000), 1), ACCORD_OK);
    struct agreement_version *versions;
    size_t count;
    ck_assert_int_eq(agreement_load_settling(b.db, b.arena, NULL, &versions, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(ingest_agreement_changed(b.tx, &versions[0].terms), ACCORD_OK);
    books_commit(&b);
    ck_assert_int_eq(VISIBLE("unassigned"), 2000);
    ck_assert_int_eq(VISIBLE_NET, 0);
    books_verify(&b);
}
END_TEST

/* An order of as many lines as there may be. */
static void post_long(int number)
{
    struct buf buf;
    buf_init(&buf, 1 << 20);
    buf_add_str(&buf, books_text(&b,
                                 "{\"event_id\":\"l%d\",\"type\":\"order.paid\",\"occurred_at\":"
                                 "\"2025-01-10T10:00:00Z\",\"order_id\":\"l%d\",\"currency\":"
                                 "\"CNY\",\"lines\":[",
                                 number, number));
    for (int line = 0; line < ACCORD_LINES_MAX; line++)
        buf_add_str(&buf, books_text(&b,
                                     "%s{\"line_id\":\"%d\",\"provider\":\"p1\",\"course_id\":"
                                     "\"python\",\"quantity\":1,\"paid\":100}",
                                     line == 0 ? "" : ",", line));
    buf_add_str(&buf, "]}");
    buf_add_char(&buf, '\0');
    ck_assert_uint_eq(books_post(&b, "c1", buf.data)->counts[FACT_ACCEPTED], 1);
    buf_done(&buf);
}

START_TEST(test_pieces_are_bounded_by_lines)
{
    books_course(&b, "p1", "python");
    for (int i = 0; i < 3; i++)
        post_long(i);
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
    ck_assert(pending());
    ck_assert(idle_once());
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM resettle"), 1);
    ck_assert(!idle_once());
    ck_assert_int_eq(VISIBLE_NET, 3 * 100 * ACCORD_LINES_MAX);
    books_verify(&b);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("resettle");
    TCase *tc = tcase_create("resettle");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, test_activation);
    tcase_add_test(tc, test_pieces_are_bounded_by_lines);
    tcase_add_test(tc, test_import);
    tcase_add_test(tc, test_changes_of_agreements);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
