/* Months of pools: divided again, and compared with what stands. */
#include <inttypes.h>
#include <string.h>

#include "ingest/pool_division.h"
#include "ingest/verify_parts.h"

enum { MONTHS_BYTES_MAX = 1 << 28 };

static void month_differs(struct verify *v, const struct pool_month_row *month, const char *what)
{
    verify_differs(v, "pool_month", "%s/%s from day %" PRId64 ": %s", month->channel, month->pool,
                   month->day, what);
}

static bool same_month(const struct pool_month_row *a, const struct pool_month_row *b)
{
    return a->version == b->version && a->fees == b->fees && a->idle == b->idle &&
           a->unclaimed == b->unclaimed && a->members == b->members &&
           a->idle_members == b->idle_members && a->units == b->units &&
           hash_equal(&a->sheet_hash, &b->sheet_hash);
}

static bool same_share(const struct pool_share_row *a, const struct pool_share_row *b)
{
    return strcmp(a->provider, b->provider) == 0 && strcmp(a->agreement, b->agreement) == 0 &&
           a->version == b->version && a->term == b->term && a->units == b->units &&
           a->amount == b->amount && strcmp(a->exact, b->exact) == 0;
}

static enum accord_error check_month(struct verify *v, const struct pool_month_row *month)
{
    struct pool_division want;
    struct pool_share_row *shares;
    size_t count;
    int64_t sum = month->unclaimed;
    enum accord_error error =
        pool_divide(v->db, v->arena, v->book, month->channel, month->pool, month->day, NULL, &want);
    if (error == ACCORD_OK)
        error = store_pool_shares(v->db, v->arena, month->channel, month->pool, month->day, &shares,
                                  &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = accord_add(sum, shares[i].amount, &sum);
    if (error != ACCORD_OK)
        return error;
    bool same = same_month(month, &want.month) && count == want.count;
    for (size_t i = 0; same && i < count; i++)
        same = same_share(&shares[i], &want.shares[i]);
    if (!same)
        month_differs(v, month, "not what its members and their use come to");
    if (sum != month->fees)
        month_differs(v, month, "shares and what is unclaimed do not add up to the fees");
    return ACCORD_OK;
}

/* What waits to be divided again is not held against anybody. */
enum accord_error verify_pools(struct verify *v)
{
    struct pool_month_row *months;
    size_t count;
    struct arena *all = arena_new(MONTHS_BYTES_MAX);
    if (all == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = store_pool_months_all(v->db, all, &months, &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        arena_reset(v->arena);
        if (!months[i].stale)
            error = check_month(v, &months[i]);
    }
    arena_free(all);
    return error;
}
