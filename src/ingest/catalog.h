/**
 * Catalog imports: from an upload to one switch of what is visible.
 *
 *     catalog_check()   refuses what cannot be read at all; writes nothing
 *     catalog_begin()   makes the receipt and takes the provider's catalog
 *     catalog_run()     stages the upload in chunks, checks and guards it whole, and applies it
 *     catalog_approve() lets a blocked import be applied;  catalog_apply() goes on with it
 *     catalog_recover() at the start: applying imports are finished, interrupted uploads fail
 *
 * The work is done outside the writer: it reads on a connection of its own thread and sends
 * bounded chunks through struct catalog_host. Rows of an upload become versions at generation + 1,
 * which nobody sees until the last chunk switches. Memory is bounded by one chunk, whatever the
 * size of the upload.
 */
#ifndef INGEST_CATALOG_H
#define INGEST_CATALOG_H

#include "ingest/course_csv.h"
#include "ingest/tx.h"
#include "store/imports.h"

enum catalog_format { CATALOG_JSON, CATALOG_NDJSON, CATALOG_CSV };
const char *catalog_format_name(enum catalog_format format);

/** Takes part in the transaction that begins an import. */
struct catalog_claim {
    void *self;
    /** First. *ret_go_on false: there is nothing to begin. */
    enum accord_error (*before)(void *self, struct ingest_tx *tx, bool *ret_go_on);
    /** Last, once the receipt is there. */
    enum accord_error (*begun)(void *self, struct ingest_tx *tx, const char *import);
};

struct catalog_request {
    const char *provider;
    enum catalog_format format;
    bool full; /**< mode: absence withdraws */
    bool dry_run;
    struct slice columns; /**< CSV: the column map, or "" */
    struct course_defaults defaults;
    const struct catalog_claim *claim; /**< NULL: none */
};

/** Works in a write transaction. May run again from scratch after a roll-back. */
typedef enum accord_error catalog_write_fn(void *self, struct ingest_tx *tx);
typedef enum accord_error catalog_read_fn(void *self, struct db *db);

/** How an import reaches the database, and what it goes by; one per thread that runs one. */
struct catalog_host {
    void *context;
    const struct ingest_config *config;
    /** Runs and commits; returns when it is durable. */
    enum accord_error (*write)(void *context, catalog_write_fn *work, void *self);
    /** Runs with a read connection, outside any transaction. */
    enum accord_error (*read)(void *context, catalog_read_fn *work, void *self);
};

enum { CATALOG_PROBLEMS_STORED_MAX = 10000 };

/**
 * @return ACCORD_OK; ACCORD_E_JSON_INVALID (no array or object with `courses`, or unsound),
 *         ACCORD_E_CSV_INVALID (no header row), ACCORD_E_COLUMN_UNKNOWN, ACCORD_E_BODY_EMPTY, all
 *         with problems; ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error catalog_check(struct arena *arena, const struct catalog_request *request,
                                struct slice body, struct json_problems *problems);

/** @return ACCORD_OK, *ret_import "" when the request's claim had nothing begun;
 *          ACCORD_E_CATALOG_BUSY; what the database said */
enum accord_error catalog_begin(const struct catalog_host *host,
                                const struct catalog_request *request,
                                char ret_import[RANDOM_ID_MAX]);

/**
 * To the end: the receipt is applied, blocked, failed, or (dry run) staged and finished. `body` is
 * borrowed until it returns. An error (the database's) leaves the import as a crash would: failed
 * if that can still be written, else catalog_recover() deals with it.
 */
enum accord_error catalog_run(const struct catalog_host *host,
                              const struct catalog_request *request, const char *import,
                              struct slice body);

/**
 * In a write transaction: a blocked import becomes applying. catalog_apply() must follow.
 *
 * @return ACCORD_OK; ACCORD_E_IMPORT_STATE; ACCORD_E_CATALOG_BUSY; ACCORD_E_NOT_FOUND: nothing was
 *         written
 */
enum accord_error catalog_approve(struct ingest_tx *tx, struct slice import);
/** Applies what is left of an applying import, and switches. Nothing to do otherwise. */
enum accord_error catalog_apply(const struct catalog_host *host, const char *import);
/** Ends an import that has not been applied: its rows are dropped, the catalog is given back. */
enum accord_error catalog_fail(const struct catalog_host *host, const char *import,
                               const char *reason);
/** Deals with every import that a stop interrupted; idempotent. */
enum accord_error catalog_recover(const struct catalog_host *host);

/** What must follow every change of a visible catalog, in its transaction: what was blocked against
 *  the old state is superseded, watchers are touched, and held lines of new courses settled. */
enum accord_error catalog_changed(struct ingest_tx *tx, const char *provider, struct slice import,
                                  bool new_courses);

/* ---- one course (PUT, DELETE), in a write transaction ---- */

/**
 * Creates, changes or revives a course.
 *
 * @param arena        what is returned lives there, longer than the transaction
 * @param ret_changed  false: it has this content already, and *ret_now is unwritten
 * @return ACCORD_OK; ACCORD_E_CATALOG_BUSY while an import has the catalog: nothing was written
 */
enum accord_error catalog_put_course(struct ingest_tx *tx, struct arena *arena,
                                     const char *provider, const struct course *course,
                                     struct store_course *ret_now, bool *ret_changed);
/** @return ACCORD_E_NOT_FOUND when there is no active course of that id; ACCORD_E_CATALOG_BUSY */
enum accord_error catalog_withdraw_course(struct ingest_tx *tx, const char *provider,
                                          struct slice course_id);

/**
 * Works out anew who may see what under an agreement, from all of its versions: each grants while
 * it is in force, until a later one is. Called whenever the state or time of one has changed.
 */
enum accord_error catalog_grants_changed(struct ingest_tx *tx, const char *agreement);

#endif
