#include "accord/membership.h"

#include <stdbool.h>

#include "unit.h"

static int64_t recognised(const struct accord_membership *membership, int64_t first, int64_t end)
{
    int64_t amount = 0;
    const enum accord_error err = accord_membership_recognised(membership, first, end, &amount);
    if (err != ACCORD_OK)
        ck_abort_msg("error %d", (int)err);
    return amount;
}

/* 120.00 for 2026 (365 days from 1 January), month by month. */
START_TEST(test_annual)
{
    static const int64_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const int64_t months[] = {1019, 920,  1019, 987,  1019, 986,
                                     1019, 1020, 986,  1019, 986,  1020};
    const struct accord_membership annual = {
        .paid_minor = 12000, .from_day = 20454, .to_day = 20454 + 365};
    int64_t day = 20454;
    for (int month = 0; month < 12; month++) {
        ck_assert_int_eq(recognised(&annual, day, day + lengths[month]), months[month]);
        day += lengths[month];
    }
    ck_assert_int_eq(recognised(&annual, 0, 100000), 12000);
    ck_assert_int_eq(recognised(&annual, INT64_MIN, INT64_MAX), 12000);
    ck_assert_int_eq(recognised(&annual, 0, 20454), 0);
    ck_assert_int_eq(recognised(&annual, day, day + 1), 0);
    ck_assert_int_eq(recognised(&annual, 20454, 20454), 0);
}
END_TEST

START_TEST(test_trial)
{
    const struct accord_membership trial = {.from_day = 10, .to_day = 17};
    for (int64_t day = 8; day < 20; day++)
        ck_assert_int_eq(recognised(&trial, day, day + 1), 0);
}
END_TEST

/* 10.00 over 10 days, cancelled after 4, 3.00 given back: 4.00 are recognised by then and 3.00 are
 * left. */
START_TEST(test_cancelled)
{
    struct accord_membership term = {.paid_minor = 1000,
                                     .from_day = 100,
                                     .to_day = 110,
                                     .cancelled = true,
                                     .cancel_day = 104,
                                     .refunded_minor = 300,
                                     .on_cancel = ACCORD_ON_CANCEL_DAY};
    ck_assert_int_eq(recognised(&term, 100, 104), 400);
    ck_assert_int_eq(recognised(&term, 104, 105), 300);
    ck_assert_int_eq(recognised(&term, 105, 200), 0);
    term.on_cancel = ACCORD_OVER_ORIGINAL_TERM;
    ck_assert_int_eq(recognised(&term, 100, 104), 400);
    for (int64_t day = 104; day < 110; day++)
        ck_assert_int_eq(recognised(&term, day, day + 1), 50);
    ck_assert_int_eq(recognised(&term, 110, 200), 0);

    /* All of it given back: the 4.00 are taken back on that day, under both policies. */
    term.refunded_minor = 1000;
    for (int policy = 0; policy < 2; policy++) {
        term.on_cancel = (enum accord_on_cancel)policy;
        ck_assert_int_eq(recognised(&term, 100, 104), 400);
        ck_assert_int_eq(recognised(&term, 104, 105), -400);
        ck_assert_int_eq(recognised(&term, 105, 110), 0);
    }
    /* Just what was not used: nothing is left, nothing is taken back. */
    term.refunded_minor = 600;
    for (int policy = 0; policy < 2; policy++) {
        term.on_cancel = (enum accord_on_cancel)policy;
        ck_assert_int_eq(recognised(&term, 104, 110), 0);
        ck_assert_int_eq(recognised(&term, 0, 200), 400);
    }
}
END_TEST

START_TEST(test_cancelled_outside)
{
    /* Before it began: the sums stand on its first day. */
    struct accord_membership term = {.paid_minor = 1000,
                                     .from_day = 100,
                                     .to_day = 110,
                                     .cancelled = true,
                                     .cancel_day = 90,
                                     .refunded_minor = 900};
    ck_assert_int_eq(recognised(&term, 0, 100), 0);
    ck_assert_int_eq(recognised(&term, 100, 101), 100);
    ck_assert_int_eq(recognised(&term, 101, 200), 0);
    term.on_cancel = ACCORD_OVER_ORIGINAL_TERM;
    ck_assert_int_eq(recognised(&term, 100, 101), 10);
    ck_assert_int_eq(recognised(&term, 0, 200), 100);
    /* After it ended: a late refund counts on its own day. */
    term.cancel_day = 150;
    ck_assert_int_eq(recognised(&term, 100, 110), 1000);
    ck_assert_int_eq(recognised(&term, 110, 150), 0);
    ck_assert_int_eq(recognised(&term, 150, 151), -900);
    ck_assert_int_eq(recognised(&term, 151, 300), 0);
}
END_TEST

/* A month of 30.00 is upgraded after 12 days to a year of 300.00; what was not used (18.00) is
 * given back and pays for a part of it. */
START_TEST(test_upgrade)
{
    const struct accord_membership month = {.paid_minor = 3000,
                                            .from_day = 0,
                                            .to_day = 30,
                                            .cancelled = true,
                                            .cancel_day = 12,
                                            .refunded_minor = 1800};
    const struct accord_membership year = {.paid_minor = 30000, .from_day = 12, .to_day = 12 + 365};
    int64_t sum = 0;
    for (int64_t day = 0; day < 400; day++) {
        const int64_t amount = recognised(&month, day, day + 1) + recognised(&year, day, day + 1);
        if (day < 12)
            ck_assert_int_eq(amount, 100);
        sum += amount;
    }
    ck_assert_int_eq(sum, 3000 - 1800 + 30000);
}
END_TEST

