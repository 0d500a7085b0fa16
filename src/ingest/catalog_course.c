/* One course at a time, and who may see what. */
#include <stdlib.h>

#include "ingest/agreement.h"
#include "ingest/catalog.h"
#include "store/agreements.h"

/* The catalog as a single change finds it; refused while an import has it. */
static enum accord_error open_catalog(struct ingest_tx *tx, const char *provider,
                                      struct store_catalog *ret)
{
    enum accord_error e = store_catalog_get(tx->db, tx->arena, provider, ret);
    if (e == ACCORD_OK && ret->applying.len != 0)
        e = ACCORD_E_CATALOG_BUSY;
    return e;
}

enum accord_error catalog_put_course(struct ingest_tx *tx, struct arena *arena,
                                     const char *provider, const struct course *course,
                                     struct store_course *ret_now, bool *ret_changed)
{
    struct store_catalog catalog;
    struct store_course_head head;
    struct store_course row = {0};
    enum accord_error e = open_catalog(tx, provider, &catalog);
    if (e == ACCORD_OK)
        e = course_encode(arena, course, &row);
    if (e == ACCORD_OK)
        e = store_course_heads(tx->db, arena, provider, catalog.generation, &row.course_id, 1,
                               &head);
    if (e != ACCORD_OK)
        return e;
    if (head.version != 0 && head.active && hash_equal(&head.content_hash, &row.content_hash)) {
        *ret_changed = false;
        return ACCORD_OK;
    }
    char id[RANDOM_ID_MAX];
    random_id("crs_", id);
    const char *own_id = head.version != 0 ? head.id.data : arena_strdup(arena, slice_of(id));
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

static enum accord_error
set_grants(struct ingest_tx *tx, const struct accord_agreement_version *version, instant_us until)
{
    const size_t room =
        (version->course_count + version->party_count) * (size_t)version->party_count;
    struct store_grant *grants = arena_array(tx->arena, room + 1, sizeof *grants);
    if (grants == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (uint32_t i = 0; i < version->party_count && version->effective_from_us < until; i++)
        count += grants_of(version, version->parties[i], grants + count);
    return store_grants_set(tx->db, version->agreement, version->version,
                            version->effective_from_us, until, grants, count);
}

/* Versions in these states cover sales within their time. */
static bool covers_sales(enum agreement_state state)
{
    switch (state) {
    case AGREEMENT_ACTIVE:
    case AGREEMENT_SUPERSEDED:
    case AGREEMENT_TERMINATED:
        return true;
    case AGREEMENT_DRAFT:
    case AGREEMENT_PROPOSED:
    case AGREEMENT_REJECTED:
        return false;
    }
    return false;
}

enum accord_error catalog_grants_changed(struct ingest_tx *tx, const char *agreement)
{
    struct agreement_version_row *rows;
    size_t count;
    struct json_problems *problems = arena_alloc(tx->arena, sizeof *problems);
    if (problems == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error e = store_agreement_versions(tx->db, tx->arena, &agreement, 1, &rows, &count);
    for (size_t i = 0; i < count && e == ACCORD_OK; i++) {
        if (!covers_sales(rows[i].state))
            continue;
        struct agreement_version version;
        struct slice id;
        struct slice name;
        e = agreement_decode(tx->arena, rows[i].body, agreement, rows[i].version, false, &id, &name,
                             &version, problems);
        if (e != ACCORD_OK)
            return e == ACCORD_E_OUT_OF_MEMORY ? e : ACCORD_E_INTERNAL;
        version.terms.effective_to_us = rows[i].effective_to;
        instant_us until = rows[i].effective_to;
        for (size_t k = 0; k < count; k++)
            if (covers_sales(rows[k].state) && rows[k].version > rows[i].version &&
                rows[k].effective_from < until)
                until = rows[k].effective_from;
        e = set_grants(tx, &version.terms, until);
    }
    return e;
}
