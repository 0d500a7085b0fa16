/* Sales in another currency than the agreement's. */
#include "settle_fixture.h"

#include <stdio.h>
#include <string.h>

static struct accord_rate parsed(const char *text)
{
    struct accord_rate ret;
    ck_assert_int_eq(accord_rate_parse(text, strlen(text), &ret), ACCORD_OK);
    return ret;
}

/* USD to CNY at 1.0832 and 7.7960. */
static struct accord_rate_pin usd_to_cny(void)
{
    const struct accord_rate usd = parsed("1.0832");
    const struct accord_rate cny = parsed("7.7960");
    const struct accord_currency from = {"USD"};
    const struct accord_currency to = {"CNY"};
    struct accord_rate_pin ret;
    ck_assert_int_eq(accord_rate_cross(&usd, from, &cny, to, 20450, &ret), ACCORD_OK);
    return ret;
}

static struct accord_order foreign_order(const struct accord_line *lines, size_t count,
                                         const struct accord_rate_pin *rates)
{
    struct accord_order order = fixture_order(lines, count);
    memcpy(order.currency.code, "USD", 4);
    order.rates = rates;
    return order;
}

START_TEST(test_net_is_converted_once)
{
    /* 123.45 USD less a fee of 3.45 is 120.00 USD; 12000 · 9745/1354 = 86366.32… fen. */
    const struct accord_rate_pin pin = usd_to_cny();
    const struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 12345);
    line.payment_fee = 345;
    const struct accord_order order = foreign_order(&line, 1, &pin);
    struct accord_line_result got;
    ck_assert_int_eq(pin.num, 9745);
    ck_assert_int_eq(pin.den, 1354);
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.held, ACCORD_HELD_NOT);
    ck_assert_int_eq(got.gross, 12345);
    ck_assert_int_eq(got.payment_fee, 345);
    ck_assert_int_eq(got.net_sale, 12000);
    ck_assert_int_eq(got.net, 86366);
    ck_assert_int_eq(got.shares[PROVIDER] + got.shares[CHANNEL] + got.shares[PLATFORM], 86366);
    /* 51819.6, 25909.8, 8636.6: two units are left over, for the largest remainders. */
    ck_assert_int_eq(got.shares[PROVIDER], 51820);
    ck_assert_int_eq(got.shares[CHANNEL], 25910);
    ck_assert_int_eq(got.shares[PLATFORM], 8636);
}
END_TEST

START_TEST(test_same_currency_has_both_nets)
{
    const struct accord_agreement_version version = fixture_version();
    const struct accord_line line = fixture_line("1", 1000);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_line_result got;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.net_sale, 1000);
    ck_assert_int_eq(got.net, 1000);
}
END_TEST

/* A hundred refunds of one cent end where one of a dollar ends. */
START_TEST(test_refunds_are_cumulative)
{
    const struct accord_rate_pin pin = usd_to_cny();
    const struct accord_agreement_version version = fixture_version();
    const struct accord_line line = fixture_line("1", 12345);
    const struct accord_order order = foreign_order(&line, 1, &pin);
    struct accord_refund many[100];
    char names[100][16];
    struct accord_line_result small;
    struct accord_line_result large;
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "r%d", i);
        many[i] = fixture_refund(names[i], "1", 1);
    }
    const struct accord_refund one = fixture_refund("r", "1", 100);
    ck_assert_int_eq(fixture_settle(&order, many, 100, &version, &small), ACCORD_OK);
    ck_assert_int_eq(fixture_settle(&order, &one, 1, &version, &large), ACCORD_OK);
    /* 12245 · 9745/1354 = 88129.63… */
    ck_assert_int_eq(large.net, 88130);
    ck_assert_int_eq(small.net, 88130);
    ck_assert_mem_eq(small.shares, large.shares, sizeof small.shares);
    const struct accord_refund all = fixture_refund("r", "1", 12345);
    ck_assert_int_eq(fixture_settle(&order, &all, 1, &version, &large), ACCORD_OK);
    ck_assert_int_eq(large.net, 0);
}
END_TEST

/* A fee that is kept when all is refunded: the negative of the conversion. */
START_TEST(test_kept_fee)
{
    const struct accord_rate_pin pin = usd_to_cny();
    const struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 12345);
    line.payment_fee = 345;
    const struct accord_order order = foreign_order(&line, 1, &pin);
    const struct accord_refund all = fixture_refund("r", "1", 12345);
    struct accord_line_result got;
    ck_assert_int_eq(fixture_settle(&order, &all, 1, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.net_sale, -345);
    ck_assert_int_eq(got.net, -2483); /* 345 · 9745/1354 = 2483.03… */
}
END_TEST

