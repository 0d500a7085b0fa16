/* Promoters in the books: which touch a sale is paid on, and what changes it later. */
#include "closing.h"

#include "ingest/referral.h"

static struct books b;

#define REFERRAL(terms)                                                                            \
    "{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"providers\":[\"p1\"],\"channels\":[\"c1\"]},"       \
    "\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\","                 \
    "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[" terms            \
    ",{\"kind\":\"share\",\"payee\":\"p1\",\"share_ppm\":600000},"                                 \
    "{\"kind\":\"residual\",\"payee\":\"c1\"}]}"
#define TEN_PERCENT                                                                                \
    REFERRAL("{\"kind\":\"referral\",\"levels_ppm\":[100000,50000],\"window_days\":7}")

static void setup(void)
{
    books_open(&b);
    books_partner(&b, "lin", 4);
    books_partner(&b, "wang", 4);
    books_course(&b, "p1", "python");
}

static void teardown(void)
{
    books_verify(&b);
    books_close(&b);
}

static void put_link(const char *code, const char *promoter, const char *parent, const char *own,
                     bool accepted)
{
    struct link_row row = {.channel = "c1",
                           .code = code,
                           .promoter = promoter,
                           .parent = parent,
                           .has_learner = own != NULL,
                           .created_at = 1};
    if (own != NULL)
        row.learner_lookup = referral_learner_lookup(b.config.learner_key, "c1", slice_of(own));
    books_begin(&b);
    row.accepted_at = accepted ? b.tx->now : 0;
    ck_assert_int_eq(ingest_seq(b.tx, 1, &row.seq), ACCORD_OK);
    ck_assert_int_eq(store_link_put(b.db, &row), ACCORD_OK);
    if (accepted)
        ck_assert_int_eq(ingest_link_changed(b.tx, &row), ACCORD_OK);
    books_commit(&b);
}

/* Minutes from now on, as a text. */
static const char *when(int minutes)
{
    char text[CLOCK_TEXT_MAX];
    clock_format(clock_now_us() + minutes * 60 * CLOCK_SECOND_US, text);
    return arena_strdup(b.arena, slice_of(text));
}

static const char *touch_text(const char *event, const char *link, const char *kind, int minutes)
{
    return books_text(&b,
                      "{\"event_id\":\"%s\",\"type\":\"touch\",\"provider\":\"p1\",\"course_id\":"
                      "\"python\",\"occurred_at\":\"%s\",\"learner\":"
                      "\"u1\",\"link\":\"%s\",\"kind\":\"%s\"}",
                      event, when(minutes), link, kind);
}

/* 100.00 for one course. */
static const char *sale_text(const char *order, const char *learner, int minutes)
{
    return books_text(&b,
                      "{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                      "\"learner\":\"%s\",\"order_id\":\"%s\",\"currency\":\"CNY\",\"lines\":"
                      "[{\"line_id\":\"1\",\"provider\":\"p1\",\"course_id\":\"python\","
                      "\"quantity\":1,\"paid\":10000}]}",
                      order, when(minutes), learner, order);
}

#define EARNED(payee)                                                                              \
    NUMBER(&b,                                                                                     \
           "SELECT SUM(amount) FROM rollup_share WHERE grain = 'period' AND payee = '" payee "'")

/* 10 % to the promoter, then 60 : 40 of the rest. */
static void expect_paid(int64_t lin, int64_t p1, int64_t c1)
{
    ck_assert_int_eq(EARNED("lin"), lin);
    ck_assert_int_eq(EARNED("p1"), p1);
    ck_assert_int_eq(EARNED("c1"), c1);
}

START_TEST(a_touch_before_the_sale_is_paid)
{
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", NULL, true);
    books_accept(&b, "c1", touch_text("t1", "L", "click", -60));
    books_accept(&b, "c1", sale_text("o1", "u1", -30));
    expect_paid(1000, 5400, 3600);
    /* Another learner's sale is nobody's. */
    books_accept(&b, "c1", sale_text("o2", "u2", -30));
    expect_paid(1000, 11400, 7600);
    /* A refund takes it back on the same basis: half of everything. */
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"r1\",\"type\":\"order.refunded\",\"occurred_at\":"
                            "\"%s\",\"order_id\":\"o1\",\"refund_id\":\"r1\",\"amount\":5000}",
                            when(-10)));
    expect_paid(500, 8700, 5800);
}
END_TEST

