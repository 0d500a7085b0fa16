#include "pool_fixture.h"

static const struct instance p1 = {
    .members = 6,
    .payees = 4,
    .fees = {3000, 3000, 3000, 3000, 1500, 3000},
    .units = {{90, 10, 0, 0},
              {10, 0, 0, 0},
              {0, 5, 5, 0},
              {0, 0, 900, 0},
              {20, 20, 20, 20},
              {0, 0, 0, 0}},
};

/* The same with a robot: the fourth member plays ten times as long. */
static const struct instance p1_robot = {
    .members = 6,
    .payees = 4,
    .fees = {3000, 3000, 3000, 3000, 1500, 3000},
    .units = {{90, 10, 0, 0},
              {10, 0, 0, 0},
              {0, 5, 5, 0},
              {0, 0, 9000, 0},
              {20, 20, 20, 20},
              {0, 0, 0, 0}},
};

static const struct instance p2 = {
    .members = 5,
    .payees = 3,
    .fees = {2999, 1999, 2999, 999, 2999},
    .units = {{17, 29, 31}, {7, 0, 11}, {0, 13, 0}, {101, 1, 1}, {1, 1, 0}},
};

static const struct instance unit_fees = {
    .members = 3,
    .payees = 3,
    .fees = {1, 1, 1},
    .units = {{10, 0, 0}, {0, 90, 10}, {5, 5, 0}},
};

/* Four museums, five holders of a pass at five prices: published for the museum-pass game. */
static const struct instance museums = {
    .members = 5,
    .payees = 4,
    .fees = {1, 1, 4, 5, 8},
    .units = {{1, 0, 1, 1}, {0, 1, 1, 0}, {1, 1, 0, 1}, {1, 1, 0, 0}, {0, 0, 1, 1}},
};

/* A fund of 10,000,000.00 over 100,000,000 pages: published by Amazon for KDP Select. */
static const struct instance pages = {
    .members = 1,
    .payees = 3,
    .fees = {1000000000},
    .units = {{10000, 20000, 99970000}},
};

/* 17.5 % of 1,000.00. */
static const struct instance minutes = {
    .members = 1, .payees = 3, .fees = {17500}, .units = {{333, 333, 334}}};

/* Two members of 10.00, half of which is the pool. */
static const struct instance two_members = {
    .members = 2, .payees = 2, .fees = {500, 500}, .units = {{10, 0}, {0, 990}}};

static const int64_t weights_p1[] = {1, 2, 1, 4};
static const int64_t weights_p2[] = {1, 2, 1};

#define PRO_RATA ACCORD_POOL_PRO_RATA
#define USER_CENTRIC ACCORD_POOL_USER_CENTRIC
#define SHAPLEY ACCORD_POOL_SHAPLEY
#define WEIGHTED ACCORD_POOL_WEIGHTED_SHAPLEY
#define HYBRID ACCORD_POOL_HYBRID

/* Exact rationals computed apart from this code. user_centric is exact to a millionth of a minor
 * unit, so its text is the sum of millionths. */
