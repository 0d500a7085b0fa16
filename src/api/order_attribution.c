/* GET /v1/orders/{channel}/{order_id}/attribution: every touch that may have led to a sale, what
 * became of it, and what it would get in the models of reports. Nobody is paid by it. */
#include <stdlib.h>
#include <string.h>

#include "api/order_call.h"
#include "api/order_explain.h"
#include "api/orders.h"
#include "domain/touches.h"

enum {
    MODELS = 6,
    HALF_LIFE_DAYS = 7,
    DAYS_MAX = 366, /* no term has a longer window */
    ANSWER_MAX = 64 << 20,
};

/* In the order in which they are told. */
static const enum accord_credit_model models[MODELS] = {
    ACCORD_CREDIT_LAST,     ACCORD_CREDIT_FIRST, ACCORD_CREDIT_LINEAR,
    ACCORD_CREDIT_POSITION, ACCORD_CREDIT_DECAY, ACCORD_CREDIT_SHAPLEY,
};

struct attribution_call {
    struct order_call *order;
    bool asked[MODELS];
    int64_t half_life_days;
    struct order_touches found;
    size_t *by_time; /* places of the touches, in their order */
};

/* What one version makes of the touches, for the lines that it won. */
struct block {
    size_t version;
    const struct accord_agreement_version *terms;
    struct accord_attribution_rules rules;
    int64_t net;
    size_t winner;                       /* SIZE_MAX: none */
    enum accord_touch_outcome *outcomes; /* by touch; only of those by links that count */
    int64_t *parts[MODELS];              /* by touch */
};

/* How much of a block the caller sees. */
enum view { VIEW_NOTHING, VIEW_OWN, VIEW_ALL };

/* ---- what is asked ---- */

static bool take_models(struct call *call, struct attribution_call *state)
{
    const char *rest = call_query(call, "model");
    if (rest == NULL) {
        for (size_t i = 0; i < MODELS; i++)
            state->asked[i] = true;
        return !call->failed;
    }
    while (rest != NULL) {
        const char *end = strchr(rest, ',');
        const struct slice name = {rest, end == NULL ? strlen(rest) : (size_t)(end - rest)};
        size_t i = 0;
        while (i < MODELS && !slice_equal(name, slice_of(accord_credit_model_name(models[i]))))
            i++;
        if (i == MODELS) {
            call_fail(call, ACCORD_E_QUERY_INVALID,
                      "model: last, first, linear, position, time_decay or shapley, separated by "
                      "commas");
            return false;
        }
        state->asked[i] = true;
        rest = end == NULL ? NULL : end + 1;
    }
    return true;
}

static void prepare(struct call *call)
{
    struct attribution_call *state = call_alloc(call, sizeof *state);
    if (state == NULL)
        return;
    state->order = order_call_begin(call);
    call->state = state;
    if (state->order != NULL && take_models(call, state))
        state->half_life_days = call_query_int(call, "half_life_days", 1, DAYS_MAX, HALF_LIFE_DAYS);
}

/* ---- what it comes to ---- */

struct place {
    const struct accord_touch *touch;
    size_t at;
};

static int by_order(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    return touch_order(x->touch, y->touch);
}

static enum accord_error find_touches(struct call *call, struct attribution_call *state)
{
    const struct referred_order referred = order_call_referred(state->order);
    const enum accord_error error = ingest_order_touches(
        call->db, call->arena, DAYS_MAX * CLOCK_DAY_US, &referred, &state->found);
    if (error != ACCORD_OK)
        return error;
    const size_t count = state->found.count;
    struct place *places = arena_array(call->arena, count + 1, sizeof *places);
    state->by_time = arena_array(call->arena, count + 1, sizeof *state->by_time);
    if (places == NULL || state->by_time == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){&state->found.touches[i], i};
    if (count > 1)
        qsort(places, count, sizeof *places, by_order);
    for (size_t i = 0; i < count; i++)
        state->by_time[i] = places[i].at;
    return ACCORD_OK;
}

static bool is_linked(const struct attribution_call *state, size_t touch)
{
    return state->found.items[touch].standing == TOUCH_LINKED;
}

