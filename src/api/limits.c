#include "api/limits.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"

/* Buckets stand in sets of eight, found by the hash of the key. When a set is full the bucket that
 * was used longest ago makes room: it is the one most likely to be full again, so what it forgets
 * matters least. */
enum { SETS = 1024, WAYS = 8 };

struct bucket {
    uint64_t key;      /* 0: free */
    int64_t tokens;    /* millionths of a request */
    int64_t filled_us; /* when `tokens` was true */
};

struct limits {
    pthread_mutex_t lock;
    int64_t rate;
    struct bucket buckets[SETS][WAYS];
};

static const int64_t whole = 1000000;

struct limits *limits_new(int64_t rate_per_second)
{
    struct limits *limits = calloc(1, sizeof *limits);
    if (limits == NULL)
        return NULL;
    if (pthread_mutex_init(&limits->lock, NULL) != 0) {
        free(limits);
        return NULL;
    }
    limits->rate = rate_per_second;
    return limits;
}

void limits_free(struct limits *limits)
{
    if (limits == NULL)
        return;
    pthread_mutex_destroy(&limits->lock);
    free(limits);
}

static struct bucket *find(struct limits *limits, uint64_t key, int64_t now_us)
{
    struct bucket *set = limits->buckets[key % SETS];
    struct bucket *oldest = &set[0];
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].key == 0 || (oldest->key != 0 && set[i].filled_us < oldest->filled_us))
            oldest = &set[i];
    }
    *oldest = (struct bucket){.key = key, .tokens = limits->rate * whole, .filled_us = now_us};
    return oldest;
}

bool limits_take(struct limits *limits, const char *key, int64_t now_us, struct limit_state *ret)
{
    const struct hash hash = hash_of(slice_of(key));
    uint64_t id;
    memcpy(&id, hash.bytes, sizeof id);
    id |= 1; /* never the mark of a free bucket */

    pthread_mutex_lock(&limits->lock);
    struct bucket *bucket = find(limits, id, now_us);
    const int64_t full = limits->rate * whole;
    const int64_t elapsed_us = now_us > bucket->filled_us ? now_us - bucket->filled_us : 0;
    /* A second fills the bucket: more elapsed time than that would only overflow. */
    const int64_t earned = elapsed_us >= 1000000 ? full : elapsed_us * limits->rate;
    bucket->tokens = bucket->tokens + earned > full ? full : bucket->tokens + earned;
    bucket->filled_us = now_us;
    const bool taken = bucket->tokens >= whole;
    if (taken)
        bucket->tokens -= whole;
    const int64_t tokens = bucket->tokens;
    pthread_mutex_unlock(&limits->lock);

    const int64_t missing = taken ? full - tokens : whole - tokens;
    *ret = (struct limit_state){
        .limit = limits->rate,
        .remaining = tokens / whole,
        .wait_s = (missing + full - 1) / full, /* `full` is what a second brings */
    };
    return taken;
}
