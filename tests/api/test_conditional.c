/* Conditional requests and repeats: ETag, 304, If-Match, 428, 412, Idempotency-Key. */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct response *get_if(const char *key, const char *path, const char *condition)
{
    return client_send(
        &(struct request){.method = "GET", .path = path, .key = key, .headers = {condition}});
}

static char *a;
static char *b;

static void setup(void)
{
    world_setup();
    a = strdup(make_partner_key("cond-a", "\"provider\",\"channel\""));
    b = strdup(make_partner_key("cond-b", "\"provider\",\"channel\""));
    make_course(a, "cond-a", "c", 100, "CNY");
    client_free_all();
}

static void teardown(void)
{
    free(a);
    free(b);
    world_teardown();
    client_free_all();
}

static const char *const reads[] = {
    "/v1/me",
    "/v1/partners",
    "/v1/partners/cond-a",
    "/v1/partners/cond-a/keys",
    "/v1/catalogs",
    "/v1/courses",
    "/v1/courses/cond-a/c",
    "/v1/courses/cond-a/c/versions",
    "/v1/courses/cond-a/c/feedback",
    "/v1/events",
    "/v1/agreements",
    "/v1/revenue?period=2025-01",
    "/openapi.json",
    "/docs",
};

START_TEST(an_unchanged_read_costs_a_304)
{
    struct response *is = get(a, "%s", reads[_i]);
    expect_status(is, 200);
    const char *tag = header(is, "etag");
    ck_assert_msg(tag != NULL && tag[0] == '"', "%s: no strong ETag: %s", reads[_i], tag);
    struct response *again = get_if(a, reads[_i], text("If-None-Match: %s", tag));
    expect_status(again, 304);
    ck_assert_uint_eq(again->body_len, 0);
    ck_assert_str_eq(header(again, "etag"), tag);
    /* Weak comparison (a proxy's gzip weakens tags), lists, and any. */
    expect_status(get_if(a, reads[_i], text("If-None-Match: W/%s", tag)), 304);
    expect_status(get_if(a, reads[_i], text("If-None-Match: \"x\", %s", tag)), 304);
    expect_status(get_if(a, reads[_i], "If-None-Match: *"), 304);
    expect_status(get_if(a, reads[_i], "If-None-Match: \"x\""), 200);
    struct response *head =
        client_send(&(struct request){.method = "HEAD", .path = reads[_i], .key = a});
    expect_status(head, 200);
    ck_assert_str_eq(header(head, "etag"), tag);
    ck_assert_uint_eq(head->body_len, 0);
}
END_TEST

START_TEST(tags_belong_to_one_caller)
{
    const char *tag =
        text("If-None-Match: %s", header(get(a, "/v1/revenue?period=2025-01"), "etag"));
    expect_status(get_if(b, "/v1/revenue?period=2025-01", tag), 200);
    tag = text("If-None-Match: %s", header(get(a, "/v1/courses"), "etag"));
    expect_status(get_if(b, "/v1/courses", tag), 200);
}
END_TEST

START_TEST(a_change_changes_the_tag)
{
    const char *key = make_partner_key("cond-c", "\"channel\",\"provider\"");
    static const char *const paths[] = {"/v1/events", "/v1/revenue?period=2025-01", "/v1/courses"};
    const char *tags[3];
    for (int i = 0; i < 3; i++)
        tags[i] = text("If-None-Match: %s", header(get(key, "%s", paths[i]), "etag"));
    make_course(key, "cond-c", "c", 5, "CNY");
    expect_status(get_if(key, paths[2], tags[2]), 200);
    post_facts(key, "{\"event_id\":\"1\",\"type\":\"order.paid\",\"occurred_at\":"
                    "\"2025-01-10T00:00:00Z\",\"order_id\":\"1\",\"currency\":\"CNY\",\"lines\":"
                    "[{\"line_id\":\"1\",\"provider\":\"cond-c\",\"course_id\":\"c\",\"quantity\":"
                    "1,\"paid\":5}]}");
    for (int i = 0; i < 2; i++)
        expect_status(get_if(key, paths[i], tags[i]), 200);
    /* Somebody else's change does not. */
    const char *mine = text("If-None-Match: %s", header(get(b, "/v1/events"), "etag"));
    post_facts(key, "{\"event_id\":\"2\",\"type\":\"completion\",\"occurred_at\":"
                    "\"2025-01-10T00:00:00Z\",\"provider\":\"cond-c\",\"course_id\":\"c\"}");
    expect_status(get_if(b, "/v1/events", mine), 304);
}
END_TEST

