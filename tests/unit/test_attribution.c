#include "accord/attribution.h"

#include <string.h>

#include "accord/pool.h"

#include "unit.h"

enum { TOUCHES = 5 };

static const int64_t day = INT64_C(86400000000);
static const int64_t sale = INT64_C(1768478591000000);
static const char *const event_ids[] = {"e1", "e2", "e3", "e4", "e5"};

static struct accord_touch touch_at(int64_t age_us, const char *event_id)
{
    return (struct accord_touch){
        .occurred_at_us = sale - age_us, .partner = "chn-b", .event_id = event_id};
}

/* ---- published and computed cases ---- */

/* Ages in days, oldest first; a window in days; a half-life of a week. */
static const struct {
    int64_t total;
    int64_t ages[TOUCHES];
    size_t count;
    int64_t window;
    int64_t last[TOUCHES];
    int64_t first[TOUCHES];
    int64_t linear[TOUCHES];
    int64_t position[TOUCHES];
    int64_t decay[TOUCHES];
} cases[] = {
    /* clang-format off */
    {19900, {20, 9, 1}, 3, 30, {0, 0, 19900}, {19900, 0, 0}, {6634, 6633, 6633}, {7960, 3980, 7960}, {1889, 5614, 12397}},
    {19900, {20, 9, 1}, 3, 7, {0, 0, 19900}, {0, 0, 19900}, {0, 0, 19900}, {0, 0, 19900}, {0, 0, 19900}},
    {19900, {14, 7, 0}, 3, 30, {0, 0, 19900}, {19900, 0, 0}, {6634, 6633, 6633}, {7960, 3980, 7960}, {2843, 5686, 11371}},
    {20000, {5, 4, 3, 2, 0}, 5, 30, {0, 0, 0, 0, 20000}, {20000, 0, 0, 0, 0}, {4000, 4000, 4000, 4000, 4000}, {8000, 1334, 1333, 1333, 8000}, {3170, 3500, 3864, 4266, 5200}},
    {19900, {45, 31}, 2, 30, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}},
    {10001, {3, 3}, 2, 30, {0, 10001}, {10001, 0}, {5001, 5000}, {5001, 5000}, {5001, 5000}},
    {999, {0}, 1, 30, {999}, {999}, {999}, {999}, {999}},
    {-19900, {14, 7, 0}, 3, 30, {0, 0, -19900}, {-19900, 0, 0}, {-6634, -6633, -6633}, {-7960, -3980, -7960}, {-2843, -5686, -11371}},
    /* clang-format on */
};

static void assert_winner(const struct accord_touch *touches, size_t count,
                          const struct accord_attribution_rules *rules, int64_t total,
                          const int64_t *want, enum accord_touch_outcome *ret_outcomes)
{
    size_t winner = 99;
    ck_assert_int_eq(accord_attribute(touches, count, sale, rules, ret_outcomes, &winner),
                     ACCORD_OK);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(i == winner ? total : 0, want[i]);
}

START_TEST(test_cases)
{
    const size_t count = cases[_i].count;
    struct accord_attribution_rules rules = {.window_us = cases[_i].window * day};
    struct accord_touch touches[TOUCHES];
    enum accord_touch_outcome outcomes[TOUCHES];
    const struct {
        enum accord_credit_model model;
        const int64_t *want;
    } credits[] = {{ACCORD_CREDIT_LINEAR, cases[_i].linear},
                   {ACCORD_CREDIT_POSITION, cases[_i].position},
                   {ACCORD_CREDIT_DECAY, cases[_i].decay},
                   {ACCORD_CREDIT_LAST, cases[_i].last},
                   {ACCORD_CREDIT_FIRST, cases[_i].first},
                   /* Each touch is another promoter's. */
                   {ACCORD_CREDIT_SHAPLEY, cases[_i].linear}};

    for (size_t i = 0; i < count; i++) {
        touches[i] = touch_at(cases[_i].ages[i] * day, event_ids[i]);
        touches[i].promoter = (uint32_t)(count - i); /* numbers decide nothing */
    }
    assert_winner(touches, count, &rules, cases[_i].total, cases[_i].last, outcomes);
    rules.model = ACCORD_TOUCH_FIRST;
    assert_winner(touches, count, &rules, cases[_i].total, cases[_i].first, outcomes);
    for (size_t c = 0; c < sizeof credits / sizeof credits[0]; c++) {
        int64_t parts[TOUCHES];
        ck_assert_int_eq(accord_credit_touches(credits[c].model, cases[_i].total, touches, outcomes,
                                               count, sale, 7 * day, parts),
                         ACCORD_OK);
        for (size_t i = 0; i < count; i++)
            ck_assert_int_eq(parts[i], credits[c].want[i]);
    }
}
END_TEST

