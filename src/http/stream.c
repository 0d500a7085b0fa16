/* Streamed replies: one piece at a time, made when the socket has taken the one before. */
#include <sys/socket.h>

#include "base/clock.h"
#include "http/internal.h"

enum { BLOCK_BYTES = 16 * 1024 }; /* what an HTTP/1.0 client is handed at a time */

/* A piece begins, and with it the client's time to take it. */
static void begin_piece(struct exchange *exchange)
{
    exchange->sent_all += exchange->sent;
    exchange->sent = 0;
    exchange->out = buf_slice(&exchange->pub.reply.body);
    exchange->phase_us = clock_monotonic_us();
}

void stream_take_piece(struct exchange *exchange)
{
    struct http_reply *reply = &exchange->pub.reply;
    if (buf_error(&reply->body) != ACCORD_OK || reply->stream == HTTP_WHOLE)
        reply->stream = HTTP_FAILED;
    begin_piece(exchange);
}

/*
 * HTTP/1.0 has no last chunk that could be missing: the connection is reset, so that what came of
 * the body does not pass for all of it. A socket that is "connected" to no address sends its reset
 * at once, before libmicrohttpd's orderly shutdown() can be taken for an end.
 */
void stream_break(const struct exchange *exchange)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    /* Of a Unix socket there is no reset: nothing to be done then. */
    if (exchange->old && connect(exchange->connection->fd, &nowhere, sizeof nowhere) != 0)
        return;
}

/* No piece comes any more. */
static ssize_t fail(struct exchange *exchange)
{
    stream_break(exchange);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* True: it is there. False: the connection sleeps until it is woken. */
static bool next_piece(struct exchange *exchange)
{
    struct http_server *server = exchange->worker->server;
    struct http_reply *reply = &exchange->pub.reply;
    exchange->out = (struct slice){NULL, 0};
    buf_done(&reply->body);
    reply->body.error = ACCORD_OK;
    exchange->sent_all += exchange->sent;
    exchange->sent = 0;
    if (server->app.more(server->app.context, &exchange->pub) == HTTP_DONE) {
        stream_take_piece(exchange);
        return true;
    }
    /* As after run(): a wake that has come already waits in the inbox. */
    exchange->held = true;
    atomic_fetch_add(&server->references, 1);
    exchange->phase = PHASE_PIECE;
    exchange->phase_us = clock_monotonic_us();
    MHD_suspend_connection(exchange->connection->mhd);
    return false;
}

static ssize_t read_stream(void *argument, uint64_t at, char *room, size_t max)
{
    struct exchange *exchange = argument;
    (void)at;
    /* The reply is the application's while it is held. */
    if (exchange->phase == PHASE_CUT)
        return fail(exchange);
    if (exchange->phase == PHASE_PIECE)
        return 0;
    while (exchange->sent == exchange->out.len) {
        switch (exchange->pub.reply.stream) {
        case HTTP_MORE:
            if (!next_piece(exchange))
                return 0;
            break;
        case HTTP_WHOLE:
        case HTTP_LAST:
            return MHD_CONTENT_READER_END_OF_STREAM;
        case HTTP_FAILED:
            return fail(exchange);
        }
    }
    const size_t left = exchange->out.len - exchange->sent;
    const size_t len = left < max ? left : max;
    memcpy(room, exchange->out.data + exchange->sent, len);
    exchange->sent += len;
    return (ssize_t)len;
}

struct MHD_Response *stream_response(struct exchange *exchange)
{
    begin_piece(exchange);
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES,
                                                                      read_stream, exchange, NULL);
    /* libmicrohttpd 0.9.75 sends the last chunk of a body even behind the head that answers a HEAD.
     * Without chunks it sends nothing, and closes. */
    if (response != NULL && exchange->pub.request.head)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return response;
}
