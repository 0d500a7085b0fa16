#include "api/order_call.h"

#include <string.h>

#include "ingest/post.h"
#include "ingest/rates.h"
#include "ingest/settled.h"

/* Opaque ids of orders begin so; see random_id(). */
#define ORDER_ID_PREFIX "ord_"

struct order_call *order_call_begin(struct call *call)
{
    struct order_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return NULL;
    state->arena = call->arena;
    state->name = (struct order_name){call_arg(call, 0), call_arg(call, 1)};
    state->whole =
        call->caller.is_operator || strcmp(state->name.channel, call->caller.partner) == 0;
    return state;
}

/* An opaque id in the place of the channel's own. */
static enum accord_error resolve_name(struct call *call, struct order_call *state)
{
    if (strncmp(state->name.order_id, ORDER_ID_PREFIX, strlen(ORDER_ID_PREFIX)) != 0)
        return ACCORD_OK;
    bool found;
    struct order_name name;
    const enum accord_error error =
        store_order_by_id(call->db, call->arena, state->name.order_id, &found, &name);
    if (error == ACCORD_OK && found && strcmp(name.channel, state->name.channel) == 0)
        state->name = name;
    return error;
}

static void collect(void *context, size_t line, const struct accord_step *step)
{
    struct order_call *state = context;
    if (!explain_steps_add(state->arena, &state->steps[line], step))
        state->out_of_memory = true;
}

/* Finds the rates that apply to the order. */
static enum accord_error convert(struct call *call, struct order_call *state)
{
    const struct agreement_version **versions =
        arena_array(call->arena, state->version_count + 1, sizeof *versions);
    struct rate_book *rates;
    if (versions == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < state->version_count; i++)
        versions[i] = &state->versions[i];
    enum accord_error error = rate_book_new(&rates);
    if (error != ACCORD_OK)
        return error;
    error = rate_book_enter(rates, call->db);
    if (error == ACCORD_OK)
        error = rate_book_pins(rates, call->arena, &state->order, versions, state->version_count,
                               &state->order.rates);
    /* Other rates may come to the same amounts. */
    if (error == ACCORD_OK && state->order.rates != NULL)
        state->rates_seq = rate_book_seq(rates);
    rate_book_free(rates);
    return error;
}

struct referred_order order_call_referred(struct order_call *state)
{
    const struct stored_sale *sale = state->stored.current;
    return (struct referred_order){&state->order, sale->has_learner ? sale->learner : NULL,
                                   sale->seq};
}

enum accord_error order_call_settle(struct call *call, struct order_call *state)
{
    const struct stored_sale *sale = state->stored.current;
    state->order = (struct accord_order){.channel = state->name.channel,
                                         .order_id = state->name.order_id,
                                         .occurred_at_us = sale->occurred_at,
                                         .currency = sale->currency,
                                         .lines = sale->lines,
                                         .line_count = sale->line_count};
    struct accord_order *order = &state->order;
    const struct sale_view view = {.seq = sale->seq,
                                   .order = order,
                                   .refunds = state->stored.refunds,
                                   .refund_count = state->stored.refund_count};
    struct accord_refund *refunds;
    size_t refund_count;
    enum accord_error error = ingest_fill_courses(call->db, call->arena, &order, 1);
    if (error == ACCORD_OK)
        error = settled_refunds(&view, call->arena, &refunds, &refund_count);
    if (error == ACCORD_OK)
        /* Whatever covers a sale has its channel as a party, and ends where a later version begins
         * that has not. */
        error = agreement_load_settling(call->db, call->arena, order->channel, &state->versions,
                                        &state->version_count);
    if (error != ACCORD_OK)
        return error;
    state->terms = arena_array(call->arena, state->version_count + 1, sizeof *state->terms);
    state->results = arena_array(call->arena, order->line_count, sizeof *state->results);
    state->steps = arena_array(call->arena, order->line_count, sizeof *state->steps);
    if (state->terms == NULL || state->results == NULL || state->steps == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < state->version_count; i++)
        state->terms[i] = &state->versions[i].terms;
    error = convert(call, state);
    const struct referred_order referred = order_call_referred(state);
    if (error == ACCORD_OK)
        error =
            ingest_fill_touches(call->db, call->arena,
                                referral_window(state->terms, state->version_count), &referred, 1);
    if (error != ACCORD_OK)
        return error;
    error = accord_explain_order(order, refunds, refund_count, state->terms, state->version_count,
                                 state->results, &state->excess, collect, state);
    return error == ACCORD_OK && state->out_of_memory ? ACCORD_E_OUT_OF_MEMORY : error;
}

bool order_call_load(struct call *call, struct order_call *state)
{
    if (call_check(call, resolve_name(call, state)))
        return false;
    state->stored.name = state->name;
    if (call_check(call, store_orders_load(call->db, call->arena, &state->stored, 1)))
        return false;
    if (state->stored.current == NULL) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return false;
    }
    return !call_check(call, order_call_settle(call, state));
}

bool order_has_party(const struct accord_agreement_version *terms, const char *partner)
{
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (strcmp(terms->parties[i], partner) == 0)
            return true;
    return false;
}

bool order_sees_line(const struct call *call, const struct order_call *state, size_t line)
{
    const size_t version = state->results[line].version;
    return state->whole ||
           (version != SIZE_MAX && order_has_party(state->terms[version], call->caller.partner));
}

void order_write_head(struct json_writer *w, const struct order_call *state)
{
    jw_key_str(w, "id", state->stored.current->id);
    jw_key_str(w, "channel", state->name.channel);
    jw_key_str(w, "order_id", state->name.order_id);
    jw_key_time(w, "occurred_at", state->order.occurred_at_us);
    jw_key_str(w, "currency", state->order.currency.code);
}
