/*
 * Months of pools over HTTP: what members put in is divided by what they used, stands in the
 * statements of the providers that joined, and changes when something comes later.
 *
 * A case is a channel "<case>" with a pool "library" that takes all of what memberships of January
 * 2025 bring, and up to four providers that joined. Amounts of divisions are published or worked
 * out by hand from the formulas of accord/pool.h; each case says how.
 */
#include "pool_fixture.h"

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

/* As many cells in every row of a CSV without commas in its cells. */
static void expect_rectangle(const struct response *csv)
{
    size_t first = 0;
    size_t cells = 0;
    size_t rows = 0;
    expect_status(csv, 200);
    for (const char *at = csv->body; *at != '\0'; at++) {
        cells += *at == ',';
        if (*at != '\n')
            continue;
        if (rows++ == 0)
            first = cells;
        ck_assert_uint_eq(cells, first);
        cells = 0;
    }
    ck_assert_uint_eq(rows, 3);
}

/* P1, user-centric, closed: each provider's statement has its share; what is left of the pool's
 * accounts is what nobody claimed, the idle member's 30.00. */
START_TEST(shares_stand_in_statements)
{
    const char *shop = make_case("state", &p1, user_centric);
    month_of(shop, "state");
    struct response *is = get(providers[0], "/v1/revenue?period=2025-01");
    ck_assert_ptr_nonnull(strstr(is->body, "\"agreement\":\"state-pa\""));
    close_months("2025-01");
    is = lines_of(providers[0], "state-pa", "pa", "2025-01");
    expect_count(is, "/items", 2); /* its own, and the pool's side */
    expect_text(is, "/items/0/kind", "pool");
    expect_int(is, "/items/0/earned", 6075);
    expect_text(is, "/items/0/payees/0/payee", "pa");
    is = get(
        providers[0], "/v1/statements/%s/lines/%s/explain",
        text_at(get(providers[0], "/v1/statements?agreement=state-pa&partner=pa"), "/items/0/id"),
        text_at(is, "/items/0/line"));
    expect_status(is, 200);
    expect_bool(is, "/exact", true);
    expect_text(is, "/after/steps/1/op", "pool");
    expect_count(is, "/after/pools", 1);
    expect_text(is, "/after/pools/0/period", "2025-01");
    expect_int(is, "/after/pools/0/fees/amount", 16500);
    expect_text(is, "/after/pools/0/share/exact", "6075");
    expect_int(is, "/after/pools/0/share/units", 120 * 60);
    expect_rectangle(client_send(&(struct request){
        .method = "GET",
        .path = text("/v1/statements/%s/lines",
                     text_at(get(providers[0], "/v1/statements?agreement=state-pa&partner=pa"),
                             "/items/0/id")),
        .key = providers[0],
        .headers = {"Accept: text/csv"}}));
    is = lines_of(shop, "state-pa", "@pool:state/library", "2025-01");
    ck_assert_ptr_nonnull(strstr(is->body, "\"earned\":-6075"));
    ck_assert_int_eq(pool_balance("state"), 3000);
    /* Others see neither the pool's account nor each other's shares. */
    expect_problem(get(providers[1], "/v1/statements?partner=@pool:state/library"), 404,
                   "not_found");
    is = month_of(providers[1], "state");
    expect_count(is, "/providers", 1);
    expect_text(is, "/providers/0/provider", "pb");
    expect_problem(get(providers[1], "/v1/pools/library/periods/2025-02?channel=state"), 404,
                   "not_found");
}
END_TEST

