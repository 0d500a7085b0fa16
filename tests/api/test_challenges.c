/*
 * Challenges over HTTP: deposits are liabilities, rounds are settled into payouts and a fee, and
 * the fee is revenue of the channel's agreement with the operator.
 *
 * A case is a channel with an offer "habit" and an agreement by which the operator gets 30 % of
 * what is kept. Amounts are those of the formulas of accord/challenge.h, worked out by hand.
 */
#include "settle_offline.h"

#include <time.h>

static const char fresh[] = "If-None-Match: *";

static void once(void)
{
    world_setup();
    make_partner("teacher", "\"provider\"", "CNY", "Asia/Shanghai");
    client_free_all();
}

static void make_offer(const char *shop, const char *challenge)
{
    struct response *is =
        put(shop, "/v1/offers/habit", fresh,
            text("{\"kind\":\"challenge\",\"title\":\"打卡\",\"currency\":\"CNY\",\"price\":0,"
                 "\"items\":[],\"valid\":{\"from\":\"2024-12-01T00:00:00Z\"},\"challenge\":{%s}}",
                 challenge));
    expect_status(is, 201);
}

static const char *make_case(const char *channel, const char *challenge)
{
    const char *shop = make_partner_key(channel, "\"channel\"");
    make_agreement(
        channel,
        text("\"parties\":[\"%s\",\"%s\"],\"scope\":{\"providers\":[\"%s\"],\"channels\":[\"%s\"]},"
             "\"effective\":{\"from\":\"2024-12-01T00:00:00+08:00\"},\"currency\":\"CNY\","
             "\"collector\":\"%s\",\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"
             "\"terms\":[{\"kind\":\"share\",\"payee\":\"%s\",\"share_ppm\":300000},{\"kind\":"
             "\"residual\",\"payee\":\"%s\"}]",
             channel, operator_id(), operator_id(), channel, channel, operator_id(), channel),
        (const char *const[]){shop, operator_key, NULL});
    make_offer(shop, challenge);
    return shop;
}

static void join_in(const char *shop, const char *entry, long long deposit, const char *at,
                    const char *zone)
{
    post_facts(shop,
               text("{\"event_id\":\"j-%s\",\"type\":\"challenge.joined\",\"occurred_at\":\"%s\","
                    "\"entry_id\":\"%s\",\"offer\":\"habit\",\"learner\":\"u-%s\",\"currency\":"
                    "\"CNY\",\"paid\":%lld,\"time_zone\":\"%s\"}",
                    entry, at, entry, entry, deposit, zone));
}

static void join(const char *shop, const char *entry, long long deposit)
{
    join_in(shop, entry, deposit, "2025-01-01T09:00:00+08:00", "Asia/Shanghai");
}

static void leave(const char *shop, const char *entry, long long refund, const char *at)
{
    post_facts(shop, text("{\"event_id\":\"w-%s\",\"type\":\"challenge.withdrawn\",\"occurred_at\":"
                          "\"%s\",\"entry_id\":\"%s\",\"amount\":%lld}",
                          entry, at, entry, refund));
}

static void check_in(const char *shop, const char *event_id, const char *entry, const char *at,
                     const char *more)
{
    post_facts(
        shop,
        text(
            "{\"event_id\":\"%s\",\"type\":\"checkin\",\"occurred_at\":\"%s\","
            "\"entry\":\"%s\",\"learner\":\"u-%s\",\"provider\":\"teacher\",\"course_id\":\"c\"%s}",
            event_id, at, entry, entry, more));
}

/* One a day from January 1st on. */
static void check_in_days(const char *shop, const char *entry, int days)
{
    for (int i = 1; i <= days; i++)
        check_in(shop, text("c-%s-%d", entry, i), entry, text("2025-01-%02dT20:00:00+08:00", i),
                 "");
}

static struct response *settle_round(const char *key, const char *channel, const char *round,
                                     const char *more)
{
    struct response *is = post(
        key, text("/v1/challenges/habit/rounds/%s/settle?channel=%s%s", round, channel, more), "");
    return is;
}

