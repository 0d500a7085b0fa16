/* Memberships, challenges, usage, touches, consents, adjustments, payments: who may post them, what
 * is refused, and the typed rows that they come to. Expectations are worked out by hand. */
#include "books.h"

static struct books b;

static void setup(void)
{
    books_open(&b);
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
    books_course(&b, "p1", "python");
}

static void teardown(void)
{
    books_verify(&b);
    books_close(&b);
}

#define AT "\"occurred_at\":\"2025-01-10T10:00:00+08:00\","
#define AT_US "1736474400000000"
#define HEAD(event, type) "{\"event_id\":\"" event "\",\"type\":\"" type "\"," AT
#define COURSE "\"provider\":\"p1\",\"course_id\":\"python\""
#define VOID(event, target) HEAD(event, "void") "\"supersedes\":\"" target "\"}"

/* ---- memberships ---- */

#define TERM "\"learner\":\"u1\",\"currency\":\"CNY\",\"from\":\"2025-01-10T00:00:00Z\","
#define STARTED(event, id, more)                                                                   \
    HEAD(event, "membership.started")                                                              \
    "\"membership_id\":\"" id "\",\"offer\":\"year\"," TERM                                        \
    "\"to\":\"2026-01-10T00:00:00Z\",\"paid\":36500" more "}"
#define RENEWED(event, id, term)                                                                   \
    HEAD(event, "membership.renewed")                                                              \
    "\"membership_id\":\"" id "\",\"term_id\":\"" term "\"," TERM                                  \
    "\"to\":\"2025-02-10T00:00:00Z\",\"paid\":3100}"

START_TEST(test_memberships)
{
    /* A further term may be known before the first. */
    books_accept(&b, "c1", RENEWED("e2", "m1", "t2"));
    books_accept(&b, "c1", STARTED("e1", "m1", ",\"tax\":100,\"store_fee\":7,\"payment_fee\":3"));
    books_accept(&b, "c1",
                 HEAD("e3", "membership.cancelled") "\"membership_id\":\"m1\",\"amount\":900,"
                                                    "\"tax_returned\":5,\"fee_returned\":2}");
    books_accept(&b, "c1",
                 HEAD("e4", "membership.cancelled") "\"membership_id\":\"m1\",\"term_id\":\"t2\"}");
#define MEMBERSHIP(where)                                                                          \
    NUMBER(&b, "SELECT COUNT(*) FROM membership_term WHERE channel = 'c1' "                        \
               "AND membership_id = 'm1' AND occurred_at = " AT_US " AND " where)
    ck_assert_int_eq(MEMBERSHIP("kind = 'started' AND term_id = '' AND event_id = 'e1' AND offer = "
                                "'year' AND currency = 'CNY' AND from_at = 1736467200000000 AND "
                                "to_at = 1768003200000000 AND paid = 36500 AND tax = 100 AND "
                                "store_fee = 7 AND payment_fee = 3 AND refunded = 0 AND "
                                "tax_returned = -1 AND fee_returned = 0"),
                     1);
    ck_assert_int_eq(MEMBERSHIP("kind = 'renewed' AND term_id = 't2' AND offer = '' AND paid = "
                                "3100 AND tax = -1 AND store_fee = -1 AND payment_fee = -1"),
                     1);
    ck_assert_int_eq(MEMBERSHIP("kind = 'cancelled' AND term_id = '' AND learner IS NULL AND "
                                "currency = '' AND from_at IS NULL AND to_at IS NULL AND paid = 0 "
                                "AND refunded = 900 AND tax_returned = 5 AND fee_returned = 2"),
                     1);
    ck_assert_int_eq(MEMBERSHIP("kind = 'cancelled' AND term_id = 't2' AND refunded = 0 AND "
                                "tax_returned = -1"),
                     1);
    /* Both terms are of the same learner. */
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(DISTINCT learner) FROM membership_term"), 1);
}
END_TEST

