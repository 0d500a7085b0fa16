/**
 * Exchange rates: from decimals as they are published to one exact conversion.
 *
 * A source (the European Central Bank, for instance) says how many units of a currency one unit of
 * its base is worth. A conversion between two currencies goes over the base as one exact fraction,
 * E(to) / E(from), and is rounded once, half to even, at its end: neither the cross rate nor an
 * inverse is ever rounded or stored. That is the rule of Council Regulation (EC) 1103/97, articles
 * 4 and 5, but for the intermediate amount, which is not rounded either.
 *
 * Every function is pure and may be called from any thread. Strings are ASCII, NUL-terminated where
 * they are returned.
 */
#ifndef ACCORD_FX_H
#define ACCORD_FX_H

#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"
#include "accord/money.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ACCORD_RATE_DIGITS_MAX = 18,   /**< significant digits of a published rate */
    ACCORD_RATE_DECIMALS_MAX = 18, /**< decimals of a published rate */
    ACCORD_RATE_MEAN_DECIMALS = 12,
    ACCORD_RATE_TEXT = 24,     /**< room for the text of a rate */
    ACCORD_RATE_PIN_TEXT = 48, /**< room for the text of a conversion */
};

/** How many units of a currency one unit of the base is worth: num / 10^decimals, exactly. */
struct accord_rate {
    int64_t num;       /**< > 0 */
    unsigned decimals; /**< 0 .. 18, as published: 7.7960 has 4 */
};

/**
 * Reads a rate as published: "7.7960", "186.43", "20082". Digits without a leading zero (but "0."),
 * and perhaps '.' and digits; no sign, exponent, blank or grouping.
 *
 * @param text  need not be NUL-terminated
 * @return ACCORD_OK; ACCORD_E_DECIMAL_INVALID on any other text; ACCORD_E_DECIMAL_PRECISION with
 *         more than 18 significant digits or decimals; ACCORD_E_VALUE_OUT_OF_RANGE when it is zero.
 *         *ret is unwritten on failure
 */
enum accord_error accord_rate_parse(const char *text, size_t len, struct accord_rate *ret);

/** Writes a rate as it was published, its closing zeros included. */
void accord_rate_text(const struct accord_rate *rate, char ret_text[ACCORD_RATE_TEXT]);

/**
 * The mean of rates: their exact sum over their number, rounded half to even to 12 decimals.
 *
 * @param count  > 0
 * @return ACCORD_OK; ACCORD_E_COUNT_OUT_OF_RANGE when count is 0; ACCORD_E_OVERFLOW when the mean
 *         (beyond some nine millions) or the sum does not fit; ACCORD_E_VALUE_OUT_OF_RANGE when it
 *         rounds to zero. *ret is unwritten on failure
 */
enum accord_error accord_rate_mean(const struct accord_rate *rates, size_t count,
                                   struct accord_rate *ret);

/** The conversion that applies to a sale: what one minor unit of the sale's currency comes to in
 *  minor units of the agreement's, as a fraction in lowest terms. Zeroed: there is none (yet). */
struct accord_rate_pin {
    int64_t num;
    int64_t den; /**< 0: none */
    int64_t day; /**< days since 1970-01-01: of the rate that was used, the older one of two; of a
                      mean: the last day of its period */
    char text[ACCORD_RATE_PIN_TEXT]; /**< the rates as published: "7.7960/1.0832" is E(to)/E(from);
                                          the base itself stands as 1 */
};

/**
 * Makes the conversion of two currencies over the base.
 *
 * @param from  rate of the currency converted from; NULL: it is the base
 * @param to    rate of the currency converted to; NULL: it is the base
 * @param day   stands in ret->day
 * @return ACCORD_OK; ACCORD_E_OVERFLOW when numerator or denominator, in lowest terms, does not fit
 *         63 bits (rates of very many digits). *ret is unwritten on failure
 */
enum accord_error accord_rate_cross(const struct accord_rate *from,
                                    struct accord_currency from_currency,
                                    const struct accord_rate *to,
                                    struct accord_currency to_currency, int64_t day,
                                    struct accord_rate_pin *ret);

/**
 * Converts minor units of the one currency into minor units of the other, rounded once, half to
 * even; the conversion of -x is the negative of that of x.
 *
 * Over two conversions, there and back, x comes back within 1/2 + den/(2·num) minor units (of the
 * first): exactly, where the other currency's unit is the smaller one.
 *
 * @return ACCORD_OK; ACCORD_E_OVERFLOW; ACCORD_E_DIVISION_BY_ZERO when the pin is none
 */
enum accord_error accord_rate_convert(int64_t amount, const struct accord_rate_pin *pin,
                                      int64_t *ret);

#ifdef __cplusplus
}
#endif

#endif
