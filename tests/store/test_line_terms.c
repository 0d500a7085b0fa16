/* Terms of a line in the books: refunds in the period in which they occur, CPA that lapses, fees
 * that one party bears. Entries and statements, in whatever order facts arrive. */
#include "closing.h"

enum { ORDERS = 25, OPS_MAX = 200, DUMP_MAX = 1 << 16 };

static struct books b;

#define HEAD                                                                                       \
    "{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"providers\":[\"p1\"],\"channels\":[\"c1\"]},"       \
    "\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\","                 \
    "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},"
#define SHARES                                                                                     \
    "{\"kind\":\"share\",\"payee\":\"p1\",\"share_ppm\":600000},"                                  \
    "{\"kind\":\"residual\",\"payee\":\"c1\"}]}"

static const char in_period[] = HEAD "\"refund\":{\"basis\":\"in_period\"},\"terms\":[" SHARES;
static const char everything[] =
    HEAD "\"refund\":{\"basis\":\"in_period\",\"fee_borne_by\":\"c1\"},\"qualify_days\":14,"
         "\"base\":{\"payment_fee\":{\"deduct\":true,\"rate_ppm\":6000,\"of\":\"gross\","
         "\"fixed_minor\":10},\"admin_fee\":{\"deduct\":true,\"rate_ppm\":30000,"
         "\"of\":\"running\"}},\"terms\":[{\"kind\":\"cpa\",\"payee\":\"p1\","
         "\"amount_minor\":50,\"per\":\"unit\"}," SHARES;

static void setup(void)
{
    books_open(&b);
    books_course(&b, "p1", "python");
}

static void teardown(void)
{
    books_verify(&b);
    books_close(&b);
}

static const char *sale_text(int order, const char *event, const char *more, int64_t at,
                             int64_t quantity, int64_t paid)
{
    char when[CLOCK_TEXT_MAX];
    clock_format(at, when);
    return books_text(&b,
                      "{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\",%s"
                      "\"order_id\":\"o%d\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\","
                      "\"provider\":\"p1\",\"course_id\":\"python\",\"quantity\":%" PRId64
                      ",\"paid\":%" PRId64 "},{\"line_id\":\"2\",\"provider\":\"p1\","
                      "\"course_id\":\"python\",\"quantity\":1,\"paid\":%" PRId64 "}]}",
                      event, when, more, order, quantity, paid, paid / 3);
}

static const char *refund_text(int order, const char *event, int64_t at, int64_t amount)
{
    char when[CLOCK_TEXT_MAX];
    clock_format(at, when);
    return books_text(&b,
                      "{\"event_id\":\"%s\",\"type\":\"order.refunded\",\"occurred_at\":\"%s\","
                      "\"order_id\":\"o%d\",\"refund_id\":\"%s\",\"amount\":%" PRId64 "}",
                      event, when, order, event, amount);
}

static instant_us at(const char *text)
{
    instant_us ret;
    ck_assert_int_eq(clock_parse(slice_of(text), &ret), ACCORD_OK);
    return ret;
}

#define MONTH(number, first_day)                                                                   \
    NUMBER(&b, "SELECT SUM(" number ") FROM rollup WHERE grain = 'period' AND day = " first_day)
#define EARNED(payee, first_day)                                                                   \
    NUMBER(&b, "SELECT SUM(amount) FROM rollup_share WHERE grain = 'period' AND payee = '" payee   \
               "' AND day = " first_day)
#define JANUARY "20089"
#define FEBRUARY "20120"
#define MARCH "20148"

/* Sold for 90.00 and 30.00 in January, 40.00 back when it is February in Shanghai: a line of
 * February's statement, no difference, whether January is closed or not. */
