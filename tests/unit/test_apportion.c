#include "accord/apportion.h"

#include <stdbool.h>
#include <string.h>

#include "unit.h"

enum { PARTS_MAX = 12 };

struct split {
    int64_t total;
    size_t count;
    int64_t weights[PARTS_MAX];
    int64_t parts[PARTS_MAX];
};

/* Published splits (documentation of ledgers and libraries, apportionment textbooks, ASC 606) and
 * exact rationals computed apart from this code. */
static const struct split published[] = {
    /* clang-format off */
    {15, 3, {80, 8, 12}, {12, 1, 2}},
    {15, 3, {80, 15, 5}, {12, 2, 1}},
    {100, 3, {120, 71, 9}, {60, 36, 4}},
    {77, 3, {10, 20, 70}, {8, 15, 54}},
    {30, 2, {1, 2}, {10, 20}},
    {5, 2, {70, 30}, {4, 1}},
    {5, 2, {30, 70}, {2, 3}},
    {800, 3, {1, 1, 1}, {267, 267, 266}},
    {100000, 6, {1, 1, 1, 1, 1, 1}, {16667, 16667, 16667, 16667, 16666, 16666}},
    {10, 3, {1, 2, 3}, {2, 3, 5}},
    {360, 4, {15, 12, 10, 2}, {139, 111, 92, 18}},
    {100, 4, {3406583, 11997409, 2399002, 7197006}, {14, 48, 9, 29}},
    {25, 6, {1500, 1500, 900, 500, 500, 200}, {7, 7, 4, 3, 3, 1}},
    {26, 6, {1500, 1500, 900, 500, 500, 200}, {8, 8, 5, 2, 2, 1}},
    {80, 3, {20, 30, 40}, {18, 27, 35}},
    {100, 3, {50, 25, 75}, {33, 17, 50}},
    {1, 3, {1, 1, 1}, {1, 0, 0}},
    {2, 3, {1, 1, 1}, {1, 1, 0}},
    {0, 2, {5, 7}, {0, 0}},
    {10000, 3, {1, 1, 1}, {3334, 3333, 3333}},
    {-10000, 3, {1, 1, 1}, {-3334, -3333, -3333}},
    {19900, 3, {9900, 12900, 6900}, {6633, 8644, 4623}},
    {7, 4, {0, 3, 0, 3}, {0, 4, 0, 3}},
    {INT64_C(9007199254740993), 3, {1, 2, 4}, {INT64_C(1286742750677285), INT64_C(2573485501354569), INT64_C(5146971002709139)}},
    {INT64_C(9223372036854775807), 3, {3, 3, 1}, {INT64_C(3952873730080618203), INT64_C(3952873730080618203), INT64_C(1317624576693539401)}},
    {1000003, 7, {17, 29, 31, 37, 41, 43, 47}, {69388, 118368, 126531, 151021, 167347, 175511, 191837}},
    /* clang-format on */
};

START_TEST(test_published)
{
    const struct split *want = &published[_i];
    int64_t parts[PARTS_MAX];
    ck_assert_int_eq(accord_apportion(want->total, want->weights, want->count, parts, NULL),
                     ACCORD_OK);
    for (size_t i = 0; i < want->count; i++)
        ck_assert_int_eq(parts[i], want->parts[i]);
}
END_TEST

START_TEST(test_hundred_parts)
{
    int64_t weights[100];
    int64_t parts[100];
    for (size_t i = 0; i < 100; i++)
        weights[i] = 1;
    ck_assert_int_eq(accord_apportion(99, weights, 100, parts, NULL), ACCORD_OK);
    for (size_t i = 0; i < 99; i++)
        ck_assert_int_eq(parts[i], 1);
    ck_assert_int_eq(parts[99], 0);
}
END_TEST

