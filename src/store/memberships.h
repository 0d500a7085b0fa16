/**
 * What channels posted about memberships, as typed rows: part of the journal, appended, never
 * changed.
 */
#ifndef STORE_MEMBERSHIPS_H
#define STORE_MEMBERSHIPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
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

#endif