static long long payout_of(const char *shop, const char *channel, const char *entry)
{
    struct response *is = get(shop, "/v1/challenge-entries/%s/%s", channel, entry);
    expect_status(is, 200);
    return int_at(is, "/payout/amount");
}

/* The balance of one of the channel's accounts. */
static long long balance_of(const char *channel, const char *account)
{
    struct response *is = get(operator_key, "/v1/balances?partner=%s&limit=1000", channel);
    expect_status(is, 200);
    const json_t *items = json_object_get(is->json, "items");
    long long sum = 0;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        if (strcmp(json_string_value(json_object_get(item, "account")), account) == 0)
            sum += json_integer_value(json_object_get(json_object_get(item, "balance"), "amount"));
    }
    return sum;
}

#define POT                                                                                        \
    "\"deposit\":9900,\"need_days\":21,\"window_days\":30,\"fee_ppm\":100000,\"split\":\"equal\"," \
    "\"none\":\"charity\""

/* Ten put in 99.00 each, six have their 21 days: 396.00 are forfeited, of that 10 % are the fee,
 * and the rest is six times 59.40. */
START_TEST(published_rounds)
{
    static const struct {
        const char *channel;
        const char *challenge;
        long long deposit;
        int days[10];
        size_t entries;
        long long payouts[10];
        long long forfeited;
        long long fee;
    } cases[] = {
        {"ten-six",
         POT,
         9900,
         {21, 21, 21, 21, 21, 21, 20, 3, 0, 12},
         10,
         {15840, 15840, 15840, 15840, 15840, 15840, 0, 0, 0, 0},
         39600,
         3960},
        {"ten-seven",
         POT,
         9900,
         {21, 21, 21, 21, 21, 21, 21, 3, 0, 12},
         10,
         {13719, 13719, 13719, 13719, 13718, 13718, 13718, 0, 0, 0},
         29700,
         2970},
        {"one-fails",
         "\"deposit\":100,\"need_days\":7,\"window_days\":30,\"split\":\"equal\",\"none\":"
         "\"refund\"",
         100,
         {7, 7, 7, 0},
         4,
         {134, 133, 133, 0},
         100,
         0},
        {"pro-rata",
         "\"deposit\":9900,\"need_days\":21,\"window_days\":30,\"reward\":\"pro_rata\"",
         9900,
         {0, 1, 7, 20, 21, 25},
         6,
         {0, 471, 3300, 9428, 9900, 9900},
         26401,
         26401},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *channel = cases[i].channel;
        const char *shop = make_case(channel, cases[i].challenge);
        long long payouts = 0;
        for (size_t j = 0; j < cases[i].entries; j++) {
            join(shop, text("e%zu", j), cases[i].deposit);
            check_in_days(shop, text("e%zu", j), cases[i].days[j]);
            payouts += cases[i].payouts[j];
        }
        const long long deposits = cases[i].deposit * (long long)cases[i].entries;
        ck_assert_int_eq(balance_of(channel, "deposit"), -deposits);
        ck_assert_int_eq(balance_of(channel, "cash"), deposits);
        struct response *dry = settle_round(shop, channel, "2025-01", "&dry_run=true");
        expect_status(dry, 200);
        struct response *is = settle_round(shop, channel, "2025-01", "");
        expect_status(is, 200);
        expect_text(is, "/state", "settled");
        static const char *const sums[] = {"entries", "finishers", "deposits",
                                           "payouts", "forfeited", "fee",
                                           "pot",     "charity",   "carried"};
        for (size_t j = 0; j < sizeof sums / sizeof *sums; j++)
            ck_assert(json_equal(json_object_get(dry->json, sums[j]),
                                 json_object_get(is->json, sums[j])));
        expect_int(is, "/forfeited/amount", cases[i].forfeited);
        expect_int(is, "/fee/amount", cases[i].fee);
        expect_int(is, "/payouts/amount", payouts);
        expect_int(is, "/deposits/amount", deposits);
        for (size_t j = 0; j < cases[i].entries; j++)
            ck_assert_int_eq(payout_of(shop, channel, text("e%zu", j)), cases[i].payouts[j]);
        ck_assert_int_eq(balance_of(channel, "deposit"), 0);
        ck_assert_int_eq(balance_of(channel, "cash"), cases[i].fee);
        ck_assert_int_eq(balance_of(channel, "forfeits"), -cases[i].fee);
        /* Once more is nothing. */
        expect_int(settle_round(shop, channel, "2025-01", ""), "/fee/amount", cases[i].fee);
        client_free_all();
    }
}
END_TEST

