#include "api/orders.h"

#include <string.h>

#include "api/etag.h"
#include "api/order_call.h"
#include "api/order_explain.h"
#include "store/partners.h"

static void prepare(struct call *call)
{
    order_call_begin(call);
}

/* ---- reading ---- */

static struct accord_sale_key sale_key(const struct order_call *state, size_t index)
{
    const struct accord_line *line = &state->order.lines[index];
    return (struct accord_sale_key){.provider = line->provider,
                                    .channel = state->order.channel,
                                    .course_id = line->course_id,
                                    .occurred_at_us = state->order.occurred_at_us};
}

/* The rank with which a version that did not win covers a line. */
static enum accord_rank losing_rank(const struct order_call *state, size_t version,
                                    const struct accord_sale_key *sale, size_t winner)
{
    const enum accord_rank rank = accord_agreement_rank(state->terms[version], sale);
    return version != winner && rank != ACCORD_RANK_NONE &&
                   accord_agreement_in_force(state->terms, state->version_count, version,
                                             sale->occurred_at_us)
               ? rank
               : ACCORD_RANK_NONE;
}

static bool sees_version(const struct call *call, const struct order_call *state, size_t version)
{
    return call->caller.is_operator || order_has_party(state->terms[version], call->caller.partner);
}

/* How many versions that the caller does not see lost a line. */
static int64_t hidden_losers(const struct call *call, const struct order_call *state, size_t index)
{
    const struct accord_sale_key sale = sale_key(state, index);
    int64_t hidden = 0;
    for (size_t i = 0; i < state->version_count; i++)
        if (!sees_version(call, state, i) &&
            losing_rank(state, i, &sale, state->results[index].version) != ACCORD_RANK_NONE)
            hidden++;
    return hidden;
}

/* Of what an explanation tells of a touch: one that was beaten changes no amount. */
static int64_t touch_tag(const struct accord_touch *touch)
{
    const int64_t parts[] = {etag_of_bytes(slice_of(touch->event_id)), touch->self_referral,
                             touch->promoter_suspended};
    return etag_of(parts, sizeof parts / sizeof parts[0]);
}