/* Touch, sale, link and agreement in whatever order: the same in the end. */
START_TEST(order_of_arrival_decides_nothing)
{
    static const char orders[][5] = {"TSLA", "TSAL", "SLAT", "ALST", "LSTA", "ASTL"};
    for (const char *step = orders[_i]; *step != '\0'; step++)
        switch (*step) {
        case 'T':
            books_accept(&b, "c1", touch_text("t1", "L", "click", -60));
            break;
        case 'S':
            books_accept(&b, "c1", sale_text("o1", "u1", -30));
            break;
        case 'L':
            put_link("L", "lin", "", NULL, true);
            break;
        default:
            books_agreement(&b, "a", 1, TEN_PERCENT);
        }
    expect_paid(1000, 5400, 3600);
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"v1\",\"type\":\"void\",\"supersedes\":\"t1\","
                            "\"occurred_at\":\"%s\"}",
                            when(-5)));
    expect_paid(0, 6000, 4000);
}
END_TEST

START_TEST(a_proposal_and_a_closed_link_do_not_count)
{
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", NULL, false);
    books_accept(&b, "c1", touch_text("t1", "L", "click", -60));
    books_accept(&b, "c1", sale_text("o1", "u1", -30));
    expect_paid(0, 6000, 4000);
    put_link("L", "lin", "", NULL, true);
    expect_paid(1000, 5400, 3600);
    /* Closed, also for what an erring clock had put behind that. */
    books_accept(&b, "c1", touch_text("t2", "L", "click", 2));
    books_accept(&b, "c1", sale_text("o2", "u1", 3));
    struct link_row row;
    bool found;
    books_begin(&b);
    ck_assert_int_eq(store_link_get(b.db, b.arena, "c1", "L", &row, &found), ACCORD_OK);
    row.closed_at = b.tx->now - 20 * 60 * CLOCK_SECOND_US;
    ck_assert_int_eq(store_link_put(b.db, &row), ACCORD_OK);
    ck_assert_int_eq(ingest_link_changed(b.tx, &row), ACCORD_OK);
    books_commit(&b);
    ck_assert_int_eq(EARNED("lin"), 2000); /* the first touch still counts for both */
    ck_assert_int_eq(link_state_of(&row), LINK_CLOSED);
}
END_TEST

START_TEST(nobody_is_paid_for_what_it_buys_itself)
{
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", "u1", true);
    books_accept(&b, "c1", touch_text("t1", "L", "click", -60));
    books_accept(&b, "c1", sale_text("o1", "u1", -30));
    expect_paid(0, 6000, 4000);
}
END_TEST

/* The learner of a second link says so of the first, too. */
START_TEST(a_later_link_tells_who_the_promoter_is)
{
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", NULL, true);
    books_accept(&b, "c1", touch_text("t1", "L", "click", -60));
    books_accept(&b, "c1", sale_text("o1", "u1", -30));
    expect_paid(1000, 5400, 3600);
    put_link("M", "lin", "", "u1", true);
    expect_paid(0, 6000, 4000);
}
END_TEST

DB_SQL(suspend, "INSERT INTO partner_state (partner, from_at, state) VALUES ($1, $2, $3)");

START_TEST(a_suspended_promoter_earns_nothing_from_then_on)
{
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", NULL, true);
    books_accept(&b, "c1", touch_text("t1", "L", "click", -60));
    books_accept(&b, "c1", sale_text("o1", "u1", -30));
    books_accept(&b, "c1", sale_text("o2", "u1", -10));
    expect_paid(2000, 10800, 7200);
    const instant_us from = clock_now_us() - 20 * 60 * CLOCK_SECOND_US;
    const struct db_value values[] = {db_str("lin"), db_int(from), db_str("suspended")};
    books_begin(&b);
    ck_assert_int_eq(db_run(b.db, &suspend, values, 3, 1, NULL), ACCORD_OK);
    ck_assert_int_eq(ingest_promoter_changed(b.tx, "lin", from), ACCORD_OK);
    books_commit(&b);
    expect_paid(1000, 5400 + 6000, 3600 + 4000);
}
END_TEST

START_TEST(a_coupon_beats_a_later_click)
{
    books_agreement(&b, "a", 1,
                    REFERRAL("{\"kind\":\"referral\",\"levels_ppm\":[100000],\"window_days\":7,"
                             "\"coupon_beats_click\":true}"));
    put_link("L", "lin", "", NULL, true);
    put_link("W", "wang", "", NULL, true);
    books_accept(&b, "c1", touch_text("t1", "L", "coupon", -60));
    books_accept(&b, "c1", touch_text("t2", "W", "click", -50));
    books_accept(&b, "c1", sale_text("o1", "u1", -30));
    expect_paid(1000, 5400, 3600);
    ck_assert_int_eq(EARNED("wang"), 0);
}
END_TEST

