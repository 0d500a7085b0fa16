/* Exchange rates over the API, and sales that are converted with them. Days go up from test to
 * test: all of them share one server. */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define CREATE "If-None-Match: *"

static struct response *put_rates(const char *date, const char *condition, const char *body)
{
    return put(operator_key, text("/v1/exchange-rates/%s", date), condition, body);
}

static void publish(const char *date, const char *rates)
{
    expect_status(put_rates(date, CREATE, text("{\"rates\":{%s}}", rates)), 201);
}

static struct response *get_rates(const char *key, const char *date)
{
    return get(key, "/v1/exchange-rates/%s", date);
}

/* ---- the resource ---- */

START_TEST(days_are_loaded_read_and_corrected)
{
    const char *body = "{\"base\":\"EUR\",\"rates\":{\"USD\":\"1.5\",\"CNY\":\"8.00\"}}";
    const char *other = "{\"rates\":{\"USD\":\"1.6\"},\"reason\":\"typing error\"}";
    expect_problem(put_rates("2020-01-06", NULL, body), 428, "if_match_required");
    struct response *made = put_rates("2020-01-06", CREATE, body);
    expect_status(made, 201);
    ck_assert(strstr(header(made, "location"), "/v1/exchange-rates/2020-01-06") != NULL);
    expect_bool(made, "/final", false);
    expect_int(made, "/version", 1);
    expect_count(made, "/rates", 2);
    expect_text(made, "/rates/0/currency", "CNY");
    expect_text(made, "/rates/0/rate", "8.00");
    expect_text(made, "/rates/0/day", "2020-01-06");
    expect_problem(put_rates("2020-01-06", CREATE, body), 412, "version_mismatch");

    /* The same again changes nothing; a correction needs its reason and the version it replaces. */
    const char *tag = text("If-Match: %s", header(made, "etag"));
    struct response *same = put_rates("2020-01-06", tag, body);
    expect_status(same, 200);
    expect_int(same, "/version", 1);
    expect_field_problem(put_rates("2020-01-06", tag, "{\"rates\":{\"USD\":\"1.6\"}}"), "/reason",
                         "field_missing");
    struct response *corrected = put_rates("2020-01-06", tag, other);
    expect_status(corrected, 200);
    expect_int(corrected, "/version", 2);
    expect_text(corrected, "/reason", "typing error");
    expect_count(corrected, "/rates", 1);
    expect_text(corrected, "/rates/0/rate", "1.6");
    expect_problem(put_rates("2020-01-06", tag, other), 412, "version_mismatch");
    expect_problem(put_rates("2020-01-07", tag, other), 412, "version_mismatch");

    /* A later day makes it final; a day between takes the last one before it. */
    publish("2020-01-08", "\"CNY\":\"8.1\"");
    struct response *between = get_rates(operator_key, "2020-01-07");
    expect_bool(between, "/final", true);
    expect_absent(between, "/version");
    expect_count(between, "/rates", 1);
    expect_text(between, "/rates/0/day", "2020-01-06");
    struct response *last = get_rates(operator_key, "2020-01-09");
    expect_bool(last, "/final", false);
    expect_count(last, "/rates", 2);
    expect_text(last, "/rates/0/day", "2020-01-08");
    expect_text(last, "/rates/1/day", "2020-01-06");
    expect_count(get_rates(operator_key, "2019-12-31"), "/rates", 0);

    const char *none_match = text("If-None-Match: %s", header(last, "etag"));
    const struct request again = {.method = "GET",
                                  .path = "/v1/exchange-rates/2020-01-09",
                                  .key = operator_key,
                                  .headers = {none_match}};
    expect_status(client_send(&again), 304);

    struct response *list = get(operator_key, "/v1/exchange-rates?limit=1");
    expect_count(list, "/items", 1);
    expect_text(list, "/items/0/date", "2020-01-06");
    expect_int(list, "/items/0/version", 2);
    expect_bool(list, "/items/0/final", true);
    struct response *next =
        get(operator_key, "/v1/exchange-rates?limit=1&cursor=%s", text_at(list, "/next"));
    expect_text(next, "/items/0/date", "2020-01-08");
    expect_null(next, "/next");
    expect_count(get(operator_key, "/v1/exchange-rates?from=2020-01-07"), "/items", 1);
    expect_problem(get(operator_key, "/v1/exchange-rates?from=monday"), 400, "query_invalid");
}
END_TEST

