/* The attribution of an order: which touches led to it, what became of each, and what it would get
 * in every model of reports; and the touch that a sale names itself. */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *school;
static const char *month_shop; /* pays touches of five days */
static const char *week_shop;  /* of one day */
static const char *promoters[5];
static const char *const names[5] = {"amy", "bob", "cho", "dan", "eve"};
static time_t sold; /* when every sale takes place */

static void pact(const char *shop, const char *key, const char *rules)
{
    make_agreement(
        text("deal-%s", shop),
        text(
            "\"parties\":[\"school\",\"%s\"],\"scope\":{\"providers\":[\"school\"],\"channels\":"
            "[\"%s\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\","
            "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":["
            "{\"kind\":\"referral\",\"levels_ppm\":[100000,50000],%s},"
            "{\"kind\":\"share\",\"payee\":\"school\",\"share_ppm\":700000},"
            "{\"kind\":\"residual\",\"payee\":\"%s\"}]",
            shop, shop, rules, shop),
        (const char *const[]){school, key, NULL});
}

static void link_of(const char *shop, const char *code, size_t promoter, const char *more)
{
    expect_status(put(shop, text("/v1/links/%s", code), "If-None-Match: *",
                      text("{\"promoter\":\"%s\"%s}", names[promoter], more)),
                  201);
}

static void accept_link(const char *channel, const char *code, size_t promoter)
{
    expect_status(
        post(promoters[promoter], text("/v1/links/%s/accept?channel=%s", code, channel), NULL),
        200);
}

static void once(void)
{
    world_setup();
    sold = time(NULL) - 60;
    school = strdup(make_partner_key("school", "\"provider\""));
    month_shop = strdup(make_partner_key("month", "\"channel\""));
    week_shop = strdup(make_partner_key("week", "\"channel\""));
    make_course(school, "school", "c", 10000, "CNY");
    pact("month", month_shop, "\"window_days\":5");
    pact("week", week_shop, "\"window_days\":1,\"coupon_beats_click\":true");
    for (size_t i = 0; i < 5; i++) {
        promoters[i] = strdup(make_partner_key(names[i], "\"promoter\""));
        for (int shop = 0; shop < 2; shop++) {
            link_of(shop == 0 ? month_shop : week_shop, names[i], i, "");
            accept_link(shop == 0 ? "month" : "week", names[i], i);
        }
    }
    client_free_all();
}

static void at_the_end(void)
{
    world_teardown();
    client_free_all();
}

/* So many microseconds before the sales. */
static const char *before(long long us)
{
    const long long at_us = (long long)sold * 1000000 - us;
    const time_t at = (time_t)(at_us / 1000000);
    struct tm parts;
    gmtime_r(&at, &parts);
    char out[32];
    strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%S", &parts);
    return text("%s.%06lldZ", out, at_us % 1000000);
}

static const long long day_us = 86400LL * 1000000;

static void touch(const char *shop, const char *event, const char *learner, const char *code,
                  const char *kind, long long us)
{
    post_facts(shop, text("{\"event_id\":\"%s\",\"type\":\"touch\",\"provider\":\"school\","
                          "\"course_id\":\"c\",\"occurred_at\":\"%s\",\"learner\":\"%s\","
                          "\"link\":\"%s\",\"kind\":\"%s\"}",
                          event, before(us), learner, code, kind));
}

/* `more`: members that end with a comma, or "". */
static const char *sale(const char *order, const char *more, long long paid, long long us)
{
    return text("{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\",%s"
                "\"order_id\":\"%s\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\","
                "\"provider\":\"school\",\"course_id\":\"c\",\"quantity\":1,\"paid\":%lld}]}",
                order, before(us), more, order, paid);
}

static void sell(const char *shop, const char *order, const char *more, long long paid)
{
    post_facts(shop, sale(order, more, paid, 0));
}

/* ---- the models ---- */

enum { TOUCHES = 5 };

/* Ages are sevenths of a day and a half-life of a day, so that the oldest touch is not too late to
 * be told: the shares are those of days and of a week. */
static const struct {
    long long paid;
    long long ages[TOUCHES];
    size_t count;
    bool week; /* the window: 7 sevenths, else 35 */
    json_int_t last[TOUCHES];
    json_int_t first[TOUCHES];
    json_int_t linear[TOUCHES];
    json_int_t position[TOUCHES];
    json_int_t decay[TOUCHES];
} cases[] = {
    /* clang-format off */
    {19900, {20, 9, 1}, 3, false, {0, 0, 19900}, {19900, 0, 0}, {6634, 6633, 6633}, {7960, 3980, 7960}, {1889, 5614, 12397}},
    {19900, {20, 9, 1}, 3, true, {0, 0, 19900}, {0, 0, 19900}, {0, 0, 19900}, {0, 0, 19900}, {0, 0, 19900}},
    {19900, {14, 7, 0}, 3, false, {0, 0, 19900}, {19900, 0, 0}, {6634, 6633, 6633}, {7960, 3980, 7960}, {2843, 5686, 11371}},
    {20000, {5, 4, 3, 2, 0}, 5, false, {0, 0, 0, 0, 20000}, {20000, 0, 0, 0, 0}, {4000, 4000, 4000, 4000, 4000}, {8000, 1334, 1333, 1333, 8000}, {3170, 3500, 3864, 4266, 5200}},
    {19900, {12, 8}, 2, true, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}},
    {10001, {3, 3}, 2, false, {0, 10001}, {10001, 0}, {5001, 5000}, {5001, 5000}, {5001, 5000}},
    {999, {0}, 1, false, {999}, {999}, {999}, {999}, {999}},
    /* clang-format on */
};
enum { CASES = sizeof cases / sizeof cases[0] };

