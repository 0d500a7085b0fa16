/**
 * Statements: one per partner, agreement and period, published once and never changed; what became
 * of each is a row of its own. Texts of results live in the arena given.
 */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

enum { STATEMENT_ID_MAX = 32 }; /**< "stm_", 26 hex digits, NUL */

struct statement_row {
    const char *id;
    const char *partner;
    const char *agreement;
    int64_t day;       /**< first of the period */
    const char *label; /**< of the period */
    int64_t seq;       /**< of the close */
    const char *currency;
    int64_t opening;
    int64_t earned; /**< lines and differences: what reserves of later statements look at */
    int64_t closing;
    int64_t due;
    int64_t payable;
    const char *previous;   /**< id of the one before in this series, or "" */
    struct hash lines_hash; /**< over the NDJSON of its lines */
    struct hash hash;       /**< over the body: its strong ETag */
    struct slice body;      /**< canonical JSON, as answered */
    instant_us published_at;
    instant_us dispute_until;
    const char *state; /**< that stands: "published", "accepted", "disputed", "paid"; only read */
};

/** Inserts statements as "published" by `by`. */
enum accord_error store_statements_insert(struct db *db, const struct statement_row *rows,
                                          size_t count, const char *by);
enum accord_error store_statement_find(struct db *db, struct arena *arena, const char *id,
                                       bool *ret_found, struct statement_row *ret);

struct statement_filter {
    const char *partner;   /**< NULL: of everybody */
    const char *agreement; /**< NULL: any */
    int64_t after_seq;     /**< behind (after_seq, after_id) in order of publication */
    const char *after_id;  /**< "" with after_seq: all of later closes, and of that one */
    int64_t limit;
};
/** In order of (seq, id). */
enum accord_error store_statement_list(struct db *db, struct arena *arena,
                                       const struct statement_filter *filter,
                                       struct statement_row **ret, size_t *ret_count);
/** Of one close, by partner. */
enum accord_error store_statements_of_period(struct db *db, struct arena *arena,
                                             const char *agreement, int64_t day,
                                             struct statement_row **ret, size_t *ret_count);
/** The latest of each series of an agreement before `day`, by partner, without their bodies. */
enum accord_error store_statements_last(struct db *db, struct arena *arena, const char *agreement,
                                        int64_t day, struct statement_row **ret, size_t *ret_count);
/** What was earned by the statements of an agreement from day `from` on and before `to`, by partner
 *  and day. */
struct statement_earned {
    const char *partner;
    int64_t day;
    int64_t earned;
};
enum accord_error store_statements_earned(struct db *db, struct arena *arena, const char *agreement,
                                          int64_t from, int64_t to, struct statement_earned **ret,
                                          size_t *ret_count);

/** An adjustment of an agreement's accounts. */
struct statement_adjustment {
    int64_t seq;
    int64_t superseded; /**< seq of what took it back; 0: it stands */
    const char *adjustment_id;
    const char *payee;
    const char *funded_by;
    const char *currency;
    int64_t amount;
    const char *reason;
    const char *of_period; /**< label, or "" */
};
/** Those known up to a number of knowledge, by seq; what superseded them later is not looked at. */
enum accord_error store_statement_adjustments(struct db *db, struct arena *arena,
                                              const char *agreement, int64_t cutoff,
                                              struct statement_adjustment **ret, size_t *ret_count);
/** What payments posted to the settlement account of a partner under an agreement. */
struct statement_payment {
    const char *partner;
    const char *payment; /**< as postings refer to it */
    const char *currency;
    int64_t amount;
};
/** Sums of what was posted in (after, cutoff], by partner and payment; none is zero. */
enum accord_error store_statement_payments(struct db *db, struct arena *arena,
                                           const char *agreement, int64_t after, int64_t cutoff,
                                           struct statement_payment **ret, size_t *ret_count);
/** Balance of a partner's settlement account under an agreement, as posted up to a number. */
enum accord_error store_statement_balance(struct db *db, const char *partner, const char *agreement,
                                          int64_t seq, int64_t *ret);

/** Calls back with every statement, by agreement, partner and day; valid during the call. */
typedef enum accord_error statement_row_fn(void *context, const struct statement_row *row);
enum accord_error store_statements_each(struct db *db, statement_row_fn *each, void *context);

/** What became of a statement: appends a state. One a statement and seq. */
struct statement_state_row {
    const char *statement;
    const char *partner; /**< that of the statement */
    int64_t seq;
    const char *state;
    instant_us changed_at;
    const char *changed_by;
};
enum accord_error
store_statement_states_insert(struct db *db, const struct statement_state_row *rows, size_t count);

#endif
