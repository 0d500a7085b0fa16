/* What a version's terms must be like: every rule by a version that breaks it alone. */
#include "domain/terms.h"

#include <string.h>

#include "accord/withholding.h"
#include "unit.h"

static const char *const provider[] = {"p"};
static const struct accord_tier rising[] = {{0, 300000}, {1000000, 400000}, {5000000, 500000}};

/* A version with one term of every kind that is right. */
static struct accord_agreement_version whole(void)
{
    static const struct accord_withholding flat = {.steps = {{.rate_ppm = 300000}},
                                                   .step_count = 1};
    static const struct accord_agreement_version version = {
        .agreement = "a",
        .version = 1,
        .parties = {"p", "c", "op"},
        .party_count = 3,
        .collector = 1,
        .providers = provider,
        .provider_count = 1,
        .effective_from_us = 10,
        .effective_to_us = 20,
        .currency = {"CNY"},
        .qualify_days = -1,
        .reserve_ppm = 100000,
        .reserve_periods = 1,
        .terms =
            {[0] = {.kind = ACCORD_TERM_SHARE, .payee = 0, .share_ppm = 200000},
             [1] = {.kind = ACCORD_TERM_AMOUNT, .payee = 2, .amount_minor = 5},
             [2] = {.kind = ACCORD_TERM_RESIDUAL, .payee = 1},
             [3] = {.kind = ACCORD_TERM_CPA,
                    .payee = 2,
                    .amount_minor = 1250,
                    .metric = ACCORD_METRIC_LINES,
                    .floor_minor = 20000,
                    .cap_minor = 150000},
             [4] = {.kind = ACCORD_TERM_REFERRAL,
                    .levels_ppm = {80000, 20000},
                    .level_count = 2,
                    .attribution_window_us = INT64_C(30) * 86400000000},
             [5] = {.kind = ACCORD_TERM_TIERED,
                    .payee = 0,
                    .metric = ACCORD_METRIC_NET,
                    .window = ACCORD_WINDOW_YEAR,
                    .tiers = rising,
                    .tier_count = 3},
             [6] = {.kind = ACCORD_TERM_GREATER_OF,
                    .payee = 2,
                    .share_ppm = 300000,
                    .amount_minor = 100,
                    .metric = ACCORD_METRIC_LEARNERS},
             [7] = {.kind = ACCORD_TERM_GUARANTEE,
                    .payee = 0,
                    .funded_by = 1,
                    .amount_minor = 500000,
                    .recoup = true},
             [8] =
                 {.kind = ACCORD_TERM_ADVANCE, .payee = 0, .funded_by = 1, .amount_minor = 900000},
             [9] = {.kind = ACCORD_TERM_FLOOR, .payee = 0, .funded_by = 2, .amount_minor = 600000},
             [10] = {.kind = ACCORD_TERM_CAP, .payee = 0, .amount_minor = 600000},
             [11] = {.kind = ACCORD_TERM_POOL, .pool = "members", .pool_version = 2},
             [12] = {.kind = ACCORD_TERM_WITHHOLDING, .payee = 0, .withholding = &flat}},
        .term_count = 13,
    };
    return version;
}

static void expect(const struct accord_agreement_version *version, enum accord_error error,
                   uint32_t term, uint32_t step, const char *field)
{
    struct terms_fault fault;
    uint32_t at = 77;
    ck_assert_str_eq(accord_error_code(agreement_check_at(version, &fault)),
                     accord_error_code(error));
    ck_assert_uint_eq(fault.term, term);
    ck_assert_uint_eq(fault.step, step);
    ck_assert_str_eq(fault.field == NULL ? "" : fault.field, field);
    ck_assert_int_eq(accord_agreement_check(version, &at), error);
    ck_assert_uint_eq(at, error == ACCORD_OK ? 77 : term);
}

#define NO UINT32_MAX

