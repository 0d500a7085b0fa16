/* Facts that are no feedback and no orders: memberships, challenges, touches, consents, and what
 * the operator posts. */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AT "\"occurred_at\":\"2025-01-10T10:00:00+08:00\","
#define HEAD(event, type) "{\"event_id\":\"" event "\",\"type\":\"" type "\"," AT
#define COURSE "\"provider\":\"school\",\"course_id\":\"python\""

static char *school;
static char *shop;
static char recent[32]; /* an hour ago */

static void setup(void)
{
    world_setup();
    school = strdup(make_partner_key("school", "\"provider\""));
    shop = strdup(make_partner_key("shop", "\"channel\""));
    make_course(school, "school", "python", 19900, "CNY");
    make_agreement("main",
                   "\"parties\":[\"school\",\"shop\"],\"scope\":{\"providers\":[\"school\"],"
                   "\"channels\":[\"shop\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"}"
                   ",\"currency\":\"CNY\",\"terms\":[{\"kind\":\"share\",\"payee\":\"school\","
                   "\"share_ppm\":600000},{\"kind\":\"residual\",\"payee\":\"shop\"}]",
                   (const char *const[]){school, shop, NULL});
    const time_t at = time(NULL) - 3600;
    struct tm parts;
    strftime(recent, sizeof recent, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &parts));
    client_free_all();
}

static void teardown(void)
{
    free(school);
    free(shop);
    world_teardown();
    client_free_all();
}

static struct response *one(const char *key, const char *path, const char *fact)
{
    struct response *is = post(key, path, text("[%s]", fact));
    expect_status(is, 200);
    expect_count(is, "/results", 1);
    return is;
}

#define TERM "\"learner\":\"u-1\",\"currency\":\"CNY\",\"from\":\"2025-01-10T00:00:00Z\","
#define PAYMENT(event, state)                                                                      \
    HEAD(event, "payment")                                                                         \
    "\"payment_id\":\"pay\",\"payer\":\"shop\",\"payee\":\"school\",\"currency\":\"CNY\","         \
    "\"amount\":100,\"state\":\"" state "\",\"statements\":[\"s1\",\"s2\"]}"
#define ADJUSTMENT(event, id, agreement)                                                           \
    HEAD(event, "adjustment")                                                                      \
    "\"adjustment_id\":\"" id "\",\"agreement\":\"" agreement "\",\"payee\":\"school\","           \
    "\"funded_by\":\"shop\",\"currency\":\"CNY\",\"amount\":100,\"reason\":\"迟到的课时\","   \
    "\"of_period\":\"2025-01\",\"statement\":\"s1\",\"line\":\"1\"}"

static const struct {
    bool operators;
    const char *fact;
} good[] = {
    {false, HEAD("g1", "membership.renewed") "\"membership_id\":\"m\",\"term_id\":\"t2\"," TERM
                                             "\"to\":\"2025-02-10T00:00:00Z\",\"paid\":3100}"},
    {false, HEAD("g2", "membership.started") "\"membership_id\":\"m\",\"offer\":\"year\"," TERM
                                             "\"to\":\"2026-01-10T00:00:00Z\",\"paid\":36500,"
                                             "\"tax\":100,\"store_fee\":0,\"payment_fee\":3}"},
    {false, HEAD("g3", "membership.cancelled") "\"membership_id\":\"m\",\"term_id\":\"t2\","
                                               "\"amount\":9,\"tax_returned\":1,"
                                               "\"fee_returned\":1}"},
    {false, HEAD("g4", "challenge.joined") "\"entry_id\":\"n\",\"offer\":\"21-days\",\"learner\":"
                                           "\"u-1\",\"currency\":\"CNY\",\"paid\":9900,"
                                           "\"payment_fee\":59,\"time_zone\":\"Asia/Shanghai\"}"},
    {false, HEAD("g5", "checkin") COURSE ",\"entry\":\"n\",\"learner\":\"u-1\",\"day\":"
                                         "\"2025-01-09\",\"makeup\":true}"},
    {false, HEAD("g6", "challenge.withdrawn") "\"entry_id\":\"n\",\"amount\":4000}"},
    {false, HEAD("g7", "consent") "\"learner\":\"u-1\",\"purpose\":\"marketing\",\"granted\":true,"
                                  "\"proof\":\"ticked a box\"}"},
    {true, ADJUSTMENT("g8", "adj", "main")},
    {true, PAYMENT("g9", "approved")},
    {true, PAYMENT("g10", "sent")},
    {true, PAYMENT("g11", "confirmed")},
};