/* ---- why a touch does not win ---- */

START_TEST(test_reasons)
{
    const struct accord_attribution_rules rules = {.window_us = 30 * day,
                                                   .coupon_beats_click = true};
    struct accord_touch touches[] = {
        touch_at(30 * day + 1, "old"),  touch_at(-1, "late"),
        touch_at(3 * day, "self"),      touch_at(2 * day, "suspended"),
        touch_at(30 * day, "edge"),     touch_at(0, "click"),
        touch_at(10 * day, "coupon-1"), touch_at(9 * day, "coupon-2"),
        touch_at(40 * day, "old-self"),
    };
    enum accord_touch_outcome outcomes[9];
    static const char *const want[] = {
        "outside_window",   "after_sale", "self_referral", "promoter_suspended", "beaten_by_coupon",
        "beaten_by_coupon", "beaten",     "won",           "outside_window"};
    size_t winner = 99;
    touches[2].self_referral = true;
    touches[2].promoter_suspended = true;
    touches[3].promoter_suspended = true;
    touches[4].kind = ACCORD_TOUCH_SHARE;
    touches[6].kind = ACCORD_TOUCH_COUPON;
    touches[7].kind = ACCORD_TOUCH_COUPON;
    touches[8].self_referral = true;
    ck_assert_int_eq(accord_attribute(touches, 9, sale, &rules, outcomes, &winner), ACCORD_OK);
    ck_assert_uint_eq(winner, 7);
    for (size_t i = 0; i < 9; i++)
        ck_assert_str_eq(accord_touch_outcome_name(outcomes[i]), want[i]);
}
END_TEST

START_TEST(test_coupon_is_only_a_touch_unless_it_beats)
{
    struct accord_attribution_rules rules = {.window_us = 7 * day};
    struct accord_touch touches[] = {touch_at(2 * day, "coupon"), touch_at(day, "click")};
    enum accord_touch_outcome outcomes[2];
    size_t winner = 99;
    touches[0].kind = ACCORD_TOUCH_COUPON;
    ck_assert_int_eq(accord_attribute(touches, 2, sale, &rules, outcomes, &winner), ACCORD_OK);
    ck_assert_uint_eq(winner, 1);
    ck_assert_int_eq(outcomes[0], ACCORD_TOUCH_BEATEN);
    rules.coupon_beats_click = true;
    ck_assert_int_eq(accord_attribute(touches, 2, sale, &rules, outcomes, &winner), ACCORD_OK);
    ck_assert_uint_eq(winner, 0);
    ck_assert_int_eq(outcomes[1], ACCORD_TOUCH_BEATEN_BY_COUPON);
    /* A coupon that does not count beats nobody. */
    touches[0].promoter_suspended = true;
    ck_assert_int_eq(accord_attribute(touches, 2, sale, &rules, outcomes, &winner), ACCORD_OK);
    ck_assert_uint_eq(winner, 1);
}
END_TEST

/* Of touches of one instant the partner decides, then the event id. */
START_TEST(test_ties)
{
    struct accord_attribution_rules rules = {.window_us = day};
    struct accord_touch touches[] = {touch_at(5, "z"), touch_at(5, "b"), touch_at(5, "a")};
    enum accord_touch_outcome outcomes[3];
    size_t winner = 99;
    touches[0].partner = "chn-a";
    ck_assert_int_eq(accord_attribute(touches, 3, sale, &rules, outcomes, &winner), ACCORD_OK);
    ck_assert_uint_eq(winner, 1);
    rules.model = ACCORD_TOUCH_FIRST;
    ck_assert_int_eq(accord_attribute(touches, 3, sale, &rules, outcomes, &winner), ACCORD_OK);
    ck_assert_uint_eq(winner, 0);
}
END_TEST

