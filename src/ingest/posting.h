/**
 * Posting of differences: what differs between what was settled and what stands in the entries is
 * appended as entries. Orders (ingest/post.h) and memberships (ingest/post_membership.h) share it.
 */
#ifndef INGEST_POSTING_H
#define INGEST_POSTING_H

#include "ingest/settled.h"
#include "ingest/tx.h"

/** A fact that is settled: entries name it by its seq. */
struct posting_sale {
    int64_t seq;
    bool fresh;                 /**< written just now: it has no entries yet */
    const struct settled *want; /**< what its entries should add up to; NULL: nothing */
};

/** What becomes visible together: an order with all its sales, a membership with all its terms. */
struct posting_item {
    int64_t seq; /**< knowledge: of the last fact that touches it */
    const struct posting_sale *sales;
    size_t sale_count;
    const struct accord_order *order; /**< whose providers see what no agreement covers, or NULL */
    bool excess_grew; /**< out: more than before was refunded beyond what was paid */
};

/** Each difference goes to entries and rollups, and touches who sees it. */
enum accord_error ingest_post_entries(struct ingest_tx *tx, struct agreement_book *book,
                                      struct posting_item *items, size_t count);

#endif
