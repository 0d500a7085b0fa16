#include "domain/refunds.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_INLINE = 16, LINES_INLINE = 8 };

/* What is sorted: references, as structs of their own. */
struct row_ref {
    const struct accord_refund *row;
};
struct line_ref {
    const struct accord_line *line;
};

/* One run over the refunds of an order, with room that every row uses again. */
struct run {
    const struct accord_order *order;
    const struct trace *trace;
    struct line_refunds *states;
    struct line_ref *by_id; /* all lines, by line_id, then place */
    int64_t *left;          /* per line: what is still unrefunded */
    int64_t *parts;         /* per line: what a row of the whole order takes of it … */
    int64_t *tax;           /* … with what it returns of the tax */
    int64_t *fee;
    struct accord_share *shares;
    struct accord_excess excess;
    refund_part_fn *part; /* NULL, or gets what a row came to on a line */
    void *context;
};

static int by_time_partner_event_row(const void *a, const void *b)
{
    const struct accord_refund *x = ((const struct row_ref *)a)->row;
    const struct accord_refund *y = ((const struct row_ref *)b)->row;
    if (x->occurred_at_us != y->occurred_at_us)
        return x->occurred_at_us < y->occurred_at_us ? -1 : 1;
    int order = strcmp(x->partner, y->partner);
    if (order == 0)
        order = strcmp(x->event_id, y->event_id);
    if (order == 0)
        order = x->row < y->row ? -1 : x->row > y->row;
    return order;
}

static int by_line_id(const void *a, const void *b)
{
    const struct accord_line *x = ((const struct line_ref *)a)->line;
    const struct accord_line *y = ((const struct line_ref *)b)->line;
    const int order = strcmp(x->line_id, y->line_id);
    if (order != 0)
        return order;
    return x < y ? -1 : x > y; /* lines of one array */
}

/* The place of a line, or SIZE_MAX. */
static size_t find_line(const struct run *run, const char *line_id)
{
    size_t low = 0;
    size_t high = run->order->line_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(run->by_id[middle].line->line_id, line_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == run->order->line_count || strcmp(run->by_id[low].line->line_id, line_id) != 0)
        return SIZE_MAX;
    return (size_t)(run->by_id[low].line - run->order->lines);
}

static enum accord_error note(struct line_refunds *state, const struct accord_refund *row,
                              int64_t amount, int64_t tax, int64_t fee)
{
    state->refunded += amount; /* at most what was paid */
    state->full_at_us = row->occurred_at_us;
    if (row->tax_returned < 0)
        state->pro_rata += amount;
    if (accord_add(state->tax_returned, tax, &state->tax_returned) != ACCORD_OK ||
        accord_add(state->fee_returned, fee, &state->fee_returned) != ACCORD_OK)
        return ACCORD_E_OVERFLOW;
    return ACCORD_OK;
}

static struct accord_step refund_step(const struct run *run, const struct accord_refund *row,
                                      int64_t amount)
{
    return (struct accord_step){.op = "refund",
                                .event_id = row->event_id,
                                .amount = -amount,
                                .currency = run->order->currency,
                                .rate_ppm = -1};
}

static enum accord_error give_part(const struct run *run, size_t line,
                                   const struct accord_refund *row, int64_t amount, int64_t tax,
                                   int64_t fee)
{
    struct accord_refund part = *row;
    if (run->part == NULL)
        return ACCORD_OK;
    part.line_id = run->order->lines[line].line_id;
    part.amount = amount;
    part.tax_returned = row->tax_returned < 0 ? row->tax_returned : tax;
    part.fee_returned = fee;
    return run->part(run->context, &part);
}

static enum accord_error apply_to_line(struct run *run, const struct accord_refund *row,
                                       int64_t *ret_applied)
{
    const size_t line = find_line(run, row->line_id);
    const int64_t left =
        line == SIZE_MAX ? 0 : run->order->lines[line].paid - run->states[line].refunded;
    const int64_t applied = row->amount < left ? row->amount : left;
    *ret_applied = applied;
    if (applied == 0)
        return ACCORD_OK;
    const struct accord_step step = refund_step(run, row, applied);
    trace_step(run->trace, line, &step);
    const int64_t tax = row->tax_returned >= 0 ? row->tax_returned : 0;
    const enum accord_error err = give_part(run, line, row, applied, tax, row->fee_returned);
    return err != ACCORD_OK ? err : note(&run->states[line], row, applied, tax, row->fee_returned);
}

/* What a row states for the whole order follows its parts. */
static enum accord_error follow(const struct run *run, int64_t total, int64_t *ret)
{
    const size_t count = run->order->line_count;
    if (total > 0)
        return accord_apportion(total, run->parts, count, ret, NULL);
    memset(ret, 0, count * sizeof *ret);
    return ACCORD_OK;
}