/* P1 is divided user-centric; by Shapley pa would get 48.75, and with idle fees spread 74.25. */
START_TEST(another_method)
{
    const char *shop = make_case("methods", &p1, user_centric);
    month_of(shop, "methods");
    static const struct {
        const char *method;
        long long amount;
    } others[] = {{"\"method\":\"shapley\",\"idle\":\"retain\"", 4875},
                  {"\"method\":\"user_centric\",\"idle\":\"spread\"", 7425},
                  {"\"method\":\"user_centric\",\"idle\":\"retain\"", 6075}};
    for (int closed = 0; closed < 2; closed++) {
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            struct response *is = post(
                providers[0], "/v1/simulations",
                text("{\"agreement\":\"methods-pa\",\"period\":\"2025-01\",\"pools\":[{"
                     "\"channel\":\"methods\",\"pool\":\"library\",\"terms\":{\"title\":\"T\","
                     "\"currency\":\"CNY\",\"time_zone\":\"Asia/Shanghai\",\"from\":\"2025-01\","
                     "\"share_ppm\":1000000,\"basis\":\"seconds\",%s}}]}",
                     others[i].method));
            expect_status(is, 200);
            const char *place = find(is, "/totals", "payee", "pa");
            expect_int(is, text("%s/amount", place), others[i].amount);
            expect_int(is, text("%s/today", place), 6075);
            place = find(is, "/totals", "payee", "@pool:methods/library");
            expect_int(is, text("%s/amount", place), -others[i].amount);
        }
        if (closed == 0)
            close_months("2025-01");
    }
}
END_TEST

/* Learner 3 used only pc. Told after the close that it used pa as well, for as long: half of its
 * 30.00 moves, as differences of January in February's statements. */
START_TEST(usage_that_is_told_late)
{
    const char *shop = make_case("late", &p1, user_centric);
    close_months("2025-01");
    use(shop, "offline", 3, 0, "2025-01-20T12:00:00+08:00", 900 * 60);
    const long long want[] = {6075 + 1500, 2175, 4875 - 1500, 375};
    expect_shares(month_of(shop, "late"), want, 4);
    close_months("2025-02");
    struct response *is = lines_of(providers[0], "late-pa", "pa", "2025-02");
    expect_count(is, "/items", 2);
    expect_text(is, "/items/0/kind", "pool");
    expect_text(is, "/items/0/adjusts", "2025-01");
    expect_int(is, "/items/0/earned", 1500);
    is = lines_of(providers[2], "late-pc", "pc", "2025-02");
    expect_int(is, "/items/0/earned", -1500);
    ck_assert_int_eq(pool_balance("late"), 3000);
}
END_TEST

/* Minutes corrected downwards after the close: learner 1 did not use pa after all, and nothing
 * else, so its 30.00 are idle. Who agreed that corrections only go up keeps what it was told, and
 * the channel bears it; who did not gives it back. */
START_TEST(usage_corrected_downwards_after_the_close)
{
    static const char *const channels[] = {"down", "up-only"};
    for (size_t i = 0; i < 2; i++) {
        const char *shop = make_partner_key(channels[i], "\"channel\"");
        make_pool(shop, channels[i], user_centric);
        join(shop, channels[i], 0, i == 0 ? "" : "\"late_usage\":{\"policy\":\"up_only\"},");
        use(shop, "use", 1, 0, "2025-01-20T12:00:00+08:00", 600);
        use(shop, "more", 2, 0, "2025-01-20T12:00:00+08:00", 600);
        pay(shop, 1, 3000);
        pay(shop, 2, 2000);
        close_months("2025-01");
        post_facts(shop, "{\"event_id\":\"v\",\"type\":\"void\",\"occurred_at\":"
                         "\"2025-02-03T00:00:00+08:00\",\"supersedes\":\"use\"}");
        struct response *is = month_of(shop, channels[i]);
        expect_int(is, "/providers/0/amount/amount", 2000);
        expect_int(is, "/unclaimed/amount", 3000);
        close_months("2025-02");
        is = lines_of(providers[0], text("%s-pa", channels[i]), "pa", "2025-02");
        expect_count(is, "/items", i == 0 ? 2 : 4);
        long long earned = 0;
        long long borne = 0;
        const json_t *items = json_object_get(is->json, "items");
        for (size_t j = 0; j < json_array_size(items); j++) {
            earned += json_integer_value(json_object_get(json_array_get(items, j), "earned"));
            const json_t *payee =
                json_array_get(json_object_get(json_array_get(items, j), "payees"), 0);
            if (strcmp(json_string_value(json_object_get(payee, "payee")), channels[i]) == 0)
                borne += json_integer_value(json_object_get(payee, "amount"));
        }
        ck_assert_int_eq(earned, i == 0 ? -3000 : 0);
        ck_assert_int_eq(borne, i == 0 ? 0 : -3000);
        ck_assert_int_eq(pool_balance(channels[i]), 3000);
        /* It goes up again, beyond what was told: learner 3 joins late with 10.00. */
        pay(shop, 3, 1000);
        use(shop, "again", 3, 0, "2025-01-21T12:00:00+08:00", 600);
        use(shop, "back", 1, 0, "2025-01-20T12:00:00+08:00", 600);
        month_of(shop, channels[i]);
        close_months("2025-03");
        const char *place =
            statement_of(providers[0], text("%s-pa", channels[i]), "pa", "2025-03", &is);
        expect_int(is, text("%s/closing/amount", place), 6000);
        ck_assert_int_eq(pool_balance(channels[i]), 0);
    }
}
END_TEST