START_TEST(test_errors)
{
    const int64_t zeros[] = {0, 0};
    const int64_t negative[] = {1, -1};
    const int64_t huge[] = {INT64_MAX, 1};
    const int64_t one[] = {1};
    int64_t parts[2] = {77, 88};
    ck_assert_int_eq(accord_apportion(1, zeros, 2, parts, NULL), ACCORD_E_WEIGHTS_ZERO);
    ck_assert_int_eq(accord_apportion(1, NULL, 0, parts, NULL), ACCORD_E_WEIGHTS_ZERO);
    ck_assert_int_eq(accord_apportion(1, negative, 2, parts, NULL), ACCORD_E_WEIGHT_NEGATIVE);
    ck_assert_int_eq(accord_apportion(1, huge, 2, parts, NULL), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_apportion(INT64_MIN, one, 1, parts, NULL), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(parts[0], 77);
    ck_assert_int_eq(parts[1], 88);
    ck_assert_int_eq(accord_apportion(0, zeros, 2, parts, NULL), ACCORD_OK);
    ck_assert_int_eq(parts[0], 0);
    ck_assert_int_eq(parts[1], 0);
}
END_TEST

/* Each property of the method, on instances of every size up to the edges of int64. What is said of
 * every pair of parts is gathered first: an assertion of its own for each takes seconds. */
START_TEST(test_properties)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < 500; round++) {
        const size_t count = 1 + (size_t)random_below(&seed, 40);
        const int weight_bits = 1 + (int)random_below(&seed, 57);
        const int total_bits = 1 + (int)random_below(&seed, 63);
        const int64_t total = random_below(&seed, INT64_C(1) << (total_bits - 1)) + 1;
        int64_t weights[40];
        int64_t parts[40];
        struct accord_share shares[40];
        __extension__ __int128 weight_sum = 0;
        for (size_t i = 0; i < count; i++) {
            weights[i] = random_below(&seed, 4) == 0
                             ? 0
                             : random_below(&seed, INT64_C(1) << (weight_bits - 1)) + 1;
            weight_sum += weights[i];
        }
        if (weight_sum == 0)
            continue;
        ck_assert_int_eq(accord_apportion(total, weights, count, parts, shares), ACCORD_OK);

        __extension__ __int128 sum = 0;
        bool quota = true;
        bool zero = true;
        bool explained = true;
        bool ordered = true;
        for (size_t i = 0; i < count; i++) {
            /* quota: |part - exact| < 1, compared without division */
            __extension__ const __int128 exact_times_sum = (__int128)total * weights[i];
            __extension__ const __int128 distance =
                (__int128)parts[i] * weight_sum - exact_times_sum;
            quota = quota && distance < weight_sum && -distance < weight_sum;
            zero = zero && (weights[i] != 0 || parts[i] == 0);
            explained = explained && shares[i].floor + shares[i].extra == parts[i];
            for (size_t j = 0; j < count; j++)
                ordered = ordered && (weights[i] <= weights[j] || parts[i] >= parts[j]);
            sum += parts[i];
        }
        ck_assert_msg(quota, "round %d: a part is a unit or more from its exact share", round);
        ck_assert_msg(zero, "round %d: a weight of zero got something", round);
        ck_assert_msg(explained, "round %d: the explanation is of another part", round);
        ck_assert_msg(ordered, "round %d: a smaller weight got more", round);
        ck_assert_msg(sum == total, "round %d: sum", round);

        int64_t mirror[40];
        ck_assert_int_eq(accord_apportion(-total, weights, count, mirror, NULL), ACCORD_OK);
        bool mirrored = true;
        for (size_t i = 0; i < count; i++)
            mirrored = mirrored && mirror[i] == -parts[i];
        ck_assert_msg(mirrored, "round %d: no mirror", round);

        if (weight_sum < INT64_MAX / 17) {
            int64_t scaled[40];
            int64_t same[40];
            for (size_t i = 0; i < count; i++)
                scaled[i] = weights[i] * 17;
            ck_assert_int_eq(accord_apportion(total, scaled, count, same, NULL), ACCORD_OK);
            ck_assert_mem_eq(same, parts, count * sizeof *parts);
        }

        /* Permutation: a moved part keeps its amount, unless an equal remainder decides by rank. */
        int64_t reversed[40];
        int64_t turned[40];
        for (size_t i = 0; i < count; i++)
            reversed[i] = weights[count - 1 - i];
        ck_assert_int_eq(accord_apportion(total, reversed, count, turned, NULL), ACCORD_OK);
        bool moved_along = true;
        for (size_t i = 0; i < count; i++) {
            bool tied = false;
            for (size_t j = 0; j < count; j++)
                tied = tied || (j != i && shares[j].remainder == shares[i].remainder);
            moved_along = moved_along && (tied || turned[count - 1 - i] == parts[i]);
        }
        ck_assert_msg(moved_along, "round %d: position changes a part", round);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("apportion");
    TCase *tests = tcase_create("largest remainder");
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, test_published, 0, sizeof published / sizeof *published);
    tcase_add_test(tests, test_hundred_parts);
    tcase_add_test(tests, test_errors);
    tcase_add_loop_test(tests, test_properties, 0, 20);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