static const char *block_path = "/agreements/0";

static void expect_shares(const struct response *is, size_t place, const char *model,
                          json_int_t amount)
{
    expect_money(is, text("%s/touches/%zu/shares/%s", block_path, place, model), amount, "CNY");
}

START_TEST(the_models_of_reports)
{
    const size_t count = cases[_i].count;
    const char *shop = cases[_i].week ? week_shop : month_shop;
    const char *channel = cases[_i].week ? "week" : "month";
    const char *learner = text("u-case-%d", _i);
    for (size_t i = 0; i < count; i++)
        touch(shop, text("case-%d-%zu", _i, i), learner, names[i], "click",
              cases[_i].ages[i] * day_us / 7);
    sell(shop, text("case-%d", _i), text("\"learner\":\"%s\",", learner), cases[_i].paid);
    struct response *is =
        get(shop, "/v1/orders/%s/case-%d/attribution?half_life_days=1", channel, _i);
    expect_status(is, 200);
    expect_count(is, "/agreements", 1);
    expect_count(is, "/agreements/0/touches", count);
    expect_money(is, "/agreements/0/net", cases[_i].paid, "CNY");
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const bool counts = cases[_i].ages[i] <= (cases[_i].week ? 7 : 35);
        any |= counts;
        expect_text(is, text("/agreements/0/touches/%zu/event_id", i), text("case-%d-%zu", _i, i));
        expect_text(is, text("/agreements/0/touches/%zu/link", i), names[i]);
        expect_text(is, text("/agreements/0/touches/%zu/promoter", i), names[i]);
        expect_int(is, text("/agreements/0/touches/%zu/age_seconds", i),
                   cases[_i].ages[i] * 86400 / 7);
        expect_bool(is, text("/agreements/0/touches/%zu/counts", i), counts);
        expect_text(is, text("/agreements/0/touches/%zu/outcome", i),
                    !counts          ? "outside_window"
                    : i == count - 1 ? "won"
                                     : "beaten");
        expect_shares(is, i, "last", cases[_i].last[i]);
        expect_shares(is, i, "first", cases[_i].first[i]);
        expect_shares(is, i, "linear", cases[_i].linear[i]);
        expect_shares(is, i, "position", cases[_i].position[i]);
        expect_shares(is, i, "time_decay", cases[_i].decay[i]);
        /* Each touch is another promoter's. */
        expect_shares(is, i, "shapley", cases[_i].linear[i]);
    }
    if (!any) {
        expect_null(is, "/agreements/0/payout");
        expect_count(is, "/agreements/0/promoters", 0);
        return;
    }
    /* Payout is the last touch's: a tenth, to even. */
    expect_text(is, "/agreements/0/payout/event_id", text("case-%d-%zu", _i, count - 1));
    expect_text(is, "/agreements/0/payout/promoter", names[count - 1]);
    expect_text(is, "/agreements/0/payout/paid/0/payee", names[count - 1]);
    expect_money(is, "/agreements/0/payout/paid/0/amount", (cases[_i].paid + 5) / 10, "CNY");
}
END_TEST

