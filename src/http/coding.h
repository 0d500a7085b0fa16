/** Content codings: gzip and zstd off request bodies as they arrive, gzip onto replies. */
#ifndef HTTP_CODING_H
#define HTTP_CODING_H

#include "http/head.h"

struct coding;

/** Takes decoded bytes; an error ends the decoding. */
typedef enum accord_error coding_sink(void *context, const void *data, size_t len);

/** @param coding  HEAD_GZIP or HEAD_ZSTD. Memory is bounded: 8 MiB windows at most (RFC 9659). */
enum accord_error coding_open(enum head_coding coding, struct coding **ret);
/** Decodes a piece; ACCORD_E_BODY_ENCODING when it is corrupt, or the sink's error. */
enum accord_error coding_feed(struct coding *coding, const void *data, size_t len,
                              coding_sink *sink, void *context);
/** Whether what was fed ends where a member or frame ends. */
bool coding_complete(const struct coding *coding);
void coding_free(struct coding *coding);

/** Reusable state of a gzip encoder, about 260 KiB; one per thread. */
struct gzip;
struct gzip *gzip_new(void);
void gzip_free(struct gzip *gzip);
/** Compresses all of `data` into an initialised, empty buf. */
enum accord_error gzip_encode(struct gzip *gzip, struct slice data, struct buf *ret);

#endif