START_TEST(test_membership_ids_are_taken_for_ever)
{
    books_accept(&b, "c1", STARTED("e1", "m1", ""));
    books_accept(&b, "c1", RENEWED("e2", "m1", "t2"));
    books_refuse(&b, "c1", STARTED("e3", "m1", ""), ACCORD_E_MEMBERSHIP_EXISTS, "/membership_id");
    books_refuse(&b, "c1", RENEWED("e3", "m1", "t2"), ACCORD_E_TERM_EXISTS, "/term_id");
    books_accept(&b, "c1", RENEWED("e4", "m2", "t2")); /* term ids are the membership's own */
    books_accept(&b, "c2", STARTED("e1", "m1", ""));   /* membership ids the channel's */
    ck_assert_int_eq(books_post(&b, "c1", "[" STARTED("e1", "m1", "") "]")->facts[0].status,
                     FACT_DUPLICATE);
    ck_assert_int_eq(
        books_post(&b, "c1", "[" STARTED("e1", "m1", ",\"tax\":1") "]")->facts[0].status,
        FACT_CONFLICT);
    /* A correction keeps the id, type and learner; a void leaves the id taken. */
    books_accept(&b, "c1", STARTED("e5", "m1", ",\"tax\":9,\"supersedes\":\"e1\""));
    books_refuse(&b, "c1", STARTED("e6", "m3", ",\"supersedes\":\"e5\""), ACCORD_E_SUPERSEDES_TYPE,
                 "/supersedes");
    books_refuse(&b, "c1",
                 HEAD("e6", "membership.started") "\"membership_id\":\"m1\",\"offer\":\"year\","
                                                  "\"learner\":\"u2\",\"currency\":\"CNY\","
                                                  "\"from\":\"2025-01-10T00:00:00Z\",\"to\":"
                                                  "\"2025-02-10T00:00:00Z\",\"paid\":1,"
                                                  "\"supersedes\":\"e5\"}",
                 ACCORD_E_SUPERSEDES_TYPE, "/supersedes");
    books_refuse(&b, "c1",
                 HEAD("e6", "membership.cancelled") "\"membership_id\":\"m1\",\"supersedes\":"
                                                    "\"e5\"}",
                 ACCORD_E_SUPERSEDES_TYPE, "/supersedes");
    books_accept(&b, "c1", VOID("e7", "e5"));
    books_refuse(&b, "c1", STARTED("e8", "m1", ""), ACCORD_E_MEMBERSHIP_EXISTS, "/membership_id");
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM subject_key WHERE kind = 'membership'"), 2);
    /* Twice in one batch, and a correction of what stands before it in there. */
    const struct fact_batch *batch =
        books_post(&b, "c1",
                   "[" STARTED("f1", "m9", "") "," STARTED("f2", "m9", "") "," STARTED(
                       "f3", "m9", ",\"tax\":1,\"supersedes\":\"f1\"") "]");
    ck_assert_int_eq(batch->facts[0].status, FACT_ACCEPTED);
    ck_assert_int_eq(batch->facts[1].code, ACCORD_E_MEMBERSHIP_EXISTS);
    ck_assert_int_eq(batch->facts[2].status, FACT_ACCEPTED);
}
END_TEST

/* ---- challenges ---- */

#define JOINED(event, id, zone)                                                                    \
    HEAD(event, "challenge.joined")                                                                \
    "\"entry_id\":\"" id "\",\"offer\":\"21-days\",\"learner\":\"u1\",\"currency\":\"CNY\","       \
    "\"paid\":9900,\"payment_fee\":59,\"time_zone\":\"" zone "\"}"

