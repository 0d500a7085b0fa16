#include "unit.h"

#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

static const struct {
    const char *text;
    size_t points; /* 0: no UTF-8 */
    bool id;
    bool free_text;
} texts[] = {
    {"a", 1, true, true},
    {"课程", 2, true, true},
    {"\xf0\x9f\x98\x80", 1, true, true},
    {"\xf4\x8f\xbf\xbf", 1, true, true}, /* U+10FFFF */
    {"\xed\x9f\xbf", 1, true, true},     /* U+D7FF */
    {"\xee\x80\x80", 1, true, true},     /* U+E000 */
    {"a\tb\nc\r", 6, false, true},
    {"\x7f", 1, false, false},
    {"\x1b", 1, false, false},
    {"\xc2\x85", 1, false, true}, /* U+0085, a control character of C1 */
    {"\xc2\xa0", 1, true, true},
    {"\xc0\x80", 0, false, false},         /* overlong NUL */
    {"\xc1\xbf", 0, false, false},         /* overlong U+007F */
    {"\xe0\x9f\xbf", 0, false, false},     /* overlong U+07FF */
    {"\xf0\x8f\xbf\xbf", 0, false, false}, /* overlong U+FFFF */
    {"\xed\xa0\x80", 0, false, false},     /* U+D800 */
    {"\xed\xbf\xbf", 0, false, false},     /* U+DFFF */
    {"\xf4\x90\x80\x80", 0, false, false}, /* U+110000 */
    {"\xf5\x80\x80\x80", 0, false, false},
    {"\x80", 0, false, false},
    {"\xe8\xaf", 0, false, false},
    {"\xc3(", 0, false, false},
    {"\xff", 0, false, false},
};

START_TEST(utf8_is_strict)
{
    const struct slice text = slice_of(texts[_i].text);
    ck_assert_int_eq(utf8_valid(text), texts[_i].points != 0);
    if (texts[_i].points != 0)
        ck_assert_uint_eq(utf8_count(text), texts[_i].points);
    ck_assert_int_eq(utf8_is_id(text), texts[_i].id);
    ck_assert_int_eq(utf8_is_text(text), texts[_i].free_text);
}
END_TEST

START_TEST(utf8_edges)
{
    ck_assert(utf8_valid((struct slice){NULL, 0}));
    ck_assert(!utf8_is_text((struct slice){"a\0b", 3}));
    const struct slice text = SLICE("a课\xf0\x9f\x98\x80");
    const size_t lengths[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 8};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        ck_assert_uint_eq(utf8_prefix(text, i).len, lengths[i]);
    /* Every code point, encoded by hand, comes back; nothing else of four bytes does. */
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char bytes[4];
        size_t len = 0;
        if (code < 0x80) {
            bytes[len++] = (char)code;
        } else {
            if (code >= 0x10000) {
                bytes[len++] = (char)(0xf0 + code / 0x40000);
                bytes[len++] = (char)(0x80 + code / 0x1000 % 0x40);
            } else if (code >= 0x800) {
                bytes[len++] = (char)(0xe0 + code / 0x1000);
            }
            if (code < 0x800)
                bytes[len++] = (char)(0xc0 + code / 0x40);
            else
                bytes[len++] = (char)(0x80 + code / 0x40 % 0x40);
            bytes[len++] = (char)(0x80 + code % 0x40);
        }
        struct slice rest = {bytes, len};
        uint32_t back = 0;
        const bool good = utf8_next(&rest, &back);
        if (good != (code < 0xd800 || code > 0xdfff) || (good && (back != code || rest.len != 0)))
            ck_abort_msg("U+%04X", (unsigned)code);
    }
}
END_TEST

