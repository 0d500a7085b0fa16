/**
 * A growable byte buffer with a maximum.
 *
 * Appending never fails in the middle: once a limit or memory is hit the buffer is `failed`, later
 * appends do nothing, and the caller checks buf_error() once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "accord/error.h"
#include "base/slice.h"

struct buf {
    char *data; /**< not NUL-terminated; NULL while empty */
    size_t len;
    size_t cap;
    size_t max;
    enum accord_error error;
};

void buf_init(struct buf *buf, size_t bytes_max);
/** Frees the contents; a zeroed or finished buffer is fine. */
void buf_done(struct buf *buf);
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_add_slice(struct buf *buf, struct slice text);
void buf_add_str(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** ACCORD_OK, ACCORD_E_OUT_OF_MEMORY or ACCORD_E_BODY_TOO_LARGE (the maximum). */
enum accord_error buf_error(const struct buf *buf);
struct slice buf_slice(const struct buf *buf);
/** Gives the bytes (malloc'ed) to the caller and empties the buffer. */
char *buf_steal(struct buf *buf, size_t *ret_len);

#endif
