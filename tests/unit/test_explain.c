/* What the explanation of an order says, word for word. */
#include "settle_fixture.h"

#include <stdio.h>

struct told {
    char text[4096];
    size_t length;
};

static void tell(void *context, size_t line, const struct accord_step *step)
{
    struct told *told = context;
    char exact[ACCORD_EXACT_TEXT];
    accord_step_exact_text(step, exact);
    const int wrote =
        snprintf(told->text + told->length, sizeof told->text - told->length, "%zu %s %s %jd%s%s",
                 line, step->op, step->payee == NULL ? "-" : step->payee, (intmax_t)step->amount,
                 step->exact_den == 0 ? "" : " = ", exact);
    ck_assert_int_gt(wrote, 0);
    told->length += (size_t)wrote;
    if (step->rounding != NULL && strcmp(step->rounding, "largest_remainder") == 0)
        told->length +=
            (size_t)snprintf(told->text + told->length, sizeof told->text - told->length, " #%u+%u",
                             step->place, step->extra);
    told->length +=
        (size_t)snprintf(told->text + told->length, sizeof told->text - told->length, "\n");
    ck_assert_uint_lt(told->length, sizeof told->text);
}

static void expect_told(const struct accord_order *order, const struct accord_refund *refunds,
                        size_t count, const struct accord_agreement_version *version,
                        const char *want)
{
    struct told told = {.length = 0};
    struct accord_line_result got[4];
    struct accord_excess excess;
    ck_assert_int_eq(
        accord_explain_order(order, refunds, count, &version, 1, got, &excess, tell, &told),
        ACCORD_OK);
    ck_assert_str_eq(told.text, want);
}

START_TEST(test_explain_golden)
{
    const struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 19900);
    const struct accord_order order = fixture_order(&line, 1);
    const struct accord_refund refund = fixture_refund("r", "1", 10000);
    line.payment_fee = 119;
    expect_told(&order, NULL, 0, &version,
                "0 gross - 19900\n"
                "0 payment_fee - -119\n"
                "0 net - 19781\n"
                "0 share prv-a 11869 = 11868.6 #0+1\n"
                "0 share chn-b 5934 = 5934.3 #1+0\n"
                "0 residual platform 1978 = 1978.1 #2+0\n");
    expect_told(&order, &refund, 1, &version,
                "0 refund - -10000\n"
                "0 gross - 19900\n"
                "0 refunded - -10000\n"
                "0 payment_fee - -119\n"
                "0 net - 9781\n"
                "0 share prv-a 5869 = 5868.6 #0+1\n"
                "0 share chn-b 2934 = 2934.3 #1+0\n"
                "0 residual platform 978 = 978.1 #2+0\n");
}
END_TEST

START_TEST(test_explain_everything)
{
    struct accord_agreement_version version = fixture_version();
    struct accord_line lines[] = {fixture_line("1", 7000), fixture_line("2", 300)};
    struct accord_order order = fixture_order(lines, 2);
    struct accord_refund refund = fixture_refund("r", NULL, 1000);
    lines[0].discounts[ACCORD_FUNDER_CHANNEL] = 1000;
    lines[1].course_known = false;
    version.tax.rate_ppm = 60000;
    version.store_fee.rate_ppm = 12500;
    version.payment_fee.deduct = false;
    version.add_back[ACCORD_FUNDER_CHANNEL] = true;
    version.terms[3] =
        (struct accord_term){.kind = ACCORD_TERM_AMOUNT, .payee = PROVIDER, .amount_minor = 100};
    version.term_count = 4;
    refund.tax_returned = 30;
    refund.fee_returned = 10;
    /* 1000 · 7000/7300; tax 7000 · 6/106; store fee 7000/80; amounts · 6041/7000 */
    expect_told(&order, &refund, 1, &version,
                "0 refund - -959 = -70000/73 #0+1\n"
                "1 refund - -41 = -3000/73 #1+0\n"
                "0 gross - 7000\n"
                "0 refunded - -959\n"
                "0 tax - -396 = 21000/53\n"
                "0 tax_returned - 29\n"
                "0 store_fee - -88 = 87.5\n"
                "0 fee_returned - 10\n"
                "0 net - 5596\n"
                "0 added_back chn-b 863 = 863\n"
                "0 share_base - 6459\n"
                "0 amount prv-a 86 = 86.3\n"
                "0 to_share - 6373\n"
                "0 share prv-a 3824 = 3823.8 #1+1\n"
                "0 share chn-b 1912 = 1911.9 #0+1\n"
                "0 residual platform 637 = 637.3 #2+0\n"
                "0 funded chn-b -863\n"
                "1 gross - 300\n"
                "1 refunded - -41\n"
                "1 held - 259\n");
}
END_TEST