START_TEST(test_edges_of_time)
{
    struct accord_attribution_rules rules = {.window_us = INT64_MAX};
    struct accord_touch touch = {.occurred_at_us = INT64_MIN, .partner = "c", .event_id = "e"};
    enum accord_touch_outcome outcome;
    size_t winner = 99;
    int64_t part = -1;
    ck_assert_int_eq(accord_attribute(&touch, 1, INT64_MAX, &rules, &outcome, &winner), ACCORD_OK);
    ck_assert_int_eq(outcome, ACCORD_TOUCH_OUTSIDE_WINDOW);
    ck_assert_uint_eq(winner, SIZE_MAX);
    touch.occurred_at_us = 0;
    ck_assert_int_eq(accord_attribute(&touch, 1, INT64_MAX, &rules, &outcome, &winner), ACCORD_OK);
    ck_assert_int_eq(outcome, ACCORD_TOUCH_WON);
    rules.window_us = 0;
    touch.occurred_at_us = sale;
    ck_assert_int_eq(accord_attribute(&touch, 1, sale, &rules, &outcome, &winner), ACCORD_OK);
    ck_assert_int_eq(outcome, ACCORD_TOUCH_WON);
    touch.occurred_at_us = sale - 1;
    ck_assert_int_eq(accord_attribute(&touch, 1, sale, &rules, &outcome, &winner), ACCORD_OK);
    ck_assert_int_eq(outcome, ACCORD_TOUCH_OUTSIDE_WINDOW);
    ck_assert_int_eq(accord_attribute(NULL, 0, sale, &rules, NULL, &winner), ACCORD_OK);
    ck_assert_uint_eq(winner, SIZE_MAX);
    /* A touch that the caller says counts, however old. */
    touch.occurred_at_us = INT64_MIN;
    outcome = ACCORD_TOUCH_WON;
    ck_assert_int_eq(accord_credit_touches(ACCORD_CREDIT_DECAY, INT64_MAX, &touch, &outcome, 1,
                                           INT64_MAX, 1, &part),
                     ACCORD_OK);
    ck_assert_int_eq(part, INT64_MAX);
}
END_TEST

