/**
 * What became of statements, in the order in which it did: published, then perhaps disputed,
 * accepted, paid. The last state that was written stands, but for time: what is still `published`
 * when its deadline for disputes has passed is accepted, without a row of its own. Texts of results
 * live in the arena given. Not thread-safe beyond what struct db is.
 */
#ifndef STORE_STATEMENT_STATES_H
#define STORE_STATEMENT_STATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

#define STATEMENT_PUBLISHED "published"
#define STATEMENT_ACCEPTED "accepted"
#define STATEMENT_DISPUTED "disputed"
#define STATEMENT_PAID "paid"

/** The state that counts at `now`; static or `state` itself. */
const char *statement_state_at(const char *state, instant_us dispute_until, instant_us now);

/** A statement without its body, with what stands of it. */
struct statement_summary {
    const char *id;
    const char *partner;
    const char *agreement;
    const char *label; /**< of the period */
    const char *currency;
    int64_t opening;
    int64_t earned;
    int64_t closing;
    int64_t due;
    int64_t payable;
    struct hash hash;
    instant_us published_at;
    instant_us dispute_until;
    const char *state;  /**< at the instant asked for */
    int64_t change_seq; /**< of the last row */
};

struct statement_changes {
    const char *partner;   /**< NULL: of everybody */
    const char *agreement; /**< NULL: of any */
    const char *state;     /**< NULL: in any; see statement_state_at() */
    instant_us now;
    int64_t after_seq; /**< what changed behind (after_seq, after_id) */
    const char *after_id;
    int64_t limit;
};
/** Statements by their last change, in order of (change_seq, id). */
enum accord_error store_statement_changes(struct db *db, struct arena *arena,
                                          const struct statement_changes *ask,
                                          struct statement_summary **ret, size_t *ret_count);
/** One of them. */
enum accord_error store_statement_summary(struct db *db, struct arena *arena, const char *id,
                                          instant_us now, bool *ret_found,
                                          struct statement_summary *ret);
/** Was a statement accepted by its partner, whatever became of it since? */
enum accord_error store_statement_was_accepted(struct db *db, const char *id, bool *ret);

#endif
