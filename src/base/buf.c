#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *buf, size_t bytes_max)
{
    *buf = (struct buf){.max = bytes_max};
}

void buf_done(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.max = buf->max};
}

/* Makes room for `more` bytes behind len; false and an error when that cannot be. */
static bool reserve(struct buf *buf, size_t more)
{
    if (buf->error != ACCORD_OK)
        return false;
    if (more > buf->max - buf->len) {
        buf->error = ACCORD_E_BODY_TOO_LARGE;
        return false;
    }
    const size_t need = buf->len + more;
    if (need <= buf->cap)
        return true;
    size_t cap = buf->cap < 256 ? 256 : buf->cap > SIZE_MAX / 2 ? need : buf->cap * 2;
    if (cap < need)
        cap = need;
    if (cap > buf->max)
        cap = buf->max;
    char *data = realloc(buf->data, cap);
    if (data == NULL) {
        buf->error = ACCORD_E_OUT_OF_MEMORY;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    if (len == 0 || !reserve(buf, len))
        return;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}

void buf_add_slice(struct buf *buf, struct slice text)
{
    buf_add(buf, text.data, text.len);
}

void buf_add_str(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    char small[512];
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (len < 0) {
        buf->error = ACCORD_E_INTERNAL;
        return;
    }
    if ((size_t)len < sizeof small) {
        buf_add(buf, small, (size_t)len);
        return;
    }
    char *large = malloc((size_t)len + 1);
    if (large == NULL) {
        buf->error = ACCORD_E_OUT_OF_MEMORY;
        return;
    }
    va_start(args, format);
    vsnprintf(large, (size_t)len + 1, format, args);
    va_end(args);
    buf_add(buf, large, (size_t)len);
    free(large);
}

enum accord_error buf_error(const struct buf *buf)
{
    return buf->error;
}

struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){buf->data, buf->len};
}

char *buf_steal(struct buf *buf, size_t *ret_len)
{
    char *data = buf->data;
    *ret_len = buf->len;
    buf->data = NULL;
    buf_done(buf);
    return data;
}
