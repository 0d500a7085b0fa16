/* The life of an exchange, as libmicrohttpd's callbacks drive it. Everything here runs on the
 * exchange's worker, but http_wake() and what it does once the worker is gone. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "http/internal.h"
#include "http/target.h"

enum { FREE_MAX = 256, SWALLOW_MAX = 256 * 1024, STATUS_CLIENT_LEFT = 499 };

static void set_phase(struct exchange *exchange, enum phase phase)
{
    exchange->phase = phase;
    exchange->phase_us = clock_monotonic_us();
}

/* A cleared exchange with an arena; from the worker's free ones if it has any. */
static struct exchange *exchange_new(struct worker *worker)
{
    struct exchange *exchange = worker->free;
    struct arena *arena;
    if (exchange != NULL) {
        worker->free = exchange->next;
        worker->free_count--;
        arena = exchange->pub.arena;
    } else {
        exchange = malloc(sizeof *exchange);
        arena = arena_new(ARENA_BYTES_MAX);
        if (exchange == NULL || arena == NULL) {
            free(exchange);
            arena_free(arena);
            return NULL;
        }
    }
    memset(exchange, 0, sizeof *exchange);
    exchange->pub.arena = arena;
    exchange->pub.worker = worker->index;
    exchange->worker = worker;
    exchange->body = BODY_EMPTY;
    buf_init(&exchange->pub.reply.body, REPLY_BYTES_MAX);
    buf_init(&exchange->encoded, REPLY_BYTES_MAX);
    buf_init(&exchange->expired, 4096);
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    arena_free(exchange->pub.arena);
    free(exchange);
}

/* Ends an exchange that neither libmicrohttpd nor the application refers to any more. */
static void exchange_end(struct exchange *exchange, bool worker_gone)
{
    const struct http_app *app = &exchange->worker->server->app;
    exchange->pub.reply.status = exchange->status;
    if (app->finished != NULL)
        app->finished(app->context, &exchange->pub,
                      clock_monotonic_us() - exchange->pub.request.started_us);
    if (exchange->begun)
        app->end(app->context, &exchange->pub);
    body_done(&exchange->body);
    buf_done(&exchange->pub.reply.body);
    buf_done(&exchange->encoded);
    buf_done(&exchange->expired);
    struct worker *worker = exchange->worker;
    if (worker_gone || worker->free_count >= FREE_MAX) {
        exchange_free(exchange);
        return;
    }
    arena_reset(exchange->pub.arena);
    exchange->next = worker->free;
    worker->free = exchange;
    worker->free_count++;
}

static void log_request(const struct exchange *exchange)
{
    const struct http_request *request = &exchange->pub.request;
    char method[32];
    const struct slice name = request->head ? SLICE("HEAD") : request->method;
    snprintf(method, sizeof method, "%.*s", (int)(name.len < 31 ? name.len : 31),
             name.data == NULL ? "" : name.data);
    /* While the exchange is held its error code may be being written by whoever holds it. */
    const char *error = exchange->log_error != NULL ? exchange->log_error
                        : exchange->held            ? NULL
                                                    : exchange->pub.error_code;
    LOG(exchange->status >= 500 || (exchange->streamed && error != NULL) ? LOG_WARN : LOG_INFO,
        "request", LOG_TEXT("request_id", request->request_id),
        LOG_TEXT("partner", exchange->pub.partner), LOG_TEXT("route", exchange->pub.route),
        LOG_TEXT("method", method), LOG_INT("status", exchange->status),
        LOG_INT("duration_us", clock_monotonic_us() - request->started_us),
        LOG_INT("bytes",
                exchange->streamed ? exchange->sent_all + exchange->sent : exchange->out.len),
        LOG_TEXT("error", error));
}

void *exchange_begin(void *argument, const char *target, struct MHD_Connection *mhd)
{
    struct worker *worker = argument;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *connection = info == NULL ? NULL : info->socket_context;
    if (connection == NULL || target == NULL)
        return NULL;
    struct exchange *exchange = exchange_new(worker);
    if (exchange == NULL)
        return NULL;
    struct http_request *request = &exchange->pub.request;
    request->started_us = clock_monotonic_us();
    exchange->phase_us = request->started_us;
    memcpy(request->peer, connection->peer, sizeof request->peer);
    snprintf(request->request_id, sizeof request->request_id, "%s%08llx", worker->id_prefix,
             (unsigned long long)worker->id_next++);
    const struct slice text = slice_of(target);
    exchange->line_target = target;
    request->target = (struct slice){arena_strdup(exchange->pub.arena, text), text.len};
    exchange->broken = request->target.data == NULL;
    exchange->connection = connection;
    connection->exchange = exchange;
    return exchange;
}

