/* Payments and what they do to balances, postings and statements. */
#include "support/deal.h"

#include <stdlib.h>
#include <string.h>

static struct response *pay(const char *id, const char *payer, const char *payee, long long amount,
                            const char *statements)
{
    return post(
        operator_key, "/v1/payments",
        text("{\"payment_id\":\"%s\",\"payer\":\"%s\",\"payee\":\"%s\",\"currency\":\"CNY\","
             "\"amount\":%lld,\"statements\":[%s]}",
             id, payer, payee, amount, statements));
}

static struct response *move(const char *id, const char *state)
{
    return post(operator_key, text("/v1/payments/%s/state", id), text("{\"state\":\"%s\"}", state));
}

static void confirm(const char *id)
{
    expect_status(move(id, "sent"), 200);
    struct response *is = move(id, "confirmed");
    expect_status(is, 200);
    expect_text(is, "/state", "confirmed");
}

static json_int_t settlement_of(const char *key, const char *partner, const char *query)
{
    struct response *is = get(key, "/v1/balances%s", query);
    json_int_t sum = 0;
    expect_status(is, 200);
    for (size_t i = 0; i < json_array_size(at(is, "/items")); i++) {
        ck_assert_str_eq(text_at(is, text("/items/%zu/partner", i)), partner);
        sum += int_at(is, text("/items/%zu/balance/amount", i));
    }
    return sum;
}

static void expect_zero_sum(void)
{
    struct response *is = get(operator_key, "/v1/balances");
    expect_status(is, 200);
    for (size_t i = 0; i < json_array_size(at(is, "/trial_balance")); i++)
        expect_int(is, text("/trial_balance/%zu/amount", i), 0);
}

/* School is owed 7000, shop owes 7000: shop pays the operator, the operator pays the school. */
START_TEST(payments_settle_statements)
{
    const struct deal deal = deal_make("paid", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *closed = deal_close(&deal, "2025-01");
    const char *school = text("\"%s\"", deal_statement(&deal, closed, "school"));
    const char *shop = text("\"%s\"", deal_statement(&deal, closed, "shop"));
    const char *me = operator_id();
    ck_assert_int_eq(settlement_of(deal.school, "paid-school", ""), 7000);
    ck_assert_int_eq(settlement_of(deal.shop, "paid-shop", ""), -7000);
    struct response *before = get(deal.school, "/v1/balances");
    expect_zero_sum();

    struct response *is = pay("in-1", "paid-shop", me, 7000, shop);
    expect_status(is, 201);
    expect_text(is, "/state", "approved");
    expect_null(is, "/reference");
    ck_assert_str_eq(header(is, "location"), "/v1/payments/in-1");
    /* Nothing is posted before it is confirmed. */
    ck_assert_int_eq(settlement_of(deal.shop, "paid-shop", ""), -7000);
    confirm("in-1");
    ck_assert_int_eq(settlement_of(deal.shop, "paid-shop", ""), 0);
    expect_text(get(deal.shop, "/v1/statements"), "/items/0/state", "paid");
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "published");

    /* In two parts: the second one settles it. */
    expect_status(pay("out-1", me, "paid-school", 3000, school), 201);
    confirm("out-1");
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "published");
    ck_assert_int_eq(settlement_of(deal.school, "paid-school", ""), 4000);
    expect_status(pay("out-2", me, "paid-school", 4000, school), 201);
    confirm("out-2");
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "paid");
    ck_assert_int_eq(settlement_of(deal.school, "paid-school", ""), 0);
    expect_zero_sum();

    /* What was known before stays what it was. */
    ck_assert_int_eq(
        settlement_of(deal.school, "paid-school", text("?as_of=%s", text_at(before, "/as_of"))),
        7000);
    ck_assert_int_eq(settlement_of(deal.school, "paid-school", "?at=2020-01-01T00:00:00Z"), 0);
    is = get(deal.school, "/v1/postings");
    expect_count(is, "/items", 3);
    expect_text(is, "/items/0/kind", "earnings");
    expect_money(is, "/items/0/amount", 7000, "CNY");
    expect_text(is, "/items/0/agreement", "paid");
    expect_text(is, "/items/1/kind", "payment");
    expect_money(is, "/items/1/amount", -3000, "CNY");
    expect_text(is, "/items/1/agreement", "paid");
    is = get(deal.school, "/v1/postings?since=%s", text_at(before, "/as_of"));
    expect_count(is, "/items", 2);
    is = get(deal.school, "/v1/postings?limit=2");
    expect_count(is, "/items", 2);
    is = get(deal.school, "/v1/postings?limit=2&cursor=%s", text_at(is, "/next"));
    expect_count(is, "/items", 1);
    expect_null(is, "/next");

    /* The next statements begin with what was owed, and end with what was paid of it. */
    closed = deal_close(&deal, "2025-02");
    is = get(deal.school, "/v1/statements/%s", deal_statement(&deal, closed, "school"));
    expect_int(is, "/opening", 7000);
    expect_count(is, "/payments", 2);
    expect_int(is, "/payments/0/amount", -3000);
    expect_int(is, "/closing", 0);
    is = get(deal.shop, "/v1/statements/%s", deal_statement(&deal, closed, "shop"));
    expect_int(is, "/opening", -7000);
    expect_int(is, "/payments/0/amount", 7000);
    expect_int(is, "/closing", 0);
    expect_zero_sum();

    /* The school sees what it was paid, not what the shop paid. */
    is = get(deal.school, "/v1/payments");
    expect_count(is, "/items", 2);
    expect_text(is, "/items/0/payment_id", "out-1");
    expect_text(is, "/items/0/state", "confirmed");
    expect_count(is, "/items/0/statements", 1);
    expect_status(get(deal.school, "/v1/payments/out-1"), 200);
    expect_problem(get(deal.school, "/v1/payments/in-1"), 404, "not_found");
}
END_TEST

