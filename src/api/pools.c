/* Pools: what a channel gathers from its members for the providers that join, in versions. */
#include "api/pools.h"

#include <string.h>

#include "ingest/periods.h"
#include "ingest/pool.h"
#include "store/partners.h"

struct shown {
    struct pool_row row;
    struct pool pool;
};

struct pool_call {
    const char *channel;
    const char *id;
    struct shown shown;
    struct slice body; /* canonical, of what is put */
    bool created;
    bool not_modified;
    /* a list */
    struct list_page page;
    struct shown *rows;
    size_t count;
    bool more;
    int64_t version;
};

/* Pools belong to a channel: the query's, else the caller. */
static struct pool_call *begin(struct call *call)
{
    struct pool_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return NULL;
    const char *channel = call_query(call, "channel");
    state->channel = channel == NULL ? call->caller.partner : channel;
    return state;
}

static bool owns(const struct call *call, const char *channel)
{
    return call->caller.is_operator || strcmp(channel, call->caller.partner) == 0;
}

/* ---- PUT /v1/pools/{pool} ---- */

static bool is_slug(struct slice id)
{
    return id.len <= ACCORD_ID_MAX && offer_id_valid(id);
}

static void put_prepare(struct call *call)
{
    struct pool_call *state = begin(call);
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (state == NULL || problems == NULL)
        return;
    state->id = call_arg(call, 0);
    if (!owns(call, state->channel))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (!call->caller.is_operator && (call->caller.roles & ROLE_CHANNEL) == 0)
        call_fail(call, ACCORD_E_ROLE_MISSING, "only a channel has pools");
    else if (!is_slug(slice_of(state->id)))
        call_fail(call, ACCORD_E_SLUG_INVALID, "the id of a pool");
    else if (call->http->request.body.len == 0)
        call_fail(call, ACCORD_E_BODY_EMPTY, NULL);
    if (call->failed)
        return;
    const enum accord_error error =
        pool_decode(call->arena, call->http->request.body, &state->shown.pool, problems);
    if (problems->total > 0)
        call_problems(call, error, problems);
    else if (error != ACCORD_OK)
        call_fail(call, error, NULL);
}

static void put_read(struct call *call)
{
    struct pool_call *state = call->state;
    struct partner_row partner;
    bool found = false;
    if (call_check(call,
                   store_partner_get(call->db, call->arena, state->channel, &partner, &found)))
        return;
    state->body = pool_encode(call->arena, &state->shown.pool);
    if (!found || (partner.roles & ROLE_CHANNEL) == 0)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (state->body.data == NULL)
        call_check(call, ACCORD_E_OUT_OF_MEMORY);
}

static void refuse(struct call *call, enum accord_error code, const char *pointer)
{
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return;
    json_problem_add(problems, code, pointer, "%s", accord_error_title(code));
    call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
}

/* A later version keeps what members pay in and by which calendar, and divides no month that has
 * begun before: who joined has counted on that. */
static enum accord_error check_later(struct call *call, const struct pool_row *row)
{
    const struct pool_call *state = call->state;
    const struct pool *pool = &state->shown.pool;
    struct pool before;
    const enum accord_error error = pool_decode_row(call->arena, row, &before);
    if (error != ACCORD_OK)
        return error;
    const int64_t month = period_of_day(false, zone_day(pool->zone, call->tx->now));
    if (!accord_currency_equal(pool->currency, before.currency))
        refuse(call, ACCORD_E_POOL_MISMATCH, "/currency");
    else if (!slice_equal(pool->time_zone, before.time_zone))
        refuse(call, ACCORD_E_POOL_MISMATCH, "/time_zone");
    else if (pool->from_day <= row->from_day || pool->from_day < month)
        refuse(call, ACCORD_E_POOL_NOT_LATER, "/from");
    return ACCORD_OK;
}

static enum accord_error put_write(struct call *call)
{
    struct pool_call *state = call->state;
    struct pool_row *row = &state->shown.row;
    const struct hash hash = hash_of(state->body);
    bool found = false;
    enum accord_error error =
        store_pool_get(call->db, call->arena, state->channel, state->id, 0, row, &found);
    if (error != ACCORD_OK || !call_precondition(call, found ? row->seq : 0))
        return error;
    state->created = !found;
    if (found && hash_equal(&hash, &row->hash))
        return ACCORD_OK; /* it says what stands */
    if (found)
        error = check_later(call, row);
    if (error != ACCORD_OK || call->failed)
        return error;
    *row = (struct pool_row){
        .channel = state->channel,
        .pool = state->id,
        .version = found ? row->version + 1 : 1,
        .from_day = state->shown.pool.from_day,
        .body = state->body,
        .hash = hash,
        .created_at = call->tx->now,
    };
    error = ingest_touch(call->tx, state->channel);
    if (error == ACCORD_OK)
        error = ingest_seq(call->tx, 1, &row->seq);
    if (error == ACCORD_OK)
        error = store_pool_insert(call->db, row);
    /* Months of a term are those of its agreement's zone: a day apart at most. */
    return error == ACCORD_OK ? ingest_pools_changed(call->tx, state->channel,
                                                     zone_day_start(state->shown.pool.zone,
                                                                    (int32_t)(row->from_day - 1)))
                              : error;
}