/* Weights 2^(−2/7), 2^(−1/7), 1 of 10000, and with 14 days 2^(−1/7), 2^(−1/14), 1. */
START_TEST(a_half_life_of_a_week_unless_asked)
{
    static const json_int_t week[] = {3009, 3323, 3668};
    static const json_int_t fortnight[] = {3170, 3330, 3500};
    for (int i = 0; i < 3; i++)
        touch(month_shop, text("half-%d", i), "u-half", names[i], "click", (2 - i) * day_us);
    sell(month_shop, "half", "\"learner\":\"u-half\",", 10000);
    struct response *is = get(school, "/v1/orders/month/half/attribution?model=time_decay,last");
    expect_status(is, 200);
    expect_int(is, "/half_life_days", 7);
    expect_count(is, "/models", 2);
    expect_text(is, "/models/0", "last");
    expect_absent(is, "/agreements/0/touches/0/shares/linear");
    for (size_t i = 0; i < 3; i++)
        expect_shares(is, i, "time_decay", week[i]);
    is = get(school, "/v1/orders/month/half/attribution?half_life_days=14");
    for (size_t i = 0; i < 3; i++)
        expect_shares(is, i, "time_decay", fortnight[i]);
    expect_status(
        client_send(&(struct request){.method = "GET",
                                      .path = text("%s", is->path),
                                      .key = school,
                                      .headers = {text("If-None-Match: %s", header(is, "etag"))}}),
        304);
    expect_problem(get(school, "/v1/orders/month/half/attribution?model=linear,best"), 400,
                   "query_invalid");
    expect_problem(get(school, "/v1/orders/month/half/attribution?model="), 400, "query_invalid");
    expect_problem(get(school, "/v1/orders/month/half/attribution?half_life_days=0"), 400,
                   "query_invalid");
    /* Half of it refunded: half to divide. */
    post_facts(month_shop, text("{\"event_id\":\"half-back\",\"type\":\"order.refunded\","
                                "\"occurred_at\":\"%s\",\"order_id\":\"half\",\"refund_id\":\"r\","
                                "\"amount\":5000}",
                                before(-1000000)));
    is = get(school, "/v1/orders/month/half/attribution?model=linear");
    expect_money(is, "/agreements/0/net", 5000, "CNY");
    expect_shares(is, 0, "linear", 1667);
    expect_shares(is, 1, "linear", 1667);
    expect_shares(is, 2, "linear", 1666);
}
END_TEST

/* Sales of 100 over the paths A, AB, BC, ABC: 550/3, 400/3, 250/3 in all, each sale in whole cents.
 * A promoter who stands twice in a path counts once. */