/* A confirmation that was wrong is voided, as any fact is: the books go back. */
START_TEST(a_voided_confirmation_is_taken_back)
{
    const struct deal deal = deal_make("voided", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    expect_status(pay("v-1", operator_id(), "voided-school", 7000, text("\"%s\"", id)), 201);
    confirm("v-1");
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "paid");
    struct response *is = post(operator_key, "/v1/events",
                               "[{\"event_id\":\"v-1-void\",\"type\":\"void\",\"occurred_at\":"
                               "\"2025-03-01T00:00:00Z\",\"supersedes\":\"v-1:confirmed\"}]");
    expect_status(is, 200);
    expect_int(is, "/accepted", 1);
    ck_assert_int_eq(settlement_of(deal.school, "voided-school", ""), 7000);
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "published");
    expect_text(get(deal.school, "/v1/payments/v-1"), "/state", "sent");
    expect_zero_sum();
    /* And confirmed after all. */
    is = post(operator_key, "/v1/payments/v-1/state",
              "{\"state\":\"confirmed\",\"event_id\":\"v-1-again\",\"reference\":\"ICBC 17\"}");
    expect_status(is, 200);
    expect_text(is, "/reference", "ICBC 17");
    ck_assert_int_eq(settlement_of(deal.school, "voided-school", ""), 0);
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "paid");
    expect_zero_sum();
}
END_TEST

/* A dispute goes before a payment, and an acceptance that was said stays said. */
START_TEST(states_follow_one_rule)
{
    const struct deal deal = deal_make("rule", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    struct response *is =
        post(deal.school, text("/v1/statements/%s/disputes", id), "{\"reason\":\"x\"}");
    expect_status(is, 201);
    const char *withdraw = text("/v1/statements/%s/disputes/%s/withdraw", id, text_at(is, "/id"));
    expect_status(pay("r-1", operator_id(), "rule-school", 7000, text("\"%s\"", id)), 201);
    confirm("r-1");
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "disputed");
    expect_status(post(deal.school, withdraw, NULL), 200);
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "paid");
    is = post(deal.school, text("/v1/statements/%s/accept", id), NULL);
    expect_status(is, 200);
    expect_text(is, "/state", "paid");
    expect_problem(post(deal.school, text("/v1/statements/%s/disputes", id), "{\"reason\":\"x\"}"),
                   409, "statement_accepted");
}
END_TEST

