/* Offers sold as a whole, in the books: what the offer makes of them, whenever it comes. */
#include "closing.h"

#include "ingest/bundles.h"
#include "store/offers.h"

static struct books b;

static void setup(void)
{
    books_open(&b);
    books_course(&b, "p1", "x");
    books_course(&b, "p1", "y");
    books_course(&b, "p1", "z");
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
}

static void teardown(void)
{
    books_verify(&b);
    books_close(&b);
}

static void put_offer(int64_t version, const char *kind, const char *from,
                      const struct offer_item_row *items, size_t count)
{
    struct offer_row row = {
        .channel = "c1", .offer = "pack", .version = version, .kind = kind, .body = SLICE("{}")};
    ck_assert_int_eq(clock_parse(slice_of(from), &row.from_at), ACCORD_OK);
    books_begin(&b);
    ck_assert_int_eq(ingest_seq(b.tx, 1, &row.seq), ACCORD_OK);
    ck_assert_int_eq(store_offer_insert(b.db, &row, items, count), ACCORD_OK);
    ck_assert_int_eq(ingest_offer_changed(b.tx, "c1", "pack", row.from_at), ACCORD_OK);
    books_commit(&b);
}

/* List prices of 199, 99 and 99. */
static void put_pack(void)
{
    const struct offer_item_row items[] = {{SLICE("p1"), SLICE("x"), 19900},
                                           {SLICE("p1"), SLICE("y"), 9900},
                                           {SLICE("p1"), SLICE("z"), 9900}};
    put_offer(1, "bundle", "2025-01-01T00:00:00Z", items, 3);
}

/* 299.00, of which 1.00 went to the payment service. */
#define SALE                                                                                       \
    "{\"event_id\":\"e1\",\"type\":\"order.paid\",\"occurred_at\":\"2025-01-10T00:00:00Z\","       \
    "\"order_id\":\"o1\",\"currency\":\"CNY\",\"offer\":\"pack\",\"paid\":29900,"                  \
    "\"payment_fee\":100}"

#define LINE(column, course)                                                                       \
    NUMBER(&b, "SELECT SUM(" column ") FROM rollup WHERE grain = 'course' AND held = '' AND "      \
               "course_id = '" course "'")
#define HELD                                                                                       \
    NUMBER(&b, "SELECT SUM(gross) FROM rollup WHERE grain = 'period' AND held = 'unmatched'")
#define EARNED(payee)                                                                              \
    NUMBER(&b,                                                                                     \
           "SELECT SUM(amount) FROM rollup_share WHERE grain = 'period' AND payee = '" payee "'")

/* 149.88, 74.56 and 74.56, of which the fee takes 50, 25 and 25; p1 gets 60 % of the rest of each:
 * 8963 (8962.8), 4459 (4458.6) and 4459. */
static void expect_divided(void)
{
    ck_assert_int_eq(LINE("gross", "x"), 14988);
    ck_assert_int_eq(LINE("gross", "y"), 7456);
    ck_assert_int_eq(LINE("gross", "z"), 7456);
    ck_assert_int_eq(EARNED("p1"), 8963 + 4459 + 4459);
    ck_assert_int_eq(EARNED("c1"), 5975 + 2972 + 2972);
    ck_assert_int_eq(HELD, 0);
}

START_TEST(an_offer_that_is_known)
{
    put_pack();
    ck_assert_int_eq(books_accept(&b, "c1", SALE)->held, ACCORD_HELD_NOT);
    expect_divided();
}
END_TEST

START_TEST(an_offer_that_comes_later)
{
    ck_assert_int_eq(books_accept(&b, "c1", SALE)->held, ACCORD_HELD_UNMATCHED);
    ck_assert_int_eq(HELD, 29900);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM unmatched_line"), 1);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM partner_version WHERE partner = ''"), 0);
    books_verify(&b);
    put_pack();
    expect_divided();
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM unmatched_line"), 0);
}
END_TEST

/* Lines wait for a course of the bundle, and are found when it comes. */
START_TEST(a_course_that_comes_later)
{
    const struct offer_item_row items[] = {{SLICE("p1"), SLICE("x"), 1},
                                           {SLICE("p1"), SLICE("late"), 1}};
    books_accept(&b, "c1", SALE);
    put_offer(1, "bundle", "2025-01-01T00:00:00Z", items, 2);
    ck_assert_int_eq(LINE("gross", "x"), 14950);
    ck_assert_int_eq(HELD, 14950);
    books_verify(&b);
    books_course(&b, "p1", "late");
    ck_assert_int_eq(LINE("gross", "late"), 14950);
    ck_assert_int_eq(HELD, 0);
}
END_TEST

