/**
 * What one write transaction of a book carries: its connection, and what is coalesced in memory and
 * written once per commit (rollups, partner versions). It is the writer's context; every function
 * that writes takes it. One thread at a time.
 */
#ifndef INGEST_TX_H
#define INGEST_TX_H

#include <stdbool.h>
#include <stdint.h>

#include "accord/settle.h"
#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

struct rollup_batch;   /* ingest/rollup.c: sums by key, flushed at commit */
struct touched_set;    /* ingest/tx.c: partners whose version goes up at commit */
struct agreement_book; /* ingest/book.c: every version that may cover a sale, in memory */
struct rate_book;      /* ingest/rates.c: exchange rates, in memory */

struct ingest_config {
    uint8_t learner_key[32];    /**< keys the look-up of learners; store_setting_secret() */
    int64_t rating_prior_milli; /**< 4200: prior mean 4.2 */
    int64_t rating_prior_weight;
    int64_t catalog_drop_max_ppm; /**< a full import that would withdraw more is blocked */
    int64_t catalog_guard_min;    /**< catalogs with fewer active courses have no such guard */
    int64_t catalog_flaps_max;    /**< how often in 24 h a course may get one content; 0: at will */
};

struct ingest_tx {
    const struct ingest_config *config;
    struct db *db;       /**< the writer's; set while a transaction is open */
    struct arena *arena; /**< emptied before each transaction */
    instant_us now;      /**< received_at of this transaction */
    int64_t last_seq;    /**< the highest number taken in this transaction; 0: none */
    struct rollup_batch *rollups;
    struct touched_set *touched;
    struct agreement_book *agreements; /**< NULL: not loaded; see ingest_agreements() */
    struct rate_book *rates;           /**< as this transaction sees them */
};

/** @param config  borrowed as long as the result lives */
enum accord_error ingest_tx_new(const struct ingest_config *config, struct ingest_tx **ret);
void ingest_tx_free(struct ingest_tx *tx);

/* Hooks for the writer (service/writer.h): context is the struct ingest_tx. */

/** Writes what was coalesced; the transaction is over for the tx with it. */
enum accord_error ingest_tx_before_commit(void *context, struct db *db);
/** Forgets what was coalesced, and what was read from the transaction that is gone. */
void ingest_tx_rolled_back(void *context);
/** Settles a piece of what waits to be settled again (writer_config.idle). */
enum accord_error ingest_tx_idle(void *context, struct db *db, bool *ret_more);
/** Called by each write_kind's run() first: binds the connection, empties the arena if the
 *  transaction is new, reads the clock. */
enum accord_error ingest_tx_enter(struct ingest_tx *tx, struct db *db);

/** Takes `count` numbers of the order of knowledge; the last step before rows that carry them. */
enum accord_error ingest_seq(struct ingest_tx *tx, int64_t count, int64_t *ret_first);
/** The partner sees a change of this transaction: its version becomes last_seq at commit (a number
 *  is taken if there is none). So does that of every operator. */
enum accord_error ingest_touch(struct ingest_tx *tx, const char *partner);

/** A version of an offer or of a pool came: memberships of the channel whose terms reach behind an
 *  instant may put other amounts into pools, and are settled again (or queued). Called after the
 *  rows have changed. */
enum accord_error ingest_pools_changed(struct ingest_tx *tx, const char *channel, instant_us from);

/** The agreement book as this transaction sees it. */
enum accord_error ingest_agreements(struct ingest_tx *tx, struct agreement_book **ret);

/* ---- settling again (ingest/resettle.c) ----
 *
 * Up to RESETTLE_AT_ONCE_MAX lines are settled again at once; more are queued, settled in pieces by
 * ingest_tx_idle() and staged, and become visible at one switch (see resettle_head in the
 * migration). store_resettle_pending() says whether such a job is at work. */
enum { RESETTLE_AT_ONCE_MAX = 1000 };

/** Settles the orders of sales again, by seq of the sale. */
enum accord_error ingest_resettle(struct ingest_tx *tx, const int64_t *sale_seqs, size_t count);
/** Settles the orders of sales again, or queues them; a list may name one twice. It is sorted. */
enum accord_error ingest_sales_changed(struct ingest_tx *tx, int64_t *sale_seqs, size_t count);
/**
 * An agreement's version was activated, superseded or terminated: reloads the agreement book and
 * settles again (or queues) the sales that may have got another winner. Called after the row has
 * changed.
 */
enum accord_error ingest_agreement_changed(struct ingest_tx *tx,
                                           const struct accord_agreement_version *version);
/** Courses became visible: settles again (or queues) the lines held `unmatched` for them. */
enum accord_error ingest_courses_arrived(struct ingest_tx *tx, const char *provider);
/** Rates of days in [from, to) are others now, or final now. */
struct rates_change {
    int64_t from;
    int64_t to;
    const struct accord_currency *currencies; /**< of these only; NULL: of any */
    size_t currency_count;
};
/** Settles again (or queues) the sales that are converted with them, or wait for them. Called after
 *  the rows have changed and tx->rates has seen it. */
enum accord_error ingest_rates_changed(struct ingest_tx *tx, const struct rates_change *change);
/** Takes up to `sales_max` of the queue, fewer when they have many lines; *ret_left: what remains.
 *  The last piece makes the switch. */
enum accord_error ingest_resettle_chunk(struct ingest_tx *tx, size_t sales_max, int64_t *ret_left);

#endif
