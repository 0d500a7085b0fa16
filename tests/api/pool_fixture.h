/*
 * Pools for tests: channels whose pool "library" takes all of what memberships of January 2025
 * bring, providers that join, and what learners do. A case is a channel with a name of its own.
 */
#ifndef ACCORD_TESTS_API_POOL_FIXTURE_H
#define ACCORD_TESTS_API_POOL_FIXTURE_H

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

static inline void once(void)
{
    world_setup();
    for (size_t i = 0; i < PROVIDERS; i++)
        providers[i] = strdup(make_partner_key(names[i], "\"provider\""));
    client_free_all();
}

static inline void at_the_end(void)
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

static inline void make_pool(const char *shop, const char *channel, const char *terms)
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
static inline void join(const char *shop, const char *channel, size_t provider, const char *more)
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

static inline void pay(const char *shop, size_t learner, long long fee)
{
    post_facts(shop, text("{\"event_id\":\"m%zu\",\"type\":\"membership.started\",\"occurred_at\":"
                          "\"%s\",\"membership_id\":\"m-%zu\",\"offer\":\"month\",\"learner\":"
                          "\"u%zu\",\"currency\":\"CNY\",\"paid\":%lld,\"from\":\"%s\",\"to\":"
                          "\"%s\"}",
                          learner, january, learner, learner, fee, january, february));
}

static inline void use(const char *shop, const char *event_id, size_t learner, size_t provider,
                       const char *at, long long seconds)
{
    post_facts(shop, text("{\"event_id\":\"%s\",\"type\":\"usage\",\"occurred_at\":\"%s\","
                          "\"learner\":\"u%zu\",\"provider\":\"%s\",\"course_id\":\"c1\","
                          "\"seconds\":%lld}",
                          event_id, at, learner, names[provider], seconds));
}

static inline void use_all(const char *shop, const struct table *table)
{
    for (size_t i = table->learners; i > 0; i--)
        for (size_t j = 0; j < table->providers; j++)
            if (table->minutes[i - 1][j] > 0)
                use(shop, text("use-%zu-%zu", i - 1, j), i - 1, j,
                    text("2025-01-%02zuT12:00:00+08:00", 3 + j), 60LL * table->minutes[i - 1][j]);
}

/* The month once it is divided: in the background, so it may take a moment. */
static inline struct response *month_of(const char *key, const char *channel)
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
static inline long long share_of(const struct response *is, size_t provider)
{
    const json_t *list = json_object_get(is->json, "providers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (strcmp(json_string_value(json_object_get(item, "provider")), names[provider]) == 0)
            return json_integer_value(json_object_get(json_object_get(item, "amount"), "amount"));
    }
    return 0;
}

static inline void expect_shares(const struct response *is, const long long *want, size_t count)
{
    expect_status(is, 200);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(share_of(is, i), want[i]);
}

static inline const char *make_case(const char *channel, const struct table *table,
                                    const char *terms)
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

static const char user_centric[] =
    "\"basis\":\"seconds\",\"method\":\"user_centric\",\"idle\":\"retain\"";

static inline void close_months(const char *period)
{
    struct response *is = post(operator_key, text("/v1/periods/%s/close", period), "");
    expect_status(is, 200);
    ck_assert_int_eq(int_at(is, "/refused"), 0);
}

/* The place of a partner's statement of a period in the list of `ret`. */
static inline const char *statement_of(const char *key, const char *agreement, const char *partner,
                                       const char *period, struct response **ret)
{
    *ret = get(key, "/v1/statements?agreement=%s&partner=%s", agreement, partner);
    expect_status(*ret, 200);
    return find(*ret, "/items", "period", period);
}

static inline struct response *lines_of(const char *key, const char *agreement, const char *partner,
                                        const char *period)
{
    struct response *is;
    const char *place = statement_of(key, agreement, partner, period, &is);
    return get(key, "/v1/statements/%s/lines", text_at(is, text("%s/id", place)));
}

/* What a pool's accounts come to under all agreements. */
static inline long long pool_balance(const char *channel)
{
    const char *payee = text("@pool:%s/library", channel);
    struct response *is = get(operator_key, "/v1/balances?partner=%s&limit=1000", payee);
    expect_status(is, 200);
    const json_t *items = json_object_get(is->json, "items");
    long long sum = 0;
    for (size_t i = 0; i < json_array_size(items); i++)
        sum += json_integer_value(
            json_object_get(json_object_get(json_array_get(items, i), "balance"), "amount"));
    return sum;
}

#endif
