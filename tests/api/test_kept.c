/* Answers that are kept: whatever was written, and whatever is asked, they are those of a request
 * that is answered anew. */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

enum { STEPS = 400 };

static char *shop;
static char *schools[2];
static uint64_t rnd = 20250101;

static void once(void)
{
    world_setup();
    shop = strdup(make_partner_key("shop", "\"channel\""));
    for (int i = 0; i < 2; i++) {
        const char *school = text("school-%d", i);
        schools[i] = strdup(make_partner_key(school, "\"provider\""));
        make_course(schools[i], school, "c", 100, "CNY");
        make_agreement(school,
                       text("\"parties\":[\"%s\",\"shop\"],\"scope\":{\"providers\":[\"%s\"],"
                            "\"channels\":[\"shop\"]},\"effective\":{\"from\":"
                            "\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{"
                            "\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[{"
                            "\"kind\":\"share\",\"payee\":\"%s\",\"share_ppm\":600000},{\"kind\":"
                            "\"residual\",\"payee\":\"shop\"}]",
                            school, school, school),
                       (const char *const[]){shop, schools[i], NULL});
    }
    client_free_all();
}

static void at_end(void)
{
    free(shop);
    for (int i = 0; i < 2; i++)
        free(schools[i]);
    world_teardown();
}

static int pick(int bound)
{
    rnd ^= rnd << 13;
    rnd ^= rnd >> 7;
    rnd ^= rnd << 17;
    return (int)(rnd % (uint64_t)bound);
}

static struct response *ask(const char *key, const char *path, const char *header_line, bool anew)
{
    const char *no_cache = anew ? "Cache-Control: no-cache" : NULL;
    const struct request request = {
        .method = "GET",
        .path = path,
        .key = key,
        .headers = {header_line == NULL ? no_cache : header_line,
                    header_line == NULL ? NULL : no_cache},
    };
    return client_send(&request);
}

static long long metric(const char *name)
{
    const char *at = strstr(get(operator_key, "/metrics")->body, name);
    ck_assert_ptr_nonnull(at);
    return strtoll(at + strlen(name), NULL, 10);
}

/* Sells, refunds, or closes. */
static void write_something(int step)
{
    const int school = pick(2);
    switch (pick(8)) {
    case 0:
        if (step > 20)
            client_send(
                &(struct request){.method = "POST",
                                  .path = text("/v1/agreements/school-%d/periods/2025-%02d/close",
                                               school, 1 + pick(3)),
                                  .key = operator_key});
        break;
    case 1:
        post(shop, "/v1/events",
             text("[{\"event_id\":\"r%d\",\"type\":\"order.refunded\",\"occurred_at\":"
                  "\"2025-02-03T10:00:00Z\",\"order_id\":\"o%d\",\"refund_id\":\"r%d\",\"amount\":"
                  "1}]",
                  step, step / 2, step));
        break;
    default:
        expect_status(
            post(shop, "/v1/events",
                 text("[{\"event_id\":\"e%d\",\"type\":\"order.paid\",\"occurred_at\":"
                      "\"2025-%02d-10T10:00:00Z\",\"order_id\":\"o%d\",\"currency\":\"CNY\","
                      "\"lines\":[{\"line_id\":\"1\",\"provider\":\"school-%d\",\"course_id\":"
                      "\"c\",\"quantity\":1,\"paid\":%d}]}]",
                      step, 1 + pick(2), step, school, 100 + pick(10000))),
            200);
        break;
    }
}

static void expect_same(const char *key, const char *path, const char *condition)
{
    struct response *is = ask(key, path, condition, false);
    struct response *want = ask(key, path, condition, true);
    ck_assert_msg(is->status == want->status && strcmp(is->body, want->body) == 0 &&
                      strcmp(header(is, "etag"), header(want, "etag")) == 0,
                  "GET %s: %ld %s\n%s\nbut %ld %s\n%s", path, is->status, header(is, "etag"),
                  is->body, want->status, header(want, "etag"), want->body);
    const char *const names[] = {"content-type", "cache-control", "link", "vary"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *a = header(is, names[i]);
        const char *b = header(want, names[i]);
        ck_assert_msg(a == b || (a != NULL && b != NULL && strcmp(a, b) == 0), "GET %s: %s is %s",
                      path, names[i], a);
    }
}

START_TEST(kept_is_what_stands)
{
    static const char *const paths[] = {
        "/v1/revenue?period=2025-01",
        "/v1/revenue?period=2025-01&group_by=course",
        "/v1/revenue?period=2025-02",
        "/v1/statements",
        "/v1/statements?limit=1",
        "/v1/statements?state=published",
        "/v1/balances",
        "/v1/offers",
        "/v1/pools",
        "/v1/me",
    };
    enum { PATHS = sizeof paths / sizeof *paths };
    static char tags[3][PATHS][100];
    const char *const keys[] = {shop, schools[0], schools[1]};
    for (int step = 0; step < STEPS; step++) {
        if (pick(3) == 0)
            write_something(step);
        const int who = pick(3);
        const int at = pick(PATHS);
        const char *condition = pick(2) == 0 && *tags[who][at] != '\0'
                                    ? text("If-None-Match: %s", tags[who][at])
                                    : NULL;
        expect_same(keys[who], paths[at], condition);
        struct response *is = get(keys[who], "%s", paths[at]);
        snprintf(tags[who][at], sizeof tags[who][at], "%s", header(is, "etag"));
        client_free_all();
    }
    ck_assert_int_gt(metric("accord_kept_answers_total{use=\"held\"} "), STEPS / 10);
    ck_assert_int_gt(metric("accord_kept_answers_total{use=\"same\"} "), 0);
}
END_TEST

