/*
 * Pools and challenges, closed and settled at random while facts arrive, come to what they would
 * have come to at once. Random memberships, usage, check-ins, corrections and versions are taken
 * twice: in one book while periods are closed and rounds are settled in between, in another in
 * another order and other batches, unclosed. At the end statements, divisions, rounds and accounts
 * are the same.
 */
#include "closing.h"

#include "ingest/challenge_rounds.h"
#include "ingest/pool_division.h"
#include "ingest/rates.h"
#include "ingest/windows.h"
#include "store/offers.h"
#include "store/postings.h"

enum {
    DEEDS_MAX = 600,
    MEMBERS = 9,
    ENTRIES = 8,
    SEEDS = 16,
    PAYEES = 5,
    AGREEMENTS = 3,
    RATES = 40 /* one each ten days */
};

static const int64_t origin = INT64_C(1672531200000000); /* 2023-01-01T00:00:00Z */
static const char *const agreements[AGREEMENTS] = {"m", "a", "b"};
static const char *const payees[PAYEES] = {"p1", "p2", "c1", "op", "@pool:c1/lib"};

enum deed_kind { DEED_FACT, DEED_VERSION, DEED_POOL, DEED_OFFER };

struct deed {
    enum deed_kind kind;
    const char *name; /* of an agreement, pool or offer */
    const char *json;
    int after; /* -1: nothing must have happened before */
};

static struct arena *arena;
static struct deed deeds[DEEDS_MAX];
static int order_of[DEEDS_MAX];
static int deed_count;
static const char *rates[RATES]; /* CNY for 1 EUR */
static uint64_t rnd;

static const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *text(const char *format, ...)
{
    static char buffer[1 << 16];
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    ck_assert_int_lt(len, (int)sizeof buffer);
    return arena_strdup(arena, slice_of(buffer));
}

static int pick(int bound)
{
    return (int)random_below(&rnd, bound);
}

static int add_deed(enum deed_kind kind, const char *name, const char *json, int after)
{
    ck_assert_int_lt(deed_count, DEEDS_MAX);
    deeds[deed_count] = (struct deed){kind, name, json, after};
    return deed_count++;
}

static const char *random_time(int days)
{
    char at[CLOCK_TEXT_MAX];
    clock_format(origin + random_below(&rnd, days) * CLOCK_DAY_US +
                     random_below(&rnd, 24 * 60) * (CLOCK_DAY_US / (24 * 60)),
                 at);
    return text("%s", at);
}

/* ---- the world ---- */

static const char *random_pool(void)
{
    /* clang-format off: a text each */
    static const char *const methods[] = {
        "\"method\":\"pro_rata\",\"idle\":\"pool\"",
        "\"method\":\"user_centric\",\"idle\":\"spread\"",
        "\"method\":\"shapley\",\"idle\":\"retain\"",
        "\"method\":\"weighted_shapley\",\"idle\":\"retain\"",
        "\"method\":\"hybrid\",\"lambda_ppm\":300000,\"idle\":\"spread\""};
    static const char weights[] = ",\"weights\":[{\"provider\":\"p2\",\"weight_ppm\":1500000}]";
    /* clang-format on */
    const int method = pick(5);
    static const char *const bases[] = {"seconds", "learners", "starts", "completions"};
    return text("{\"title\":\"T\",\"currency\":\"CNY\",\"time_zone\":\"Asia/Shanghai\",\"from\":"
                "\"2023-01\",\"share_ppm\":%d,\"basis\":\"%s\",%s%s%s,\"min_units\":%d}",
                200000 + pick(800000), bases[pick(3) == 0 ? pick(4) : 0], methods[method],
                method == 3 ? weights : "",
                pick(2) == 0 ? "" : ",\"caps\":{\"learner_day\":3000,\"learner_course\":5000}",
                pick(3) == 0 ? 2 : 0);
}

