/* Replies: through libmicrohttpd, and directly on the socket where it takes none. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "http/internal.h"

enum { GZIP_MIN = 1024, GZIP_MAX = 16 << 20, STREAM_BYTES = 64 * 1024 };

static void problem_body(struct buf *body, enum accord_error error, const char *detail,
                         const char *request_id)
{
    /* Titles and details are ours and plain, request ids are checked: nothing needs escaping. */
    const char *code = accord_error_code(error);
    buf_printf(body, "{\"type\":\"/docs#%s\",\"title\":\"%s\",\"status\":%u,\"code\":\"%s\"", code,
               accord_error_title(error), accord_error_status(error), code);
    if (detail != NULL)
        buf_printf(body, ",\"detail\":\"%s\"", detail);
    if (request_id != NULL)
        buf_printf(body, ",\"request_id\":\"%s\"", request_id);
    buf_add_char(body, '}');
}

void reply_problem(struct exchange *exchange, enum accord_error error, const char *detail)
{
    const struct http_app *app = &exchange->worker->server->app;
    struct http_reply *reply = &exchange->pub.reply;
    buf_done(&reply->body);
    reply->body.error = ACCORD_OK;
    reply->stream = HTTP_WHOLE;
    exchange->pub.error_code = accord_error_code(error);
    if (app->problem != NULL) {
        app->problem(app->context, &exchange->pub, error, detail);
        return;
    }
    reply->status = accord_error_status(error);
    reply->content_type = "application/problem+json";
    problem_body(&reply->body, error, detail, exchange->pub.request.request_id);
    if (reply->status == 503)
        http_reply_header(&exchange->pub, "Retry-After", "1");
}

static bool contains(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static bool compressible(const char *type)
{
    return type != NULL &&
           (strncmp(type, "text/", 5) == 0 || contains(type, "json") || contains(type, "yaml") ||
            contains(type, "xml") || contains(type, "javascript"));
}

static const struct http_pair *find_reply_header(const struct http_reply *reply, struct slice name)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        if (head_name_is(reply->headers[i].name, name))
            return &reply->headers[i];
    }
    return NULL;
}

bool http_takes_gzip(const struct http_exchange *exchange)
{
    return head_accepts_gzip(http_header(exchange, "Accept-Encoding"));
}

bool http_gzip(struct http_exchange *exchange, struct slice data, struct buf *ret)
{
    struct gzip *gzip = ((struct exchange *)exchange)->worker->gzip;
    return gzip != NULL && gzip_encode(gzip, data, ret) == ACCORD_OK && ret->len < data.len;
}

/* Gzips the body if client, type and size ask for it; exchange->out is what is sent. */
static bool encode_body(struct exchange *exchange)
{
    const struct http_reply *reply = &exchange->pub.reply;
    const size_t len = reply->body.len;
    exchange->out = buf_slice(&reply->body);
    if (len < GZIP_MIN || len > GZIP_MAX || !http_takes_gzip(&exchange->pub))
        return false;
    if (reply->gzipped.data != NULL) {
        exchange->out = reply->gzipped;
        return true;
    }
    if (!http_gzip(&exchange->pub, buf_slice(&reply->body), &exchange->encoded)) {
        buf_done(&exchange->encoded);
        return false;
    }
    exchange->out = buf_slice(&exchange->encoded);
    return true;
}

static ssize_t read_body(void *argument, uint64_t at, char *piece, size_t max)
{
    struct exchange *exchange = argument;
    const size_t left = exchange->out.len - (size_t)at;
    const size_t len = left < max ? left : max;
    memcpy(piece, exchange->out.data + at, len);
    exchange->sent = (size_t)at + len;
    return (ssize_t)len;
}

/* A response over exchange->out, which outlives it: an exchange ends after its response. */
static struct MHD_Response *make_response(struct exchange *exchange)
{
    if (exchange->streamed)
        return stream_response(exchange);
    if (exchange->out.len > STREAM_BYTES)
        return MHD_create_response_from_callback(exchange->out.len, STREAM_BYTES, read_body,
                                                 exchange, NULL);
    union {
        const void *in;
        void *out;
    } data = {.in = exchange->out.data}; /* MHD_RESPMEM_PERSISTENT does not write */
    return MHD_create_response_from_buffer(exchange->out.len, data.out, MHD_RESPMEM_PERSISTENT);
}

/* The ETag of the gzipped form. */
static const char *gzip_etag(struct exchange *exchange, const char *etag)
{
    const size_t len = strlen(etag);
    if (len < 2 || etag[0] != '"' || etag[len - 1] != '"')
        return etag;
    const char *changed = arena_printf(exchange->pub.arena, "%.*s-gz\"", (int)(len - 1), etag);
    return changed == NULL ? etag : changed;
}