/* ---- what is answered ---- */

static void write_pool(struct json_writer *w, const struct shown *shown)
{
    jw_object(w);
    jw_key_str(w, "channel", shown->row.channel);
    jw_key_str(w, "pool", shown->row.pool);
    jw_key_int(w, "version", shown->row.version);
    jw_key_time(w, "created_at", shown->row.created_at);
    pool_write_terms(w, &shown->pool);
    jw_object_end(w);
}

static void put_answer(struct call *call)
{
    const struct pool_call *state = call->state;
    struct json_writer w = call_json(call, state->created ? 201 : 200);
    call_etag(call, state->shown.row.seq);
    if (state->created)
        call_location(call, "/v1/pools/%s?channel=%s", state->id, state->channel);
    write_pool(&w, &state->shown);
}

/* ---- GET /v1/pools/{pool} ---- */

static void get_prepare(struct call *call)
{
    struct pool_call *state = begin(call);
    if (state == NULL)
        return;
    state->id = call_arg(call, 0);
    state->version = call_query_int(call, "version", 1, INT32_MAX, 0);
}

static void get_read(struct call *call)
{
    struct pool_call *state = call->state;
    struct shown *shown = &state->shown;
    bool found = false;
    bool visible = owns(call, state->channel);
    if (call_check(call, store_pool_get(call->db, call->arena, state->channel, state->id,
                                        state->version, &shown->row, &found)))
        return;
    if (found && !visible &&
        call_check(call,
                   store_pool_may_see(call->db, state->channel, call->caller.partner, &visible)))
        return;
    if (!found || !visible)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (!call_check(call, pool_decode_row(call->arena, &shown->row, &shown->pool)))
        state->not_modified = call_etag(call, shown->row.seq);
}

static void get_answer(struct call *call)
{
    const struct pool_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    write_pool(&w, &state->shown);
}

/* ---- GET /v1/pools ---- */

static void list_prepare(struct call *call)
{
    struct pool_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state != NULL)
        call_page(call, 2, &state->page);
}

static void list_read(struct call *call)
{
    struct pool_call *state = call->state;
    const bool on = state->page.has_cursor;
    struct pool_row *rows;
    state->version = call_partner_version(call);
    state->not_modified = call_etag(call, state->version);
    call_keep(call, INT64_MAX);
    if (state->not_modified ||
        call_check(call, store_pool_list(call->db, call->arena,
                                         call->caller.is_operator ? NULL : call->caller.partner,
                                         on ? state->page.parts[0].data : "",
                                         on ? state->page.parts[1].data : "", state->page.limit + 1,
                                         &rows, &state->count)))
        return;
    state->more = state->count > (size_t)state->page.limit;
    if (state->more)
        state->count--;
    state->rows = call_alloc(call, (state->count + 1) * sizeof *state->rows);
    for (size_t i = 0; state->rows != NULL && i < state->count; i++) {
        state->rows[i].row = rows[i];
        if (call_check(call, pool_decode_row(call->arena, &rows[i], &state->rows[i].pool)))
            return;
    }
}

static void list_answer(struct call *call)
{
    const struct pool_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "as_of", call_as_of(call, state->version));
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < state->count; i++)
        write_pool(&w, &state->rows[i]);
    jw_array_end(&w);
    struct slice place[2] = {SLICE(""), SLICE("")};
    if (state->count > 0) {
        place[0] = slice_of(state->rows[state->count - 1].row.channel);
        place[1] = slice_of(state->rows[state->count - 1].row.pool);
    }
    call_page_next(call, &w, place, 2, state->more);
    jw_object_end(&w);
}

const struct operation pool_operations[] = {
    {.id = "listPools",
     .method = "GET",
     .pattern = "/v1/pools",
     .scope = SCOPE_AGREEMENTS_READ,
     .run = RUN_JOB,
     .query = "limit cursor",
     .prepare = list_prepare,
     .read = list_read,
     .answer = list_answer},
    {.id = "getPool",
     .method = "GET",
     .pattern = "/v1/pools/{pool}",
     .scope = SCOPE_AGREEMENTS_READ,
     .query = "channel version",
     .prepare = get_prepare,
     .read = get_read,
     .answer = get_answer},
    {.id = "putPool",
     .method = "PUT",
     .pattern = "/v1/pools/{pool}",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .run = RUN_JOB,
     .flags = OP_IF_MATCH,
     .body_max = POOL_BODY_MAX,
     .media = "application/json",
     .query = "channel",
     .prepare = put_prepare,
     .read = put_read,
     .write = put_write,
     .answer = put_answer},
};
const size_t pool_operation_count = sizeof pool_operations / sizeof pool_operations[0];
