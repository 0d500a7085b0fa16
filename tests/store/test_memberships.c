/* Memberships: what is recognised of their terms in which month, under which agreement, and how
 * cancellations, corrections, closes and late agreements change that. Amounts are worked out by
 * hand: a year of 36,500 is 100 a day. */
#include "closing.h"

#include "base/buf.h"
#include "ingest/rates.h"

static struct books b;

static void setup(void)
{
    books_open(&b);
}

static void teardown(void)
{
    books_verify(&b);
    books_close(&b);
}

/* The channel's agreement with the operator, which gets 30 %. */
#define WITH_OPERATOR(from)                                                                        \
    "{\"parties\":[\"op\",\"c1\"],\"collector\":\"c1\",\"scope\":{\"providers\":[\"op\"],"         \
    "\"channels\":[\"c1\"]},\"effective\":{\"from\":\"" from "\"},\"currency\":\"CNY\","           \
    "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"                             \
    "\"terms\":[{\"kind\":\"share\",\"payee\":\"op\",\"share_ppm\":300000},"                       \
    "{\"kind\":\"residual\",\"payee\":\"c1\"}]}"
#define AGREED WITH_OPERATOR("2025-01-01T00:00:00+08:00")

#define HEAD(event, type, at)                                                                      \
    "{\"event_id\":\"" event "\",\"type\":\"membership." type "\",\"occurred_at\":\"" at "\","
#define YEAR(event, id, more)                                                                      \
    HEAD(event, "started", "2025-01-09T20:00:00+08:00")                                            \
    "\"membership_id\":\"" id "\",\"offer\":\"annual\",\"learner\":\"u1\",\"currency\":\"CNY\","   \
    "\"paid\":36500,\"from\":\"2025-01-10T00:00:00+08:00\",\"to\":\"2026-01-10T00:00:00+08:"       \
    "00\"" more "}"
#define RENEWED(event, id, term, paid, from, to)                                                   \
    HEAD(event, "renewed", "2025-01-09T20:00:00+08:00")                                            \
    "\"membership_id\":\"" id "\",\"term_id\":\"" term "\",\"learner\":\"u1\",\"currency\":"       \
    "\"CNY\",\"paid\":" paid ",\"from\":\"" from "T00:00:00+08:00\",\"to\":\"" to                  \
    "T00:00:00+08:00\"}"
#define CANCELLED(event, id, at, more)                                                             \
    HEAD(event, "cancelled", at) "\"membership_id\":\"" id "\"" more "}"
#define VOID(event, target)                                                                        \
    "{\"event_id\":\"" event "\",\"type\":\"void\",\"occurred_at\":\"2025-06-01T00:00:00Z\","      \
    "\"supersedes\":\"" target "\"}"

/* What stands in months of 2025, and of 2026 from 13 on, by first days since 1970. */
static int64_t first_day(int month)
{
    static const int before[] = {0,   31,  59,  90,  120, 151, 181, 212,
                                 243, 273, 304, 334, 365, 396, 424, 455};
    return 20089 + before[month - 1];
}

/* Its statement is kept by its address. */
static int64_t ask(const char *text)
{
    struct db_sql *sql = arena_alloc(b.arena, sizeof *sql);
    *sql = (struct db_sql){text};
    return books_number(&b, sql);
}

/* Closes a period; each statement follows from the inputs that it names. */
static struct close_result close_month(const char *agreement, const char *label)
{
    const struct close_result closed = closing_do(&b, agreement, label);
    for (size_t i = 0; i < closed.count; i++)
        rederive(&b, &closed.statements[i]);
    return closed;
}

static int64_t of_month(const char *number, const char *held, int month)
{
    return ask(books_text(
        &b,
        "SELECT CAST(COALESCE((SELECT SUM(%s) FROM rollup WHERE grain = 'period' AND staged = 0 "
        "AND held = '%s' AND provider = 'op' AND day = %" PRId64 "), 0) AS BIGINT)",
        number, held, first_day(month)));
}

static int64_t share_of(const char *payee, int month)
{
    return ask(books_text(
        &b,
        "SELECT CAST(COALESCE((SELECT SUM(amount) FROM rollup_share WHERE grain = 'period' AND "
        "staged = 0 AND held = '' AND payee = '%s' AND day = %" PRId64 "), 0) AS BIGINT)",
        payee, first_day(month)));
}

#define SETTLED_GROSS                                                                              \
    NUMBER(&b, "SELECT SUM(gross) FROM rollup WHERE grain = 'period' AND held = ''")
#define ENTRIES NUMBER(&b, "SELECT COUNT(*) FROM entry")

/* ---- a term by months ---- */