START_TEST(test_challenges)
{
    books_accept(&b, "c1",
                 HEAD("e1", "checkin") COURSE ",\"entry\":\"n1\",\"learner\":\"u1\",\"day\":"
                                              "\"2025-01-09\",\"makeup\":true}");
    books_accept(&b, "c1", HEAD("e2", "checkin") COURSE ",\"entry\":\"n1\",\"learner\":\"u1\"}");
    books_accept(&b, "c1", HEAD("e3", "checkin") COURSE ",\"day\":\"2025-01-09\"}");
    books_accept(&b, "c1",
                 HEAD("e4", "challenge.withdrawn") "\"entry_id\":\"n1\",\"amount\":4000}");
    books_accept(&b, "c1", JOINED("e5", "n1", "Asia/Shanghai"));
#define ENTRY(where)                                                                               \
    NUMBER(&b, "SELECT COUNT(*) FROM challenge_fact WHERE channel = 'c1' AND "                     \
               "entry_id = 'n1' AND occurred_at = " AT_US " AND " where)
    ck_assert_int_eq(ENTRY("kind = 'joined' AND offer = '21-days' AND learner IS NOT NULL AND "
                           "currency = 'CNY' AND time_zone = 'Asia/Shanghai' AND deposit = 9900 "
                           "AND payment_fee = 59 AND refunded = 0 AND day IS NULL AND makeup = 0"),
                     1);
    ck_assert_int_eq(ENTRY("kind = 'withdrawn' AND refunded = 4000 AND learner IS NULL AND "
                           "payment_fee = -1 AND deposit = 0 AND time_zone = ''"),
                     1);
    /* 2025-01-09 is day 20097. */
    ck_assert_int_eq(ENTRY("kind = 'checkin' AND day = 20097 AND makeup = 1"), 1);
    ck_assert_int_eq(ENTRY("kind = 'checkin' AND day IS NULL AND makeup = 0"), 1);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM challenge_fact"), 4);
    /* Each of them is feedback too. */
    ck_assert_int_eq(NUMBER(&b, "SELECT total FROM feedback_rollup WHERE kind = 'checkin'"), 3);
    books_refuse(&b, "c1", JOINED("e6", "n1", "UTC"), ACCORD_E_ENTRY_EXISTS, "/entry_id");
    books_refuse(&b, "c1", HEAD("e6", "challenge.withdrawn") "\"entry_id\":\"n1\"}",
                 ACCORD_E_ENTRY_EXISTS, "/entry_id");
    books_refuse(&b, "p1", HEAD("e6", "checkin") COURSE ",\"entry\":\"n1\",\"learner\":\"u1\"}",
                 ACCORD_E_EVENT_NOT_ALLOWED, "/entry");
    books_accept(&b, "p1", HEAD("e6", "checkin") COURSE "}");
    books_refuse(&b, "c1",
                 HEAD("e7", "checkin") COURSE ",\"entry\":\"n2\",\"learner\":\"u1\","
                                              "\"supersedes\":\"e2\"}",
                 ACCORD_E_SUPERSEDES_TYPE, "/supersedes");
    books_accept(&b, "c1",
                 HEAD("e7", "checkin") COURSE ",\"entry\":\"n1\",\"learner\":\"u1\",\"day\":"
                                              "\"2025-01-08\",\"supersedes\":\"e2\"}");
}
END_TEST

/* ---- usage ---- */

START_TEST(test_usage)
{
    books_accept(&b, "c1", HEAD("e1", "usage") COURSE ",\"seconds\":60}");
    books_accept(&b, "c1",
                 HEAD("e2", "usage") COURSE ",\"seconds\":90,\"learner\":\"u1\",\"from\":"
                                            "\"2025-01-10T01:58:30Z\",\"to\":"
                                            "\"2025-01-10T02:00:00Z\"}");
    books_accept(&b, "c1", HEAD("e3", "completion") COURSE ",\"learner\":\"u1\"}");
    books_accept(&b, "c1", HEAD("e4", "completion") COURSE "}");
    books_accept(&b, "c1", HEAD("e5", "enrolment") COURSE ",\"learner\":\"u2\"}");
    books_accept(&b, "c1", HEAD("e6", "enrolment") COURSE ",\"count\":40}");
#define USED(where)                                                                                \
    NUMBER(&b, "SELECT COUNT(*) FROM usage_fact WHERE channel = 'c1' AND provider "                \
               "= 'p1' AND course_id = 'python' AND occurred_at = " AT_US " AND " where)
    ck_assert_int_eq(USED("kind = 'usage' AND learner IS NULL AND seconds = 60 AND from_at IS NULL "
                          "AND to_at IS NULL"),
                     1);
    ck_assert_int_eq(USED("kind = 'usage' AND learner IS NOT NULL AND seconds = 90 AND to_at - "
                          "from_at = 90000000"),
                     1);
    ck_assert_int_eq(USED("kind = 'completion' AND event_id = 'e3' AND seconds = 0"), 1);
    ck_assert_int_eq(USED("kind = 'start' AND event_id = 'e5'"), 1);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM usage_fact"), 4);
}
END_TEST

/* ---- touches ---- */

static const char *touch(const char *event, instant_us at, const char *more)
{
    char time[CLOCK_TEXT_MAX];
    clock_format(at, time);
    return books_text(&b,
                      "{\"event_id\":\"%s\",\"type\":\"touch\",\"occurred_at\":\"%s\"," COURSE
                      ",\"link\":\"l1\",\"learner\":\"u1\"%s}",
                      event, time, more);
}

