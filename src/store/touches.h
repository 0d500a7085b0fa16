/**
 * Touches, by which sales are attributed to promoters, as typed rows: part of the journal,
 * appended, never changed.
 */
#ifndef STORE_TOUCHES_H
#define STORE_TOUCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/learners.h"
#include "store/store.h"

enum touch_kind { TOUCH_CLICK, TOUCH_SHARE, TOUCH_COUPON };
extern const char *const touch_kind_names[]; /**< ends with NULL */

/** A learner came by the link of a promoter: a fact of its own, or what a sale says of itself. */
struct touch_row {
    int64_t seq;
    const char *channel;
    bool has_learner; /**< not needed of a sale */
    uint8_t learner[LEARNER_BYTES];
    const char *link; /**< its code */
    enum touch_kind kind;
    instant_us occurred_at;
    const char *event_id;
};
enum accord_error store_touches_insert(struct db *db, const struct touch_row *rows, size_t count);
/** Whether just this row stands, for checking it against its fact. */
enum accord_error store_touch_stands(struct db *db, const struct touch_row *row, bool *ret);

/** Whether a touch can count for somebody: its link was accepted, and not closed before it. */
enum touch_standing {
    TOUCH_LINKED,
    TOUCH_LINK_UNKNOWN, /**< there is no such link (yet) */
    TOUCH_LINK_NOT_ACCEPTED,
    TOUCH_LINK_CLOSED,
};
struct linked_touch {
    const char *event_id;
    enum touch_kind kind;
    instant_us occurred_at;
    const char *link;
    enum touch_standing standing;
    const char *promoter; /**< "" when there is no such link */
    const char *parent;   /**< or "" */
};
/** Those of one learner at a channel in [from, to]; of nobody known: the one of a sale. */
struct touch_list {
    const char *channel; /**< in, like the four behind it */
    const uint8_t *learner;
    int64_t sale_seq;
    instant_us from;
    instant_us to;
    struct linked_touch *items; /**< in order of knowledge */
    size_t count;
    size_t cap; /* the store's */
};
enum accord_error store_touches_load(struct db *db, struct arena *arena, struct touch_list *lists,
                                     size_t count);

#endif
