#include "accord/withholding.h"

#include <string.h>

#include "unit.h"

/* The labour fees of one country, fen a month: up to 4,000 yuan 800 are free, above it a fifth; of
 * the rest 20 % up to 20,000, 30 % less 2,000 up to 50,000, 40 % less 7,000 above, so that the last
 * two begin at 25,000 and 62,500 yuan. */
static const struct accord_withholding labour = {
    .steps = {{.over_minor = 0, .deduct_minor = 80000, .rate_ppm = 200000},
              {.over_minor = 400000, .deduct_ppm = 200000, .rate_ppm = 200000},
              {.over_minor = 2500000,
               .deduct_ppm = 200000,
               .rate_ppm = 300000,
               .quick_deduction_minor = 200000},
              {.over_minor = 6250000,
               .deduct_ppm = 200000,
               .rate_ppm = 400000,
               .quick_deduction_minor = 700000}},
    .step_count = 4,
};
static const struct accord_withholding flat = {.steps = {{.rate_ppm = 300000}}, .step_count = 1};
static const struct accord_withholding whole = {.steps = {{.rate_ppm = 1000000}}, .step_count = 1};
/* Takes 500 of whoever earns more than 1000, and nothing of the others. */
static const struct accord_withholding jump = {
    .steps = {{.quick_deduction_minor = 1}, {.over_minor = 1000, .rate_ppm = 500000}},
    .step_count = 2,
};

static const struct {
    const struct accord_withholding *table;
    int64_t base;
    int64_t want;
    const char *exact;
} withheld[] = {
    {&labour, 80000, 0, "0"},
    {&labour, 300000, 44000, "44000"},
    {&labour, 400000, 64000, "64000"},
    {&labour, 400100, 64016, "64016"},
    {&labour, 2500000, 400000, "400000"},
    {&labour, 3000000, 520000, "520000"},
    {&labour, 6250000, 1300000, "1300000"},
    {&labour, 10000000, 2500000, "2500000"},
    {&labour, 79999, 0, "0"},
    {&labour, 80001, 0, "0.2"},
    {&labour, 80003, 1, "0.6"},
    {&labour, 400001, 64000, "64000.16"},
    {&labour, 2500001, 400000, "400000.24"},
    {&labour, 6250001, 1300000, "1300000.32"},
    {&labour, 0, 0, "0"},
    {&labour, -5, 0, "0"},
    {&labour, INT64_MIN, 0, "0"},
    /* 0.32 · (2^63 − 1) − 700,000 = 2951479051793528258.24 − 700,000 */
    {&labour, INT64_MAX, INT64_C(2951479051792828258), "2951479051792828258.24"},
    {&flat, 10000, 3000, "3000"},
    {&flat, 5, 2, "1.5"},  /* half to even */
    {&flat, 15, 4, "4.5"}, /* half to even */
    {&flat, 1, 0, "0.3"},
    {&flat, INT64_MAX, INT64_C(2767011611056432742), "2767011611056432742.1"},
    {&whole, 1, 1, "1"},
    {&whole, INT64_MAX, INT64_MAX, "9223372036854775807"},
    {&jump, 1000, 0, "-1"}, /* never negative */
    {&jump, 1001, 500, "500.5"},
    {&jump, 1003, 502, "501.5"},
};

START_TEST(test_withheld)
{
    int64_t got = -77;
    struct accord_step step;
    char exact[ACCORD_EXACT_TEXT];
    ck_assert_int_eq(accord_withholding_of(withheld[_i].table, withheld[_i].base, &got, &step),
                     ACCORD_OK);
    ck_assert_int_eq(got, withheld[_i].want);
    accord_step_exact_text(&step, exact);
    ck_assert_str_eq(exact, withheld[_i].exact);
    ck_assert_str_eq(step.op, "withholding");
    ck_assert_int_eq(step.amount, -withheld[_i].want);
    got = -77;
    ck_assert_int_eq(accord_withholding_of(withheld[_i].table, withheld[_i].base, &got, NULL),
                     ACCORD_OK);
    ck_assert_int_eq(got, withheld[_i].want);
}
END_TEST

/* A step that takes more than there is takes all there is. */
START_TEST(test_never_more_than_the_base)
{
    const struct accord_withholding table = {
        .steps = {{.rate_ppm = 1000000}, {.over_minor = 10, .rate_ppm = 999999}}, .step_count = 2};
    int64_t got = 0;
    ck_assert_int_eq(accord_withholding_of(&table, 10, &got, NULL), ACCORD_OK);
    ck_assert_int_eq(got, 10);
    ck_assert_int_eq(accord_withholding_of(&table, 11, &got, NULL), ACCORD_OK);
    ck_assert_int_eq(got, 11);
}
END_TEST

