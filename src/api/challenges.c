#include "api/challenges.h"

#include <string.h>

#include "api/dispatch.h"
#include "api/settlement_call.h"

struct rounds_call {
    const char *channel;
    const char *offer;
    const char *round;
    bool dry_run;
    struct list_page page;
    struct challenge_round_row *rounds;
    struct challenge_round_row one;
    struct challenge_round_row draft;
    bool drafted;
    struct challenge_entry_row *entries;
    size_t count;
    bool more;
    int64_t version;
    bool not_modified;
};

/* Learners' deposits are between them and their channel. */
static struct rounds_call *begin(struct call *call)
{
    struct rounds_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return NULL;
    const char *channel = call_query(call, "channel");
    state->channel = channel == NULL ? call->caller.partner : channel;
    state->offer = call_arg(call, 0);
    if (!call->caller.is_operator && strcmp(state->channel, call->caller.partner) != 0)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    return call->failed ? NULL : state;
}

/* ---- writing ---- */

static void write_day(struct json_writer *w, const char *name, int64_t day)
{
    jw_key_day(w, name, day);
}

void challenge_round_write(struct json_writer *w, const struct challenge_round_row *round,
                           const struct challenge_round_row *draft, instant_us now)
{
    const bool settled = round->settled_seq != 0;
    const struct accord_currency currency = settlement_currency(round->currency);
    const struct challenge_round_row *sums = settled ? round : draft;
    jw_object(w);
    jw_key_str(w, "channel", round->channel);
    jw_key_str(w, "offer", round->offer);
    jw_key_str(w, "round", round->round);
    jw_key_str(w, "state", settled ? "settled" : round->due_at <= now ? "due" : "open");
    write_day(w, "last_day", round->last_day);
    jw_key_time(w, "due_at", round->due_at);
    jw_key(w, "settled_at");
    if (settled)
        jw_time(w, round->settled_at);
    else
        jw_null(w);
    jw_key_str(w, "settled_by", *round->settled_by == '\0' ? NULL : round->settled_by);
    if (sums != NULL) {
        const struct {
            const char *name;
            int64_t amount;
        } amounts[] = {
            {"deposits", sums->deposits},
            {"payouts", sums->payouts},
            {"forfeited", sums->forfeited},
            {"fee", sums->fee},
            {"pot", sums->pot},
            {"charity", sums->charity},
            {"carried_in", sums->carried_in},
            {"carried", sums->carried},
        };
        jw_key_int(w, "entries", sums->entries);
        jw_key_int(w, "finishers", sums->finishers);
        for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++)
            jw_key_money(w, amounts[i].name, amounts[i].amount, currency);
    }
    jw_object_end(w);
}

void challenge_entry_write(struct json_writer *w, const struct challenge_entry_row *entry)
{
    const struct accord_currency currency = settlement_currency(entry->currency);
    jw_object(w);
    jw_key_str(w, "entry_id", entry->entry_id);
    write_day(w, "first_day", entry->first_day);
    write_day(w, "last_day", entry->last_day);
    jw_key_int(w, "done_days", entry->done_days);
    jw_key_int(w, "makeups", entry->makeups);
    jw_key_money(w, "held", entry->held, currency);
    jw_key_money(w, "payout", entry->payout, currency);
    jw_key_money(w, "forfeited", entry->forfeited, currency);
    jw_key_money(w, "fee", entry->fee, currency);
    jw_object_end(w);
}

/* ---- GET /v1/challenges/{offer}/rounds ---- */

static void list_prepare(struct call *call)
{
    struct rounds_call *state = begin(call);
    if (state != NULL)
        call_page(call, 1, &state->page);
}

static void list_read(struct call *call)
{
    struct rounds_call *state = call->state;
    state->version = call_partner_version(call);
    if (call->failed ||
        call_check(
            call, store_challenge_rounds_of(call->db, call->arena, state->channel, state->offer,
                                            state->page.has_cursor ? state->page.parts[0].data : "",
                                            state->page.limit + 1, &state->rounds, &state->count)))
        return;
    state->more = state->count > (size_t)state->page.limit;
    if (state->more)
        state->count--;
}

/* A round becomes due without a change of the books: the tag is that of what is shown. */
static void list_answer(struct call *call)
{
    const struct rounds_call *state = call->state;
    const instant_us now = clock_now_us();
    struct buf body;
    struct json_writer w;
    buf_init(&body, (size_t)16 << 20);
    jw_init(&w, &body);
    jw_object(&w);
    jw_key_str(&w, "as_of", call_as_of(call, state->version));
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < state->count; i++)
        challenge_round_write(&w, &state->rounds[i], NULL, now);
    jw_array_end(&w);
    const struct slice place =
        state->count > 0 ? slice_of(state->rounds[state->count - 1].round) : SLICE("");
    call_page_next(call, &w, &place, 1, state->more);
    jw_object_end(&w);
    call_json_hashed(call, &body);
}

/* ---- GET /v1/challenges/{offer}/rounds/{round} ---- */

static void get_prepare(struct call *call)
{
    struct rounds_call *state = begin(call);
    if (state != NULL)
        state->round = call_arg(call, 1);
}

/* What is refused for settling is none of a reader's business. */
static bool find_round(struct call *call, instant_us now)
{
    struct rounds_call *state = call->state;
    const enum accord_error error = challenge_round_check(
        call->db, call->arena, state->channel, state->offer, state->round, now, &state->one);
    if (error == ACCORD_E_ROUND_NOT_OVER || error == ACCORD_E_ROUND_NOT_OLDEST)
        return true;
    return !call_check(call, error);
}

