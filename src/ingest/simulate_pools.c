/* Pools with other terms: the months of the period divided anew. */
#include <stdio.h>
#include <string.h>

#include "ingest/pool_division.h"
#include "ingest/simulate_parts.h"
#include "ingest/window_pools.h"

static enum accord_error refuse(struct simulating *s, enum accord_error code, size_t at,
                                const char *pointer)
{
    const char *where = arena_printf(s->arena, "/pools/%zu%s", at, pointer);
    if (where == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    json_problem_add(s->problems, code, where, "%s", accord_error_title(code));
    return ACCORD_E_FIELDS_INVALID;
}

/* The share base and what members put in stay: only how it is divided is another. */
static enum accord_error decode(struct simulating *s, size_t at, const char *channel,
                                const char *name, struct pool *ret)
{
    const struct simulation_pool *ask = &s->ask->pools[at];
    struct json_problems own = {.count = 0};
    struct pool_row row;
    struct pool stands;
    struct pool pool;
    bool found = false;
    enum accord_error error = pool_decode(s->arena, ask->terms, &pool, &own);
    if (own.count > 0)
        return refuse(s, own.items[0].code, at,
                      arena_printf(s->arena, "/terms%s", own.items[0].pointer));
    if (error == ACCORD_OK)
        error = store_pool_get(s->c->db, s->arena, channel, name, 0, &row, &found);
    if (error == ACCORD_OK && !found)
        return refuse(s, ACCORD_E_VALUE_UNKNOWN, at, "/pool");
    if (error == ACCORD_OK)
        error = pool_decode_row(s->arena, &row, &stands);
    if (error != ACCORD_OK)
        return error;
    if (!accord_currency_equal(pool.currency, stands.currency) ||
        !slice_equal(pool.time_zone, stands.time_zone))
        return refuse(s, ACCORD_E_POOL_MISMATCH, at, "/terms");
    *ret = pool;
    return ACCORD_OK;
}

/* Takes what the sheet has of a pool in the period out of it; *ret_joined: a version has joined. */
static void forget(struct simulating *s, const char *name, bool *ret_joined)
{
    const struct closing *c = s->c;
    for (size_t i = 0; i < c->sheet.count; i++) {
        struct window_part *part = &c->sheet.parts[i];
        const struct accord_agreement_version *terms = &c->periods.versions[part->version].terms;
        size_t kept = 0;
        for (uint32_t j = 0; j < terms->term_count; j++)
            *ret_joined |=
                terms->terms[j].kind == ACCORD_TERM_POOL && strcmp(terms->terms[j].pool, name) == 0;
        if (part->first != c->day)
            continue;
        for (size_t j = 0; j < part->sums.pool_count; j++)
            if (terms->terms[part->pools[j].term].pool == NULL ||
                strcmp(terms->terms[part->pools[j].term].pool, name) != 0)
                part->pools[kept++] = part->pools[j];
        part->sums.pool_count = kept;
    }
}

static enum accord_error divide(struct simulating *s, size_t at)
{
    const struct closing *c = s->c;
    const char *channel = arena_strdup(s->arena, s->ask->pools[at].channel);
    const char *pool = arena_strdup(s->arena, s->ask->pools[at].pool);
    const char *name =
        channel == NULL || pool == NULL ? NULL : arena_printf(s->arena, "%s/%s", channel, pool);
    struct pool terms;
    bool joined = false;
    if (name == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = decode(s, at, channel, pool, &terms);
    if (error != ACCORD_OK)
        return error;
    forget(s, name, &joined);
    if (!joined)
        return refuse(s, ACCORD_E_VALUE_UNKNOWN, at, "/pool");
    for (int64_t day = c->day; error == ACCORD_OK && day < c->next;
         day = period_after(false, day)) {
        struct pool_division division;
        error = pool_divide_as(c->db, s->arena, s->book, channel, pool, day, &terms, &division);
        for (size_t i = 0; error == ACCORD_OK && i < division.count; i++)
            if (strcmp(division.shares[i].agreement, s->ask->agreement) == 0)
                error = window_pools_add(s->arena, &c->periods, &c->sheet, &division.shares[i]);
    }
    return error;
}

enum accord_error simulate_pools(struct simulating *s)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < s->ask->pool_count; i++)
        error = divide(s, i);
    return error;
}
