/* A provider and a channel with an agreement of 70 : 30 in CNY, months of Shanghai, from 2025 on;
 * the channel collects. Ids begin with a name of the test's own, so that tests share a server. */
#ifndef ACCORD_TESTS_API_DEAL_H
#define ACCORD_TESTS_API_DEAL_H

#include "support/world.h"

struct deal {
    const char *name;   /* of the agreement */
    const char *school; /* key of the provider "<name>-school" */
    const char *shop;   /* key of the channel "<name>-shop" */
};

/* `more` are further members of the version, ending with a comma, or "". */
static inline struct deal deal_make(const char *name, const char *more)
{
    struct deal deal = {.name = name};
    deal.school = make_partner_key(text("%s-school", name), "\"provider\"");
    deal.shop = make_partner_key(text("%s-shop", name), "\"channel\"");
    make_course(deal.school, text("%s-school", name), "c", 10000, "CNY");
    make_agreement(
        name,
        text("\"parties\":[\"%s-school\",\"%s-shop\"],\"scope\":{\"providers\":[\"%s-school\"],"
             "\"channels\":[\"%s-shop\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},"
             "\"currency\":\"CNY\",\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"
             "%s\"terms\":[{\"kind\":\"share\",\"payee\":\"%s-school\",\"share_ppm\":700000},"
             "{\"kind\":\"residual\",\"payee\":\"%s-shop\"}]",
             name, name, name, name, more, name, name),
        (const char *const[]){deal.school, deal.shop, NULL});
    return deal;
}

/* `day` as 2025-01-10: an order of one line. */
static inline void deal_sell(const struct deal *deal, const char *order, const char *day,
                             long long paid)
{
    post_facts(
        deal->shop,
        text("{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%sT12:00:00Z\","
             "\"order_id\":\"%s\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\","
             "\"provider\":\"%s-school\",\"course_id\":\"c\",\"quantity\":1,\"paid\":%lld}]}",
             order, day, order, deal->name, paid));
}

static inline void deal_refund(const struct deal *deal, const char *order, const char *day,
                               long long amount)
{
    post_facts(deal->shop,
               text("{\"event_id\":\"r-%s\",\"type\":\"order.refunded\",\"occurred_at\":"
                    "\"%sT12:00:00Z\",\"order_id\":\"%s\",\"refund_id\":\"r-%s\",\"amount\":%lld}",
                    order, day, order, order, amount));
}

static inline struct response *deal_close(const struct deal *deal, const char *period)
{
    struct response *is =
        post(operator_key, text("/v1/agreements/%s/periods/%s/close", deal->name, period), NULL);
    expect_status(is, 200);
    return is;
}

/* The id of the statement that a close gave "<name>-<who>". */
static inline const char *deal_statement(const struct deal *deal, const struct response *closed,
                                         const char *who)
{
    return text_at(closed, text("%s/id", find(closed, "/statements", "partner",
                                              text("%s-%s", deal->name, who))));
}

#endif
