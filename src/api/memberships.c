#include "api/memberships.h"

#include <string.h>

#include "api/etag.h"
#include "api/explain.h"
#include "api/membership_explain.h"
#include "ingest/membership.h"
#include "store/partners.h"

/* What is recognised in a month, and what is taken back in it. */
enum side { RECOGNISED, TAKEN_BACK, SIDES };

struct side_result {
    bool is; /* there is something of it */
    struct accord_order *order;
    struct accord_line_result result;
    struct explain_steps steps;
};

struct month_view {
    struct side_result sides[SIDES];
    struct accord_line_result sum; /* of both */
    const struct accord_rate_pin *rates;
};

struct term_view {
    struct membership_schedule schedule;
    struct month_view *months;
    bool visible; /* a month of it is */
};

struct membership_call {
    struct stored_membership stored;
    struct agreement_choice choice;
    struct rate_book *rates;
    struct pool_book *pools;
    struct term_view *terms;
    size_t term_count;
    bool whole; /* the caller sees the membership, not only months of it */
    bool converted;
    bool not_modified;
};

static void prepare(struct call *call)
{
    struct membership_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return;
    state->stored.name = (struct membership_name){call_arg(call, 0), call_arg(call, 1)};
    state->whole =
        call->caller.is_operator || strcmp(state->stored.name.channel, call->caller.partner) == 0;
}

/* ---- settling ---- */

struct collecting {
    struct arena *arena;
    struct explain_steps *steps;
    bool out_of_memory;
};

static void collect(void *context, size_t line, const struct accord_step *step)
{
    struct collecting *collecting = context;
    (void)line;
    if (!explain_steps_add(collecting->arena, collecting->steps, step))
        collecting->out_of_memory = true;
}

static enum accord_error settle_side(struct call *call, struct membership_call *state,
                                     struct term_view *term, size_t month, enum side side)
{
    struct side_result *ret = &term->months[month].sides[side];
    struct accord_excess unused;
    struct collecting collecting = {.arena = call->arena, .steps = &ret->steps};
    enum accord_error error =
        membership_order(call->arena, &term->schedule, month, side == TAKEN_BACK, &ret->order);
    if (error != ACCORD_OK || ret->order == NULL)
        return error;
    ret->is = true;
    error = rate_book_pins(state->rates, call->arena, ret->order, state->choice.versions,
                           state->choice.count, &ret->order->rates);
    state->converted |= ret->order->rates != NULL;
    term->months[month].rates = ret->order->rates;
    if (error == ACCORD_OK)
        error = accord_explain_order(ret->order, NULL, 0, state->choice.terms, state->choice.count,
                                     &ret->result, &unused, collect, &collecting);
    return error == ACCORD_OK && collecting.out_of_memory ? ACCORD_E_OUT_OF_MEMORY : error;
}

/* Adds a side to the sum of a month: both are settled with the same version. */
static enum accord_error add_side(struct accord_line_result *sum, const struct side_result *side,
                                  bool negative)
{
    const struct accord_line_result *result = &side->result;
    const struct {
        int64_t *sum;
        int64_t amount;
    } all[] = {
        {&sum->gross, result->gross},
        {&sum->tax, result->tax},
        {&sum->store_fee, result->store_fee},
        {&sum->payment_fee, result->payment_fee},
        {&sum->admin_fee, result->admin_fee},
        {&sum->net_sale, result->net_sale},
        {&sum->net, result->net},
        {&sum->pooled, result->pooled},
        {&sum->open, result->open},
    };
    enum accord_error error = ACCORD_OK;
    if (sum->held == ACCORD_HELD_NOT)
        sum->held = result->held;
    sum->version = result->version;
    sum->rank = result->rank;
    for (size_t i = 0; error == ACCORD_OK && i < sizeof all / sizeof *all; i++)
        error = negative ? accord_sub(*all[i].sum, all[i].amount, all[i].sum)
                         : accord_add(*all[i].sum, all[i].amount, all[i].sum);
    for (size_t i = 0; error == ACCORD_OK && i < ACCORD_PARTIES_MAX; i++)
        error = negative ? accord_sub(sum->shares[i], result->shares[i], &sum->shares[i])
                         : accord_add(sum->shares[i], result->shares[i], &sum->shares[i]);
    return error;
}

