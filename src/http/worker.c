/* A worker: one thread, one libmicrohttpd daemon that has neither listener nor thread, one inbox.
 *
 * The loop polls the daemon's epoll descriptor and the inbox's eventfd itself: libmicrohttpd's own
 * polling thread stalls when a multiple of 128 events is ready. All calls into a daemon are made
 * here, on its worker's thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "http/internal.h"

enum { DRAIN_SWEEP_US = 20000, SWEEP_MAX_US = 250000, FRESH_GRACE_US = 500000 };

static void describe_peer(struct MHD_Connection *mhd, char ret[64])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info == NULL ? NULL : info->client_addr;
    snprintf(ret, 64, "unix");
    if (address == NULL)
        return;
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, ret, 64);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], ret, 64);
        else
            inet_ntop(AF_INET6, &v6.sin6_addr, ret, 64);
    }
}

static void connection_started(struct worker *worker, struct MHD_Connection *mhd, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection = calloc(1, sizeof *connection);
    worker->notified = true;
    if (connection == NULL || info == NULL) {
        free(connection);
        if (info != NULL)
            shutdown(info->connect_fd, SHUT_RDWR);
        return;
    }
    connection->mhd = mhd;
    connection->fd = info->connect_fd;
    connection->since_us = clock_monotonic_us();
    describe_peer(mhd, connection->peer);
    connection->next = worker->connections;
    if (connection->next != NULL)
        connection->next->prev = connection;
    worker->connections = connection;
    *context = connection;
}

static void connection_closed(struct worker *worker, struct connection *connection)
{
    atomic_fetch_sub(&worker->load, 1);
    atomic_fetch_sub(&worker->server->connections, 1);
    if (connection == NULL)
        return;
    if (connection->next != NULL)
        connection->next->prev = connection->prev;
    if (connection->prev != NULL)
        connection->prev->next = connection->next;
    else
        worker->connections = connection->next;
    free(connection);
}

static void connection_notified(void *argument, struct MHD_Connection *mhd, void **context,
                                enum MHD_ConnectionNotificationCode code)
{
    switch (code) {
    case MHD_CONNECTION_NOTIFY_STARTED:
        connection_started(argument, mhd, context);
        break;
    case MHD_CONNECTION_NOTIFY_CLOSED:
        connection_closed(argument, *context);
        *context = NULL;
        break;
    }
}

static struct MHD_Daemon *start_daemon(struct worker *worker)
{
    /* No MHD_OPTION_CONNECTION_TIMEOUT: the sweep knows every phase of a connection and cuts those
     * that libmicrohttpd's inactivity timer would let drip on. */
    const unsigned limit = worker->server->config.connections_max + 64;
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
                            NULL, NULL, exchange_handle, worker, MHD_OPTION_CONNECTION_LIMIT, limit,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
                            MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_NOTIFY_CONNECTION,
                            connection_notified, worker, MHD_OPTION_NOTIFY_COMPLETED,
                            exchange_completed, worker, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin,
                            worker, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

enum accord_error worker_open(struct http_server *server, unsigned index, struct worker *worker)
{
    *worker = (struct worker){.server = server, .index = index, .event_fd = -1};
    if (pthread_mutex_init(&worker->lock, NULL) != 0)
        return ACCORD_E_OUT_OF_MEMORY;
    uint64_t random;
    random_bytes(&random, sizeof random);
    snprintf(worker->id_prefix, sizeof worker->id_prefix, "%016llx", (unsigned long long)random);
    worker->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    worker->gzip = gzip_new();
    worker->daemon = start_daemon(worker);
    const union MHD_DaemonInfo *info =
        worker->daemon == NULL ? NULL
                               : MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (worker->event_fd < 0 || worker->gzip == NULL || info == NULL) {
        worker_close(worker);
        return ACCORD_E_IO_ERROR;
    }
    worker->epoll_fd = info->epoll_fd;
    return ACCORD_OK;
}

void worker_close(struct worker *worker)
{
    if (worker->daemon != NULL)
        MHD_stop_daemon(worker->daemon);
    while (worker->free != NULL) {
        struct exchange *next = worker->free->next;
        exchange_free(worker->free);
        worker->free = next;
    }
    gzip_free(worker->gzip);
    free(worker->accepted);
    if (worker->event_fd >= 0)
        close(worker->event_fd);
    pthread_mutex_destroy(&worker->lock);
}

void worker_signal(struct worker *worker)
{
    const uint64_t one = 1;
    /* It can only fail with the counter full, and then the worker is awake anyway. */
    if (write(worker->event_fd, &one, sizeof one) < 0)
        return;
}

