#include "ingest/tx.h"

#include <stdlib.h>
#include <string.h>

#include "ingest/book.h"
#include "ingest/challenge_rounds.h"
#include "ingest/keymap.h"
#include "ingest/pool_division.h"
#include "ingest/rates.h"
#include "ingest/rollup.h"
#include "store/facts.h"

enum {
    TX_BYTES_MAX = 1 << 30,
    ROLE_OF_OPERATORS = 8,
    IDLE_SALES_MAX = 500, /* of one piece of background work: tasks wait meanwhile */
};

struct touched_set {
    struct arena *arena;
    struct keymap index;
    const char **ids;
    size_t count;
    size_t cap;
    bool ready;
};

enum accord_error ingest_tx_new(const struct ingest_config *config, struct ingest_tx **ret)
{
    struct ingest_tx *tx = calloc(1, sizeof *tx);
    if (tx == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    tx->config = config;
    tx->arena = arena_new(TX_BYTES_MAX);
    tx->rollups = rollup_batch_new();
    tx->touched = calloc(1, sizeof *tx->touched);
    if (tx->touched != NULL)
        tx->touched->arena = arena_new(TX_BYTES_MAX);
    const bool rates = rate_book_new(&tx->rates) == ACCORD_OK;
    if (!rates || tx->arena == NULL || tx->rollups == NULL || tx->touched == NULL ||
        tx->touched->arena == NULL) {
        ingest_tx_free(tx);
        return ACCORD_E_OUT_OF_MEMORY;
    }
    *ret = tx;
    return ACCORD_OK;
}

void ingest_tx_free(struct ingest_tx *tx)
{
    if (tx == NULL)
        return;
    if (tx->touched != NULL)
        arena_free(tx->touched->arena);
    free(tx->touched);
    rollup_batch_free(tx->rollups);
    agreement_book_free(tx->agreements);
    rate_book_free(tx->rates);
    arena_free(tx->arena);
    free(tx);
}

static void forget_touched(struct touched_set *touched)
{
    arena_reset(touched->arena);
    *touched = (struct touched_set){.arena = touched->arena};
}

enum accord_error ingest_tx_enter(struct ingest_tx *tx, struct db *db)
{
    if (tx->db == db)
        return ACCORD_OK;
    arena_reset(tx->arena);
    forget_touched(tx->touched);
    rollup_batch_clear(tx->rollups);
    tx->now = clock_now_us();
    tx->last_seq = 0;
    tx->db = db;
    const enum accord_error error = rate_book_enter(tx->rates, db);
    if (error != ACCORD_OK)
        return error;
    /* Before anything changes: what a change of an agreement touches is what differs from here. */
    struct agreement_book *book;
    return ingest_agreements(tx, &book);
}

enum accord_error ingest_seq(struct ingest_tx *tx, int64_t count, int64_t *ret_first)
{
    int64_t first;
    const enum accord_error error = store_journal_take(tx->db, count, &first);
    if (error != ACCORD_OK)
        return error;
    tx->last_seq = first + count - 1;
    *ret_first = first;
    return ACCORD_OK;
}

enum accord_error ingest_touch(struct ingest_tx *tx, const char *partner)
{
    struct touched_set *touched = tx->touched;
    enum accord_error error = ACCORD_OK;
    if (*partner == '@') /* a payee that is no partner: a window, a pool */
        return ACCORD_OK;
    if (!touched->ready) {
        error = keymap_init(&touched->index, touched->arena, 16);
        touched->ready = error == ACCORD_OK;
    }
    const struct key key = key_of(partner, NULL);
    size_t *at = NULL;
    if (error == ACCORD_OK)
        error = keymap_at(&touched->index, &key, touched->count, &at);
    if (error != ACCORD_OK || *at < touched->count)
        return error;
    const char **ids =
        arena_room(touched->arena, touched->ids, touched->count, &touched->cap, sizeof *ids);
    if (ids == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    touched->ids = ids;
    const char *copy = arena_strdup(touched->arena, slice_of(partner));
    if (copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    touched->ids[touched->count++] = copy;
    return ACCORD_OK;
}

static enum accord_error touch_operator(void *context, const char *id)
{
    return ingest_touch(context, id);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum accord_error write_versions(struct ingest_tx *tx)
{
    if (tx->touched->count == 0)
        return ACCORD_OK;
    enum accord_error error = store_partners_with(tx->db, ROLE_OF_OPERATORS, touch_operator, tx);
    int64_t seq;
    if (error == ACCORD_OK && tx->last_seq == 0)
        error = ingest_seq(tx, 1, &seq);
    if (error != ACCORD_OK)
        return error;
    qsort(tx->touched->ids, tx->touched->count, sizeof *tx->touched->ids, by_text);
    return store_partner_versions_set(tx->db, tx->touched->ids, tx->touched->count, tx->last_seq);
}

enum accord_error ingest_tx_before_commit(void *context, struct db *db)
{
    struct ingest_tx *tx = context;
    if (tx->db != db)
        return ACCORD_OK; /* no task of this transaction needed it */
    enum accord_error error = rollup_batch_flush(tx->rollups, db);
    if (error == ACCORD_OK)
        error = write_versions(tx);
    if (error == ACCORD_OK)
        tx->db = NULL;
    return error;
}

void ingest_tx_rolled_back(void *context)
{
    struct ingest_tx *tx = context;
    rollup_batch_clear(tx->rollups);
    forget_touched(tx->touched);
    /* It may have been read from rows that no longer are. */
    agreement_book_free(tx->agreements);
    tx->agreements = NULL;
    rate_book_forget(tx->rates);
    tx->last_seq = 0;
    tx->db = NULL;
}

enum accord_error ingest_tx_idle(void *context, struct db *db, bool *ret_more)
{
    struct ingest_tx *tx = context;
    int64_t left = 0;
    enum accord_error error = ingest_tx_enter(tx, db);
    if (error == ACCORD_OK)
        error = ingest_resettle_chunk(tx, IDLE_SALES_MAX, &left);
    bool more = false;
    if (error == ACCORD_OK && left == 0)
        error = pool_divide_next(tx, &more);
    if (error == ACCORD_OK && left == 0 && !more)
        error = challenge_settle_due(tx, &more);
    if (error == ACCORD_OK)
        *ret_more = left > 0 || more;
    return error;
}

enum accord_error ingest_agreements(struct ingest_tx *tx, struct agreement_book **ret)
{
    enum accord_error error = ACCORD_OK;
    if (tx->agreements == NULL)
        error = agreement_book_load(tx->db, &tx->agreements);
    if (error == ACCORD_OK)
        *ret = tx->agreements;
    return error;
}