START_TEST(test_amounts_and_discounts)
{
    /* A term of 5.00 CNY; a discount of 10.00 USD that the platform pays: 7197.19 fen. */
    const struct accord_rate_pin pin = usd_to_cny();
    struct accord_agreement_version version = fixture_version();
    version.terms[0] =
        (struct accord_term){.kind = ACCORD_TERM_AMOUNT, .payee = PROVIDER, .amount_minor = 500};
    version.add_back[ACCORD_FUNDER_PLATFORM] = true;
    struct accord_line line = fixture_line("1", 2000);
    line.discounts[ACCORD_FUNDER_PLATFORM] = 1000;
    const struct accord_order order = foreign_order(&line, 1, &pin);
    struct accord_line_result got;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.net, 14394); /* 14394.38… */
    ck_assert_int_eq(got.added_back, 7197);
    ck_assert_int_eq(got.shares[PROVIDER], 500);
    /* 30 % of 14394 + 7197 − 500 = 21091; the rest less what it paid for. */
    ck_assert_int_eq(got.shares[CHANNEL], 6327);
    ck_assert_int_eq(got.shares[PLATFORM], 21091 - 6327 - 7197);
    /* Half of it refunded: half of the term; the discount is halved, then converted. */
    const struct accord_refund half = fixture_refund("r", "1", 1000);
    ck_assert_int_eq(fixture_settle(&order, &half, 1, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.net, 7197);
    ck_assert_int_eq(got.added_back, 3599); /* 3598.59… */
    ck_assert_int_eq(got.shares[PROVIDER], 250);
}
END_TEST

/* What there is to share out is compared in the agreement's currency. */
START_TEST(test_over_allocated)
{
    const struct accord_rate_pin pin = usd_to_cny();
    struct accord_agreement_version version = fixture_version();
    version.terms[0] =
        (struct accord_term){.kind = ACCORD_TERM_AMOUNT, .payee = PROVIDER, .amount_minor = 14394};
    const struct accord_line line = fixture_line("1", 2000);
    const struct accord_order order = foreign_order(&line, 1, &pin);
    struct accord_line_result got;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.held, ACCORD_HELD_NOT);
    version.terms[0].amount_minor = 14395;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.held, ACCORD_HELD_OVER_ALLOCATED);
}
END_TEST

START_TEST(test_held_without_a_rate)
{
    const struct accord_rate_pin none = {0};
    struct accord_rate_pin huge = usd_to_cny();
    const struct accord_agreement_version version = fixture_version();
    const struct accord_line line = fixture_line("1", 12345);
    struct accord_order order = foreign_order(&line, 1, NULL);
    struct accord_line_result got;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.held, ACCORD_HELD_NO_RATE);
    ck_assert_uint_eq(got.version, 0);
    order.rates = &none;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.held, ACCORD_HELD_NO_RATE);
    ck_assert_int_eq(got.gross, 12345);
    ck_assert_int_eq(got.net, 0);
    /* Five times what was paid must stay below 2^53: 61725 · n. */
    huge.den = 1;
    huge.num = INT64_C(145924653782); /* floor((2^53 − 1) / 61725) */
    order.rates = &huge;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.held, ACCORD_HELD_NOT);
    huge.num++;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.held, ACCORD_HELD_NO_RATE);
    huge.num = INT64_MAX;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.held, ACCORD_HELD_NO_RATE);
}
END_TEST

/* ---- the explanation ---- */

struct told {
    struct accord_step steps[40];
    size_t count;
};

static void tell(void *context, size_t line, const struct accord_step *step)
{
    struct told *told = context;
    ck_assert_uint_eq(line, 0);
    ck_assert_uint_lt(told->count, 40);
    told->steps[told->count++] = *step;
}

START_TEST(test_steps)
{
    static const struct {
        const char *op;
        int64_t amount;
        const char *currency;
        const char *exact;
    } want[] = {
        {"refund", -1000, "USD", ""},
        {"gross", 2000, "USD", ""},
        {"refunded", -1000, "USD", ""},
        {"net", 1000, "USD", ""},
        {"convert", 7197, "CNY", "4872500/677"},
        {"discount", 500, "USD", "500"},
        {"added_back", 3599, "CNY", "2436250/677"},
        {"share_base", 10796, "CNY", ""},
        {"share", 6478, "CNY", "6477.6"},
        {"share", 3239, "CNY", "3238.8"},
        {"residual", 1079, "CNY", "1079.6"},
        {"funded", -3599, "CNY", ""},
    };
    const struct accord_rate_pin pin = usd_to_cny();
    struct accord_agreement_version version = fixture_version();
    const struct accord_agreement_version *versions = &version;
    version.add_back[ACCORD_FUNDER_PLATFORM] = true;
    struct accord_line line = fixture_line("1", 2000);
    line.discounts[ACCORD_FUNDER_PLATFORM] = 1000;
    const struct accord_order order = foreign_order(&line, 1, &pin);
    const struct accord_refund half = fixture_refund("r", "1", 1000);
    struct accord_line_result got;
    struct accord_excess excess;
    struct told told = {.count = 0};
    ck_assert_int_eq(
        accord_explain_order(&order, &half, 1, &versions, 1, &got, &excess, tell, &told),
        ACCORD_OK);
    ck_assert_uint_eq(told.count, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < told.count; i++) {
        char exact[ACCORD_EXACT_TEXT];
        accord_step_exact_text(&told.steps[i], exact);
        ck_assert_str_eq(told.steps[i].op, want[i].op);
        ck_assert_int_eq(told.steps[i].amount, want[i].amount);
        ck_assert_str_eq(told.steps[i].currency.code, want[i].currency);
        ck_assert_str_eq(exact, want[i].exact);
        const bool converts =
            strcmp(want[i].op, "convert") == 0 || strcmp(want[i].op, "added_back") == 0;
        ck_assert_ptr_eq(told.steps[i].rate, converts ? &pin : NULL);
    }
    ck_assert_str_eq(pin.text, "7.7960/1.0832");
}
END_TEST

