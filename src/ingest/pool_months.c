/* When months of pools are divided again, and who sees it. */
#include <stdlib.h>
#include <string.h>

#include "ingest/periods.h"
#include "ingest/pool_division.h"

static bool same_shares(const struct pool_share_row *a, size_t a_count,
                        const struct pool_share_row *b, size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++)
        same = strcmp(a[i].provider, b[i].provider) == 0 &&
               strcmp(a[i].agreement, b[i].agreement) == 0 && a[i].version == b[i].version &&
               a[i].term == b[i].term && a[i].amount == b[i].amount && a[i].units == b[i].units &&
               strcmp(a[i].exact, b[i].exact) == 0;
    return same;
}

/* Parties of an agreement see what its windows come to. */
static enum accord_error touch_shares(struct ingest_tx *tx, const struct agreement_book *book,
                                      const struct pool_share_row *shares, size_t count)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        const struct agreement_version *version =
            agreement_book_find(book, shares[i].agreement, shares[i].version);
        for (uint32_t j = 0;
             error == ACCORD_OK && version != NULL && j < version->terms.party_count; j++)
            error = ingest_touch(tx, version->terms.parties[j]);
    }
    return error;
}

static enum accord_error divide_month(struct ingest_tx *tx, const struct pool_month_row *month)
{
    struct agreement_book *book;
    struct pool_division division;
    struct pool_share_row *before;
    size_t before_count;
    const int64_t began = clock_monotonic_us();
    enum accord_error error = ingest_agreements(tx, &book);
    if (error == ACCORD_OK)
        error = pool_divide(tx->db, tx->arena, book, month->channel, month->pool, month->day, NULL,
                            &division);
    if (error == ACCORD_OK)
        error = store_pool_shares(tx->db, tx->arena, month->channel, month->pool, month->day,
                                  &before, &before_count);
    if (error != ACCORD_OK)
        return error;
    division.month.divided_at = tx->now;
    division.month.took_us = clock_monotonic_us() - began;
    division.month.seq = month->seq;
    if (!same_shares(before, before_count, division.shares, division.count)) {
        error = ingest_seq(tx, 1, &division.month.seq);
        if (error == ACCORD_OK)
            error = touch_shares(tx, book, before, before_count);
        if (error == ACCORD_OK)
            error = touch_shares(tx, book, division.shares, division.count);
    }
    if (error == ACCORD_OK)
        error = ingest_touch(tx, month->channel);
    return error != ACCORD_OK
               ? error
               : store_pool_month_put(tx->db, &division.month, division.shares, division.count);
}

enum accord_error pool_divide_next(struct ingest_tx *tx, bool *ret_more)
{
    struct pool_month_row month;
    bool found = false;
    enum accord_error error = store_pool_month_next(tx->db, tx->arena, tx->now, &month, &found);
    if (error == ACCORD_OK && found)
        error = divide_month(tx, &month);
    if (error == ACCORD_OK)
        *ret_more = found;
    return error;
}

/* Stale months of every pool that one of the versions joined; a pool may come twice. */
static enum accord_error
find_joined(struct db *db, struct arena *arena, const struct agreement_version *versions,
            size_t count, int64_t to_day,
            enum accord_error (*each)(void *, const struct pool_month_row *), void *context)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; i < count; i++)
        for (uint32_t j = 0; error == ACCORD_OK && j < versions[i].terms.term_count; j++) {
            const struct accord_term *term = &versions[i].terms.terms[j];
            struct pool_month_row *rows;
            size_t row_count = 0;
            if (term->kind != ACCORD_TERM_POOL)
                continue;
            const char *slash = strchr(term->pool, '/');
            const char *channel =
                arena_strdup(arena, (struct slice){term->pool, (size_t)(slash - term->pool)});
            if (channel == NULL)
                return ACCORD_E_OUT_OF_MEMORY;
            error =
                store_pool_months_stale(db, arena, channel, slash + 1, to_day, &rows, &row_count);
            for (size_t k = 0; error == ACCORD_OK && k < row_count; k++)
                error = each(context, &rows[k]);
        }
    return error;
}

static enum accord_error divide_one(void *context, const struct pool_month_row *month)
{
    return divide_month(context, month);
}

enum accord_error pool_divide_joined(struct ingest_tx *tx, const struct agreement_version *versions,
                                     size_t count, int64_t to_day)
{
    return find_joined(tx->db, tx->arena, versions, count, to_day, divide_one, tx);
}

static enum accord_error note_one(void *context, const struct pool_month_row *month)
{
    (void)month;
    *(bool *)context = true;
    return ACCORD_OK;
}

enum accord_error pool_joined_stale(struct db *db, struct arena *arena,
                                    const struct agreement_version *versions, size_t count,
                                    int64_t to_day, bool *ret)
{
    *ret = false;
    return find_joined(db, arena, versions, count, to_day, note_one, ret);
}

/* ---- what makes them stale ---- */

static int by_channel_and_time(const void *a, const void *b)
{
    const struct pool_usage_change *x = a;
    const struct pool_usage_change *y = b;
    const int order = strcmp(x->channel, y->channel);
    return order != 0 ? order
                      : (x->occurred_at > y->occurred_at) - (x->occurred_at < y->occurred_at);
}

enum accord_error pool_usage_changed(struct ingest_tx *tx, struct pool_usage_change *changes,
                                     size_t count)
{
    enum accord_error error = ACCORD_OK;
    if (count > 1)
        qsort(changes, count, sizeof *changes, by_channel_and_time);
    const char *channel = "";
    int64_t to = INT64_MIN;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        /* The day in the pool's zone is this one or a neighbour of it. */
        const int64_t day = changes[i].occurred_at / CLOCK_DAY_US;
        const int64_t first = period_of_day(false, day - 1);
        if (strcmp(channel, changes[i].channel) == 0 && first < to && day + 2 <= to)
            continue; /* marked already */
        channel = changes[i].channel;
        to = period_after(false, period_of_day(false, day + 1));
        error = store_pool_months_changed(tx->db, channel, first, to);
    }
    return error;
}