START_TEST(test_months)
{
    static const int days[] = {22, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 9};
    books_agreement(&b, "m", 1, AGREED);
    const struct fact *fact =
        books_accept(&b, "c1", YEAR("e1", "m1", ",\"tax\":730,\"payment_fee\":365"));
    ck_assert_int_eq(fact->held, ACCORD_HELD_NOT);
    for (int month = 1; month <= 13; month++) {
        ck_assert_int_eq(of_month("gross", "", month), 100 * days[month - 1]);
        ck_assert_int_eq(of_month("payment_fee", "", month), days[month - 1]);
        ck_assert_int_eq(of_month("line_count", "", month), 1);
        /* Of a day 2 are tax and 1 is a fee; the larger remainder gets the odd unit. */
        ck_assert_int_eq(share_of("op", month) + share_of("c1", month), 97 * days[month - 1]);
    }
    ck_assert_int_eq(share_of("op", 1), 640);  /* 640.2 of 2134 */
    ck_assert_int_eq(share_of("c1", 1), 1494); /* 1493.8 */
    ck_assert_int_eq(share_of("op", 2), 815);  /* 814.8 of 2716 */
    /* Each month stands on its first day in the agreement's zone, as a line of its own, booked in
     * its own period. */
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM entry WHERE line = 0 AND day = 20098 AND "
                                "booked = 20089 AND course_id = 'annual' AND channel = 'c1'"),
                     1);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM entry WHERE line = 12 AND day = 20454 AND "
                                "booked = 20454"),
                     1);
    ck_assert_int_eq(ENTRIES, 13);
}
END_TEST

START_TEST(test_tax_and_fees_by_rate)
{
    /* Tax at 6 % is in what is paid; the payment fee is 1 % of the gross. */
    books_agreement(&b, "m", 1,
                    "{\"parties\":[\"op\",\"c1\"],\"collector\":\"c1\",\"scope\":{\"providers\":["
                    "\"op\"],\"channels\":[\"c1\"]},\"effective\":{\"from\":"
                    "\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
                    "\"month\",\"time_zone\":\"Asia/Shanghai\"},\"base\":{\"tax\":{\"deduct\":true,"
                    "\"rate_ppm\":60000},\"payment_fee\":{\"deduct\":true,\"rate_ppm\":10000}},"
                    "\"terms\":[{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    ck_assert_int_eq(of_month("tax", "", 1), 125); /* 2200 · 6 / 106 = 124.5 */
    ck_assert_int_eq(of_month("payment_fee", "", 1), 22);
    ck_assert_int_eq(share_of("c1", 1), 2053);
}
END_TEST

START_TEST(test_trial)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1",
                 HEAD("e1", "started",
                      "2025-01-20T10:00:00+08:00") "\"membership_id\":\"m1\",\"offer\":\"annual\","
                                                   "\"learner\":\"u1\",\"currency\":"
                                                   "\"CNY\",\"paid\":0,\"from\":\"2025-01-20T10:00:"
                                                   "00+08:00\",\"to\":"
                                                   "\"2025-02-03T10:00:00+08:00\"}");
    ck_assert_int_eq(of_month("line_count", "", 1), 1);
    ck_assert_int_eq(of_month("line_count", "", 2), 1);
    ck_assert_int_eq(of_month("gross", "", 1), 0);
    /* Less than a day is a day. */
    books_accept(&b, "c1",
                 HEAD("e2", "started",
                      "2025-03-20T10:00:00+08:00") "\"membership_id\":\"m2\",\"offer\":\"hour\","
                                                   "\"learner\":\"u1\",\"currency\":"
                                                   "\"CNY\",\"paid\":7,\"from\":\"2025-03-31T22:00:"
                                                   "00+08:00\",\"to\":"
                                                   "\"2025-03-31T23:00:00+08:00\"}");
    ck_assert_int_eq(of_month("gross", "", 3), 7);
    ck_assert_int_eq(of_month("line_count", "", 4), 0);
}
END_TEST

/* ---- agreements ---- */

START_TEST(test_unassigned_until_agreed)
{
    const struct fact *fact = books_accept(&b, "c1", YEAR("e1", "m1", ""));
    ck_assert_int_eq(fact->held, ACCORD_HELD_UNASSIGNED);
    /* Without an agreement days are those of UTC, of which the term touches 366, the first on the
     * 9th: floor(36500 · 23 / 366). */
    ck_assert_int_eq(of_month("gross", "unassigned", 1), 2293);
    ck_assert_int_eq(of_month("gross", "", 1), 0);
    books_verify(&b);
    /* A version covers the months that begin once it is in force. */
    books_agreement(&b, "m", 1, WITH_OPERATOR("2025-03-15T00:00:00+08:00"));
    ck_assert_int_eq(of_month("gross", "unassigned", 1), 2200);
    ck_assert_int_eq(of_month("gross", "unassigned", 3), 3100);
    ck_assert_int_eq(of_month("gross", "unassigned", 4), 0);
    ck_assert_int_eq(of_month("gross", "", 3), 0);
    ck_assert_int_eq(of_month("gross", "", 4), 3000);
    ck_assert_int_eq(share_of("op", 4), 900);
}
END_TEST