/* Usage known long after it happened (everything of 2025 is) does not count where it was agreed so;
 * that of yesterday does. */
START_TEST(usage_synced_forty_days_late)
{
    const char *shop = make_partner_key("forty", "\"channel\"");
    make_pool(shop, "forty", user_centric);
    join(shop, "forty", 0, "\"late_usage\":{\"policy\":\"ignore_after\",\"days\":39},");
    join(shop, "forty", 1, "\"late_usage\":{\"policy\":\"ignore_after\",\"days\":366},");
    join(shop, "forty", 2, "");
    for (size_t i = 0; i < 3; i++)
        use(shop, text("old-%zu", i), 1, i, "2025-01-20T12:00:00+08:00", 600);
    pay(shop, 1, 3000);
    /* Only of pc: the others' is 39 days and a year late. */
    const long long want[] = {0, 0, 3000};
    expect_shares(month_of(shop, "forty"), want, 3);
}
END_TEST

START_TEST(nobody_used_anything)
{
    const char *shop = make_partner_key("zero", "\"channel\"");
    make_pool(shop, "zero", "\"basis\":\"seconds\",\"method\":\"pro_rata\",\"idle\":\"spread\"");
    join(shop, "zero", 0, "");
    pay(shop, 1, 3000);
    use(shop, "nothing", 1, 0, "2025-01-20T12:00:00+08:00", 0);
    struct response *is = month_of(shop, "zero");
    expect_count(is, "/providers", 0);
    expect_int(is, "/unclaimed/amount", 3000);
    expect_int(is, "/idle_members", 1);
    close_months("2025-01");
    ck_assert_int_eq(pool_balance("zero"), 3000);
}
END_TEST

/* Weights of who joined that are all zero divide nothing. */
START_TEST(all_weights_are_zero)
{
    const char *shop = make_partner_key("weightless", "\"channel\"");
    make_pool(shop, "weightless",
              "\"basis\":\"seconds\",\"method\":\"weighted_shapley\",\"idle\":\"retain\","
              "\"weights\":[{\"provider\":\"pa\",\"weight_ppm\":0}]");
    join(shop, "weightless", 0, "");
    pay(shop, 1, 3000);
    use(shop, "use", 1, 0, "2025-01-20T12:00:00+08:00", 600);
    struct response *is = month_of(shop, "weightless");
    expect_count(is, "/providers", 0);
    expect_int(is, "/unclaimed/amount", 3000);
    /* When somebody with a weight joins, there is something to divide by. */
    join(shop, "weightless", 1, "");
    use(shop, "other", 1, 1, "2025-01-21T12:00:00+08:00", 60);
    is = month_of(shop, "weightless");
    ck_assert_int_eq(share_of(is, 1), 3000);
}
END_TEST

/* A term of two months for 59.00, a unit a day, is taken back in whole on February 10th: 31.00 of
 * January stay, and of February comes what makes all of it nothing: 31.00 go back, from those whom
 * the learner used in February. */
