/**
 * Posting of memberships: those that a change touches are settled anew, all terms of each, and what
 * differs from what stands is appended as entries. See ingest/membership.h for what they come to.
 */
#ifndef INGEST_POST_MEMBERSHIP_H
#define INGEST_POST_MEMBERSHIP_H

#include "ingest/tx.h"
#include "store/memberships.h"

struct post_membership {
    struct membership_name name;
    int64_t seq;           /**< knowledge: of the last fact that touches it */
    enum accord_held held; /**< out: of the first line that is held */
    bool excess_grew;      /**< out: more than before was refunded beyond what was paid */
};

/** Names must be distinct. */
enum accord_error ingest_post_memberships(struct ingest_tx *tx, struct post_membership *memberships,
                                          size_t count);

#endif
