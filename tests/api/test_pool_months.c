/*
 * Months of pools over HTTP: what members put in is divided by what they used, stands in the
 * statements of the providers that joined, and changes when something comes later.
 *
 * A case is a channel "<case>" with a pool "library" that takes all of what memberships of January
 * 2025 bring, and up to four providers that joined. Amounts of divisions are published or worked
 * out by hand from the formulas of accord/pool.h; each case says how.
 */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROVIDERS = 4, LEARNERS_MAX = 6 };

static char *providers[PROVIDERS]; /* keys of "a", "b", "c", "d" */
static const char *const names[PROVIDERS] = {"pa", "pb", "pc", "pd"};

static const char fresh[] = "If-None-Match: *";
static const char january[] = "2025-01-01T00:00:00+08:00";
static const char february[] = "2025-02-01T00:00:00+08:00";

static void once(void)
{
    world_setup();
    for (size_t i = 0; i < PROVIDERS; i++)
        providers[i] = strdup(make_partner_key(names[i], "\"provider\""));
    client_free_all();
}

static void at_the_end(void)
{
    world_teardown();
    for (size_t i = 0; i < PROVIDERS; i++)
        free(providers[i]);
    client_free_all();
}

/* What learners did: a fee each, and minutes of each provider. */
struct table {
    size_t learners;
    size_t providers;
    long long fees[LEARNERS_MAX];
    int minutes[LEARNERS_MAX][PROVIDERS];
};

static const struct table p1 = {
    6,
    4,
    {3000, 3000, 3000, 3000, 1500, 3000},
    {{90, 10, 0, 0}, {10, 0, 0, 0}, {0, 5, 5, 0}, {0, 0, 900, 0}, {20, 20, 20, 20}, {0}}};
static const struct table p2 = {5,
                                3,
                                {2999, 1999, 2999, 999, 2999},
                                {{17, 29, 31}, {7, 0, 11}, {0, 13, 0}, {101, 1, 1}, {1, 1, 0}}};
/* Four museums, five passes. */
static const struct table museum = {
    5, 4, {1, 1, 4, 5, 8}, {{1, 0, 1, 1}, {0, 1, 1, 0}, {1, 1, 0, 1}, {1, 1, 0, 0}, {0, 0, 1, 1}}};

static void make_pool(const char *shop, const char *channel, const char *terms)
{
    struct response *is =
        put(shop, "/v1/pools/library", fresh,
            text("{\"title\":\"%s 图书馆\",\"currency\":\"CNY\",\"time_zone\":\"Asia/Shanghai\","
                 "\"from\":\"2025-01\",\"share_ppm\":1000000,%s}",
                 channel, terms));
    expect_status(is, 201);
    is = put(
        shop, "/v1/offers/month", fresh,
        "{\"kind\":\"membership\",\"title\":\"Month\",\"currency\":\"CNY\",\"price\":3000,"
        "\"items\":[],\"valid\":{\"from\":\"2024-12-01T00:00:00Z\"},\"membership\":{\"days\":31,"
        "\"pool\":\"library\"}}");
    expect_status(is, 201);
    make_agreement(channel,
                   text("\"parties\":[\"%s\",\"%s\"],\"scope\":{\"providers\":[\"%s\"],"
                        "\"channels\":[\"%s\"]},\"effective\":{\"from\":\"%s\"},\"currency\":"
                        "\"CNY\",\"collector\":\"%s\",\"period\":{\"kind\":\"month\",\"time_zone\":"
                        "\"Asia/Shanghai\"},\"terms\":[{\"kind\":\"residual\",\"payee\":\"%s\"}]",
                        channel, operator_id(), operator_id(), channel, january, channel, channel),
                   (const char *const[]){shop, operator_key, NULL});
}

