#include "accord/fx.h"

#include <string.h>

#include "unit.h"

__extension__ typedef __int128 i128;

static struct accord_rate rate(const char *text)
{
    struct accord_rate ret;
    ck_assert_int_eq(accord_rate_parse(text, strlen(text), &ret), ACCORD_OK);
    return ret;
}

static struct accord_currency currency(const char *code)
{
    struct accord_currency ret = {{0}};
    memcpy(ret.code, code, 3);
    return ret;
}

/* ---- reading ---- */

static const struct {
    const char *text;
    enum accord_error error;
    int64_t num;
    unsigned decimals;
} texts[] = {
    {"1.0832", ACCORD_OK, 10832, 4},
    {"7.7960", ACCORD_OK, 77960, 4},
    {"186.43", ACCORD_OK, 18643, 2},
    {"20082", ACCORD_OK, 20082, 0},
    {"0.87058", ACCORD_OK, 87058, 5},
    {"0.000000000000000001", ACCORD_OK, 1, 18},
    {"999999999999999999", ACCORD_OK, INT64_C(999999999999999999), 0},
    {"1.00000000000000000", ACCORD_OK, INT64_C(100000000000000000), 17},
    {"1.000000000000000000", ACCORD_E_DECIMAL_PRECISION, 0, 0},
    {"1000000000000000000", ACCORD_E_DECIMAL_PRECISION, 0, 0},
    {"0.0000000000000000001", ACCORD_E_DECIMAL_PRECISION, 0, 0},
    {"99999999999999999999999999999999999999", ACCORD_E_DECIMAL_PRECISION, 0, 0},
    {"0", ACCORD_E_VALUE_OUT_OF_RANGE, 0, 0},
    {"0.0000", ACCORD_E_VALUE_OUT_OF_RANGE, 0, 0},
    {"", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {"-1.2", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {"+1.2", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {"1e2", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {"1.", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {".5", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {".", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {"01.5", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {"1.2.3", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {"1,5", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {" 1", ACCORD_E_DECIMAL_INVALID, 0, 0},
    {"N/A", ACCORD_E_DECIMAL_INVALID, 0, 0},
};

START_TEST(test_texts)
{
    struct accord_rate got = {42, 42};
    char text[ACCORD_RATE_TEXT];
    ck_assert_int_eq(accord_rate_parse(texts[_i].text, strlen(texts[_i].text), &got),
                     texts[_i].error);
    if (texts[_i].error != ACCORD_OK) {
        ck_assert_int_eq(got.num, 42);
        ck_assert_uint_eq(got.decimals, 42);
        return;
    }
    ck_assert_int_eq(got.num, texts[_i].num);
    ck_assert_uint_eq(got.decimals, texts[_i].decimals);
    accord_rate_text(&got, text);
    ck_assert_str_eq(text, texts[_i].text);
}
END_TEST

/* ---- published and exact examples ---- */

/* EUR rates USD 1.0832, CNY 7.7960, JPY 163.52: exact values by hand. */
static const struct {
    int64_t minor;
    const char *from, *from_rate; /* NULL: the base */
    const char *to, *to_rate;
    int64_t num, den; /* of the exact result; 0: does not fit */
    int64_t half_even;
    int64_t back;
    const char *text;
} conversions[] = {
    {12345, "USD", "1.0832", "CNY", "7.7960", 120302025, 1354, 88849, 12345, "7.7960/1.0832"},
    {10000, "EUR", NULL, "USD", "1.0832", 10832, 1, 10832, 10000, "1.0832"},
    {10000, "USD", "1.0832", "EUR", NULL, 6250000, 677, 9232, 10000, "1/1.0832"},
    {1, "USD", "1.0832", "JPY", "163.52", 1022, 677, 2, 1, "163.52/1.0832"},
    {10000, "JPY", "163.52", "CNY", "7.7960", 24362500, 511, 47676, 10000, "7.7960/163.52"},
    {INT64_C(9007199254740993), "CNY", "7.7960", "USD", "1.0832", 0, 0, INT64_C(1251487715846004),
     INT64_C(9007199254740996), "1.0832/7.7960"},
    /* 100.00 USD at 82.42135: 8242.135 INR, half to even on the paisa. */
    {10000, "USD", NULL, "INR", "82.42135", 1648427, 2, 824214, 10000, "82.42135"},
    /* DEM to FRF at the fixed rates, exactly over the euro: not by way of 51.129 EUR (335.38). */
    {10000, "DEM", "1.95583", "FRF", "6.55957", INT64_C(6559570000), 195583, 33539, 10000,
     "6.55957/1.95583"},
    /* Three decimals, and none. */
    {1000, "KWD", "0.3320", "JPY", "163.52", 40880, 83, 493, 1001, "163.52/0.3320"},
};

START_TEST(test_conversions)
{
    struct accord_rate from = {0};
    struct accord_rate to = {0};
    struct accord_rate_pin there;
    struct accord_rate_pin back;
    int64_t result = 0;
    if (conversions[_i].from_rate != NULL)
        from = rate(conversions[_i].from_rate);
    if (conversions[_i].to_rate != NULL)
        to = rate(conversions[_i].to_rate);
    const struct accord_rate *f = conversions[_i].from_rate == NULL ? NULL : &from;
    const struct accord_rate *t = conversions[_i].to_rate == NULL ? NULL : &to;
    const struct accord_currency fc = currency(conversions[_i].from);
    const struct accord_currency tc = currency(conversions[_i].to);
    ck_assert_int_eq(accord_rate_cross(f, fc, t, tc, 7, &there), ACCORD_OK);
    ck_assert_int_eq(accord_rate_cross(t, tc, f, fc, 7, &back), ACCORD_OK);
    ck_assert_int_eq(there.day, 7);
    ck_assert_str_eq(there.text, conversions[_i].text);
    /* Inverse fractions, in lowest terms. */
    ck_assert_int_eq(there.num, back.den);
    ck_assert_int_eq(there.den, back.num);
    if (conversions[_i].den != 0)
        ck_assert((i128)conversions[_i].minor * there.num * conversions[_i].den ==
                  (i128)conversions[_i].num * there.den);
    ck_assert_int_eq(accord_rate_convert(conversions[_i].minor, &there, &result), ACCORD_OK);
    ck_assert_int_eq(result, conversions[_i].half_even);
    ck_assert_int_eq(accord_rate_convert(result, &back, &result), ACCORD_OK);
    ck_assert_int_eq(result, conversions[_i].back);
}
END_TEST

/* ---- the mean ---- */

static const struct {
    const char *rates[4];
    const char *mean;
} means[] = {
    {{"7.7960"}, "7.796000000000"},
    {{"7.8", "7.9"}, "7.850000000000"},
    {{"1", "1", "2"}, "1.333333333333"},
    {{"1", "2", "2"}, "1.666666666667"},
    {{"0.000000000001", "0.000000000002"}, "0.000000000002"}, /* 1.5: to even */
    {{"0.000000000002", "0.000000000003"}, "0.000000000002"}, /* 2.5: to even */
    {{"186.75", "186.43", "0.000000000000000001"}, "124.393333333333"},
};

START_TEST(test_means)
{
    struct accord_rate rates[4] = {{0}};
    struct accord_rate mean;
    char text[ACCORD_RATE_TEXT];
    size_t count = 0;
    while (count < 4 && means[_i].rates[count] != NULL) {
        rates[count] = rate(means[_i].rates[count]);
        count++;
    }
    ck_assert_int_eq(accord_rate_mean(rates, count, &mean), ACCORD_OK);
    accord_rate_text(&mean, text);
    ck_assert_str_eq(text, means[_i].mean);
}
END_TEST

START_TEST(test_mean_edges)
{
    struct accord_rate rates[400] = {{0}};
    struct accord_rate mean = {42, 42};
    ck_assert_int_eq(accord_rate_mean(rates, 0, &mean), ACCORD_E_COUNT_OUT_OF_RANGE);
    rates[0] = rate("0.0000000000001");
    ck_assert_int_eq(accord_rate_mean(rates, 1, &mean), ACCORD_E_VALUE_OUT_OF_RANGE);
    rates[0] = rate("9223372.03685477580");
    ck_assert_int_eq(accord_rate_mean(rates, 1, &mean), ACCORD_OK);
    ck_assert_int_eq(mean.num, INT64_C(9223372036854775800));
    rates[0] = rate("9223373");
    mean = (struct accord_rate){42, 42};
    ck_assert_int_eq(accord_rate_mean(rates, 1, &mean), ACCORD_E_OVERFLOW);
    for (size_t i = 0; i < 400; i++)
        rates[i] = rate("999999999999999999");
    ck_assert_int_eq(accord_rate_mean(rates, 400, &mean), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(mean.num, 42);
}
END_TEST

/* ---- properties ---- */

static struct accord_rate random_rate(uint64_t *rnd)
{
    struct accord_rate ret = {1 + random_below(rnd, INT64_C(1000000)), 0};
    ret.decimals = (unsigned)random_below(rnd, 7);
    return ret;
}

static struct accord_currency random_currency(uint64_t *rnd)
{
    static const char *const codes[] = {"USD", "CNY", "JPY", "KWD", "CLF"};
    return currency(codes[random_below(rnd, 5)]);
}

static int64_t convert(int64_t amount, const struct accord_rate_pin *pin)
{
    int64_t ret = 0;
    ck_assert_int_eq(accord_rate_convert(amount, pin, &ret), ACCORD_OK);
    return ret;
}

START_TEST(test_properties)
{
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        uint64_t rnd = seed;
        const struct accord_rate a = random_rate(&rnd);
        const struct accord_rate b = random_rate(&rnd);
        const struct accord_currency ca = random_currency(&rnd);
        const struct accord_currency cb = random_currency(&rnd);
        struct accord_rate_pin pin;
        struct accord_rate_pin back;
        struct accord_rate_pin same;
        ck_assert_int_eq(accord_rate_cross(&a, ca, &b, cb, 0, &pin), ACCORD_OK);
        ck_assert_int_eq(accord_rate_cross(&b, cb, &a, ca, 0, &back), ACCORD_OK);
        ck_assert_int_eq(accord_rate_cross(&a, ca, &a, ca, 0, &same), ACCORD_OK);
        const int64_t x = random_below(&rnd, 200001) - 100000;
        const int64_t y = convert(x, &pin);
        /* identity, mirror, monotone */
        ck_assert_int_eq(convert(x, &same), x);
        ck_assert_int_eq(convert(-x, &pin), -y);
        ck_assert_int_ge(convert(x + 1, &pin), y);
        /* Within half a unit of the exact value: |y·den − x·num| · 2 <= den. */
        i128 off = (i128)y * pin.den - (i128)x * pin.num;
        off = off < 0 ? -off : off;
        ck_assert_msg(off * 2 <= pin.den, "seed %llu", (unsigned long long)seed);
        ck_assert_msg(off * 2 < pin.den || (y & 1) == 0, "seed %llu", (unsigned long long)seed);
        /* There and back: |x' − x| <= 1/2 + den/(2·num). */
        i128 far = (i128)convert(y, &back) - x;
        far = far < 0 ? -far : far;
        ck_assert_msg(far * 2 * pin.num <= (i128)pin.num + pin.den, "seed %llu",
                      (unsigned long long)seed);
        if (pin.num > pin.den)
            ck_assert(far == 0);
    }
}
END_TEST

START_TEST(test_edges)
{
    const struct accord_rate large = rate("999999999999999999");
    const struct accord_rate small = rate("0.000000000000000001");
    const struct accord_rate two = rate("2");
    struct accord_rate_pin pin = {.num = 42};
    int64_t result = 42;
    ck_assert_int_eq(accord_rate_cross(&small, currency("JPY"), &large, currency("KWD"), 0, &pin),
                     ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_rate_cross(&large, currency("KWD"), &small, currency("JPY"), 0, &pin),
                     ACCORD_E_OVERFLOW);
    ck_assert_int_eq(pin.num, 42);
    /* What cancels does not overflow. */
    ck_assert_int_eq(accord_rate_cross(&large, currency("USD"), &large, currency("KWD"), 0, &pin),
                     ACCORD_OK);
    ck_assert_int_eq(pin.num, 10);
    ck_assert_int_eq(pin.den, 1);
    ck_assert_int_eq(accord_rate_cross(NULL, currency("EUR"), &two, currency("USD"), 0, &pin),
                     ACCORD_OK);
    ck_assert_int_eq(accord_rate_convert(INT64_MAX, &pin, &result), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_rate_convert(INT64_MIN, &pin, &result), ACCORD_E_OVERFLOW);
    pin = (struct accord_rate_pin){0};
    ck_assert_int_eq(accord_rate_convert(1, &pin, &result), ACCORD_E_DIVISION_BY_ZERO);
    ck_assert_int_eq(result, 42);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("fx");
    TCase *tc = tcase_create("fx");
    tcase_add_loop_test(tc, test_texts, 0, sizeof texts / sizeof texts[0]);
    tcase_add_loop_test(tc, test_conversions, 0, sizeof conversions / sizeof conversions[0]);
    tcase_add_loop_test(tc, test_means, 0, sizeof means / sizeof means[0]);
    tcase_add_test(tc, test_mean_edges);
    tcase_add_test(tc, test_properties);
    tcase_add_test(tc, test_edges);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
