/** What the files of this room share: the server, its workers, their connections and exchanges. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "http/body.h"
#include "http/head.h"
#include "http/http.h"

enum {
    HEAD_BYTES_MAX = 8192, /* header names and values */
    TARGET_BYTES_MAX = 4096,
    POOL_BYTES = 20 * 1024, /* libmicrohttpd's memory of a connection: request and reply head */
    ARENA_BYTES_MAX = 256 << 20,
    REPLY_BYTES_MAX = 256 << 20,
    LINGER_US = 1000000, /* reading on after a reply that was sent too early for the client */
};

/** A client's connection; the worker's list has them all. */
struct connection {
    struct connection *next;
    struct connection *prev;
    struct MHD_Connection *mhd;
    struct exchange
        *exchange;    /**< the request it carries, from its request line to the reply's end */
    int fd;           /**< libmicrohttpd's; only to shut it down or to refuse */
    bool served;      /**< carried a request before */
    bool cut;         /**< has been shut down */
    int64_t since_us; /**< when it was accepted, or its last reply was through */
    char peer[64];
};

enum phase {
    PHASE_HEAD,    /**< the request line is there */
    PHASE_REFUSED, /**< the reply is filled, to be queued when the (empty) body is through */
    PHASE_BODY,
    PHASE_DISCARD, /**< the body is refused; the rest of it is read and forgotten */
    PHASE_PENDING, /**< suspended */
    PHASE_WOKEN,   /**< resumed, to be answered */
    PHASE_EXPIRED, /**< resumed by the deadline, to be answered 503 */
    PHASE_REPLY,   /**< the reply is queued */
    PHASE_PIECE,   /**< suspended until the next piece of a streamed reply is made */
    PHASE_CUT, /**< of a stream: the deadline for a piece has passed, the connection is closed */
};

struct exchange {
    struct http_exchange pub; /* must be first: the application's pointer is ours */
    struct worker *worker;
    struct connection *connection; /**< NULL once libmicrohttpd is done with the request */
    struct exchange *next;         /**< in the inbox, or in the list of free ones */
    enum phase phase;
    int64_t phase_us;        /**< when the phase began */
    bool broken;             /**< no memory at the request line */
    bool begun;              /**< the application has seen it */
    bool held;               /**< HTTP_PENDING was returned and its wake has not been taken in */
    bool raw_sent;           /**< answered directly on the socket */
    const char *line_target; /**< libmicrohttpd's copy of the target, for the first call only */
    size_t body_max;
    struct http_pair headers[HEAD_HEADERS_MAX];
    size_t header_count;
    struct head_framing framing;
    struct body body;
    struct buf encoded; /**< the gzipped reply body */
    struct buf expired; /**< the body of the deadline's answer */
    struct slice out;   /**< what is sent: reply.body, encoded or expired */
    size_t sent;        /**< of it, how much was handed over; replies above 64 KiB, and pieces */
    bool streamed;      /**< `out` is a piece */
    bool old;           /**< HTTP/1.0: the end of the connection is the end of a stream */
    uint64_t sent_all;  /**< of the pieces before */
    unsigned status;    /**< that was queued; 0: none */
    const char *log_error;
};

struct accepted {
    int fd;
    socklen_t address_len;
    struct sockaddr_storage address;
};

struct worker {
    struct http_server *server;
    unsigned index;
    pthread_t thread;
    struct MHD_Daemon *daemon;
    int epoll_fd; /**< the daemon's */
    int event_fd; /**< says that the inbox has something */
    _Atomic unsigned load;

    pthread_mutex_t lock; /* guards the inbox: */
    struct accepted *accepted;
    size_t accepted_count;
    size_t accepted_cap;
    struct exchange *woken_first;
    struct exchange *woken_last;
    bool gone; /**< the thread has ended: who wakes an exchange finishes it, too */

    /* The worker's thread only: */
    struct connection *connections;
    struct exchange *free;
    unsigned free_count;
    struct gzip *gzip;
    bool notified; /**< whether libmicrohttpd took the connection that is being added */
    char id_prefix[20];
    uint64_t id_next;
};

struct http_server {
    struct http_config config;
    struct http_app app;
    char *spill_dir;
    struct body_budget bodies;
    struct worker *workers;
    unsigned worker_count;
    pthread_t acceptor;
    int listen_fd;
    int stop_fd;  /**< wakes the acceptor */
    int spare_fd; /**< given up to accept one more when descriptors run out */
    char unix_path[108];
    bool head_in_place; /**< this libmicrohttpd leaves the parts of a head where they arrived */
    _Atomic unsigned connections;
    _Atomic bool draining;
    _Atomic int64_t stop_at_us;  /**< 0: not stopping */
    _Atomic unsigned references; /**< the owner, and each exchange that is held */
};

/* listen.c */
enum accord_error listen_open(const char *address, int *ret_fd, char ret_address[128],
                              char ret_unix_path[108]);
void listen_close(int fd, const char *unix_path);

/* accept.c */
void *acceptor_run(void *server);

/* worker.c */
enum accord_error worker_open(struct http_server *server, unsigned index, struct worker *worker);
/** Frees what is left when its thread has ended and nothing is held. */
void worker_close(struct worker *worker);
void *worker_run(void *worker);
/** Hands a new socket over; false (and the socket is still the caller's) without memory. */
bool worker_deal(struct worker *worker, const struct accepted *accepted);
void worker_signal(struct worker *worker);
void server_release(struct http_server *server);

/* exchange.c: libmicrohttpd's callbacks, and what the worker does with exchanges */
void *exchange_begin(void *worker, const char *target, struct MHD_Connection *mhd);
enum MHD_Result exchange_handle(void *worker, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *data_len, void **context);
void exchange_completed(void *worker, struct MHD_Connection *mhd, void **context,
                        enum MHD_RequestTerminationCode code);
/** The wake has been taken in, on the worker's thread. */
void exchange_take_wake(struct exchange *exchange);
/** The deadline has passed: answers 503 in place of the application, or cuts the stream. */
void exchange_expire(struct exchange *exchange);
/** Gives the memory of an exchange back to the system. */
void exchange_free(struct exchange *exchange);

/* stream.c */
/** A response that asks the application for piece after piece, the first being in pub.reply. */
struct MHD_Response *stream_response(struct exchange *exchange);
/** The piece that the application has woken the exchange for is there. */
void stream_take_piece(struct exchange *exchange);
/** Makes the client see that the connection's end is not the stream's. */
void stream_break(const struct exchange *exchange);

/* reply.c */
/** Fills the reply with a problem. */
void reply_problem(struct exchange *exchange, enum accord_error error, const char *detail);
/** Queues pub.reply. */
enum MHD_Result reply_queue(struct exchange *exchange, struct MHD_Connection *mhd);
/** Queues the deadline's answer; touches nothing that the application may be using. */
enum MHD_Result reply_queue_expired(struct exchange *exchange, struct MHD_Connection *mhd);
/** Writes pub.reply on the socket, for the phases in which libmicrohttpd takes no reply. */
void reply_raw(struct exchange *exchange);
/** Writes a problem on a socket that carries no exchange (request_id NULL) or a stalled one. */
void reply_raw_problem(int fd, enum accord_error error, const char *request_id);

#endif
