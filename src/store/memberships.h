/**
 * What channels posted about memberships, as typed rows: part of the journal, appended, never
 * changed.
 */
#ifndef STORE_MEMBERSHIPS_H
#define STORE_MEMBERSHIPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/entries.h"
#include "store/learners.h"
#include "store/store.h"

enum membership_kind { MEMBERSHIP_STARTED, MEMBERSHIP_RENEWED, MEMBERSHIP_CANCELLED };

/** A term that was bought, or that stops. */
struct membership_row {
    int64_t seq;
    const char *channel;
    const char *membership_id;
    const char *term_id; /**< "": the first; of a cancellation: the one running then */
    enum membership_kind kind;
    const char *event_id;
    instant_us occurred_at;
    const char *offer; /**< "": that of the membership */
    bool has_learner;
    uint8_t learner[LEARNER_BYTES];
    const char *currency; /**< code; "" of a cancellation */
    instant_us from;      /**< not of a cancellation */
    instant_us to;        /**< exclusive */
    int64_t paid;
    int64_t tax; /**< -1: not given */
    int64_t store_fee;
    int64_t payment_fee;
    int64_t refunded;
    int64_t tax_returned; /**< -1: pro rata */
    int64_t fee_returned;
};
enum accord_error store_memberships_insert(struct db *db, const struct membership_row *rows,
                                           size_t count);
/** Whether just this row stands, for checking it against its fact. */
enum accord_error store_membership_stands(struct db *db, const struct membership_row *row,
                                          bool *ret);

struct membership_name {
    const char *channel;
    const char *membership_id;
};

struct stored_term {
    struct membership_row row;
    bool superseded; /**< or voided */
};

/** All that the journal holds of one membership, by seq: terms and cancellations. */
struct stored_membership {
    struct membership_name name; /**< in */
    struct stored_term *terms;
    size_t count;
};
/** Loads memberships by their names; count 0: there is none of this name. */
enum accord_error store_memberships_load(struct db *db, struct arena *arena,
                                         struct stored_membership *memberships, size_t count);
/** Names of the memberships of terms; a name of NULLs for a seq that is no term. */
enum accord_error store_memberships_of_terms(struct db *db, struct arena *arena,
                                             const int64_t *seqs, size_t count,
                                             struct membership_name *ret);
/** Up to `limit` names behind `after` in (channel, membership_id). */
enum accord_error store_memberships_list(struct db *db, struct arena *arena,
                                         struct membership_name after, int64_t limit,
                                         struct membership_name *ret, size_t *ret_count);

/** Up to `limit` seqs of current terms of the scope's channel that reach into its time; what is
 *  refunded later lies behind a term, so those that were cancelled count whenever they ended. The
 *  scope's provider is not looked at: it is the operator for all of them. */
enum accord_error store_resettle_find_terms(struct db *db, const struct resettle_scope *scope,
                                            int64_t limit, int64_t *ret, size_t *ret_count);
enum accord_error store_resettle_queue_terms(struct db *db, const struct resettle_scope *scope,
                                             int64_t seq);

#endif
