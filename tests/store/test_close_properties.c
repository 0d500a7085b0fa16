/*
 * Closed statements add up to one unbroken computation. A random agreement and random facts (late
 * refunds, back-dated orders, corrections downwards, what is restated twice) are taken twice: in
 * one book while its periods are closed in between at random, in another in another order and other
 * batches, unclosed. What all statements of the first come to is what the second one settles at
 * once; no statement ever changes; and each follows from its file of inputs alone.
 */
#include "closing.h"

#include "ingest/windows.h"

enum { FACTS_MAX = 400, ORDERS = 22, STATEMENTS_MAX = 400, PARTNERS = 3, SEEDS = 24 };

static const int64_t origin = INT64_C(1672531200000000); /* 2023-01-01T00:00:00Z */
static const char *const partners[PARTNERS] = {"p1", "c1", "op"};

struct deed {
    const char *json; /* NULL: a version of the agreement comes into force */
    const char *version;
    int number;
    int after; /* -1: nothing must have happened before */
};

struct world {
    struct arena *arena;
    struct deed deeds[FACTS_MAX];
    int count;
    bool quarterly;
    const char *zone;
    const char *in_period;
};

static uint64_t rnd;
static struct world world;

static const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *text(const char *format, ...)
{
    static char buffer[1 << 16];
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    ck_assert_int_lt(len, (int)sizeof buffer);
    return arena_strdup(world.arena, slice_of(buffer));
}

static int pick(int bound)
{
    return (int)random_below(&rnd, bound);
}

static int add_deed(const char *json, const char *version, int number, int after)
{
    ck_assert_int_lt(world.count, FACTS_MAX);
    world.deeds[world.count] = (struct deed){json, version, number, after};
    return world.count++;
}

/* ---- the agreement ---- */

static const char *window_name(void)
{
    static const char *const names[] = {"period", "year", "life"};
    return names[pick(3)];
}

#define PAYEE "\"payee\":\"p1\","
#define FUNDED PAYEE "\"funded_by\":\"c1\","

static const char *random_term(void)
{
    switch (pick(11)) {
    case 0:
        return text("{\"kind\":\"tiered\"," PAYEE "\"metric\":\"net\",\"mode\":\"%s\",\"window\":"
                    "\"%s\",\"steps\":[{\"from\":0,\"share_ppm\":200001},{\"from\":%d,"
                    "\"share_ppm\":300000},{\"from\":90000,\"share_ppm\":411111}]},",
                    pick(2) == 0 ? "marginal" : "whole", window_name(), 1 + pick(60000));
    case 1:
        return text("{\"kind\":\"tiered\"," PAYEE "\"metric\":\"%s\",\"mode\":\"marginal\","
                    "\"window\":\"%s\",\"steps\":[{\"from\":0,\"amount_micro\":%d},{\"from\":%d,"
                    "\"amount_micro\":2500000}]},",
                    pick(2) == 0 ? "learners" : "units", window_name(), 1 + pick(90000000),
                    1 + pick(6));
    case 2:
        return text("{\"kind\":\"tiered\"," PAYEE "\"metric\":\"learners\",\"mode\":\"whole\","
                    "\"window\":\"%s\",\"steps\":[{\"from\":0,\"share_ppm\":100000},{\"from\":%d,"
                    "\"share_ppm\":333333}]},",
                    window_name(), 1 + pick(5));
    case 3:
        return text("{\"kind\":\"cpa\"," PAYEE "\"amount_minor\":%d,\"per\":\"line\",\"window\":"
                    "\"%s\",\"floor_minor\":%d,\"cap_minor\":%d},",
                    1 + pick(700), window_name(), pick(900), 900 + pick(3000));
    case 4:
        return text("{\"kind\":\"cpa\"," PAYEE "\"amount_minor\":%d,\"per\":\"learner\","
                    "\"window\":\"%s\"},",
                    1 + pick(700), window_name());
    case 5:
        return text("{\"kind\":\"greater_of\"," PAYEE "\"share_ppm\":%d,\"amount_minor\":%d,"
                    "\"per\":\"unit\",\"window\":\"%s\"},",
                    pick(300000), 1 + pick(5000), window_name());
    case 6:
        return text("{\"kind\":\"guarantee\"," FUNDED "\"amount_minor\":%d,\"window\":\"%s\","
                    "\"recoup\":\"%s\"},",
                    1 + pick(60000), pick(2) == 0 ? "period" : "year",
                    pick(2) == 0 ? "none" : "future");
    case 7:
        return text("{\"kind\":\"advance\"," FUNDED "\"amount_minor\":%d,\"minimum_minor\":%d},",
                    1 + pick(40000), pick(90000));
    case 8:
        return text("{\"kind\":\"floor\"," FUNDED "\"amount_minor\":%d,\"window\":\"%s\"},",
                    1 + pick(5000), window_name());
    case 9:
        return text("{\"kind\":\"cap\"," PAYEE "\"amount_minor\":%d,\"window\":\"%s\"},",
                    1 + pick(30000), window_name());
    default:
        return text("{\"kind\":\"amount\"," PAYEE "\"amount_minor\":%d},", pick(3));
    }
}

