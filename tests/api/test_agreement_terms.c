/* Terms and policies of agreements: what is written out, and what is refused, with its place. */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>

static char *prov;
static char *chan;

static void setup(void)
{
    world_setup();
    prov = strdup(make_partner_key("prov", "\"provider\""));
    chan = strdup(make_partner_key("chan", "\"channel\""));
    make_partner_key("oper", "\"provider\"");
    client_free_all();
}

static void teardown(void)
{
    free(prov);
    free(chan);
    world_teardown();
    client_free_all();
}

#define HEAD                                                                                       \
    "\"parties\":[\"prov\",\"chan\",\"oper\"],"                                                    \
    "\"scope\":{\"providers\":[\"prov\"],\"channels\":[\"chan\"]},"
#define SINCE "\"effective\":{\"from\":\"2026-01-01T00:00:00+08:00\"},"
#define CNY "\"currency\":\"CNY\","
#define REST "{\"kind\":\"residual\",\"payee\":\"chan\"}"

/* Drafts an agreement with these members beside parties and scope. */
static struct response *draft(const char *members)
{
    return post(prov, "/v1/agreements", text("{\"name\":\"N\"," HEAD "%s}", members));
}

static struct response *draft_terms(const char *terms)
{
    return draft(text(SINCE CNY "\"terms\":[%s," REST "]", terms));
}

#define REFUSED_TERMS(terms, pointer, code) expect_field_problem(draft_terms(terms), pointer, code)

/* ---- what is taken ---- */

START_TEST(every_kind_is_written_out)
{
    struct response *is = draft_terms(
        "{\"kind\":\"share\",\"payee\":\"prov\",\"share_ppm\":1},"
        "{\"kind\":\"amount\",\"payee\":\"oper\",\"amount_minor\":0},"
        "{\"kind\":\"cpa\",\"payee\":\"oper\",\"amount_minor\":1250,\"per\":\"line\"},"
        "{\"kind\":\"referral\",\"levels_ppm\":[80000],\"window_days\":30},"
        "{\"kind\":\"tiered\",\"payee\":\"prov\",\"metric\":\"net\",\"mode\":\"marginal\","
        "\"window\":\"year\",\"steps\":[{\"from\":0,\"share_ppm\":300000},"
        "{\"from\":1000000,\"share_ppm\":400000}]},"
        "{\"kind\":\"tiered\",\"payee\":\"oper\",\"metric\":\"learners\",\"mode\":\"whole\","
        "\"window\":\"life\",\"steps\":[{\"from\":0,\"amount_micro\":2500000}]},"
        "{\"kind\":\"greater_of\",\"payee\":\"oper\",\"share_ppm\":100000,\"amount_minor\":100,"
        "\"per\":\"learner\"},"
        "{\"kind\":\"guarantee\",\"payee\":\"prov\",\"funded_by\":\"chan\","
        "\"amount_minor\":500000,\"window\":\"period\",\"recoup\":\"future\"},"
        "{\"kind\":\"advance\",\"payee\":\"prov\",\"funded_by\":\"chan\",\"amount_minor\":1},"
        "{\"kind\":\"floor\",\"payee\":\"prov\",\"funded_by\":\"oper\",\"amount_minor\":5,"
        "\"window\":\"year\"},"
        "{\"kind\":\"cap\",\"payee\":\"prov\",\"amount_minor\":5,\"window\":\"year\"},"
        "{\"kind\":\"withholding\",\"payee\":\"prov\",\"rate_ppm\":300000}");
    expect_status(is, 201);
    expect_count(is, "/terms", 13);
    expect_text(is, "/terms/2/window", "period");
    expect_null(is, "/terms/2/floor_minor");
    expect_null(is, "/terms/2/cap_minor");
    expect_text(is, "/terms/3/model", "last");
    expect_bool(is, "/terms/3/coupon_beats_click", true);
    expect_absent(is, "/terms/3/payee");
    expect_int(is, "/terms/4/steps/1/share_ppm", 400000);
    expect_int(is, "/terms/5/steps/0/amount_micro", 2500000);
    expect_text(is, "/terms/6/window", "period");
    expect_text(is, "/terms/7/recoup", "future");
    expect_int(is, "/terms/8/minimum_minor", 0);
    expect_text(is, "/terms/9/funded_by", "oper");
    /* A flat rate is a table of one step. */
    expect_absent(is, "/terms/11/rate_ppm");
    expect_int(is, "/terms/11/steps/0/over_minor", 0);
    expect_int(is, "/terms/11/steps/0/rate_ppm", 300000);
    expect_int(is, "/terms/11/steps/0/quick_deduction_minor", 0);
    expect_text(is, "/terms/11/base", "earned");
    /* What is not said about the rest. */
    expect_text(is, "/refund/basis", "original");
    expect_null(is, "/refund/fee_borne_by");
    expect_bool(is, "/refund/referral_clawback", true);
    expect_text(is, "/late_usage/policy", "both");
    expect_text(is, "/fx/policy", "order_day");
    expect_text(is, "/fx/source", "ecb");
    expect_int(is, "/reserve/ppm", 0);
    expect_null(is, "/qualify_days");
    expect_int(is, "/hold_days", 0);
    expect_int(is, "/min_payout_minor", 0);
    expect_int(is, "/tail_days", 0);
    expect_int(is, "/dispute_days", 30);
    expect_bool(is, "/base/admin_fee/deduct", false);
    expect_int(is, "/base/payment_fee/fixed_minor", 0);
}
END_TEST