static const struct published {
    const struct instance *instance;
    struct accord_pool_terms terms;
    const char *exact[4];
    int64_t amounts[4];
    int64_t unclaimed;
} published[] = {
    /* clang-format off */
    {&p1, {.method = PRO_RATA, .idle = ACCORD_POOL_POOL}, {"1800", "525", "13875", "300"}, {1800, 525, 13875, 300}, 0},
    {&p1, {.method = PRO_RATA, .idle = ACCORD_POOL_SPREAD}, {"1800", "525", "13875", "300"}, {1800, 525, 13875, 300}, 0},
    {&p1, {.method = PRO_RATA}, {"16200/11", "4725/11", "124875/11", "2700/11"}, {1473, 430, 11352, 245}, 3000},
    {&p1, {.method = USER_CENTRIC}, {"6075", "2175", "4875", "375"}, {6075, 2175, 4875, 375}, 3000},
    {&p1, {.method = USER_CENTRIC, .idle = ACCORD_POOL_SPREAD}, {NULL}, {7425, 2659, 5958, 458}, 0},
    {&p1, {.method = SHAPLEY}, {"4875", "3375", "4875", "375"}, {4875, 3375, 4875, 375}, 3000},
    {&p1, {.method = WEIGHTED, .weights_ppm = weights_p1}, {"4187.5", "4375", "4187.5", "750"}, {4188, 4375, 4187, 750}, 3000},
    /* 83025/22, 14325/11, 89250/11, 6825/22 */
    {&p1, {.method = HYBRID, .lambda_ppm = 500000}, {NULL}, {3774, 1302, 8114, 310}, 3000},
    {&p1, {.method = HYBRID, .lambda_ppm = 0}, {"6075", "2175", "4875", "375"}, {6075, 2175, 4875, 375}, 3000},
    {&p1, {.method = HYBRID, .lambda_ppm = 1000000}, {NULL}, {1473, 430, 11352, 245}, 3000},
    {&p1, {.method = HYBRID, .lambda_ppm = 1000000, .idle = ACCORD_POOL_POOL}, {"1800", "525", "13875", "300"}, {1800, 525, 13875, 300}, 0},
    {&p1_robot, {.method = PRO_RATA, .idle = ACCORD_POOL_POOL}, {"4950/23", "5775/92", "1489125/92", "825/23"}, {215, 63, 16186, 36}, 0},
    {&p1_robot, {.method = PRO_RATA}, {"4050/23", "4725/92", "1218375/92", "675/23"}, {176, 52, 13243, 29}, 3000},
    {&p1_robot, {.method = USER_CENTRIC}, {"6075", "2175", "4875", "375"}, {6075, 2175, 4875, 375}, 3000},
    {&p1_robot, {.method = SHAPLEY}, {"4875", "3375", "4875", "375"}, {4875, 3375, 4875, 375}, 3000},
    {&p1_robot, {.method = WEIGHTED, .weights_ppm = weights_p1}, {"4187.5", "4375", "4187.5", "750"}, {4188, 4375, 4187, 750}, 3000},
    /* 143775/46, 204825/184, 1666875/184, 4650/23 */
    {&p1_robot, {.method = HYBRID, .lambda_ppm = 500000}, {NULL}, {3126, 1113, 9059, 202}, 3000},
    {&p2, {.method = PRO_RATA}, {"503790/71", "527780/213", "515785/213"}, {7096, 2478, 2421}, 0},
    {&p2, {.method = USER_CENTRIC}, {"3918.607714", "5637.692536", "2438.69975"}, {3918, 5638, 2439}, 0},
    {&p2, {.method = SHAPLEY}, {"11495/3", "34987/6", "13993/6"}, {3832, 5831, 2332}, 0},
    {&p2, {.method = WEIGHTED, .weights_ppm = weights_p2}, {NULL}, {2999, 6997, 1999}, 0},
    /* 27909586855/5067909, 27419188187/6757212, 49262361839/20271636 */
    {&p2, {.method = HYBRID, .lambda_ppm = 500000}, {NULL}, {5507, 4058, 2430}, 0},
    {&unit_fees, {.method = PRO_RATA}, {"0.375", "2.375", "0.25"}, {1, 2, 0}, 0},
    {&unit_fees, {.method = USER_CENTRIC}, {"1.5", "1.4", "0.1"}, {2, 1, 0}, 0},
    {&unit_fees, {.method = SHAPLEY}, {"1.5", "1", "0.5"}, {2, 1, 0}, 0},
    {&museums, {.method = SHAPLEY}, {"25/6", "13/3", "29/6", "17/3"}, {4, 4, 5, 6}, 0},
    {&pages, {.method = PRO_RATA}, {"100000", "200000", "999700000"}, {100000, 200000, 999700000}, 0},
    {&minutes, {.method = PRO_RATA}, {"5827.5", "5827.5", "5845"}, {5828, 5827, 5845}, 0},
    {&two_members, {.method = PRO_RATA}, {"10", "990"}, {10, 990}, 0},
    {&two_members, {.method = USER_CENTRIC}, {"500", "500"}, {500, 500}, 0},
    /* clang-format on */
};

START_TEST(test_published)
{
    const struct published *want = &published[_i];
    const struct outcome got = divide_pool(&want->terms, want->instance);
    for (size_t i = 0; i < want->instance->payees; i++) {
        ck_assert_int_eq(got.amounts[i], want->amounts[i]);
        if (want->exact[0] != NULL)
            ck_assert_str_eq(got.texts[i], want->exact[i]);
        ck_assert_int_eq(got.steps[i].amount, got.amounts[i]);
        ck_assert_str_eq(got.steps[i].rounding, "largest_remainder");
        ck_assert_int_eq((int64_t)got.steps[i].exact_floor + got.steps[i].extra, got.amounts[i]);
    }
    ck_assert_int_eq(got.unclaimed, want->unclaimed);
    ck_assert_int_eq(got.told_unclaimed, want->unclaimed);
}
END_TEST

