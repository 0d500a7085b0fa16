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
    char *database_url;
    struct db_claim *claim; /**< of the database, for this process */
    struct ingest_config ingest;
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
    struct http_server *_Atomic server; /**< NULL until http_start() returns: workers run before */
    struct metrics *metrics;
    struct metering *metering;
    struct limits *limits; /**< NULL: keys are not limited */
    struct dispatch *dispatch;
    struct kept **kept;              /**< by worker */
    char *spill_dir;                 /**< of files that have no name */
    const char *public_path;         /**< what a proxy puts before "/v1", or "" */
    struct buf docs;                 /**< the page of /docs */
    struct maintenance *maintenance; /**< checkpoints; api/app.c */
    unsigned worker_count;
    unsigned job_count;
    _Atomic bool draining;
};

enum { APP_WHY_MAX = 640 };

/** The test books of a live database: its path with "-test" before the extension. malloc'ed; NULL
 *  when out of memory. */
char *app_test_url(const char *live_url);

/**
 * Brings both books up to date and starts everything but the HTTP server.
 *
 * @param config  borrowed until app_stop()
 * @param wake    http_wake, or a test's
 * @param why     on failure: the reason in words
 */
enum accord_error app_open(const struct config *config,
                           void (*wake)(struct http_exchange *exchange), struct app **ret,
                           char why[APP_WHY_MAX]);
/** Starts answering. *ret_address: where. */
enum accord_error app_listen(struct app *app, char ret_address[128], char why[APP_WHY_MAX]);

/** Refuses new requests, finishes what was accepted (up to deadline_ms), stops, frees. NULL is a
 *  no-op. */
void app_stop(struct app *app, int64_t deadline_ms);

#endif
