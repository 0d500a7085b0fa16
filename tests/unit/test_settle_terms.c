/* The terms of a line beyond shares and amounts: fees, CPA, referral, what is left open. */
#include "settle_fixture.h"

static const int64_t day_us = INT64_C(86400000000);

static struct accord_term cpa(uint32_t payee, int64_t amount, enum accord_metric metric)
{
    return (struct accord_term){.kind = ACCORD_TERM_CPA,
                                .payee = payee,
                                .amount_minor = amount,
                                .metric = metric,
                                .floor_minor = -1,
                                .cap_minor = -1};
}

static struct accord_line_result settled(const struct accord_order *order,
                                         const struct accord_refund *refunds, size_t count,
                                         const struct accord_agreement_version *version)
{
    struct accord_line_result got;
    ck_assert_int_eq(accord_agreement_check(version, NULL), ACCORD_OK);
    ck_assert_int_eq(fixture_settle(order, refunds, count, version, &got), ACCORD_OK);
    return got;
}

static void expect(const struct accord_line_result *got, int64_t net, int64_t provider,
                   int64_t channel, int64_t platform)
{
    ck_assert_int_eq(got->held, ACCORD_HELD_NOT);
    ck_assert_int_eq(got->net, net);
    ck_assert_int_eq(got->shares[PROVIDER], provider);
    ck_assert_int_eq(got->shares[CHANNEL], channel);
    ck_assert_int_eq(got->shares[PLATFORM], platform);
}

/* ---- fees ---- */

/* Published waterfalls: tax included, store fee of ex-tax, payment fee of gross, admin fee of what
 * is running then. */
static const struct {
    int64_t gross;
    int64_t store_ppm;
    int64_t payment_ppm;
    int64_t admin_ppm;
    int64_t share_ppm;
    int64_t tax;
    int64_t store;
    int64_t payment;
    int64_t admin;
    int64_t partner;
    int64_t platform;
} waterfalls[] = {
    {19900, 0, 6000, 0, 970000, 1126, 0, 119, 0, 18095, 560},
    {19900, 0, 6000, 0, 370000, 1126, 0, 119, 0, 6902, 11753},
    {19900, 0, 6000, 30000, 370000, 1126, 0, 119, 560, 6695, 11400},
    {19900, 300000, 0, 30000, 370000, 1126, 5632, 0, 394, 4717, 8031},
    {1, 0, 6000, 0, 370000, 0, 0, 0, 0, 0, 1},
    {9, 300000, 6000, 30000, 500000, 1, 2, 0, 0, 3, 3},
};

START_TEST(test_waterfalls)
{
    struct accord_agreement_version version = fixture_version();
    const struct accord_line line = fixture_line("1", waterfalls[_i].gross);
    const struct accord_order order = fixture_order(&line, 1);
    version.tax.rate_ppm = 60000;
    version.store_fee.rate_ppm = waterfalls[_i].store_ppm;
    version.store_fee.base = ACCORD_FEE_ON_EX_TAX;
    version.payment_fee.rate_ppm = waterfalls[_i].payment_ppm;
    version.payment_fee.base = ACCORD_FEE_ON_GROSS;
    version.admin_fee = (struct accord_deduction){
        .deduct = true, .rate_ppm = waterfalls[_i].admin_ppm, .base = ACCORD_FEE_ON_RUNNING};
    version.terms[0].share_ppm = waterfalls[_i].share_ppm;
    version.terms[1].share_ppm = 0;
    const struct accord_line_result got = settled(&order, NULL, 0, &version);
    ck_assert_int_eq(got.tax, waterfalls[_i].tax);
    ck_assert_int_eq(got.store_fee, waterfalls[_i].store);
    ck_assert_int_eq(got.payment_fee, waterfalls[_i].payment);
    ck_assert_int_eq(got.admin_fee, waterfalls[_i].admin);
    ck_assert_int_eq(got.shares[PROVIDER], waterfalls[_i].partner);
    ck_assert_int_eq(got.shares[PLATFORM], waterfalls[_i].platform);
    ck_assert_int_eq(got.base, got.net);
}
END_TEST

