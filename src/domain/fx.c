/* Exchange rates: exact fractions from published decimals. */
#include "accord/fx.h"

#include <stdbool.h>
#include <string.h>

#include "domain/fraction.h"

enum accord_error accord_rate_parse(const char *text, size_t len, struct accord_rate *ret)
{
    int64_t num = 0;
    size_t whole = 0;       /* digits before the point */
    size_t decimals = 0;    /* and behind it */
    size_t significant = 0; /* from the first that is not zero on */
    bool point = false;
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        if (c == '.' && !point && whole > 0) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || (!point && whole == 1 && num == 0))
            return ACCORD_E_DECIMAL_INVALID;
        if (point)
            decimals++;
        else
            whole++;
        if (num > 0 || c != '0')
            significant++;
        if (significant <= ACCORD_RATE_DIGITS_MAX)
            num = num * 10 + (c - '0');
    }
    if (whole == 0 || (point && decimals == 0))
        return ACCORD_E_DECIMAL_INVALID;
    if (significant > ACCORD_RATE_DIGITS_MAX || decimals > ACCORD_RATE_DECIMALS_MAX)
        return ACCORD_E_DECIMAL_PRECISION;
    if (num == 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    *ret = (struct accord_rate){num, (unsigned)decimals};
    return ACCORD_OK;
}

/* Writes a rate at `at` and returns its end. */
static char *put_rate(char *at, const struct accord_rate *rate)
{
    char digits[ACCORD_RATE_TEXT];
    size_t count = 0;
    int64_t rest = rate->num;
    while (rest != 0 || count <= rate->decimals) {
        digits[count++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    while (count > 0) {
        if (count == rate->decimals)
            *at++ = '.';
        *at++ = digits[--count];
    }
    return at;
}

void accord_rate_text(const struct accord_rate *rate, char ret_text[ACCORD_RATE_TEXT])
{
    *put_rate(ret_text, rate) = '\0';
}

static wide power_of_ten(unsigned exponent)
{
    wide power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

enum accord_error accord_rate_mean(const struct accord_rate *rates, size_t count,
                                   struct accord_rate *ret)
{
    wide sum = 0; /* with 18 decimals */
    if (count == 0)
        return ACCORD_E_COUNT_OUT_OF_RANGE;
    for (size_t i = 0; i < count; i++) {
        const wide scaled =
            (wide)rates[i].num * power_of_ten(ACCORD_RATE_DECIMALS_MAX - rates[i].decimals);
        if (__builtin_add_overflow(sum, scaled, &sum))
            return ACCORD_E_OVERFLOW;
    }
    const wide mean = fraction_round(
        sum, (wide)count * power_of_ten(ACCORD_RATE_DECIMALS_MAX - ACCORD_RATE_MEAN_DECIMALS));
    if (mean > INT64_MAX)
        return ACCORD_E_OVERFLOW;
    if (mean == 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    *ret = (struct accord_rate){(int64_t)mean, ACCORD_RATE_MEAN_DECIMALS};
    return ACCORD_OK;
}

static int64_t greatest_common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Multiplies num/den by ten, in lowest terms. */
static bool times_ten(int64_t *num, int64_t *den)
{
    const int64_t divisor = greatest_common_divisor(*den, 10);
    *den /= divisor;
    return !__builtin_mul_overflow(*num, 10 / divisor, num);
}

enum accord_error accord_rate_cross(const struct accord_rate *from,
                                    struct accord_currency from_currency,
                                    const struct accord_rate *to,
                                    struct accord_currency to_currency, int64_t day,
                                    struct accord_rate_pin *ret)
{
    static const struct accord_rate base = {1, 0};
    const struct accord_rate *above = to == NULL ? &base : to;
    const struct accord_rate *below = from == NULL ? &base : from;
    struct accord_rate_pin pin = {.num = above->num, .den = below->num, .day = day};
    const int64_t divisor = greatest_common_divisor(pin.num, pin.den);
    pin.num /= divisor;
    pin.den /= divisor;
    /* Powers of ten: of the decimals, and of the minor units. */
    int exponent = (int)below->decimals - (int)above->decimals +
                   (int)accord_currency_decimals(to_currency) -
                   (int)accord_currency_decimals(from_currency);
    for (; exponent > 0; exponent--)
        if (!times_ten(&pin.num, &pin.den))
            return ACCORD_E_OVERFLOW;
    for (; exponent < 0; exponent++)
        if (!times_ten(&pin.den, &pin.num))
            return ACCORD_E_OVERFLOW;
    char *end = put_rate(pin.text, above);
    if (from != NULL) {
        *end++ = '/';
        end = put_rate(end, below);
    }
    *end = '\0';
    *ret = pin;
    return ACCORD_OK;
}

enum accord_error accord_rate_convert(int64_t amount, const struct accord_rate_pin *pin,
                                      int64_t *ret)
{
    return accord_mul_div(amount, pin->num, pin->den, ret);
}
