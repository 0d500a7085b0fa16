/* Revenue: small cases whose cents are computed by hand in the comments. */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A provider and a channel of one test, with a course `c`. */
struct pair {
    const char *p; /* ids */
    const char *c;
    const char *pk; /* keys */
    const char *ck;
};

static struct pair make_pair(const char *name)
{
    struct pair pair = {.p = text("%s-p", name), .c = text("%s-c", name)};
    pair.pk = make_partner_key(pair.p, "\"provider\"");
    pair.ck = make_partner_key(pair.c, "\"channel\"");
    make_course(pair.pk, pair.p, "c", 1000, "CNY");
    return pair;
}

/* An agreement between the two, in force from 2026 on; `members` beside parties and scope. */
static void agree(const struct pair *pair, const char *id, const char *members)
{
    make_agreement(id,
                   text("\"parties\":[\"%s\",\"%s\"],\"scope\":{\"providers\":[\"%s\"],"
                        "\"channels\":[\"%s\"]},\"effective\":{\"from\":"
                        "\"2025-01-01T00:00:00+08:00\"},%s",
                        pair->p, pair->c, pair->p, pair->c, members),
                   (const char *const[]){pair->pk, pair->ck, NULL});
}

static const char *share(const struct pair *pair, int ppm)
{
    return text("\"terms\":[{\"kind\":\"share\",\"payee\":\"%s\",\"share_ppm\":%d},"
                "{\"kind\":\"residual\",\"payee\":\"%s\"}]",
                pair->p, ppm, pair->c);
}

/* An order with one line of the pair's course. */
static const char *order(const struct pair *pair, const char *id, const char *when,
                         const char *currency, long long paid, const char *more)
{
    return text("{\"event_id\":\"o-%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                "\"order_id\":\"%s\",\"currency\":\"%s\",\"lines\":[{\"line_id\":\"1\","
                "\"provider\":\"%s\",\"course_id\":\"c\",\"quantity\":1,\"paid\":%lld}]%s}",
                id, when, id, currency, pair->p, paid, more);
}

static const char *refund(const char *order_id, const char *refund_id, const char *when,
                          long long amount)
{
    return text("{\"event_id\":\"r-%s-%s\",\"type\":\"order.refunded\",\"occurred_at\":\"%s\","
                "\"order_id\":\"%s\",\"refund_id\":\"%s\",\"lines\":[{\"line_id\":\"1\","
                "\"amount\":%lld}]}",
                order_id, refund_id, when, order_id, refund_id, amount);
}

static struct response *report(const char *key, const char *period, const char *more)
{
    return revenue_settled(key, text("/v1/revenue?period=%s%s", period, more));
}

static void expect_payee(struct response *is, const char *row, const char *payee, long long amount)
{
    const char *at_payee = find(is, text("%s/payees", row), "payee", payee);
    expect_money(is, text("%s/amount", at_payee), amount, "CNY");
}

static void expect_due(struct response *is, const char *row, const char *party, long long due)
{
    const char *at_party = find(is, text("%s/balances", row), "party", party);
    expect_money(is, text("%s/due", at_party), due, "CNY");
}

#define JAN "2025-01-15T20:03:11+08:00"