START_TEST(test_touches)
{
    const instant_us now = clock_now_us();
    const instant_us hour = 3600 * CLOCK_SECOND_US;
    const char *first = touch("e1", now - hour, "");
    books_accept(&b, "c1", first);
    books_accept(&b, "c1", touch("e2", now - 71 * hour, ",\"kind\":\"coupon\""));
    books_refuse(&b, "c1", touch("e3", now - 73 * hour, ""), ACCORD_E_TOUCH_TOO_LATE,
                 "/occurred_at");
    books_refuse(&b, "p1", touch("e3", now, ""), ACCORD_E_EVENT_NOT_ALLOWED, "/type");
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM touch_fact WHERE channel = 'c1' AND link = "
                                "'l1' AND kind = 'click' AND event_id = 'e1'"),
                     1);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM touch_fact WHERE kind = 'coupon'"), 1);
    /* What is known may be sent again at any time, and says the same with its default written. */
    struct fact_batch *batch = books_decode(
        &b, "c1", books_text(&b, "[%s,%s]", first, touch("e1", now - hour, ",\"kind\":\"click\"")));
    books_begin(&b);
    b.tx->now = now + 100 * hour;
    ck_assert_int_eq(facts_write(b.tx, &batch, 1), ACCORD_OK);
    books_commit(&b);
    ck_assert_uint_eq(batch->counts[FACT_DUPLICATE], 2);
}
END_TEST

/* ---- consents ---- */

#define CONSENT(event, purpose, more)                                                              \
    HEAD(event, "consent") "\"learner\":\"u1\",\"purpose\":\"" purpose "\"," more "}"

START_TEST(test_consents)
{
    const char *given = CONSENT("e1", "marketing", "\"granted\":true,\"proof\":\"ticked a box\"");
    books_accept(&b, "c1", given);
    books_accept(&b, "p1", CONSENT("e1", "share_provider", "\"granted\":false"));
    books_refuse(&b, "op", CONSENT("e1", "analytics", "\"granted\":true"),
                 ACCORD_E_EVENT_NOT_ALLOWED, "/type");
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM consent_fact WHERE partner = 'c1' AND "
                                "purpose = 'marketing' AND granted = 1 AND occurred_at = " AT_US),
                     1);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM consent_fact WHERE partner = 'p1' AND "
                                "purpose = 'share_provider' AND granted = 0"),
                     1);
    /* Each partner's learners are its own. */
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(DISTINCT learner) FROM consent_fact"), 2);
    /* The proof can be erased: the journal holds its hash. */
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM fact WHERE instr(body, 'ticked') > 0"), 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM fact_text WHERE text = 'ticked a box'"), 1);
    ck_assert_int_eq(books_post(&b, "c1", books_text(&b, "[%s]", given))->facts[0].status,
                     FACT_DUPLICATE);
    struct fact_row *rows;
    size_t count;
    ck_assert_int_eq(store_facts_of(b.db, b.arena, "c1", "consent", 0, 10, &rows, &count),
                     ACCORD_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(fact_body_with_text(b.arena, &rows[0]).data,
                     "{\"granted\":true,\"purpose\":\"marketing\",\"proof\":\"ticked a box\"}");
    books_refuse(&b, "c1", CONSENT("e2", "analytics", "\"granted\":true,\"supersedes\":\"e1\""),
                 ACCORD_E_SUPERSEDES_TYPE, "/supersedes");
    books_accept(&b, "c1", CONSENT("e2", "marketing", "\"granted\":false,\"supersedes\":\"e1\""));
}
END_TEST

/* ---- adjustments ---- */

#define ADJUSTMENT(event, id, payee, funder, agreement, more)                                      \
    HEAD(event, "adjustment")                                                                      \
    "\"adjustment_id\":\"" id "\",\"agreement\":\"" agreement "\",\"payee\":\"" payee              \
    "\",\"funded_by\":\"" funder "\",\"currency\":\"CNY\",\"amount\":500,\"reason\":\"补差\"" more \
    "}"

