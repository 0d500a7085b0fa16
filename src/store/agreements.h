/**
 * Agreements, their versions and signatures. Texts of results live in the arena given.
 * Not thread-safe beyond what struct db is.
 */
#ifndef STORE_AGREEMENTS_H
#define STORE_AGREEMENTS_H

#include "accord/settle.h"
#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

enum agreement_state {
    AGREEMENT_DRAFT,
    AGREEMENT_PROPOSED,
    AGREEMENT_ACTIVE,
    AGREEMENT_REJECTED,
    AGREEMENT_SUPERSEDED,
    AGREEMENT_TERMINATED,
};
const char *agreement_state_name(enum agreement_state state);

struct agreement_row {
    const char *id;
    const char *name;
    const char *created_by;
    instant_us created_at;
};

struct agreement_signature {
    const char *partner;
    bool signed_;
    instant_us signed_at;
    const char *signed_key;
};

struct agreement_version_row {
    const char *agreement;
    int64_t version;
    enum agreement_state state;
    instant_us effective_from;
    instant_us effective_to; /**< INT64_MAX: open */
    struct slice body;       /**< canonical JSON */
    struct hash body_hash;   /**< what a signature signs */
    const char *reason;      /**< why rejected, or "" */
    instant_us created_at;
    int64_t activated_seq;                                  /**< 0: never */
    int64_t changed_seq;                                    /**< of the last change: its ETag */
    struct agreement_signature parties[ACCORD_PARTIES_MAX]; /**< in declared order */
    uint32_t party_count;
};

enum accord_error store_agreement_find(struct db *db, struct arena *arena, const char *id,
                                       bool *ret_found, struct agreement_row *ret);
enum accord_error store_agreement_insert(struct db *db, const struct agreement_row *row);

/** Inserts a version and its parties, unsigned. */
enum accord_error store_agreement_version_insert(struct db *db,
                                                 const struct agreement_version_row *row);
/** All versions of agreements, in the order of `ids`, then oldest first, with their signatures. */
enum accord_error store_agreement_versions(struct db *db, struct arena *arena,
                                           const char *const *ids, size_t id_count,
                                           struct agreement_version_row **ret, size_t *ret_count);
/** Moves a version from one state to another. *ret_moved is false when it was not in `from`. */
enum accord_error store_agreement_move(struct db *db, const char *agreement, int64_t version,
                                       enum agreement_state from, enum agreement_state to,
                                       const char *reason, int64_t seq, bool *ret_moved);
/** Ends a version's time, without touching its body. */
enum accord_error store_agreement_end(struct db *db, const char *agreement, int64_t version,
                                      instant_us effective_to, int64_t seq);
/** Marks when a version became active. */
enum accord_error store_agreement_activated(struct db *db, const char *agreement, int64_t version,
                                            int64_t seq);
/** Signs for a party. *ret_signed is false when it had signed already, or is no party. */
enum accord_error store_agreement_sign(struct db *db, const char *agreement, int64_t version,
                                       const char *partner, instant_us at, const char *key,
                                       const struct hash *body_hash, int64_t seq, bool *ret_signed);

/** Which of these ids is no partner: *ret_unknown is the first such place, or `count`. */
enum accord_error store_agreement_unknown_party(struct db *db, const char *const *ids, size_t count,
                                                size_t *ret_unknown);

/**
 * Agreements of a partner (NULL: of everybody) behind `after` in bytewise order, at most
 * `limit`; with `state` (a name, or "") those that have a version in that state
 * which the partner is a party of.
 */
enum accord_error store_agreement_list(struct db *db, struct arena *arena, const char *partner,
                                       const char *state, const char *after, int64_t limit,
                                       struct agreement_row **ret, size_t *ret_count);

/** Every version that settles sales (active, superseded, terminated), of all agreements or, with
 *  `partner`, of those that it is a party of. */
enum accord_error store_agreement_settling(struct db *db, struct arena *arena, const char *partner,
                                           struct agreement_version_row **ret, size_t *ret_count);

#endif
