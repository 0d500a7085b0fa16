/* Orders: settled anew from their typed rows, and compared with what their entries add up to. */
#include <inttypes.h>
#include <string.h>

#include "ingest/post.h"
#include "ingest/referral.h"
#include "ingest/settled.h"
#include "ingest/verify_parts.h"

enum { ORDERS_AT_ONCE = 200, SALES_AT_ONCE = 1000 };

static void entry_differs(struct verify *v, const struct stored_order *order, int64_t sale_seq,
                          int64_t line, const char *what)
{
    verify_differs(v, "entry", "sale %" PRId64 " line %" PRId64 " (%s %s): %s", sale_seq, line,
                   order->name.channel, order->name.order_id, what);
}

/* Takes a line's entries off what it should be; what is left over must be nothing. */
static enum accord_error compare_line(struct verify *v, const struct stored_order *order,
                                      const struct entry_row *rows, size_t count,
                                      const struct entry_row *want, size_t want_count)
{
    struct entry_row *groups = arena_array(v->arena, want_count + count + 1, sizeof *groups);
    size_t group_count = 0;
    if (groups == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (; group_count < want_count; group_count++)
        groups[group_count] = want[group_count];
    for (size_t i = 0; i < count; i++) {
        size_t j = 0;
        while (j < group_count && !entry_same_group(&groups[j], &rows[i]))
            j++;
        if (j == group_count) {
            groups[j] = rows[i];
            memset(groups[j].numbers, 0, sizeof groups[j].numbers);
            groups[j].share_count = 0;
            group_count++;
        }
        if (entry_add(&groups[j], &rows[i], -1) != ACCORD_OK) {
            entry_differs(v, order, rows[i].sale_seq, rows[i].line, "amounts that cannot be added");
            return ACCORD_OK;
        }
        if (rows[i].number != (int64_t)i)
            entry_differs(v, order, rows[i].sale_seq, rows[i].line, "entries are not numbered");
        if (rows[i].seq < rows[i].sale_seq || (i > 0 && rows[i].seq < rows[i - 1].seq))
            entry_differs(v, order, rows[i].sale_seq, rows[i].line, "seq is out of order");
        if (rows[i].generation < 0 ||
            rows[i].generation > (v->head.staging > 0 ? v->head.staging : v->head.visible))
            entry_differs(v, order, rows[i].sale_seq, rows[i].line, "no such generation");
    }
    for (size_t j = 0; j < group_count; j++)
        if (!entry_is_zero(&groups[j]))
            entry_differs(v, order, groups[j].sale_seq, groups[j].line,
                          "its entries do not add up to what was settled");
    return ACCORD_OK;
}

/* Staged entries count for the stage, not yet for what reports read. */
static enum accord_error expect_staged(struct verify *v, const struct entry_row *row)
{
    if (row->generation <= v->head.visible)
        return ACCORD_OK;
    enum accord_error error = rollup_batch_entry(v->expected, row);
    struct entry_row off = *row;
    off.generation = 0;
    memset(off.numbers, 0, sizeof off.numbers);
    off.share_count = 0;
    if (error == ACCORD_OK)
        error = entry_add(&off, row, -1);
    if (error == ACCORD_OK)
        error = rollup_batch_entry(v->expected, &off);
    return error;
}

/* One sale's entries against what it should come to; a sale that waits counts as it stands. */
static enum accord_error compare_sale(struct verify *v, const struct stored_order *order,
                                      const struct entry_list *list, const struct settled *want,
                                      bool waiting)
{
    enum accord_error error = ACCORD_OK;
    v->summary.entries += (int64_t)list->count;
    error = verify_take_learners(v, list->rows, list->count);
    for (size_t i = 0; error == ACCORD_OK && i < list->count; i++) {
        if (list->rows[i].booked != verify_booked(v, &list->rows[i]))
            entry_differs(v, order, list->sale_seq, list->rows[i].line,
                          "booked in a period that was closed, or in one too late");
        error = expect_staged(v, &list->rows[i]);
        if (error == ACCORD_OK && waiting) {
            struct entry_row row = list->rows[i];
            row.generation = 0;
            error = rollup_batch_entry(v->expected, &row);
        }
    }
    if (waiting)
        return error;
    size_t compared = 0;
    for (size_t i = 0; error == ACCORD_OK && i < list->count;) {
        size_t end = i;
        while (end < list->count && list->rows[end].line == list->rows[i].line)
            end++;
        /* The rows of a line stand together. */
        size_t first = 0;
        size_t rows = 0;
        while (first < want->count && want->rows[first].line != list->rows[i].line)
            first++;
        while (first + rows < want->count && want->rows[first + rows].line == list->rows[i].line)
            rows++;
        compared += rows;
        error = compare_line(v, order, &list->rows[i], end - i,
                             rows == 0 ? NULL : &want->rows[first], rows);
        i = end;
    }
    for (size_t j = 0; error == ACCORD_OK && j < want->count; j++)
        error = rollup_batch_entry(v->expected, &want->rows[j]);
    if (compared < want->count)
        entry_differs(v, order, list->sale_seq, 0, "a line has no entries");
    return error;
}

/* Lines that are held for their course, by what stands in the entries. */
static enum accord_error check_unmatched(struct verify *v, const struct stored_order *order,
                                         const struct entry_list *list)
{
    for (size_t i = 0; i < list->count;) {
        const struct entry_row *first = &list->rows[i];
        int64_t held = 0;
        for (; i < list->count && list->rows[i].line == first->line; i++)
            if (strcmp(list->rows[i].held, "unmatched") == 0)
                held += list->rows[i].numbers[ENTRY_LINES];
        if (held == 0)
            continue;
        const struct unmatched_row row = {first->provider, first->course_id, first->sale_seq,
                                          first->line};
        bool found;
        const enum accord_error error = store_unmatched_known(v->db, &row, 1, &found);
        if (error != ACCORD_OK)
            return error;
        if (!found)
            entry_differs(v, order, first->sale_seq, first->line,
                          "held, but not found when its "
                          "course arrives");
        v->counts.unmatched++;
    }
    return ACCORD_OK;
}

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
            entry_differs(v, order, view.seq, 0, "the order cannot be settled");
            return ACCORD_OK;
        }
    }
    for (size_t i = 0; error == ACCORD_OK && i < order->sale_count; i++) {
        const bool current = &order->sales[i] == order->current;
        error = compare_sale(v, order, &lists[i], current ? &want : &nothing, waiting);
        if (error == ACCORD_OK)
            error = check_unmatched(v, order, &lists[i]);
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
            (struct referred_order){&views[i], sale->has_learner ? sale->learner : NULL};
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

/* Entries of sales that are none. */
static enum accord_error check_strays(struct verify *v)
{
    int64_t seqs[SALES_AT_ONCE];
    struct order_name names[SALES_AT_ONCE] = {{0}};
    size_t count = SALES_AT_ONCE;
    int64_t after = INT64_MIN;
    enum accord_error error = ACCORD_OK;
    while (error == ACCORD_OK && count == SALES_AT_ONCE) {
        arena_reset(v->arena);
        error = store_entry_sales(v->db, after, SALES_AT_ONCE, seqs, &count);
        if (error == ACCORD_OK && count > 0)
            error = store_orders_of_sales(v->db, v->arena, seqs, count, names);
        for (size_t i = 0; error == ACCORD_OK && i < count; i++)
            if (names[i].channel == NULL)
                verify_differs(v, "entry", "sale %" PRId64 " does not exist", seqs[i]);
        if (error == ACCORD_OK && count > 0)
            after = seqs[count - 1];
    }
    int64_t orphans = 0;
    if (error == ACCORD_OK)
        error = store_shares_orphaned(v->db, &orphans);
    if (error == ACCORD_OK && orphans > 0)
        verify_differs(v, "entry_share", "%" PRId64 " shares of no entry", orphans);
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
    return error != ACCORD_OK ? error : check_strays(v);
}
