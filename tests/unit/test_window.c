#include "accord/window.h"

#include <stdio.h>

#include "window_fixture.h"

/* Settles one part that must go well. */
static void settle(const struct accord_agreement_version *version,
                   const struct accord_window_period *period, const struct accord_window_sums *sums,
                   struct accord_window_state *state, struct window_got *ret)
{
    int64_t all = 0;
    ck_assert_int_eq(window_settle(version, period, sums, state, ret), ACCORD_OK);
    for (size_t i = 0; i < ret->count; i++) {
        ck_assert_int_ne(ret->lines[i].amount, 0);
        all += ret->lines[i].amount;
    }
    ck_assert_int_eq(all, sums->open);
}

/* One part of a new agreement; what the provider gets of a kind. */
static int64_t alone(const struct accord_term *term, const struct accord_window_period *period,
                     const struct accord_window_sums *sums, const char *kind)
{
    const struct accord_agreement_version version = window_version(term, 1);
    struct accord_window_state state = {0};
    struct window_got got;
    settle(&version, period, sums, &state, &got);
    return window_sum(&got, kind, PROVIDER);
}

/* ---- tiers ---- */

static const struct accord_tier thirty_forty_fifty[] = {
    {0, 300000}, {1000000, 400000}, {5000000, 500000}};
static const struct accord_tier falling[] = {{0, 500000}, {1000000, 400000}};
static const struct accord_tier published_25_30_40[] = {
    {0, 250000}, {50000, 300000}, {300000, 400000}};

static const struct {
    const struct accord_tier *tiers;
    uint32_t count;
    int64_t net;
    int64_t marginal;
    int64_t whole;
} net_tiers[] = {
    {thirty_forty_fifty, 3, 0, 0, 0},
    {thirty_forty_fifty, 3, 1, 0, 0},
    {thirty_forty_fifty, 3, 5, 2, 2}, /* 1.5 */
    {thirty_forty_fifty, 3, 999999, 300000, 300000},
    {thirty_forty_fifty, 3, 1000000, 300000, 400000},
    {thirty_forty_fifty, 3, 1000001, 300000, 400000},
    {thirty_forty_fifty, 3, 3333333, 1233333, 1333333},
    {thirty_forty_fifty, 3, 4999999, 1900000, 2000000},
    {thirty_forty_fifty, 3, 5000000, 1900000, 2500000},
    {thirty_forty_fifty, 3, 7654321, 3227160, 3827160}, /* 3227160.5, 3827160.5 */
    {thirty_forty_fifty, 3, -1000, -300, -300},         /* the first bracket goes on */
    {falling, 2, 999999, 500000, 500000},
    {falling, 2, 1000000, 500000, 400000},
    /* Half-open brackets: ones that end at 499.99 and 2,999.99 would lose two cents of the third.
     */
    {published_25_30_40, 3, 40000, 10000, 10000},
    {published_25_30_40, 3, 10000, 2500, 2500},
    {published_25_30_40, 3, 150000, 42500, 45000},
    {published_25_30_40, 3, 500000, 167500, 200000},
};

START_TEST(test_tiers_on_net)
{
    const struct accord_window_period month = window_month(5);
    const struct accord_window_sums sums = window_sums(net_tiers[_i].net, 7);
    struct accord_term term = {.kind = ACCORD_TERM_TIERED,
                               .payee = PROVIDER,
                               .tiers = net_tiers[_i].tiers,
                               .tier_count = net_tiers[_i].count};
    ck_assert_int_eq(alone(&term, &month, &sums, "tiered"), net_tiers[_i].marginal);
    term.whole = true;
    ck_assert_int_eq(alone(&term, &month, &sums, "tiered"), net_tiers[_i].whole);
}
END_TEST

/* Prices for each one counted, in millionths of a cent; the first three are published examples. */
static const struct accord_tier ten_five_one[] = {{0, 10000000}, {1000, 5000000}, {10000, 1000000}};
static const struct accord_tier below_a_cent[] = {{0, 1000000}, {1000, 800000}, {10000, 500000}};
static const struct accord_tier tiny[] = {{0, 60000}};

static const struct {
    const struct accord_tier *tiers;
    uint32_t count;
    int64_t counted;
    int64_t marginal;
    int64_t whole;
} count_tiers[] = {
    {ten_five_one, 3, 15000, 60000, 15000},
    {below_a_cent, 3, 15000, 10700, 7500},
    {tiny, 1, 65000, 3900, 3900},
    {tiny, 1, 25, 2, 2}, /* 1.5 */
    {tiny, 1, 0, 0, 0},
    {below_a_cent, 3, 1001, 1001, 801}, /* 1000.8, 800.8 */
};