/* The bases of an admin fee, and a fixed part of the payment fee: of lines that something was paid
 * for, and only beside a rate. */
START_TEST(test_admin_and_fixed_fees)
{
    struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 10000);
    const struct accord_order order = fixture_order(&line, 1);
    version.tax.rate_ppm = 250000; /* 2000 of 10000 */
    version.admin_fee = (struct accord_deduction){.deduct = true, .rate_ppm = 100000};
    ck_assert_int_eq(settled(&order, NULL, 0, &version).admin_fee, 1000);
    version.admin_fee.base = ACCORD_FEE_ON_EX_TAX;
    ck_assert_int_eq(settled(&order, NULL, 0, &version).admin_fee, 800);
    version.admin_fee.base = ACCORD_FEE_ON_RUNNING;
    version.payment_fee.rate_ppm = 20000;
    version.payment_fee.fixed_minor = 30;
    struct accord_line_result got = settled(&order, NULL, 0, &version);
    ck_assert_int_eq(got.payment_fee, 230);
    ck_assert_int_eq(got.admin_fee, 777);
    ck_assert_int_eq(got.net, 6993);
    version.admin_fee.deduct = false;
    ck_assert_int_eq(settled(&order, NULL, 0, &version).admin_fee, 0);
    line.paid = 0;
    ck_assert_int_eq(settled(&order, NULL, 0, &version).net, 0);
    line.paid = 10000;
    line.payment_fee = 60;
    version.payment_fee.rate_ppm = -1;
    ck_assert_int_eq(settled(&order, NULL, 0, &version).payment_fee, 60);
}
END_TEST

/* 199.00 with a fee of 1.19, of which 100.00 is refunded: 0.60 of the fee are of what was refunded
 * (119 · 9900/19900 = 59.2 are left to the line). */
START_TEST(test_kept_fees_charged)
{
    struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 19900);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_refund refund = fixture_refund("r", "1", 10000);
    line.payment_fee = 119;
    struct accord_line_result got = settled(&order, &refund, 1, &version);
    expect(&got, 9781, 5869, 2934, 978);
    version.kept_fees_charged = true;
    version.fee_borne_by = CHANNEL;
    got = settled(&order, NULL, 0, &version);
    expect(&got, 19781, 11869, 5934, 1978);
    got = settled(&order, &refund, 1, &version);
    expect(&got, 9781, 5905, 2892, 984); /* of 9841: 5904.6 2952.3 984.1; the channel less 60 */
    ck_assert_int_eq(got.base, 9841);
    ck_assert_int_eq(got.added_back, 0);
    refund.amount = 19900;
    got = settled(&order, &refund, 1, &version);
    expect(&got, -119, 0, -119, 0);
    refund.fee_returned = 119;
    got = settled(&order, &refund, 1, &version);
    expect(&got, 0, 0, 0, 0);
    /* More came back than what was refunded bears: that is everybody's. */
    refund.amount = 100;
    got = settled(&order, &refund, 1, &version);
    expect(&got, 19800, 11880, 5940, 1980);
}
END_TEST

/* ---- CPA ---- */

START_TEST(test_cpa)
{
    struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 10000);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_refund refund = fixture_refund("r", "1", 5000);
    line.quantity = 3;
    version.qualify_days = 30;
    version.terms[0] = cpa(PROVIDER, 1250, ACCORD_METRIC_LINES);
    struct accord_line_result got = settled(&order, NULL, 0, &version);
    expect(&got, 10000, 1250, 2625, 6125);
    ck_assert_int_eq(got.base, 8750);
    ck_assert_int_eq(got.lines_qualified, 1);
    ck_assert_int_eq(got.units_qualified, 3);
    version.terms[0].metric = ACCORD_METRIC_UNITS;
    got = settled(&order, NULL, 0, &version);
    expect(&got, 10000, 3750, 1875, 4375);
    /* Half of it back: the line still counts. */
    got = settled(&order, &refund, 1, &version);
    expect(&got, 5000, 3750, 375, 875);
    /* All of it, at the last instant of its days, and one later. */
    refund.amount = 10000;
    refund.occurred_at_us = fixture_time + 30 * day_us;
    got = settled(&order, &refund, 1, &version);
    expect(&got, 0, 0, 0, 0);
    ck_assert_int_eq(got.lines_qualified, 0);
    ck_assert_int_eq(got.units_qualified, 0);
    refund.occurred_at_us++;
    got = settled(&order, &refund, 1, &version);
    expect(&got, 0, 3750, -1125, -2625);
    ck_assert_int_eq(got.lines_qualified, 1);
    ck_assert_int_eq(got.base, -3750);
    version.qualify_days = -1;
    got = settled(&order, &refund, 1, &version);
    expect(&got, 0, 0, 0, 0);
}
END_TEST