START_TEST(test_trace)
{
    const struct accord_pool_terms terms = {.method = SHAPLEY};
    const struct outcome got = divide_pool(&terms, &p2);
    /* 3831 2/3, 5831 1/6, 2332 1/6: the one unit left over goes to the first. */
    ck_assert_uint_eq(got.steps[0].place, 0);
    ck_assert_uint_eq(got.steps[1].place, 1);
    ck_assert_uint_eq(got.steps[2].place, 2);
    ck_assert_uint_eq(got.steps[0].extra, 1);
    ck_assert_uint_eq(got.steps[1].extra, 0);
    ck_assert_uint_eq(got.steps[2].extra, 0);
    ck_assert_int_eq(got.counted[0], 17 + 7 + 101 + 1);
    ck_assert_int_eq(got.counted[1], 29 + 13 + 1 + 1);
    ck_assert_int_eq(got.counted[2], 31 + 11 + 1);
    ck_assert_int_eq(got.fees, 11995);
    ck_assert_int_eq(got.idle, 0);
    const struct outcome idle = divide_pool(&terms, &p1);
    ck_assert_int_eq(idle.fees, 16500);
    ck_assert_int_eq(idle.idle, 3000);
}
END_TEST

/* Nobody used anything: every method leaves all of it unclaimed, under every policy. */
START_TEST(test_zero_minutes)
{
    const struct instance unused = {.members = 2, .payees = 2, .fees = {700, 50}};
    const struct instance nobody = {.members = 0, .payees = 2};
    const struct instance no_payees = {.members = 2, .payees = 0, .fees = {700, 50}};
    const int64_t weights[] = {1, 1};
    for (int method = 0; method <= (int)HYBRID; method++)
        for (int idle = 0; idle <= (int)ACCORD_POOL_POOL; idle++) {
            struct accord_pool_terms terms = {.method = (enum accord_pool_method)method,
                                              .idle = (enum accord_pool_idle)idle,
                                              .weights_ppm = weights};
            if (idle == (int)ACCORD_POOL_POOL && method != (int)PRO_RATA && method != (int)HYBRID)
                continue;
            struct outcome got = divide_pool(&terms, &unused);
            ck_assert_int_eq(got.amounts[0], 0);
            ck_assert_int_eq(got.amounts[1], 0);
            ck_assert_int_eq(got.unclaimed, 750);
            got = divide_pool(&terms, &nobody);
            ck_assert_int_eq(got.amounts[0], 0);
            ck_assert_int_eq(got.unclaimed, 0);
            if (method == (int)WEIGHTED)
                continue; /* without payees there are no weights */
            got = divide_pool(&terms, &no_payees);
            ck_assert_int_eq(got.unclaimed, 750);
        }
}
END_TEST

/* More was refunded than came in: the mirror of the split. */
START_TEST(test_negative_pool)
{
    const struct instance refunded = {
        .members = 2, .payees = 3, .fees = {-17500, 0}, .units = {{333, 333, 334}, {0, 0, 0}}};
    const struct accord_pool_terms by_units = {.method = PRO_RATA};
    struct outcome got = divide_pool(&by_units, &refunded);
    ck_assert_int_eq(got.amounts[0], -5828);
    ck_assert_int_eq(got.amounts[1], -5827);
    ck_assert_int_eq(got.amounts[2], -5845);
    ck_assert_str_eq(got.texts[0], "-5827.5");
    ck_assert_int_eq(got.unclaimed, 0);

    /* One member of two took more back than he paid: +10 to A, -4 by 1 : 2 to B and C. */
    const struct instance mixed = {
        .members = 2, .payees = 3, .fees = {10, -4}, .units = {{1, 0, 0}, {0, 1, 2}}};
    const struct accord_pool_terms by_member = {.method = USER_CENTRIC};
    got = divide_pool(&by_member, &mixed);
    ck_assert_int_eq(got.amounts[0], 10);
    ck_assert_int_eq(got.amounts[1], -1);
    ck_assert_int_eq(got.amounts[2], -3);
    ck_assert_str_eq(got.texts[1], "-1.333333");

    /* Idle money goes to those whose share has the sign of the whole. */
    const struct instance mixed_idle = {
        .members = 3, .payees = 3, .fees = {10, -4, 6}, .units = {{1, 0, 0}, {0, 1, 2}, {0}}};
    const struct accord_pool_terms spread = {.method = USER_CENTRIC, .idle = ACCORD_POOL_SPREAD};
    got = divide_pool(&spread, &mixed_idle);
    ck_assert_int_eq(got.amounts[0], 16);
    ck_assert_int_eq(got.amounts[1], -1);
    ck_assert_int_eq(got.amounts[2], -3);

    /* Shares that add up to nothing: what is idle stays unclaimed. */
    const struct instance even = {
        .members = 3, .payees = 2, .fees = {5, -5, 7}, .units = {{1, 0}, {0, 1}, {0, 0}}};
    got = divide_pool(&spread, &even);
    ck_assert_int_eq(got.amounts[0], 5);
    ck_assert_int_eq(got.amounts[1], -5);
    ck_assert_int_eq(got.unclaimed, 7);
}
END_TEST