START_TEST(a_sale_is_split_to_the_cent)
{
    const struct pair pair = make_pair("split");
    const char *platform = operator_id();
    make_agreement(
        "split",
        text("\"parties\":[\"%s\",\"%s\",\"%s\"],\"scope\":{\"providers\":[\"%s\"],\"channels\":"
             "[\"%s\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":"
             "\"CNY\",\"base\":{\"tax\":{\"deduct\":true},\"payment_fee\":{\"deduct\":true}},"
             "\"terms\":[{\"kind\":\"share\",\"payee\":\"%s\",\"share_ppm\":600000},{\"kind\":"
             "\"share\",\"payee\":\"%s\",\"share_ppm\":50000},{\"kind\":\"residual\",\"payee\":"
             "\"%s\"}]",
             pair.p, pair.c, platform, pair.p, pair.c, pair.p, platform, pair.c),
        (const char *const[]){pair.pk, pair.ck, operator_key, NULL});
    post_facts(pair.ck, order(&pair, "1", JAN, "CNY", 19900, ",\"tax\":1000,\"payment_fee\":119"));
    /* net = 19900 − 1000 − 119 = 18781. 60 % = 11268.6, 5 % = 939.05, the rest = 6573.35; floors
     * 11268 + 939 + 6573 = 18780, the one left goes to the largest remainder, .6 */
    struct response *is = report(pair.pk, "2025-01", "");
    expect_count(is, "/rows", 1);
    expect_text(is, "/partner", pair.p);
    expect_text(is, "/period", "2025-01");
    expect_text(is, "/rows/0/agreement", "split");
    expect_int(is, "/rows/0/version", 1);
    expect_text(is, "/rows/0/currency", "CNY");
    expect_int(is, "/rows/0/lines", 1);
    expect_int(is, "/rows/0/quantity", 1);
    expect_money(is, "/rows/0/gross", 19900, "CNY");
    expect_money(is, "/rows/0/refunded", 0, "CNY");
    expect_money(is, "/rows/0/tax", 1000, "CNY");
    expect_money(is, "/rows/0/store_fee", 0, "CNY");
    expect_money(is, "/rows/0/payment_fee", 119, "CNY");
    expect_money(is, "/rows/0/net", 18781, "CNY");
    expect_payee(is, "/rows/0", pair.p, 11269);
    expect_payee(is, "/rows/0", platform, 939);
    expect_payee(is, "/rows/0", pair.c, 6573);
    expect_money(is, "/rows/0/own", 11269, "CNY");
    /* The channel collected: it owes 18781 − 6573 = 12208. */
    expect_due(is, "/rows/0", pair.p, 11269);
    expect_due(is, "/rows/0", platform, 939);
    expect_due(is, "/rows/0", pair.c, -12208);
    expect_text(is, "/rows/0/balances/0/settles_with", "operator");
    expect_count(is, "/totals", 1);
    expect_money(is, "/totals/0/own", 11269, "CNY");
    expect_money(is, "/totals/0/due", 11269, "CNY");
    expect_count(is, "/held", 0);
    expect_money(report(pair.ck, "2025-01", ""), "/totals/0/due", -12208, "CNY");

    struct response *why = get(pair.pk, "/v1/orders/%s/1/explain", pair.c);
    expect_status(why, 200);
    expect_text(why, "/lines/0/agreement/agreement", "split");
    expect_int(why, "/lines/0/agreement/version", 1);
    expect_text(why, "/lines/0/agreement/rank", "provider_channel");
    expect_money(why, text("%s/amount", find(why, "/lines/0/steps", "op", "gross")), 19900, "CNY");
    expect_money(why, text("%s/amount", find(why, "/lines/0/steps", "op", "net")), 18781, "CNY");
    const char *step = find(why, "/lines/0/steps", "payee", pair.p);
    expect_money(why, text("%s/amount", step), 11269, "CNY");
    expect_int(why, text("%s/rate_ppm", step), 600000);
    expect_text(why, text("%s/rounding", step), "largest_remainder");
    expect_text(why, text("%s/exact", step), "11268.6");

    /* Half is refunded: tax pro rata 500, the fee stays: 9950 − 500 − 119 = 9331. 5598.6, 466.55,
     * 3265.85: two left over, to .85 and .6 */
    post_facts(pair.ck, refund("1", "a", "2025-01-20T09:00:00+08:00", 9950));
    is = report(pair.pk, "2025-01", "");
    expect_money(is, "/rows/0/gross", 19900, "CNY");
    expect_money(is, "/rows/0/refunded", 9950, "CNY");
    expect_money(is, "/rows/0/tax", 500, "CNY");
    expect_money(is, "/rows/0/net", 9331, "CNY");
    expect_payee(is, "/rows/0", pair.p, 5599);
    expect_payee(is, "/rows/0", platform, 466);
    expect_payee(is, "/rows/0", pair.c, 3266);
    is = get(pair.ck, "/v1/orders/%s/1", pair.c);
    expect_status(is, 200);
    expect_money(is, "/lines/0/paid", 19900, "CNY");
    expect_money(is, "/lines/0/refunded", 9950, "CNY");
    expect_money(is, "/lines/0/net", 9331, "CNY");
    expect_text(is, "/refunds/0/refund_id", "a");
    /* By the opaque id too. */
    expect_status(get(pair.ck, "/v1/orders/%s/%s", pair.c, text_at(is, "/id")), 200);
    is = get(pair.pk, "/v1/orders/%s/1", pair.c);
    expect_status(is, 200);
    expect_absent(is, "/refunds");
    expect_absent(is, "/totals");
}
END_TEST