/* What completes a refund is what decides, in whatever order the rows arrive. */
START_TEST(test_qualifies_by_last_refund)
{
    struct accord_agreement_version version = fixture_version();
    const struct accord_line line = fixture_line("1", 100);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_refund refunds[] = {fixture_refund("b", "1", 1), fixture_refund("a", "1", 99),
                                      fixture_refund("c", "1", 50)};
    version.qualify_days = 7;
    refunds[0].occurred_at_us = fixture_time + 8 * day_us;
    refunds[2].occurred_at_us = fixture_time + 9 * day_us;
    ck_assert_int_eq(settled(&order, refunds, 3, &version).lines_qualified, 1);
    refunds[0].occurred_at_us = fixture_time + 7 * day_us;
    ck_assert_int_eq(settled(&order, refunds, 3, &version).lines_qualified, 0);
    refunds[0].occurred_at_us = INT64_MIN; /* a clock that was wrong */
    ck_assert_int_eq(settled(&order, refunds, 3, &version).lines_qualified, 0);
    version.qualify_days = 0;
    ck_assert_int_eq(settled(&order, refunds, 3, &version).lines_qualified, 1);
    /* What costs nothing is never refunded. */
    const struct accord_line free_line = fixture_line("1", 0);
    const struct accord_order free_order = fixture_order(&free_line, 1);
    ck_assert_int_eq(settled(&free_order, refunds, 3, &version).lines_qualified, 1);
}
END_TEST

/* CPA counts with the amounts when more is promised than there is; of a window it is not. */
START_TEST(test_cpa_over_allocated)
{
    struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 1000);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_line_result got;
    line.quantity = 2;
    version.terms[0] = cpa(PROVIDER, 400, ACCORD_METRIC_UNITS);
    version.terms[1] =
        (struct accord_term){.kind = ACCORD_TERM_AMOUNT, .payee = CHANNEL, .amount_minor = 200};
    got = settled(&order, NULL, 0, &version);
    expect(&got, 1000, 800, 200, 0);
    version.terms[1].amount_minor = 201;
    got = settled(&order, NULL, 0, &version);
    ck_assert_int_eq(got.held, ACCORD_HELD_OVER_ALLOCATED);
    ck_assert_int_eq(got.lines_qualified, 0);
    version.terms[0].cap_minor = 100000;
    got = settled(&order, NULL, 0, &version);
    expect(&got, 1000, 0, 201, 0);
    ck_assert_int_eq(got.open, 799);
    line.quantity = INT64_MAX;
    version.terms[0] = cpa(PROVIDER, 400, ACCORD_METRIC_UNITS);
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_E_OVERFLOW);
    line.quantity = -1;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
}
END_TEST

/* ---- window ---- */

/* With any term of a window the residual's part stays open; shares and CPA per line do not. */
START_TEST(test_open)
{
    static const struct accord_tier tiers[] = {{0, 300000}};
    struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 10001);
    const struct accord_order order = fixture_order(&line, 1);
    const struct accord_refund refund = fixture_refund("r", "1", 10001);
    version.terms[1] = (struct accord_term){.kind = ACCORD_TERM_TIERED,
                                            .payee = CHANNEL,
                                            .tiers = tiers,
                                            .tier_count = 1,
                                            .window = ACCORD_WINDOW_YEAR};
    struct accord_line_result got = settled(&order, NULL, 0, &version);
    expect(&got, 10001, 6001, 0, 0); /* 6000.6 4000.4 */
    ck_assert_int_eq(got.open, 4000);
    ck_assert_int_eq(got.base, 10001);
    line.payment_fee = 10;
    got = settled(&order, &refund, 1, &version);
    expect(&got, -10, -6, 0, 0);
    ck_assert_int_eq(got.open, -4);
}
END_TEST

