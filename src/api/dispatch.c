#include "api/dispatch.h"

#include <stdlib.h>

#include "api/admit.h"
#include "api/app.h"
#include "api/idempotency.h"
#include "api/kept.h"
#include "api/metering.h"
#include "api/reply.h"
#include "base/config.h"

struct dispatch {
    struct app *app;
    struct route_table *routes;
    struct write_kind *kinds; /* one for each operation, so that only equal ones are batched */
    void (*wake)(struct http_exchange *exchange);
};

/* ---- answers that are kept ---- */

static const char *etag_of_reply(const struct http_reply *reply)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (slice_equal(reply->headers[i].name, SLICE("ETag")))
            return reply->headers[i].value.data;
    return "";
}

/* All that an answer depends on but the books. */
static struct hash asked_of(const struct flight *flight)
{
    const struct call *call = &flight->call;
    struct hash_stream hash;
    const struct slice parts[] = {slice_of(call->book->name), slice_of(call->caller.partner),
                                  slice_of(call->caller.key_id), slice_of(flight->produces),
                                  call->http->request.target};
    hash_begin(&hash);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        hash_add(&hash, parts[i]);
        hash_add(&hash, SLICE("\n"));
    }
    return hash_end(&hash);
}

/* True: the answer is one that was kept. Who says no-cache is answered anew. */
static bool answer_from_kept(struct flight *flight)
{
    struct call *call = &flight->call;
    if (!flight->is_read || flight->data_version == 0 || call->caller.partner == NULL ||
        slice_equal(http_header(call->http, "Cache-Control"), SLICE("no-cache")))
        return false;
    flight->asked = asked_of(flight);
    flight->kept = kept_find(call->app->kept[call->http->worker], &flight->asked);
    if (flight->kept == NULL || !kept_holds(flight->kept, flight->data_version, clock_now_us()))
        return false;
    if (api_reply_unchanged(call, kept_etag(flight->kept))) {
        call_empty(call, 304);
        call_header(call, "ETag", kept_etag(flight->kept));
        call_header(call, "Cache-Control", "private, no-cache");
    } else if (!kept_is_whole(flight->kept)) {
        return false;
    } else if (!kept_send_coded(flight->kept, call->http)) {
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
    }
    flight->done = true;
    metering_kept(call->app, call->http->worker, true);
    return true;
}

/* ---- landing ---- */

void flight_finish(struct flight *flight)
{
    struct call *call = &flight->call;
    struct http_reply *reply = call->reply;
    if (flight->finished)
        return;
    flight->finished = true;
    if (!call->failed && buf_error(&reply->body) != ACCORD_OK)
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, "the answer is too large");
    if (!call->failed && reply->status == 0)
        call_fail(call, ACCORD_E_INTERNAL, NULL); /* an operation that answers nothing: a bug */
    if (!call->failed)
        return;
    api_reply_problem(reply, flight->error, flight->detail, call->http->request.request_id,
                      flight->problems);
    if (flight->error == ACCORD_E_METHOD_NOT_ALLOWED)
        api_reply_header(reply, "Allow", flight->allow);
}

static void add_limit_headers(struct flight *flight)
{
    struct call *call = &flight->call;
    struct arena *arena = call->arena;
    if (!flight->limited)
        return;
    const char *policy = arena_printf(arena, "\"key\";q=%lld;w=1", (long long)flight->limit);
    const char *state =
        arena_printf(arena, "\"key\";r=%lld;t=%lld", (long long)flight->limit_remaining,
                     (long long)flight->limit_wait_s);
    if (policy != NULL && state != NULL) {
        api_reply_header(call->reply, "RateLimit-Policy", policy);
        api_reply_header(call->reply, "RateLimit", state);
    }
    if (call->failed && flight->error == ACCORD_E_RATE_LIMITED) {
        const char *wait = arena_printf(arena, "%lld", (long long)flight->limit_wait_s);
        if (wait != NULL)
            api_reply_header(call->reply, "Retry-After", wait);
    }
}

static void keep(struct flight *flight)
{
    const struct call *call = &flight->call;
    const struct http_reply *reply = call->reply;
    if (flight->keep_until == 0 || !flight->is_read || flight->data_version == 0 || call->failed ||
        reply->stream != HTTP_WHOLE)
        return;
    if (flight->from_kept || (reply->status == 304 && flight->kept != NULL &&
                              strcmp(kept_etag(flight->kept), etag_of_reply(reply)) == 0)) {
        kept_renew(flight->kept, flight->data_version, flight->keep_until);
        metering_kept(call->app, call->http->worker, false);
    } else if (reply->status == 200 || reply->status == 304)
        kept_put(call->app->kept[call->http->worker], &flight->asked, reply, flight->data_version,
                 flight->keep_until);
}

