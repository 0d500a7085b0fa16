#include <stdlib.h>
#include <string.h>

#include "ingest/book.h"
#include "ingest/catalog.h"
#include "ingest/challenge_rounds.h"
#include "ingest/keymap.h"
#include "ingest/periods.h"
#include "ingest/post.h"
#include "ingest/post_membership.h"
#include "ingest/rates.h"
#include "ingest/rollup.h"
#include "ingest/tx.h"
#include "store/partners.h"
#include "store/pool_months.h"

/* A piece of background work is bounded by what settling it costs, and orders differ in lines. */
enum { CHUNK_LINES_MAX = 4000 };

/* ---- at once ---- */

static enum accord_error find_orders(struct ingest_tx *tx, const int64_t *seqs, size_t count,
                                     struct post_order *ret, size_t *ret_count)
{
    struct order_name *names = arena_array(tx->arena, count, sizeof *names);
    struct keymap seen;
    if (names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = keymap_init(&seen, tx->arena, count);
    if (error == ACCORD_OK)
        error = store_orders_of_sales(tx->db, tx->arena, seqs, count, names);
    size_t distinct = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        if (names[i].channel == NULL)
            continue;
        const struct key key = key_of(names[i].channel, names[i].order_id, NULL);
        size_t *at;
        error = keymap_at(&seen, &key, distinct, &at);
        if (error == ACCORD_OK && *at == distinct)
            ret[distinct++].name = names[i];
    }
    if (error == ACCORD_OK)
        *ret_count = distinct;
    return error;
}

static enum accord_error find_memberships(struct ingest_tx *tx, const int64_t *seqs, size_t count,
                                          struct post_membership *ret, size_t *ret_count)
{
    struct membership_name *names = arena_array(tx->arena, count, sizeof *names);
    struct keymap seen;
    if (names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = keymap_init(&seen, tx->arena, count);
    if (error == ACCORD_OK)
        error = store_memberships_of_terms(tx->db, tx->arena, seqs, count, names);
    size_t distinct = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        if (names[i].channel == NULL)
            continue;
        const struct key key = key_of(names[i].channel, names[i].membership_id, NULL);
        size_t *at;
        error = keymap_at(&seen, &key, distinct, &at);
        if (error == ACCORD_OK && *at == distinct)
            ret[distinct++].name = names[i];
    }
    if (error == ACCORD_OK)
        *ret_count = distinct;
    return error;
}

static enum accord_error find_challenges(struct ingest_tx *tx, const int64_t *seqs, size_t count,
                                         struct challenge_name *ret, size_t *ret_count)
{
    struct challenge_name *names = arena_array(tx->arena, count, sizeof *names);
    struct keymap seen;
    if (names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = keymap_init(&seen, tx->arena, count);
    if (error == ACCORD_OK)
        error = store_challenges_of_facts(tx->db, tx->arena, seqs, count, names);
    size_t distinct = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        if (names[i].channel == NULL)
            continue;
        const struct key key = key_of(names[i].channel, names[i].entry_id, NULL);
        size_t *at;
        error = keymap_at(&seen, &key, distinct, &at);
        if (error == ACCORD_OK && *at == distinct)
            ret[distinct++] = names[i];
    }
    if (error == ACCORD_OK)
        *ret_count = distinct;
    return error;
}