START_TEST(distinct_promoters_share_a_sale)
{
    static const char *const paths[] = {"AA", "AB", "BCB", "ABC"};
    static const json_int_t want[] = {184, 133, 83};
    json_int_t got[3] = {0};
    for (int i = 0; i < 4; i++) {
        const size_t len = strlen(paths[i]);
        for (size_t t = 0; t < len; t++)
            touch(month_shop, text("path-%d-%zu", i, t), text("u-path-%d", i),
                  names[paths[i][t] - 'A'], "click", (long long)(len - t) * 3600 * 1000000);
        sell(month_shop, text("path-%d", i), text("\"learner\":\"u-path-%d\",", i), 100);
        struct response *is =
            get(month_shop, "/v1/orders/month/path-%d/attribution?model=shapley", i);
        json_int_t touched = 0;
        for (size_t t = 0; t < len; t++)
            touched += int_at(is, text("/agreements/0/touches/%zu/shares/shapley/amount", t));
        ck_assert_int_eq(touched, 100);
        for (size_t p = 0; p < json_array_size(at(is, "/agreements/0/promoters")); p++) {
            const char *name = text_at(is, text("/agreements/0/promoters/%zu/promoter", p));
            for (size_t n = 0; n < 3; n++)
                if (strcmp(name, names[n]) == 0)
                    got[n] +=
                        int_at(is, text("/agreements/0/promoters/%zu/shares/shapley/amount", p));
        }
    }
    for (size_t n = 0; n < 3; n++)
        ck_assert_int_eq(got[n], want[n]);
}
END_TEST

/* ---- why a touch does not count ---- */

static const char *outcome_of(const struct response *is, const char *event)
{
    return text_at(is, text("%s/outcome", find(is, "/agreements/0/touches", "event_id", event)));
}

START_TEST(every_touch_has_its_reason)
{
    const char *fay = make_partner_key("fay", "\"promoter\"");
    const char *gus = make_partner_key("gus", "\"promoter\"");
    static const char fresh[] = "If-None-Match: *";
    expect_status(
        put(week_shop, "/v1/links/self", fresh, "{\"promoter\":\"fay\",\"learner\":\"u-why\"}"),
        201);
    expect_status(post(fay, "/v1/links/self/accept?channel=week", NULL), 200);
    expect_status(put(week_shop, "/v1/links/gus", fresh, "{\"promoter\":\"gus\"}"), 201);
    expect_status(post(gus, "/v1/links/gus/accept?channel=week", NULL), 200);
    expect_status(put(week_shop, "/v1/links/idea", fresh, "{\"promoter\":\"gus\"}"), 201);
    expect_status(put(week_shop, "/v1/links/shut", fresh, "{\"promoter\":\"gus\"}"), 201);
    expect_status(post(gus, "/v1/links/shut/accept?channel=week", NULL), 200);
    expect_status(post(week_shop, "/v1/links/shut/close", NULL), 200);
    struct response *is = get(operator_key, "/v1/partners/gus");
    expect_status(patch(operator_key, "/v1/partners/gus", text("If-Match: %s", header(is, "etag")),
                        "{\"state\":\"suspended\"}"),
                  200);
    const time_t was = sold;
    sold = time(NULL) + 2; /* behind the suspension and the end of the link */
    touch(week_shop, "why-old", "u-why", "amy", "click", day_us + 1);
    touch(week_shop, "why-coupon", "u-why", "bob", "coupon", 5000000);
    touch(week_shop, "why-click", "u-why", "amy", "click", 4000000);
    touch(week_shop, "why-self", "u-why", "self", "click", 3000000);
    touch(week_shop, "why-unknown", "u-why", "nobody", "click", 3000000);
    touch(week_shop, "why-idea", "u-why", "idea", "click", 3000000);
    touch(week_shop, "why-gus", "u-why", "gus", "click", 2000000);
    touch(week_shop, "why-shut", "u-why", "shut", "click", 0);
    sell(week_shop, "why", "\"learner\":\"u-why\",", 10000);
    sold = was;
    is = get(week_shop, "/v1/orders/week/why/attribution");
    expect_status(is, 200);
    expect_count(is, "/agreements/0/touches", 8);
    ck_assert_str_eq(outcome_of(is, "why-old"), "outside_window");
    ck_assert_str_eq(outcome_of(is, "why-coupon"), "won");
    ck_assert_str_eq(outcome_of(is, "why-click"), "beaten_by_coupon");
    ck_assert_str_eq(outcome_of(is, "why-self"), "self_referral");
    ck_assert_str_eq(outcome_of(is, "why-unknown"), "link_unknown");
    ck_assert_str_eq(outcome_of(is, "why-idea"), "link_not_accepted");
    ck_assert_str_eq(outcome_of(is, "why-gus"), "promoter_suspended");
    ck_assert_str_eq(outcome_of(is, "why-shut"), "link_closed");
    const char *unknown = find(is, "/agreements/0/touches", "event_id", "why-unknown");
    expect_absent(is, text("%s/promoter", unknown));
    expect_bool(is, text("%s/counts", unknown), false);
    /* A report credits the click that the coupon beat; the payout is the coupon's. */
    expect_money(is,
                 text("%s/shares/last", find(is, "/agreements/0/touches", "event_id", "why-click")),
                 10000, "CNY");
    expect_money(
        is, text("%s/shares/linear", find(is, "/agreements/0/touches", "event_id", "why-coupon")),
        5000, "CNY");
    expect_text(is, "/agreements/0/payout/promoter", "bob");
    expect_count(is, "/agreements/0/promoters", 2);
    ck_assert(strstr(is->body, "u-why") == NULL);
}
END_TEST

