/* Age and order of touches. */
#ifndef ACCORD_DOMAIN_TOUCHES_H
#define ACCORD_DOMAIN_TOUCHES_H

#include <string.h>

#include "accord/attribution.h"

/** How long before an instant a touch was; for a touch that is not after it. */
static inline uint64_t touch_age(const struct accord_touch *touch, int64_t at_us)
{
    return (uint64_t)at_us - (uint64_t)touch->occurred_at_us;
}

/** Negative when a comes before b: by (occurred_at, partner, event_id). */
static inline int touch_order(const struct accord_touch *a, const struct accord_touch *b)
{
    if (a->occurred_at_us != b->occurred_at_us)
        return a->occurred_at_us < b->occurred_at_us ? -1 : 1;
    const int partner = strcmp(a->partner, b->partner);
    return partner != 0 ? partner : strcmp(a->event_id, b->event_id);
}

#endif