START_TEST(many_small_refunds_end_where_one_would)
{
    const struct pair pair = make_pair("cents");
    agree(&pair, "cents", text("\"currency\":\"CNY\",%s", share(&pair, 500000)));
    post_facts(pair.ck, order(&pair, "1", JAN, "CNY", 200, ""));
    char batch[32768] = "";
    for (int i = 0; i < 100; i++) {
        const size_t len = strlen(batch);
        snprintf(batch + len, sizeof batch - len, "%s%s", i == 0 ? "" : ",",
                 refund("1", text("c%d", i), "2025-01-16T00:00:00Z", 1));
    }
    post_facts(pair.ck, batch);
    struct response *is = report(pair.pk, "2025-01", "");
    expect_money(is, "/rows/0/refunded", 100, "CNY");
    expect_payee(is, "/rows/0", pair.p, 50);
    expect_payee(is, "/rows/0", pair.c, 50);
    /* Beyond what was paid: held, and nothing is earned. */
    post_facts(pair.ck, refund("1", "big", "2025-01-17T00:00:00Z", 150));
    is = report(pair.ck, "2025-01", "");
    expect_money(is, "/rows/0/refunded", 200, "CNY");
    expect_money(is, "/rows/0/net", 0, "CNY");
    expect_payee(is, "/rows/0", pair.p, 0);
    const char *held = find(is, "/held", "reason", "excess_refund");
    expect_money(is, text("%s/gross", held), 50, "CNY");
}
END_TEST