/* ---- who sees it ---- */

START_TEST(everybody_sees_what_is_its_own)
{
    const char *rival = make_partner_key("rival", "\"provider\",\"channel\",\"promoter\"");
    touch(month_shop, "view-1", "u-view", "amy", "click", 7200000000);
    touch(month_shop, "view-2", "u-view", "bob", "click", 3600000000);
    sell(month_shop, "view", "\"learner\":\"u-view\",", 7654321);
    const char *path = "/v1/orders/month/view/attribution";
    struct response *is = get(month_shop, "%s", path);
    expect_count(is, "/agreements/0/touches", 2);
    expect_text(is, "/agreements/0/lines/0", "1");
    const char *id = text_at(is, "/id");
    const char *whole = is->body;
    ck_assert_str_eq(get(operator_key, "%s", path)->body, whole);
    ck_assert_str_eq(get(school, "%s", path)->body, whole);
    ck_assert_str_eq(get(school, "/v1/orders/month/%s/attribution", id)->body, whole);

    is = get(promoters[1], "%s", path);
    expect_status(is, 200);
    expect_count(is, "/agreements/0/touches", 1);
    expect_text(is, "/agreements/0/touches/0/event_id", "view-2");
    expect_count(is, "/agreements/0/promoters", 1);
    expect_absent(is, "/agreements/0/net");
    expect_absent(is, "/agreements/0/lines");
    expect_money(is, "/agreements/0/payout/paid/0/amount", 765432, "CNY");
    ck_assert(strstr(is->body, "amy") == NULL && strstr(is->body, "view-1") == NULL);
    /* 7654321 / 2, the odd cent to the earlier one, who was not paid. */
    is = get(promoters[0], "%s", path);
    expect_shares(is, 0, "linear", 3827161);
    expect_null(is, "/agreements/0/payout");
    ck_assert(strstr(is->body, "bob") == NULL && strstr(is->body, "view-2") == NULL);

    expect_problem(get(promoters[2], "%s", path), 404, "not_found");
    expect_problem(get(rival, "%s", path), 404, "not_found");
    expect_problem(get(week_shop, "%s", path), 404, "not_found");
    expect_problem(get(month_shop, "/v1/orders/month/none/attribution"), 404, "not_found");
}
END_TEST

/* A touch that is beaten, on the page of another provider's course, changes no amount, and yet what
 * is told of the order. */
