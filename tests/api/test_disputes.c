/* Disputes: who opens, ends and decides them, and what they make of a statement. */
#include "support/deal.h"

#include <stdlib.h>
#include <string.h>

static const char *open_path(const char *statement)
{
    return text("/v1/statements/%s/disputes", statement);
}

static const char *state_of(const char *key, const char *statement)
{
    struct response *is = get(key, "/v1/statements/%s/disputes", statement);
    expect_status(is, 200);
    return text_at(is, "/state");
}

START_TEST(a_line_is_disputed_until_the_operator_decides)
{
    const struct deal deal = deal_make("upheld", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    const char *line = text_at(get(deal.school, "/v1/statements/%s/lines", id), "/items/0/line");
    const char *body =
        text("{\"line\":\"%s\",\"reason\":\"退款已撤销\",\"claim_minor\":8000}", line);
    struct response *is = post(deal.school, open_path(id), body);
    expect_status(is, 201);
    expect_text(is, "/state", "open");
    expect_text(is, "/line", line);
    expect_text(is, "/opened_by", "upheld-school");
    expect_money(is, "/claim", 8000, "CNY");
    expect_null(is, "/resolution");
    const char *dispute = text_at(is, "/id");
    ck_assert_str_eq(state_of(deal.school, id), "disputed");
    expect_text(get(deal.school, "/v1/statements"), "/items/0/state", "disputed");
    expect_problem(post(deal.school, open_path(id), body), 409, "dispute_open");
    expect_problem(post(deal.school, text("/v1/statements/%s/accept", id), NULL), 409,
                   "dispute_open");

    const char *resolve = text("%s/%s/resolve", open_path(id), dispute);
    expect_problem(post(deal.school, resolve, "{}"), 403, "scope_missing");
    expect_field_problem(
        post(operator_key, resolve, "{\"outcome\":\"upheld\",\"resolution\":\"so it was\"}"),
        "/correction", "field_missing");
    expect_field_problem(post(operator_key, resolve,
                              "{\"outcome\":\"upheld\",\"resolution\":\"so it was\","
                              "\"correction\":\"nothing\"}"),
                         "/correction", "fact_unknown");
    expect_field_problem(
        post(operator_key, resolve, "{\"outcome\":\"maybe\",\"resolution\":\"x\"}"), "/outcome",
        "value_unknown");
    /* The shop says what it had sold once more. */
    deal_refund(&deal, "o1", "2025-02-01", 100);
    is = post(operator_key, resolve,
              "{\"outcome\":\"upheld\",\"resolution\":\"so it was\",\"correction\":\"r-o1\","
              "\"correction_by\":\"upheld-shop\"}");
    expect_status(is, 200);
    expect_text(is, "/state", "upheld");
    expect_text(is, "/correction/partner", "upheld-shop");
    expect_text(is, "/correction/event_id", "r-o1");
    ck_assert_str_eq(state_of(deal.school, id), "published");
    expect_problem(post(operator_key, resolve, "{\"outcome\":\"rejected\",\"resolution\":\"x\"}"),
                   409, "dispute_state");
    /* It may be accepted now, and then no longer be disputed. */
    expect_text(post(deal.school, text("/v1/statements/%s/accept", id), NULL), "/state",
                "accepted");
    expect_problem(post(deal.school, open_path(id), "{\"reason\":\"once more\"}"), 409,
                   "statement_accepted");
}
END_TEST

START_TEST(a_dispute_is_withdrawn_by_who_opened_it)
{
    const struct deal deal = deal_make("withdrawn", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    struct response *is = post(deal.school, open_path(id), "{\"reason\":\"all of it\"}");
    expect_status(is, 201);
    expect_null(is, "/line");
    expect_null(is, "/claim");
    const char *withdraw = text("%s/%s/withdraw", open_path(id), text_at(is, "/id"));
    expect_problem(post(deal.shop, withdraw, NULL), 404, "not_found");
    expect_problem(post(operator_key, withdraw, NULL), 403, "role_missing");
    is = post(deal.school, withdraw, NULL);
    expect_status(is, 200);
    expect_text(is, "/state", "withdrawn");
    ck_assert_str_eq(state_of(deal.school, id), "published");
    expect_problem(post(deal.school, withdraw, NULL), 409, "dispute_state");
    /* Two at once, of different lines: it stays disputed until both have ended. */
    is = post(deal.school, open_path(id), "{\"reason\":\"all of it, again\"}");
    const char *whole = text("%s/%s/withdraw", open_path(id), text_at(is, "/id"));
    const char *line = text_at(get(deal.school, "/v1/statements/%s/lines", id), "/items/0/line");
    is = post(deal.school, open_path(id), text("{\"line\":\"%s\",\"reason\":\"this\"}", line));
    expect_status(is, 201);
    expect_status(post(deal.school, whole, NULL), 200);
    ck_assert_str_eq(state_of(deal.school, id), "disputed");
    is = post(operator_key, text("%s/%s/resolve", open_path(id), text_at(is, "/id")),
              "{\"outcome\":\"rejected\",\"resolution\":\"it stands\"}");
    expect_text(is, "/state", "rejected");
    expect_null(is, "/correction");
    ck_assert_str_eq(state_of(deal.school, id), "published");
    expect_count(get(deal.school, "%s", open_path(id)), "/items", 3);
    is = get(deal.school, "%s?limit=2", open_path(id));
    is = get(deal.school, "%s?limit=2&cursor=%s", open_path(id), text_at(is, "/next"));
    expect_count(is, "/items", 1);
}
END_TEST

START_TEST(what_cannot_be_disputed)
{
    const struct deal deal = deal_make("refused", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *closed = deal_close(&deal, "2025-01");
    const char *id = deal_statement(&deal, closed, "school");
    expect_problem(post(operator_key, open_path(id), "{\"reason\":\"x\"}"), 403, "role_missing");
    expect_problem(post(deal.shop, open_path(id), "{\"reason\":\"x\"}"), 404, "not_found");
    expect_field_problem(post(deal.school, open_path(id), "{}"), "/reason", "field_missing");
    expect_field_problem(post(deal.school, open_path(id), "{\"reason\":\"\"}"), "/reason",
                         "text_length");
    expect_field_problem(post(deal.school, open_path(id), "{\"reason\":\"x\",\"claim_minor\":1.5}"),
                         "/claim_minor", "number_not_integer");
    static const char *const wrong[] = {"s1.0.9", "s999999.0.0", "w0", "x", "s1.0.0 "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_field_problem(
            post(deal.school, open_path(id), text("{\"line\":\"%s\",\"reason\":\"x\"}", wrong[i])),
            "/line", "statement_line_unknown");
    expect_problem(post(deal.school, text("%s/dsp_0/withdraw", open_path(id)), NULL), 404,
                   "not_found");
    ck_assert_str_eq(state_of(deal.school, id), "published");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("disputes");
    TCase *all = tcase_create("disputes");
    tcase_add_unchecked_fixture(all, world_setup, world_teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, a_line_is_disputed_until_the_operator_decides);
    tcase_add_test(all, a_dispute_is_withdrawn_by_who_opened_it);
    tcase_add_test(all, what_cannot_be_disputed);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "disputes")