/* Room for one more accepted socket; under the lock. */
static bool grow_accepted(struct worker *worker)
{
    if (worker->accepted_count < worker->accepted_cap)
        return true;
    const size_t cap = worker->accepted_cap == 0 ? 16 : worker->accepted_cap * 2;
    struct accepted *grown = realloc(worker->accepted, cap * sizeof *grown);
    if (grown == NULL)
        return false;
    worker->accepted = grown;
    worker->accepted_cap = cap;
    return true;
}

bool worker_deal(struct worker *worker, const struct accepted *accepted)
{
    pthread_mutex_lock(&worker->lock);
    const bool ok = grow_accepted(worker);
    if (ok) {
        worker->accepted[worker->accepted_count++] = *accepted;
        if (worker->accepted_count == 1)
            worker_signal(worker);
    }
    pthread_mutex_unlock(&worker->lock);
    return ok;
}

static void add_connection(struct worker *worker, const struct accepted *accepted)
{
    worker->notified = false;
    /* At its limit or without memory the daemon closes the descriptor itself. */
    if (MHD_add_connection(worker->daemon, accepted->fd,
                           (const struct sockaddr *)&accepted->address,
                           accepted->address_len) != MHD_YES &&
        !worker->notified)
        connection_closed(worker, NULL);
}

