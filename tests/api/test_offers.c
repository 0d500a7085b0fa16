/* Offers: what they may say, who sees what of them, and how a bundle's price is divided. */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>

static const char *school;
static const char *college;
static const char *shop;

static const char fresh[] = "If-None-Match: *";

static void once(void)
{
    world_setup();
    school = strdup(make_partner_key("school", "\"provider\""));
    college = strdup(make_partner_key("college", "\"provider\""));
    shop = strdup(make_partner_key("shop", "\"channel\""));
    make_course(school, "school", "c", 19900, "CNY");
    make_course(school, "school", "d", 9900, "CNY");
    make_course(college, "college", "e", 9900, "CNY");
    make_course(college, "college", "usd", 9900, "USD");
    make_agreement("deal",
                   "\"parties\":[\"school\",\"shop\"],\"scope\":{\"providers\":[\"school\"],"
                   "\"channels\":[\"shop\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},"
                   "\"currency\":\"CNY\",\"terms\":[{\"kind\":\"residual\",\"payee\":\"school\"}]",
                   (const char *const[]){school, shop, NULL});
    client_free_all();
}

static void at_the_end(void)
{
    world_teardown();
    client_free_all();
}

/* A bundle of 299.00 of courses given as JSON. */
static const char *bundle(const char *from, const char *allocation, const char *items)
{
    return text("{\"kind\":\"bundle\",\"title\":\"Pack\",\"currency\":\"CNY\",\"price\":29900,"
                "\"valid\":{\"from\":\"%s\"},\"allocation\":\"%s\",\"items\":[%s]}",
                from, allocation, items);
}

#define C "{\"provider\":\"school\",\"course_id\":\"c\"}"
#define D "{\"provider\":\"school\",\"course_id\":\"d\"}"
#define E_WEIGHED "{\"provider\":\"college\",\"course_id\":\"e\",\"weight\":9900}"
#define FROM "2025-01-01T00:00:00Z"

static void expect_parts(struct response *is, const long long *parts, size_t count)
{
    expect_count(is, "/items", count);
    for (size_t i = 0; i < count; i++)
        expect_money(is, text("/items/%zu/part", i), parts[i], "CNY");
}

/* 299.00 over 199, 99 and 99: 149.87 65…, 74.56 17… twice; the cent left goes to the first. */
START_TEST(a_bundle_by_list_price)
{
    static const long long parts[] = {14988, 7456, 7456};
    struct response *is =
        put(shop, "/v1/offers/three", fresh, bundle(FROM, "list_price", C "," D "," E_WEIGHED));
    expect_status(is, 201);
    expect_int(is, "/version", 1);
    expect_int(is, "/items/0/weight", 19900);
    expect_int(is, "/items/1/weight", 9900);
    expect_parts(is, parts, 3);
    const char *tag = text("%s", header(is, "etag"));
    /* The price changes; the weights that were frozen do not. */
    struct response *course = get(school, "/v1/courses/school/c");
    expect_status(put(school, "/v1/courses/school/c", text("If-Match: %s", header(course, "etag")),
                      "{\"course_id\":\"c\",\"title\":\"Course c\",\"language\":\"en\",\"offers\":"
                      "[{\"mode\":\"buy\",\"price\":{\"amount\":9900,\"currency\":\"CNY\"}}]}"),
                  200);
    is = get(shop, "/v1/offers/three");
    expect_parts(is, parts, 3);
    ck_assert_str_eq(header(is, "etag"), tag);
    expect_problem(
        put(shop, "/v1/offers/three", fresh, bundle(FROM, "list_price", C "," D "," E_WEIGHED)),
        412, "version_mismatch");
    /* Another content begins later. */
    const char *condition = text("If-Match: %s", tag);
    expect_field_problem(put(shop, "/v1/offers/three", condition, bundle(FROM, "equal", C "," D)),
                         "/valid/from", "offer_not_later");
    is = put(shop, "/v1/offers/three", condition, bundle("2025-06-01T00:00:00Z", "equal", C "," D));
    expect_status(is, 200);
    expect_int(is, "/version", 2);
    expect_parts(is, (const long long[]){14950, 14950}, 2);
    expect_absent(is, "/items/0/weight");
    /* The same once more is no version. */
    is = put(shop, "/v1/offers/three", text("If-Match: %s", header(is, "etag")),
             bundle("2025-06-01T08:00:00+08:00", "equal", C "," D));
    expect_status(is, 200);
    expect_int(is, "/version", 2);
}
END_TEST

