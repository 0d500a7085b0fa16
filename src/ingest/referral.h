/**
 * Promoters: the touches that a sale may be paid on, and the sales that a touch or a link may
 * change.
 */
#ifndef INGEST_REFERRAL_H
#define INGEST_REFERRAL_H

#include "ingest/tx.h"
#include "store/links.h"

/** The longest attribution window of the referral terms; 0: nobody is paid for touches. */
int64_t referral_window(const struct accord_agreement_version *const *terms, size_t count);

/** An order and who bought it. */
struct referred_order {
    struct accord_order *order;
    const uint8_t *learner; /**< LEARNER_BYTES; NULL: not known */
};
/** Gives orders the touches of their buyers within the window, with what is known of the promoters
 *  at the instant of the sale. Does nothing where the window is 0. */
enum accord_error ingest_fill_touches(struct db *db, struct arena *arena, int64_t window_us,
                                      const struct referred_order *orders, size_t count);

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
};
enum accord_error ingest_touches_changed(struct ingest_tx *tx, const struct touch_name *touches,
                                         size_t count);
/** A link was accepted or closed. */
enum accord_error ingest_link_changed(struct ingest_tx *tx, const struct link_row *link);
/** A partner was suspended, or is active again, from an instant on. */
enum accord_error ingest_promoter_changed(struct ingest_tx *tx, const char *promoter,
                                          instant_us from);

#endif