START_TEST(test_next_version_covers_later_months)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    books_agreement(&b, "m", 2,
                    "{\"parties\":[\"op\",\"c1\"],\"collector\":\"c1\",\"scope\":{\"providers\":["
                    "\"op\"],\"channels\":[\"c1\"]},\"effective\":{\"from\":"
                    "\"2025-07-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
                    "\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[{\"kind\":\"share\","
                    "\"payee\":\"op\",\"share_ppm\":500000},{\"kind\":\"residual\",\"payee\":"
                    "\"c1\"}]}");
    ck_assert_int_eq(share_of("op", 6), 900);
    ck_assert_int_eq(share_of("op", 7), 1550);
    ck_assert_int_eq(share_of("op", 13), 450);
}
END_TEST

START_TEST(test_other_agreements_do_not_cover_it)
{
    books_course(&b, "p1", "python");
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    ck_assert_int_eq(of_month("gross", "", 2), 0);
    ck_assert_int_eq(of_month("gross", "unassigned", 2), 2793); /* by UTC, as above */
    /* Nor those of another channel. */
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c2", YEAR("e1", "m1", ""));
    ck_assert_int_eq(of_month("gross", "unassigned", 2), 2793); /* by UTC, as above */
    ck_assert_int_eq(of_month("gross", "", 2), 2800);
}
END_TEST

/* ---- cancellations ---- */

START_TEST(test_cancelled)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", YEAR("e1", "m1", ",\"tax\":730,\"payment_fee\":365"));
    /* 60 days are used: 6,000, of which 1,000 in March; 16,500 are kept, all of it by then. */
    books_accept(&b, "c1", CANCELLED("e2", "m1", "2025-03-11T09:00:00+08:00", ",\"amount\":20000"));
    ck_assert_int_eq(of_month("gross", "", 2), 2800);
    ck_assert_int_eq(of_month("gross", "", 3), 11500);
    ck_assert_int_eq(of_month("payment_fee", "", 3), 315); /* fees are kept */
    ck_assert_int_eq(of_month("tax", "", 3), 230);         /* of 730 400 go back, 100 stood */
    for (int month = 4; month <= 13; month++) {
        ck_assert_int_eq(of_month("gross", "", month), 0);
        ck_assert_int_eq(of_month("line_count", "", month), 0);
    }
    ck_assert_int_eq(share_of("op", 3) + share_of("c1", 3), 11500 - 315 - 230);
    ck_assert_int_eq(SETTLED_GROSS, 16500);
    books_verify(&b);
    /* Taken back, it runs on. */
    books_accept(&b, "c1", VOID("e3", "e2"));
    ck_assert_int_eq(of_month("gross", "", 3), 3100);
    ck_assert_int_eq(of_month("gross", "", 13), 900);
    ck_assert_int_eq(SETTLED_GROSS, 36500);
}
END_TEST

START_TEST(test_more_refunded_than_is_left)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    books_accept(&b, "c1", CANCELLED("e2", "m1", "2025-03-11T09:00:00+08:00", ",\"amount\":35500"));
    /* 1,000 are kept and 5,000 stand in January and February: March takes 4,000 back. */
    ck_assert_int_eq(of_month("gross", "", 3), -4000);
    ck_assert_int_eq(of_month("line_count", "", 3), 1);
    ck_assert_int_eq(share_of("op", 3), -1200);
    ck_assert_int_eq(share_of("c1", 3), -2800);
    books_verify(&b);
    /* What exceeds what was paid is held, as an order's is. */
    const struct fact *fact = books_accept(
        &b, "c1", CANCELLED("e3", "m1", "2025-03-20T09:00:00+08:00", ",\"amount\":1700"));
    ck_assert_int_eq(fact->held, ACCORD_HELD_EXCESS_REFUND);
    ck_assert_int_eq(of_month("gross", "", 3), -5000);
    ck_assert_int_eq(of_month("refunded", "excess_refund", 1), 700);
}
END_TEST