static bool sees_version(const struct call *call, const struct membership_call *state,
                         size_t version)
{
    if (state->whole || version == SIZE_MAX)
        return state->whole;
    const struct accord_agreement_version *terms = state->choice.terms[version];
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (strcmp(terms->parties[i], call->caller.partner) == 0)
            return true;
    return false;
}

static enum accord_error settle_term(struct call *call, struct membership_call *state,
                                     const char *operator_id, size_t index)
{
    struct term_view *term = &state->terms[state->term_count++];
    enum accord_error error =
        membership_schedule(call->arena, &state->choice, state->pools, operator_id, &state->stored,
                            index, &term->schedule);
    if (error != ACCORD_OK)
        return error;
    const size_t count = term->schedule.count;
    term->visible = state->whole;
    term->months = arena_array(call->arena, count + 1, sizeof *term->months);
    if (term->months == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct month_view *month = &term->months[i];
        month->sum.version = SIZE_MAX;
        for (enum side side = RECOGNISED; error == ACCORD_OK && side < SIDES; side++) {
            error = settle_side(call, state, term, i, side);
            if (error == ACCORD_OK && month->sides[side].is)
                error = add_side(&month->sum, &month->sides[side], side == TAKEN_BACK);
        }
        term->visible |= sees_version(call, state, month->sum.version);
    }
    return error;
}

/* Settles all terms as they stand: the numbers of an answer are never read from entries. */
static enum accord_error settle(struct call *call, struct membership_call *state)
{
    struct agreement_version *versions;
    const char *operator_id;
    size_t count;
    enum accord_error error = agreement_load_settling(
        call->db, call->arena, state->stored.name.channel, &versions, &count);
    if (error == ACCORD_OK)
        error = store_partner_operator(call->db, call->arena, &operator_id);
    if (error != ACCORD_OK)
        return error;
    const struct accord_agreement_version **terms =
        arena_array(call->arena, count + 1, sizeof *terms);
    const struct agreement_version **chosen = arena_array(call->arena, count + 1, sizeof *chosen);
    state->terms = arena_array(call->arena, state->stored.count + 1, sizeof *state->terms);
    state->pools = pool_book_new(call->db, call->arena);
    if (state->pools == NULL || terms == NULL || chosen == NULL || state->terms == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        terms[i] = &versions[i].terms;
        chosen[i] = &versions[i];
    }
    state->choice = (struct agreement_choice){terms, chosen, count};
    for (size_t i = 0; error == ACCORD_OK && i < state->stored.count; i++)
        if (membership_is_term(&state->stored.terms[i]))
            error = settle_term(call, state, operator_id, i);
    return error;
}

static enum accord_error settle_with_rates(struct call *call, struct membership_call *state,
                                           int64_t *ret_seq)
{
    enum accord_error error = rate_book_new(&state->rates);
    if (error != ACCORD_OK)
        return error;
    error = rate_book_enter(state->rates, call->db);
    if (error == ACCORD_OK)
        error = settle(call, state);
    /* Other rates may come to the same amounts. */
    *ret_seq = state->converted ? rate_book_seq(state->rates) : 0;
    rate_book_free(state->rates);
    return error;
}

static void read(struct call *call)
{
    struct membership_call *state = call->state;
    int64_t parts[2] = {0, 0};
    if (call_check(call, store_memberships_load(call->db, call->arena, &state->stored, 1)) ||
        call_check(call, settle_with_rates(call, state, &parts[1])))
        return;
    bool visible = false;
    for (size_t i = 0; i < state->term_count; i++)
        visible |= state->terms[i].visible;
    if (!visible)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (!call_check(call, store_partner_version(call->db, call->caller.partner, &parts[0])))
        state->not_modified = call_etag(call, etag_of(parts, 2));
}

/* ---- answers ---- */