START_TEST(a_pool_of_no_party)
{
    REFUSED_TERMS("{\"kind\":\"pool\",\"channel\":\"nobody\",\"pool\":\"members\",\"version\":3}",
                  "/terms/0/channel", "payee_not_party");
}
END_TEST

START_TEST(policies_are_kept)
{
    struct response *is = draft(
        SINCE CNY "\"base\":{\"payment_fee\":{\"deduct\":true,\"rate_ppm\":29000,"
                  "\"fixed_minor\":30},\"admin_fee\":{\"deduct\":true,\"rate_ppm\":50000}},"
                  "\"refund\":{\"basis\":\"in_period\",\"fee_borne_by\":\"chan\","
                  "\"referral_clawback\":false},"
                  "\"late_usage\":{\"policy\":\"ignore_after\",\"days\":45},"
                  "\"fx\":{\"policy\":\"period_average\"},\"reserve\":{\"ppm\":100000,"
                  "\"periods\":2},\"qualify_days\":0,\"hold_days\":14,\"min_payout_minor\":10000,"
                  "\"tail_days\":180,\"dispute_days\":60,\"terms\":[" REST "]");
    expect_status(is, 201);
    expect_int(is, "/base/payment_fee/fixed_minor", 30);
    expect_int(is, "/base/admin_fee/rate_ppm", 50000);
    expect_text(is, "/base/admin_fee/of", "running");
    expect_text(is, "/refund/basis", "in_period");
    expect_text(is, "/refund/fee_borne_by", "chan");
    expect_bool(is, "/refund/referral_clawback", false);
    expect_text(is, "/late_usage/policy", "ignore_after");
    expect_int(is, "/late_usage/days", 45);
    expect_text(is, "/fx/policy", "period_average");
    expect_int(is, "/reserve/periods", 2);
    expect_int(is, "/qualify_days", 0);
    expect_int(is, "/hold_days", 14);
    expect_int(is, "/min_payout_minor", 10000);
    expect_int(is, "/tail_days", 180);
    expect_int(is, "/dispute_days", 60);
}
END_TEST

/* ---- what is refused ---- */

#define SHARE(ppm) "{\"kind\":\"share\",\"payee\":\"prov\",\"share_ppm\":" #ppm "}"
#define TIERED(metric, mode, steps)                                                                \
    "{\"kind\":\"tiered\",\"payee\":\"prov\",\"metric\":\"" metric "\",\"mode\":\"" mode           \
    "\",\"window\":\"year\",\"steps\":[" steps "]}"
#define NET_TIERS(steps) TIERED("net", "marginal", steps)

START_TEST(agreements_over_100_percent)
{
    REFUSED_TERMS(SHARE(600000) "," SHARE(400001), "/terms/1/share_ppm", "shares_exceed_whole");
    REFUSED_TERMS(SHARE(600001) "," NET_TIERS("{\"from\":0,\"share_ppm\":300000},"
                                              "{\"from\":5,\"share_ppm\":400000}"),
                  "/terms/1/steps/1/share_ppm", "shares_exceed_whole");
    REFUSED_TERMS(SHARE(600001) ",{\"kind\":\"greater_of\",\"payee\":\"oper\",\"share_ppm\":400000,"
                                "\"amount_minor\":1,\"per\":\"line\"}",
                  "/terms/1/share_ppm", "shares_exceed_whole");
    REFUSED_TERMS("{\"kind\":\"referral\",\"levels_ppm\":[900000,100001],\"window_days\":30}",
                  "/terms/0/levels_ppm", "referral_exceeds_whole");
    REFUSED_TERMS(SHARE(1000001), "/terms/0/share_ppm", "value_out_of_range");
}
END_TEST

