#include "accord/challenge.h"

#include "unit.h"

enum { ENTRIES = 100 };

struct round {
    int64_t deposit;
    int64_t needed;
    int64_t fee_ppm;
    size_t count;
    int64_t days[10];
    int64_t payouts[10];
    size_t finishers;
    int64_t forfeited;
    int64_t fee;
    int64_t pot;
    int64_t charity;
};

/* Computed apart from this code. */
static const struct round rounds[] = {
    /* clang-format off */
    {9900, 21, 100000, 10, {21, 21, 21, 21, 21, 21, 20, 3, 0, 12}, {15840, 15840, 15840, 15840, 15840, 15840, 0, 0, 0, 0}, 6, 39600, 3960, 35640, 0},
    {9900, 21, 100000, 10, {21, 21, 21, 21, 21, 21, 21, 3, 0, 12}, {13719, 13719, 13719, 13719, 13718, 13718, 13718, 0, 0, 0}, 7, 29700, 2970, 26730, 0},
    {9900, 21, 100000, 2, {0, 20}, {0, 0}, 0, 19800, 0, 0, 19800},
    {9900, 21, 100000, 2, {21, 22}, {9900, 9900}, 2, 0, 0, 0, 0},
    {100, 7, 0, 4, {7, 7, 7, 0}, {134, 133, 133, 0}, 3, 100, 0, 100, 0},
    /* half to even: 5 % of 10 is 0.5, of 30 is 1.5 */
    {10, 1, 50000, 2, {1, 0}, {20, 0}, 1, 10, 0, 10, 0},
    {30, 1, 50000, 2, {1, 0}, {58, 0}, 1, 30, 2, 28, 0},
    {0, 1, 50000, 2, {1, 0}, {0, 0}, 1, 0, 0, 0, 0},
    {500, 1, 1000000, 3, {1, 0, 2}, {500, 0, 500}, 2, 500, 500, 0, 0},
    {0, 1, 0, 0, {0}, {0}, 0, 0, 0, 0, 0},
    /* clang-format on */
};

START_TEST(test_rounds)
{
    const struct round *want = &rounds[_i];
    const struct accord_challenge_terms terms = {.fee_ppm = want->fee_ppm,
                                                 .none = ACCORD_CHALLENGE_CHARITY};
    struct accord_challenge_entry entries[10] = {0};
    struct accord_challenge_result result;
    int64_t payouts[10];
    for (size_t i = 0; i < want->count; i++)
        entries[i] = (struct accord_challenge_entry){.deposit_minor = want->deposit,
                                                     .needed_days = want->needed,
                                                     .done_days = want->days[i]};
    ck_assert_int_eq(accord_challenge_settle(&terms, entries, want->count, payouts, &result),
                     ACCORD_OK);
    for (size_t i = 0; i < want->count; i++)
        ck_assert_int_eq(payouts[i], want->payouts[i]);
    ck_assert_uint_eq(result.finishers, want->finishers);
    ck_assert_int_eq(result.forfeited, want->forfeited);
    ck_assert_int_eq(result.fee, want->fee);
    ck_assert_int_eq(result.pot, want->pot);
    ck_assert_int_eq(result.charity, want->charity);
    ck_assert_int_eq(result.carried, 0);
}
END_TEST

/* 100 × 99.00, 27 fail, fee 15 %: 2,673.00 - 400.95 = 2,272.05 over 73, 29 of them a cent more. */
START_TEST(test_hundred)
{
    const struct accord_challenge_terms terms = {.fee_ppm = 150000};
    struct accord_challenge_entry entries[ENTRIES];
    struct accord_challenge_result result;
    int64_t payouts[ENTRIES];
    for (int i = 0; i < ENTRIES; i++)
        entries[i] = (struct accord_challenge_entry){
            .deposit_minor = 9900, .needed_days = 21, .done_days = i < 27 ? 20 : 21};
    ck_assert_int_eq(accord_challenge_settle(&terms, entries, ENTRIES, payouts, &result),
                     ACCORD_OK);
    ck_assert_int_eq(result.forfeited, 267300);
    ck_assert_int_eq(result.fee, 40095);
    ck_assert_int_eq(result.pot, 227205);
    for (int i = 0; i < ENTRIES; i++)
        ck_assert_int_eq(payouts[i], i < 27 ? 0 : 9900 + (i < 27 + 29 ? 3113 : 3112));
}
END_TEST

/* One withdrew with 40 of 100 back, one failed, two finished; 50 were carried in:
 * forfeited 60 + 100, fee 10 % of 210, pot 189 over 2. */
