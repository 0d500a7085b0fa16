/* Facts that there are not: orders, refunds, charge-backs and memberships that are taken for
 * posted. */
#include <stdlib.h>
#include <string.h>

#include "ingest/facts_raw.h"
#include "ingest/simulate_parts.h"

static bool is_of(const struct simulating *s, const struct fact *fact,
                  const struct stored_order *stored)
{
    return fact->rows != NULL && strcmp(fact->order_id, stored->name.order_id) == 0 &&
           strcmp(s->ask->facts->partner, stored->name.channel) == 0;
}

enum accord_error simulate_refunds(struct simulating *s, struct stored_order *stored)
{
    const struct fact_batch *facts = s->ask->facts;
    size_t more = 0;
    for (size_t i = 0; facts != NULL && i < facts->count; i++)
        if (is_of(s, &facts->facts[i], stored))
            more += facts->facts[i].row_count;
    if (more == 0)
        return ACCORD_OK;
    struct refund_row *rows = arena_array(s->scratch, stored->refund_count + more, sizeof *rows);
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (stored->refund_count > 0)
        memcpy(rows, stored->refunds, stored->refund_count * sizeof *rows);
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->facts[i];
        if (!is_of(s, fact, stored))
            continue;
        for (size_t j = 0; j < fact->row_count; j++)
            rows[stored->refund_count++] = (struct refund_row){
                .line = (int64_t)j,
                .channel = facts->partner,
                .order_id = fact->order_id,
                .refund_id = fact->refund_id,
                .kind = fact->type == FACT_ORDER_CHARGED_BACK ? REFUND_CHARGE_BACK : REFUND_PLAIN,
                .event_id = fact->event_id,
                .occurred_at = fact->occurred_at,
                .line_id = fact->rows[j].line_id,
                .amount = fact->rows[j].amount,
                .tax_returned = fact->rows[j].tax_returned,
                .fee_returned = fact->rows[j].fee_returned,
            };
    }
    stored->refunds = rows;
    return ACCORD_OK;
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

enum accord_error simulate_facts(struct simulating *s, struct stored_order *fresh,
                                 size_t *ret_fresh)
{
    const struct fact_batch *facts = s->ask->facts;
    struct stored_order *stands = arena_array(s->arena, facts->count + 1, sizeof *stands);
    if (stands == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->facts[i];
        const char *at = arena_printf(s->arena, "/add_facts/%zu%s", i,
                                      fact->error == ACCORD_OK ? "" : fact->pointer);
        if (at == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (fact->error != ACCORD_OK)
            json_problem_add(s->problems, fact->error, at, "%s", fact->message);
        else if (fact->supersedes != NULL || (fact->order == NULL && fact->rows == NULL &&
                                              fact_class_of(fact->type) != FACT_CLASS_MEMBERSHIP))
            json_problem_add(
                s->problems, ACCORD_E_FIELD_UNKNOWN, at,
                "an order, refund, charge-back or membership that corrects nothing is needed");
    }
    if (s->problems->count > 0)
        return ACCORD_E_FIELDS_INVALID;
    enum accord_error error = simulate_memberships(s);
    if (error != ACCORD_OK)
        return error;
    const size_t terms = simulate_terms(s, NULL);
    s->extra = arena_array(s->arena, facts->count + terms + 1, sizeof *s->extra);
    if (s->extra == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    s->extra_count = simulate_terms(s, s->extra);
    for (size_t i = 0; i < facts->count; i++) {
        const char *order_id = facts->facts[i].order_id;
        stands[i].name = (struct order_name){facts->partner, order_id == NULL ? "" : order_id};
    }
    error = store_orders_load(s->c->db, s->arena, stands, facts->count);
    size_t count = 0;
    for (size_t i = 0; error == ACCORD_OK && i < facts->count; i++) {
        const struct fact *fact = &facts->facts[i];
        if (fact->order == NULL) {
            if (fact->rows != NULL && stands[i].current != NULL)
                s->extra[s->extra_count++] = stands[i].current->seq;
            continue;
        }
        bool twice = stands[i].sale_count > 0;
        for (size_t j = 0; j < count; j++)
            twice |= strcmp(fresh[j].name.order_id, fact->order_id) == 0;
        if (twice) {
            json_problem_add(s->problems, ACCORD_E_ORDER_EXISTS,
                             arena_printf(s->arena, "/add_facts/%zu/order_id", i),
                             "the order is there already");
            return ACCORD_E_FIELDS_INVALID;
        }
        struct stored_sale *sale = arena_alloc(s->arena, sizeof *sale);
        struct accord_line *lines =
            arena_array(s->arena, fact->order->line_count + 1, sizeof *lines);
        if (sale == NULL || lines == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        memcpy(lines, fact->order->lines, fact->order->line_count * sizeof *lines);
        *sale = (struct stored_sale){.seq = s->c->cutoff + 1 + (int64_t)i,
                                     .occurred_at = fact->occurred_at,
                                     .currency = fact->order->currency,
                                     .lines = lines,
                                     .line_count = fact->order->line_count};
        fresh[count++] = (struct stored_order){.name = stands[i].name, .current = sale};
    }
    if (s->extra_count > 1)
        qsort(s->extra, s->extra_count, sizeof *s->extra, by_number);
    *ret_fresh = count;
    return error;
}
