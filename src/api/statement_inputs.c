#include "api/statement_inputs.h"

#include "api/settlement_call.h"
#include "api/statement_call.h"
#include "store/statement_inputs.h"

/* Pieces of some 64 KiB in one answer. */
enum { PIECES_MAX = 500 };

static const size_t body_bytes_max = (size_t)128 << 20;

struct inputs_call {
    const char *id;
    struct statement_summary statement;
    struct list_page page;
    int64_t from;
    struct buf *out;
    int64_t count;
    bool more;
};

static void prepare(struct call *call)
{
    struct inputs_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL || !call_page(call, 1, &state->page))
        return;
    state->id = call_arg(call, 0);
    if (state->page.has_cursor)
        settlement_part_int(call, state->page.parts[0], &state->from);
}

static enum accord_error take_piece(void *context, int64_t number, struct slice body)
{
    struct inputs_call *state = context;
    (void)number;
    if (state->count == PIECES_MAX) {
        state->more = true;
        return ACCORD_OK;
    }
    state->count++;
    buf_add_slice(state->out, body);
    return buf_error(state->out);
}

/* It never changes: neither does the tag of a part of it. */
static void read(struct call *call)
{
    struct inputs_call *state = call->state;
    if (!statement_visible(call, state->id, INT64_MIN, &state->statement) ||
        statement_etag(call, &state->statement.hash, ".inputs") || call->failed)
        return;
    state->out = &call->reply->body;
    buf_done(state->out);
    buf_init(state->out, body_bytes_max);
    call->reply->status = 200;
    call->reply->content_type = "application/x-ndjson";
    if (call_check(call, store_statement_inputs_each(call->db, state->id, state->from,
                                                     PIECES_MAX + 1, take_piece, state)))
        return;
    if (state->more) {
        struct buf unused;
        struct json_writer w;
        const struct slice place = settlement_int_part(call, state->from + state->count);
        buf_init(&unused, (size_t)1 << 16);
        jw_init(&w, &unused);
        call_page_next(call, &w, &place, 1, true);
        buf_done(&unused);
    }
}

const struct operation statement_input_operations[] = {
    {.id = "getStatementInputs",
     .method = "GET",
     .pattern = "/v1/statements/{statement}/inputs",
     .scope = SCOPE_STATEMENTS_READ,
     .run = RUN_JOB,
     .produces = "application/x-ndjson",
     .query = "cursor",
     .prepare = prepare,
     .read = read},
};
const size_t statement_input_operation_count =
    sizeof statement_input_operations / sizeof statement_input_operations[0];
