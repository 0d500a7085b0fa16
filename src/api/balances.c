#include "api/balances.h"

#include <string.h>

#include "api/settlement_call.h"
#include "store/postings.h"

/* ---- sums ---- */

/* The key of a balance, as the parts of a cursor. */
enum { BALANCE_PARTS = 4 };

struct balances_call {
    struct balance_ask ask;
    struct list_page page;
    bool has_at;
    int64_t version; /* of what the caller sees */
    bool not_modified;
    struct balance_row *rows;
    size_t count;
    bool more;
    struct balance_row *trial;
    size_t trial_count;
};

static bool is_of_all(const struct call *call, const struct balances_call *state)
{
    return call->caller.is_operator && state->ask.partner == NULL;
}

static bool take_at(struct call *call, struct balances_call *state)
{
    const char *text = call_query(call, "at");
    state->ask.at = INT64_MAX;
    if (text == NULL)
        return !call->failed;
    state->has_at = true;
    if (clock_parse(slice_of(text), &state->ask.at) == ACCORD_OK)
        return true;
    call_fail(call, ACCORD_E_QUERY_INVALID, "at: an RFC 3339 time with an offset is needed");
    return false;
}

static void prepare_balances(struct call *call)
{
    struct balances_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL || !settlement_partner(call, &state->ask.partner) || !take_at(call, state) ||
        !call_page(call, BALANCE_PARTS, &state->page))
        return;
    state->ask.seq_max = call_query_since(call, "as_of", INT64_MAX);
    state->ask.limit = state->page.limit + 1;
    const struct slice *parts = state->page.parts;
    if (state->page.has_cursor)
        state->ask.after = (struct balance_row){.partner = parts[0].data,
                                                .account = parts[1].data,
                                                .agreement = parts[2].data,
                                                .currency = parts[3].data};
}

static void read_balances(struct call *call)
{
    struct balances_call *state = call->state;
    const bool has_position = state->ask.seq_max != INT64_MAX;
    if (has_position && !settlement_position(call, state->ask.seq_max))
        return;
    state->version = call_partner_version(call);
    if (call->failed)
        return;
    state->not_modified = call_etag(call, state->version);
    call_keep(call, INT64_MAX);
    if (state->not_modified || call_check(call, store_balances(call->db, call->arena, &state->ask,
                                                               &state->rows, &state->count)))
        return;
    state->more = state->count > (size_t)state->page.limit;
    if (state->more)
        state->count--;
    if (is_of_all(call, state))
        call_check(call, store_trial_balance(call->db, call->arena, &state->ask, &state->trial,
                                             &state->trial_count));
}

static void write_balance(struct json_writer *w, const struct balance_row *row)
{
    jw_object(w);
    jw_key_str(w, "partner", row->partner);
    jw_key_str(w, "account", row->account);
    jw_key_str(w, "agreement", *row->agreement == '\0' ? NULL : row->agreement);
    jw_key_money(w, "balance", row->amount, settlement_currency(row->currency));
    jw_object_end(w);
}

static void answer_balances(struct call *call)
{
    const struct balances_call *state = call->state;
    if (state->not_modified)
        return;
    const int64_t seq = state->ask.seq_max == INT64_MAX ? state->version : state->ask.seq_max;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "partner", state->ask.partner);
    jw_key_str(&w, "as_of", call_as_of(call, seq));
    jw_key(&w, "at");
    if (state->has_at)
        jw_time(&w, state->ask.at);
    else
        jw_null(&w);
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < state->count; i++)
        write_balance(&w, &state->rows[i]);
    jw_array_end(&w);
    if (is_of_all(call, state)) {
        jw_key(&w, "trial_balance");
        jw_array(&w);
        for (size_t i = 0; i < state->trial_count; i++)
            jw_money(&w, state->trial[i].amount, settlement_currency(state->trial[i].currency));
        jw_array_end(&w);
    }
    const struct balance_row none = {.partner = "", .account = "", .agreement = "", .currency = ""};
    const struct balance_row *last = state->count == 0 ? &none : &state->rows[state->count - 1];
    const struct slice parts[BALANCE_PARTS] = {slice_of(last->partner), slice_of(last->account),
                                               slice_of(last->agreement), slice_of(last->currency)};
    call_page_next(call, &w, parts, BALANCE_PARTS, state->more);
    jw_object_end(&w);
}

