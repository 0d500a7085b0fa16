/* Requests that a server must not understand in two ways: refused before anything is routed, and
 * the connection closed, so that nothing smuggled behind them is ever run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "app.h"

static struct test_app app;

struct attack {
    const char *name;
    const char *request;
    unsigned status;
    const char *code;
};

#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct attack attacks[] = {
    {"both lengths",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n" SMUGGLED,
     400, "framing_invalid"},
    {"both, the other way round",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n"
     "0\r\n\r\n" SMUGGLED,
     400, "framing_invalid"},
    {"differing lengths",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 35\r\n\r\n" SMUGGLED,
     400, "framing_invalid"},
    {"equal lengths twice",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx" SMUGGLED,
     400, "framing_invalid"},
    {"length with a blank before the colon",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 35\r\n\r\n" SMUGGLED, 400,
     "header_invalid"},
    {"length with a tab before the colon",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length\t: 35\r\n\r\n" SMUGGLED, 400,
     "header_invalid"},
    {"folded length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 35\r\n\r\n" SMUGGLED,
     400, "framing_invalid"},
    {"folded transfer-encoding",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: "
     "0\r\n\r\n" SMUGGLED,
     400, "framing_invalid"},
    {"folded other header hiding a length",
     "POST /echo HTTP/1.1\r\nHost: a\r\nX-A: b\r\n Content-Length: 3\r\n\r\n" SMUGGLED, 400,
     "framing_invalid"},
    {"folded harmless header", "GET /hello HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n" SMUGGLED,
     400, "framing_invalid"},
    {"bare line feed behind the request line", "GET /hello HTTP/1.1\nHost: a\r\n\r\n" SMUGGLED, 400,
     "framing_invalid"},
    {"bare line feed behind a header", "GET /hello HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n" SMUGGLED,
     400, "framing_invalid"},
    {"chunked with a blank behind it",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked \r\n\r\n0\r\n\r\n" SMUGGLED, 400,
     "framing_invalid"},
    {"length with a blank behind it",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0 \r\n\r\n" SMUGGLED, 400, NULL},
    {"two keys",
     "GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nauthorization: b\r\n\r\n" SMUGGLED, 400,
     "header_invalid"},
    {"transfer-encoding gzip, chunked",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     400, "framing_invalid"},
    {"transfer-encoding identity",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n" SMUGGLED, 400,
     "framing_invalid"},
    {"transfer-encoding xchunked",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n" SMUGGLED, 400,
     "framing_invalid"},
    {"transfer-encoding twice",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "identity\r\n\r\n0\r\n\r\n" SMUGGLED,
     400, "framing_invalid"},
    {"chunked in HTTP/1.0",
     "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     "framing_invalid"},
    {"no length", "POST /echo HTTP/1.1\r\nHost: a\r\n\r\n" SMUGGLED, 411, "length_required"},
    {"no length, PUT", "PUT /echo HTTP/1.1\r\nHost: a\r\n\r\n" SMUGGLED, 411, "length_required"},
    {"no length, PATCH", "PATCH /echo HTTP/1.1\r\nHost: a\r\n\r\n" SMUGGLED, 411,
     "length_required"},
    {"no host", "GET /hello HTTP/1.1\r\nX: y\r\n\r\n" SMUGGLED, 400, "header_invalid"},
    {"two hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" SMUGGLED, 400,
     "header_invalid"},
    {"bad host", "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n" SMUGGLED, 400, "header_invalid"},
    {"control character in a value",
     "GET /hello HTTP/1.1\r\nHost: a\r\nX-A: b\x01\r\n\r\n" SMUGGLED, 400, "header_invalid"},
    {"carriage return in a value",
     "GET /hello HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n" SMUGGLED, 400, "header_invalid"},
    {"name with a slash", "GET /hello HTTP/1.1\r\nHost: a\r\nX/A: b\r\n\r\n" SMUGGLED, 400,
     "header_invalid"},
    {"absolute form", "GET http://evil/hello HTTP/1.1\r\nHost: a\r\n\r\n" SMUGGLED, 400,
     "target_invalid"},
    {"authority form", "CONNECT evil:80 HTTP/1.1\r\nHost: a\r\n\r\n" SMUGGLED, 400,
     "target_invalid"},
    {"blank in the target", "GET /hello world HTTP/1.1\r\nHost: a\r\n\r\n" SMUGGLED, 400,
     "target_invalid"},
    {"two blanks before the target", "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n" SMUGGLED, 400,
     "framing_invalid"},
    {"two blanks behind the target", "GET /hello  HTTP/1.1\r\nHost: a\r\n\r\n" SMUGGLED, 400, NULL},
    /* These libmicrohttpd refuses by itself, in HTML. */
    {"negative length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n" SMUGGLED,
     400, NULL},
    {"length with a plus", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n" SMUGGLED,
     400, NULL},
    {"length list", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n" SMUGGLED, 400,
     NULL},
    {"hexadecimal length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n" SMUGGLED,
     400, NULL},
    {"length beyond 64 bits",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n" SMUGGLED, 413,
     NULL},
    {"chunk size that is none",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" SMUGGLED, 400,
     NULL},
    {"chunk size beyond 64 bits",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
     "chunked\r\n\r\nfffffffffffffffff\r\n" SMUGGLED,
     413, NULL},
    {"header without a colon", "GET /hello HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n" SMUGGLED, 400,
     NULL},
    {"HTTP/2.0", "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n" SMUGGLED, 505, NULL},
};