START_TEST(test_refused)
{
    struct accord_withholding table = labour;
    int64_t got = 77;
    uint32_t at = 99;
    ck_assert_int_eq(accord_withholding_check(&labour, &at), ACCORD_OK);
    ck_assert_uint_eq(at, 99);
    table.step_count = 0;
    ck_assert_int_eq(accord_withholding_check(&table, &at), ACCORD_E_COUNT_OUT_OF_RANGE);
    ck_assert_uint_eq(at, UINT32_MAX);
    table.step_count = ACCORD_WITHHOLDING_STEPS_MAX + 1;
    ck_assert_int_eq(accord_withholding_check(&table, NULL), ACCORD_E_COUNT_OUT_OF_RANGE);
    ck_assert_int_eq(accord_withholding_of(&table, 1, &got, NULL), ACCORD_E_COUNT_OUT_OF_RANGE);
    ck_assert_int_eq(got, 77);

    for (int i = 0; i < 8; i++) {
        table = labour;
        struct accord_withholding_step *step = &table.steps[2];
        switch (i) {
        case 0:
            step->over_minor = 400000; /* not above the one before */
            break;
        case 1:
            step->rate_ppm = 1000001;
            break;
        case 2:
            step->rate_ppm = -1;
            break;
        case 3:
            step->deduct_ppm = 1000001;
            break;
        case 4:
            step->deduct_minor = ACCORD_AMOUNT_MAX + 1;
            break;
        case 5:
            step->quick_deduction_minor = -1;
            break;
        case 6:
            step->quick_deduction_minor = ACCORD_AMOUNT_MAX + 1;
            break;
        default:
            step->over_minor = 399999; /* out of order */
            break;
        }
        at = 99;
        ck_assert_int_eq(accord_withholding_check(&table, &at), ACCORD_E_VALUE_OUT_OF_RANGE);
        ck_assert_uint_eq(at, 2);
        ck_assert_int_eq(accord_withholding_of(&table, 1, &got, NULL), ACCORD_E_VALUE_OUT_OF_RANGE);
        ck_assert_int_eq(got, 77);
    }
    table = labour;
    table.steps[0].over_minor = 1;
    ck_assert_int_eq(accord_withholding_check(&table, &at), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_uint_eq(at, 0);
}
END_TEST

static struct accord_withholding draw_table(uint64_t *seed)
{
    struct accord_withholding table = {.step_count = 1 + (uint32_t)random_below(seed, 5)};
    int64_t over = 0;
    for (uint32_t i = 0; i < table.step_count; i++) {
        struct accord_withholding_step *step = &table.steps[i];
        step->over_minor = over;
        over += 1 + random_below(seed, 1000);
        step->rate_ppm = random_below(seed, 1000001);
        if (random_below(seed, 2) == 0)
            step->deduct_ppm = random_below(seed, 1000001);
        if (random_below(seed, 2) == 0)
            step->deduct_minor = random_below(seed, 300);
        if (random_below(seed, 2) == 0)
            step->quick_deduction_minor = random_below(seed, 300);
    }
    return table;
}

/* Within its bounds at every base and, inside one step, never falling as the base grows. */
START_TEST(test_bounds_and_monotone)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < 60; round++) {
        const struct accord_withholding table = draw_table(&seed);
        int64_t before = 0;
        uint32_t before_step = 0;
        bool fine = true;
        for (int64_t base = -10; base < 4000; base++) {
            int64_t got = 0;
            uint32_t step = 0;
            while (step + 1 < table.step_count && table.steps[step + 1].over_minor < base)
                step++;
            fine = fine && accord_withholding_of(&table, base, &got, NULL) == ACCORD_OK;
            fine = fine && got >= 0 && got <= (base > 0 ? base : 0);
            fine = fine && (step != before_step || got >= before);
            before = got;
            before_step = step;
        }
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* A table whose steps meet is monotone throughout, whatever its printed form: here the labour fee,
 * every base around its edges and at random. */
START_TEST(test_labour_is_monotone_and_lipschitz)
{
    static const int64_t edges[] = {0, 80000, 400000, 2500000, 6250000};
    for (size_t e = 0; e < sizeof edges / sizeof edges[0]; e++) {
        int64_t before = 0;
        bool fine = accord_withholding_of(&labour, edges[e] - 200, &before, NULL) == ACCORD_OK;
        for (int64_t base = edges[e] - 199; base < edges[e] + 200; base++) {
            int64_t got = 0;
            fine = fine && accord_withholding_of(&labour, base, &got, NULL) == ACCORD_OK;
            fine = fine && got >= before && got <= before + 1;
            before = got;
        }
        ck_assert_msg(fine, "edge %zu", e);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("withholding");
    TCase *tc = tcase_create("withholding");
    tcase_add_loop_test(tc, test_withheld, 0, sizeof withheld / sizeof withheld[0]);
    tcase_add_test(tc, test_never_more_than_the_base);
    tcase_add_test(tc, test_refused);
    tcase_add_loop_test(tc, test_bounds_and_monotone, 0, 4);
    tcase_add_test(tc, test_labour_is_monotone_and_lipschitz);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