START_TEST(test_in_period)
{
    books_agreement(&b, "a", 1, in_period);
    books_accept(&b, "c1", sale_text(1, "e1", "", at("2025-01-10T10:00:00Z"), 2, 9000));
    if (_i == 0)
        closing_do(&b, "a", "2025-01");
    books_accept(&b, "c1", refund_text(1, "r1", at("2025-01-31T16:00:00Z"), 4000));
    if (_i == 1)
        closing_do(&b, "a", "2025-01");
    ck_assert_int_eq(MONTH("net", JANUARY), 12000);
    ck_assert_int_eq(MONTH("net", FEBRUARY), -4000);
    ck_assert_int_eq(MONTH("line_count", FEBRUARY), 0);
    ck_assert_int_eq(MONTH("refunded", FEBRUARY), 4000);
    ck_assert_int_eq(MONTH("lines_qualified", FEBRUARY), 0);
    ck_assert_int_eq(EARNED("p1", JANUARY), 7200);
    ck_assert_int_eq(EARNED("p1", FEBRUARY), -2400);
    /* The rest in March: now the lines count no longer, and that is March's. */
    books_accept(&b, "c1", refund_text(1, "r2", at("2025-03-05T10:00:00Z"), 8000));
    ck_assert_int_eq(MONTH("lines_qualified", JANUARY), 2);
    ck_assert_int_eq(MONTH("units_qualified", MARCH), -3);
    const struct close_result february = closing_do(&b, "a", "2025-02");
    const struct statement_row *p1 = closing_of(&february, "p1");
    closing_says(p1, "\"differences\":[]");
    ck_assert_int_eq(p1->earned, -2400);
    ck_assert_int_eq(p1->closing, 4800);
    const struct close_result march = closing_do(&b, "a", "2025-03");
    ck_assert_int_eq(closing_of(&march, "p1")->closing, 0);
    ck_assert_int_eq(closing_of(&march, "c1")->closing, 0);
}
END_TEST

/* CPA of 0.50 a unit stays when all of it comes back after its 14 days; the channel bears the
 * fees. */
START_TEST(test_cpa_and_kept_fees)
{
    books_agreement(&b, "a", 1, everything);
    books_accept(&b, "c1", sale_text(1, "e1", "", at("2025-01-10T10:00:00Z"), 2, 9000));
    /* Of 9000: 54 + 10, 3 % of 8936 = 268; of 3000: 18 + 10, 89. CPA 100 and 50. */
    ck_assert_int_eq(MONTH("payment_fee", JANUARY), 92);
    ck_assert_int_eq(MONTH("admin_fee", JANUARY), 357);
    ck_assert_int_eq(MONTH("net", JANUARY), 11551);
    ck_assert_int_eq(MONTH("base", JANUARY), 11401);
    ck_assert_int_eq(EARNED("p1", JANUARY), 150 + 5141 + 1700); /* of 8568 and 2833 */
    books_accept(&b, "c1", refund_text(1, "r1", at("2025-02-24T10:00:00Z"), 12000));
    ck_assert_int_eq(MONTH("net", FEBRUARY), -12000);
    ck_assert_int_eq(MONTH("lines_qualified", FEBRUARY), 0);
    /* What stands: CPA of 150 out of nothing, shared 60 to 40, and all fees on the channel. */
    ck_assert_int_eq(EARNED("p1", JANUARY) + EARNED("p1", FEBRUARY), 150 - 60 - 30);
    ck_assert_int_eq(EARNED("c1", JANUARY) + EARNED("c1", FEBRUARY), -40 - 20 - 92 - 357);
    /* Refunded in time instead: nothing but the fees is left. */
    books_accept(&b, "c1",
                 books_text(&b, "{\"event_id\":\"v1\",\"type\":\"void\",\"supersedes\":"
                                "\"r1\",\"occurred_at\":\"2025-02-25T10:00:00Z\"}"));
    books_accept(&b, "c1", refund_text(1, "r2", at("2025-01-24T10:00:00Z"), 12000));
    ck_assert_int_eq(MONTH("lines_qualified", JANUARY), 0);
    ck_assert_int_eq(EARNED("p1", JANUARY), 0);
    ck_assert_int_eq(EARNED("c1", JANUARY), -449);
    ck_assert_int_eq(EARNED("p1", FEBRUARY), 0);
    ck_assert_int_eq(EARNED("c1", FEBRUARY), 0);
}
END_TEST

/* ---- order of arrival ---- */

struct op {
    const char *text;
    int after; /* -1: nothing */
};

static struct op ops[OPS_MAX];
static int op_count;

static int add_op(const char *text, int after)
{
    ck_assert_int_lt(op_count, OPS_MAX);
    ops[op_count] = (struct op){text, after};
    return op_count++;
}

