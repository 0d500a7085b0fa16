/*
 * Order of arrival never changes an amount: a random world of orders, refunds, charge-backs,
 * corrections, voids, courses and agreements is applied in random orders and random batches. What
 * the rollups come to is computed here once more, naively, from the end state alone.
 */
#include "books.h"
#include "ingest/rates.h"

#include <inttypes.h>

enum {
    ORDERS = 60,
    OPS_MAX = 1200,
    LINES_MAX = 3,
    SALES_MAX = 3,
    REFUNDS_MAX = 5,
    ROWS_MAX = 6000
};

static const int64_t day_us = INT64_C(86400000000);
static const int64_t origin = INT64_C(1735660800000000); /* 2025-01-01T00:00:00+08:00 */

/* ---- the world: what happens, and what must have happened before ---- */

enum op_kind { OP_FACT, OP_COURSE, OP_AGREEMENT, OP_RATES };
struct op {
    enum op_kind kind;
    const char *partner; /* of a fact; provider of a course; id of an agreement */
    const char *text;    /* JSON of a fact; course_id; body */
    int64_t version;     /* of an agreement; index into published */
    int after;           /* -1: nothing */
};

struct line {
    char provider[16];
    char course[16];
    int64_t paid;
    int64_t quantity;
};
struct sale {
    int64_t at;
    const char *currency;
    struct line lines[LINES_MAX];
    int count;
};
struct refund {
    char event[32];
    int64_t at;
    int line; /* -1: of the whole order */
    int64_t amount;
    bool in_force;
};
struct order {
    const char *channel;
    char id[32];
    struct sale sale; /* the one that stands */
    bool stands;
    struct refund refunds[REFUNDS_MAX];
    int refund_count;
};

static struct books b;
static struct op ops[OPS_MAX];
static int op_count;
static struct order orders[ORDERS];
static uint64_t rnd;

/* Rates as they are published, in 1/10000; those of a correction replace those of its day. */
enum { FIRST_RATE_DAY = 20086, RATE_DAYS = 70 };
static struct {
    int64_t day;
    int64_t usd; /* 0: none */
    int64_t cny;
} published[2 * RATE_DAYS];
static int published_count;
static int rate_of_day[RATE_DAYS]; /* the one that stands; -1: none */

static int add_op(enum op_kind kind, const char *partner, const char *text, int64_t version,
                  int after)
{
    ck_assert_int_lt(op_count, OPS_MAX);
    ops[op_count] = (struct op){kind, partner, text, version, after};
    return op_count++;
}

static const char *at_text(int64_t at)
{
    /* The same instants in offsets of the sender's choice. */
    static const int offsets[] = {0, 8, -5};
    const int hours = offsets[random_below(&rnd, 3)];
    char text[CLOCK_TEXT_MAX];
    clock_format(at + hours * INT64_C(3600000000), text);
    text[strlen(text) - 1] = '\0';
    return books_text(&b, "%s%c%02d:00", text, hours < 0 ? '-' : '+', hours < 0 ? -hours : hours);
}

static int64_t random_amount(void)
{
    static const int64_t amounts[] = {0, 1, 2, 3, 5, 99, 100, 101, 19900, 333333, 1000000000000};
    return amounts[random_below(&rnd, sizeof amounts / sizeof *amounts)];
}

static void random_sale(struct sale *sale)
{
    sale->at = origin + random_below(&rnd, 80) * day_us + random_below(&rnd, 24) * day_us / 24;
    sale->currency = random_below(&rnd, 4) == 0 ? "USD" : "CNY";
    sale->count = 1 + (int)random_below(&rnd, LINES_MAX);
    for (int i = 0; i < sale->count; i++) {
        struct line *line = &sale->lines[i];
        snprintf(line->provider, sizeof line->provider, "p%c",
                 random_below(&rnd, 2) == 0 ? '1' : '2');
        snprintf(line->course, sizeof line->course, "课%d", (int)random_below(&rnd, 4));
        line->paid = random_amount();
        line->quantity = 1 + random_below(&rnd, 3);
    }
}

