/** The running service: its configuration, its two books, its threads' connections. */
#ifndef API_APP_H
#define API_APP_H

#include <stdatomic.h>

#include "api/call.h"

struct config;   /* base/config.h */
struct metrics;  /* service/metrics.h */
struct metering; /* api/metering.h */
struct limits;   /* api/limits.h */
struct dispatch; /* api/dispatch.h */

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
    const struct config *config;
    struct book live;
    struct book test;
    struct jobs *jobs;
    struct http_server *server;
    struct metrics *metrics;
    struct metering *metering;
    struct limits *limits; /**< NULL: keys are not limited */
    struct dispatch *dispatch;
    const char *public_path; /**< what a proxy puts before "/v1", or "" */
    const char *docs;        /**< the page of /docs, with this service's configuration */
    size_t docs_len;
    unsigned worker_count;
    unsigned job_count;
    _Atomic bool draining;
};

#endif
