/**
 * What stands in the cells of partners' CSV files, as typed values. Every function takes one cell
 * (a trimmed one for csv_absent() and what is below it) and refuses what it does not know for
 * sure; nothing goes through a floating-point value. Pure; any thread.
 */
#ifndef INGEST_CSV_VALUE_H
#define INGEST_CSV_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"
#include "accord/money.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/slice.h"

/** Without blanks, tabs, line ends and U+3000 at both ends. */
struct slice csv_trim(struct slice cell);
/**
 * Text fit to be kept: control characters, which files of other encodings leave behind, become
 * blanks. The cell itself when there is nothing to clean, else a copy in the arena.
 *
 * @param keep_lines  tabs and line breaks stay
 * @return ACCORD_OK; ACCORD_E_TEXT_INVALID: not UTF-8, or with U+0000; ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error csv_clean(struct arena *arena, struct slice cell, bool keep_lines,
                            struct slice *ret);
/** ASCII case is ignored. */
bool csv_same(struct slice a, const char *b);

/** "" or one of "-", "N/A", "NA", "null", "none": no value. */
bool csv_absent(struct slice cell);
/** csv_absent(), or "-1", "-1.0": what several platforms write for an unknown number. */
bool csv_absent_number(struct slice cell);

/** Digits, with or without grouping commas ("124,980"); a fraction only of zeros ("12.0").
 *  ACCORD_E_NUMBER_NOT_INTEGER, ACCORD_E_VALUE_OUT_OF_RANGE beyond `max`. */
enum accord_error csv_integer(struct slice cell, int64_t max, int64_t *ret);

/**
 * A price: "199", "199.0", "1,299.00" (commas only between groups of three digits), or free:
 * "Free", "free", "免费", 0. No currency sign, no exponent, no decimal comma.
 *
 * @param currency  its decimals bound the fraction; code "" takes free only
 * @return as accord_amount_parse(); ACCORD_E_FIELD_MISSING: a price, but no currency
 */
enum accord_error csv_price(struct slice cell, struct accord_currency currency, int64_t *ret_minor);

/** Whole minutes of a length in hours ("1.5" is 90), half to even; ACCORD_E_VALUE_OUT_OF_RANGE
 *  beyond `minutes_max`. */
enum accord_error csv_hours(struct slice cell, int64_t minutes_max, int64_t *ret_minutes);

/** A decimal in thousandths, half to even: "4.6" is 4600, "4.36538" is 4365.
 * ACCORD_E_DECIMAL_INVALID, ACCORD_E_VALUE_OUT_OF_RANGE beyond `max_milli`. */
enum accord_error csv_milli(struct slice cell, int64_t max_milli, int64_t *ret_milli);

/** true/false, yes/no, y/n, 1/0, 是/否; ACCORD_E_VALUE_UNKNOWN. */
enum accord_error csv_boolean(struct slice cell, bool *ret);

/** RFC 3339, or a date ("2017-01-18": midnight UTC); ACCORD_E_TIME_INVALID. */
enum accord_error csv_time(struct slice cell, instant_us *ret);

/**
 * Cuts the next element from a list separated by ';', '|' or '；'; trimmed, empty ones are passed
 * over. False: no more.
 */
bool csv_list_next(struct slice *rest, struct slice *ret_element);

#endif