static void check_refused(const struct attack *attack, const void *request, size_t len)
{
    bool closed;
    struct answer a = client_once(&app, request, len, &closed);
    ck_assert_msg(a.status == attack->status, "%s: %u instead of %u", attack->name, a.status,
                  attack->status);
    ck_assert_msg(closed, "%s: the connection stays open", attack->name);
    if (attack->code != NULL) {
        char code[80];
        snprintf(code, sizeof code, "\"code\":\"%s\"", attack->code);
        ck_assert_msg(strstr(a.body, code) != NULL, "%s: %s", attack->name, a.body);
        ck_assert_str_eq(answer_header(&a, "Content-Type"), "application/problem+json");
        ck_assert_str_eq(answer_header(&a, "Connection"), "close");
        ck_assert_ptr_nonnull(answer_header(&a, "X-Request-Id"));
    }
    answer_done(&a);
}

START_TEST(refused)
{
    test_start(&app, test_config());
    const struct attack *attack = &attacks[_i];
    check_refused(attack, attack->request, strlen(attack->request));
    /* Whether a length is needed is known once the operation is. */
    const bool begun = attack->status == 411 || (attack->status >= 400 && attack->code == NULL &&
                                                 strstr(attack->request, "chunked") != NULL);
    ck_assert_uint_eq(atomic_load(&app.begun), begun ? 1 : 0);
    ck_assert_ptr_null(strstr(test_log(), "smuggled"));
    /* One request, and nothing behind it; HTTP/2 is refused before there is one. */
    test_wait_for(&app.finished, attack->status == 505 ? 0 : 1);
    test_stop(&app);
}
END_TEST

