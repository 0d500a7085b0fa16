/* Orders: settled anew from their typed rows, and compared with what their entries add up to. */
#include "ingest/post.h"
#include "ingest/referral.h"
#include "ingest/settled.h"
#include "ingest/verify_parts.h"

enum { ORDERS_AT_ONCE = 200 };

static enum accord_error check_order(struct verify *v, const struct stored_order *order,
                                     const struct accord_order *sale,
                                     const struct entry_list *lists, const bool *queued)
{
    struct settled want = {.count = 0};
    const struct settled nothing = {.count = 0};
    bool waiting = false;
    for (size_t i = 0; i < order->sale_count; i++)
        waiting |= queued[i];
    v->summary.orders++;
    v->summary.waiting += waiting;
    enum accord_error error = ACCORD_OK;
    if (sale != NULL) {
        const struct sale_view view = {order->current->seq, sale, order->refunds,
                                       order->refund_count};
        v->summary.lines += (int64_t)sale->line_count;
        error = settled_of(v->book, v->rates, v->arena, &view, &want);
        if (error != ACCORD_OK && error != ACCORD_E_OUT_OF_MEMORY) {
            verify_entry_differs(v, &order->name, view.seq, 0, "the order cannot be settled");
            return ACCORD_OK;
        }
    }
    for (size_t i = 0; error == ACCORD_OK && i < order->sale_count; i++) {
        const bool current = &order->sales[i] == order->current;
        error = verify_sale(v, &order->name, &lists[i], current ? &want : &nothing, waiting);
    }
    return error;
}

static enum accord_error check_orders(struct verify *v, struct stored_order *orders, size_t count)
{
    enum accord_error error = store_orders_load(v->db, v->arena, orders, count);
    if (error != ACCORD_OK)
        return error;
    size_t sales = 0;
    for (size_t i = 0; i < count; i++)
        sales += orders[i].sale_count;
    struct entry_list *lists = arena_array(v->arena, sales + 1, sizeof *lists);
    int64_t *seqs = arena_array(v->arena, sales + 1, sizeof *seqs);
    bool *queued = arena_array(v->arena, sales + 1, sizeof *queued);
    struct accord_order **current = arena_array(v->arena, count + 1, sizeof *current);
    struct accord_order *views = arena_array(v->arena, count + 1, sizeof *views);
    struct referred_order *referred = arena_array(v->arena, count + 1, sizeof *referred);
    if (lists == NULL || seqs == NULL || queued == NULL || current == NULL || views == NULL ||
        referred == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t n = 0;
    size_t current_count = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < orders[i].sale_count; j++, n++)
            seqs[n] = lists[n].sale_seq = orders[i].sales[j].seq;
        const struct stored_sale *sale = orders[i].current;
        if (sale == NULL)
            continue;
        views[i] = (struct accord_order){
            .channel = orders[i].name.channel,
            .order_id = orders[i].name.order_id,
            .occurred_at_us = sale->occurred_at,
            .currency = sale->currency,
            .lines = sale->lines,
            .line_count = sale->line_count,
        };
        referred[current_count] =
            (struct referred_order){&views[i], sale->has_learner ? sale->learner : NULL, sale->seq};
        current[current_count++] = &views[i];
    }
    error = store_entries_load(v->db, v->arena, lists, sales);
    if (error == ACCORD_OK)
        error = store_resettle_queued(v->db, seqs, sales, queued);
    if (error == ACCORD_OK)
        error = ingest_fill_courses(v->db, v->arena, current, current_count);
    if (error == ACCORD_OK)
        error = ingest_fill_touches(v->db, v->arena, agreement_book_window(v->book), referred,
                                    current_count);
    n = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        error = check_order(v, &orders[i], orders[i].current == NULL ? NULL : &views[i], &lists[n],
                            &queued[n]);
        n += orders[i].sale_count;
    }
    return error;
}

enum accord_error verify_orders(struct verify *v)
{
    struct arena *names = arena_new(16 << 20);
    if (names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct order_name found[ORDERS_AT_ONCE];
    struct order_name after = {"", ""};
    size_t count = ORDERS_AT_ONCE;
    enum accord_error error = ACCORD_OK;
    while (error == ACCORD_OK && count == ORDERS_AT_ONCE) {
        arena_reset(v->arena);
        error = store_orders_list(v->db, v->arena, after, ORDERS_AT_ONCE, found, &count);
        if (error != ACCORD_OK || count == 0)
            break;
        struct stored_order *orders = arena_array(v->arena, count, sizeof *orders);
        if (orders == NULL) {
            error = ACCORD_E_OUT_OF_MEMORY;
            break;
        }
        for (size_t i = 0; i < count; i++)
            orders[i].name = found[i];
        error = check_orders(v, orders, count);
        /* One broken order must not hide the others: they are looked at one by one. */
        for (size_t i = 0; error == ACCORD_E_DATABASE_ERROR && i < count; i++) {
            struct stored_order one = {.name = found[i]};
            const enum accord_error alone = check_orders(v, &one, 1);
            if (alone == ACCORD_E_DATABASE_ERROR)
                verify_differs(v, "entry", "%s %s: its rows do not fit together", found[i].channel,
                               found[i].order_id);
            else if (alone != ACCORD_OK)
                error = alone;
        }
        if (error == ACCORD_E_DATABASE_ERROR)
            error = ACCORD_OK;
        arena_reset(names);
        after = (struct order_name){arena_strdup(names, slice_of(found[count - 1].channel)),
                                    arena_strdup(names, slice_of(found[count - 1].order_id))};
        if (after.channel == NULL || after.order_id == NULL)
            error = ACCORD_E_OUT_OF_MEMORY;
    }
    arena_free(names);
    return error;
}