static bool is_of(const struct attribution_call *state, const struct block *block, size_t line)
{
    const struct accord_line_result *result = &state->order->results[line];
    return result->held == ACCORD_HELD_NOT && result->version == block->version;
}

/* Judges the touches by links that count, and divides the block's net among them in each model. */
static enum accord_error judge(struct call *call, const struct attribution_call *state,
                               struct block *block)
{
    const size_t all = state->found.count;
    const int64_t sale_at = state->order->order.occurred_at_us;
    struct accord_touch *touches = arena_array(call->arena, all + 1, sizeof *touches);
    enum accord_touch_outcome *outcomes = arena_array(call->arena, all + 1, sizeof *outcomes);
    size_t *places = arena_array(call->arena, all + 1, sizeof *places);
    int64_t *parts = arena_array(call->arena, all + 1, sizeof *parts);
    block->outcomes = arena_array(call->arena, all + 1, sizeof *block->outcomes);
    if (touches == NULL || outcomes == NULL || places == NULL || parts == NULL ||
        block->outcomes == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < all; i++)
        if (is_linked(state, i)) {
            touches[count] = state->found.touches[i];
            places[count++] = i;
        }
    enum accord_error error =
        accord_attribute(touches, count, sale_at, &block->rules, outcomes, &block->winner);
    if (error != ACCORD_OK)
        return error;
    for (size_t i = 0; i < count; i++)
        block->outcomes[places[i]] = outcomes[i];
    if (block->winner != SIZE_MAX)
        block->winner = places[block->winner];
    for (size_t m = 0; error == ACCORD_OK && m < MODELS; m++) {
        if (!state->asked[m])
            continue;
        block->parts[m] = arena_array(call->arena, all + 1, sizeof *block->parts[m]);
        if (block->parts[m] == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        error = accord_credit_touches(models[m], block->net, touches, outcomes, count, sale_at,
                                      state->half_life_days * CLOCK_DAY_US, parts);
        for (size_t i = 0; error == ACCORD_OK && i < count; i++)
            block->parts[m][places[i]] = parts[i];
    }
    return error;
}

/* The block of a version; *ret_found false: it won no line, or pays no referral. */
static enum accord_error make_block(struct call *call, const struct attribution_call *state,
                                    size_t version, struct block *ret, bool *ret_found)
{
    bool found = false;
    *ret = (struct block){.version = version, .terms = state->order->terms[version]};
    for (size_t i = 0; i < state->order->order.line_count; i++)
        if (is_of(state, ret, i)) {
            found = true;
            ret->net += state->order->results[i].net;
        }
    *ret_found = found && order_attribution_rules(ret->terms, &ret->rules);
    return *ret_found ? judge(call, state, ret) : ACCORD_OK;
}

/* ---- who sees it ---- */

static bool is_own(const struct call *call, const struct attribution_call *state, size_t touch)
{
    return strcmp(state->found.items[touch].promoter, call->caller.partner) == 0;
}

/* What a promoter got of a block's lines. */
static int64_t paid_to(const struct attribution_call *state, const struct block *block,
                       const char *promoter)
{
    int64_t sum = 0;
    for (size_t i = 0; i < state->order->order.line_count; i++) {
        const struct accord_line_result *result = &state->order->results[i];
        for (unsigned level = 0; is_of(state, block, i) && level < ACCORD_LEVELS_MAX; level++)
            if (result->promoters[level] != NULL && strcmp(result->promoters[level], promoter) == 0)
                sum += result->referral[level];
    }
    return sum;
}

static bool is_paid(const struct attribution_call *state, const struct block *block,
                    const char *promoter)
{
    for (size_t i = 0; i < state->order->order.line_count; i++)
        for (unsigned level = 0; is_of(state, block, i) && level < ACCORD_LEVELS_MAX; level++)
            if (state->order->results[i].promoters[level] != NULL &&
                strcmp(state->order->results[i].promoters[level], promoter) == 0)
                return true;
    return false;
}

static enum view view_of(const struct call *call, const struct attribution_call *state,
                         const struct block *block)
{
    if (state->order->whole || order_has_party(block->terms, call->caller.partner))
        return VIEW_ALL;
    if (is_paid(state, block, call->caller.partner))
        return VIEW_OWN;
    for (size_t i = 0; i < state->found.count; i++)
        if (is_own(call, state, i))
            return VIEW_OWN;
    return VIEW_NOTHING;
}

/* ---- the answer ---- */

static const char *outcome_of(const struct attribution_call *state, const struct block *block,
                              size_t touch)
{
    switch (state->found.items[touch].standing) {
    case TOUCH_LINKED:
        break;
    case TOUCH_LINK_UNKNOWN:
        return "link_unknown";
    case TOUCH_LINK_NOT_ACCEPTED:
        return "link_not_accepted";
    case TOUCH_LINK_CLOSED:
        return "link_closed";
    }
    return accord_touch_outcome_name(block->outcomes[touch]);
}

static bool counts(const struct attribution_call *state, const struct block *block, size_t touch)
{
    return is_linked(state, touch) && (block->outcomes[touch] == ACCORD_TOUCH_WON ||
                                       block->outcomes[touch] == ACCORD_TOUCH_BEATEN ||
                                       block->outcomes[touch] == ACCORD_TOUCH_BEATEN_BY_COUPON);
}

/* What all touches of a promoter would get in a model. */
static int64_t part_of(const struct attribution_call *state, const int64_t *parts,
                       const char *promoter)
{
    int64_t sum = 0;
    for (size_t i = 0; i < state->found.count; i++)
        if (strcmp(state->found.items[i].promoter, promoter) == 0)
            sum += parts[i];
    return sum;
}

/* "shares": by model, of one touch, or of all of a promoter. */
static void write_shares(struct json_writer *w, const struct attribution_call *state,
                         const struct block *block, size_t touch, const char *promoter)
{
    jw_key(w, "shares");
    jw_object(w);
    for (size_t m = 0; m < MODELS; m++)
        if (state->asked[m])
            jw_key_money(w, accord_credit_model_name(models[m]),
                         promoter == NULL ? block->parts[m][touch]
                                          : part_of(state, block->parts[m], promoter),
                         block->terms->currency);
    jw_object_end(w);
}

static void write_touch(struct json_writer *w, const struct attribution_call *state,
                        const struct block *block, size_t at)
{
    const struct linked_touch *touch = &state->found.items[at];
    const int64_t age = state->order->order.occurred_at_us - touch->occurred_at;
    jw_object(w);
    jw_key_str(w, "event_id", touch->event_id);
    jw_key_str(w, "link", touch->link);
    jw_key_str(w, "kind", order_touch_kinds[state->found.touches[at].kind]);
    if (*touch->promoter != '\0')
        jw_key_str(w, "promoter", touch->promoter);
    jw_key_time(w, "occurred_at", touch->occurred_at);
    jw_key_int(w, "age_seconds", age / CLOCK_SECOND_US);
    jw_key_bool(w, "counts", counts(state, block, at));
    jw_key_str(w, "outcome", outcome_of(state, block, at));
    write_shares(w, state, block, at, NULL);
    jw_object_end(w);
}

static void write_payout(const struct call *call, struct json_writer *w,
                         const struct attribution_call *state, const struct block *block,
                         enum view view)
{
    const char *const caller = call->caller.partner;
    jw_key(w, "payout");
    if (block->winner == SIZE_MAX || (view == VIEW_OWN && !is_own(call, state, block->winner) &&
                                      !is_paid(state, block, caller))) {
        jw_null(w);
        return;
    }
    jw_object(w);
    if (view == VIEW_ALL || is_own(call, state, block->winner)) {
        jw_key_str(w, "event_id", state->found.items[block->winner].event_id);
        jw_key_str(w, "promoter", state->found.items[block->winner].promoter);
    }
    jw_key(w, "paid");
    jw_array(w);
    for (size_t i = 0; i < state->found.promoter_count; i++) {
        const char *promoter = state->found.promoters[i].id;
        if (!is_paid(state, block, promoter) || (view == VIEW_OWN && strcmp(promoter, caller) != 0))
            continue;
        jw_object(w);
        jw_key_str(w, "payee", promoter);
        jw_key_money(w, "amount", paid_to(state, block, promoter), block->terms->currency);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
}

/* A promoter learns neither the lines nor what they came to. */
static void write_block(const struct call *call, struct json_writer *w,
                        const struct attribution_call *state, const struct block *block,
                        enum view view)
{
    const struct accord_order *order = &state->order->order;
    jw_object(w);
    jw_key_str(w, "agreement", block->terms->agreement);
    jw_key_int(w, "version", block->terms->version);
    if (view == VIEW_ALL) {
        jw_key_money(w, "net", block->net, block->terms->currency);
        jw_key(w, "lines");
        jw_array(w);
        for (size_t i = 0; i < order->line_count; i++)
            if (is_of(state, block, i))
                jw_str(w, order->lines[i].line_id);
        jw_array_end(w);
    }
    jw_key_int(w, "window_days", block->rules.window_us / CLOCK_DAY_US);
    jw_key_str(w, "pays", block->rules.model == ACCORD_TOUCH_FIRST ? "first" : "last");
    jw_key_bool(w, "coupon_beats_click", block->rules.coupon_beats_click);
    jw_key(w, "touches");
    jw_array(w);
    for (size_t i = 0; i < state->found.count; i++)
        if (view == VIEW_ALL || is_own(call, state, state->by_time[i]))
            write_touch(w, state, block, state->by_time[i]);
    jw_array_end(w);
    jw_key(w, "promoters");
    jw_array(w);
    for (size_t p = 0; p < state->found.promoter_count; p++) {
        const char *promoter = state->found.promoters[p].id;
        bool any = false;
        for (size_t i = 0; i < state->found.count && !any; i++)
            any = counts(state, block, i) && strcmp(state->found.items[i].promoter, promoter) == 0;
        if (!any || (view == VIEW_OWN && strcmp(promoter, call->caller.partner) != 0))
            continue;
        jw_object(w);
        jw_key_str(w, "promoter", promoter);
        write_shares(w, state, block, SIZE_MAX, promoter);
        jw_object_end(w);
    }
    jw_array_end(w);
    write_payout(call, w, state, block, view);
    jw_object_end(w);
}

static void write_asked(struct json_writer *w, const struct attribution_call *state)
{
    jw_key(w, "models");
    jw_array(w);
    for (size_t m = 0; m < MODELS; m++)
        if (state->asked[m])
            jw_str(w, accord_credit_model_name(models[m]));
    jw_array_end(w);
    jw_key_int(w, "half_life_days", state->half_life_days);
}

/* Writes the blocks that the caller sees; *ret_seen: there is one. */
static enum accord_error write_blocks(struct call *call, struct json_writer *w,
                                      const struct attribution_call *state, bool *ret_seen)
{
    enum accord_error error = ACCORD_OK;
    jw_key(w, "agreements");
    jw_array(w);
    for (size_t v = 0; error == ACCORD_OK && v < state->order->version_count; v++) {
        struct block block;
        bool found;
        error = make_block(call, state, v, &block, &found);
        const enum view view =
            error == ACCORD_OK && found ? view_of(call, state, &block) : VIEW_NOTHING;
        if (view == VIEW_NOTHING)
            continue;
        *ret_seen = true;
        write_block(call, w, state, &block, view);
    }
    jw_array_end(w);
    return error;
}

static void read(struct call *call)
{
    struct attribution_call *state = call->state;
    const struct order_call *order = state->order;
    if (!order_call_load(call, state->order) || call_check(call, find_touches(call, state)))
        return;
    struct buf body;
    struct json_writer w;
    bool seen = order->whole;
    buf_init(&body, ANSWER_MAX);
    jw_init(&w, &body);
    jw_object(&w);
    order_write_head(&w, order);
    write_asked(&w, state);
    call_check(call, write_blocks(call, &w, state, &seen));
    jw_object_end(&w);
    for (size_t i = 0; i < order->order.line_count && !seen; i++)
        seen = order_sees_line(call, order, i);
    if (!seen)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    call_json_hashed(call, &body);
}

/* A job's work, as the explanation is. */
const struct operation order_attribution_operations[] = {
    {.id = "getOrderAttribution",
     .method = "GET",
     .pattern = "/v1/orders/{channel}/{order_id}/attribution",
     .scope = SCOPE_REVENUE_READ,
     .run = RUN_JOB,
     .query = "model half_life_days",
     .prepare = prepare,
     .read = read},
};
const size_t order_attribution_operation_count =
    sizeof order_attribution_operations / sizeof order_attribution_operations[0];
