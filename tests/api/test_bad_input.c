/* Bad input: always a clear refusal (or a closed connection where HTTP demands it), nothing
 * half-written, and the server goes on. */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static char *key;

static void setup(void)
{
    world_setup();
    key = strdup(make_partner_key("input", "\"provider\",\"channel\""));
    make_course(key, "input", "c", 1, "CNY");
    client_free_all();
}

static void teardown(void)
{
    free(key);
    world_teardown();
    client_free_all();
}

/* After each test: alive, and no fact was written. */
static void still_fine(void)
{
    expect_status(get(NULL, "/healthz"), 200);
    expect_count(get(key, "/v1/events"), "/items", 0);
    test_teardown();
}

static void expect_refusal(const struct response *is)
{
    ck_assert_msg(is->status >= 400 && is->status < 500, "%s %s: %ld %.300s", is->method, is->path,
                  is->status, is->body);
    const char *type = header(is, "content-type");
    ck_assert_msg(type != NULL && strcmp(type, "application/problem+json") == 0, "%s", type);
    ck_assert(json_is_string(at(is, "/code")) && json_is_string(at(is, "/request_id")));
}

#define EVENT                                                                                      \
    "{\"event_id\":\"e\",\"type\":\"completion\",\"occurred_at\":\"2025-01-01T00:00:00Z\","        \
    "\"provider\":\"input\",\"course_id\":\"c\"}"

static const char *const not_json[] = {
    "nonsense",
    "{",
    "[",
    "[" EVENT,
    "[" EVENT ",",
    "[" EVENT "}",
    "[" EVENT "]]",
    "[" EVENT " " EVENT "]",
    "[" EVENT ",]",
    "[,]",
    "[\"\x80\"]",
    "[" EVENT "] trailing",
    "{\"events\":[]}",
    "\"text\"",
    "null",
    "7",
    "[{\"event_id\":\"unclosed",
    "[{'event_id':1}]",
    "[NaN]",
    "[1e999999]",
    "[01]",
    "\xff\xfe[\0]\0",
};

START_TEST(what_is_no_array_is_refused_whole)
{
    static const char *const paths[] = {"/v1/events", "/v1/feedback", "/v1/orders"};
    for (int i = 0; i < 3; i++) {
        struct response *is = post(key, paths[i], not_json[_i]);
        /* An array whose elements split is a batch of bad items. */
        if (is->status == 200) {
            expect_int(is, "/accepted", 0);
            ck_assert_int_gt(int_at(is, "/rejected"), 0);
        } else {
            expect_refusal(is);
        }
    }
}
END_TEST

START_TEST(objects_that_are_not_json_are_refused)
{
    static const char *const paths[] = {"/v1/partners", "/v1/partners/input/keys", "/v1/agreements",
                                        "/v1/catalogs?provider=input"};
    static const char *const bodies[] = {"{",
                                         "{\"id\":",
                                         "{\"id\":\"a\",\"id\":\"b\"}",
                                         "[]",
                                         "7",
                                         "{\"id\":\"\\ud800\"}",
                                         "{\"a\":1}x",
                                         "{\"\xff\":1}",
                                         "{\"id\":\"a\\u0000b\"}"};
    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++)
        for (size_t b = 0; b < sizeof bodies / sizeof bodies[0]; b++) {
            struct response *is = post(operator_key, paths[p], bodies[b]);
            if (is->status == 200) /* a catalog reports bad rows one by one */
                expect_int(is, "/counts/created", 0);
            else
                expect_refusal(is);
        }
}
END_TEST

