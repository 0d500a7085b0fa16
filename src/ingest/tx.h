/**
 * What one write transaction of a book carries: its connection, and what is coalesced in memory and
 * written once per commit (rollups, partner versions). It is the writer's context; every function
 * that writes takes it. One thread at a time.
 */
#ifndef INGEST_TX_H
#define INGEST_TX_H

#include <stdint.h>

#include "accord/settle.h"
#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

struct rollup_batch;   /* ingest/rollup.c: sums by key, flushed at commit */
struct touched_set;    /* ingest/tx.c: partners whose version goes up at commit */
struct agreement_book; /* ingest/book.c: every version that may cover a sale, in memory */

struct ingest_config {
    uint8_t learner_key[32];    /**< keys the look-up of learners */
    int64_t rating_prior_milli; /**< 4200: prior mean 4.2 */
    int64_t rating_prior_weight;
    int64_t catalog_drop_max_ppm; /**< a full import that would withdraw more is blocked */
    int64_t catalog_guard_min;    /**< withdrawals up to so many never block an import */
};

struct ingest_tx {
    const struct ingest_config *config;
    struct db *db;       /**< the writer's; set while a transaction is open */
    struct arena *arena; /**< emptied after each transaction */
    instant_us now;      /**< received_at of this transaction */
    int64_t last_seq;    /**< the highest number taken in this transaction; 0: none */
    struct rollup_batch *rollups;
    struct touched_set *touched;
    struct agreement_book *agreements;
};

enum accord_error ingest_tx_new(const struct ingest_config *config, struct ingest_tx **ret);
void ingest_tx_free(struct ingest_tx *tx);

/** Hooks for the writer (service/writer.h): context is the struct ingest_tx. */
enum accord_error ingest_tx_before_commit(void *context, struct db *db);
void ingest_tx_rolled_back(void *context);
/** Called by each write_kind's run() first: binds the connection, empties the arena if the
 *  transaction is new, reads the clock. */
enum accord_error ingest_tx_enter(struct ingest_tx *tx, struct db *db);

/** Takes `count` numbers of the order of knowledge; the last step before rows that carry them. */
enum accord_error ingest_seq(struct ingest_tx *tx, int64_t count, int64_t *ret_first);
/** The partner sees a change of this transaction: its version becomes last_seq at commit. */
enum accord_error ingest_touch(struct ingest_tx *tx, const char *partner);

/* ---- posting: settle the orders that a change touches, append differences (ingest/post.c) ---- */

/** A sale that is decided but not written yet; seq is set after ingest_seq(). */
struct pending_sale {
    int64_t seq;
    const struct accord_order *order;
    const char *event_id;
    bool replaces; /**< it supersedes the order's current sale */
    bool voids;    /**< `order` has no lines: the order's current sale is voided */
};
/** A refund row likewise. */
struct pending_refund {
    int64_t seq;
    const char *channel;
    const char *order_id;
    struct accord_refund row;
    const char *refund_id;
    int kind;           /**< 0 refund, 1 charge-back, 2 reversal of a charge-back */
    int64_t supersedes; /**< seq of the refund fact that it takes the place of; 0: none */
    bool voids;
};

struct posting; /* settled results waiting for their seq; lives in tx->arena */

/** Phase 2: loads what the books hold of the orders touched, adds what is pending, settles. Any
 *  number of orders; both arrays may name the same order. */
enum accord_error ingest_post_decide(struct ingest_tx *tx, struct pending_sale *sales,
                                     size_t sale_count, struct pending_refund *refunds,
                                     size_t refund_count, struct posting **ret);
/** Phase 4: appends difference entries and adds to the rollups; touches who can see them. */
enum accord_error ingest_post_write(struct ingest_tx *tx, struct posting *posting, int64_t seq);

/** Settles existing sales again (by seq of the sale); for background chunks and small changes. */
enum accord_error ingest_resettle(struct ingest_tx *tx, const int64_t *sale_seqs, size_t count);
/** Queues (or, up to 1,000 orders, at once settles again) the sales that a changed agreement
 *  version may touch: its providers or channels, occurred in [from_us, to_us). Reloads
 *  tx->agreements. Called after the version's row has changed. */
enum accord_error ingest_agreement_changed(struct ingest_tx *tx,
                                           const struct accord_agreement_version *version);
/** Courses became visible: settles again the lines held `unmatched` for them. */
enum accord_error ingest_courses_arrived(struct ingest_tx *tx, const char *provider);
/** Takes up to `orders_max` of the queue of sales to settle again; *ret_left: what remains. */
enum accord_error ingest_resettle_chunk(struct ingest_tx *tx, size_t orders_max, int64_t *ret_left);

#endif