START_TEST(a_beaten_touch_changes_what_is_told)
{
    make_partner("college", "\"provider\"", "CNY", "Asia/Shanghai");
    touch(month_shop, "tag-2", "u-tag", "bob", "click", 3600000000);
    sell(month_shop, "tag", "\"learner\":\"u-tag\",", 10000);
    const char *const paths[] = {"/v1/orders/month/tag/explain",
                                 "/v1/orders/month/tag/attribution"};
    const char *tags[2];
    for (size_t i = 0; i < 2; i++)
        tags[i] = header(get(school, "%s", paths[i]), "etag");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 2; i++)
            expect_status(
                client_send(&(struct request){.method = "GET",
                                              .path = paths[i],
                                              .key = school,
                                              .headers = {text("If-None-Match: %s", tags[i])}}),
                round == 0 ? 304 : 200);
        post_facts(month_shop,
                   text("{\"event_id\":\"tag-1-%d\",\"type\":\"touch\",\"provider\":\"college\","
                        "\"course_id\":\"c\",\"occurred_at\":\"%s\",\"learner\":\"u-tag\","
                        "\"link\":\"amy\"}",
                        round, before(7200000000)));
    }
}
END_TEST

/* Fei was brought by Amy: Amy has no touch, and sees what she is paid. */
START_TEST(who_brought_a_promoter_sees_its_part)
{
    const char *fei = make_partner_key("fei", "\"promoter\"");
    expect_status(put(month_shop, "/v1/links/fei", "If-None-Match: *",
                      "{\"promoter\":\"fei\",\"parent\":\"amy\"}"),
                  201);
    expect_status(post(fei, "/v1/links/fei/accept?channel=month", NULL), 200);
    touch(month_shop, "part-1", "u-part", "fei", "click", 3600000000);
    sell(month_shop, "part", "\"learner\":\"u-part\",", 10000);
    struct response *is = get(promoters[0], "/v1/orders/month/part/attribution");
    expect_status(is, 200);
    expect_count(is, "/agreements/0/touches", 0);
    expect_count(is, "/agreements/0/payout/paid", 1);
    expect_money(is, "/agreements/0/payout/paid/0/amount", 500, "CNY");
    expect_absent(is, "/agreements/0/payout/promoter");
    ck_assert(strstr(is->body, "fei") == NULL);
    is = get(month_shop, "/v1/orders/month/part/attribution");
    expect_count(is, "/agreements/0/payout/paid", 2);
}
END_TEST

/* An agreement without a referral has no block, and its parties see no more than the order. */
START_TEST(without_a_referral_there_is_nothing_to_tell)
{
    const char *kiosk = make_partner_key("kiosk", "\"channel\"");
    make_agreement("plain",
                   "\"parties\":[\"school\",\"kiosk\"],\"scope\":{\"providers\":[\"school\"],"
                   "\"channels\":[\"kiosk\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},"
                   "\"currency\":\"CNY\",\"terms\":[{\"kind\":\"residual\",\"payee\":\"school\"}]",
                   (const char *const[]){school, kiosk, NULL});
    link_of(kiosk, "k", 0, "");
    accept_link("kiosk", "k", 0);
    touch(kiosk, "plain-1", "u", "k", "click", 60000000);
    sell(kiosk, "plain", "\"learner\":\"u\",", 100);
    expect_count(get(kiosk, "/v1/orders/kiosk/plain/attribution"), "/agreements", 0);
    expect_count(get(school, "/v1/orders/kiosk/plain/attribution"), "/agreements", 0);
    expect_problem(get(promoters[0], "/v1/orders/kiosk/plain/attribution"), 404, "not_found");
}
END_TEST

/* Two providers under agreements of their own, whose referrals find different touches: 10000 fen,
 * and 7000 at 7.7 to 1.1, which is 1000 cents. */