START_TEST(wrong_rates_are_refused)
{
    const char *key = make_partner_key("fx-any", "\"provider\"");
    expect_status(get_rates(key, "2020-01-08"), 200);
    expect_problem(put(key, "/v1/exchange-rates/2020-02-03", CREATE, "{\"rates\":{}}"), 403,
                   "scope_missing");
    expect_problem(get_rates(operator_key, "2020-02-30"), 404, "not_found");
    expect_problem(get_rates(operator_key, "today"), 404, "not_found");
    struct response *wrong = put_rates(
        "2020-02-03", CREATE,
        "{\"base\":\"USD\",\"rates\":{\"XYZ\":\"1\",\"EUR\":\"1\",\"USD\":\"0\",\"CNY\":\"1e2\","
        "\"JPY\":\"-1\",\"GBP\":\"0.1234567890123456789\"}}");
    expect_problem(wrong, 422, "fields_invalid");
    expect_field_problem(wrong, "/base", "value_unknown");
    expect_field_problem(wrong, "/rates/XYZ", "currency_unknown");
    expect_field_problem(wrong, "/rates/EUR", "value_unknown");
    expect_field_problem(wrong, "/rates/USD", "value_out_of_range");
    expect_field_problem(wrong, "/rates/CNY", "decimal_invalid");
    expect_field_problem(wrong, "/rates/JPY", "decimal_invalid");
    expect_field_problem(wrong, "/rates/GBP", "decimal_precision");
    expect_problem(put_rates("2020-02-03", CREATE, "{\"rates\":{}}"), 422, "fields_invalid");
    expect_problem(put_rates("2020-02-03", CREATE, "{\"rates\":{\"USD\":1.5}}"), 422,
                   "fields_invalid");
    expect_problem(put_rates("2199-01-01", CREATE, "{\"rates\":{\"USD\":\"1.5\"}}"), 422,
                   "fields_invalid");
    expect_absent(get_rates(operator_key, "2020-02-03"), "/version");
}
END_TEST

/* ---- sales ---- */

struct pair {
    const char *p;
    const char *c;
    const char *pk;
    const char *ck;
};

/* Half to each, in yuan, by days of Shanghai. */
static struct pair make_pair(const char *name, const char *policy)
{
    struct pair pair = {.p = text("%s-p", name), .c = text("%s-c", name)};
    pair.pk = make_partner_key(pair.p, "\"provider\"");
    pair.ck = make_partner_key(pair.c, "\"channel\"");
    make_course(pair.pk, pair.p, "c", 1000, "CNY");
    make_agreement(text("%s-a", name),
                   text("\"parties\":[\"%s\",\"%s\"],\"scope\":{\"providers\":[\"%s\"],"
                        "\"channels\":[\"%s\"]},\"effective\":{\"from\":"
                        "\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
                        "\"month\",\"time_zone\":\"Asia/Shanghai\"},\"fx\":{\"policy\":\"%s\"},"
                        "\"terms\":[{\"kind\":\"share\",\"payee\":\"%s\",\"share_ppm\":500000},"
                        "{\"kind\":\"residual\",\"payee\":\"%s\"}]",
                        pair.p, pair.c, pair.p, pair.c, policy, pair.p, pair.c),
                   (const char *const[]){pair.pk, pair.ck, NULL});
    return pair;
}

static void sell(const struct pair *pair, const char *id, const char *when)
{
    post_facts(pair->ck,
               text("{\"event_id\":\"o-%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                    "\"order_id\":\"%s\",\"currency\":\"USD\",\"lines\":[{\"line_id\":\"1\","
                    "\"provider\":\"%s\",\"course_id\":\"c\",\"quantity\":1,\"paid\":10000}]}",
                    id, when, id, pair->p));
}

static struct response *line_of(const struct pair *pair, const char *id)
{
    return get(pair->ck, "/v1/orders/%s/%s", pair->c, id);
}

static void expect_net(const struct pair *pair, const char *id, json_int_t net, const char *rate,
                       const char *day)
{
    struct response *order = line_of(pair, id);
    expect_absent(order, "/lines/0/held");
    expect_money(order, "/lines/0/paid", 10000, "USD");
    expect_money(order, "/lines/0/net_sale", 10000, "USD");
    expect_money(order, "/lines/0/net", net, "CNY");
    expect_text(order, "/lines/0/rate/rate", rate);
    expect_text(order, "/lines/0/rate/day", day);
}

