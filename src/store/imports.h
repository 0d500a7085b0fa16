/**
 * Catalog imports: their receipts, problems, and the rows staged between upload and switch.
 * Texts of results live in the arena given.
 */
#ifndef STORE_IMPORTS_H
#define STORE_IMPORTS_H

#include "store/courses.h"

enum import_state {
    IMPORT_STAGED, /**< being read, or (finished) a dry run's result */
    IMPORT_BLOCKED,
    IMPORT_APPLYING,
    IMPORT_APPLIED,
    IMPORT_FAILED,
};
const char *import_state_name(enum import_state state);

struct store_import_counts {
    int64_t received;
    int64_t created;
    int64_t updated;
    int64_t unchanged;
    int64_t withdrawn;
    int64_t rejected;
};

struct store_import {
    struct slice id;
    struct slice provider;
    instant_us created_at;
    instant_us finished_at; /**< 0: not yet */
    enum import_state state;
    struct slice reason; /**< why blocked or failed; "" */
    bool full;           /**< mode: full, else delta */
    struct slice format; /**< json | ndjson | csv */
    bool dry_run;
    struct store_import_counts counts;
    int64_t problems;     /**< found */
    int64_t generation;   /**< of the catalog that it is checked against */
    bool adding;          /**< while applying: withdrawals are done, rows are being added */
    int64_t active_after; /**< active courses of the provider once it is applied */
};

struct store_problem {
    int64_t number; /**< 1, 2 … in the order found */
    int64_t line;
    struct slice course_id;
    struct slice field;
    struct slice code;
    struct slice message;
};

/** What is done with a course of the upload. */
enum import_action {
    IMPORT_CREATE,
    IMPORT_UPDATE,
    IMPORT_KEEP,  /**< the same content */
    IMPORT_TOUCH, /**< the same content, sent in other words: its raw hash is noted */
    IMPORT_SEEN,  /**< refused; it stands in the upload, so it is not withdrawn */
};

struct store_import_row {
    int64_t line;
    enum import_action action;
    int64_t base_version;       /**< that it replaces; 0: none */
    struct store_course course; /**< course_id, id, hashes, columns, body, subjects */
};

/** A course_id that this import has staged already. */
struct store_import_seen {
    bool found;
    enum import_action action;
    struct hash content_hash;
};

enum accord_error store_import_add(struct db *db, const struct store_import *row);
enum accord_error store_import_get(struct db *db, struct arena *arena, struct slice id,
                                   bool *ret_found, struct store_import *ret);
/** Writes what changes of a receipt: state, reason, counts, and what stands below them. */
enum accord_error store_import_update(struct db *db, const struct store_import *row);

typedef enum accord_error store_import_fn(void *context, const struct store_import *row);
/** Newest first, behind (created_at, id); INT64_MAX and "" for the first page. provider NULL: of
 *  all. Rows are valid until `each` returns. */
enum accord_error store_import_list(struct db *db, const char *provider, instant_us before,
                                    struct slice before_id, int64_t limit, store_import_fn *each,
                                    void *context);
/** Imports that a stop interrupted: staged without an end, or applying. At most `limit`. */
enum accord_error store_import_unfinished(struct db *db, struct arena *arena, int64_t limit,
                                          struct store_import *ret, size_t *ret_count);
/** The provider's catalog has changed: what was blocked against an older one can no longer be
 *  approved; it becomes failed (superseded). */
enum accord_error store_import_supersede(struct db *db, const char *provider,
                                         struct slice except_id, instant_us now);

/** One superseded import that still has rows; *ret_found false when there is none. */
enum accord_error store_import_leftover(struct db *db, struct arena *arena, bool *ret_found,
                                        struct store_import *ret);

enum accord_error store_problems_add(struct db *db, struct slice import,
                                     const struct store_problem *rows, size_t count);
typedef enum accord_error store_problem_fn(void *context, const struct store_problem *row);
enum accord_error store_problems_list(struct db *db, struct slice import, int64_t after,
                                      int64_t limit, store_problem_fn *each, void *context);

/* ---- staged rows ---- */

enum accord_error store_rows_seen(struct db *db, struct slice import,
                                  const struct slice *course_ids, size_t count,
                                  struct store_import_seen *ret);
/** Adds rows, or takes the place of rows that were only IMPORT_SEEN. */
enum accord_error store_rows_add(struct db *db, struct slice import,
                                 const struct store_import_row *rows, size_t count);
/** Deletes about `limit` rows of an import that will not be applied; *ret_left: some remain. */
enum accord_error store_rows_drop(struct db *db, struct slice import, int64_t limit,
                                  bool *ret_left);

/* ---- applying, at generation + 1 ---- */

/** Up to where a catalog was gone through, in the order of course ids; zeroed: not begun. */
struct store_course_place {
    char course_id[256];
    size_t len;
};
/** Withdraws up to `limit` active courses behind `place` that are not in the upload, and moves
 *  `place` on; *ret_count is how many. */
enum accord_error store_apply_withdrawals(struct db *db, struct arena *arena,
                                          const struct store_import *import, instant_us now,
                                          int64_t limit, struct store_course_place *place,
                                          int64_t *ret_count);
/** Turns up to `limit` staged rows into versions and deletes them; *ret_count is how many. */
enum accord_error store_apply_rows(struct db *db, const struct store_import *import, instant_us now,
                                   int64_t limit, int64_t *ret_count);

#endif