/* The provider's agreement with the channel; `more` members beside, ended by a comma. */
static void join(const char *shop, const char *channel, size_t provider, const char *more)
{
    make_agreement(
        text("%s-%s", channel, names[provider]),
        text(
            "\"parties\":[\"%s\",\"%s\"],\"scope\":{\"providers\":[\"%s\"],\"channels\":[\"%s\"]},"
            "\"effective\":{\"from\":\"%s\"},\"currency\":\"CNY\",%s\"period\":{\"kind\":\"month\","
            "\"time_zone\":\"Asia/Shanghai\"},\"terms\":[{\"kind\":\"pool\",\"channel\":\"%s\","
            "\"pool\":\"library\",\"version\":1},{\"kind\":\"residual\",\"payee\":\"%s\"}]",
            channel, names[provider], names[provider], channel, january, more, channel,
            names[provider]),
        (const char *const[]){shop, providers[provider], NULL});
}

static void pay(const char *shop, size_t learner, long long fee)
{
    post_facts(shop, text("{\"event_id\":\"m%zu\",\"type\":\"membership.started\",\"occurred_at\":"
                          "\"%s\",\"membership_id\":\"m-%zu\",\"offer\":\"month\",\"learner\":"
                          "\"u%zu\",\"currency\":\"CNY\",\"paid\":%lld,\"from\":\"%s\",\"to\":"
                          "\"%s\"}",
                          learner, january, learner, learner, fee, january, february));
}

static void use(const char *shop, const char *event_id, size_t learner, size_t provider,
                const char *at, long long seconds)
{
    post_facts(shop, text("{\"event_id\":\"%s\",\"type\":\"usage\",\"occurred_at\":\"%s\","
                          "\"learner\":\"u%zu\",\"provider\":\"%s\",\"course_id\":\"c1\","
                          "\"seconds\":%lld}",
                          event_id, at, learner, names[provider], seconds));
}

static void use_all(const char *shop, const struct table *table)
{
    for (size_t i = table->learners; i > 0; i--)
        for (size_t j = 0; j < table->providers; j++)
            if (table->minutes[i - 1][j] > 0)
                use(shop, text("use-%zu-%zu", i - 1, j), i - 1, j,
                    text("2025-01-%02zuT12:00:00+08:00", 3 + j), 60LL * table->minutes[i - 1][j]);
}

/* The month once it is divided: in the background, so it may take a moment. */
static struct response *month_of(const char *key, const char *channel)
{
    struct response *is = NULL;
    for (int i = 0; i < 200; i++) {
        is = get(key, "/v1/pools/library/periods/2025-01?channel=%s", channel);
        if (is->status != 200 || json_is_false(json_object_get(is->json, "pending")))
            return is;
        const struct timespec wait = {.tv_nsec = 25 * 1000000};
        nanosleep(&wait, NULL);
    }
    ck_abort_msg("the month of %s stays pending", channel);
    return is;
}

/* What a provider gets of the month; 0 when it is not named. */
static long long share_of(const struct response *is, size_t provider)
{
    const json_t *list = json_object_get(is->json, "providers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (strcmp(json_string_value(json_object_get(item, "provider")), names[provider]) == 0)
            return json_integer_value(json_object_get(json_object_get(item, "amount"), "amount"));
    }
    return 0;
}

static void expect_shares(const struct response *is, const long long *want, size_t count)
{
    expect_status(is, 200);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(share_of(is, i), want[i]);
}

static const char *make_case(const char *channel, const struct table *table, const char *terms)
{
    const char *shop = make_partner_key(channel, "\"channel\"");
    make_pool(shop, channel, terms);
    for (size_t i = 0; i < table->providers; i++)
        join(shop, channel, i, "");
    use_all(shop, table);
    for (size_t i = 0; i < table->learners; i++)
        pay(shop, i, table->fees[i]);
    return shop;
}

/* Published and computed shares of P1, P2 and the museum pass; in hundredths, rounded once by
 * largest remainder, ties to the earlier. */
