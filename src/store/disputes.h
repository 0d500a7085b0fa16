/**
 * Disputes of statements: opened by who receives the statement, then upheld, rejected or withdrawn,
 * once. Texts of results live in the arena given. Not thread-safe beyond what struct db is.
 */
#ifndef STORE_DISPUTES_H
#define STORE_DISPUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

enum dispute_state { DISPUTE_OPEN, DISPUTE_UPHELD, DISPUTE_REJECTED, DISPUTE_WITHDRAWN };
const char *dispute_state_name(enum dispute_state state);

struct dispute_row {
    const char *id;
    const char *statement;
    const char *line; /**< id of a line of the statement, or "": all of it */
    const char *opened_by;
    const char *reason;
    bool has_claim;
    int64_t claim; /**< what it should be, in minor units of the statement's currency */
    enum dispute_state state;
    const char *resolution;    /**< in words, or "" */
    const char *correction;    /**< event_id of the fact that corrects, or "" */
    const char *correction_by; /**< the partner whose fact that is, or "" */
    instant_us opened_at;
    instant_us resolved_at; /**< 0: it is open */
    int64_t seq;            /**< of its last change */
};

enum accord_error store_dispute_insert(struct db *db, const struct dispute_row *row);
enum accord_error store_dispute_find(struct db *db, struct arena *arena, const char *id,
                                     bool *ret_found, struct dispute_row *ret);
/** Disputes of a statement, in the order in which they were opened (an order of ids for those of
 *  one instant), behind (after_at, after_id), at most `limit`. */
enum accord_error store_dispute_list(struct db *db, struct arena *arena, const char *statement,
                                     instant_us after_at, const char *after_id, int64_t limit,
                                     struct dispute_row **ret, size_t *ret_count);
/** Is there an open dispute of a statement, about this line of it?
 *  @param line  "": about all of it; NULL: about whatever */
enum accord_error store_dispute_open(struct db *db, const char *statement, const char *line,
                                     bool *ret);
/** Ends an open dispute with the row's state, resolution, correction, resolved_at and seq;
 *  *ret_ended is false when it is not open. */
enum accord_error store_dispute_end(struct db *db, const struct dispute_row *row, bool *ret_ended);

#endif