static const char *random_agreement(const char *provider, const char *from, bool joins)
{
    return text(
        "{\"parties\":[\"%s\",\"c1\"],\"scope\":{\"providers\":[\"%s\"],\"channels\":"
        "[\"c1\"]},\"effective\":{\"from\":\"%s\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
        "\"%s\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[%s%s{\"kind\":\"residual\","
        "\"payee\":\"c1\"}]}",
        provider, provider, from, strcmp(provider, "p2") == 0 ? "quarter" : "month",
        joins ? "{\"kind\":\"pool\",\"channel\":\"c1\",\"pool\":\"lib\",\"version\":1}," : "",
        pick(2) == 0 ? text("{\"kind\":\"guarantee\",\"payee\":\"%s\",\"funded_by\":\"c1\","
                            "\"amount_minor\":%d,\"window\":\"period\",\"recoup\":\"%s\"},",
                            provider, 1 + pick(9000), pick(2) == 0 ? "none" : "future")
                     : "");
}

/* A void, and perhaps something else in its place. */
static void take_back(int number, const char *event, int fact, const char *other)
{
    if (pick(2) == 0)
        add_deed(DEED_FACT, NULL,
                 text("{\"event_id\":\"v%d\",\"type\":\"void\",\"occurred_at\":\"%s\","
                      "\"supersedes\":\"%s\"}",
                      number, random_time(10), event),
                 fact);
    else
        add_deed(DEED_FACT, NULL,
                 text("{\"event_id\":\"x%d\",\"supersedes\":\"%s\",%s}", number, event, other),
                 fact);
}

static const char *random_type(void)
{
    static const char *const types[] = {"usage", "usage", "usage", "enrolment", "completion"};
    return types[pick(5)];
}

/* Of a course; corrections stay with it. */
static const char *random_usage(int member, const char *type, int course)
{
    return text("\"type\":\"%s\",\"occurred_at\":\"%s\",\"learner\":\"u%d\",\"provider\":\"p%d\","
                "\"course_id\":\"c%d\"%s",
                type, random_time(120), member, 1 + course % 2, course / 2,
                strcmp(type, "usage") == 0 ? text(",\"seconds\":%d", pick(4000)) : "");
}

static void add_member(int member)
{
    const int day = pick(60);
    char from[CLOCK_TEXT_MAX];
    char to[CLOCK_TEXT_MAX];
    clock_format(origin + day * CLOCK_DAY_US, from);
    clock_format(origin + (day + 20 + pick(70)) * CLOCK_DAY_US, to);
    const char *term = text("\"type\":\"membership.started\",\"occurred_at\":\"%s\","
                            "\"membership_id\":\"m%d\",\"offer\":\"year\",\"learner\":\"u%d\","
                            "\"currency\":\"%s\",\"from\":\"%s\",\"to\":\"%s\"",
                            from, member, member, pick(3) == 0 ? "EUR" : "CNY", from, to);
    const char *event = text("m%d", member);
    const int fact =
        add_deed(DEED_FACT, NULL,
                 text("{\"event_id\":\"%s\",%s,\"paid\":%d}", event, term, pick(30000)), -1);
    if (pick(4) == 0)
        take_back(1000 + member, event, fact, text("%s,\"paid\":%d", term, pick(30000)));
    if (pick(3) == 0)
        add_deed(
            DEED_FACT, NULL,
            text("{\"event_id\":\"q%d\",\"type\":\"membership.cancelled\",\"occurred_at\":\"%s\","
                 "\"membership_id\":\"m%d\",\"amount\":%d}",
                 member, random_time(110), member, pick(20000)),
            -1);
    for (int i = pick(12); i > 0; i--) {
        const char *id = text("u%d-%d", member, i);
        const char *type = random_type();
        const int course = pick(6);
        const int usage =
            add_deed(DEED_FACT, NULL,
                     text("{\"event_id\":\"%s\",%s}", id, random_usage(member, type, course)), -1);
        if (pick(6) == 0)
            take_back(2000 + 20 * member + i, id, usage, random_usage(member, type, course));
    }
}

