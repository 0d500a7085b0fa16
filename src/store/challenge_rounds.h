/**
 * Rounds of challenges and their entries: what stands of deposits, and what rounds came to. Texts
 * of results live in the arena given. Not thread-safe beyond what struct db is.
 */
#ifndef STORE_CHALLENGE_ROUNDS_H
#define STORE_CHALLENGE_ROUNDS_H

#include "store/challenges.h"
#include "store/entries.h"

/** Amounts are minor units. */
struct challenge_round_row {
    const char *channel;
    const char *offer;
    const char *round;
    int64_t last_day; /**< no window ends later */
    instant_us due_at;
    instant_us touched_at;
    int64_t settled_seq; /**< 0: not settled */
    instant_us settled_at;
    const char *settled_by; /**< "": by itself */
    const char *currency;
    int64_t entries; /**< as settled, like all that follows */
    int64_t finishers;
    int64_t deposits;
    int64_t payouts;
    int64_t forfeited;
    int64_t fee;
    int64_t pot;
    int64_t charity;
    int64_t carried_in;
    int64_t carried;
};

struct challenge_entry_row {
    const char *channel;
    const char *entry_id;
    int64_t seq; /**< of the fact that joined; 0: it was taken back */
    const char *offer;
    const char *round; /**< "": the offer is not known as it was then */
    const char *currency;
    int64_t first_day;
    int64_t last_day;
    int64_t held;      /**< of the deposit, as posted */
    int64_t cash;      /**< what the channel has of it, as posted */
    int64_t done_days; /**< as settled, like all that follows */
    int64_t makeups;
    int64_t payout;
    int64_t forfeited;
    int64_t fee; /**< its part of the round's */
};

/** Writes rounds, over those of the same key. */
enum accord_error store_challenge_rounds_put(struct db *db, const struct challenge_round_row *rows,
                                             size_t count);
enum accord_error store_challenge_round_find(struct db *db, struct arena *arena,
                                             const char *channel, const char *offer,
                                             const char *round, struct challenge_round_row *ret,
                                             bool *ret_found);
/** Of an offer, by label, behind `after`. */
enum accord_error store_challenge_rounds_of(struct db *db, struct arena *arena, const char *channel,
                                            const char *offer, const char *after, int64_t limit,
                                            struct challenge_round_row **ret, size_t *ret_count);
/** The earliest that is due at `now`, was not heard of since `quiet`, and is not settled. */
enum accord_error store_challenge_round_due(struct db *db, struct arena *arena, instant_us now,
                                            instant_us quiet, struct challenge_round_row *ret,
                                            bool *ret_found);
/** All of them, by key, for checking. */
enum accord_error store_challenge_rounds_all(struct db *db, struct arena *arena,
                                             struct challenge_round_row **ret, size_t *ret_count);

/** Writes entries, over those of the same name. */
enum accord_error store_challenge_entries_put(struct db *db, const struct challenge_entry_row *rows,
                                              size_t count);
/** By their names; ret[i].entry_id is NULL for a name that there is no entry of. */
enum accord_error store_challenge_entries_find(struct db *db, struct arena *arena,
                                               const struct challenge_name *names, size_t count,
                                               struct challenge_entry_row *ret);
/** Of a round, by id, behind `after`, at most `limit`. */
enum accord_error store_challenge_entries_of(struct db *db, struct arena *arena,
                                             const char *channel, const char *offer,
                                             const char *round, const char *after, int64_t limit,
                                             struct challenge_entry_row **ret, size_t *ret_count);
/** Of an offer, whatever their round. */
enum accord_error store_challenge_entries_of_offer(struct db *db, struct arena *arena,
                                                   const char *channel, const char *offer,
                                                   struct challenge_entry_row **ret,
                                                   size_t *ret_count);
/** All entries by (channel, entry_id), behind `after`, at most `limit`; for checking. */
enum accord_error store_challenge_entries_page(struct db *db, struct arena *arena,
                                               struct challenge_name after, int64_t limit,
                                               struct challenge_entry_row **ret, size_t *ret_count);
/** How many facts joined, and were not taken back, that there is no entry of; for checking. */
enum accord_error store_challenge_entries_missing(struct db *db, int64_t *ret);
/** Up to `limit` seqs of entries with a fee, of the scope's channel, whose windows end in its time.
 *  The scope's provider is not looked at: it is the operator for all of them. */
enum accord_error store_resettle_find_entries(struct db *db, const struct resettle_scope *scope,
                                              int64_t limit, int64_t *ret, size_t *ret_count);
enum accord_error store_resettle_queue_entries(struct db *db, const struct resettle_scope *scope,
                                               int64_t seq);

#endif
