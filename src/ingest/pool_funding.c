/* What memberships put into pools: by the offer that was sold and the pool's version of the month.
 */
#include <string.h>

#include "ingest/keymap.h"
#include "ingest/periods.h"
#include "ingest/pool.h"
#include "store/offers.h"
#include "store/windows.h"

/* A version of a membership offer that names a pool, or none (""). */
struct offered {
    const char *offer;
    instant_us from;
    const char *pool;
};

struct divided {
    const char *pool;
    int64_t from_day;
    struct accord_pool_funding funding;
};

/* What a channel has. */
struct shelf {
    struct offered *offers; /* by offer and version */
    size_t offer_count;
    struct divided *pools; /* by pool and version */
    size_t pool_count;
};

struct pool_book {
    struct db *db;
    struct arena *arena;
    struct keymap index; /* of channels */
    struct shelf *shelves;
    size_t count;
    size_t cap;
};

struct pool_book *pool_book_new(struct db *db, struct arena *arena)
{
    struct pool_book *book = arena_alloc(arena, sizeof *book);
    if (book == NULL)
        return NULL;
    *book = (struct pool_book){.db = db, .arena = arena};
    return keymap_init(&book->index, arena, 4) == ACCORD_OK ? book : NULL;
}

/* ---- reading ---- */

static enum accord_error read_offers(struct pool_book *book, const char *channel,
                                     struct shelf *shelf)
{
    struct offer_version_row *rows;
    enum accord_error error =
        store_offer_versions(book->db, book->arena, channel, offer_kind_names[OFFER_MEMBERSHIP],
                             &rows, &shelf->offer_count);
    if (error != ACCORD_OK)
        return error;
    shelf->offers = arena_array(book->arena, shelf->offer_count + 1, sizeof *shelf->offers);
    struct json_problems *unused = arena_alloc(book->arena, sizeof *unused);
    if (shelf->offers == NULL || unused == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < shelf->offer_count; i++) {
        struct offer offer;
        unused->count = unused->total = 0;
        error = offer_decode(book->arena, rows[i].body, &offer, unused);
        if (error != ACCORD_OK)
            return error == ACCORD_E_OUT_OF_MEMORY ? error : ACCORD_E_DATABASE_ERROR;
        shelf->offers[i] = (struct offered){
            .offer = rows[i].offer,
            .from = rows[i].from_at,
            .pool = offer.membership.pool.data == NULL
                        ? ""
                        : arena_strdup(book->arena, offer.membership.pool),
        };
        if (shelf->offers[i].pool == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    return ACCORD_OK;
}

static enum accord_error read_pools(struct pool_book *book, const char *channel,
                                    struct shelf *shelf)
{
    struct pool_row *rows;
    enum accord_error error =
        store_pools_of(book->db, book->arena, channel, &rows, &shelf->pool_count);
    if (error != ACCORD_OK)
        return error;
    shelf->pools = arena_array(book->arena, shelf->pool_count + 1, sizeof *shelf->pools);
    if (shelf->pools == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < shelf->pool_count; i++) {
        struct pool pool;
        char payee[POOL_PAYEE_MAX];
        error = pool_decode_row(book->arena, &rows[i], &pool);
        if (error != ACCORD_OK)
            return error;
        pool_payee(channel, slice_of(rows[i].pool), payee);
        shelf->pools[i] = (struct divided){
            .pool = rows[i].pool,
            .from_day = rows[i].from_day,
            .funding = {.payee = arena_strdup(book->arena, slice_of(payee)),
                        .share_ppm = pool.share_ppm,
                        .currency = pool.currency},
        };
        if (shelf->pools[i].funding.payee == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    return ACCORD_OK;
}

static enum accord_error shelf_of(struct pool_book *book, const char *channel,
                                  const struct shelf **ret)
{
    const struct key key = key_of(channel, NULL);
    size_t *at;
    enum accord_error error = keymap_at(&book->index, &key, book->count, &at);
    if (error != ACCORD_OK)
        return error;
    if (*at == book->count) {
        struct shelf *shelves =
            arena_room(book->arena, book->shelves, book->count, &book->cap, sizeof *book->shelves);
        if (shelves == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        book->shelves = shelves;
        struct shelf shelf = {.offer_count = 0};
        error = read_offers(book, channel, &shelf);
        if (error == ACCORD_OK)
            error = read_pools(book, channel, &shelf);
        if (error != ACCORD_OK)
            return error;
        book->shelves[book->count++] = shelf;
    }
    *ret = &book->shelves[*at];
    return ACCORD_OK;
}

enum accord_error pool_book_funding(struct pool_book *book, const char *channel, const char *offer,
                                    instant_us sold_at, int64_t day,
                                    const struct accord_pool_funding **ret)
{
    const struct shelf *shelf;
    const enum accord_error error = shelf_of(book, channel, &shelf);
    const char *pool = "";
    if (error != ACCORD_OK)
        return error;
    *ret = NULL;
    for (size_t i = 0; i < shelf->offer_count; i++)
        if (strcmp(shelf->offers[i].offer, offer) == 0 && shelf->offers[i].from <= sold_at)
            pool = shelf->offers[i].pool;
    for (size_t i = 0; *pool != '\0' && i < shelf->pool_count; i++)
        if (strcmp(shelf->pools[i].pool, pool) == 0 && shelf->pools[i].from_day <= day)
            *ret = &shelf->pools[i].funding;
    return ACCORD_OK;
}

/* ---- members ---- */

static bool funds(const struct entry_share *share)
{
    return strncmp(share->payee, ACCORD_PAYEE_POOL, sizeof ACCORD_PAYEE_POOL - 1) == 0;
}

enum accord_error pool_members_of(struct db *db, struct arena *arena,
                                  const struct entry_row *entries, size_t count,
                                  struct pool_member_row **ret, size_t *ret_count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < entries[i].share_count; j++)
            total += funds(&entries[i].shares[j]);
    *ret_count = total;
    if (total == 0)
        return ACCORD_OK;
    struct pool_member_row *rows = arena_array(arena, total, sizeof *rows);
    int64_t *seqs = arena_array(arena, total, sizeof *seqs);
    bool *known = arena_array(arena, total, sizeof *known);
    uint8_t(*learners)[LEARNER_BYTES] = arena_array(arena, total, sizeof *learners);
    if (rows == NULL || seqs == NULL || known == NULL || learners == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < entries[i].share_count; j++) {
            const struct entry_share *share = &entries[i].shares[j];
            bool is = false;
            if (!funds(share))
                continue;
            const enum accord_error error =
                pool_of_payee(arena, share->payee, &is, &rows[n].channel, &rows[n].pool);
            if (error != ACCORD_OK || !is)
                return error != ACCORD_OK ? error : ACCORD_E_DATABASE_ERROR;
            rows[n].day = period_of_day(false, entries[i].day);
            rows[n].fee_minor = share->amount;
            seqs[n++] = entries[i].sale_seq;
        }
    const enum accord_error error = store_sale_learners(db, seqs, total, learners, known);
    for (size_t i = 0; error == ACCORD_OK && i < total; i++) {
        rows[i].has_learner = known[i];
        if (known[i])
            memcpy(rows[i].learner, learners[i], LEARNER_BYTES);
    }
    *ret = rows;
    return error;
}
