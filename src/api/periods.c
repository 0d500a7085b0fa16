#include "api/periods.h"

#include <string.h>

#include "api/agreement_call.h"
#include "api/dispatch.h"
#include "api/settlement_call.h"
#include "ingest/close.h"
#include "ingest/rollup.h"

/* ---- listing ---- */

struct period_list {
    struct agreement_call agreement;
    struct list_page page;
    int64_t after; /* first day of the last period shown, or PERIOD_NONE */
    struct agreement_periods periods;
    bool in_force; /* it has periods at all */
    struct period_row *rows;
    size_t count;
    bool more;
};

static void prepare_list(struct call *call)
{
    struct period_list *list = call_alloc(call, sizeof *list);
    call->state = list;
    if (list == NULL || !call_page(call, 1, &list->page))
        return;
    list->agreement.id = call_query(call, "agreement");
    list->after = PERIOD_NONE;
    if (list->agreement.id == NULL)
        call_fail(call, ACCORD_E_QUERY_INVALID, "agreement: an id is needed");
    else if (list->page.has_cursor)
        settlement_part_int(call, list->page.parts[0], &list->after);
}

/* Behind those that are closed stand the open ones, up to the one that runs. */
static enum accord_error add_open(struct call *call, struct period_list *list)
{
    const struct agreement_periods *periods = &list->periods;
    const int64_t running =
        period_of_day(periods->quarterly, zone_day(periods->zone, clock_now_us()));
    int64_t day = periods->open;
    if (list->after != PERIOD_NONE && list->after >= day)
        day = period_after(periods->quarterly, list->after);
    for (; day <= running && list->count <= (size_t)list->page.limit;
         day = period_after(periods->quarterly, day)) {
        char label[PERIOD_LABEL_MAX];
        bool goes_on;
        const enum accord_error error =
            close_goes_on(call->db, call->arena, periods, day, &goes_on);
        if (error != ACCORD_OK || !goes_on)
            return error;
        period_label(periods->quarterly, day, label);
        struct period_row *row = &list->rows[list->count++];
        *row = (struct period_row){.agreement = list->agreement.id,
                                   .day = day,
                                   .label = arena_strdup(call->arena, slice_of(label)),
                                   .from_at = period_from(periods, day),
                                   .to_at = period_to(periods, day)};
        if (row->label == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    return ACCORD_OK;
}

static enum accord_error load_periods(struct call *call, struct period_list *list)
{
    struct period_row *closed;
    size_t count;
    const size_t most = (size_t)list->page.limit + 1;
    enum accord_error error =
        periods_of(call->db, call->arena, list->agreement.id, &list->in_force, &list->periods);
    if (error != ACCORD_OK || !list->in_force)
        return error;
    error = store_periods_list(call->db, call->arena, list->agreement.id, list->after,
                               (int64_t)most, &closed, &count);
    list->rows = arena_array(call->arena, most, sizeof *list->rows);
    if (error != ACCORD_OK || list->rows == NULL)
        return error != ACCORD_OK ? error : ACCORD_E_OUT_OF_MEMORY;
    if (count > 0)
        memcpy(list->rows, closed, count * sizeof *closed);
    list->count = count;
    error = add_open(call, list);
    list->more = list->count == most;
    if (list->more)
        list->count--;
    return error;
}

static void read_list(struct call *call)
{
    struct period_list *list = call->state;
    bool found;
    if (!call_check(call, agreement_load(call, &list->agreement, &found)) && found)
        call_check(call, load_periods(call, list));
}

static void write_period(struct json_writer *w, const struct period_row *row)
{
    const bool closed = row->closed_seq != 0;
    jw_object(w);
    jw_key_str(w, "agreement", row->agreement);
    jw_key_str(w, "period", row->label);
    jw_key_time(w, "from", row->from_at);
    jw_key_time(w, "to", row->to_at);
    jw_key_str(w, "state", closed ? "closed" : "open");
    jw_key(w, "closed_at");
    if (closed)
        jw_time(w, row->closed_at);
    else
        jw_null(w);
    jw_key_str(w, "closed_by", closed ? row->closed_by : NULL);
    jw_object_end(w);
}

/* A period ends without a change of the books: the tag is that of what is shown. */
static void answer_list(struct call *call)
{
    const struct period_list *list = call->state;
    struct buf body;
    struct json_writer w;
    buf_init(&body, (size_t)16 << 20);
    jw_init(&w, &body);
    jw_object(&w);
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < list->count; i++)
        write_period(&w, &list->rows[i]);
    jw_array_end(&w);
    const struct slice place =
        list->more ? settlement_int_part(call, list->rows[list->count - 1].day) : SLICE("");
    call_page_next(call, &w, &place, 1, list->more);
    jw_object_end(&w);
    call_json_hashed(call, &body);
}

/* ---- closing ---- */

struct close_call {
    const char *agreement; /* NULL: all that have the period */
    const char *label;
    bool dry_run;
};

static void prepare_close(struct call *call, bool one)
{
    struct close_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return;
    bool quarterly;
    int64_t first;
    const char *dry_run = call_query(call, "dry_run");
    state->agreement = one ? call_arg(call, 0) : NULL;
    state->label = call_arg(call, one ? 1 : 0);
    state->dry_run = dry_run != NULL && strcmp(dry_run, "true") == 0;
    if (dry_run != NULL && !state->dry_run && strcmp(dry_run, "false") != 0)
        call_fail(call, ACCORD_E_QUERY_INVALID, "dry_run: true or false");
    else if (!period_parse(slice_of(state->label), &quarterly, &first))
        call_fail(call, ACCORD_E_PERIOD_INVALID, NULL);
}

static void prepare_close_one(struct call *call)
{
    prepare_close(call, true);
}

static void prepare_close_all(struct call *call)
{
    prepare_close(call, false);
}

/* What a close is refused for, before it has written anything. */
static bool is_refusal(enum accord_error error)
{
    return error == ACCORD_E_NOT_FOUND || error == ACCORD_E_PERIOD_NOT_OVER ||
           error == ACCORD_E_PERIOD_CLOSED || error == ACCORD_E_PERIOD_NOT_OLDEST ||
           error == ACCORD_E_RESETTLEMENT_PENDING;
}

/* The reply is there: no further step. */
static void finish_dry_run(struct call *call)
{
    if (!call->failed)
        flight_of(call)->done = true;
}

static void write_result(struct call *call, const struct close_result *result)
{
    const struct close_call *state = call->state;
    const struct period_row *period = &result->period;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "agreement", period->agreement);
    jw_key_str(&w, "period", period->label);
    jw_key_time(&w, "from", period->from_at);
    jw_key_time(&w, "to", period->to_at);
    jw_key_bool(&w, "dry_run", state->dry_run);
    jw_key(&w, "closed_at");
    if (state->dry_run)
        jw_null(&w);
    else
        jw_time(&w, period->closed_at);
    jw_key(&w, "statements");
    jw_array(&w);
    for (size_t i = 0; i < result->count; i++) {
        const struct statement_row *row = &result->statements[i];
        char hash[HASH_HEX_MAX];
        hash_hex(&row->hash, hash);
        jw_object(&w);
        jw_key_str(&w, "id", row->id);
        jw_key_str(&w, "partner", row->partner);
        jw_key_str(&w, "hash", hash);
        jw_key_raw(&w, "body", row->body);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    jw_object_end(&w);
}

static void read_close_one(struct call *call)
{
    const struct close_call *state = call->state;
    struct close_result result;
    if (!state->dry_run || call_check(call, close_draft(call->db, call->arena, state->agreement,
                                                        state->label, clock_now_us(), &result)))
        return;
    write_result(call, &result);
    finish_dry_run(call);
}

/* What is answered lives in the transaction's arena: it is encoded before that ends. */
static enum accord_error write_close_one(struct call *call)
{
    const struct close_call *state = call->state;
    struct close_result result;
    const enum accord_error error =
        close_period(call->tx, state->agreement, state->label, call->caller.partner, &result);
    if (is_refusal(error)) {
        call_fail(call, error, NULL);
        return ACCORD_OK;
    }
    if (error == ACCORD_OK)
        write_result(call, &result);
    return error;
}

/* ---- closing all of a label ---- */

enum { CLOSE_AT_ONCE_MAX = 500 };

struct close_results {
    struct json_writer w;
    struct buf body;
    int64_t closed;
    int64_t refused;
    bool more;
};

static void begin_results(struct close_results *results)
{
    *results = (struct close_results){.closed = 0};
    buf_init(&results->body, (size_t)64 << 20);
    jw_init(&results->w, &results->body);
    jw_array(&results->w);
}

static void add_result(struct close_results *results, const char *agreement,
                       enum accord_error error, const struct close_result *result, bool dry_run)
{
    struct json_writer *w = &results->w;
    jw_object(w);
    jw_key_str(w, "agreement", agreement);
    if (error == ACCORD_OK) {
        jw_key_str(w, "result", dry_run ? "draft" : "closed");
        results->closed++;
    } else {
        jw_key_str(w, "result", "refused");
        jw_key_str(w, "code", accord_error_code(error));
        jw_key_str(w, "message", accord_error_title(error));
        results->refused++;
    }
    jw_key(w, "statements");
    jw_array(w);
    for (size_t i = 0; error == ACCORD_OK && i < result->count; i++)
        jw_str(w, result->statements[i].id);
    jw_array_end(w);
    jw_object_end(w);
}

static void end_results(struct call *call, struct close_results *results)
{
    const struct close_call *state = call->state;
    jw_array_end(&results->w);
    if (!call_check(call, buf_error(&results->body))) {
        struct json_writer w = call_json(call, 200);
        jw_object(&w);
        jw_key_str(&w, "period", state->label);
        jw_key_bool(&w, "dry_run", state->dry_run);
        jw_key_int(&w, "closed", results->closed);
        jw_key_int(&w, "refused", results->refused);
        jw_key_bool(&w, "more", results->more);
        jw_key_raw(&w, "results", buf_slice(&results->body));
        jw_object_end(&w);
    }
    buf_done(&results->body);
}

/* Of the agreement, not of the database: the others can be closed all the same. */
static bool is_own_failure(enum accord_error error)
{
    return is_refusal(error) || error == ACCORD_E_OVERFLOW ||
           error == ACCORD_E_COUNT_OUT_OF_RANGE || error == ACCORD_E_BODY_TOO_LARGE;
}

static void read_close_all(struct call *call)
{
    const struct close_call *state = call->state;
    const char **ids;
    size_t count;
    struct close_results results;
    if (!state->dry_run ||
        call_check(call, close_candidates(call->db, call->arena, state->label, &ids, &count)))
        return;
    const instant_us now = clock_now_us();
    enum accord_error error = ACCORD_OK;
    begin_results(&results);
    for (size_t i = 0; i < count && !results.more; i++) {
        struct close_result result = {.count = 0};
        error = close_draft(call->db, call->arena, ids[i], state->label, now, &result);
        if (error != ACCORD_OK && !is_own_failure(error))
            break;
        add_result(&results, ids[i], error, &result, true);
        error = ACCORD_OK;
        results.more = results.closed == CLOSE_AT_ONCE_MAX && i + 1 < count;
    }
    call_check(call, error);
    end_results(call, &results);
    finish_dry_run(call);
}

/* Closes one so that, when it fails, nothing of it stands and the transaction goes on. */
static enum accord_error close_apart(struct call *call, const char *agreement,
                                     struct close_result *ret, enum accord_error *ret_refusal)
{
    const struct close_call *state = call->state;
    struct ingest_tx *tx = call->tx;
    const int64_t last_seq = tx->last_seq;
    enum accord_error error = db_savepoint(tx->db);
    if (error != ACCORD_OK)
        return error;
    error = close_period(tx, agreement, state->label, call->caller.partner, ret);
    *ret_refusal = error;
    if (error == ACCORD_OK)
        return db_release(tx->db);
    if (!is_own_failure(error))
        return error;
    tx->last_seq = last_seq;
    return db_rollback_to(tx->db);
}

static enum accord_error write_close_all(struct call *call)
{
    const struct close_call *state = call->state;
    const char **ids;
    size_t count;
    struct close_results results;
    enum accord_error error =
        close_candidates(call->db, call->tx->arena, state->label, &ids, &count);
    /* Sums of this transaction are written before the first savepoint: going back to one must not
     * lose them. */
    if (error == ACCORD_OK)
        error = rollup_batch_flush(call->tx->rollups, call->db);
    if (error != ACCORD_OK)
        return error;
    begin_results(&results);
    for (size_t i = 0; error == ACCORD_OK && i < count && !results.more; i++) {
        struct close_result result = {.count = 0};
        enum accord_error refusal = ACCORD_OK;
        error = close_apart(call, ids[i], &result, &refusal);
        if (error == ACCORD_OK)
            add_result(&results, ids[i], refusal, &result, false);
        results.more = results.closed == CLOSE_AT_ONCE_MAX && i + 1 < count;
    }
    if (error == ACCORD_OK)
        end_results(call, &results);
    else
        buf_done(&results.body);
    return error;
}

const struct operation period_operations[] = {
    {.id = "listPeriods",
     .method = "GET",
     .pattern = "/v1/periods",
     .scope = SCOPE_STATEMENTS_READ,
     .query = "agreement limit cursor",
     .prepare = prepare_list,
     .read = read_list,
     .answer = answer_list},
    {.id = "closePeriod",
     .method = "POST",
     .pattern = "/v1/agreements/{agreement}/periods/{period}/close",
     .scope = SCOPE_ADMIN,
     .roles = ROLE_PLATFORM,
     .run = RUN_JOB,
     .flags = OP_IDEMPOTENCY_KEY,
     .query = "dry_run",
     .prepare = prepare_close_one,
     .read = read_close_one,
     .write = write_close_one},
    {.id = "closePeriods",
     .method = "POST",
     .pattern = "/v1/periods/{period}/close",
     .scope = SCOPE_ADMIN,
     .roles = ROLE_PLATFORM,
     .run = RUN_JOB,
     .flags = OP_IDEMPOTENCY_KEY,
     .query = "dry_run",
     .prepare = prepare_close_all,
     .read = read_close_all,
     .write = write_close_all},
};
const size_t period_operation_count = sizeof period_operations / sizeof period_operations[0];
