#include "http/coding.h"

#define ZLIB_CONST /* next_in points to const */
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
    PIECE_BYTES = 32 * 1024,
    GZIP_WINDOW = 15 + 16, /* zlib's way to say: gzip wrapper only */
    GZIP_LEVEL = 1,        /* JSON shrinks 5 to 10 times already; more costs the worker's time */
    ZSTD_WINDOW_LOG_MAX = 23,
};

struct coding {
    enum head_coding kind;
    bool complete;
    z_stream z;
    ZSTD_DStream *zstd;
};

enum accord_error coding_open(enum head_coding kind, struct coding **ret)
{
    struct coding *coding = calloc(1, sizeof *coding);
    if (coding == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    coding->kind = kind;
    bool ok;
    if (kind == HEAD_GZIP) {
        ok = inflateInit2(&coding->z, GZIP_WINDOW) == Z_OK;
    } else {
        coding->zstd = ZSTD_createDStream();
        ok = coding->zstd != NULL && !ZSTD_isError(ZSTD_DCtx_setParameter(
                                         coding->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX));
    }
    if (!ok) {
        ZSTD_freeDStream(coding->zstd);
        free(coding);
        return ACCORD_E_OUT_OF_MEMORY;
    }
    *ret = coding;
    return ACCORD_OK;
}

static enum accord_error feed_gzip(struct coding *coding, const void *data, size_t len,
                                   coding_sink *sink, void *context)
{
    unsigned char piece[PIECE_BYTES];
    z_stream *z = &coding->z;
    const unsigned char *at = data;
    while (len > 0 || z->avail_in > 0) {
        if (z->avail_in == 0) {
            const size_t take = len > UINT_MAX ? UINT_MAX : len;
            z->next_in = at;
            z->avail_in = (unsigned)take;
            at += take;
            len -= take;
        }
        if (coding->complete) { /* another member follows */
            if (inflateReset(z) != Z_OK)
                return ACCORD_E_INTERNAL;
            coding->complete = false;
        }
        do {
            z->next_out = piece;
            z->avail_out = sizeof piece;
            const int result = inflate(z, Z_NO_FLUSH);
            if (result == Z_MEM_ERROR)
                return ACCORD_E_OUT_OF_MEMORY;
            if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
                return ACCORD_E_BODY_ENCODING;
            coding->complete = result == Z_STREAM_END;
            const enum accord_error error = sink(context, piece, sizeof piece - z->avail_out);
            if (error != ACCORD_OK)
                return error;
        } while (z->avail_out == 0 && !coding->complete);
    }
    return ACCORD_OK;
}

static enum accord_error feed_zstd(struct coding *coding, const void *data, size_t len,
                                   coding_sink *sink, void *context)
{
    unsigned char piece[PIECE_BYTES];
    ZSTD_inBuffer in = {data, len, 0};
    ZSTD_outBuffer out;
    do {
        out = (ZSTD_outBuffer){piece, sizeof piece, 0};
        const size_t result = ZSTD_decompressStream(coding->zstd, &out, &in);
        if (ZSTD_isError(result))
            return ACCORD_E_BODY_ENCODING;
        /* 0: a frame ends here. With no input left and no output made, the last verdict stands. */
        if (out.pos > 0 || in.pos > 0)
            coding->complete = result == 0;
        const enum accord_error error = sink(context, piece, out.pos);
        if (error != ACCORD_OK)
            return error;
        if (coding->complete && in.pos == in.size)
            break;
    } while (in.pos < in.size || out.pos == out.size);
    return ACCORD_OK;
}

enum accord_error coding_feed(struct coding *coding, const void *data, size_t len,
                              coding_sink *sink, void *context)
{
    if (len == 0)
        return ACCORD_OK;
    return coding->kind == HEAD_GZIP ? feed_gzip(coding, data, len, sink, context)
                                     : feed_zstd(coding, data, len, sink, context);
}

bool coding_complete(const struct coding *coding)
{
    return coding->complete;
}

void coding_free(struct coding *coding)
{
    if (coding == NULL)
        return;
    if (coding->kind == HEAD_GZIP)
        inflateEnd(&coding->z);
    ZSTD_freeDStream(coding->zstd);
    free(coding);
}

struct gzip {
    z_stream z;
};

struct gzip *gzip_new(void)
{
    struct gzip *gzip = calloc(1, sizeof *gzip);
    if (gzip == NULL)
        return NULL;
    if (deflateInit2(&gzip->z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        free(gzip);
        return NULL;
    }
    return gzip;
}

void gzip_free(struct gzip *gzip)
{
    if (gzip == NULL)
        return;
    deflateEnd(&gzip->z);
    free(gzip);
}

enum accord_error gzip_encode(struct gzip *gzip, struct slice data, struct buf *ret)
{
    unsigned char piece[PIECE_BYTES];
    z_stream *z = &gzip->z;
    if (data.len > UINT_MAX)
        return ACCORD_E_BODY_TOO_LARGE;
    if (deflateReset(z) != Z_OK)
        return ACCORD_E_INTERNAL;
    z->next_in = (const unsigned char *)data.data;
    z->avail_in = (unsigned)data.len;
    int result;
    do {
        z->next_out = piece;
        z->avail_out = sizeof piece;
        result = deflate(z, Z_FINISH);
        if (result != Z_OK && result != Z_STREAM_END)
            return ACCORD_E_INTERNAL;
        buf_add(ret, piece, sizeof piece - z->avail_out);
    } while (result != Z_STREAM_END);
    return buf_error(ret);
}