START_TEST(a_pool_below_zero)
{
    const char *shop = make_partner_key("below", "\"channel\"");
    make_pool(shop, "below", user_centric);
    join(shop, "below", 0, "");
    join(shop, "below", 1, "");
    post_facts(shop,
               text("{\"event_id\":\"m\",\"type\":\"membership.started\",\"occurred_at\":\"%s\","
                    "\"membership_id\":\"m\",\"offer\":\"month\",\"learner\":\"u1\",\"currency\":"
                    "\"CNY\",\"paid\":5900,\"from\":\"%s\",\"to\":\"2025-03-01T00:00:00+08:00\"}",
                    january, january));
    use(shop, "a", 1, 0, "2025-01-20T12:00:00+08:00", 600);
    use(shop, "b", 1, 0, "2025-02-03T12:00:00+08:00", 200);
    use(shop, "c", 1, 1, "2025-02-04T12:00:00+08:00", 400);
    post_facts(shop, "{\"event_id\":\"x\",\"type\":\"membership.cancelled\",\"occurred_at\":"
                     "\"2025-02-10T09:00:00+08:00\",\"membership_id\":\"m\",\"amount\":5900}");
    const long long want[] = {3100, 0};
    expect_shares(month_of(shop, "below"), want, 2);
    struct response *is = NULL;
    do
        is = get(shop, "/v1/pools/library/periods/2025-02");
    while (json_is_true(json_object_get(is->json, "pending")));
    expect_int(is, "/fees/amount", -3100);
    /* 3100/3 = 1033.3 and 2066.7. */
    ck_assert_int_eq(share_of(is, 0), -1033);
    ck_assert_int_eq(share_of(is, 1), -2067);
    close_months("2025-01");
    close_months("2025-02");
    ck_assert_int_eq(pool_balance("below"), 0);
}
END_TEST

/* One course of pa has an agreement of its own that joined, too: what pa gets is spread by use.
 * Another has one that did not join: its use counts for nobody. */
START_TEST(two_agreements_of_one_provider)
{
    const char *shop = make_partner_key("two", "\"channel\"");
    make_pool(shop, "two", user_centric);
    join(shop, "two", 0, "");
    for (int i = 2; i <= 3; i++)
        make_agreement(
            text("two-course-%d", i),
            text("\"parties\":[\"two\",\"pa\"],\"scope\":{\"courses\":[{\"provider\":\"pa\","
                 "\"course_id\":\"c%d\"}],\"channels\":[\"two\"]},\"effective\":{\"from\":\"%s\"},"
                 "\"currency\":\"CNY\",\"period\":{\"kind\":\"month\",\"time_zone\":"
                 "\"Asia/Shanghai\"},\"terms\":[%s{\"kind\":\"residual\",\"payee\":\"pa\"}]",
                 i, january,
                 i == 2 ? "{\"kind\":\"pool\",\"channel\":\"two\",\"pool\":\"library\",\"version\":"
                          "1},"
                        : ""),
            (const char *const[]){shop, providers[0], NULL});
    for (int i = 1; i <= 3; i++)
        post_facts(shop, text("{\"event_id\":\"use-%d\",\"type\":\"usage\",\"occurred_at\":"
                              "\"2025-01-20T12:00:00+08:00\",\"learner\":\"u1\",\"provider\":"
                              "\"pa\",\"course_id\":\"c%d\",\"seconds\":%d}",
                              i, i, 100 * i));
    pay(shop, 1, 3000);
    struct response *is = month_of(shop, "two");
    expect_count(is, "/providers", 1);
    expect_int(is, "/providers/0/amount/amount", 3000);
    expect_int(is, "/units", 300);
    expect_count(is, "/providers/0/terms", 2);
    expect_text(is, "/providers/0/terms/0/agreement", "two-course-2");
    expect_int(is, "/providers/0/terms/0/amount/amount", 2000);
    expect_int(is, "/providers/0/terms/1/amount/amount", 1000);
}
END_TEST

