/* What files of inputs say of pools: the shares that windows are folded over and, of pools that are
 * open, what the latest divisions were divided by, member by member, under other names. */
#include <string.h>

#include "ingest/closing.h"
#include "ingest/inputs.h"
#include "ingest/pool_division.h"
#include "json/write.h"

static void write_hash(struct json_writer *w, const char *name, const struct hash *hash)
{
    char hex[HASH_HEX_MAX];
    hash_hex(hash, hex);
    jw_key_str(w, name, hex);
}

static void write_share(const struct pool_share_row *share, const struct pool_month_row *month,
                        struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_int(&w, "amount", share->amount);
    jw_key_str(&w, "channel", share->channel);
    jw_key_str(&w, "exact", share->exact);
    jw_key_str(&w, "kind", "pool");
    jw_key_day(&w, "month", share->day);
    jw_key_str(&w, "pool", share->pool);
    jw_key_int(&w, "pool_version", month->version);
    jw_key_str(&w, "provider", share->provider);
    write_hash(&w, "sheet_hash", &month->sheet_hash);
    jw_key_int(&w, "term", share->term);
    jw_key_int(&w, "units", share->units);
    jw_key_int(&w, "version", share->version);
    jw_object_end(&w);
    buf_add_char(out, '\n');
}

/* ---- sheets ---- */

struct showing {
    const struct closing *c;
    struct closing_account *account;
    const struct pool_month_row *month;
    int64_t amount; /* what the account's partner gets of the month */
};

static enum accord_error show_terms(void *context, const struct accord_pool_terms *terms,
                                    const char *const *providers)
{
    const struct showing *s = context;
    struct buf *out = &s->account->inputs.bytes;
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_int(&w, "amount", s->amount);
    jw_key_int(&w, "cap_units", terms->cap_units);
    jw_key_str(&w, "channel", s->month->channel);
    jw_key_int(&w, "fees", s->month->fees);
    jw_key_str(&w, "idle", pool_idle_names[terms->idle]);
    jw_key_str(&w, "kind", "sheet");
    jw_key_int(&w, "lambda_ppm", terms->lambda_ppm);
    jw_key_str(&w, "method", pool_method_names[terms->method]);
    jw_key_int(&w, "min_units", terms->min_units);
    jw_key_day(&w, "month", s->month->day);
    for (uint32_t i = 0; i < terms->payee_count; i++)
        if (strcmp(providers[i], s->account->partner) == 0)
            jw_key_int(&w, "own", i);
    jw_key_str(&w, "pool", s->month->pool);
    jw_key_int(&w, "unclaimed", s->month->unclaimed);
    jw_key(&w, "weights_ppm");
    jw_array(&w);
    for (uint32_t i = 0; i < terms->payee_count; i++)
        jw_int(&w, terms->weights_ppm[i]);
    jw_array_end(&w);
    jw_object_end(&w);
    buf_add_char(out, '\n');
    return closing_inputs_flush(s->c, s->account, CLOSING_CHUNK_BYTES);
}

/* A learner has another name in every statement: nobody can tell that two are one. */
static void write_learner(struct json_writer *w, const struct showing *s, const uint8_t *learner)
{
    char id[STATEMENT_ID_MAX];
    close_statement_id(s->account->partner, s->c->governs->terms.agreement, s->c->day, id);
    struct key key = key_of("sheet", id, NULL);
    key_bytes(&key, learner, LEARNER_BYTES);
    const struct hash hash = hash_of((struct slice){key.bytes, key.len});
    char hex[HASH_HEX_MAX];
    hash_hex(&hash, hex);
    jw_key_slice(w, "learner", (struct slice){hex, LEARNER_BYTES * (size_t)2});
}

static enum accord_error show_member(void *context, const uint8_t *learner, int64_t fee_minor,
                                     const struct accord_pool_cell *cells, size_t count)
{
    const struct showing *s = context;
    struct buf *out = &s->account->inputs.bytes;
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_int(&w, "fee", fee_minor);
    jw_key_str(&w, "kind", "member");
    if (learner != NULL)
        write_learner(&w, s, learner);
    jw_key(&w, "units");
    jw_array(&w);
    for (size_t i = 0; i < count; i++) {
        jw_int(&w, cells[i].payee);
        jw_int(&w, cells[i].units);
    }
    jw_array_end(&w);
    jw_object_end(&w);
    buf_add_char(out, '\n');
    return closing_inputs_flush(s->c, s->account, CLOSING_CHUNK_BYTES);
}