START_TEST(test_tiers_on_counts)
{
    static const enum accord_metric metrics[] = {ACCORD_METRIC_LINES, ACCORD_METRIC_UNITS,
                                                 ACCORD_METRIC_LEARNERS};
    const struct accord_window_period month = window_month(5);
    for (size_t m = 0; m < 3; m++) {
        struct accord_window_sums sums = {.net = 777777, .base = 777777, .open = 777777};
        struct accord_term term = {.kind = ACCORD_TERM_TIERED,
                                   .payee = PROVIDER,
                                   .metric = metrics[m],
                                   .tiers = count_tiers[_i].tiers,
                                   .tier_count = count_tiers[_i].count};
        if (metrics[m] == ACCORD_METRIC_LINES)
            sums.lines = count_tiers[_i].counted;
        else if (metrics[m] == ACCORD_METRIC_UNITS)
            sums.units = count_tiers[_i].counted;
        else
            sums.new_learners[ACCORD_WINDOW_PERIOD] = count_tiers[_i].counted;
        ck_assert_int_eq(alone(&term, &month, &sums, "tiered"), count_tiers[_i].marginal);
        term.whole = true;
        ck_assert_int_eq(alone(&term, &month, &sums, "tiered"), count_tiers[_i].whole);
    }
}
END_TEST

/* The number of learners decides the share of net, of the whole year each time: 60 % up to 99
 * learners, 70 % from 100 on. */
START_TEST(test_share_by_count)
{
    static const struct accord_tier tiers[] = {{0, 600000}, {100, 700000}};
    const struct accord_term term = {.kind = ACCORD_TERM_TIERED,
                                     .payee = PROVIDER,
                                     .window = ACCORD_WINDOW_YEAR,
                                     .metric = ACCORD_METRIC_LEARNERS,
                                     .whole = true,
                                     .of_net = true,
                                     .tiers = tiers,
                                     .tier_count = 2};
    const struct accord_agreement_version version = window_version(&term, 1);
    struct accord_window_state state = {0};
    struct window_got got;
    struct accord_window_sums sums = window_sums(500000, 99);
    struct accord_window_period month = window_month(12);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "tiered", PROVIDER), 300000);
    ck_assert_int_eq(window_sum(&got, "residual", PLATFORM), 200000);
    sums = window_sums(10000, 1);
    month = window_month(13);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "tiered", PROVIDER), 57000); /* 357,000 - 300,000 */
    ck_assert_int_eq(window_sum(&got, "residual", PLATFORM), -47000);
    month = window_month(24); /* a new year begins at 60 % */
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "tiered", PROVIDER), 6000);
}
END_TEST

/* Sixty per cent up to 10,000.00 a year, then seventy; 9,950.00 are there, 100.00 come: 30 + 35. */
START_TEST(test_tier_boundary_inside_one_line)
{
    static const struct accord_tier tiers[] = {{0, 600000}, {1000000, 700000}};
    const struct accord_term term = {.kind = ACCORD_TERM_TIERED,
                                     .payee = PROVIDER,
                                     .window = ACCORD_WINDOW_YEAR,
                                     .tiers = tiers,
                                     .tier_count = 2};
    const struct accord_agreement_version version = window_version(&term, 1);
    const struct accord_window_period january = window_month(12);
    const struct accord_window_period february = window_month(13);
    struct accord_window_sums sums = window_sums(995000, 1);
    struct accord_window_state state = {0};
    struct window_got got;
    settle(&version, &january, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "tiered", PROVIDER), 597000);
    sums = window_sums(10000, 1);
    settle(&version, &february, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "tiered", PROVIDER), 6500);
    ck_assert_int_eq(window_sum(&got, "residual", PLATFORM), 3500);
}
END_TEST

/* ---- CPA and greater-of ---- */

static const struct {
    int64_t count;
    int64_t pay;
} cpa[] = {{0, 20000},    {15, 20000},   {16, 20000},   {17, 21250},
           {119, 148750}, {120, 150000}, {121, 150000}, {137, 150000}};

START_TEST(test_cpa)
{
    const struct accord_term term = {.kind = ACCORD_TERM_CPA,
                                     .payee = PROVIDER,
                                     .metric = ACCORD_METRIC_LINES,
                                     .amount_minor = 1250,
                                     .floor_minor = 20000,
                                     .cap_minor = 150000};
    const struct accord_window_period month = window_month(5);
    const struct accord_window_sums sums = window_sums(12345678, cpa[_i].count);
    ck_assert_int_eq(alone(&term, &month, &sums, "cpa"), cpa[_i].pay);
}
END_TEST

/* A floor of a year waits for its end, however little there is; a cap cuts at once. */
START_TEST(test_cpa_of_a_year)
{
    const struct accord_term term = {.kind = ACCORD_TERM_CPA,
                                     .payee = PROVIDER,
                                     .window = ACCORD_WINDOW_YEAR,
                                     .metric = ACCORD_METRIC_UNITS,
                                     .amount_minor = 1250,
                                     .floor_minor = 20000,
                                     .cap_minor = 150000};
    const struct accord_agreement_version version = window_version(&term, 1);
    struct accord_window_state state = {0};
    struct window_got got;
    struct accord_window_sums sums = window_sums(100000, 10);
    struct accord_window_period month = window_month(22);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "cpa", PROVIDER), 12500);
    sums = window_sums(100000, 2);
    month = window_month(23);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "cpa", PROVIDER), 7500); /* 15,000 came to 20,000 */
    sums = window_sums(100000, 100);
    month = window_month(24);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "cpa", PROVIDER), 125000);
    month = window_month(25);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "cpa", PROVIDER), 25000);
    sums = window_sums(-1000, -81); /* taken back: 119 are left */
    month = window_month(26);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "cpa", PROVIDER), -1250);
}
END_TEST