DB_SQL(withdraw, "UPDATE course SET state = 'withdrawn' WHERE provider = $1 AND course_id = $2");

START_TEST(a_withdrawn_course_still_settles)
{
    const struct db_value course[] = {db_str("p1"), db_str("y")};
    put_pack();
    books_begin(&b);
    ck_assert_int_eq(db_run(b.db, &withdraw, course, 2, 1, NULL), ACCORD_OK);
    books_commit(&b);
    books_accept(&b, "c1", SALE);
    expect_divided();
}
END_TEST

/* A version applies from its beginning on; an offer of another kind is none of courses. */
START_TEST(the_version_of_the_time)
{
    const struct offer_item_row items[] = {{SLICE("p1"), SLICE("x"), 1},
                                           {SLICE("p1"), SLICE("y"), 1}};
    books_accept(&b, "c1", SALE);
    put_pack();
    put_offer(2, "bundle", "2025-01-10T00:00:01Z", items, 2);
    expect_divided();
    put_offer(3, "membership", "2025-02-01T00:00:00Z", items, 2);
    const char *later = books_text(
        &b,
        "{\"event_id\":\"e2\",\"type\":\"order.paid\",\"occurred_at\":\"%s\",\"order_id\":"
        "\"o2\",\"currency\":\"CNY\",\"offer\":\"pack\",\"paid\":100}",
        "2025-02-01T00:00:00Z");
    ck_assert_int_eq(books_accept(&b, "c1", later)->held, ACCORD_HELD_UNMATCHED);
    ck_assert_int_eq(HELD, 100);
}
END_TEST

/* What was closed stays as it is when a version comes that has fewer courses. */
START_TEST(a_version_after_the_close)
{
    const struct offer_item_row items[] = {{SLICE("p1"), SLICE("x"), 1},
                                           {SLICE("p1"), SLICE("y"), 1}};
    put_pack();
    books_accept(&b, "c1", SALE);
    const struct close_result january = closing_do(&b, "a", "2025-01");
    struct statement_row closed = *closing_of(&january, "p1");
    closed.agreement = "a";
    const char *before = closing_lines(&b, &closed);
    put_offer(2, "bundle", "2025-01-05T00:00:00Z", items, 2);
    ck_assert_str_eq(closing_lines(&b, &closed), before);
    ck_assert_int_eq(LINE("gross", "x"), 14950);
    ck_assert_int_eq(LINE("gross", "z"), 0);
    books_verify(&b);
    /* 14900 each: 60 % are 8940; all of it less what was paid already. */
    const struct close_result february = closing_do(&b, "a", "2025-02");
    ck_assert_int_eq(closing_of(&february, "p1")->earned, 2 * 8940 - 17881);
    ck_assert_int_eq(closing_of(&february, "p1")->closing, 2 * 8940);
}
END_TEST

/* A signature comes last: sales of whole offers are found like others. */
START_TEST(an_agreement_that_comes_later)
{
    const struct offer_item_row items[] = {{SLICE("p2"), SLICE("q"), 1},
                                           {SLICE("p1"), SLICE("x"), 1}};
    books_course(&b, "p2", "q");
    put_offer(1, "bundle", "2025-01-01T00:00:00Z", items, 2);
    ck_assert_int_eq(books_accept(&b, "c1", SALE)->held, ACCORD_HELD_UNASSIGNED);
    ck_assert_int_eq(EARNED("p2"), 0);
    books_agreement(&b, "b", 1,
                    "{\"parties\":[\"p2\",\"c1\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":"
                    "[\"c1\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},"
                    "\"currency\":\"CNY\",\"terms\":[{\"kind\":\"residual\",\"payee\":\"p2\"}]}");
    ck_assert_int_eq(EARNED("p2"), 14950 - 50);
}
END_TEST

static const char *refund(const char *what)
{
    return books_text(&b,
                      "{\"event_id\":\"r1\",\"type\":\"order.refunded\",\"occurred_at\":"
                      "\"2025-01-20T00:00:00Z\",\"order_id\":\"o1\",\"refund_id\":\"r1\",%s}",
                      what);
}

