#include "api/pool_explain.h"

#include <string.h>

#include "ingest/periods.h"

/* The pool's side, and the channel's, are made of what all providers of the agreement get. */
static bool is_of(const struct pool_share_row *share, const struct agreement_periods *periods,
                  const struct statement_line *line)
{
    const struct accord_agreement_version *terms = &line->terms->terms;
    const char *payee = line->payees[0].payee;
    bool named = strcmp(share->provider, payee) == 0;
    if (share->version != line->version ||
        period_of_day(periods->quarterly, share->day) != line->period)
        return false;
    for (uint32_t i = 0; i < terms->party_count; i++)
        named |= strcmp(terms->parties[i], payee) == 0 && strcmp(share->channel, payee) == 0;
    return named || *payee == '@';
}

enum accord_error pool_explain(struct call *call, const struct agreement_periods *periods,
                               const char *agreement, const struct statement_line *line,
                               struct pool_explained *ret)
{
    struct pool_explained pools;
    size_t all;
    enum accord_error error =
        store_pool_shares_of(call->db, call->arena, agreement,
                             period_after(periods->quarterly, line->period), &pools.shares, &all);
    if (error != ACCORD_OK)
        return error;
    pools.count = 0;
    for (size_t i = 0; i < all; i++)
        if (is_of(&pools.shares[i], periods, line))
            pools.shares[pools.count++] = pools.shares[i];
    pools.months = arena_array(call->arena, pools.count + 1, sizeof *pools.months);
    if (pools.months == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; error == ACCORD_OK && i < pools.count; i++) {
        const struct pool_share_row *share = &pools.shares[i];
        bool found = false;
        error = store_pool_month_find(call->db, call->arena, share->channel, share->pool,
                                      share->day, &pools.months[i], &found);
        if (error == ACCORD_OK && !found)
            error = ACCORD_E_DATABASE_ERROR;
    }
    if (error == ACCORD_OK)
        *ret = pools;
    return error;
}

void pool_month_write(struct json_writer *w, const struct pool_month_row *month,
                      struct accord_currency currency)
{
    char label[PERIOD_LABEL_MAX];
    char hex[HASH_HEX_MAX];
    period_label(false, month->day, label);
    hash_hex(&month->sheet_hash, hex);
    jw_key_str(w, "channel", month->channel);
    jw_key_str(w, "pool", month->pool);
    jw_key_str(w, "period", label);
    jw_key_bool(w, "pending", month->stale);
    if (month->divided_at > 0) {
        jw_key_time(w, "divided_at", month->divided_at);
        jw_key_str(w, "sheet_hash", hex);
    }
    jw_key_int(w, "members", month->members);
    jw_key_int(w, "idle_members", month->idle_members);
    jw_key_int(w, "units", month->units);
    jw_key_money(w, "fees", month->fees, currency);
    jw_key_money(w, "idle", month->idle, currency);
    jw_key_money(w, "unclaimed", month->unclaimed, currency);
}

void pool_explained_write(struct json_writer *w, const struct pool_explained *pools,
                          struct accord_currency currency)
{
    jw_key(w, "pools");
    jw_array(w);
    for (size_t i = 0; i < pools->count; i++) {
        const struct pool_share_row *share = &pools->shares[i];
        jw_object(w);
        pool_month_write(w, &pools->months[i], currency);
        jw_key_int(w, "version", pools->months[i].version);
        jw_key(w, "share");
        jw_object(w);
        jw_key_str(w, "provider", share->provider);
        jw_key_int(w, "term", share->term);
        jw_key_int(w, "units", share->units);
        jw_key_money(w, "amount", share->amount, currency);
        jw_key_str(w, "exact", share->exact);
        jw_object_end(w);
        jw_object_end(w);
    }
    jw_array_end(w);
}