/* One bad item with a good array around it. */
static const struct {
    const char *before; /* then `fill` times `with` */
    const char *with;
    size_t fill;
    const char *after;
} large[] = {
    {"[{\"event_id\":\"", "x", 1 << 20, "\",\"type\":\"completion\"}]"},
    {"[{\"event_id\":\"e\",\"type\":\"", "x", 1 << 20, "\"}]"},
    {"[{\"", "k", 1 << 20, "\":1}]"},
    {"[", "[", 3000, ""},
    {"[", "{\"a\":", 3000, ""},
    {"[{\"event_id\":", "[", 3000, "]}]"},
    {"[{\"event_id\":\"e\",\"type\":\"survey\",\"answers\":{", "\"a\":1,", 10000, "\"b\":2}}]"},
    {"[{\"event_id\":\"e\",\"type\":\"rating\",\"value\":", "9", 100000, "}]"},
    {"[", " ", 1 << 20, "]"},
    {"[{\"event_id\":\"e\",\"type\":\"review\",\"occurred_at\":\"2025-01-01T00:00:00Z\","
     "\"provider\":"
     "\"input\",\"course_id\":\"c\",\"text\":\"",
     "长", 1 << 19, "\"}]"},
};

START_TEST(large_and_deep_items_are_refused)
{
    const size_t unit = strlen(large[_i].with);
    char *body = malloc(large[_i].fill * unit + 1024);
    ck_assert_ptr_nonnull(body);
    char *end = stpcpy(body, large[_i].before);
    for (size_t i = 0; i < large[_i].fill; i++) {
        memcpy(end, large[_i].with, unit);
        end += unit;
    }
    strcpy(end, large[_i].after);
    struct response *is = post(key, "/v1/events", body);
    free(body);
    if (is->status == 200) {
        expect_int(is, "/accepted", 0);
        expect_int(is, "/rejected", 1);
    } else {
        expect_refusal(is);
    }
}
END_TEST

START_TEST(batches_have_a_size)
{
    struct response *is = post(key, "/v1/events", "[]");
    expect_refusal(is);
    is = client_send(&(struct request){.method = "POST",
                                       .path = "/v1/events",
                                       .key = key,
                                       .body = "\n\n",
                                       .type = "application/x-ndjson"});
    expect_refusal(is);
    char *body = NULL;
    size_t len = 0;
    for (int nd = 0; nd < 2; nd++) {
        FILE *out = open_memstream(&body, &len);
        fputs(nd ? "" : "[", out);
        for (int i = 0; i <= 10000; i++)
            fprintf(out,
                    "%s{\"event_id\":\"e%d\",\"type\":\"completion\",\"occurred_at\":"
                    "\"2025-01-01T00:00:00Z\",\"provider\":\"input\",\"course_id\":\"c\"}",
                    i == 0 ? ""
                    : nd   ? "\n"
                           : ",",
                    i);
        fputs(nd ? "" : "]", out);
        fclose(out);
        is = client_send(&(struct request){.method = "POST",
                                           .path = "/v1/events",
                                           .key = key,
                                           .body = body,
                                           .type = nd ? "application/x-ndjson" : NULL});
        free(body);
        expect_problem(is, 413, "batch_too_large");
    }
}
END_TEST

START_TEST(content_types_are_checked)
{
    static const char *const types[] = {"text/plain",
                                        "application/xml",
                                        "multipart/form-data",
                                        "application/json; charset=latin1",
                                        "json",
                                        ""};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct response *is = client_send(&(struct request){.method = "POST",
                                                            .path = "/v1/events",
                                                            .key = key,
                                                            .body = "[" EVENT "]",
                                                            .type = types[i]});
        ck_assert_msg(is->status == 415 || is->status == 400, "%s: %ld", types[i], is->status);
    }
    struct response *is = client_send(&(struct request){
        .method = "GET", .path = "/v1/me", .key = key, .headers = {"Accept: image/png"}});
    expect_problem(is, 406, "not_acceptable");
}
END_TEST

