#include "api/statements.h"

#include <string.h>

#include "api/csv_write.h"
#include "api/settlement_call.h"
#include "api/statement_call.h"
#include "ingest/statement_state.h"
#include "store/statements.h"
#include "json/flatten.h"

/* ---- the poll ---- */

enum { LIST_PARTS = 2 };

static const char *const state_names[] = {STATEMENT_PUBLISHED, STATEMENT_ACCEPTED,
                                          STATEMENT_DISPUTED, STATEMENT_PAID};
enum { STATES = sizeof state_names / sizeof state_names[0] };

struct statement_list {
    struct statement_changes ask;
    struct list_page page;
    int64_t since;
    int64_t version;
    struct statement_summary *rows;
    size_t count;
    bool more;
};

static bool take_state(struct call *call, struct statement_changes *ask)
{
    int i = 0;
    ask->state = call_query(call, "state");
    while (ask->state != NULL && i < STATES && strcmp(ask->state, state_names[i]) != 0)
        i++;
    if (i < STATES)
        return !call->failed;
    call_fail(call, ACCORD_E_QUERY_INVALID, "state: published, accepted, disputed or paid");
    return false;
}

static void prepare_list(struct call *call)
{
    struct statement_list *list = call_alloc(call, sizeof *list);
    call->state = list;
    if (list == NULL || !settlement_partner(call, &list->ask.partner) ||
        !take_state(call, &list->ask) || !call_page(call, LIST_PARTS, &list->page))
        return;
    list->ask.agreement = call_query(call, "agreement");
    list->ask.now = clock_now_us();
    list->ask.limit = list->page.limit + 1;
    list->since = call_query_since(call, "since", 0);
    /* Everything of that number is known already: ids are not as large as this. */
    list->ask.after_seq = list->since;
    list->ask.after_id = "\xf4\x8f\xbf\xbf";
    if (list->page.has_cursor &&
        settlement_part_int(call, list->page.parts[0], &list->ask.after_seq))
        list->ask.after_id = list->page.parts[1].data;
}

static void read_list(struct call *call)
{
    struct statement_list *list = call->state;
    if (!settlement_position(call, list->since))
        return;
    list->version = call_partner_version(call);
    if (call->failed || call_check(call, store_statement_changes(call->db, call->arena, &list->ask,
                                                                 &list->rows, &list->count)))
        return;
    list->more = list->count > (size_t)list->page.limit;
    if (list->more)
        list->count--;
}

/* When the next deadline of what is shown passes. Which statements are in a state that is asked for
 * depends on deadlines of others, too. */
static instant_us holds_until(const struct statement_list *list)
{
    instant_us until = list->ask.state == NULL ? INT64_MAX : 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i].dispute_until >= list->ask.now && list->rows[i].dispute_until < until)
            until = list->rows[i].dispute_until;
    return until;
}

/* A deadline passes without a change of the books: the tag is that of what is shown. */
static void answer_list(struct call *call)
{
    const struct statement_list *list = call->state;
    struct buf body;
    struct json_writer w;
    buf_init(&body, (size_t)16 << 20);
    jw_init(&w, &body);
    jw_object(&w);
    jw_key_str(&w, "as_of", call_as_of(call, list->version));
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < list->count; i++) {
        jw_object(&w);
        statement_write_summary(call, &w, &list->rows[i]);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    struct slice parts[LIST_PARTS] = {SLICE(""), SLICE("")};
    if (list->more) {
        const struct statement_summary *last = &list->rows[list->count - 1];
        parts[0] = settlement_int_part(call, last->change_seq);
        parts[1] = slice_of(last->id);
    }
    call_page_next(call, &w, parts, LIST_PARTS, list->more);
    jw_object_end(&w);
    call_json_hashed(call, &body);
    call_keep(call, holds_until(list));
}

/* ---- one ---- */

struct statement_call {
    const char *id;
    struct statement_summary statement;
    struct statement_row row;
    bool not_modified;
};

static void prepare_one(struct call *call)
{
    struct statement_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state != NULL)
        state->id = call_arg(call, 0);
}

