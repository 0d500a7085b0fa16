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
 *
 * Between run() returning HTTP_PENDING and http_wake() the exchange belongs to whoever will wake
 * it: the server touches neither reply, arena nor user meanwhile. When the deadline passes first,
 * the client is answered 503 by the server itself and everything stays alive until http_wake()
 * comes. When the client has left, resumed() is not called; end() is.
 *
 * A body may be made piece by piece (reply.stream): whenever the client's socket has taken one,
 * more() is called for the next; it may answer HTTP_PENDING like run(), and the piece is sent when
 * http_wake() comes. Nothing is made ahead, so what a stream holds is one piece. When the deadline
 * passes first, a piece fails or the server stops, the connection is cut without the last chunk
 * (HTTP/1.0: reset), so that the client sees that something is missing.
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
    struct slice method;                      /**< "GET" for a HEAD, too */
    struct slice target;                      /**< as sent, undecoded */
    struct slice segments[HTTP_SEGMENTS_MAX]; /**< path split at '/', each percent-decoded */
    size_t segment_count;
    struct http_pair query[HTTP_QUERY_MAX]; /**< decoded ('+' is a blank), in order */
    size_t query_count;
    struct slice body;      /**< complete in run(); content codings already removed */
    bool body_length_known; /**< Content-Length was given (false: chunked, or no body) */
    bool head;              /**< a HEAD: answered as GET, the body is not sent */
    char request_id[64];    /**< X-Request-Id if it was acceptable, else made here */
    char peer[64];          /**< address without port, or "unix" */
    int64_t started_us;     /**< monotonic; when the request line was complete */
};

/** How much of the body a reply holds. */
enum http_stream {
    HTTP_WHOLE,  /**< all of it */
    HTTP_MORE,   /**< a piece, perhaps empty; more() brings the next */
    HTTP_LAST,   /**< the last piece, perhaps empty */
    HTTP_FAILED, /**< of more() only: there is no next piece, and the body is not complete */
};

/**
 * What is answered. X-Request-Id, Date, Content-Length, Connection, Content-Encoding and Vary are
 * the server's. A body of 1 KiB or more of a compressible type is sent gzipped to who accepts it;
 * a strong ETag then gets "-gz" inside its quotes. A streamed body is sent as it is, in chunks.
 */
struct http_reply {
    unsigned status;
    const char *content_type; /**< static; NULL with an empty body */
    struct buf body;
    struct slice gzipped; /**< the body in that form, borrowed until end(); data NULL: it is made
                             when it is worth while */
    enum http_stream stream;
    struct http_pair headers[16]; /**< further headers; NUL-terminated, in the arena or static */
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
    const char *partner;    /**< for the log; in the arena; NULL before authentication; set by
                                 begin() */
    const char *error_code; /**< for the log; static */
};

enum http_result { HTTP_DONE, HTTP_PENDING };

struct http_app {
    void *context;
    /** Headers are complete. Finds the route, authenticates, sets the limit of the body (bytes as
     *  sent; 0, as preset: no body is taken). Return false after filling the reply to refuse. */
    bool (*begin)(void *context, struct http_exchange *exchange, size_t *ret_body_max);
    enum http_result (*run)(void *context, struct http_exchange *exchange);
    /** After http_wake(), on the exchange's worker: fill the reply. Not called when the client has
     *  left or the deadline has passed. */
    void (*resumed)(void *context, struct http_exchange *exchange);
    /** The body's last piece has been taken: puts the next into reply.body (empty now) and says
     *  reply.stream anew, at once or, HTTP_PENDING, before http_wake(); everything else of the
     * reply stays as it is. error_code may be set with HTTP_FAILED. On its worker. May be NULL when
     *  nothing is streamed. */
    enum http_result (*more)(void *context, struct http_exchange *exchange);
    /** The connection may be gone already; free what `user` holds. Called for every exchange whose
     *  begin() was called: on its worker, or, when the server has stopped meanwhile, by the thread
     *  that calls http_wake(). */
    void (*end)(void *context, struct http_exchange *exchange);
    /** Fills an application/problem+json reply; it may be called before begin(). NULL: the server
     *  fills it. */
    void (*problem)(void *context, struct http_exchange *exchange, enum accord_error error,
                    const char *detail);
    /** One finished exchange, for metrics, just before end(); may be NULL. Also called for what was
     *  refused before begin(): user and route are NULL then. reply.status is what was sent; 499
     * when the client left before an answer. Threads as for end(). */
    void (*finished)(void *context, const struct http_exchange *exchange, int64_t duration_us);
};