/* Distinct learners are counted per window, whether or not there is a floor or cap. */
START_TEST(test_cpa_per_learner)
{
    const struct accord_term term = {.kind = ACCORD_TERM_CPA,
                                     .payee = PROVIDER,
                                     .window = ACCORD_WINDOW_LIFE,
                                     .metric = ACCORD_METRIC_LEARNERS,
                                     .amount_minor = 500,
                                     .floor_minor = -1,
                                     .cap_minor = -1};
    const struct accord_window_period month = window_month(5);
    const struct accord_window_sums sums = {
        .net = 9000,
        .base = 9000,
        .open = 9000,
        .lines = 9,
        .new_learners = {
            [ACCORD_WINDOW_PERIOD] = 5, [ACCORD_WINDOW_YEAR] = 4, [ACCORD_WINDOW_LIFE] = 3}};
    ck_assert_int_eq(alone(&term, &month, &sums, "cpa"), 1500);
}
END_TEST

/* Without floor, cap or learners it was paid line by line. */
START_TEST(test_cpa_per_line_is_not_paid_again)
{
    const struct accord_term term = {.kind = ACCORD_TERM_CPA,
                                     .payee = PROVIDER,
                                     .metric = ACCORD_METRIC_LINES,
                                     .amount_minor = 500,
                                     .floor_minor = -1,
                                     .cap_minor = -1};
    const struct accord_window_period month = window_month(5);
    const struct accord_window_sums sums = window_sums(9000, 9);
    ck_assert_int_eq(alone(&term, &month, &sums, NULL), 0);
}
END_TEST

static const struct {
    int64_t units;
    int64_t pay;
} greater[] = {{50, 30000}, {60, 30000}, {61, 30500}};

START_TEST(test_greater_of)
{
    const struct accord_term term = {.kind = ACCORD_TERM_GREATER_OF,
                                     .payee = PROVIDER,
                                     .metric = ACCORD_METRIC_UNITS,
                                     .share_ppm = 300000,
                                     .amount_minor = 500};
    const struct accord_window_period month = window_month(5);
    const struct accord_window_sums sums = window_sums(100000, greater[_i].units);
    ck_assert_int_eq(alone(&term, &month, &sums, "greater_of"), greater[_i].pay);
}
END_TEST

/* ---- advance ---- */

enum { ADVANCE_PERIODS = 4 };

static const struct {
    int64_t amount;
    int64_t minimum;
    size_t count;
    struct {
        int64_t earned;
        int64_t recouped;
        int64_t payable;
        int64_t unrecouped;
        int64_t carry;
    } rows[ADVANCE_PERIODS];
    int64_t true_up;
    int64_t total;
} advances[] = {
    /* clang-format off */
    {1000000, 3000000, 4, {{250000, 250000, 0, 750000, 0}, {600000, 600000, 0, 150000, 0}, {900000, 150000, 750000, 0, 0}, {400000, 0, 400000, 0, 0}}, 850000, 3000000},
    {1000000, 3000000, 4, {{250000, 250000, 0, 750000, 0}, {600000, 600000, 0, 150000, 0}, {900000, 150000, 750000, 0, 0}, {1900000, 0, 1900000, 0, 0}}, 0, 3650000},
    {1000000, 0, 4, {{600000, 600000, 0, 400000, 0}, {700000, 400000, 300000, 0, 0}, {-50000, 0, 0, 0, -50000}, {400000, 0, 350000, 0, 0}}, 0, 1650000},
    {1000000, 0, 2, {{100000, 100000, 0, 900000, 0}, {100000, 100000, 0, 800000, 0}}, 0, 1000000},
    /* Without an advance 300 would be payable in the last month; one of it was paid up front. */
    {1, 0, 3, {{-300, 0, 0, 1, -300}, {100, 0, 0, 1, -200}, {500, 1, 299, 0, 0}}, 0, 300},
    /* clang-format on */
};

START_TEST(test_advance)
{
    const struct accord_term term = {.kind = ACCORD_TERM_ADVANCE,
                                     .payee = PROVIDER,
                                     .funded_by = CHANNEL,
                                     .amount_minor = advances[_i].amount,
                                     .minimum_minor = advances[_i].minimum};
    const struct accord_agreement_version version = window_version(&term, 1);
    struct accord_window_state state = {0};
    int64_t total = 0;
    for (size_t i = 0; i < advances[_i].count; i++) {
        const int64_t earned = advances[_i].rows[i].earned;
        struct accord_window_period month = window_month(5 + (int64_t)i);
        /* The lines gave it; nothing is open. */
        const struct accord_window_sums sums = {
            .net = earned, .base = earned, .shares = {[PROVIDER] = earned}};
        struct window_got got;
        month.first_of_life = i == 0;
        month.ends_life = i + 1 == advances[_i].count;
        settle(&version, &month, &sums, &state, &got);
        ck_assert_int_eq(window_sum(&got, "advance", PROVIDER), i == 0 ? advances[_i].amount : 0);
        ck_assert_int_eq(window_sum(&got, "recoupment", PROVIDER), -advances[_i].rows[i].recouped);
        ck_assert_int_eq(window_sum(&got, "true_up", PROVIDER),
                         month.ends_life ? advances[_i].true_up : 0);
        ck_assert_int_eq(window_sum(&got, NULL, CHANNEL), -window_sum(&got, NULL, PROVIDER));
        ck_assert_int_eq(state.accounts[0].unrecouped, advances[_i].rows[i].unrecouped);
        ck_assert_int_eq(state.accounts[0].carry, advances[_i].rows[i].carry);
        /* What is payable is what was earned so far and not recouped, and never less than zero. */
        total += earned + window_sum(&got, NULL, PROVIDER);
    }
    ck_assert_int_eq(total, advances[_i].total);
    ck_assert_int_eq(state.accounts[0].paid, advances[_i].total);
}
END_TEST