/* Changes one member of one term. */
#define BREAK(index, member, value, error, field)                                                  \
    do {                                                                                           \
        struct accord_agreement_version bad = whole();                                             \
        bad.terms[index].member = (value);                                                         \
        expect(&bad, error, index, NO, field);                                                     \
    } while (0)

START_TEST(every_kind_is_taken)
{
    const struct accord_agreement_version version = whole();
    expect(&version, ACCORD_OK, NO, NO, "");
    ck_assert(accord_agreement_has_window(&version));
    struct accord_agreement_version lines = version;
    lines.term_count = 5;
    ck_assert(accord_agreement_has_window(&lines)); /* a CPA with floor and cap */
    lines.terms[3].floor_minor = -1;
    lines.terms[3].cap_minor = -1;
    expect(&lines, ACCORD_OK, NO, NO, "");
    ck_assert(!accord_agreement_has_window(&lines));
    lines.terms[3].metric = ACCORD_METRIC_LEARNERS;
    ck_assert(accord_agreement_has_window(&lines));
}
END_TEST

START_TEST(parties_of_terms)
{
    BREAK(0, payee, 3, ACCORD_E_PAYEE_NOT_PARTY, "payee");
    BREAK(5, payee, 3, ACCORD_E_PAYEE_NOT_PARTY, "payee");
    BREAK(12, payee, 3, ACCORD_E_PAYEE_NOT_PARTY, "payee");
    BREAK(7, funded_by, 3, ACCORD_E_FUNDER_NOT_PARTY, "funded_by");
    BREAK(7, funded_by, 0, ACCORD_E_FUNDER_IS_PAYEE, "funded_by");
    BREAK(8, funded_by, 0, ACCORD_E_FUNDER_IS_PAYEE, "funded_by");
    BREAK(9, funded_by, 0, ACCORD_E_FUNDER_IS_PAYEE, "funded_by");
    /* A referral and a pool have no payee to look at. */
    struct accord_agreement_version version = whole();
    version.terms[4].payee = 99;
    version.terms[11].payee = 99;
    expect(&version, ACCORD_OK, NO, NO, "");
}
END_TEST

START_TEST(a_term_that_would_do_nothing)
{
    BREAK(3, amount_minor, 0, ACCORD_E_AMOUNT_ZERO, "amount_minor");
    BREAK(3, cap_minor, 0, ACCORD_E_AMOUNT_ZERO, "cap_minor");
    for (unsigned i = 6; i <= 10; i++)
        BREAK(i, amount_minor, 0, ACCORD_E_AMOUNT_ZERO, "amount_minor");
    BREAK(6, share_ppm, 0, ACCORD_E_VALUE_OUT_OF_RANGE, "share_ppm");
    struct accord_agreement_version bad = whole();
    bad.terms[4].levels_ppm[0] = bad.terms[4].levels_ppm[1] = 0;
    expect(&bad, ACCORD_E_RATES_ZERO, 4, NO, "levels_ppm");
    static const struct accord_tier nothing[] = {{0, 0}, {10, 0}};
    bad = whole();
    bad.terms[5].tiers = nothing;
    bad.terms[5].tier_count = 2;
    expect(&bad, ACCORD_E_RATES_ZERO, 5, NO, "steps");
}
END_TEST

