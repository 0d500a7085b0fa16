#include "accord/money.h"

#include <string.h>

#include "domain/fraction.h"

/* ISO 4217, active codes that can be a price, by number of decimals of the minor unit. */
static const char zero_decimals[] =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ";
static const char three_decimals[] = "BHD IQD JOD KWD LYD OMR TND ";
static const char four_decimals[] = "CLF UYW ";
static const char two_decimals[] =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWL ";

static bool lists(const char *list, const char *code)
{
    for (const char *p = list; *p != '\0'; p += 4)
        if (memcmp(p, code, 3) == 0)
            return true;
    return false;
}

enum accord_error accord_currency_parse(const char *text, size_t len, struct accord_currency *ret)
{
    if (len != 3)
        return ACCORD_E_CURRENCY_UNKNOWN;
    if (!lists(two_decimals, text) && !lists(zero_decimals, text) && !lists(three_decimals, text) &&
        !lists(four_decimals, text))
        return ACCORD_E_CURRENCY_UNKNOWN;
    memcpy(ret->code, text, 3);
    ret->code[3] = '\0';
    return ACCORD_OK;
}

unsigned accord_currency_decimals(struct accord_currency currency)
{
    if (lists(zero_decimals, currency.code))
        return 0;
    if (lists(three_decimals, currency.code))
        return 3;
    if (lists(four_decimals, currency.code))
        return 4;
    return 2;
}

bool accord_currency_equal(struct accord_currency a, struct accord_currency b)
{
    return memcmp(a.code, b.code, sizeof a.code) == 0;
}

enum accord_error accord_add(int64_t a, int64_t b, int64_t *ret)
{
    int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum))
        return ACCORD_E_OVERFLOW;
    *ret = sum;
    return ACCORD_OK;
}

enum accord_error accord_sub(int64_t a, int64_t b, int64_t *ret)
{
    int64_t difference = 0;
    if (__builtin_sub_overflow(a, b, &difference))
        return ACCORD_E_OVERFLOW;
    *ret = difference;
    return ACCORD_OK;
}

enum accord_error accord_mul_div(int64_t amount, int64_t num, int64_t den, int64_t *ret)
{
    if (den <= 0)
        return ACCORD_E_DIVISION_BY_ZERO;
    const wide quotient = fraction_round((wide)amount * num, den);
    if (quotient > INT64_MAX || quotient < INT64_MIN)
        return ACCORD_E_OVERFLOW;
    *ret = (int64_t)quotient;
    return ACCORD_OK;
}

enum accord_error accord_amount_parse(const char *text, size_t len, struct accord_currency currency,
                                      int64_t *ret)
{
    const unsigned decimals = accord_currency_decimals(currency);
    const bool negative = len > 0 && text[0] == '-';
    size_t at = negative ? 1 : 0;
    size_t digits = 0;
    unsigned scale = 0;
    bool fraction = false;
    int64_t value = 0;
    bool too_large = false;
    bool too_fine = false;

    for (; at < len; at++) {
        const char c = text[at];
        if (c == '.' && !fraction && digits > 0) {
            fraction = true;
            continue;
        }
        if (c < '0' || c > '9')
            return ACCORD_E_AMOUNT_INVALID;
        digits++;
        if (fraction && scale == decimals) {
            too_fine = too_fine || c != '0';
            continue;
        }
        if (fraction)
            scale++;
        value = value * 10 + (c - '0');
        if (value > ACCORD_AMOUNT_MAX) {
            too_large = true;
            value = ACCORD_AMOUNT_MAX;
        }
    }
    if (digits == 0 || text[len - 1] == '.')
        return ACCORD_E_AMOUNT_INVALID;
    for (; scale < decimals; scale++) {
        value *= 10;
        if (value > ACCORD_AMOUNT_MAX) {
            too_large = true;
            value = ACCORD_AMOUNT_MAX;
        }
    }
    if (too_large)
        return ACCORD_E_AMOUNT_OUT_OF_RANGE;
    if (too_fine)
        return ACCORD_E_AMOUNT_PRECISION;
    *ret = negative ? -value : value;
    return ACCORD_OK;
}