/* Wang brought by Lin: 10 % and 5 %, the rest 60 : 40. */
START_TEST(two_levels)
{
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", NULL, true);
    put_link("W", "wang", "lin", NULL, true);
    books_accept(&b, "c1", touch_text("t1", "W", "click", -60));
    books_accept(&b, "c1", sale_text("o1", "u1", -30));
    ck_assert_int_eq(EARNED("wang"), 1000);
    expect_paid(500, 5100, 3400);
}
END_TEST

/* The provider promotes its own course: both amounts are its. */
START_TEST(a_provider_may_be_the_promoter)
{
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("P", "p1", "", NULL, true);
    books_accept(&b, "c1", touch_text("t1", "P", "share", -60));
    books_accept(&b, "c1", sale_text("o1", "u1", -30));
    expect_paid(0, 6400, 3600);
}
END_TEST

/* Two days, to the microsecond. */
START_TEST(the_edge_of_the_window)
{
    books_agreement(&b, "a", 1,
                    REFERRAL("{\"kind\":\"referral\",\"levels_ppm\":[100000],\"window_days\":2}"));
    put_link("L", "lin", "", NULL, true);
    const instant_us touched = clock_now_us() - CLOCK_DAY_US * 5 / 2;
    const instant_us sold = touched + 2 * CLOCK_DAY_US + _i;
    char touch_at[CLOCK_TEXT_MAX];
    char sold_at[CLOCK_TEXT_MAX];
    clock_format(touched, touch_at);
    clock_format(sold, sold_at);
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"t\",\"type\":\"touch\",\"provider\":\"p1\",\"course_"
                            "id\":\"python\",\"occurred_at\":\"%s\","
                            "\"learner\":\"u1\",\"link\":\"L\"}",
                            touch_at));
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"o\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                            "\"learner\":\"u1\",\"order_id\":\"o\",\"currency\":\"CNY\",\"lines\":"
                            "[{\"line_id\":\"1\",\"provider\":\"p1\",\"course_id\":\"python\","
                            "\"quantity\":1,\"paid\":10000}]}",
                            sold_at));
    expect_paid(_i == 0 ? 1000 : 0, _i == 0 ? 5400 : 6000, _i == 0 ? 3600 : 4000);
}
END_TEST

START_TEST(a_touch_of_more_than_three_days_is_refused)
{
    books_refuse(&b, "c1", touch_text("t1", "L", "click", -72 * 60 - 1), ACCORD_E_TOUCH_TOO_LATE,
                 "/occurred_at");
}
END_TEST

/* ---- a touch that a sale names ---- */

/* 100.00, sold by a link; `more`: members that end with a comma, or "". */
static const char *linked_sale(const char *event, const char *order, const char *more,
                               const char *link, int minutes)
{
    return books_text(&b,
                      "{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\",%s"
                      "\"touch\":\"%s\",\"order_id\":\"%s\",\"currency\":\"CNY\",\"lines\":"
                      "[{\"line_id\":\"1\",\"provider\":\"p1\",\"course_id\":\"python\","
                      "\"quantity\":1,\"paid\":10000}]}",
                      event, when(minutes), more, link, order);
}

/* Sale, link and agreement in whatever order, of a buyer who is known or not. */
START_TEST(a_sale_names_its_link)
{
    static const char orders[][4] = {"SLA", "SAL", "LSA", "LAS", "ASL", "ALS"};
    const char *learner = _i < 6 ? "" : "\"learner\":\"u1\",";
    for (const char *step = orders[_i % 6]; *step != '\0'; step++)
        switch (*step) {
        case 'S':
            books_accept(&b, "c1", linked_sale("o1", "o1", learner, "L", -30));
            break;
        case 'L':
            put_link("L", "lin", "", NULL, true);
            break;
        default:
            books_agreement(&b, "a", 1, TEN_PERCENT);
        }
    expect_paid(1000, 5400, 3600);
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"v1\",\"type\":\"void\",\"supersedes\":\"o1\","
                            "\"occurred_at\":\"%s\"}",
                            when(-5)));
    expect_paid(0, 0, 0);
}
END_TEST

/* It is the buyer's as any other: the last one wins, and it counts for what the buyer buys later.
 */
