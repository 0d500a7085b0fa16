/* What posting takes from settling: rows of a line, and refunds that count when they occur. */
#include "settle_fixture.h"

#include <stdio.h>

#include "ingest/settled.h"

enum { LINES = 4, REFUNDS = 12, SALE_DAY = 20468 /* 2026-01-15 in Shanghai */ };

static const int64_t hour_us = INT64_C(3600000000);

static struct arena *arena;
static struct agreement_version version;
static struct accord_line lines[LINES];
static struct accord_order order;
static struct refund_row refunds[REFUNDS];
static struct sale_view view;

static void setup(void)
{
    arena = arena_new((size_t)1 << 26);
    ck_assert_ptr_nonnull(arena);
    version = (struct agreement_version){.terms = fixture_version(), .time_zone = "Asia/Shanghai"};
    ck_assert_int_eq(zone_find(SLICE("Asia/Shanghai"), &version.zone), ACCORD_OK);
    version.terms.refund_basis = ACCORD_REFUND_IN_PERIOD;
    version.terms.qualify_days = -1;
    lines[0] = fixture_line("1", 10000);
    order = fixture_order(lines, 1);
    view = (struct sale_view){.seq = 7, .order = &order, .refunds = refunds};
}

static void teardown(void)
{
    arena_free(arena);
}

static void add_refund(const char *event_id, const char *line_id, int64_t amount, int64_t after_us)
{
    refunds[view.refund_count] = (struct refund_row){.line = (int64_t)view.refund_count,
                                                     .channel = "chn-b",
                                                     .order_id = "o-1",
                                                     .refund_id = event_id,
                                                     .event_id = event_id,
                                                     .occurred_at = fixture_time + after_us,
                                                     .line_id = line_id,
                                                     .amount = amount,
                                                     .tax_returned = -1};
    view.refund_count++;
}

static struct settled settle_now(void)
{
    const struct accord_agreement_version *terms[] = {&version.terms};
    const struct agreement_version *versions[] = {&version};
    const struct agreement_choice choice = {terms, versions, 1};
    struct settled got;
    ck_assert_int_eq(settled_with(&choice, arena, &view, &got), ACCORD_OK);
    return got;
}

static int64_t share(const struct entry_row *row, const char *payee)
{
    int64_t sum = 0;
    for (size_t i = 0; i < row->share_count; i++)
        if (strcmp(row->shares[i].payee, payee) == 0)
            sum += row->shares[i].amount;
    return sum;
}

static void expect_row(const struct entry_row *row, int64_t line, int64_t day, int64_t line_count,
                       int64_t refunded, int64_t net, int64_t qualified, int64_t provider)
{
    ck_assert_int_eq(row->sale_seq, 7);
    ck_assert_int_eq(row->line, line);
    ck_assert_int_eq(row->day, day);
    ck_assert_int_eq(row->numbers[ENTRY_LINES], line_count);
    ck_assert_int_eq(row->numbers[ENTRY_QUANTITY], line_count);
    ck_assert_int_eq(row->numbers[ENTRY_REFUNDED], refunded);
    ck_assert_int_eq(row->numbers[ENTRY_NET], net);
    ck_assert_int_eq(row->numbers[ENTRY_LINES_QUALIFIED], qualified);
    ck_assert_int_eq(share(row, "prv-a"), provider);
}

/* Sold on 15 January; 20.00 back on the 20th, and the rest when it is 3 February in Shanghai. */
START_TEST(test_each_day)
{
    add_refund("b", "1", 8000, (24 * 18 + 5) * hour_us); /* 2026-02-02T17:03Z */
    add_refund("a", "1", 2000, 24 * 5 * hour_us);
    struct settled got = settle_now();
    ck_assert_uint_eq(got.count, 3);
    expect_row(&got.rows[0], 0, SALE_DAY, 1, 0, 10000, 1, 6000);
    expect_row(&got.rows[1], 0, SALE_DAY + 5, 0, 2000, -2000, 0, -1200);
    expect_row(&got.rows[2], 0, SALE_DAY + 19, 0, 8000, -8000, -1, -4800);
    ck_assert_int_eq(got.rows[2].numbers[ENTRY_GROSS], 0);

    version.terms.refund_basis = ACCORD_REFUND_ORIGINAL;
    got = settle_now();
    ck_assert_uint_eq(got.count, 1);
    expect_row(&got.rows[0], 0, SALE_DAY, 1, 10000, 0, 0, 0);
}
END_TEST