START_TEST(test_adjustments)
{
    books_accept(&b, "op",
                 ADJUSTMENT("e1", "j1", "p1", "op", "a",
                            ",\"of_period\":\"2025-Q1\",\"statement\":\"s1\",\"line\":\"l1\""));
    ck_assert_int_eq(
        NUMBER(&b, "SELECT COUNT(*) FROM adjustment_fact WHERE partner = 'op' AND adjustment_id = "
                   "'j1' AND event_id = 'e1' AND occurred_at = " AT_US
                   " AND agreement = 'a' AND payee = 'p1' AND funded_by = 'op' AND currency = "
                   "'CNY' AND amount = 500 AND reason = '补差' AND of_period = '2025-Q1' AND "
                   "statement = 's1' AND line = 'l1'"),
        1);
    books_refuse(&b, "op", ADJUSTMENT("e2", "j1", "p1", "op", "a", ""), ACCORD_E_ADJUSTMENT_EXISTS,
                 "/adjustment_id");
    books_refuse(&b, "op", ADJUSTMENT("e2", "j2", "p1", "op", "b", ""), ACCORD_E_AGREEMENT_UNKNOWN,
                 "/agreement");
    books_refuse(&b, "op", ADJUSTMENT("e2", "j2", "nobody", "op", "a", ""),
                 ACCORD_E_PARTNER_UNKNOWN, "/payee");
    books_refuse(&b, "op", ADJUSTMENT("e2", "j2", "p1", "nobody", "a", ""),
                 ACCORD_E_PARTNER_UNKNOWN, "/funded_by");
    books_refuse(&b, "op", ADJUSTMENT("e2", "j2", "p1", "p1", "a", ""), ACCORD_E_PARTY_REPEATED,
                 "/funded_by");
    books_refuse(&b, "c1", ADJUSTMENT("e2", "j2", "p1", "op", "a", ""), ACCORD_E_EVENT_NOT_ALLOWED,
                 "/type");
    books_accept(&b, "op", ADJUSTMENT("e2", "j1", "c1", "op", "a", ",\"supersedes\":\"e1\""));
    books_accept(&b, "op", VOID("e3", "e2"));
    books_refuse(&b, "op", ADJUSTMENT("e4", "j1", "p1", "op", "a", ""), ACCORD_E_ADJUSTMENT_EXISTS,
                 "/adjustment_id");
}
END_TEST

/* ---- payments ---- */

#define PAYMENT_OF(event, id, state, amount, statements, more)                                     \
    HEAD(event, "payment")                                                                         \
    "\"payment_id\":\"" id "\",\"payer\":\"op\",\"payee\":\"p1\",\"currency\":\"CNY\","            \
    "\"amount\":" amount ",\"state\":\"" state "\",\"statements\":[" statements "]" more "}"
#define PAYMENT(event, state) PAYMENT_OF(event, "y1", state, "700", "\"s2\",\"s1\"", "")
#define STATES                                                                                     \
    NUMBER(&b, "SELECT COUNT(*) FROM payment_fact p LEFT JOIN fact_superseded x ON x.seq = p.seq " \
               "WHERE x.seq IS NULL")