static const char *sale_text(const struct order *order, const char *event, const char *supersedes,
                             const struct sale *sale)
{
    const char *lines = "";
    for (int i = 0; i < sale->count; i++)
        lines = books_text(&b,
                           "%s%s{\"line_id\":\"L%d\",\"provider\":\"%s\",\"course_id\":\"%s\","
                           "\"quantity\":%" PRId64 ",\"paid\":%" PRId64 "}",
                           lines, i == 0 ? "" : ",", i, sale->lines[i].provider,
                           sale->lines[i].course, sale->lines[i].quantity, sale->lines[i].paid);
    return books_text(&b,
                      "{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\"%s%s%s,"
                      "\"order_id\":\"%s\",\"currency\":\"%s\",\"lines\":[%s]}",
                      event, at_text(sale->at), supersedes == NULL ? "" : ",\"supersedes\":\"",
                      supersedes == NULL ? "" : supersedes, supersedes == NULL ? "" : "\"",
                      order->id, sale->currency, lines);
}

static void make_void(const char *channel, const char *event, int target_op)
{
    const char *text =
        books_text(&b,
                   "{\"event_id\":\"void-%s\",\"type\":\"void\",\"occurred_at\":\"%s\","
                   "\"supersedes\":\"%s\"}",
                   event, at_text(origin), event);
    add_op(OP_FACT, channel, text, 0, target_op);
}

static void make_sales(struct order *order, int number)
{
    const char *event = books_text(&b, "o%d-0", number);
    random_sale(&order->sale);
    int last = add_op(OP_FACT, order->channel, sale_text(order, event, NULL, &order->sale), 0, -1);
    for (int i = 1; i < SALES_MAX && random_below(&rnd, 4) == 0; i++) {
        const char *next = books_text(&b, "o%d-%d", number, i);
        random_sale(&order->sale);
        last =
            add_op(OP_FACT, order->channel, sale_text(order, next, event, &order->sale), 0, last);
        event = next;
    }
    order->stands = random_below(&rnd, 10) != 0;
    if (!order->stands)
        make_void(order->channel, event, last);
}

static const char *refund_text(const struct order *order, const struct refund *refund,
                               const char *type, const char *id, const char *supersedes)
{
    const char *what =
        refund->line < 0
            ? books_text(&b, "\"amount\":%" PRId64, refund->amount)
            : books_text(&b, "\"lines\":[{\"line_id\":\"L%d\",\"amount\":%" PRId64 "}]",
                         refund->line, refund->amount);
    return books_text(
        &b,
        "{\"event_id\":\"%s\",\"type\":\"%s\",\"occurred_at\":\"%s\"%s%s%s,"
        "\"order_id\":\"%s\",\"refund_id\":\"%s\",%s}",
        refund->event, type, at_text(refund->at), supersedes == NULL ? "" : ",\"supersedes\":\"",
        supersedes == NULL ? "" : supersedes, supersedes == NULL ? "" : "\"", order->id, id, what);
}

static void random_refund(struct refund *refund)
{
    refund->at = origin + random_below(&rnd, 6) * day_us; /* often at the same instant */
    refund->line = (int)random_below(&rnd, LINES_MAX + 1) - 1;
    refund->amount = 1 + (random_below(&rnd, 2) == 0 ? 0 : random_amount());
}

static void make_refund(struct order *order, int number, int r)
{
    struct refund *refund = &order->refunds[order->refund_count++];
    const bool charge_back = random_below(&rnd, 3) == 0;
    const char *type = charge_back ? "order.charged_back" : "order.refunded";
    const char *id = books_text(&b, "r%d", r);
    snprintf(refund->event, sizeof refund->event, "%c%d-%d", "azm"[random_below(&rnd, 3)], number,
             r);
    refund->in_force = true;
    random_refund(refund);
    int last = add_op(OP_FACT, order->channel, refund_text(order, refund, type, id, NULL), 0, -1);
    if (random_below(&rnd, 5) == 0) { /* corrected */
        const char *first = books_text(&b, "%s", refund->event);
        snprintf(refund->event, sizeof refund->event, "%.20s-x", first);
        random_refund(refund);
        last =
            add_op(OP_FACT, order->channel, refund_text(order, refund, type, id, first), 0, last);
    }
    if (random_below(&rnd, 6) == 0) {
        refund->in_force = false;
        make_void(order->channel, refund->event, last);
    }
    if (charge_back && random_below(&rnd, 2) == 0) {
        const char *event = books_text(&b, "won-%s", refund->event);
        const char *text =
            books_text(&b,
                       "{\"event_id\":\"%s\",\"type\":\"order.chargeback_reversed\","
                       "\"occurred_at\":\"%s\",\"order_id\":\"%s\",\"refund_id\":\"%s\"}",
                       event, at_text(origin), order->id, id);
        const int reversal = add_op(OP_FACT, order->channel, text, 0, -1);
        if (random_below(&rnd, 4) == 0)
            make_void(order->channel, event, reversal);
        else
            refund->in_force = false;
    }
}