/* Joined on January 15th: use before it counts for nobody, and for nobody else either. A provider
 * that did not join dilutes nothing. */
START_TEST(who_joins_in_the_middle_of_a_month)
{
    const char *shop = make_partner_key("middle", "\"channel\"");
    make_pool(shop, "middle", "\"basis\":\"seconds\",\"method\":\"pro_rata\",\"idle\":\"retain\"");
    join(shop, "middle", 0, "");
    make_agreement(
        "middle-pb",
        "\"parties\":[\"middle\",\"pb\"],\"scope\":{\"providers\":[\"pb\"],\"channels\":["
        "\"middle\"]},\"effective\":{\"from\":\"2025-01-15T00:00:00+08:00\"},\"currency\":\"CNY\","
        "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[{\"kind\":"
        "\"pool\",\"channel\":\"middle\",\"pool\":\"library\",\"version\":1},{\"kind\":"
        "\"residual\",\"payee\":\"pb\"}]",
        (const char *const[]){shop, providers[1], NULL});
    use(shop, "a", 1, 0, "2025-01-20T12:00:00+08:00", 600);
    use(shop, "b", 1, 1, "2025-01-14T23:59:59+08:00", 4000);
    use(shop, "c", 1, 1, "2025-01-15T00:00:00+08:00", 300);
    use(shop, "d", 1, 2, "2025-01-20T12:00:00+08:00", 9000);
    pay(shop, 1, 3000);
    const long long want[] = {2000, 1000, 0};
    expect_shares(month_of(shop, "middle"), want, 3);
}
END_TEST

/* Two channels know a learner by one name: two learners, two members, two pools. */
START_TEST(a_learner_on_two_channels)
{
    for (int i = 0; i < 2; i++) {
        const char *channel = i == 0 ? "north" : "south";
        const char *shop = make_partner_key(channel, "\"channel\"");
        make_pool(shop, channel, user_centric);
        join(shop, channel, 0, "");
        join(shop, channel, 1, "");
        use(shop, "use", 1, (size_t)i, "2025-01-20T12:00:00+08:00", 600);
        pay(shop, 1, 3000 + i);
        const long long want[] = {i == 0 ? 3000 : 0, i == 0 ? 0 : 3001};
        expect_shares(month_of(shop, channel), want, 2);
    }
}
END_TEST

/* What counts: 60 seconds a day of all, so of the second day pb's come first; 100 of one course; at
 * least 30 of a provider. Sessions that overlap count once. */
START_TEST(caps_and_overlap)
{
    const char *shop = make_partner_key("capped", "\"channel\"");
    make_pool(shop, "capped",
              "\"basis\":\"seconds\",\"method\":\"user_centric\",\"idle\":\"retain\",\"caps\":{"
              "\"learner_day\":60,\"learner_course\":100},\"min_units\":30");
    for (size_t i = 0; i < 3; i++)
        join(shop, "capped", i, "");
    /* pa: 60 on day 3, 40 of 60 on day 5 (its course is full); pb: 50 on day 4, then pa gets 10 of
     * 300: 100 − 60 − 10 = 30 are left for day 5. pc: 29, too little. */
    use(shop, "a3", 1, 0, "2025-01-03T12:00:00+08:00", 500);
    use(shop, "b4", 1, 1, "2025-01-04T08:00:00+08:00", 50);
    use(shop, "a4", 1, 0, "2025-01-04T09:00:00+08:00", 300);
    use(shop, "a5", 1, 0, "2025-01-05T09:00:00+08:00", 300);
    use(shop, "c5", 1, 2, "2025-01-05T10:00:00+08:00", 29);
    pay(shop, 1, 1500);
    struct response *is = month_of(shop, "capped");
    /* pa 60 + 10 + 30 = 100, pb 50: of 15.00 ten and five. */
    const long long want[] = {1000, 500, 0};
    expect_shares(is, want, 3);
    post_facts(shop, "{\"event_id\":\"s1\",\"type\":\"usage\",\"occurred_at\":"
                     "\"2025-01-09T10:00:00+08:00\",\"learner\":\"u2\",\"provider\":\"pa\","
                     "\"course_id\":\"c1\",\"seconds\":40,\"from\":\"2025-01-09T10:00:00+08:00\","
                     "\"to\":\"2025-01-09T10:00:40+08:00\"},"
                     "{\"event_id\":\"s2\",\"type\":\"usage\",\"occurred_at\":"
                     "\"2025-01-09T10:00:10+08:00\",\"learner\":\"u2\",\"provider\":\"pb\","
                     "\"course_id\":\"c1\",\"seconds\":60,\"from\":\"2025-01-09T10:00:10+08:00\","
                     "\"to\":\"2025-01-09T10:01:10+08:00\"}");
    pay(shop, 2, 7000);
    /* pa 40 from 10:00:00; pb has 30 of its own, but the day has room for 20 only: below 30. */
    is = month_of(shop, "capped");
    const long long then[] = {8000, 500, 0};
    expect_shares(is, then, 3);
}
END_TEST