START_TEST(test_payments)
{
    books_refuse(&b, "op", PAYMENT("e0", "sent"), ACCORD_E_PAYMENT_STATE_INVALID, "/state");
    books_accept(&b, "op", PAYMENT("e1", "approved"));
    ck_assert_int_eq(
        NUMBER(&b, "SELECT COUNT(*) FROM payment_fact p JOIN payment_statement s ON s.seq = p.seq "
                   "WHERE partner = 'op' AND payment_id = 'y1' AND event_id = 'e1' AND payer = "
                   "'op' AND payee = 'p1' AND currency = 'CNY' AND amount = 700 AND state = "
                   "'approved' AND reference = '' AND s.statement IN ('s1', 's2')"),
        2);
    books_refuse(&b, "op", PAYMENT("e2", "approved"), ACCORD_E_PAYMENT_STATE_INVALID, "/state");
    books_refuse(&b, "op", PAYMENT("e2", "confirmed"), ACCORD_E_PAYMENT_STATE_INVALID, "/state");
    books_refuse(&b, "op", PAYMENT_OF("e2", "y1", "sent", "701", "\"s1\",\"s2\"", ""),
                 ACCORD_E_PAYMENT_DIFFERS, "/amount");
    books_refuse(&b, "op", PAYMENT_OF("e2", "y1", "sent", "700", "\"s1\"", ""),
                 ACCORD_E_PAYMENT_DIFFERS, "/statements");
    /* In whatever order the statements come. */
    books_accept(&b, "op",
                 PAYMENT_OF("e2", "y1", "sent", "700", "\"s1\",\"s2\"", ",\"reference\":\"B-77\""));
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM payment_fact WHERE reference = 'B-77'"), 1);
    const char *again =
        "[" PAYMENT_OF("e2", "y1", "sent", "700", "\"s2\",\"s1\"", ",\"reference\":\"B-77\"") "]";
    ck_assert_int_eq(books_post(&b, "op", again)->facts[0].status, FACT_DUPLICATE);
    /* Only the last state can be taken back, or corrected with what the others say. */
    books_refuse(&b, "op", VOID("v1", "e1"), ACCORD_E_PAYMENT_STATE_INVALID, "/supersedes");
    books_refuse(&b, "op",
                 PAYMENT_OF("e3", "y1", "sent", "800", "\"s1\",\"s2\"", ",\"supersedes\":\"e2\""),
                 ACCORD_E_PAYMENT_DIFFERS, "/amount");
    books_refuse(&b, "op",
                 PAYMENT_OF("e3", "y1", "failed", "700", "\"s1\",\"s2\"", ",\"supersedes\":\"e2\""),
                 ACCORD_E_SUPERSEDES_TYPE, "/supersedes");
    books_accept(&b, "op",
                 PAYMENT_OF("e3", "y1", "sent", "700", "\"s1\",\"s2\"", ",\"supersedes\":\"e2\""));
    books_accept(&b, "op", PAYMENT("e4", "confirmed"));
    books_refuse(&b, "op", PAYMENT("e5", "failed"), ACCORD_E_PAYMENT_STATE_INVALID, "/state");
    books_accept(&b, "op", VOID("v2", "e4"));
    books_accept(&b, "op", PAYMENT("e5", "failed"));
    ck_assert_int_eq(STATES, 3);
    books_refuse(&b, "c1", PAYMENT("e9", "approved"), ACCORD_E_EVENT_NOT_ALLOWED, "/type");
    /* What is only approved may still be changed, or fail. */
    books_accept(&b, "op", PAYMENT_OF("f1", "y2", "approved", "5", "", ""));
    books_accept(&b, "op",
                 PAYMENT_OF("f2", "y2", "approved", "6", "\"s3\"", ",\"supersedes\":\"f1\""));
    books_refuse(&b, "op", PAYMENT_OF("f3", "y2", "failed", "5", "\"s3\"", ""),
                 ACCORD_E_PAYMENT_DIFFERS, "/amount");
    books_accept(&b, "op", PAYMENT_OF("f3", "y2", "failed", "6", "\"s3\"", ""));
}
END_TEST

START_TEST(test_payment_in_one_batch)
{
    const struct fact_batch *batch = books_post(
        &b, "op",
        "[" PAYMENT("e1", "approved") "," PAYMENT("e2", "sent") "," PAYMENT("e3", "sent") "," VOID(
            "v1", "e1") "," PAYMENT("e4", "confirmed") "," VOID("v2",
                                                                "e4") "," PAYMENT("e5",
                                                                                  "failed") "]");
    const enum accord_error codes[] = {ACCORD_OK,
                                       ACCORD_OK,
                                       ACCORD_E_PAYMENT_STATE_INVALID,
                                       ACCORD_E_PAYMENT_STATE_INVALID,
                                       ACCORD_OK,
                                       ACCORD_OK,
                                       ACCORD_OK};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        ck_assert_msg(batch->facts[i].code == codes[i], "%zu: %s", i,
                      accord_error_code(batch->facts[i].code));
    ck_assert_int_eq(STATES, 3);
    books_refuse(&b, "op", PAYMENT("e6", "confirmed"), ACCORD_E_PAYMENT_STATE_INVALID, "/state");
}
END_TEST

/* ---- what is refused by itself ---- */