/* ---- guarantee ---- */

static const struct accord_term five_thousand = {.kind = ACCORD_TERM_GUARANTEE,
                                                 .payee = PROVIDER,
                                                 .funded_by = CHANNEL,
                                                 .amount_minor = 500000,
                                                 .recoup = true};

/* Lines that gave the provider this much. */
static struct accord_window_sums given(int64_t earned)
{
    return (struct accord_window_sums){
        .net = earned, .base = earned, .shares = {[PROVIDER] = earned}};
}

START_TEST(test_guarantee_and_recoupment)
{
    const struct accord_agreement_version version = window_version(&five_thousand, 1);
    struct accord_window_state state = {0};
    struct window_got got;
    struct accord_window_sums sums = given(320000);
    struct accord_window_period month = window_month(5);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "guarantee", PROVIDER), 180000);
    ck_assert_int_eq(window_sum(&got, "guarantee", CHANNEL), -180000);
    sums = given(650000);
    month = window_month(6);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "recoupment", PROVIDER), -150000); /* pays 5,000.00 */
    ck_assert_int_eq(window_sum(&got, "recoupment", CHANNEL), 150000);
    ck_assert_int_eq(state.accounts[0].to_recoup, 30000);
    sums = given(600000);
    month = window_month(7);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "recoupment", PROVIDER), -30000); /* all that is left */
    settle(&version, &month, &sums, &state, &got);
    ck_assert_uint_eq(got.count, 0);
}
END_TEST

START_TEST(test_guarantee_that_is_not_recouped)
{
    struct accord_term term = five_thousand;
    term.recoup = false;
    const struct accord_agreement_version version = window_version(&term, 1);
    struct accord_window_state state = {0};
    struct window_got got;
    struct accord_window_sums sums = given(-100);
    struct accord_window_period month = window_month(5);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "guarantee", PROVIDER), 500100);
    sums = given(650000);
    month = window_month(6);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_uint_eq(got.count, 0);
}
END_TEST

/* Of a month the agreement was in force for 10 of 30 days: 166,666.67. */
START_TEST(test_guarantee_with_a_part_month)
{
    struct accord_window_period april = window_month(5);
    const struct accord_window_sums sums = given(0);
    april.days = 10;
    ck_assert_int_eq(alone(&five_thousand, &april, &sums, "guarantee"), 166667);
    april.days = 0;
    ck_assert_int_eq(alone(&five_thousand, &april, &sums, "guarantee"), 0);
}
END_TEST

/* The agreement has ended, and in the next year a refund comes in: nobody is promised anything for
 * that month, nor for that year. */
START_TEST(test_nothing_is_promised_after_the_end)
{
    struct accord_term terms[] = {five_thousand,
                                  {.kind = ACCORD_TERM_FLOOR,
                                   .payee = PROVIDER,
                                   .funded_by = CHANNEL,
                                   .window = ACCORD_WINDOW_YEAR,
                                   .amount_minor = 500000},
                                  {.kind = ACCORD_TERM_CPA,
                                   .payee = PROVIDER,
                                   .window = ACCORD_WINDOW_YEAR,
                                   .metric = ACCORD_METRIC_LINES,
                                   .amount_minor = 100,
                                   .floor_minor = 7000,
                                   .cap_minor = -1}};
    const struct accord_agreement_version version = window_version(terms, 3);
    struct accord_window_state state = {0};
    struct window_got got;
    struct accord_window_sums sums = given(1000000);
    struct accord_window_period month = window_month(23);
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, NULL, PROVIDER), 7000);
    sums = given(-100);
    sums.lines = -1;
    month = window_month(24);
    month.days = 0;
    month.ends_life = true;
    settle(&version, &month, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, NULL, PROVIDER), -100); /* the CPA of the line */
}
END_TEST

/* A version that follows another within a month: the month is whole, and its earnings are those of
 * both. */
START_TEST(test_guarantee_across_versions)
{
    const struct accord_agreement_version version = window_version(&five_thousand, 1);
    struct accord_agreement_version next = version;
    struct accord_window_period part = window_month(5);
    struct accord_window_sums sums = given(100000);
    struct accord_window_state state = {0};
    struct window_got got;
    next.version = 2;
    next.terms[0].amount_minor = 600000;
    part.days = 12;
    part.ends_period = false;
    settle(&version, &part, &sums, &state, &got);
    ck_assert_uint_eq(got.count, 0);
    part.days = 18;
    part.ends_period = true;
    sums = given(50000);
    settle(&next, &part, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "guarantee", PROVIDER), 450000);
}
END_TEST