START_TEST(test_caps)
{
    /* The cap holds per member and payee: 100 of 900 and 20 of 20; the minimum drops the 5. */
    const struct instance usage = {
        .members = 2, .payees = 2, .fees = {100, 20}, .units = {{900, 5}, {20, 20}}};
    struct accord_pool_terms terms = {.method = PRO_RATA, .cap_units = 100, .min_units = 10};
    struct outcome got = divide_pool(&terms, &usage);
    ck_assert_int_eq(got.counted[0], 120);
    ck_assert_int_eq(got.counted[1], 20);
    /* 120 · 120/140 = 102.86, 120 · 20/140 = 17.14 */
    ck_assert_int_eq(got.amounts[0], 103);
    ck_assert_int_eq(got.amounts[1], 17);
    terms.method = SHAPLEY;
    got = divide_pool(&terms, &usage);
    ck_assert_int_eq(got.amounts[0], 110);
    ck_assert_int_eq(got.amounts[1], 10);
    /* Who reaches no minimum is idle. */
    terms.min_units = 21;
    got = divide_pool(&terms, &usage);
    ck_assert_int_eq(got.amounts[0], 100);
    ck_assert_int_eq(got.amounts[1], 0);
    ck_assert_int_eq(got.unclaimed, 20);

    ck_assert_int_eq(accord_pool_cap(7, 0), 7);
    ck_assert_int_eq(accord_pool_cap(7, 7), 7);
    ck_assert_int_eq(accord_pool_cap(8, 7), 7);
    ck_assert_int_eq(accord_pool_cap(6, 7), 6);
}
END_TEST

/* Cells of one payee are added up, in any order; the cap looks at their sum. */
START_TEST(test_cells)
{
    const struct accord_pool_cell cells[] = {{2, 3}, {0, 4}, {2, 5}, {1, 0}, {0, 6}};
    const struct accord_pool_terms terms = {
        .method = USER_CENTRIC, .payee_count = 3, .cap_units = 9};
    struct accord_pool *pool = NULL;
    int64_t amounts[3];
    int64_t unclaimed = -1;
    ck_assert_int_eq(accord_pool_new(&terms, &pool), ACCORD_OK);
    ck_assert_int_eq(accord_pool_user(pool, 1700, cells, 5), ACCORD_OK);
    ck_assert_int_eq(accord_pool_finish(pool, amounts, &unclaimed), ACCORD_OK);
    ck_assert_int_eq(amounts[0], 900); /* 10, capped at 9, of 17 */
    ck_assert_int_eq(amounts[1], 0);
    ck_assert_int_eq(amounts[2], 800);
    ck_assert_int_eq(unclaimed, 0);
    accord_pool_free(pool);
    accord_pool_free(NULL);
}
END_TEST

/* A payee of weight zero gets nothing, and who used only such payees is idle. */
START_TEST(test_zero_weight)
{
    const int64_t weights[] = {0, 3, 1};
    const struct instance usage = {
        .members = 2, .payees = 3, .fees = {400, 90}, .units = {{9, 1, 1}, {5, 0, 0}}};
    const struct accord_pool_terms terms = {.method = WEIGHTED, .weights_ppm = weights};
    const struct outcome got = divide_pool(&terms, &usage);
    ck_assert_int_eq(got.amounts[0], 0);
    ck_assert_int_eq(got.amounts[1], 300);
    ck_assert_int_eq(got.amounts[2], 100);
    ck_assert_int_eq(got.unclaimed, 90);
}
END_TEST

