#include "http/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum accord_error body_open(const struct body_limits *limits, enum head_coding coding,
                            struct body *ret)
{
    struct body body = BODY_EMPTY;
    body.limits = *limits;
    buf_init(&body.memory, limits->spill_bytes);
    if (coding == HEAD_GZIP || coding == HEAD_ZSTD) {
        const enum accord_error error = coding_open(coding, &body.coding);
        if (error != ACCORD_OK)
            return error;
    }
    *ret = body;
    return ACCORD_OK;
}

static enum accord_error file_error(void)
{
    return errno == ENOSPC || errno == EDQUOT ? ACCORD_E_DATABASE_FULL : ACCORD_E_IO_ERROR;
}

/* A file without a name; file systems without O_TMPFILE get one that is unlinked at once. */
static int open_unlinked(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    char path[4096];
    const int len = snprintf(path, sizeof path, "%s/body-XXXXXX", dir);
    if (len < 0 || (size_t)len >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static enum accord_error write_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        const ssize_t wrote = write(fd, at, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return file_error();
        at += wrote;
        len -= (size_t)wrote;
    }
    return ACCORD_OK;
}

/* Takes bytes of a budget, if they are left. */
static bool charge(struct body *body, _Atomic size_t *sum, size_t max, size_t len)
{
    size_t before = atomic_load_explicit(sum, memory_order_relaxed);
    do {
        if (before > max || len > max - before)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(sum, &before, before + len,
                                                    memory_order_relaxed, memory_order_relaxed));
    body->charged += len;
    return true;
}

static void give_back(struct body *body)
{
    struct body_budget *budget = body->limits.budget;
    if (budget != NULL)
        atomic_fetch_sub_explicit(body->file < 0 ? &budget->memory : &budget->files, body->charged,
                                  memory_order_relaxed);
    body->charged = 0;
}

static enum accord_error write_charged(struct body *body, const void *data, size_t len)
{
    struct body_budget *budget = body->limits.budget;
    if (!charge(body, &budget->files, budget->files_max, len))
        return ACCORD_E_BODIES_EXHAUSTED;
    return write_all(body->file, data, len);
}

static enum accord_error spill(struct body *body)
{
    const int file = open_unlinked(body->limits.spill_dir);
    if (file < 0)
        return file_error();
    give_back(body);
    body->file = file;
    const enum accord_error error = write_charged(body, body->memory.data, body->memory.len);
    buf_done(&body->memory);
    return error;
}

/* Stores decoded bytes. */
static enum accord_error store(void *context, const void *data, size_t len)
{
    struct body *body = context;
    if (len > body->limits.decoded_max - body->decoded)
        return ACCORD_E_BODY_TOO_LARGE;
    body->decoded += len;
    struct body_budget *budget = body->limits.budget;
    if (body->file < 0) {
        if (len <= body->limits.spill_bytes - body->memory.len &&
            charge(body, &budget->memory, budget->memory_max, len)) {
            buf_add(&body->memory, data, len);
            return buf_error(&body->memory);
        }
        const enum accord_error error = spill(body);
        if (error != ACCORD_OK)
            return error;
    }
    return write_charged(body, data, len);
}

enum accord_error body_add(struct body *body, const void *data, size_t len)
{
    if (len > body->limits.wire_max - body->wire)
        return ACCORD_E_BODY_TOO_LARGE;
    body->wire += len;
    return body->coding == NULL ? store(body, data, len)
                                : coding_feed(body->coding, data, len, store, body);
}

enum accord_error body_finish(struct body *body, struct slice *ret)
{
    if (body->coding != NULL) {
        if (body->wire > 0 && !coding_complete(body->coding))
            return ACCORD_E_BODY_ENCODING;
        coding_free(body->coding);
        body->coding = NULL;
    }
    if (body->file < 0) {
        *ret = buf_slice(&body->memory);
        return ACCORD_OK;
    }
    void *map = mmap(NULL, body->decoded, PROT_READ, MAP_PRIVATE, body->file, 0);
    if (map == MAP_FAILED)
        return errno == ENOMEM ? ACCORD_E_OUT_OF_MEMORY : ACCORD_E_IO_ERROR;
    body->map = map;
    *ret = (struct slice){map, body->decoded};
    return ACCORD_OK;
}

void body_done(struct body *body)
{
    give_back(body);
    if (body->map != NULL)
        munmap(body->map, body->decoded);
    if (body->file >= 0)
        close(body->file);
    coding_free(body->coding);
    buf_done(&body->memory);
    *body = BODY_EMPTY;
}
