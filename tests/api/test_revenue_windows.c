/* Revenue under terms that are settled per window; cents are computed by hand in the comments. */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>

static char *prov;
static char *chan;

/* prov gets 30 % of the first 10,000 of a year's net and 40 % of the rest, and in each month at
 * least 5,600, which chan pays; chan gets what is left. */
static void setup(void)
{
    world_setup();
    prov = strdup(make_partner_key("prov", "\"provider\""));
    chan = strdup(make_partner_key("chan", "\"channel\""));
    for (int i = 1; i <= 3; i++)
        make_course(prov, "prov", text("c%d", i), 1000, "CNY");
    make_agreement("tiers",
                   "\"parties\":[\"prov\",\"chan\"],\"scope\":{\"courses\":["
                   "{\"provider\":\"prov\",\"course_id\":\"c1\"},"
                   "{\"provider\":\"prov\",\"course_id\":\"c2\"}],\"channels\":[\"chan\"]},"
                   "\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\","
                   "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":["
                   "{\"kind\":\"tiered\",\"payee\":\"prov\",\"metric\":\"net\","
                   "\"mode\":\"marginal\",\"window\":\"year\",\"steps\":["
                   "{\"from\":0,\"share_ppm\":300000},{\"from\":10000,\"share_ppm\":400000}]},"
                   "{\"kind\":\"guarantee\",\"payee\":\"prov\",\"funded_by\":\"chan\","
                   "\"amount_minor\":5600,\"window\":\"period\",\"recoup\":\"none\"},"
                   "{\"kind\":\"residual\",\"payee\":\"chan\"}]",
                   (const char *const[]){prov, chan, NULL});
    /* One and a half for each line of a quarter. */
    make_agreement("count",
                   "\"parties\":[\"prov\",\"chan\"],\"scope\":{\"courses\":["
                   "{\"provider\":\"prov\",\"course_id\":\"c3\"}],\"channels\":[\"chan\"]},"
                   "\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\","
                   "\"clearing\":\"direct\","
                   "\"period\":{\"kind\":\"quarter\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":["
                   "{\"kind\":\"tiered\",\"payee\":\"prov\",\"metric\":\"lines\","
                   "\"mode\":\"whole\",\"window\":\"period\",\"steps\":["
                   "{\"from\":0,\"amount_micro\":1500000}]},"
                   "{\"kind\":\"residual\",\"payee\":\"chan\"}]",
                   (const char *const[]){prov, chan, NULL});
#define ORDER(id, when, course, paid)                                                              \
    "{\"event_id\":\"o-" id "\",\"type\":\"order.paid\",\"occurred_at\":\"" when                   \
    "T12:00:00+08:00\",\"order_id\":\"" id                                                         \
    "\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":\"prov\","                 \
    "\"course_id\":\"" course "\",\"quantity\":1,\"paid\":" paid "}]}"
    /* clang-format off */
    static const char orders[] = /* one a line */
        ORDER("a", "2025-03-03", "c1", "9000") ","
        ORDER("b", "2025-03-05", "c2", "6000") ","
        ORDER("c", "2025-04-10", "c1", "7001") ","
        ORDER("d", "2025-01-10", "c3", "1000") ","
        ORDER("e", "2025-03-11", "c3", "1000") ","
        ORDER("f", "2025-03-12", "c3", "1000");
    /* clang-format on */
    post_facts(chan, orders);
    client_free_all();
}

static void teardown(void)
{
    free(prov);
    free(chan);
    world_teardown();
    client_free_all();
}

static struct response *report(const char *key, const char *period, const char *more)
{
    struct response *is = revenue_settled(key, text("/v1/revenue?period=%s%s", period, more));
    expect_status(is, 200);
    ck_assert_msg(strstr(is->body, "@window") == NULL, "%s", is->body);
    return is;
}

/* What both get in a row, and who owes it. */
static void expect_split(struct response *is, const char *row, long long to_prov, long long to_chan)
{
    const char *payee = find(is, text("%s/payees", row), "payee", "prov");
    expect_money(is, text("%s/amount", payee), to_prov, "CNY");
    payee = find(is, text("%s/payees", row), "payee", "chan");
    expect_money(is, text("%s/amount", payee), to_chan, "CNY");
    const char *party = find(is, text("%s/balances", row), "party", "prov");
    expect_money(is, text("%s/due", party), to_prov, "CNY");
    party = find(is, text("%s/balances", row), "party", "chan");
    expect_money(is, text("%s/due", party), -to_prov, "CNY");
}

START_TEST(a_month_of_windows)
{
    /* March: net 15,000: 3,000 + 2,000 = 5,000, topped up by 600; chan 10,000 - 600. */
    struct response *is = report(prov, "2025-03", "");
    const char *row = find(is, "/rows", "agreement", "tiers");
    expect_money(is, text("%s/net", row), 15000, "CNY");
    expect_split(is, row, 5600, 9400);
    expect_bool(is, text("%s/provisional", row), true);
    /* April: of 22,001 in the year 3,000 + 4,800.4; less 5,000 that is 2,800; 2,800 on top. */
    is = report(chan, "2025-04", "");
    expect_count(is, "/rows", 1);
    expect_split(is, "/rows/0", 5600, 1401);
    expect_money(is, "/totals/0/own", 1401, "CNY");
    expect_money(is, "/totals/0/due", -5600, "CNY");
    expect_bool(is, "/totals/0/provisional", true);
}
END_TEST

/* Without any sale there is a row for what the window gives, but no course to put it to. */
START_TEST(a_guarantee_without_sales)
{
    struct response *is = report(prov, "2025-02", "");
    expect_count(is, "/rows", 1);
    expect_text(is, "/rows/0/agreement", "tiers");
    expect_int(is, "/rows/0/lines", 0);
    expect_money(is, "/rows/0/net", 0, "CNY");
    expect_split(is, "/rows/0", 5600, -5600);
    expect_money(is, "/totals/0/own", 5600, "CNY");
    is = report(prov, "2025-02", "&group_by=course");
    expect_count(is, "/rows", 0);
    expect_money(is, "/totals/0/own", 5600, "CNY");
    expect_count(report(prov, "2025-02", "&currency=USD"), "/rows", 0);
    /* Neither before the agreement nor ahead of time. */
    expect_count(report(prov, "2024-12", ""), "/rows", 0);
    expect_count(report(prov, "2199-12", ""), "/rows", 0);
}
END_TEST

/* 5,600 and 9,400 by 9,000 : 6,000. */
START_TEST(a_window_over_rows)
{
    struct response *is = report(prov, "2025-03", "&group_by=day&limit=1");
    expect_text(is, "/rows/0/agreement", "count");
    is = report(prov, "2025-03", "&group_by=course");
    expect_count(is, "/rows", 3);
    expect_text(is, "/rows/1/course/course_id", "c1");
    expect_split(is, "/rows/1", 3360, 5640);
    expect_split(is, "/rows/2", 2240, 3760);
    is = report(prov, "2025-03", "&group_by=day");
    expect_count(is, "/rows", 4);
    expect_text(is, "/rows/2/day", "2025-03-03");
    expect_split(is, "/rows/2", 3360, 5640);
    expect_split(is, "/rows/3", 2240, 3760);
    is = report(prov, "2025-03", "&group_by=counterparty");
    expect_split(is, find(is, "/rows", "agreement", "tiers"), 5600, 9400);
}
END_TEST

/* A page shows of a window what the whole report does. */
START_TEST(a_window_over_pages)
{
    static const char *const groupings[] = {"agreement", "course", "day", "counterparty"};
    for (size_t i = 0; i < sizeof groupings / sizeof groupings[0]; i++) {
        for (int month = 1; month <= 4; month++) {
            const char *period = text("2025-0%d", month);
            struct response *all = report(prov, period, text("&group_by=%s", groupings[i]));
            const char *more = text("&group_by=%s&limit=1", groupings[i]);
            struct response *page = report(prov, period, more);
            const size_t rows = json_array_size(at(all, "/rows"));
            for (size_t r = 0; r < rows; r++) {
                ck_assert_msg(json_equal(at(page, "/rows/0"), at(all, text("/rows/%zu", r))),
                              "%s by %s, row %zu: %s", period, groupings[i], r, page->body);
                if (r + 1 < rows)
                    page = report(prov, period, text("%s&cursor=%s", more, text_at(page, "/next")));
            }
            expect_null(page, "/next");
        }
    }
}
END_TEST

/* Three lines in the quarter: 4.5, half to even 4; by 1,000 : 0 : 2,000 that is 1, 0 and 3. */
START_TEST(a_quarter_over_its_months)
{
    struct response *is = report(prov, "2025-01", "");
    expect_split(is, find(is, "/rows", "agreement", "count"), 1, 999);
    is = report(prov, "2025-03", "");
    const char *row = find(is, "/rows", "agreement", "count");
    expect_split(is, row, 3, 1997);
    expect_bool(is, text("%s/provisional", row), true);
    is = report(prov, "2025-03", "&group_by=day");
    /* 3 by 1,000 : 1,000, the odd one to the first. */
    expect_split(is, "/rows/0", 2, 999);
    expect_split(is, "/rows/1", 1, 998);
}
END_TEST

START_TEST(what_is_closed_is_final)
{
    expect_status(post(operator_key, "/v1/agreements/tiers/periods/2025-01/close", ""), 200);
    struct response *is = report(prov, "2025-01", "");
    const char *row = find(is, "/rows", "agreement", "tiers");
    expect_bool(is, text("%s/provisional", row), false);
    expect_split(is, row, 5600, -5600);
    row = find(is, "/rows", "agreement", "count");
    expect_bool(is, text("%s/provisional", row), true);
    expect_bool(report(prov, "2025-02", ""), "/rows/0/provisional", true);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("revenue_windows");
    TCase *all = tcase_create("windows");
    tcase_add_unchecked_fixture(all, setup, teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, a_month_of_windows);
    tcase_add_test(all, a_guarantee_without_sales);
    tcase_add_test(all, a_window_over_rows);
    tcase_add_test(all, a_window_over_pages);
    tcase_add_test(all, a_quarter_over_its_months);
    tcase_add_test(all, what_is_closed_is_final);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "revenue_windows")