START_TEST(weights_that_cannot_be_had)
{
    /* Of another currency; not seen by the shop, as no agreement lets it; without a duration. */
    expect_field_problem(
        put(shop, "/v1/offers/w", fresh,
            bundle(FROM, "list_price", D ",{\"provider\":\"college\",\"course_id\":\"usd\"}")),
        "/items/1/weight", "field_missing");
    expect_field_problem(
        put(shop, "/v1/offers/w", fresh,
            bundle(FROM, "list_price", D ",{\"provider\":\"college\",\"course_id\":\"e\"}")),
        "/items/1/weight", "field_missing");
    expect_field_problem(
        put(shop, "/v1/offers/w", fresh, bundle(FROM, "duration", D "," E_WEIGHED)),
        "/items/0/weight", "field_missing");
    expect_field_problem(put(shop, "/v1/offers/w", fresh, bundle(FROM, "weight", D "," E_WEIGHED)),
                         "/items/0/weight", "field_missing");
    expect_field_problem(put(shop, "/v1/offers/w", fresh, bundle(FROM, "equal", D "," E_WEIGHED)),
                         "/items/1/weight", "field_unknown");
    expect_field_problem(put(shop, "/v1/offers/w", fresh,
                             bundle(FROM, "weight",
                                    "{\"provider\":\"school\",\"course_id\":\"c\",\"weight\":0},"
                                    "{\"provider\":\"school\",\"course_id\":\"d\",\"weight\":0}")),
                         "/items", "weights_zero");
    expect_field_problem(put(shop, "/v1/offers/w", fresh, bundle(FROM, "equal", D "," D)),
                         "/items/1", "field_duplicate");
    expect_field_problem(put(shop, "/v1/offers/w", fresh, bundle(FROM, "equal", D)), "/items",
                         "count_out_of_range");
    expect_problem(put(shop, "/v1/offers/W", fresh, bundle(FROM, "equal", C "," D)), 422,
                   "slug_invalid");
    expect_problem(get(shop, "/v1/offers/w"), 404, "not_found");
}
END_TEST

START_TEST(other_kinds)
{
    static const char head[] =
        "\"title\":\"T\",\"currency\":\"CNY\",\"price\":36500,\"valid\":"
        "{\"from\":\"2025-01-01T00:00:00Z\",\"to\":\"2026-01-01T00:00:00Z\"}";
    struct response *is =
        put(shop, "/v1/offers/year", fresh,
            text("{\"kind\":\"membership\",%s,\"items\":[],\"membership\":{\"days\":365}}", head));
    expect_status(is, 201);
    expect_int(is, "/membership/trial_days", 0);
    expect_text(is, "/valid/to", "2026-01-01T00:00:00Z");
    expect_field_problem(
        put(shop, "/v1/offers/x", fresh, text("{\"kind\":\"membership\",%s,\"items\":[]}", head)),
        "/membership", "field_missing");
    expect_field_problem(put(shop, "/v1/offers/x", fresh,
                             text("{\"kind\":\"single\",%s,\"items\":[" C "],\"allocation\":"
                                  "\"equal\"}",
                                  head)),
                         "/allocation", "field_unknown");
    expect_field_problem(
        put(shop, "/v1/offers/x", fresh,
            text("{\"kind\":\"challenge\",%s,\"items\":[],\"challenge\":{\"deposit\":9900,"
                 "\"need_days\":31,\"window_days\":30,\"split\":\"equal\",\"none\":\"refund\"}}",
                 head)),
        "/challenge/need_days", "value_out_of_range");
    is = put(shop, "/v1/offers/days", fresh,
             text("{\"kind\":\"challenge\",%s,\"items\":[" C "],\"challenge\":{\"deposit\":9900,"
                  "\"need_days\":21,\"window_days\":30,\"split\":\"by_days\",\"none\":"
                  "\"charity\"}}",
                  head));
    expect_status(is, 201);
    expect_text(is, "/challenge/split", "by_days");
    expect_absent(is, "/items/0/part");
    is = put(shop, "/v1/offers/one", fresh,
             text("{\"kind\":\"single\",%s,\"items\":[" C "]}", head));
    expect_status(is, 201);
    expect_parts(is, (const long long[]){36500}, 1);
    expect_field_problem(
        put(shop, "/v1/offers/x", fresh,
            "{\"kind\":\"single\",\"title\":\"T\",\"currency\":\"CNY\",\"price\":1,\"valid\":"
            "{\"from\":\"2025-01-02T00:00:00Z\",\"to\":\"2025-01-02T00:00:00Z\"},\"items\":[" C
            "]}"),
        "/valid/to", "value_out_of_range");
}
END_TEST

