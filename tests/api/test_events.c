/* Facts: what is accepted, repeated, refused, held, corrected; and what feedback adds up to. */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AT "\"occurred_at\":\"2025-01-10T10:00:00+08:00\","
#define COURSE "\"provider\":\"school\",\"course_id\":\"python\""

static const char *school;  /* provider */
static const char *shop;    /* channel */
static const char *outside; /* channel without an agreement */

static void setup(void)
{
    world_setup();
    school = strdup(make_partner_key("school", "\"provider\""));
    shop = strdup(make_partner_key("shop", "\"channel\""));
    outside = strdup(make_partner_key("outside", "\"channel\""));
    make_course(school, "school", "python", 19900, "CNY");
    make_course(school, "school", "ds", 9900, "CNY");
    make_agreement("main",
                   "\"parties\":[\"school\",\"shop\"],\"scope\":{\"providers\":[\"school\"],"
                   "\"channels\":[\"shop\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"}"
                   ",\"currency\":\"CNY\",\"terms\":[{\"kind\":\"share\",\"payee\":\"school\","
                   "\"share_ppm\":600000},{\"kind\":\"residual\",\"payee\":\"shop\"}]",
                   (const char *const[]){school, shop, NULL});
    client_free_all();
}

static void teardown(void)
{
    free((void *)(uintptr_t)school);
    free((void *)(uintptr_t)shop);
    free((void *)(uintptr_t)outside);
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

static const char *const good[] = {
    "{\"event_id\":\"g1\",\"type\":\"rating\"," AT COURSE ",\"value\":5,\"learner\":\"u-1\"}",
    "{\"event_id\":\"g2\",\"type\":\"review\"," AT COURSE ",\"text\":\"讲得很清楚 👍\",\"value\":4,"
    "\"language\":\"zh\"}",
    "{\"event_id\":\"g3\",\"type\":\"survey\"," AT COURSE ",\"answers\":{\"nps\":9,\"again\":true,"
    "\"why\":\"价格\"}}",
    "{\"event_id\":\"g4\",\"type\":\"question\"," AT COURSE ",\"text\":\"Is there a test?\"}",
    "{\"event_id\":\"g5\",\"type\":\"answer\"," AT COURSE ",\"question\":\"g4\",\"text\":\"Yes\"}",
    "{\"event_id\":\"g6\",\"type\":\"comment\"," AT COURSE ",\"text\":\"Nice\"}",
    "{\"event_id\":\"g7\",\"type\":\"checkin\"," AT COURSE ",\"day\":\"2025-01-10\"}",
    "{\"event_id\":\"g8\",\"type\":\"share\"," AT COURSE ",\"target\":\"wechat\"}",
    "{\"event_id\":\"g9\",\"type\":\"progress\"," AT COURSE ",\"progress_ppm\":1000000}",
    "{\"event_id\":\"g10\",\"type\":\"completion\"," AT COURSE "}",
    "{\"event_id\":\"g11\",\"type\":\"impression\"," AT COURSE ",\"count\":1000}",
    "{\"event_id\":\"g12\",\"type\":\"click\"," AT COURSE ",\"link\":\"l1\"}",
    "{\"event_id\":\"g14\",\"type\":\"enrolment\"," AT COURSE "}",
    "{\"event_id\":\"g15\",\"type\":\"usage\"," AT COURSE ",\"seconds\":1800}",
    "{\"event_id\":\"g16\",\"type\":\"order.paid\"," AT "\"order_id\":\"g-o\",\"currency\":\"CNY\","
    "\"lines\":[{\"line_id\":\"1\"," COURSE ",\"quantity\":1,\"paid\":19900}]}",
    "{\"event_id\":\"g17\",\"type\":\"order.refunded\"," AT "\"order_id\":\"g-o\",\"refund_id\":"
    "\"r1\",\"lines\":[{\"line_id\":\"1\",\"amount\":100}]}",
    "{\"event_id\":\"g18\",\"type\":\"order.charged_back\"," AT
    "\"order_id\":\"g-o\",\"refund_id\":"
    "\"c1\",\"amount\":100}",
    "{\"event_id\":\"g19\",\"type\":\"order.chargeback_reversed\"," AT "\"order_id\":\"g-o\","
    "\"refund_id\":\"c1\"}",
    "{\"event_id\":\"g20\",\"type\":\"void\"," AT "\"supersedes\":\"g6\"}",
};

START_TEST(every_type_is_accepted_once)
{
    struct response *is = one(shop, "/v1/events", good[_i]);
    expect_text(is, "/results/0/status", "accepted");
    expect_int(is, "/accepted", 1);
    expect_absent(is, "/results/0/held");
    is = one(shop, "/v1/events", good[_i]);
    expect_text(is, "/results/0/status", "duplicate");
    expect_int(is, "/duplicate", 1);
}
END_TEST

START_TEST(equal_meaning_is_a_duplicate_other_meaning_a_conflict)
{
    one(shop, "/v1/feedback",
        "{\"event_id\":\"eq\",\"type\":\"rating\",\"occurred_at\":\"2025-01-10T10:00:00+08:00\","
        "\"provider\":\"school\",\"course_id\":\"python\",\"value\":3}");
    struct response *is =
        one(shop, "/v1/events",
            "{\"value\":3,\"course_id\":\"python\",\"provider\":\"school\",\"type\":\"rating\","
            "\"event_id\":\"eq\",\"occurred_at\":\"2025-01-10T02:00:00.000Z\"}");
    expect_text(is, "/results/0/status", "duplicate");
    is = one(shop, "/v1/events",
             "{\"event_id\":\"eq\",\"type\":\"rating\",\"occurred_at\":\"2025-01-10T02:00:00Z\","
             "\"provider\":\"school\",\"course_id\":\"python\",\"value\":4}");
    expect_text(is, "/results/0/status", "conflict");
    expect_text(is, "/results/0/code", "event_conflict");
    expect_int(is, "/conflict", 1);
    /* Ids are each partner's own. */
    is = one(school, "/v1/events",
             "{\"event_id\":\"eq\",\"type\":\"rating\",\"occurred_at\":\"2025-01-10T02:00:00Z\","
             "\"provider\":\"school\",\"course_id\":\"python\",\"value\":4}");
    expect_text(is, "/results/0/status", "accepted");
    /* Twice in one batch. */
    is = post(shop, "/v1/events",
              "[{\"event_id\":\"tw\",\"type\":\"completion\"," AT COURSE "},"
              "{\"event_id\":\"tw\",\"type\":\"completion\"," AT COURSE "},"
              "{\"event_id\":\"tw\",\"type\":\"progress\"," AT COURSE ",\"progress_ppm\":1}]");
    expect_text(is, "/results/0/status", "accepted");
    expect_text(is, "/results/1/status", "duplicate");
    expect_text(is, "/results/2/status", "conflict");
}
END_TEST

#define PAID "{\"event_id\":\"b\",\"type\":\"order.paid\"," AT
#define LINE "\"line_id\":\"1\"," COURSE ",\"quantity\":1,\"paid\":100"
static const struct {
    const char *fact;
    const char *code;
    const char *pointer; /* NULL: any */
} bad[] = {
    {"{\"type\":\"completion\"," AT COURSE "}", "field_missing", "/event_id"},
    {"{\"event_id\":\"\",\"type\":\"completion\"," AT COURSE "}", "text_length", "/event_id"},
    {"{\"event_id\":\"b\\u0007\",\"type\":\"completion\"," AT COURSE "}", "text_invalid",
     "/event_id"},
    {"{\"event_id\":\"b\"," AT COURSE "}", "field_missing", "/type"},
    {"{\"event_id\":\"b\",\"type\":\"dance\"," AT COURSE "}", "event_type_unknown", NULL},
    {"{\"event_id\":\"b\",\"type\":\"completion\"," COURSE "}", "field_missing", "/occurred_at"},
    {"{\"event_id\":\"b\",\"type\":\"completion\",\"occurred_at\":\"2025-01-10\"," COURSE "}",
     "time_invalid", "/occurred_at"},
    {"{\"event_id\":\"b\",\"type\":\"completion\",\"occurred_at\":\"2099-01-10T00:00:00Z\"," COURSE
     "}",
     "time_in_future", "/occurred_at"},
    {"{\"event_id\":\"b\",\"type\":\"completion\"," AT COURSE ",\"mood\":1}", "field_unknown",
     "/mood"},
    {"{\"event_id\":\"b\",\"type\":\"completion\"," AT "\"provider\":\"school\"}", "field_missing",
     "/course_id"},
    {"{\"event_id\":\"b\",\"type\":\"completion\"," AT
     "\"provider\":\"nobody\",\"course_id\":\"x\"}",
     "provider_unknown", NULL},
    {"{\"event_id\":\"b\",\"type\":\"rating\"," AT COURSE ",\"value\":6}", "value_out_of_range",
     "/value"},
    {"{\"event_id\":\"b\",\"type\":\"rating\"," AT COURSE ",\"value\":4.5}", "number_not_integer",
     "/value"},
    {"{\"event_id\":\"b\",\"type\":\"rating\"," AT COURSE ",\"value\":\"5\"}", "type_wrong",
     "/value"},
    {"{\"event_id\":\"b\",\"type\":\"progress\"," AT COURSE ",\"progress_ppm\":1000001}",
     "value_out_of_range", "/progress_ppm"},
    {PAID "\"order_id\":\"b\",\"currency\":\"CNY\",\"lines\":[]}", "count_out_of_range", "/lines"},
    {PAID "\"order_id\":\"b\",\"currency\":\"XQQ\",\"lines\":[{" LINE "}]}", "currency_unknown",
     "/currency"},
    {PAID "\"order_id\":\"b\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\"," COURSE
          ",\"quantity\":1,\"paid\":19.90}]}",
     "number_not_integer", "/lines/0/paid"},
    {PAID "\"order_id\":\"b\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\"," COURSE
          ",\"quantity\":1,\"paid\":1e2}]}",
     "number_not_integer", "/lines/0/paid"},
    {PAID "\"order_id\":\"b\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\"," COURSE
          ",\"quantity\":1,\"paid\":-1}]}",
     "amount_out_of_range", "/lines/0/paid"},
    {PAID "\"order_id\":\"b\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\"," COURSE
          ",\"quantity\":1,\"paid\":10000000000001}]}",
     "amount_out_of_range", "/lines/0/paid"},
    {PAID "\"order_id\":\"b\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\"," COURSE
          ",\"quantity\":1,\"paid\":9223372036854775808}]}",
     "amount_out_of_range", "/lines/0/paid"},
    {PAID "\"order_id\":\"b\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\"," COURSE
          ",\"quantity\":0,\"paid\":1}]}",
     "value_out_of_range", "/lines/0/quantity"},
    {PAID "\"order_id\":\"b\",\"currency\":\"CNY\",\"lines\":[{" LINE "},{" LINE "}]}",
     "line_duplicate", NULL},
    {PAID "\"order_id\":\"b\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":"
          "\"nobody\",\"course_id\":\"x\",\"quantity\":1,\"paid\":1}]}",
     "provider_unknown", NULL},
    {"{\"event_id\":\"b\",\"type\":\"order.refunded\"," AT
     "\"order_id\":\"o\",\"refund_id\":\"r\"}",
     "field_missing", NULL},
    {"{\"event_id\":\"b\",\"type\":\"void\"," AT "\"supersedes\":\"never\"}", "supersedes_unknown",
     NULL},
    {"{\"event_id\":\"b\",\"type\":\"void\",\"occurred_at\":\"2025-01-10T10:00:00+08:00\"}",
     "field_missing", "/supersedes"},
    {"{\"event_id\":\"b\",\"event_id\":\"c\",\"type\":\"completion\"," AT COURSE "}",
     "field_duplicate", NULL},
    {"7", "type_wrong", NULL},
    {"{\"event_id\":\"b\",\"type\":\"survey\"," AT COURSE ",\"answers\":{\"a\":[1]}}", "type_wrong",
     NULL},
};

START_TEST(a_bad_item_is_refused_alone)
{
    struct response *is =
        post(shop, "/v1/events",
             text("[{\"event_id\":\"before-%d\",\"type\":\"completion\"," AT COURSE "},%s,"
                  "{\"event_id\":\"after-%d\",\"type\":\"completion\"," AT COURSE "}]",
                  _i, bad[_i].fact, _i));
    expect_status(is, 200);
    expect_int(is, "/accepted", 2);
    expect_int(is, "/rejected", 1);
    expect_text(is, "/results/0/status", "accepted");
    expect_text(is, "/results/1/status", "rejected");
    expect_text(is, "/results/1/code", bad[_i].code);
    if (bad[_i].pointer != NULL)
        expect_text(is, "/results/1/pointer", bad[_i].pointer);
    expect_text(is, "/results/2/status", "accepted");
}
END_TEST

START_TEST(ndjson_lines_fail_alone)
{
    struct response *is = client_send(
        &(struct request){.method = "POST",
                          .path = "/v1/events",
                          .key = shop,
                          .type = "application/x-ndjson",
                          .body = "{\"event_id\":\"n1\",\"type\":\"completion\"," AT COURSE "}\r\n"
                                  "{\"event_id\":\"n2\",\n"
                                  "\n"
                                  "{\"event_id\":\"n3\",\"type\":\"completion\"," AT COURSE "}"});
    expect_status(is, 200);
    expect_int(is, "/accepted", 2);
    expect_int(is, "/rejected", 1);
    expect_text(is, "/results/1/code", "json_invalid");
    expect_null(is, "/results/1/event_id");
    is = post(shop, "/v1/events",
              "[{\"event_id\":\"n4\",\"type\":\"completion\"," AT COURSE "},{\"event_id\"]");
    expect_problem(is, 400, "json_invalid");
    struct response *own = get(shop, "/v1/events?limit=1000");
    ck_assert(strstr(own->body, "\"n3\"") != NULL && strstr(own->body, "\"n4\"") == NULL);
}
END_TEST

static const struct {
    bool by_school;
    const char *path;
    const char *fact;
    const char *code;
} not_allowed[] = {
    {true, "/v1/events", PAID "\"order_id\":\"na\",\"currency\":\"CNY\",\"lines\":[{" LINE "}]}",
     "event_not_allowed"},
    {true, "/v1/events", "{\"event_id\":\"na\",\"type\":\"usage\"," AT COURSE ",\"seconds\":1}",
     "event_not_allowed"},
    {true, "/v1/events", "{\"event_id\":\"na\",\"type\":\"impression\"," AT COURSE "}",
     "event_not_allowed"},
    {false, "/v1/feedback", PAID "\"order_id\":\"na\",\"currency\":\"CNY\",\"lines\":[{" LINE "}]}",
     "event_type_unknown"},
    {false, "/v1/orders", "{\"event_id\":\"na\",\"type\":\"completion\"," AT COURSE "}",
     "event_type_unknown"},
};

START_TEST(who_may_post_what)
{
    struct response *is =
        one(not_allowed[_i].by_school ? school : shop, not_allowed[_i].path, not_allowed[_i].fact);
    expect_text(is, "/results/0/status", "rejected");
    expect_text(is, "/results/0/code", not_allowed[_i].code);
}
END_TEST

START_TEST(a_provider_speaks_about_its_own_courses_only)
{
    make_partner_key("rival", "\"provider\"");
    struct response *is = one(school, "/v1/feedback",
                              "{\"event_id\":\"rv\",\"type\":\"rating\"," AT
                              "\"provider\":\"rival\",\"course_id\":\"x\",\"value\":1}");
    expect_text(is, "/results/0/code", "event_not_allowed");
    is = one(school, "/v1/feedback",
             "{\"event_id\":\"rv\",\"type\":\"rating\"," AT COURSE ",\"value\":5}");
    expect_text(is, "/results/0/status", "accepted");
}
END_TEST

START_TEST(the_operator_posts_for_a_partner)
{
    struct response *is = post(operator_key, "/v1/events?on_behalf_of=shop",
                               "[{\"event_id\":\"ob\",\"type\":\"completion\"," AT COURSE "}]");
    expect_status(is, 200);
    expect_int(is, "/accepted", 1);
    is = one(shop, "/v1/events", "{\"event_id\":\"ob\",\"type\":\"completion\"," AT COURSE "}");
    expect_text(is, "/results/0/status", "duplicate");
    is = post(shop, "/v1/events?on_behalf_of=outside",
              "[{\"event_id\":\"ob2\",\"type\":\"completion\"," AT COURSE "}]");
    ck_assert(is->status == 403 || is->status == 404);
    is = post(operator_key, "/v1/events?on_behalf_of=nobody",
              "[{\"event_id\":\"ob3\",\"type\":\"completion\"," AT COURSE "}]");
    ck_assert_int_ge(is->status, 400);
}
END_TEST

START_TEST(what_cannot_be_settled_is_held_and_says_why)
{
    struct response *is =
        one(shop, "/v1/events",
            "{\"event_id\":\"h1\",\"type\":\"order.paid\"," AT
            "\"order_id\":\"h1\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":"
            "\"school\",\"course_id\":\"later\",\"quantity\":1,\"paid\":100}]}");
    expect_text(is, "/results/0/status", "accepted");
    expect_text(is, "/results/0/held", "unmatched");
    is = one(outside, "/v1/orders",
             "{\"event_id\":\"h2\",\"type\":\"order.paid\"," AT
             "\"order_id\":\"h2\",\"currency\":\"CNY\",\"lines\":[{" LINE "}]}");
    expect_text(is, "/results/0/held", "unassigned");
    is = one(shop, "/v1/orders",
             "{\"event_id\":\"h3\",\"type\":\"order.paid\"," AT
             "\"order_id\":\"h3\",\"currency\":\"USD\",\"lines\":[{" LINE "}]}");
    expect_text(is, "/results/0/held", "no_rate");
    is = one(shop, "/v1/orders",
             "{\"event_id\":\"h4\",\"type\":\"order.refunded\"," AT
             "\"order_id\":\"h4\",\"refund_id\":\"r\",\"amount\":100}");
    expect_text(is, "/results/0/status", "accepted");
    /* Feedback about an unknown course is kept too. */
    is = one(shop, "/v1/feedback",
             "{\"event_id\":\"h5\",\"type\":\"rating\"," AT
             "\"provider\":\"school\",\"course_id\":\"later\",\"value\":5}");
    expect_text(is, "/results/0/status", "accepted");
    expect_text(is, "/results/0/held", "unmatched");
    /* The course arrives: the order is settled, the rating counts. */
    make_course(school, "school", "later", 100, "CNY");
    for (int i = 0; i < 500; i++) {
        is = get(shop, "/v1/orders/shop/h1");
        expect_status(is, 200);
        if (at(is, "/lines/0/held") == NULL)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    expect_absent(is, "/lines/0/held");
    /* 60 % of 100. */
    expect_money(is, text("%s/amount", find(is, "/lines/0/shares", "payee", "school")), 60, "CNY");
    is = get(school, "/v1/courses/school/later/feedback");
    expect_int(is, "/ratings/count", 1);
}
END_TEST

START_TEST(order_and_refund_ids_are_unique_for_ever)
{
    one(shop, "/v1/orders",
        "{\"event_id\":\"u1\",\"type\":\"order.paid\"," AT
        "\"order_id\":\"u\",\"currency\":\"CNY\",\"lines\":[{" LINE "}]}");
    struct response *is = one(shop, "/v1/orders",
                              "{\"event_id\":\"u2\",\"type\":\"order.paid\"," AT
                              "\"order_id\":\"u\",\"currency\":\"CNY\",\"lines\":[{" LINE "}]}");
    expect_text(is, "/results/0/status", "rejected");
    expect_text(is, "/results/0/code", "order_exists");
    one(shop, "/v1/orders",
        "{\"event_id\":\"u3\",\"type\":\"order.refunded\"," AT
        "\"order_id\":\"u\",\"refund_id\":\"r\",\"amount\":1}");
    is = one(shop, "/v1/orders",
             "{\"event_id\":\"u4\",\"type\":\"order.refunded\"," AT
             "\"order_id\":\"u\",\"refund_id\":\"r\",\"amount\":1}");
    expect_text(is, "/results/0/code", "refund_exists");
    is = one(
        shop, "/v1/orders",
        "{\"event_id\":\"u5\",\"type\":\"order.refunded\"," AT
        "\"order_id\":\"u\",\"refund_id\":\"r2\",\"lines\":[{\"line_id\":\"9\",\"amount\":1}]}");
    /* A refund is never refused for what it finds: it may have come before its order. */
    expect_text(is, "/results/0/status", "accepted");
    /* The channel's order ids are not another channel's. */
    is = one(outside, "/v1/orders",
             "{\"event_id\":\"u1\",\"type\":\"order.paid\"," AT
             "\"order_id\":\"u\",\"currency\":\"CNY\",\"lines\":[{" LINE "}]}");
    expect_text(is, "/results/0/status", "accepted");
}
END_TEST

START_TEST(corrections_supersede_and_voids_take_back)
{
    const char *key = make_partner_key("fix", "\"provider\"");
    make_course(key, "fix", "c", 1, "CNY");
#define FIX "\"provider\":\"fix\",\"course_id\":\"c\""
    one(key, "/v1/events",
        "{\"event_id\":\"f1\",\"type\":\"rating\"," AT FIX ",\"learner\":\"u\",\"value\":1}");
    struct response *is = one(key, "/v1/events",
                              "{\"event_id\":\"f2\",\"type\":\"rating\"," AT FIX
                              ",\"learner\":\"u\",\"value\":5,\"supersedes\":\"f1\"}");
    expect_text(is, "/results/0/status", "accepted");
    is = get(key, "/v1/courses/fix/c/feedback");
    expect_int(is, "/ratings/count", 1);
    expect_int(is, "/ratings/histogram/5", 1);
    expect_int(is, "/ratings/histogram/1", 0);
    expect_int(is, "/ratings/mean_milli", 5000);
    /* A fact that is no longer current cannot be corrected again. */
    is = one(key, "/v1/events",
             "{\"event_id\":\"f3\",\"type\":\"rating\"," AT FIX
             ",\"learner\":\"u\",\"value\":2,\"supersedes\":\"f1\"}");
    expect_text(is, "/results/0/code", "supersedes_unknown");
    is = one(key, "/v1/events",
             "{\"event_id\":\"f4\",\"type\":\"completion\"," AT FIX ",\"supersedes\":\"f2\"}");
    expect_text(is, "/results/0/code", "supersedes_type");
    is = one(key, "/v1/events",
             "{\"event_id\":\"f5\",\"type\":\"void\"," AT "\"supersedes\":\"f2\"}");
    expect_text(is, "/results/0/status", "accepted");
    is = get(key, "/v1/courses/fix/c/feedback");
    expect_int(is, "/ratings/count", 0);
    expect_null(is, "/ratings/mean_milli");
    /* Nobody corrects another partner's fact. */
    is = one(shop, "/v1/events",
             "{\"event_id\":\"f6\",\"type\":\"void\"," AT "\"supersedes\":\"f2\"}");
    expect_text(is, "/results/0/code", "supersedes_unknown");
}
END_TEST

START_TEST(feedback_adds_up)
{
    const char *key = make_partner_key("fb", "\"provider\"");
    make_course(key, "fb", "c", 1, "CNY");
#define FB "\"provider\":\"fb\",\"course_id\":\"c\""
    /* A learner's later rating takes the place of the earlier one; one without a learner stands. */
    post_facts(
        key,
        "{\"event_id\":\"1\",\"type\":\"rating\",\"occurred_at\":\"2025-01-01T00:00:00Z\"," FB
        ",\"learner\":\"a\",\"value\":2},"
        "{\"event_id\":\"2\",\"type\":\"rating\",\"occurred_at\":\"2025-01-03T00:00:00Z\"," FB
        ",\"learner\":\"a\",\"value\":4},"
        "{\"event_id\":\"3\",\"type\":\"rating\",\"occurred_at\":\"2025-01-02T00:00:00Z\"," FB
        ",\"learner\":\"a\",\"value\":1},"
        "{\"event_id\":\"4\",\"type\":\"rating\",\"occurred_at\":\"2025-01-01T00:00:00Z\"," FB
        ",\"value\":5},"
        "{\"event_id\":\"5\",\"type\":\"review\",\"occurred_at\":\"2025-01-04T00:00:00Z\"," FB
        ",\"learner\":\"b\",\"value\":5,\"text\":\"很好\",\"language\":\"zh\"},"
        "{\"event_id\":\"6\",\"type\":\"review\",\"occurred_at\":\"2025-01-05T00:00:00Z\"," FB
        ",\"learner\":\"c\",\"text\":\"Too long\"},"
        "{\"event_id\":\"7\",\"type\":\"completion\",\"occurred_at\":\"2025-01-05T00:00:00Z\"," FB
        "}");
    struct response *is = get(key, "/v1/courses/fb/c/feedback");
    expect_status(is, 200);
    /* 4, 5, 5: the mean is 14/3 = 4.6667 */
    expect_int(is, "/ratings/count", 3);
    expect_int(is, "/ratings/histogram/4", 1);
    expect_int(is, "/ratings/histogram/5", 2);
    expect_int(is, "/ratings/mean_milli", 4667);
    const json_int_t mean = int_at(is, "/ratings/prior/mean_milli");
    const json_int_t weight = int_at(is, "/ratings/prior/weight");
    const json_int_t top = mean * weight + 14000;
    const json_int_t under = weight + 3;
    const json_int_t twice = 2 * (top % under);
    const json_int_t floor = top / under;
    const json_int_t rounded =
        twice > under || (twice == under && floor % 2 == 1) ? floor + 1 : floor;
    expect_int(is, "/ratings/bayesian_milli", rounded);
    expect_int(is, "/counts/completion", 1);
    expect_int(is, "/counts/review", 2);
    expect_count(is, "/reviews", 2);
    expect_text(is, "/reviews/0/text", "Too long");
    expect_text(is, "/reviews/0/source", "fb");
    expect_absent(is, "/reviews/0/value");
    expect_text(is, "/reviews/1/text", "很好");
    expect_text(is, "/reviews/1/language", "zh");
    expect_int(is, "/reviews/1/value", 5);
    ck_assert(!server_log_has(&world_server, "Too long"));
    expect_problem(get(shop, "/v1/courses/fb/c/feedback"), 404, "not_found");
}
END_TEST

/* A long batch is written in parts. What an item says of one far before it is true all the same: an
 * order and its refund, an id for the second time, a void. */
START_TEST(a_long_batch_is_one_answer)
{
    enum { ITEMS = 3500 };
    char *body = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&body, &len);
    for (int i = 0; i < ITEMS; i++) {
        fprintf(out, "%s{\"event_id\":\"long-%d\",", i == 0 ? "[" : ",", i == 2400 ? 7 : i);
        if (i == 10)
            fprintf(out, "\"type\":\"order.paid\"," AT "\"order_id\":\"long\",\"currency\":"
                         "\"CNY\",\"lines\":[{\"line_id\":\"1\"," COURSE ",\"quantity\":1,"
                         "\"paid\":10000}]}");
        else if (i == 3000)
            fprintf(out, "\"type\":\"order.refunded\"," AT "\"order_id\":\"long\",\"refund_id\":"
                         "\"long\",\"amount\":2500}");
        else if (i == 3100)
            fprintf(out, "\"type\":\"void\"," AT "\"supersedes\":\"long-20\"}");
        else if (i == 3200)
            fprintf(out, "\"type\":\"progress\"," AT COURSE ",\"progress_ppm\":-1}");
        else
            fprintf(out, "\"type\":\"progress\"," AT COURSE ",\"progress_ppm\":%d}",
                    i == 2400 ? 7 : i);
    }
    fputc(']', out);
    fclose(out);
    for (int again = 0; again < 2; again++) {
        struct response *is = post(shop, "/v1/events", body);
        expect_status(is, 200);
        expect_count(is, "/results", ITEMS);
        expect_int(is, "/accepted", again == 0 ? ITEMS - 2 : 0);
        expect_int(is, "/duplicate", again == 0 ? 1 : ITEMS - 1);
        expect_int(is, "/conflict", 0);
        expect_int(is, "/rejected", 1);
        for (int i = 0; i < ITEMS; i += 25)
            expect_text(is, text("/results/%d/event_id", i), text("long-%d", i == 2400 ? 7 : i));
        expect_text(is, "/results/2400/status", "duplicate");
        expect_text(is, "/results/3200/status", "rejected");
        expect_text(is, "/results/3499/status", again == 0 ? "accepted" : "duplicate");
    }
    free(body);
    struct response *order = get(shop, "/v1/orders/shop/long");
    expect_status(order, 200);
    expect_int(order, "/lines/0/refunded/amount", 2500);
    struct response *is = get(shop, "/v1/events?type=void");
    expect_status(is, 200);
    ck_assert_ptr_nonnull(strstr(is->body, "long-3100"));
}
END_TEST

START_TEST(own_facts_are_polled_in_order_of_knowledge)
{
    const char *key = make_partner_key("poll", "\"channel\"");
    expect_count(get(key, "/v1/events"), "/items", 0);
    for (int i = 0; i < 5; i++)
        post_facts(key, text("{\"event_id\":\"p%d\",\"type\":\"%s\"," AT COURSE "}", i,
                             i == 3 ? "completion" : "enrolment"));
    char ids[64] = "";
    const char *since = "";
    for (int pages = 0; pages < 10; pages++) {
        struct response *is = get(key, "/v1/events?limit=2%s", since);
        expect_status(is, 200);
        size_t index;
        const json_t *item;
        json_array_foreach(at(is, "/items"), index, item)
            strcat(ids, json_string_value(json_object_get(item, "event_id")));
        if (json_array_size(at(is, "/items")) == 0) {
            expect_null(is, "/next");
            break;
        }
        since = text("&since=%s", text_at(is, "/next"));
    }
    ck_assert_str_eq(ids, "p0p1p2p3p4");
    /* What comes later is found from the last position. */
    post_facts(key, "{\"event_id\":\"p5\",\"type\":\"completion\"," AT COURSE "}");
    struct response *is = get(key, "/v1/events?%s", since + 1);
    expect_count(is, "/items", 1);
    expect_text(is, "/items/0/event_id", "p5");
    expect_text(is, "/items/0/occurred_at", "2025-01-10T02:00:00Z");
    expect_text(is, "/items/0/course_id", "python");
    is = get(key, "/v1/events?type=completion");
    expect_count(is, "/items", 2);
    expect_problem(get(key, "/v1/events?since=!!"), 400, "cursor_invalid");
    expect_problem(get(key, "/v1/events?type=dance"), 400, "query_invalid");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("events");
    TCase *all = tcase_create("events");
    tcase_add_unchecked_fixture(all, setup, teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_loop_test(all, every_type_is_accepted_once, 0, sizeof good / sizeof good[0]);
    tcase_add_test(all, equal_meaning_is_a_duplicate_other_meaning_a_conflict);
    tcase_add_loop_test(all, a_bad_item_is_refused_alone, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(all, ndjson_lines_fail_alone);
    tcase_add_loop_test(all, who_may_post_what, 0, sizeof not_allowed / sizeof not_allowed[0]);
    tcase_add_test(all, a_provider_speaks_about_its_own_courses_only);
    tcase_add_test(all, the_operator_posts_for_a_partner);
    tcase_add_test(all, what_cannot_be_settled_is_held_and_says_why);
    tcase_add_test(all, order_and_refund_ids_are_unique_for_ever);
    tcase_add_test(all, corrections_supersede_and_voids_take_back);
    tcase_add_test(all, feedback_adds_up);
    tcase_add_test(all, a_long_batch_is_one_answer);
    tcase_add_test(all, own_facts_are_polled_in_order_of_knowledge);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "events")
