/* Links: a channel proposes, a promoter accepts, and is paid for the sales that they lead to. */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *school;
static const char *shop;
static const char *lin;
static const char *wang;

static void once(void)
{
    world_setup();
    const char *key = make_partner_key("school", "\"provider\"");
    const char *channel = make_partner_key("shop", "\"channel\"");
    make_course(key, "school", "c", 10000, "CNY");
    make_agreement(
        "deal",
        "\"parties\":[\"school\",\"shop\"],\"scope\":{\"providers\":[\"school\"],\"channels\":"
        "[\"shop\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\","
        "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":["
        "{\"kind\":\"referral\",\"levels_ppm\":[100000,50000],\"window_days\":7},"
        "{\"kind\":\"share\",\"payee\":\"school\",\"share_ppm\":700000},"
        "{\"kind\":\"residual\",\"payee\":\"shop\"}]",
        (const char *const[]){key, channel, NULL});
    school = strdup(key);
    shop = strdup(channel);
    lin = strdup(make_partner_key("lin", "\"promoter\""));
    wang = strdup(make_partner_key("wang", "\"promoter\""));
    client_free_all();
}

static void at_the_end(void)
{
    world_teardown();
    client_free_all();
}

/* Now, give or take minutes. */
static const char *when(int minutes)
{
    const time_t at = time(NULL) + minutes * 60;
    struct tm parts;
    gmtime_r(&at, &parts);
    char out[32];
    strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text("%s", out);
}

/* The month of Shanghai that a sale of now lies in. */
static const char *month(int minutes)
{
    const time_t at = time(NULL) + minutes * 60 + 8 * 3600;
    struct tm parts;
    gmtime_r(&at, &parts);
    char out[16];
    strftime(out, sizeof out, "%Y-%m", &parts);
    return text("%s", out);
}

static void touch(const char *event, const char *link, const char *learner)
{
    post_facts(shop, text("{\"event_id\":\"%s\",\"type\":\"touch\",\"provider\":\"school\","
                          "\"course_id\":\"c\",\"occurred_at\":\"%s\","
                          "\"learner\":\"%s\",\"link\":\"%s\"}",
                          event, when(-60), learner, link));
}

static void sell(const char *order, const char *learner)
{
    post_facts(shop,
               text("{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                    "\"learner\":\"%s\",\"order_id\":\"%s\",\"currency\":\"CNY\",\"lines\":"
                    "[{\"line_id\":\"1\",\"provider\":\"school\",\"course_id\":\"c\",\"quantity\":"
                    "1,\"paid\":10000}]}",
                    order, when(-30), learner, order));
}

START_TEST(a_link_is_proposed_accepted_and_closed)
{
    struct response *is = put(shop, "/v1/links/A%201", "If-None-Match: *",
                              "{\"promoter\":\"lin\",\"learner\":\"lin-herself\"}");
    expect_status(is, 201);
    expect_text(is, "/state", "proposed");
    expect_text(is, "/code", "A 1");
    expect_bool(is, "/has_learner", true);
    ck_assert(strstr(is->body, "lin-herself") == NULL);
    expect_problem(put(shop, "/v1/links/A%201", "If-None-Match: *", "{\"promoter\":\"lin\"}"), 412,
                   "version_mismatch");
    expect_problem(put(shop, "/v1/links/A%201", NULL, "{\"promoter\":\"lin\"}"), 428,
                   "if_match_required");
    /* Changed while it is a proposal. */
    is = get(shop, "/v1/links/A%%201");
    is = put(shop, "/v1/links/A%201", text("If-Match: %s", header(is, "etag")),
             "{\"promoter\":\"lin\"}");
    expect_status(is, 200);
    expect_bool(is, "/has_learner", false);

    expect_problem(get(wang, "/v1/links/A%%201?channel=shop"), 404, "not_found");
    expect_problem(get(lin, "/v1/links/A%%201"), 404, "not_found");
    expect_text(get(lin, "/v1/links/A%%201?channel=shop"), "/state", "proposed");
    expect_problem(post(wang, "/v1/links/A%201/accept?channel=shop", NULL), 404, "not_found");
    expect_problem(post(shop, "/v1/links/A%201/accept", NULL), 403, "role_missing");
    is = post(lin, "/v1/links/A%201/accept?channel=shop", NULL);
    expect_status(is, 200);
    expect_text(is, "/state", "accepted");
    expect_problem(post(lin, "/v1/links/A%201/accept?channel=shop", NULL), 409, "link_state");
    is = get(shop, "/v1/links/A%%201");
    expect_problem(put(shop, "/v1/links/A%201", text("If-Match: %s", header(is, "etag")),
                       "{\"promoter\":\"wang\"}"),
                   409, "link_state");
    is = post(shop, "/v1/links/A%201/close", NULL);
    expect_text(is, "/state", "closed");
    expect_problem(post(lin, "/v1/links/A%201/close?channel=shop", NULL), 409, "link_state");
}
END_TEST

START_TEST(what_a_link_may_not_say)
{
    static const char fresh[] = "If-None-Match: *";
    expect_field_problem(put(shop, "/v1/links/B", fresh, "{\"promoter\":\"school\"}"), "/promoter",
                         "partner_unknown");
    expect_field_problem(put(shop, "/v1/links/B", fresh, "{\"promoter\":\"nobody\"}"), "/promoter",
                         "partner_unknown");
    expect_field_problem(put(shop, "/v1/links/B", fresh, "{}"), "/promoter", "field_missing");
    expect_field_problem(
        put(shop, "/v1/links/B", fresh, "{\"promoter\":\"lin\",\"parent\":\"lin\"}"), "/parent",
        "link_parent");
    make_partner("chen", "\"promoter\"", "CNY", "Asia/Shanghai");
    /* Chen has accepted nothing. */
    expect_field_problem(
        put(shop, "/v1/links/B", fresh, "{\"promoter\":\"wang\",\"parent\":\"chen\"}"), "/parent",
        "link_parent");
    expect_problem(put(school, "/v1/links/B", fresh, "{\"promoter\":\"lin\"}"), 403,
                   "role_missing");
    expect_problem(put(school, "/v1/links/B?channel=shop", fresh, "{\"promoter\":\"lin\"}"), 404,
                   "not_found");
    expect_problem(put(operator_key, "/v1/links/B?channel=school", fresh, "{\"promoter\":\"lin\"}"),
                   404, "not_found");
}
END_TEST

START_TEST(a_promoter_is_paid_and_sees_no_more_than_that)
{
    static const char fresh[] = "If-None-Match: *";
    expect_status(put(shop, "/v1/links/L", fresh, "{\"promoter\":\"lin\"}"), 201);
    expect_status(post(lin, "/v1/links/L/accept?channel=shop", NULL), 200);
    expect_status(put(shop, "/v1/links/W", fresh, "{\"promoter\":\"wang\",\"parent\":\"lin\"}"),
                  201);
    expect_status(post(wang, "/v1/links/W/accept?channel=shop", NULL), 200);
    /* No third level, and one parent for all links. */
    expect_field_problem(
        put(shop, "/v1/links/X", fresh, "{\"promoter\":\"lin\",\"parent\":\"wang\"}"), "/parent",
        "link_parent");
    expect_field_problem(put(shop, "/v1/links/X", fresh, "{\"promoter\":\"wang\"}"), "/parent",
                         "link_parent_differs");
    touch("t1", "L", "u1");
    touch("t2", "W", "u1");
    sell("o1", "u1");
    /* 10 % to Wang, whose touch is last by its id, 5 % to Lin; 8500 are shared 70 : 30. */
    struct response *is = get(shop, "/v1/orders/shop/o1/explain");
    expect_status(is, 200);
    expect_count(is, "/lines/0/touches", 2);
    expect_text(is, text("%s/outcome", find(is, "/lines/0/touches", "event_id", "t1")), "beaten");
    expect_text(is, text("%s/outcome", find(is, "/lines/0/touches", "event_id", "t2")), "won");
    const char *shares = "/lines/0/shares";
    expect_money(is, text("%s/amount", find(is, shares, "payee", "wang")), 1000, "CNY");
    expect_money(is, text("%s/amount", find(is, shares, "payee", "lin")), 500, "CNY");
    expect_money(is, text("%s/amount", find(is, shares, "payee", "school")), 5950, "CNY");
    expect_money(is, text("%s/amount", find(is, shares, "payee", "shop")), 2550, "CNY");
    const char *report = text("/v1/revenue?period=%s", month(-30));
    is = get(wang, "%s", report);
    expect_status(is, 200);
    expect_count(is, "/rows", 0);
    expect_count(is, "/referrals", 1);
    expect_text(is, "/referrals/0/agreement", "deal");
    expect_money(is, "/referrals/0/own", 1000, "CNY");
    ck_assert(strstr(is->body, "10000") == NULL && strstr(is->body, "school") == NULL);
    expect_money(get(lin, "%s", report), "/referrals/0/own", 500, "CNY");
    expect_absent(get(school, "%s", report), "/referrals");
    expect_problem(get(wang, "/v1/orders/shop/o1"), 404, "not_found");
    expect_problem(get(wang, "/v1/orders/shop/o1/explain"), 404, "not_found");

    /* Suspended: from then on the sale is Lin's, whose touch is next. */
    is = get(operator_key, "/v1/partners/wang");
    expect_status(patch(operator_key, "/v1/partners/wang", text("If-Match: %s", header(is, "etag")),
                        "{\"state\":\"suspended\"}"),
                  200);
    touch("t3", "L", "u2");
    touch("t4", "W", "u2");
    post_facts(shop,
               text("{\"event_id\":\"o2\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                    "\"learner\":\"u2\",\"order_id\":\"o2\",\"currency\":\"CNY\",\"lines\":"
                    "[{\"line_id\":\"1\",\"provider\":\"school\",\"course_id\":\"c\",\"quantity\":"
                    "1,\"paid\":10000}]}",
                    when(1)));
    is = get(shop, "/v1/orders/shop/o2/explain");
    expect_text(is, text("%s/outcome", find(is, "/lines/0/touches", "event_id", "t4")),
                "promoter_suspended");
    expect_money(is, text("%s/amount", find(is, shares, "payee", "lin")), 1000, "CNY");
}
END_TEST

/* "channel/code channel/code" of a page. */
static const char *listed(const struct response *is)
{
    const char *all = "";
    for (size_t i = 0; i < json_array_size(at(is, "/items")); i++)
        all = text("%s%s%s/%s", all, i == 0 ? "" : " ", text_at(is, text("/items/%zu/channel", i)),
                   text_at(is, text("/items/%zu/code", i)));
    return all;
}

static void expect_listed(const char *key, const char *query, const char *want)
{
    struct response *is = get(key, "/v1/links%s", query);
    expect_status(is, 200);
    expect_null(is, "/next");
    ck_assert_str_eq(listed(is), want);
}

START_TEST(links_are_listed_for_those_concerned)
{
    static const char fresh[] = "If-None-Match: *";
    const char *mall = make_partner_key("mall", "\"channel\",\"promoter\"");
    const char *kiosk = make_partner_key("kiosk", "\"channel\"");
    const char *mia = make_partner_key("mia", "\"promoter\"");
    const char *noa = make_partner_key("noa", "\"promoter\"");
    expect_listed(mall, "", "");
    expect_status(put(mall, "/v1/links/b", fresh, "{\"promoter\":\"mia\"}"), 201);
    expect_status(put(mall, "/v1/links/a", fresh, "{\"promoter\":\"noa\",\"learner\":\"u-noa\"}"),
                  201);
    expect_status(put(mall, "/v1/links/self", fresh, "{\"promoter\":\"mall\"}"), 201);
    expect_status(put(kiosk, "/v1/links/z", fresh, "{\"promoter\":\"mia\"}"), 201);
    expect_status(put(kiosk, "/v1/links/m", fresh, "{\"promoter\":\"mall\"}"), 201);
    struct response *is = get(mia, "/v1/links");
    const char *tag = header(is, "etag");
    const struct request again = {.method = "GET",
                                  .path = "/v1/links",
                                  .key = mia,
                                  .headers = {text("If-None-Match: %s", tag)}};
    expect_status(client_send(&again), 304);
    expect_status(post(mia, "/v1/links/b/accept?channel=mall", NULL), 200);
    is = client_send(&again);
    expect_status(is, 200);
    expect_text(is, "/items/1/state", "accepted");
    expect_text(is, "/items/0/state", "proposed");

    /* A channel that promotes for others sees both sides, its own one once. */
    expect_listed(mall, "", "kiosk/m mall/a mall/b mall/self");
    expect_listed(mall, "?channel=mall", "mall/a mall/b mall/self");
    expect_listed(mall, "?channel=kiosk", "kiosk/m");
    expect_listed(mall, "?promoter=mall", "kiosk/m mall/self");
    expect_listed(mall, "?promoter=mia", "mall/b");
    expect_listed(mall, "?channel=kiosk&promoter=mia", "");
    expect_listed(kiosk, "", "kiosk/m kiosk/z");
    expect_listed(mia, "", "kiosk/z mall/b");
    expect_listed(mia, "?channel=mall", "mall/b");
    expect_listed(mia, "?promoter=noa", "");
    expect_listed(noa, "", "mall/a");
    ck_assert(strstr(get(noa, "/v1/links")->body, "u-noa") == NULL);
    expect_listed(operator_key, "?channel=kiosk", "kiosk/m kiosk/z");
    expect_listed(operator_key, "?promoter=mia", "kiosk/z mall/b");
    expect_listed(operator_key, "?promoter=mia&channel=mall", "mall/b");
    is = get(operator_key, "/v1/links");
    ck_assert(strstr(listed(is), "kiosk/m kiosk/z mall/a mall/b mall/self") != NULL);

    const char *pages[] = {"kiosk/m mall/a", "mall/b mall/self"};
    is = get(mall, "/v1/links?limit=2");
    ck_assert_str_eq(listed(is), pages[0]);
    ck_assert(header(is, "link") != NULL);
    is = get(mall, "/v1/links?limit=2&cursor=%s", text_at(is, "/next"));
    ck_assert_str_eq(listed(is), pages[1]);
    expect_null(is, "/next");
    is = get(operator_key, "/v1/links?channel=mall&limit=1");
    is = get(operator_key, "/v1/links?channel=mall&limit=1&cursor=%s", text_at(is, "/next"));
    ck_assert_str_eq(listed(is), "mall/b");
    expect_problem(get(operator_key, "/v1/links?limit=1&cursor=%s", text_at(is, "/next")), 400,
                   "cursor_invalid");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("links");
    TCase *all = tcase_create("links");
    tcase_add_unchecked_fixture(all, once, at_the_end);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, a_link_is_proposed_accepted_and_closed);
    tcase_add_test(all, what_a_link_may_not_say);
    tcase_add_test(all, links_are_listed_for_those_concerned);
    tcase_add_test(all, a_promoter_is_paid_and_sees_no_more_than_that);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "links")
