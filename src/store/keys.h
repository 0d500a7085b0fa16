/**
 * API keys. A key is found by the BLAKE2b-256 hash of its secret; the secret itself is never
 * stored. Texts that are returned live in the arena given.
 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/store.h"

struct key_row {
    const char *id;
    const char *partner;
    uint32_t scopes; /**< bits of enum scope, api/call.h */
    const char *label;
    instant_us created_at;
    instant_us expires_at; /**< INT64_MAX: never */
    instant_us revoked_at; /**< INT64_MAX: not revoked */
};

/** A key with what of its partner decides whether it opens anything. */
struct key_owner {
    struct key_row key;
    const char *partner_name;
    uint32_t roles;
    bool suspended;
};

/** *ret_found false (and *ret unwritten) when no key has this hash. */
enum accord_error store_key_find(struct db *db, struct arena *arena, const struct hash *hash,
                                 struct key_owner *ret, bool *ret_found);

/** *ret_added false when the id or the hash is there already. */
enum accord_error store_key_insert(struct db *db, const struct key_row *row,
                                   const struct hash *hash, bool *ret_added);

/** Keys of one partner in order of their ids, behind `after`; partner NULL: of all partners. */
enum accord_error store_key_list(struct db *db, struct arena *arena, const char *partner,
                                 const char *after, int64_t limit, struct key_row **ret,
                                 size_t *ret_count);

/** Revokes a key now; one that is revoked already stays as it is. *ret_owner: whose it is, in the
 *  arena; NULL when the partner (NULL: any) has no such key. */
enum accord_error store_key_revoke(struct db *db, struct arena *arena, const char *partner,
                                   const char *id, instant_us now, const char **ret_owner);

#endif
