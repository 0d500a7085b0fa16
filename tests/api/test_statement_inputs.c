/* A partner downloads the inputs of its statement and computes it again with the program itself. */
#include "settle_offline.h"
#include "support/deal.h"

START_TEST(a_downloaded_file_gives_the_statement)
{
    const struct deal deal = deal_make("again", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *january = deal_close(&deal, "2025-01");
    deal_refund(&deal, "o1", "2025-02-11", 3333);
    deal_sell(&deal, "o2", "2025-02-10", 2001);
    struct response *february = deal_close(&deal, "2025-02");
    expect_again(deal.school, deal_statement(&deal, january, "school"));
    expect_again(deal.shop, deal_statement(&deal, january, "shop"));
    expect_again(deal.school, deal_statement(&deal, february, "school"));
    expect_again(deal.shop, deal_statement(&deal, february, "shop"));
}
END_TEST

START_TEST(what_was_changed_does_not_agree)
{
    const struct deal deal = deal_make("forged", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    struct response *inputs = get(deal.school, "/v1/statements/%s/inputs", id);
    char *forged = strdup(inputs->body);
    char *paid = strstr(forged, "\"paid\":10000");
    ck_assert_ptr_nonnull(paid);
    paid[sizeof "\"paid\":" - 1] = '2';
    const char *path = write_file(id, forged);
    struct settled is = settle(text("--inputs %s", path));
    ck_assert_int_eq(is.status, 1);
    /* 70 % of 20000 */
    expect_out(&is, "differs: earned is 14000, the statement says 7000\n");
    *strstr(forged, "\"order\"") = 'x';
    write_file(id, forged);
    is = settle(text("--inputs %s", path));
    ck_assert_int_eq(is.status, 1);
    expect_out(&is, ": line 3: ");
    unlink(path);
    is = settle(text("--inputs %s", path));
    ck_assert_int_eq(is.status, 1);
    ck_assert_int_eq(settle("").status, 2);
    ck_assert_int_eq(settle("--inputs").status, 2);
    ck_assert_int_eq(settle("--other x").status, 2);
    free(forged);
    /* It never changes. */
    struct response *again = client_send(
        &(struct request){.method = "GET",
                          .path = text("/v1/statements/%s/inputs", id),
                          .key = deal.school,
                          .headers = {text("If-None-Match: %s", header(inputs, "etag"))}});
    expect_status(again, 304);
    expect_problem(get(deal.school, "/v1/statements/%s/inputs?cursor=x", id), 400, "query_invalid");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("statement-inputs");
    TCase *tc = tcase_create("statement-inputs");
    tcase_set_timeout(tc, 300);
    tcase_add_unchecked_fixture(tc, world_setup, world_teardown);
    tcase_add_checked_fixture(tc, NULL, test_teardown);
    tcase_add_test(tc, a_downloaded_file_gives_the_statement);
    tcase_add_test(tc, what_was_changed_does_not_agree);
    suite_add_tcase(suite, tc);
    return suite;
}

API_MAIN(make_suite, "statement-inputs")