static void land(struct flight *flight)
{
    flight_finish(flight);
    keep(flight);
    add_limit_headers(flight);
    if (flight->call.failed)
        flight->call.http->error_code = accord_error_code(flight->error);
}

/* ---- flying ---- */

static void answer(struct flight *flight)
{
    struct call *call = &flight->call;
    if (!call->failed && !flight->done && call->operation->answer != NULL)
        call->operation->answer(call);
    flight->done = true;
}

/* Starts over what a write step builds: it may run twice. */
static void rewind_flight(struct flight *flight, struct ingest_tx *tx)
{
    struct call *call = &flight->call;
    api_reply_reset(call->reply);
    call->failed = false;
    flight->done = false;
    flight->finished = false;
    call->db = tx->db;
    call->tx = tx;
}

static enum accord_error write_one(struct flight *flight, struct ingest_tx *tx)
{
    struct call *call = &flight->call;
    enum accord_error error = idempotency_replay(flight, tx->db);
    if (error != ACCORD_OK || flight->done)
        return error;
    error = call->operation->write(call);
    if (error != ACCORD_OK || flight->idempotency_key == NULL)
        return error;
    /* What is kept commits with what was done. */
    answer(flight);
    flight_finish(flight);
    return idempotency_keep(flight, tx->db, tx->now);
}

