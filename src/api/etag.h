/** ETags of answers that depend on more than one version. */
#ifndef API_ETAG_H
#define API_ETAG_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"

/** One number for call_etag() that changes when any of these bytes does; never negative. */
static inline int64_t etag_of_bytes(struct slice bytes)
{
    const struct hash hash = hash_of(bytes);
    int64_t number;
    memcpy(&number, hash.bytes, sizeof number);
    return number & INT64_MAX;
}

static inline int64_t etag_of(const int64_t *parts, size_t count)
{
    return etag_of_bytes((struct slice){(const char *)parts, count * sizeof *parts});
}

#endif
