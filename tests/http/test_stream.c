/* Bodies made piece by piece: chunks, old clients, slow ones, those that leave, deadlines, stops.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "app.h"
#include "base/clock.h"

static struct test_app app;

/* ---- the client ---- */

struct got {
    char *data; /* head and body as they came */
    size_t len;
    char *body; /* decoded */
    size_t body_len;
    bool last;  /* the last chunk came */
    bool reset; /* the connection ended by a reset */
};

static int ask(const char *target, const char *version, const char *headers)
{
    char request[512];
    const int fd = client_connect(&app);
    snprintf(request, sizeof request, "GET %s HTTP/%s\r\nHost: a\r\n%s\r\n", target, version,
             headers);
    ck_assert(client_text(fd, request));
    return fd;
}

static void read_to_end(int fd, struct got *got)
{
    size_t cap = 0;
    *got = (struct got){.data = NULL};
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (got->len + 65536 > cap) {
            cap = 2 * cap + 131072;
            got->data = realloc(got->data, cap);
        }
        ck_assert_int_gt(poll(&wait, 1, 20000), 0);
        const ssize_t n = recv(fd, got->data + got->len, cap - got->len - 1, 0);
        if (n <= 0) {
            got->reset = n < 0 && errno == ECONNRESET;
            break;
        }
        got->len += (size_t)n;
    }
    got->data[got->len] = '\0';
    close(fd);
}

/* Takes the chunks apart that begin at `from`; returns the place behind them. */
static size_t take_chunks(struct got *got, size_t from)
{
    free(got->body);
    got->body = malloc(got->len + 1);
    got->body_len = 0;
    got->last = false;
    while (from < got->len) {
        char *end;
        const size_t len = strtoul(got->data + from, &end, 16);
        const size_t begin = (size_t)(end - got->data) + 2;
        if (begin > got->len || memcmp(end, "\r\n", 2) != 0)
            break;
        const size_t have = got->len - begin < len ? got->len - begin : len;
        memcpy(got->body + got->body_len, got->data + begin, have);
        got->body_len += have;
        from = begin + have + 2;
        if (len == 0) {
            got->last = true;
            break;
        }
    }
    return from;
}

static size_t body_of(const struct got *got)
{
    const char *end = got->data == NULL ? NULL : strstr(got->data, "\r\n\r\n");
    ck_assert_ptr_nonnull(end);
    return (size_t)(end - got->data) + 4;
}

static void check_body(const char *body, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (body[i] != test_stream_byte(i))
            ck_abort_msg("byte %zu of %zu is %d", i, len, body[i]);
}

static struct got get_chunked(const char *target)
{
    struct got got;
    read_to_end(ask(target, "1.1", "Connection: close\r\nAccept-Encoding: gzip\r\n"), &got);
    take_chunks(&got, body_of(&got));
    check_body(got.body, got.body_len);
    return got;
}

static void got_done(struct got *got)
{
    free(got->data);
    free(got->body);
    *got = (struct got){.data = NULL};
}

/* Whether a line of the log says this. */
static void check_log(const char *part)
{
    ck_assert_msg(strstr(test_log(), part) != NULL, "%s not in\n%s", part, test_log());
}

/* ---- tests ---- */

static const struct {
    const char *query;
    size_t len;
} sizes[] = {
    {"pieces=1&size=0", 0},
    {"pieces=1&size=5", 5},
    {"pieces=3&size=0", 0},
    {"pieces=3&size=1", 3},
    {"pieces=20&size=65536", 1310720},
    {"pieces=20&size=65536&now=1", 1310720},
    {"pieces=500&size=7&now=1", 3500},
    {"pieces=40&size=4000&ms=2", 160000},
};

START_TEST(all_of_it_in_chunks)
{
    char text[128];
    const int before = count_fds();
    test_start(&app, test_config());
    snprintf(text, sizeof text, "/stream?%s", sizes[_i].query);
    struct got got = get_chunked(text);
    ck_assert_ptr_nonnull(strstr(got.data, "HTTP/1.1 200 "));
    ck_assert_ptr_nonnull(strstr(got.data, "Transfer-Encoding: chunked\r\n"));
    ck_assert_ptr_nonnull(strstr(got.data, "ETag: \"s1\"\r\n"));
    ck_assert_ptr_null(strstr(got.data, "Content-Length"));
    ck_assert_ptr_null(strstr(got.data, "Content-Encoding"));
    ck_assert(got.last);
    ck_assert_uint_eq(got.body_len, sizes[_i].len);
    got_done(&got);
    test_wait_connections(&app, 0);
    snprintf(text, sizeof text, "bytes=%zu\n", sizes[_i].len);
    check_log(text);
    test_stop(&app);
    ck_assert_int_eq(count_fds(), before);
}
END_TEST