START_TEST(amounts_of_the_order_go_to_its_lines)
{
    const struct pair pair = make_pair("lines");
    make_course(pair.pk, pair.p, "d", 1000, "CNY");
    agree(&pair, "lines",
          text("\"currency\":\"CNY\",\"base\":{\"payment_fee\":{\"deduct\":true},\"store_fee\":"
               "{\"deduct\":true,\"rate_ppm\":100000,\"of\":\"gross\"}},%s",
               share(&pair, 500000)));
    post_facts(pair.ck,
               text("{\"event_id\":\"1\",\"type\":\"order.paid\",\"occurred_at\":\"" JAN
                    "\",\"order_id\":\"1\",\"currency\":\"CNY\",\"payment_fee\":100,\"lines\":["
                    "{\"line_id\":\"a\",\"provider\":\"%s\",\"course_id\":\"c\",\"quantity\":1,"
                    "\"paid\":333},{\"line_id\":\"b\",\"provider\":\"%s\",\"course_id\":\"c\","
                    "\"quantity\":2,\"paid\":333},{\"line_id\":\"z\",\"provider\":\"%s\","
                    "\"course_id\":\"d\",\"quantity\":1,\"paid\":334}]}",
                    pair.p, pair.p, pair.p));
    /* The fee of 100 over 333, 333, 334: 33.3, 33.3, 33.4 → 33, 33, 34.
     * The store's 10 % of gross, half to even: 33.3 → 33, 33, 33.4 → 33.
     * net a = b = 333 − 33 − 33 = 267, z = 334 − 33 − 34 = 267; each 133.5: two equal remainders,
     * the one cent goes to the first in the declared order, the provider: 134 + 133. */
    struct response *is = get(pair.ck, "/v1/orders/%s/1", pair.c);
    static const char *const lines[] = {"a", "b", "z"};
    static const int fees[] = {33, 33, 34};
    for (int i = 0; i < 3; i++) {
        const char *line = find(is, "/lines", "line_id", lines[i]);
        expect_money(is, text("%s/payment_fee", line), fees[i], "CNY");
        expect_money(is, text("%s/store_fee", line), 33, "CNY");
        expect_money(is, text("%s/net", line), 267, "CNY");
        expect_money(is, text("%s/amount", find(is, text("%s/shares", line), "payee", pair.p)), 134,
                     "CNY");
    }
    is = report(pair.pk, "2025-01", "&group_by=course");
    expect_count(is, "/rows", 2);
    expect_text(is, "/rows/0/course/course_id", "c");
    expect_int(is, "/rows/0/lines", 2);
    expect_int(is, "/rows/0/quantity", 3);
    expect_money(is, "/rows/0/own", 268, "CNY");
    expect_text(is, "/rows/1/course/course_id", "d");
    expect_money(is, "/rows/1/own", 134, "CNY");
    expect_money(is, "/totals/0/own", 402, "CNY");
    is = report(pair.pk, "2025-01", "&group_by=counterparty");
    expect_count(is, "/rows", 1);
    expect_text(is, "/rows/0/counterparty/channel", pair.c);
    expect_money(is, "/rows/0/own", 402, "CNY");
    /* Page by page it is the same. */
    is = report(pair.pk, "2025-01", "&group_by=course&limit=1");
    expect_count(is, "/rows", 1);
    expect_money(is, "/totals/0/own", 402, "CNY");
    is = report(pair.pk, "2025-01",
                text("&group_by=course&limit=1&cursor=%s", text_at(is, "/next")));
    expect_count(is, "/rows", 1);
    expect_text(is, "/rows/0/course/course_id", "d");
    expect_null(is, "/next");
}
END_TEST

START_TEST(months_are_those_of_the_agreements_zone)
{
    const struct pair pair = make_pair("zone");
    agree(&pair, "zone",
          text("\"currency\":\"CNY\",\"period\":{\"kind\":\"month\",\"time_zone\":"
               "\"Asia/Shanghai\"},%s",
               share(&pair, 500000)));
    post_facts(pair.ck, text("%s,%s", order(&pair, "1", "2025-01-31T15:59:59Z", "CNY", 100, ""),
                             order(&pair, "2", "2025-01-31T16:00:00Z", "CNY", 1000, "")));
    struct response *is = report(pair.pk, "2025-01", "&group_by=day");
    expect_count(is, "/rows", 1);
    expect_text(is, "/rows/0/day", "2025-01-31");
    expect_money(is, "/rows/0/gross", 100, "CNY");
    is = report(pair.pk, "2025-02", "&group_by=day");
    expect_count(is, "/rows", 1);
    expect_text(is, "/rows/0/day", "2025-02-01");
    expect_money(is, "/rows/0/gross", 1000, "CNY");
    expect_problem(get(pair.pk, "/v1/revenue?period=2025-13"), 400, "query_invalid");
    expect_problem(get(pair.pk, "/v1/revenue"), 400, "query_invalid");
    expect_problem(get(pair.pk, "/v1/revenue?period=2025-01&group_by=mood"), 400, "query_invalid");
}
END_TEST

