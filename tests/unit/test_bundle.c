#include "accord/bundle.h"

#include <stdbool.h>

#include "unit.h"

__extension__ typedef __int128 i128;

enum { ITEMS = 12 };

struct sale {
    int64_t price;
    size_t count;
    int64_t weights[4];
    int64_t parts[4];
};

/* Published allocations and exact rationals computed apart from this code. */
static const struct sale sales[] = {
    /* clang-format off */
    {100, 3, {50, 25, 75}, {33, 17, 50}},                       /* ASC 606, example 33 */
    {60, 2, {55, 45}, {33, 27}},                                /* example 34 A: 40 stand alone */
    {80, 3, {20, 30, 40}, {18, 27, 35}},                        /* a handbook's example 5 */
    {19900, 3, {9900, 12900, 6900}, {6633, 8644, 4623}},
    {29900, 3, {19900, 9900, 9900}, {14988, 7456, 7456}},
    {12000, 3, {10000, 8000, 0}, {6667, 5333, 0}},
    {2, 4, {1, 1, 1, 1}, {1, 1, 0, 0}},
    {0, 2, {0, 0}, {0, 0}},
    {INT64_MAX, 3, {3, 3, 1}, {INT64_C(3952873730080618203), INT64_C(3952873730080618203), INT64_C(1317624576693539401)}},
    /* clang-format on */
};

/* By each basis alike, when the number stands in its field. */
START_TEST(test_sales)
{
    const struct sale *want = &sales[_i];
    for (int basis = 0; basis < (int)ACCORD_BUNDLE_EQUAL; basis++) {
        struct accord_bundle_item items[4];
        struct accord_share shares[4];
        int64_t weights[4];
        int64_t parts[4];
        for (size_t i = 0; i < want->count; i++) {
            items[i] = (struct accord_bundle_item){-5, -5, -5}; /* not looked at */
            if (basis == (int)ACCORD_BUNDLE_LIST_PRICE)
                items[i].list_price_minor = want->weights[i];
            else if (basis == (int)ACCORD_BUNDLE_WEIGHT)
                items[i].weight = want->weights[i];
            else
                items[i].duration_minutes = want->weights[i];
        }
        ck_assert_int_eq(accord_bundle_allocate(want->price, (enum accord_bundle_basis)basis, items,
                                                want->count, weights, parts, shares),
                         ACCORD_OK);
        for (size_t i = 0; i < want->count; i++) {
            ck_assert_int_eq(parts[i], want->parts[i]);
            ck_assert_int_eq(weights[i], want->weights[i]);
            ck_assert_int_eq(shares[i].floor + shares[i].extra, want->parts[i]);
        }
    }
}
END_TEST

START_TEST(test_equal)
{
    const struct accord_bundle_item items[3] = {{0}};
    int64_t weights[3];
    int64_t parts[3];
    ck_assert_int_eq(
        accord_bundle_allocate(10000, ACCORD_BUNDLE_EQUAL, items, 3, weights, parts, NULL),
        ACCORD_OK);
    ck_assert_int_eq(parts[0], 3334);
    ck_assert_int_eq(parts[1], 3333);
    ck_assert_int_eq(parts[2], 3333);
    ck_assert_int_eq(weights[2], 1);
}
END_TEST

/* 50.00 of 199.00, and all of it: by the weights of the sale. */
START_TEST(test_refund)
{
    const int64_t weights[] = {9900, 12900, 6900};
    int64_t parts[3];
    ck_assert_int_eq(accord_bundle_refund(19900, weights, 3, 0, 5000, parts), ACCORD_OK);
    ck_assert_int_eq(parts[0], -1667);
    ck_assert_int_eq(parts[1], -2172);
    ck_assert_int_eq(parts[2], -1161);
    ck_assert_int_eq(accord_bundle_refund(19900, weights, 3, 0, 19900, parts), ACCORD_OK);
    ck_assert_int_eq(parts[0], -6633);
    ck_assert_int_eq(parts[1], -8644);
    ck_assert_int_eq(parts[2], -4623);
    ck_assert_int_eq(accord_bundle_refund(19900, weights, 3, 5000, 19900, parts), ACCORD_OK);
    ck_assert_int_eq(parts[0], -6633 + 1667);
    ck_assert_int_eq(parts[1], -8644 + 2172);
    ck_assert_int_eq(parts[2], -4623 + 1161);
    ck_assert_int_eq(accord_bundle_refund(19900, weights, 3, 5000, 5000, parts), ACCORD_OK);
    ck_assert_int_eq(parts[0], 0);
}
END_TEST