static const struct {
    const char *name;
    const char request[80];
    size_t len;
} nuls[] = {
#define WITH_NUL(name, text)                                                                       \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }
    WITH_NUL("in the target", "GET /hello\0x HTTP/1.1\r\nHost: a\r\n\r\n"),
    WITH_NUL("in the method", "GET\0x /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
    WITH_NUL("in the version", "GET /hello HTTP/1.1\0\r\nHost: a\r\n\r\n"),
    WITH_NUL("in a value", "GET /hello HTTP/1.1\r\nX-A: b\0c\r\nHost: a\r\n\r\n"),
    WITH_NUL("in a name", "GET /hello HTTP/1.1\r\nX-A\0: b\r\nHost: a\r\n\r\n"),
    WITH_NUL("in the query", "GET /hello?a=\0b HTTP/1.1\r\nHost: a\r\n\r\n"),
};

START_TEST(nul_bytes)
{
    test_start(&app, test_config());
    struct answer a = client_once(&app, nuls[_i].request, nuls[_i].len, NULL);
    ck_assert_msg(a.status == 400, "%s: %u", nuls[_i].name, a.status);
    answer_done(&a);
    ck_assert_uint_eq(atomic_load(&app.begun), 0);
    test_stop(&app);
}
END_TEST

/* Sends a request with `count` headers of `size` bytes, or a target of `target` bytes. */
static struct answer send_large(size_t target, unsigned count, size_t size)
{
    char *request = calloc(1, target + count * (size + 32) + 256);
    char *at = request + sprintf(request, "GET /");
    memset(at, 'x', target);
    at += target;
    at += sprintf(at, " HTTP/1.1\r\nHost: a\r\n");
    for (unsigned i = 0; i < count; i++) {
        at += sprintf(at, "X-%u: ", i);
        memset(at, 'y', size);
        at += size;
        at += sprintf(at, "\r\n");
    }
    at += sprintf(at, "\r\n");
    struct answer a = client_once(&app, request, (size_t)(at - request), NULL);
    free(request);
    return a;
}

static void check_large(size_t target, unsigned count, size_t size, unsigned status)
{
    struct answer a = send_large(target, count, size);
    ck_assert_msg(a.status == status, "%zu %u %zu: %u instead of %u", target, count, size, a.status,
                  status);
    answer_done(&a);
}

START_TEST(too_long)
{
    test_start(&app, test_config());
    check_large(4000, 0, 0, 200);
    check_large(4090, 60, 125, 200); /* everything near its limit: the reply still fits */
    check_large(4096, 0, 0, 414);
    check_large(15000, 0, 0, 414);
    check_large(60000, 0, 0, 414);
    check_large(1, 63, 10, 200);
    check_large(1, 64, 10, 431);
    check_large(1, 300, 10, 431);
    check_large(1, 1, 8000, 200);
    check_large(1, 1, 8192, 431);
    check_large(1, 1, 60000, 431);
    test_stop(&app);
}
END_TEST

START_TEST(accepted)
{
    test_start(&app, test_config());
    static const char *const good[] = {
        "GET /hello HTTP/1.0\r\n\r\n",
        "GET /hello HTTP/1.1\r\nhOST: a:80\r\nAccept: */*\r\nX-A: \xe4\xb8\xad\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /hello?a=b&c=d HTTP/1.1\r\nHost:a\r\nCookie: a=b; c=\"d\"\r\nX-A: \t b "
        "\t\r\nX-B:\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
        "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
        "chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer-A: "
        "b\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct answer a = client_once(&app, good[i], strlen(good[i]), NULL);
        ck_assert_msg(a.status == 200, "%s: %u", good[i], a.status);
        answer_done(&a);
    }
    test_stop(&app);
}
END_TEST

/* A head that arrives in pieces of every size, first on a connection and behind another request, is
 * read as one that arrives at once. */
START_TEST(pieces)
{
    char request[9000] = "GET /path/%41?x=%42 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n";
    for (int i = 0; i < 50; i++) {
        const size_t used = strlen(request);
        snprintf(request + used, sizeof request - used, "X-Header-%d: %0130d\r\n", i, i);
    }
    strcat(request, "\r\n");
    const size_t len = strlen(request);
    test_start(&app, test_config());
    const int fd = client_connect(&app);
    for (size_t size = 7; size < 6000; size = size * 3 + 1) {
        for (size_t at = 0; at < len; at += size) {
            client_send(fd, request + at, at + size < len ? size : len - at);
            if (at % 20 == 0)
                sleep_ms(1);
        }
        struct answer a = client_read(fd, false);
        ck_assert_uint_eq(a.status, 200);
        ck_assert_str_eq(a.body, "GET|path|A&x=B");
        answer_done(&a);
    }
    close(fd);
    test_stop(&app);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("http framing");
    TCase *tests = tcase_create("framing");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, refused, 0, sizeof attacks / sizeof attacks[0]);
    tcase_add_loop_test(tests, nul_bytes, 0, sizeof nuls / sizeof nuls[0]);
    tcase_add_test(tests, too_long);
    tcase_add_test(tests, accepted);
    tcase_add_test(tests, pieces);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