static void add_entry(int entry)
{
    const char *joined =
        text("\"type\":\"challenge.joined\",\"occurred_at\":\"%s\",\"entry_id\":\"e%d\",\"offer\":"
             "\"habit\",\"learner\":\"w%d\",\"currency\":\"CNY\",\"time_zone\":\"%s\"",
             random_time(60), entry, entry, pick(2) == 0 ? "Asia/Shanghai" : "America/New_York");
    const char *event = text("j%d", entry);
    const int fact =
        add_deed(DEED_FACT, NULL,
                 text("{\"event_id\":\"%s\",%s,\"paid\":%d}", event, joined, pick(9000)), -1);
    if (pick(5) == 0)
        take_back(3000 + entry, event, fact, text("%s,\"paid\":%d", joined, pick(9000)));
    if (pick(4) == 0)
        add_deed(
            DEED_FACT, NULL,
            text("{\"event_id\":\"l%d\",\"type\":\"challenge.withdrawn\",\"occurred_at\":\"%s\","
                 "\"entry_id\":\"e%d\",\"amount\":%d}",
                 entry, random_time(70), entry, pick(9000)),
            -1);
    for (int i = pick(30); i > 0; i--) {
        const char *id = text("k%d-%d", entry, i);
        const char *done =
            text("\"type\":\"checkin\",\"occurred_at\":\"%s\",\"entry\":\"e%d\","
                 "\"learner\":\"w%d\",\"provider\":\"p1\",\"course_id\":\"c1\"%s",
                 random_time(80), entry, entry, pick(5) == 0 ? ",\"makeup\":true" : "");
        const int checkin =
            add_deed(DEED_FACT, NULL, text("{\"event_id\":\"%s\",%s}", id, done), -1);
        if (pick(12) == 0)
            take_back(4000 + 40 * entry + i, id, checkin, done);
    }
}

static const char *random_challenge(const char *from)
{
    static const char *const none[] = {"refund", "charity", "next_round"};
    return text("{\"kind\":\"challenge\",\"title\":\"H\",\"currency\":\"CNY\",\"price\":0,"
                "\"items\":[],\"valid\":{\"from\":\"%s\"},\"challenge\":{\"deposit\":9000,"
                "\"need_days\":%d,\"window_days\":20,\"makeups\":2%s}}",
                from, 1 + pick(pick(2) == 0 ? 9 : 19),
                pick(3) == 0
                    ? ",\"reward\":\"pro_rata\""
                    : text(",\"fee_ppm\":%d,\"split\":\"%s\",\"none\":\"%s\"", pick(400000),
                           pick(2) == 0 ? "equal" : "by_days", none[pick(3)]));
}

static void make_world(uint64_t seed)
{
    rnd = seed;
    deed_count = 0;
    arena_reset(arena);
    for (int i = 0; i < RATES; i++)
        rates[i] = text("%d.%04d", 6 + pick(3), pick(10000));
    add_deed(DEED_POOL, "lib", random_pool(), -1);
    add_deed(
        DEED_OFFER, "year",
        "{\"kind\":\"membership\",\"title\":\"Y\",\"currency\":\"CNY\",\"price\":1,\"items\":[],"
        "\"valid\":{\"from\":\"2022-01-01T00:00:00Z\"},\"membership\":{\"days\":30,\"pool\":"
        "\"lib\"}}",
        -1);
    const int habit = add_deed(DEED_OFFER, "habit", random_challenge("2022-01-01T00:00:00Z"), -1);
    if (pick(2) == 0)
        add_deed(DEED_OFFER, "habit", random_challenge("2023-02-01T00:00:00Z"), habit);
    add_deed(
        DEED_VERSION, "m",
        text("{\"parties\":[\"c1\",\"op\"],\"scope\":{\"providers\":[\"op\"],\"channels\":"
             "[\"c1\"]},\"effective\":{\"from\":\"2023-01-01T00:00:00+08:00\"},\"currency\":"
             "\"CNY\",\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":["
             "{\"kind\":\"share\",\"payee\":\"op\",\"share_ppm\":%d},{\"kind\":\"residual\","
             "\"payee\":\"c1\"}]}",
             pick(500000)),
        -1);
    const int a =
        add_deed(DEED_VERSION, "a", random_agreement("p1", "2023-01-01T00:00:00+08:00", true), -1);
    if (pick(2) == 0)
        add_deed(DEED_VERSION, "a",
                 random_agreement("p1", "2023-03-10T12:00:00+08:00", pick(2) == 0), a);
    add_deed(DEED_VERSION, "b", random_agreement("p2", "2023-01-20T00:00:00+08:00", true), -1);
    for (int i = 0; i < MEMBERS; i++)
        add_member(i);
    for (int i = 0; i < ENTRIES; i++)
        add_entry(i);
}

/* A random order in which nothing comes before what it builds on. */
static void shuffle(void)
{
    static int place[DEEDS_MAX];
    for (int i = 0; i < deed_count; i++)
        order_of[i] = i;
    for (int i = deed_count - 1; i > 0; i--) {
        const int j = pick(i + 1);
        const int moved = order_of[i];
        order_of[i] = order_of[j];
        order_of[j] = moved;
    }
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < deed_count; i++)
            place[order_of[i]] = i;
        for (int i = 0; i < deed_count; i++) {
            const int after = deeds[i].after;
            if (after < 0 || place[after] < place[i])
                continue;
            order_of[place[i]] = after;
            order_of[place[after]] = i;
            again = true;
            break;
        }
    }
}

