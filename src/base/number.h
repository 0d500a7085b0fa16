/** Numbers from text, exactly: no double, no locale, no wrapping. Pure. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdint.h>

#include "accord/error.h"
#include "base/slice.h"

enum { NUMBER_SCALE_MAX = 9 };

/**
 * A plain integer: an optional '-', then digits without a leading zero. Nothing else around it.
 *
 * @return ACCORD_OK; ACCORD_E_NUMBER_NOT_INTEGER; ACCORD_E_VALUE_OUT_OF_RANGE beyond int64
 */
enum accord_error number_parse_int(struct slice text, int64_t *ret);

/**
 * A plain decimal such as "4.9", times 10^scale: an optional '-', digits without a leading zero,
 * and perhaps '.' and digits. Decimals beyond `scale` must be zeros.
 *
 * @param scale  0 .. NUMBER_SCALE_MAX
 * @return ACCORD_OK; ACCORD_E_DECIMAL_INVALID on any other text (an exponent too);
 *         ACCORD_E_DECIMAL_PRECISION; ACCORD_E_VALUE_OUT_OF_RANGE when the result is beyond int64
 */
enum accord_error number_parse_decimal(struct slice text, unsigned scale, int64_t *ret);

/** The shortest decimal text of value / 10^scale: 4900 with scale 3 is "4.9". */
enum { NUMBER_TEXT_MAX = 32 };
void number_format_decimal(int64_t value, unsigned scale, char text[NUMBER_TEXT_MAX]);

#endif
