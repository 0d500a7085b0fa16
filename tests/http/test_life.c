/* Exchanges that wait, clients that leave, deadlines, the limit of connections, the stop. */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "app.h"
#include "base/clock.h"

static struct test_app app;

static int send_get(const char *target)
{
    char request[256];
    const int fd = client_connect(&app);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    ck_assert(client_text(fd, request));
    return fd;
}

static void check_answer(int fd, unsigned status, const char *part)
{
    struct answer a = client_read(fd, false);
    ck_assert_msg(a.status == status, "%u instead of %u", a.status, status);
    ck_assert_ptr_nonnull(a.body);
    ck_assert_msg(strstr(a.body, part) != NULL, "%s", a.body);
    answer_done(&a);
}

START_TEST(woken)
{
    const int before = count_fds();
    test_start(&app, test_config());
    for (int i = 0; i < 50; i++) {
        const int fd = send_get(i % 3 == 0 ? "/now" : i % 3 == 1 ? "/pend?ms=0" : "/pend?ms=5");
        check_answer(fd, 200, "hello");
        close(fd);
    }
    const int fd = send_get("/hold");
    http_wake(test_take_held(&app));
    check_answer(fd, 200, "hello");
    close(fd);
    ck_assert_uint_eq(atomic_load(&app.resumed), 51);
    ck_assert_ptr_nonnull(strstr(test_log(), "error=worked"));
    test_stop(&app);
    ck_assert_int_eq(count_fds(), before);
}
END_TEST

