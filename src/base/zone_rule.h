/**
 * The rule at the end of a TZif file, in the form of POSIX's TZ variable with RFC 8536's longer
 * times: "EST5EDT,M3.2.0,M11.1.0". Only for zone.c.
 */
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/** The largest offset from UTC that RFC 8536 recommends is below this. */
enum { ZONE_OFFSET_MAX_S = 26 * 3600 };

/** When in a year the clock changes. */
struct zone_change {
    enum { CHANGE_MONTH_WEEK, CHANGE_JULIAN, CHANGE_DAY } kind;
    int month;      /**< MONTH_WEEK: 1..12 */
    int week;       /**< MONTH_WEEK: 1..5, 5 is the last */
    int day;        /**< MONTH_WEEK: 0..6, 0 is Sunday; JULIAN: 1..365; DAY: 0..365 */
    int32_t time_s; /**< local seconds after midnight, -167 h .. 167 h */
};

struct zone_rule {
    int32_t standard_s; /**< east of UTC */
    bool has_summer;
    int32_t summer_s;
    struct zone_change begin; /**< of summer time, in standard time */
    struct zone_change end;   /**< of summer time, in summer time */
};

/** A stretch of time with one offset. */
struct zone_span {
    int32_t offset_s;
    int64_t end_s; /**< the first second behind it; INT64_MAX: never ends */
};

bool zone_rule_parse(struct slice text, struct zone_rule *ret);
/** The span that holds an instant, in seconds since 1970. */
struct zone_span zone_rule_span(const struct zone_rule *rule, int64_t at_s);

#endif
