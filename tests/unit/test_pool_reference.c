/* Pools against the same rules in exact rationals: see pool_reference.py. */
#include "accord/pool.h"

#include "pool_cases.h"
#include "unit.h"

enum { PAYEES = 43 };

static void must_be_ok(int number, enum accord_error err)
{
    if (err != ACCORD_OK)
        ck_abort_msg("case %d: error %d", number, (int)err);
}

START_TEST(test_reference)
{
    const int64_t *at = pool_cases;
    for (int number = 0; number < POOL_CASES; number++) {
        struct accord_pool *pool = NULL;
        int64_t amounts[PAYEES];
        int64_t unclaimed = 0;
        struct accord_pool_terms terms = {.method = (enum accord_pool_method)at[0],
                                          .idle = (enum accord_pool_idle)at[1],
                                          .payee_count = (uint32_t)at[2],
                                          .lambda_ppm = at[3],
                                          .min_units = at[4],
                                          .cap_units = at[5],
                                          .weights_ppm = at + 6};
        at += 6 + terms.payee_count;
        must_be_ok(number, accord_pool_new(&terms, &pool));
        for (int64_t left = *at++; left > 0; left--) {
            struct accord_pool_cell cells[PAYEES];
            const int64_t fee = *at++;
            for (uint32_t i = 0; i < terms.payee_count; i++)
                cells[i] = (struct accord_pool_cell){.payee = i, .units = *at++};
            must_be_ok(number, accord_pool_user(pool, fee, cells, terms.payee_count));
        }
        must_be_ok(number, accord_pool_finish(pool, amounts, &unclaimed));
        for (uint32_t i = 0; i < terms.payee_count; i++, at++)
            if (amounts[i] != *at)
                ck_abort_msg("case %d, method %d, idle %d: payee %u has %lld, not %lld", number,
                             (int)terms.method, (int)terms.idle, i, (long long)amounts[i],
                             (long long)*at);
        ck_assert_int_eq(unclaimed, *at++);
        accord_pool_free(pool);
    }
    ck_assert_ptr_eq(at, pool_cases + sizeof pool_cases / sizeof *pool_cases);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pool reference");
    TCase *tests = tcase_create("reference");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_reference);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
