/* Many busy connections on one worker: all of them are served, none waits for long. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "app.h"
#include "base/clock.h"

static struct test_app app;

struct client {
    int fd;
    unsigned answers;
    int64_t last_us; /* when its last answer came */
    int64_t worst_us;
};

static void send_one(struct client *client, const char *target)
{
    char request[128];
    const int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    ck_assert_int_eq(send(client->fd, request, (size_t)len, MSG_NOSIGNAL), len);
}

/* Keeps one request under way on each of `count` connections for two and a half seconds. */
static void run_clients(int count, const char *target, const char *body)
{
    struct http_config config = test_config();
    test_start(&app, config);
    struct client *clients = calloc((size_t)count, sizeof *clients);
    struct pollfd *fds = calloc((size_t)count, sizeof *fds);
    for (int i = 0; i < count; i++) {
        clients[i].fd = client_connect(&app);
        fds[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
    }
    test_wait_connections(&app, (unsigned)count);
    const int64_t start = clock_monotonic_us();
    for (int i = 0; i < count; i++) {
        clients[i].last_us = start;
        send_one(&clients[i], target);
    }
    int64_t now = start;
    while (now - start < 2500000) {
        ck_assert_int_ge(poll(fds, (nfds_t)count, 1000), 0);
        now = clock_monotonic_us();
        for (int i = 0; i < count; i++) {
            char answer[1024];
            if (fds[i].revents == 0)
                continue;
            const ssize_t got = recv(clients[i].fd, answer, sizeof answer - 1, 0);
            ck_assert_int_gt(got, 0);
            answer[got] = '\0';
            ck_assert_ptr_nonnull(strstr(answer, body)); /* short answers come in one piece */
            if (now - clients[i].last_us > clients[i].worst_us)
                clients[i].worst_us = now - clients[i].last_us;
            clients[i].last_us = now;
            clients[i].answers++;
            send_one(&clients[i], target);
        }
    }
    unsigned total = 0;
    int64_t worst_us = 0;
    for (int i = 0; i < count; i++) {
        ck_assert_msg(clients[i].answers > 1, "connection %d: %u answers", i, clients[i].answers);
        if (clients[i].worst_us > worst_us)
            worst_us = clients[i].worst_us;
        if (now - clients[i].last_us > worst_us)
            worst_us = now - clients[i].last_us;
        total += clients[i].answers;
        close(clients[i].fd);
    }
    printf("%d connections, %s: %u answers, longest wait %lld ms\n", count, target, total,
           (long long)worst_us / 1000);
    /* The stall that this guards against takes all of them for seconds. */
    ck_assert_int_lt(worst_us, 2000000);
    free(clients);
    free(fds);
    test_stop(&app);
}

static const int counts[] = {127, 128, 129, 256};

START_TEST(busy)
{
    run_clients(counts[_i], "/hello", "hello");
}
END_TEST

START_TEST(busy_and_suspended)
{
    run_clients(128, "/now", "hello");
}
END_TEST

START_TEST(busy_and_woken_by_threads)
{
    run_clients(128, "/pend?ms=1", "late:hello");
}
END_TEST

/* Connections are dealt evenly, and every worker serves. */
START_TEST(workers)
{
    struct http_config config = test_config();
    config.workers = 4;
    test_start(&app, config);
    int fds[64];
    for (int i = 0; i < 64; i++) {
        fds[i] = client_connect(&app);
        client_text(fds[i], "GET /pend?ms=5 HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (int i = 0; i < 64; i++) {
        struct answer a = client_read(fds[i], false);
        ck_assert_uint_eq(a.status, 200);
        answer_done(&a);
        close(fds[i]);
    }
    test_wait_connections(&app, 0);
    test_stop(&app);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("http load");
    TCase *tests = tcase_create("load");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, busy, 0, sizeof counts / sizeof counts[0]);
    tcase_add_test(tests, busy_and_suspended);
    tcase_add_test(tests, busy_and_woken_by_threads);
    tcase_add_test(tests, workers);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