#define BODY(parties, rest) "{\"parties\":[" parties "],\"currency\":\"CNY\"," rest "}"
#define FROM(date) "\"effective\":{\"from\":\"" date "\"},"
#define SHANGHAI "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"
#define UTC "\"period\":{\"kind\":\"month\",\"time_zone\":\"UTC\"},"

static int make_rate(int day, int after)
{
    published[published_count].day = FIRST_RATE_DAY + day;
    published[published_count].usd = random_below(&rnd, 5) == 0 ? 0 : 10000 + random_below(&rnd, 9);
    published[published_count].cny = 70000 + random_below(&rnd, 9000);
    rate_of_day[day] = published_count;
    return add_op(OP_RATES, "", "", published_count++, after);
}

static void make_rates(void)
{
    published_count = 0;
    for (int i = 0; i < RATE_DAYS; i++) {
        rate_of_day[i] = -1;
        if (random_below(&rnd, 3) == 0)
            continue;
        const int first = make_rate(i, -1);
        if (random_below(&rnd, 6) == 0)
            make_rate(i, first);
    }
}

static void make_world(uint64_t seed)
{
    rnd = seed;
    op_count = 0;
    memset(orders, 0, sizeof orders);
    static const char *const providers[] = {"p1", "p2"};
    for (int p = 0; p < 2; p++)
        for (int i = 0; i < 3; i++) /* 课3 never comes */
            add_op(OP_COURSE, providers[p], books_text(&b, "课%d", i), 0, -1);
    const int a1 = add_op(OP_AGREEMENT, "a",
                          BODY("\"p1\",\"c1\"",
                               "\"scope\":{\"providers\":[\"p1\"],\"channels\":[\"c1\"]}," FROM(
                                   "2025-01-01T00:00:00+08:00") SHANGHAI
                               "\"terms\":[{\"kind\":\"share\",\"payee\":\"p1\",\"share_ppm\":"
                               "600000},{\"kind\":\"residual\",\"payee\":\"c1\"}]"),
                          1, -1);
    add_op(OP_AGREEMENT, "a",
           BODY("\"p1\",\"c1\",\"op\"",
                "\"scope\":{\"providers\":[\"p1\"],\"channels\":[\"c1\"]}," FROM(
                    "2025-02-10T00:00:00+08:00") SHANGHAI
                "\"terms\":[{\"kind\":\"share\",\"payee\":\"p1\",\"share_ppm\":550000},"
                "{\"kind\":\"share\",\"payee\":\"op\",\"share_ppm\":123457},"
                "{\"kind\":\"residual\",\"payee\":\"c1\"}]"),
           2, a1);
    add_op(
        OP_AGREEMENT, "b",
        BODY("\"p1\",\"c1\",\"c2\"",
             "\"scope\":{\"providers\":[\"p1\"]},\"collector\":\"c2\"," FROM("2025-01-15T00:00:00Z")
                 UTC "\"terms\":[{\"kind\":\"share\",\"payee\":\"p1\",\"share_ppm\":333333},"
                     "{\"kind\":\"share\",\"payee\":\"c1\",\"share_ppm\":111111},"
                     "{\"kind\":\"residual\",\"payee\":\"c2\"}]"),
        1, -1);
    add_op(OP_AGREEMENT, "c",
           BODY("\"p2\",\"c1\"",
                "\"scope\":{\"channels\":[\"c1\"],\"courses\":[{\"provider\":\"p2\","
                "\"course_id\":\"课0\"}]}," FROM("2025-01-01T00:00:00Z") UTC
                "\"terms\":[{\"kind\":\"share\",\"payee\":\"p2\",\"share_ppm\":700000},"
                "{\"kind\":\"residual\",\"payee\":\"c1\"}]"),
           1, -1);
    make_rates();
    for (int i = 0; i < ORDERS; i++) {
        struct order *order = &orders[i];
        order->channel = random_below(&rnd, 3) == 0 ? "c2" : "c1";
        snprintf(order->id, sizeof order->id, "订单-%d", i);
        make_sales(order, i);
        const int refunds = (int)random_below(&rnd, REFUNDS_MAX);
        for (int r = 0; r < refunds; r++)
            make_refund(order, i, r);
    }
}