START_TEST(the_connection_goes_on)
{
    test_start(&app, test_config());
    struct got got;
    const int fd = ask("/stream?pieces=5&size=1000", "1.1", "");
    ck_assert(client_text(fd, "GET /stream?pieces=3&size=100&ms=1 HTTP/1.1\r\nHost: a\r\n\r\n"
                              "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    read_to_end(fd, &got);
    size_t at = take_chunks(&got, body_of(&got));
    ck_assert(got.last);
    ck_assert_uint_eq(got.body_len, 5000);
    const char *second = strstr(got.data + at, "\r\n\r\n");
    ck_assert_ptr_nonnull(second);
    at = take_chunks(&got, (size_t)(second - got.data) + 4);
    ck_assert(got.last);
    ck_assert_uint_eq(got.body_len, 300);
    ck_assert_ptr_nonnull(strstr(got.data + at, "\r\n\r\nhello"));
    got_done(&got);
    test_stop(&app);
}
END_TEST

START_TEST(an_old_client_reads_to_the_end)
{
    test_start(&app, test_config());
    struct got got;
    read_to_end(ask("/stream?pieces=30&size=65536", "1.0", "Connection: keep-alive\r\n"), &got);
    ck_assert_ptr_null(strstr(got.data, "Transfer-Encoding"));
    const size_t from = body_of(&got);
    ck_assert(!got.reset);
    ck_assert_uint_eq(got.len - from, 30 * 65536);
    check_body(got.data + from, got.len - from);
    got_done(&got);
    test_stop(&app);
}
END_TEST

/* Without a reset the half of a body would look like the whole. */
START_TEST(an_old_client_sees_a_failure)
{
    test_start(&app, test_config());
    struct got got;
    read_to_end(ask("/stream?pieces=30&size=1000&fail=10", "1.0", ""), &got);
    ck_assert(got.reset);
    got_done(&got);
    read_to_end(ask("/stream?pieces=30&size=1000&fail=10&now=1", "1.0", ""), &got);
    ck_assert(got.reset);
    got_done(&got);
    test_stop(&app);
}
END_TEST

START_TEST(a_head_makes_no_pieces)
{
    test_start(&app, test_config());
    const int fd = client_connect(&app);
    struct got got;
    ck_assert(client_text(fd, "HEAD /stream?pieces=30&size=1000 HTTP/1.1\r\nHost: a\r\n\r\n"));
    read_to_end(fd, &got);
    ck_assert_ptr_nonnull(strstr(got.data, "HTTP/1.1 200 "));
    ck_assert_ptr_nonnull(strstr(got.data, "ETag: \"s1\"\r\n"));
    ck_assert_ptr_null(strstr(got.data, "Content-Length"));
    ck_assert_uint_eq(body_of(&got), got.len);
    got_done(&got);
    ck_assert_uint_eq(atomic_load(&app.pieces), 0);
    test_stop(&app);
}
END_TEST

START_TEST(a_failure_is_seen)
{
    test_start(&app, test_config());
    struct got got = get_chunked("/stream?pieces=30&size=20000&fail=10");
    ck_assert(!got.last);
    ck_assert_uint_eq(got.body_len, 200000);
    got_done(&got);
    test_wait_for(&app.ended, 1);
    ck_assert_uint_eq(atomic_load(&app.pieces), 10);
    check_log("bytes=200000 error=no_piece");
    /* Before anything was sent it is an ordinary refusal. */
    struct answer a = client_get(&app, "/stream?pieces=30&size=20000&fail=0", "");
    ck_assert_uint_eq(a.status, 500);
    ck_assert_ptr_nonnull(answer_header(&a, "Content-Length"));
    answer_done(&a);
    test_stop(&app);
}
END_TEST

START_TEST(each_piece_has_a_deadline)
{
    struct http_config config = test_config();
    config.run_timeout_ms = 150;
    test_start(&app, config);
    /* Together they take longer than one may. */
    struct got got = get_chunked("/stream?pieces=30&size=10&ms=20");
    ck_assert(got.last);
    ck_assert_uint_eq(got.body_len, 300);
    got_done(&got);
    got = get_chunked("/stream?pieces=30&size=10&hold=3");
    ck_assert(!got.last);
    ck_assert_uint_eq(got.body_len, 30);
    got_done(&got);
    check_log("error=deadline_exceeded");
    struct http_exchange *held = test_take_held(&app);
    test_wait_connections(&app, 0);
    ck_assert_uint_eq(atomic_load(&app.ended), 1);
    buf_add_str(&held->reply.body, "too late");
    http_wake(held);
    test_wait_for(&app.ended, 2);
    read_to_end(ask("/stream?pieces=30&size=10&hold=3", "1.0", ""), &got);
    ck_assert(got.reset);
    got_done(&got);
    http_wake(test_take_held(&app));
    test_wait_for(&app.ended, 3);
    test_stop(&app);
}
END_TEST

START_TEST(clients_that_leave)
{
    const int before = count_fds();
    test_start(&app, test_config());
    for (int i = 0; i < 30; i++) {
        const int fd = ask(i % 3 == 0 ? "/stream?pieces=1000000&size=65536&ms=1"
                                      : "/stream?pieces=1000000&size=65536",
                           i % 4 == 0 ? "1.0" : "1.1", "");
        if (i % 2 == 0) {
            const struct linger linger = {.l_onoff = 1};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        }
        char some[4096];
        ck_assert_int_gt(recv(fd, some, sizeof some, 0), 0);
        if (i % 5 == 0)
            sleep_ms(5);
        close(fd);
    }
    test_wait_for(&app.ended, 30);
    test_wait_connections(&app, 0);
    /* While a piece is being made, too. */
    const int fd = ask("/stream?pieces=1000&size=10&hold=1", "1.1", "");
    struct http_exchange *held = test_take_held(&app);
    close(fd);
    sleep_ms(5);
    held->reply.stream = HTTP_LAST;
    http_wake(held);
    test_wait_for(&app.ended, 31);
    test_stop(&app);
    ck_assert_int_eq(count_fds(), before);
}
END_TEST

/* Nothing is made that nobody takes; who takes nothing is cut. */
START_TEST(a_client_that_stalls)
{
    struct http_config config = test_config();
    config.rate_grace_ms = 2000;
    config.body_rate_min = 1 << 20;
    test_start(&app, config);
    const int fd = ask("/stream?pieces=100000&size=65536", "1.1", "");
    unsigned made;
    do {
        made = atomic_load(&app.pieces);
        sleep_ms(300);
    } while (atomic_load(&app.pieces) != made);
    ck_assert_uint_gt(made, 1);
    ck_assert_uint_lt(made, 1000); /* what the two sockets hold */
    ck_assert_uint_eq(atomic_load(&app.ended), 0);
    test_wait_for(&app.ended, 1);
    check_log("error=request_timeout");
    struct got got;
    read_to_end(fd, &got);
    take_chunks(&got, body_of(&got));
    ck_assert(!got.last);
    check_body(got.body, got.body_len);
    got_done(&got);
    /* Pauses that the application makes are not the client's. */
    config.rate_grace_ms = 100;
    test_stop(&app);
    app.dir[0] = '\0';
    test_start(&app, config);
    got = get_chunked("/stream?pieces=6&size=100&ms=150");
    ck_assert(got.last);
    got_done(&got);
    test_stop(&app);
}
END_TEST

START_TEST(an_old_client_that_stalls)
{
    struct http_config config = test_config();
    config.rate_grace_ms = 300;
    config.body_rate_min = 1 << 20;
    test_start(&app, config);
    const int fd = ask("/stream?pieces=100000&size=65536", "1.0", "");
    test_wait_for(&app.ended, 1);
    struct got got;
    read_to_end(fd, &got);
    ck_assert(got.reset);
    got_done(&got);
    test_stop(&app);
}
END_TEST

static void *read_in_thread(void *argument)
{
    int *fd = argument;
    struct got *got = malloc(sizeof *got);
    read_to_end(*fd, got);
    return got;
}

START_TEST(a_stop_waits_for_the_end)
{
    test_start(&app, test_config());
    int fd = ask("/stream?pieces=20&size=30000&ms=20", "1.1", "");
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, read_in_thread, &fd), 0);
    while (atomic_load(&app.pieces) < 3)
        sleep_ms(1);
    test_stop_within(&app, 10000);
    void *result;
    pthread_join(thread, &result);
    struct got *got = result;
    take_chunks(got, body_of(got));
    ck_assert(got->last);
    ck_assert_uint_eq(got->body_len, 600000);
    check_body(got->body, got->body_len);
    got_done(got);
    free(got);
}
END_TEST

