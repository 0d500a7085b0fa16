/* One entry of a challenge, and why its revenue is what it is. */
#include <string.h>

#include "api/challenges.h"
#include "api/settlement_call.h"
#include "store/partners.h"

struct entry_call {
    struct challenge_name name;
    struct stored_challenge stored;
    struct challenge_view view;
    struct challenge_entry_row row;
    bool settled; /* its round is */
};

static void prepare(struct call *call)
{
    struct entry_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return;
    state->name = (struct challenge_name){call_arg(call, 0), call_arg(call, 1)};
    if (!call->caller.is_operator && strcmp(state->name.channel, call->caller.partner) != 0)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
}

static void read_entry(struct call *call)
{
    struct entry_call *state = call->state;
    struct challenge_book *book = challenge_book_new(call->db, call->arena);
    struct challenge_round_row round;
    bool found = false;
    state->stored.name = state->name;
    if (call_check(call, book == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK) ||
        call_check(call, store_challenge_entries_find(call->db, call->arena, &state->name, 1,
                                                      &state->row)) ||
        call_check(call, store_challenges_load(call->db, call->arena, &state->stored, 1)) ||
        call_check(call, challenge_view_of(book, call->arena, &state->stored, &state->view)))
        return;
    if (state->row.entry_id == NULL || state->view.joined == NULL) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    if (*state->row.round != '\0' &&
        call_check(call,
                   store_challenge_round_find(call->db, call->arena, state->row.channel,
                                              state->row.offer, state->row.round, &round, &found)))
        return;
    state->settled = found && round.settled_seq != 0;
}

static const char *state_of(const struct entry_call *state)
{
    const struct challenge_view *view = &state->view;
    if (view->withdrawn != NULL)
        return "withdrawn";
    if (view->offer == NULL)
        return "unmatched";
    if (view->done_days >= view->offer->challenge.need_days)
        return "finished";
    return state->settled ? "failed" : "open";
}

static void answer(struct call *call)
{
    const struct entry_call *state = call->state;
    const struct challenge_view *view = &state->view;
    const struct accord_currency currency = settlement_currency(state->row.currency);
    struct buf body;
    struct json_writer writer;
    struct json_writer *w = &writer;
    buf_init(&body, (size_t)1 << 20);
    jw_init(w, &body);
    jw_object(w);
    jw_key_str(w, "channel", state->row.channel);
    jw_key_str(w, "entry_id", state->row.entry_id);
    jw_key_str(w, "offer", view->joined->offer);
    jw_key_str(w, "round", *view->round == '\0' ? NULL : view->round);
    jw_key_str(w, "state", state_of(state));
    jw_key_time(w, "joined_at", view->joined->occurred_at);
    jw_key_str(w, "time_zone", view->joined->time_zone);
    jw_key_money(w, "deposit", view->joined->deposit, currency);
    jw_key_money(w, "held", state->row.held, currency);
    if (view->offer != NULL) {
        jw_key_day(w, "first_day", view->first_day);
        jw_key_day(w, "last_day", view->last_day);
        jw_key_int(w, "needed_days", view->offer->challenge.need_days);
        jw_key_int(w, "done_days", view->done_days);
        jw_key_int(w, "makeups", view->makeups);
    }
    if (state->settled) {
        jw_key_money(w, "payout", state->row.payout, currency);
        jw_key_money(w, "forfeited", state->row.forfeited, currency);
        jw_key_money(w, "fee", state->row.fee, currency);
    }
    jw_object_end(w);
    call_json_hashed(call, &body);
}

/* ---- lines of statements ---- */

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

static enum accord_error explain(struct call *call, const struct challenge_entry_row *entry,
                                 const char *agreement, const char *partner,
                                 struct challenge_line_explained *ret)
{
    struct agreement_version *versions;
    struct rate_book *rates;
    const char *operator_id;
    struct accord_line_result result;
    struct accord_excess unused;
    struct collecting collecting = {.arena = call->arena, .steps = &ret->steps};
    size_t count;
    enum accord_error error =
        agreement_load_settling(call->db, call->arena, entry->channel, &versions, &count);
    if (error == ACCORD_OK)
        error = store_partner_operator(call->db, call->arena, &operator_id);
    if (error != ACCORD_OK)
        return error;
    const struct accord_agreement_version **terms =
        arena_array(call->arena, count + 1, sizeof *terms);
    const struct agreement_version **chosen = arena_array(call->arena, count + 1, sizeof *chosen);
    struct accord_order *order = challenge_order(call->arena, operator_id, entry);
    if (terms == NULL || chosen == NULL || order == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        chosen[i] = &versions[i];
        terms[i] = &versions[i].terms;
    }
    error = rate_book_new(&rates);
    if (error != ACCORD_OK)
        return error;
    error = rate_book_enter(rates, call->db);
    if (error == ACCORD_OK)
        error = rate_book_pins(rates, call->arena, order, chosen, count, &order->rates);
    if (error == ACCORD_OK)
        error = accord_explain_order(order, NULL, 0, terms, count, &result, &unused, collect,
                                     &collecting);
    rate_book_free(rates);
    if (error == ACCORD_OK && collecting.out_of_memory)
        error = ACCORD_E_OUT_OF_MEMORY;
    if (error != ACCORD_OK || result.held != ACCORD_HELD_NOT ||
        strcmp(terms[result.version]->agreement, agreement) != 0)
        return error;
    ret->version = terms[result.version]->version;
    for (uint32_t i = 0; i < terms[result.version]->party_count; i++)
        if (strcmp(terms[result.version]->parties[i], partner) == 0)
            ret->earned = result.shares[i];
    return ACCORD_OK;
}

bool challenge_line_explain(struct call *call, const struct challenge_name *name,
                            const char *agreement, const char *partner,
                            struct challenge_line_explained *ret)
{
    struct challenge_entry_row *entry = call_alloc(call, sizeof *entry);
    bool found = false;
    *ret = (struct challenge_line_explained){.entry = NULL};
    if (entry == NULL ||
        call_check(call, store_challenge_entries_find(call->db, call->arena, name, 1, entry)))
        return false;
    if (entry->entry_id == NULL || entry->seq == 0 || entry->fee == 0)
        return true;
    if (call_check(call,
                   store_challenge_round_find(call->db, call->arena, entry->channel, entry->offer,
                                              entry->round, &ret->round, &found)) ||
        call_check(call, explain(call, entry, agreement, partner, ret)))
        return false;
    if (found)
        ret->entry = entry;
    return true;
}

void challenge_line_write(struct json_writer *w, const struct challenge_line_explained *explained)
{
    if (explained->entry == NULL) {
        jw_null(w);
        return;
    }
    jw_object(w);
    explain_write_steps(w, "steps", &explained->steps);
    jw_key(w, "entry");
    challenge_entry_write(w, explained->entry);
    jw_key(w, "round");
    challenge_round_write(w, &explained->round, NULL, clock_now_us());
    jw_object_end(w);
}

const struct operation challenge_entry_operations[] = {
    {.id = "getChallengeEntry",
     .method = "GET",
     .pattern = "/v1/challenge-entries/{channel}/{entry_id}",
     .scope = SCOPE_REVENUE_READ,
     .run = RUN_JOB,
     .prepare = prepare,
     .read = read_entry,
     .answer = answer},
};
const size_t challenge_entry_operation_count =
    sizeof challenge_entry_operations / sizeof challenge_entry_operations[0];