static void write_amounts(struct json_writer *w, const struct membership_call *state,
                          const struct term_view *term, const struct month_view *month)
{
    const struct accord_line_result *sum = &month->sum;
    const struct accord_currency currency = term->schedule.currency;
    const struct accord_currency agreed =
        sum->held != ACCORD_HELD_NOT ? currency : state->choice.terms[sum->version]->currency;
    jw_key_money(w, "gross", sum->gross, currency);
    jw_key_money(w, "tax", sum->tax, currency);
    jw_key_money(w, "store_fee", sum->store_fee, currency);
    jw_key_money(w, "payment_fee", sum->payment_fee, currency);
    jw_key_money(w, "admin_fee", sum->admin_fee, currency);
    jw_key_money(w, "net_sale", sum->net_sale, currency);
    jw_key_money(w, "net", sum->net, agreed);
    if (sum->held == ACCORD_HELD_NOT && !accord_currency_equal(currency, agreed))
        explain_write_rate(w, &month->rates[sum->version]);
}

static void write_shares(struct json_writer *w, const struct membership_call *state,
                         const struct accord_pool_funding *pool,
                         const struct accord_line_result *sum)
{
    jw_key(w, "shares");
    jw_array(w);
    const bool is_settled = sum->held == ACCORD_HELD_NOT && sum->version != SIZE_MAX;
    const struct accord_agreement_version *terms =
        is_settled ? state->choice.terms[sum->version] : NULL;
    for (uint32_t i = 0; terms != NULL && i < terms->party_count; i++) {
        jw_object(w);
        jw_key_str(w, "payee", terms->parties[i]);
        jw_key_money(w, "amount", sum->shares[i], terms->currency);
        jw_object_end(w);
    }
    jw_array_end(w);
    if (terms != NULL && pool != NULL)
        jw_key_money(w, "pooled", sum->pooled, terms->currency);
    if (terms != NULL && accord_agreement_has_window(terms))
        jw_key_money(w, "open", sum->open, terms->currency);
}

/* Under which agreement, with `explain` why, and to whom. */
static void write_settled(struct json_writer *w, const struct membership_call *state,
                          const struct accord_pool_funding *pool, const struct month_view *month,
                          bool explain)
{
    const struct accord_line_result *sum = &month->sum;
    if (sum->version != SIZE_MAX) {
        jw_key(w, "agreement");
        explain_write_version(w, state->choice.terms[sum->version], sum->rank);
    }
    if (sum->held != ACCORD_HELD_NOT)
        jw_key_str(w, "held", accord_held_name(sum->held));
    if (explain) {
        explain_write_steps(w, "steps", &month->sides[RECOGNISED].steps);
        explain_write_steps(w, "taken_back", &month->sides[TAKEN_BACK].steps);
    }
    write_shares(w, state, pool, sum);
}

static void write_month(struct json_writer *w, const struct membership_call *state,
                        const struct term_view *term, size_t index, bool explain)
{
    const struct membership_month *at = &term->schedule.months[index];
    const struct month_view *month = &term->months[index];
    jw_object(w);
    jw_key_str(w, "month", at->label);
    jw_key_time(w, "occurred_at", at->at);
    write_amounts(w, state, term, month);
    write_settled(w, state, at->pool, month, explain);
    jw_object_end(w);
}

static void write_term(const struct call *call, struct json_writer *w,
                       const struct membership_call *state, const struct term_view *term,
                       bool explain)
{
    const struct membership_schedule *schedule = &term->schedule;
    const struct membership_row *row = schedule->term;
    jw_object(w);
    jw_key_str(w, "term_id", row->term_id);
    jw_key_str(w, "offer", schedule->offer);
    jw_key_str(w, "currency", row->currency);
    if (state->whole) {
        jw_key_str(w, "event_id", row->event_id);
        jw_key_time(w, "from", row->from);
        jw_key_time(w, "to", row->to);
        jw_key_money(w, "paid", row->paid, schedule->currency);
        if (schedule->cancelled)
            jw_key_time(w, "cancelled_at", schedule->cancelled_at);
        jw_key_money(w, "refunded", schedule->returned[MEMBERSHIP_PAID], schedule->currency);
        jw_key_money(w, "excess_refund", schedule->excess, schedule->currency);
    }
    jw_key(w, "months");
    jw_array(w);
    for (size_t i = 0; i < schedule->count; i++)
        if (sees_version(call, state, term->months[i].sum.version))
            write_month(w, state, term, i, explain);
    jw_array_end(w);
    jw_object_end(w);
}