/* The deadline answers; what the application holds stays alive until it wakes it. */
START_TEST(run_deadline)
{
    struct http_config config = test_config();
    config.run_timeout_ms = 100;
    test_start(&app, config);
    const int fd = send_get("/hold");
    struct http_exchange *held = test_take_held(&app);
    struct answer a = client_read(fd, false);
    ck_assert_uint_eq(a.status, 503);
    ck_assert_ptr_nonnull(strstr(a.body, "deadline_exceeded"));
    ck_assert_ptr_nonnull(answer_header(&a, "Retry-After"));
    answer_done(&a);
    /* The connection goes on meanwhile, and its next request is another exchange. */
    client_text(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    check_answer(fd, 200, "hello");
    close(fd);
    test_wait_connections(&app, 0);
    ck_assert_uint_eq(atomic_load(&app.ended), 1);
    buf_add_str(&held->reply.body, "written late");
    held->user = realloc(held->user, 100);
    http_wake(held);
    test_wait_for(&app.ended, 2);
    ck_assert_uint_eq(atomic_load(&app.last_status), 503);
    ck_assert_uint_eq(atomic_load(&app.resumed), 0);
    ck_assert_ptr_nonnull(strstr(test_log(), "status=503"));
    test_stop(&app);
}
END_TEST

START_TEST(wake_close_to_the_deadline)
{
    struct http_config config = test_config();
    config.run_timeout_ms = 20;
    test_start(&app, config);
    for (int i = 0; i < 60; i++) {
        char target[32];
        snprintf(target, sizeof target, "/pend?ms=%d", 15 + i % 20);
        const int fd = send_get(target);
        struct answer a = client_read(fd, false);
        ck_assert(a.status == 200 || a.status == 503);
        answer_done(&a);
        close(fd);
    }
    test_wait_for(&app.ended, 60);
    test_stop(&app);
}
END_TEST

START_TEST(client_leaves_while_pending)
{
    const int before = count_fds();
    test_start(&app, test_config());
    for (int i = 0; i < 20; i++) {
        const int fd = send_get("/hold");
        struct http_exchange *held = test_take_held(&app);
        if (i % 2 == 0) { /* a reset instead of an orderly end */
            const struct linger linger = {.l_onoff = 1};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        }
        close(fd);
        sleep_ms(5);
        http_wake(held);
        test_wait_for(&app.ended, (unsigned)i + 1);
    }
    /* Whether it left is only seen when the answer is written: 499, or 200 into the void. */
    test_wait_connections(&app, 0);
    test_stop(&app);
    ck_assert_int_eq(count_fds(), before);
}
END_TEST

START_TEST(client_leaves_then_deadline_then_wake)
{
    struct http_config config = test_config();
    config.run_timeout_ms = 50;
    test_start(&app, config);
    const int fd = send_get("/hold");
    struct http_exchange *held = test_take_held(&app);
    close(fd);
    test_wait_connections(&app, 0);
    ck_assert_uint_eq(atomic_load(&app.ended), 0);
    http_wake(held);
    test_wait_for(&app.ended, 1);
    test_stop(&app);
}
END_TEST

START_TEST(client_leaves_at_every_byte)
{
    static const char request[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    const int before = count_fds();
    test_start(&app, test_config());
    for (size_t len = 0; len < sizeof request; len++) {
        const int fd = client_connect(&app);
        client_send(fd, request, len);
        if (len % 3 == 0)
            shutdown(fd, SHUT_WR);
        close(fd);
    }
    /* And in the middle of a reply that does not fit the socket's buffers. */
    for (int i = 0; i < 3; i++) {
        const int fd = send_get("/big?n=20000000");
        char some[100];
        ck_assert_int_gt(read(fd, some, sizeof some), 0);
        close(fd);
    }
    test_wait_connections(&app, 0);
    check_answer(send_get("/hello"), 200, "hello");
    test_stop(&app);
    ck_assert_int_le(count_fds(), before + 1); /* that last one */
}
END_TEST

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

START_TEST(slow_head)
{
    struct http_config config = test_config();
    config.head_timeout_ms = 200;
    config.idle_timeout_ms = 60000;
    test_start(&app, config);
    /* A drip that never pauses for long; first within the request line, then behind it. */
    for (int kind = 0; kind < 2; kind++) {
        const int fd = client_connect(&app);
        const int64_t start = now_ms();
        client_text(fd, kind == 0 ? "G" : "GET /hello HTTP/1.1\r\n");
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        while (now_ms() - start < 3000 && poll(&wait, 1, 20) == 0)
            client_text(fd, "a");
        ck_assert_int_lt(now_ms() - start, 1500);
        ck_assert_int_ge(now_ms() - start, 150);
        struct answer a = client_read(fd, false);
        ck_assert_uint_eq(a.status, kind == 0 ? 0 : 408);
        answer_done(&a);
        ck_assert(client_closed(fd, 1000));
        close(fd);
    }
    /* Connected, and silent. */
    const int fd = client_connect(&app);
    ck_assert(client_closed(fd, 1500));
    close(fd);
    ck_assert_uint_eq(atomic_load(&app.begun), 0);
    test_stop(&app);
}
END_TEST

START_TEST(slow_head_behind_a_request)
{
    struct http_config config = test_config();
    config.head_timeout_ms = 200;
    config.idle_timeout_ms = 60000;
    test_start(&app, config);
    const int fd = send_get("/hello");
    check_answer(fd, 200, "hello");
    client_text(fd, "GET /hello HTTP/1.1\r\n");
    struct answer a = client_read(fd, false);
    ck_assert_uint_eq(a.status, 408);
    answer_done(&a);
    close(fd);
    test_stop(&app);
}
END_TEST

START_TEST(slow_body)
{
    struct http_config config = test_config();
    config.body_rate_min = 1000;
    config.rate_grace_ms = 300;
    test_start(&app, config);
    const int fd = client_connect(&app);
    client_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    const int64_t start = now_ms();
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (now_ms() - start < 5000 && poll(&wait, 1, 20) == 0)
        client_text(fd, "a"); /* 50 bytes a second */
    ck_assert_int_lt(now_ms() - start, 2000);
    struct answer a = client_read(fd, false);
    ck_assert_uint_eq(a.status, 408);
    ck_assert_ptr_nonnull(answer_header(&a, "X-Request-Id"));
    answer_done(&a);
    close(fd);
    test_wait_for(&app.ended, 1);
    ck_assert_uint_eq(atomic_load(&app.last_status), 408);
    test_stop(&app);
}
END_TEST

START_TEST(slow_reader)
{
    struct http_config config = test_config();
    config.body_rate_min = 100000000;
    config.rate_grace_ms = 300;
    test_start(&app, config);
    const int fd = send_get("/big?n=20000000");
    char piece[1000];
    int64_t start = now_ms();
    while (http_connections(app.server) > 0 && now_ms() - start < 5000) {
        if (recv(fd, piece, sizeof piece, 0) <= 0)
            break;
        sleep_ms(20);
    }
    ck_assert_int_lt(now_ms() - start, 3000);
    close(fd);
    test_stop(&app);
}
END_TEST

START_TEST(idle_close)
{
    struct http_config config = test_config();
    config.idle_timeout_ms = 200;
    test_start(&app, config);
    const int fd = send_get("/hello");
    check_answer(fd, 200, "hello");
    sleep_ms(50);
    client_text(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    check_answer(fd, 200, "hello");
    const int64_t start = now_ms();
    ck_assert(client_closed(fd, 2000));
    ck_assert_int_ge(now_ms() - start, 150);
    close(fd);
    test_stop(&app);
}
END_TEST

START_TEST(connection_limit)
{
    struct http_config config = test_config();
    config.connections_max = 10;
    config.workers = 3;
    test_start(&app, config);
    int fds[10];
    for (int i = 0; i < 10; i++) {
        fds[i] = send_get("/hello");
        check_answer(fds[i], 200, "hello");
    }
    ck_assert_uint_eq(http_connections(app.server), 10);
    for (int i = 0; i < 100; i++) {
        const int fd = send_get("/hello");
        struct answer a = client_read(fd, false);
        ck_assert_uint_eq(a.status, 503);
        ck_assert_str_eq(answer_header(&a, "Content-Type"), "application/problem+json");
        ck_assert_ptr_nonnull(answer_header(&a, "Retry-After"));
        ck_assert_str_eq(answer_header(&a, "Connection"), "close");
        ck_assert_ptr_nonnull(strstr(a.body, "connections_exhausted"));
        answer_done(&a);
        ck_assert(client_closed(fd, 1000));
        close(fd);
    }
    for (int i = 0; i < 10; i++) {
        client_text(fds[i], "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        check_answer(fds[i], 200, "hello");
    }
    close(fds[0]);
    test_wait_connections(&app, 9);
    const int fd = send_get("/hello");
    check_answer(fd, 200, "hello");
    close(fd);
    for (int i = 1; i < 10; i++)
        close(fds[i]);
    test_stop(&app);
}
END_TEST

/* Out of descriptors: those that wait are told or wait on; afterwards everything is as before. */
START_TEST(descriptor_limit)
{
    test_start(&app, test_config());
    const struct rlimit limit = {(rlim_t)count_fds() + 8, (rlim_t)count_fds() + 8};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int fds[32];
    int count = 0;
    /* Client and server share the limit; the client's half of a connection takes the last one. */
    while (count < 32 && (fds[count] = socket(AF_INET, SOCK_STREAM, 0)) >= 0)
        count++;
    ck_assert_int_gt(count, 3);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)strtol(strchr(app.address, ':') + 1, NULL, 10));
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&address, sizeof address), 0);
    sleep_ms(100);
    for (int i = 0; i < count; i++)
        close(fds[i]);
    test_wait_connections(&app, 0);
    for (int i = 0; i < 3; i++) {
        const int fd = send_get("/hello");
        check_answer(fd, 200, "hello");
        close(fd);
    }
    test_stop(&app);
}
END_TEST

