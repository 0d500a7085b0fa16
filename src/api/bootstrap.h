/**
 * Keys made outside of requests: by the command line and at the first start. Each call is one
 * transaction on a read-write connection of its own; a server may be running on the same database.
 */
#ifndef API_BOOTSTRAP_H
#define API_BOOTSTRAP_H

#include "api/auth.h"
#include "ingest/tx.h"
#include "store/partners.h"

/** The partner that is made for the operator's first key. */
extern const char bootstrap_operator[];

struct bootstrap_key {
    const char *partner;
    uint32_t scopes;
    const char *label;
    instant_us expires_at; /**< INT64_MAX: never */
    /** What the partner becomes when these books do not have it; NULL: it must be there. */
    const struct partner_row *otherwise;
};

/** The operator's partner as it is first made. */
struct partner_row bootstrap_operator_row(void);
/** Every scope that a key of a partner with these roles can have. */
uint32_t bootstrap_scopes(uint32_t roles);

/**
 * Makes a key.
 *
 * @param secret  a secret of the books' mode
 * @param ret_id  the new key's, or "" when a key with this secret is there already
 * @return ACCORD_OK; ACCORD_E_PARTNER_UNKNOWN; ACCORD_E_SCOPE_MISSING when the scopes do not fit
 * the partner: `admin` is for keys of the operator, and they all have it
 */
enum accord_error bootstrap_key_create(struct db *db, const struct bootstrap_key *key,
                                       const char *secret, char ret_id[RANDOM_ID_MAX]);

/** *ret_found false when these books have no such key. */
enum accord_error bootstrap_key_revoke(struct db *db, const char *id, bool *ret_found);

#endif
