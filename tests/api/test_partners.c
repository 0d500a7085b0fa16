/* Partners and keys: who may create, see and change them; scopes, expiry, revocation, books. */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

START_TEST(a_created_partner_is_what_was_sent)
{
    struct response *made = post(
        operator_key, "/v1/partners",
        "{\"id\":\"zhishi\",\"name\":\"知识付费\",\"legal_name\":\"知识付费（上海）有限公司\","
        "\"tax_id\":\"91310000MA1K3\",\"roles\":[\"channel\",\"provider\"],\"currency\":\"CNY\","
        "\"time_zone\":\"Asia/Shanghai\",\"profile\":{\"territories\":[\"CN\"],\"languages\":"
        "[\"zh\"],\"audience\":\"职场新人\",\"payment_modes\":[\"wechat\",\"alipay\"]},"
        "\"column_map\":\"title:course_title,course_id:id\"}");
    expect_status(made, 201);
    ck_assert_str_eq(header(made, "location"), "/v1/partners/zhishi");
    ck_assert_ptr_nonnull(header(made, "etag"));
    struct response *read = get(operator_key, "/v1/partners/zhishi");
    expect_status(read, 200);
    expect_text(read, "/name", "知识付费");
    expect_text(read, "/legal_name", "知识付费（上海）有限公司");
    expect_text(read, "/tax_id", "91310000MA1K3");
    expect_count(read, "/roles", 2);
    expect_text(read, "/currency", "CNY");
    expect_text(read, "/time_zone", "Asia/Shanghai");
    expect_text(read, "/profile/audience", "职场新人");
    expect_text(read, "/profile/payment_modes/1", "alipay");
    expect_text(read, "/column_map", "title:course_title,course_id:id");
    expect_text(read, "/state", "active");
    expect_int(read, "/version", 1);
    ck_assert(json_equal(made->json, read->json));

    expect_problem(post(operator_key, "/v1/partners",
                        "{\"id\":\"zhishi\",\"name\":\"Other\",\"roles\":[\"channel\"],"
                        "\"currency\":\"CNY\",\"time_zone\":\"Asia/Shanghai\"}"),
                   409, "partner_exists");
}
END_TEST

#define GOOD "\"id\":\"p\",\"name\":\"P\",\"roles\":[\"channel\"],\"currency\":\"CNY\","
#define ZONE "\"time_zone\":\"Asia/Shanghai\""
static const struct {
    const char *body;
    const char *pointer;
    const char *code;
} refused[] = {
    {"{\"name\":\"P\",\"roles\":[\"channel\"],\"currency\":\"CNY\"," ZONE "}", "/id",
     "field_missing"},
    {"{\"id\":\"Upper\",\"name\":\"P\",\"roles\":[\"channel\"],\"currency\":\"CNY\"," ZONE "}",
     "/id", "slug_invalid"},
    {"{\"id\":\"p\",\"name\":\"\",\"roles\":[\"channel\"],\"currency\":\"CNY\"," ZONE "}", "/name",
     "text_length"},
    {"{\"id\":\"p\",\"name\":7,\"roles\":[\"channel\"],\"currency\":\"CNY\"," ZONE "}", "/name",
     "type_wrong"},
    {"{\"id\":\"p\",\"name\":\"P\",\"roles\":[],\"currency\":\"CNY\"," ZONE "}", "/roles",
     "count_out_of_range"},
    {"{\"id\":\"p\",\"name\":\"P\",\"roles\":[\"king\"],\"currency\":\"CNY\"," ZONE "}", "/roles/0",
     "value_unknown"},
    {"{\"id\":\"p\",\"name\":\"P\",\"roles\":[\"channel\"],\"currency\":\"XQQ\"," ZONE "}",
     "/currency", "currency_unknown"},
    {"{" GOOD "\"time_zone\":\"Mars/Base\"}", "/time_zone", "time_zone_unknown"},
    {"{" GOOD ZONE ",\"colour\":\"red\"}", "/colour", "field_unknown"},
    {"{" GOOD ZONE ",\"profile\":{\"shoe\":1}}", "/profile/shoe", "field_unknown"},
};