/* The fee of "ten-six" again, 39.60: of it the operator gets 30 % under the agreement, line by line
 * of who forfeited; a check-in that comes after the close changes both, as differences. */
START_TEST(the_fee_is_revenue)
{
    const char *shop = make_case("revenue", POT);
    static const int days[] = {21, 21, 21, 21, 21, 21, 20, 3, 0, 12};
    for (size_t i = 0; i < 10; i++) {
        join(shop, text("e%zu", i), 9900);
        check_in_days(shop, text("e%zu", i), days[i]);
    }
    expect_status(settle_round(operator_key, "revenue", "2025-01", ""), 200);
    struct response *is = get(shop, "/v1/revenue?period=2025-01");
    expect_int(is, "/rows/0/net/amount", 3960);
    expect_status(post(operator_key, "/v1/periods/2024-12/close", ""), 200);
    is = post(operator_key, "/v1/agreements/revenue/periods/2025-01/close", "");
    expect_status(is, 200);
    const char *place = find(is, "/statements", "partner", operator_id());
    /* 990 each of four: 297 of each. */
    expect_int(is, text("%s/body/closing", place), 4 * 297);
    const char *id = text_at(is, text("%s/id", place));
    is = get(operator_key, "/v1/statements/%s/lines", id);
    expect_count(is, "/items", 4);
    expect_text(is, "/items/0/kind", "challenge");
    expect_text(is, "/items/0/entry_id", "e6");
    expect_int(is, "/items/0/gross", 990);
    expect_int(is, "/items/0/earned", 297);
    expect_absent(is, "/items/0/order_id");
    is = get(operator_key, "/v1/statements/%s/lines/%s/explain", id, text_at(is, "/items/0/line"));
    expect_status(is, 200);
    expect_bool(is, "/exact", true);
    expect_int(is, "/after/entry/forfeited/amount", 9900);
    expect_int(is, "/after/round/fee/amount", 3960);
    /* Entry 6 had its 21st day after all: now seven finish, of 297.00 forfeited 29.70 are the fee.
     */
    check_in(shop, "offline", "e6", "2025-01-21T23:00:00+08:00", "");
    is = get(shop, "/v1/challenges/habit/rounds/2025-01");
    expect_int(is, "/finishers", 7);
    expect_int(is, "/fee/amount", 2970);
    ck_assert_int_eq(payout_of(shop, "revenue", "e6"), 13718);
    ck_assert_int_eq(balance_of("revenue", "cash"), 2970);
    ck_assert_int_eq(balance_of("revenue", "forfeits"), -2970);
    is = post(operator_key, "/v1/agreements/revenue/periods/2025-02/close", "");
    expect_status(is, 200);
    place = find(is, "/statements", "partner", operator_id());
    expect_int(is, text("%s/body/closing", place), 3 * 297);
    expect_int(is, text("%s/body/differences/0/earned", place), -297);
    expect_text(is, text("%s/body/differences/0/period", place), "2025-01");
    /* Both months again from their files, which say what each entry bears of the fee. */
    expect_again(operator_key, id);
    expect_again(operator_key, text_at(is, text("%s/id", place)));
    is = get(operator_key, "/v1/statements/%s/inputs", id);
    ck_assert_ptr_nonnull(strstr(is->body, "\"derived\":true"));
    ck_assert_ptr_nonnull(strstr(is->body, "\"entry_id\":\"e6\",\"fee\":990,"));
    ck_assert_ptr_null(strstr(is->body, "\"payout\""));
}
END_TEST

