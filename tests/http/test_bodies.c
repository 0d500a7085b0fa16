/* Bodies: limits on the wire and after decoding, codings, spilling, Expect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "../unit/unit.h"
#include "app.h"

static struct test_app app;

static struct answer post(const char *path, const char *headers, const void *body, size_t len)
{
    char head[512];
    const int head_len =
        snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n%s\r\n",
                 path, len, headers);
    const int fd = client_connect(&app);
    client_send(fd, head, (size_t)head_len);
    client_send(fd, body, len);
    const struct answer a = client_read(fd, false);
    close(fd);
    return a;
}

static void check_post(const char *path, const char *headers, const void *body, size_t len,
                       unsigned status, const char *expected)
{
    struct answer a = post(path, headers, body, len);
    ck_assert_msg(a.status == status, "%s %s: %u instead of %u: %s", path, headers, a.status,
                  status, a.body);
    if (expected != NULL)
        ck_assert_msg(strstr(a.body, expected) != NULL, "%s: %s", expected, a.body);
    answer_done(&a);
}

static size_t gzip(const void *data, size_t len, unsigned char *out, size_t max)
{
    z_stream z = {0};
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)data;
    z.avail_in = (unsigned)len;
    z.next_out = out;
    z.avail_out = (unsigned)max;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static char *plain;
static unsigned char *packed;
enum { PLAIN_MAX = 64 << 20, PACKED_MAX = 16 << 20 };

static void allocate(void)
{
    plain = calloc(1, PLAIN_MAX);
    packed = calloc(1, PACKED_MAX);
}

static void release(void)
{
    free(plain);
    free(packed);
}

START_TEST(limits)
{
    test_start(&app, test_config());
    check_post("/tiny", "", "0123456789abcdef", 16, 200, "hello");
    check_post("/tiny", "", "0123456789abcdefg", 17, 413, "body_too_large");
    check_post("/none", "", "", 0, 200, "hello");
    check_post("/none", "", "x", 1, 413, "body_too_large");
    check_post("/refuse", "", "xyz", 3, 401, NULL);
    allocate();
    check_post("/size", "", plain, 8 << 20, 200, "8388608 1 0");
    check_post("/size", "", plain, (8 << 20) + 1, 413, "body_too_large");
    release();
    test_stop(&app);
}
END_TEST

/* Sends chunks of `size` until `total` or the server closes; the answer is read at the end. */
static struct answer post_chunked(const char *path, const char *headers, size_t size, size_t total)
{
    char head[512];
    char *chunk = calloc(1, size + 32);
    const int head_len = snprintf(
        head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n%s\r\n",
        path, headers);
    const int fd = client_connect(&app);
    bool open = client_send(fd, head, (size_t)head_len);
    const int mark = sprintf(chunk, "%zx\r\n", size);
    memset(chunk + mark, 'a', size);
    memcpy(chunk + (size_t)mark + size, "\r\n", 2);
    for (size_t sent = 0; open && sent < total; sent += size)
        open = client_send(fd, chunk, (size_t)mark + size + 2);
    if (open)
        client_text(fd, "0\r\n\r\n");
    const struct answer a = client_read(fd, false);
    close(fd);
    free(chunk);
    return a;
}

START_TEST(chunked_limits)
{
    test_start(&app, test_config());
    struct answer a = post_chunked("/size", "", 100000, 1000000);
    ck_assert_str_eq(a.body, "1000000 0 97");
    answer_done(&a);
    a = post_chunked("/tiny", "", 8, 16);
    ck_assert_uint_eq(a.status, 200);
    answer_done(&a);
    for (int i = 0; i < 20; i++) {
        a = post_chunked("/tiny", "", 8, 24);
        ck_assert_uint_eq(a.status, 413);
        ck_assert_str_eq(answer_header(&a, "Connection"), "close");
        ck_assert_ptr_nonnull(answer_header(&a, "X-Request-Id"));
        ck_assert_ptr_nonnull(strstr(a.body, "body_too_large"));
        answer_done(&a);
    }
    a = post_chunked("/none", "", 8, 8);
    ck_assert_uint_eq(a.status, 413);
    answer_done(&a);
    ck_assert_uint_eq(atomic_load(&app.resumed), 0);
    test_stop(&app);
}
END_TEST