/* A guarantee of the year counts what those of its months gave and took. */
START_TEST(test_guarantee_of_month_and_year)
{
    struct accord_term terms[2] = {five_thousand, five_thousand};
    terms[1].window = ACCORD_WINDOW_YEAR;
    terms[1].amount_minor = 1500000;
    terms[1].recoup = false;
    const struct accord_agreement_version version = window_version(terms, 2);
    static const int64_t earned[] = {100000, 600000, 200000};
    static const int64_t want[] = {400000, -100000, 300000};
    struct accord_window_state state = {0};
    struct window_got got;
    for (int i = 0; i < 3; i++) {
        struct accord_window_period month = window_month(21 + i);
        const struct accord_window_sums sums = given(earned[i]);
        settle(&version, &month, &sums, &state, &got);
        /* 500,000 each month; at the end of the year nothing lacks of 1,500,000. */
        ck_assert_int_eq(window_sum(&got, NULL, PROVIDER), want[i]);
    }
}
END_TEST

/* ---- floors and caps ---- */

START_TEST(test_floor_and_cap)
{
    const struct accord_term terms[] = {
        {.kind = ACCORD_TERM_FLOOR, .payee = PROVIDER, .funded_by = CHANNEL, .amount_minor = 1000},
        {.kind = ACCORD_TERM_CAP,
         .payee = PROVIDER,
         .window = ACCORD_WINDOW_YEAR,
         .amount_minor = 5000}};
    const struct accord_agreement_version version = window_version(terms, 2);
    static const struct {
        int64_t earned;
        int64_t floor;
        int64_t cap;
    } months[] = {
        {400, 600, 0},     /* 1,000 of the year's 5,000 */
        {3500, 0, 0},      /* 4,500 */
        {2000, 0, -1500},  /* 6,500 */
        {100, 900, -1000}, /* what the floor gave is cut again: the year has its 5,000 */
        {-3000, 4000, -1000}, {1200, 0, -1200},
    };
    struct accord_window_state state = {0};
    for (size_t i = 0; i < sizeof months / sizeof months[0]; i++) {
        struct accord_window_period month = window_month(12 + (int64_t)i);
        const struct accord_window_sums sums = given(months[i].earned);
        struct window_got got;
        settle(&version, &month, &sums, &state, &got);
        ck_assert_int_eq(window_sum(&got, "floor", PROVIDER), months[i].floor);
        ck_assert_int_eq(window_sum(&got, "floor", CHANNEL), -months[i].floor);
        ck_assert_int_eq(window_sum(&got, "cap", PROVIDER), months[i].cap);
        ck_assert_int_eq(window_sum(&got, "cap", PLATFORM), -months[i].cap);
    }
}
END_TEST

/* When a year comes down again below its cap, what was cut is given back. */
START_TEST(test_cap_gives_back)
{
    const struct accord_term term = {.kind = ACCORD_TERM_CAP,
                                     .payee = PROVIDER,
                                     .window = ACCORD_WINDOW_YEAR,
                                     .amount_minor = 5000};
    const struct accord_agreement_version version = window_version(&term, 1);
    static const int64_t earned[] = {6000, -300, -2000, 1000};
    static const int64_t want[] = {-1000, 300, 700, 0};
    struct accord_window_state state = {0};
    for (int i = 0; i < 4; i++) {
        struct accord_window_period month = window_month(12 + i);
        const struct accord_window_sums sums = given(earned[i]);
        struct window_got got;
        settle(&version, &month, &sums, &state, &got);
        ck_assert_int_eq(window_sum(&got, "cap", PROVIDER), want[i]);
    }
}
END_TEST

/* A floor looks at what a guarantee topped up, and a cap at both. */
START_TEST(test_bounds_come_after_guarantees)
{
    struct accord_term terms[3] = {five_thousand,
                                   {.kind = ACCORD_TERM_FLOOR,
                                    .payee = PROVIDER,
                                    .funded_by = PLATFORM,
                                    .amount_minor = 510000},
                                   {.kind = ACCORD_TERM_CAP,
                                    .payee = PROVIDER,
                                    .window = ACCORD_WINDOW_LIFE,
                                    .amount_minor = 505000}};
    const struct accord_agreement_version version = window_version(terms, 3);
    const struct accord_window_period month = window_month(3);
    const struct accord_window_sums sums = given(320000);
    struct accord_window_state state = {0};
    struct window_got got;
    static const struct accord_window_line want[] = {
        {0, "guarantee", PROVIDER, 180000}, {0, "guarantee", CHANNEL, -180000},
        {1, "floor", PROVIDER, 10000},      {1, "floor", PLATFORM, -10000},
        {2, "cap", PROVIDER, -5000},        {2, "cap", PLATFORM, 5000}};
    settle(&version, &month, &sums, &state, &got);
    ck_assert_uint_eq(got.count, 6);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(got.lines[i].term, want[i].term);
        ck_assert_str_eq(got.lines[i].kind, want[i].kind);
        ck_assert_uint_eq(got.lines[i].payee, want[i].payee);
        ck_assert_int_eq(got.lines[i].amount, want[i].amount);
    }
}
END_TEST