START_TEST(test_errors)
{
    const struct accord_membership good = {.paid_minor = 10, .from_day = 0, .to_day = 10};
    struct accord_membership bad[9];
    int64_t amount = 77;
    for (int i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].to_day = 0;
    bad[1].to_day = -1;
    bad[2].to_day = ACCORD_MEMBERSHIP_DAYS_MAX + 1;
    bad[3].paid_minor = -1;
    bad[4].cancelled = true;
    bad[4].refunded_minor = 11;
    bad[5].cancelled = true;
    bad[5].refunded_minor = -1;
    bad[6].from_day = INT64_MIN;
    bad[6].to_day = INT64_MAX;
    for (int i = 0; i < 7; i++)
        ck_assert_int_eq(accord_membership_recognised(&bad[i], 0, 1, &amount),
                         ACCORD_E_VALUE_OUT_OF_RANGE);
    bad[7].cancelled = true;
    bad[7].on_cancel = (enum accord_on_cancel)2;
    ck_assert_int_eq(accord_membership_recognised(&bad[7], 0, 1, &amount), ACCORD_E_VALUE_UNKNOWN);
    ck_assert_int_eq(accord_membership_recognised(&good, 1, 0, &amount),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(amount, 77);
    bad[8].to_day = ACCORD_MEMBERSHIP_DAYS_MAX;
    ck_assert_int_eq(accord_membership_recognised(&bad[8], 0, 1, &amount), ACCORD_OK);
}
END_TEST

START_TEST(test_edges)
{
    /* 2^63 - 1 over 3 days: floors of thirds. */
    const struct accord_membership huge = {
        .paid_minor = INT64_MAX, .from_day = INT64_MAX - 3, .to_day = INT64_MAX};
    ck_assert_int_eq(recognised(&huge, INT64_MIN, INT64_MAX - 2), INT64_C(3074457345618258602));
    ck_assert_int_eq(recognised(&huge, INT64_MAX - 2, INT64_MAX - 1), INT64_C(3074457345618258602));
    ck_assert_int_eq(recognised(&huge, INT64_MAX - 1, INT64_MAX), INT64_C(3074457345618258603));
    const struct accord_membership first = {.paid_minor = INT64_MAX,
                                            .from_day = INT64_MIN,
                                            .to_day = INT64_MIN + 1,
                                            .cancelled = true,
                                            .cancel_day = INT64_MAX,
                                            .refunded_minor = INT64_MAX};
    ck_assert_int_eq(recognised(&first, INT64_MIN, 0), INT64_MAX);
    ck_assert_int_eq(recognised(&first, INT64_MIN, INT64_MAX), INT64_MAX);
}
END_TEST

/* Ranges that join add up to paid - refunded, whatever they are; no day but that of a cancellation
 * is negative; and each day lies within one unit of its exact part. */
START_TEST(test_properties)
{
    uint64_t seed = 1 + (uint64_t)_i;
    for (int round = 0; round < 300; round++) {
        const int64_t length =
            1 + random_below(&seed, _i % 2 == 0 ? 40 : ACCORD_MEMBERSHIP_DAYS_MAX);
        const int64_t paid = random_below(&seed, INT64_C(1) << (1 + random_below(&seed, 62)));
        const struct accord_membership term = {
            .paid_minor = paid,
            .from_day = random_below(&seed, 1000) - 500,
            .cancelled = random_below(&seed, 2) == 0,
            .cancel_day = random_below(&seed, length + 1000) - 500,
            .refunded_minor = random_below(&seed, 3) == 0 ? paid : random_below(&seed, paid + 1),
            .on_cancel = (enum accord_on_cancel)random_below(&seed, 2)};
        struct accord_membership whole = term;
        whole.to_day = term.from_day + length;
        const int64_t cancel =
            whole.cancel_day > whole.from_day ? whole.cancel_day : whole.from_day;
        int64_t sum = 0;
        bool positive = true;
        bool near = true;
        for (int64_t day = -600; day < length + 700;) {
            const int64_t end = day + 1 + random_below(&seed, 35);
            const int64_t amount = recognised(&whole, day, end);
            positive =
                positive && ((whole.cancelled && day <= cancel && cancel < end) || amount >= 0);
            if (day >= whole.from_day && end <= whole.to_day &&
                (!whole.cancelled || end <= cancel)) {
                /* |amount - paid · days / length| < 1, without division */
                __extension__ const __int128 off =
                    (__int128)amount * length - (__int128)paid * (end - day);
                near = near && off < length && -off < length;
            }
            sum += amount;
            day = end;
        }
        ck_assert_msg(positive, "round %d: negative", round);
        ck_assert_msg(near, "round %d: a unit or more from the exact part", round);
        ck_assert_int_eq(sum, paid - (whole.cancelled ? whole.refunded_minor : 0));
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("membership");
    TCase *tests = tcase_create("recognition");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, test_annual);
    tcase_add_test(tests, test_trial);
    tcase_add_test(tests, test_cancelled);
    tcase_add_test(tests, test_cancelled_outside);
    tcase_add_test(tests, test_upgrade);
    tcase_add_test(tests, test_errors);
    tcase_add_test(tests, test_edges);
    tcase_add_loop_test(tests, test_properties, 0, 10);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
