/**
 * A table in memory from keys of several parts to numbers: what one batch knows of the ids in it.
 * Lives in an arena; not thread-safe.
 */
#ifndef INGEST_KEYMAP_H
#define INGEST_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"
#include "base/arena.h"
#include "base/slice.h"

/** A key being put together. Texts hold no NUL, so their ends cannot be confused. */
enum { KEY_BYTES_MAX = 1024 };
struct key {
    char bytes[KEY_BYTES_MAX];
    size_t len; /**< beyond KEY_BYTES_MAX: it did not fit */
};

void key_text(struct key *key, const char *text);
void key_number(struct key *key, int64_t number);
void key_bytes(struct key *key, const void *bytes, size_t len);
/** A key of texts; the last argument is NULL. */
struct key key_of(const char *first, ...) __attribute__((sentinel));

struct keymap_slot {
    uint64_t hash;
    const char *key; /* NULL: free */
    size_t len;
    size_t value;
};

struct keymap {
    struct arena *arena;
    struct keymap_slot *slots;
    size_t cap; /* a power of two */
    size_t count;
    uint8_t secret[16];
};

enum accord_error keymap_init(struct keymap *map, struct arena *arena, size_t expected);
/**
 * Finds a key, or puts it in with the value `fresh`.
 *
 * @param ret_value  the value that stands; it may be changed until the next call
 * @return ACCORD_OK; ACCORD_E_OUT_OF_MEMORY; ACCORD_E_INTERNAL for a key that did not fit
 */
enum accord_error keymap_at(struct keymap *map, const struct key *key, size_t fresh,
                            size_t **ret_value);
/** The value of a key, or NULL. */
size_t *keymap_find(const struct keymap *map, const struct key *key);

#endif
