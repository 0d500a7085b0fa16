/* Replies, keep-alive, targets, addresses. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "../unit/unit.h"
#include "app.h"

static struct test_app app;

static void check_get(const char *target, unsigned status, const char *body)
{
    struct answer a = client_get(&app, target, "");
    ck_assert_msg(a.status == status, "%s: %u instead of %u", target, a.status, status);
    if (body != NULL)
        ck_assert_str_eq(a.body, body);
    answer_done(&a);
}

START_TEST(answers)
{
    const int before = count_fds();
    test_start(&app, test_config());
    struct answer a = client_get(&app, "/hello", "X-Request-Id: abc.DEF_1-2\r\n");
    ck_assert_uint_eq(a.status, 200);
    ck_assert_str_eq(a.body, "hello");
    ck_assert_str_eq(answer_header(&a, "X-Request-Id"), "abc.DEF_1-2");
    ck_assert_ptr_nonnull(answer_header(&a, "Date"));
    ck_assert_str_eq(answer_header(&a, "Content-Type"), "text/plain");
    answer_done(&a);
    a = client_get(&app, "/hello", "X-Request-Id: not acceptable\r\n");
    ck_assert_uint_ge(strlen(answer_header(&a, "X-Request-Id")), 16);
    answer_done(&a);
    a = client_get(&app, "/unfilled", "");
    ck_assert_uint_eq(a.status, 500);
    ck_assert_str_eq(answer_header(&a, "Content-Type"), "application/problem+json");
    answer_done(&a);
    a = client_get(&app, "/empty", "");
    ck_assert_uint_eq(a.status, 204);
    ck_assert_ptr_null(answer_header(&a, "Content-Length"));
    answer_done(&a);
    ck_assert_ptr_nonnull(strstr(test_log(), "request_id=abc.DEF_1-2 partner=tester route=test "
                                             "method=GET status=200"));
    test_stop(&app);
    ck_assert_int_eq(count_fds(), before);
}
END_TEST

START_TEST(targets)
{
    test_start(&app, test_config());
    check_get("/", 200, "hello");
    check_get("/path/a%20b/%E4%B8%AD", 200, "GET|path|a b|\xe4\xb8\xad");
    check_get("/path?a=1&b=x+y%2Fz&&c", 200, "GET|path&a=1&b=x y/z&c=");
    check_get("/path/a%2Fb", 400, NULL);
    check_get("/path/a%00b", 400, NULL);
    check_get("/path?a=%00", 400, NULL);
    check_get("/path/%zz", 400, NULL);
    check_get("/path/%4", 400, NULL);
    check_get("/path/%ff", 400, NULL);
    check_get("/path/../x", 400, NULL);
    check_get("/path/%2e%2E/x", 400, NULL);
    check_get("/path/./x", 400, NULL);
    check_get("/path//x", 400, NULL);
    check_get("/path/", 400, NULL);
    check_get("/path#x", 400, NULL);
    check_get("http://a/path", 400, NULL);
    check_get("path", 400, NULL);
    check_get("*", 400, NULL);
    check_get("/1/2/3/4/5/6/7/8/9/10/11/12", 200, NULL);
    check_get("/1/2/3/4/5/6/7/8/9/10/11/12/13", 400, NULL);
    static const char options[] = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
    struct answer a = client_once(&app, options, strlen(options), NULL);
    ck_assert_uint_eq(a.status, 200);
    ck_assert_str_eq(a.body, "OPTIONS");
    answer_done(&a);
    static const char brew[] = "BREW /path HTTP/1.1\r\nHost: a\r\n\r\n";
    a = client_once(&app, brew, strlen(brew), NULL);
    ck_assert_str_eq(a.body, "BREW|path");
    answer_done(&a);
    test_stop(&app);
}
END_TEST

START_TEST(keep_alive_and_pipelining)
{
    test_start(&app, test_config());
    const int fd = client_connect(&app);
    for (int i = 0; i < 3; i++) {
        client_text(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        struct answer a = client_read(fd, false);
        ck_assert_str_eq(a.body, "hello");
        answer_done(&a);
    }
    /* A refusal at the headers keeps the connection when no body follows. */
    client_text(fd, "GET /refuse HTTP/1.1\r\nHost: a\r\n\r\n");
    struct answer a = client_read(fd, false);
    ck_assert_uint_eq(a.status, 401);
    ck_assert_ptr_null(answer_header(&a, "Connection"));
    answer_done(&a);
    client_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                    "GET /pend?ms=20 HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"
                    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "2\r\nde\r\n1;x=y\r\nf\r\n0\r\n\r\n"
                    "GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *expected[] = {"abc", "late:hello", "hello", "def", "bye"};
    for (size_t i = 0; i < 5; i++) {
        a = client_read(fd, false);
        ck_assert_uint_eq(a.status, 200);
        ck_assert_str_eq(a.body, expected[i]);
        answer_done(&a);
    }
    ck_assert(client_closed(fd, 2000));
    close(fd);
    test_stop(&app);
}
END_TEST

