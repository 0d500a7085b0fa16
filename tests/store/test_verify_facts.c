/* verify finds any change of a typed row but those of orders and refunds, a lost one and one too
 * many. */
#include "books.h"

static struct books b;

#define AT "\"occurred_at\":\"2025-01-10T10:00:00Z\","
#define HEAD(event, type) "{\"event_id\":\"" event "\",\"type\":\"" type "\"," AT
#define COURSE "\"provider\":\"p1\",\"course_id\":\"python\""
#define TERM "\"learner\":\"u\",\"currency\":\"CNY\",\"from\":\"2025-01-10T00:00:00Z\","

/* clang-format off */
static const char *const of_channel[] = {
    HEAD("m1", "membership.started") "\"membership_id\":\"m\",\"offer\":\"year\"," TERM
        "\"to\":\"2026-01-10T00:00:00Z\",\"paid\":36500}",
    HEAD("m2", "membership.renewed") "\"membership_id\":\"m\",\"term_id\":\"t2\"," TERM
        "\"to\":\"2025-02-10T00:00:00Z\",\"paid\":3100}",
    HEAD("m3", "membership.cancelled") "\"membership_id\":\"m\",\"amount\":9}",
    HEAD("n1", "challenge.joined") "\"entry_id\":\"n\",\"offer\":\"21-days\",\"learner\":\"u\","
        "\"currency\":\"CNY\",\"paid\":9900,\"time_zone\":\"UTC\"}",
    HEAD("n2", "checkin") COURSE ",\"entry\":\"n\",\"learner\":\"u\"}",
    HEAD("n3", "challenge.withdrawn") "\"entry_id\":\"n\",\"amount\":4000}",
    HEAD("u1", "usage") COURSE ",\"seconds\":90,\"learner\":\"u\"}",
    HEAD("u2", "completion") COURSE ",\"learner\":\"u\"}",
    HEAD("c1", "consent") "\"learner\":\"u\",\"purpose\":\"marketing\",\"granted\":true}",
};
#define PAYMENT(event, state, statements)                                                          \
    HEAD(event, "payment") "\"payment_id\":\"y\",\"payer\":\"op\",\"payee\":\"p1\","           \
        "\"currency\":\"CNY\",\"amount\":7,\"state\":\"" state "\",\"statements\":[" statements "]}"
static const char *const of_operator[] = {
    HEAD("j1", "adjustment") "\"adjustment_id\":\"j\",\"agreement\":\"a\",\"payee\":\"p1\","
        "\"funded_by\":\"op\",\"currency\":\"CNY\",\"amount\":5,\"reason\":\"why\"}",
    PAYMENT("y1", "approved", "\"s1\",\"s2\""),
    PAYMENT("y2", "sent", "\"s2\",\"s1\""),
};
/* clang-format on */

static void setup(void)
{
    books_open(&b);
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
    books_course(&b, "p1", "python");
    for (size_t i = 0; i < sizeof of_channel / sizeof *of_channel; i++)
        books_accept(&b, "c1", of_channel[i]);
    for (size_t i = 0; i < sizeof of_operator / sizeof *of_operator; i++)
        books_accept(&b, "op", of_operator[i]);
    char now[CLOCK_TEXT_MAX];
    clock_format(clock_now_us(), now);
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"t1\",\"type\":\"touch\",\"occurred_at\":\"%s\"," COURSE
                            ",\"link\":\"l1\",\"learner\":\"u\"}",
                            now));
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"o1\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                            "\"order_id\":\"o1\",\"currency\":\"CNY\",\"touch\":\"l1\",\"lines\":"
                            "[{\"line_id\":\"1\"," COURSE ",\"quantity\":1,\"paid\":100}]}",
                            now));
    books_verify(&b);
}

static void teardown(void)
{
    books_verify(&b);
    books_close(&b);
}

/* Each changes every column of a table but its key, one a test, to what the row did not say. */
#define OF(table, column, value, where)                                                            \
    {                                                                                              \
        "UPDATE " table " SET " column " = " value " WHERE event_id = '" where "'"                 \
    }