/* Of one line by its rank, or of the whole, before or after the offer is known. The fee is kept:
 * what is left below zero is borne 60 to 40. */
START_TEST(refunds)
{
    const bool before = (_i & 1) != 0;
    const bool whole = (_i & 2) != 0;
    const char *what =
        whole ? "\"amount\":29900" : "\"lines\":[{\"line_id\":\"1\",\"amount\":7456}]";
    if (!before)
        put_pack();
    books_accept(&b, "c1", SALE);
    books_accept(&b, "c1", refund(what));
    if (before)
        put_pack();
    ck_assert_int_eq(LINE("refunded", "y"), 7456);
    ck_assert_int_eq(LINE("refunded", "x"), whole ? 14988 : 0);
    ck_assert_int_eq(EARNED("p1"), whole ? -60 : 8963 + 4459 - 15);
    ck_assert_int_eq(EARNED("c1"), whole ? -40 : 5975 + 2972 - 10);
}
END_TEST

START_TEST(what_a_sale_may_not_say)
{
#define HEAD                                                                                       \
    "{\"event_id\":\"e1\",\"type\":\"order.paid\",\"occurred_at\":\"2025-01-10T00:00:00Z\","       \
    "\"order_id\":\"o1\",\"currency\":\"CNY\","
    books_refuse(&b, "c1", HEAD "\"offer\":\"pack\"}", ACCORD_E_FIELD_MISSING, "/lines");
    books_refuse(&b, "c1", HEAD "\"paid\":100}", ACCORD_E_FIELD_MISSING, "/offer");
    books_refuse(&b, "c1", HEAD "\"paid\":100,\"offer\":\"No slug\"}", ACCORD_E_SLUG_INVALID,
                 "/offer");
    books_refuse(&b, "c1",
                 HEAD "\"paid\":100,\"offer\":\"pack\",\"lines\":[{\"line_id\":\"1\","
                      "\"provider\":\"p1\",\"course_id\":\"x\",\"quantity\":1,\"paid\":1}]}",
                 ACCORD_E_FIELD_UNKNOWN, "/paid");
}
END_TEST

/* A correction of the price, and one into lines; then it is taken back. */
START_TEST(corrections)
{
    put_pack();
    books_accept(&b, "c1", SALE);
    books_accept(&b, "c1",
                 "{\"event_id\":\"e2\",\"type\":\"order.paid\",\"occurred_at\":"
                 "\"2025-01-10T00:00:00Z\",\"order_id\":\"o1\",\"currency\":\"CNY\",\"offer\":"
                 "\"pack\",\"paid\":39700,\"supersedes\":\"e1\"}");
    ck_assert_int_eq(LINE("gross", "x"), 19900);
    books_accept(&b, "c1",
                 "{\"event_id\":\"e3\",\"type\":\"order.paid\",\"occurred_at\":"
                 "\"2025-01-10T00:00:00Z\",\"order_id\":\"o1\",\"currency\":\"CNY\",\"offer\":"
                 "\"pack\",\"lines\":[{\"line_id\":\"1\",\"provider\":\"p1\",\"course_id\":\"x\","
                 "\"quantity\":1,\"paid\":5}],\"supersedes\":\"e2\"}");
    ck_assert_int_eq(LINE("gross", "x"), 5);
    ck_assert_int_eq(LINE("gross", "y"), 0);
    books_accept(&b, "c1",
                 "{\"event_id\":\"v\",\"type\":\"void\",\"supersedes\":\"e3\",\"occurred_at\":"
                 "\"2025-01-11T00:00:00Z\"}");
    ck_assert_int_eq(EARNED("p1"), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("bundles");
    TCase *all = tcase_create("bundles");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, an_offer_that_is_known);
    tcase_add_test(all, an_offer_that_comes_later);
    tcase_add_test(all, a_course_that_comes_later);
    tcase_add_test(all, a_withdrawn_course_still_settles);
    tcase_add_test(all, the_version_of_the_time);
    tcase_add_test(all, a_version_after_the_close);
    tcase_add_test(all, an_agreement_that_comes_later);
    tcase_add_loop_test(all, refunds, 0, 4);
    tcase_add_test(all, what_a_sale_may_not_say);
    tcase_add_test(all, corrections);
    suite_add_tcase(suite, all);
    return suite;
}

UNIT_MAIN(make_suite)