START_TEST(every_bad_field_is_named)
{
    struct response *is = post(operator_key, "/v1/partners", refused[_i].body);
    expect_problem(is, 422, "fields_invalid");
    expect_field_problem(is, refused[_i].pointer, refused[_i].code);
    expect_problem(get(operator_key, "/v1/partners/p"), 404, "not_found");
}
END_TEST

START_TEST(all_field_errors_come_at_once)
{
    struct response *is =
        post(operator_key, "/v1/partners", "{\"id\":\"A B\",\"roles\":[\"king\"],\"x\":1}");
    expect_problem(is, 422, "fields_invalid");
    expect_field_problem(is, "/id", "slug_invalid");
    expect_field_problem(is, "/name", "field_missing");
    expect_field_problem(is, "/roles/0", "value_unknown");
    expect_field_problem(is, "/currency", "field_missing");
    expect_field_problem(is, "/time_zone", "field_missing");
    expect_field_problem(is, "/x", "field_unknown");
}
END_TEST

START_TEST(lists_come_in_pages_and_show_what_one_may_see)
{
    const char *key = make_partner_key("list-a", "\"channel\"");
    make_partner_key("list-b", "\"channel\"");
    /* Every partner exactly once, however small the page. */
    bool seen_a = false;
    bool seen_b = false;
    int count = 0;
    const char *path = "/v1/partners?limit=1";
    while (path != NULL) {
        struct response *page = get(operator_key, "%s", path);
        expect_status(page, 200);
        ck_assert(json_array_size(at(page, "/items")) <= 1);
        if (json_array_size(at(page, "/items")) == 1) {
            const char *id = text_at(page, "/items/0/id");
            seen_a |= strcmp(id, "list-a") == 0;
            seen_b |= strcmp(id, "list-b") == 0;
        }
        ck_assert_int_lt(count++, 100);
        const char *link = header(page, "link");
        if (json_is_null(at(page, "/next"))) {
            ck_assert_ptr_null(link);
            path = NULL;
        } else {
            ck_assert_msg(link != NULL && strstr(link, "rel=\"next\"") != NULL, "no Link: %s",
                          link);
            path = text("/v1/partners?limit=1&cursor=%s", text_at(page, "/next"));
        }
    }
    ck_assert(seen_a && seen_b);

    struct response *own = get(key, "/v1/partners");
    expect_count(own, "/items", 1);
    expect_text(own, "/items/0/id", "list-a");
    expect_null(own, "/next");
    expect_problem(get(key, "/v1/partners/list-b"), 404, "not_found");
    expect_status(get(key, "/v1/partners/list-a"), 200);
    expect_problem(get(key, "/v1/partners?limit=0"), 400, "query_invalid");
    expect_problem(get(key, "/v1/partners?limit=1001"), 400, "query_invalid");
    expect_problem(get(key, "/v1/partners?colour=red"), 400, "query_invalid");
    expect_problem(get(operator_key, "/v1/partners?cursor=nonsense"), 400, "cursor_invalid");
}
END_TEST