START_TEST(every_type_is_accepted_once)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const char *key = good[i].operators ? operator_key : shop;
        struct response *is = one(key, "/v1/events", good[i].fact);
        expect_text(is, "/results/0/status", "accepted");
        /* No agreement covers what the shop sells by the year. */
        if (strstr(good[i].fact, "membership.started") != NULL ||
            strstr(good[i].fact, "membership.renewed") != NULL)
            expect_text(is, "/results/0/held", "unassigned");
        else
            expect_absent(is, "/results/0/held");
        is = one(key, "/v1/events", good[i].fact);
        expect_text(is, "/results/0/status", "duplicate");
        /* The operator's types are the operator's; the others a channel's, not a provider's. */
        if (good[i].operators) {
            is = one(shop, "/v1/events", good[i].fact);
            expect_text(is, "/results/0/code", "event_not_allowed");
            is = one(operator_key, "/v1/events?on_behalf_of=shop", good[i].fact);
            expect_text(is, "/results/0/code", "event_not_allowed");
        } else if (strstr(good[i].fact, "consent") == NULL) {
            is = one(school, "/v1/events", good[i].fact);
            expect_text(is, "/results/0/code", "event_not_allowed");
        }
        /* They are no orders, and but for a check-in no feedback. */
        is = one(shop, "/v1/orders", good[i].fact);
        expect_text(is, "/results/0/code", "event_type_unknown");
        if (strstr(good[i].fact, "checkin") == NULL) {
            is = one(shop, "/v1/feedback", good[i].fact);
            expect_text(is, "/results/0/code", "event_type_unknown");
        }
    }
    /* They are found again, each with its fields. */
    struct response *is = get(shop, "/v1/events?type=membership.started");
    expect_count(is, "/items", 1);
    expect_text(is, "/items/0/body/membership_id", "m");
    expect_int(is, "/items/0/body/paid", 36500);
    is = get(shop, "/v1/events?type=consent");
    expect_text(is, "/items/0/body/proof", "ticked a box");
    is = get(operator_key, "/v1/events?type=payment");
    expect_count(is, "/items", 3);
    expect_text(is, "/items/2/body/state", "confirmed");
    expect_text(is, "/items/2/body/statements/1", "s2");
    ck_assert(!server_log_has(&world_server, "ticked a box"));
}
END_TEST

START_TEST(touches_come_in_time)
{
    struct response *is =
        one(shop, "/v1/events",
            text("{\"event_id\":\"t1\",\"type\":\"touch\",\"occurred_at\":\"%s\"," COURSE
                 ",\"link\":\"L1\",\"learner\":\"u-1\",\"kind\":\"coupon\"}",
                 recent));
    expect_text(is, "/results/0/status", "accepted");
    is =
        one(shop, "/v1/events", HEAD("t2", "touch") COURSE ",\"link\":\"L1\",\"learner\":\"u-1\"}");
    expect_text(is, "/results/0/code", "touch_too_late");
    expect_text(is, "/results/0/pointer", "/occurred_at");
}
END_TEST

static const struct {
    const char *fact;
    const char *code;
    const char *pointer;
} taken[] = {
    {HEAD("x", "membership.started") "\"membership_id\":\"m\",\"offer\":\"year\"," TERM
                                     "\"to\":\"2026-01-10T00:00:00Z\",\"paid\":1}",
     "membership_exists", "/membership_id"},
    {HEAD("x", "membership.renewed") "\"membership_id\":\"m\",\"term_id\":\"t2\"," TERM
                                     "\"to\":\"2026-01-10T00:00:00Z\",\"paid\":1}",
     "term_exists", "/term_id"},
    {HEAD("x", "challenge.joined") "\"entry_id\":\"n\",\"offer\":\"o\",\"learner\":\"u-2\","
                                   "\"currency\":\"CNY\",\"paid\":1,\"time_zone\":\"UTC\"}",
     "entry_exists", "/entry_id"},
    {HEAD("x", "challenge.withdrawn") "\"entry_id\":\"n\"}", "entry_exists", "/entry_id"},
    {ADJUSTMENT("x", "adj", "main"), "adjustment_exists", "/adjustment_id"},
    {ADJUSTMENT("x", "adj2", "none"), "agreement_unknown", "/agreement"},
    {HEAD("x", "adjustment") "\"adjustment_id\":\"adj3\",\"agreement\":\"main\",\"payee\":"
                             "\"school\",\"funded_by\":\"shop\",\"currency\":\"USD\","
                             "\"amount\":1,\"reason\":\"in other money\"}",
     "value_unknown", "/currency"},
    {PAYMENT("x", "failed"), "payment_state_invalid", "/state"},
    {HEAD("x", "payment") "\"payment_id\":\"new\",\"payer\":\"ghost\",\"payee\":\"school\","
                          "\"currency\":\"CNY\",\"amount\":1,\"state\":\"approved\","
                          "\"statements\":[]}",
     "partner_unknown", "/payer"},
};

START_TEST(ids_and_states_are_kept)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        const bool operators = strstr(taken[i].fact, "payment\"") != NULL ||
                               strstr(taken[i].fact, "adjustment\"") != NULL;
        struct response *is = one(operators ? operator_key : shop, "/v1/events", taken[i].fact);
        expect_text(is, "/results/0/status", "rejected");
        expect_text(is, "/results/0/code", taken[i].code);
        expect_text(is, "/results/0/pointer", taken[i].pointer);
    }
    /* The states of a payment agree on what is paid. */
    struct response *is = post(
        operator_key, "/v1/events",
        "[" HEAD("d1", "payment") "\"payment_id\":\"d\",\"payer\":\"shop\",\"payee\":"
                                  "\"school\",\"currency\":\"CNY\",\"amount\":1,\"state\":"
                                  "\"approved\",\"statements\":[]}," HEAD(
                                      "d2", "payment") "\"payment_id\":\"d\",\"payer\":\"shop\","
                                                       "\"payee\":\"school\",\"currency\":"
                                                       "\"CNY\",\"amount\":2,\"state\":\"sent\","
                                                       "\"statements\":[]}]");
    expect_text(is, "/results/0/status", "accepted");
    expect_text(is, "/results/1/code", "payment_differs");
    expect_text(is, "/results/1/pointer", "/amount");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("event_types");
    TCase *all = tcase_create("event_types");
    tcase_add_unchecked_fixture(all, setup, teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, every_type_is_accepted_once);
    tcase_add_test(all, touches_come_in_time);
    tcase_add_test(all, ids_and_states_are_kept);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "event_types")