START_TEST(no_residual_or_two)
{
    expect_field_problem(draft(SINCE CNY "\"terms\":[" SHARE(1) "]"), "/terms", "residual_missing");
    REFUSED_TERMS(REST, "/terms/1", "residual_repeated");
}
END_TEST

/* Steps are half open, so there can be no gaps: each reaches up to where the next begins. */
START_TEST(overlaps_in_tiers)
{
    REFUSED_TERMS(NET_TIERS("{\"from\":0,\"share_ppm\":1},{\"from\":9,\"share_ppm\":2},"
                            "{\"from\":9,\"share_ppm\":3}"),
                  "/terms/0/steps/2/from", "steps_overlap");
    REFUSED_TERMS(NET_TIERS("{\"from\":0,\"share_ppm\":1},{\"from\":9,\"share_ppm\":2},"
                            "{\"from\":8,\"share_ppm\":3}"),
                  "/terms/0/steps/2/from", "steps_unsorted");
}
END_TEST

START_TEST(tiers_not_from_zero)
{
    REFUSED_TERMS(NET_TIERS("{\"from\":1,\"share_ppm\":1}"), "/terms/0/steps/0/from",
                  "steps_not_from_zero");
    REFUSED_TERMS(NET_TIERS("{\"from\":-1,\"share_ppm\":1}"), "/terms/0/steps/0/from",
                  "value_out_of_range");
    REFUSED_TERMS(NET_TIERS(""), "/terms/0/steps", "steps_missing");
}
END_TEST

START_TEST(tiers_of_the_wrong_measure)
{
    REFUSED_TERMS(NET_TIERS("{\"from\":0,\"amount_micro\":1}"), "/terms/0/steps/0/amount_micro",
                  "field_unknown");
    REFUSED_TERMS(TIERED("units", "marginal", "{\"from\":0,\"share_ppm\":1}"),
                  "/terms/0/steps/0/share_ppm", "field_unknown");
    REFUSED_TERMS(
        TIERED("units", "whole", "{\"from\":0,\"share_ppm\":1},{\"from\":5,\"amount_micro\":1}"),
        "/terms/0/steps/1/share_ppm", "field_missing");
    REFUSED_TERMS(TIERED("revenue", "whole", "{\"from\":0,\"share_ppm\":1}"), "/terms/0/metric",
                  "value_unknown");
}
END_TEST

/* Equal claims on one sale are refused when they are signed: see the suite of agreements. */

START_TEST(end_before_start)
{
    expect_field_problem(draft("\"effective\":{\"from\":\"2026-01-01T00:00:00Z\",\"to\":"
                               "\"2025-12-31T00:00:00Z\"}," CNY "\"terms\":[" REST "]"),
                         "/effective/to", "effective_empty");
}
END_TEST

START_TEST(unknown_currency)
{
    expect_field_problem(draft(SINCE "\"currency\":\"XXZ\",\"terms\":[" REST "]"), "/currency",
                         "currency_unknown");
}
END_TEST

START_TEST(zero_weights)
{
    REFUSED_TERMS("{\"kind\":\"cpa\",\"payee\":\"oper\",\"amount_minor\":0,\"per\":\"line\"}",
                  "/terms/0/amount_minor", "amount_zero");
    REFUSED_TERMS("{\"kind\":\"guarantee\",\"payee\":\"prov\",\"funded_by\":\"chan\","
                  "\"amount_minor\":0,\"window\":\"year\",\"recoup\":\"none\"}",
                  "/terms/0/amount_minor", "amount_zero");
    REFUSED_TERMS(NET_TIERS("{\"from\":0,\"share_ppm\":0}"), "/terms/0/steps", "rates_zero");
    REFUSED_TERMS("{\"kind\":\"referral\",\"levels_ppm\":[0,0],\"window_days\":30}",
                  "/terms/0/levels_ppm", "rates_zero");
}
END_TEST