START_TEST(a_long_id_names_its_facts_too)
{
    char id[128 + 1];
    memset(id, 'p', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    make_partner_key("long-school", "\"provider\"");
    make_partner_key("long-shop", "\"channel\"");
    expect_status(pay(id, "long-shop", "long-school", 100, ""), 201);
    confirm(id);
}
END_TEST

/* Directly between the parties: one payment settles the statements of both. */
START_TEST(a_direct_payment_settles_both_sides)
{
    const struct deal deal = deal_make("direct", "\"clearing\":\"direct\",");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *closed = deal_close(&deal, "2025-01");
    const char *both = text("\"%s\",\"%s\"", deal_statement(&deal, closed, "school"),
                            deal_statement(&deal, closed, "shop"));
    expect_status(pay("d-1", "direct-shop", "direct-school", 7000, both), 201);
    confirm("d-1");
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "paid");
    expect_text(get(deal.shop, "/v1/statements"), "/items/0/state", "paid");
    ck_assert_int_eq(settlement_of(deal.school, "direct-school", ""), 0);
    ck_assert_int_eq(settlement_of(deal.shop, "direct-shop", ""), 0);
    /* Each sees its own statement in it. */
    struct response *is = get(deal.shop, "/v1/payments/d-1");
    expect_count(is, "/statements", 1);
    expect_text(is, "/statements/0", deal_statement(&deal, closed, "shop"));
    expect_zero_sum();
}
END_TEST

START_TEST(what_cannot_be_paid)
{
    const struct deal deal = deal_make("unpaid", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *closed = deal_close(&deal, "2025-01");
    const char *school = text("\"%s\"", deal_statement(&deal, closed, "school"));
    const char *me = operator_id();
    expect_problem(post(deal.school, "/v1/payments", "{}"), 403, "scope_missing");
    expect_field_problem(pay("u-0", me, "unpaid-school", 7000, "\"stm_0\""), "/statements/0",
                         "statement_unknown");
    /* The school is to receive, not to pay. */
    expect_field_problem(pay("u-0", "unpaid-school", me, 7000, school), "/statements/0",
                         "statement_unknown");
    expect_field_problem(pay("u-0", me, "unpaid-shop", 7000, school), "/statements/0",
                         "statement_unknown");
    expect_field_problem(pay("u-0", me, "unpaid-school", 0, ""), "/amount", "amount_out_of_range");
    expect_problem(move("u-0", "sent"), 404, "not_found");
    expect_status(pay("u-1", me, "unpaid-school", 7000, school), 201);
    expect_problem(move("u-1", "confirmed"), 409, "payment_state_invalid");
    expect_field_problem(move("u-1", "approved"), "/state", "value_unknown");
    expect_status(move("u-1", "failed"), 200);
    expect_problem(move("u-1", "sent"), 409, "payment_state_invalid");
    ck_assert_int_eq(settlement_of(deal.school, "unpaid-school", ""), 7000);
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "published");
    expect_problem(get(deal.school, "/v1/balances?as_of=x"), 400, "cursor_invalid");
    expect_problem(get(deal.school, "/v1/balances?at=yesterday"), 400, "query_invalid");
    expect_problem(get(deal.school, "/v1/payments?cursor=x"), 400, "cursor_invalid");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("payments");
    TCase *all = tcase_create("payments");
    tcase_add_unchecked_fixture(all, world_setup, world_teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, payments_settle_statements);
    tcase_add_test(all, a_voided_confirmation_is_taken_back);
    tcase_add_test(all, states_follow_one_rule);
    tcase_add_test(all, a_long_id_names_its_facts_too);
    tcase_add_test(all, a_direct_payment_settles_both_sides);
    tcase_add_test(all, what_cannot_be_paid);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "payments")