/* ---- what it comes to, naively ---- */

struct terms {
    const char *agreement;
    int64_t version;
    int64_t hours; /* east of UTC */
    const char *payees[3];
    int64_t ppm[3];
    int count;
};
static const struct terms none = {"", 0, 0, {NULL}, {0}, 0};
static const struct terms a1 = {"a", 1, 8, {"p1", "c1"}, {600000, 400000}, 2};
static const struct terms a2 = {"a", 2, 8, {"p1", "op", "c1"}, {550000, 123457, 326543}, 3};
static const struct terms b1 = {"b", 1, 0, {"p1", "c1", "c2"}, {333333, 111111, 555556}, 3};
static const struct terms c1 = {"c", 1, 0, {"p2", "c1"}, {700000, 300000}, 2};

static const struct terms *winner(const char *channel, const struct line *line, int64_t at)
{
    const bool first = strcmp(channel, "c1") == 0;
    if (strcmp(line->provider, "p2") == 0)
        return first && strcmp(line->course, "课0") == 0 && at >= INT64_C(1735689600000000) ? &c1
                                                                                            : &none;
    if (first)
        return at >= origin + 40 * day_us ? &a2 : &a1;
    return at >= INT64_C(1736899200000000) ? &b1 : &none;
}

__extension__ typedef __int128 wide;

static void split(int64_t total, const int64_t *weights, int count, int64_t *ret)
{
    wide sum = 0;
    for (int i = 0; i < count; i++)
        sum += weights[i];
    int64_t left = total;
    wide rest[LINES_MAX];
    for (int i = 0; i < count; i++) {
        const wide product = (wide)total * weights[i];
        ret[i] = (int64_t)(product / sum);
        rest[i] = product % sum;
        left -= ret[i];
    }
    for (; left > 0; left--) {
        int best = 0;
        for (int i = 1; i < count; i++)
            if (rest[i] > rest[best])
                best = i;
        ret[best]++;
        rest[best] = -1;
    }
}

/* Dollars in yuan on a day; false: not known for good. */
static bool convert(int64_t day, int64_t cents, int64_t *ret)
{
    int64_t usd = 0;
    int64_t cny = 0;
    bool final = false;
    for (int i = 0; i < RATE_DAYS; i++) {
        if (rate_of_day[i] < 0)
            continue;
        final |= FIRST_RATE_DAY + i > day;
        if (FIRST_RATE_DAY + i > day)
            continue;
        cny = published[rate_of_day[i]].cny;
        usd = published[rate_of_day[i]].usd > 0 ? published[rate_of_day[i]].usd : usd;
    }
    if (!final || usd == 0 || cny == 0)
        return false;
    const wide product = (wide)cents * cny;
    const wide twice = product % usd * 2;
    *ret = (int64_t)(product / usd);
    *ret += twice > usd || (twice == usd && *ret % 2 != 0);
    return true;
}

struct sum {
    char key[256];
    int64_t numbers[ENTRY_NUMBERS];
};
static struct sum sums[ROWS_MAX];
static int sum_count;

static void add_sum(const char *key, const int64_t numbers[ENTRY_NUMBERS])
{
    int i = 0;
    while (i < sum_count && strcmp(sums[i].key, key) != 0)
        i++;
    if (i == sum_count) {
        ck_assert_int_lt(sum_count, ROWS_MAX);
        memset(&sums[i], 0, sizeof sums[i]);
        snprintf(sums[sum_count++].key, sizeof sums[i].key, "%s", key);
    }
    for (int j = 0; j < ENTRY_NUMBERS; j++)
        sums[i].numbers[j] += numbers[j];
}

