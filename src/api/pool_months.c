#include "api/pool_months.h"

#include <string.h>

#include "api/pool_explain.h"
#include "ingest/periods.h"
#include "ingest/pool.h"
#include "store/pool_months.h"

struct month_call {
    const char *channel;
    const char *id;
    int64_t day;
    struct pool_row row;
    struct pool pool;
    struct pool_month_row month;
    struct pool_share_row *shares; /* by provider: what the caller sees */
    size_t count;
    bool not_modified;
};

static bool owns(const struct call *call, const char *channel)
{
    return call->caller.is_operator || strcmp(channel, call->caller.partner) == 0;
}

static void prepare(struct call *call)
{
    struct month_call *state = call_alloc(call, sizeof *state);
    bool quarterly;
    call->state = state;
    if (state == NULL)
        return;
    const char *channel = call_query(call, "channel");
    state->channel = channel == NULL ? call->caller.partner : channel;
    state->id = call_arg(call, 0);
    if (!period_parse(slice_of(call_arg(call, 1)), &quarterly, &state->day) || quarterly)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
}

/* A provider sees what it gets, and that month only if it gets something. */
static void keep_visible(const struct call *call, struct month_call *state)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->count; i++)
        if (owns(call, state->channel) ||
            strcmp(state->shares[i].provider, call->caller.partner) == 0)
            state->shares[kept++] = state->shares[i];
    state->count = kept;
}

static void read_month(struct call *call)
{
    struct month_call *state = call->state;
    bool found = false;
    bool divided = false;
    if (call_check(call, store_pool_in_force(call->db, call->arena, state->channel, state->id,
                                             state->day, &state->row, &found)) ||
        call_check(call, store_pool_month_find(call->db, call->arena, state->channel, state->id,
                                               state->day, &state->month, &divided)) ||
        call_check(call, store_pool_shares(call->db, call->arena, state->channel, state->id,
                                           state->day, &state->shares, &state->count)))
        return;
    keep_visible(call, state);
    if (!found || !divided || (state->count == 0 && !owns(call, state->channel)))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (!call_check(call, pool_decode_row(call->arena, &state->row, &state->pool))) {
        state->not_modified = call_etag(call, call_partner_version(call));
        call_keep(call, INT64_MAX);
    }
}

static void write_term(struct json_writer *w, const struct month_call *state,
                       const struct pool_share_row *share)
{
    jw_object(w);
    jw_key_str(w, "agreement", share->agreement);
    jw_key_int(w, "version", share->version);
    jw_key_int(w, "term", share->term);
    jw_key_int(w, "units", share->units);
    jw_key_money(w, "amount", share->amount, state->pool.currency);
    jw_object_end(w);
}

/* Rows of one provider are neighbours. */
static size_t write_provider(struct json_writer *w, const struct month_call *state, size_t from)
{
    const char *provider = state->shares[from].provider;
    int64_t amount = 0;
    int64_t units = 0;
    size_t end = from;
    for (; end < state->count && strcmp(state->shares[end].provider, provider) == 0; end++) {
        amount += state->shares[end].amount; /* parts of a sum that was divided */
        units += state->shares[end].units;
    }
    jw_object(w);
    jw_key_str(w, "provider", provider);
    jw_key_int(w, "units", units);
    jw_key_money(w, "amount", amount, state->pool.currency);
    jw_key_str(w, "exact", state->shares[from].exact);
    jw_key(w, "terms");
    jw_array(w);
    for (size_t i = from; i < end; i++)
        write_term(w, state, &state->shares[i]);
    jw_array_end(w);
    jw_object_end(w);
    return end;
}

static void answer(struct call *call)
{
    const struct month_call *state = call->state;
    const struct pool_month_row *month = &state->month;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    pool_month_write(&w, month, state->pool.currency);
    jw_key_int(&w, "version", state->row.version);
    jw_key_str(&w, "basis", pool_basis_names[state->pool.basis]);
    jw_key_str(&w, "method", pool_method_names[state->pool.method]);
    jw_key_str(&w, "idle_policy", pool_idle_names[state->pool.idle]);
    jw_key(&w, "providers");
    jw_array(&w);
    for (size_t i = 0; i < state->count;)
        i = write_provider(&w, state, i);
    jw_array_end(&w);
    jw_object_end(&w);
}

const struct operation pool_month_operations[] = {
    {.id = "getPoolPeriod",
     .method = "GET",
     .pattern = "/v1/pools/{pool}/periods/{period}",
     .scope = SCOPE_AGREEMENTS_READ,
     .run = RUN_JOB,
     .query = "channel",
     .prepare = prepare,
     .read = read_month,
     .answer = answer},
};
const size_t pool_month_operation_count =
    sizeof pool_month_operations / sizeof pool_month_operations[0];
