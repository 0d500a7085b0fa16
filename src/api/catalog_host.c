#include "api/catalog_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_WEIGHT = 1000, RETRIES_MAX = 60, RETRY_WAIT_MS = 250 };

struct chunk {
    catalog_write_fn *work;
    void *self;
};

static enum accord_error run_chunks(void *context, struct db *db, struct write_task *const *tasks,
                                    size_t count)
{
    struct ingest_tx *tx = context;
    enum accord_error error = ingest_tx_enter(tx, db);
    for (size_t i = 0; i < count && error == ACCORD_OK; i++) {
        const struct chunk *chunk = tasks[i]->self;
        error = chunk->work(chunk->self, tx);
    }
    return error;
}

static const struct write_kind chunk_kind = {.name = "catalog", .run = run_chunks};

/* An import that is given up half-way holds its provider's catalog until the next start. A full
 * queue or a locked database, both of which pass and have written nothing, are waited out. */
static bool passes(enum accord_error error)
{
    return error == ACCORD_E_QUEUE_FULL || error == ACCORD_E_DATABASE_BUSY;
}

static enum accord_error host_write(void *context, catalog_write_fn *work, void *self)
{
    const struct catalog_thread *thread = context;
    const struct timespec wait = {.tv_nsec = RETRY_WAIT_MS * 1000000L};
    for (int retries = 0;; retries++) {
        if (thread->stop != NULL && atomic_load(thread->stop))
            return ACCORD_E_SHUTTING_DOWN;
        struct chunk chunk = {work, self};
        struct write_task task = {.kind = &chunk_kind, .self = &chunk, .weight = CHUNK_WEIGHT};
        const enum accord_error error = writer_call(thread->book->writer, &task);
        if (!passes(error) || retries == RETRIES_MAX)
            return error;
        nanosleep(&wait, NULL);
    }
}

static enum accord_error host_read(void *context, catalog_read_fn *work, void *self)
{
    const struct catalog_thread *thread = context;
    enum accord_error error = db_begin(thread->reader);
    if (error != ACCORD_OK)
        return error;
    error = work(self, thread->reader);
    db_rollback(thread->reader);
    return error;
}

void catalog_thread_init(struct catalog_thread *thread, struct book *book, unsigned reader)
{
    *thread = (struct catalog_thread){.book = book, .reader = book->readers[reader]};
    thread->host = (struct catalog_host){thread, &book->ingest, host_write, host_read};
}

enum accord_error catalog_upload_copy(const char *folder, struct slice body,
                                      struct catalog_upload *ret)
{
    char path[1100];
    const int length = snprintf(path, sizeof path, "%s/accord-upload-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof path || body.len == 0)
        return ACCORD_E_IO_ERROR;
    const int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return ACCORD_E_IO_ERROR;
    unlink(path);
    enum accord_error error = ACCORD_OK;
    /* Room is taken now: writing to a hole on a full disk would be a SIGBUS. */
    const int full = posix_fallocate(fd, 0, (off_t)body.len);
    if (full != 0)
        error = full == ENOSPC ? ACCORD_E_DATABASE_FULL : ACCORD_E_IO_ERROR;
    void *data = MAP_FAILED;
    if (error == ACCORD_OK) {
        data = mmap(NULL, body.len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
            error = ACCORD_E_OUT_OF_MEMORY;
    }
    close(fd);
    if (error != ACCORD_OK)
        return error;
    memcpy(data, body.data, body.len);
    *ret = (struct catalog_upload){data, body.len};
    return ACCORD_OK;
}

void catalog_upload_free(struct catalog_upload *upload)
{
    if (upload->data != NULL)
        munmap(upload->data, upload->len);
    upload->data = NULL;
}