static const char *version_text(int number, const char *from, const char *to)
{
    const char *terms = "";
    if (pick(3) > 0)
        terms = text("{\"kind\":\"share\"," PAYEE "\"share_ppm\":%d},", pick(600000));
    for (int i = pick(3); i > 0; i--)
        terms = text("%s%s", terms, random_term());
    if (pick(3) == 0)
        terms =
            text("%s{\"kind\":\"share\",\"payee\":\"op\",\"share_ppm\":%d},", terms, pick(100000));
    if (pick(3) == 0)
        terms = text("%s{\"kind\":\"withholding\"," PAYEE "\"rate_ppm\":%d},", terms, pick(200000));
    return text("{\"parties\":[\"p1\",\"c1\",\"op\"],\"scope\":{\"providers\":[\"p1\"],"
                "\"channels\":[\"c1\"]},\"effective\":{\"from\":\"%s\"%s%s%s},\"currency\":\"CNY\","
                "\"period\":{\"kind\":\"%s\",\"time_zone\":\"%s\"},\"refund\":{\"basis\":\"%s\"},"
                "\"collector\":\"%s\",\"clearing\":\"%s\",\"hold_days\":%d,\"reserve\":{\"ppm\":%d,"
                "\"periods\":%d},\"min_payout_minor\":%d,\"qualify_days\":%d,\"terms\":[%s"
                "{\"kind\":\"residual\",\"payee\":\"c1\"}]}",
                from, to == NULL ? "" : ",\"to\":\"", to == NULL ? "" : to, to == NULL ? "" : "\"",
                world.quarterly ? "quarter" : "month", world.zone, world.in_period,
                number == 2 && pick(4) == 0 ? "op" : "c1", pick(2) == 0 ? "direct" : "operator",
                pick(2) * pick(40), pick(2) * 100000, 1 + pick(3), pick(2) * pick(9000), pick(30),
                terms);
}

/* What is random may not go together: then it is another. */
static const char *random_version(int number, const char *from, const char *to)
{
    for (;;) {
        struct agreement_version version;
        struct json_problems problems = {.count = 0};
        struct slice id;
        struct slice name;
        const char *body = version_text(number, from, to);
        if (agreement_decode(world.arena, slice_of(body), "a", number, false, &id, &name, &version,
                             &problems) == ACCORD_OK)
            return body;
    }
}

/* ---- the facts ---- */

static const char *random_time(int days)
{
    char at[CLOCK_TEXT_MAX];
    clock_format(origin + random_below(&rnd, days) * CLOCK_DAY_US +
                     random_below(&rnd, 24) * (CLOCK_DAY_US / 24),
                 at);
    return text("%s", at);
}

static const char *random_sale(int order, const char *event, const char *supersedes)
{
    const char *learner = pick(6) == 0 ? "" : text("\"learner\":\"u%d\",", pick(7));
    const char *lines = "";
    for (int i = 0, count = 1 + pick(2); i < count; i++)
        lines = text("%s%s{\"line_id\":\"L%d\",\"provider\":\"p1\",\"course_id\":\"%s\","
                     "\"quantity\":%d,\"paid\":%d}",
                     lines, i == 0 ? "" : ",", i, pick(8) == 0 ? "unknown" : "python", 1 + pick(3),
                     pick(5) == 0 ? pick(3) : pick(20000));
    return text("{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\",%s%s%s"
                "\"order_id\":\"o%d\",%s\"currency\":\"CNY\",\"lines\":[%s]}",
                event, random_time(170), supersedes == NULL ? "" : "\"supersedes\":\"",
                supersedes == NULL ? "" : supersedes, supersedes == NULL ? "" : "\",", order,
                learner, lines);
}

