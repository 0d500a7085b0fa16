#include "ingest/post.h"

#include <string.h>

#include "ingest/keymap.h"
#include "ingest/posting.h"
#include "ingest/referral.h"
#include "store/facts.h"

/* An order on its way: what the journal holds of it. */
struct work {
    struct post_order *post;
    struct stored_order stored;
    struct accord_order *order; /* its current sale; NULL: none */
    int64_t sale_seq;
    const uint8_t *learner; /* who bought; NULL: not known */
    struct settled settled;
};

struct posting {
    struct ingest_tx *tx;
    struct work *work;
    size_t count;
};

/* ---- courses ---- */

enum accord_error ingest_fill_courses(struct db *db, struct arena *arena,
                                      struct accord_order *const *orders, size_t count)
{
    size_t lines = 0;
    for (size_t i = 0; i < count; i++)
        lines += orders[i]->line_count;
    struct keymap map;
    struct course_name *names = arena_array(arena, lines + 1, sizeof *names);
    bool *known = arena_array(arena, lines + 1, sizeof *known);
    size_t *places = arena_array(arena, lines + 1, sizeof *places);
    if (names == NULL || known == NULL || places == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = keymap_init(&map, arena, count);
    size_t distinct = 0;
    size_t n = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        for (size_t j = 0; error == ACCORD_OK && j < orders[i]->line_count; j++) {
            const struct accord_line *line = &orders[i]->lines[j];
            const struct key key = key_of(line->provider, line->course_id, NULL);
            size_t *at;
            error = keymap_at(&map, &key, distinct, &at);
            if (error != ACCORD_OK)
                break;
            if (*at == distinct)
                names[distinct++] = (struct course_name){line->provider, line->course_id};
            places[n++] = *at;
        }
    if (error == ACCORD_OK)
        error = store_courses_known(db, names, distinct, known);
    n = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct accord_line *own = arena_array(arena, orders[i]->line_count + 1, sizeof *own);
        if (own == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        memcpy(own, orders[i]->lines, orders[i]->line_count * sizeof *own);
        for (size_t j = 0; j < orders[i]->line_count; j++)
            own[j].course_known = known[places[n++]];
        orders[i]->lines = own;
    }
    return error;
}

/* ---- loading ---- */

static enum accord_error load_orders(struct posting *p)
{
    struct arena *arena = p->tx->arena;
    struct stored_order *loaded = arena_array(arena, p->count + 1, sizeof *loaded);
    struct stored_order *fresh = arena_array(arena, p->count + 1, sizeof *fresh);
    if (loaded == NULL || fresh == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t loaded_count = 0;
    size_t fresh_count = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->work[i].post->fresh == NULL)
            loaded[loaded_count++].name = p->work[i].post->name;
        else
            fresh[fresh_count++].name = p->work[i].post->name;
    enum accord_error error = store_orders_load(p->tx->db, arena, loaded, loaded_count);
    if (error == ACCORD_OK)
        error = store_order_refunds_load(p->tx->db, arena, fresh, fresh_count);
    if (error != ACCORD_OK)
        return error;
    loaded_count = fresh_count = 0;
    for (size_t i = 0; i < p->count; i++) {
        struct work *work = &p->work[i];
        if (work->post->fresh != NULL) {
            work->stored = fresh[fresh_count++];
            work->order = arena_alloc(arena, sizeof *work->order);
            if (work->order == NULL)
                return ACCORD_E_OUT_OF_MEMORY;
            *work->order = *work->post->fresh;
            work->sale_seq = work->post->fresh_seq;
            work->learner = work->post->fresh_learner;
            continue;
        }
        work->stored = loaded[loaded_count++];
        const struct stored_sale *sale = work->stored.current;
        if (sale == NULL)
            continue;
        work->order = arena_alloc(arena, sizeof *work->order);
        if (work->order == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        *work->order = (struct accord_order){
            .channel = work->post->name.channel,
            .order_id = work->post->name.order_id,
            .occurred_at_us = sale->occurred_at,
            .currency = sale->currency,
            .lines = sale->lines,
            .line_count = sale->line_count,
        };
        work->sale_seq = sale->seq;
        work->learner = sale->has_learner ? sale->learner : NULL;
    }
    return ACCORD_OK;
}

static enum accord_error fill_courses(struct posting *p)
{
    struct accord_order **orders = arena_array(p->tx->arena, p->count + 1, sizeof *orders);
    if (orders == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->work[i].order != NULL)
            orders[count++] = p->work[i].order;
    return ingest_fill_courses(p->tx->db, p->tx->arena, orders, count);
}

static enum accord_error fill_touches(struct posting *p, const struct agreement_book *book)
{
    struct referred_order *orders = arena_array(p->tx->arena, p->count + 1, sizeof *orders);
    if (orders == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->work[i].order != NULL)
            orders[count++] =
                (struct referred_order){p->work[i].order, p->work[i].learner, p->work[i].sale_seq};
    return ingest_fill_touches(p->tx->db, p->tx->arena, agreement_book_window(book), orders, count);
}

/* ---- settling ---- */

/* All sales of an order: one of them may stand. */
static enum accord_error make_item(struct arena *arena, struct work *work, struct posting_item *ret)
{
    const size_t stored = work->stored.sale_count;
    struct posting_sale *sales = arena_array(arena, stored + 1, sizeof *sales);
    if (sales == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *ret = (struct posting_item){
        .seq = work->post->seq, .sales = sales, .sale_count = stored, .order = work->order};
    for (size_t i = 0; i < stored; i++) {
        const int64_t seq = work->stored.sales[i].seq;
        const bool current = work->order != NULL && seq == work->sale_seq;
        sales[i] = (struct posting_sale){seq, false, current ? &work->settled : NULL};
    }
    if (work->post->fresh != NULL) {
        sales[0] = (struct posting_sale){work->sale_seq, true, &work->settled};
        ret->sale_count = 1;
    }
    return ACCORD_OK;
}

static enum accord_error settle_work(struct posting *p, struct agreement_book *book,
                                     struct work *work, struct posting_item *ret)
{
    enum accord_error error = ACCORD_OK;
    if (work->order != NULL) {
        const struct sale_view view = {work->sale_seq, work->order, work->stored.refunds,
                                       work->stored.refund_count};
        error = settled_of(book, p->tx->rates, p->tx->arena, &view, &work->settled);
        work->post->held = work->settled.held;
    }
    return error != ACCORD_OK ? error : make_item(p->tx->arena, work, ret);
}

enum accord_error ingest_post(struct ingest_tx *tx, struct post_order *orders, size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    struct posting posting = {.tx = tx, .count = count};
    struct posting *p = &posting;
    struct posting_item *items = arena_array(tx->arena, count, sizeof *items);
    struct agreement_book *book;
    p->work = arena_array(tx->arena, count, sizeof *p->work);
    if (p->work == NULL || items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        orders[i].held = ACCORD_HELD_NOT;
        p->work[i].post = &orders[i];
    }
    enum accord_error error = ingest_agreements(tx, &book);
    if (error == ACCORD_OK)
        error = load_orders(p);
    if (error == ACCORD_OK)
        error = fill_courses(p);
    if (error == ACCORD_OK)
        error = fill_touches(p, book);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = settle_work(p, book, &p->work[i], &items[i]);
    if (error == ACCORD_OK)
        error = ingest_post_entries(tx, book, items, count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        orders[i].excess_grew = items[i].excess_grew;
    return error;
}