static enum accord_error apply_to_order(struct run *run, const struct accord_refund *row,
                                        int64_t *ret_applied)
{
    const size_t count = run->order->line_count;
    const bool traced = run->trace->step != NULL;
    int64_t left = 0; /* at most the sum of what was paid, which fits */
    for (size_t i = 0; i < count; i++) {
        run->left[i] = run->order->lines[i].paid - run->states[i].refunded;
        left += run->left[i];
    }
    const int64_t applied = row->amount < left ? row->amount : left;
    *ret_applied = applied;
    if (applied == 0)
        return ACCORD_OK;
    enum accord_error err =
        accord_apportion(applied, run->left, count, run->parts, traced ? run->shares : NULL);
    if (err == ACCORD_OK)
        err = follow(run, row->tax_returned, run->tax);
    if (err == ACCORD_OK)
        err = follow(run, row->fee_returned, run->fee);
    for (size_t i = 0; err == ACCORD_OK && i < count; i++) {
        if (run->parts[i] == 0)
            continue;
        if (traced) {
            struct accord_step step = refund_step(run, row, run->parts[i]);
            trace_share(&run->shares[i], -applied, left, &step);
            trace_step(run->trace, i, &step);
        }
        err = give_part(run, i, row, run->parts[i], run->tax[i], run->fee[i]);
        if (err == ACCORD_OK)
            err = note(&run->states[i], row, run->parts[i], run->tax[i], run->fee[i]);
    }
    return err;
}

static enum accord_error apply_row(struct run *run, const struct accord_refund *row)
{
    int64_t applied = 0;
    if (row->amount < 0 || row->tax_returned < -1 || row->fee_returned < 0)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    const enum accord_error err = row->line_id != NULL ? apply_to_line(run, row, &applied)
                                                       : apply_to_order(run, row, &applied);
    if (err != ACCORD_OK)
        return err;
    if (applied < row->amount)
        run->excess.count++;
    return accord_add(run->excess.amount, row->amount - applied, &run->excess.amount);
}

static enum accord_error apply_all(struct run *run, const struct accord_refund *refunds,
                                   struct row_ref *rows, size_t count)
{
    enum accord_error err = ACCORD_OK;
    for (size_t i = 0; i < count; i++)
        rows[i].row = &refunds[i];
    qsort(rows, count, sizeof *rows, by_time_partner_event_row);
    for (size_t i = 0; i < run->order->line_count; i++)
        run->by_id[i].line = &run->order->lines[i];
    qsort(run->by_id, run->order->line_count, sizeof *run->by_id, by_line_id);
    for (size_t i = 0; err == ACCORD_OK && i < count; i++)
        err = apply_row(run, rows[i].row);
    return err;
}

static enum accord_error apply(const struct accord_order *order,
                               const struct accord_refund *refunds, size_t count,
                               const struct trace *trace, refund_part_fn *part, void *context,
                               struct line_refunds *states, struct accord_excess *ret_excess)
{
    struct row_ref inline_rows[ROWS_INLINE];
    struct line_ref inline_by_id[LINES_INLINE];
    int64_t inline_numbers[4 * LINES_INLINE];
    struct accord_share inline_shares[LINES_INLINE];
    struct row_ref *rows = inline_rows;
    int64_t *numbers = inline_numbers;
    const size_t lines = order->line_count;
    struct run run = {.order = order,
                      .trace = trace,
                      .states = states,
                      .by_id = inline_by_id,
                      .shares = inline_shares,
                      .part = part,
                      .context = context};
    enum accord_error err = ACCORD_E_OUT_OF_MEMORY;

    if (count > ROWS_INLINE)
        rows = calloc(count, sizeof *rows);
    if (lines > LINES_INLINE) {
        numbers = calloc(lines, 4 * sizeof *numbers);
        run.by_id = calloc(lines, sizeof *run.by_id);
        run.shares = calloc(lines, sizeof *run.shares);
    }
    if (rows != NULL && numbers != NULL && run.by_id != NULL && run.shares != NULL) {
        run.left = numbers;
        run.parts = numbers + lines;
        run.tax = numbers + 2 * lines;
        run.fee = numbers + 3 * lines;
        err = apply_all(&run, refunds, rows, count);
    }
    if (err == ACCORD_OK)
        *ret_excess = run.excess;
    if (rows != inline_rows)
        free(rows);
    if (numbers != inline_numbers)
        free(numbers);
    if (run.by_id != inline_by_id)
        free(run.by_id);
    if (run.shares != inline_shares)
        free(run.shares);
    return err;
}

enum accord_error refunds_apply(const struct accord_order *order,
                                const struct accord_refund *refunds, size_t count,
                                const struct trace *trace, struct line_refunds *states,
                                struct accord_excess *ret_excess)
{
    return apply(order, refunds, count, trace, NULL, NULL, states, ret_excess);
}

enum accord_error refunds_spread(const struct accord_order *order,
                                 const struct accord_refund *refunds, size_t count,
                                 refund_part_fn *each, void *context)
{
    const struct trace none = {.step = NULL};
    struct accord_excess unused;
    struct line_refunds *states = calloc(order->line_count + 1, sizeof *states);
    if (states == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error =
        apply(order, refunds, count, &none, each, context, states, &unused);
    free(states);
    return error;
}