static bool wants_csv(struct call *call)
{
    return strcmp(call_produces(call), "text/csv") == 0;
}

static void read_one(struct call *call)
{
    struct statement_call *state = call->state;
    bool found;
    if (!statement_visible(call, state->id, INT64_MIN, &state->statement))
        return;
    state->not_modified =
        statement_etag(call, &state->statement.hash, wants_csv(call) ? ".csv" : "");
    call_keep(call, INT64_MAX);
    if (!state->not_modified && !call->failed)
        call_check(call,
                   store_statement_find(call->db, call->arena, state->id, &found, &state->row));
}

static enum accord_error write_cell(void *context, const char *pointer, struct slice text,
                                    bool is_string)
{
    struct csv_writer *csv = context;
    csv_str(csv, pointer);
    if (is_string)
        csv_text(csv, text);
    else
        csv_number(csv, text);
    csv_row_end(csv);
    return ACCORD_OK;
}

static void answer_csv(struct call *call, const struct statement_call *state)
{
    struct csv_writer csv;
    struct buf *out = &call->reply->body;
    buf_done(out);
    buf_init(out, (size_t)16 << 20);
    call->reply->status = 200;
    call->reply->content_type = "text/csv; charset=utf-8";
    csv_writer_init(&csv, out);
    csv_str(&csv, "field");
    csv_str(&csv, "value");
    csv_row_end(&csv);
    if (!call_check(call, json_flatten(call->arena, state->row.body, write_cell, &csv)))
        call_check(call, buf_error(out));
}

static void answer_one(struct call *call)
{
    const struct statement_call *state = call->state;
    if (state->not_modified)
        return;
    if (wants_csv(call)) {
        answer_csv(call, state);
        return;
    }
    struct json_writer w = call_json(call, 200);
    jw_raw(&w, state->row.body);
}

/* ---- acceptance ---- */

static enum accord_error write_accept(struct call *call)
{
    struct statement_call *state = call->state;
    struct statement_summary *statement = &state->statement;
    bool disputed;
    bool accepted;
    if (!statement_visible(call, state->id, call->tx->now, statement) ||
        !statement_own(call, statement))
        return ACCORD_OK;
    enum accord_error error = store_statement_was_accepted(call->db, state->id, &accepted);
    if (error != ACCORD_OK)
        return error;
    disputed = strcmp(statement->state, STATEMENT_DISPUTED) == 0;
    if (disputed) {
        call_fail(call, ACCORD_E_DISPUTE_OPEN, NULL);
        return ACCORD_OK;
    }
    /* Again, or after the deadline: it is accepted already. */
    if (accepted || strcmp(statement->state, STATEMENT_ACCEPTED) == 0)
        return ACCORD_OK;
    error = statement_accept(call->tx, state->id, call->caller.partner);
    if (error == ACCORD_OK)
        statement_visible(call, state->id, call->tx->now, statement);
    return error;
}

static void answer_accept(struct call *call)
{
    const struct statement_call *state = call->state;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    statement_write_summary(call, &w, &state->statement);
    jw_object_end(&w);
}

const struct operation statement_operations[] = {
    {.id = "listStatements",
     .method = "GET",
     .pattern = "/v1/statements",
     .scope = SCOPE_STATEMENTS_READ,
     .query = "since partner agreement state limit cursor",
     .prepare = prepare_list,
     .read = read_list,
     .answer = answer_list},
    {.id = "getStatement",
     .method = "GET",
     .pattern = "/v1/statements/{statement}",
     .scope = SCOPE_STATEMENTS_READ,
     .produces = "application/json text/csv",
     .prepare = prepare_one,
     .read = read_one,
     .answer = answer_one},
    {.id = "acceptStatement",
     .method = "POST",
     .pattern = "/v1/statements/{statement}/accept",
     .scope = SCOPE_STATEMENTS_WRITE,
     .flags = OP_IDEMPOTENCY_KEY,
     .prepare = prepare_one,
     .write = write_accept,
     .answer = answer_accept},
};
const size_t statement_operation_count =
    sizeof statement_operations / sizeof statement_operations[0];