/* A hundred refunds of one cent on two equal items end at 50 and 50. */
START_TEST(test_many_refunds)
{
    const int64_t weights[] = {1, 1};
    int64_t sums[2] = {0};
    for (int64_t refunded = 0; refunded < 100; refunded++) {
        int64_t parts[2];
        ck_assert_int_eq(accord_bundle_refund(100, weights, 2, refunded, refunded + 1, parts),
                         ACCORD_OK);
        sums[0] += parts[0];
        sums[1] += parts[1];
        ck_assert_int_eq(sums[0] + sums[1], -refunded - 1);
        ck_assert(sums[0] == sums[1] || sums[0] == sums[1] - 1);
    }
    ck_assert_int_eq(sums[0], -50);
}
END_TEST

/* Largest remainder is not monotone: 10 and 11 over 6, 6, 2 are 4, 4, 2 and 5, 5, 1. */
START_TEST(test_not_monotone)
{
    const int64_t weights[] = {6, 6, 2};
    int64_t parts[3];
    ck_assert_int_eq(accord_bundle_refund(11, weights, 3, 0, 10, parts), ACCORD_OK);
    ck_assert_int_eq(parts[2], -2);
    ck_assert_int_eq(accord_bundle_refund(11, weights, 3, 10, 11, parts), ACCORD_OK);
    ck_assert_int_eq(parts[0], -1);
    ck_assert_int_eq(parts[1], -1);
    ck_assert_int_eq(parts[2], 1);
}
END_TEST

START_TEST(test_errors)
{
    const struct accord_bundle_item items[] = {{0, 1, INT64_MAX}, {0, -1, 1}};
    const int64_t zeros[] = {0, 0};
    int64_t weights[2] = {77, 77};
    int64_t parts[2] = {88, 88};
    const enum accord_bundle_basis by_price = ACCORD_BUNDLE_LIST_PRICE;
    ck_assert_int_eq(accord_bundle_allocate(5, by_price, items, 2, weights, parts, NULL),
                     ACCORD_E_WEIGHTS_ZERO);
    ck_assert_int_eq(
        accord_bundle_allocate(5, ACCORD_BUNDLE_WEIGHT, items, 2, weights, parts, NULL),
        ACCORD_E_WEIGHT_NEGATIVE);
    ck_assert_int_eq(
        accord_bundle_allocate(5, ACCORD_BUNDLE_DURATION, items, 2, weights, parts, NULL),
        ACCORD_E_OVERFLOW);
    ck_assert_int_eq(
        accord_bundle_allocate(5, (enum accord_bundle_basis)4, items, 2, weights, parts, NULL),
        ACCORD_E_VALUE_UNKNOWN);
    ck_assert_int_eq(accord_bundle_allocate(-1, by_price, items, 2, weights, parts, NULL),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_bundle_allocate(5, by_price, items, 0, weights, parts, NULL),
                     ACCORD_E_COUNT_OUT_OF_RANGE);
    ck_assert_int_eq(accord_bundle_allocate(5, by_price, items, ACCORD_BUNDLE_ITEMS_MAX + 1,
                                            weights, parts, NULL),
                     ACCORD_E_COUNT_OUT_OF_RANGE);
    ck_assert_int_eq(accord_bundle_refund(5, zeros, 2, 0, 1, parts), ACCORD_E_WEIGHTS_ZERO);
    ck_assert_int_eq(accord_bundle_refund(5, zeros, 2, 0, 6, parts), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_bundle_refund(5, zeros, 2, 3, 2, parts), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_bundle_refund(5, zeros, 2, -1, 2, parts), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_bundle_refund(5, zeros, 0, 0, 0, parts), ACCORD_E_COUNT_OUT_OF_RANGE);
    ck_assert_int_eq(weights[0], 77);
    ck_assert_int_eq(parts[0], 88);
}
END_TEST

