/* One course at a time, and who may see what. */
#include <stdlib.h>

#include "ingest/catalog.h"

/* The catalog as a single change finds it; refused while an import has it. */
static enum accord_error open_catalog(struct ingest_tx *tx, const char *provider,
                                      struct store_catalog *ret)
{
    enum accord_error e = store_catalog_get(tx->db, tx->arena, provider, ret);
    if (e == ACCORD_OK && ret->applying.len != 0)
        e = ACCORD_E_CATALOG_BUSY;
    return e;
}

enum accord_error catalog_put_course(struct ingest_tx *tx, const char *provider,
                                     const struct course *course, struct store_course *ret_now,
                                     bool *ret_changed)
{
    struct store_catalog catalog;
    struct store_course_head head;
    struct store_course row = {0};
    enum accord_error e = open_catalog(tx, provider, &catalog);
    if (e == ACCORD_OK)
        e = course_encode(tx->arena, course, &row);
    if (e == ACCORD_OK)
        e = store_course_heads(tx->db, tx->arena, provider, catalog.generation, &row.course_id, 1,
                               &head);
    if (e != ACCORD_OK)
        return e;
    if (head.version != 0 && head.active && hash_equal(&head.content_hash, &row.content_hash)) {
        *ret_changed = false;
        return ACCORD_OK;
    }
    char id[RANDOM_ID_MAX];
    random_id("crs_", id);
    const char *own_id = head.version != 0 ? head.id.data : arena_strdup(tx->arena, slice_of(id));
    if (own_id == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    row.provider = slice_of(provider);
    row.version = head.version + 1;
    row.gen_from = catalog.generation + 1;
    row.id = slice_of(own_id);
    row.active = true;
    row.raw_hash = row.content_hash; /* no element sent can have it */
    row.source = SLICE("put");
    row.changed_at = tx->now;
    bool taken = false;
    if (head.version != 0)
        e = store_course_close(tx->db, provider, row.course_id, head.version, row.gen_from);
    if (e == ACCORD_OK)
        e = store_course_add(tx->db, &row, 1);
    if (e == ACCORD_OK)
        e = store_catalog_take(tx->db, provider, row.source, &taken);
    if (e == ACCORD_OK)
        e = store_catalog_switch(tx->db, provider, row.gen_from,
                                 catalog.active_courses + !head.active);
    if (e == ACCORD_OK)
        e = catalog_changed(tx, provider, SLICE(""), head.version == 0);
    if (e != ACCORD_OK)
        return e;
    *ret_now = row;
    *ret_changed = true;
    return ACCORD_OK;
}

enum accord_error catalog_withdraw_course(struct ingest_tx *tx, const char *provider,
                                          struct slice course_id)
{
    struct store_catalog catalog;
    struct store_course_head head;
    enum accord_error e = open_catalog(tx, provider, &catalog);
    if (e == ACCORD_OK)
        e = store_course_heads(tx->db, tx->arena, provider, catalog.generation, &course_id, 1,
                               &head);
    if (e != ACCORD_OK)
        return e;
    if (head.version == 0 || !head.active)
        return ACCORD_E_NOT_FOUND;
    e = store_course_withdraw(tx->db, tx->arena, slice_of(provider), &course_id, &head.version, 1,
                              catalog.generation + 1, SLICE("delete"), tx->now);
    if (e == ACCORD_OK)
        e = store_catalog_switch(tx->db, provider, catalog.generation + 1,
                                 catalog.active_courses - 1);
    return e != ACCORD_OK ? e : catalog_changed(tx, provider, SLICE(""), false);
}

/* ---- grants ---- */

static bool covers(const struct accord_agreement_version *version, const char *provider,
                   const char *channel, const char *course_id)
{
    const struct accord_sale_key sale = {.provider = provider,
                                         .channel = channel,
                                         .course_id = course_id,
                                         .occurred_at_us = version->effective_from_us};
    return accord_agreement_rank(version, &sale) != ACCORD_RANK_NONE;
}

/* What one party sees: single courses of the scope, or all that another party provides. */
static size_t grants_of(const struct accord_agreement_version *version, const char *channel,
                        struct store_grant *grants)
{
    size_t count = 0;
    for (size_t i = 0; i < version->course_count; i++) {
        const struct accord_course_ref *ref = &version->courses[i];
        if (strcmp(ref->provider, channel) != 0 &&
            covers(version, ref->provider, channel, ref->course_id))
            grants[count++] = (struct store_grant){slice_of(channel), slice_of(ref->provider),
                                                   slice_of(ref->course_id)};
    }
    for (uint32_t i = 0; i < version->party_count; i++) {
        const char *provider = version->parties[i];
        /* No course has the empty id: it is covered only when all are. */
        if (strcmp(provider, channel) != 0 && covers(version, provider, channel, ""))
            grants[count++] =
                (struct store_grant){slice_of(channel), slice_of(provider), SLICE("")};
    }
    return count;
}

enum accord_error catalog_grants_changed(struct ingest_tx *tx,
                                         const struct accord_agreement_version *version,
                                         bool active)
{
    const size_t room =
        (version->course_count + version->party_count) * (size_t)version->party_count;
    struct store_grant *grants = calloc(room == 0 ? 1 : room, sizeof *grants);
    if (grants == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (uint32_t i = 0; active && i < version->party_count; i++)
        count += grants_of(version, version->parties[i], grants + count);
    const enum accord_error e =
        store_grants_set(tx->db, version->agreement, version->version, version->effective_from_us,
                         version->effective_to_us, grants, count);
    free(grants);
    return e;
}
