/* Memberships over HTTP: the schedule by months, why, who sees it, the revenue report and the
 * statement lines that they come to. A year of 36,500 is 100 a day; the operator gets 30 %, a
 * partner of both 10 %. */
#include "settle_offline.h"

struct club {
    const char *name;
    const char *shop;   /* key of the channel "<name>-shop" */
    const char *friend; /* key of a further party, "<name>-friend" */
};

static struct club club_make(const char *name, const char *from)
{
    struct club club = {.name = name};
    club.shop = make_partner_key(text("%s-shop", name), "\"channel\"");
    club.friend = make_partner_key(text("%s-friend", name), "\"provider\"");
    make_agreement(
        name,
        text("\"parties\":[\"%s\",\"%s-shop\",\"%s-friend\"],\"collector\":\"%s-shop\",\"scope\":{"
             "\"providers\":[\"%s\"],\"channels\":[\"%s-shop\"]},\"effective\":{\"from\":"
             "\"%sT00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":\"month\","
             "\"time_zone\":\"Asia/Shanghai\"},\"terms\":[{\"kind\":\"share\",\"payee\":\"%s\","
             "\"share_ppm\":300000},{\"kind\":\"share\",\"payee\":\"%s-friend\",\"share_ppm\":"
             "100000},{\"kind\":\"residual\",\"payee\":\"%s-shop\"}]",
             operator_id(), name, name, name, operator_id(), name, from, operator_id(), name, name),
        (const char *const[]){operator_key, club.shop, club.friend, NULL});
    return club;
}

static void join(const struct club *club)
{
    post_facts(club->shop,
               "{\"event_id\":\"m1\",\"type\":\"membership.started\",\"occurred_at\":"
               "\"2025-01-09T20:00:00+08:00\",\"membership_id\":\"m-1\",\"offer\":\"annual\","
               "\"learner\":\"u1\",\"currency\":\"CNY\",\"paid\":36500,\"from\":"
               "\"2025-01-10T00:00:00+08:00\",\"to\":\"2026-01-10T00:00:00+08:00\"}");
}

static void leave(const struct club *club, const char *day, long long refund)
{
    post_facts(club->shop,
               text("{\"event_id\":\"x1\",\"type\":\"membership.cancelled\",\"occurred_at\":"
                    "\"%sT09:00:00+08:00\",\"membership_id\":\"m-1\",\"amount\":%lld}",
                    day, refund));
}

static struct response *membership(const char *key, const struct club *club, const char *more)
{
    return get(key, "/v1/memberships/%s-shop/m-1%s", club->name, more);
}

START_TEST(a_schedule_by_months)
{
    const struct club club = club_make("months", "2025-01-01");
    join(&club);
    struct response *is = membership(club.shop, &club, "");
    expect_status(is, 200);
    expect_text(is, "/membership_id", "m-1");
    expect_text(is, "/terms/0/term_id", "");
    expect_text(is, "/terms/0/from", "2025-01-09T16:00:00Z");
    expect_int(is, "/terms/0/paid/amount", 36500);
    expect_count(is, "/terms/0/months", 13);
    expect_text(is, "/terms/0/months/0/month", "2025-01");
    expect_text(is, "/terms/0/months/0/occurred_at", "2025-01-09T16:00:00Z");
    expect_int(is, "/terms/0/months/0/gross/amount", 2200);
    expect_text(is, "/terms/0/months/1/occurred_at", "2025-01-31T16:00:00Z");
    expect_int(is, "/terms/0/months/1/net/amount", 2800);
    expect_int(is, "/terms/0/months/1/shares/0/amount/amount", 840);
    expect_int(is, "/terms/0/months/1/shares/1/amount/amount", 1680);
    expect_text(is, "/terms/0/months/1/agreement/rank", "provider_channel");
    /* A cancellation that takes more back than there is to come. */
    const char *tag = header(is, "etag");
    leave(&club, "2025-03-11", 35500);
    is = client_send(&(struct request){.method = "GET",
                                       .path = "/v1/memberships/months-shop/m-1",
                                       .key = club.shop,
                                       .headers = {text("If-None-Match: %s", tag)}});
    expect_status(is, 200);
    expect_text(is, "/terms/0/cancelled_at", "2025-03-11T01:00:00Z");
    expect_int(is, "/terms/0/refunded/amount", 35500);
    expect_count(is, "/terms/0/months", 3);
    expect_int(is, "/terms/0/months/2/gross/amount", -4000);
    expect_int(is, "/terms/0/months/2/shares/0/amount/amount", -1200);
    is = membership(club.shop, &club, "/explain");
    expect_status(is, 200);
    expect_text(is, "/terms/0/months/0/steps/0/op", "gross");
    expect_count(is, "/terms/0/months/0/taken_back", 0);
    expect_count(is, "/terms/0/months/2/steps", 0);
    expect_int(is, "/terms/0/months/2/taken_back/0/amount/amount", 4000);
    /* Orders stay orders. */
    expect_problem(get(club.shop, "/v1/orders/months-shop/m-1"), 404, "not_found");
    expect_problem(get(club.shop, "/v1/memberships/months-shop/m2"), 404, "not_found");
}
END_TEST

