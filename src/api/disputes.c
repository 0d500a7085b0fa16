#include "api/disputes.h"

#include <string.h>

#include "api/settlement_call.h"
#include "api/statement_call.h"
#include "api/statement_lines.h"
#include "ingest/statement_state.h"
#include "store/disputes.h"
#include "store/facts.h"

enum { BODY_MAX = 32 << 10, REASON_MAX = 4000, ID_MAX = 128 };

struct dispute_call {
    const char *statement_id;
    const char *dispute_id;
    struct statement_summary statement;
    /* opening */
    struct slice line;
    struct slice reason;
    int64_t claim_minor;
    bool has_claim_minor;
    /* resolving */
    int outcome;
    struct slice resolution;
    struct slice correction;
    struct slice correction_by;
    /* what is answered */
    struct dispute_row row;
    unsigned status;
    /* listing */
    struct list_page page;
    instant_us after_at;
    struct dispute_row *rows;
    size_t count;
    bool more;
};

/* clang-format off */
static const struct json_field open_fields[] = {
    JSON_ID_OPT(struct dispute_call, line, 1, ID_MAX),
    JSON_STRING(struct dispute_call, reason, 1, REASON_MAX),
    {.name = "claim_minor", .kind = JSON_KIND_AMOUNT, .optional = true,
     .offset = offsetof(struct dispute_call, claim_minor),
     .has_offset = offsetof(struct dispute_call, has_claim_minor),
     .min = -ACCORD_AMOUNT_MAX, .max = ACCORD_AMOUNT_MAX},
};
/* clang-format on */
static const char *const outcome_names[] = {"upheld", "rejected", NULL};
static const enum dispute_state outcomes[] = {DISPUTE_UPHELD, DISPUTE_REJECTED};
static const struct json_field resolve_fields[] = {
    JSON_ENUM(struct dispute_call, outcome, outcome_names),
    JSON_STRING(struct dispute_call, resolution, 1, REASON_MAX),
    JSON_ID_OPT(struct dispute_call, correction, 1, ID_MAX),
    JSON_SLUG_OPT(struct dispute_call, correction_by),
};
static const struct json_object open_spec = JSON_OBJECT(struct dispute_call, open_fields);
static const struct json_object resolve_spec = JSON_OBJECT(struct dispute_call, resolve_fields);

static struct dispute_call *begin(struct call *call, const struct json_object *spec)
{
    struct dispute_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL || (spec != NULL && !call_decode(call, spec, state)))
        return NULL;
    state->statement_id = call_arg(call, 0);
    state->status = 200;
    return state;
}

/* One field that is not acceptable. */
static void field_fails(struct call *call, enum accord_error code, const char *pointer)
{
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return;
    json_problem_add(problems, code, pointer, "%s", accord_error_title(code));
    call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
}

/* ---- opening ---- */

static void prepare_open(struct call *call)
{
    begin(call, &open_spec);
}

/* Whether there is such a line is read before the writer's turn: lines never change. */
static void read_open(struct call *call)
{
    struct dispute_call *state = call->state;
    bool found;
    if (!statement_visible(call, state->statement_id, INT64_MIN, &state->statement) ||
        !statement_own(call, &state->statement) || state->line.data == NULL)
        return;
    if (!call_check(call, statement_line_known(call->db, call->arena, state->statement_id,
                                               state->line, &found)) &&
        !found)
        field_fails(call, ACCORD_E_STATEMENT_LINE_UNKNOWN, "/line");
}

/* Refuses when it is too late, or said already. */
static enum accord_error may_open(struct call *call, const struct dispute_call *state,
                                  const char *line)
{
    bool accepted;
    bool open = false;
    enum accord_error error =
        store_statement_was_accepted(call->db, state->statement_id, &accepted);
    if (error == ACCORD_OK)
        error = store_dispute_open(call->db, state->statement_id, line, &open);
    if (error != ACCORD_OK)
        return error;
    if (accepted)
        call_fail(call, ACCORD_E_STATEMENT_ACCEPTED, NULL);
    else if (call->tx->now > state->statement.dispute_until)
        call_fail(call, ACCORD_E_DISPUTE_LATE, NULL);
    else if (open)
        call_fail(call, ACCORD_E_DISPUTE_OPEN, NULL);
    return ACCORD_OK;
}