static void random_order(int order)
{
    const char *event = text("e%d", order);
    int last = add_deed(random_sale(order, event, NULL), NULL, 0, -1);
    for (int i = 0; i < 2 && pick(4) == 0; i++) { /* restated, perhaps twice */
        const char *next = text("%sx", event);
        last = add_deed(random_sale(order, next, event), NULL, 0, last);
        event = next;
    }
    if (pick(8) == 0)
        add_deed(text("{\"event_id\":\"v%d\",\"type\":\"void\",\"occurred_at\":\"%s\","
                      "\"supersedes\":\"%s\"}",
                      order, random_time(10), event),
                 NULL, 0, last);
    for (int i = pick(4); i > 0; i--) {
        const char *id = text("r%d-%d", order, i);
        const int refund =
            add_deed(text("{\"event_id\":\"%s\",\"type\":\"order.refunded\",\"occurred_at\":\"%s\","
                          "\"order_id\":\"o%d\",\"refund_id\":\"%s\",\"amount\":%d}",
                          id, random_time(210), order, id, 1 + pick(pick(3) == 0 ? 20000 : 900)),
                     NULL, 0, -1);
        if (pick(5) == 0)
            add_deed(text("{\"event_id\":\"v%s\",\"type\":\"void\",\"occurred_at\":\"%s\","
                          "\"supersedes\":\"%s\"}",
                          id, random_time(10), id),
                     NULL, 0, refund);
    }
}

static void make_world(uint64_t seed)
{
    static const char *const zones[] = {"UTC", "Asia/Shanghai", "America/New_York"};
    struct arena *arena = world.arena;
    arena_reset(arena);
    rnd = seed;
    world = (struct world){.arena = arena,
                           .quarterly = pick(3) == 0,
                           .zone = zones[pick(3)],
                           .in_period = pick(2) == 0 ? "original" : "in_period"};
    const char *end = pick(3) == 0 ? text("2023-0%d-1%dT07:00:00Z", 5 + pick(2), pick(9)) : NULL;
    const int first = add_deed(NULL, random_version(1, "2023-01-01T00:00:00Z", end), 1, -1);
    if (pick(2) == 0)
        add_deed(NULL,
                 random_version(2, text("2023-0%d-0%dT09:00:00Z", 2 + pick(2), 1 + pick(9)), end),
                 2, first);
    for (int i = 0; i < ORDERS; i++)
        random_order(i);
}

/* ---- books ---- */

static int order_of[FACTS_MAX];

/* A random order in which nothing comes before what it builds on. */
static void shuffle(void)
{
    int place[FACTS_MAX];
    for (int i = 0; i < world.count; i++)
        order_of[i] = i;
    for (int i = world.count - 1; i > 0; i--) {
        const int j = pick(i + 1);
        const int moved = order_of[i];
        order_of[i] = order_of[j];
        order_of[j] = moved;
    }
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < world.count; i++)
            place[order_of[i]] = i;
        for (int i = 0; i < world.count; i++) {
            const int after = world.deeds[i].after;
            if (after < 0 || place[after] < place[i])
                continue;
            order_of[place[i]] = after;
            order_of[place[after]] = i;
            again = true;
            break;
        }
    }
}

static void open_books(struct books *b)
{
    books_open(b);
    books_course(b, "p1", "python");
}

/* Does deeds from `at` on, in one batch; returns where it ended. */
static int do_batch(struct books *b, int at, int max)
{
    const struct deed *deed = &world.deeds[order_of[at]];
    if (deed->json == NULL) {
        books_agreement(b, "a", deed->number, deed->version);
        return at + 1;
    }
    const char *facts = "";
    int end = at;
    for (; end < world.count && end - at < max; end++) {
        if (world.deeds[order_of[end]].json == NULL)
            break;
        facts = text("%s%s%s", facts, end == at ? "" : ",", world.deeds[order_of[end]].json);
    }
    const struct fact_batch *batch = books_post(b, "c1", text("[%s]", facts));
    for (size_t i = 0; i < batch->count; i++)
        ck_assert_msg(batch->facts[i].status == FACT_ACCEPTED, "%s: %s", facts,
                      accord_error_code(batch->facts[i].code));
    return end;
}

/* ---- what was published ---- */

struct published {
    const char *id;
    struct slice body;
};
static struct published published[STATEMENTS_MAX];
static int published_count;

static bool next_label(struct books *b, char label[PERIOD_LABEL_MAX])
{
    struct agreement_periods periods;
    bool found;
    ck_assert_int_eq(periods_of(b->db, b->arena, "a", &found, &periods), ACCORD_OK);
    if (found)
        period_label(periods.quarterly, periods.open, label);
    return found;
}

