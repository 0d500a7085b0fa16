/* Hard cases of terms: windows and policies at their edges, in closed books. Cents are computed by
 * hand in the comments. */
#include "hard.h"

#define TIER_60_70                                                                                 \
    "{\"kind\":\"tiered\",\"payee\":\"p2\",\"metric\":\"net\",\"mode\":\"marginal\","              \
    "\"window\":\"year\",\"steps\":[{\"from\":0,\"share_ppm\":600000},"                            \
    "{\"from\":1000000,\"share_ppm\":700000}]},"
#define FIVE_THOUSAND                                                                              \
    "{\"kind\":\"guarantee\",\"payee\":\"p2\",\"funded_by\":\"c1\",\"amount_minor\":500000,"       \
    "\"window\":\"period\",\"recoup\":\"future\"},"

/* 60 % of the year's first 10,000.00, then 70 %: 9,950.00 in January; of 100.00 in February one
 * half lies below: 30.00 + 35.00. With 100.00 of January back, all of February is 60 %. */
START_TEST(tier_boundary_inside_one_line)
{
    books_agreement(&b, "z", 1, HARD_P2_C1("", TIER_60_70));
    hard_sell("o1", "2025-01-10", "go", 995000, "");
    struct close_result closed = closing_do(&b, "z", "2025-01");
    hard_expect(&closed, "p2", 597000, 597000);
    hard_sell("o2", "2025-02-10", "go", 10000, "");
    closed = closing_do(&b, "z", "2025-02");
    hard_expect(&closed, "p2", 6500, 603500);
    ck_assert_ptr_nonnull(strstr(closing_lines(&b, closing_of(&closed, "p2")),
                                 "{\"earned\":6500,\"kind\":\"tiered\","));
    hard_expect(&closed, "c1", 3500, -603500);
    hard_refund("o1", "r", "2025-03-10", 10000);
    closed = closing_do(&b, "z", "2025-03");
    hard_expect(&closed, "p2", -6000 - 500, 597000);
    closing_says(closing_of(&closed, "p2"),
                 "\"differences\":[{\"count\":3,\"earned\":-6000,\"period\":\"2025-01\","
                 "\"position\":-6000},{\"count\":2,\"earned\":-500,\"period\":\"2025-02\","
                 "\"position\":-500}]");
}
END_TEST

/* In force from the 22nd: 10 of January's 31 days of 5,000.00 are 1,612.90; 500.00 are earned. In
 * February 6,500.00, of which what was topped up comes back: 1,112.90. */