/* ---- referral ---- */

static const struct accord_promoter promoters[] = {
    {.id = "ann", .parent = 1},
    {.id = "bob", .parent = 2},
    {.id = "cat", .parent = ACCORD_PROMOTER_NONE},
};

static struct accord_touch touch(const char *event_id, uint32_t promoter, int64_t age_us)
{
    return (struct accord_touch){.occurred_at_us = fixture_time - age_us,
                                 .partner = "chn-b",
                                 .event_id = event_id,
                                 .kind = ACCORD_TOUCH_CLICK,
                                 .promoter = promoter};
}

static struct accord_agreement_version referral_version(void)
{
    struct accord_agreement_version version = fixture_version();
    version.terms[3] = (struct accord_term){.kind = ACCORD_TERM_REFERRAL,
                                            .levels_ppm = {100000, 20000},
                                            .level_count = 1,
                                            .attribution_window_us = 7 * day_us};
    version.term_count = 4;
    return version;
}

START_TEST(test_referral)
{
    struct accord_agreement_version version = referral_version();
    const struct accord_line line = fixture_line("1", 10000);
    struct accord_order order = fixture_order(&line, 1);
    struct accord_touch touches[] = {touch("t1", 0, 8 * day_us), touch("t2", 1, 7 * day_us),
                                     touch("t3", 2, day_us)};
    struct accord_refund refund = fixture_refund("r", "1", 5000);
    struct accord_line_result got = settled(&order, NULL, 0, &version);
    expect(&got, 10000, 6000, 3000, 1000); /* nobody: shares take it */
    ck_assert_ptr_null(got.promoters[0]);

    order.touches = touches;
    order.touch_count = 1;
    order.promoters = promoters;
    order.promoter_count = 3;
    got = settled(&order, NULL, 0, &version); /* too long ago */
    expect(&got, 10000, 6000, 3000, 1000);
    order.touch_count = 3;
    got = settled(&order, NULL, 0, &version);
    expect(&got, 10000, 5400, 2700, 900);
    ck_assert_str_eq(got.promoters[0], "cat");
    ck_assert_int_eq(got.referral[0], 1000);
    ck_assert_ptr_null(got.promoters[1]);
    ck_assert_int_eq(got.base, 9000);

    version.terms[3].first_touch = true;
    version.terms[3].level_count = 2;
    got = settled(&order, NULL, 0, &version);
    expect(&got, 10000, 5280, 2640, 880);
    ck_assert_str_eq(got.promoters[0], "bob");
    ck_assert_str_eq(got.promoters[1], "cat");
    ck_assert_int_eq(got.referral[0], 1000);
    ck_assert_int_eq(got.referral[1], 200);
    touches[1].promoter_suspended = true;
    got = settled(&order, NULL, 0, &version);
    ck_assert_str_eq(got.promoters[0], "cat");
    ck_assert_ptr_null(got.promoters[1]);
    expect(&got, 10000, 5400, 2700, 900);

    /* Half of the sale back: half of the commission, unless it is kept. */
    version.terms[3].level_count = 1;
    got = settled(&order, &refund, 1, &version);
    ck_assert_int_eq(got.referral[0], 500);
    expect(&got, 5000, 2700, 1350, 450);
    version.referral_kept = true;
    got = settled(&order, &refund, 1, &version);
    ck_assert_int_eq(got.referral[0], 1000);
    expect(&got, 5000, 2400, 1200, 400);
    refund.amount = 10000;
    got = settled(&order, &refund, 1, &version);
    ck_assert_int_eq(got.referral[0], 1000);
    expect(&got, 0, -600, -300, -100);
}
END_TEST