/* A refund on the day of the sale, or before it by a wrong clock, stands with the sale; a day on
 * which nothing is left to refund has no row but the excess. */
START_TEST(test_same_day)
{
    add_refund("a", "1", 1000, -48 * hour_us);
    add_refund("b", "1", 3000, hour_us);
    struct settled got = settle_now();
    ck_assert_uint_eq(got.count, 1);
    expect_row(&got.rows[0], 0, SALE_DAY, 1, 4000, 6000, 1, 3600);
    add_refund("c", "1", 6000, 24 * hour_us);
    add_refund("d", "1", 1, 48 * hour_us);
    got = settle_now();
    ck_assert_uint_eq(got.count, 3);
    expect_row(&got.rows[0], 0, SALE_DAY, 1, 4000, 6000, 1, 3600);
    expect_row(&got.rows[1], 0, SALE_DAY + 1, 0, 6000, -6000, -1, -3600);
    ck_assert_int_eq(got.rows[2].line, ENTRY_LINE_EXCESS);
    ck_assert_int_eq(got.rows[2].numbers[ENTRY_REFUNDED], 1);
}
END_TEST

/* Held lines stand on the day of the sale, and other lines are split all the same. */
START_TEST(test_held_beside)
{
    lines[1] = fixture_line("2", 10000);
    lines[1].course_known = false;
    lines[2] = fixture_line("3", 10000);
    order.line_count = 3;
    add_refund("a", NULL, 30, 24 * hour_us);
    const struct settled got = settle_now();
    ck_assert_int_eq(got.held, ACCORD_HELD_UNMATCHED);
    ck_assert_uint_eq(got.count, 5);
    expect_row(&got.rows[0], 0, SALE_DAY, 1, 0, 10000, 1, 6000);
    expect_row(&got.rows[1], 0, SALE_DAY + 1, 0, 10, -10, 0, -6);
    ck_assert_str_eq(got.rows[2].held, "unmatched");
    ck_assert_int_eq(got.rows[2].numbers[ENTRY_REFUNDED], 10);
    expect_row(&got.rows[3], 2, SALE_DAY, 1, 0, 10000, 1, 6000);
    expect_row(&got.rows[4], 2, SALE_DAY + 1, 0, 10, -10, 0, -6);
}
END_TEST

/* Promoters and the window are payees of a row; a promoter who is a party gets one share. */
START_TEST(test_payees)
{
    static const struct accord_tier tiers[] = {{0, 1}};
    static const struct accord_promoter promoters[] = {
        {.id = "chn-b", .parent = 1}, {.id = "ann", .parent = ACCORD_PROMOTER_NONE}};
    const struct accord_touch touch = {
        .occurred_at_us = fixture_time, .partner = "chn-b", .event_id = "t"};
    order.touches = &touch;
    order.touch_count = 1;
    order.promoters = promoters;
    order.promoter_count = 2;
    version.terms.terms[3] = (struct accord_term){.kind = ACCORD_TERM_REFERRAL,
                                                  .levels_ppm = {100000, 50000},
                                                  .level_count = 2,
                                                  .attribution_window_us = 1};
    version.terms.terms[4] = (struct accord_term){
        .kind = ACCORD_TERM_TIERED, .payee = PROVIDER, .tiers = tiers, .tier_count = 1};
    version.terms.term_count = 5;
    version.terms.terms[4].metric = ACCORD_METRIC_LINES;
    const struct settled got = settle_now();
    ck_assert_uint_eq(got.count, 1);
    ck_assert_uint_eq(got.rows[0].share_count, 4);
    ck_assert_int_eq(share(&got.rows[0], "chn-b"), 1000 + 2550);
    ck_assert_int_eq(share(&got.rows[0], "ann"), 500);
    ck_assert_int_eq(share(&got.rows[0], "prv-a"), 5100);
    ck_assert_int_eq(share(&got.rows[0], ACCORD_PAYEE_WINDOW), 850);
    ck_assert_int_eq(got.rows[0].numbers[ENTRY_BASE], 8500);
}
END_TEST

static bool same_sums(const struct entry_row *a, const struct entry_row *b)
{
    struct entry_row difference = *a;
    return entry_add(&difference, b, -1) == ACCORD_OK && entry_is_zero(&difference);
}

