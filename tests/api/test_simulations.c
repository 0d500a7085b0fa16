/* What if: other terms, more facts; nothing is written, and what is as it is comes out as a draft
 * does. */
#include "support/deal.h"

#include <stdlib.h>
#include <string.h>

static struct response *ask(const char *key, const struct deal *deal, const char *more)
{
    return post(key, "/v1/simulations",
                text("{\"agreement\":\"%s\",\"period\":\"2025-01\"%s}", deal->name, more));
}

static const char *terms(const struct deal *deal, int share_ppm)
{
    return text(",\"terms\":[{\"kind\":\"share\",\"payee\":\"%s-school\",\"share_ppm\":%d},"
                "{\"kind\":\"residual\",\"payee\":\"%s-shop\"}]",
                deal->name, share_ppm, deal->name);
}

static struct response *draft(const struct deal *deal)
{
    return post(operator_key,
                text("/v1/agreements/%s/periods/2025-01/close?dry_run=true", deal->name), NULL);
}

static const char *total(const struct response *is, const struct deal *deal, const char *who,
                         const char *what)
{
    return text("%s/%s", find(is, "/totals", "payee", text("%s-%s", deal->name, who)), what);
}

START_TEST(as_it_is_it_is_the_draft)
{
    const struct deal deal = deal_make("same", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    deal_sell(&deal, "o2", "2025-01-11", 777);
    deal_refund(&deal, "o2", "2025-01-12", 77);
    struct response *drafted = draft(&deal);
    expect_status(drafted, 200);
    const char *statements = strstr(drafted->body, "\"statements\":");
    for (int i = 0; i < 2; i++) {
        struct response *is = ask(operator_key, &deal, i == 0 ? "" : terms(&deal, 700000));
        expect_status(is, 200);
        ck_assert_str_eq(strstr(is->body, "\"statements\":"), statements);
        expect_int(is, "/line_count", 2);
        expect_int(is, total(is, &deal, "school", "difference"), 0);
    }
}
END_TEST

START_TEST(other_terms_and_more_facts)
{
    const struct deal deal = deal_make("other", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    /* 80 % of 10000 instead of 70 % */
    struct response *is = ask(deal.school, &deal, terms(&deal, 800000));
    expect_status(is, 200);
    expect_int(is, total(is, &deal, "school", "amount"), 8000);
    expect_int(is, total(is, &deal, "school", "today"), 7000);
    expect_int(is, total(is, &deal, "shop", "difference"), -1000);
    expect_count(is, "/statements", 1);
    expect_text(is, "/statements/0/partner", "other-school");
    expect_int(is, "/statements/0/body/closing", 8000);
    expect_count(is, "/lines", 1);
    expect_int(is, "/lines/0/earned", 8000);

    /* A refund of half, and an order of 200 more: 70 % of 5200 */
    const char *facts =
        ",\"add_facts\":[{\"event_id\":\"w1\",\"type\":\"order.refunded\",\"occurred_at\":"
        "\"2025-01-20T12:00:00Z\",\"order_id\":\"o1\",\"refund_id\":\"w1\",\"amount\":5000},"
        "{\"event_id\":\"w2\",\"type\":\"order.paid\",\"occurred_at\":\"2025-01-21T12:00:00Z\","
        "\"order_id\":\"w2\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":"
        "\"other-school\",\"course_id\":\"c\",\"quantity\":1,\"paid\":200}]}]";
    is = ask(deal.shop, &deal, facts);
    expect_status(is, 200);
    expect_int(is, total(is, &deal, "school", "amount"), 3640);
    expect_int(is, "/line_count", 2);
    expect_int(is, "/statements/0/body/lines/earned", 1560);
    is = ask(operator_key, &deal, text("%s,\"partner\":\"other-shop\"", facts));
    expect_status(is, 200);
    expect_count(is, "/statements", 2);
    expect_int(is, total(is, &deal, "school", "amount"), 3640);

    /* A floor of the window makes up what is missing. */
    is = ask(deal.school, &deal,
             ",\"terms\":[{\"kind\":\"guarantee\",\"payee\":\"other-school\",\"funded_by\":"
             "\"other-shop\",\"amount_minor\":9999,\"window\":\"period\",\"recoup\":\"none\"},"
             "{\"kind\":\"share\",\"payee\":\"other-school\",\"share_ppm\":700000},"
             "{\"kind\":\"residual\",\"payee\":\"other-shop\"}]");
    expect_status(is, 200);
    expect_int(is, total(is, &deal, "school", "amount"), 9999);

    /* Nothing was written. */
    is = ask(deal.school, &deal, "");
    expect_int(is, total(is, &deal, "school", "amount"), 7000);
    expect_int(is, total(is, &deal, "school", "today"), 7000);
}
END_TEST

START_TEST(what_cannot_be_simulated)
{
    const struct deal deal = deal_make("never", "");
    const struct deal stranger = deal_make("stranger", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *is = ask(deal.school, &deal, terms(&deal, 1000001));
    expect_problem(is, 422, "fields_invalid");
    ck_assert_ptr_nonnull(strstr(is->body, "/terms/0/share_ppm"));
    expect_problem(ask(deal.school, &deal, ",\"terms\":7"), 422, "fields_invalid");
    expect_problem(ask(deal.school, &deal, ",\"surprise\":7"), 422, "fields_invalid");
    expect_problem(ask(stranger.school, &deal, ""), 404, "not_found");
    expect_problem(ask(deal.school, &deal, ",\"add_facts\":[{}],\"partner\":\"never-shop\""), 403,
                   "role_missing");
    is = ask(deal.shop, &deal, ",\"add_facts\":[{\"event_id\":\"x\"}]");
    expect_problem(is, 422, "fields_invalid");
    ck_assert_ptr_nonnull(strstr(is->body, "/add_facts/0"));
    is = ask(deal.shop, &deal,
             ",\"add_facts\":[{\"event_id\":\"w2\",\"type\":\"order.paid\",\"occurred_at\":"
             "\"2025-01-21T12:00:00Z\",\"order_id\":\"o1\",\"currency\":\"CNY\",\"lines\":[{"
             "\"line_id\":\"1\",\"provider\":\"never-school\",\"course_id\":\"c\",\"quantity\":1,"
             "\"paid\":200}]}]");
    expect_problem(is, 422, "fields_invalid");
    ck_assert_ptr_nonnull(strstr(is->body, "/add_facts/0/order_id"));
    expect_problem(
        post(deal.school, "/v1/simulations", "{\"agreement\":\"never\",\"period\":\"soon\"}"), 422,
        "period_invalid");
    expect_problem(
        post(deal.school, "/v1/simulations", "{\"agreement\":\"never\",\"period\":\"2024-12\"}"),
        404, "not_found");
    is = ask(deal.school, &deal,
             ",\"pools\":[{\"channel\":\"never-shop\",\"pool\":\"none\",\"terms\":{\"title\":\"T\","
             "\"currency\":\"CNY\",\"time_zone\":\"UTC\",\"from\":\"2025-01\",\"share_ppm\":1,"
             "\"basis\":\"starts\",\"method\":\"shapley\",\"idle\":\"retain\"}}]");
    expect_field_problem(is, "/pools/0/pool", "value_unknown");
    is = ask(deal.school, &deal,
             ",\"pools\":[{\"channel\":\"never-shop\",\"pool\":\"none\",\"terms\":{\"title\":7}}]");
    expect_problem(is, 422, "fields_invalid");
    ck_assert_ptr_nonnull(strstr(is->body, "/pools/0/terms/title"));
}
END_TEST

/* January is closed with 70 % of 10000; a refund of 1000 is known in February, which has a sale of
 * its own, as has March. */
START_TEST(closed_periods_and_those_to_come)
{
    const struct deal deal = deal_make("any", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    deal_close(&deal, "2025-01");
    deal_refund(&deal, "o1", "2025-01-31", 1000);
    deal_sell(&deal, "o2", "2025-02-10", 3000);
    deal_sell(&deal, "o3", "2025-03-10", 2000);
    struct response *is = ask(deal.school, &deal, "");
    expect_status(is, 200);
    expect_count(is, "/statements", 0);
    expect_int(is, total(is, &deal, "school", "amount"), 6300);
    expect_int(is, total(is, &deal, "school", "today"), 6300);
    is = ask(deal.school, &deal, terms(&deal, 800000));
    expect_status(is, 200);
    expect_text(is, "/currency", "CNY");
    expect_count(is, "/lines", 1);
    expect_int(is, "/lines/0/earned", 7200);
    expect_int(is, "/lines/0/refunded", 1000);
    expect_int(is, total(is, &deal, "school", "amount"), 7200);
    expect_int(is, total(is, &deal, "school", "today"), 6300);
    /* A floor of the window of a closed period. */
    is = ask(deal.school, &deal,
             ",\"terms\":[{\"kind\":\"guarantee\",\"payee\":\"any-school\",\"funded_by\":"
             "\"any-shop\",\"amount_minor\":9999,\"window\":\"period\",\"recoup\":\"none\"},"
             "{\"kind\":\"share\",\"payee\":\"any-school\",\"share_ppm\":700000},"
             "{\"kind\":\"residual\",\"payee\":\"any-shop\"}]");
    expect_int(is, total(is, &deal, "school", "amount"), 9999);
    /* The oldest open one has the difference of January, too; March only its own. */
    is = post(deal.school, "/v1/simulations", "{\"agreement\":\"any\",\"period\":\"2025-02\"}");
    expect_int(is, total(is, &deal, "school", "amount"), 2100 - 700);
    expect_int(is, "/statements/0/body/opening", 7000);
    is = post(deal.school, "/v1/simulations",
              text("{\"agreement\":\"any\",\"period\":\"2025-03\"%s}", terms(&deal, 800000)));
    expect_status(is, 200);
    expect_int(is, total(is, &deal, "school", "amount"), 1600);
    expect_int(is, total(is, &deal, "school", "today"), 1400);
    expect_count(is, "/lines", 1);
    expect_int(is, "/statements/0/body/opening", 7000);
    expect_int(is, "/statements/0/body/closing", 8600);
}
END_TEST

/* 31.00 for January: 30 % of it are the operator's, or half. */
START_TEST(months_of_memberships)
{
    const char *shop = make_partner_key("club", "\"channel\"");
    make_agreement(
        "club",
        text("\"parties\":[\"%s\",\"club\"],\"scope\":{\"providers\":[\"%s\"],\"channels\":["
             "\"club\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":"
             "\"CNY\",\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":["
             "{\"kind\":\"share\",\"payee\":\"%s\",\"share_ppm\":300000},{\"kind\":\"residual\","
             "\"payee\":\"club\"}]",
             operator_id(), operator_id(), operator_id()),
        (const char *const[]){operator_key, shop, NULL});
    post_facts(shop, "{\"event_id\":\"m\",\"type\":\"membership.started\",\"occurred_at\":"
                     "\"2025-01-01T00:00:00+08:00\",\"membership_id\":\"m\",\"offer\":\"month\","
                     "\"learner\":\"u\",\"currency\":\"CNY\",\"paid\":5900,\"from\":"
                     "\"2025-01-01T00:00:00+08:00\",\"to\":\"2025-03-01T00:00:00+08:00\"}");
    struct response *is =
        post(operator_key, "/v1/simulations",
             text("{\"agreement\":\"club\",\"period\":\"2025-01\",\"terms\":[{\"kind\":\"share\","
                  "\"payee\":\"%s\",\"share_ppm\":500000},{\"kind\":\"residual\",\"payee\":"
                  "\"club\"}]}",
                  operator_id()));
    expect_status(is, 200);
    const char *place = find(is, "/totals", "payee", operator_id());
    expect_int(is, text("%s/amount", place), 1550);
    expect_int(is, text("%s/today", place), 930);
    expect_text(is, "/lines/0/kind", "membership");
    expect_text(is, "/lines/0/membership_id", "m");

    /* Another one, of 31.00 for January; and the first stopped after ten days at 1.00. */
    static const char started[] =
        "{\"event_id\":\"w%d\",\"type\":\"membership.started\",\"occurred_at\":"
        "\"2025-01-01T00:00:00+08:00\",\"membership_id\":\"%s\",\"offer\":\"month\",\"learner\":"
        "\"u\",\"currency\":\"CNY\",\"paid\":3100,\"from\":\"2025-01-01T00:00:00+08:00\","
        "\"to\":\"2025-02-01T00:00:00+08:00\"}";
    static const char stopped[] =
        "{\"event_id\":\"w9\",\"type\":\"membership.cancelled\",\"occurred_at\":"
        "\"2025-01-11T09:00:00+08:00\",\"membership_id\":\"m\",\"amount\":4900}";
    static const char ask[] =
        "{\"agreement\":\"club\",\"period\":\"%s\",\"partner\":\"club\",\"add_facts\":[%s]}";
    struct response *facts_before = get(shop, "/v1/events");
    is = post(operator_key, "/v1/simulations", text(ask, "2025-01", text(started, 1, "n")));
    expect_status(is, 200);
    expect_int(is, "/line_count", 2);
    place = find(is, "/totals", "payee", operator_id());
    expect_int(is, text("%s/amount", place), 930 + 930);
    expect_int(is, text("%s/today", place), 930);
    expect_text(is, "/lines/1/membership_id", "n");
    is = post(operator_key, "/v1/simulations", text(ask, "2025-01", stopped));
    expect_status(is, 200);
    expect_int(is, "/line_count", 1);
    expect_int(is, "/lines/0/gross", 1000);
    place = find(is, "/totals", "payee", operator_id());
    expect_int(is, text("%s/amount", place), 300);
    expect_int(is, text("%s/difference", place), 300 - 930);
    is = post(operator_key, "/v1/simulations",
              text(ask, "2025-01", text("%s,%s", stopped, text(started, 1, "n"))));
    place = find(is, "/totals", "payee", operator_id());
    expect_int(is, text("%s/amount", place), 300 + 930);
    /* February has nothing of the first then, where it has 28.00 today, and takes back 21.00 of
     * January, which is told before. */
    is = post(operator_key, "/v1/simulations", text(ask, "2025-02", stopped));
    place = find(is, "/totals", "payee", operator_id());
    expect_int(is, text("%s/amount", place), -630);
    expect_int(is, text("%s/today", place), 840);
    expect_field_problem(
        post(operator_key, "/v1/simulations", text(ask, "2025-01", text(started, 1, "m"))),
        "/add_facts/0/membership_id", "membership_exists");
    expect_field_problem(
        post(operator_key, "/v1/simulations",
             text(ask, "2025-01", text("%s,%s", text(started, 1, "n"), text(started, 2, "n")))),
        "/add_facts/1/membership_id", "membership_exists");
    ck_assert_str_eq(get(shop, "/v1/events")->body, facts_before->body);
    is = get(shop, "/v1/memberships/club/m");
    expect_absent(is, "/terms/0/cancelled_at");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("simulations");
    TCase *tc = tcase_create("simulations");
    tcase_add_unchecked_fixture(tc, world_setup, world_teardown);
    tcase_add_checked_fixture(tc, NULL, test_teardown);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, as_it_is_it_is_the_draft);
    tcase_add_test(tc, other_terms_and_more_facts);
    tcase_add_test(tc, closed_periods_and_those_to_come);
    tcase_add_test(tc, months_of_memberships);
    tcase_add_test(tc, what_cannot_be_simulated);
    suite_add_tcase(suite, tc);
    return suite;
}

API_MAIN(make_suite, "simulations")
