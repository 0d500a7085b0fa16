/* Pools over HTTP: what they may say, who sees them, who joins, and what memberships put in. */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>

static const char *school;
static const char *shop;
static const char *stranger;
static const char *fund;
static const char *abroad;

static const char fresh[] = "If-None-Match: *";

#define TERMS(from, more)                                                                          \
    "{\"title\":\"会员课程池\",\"currency\":\"CNY\",\"time_zone\":\"Asia/"                    \
    "Shanghai\",\"from\":\"" from "\",\"share_ppm\":500000,\"basis\":\"seconds\"," more "}"
#define USER_CENTRIC "\"method\":\"user_centric\",\"idle\":\"retain\""

static void once(void)
{
    world_setup();
    school = strdup(make_partner_key("school", "\"provider\""));
    shop = strdup(make_partner_key("shop", "\"channel\""));
    stranger = strdup(make_partner_key("stranger", "\"provider\",\"channel\""));
    fund = strdup(make_partner_key("fund", "\"channel\""));
    abroad = strdup(make_partner_key("abroad", "\"channel\""));
    make_agreement("deal",
                   "\"parties\":[\"school\",\"shop\"],\"scope\":{\"providers\":[\"school\"],"
                   "\"channels\":[\"shop\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},"
                   "\"currency\":\"CNY\",\"terms\":[{\"kind\":\"residual\",\"payee\":\"school\"}]",
                   (const char *const[]){school, shop, NULL});
    client_free_all();
}

static void at_the_end(void)
{
    world_teardown();
    client_free_all();
}

START_TEST(a_pool_and_its_versions)
{
    struct response *is = put(shop, "/v1/pools/library", fresh, TERMS("2025-01", USER_CENTRIC));
    expect_status(is, 201);
    expect_text(is, "/channel", "shop");
    expect_int(is, "/version", 1);
    expect_text(is, "/method", "user_centric");
    expect_int(is, "/min_units", 0);
    expect_bool(is, "/open_inputs", false);
    const char *tag = text("If-Match: %s", header(is, "etag"));
    expect_problem(put(shop, "/v1/pools/library", fresh, TERMS("2025-01", USER_CENTRIC)), 412,
                   "version_mismatch");
    /* The same once more is no version. */
    is = put(shop, "/v1/pools/library", tag, TERMS("2025-01", USER_CENTRIC ",\"min_units\":0"));
    expect_status(is, 200);
    expect_int(is, "/version", 1);
    /* A month that has begun is not divided anew; what members pay in does not change. */
    expect_field_problem(put(shop, "/v1/pools/library", tag,
                             TERMS("2025-02", "\"method\":\"shapley\",\"idle\":\"retain\"")),
                         "/from", "pool_not_later");
    expect_field_problem(put(shop, "/v1/pools/library", tag,
                             "{\"title\":\"T\",\"currency\":\"USD\",\"time_zone\":"
                             "\"Asia/Shanghai\",\"from\":\"2190-01\",\"share_ppm\":1,\"basis\":"
                             "\"starts\"," USER_CENTRIC "}"),
                         "/currency", "pool_mismatch");
    expect_field_problem(
        put(shop, "/v1/pools/library", tag,
            "{\"title\":\"T\",\"currency\":\"CNY\",\"time_zone\":\"UTC\",\"from\":\"2190-01\","
            "\"share_ppm\":1,\"basis\":\"starts\"," USER_CENTRIC "}"),
        "/time_zone", "pool_mismatch");
    is = put(shop, "/v1/pools/library", tag,
             TERMS("2190-01", "\"method\":\"hybrid\",\"lambda_ppm\":250000,\"idle\":\"pool\","
                              "\"caps\":{\"learner_day\":3600},\"min_units\":60"));
    expect_status(is, 200);
    expect_int(is, "/version", 2);
    expect_int(is, "/lambda_ppm", 250000);
    expect_int(is, "/caps/learner_day", 3600);
    expect_absent(is, "/caps/learner");
    expect_int(get(shop, "/v1/pools/library?version=1"), "/version", 1);
    expect_int(get(shop, "/v1/pools/library"), "/version", 2);
    expect_problem(get(shop, "/v1/pools/library?version=3"), 404, "not_found");
    /* Who has an agreement with the channel may read what it would join. */
    expect_int(get(school, "/v1/pools/library?channel=shop"), "/version", 2);
    expect_int(get(operator_key, "/v1/pools/library?channel=shop"), "/version", 2);
    expect_problem(get(stranger, "/v1/pools/library?channel=shop"), 404, "not_found");
    expect_count(get(stranger, "/v1/pools"), "/items", 0);
    expect_text(get(school, "/v1/pools"), "/items/0/pool", "library");
    expect_int(get(operator_key, "/v1/pools?limit=1"), "/items/0/version", 2);
    expect_problem(
        put(stranger, "/v1/pools/library?channel=shop", fresh, TERMS("2025-01", USER_CENTRIC)), 404,
        "not_found");
    expect_problem(put(school, "/v1/pools/mine", fresh, TERMS("2025-01", USER_CENTRIC)), 403,
                   "role_missing");
}
END_TEST