START_TEST(versions_go_by_when_it_was_sold)
{
    const struct pair pair = make_pair("vers");
    agree(&pair, "vers", text("\"currency\":\"CNY\",%s", share(&pair, 600000)));
    expect_status(
        post(pair.pk, "/v1/agreements/vers/versions",
             text("{\"parties\":[\"%s\",\"%s\"],\"scope\":{\"providers\":[\"%s\"],\"channels\":"
                  "[\"%s\"]},\"effective\":{\"from\":\"2025-02-01T00:00:00+08:00\"},\"currency\":"
                  "\"CNY\",%s}",
                  pair.p, pair.c, pair.p, pair.c, share(&pair, 700000))),
        201);
    expect_status(post(pair.pk, "/v1/agreements/vers/propose", "{\"version\":2}"), 200);
    expect_status(post(pair.pk, "/v1/agreements/vers/sign", "{\"version\":2}"), 200);
    expect_status(post(pair.ck, "/v1/agreements/vers/sign", "{\"version\":2}"), 200);
    post_facts(pair.ck, order(&pair, "feb", "2025-02-02T00:00:00Z", "CNY", 1000, ""));
    post_facts(pair.ck, order(&pair, "late", JAN, "CNY", 1000, ""));
    /* A refund in February of a sale in January is computed with the terms of the sale. */
    post_facts(pair.ck, refund("late", "x", "2025-02-20T00:00:00Z", 500));
    struct response *is = report(pair.pk, "2025-01", "");
    expect_count(is, "/rows", 1);
    expect_int(is, "/rows/0/version", 1);
    expect_money(is, "/rows/0/own", 300, "CNY");
    is = report(pair.pk, "2025-02", "");
    expect_count(is, "/rows", 1);
    expect_int(is, "/rows/0/version", 2);
    expect_money(is, "/rows/0/own", 700, "CNY");
}
END_TEST

START_TEST(a_funded_discount_is_added_back_and_charged)
{
    const struct pair pair = make_pair("disc");
    agree(&pair, "disc",
          text("\"currency\":\"CNY\",\"clearing\":\"direct\",\"base\":{\"discounts\":{\"channel\":"
               "\"add_back\"}},\"funders\":{\"channel\":\"%s\"},%s",
               pair.c, share(&pair, 600000)));
    post_facts(pair.ck, order(&pair, "1", JAN, "CNY", 8000,
                              ",\"discounts\":[{\"amount\":2000,\"funder\":\"channel\"}]"));
    /* Shared: 8000 + 2000. The provider has 6000; the channel 4000 less the 2000 that it funded. */
    struct response *is = report(pair.pk, "2025-01", "");
    expect_money(is, "/rows/0/net", 8000, "CNY");
    expect_money(is, "/rows/0/added_back", 2000, "CNY");
    expect_payee(is, "/rows/0", pair.p, 6000);
    expect_payee(is, "/rows/0", pair.c, 2000);
    expect_due(is, "/rows/0", pair.c, -6000);
    /* Directly: a pair of balances, each naming the other. */
    expect_count(is, "/rows/0/balances", 2);
    const char *owed = find(is, "/rows/0/balances", "party", pair.p);
    expect_text(is, text("%s/settles_with", owed), pair.c);
    const char *owing = find(is, "/rows/0/balances", "party", pair.c);
    expect_text(is, text("%s/settles_with", owing), pair.p);
}
END_TEST

/* Admin fee, CPA of a unit, kept fees on the channel, and refunds in the month in which they
 * occur: the report, the order and its explanation say the same. */