/* Fees with a fixed part and an admin fee, kept ones charged to the channel; CPA that stays, a
 * promoter and who brought it, and a residual that stays open. */
START_TEST(test_explain_terms)
{
    static const struct accord_tier tiers[] = {{0, 100000}};
    static const struct accord_promoter promoters[] = {
        {.id = "ann", .parent = 1}, {.id = "bob", .parent = ACCORD_PROMOTER_NONE}};
    static const struct accord_touch touch = {.occurred_at_us = INT64_C(1768478591000000),
                                              .partner = "chn-b",
                                              .event_id = "t-1",
                                              .kind = ACCORD_TOUCH_CLICK};
    struct accord_agreement_version version = fixture_version();
    const struct accord_line line = fixture_line("1", 10000);
    struct accord_order order = fixture_order(&line, 1);
    const struct accord_refund refund = fixture_refund("r", "1", 4000);
    version.payment_fee.rate_ppm = 6000;
    version.payment_fee.fixed_minor = 30;
    version.admin_fee =
        (struct accord_deduction){.deduct = true, .rate_ppm = 30000, .base = ACCORD_FEE_ON_RUNNING};
    version.kept_fees_charged = true;
    version.fee_borne_by = CHANNEL;
    version.terms[1] = (struct accord_term){.kind = ACCORD_TERM_CPA,
                                            .payee = CHANNEL,
                                            .amount_minor = 500,
                                            .metric = ACCORD_METRIC_LINES,
                                            .floor_minor = -1,
                                            .cap_minor = -1};
    version.terms[3] = (struct accord_term){.kind = ACCORD_TERM_REFERRAL,
                                            .levels_ppm = {100000, 20000},
                                            .level_count = 2,
                                            .attribution_window_us = 1};
    version.terms[4] = (struct accord_term){
        .kind = ACCORD_TERM_TIERED, .payee = CHANNEL, .tiers = tiers, .tier_count = 1};
    version.term_count = 5;
    order.touches = &touch;
    order.touch_count = 1;
    order.promoters = promoters;
    order.promoter_count = 2;
    /* 60 + 30; 3 % of 9910; of 387 the remaining 60 % bear 232; 5613 + 155 - 500 = 5268 */
    expect_told(&order, &refund, 1, &version,
                "0 refund - -4000\n"
                "0 gross - 10000\n"
                "0 refunded - -4000\n"
                "0 payment_fee - -60 = 60\n"
                "0 payment_fee - -30\n"
                "0 admin_fee - -297 = 297.3\n"
                "0 net - 5613\n"
                "0 fees_added_back chn-b 155\n"
                "0 share_base - 5768\n"
                "0 cpa chn-b 500\n"
                "0 referral ann 527 = 526.8 #1+1\n"
                "0 referral bob 105 = 105.36 #2+0\n"
                "0 to_share - 4636\n"
                "0 share prv-a 2782 = 2781.6 #0+1\n"
                "0 open - 1854 = 1854.4 #1+0\n"
                "0 fees_charged chn-b -155\n");
}
END_TEST

START_TEST(test_exact_text)
{
    static const struct {
        bool negative;
        uint64_t floor;
        uint64_t num;
        uint64_t den;
        const char *text;
    } cases[] = {
        {false, 0, 0, 0, ""},
        {false, 5, 0, 1, "5"},
        {true, 0, 0, 1, "0"},
        {true, 0, 1, 2, "-0.5"},
        {false, 3, 1, 1000000, "3.000001"},
        {false, 3, 999999, 1000000, "3.999999"},
        {false, 1, 1, 128, "129/128"},
        {true, 11, 1, 13, "-144/13"},
        {true, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX,
         "-340282366920938463444927863358058659839/18446744073709551615"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct accord_step step = {.exact_negative = cases[i].negative,
                                         .exact_floor = cases[i].floor,
                                         .exact_num = cases[i].num,
                                         .exact_den = cases[i].den};
        char text[ACCORD_EXACT_TEXT];
        accord_step_exact_text(&step, text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("explain");
    TCase *tests = tcase_create("steps");
    tcase_add_test(tests, test_explain_golden);
    tcase_add_test(tests, test_explain_everything);
    tcase_add_test(tests, test_explain_terms);
    tcase_add_test(tests, test_exact_text);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