/* Nobody has a day: everything goes where the offer says. */
START_TEST(nobody_finishes)
{
    static const struct {
        const char *none;
        long long payout;
        const char *account;
    } cases[] = {{"refund", 9900, NULL}, {"charity", 0, "charity"}, {"next_round", 0, "carried"}};
    for (size_t i = 0; i < 3; i++) {
        const char *channel = text("nobody-%s", cases[i].none);
        for (char *at = strchr(channel, '_'); at != NULL; at = NULL)
            *at = '-';
        const char *shop = make_case(
            channel, text("\"deposit\":9900,\"need_days\":21,\"window_days\":21,\"fee_ppm\":100000,"
                          "\"split\":\"equal\",\"none\":\"%s\"",
                          cases[i].none));
        join(shop, "a", 9900);
        join(shop, "b", 9900);
        check_in_days(shop, "b", 20);
        struct response *is = settle_round(shop, channel, "2025-01", "");
        expect_status(is, 200);
        expect_int(is, "/fee/amount", 0);
        ck_assert_int_eq(payout_of(shop, channel, "a"), cases[i].payout);
        ck_assert_int_eq(payout_of(shop, channel, "b"), cases[i].payout);
        ck_assert_int_eq(balance_of(channel, "deposit"), 0);
        if (cases[i].account != NULL)
            ck_assert_int_eq(balance_of(channel, cases[i].account), -19800);
        if (strcmp(cases[i].none, "next_round") != 0)
            continue;
        /* February's only entry finishes: its 99.00, and 198.00 less 10 %. */
        join_in(shop, "c", 9900, "2025-02-01T09:00:00+08:00", "Asia/Shanghai");
        for (int day = 1; day <= 21; day++)
            check_in(shop, text("c-%d", day), "c", text("2025-02-%02dT20:00:00+08:00", day), "");
        is = settle_round(shop, channel, "2025-02", "");
        expect_int(is, "/carried_in/amount", 19800);
        expect_int(is, "/fee/amount", 1980);
        ck_assert_int_eq(payout_of(shop, channel, "c"), 9900 + 17820);
        ck_assert_int_eq(balance_of(channel, "carried"), 0);
        /* Entry b had its day: January has a finisher, and nothing to carry. */
        check_in(shop, "late", "b", "2025-01-21T20:00:00+08:00", "");
        ck_assert_int_eq(payout_of(shop, channel, "b"), 9900 + 8910);
        ck_assert_int_eq(payout_of(shop, channel, "c"), 9900);
        ck_assert_int_eq(balance_of(channel, "carried"), 0);
        ck_assert_int_eq(balance_of(channel, "cash"), 990);
    }
}
END_TEST

/* The next version of the offer, from February on, says otherwise what days are worth. What January
 * carried waits: nobody has it of a round without a pot. Kind and currency stay. */