static int64_t month_start(int64_t day)
{
    /* Months of 2025 up to April, as days since 1970. */
    static const int64_t starts[] = {20058, 20089, 20120, 20148, 20179, 20209};
    int i = 0;
    while (starts[i + 1] <= day)
        i++;
    return starts[i];
}

static void add_line(const struct terms *terms, const char *held, int64_t at, const char *channel,
                     const char *provider, const char *course, const char *currency,
                     const int64_t numbers[ENTRY_NUMBERS], const int64_t *shares)
{
    const int64_t day = (at + terms->hours * INT64_C(3600000000)) / day_us;
    static const char *const grains[] = {"course", "day", "period"};
    for (int grain = 0; grain < 3; grain++) {
        char key[200];
        snprintf(key, sizeof key, "%s|%" PRId64 "|%s|%" PRId64 "|%s|%s|%s|%s|%s|%s",
                 terms->agreement, terms->version, grains[grain],
                 grain == 1 ? day : month_start(day), held, channel, provider,
                 grain == 0 ? course : "", terms == &none ? currency : "CNY", currency);
        add_sum(key, numbers);
        for (int i = 0; shares != NULL && i < terms->count; i++) {
            char share[256];
            const int64_t amount[ENTRY_NUMBERS] = {shares[i]};
            snprintf(share, sizeof share, "%s|%s", key, terms->payees[i]);
            add_sum(share, amount);
        }
    }
}

static int by_time(const void *x, const void *y)
{
    const struct refund *a = x;
    const struct refund *c = y;
    return a->at != c->at ? (a->at < c->at ? -1 : 1) : strcmp(a->event, c->event);
}

static void expect_order(struct order *order)
{
    if (!order->stands)
        return;
    const struct sale *sale = &order->sale;
    int64_t left[LINES_MAX];
    int64_t excess = 0;
    int64_t cut = 0;
    for (int i = 0; i < sale->count; i++)
        left[i] = sale->lines[i].paid;
    qsort(order->refunds, (size_t)order->refund_count, sizeof *order->refunds, by_time);
    for (int r = 0; r < order->refund_count; r++) {
        const struct refund *refund = &order->refunds[r];
        if (!refund->in_force)
            continue;
        int64_t there = 0;
        if (refund->line < 0)
            for (int i = 0; i < sale->count; i++)
                there += left[i];
        else if (refund->line < sale->count)
            there = left[refund->line];
        const int64_t taken = refund->amount < there ? refund->amount : there;
        excess += refund->amount - taken;
        cut += taken < refund->amount;
        if (taken == 0)
            continue;
        int64_t parts[LINES_MAX] = {0};
        if (refund->line < 0)
            split(taken, left, sale->count, parts);
        else
            parts[refund->line] = taken;
        for (int i = 0; i < sale->count; i++)
            left[i] -= parts[i];
    }
    bool one_provider = true;
    for (int i = 0; i < sale->count; i++) {
        const struct line *line = &sale->lines[i];
        one_provider &= strcmp(line->provider, sale->lines[0].provider) == 0;
        int64_t net = left[i];
        int64_t numbers[ENTRY_NUMBERS] = {1, line->quantity, line->paid, line->paid - left[i]};
        const struct terms *terms = winner(order->channel, line, sale->at);
        if (strcmp(line->course, "课3") == 0) {
            add_line(&none, "unmatched", sale->at, order->channel, line->provider, line->course,
                     sale->currency, numbers, NULL);
        } else if (terms == &none) {
            add_line(&none, "unassigned", sale->at, order->channel, line->provider, line->course,
                     sale->currency, numbers, NULL);
        } else if (strcmp(sale->currency, "CNY") != 0 &&
                   !convert((sale->at + terms->hours * INT64_C(3600000000)) / day_us, left[i],
                            &net)) {
            add_line(terms, "no_rate", sale->at, order->channel, line->provider, line->course,
                     sale->currency, numbers, NULL);
        } else {
            int64_t shares[3];
            numbers[ENTRY_NET_SALE] = left[i];
            numbers[ENTRY_NET] = numbers[ENTRY_BASE] = net;
            /* A line that was paid for counts until nothing of that is left. */
            numbers[ENTRY_LINES_QUALIFIED] = left[i] > 0 || line->paid == 0;
            numbers[ENTRY_UNITS_QUALIFIED] = numbers[ENTRY_LINES_QUALIFIED] * line->quantity;
            split(net, terms->ppm, terms->count, shares);
            add_line(terms, "", sale->at, order->channel, line->provider, line->course,
                     sale->currency, numbers, shares);
        }
    }
    if (cut > 0) {
        const int64_t numbers[ENTRY_NUMBERS] = {cut, 0, 0, excess};
        add_line(&none, "excess_refund", sale->at, order->channel,
                 one_provider ? sale->lines[0].provider : "", "", sale->currency, numbers, NULL);
    }
}