/* It is taken of what CPA and amounts leave, and promoters bear no kept fees. */
START_TEST(test_referral_after_cpa)
{
    struct accord_agreement_version version = referral_version();
    struct accord_line line = fixture_line("1", 10000);
    struct accord_order order = fixture_order(&line, 1);
    const struct accord_touch one = touch("t", 0, 0);
    const struct accord_refund refund = fixture_refund("r", "1", 10000);
    order.touches = &one;
    order.touch_count = 1;
    order.promoters = promoters;
    order.promoter_count = 3;
    line.payment_fee = 100;
    version.qualify_days = -1;
    version.terms[0] = cpa(PROVIDER, 1900, ACCORD_METRIC_LINES);
    struct accord_line_result got = settled(&order, NULL, 0, &version);
    ck_assert_int_eq(got.referral[0], 800);
    expect(&got, 9900, 1900, 2160, 5040);
    got = settled(&order, &refund, 1, &version);
    ck_assert_int_eq(got.referral[0], 0);
    expect(&got, -100, 0, -30, -70);
}
END_TEST

/* Numbers that name no promoter are refused, not followed. */
START_TEST(test_foreign_promoters)
{
    const struct accord_agreement_version version = referral_version();
    const struct accord_line line = fixture_line("1", 10000);
    struct accord_order order = fixture_order(&line, 1);
    struct accord_touch one = touch("t", 3, 0);
    struct accord_promoter foreign[] = {promoters[0], promoters[1]};
    struct accord_line_result got;
    order.touches = &one;
    order.touch_count = 1;
    order.promoters = promoters;
    order.promoter_count = 3;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
    one.promoter = 0;
    order.promoters = foreign;
    order.promoter_count = 2;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
}
END_TEST

/* More touches than are kept on the stack, and lines under versions with other rules. */
START_TEST(test_many_touches)
{
    static const struct accord_course_ref course = {"prv-a", "go"};
    struct accord_agreement_version last = referral_version();
    struct accord_agreement_version first = referral_version();
    const struct accord_agreement_version *versions[] = {&last, &first};
    struct accord_line lines[] = {fixture_line("1", 1000), fixture_line("2", 1000),
                                  fixture_line("3", 1000)};
    struct accord_order order = fixture_order(lines, 3);
    struct accord_touch touches[40];
    struct accord_line_result got[3];
    struct accord_excess excess;
    first.agreement = "other";
    first.courses = &course;
    first.course_count = 1;
    first.terms[3].first_touch = true;
    lines[1].course_id = "go";
    for (uint32_t i = 0; i < 40; i++)
        touches[i] = touch("t", i == 20 ? 0 : i == 30 ? 2 : 1, i == 20 ? 2 : i == 30 ? 0 : 1);
    order.touches = touches;
    order.touch_count = 40;
    order.promoters = promoters;
    order.promoter_count = 3;
    ck_assert_int_eq(accord_settle_order(&order, NULL, 0, versions, 2, got, &excess), ACCORD_OK);
    ck_assert_str_eq(got[0].promoters[0], "cat");
    ck_assert_str_eq(got[1].promoters[0], "ann");
    ck_assert_str_eq(got[2].promoters[0], "cat");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("settle terms");
    TCase *tests = tcase_create("terms of a line");
    tcase_add_loop_test(tests, test_waterfalls, 0, sizeof waterfalls / sizeof *waterfalls);
    tcase_add_test(tests, test_admin_and_fixed_fees);
    tcase_add_test(tests, test_kept_fees_charged);
    tcase_add_test(tests, test_cpa);
    tcase_add_test(tests, test_qualifies_by_last_refund);
    tcase_add_test(tests, test_cpa_over_allocated);
    tcase_add_test(tests, test_open);
    tcase_add_test(tests, test_referral);
    tcase_add_test(tests, test_referral_after_cpa);
    tcase_add_test(tests, test_foreign_promoters);
    tcase_add_test(tests, test_many_touches);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