/* A request line and headers of one's own; %s is the Authorization header. */
static const struct {
    const char *bytes;
    long status; /* 0: closed, or any 4xx */
} framing[] = {
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n\r\n", 411},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
     "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
     "Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]]",
     400},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
     "Content-Length: +2\r\n\r\n[]",
     400},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
     "Content-Length: -2\r\n\r\n[]",
     400},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
     "Transfer-Encoding: gzip\r\n\r\n[]",
     0},
    {"POST /v1/events HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
     "Transfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n",
     0},
    /* No length is no body: what takes none goes on. */
    {"POST /v1/catalogs/none/approve HTTP/1.1\r\nHost: x\r\n%s\r\n", 404},
    {"GET /v1/partners/%%00 HTTP/1.1\r\nHost: x\r\n%s\r\n", 400},
    {"GET /v1/courses/input/a%%2Fb HTTP/1.1\r\nHost: x\r\n%s\r\n", 400},
    {"GET /v1/courses/input/%%ff HTTP/1.1\r\nHost: x\r\n%s\r\n", 400},
    {"GET /v1/courses/input/%%c HTTP/1.1\r\nHost: x\r\n%s\r\n", 400},
    {"GET /v1/courses?q=%%00 HTTP/1.1\r\nHost: x\r\n%s\r\n", 400},
    {"GET /v1/../v1/me HTTP/1.1\r\nHost: x\r\n%s\r\n", 0},
    {"GET /v1/me HTTP/1.1\r\n%s\r\n", 400},
    {"GET /v1/me\r\nHost: x\r\n%s\r\n", 0},
    {"\r\n\r\n\r\n%s", 0},
    {"GARBAGE%s\r\n\r\n", 0},
    {"\x16\x03\x01\x02%s", 0},
};

START_TEST(framing_is_strict)
{
    const char *authorization = text("Authorization: Bearer %s\r\n", key);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    char *bytes = NULL;
    const int len = asprintf(&bytes, framing[_i].bytes, authorization);
#pragma GCC diagnostic pop
    ck_assert_int_gt(len, 0);
    const char *answer = raw(bytes, (size_t)len);
    free(bytes);
    const long status = raw_status(answer);
    if (framing[_i].status != 0)
        ck_assert_msg(status == framing[_i].status, "case %d: want %ld: %.200s", _i,
                      framing[_i].status, answer);
    else
        ck_assert_msg(status == 0 || (status >= 400 && status < 500) || status == 501,
                      "case %d: %.200s", _i, answer);
}
END_TEST

START_TEST(a_body_beyond_the_limit_is_not_read)
{
    /* The length alone is enough: the answer comes before a byte of the body. */
    static const struct {
        const char *path;
        long long length;
    } limits[] = {{"/v1/catalogs", (64LL << 20) + 1},
                  {"/v1/events", (16LL << 20) + 1},
                  {"/v1/partners", 9LL << 20},
                  {"/v1/events", 99999999999999999LL}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const char *head = text("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                                "Content-Type: application/json\r\nContent-Length: %lld\r\n\r\n",
                                limits[i].path, operator_key, limits[i].length);
        const char *answer = raw(head, strlen(head));
        ck_assert_msg(raw_status(answer) == 413, "%s: %.200s", limits[i].path, answer);
    }
}
END_TEST