START_TEST(amounts_and_rates_in_range)
{
    BREAK(1, amount_minor, -1, ACCORD_E_AMOUNT_OUT_OF_RANGE, "amount_minor");
    BREAK(3, amount_minor, ACCORD_AMOUNT_MAX + 1, ACCORD_E_AMOUNT_OUT_OF_RANGE, "amount_minor");
    BREAK(3, amount_minor, INT64_MIN, ACCORD_E_AMOUNT_OUT_OF_RANGE, "amount_minor");
    BREAK(3, floor_minor, -2, ACCORD_E_AMOUNT_OUT_OF_RANGE, "floor_minor");
    BREAK(3, cap_minor, -2, ACCORD_E_AMOUNT_OUT_OF_RANGE, "cap_minor");
    BREAK(8, minimum_minor, -1, ACCORD_E_AMOUNT_OUT_OF_RANGE, "minimum_minor");
    BREAK(4, level_count, 0, ACCORD_E_COUNT_OUT_OF_RANGE, "levels_ppm");
    BREAK(4, level_count, 3, ACCORD_E_COUNT_OUT_OF_RANGE, "levels_ppm");
    BREAK(4, levels_ppm[1], -1, ACCORD_E_VALUE_OUT_OF_RANGE, "levels_ppm");
    BREAK(4, levels_ppm[0], 980001, ACCORD_E_REFERRAL_EXCEEDS_WHOLE, "levels_ppm");
    BREAK(4, attribution_window_us, 0, ACCORD_E_VALUE_OUT_OF_RANGE, "window_days");
    BREAK(4, attribution_window_us, INT64_C(366) * 86400000000 + 1, ACCORD_E_VALUE_OUT_OF_RANGE,
          "window_days");
    BREAK(3, metric, ACCORD_METRIC_NET, ACCORD_E_VALUE_UNKNOWN, "per");
    BREAK(6, metric, ACCORD_METRIC_NET, ACCORD_E_VALUE_UNKNOWN, "per");
    BREAK(5, metric, (enum accord_metric)ACCORD_METRICS, ACCORD_E_VALUE_UNKNOWN, "metric");
    BREAK(5, window, (enum accord_window)ACCORD_WINDOWS, ACCORD_E_VALUE_UNKNOWN, "window");
    BREAK(10, window, (enum accord_window) - 1, ACCORD_E_VALUE_UNKNOWN, "window");
    BREAK(0, kind, ACCORD_TERM_KINDS, ACCORD_E_VALUE_UNKNOWN, "kind");
    BREAK(11, pool, NULL, ACCORD_E_FIELD_MISSING, "pool");
    BREAK(11, pool_version, 0, ACCORD_E_VALUE_OUT_OF_RANGE, "version");
}
END_TEST

static void expect_tiers(const struct accord_tier *tiers, uint32_t count, enum accord_error error,
                         uint32_t step, const char *field)
{
    struct accord_agreement_version bad = whole();
    bad.terms[5].tiers = tiers;
    bad.terms[5].tier_count = count;
    expect(&bad, error, error == ACCORD_OK ? NO : 5, step, field);
}

START_TEST(tiers)
{
    static const struct accord_tier late[] = {{1, 300000}, {10, 400000}};
    static const struct accord_tier below[] = {{-1, 300000}};
    static const struct accord_tier unsorted[] = {{0, 1}, {20, 2}, {10, 3}};
    static const struct accord_tier overlap[] = {{0, 1}, {20, 2}, {20, 3}};
    static const struct accord_tier steep[] = {{0, 1}, {20, 1000001}};
    static const struct accord_tier negative[] = {{0, -1}};
    static const struct accord_tier far[] = {{0, 1}, {ACCORD_AMOUNT_MAX + 1, 2}};
    static struct accord_tier many[ACCORD_TIERS_MAX + 1];
    for (int i = 0; i <= ACCORD_TIERS_MAX; i++)
        many[i] = (struct accord_tier){i, i};
    expect_tiers(NULL, 0, ACCORD_E_STEPS_MISSING, NO, "steps");
    expect_tiers(many, ACCORD_TIERS_MAX, ACCORD_OK, NO, "");
    expect_tiers(many, ACCORD_TIERS_MAX + 1, ACCORD_E_COUNT_OUT_OF_RANGE, NO, "steps");
    expect_tiers(late, 2, ACCORD_E_STEPS_NOT_FROM_ZERO, 0, "from");
    expect_tiers(below, 1, ACCORD_E_STEPS_NOT_FROM_ZERO, 0, "from");
    expect_tiers(unsorted, 3, ACCORD_E_STEPS_UNSORTED, 2, "from");
    expect_tiers(overlap, 3, ACCORD_E_STEPS_OVERLAP, 2, "from");
    expect_tiers(steep, 2, ACCORD_E_VALUE_OUT_OF_RANGE, 1, "share_ppm");
    expect_tiers(negative, 1, ACCORD_E_VALUE_OUT_OF_RANGE, 0, "share_ppm");
    expect_tiers(far, 2, ACCORD_E_VALUE_OUT_OF_RANGE, 1, "from");
}
END_TEST

