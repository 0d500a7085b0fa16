/* Shares of pools in windows: who gets them, from whom, and what other terms make of them. */
#include "accord/window.h"

#include "window_fixture.h"

static struct accord_term pool_term(const char *pool)
{
    return (struct accord_term){.kind = ACCORD_TERM_POOL, .pool = pool, .pool_version = 1};
}

static struct accord_window_sums with_shares(const struct accord_window_pool *shares, size_t count)
{
    struct accord_window_sums sums = window_sums(0, 0);
    sums.pools = shares;
    sums.pool_count = count;
    return sums;
}

START_TEST(a_share_is_a_pair_with_the_pool)
{
    const struct accord_term term = pool_term("chn-b/library");
    const struct accord_agreement_version version = window_version(&term, 1);
    const struct accord_window_pool share = {.term = 0, .payee = PROVIDER, .amount = 6075};
    const struct accord_window_sums sums = with_shares(&share, 1);
    const struct accord_window_period month = window_month(3);
    struct accord_window_state state = {0};
    struct window_got got;
    ck_assert_int_eq(window_settle(&version, &month, &sums, &state, &got), ACCORD_OK);
    ck_assert_uint_eq(got.count, 2);
    ck_assert_int_eq(window_sum(&got, "pool", PROVIDER), 6075);
    ck_assert_int_eq(window_sum(&got, "pool", ACCORD_PARTY_POOL), -6075);
    /* What was told before and is kept: the channel bears it. */
    const struct accord_window_pool kept = {
        .term = 0, .payee = PROVIDER, .amount = -75, .kept = 6075};
    const struct accord_window_sums less = with_shares(&kept, 1);
    struct accord_window_state again = {0};
    ck_assert_int_eq(window_settle(&version, &month, &less, &again, &got), ACCORD_OK);
    ck_assert_int_eq(window_sum(&got, "pool", PROVIDER), -75);
    ck_assert_int_eq(window_sum(&got, "pool", ACCORD_PARTY_POOL), 75);
    ck_assert_int_eq(window_sum(&got, "late_usage", PROVIDER), 6075);
    ck_assert_int_eq(window_sum(&got, "late_usage", CHANNEL), -6075);
}
END_TEST

/* A guarantee of 1,000 is met by 300 of sales, all to the provider's window, and 500 of a pool: 200
 * are topped up. A cap of 700 on the same cuts 100 of 800. */
START_TEST(other_terms_see_it)
{
    const struct accord_term guaranteed[] = {pool_term("chn-b/library"),
                                             {.kind = ACCORD_TERM_GUARANTEE,
                                              .payee = PROVIDER,
                                              .funded_by = CHANNEL,
                                              .amount_minor = 1000,
                                              .window = ACCORD_WINDOW_PERIOD}};
    const struct accord_term capped[] = {pool_term("chn-b/library"),
                                         {.kind = ACCORD_TERM_CAP,
                                          .payee = PROVIDER,
                                          .amount_minor = 700,
                                          .window = ACCORD_WINDOW_PERIOD}};
    const struct accord_window_pool share = {.term = 0, .payee = PROVIDER, .amount = 500};
    const struct accord_window_period month = window_month(3);
    for (int i = 0; i < 2; i++) {
        const struct accord_agreement_version version =
            window_version(i == 0 ? guaranteed : capped, 2);
        struct accord_window_sums sums = with_shares(&share, 1);
        struct accord_window_state state = {0};
        struct window_got got;
        sums.shares[PROVIDER] = 300;
        ck_assert_int_eq(window_settle(&version, &month, &sums, &state, &got), ACCORD_OK);
        ck_assert_int_eq(window_sum(&got, i == 0 ? "guarantee" : "cap", PROVIDER),
                         i == 0 ? 200 : -100);
        ck_assert_int_eq(window_sum(&got, NULL, PROVIDER), i == 0 ? 700 : 400);
    }
}
END_TEST

/* Sales beside it are settled as ever: a pool is no part of what is open. */
START_TEST(it_leaves_what_is_open_alone)
{
    const struct accord_term term = pool_term("chn-b/library");
    const struct accord_agreement_version version = window_version(&term, 1);
    const struct accord_window_pool share = {.term = 0, .payee = PROVIDER, .amount = 500};
    struct accord_window_sums sums = window_sums(900, 3);
    const struct accord_window_period month = window_month(3);
    struct accord_window_state state = {0};
    struct window_got got;
    sums.pools = &share;
    sums.pool_count = 1;
    ck_assert_int_eq(window_settle(&version, &month, &sums, &state, &got), ACCORD_OK);
    ck_assert_int_eq(window_sum(&got, "residual", PLATFORM), 900);
    ck_assert_int_eq(window_sum(&got, NULL, PROVIDER), 500);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    const struct accord_term terms[] = {pool_term("chn-b/library"), pool_term("nobody/library")};
    const struct accord_agreement_version version = window_version(terms, 2);
    const struct accord_window_period month = window_month(3);
    const struct {
        struct accord_window_pool share;
        enum accord_error error;
        uint32_t term;
    } cases[] = {
        {{.term = 2, .payee = PROVIDER, .amount = 1}, ACCORD_E_VALUE_OUT_OF_RANGE, UINT32_MAX},
        {{.term = 3, .payee = PROVIDER, .amount = 1}, ACCORD_E_VALUE_OUT_OF_RANGE, UINT32_MAX},
        {{.term = 0, .payee = 3, .amount = 1}, ACCORD_E_VALUE_OUT_OF_RANGE, UINT32_MAX},
        {{.term = 0, .payee = PROVIDER, .kept = -1}, ACCORD_E_VALUE_OUT_OF_RANGE, 0},
        {{.term = 1, .payee = PROVIDER, .amount = 1}, ACCORD_E_VALUE_OUT_OF_RANGE, 1},
        {{.term = 0, .payee = PROVIDER, .amount = INT64_MIN}, ACCORD_E_OVERFLOW, 0},
        {{.term = 0, .payee = PROVIDER, .amount = INT64_MAX, .kept = 1}, ACCORD_E_OVERFLOW, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct accord_window_sums sums = with_shares(&cases[i].share, 1);
        struct accord_window_state state = {0};
        struct accord_window_line lines[ACCORD_WINDOW_LINES_MAX];
        size_t count = 77;
        uint32_t term = 77;
        ck_assert_int_eq(
            accord_window_settle(&version, &month, &sums, &state, lines, &count, &term, NULL, NULL),
            cases[i].error);
        ck_assert_uint_eq(term, cases[i].term);
        ck_assert_uint_eq(count, 77);
        ck_assert_uint_eq(state.account_count, 0);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("window_pools");
    TCase *cases = tcase_create("window_pools");
    tcase_add_test(cases, a_share_is_a_pair_with_the_pool);
    tcase_add_test(cases, other_terms_see_it);
    tcase_add_test(cases, it_leaves_what_is_open_alone);
    tcase_add_test(cases, what_cannot_be_is_refused);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