START_TEST(guarantee_with_a_part_month)
{
    books_agreement(&b, "z", 1,
                    "{\"parties\":[\"p2\",\"c1\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":["
                    "\"c1\"]},\"effective\":{\"from\":\"2025-01-22T00:00:00+08:00\"},\"currency\":"
                    "\"CNY\",\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"
                    "\"terms\":[" HARD_SHARE("p2", "500000") FIVE_THOUSAND
                    "{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
    hard_sell("o1", "2025-01-25", "go", 100000, "");
    struct close_result closed = closing_do(&b, "z", "2025-01");
    hard_expect(&closed, "p2", 161290, 161290);
    hard_expect(&closed, "c1", 50000 - 111290, -161290);
    hard_sell("o2", "2025-02-10", "go", 1300000, "");
    closed = closing_do(&b, "z", "2025-02");
    hard_expect(&closed, "p2", 650000 - 111290, 700000);
}
END_TEST

/* 3,200.00 earned of 5,000.00: 1,800.00 on top. Then 6,500.00: 1,500.00 come back, 5,000.00 are
 * paid. Of 5,500.00 in March the last 300.00 come back. Then January's sale is refunded: it is
 * topped up with 5,000.00, of which February's 1,500.00, March's 500.00 and April's 2,000.00 come
 * back. */
START_TEST(guarantee_and_recoupment)
{
    books_agreement(&b, "z", 1, HARD_P2_C1("", HARD_SHARE("p2", "500000") FIVE_THOUSAND));
    hard_sell("o1", "2025-01-10", "go", 640000, "");
    struct close_result closed = closing_do(&b, "z", "2025-01");
    hard_expect(&closed, "p2", 500000, 500000);
    hard_sell("o2", "2025-02-10", "go", 1300000, "");
    closed = closing_do(&b, "z", "2025-02");
    hard_expect(&closed, "p2", 500000, 1000000);
    hard_sell("o3", "2025-03-10", "go", 1100000, "");
    closed = closing_do(&b, "z", "2025-03");
    hard_expect(&closed, "p2", 520000, 1520000);
    hard_refund("o1", "r", "2025-04-10", 640000);
    hard_sell("o4", "2025-04-11", "go", 1400000, "");
    closed = closing_do(&b, "z", "2025-04");
    /* 6,500 + 5,500 + 7,000 + 5,000 - 1,500 - 500 - 2,000 */
    hard_expect(&closed, "p2", 480000, 2000000);
}
END_TEST

/* A coupon of 100 %: nothing is paid, so there is nothing that a commission of a line could be
 * taken of; the line waits, visibly, for somebody to decide. */
START_TEST(full_coupon_cpa_of_a_line_is_held)
{
    books_agreement(&b, "z", 1,
                    HARD_P2_C1("", "{\"kind\":\"cpa\",\"payee\":\"p2\",\"amount_minor\":500,"
                                   "\"per\":\"line\"},"));
    const struct fact *fact = hard_sell(
        "o1", "2025-01-10", "go", 0, ",\"discounts\":[{\"amount\":19900,\"funder\":\"channel\"}]");
    ck_assert_int_eq(fact->held, ACCORD_HELD_OVER_ALLOCATED);
    const struct close_result closed = closing_do(&b, "z", "2025-01");
    hard_expect(&closed, "p2", 0, 0);
    closing_says(closing_of(&closed, "p2"), "\"held\":[{\"currency\":\"CNY\",\"gross\":0,"
                                            "\"lines\":1,\"reason\":\"over_allocated\"}]");
}
END_TEST

/* ... but it is due where the channel is charged for its coupon: 5.00, 60 % of 194.00, and the rest
 * less 199.00; and where commissions are settled per period: the residual pays them. */
START_TEST(full_coupon_cpa_still_due)
{
    books_agreement(&b, "z", 1,
                    _i == 0
                        ? HARD_P2_C1("\"base\":{\"discounts\":{\"channel\":\"add_back\"}},",
                                     "{\"kind\":\"cpa\",\"payee\":\"p2\",\"amount_minor\":500,"
                                     "\"per\":\"line\"}," HARD_SHARE("p2", "600000"))
                        : HARD_P2_C1("", "{\"kind\":\"cpa\",\"payee\":\"p2\",\"amount_minor\":500,"
                                         "\"per\":\"line\",\"cap_minor\":10000},"));
    hard_sell("o1", "2025-01-10", "go", 0,
              ",\"discounts\":[{\"amount\":19900,\"funder\":\"channel\"}]");
    const int64_t due = _i == 0 ? 500 + 11640 : 500;
    const struct close_result closed = closing_do(&b, "z", "2025-01");
    hard_expect(&closed, "p2", due, due);
    hard_expect(&closed, "c1", -due, -due);
    closing_says(closing_of(&closed, "p2"), "\"held\":[]");
}
END_TEST

/* 60 % until the 15th, 70 % from the 16th of January, Shanghai; a refund follows its sale. */
START_TEST(agreement_changes_mid_period)
{
    books_agreement(
        &b, "a", 2,
        "{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"providers\":[\"p1\"],\"channels\":["
        "\"c1\"]},\"effective\":{\"from\":\"2025-01-16T00:00:00+08:00\"},\"currency\":"
        "\"CNY\",\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"
        "\"terms\":[" HARD_SHARE("p1", "700000") "{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
    books_accept(&b, "c1",
                 hard_order("e1", "o1", "2025-01-15T23:59:59+08:00", "CNY", "python", 10000, ""));
    books_accept(&b, "c1",
                 hard_order("e2", "o2", "2025-01-16T00:00:00+08:00", "CNY", "python", 10000, ""));
    struct close_result closed = closing_do(&b, "a", "2025-01");
    hard_expect(&closed, "p1", 13000, 13000);
    closing_says(closing_of(&closed, "p1"), "\"versions\":[1,2]");
    hard_refund("o1", "r", "2025-02-10", 5000);
    hard_refund("o2", "r", "2025-02-10", 4000);
    closed = closing_do(&b, "a", "2025-02");
    hard_expect(&closed, "p1", -3000 - 2800, 7200);
    hard_expect(&closed, "c1", -2000 - 1200, -7200);
}
END_TEST

/* An agreement of the one course, known when January of the general one is closed, takes its sales
 * over: there they come off in February, here they are January's. */
START_TEST(agreement_takes_over_what_is_closed)
{
    hard_sell("o1", "2025-01-10", "python", 10000, "");
    struct close_result closed = closing_do(&b, "a", "2025-01");
    const struct statement_row *january = closing_of(&closed, "p1");
    const char *lines = closing_lines(&b, january);
    books_agreement(&b, "special", 1,
                    "{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"courses\":[{\"provider\":\"p1\","
                    "\"course_id\":\"python\"}],\"channels\":[\"c1\"]},\"effective\":{\"from\":"
                    "\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
                    "\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[" HARD_SHARE(
                        "p1", "500000") "{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
    books_idle(&b);
    closed = closing_do(&b, "special", "2025-01");
    hard_expect(&closed, "p1", 5000, 5000);
    hard_expect(&closed, "c1", 5000, -5000);
    closing_says(closing_of(&closed, "p1"), "\"differences\":[]");
    closed = closing_do(&b, "a", "2025-02");
    hard_expect(&closed, "p1", -6000, 0);
    hard_expect(&closed, "c1", -4000, 0);
    hard_stands(january, lines);
}
END_TEST

/* 5.00 of each sale are more than the 3.00 of one: it waits, also when January is closed, until the
 * parties agree on something else for that time; then it is January's difference in February. */
START_TEST(held_line_is_settled_after_publish)
{
    books_agreement(&b, "z", 1,
                    HARD_P2_C1("", "{\"kind\":\"amount\",\"payee\":\"p2\",\"amount_minor\":500},"));
    ck_assert_int_eq(hard_sell("o1", "2025-01-10", "go", 300, "")->held,
                     ACCORD_HELD_OVER_ALLOCATED);
    struct close_result closed = closing_do(&b, "z", "2025-01");
    hard_expect(&closed, "p2", 0, 0);
    closing_says(closing_of(&closed, "p2"), "\"held\":[{\"currency\":\"CNY\",\"gross\":300,"
                                            "\"lines\":1,\"reason\":\"over_allocated\"}]");
    books_agreement(&b, "z", 2, HARD_P2_C1("", HARD_SHARE("p2", "600000")));
    books_idle(&b);
    closed = closing_do(&b, "z", "2025-02");
    hard_expect(&closed, "p2", 180, 180);
    hard_expect(&closed, "c1", 120, -180);
    closing_says(closing_of(&closed, "p2"), "\"differences\":[{\"count\":1,\"earned\":180,"
                                            "\"period\":\"2025-01\",\"position\":180}]");
    closing_says(closing_of(&closed, "p2"), "\"held\":[]");
}
END_TEST

/* 5,000.00 a month until the 10th of February, of which it has 28 days: 1,785.71. Nothing is
 * earned. What is promised is all of it, whatever is told later: March has no period, until a
 * back-dated sale of 400.00 makes one: 200.00 of January's 5,000.00 are earned now. */
START_TEST(guarantee_until_the_end)
{
    books_agreement(&b, "z", 1,
                    "{\"parties\":[\"p2\",\"c1\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":["
                    "\"c1\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\",\"to\":"
                    "\"2025-02-11T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
                    "\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[" HARD_SHARE(
                        "p2", "500000") FIVE_THOUSAND "{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
    struct close_result closed = closing_do(&b, "z", "2025-01");
    hard_expect(&closed, "p2", 500000, 500000);
    closed = closing_do(&b, "z", "2025-02");
    hard_expect(&closed, "p2", 178571, 678571);
    hard_expect(&closed, "c1", -178571, -678571);
    closing_refuse(&b, "z", "2025-03", ACCORD_E_NOT_FOUND);
    hard_sell("o1", "2025-01-10", "go", 40000, "");
    closed = closing_do(&b, "z", "2025-03");
    hard_expect(&closed, "p2", 0, 678571);
    closing_says(closing_of(&closed, "p2"), "\"differences\":[{\"count\":4,\"earned\":0,");
    closing_refuse(&b, "z", "2025-04", ACCORD_E_NOT_FOUND);
}
END_TEST

static void pay(const char *state, const char *payee, int64_t amount, const char *statement)
{
    books_accept(
        &b, "op",
        books_text(&b,
                   "{\"event_id\":\"pay-%s\",\"type\":\"payment\",\"occurred_at\":"
                   "\"2025-02-05T10:00:00Z\",\"payment_id\":\"y\",\"payer\":\"op\",\"payee\":"
                   "\"%s\",\"currency\":\"CNY\",\"amount\":%" PRId64 ",\"state\":\"%s\","
                   "\"statements\":[\"%s\"]}",
                   state, payee, amount, state, statement));
}

/* 6,000 earned, a tenth kept back, the rest paid. Then all of it comes back: 5,400 are owed, since
 * the reserve covers no more than 600; they are taken of what comes next. */
START_TEST(refund_larger_than_reserve)
{
    books_agreement(
        &b, "z", 1,
        HARD_P2_C1("\"reserve\":{\"ppm\":100000,\"periods\":2},", HARD_SHARE("p2", "600000")));
    hard_sell("o1", "2025-01-10", "go", 10000, "");
    struct close_result closed = closing_do(&b, "z", "2025-01");
    const struct statement_row *row = closing_of(&closed, "p2");
    closing_says(row, "\"reserve\":600,");
    ck_assert_int_eq(row->due, 5400);
    pay("approved", "p2", 5400, row->id);
    pay("sent", "p2", 5400, row->id);
    pay("confirmed", "p2", 5400, row->id);
    hard_refund("o1", "r", "2025-02-10", 10000);
    closed = closing_do(&b, "z", "2025-02");
    row = closing_of(&closed, "p2");
    ck_assert_int_eq(row->opening, 6000);
    hard_expect(&closed, "p2", -6000, -5400);
    closing_says(row, "\"payments\":[{\"amount\":-5400,");
    ck_assert_int_eq(row->due, -5400);
    ck_assert_int_eq(row->payable, -5400);
    hard_sell("o2", "2025-03-10", "go", 20000, "");
    closed = closing_do(&b, "z", "2025-03");
    row = closing_of(&closed, "p2");
    hard_expect(&closed, "p2", 12000, 6600);
    closing_says(row, "\"reserve\":1200,");
    ck_assert_int_eq(row->due, 5400);
    ck_assert_int_eq(row->payable, 5400);
}
END_TEST

/* One cent, a fifth of it for each of five: the first in declared order has it, and gives it back.
 */
START_TEST(one_cent_with_five_payees)
{
    books_agreement(&b, "five", 1,
                    "{\"parties\":[\"p1\",\"p2\",\"c1\",\"c2\",\"op\"],\"scope\":{\"providers\":["
                    "\"p2\"],\"channels\":[\"c1\"]},\"effective\":{\"from\":"
                    "\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
                    "\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[" HARD_SHARE(
                        "c2", "200000") HARD_SHARE("p2", "200000") HARD_SHARE("op", "200000")
                        HARD_SHARE("p1", "200000") "{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
    hard_sell("o1", "2025-01-10", "go", 1, "");
    struct close_result closed = closing_do(&b, "five", "2025-01");
    ck_assert_uint_eq(closed.count, 5);
    hard_expect(&closed, "c2", 1, 1);
    hard_expect(&closed, "p2", 0, 0);
    hard_expect(&closed, "op", 0, 0);
    hard_expect(&closed, "p1", 0, 0);
    hard_expect(&closed, "c1", 0, -1);
    hard_refund("o1", "r", "2025-02-10", 1);
    closed = closing_do(&b, "five", "2025-02");
    hard_expect(&closed, "c2", -1, 0);
    hard_expect(&closed, "c1", 0, 0);
}
END_TEST

/* Ids of learners are the channel's own: "u1" of two channels are two learners, of one only one. */
START_TEST(same_learner_on_two_channels)
{
    books_agreement(&b, "z", 1,
                    "{\"parties\":[\"p2\",\"c1\",\"c2\"],\"scope\":{\"providers\":[\"p2\"],"
                    "\"channels\":[\"c1\",\"c2\"]},\"collector\":\"c1\",\"effective\":{\"from\":"
                    "\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
                    "\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[{\"kind\":\"tiered\","
                    "\"payee\":\"p2\",\"metric\":\"learners\",\"mode\":\"marginal\",\"window\":"
                    "\"year\",\"steps\":[{\"from\":0,\"amount_micro\":100000000}]},"
                    "{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
    static const char *const sales[][2] = {
        {"c1", "2025-01-10"}, {"c1", "2025-01-11"}, {"c2", "2025-01-12"}, {"c2", "2025-02-10"}};
    struct close_result closed;
    for (int i = 0; i < 4; i++) {
        if (i == 3) {
            closed = closing_do(&b, "z", "2025-01");
            hard_expect(&closed, "p2", 200, 200);
        }
        books_accept(&b, sales[i][0],
                     books_text(&b,
                                "{\"event_id\":\"e%d\",\"type\":\"order.paid\",\"occurred_at\":"
                                "\"%sT10:00:00Z\",\"learner\":\"u1\",\"order_id\":\"o%d\","
                                "\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":"
                                "\"p2\",\"course_id\":\"go\",\"quantity\":1,\"paid\":1000}]}",
                                i, sales[i][1], i));
    }
    closed = closing_do(&b, "z", "2025-02");
    hard_expect(&closed, "p2", 0, 200);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("hard terms");
    TCase *cases = tcase_create("terms");
    tcase_add_checked_fixture(cases, hard_setup, hard_teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, tier_boundary_inside_one_line);
    tcase_add_test(cases, guarantee_with_a_part_month);
    tcase_add_test(cases, guarantee_and_recoupment);
    tcase_add_test(cases, full_coupon_cpa_of_a_line_is_held);
    tcase_add_loop_test(cases, full_coupon_cpa_still_due, 0, 2);
    tcase_add_test(cases, agreement_changes_mid_period);
    tcase_add_test(cases, agreement_takes_over_what_is_closed);
    tcase_add_test(cases, held_line_is_settled_after_publish);
    tcase_add_test(cases, guarantee_until_the_end);
    tcase_add_test(cases, refund_larger_than_reserve);
    tcase_add_test(cases, one_cent_with_five_payees);
    tcase_add_test(cases, same_learner_on_two_channels);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