START_TEST(what_is_carried_waits)
{
    static const char version[] =
        "{\"kind\":\"%s\",\"title\":\"打卡\",\"currency\":\"%s\",\"price\":0,\"items\":[],"
        "\"valid\":{\"from\":\"2025-01-31T16:00:00Z\"},\"%s\":{%s}}";
    static const char daily[] =
        "\"deposit\":9900,\"need_days\":21,\"window_days\":21,\"reward\":\"pro_rata\"";
    const char *shop =
        make_case("waits", "\"deposit\":9900,\"need_days\":21,\"window_days\":21,\"fee_ppm\":0,"
                           "\"split\":\"equal\",\"none\":\"next_round\"");
    join(shop, "a", 9900);
    join(shop, "b", 9900);
    expect_status(settle_round(shop, "waits", "2025-01", ""), 200);
    const char *condition = text("If-Match: %s", header(get(shop, "/v1/offers/habit"), "etag"));
    expect_field_problem(put(shop, "/v1/offers/habit", condition,
                             text(version, "challenge", "EUR", "challenge", daily)),
                         "/currency", "currency_fixed");
    expect_field_problem(put(shop, "/v1/offers/habit", condition,
                             text(version, "membership", "CNY", "membership", "\"days\":30")),
                         "/kind", "kind_fixed");
    expect_status(put(shop, "/v1/offers/habit", condition,
                      text(version, "challenge", "CNY", "challenge", daily)),
                  200);
    join_in(shop, "c", 9900, "2025-02-01T09:00:00+08:00", "Asia/Shanghai");
    for (int day = 1; day <= 7; day++)
        check_in(shop, text("c-%d", day), "c", text("2025-02-%02dT20:00:00+08:00", day), "");
    struct response *is = settle_round(shop, "waits", "2025-02", "");
    expect_status(is, 200);
    expect_int(is, "/carried_in/amount", 19800);
    expect_int(is, "/carried/amount", 19800);
    expect_int(is, "/fee/amount", 6600); /* two thirds of the days */
    ck_assert_int_eq(payout_of(shop, "waits", "c"), 3300);
    ck_assert_int_eq(balance_of("waits", "deposit"), 0);
    ck_assert_int_eq(balance_of("waits", "carried"), -19800);
    ck_assert_int_eq(balance_of("waits", "forfeits"), -6600);
    ck_assert_int_eq(balance_of("waits", "cash"), 19800 + 6600);
}
END_TEST

#define WEEK                                                                                       \
    "\"deposit\":1000,\"need_days\":7,\"window_days\":7,\"split\":\"equal\",\"none\":\"refund\","  \
    "\"makeups\":1"

static long long done_of(const char *shop, const char *channel, const char *entry)
{
    struct response *is = get(shop, "/v1/challenge-entries/%s/%s", channel, entry);
    expect_status(is, 200);
    return int_at(is, "/done_days");
}

/* Sydney's clocks go back on April 6th 2025 at 3:00, Berlin's forward on March 30th at 2:00: days
 * of 25 and 23 hours. A check-in just before and one just after midnight are two days. */
START_TEST(the_clock_changes_on_a_day_of_checking_in)
{
    const char *shop = make_case("clocks", WEEK);
    join_in(shop, "sydney", 1000, "2025-04-04T08:00:00+11:00", "Australia/Sydney");
    check_in(shop, "s1", "sydney", "2025-04-06T00:00:30+11:00", "");
    check_in(shop, "s2", "sydney", "2025-04-06T23:59:30+10:00", "");
    ck_assert_int_eq(done_of(shop, "clocks", "sydney"), 1);
    check_in(shop, "s3", "sydney", "2025-04-07T00:00:00+10:00", "");
    check_in(shop, "s4", "sydney", "2025-04-05T23:59:59+11:00", "");
    ck_assert_int_eq(done_of(shop, "clocks", "sydney"), 3);
    join_in(shop, "berlin", 1000, "2025-03-28T08:00:00+01:00", "Europe/Berlin");
    check_in(shop, "b1", "berlin", "2025-03-30T00:00:00+01:00", "");
    check_in(shop, "b2", "berlin", "2025-03-30T23:59:59+02:00", "");
    ck_assert_int_eq(done_of(shop, "clocks", "berlin"), 1);
    check_in(shop, "b3", "berlin", "2025-03-31T00:00:00+02:00", "");
    ck_assert_int_eq(done_of(shop, "clocks", "berlin"), 2);
}
END_TEST

/* Fixed at joining: in Los Angeles at 8 in the evening it is the next day in Shanghai already. */
START_TEST(a_learner_travels)
{
    const char *shop = make_case("travel", WEEK);
    join(shop, "a", 1000);
    check_in(shop, "c1", "a", "2025-01-02T12:00:00+08:00", "");
    check_in(shop, "c2", "a", "2025-01-02T20:00:00-08:00", "");
    ck_assert_int_eq(done_of(shop, "travel", "a"), 2);
    check_in(shop, "c3", "a", "2025-01-03T05:00:00-08:00", ""); /* the 3rd in Shanghai, too */
    ck_assert_int_eq(done_of(shop, "travel", "a"), 2);
}
END_TEST

