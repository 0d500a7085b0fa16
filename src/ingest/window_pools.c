#include "ingest/window_pools.h"

#include <string.h>

static uint32_t party_of(const struct accord_agreement_version *terms, const char *id)
{
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (strcmp(terms->parties[i], id) == 0)
            return i;
    return UINT32_MAX;
}

/* The share of a term and party in a part, made when there is none; NULL when out of memory. */
static struct accord_window_pool *share_of(struct arena *arena, struct window_part *part,
                                           uint32_t term, uint32_t payee)
{
    const size_t count = part->sums.pool_count;
    for (size_t i = 0; i < count; i++)
        if (part->pools[i].term == term && part->pools[i].payee == payee)
            return &part->pools[i];
    part->pools = arena_room(arena, part->pools, count, &part->pool_cap, sizeof *part->pools);
    part->sums.pools = part->pools;
    if (part->pools == NULL)
        return NULL;
    part->sums.pool_count++;
    part->has_sums = true;
    part->pools[count] = (struct accord_window_pool){.term = term, .payee = payee};
    return &part->pools[count];
}

enum accord_error window_pools_add(struct arena *arena, const struct agreement_periods *periods,
                                   const struct window_sheet *sheet,
                                   const struct pool_share_row *row)
{
    struct window_part *part = windows_sheet_part(
        sheet, periods, period_of_day(periods->quarterly, row->day), row->version);
    if (part == NULL)
        return ACCORD_E_VALUE_UNKNOWN;
    const struct accord_agreement_version *terms = &periods->versions[part->version].terms;
    const uint32_t payee = party_of(terms, row->provider);
    if (payee == UINT32_MAX || row->term < 0 || row->term >= terms->term_count)
        return ACCORD_E_VALUE_UNKNOWN;
    struct accord_window_pool *share = share_of(arena, part, (uint32_t)row->term, payee);
    return share == NULL ? ACCORD_E_OUT_OF_MEMORY
                         : accord_add(share->amount, row->amount, &share->amount);
}

/* What the payee of a row was told of its share: the pool's part and what it kept. */
static enum accord_error add_told(struct arena *arena, const struct agreement_periods *periods,
                                  const struct window_sheet *sheet, const struct window_row *row)
{
    struct window_part *part = windows_sheet_part(sheet, periods, row->day, row->version);
    /* A file has only parts that take part in the fold: of another nothing is kept. */
    if (part == NULL)
        return ACCORD_OK;
    const struct accord_agreement_version *terms = &periods->versions[part->version].terms;
    const uint32_t payee = party_of(terms, row->payee);
    if (terms->late_usage != ACCORD_LATE_UP_ONLY || payee == UINT32_MAX)
        return ACCORD_OK;
    const char *pool = row->term < terms->term_count ? terms->terms[row->term].pool : NULL;
    if (pool == NULL)
        return ACCORD_OK;
    /* The channel's side of what was kept is no share of its own. */
    const size_t length = strlen(row->payee);
    if (strncmp(pool, row->payee, length) == 0 && pool[length] == '/')
        return ACCORD_OK;
    struct accord_window_pool *share = share_of(arena, part, (uint32_t)row->term, payee);
    return share == NULL ? ACCORD_E_OUT_OF_MEMORY
                         : accord_add(share->kept, row->amount, &share->kept);
}

enum accord_error window_pools_keep(struct arena *arena, const struct agreement_periods *periods,
                                    const struct window_sheet *sheet)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < sheet->posted_count; i++)
        if (strcmp(sheet->posted[i].kind, "pool") == 0 ||
            strcmp(sheet->posted[i].kind, "late_usage") == 0)
            error = add_told(arena, periods, sheet, &sheet->posted[i]);
    /* So far `kept` is what it was told: what is left of that beyond the share is kept. */
    for (size_t i = 0; error == ACCORD_OK && i < sheet->count; i++)
        for (size_t j = 0; error == ACCORD_OK && j < sheet->parts[i].sums.pool_count; j++) {
            struct accord_window_pool *share = &sheet->parts[i].pools[j];
            int64_t kept;
            error = accord_sub(share->kept, share->amount, &kept);
            share->kept = kept > 0 && share->kept > 0 ? kept : 0;
        }
    return error;
}

enum accord_error window_pools_read(struct db *db, struct arena *arena,
                                    const struct agreement_periods *periods, int64_t to_day,
                                    const struct window_sheet *sheet)
{
    struct pool_share_row *rows;
    size_t count;
    enum accord_error error = store_pool_shares_of(db, arena, periods->versions[0].terms.agreement,
                                                   to_day, &rows, &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = window_pools_add(arena, periods, sheet, &rows[i]);
    if (error == ACCORD_E_VALUE_UNKNOWN)
        error = ACCORD_E_INTERNAL; /* divisions follow agreements */
    return error != ACCORD_OK ? error : window_pools_keep(arena, periods, sheet);
}
