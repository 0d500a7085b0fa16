/**
 * Money: signed minor units of one ISO 4217 currency, and single rounded amounts.
 *
 * An amount is an int64 count of minor units (fen, cents, yen, fils). No operation goes through a
 * floating-point value, and none wraps: an overflow is an error. Every function here is pure and
 * may be called from any thread.
 */
#ifndef ACCORD_MONEY_H
#define ACCORD_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One whole, in parts per million: the unit of every `share_ppm` and `rate_ppm`. */
#define ACCORD_PPM_WHOLE 1000000

/** The largest magnitude of one amount that may come from outside, in minor units. */
#define ACCORD_AMOUNT_MAX INT64_C(10000000000000)

/** The largest magnitude of a number that may stand in JSON: 2^53 - 1, exact in every client. */
#define ACCORD_JSON_INT_MAX INT64_C(9007199254740991)

/** An ISO 4217 alphabetic code, NUL-terminated. A zeroed value is "no currency". */
struct accord_currency {
    char code[4];
};

/**
 * Parses an ISO 4217 code: three upper-case ASCII letters of a currency in use.
 *
 * @param text  characters, need not be NUL-terminated
 * @param len   number of characters
 * @return ACCORD_OK, or ACCORD_E_CURRENCY_UNKNOWN; *ret is unwritten on failure
 */
enum accord_error accord_currency_parse(const char *text, size_t len, struct accord_currency *ret);

/** Number of decimals of a currency's minor unit: 0, 2 or 3 (a few funds codes have 4). */
unsigned accord_currency_decimals(struct accord_currency currency);

bool accord_currency_equal(struct accord_currency a, struct accord_currency b);

/** *ret = a + b, or ACCORD_E_OVERFLOW. */
enum accord_error accord_add(int64_t a, int64_t b, int64_t *ret);

/** *ret = a - b, or ACCORD_E_OVERFLOW. */
enum accord_error accord_sub(int64_t a, int64_t b, int64_t *ret);

/**
 * *ret = amount * num / den, rounded half to even: the rule for single amounts (a tax, a fee).
 *
 * The product is formed in 128 bits. Splits never use this: they use accord_apportion().
 *
 * @param den  > 0
 * @return ACCORD_OK, ACCORD_E_OVERFLOW, or ACCORD_E_DIVISION_BY_ZERO when den <= 0
 */
enum accord_error accord_mul_div(int64_t amount, int64_t num, int64_t den, int64_t *ret);

/**
 * Parses a decimal text such as "19.90" into minor units of a currency, exactly.
 *
 * Accepts an optional '-', digits, and at most the currency's decimals after a '.'; further
 * decimals are accepted only when they are zeros. No exponent, no sign '+', no blanks, no grouping.
 *
 * @return ACCORD_OK; ACCORD_E_AMOUNT_INVALID on any other text; ACCORD_E_AMOUNT_PRECISION when
 *         there is a non-zero digit below the minor unit; ACCORD_E_AMOUNT_OUT_OF_RANGE beyond
 *         ACCORD_AMOUNT_MAX
 */
enum accord_error accord_amount_parse(const char *text, size_t len, struct accord_currency currency,
                                      int64_t *ret);

#ifdef __cplusplus
}
#endif

#endif
