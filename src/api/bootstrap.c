#include "api/bootstrap.h"

const char bootstrap_operator[] = "operator";

enum { ARENA_MAX = 1 << 24 };

struct partner_row bootstrap_operator_row(void)
{
    return (struct partner_row){
        .id = bootstrap_operator,
        .name = "Operator",
        .legal_name = "",
        .tax_id = "",
        .roles = ROLE_PLATFORM,
        .currency = "USD",
        .time_zone = "UTC",
        .profile = "{}",
        .column_map = "",
    };
}

uint32_t bootstrap_scopes(uint32_t roles)
{
    uint32_t scopes = 0;
    for (unsigned i = 0; auth_scope_name(i) != NULL; i++)
        scopes |= auth_scope_find(slice_of(auth_scope_name(i)));
    return (roles & ROLE_PLATFORM) != 0 ? scopes : scopes & ~(uint32_t)SCOPE_ADMIN;
}

/* Work in one transaction, with what comes before its commit. */
typedef enum accord_error bootstrap_work(struct ingest_tx *tx, struct arena *arena, void *self);

static enum accord_error transact(struct db *db, bootstrap_work *work, void *self)
{
    static const struct ingest_config config = {.rating_prior_milli = 0};
    struct ingest_tx *tx = NULL;
    struct arena *arena = arena_new(ARENA_MAX);
    enum accord_error error = arena == NULL ? ACCORD_E_OUT_OF_MEMORY : ingest_tx_new(&config, &tx);
    if (error == ACCORD_OK)
        error = db_begin(db);
    if (error == ACCORD_OK) {
        error = ingest_tx_enter(tx, db);
        if (error == ACCORD_OK)
            error = work(tx, arena, self);
        if (error == ACCORD_OK)
            error = ingest_tx_before_commit(tx, db);
        if (error == ACCORD_OK)
            error = db_commit(db);
        else
            db_rollback(db);
    }
    ingest_tx_free(tx);
    arena_free(arena);
    return error;
}

struct create {
    const struct bootstrap_key *key;
    const char *secret;
    char *id;
};

static enum accord_error get_or_make(struct ingest_tx *tx, struct arena *arena,
                                     const struct bootstrap_key *key, struct partner_row *ret)
{
    bool found = false;
    bool added = false;
    const enum accord_error error = store_partner_get(tx->db, arena, key->partner, ret, &found);
    if (error != ACCORD_OK || found)
        return error;
    if (key->otherwise == NULL)
        return ACCORD_E_PARTNER_UNKNOWN;
    *ret = *key->otherwise;
    ret->version = 1;
    ret->created_at = ret->updated_at = tx->now;
    return store_partner_insert(tx->db, ret, &added);
}

static enum accord_error create(struct ingest_tx *tx, struct arena *arena, void *self)
{
    const struct create *create = self;
    const struct hash hash = hash_of(slice_of(create->secret));
    struct partner_row partner;
    struct key_owner owner;
    bool there = false;
    enum accord_error error = store_key_find(tx->db, arena, &hash, &owner, &there);
    if (error != ACCORD_OK || there)
        return error;
    error = get_or_make(tx, arena, create->key, &partner);
    if (error != ACCORD_OK)
        return error;
    const bool admin = (create->key->scopes & SCOPE_ADMIN) != 0;
    if (admin != ((partner.roles & ROLE_PLATFORM) != 0))
        return ACCORD_E_SCOPE_MISSING;
    auth_key_id(auth_secret_mode(slice_of(create->secret)), create->id);
    const struct key_row row = {
        .id = create->id,
        .partner = create->key->partner,
        .scopes = create->key->scopes,
        .label = create->key->label,
        .created_at = tx->now,
        .expires_at = create->key->expires_at,
        .revoked_at = INT64_MAX,
    };
    bool added = false;
    error = store_key_insert(tx->db, &row, &hash, &added);
    if (error == ACCORD_OK && !added)
        error = ACCORD_E_INTERNAL;
    return error == ACCORD_OK ? ingest_touch(tx, row.partner) : error;
}

enum accord_error bootstrap_key_create(struct db *db, const struct bootstrap_key *key,
                                       const char *secret, char ret_id[RANDOM_ID_MAX])
{
    char id[RANDOM_ID_MAX] = "";
    struct create work = {.key = key, .secret = secret, .id = id};
    const enum accord_error error = transact(db, create, &work);
    if (error == ACCORD_OK)
        memcpy(ret_id, id, sizeof id);
    return error;
}

struct revoke {
    const char *id;
    bool found;
};

static enum accord_error revoke(struct ingest_tx *tx, struct arena *arena, void *self)
{
    struct revoke *revoke = self;
    const char *partner = NULL;
    const enum accord_error error =
        store_key_revoke(tx->db, arena, NULL, revoke->id, tx->now, &partner);
    revoke->found = partner != NULL;
    return error == ACCORD_OK && revoke->found ? ingest_touch(tx, partner) : error;
}

enum accord_error bootstrap_key_revoke(struct db *db, const char *id, bool *ret_found)
{
    struct revoke work = {.id = id};
    const enum accord_error error = transact(db, revoke, &work);
    if (error == ACCORD_OK)
        *ret_found = work.found;
    return error;
}