static const struct {
    const char *item;
    enum accord_error code;
    const char *pointer;
} wrong[] = {
    {STARTED("w", "m", ",\"amount\":1"), ACCORD_E_FIELD_UNKNOWN, "/amount"},
    {STARTED("w", "m", ",\"provider\":\"p1\",\"course_id\":\"python\""), ACCORD_E_FIELD_UNKNOWN,
     "/provider"},
    {HEAD("w", "membership.started") "\"membership_id\":\"m\",\"offer\":\"o\",\"currency\":\"CNY\","
                                     "\"paid\":1,\"from\":\"2025-01-01T00:00:00Z\",\"to\":"
                                     "\"2025-02-01T00:00:00Z\"}",
     ACCORD_E_FIELD_MISSING, "/learner"},
    {HEAD("w", "membership.renewed") "\"membership_id\":\"m\"," TERM
                                     "\"to\":\"2025-02-01T00:00:00Z\",\"paid\":1}",
     ACCORD_E_FIELD_MISSING, "/term_id"},
    {HEAD("w", "membership.renewed") "\"membership_id\":\"m\",\"term_id\":\"t\"," TERM
                                     "\"to\":\"2025-01-10T00:00:00Z\",\"paid\":1}",
     ACCORD_E_VALUE_OUT_OF_RANGE, "/to"},
    {HEAD("w", "membership.renewed") "\"membership_id\":\"m\",\"term_id\":\"t\"," TERM
                                     "\"to\":\"2035-01-12T00:00:00Z\",\"paid\":1}",
     ACCORD_E_VALUE_OUT_OF_RANGE, "/to"},
    {HEAD("w", "membership.started") "\"membership_id\":\"m\",\"offer\":\"Year One\"," TERM
                                     "\"to\":\"2025-02-01T00:00:00Z\",\"paid\":1}",
     ACCORD_E_SLUG_INVALID, "/offer"},
    {HEAD("w", "membership.cancelled") "\"membership_id\":\"m\",\"amount\":0}",
     ACCORD_E_AMOUNT_OUT_OF_RANGE, "/amount"},
    {HEAD("w", "membership.cancelled") "\"membership_id\":\"m\",\"currency\":\"CNY\"}",
     ACCORD_E_FIELD_UNKNOWN, "/currency"},
    {JOINED("w", "n", "Mars/Base"), ACCORD_E_TIME_ZONE_UNKNOWN, "/time_zone"},
    {JOINED("w", "n", "../../etc/passwd"), ACCORD_E_TIME_ZONE_UNKNOWN, "/time_zone"},
    {HEAD("w", "challenge.withdrawn") "\"amount\":5}", ACCORD_E_FIELD_MISSING, "/entry_id"},
    {HEAD("w", "checkin") COURSE ",\"entry\":\"n\"}", ACCORD_E_FIELD_MISSING, "/learner"},
    {HEAD("w", "checkin") COURSE ",\"makeup\":true}", ACCORD_E_FIELD_MISSING, "/entry"},
    {HEAD("w", "rating") COURSE ",\"value\":5,\"entry\":\"n\"}", ACCORD_E_FIELD_UNKNOWN, "/entry"},
    {HEAD("w", "touch") COURSE ",\"link\":\"l\"}", ACCORD_E_FIELD_MISSING, "/learner"},
    {HEAD("w", "touch") COURSE ",\"learner\":\"u\"}", ACCORD_E_FIELD_MISSING, "/link"},
    {HEAD("w", "touch") COURSE ",\"learner\":\"u\",\"link\":\"l\",\"kind\":\"view\"}",
     ACCORD_E_VALUE_UNKNOWN, "/kind"},
    {HEAD("w", "touch") COURSE ",\"learner\":\"u\",\"link\":\"l\",\"touch_kind\":\"click\"}",
     ACCORD_E_FIELD_UNKNOWN, "/touch_kind"},
    {HEAD("w", "order.paid") "\"order_id\":\"o\",\"currency\":\"CNY\",\"offer\":\"o\",\"paid\":1,"
                             "\"touch\":\"l\",\"touch_kind\":\"view\"}",
     ACCORD_E_VALUE_UNKNOWN, "/touch_kind"},
    {HEAD("w", "order.paid") "\"order_id\":\"o\",\"currency\":\"CNY\",\"offer\":\"o\",\"paid\":1,"
                             "\"touch_kind\":\"share\"}",
     ACCORD_E_FIELD_MISSING, "/touch"},
    {HEAD("w", "consent") "\"learner\":\"u\",\"purpose\":\"ads\",\"granted\":true}",
     ACCORD_E_VALUE_UNKNOWN, "/purpose"},
    {HEAD("w", "consent") "\"learner\":\"u\",\"purpose\":\"analytics\"}", ACCORD_E_FIELD_MISSING,
     "/granted"},
    {HEAD("w", "consent") "\"purpose\":\"analytics\",\"granted\":true}", ACCORD_E_FIELD_MISSING,
     "/learner"},
    {ADJUSTMENT("w", "j", "p1", "op", "a", ",\"of_period\":\"2025-13\""), ACCORD_E_TIME_INVALID,
     "/of_period"},
    {ADJUSTMENT("w", "j", "p1", "op", "a", ",\"of_period\":\"2025-Q5\""), ACCORD_E_TIME_INVALID,
     "/of_period"},
    {ADJUSTMENT("w", "j", "p1", "op", "a", ",\"learner\":\"u\""), ACCORD_E_FIELD_UNKNOWN,
     "/learner"},
    {HEAD("w", "adjustment") "\"adjustment_id\":\"j\",\"agreement\":\"a\",\"payee\":\"p1\","
                             "\"funded_by\":\"op\",\"currency\":\"CNY\",\"amount\":1,\"reason\":"
                             "\"\"}",
     ACCORD_E_TEXT_LENGTH, "/reason"},
    {PAYMENT_OF("w", "y", "approved", "0", "", ""), ACCORD_E_AMOUNT_OUT_OF_RANGE, "/amount"},
    {PAYMENT_OF("w", "y", "lost", "1", "", ""), ACCORD_E_VALUE_UNKNOWN, "/state"},
    {PAYMENT_OF("w", "y", "approved", "1", "\"s2\",\"s1\",\"s2\"", ""), ACCORD_E_FIELD_DUPLICATE,
     "/statements"},
    {PAYMENT_OF("w", "y", "approved", "1", "\"s1\",7", ""), ACCORD_E_TYPE_WRONG, "/statements/1"},
    {HEAD("w", "payment") "\"payment_id\":\"y\",\"payer\":\"p1\",\"payee\":\"p1\",\"currency\":"
                          "\"CNY\",\"amount\":1,\"state\":\"approved\",\"statements\":[]}",
     ACCORD_E_PARTY_REPEATED, "/payee"},
};