/* ---- order of calculation, residual ---- */

/* Terms do not depend on there being enough: the residual may owe. */
START_TEST(test_residual_may_be_negative)
{
    const struct accord_term terms[] = {
        {.kind = ACCORD_TERM_CPA,
         .payee = CHANNEL,
         .metric = ACCORD_METRIC_LINES,
         .amount_minor = 100,
         .floor_minor = 10000,
         .cap_minor = -1},
        {.kind = ACCORD_TERM_SHARE, .payee = PROVIDER, .share_ppm = 600000}};
    const struct accord_agreement_version version = window_version(terms, 2);
    const struct accord_window_period month = window_month(3);
    const struct accord_window_sums sums = {
        .net = 1000, .base = 1000, .open = 400, .lines = 1, .shares = {[PROVIDER] = 600}};
    struct accord_window_state state = {0};
    struct window_got got;
    settle(&version, &month, &sums, &state, &got);
    ck_assert_uint_eq(got.count, 2);
    ck_assert_str_eq(got.lines[0].kind, "cpa");
    ck_assert_int_eq(got.lines[0].amount, 10000);
    ck_assert_str_eq(got.lines[1].kind, "residual");
    ck_assert_uint_eq(got.lines[1].term, 2);
    ck_assert_int_eq(got.lines[1].amount, -9600);
    /* What everybody earned, which later terms look at. */
    for (uint32_t i = 0; i < state.account_count; i++) {
        const struct accord_window_account *account = &state.accounts[i];
        const int64_t want = strcmp(account->payee, "prv-a") == 0   ? 600
                             : strcmp(account->payee, "chn-b") == 0 ? 10000
                                                                    : -9600;
        for (int w = 0; w < ACCORD_WINDOWS; w++)
            ck_assert_int_eq(account->earned[w], want);
    }
    ck_assert_uint_eq(state.account_count, 3);
}
END_TEST

/* A new version applies its tiers to all of the year, and is paid the difference by them. */
START_TEST(test_tiers_across_versions)
{
    static const struct accord_tier old[] = {{0, 500000}};
    static const struct accord_tier new[] = {{0, 600000}, {150000, 700000}};
    struct accord_term term = {.kind = ACCORD_TERM_TIERED,
                               .payee = PROVIDER,
                               .window = ACCORD_WINDOW_YEAR,
                               .tiers = old,
                               .tier_count = 1};
    const struct accord_agreement_version version = window_version(&term, 1);
    term.tiers = new;
    term.tier_count = 2;
    struct accord_agreement_version next = window_version(&term, 1);
    const struct accord_window_sums sums = window_sums(100000, 1);
    struct accord_window_period part = window_month(12);
    struct accord_window_state state = {0};
    struct window_got got;
    next.version = 2;
    part.ends_period = false;
    part.days = 20;
    settle(&version, &part, &sums, &state, &got);
    ck_assert_int_eq(window_sum(&got, "tiered", PROVIDER), 50000);
    part.ends_period = true;
    part.days = 10;
    settle(&next, &part, &sums, &state, &got);
    /* From 100,000 to 200,000 of the year: 50,000 at 60 % and 50,000 at 70 %. */
    ck_assert_int_eq(window_sum(&got, "tiered", PROVIDER), 65000);
}
END_TEST

/* ---- explanation ---- */

struct told {
    char text[2048];
    size_t length;
};

static void tell(void *context, size_t line, const struct accord_step *step)
{
    struct told *told = context;
    char exact[ACCORD_EXACT_TEXT];
    ck_assert_uint_eq(line, 0);
    accord_step_exact_text(step, exact);
    const int written =
        snprintf(told->text + told->length, sizeof told->text - told->length,
                 "%s %s %lld %lld %s %s\n", step->op, step->payee != NULL ? step->payee : "-",
                 (long long)step->amount, (long long)step->rate_ppm, exact[0] != '\0' ? exact : "-",
                 step->rounding != NULL ? step->rounding : "-");
    ck_assert_int_gt(written, 0);
    told->length += (size_t)written;
    ck_assert_uint_lt(told->length, sizeof told->text);
}