START_TEST(endless_chunks_are_cut)
{
    test_start(&app, test_config());
    const int fd = client_connect(&app);
    client_text(fd, "POST /tiny HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    int sent = 0;
    while (sent < 500 && client_text(fd, "8\r\nabcdefgh\r\n")) {
        sleep_ms(10);
        sent++;
    }
    ck_assert_int_lt(sent, 400);
    struct answer a = client_read(fd, false);
    answer_done(&a);
    close(fd);
    test_wait_connections(&app, 0);
    test_stop(&app);
}
END_TEST

START_TEST(codings)
{
    test_start(&app, test_config());
    allocate();
    memset(plain, 'x', 3000000);
    plain[2999999] = 'y';
    size_t len = gzip(plain, 3000000, packed, PACKED_MAX);
    check_post("/size", "Content-Encoding: gzip\r\n", packed, len, 200, "3000000 1 121");
    check_post("/size", "Content-Encoding: GZip\r\n", packed, len, 200, "3000000 1 121");
    check_post("/size", "Content-Encoding: identity\r\n", "abc", 3, 200, "3 1 99");
    /* Two members, one behind the other. */
    memcpy(packed + len, packed, len);
    check_post("/size", "Content-Encoding: gzip\r\n", packed, 2 * len, 200, "6000000 1 121");
    check_post("/size", "Content-Encoding: gzip\r\n", packed, len - 1, 415, "body_encoding");
    check_post("/size", "Content-Encoding: gzip\r\n", packed, len + 5, 415, "body_encoding");
    packed[len / 2] ^= 0xff;
    check_post("/size", "Content-Encoding: gzip\r\n", packed, len, 415, "body_encoding");
    check_post("/size", "Content-Encoding: gzip\r\n", "plain", 5, 415, "body_encoding");
    check_post("/size", "Content-Encoding: gzip\r\n", "", 0, 200, "0 1 0");
    len = ZSTD_compress(packed, PACKED_MAX, plain, 3000000, 3);
    check_post("/size", "Content-Encoding: zstd\r\n", packed, len, 200, "3000000 1 121");
    check_post("/size", "Content-Encoding: zstd\r\n", packed, len - 1, 415, "body_encoding");
    memcpy(packed + len, packed, len);
    check_post("/size", "Content-Encoding: zstd\r\n", packed, 2 * len, 200, "6000000 1 121");
    check_post("/size", "Content-Encoding: zstd\r\n", "plain", 5, 415, "body_encoding");
    check_post("/size", "Content-Encoding: br\r\n", "x", 1, 415, "body_encoding");
    check_post("/size", "Content-Encoding: gzip, gzip\r\n", "x", 1, 415, "body_encoding");
    check_post("/size", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", "x", 1, 415,
               "body_encoding");
    struct answer a = post("/size", "Content-Encoding: br\r\n", "x", 1);
    ck_assert_str_eq(answer_header(&a, "Accept-Encoding"), "gzip, zstd");
    answer_done(&a);
    release();
    test_stop(&app);
}
END_TEST

START_TEST(bombs)
{
    test_start(&app, test_config());
    allocate();
    size_t len = gzip(plain, PLAIN_MAX, packed, PACKED_MAX);
    ck_assert_uint_lt(len, 100000);
    check_post("/size", "Content-Encoding: gzip\r\n", packed, len, 413, "body_too_large");
    len = ZSTD_compress(packed, PACKED_MAX, plain, PLAIN_MAX, 3);
    ck_assert_uint_lt(len, 100000);
    check_post("/size", "Content-Encoding: zstd\r\n", packed, len, 413, "body_too_large");
    len = gzip(plain, 8 << 20, packed, PACKED_MAX);
    check_post("/size", "Content-Encoding: gzip\r\n", packed, len, 200, "8388608 1 0");
    len = gzip(plain, (8 << 20) + 1, packed, PACKED_MAX);
    check_post("/size", "Content-Encoding: gzip\r\n", packed, len, 413, "body_too_large");
    /* A window beyond 8 MiB is more memory than a request gets. */
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 26);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    ZSTD_inBuffer in = {plain, 4 << 20, 0};
    ZSTD_outBuffer out = {packed, PACKED_MAX, 0};
    ck_assert_uint_ne(ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue), (size_t)-1);
    ck_assert_uint_eq(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
    ZSTD_freeCCtx(context);
    check_post("/size", "Content-Encoding: zstd\r\n", packed, out.pos, 415, "body_encoding");
    /* What an operation takes bounds what it reads, however little is sent. */
    const char frames[2][10] = {"\x28\xb5\x2f\xfd\x20\x10\x83\x00\x00y",
                                "\x28\xb5\x2f\xfd\x20\x64\x23\x03\x00y"}; /* 16 and 100 times y */
    check_post("/tiny", "Content-Encoding: zstd\r\n", frames[0], sizeof frames[0], 200, NULL);
    check_post("/tiny", "Content-Encoding: zstd\r\n", frames[1], sizeof frames[1], 413,
               "body_too_large");
    release();
    test_stop(&app);
}
END_TEST

