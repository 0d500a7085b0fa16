#include "store/settings.h"

#include <string.h>

DB_SQL(sql_get, "SELECT value FROM setting WHERE name = $1");
DB_SQL(sql_put, "INSERT INTO setting (name, value) VALUES ($1, $2) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value");
DB_SQL(sql_make, "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");

struct found {
    struct arena *arena;
    struct slice value;
};

static enum accord_error take_value(void *context, size_t param_row, const struct db_row *row)
{
    struct found *found = context;
    (void)param_row;
    const struct slice value = db_get_bytes(row, 0);
    char *copy = arena_alloc(found->arena, value.len + 1);
    if (copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (value.len > 0)
        memcpy(copy, value.data, value.len);
    found->value = (struct slice){copy, value.len};
    return ACCORD_OK;
}

enum accord_error store_setting_get(struct db *db, struct arena *arena, const char *name,
                                    struct slice *ret)
{
    struct found found = {.arena = arena};
    const struct db_value params[] = {db_str(name)};
    const enum accord_error error = db_query(db, &sql_get, params, 1, 1, take_value, &found);
    if (error == ACCORD_OK)
        *ret = found.value;
    return error;
}

enum accord_error store_setting_put(struct db *db, const char *name, struct slice value)
{
    const struct db_value params[] = {db_str(name), db_bytes(value.data, value.len)};
    return db_run(db, &sql_put, params, 2, 1, NULL);
}

struct secret {
    bool found;
    uint8_t *bytes;
};

static enum accord_error take_secret(void *context, size_t param_row, const struct db_row *row)
{
    struct secret *secret = context;
    (void)param_row;
    const struct slice value = db_get_bytes(row, 0);
    if (value.len != 32)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(secret->bytes, value.data, 32);
    secret->found = true;
    return ACCORD_OK;
}

enum accord_error store_setting_secret(struct db *db, const char *name, uint8_t ret[32])
{
    uint8_t bytes[32];
    struct secret secret = {.bytes = bytes};
    const struct db_value key[] = {db_str(name)};
    enum accord_error error = db_query(db, &sql_get, key, 1, 1, take_secret, &secret);
    if (error != ACCORD_OK)
        return error;
    if (!secret.found) {
        random_bytes(bytes, sizeof bytes);
        const struct db_value params[] = {db_str(name), db_bytes(bytes, sizeof bytes)};
        error = db_run(db, &sql_make, params, 2, 1, NULL);
        /* Another process may have been first: what stands is what counts. */
        if (error == ACCORD_OK)
            error = db_query(db, &sql_get, key, 1, 1, take_secret, &secret);
        if (error == ACCORD_OK && !secret.found)
            error = ACCORD_E_DATABASE_ERROR;
    }
    if (error == ACCORD_OK)
        memcpy(ret, bytes, sizeof bytes);
    return error;
}