START_TEST(test_refused)
{
    struct accord_attribution_rules rules = {.window_us = -1};
    struct accord_touch touch = touch_at(-1, "late");
    enum accord_touch_outcome outcome = ACCORD_TOUCH_WON;
    size_t winner = 77;
    int64_t part = 77;
    ck_assert_int_eq(accord_attribute(&touch, 1, sale, &rules, &outcome, &winner),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    rules = (struct accord_attribution_rules){.model = (enum accord_touch_model)2};
    ck_assert_int_eq(accord_attribute(&touch, 1, sale, &rules, &outcome, &winner),
                     ACCORD_E_VALUE_UNKNOWN);
    rules.model = ACCORD_TOUCH_LAST;
    touch.kind = (enum accord_touch_kind)3;
    ck_assert_int_eq(accord_attribute(&touch, 1, sale, &rules, &outcome, &winner),
                     ACCORD_E_VALUE_UNKNOWN);
    ck_assert_uint_eq(winner, 77);
    ck_assert_int_eq(outcome, ACCORD_TOUCH_WON);

    ck_assert_int_eq(
        accord_credit_touches(ACCORD_CREDIT_LINEAR, 1, &touch, &outcome, 1, sale, day, &part),
        ACCORD_E_VALUE_OUT_OF_RANGE);
    touch.occurred_at_us = sale;
    ck_assert_int_eq(
        accord_credit_touches(ACCORD_CREDIT_DECAY, 1, &touch, &outcome, 1, sale, 0, &part),
        ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_credit_touches((enum accord_credit_model)6, 1, &touch, &outcome, 1,
                                           sale, day, &part),
                     ACCORD_E_VALUE_UNKNOWN);
    ck_assert_int_eq(accord_credit_touches(ACCORD_CREDIT_LINEAR, INT64_MIN, &touch, &outcome, 1,
                                           sale, day, &part),
                     ACCORD_E_OVERFLOW);
    ck_assert_int_eq(part, 77);
}
END_TEST

/* ---- decay ---- */

/* Exact to 80 digits, computed apart, in days or odd units of time. */
static const struct {
    int64_t age;
    int64_t half_life;
    int64_t want;
} weights[] = {
    {0, INT64_C(604800000000), INT64_C(4294967296)},
    {1, INT64_C(604800000000), INT64_C(4294967296)},
    {INT64_C(12345678901), INT64_C(604800000000), INT64_C(4234625296)},
    {INT64_C(86400000000), INT64_C(604800000000), INT64_C(3890053517)},
    {INT64_C(259200000000), INT64_C(604800000000), INT64_C(3191148437)},
    {INT64_C(345600000000), INT64_C(604800000000), INT64_C(2890298656)},
    {INT64_C(432000000000), INT64_C(604800000000), INT64_C(2617811889)},
    {INT64_C(604800000000), INT64_C(604800000000), INT64_C(2147483648)},
    {INT64_C(777600000000), INT64_C(604800000000), INT64_C(1761656763)},
    {INT64_C(1209600000000), INT64_C(604800000000), INT64_C(1073741824)},
    {INT64_C(1728000000000), INT64_C(604800000000), INT64_C(592753544)},
    {1, 3, INT64_C(3408917802)},
    {2, 3, INT64_C(2705659852)},
    {32, 1, 1},
    {33, 1, 0}, /* one half: to even */
    {34, 1, 0},
    {INT64_MAX, 1, 0},
    {INT64_MAX, INT64_C(4611686018427387904), INT64_C(1073741824)},
    {INT64_MAX, INT64_MAX, INT64_C(2147483648)},
    {INT64_MAX - 1, INT64_MAX, INT64_C(2147483648)},
    {1, INT64_MAX, INT64_C(4294967296)},
};

START_TEST(test_decay_weights)
{
    int64_t got = -1;
    ck_assert_int_eq(accord_decay_weight(weights[_i].age, weights[_i].half_life, &got), ACCORD_OK);
    ck_assert_int_eq(got, weights[_i].want);
}
END_TEST

START_TEST(test_decay_refused)
{
    int64_t got = 77;
    ck_assert_int_eq(accord_decay_weight(-1, 1, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_decay_weight(1, 0, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(got, 77);
}
END_TEST

/* What needs no other program to be known of a halving: it never rises with age, is halved by one
 * more half-life, and the weights of two halves multiply to that of the whole. */
START_TEST(test_decay_properties)
{
    uint64_t seed = (uint64_t)_i + 1;
    bool fine = true;
    for (int round = 0; round < 500; round++) {
        const int64_t half_life = 1 + random_below(&seed, INT64_C(1) << random_below(&seed, 50));
        const int64_t a = random_below(&seed, 2 * half_life);
        const int64_t b = random_below(&seed, 2 * half_life);
        int64_t weight_a = 0;
        int64_t weight_b = 0;
        int64_t weight_ab = 0;
        int64_t halved = 0;
        fine = fine && accord_decay_weight(a, half_life, &weight_a) == ACCORD_OK;
        fine = fine && accord_decay_weight(b, half_life, &weight_b) == ACCORD_OK;
        fine = fine && accord_decay_weight(a + b, half_life, &weight_ab) == ACCORD_OK;
        fine = fine && accord_decay_weight(a + half_life, half_life, &halved) == ACCORD_OK;
        fine = fine && (a <= b ? weight_a >= weight_b : weight_a <= weight_b);
        fine = fine && (halved == weight_a / 2 || halved == weight_a / 2 + 1);
        /* (x ± ½)(y ± ½) / 2^32 is within one of xy / 2^32, and the rounding within a half. */
        __extension__ const __int128 off =
            (__int128)weight_a * weight_b - (__int128)weight_ab * ACCORD_DECAY_ONE;
        fine = fine && off < 2 * ACCORD_DECAY_ONE && off > -2 * ACCORD_DECAY_ONE;
    }
    ck_assert(fine);
}
END_TEST

/* Every touch older than any weight: the youngest gets what it would get if it were young. */
START_TEST(test_decay_of_the_very_old)
{
    const struct accord_touch touches[] = {touch_at(602 * day, "a"), touch_at(601 * day, "b"),
                                           touch_at(600 * day, "c")};
    const enum accord_touch_outcome outcomes[] = {ACCORD_TOUCH_BEATEN, ACCORD_TOUCH_BEATEN,
                                                  ACCORD_TOUCH_WON};
    int64_t parts[3];
    ck_assert_int_eq(
        accord_credit_touches(ACCORD_CREDIT_DECAY, 7000, touches, outcomes, 3, sale, day, parts),
        ACCORD_OK);
    ck_assert_int_eq(parts[0], 1000);
    ck_assert_int_eq(parts[1], 2000);
    ck_assert_int_eq(parts[2], 4000);
}
END_TEST

/* Sales of 100 each over the paths A, AB, BC, ABC: 550/3, 400/3, 250/3. A promoter who stands twice
 * in a path counts once. */
START_TEST(test_shapley_of_paths)
{
    static const struct {
        struct accord_pool_cell cells[4];
        size_t count;
    } paths[] = {{{{0, 1}, {0, 1}}, 2},
                 {{{0, 1}, {1, 1}}, 2},
                 {{{1, 1}, {2, 1}, {1, 1}}, 3},
                 {{{0, 1}, {1, 1}, {2, 1}}, 3}};
    const struct accord_pool_terms terms = {.method = ACCORD_POOL_SHAPLEY, .payee_count = 3};
    struct accord_pool *pool = NULL;
    int64_t parts[3] = {0};
    int64_t unclaimed = -1;
    ck_assert_int_eq(accord_pool_new(&terms, &pool), ACCORD_OK);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(accord_pool_user(pool, 100, paths[i].cells, paths[i].count), ACCORD_OK);
    ck_assert_int_eq(accord_pool_finish(pool, parts, &unclaimed), ACCORD_OK);
    ck_assert_int_eq(parts[0], 184);
    ck_assert_int_eq(parts[1], 133);
    ck_assert_int_eq(parts[2], 83);
    ck_assert_int_eq(unclaimed, 0);
    accord_pool_free(pool);
}
END_TEST

/* The same paths as touches: each sale alone, in whole units. */
START_TEST(test_shapley_of_touches)
{
    static const char *const paths[] = {"AA", "AB", "BCB", "ABC"};
    int64_t sums[3] = {0};
    for (size_t p = 0; p < 4; p++) {
        const size_t count = strlen(paths[p]);
        struct accord_touch touches[3];
        enum accord_touch_outcome outcomes[3];
        int64_t parts[3];
        for (size_t i = 0; i < count; i++) {
            touches[i] = touch_at((int64_t)(count - i), event_ids[i]);
            touches[i].promoter = (uint32_t)(paths[p][i] - 'A');
            outcomes[i] = ACCORD_TOUCH_BEATEN;
        }
        ck_assert_int_eq(accord_credit_touches(ACCORD_CREDIT_SHAPLEY, 100, touches, outcomes, count,
                                               sale, day, parts),
                         ACCORD_OK);
        for (size_t i = 0; i < count; i++)
            sums[touches[i].promoter] += parts[i];
    }
    ck_assert_int_eq(sums[0], 184);
    ck_assert_int_eq(sums[1], 133);
    ck_assert_int_eq(sums[2], 83);
}
END_TEST

/* 101 over three promoters: 34, 34, 33 in the order of their first touches; what one has over its
 * touches, the odd unit to its earlier one. A touch that does not count is as if it were not there.
 */
START_TEST(test_shapley_in_whole_units)
{
    struct accord_touch touches[] = {touch_at(1, "e"), touch_at(5, "a"), touch_at(4, "b"),
                                     touch_at(3, "c"), touch_at(2, "d"), touch_at(9, "f")};
    static const uint32_t of[] = {7, 7, 3, 3, 9, 9};
    static const int64_t want[] = {17, 17, 17, 17, 33, 0};
    static const enum accord_touch_outcome outcomes[6] = {
        ACCORD_TOUCH_WON,    ACCORD_TOUCH_BEATEN,           ACCORD_TOUCH_BEATEN,
        ACCORD_TOUCH_BEATEN, ACCORD_TOUCH_BEATEN_BY_COUPON, ACCORD_TOUCH_OUTSIDE_WINDOW};
    int64_t parts[6];
    for (size_t i = 0; i < 6; i++)
        touches[i].promoter = of[i];
    for (int sign = 1; sign >= -1; sign -= 2) {
        ck_assert_int_eq(accord_credit_touches(ACCORD_CREDIT_SHAPLEY, sign * 101, touches, outcomes,
                                               6, sale, day, parts),
                         ACCORD_OK);
        for (size_t i = 0; i < 6; i++)
            ck_assert_int_eq(parts[i], sign * want[i]);
    }
    /* 103: 35, 34, 34; of 35 the earlier touch has 18. */
    ck_assert_int_eq(
        accord_credit_touches(ACCORD_CREDIT_SHAPLEY, 103, touches, outcomes, 6, sale, day, parts),
        ACCORD_OK);
    ck_assert_int_eq(parts[1], 18);
    ck_assert_int_eq(parts[0], 17);
    ck_assert_int_eq(parts[4], 34);
}
END_TEST

START_TEST(test_names_of_models)
{
    ck_assert_str_eq(accord_credit_model_name(ACCORD_CREDIT_LINEAR), "linear");
    ck_assert_str_eq(accord_credit_model_name(ACCORD_CREDIT_DECAY), "time_decay");
    ck_assert_str_eq(accord_credit_model_name((enum accord_credit_model)6), "");
}
END_TEST

/* ---- any order, any number ---- */

enum { MANY = 48 };

static void draw_touches(uint64_t *seed, struct accord_touch *touches, size_t count)
{
    static char ids[MANY][4];
    static const char *const partners[] = {"chn-a", "chn-b"};
    for (size_t i = 0; i < count; i++) {
        ids[i][0] = (char)('a' + (int)(i / 26));
        ids[i][1] = (char)('a' + (int)(i % 26));
        touches[i] = touch_at(random_below(seed, 12) - 2, ids[i]);
        touches[i].partner = partners[random_below(seed, 2)];
        touches[i].kind = (enum accord_touch_kind)random_below(seed, 3);
        touches[i].promoter = (uint32_t)random_below(seed, 9);
        touches[i].self_referral = random_below(seed, 4) == 0;
        touches[i].promoter_suspended = random_below(seed, 4) == 0;
    }
}

/* The number that a touch was drawn with. */
static size_t drawn(const struct accord_touch *touch)
{
    return (size_t)(26 * (touch->event_id[0] - 'a') + (touch->event_id[1] - 'a'));
}

static void shuffle(uint64_t *seed, struct accord_touch *touches, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        const size_t other = (size_t)random_below(seed, (int64_t)i);
        const struct accord_touch kept = touches[i - 1];
        touches[i - 1] = touches[other];
        touches[other] = kept;
    }
}

/* By the words of the rule: true when b comes after a. */
static bool later(const struct accord_touch *a, const struct accord_touch *b)
{
    if (a->occurred_at_us != b->occurred_at_us)
        return b->occurred_at_us > a->occurred_at_us;
    if (strcmp(a->partner, b->partner) != 0)
        return strcmp(b->partner, a->partner) > 0;
    return strcmp(b->event_id, a->event_id) > 0;
}

static bool eligible(const struct accord_touch *touch, int64_t window)
{
    return touch->occurred_at_us <= sale && sale - touch->occurred_at_us <= window &&
           !touch->self_referral && !touch->promoter_suspended;
}

/* The winner: the eligible touch that no other eligible touch is better than. */
static bool is_best(const struct accord_touch *touches, size_t count, size_t at,
                    const struct accord_attribution_rules *rules)
{
    if (!eligible(&touches[at], rules->window_us))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (i == at || !eligible(&touches[i], rules->window_us))
            continue;
        const bool mine = touches[at].kind == ACCORD_TOUCH_COUPON;
        const bool its = touches[i].kind == ACCORD_TOUCH_COUPON;
        if (rules->coupon_beats_click && mine != its) {
            if (its)
                return false;
        } else if (later(&touches[at], &touches[i]) == (rules->model == ACCORD_TOUCH_LAST)) {
            return false;
        }
    }
    return true;
}

START_TEST(test_any_order)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < 200; round++) {
        const size_t count = (size_t)random_below(&seed, MANY + 1);
        const struct accord_attribution_rules rules = {
            .window_us = random_below(&seed, 10),
            .model = (enum accord_touch_model)random_below(&seed, 2),
            .coupon_beats_click = random_below(&seed, 2) == 0};
        const enum accord_credit_model model = (enum accord_credit_model)random_below(&seed, 6);
        const int64_t total = random_below(&seed, 100000) - 50000;
        struct accord_touch touches[MANY];
        enum accord_touch_outcome outcomes[MANY];
        int64_t parts[MANY];
        int64_t before[MANY] = {0};
        size_t winner = 99;
        int64_t sum = 0;
        bool fine = true;

        draw_touches(&seed, touches, count);
        ck_assert_int_eq(accord_attribute(touches, count, sale, &rules, outcomes, &winner),
                         ACCORD_OK);
        for (size_t i = 0; i < count; i++) {
            const bool counts = outcomes[i] == ACCORD_TOUCH_WON ||
                                outcomes[i] == ACCORD_TOUCH_BEATEN ||
                                outcomes[i] == ACCORD_TOUCH_BEATEN_BY_COUPON;
            fine = fine && counts == eligible(&touches[i], rules.window_us);
            fine = fine && (i == winner) == is_best(touches, count, i, &rules);
            fine = fine && (i == winner) == (outcomes[i] == ACCORD_TOUCH_WON);
        }
        ck_assert_int_eq(
            accord_credit_touches(model, total, touches, outcomes, count, sale, 3, parts),
            ACCORD_OK);
        for (size_t i = 0; i < count; i++) {
            fine = fine && (parts[i] == 0 || eligible(&touches[i], rules.window_us));
            before[drawn(&touches[i])] = parts[i];
            sum += parts[i];
        }
        fine = fine && sum == (winner == SIZE_MAX ? 0 : total);

        const size_t won = winner == SIZE_MAX ? 0 : drawn(&touches[winner]);
        shuffle(&seed, touches, count);
        size_t again = 99;
        ck_assert_int_eq(accord_attribute(touches, count, sale, &rules, outcomes, &again),
                         ACCORD_OK);
        fine = fine && (again == SIZE_MAX) == (winner == SIZE_MAX);
        fine = fine && (again == SIZE_MAX || drawn(&touches[again]) == won);
        ck_assert_int_eq(
            accord_credit_touches(model, total, touches, outcomes, count, sale, 3, parts),
            ACCORD_OK);
        for (size_t i = 0; i < count; i++)
            fine = fine && parts[i] == before[drawn(&touches[i])];
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* ---- levels ---- */

static const struct {
    int64_t whole;
    int64_t level_ppm[2];
    size_t levels;
    struct accord_referrer chain[2];
    size_t chain_count;
    int64_t want[2];
    int64_t left;
    const char *outcomes[2];
} chains[] = {
    /* clang-format off */
    {19781, {100000, 50000}, 1, {{.promoter = 4}}, 1, {1978}, 17803, {"paid"}},
    {19781, {100000, 50000}, 1, {{.promoter = 4}, {.promoter = 5}}, 2, {1978}, 17803, {"paid"}},
    /* 1978.1, 989.05, 16813.85: the one unit left goes to the largest rest */
    {19781, {100000, 50000}, 2, {{.promoter = 4}, {.promoter = 5}}, 2, {1978, 989}, 16814, {"paid", "paid"}},
    {-19781, {100000, 50000}, 2, {{.promoter = 4}, {.promoter = 5}}, 2, {-1978, -989}, -16814, {"paid", "paid"}},
    {19781, {100000, 50000}, 2, {{.promoter = 4}}, 1, {1978, 0}, 17803, {"paid", "nobody"}},
    {19781, {100000, 50000}, 2, {{.promoter = 4}}, 0, {0, 0}, 19781, {"nobody", "nobody"}},
    {19781, {100000, 50000}, 2, {{.promoter = 4}, {.promoter = 4}}, 2, {1978, 0}, 17803, {"paid", "repeated"}},
    {19781, {100000, 50000}, 2, {{.promoter = 4, .suspended = true}, {.promoter = 5}}, 2, {0, 989}, 18792, {"promoter_suspended", "paid"}},
    {19781, {100000, 50000}, 2, {{.promoter = 4}, {.promoter = 5, .self_referral = true}}, 2, {1978, 0}, 17803, {"paid", "self_referral"}},
    {1, {500000, 500000}, 2, {{.promoter = 4}, {.promoter = 5}}, 2, {1, 0}, 0, {"paid", "paid"}},
    {1, {500000, 0}, 1, {{.promoter = 4}}, 1, {1}, 0, {"paid"}}, /* a tie goes to the level */
    {INT64_MAX, {1000000, 0}, 2, {{.promoter = 4}, {.promoter = 5}}, 2, {INT64_MAX, 0}, 0, {"paid", "paid"}},
    /* clang-format on */
};

START_TEST(test_levels)
{
    struct accord_referral_part parts[2];
    int64_t left = -1;
    ck_assert_int_eq(accord_referral_split(chains[_i].whole, chains[_i].level_ppm,
                                           chains[_i].levels, chains[_i].chain,
                                           chains[_i].chain_count, parts, &left),
                     ACCORD_OK);
    ck_assert_int_eq(left, chains[_i].left);
    for (size_t i = 0; i < chains[_i].levels; i++) {
        ck_assert_int_eq(parts[i].amount, chains[_i].want[i]);
        ck_assert_str_eq(accord_referral_outcome_name(parts[i].outcome), chains[_i].outcomes[i]);
        ck_assert_uint_eq(parts[i].promoter,
                          i < chains[_i].chain_count ? chains[_i].chain[i].promoter : 0);
    }
}
END_TEST

START_TEST(test_levels_refused)
{
    static const struct {
        int64_t level_ppm[3];
        size_t levels;
        enum accord_error want;
    } refused[] = {{{0}, 0, ACCORD_E_COUNT_OUT_OF_RANGE},
                   {{1, 1, 1}, 3, ACCORD_E_COUNT_OUT_OF_RANGE},
                   {{-1}, 1, ACCORD_E_VALUE_OUT_OF_RANGE},
                   {{1000001}, 1, ACCORD_E_VALUE_OUT_OF_RANGE},
                   {{500001, 500000}, 2, ACCORD_E_SHARES_EXCEED_WHOLE}};
    const struct accord_referrer chain[2] = {{.promoter = 1}, {.promoter = 2}};
    const int64_t level_ppm[] = {100000};
    struct accord_referral_part parts[3] = {{.amount = 77}};
    int64_t left = 77;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        ck_assert_int_eq(accord_referral_split(100, refused[i].level_ppm, refused[i].levels, chain,
                                               2, parts, &left),
                         refused[i].want);
    ck_assert_int_eq(accord_referral_split(INT64_MIN, level_ppm, 1, chain, 1, parts, &left),
                     ACCORD_E_OVERFLOW);
    ck_assert_int_eq(parts[0].amount, 77);
    ck_assert_int_eq(left, 77);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("attribution");
    TCase *tc = tcase_create("attribution");
    tcase_add_loop_test(tc, test_cases, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(tc, test_reasons);
    tcase_add_test(tc, test_coupon_is_only_a_touch_unless_it_beats);
    tcase_add_test(tc, test_ties);
    tcase_add_test(tc, test_edges_of_time);
    tcase_add_test(tc, test_refused);
    tcase_add_loop_test(tc, test_decay_weights, 0, sizeof weights / sizeof weights[0]);
    tcase_add_test(tc, test_decay_refused);
    tcase_add_loop_test(tc, test_decay_properties, 0, 4);
    tcase_add_test(tc, test_decay_of_the_very_old);
    tcase_add_test(tc, test_shapley_of_paths);
    tcase_add_test(tc, test_shapley_of_touches);
    tcase_add_test(tc, test_shapley_in_whole_units);
    tcase_add_test(tc, test_names_of_models);
    tcase_add_loop_test(tc, test_any_order, 0, 8);
    tcase_add_loop_test(tc, test_levels, 0, sizeof chains / sizeof chains[0]);
    tcase_add_test(tc, test_levels_refused);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