START_TEST(a_decoded_body_beyond_the_limit_is_refused)
{
    /* 70 MiB of blanks in a small gzip body. */
    enum { OUT = 1 << 20 };
    unsigned char *packed = malloc(OUT);
    unsigned char *blanks = malloc(1 << 20);
    ck_assert(packed != NULL && blanks != NULL);
    memset(blanks, ' ', 1 << 20);
    z_stream stream = {.next_out = packed, .avail_out = OUT};
    ck_assert(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    for (int i = 0; i < 70; i++) {
        stream.next_in = blanks;
        stream.avail_in = 1 << 20;
        ck_assert(deflate(&stream, Z_NO_FLUSH) == Z_OK);
    }
    ck_assert(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    static const char *const paths[] = {"/v1/catalogs", "/v1/events"};
    for (int i = 0; i < 2; i++) {
        struct response *is = client_send(&(struct request){.method = "POST",
                                                            .path = paths[i],
                                                            .key = key,
                                                            .body = (const char *)packed,
                                                            .body_len = stream.total_out,
                                                            .headers = {"Content-Encoding: gzip"}});
        ck_assert_msg(is->status == 413, "%s: %ld %s", paths[i], is->status, is->body);
    }
    deflateEnd(&stream);
    free(packed);
    free(blanks);
}
END_TEST

START_TEST(large_heads_are_refused)
{
    char *head = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&head, &len);
    fprintf(out, "GET /v1/me HTTP/1.1\r\nHost: x\r\nX-Long: ");
    for (int i = 0; i < 200000; i++)
        fputc('a', out);
    fprintf(out, "\r\n\r\n");
    fclose(out);
    const long status = raw_status(raw(head, len));
    ck_assert_msg(status == 0 || (status >= 400 && status < 500), "%ld", status);
    free(head);
    out = open_memstream(&head, &len);
    fprintf(out, "GET /v1/courses?q=");
    for (int i = 0; i < 200000; i++)
        fputc('a', out);
    fprintf(out, " HTTP/1.1\r\nHost: x\r\n\r\n");
    fclose(out);
    const long target = raw_status(raw(head, len));
    ck_assert_msg(target == 0 || (target >= 400 && target < 500), "%ld", target);
    free(head);
}
END_TEST

START_TEST(clients_that_leave_or_stall_leave_nothing)
{
    const char *body = "[" EVENT "]";
    const char *whole = text("POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                             key, strlen(body), body);
    const size_t len = strlen(whole);
    int stalled[64];
    /* Cut everywhere but at the very end: half leave at once, half stay and say nothing more. */
    for (int i = 0; i < 64; i++) {
        stalled[i] = raw_connect();
        raw_send(stalled[i], whole, (len - 1) * (size_t)(i + 1) / 64);
        if (i % 2 == 0) {
            close(stalled[i]);
            stalled[i] = -1;
        }
    }
    for (int i = 0; i < 20; i++)
        expect_status(get(key, "/v1/me"), 200);
    expect_count(get(key, "/v1/events"), "/items", 0);
    for (int i = 0; i < 64; i++)
        if (stalled[i] >= 0)
            close(stalled[i]);
    /* A chunked body that breaks off. */
    const char *chunked = text("POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                               "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked"
                               "\r\n\r\n%zx\r\n%s\r\n",
                               key, strlen(EVENT) + 1, EVENT "\n");
    const int fd = raw_connect();
    raw_send(fd, chunked, strlen(chunked));
    close(fd);
}
END_TEST

START_TEST(queries_are_checked)
{
    static const char *const paths[] = {
        "/v1/courses?limit=abc",
        "/v1/courses?limit=1e2",
        "/v1/courses?limit=9223372036854775808",
        "/v1/courses?limit=1&limit=2",
        "/v1/courses?cursor=AAAA",
        "/v1/courses?level=expert",
        "/v1/courses?sort=colour",
        "/v1/courses?price_min=-1&currency=CNY",
        "/v1/courses?rating_min=much",
        "/v1/courses?currency=ZZZZ",
        "/v1/courses?state=lost",
        "/v1/revenue?period=2025-1",
        "/v1/revenue?period=99999-01",
        "/v1/revenue?period=",
        "/v1/events?limit=-1",
        "/v1/agreements/resolve?provider=input&course_id=c&channel=input&at=yesterday",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct response *is = get(key, "%s", paths[i]);
        ck_assert_msg(is->status == 400, "%s: %ld %s", paths[i], is->status, is->body);
        expect_refusal(is);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("bad input");
    TCase *all = tcase_create("bad input");
    tcase_add_unchecked_fixture(all, setup, teardown);
    tcase_add_checked_fixture(all, NULL, still_fine);
    tcase_add_loop_test(all, what_is_no_array_is_refused_whole, 0,
                        sizeof not_json / sizeof not_json[0]);
    tcase_add_test(all, objects_that_are_not_json_are_refused);
    tcase_add_loop_test(all, large_and_deep_items_are_refused, 0, sizeof large / sizeof large[0]);
    tcase_add_test(all, batches_have_a_size);
    tcase_add_test(all, content_types_are_checked);
    tcase_add_loop_test(all, framing_is_strict, 0, sizeof framing / sizeof framing[0]);
    tcase_add_test(all, a_body_beyond_the_limit_is_not_read);
    tcase_add_test(all, a_decoded_body_beyond_the_limit_is_refused);
    tcase_add_test(all, large_heads_are_refused);
    tcase_add_test(all, clients_that_leave_or_stall_leave_nothing);
    tcase_add_test(all, queries_are_checked);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "bad-input")