START_TEST(terms_of_a_line_are_reported_and_explained)
{
    const struct pair pair = make_pair("terms");
    agree(&pair, "terms",
          text("\"currency\":\"CNY\",\"base\":{\"payment_fee\":{\"deduct\":true},"
               "\"admin_fee\":{\"deduct\":true,\"rate_ppm\":30000}},\"qualify_days\":14,"
               "\"refund\":{\"basis\":\"in_period\",\"fee_borne_by\":\"%s\"},"
               "\"terms\":[{\"kind\":\"cpa\",\"payee\":\"%s\",\"amount_minor\":700,"
               "\"per\":\"unit\"},{\"kind\":\"share\",\"payee\":\"%s\",\"share_ppm\":"
               "500000},{\"kind\":\"residual\",\"payee\":\"%s\"}]",
               pair.c, pair.p, pair.p, pair.c));
    post_facts(pair.ck, order(&pair, "1", JAN, "CNY", 10000, ",\"payment_fee\":100"));
    /* 3 % of 9900; of 9603 first 700. */
    struct response *is = report(pair.pk, "2025-01", "");
    expect_money(is, "/rows/0/admin_fee", 297, "CNY");
    expect_money(is, "/rows/0/net", 9603, "CNY");
    expect_payee(is, "/rows/0", pair.p, 700 + 4452);
    expect_payee(is, "/rows/0", pair.c, 4451);
    /* All of it back in February: January stays; what is left are the CPA and the fees. */
    post_facts(pair.ck, refund("1", "x", "2025-02-20T00:00:00Z", 10000));
    is = report(pair.pk, "2025-01", "");
    expect_money(is, "/rows/0/refunded", 0, "CNY");
    expect_payee(is, "/rows/0", pair.p, 5152);
    is = report(pair.pk, "2025-02", "");
    expect_int(is, "/rows/0/lines", 0);
    expect_money(is, "/rows/0/refunded", 10000, "CNY");
    expect_money(is, "/rows/0/net", -10000, "CNY");
    expect_payee(is, "/rows/0", pair.p, 350 - 5152);
    expect_payee(is, "/rows/0", pair.c, -350 - 397 - 4451);
    is = get(pair.pk, "/v1/orders/%s/1", pair.c);
    expect_money(is, "/lines/0/admin_fee", 297, "CNY");
    expect_money(is, "/lines/0/net", -397, "CNY");
    is = get(pair.pk, "/v1/orders/%s/1/explain", pair.c);
    static const char *const ops[] = {"refund",      "gross",    "refunded",        "payment_fee",
                                      "admin_fee",   "net",      "fees_added_back", "share_base",
                                      "cpa",         "to_share", "share",           "residual",
                                      "fees_charged"};
    expect_count(is, "/lines/0/steps", sizeof ops / sizeof ops[0]);
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        expect_text(is, text("/lines/0/steps/%zu/op", i), ops[i]);
    expect_money(is, "/lines/0/steps/6/amount", 397, "CNY");
    expect_money(is, "/lines/0/steps/7/amount", 0, "CNY");
    expect_money(is, "/lines/0/steps/8/amount", 700, "CNY");
    expect_money(is, "/lines/0/steps/12/amount", -397, "CNY");
    expect_text(is, "/lines/0/steps/12/payee", pair.c);
}
END_TEST

START_TEST(fixed_amounts_come_before_shares)
{
    const struct pair pair = make_pair("fixed");
    agree(&pair, "fixed",
          text("\"currency\":\"CNY\",\"terms\":[{\"kind\":\"amount\",\"payee\":\"%s\","
               "\"amount_minor\":500},{\"kind\":\"share\",\"payee\":\"%s\",\"share_ppm\":500000},"
               "{\"kind\":\"residual\",\"payee\":\"%s\"}]",
               pair.p, pair.p, pair.c));
    post_facts(pair.ck, order(&pair, "1", JAN, "CNY", 10000, ""));
    struct response *is = report(pair.pk, "2025-01", "");
    expect_payee(is, "/rows/0", pair.p, 500 + 4750);
    expect_payee(is, "/rows/0", pair.c, 4750);
    /* Half refunded: 250, then 4750 in two. */
    post_facts(pair.ck, refund("1", "x", "2025-01-20T00:00:00Z", 5000));
    is = report(pair.pk, "2025-01", "");
    expect_payee(is, "/rows/0", pair.p, 250 + 2375);
    expect_payee(is, "/rows/0", pair.c, 2375);
    /* An amount beyond net cannot be settled. */
    post_facts(pair.ck, order(&pair, "2", JAN, "CNY", 300, ""));
    is = report(pair.ck, "2025-01", "");
    expect_int(is, "/rows/0/lines", 1);
    expect_money(is, text("%s/gross", find(is, "/held", "reason", "over_allocated")), 300, "CNY");
}
END_TEST

