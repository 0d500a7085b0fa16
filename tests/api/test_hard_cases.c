/* Hard cases of a settlement as partners meet them over HTTP. Cents are computed by hand. */
#include "support/deal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct response *post_one(const char *key, const char *fact)
{
    struct response *is = post(key, "/v1/events", text("[%s]", fact));
    expect_status(is, 200);
    return is;
}

/* An order of the shop's at an instant of its own. */
static struct response *order_at(const struct deal *deal, const char *order, const char *at,
                                 const char *currency, const char *paid)
{
    return post_one(
        deal->shop,
        text("{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\",\"order_id\":"
             "\"%s\",\"currency\":\"%s\",\"lines\":[{\"line_id\":\"1\",\"provider\":\"%s-school\","
             "\"course_id\":\"c\",\"quantity\":1,\"paid\":%s}]}",
             order, at, order, currency, deal->name, paid));
}

static struct response *statement_of(const struct deal *deal, const char *key,
                                     const struct response *closed, const char *who)
{
    struct response *is = get(key, "/v1/statements/%s", deal_statement(deal, closed, who));
    expect_status(is, 200);
    return is;
}

static const char *instant(time_t at)
{
    static char when[32];
    struct tm parts;
    ck_assert_ptr_nonnull(gmtime_r(&at, &parts));
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return when;
}

/* Five minutes are what clocks may differ. */
START_TEST(clock_in_the_future)
{
    const struct deal deal = deal_make("clock", "");
    const time_t now = time(NULL);
    struct response *is = order_at(&deal, "o1", instant(now + 6 * 60), "CNY", "100");
    expect_text(is, "/results/0/status", "rejected");
    expect_text(is, "/results/0/code", "time_in_future");
    expect_text(is, "/results/0/pointer", "/occurred_at");
    is = order_at(&deal, "o1", instant(now + 4 * 60), "CNY", "100");
    expect_text(is, "/results/0/status", "accepted");
}
END_TEST

START_TEST(occurred_before_the_agreement)
{
    const struct deal deal = deal_make("early", "");
    struct response *is = order_at(&deal, "o1", "2024-12-31T23:59:59+08:00", "CNY", "1000");
    expect_text(is, "/results/0/status", "accepted");
    expect_text(is, "/results/0/held", "unassigned");
    is = order_at(&deal, "o2", "2025-01-01T00:00:00+08:00", "CNY", "1000");
    expect_text(is, "/results/0/status", "accepted");
    expect_absent(is, "/results/0/held");
    /* Both see it waiting, and neither is owed anything for it. */
    is = get(deal.school, "/v1/revenue?period=2024-12");
    expect_count(is, "/rows", 0);
    expect_text(is, "/held/0/reason", "unassigned");
    expect_int(is, "/held/0/lines", 1);
    is = statement_of(&deal, deal.school, deal_close(&deal, "2025-01"), "school");
    expect_int(is, "/lines/count", 1);
    expect_int(is, "/closing", 700);
}
END_TEST