START_TEST(test_fees_kept_of_what_is_taken_back)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", YEAR("e1", "m1", ",\"payment_fee\":3650"));
    books_accept(&b, "c1", CANCELLED("e2", "m1", "2025-03-11T09:00:00+08:00", ",\"amount\":36500"));
    /* All is given back but the fee, of which 500 stand in the months before. */
    ck_assert_int_eq(of_month("gross", "", 3), -5000);
    ck_assert_int_eq(of_month("payment_fee", "", 3), 3150);
    ck_assert_int_eq(of_month("net", "", 3), -8150);
    ck_assert_int_eq(share_of("op", 3) + share_of("c1", 3), -8150);
    ck_assert_int_eq(share_of("op", 3), -945 - 1500);
}
END_TEST

START_TEST(test_cancelled_before_and_after)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    /* Before it begins: nothing is used, and what is kept stands on its first day. */
    books_accept(&b, "c1", CANCELLED("e2", "m1", "2025-01-09T22:00:00+08:00", ",\"amount\":36000"));
    ck_assert_int_eq(of_month("gross", "", 1), 500);
    ck_assert_int_eq(SETTLED_GROSS, 500);
    books_accept(&b, "c1", VOID("e3", "e2"));
    /* After its end: a late refund, in the month in which it is given. */
    books_accept(&b, "c1", CANCELLED("e4", "m1", "2026-03-05T09:00:00+08:00", ",\"amount\":600"));
    ck_assert_int_eq(of_month("gross", "", 13), 900);
    ck_assert_int_eq(of_month("gross", "", 14), 0);
    ck_assert_int_eq(of_month("gross", "", 15), -600);
    ck_assert_int_eq(share_of("op", 15), -180);
}
END_TEST

START_TEST(test_cancellation_before_its_term_is_known)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", CANCELLED("e2", "m1", "2025-03-11T09:00:00+08:00", ",\"amount\":20000"));
    ck_assert_int_eq(ENTRIES, 0);
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    ck_assert_int_eq(SETTLED_GROSS, 16500);
}
END_TEST

START_TEST(test_terms)
{
    books_agreement(&b, "m", 1, AGREED);
    /* Known before the membership, whose offer is not yet. */
    books_accept(&b, "c1", RENEWED("e1", "m1", "t2", "3100", "2026-01-10", "2026-02-10"));
    ck_assert_int_eq(of_month("gross", "", 13), 2200);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(gross) FROM entry WHERE course_id = 'annual'"), 0);
    books_accept(&b, "c1", YEAR("e2", "m1", ""));
    ck_assert_int_eq(of_month("gross", "", 13), 3100);
    ck_assert_int_eq(of_month("gross", "", 14), 900);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(gross) FROM entry WHERE course_id = 'annual'"), 39600);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(gross) FROM entry WHERE course_id = ''"), 0);
    /* A cancellation that names no term stops the one that runs; one that names it, that. */
    books_accept(&b, "c1", CANCELLED("e3", "m1", "2026-01-11T09:00:00+08:00", ",\"amount\":3000"));
    ck_assert_int_eq(of_month("gross", "", 13), 1000);
    ck_assert_int_eq(of_month("gross", "", 14), 0);
    books_accept(
        &b, "c1",
        CANCELLED("e4", "m1", "2025-02-01T09:00:00+08:00", ",\"term_id\":\"t2\",\"amount\":100"));
    /* Before it began: all that is kept of it, nothing, stands on its first day. */
    ck_assert_int_eq(of_month("gross", "", 13), 900);
    ck_assert_int_eq(of_month("gross", "", 14), 0);
}
END_TEST

/* From the annual to the premium membership on February 11th: of the first, 32 days at 1.00 stay
 * and the rest goes back; the second recognises 2.00 a day from then on. What January said stands.
 */
START_TEST(test_upgrade_in_the_middle_of_a_term)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    struct close_result closed = close_month("m", "2025-01");
    ck_assert_int_eq(closing_of(&closed, "op")->earned, 660);
    books_accept(&b, "c1", CANCELLED("e2", "m1", "2025-02-10T23:59:59+08:00", ",\"amount\":33300"));
    books_accept(
        &b, "c1",
        HEAD("e3", "renewed",
             "2025-02-10T23:59:59+08:00") "\"membership_id\":\"m1\",\"term_id\":\"up\",\"offer\":"
                                          "\"premium\",\"learner\":"
                                          "\"u1\",\"currency\":\"CNY\",\"paid\":73000,\"from\":"
                                          "\"2025-02-11T00:00:00+08:00\",\"to\":\"2026-02-11T00:00:"
                                          "00+08:00\"}");
    ck_assert_int_eq(of_month("gross", "", 1), 2200);
    ck_assert_int_eq(of_month("gross", "", 2), 1000 + 18 * 200);
    ck_assert_int_eq(of_month("gross", "", 3), 31 * 200);
    ck_assert_int_eq(of_month("gross", "", 13), 31 * 200);
    ck_assert_int_eq(of_month("gross", "", 14), 10 * 200);
    ck_assert_int_eq(SETTLED_GROSS, 3200 + 73000);
    closed = close_month("m", "2025-02");
    ck_assert_int_eq(closing_of(&closed, "op")->earned, 1380); /* 30 % of 4,600 */
    closing_says(closing_of(&closed, "op"), "\"differences\":[]");
}
END_TEST