START_TEST(a_pool_that_cannot_be)
{
    static const struct {
        const char *terms;
        const char *pointer;
        const char *code;
    } bad[] = {
        {"\"method\":\"hybrid\",\"idle\":\"retain\"", "/lambda_ppm", "field_missing"},
        {"\"method\":\"shapley\",\"idle\":\"retain\",\"lambda_ppm\":1", "/lambda_ppm",
         "field_unknown"},
        {"\"method\":\"shapley\",\"idle\":\"pool\"", "/idle", "value_unknown"},
        {"\"method\":\"museum\",\"idle\":\"retain\"", "/method", "value_unknown"},
        {USER_CENTRIC ",\"weights\":[{\"provider\":\"school\",\"weight_ppm\":1}]", "/weights",
         "field_unknown"},
        {"\"method\":\"weighted_shapley\",\"idle\":\"retain\",\"weights\":[]", "/weights",
         "count_out_of_range"},
        {"\"method\":\"weighted_shapley\",\"idle\":\"retain\",\"weights\":[{\"provider\":"
         "\"school\",\"weight_ppm\":1},{\"provider\":\"school\",\"weight_ppm\":2}]",
         "/weights/1/provider", "field_duplicate"},
        {USER_CENTRIC ",\"caps\":{\"learner\":0}", "/caps/learner", "value_out_of_range"},
        {USER_CENTRIC ",\"caps\":{\"hour\":1}", "/caps/hour", "field_unknown"},
        {USER_CENTRIC ",\"min_units\":-1", "/min_units", "value_out_of_range"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_field_problem(
            put(shop, "/v1/pools/bad", fresh,
                text("{\"title\":\"T\",\"currency\":\"CNY\",\"time_zone\":\"UTC\",\"from\":"
                     "\"2025-01\",\"share_ppm\":500000,\"basis\":\"seconds\",%s}",
                     bad[i].terms)),
            bad[i].pointer, bad[i].code);
    static const char *const heads[][3] = {
        {"\"from\":\"2025-13\",\"time_zone\":\"UTC\",\"share_ppm\":1", "/from", "time_invalid"},
        {"\"from\":\"2025-Q1\",\"time_zone\":\"UTC\",\"share_ppm\":1", "/from", "time_invalid"},
        {"\"from\":\"2025-01\",\"time_zone\":\"Mars\",\"share_ppm\":1", "/time_zone",
         "time_zone_unknown"},
        {"\"from\":\"2025-01\",\"time_zone\":\"UTC\",\"share_ppm\":1000001", "/share_ppm",
         "value_out_of_range"},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        expect_field_problem(put(shop, "/v1/pools/bad", fresh,
                                 text("{\"title\":\"T\",\"currency\":\"CNY\",\"basis\":"
                                      "\"seconds\"," USER_CENTRIC ",%s}",
                                      heads[i][0])),
                             heads[i][1], heads[i][2]);
    expect_problem(put(shop, "/v1/pools/BAD", fresh, TERMS("2025-01", USER_CENTRIC)), 422,
                   "slug_invalid");
    expect_problem(get(shop, "/v1/pools/bad"), 404, "not_found");
}
END_TEST

static struct response *draft(const char *id, const char *zone, const char *pool, int version)
{
    return post(
        school, "/v1/agreements",
        text("{\"id\":\"%s\",\"name\":\"Joins\",\"parties\":[\"school\",\"shop\"],\"scope\":"
             "{\"providers\":[\"school\"],\"channels\":[\"shop\"]},\"effective\":{\"from\":"
             "\"2190-01-01T00:00:00Z\"},\"priority\":1,\"currency\":\"CNY\",\"period\":{"
             "\"kind\":\"month\",\"time_zone\":\"%s\"},\"terms\":[{\"kind\":\"pool\","
             "\"channel\":\"shop\",\"pool\":\"%s\",\"version\":%d},{\"kind\":\"residual\","
             "\"payee\":\"shop\"}]}",
             id, zone, pool, version));
}

static struct response *propose(const char *id)
{
    return post(school, text("/v1/agreements/%s/propose", id), "{\"version\":1}");
}

START_TEST(a_pool_is_joined)
{
    expect_status(put(shop, "/v1/pools/club", fresh, TERMS("2025-01", USER_CENTRIC)), 201);
    struct response *is = draft("join-no-pool", "Asia/Shanghai", "nowhere", 1);
    expect_status(is, 201);
    expect_field_problem(propose("join-no-pool"), "/terms/0/pool", "value_unknown");
    expect_status(draft("join-no-version", "Asia/Shanghai", "club", 2), 201);
    expect_field_problem(propose("join-no-version"), "/terms/0/version", "value_unknown");
    expect_status(draft("join-zone", "UTC", "club", 1), 201);
    expect_field_problem(propose("join-zone"), "/terms/0/pool", "pool_mismatch");
    is = draft("join", "Asia/Shanghai", "club", 1);
    expect_status(is, 201);
    expect_text(is, "/terms/0/channel", "shop");
    expect_text(is, "/terms/0/pool", "club");
    expect_int(is, "/terms/0/version", 1);
    expect_absent(is, "/terms/0/payee");
    expect_status(propose("join"), 200);
    /* The pool of a channel that is no party. */
    expect_field_problem(
        post(school, "/v1/agreements",
             "{\"id\":\"join-other\",\"name\":\"N\",\"parties\":[\"school\",\"shop\"],\"scope\":{"
             "\"providers\":[\"school\"]},\"effective\":{\"from\":\"2190-01-01T00:00:00Z\"},"
             "\"currency\":\"CNY\",\"terms\":[{\"kind\":\"pool\",\"channel\":\"stranger\",\"pool\":"
             "\"club\",\"version\":1},{\"kind\":\"residual\",\"payee\":\"shop\"}]}"),
        "/terms/0/channel", "payee_not_party");
}
END_TEST

static void offer_year(const char *channel_key, const char *from, const char *pool,
                       const char *condition)
{
    const struct response *is =
        put(channel_key, "/v1/offers/year", condition,
            text("{\"kind\":\"membership\",\"title\":\"Year\",\"currency\":\"CNY\",\"price\":36500,"
                 "\"items\":[],\"valid\":{\"from\":\"%s\"},\"membership\":{\"days\":365%s}}",
                 from, pool));
    ck_assert(is->status == 200 || is->status == 201);
}

/* A year of 365.00 is 31.00 in January. Of its net of 30.69 (1 % fee, 36.50, by days: 0.31) half
 * goes into the pool, 15.345, to even: 15.34. What is left, 15.35, is 30/70: 4.605, 10.745: the
 * left-over cent goes to the larger remainder, tied to the first: 4.61, 10.74. */
START_TEST(memberships_fund_a_pool)
{
    expect_status(put(fund, "/v1/pools/library", fresh, TERMS("2025-01", USER_CENTRIC)), 201);
    expect_field_problem(
        put(fund, "/v1/offers/year", fresh,
            "{\"kind\":\"membership\",\"title\":\"Y\",\"currency\":\"CNY\",\"price\":1,\"items\":[]"
            ","
            "\"valid\":{\"from\":\"2024-01-01T00:00:00Z\"},\"membership\":{\"days\":365,\"pool\":"
            "\"nowhere\"}}"),
        "/membership/pool", "value_unknown");
    make_agreement("fund",
                   text("\"parties\":[\"fund\",\"%s\"],\"scope\":{\"providers\":[\"%s\"],"
                        "\"channels\":[\"fund\"]},\"effective\":{\"from\":"
                        "\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"base\":{"
                        "\"payment_fee\":{\"deduct\":true}},\"period\":{\"kind\":\"month\","
                        "\"time_zone\":\"Asia/Shanghai\"},\"terms\":[{\"kind\":\"share\",\"payee\":"
                        "\"%s\",\"share_ppm\":300000},{\"kind\":\"residual\",\"payee\":\"fund\"}]",
                        operator_id(), operator_id(), operator_id()),
                   (const char *const[]){fund, operator_key, NULL});
    post_facts(fund,
               "{\"event_id\":\"m1\",\"type\":\"membership.started\",\"occurred_at\":"
               "\"2025-01-01T00:00:00+08:00\",\"membership_id\":\"m-1\",\"offer\":\"year\","
               "\"learner\":\"u1\",\"currency\":\"CNY\",\"paid\":36500,\"payment_fee\":365,"
               "\"from\":\"2025-01-01T00:00:00+08:00\",\"to\":\"2026-01-01T00:00:00+08:00\"}");
    struct response *is = get(fund, "/v1/memberships/fund/m-1");
    expect_absent(is, "/terms/0/months/0/pooled");
    /* The offer is told after its sale: order of arrival decides nothing. */
    offer_year(fund, "2024-12-01T00:00:00Z", ",\"pool\":\"library\"", fresh);
    is = get(fund, "/v1/memberships/fund/m-1");
    expect_int(is, "/terms/0/months/0/net/amount", 3069);
    expect_int(is, "/terms/0/months/0/pooled/amount", 1534);
    expect_text(is, "/terms/0/months/0/shares/1/payee", operator_id());
    expect_int(is, "/terms/0/months/0/shares/1/amount/amount", 461);
    expect_int(is, "/terms/0/months/0/shares/0/amount/amount", 1074);
    is = get(fund, "/v1/revenue?period=2025-01");
    expect_int(is, "/rows/0/net/amount", 3069);
    ck_assert_ptr_nonnull(strstr(is->body, "{\"payee\":\"@pool\",\"amount\":{\"amount\":1534,"
                                           "\"currency\":\"CNY\"}}"));
    /* Closed: the pool has an account of its own, and the channel owes it what it took. */
    is = post(operator_key, "/v1/agreements/fund/periods/2025-01/close", "");
    expect_status(is, 200);
    is = get(operator_key, "/v1/balances?limit=1000");
    ck_assert_ptr_nonnull(strstr(is->body,
                                 "{\"partner\":\"@pool:fund/library\",\"account\":\"settlement\","
                                 "\"agreement\":\"fund\",\"balance\":{\"amount\":1534,\"currency\":"
                                 "\"CNY\"}}"));
    is = get(fund, "/v1/statements?partner=@pool:fund/library");
    expect_count(is, "/items", 1);
    expect_int(is, "/items/0/closing/amount", 1534);
    is = get(fund, "/v1/statements/%s/lines", text_at(is, "/items/0/id"));
    expect_int(is, "/items/0/earned", 1534);
    expect_problem(get(shop, "/v1/statements?partner=@pool:fund/library"), 404, "not_found");
    expect_problem(get(fund, "/v1/balances?partner=@pool:fun/library"), 404, "not_found");
    /* Sold on January 1st, taken back in whole on February 10th: so does what the pool got. */
    post_facts(fund, "{\"event_id\":\"x1\",\"type\":\"membership.cancelled\",\"occurred_at\":"
                     "\"2025-02-10T09:00:00+08:00\",\"membership_id\":\"m-1\",\"amount\":36500,"
                     "\"fee_returned\":365}");
    is = post(operator_key, "/v1/agreements/fund/periods/2025-02/close", "");
    expect_status(is, 200);
    is = get(operator_key, "/v1/balances?limit=1000");
    ck_assert_ptr_nonnull(strstr(is->body,
                                 "{\"partner\":\"@pool:fund/library\",\"account\":\"settlement\","
                                 "\"agreement\":\"fund\",\"balance\":{\"amount\":0,\"currency\":"
                                 "\"CNY\"}}"));
}
END_TEST

/* An agreement of another currency than the pool's: the months wait, and are seen to. */
START_TEST(another_currency_waits)
{
    expect_status(put(abroad, "/v1/pools/library", fresh, TERMS("2025-01", USER_CENTRIC)), 201);
    offer_year(abroad, "2024-12-01T00:00:00Z", ",\"pool\":\"library\"", fresh);
    make_agreement("abroad",
                   text("\"parties\":[\"abroad\",\"%s\"],\"scope\":{\"providers\":[\"%s\"],"
                        "\"channels\":[\"abroad\"]},\"effective\":{\"from\":"
                        "\"2025-01-01T00:00:00Z\"},\"currency\":\"USD\",\"terms\":[{\"kind\":"
                        "\"residual\",\"payee\":\"abroad\"}]",
                        operator_id(), operator_id()),
                   (const char *const[]){abroad, operator_key, NULL});
    post_facts(abroad, "{\"event_id\":\"m1\",\"type\":\"membership.started\",\"occurred_at\":"
                       "\"2025-01-01T00:00:00Z\",\"membership_id\":\"m-1\",\"offer\":\"year\","
                       "\"learner\":\"u1\",\"currency\":\"USD\",\"paid\":36500,"
                       "\"from\":\"2025-01-01T00:00:00Z\",\"to\":\"2026-01-01T00:00:00Z\"}");
    expect_text(get(abroad, "/v1/memberships/abroad/m-1"), "/terms/0/months/0/held", "no_rate");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pools");
    TCase *cases = tcase_create("pools");
    tcase_add_unchecked_fixture(cases, once, at_the_end);
    tcase_add_checked_fixture(cases, NULL, test_teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, a_pool_and_its_versions);
    tcase_add_test(cases, a_pool_that_cannot_be);
    tcase_add_test(cases, a_pool_is_joined);
    tcase_add_test(cases, memberships_fund_a_pool);
    tcase_add_test(cases, another_currency_waits);
    suite_add_tcase(suite, cases);
    return suite;
}

API_MAIN(make_suite, "pools")