START_TEST(who_sees_it)
{
    const struct club club = club_make("sees", "2025-03-15");
    join(&club);
    /* The first three months began before the agreement did. */
    struct response *is = membership(operator_key, &club, "");
    expect_status(is, 200);
    expect_count(is, "/terms/0/months", 13);
    expect_text(is, "/terms/0/months/2/held", "unassigned");
    expect_count(is, "/terms/0/months/2/shares", 0);
    expect_absent(is, "/terms/0/months/3/held");
    struct response *held = get(club.shop, "/v1/revenue?period=2025-02");
    expect_status(held, 200);
    expect_count(held, "/rows", 0);
    expect_text(held, "/held/0/reason", "unassigned");
    expect_text(held, "/held/0/provider", operator_id());
    expect_int(held, "/held/0/gross/amount", 2800);
    /* A further party sees the months that its agreement covers, and not the whole. */
    is = membership(club.friend, &club, "");
    expect_status(is, 200);
    expect_count(is, "/terms/0/months", 10);
    expect_int(is, "/terms/0/months/0/shares/2/amount/amount", 300);
    expect_absent(is, "/terms/0/paid");
    expect_absent(is, "/terms/0/from");
    expect_status(membership(club.friend, &club, "/explain"), 200);
    const char *stranger = make_partner_key("sees-stranger", "\"channel\"");
    expect_problem(membership(stranger, &club, ""), 404, "not_found");
    expect_problem(membership(stranger, &club, "/explain"), 404, "not_found");
}
END_TEST

START_TEST(revenue_and_statements)
{
    const struct club club = club_make("report", "2025-01-01");
    join(&club);
    struct response *is = get(club.shop, "/v1/revenue?period=2025-02");
    expect_status(is, 200);
    expect_int(is, "/rows/0/gross/amount", 2800);
    expect_text(is, "/rows/0/agreement", "report");
    is = get(club.shop, "/v1/revenue?period=2025-02&group_by=course");
    expect_status(is, 200);
    expect_text(is, "/rows/0/course/course_id", "annual");
    is = post(club.shop, "/v1/simulations", "{\"agreement\":\"report\",\"period\":\"2025-01\"}");
    expect_status(is, 200);
    expect_int(is, "/line_count", 1);
    expect_int(is, "/totals/2/amount", 1320);
    expect_int(is, "/totals/2/difference", 0);
    struct response *closed =
        post(operator_key, "/v1/agreements/report/periods/2025-01/close", NULL);
    expect_status(closed, 200);
    const char *statement =
        text_at(closed, text("%s/id", find(closed, "/statements", "partner", "report-shop")));
    is = get(club.shop, "/v1/statements/%s", statement);
    expect_int(is, "/lines/earned", 1320);
    expect_text(is, "/lines/kinds/0/kind", "membership");
    is = get(club.shop, "/v1/statements/%s/lines", statement);
    expect_status(is, 200);
    expect_text(is, "/items/0/kind", "membership");
    expect_text(is, "/items/0/membership_id", "m-1");
    expect_text(is, "/items/0/term_id", "");
    expect_absent(is, "/items/0/order_id");
    is = get(club.shop, "/v1/statements/%s/lines/%s/explain", statement,
             text_at(is, "/items/0/line"));
    expect_status(is, 200);
    expect_bool(is, "/exact", true);
    expect_text(is, "/kind", "membership");
    expect_int(is, "/after/steps/0/amount/amount", 2200);
    expect_null(is, "/before");
    /* Found out late: what the closed month is off by stands in the next. */
    leave(&club, "2025-01-20", 35500);
    closed = post(operator_key, "/v1/agreements/report/periods/2025-02/close", NULL);
    expect_status(closed, 200);
    const char *next =
        text_at(closed, text("%s/id", find(closed, "/statements", "partner", "report-shop")));
    is = get(club.shop, "/v1/statements/%s/lines", next);
    expect_count(is, "/items", 1);
    expect_text(is, "/items/0/adjusts", "2025-01");
    expect_int(is, "/items/0/gross", -1200);
    is = get(club.shop, "/v1/statements/%s/lines/%s/explain", next, text_at(is, "/items/0/line"));
    expect_status(is, 200);
    expect_bool(is, "/exact", true);
    expect_int(is, "/after/steps/0/amount/amount", 1000);
    expect_int(is, "/before/steps/0/amount/amount", 2200);
    /* From the files alone: channel and operator have the term, a further party its lines only. */
    expect_again(club.shop, statement);
    expect_again(club.shop, next);
    is = get(club.shop, "/v1/statements/%s/inputs", next);
    ck_assert_ptr_nonnull(strstr(is->body, "\"derived\":true"));
    ck_assert_ptr_nonnull(strstr(is->body, "\"refunded\":35500,"));
    ck_assert_ptr_nonnull(strstr(is->body, "\"paid\":36500,"));
    const char *others =
        text_at(closed, text("%s/id", find(closed, "/statements", "partner", "report-friend")));
    expect_again(club.friend, others);
    is = get(club.friend, "/v1/statements/%s/inputs", others);
    ck_assert_ptr_nonnull(strstr(is->body, "\"derived\":false"));
    ck_assert_ptr_null(strstr(is->body, "36500"));
    ck_assert_ptr_null(strstr(is->body, "35500"));
    is = client_send(&(struct request){.method = "GET",
                                       .path = text("/v1/statements/%s/lines", statement),
                                       .key = club.shop,
                                       .headers = {"Accept: text/csv"}});
    expect_status(is, 200);
    ck_assert_ptr_nonnull(strstr(is->body, ",membership,2025-01,,1,report-shop,,,m-1,,"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("memberships");
    TCase *all = tcase_create("memberships");
    tcase_add_unchecked_fixture(all, world_setup, world_teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, a_schedule_by_months);
    tcase_add_test(all, who_sees_it);
    tcase_add_test(all, revenue_and_statements);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "memberships")