/* Six of seven days, and a card on the last: the seventh is the 7th. Played on the 8th it is too
 * late; a second card is one too many. */
START_TEST(a_make_up_card_on_the_last_day)
{
    const char *shop = make_case("cards", WEEK);
    static const char *const entries[] = {"in-time", "late", "two"};
    for (size_t i = 0; i < 3; i++) {
        join(shop, entries[i], 1000);
        check_in_days(shop, entries[i], i == 2 ? 5 : 6);
    }
    check_in(shop, "m1", "in-time", "2025-01-07T23:59:59+08:00", ",\"makeup\":true");
    check_in(shop, "m2", "late", "2025-01-08T00:00:00+08:00", ",\"makeup\":true");
    check_in(shop, "m3", "two", "2025-01-06T10:00:00+08:00", ",\"makeup\":true");
    check_in(shop, "m4", "two", "2025-01-07T10:00:00+08:00", ",\"makeup\":true");
    ck_assert_int_eq(done_of(shop, "cards", "in-time"), 7);
    ck_assert_int_eq(done_of(shop, "cards", "late"), 6);
    ck_assert_int_eq(done_of(shop, "cards", "two"), 6);
    expect_status(settle_round(shop, "cards", "2025-01", ""), 200);
    ck_assert_int_eq(payout_of(shop, "cards", "in-time"), 3000);
}
END_TEST

/* Left with half of it back: the other half is the finisher's. A joining that is taken back after
 * the round was settled was never there. */
START_TEST(leaving_and_taking_back)
{
    const char *shop = make_case("leaving", WEEK);
    join(shop, "a", 1000);
    join(shop, "b", 1000);
    join(shop, "c", 1000);
    check_in_days(shop, "a", 7);
    leave(shop, "b", 500, "2025-01-03T10:00:00+08:00");
    ck_assert_int_eq(balance_of("leaving", "deposit"), -2500);
    ck_assert_int_eq(balance_of("leaving", "cash"), 2500);
    expect_status(settle_round(shop, "leaving", "2025-01", ""), 200);
    ck_assert_int_eq(payout_of(shop, "leaving", "a"), 2500);
    ck_assert_int_eq(payout_of(shop, "leaving", "b"), 500);
    ck_assert_int_eq(payout_of(shop, "leaving", "c"), 0);
    post_facts(shop, "{\"event_id\":\"v\",\"type\":\"void\",\"occurred_at\":"
                     "\"2025-02-03T00:00:00+08:00\",\"supersedes\":\"j-c\"}");
    ck_assert_int_eq(payout_of(shop, "leaving", "a"), 1500);
    expect_problem(get(shop, "/v1/challenge-entries/leaving/c"), 404, "not_found");
    ck_assert_int_eq(balance_of("leaving", "deposit"), 0);
    ck_assert_int_eq(balance_of("leaving", "cash"), 0);
}
END_TEST

/* The offer comes after its entries: until then a deposit is a deposit. */
START_TEST(the_offer_comes_last)
{
    const char *shop = make_partner_key("hasty", "\"channel\"");
    check_in(shop, "c1", "a", "2025-01-01T20:00:00+08:00", "");
    join(shop, "a", 1000);
    struct response *is = get(shop, "/v1/challenge-entries/hasty/a");
    expect_text(is, "/state", "unmatched");
    expect_null(is, "/round");
    ck_assert_int_eq(balance_of("hasty", "deposit"), -1000);
    make_offer(shop, "\"deposit\":1000,\"need_days\":1,\"window_days\":7,\"split\":\"equal\","
                     "\"none\":\"refund\",\"starts_on\":\"2025-01-01\"");
    is = get(shop, "/v1/challenge-entries/hasty/a");
    expect_text(is, "/state", "finished");
    expect_text(is, "/round", "2025-01-01");
    expect_count(get(shop, "/v1/challenges/habit/rounds"), "/items", 1);
    expect_status(settle_round(shop, "hasty", "2025-01-01", ""), 200);
    ck_assert_int_eq(payout_of(shop, "hasty", "a"), 1000);
    is = get(shop, "/v1/challenges/habit/rounds/2025-01-01/entries");
    expect_count(is, "/items", 1);
    expect_int(is, "/items/0/payout/amount", 1000);
}
END_TEST