#define M(column, value) OF("membership_term", column, value, "m1")
#define N(column, value) OF("challenge_fact", column, value, "n1")
#define U(column, value) OF("usage_fact", column, value, "u1")
#define T(column, value) OF("touch_fact", column, value, "t1")
#define C(column, value) OF("consent_fact", column, value, "c1")
#define J(column, value) OF("adjustment_fact", column, value, "j1")
#define Y(column, value) OF("payment_fact", column, value, "y1")
static const struct db_sql changes[] = {
    M("channel", "'c2'"),
    M("membership_id", "'x'"),
    M("term_id", "'x'"),
    M("kind", "'renewed'"),
    M("event_id", "'x'"),
    M("occurred_at", "occurred_at + 1"),
    M("offer", "'x'"),
    M("learner", "NULL"),
    M("currency", "'USD'"),
    M("from_at", "from_at + 1"),
    M("to_at", "NULL"),
    M("paid", "paid + 1"),
    M("tax", "0"),
    M("store_fee", "0"),
    M("payment_fee", "0"),
    M("refunded", "1"),
    M("tax_returned", "0"),
    M("fee_returned", "1"),
    OF("membership_term", "from_at", "0", "m3"),
    OF("membership_term", "refunded", "8", "m3"),
    N("channel", "'c2'"),
    N("entry_id", "'x'"),
    N("kind", "'checkin'"),
    N("occurred_at", "occurred_at + 1"),
    N("offer", "'x'"),
    N("learner", "NULL"),
    N("currency", "'USD'"),
    N("time_zone", "'Asia/Shanghai'"),
    N("deposit", "deposit - 1"),
    N("payment_fee", "0"),
    N("refunded", "1"),
    N("day", "0"),
    N("makeup", "1"),
    OF("challenge_fact", "day", "20098", "n2"),
    OF("challenge_fact", "refunded", "0", "n3"),
    U("channel", "'c2'"),
    U("kind", "'start'"),
    U("learner", "NULL"),
    U("provider", "'p2'"),
    U("course_id", "'x'"),
    U("occurred_at", "occurred_at + 1"),
    U("seconds", "91"),
    U("from_at", "0"),
    U("to_at", "0"),
    T("channel", "'c2'"),
    T("learner", "zeroblob(16)"),
    T("link", "'l2'"),
    T("kind", "'share'"),
    T("occurred_at", "occurred_at + 1"),
    OF("touch_fact", "link", "'l2'", "o1"),
    OF("touch_fact", "kind", "'coupon'", "o1"),
    OF("touch_fact", "learner", "zeroblob(16)", "o1"),
    C("partner", "'c2'"),
    C("learner", "zeroblob(16)"),
    C("purpose", "'analytics'"),
    C("granted", "0"),
    C("occurred_at", "occurred_at + 1"),
    J("partner", "'c1'"),
    J("adjustment_id", "'x'"),
    J("occurred_at", "occurred_at + 1"),
    J("agreement", "'b'"),
    J("payee", "'c1'"),
    J("funded_by", "'c1'"),
    J("currency", "'USD'"),
    J("amount", "6"),
    J("reason", "'x'"),
    J("of_period", "'2025-01'"),
    J("statement", "'s1'"),
    J("line", "'1'"),
    Y("partner", "'c1'"),
    Y("payment_id", "'x'"),
    Y("occurred_at", "occurred_at + 1"),
    Y("payer", "'c1'"),
    Y("payee", "'c1'"),
    Y("currency", "'USD'"),
    Y("amount", "8"),
    Y("state", "'failed'"),
    Y("reference", "'x'"),
    {"UPDATE payment_statement SET statement = 's3' WHERE statement = 's1' AND seq = (SELECT seq "
     "FROM payment_fact WHERE event_id = 'y1')"},
    {"DELETE FROM payment_statement WHERE statement = 's2' AND seq = (SELECT seq FROM payment_fact "
     "WHERE event_id = 'y2')"},
    {"INSERT INTO payment_statement (seq, statement) SELECT seq, 's9' FROM payment_fact WHERE "
     "event_id = 'y1'"},
    {"INSERT INTO payment_statement (seq, statement) VALUES (1, 's9')"},
    {"DELETE FROM membership_term WHERE event_id = 'm2'"},
    {"DELETE FROM challenge_fact WHERE event_id = 'n2'"},
    {"DELETE FROM usage_fact WHERE event_id = 'u2'"},
    {"DELETE FROM touch_fact WHERE event_id = 't1'"},
    {"DELETE FROM touch_fact WHERE event_id = 'o1'"},
    {"DELETE FROM consent_fact"},
    {"DELETE FROM adjustment_fact"},
    {"DELETE FROM payment_fact WHERE event_id = 'y2'"},
    {"INSERT INTO touch_fact SELECT 99, channel, learner, link, kind, occurred_at, event_id FROM "
     "touch_fact WHERE event_id = 't1'"},
    {"INSERT INTO consent_fact SELECT 99, partner, learner, purpose, granted, occurred_at, "
     "event_id FROM consent_fact"},
    {"DELETE FROM subject_key WHERE kind = 'membership'"},
    {"DELETE FROM subject_key WHERE kind = 'adjustment'"},
    {"UPDATE subject_key SET seq = seq + 1 WHERE kind = 'term'"},
    {"UPDATE subject_key SET part = 'x' WHERE kind = 'entry'"},
    {"INSERT INTO subject_key (partner, kind, id, part, seq) VALUES ('c1', 'entry', 'z', '', 1)"},
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
    ck_assert_msg(changed == 1, "%s: %d rows", changes[_i].text, (int)changed);
    struct verify_summary summary = {.differences = 0};
    ck_assert_int_eq(ingest_verify(b.db, quiet, NULL, &summary), ACCORD_OK);
    ck_assert_msg(summary.differences > 0, "not found: %s", changes[_i].text);
    db_rollback(b.db);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify_facts");
    TCase *tc = tcase_create("verify_facts");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_finds_any_change, 0, sizeof changes / sizeof *changes);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
