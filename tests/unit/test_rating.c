#include "accord/rating.h"

#include "unit.h"

/* IMDb's weighted rating and this service's golden case, from exact fractions. */
static const struct {
    int64_t histogram[ACCORD_RATING_BEST];
    struct accord_rating_prior prior;
    struct accord_rating want;
} rated[] = {
    {{0, 0, 0, 0, 5}, {4200, 20}, {5, 5000, 4360}},
    {{0, 0, 0, 0, 1}, {4500, 50}, {1, 5000, 4510}},       /* 230/51 */
    {{0, 0, 0, 0, 1000}, {4500, 50}, {1000, 5000, 4976}}, /* 209/42 */
    {{0, 0, 0, 0, 0}, {4500, 50}, {0, 0, 4500}},
    {{0, 0, 0, 0, 0}, {4500, 0}, {0, 0, 0}},
    {{1, 0, 0, 1, 0}, {3000, 0}, {2, 2500, 2500}},
    {{2, 1, 0, 0, 0}, {3000, 0}, {3, 1333, 1333}},
    {{15, 1, 0, 0, 0}, {3000, 0}, {16, 1062, 1062}}, /* 1062.5: half to even */
    {{13, 3, 0, 0, 0}, {3000, 0}, {16, 1188, 1188}}, /* 1187.5 */
    {{1, 2, 3, 4, 5}, {3500, 15}, {15, 3667, 3583}}, /* 55/15, 107.5/30 */
};

START_TEST(test_rated)
{
    struct accord_rating got;
    ck_assert_int_eq(accord_rating_of(rated[_i].histogram, rated[_i].prior, &got), ACCORD_OK);
    ck_assert_int_eq(got.count, rated[_i].want.count);
    ck_assert_int_eq(got.mean_milli, rated[_i].want.mean_milli);
    ck_assert_int_eq(got.bayesian_milli, rated[_i].want.bayesian_milli);
}
END_TEST

START_TEST(test_refused)
{
    const struct accord_rating_prior prior = {4000, 10};
    const int64_t one[ACCORD_RATING_BEST] = {0, 0, 0, 0, 1};
    const int64_t negative[ACCORD_RATING_BEST] = {0, 0, -1, 0, 1};
    const int64_t huge[ACCORD_RATING_BEST] = {0, 0, 0, 0, INT64_MAX / 1000};
    const int64_t edge[ACCORD_RATING_BEST] = {INT64_MAX / 1000, 0, 0, 0, 0};
    struct accord_rating got = {.count = 77};
    ck_assert_int_eq(accord_rating_of(negative, prior, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_rating_of(huge, prior, &got), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_rating_of(edge, prior, &got), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_rating_of(one, (struct accord_rating_prior){999, 1}, &got),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_rating_of(one, (struct accord_rating_prior){5001, 1}, &got),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_rating_of(one, (struct accord_rating_prior){4000, -1}, &got),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(got.count, 77);
}
END_TEST

/* More good ratings never lower a course; few stay nearer to the prior than many. */
START_TEST(test_monotone)
{
    const struct accord_rating_prior prior = {4000, 25};
    int64_t histogram[ACCORD_RATING_BEST] = {0};
    int64_t last = 4000;
    for (int i = 0; i < 2000; i++) {
        struct accord_rating got;
        histogram[4]++;
        ck_assert_int_eq(accord_rating_of(histogram, prior, &got), ACCORD_OK);
        ck_assert_int_ge(got.bayesian_milli, last);
        ck_assert_int_lt(got.bayesian_milli, 5000);
        last = got.bayesian_milli;
    }
    ck_assert_int_gt(last, 4980);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("rating");
    TCase *tests = tcase_create("mean and shrunk mean");
    tcase_add_loop_test(tests, test_rated, 0, sizeof rated / sizeof *rated);
    tcase_add_test(tests, test_refused);
    tcase_add_test(tests, test_monotone);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