START_TEST(a_stop_cuts_what_does_not_end)
{
    test_start(&app, test_config());
    int fds[4] = {ask("/stream?pieces=1000000&size=100&ms=2", "1.1", ""),
                  ask("/stream?pieces=1000000&size=100&ms=2", "1.0", ""),
                  ask("/stream?pieces=1000000&size=65536", "1.1", ""), /* is not read */
                  ask("/stream?pieces=1000000&size=10&hold=2", "1.1", "")};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_in_thread, &fds[i]), 0);
    struct http_exchange *held = test_take_held(&app);
    while (atomic_load(&app.pieces) < 50)
        sleep_ms(1);
    const int64_t start = clock_monotonic_us();
    http_stop(app.server, 200);
    ck_assert_int_lt(clock_monotonic_us() - start, 2000000);
    held->reply.stream = HTTP_LAST;
    http_wake(held);
    void *result;
    pthread_join(threads[0], &result);
    struct got *got = result;
    take_chunks(got, body_of(got));
    ck_assert(!got->last);
    check_body(got->body, got->body_len);
    got_done(got);
    free(got);
    pthread_join(threads[1], &result);
    got = result;
    ck_assert(got->reset);
    got_done(got);
    free(got);
    close(fds[2]);
    close(fds[3]);
    test_wait_for(&app.ended, 4);
    rmdir(app.dir);
}
END_TEST

