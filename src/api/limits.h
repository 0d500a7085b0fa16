/** Requests per second of each key: a token bucket. Thread-safe. */
#ifndef API_LIMITS_H
#define API_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct limits;

/** What the RateLimit headers say. */
struct limit_state {
    int64_t limit;     /**< the bucket's size: requests */
    int64_t remaining; /**< whole requests left */
    int64_t wait_s;    /**< refused: seconds until the next is taken; else until the bucket is full,
                            rounded up */
};

/** @param rate_per_second  > 0; the bucket holds one second's worth. NULL when out of memory. */
struct limits *limits_new(int64_t rate_per_second);
void limits_free(struct limits *limits);
/** Takes one request of a key at a monotonic instant. False: refused. */
bool limits_take(struct limits *limits, const char *key, int64_t now_us, struct limit_state *ret);

#endif
