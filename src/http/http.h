/**
 * The HTTP server: connections, framing, bodies, deadlines. libmicrohttpd lives behind this header.
 *
 * N workers, each with its own loop over one daemon; one accept thread deals connections to the
 * least loaded. What is done with a request is the application's: struct http_app.
 *
 * Life of an exchange: begin() at the headers (may refuse: nothing of the body is read) → the body
 * is collected (memory, above `spill_bytes` an unlinked mapped file) → run() → HTTP_DONE: the reply
 * is sent; HTTP_PENDING: the exchange is suspended until http_wake(), then resumed() is called on
 * its worker and the reply is sent. end() is called exactly once, at the very end.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

struct http_server;
struct http_exchange;

enum { HTTP_SEGMENTS_MAX = 12, HTTP_QUERY_MAX = 32 };

struct http_pair {
    struct slice name;
    struct slice value;
};

struct http_request {
    struct slice method;
    struct slice target;                      /**< as sent, undecoded */
    struct slice segments[HTTP_SEGMENTS_MAX]; /**< path split at '/', each percent-decoded */
    size_t segment_count;
    struct http_pair query[HTTP_QUERY_MAX]; /**< decoded, in order */
    size_t query_count;
    struct slice body; /**< complete in run(); content codings already removed */
    bool body_length_known;
    char request_id[64]; /**< X-Request-Id if it was acceptable, else made here */
    char peer[64];
    int64_t started_us; /**< monotonic */
};

struct http_reply {
    unsigned status;
    const char *content_type; /**< static; NULL with an empty body */
    struct buf body;
    struct http_pair headers[16]; /**< further headers; texts live in the arena or are static */
    size_t header_count;
    bool close; /**< close the connection after this reply */
};

/** What the application sees of an exchange. The arena lives until end(). */
struct http_exchange {
    struct http_request request;
    struct http_reply reply;
    struct arena *arena;
    unsigned worker;        /**< index of its worker, 0 .. workers-1 */
    void *user;             /**< the application's */
    const char *route;      /**< for log and metrics; static; set by begin() */
    const char *partner;    /**< for the log; in the arena; NULL before authentication */
    const char *error_code; /**< for the log; static */
};

enum http_result { HTTP_DONE, HTTP_PENDING };

struct http_app {
    void *context;
    /** Headers are complete. Finds the route, authenticates, sets the limit of the body. Return
     *  false after filling the reply to refuse. */
    bool (*begin)(void *context, struct http_exchange *exchange, size_t *ret_body_max);
    enum http_result (*run)(void *context, struct http_exchange *exchange);
    /** After http_wake(), on the exchange's worker: fill the reply. */
    void (*resumed)(void *context, struct http_exchange *exchange);
    /** The connection may be gone already; free what `user` holds. */
    void (*end)(void *context, struct http_exchange *exchange);
    /** Fills an application/problem+json reply. */
    void (*problem)(void *context, struct http_exchange *exchange, enum accord_error error,
                    const char *detail);
    /** One finished exchange, for metrics. */
    void (*finished)(void *context, const struct http_exchange *exchange, int64_t duration_us);
};

struct http_config {
    const char *listen; /**< "127.0.0.1:8080", "[::]:8080", "unix:/path" */
    unsigned workers;
    unsigned connections_max;
    int64_t head_timeout_ms; /**< request line and headers complete */
    int64_t idle_timeout_ms; /**< keep-alive */
    int64_t run_timeout_ms;  /**< a suspended exchange; then 503 */
    size_t body_rate_min;    /**< bytes per second, averaged after the first 5 s */
    size_t spill_bytes;      /**< a body above it goes to an unlinked file */
    const char *spill_dir;
    size_t decoded_max; /**< bytes after gzip/zstd decoding */
};

/** Starts; returns with the socket bound. *ret_address: what is listened on ("127.0.0.1:8080", with
 *  the real port when 0 was asked for). */
enum accord_error http_start(const struct http_config *config, const struct http_app *app,
                             struct http_server **ret, char ret_address[128]);
/** Wakes a suspended exchange; from any thread; exactly once per HTTP_PENDING. */
void http_wake(struct http_exchange *exchange);
/** Refuses new connections, answers with Connection: close, waits up to deadline_ms for what was
 *  accepted, then stops. */
void http_stop(struct http_server *server, int64_t deadline_ms);
/** Current connections, for metrics. */
unsigned http_connections(const struct http_server *server);

/* Helpers for the application. */
/** First value of a request header, case-insensitive; data NULL when absent. */
struct slice http_header(const struct http_exchange *exchange, const char *name);
/** A query parameter; data NULL when absent. */
struct slice http_query(const struct http_exchange *exchange, const char *name);
/** Adds a reply header; `value` must live as long as the exchange. */
void http_reply_header(struct http_exchange *exchange, const char *name, const char *value);

#endif