struct http_config {
    const char *listen; /**< "127.0.0.1:8080", "[::]:8080", "unix:/path" */
    unsigned workers;
    unsigned connections_max;
    int64_t head_timeout_ms; /**< request line and headers complete */
    int64_t idle_timeout_ms; /**< keep-alive */
    int64_t run_timeout_ms;  /**< a suspended exchange; then 503, or the end of a stream */
    size_t body_rate_min;    /**< bytes per second, averaged after the first 5 s; of a body that is
                                  sent to us, and of a reply, or each piece of a streamed one, that
                                  is taken from us */
    int64_t rate_grace_ms;   /**< instead of those 5 s; 0: 5 s */
    size_t spill_bytes;      /**< a body above it goes to an unlinked file */
    size_t bodies_memory;    /**< of all bodies together; above it smaller ones do so, too */
    size_t bodies_files;     /**< likewise of files; above it bodies are refused */
    const char *spill_dir;
    /** Bytes after gzip or zstd decoding, also of a body sent as it is; an operation's own bound
     *  holds too, for what is sent and for what it decodes to. */
    size_t decoded_max;
};

/** Starts; returns with the socket bound. *ret_address: what is listened on ("127.0.0.1:8080", with
 *  the real port when 0 was asked for). `config` and `app` are copied, what they point to is not.
 *  ACCORD_E_CONFIG_INVALID for an address that does not parse, ACCORD_E_IO_ERROR when it cannot be
 *  bound. Its threads take no signals. */
enum accord_error http_start(const struct http_config *config, const struct http_app *app,
                             struct http_server **ret, char ret_address[128]);
/** Wakes a suspended exchange; from any thread (also from within run()); exactly once per
 *  HTTP_PENDING. The exchange must not be touched by the caller afterwards. */
void http_wake(struct http_exchange *exchange);
/** Refuses new connections, answers with Connection: close, waits up to deadline_ms for what was
 *  accepted, then stops. Exchanges that nobody has woken by then stay allocated until they are:
 *  stop the threads that wake them after this, and free the application's context last. */
void http_stop(struct http_server *server, int64_t deadline_ms);
/** Current connections, for metrics. */
unsigned http_connections(const struct http_server *server);

/* Helpers for the application. */
/** First value of a request header, case-insensitive; data NULL when absent. Any thread that has
 *  the exchange. */
struct slice http_header(const struct http_exchange *exchange, const char *name);
/** Whether the client takes gzip. */
bool http_takes_gzip(const struct http_exchange *exchange);
/** Compresses into an initialised, empty buf, on the exchange's worker. False: it does not become
 *  smaller, or memory is short. */
bool http_gzip(struct http_exchange *exchange, struct slice data, struct buf *ret);
/** A query parameter; data NULL when absent. */
struct slice http_query(const struct http_exchange *exchange, const char *name);
/** Adds a reply header; `value` must live as long as the exchange. */
void http_reply_header(struct http_exchange *exchange, const char *name, const char *value);
/** Weak comparison of an If-None-Match field (a list, or "*") with a strong ETag including its
 *  quotes; the tag of the gzipped form matches, too. False for an absent field. */
bool http_etag_matches(struct slice field, const char *etag);
/** The strong comparison of If-Match: as above, but a weak tag never matches. */
bool http_etag_matches_strong(struct slice field, const char *etag);

#endif
