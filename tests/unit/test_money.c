#include "accord/money.h"

#include <string.h>

#include "unit.h"

static const struct {
    int64_t num;
    int64_t den;
    int64_t half_even;
} rounded[] = {
    {1, 2, 0}, {3, 2, 2},   {5, 2, 2},      {-1, 2, 0},  {-3, 2, -2}, {-5, 2, -2},
    {7, 3, 2}, {-7, 3, -2}, {1339, 2, 670}, {11, 10, 1}, {19, 10, 2}, {1648427, 2, 824214},
};

START_TEST(test_half_even)
{
    int64_t result = 0;
    ck_assert_int_eq(accord_mul_div(rounded[_i].num, 1, rounded[_i].den, &result), ACCORD_OK);
    ck_assert_int_eq(result, rounded[_i].half_even);
    ck_assert_int_eq(accord_mul_div(1, rounded[_i].num, rounded[_i].den, &result), ACCORD_OK);
    ck_assert_int_eq(result, rounded[_i].half_even);
}
END_TEST

START_TEST(test_mul_div_edges)
{
    int64_t result = 42;
    ck_assert_int_eq(accord_mul_div(INT64_MAX, INT64_MAX, INT64_MAX, &result), ACCORD_OK);
    ck_assert_int_eq(result, INT64_MAX);
    ck_assert_int_eq(accord_mul_div(INT64_MIN, 1, 1, &result), ACCORD_OK);
    ck_assert_int_eq(result, INT64_MIN);
    result = 42;
    ck_assert_int_eq(accord_mul_div(INT64_MAX, 2, 1, &result), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_mul_div(INT64_MIN, INT64_MIN, 1, &result), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_mul_div(1, 1, 0, &result), ACCORD_E_DIVISION_BY_ZERO);
    ck_assert_int_eq(result, 42);
}
END_TEST

START_TEST(test_add_sub)
{
    int64_t result = 42;
    ck_assert_int_eq(accord_add(INT64_MAX, 1, &result), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(accord_sub(INT64_MIN, 1, &result), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(result, 42);
    ck_assert_int_eq(accord_add(INT64_MAX, INT64_MIN, &result), ACCORD_OK);
    ck_assert_int_eq(result, -1);
}
END_TEST

static const struct {
    const char *text;
    const char *currency;
    enum accord_error error;
    int64_t amount;
} amounts[] = {
    {"19.90", "CNY", ACCORD_OK, 1990},
    {"19.9", "CNY", ACCORD_OK, 1990},
    {"19", "CNY", ACCORD_OK, 1900},
    {"19.9000", "CNY", ACCORD_OK, 1990},
    {"-0.01", "USD", ACCORD_OK, -1},
    {"0", "USD", ACCORD_OK, 0},
    {"12160", "JPY", ACCORD_OK, 12160},
    {"1.5", "JPY", ACCORD_E_AMOUNT_PRECISION, 0},
    {"1.234", "KWD", ACCORD_OK, 1234},
    {"1.2345", "KWD", ACCORD_E_AMOUNT_PRECISION, 0},
    {"19.905", "CNY", ACCORD_E_AMOUNT_PRECISION, 0},
    {"100000000000.00", "CNY", ACCORD_OK, INT64_C(10000000000000)},
    {"100000000000.01", "CNY", ACCORD_E_AMOUNT_OUT_OF_RANGE, 0},
    {"99999999999999999999999999", "CNY", ACCORD_E_AMOUNT_OUT_OF_RANGE, 0},
    {"", "CNY", ACCORD_E_AMOUNT_INVALID, 0},
    {"-", "CNY", ACCORD_E_AMOUNT_INVALID, 0},
    {".5", "CNY", ACCORD_E_AMOUNT_INVALID, 0},
    {"5.", "CNY", ACCORD_E_AMOUNT_INVALID, 0},
    {"1e2", "CNY", ACCORD_E_AMOUNT_INVALID, 0},
    {"+1", "CNY", ACCORD_E_AMOUNT_INVALID, 0},
    {" 1", "CNY", ACCORD_E_AMOUNT_INVALID, 0},
    {"1,000", "CNY", ACCORD_E_AMOUNT_INVALID, 0},
    {"1.2.3", "CNY", ACCORD_E_AMOUNT_INVALID, 0},
};

START_TEST(test_amount_parse)
{
    struct accord_currency currency;
    int64_t amount = 42;
    ck_assert_int_eq(accord_currency_parse(amounts[_i].currency, 3, &currency), ACCORD_OK);
    ck_assert_int_eq(
        accord_amount_parse(amounts[_i].text, strlen(amounts[_i].text), currency, &amount),
        amounts[_i].error);
    ck_assert_int_eq(amount, amounts[_i].error == ACCORD_OK ? amounts[_i].amount : 42);
}
END_TEST

START_TEST(test_currency)
{
    struct accord_currency currency;
    ck_assert_int_eq(accord_currency_parse("KRW", 3, &currency), ACCORD_OK);
    ck_assert_uint_eq(accord_currency_decimals(currency), 0);
    ck_assert_int_eq(accord_currency_parse("KWD", 3, &currency), ACCORD_OK);
    ck_assert_uint_eq(accord_currency_decimals(currency), 3);
    ck_assert_int_eq(accord_currency_parse("CNYX", 4, &currency), ACCORD_E_CURRENCY_UNKNOWN);
    ck_assert_int_eq(accord_currency_parse("cny", 3, &currency), ACCORD_E_CURRENCY_UNKNOWN);
    ck_assert_int_eq(accord_currency_parse("ED ", 3, &currency), ACCORD_E_CURRENCY_UNKNOWN);
    ck_assert_int_eq(accord_currency_parse("", 0, &currency), ACCORD_E_CURRENCY_UNKNOWN);
    ck_assert_str_eq(currency.code, "KWD");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("money");
    TCase *tests = tcase_create("amounts");
    tcase_add_loop_test(tests, test_half_even, 0, sizeof rounded / sizeof *rounded);
    tcase_add_test(tests, test_mul_div_edges);
    tcase_add_test(tests, test_add_sub);
    tcase_add_loop_test(tests, test_amount_parse, 0, sizeof amounts / sizeof *amounts);
    tcase_add_test(tests, test_currency);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