START_TEST(it_counts_for_all_sales_of_its_buyer)
{
    static const char orders[][5] = {"TAB", "TBA", "ABT", "BAT", "ATB", "BTA"};
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", NULL, true);
    put_link("W", "wang", "", NULL, true);
    for (const char *step = orders[_i]; *step != '\0'; step++)
        switch (*step) {
        case 'T':
            books_accept(&b, "c1", touch_text("t1", "W", "click", -60));
            break;
        case 'A':
            books_accept(&b, "c1", linked_sale("a", "a", "\"learner\":\"u1\",", "L", -30));
            break;
        default:
            books_accept(&b, "c1", sale_text("b", "u1", -10));
        }
    expect_paid(2000, 10800, 7200);
    ck_assert_int_eq(EARNED("wang"), 0);
    /* Voided: the later sale is the click's. */
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"v1\",\"type\":\"void\",\"supersedes\":\"a\","
                            "\"occurred_at\":\"%s\"}",
                            when(-5)));
    expect_paid(0, 5400, 3600);
    ck_assert_int_eq(EARNED("wang"), 1000);
}
END_TEST

START_TEST(a_correction_names_another_link_or_none)
{
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", NULL, true);
    put_link("W", "wang", "", NULL, true);
    books_accept(&b, "c1", linked_sale("o1", "o1", "\"learner\":\"u1\",", "L", -30));
    books_accept(&b, "c1", sale_text("o2", "u1", -10));
    expect_paid(2000, 10800, 7200);
    books_accept(&b, "c1",
                 linked_sale("o1b", "o1", "\"learner\":\"u1\",\"supersedes\":\"o1\",", "W", -30));
    expect_paid(0, 10800, 7200);
    ck_assert_int_eq(EARNED("wang"), 2000);
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"o1c\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                            "\"learner\":\"u1\",\"supersedes\":\"o1b\",\"order_id\":\"o1\","
                            "\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":"
                            "\"p1\",\"course_id\":\"python\",\"quantity\":1,\"paid\":10000}]}",
                            when(-30)));
    expect_paid(0, 12000, 8000);
    ck_assert_int_eq(EARNED("wang"), 0);
}
END_TEST

START_TEST(what_a_touch_may_not_the_one_of_a_sale_may_not)
{
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", "u1", true);
    /* Its own purchase; of a buyer who is not known nobody can say so. */
    books_accept(&b, "c1", linked_sale("o1", "o1", "\"learner\":\"u1\",", "L", -30));
    expect_paid(0, 6000, 4000);
    books_accept(&b, "c1", linked_sale("o2", "o2", "", "L", -10));
    expect_paid(1000, 11400, 7600);
    /* Suspended before it. */
    const instant_us from = clock_now_us() - 20 * 60 * CLOCK_SECOND_US;
    const struct db_value values[] = {db_str("lin"), db_int(from), db_str("suspended")};
    books_begin(&b);
    ck_assert_int_eq(db_run(b.db, &suspend, values, 3, 1, NULL), ACCORD_OK);
    ck_assert_int_eq(ingest_promoter_changed(b.tx, "lin", from), ACCORD_OK);
    books_commit(&b);
    expect_paid(0, 12000, 8000);
    /* Closed before it. */
    put_link("W", "wang", "", NULL, true);
    books_accept(&b, "c1", linked_sale("o3", "o3", "", "W", -10));
    ck_assert_int_eq(EARNED("wang"), 1000);
    struct link_row row;
    bool found;
    books_begin(&b);
    ck_assert_int_eq(store_link_get(b.db, b.arena, "c1", "W", &row, &found), ACCORD_OK);
    row.closed_at = b.tx->now - 20 * 60 * CLOCK_SECOND_US;
    ck_assert_int_eq(ingest_seq(b.tx, 1, &row.seq), ACCORD_OK);
    ck_assert_int_eq(store_link_put(b.db, &row), ACCORD_OK);
    ck_assert_int_eq(ingest_link_changed(b.tx, &row), ACCORD_OK);
    books_commit(&b);
    ck_assert_int_eq(EARNED("wang"), 0);
}
END_TEST

/* Three days: only what a correction leaves as it was is older. */
START_TEST(the_touch_of_a_sale_may_be_too_late)
{
    enum { JUST = -72 * 60 + 1, LATE = -72 * 60 - 1 };
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", NULL, true);
    books_refuse(&b, "c1", linked_sale("o1", "o1", "", "L", LATE), ACCORD_E_TOUCH_TOO_LATE,
                 "/touch");
    books_accept(&b, "c1", linked_sale("o1", "o1", "", "L", JUST));
    books_refuse(&b, "c1", linked_sale("o2", "o1", "\"supersedes\":\"o1\",", "M", LATE),
                 ACCORD_E_TOUCH_TOO_LATE, "/touch");
    books_refuse(
        &b, "c1",
        linked_sale("o2", "o1", "\"supersedes\":\"o1\",\"touch_kind\":\"coupon\",", "L", LATE),
        ACCORD_E_TOUCH_TOO_LATE, "/touch");
    books_accept(&b, "c1", linked_sale("o2", "o1", "\"supersedes\":\"o1\",", "L", LATE));
    expect_paid(1000, 5400, 3600);
    /* The same within one request. */
    const struct fact_batch *batch = books_post(
        &b, "c1",
        books_text(
            &b, "[%s,%s]", linked_sale("o3", "o3", "\"touch_kind\":\"share\",", "L", JUST),
            linked_sale("o4", "o3", "\"supersedes\":\"o3\",\"touch_kind\":\"share\",", "L", LATE)));
    ck_assert_int_eq(batch->facts[1].status, FACT_ACCEPTED);
    expect_paid(2000, 10800, 7200);
}
END_TEST