static enum accord_error run_writes(void *context, struct db *db, struct write_task *const *tasks,
                                    size_t count)
{
    struct ingest_tx *tx = context;
    enum accord_error error = ingest_tx_enter(tx, db);
    if (error != ACCORD_OK)
        return error;
    struct call **calls = arena_array(tx->arena, count, sizeof calls[0]);
    if (calls == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct flight *flight = tasks[i]->self;
        rewind_flight(flight, tx);
        calls[i] = &flight->call;
    }
    const struct operation *operation = calls[0]->operation;
    if (operation->write_many != NULL)
        return operation->write_many(tx, calls, count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = write_one(flight_of(calls[i]), tx);
    return error;
}

static void written(struct write_task *task)
{
    struct flight *flight = task->self;
    flight->dispatch->wake(flight->call.http);
}

enum { BODY_BYTES_OF_A_ROW = 256 }; /* roughly: bounds what one transaction takes */

/* True: the writer has it. */
static bool submit_write(struct flight *flight)
{
    struct call *call = &flight->call;
    flight->task = (struct write_task){
        .kind = &flight->dispatch->kinds[flight->operation_index],
        .self = flight,
        .done = written,
        .weight = 1 + call->http->request.body.len / BODY_BYTES_OF_A_ROW,
    };
    flight->on_writer = true;
    const enum accord_error error = writer_submit(call->book->writer, &flight->task);
    if (error == ACCORD_OK)
        return true;
    flight->on_writer = false;
    call_fail(call, error, NULL);
    return false;
}

/* A read that holds up a worker, and the write-ahead log, longer than this is a bug or an overload.
 */
enum { FAST_READ_MAX_US = 1000000 };

static void read_step(struct call *call)
{
    struct db *db = call->book->readers[call->reader];
    const int64_t allowed_us = call->operation->run == RUN_JOB
                                   ? call->app->config->run_timeout_ms * 1000
                                   : FAST_READ_MAX_US;
    if (call_check(call, db_begin(db)))
        return;
    db_set_deadline(db, clock_monotonic_us() + allowed_us);
    call->db = db;
    call->operation->read(call);
    call->db = NULL;
    db_set_deadline(db, 0);
    db_rollback(db);
}

/* ---- streamed bodies ---- */

/* A piece ends with the row that passes this: together they stay below 64 KiB but for the largest
 * rows. Where few rows are written the time ends it. */
enum { PIECE_BYTES = 48 << 10, PIECE_BYTES_MAX = 16 << 20, PIECE_TIME_US = 200000 };

void call_stream(struct call *call, const char *content_type, piece_fn *piece)
{
    buf_done(&call->reply->body);
    call->reply->status = 200;
    call->reply->content_type = content_type;
    call->reply->stream = HTTP_MORE;
    flight_of(call)->piece = piece;
}

bool call_piece_full(struct call *call, const struct buf *out)
{
    return out->len >= PIECE_BYTES || clock_monotonic_us() >= flight_of(call)->piece_until_us;
}

static void make_piece(struct flight *flight, unsigned reader)
{
    struct call *call = &flight->call;
    struct buf *out = &call->reply->body;
    struct db *db = call->book->readers[reader];
    bool more = false;
    buf_done(out);
    buf_init(out, PIECE_BYTES_MAX);
    if (!call_check(call, db_begin(db))) {
        const int64_t now = clock_monotonic_us();
        flight->piece_until_us = now + PIECE_TIME_US;
        db_set_deadline(db, now + FAST_READ_MAX_US);
        call->db = db;
        more = flight->piece(call, out);
        call->db = NULL;
        db_set_deadline(db, 0);
        db_rollback(db);
    }
    call_check(call, buf_error(out));
    call->reply->stream = call->failed ? HTTP_FAILED : more ? HTTP_MORE : HTTP_LAST;
}

static void make_first_piece(struct flight *flight, unsigned reader)
{
    struct http_reply *reply = flight->call.reply;
    make_piece(flight, reader);
    if (reply->stream == HTTP_LAST)
        reply->stream = HTTP_WHOLE;
}

static void make_piece_as_job(void *self, unsigned thread)
{
    enum { ARENA_BYTES_MAX = 64 << 20 };
    struct flight *flight = self;
    struct call *call = &flight->call;
    struct http_exchange *http = call->http;
    const struct dispatch *dispatch = flight->dispatch;
    struct arena *kept = call->arena;
    call->arena = arena_new(ARENA_BYTES_MAX);
    if (call->arena != NULL) {
        make_piece(flight, dispatch->app->worker_count + thread);
    } else {
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
        call->reply->stream = HTTP_FAILED;
    }
    arena_free(call->arena);
    call->arena = kept;
    if (call->failed)
        http->error_code = accord_error_code(flight->error);
    dispatch->wake(http);
}

static enum http_result more(void *context, struct http_exchange *exchange)
{
    struct dispatch *dispatch = context;
    struct flight *flight = exchange->user;
    flight->part = (struct job_part){.run = make_piece_as_job, .self = flight};
    jobs_continue(dispatch->app->jobs, &flight->part);
    return HTTP_PENDING;
}

/* ---- the steps ---- */

/* The steps before the writer; true when the flight was given to it. */
static bool fly(struct flight *flight, unsigned reader)
{
    struct call *call = &flight->call;
    const struct operation *operation = call->operation;
    call->reader = reader;
    if (flight->idempotency_key != NULL) {
        idempotency_hash(flight);
        call_check(call, idempotency_replay(flight, call->book->readers[reader]));
    }
    if (!call->failed && !flight->done && operation->prepare != NULL)
        operation->prepare(call);
    if (!call->failed && !flight->done && operation->read != NULL)
        read_step(call);
    if (call->reply->status == 304 || flight->from_kept)
        flight->done = true;
    if (call->failed || flight->done)
        return false;
    if (operation->write != NULL || operation->write_many != NULL)
        return submit_write(flight);
    answer(flight);
    if (!call->failed && flight->piece != NULL)
        make_first_piece(flight, reader);
    return false;
}

static void fly_as_job(void *self, unsigned thread)
{
    struct flight *flight = self;
    struct http_exchange *http = flight->call.http;
    struct dispatch *dispatch = flight->dispatch;
    if (!fly(flight, dispatch->app->worker_count + thread))
        dispatch->wake(http);
}

/* ---- what the HTTP room calls ---- */

/* A refusal at the headers closes the connection, one in run() keeps it: worth reading what is left
 * of a small request. */
enum { PASSED_OVER_MAX = 16 << 10 };

static bool passes_over_body(const struct flight *flight)
{
    const struct http_exchange *http = flight->call.http;
    const struct slice length = http_header(http, "Content-Length");
    if (!flight->has_body)
        return true;
    if (length.data == NULL || length.len == 0 || length.len > 5 ||
        http_header(http, "Content-Encoding").data != NULL)
        return false;
    size_t bytes = 0;
    for (size_t i = 0; i < length.len; i++) {
        if (length.data[i] < '0' || length.data[i] > '9')
            return false;
        bytes = bytes * 10 + (size_t)(length.data[i] - '0');
    }
    return bytes <= PASSED_OVER_MAX;
}

static bool begin(void *context, struct http_exchange *exchange, size_t *ret_body_max)
{
    struct dispatch *dispatch = context;
    struct flight *flight = arena_alloc(exchange->arena, sizeof *flight);
    if (flight == NULL) {
        api_reply_problem(&exchange->reply, ACCORD_E_OUT_OF_MEMORY, NULL,
                          exchange->request.request_id, NULL);
        return false;
    }
    exchange->user = flight;
    flight->dispatch = dispatch;
    flight->call.http = exchange;
    flight->call.reply = &exchange->reply;
    flight->call.arena = exchange->arena;
    flight->call.app = dispatch->app;
    admit(flight, dispatch->routes);
    const bool refused = flight->call.failed || flight->done;
    *ret_body_max = refused ? PASSED_OVER_MAX : flight->call.operation->body_max;
    if (!refused || passes_over_body(flight))
        return true;
    land(flight);
    return false;
}

static enum http_result run(void *context, struct http_exchange *exchange)
{
    struct dispatch *dispatch = context;
    struct flight *flight = exchange->user;
    struct call *call = &flight->call;
    if (!call->failed && !flight->done && !answer_from_kept(flight)) {
        if (call->operation->run == RUN_JOB) {
            const enum accord_error error = jobs_submit(dispatch->app->jobs, fly_as_job, flight);
            if (error == ACCORD_OK)
                return HTTP_PENDING;
            call_fail(call, error, "too many long requests are running");
        } else if (fly(flight, exchange->worker)) {
            return HTTP_PENDING;
        }
    }
    land(flight);
    return HTTP_DONE;
}

static void resumed(void *context, struct http_exchange *exchange)
{
    struct flight *flight = exchange->user;
    struct call *call = &flight->call;
    (void)context;
    if (flight->on_writer && flight->task.result != ACCORD_OK) {
        /* Nothing was written, whatever the steps had built. */
        api_reply_reset(call->reply);
        call->failed = false;
        flight->finished = false;
        call_fail(call, flight->task.result, NULL);
    }
    call->db = NULL;
    call->tx = NULL;
    answer(flight);
    land(flight);
}

static void end(void *context, struct http_exchange *exchange)
{
    const struct flight *flight = exchange->user;
    (void)context;
    /* The flight lives in the exchange's arena, the reply is the exchange's. */
    if (flight != NULL)
        kept_release(flight->kept);
}

static void problem(void *context, struct http_exchange *exchange, enum accord_error error,
                    const char *detail)
{
    (void)context;
    exchange->error_code = accord_error_code(error);
    api_reply_problem(&exchange->reply, error, detail, exchange->request.request_id, NULL);
}

static void finished(void *context, const struct http_exchange *exchange, int64_t duration_us)
{
    const struct dispatch *dispatch = context;
    const struct flight *flight = exchange->user;
    const bool routed = flight != NULL && flight->call.operation != NULL;
    metering_request(dispatch->app, exchange->worker, routed ? flight->operation_index : SIZE_MAX,
                     exchange->reply.status, duration_us);
}

struct http_app dispatch_http(struct dispatch *dispatch)
{
    return (struct http_app){
        .context = dispatch,
        .begin = begin,
        .run = run,
        .resumed = resumed,
        .more = more,
        .end = end,
        .problem = problem,
        .finished = finished,
    };
}

enum accord_error dispatch_new(struct app *app, void (*wake)(struct http_exchange *exchange),
                               struct dispatch **ret)
{
    const size_t count = operations_count();
    enum accord_error error = ACCORD_E_OUT_OF_MEMORY;
    struct dispatch *dispatch = calloc(1, sizeof *dispatch);
    if (dispatch == NULL)
        return error;
    dispatch->app = app;
    dispatch->wake = wake;
    dispatch->kinds = calloc(count, sizeof dispatch->kinds[0]);
    if (dispatch->kinds == NULL)
        goto failed;
    for (size_t i = 0; i < count; i++)
        dispatch->kinds[i] = (struct write_kind){.name = operations_at(i)->id, .run = run_writes};
    error = route_table_new(count, operations_at, &dispatch->routes);
    if (error != ACCORD_OK)
        goto failed;
    *ret = dispatch;
    return ACCORD_OK;

failed:
    dispatch_free(dispatch);
    return error;
}

void dispatch_free(struct dispatch *dispatch)
{
    if (dispatch == NULL)
        return;
    route_table_free(dispatch->routes);
    free(dispatch->kinds);
    free(dispatch);
}
