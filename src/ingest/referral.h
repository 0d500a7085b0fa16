/**
 * Promoters: the touches that a sale may be paid on, and the sales that a touch or a link may
 * change.
 */
#ifndef INGEST_REFERRAL_H
#define INGEST_REFERRAL_H

#include "ingest/tx.h"
#include "store/links.h"
#include "store/touches.h"

/** The longest attribution window of the referral terms; 0: nobody is paid for touches. */
int64_t referral_window(const struct accord_agreement_version *const *terms, size_t count);

/** An order and who bought it. */
struct referred_order {
    struct accord_order *order;
    const uint8_t *learner; /**< LEARNER_BYTES; NULL: not known, then only the touch that the sale
                                 itself names is its own */
    int64_t sale_seq;
};
/** Gives orders the touches of their buyers within the window, by links that were accepted, with
 *  what is known of the promoters at the instant of the sale. Does nothing where the window is 0.
 */
enum accord_error ingest_fill_touches(struct db *db, struct arena *arena, int64_t window_us,
                                      const struct referred_order *orders, size_t count);

/** All touches of an order's buyer within a window, also by links that cannot count. */
struct order_touches {
    const struct linked_touch *items;
    const struct accord_touch *touches; /**< the same; no promoter where the link is unknown */
    size_t count;
    const struct accord_promoter *promoters;
    size_t promoter_count;
};
enum accord_error ingest_order_touches(struct db *db, struct arena *arena, int64_t window_us,
                                       const struct referred_order *order,
                                       struct order_touches *ret);

/** How a learner is looked up by the id that a partner has for it; at most 255 bytes of it. */
struct hash referral_learner_lookup(const uint8_t key[32], const char *partner,
                                    struct slice learner);

/* What follows settles again (or queues) the sales that a change may touch; called after the rows
 * have changed. */

/** Touches were written, or taken back. */
struct touch_name {
    const char *channel;
    const uint8_t *learner;
    instant_us occurred_at;
    int64_t sale_seq; /**< of the sale that names it: that has seen it; of no sale, else */
};
enum accord_error ingest_touches_changed(struct ingest_tx *tx, const struct touch_name *touches,
                                         size_t count);
/** A link was accepted or closed. */
enum accord_error ingest_link_changed(struct ingest_tx *tx, const struct link_row *link);
/** A partner was suspended, or is active again, from an instant on. */
enum accord_error ingest_promoter_changed(struct ingest_tx *tx, const char *promoter,
                                          instant_us from);

#endif