static const struct {
    const char *text;
    unsigned scale;
    enum accord_error error;
    int64_t value;
} decimals[] = {
    {"4.9", 3, ACCORD_OK, 4900},
    {"4", 3, ACCORD_OK, 4000},
    {"0", 0, ACCORD_OK, 0},
    {"-0", 0, ACCORD_OK, 0},
    {"-4.25", 2, ACCORD_OK, -425},
    {"4.9000000000000000000000", 1, ACCORD_OK, 49},
    {"19.90", 2, ACCORD_OK, 1990},
    {"9223372036854775807", 0, ACCORD_OK, INT64_MAX},
    {"-9223372036854775808", 0, ACCORD_OK, INT64_MIN},
    {"9223372036854775.807", 3, ACCORD_OK, INT64_MAX},
    {"9223372036854775808", 0, ACCORD_E_VALUE_OUT_OF_RANGE, 0},
    {"-9223372036854775809", 0, ACCORD_E_VALUE_OUT_OF_RANGE, 0},
    {"9223372036854775.808", 3, ACCORD_E_VALUE_OUT_OF_RANGE, 0},
    {"99999999999999999999999999", 9, ACCORD_E_VALUE_OUT_OF_RANGE, 0},
    {"10000000000", 9, ACCORD_E_VALUE_OUT_OF_RANGE, 0},
    {"4.9001", 3, ACCORD_E_DECIMAL_PRECISION, 0},
    {"4.00000000000000000000000001", 3, ACCORD_E_DECIMAL_PRECISION, 0},
    {"4.", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {".5", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"04.5", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"+4.5", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"4,5", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"4.5 ", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {" 4.5", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"4.5e0", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"1e2", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"4.-5", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"4.5.6", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"--4", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"-", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"", 3, ACCORD_E_DECIMAL_INVALID, 0},
    {"nan", 3, ACCORD_E_DECIMAL_INVALID, 0},
};

START_TEST(decimals_are_exact)
{
    int64_t value = -77;
    const enum accord_error error =
        number_parse_decimal(slice_of(decimals[_i].text), decimals[_i].scale, &value);
    ck_assert_int_eq(error, decimals[_i].error);
    ck_assert_int_eq(value, error == ACCORD_OK ? decimals[_i].value : -77);
}
END_TEST

START_TEST(integers_are_plain)
{
    int64_t value = -77;
    ck_assert_int_eq(number_parse_int(SLICE("-9223372036854775808"), &value), ACCORD_OK);
    ck_assert_int_eq(value, INT64_MIN);
    value = -77;
    ck_assert_int_eq(number_parse_int(SLICE("9223372036854775808"), &value),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(number_parse_int(SLICE("-92233720368547758080"), &value),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    static const char *const bad[] = {"", "-", "+1", "01", "1.0", "1e2", " 1", "1 ", "0x1", "1_0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_int_eq(number_parse_int(slice_of(bad[i]), &value), ACCORD_E_NUMBER_NOT_INTEGER);
    ck_assert_int_eq(value, -77);
}
END_TEST

START_TEST(decimals_round_trip)
{
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        const int64_t value = (int64_t)random_next(&seed) >> random_below(&seed, 64);
        const unsigned scale = (unsigned)random_below(&seed, NUMBER_SCALE_MAX + 1);
        char text[NUMBER_TEXT_MAX];
        int64_t back;
        number_format_decimal(value, scale, text);
        if (number_parse_decimal(slice_of(text), scale, &back) != ACCORD_OK || back != value)
            ck_abort_msg("%s", text);
    }
    char text[NUMBER_TEXT_MAX];
    number_format_decimal(4900, 3, text);
    ck_assert_str_eq(text, "4.9");
    number_format_decimal(-5, 3, text);
    ck_assert_str_eq(text, "-0.005");
    number_format_decimal(INT64_MIN, 9, text);
    ck_assert_str_eq(text, "-9223372036.854775808");
    number_format_decimal(5000, 3, text);
    ck_assert_str_eq(text, "5");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    tcase_add_loop_test(tests, utf8_is_strict, 0, sizeof texts / sizeof texts[0]);
    tcase_add_test(tests, utf8_edges);
    tcase_add_loop_test(tests, decimals_are_exact, 0, sizeof decimals / sizeof decimals[0]);
    tcase_add_test(tests, integers_are_plain);
    tcase_add_test(tests, decimals_round_trip);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