static void take_inbox(struct worker *worker)
{
    uint64_t count;
    if (read(worker->event_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return;
    pthread_mutex_lock(&worker->lock);
    struct accepted *accepted = worker->accepted;
    const size_t accepted_count = worker->accepted_count;
    struct exchange *woken = worker->woken_first;
    worker->accepted = NULL;
    worker->accepted_count = 0;
    worker->accepted_cap = 0;
    worker->woken_first = NULL;
    worker->woken_last = NULL;
    pthread_mutex_unlock(&worker->lock);
    for (size_t i = 0; i < accepted_count; i++)
        add_connection(worker, &accepted[i]);
    free(accepted);
    while (woken != NULL) {
        struct exchange *next = woken->next;
        exchange_take_wake(woken);
        woken = next;
    }
}

static void cut(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    if (exchange != NULL && exchange->streamed) {
        exchange->log_error = accord_error_code(ACCORD_E_REQUEST_TIMEOUT);
        stream_break(exchange);
    }
    connection->cut = true;
    shutdown(connection->fd, SHUT_RDWR);
}

/* Cuts a stalled request, telling why; nothing of a reply has been written at this point. */
static void cut_request(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    exchange->status = accord_error_status(ACCORD_E_REQUEST_TIMEOUT);
    exchange->log_error = accord_error_code(ACCORD_E_REQUEST_TIMEOUT);
    reply_raw_problem(connection->fd, ACCORD_E_REQUEST_TIMEOUT, exchange->pub.request.request_id);
    cut(connection);
}

static bool has_unread(int fd)
{
    int bytes = 0;
    return ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

static void sweep_idle(const struct worker *worker, struct connection *connection, int64_t now)
{
    const struct http_config *config = &worker->server->config;
    const int64_t limit_ms = connection->served ? config->idle_timeout_ms : config->head_timeout_ms;
    const int64_t idle_us = now - connection->since_us;
    const bool draining = atomic_load(&worker->server->draining) &&
                          (connection->served || idle_us > FRESH_GRACE_US) &&
                          !has_unread(connection->fd);
    if (draining || idle_us > limit_ms * 1000)
        cut(connection);
}

/* Whether `bytes` since `since` is slower than the minimum rate. */
static bool too_slow(const struct http_config *config, uint64_t bytes, int64_t since, int64_t now)
{
    const int64_t grace_us = (config->rate_grace_ms > 0 ? config->rate_grace_ms : 5000) * 1000;
    const uint64_t rate = config->body_rate_min > 0 ? config->body_rate_min : 1;
    const int64_t elapsed_us = now - since;
    return elapsed_us > grace_us && bytes < rate * (uint64_t)elapsed_us / 1000000;
}

static void sweep_one(const struct worker *worker, struct connection *connection, int64_t now)
{
    const struct http_config *config = &worker->server->config;
    struct exchange *exchange = connection->exchange;
    if (exchange == NULL) {
        sweep_idle(worker, connection, now);
        return;
    }
    switch (exchange->phase) {
    case PHASE_HEAD: {
        const int64_t since =
            connection->served ? exchange->pub.request.started_us : connection->since_us;
        if (now - since > config->head_timeout_ms * 1000)
            cut_request(connection);
        break;
    }
    case PHASE_BODY:
        if (too_slow(config, exchange->body.wire, exchange->phase_us, now))
            cut_request(connection);
        break;
    case PHASE_DISCARD:
        if (now - exchange->phase_us > (exchange->raw_sent ? LINGER_US : 5 * LINGER_US))
            cut(connection);
        break;
    case PHASE_PENDING:
    case PHASE_PIECE:
        if (now - exchange->phase_us > config->run_timeout_ms * 1000)
            exchange_expire(exchange);
        break;
    case PHASE_REPLY: {
        /* A reply that goes out in one piece counts as sent; the kernel may still hold it. Pieces
         * of a stream are handed over bit by bit, each with a time of its own. */
        const size_t piece = exchange->streamed          ? 0
                             : exchange->out.len < 65536 ? exchange->out.len
                                                         : 65536;
        const size_t sent = exchange->sent > piece ? exchange->sent : piece;
        if (too_slow(config, sent, exchange->phase_us, now))
            cut(connection);
        break;
    }
    case PHASE_REFUSED: /* these go on by themselves within the same turn of the loop */
    case PHASE_WOKEN:
    case PHASE_EXPIRED:
    case PHASE_CUT:
        break;
    }
}

static void sweep(const struct worker *worker, int64_t now)
{
    for (struct connection *at = worker->connections; at != NULL; at = at->next) {
        if (!at->cut)
            sweep_one(worker, at, now);
    }
}

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Often enough for the shortest timeout to be kept within a quarter. */
static int64_t sweep_interval_us(const struct http_server *server)
{
    const struct http_config *config = &server->config;
    if (atomic_load(&server->draining))
        return DRAIN_SWEEP_US;
    int64_t shortest_ms = min64(config->head_timeout_ms, config->idle_timeout_ms);
    shortest_ms = min64(shortest_ms, config->run_timeout_ms);
    const int64_t interval = min64(shortest_ms * 250, SWEEP_MAX_US);
    return interval < 5000 ? 5000 : interval;
}

static int poll_timeout_ms(const struct worker *worker, int64_t next_sweep_us)
{
    MHD_UNSIGNED_LONG_LONG daemon_ms;
    if (MHD_get_timeout(worker->daemon, &daemon_ms) == MHD_YES && daemon_ms == 0)
        return 0;
    if (worker->connections == NULL && !atomic_load(&worker->server->draining))
        return -1;
    const int64_t left = next_sweep_us - clock_monotonic_us();
    return left <= 0 ? 0 : (int)(left / 1000) + 1;
}

static bool inbox_empty(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    const bool empty = worker->accepted_count == 0 && worker->woken_first == NULL;
    pthread_mutex_unlock(&worker->lock);
    return empty;
}

static bool may_end(struct worker *worker)
{
    const int64_t stop_at = atomic_load(&worker->server->stop_at_us);
    if (stop_at == 0)
        return false;
    return clock_monotonic_us() >= stop_at || (worker->connections == NULL && inbox_empty(worker));
}

/* Ends the daemon with whatever is still open. What the application holds stays, without a
 * connection, until it is woken. */
static void end_daemon(struct worker *worker)
{
    for (struct connection *at = worker->connections; at != NULL; at = at->next) {
        if (at->exchange == NULL)
            continue;
        if (at->exchange->streamed)
            stream_break(at->exchange);
        if (at->exchange->phase == PHASE_PENDING || at->exchange->phase == PHASE_PIECE)
            MHD_resume_connection(at->mhd);
    }
    MHD_stop_daemon(worker->daemon);
    worker->daemon = NULL;
    pthread_mutex_lock(&worker->lock);
    worker->gone = true;
    struct exchange *woken = worker->woken_first;
    worker->woken_first = NULL;
    const size_t accepted_count = worker->accepted_count;
    worker->accepted_count = 0;
    pthread_mutex_unlock(&worker->lock);
    for (size_t i = 0; i < accepted_count; i++) {
        close(worker->accepted[i].fd);
        connection_closed(worker, NULL);
    }
    while (woken != NULL) {
        struct exchange *next = woken->next;
        exchange_take_wake(woken);
        woken = next;
    }
}

void *worker_run(void *argument)
{
    struct worker *worker = argument;
    const struct http_server *server = worker->server;
    struct pollfd fds[2] = {{.fd = worker->epoll_fd, .events = POLLIN},
                            {.fd = worker->event_fd, .events = POLLIN}};
    int64_t next_sweep_us = 0;
    log_hold();
    while (!may_end(worker)) {
        const int ready = poll(fds, 2, poll_timeout_ms(worker, next_sweep_us));
        if (ready < 0 && errno != EINTR)
            break;
        if (ready > 0 && fds[1].revents != 0)
            take_inbox(worker);
        MHD_run(worker->daemon);
        const int64_t now = clock_monotonic_us();
        if (now >= next_sweep_us) {
            sweep(worker, now);
            next_sweep_us = now + sweep_interval_us(server);
        }
        log_release();
    }
    end_daemon(worker);
    log_release();
    return NULL;
}