/* ---- both as text ---- */

struct dump {
    const char *lines[ROWS_MAX];
    int count;
};

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static void add_dump(struct dump *dump, const char *key, const int64_t *numbers)
{
    bool zero = true;
    const char *text = key;
    for (int i = 0; i < ENTRY_NUMBERS; i++) {
        zero &= numbers[i] == 0;
        text = books_text(&b, "%s %" PRId64, text, numbers[i]);
    }
    if (!zero)
        dump->lines[dump->count++] = text;
}

static void dump_expected(struct dump *dump)
{
    sum_count = 0;
    dump->count = 0;
    for (int i = 0; i < ORDERS; i++)
        expect_order(&orders[i]);
    for (int i = 0; i < sum_count; i++)
        add_dump(dump, sums[i].key, sums[i].numbers);
    qsort(dump->lines, (size_t)dump->count, sizeof *dump->lines, by_text);
}

DB_SQL(all_rollups,
       "SELECT agreement, version, grain, day, held, channel, provider, course_id, "
       "currency, sale_currency, '', " ENTRY_NUMBER_COLUMNS " FROM rollup WHERE staged = 0");
DB_SQL(all_shares, "SELECT agreement, version, grain, day, held, channel, provider, course_id, "
                   "currency, sale_currency, payee, amount FROM rollup_share WHERE staged = 0");

struct dumping {
    struct dump *dump;
    unsigned numbers;
};

static enum accord_error dump_row(void *context, size_t param_row, const struct db_row *row)
{
    const struct dumping *dumping = context;
    (void)param_row;
    const char *key = "";
    for (unsigned i = 0; i < 11; i++) {
        const struct slice text = i == 1 || i == 3 ? (struct slice){"", 0} : db_get_text(row, i);
        const char *bar = i == 0 || (i == 10 && text.len == 0) ? "" : "|";
        key = i == 1 || i == 3 ? books_text(&b, "%s|%" PRId64, key, db_get_int(row, i))
                               : books_text(&b, "%s%s%.*s", key, bar, (int)text.len, text.data);
    }
    int64_t numbers[ENTRY_NUMBERS] = {0};
    for (unsigned i = 0; i < dumping->numbers; i++)
        numbers[i] = db_get_int(row, 11 + i);
    add_dump(dumping->dump, key, numbers);
    return ACCORD_OK;
}

static void dump_actual(struct dump *dump)
{
    dump->count = 0;
    struct dumping dumping = {dump, ENTRY_NUMBERS};
    ck_assert_int_eq(db_query(b.db, &all_rollups, NULL, 0, 1, dump_row, &dumping), ACCORD_OK);
    dumping.numbers = 1;
    ck_assert_int_eq(db_query(b.db, &all_shares, NULL, 0, 1, dump_row, &dumping), ACCORD_OK);
    qsort(dump->lines, (size_t)dump->count, sizeof *dump->lines, by_text);
}

/* ---- applying it ---- */

/* A random order in which everything comes behind what it needs. */
static void shuffle(int *places)
{
    bool done[OPS_MAX] = {false};
    for (int n = 0; n < op_count;) {
        const int i = (int)random_below(&rnd, op_count);
        if (done[i] || (ops[i].after >= 0 && !done[ops[i].after]))
            continue;
        done[i] = true;
        places[n++] = i;
    }
}