START_TEST(test_corrected)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    books_accept(
        &b, "c1",
        HEAD("e2", "started",
             "2025-01-09T20:00:00+08:00") "\"membership_id\":\"m1\",\"offer\":\"annual\","
                                          "\"learner\":\"u1\",\"currency\":"
                                          "\"CNY\",\"paid\":3100,\"from\":\"2025-01-10T00:00:00+08:"
                                          "00\",\"to\":"
                                          "\"2025-02-10T00:00:00+08:00\",\"supersedes\":\"e1\"}");
    ck_assert_int_eq(of_month("gross", "", 1), 2200);
    ck_assert_int_eq(of_month("gross", "", 2), 900);
    ck_assert_int_eq(of_month("gross", "", 3), 0);
    ck_assert_int_eq(SETTLED_GROSS, 3100);
    books_verify(&b);
    books_accept(&b, "c1", VOID("e3", "e2"));
    ck_assert_int_eq(SETTLED_GROSS, 0);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(line_count) FROM entry"), 0);
}
END_TEST

/* ---- closes ---- */

START_TEST(test_statements)
{
    books_agreement(&b, "m", 1, AGREED);
    const struct fact *fact = books_accept(&b, "c1", YEAR("e1", "m1", ""));
    const char *seq = books_text(&b, "%" PRId64, fact->seq);
    struct close_result closed = close_month("m", "2025-01");
    const struct statement_row *op = closing_of(&closed, "op");
    ck_assert_int_eq(op->earned, 660);
    ck_assert_int_eq(op->closing, 660);
    ck_assert_int_eq(closing_of(&closed, "c1")->closing, -660);
    closing_says(op, "\"kinds\":[{\"count\":1,\"earned\":660,\"kind\":\"membership\","
                     "\"position\":660}]");
    ck_assert_str_eq(
        closing_lines(&b, op),
        books_text(&b,
                   "{\"admin_fee\":0,\"base\":2200,\"channel\":\"c1\",\"course_id\":\"annual\","
                   "\"currency\":\"CNY\",\"earned\":660,\"gross\":2200,\"kind\":\"membership\","
                   "\"line\":\"s%s.0.0\",\"membership_id\":\"m1\",\"net\":2200,\"occurred_at\":"
                   "\"2025-01-09T16:00:00Z\",\"open\":0,\"payees\":[{\"amount\":1540,\"payee\":"
                   "\"c1\"},{\"amount\":660,\"payee\":\"op\"}],\"payment_fee\":0,\"period\":"
                   "\"2025-01\",\"position\":660,\"provider\":\"op\",\"refunded\":0,"
                   "\"store_fee\":0,\"tax\":0,\"term_id\":\"\",\"version\":1}\n",
                   seq));
    closed = close_month("m", "2025-02");
    op = closing_of(&closed, "op");
    ck_assert_int_eq(op->earned, 840);
    ck_assert_ptr_nonnull(
        strstr(closing_lines(&b, op), "\"occurred_at\":\"2025-01-31T16:00:00Z\""));
    books_verify(&b);
    /* A cancellation learnt late: the closed months stand, what they are off by is booked in March,
     * which takes the month's own back, too. */
    books_accept(&b, "c1", CANCELLED("e2", "m1", "2025-01-20T09:00:00+08:00", ",\"amount\":35500"));
    closed = close_month("m", "2025-03");
    op = closing_of(&closed, "op");
    closing_says(op, "\"differences\":[{\"count\":1,\"earned\":-360,\"period\":\"2025-01\","
                     "\"position\":-360},{\"count\":1,\"earned\":-840,\"period\":\"2025-02\","
                     "\"position\":-840}]");
    ck_assert_int_eq(op->earned, -1200);
    ck_assert_int_eq(op->closing, 300); /* 30 % of 1,000 */
}
END_TEST