static void expect_held(const struct pair *pair, const char *id)
{
    expect_text(line_of(pair, id), "/lines/0/held", "no_rate");
}

START_TEST(sales_wait_for_their_day_and_follow_its_rate)
{
    const struct pair day = make_pair("fx-day", "order_day");
    const struct pair mean = make_pair("fx-mean", "period_average");
    const struct pair close = make_pair("fx-close", "close_day");
    publish("2026-01-02", "\"USD\":\"1.07\",\"CNY\":\"7.7\"");
    /* The evening of the 4th in Europe is the 5th in Shanghai. */
    sell(&day, "mon", "2026-01-04T23:30:00+01:00");
    sell(&day, "sat", "2026-01-10T12:00:00+08:00");
    sell(&mean, "m", "2026-01-05T12:00:00+08:00");
    sell(&close, "l", "2026-01-05T12:00:00+08:00");
    expect_held(&day, "mon");
    publish("2026-01-05", "\"USD\":\"1.0832\",\"CNY\":\"7.7960\"");
    expect_held(&day, "mon");
    struct response *waiting = get(day.ck, "/v1/revenue?period=2026-01");
    expect_count(waiting, "/rows", 0);
    expect_text(waiting, "/held/0/reason", "no_rate");
    expect_text(waiting, "/held/0/currency", "CNY");
    expect_text(waiting, "/held/0/sale_currency", "USD");
    expect_money(waiting, "/held/0/gross", 20000, "USD");

    /* 10000 · 7.7960 / 1.0832 = 71971.9… */
    publish("2026-01-06", "\"USD\":\"1.09\",\"CNY\":\"7.81\"");
    expect_net(&day, "mon", 71972, "7.7960/1.0832", "2026-01-05");
    struct response *why = get(day.ck, "/v1/orders/%s/mon/explain", day.c);
    const char *step = find(why, "/lines/0/steps", "op", "convert");
    expect_money(why, text("%s/amount", step), 71972, "CNY");
    expect_text(why, text("%s/exact", step), "48725000/677");
    expect_text(why, text("%s/rounding", step), "half_even");
    expect_text(why, text("%s/rate/rate", step), "7.7960/1.0832");
    expect_text(why, text("%s/rate/day", step), "2026-01-05");
    struct response *report = get(day.ck, "/v1/revenue?period=2026-01");
    expect_count(report, "/rows", 1);
    expect_text(report, "/rows/0/currency", "CNY");
    expect_text(report, "/rows/0/sale_currency", "USD");
    expect_money(report, "/rows/0/gross", 10000, "USD");
    expect_money(report, "/rows/0/net_sale", 10000, "USD");
    expect_money(report, "/rows/0/net", 71972, "CNY");
    expect_money(report, "/rows/0/own", 35986, "CNY");
    expect_money(report, "/totals/0/gross", 10000, "USD");
    expect_money(report, "/totals/0/net", 71972, "CNY");
    expect_money(report, "/totals/0/due", -35986, "CNY");

    /* A Saturday takes Friday's, once a later day is known; of CNY there is none on Friday. */
    publish("2026-01-08", "\"USD\":\"1.2\",\"CNY\":\"7.9\"");
    publish("2026-01-09", "\"USD\":\"1.1\"");
    expect_held(&day, "sat");
    publish("2026-01-12", "\"USD\":\"1.2\"");
    expect_net(&day, "sat", 71818, "7.9/1.1", "2026-01-08");

    /* A correction settles again what it concerns. */
    struct response *fifth = get_rates(operator_key, "2026-01-05");
    expect_status(put_rates("2026-01-05", text("If-Match: %s", header(fifth, "etag")),
                            "{\"rates\":{\"USD\":\"1.0832\",\"CNY\":\"7.8060\"},"
                            "\"reason\":\"published anew\"}"),
                  200);
    expect_net(&day, "mon", 72064, "7.8060/1.0832", "2026-01-05");
    expect_net(&day, "sat", 71818, "7.9/1.1", "2026-01-08");
    /* So does a day that comes late: the 10th was none until now. */
    publish("2026-01-10", "\"CNY\":\"8\"");
    expect_net(&day, "sat", 72727, "8/1.1", "2026-01-09");

    /* The month's mean and its last day wait for a day behind it. */
    expect_held(&mean, "m");
    expect_held(&close, "l");
    publish("2026-02-02", "\"USD\":\"1.3\",\"CNY\":\"9\"");
    /* USD (1.07 + 1.0832 + 1.09 + 1.2 + 1.1 + 1.2) / 6 = 1.123866666667
     * CNY (7.7 + 7.8060 + 7.81 + 7.9 + 8) / 5 = 7.8432;  10000 · 7.8432 / 1.123866666667 */
    expect_net(&mean, "m", 69788, "7.843200000000/1.123866666667", "2026-01-31");
    expect_net(&close, "l", 66667, "8/1.2", "2026-01-10");
}
END_TEST

