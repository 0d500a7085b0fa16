/**
 * Instants: int64 microseconds since 1970-01-01T00:00:00Z, proleptic Gregorian, no leap seconds.
 * Range of what is accepted from outside: years 1970 to 2199.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "accord/error.h"
#include "base/slice.h"

typedef int64_t instant_us;

#define CLOCK_SECOND_US INT64_C(1000000)
#define CLOCK_DAY_US (INT64_C(86400) * CLOCK_SECOND_US)

/** Wall clock. */
instant_us clock_now_us(void);
/** Monotonic microseconds, for durations and deadlines. */
int64_t clock_monotonic_us(void);
/** RFC 3339 date-time with a required offset, up to 6 fraction digits; ACCORD_E_TIME_INVALID. */
enum accord_error clock_parse(struct slice text, instant_us *ret);
/** "2026-01-15T12:03:11Z", with ".123456" only when there is a fraction. */
enum { CLOCK_TEXT_MAX = 40 };
void clock_format(instant_us at, char text[CLOCK_TEXT_MAX]);
/** Days since 1970-01-01 of a civil date; months 1-12. Pure arithmetic. */
int32_t clock_days_from_civil(int year, unsigned month, unsigned day);
void clock_civil_from_days(int32_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day);

#endif
