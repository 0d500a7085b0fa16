/** Opaque texts that clients hand back: cursors of lists, and versions (`as_of`, `since`). */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

/**
 * Writes the parts as one base64url text.
 *
 * @param binding  of the list: a cursor is taken back only with the same one
 * @return in the arena; NULL when out of memory or a part is longer than 65535 bytes
 */
char *cursor_encode(struct arena *arena, uint32_t binding, const struct slice *parts, size_t count);

/**
 * Reads a cursor of exactly `count` parts; each is NUL-terminated behind its end, may hold any
 * bytes, and lives in the arena.
 *
 * @return false (ret_parts unwritten) when the text is not what cursor_encode() gave for `binding`
 */
bool cursor_decode(struct arena *arena, uint32_t binding, struct slice text, size_t count,
                   struct slice *ret_parts);

/** A version (>= 0) as an opaque text in the arena; NULL when out of memory. Taken back only with
 * the same binding. */
char *cursor_of_version(struct arena *arena, uint32_t binding, int64_t version);
bool cursor_to_version(uint32_t binding, struct slice text, int64_t *ret);

#endif