START_TEST(refunds_take_the_rate_of_the_sale)
{
    const struct pair pair = make_pair("fx-refund", "order_day");
    sell(&pair, "r", "2026-01-06T12:00:00+08:00");
    post_facts(pair.ck, "{\"event_id\":\"r-1\",\"type\":\"order.refunded\",\"occurred_at\":"
                        "\"2026-02-10T00:00:00Z\",\"order_id\":\"r\",\"refund_id\":\"1\","
                        "\"amount\":3333}");
    /* 6667 · 7.81 / 1.09 = 47769.97… */
    struct response *order = line_of(&pair, "r");
    expect_money(order, "/lines/0/net_sale", 6667, "USD");
    expect_money(order, "/lines/0/net", 47770, "CNY");
    expect_money(order, "/totals/net", 6667, "USD");
}
END_TEST

/* ---- the file ---- */

static int load_file(const char *content, const char *more)
{
    const char *path = text("%s/rates.csv", world_server.dir);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(content, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    const int status =
        system(text("ACCORD_DATABASE=sqlite:%s/accord.db %s rates load --file %s %s "
                    ">%s/rates.out 2>&1",
                    world_server.dir, getenv("ACCORD_BINARY"), path, more, world_server.dir));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(the_published_file_is_loaded_beside_the_service)
{
    static const char file[] = "Date,USD,CYP,CNY,\n"
                               "1999-01-05,1.1790,0.58230,N/A,\n"
                               "1999-01-04,1.1789,0.58231,9.76,\n";
    ck_assert_int_eq(load_file(file, ""), 0);
    struct response *day = get_rates(operator_key, "1999-01-05");
    expect_bool(day, "/final", true);
    expect_count(day, "/rates", 2);
    expect_text(day, "/rates/0/day", "1999-01-04");
    expect_text(day, "/rates/1/rate", "1.1790");
    ck_assert_int_eq(load_file(file, "--base EUR"), 0);
    expect_int(get_rates(operator_key, "1999-01-05"), "/version", 1);
    static const char other[] = "Date,USD,CNY\n1999-01-05,1.2,\n";
    ck_assert_int_eq(load_file(other, ""), 1);
    expect_int(get_rates(operator_key, "1999-01-05"), "/version", 1);
    ck_assert_int_eq(load_file(other, "--reason corrected"), 0);
    expect_int(get_rates(operator_key, "1999-01-05"), "/version", 2);
    ck_assert_int_eq(load_file("Date,USD\n1999-13-05,1.2\n", ""), 1);
    ck_assert_int_eq(load_file("Date,USD\n1999-01-05,x\n", ""), 1);
    ck_assert_int_eq(load_file("Day,USD\n1999-01-05,1.2\n", ""), 1);
    ck_assert_int_eq(load_file("Date,USD\n2199-01-05,1.2\n", ""), 1);
    ck_assert_int_eq(load_file(file, "--base USD"), 2);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("rates");
    TCase *all = tcase_create("all");
    tcase_add_unchecked_fixture(all, world_setup, world_teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, days_are_loaded_read_and_corrected);
    tcase_add_test(all, wrong_rates_are_refused);
    tcase_add_test(all, sales_wait_for_their_day_and_follow_its_rate);
    tcase_add_test(all, refunds_take_the_rate_of_the_sale);
    tcase_add_test(all, the_published_file_is_loaded_beside_the_service);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "rates")