START_TEST(every_method_divides_as_published)
{
    static const struct {
        const char *channel;
        const struct table *table;
        const char *terms;
        long long want[PROVIDERS];
        long long unclaimed;
        const char *exact; /* of the first provider */
    } cases[] = {
        {"p1-pr",
         &p1,
         "\"basis\":\"seconds\",\"method\":\"pro_rata\",\"idle\":\"pool\"",
         {1800, 525, 13875, 300},
         0,
         "1800"},
        {"p1-pr-not-idle",
         &p1,
         "\"basis\":\"seconds\",\"method\":\"pro_rata\",\"idle\":\"retain\"",
         {1473, 430, 11352, 245},
         3000,
         "16200/11"},
        {"p1-uc",
         &p1,
         "\"basis\":\"seconds\",\"method\":\"user_centric\",\"idle\":\"retain\"",
         {6075, 2175, 4875, 375},
         3000,
         "6075"},
        {"p1-uc-spread",
         &p1,
         "\"basis\":\"seconds\",\"method\":\"user_centric\",\"idle\":\"spread\"",
         {7425, 2659, 5958, 458},
         0,
         "7425"},
        {"p1-sh",
         &p1,
         "\"basis\":\"seconds\",\"method\":\"shapley\",\"idle\":\"retain\"",
         {4875, 3375, 4875, 375},
         3000,
         "4875"},
        /* 8375/2, 4375, 8375/2, 750: the left-over unit to the first of the two halves. */
        {"p1-wsh",
         &p1,
         "\"basis\":\"seconds\",\"method\":\"weighted_shapley\",\"idle\":\"retain\",\"weights\":[{"
         "\"provider\":\"pd\",\"weight_ppm\":4000000},{\"provider\":\"pb\",\"weight_ppm\":2000000}"
         "]",
         {4188, 4375, 4187, 750},
         3000,
         "4187.5"},
        /* 83025/22, 14325/11, 89250/11, 6825/22: two left over, to .86 and .64. */
        {"p1-hybrid",
         &p1,
         "\"basis\":\"seconds\",\"method\":\"hybrid\",\"lambda_ppm\":500000,\"idle\":\"retain\"",
         {3774, 1302, 8114, 310},
         3000,
         NULL},
        {"p2-pr",
         &p2,
         "\"basis\":\"seconds\",\"method\":\"pro_rata\",\"idle\":\"retain\"",
         {7096, 2478, 2421},
         0,
         "503790/71"},
        {"p2-uc",
         &p2,
         "\"basis\":\"seconds\",\"method\":\"user_centric\",\"idle\":\"retain\"",
         {3918, 5638, 2439},
         0,
         NULL},
        {"p2-sh",
         &p2,
         "\"basis\":\"seconds\",\"method\":\"shapley\",\"idle\":\"retain\"",
         {3832, 5831, 2332},
         0,
         "11495/3"},
        {"museum",
         &museum,
         "\"basis\":\"seconds\",\"method\":\"shapley\",\"idle\":\"retain\"",
         {4, 4, 5, 6},
         0,
         "25/6"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *shop = make_case(cases[i].channel, cases[i].table, cases[i].terms);
        const struct response *is = month_of(shop, cases[i].channel);
        long long fees = 0;
        for (size_t j = 0; j < cases[i].table->learners; j++)
            fees += cases[i].table->fees[j];
        expect_shares(is, cases[i].want, cases[i].table->providers);
        expect_int(is, "/fees/amount", fees);
        expect_int(is, "/unclaimed/amount", cases[i].unclaimed);
        expect_int(is, "/members", (long long)cases[i].table->learners);
        expect_int(is, "/idle_members", cases[i].table == &p1);
        if (cases[i].exact != NULL)
            expect_text(is, "/providers/0/exact", cases[i].exact);
        client_free_all();
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pool_months");
    TCase *cases = tcase_create("pool_months");
    tcase_add_unchecked_fixture(cases, once, at_the_end);
    tcase_add_checked_fixture(cases, NULL, test_teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, every_method_divides_as_published);
    suite_add_tcase(suite, cases);
    return suite;
}

API_MAIN(make_suite, "pool_months")