static void random_world(uint64_t *rnd)
{
    const int64_t from = at("2025-01-01T00:00:00+08:00");
    op_count = 0;
    for (int order = 0; order < ORDERS; order++) {
        const int64_t sold = from + random_below(rnd, 1200) * CLOCK_DAY_US / 24;
        const int64_t paid = 100 + random_below(rnd, 20000);
        const int sale = add_op(sale_text(order, books_text(&b, "e%d", order), "", sold,
                                          1 + random_below(rnd, 3), paid),
                                -1);
        for (int64_t i = random_below(rnd, 4); i > 0; i--) {
            const char *event = books_text(&b, "r%d-%d", order, (int)i);
            const int64_t when = sold + random_below(rnd, 900) * CLOCK_DAY_US / 24;
            add_op(refund_text(order, event, when, random_below(rnd, paid) + 1), -1);
        }
        if (random_below(rnd, 4) == 0)
            add_op(sale_text(order, books_text(&b, "s%d", order),
                             books_text(&b, "\"supersedes\":\"e%d\",", order),
                             sold + random_below(rnd, 3) * CLOCK_DAY_US, 1, paid / 2 + 50),
                   sale);
    }
}

/* Applies all in random order, batched at random, what must come after something behind it. */
static void apply(uint64_t *rnd)
{
    bool done[OPS_MAX] = {false};
    for (int left = op_count; left > 0;) {
        const char *batch = "";
        for (int64_t size = 1 + random_below(rnd, 6); size > 0 && left > 0; size--) {
            int i = (int)random_below(rnd, op_count);
            while (done[i] || (ops[i].after >= 0 && !done[ops[i].after]))
                i = (i + 1) % op_count;
            done[i] = true;
            left--;
            batch = books_text(&b, "%s%s%s", batch, *batch == '\0' ? "" : ",", ops[i].text);
        }
        const struct fact_batch *posted = books_post(&b, "c1", books_text(&b, "[%s]", batch));
        for (size_t i = 0; i < posted->count; i++)
            ck_assert_int_eq(posted->facts[i].status, FACT_ACCEPTED);
    }
}

DB_SQL(sql_dump, "SELECT agreement, day, held, " ENTRY_NUMBER_COLUMNS " FROM rollup "
                 "WHERE grain = 'day' AND staged = 0 ORDER BY agreement, day, held");
DB_SQL(sql_dump_shares, "SELECT payee, day, held, amount FROM rollup_share WHERE grain = 'day' "
                        "AND staged = 0 ORDER BY day, payee, held");

struct dump {
    char text[DUMP_MAX];
    size_t length;
    unsigned numbers;
};

static enum accord_error take_row(void *context, size_t param_row, const struct db_row *row)
{
    struct dump *dump = context;
    (void)param_row;
    bool zero = true;
    for (unsigned i = 0; i < dump->numbers; i++)
        zero = zero && db_get_int(row, 3 + i) == 0;
    if (zero)
        return ACCORD_OK;
    const char *line = books_text(&b, "%.*s %" PRId64 " %.*s", (int)db_get_text(row, 0).len,
                                  db_get_text(row, 0).data, db_get_int(row, 1),
                                  (int)db_get_text(row, 2).len, db_get_text(row, 2).data);
    for (unsigned i = 0; i < dump->numbers; i++)
        line = books_text(&b, "%s %" PRId64, line, db_get_int(row, 3 + i));
    dump->length +=
        (size_t)snprintf(dump->text + dump->length, DUMP_MAX - dump->length, "%s\n", line);
    ck_assert_uint_lt(dump->length, DUMP_MAX);
    return ACCORD_OK;
}

static void read_dump(struct dump *ret)
{
    ret->length = 0;
    ret->numbers = ENTRY_NUMBERS;
    ck_assert_int_eq(db_query(b.db, &sql_dump, NULL, 0, 1, take_row, ret), ACCORD_OK);
    ret->numbers = 1;
    ck_assert_int_eq(db_query(b.db, &sql_dump_shares, NULL, 0, 1, take_row, ret), ACCORD_OK);
}

START_TEST(test_arrival)
{
    static struct dump first;
    static struct dump again;
    uint64_t world = (uint64_t)_i + 500;
    uint64_t rnd = (uint64_t)_i + 900;
    books_agreement(&b, "a", 1, everything);
    random_world(&world);
    apply(&rnd);
    books_verify(&b);
    read_dump(&first);
    ck_assert_uint_gt(first.length, 1000);
    books_close(&b);

    setup();
    books_agreement(&b, "a", 1, everything);
    world = (uint64_t)_i + 500;
    random_world(&world);
    apply(&rnd);
    read_dump(&again);
    ck_assert_str_eq(first.text, again.text);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("line terms");
    TCase *cases = tcase_create("books");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, test_in_period, 0, 2);
    tcase_add_test(cases, test_cpa_and_kept_fees);
    tcase_add_loop_test(cases, test_arrival, 0, 4);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