enum accord_error ingest_resettle(struct ingest_tx *tx, const int64_t *sale_seqs, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    struct post_order *orders = arena_array(tx->arena, count, sizeof *orders);
    struct post_membership *memberships = arena_array(tx->arena, count, sizeof *memberships);
    struct challenge_name *entries = arena_array(tx->arena, count, sizeof *entries);
    size_t order_count = 0;
    size_t membership_count = 0;
    size_t entry_count = 0;
    if (orders == NULL || memberships == NULL || entries == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = find_orders(tx, sale_seqs, count, orders, &order_count);
    if (error == ACCORD_OK)
        error = find_memberships(tx, sale_seqs, count, memberships, &membership_count);
    if (error == ACCORD_OK)
        error = find_challenges(tx, sale_seqs, count, entries, &entry_count);
    int64_t seq = 0;
    if (error == ACCORD_OK)
        error = ingest_seq(tx, 1, &seq);
    for (size_t i = 0; i < order_count; i++)
        orders[i].seq = seq;
    for (size_t i = 0; i < membership_count; i++)
        memberships[i].seq = seq;
    if (error == ACCORD_OK)
        error = ingest_post(tx, orders, order_count);
    if (error == ACCORD_OK)
        error = ingest_post_memberships(tx, memberships, membership_count);
    return error == ACCORD_OK ? ingest_post_challenges(tx, entries, entry_count, seq) : error;
}

/* ---- what a change may touch ---- */

struct scopes {
    struct arena *arena;
    struct resettle_scope *items;
    size_t count;
    size_t cap;
};

static enum accord_error add_scope(struct scopes *scopes, const char *provider, const char *channel,
                                   const char *currency, int64_t from_us, int64_t to_us)
{
    struct resettle_scope *items =
        arena_room(scopes->arena, scopes->items, scopes->count, &scopes->cap, sizeof *items);
    if (items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    scopes->items = items;
    const struct resettle_scope scope = {arena_strdup(scopes->arena, slice_of(provider)),
                                         arena_strdup(scopes->arena, slice_of(channel)),
                                         arena_strdup(scopes->arena, slice_of(currency)), from_us,
                                         to_us};
    if (scope.provider == NULL || scope.channel == NULL || scope.currency == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < scopes->count; i++) {
        struct resettle_scope *other = &scopes->items[i];
        if (strcmp(other->provider, provider) == 0 && strcmp(other->channel, channel) == 0 &&
            strcmp(other->currency, currency) == 0) {
            other->from_us = from_us < other->from_us ? from_us : other->from_us;
            other->to_us = to_us > other->to_us ? to_us : other->to_us;
            return ACCORD_OK;
        }
    }
    scopes->items[scopes->count++] = scope;
    return ACCORD_OK;
}

static bool names_provider(const struct accord_agreement_version *version, const char *provider)
{
    if (version->provider_count == 0 && version->course_count == 0)
        return true;
    for (size_t i = 0; i < version->provider_count; i++)
        if (strcmp(version->providers[i], provider) == 0)
            return true;
    for (size_t i = 0; i < version->course_count; i++)
        if (strcmp(version->courses[i].provider, provider) == 0)
            return true;
    return false;
}

static bool names_channel(const struct accord_agreement_version *version, const char *channel)
{
    for (size_t i = 0; i < version->channel_count; i++)
        if (strcmp(version->channels[i], channel) == 0)
            return true;
    return version->channel_count == 0;
}

/* A version covers sales between its parties only, so the pairs of them are all that it may touch.
 */
static enum accord_error add_version(void *context, const struct accord_agreement_version *version,
                                     int64_t from_us, int64_t to_us)
{
    enum accord_error error = ACCORD_OK;
    for (uint32_t p = 0; p < version->party_count; p++)
        for (uint32_t c = 0; error == ACCORD_OK && c < version->party_count; c++)
            if (names_provider(version, version->parties[p]) &&
                names_channel(version, version->parties[c]))
                error = add_scope(context, version->parties[p], version->parties[c], "", from_us,
                                  to_us);
    return error;
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Settles the sales of a list again that may name one several times. */
static enum accord_error resettle_distinct(struct ingest_tx *tx, int64_t *seqs, size_t count)
{
    if (count > 0)
        qsort(seqs, count, sizeof *seqs, by_number);
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || seqs[i] != seqs[i - 1])
            seqs[distinct++] = seqs[i];
    return ingest_resettle(tx, seqs, distinct);
}

/* Opens a job, or joins the one at work; returns a number for its queue. */
static enum accord_error begin_job(struct ingest_tx *tx, int64_t *ret_seq)
{
    struct resettle_head head;
    enum accord_error error = store_resettle_head(tx->db, &head);
    if (error == ACCORD_OK)
        error = ingest_seq(tx, 1, ret_seq);
    if (error == ACCORD_OK && head.staging == 0)
        error = store_resettle_head_set(tx->db, head.visible, head.visible + 1);
    return error;
}

enum accord_error ingest_sales_changed(struct ingest_tx *tx, int64_t *sale_seqs, size_t count)
{
    if (count <= RESETTLE_AT_ONCE_MAX)
        return resettle_distinct(tx, sale_seqs, count);
    int64_t seq;
    const enum accord_error error = begin_job(tx, &seq);
    return error != ACCORD_OK ? error : store_resettle_queue_sales(tx->db, sale_seqs, count, seq);
}

/* Memberships and what challenges leave are the operator's. */
static bool has_memberships(const struct resettle_scope *scope, const char *operator_id)
{
    return strcmp(scope->provider, operator_id) == 0;
}

/* Adds what lies in a scope to a list that has room for one more than is settled at once. */
static enum accord_error find_in(struct ingest_tx *tx, const struct resettle_scope *scope,
                                 const char *operator_id, int64_t *seqs, size_t *lines)
{
    enum { ROOM = RESETTLE_AT_ONCE_MAX + 1 };
    size_t found = 0;
    enum accord_error error =
        store_resettle_find(tx->db, scope, (int64_t)(ROOM - *lines), seqs + *lines, &found);
    *lines += found;
    if (error != ACCORD_OK || !has_memberships(scope, operator_id) || *lines >= ROOM)
        return error;
    found = 0;
    error =
        store_resettle_find_terms(tx->db, scope, (int64_t)(ROOM - *lines), seqs + *lines, &found);
    *lines += found;
    if (error != ACCORD_OK || *lines >= ROOM)
        return error;
    found = 0;
    error =
        store_resettle_find_entries(tx->db, scope, (int64_t)(ROOM - *lines), seqs + *lines, &found);
    *lines += found;
    return error;
}

static enum accord_error queue_in(struct ingest_tx *tx, const struct resettle_scope *scope,
                                  const char *operator_id, int64_t seq)
{
    enum accord_error error = store_resettle_queue(tx->db, scope, seq);
    if (error != ACCORD_OK || !has_memberships(scope, operator_id))
        return error;
    error = store_resettle_queue_terms(tx->db, scope, seq);
    return error == ACCORD_OK ? store_resettle_queue_entries(tx->db, scope, seq) : error;
}

/* Settles again at once, or in the background, whatever lies in the scopes. */
static enum accord_error resettle_scopes(struct ingest_tx *tx, const struct scopes *scopes)
{
    int64_t *seqs = arena_array(tx->arena, RESETTLE_AT_ONCE_MAX + 1, sizeof *seqs);
    if (seqs == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const char *operator_id;
    enum accord_error error = store_partner_operator(tx->db, tx->arena, &operator_id);
    size_t lines = 0;
    for (size_t i = 0; error == ACCORD_OK && i < scopes->count && lines <= RESETTLE_AT_ONCE_MAX;
         i++)
        error = find_in(tx, &scopes->items[i], operator_id, seqs, &lines);
    if (error != ACCORD_OK)
        return error;
    if (lines <= RESETTLE_AT_ONCE_MAX)
        return resettle_distinct(tx, seqs, lines);
    int64_t seq;
    error = begin_job(tx, &seq);
    for (size_t i = 0; error == ACCORD_OK && i < scopes->count; i++)
        error = queue_in(tx, &scopes->items[i], operator_id, seq);
    return error;
}

enum accord_error ingest_agreement_changed(struct ingest_tx *tx,
                                           const struct accord_agreement_version *version)
{
    struct agreement_book *before = tx->agreements;
    struct agreement_book *after;
    struct scopes scopes = {.arena = tx->arena};
    tx->agreements = NULL;
    enum accord_error error = ingest_agreements(tx, &after);
    if (error == ACCORD_OK)
        error = agreement_book_compare(before, after, add_version, &scopes);
    agreement_book_free(before);
    if (error != ACCORD_OK)
        return error;
    error = catalog_grants_changed(tx, version->agreement);
    for (uint32_t i = 0; error == ACCORD_OK && i < version->party_count; i++)
        error = ingest_touch(tx, version->parties[i]);
    /* Who joined a pool, and what use counts for whom. */
    const int64_t from = version->effective_from_us / CLOCK_DAY_US;
    for (uint32_t i = 0; error == ACCORD_OK && i < version->party_count; i++)
        error = store_pool_months_changed(tx->db, version->parties[i],
                                          period_of_day(false, from - 1), INT64_MAX);
    return error != ACCORD_OK ? error : resettle_scopes(tx, &scopes);
}

/* ---- rates ---- */

struct conversions {
    const struct rates_change *change;
    struct ingest_tx *tx;
    struct agreement_book *book;
    struct scopes scopes;
};

static bool concerns(const struct rates_change *change, const struct converted_row *row)
{
    for (size_t i = 0; i < change->currency_count; i++)
        if (strcmp(change->currencies[i].code, row->currency) == 0 ||
            strcmp(change->currencies[i].code, row->sale_currency) == 0)
            return true;
    return change->currencies == NULL;
}

/* Whether sales of this version and day may be converted with another rate now. */
static bool is_affected(const struct rates_change *change, const struct agreement_version *version,
                        int64_t day)
{
    int64_t first;
    int64_t last;
    rates_period(version, day, &first, &last);
    switch (version->terms.fx_policy) {
    case ACCORD_FX_ORDER_DAY:
        return day >= change->from && day < change->to;
    case ACCORD_FX_PERIOD_AVERAGE:
        return last >= change->from && first < change->to;
    case ACCORD_FX_CLOSE_DAY:
        return last >= change->from && last < change->to;
    }
    return true;
}

static enum accord_error add_converted(void *context, const struct converted_row *row)
{
    struct conversions *c = context;
    const struct agreement_version *version =
        agreement_book_find(c->book, row->agreement, row->version);
    if (version == NULL || !concerns(c->change, row) || !is_affected(c->change, version, row->day))
        return ACCORD_OK;
    return add_scope(&c->scopes, row->provider, row->channel, row->sale_currency,
                     zone_day_start(version->zone, (int32_t)row->day),
                     zone_day_start(version->zone, (int32_t)row->day + 1));
}

enum accord_error ingest_rates_changed(struct ingest_tx *tx, const struct rates_change *change)
{
    struct conversions c = {.change = change, .tx = tx, .scopes = {.arena = tx->arena}};
    const struct agreement_version longest = {.quarterly = true};
    int64_t from;
    int64_t to;
    int64_t unused;
    if (change->from >= change->to)
        return ACCORD_OK;
    /* What is summed up in memory is not in the rollups yet. */
    enum accord_error error = rollup_batch_flush(tx->rollups, tx->db);
    if (error == ACCORD_OK)
        error = ingest_agreements(tx, &c.book);
    rates_period(&longest, change->from, &from, &unused);
    rates_period(&longest, change->to - 1, &unused, &to);
    if (error == ACCORD_OK)
        error = store_rates_converted(tx->db, from, to + 1, add_converted, &c);
    return error != ACCORD_OK ? error : resettle_scopes(tx, &c.scopes);
}

/* ---- pools ---- */

enum accord_error ingest_pools_changed(struct ingest_tx *tx, const char *channel, instant_us from)
{
    struct scopes scopes = {.arena = tx->arena};
    const char *operator_id;
    enum accord_error error = store_partner_operator(tx->db, tx->arena, &operator_id);
    if (error == ACCORD_OK)
        error = store_pool_months_changed(tx->db, channel,
                                          period_of_day(false, from / CLOCK_DAY_US - 1), INT64_MAX);
    if (error == ACCORD_OK)
        error = add_scope(&scopes, operator_id, channel, "", from, INT64_MAX);
    return error == ACCORD_OK ? resettle_scopes(tx, &scopes) : error;
}

/* ---- courses ---- */

enum accord_error ingest_courses_arrived(struct ingest_tx *tx, const char *provider)
{
    int64_t *seqs = arena_array(tx->arena, RESETTLE_AT_ONCE_MAX + 1, sizeof *seqs);
    if (seqs == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t lines = 0;
    enum accord_error error =
        store_resettle_find_arrived(tx->db, provider, RESETTLE_AT_ONCE_MAX + 1, seqs, &lines);
    if (error != ACCORD_OK)
        return error;
    if (lines <= RESETTLE_AT_ONCE_MAX)
        return resettle_distinct(tx, seqs, lines);
    int64_t seq;
    error = begin_job(tx, &seq);
    return error != ACCORD_OK ? error : store_resettle_queue_arrived(tx->db, provider, seq);
}

/* ---- in the background ---- */

struct switching {
    struct ingest_tx *tx;
    struct agreement_book *book;
};

/* Who can see a row that becomes visible now. */
static enum accord_error touch_row(void *context, const struct rollup_row *row)
{
    const struct switching *s = context;
    const struct rollup_key *key = &row->key;
    enum accord_error error = ingest_touch(s->tx, key->channel);
    const struct agreement_version *version =
        agreement_book_find(s->book, key->agreement, key->version);
    for (uint32_t i = 0; error == ACCORD_OK && version != NULL && i < version->terms.party_count;
         i++)
        error = ingest_touch(s->tx, version->terms.parties[i]);
    if (error == ACCORD_OK && version == NULL && *key->provider != '\0')
        error = ingest_touch(s->tx, key->provider);
    return error;
}

/* Promoters need not be parties. */
static enum accord_error touch_share(void *context, const struct rollup_share *share)
{
    const struct switching *s = context;
    return ingest_touch(s->tx, share->key.payee);
}

/* The job's last step: everything that it staged becomes visible in this transaction. */
static enum accord_error make_switch(struct ingest_tx *tx, int64_t generation)
{
    struct switching switching = {.tx = tx};
    enum accord_error error = rollup_batch_flush(tx->rollups, tx->db);
    if (error == ACCORD_OK)
        error = ingest_agreements(tx, &switching.book);
    if (error == ACCORD_OK)
        error = store_rollups_staged(tx->db, touch_row, &switching);
    if (error == ACCORD_OK)
        error = store_rollup_shares_staged(tx->db, touch_share, &switching);
    if (error == ACCORD_OK)
        error = store_rollups_publish(tx->db);
    if (error == ACCORD_OK)
        error = store_resettle_head_set(tx->db, generation, 0);
    int64_t seq;
    return error != ACCORD_OK ? error : ingest_seq(tx, 1, &seq);
}

enum accord_error ingest_resettle_chunk(struct ingest_tx *tx, size_t sales_max, int64_t *ret_left)
{
    struct resettle_head head;
    enum accord_error error = store_resettle_head(tx->db, &head);
    if (error != ACCORD_OK)
        return error;
    if (head.staging == 0) {
        *ret_left = 0;
        return ACCORD_OK;
    }
    int64_t *seqs = arena_array(tx->arena, sales_max, sizeof *seqs);
    size_t count = 0;
    if (seqs == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    error = store_resettle_take(tx->db, (int64_t)sales_max, CHUNK_LINES_MAX, seqs, &count);
    /* Settled while they are still in the queue: that is what makes them staged. */
    if (error == ACCORD_OK)
        error = ingest_resettle(tx, seqs, count);
    if (error == ACCORD_OK)
        error = store_resettle_remove(tx->db, seqs, count);
    const int64_t left = head.waiting - (int64_t)count;
    if (error == ACCORD_OK && left <= 0)
        error = make_switch(tx, head.staging);
    if (error == ACCORD_OK)
        *ret_left = left;
    return error;
}