/* A statement never changes: what is asked of one again and again is kept. */
START_TEST(a_statement_is_kept)
{
    write_something(1000);
    client_send(&(struct request){.method = "POST",
                                  .path = "/v1/agreements/school-0/periods/2025-01/close",
                                  .key = operator_key});
    struct response *is = get(schools[0], "/v1/statements");
    if (int_at(is, "/items/0/earned/amount") == 0)
        return;
    const char *path = text("/v1/statements/%s", text_at(is, "/items/0/id"));
    for (int i = 0; i < 3; i++)
        expect_same(schools[0], path, NULL);
    expect_same(schools[0], path, "Accept: text/csv");
    expect_same(schools[0], path, NULL);
    expect_problem(ask(schools[1], path, NULL, false), 404, "not_found");
}
END_TEST

static struct response *revenue(const char *key, const char *header_line)
{
    return client_send(&(struct request){.method = "GET",
                                         .path = "/v1/revenue?period=2025-01",
                                         .key = key,
                                         .headers = {header_line}});
}

/* Revoked by another process: a key that was looked up before opens nothing any more. */
START_TEST(keys_end_at_once)
{
    struct response *made = post(operator_key, "/v1/partners/shop/keys",
                                 "{\"scopes\":[\"revenue:read\"],\"label\":\"ends\"}");
    expect_status(made, 201);
    const char *key = text_at(made, "/secret");
    for (int i = 0; i < 3; i++)
        expect_status(revenue(key, NULL), 200);
    ck_assert_int_eq(
        system(text("ACCORD_DATABASE=sqlite:%s/accord.db %s key revoke %s 2>&1", world_server.dir,
                    getenv("ACCORD_BINARY"), text_at(made, "/id"))),
        0);
    expect_problem(revenue(key, NULL), 401, "unauthenticated");
}
END_TEST

START_TEST(keys_run_out)
{
    const struct timespec wait = {.tv_nsec = 100000000};
    const time_t end = time(NULL) + 2;
    char at[32];
    struct tm parts;
    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&end, &parts));
    struct response *made =
        post(operator_key, "/v1/partners/shop/keys",
             text("{\"scopes\":[\"revenue:read\"],\"label\":\"short\",\"expires_at\":\"%s\"}", at));
    expect_status(made, 201);
    const char *key = text("%s", text_at(made, "/secret"));
    long status = 200;
    int times = 0;
    while (status == 200) {
        status = revenue(key, NULL)->status;
        times++;
        nanosleep(&wait, NULL);
    }
    ck_assert_int_eq(status, 401);
    ck_assert_int_gt(times, 2);
    ck_assert_int_ge((long long)time(NULL), (long long)end);
}
END_TEST

/* The gzipped form is kept beside the plain one, with a tag of its own. */
START_TEST(gzipped_too)
{
    static Bytef plain[1 << 16];
    for (int i = 0; i < 8; i++)
        write_something(2000 + i);
    struct response *is = revenue(shop, NULL);
    expect_status(is, 200);
    ck_assert_uint_gt(is->body_len, 1024);
    for (int i = 0; i < 3; i++) {
        struct response *coded = revenue(shop, "Accept-Encoding: gzip");
        expect_status(coded, 200);
        ck_assert_str_eq(header(coded, "content-encoding"), "gzip");
        const char *tag = header(is, "etag");
        ck_assert_str_eq(header(coded, "etag"), text("%.*s-gz\"", (int)strlen(tag) - 1, tag));
        z_stream z = {.next_in = (Bytef *)coded->body,
                      .avail_in = (uInt)coded->body_len,
                      .next_out = plain,
                      .avail_out = sizeof plain};
        ck_assert_int_eq(inflateInit2(&z, 31), Z_OK);
        ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
        inflateEnd(&z);
        ck_assert_uint_eq(z.total_out, is->body_len);
        ck_assert_mem_eq(plain, is->body, is->body_len);
        expect_status(revenue(shop, text("If-None-Match: %s", header(coded, "etag"))), 304);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("kept");
    TCase *all = tcase_create("kept");
    tcase_add_unchecked_fixture(all, once, at_end);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, kept_is_what_stands);
    tcase_add_test(all, a_statement_is_kept);
    tcase_add_test(all, keys_end_at_once);
    tcase_add_test(all, keys_run_out);
    tcase_add_test(all, gzipped_too);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "kept")