/* The file says what was bought and what stopped it: other facts give other amounts. */
START_TEST(test_inputs_tell_the_term)
{
    static const struct {
        const char *is;
        const char *forged;
        const char *why;
    } cases[] = {
        /* Of 73000 a day is 200: 30 % of 22 days. */
        {"\"paid\":36500", "\"paid\":73000", "earned is 1320, the statement says 660"},
        /* From a day later, 30 % of 21 parts of 364. */
        {"\"from\":1736438400000000", "\"from\":1736524800000000",
         "earned is 632, the statement says 660"},
        {"\"line\":0", "\"line\":99", NULL},
        /* Up to a day earlier, of 22. */
        {"\"time_zone\":\"Asia/Shanghai\",\"to\":1767974400000000",
         "\"time_zone\":\"Asia/Shanghai\",\"to\":1767888000000000",
         "earned is 662, the statement says 660"},
    };
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    const struct close_result closed = close_month("m", "2025-01");
    const struct slice file = rederive(&b, closing_of(&closed, "op"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct inputs_result result = {.why = ""};
        const char *at = strstr(file.data, cases[i].is);
        ck_assert_ptr_nonnull(at);
        const char *forged = books_text(&b, "%.*s%s%s", (int)(at - file.data), file.data,
                                        cases[i].forged, at + strlen(cases[i].is));
        const enum accord_error error = rederive_read(slice_of(forged), 4096, NULL, &result);
        ck_assert_int_eq(error == ACCORD_OK, cases[i].why != NULL);
        ck_assert(!result.agrees);
        if (cases[i].why != NULL)
            ck_assert_str_eq(result.why, cases[i].why);
        else
            ck_assert_ptr_nonnull(strstr(result.why, "/months/0: the term recognises nothing"));
    }
}
END_TEST

START_TEST(test_window_counts_learners)
{
    books_agreement(&b, "m", 1,
                    "{\"parties\":[\"op\",\"c1\"],\"collector\":\"c1\",\"scope\":{\"providers\":["
                    "\"op\"],\"channels\":[\"c1\"]},\"effective\":{\"from\":"
                    "\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
                    "\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[{\"kind\":"
                    "\"greater_of\",\"payee\":\"op\",\"share_ppm\":100000,\"amount_minor\":1000,"
                    "\"per\":\"learner\",\"window\":\"period\"},{\"kind\":\"residual\","
                    "\"payee\":\"c1\"}]}");
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    books_accept(&b, "c1", YEAR("e2", "m2", ""));
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM window_learner"), 13);
    /* One learner, two memberships: 10 % of 4,400 is less than 1,000. */
    const struct close_result closed = close_month("m", "2025-01");
    ck_assert_int_eq(closing_of(&closed, "op")->earned, 1000);
    ck_assert_int_eq(closing_of(&closed, "c1")->earned, 3400);
}
END_TEST

/* ---- other currencies, and books that somebody changed ---- */

static void put_rates(int64_t day, const char *usd, const char *cny)
{
    struct rate_row rows[] = {{.currency = {"USD"}, .rate = usd},
                              {.currency = {"CNY"}, .rate = cny}};
    struct rates_given given = {.day = day, .rates = rows, .count = 2, .reason = ""};
    books_begin(&b);
    ck_assert_int_eq(ingest_rates_put(b.tx, &given, 1, "op"), ACCORD_OK);
    books_commit(&b);
}

START_TEST(test_converted_by_month)
{
    books_agreement(&b, "m", 1, AGREED);
    const struct fact *fact = books_accept(
        &b, "c1",
        HEAD("e1", "started",
             "2025-01-09T20:00:00+08:00") "\"membership_id\":\"m1\",\"offer\":\"month\","
                                          "\"learner\":\"u1\",\"currency\":\"USD\","
                                          "\"paid\":3100,\"from\":\"2025-01-10T00:00:00+08:00\","
                                          "\"to\":"
                                          "\"2025-02-10T00:00:00+08:00\"}");
    ck_assert_int_eq(fact->held, ACCORD_HELD_NO_RATE);
    ck_assert_int_eq(of_month("gross", "no_rate", 1), 2200);
    /* Each month by the rate of its own first day, as soon as that is final. */
    put_rates(20098, "1.0000", "7.0000");
    put_rates(20099, "1.0000", "7.5000");
    ck_assert_int_eq(of_month("net", "", 1), 15400);
    ck_assert_int_eq(of_month("gross", "no_rate", 2), 900);
    books_verify(&b);
    put_rates(20120, "1.0000", "8.0000");
    put_rates(20121, "1.0000", "9.0000");
    ck_assert_int_eq(of_month("net", "", 2), 7200);
    ck_assert_int_eq(of_month("gross", "no_rate", 2), 0);
}
END_TEST

#define TAMPER(text)                                                                               \
    do {                                                                                           \
        static const struct db_sql tamper_sql = {text};                                            \
        ck_assert_int_eq(db_run(b.db, &tamper_sql, NULL, 0, 1, NULL), ACCORD_OK);                  \
    } while (0)

static int64_t differences(void)
{
    struct verify_summary summary;
    ck_assert_int_eq(ingest_verify(b.db, NULL, NULL, &summary), ACCORD_OK);
    return summary.differences;
}

START_TEST(test_verify_finds_what_was_changed)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    struct verify_summary summary;
    ck_assert_int_eq(ingest_verify(b.db, NULL, NULL, &summary), ACCORD_OK);
    ck_assert_int_eq(summary.memberships, 1);
    ck_assert_int_eq(summary.lines, 13);
    TAMPER("UPDATE entry SET gross = gross + 1 WHERE line = 3");
    ck_assert_int_gt(differences(), 0);
    TAMPER("UPDATE entry SET gross = gross - 1 WHERE line = 3");
    TAMPER("UPDATE entry_share SET amount = amount + 1 WHERE line = 12 AND payee = 'op'");
    ck_assert_int_gt(differences(), 0);
    TAMPER("UPDATE entry_share SET amount = amount - 1 WHERE line = 12 AND payee = 'op'");
    TAMPER("UPDATE entry SET line = 40 WHERE line = 12"); /* a month that is none */
    ck_assert_int_gt(differences(), 0);
    TAMPER("UPDATE entry SET line = 12 WHERE line = 40");
    TAMPER("UPDATE membership_term SET to_at = to_at - 86400000000");
    ck_assert_int_gt(differences(), 0);
    TAMPER("UPDATE membership_term SET to_at = to_at + 86400000000");
    ck_assert_int_eq(differences(), 0);
}
END_TEST

