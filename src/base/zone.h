/**
 * Time zones from the system's TZif files (RFC 8536), versions 1 to 4, with the POSIX footer for
 * instants after the last transition. Loaded zones are immutable, cached for the life of the
 * process, and may be used from any thread.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/clock.h"

struct zone;

/** Finds an IANA zone by name ("Asia/Shanghai", "UTC"); ACCORD_E_TIME_ZONE_UNKNOWN. Never freed. */
enum accord_error zone_find(struct slice name, const struct zone **ret);
/** Seconds east of UTC at an instant. */
int32_t zone_offset_s(const struct zone *zone, instant_us at);
/** The local civil day of an instant, as days since 1970-01-01. */
int32_t zone_day(const struct zone *zone, instant_us at);
/** The first instant of a local civil day (the later offset where midnight does not exist). */
instant_us zone_day_start(const struct zone *zone, int32_t day);

#endif