/* Up to any day the rows add up to the order settled with the refunds up to that day. */
START_TEST(test_up_to_any_day)
{
    static const struct accord_rate_pin rate = {.num = 1000, .den = 7193};
    uint64_t seed = (uint64_t)_i + 9000;
    for (int round = 0; round < 100; round++) {
        struct refund_row all[REFUNDS];
        arena_reset(arena);
        order.line_count = 1 + (size_t)random_below(&seed, LINES);
        for (size_t i = 0; i < order.line_count; i++) {
            static const char *const ids[] = {"1", "2", "3", "4"};
            lines[i] = fixture_line(ids[i], random_below(&seed, 5) * random_below(&seed, 30000));
            lines[i].payment_fee = random_below(&seed, 200);
            lines[i].course_known = random_below(&seed, 8) > 0;
        }
        const bool same = random_below(&seed, 2) == 0;
        memcpy(version.terms.currency.code, same ? "CNY" : "USD", 4);
        order.rates = &rate;
        version.terms.kept_fees_charged = random_below(&seed, 2) == 0;
        version.terms.referral_kept = random_below(&seed, 2) == 0;
        version.terms.qualify_days = random_below(&seed, 12) - 1;
        view.refund_count = 0;
        for (int64_t i = random_below(&seed, REFUNDS); i > 0; i--)
            add_refund("r", random_below(&seed, 3) == 0 ? NULL : lines[0].line_id,
                       random_below(&seed, 20000), (random_below(&seed, 300) - 20) * hour_us);
        version.terms.refund_basis = ACCORD_REFUND_IN_PERIOD;
        const struct settled got = settle_now();
        version.terms.refund_basis = ACCORD_REFUND_ORIGINAL;
        const size_t refund_count = view.refund_count;
        memcpy(all, refunds, sizeof all);
        for (int64_t day = SALE_DAY; day <= SALE_DAY + 13; day++) {
            view.refund_count = 0;
            for (size_t i = 0; i < refund_count; i++)
                if (zone_day(version.zone, all[i].occurred_at) <= day)
                    refunds[view.refund_count++] = all[i];
            const struct settled want = settle_now();
            for (size_t line = 0; line < order.line_count; line++) {
                struct entry_row sum = {.line = (int64_t)line};
                int64_t last_day = 0;
                for (size_t i = 0; i < got.count; i++) {
                    if (got.rows[i].line != (int64_t)line)
                        continue;
                    ck_assert_int_gt(got.rows[i].day, last_day);
                    last_day = got.rows[i].day;
                    if (last_day <= day)
                        ck_assert_int_eq(entry_add(&sum, &got.rows[i], 1), ACCORD_OK);
                }
                /* What is held stands in one row, with all that was refunded. */
                ck_assert_msg(*want.rows[line].held != '\0' || same_sums(&sum, &want.rows[line]),
                              "round %d line %zu day %jd", round, line, (intmax_t)day);
            }
        }
    }
}
END_TEST

/* ---- adding up ---- */

/* Promoters come and go; what has come to nothing makes room. */
START_TEST(test_many_promoters)
{
    static char names[40][8];
    struct entry_row sum = {.line = 0};
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "p%d", i);
        const struct entry_row change = {
            .shares = {{names[i], 5}, {i > 0 ? names[i - 1] : "x", i > 0 ? -5 : 0}},
            .share_count = 2};
        ck_assert_int_eq(entry_add(&sum, &change, 1), ACCORD_OK);
        ck_assert_int_eq(share(&sum, names[i]), 5);
    }
    for (int i = 0; i < ENTRY_SHARES_MAX - 1; i++) {
        const struct entry_row change = {.shares = {{names[i], 5}}, .share_count = 1};
        ck_assert_int_eq(entry_add(&sum, &change, 1), ACCORD_OK);
    }
    const struct entry_row one_more = {.shares = {{"q", 5}}, .share_count = 1};
    ck_assert_int_eq(entry_add(&sum, &one_more, 1), ACCORD_E_DATABASE_ERROR);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("settled");
    TCase *tests = tcase_create("rows");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_each_day);
    tcase_add_test(tests, test_same_day);
    tcase_add_test(tests, test_held_beside);
    tcase_add_test(tests, test_payees);
    tcase_add_loop_test(tests, test_up_to_any_day, 0, 4);
    tcase_add_test(tests, test_many_promoters);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