START_TEST(test_withdrawn)
{
    const struct accord_challenge_entry entries[] = {
        {.deposit_minor = 100,
         .needed_days = 5,
         .done_days = 9,
         .withdrawn = true,
         .refunded_minor = 40},
        {.deposit_minor = 100, .needed_days = 5, .done_days = 4},
        {.deposit_minor = 100, .needed_days = 5, .done_days = 5},
        {.deposit_minor = 100, .needed_days = 5, .done_days = 8},
    };
    struct accord_challenge_terms terms = {.fee_ppm = 100000, .carried_in = 50};
    struct accord_challenge_result result;
    int64_t payouts[4];
    ck_assert_int_eq(accord_challenge_settle(&terms, entries, 4, payouts, &result), ACCORD_OK);
    ck_assert_int_eq(payouts[0], 40);
    ck_assert_int_eq(payouts[1], 0);
    ck_assert_int_eq(payouts[2], 195);
    ck_assert_int_eq(payouts[3], 194);
    ck_assert_int_eq(result.forfeited, 160);
    ck_assert_int_eq(result.fee, 21);
    ck_assert_int_eq(result.pot, 189);
    ck_assert_int_eq(result.charity + result.carried, 0);

    /* The first two alone: nobody finished. */
    terms.none = ACCORD_CHALLENGE_REFUND;
    ck_assert_int_eq(accord_challenge_settle(&terms, entries, 2, payouts, &result), ACCORD_OK);
    ck_assert_int_eq(payouts[0], 100);
    ck_assert_int_eq(payouts[1], 100);
    ck_assert_int_eq(result.fee, 0);
    ck_assert_int_eq(result.carried, 50);
    ck_assert_int_eq(result.charity, 0);
    terms.none = ACCORD_CHALLENGE_CHARITY;
    ck_assert_int_eq(accord_challenge_settle(&terms, entries, 2, payouts, &result), ACCORD_OK);
    ck_assert_int_eq(payouts[0], 40);
    ck_assert_int_eq(payouts[1], 0);
    ck_assert_int_eq(result.carried, 0);
    ck_assert_int_eq(result.charity, 210);
    terms.none = ACCORD_CHALLENGE_NEXT_ROUND;
    ck_assert_int_eq(accord_challenge_settle(&terms, entries, 2, payouts, &result), ACCORD_OK);
    ck_assert_int_eq(payouts[0], 40);
    ck_assert_int_eq(result.carried, 210);
    ck_assert_int_eq(result.charity, 0);
}
END_TEST

/* Entries of 7 and of 21 days: the pot of 101 by 7 : 21; days beyond what is needed do not count.
 */
START_TEST(test_by_days)
{
    const struct accord_challenge_entry entries[] = {
        {.deposit_minor = 10, .needed_days = 7, .done_days = 30},
        {.deposit_minor = 20, .needed_days = 21, .done_days = 21},
        {.deposit_minor = 101, .needed_days = 21, .done_days = 20},
    };
    const struct accord_challenge_terms terms = {.split = ACCORD_CHALLENGE_BY_DAYS};
    struct accord_challenge_result result;
    int64_t payouts[3];
    ck_assert_int_eq(accord_challenge_settle(&terms, entries, 3, payouts, &result), ACCORD_OK);
    ck_assert_int_eq(payouts[0], 10 + 25);
    ck_assert_int_eq(payouts[1], 20 + 76);
    ck_assert_int_eq(payouts[2], 0);
}
END_TEST

