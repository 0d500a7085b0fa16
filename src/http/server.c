/* Start and stop. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/internal.h"

void server_release(struct http_server *server)
{
    if (atomic_fetch_sub(&server->references, 1) != 1)
        return;
    for (unsigned i = 0; i < server->worker_count; i++)
        worker_close(&server->workers[i]);
    if (server->stop_fd >= 0)
        close(server->stop_fd);
    if (server->spare_fd >= 0)
        close(server->spare_fd);
    free(server->workers);
    free(server->spill_dir);
    free(server);
}

static enum accord_error open_workers(struct http_server *server)
{
    server->workers = calloc(server->config.workers, sizeof *server->workers);
    if (server->workers == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (unsigned i = 0; i < server->config.workers; i++) {
        const enum accord_error error = worker_open(server, i, &server->workers[i]);
        if (error != ACCORD_OK)
            return error;
        server->worker_count++;
    }
    return ACCORD_OK;
}

static void signal_workers(struct http_server *server, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        worker_signal(&server->workers[i]);
}

/* Lets the first `count` workers end, at the deadline at the latest. */
static void join_workers(struct http_server *server, unsigned count, int64_t stop_at_us)
{
    atomic_store(&server->stop_at_us, stop_at_us);
    signal_workers(server, count);
    for (unsigned i = 0; i < count; i++)
        pthread_join(server->workers[i].thread, NULL);
}

/* Threads take no signals: those are main's. */
static enum accord_error start_threads(struct http_server *server)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    unsigned started = 0;
    while (started < server->worker_count &&
           pthread_create(&server->workers[started].thread, NULL, worker_run,
                          &server->workers[started]) == 0)
        started++;
    const bool ok = started == server->worker_count &&
                    pthread_create(&server->acceptor, NULL, acceptor_run, server) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!ok)
        join_workers(server, started, clock_monotonic_us());
    return ok ? ACCORD_OK : ACCORD_E_OUT_OF_MEMORY;
}

static enum accord_error open_server(struct http_server *server, char ret_address[128])
{
    server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    server->bodies.memory_max = server->config.bodies_memory;
    server->bodies.files_max = server->config.bodies_files;
    server->spill_dir =
        strdup(server->config.spill_dir == NULL ? "/tmp" : server->config.spill_dir);
    if (server->stop_fd < 0 || server->spill_dir == NULL)
        return ACCORD_E_IO_ERROR;
    enum accord_error error = open_workers(server);
    if (error != ACCORD_OK)
        return error;
    error = listen_open(server->config.listen, &server->listen_fd, ret_address, server->unix_path);
    if (error != ACCORD_OK)
        return error;
    error = start_threads(server);
    if (error != ACCORD_OK)
        listen_close(server->listen_fd, server->unix_path);
    return error;
}

enum accord_error http_start(const struct http_config *config, const struct http_app *app,
                             struct http_server **ret, char ret_address[128])
{
    if (config->listen == NULL || config->workers == 0 || config->connections_max == 0)
        return ACCORD_E_CONFIG_INVALID;
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    server->config = *config;
    server->app = *app;
    server->listen_fd = -1;
    server->head_in_place = strcmp(MHD_get_version(), "0.9.75") == 0;
    atomic_store(&server->references, 1);
    char address[128];
    const enum accord_error error = open_server(server, address);
    if (error != ACCORD_OK) {
        server_release(server);
        return error;
    }
    memcpy(ret_address, address, sizeof address);
    *ret = server;
    return ACCORD_OK;
}

void http_stop(struct http_server *server, int64_t deadline_ms)
{
    const int64_t stop_at = clock_monotonic_us() + (deadline_ms < 0 ? 0 : deadline_ms) * 1000;
    const uint64_t one = 1;
    if (server == NULL)
        return;
    atomic_store(&server->draining, true);
    signal_workers(server, server->worker_count);
    if (write(server->stop_fd, &one, sizeof one) == (ssize_t)sizeof one)
        pthread_join(server->acceptor, NULL);
    listen_close(server->listen_fd, server->unix_path);
    join_workers(server, server->worker_count, stop_at);
    server_release(server);
}

unsigned http_connections(const struct http_server *server)
{
    return atomic_load(&server->connections);
}