START_TEST(held_lines_are_shown_to_whom_they_concern)
{
    const struct pair pair = make_pair("held");
    post_facts(pair.ck, order(&pair, "1", JAN, "CNY", 700, ""));
    struct response *is = report(pair.ck, "2025-01", "");
    expect_count(is, "/rows", 0);
    expect_text(is, "/held/0/reason", "unassigned");
    expect_int(is, "/held/0/lines", 1);
    expect_money(is, "/held/0/gross", 700, "CNY");
    /* The provider sees how many, not how much. */
    is = report(pair.pk, "2025-01", "");
    expect_int(is, text("%s/lines", find(is, "/held", "channel", pair.c)), 1);
    expect_absent(is, "/held/0/gross");
    /* An agreement that covers it, signed later: settled, nothing is held. */
    agree(&pair, "held", text("\"currency\":\"CNY\",%s", share(&pair, 500000)));
    is = report(pair.ck, "2025-01", "");
    expect_count(is, "/held", 0);
    expect_money(is, "/rows/0/own", 350, "CNY");
    /* Another currency than the agreement's is never added up. */
    post_facts(pair.ck, order(&pair, "2", JAN, "USD", 900, ""));
    is = report(pair.ck, "2025-01", "");
    expect_money(is, "/rows/0/gross", 700, "CNY");
    const char *held = find(is, "/held", "reason", "no_rate");
    expect_money(is, text("%s/gross", held), 900, "USD");
}
END_TEST

START_TEST(order_of_arrival_changes_nothing)
{
    const struct pair a = make_pair("first");
    const struct pair b = make_pair("second");
    agree(&a, "first", text("\"currency\":\"CNY\",%s", share(&a, 333333)));
    agree(&b, "second", text("\"currency\":\"CNY\",%s", share(&b, 333333)));
    /* Refund before the order, a charge-back that is won, a void, an excess. */
    static const int orders[2][6] = {{0, 1, 2, 3, 4, 5}, {5, 3, 4, 2, 1, 0}};
    for (int side = 0; side < 2; side++) {
        const struct pair *pair = side == 0 ? &a : &b;
        const char *const facts[] = {
            order(pair, "1", JAN, "CNY", 9999, ",\"payment_fee\":77"),
            refund("1", "x", "2025-01-18T00:00:00Z", 3333),
            refund("1", "y", "2025-01-17T00:00:00Z", 7000),
            "{\"event_id\":\"cb\",\"type\":\"order.charged_back\",\"occurred_at\":"
            "\"2025-01-16T00:00:00Z\",\"order_id\":\"1\",\"refund_id\":\"z\",\"amount\":9999}",
            "{\"event_id\":\"won\",\"type\":\"order.chargeback_reversed\",\"occurred_at\":"
            "\"2025-01-19T00:00:00Z\",\"order_id\":\"1\",\"refund_id\":\"z\"}",
            order(pair, "2", JAN, "CNY", 1, ""),
        };
        for (int i = 0; i < 6; i++)
            post_facts(pair->ck, facts[orders[side][i]]);
    }
    static const char *const same[] = {"lines", "quantity"};
    static const char *const money[] = {"gross", "refunded", "payment_fee", "net", "own"};
    struct response *one = report(a.pk, "2025-01", "");
    struct response *two = report(b.pk, "2025-01", "");
    expect_int(one, "/rows/0/lines", 2);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        const char *place = text("/rows/0/%s", same[i]);
        expect_int(two, place, int_at(one, place));
    }
    for (size_t i = 0; i < sizeof money / sizeof money[0]; i++) {
        const char *place = text("/rows/0/%s", money[i]);
        expect_money(two, place, int_at(one, text("%s/amount", place)), "CNY");
    }
    /* 7000 and then 3333 of 9999: 334 are too much. */
    expect_money(one, "/rows/0/refunded", 9999, "CNY");
    for (int side = 0; side < 2; side++) {
        struct response *is = report(side == 0 ? a.ck : b.ck, "2025-01", "");
        expect_money(is, text("%s/gross", find(is, "/held", "reason", "excess_refund")), 334,
                     "CNY");
    }
}
END_TEST