START_TEST(test_inputs_give_the_months_in_the_order_of_lines)
{
    books_agreement(&b, "m", 1, AGREED);
    books_accept(&b, "c1", YEAR("e1", "m1", ""));
    books_accept(&b, "c1", YEAR("e2", "m2", ",\"payment_fee\":365"));
    books_accept(&b, "c1", VOID("e3", "e2"));
    books_accept(&b, "c1", YEAR("e4", "m3", ",\"tax\":365"));
    struct close_result closed = close_month("m", "2025-01");
    ck_assert_int_eq(closing_of(&closed, "c1")->earned, 1540 + 1525);
    /* What was taken back whole brings no line, and no row of the inputs either. */
    books_accept(&b, "c1", VOID("e5", "e4"));
    books_accept(&b, "c1", VOID("e6", "e1"));
    closed = close_month("m", "2025-02");
    ck_assert_int_eq(closing_of(&closed, "c1")->closing, 0);
    closed = close_month("m", "2025-03");
    ck_assert_int_eq(closing_of(&closed, "op")->earned, 0);
}
END_TEST

/* ---- many ---- */

static void post_many(int count)
{
    struct buf buf;
    buf_init(&buf, 1 << 24);
    for (int i = 0; i < count; i++)
        buf_add_str(
            &buf,
            books_text(&b,
                       "{\"event_id\":\"e%d\",\"type\":\"membership.started\",\"occurred_at\":"
                       "\"2025-01-10T10:00:00Z\",\"membership_id\":\"m%d\",\"offer\":\"annual\","
                       "\"learner\":\"u%d\",\"currency\":\"CNY\",\"paid\":3100,\"from\":"
                       "\"2025-01-10T00:00:00+08:00\",\"to\":\"2025-02-10T00:00:00+08:00\"}\n",
                       i, i, i));
    buf_add_char(&buf, '\0');
    const struct fact_batch *batch = books_post(&b, "c1", buf.data);
    ck_assert_uint_eq(batch->counts[FACT_ACCEPTED], (size_t)count);
    buf_done(&buf);
}

START_TEST(test_settled_again_in_the_background)
{
    enum { MANY = 1100 };
    post_many(MANY);
    books_agreement(&b, "m", 1, AGREED);
    bool pending = false;
    ck_assert_int_eq(store_resettle_pending(b.db, &pending), ACCORD_OK);
    ck_assert(pending);
    ck_assert_int_eq(of_month("gross", "", 1), 0);
    books_verify(&b);
    /* One that is cancelled meanwhile becomes visible with the others. */
    books_accept(&b, "c1", CANCELLED("x", "m7", "2025-01-11T00:00:00+08:00", ",\"amount\":3000"));
    ck_assert_int_eq(of_month("gross", "unassigned", 1), (int64_t)MANY * 2228);
    books_idle(&b);
    ck_assert_int_eq(of_month("gross", "unassigned", 1), 0);
    ck_assert_int_eq(of_month("gross", "", 1), (int64_t)(MANY - 1) * 2200 + 100);
    ck_assert_int_eq(of_month("gross", "", 2), (int64_t)(MANY - 1) * 900);
}
END_TEST

