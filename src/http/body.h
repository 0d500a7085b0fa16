/** A request body on its way in: decoded as it arrives, in memory first, then in an unlinked file.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "http/coding.h"

/** What all bodies of a server that are being received, or worked on, hold together. */
struct body_budget {
    _Atomic size_t memory; /**< bytes */
    size_t memory_max;     /**< above it further bodies go to files */
    _Atomic size_t files;
    size_t files_max; /**< above it further ones are refused */
};

struct body_limits {
    uint64_t wire_max;  /**< bytes as sent */
    size_t decoded_max; /**< bytes after decoding */
    size_t spill_bytes; /**< held in memory */
    const char *spill_dir;
    struct body_budget *budget;
};

struct body {
    struct body_limits limits;
    struct coding *coding; /* NULL: sent as it is */
    struct buf memory;
    uint64_t wire;  /**< bytes that have arrived */
    size_t decoded; /**< bytes after decoding */
    size_t charged; /**< of the budget: of its files, once there is one, else of its memory */
    int file;       /* -1: everything is in memory */
    void *map;
};

/** A body that holds nothing, for body_done() before body_open(). */
#define BODY_EMPTY ((struct body){.file = -1})

/** @param coding  not HEAD_CODING_UNKNOWN */
enum accord_error body_open(const struct body_limits *limits, enum head_coding coding,
                            struct body *ret);
/** Takes a piece. ACCORD_E_BODY_TOO_LARGE, ACCORD_E_BODIES_EXHAUSTED (the budget's files),
 * ACCORD_E_BODY_ENCODING, ACCORD_E_OUT_OF_MEMORY, ACCORD_E_DATABASE_FULL (no room for the file),
 * ACCORD_E_IO_ERROR. */
enum accord_error body_add(struct body *body, const void *data, size_t len);
/** Everything has arrived; *ret is valid until body_done(). */
enum accord_error body_finish(struct body *body, struct slice *ret);
void body_done(struct body *body);

#endif