static void *stop_server(void *argument)
{
    http_stop(app.server, *(const int *)argument);
    return NULL;
}

static void finish(pthread_t thread)
{
    pthread_join(thread, NULL);
    ck_assert_uint_eq(atomic_load(&app.begun), atomic_load(&app.ended));
    ck_assert_int_eq(rmdir(app.dir), 0);
}

START_TEST(graceful_stop)
{
    test_start(&app, test_config());
    int idle = send_get("/hello");
    check_answer(idle, 200, "hello");
    const int pending = send_get("/hold");
    struct http_exchange *held = test_take_held(&app);
    const int half = client_connect(&app);
    client_text(half, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
    test_wait_for(&app.begun, 3);
    const int64_t start = now_ms();
    int deadline = 5000;
    pthread_t thread;
    pthread_create(&thread, NULL, stop_server, &deadline);
    ck_assert(client_closed(idle, 1000));
    client_text(half, "bc");
    struct answer a = client_read(half, false);
    ck_assert_uint_eq(a.status, 200);
    ck_assert_str_eq(a.body, "abc");
    ck_assert_str_eq(answer_header(&a, "Connection"), "close");
    answer_done(&a);
    http_wake(held);
    a = client_read(pending, false);
    ck_assert_uint_eq(a.status, 200);
    ck_assert_str_eq(answer_header(&a, "Connection"), "close");
    answer_done(&a);
    finish(thread);
    ck_assert_int_lt(now_ms() - start, 2000);
    close(idle);
    close(pending);
    close(half);
}
END_TEST

/* The deadline of the stop passes with an exchange that nobody has woken. */
START_TEST(stop_then_wake)
{
    const int before = count_fds();
    test_start(&app, test_config());
    const int first = send_get("/hold");
    struct http_exchange *held = test_take_held(&app);
    const int second = send_get("/hold");
    struct http_exchange *other = test_take_held(&app);
    const int64_t start = now_ms();
    http_stop(app.server, 200);
    ck_assert_int_ge(now_ms() - start, 190);
    ck_assert_int_lt(now_ms() - start, 1000);
    ck_assert_uint_eq(atomic_load(&app.ended), 0);
    buf_add_str(&held->reply.body, "still ours");
    http_wake(held);
    ck_assert_uint_eq(atomic_load(&app.ended), 1);
    http_wake(other);
    ck_assert_uint_eq(atomic_load(&app.ended), 2);
    close(first);
    close(second);
    ck_assert_int_eq(rmdir(app.dir), 0);
    ck_assert_int_eq(count_fds(), before);
}
END_TEST

/* Wakes race with the end of the workers. */
START_TEST(stop_while_waking)
{
    for (int round = 0; round < 5; round++) {
        app = (struct test_app){0};
        struct http_config config = test_config();
        config.workers = 2;
        test_start(&app, config);
        int fds[32];
        for (int i = 0; i < 32; i++) {
            char target[32];
            snprintf(target, sizeof target, "/pend?ms=%d", 40 + i % 8);
            fds[i] = send_get(target);
        }
        test_wait_for(&app.begun, 32);
        http_stop(app.server, 20);
        test_wait_for(&app.ended, 32);
        for (int i = 0; i < 32; i++)
            close(fds[i]);
        ck_assert_int_eq(rmdir(app.dir), 0);
    }
    sleep_ms(100); /* the waking threads return */
}
END_TEST

START_TEST(stop_without_requests)
{
    test_start(&app, test_config());
    const int64_t start = now_ms();
    const int fd = client_connect(&app); /* connected, and silent */
    sleep_ms(20);
    http_stop(app.server, 5000);
    ck_assert_int_lt(now_ms() - start, 2000);
    ck_assert(client_closed(fd, 100));
    close(fd);
    ck_assert_int_eq(rmdir(app.dir), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("http life");
    TCase *tests = tcase_create("life");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, woken);
    tcase_add_test(tests, run_deadline);
    tcase_add_test(tests, wake_close_to_the_deadline);
    tcase_add_test(tests, client_leaves_while_pending);
    tcase_add_test(tests, client_leaves_then_deadline_then_wake);
    tcase_add_test(tests, client_leaves_at_every_byte);
    tcase_add_test(tests, slow_head);
    tcase_add_test(tests, slow_head_behind_a_request);
    tcase_add_test(tests, slow_body);
    tcase_add_test(tests, slow_reader);
    tcase_add_test(tests, idle_close);
    tcase_add_test(tests, connection_limit);
    tcase_add_test(tests, descriptor_limit);
    tcase_add_test(tests, graceful_stop);
    tcase_add_test(tests, stop_then_wake);
    tcase_add_test(tests, stop_while_waking);
    tcase_add_test(tests, stop_without_requests);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