static enum accord_error write_open(struct call *call)
{
    struct dispute_call *state = call->state;
    const char *line = state->line.data == NULL ? "" : state->line.data;
    enum accord_error error = may_open(call, state, line);
    if (error != ACCORD_OK || call->failed)
        return error;
    char id[RANDOM_ID_MAX];
    random_id("dsp_", id);
    state->row = (struct dispute_row){
        .id = arena_strdup(call->arena, slice_of(id)),
        .statement = state->statement_id,
        .line = line,
        .opened_by = call->caller.partner,
        .reason = state->reason.data,
        .has_claim = state->has_claim_minor,
        .claim = state->claim_minor,
        .state = DISPUTE_OPEN,
        .resolution = "",
        .correction = "",
        .correction_by = "",
        .opened_at = call->tx->now,
    };
    if (state->row.id == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    state->status = 201;
    error = ingest_seq(call->tx, 1, &state->row.seq);
    if (error == ACCORD_OK)
        error = store_dispute_insert(call->db, &state->row);
    if (error == ACCORD_OK)
        error =
            statement_renew(call->tx, state->statement_id, state->row.seq, call->caller.partner);
    return error == ACCORD_OK ? ingest_touch(call->tx, state->statement.partner) : error;
}

/* ---- ending ---- */

static void prepare_resolve(struct call *call)
{
    struct dispute_call *state = begin(call, &resolve_spec);
    if (state == NULL)
        return;
    state->dispute_id = call_arg(call, 1);
    const bool needs_correction =
        outcomes[state->outcome] == DISPUTE_UPHELD || state->correction_by.data != NULL;
    if (needs_correction && state->correction.data == NULL)
        field_fails(call, ACCORD_E_FIELD_MISSING, "/correction");
}

static void prepare_withdraw(struct call *call)
{
    struct dispute_call *state = begin(call, NULL);
    if (state != NULL)
        state->dispute_id = call_arg(call, 1);
}

/* The dispute as it stands, open; else the call has failed. */
static enum accord_error find_open(struct call *call, struct dispute_call *state)
{
    bool found = false;
    if (!statement_visible(call, state->statement_id, call->tx->now, &state->statement))
        return ACCORD_OK;
    if (strlen(state->dispute_id) <= ID_MAX) {
        const enum accord_error error =
            store_dispute_find(call->db, call->arena, state->dispute_id, &found, &state->row);
        if (error != ACCORD_OK)
            return error;
    }
    if (!found || strcmp(state->row.statement, state->statement_id) != 0)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (state->row.state != DISPUTE_OPEN)
        call_fail(call, ACCORD_E_DISPUTE_STATE, "it is %s", dispute_state_name(state->row.state));
    return ACCORD_OK;
}

static enum accord_error end_dispute(struct call *call, struct dispute_call *state)
{
    bool ended;
    state->row.resolved_at = call->tx->now;
    enum accord_error error = ingest_seq(call->tx, 1, &state->row.seq);
    if (error == ACCORD_OK)
        error = store_dispute_end(call->db, &state->row, &ended);
    if (error == ACCORD_OK && !ended)
        error = ACCORD_E_INTERNAL; /* it was open in this transaction */
    if (error == ACCORD_OK)
        error =
            statement_renew(call->tx, state->statement_id, state->row.seq, call->caller.partner);
    return error == ACCORD_OK ? ingest_touch(call->tx, state->statement.partner) : error;
}

static enum accord_error check_correction(struct call *call, const struct dispute_call *state,
                                          const char *by)
{
    const struct fact_name name = {by, state->correction.data};
    struct fact_known known;
    const enum accord_error error = store_facts_known(call->db, &name, 1, &known);
    if (error == ACCORD_OK && !known.found)
        field_fails(call, ACCORD_E_FACT_UNKNOWN, "/correction");
    return error;
}

static enum accord_error write_resolve(struct call *call)
{
    struct dispute_call *state = call->state;
    enum accord_error error = find_open(call, state);
    if (error != ACCORD_OK || call->failed)
        return error;
    if (state->correction.data != NULL) {
        const char *by =
            state->correction_by.data == NULL ? call->caller.partner : state->correction_by.data;
        error = check_correction(call, state, by);
        if (error != ACCORD_OK || call->failed)
            return error;
        state->row.correction = state->correction.data;
        state->row.correction_by = by;
    }
    state->row.state = outcomes[state->outcome];
    state->row.resolution = state->resolution.data;
    return end_dispute(call, state);
}

static enum accord_error write_withdraw(struct call *call)
{
    struct dispute_call *state = call->state;
    const enum accord_error error = find_open(call, state);
    if (error != ACCORD_OK || call->failed)
        return error;
    if (strcmp(state->row.opened_by, call->caller.partner) != 0) {
        call_fail(call, ACCORD_E_ROLE_MISSING, "only the partner that opened it");
        return ACCORD_OK;
    }
    state->row.state = DISPUTE_WITHDRAWN;
    return end_dispute(call, state);
}

/* ---- answers ---- */

static const char *text_or_null(const char *text)
{
    return *text == '\0' ? NULL : text;
}

static void write_dispute(struct json_writer *w, const struct dispute_row *row,
                          const struct statement_summary *statement)
{
    jw_object(w);
    jw_key_str(w, "id", row->id);
    jw_key_str(w, "statement", row->statement);
    jw_key_str(w, "line", text_or_null(row->line));
    jw_key_str(w, "state", dispute_state_name(row->state));
    jw_key_str(w, "opened_by", row->opened_by);
    jw_key_time(w, "opened_at", row->opened_at);
    jw_key_str(w, "reason", row->reason);
    jw_key(w, "claim");
    if (row->has_claim)
        jw_money(w, row->claim, settlement_currency(statement->currency));
    else
        jw_null(w);
    jw_key_str(w, "resolution", text_or_null(row->resolution));
    jw_key(w, "correction");
    if (*row->correction == '\0') {
        jw_null(w);
    } else {
        jw_object(w);
        jw_key_str(w, "partner", row->correction_by);
        jw_key_str(w, "event_id", row->correction);
        jw_object_end(w);
    }
    jw_key(w, "resolved_at");
    if (row->resolved_at == 0)
        jw_null(w);
    else
        jw_time(w, row->resolved_at);
    jw_object_end(w);
}

static void answer_one(struct call *call)
{
    const struct dispute_call *state = call->state;
    struct json_writer w = call_json(call, state->status);
    write_dispute(&w, &state->row, &state->statement);
}

/* ---- listing ---- */

enum { LIST_PARTS = 2 };

static void prepare_list(struct call *call)
{
    struct dispute_call *state = begin(call, NULL);
    if (state == NULL || !call_page(call, LIST_PARTS, &state->page))
        return;
    state->after_at = INT64_MIN;
    if (state->page.has_cursor)
        settlement_part_int(call, state->page.parts[0], &state->after_at);
}

static void read_list(struct call *call)
{
    struct dispute_call *state = call->state;
    const char *after_id = state->page.has_cursor ? state->page.parts[1].data : "";
    if (!statement_visible(call, state->statement_id, clock_now_us(), &state->statement) ||
        call_check(call, store_dispute_list(call->db, call->arena, state->statement_id,
                                            state->after_at, after_id, state->page.limit + 1,
                                            &state->rows, &state->count)))
        return;
    state->more = state->count > (size_t)state->page.limit;
    if (state->more)
        state->count--;
}

static void answer_list(struct call *call)
{
    const struct dispute_call *state = call->state;
    struct buf body;
    struct json_writer w;
    buf_init(&body, (size_t)16 << 20);
    jw_init(&w, &body);
    jw_object(&w);
    jw_key_str(&w, "statement", state->statement_id);
    jw_key_str(&w, "state", state->statement.state);
    jw_key_time(&w, "dispute_until", state->statement.dispute_until);
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < state->count; i++)
        write_dispute(&w, &state->rows[i], &state->statement);
    jw_array_end(&w);
    struct slice parts[LIST_PARTS] = {SLICE(""), SLICE("")};
    if (state->more) {
        const struct dispute_row *last = &state->rows[state->count - 1];
        parts[0] = settlement_int_part(call, last->opened_at);
        parts[1] = slice_of(last->id);
    }
    call_page_next(call, &w, parts, LIST_PARTS, state->more);
    jw_object_end(&w);
    call_json_hashed(call, &body);
}