static int next(uint32_t *state, int below)
{
    *state = *state * 1664525U + 1013904223U;
    return (int)(*state >> 8) % below;
}

/* What is recognised is what was paid and not given back, whatever happens in which order. */
START_TEST(test_conservation)
{
    uint32_t state = 12345U + (uint32_t)_i;
#define NEXT(n) next(&state, (n))
    int64_t kept = 0;
    const bool agreed = NEXT(2) == 0;
    if (agreed)
        books_agreement(&b, "m", 1, AGREED);
    for (int i = 0; i < 12; i++) {
        const int paid = NEXT(50000);
        const int days = 1 + NEXT(300);
        const int month = 1 + NEXT(6);
        const int refunded = NEXT(2) == 0 ? 0 : NEXT(paid + 1);
        const int64_t start = CLOCK_DAY_US * (first_day(month) + NEXT(28)) + NEXT(86400000);
        char from[CLOCK_TEXT_MAX];
        char to[CLOCK_TEXT_MAX];
        char at[CLOCK_TEXT_MAX];
        clock_format(start, from);
        clock_format(start + days * CLOCK_DAY_US, to);
        clock_format(start + CLOCK_DAY_US * (NEXT(days + 60) - 20), at);
        const char *term = books_text(
            &b,
            "{\"event_id\":\"e%d\",\"type\":\"membership.started\",\"occurred_at\":"
            "\"2025-01-10T10:00:00Z\",\"membership_id\":\"m%d\",\"offer\":\"annual\",\"learner\":"
            "\"u%d\",\"currency\":\"CNY\",\"paid\":%d,\"payment_fee\":%d,\"from\":\"%s\",\"to\":"
            "\"%s\"}",
            i, i, i % 3, paid, NEXT(paid + 1), from, to);
        const char *cancel = books_text(
            &b,
            "{\"event_id\":\"c%d\",\"type\":\"membership.cancelled\",\"occurred_at\":\"%s\","
            "\"membership_id\":\"m%d\",\"amount\":%d,\"fee_returned\":%d}",
            i, at, i, refunded, NEXT(100));
        const bool late = NEXT(3) != 0;
        if (refunded > 0 && !late)
            books_accept(&b, "c1", cancel);
        books_accept(&b, "c1", term);
        if (i == 6)
            books_agreement(&b, "n", 1,
                            "{\"parties\":[\"op\",\"c1\"],\"collector\":\"op\",\"scope\":{"
                            "\"courses\":[{\"provider\":\"op\",\"course_id\":\"annual\"}]},"
                            "\"effective\":{\"from\":\"2025-05-10T00:00:00Z\"},\"currency\":"
                            "\"CNY\",\"period\":{\"kind\":\"quarter\",\"time_zone\":\"UTC\"},"
                            "\"terms\":[{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
        if (refunded > 0 && late)
            books_accept(&b, "c1", cancel);
        if (agreed && (i == 3 || i == 8))
            close_month("m", i == 3 ? "2025-01" : "2025-02");
        kept += paid - refunded;
    }
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(gross) FROM entry"), kept);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(amount) FROM entry_share"),
                     NUMBER(&b, "SELECT SUM(net) FROM entry WHERE held = ''"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("memberships");
    TCase *tc = tcase_create("memberships");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, test_months);
    tcase_add_test(tc, test_tax_and_fees_by_rate);
    tcase_add_test(tc, test_trial);
    tcase_add_test(tc, test_unassigned_until_agreed);
    tcase_add_test(tc, test_next_version_covers_later_months);
    tcase_add_test(tc, test_other_agreements_do_not_cover_it);
    tcase_add_test(tc, test_cancelled);
    tcase_add_test(tc, test_more_refunded_than_is_left);
    tcase_add_test(tc, test_fees_kept_of_what_is_taken_back);
    tcase_add_test(tc, test_cancelled_before_and_after);
    tcase_add_test(tc, test_cancellation_before_its_term_is_known);
    tcase_add_test(tc, test_terms);
    tcase_add_test(tc, test_upgrade_in_the_middle_of_a_term);
    tcase_add_test(tc, test_corrected);
    tcase_add_test(tc, test_statements);
    tcase_add_test(tc, test_inputs_tell_the_term);
    tcase_add_test(tc, test_window_counts_learners);
    tcase_add_test(tc, test_converted_by_month);
    tcase_add_test(tc, test_verify_finds_what_was_changed);
    tcase_add_test(tc, test_inputs_give_the_months_in_the_order_of_lines);
    tcase_add_test(tc, test_settled_again_in_the_background);
    tcase_add_loop_test(tc, test_conservation, 0, 8);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