START_TEST(a_block_for_each_agreement_in_its_currency)
{
    const char *abroad = make_partner_key("abroad", "\"provider\"");
    make_course(abroad, "abroad", "c", 1000, "USD");
    make_agreement(
        "fx",
        "\"parties\":[\"abroad\",\"month\"],\"scope\":{\"providers\":[\"abroad\"],\"channels\":"
        "[\"month\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},\"currency\":\"USD\","
        "\"period\":{\"kind\":\"month\",\"time_zone\":\"UTC\"},\"terms\":[{\"kind\":\"referral\","
        "\"levels_ppm\":[200000],\"window_days\":2,\"model\":\"first\"},"
        "{\"kind\":\"residual\",\"payee\":\"abroad\"}]",
        (const char *const[]){abroad, month_shop, NULL});
    for (int i = 4; i >= 0; i--)
        expect_status(put(operator_key, text("/v1/exchange-rates/%.10s", before(i * day_us)),
                          "If-None-Match: *",
                          "{\"base\":\"EUR\",\"rates\":{\"USD\":\"1.1\",\"CNY\":\"7.7\"}}"),
                      201);
    const long long hour_us = day_us / 24;
    touch(month_shop, "two-1", "u-two", "bob", "click", 50 * hour_us);
    touch(month_shop, "two-2", "u-two", "amy", "share", 49 * hour_us);
    post_facts(month_shop,
               text("{\"event_id\":\"two\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                    "\"learner\":\"u-two\",\"order_id\":\"two\",\"currency\":\"CNY\",\"lines\":["
                    "{\"line_id\":\"1\",\"provider\":\"school\",\"course_id\":\"c\",\"quantity\":1,"
                    "\"paid\":10000},{\"line_id\":\"2\",\"provider\":\"abroad\",\"course_id\":"
                    "\"c\",\"quantity\":1,\"paid\":7000}]}",
                    before(48 * hour_us)));
    const char *path = "/v1/orders/month/two/attribution?model=linear";
    struct response *is = get(month_shop, "%s", path);
    expect_count(is, "/agreements", 2);
    const char *home = find(is, "/agreements", "agreement", "deal-month");
    const char *other = find(is, "/agreements", "agreement", "fx");
    expect_money(is, text("%s/net", home), 10000, "CNY");
    expect_text(is, text("%s/pays", home), "last");
    expect_text(is, text("%s/payout/event_id", home), "two-2");
    expect_money(is, text("%s/payout/paid/0/amount", home), 1000, "CNY");
    expect_money(is, text("%s/touches/0/shares/linear", home), 5000, "CNY");
    expect_money(is, text("%s/net", other), 1000, "USD");
    expect_count(is, text("%s/lines", other), 1);
    expect_text(is, text("%s/lines/0", other), "2");
    expect_int(is, text("%s/window_days", other), 2);
    expect_text(is, text("%s/pays", other), "first");
    expect_text(is, text("%s/payout/event_id", other), "two-1");
    expect_money(is, text("%s/payout/paid/0/amount", other), 200, "USD");
    expect_money(is, text("%s/touches/1/shares/linear", other), 500, "USD");
    expect_text(is, text("%s/touches/1/kind", other), "share");
    is = get(abroad, "%s", path);
    expect_count(is, "/agreements", 1);
    expect_text(is, "/agreements/0/agreement", "fx");
    ck_assert(strstr(is->body, "10000") == NULL && strstr(is->body, "school") == NULL);
    is = get(school, "%s", path);
    expect_count(is, "/agreements", 1);
    expect_text(is, "/agreements/0/agreement", "deal-month");
}
END_TEST

/* ---- the touch that a sale names ---- */

static void expect_rejected(const char *key, const char *fact, const char *code,
                            const char *pointer)
{
    struct response *is = post(key, "/v1/events", text("[%s]", fact));
    expect_status(is, 200);
    expect_int(is, "/rejected", 1);
    expect_text(is, "/results/0/code", code);
    expect_text(is, "/results/0/pointer", pointer);
}