START_TEST(what_is_refused)
{
    const char *shop = make_case("refusing", WEEK);
    const char *other = make_partner_key("refused", "\"channel\"");
    join_in(shop, "a", 1000, "2025-01-30T09:00:00+08:00", "Asia/Shanghai");
    join(shop, "b", 1000);
    expect_problem(settle_round(shop, "refusing", "2025-02", ""), 409, "round_not_oldest");
    expect_problem(settle_round(shop, "refusing", "2025-02", "&dry_run=true"), 409,
                   "round_not_oldest");
    expect_problem(settle_round(shop, "refusing", "2025-03", ""), 404, "not_found");
    expect_problem(settle_round(other, "refusing", "2025-01", ""), 404, "not_found");
    expect_problem(settle_round(shop, "refusing", "2025-01", "&dry_run=maybe"), 400,
                   "query_invalid");
    /* One whose window ends some days from now. */
    const time_t now = time(NULL) - 3600;
    struct tm parts;
    char at[32];
    gmtime_r(&now, &parts);
    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &parts);
    join_in(shop, "now", 1000, at, "UTC");
    struct response *is = get(shop, "/v1/challenge-entries/refusing/now");
    const char *round = text_at(is, "/round");
    expect_text(is, "/state", "open");
    expect_problem(settle_round(shop, "refusing", round, ""), 409, "round_not_over");
    is = get(shop, "/v1/challenges/habit/rounds/%s", round);
    expect_text(is, "/state", "open");
    expect_problem(get(other, "/v1/challenges/habit/rounds?channel=refusing"), 404, "not_found");
    expect_problem(get(other, "/v1/challenge-entries/refusing/a"), 404, "not_found");
    expect_field_problem(
        put(shop, "/v1/offers/odd", fresh,
            "{\"kind\":\"challenge\",\"title\":\"T\",\"currency\":\"CNY\",\"price\":0,\"items\":[],"
            "\"valid\":{\"from\":\"2024-12-01T00:00:00Z\"},\"challenge\":{\"deposit\":1,"
            "\"need_days\":1,\"window_days\":1,\"reward\":\"pro_rata\",\"fee_ppm\":1}}"),
        "/challenge/reward", "field_unknown");
    expect_field_problem(
        put(shop, "/v1/offers/odd", fresh,
            "{\"kind\":\"challenge\",\"title\":\"T\",\"currency\":\"CNY\",\"price\":0,\"items\":[],"
            "\"valid\":{\"from\":\"2024-12-01T00:00:00Z\"},\"challenge\":{\"deposit\":1,"
            "\"need_days\":1,\"window_days\":1,\"starts_on\":\"2025-02-30\"}}"),
        "/challenge/starts_on", "time_invalid");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("challenges");
    TCase *cases = tcase_create("challenges");
    tcase_add_unchecked_fixture(cases, once, world_teardown);
    tcase_add_checked_fixture(cases, NULL, test_teardown);
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, published_rounds);
    tcase_add_test(cases, the_fee_is_revenue);
    tcase_add_test(cases, nobody_finishes);
    tcase_add_test(cases, what_is_carried_waits);
    tcase_add_test(cases, the_clock_changes_on_a_day_of_checking_in);
    tcase_add_test(cases, a_learner_travels);
    tcase_add_test(cases, a_make_up_card_on_the_last_day);
    tcase_add_test(cases, leaving_and_taking_back);
    tcase_add_test(cases, the_offer_comes_last);
    tcase_add_test(cases, what_is_refused);
    suite_add_tcase(suite, cases);
    return suite;
}

API_MAIN(make_suite, "challenges")