/* Closes the oldest period before `limit`; a draft before it says the same. */
static bool close_next(struct books *b, const char *limit)
{
    char label[PERIOD_LABEL_MAX];
    struct close_result draft;
    struct close_result closed = {.count = 0};
    if (!next_label(b, label) || strcmp(label, limit) >= 0)
        return false;
    ck_assert_int_eq(db_begin(b->db), ACCORD_OK);
    const enum accord_error drafted =
        close_draft(b->db, b->arena, "a", label, clock_now_us(), &draft);
    if (drafted == ACCORD_OK)
        closing_simulate(b, "a", label, &draft);
    db_rollback(b->db);
    const enum accord_error error = closing_try(b, "a", label, &closed);
    ck_assert_str_eq(accord_error_code(drafted), accord_error_code(error));
    if (error == ACCORD_E_NOT_FOUND) /* the agreement has ended, and nothing is booked */
        return false;
    ck_assert_msg(error == ACCORD_OK, "%s: %s %s", label, accord_error_code(error),
                  db_message(b->db));
    ck_assert_uint_eq(draft.count, closed.count);
    for (size_t i = 0; i < closed.count; i++) {
        const struct statement_row *row = &closed.statements[i];
        ck_assert(slice_equal(draft.statements[i].body, row->body));
        rederive(b, row);
        ck_assert_int_lt(published_count, STATEMENTS_MAX);
        published[published_count++] = (struct published){row->id, row->body};
    }
    return true;
}

static void expect_unchanged(struct books *b)
{
    for (int i = 0; i < published_count; i++) {
        struct statement_row row;
        bool found;
        ck_assert_int_eq(store_statement_find(b->db, b->arena, published[i].id, &found, &row),
                         ACCORD_OK);
        ck_assert(found && slice_equal(row.body, published[i].body));
        rederive(b, &row);
    }
}

/* ---- totals ---- */

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
static void settle_all(struct books *b, int64_t totals[PARTNERS])
{
    struct agreement_periods periods;
    struct window_lines lines;
    bool found;
    int64_t last;
    ck_assert(period_parse(slice_of(world.quarterly ? "2024-Q1" : "2024-02"), &found, &last));
    ck_assert_int_eq(periods_of(b->db, b->arena, "a", &found, &periods), ACCORD_OK);
    ck_assert_int_eq(windows_settle(b->db, b->arena, &periods, last, &lines), ACCORD_OK);
    for (int i = 0; i < PARTNERS; i++) {
        totals[i] = number_of(b, &sql_shares, partners[i]);
        for (size_t j = 0; j < lines.count; j++)
            if (strcmp(lines.rows[j].payee, partners[i]) == 0)
                totals[i] += lines.rows[j].amount;
    }
}

static void expect_totals(struct books *b, const int64_t totals[PARTNERS], uint64_t seed)
{
    for (int i = 0; i < PARTNERS; i++) {
        const int64_t earned = number_of(b, &sql_earned, partners[i]);
        ck_assert_msg(earned == totals[i],
                      "seed %" PRIu64 ": statements of %s come to %" PRId64 ", not %" PRId64 "\n%s",
                      seed, partners[i], earned, totals[i], world.deeds[0].version);
    }
}

/* Until everything that has been booked is closed. */
static void close_rest(struct books *b)
{
    while (close_next(b, world.quarterly ? "2024-Q2" : "2024-03"))
        ;
}

START_TEST(test_closed_is_as_if_never_closed)
{
    const uint64_t seed = (uint64_t)_i + 1;
    struct books b;
    int64_t totals[PARTNERS];
    world.arena = arena_new((size_t)1 << 28);
    make_world(seed);
    shuffle();
    published_count = 0;
    open_books(&b);
    for (int at = 0; at < world.count;) {
        at = do_batch(&b, at, 1 + pick(6));
        if (pick(5) == 0)
            close_next(&b, world.quarterly ? "2023-Q4" : "2023-10");
    }
    close_rest(&b);
    books_verify(&b);
    /* Another process, or another day. */
    db_close(b.db);
    ingest_tx_rolled_back(b.tx);
    ck_assert_int_eq(db_open(b.url, DB_READ_WRITE, &b.db), ACCORD_OK);
    expect_unchanged(&b);

    struct books never;
    shuffle();
    open_books(&never);
    for (int at = 0; at < world.count;)
        at = do_batch(&never, at, 1 + pick(30));
    settle_all(&never, totals);
    expect_totals(&b, totals, seed);
    published_count = 0;
    close_rest(&never);
    expect_totals(&never, totals, seed);
    books_verify(&never);
    books_close(&never);
    books_close(&b);
    arena_free(world.arena);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("close-properties");
    TCase *tc = tcase_create("close-properties");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, test_closed_is_as_if_never_closed, 0, SEEDS);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