START_TEST(test_steps)
{
    static const struct accord_tier tiers[] = {{0, 600000}, {1000000, 700000}};
    const struct accord_term terms[] = {{.kind = ACCORD_TERM_TIERED,
                                         .payee = PROVIDER,
                                         .window = ACCORD_WINDOW_YEAR,
                                         .tiers = tiers,
                                         .tier_count = 2},
                                        {.kind = ACCORD_TERM_TIERED,
                                         .payee = CHANNEL,
                                         .window = ACCORD_WINDOW_YEAR,
                                         .metric = ACCORD_METRIC_LINES,
                                         .whole = true,
                                         .of_net = true,
                                         .tiers = (const struct accord_tier[]){{0, 10000}},
                                         .tier_count = 1},
                                        {.kind = ACCORD_TERM_CPA,
                                         .payee = CHANNEL,
                                         .window = ACCORD_WINDOW_YEAR,
                                         .metric = ACCORD_METRIC_LINES,
                                         .amount_minor = 100,
                                         .floor_minor = -1,
                                         .cap_minor = 150},
                                        {.kind = ACCORD_TERM_GREATER_OF,
                                         .payee = CHANNEL,
                                         .metric = ACCORD_METRIC_UNITS,
                                         .share_ppm = 1000,
                                         .amount_minor = 20},
                                        {.kind = ACCORD_TERM_GUARANTEE,
                                         .payee = PROVIDER,
                                         .funded_by = CHANNEL,
                                         .amount_minor = 7000}};
    const struct accord_agreement_version version = window_version(terms, 5);
    const struct accord_window_period january = window_month(12);
    const struct accord_window_period february = window_month(13);
    struct accord_window_sums sums = window_sums(995004, 1);
    struct accord_window_state state = {0};
    struct window_got got;
    struct told told = {.length = 0};
    /* 597,002.4 and 603,502.8 round to a difference of 6,501, the exact one is 6,500.4. */
    settle(&version, &january, &sums, &state, &got);
    sums = window_sums(10000, 1);
    ck_assert_int_eq(accord_window_settle(&version, &february, &sums, &state, got.lines, &got.count,
                                          NULL, tell, &told),
                     ACCORD_OK);
    ck_assert_str_eq(told.text, "tier - 4996 600000 2997.6 -\n"
                                "tier - 5004 700000 3502.8 -\n"
                                "tiered prv-a 6501 -1 6500.4 half_even\n"
                                "tier - 2 10000 10050.04 -\n"
                                "so_far - -9950 -1 -9950.04 -\n"
                                "tiered chn-b 100 -1 100 half_even\n"
                                "counted - 2 -1 200 -\n"
                                "so_far - -100 -1 -100 -\n"
                                "cpa chn-b 50 -1 50 half_even\n"
                                "share - 10000 1000 10 -\n"
                                "counted - 1 -1 20 -\n"
                                "greater_of chn-b 20 -1 20 half_even\n"
                                "residual platform 3329 -1 - -\n"
                                "earned prv-a 6501 -1 - -\n"
                                "guarantee prv-a 499 -1 - -\n"
                                "guarantee chn-b -499 -1 - -\n");
}
END_TEST

/* ---- refused ---- */

static void assert_refused(const struct accord_agreement_version *version,
                           const struct accord_window_sums *sums, struct accord_window_state state,
                           enum accord_error want, uint32_t want_term)
{
    const struct accord_window_state before = state;
    const struct accord_window_period month = window_month(5);
    struct accord_window_line lines[ACCORD_WINDOW_LINES_MAX] = {{.amount = 77}};
    size_t count = 77;
    uint32_t term = 77;
    ck_assert_int_eq(
        accord_window_settle(version, &month, sums, &state, lines, &count, &term, NULL, NULL),
        want);
    ck_assert_uint_eq(term, want_term);
    ck_assert_uint_eq(count, 77);
    ck_assert_int_eq(lines[0].amount, 77);
    ck_assert_mem_eq(&state, &before, sizeof state);
    ck_assert_int_eq(
        accord_window_settle(version, &month, sums, &state, lines, &count, NULL, NULL, NULL), want);
}

START_TEST(test_overflow_names_the_term)
{
    static const struct accord_tier tiers[] = {{0, 1000000}};
    const struct accord_term harmless = {.kind = ACCORD_TERM_SHARE, .payee = CHANNEL};
    struct accord_term terms[2] = {harmless,
                                   {.kind = ACCORD_TERM_TIERED,
                                    .payee = PROVIDER,
                                    .window = ACCORD_WINDOW_LIFE,
                                    .tiers = tiers,
                                    .tier_count = 1}};
    struct accord_agreement_version version = window_version(terms, 2);
    struct accord_window_state state = {0};
    struct accord_window_sums sums = {.open = 1};

    /* At the edge it goes well. */
    struct window_got got;
    const struct accord_window_period month = window_month(5);
    sums.base = INT64_MAX;
    sums.open = INT64_MAX;
    settle(&version, &month, &sums, &(struct accord_window_state){0}, &got);
    ck_assert_int_eq(window_sum(&got, "tiered", PROVIDER), INT64_MAX);

    /* Nothing left to take the amount out of: open - amount. */
    sums.open = -2;
    assert_refused(&version, &sums, state, ACCORD_E_OVERFLOW, 1);

    /* The sum of the window itself is nobody's fault. */
    state.sums[ACCORD_WINDOW_LIFE][ACCORD_METRIC_NET] = 1;
    assert_refused(&version, &sums, state, ACCORD_E_OVERFLOW, UINT32_MAX);

    /* n times an amount. */
    terms[1] = (struct accord_term){.kind = ACCORD_TERM_CPA,
                                    .payee = PROVIDER,
                                    .metric = ACCORD_METRIC_LINES,
                                    .amount_minor = ACCORD_AMOUNT_MAX,
                                    .floor_minor = 1,
                                    .cap_minor = -1};
    version = window_version(terms, 2);
    sums = window_sums(0, 1000000);
    assert_refused(&version, &sums, (struct accord_window_state){0}, ACCORD_E_OVERFLOW, 1);
    version.terms[1].cap_minor = 12345; /* a cap saves it */
    settle(&version, &month, &sums, &(struct accord_window_state){0}, &got);
    ck_assert_int_eq(window_sum(&got, "cpa", PROVIDER), 12345);

    /* A top-up of a debt beyond all numbers. */
    terms[1] = five_thousand;
    version = window_version(terms, 2);
    sums = given(INT64_MIN);
    assert_refused(&version, &sums, (struct accord_window_state){0}, ACCORD_E_OVERFLOW, 1);
}
END_TEST