/* One member of 41 and one of 40 payees: millionths beyond the exact bound, and still no unit
 * lost. 41 payees, fee 41: 1 each. Fee 40 over the first 40: 1 more each. */
START_TEST(test_many_payees)
{
    enum { MANY = 41 };
    struct accord_pool_cell cells[MANY];
    const struct accord_pool_terms terms = {.method = SHAPLEY, .payee_count = MANY};
    struct accord_pool *pool = NULL;
    int64_t amounts[MANY];
    int64_t unclaimed = -1;
    for (uint32_t i = 0; i < MANY; i++)
        cells[i] = (struct accord_pool_cell){.payee = MANY - 1 - i, .units = 1 + i};
    ck_assert_int_eq(accord_pool_new(&terms, &pool), ACCORD_OK);
    ck_assert_int_eq(accord_pool_user(pool, 41, cells, MANY), ACCORD_OK);
    ck_assert_int_eq(accord_pool_user(pool, 40, cells + 1, MANY - 1), ACCORD_OK);
    ck_assert_int_eq(accord_pool_finish(pool, amounts, &unclaimed), ACCORD_OK);
    for (uint32_t i = 0; i < MANY; i++)
        ck_assert_int_eq(amounts[i], i == MANY - 1 ? 1 : 2);
    /* 100 over 41 is 2.439024…: the millionths left over go to the smaller indexes, then units. */
    ck_assert_int_eq(accord_pool_user(pool, 100, cells, MANY), ACCORD_OK);
    ck_assert_int_eq(accord_pool_finish(pool, amounts, &unclaimed), ACCORD_OK);
    int64_t sum = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        ck_assert(amounts[i] >= 3 && amounts[i] <= 5);
        sum += amounts[i];
    }
    ck_assert_int_eq(sum, 181);
    accord_pool_free(pool);
}
END_TEST

static enum accord_error make(struct accord_pool_terms terms)
{
    struct accord_pool *pool = NULL;
    const enum accord_error err = accord_pool_new(&terms, &pool);
    ck_assert((err == ACCORD_OK) == (pool != NULL));
    accord_pool_free(pool);
    return err;
}

