/* The accept thread: counts connections, deals each to the least loaded worker, and at the limit
 * answers 503 by itself. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/internal.h"

enum { REFUSED_MAX = 64 };

/* Refused connections are read from for a moment: closing a socket with unread bytes would reset
 * the connection and take the answer from the client. */
struct refused {
    int fd;
    int64_t until_us;
};

struct acceptor {
    struct http_server *server;
    struct refused refused[REFUSED_MAX];
    size_t refused_count;
    unsigned turn;
};

static void refuse(struct acceptor *acceptor, int fd)
{
    const bool stopping = atomic_load(&acceptor->server->draining);
    reply_raw_problem(fd, stopping ? ACCORD_E_SHUTTING_DOWN : ACCORD_E_CONNECTIONS_EXHAUSTED, NULL);
    shutdown(fd, SHUT_WR);
    if (acceptor->refused_count == REFUSED_MAX) {
        close(fd);
        return;
    }
    acceptor->refused[acceptor->refused_count++] =
        (struct refused){fd, clock_monotonic_us() + LINGER_US};
}

/* Reads what refused clients still send; closes those that are through, or too long at it. */
static void drain_refused(struct acceptor *acceptor, bool all)
{
    const int64_t now = clock_monotonic_us();
    for (size_t i = 0; i < acceptor->refused_count;) {
        const struct refused *refused = &acceptor->refused[i];
        char scrap[16384];
        const ssize_t got = recv(refused->fd, scrap, sizeof scrap, MSG_DONTWAIT);
        const bool open = got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
        if (open && !all && now < refused->until_us) {
            i++;
            continue;
        }
        close(refused->fd);
        acceptor->refused[i] = acceptor->refused[--acceptor->refused_count];
    }
}

/* The one with the fewest connections; among equals in turn. */
static struct worker *least_loaded(struct acceptor *acceptor)
{
    struct http_server *server = acceptor->server;
    const unsigned first = acceptor->turn++ % server->worker_count;
    struct worker *best = &server->workers[first];
    for (unsigned i = 1; i < server->worker_count; i++) {
        struct worker *worker = &server->workers[(first + i) % server->worker_count];
        if (atomic_load(&worker->load) < atomic_load(&best->load))
            best = worker;
    }
    return best;
}

static void take(struct acceptor *acceptor, const struct accepted *accepted)
{
    struct http_server *server = acceptor->server;
    if (atomic_load(&server->connections) >= server->config.connections_max) {
        refuse(acceptor, accepted->fd);
        return;
    }
    if (accepted->address.ss_family != AF_UNIX) {
        const int on = 1;
        setsockopt(accepted->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    struct worker *worker = least_loaded(acceptor);
    atomic_fetch_add(&server->connections, 1);
    atomic_fetch_add(&worker->load, 1);
    if (!worker_deal(worker, accepted)) {
        atomic_fetch_sub(&server->connections, 1);
        atomic_fetch_sub(&worker->load, 1);
        close(accepted->fd);
    }
}

/* Out of descriptors: give the spare one up, so that the first in the queue is at least told. */
static void accept_without_room(struct acceptor *acceptor)
{
    struct http_server *server = acceptor->server;
    if (server->spare_fd >= 0) {
        close(server->spare_fd);
        const int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            reply_raw_problem(fd, ACCORD_E_CONNECTIONS_EXHAUSTED, NULL);
            shutdown(fd, SHUT_WR);
            close(fd);
        }
        server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    const struct timespec pause = {.tv_nsec = 10000000L};
    nanosleep(&pause, NULL);
}

/* Accepts until nobody waits, or a good number at once. */
static void accept_some(struct acceptor *acceptor)
{
    for (unsigned i = 0; i < 256; i++) {
        struct accepted accepted = {.address_len = sizeof accepted.address};
        accepted.fd = accept4(acceptor->server->listen_fd, (struct sockaddr *)&accepted.address,
                              &accepted.address_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted.fd >= 0) {
            take(acceptor, &accepted);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            accept_without_room(acceptor);
        return;
    }
}

void *acceptor_run(void *argument)
{
    struct http_server *server = argument;
    struct acceptor acceptor = {.server = server};
    for (;;) {
        struct pollfd fds[2 + REFUSED_MAX] = {{.fd = server->listen_fd, .events = POLLIN},
                                              {.fd = server->stop_fd, .events = POLLIN}};
        for (size_t i = 0; i < acceptor.refused_count; i++)
            fds[2 + i] = (struct pollfd){.fd = acceptor.refused[i].fd, .events = POLLIN};
        const int timeout_ms = acceptor.refused_count > 0 ? 100 : -1;
        if (poll(fds, 2 + acceptor.refused_count, timeout_ms) < 0 && errno != EINTR)
            break;
        drain_refused(&acceptor, false);
        /* Those that the kernel has accepted already are served even when the server stops. */
        accept_some(&acceptor);
        if (fds[1].revents != 0)
            break;
    }
    drain_refused(&acceptor, true);
    return NULL;
}
