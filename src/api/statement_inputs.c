#include "api/statement_inputs.h"

#include "api/statement_call.h"
#include "store/statement_inputs.h"

struct inputs_call {
    const char *id;
    int64_t next; /* of the stored pieces */
    /* while reading */
    struct buf *out;
    bool taken;
    bool more;
};

static void prepare(struct call *call)
{
    struct inputs_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state != NULL)
        state->id = call_arg(call, 0);
}

static enum accord_error take_piece(void *context, int64_t number, struct slice body)
{
    struct inputs_call *state = context;
    if (state->taken) {
        state->more = true;
        return ACCORD_OK;
    }
    state->taken = true;
    state->next = number + 1;
    buf_add_slice(state->out, body);
    return buf_error(state->out);
}

/* They are stored in pieces of some 64 KiB: one at a time, and whether there is another. */
static bool write_piece(struct call *call, struct buf *out)
{
    struct inputs_call *state = call->state;
    state->out = out;
    state->taken = state->more = false;
    call_check(call,
               store_statement_inputs_each(call->db, state->id, state->next, 2, take_piece, state));
    return state->more;
}

/* It never changes. */
static void read(struct call *call)
{
    const struct inputs_call *state = call->state;
    struct statement_summary statement;
    if (statement_visible(call, state->id, INT64_MIN, &statement) &&
        !statement_etag(call, &statement.hash, ".inputs") && !call->failed)
        call_stream(call, "application/x-ndjson", write_piece);
}

const struct operation statement_input_operations[] = {
    {.id = "getStatementInputs",
     .method = "GET",
     .pattern = "/v1/statements/{statement}/inputs",
     .scope = SCOPE_STATEMENTS_READ,
     .run = RUN_JOB,
     .produces = "application/x-ndjson",
     .prepare = prepare,
     .read = read},
};
const size_t statement_input_operation_count =
    sizeof statement_input_operations / sizeof statement_input_operations[0];