static void answer(struct call *call, bool explain)
{
    const struct membership_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "channel", state->stored.name.channel);
    jw_key_str(&w, "membership_id", state->stored.name.membership_id);
    jw_key(&w, "terms");
    jw_array(&w);
    for (size_t i = 0; i < state->term_count; i++)
        if (state->terms[i].visible)
            write_term(call, &w, state, &state->terms[i], explain);
    jw_array_end(&w);
    jw_object_end(&w);
}

static void answer_membership(struct call *call)
{
    answer(call, false);
}

static void answer_explain(struct call *call)
{
    answer(call, true);
}

/* ---- one month, as it was ---- */

/* Leaves out what was not known yet. */
static void go_back(struct stored_membership *stored, int64_t cutoff)
{
    size_t kept = 0;
    for (size_t i = 0; i < stored->count; i++)
        if (stored->terms[i].row.seq <= cutoff)
            stored->terms[kept++] = stored->terms[i];
    stored->count = kept;
}

static int64_t earned_in(const struct accord_agreement_version *terms,
                         const struct accord_line_result *sum, const char *partner)
{
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (strcmp(terms->parties[i], partner) == 0)
            return sum->shares[i];
    return 0;
}

bool membership_line_explain(struct call *call, const struct membership_line_ask *ask,
                             struct membership_line_explained *ret)
{
    struct membership_call *state = call_alloc(call, sizeof *state);
    int64_t unused;
    *ret = (struct membership_line_explained){.state = NULL};
    if (state == NULL)
        return false;
    state->stored.name = ask->name;
    state->whole = true;
    if (call_check(call, store_memberships_load(call->db, call->arena, &state->stored, 1)))
        return false;
    go_back(&state->stored, ask->cutoff);
    if (call_check(call, settle_with_rates(call, state, &unused)))
        return false;
    for (size_t i = 0; i < state->term_count; i++) {
        const struct membership_schedule *schedule = &state->terms[i].schedule;
        for (size_t j = 0; schedule->term->seq == ask->seq && j < schedule->count; j++) {
            const struct accord_line_result *sum = &state->terms[i].months[j].sum;
            if (schedule->months[j].line != ask->line)
                continue;
            const bool settled = sum->held == ACCORD_HELD_NOT;
            const struct accord_agreement_version *terms =
                settled ? state->choice.terms[sum->version] : NULL;
            /* Under an agreement of others it is nothing to this partner. */
            if (terms != NULL && strcmp(terms->agreement, ask->agreement) != 0)
                return true;
            *ret = (struct membership_line_explained){
                .state = state,
                .term = i,
                .month = j,
                .version = terms == NULL ? 0 : terms->version,
                .earned = terms == NULL ? 0 : earned_in(terms, sum, ask->partner),
            };
            return true;
        }
    }
    return true;
}

void membership_line_write(struct json_writer *w, const struct membership_line_explained *explained)
{
    if (explained->state == NULL) {
        jw_null(w);
        return;
    }
    const struct term_view *term = &explained->state->terms[explained->term];
    jw_object(w);
    write_settled(w, explained->state, term->schedule.months[explained->month].pool,
                  &term->months[explained->month], true);
    jw_object_end(w);
}

const struct operation membership_operations[] = {
    {.id = "getMembership",
     .method = "GET",
     .pattern = "/v1/memberships/{channel}/{membership_id}",
     .scope = SCOPE_REVENUE_READ,
     .run = RUN_JOB,
     .prepare = prepare,
     .read = read,
     .answer = answer_membership},
    {.id = "explainMembership",
     .method = "GET",
     .pattern = "/v1/memberships/{channel}/{membership_id}/explain",
     .scope = SCOPE_REVENUE_READ,
     .run = RUN_JOB,
     .prepare = prepare,
     .read = read,
     .answer = answer_explain},
};
const size_t membership_operation_count =
    sizeof membership_operations / sizeof membership_operations[0];