START_TEST(a_sale_names_its_touch)
{
    /* Nobody known bought. */
    sell(month_shop, "own-1", "\"touch\":\"amy\",", 10000);
    struct response *is = get(month_shop, "/v1/orders/month/own-1/attribution?model=linear");
    expect_count(is, "/agreements/0/touches", 1);
    expect_text(is, "/agreements/0/touches/0/event_id", "own-1");
    expect_int(is, "/agreements/0/touches/0/age_seconds", 0);
    expect_text(is, "/agreements/0/touches/0/kind", "click");
    expect_text(is, "/agreements/0/payout/promoter", "amy");
    is = get(month_shop, "/v1/orders/month/own-1/explain");
    expect_text(is, "/lines/0/touches/0/outcome", "won");
    expect_money(is, text("%s/amount", find(is, "/lines/0/shares", "payee", "amy")), 1000, "CNY");

    /* A coupon at the till beats the clicks before it where coupons do. */
    touch(week_shop, "own-2-click", "u-own", "bob", "click", 60000000);
    sell(week_shop, "own-2", "\"learner\":\"u-own\",\"touch\":\"amy\",\"touch_kind\":\"coupon\",",
         10000);
    is = get(week_shop, "/v1/orders/week/own-2/attribution");
    expect_text(is, "/agreements/0/touches/1/kind", "coupon");
    ck_assert_str_eq(outcome_of(is, "own-2-click"), "beaten_by_coupon");
    ck_assert_str_eq(outcome_of(is, "own-2"), "won");

    /* A link that is accepted later. */
    link_of(month_shop, "later", 2, "");
    sell(month_shop, "own-3", "\"touch\":\"later\",", 10000);
    is = get(month_shop, "/v1/orders/month/own-3/attribution");
    ck_assert_str_eq(outcome_of(is, "own-3"), "link_not_accepted");
    expect_problem(get(promoters[3], "/v1/orders/month/own-3/attribution"), 404, "not_found");
    accept_link("month", "later", 2);
    is = get(promoters[2], "/v1/orders/month/own-3/attribution");
    expect_money(is, "/agreements/0/payout/paid/0/amount", 1000, "CNY");

    /* An offer as a whole, divided into its courses, of one provider. */
    make_course(school, "school", "d", 10000, "CNY");
    expect_status(
        put(month_shop, "/v1/offers/pack", "If-None-Match: *",
            "{\"kind\":\"bundle\",\"title\":\"Pack\",\"currency\":\"CNY\",\"price\":9000,"
            "\"allocation\":\"list_price\",\"valid\":{\"from\":\"2025-01-01T00:00:00Z\"},\"items\":"
            "[{\"provider\":\"school\",\"course_id\":\"c\",\"weight\":1},{\"provider\":\"school\","
            "\"course_id\":\"d\",\"weight\":1}]}"),
        201);
    post_facts(month_shop,
               text("{\"event_id\":\"own-5\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                    "\"order_id\":\"own-5\",\"currency\":\"CNY\",\"offer\":\"pack\","
                    "\"paid\":8000,\"touch\":\"dan\"}",
                    before(0)));
    is = get(month_shop, "/v1/orders/month/own-5/attribution?model=first");
    expect_money(is, "/agreements/0/touches/0/shares/first", 8000, "CNY");
    expect_money(is, "/agreements/0/payout/paid/0/amount", 800, "CNY");

    expect_rejected(month_shop, sale("own-4", "\"touch_kind\":\"coupon\",", 1, 0), "field_missing",
                    "/touch");
    expect_rejected(month_shop, sale("own-4", "\"touch\":\"amy\",", 1, 4 * day_us),
                    "touch_too_late", "/touch");
    post_facts(month_shop, sale("own-4", "", 1, 4 * day_us));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("attribution");
    TCase *all = tcase_create("attribution");
    tcase_add_unchecked_fixture(all, once, at_the_end);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_loop_test(all, the_models_of_reports, 0, CASES);
    tcase_add_test(all, a_half_life_of_a_week_unless_asked);
    tcase_add_test(all, distinct_promoters_share_a_sale);
    tcase_add_test(all, every_touch_has_its_reason);
    tcase_add_test(all, everybody_sees_what_is_its_own);
    tcase_add_test(all, a_beaten_touch_changes_what_is_told);
    tcase_add_test(all, who_brought_a_promoter_sees_its_part);
    tcase_add_test(all, without_a_referral_there_is_nothing_to_tell);
    tcase_add_test(all, a_block_for_each_agreement_in_its_currency);
    tcase_add_test(all, a_sale_names_its_touch);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "attribution")