START_TEST(a_course_is_put_only_on_what_was_read)
{
    static const char path[] = "/v1/courses/cond-a/put";
    static const char one[] = "{\"course_id\":\"put\",\"title\":\"One\"}";
    static const char two[] = "{\"course_id\":\"put\",\"title\":\"Two\"}";
    expect_problem(put(a, path, NULL, one), 428, "if_match_required");
    expect_problem(put(a, path, "If-Match: \"x\"", one), 412, "version_mismatch");
    expect_problem(get(a, "%s", path), 404, "not_found");
    struct response *is = put(a, path, "If-None-Match: *", one);
    expect_status(is, 201);
    /* The opaque id: an id of the provider's own may not fit into a path. */
    expect_text(get(a, "%s", header(is, "location")), "/title", "One");
    const char *tag = text("If-Match: %s", header(is, "etag"));
    expect_problem(put(a, path, "If-None-Match: *", two), 412, "version_mismatch");
    is = put(a, path, tag, two);
    expect_status(is, 200);
    expect_int(is, "/version", 2);
    expect_problem(put(a, path, tag, one), 412, "version_mismatch");
    const char *now = text("If-Match: %s", header(get(a, "%s", path), "etag"));
    is = put(a, path, now, two);
    expect_status(is, 200);
    expect_int(is, "/version", 2);
    /* The body's id, if it has one, is that of the path; nobody puts another's course. */
    is = put(a, path, now, "{\"course_id\":\"other\",\"title\":\"X\"}");
    ck_assert_int_eq(is->status, 422);
    is = put(b, path, now, two);
    ck_assert_msg(is->status == 403 || is->status == 404, "%ld", is->status);
}
END_TEST

static struct response *post_once(const char *key, const char *path, const char *once,
                                  const char *body)
{
    return client_send(&(struct request){.method = "POST",
                                         .path = path,
                                         .key = key,
                                         .body = body,
                                         .headers = {text("Idempotency-Key: %s", once)}});
}

static const struct {
    const char *path;
    const char *body;
    const char *other;
    bool by_operator;
} creating[] = {
    {"/v1/partners",
     "{\"id\":\"once\",\"name\":\"O\",\"roles\":[\"channel\"],\"currency\":\"CNY\","
     "\"time_zone\":\"Asia/Shanghai\"}",
     "{\"id\":\"once2\",\"name\":\"O\",\"roles\":[\"channel\"],\"currency\":\"CNY\","
     "\"time_zone\":\"Asia/Shanghai\"}",
     true},
    {"/v1/agreements",
     "{\"name\":\"N\",\"parties\":[\"cond-a\",\"cond-b\"],\"scope\":{\"providers\":[\"cond-a\"],"
     "\"channels\":[\"cond-b\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},\"currency\":"
     "\"CNY\",\"terms\":[{\"kind\":\"residual\",\"payee\":\"cond-a\"}]}",
     "{\"name\":\"M\",\"parties\":[\"cond-a\",\"cond-b\"],\"scope\":{\"providers\":[\"cond-a\"],"
     "\"channels\":[\"cond-b\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},\"currency\":"
     "\"CNY\",\"terms\":[{\"kind\":\"residual\",\"payee\":\"cond-a\"}]}",
     false},
    {"/v1/catalogs", "[{\"course_id\":\"once\",\"title\":\"T\"}]",
     "[{\"course_id\":\"once\",\"title\":\"U\"}]", false},
};

START_TEST(a_repeat_answers_the_same)
{
    const char *key = creating[_i].by_operator ? operator_key : a;
    const char *once = text("k-%d", _i);
    struct response *one = post_once(key, creating[_i].path, once, creating[_i].body);
    ck_assert_msg(one->status == 201 || one->status == 200, "%ld: %s", one->status, one->body);
    ck_assert_ptr_null(header(one, "idempotency-replayed"));
    struct response *two = post_once(key, creating[_i].path, once, creating[_i].body);
    ck_assert_int_eq(two->status, one->status);
    ck_assert_str_eq(two->body, one->body);
    ck_assert_str_eq(header(two, "idempotency-replayed"), "true");
    if (header(one, "location") != NULL)
        ck_assert_str_eq(header(two, "location"), header(one, "location"));
    expect_problem(post_once(key, creating[_i].path, once, creating[_i].other), 409,
                   "idempotency_mismatch");
    expect_problem(
        post_once(key, _i == 2 ? "/v1/agreements" : "/v1/catalogs", once, creating[_i].body), 409,
        "idempotency_mismatch");
    if (_i == 2) {
        struct response *list = get(a, "/v1/catalogs");
        ck_assert_str_eq(text_at(list, "/items/0/id"), text_at(one, "/id"));
    }
}
END_TEST