/* What is no longer in the catalog was sold all the same, and can be given back. */
START_TEST(listing_withdrawn_after_the_sale)
{
    const struct deal deal = deal_make("gone", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    ck_assert_int_lt(del(deal.school, "/v1/courses/gone-school/c")->status, 300);
    struct response *is = statement_of(&deal, deal.school, deal_close(&deal, "2025-01"), "school");
    expect_int(is, "/closing", 7000);
    deal_refund(&deal, "o1", "2025-02-11", 5000);
    struct response *closed = deal_close(&deal, "2025-02");
    is = statement_of(&deal, deal.school, closed, "school");
    expect_int(is, "/differences/0/earned", -3500);
    expect_int(is, "/closing", 3500);
    is = statement_of(&deal, deal.shop, closed, "shop");
    expect_int(is, "/closing", -3500);
}
END_TEST

/* A pack of 299.00 at 199, 99, 99 keeps its weights when a course of it is withdrawn, before it is
 * sold and after: 149.88 and twice 74.56; of all of it the school gets 70 % of each. */
START_TEST(bundle_with_a_retired_listing)
{
    static const long long parts[] = {14988, 7456, 7456};
    const struct deal deal = deal_make("pack", "");
    make_course(deal.school, "pack-school", "b1", 19900, "CNY");
    make_course(deal.school, "pack-school", "b2", 9900, "CNY");
    make_course(deal.school, "pack-school", "b3", 9900, "CNY");
    struct response *is = put(
        deal.shop, "/v1/offers/pack", "If-None-Match: *",
        "{\"kind\":\"bundle\",\"title\":\"Pack\",\"currency\":\"CNY\",\"price\":29900,\"valid\":"
        "{\"from\":\"2025-01-01T00:00:00Z\"},\"allocation\":\"list_price\",\"items\":["
        "{\"provider\":\"pack-school\",\"course_id\":\"b1\"},"
        "{\"provider\":\"pack-school\",\"course_id\":\"b2\"},"
        "{\"provider\":\"pack-school\",\"course_id\":\"b3\"}]}");
    expect_status(is, 201);
    ck_assert_int_lt(del(deal.school, "/v1/courses/pack-school/b2")->status, 300);
    is = get(deal.shop, "/v1/offers/pack");
    expect_count(is, "/items", 3);
    for (int i = 0; i < 3; i++)
        expect_money(is, text("/items/%d/part", i), parts[i], "CNY");
    is = post_one(
        deal.shop,
        "{\"event_id\":\"o1\",\"type\":\"order.paid\",\"occurred_at\":\"2025-01-10T10:00:00Z\","
        "\"order_id\":\"o1\",\"currency\":\"CNY\",\"offer\":\"pack\",\"lines\":["
        "{\"line_id\":\"1\",\"provider\":\"pack-school\",\"course_id\":\"b1\",\"quantity\":1,"
        "\"paid\":14988},{\"line_id\":\"2\",\"provider\":\"pack-school\",\"course_id\":\"b2\","
        "\"quantity\":1,\"paid\":7456},{\"line_id\":\"3\",\"provider\":\"pack-school\","
        "\"course_id\":\"b3\",\"quantity\":1,\"paid\":7456}]}");
    expect_text(is, "/results/0/status", "accepted");
    expect_absent(is, "/results/0/held");
    /* 10491.6, and twice 5219.2: the units left go to the larger rest. */
    is = statement_of(&deal, deal.school, deal_close(&deal, "2025-01"), "school");
    expect_int(is, "/closing", 10492 + 5219 + 5219);
    deal_refund(&deal, "o1", "2025-02-11", 29900);
    is = statement_of(&deal, deal.school, deal_close(&deal, "2025-02"), "school");
    expect_int(is, "/closing", 0);
}
END_TEST

static void set_state(const char *partner, const char *state)
{
    const char *path = text("/v1/partners/%s", partner);
    const char *tag = text("If-Match: %s", header(get(operator_key, "%s", path), "etag"));
    expect_status(patch(operator_key, path, tag, text("{\"state\":\"%s\"}", state)), 200);
}

/* Who is suspended reads nothing, but what it earned stands, and what is sold is still shared. */
START_TEST(payee_suspended_with_a_balance)
{
    const struct deal deal = deal_make("held-up", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *january = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    struct response *before = get(deal.school, "/v1/statements/%s", january);
    expect_int(before, "/payable", 7000);
    set_state("held-up-school", "suspended");
    expect_problem(get(deal.school, "/v1/statements/%s", january), 403, "partner_suspended");
    deal_sell(&deal, "o2", "2025-02-10", 1000);
    deal_refund(&deal, "o1", "2025-02-11", 2000);
    struct response *closed = deal_close(&deal, "2025-02");
    struct response *balances = get(operator_key, "/v1/balances?partner=held-up-school");
    expect_status(balances, 200);
    expect_money(balances, "/items/0/balance", 7000 + 700 - 1400, "CNY");
    set_state("held-up-school", "active");
    struct response *after = get(deal.school, "/v1/statements/%s", january);
    expect_status(after, 200);
    ck_assert_str_eq(after->body, before->body);
    struct response *february = statement_of(&deal, deal.school, closed, "school");
    expect_int(february, "/opening", 7000);
    expect_int(february, "/closing", 6300);
    expect_text(february, "/previous/id", january);
}
END_TEST

/* Beyond 10^13 there are no amounts, and nothing is rounded or wrapped on the way to saying so. */
START_TEST(amounts_near_int64)
{
    static const struct {
        const char *paid;
        const char *code;
    } refused[] = {
        {"10000000000001", "amount_out_of_range"},
        {"9223372036854775807", "amount_out_of_range"},
        {"9223372036854775808", NULL},
        {"18446744073709551617", NULL},
        {"-9223372036854775808", NULL},
        {"1e13", "number_not_integer"},
        {"-1", NULL},
    };
    const struct deal deal = deal_make("large", "");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct response *is = order_at(&deal, "o1", "2025-01-10T10:00:00Z", "CNY", refused[i].paid);
        expect_text(is, "/results/0/status", "rejected");
        expect_text(is, "/results/0/pointer", "/lines/0/paid");
        if (refused[i].code != NULL)
            expect_text(is, "/results/0/code", refused[i].code);
    }
    struct response *is = order_at(&deal, "o1", "2025-01-10T10:00:00Z", "CNY", "10000000000000");
    expect_text(is, "/results/0/status", "accepted");
    struct response *closed = deal_close(&deal, "2025-01");
    expect_int(statement_of(&deal, deal.school, closed, "school"), "/closing", 7000000000000);
    expect_int(statement_of(&deal, deal.shop, closed, "shop"), "/closing", -7000000000000);
}
END_TEST

/* The sum of a member over NDJSON lines. */
static json_int_t sum_of_lines(const char *ndjson, const char *member)
{
    json_int_t sum = 0;
    for (const char *line = ndjson; *line != '\0'; line = strchr(line, '\n') + 1) {
        json_t *one = json_loadb(line, (size_t)(strchr(line, '\n') - line), 0, NULL);
        ck_assert_ptr_nonnull(one);
        sum += json_integer_value(json_object_get(one, member));
        json_decref(one);
    }
    return sum;
}

static struct response *lines_as(const char *key, const char *statement, const char *type)
{
    struct response *is =
        client_send(&(struct request){.method = "GET",
                                      .path = text("/v1/statements/%s/lines", statement),
                                      .key = key,
                                      .headers = {text("Accept: %s", type)}});
    expect_status(is, 200);
    return is;
}

static struct deal deal_in(const char *name, const char *currency)
{
    const struct deal deal = {.name = name,
                              .school = make_partner_key(text("%s-school", name), "\"provider\""),
                              .shop = make_partner_key(text("%s-shop", name), "\"channel\"")};
    make_course(deal.school, text("%s-school", name), "c", 1000, currency);
    make_agreement(
        name,
        text("\"parties\":[\"%s-school\",\"%s-shop\"],\"scope\":{\"providers\":[\"%s-school\"],"
             "\"channels\":[\"%s-shop\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},"
             "\"currency\":\"%s\",\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"
             "\"terms\":[{\"kind\":\"share\",\"payee\":\"%s-school\",\"share_ppm\":600000},"
             "{\"kind\":\"residual\",\"payee\":\"%s-shop\"}]",
             name, name, name, name, currency, name, name),
        (const char *const[]){deal.school, deal.shop, NULL});
    return deal;
}

/* Yen have no decimals, dinars three. Of 101: 61 and 40; of 1.001: 0.601 and 0.400. JSON, NDJSON
 * and CSV of a statement say the same. */
START_TEST(jpy_and_kwd)
{
    static const struct {
        const char *name;
        const char *currency;
        const char *paid;
        json_int_t earned;
        const char *row;
    } cases[] = {
        {"yen", "JPY", "101", 61, ",JPY,101,0,0,0,0,0,101,JPY,61,61,"},
        {"dinar", "KWD", "1001", 601, ",KWD,1.001,0.000,0.000,0.000,0.000,0.000,1.001,KWD,0.601,"},
    };
    const struct deal deal = deal_in(cases[_i].name, cases[_i].currency);
    struct response *is =
        order_at(&deal, "o1", "2025-01-10T10:00:00Z", cases[_i].currency, cases[_i].paid);
    expect_text(is, "/results/0/status", "accepted");
    expect_absent(is, "/results/0/held");
    is = statement_of(&deal, deal.school, deal_close(&deal, "2025-01"), "school");
    const char *id = text_at(is, "/id");
    expect_text(is, "/currency", cases[_i].currency);
    expect_int(is, "/closing", cases[_i].earned);
    expect_int(get(deal.school, "/v1/statements/%s/lines", id), "/items/0/earned",
               cases[_i].earned);
    const char *ndjson = lines_as(deal.school, id, "application/x-ndjson")->body;
    ck_assert_int_eq(sum_of_lines(ndjson, "earned"), cases[_i].earned);
    const char *csv = lines_as(deal.school, id, "text/csv")->body;
    ck_assert_msg(strstr(csv, cases[_i].row) != NULL, "%s", csv);
}
END_TEST

/* The month that is running, and months of years to come. */
START_TEST(close_of_a_future_period)
{
    const struct deal deal = deal_make("future", "");
    const char *now = instant(time(NULL));
    const char *const months[] = {text("%.7s", now), "2100-01", "2199-12"};
    for (size_t i = 0; i < sizeof months / sizeof *months; i++) {
        const char *path = text("/v1/agreements/future/periods/%s/close", months[i]);
        expect_problem(post(operator_key, path, NULL), 409, "period_not_over");
        expect_problem(post(operator_key, text("%s?dry_run=true", path), NULL), 409,
                       "period_not_over");
    }
    deal_close(&deal, "2025-01");
    expect_problem(post(operator_key, "/v1/agreements/future/periods/2025-01/close", NULL), 409,
                   "period_closed");
    expect_problem(
        post(operator_key, "/v1/agreements/future/periods/2025-01/close?dry_run=true", NULL), 409,
        "period_closed");
    expect_count(get(deal.school, "/v1/statements"), "/items", 1);
}
END_TEST

START_TEST(dispute_after_the_deadline)
{
    const struct deal deal = deal_make("too-late", "\"dispute_days\":0,");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    const char *path = text("/v1/statements/%s/disputes", id);
    const char *line = text_at(get(deal.school, "/v1/statements/%s/lines", id), "/items/0/line");
    expect_problem(post(deal.school, path, "{\"reason\":\"all of it\"}"), 409, "dispute_late");
    expect_problem(post(deal.school, path, text("{\"line\":\"%s\",\"reason\":\"this\"}", line)),
                   409, "dispute_late");
    expect_count(get(deal.school, "%s", path), "/items", 0);
}
END_TEST

START_TEST(duplicate_event_id_from_two_partners)
{
    const struct deal one = deal_make("twin-a", "");
    const struct deal two = deal_make("twin-b", "");
    expect_int(order_at(&one, "o", "2025-01-10T10:00:00Z", "CNY", "100"), "/accepted", 1);
    expect_int(order_at(&two, "o", "2025-01-10T10:00:00Z", "CNY", "200"), "/accepted", 1);
    struct response *is = order_at(&two, "o", "2025-01-10T10:00:00Z", "CNY", "200");
    expect_text(is, "/results/0/status", "duplicate");
    is = order_at(&two, "o", "2025-01-10T10:00:00Z", "CNY", "100");
    expect_text(is, "/results/0/code", "event_conflict");
    is = statement_of(&one, one.school, deal_close(&one, "2025-01"), "school");
    expect_int(is, "/closing", 70);
    is = statement_of(&two, two.school, deal_close(&two, "2025-01"), "school");
    expect_int(is, "/closing", 140);
}
END_TEST

/* Statements and their lines are the same bytes whenever the program was started. */
START_TEST(statements_outlive_the_program)
{
    struct server server = {.pid = 0};
    server_prepare(&server);
    server_start(&server);
    client_use(server.base);
    const struct deal deal = deal_make("again", "");
    deal_sell(&deal, "o1", "2025-01-10", 10001);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    deal_refund(&deal, "o1", "2025-02-11", 3333);
    struct response *body = get(deal.school, "/v1/statements/%s", id);
    struct response *lines = lines_as(deal.school, id, "application/x-ndjson");
    struct response *draft =
        post(operator_key, "/v1/agreements/again/periods/2025-02/close?dry_run=true", NULL);
    expect_status(draft, 200);
    server_stop(&server);
    server_start(&server);
    client_use(server.base);
    struct response *again = get(deal.school, "/v1/statements/%s", id);
    ck_assert_str_eq(again->body, body->body);
    ck_assert_str_eq(header(again, "etag"), header(body, "etag"));
    ck_assert_str_eq(lines_as(deal.school, id, "application/x-ndjson")->body, lines->body);
    struct response *closed = deal_close(&deal, "2025-02");
    ck_assert_str_eq(text_at(closed, "/statements/0/hash"), text_at(draft, "/statements/0/hash"));
    ck_assert_str_eq(text_at(closed, "/statements/1/hash"), text_at(draft, "/statements/1/hash"));
    server_stop(&server);
    EXPECT(server_verify(&server));
    server_remove(&server);
    client_use(world_server.base);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("hard cases");
    TCase *all = tcase_create("hard cases");
    tcase_add_unchecked_fixture(all, world_setup, world_teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, clock_in_the_future);
    tcase_add_test(all, occurred_before_the_agreement);
    tcase_add_test(all, listing_withdrawn_after_the_sale);
    tcase_add_test(all, bundle_with_a_retired_listing);
    tcase_add_test(all, payee_suspended_with_a_balance);
    tcase_add_test(all, amounts_near_int64);
    tcase_add_loop_test(all, jpy_and_kwd, 0, 2);
    tcase_add_test(all, close_of_a_future_period);
    tcase_add_test(all, dispute_after_the_deadline);
    tcase_add_test(all, duplicate_event_id_from_two_partners);
    tcase_add_test(all, statements_outlive_the_program);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "hard-cases")