START_TEST(test_errors)
{
    const struct accord_challenge_terms good = {0};
    const struct accord_challenge_entry entry = {.deposit_minor = 5, .needed_days = 1};
    struct accord_challenge_entry bad[6];
    struct accord_challenge_terms terms[5];
    struct accord_challenge_result result = {.fee = 77};
    int64_t payouts[2] = {88, 88};
    for (int i = 0; i < 6; i++)
        bad[i] = entry;
    bad[0].deposit_minor = -1;
    bad[1].needed_days = 0;
    bad[2].done_days = -1;
    bad[3].needed_days = ACCORD_CHALLENGE_DAYS_MAX + 1;
    bad[4].withdrawn = true;
    bad[4].refunded_minor = 6;
    bad[5].withdrawn = true;
    bad[5].refunded_minor = -1;
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(accord_challenge_settle(&good, &bad[i], 1, payouts, &result),
                         ACCORD_E_VALUE_OUT_OF_RANGE);
    for (int i = 0; i < 5; i++)
        terms[i] = good;
    terms[0].fee_ppm = -1;
    terms[1].fee_ppm = 1000001;
    terms[2].carried_in = -1;
    terms[3].split = (enum accord_challenge_split)2;
    terms[4].none = (enum accord_challenge_none)3;
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(accord_challenge_settle(&terms[i], &entry, 1, payouts, &result),
                         i < 3 ? ACCORD_E_VALUE_OUT_OF_RANGE : ACCORD_E_VALUE_UNKNOWN);
    const struct accord_challenge_entry huge[] = {
        {.deposit_minor = INT64_MAX, .needed_days = 1, .done_days = 1},
        {.deposit_minor = 1, .needed_days = 1},
    };
    ck_assert_int_eq(accord_challenge_settle(&good, huge, 2, payouts, &result), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(result.fee, 77);
    ck_assert_int_eq(payouts[0], 88);
    ck_assert_int_eq(accord_challenge_settle(&good, huge, 1, payouts, &result), ACCORD_OK);
    ck_assert_int_eq(payouts[0], INT64_MAX);
}
END_TEST

START_TEST(test_conserved)
{
    uint64_t seed = 1 + (uint64_t)_i;
    for (int number = 0; number < 500; number++) {
        struct accord_challenge_entry entries[ENTRIES];
        struct accord_challenge_result result;
        int64_t payouts[ENTRIES];
        const size_t count = (size_t)random_below(&seed, ENTRIES);
        const int64_t top = INT64_C(1) << (1 + random_below(&seed, 54));
        const struct accord_challenge_terms terms = {
            .fee_ppm = random_below(&seed, 1000001),
            .split = (enum accord_challenge_split)random_below(&seed, 2),
            .none = (enum accord_challenge_none)random_below(&seed, 3),
            .carried_in = random_below(&seed, 2) == 0 ? 0 : random_below(&seed, top)};
        const int64_t reach = 1 + random_below(&seed, 12);
        int64_t left = terms.carried_in;
        bool fair = true;
        for (size_t i = 0; i < count; i++) {
            const int64_t deposit = random_below(&seed, top);
            entries[i] =
                (struct accord_challenge_entry){.deposit_minor = deposit,
                                                .needed_days = 10,
                                                .done_days = random_below(&seed, reach),
                                                .withdrawn = random_below(&seed, 5) == 0,
                                                .refunded_minor = random_below(&seed, deposit + 1)};
            left += deposit;
        }
        if (accord_challenge_settle(&terms, entries, count, payouts, &result) != ACCORD_OK)
            ck_abort_msg("round %d", number);
        size_t finishers = 0;
        for (size_t i = 0; i < count; i++) {
            const bool finished = !entries[i].withdrawn && entries[i].done_days >= 10;
            finishers += finished;
            fair = fair && payouts[i] >= 0 &&
                   (!finished || payouts[i] >= entries[i].deposit_minor) &&
                   (!entries[i].withdrawn || payouts[i] >= entries[i].refunded_minor);
            left -= payouts[i];
        }
        ck_assert_int_eq(left, result.fee + result.charity + result.carried);
        ck_assert_msg(fair, "round %d: somebody got too little", number);
        ck_assert_uint_eq(result.finishers, finishers);
        if (finishers > 0)
            ck_assert_int_eq(result.charity + result.carried, 0);
        else
            ck_assert_int_eq(result.fee + result.pot, 0);
    }
}
END_TEST

static const struct {
    int64_t days;
    int64_t refund;
} pro_rata[] = {{0, 0}, {1, 471}, {7, 3300}, {20, 9428}, {21, 9900}, {25, 9900}};

START_TEST(test_pro_rata)
{
    int64_t amount = 77;
    for (size_t i = 0; i < sizeof pro_rata / sizeof *pro_rata; i++) {
        ck_assert_int_eq(accord_challenge_pro_rata(9900, pro_rata[i].days, 21, &amount), ACCORD_OK);
        ck_assert_int_eq(amount, pro_rata[i].refund);
    }
    ck_assert_int_eq(accord_challenge_pro_rata(INT64_MAX, 3660, 3660, &amount), ACCORD_OK);
    ck_assert_int_eq(amount, INT64_MAX);
    ck_assert_int_eq(accord_challenge_pro_rata(-1, 1, 1, &amount), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_challenge_pro_rata(1, -1, 1, &amount), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_challenge_pro_rata(1, 1, 0, &amount), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_challenge_pro_rata(1, 1, 3661, &amount), ACCORD_E_VALUE_OUT_OF_RANGE);
}
END_TEST

/* A window of five days, 10 .. 14. */
static const struct {
    const char *what;
    int64_t allowed;
    size_t count;
    struct accord_challenge_checkin checkins[6];
    int64_t done;
    int64_t makeups;
} windows[] = {
    /* clang-format off */
    {"nothing", 2, 0, {{0, false}}, 0, 0},
    {"every day", 2, 5, {{10, false}, {11, false}, {12, false}, {13, false}, {14, false}}, 5, 0},
    {"several of a day", 2, 4, {{11, false}, {11, false}, {11, false}, {12, false}}, 2, 0},
    {"outside the window", 2, 4, {{9, false}, {15, false}, {INT64_MIN, false}, {INT64_MAX, false}}, 0, 0},
    {"a make-up fills an earlier gap", 2, 3, {{11, false}, {12, false}, {12, true}}, 3, 1},
    {"a make-up for the day that it names", 2, 2, {{10, true}, {11, false}}, 2, 1},
    {"a make-up without a gap", 2, 3, {{10, false}, {11, false}, {11, true}}, 2, 0},
    {"a gap that comes later", 2, 3, {{10, false}, {10, true}, {12, false}}, 2, 0},
    {"a make-up on the last day", 2, 5, {{10, false}, {11, false}, {13, false}, {14, false}, {14, true}}, 5, 1},
    {"a make-up after the last day", 2, 5, {{10, false}, {11, false}, {13, false}, {14, false}, {15, true}}, 4, 0},
    {"no more than allowed", 2, 5, {{14, false}, {14, true}, {14, true}, {14, true}, {14, true}}, 3, 2},
    {"none allowed", 0, 2, {{14, false}, {14, true}}, 1, 0},
    {"each for another gap", 9, 4, {{10, true}, {10, true}, {11, true}, {14, false}}, 3, 2},
    {"any order", 1, 4, {{14, true}, {14, false}, {10, false}, {12, false}}, 4, 1},
    /* clang-format on */
};

START_TEST(test_days)
{
    const struct accord_challenge_window window = {
        .first_day = 10, .last_day = 14, .makeups_allowed = windows[_i].allowed};
    int64_t done = 0;
    int64_t makeups = 0;
    ck_assert_int_eq(
        accord_challenge_days(&window, windows[_i].checkins, windows[_i].count, &done, &makeups),
        ACCORD_OK);
    ck_assert_msg(done == windows[_i].done && makeups == windows[_i].makeups, "%s: %d, %d",
                  windows[_i].what, (int)done, (int)makeups);
    struct accord_challenge_checkin turned[6];
    for (size_t i = 0; i < windows[_i].count; i++)
        turned[i] = windows[_i].checkins[windows[_i].count - 1 - i];
    ck_assert_int_eq(accord_challenge_days(&window, turned, windows[_i].count, &done, NULL),
                     ACCORD_OK);
    ck_assert_int_eq(done, windows[_i].done);
}
END_TEST

START_TEST(test_window_errors)
{
    const struct accord_challenge_checkin checkin = {INT64_MAX, false};
    struct accord_challenge_window window = {.first_day = 10, .last_day = 9};
    int64_t done = 77;
    ck_assert_int_eq(accord_challenge_days(&window, NULL, 0, &done, NULL),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    window.last_day = 10 + ACCORD_CHALLENGE_DAYS_MAX;
    ck_assert_int_eq(accord_challenge_days(&window, NULL, 0, &done, NULL),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    window.first_day = INT64_MIN;
    window.last_day = INT64_MAX;
    ck_assert_int_eq(accord_challenge_days(&window, NULL, 0, &done, NULL),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    window.first_day = INT64_MAX;
    window.makeups_allowed = -1;
    ck_assert_int_eq(accord_challenge_days(&window, NULL, 0, &done, NULL),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(done, 77);
    window.makeups_allowed = INT64_MAX;
    ck_assert_int_eq(accord_challenge_days(&window, &checkin, 1, &done, NULL), ACCORD_OK);
    ck_assert_int_eq(done, 1);
    window.first_day = INT64_MAX - (ACCORD_CHALLENGE_DAYS_MAX - 1);
    ck_assert_int_eq(accord_challenge_days(&window, &checkin, 1, &done, NULL), ACCORD_OK);
    ck_assert_int_eq(done, 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("challenge");
    TCase *tests = tcase_create("challenge");
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, test_rounds, 0, sizeof rounds / sizeof *rounds);
    tcase_add_test(tests, test_hundred);
    tcase_add_test(tests, test_withdrawn);
    tcase_add_test(tests, test_by_days);
    tcase_add_test(tests, test_errors);
    tcase_add_loop_test(tests, test_conserved, 0, 6);
    tcase_add_test(tests, test_pro_rata);
    tcase_add_loop_test(tests, test_days, 0, sizeof windows / sizeof *windows);
    tcase_add_test(tests, test_window_errors);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