/* The explanation of a negative conversion. */
START_TEST(test_negative_step)
{
    const struct accord_rate_pin pin = usd_to_cny();
    const struct accord_agreement_version version = fixture_version();
    const struct accord_agreement_version *versions = &version;
    struct accord_line line = fixture_line("1", 12345);
    line.payment_fee = 345;
    const struct accord_order order = foreign_order(&line, 1, &pin);
    const struct accord_refund all = fixture_refund("r", "1", 12345);
    struct accord_line_result got;
    struct accord_excess excess;
    struct told told = {.count = 0};
    ck_assert_int_eq(
        accord_explain_order(&order, &all, 1, &versions, 1, &got, &excess, tell, &told), ACCORD_OK);
    for (size_t i = 0; i < told.count; i++) {
        char exact[ACCORD_EXACT_TEXT];
        if (strcmp(told.steps[i].op, "convert") != 0)
            continue;
        accord_step_exact_text(&told.steps[i], exact);
        ck_assert_int_eq(told.steps[i].amount, -2483);
        ck_assert_str_eq(exact, "-3362025/1354");
        return;
    }
    ck_abort_msg("no step convert");
}
END_TEST

/* ---- properties ---- */

START_TEST(test_properties)
{
    const char *const rates[] = {"1.0832", "7.7960", "163.52", "0.00012", "20082.05"};
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        uint64_t rnd = seed;
        const struct accord_rate from = parsed(rates[random_below(&rnd, 5)]);
        const struct accord_rate to = parsed(rates[random_below(&rnd, 5)]);
        struct accord_agreement_version version = fixture_version();
        struct accord_line line = fixture_line("1", random_below(&rnd, 100000));
        struct accord_rate_pin pin;
        struct accord_line_result got;
        line.payment_fee = random_below(&rnd, 100);
        line.discounts[ACCORD_FUNDER_CHANNEL] = random_below(&rnd, 1000);
        version.add_back[ACCORD_FUNDER_CHANNEL] = random_below(&rnd, 2) == 0;
        struct accord_order order = foreign_order(&line, 1, &pin);
        ck_assert_int_eq(accord_rate_cross(&from, order.currency, &to, version.currency, 0, &pin),
                         ACCORD_OK);
        const struct accord_refund refund =
            fixture_refund("r", "1", random_below(&rnd, line.paid + 1));
        ck_assert_int_eq(fixture_settle(&order, &refund, 1, &version, &got), ACCORD_OK);
        ck_assert_int_eq(got.held, ACCORD_HELD_NOT);
        int64_t sum = 0;
        int64_t net = 0;
        for (uint32_t i = 0; i < version.party_count; i++)
            sum += got.shares[i];
        ck_assert_int_eq(accord_rate_convert(got.net_sale, &pin, &net), ACCORD_OK);
        ck_assert_int_eq(got.net, net);
        ck_assert_int_eq(sum, net);
        ck_assert_int_eq(got.net_sale, got.gross - got.refunded - got.payment_fee);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("settle_fx");
    TCase *tc = tcase_create("settle_fx");
    tcase_add_test(tc, test_net_is_converted_once);
    tcase_add_test(tc, test_same_currency_has_both_nets);
    tcase_add_test(tc, test_refunds_are_cumulative);
    tcase_add_test(tc, test_kept_fee);
    tcase_add_test(tc, test_amounts_and_discounts);
    tcase_add_test(tc, test_over_allocated);
    tcase_add_test(tc, test_held_without_a_rate);
    tcase_add_test(tc, test_steps);
    tcase_add_test(tc, test_negative_step);
    tcase_add_test(tc, test_properties);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
