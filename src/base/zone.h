/**
 * Time zones from the system's TZif files (RFC 8536), versions 1 to 4, with the POSIX footer for
 * instants after the last transition. Loaded zones are immutable, cached for the life of the
 * process, and may be used from any thread.
 *
 * The files are looked for in $ACCORD_ZONEINFO, else $TZDIR, else /usr/share/zoneinfo (Debian's
 * tzdata). UTC needs no file.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/clock.h"

struct zone;

/**
 * Finds an IANA zone by name ("Asia/Shanghai", "UTC"). Never freed.
 *
 * @return ACCORD_OK; ACCORD_E_TIME_ZONE_UNKNOWN (no such name, or its file is unsound);
 *         ACCORD_E_IO_ERROR; ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error zone_find(struct slice name, const struct zone **ret);
/** Seconds east of UTC at an instant. */
int32_t zone_offset_s(const struct zone *zone, instant_us at);
/** The local civil day of an instant, as days since 1970-01-01. */
int32_t zone_day(const struct zone *zone, instant_us at);
/** The first instant whose local civil day is `day` or a later one: midnight, or where the clock
 *  springs over it (or over the whole day) the instant of that. */
instant_us zone_day_start(const struct zone *zone, int32_t day);

/** The version of the zone data ("2025b"), "" when it is not known. */
enum { ZONE_VERSION_MAX = 16 };
void zone_data_version(char text[ZONE_VERSION_MAX]);

/** Reads the bytes of one TZif file; for zone_find() and its fuzzer. ACCORD_E_TIME_ZONE_UNKNOWN
 *  when they are unsound, ACCORD_E_OUT_OF_MEMORY. */
enum accord_error zone_parse(struct slice file, struct zone **ret);
void zone_free(struct zone *zone);

#endif