START_TEST(a_partner_changes_its_own_text_and_the_operator_all)
{
    const char *key = make_partner_key("patch-a", "\"provider\"");
    struct response *read = get(key, "/v1/partners/patch-a");
    const char *tag = text("If-Match: %s", header(read, "etag"));
    expect_problem(patch(key, "/v1/partners/patch-a", NULL, "{\"name\":\"New\"}"), 428,
                   "if_match_required");
    expect_problem(patch(key, "/v1/partners/patch-a", "If-Match: \"other\"", "{\"name\":\"New\"}"),
                   412, "version_mismatch");
    expect_problem(patch(key, "/v1/partners/patch-a", tag, "{\"currency\":\"USD\"}"), 403,
                   "role_missing");
    struct response *changed =
        patch(key, "/v1/partners/patch-a", tag, "{\"name\":\"New\",\"legal_name\":\"New Ltd\"}");
    expect_status(changed, 200);
    expect_text(changed, "/name", "New");
    expect_text(changed, "/legal_name", "New Ltd");
    expect_text(changed, "/currency", "CNY");
    expect_int(changed, "/version", 2);
    expect_problem(patch(key, "/v1/partners/patch-a", tag, "{\"name\":\"Newer\"}"), 412,
                   "version_mismatch");
    tag = text("If-Match: %s", header(get(operator_key, "/v1/partners/patch-a"), "etag"));
    changed = patch(operator_key, "/v1/partners/patch-a", tag,
                    "{\"currency\":\"USD\",\"time_zone\":\"America/New_York\"}");
    expect_status(changed, 200);
    expect_text(changed, "/currency", "USD");
    expect_problem(patch(key, "/v1/partners/list-none", "If-Match: \"x\"", "{\"name\":\"New\"}"),
                   404, "not_found");
}
END_TEST

START_TEST(a_suspended_partner_is_refused)
{
    const char *key = make_partner_key("suspend-a", "\"channel\"");
    expect_status(get(key, "/v1/me"), 200);
    const char *tag =
        text("If-Match: %s", header(get(operator_key, "/v1/partners/suspend-a"), "etag"));
    struct response *is =
        patch(operator_key, "/v1/partners/suspend-a", tag, "{\"state\":\"suspended\"}");
    expect_status(is, 200);
    expect_problem(get(key, "/v1/me"), 403, "partner_suspended");
    expect_problem(get(key, "/v1/partners"), 403, "partner_suspended");
    tag = text("If-Match: %s", header(get(operator_key, "/v1/partners/suspend-a"), "etag"));
    is = patch(operator_key, "/v1/partners/suspend-a", tag, "{\"state\":\"active\"}");
    expect_status(is, 200);
    expect_status(get(key, "/v1/me"), 200);
}
END_TEST

START_TEST(a_secret_is_shown_once)
{
    make_partner("key-a", "\"channel\"", "CNY", "Asia/Shanghai");
    struct response *made =
        post(operator_key, "/v1/partners/key-a/keys",
             "{\"scopes\":[\"events:write\",\"revenue:read\"],\"label\":\"order service\","
             "\"expires_at\":\"2099-01-01T00:00:00+08:00\"}");
    expect_status(made, 201);
    expect_text(made, "/partner", "key-a");
    expect_text(made, "/mode", "live");
    expect_text(made, "/label", "order service");
    expect_text(made, "/expires_at", "2098-12-31T16:00:00Z");
    const char *secret = text_at(made, "/secret");
    ck_assert_int_eq((int)strlen(secret), 12 + 43);
    ck_assert_int_eq(strncmp(secret, "accord_live_", 12), 0);

    struct response *list = get(operator_key, "/v1/partners/key-a/keys");
    expect_status(list, 200);
    expect_count(list, "/items", 1);
    expect_text(list, "/items/0/id", text_at(made, "/id"));
    expect_null(list, "/items/0/revoked_at");
    expect_absent(list, "/items/0/secret");
    ck_assert_msg(strstr(list->body, secret) == NULL, "the list shows a secret");

    struct response *me = get(secret, "/v1/me");
    expect_status(me, 200);
    expect_text(me, "/partner", "key-a");
    expect_text(me, "/mode", "live");
    expect_text(me, "/roles/0", "channel");
    expect_text(me, "/key/id", text_at(made, "/id"));
    expect_count(me, "/key/scopes", 2);
    ck_assert_msg(!server_log_has(&world_server, secret), "the log shows a secret");
}
END_TEST