struct header_copy {
    struct exchange *exchange;
    const char *expected; /* where the next header's line should begin */
    size_t bytes;
    bool too_many;
    bool torn;
};

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct header_copy *copy = context;
    struct exchange *exchange = copy->exchange;
    (void)kind;
    copy->torn = copy->torn || value == NULL || name != copy->expected;
    copy->expected = value == NULL ? NULL : value + value_len + 2;
    copy->bytes += name_len + value_len + 2;
    if (exchange->header_count == HEAD_HEADERS_MAX || copy->bytes > HEAD_BYTES_MAX) {
        copy->too_many = true;
        return MHD_NO;
    }
    exchange->headers[exchange->header_count++] =
        (struct http_pair){{name, name_len}, {value == NULL ? "" : value, value_len}};
    return MHD_YES;
}

static struct slice move_text(char **at, struct slice text)
{
    char *copy = *at;
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    *at += text.len + 1; /* the arena's memory is zeroed */
    return (struct slice){copy, text.len};
}

/*
 * libmicrohttpd 0.9.75 cuts the head into C strings in place, one behind the other in one buffer.
 * Where two parts of the request line are not exactly one blank apart, or two header lines not
 * exactly CR LF, the head held NUL bytes, bare line feeds, folded lines or more blanks: things that
 * a proxy in front may have read in another way. Where each part lies shows what its text hides.
 */
static bool line_is_whole(const struct exchange *exchange, const char *method, const char *version)
{
    return method + strlen(method) + 1 == exchange->line_target &&
           exchange->line_target + exchange->pub.request.target.len + 1 == version;
}

/* Copies the headers: the application may hold the exchange longer than the connection lives. */
static enum accord_error copy_headers(struct exchange *exchange, struct MHD_Connection *mhd,
                                      const char *version, bool *ret_torn)
{
    struct header_copy copy = {.exchange = exchange, .expected = version + strlen(version) + 2};
    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, note_header, &copy);
    if (copy.too_many) {
        exchange->header_count = 0;
        return ACCORD_E_HEADERS_TOO_LARGE;
    }
    *ret_torn = copy.torn;
    char *at = arena_alloc(exchange->pub.arena, copy.bytes + 1);
    if (at == NULL) {
        exchange->header_count = 0;
        return ACCORD_E_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < exchange->header_count; i++) {
        exchange->headers[i].name = move_text(&at, exchange->headers[i].name);
        exchange->headers[i].value = move_text(&at, exchange->headers[i].value);
    }
    return ACCORD_OK;
}