START_TEST(a_provider_sees_its_own_courses)
{
    expect_status(put(shop, "/v1/offers/mixed", fresh, bundle(FROM, "list_price", E_WEIGHED "," D)),
                  201);
    struct response *is = get(college, "/v1/offers/mixed?channel=shop");
    expect_status(is, 200);
    expect_count(is, "/items", 1);
    expect_text(is, "/items/0/course_id", "e");
    expect_int(is, "/items/0/rank", 0);
    ck_assert(strstr(is->body, "school") == NULL);
    expect_problem(get(college, "/v1/offers/one?channel=shop"), 404, "not_found");
    is = get(college, "/v1/offers");
    expect_status(is, 200);
    ck_assert(strstr(is->body, "school") == NULL);
    expect_count(is, "/items", 1); /* not the pack that it is no longer in */
    expect_problem(put(college, "/v1/offers/x", fresh, bundle(FROM, "equal", C "," D)), 403,
                   "role_missing");
    expect_problem(put(college, "/v1/offers/x?channel=shop", fresh, bundle(FROM, "equal", C "," D)),
                   404, "not_found");
    /* Pages of the shop's own, in order of their ids. */
    is = get(shop, "/v1/offers?limit=2");
    expect_count(is, "/items", 2);
    expect_text(is, "/items/0/offer", "days");
    expect_text(is, "/items/1/offer", "mixed");
    is = get(shop, "/v1/offers?limit=2&cursor=%s", text_at(is, "/next"));
    expect_text(is, "/items/0/offer", "one");
    expect_status(put(operator_key, "/v1/offers/by-operator?channel=shop", fresh,
                      bundle(FROM, "equal", C "," D)),
                  201);
    expect_problem(
        put(operator_key, "/v1/offers/x?channel=school", fresh, bundle(FROM, "equal", C "," D)),
        404, "not_found");
}
END_TEST

/* Sold before it is offered: it waits, and is divided once the offer is there. */
START_TEST(an_offer_sold_as_a_whole)
{
    post_facts(shop, "{\"event_id\":\"s1\",\"type\":\"order.paid\",\"occurred_at\":"
                     "\"2025-03-10T00:00:00Z\",\"order_id\":\"s1\",\"currency\":\"CNY\","
                     "\"offer\":\"sold\",\"paid\":29900}");
    struct response *is = get(shop, "/v1/orders/shop/s1");
    expect_status(is, 200);
    expect_count(is, "/lines", 1);
    expect_text(is, "/lines/0/held", "unmatched");
    expect_text(is, "/lines/0/provider", "");
    expect_status(get(shop, "/v1/orders/shop/s1/explain"), 200);
    expect_status(get(shop, "/v1/revenue?period=2025-03"), 200);
    expect_status(put(shop, "/v1/offers/sold", fresh, bundle(FROM, "list_price", E_WEIGHED "," D)),
                  201);
    is = get(shop, "/v1/orders/shop/s1");
    expect_count(is, "/lines", 2);
    expect_text(is, "/lines/0/line_id", "0");
    expect_text(is, "/lines/1/course_id", "d");
    expect_money(is, "/lines/1/paid", 14950, "CNY");
    expect_absent(is, "/lines/1/held");
    expect_status(get(shop, "/v1/orders/shop/s1/explain"), 200);
    expect_count(get(school, "/v1/orders/shop/s1"), "/lines", 1);
    expect_problem(get(college, "/v1/orders/shop/s1"), 404, "not_found");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("offers");
    TCase *all = tcase_create("offers");
    tcase_add_unchecked_fixture(all, once, at_the_end);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, a_bundle_by_list_price);
    tcase_add_test(all, weights_that_cannot_be_had);
    tcase_add_test(all, other_kinds);
    tcase_add_test(all, a_provider_sees_its_own_courses);
    tcase_add_test(all, an_offer_sold_as_a_whole);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "offers")