START_TEST(head_has_no_body)
{
    test_start(&app, test_config());
    const int fd = client_connect(&app);
    client_text(fd, "HEAD /big?n=100000 HTTP/1.1\r\nHost: a\r\n\r\n"
                    "HEAD /big?n=10 HTTP/1.1\r\nHost: a\r\n\r\n"
                    "HEAD /path HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    struct answer a = client_read(fd, true);
    ck_assert_uint_eq(a.status, 200);
    ck_assert_str_eq(answer_header(&a, "Content-Length"), "100000");
    answer_done(&a);
    a = client_read(fd, true);
    ck_assert_str_eq(answer_header(&a, "Content-Length"), "10");
    answer_done(&a);
    a = client_read(fd, true);
    ck_assert_str_eq(answer_header(&a, "Content-Length"), "8"); /* "GET|path" */
    answer_done(&a);
    a = client_read(fd, false);
    ck_assert_str_eq(a.body, "hello");
    answer_done(&a);
    close(fd);
    test_wait_for(&app.ended, 4);
    ck_assert_ptr_nonnull(strstr(test_log(), "method=HEAD"));
    test_stop(&app);
}
END_TEST

static size_t gunzip(const struct answer *a, char *out, size_t max)
{
    z_stream z = {0};
    ck_assert_int_eq(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (unsigned char *)a->body;
    z.avail_in = (unsigned)a->body_len;
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)max;
    ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
    inflateEnd(&z);
    return z.total_out;
}

START_TEST(gzip_and_etags)
{
    static char plain[2000000];
    test_start(&app, test_config());
    struct answer identity = client_get(&app, "/big?n=1500000", "");
    ck_assert_uint_eq(identity.body_len, 1500000);
    ck_assert_str_eq(answer_header(&identity, "ETag"), "\"v1\"");
    ck_assert_str_eq(answer_header(&identity, "Vary"), "Accept-Encoding");
    struct answer a = client_get(&app, "/big?n=1500000", "Accept-Encoding: br, gzip;q=0.5\r\n");
    ck_assert_str_eq(answer_header(&a, "Content-Encoding"), "gzip");
    ck_assert_str_eq(answer_header(&a, "ETag"), "\"v1-gz\"");
    ck_assert_uint_eq(gunzip(&a, plain, sizeof plain), 1500000);
    ck_assert_mem_eq(plain, identity.body, 1500000);
    answer_done(&a);
    answer_done(&identity);
    a = client_get(&app, "/big?n=1500", "Accept-Encoding: gzip;q=0\r\n");
    ck_assert_ptr_null(answer_header(&a, "Content-Encoding"));
    answer_done(&a);
    a = client_get(&app, "/big?n=1000", "Accept-Encoding: gzip\r\n");
    ck_assert_ptr_null(answer_header(&a, "Content-Encoding"));
    ck_assert_ptr_null(answer_header(&a, "Vary"));
    answer_done(&a);
    a = client_get(&app, "/big?n=5000", "If-None-Match: W/\"v0\", W/\"v1-gz\"\r\n");
    ck_assert_uint_eq(a.status, 304);
    ck_assert_str_eq(answer_header(&a, "ETag"), "\"v1-gz\"");
    answer_done(&a);
    a = client_get(&app, "/big?n=5000", "If-None-Match: \"v1\"\r\n");
    ck_assert_uint_eq(a.status, 304);
    ck_assert_str_eq(answer_header(&a, "ETag"), "\"v1\"");
    answer_done(&a);
    test_stop(&app);
}
END_TEST

START_TEST(addresses)
{
    struct http_config config = test_config();
    config.listen = "[::1]:0";
    test_start(&app, config);
    ck_assert_int_eq(strncmp(app.address, "[::1]:", 6), 0);
    check_get("/hello", 200, "hello");
    test_stop(&app);

    app = (struct test_app){0};
    test_start_unix(&app, test_config());
    struct stat status;
    ck_assert_int_eq(stat(app.address + 5, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0660);
    check_get("/hello", 200, "hello");

    /* A second server may not take a socket that is in use; a stale one it may. */
    const struct http_app none = {0};
    struct http_server *second;
    char address[128];
    config = test_config();
    config.listen = app.address;
    ck_assert_int_eq(http_start(&config, &none, &second, address), ACCORD_E_IO_ERROR);
    check_get("/hello", 200, "hello");
    test_stop(&app);
}
END_TEST

START_TEST(stale_socket)
{
    test_start_unix(&app, test_config());
    /* A socket file without a listener, as a killed process leaves it. */
    char path[256];
    snprintf(path, sizeof path, "%s", app.address + 5);
    char aside[280];
    snprintf(aside, sizeof aside, "%s-aside", path);
    ck_assert_int_eq(rename(path, aside), 0);
    http_stop(app.server, 1000);
    ck_assert_int_eq(rename(aside, path), 0);
    struct http_config config = test_config();
    char listen[280];
    snprintf(listen, sizeof listen, "unix:%s", path);
    config.listen = listen;
    test_start(&app, config);
    check_get("/hello", 200, "hello");
    test_stop(&app);
}
END_TEST

START_TEST(bad_addresses)
{
    const char *bad[] = {"",       "localhost", ":80",           "127.0.0.1:", "127.0.0.1:x",
                         "::1:80", "[::1:80",   "1.2.3.4:65536", "unix:",      "1.2.3:x:80"};
    const struct http_app none = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct http_config config = test_config();
        struct http_server *server;
        char address[128];
        config.listen = bad[i];
        ck_assert_msg(http_start(&config, &none, &server, address) == ACCORD_E_CONFIG_INVALID, "%s",
                      bad[i]);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("http basic");
    TCase *tests = tcase_create("basic");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, answers);
    tcase_add_test(tests, targets);
    tcase_add_test(tests, keep_alive_and_pipelining);
    tcase_add_test(tests, head_has_no_body);
    tcase_add_test(tests, gzip_and_etags);
    tcase_add_test(tests, addresses);
    tcase_add_test(tests, stale_socket);
    tcase_add_test(tests, bad_addresses);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