const struct operation dispute_operations[] = {
    {.id = "openDispute",
     .method = "POST",
     .pattern = "/v1/statements/{statement}/disputes",
     .scope = SCOPE_STATEMENTS_WRITE,
     .flags = OP_IDEMPOTENCY_KEY,
     .body_max = BODY_MAX,
     .media = "application/json",
     .prepare = prepare_open,
     .read = read_open,
     .write = write_open,
     .answer = answer_one},
    {.id = "listDisputes",
     .method = "GET",
     .pattern = "/v1/statements/{statement}/disputes",
     .scope = SCOPE_STATEMENTS_READ,
     .query = "limit cursor",
     .prepare = prepare_list,
     .read = read_list,
     .answer = answer_list},
    {.id = "resolveDispute",
     .method = "POST",
     .pattern = "/v1/statements/{statement}/disputes/{dispute}/resolve",
     .scope = SCOPE_ADMIN,
     .roles = ROLE_PLATFORM,
     .flags = OP_IDEMPOTENCY_KEY,
     .body_max = BODY_MAX,
     .media = "application/json",
     .prepare = prepare_resolve,
     .write = write_resolve,
     .answer = answer_one},
    {.id = "withdrawDispute",
     .method = "POST",
     .pattern = "/v1/statements/{statement}/disputes/{dispute}/withdraw",
     .scope = SCOPE_STATEMENTS_WRITE,
     .flags = OP_IDEMPOTENCY_KEY,
     .prepare = prepare_withdraw,
     .write = write_withdraw,
     .answer = answer_one},
};
const size_t dispute_operation_count = sizeof dispute_operations / sizeof dispute_operations[0];
