/**
 * Posting: orders that a change touches are settled anew, and what differs from what stands is
 * appended as entries. The journal's rows of the change are written before.
 */
#ifndef INGEST_POST_H
#define INGEST_POST_H

#include "ingest/settled.h"
#include "ingest/tx.h"

struct post_order {
    struct order_name name;
    /** The order's first and only sale, written in this call's transaction just now: it is not read
     *  again. NULL: everything is loaded. */
    const struct accord_order *fresh;
    int64_t fresh_seq;
    const uint8_t *fresh_learner; /**< its buyer, or NULL */
    int64_t seq;                  /**< knowledge: of the last fact that touches the order */
    enum accord_held held;        /**< out: of the first line that is held */
    bool excess_grew;             /**< out: more than before was refunded beyond what was paid */
};

/** Names must be distinct. Each difference goes to entries and rollups, and touches who sees it. */
enum accord_error ingest_post(struct ingest_tx *tx, struct post_order *orders, size_t count);

/** Gives all `orders` lines of their own in the arena with course_known filled, with one question
 *  per course. */
enum accord_error ingest_fill_courses(struct db *db, struct arena *arena,
                                      struct accord_order *const *orders, size_t count);

#endif