/* ---- books ---- */

static void put_pool(struct books *b, const struct deed *deed)
{
    struct pool pool;
    struct json_problems problems = {.count = 0};
    ck_assert_int_eq(pool_decode(b->arena, slice_of(deed->json), &pool, &problems), ACCORD_OK);
    const struct slice body = pool_encode(b->arena, &pool);
    const struct pool_row row = {.channel = "c1",
                                 .pool = deed->name,
                                 .version = 1,
                                 .from_day = pool.from_day,
                                 .body = body,
                                 .hash = hash_of(body)};
    books_begin(b);
    ck_assert_int_eq(store_pool_insert(b->db, &row), ACCORD_OK);
    ck_assert_int_eq(ingest_pools_changed(b->tx, "c1", INT64_MIN / 2), ACCORD_OK);
    books_commit(b);
}

static void put_rates(struct books *b)
{
    books_begin(b);
    for (int i = 0; i < RATES; i++) {
        struct rate_row row = {.currency = {"CNY"}, .rate = rates[i]};
        struct rates_given given = {
            .day = origin / CLOCK_DAY_US - 10 + 10 * i, .rates = &row, .count = 1, .reason = ""};
        ck_assert_int_eq(ingest_rates_put(b->tx, &given, 1, "op"), ACCORD_OK);
    }
    books_commit(b);
}

static void put_offer(struct books *b, const struct deed *deed, int version)
{
    struct offer offer;
    struct json_problems problems = {.count = 0};
    ck_assert_int_eq(offer_decode(b->arena, slice_of(deed->json), &offer, &problems), ACCORD_OK);
    const struct slice body = offer_encode(b->arena, &offer);
    const struct offer_row row = {.channel = "c1",
                                  .offer = deed->name,
                                  .version = version,
                                  .from_at = offer.valid.from,
                                  .kind = offer_kind_names[offer.kind],
                                  .body = body,
                                  .hash = hash_of(body)};
    books_begin(b);
    ck_assert_int_eq(store_offer_insert(b->db, &row, NULL, 0), ACCORD_OK);
    ck_assert_int_eq(ingest_pools_changed(b->tx, "c1", INT64_MIN / 2), ACCORD_OK);
    ck_assert_int_eq(challenge_offer_changed(b->tx, "c1", deed->name), ACCORD_OK);
    books_commit(b);
}

/* Which version of its kind and name a deed is. */
static int version_of(int deed)
{
    int count = 0;
    for (int i = 0; i <= deed; i++)
        count += deeds[order_of[i]].kind == deeds[order_of[deed]].kind &&
                 strcmp(deeds[order_of[i]].name, deeds[order_of[deed]].name) == 0;
    return count;
}

/* Does deeds from `at` on, facts in one batch; returns where it ended. */
static int do_batch(struct books *b, int at, int max)
{
    const struct deed *deed = &deeds[order_of[at]];
    switch (deed->kind) {
    case DEED_VERSION:
        books_agreement(b, deed->name, version_of(at), deed->json);
        return at + 1;
    case DEED_POOL:
        put_pool(b, deed);
        return at + 1;
    case DEED_OFFER:
        put_offer(b, deed, version_of(at));
        return at + 1;
    case DEED_FACT:
        break;
    }
    const char *facts = "";
    int end = at;
    for (; end < deed_count && end - at < max && deeds[order_of[end]].kind == DEED_FACT; end++)
        facts = text("%s%s%s", facts, end == at ? "" : ",", deeds[order_of[end]].json);
    const struct fact_batch *batch = books_post(b, "c1", text("[%s]", facts));
    for (size_t i = 0; i < batch->count; i++)
        ck_assert_msg(batch->facts[i].status == FACT_ACCEPTED, "%s: %s %s", facts,
                      accord_error_code(batch->facts[i].code),
                      batch->facts[i].code_pointer == NULL ? "" : batch->facts[i].code_pointer);
    return end;
}