START_TEST(a_cap_below_a_floor)
{
    REFUSED_TERMS("{\"kind\":\"cpa\",\"payee\":\"oper\",\"amount_minor\":1,\"per\":\"line\","
                  "\"floor_minor\":10,\"cap_minor\":9}",
                  "/terms/0/cap_minor", "cap_below_floor");
    REFUSED_TERMS("{\"kind\":\"cap\",\"payee\":\"prov\",\"amount_minor\":9,\"window\":\"year\"},"
                  "{\"kind\":\"floor\",\"payee\":\"prov\",\"funded_by\":\"chan\","
                  "\"amount_minor\":10,\"window\":\"year\"}",
                  "/terms/0/amount_minor", "cap_below_floor");
    REFUSED_TERMS("{\"kind\":\"guarantee\",\"payee\":\"prov\",\"funded_by\":\"chan\","
                  "\"amount_minor\":10,\"window\":\"life\",\"recoup\":\"none\"},"
                  "{\"kind\":\"cap\",\"payee\":\"prov\",\"amount_minor\":9,\"window\":\"life\"}",
                  "/terms/1/amount_minor", "cap_below_floor");
}
END_TEST

START_TEST(who_pays_and_is_paid)
{
    REFUSED_TERMS("{\"kind\":\"cap\",\"payee\":\"chan\",\"amount_minor\":1,\"window\":\"year\"}",
                  "/terms/0/payee", "cap_on_residual");
    REFUSED_TERMS("{\"kind\":\"advance\",\"payee\":\"prov\",\"funded_by\":\"prov\","
                  "\"amount_minor\":1}",
                  "/terms/0/funded_by", "funder_is_payee");
    REFUSED_TERMS("{\"kind\":\"advance\",\"payee\":\"prov\",\"funded_by\":\"else\","
                  "\"amount_minor\":1}",
                  "/terms/0/funded_by", "funder_not_party");
    REFUSED_TERMS("{\"kind\":\"cap\",\"payee\":\"else\",\"amount_minor\":1,\"window\":\"year\"}",
                  "/terms/0/payee", "payee_not_party");
    expect_field_problem(draft(SINCE CNY "\"refund\":{\"fee_borne_by\":\"else\"},"
                                         "\"terms\":[" REST "]"),
                         "/refund/fee_borne_by", "funder_not_party");
}
END_TEST

START_TEST(terms_that_stand_once)
{
    static const char referral[] = "{\"kind\":\"referral\",\"levels_ppm\":[1],\"window_days\":30}";
    static const char advance[] = "{\"kind\":\"advance\",\"payee\":\"prov\",\"funded_by\":\"chan\","
                                  "\"amount_minor\":1}";
    REFUSED_TERMS(text("%s,%s", referral, referral), "/terms/1", "term_repeated");
    REFUSED_TERMS(text("%s,%s", advance, advance), "/terms/1", "term_repeated");
}
END_TEST

START_TEST(fields_of_another_kind)
{
    REFUSED_TERMS("{\"kind\":\"share\",\"payee\":\"prov\",\"share_ppm\":1,\"amount_minor\":1}",
                  "/terms/0/amount_minor", "field_unknown");
    REFUSED_TERMS("{\"kind\":\"share\",\"payee\":\"prov\"}", "/terms/0/share_ppm", "field_missing");
    REFUSED_TERMS("{\"kind\":\"referral\",\"payee\":\"prov\",\"levels_ppm\":[1],"
                  "\"window_days\":30}",
                  "/terms/0/payee", "field_unknown");
    REFUSED_TERMS("{\"kind\":\"cpa\",\"payee\":\"oper\",\"amount_minor\":1,\"per\":\"net\"}",
                  "/terms/0/per", "value_unknown");
    REFUSED_TERMS("{\"kind\":\"cpa\",\"payee\":\"oper\",\"amount_minor\":1.5,\"per\":\"line\"}",
                  "/terms/0/amount_minor", "number_not_integer");
    REFUSED_TERMS("{\"payee\":\"prov\"}", "/terms/0/kind", "field_missing");
    REFUSED_TERMS("7", "/terms/0", "type_wrong");
    REFUSED_TERMS("{\"kind\":\"withholding\",\"payee\":\"prov\"}", "/terms/0/rate_ppm",
                  "field_missing");
    REFUSED_TERMS("{\"kind\":\"withholding\",\"payee\":\"prov\",\"rate_ppm\":1,\"steps\":[]}",
                  "/terms/0/rate_ppm", "field_unknown");
    REFUSED_TERMS("{\"kind\":\"withholding\",\"payee\":\"prov\",\"steps\":[{\"over_minor\":5,"
                  "\"rate_ppm\":1}]}",
                  "/terms/0/steps/0/over_minor", "steps_not_from_zero");
}
END_TEST