/* Posts from a process of its own; tells what came of it. */
static void post_apart(const char *body, int report)
{
    const pid_t pid = fork();
    ck_assert(pid >= 0);
    if (pid > 0)
        return;
    struct response *is = post_once(a, "/v1/catalogs", "race", body);
    const char *id = is->status == 200 || is->status == 202 ? text_at(is, "/id") : "refused";
    char told[64] = {0};
    snprintf(told, sizeof told, "%s %d", id, header(is, "idempotency-replayed") == NULL);
    _exit(write(report, told, sizeof told) == (ssize_t)sizeof told ? 0 : 1);
}

START_TEST(of_imports_at_once_one_begins)
{
    enum { AT_ONCE = 8, ROWS = 500 };
    char *body = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&body, &len);
    for (int i = 0; i < ROWS; i++)
        fprintf(out, "%s{\"course_id\":\"race%d\",\"title\":\"T\"}%s", i == 0 ? "[" : ",", i,
                i == ROWS - 1 ? "]" : "");
    fclose(out);
    const size_t before = json_array_size(at(get(a, "/v1/catalogs?limit=1000"), "/items"));
    int pipes[2];
    ck_assert(pipe(pipes) == 0);
    for (int i = 0; i < AT_ONCE; i++)
        post_apart(body, pipes[1]);
    close(pipes[1]);
    char first[64] = {0};
    char told[64];
    int answers = 0;
    int began = 0;
    while (read(pipes[0], told, sizeof told) == (ssize_t)sizeof told) {
        char id[64];
        int is_new = 0;
        ck_assert_int_eq(sscanf(told, "%63s %d", id, &is_new), 2);
        if (answers++ == 0)
            memcpy(first, id, sizeof first);
        ck_assert_str_eq(id, first);
        began += is_new;
    }
    close(pipes[0]);
    while (wait(NULL) > 0)
        ;
    free(body);
    ck_assert_int_eq(answers, AT_ONCE);
    ck_assert_int_eq(began, 1);
    expect_count(get(a, "/v1/catalogs?limit=1000"), "/items", before + 1);
}
END_TEST

START_TEST(an_import_that_is_refused_may_be_repeated)
{
    expect_problem(post_once(a, "/v1/catalogs", "mend", "[{\"course_id\":\"mend\","), 400,
                   "json_invalid");
    struct response *is =
        post_once(a, "/v1/catalogs", "mend", "[{\"course_id\":\"mend\",\"title\":\"T\"}]");
    expect_status(is, 200);
    ck_assert_ptr_null(header(is, "idempotency-replayed"));
}
END_TEST

START_TEST(keys_of_partners_do_not_meet)
{
    static const char body[] = "[{\"course_id\":\"meet\",\"title\":\"T\"}]";
    struct response *one = post_once(a, "/v1/catalogs", "meet", body);
    struct response *two = post_once(b, "/v1/catalogs", "meet", body);
    expect_status(one, 200);
    expect_status(two, 200);
    ck_assert_ptr_null(header(two, "idempotency-replayed"));
    expect_text(two, "/provider", "cond-b");
}
END_TEST

START_TEST(a_secret_is_not_replayed)
{
    static const char body[] = "{\"scopes\":[\"revenue:read\"]}";
    expect_status(post_once(operator_key, "/v1/partners/cond-b/keys", "sec", body), 201);
    const size_t before =
        json_array_size(at(get(operator_key, "/v1/partners/cond-b/keys"), "/items"));
    expect_problem(post_once(operator_key, "/v1/partners/cond-b/keys", "sec", body), 409,
                   "secret_already_shown");
    expect_count(get(operator_key, "/v1/partners/cond-b/keys"), "/items", before);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("conditional");
    TCase *all = tcase_create("conditional");
    tcase_add_unchecked_fixture(all, setup, teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_loop_test(all, an_unchanged_read_costs_a_304, 0, sizeof reads / sizeof reads[0]);
    tcase_add_test(all, tags_belong_to_one_caller);
    tcase_add_test(all, a_change_changes_the_tag);
    tcase_add_test(all, a_course_is_put_only_on_what_was_read);
    tcase_add_loop_test(all, a_repeat_answers_the_same, 0, sizeof creating / sizeof creating[0]);
    tcase_add_test(all, of_imports_at_once_one_begins);
    tcase_add_test(all, an_import_that_is_refused_may_be_repeated);
    tcase_add_test(all, keys_of_partners_do_not_meet);
    tcase_add_test(all, a_secret_is_not_replayed);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "conditional")