/* Closes the oldest period of an agreement before `limit`; drafts and simulations say the same. */
static bool close_next(struct books *b, const char *agreement, const char *limit)
{
    struct agreement_periods periods;
    struct close_result closed;
    struct close_result draft;
    char label[PERIOD_LABEL_MAX];
    bool found;
    ck_assert_int_eq(periods_of(b->db, b->arena, agreement, &found, &periods), ACCORD_OK);
    if (!found)
        return false;
    period_label(periods.quarterly, periods.open, label);
    if (strcmp(label, limit) >= 0)
        return false;
    if (pick(2) == 0) { /* else the close divides what is to be divided */
        books_idle(b);
        draft = closing_draft(b, agreement, label);
        closing_simulate(b, agreement, label, &draft);
    } else {
        draft.count = 0;
    }
    const enum accord_error error = closing_try(b, agreement, label, &closed);
    ck_assert_msg(error == ACCORD_OK, "%s %s: %s", agreement, label, accord_error_code(error));
    for (size_t i = 0; i < closed.count; i++) {
        const struct slice file = rederive(b, &closed.statements[i]);
        const bool is_pool = *closed.statements[i].partner == '@';
        if (strcmp(agreement, "m") == 0)
            ck_assert((strstr(file.data, "\"derived\":true") != NULL) == !is_pool);
    }
    for (size_t i = 0; i < draft.count; i++)
        ck_assert(slice_equal(draft.statements[i].body, closed.statements[i].body));
    return true;
}

/* Settles the earliest round that is not settled; as a draft of it says. */
static bool settle_next(struct books *b)
{
    struct challenge_round_row *rounds;
    struct challenge_round_row draft;
    struct challenge_round_row settled;
    struct challenge_entry_row *entries;
    size_t count;
    size_t entry_count;
    ck_assert_int_eq(store_challenge_rounds_all(b->db, b->arena, &rounds, &count), ACCORD_OK);
    for (size_t i = 0; i < count; i++) {
        if (rounds[i].settled_seq != 0)
            continue;
        ck_assert_int_eq(challenge_round_check(b->db, b->arena, "c1", "habit", rounds[i].round,
                                               clock_now_us(), &rounds[i]),
                         ACCORD_OK);
        ck_assert_int_eq(
            challenge_round_draft(b->db, b->arena, &rounds[i], &draft, &entries, &entry_count),
            ACCORD_OK);
        books_begin(b);
        ck_assert_int_eq(
            challenge_round_settle(b->tx, "c1", "habit", rounds[i].round, "op", &settled),
            ACCORD_OK);
        ck_assert_int_eq(settled.payouts, draft.payouts);
        ck_assert_int_eq(settled.fee, draft.fee);
        ck_assert_int_eq(settled.deposits + settled.carried_in,
                         settled.payouts + settled.fee + settled.charity + settled.carried);
        books_commit(b);
        return true;
    }
    return false;
}

/* ---- what it comes to ---- */

DB_SQL(sql_shares, "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM rollup_share WHERE "
                   "grain = 'period' AND staged = 0 AND held = '' AND payee = $1");
DB_SQL(sql_earned, "SELECT CAST(COALESCE(SUM(earned), 0) AS BIGINT) FROM statement "
                   "WHERE partner = $1");

static int64_t number_of(struct books *b, const struct db_sql *sql, const char *partner)
{
    int64_t number = 0;
    const struct db_value params[] = {db_str(partner)};
    ck_assert_int_eq(db_query(b->db, sql, params, 1, 1, books_take_number, &number), ACCORD_OK);
    return number;
}