START_TEST(spilled)
{
    struct http_config config = test_config();
    config.spill_bytes = 1000;
    const int before = count_fds();
    test_start(&app, config);
    allocate();
    for (size_t i = 0; i < 4000000; i++)
        plain[i] = (char)('a' + i % 23);
    struct answer a = post("/echo", "", plain, 4000000);
    ck_assert_uint_eq(a.body_len, 4000000);
    ck_assert_mem_eq(a.body, plain, 4000000);
    answer_done(&a);
    a = post("/echo", "", plain, 1000);
    ck_assert_mem_eq(a.body, plain, 1000);
    answer_done(&a);
    a = post("/echo", "", plain, 1001);
    ck_assert_mem_eq(a.body, plain, 1001);
    answer_done(&a);
    release();
    test_stop(&app);
    ck_assert_int_eq(count_fds(), before);
}
END_TEST

/* All bodies share a budget: what does not fit its memory waits in files, what does not fit these
 * is refused, and what was taken is given back. */
START_TEST(bodies_share_a_budget)
{
    struct http_config config = test_config();
    config.bodies_memory = 10000;
    config.bodies_files = 100000;
    const int before = count_fds();
    test_start(&app, config);
    allocate();
    for (int i = 0; i < 100; i++) /* 99 kB, but one after the other */
        check_post("/echo", "", plain, 990, 200, NULL);
    for (int i = 0; i < 10; i++)
        check_post("/echo", "", plain, 99000, 200, NULL);
    check_post("/echo", "", plain, 100001, 503, "bodies_exhausted");
    /* Two that do not end take the memory, and most of the files. */
    const int held = client_connect(&app);
    client_text(held, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n");
    client_send(held, plain, 9999);
    const int filed = client_connect(&app);
    client_text(filed, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n");
    client_send(filed, plain, 89999);
    sleep_ms(200);
    check_post("/echo", "", plain, 9000, 200, NULL); /* in a file, small as it is */
    check_post("/echo", "", plain, 11000, 503, "bodies_exhausted");
    check_post("/echo", "", plain, 10001, 200, NULL);
    close(filed);
    sleep_ms(200);
    check_post("/echo", "", plain, 99000, 200, NULL);
    close(held);
    release();
    test_stop(&app);
    ck_assert_int_eq(count_fds(), before);
}
END_TEST

START_TEST(spill_folder_gone)
{
    struct http_config config = test_config();
    config.spill_bytes = 1000;
    test_start(&app, config);
    ck_assert_int_eq(rmdir(app.dir), 0);
    allocate();
    check_post("/echo", "", plain, 2000, 503, "io_error");
    check_post("/echo", "", plain, 4000000, 503, "io_error");
    check_post("/echo", "", plain, 1000, 200, NULL);
    release();
    char made[64];
    strcpy(made, "/tmp/accord-http-again-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(made));
    strcpy(app.dir, made);
    test_stop(&app);
}
END_TEST

START_TEST(expect_continue)
{
    test_start(&app, test_config());
    const int fd = client_connect(&app);
    client_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: "
                    "100-continue\r\n\r\n");
    char interim[26] = "";
    ck_assert_int_eq(read(fd, interim, 25), 25);
    ck_assert_str_eq(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    client_text(fd, "abc");
    struct answer a = client_read(fd, false);
    ck_assert_str_eq(a.body, "abc");
    answer_done(&a);
    /* Too large: refused without a 100. */
    client_text(fd, "POST /tiny HTTP/1.1\r\nHost: a\r\nContent-Length: 17\r\nExpect: "
                    "100-continue\r\n\r\n");
    char first[13] = "";
    ck_assert_int_eq(read(fd, first, 12), 12);
    ck_assert_str_eq(first, "HTTP/1.1 413");
    close(fd);
    test_stop(&app);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("http bodies");
    TCase *tests = tcase_create("bodies");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, limits);
    tcase_add_test(tests, chunked_limits);
    tcase_add_test(tests, endless_chunks_are_cut);
    tcase_add_test(tests, codings);
    tcase_add_test(tests, bombs);
    tcase_add_test(tests, spilled);
    tcase_add_test(tests, bodies_share_a_budget);
    tcase_add_test(tests, spill_folder_gone);
    tcase_add_test(tests, expect_continue);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