START_TEST(revocation_and_expiry_take_effect_at_once)
{
    const char *key = make_partner_key("key-b", "\"channel\"");
    const char *id = text("%s", text_at(get(key, "/v1/me"), "/key/id"));
    const char *path = text("/v1/partners/key-b/keys/%s", id);
    expect_status(del(operator_key, path), 204);
    expect_problem(get(key, "/v1/me"), 401, "unauthenticated");
    expect_status(del(operator_key, path), 204);
    struct response *list = get(operator_key, "/v1/partners/key-b/keys");
    ck_assert(json_is_string(at(list, "/items/0/revoked_at")));
    expect_problem(del(operator_key, "/v1/partners/key-b/keys/none"), 404, "not_found");

    const time_t soon = time(NULL) + 2;
    struct tm parts;
    gmtime_r(&soon, &parts);
    char when[32];
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    struct response *made =
        post(operator_key, "/v1/partners/key-b/keys",
             text("{\"scopes\":[\"revenue:read\"],\"expires_at\":\"%s\"}", when));
    expect_status(made, 201);
    const char *secret = text_at(made, "/secret");
    long status = 0;
    for (int i = 0; i < 60 && status != 401; i++) {
        status = get(secret, "/v1/me")->status;
        ck_assert(status == 200 || status == 401);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    ck_assert_int_eq(status, 401);
    ck_assert_int_ge(time(NULL), soon);
}
END_TEST

static const struct {
    const char *body;
    const char *pointer;
} keys_refused[] = {
    {"{}", "/scopes"},
    {"{\"scopes\":[]}", "/scopes"},
    {"{\"scopes\":[\"everything\"]}", "/scopes/0"},
    {"{\"scopes\":[\"revenue:read\"],\"expires_at\":\"tomorrow\"}", "/expires_at"},
    {"{\"scopes\":[\"revenue:read\"],\"mode\":\"demo\"}", "/mode"},
    {"{\"scopes\":[\"revenue:read\"],\"secret\":\"mine\"}", "/secret"},
};

START_TEST(a_bad_key_is_not_made)
{
    struct response *is =
        post(operator_key, text("/v1/partners/%s/keys", operator_id()), keys_refused[_i].body);
    expect_problem(is, 422, "fields_invalid");
    ck_assert(json_is_string(at(is, "/errors/0/pointer")));
    ck_assert_str_eq(text_at(is, "/errors/0/pointer"), keys_refused[_i].pointer);
}
END_TEST

START_TEST(only_the_platform_administers)
{
    const char *key = make_partner_key("key-c", "\"provider\"");
    struct response *is = post(operator_key, "/v1/partners/key-c/keys", "{\"scopes\":[\"admin\"]}");
    ck_assert_int_eq(is->status, 422);
    expect_problem(post(key, "/v1/partners", "{}"), 403, "scope_missing");
    expect_problem(post(key, "/v1/partners/key-c/keys", "{\"scopes\":[\"revenue:read\"]}"), 403,
                   "scope_missing");
    expect_status(get(key, "/v1/partners/key-c/keys"), 200);
    expect_problem(
        post(operator_key, "/v1/partners/nobody/keys", "{\"scopes\":[\"revenue:read\"]}"), 404,
        "not_found");
}
END_TEST

START_TEST(test_books_share_nothing_with_live_ones)
{
    const char *live = make_partner_key("book-a", "\"provider\",\"channel\"");
    struct response *made =
        post(operator_key, "/v1/partners/book-a/keys",
             "{\"mode\":\"test\",\"scopes\":[\"catalog:read\",\"catalog:write\","
             "\"events:write\",\"events:read\",\"revenue:read\"]}");
    expect_status(made, 201);
    expect_text(made, "/mode", "test");
    const char *test = text_at(made, "/secret");
    ck_assert_int_eq(strncmp(test, "accord_test_", 12), 0);
    struct response *me = get(test, "/v1/me");
    expect_status(me, 200);
    expect_text(me, "/mode", "test");
    expect_text(me, "/partner", "book-a");

    make_course(test, "book-a", "only-test", 100, "CNY");
    make_course(live, "book-a", "only-live", 100, "CNY");
    expect_problem(get(live, "/v1/courses/book-a/only-test"), 404, "not_found");
    expect_problem(get(test, "/v1/courses/book-a/only-live"), 404, "not_found");
    post_facts(test, "{\"event_id\":\"t1\",\"type\":\"rating\",\"occurred_at\":"
                     "\"2025-01-02T00:00:00Z\",\"provider\":\"book-a\",\"course_id\":\"only-test\","
                     "\"value\":5}");
    expect_count(get(live, "/v1/events"), "/items", 0);
    expect_count(get(test, "/v1/events"), "/items", 1);
}
END_TEST

static const char *const bad_authorizations[] = {
    "Authorization: Bearer accord_live_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "Authorization: Bearer nonsense",
    "Authorization: Bearer ",
    "Authorization: Basic dXNlcjpwYXNz",
    "Authorization: accord_live_operatoroperatoroperatoroperatoroperator_00",
    NULL,
};

START_TEST(no_valid_key_is_unauthenticated)
{
    struct response *is = client_send(
        &(struct request){.method = "GET", .path = "/v1/me", .headers = {bad_authorizations[_i]}});
    expect_problem(is, 401, "unauthenticated");
    ck_assert_ptr_nonnull(header(is, "www-authenticate"));
}
END_TEST

START_TEST(what_is_not_there_says_so)
{
    expect_problem(get(operator_key, "/v1/nothing"), 404, "not_found");
    struct response *is = del(operator_key, "/v1/partners");
    expect_problem(is, 405, "method_not_allowed");
    const char *allow = header(is, "allow");
    ck_assert(allow != NULL && strstr(allow, "GET") != NULL && strstr(allow, "POST") != NULL);
    expect_status(get(NULL, "/healthz"), 200);
    expect_status(get(NULL, "/readyz"), 200);
    struct response *contract = get(NULL, "/openapi.json");
    expect_status(contract, 200);
    ck_assert(json_is_object(at(contract, "/paths/~1v1~1revenue/get")));
    struct response *docs = get(NULL, "/docs");
    expect_status(docs, 200);
    ck_assert(strstr(docs->body, "getRevenue") != NULL || strstr(docs->body, "/v1/revenue"));
    ck_assert(strstr(docs->body, "idempotency_mismatch") != NULL);
    struct response *metrics = get(NULL, "/metrics");
    expect_status(metrics, 200);
    ck_assert(strstr(metrics->body, "# TYPE ") != NULL);
    struct response *traced = client_send(&(struct request){
        .method = "GET", .path = "/healthz", .headers = {"X-Request-Id: my-trace-17"}});
    ck_assert_str_eq(header(traced, "x-request-id"), "my-trace-17");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("partners");
    TCase *all = tcase_create("partners");
    tcase_add_unchecked_fixture(all, world_setup, world_teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, a_created_partner_is_what_was_sent);
    tcase_add_loop_test(all, every_bad_field_is_named, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(all, all_field_errors_come_at_once);
    tcase_add_test(all, lists_come_in_pages_and_show_what_one_may_see);
    tcase_add_test(all, a_partner_changes_its_own_text_and_the_operator_all);
    tcase_add_test(all, a_suspended_partner_is_refused);
    tcase_add_test(all, a_secret_is_shown_once);
    tcase_add_test(all, revocation_and_expiry_take_effect_at_once);
    tcase_add_loop_test(all, a_bad_key_is_not_made, 0,
                        sizeof keys_refused / sizeof keys_refused[0]);
    tcase_add_test(all, only_the_platform_administers);
    tcase_add_test(all, test_books_share_nothing_with_live_ones);
    tcase_add_loop_test(all, no_valid_key_is_unauthenticated, 0,
                        sizeof bad_authorizations / sizeof bad_authorizations[0]);
    tcase_add_test(all, what_is_not_there_says_so);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "partners")
