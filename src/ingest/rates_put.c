/* Rates coming in: new days, and corrections of days that are known. */
#include <string.h>

#include "ingest/rates.h"
#include "ingest/tx.h"

struct putting {
    struct ingest_tx *tx;
    struct rates_given *given;
    size_t count;
    struct rate_head before;
    struct rate_day *stands; /* by given */
    struct accord_currency *changed;
    size_t changed_count;
};

static const struct rate_row *find_rate(const struct rate_row *rates, size_t count,
                                        struct accord_currency currency)
{
    for (size_t i = 0; i < count; i++)
        if (accord_currency_equal(rates[i].currency, currency))
            return &rates[i];
    return NULL;
}

/* Compares a given day with the rates that stand of it, and notes the currencies that differ. */
static enum accord_error compare_day(struct putting *p, const struct rates_given *given,
                                     const struct rate_row *rates, size_t count)
{
    p->changed = arena_array(p->tx->arena, count + given->count + 1, sizeof *p->changed);
    if (p->changed == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    p->changed_count = 0;
    for (size_t i = 0; i < given->count; i++) {
        const struct rate_row *old = find_rate(rates, count, given->rates[i].currency);
        if (old == NULL || strcmp(old->rate, given->rates[i].rate) != 0)
            p->changed[p->changed_count++] = given->rates[i].currency;
    }
    for (size_t i = 0; i < count; i++)
        if (find_rate(given->rates, given->count, rates[i].currency) == NULL)
            p->changed[p->changed_count++] = rates[i].currency;
    return ACCORD_OK;
}

/* Decides what becomes of each day; *ret_written is how many are written. */
static enum accord_error decide(struct putting *p, size_t *ret_written, size_t *ret_rates)
{
    struct arena *arena = p->tx->arena;
    int64_t *days = arena_array(arena, p->count, sizeof *days);
    p->stands = arena_array(arena, p->count, sizeof *p->stands);
    if (days == NULL || p->stands == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < p->count; i++)
        days[i] = p->given[i].day;
    enum accord_error error = store_rates_head(p->tx->db, RATES_BASE, &p->before);
    if (error == ACCORD_OK)
        error = store_rates_days(p->tx->db, arena, RATES_BASE, days, p->count, p->stands);
    struct rate_row *rates = NULL;
    size_t rate_count = 0;
    if (error == ACCORD_OK)
        error =
            store_rates_of(p->tx->db, arena, RATES_BASE, p->stands, p->count, &rates, &rate_count);
    *ret_written = *ret_rates = 0;
    size_t at = 0;
    for (size_t i = 0; error == ACCORD_OK && i < p->count; i++) {
        struct rates_given *given = &p->given[i];
        const bool known = p->stands[i].version > 0;
        given->same = given->is_unreasonable = false;
        given->version = p->stands[i].version;
        for (size_t j = 0; j < given->count; j++)
            given->rates[j].day = given->day;
        const size_t from = at;
        while (known && rates != NULL && at < rate_count && rates[at].day == given->day)
            at++;
        error = compare_day(p, given, rates == NULL ? NULL : &rates[from], at - from);
        given->same = known && p->changed_count == 0;
        given->is_unreasonable = known && !given->same && *given->reason == '\0';
        if (error != ACCORD_OK || given->same || given->is_unreasonable)
            continue;
        given->version++;
        for (size_t j = 0; j < given->count; j++)
            given->rates[j].version = given->version;
        *ret_written += 1;
        *ret_rates += given->count;
    }
    return error;
}

static enum accord_error insert(struct putting *p, size_t written, size_t rate_count,
                                const char *loaded_by)
{
    struct arena *arena = p->tx->arena;
    struct rate_day *days = arena_array(arena, written, sizeof *days);
    struct rate_row *rates = arena_array(arena, rate_count, sizeof *rates);
    if (days == NULL || rates == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    int64_t seq;
    const enum accord_error error = ingest_seq(p->tx, 1, &seq);
    if (error != ACCORD_OK)
        return error;
    size_t count = 0;
    size_t rate = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct rates_given *given = &p->given[i];
        if (given->same || given->is_unreasonable)
            continue;
        days[count++] = (struct rate_day){.base = RATES_BASE,
                                          .day = given->day,
                                          .version = given->version,
                                          .source = RATES_SOURCE,
                                          .reason = given->version > 1 ? given->reason : "",
                                          .loaded_at = p->tx->now,
                                          .loaded_by = loaded_by,
                                          .seq = seq};
        memcpy(&rates[rate], given->rates, given->count * sizeof *rates);
        rate += given->count;
    }
    return store_rates_insert(p->tx->db, days, count, rates, rate);
}

/* The days whose rates may be others now. */
static enum accord_error changed_days(struct putting *p, struct rates_change *ret)
{
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < p->count; i++) {
        if (p->given[i].same || p->given[i].is_unreasonable)
            continue;
        first = p->given[i].day < first ? p->given[i].day : first;
        last = p->given[i].day > last ? p->given[i].day : last;
    }
    *ret = (struct rates_change){.from = first, .to = last};
    const int64_t newest = p->before.known ? p->before.newest_day : last;
    if (last > newest || p->count > 1) {
        /* Some days become final; of several that come at once, no account is kept. */
        ret->from = newest < first ? newest : first;
        ret->to = newest > last ? newest : last;
        return ACCORD_OK;
    }
    /* A day of the past: up to the next one with a rate of each currency. */
    int64_t *next = arena_array(p->tx->arena, p->changed_count + 1, sizeof *next);
    if (next == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error =
        store_rates_next(p->tx->db, RATES_BASE, p->changed, p->changed_count, last, next);
    for (size_t i = 0; i < p->changed_count; i++)
        ret->to = next[i] > ret->to ? next[i] : ret->to;
    ret->to = ret->to < newest ? ret->to : newest;
    ret->currencies = p->changed;
    ret->currency_count = p->changed_count;
    return error;
}

enum accord_error ingest_rates_put(struct ingest_tx *tx, struct rates_given *days, size_t count,
                                   const char *loaded_by)
{
    struct putting putting = {.tx = tx, .given = days, .count = count};
    struct rates_change change;
    size_t written = 0;
    size_t rates = 0;
    if (count == 0)
        return ACCORD_OK;
    enum accord_error error = decide(&putting, &written, &rates);
    if (error != ACCORD_OK || written == 0)
        return error;
    error = insert(&putting, written, rates, loaded_by);
    if (error == ACCORD_OK)
        error = rate_book_enter(tx->rates, tx->db);
    if (error == ACCORD_OK)
        error = changed_days(&putting, &change);
    return error != ACCORD_OK ? error : ingest_rates_changed(tx, &change);
}
