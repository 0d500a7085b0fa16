/**
 * Links of promoters, by channel and code, and what their touches may change. Texts of results live
 * in the arena given.
 */
#ifndef STORE_LINKS_H
#define STORE_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/learners.h"
#include "store/store.h"

enum link_state { LINK_PROPOSED, LINK_ACCEPTED, LINK_CLOSED };
const char *link_state_name(enum link_state state); /* "proposed", … */

struct link_row {
    const char *channel;
    const char *code;
    const char *promoter;
    const char *parent; /**< the promoter who brought it, or "" */
    bool has_learner;
    struct hash learner_lookup; /**< of the promoter as a learner of the channel */
    instant_us created_at;
    instant_us accepted_at; /**< 0: not yet */
    instant_us closed_at;   /**< 0: not yet */
    int64_t seq;            /**< of its last change: its version */
};
enum link_state link_state_of(const struct link_row *row);

enum accord_error store_link_get(struct db *db, struct arena *arena, const char *channel,
                                 const char *code, struct link_row *ret, bool *ret_found);
/** Inserts a link, or writes all of one that is there. */
enum accord_error store_link_put(struct db *db, const struct link_row *row);

/** Which links: of a channel, of a promoter, of both, or (two NULLs) all. */
struct link_ask {
    const char *channel;
    const char *promoter;
};
/** Up to `limit` links that are of any of the asks, behind a place in (channel, code). */
enum accord_error store_links_list(struct db *db, struct arena *arena, const struct link_ask *asks,
                                   size_t ask_count, const char *after_channel,
                                   const char *after_code, int64_t limit, struct link_row **ret,
                                   size_t *ret_count);

/** How a promoter stands at a channel, but for one of its links. */
struct link_kin {
    bool found;         /**< it has another link */
    const char *parent; /**< of those, or "" */
    bool accepted;      /**< it has accepted one, also one that is closed now */
    bool is_parent;     /**< it brought another promoter, also by a link that was only proposed */
};
/** @param but  code of the link that is left out, or "" */
enum accord_error store_link_kin(struct db *db, struct arena *arena, const char *channel,
                                 const char *promoter, const char *but, struct link_kin *ret);

/** What is to be known of a promoter of an order. */
struct promoter_row {
    const char *id;         /**< in */
    const char *channel;    /**< in, like the buyer and the time of the sale */
    const uint8_t *learner; /**< NULL: not known */
    instant_us at;
    bool suspended; /**< then */
    bool is_buyer;  /**< an accepted link of its names the buyer as its own learner */
};
enum accord_error store_promoters_load(struct db *db, struct promoter_row *rows, size_t count);

/* ---- sales that a change may touch: seqs of current ones, some perhaps twice ---- */

struct seq_list {
    struct arena *arena;
    int64_t *items;
    size_t count;
    size_t cap;
};
/** A learner's sales of a channel that occurred in [from, to]. */
struct learner_sales {
    const char *channel;
    const uint8_t *learner;
    instant_us from;
    instant_us to;
    int64_t but; /**< a sale that is left out; 0: none */
};
enum accord_error store_sales_of_learners(struct db *db, const struct learner_sales *of,
                                          size_t count, struct seq_list *ret);
/** Sales to those who had come by a link at most `window_us` before, and those that name it. */
enum accord_error store_sales_of_link(struct db *db, const char *channel, const char *code,
                                      int64_t window_us, struct seq_list *ret);
/** Sales, from an instant on, of the channels at which a promoter has a link: whoever brought
 * others has one. */
enum accord_error store_sales_of_promoter(struct db *db, const char *promoter, instant_us from,
                                          struct seq_list *ret);

#endif