/* A rate for each one counted may be above a million, a share of net may not. */
START_TEST(what_a_tier_rate_is)
{
    static const struct accord_tier each[] = {{0, 1000001}, {10, ACCORD_TIER_MICRO_MAX}};
    static const struct accord_tier beyond[] = {{0, ACCORD_TIER_MICRO_MAX + 1}};
    struct accord_agreement_version version = whole();
    struct accord_term *term = &version.terms[5];
    term->tiers = each;
    term->tier_count = 2;
    term->metric = ACCORD_METRIC_UNITS;
    expect(&version, ACCORD_OK, NO, NO, "");
    term->of_net = true; /* means nothing without `whole` */
    expect(&version, ACCORD_OK, NO, NO, "");
    term->whole = true;
    expect(&version, ACCORD_E_VALUE_OUT_OF_RANGE, 5, 0, "share_ppm");
    term->tiers = rising;
    expect(&version, ACCORD_OK, NO, NO, "");
    term->of_net = false;
    term->tiers = beyond;
    term->tier_count = 1;
    expect(&version, ACCORD_E_VALUE_OUT_OF_RANGE, 5, 0, "amount_micro");
}
END_TEST

START_TEST(shares_within_one_whole)
{
    struct accord_agreement_version version = whole();
    /* 200000 + the highest tier 500000 + 300000 is all of it. */
    version.terms[0].share_ppm = 200001;
    expect(&version, ACCORD_E_SHARES_EXCEED_WHOLE, 6, NO, "share_ppm");
    static const struct accord_tier humped[] = {{0, 300000}, {10, 900000}, {20, 100000}};
    version = whole();
    version.terms[5].tiers = humped;
    expect(&version, ACCORD_E_SHARES_EXCEED_WHOLE, 5, 1, "share_ppm");
    version.terms[5].metric = ACCORD_METRIC_LINES; /* amounts for each line now */
    expect(&version, ACCORD_OK, NO, NO, "");
    version.terms[5].whole = version.terms[5].of_net = true;
    expect(&version, ACCORD_E_SHARES_EXCEED_WHOLE, 5, 1, "share_ppm");
    BREAK(0, share_ppm, 1000001, ACCORD_E_VALUE_OUT_OF_RANGE, "share_ppm");
    BREAK(0, share_ppm, -1, ACCORD_E_VALUE_OUT_OF_RANGE, "share_ppm");
}
END_TEST

START_TEST(caps_and_floors)
{
    BREAK(10, payee, 1, ACCORD_E_CAP_ON_RESIDUAL, "payee");
    BREAK(3, cap_minor, 19999, ACCORD_E_CAP_BELOW_FLOOR, "cap_minor");
    BREAK(10, amount_minor, 599999, ACCORD_E_CAP_BELOW_FLOOR, "amount_minor");
    struct accord_agreement_version version = whole();
    version.terms[10].amount_minor = 599999;
    version.terms[10].window = ACCORD_WINDOW_YEAR; /* another window */
    expect(&version, ACCORD_OK, NO, NO, "");
    version.terms[10].window = ACCORD_WINDOW_PERIOD;
    version.terms[10].payee = 2; /* another payee */
    expect(&version, ACCORD_OK, NO, NO, "");
    /* The cap is at fault, in whatever order they stand; a guarantee is a floor, too. */
    version = whole();
    version.terms[7].window = ACCORD_WINDOW_LIFE;
    version.terms[10].window = ACCORD_WINDOW_LIFE;
    version.terms[10].amount_minor = 499999;
    expect(&version, ACCORD_E_CAP_BELOW_FLOOR, 10, NO, "amount_minor");
    const struct accord_term cap = version.terms[10];
    version.terms[10] = version.terms[7];
    version.terms[7] = cap;
    expect(&version, ACCORD_E_CAP_BELOW_FLOOR, 7, NO, "amount_minor");
}
END_TEST