/* ---- rows ---- */

enum { POSTING_PARTS = 2 };

struct postings_call {
    const char *partner;
    struct list_page page;
    int64_t since;
    struct posting_place after;
    int64_t version;
    bool not_modified;
    struct posting_row *rows;
    size_t count;
    bool more;
};

static void prepare_postings(struct call *call)
{
    struct postings_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL || !settlement_partner(call, &state->partner) ||
        !call_page(call, POSTING_PARTS, &state->page))
        return;
    state->since = call_query_since(call, "since", 0);
    /* All of that number is known already. */
    state->after = (struct posting_place){state->since, INT64_MAX};
    if (state->page.has_cursor &&
        settlement_part_int(call, state->page.parts[0], &state->after.seq))
        settlement_part_int(call, state->page.parts[1], &state->after.number);
}

static void read_postings(struct call *call)
{
    struct postings_call *state = call->state;
    if (!settlement_position(call, state->since))
        return;
    state->version = call_partner_version(call);
    if (call->failed)
        return;
    state->not_modified = call_etag(call, state->version);
    if (state->not_modified ||
        call_check(call, store_postings_list(call->db, call->arena, state->partner, state->after,
                                             state->page.limit + 1, &state->rows, &state->count)))
        return;
    state->more = state->count > (size_t)state->page.limit;
    if (state->more)
        state->count--;
}

/* The number of a transaction would tell how much everybody else posts: it is given as a position.
 */
static void write_posting(struct call *call, struct json_writer *w, const struct posting_row *row)
{
    jw_object(w);
    jw_key_str(w, "transaction", call_as_of(call, row->seq));
    jw_key_str(w, "kind", row->kind);
    jw_key_str(w, "partner", row->partner);
    jw_key_str(w, "account", row->account);
    jw_key_str(w, "agreement", *row->agreement == '\0' ? NULL : row->agreement);
    jw_key_money(w, "amount", row->amount, settlement_currency(row->currency));
    jw_key_str(w, "reference", row->reference);
    jw_key_time(w, "posted_at", row->posted_at);
    jw_object_end(w);
}

static void answer_postings(struct call *call)
{
    const struct postings_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "as_of", call_as_of(call, state->version));
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < state->count; i++)
        write_posting(call, &w, &state->rows[i]);
    jw_array_end(&w);
    struct slice parts[POSTING_PARTS] = {SLICE(""), SLICE("")};
    if (state->more) {
        const struct posting_row *last = &state->rows[state->count - 1];
        parts[0] = settlement_int_part(call, last->seq);
        parts[1] = settlement_int_part(call, last->number);
    }
    call_page_next(call, &w, parts, POSTING_PARTS, state->more);
    jw_object_end(&w);
}

/* A balance adds up every posting that a partner has. */
const struct operation balance_operations[] = {
    {.id = "listBalances",
     .method = "GET",
     .pattern = "/v1/balances",
     .scope = SCOPE_STATEMENTS_READ,
     .run = RUN_JOB,
     .query = "partner as_of at limit cursor",
     .prepare = prepare_balances,
     .read = read_balances,
     .answer = answer_balances},
    {.id = "listPostings",
     .method = "GET",
     .pattern = "/v1/postings",
     .scope = SCOPE_STATEMENTS_READ,
     .query = "partner since limit cursor",
     .prepare = prepare_postings,
     .read = read_postings,
     .answer = answer_postings},
};
const size_t balance_operation_count = sizeof balance_operations / sizeof balance_operations[0];