START_TEST(test_wrong_items)
{
    books_refuse(&b, "op", wrong[_i].item, wrong[_i].code, wrong[_i].pointer);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM fact"), 0);
}
END_TEST

START_TEST(test_who_may_post)
{
    const char *channels_only[] = {STARTED("x", "m", ""), RENEWED("x", "m", "t"),
                                   HEAD("x", "membership.cancelled") "\"membership_id\":\"m\"}",
                                   JOINED("x", "n", "UTC"),
                                   HEAD("x", "challenge.withdrawn") "\"entry_id\":\"n\"}"};
    for (size_t i = 0; i < sizeof channels_only / sizeof *channels_only; i++) {
        books_refuse(&b, "p1", channels_only[i], ACCORD_E_EVENT_NOT_ALLOWED, "/type");
        books_refuse(&b, "op", channels_only[i], ACCORD_E_EVENT_NOT_ALLOWED, "/type");
    }
    books_accept(&b, "c1", channels_only[0]);
}
END_TEST

START_TEST(test_journal_reads_back)
{
    books_accept(&b, "op",
                 PAYMENT_OF("e1", "y1", "approved", "7", "\"s2\",\"s1\"", ",\"reference\":\"r\""));
    books_accept(&b, "op", ADJUSTMENT("e2", "j1", "p1", "op", "a", ""));
    struct fact_row *rows;
    size_t count;
    ck_assert_int_eq(store_facts_of(b.db, b.arena, "op", NULL, 0, 100, &rows, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(fact_body_with_text(b.arena, &rows[0]).data,
                     "{\"amount\":7,\"currency\":\"CNY\",\"payee\":\"p1\",\"payer\":\"op\","
                     "\"payment_id\":\"y1\",\"reference\":\"r\",\"state\":\"approved\","
                     "\"statements\":[\"s1\",\"s2\"]}");
    ck_assert_str_eq(fact_body_with_text(b.arena, &rows[1]).data,
                     "{\"adjustment_id\":\"j1\",\"agreement\":\"a\",\"amount\":500,\"currency\":"
                     "\"CNY\",\"funded_by\":\"op\",\"payee\":\"p1\",\"reason\":\"补差\"}");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("facts_types");
    TCase *tc = tcase_create("facts_types");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, test_memberships);
    tcase_add_test(tc, test_membership_ids_are_taken_for_ever);
    tcase_add_test(tc, test_challenges);
    tcase_add_test(tc, test_usage);
    tcase_add_test(tc, test_touches);
    tcase_add_test(tc, test_consents);
    tcase_add_test(tc, test_adjustments);
    tcase_add_test(tc, test_payments);
    tcase_add_test(tc, test_payment_in_one_batch);
    tcase_add_loop_test(tc, test_wrong_items, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tc, test_who_may_post);
    tcase_add_test(tc, test_journal_reads_back);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
