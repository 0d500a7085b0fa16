/* A zone file of any bytes is refused, or gives a zone whose days begin where they should. */
#include <stdlib.h>

#include "base/zone.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int32_t days[] = {INT32_MIN, -40000, -1, 0, 12345, 20000, 47000, 83999, INT32_MAX};
    struct zone *zone;
    if (zone_parse((struct slice){(const char *)data, size}, &zone) != ACCORD_OK)
        return 0;
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        const instant_us start = zone_day_start(zone, days[i]);
        const int32_t offset = zone_offset_s(zone, start);
        must(offset > -26 * 3600 && offset < 26 * 3600);
        if (days[i] == INT32_MIN || days[i] == INT32_MAX)
            continue;
        must(zone_day(zone, start) >= days[i]);
        must(zone_day(zone, start - 1) < days[i]);
    }
    (void)zone_offset_s(zone, INT64_MIN);
    (void)zone_day(zone, INT64_MAX);
    zone_free(zone);
    return 0;
}