START_TEST(test_terms)
{
    const int64_t zeros[] = {0, 0};
    const int64_t negative[] = {1, -1};
    const int64_t huge[] = {INT64_MAX, 1};
    ck_assert_int_eq(make((struct accord_pool_terms){.method = WEIGHTED, .payee_count = 2}),
                     ACCORD_E_WEIGHTS_ZERO);
    ck_assert_int_eq(make((struct accord_pool_terms){
                         .method = WEIGHTED, .payee_count = 2, .weights_ppm = zeros}),
                     ACCORD_E_WEIGHTS_ZERO);
    ck_assert_int_eq(make((struct accord_pool_terms){
                         .method = WEIGHTED, .payee_count = 2, .weights_ppm = negative}),
                     ACCORD_E_WEIGHT_NEGATIVE);
    ck_assert_int_eq(
        make((struct accord_pool_terms){.method = WEIGHTED, .payee_count = 2, .weights_ppm = huge}),
        ACCORD_E_OVERFLOW);
    ck_assert_int_eq(
        make((struct accord_pool_terms){.method = USER_CENTRIC, .idle = ACCORD_POOL_POOL}),
        ACCORD_E_VALUE_UNKNOWN);
    ck_assert_int_eq(make((struct accord_pool_terms){.method = (enum accord_pool_method)9}),
                     ACCORD_E_VALUE_UNKNOWN);
    ck_assert_int_eq(make((struct accord_pool_terms){.idle = (enum accord_pool_idle)9}),
                     ACCORD_E_VALUE_UNKNOWN);
    ck_assert_int_eq(make((struct accord_pool_terms){.lambda_ppm = 1000001}),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(make((struct accord_pool_terms){.lambda_ppm = -1}),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(make((struct accord_pool_terms){.min_units = -1}),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(make((struct accord_pool_terms){.cap_units = -1}),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(make((struct accord_pool_terms){.payee_count = ACCORD_POOL_PAYEES_MAX + 1}),
                     ACCORD_E_COUNT_OUT_OF_RANGE);
    ck_assert_int_eq(make((struct accord_pool_terms){.payee_count = 2}), ACCORD_OK);
}
END_TEST

/* A member who cannot be is refused whole, and leaves no trace. */
START_TEST(test_refused_members)
{
    const struct accord_pool_terms terms = {.method = USER_CENTRIC, .payee_count = 2};
    const struct accord_pool_cell good[] = {{0, 1}, {1, 3}};
    const struct accord_pool_cell foreign[] = {{0, 5}, {2, 1}};
    const struct accord_pool_cell negative[] = {{0, 5}, {1, -1}};
    const struct accord_pool_cell twice[] = {{0, INT64_MAX}, {0, 1}};
    const struct accord_pool_cell beyond[] = {{0, INT64_MAX - 3}};
    struct accord_pool *pool = NULL;
    int64_t amounts[2];
    int64_t unclaimed = 0;
    ck_assert_int_eq(accord_pool_new(&terms, &pool), ACCORD_OK);
    ck_assert_int_eq(accord_pool_user(pool, 400, good, 2), ACCORD_OK);
    ck_assert_int_eq(accord_pool_user(pool, 400, foreign, 2), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_pool_user(pool, 400, negative, 2), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(accord_pool_user(pool, 400, twice, 2), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_pool_user(pool, 400, beyond, 1), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_pool_user(pool, ACCORD_POOL_FEE_MAX + 1, good, 2), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_pool_user(pool, -ACCORD_POOL_FEE_MAX - 1, good, 2), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_pool_user(pool, INT64_MIN, NULL, 0), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_pool_user(pool, 4, good, 2), ACCORD_OK);
    ck_assert_int_eq(accord_pool_finish(pool, amounts, &unclaimed), ACCORD_OK);
    ck_assert_int_eq(amounts[0], 101);
    ck_assert_int_eq(amounts[1], 303);
    ck_assert_int_eq(unclaimed, 0);
    accord_pool_free(pool);
}
END_TEST

/* At the edge: as many of the largest fees as fit, then one unit too much. */
START_TEST(test_edges)
{
    const int64_t weights[] = {1, 1000000, 3};
    for (int method = 0; method <= (int)HYBRID; method++) {
        const struct accord_pool_terms terms = {.method = (enum accord_pool_method)method,
                                                .idle = ACCORD_POOL_SPREAD,
                                                .payee_count = 3,
                                                .weights_ppm = weights,
                                                .lambda_ppm = 333333};
        const struct accord_pool_cell cells[] = {{0, INT64_C(3000000000)}, {1, 1}, {2, 7}};
        struct accord_pool *pool = NULL;
        int64_t amounts[3];
        int64_t unclaimed = -1;
        int64_t fees = 0;
        ck_assert_int_eq(accord_pool_new(&terms, &pool), ACCORD_OK);
        for (int u = 0; u < 1000000; u++) {
            const size_t count = u % 4 == 3 ? 0 : (size_t)(1 + u % 3);
            const enum accord_error err = accord_pool_user(pool, ACCORD_POOL_FEE_MAX, cells, count);
            if (err != ACCORD_OK)
                ck_abort_msg("member %d: %d", u, (int)err);
            fees += ACCORD_POOL_FEE_MAX;
        }
        ck_assert_int_eq(accord_pool_user(pool, INT64_MAX - fees, cells, 3), ACCORD_OK);
        ck_assert_int_eq(accord_pool_user(pool, 1, cells, 3), ACCORD_E_OVERFLOW);
        ck_assert_int_eq(accord_pool_user(pool, -1, cells, 3), ACCORD_E_OVERFLOW);
        ck_assert_int_eq(accord_pool_finish(pool, amounts, &unclaimed), ACCORD_OK);
        ck_assert_int_eq(unclaimed, 0);
        int64_t left = INT64_MAX;
        for (int i = 0; i < 3; i++) {
            ck_assert(amounts[i] >= 0 && amounts[i] <= left);
            left -= amounts[i];
        }
        ck_assert_int_eq(left, 0);
        accord_pool_free(pool);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pool");
    TCase *tests = tcase_create("pool");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, test_published, 0, sizeof published / sizeof *published);
    tcase_add_test(tests, test_trace);
    tcase_add_test(tests, test_zero_minutes);
    tcase_add_test(tests, test_negative_pool);
    tcase_add_test(tests, test_caps);
    tcase_add_test(tests, test_cells);
    tcase_add_test(tests, test_zero_weight);
    tcase_add_test(tests, test_many_payees);
    tcase_add_test(tests, test_terms);
    tcase_add_test(tests, test_refused_members);
    tcase_add_test(tests, test_edges);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
