/** The running service: its configuration, its two books, its threads' connections. */
#ifndef API_APP_H
#define API_APP_H

#include <stdatomic.h>

#include "api/call.h"

/** One set of books. Live and test data share nothing: each is a database of its own. */
struct book {
    const char *name; /**< "live" or "test" */
    const char *database_url;
    struct writer *writer;
    struct ingest_tx *tx;
    struct db **readers; /**< one per HTTP worker, then one per job thread */
    size_t reader_count;
};

struct app {
    const struct config *config; /* base/config.h */
    struct book live;
    struct book test;
    struct jobs *jobs;
    struct http_server *server;
    struct metrics *metrics; /* service/metrics.h */
    unsigned worker_count;
    _Atomic bool draining;
};

#endif