START_TEST(policies_that_do_not_fit)
{
    static const struct {
        const char *members;
        const char *pointer;
        const char *code;
    } refused[] = {
        {"\"reserve\":{\"ppm\":1}", "/reserve/periods", "reserve_without_periods"},
        {"\"late_usage\":{\"policy\":\"ignore_after\"}", "/late_usage/days", "field_missing"},
        {"\"late_usage\":{\"policy\":\"both\",\"days\":3}", "/late_usage/days", "field_unknown"},
        {"\"base\":{\"admin_fee\":{\"deduct\":true}}", "/base/admin_fee/rate_ppm", "field_missing"},
        {"\"base\":{\"payment_fee\":{\"deduct\":true,\"fixed_minor\":3}}",
         "/base/payment_fee/rate_ppm", "field_missing"},
        {"\"base\":{\"tax\":{\"deduct\":true,\"of\":\"gross\"}}", "/base/tax/of", "field_unknown"},
        {"\"fx\":{\"policy\":\"best\"}", "/fx/policy", "value_unknown"},
        {"\"fx\":{\"policy\":\"order_day\",\"source\":\"mine\"}", "/fx/source", "value_unknown"},
        {"\"qualify_days\":367", "/qualify_days", "value_out_of_range"},
        {"\"hold_days\":-1", "/hold_days", "value_out_of_range"},
        {"\"min_payout_minor\":-1", "/min_payout_minor", "amount_out_of_range"},
        {"\"dispute_days\":367", "/dispute_days", "value_out_of_range"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        expect_field_problem(draft(text(SINCE CNY "%s,\"terms\":[" REST "]", refused[i].members)),
                             refused[i].pointer, refused[i].code);
}
END_TEST

START_TEST(all_faults_at_once)
{
    struct response *is = draft("\"effective\":{}," CNY "\"colour\":1,\"terms\":[" SHARE(
        -1) ",{\"kind\":\"gift\"},"
            "{\"kind\":\"cap\",\"payee\":\"prov\",\"amount_minor\":1,\"window\":\"day\"}]");
    expect_field_problem(is, "/effective/from", "field_missing");
    expect_field_problem(is, "/colour", "field_unknown");
    expect_field_problem(is, "/terms/0/share_ppm", "value_out_of_range");
    expect_field_problem(is, "/terms/1/kind", "value_unknown");
    expect_field_problem(is, "/terms/2/window", "value_unknown");
}
END_TEST

/* ---- versions ---- */

#define VERSION(currency, kind, zone)                                                              \
    "{" HEAD SINCE "\"currency\":\"" currency "\",\"period\":{\"kind\":\"" kind                    \
    "\",\"time_zone\":\"" zone "\"},\"terms\":[" REST "]}"

START_TEST(what_no_version_changes)
{
    expect_status(post(prov, "/v1/agreements",
                       "{\"id\":\"fixed\",\"name\":\"N\"," HEAD SINCE CNY
                       "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"
                       "\"terms\":[" REST "]}"),
                  201);
    static const char path[] = "/v1/agreements/fixed/versions";
    expect_status(post(chan, path, VERSION("CNY", "month", "Asia/Shanghai")), 201);
    expect_field_problem(post(chan, path, VERSION("USD", "month", "Asia/Shanghai")), "/currency",
                         "currency_fixed");
    expect_field_problem(post(chan, path, VERSION("CNY", "quarter", "Asia/Shanghai")),
                         "/period/kind", "period_fixed");
    struct response *is = post(chan, path, VERSION("USD", "month", "Europe/Berlin"));
    expect_field_problem(is, "/currency", "currency_fixed");
    expect_field_problem(is, "/period/time_zone", "period_fixed");
    expect_count(get(prov, path), "/items", 2);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("agreement_terms");
    TCase *all = tcase_create("terms");
    tcase_add_unchecked_fixture(all, setup, teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, every_kind_is_written_out);
    tcase_add_test(all, a_pool_of_no_party);
    tcase_add_test(all, policies_are_kept);
    tcase_add_test(all, agreements_over_100_percent);
    tcase_add_test(all, no_residual_or_two);
    tcase_add_test(all, overlaps_in_tiers);
    tcase_add_test(all, tiers_not_from_zero);
    tcase_add_test(all, tiers_of_the_wrong_measure);
    tcase_add_test(all, end_before_start);
    tcase_add_test(all, unknown_currency);
    tcase_add_test(all, zero_weights);
    tcase_add_test(all, a_cap_below_a_floor);
    tcase_add_test(all, who_pays_and_is_paid);
    tcase_add_test(all, terms_that_stand_once);
    tcase_add_test(all, fields_of_another_kind);
    tcase_add_test(all, policies_that_do_not_fit);
    tcase_add_test(all, all_faults_at_once);
    tcase_add_test(all, what_no_version_changes);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "agreement_terms")