START_TEST(it_is_a_click_unless_said)
{
    put_link("L", "lin", "", NULL, true);
    const char *at = when(-30);
    static const char *const kinds[] = {"", "\"touch_kind\":\"click\",",
                                        "\"touch_kind\":\"coupon\","};
    static const enum fact_status want[] = {FACT_ACCEPTED, FACT_DUPLICATE, FACT_CONFLICT};
    for (size_t i = 0; i < 3; i++) {
        const struct fact_batch *batch = books_post(
            &b, "c1",
            books_text(&b,
                       "[{\"event_id\":\"o1\",\"type\":\"order.paid\",\"occurred_at\":\"%s\",%s"
                       "\"touch\":\"L\",\"order_id\":\"o1\",\"currency\":\"CNY\",\"lines\":"
                       "[{\"line_id\":\"1\",\"provider\":\"p1\",\"course_id\":\"python\","
                       "\"quantity\":1,\"paid\":10000}]}]",
                       at, kinds[i]));
        ck_assert_int_eq(batch->facts[0].status, want[i]);
    }
}
END_TEST

/* More sales than are settled at once. */
START_TEST(an_accepted_link_settles_many_in_the_background)
{
    enum { SALES = RESETTLE_AT_ONCE_MAX + 5 };
    books_agreement(&b, "a", 1, TEN_PERCENT);
    put_link("L", "lin", "", NULL, false);
    books_accept(&b, "c1", touch_text("t1", "L", "click", -60));
    struct buf batch;
    buf_init(&batch, 1 << 22);
    for (int i = 0; i < SALES; i++) {
        buf_add_str(&batch, i == 0 ? "[" : ",");
        buf_add_str(&batch, sale_text(books_text(&b, "o%d", i), "u1", -30));
    }
    buf_add_str(&batch, "]");
    books_post(&b, "c1", arena_strdup(b.arena, buf_slice(&batch)));
    buf_done(&batch);
    expect_paid(0, 6000 * SALES, 4000 * SALES);
    put_link("L", "lin", "", NULL, true);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM resettle"), SALES);
    books_idle(&b);
    expect_paid(1000 * SALES, 5400 * SALES, 3600 * SALES);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("referral");
    TCase *all = tcase_create("referral");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_set_timeout(all, 120);
    tcase_add_test(all, a_touch_before_the_sale_is_paid);
    tcase_add_loop_test(all, order_of_arrival_decides_nothing, 0, 6);
    tcase_add_test(all, a_proposal_and_a_closed_link_do_not_count);
    tcase_add_test(all, nobody_is_paid_for_what_it_buys_itself);
    tcase_add_test(all, a_later_link_tells_who_the_promoter_is);
    tcase_add_test(all, a_suspended_promoter_earns_nothing_from_then_on);
    tcase_add_test(all, a_coupon_beats_a_later_click);
    tcase_add_test(all, two_levels);
    tcase_add_test(all, a_provider_may_be_the_promoter);
    tcase_add_loop_test(all, the_edge_of_the_window, 0, 2);
    tcase_add_test(all, a_touch_of_more_than_three_days_is_refused);
    tcase_add_loop_test(all, a_sale_names_its_link, 0, 12);
    tcase_add_loop_test(all, it_counts_for_all_sales_of_its_buyer, 0, 6);
    tcase_add_test(all, a_correction_names_another_link_or_none);
    tcase_add_test(all, what_a_touch_may_not_the_one_of_a_sale_may_not);
    tcase_add_test(all, the_touch_of_a_sale_may_be_too_late);
    tcase_add_test(all, it_is_a_click_unless_said);
    tcase_add_test(all, an_accepted_link_settles_many_in_the_background);
    suite_add_tcase(suite, all);
    return suite;
}

UNIT_MAIN(make_suite)
