#include "base/number.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Appends a digit to a magnitude kept negative: int64 has one more value on that side. */
static bool append_digit(int64_t *value, char digit)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_sub_overflow(*value, digit - '0', value);
}

static bool give_sign(int64_t magnitude, bool negative, int64_t *ret)
{
    if (negative) {
        *ret = magnitude;
        return true;
    }
    int64_t value;
    if (__builtin_sub_overflow((int64_t)0, magnitude, &value))
        return false;
    *ret = value;
    return true;
}

/* Takes the sign and the digits before a '.' off the text; false when they are not well-formed. */
static bool take_whole(struct slice *text, bool *ret_negative, struct slice *ret_digits)
{
    struct slice rest = *text;
    *ret_negative = rest.len > 0 && rest.data[0] == '-';
    if (*ret_negative) {
        rest.data++;
        rest.len--;
    }
    size_t count = 0;
    while (count < rest.len && is_digit(rest.data[count]))
        count++;
    if (count == 0 || (count > 1 && rest.data[0] == '0'))
        return false;
    *ret_digits = (struct slice){rest.data, count};
    *text = (struct slice){rest.data + count, rest.len - count};
    return true;
}

enum accord_error number_parse_int(struct slice text, int64_t *ret)
{
    bool negative;
    struct slice digits;
    if (!take_whole(&text, &negative, &digits) || text.len != 0)
        return ACCORD_E_NUMBER_NOT_INTEGER;
    int64_t value = 0;
    for (size_t i = 0; i < digits.len; i++)
        if (!append_digit(&value, digits.data[i]))
            return ACCORD_E_VALUE_OUT_OF_RANGE;
    return give_sign(value, negative, ret) ? ACCORD_OK : ACCORD_E_VALUE_OUT_OF_RANGE;
}

enum accord_error number_parse_decimal(struct slice text, unsigned scale, int64_t *ret)
{
    bool negative;
    struct slice digits;
    if (!take_whole(&text, &negative, &digits))
        return ACCORD_E_DECIMAL_INVALID;
    struct slice decimals = {text.data, 0};
    if (text.len > 0) {
        if (text.data[0] != '.' || text.len == 1)
            return ACCORD_E_DECIMAL_INVALID;
        decimals = (struct slice){text.data + 1, text.len - 1};
    }
    for (size_t i = 0; i < decimals.len; i++)
        if (!is_digit(decimals.data[i]))
            return ACCORD_E_DECIMAL_INVALID;
    for (size_t i = scale; i < decimals.len; i++)
        if (decimals.data[i] != '0')
            return ACCORD_E_DECIMAL_PRECISION;
    int64_t value = 0;
    bool fits = true;
    for (size_t i = 0; i < digits.len && fits; i++)
        fits = append_digit(&value, digits.data[i]);
    for (size_t i = 0; i < scale && fits; i++)
        fits = append_digit(&value, i < decimals.len ? decimals.data[i] : '0');
    if (!fits)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    return give_sign(value, negative, ret) ? ACCORD_OK : ACCORD_E_VALUE_OUT_OF_RANGE;
}

void number_format_decimal(int64_t value, unsigned scale, char text[NUMBER_TEXT_MAX])
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t unit = 1;
    for (unsigned i = 0; i < scale; i++)
        unit *= 10;
    uint64_t fraction = rest % unit;
    while (scale > 0 && fraction % 10 == 0) {
        fraction /= 10;
        scale--;
    }
    const char *sign = value < 0 ? "-" : "";
    if (scale == 0)
        snprintf(text, NUMBER_TEXT_MAX, "%s%" PRIu64, sign, rest / unit);
    else
        snprintf(text, NUMBER_TEXT_MAX, "%s%" PRIu64 ".%0*" PRIu64, sign, rest / unit, (int)scale,
                 fraction);
}