START_TEST(terms_that_repeat)
{
    static const struct {
        unsigned of;
        enum accord_error error;
    } repeats[] = {
        {0, ACCORD_OK},
        {1, ACCORD_OK},
        {2, ACCORD_E_RESIDUAL_REPEATED},
        {3, ACCORD_OK},
        {4, ACCORD_E_TERM_REPEATED},
        {7, ACCORD_E_TERM_REPEATED},
        {8, ACCORD_E_TERM_REPEATED},
        {9, ACCORD_E_TERM_REPEATED},
        {10, ACCORD_E_TERM_REPEATED},
        {11, ACCORD_E_TERM_REPEATED},
        {12, ACCORD_E_TERM_REPEATED},
    };
    for (size_t i = 0; i < sizeof repeats / sizeof repeats[0]; i++) {
        struct accord_agreement_version version = whole();
        version.terms[0].share_ppm = 100000;
        version.terms[13] = version.terms[repeats[i].of];
        version.term_count = 14;
        expect(&version, repeats[i].error, repeats[i].error == ACCORD_OK ? NO : 13, NO, "");
    }
    /* Another payee, window or pool is another term. */
    struct accord_agreement_version version = whole();
    version.terms[13] = version.terms[7];
    version.terms[13].window = ACCORD_WINDOW_YEAR;
    version.terms[14] = version.terms[8];
    version.terms[14].payee = 2;
    version.terms[15] = version.terms[11];
    version.terms[15].pool = "kids";
    version.term_count = 16;
    expect(&version, ACCORD_OK, NO, NO, "");
}
END_TEST

START_TEST(withholding_tables)
{
    struct accord_withholding table = {.step_count = 0};
    struct accord_agreement_version version = whole();
    version.terms[12].withholding = NULL;
    expect(&version, ACCORD_E_STEPS_MISSING, 12, NO, "steps");
    version.terms[12].withholding = &table;
    expect(&version, ACCORD_E_STEPS_MISSING, 12, NO, "steps");
    table = (struct accord_withholding){
        .steps = {{.over_minor = 0, .deduct_minor = 80000, .rate_ppm = 200000},
                  {.over_minor = 400000, .deduct_ppm = 200000, .rate_ppm = 200000}},
        .step_count = 2};
    expect(&version, ACCORD_OK, NO, NO, "");
    table.steps[0].over_minor = 1;
    expect(&version, ACCORD_E_STEPS_NOT_FROM_ZERO, 12, 0, "over_minor");
    table.steps[0].over_minor = 0;
    table.steps[1].over_minor = 0;
    expect(&version, ACCORD_E_STEPS_OVERLAP, 12, 1, "over_minor");
    table.steps[1].over_minor = -5;
    expect(&version, ACCORD_E_STEPS_UNSORTED, 12, 1, "over_minor");
    table.steps[1].over_minor = 5;
    table.steps[1].rate_ppm = 1000001;
    expect(&version, ACCORD_E_VALUE_OUT_OF_RANGE, 12, 1, "");
    table.step_count = ACCORD_WITHHOLDING_STEPS_MAX + 1;
    expect(&version, ACCORD_E_COUNT_OUT_OF_RANGE, 12, NO, "steps");
}
END_TEST

/* Changes one member of the version. */
#define SPOIL(member, value, error, field)                                                         \
    do {                                                                                           \
        struct accord_agreement_version bad = whole();                                             \
        bad.member = (value);                                                                      \
        expect(&bad, error, NO, NO, field);                                                        \
    } while (0)