/* Everything that is decided before the application sees the request. */
static enum accord_error check_head(struct exchange *exchange, struct MHD_Connection *mhd,
                                    const char *method, const char *version,
                                    const char **ret_detail)
{
    struct http_request *request = &exchange->pub.request;
    *ret_detail = NULL;
    if (exchange->broken)
        return ACCORD_E_OUT_OF_MEMORY;
    request->method =
        (struct slice){arena_strdup(exchange->pub.arena, slice_of(method)), strlen(method)};
    if (request->method.data == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    bool torn = false;
    enum accord_error error = copy_headers(exchange, mhd, version, &torn);
    if (error != ACCORD_OK)
        return error;
    const struct slice id =
        head_find(exchange->headers, exchange->header_count, SLICE("X-Request-Id"));
    if (head_request_id(id)) {
        memcpy(request->request_id, id.data, id.len);
        request->request_id[id.len] = '\0';
    }
    if (exchange->worker->server->head_in_place &&
        (torn || !line_is_whole(exchange, method, version))) {
        *ret_detail = "Lines end with CR LF, are not folded, and hold no NUL.";
        return ACCORD_E_FRAMING_INVALID;
    }
    if (request->target.len > TARGET_BYTES_MAX)
        return ACCORD_E_TARGET_TOO_LONG;
    error = head_check(exchange->headers, exchange->header_count, request->method,
                       strcmp(version, "HTTP/1.0") == 0, &exchange->framing, ret_detail);
    if (error != ACCORD_OK)
        return error;
    request->head = slice_equal(request->method, SLICE("HEAD"));
    if (request->head)
        request->method = SLICE("GET");
    exchange->old = strcmp(version, "HTTP/1.0") == 0;
    request->body_length_known = exchange->framing.length_known;
    return target_parse(request, exchange->pub.arena);
}

/* Refuses at the headers: the connection closes, the body is not read. */
static enum MHD_Result refuse_head(struct exchange *exchange, struct MHD_Connection *mhd,
                                   enum accord_error error, const char *detail)
{
    reply_problem(exchange, error, detail);
    if (error == ACCORD_E_BODY_ENCODING)
        http_reply_header(&exchange->pub, "Accept-Encoding", "gzip, zstd");
    exchange->pub.reply.close = true;
    return reply_queue(exchange, mhd);
}

static enum MHD_Result on_head(struct exchange *exchange, struct MHD_Connection *mhd,
                               const char *method, const char *version)
{
    struct http_server *server = exchange->worker->server;
    const struct http_config *config = &server->config;
    const char *detail;
    enum accord_error error = check_head(exchange, mhd, method, version, &detail);
    if (error != ACCORD_OK)
        return refuse_head(exchange, mhd, error, detail);
    const struct head_framing *framing = &exchange->framing;
    exchange->begun = true;
    if (!server->app.begin(server->app.context, &exchange->pub, &exchange->body_max)) {
        /* With nothing to come the connection can be kept: answer when the request is through. */
        if (framing->has_body)
            return reply_queue(exchange, mhd);
        set_phase(exchange, PHASE_REFUSED);
        return MHD_YES;
    }
    if (framing->length_missing && exchange->body_max > 0)
        return refuse_head(exchange, mhd, ACCORD_E_LENGTH_REQUIRED, NULL);
    if (framing->length > exchange->body_max || (framing->chunked && exchange->body_max == 0))
        return refuse_head(exchange, mhd, ACCORD_E_BODY_TOO_LARGE, NULL);
    if (framing->has_body && framing->coding == HEAD_CODING_UNKNOWN)
        return refuse_head(exchange, mhd, ACCORD_E_BODY_ENCODING,
                           "The content codings taken are gzip and zstd.");
    /* What an operation takes is bounded as it reads it, not only as it is sent. */
    const size_t decoded_max =
        exchange->body_max < config->decoded_max ? exchange->body_max : config->decoded_max;
    const struct body_limits limits = {.wire_max = exchange->body_max,
                                       .decoded_max = decoded_max,
                                       .spill_bytes = config->spill_bytes,
                                       .spill_dir = server->spill_dir,
                                       .budget = &server->bodies};
    error = body_open(&limits, framing->coding, &exchange->body);
    if (error != ACCORD_OK)
        return refuse_head(exchange, mhd, error, NULL);
    set_phase(exchange, PHASE_BODY);
    return MHD_YES;
}

/* The body is refused while it arrives. libmicrohttpd takes a reply only when it is through: wait
 * for that when little is left, else answer on the socket and stop reading soon. */
static void refuse_body(struct exchange *exchange, enum accord_error error)
{
    const struct head_framing *framing = &exchange->framing;
    const uint64_t left =
        framing->length_known ? framing->length - exchange->body.wire : UINT64_MAX;
    reply_problem(exchange, error, NULL);
    body_done(&exchange->body);
    set_phase(exchange, PHASE_DISCARD);
    if (left > SWALLOW_MAX) {
        exchange->pub.reply.close = true;
        reply_raw(exchange);
    }
}

static void on_data(struct exchange *exchange, const char *data, size_t len)
{
    if (exchange->phase != PHASE_BODY)
        return;
    const enum accord_error error = body_add(&exchange->body, data, len);
    if (error != ACCORD_OK)
        refuse_body(exchange, error);
}

static enum MHD_Result on_body(struct exchange *exchange, struct MHD_Connection *mhd)
{
    struct http_server *server = exchange->worker->server;
    const enum accord_error error = body_finish(&exchange->body, &exchange->pub.request.body);
    if (error != ACCORD_OK) {
        reply_problem(exchange, error, NULL);
        return reply_queue(exchange, mhd);
    }
    if (server->app.run(server->app.context, &exchange->pub) == HTTP_DONE)
        return reply_queue(exchange, mhd);
    /* http_wake() may have been called already, by any thread. It only puts the exchange into this
     * worker's inbox, and this thread empties that after suspending: the order is always right. */
    exchange->held = true;
    atomic_fetch_add(&server->references, 1);
    set_phase(exchange, PHASE_PENDING);
    MHD_suspend_connection(mhd);
    return MHD_YES;
}

enum MHD_Result exchange_handle(void *worker, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *data_len, void **context)
{
    struct exchange *exchange = *context;
    (void)worker;
    (void)url; /* decoded in a way that loses %2F and %00: the raw target is used instead */
    if (exchange == NULL)
        return MHD_NO;
    if (exchange->phase == PHASE_HEAD)
        return on_head(exchange, mhd, method, version);
    if (*data_len > 0) {
        on_data(exchange, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    switch (exchange->phase) {
    case PHASE_BODY:
        return on_body(exchange, mhd);
    case PHASE_REFUSED:
        return reply_queue(exchange, mhd);
    case PHASE_DISCARD:
        return exchange->raw_sent ? MHD_NO : reply_queue(exchange, mhd);
    case PHASE_WOKEN:
        exchange->worker->server->app.resumed(exchange->worker->server->app.context,
                                              &exchange->pub);
        return reply_queue(exchange, mhd);
    case PHASE_EXPIRED:
        return reply_queue_expired(exchange, mhd);
    case PHASE_HEAD:
    case PHASE_PENDING:
    case PHASE_REPLY:
    case PHASE_PIECE:
    case PHASE_CUT:
        break;
    }
    return MHD_NO;
}

void exchange_completed(void *worker, struct MHD_Connection *mhd, void **context,
                        enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;
    (void)worker;
    (void)code;
    if (exchange == NULL)
        return;
    *context = NULL;
    struct connection *connection = exchange->connection;
    connection->exchange = NULL;
    connection->served = true;
    connection->since_us = clock_monotonic_us();
    exchange->connection = NULL;
    if (exchange->status == 0) {
        /* What libmicrohttpd has refused by itself (a malformed head, chunks that are none). */
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
        exchange->status = info != NULL ? info->http_status : STATUS_CLIENT_LEFT;
    }
    log_request(exchange);
    if (!exchange->held)
        exchange_end(exchange, false);
}

void exchange_take_wake(struct exchange *exchange)
{
    struct http_server *server = exchange->worker->server;
    exchange->held = false;
    if (exchange->connection == NULL) {
        exchange_end(exchange, false);
    } else if (exchange->phase == PHASE_PENDING) {
        set_phase(exchange, PHASE_WOKEN);
        MHD_resume_connection(exchange->connection->mhd);
    } else if (exchange->phase == PHASE_PIECE) {
        stream_take_piece(exchange);
        set_phase(exchange, PHASE_REPLY);
        MHD_resume_connection(exchange->connection->mhd);
    }
    server_release(server);
}

void exchange_expire(struct exchange *exchange)
{
    if (exchange->phase == PHASE_PIECE) {
        exchange->log_error = accord_error_code(ACCORD_E_DEADLINE_EXCEEDED);
        set_phase(exchange, PHASE_CUT);
    } else {
        set_phase(exchange, PHASE_EXPIRED);
    }
    MHD_resume_connection(exchange->connection->mhd);
}

void http_wake(struct http_exchange *pub)
{
    struct exchange *exchange = (struct exchange *)pub;
    struct worker *worker = exchange->worker;
    pthread_mutex_lock(&worker->lock);
    if (!worker->gone) {
        exchange->next = NULL;
        if (worker->woken_first == NULL) {
            worker->woken_first = exchange;
            /* Inside the lock: the descriptor lives at least until this exchange is taken out. */
            worker_signal(worker);
        } else {
            worker->woken_last->next = exchange;
        }
        worker->woken_last = exchange;
        pthread_mutex_unlock(&worker->lock);
        return;
    }
    pthread_mutex_unlock(&worker->lock);
    struct http_server *server = worker->server;
    exchange_end(exchange, true);
    server_release(server);
}

struct slice http_header(const struct http_exchange *pub, const char *name)
{
    const struct exchange *exchange = (const struct exchange *)pub;
    return head_find(exchange->headers, exchange->header_count, slice_of(name));
}

struct slice http_query(const struct http_exchange *pub, const char *name)
{
    const struct http_request *request = &pub->request;
    const struct slice want = slice_of(name);
    for (size_t i = 0; i < request->query_count; i++) {
        if (slice_equal(request->query[i].name, want))
            return request->query[i].value;
    }
    return (struct slice){NULL, 0};
}

void http_reply_header(struct http_exchange *pub, const char *name, const char *value)
{
    struct http_reply *reply = &pub->reply;
    if (reply->header_count < sizeof reply->headers / sizeof reply->headers[0])
        reply->headers[reply->header_count++] = (struct http_pair){slice_of(name), slice_of(value)};
}
