/** Answers kept under Idempotency-Keys, for ever, per partner. */
#ifndef STORE_IDEMPOTENCY_H
#define STORE_IDEMPOTENCY_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/store.h"

struct idempotency_row {
    const char *partner;
    const char *key;
    struct hash request_hash; /**< of method, target and body */
    unsigned status;
    struct slice content_type;
    struct slice headers; /**< "Name: value" lines, each with '\n' */
    struct slice body;
    instant_us created_at;
};

/** *ret_found false (and *ret unwritten) when the key is new. Texts live in the arena. */
enum accord_error store_idempotency_find(struct db *db, struct arena *arena, const char *partner,
                                         const char *key, struct idempotency_row *ret,
                                         bool *ret_found);

/** Adds a row; *ret_added false when the partner used the key before. */
enum accord_error store_idempotency_insert(struct db *db, const struct idempotency_row *row,
                                           bool *ret_added);

/** Puts another answer in place of the one that is kept, if one is. */
enum accord_error store_idempotency_replace(struct db *db, const struct idempotency_row *row);

/** Forgets an answer: its key is new again. */
enum accord_error store_idempotency_forget(struct db *db, const char *partner, const char *key);

#endif