/* Two hundred streams on one worker: each goes on, and small requests do not wait for them. */
START_TEST(many_at_once)
{
    enum { STREAMS = 200, LEN = 16 * 20000 };
    struct pollfd fds[STREAMS];
    static size_t taken[STREAMS];
    test_start(&app, test_config());
    for (int i = 0; i < STREAMS; i++) {
        fds[i] = (struct pollfd){
            ask("/stream?pieces=16&size=20000", "1.1", "Connection: close\r\n"), POLLIN, 0};
    }
    int64_t worst_us = 0;
    int small = 0;
    int left = STREAMS;
    const int fd = client_connect(&app);
    while (left > 0) {
        const int64_t start = clock_monotonic_us();
        ck_assert(client_text(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
        struct answer a = client_read(fd, false);
        ck_assert_uint_eq(a.status, 200);
        answer_done(&a);
        small++;
        if (clock_monotonic_us() - start > worst_us)
            worst_us = clock_monotonic_us() - start;
        ck_assert_int_ge(poll(fds, STREAMS, 0), 0);
        for (int i = 0; i < STREAMS; i++) {
            char piece[8192];
            if (fds[i].fd < 0 || fds[i].revents == 0)
                continue;
            const ssize_t got = recv(fds[i].fd, piece, sizeof piece, 0);
            ck_assert_int_ge(got, 0);
            taken[i] += (size_t)got;
            if (got > 0)
                continue;
            close(fds[i].fd);
            fds[i].fd = -1;
            left--;
        }
    }
    close(fd);
    for (int i = 0; i < STREAMS; i++)
        ck_assert_uint_gt(taken[i], LEN);
    printf("%d streams, %d small requests meanwhile, longest wait %lld ms\n", STREAMS, small,
           (long long)worst_us / 1000);
    ck_assert_int_gt(small, 5);
    ck_assert_int_lt(worst_us, 2000000);
    test_wait_for(&app.ended, STREAMS + (unsigned)small);
    test_stop(&app);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("http stream");
    TCase *tests = tcase_create("stream");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, all_of_it_in_chunks, 0, sizeof sizes / sizeof sizes[0]);
    tcase_add_test(tests, the_connection_goes_on);
    tcase_add_test(tests, an_old_client_reads_to_the_end);
    tcase_add_test(tests, an_old_client_sees_a_failure);
    tcase_add_test(tests, a_head_makes_no_pieces);
    tcase_add_test(tests, a_failure_is_seen);
    tcase_add_test(tests, each_piece_has_a_deadline);
    tcase_add_test(tests, clients_that_leave);
    tcase_add_test(tests, a_client_that_stalls);
    tcase_add_test(tests, an_old_client_that_stalls);
    tcase_add_test(tests, a_stop_waits_for_the_end);
    tcase_add_test(tests, a_stop_cuts_what_does_not_end);
    tcase_add_test(tests, many_at_once);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