/* What settling everything at once gives. */
static void settle_all(struct books *b, int64_t totals[PAYEES])
{
    for (int i = 0; i < PAYEES; i++)
        totals[i] = number_of(b, &sql_shares, payees[i]);
    for (int i = 0; i < AGREEMENTS; i++) {
        struct agreement_periods periods;
        struct window_lines lines;
        bool found;
        int64_t last;
        ck_assert_int_eq(periods_of(b->db, b->arena, agreements[i], &found, &periods), ACCORD_OK);
        ck_assert(period_parse(slice_of(periods.quarterly ? "2023-Q3" : "2023-09"), &found, &last));
        ck_assert_int_eq(windows_settle(b->db, b->arena, &periods, last, &lines), ACCORD_OK);
        for (size_t j = 0; j < lines.count; j++)
            for (int k = 0; k < PAYEES; k++)
                if (strcmp(lines.rows[j].payee, payees[k]) == 0)
                    totals[k] += lines.rows[j].amount;
    }
}

static void expect_totals(struct books *b, const int64_t totals[PAYEES])
{
    for (int i = 0; i < PAYEES; i++)
        ck_assert_msg(number_of(b, &sql_earned, payees[i]) == totals[i],
                      "statements of %s come to %" PRId64 ", not %" PRId64, payees[i],
                      number_of(b, &sql_earned, payees[i]), totals[i]);
}

/* Every division, and every account of deposits, as one text. */
static const char *divisions_of(struct books *b)
{
    struct pool_month_row *months;
    struct challenge_entry_row *entries;
    size_t count;
    const char *all = "";
    ck_assert_int_eq(store_pool_months_all(b->db, b->arena, &months, &count), ACCORD_OK);
    for (size_t i = 0; i < count; i++) {
        struct pool_share_row *shares;
        size_t share_count;
        ck_assert(!months[i].stale);
        int64_t sum = months[i].unclaimed;
        ck_assert_int_eq(
            store_pool_shares(b->db, b->arena, "c1", "lib", months[i].day, &shares, &share_count),
            ACCORD_OK);
        for (size_t j = 0; j < share_count; j++) {
            sum += shares[j].amount;
            all = text("%s%s %s.%" PRId64 " %" PRId64 " of %" PRId64 "\n", all, shares[j].provider,
                       shares[j].agreement, shares[j].version, shares[j].amount, shares[j].units);
        }
        ck_assert_int_eq(sum, months[i].fees);
        if (months[i].fees != 0 || share_count > 0)
            all = text("%s%" PRId64 ": %" PRId64 " %" PRId64 "\n", all, months[i].day,
                       months[i].fees, months[i].unclaimed);
    }
    ck_assert_int_eq(
        store_challenge_entries_of_offer(b->db, b->arena, "c1", "habit", &entries, &count),
        ACCORD_OK);
    for (size_t i = 0; i < count; i++)
        if (entries[i].seq != 0)
            all = text("%s%s %s: %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", all,
                       entries[i].entry_id, entries[i].round, entries[i].held, entries[i].cash,
                       entries[i].payout, entries[i].fee);
    return all;
}

static void finish(struct books *b)
{
    while (settle_next(b))
        ;
    books_idle(b);
}

START_TEST(test_late_is_as_if_in_time)
{
    struct books b;
    struct books never;
    int64_t totals[PAYEES];
    arena = arena_new((size_t)1 << 28);
    make_world((uint64_t)_i + 1);
    shuffle();
    books_open(&b);
    put_rates(&b);
    for (int at = 0; at < deed_count;) {
        at = do_batch(&b, at, 1 + pick(9));
        if (pick(4) == 0)
            books_idle(&b);
        const char *agreement = agreements[pick(AGREEMENTS)];
        if (pick(6) == 0)
            close_next(&b, agreement, strcmp(agreement, "b") == 0 ? "2023-Q3" : "2023-08");
        if (pick(9) == 0)
            settle_next(&b);
    }
    finish(&b);
    for (int i = 0; i < AGREEMENTS; i++)
        while (close_next(&b, agreements[i], i == 2 ? "2023-Q4" : "2023-10"))
            ;
    books_verify(&b);

    shuffle();
    books_open(&never);
    put_rates(&never);
    for (int at = 0; at < deed_count;)
        at = do_batch(&never, at, 1 + pick(60));
    finish(&never);
    books_verify(&never);
    settle_all(&never, totals);
    expect_totals(&b, totals);
    ck_assert_str_eq(divisions_of(&b), divisions_of(&never));
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(amount) FROM posting"), 0);
    books_close(&never);
    books_close(&b);
    arena_free(arena);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("late-properties");
    TCase *tc = tcase_create("late-properties");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, test_late_is_as_if_in_time, 0, SEEDS);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