START_TEST(a_void_takes_the_sale_back)
{
    const struct pair pair = make_pair("void");
    agree(&pair, "void", text("\"currency\":\"CNY\",%s", share(&pair, 500000)));
    post_facts(pair.ck, order(&pair, "1", JAN, "CNY", 500, ""));
    expect_money(report(pair.pk, "2025-01", ""), "/totals/0/own", 250, "CNY");
    /* A correction of the paid amount … */
    post_facts(pair.ck, text("{\"event_id\":\"fix\",\"type\":\"order.paid\",\"occurred_at\":\"" JAN
                             "\",\"order_id\":\"1\",\"currency\":\"CNY\",\"supersedes\":\"o-1\","
                             "\"lines\":[{\"line_id\":\"1\",\"provider\":\"%s\",\"course_id\":"
                             "\"c\",\"quantity\":1,\"paid\":900}]}",
                             pair.p));
    struct response *is = report(pair.pk, "2025-01", "");
    expect_int(is, "/rows/0/lines", 1);
    expect_money(is, "/rows/0/gross", 900, "CNY");
    expect_money(is, "/rows/0/own", 450, "CNY");
    /* … and nothing at all. */
    post_facts(pair.ck, "{\"event_id\":\"gone\",\"type\":\"void\",\"occurred_at\":\"" JAN
                        "\",\"supersedes\":\"fix\"}");
    is = report(pair.pk, "2025-01", "");
    if (json_array_size(at(is, "/rows")) > 0) {
        expect_int(is, "/rows/0/lines", 0);
        expect_money(is, "/rows/0/own", 0, "CNY");
    }
    expect_count(is, "/held", 0);
}
END_TEST

START_TEST(the_operator_reads_any_report)
{
    const struct pair pair = make_pair("any");
    agree(&pair, "any", text("\"currency\":\"CNY\",%s", share(&pair, 500000)));
    post_facts(pair.ck, order(&pair, "1", JAN, "CNY", 500, ""));
    struct response *is = report(operator_key, "2025-01", text("&partner=%s", pair.p));
    expect_text(is, "/partner", pair.p);
    expect_count(is, "/rows", 1);
    expect_money(is, "/rows/0/own", 250, "CNY");
    is = report(operator_key, "2025-01", "&limit=1000");
    find(is, "/rows", "agreement", "any");
    expect_problem(get(pair.pk, "/v1/revenue?period=2025-01&partner=%s", pair.c), 404, "not_found");
    expect_problem(get(operator_key, "/v1/revenue?period=2025-01&partner=nobody"), 404,
                   "not_found");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("revenue");
    TCase *all = tcase_create("revenue");
    tcase_add_unchecked_fixture(all, world_setup, world_teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, a_sale_is_split_to_the_cent);
    tcase_add_test(all, many_small_refunds_end_where_one_would);
    tcase_add_test(all, amounts_of_the_order_go_to_its_lines);
    tcase_add_test(all, months_are_those_of_the_agreements_zone);
    tcase_add_test(all, versions_go_by_when_it_was_sold);
    tcase_add_test(all, a_funded_discount_is_added_back_and_charged);
    tcase_add_test(all, terms_of_a_line_are_reported_and_explained);
    tcase_add_test(all, fixed_amounts_come_before_shares);
    tcase_add_test(all, held_lines_are_shown_to_whom_they_concern);
    tcase_add_test(all, order_of_arrival_changes_nothing);
    tcase_add_test(all, a_void_takes_the_sale_back);
    tcase_add_test(all, the_operator_reads_any_report);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "revenue")