START_TEST(test_too_many_payees)
{
    static const char *const ids[] = {"p00", "p01", "p02", "p03", "p04", "p05", "p06", "p07", "p08",
                                      "p09", "p10", "p11", "p12", "p13", "p14", "p15", "p16"};
    struct accord_agreement_version version = window_version(NULL, 0);
    struct accord_window_state state = {0};
    struct window_got got;
    const struct accord_window_period month = window_month(5);
    const struct accord_window_sums sums = given(1);
    for (int i = 0; i < ACCORD_WINDOW_ACCOUNTS; i++) {
        version.parties[PROVIDER] = ids[i];
        settle(&version, &month, &sums, &state, &got);
    }
    settle(&version, &month, &sums, &state, &got); /* a known one is */
    version.parties[PROVIDER] = ids[ACCORD_WINDOW_ACCOUNTS];
    assert_refused(&version, &sums, state, ACCORD_E_COUNT_OUT_OF_RANGE, UINT32_MAX);
    version.parties[PROVIDER] =
        "a123456789012345678901234567890123456789012345678901234567890123"; /* 64 */
    assert_refused(&version, &sums, (struct accord_window_state){0}, ACCORD_E_TEXT_LENGTH,
                   UINT32_MAX);
    version.parties[PROVIDER] =
        "a12345678901234567890123456789012345678901234567890123456789012"; /* 63 */
    state = (struct accord_window_state){0};
    settle(&version, &month, &sums, &state, &got);
    ck_assert_str_eq(state.accounts[0].payee, version.parties[PROVIDER]);
}
END_TEST

START_TEST(test_days_that_cannot_be)
{
    static const struct {
        int64_t days;
        int64_t of;
    } wrong[] = {{-1, 30}, {31, 30}, {0, 0}, {1, -1}};
    const struct accord_agreement_version version = window_version(&five_thousand, 1);
    const struct accord_window_sums sums = given(1);
    struct accord_window_state state = {0};
    struct window_got got;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct accord_window_period month = window_month(5);
        month.days = wrong[i].days;
        month.days_of_period = wrong[i].of;
        ck_assert_int_eq(window_settle(&version, &month, &sums, &state, &got),
                         ACCORD_E_VALUE_OUT_OF_RANGE);
    }
}
END_TEST

START_TEST(test_foreign_indexes)
{
    const struct accord_window_sums sums = given(1);
    struct accord_agreement_version version = window_version(&five_thousand, 1);
    version.terms[0].payee = 3;
    assert_refused(&version, &sums, (struct accord_window_state){0}, ACCORD_E_PAYEE_NOT_PARTY, 0);
    version = window_version(&five_thousand, 1);
    version.terms[0].funded_by = 3;
    assert_refused(&version, &sums, (struct accord_window_state){0}, ACCORD_E_FUNDER_NOT_PARTY, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("window");
    TCase *tc = tcase_create("window");
    tcase_add_loop_test(tc, test_tiers_on_net, 0, sizeof net_tiers / sizeof net_tiers[0]);
    tcase_add_loop_test(tc, test_tiers_on_counts, 0, sizeof count_tiers / sizeof count_tiers[0]);
    tcase_add_test(tc, test_share_by_count);
    tcase_add_test(tc, test_tier_boundary_inside_one_line);
    tcase_add_loop_test(tc, test_cpa, 0, sizeof cpa / sizeof cpa[0]);
    tcase_add_test(tc, test_cpa_of_a_year);
    tcase_add_test(tc, test_cpa_per_learner);
    tcase_add_test(tc, test_cpa_per_line_is_not_paid_again);
    tcase_add_loop_test(tc, test_greater_of, 0, sizeof greater / sizeof greater[0]);
    tcase_add_loop_test(tc, test_advance, 0, sizeof advances / sizeof advances[0]);
    tcase_add_test(tc, test_guarantee_and_recoupment);
    tcase_add_test(tc, test_guarantee_that_is_not_recouped);
    tcase_add_test(tc, test_guarantee_with_a_part_month);
    tcase_add_test(tc, test_nothing_is_promised_after_the_end);
    tcase_add_test(tc, test_guarantee_across_versions);
    tcase_add_test(tc, test_guarantee_of_month_and_year);
    tcase_add_test(tc, test_floor_and_cap);
    tcase_add_test(tc, test_cap_gives_back);
    tcase_add_test(tc, test_bounds_come_after_guarantees);
    tcase_add_test(tc, test_residual_may_be_negative);
    tcase_add_test(tc, test_tiers_across_versions);
    tcase_add_test(tc, test_steps);
    tcase_add_test(tc, test_overflow_names_the_term);
    tcase_add_test(tc, test_too_many_payees);
    tcase_add_test(tc, test_days_that_cannot_be);
    tcase_add_test(tc, test_foreign_indexes);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