static void apply_facts(const int *places, int count)
{
    /* Neighbours of one partner make a batch; all batches go into one transaction, which may be
     * rolled back and run again. */
    struct fact_batch *batches[64];
    size_t batch_count = 0;
    for (int i = 0; i < count;) {
        const char *partner = ops[places[i]].partner;
        const char *text = "";
        const bool array = random_below(&rnd, 2) == 0;
        int in_batch = 0;
        for (; i < count && in_batch < 5 && strcmp(ops[places[i]].partner, partner) == 0;
             i++, in_batch++)
            text = books_text(&b, "%s%s%s", text,
                              in_batch == 0 ? ""
                              : array       ? ","
                                            : "\n",
                              ops[places[i]].text);
        batches[batch_count++] =
            books_decode(&b, partner, array ? books_text(&b, "[%s]", text) : text);
    }
    for (int again = random_below(&rnd, 5) == 0 ? 1 : 0; again >= 0; again--) {
        books_begin(&b);
        const enum accord_error error = facts_write(b.tx, batches, batch_count);
        ck_assert_msg(error == ACCORD_OK, "%s (%s)", accord_error_code(error), db_message(b.db));
        if (again > 0)
            books_roll_back(&b);
        else
            books_commit(&b);
    }
    for (size_t i = 0; i < batch_count; i++)
        for (size_t j = 0; j < batches[i]->count; j++) {
            const struct fact *fact = &batches[i]->facts[j];
            ck_assert_msg(fact->status == FACT_ACCEPTED || fact->status == FACT_DUPLICATE,
                          "%s: %s %s %s", fact->event_id, accord_error_code(fact->code),
                          fact->code_pointer, fact->message == NULL ? "" : fact->message);
        }
}

static void apply_rates(int index)
{
    char usd[32];
    char cny[32];
    struct rate_row rows[2] = {{.currency = {"CNY"}, .rate = cny},
                               {.currency = {"USD"}, .rate = usd}};
    struct rates_given given = {.day = published[index].day,
                                .rates = rows,
                                .count = published[index].usd > 0 ? 2 : 1,
                                .reason = "typo"};
    snprintf(cny, sizeof cny, "%" PRId64 ".%04" PRId64, published[index].cny / 10000,
             published[index].cny % 10000);
    snprintf(usd, sizeof usd, "%" PRId64 ".%04" PRId64, published[index].usd / 10000,
             published[index].usd % 10000);
    books_begin(&b);
    ck_assert_int_eq(ingest_rates_put(b.tx, &given, 1, "op"), ACCORD_OK);
    books_commit(&b);
}

static void apply(void)
{
    int places[OPS_MAX];
    shuffle(places);
    for (int i = 0; i < op_count;) {
        const struct op *op = &ops[places[i]];
        int end = i;
        if (op->kind == OP_COURSE) {
            books_course(&b, op->partner, op->text);
            end++;
        } else if (op->kind == OP_AGREEMENT) {
            books_agreement(&b, op->partner, op->version, op->text);
            end++;
        } else if (op->kind == OP_RATES) {
            apply_rates((int)op->version);
            end++;
        } else {
            const int most = i + 1 + (int)random_below(&rnd, 30);
            while (end < op_count && end < most && ops[places[end]].kind == OP_FACT)
                end++;
            apply_facts(&places[i], end - i);
            if (random_below(&rnd, 4) == 0) /* some of it comes twice */
                apply_facts(&places[i], 1);
        }
        i = end;
        if (random_below(&rnd, 12) == 0)
            books_verify(&b);
    }
}

static struct dump expected;
static struct dump actual;

START_TEST(test_any_order_gives_the_same)
{
    books_open(&b);
    make_world((uint64_t)_i / 3 + 1);
    dump_expected(&expected);
    rnd = (uint64_t)_i + 1000;
    apply();
    dump_actual(&actual);
    for (int i = 0; i < expected.count && i < actual.count; i++)
        ck_assert_str_eq(actual.lines[i], expected.lines[i]);
    ck_assert_int_eq(actual.count, expected.count);
    ck_assert_int_gt(expected.count, 100);
    books_verify(&b);
    books_close(&b);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("arrival");
    TCase *tc = tcase_create("arrival");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, test_any_order_gives_the_same, 0, 12);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