START_TEST(base_and_policies)
{
    SPOIL(term_count, 2, ACCORD_E_RESIDUAL_MISSING, "terms");
    SPOIL(collector, 3, ACCORD_E_COLLECTOR_NOT_PARTY, "collector");
    SPOIL(admin_fee.rate_ppm, 1000001, ACCORD_E_VALUE_OUT_OF_RANGE, "base/admin_fee/rate_ppm");
    SPOIL(admin_fee.base, (enum accord_fee_base)3, ACCORD_E_VALUE_UNKNOWN, "base/admin_fee/of");
    SPOIL(payment_fee.fixed_minor, -1, ACCORD_E_AMOUNT_OUT_OF_RANGE,
          "base/payment_fee/fixed_minor");
    SPOIL(refund_basis, (enum accord_refund_basis)2, ACCORD_E_VALUE_UNKNOWN, "refund/basis");
    SPOIL(late_usage, (enum accord_late_usage)3, ACCORD_E_VALUE_UNKNOWN, "late_usage/policy");
    SPOIL(late_usage_days, -1, ACCORD_E_VALUE_OUT_OF_RANGE, "late_usage/days");
    SPOIL(fx_policy, (enum accord_fx_policy)3, ACCORD_E_VALUE_UNKNOWN, "fx/policy");
    SPOIL(qualify_days, -2, ACCORD_E_VALUE_OUT_OF_RANGE, "qualify_days");
    SPOIL(hold_days, 367, ACCORD_E_VALUE_OUT_OF_RANGE, "hold_days");
    SPOIL(reserve_ppm, 1000001, ACCORD_E_VALUE_OUT_OF_RANGE, "reserve/ppm");
    SPOIL(reserve_periods, 0, ACCORD_E_RESERVE_WITHOUT_PERIODS, "reserve/periods");
    SPOIL(reserve_periods, -1, ACCORD_E_VALUE_OUT_OF_RANGE, "reserve/periods");
    SPOIL(min_payout_minor, -1, ACCORD_E_AMOUNT_OUT_OF_RANGE, "min_payout_minor");
    SPOIL(tail_days, -1, ACCORD_E_VALUE_OUT_OF_RANGE, "tail_days");
    SPOIL(dispute_days, 367, ACCORD_E_VALUE_OUT_OF_RANGE, "dispute_days");
    SPOIL(effective_to_us, 10, ACCORD_E_EFFECTIVE_EMPTY, "effective/to");
    SPOIL(effective_to_us, 9, ACCORD_E_EFFECTIVE_EMPTY, "effective/to");
    struct accord_agreement_version bad = whole();
    bad.kept_fees_charged = true;
    bad.fee_borne_by = 3;
    expect(&bad, ACCORD_E_FUNDER_NOT_PARTY, NO, NO, "refund/fee_borne_by");
    bad = whole();
    bad.add_back[ACCORD_FUNDER_CHANNEL] = true;
    bad.funder_party[ACCORD_FUNDER_CHANNEL] = 3;
    expect(&bad, ACCORD_E_FUNDER_NOT_PARTY, NO, NO, "funders/channel");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("terms");
    TCase *tests = tcase_create("terms");
    tcase_add_test(tests, every_kind_is_taken);
    tcase_add_test(tests, parties_of_terms);
    tcase_add_test(tests, a_term_that_would_do_nothing);
    tcase_add_test(tests, amounts_and_rates_in_range);
    tcase_add_test(tests, tiers);
    tcase_add_test(tests, what_a_tier_rate_is);
    tcase_add_test(tests, shares_within_one_whole);
    tcase_add_test(tests, caps_and_floors);
    tcase_add_test(tests, terms_that_repeat);
    tcase_add_test(tests, withholding_tables);
    tcase_add_test(tests, base_and_policies);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