static void get_read(struct call *call)
{
    struct rounds_call *state = call->state;
    if (!find_round(call, clock_now_us()) || state->one.settled_seq != 0)
        return;
    state->drafted =
        !call_check(call, challenge_round_draft(call->db, call->arena, &state->one, &state->draft,
                                                &state->entries, &state->count));
}

static void write_round(struct call *call, const struct rounds_call *state)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, (size_t)1 << 20);
    jw_init(&w, &body);
    challenge_round_write(&w, &state->one, state->drafted ? &state->draft : NULL, clock_now_us());
    call_json_hashed(call, &body);
}

static void get_answer(struct call *call)
{
    write_round(call, call->state);
}

/* ---- GET /v1/challenges/{offer}/rounds/{round}/entries ---- */

static void entries_prepare(struct call *call)
{
    struct rounds_call *state = begin(call);
    if (state == NULL)
        return;
    state->round = call_arg(call, 1);
    call_page(call, 1, &state->page);
}

static void entries_read(struct call *call)
{
    struct rounds_call *state = call->state;
    if (!find_round(call, clock_now_us()))
        return;
    state->version = call_partner_version(call);
    state->not_modified = call_etag(call, state->version);
    if (state->not_modified ||
        call_check(call, store_challenge_entries_of(
                             call->db, call->arena, state->channel, state->offer, state->round,
                             state->page.has_cursor ? state->page.parts[0].data : "",
                             state->page.limit + 1, &state->entries, &state->count)))
        return;
    state->more = state->count > (size_t)state->page.limit;
    if (state->more)
        state->count--;
}

static void entries_answer(struct call *call)
{
    const struct rounds_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "as_of", call_as_of(call, state->version));
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < state->count; i++)
        challenge_entry_write(&w, &state->entries[i]);
    jw_array_end(&w);
    const struct slice place =
        state->count > 0 ? slice_of(state->entries[state->count - 1].entry_id) : SLICE("");
    call_page_next(call, &w, &place, 1, state->more);
    jw_object_end(&w);
}

/* ---- POST /v1/challenges/{offer}/rounds/{round}/settle ---- */

static void settle_prepare(struct call *call)
{
    struct rounds_call *state = begin(call);
    const char *dry_run = call_query(call, "dry_run");
    if (state == NULL)
        return;
    state->round = call_arg(call, 1);
    state->dry_run = dry_run != NULL && strcmp(dry_run, "true") == 0;
    if (dry_run != NULL && !state->dry_run && strcmp(dry_run, "false") != 0)
        call_fail(call, ACCORD_E_QUERY_INVALID, "dry_run: true or false");
}

static void settle_read(struct call *call)
{
    struct rounds_call *state = call->state;
    if (!state->dry_run)
        return;
    if (call_check(call, challenge_round_check(call->db, call->arena, state->channel, state->offer,
                                               state->round, clock_now_us(), &state->one)) ||
        (state->one.settled_seq == 0 &&
         call_check(call, challenge_round_draft(call->db, call->arena, &state->one, &state->draft,
                                                &state->entries, &state->count))))
        return;
    state->drafted = state->one.settled_seq == 0;
    struct json_writer w = call_json(call, 200);
    challenge_round_write(&w, &state->one, state->drafted ? &state->draft : NULL, clock_now_us());
    flight_of(call)->done = true;
}

static enum accord_error settle_write(struct call *call)
{
    struct rounds_call *state = call->state;
    const enum accord_error error = challenge_round_settle(
        call->tx, state->channel, state->offer, state->round, call->caller.partner, &state->one);
    if (error == ACCORD_E_NOT_FOUND || error == ACCORD_E_ROUND_NOT_OVER ||
        error == ACCORD_E_ROUND_NOT_OLDEST) {
        call_fail(call, error, NULL);
        return ACCORD_OK;
    }
    if (error != ACCORD_OK)
        return error;
    struct json_writer w = call_json(call, 200);
    challenge_round_write(&w, &state->one, NULL, call->tx->now);
    return ACCORD_OK;
}

const struct operation challenge_operations[] = {
    {.id = "listChallengeRounds",
     .method = "GET",
     .pattern = "/v1/challenges/{offer}/rounds",
     .scope = SCOPE_REVENUE_READ,
     .run = RUN_JOB,
     .query = "channel limit cursor",
     .prepare = list_prepare,
     .read = list_read,
     .answer = list_answer},
    {.id = "getChallengeRound",
     .method = "GET",
     .pattern = "/v1/challenges/{offer}/rounds/{round}",
     .scope = SCOPE_REVENUE_READ,
     .run = RUN_JOB,
     .query = "channel",
     .prepare = get_prepare,
     .read = get_read,
     .answer = get_answer},
    {.id = "listChallengeEntries",
     .method = "GET",
     .pattern = "/v1/challenges/{offer}/rounds/{round}/entries",
     .scope = SCOPE_REVENUE_READ,
     .run = RUN_JOB,
     .query = "channel limit cursor",
     .prepare = entries_prepare,
     .read = entries_read,
     .answer = entries_answer},
    {.id = "settleChallengeRound",
     .method = "POST",
     .pattern = "/v1/challenges/{offer}/rounds/{round}/settle",
     .scope = SCOPE_STATEMENTS_WRITE,
     .run = RUN_JOB,
     .flags = OP_IDEMPOTENCY_KEY,
     .query = "channel dry_run",
     .prepare = settle_prepare,
     .read = settle_read,
     .write = settle_write},
};
const size_t challenge_operation_count =
    sizeof challenge_operations / sizeof challenge_operations[0];
