/**
 * A region of memory freed at once: what one request, one batch item or one report allocates.
 *
 * Not thread-safe; hand an arena from thread to thread only with everything in it.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

struct arena;

/** @param bytes_max  the most it may ever hold; beyond it allocations fail. NULL when out of
 * memory. */
struct arena *arena_new(size_t bytes_max);
/** Frees everything; NULL is a no-op. */
void arena_free(struct arena *arena);
/** Forgets everything but keeps the first block for reuse. */
void arena_reset(struct arena *arena);
/** Zeroed memory, aligned for any type; NULL when the maximum or the memory is reached. */
void *arena_alloc(struct arena *arena, size_t bytes);
/** `count` zeroed elements; NULL on overflow too. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/**
 * A list with room for one more: `items` themselves, or a larger copy (zeroed behind `count`) when
 * they are `*cap` already, which then says how many it has room for. NULL when it fails; the list
 * is as it was.
 */
void *arena_room(struct arena *arena, void *items, size_t count, size_t *cap, size_t size);
/** A NUL-terminated copy; NULL when it fails. */
char *arena_strdup(struct arena *arena, struct slice text);
/** Formatted text, NUL-terminated. */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