/* Any number of refunds: sums, the exact part within one unit, at the end nothing is left. */
START_TEST(test_properties)
{
    uint64_t seed = 1 + (uint64_t)_i;
    for (int round = 0; round < 300; round++) {
        struct accord_bundle_item items[ITEMS];
        int64_t weights[ITEMS];
        int64_t left[ITEMS];
        int64_t turned[ITEMS];
        const size_t count = 1 + (size_t)random_below(&seed, ITEMS);
        const int64_t price = 1 + random_below(&seed, INT64_C(1) << (1 + random_below(&seed, 61)));
        const int64_t top = INT64_C(1) << (1 + random_below(&seed, 57));
        int64_t weight_sum = 0;
        bool near = true;
        for (size_t i = 0; i < count; i++) {
            items[i].list_price_minor =
                i > 0 && random_below(&seed, 4) == 0 ? 0 : 1 + random_below(&seed, top);
            weight_sum += items[i].list_price_minor;
        }
        if (accord_bundle_allocate(price, ACCORD_BUNDLE_LIST_PRICE, items, count, weights, left,
                                   NULL) != ACCORD_OK)
            ck_abort_msg("round %d", round);
        for (int64_t refunded = 0; refunded < price;) {
            const int64_t rest = price - refunded;
            const int64_t amount =
                random_below(&seed, 4) == 0 ? rest : 1 + random_below(&seed, rest);
            int64_t parts[ITEMS];
            int64_t sum = 0;
            if (accord_bundle_refund(price, weights, count, refunded, refunded + amount, parts) !=
                ACCORD_OK)
                ck_abort_msg("round %d", round);
            refunded += amount;
            for (size_t i = 0; i < count; i++) {
                sum += parts[i];
                left[i] += parts[i];
                /* what is left lies within two roundings of (price - refunded) · w / W */
                const i128 off = (i128)left[i] * weight_sum - (i128)(price - refunded) * weights[i];
                near = near && left[i] >= -1 && off < 2 * (i128)weight_sum &&
                       -off < 2 * (i128)weight_sum;
            }
            if (sum != -amount)
                ck_abort_msg("round %d: sum", round);
        }
        ck_assert_msg(near, "round %d: too far from the exact part", round);
        bool nothing = true;
        for (size_t i = 0; i < count; i++)
            nothing = nothing && left[i] == 0;
        ck_assert_msg(nothing, "round %d: something is left", round);

        /* The same weights times seven: the same parts. */
        if (top < INT64_C(1) << 50) {
            for (size_t i = 0; i < count; i++)
                items[i].list_price_minor *= 7;
            ck_assert_int_eq(accord_bundle_allocate(price, ACCORD_BUNDLE_LIST_PRICE, items, count,
                                                    turned, left, NULL),
                             ACCORD_OK);
            ck_assert_int_eq(accord_bundle_refund(price, weights, count, 0, price, turned),
                             ACCORD_OK);
            for (size_t i = 0; i < count; i++)
                nothing = nothing && left[i] == -turned[i];
            ck_assert_msg(nothing, "round %d: scale", round);
        }
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("bundle");
    TCase *tests = tcase_create("bundle");
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, test_sales, 0, sizeof sales / sizeof *sales);
    tcase_add_test(tests, test_equal);
    tcase_add_test(tests, test_refund);
    tcase_add_test(tests, test_many_refunds);
    tcase_add_test(tests, test_not_monotone);
    tcase_add_test(tests, test_errors);
    tcase_add_loop_test(tests, test_properties, 0, 6);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