static enum accord_error is_open(const struct closing *c, const struct pool_month_row *month,
                                 bool *ret)
{
    struct pool_row row;
    struct pool pool;
    bool found = false;
    enum accord_error error =
        store_pool_in_force(c->db, c->arena, month->channel, month->pool, month->day, &row, &found);
    if (error == ACCORD_OK && found)
        error = pool_decode_row(c->arena, &row, &pool);
    *ret = error == ACCORD_OK && found && pool.open_inputs;
    return error;
}

/* All that a provider gets of a month, under whatever agreement. */
static enum accord_error amount_of(const struct closing *c, const struct pool_month_row *month,
                                   const char *provider, int64_t *ret)
{
    struct pool_share_row *shares;
    size_t count;
    int64_t sum = 0;
    enum accord_error error = store_pool_shares(c->db, c->arena, month->channel, month->pool,
                                                month->day, &shares, &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        if (strcmp(shares[i].provider, provider) == 0)
            error = accord_add(sum, shares[i].amount, &sum);
    *ret = sum;
    return error;
}

static enum accord_error show_sheet(struct closing *c, struct agreement_book *book,
                                    struct closing_account *account,
                                    const struct pool_month_row *month)
{
    struct showing showing = {.c = c, .account = account, .month = month};
    const struct pool_sheet sheet = {show_terms, show_member, &showing};
    struct pool_division unused;
    const enum accord_error error = amount_of(c, month, account->partner, &showing.amount);
    return error != ACCORD_OK ? error
                              : pool_divide(c->db, c->arena, book, month->channel, month->pool,
                                            month->day, &sheet, &unused);
}

/* ---- all of an agreement ---- */

/* A provider sees what the months of its shares were divided by that are new to it: those of this
 * period, and those that were divided otherwise since the close before. */
static enum accord_error show_sheets(struct closing *c, struct agreement_book **book,
                                     const struct pool_share_row *shares,
                                     const struct pool_month_row *months, size_t count)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        const bool again = i > 0 && shares[i].day == shares[i - 1].day &&
                           strcmp(shares[i].pool, shares[i - 1].pool) == 0 &&
                           strcmp(shares[i].channel, shares[i - 1].channel) == 0 &&
                           strcmp(shares[i].provider, shares[i - 1].provider) == 0;
        bool open = false;
        if (again || (shares[i].day < c->day && months[i].seq <= c->known))
            continue;
        struct closing_account *account = NULL;
        for (size_t j = 0; j < c->count; j++)
            if (strcmp(c->accounts[j]->partner, shares[i].provider) == 0)
                account = c->accounts[j];
        if (account == NULL || !account->inputs.derived)
            continue;
        error = is_open(c, &months[i], &open);
        if (error == ACCORD_OK && open && *book == NULL)
            error = agreement_book_load(c->db, book);
        if (error == ACCORD_OK && open)
            error = show_sheet(c, *book, account, &months[i]);
    }
    return error;
}

enum accord_error closing_inputs_pools(struct closing *c)
{
    struct pool_share_row *shares;
    struct agreement_book *book = NULL;
    size_t count;
    enum accord_error error = store_pool_shares_of(c->db, c->arena, c->governs->terms.agreement,
                                                   c->next, &shares, &count);
    if (error != ACCORD_OK || count == 0)
        return error;
    struct pool_month_row *months = arena_array(c->arena, count, sizeof *months);
    if (months == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        bool found = false;
        error = store_pool_month_find(c->db, c->arena, shares[i].channel, shares[i].pool,
                                      shares[i].day, &months[i], &found);
        if (error == ACCORD_OK && !found)
            error = ACCORD_E_DATABASE_ERROR;
        for (size_t j = 0; error == ACCORD_OK && j < c->count; j++)
            if (c->accounts[j]->inputs.derived)
                write_share(&shares[i], &months[i], &c->accounts[j]->inputs.bytes);
    }
    if (error == ACCORD_OK)
        error = show_sheets(c, &book, shares, months, count);
    agreement_book_free(book);
    return error;
}