/* Starts and completions count courses, once each; learners count providers. */
START_TEST(what_counts_as_a_unit)
{
    static const struct {
        const char *channel;
        const char *basis;
        long long want[2];
    } cases[] = {
        {"by-learners", "learners", {1500, 1500}},   /* one learner of each */
        {"by-starts", "starts", {2000, 1000}},       /* c1, c2 of pa; c1 of pb */
        {"by-completions", "completions", {0, 3000}} /* only of pb */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *shop = make_partner_key(cases[i].channel, "\"channel\"");
        make_pool(
            shop, cases[i].channel,
            text("\"basis\":\"%s\",\"method\":\"pro_rata\",\"idle\":\"retain\"", cases[i].basis));
        join(shop, cases[i].channel, 0, "");
        join(shop, cases[i].channel, 1, "");
        static const struct {
            const char *type;
            size_t provider;
            const char *course;
        } facts[] = {{"enrolment", 0, "c1"}, {"enrolment", 0, "c2"},  {"enrolment", 0, "c1"},
                     {"enrolment", 1, "c1"}, {"completion", 1, "c1"}, {"usage", 0, "c1"},
                     {"usage", 0, "c2"},     {"usage", 1, "c1"},      {"usage", 0, "c1"}};
        for (size_t j = 0; j < sizeof facts / sizeof *facts; j++)
            post_facts(shop, text("{\"event_id\":\"e%zu\",\"type\":\"%s\",\"occurred_at\":"
                                  "\"2025-01-2%zuT12:00:00+08:00\",\"learner\":\"u1\","
                                  "\"provider\":\"%s\",\"course_id\":\"%s\"%s}",
                                  j, facts[j].type, j, names[facts[j].provider], facts[j].course,
                                  strcmp(facts[j].type, "usage") == 0 ? ",\"seconds\":60" : ""));
        pay(shop, 1, 3000);
        expect_shares(month_of(shop, cases[i].channel), cases[i].want, 2);
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
    tcase_add_test(cases, shares_stand_in_statements);
    tcase_add_test(cases, another_method);
    tcase_add_test(cases, usage_that_is_told_late);
    tcase_add_test(cases, usage_corrected_downwards_after_the_close);
    tcase_add_test(cases, usage_synced_forty_days_late);
    tcase_add_test(cases, nobody_used_anything);
    tcase_add_test(cases, all_weights_are_zero);
    tcase_add_test(cases, a_pool_below_zero);
    tcase_add_test(cases, two_agreements_of_one_provider);
    tcase_add_test(cases, who_joins_in_the_middle_of_a_month);
    tcase_add_test(cases, a_learner_on_two_channels);
    tcase_add_test(cases, caps_and_overlap);
    tcase_add_test(cases, what_counts_as_a_unit);
    suite_add_tcase(suite, cases);
    return suite;
}

API_MAIN(make_suite, "pool_months")
