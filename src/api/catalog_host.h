/** How imports reach a book from a job thread: chunks through the writer, short reads of their own.
 */
#ifndef API_CATALOG_HOST_H
#define API_CATALOG_HOST_H

#include "api/app.h"
#include "ingest/catalog.h"

struct catalog_thread {
    struct book *book;
    struct db *reader; /* of this thread */
    /* NULL, or true once the work must not go on: then nothing more is written, and the next start
     * deals with what is left, as after a crash. */
    const _Atomic bool *stop;
    struct catalog_host host;
};

/** @param reader  index of the thread's connection in book->readers */
void catalog_thread_init(struct catalog_thread *thread, struct book *book, unsigned reader);

/** An upload that outlives its request: a copy in an unlinked file of the spill folder. */
struct catalog_upload {
    char *data;
    size_t len;
};
/** ACCORD_E_IO_ERROR, ACCORD_E_DATABASE_FULL (no room), ACCORD_E_OUT_OF_MEMORY. */
enum accord_error catalog_upload_copy(const char *folder, struct slice body,
                                      struct catalog_upload *ret);
void catalog_upload_free(struct catalog_upload *upload);

#endif