static void add_headers(struct exchange *exchange, struct MHD_Response *response, bool gzipped)
{
    const struct http_reply *reply = &exchange->pub.reply;
    const bool not_modified = reply->status == MHD_HTTP_NOT_MODIFIED;
    MHD_add_response_header(response, "X-Request-Id", exchange->pub.request.request_id);
    if (reply->content_type != NULL)
        MHD_add_response_header(response, "Content-Type", reply->content_type);
    for (size_t i = 0; i < reply->header_count; i++) {
        const struct http_pair *header = &reply->headers[i];
        const char *value = header->value.data;
        if (value == NULL)
            continue;
        if (head_name_is(header->name, SLICE("ETag")) &&
            (gzipped || (not_modified &&
                         head_etag_gzipped(http_header(&exchange->pub, "If-None-Match"), value))))
            value = gzip_etag(exchange, value);
        MHD_add_response_header(response, header->name.data, value);
    }
    if (gzipped)
        MHD_add_response_header(response, "Content-Encoding", "gzip");
    if (not_modified || (reply->body.len >= GZIP_MIN && compressible(reply->content_type)))
        MHD_add_response_header(response, "Vary", "Accept-Encoding");
    if (reply->close || atomic_load(&exchange->worker->server->draining))
        MHD_add_response_header(response, "Connection", "close");
}

static enum MHD_Result queue(struct exchange *exchange, struct MHD_Connection *mhd, unsigned status,
                             struct MHD_Response *response)
{
    exchange->status = status;
    exchange->phase = PHASE_REPLY;
    exchange->phase_us = clock_monotonic_us();
    const enum MHD_Result result = MHD_queue_response(mhd, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result reply_queue(struct exchange *exchange, struct MHD_Connection *mhd)
{
    struct http_reply *reply = &exchange->pub.reply;
    const enum accord_error error =
        reply->status < 200 || reply->status > 599 || reply->stream == HTTP_FAILED
            ? ACCORD_E_INTERNAL
            : buf_error(&reply->body);
    if (error != ACCORD_OK) {
        /* The buffer ran into a limit, or nothing was filled in: half a body is not an answer. */
        reply->header_count = 0;
        reply_problem(exchange, error == ACCORD_E_BODY_TOO_LARGE ? ACCORD_E_INTERNAL : error, NULL);
    }
    exchange->streamed = reply->stream != HTTP_WHOLE;
    const bool gzipped = !exchange->streamed && compressible(reply->content_type) &&
                         find_reply_header(reply, SLICE("Content-Encoding")) == NULL &&
                         encode_body(exchange);
    if (!gzipped)
        exchange->out = buf_slice(&reply->body);
    struct MHD_Response *response = make_response(exchange);
    if (response == NULL)
        return MHD_NO;
    add_headers(exchange, response, gzipped);
    return queue(exchange, mhd, reply->status, response);
}

enum MHD_Result reply_queue_expired(struct exchange *exchange, struct MHD_Connection *mhd)
{
    const enum accord_error error = ACCORD_E_DEADLINE_EXCEEDED;
    const char *id = exchange->pub.request.request_id;
    problem_body(&exchange->expired, error, "Whether it took effect is not known; repeat it.", id);
    exchange->out = buf_slice(&exchange->expired);
    exchange->log_error = accord_error_code(error);
    struct MHD_Response *response = make_response(exchange);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "X-Request-Id", id);
    MHD_add_response_header(response, "Content-Type", "application/problem+json");
    MHD_add_response_header(response, "Retry-After", "1");
    if (atomic_load(&exchange->worker->server->draining))
        MHD_add_response_header(response, "Connection", "close");
    return queue(exchange, mhd, accord_error_status(error), response);
}

static void date_now(char text[40])
{
    const time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts) == NULL ||
        strftime(text, 40, "%a, %d %b %Y %H:%M:%S GMT", &parts) == 0)
        text[0] = '\0';
}

static void raw_head(struct buf *out, unsigned status, const char *type, size_t body_len,
                     const char *request_id)
{
    char date[40];
    date_now(date);
    buf_printf(out, "HTTP/1.1 %u %s\r\nDate: %s\r\nConnection: close\r\nContent-Length: %zu\r\n",
               status, MHD_get_reason_phrase_for(status), date, body_len);
    if (type != NULL)
        buf_printf(out, "Content-Type: %s\r\n", type);
    if (request_id != NULL)
        buf_printf(out, "X-Request-Id: %s\r\n", request_id);
    if (status == 503)
        buf_add_str(out, "Retry-After: 1\r\n");
    buf_add_str(out, "\r\n");
}

/* What does not fit the socket's buffer at once is lost: these answers are small, and whoever lets
 * them pile up is not reading. */
static void send_once(int fd, const struct buf *out)
{
    if (buf_error(out) == ACCORD_OK &&
        send(fd, out->data, out->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return;
}

void reply_raw_problem(int fd, enum accord_error error, const char *request_id)
{
    struct buf body;
    struct buf out;
    buf_init(&body, 4096);
    buf_init(&out, 8192);
    problem_body(&body, error, NULL, request_id);
    raw_head(&out, accord_error_status(error), "application/problem+json", body.len, request_id);
    buf_add_slice(&out, buf_slice(&body));
    send_once(fd, &out);
    buf_done(&body);
    buf_done(&out);
}

void reply_raw(struct exchange *exchange)
{
    const struct http_reply *reply = &exchange->pub.reply;
    struct buf out;
    buf_init(&out, 1 << 20);
    exchange->status = reply->status;
    exchange->raw_sent = true;
    exchange->out = buf_slice(&reply->body);
    raw_head(&out, reply->status, reply->content_type, reply->body.len,
             exchange->pub.request.request_id);
    buf_add_slice(&out, buf_slice(&reply->body));
    send_once(exchange->connection->fd, &out);
    shutdown(exchange->connection->fd, SHUT_WR);
    buf_done(&out);
}