/* Of the caller's version and of what changes without it: others' agreements that lost, touches. */
static enum accord_error tag_of(struct call *call, const struct order_call *state, int64_t *ret)
{
    const size_t lines = state->order.line_count;
    const size_t count = lines + 2 + state->order.touch_count;
    int64_t *parts = arena_array(call->arena, count, sizeof *parts);
    if (parts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error =
        store_partner_version(call->db, call->caller.partner, &parts[0]);
    if (error != ACCORD_OK)
        return error;
    /* Whoever sees the whole order sees every version that covers a line of it. */
    for (size_t i = 0; !state->whole && i < lines; i++)
        if (order_sees_line(call, state, i))
            parts[i + 1] = hidden_losers(call, state, i);
    parts[lines + 1] = state->rates_seq;
    for (size_t i = 0; i < state->order.touch_count; i++)
        parts[lines + 2 + i] = touch_tag(&state->order.touches[i]);
    *ret = etag_of(parts, count);
    return ACCORD_OK;
}

static void read(struct call *call)
{
    struct order_call *state = call->state;
    if (!order_call_load(call, state))
        return;
    bool visible = false;
    for (size_t i = 0; i < state->order.line_count && !visible; i++)
        visible = order_sees_line(call, state, i);
    int64_t tag = 0;
    if (!visible)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (!call_check(call, tag_of(call, state, &tag)))
        state->not_modified = call_etag(call, tag);
}

/* ---- answers ---- */

static void write_line_name(struct json_writer *w, const struct accord_line *line)
{
    jw_key_str(w, "line_id", line->line_id);
    jw_key_str(w, "provider", line->provider);
    jw_key_str(w, "course_id", line->course_id);
}

static void write_shares(struct json_writer *w, const struct order_call *state,
                         const struct accord_line_result *result)
{
    jw_key(w, "shares");
    jw_array(w);
    if (result->held == ACCORD_HELD_NOT) {
        const struct accord_agreement_version *terms = state->terms[result->version];
        for (uint32_t i = 0; i < terms->party_count; i++) {
            jw_object(w);
            jw_key_str(w, "payee", terms->parties[i]);
            jw_key_money(w, "amount", result->shares[i], terms->currency);
            jw_object_end(w);
        }
        for (unsigned i = 0; i < ACCORD_LEVELS_MAX; i++) {
            if (result->promoters[i] == NULL)
                continue;
            jw_object(w);
            jw_key_str(w, "payee", result->promoters[i]);
            jw_key_money(w, "amount", result->referral[i], terms->currency);
            jw_object_end(w);
        }
    }
    jw_array_end(w);
    if (result->held == ACCORD_HELD_NOT &&
        accord_agreement_has_window(state->terms[result->version]))
        jw_key_money(w, "open", result->open, state->terms[result->version]->currency);
}

static void write_order_line(struct json_writer *w, const struct order_call *state, size_t index)
{
    const struct accord_line *line = &state->order.lines[index];
    const struct accord_line_result *result = &state->results[index];
    const struct accord_currency currency = state->order.currency;
    const struct accord_currency agreed =
        result->held != ACCORD_HELD_NOT ? currency : state->terms[result->version]->currency;
    jw_object(w);
    write_line_name(w, line);
    jw_key_int(w, "quantity", line->quantity);
    jw_key_money(w, "paid", result->gross, currency);
    jw_key_money(w, "refunded", result->refunded, currency);
    jw_key_money(w, "tax", result->tax, currency);
    jw_key_money(w, "store_fee", result->store_fee, currency);
    jw_key_money(w, "payment_fee", result->payment_fee, currency);
    jw_key_money(w, "admin_fee", result->admin_fee, currency);
    jw_key_money(w, "net_sale", result->net_sale, currency);
    jw_key_money(w, "net", result->net, agreed);
    jw_key_money(w, "added_back", result->added_back, agreed);
    if (result->held == ACCORD_HELD_NOT && !accord_currency_equal(currency, agreed))
        explain_write_rate(w, &state->order.rates[result->version]);
    if (result->version != SIZE_MAX) {
        jw_key_str(w, "agreement", state->terms[result->version]->agreement);
        jw_key_int(w, "version", state->terms[result->version]->version);
        jw_key_str(w, "rank", accord_rank_name(result->rank));
    }
    if (result->held != ACCORD_HELD_NOT)
        jw_key_str(w, "held", accord_held_name(result->held));
    write_shares(w, state, result);
    jw_object_end(w);
}

static void write_refunds(struct json_writer *w, const struct order_call *state)
{
    static const char *const kinds[] = {[REFUND_PLAIN] = "refund",
                                        [REFUND_CHARGE_BACK] = "charge_back",
                                        [REFUND_REVERSAL] = "reversal"};
    jw_key(w, "refunds");
    jw_array(w);
    for (size_t i = 0; i < state->stored.refund_count; i++) {
        const struct refund_row *refund = &state->stored.refunds[i];
        if (refund->superseded)
            continue;
        jw_object(w);
        jw_key_str(w, "refund_id", refund->refund_id);
        jw_key_str(w, "kind", kinds[refund->kind]);
        jw_key_time(w, "occurred_at", refund->occurred_at);
        if (refund->line_id != NULL)
            jw_key_str(w, "line_id", refund->line_id);
        jw_key_money(w, "amount", refund->amount, state->order.currency);
        jw_object_end(w);
    }
    jw_array_end(w);
}

/* Sums cannot overflow: an order's paid amounts were added up when it was taken. */
static void write_totals(struct json_writer *w, const struct order_call *state)
{
    int64_t paid = 0;
    int64_t refunded = 0;
    int64_t net = 0;
    for (size_t i = 0; i < state->order.line_count; i++) {
        paid += state->results[i].gross;
        refunded += state->results[i].refunded;
        net += state->results[i].net_sale;
    }
    const struct accord_currency currency = state->order.currency;
    jw_key(w, "totals");
    jw_object(w);
    jw_key_money(w, "paid", paid, currency);
    jw_key_money(w, "refunded", refunded, currency);
    jw_key_money(w, "net", net, currency);
    jw_key_money(w, "excess_refund", state->excess.amount, currency);
    jw_object_end(w);
}

static void answer_order(struct call *call)
{
    const struct order_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    order_write_head(&w, state);
    jw_key(&w, "lines");
    jw_array(&w);
    for (size_t i = 0; i < state->order.line_count; i++)
        if (order_sees_line(call, state, i))
            write_order_line(&w, state, i);
    jw_array_end(&w);
    if (state->whole) {
        write_refunds(&w, state);
        write_totals(&w, state);
    }
    jw_object_end(&w);
}

/* Which version won, and whom it beat. */
static void write_rule(struct call *call, struct json_writer *w, const struct order_call *state,
                       size_t index)
{
    const struct accord_line_result *result = &state->results[index];
    const struct accord_sale_key sale = sale_key(state, index);
    if (result->version == SIZE_MAX)
        return;
    jw_key(w, "agreement");
    explain_write_version(w, state->terms[result->version], result->rank);
    jw_key(w, "losers");
    jw_array(w);
    for (size_t i = 0; i < state->version_count; i++) {
        const enum accord_rank rank = losing_rank(state, i, &sale, result->version);
        if (rank != ACCORD_RANK_NONE && sees_version(call, state, i))
            explain_write_version(w, state->terms[i], rank);
    }
    jw_array_end(w);
    jw_key_int(w, "hidden_losers", hidden_losers(call, state, index));
}

/* What led to a line's amounts. @param only  NULL, or a payee that sees no more than its own */
static void write_explained(struct call *call, struct json_writer *w,
                            const struct order_call *state, size_t index, const char *only)
{
    const struct accord_line_result *result = &state->results[index];
    if (only == NULL)
        write_rule(call, w, state, index);
    if (result->held != ACCORD_HELD_NOT)
        jw_key_str(w, "held", accord_held_name(result->held));
    if (only == NULL && result->version != SIZE_MAX)
        order_write_touches(call, w, &state->order, state->terms[result->version]);
    jw_key(w, "steps");
    jw_array(w);
    for (size_t s = 0; s < state->steps[index].count; s++) {
        const struct accord_step *step = &state->steps[index].items[s];
        if (only == NULL || (step->payee != NULL && strcmp(step->payee, only) == 0))
            explain_write_step(w, step);
    }
    jw_array_end(w);
    if (only == NULL)
        write_shares(w, state, result);
}

static void answer_explain(struct call *call)
{
    const struct order_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    order_write_head(&w, state);
    jw_key(&w, "lines");
    jw_array(&w);
    for (size_t i = 0; i < state->order.line_count; i++) {
        if (!order_sees_line(call, state, i))
            continue;
        jw_object(&w);
        write_line_name(&w, &state->order.lines[i]);
        write_explained(call, &w, state, i, NULL);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    jw_object_end(&w);
}

/* ---- one line, as it was ---- */

static int64_t share_of(const struct order_call *state, const struct accord_line_result *result,
                        const char *payee)
{
    int64_t sum = 0;
    if (result->held != ACCORD_HELD_NOT)
        return 0;
    const struct accord_agreement_version *terms = state->terms[result->version];
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (strcmp(terms->parties[i], payee) == 0)
            sum += result->shares[i];
    for (unsigned i = 0; i < ACCORD_LEVELS_MAX; i++)
        if (result->promoters[i] != NULL && strcmp(result->promoters[i], payee) == 0)
            sum += result->referral[i];
    return sum;
}

/* Leaves out what was not known yet. False: that the order was another then. */
static bool go_back(struct stored_order *stored, int64_t cutoff)
{
    size_t kept = 0;
    for (size_t i = 0; i < stored->refund_count; i++)
        if (stored->refunds[i].seq <= cutoff)
            stored->refunds[kept++] = stored->refunds[i];
    stored->refund_count = kept;
    return stored->current != NULL && stored->current->seq <= cutoff;
}

bool order_line_explain(struct call *call, const struct order_line_ask *ask,
                        struct order_line_explained *ret)
{
    struct order_call *state = call_alloc(call, sizeof *state);
    *ret = (struct order_line_explained){.state = NULL};
    if (state == NULL)
        return false;
    state->arena = call->arena;
    state->name = (struct order_name){ask->channel, ask->order_id};
    state->stored.name = state->name;
    if (call_check(call, store_orders_load(call->db, call->arena, &state->stored, 1)))
        return false;
    if (!go_back(&state->stored, ask->cutoff))
        return true;
    if (call_check(call, order_call_settle(call, state)))
        return false;
    if (ask->line < 0 || (size_t)ask->line >= state->order.line_count)
        return true;
    const struct accord_line_result *result = &state->results[ask->line];
    const bool settled = result->held == ACCORD_HELD_NOT;
    const struct accord_agreement_version *terms = settled ? state->terms[result->version] : NULL;
    /* Under an agreement of others it is nothing to this partner. */
    if (terms != NULL && strcmp(terms->agreement, ask->agreement) != 0)
        return true;
    ret->state = state;
    ret->line = (size_t)ask->line;
    ret->version = terms == NULL ? 0 : terms->version;
    ret->earned = share_of(state, result, ask->partner);
    ret->net = settled ? result->net : 0;
    ret->party = terms == NULL || order_has_party(terms, ask->partner);
    ret->partner = ask->partner;
    return true;
}

void order_line_write(struct call *call, struct json_writer *w,
                      const struct order_line_explained *explained)
{
    if (explained->state == NULL) {
        jw_null(w);
        return;
    }
    jw_object(w);
    write_explained(call, w, explained->state, explained->line,
                    explained->party ? NULL : explained->partner);
    jw_object_end(w);
}

/* An order of 2,000 lines takes milliseconds to settle and to write: a job's work. */
const struct operation order_operations[] = {
    {.id = "getOrder",
     .method = "GET",
     .pattern = "/v1/orders/{channel}/{order_id}",
     .scope = SCOPE_REVENUE_READ,
     .run = RUN_JOB,
     .prepare = prepare,
     .read = read,
     .answer = answer_order},
    {.id = "explainOrder",
     .method = "GET",
     .pattern = "/v1/orders/{channel}/{order_id}/explain",
     .scope = SCOPE_REVENUE_READ,
     .run = RUN_JOB,
     .prepare = prepare,
     .read = read,
     .answer = answer_explain},
};
const size_t order_operation_count = sizeof order_operations / sizeof order_operations[0];
