/* Closing periods: what statements say, what closes refuse, and that nothing closed ever changes.
 */
#include "closing.h"

#include "store/postings.h"

static struct books b;

static void setup(void)
{
    books_open(&b);
    books_course(&b, "p1", "python");
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
}

static void teardown(void)
{
    books_close(&b);
}

static void sell(const char *order, const char *at, int64_t paid)
{
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"e-%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                            "\"order_id\":\"%s\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\""
                            ",\"provider\":\"p1\",\"course_id\":\"python\",\"quantity\":1,"
                            "\"paid\":%" PRId64 "}]}",
                            order, at, order, paid));
}

static void refund(const char *order, const char *id, const char *at, int64_t amount)
{
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"r-%s-%s\",\"type\":\"order.refunded\",\"occurred_at\":"
                            "\"%s\",\"order_id\":\"%s\",\"refund_id\":\"%s\",\"amount\":%" PRId64
                            "}",
                            order, id, at, order, id, amount));
}

#define POSTED(partner)                                                                            \
    NUMBER(&b, "SELECT SUM(amount) FROM posting WHERE partner = '" partner                         \
               "' AND account = 'settlement'")

#define TAMPER(text)                                                                               \
    do {                                                                                           \
        static const struct db_sql tamper_sql = {text};                                            \
        ck_assert_int_eq(db_run(b.db, &tamper_sql, NULL, 0, 1, NULL), ACCORD_OK);                  \
    } while (0)

/* ---- labels ---- */

START_TEST(test_labels)
{
    bool quarterly;
    int64_t first;
    char text[PERIOD_LABEL_MAX];
    ck_assert(period_parse(slice_of("2026-01"), &quarterly, &first));
    ck_assert(!quarterly);
    ck_assert_int_eq(first, 20454); /* days from 1970-01-01 to 2026-01-01: 56 · 365 + 14 */
    period_label(false, first, text);
    ck_assert_str_eq(text, "2026-01");
    ck_assert(period_parse(slice_of("2026-Q4"), &quarterly, &first));
    ck_assert(quarterly);
    ck_assert_int_eq(first, 20454 + 273);
    period_label(true, first, text);
    ck_assert_str_eq(text, "2026-Q4");
    ck_assert_int_eq(period_after(true, first), 20454 + 365);
    ck_assert_int_eq(period_after(false, 20454), 20454 + 31);
    ck_assert_int_eq(period_of_day(true, 20454 + 89), 20454);
    ck_assert_int_eq(period_of_day(true, 20454 + 90), 20454 + 90);
    ck_assert_int_eq(period_of_day(false, 20453), 20454 - 31);
    static const char *const wrong[] = {"",        "2026",     "2026-1",  "2026-00", "2026-13",
                                        "2026-Q0", "2026-Q5",  "2026-Qx", "1969-12", "2200-01",
                                        "2026/01", "2026-012", "x026-01"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!period_parse(slice_of(wrong[i]), &quarterly, &first), "%s", wrong[i]);
    ck_assert_int_eq(period_booked(false, 20454, PERIOD_NONE), 20454);
    ck_assert_int_eq(period_booked(false, 20454, 20454), 20485);
    ck_assert_int_eq(period_booked(false, 20454 - 31, 20454), 20485);
    ck_assert_int_eq(period_booked(false, 20485, 20454), 20485);
    struct statement_place place;
    ck_assert(statement_place_of(slice_of("s12.3.0"), &place));
    ck_assert(place.begun && !place.is_window && place.sale_seq == 12 && place.line == 3);
    ck_assert(statement_place_of(slice_of("w7"), &place));
    ck_assert(place.is_window && place.number == 7);
    static const char *const no_line[] = {"",
                                          "s",
                                          "s1",
                                          "s1.2",
                                          "s1.2.",
                                          "s1.2.3x",
                                          "w",
                                          "w1.2",
                                          "x1",
                                          "s01.2.3",
                                          "s99999999999999999999.1.1"};
    for (size_t i = 0; i < sizeof no_line / sizeof *no_line; i++)
        ck_assert_msg(!statement_place_of(slice_of(no_line[i]), &place), "%s", no_line[i]);
}
END_TEST

/* ---- one month ---- */

START_TEST(test_month)
{
    sell("o1", "2025-01-10T10:00:00+08:00", 10000);
    sell("o2", "2025-01-31T23:59:59+08:00", 101);
    sell("o3", "2025-02-01T00:00:00+08:00", 500);
    const struct close_result draft = closing_draft(&b, "a", "2025-01");
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM statement"), 0);
    const struct close_result closed = closing_do(&b, "a", "2025-01");
    ck_assert_uint_eq(closed.count, 2);
    ck_assert_uint_eq(draft.count, 2);
    for (size_t i = 0; i < closed.count; i++) {
        ck_assert_str_eq(draft.statements[i].id, closed.statements[i].id);
        ck_assert(slice_equal(draft.statements[i].body, closed.statements[i].body));
        const struct hash hash = hash_of(closed.statements[i].body);
        ck_assert(hash_equal(&hash, &closed.statements[i].hash));
    }
    /* 60 % of 10000 and of 101 (60.6 becomes 61). The channel holds 10101 and keeps 4040. */
    const struct statement_row *p1 = closing_of(&closed, "p1");
    ck_assert_int_eq(p1->opening, 0);
    ck_assert_int_eq(p1->earned, 6061);
    ck_assert_int_eq(p1->closing, 6061);
    ck_assert_int_eq(p1->due, 6061);
    ck_assert_int_eq(p1->payable, 6061);
    ck_assert_str_eq(p1->previous, "");
    closing_says(p1, "\"lines\":{\"count\":2,\"earned\":6061,\"kinds\":[{\"count\":2,"
                     "\"earned\":6061,\"kind\":\"sale\",\"position\":6061}],\"position\":6061}");
    closing_says(p1, "\"from\":\"2024-12-31T16:00:00Z\"");
    closing_says(p1, "\"to\":\"2025-01-31T16:00:00Z\"");
    closing_says(p1, "\"differences\":[]");
    closing_says(p1, "\"previous\":null");
    closing_says(p1, "\"settles_with\":[{\"amount\":6061,\"partner\":\"op\"}]");
    const struct statement_row *c1 = closing_of(&closed, "c1");
    ck_assert_int_eq(c1->earned, 4040);
    ck_assert_int_eq(c1->closing, -6061);
    ck_assert_int_eq(c1->due, -6061);
    ck_assert_int_eq(c1->payable, -6061);
    closing_says(c1, "\"collector\":\"c1\"");
    const char *lines = closing_lines(&b, c1);
    ck_assert_ptr_nonnull(strstr(lines, "\"earned\":4000,\"gross\":10000,\"kind\":\"sale\""));
    ck_assert_ptr_nonnull(strstr(lines, "\"payees\":[{\"amount\":4000,\"payee\":\"c1\"},"
                                        "{\"amount\":6000,\"payee\":\"p1\"}]"));
    ck_assert_ptr_nonnull(strstr(lines, "\"position\":-6000,"));
    ck_assert_ptr_null(strstr(lines, "o3"));
    ck_assert_int_eq(POSTED("p1"), 6061);
    ck_assert_int_eq(POSTED("c1"), -6061);
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM statement_state WHERE state = 'published'"),
                     2);
    books_verify(&b);
}
END_TEST

/* A refund of what is closed is a difference of the next statement that names its period. */
START_TEST(test_late_refund)
{
    sell("o1", "2025-01-10T10:00:00+08:00", 10000);
    const struct close_result january = closing_do(&b, "a", "2025-01");
    refund("o1", "r1", "2025-02-10T10:00:00+08:00", 5000);
    sell("o2", "2025-02-11T10:00:00+08:00", 200);
    sell("o3", "2025-01-20T10:00:00+08:00", 1000); /* back-dated */
    const struct close_result february = closing_do(&b, "a", "2025-02");
    const struct statement_row *p1 = closing_of(&february, "p1");
    ck_assert_int_eq(p1->opening, 6000);
    ck_assert_int_eq(p1->earned, 120 - 3000 + 600);
    ck_assert_int_eq(p1->closing, 6000 - 2280);
    ck_assert_str_eq(p1->previous, closing_of(&january, "p1")->id);
    closing_says(p1, "\"differences\":[{\"count\":2,\"earned\":-2400,\"period\":\"2025-01\","
                     "\"position\":-2400}]");
    closing_says(p1, "\"lines\":{\"count\":1,\"earned\":120,");
    const char *lines = closing_lines(&b, p1);
    ck_assert_ptr_nonnull(strstr(lines, "{\"adjusts\":\"2025-01\",\"admin_fee\":0,"));
    ck_assert_ptr_nonnull(strstr(lines, "\"refunded\":5000"));
    struct arena *arena = b.arena;
    bool found;
    struct statement_row stands;
    ck_assert_int_eq(
        store_statement_find(b.db, arena, closing_of(&january, "p1")->id, &found, &stands),
        ACCORD_OK);
    ck_assert(found && slice_equal(stands.body, closing_of(&january, "p1")->body));
    ck_assert_str_eq(stands.state, "published");
    closing_lines(&b, &stands);
    books_verify(&b);
}
END_TEST

START_TEST(test_refusals)
{
    char label[PERIOD_LABEL_MAX];
    const int64_t month = period_of_day(false, clock_now_us() / CLOCK_DAY_US);
    period_label(false, month, label);
    closing_refuse(&b, "nobody", "2025-01", ACCORD_E_NOT_FOUND);
    closing_refuse(&b, "a", "2025-Q1", ACCORD_E_NOT_FOUND);
    closing_refuse(&b, "a", "2025-1", ACCORD_E_NOT_FOUND);
    closing_refuse(&b, "a", "2024-12", ACCORD_E_NOT_FOUND);
    closing_refuse(&b, "a", "2025-02", ACCORD_E_PERIOD_NOT_OLDEST);
    closing_refuse(&b, "a", label, ACCORD_E_PERIOD_NOT_OVER);
    closing_refuse(&b, "a", "2199-12", ACCORD_E_PERIOD_NOT_OVER);
    const char **ids;
    size_t count;
    ck_assert_int_eq(close_candidates(b.db, b.arena, "2025-01", &ids, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(ids[0], "a");
    closing_do(&b, "a", "2025-01");
    ck_assert_int_eq(close_candidates(b.db, b.arena, "2025-01", &ids, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 0);
    closing_refuse(&b, "a", "2025-01", ACCORD_E_PERIOD_CLOSED);
    closing_refuse(&b, "a", "2024-12", ACCORD_E_NOT_FOUND);
    closing_refuse(&b, "a", "2025-03", ACCORD_E_PERIOD_NOT_OLDEST);
    TAMPER("UPDATE resettle_head SET staging = 1");
    closing_refuse(&b, "a", "2025-02", ACCORD_E_RESETTLEMENT_PENDING);
    TAMPER("UPDATE resettle_head SET staging = 0");
    closing_do(&b, "a", "2025-02");
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM period"), 2);
    books_verify(&b);
}
END_TEST

/* An agreement that has ended has periods as long as something is booked in them. */
START_TEST(test_after_the_end)
{
    books_agreement(
        &b, "z", 1,
        "{\"parties\":[\"p2\",\"c2\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":[\"c2\"]},"
        "\"effective\":{\"from\":\"2025-01-01T00:00:00Z\",\"to\":\"2025-02-01T00:00:00Z\"},"
        "\"currency\":\"CNY\",\"terms\":[{\"kind\":\"share\",\"payee\":\"p2\",\"share_ppm\":500000}"
        ",{\"kind\":\"residual\",\"payee\":\"c2\"}]}");
    books_course(&b, "p2", "go");
    closing_do(&b, "z", "2025-01");
    closing_refuse(&b, "z", "2025-02", ACCORD_E_NOT_FOUND);
    books_accept(&b, "c2",
                 "{\"event_id\":\"e1\",\"type\":\"order.paid\",\"occurred_at\":"
                 "\"2025-01-10T10:00:00Z\",\"order_id\":\"o1\",\"currency\":\"CNY\",\"lines\":[{"
                 "\"line_id\":\"1\",\"provider\":\"p2\",\"course_id\":\"go\",\"quantity\":1,"
                 "\"paid\":300}]}");
    const struct close_result late = closing_do(&b, "z", "2025-02");
    ck_assert_int_eq(closing_of(&late, "p2")->closing, 150);
    closing_says(closing_of(&late, "p2"), "\"differences\":[{\"count\":1,\"earned\":150,");
    closing_refuse(&b, "z", "2025-03", ACCORD_E_NOT_FOUND);
    books_verify(&b);
}
END_TEST

/* What verify finds when somebody has changed what is published. */
static int found_differences;
static char found_text[4096];

static void note_difference(void *context, const char *table, const char *what)
{
    (void)context;
    found_differences++;
    const size_t len = strlen(found_text);
    snprintf(found_text + len, sizeof found_text - len, "%s: %s\n", table, what);
}

static void expect_difference(const char *text)
{
    struct verify_summary summary;
    found_differences = 0;
    found_text[0] = '\0';
    ck_assert_int_eq(ingest_verify(b.db, note_difference, NULL, &summary), ACCORD_OK);
    ck_assert_msg(found_differences > 0, "verify does not see: %s", text);
    ck_assert_msg(strstr(found_text, text) != NULL, "%s is not in %s", text, found_text);
}

START_TEST(test_verify)
{
    sell("o1", "2025-01-10T10:00:00+08:00", 10000);
    closing_do(&b, "a", "2025-01");
    refund("o1", "r1", "2025-02-10T10:00:00+08:00", 5000);
    closing_do(&b, "a", "2025-02");
    books_verify(&b);
    TAMPER("UPDATE entry SET booked = booked - 31 WHERE booked = 20120");
    expect_difference("booked");
    TAMPER("UPDATE entry SET booked = 20120 WHERE number = 1");
    TAMPER("UPDATE entry SET booked = 20089 WHERE number = 0");
    books_verify(&b);
    TAMPER("UPDATE statement SET body = body || ' ' WHERE partner = 'p1' AND day = 20089");
    expect_difference("hash");
    TAMPER("UPDATE statement SET body = TRIM(body)");
    books_verify(&b);
    TAMPER("UPDATE statement SET previous = '' WHERE partner = 'p1' AND day = 20120");
    expect_difference("previous");
    TAMPER("UPDATE statement SET previous = (SELECT id FROM statement WHERE partner = 'p1' AND "
           "day = 20089) WHERE partner = 'p1' AND day = 20120");
    books_verify(&b);
    TAMPER("UPDATE statement_input SET body = CAST(body || body AS BLOB)");
    expect_difference("inputs");
    TAMPER("UPDATE posting SET amount = amount + 1 WHERE number = 0");
    expect_difference("posting");
}
END_TEST

/* ---- beside the lines ---- */

START_TEST(test_adjustments)
{
    sell("o1", "2025-01-10T10:00:00+08:00", 10000);
    books_accept(&b, "op",
                 "{\"event_id\":\"j\",\"type\":\"adjustment\",\"occurred_at\":"
                 "\"2025-01-11T10:00:00Z\",\"adjustment_id\":\"j1\",\"agreement\":\"a\",\"payee\":"
                 "\"p1\",\"funded_by\":\"c1\",\"currency\":\"CNY\",\"amount\":500,\"reason\":"
                 "\"goodwill\",\"of_period\":\"2024-12\"}");
    const struct close_result january = closing_do(&b, "a", "2025-01");
    ck_assert_int_eq(closing_of(&january, "p1")->earned, 6000);
    ck_assert_int_eq(closing_of(&january, "p1")->closing, 6500);
    ck_assert_int_eq(closing_of(&january, "c1")->closing, -6500);
    closing_says(closing_of(&january, "p1"),
                 "\"adjustments\":[{\"adjustment\":\"j1\",\"amount\":500,\"funded_by\":\"c1\","
                 "\"of_period\":\"2024-12\",\"payee\":\"p1\",\"position\":500,\"reason\":"
                 "\"goodwill\"}]");
    closing_says(closing_of(&january, "c1"), "\"position\":-500,\"reason\":\"goodwill\"");
    books_accept(&b, "op",
                 "{\"event_id\":\"v\",\"type\":\"void\",\"occurred_at\":\"2025-02-11T10:00:00Z\","
                 "\"supersedes\":\"j\"}");
    const struct close_result february = closing_do(&b, "a", "2025-02");
    ck_assert_int_eq(closing_of(&february, "p1")->closing, 6000);
    closing_says(closing_of(&february, "p1"), "\"amount\":-500,");
    const struct close_result march = closing_do(&b, "a", "2025-03");
    closing_says(closing_of(&march, "p1"), "\"adjustments\":[]");
    ck_assert_int_eq(POSTED("p1"), 6000);
    books_verify(&b);
}
END_TEST

START_TEST(test_payments)
{
    int64_t seq;
    sell("o1", "2025-01-10T10:00:00+08:00", 10000);
    closing_do(&b, "a", "2025-01");
    books_begin(&b);
    ck_assert_int_eq(ingest_seq(b.tx, 1, &seq), ACCORD_OK);
    const struct posting_row rows[] = {
        {seq, 0, "payment", "c1", POSTING_SETTLEMENT, "a", "CNY", 6000, "op/y1", 1},
        {seq, 1, "payment", "p1", POSTING_SETTLEMENT, "a", "CNY", -6000, "op/y1", 1}};
    ck_assert_int_eq(store_postings_insert(b.db, rows, 2), ACCORD_OK);
    books_commit(&b);
    const struct close_result february = closing_do(&b, "a", "2025-02");
    const struct statement_row *p1 = closing_of(&february, "p1");
    ck_assert_int_eq(p1->opening, 6000);
    ck_assert_int_eq(p1->closing, 0);
    closing_says(p1, "\"payments\":[{\"amount\":-6000,\"payment\":\"op/y1\"}]");
    ck_assert_int_eq(closing_of(&february, "c1")->closing, 0);
    const struct close_result march = closing_do(&b, "a", "2025-03");
    closing_says(closing_of(&march, "p1"), "\"payments\":[]");
    books_verify(&b);
}
END_TEST

#define P2_C1(more, terms)                                                                         \
    "{\"parties\":[\"p2\",\"c1\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":[\"c1\"]},"       \
    "\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},\"currency\":\"CNY\"," more                 \
    "\"terms\":[" terms ",{\"kind\":\"residual\",\"payee\":\"c1\"}]}"

static void sell_p2(const char *order, const char *at, int64_t paid)
{
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"e-%s\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                            "\"order_id\":\"%s\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\""
                            ",\"provider\":\"p2\",\"course_id\":\"go\",\"quantity\":1,"
                            "\"paid\":%" PRId64 "}]}",
                            order, at, order, paid));
}

START_TEST(test_due)
{
    books_course(&b, "p2", "go");
    books_agreement(&b, "z", 1,
                    P2_C1("\"hold_days\":10,\"reserve\":{\"ppm\":100000,\"periods\":2},"
                          "\"min_payout_minor\":5000,",
                          "{\"kind\":\"share\",\"payee\":\"p2\",\"share_ppm\":600000},"
                          "{\"kind\":\"withholding\",\"payee\":\"p2\",\"rate_ppm\":200000}"));
    sell_p2("o1", "2025-01-10T10:00:00Z", 10000);
    sell_p2("o2", "2025-01-25T10:00:00Z", 1000);
    /* 6600 earned, a fifth withheld; 600 are younger than ten days; a tenth is kept. */
    const struct close_result january = closing_do(&b, "z", "2025-01");
    const struct statement_row *row = closing_of(&january, "p2");
    ck_assert_int_eq(row->closing, 5280);
    closing_says(row, "\"withholding\":{\"amount\":1320,\"base\":6600,\"term\":1}");
    closing_says(row, "\"pending\":600,");
    closing_says(row, "\"reserve\":660,");
    ck_assert_int_eq(row->due, 4020);
    ck_assert_int_eq(row->payable, 0);
    ck_assert_int_eq(closing_of(&january, "c1")->due, -6600);
    ck_assert_int_eq(NUMBER(&b, "SELECT SUM(amount) FROM posting WHERE account = 'tax_withheld'"),
                     1320);
    sell_p2("o3", "2025-02-05T10:00:00Z", 20000);
    const struct close_result february = closing_do(&b, "z", "2025-02");
    row = closing_of(&february, "p2");
    ck_assert_int_eq(row->closing, 5280 + 12000 - 2400);
    ck_assert_int_eq(row->due, 14880 - 1200 - 660);
    ck_assert_int_eq(row->payable, 13020);
    /* January's reserve is free again. A loss is not taxed, nor does it reserve. */
    books_accept(
        &b, "c1",
        "{\"event_id\":\"r\",\"type\":\"order.refunded\",\"occurred_at\":"
        "\"2025-03-10T10:00:00Z\",\"order_id\":\"o1\",\"refund_id\":\"r\",\"amount\":100}");
    const struct close_result march = closing_do(&b, "z", "2025-03");
    row = closing_of(&march, "p2");
    ck_assert_int_eq(row->closing, 14880 - 60);
    ck_assert_int_eq(row->due, 14820 - 1200);
    closing_says(row, "\"withholding\":{\"amount\":0,\"base\":0,\"term\":1}");
    books_verify(&b);
}
END_TEST

/* 20 % of a year's net up to 10000, 30 % above; the residual is settled with it. */
START_TEST(test_windows)
{
    books_course(&b, "p2", "go");
    books_agreement(&b, "z", 1,
                    P2_C1("", "{\"kind\":\"tiered\",\"payee\":\"p2\",\"metric\":\"net\",\"mode\":"
                              "\"marginal\",\"window\":\"year\",\"steps\":[{\"from\":0,"
                              "\"share_ppm\":200000},{\"from\":10000,\"share_ppm\":300000}]}"));
    sell_p2("o1", "2025-01-10T10:00:00Z", 8000);
    const struct close_result january = closing_do(&b, "z", "2025-01");
    ck_assert_int_eq(closing_of(&january, "p2")->earned, 1600);
    ck_assert_int_eq(closing_of(&january, "c1")->earned, 6400);
    ck_assert_int_eq(closing_of(&january, "c1")->closing, -1600);
    const char *lines = closing_lines(&b, closing_of(&january, "p2"));
    ck_assert_ptr_nonnull(strstr(lines, "\"open\":8000,"));
    ck_assert_ptr_nonnull(
        strstr(lines, "{\"earned\":1600,\"kind\":\"tiered\",\"line\":\"w0\",\"payees\":[{"
                      "\"amount\":1600,\"payee\":\"p2\"}],\"period\":\"2025-01\",\"position\":1600,"
                      "\"version\":1}\n"
                      "{\"earned\":0,\"kind\":\"residual\",\"line\":\"w1\",\"payees\":[{"
                      "\"amount\":6400,\"payee\":\"c1\"}]"));
    /* A refund of January moves February, too: 4000 are the first of the year now. */
    sell_p2("o2", "2025-02-10T10:00:00Z", 4000);
    const struct close_result before = closing_draft(&b, "z", "2025-02");
    ck_assert_int_eq(closing_of(&before, "p2")->earned, 400 + 600);
    books_accept(
        &b, "c1",
        "{\"event_id\":\"r\",\"type\":\"order.refunded\",\"occurred_at\":"
        "\"2025-02-11T10:00:00Z\",\"order_id\":\"o1\",\"refund_id\":\"r\",\"amount\":8000}");
    const struct close_result february = closing_do(&b, "z", "2025-02");
    ck_assert_int_eq(closing_of(&february, "p2")->earned, 800 - 1600);
    ck_assert_int_eq(closing_of(&february, "p2")->closing, 800);
    closing_says(closing_of(&february, "p2"),
                 "\"differences\":[{\"count\":3,\"earned\":-1600,\"period\":\"2025-01\",");
    closing_says(closing_of(&february, "c1"), "\"closing\":-800,");
    books_verify(&b);
}
END_TEST

/* Facts and the close behind them may be written in one transaction; what is held waits aside. */
START_TEST(test_one_transaction)
{
    struct close_result closed;
    books_course(&b, "p2", "go");
    books_agreement(&b, "z", 1,
                    P2_C1("", "{\"kind\":\"tiered\",\"payee\":\"p2\",\"metric\":\"net\",\"mode\":"
                              "\"whole\",\"window\":\"period\",\"steps\":[{\"from\":0,"
                              "\"share_ppm\":500000}]},{\"kind\":\"amount\",\"payee\":\"p2\","
                              "\"amount_minor\":10}"));
    struct fact_batch *batch = books_decode(
        &b, "c1",
        "[{\"event_id\":\"e1\",\"type\":\"order.paid\",\"occurred_at\":\"2025-01-10T10:00:00Z\","
        "\"order_id\":\"o1\",\"currency\":\"CNY\",\"lines\":[{\"line_id\":\"1\",\"provider\":"
        "\"p2\","
        "\"course_id\":\"go\",\"quantity\":1,\"paid\":1010},{\"line_id\":\"2\",\"provider\":\"p2\","
        "\"course_id\":\"go\",\"quantity\":1,\"paid\":9}]}]");
    books_begin(&b);
    ck_assert_int_eq(facts_write(b.tx, &batch, 1), ACCORD_OK);
    ck_assert_int_eq(close_period(b.tx, "z", "2025-01", "op", &closed), ACCORD_OK);
    const struct statement_row *p2 = closing_of(&closed, "p2");
    ck_assert_int_eq(p2->earned, 10 + 500);
    closing_says(p2, "\"held\":[{\"currency\":\"CNY\",\"gross\":9,\"lines\":1,\"reason\":"
                     "\"over_allocated\"}]");
    closing_says(closing_of(&closed, "c1"), "\"closing\":-510,");
    books_commit(&b);
    books_verify(&b);
}
END_TEST

/* Who is paid but is no party sees its own lines, and of them only what is its own. */
START_TEST(test_promoter)
{
    sell("o1", "2025-01-10T10:00:00+08:00", 10000);
    sell("o2", "2025-01-11T10:00:00+08:00", 10000);
    TAMPER("UPDATE entry_share SET payee = 'promoter' WHERE payee = 'p1' AND sale_seq = "
           "(SELECT MIN(sale_seq) FROM entry_share)");
    const struct close_result january = closing_forged(&b, "a", "2025-01");
    ck_assert_uint_eq(january.count, 3);
    const struct statement_row *row = closing_of(&january, "promoter");
    ck_assert_int_eq(row->closing, 6000);
    ck_assert_int_eq(closing_of(&january, "p1")->closing, 6000);
    ck_assert_int_eq(closing_of(&january, "c1")->closing, -12000);
    const char *lines = closing_lines(&b, row);
    ck_assert_ptr_nonnull(strstr(lines, "\"earned\":6000,"));
    ck_assert_ptr_null(strstr(lines, "gross"));
    ck_assert_ptr_null(strstr(lines, "payees"));
    ck_assert_ptr_null(strstr(lines, "o2"));
    closing_says(row, "\"counterparties\":[{\"id\":\"c1\",");
    ck_assert_ptr_null(strstr(row->body.data, "\"p1\""));
}
END_TEST

/* Quarters of a zone whose clocks change in between; settled with each other. */
START_TEST(test_quarter)
{
    books_course(&b, "p2", "go");
    books_agreement(&b, "z", 1,
                    P2_C1("\"clearing\":\"direct\",\"period\":{\"kind\":\"quarter\",\"time_zone\":"
                          "\"America/New_York\"},",
                          "{\"kind\":\"share\",\"payee\":\"p2\",\"share_ppm\":500000}"));
    /* The agreement begins on what is New Year's Eve there. */
    closing_refuse(&b, "z", "2025-Q1", ACCORD_E_PERIOD_NOT_OLDEST);
    closing_do(&b, "z", "2024-Q4");
    sell_p2("o1", "2025-04-01T03:59:59Z", 100);
    sell_p2("o2", "2025-04-01T04:00:00Z", 1000);
    const struct close_result closed = closing_do(&b, "z", "2025-Q1");
    const struct statement_row *row = closing_of(&closed, "p2");
    ck_assert_int_eq(row->closing, 50);
    closing_says(row, "\"from\":\"2025-01-01T05:00:00Z\"");
    closing_says(row, "\"to\":\"2025-04-01T04:00:00Z\"");
    closing_says(row, "\"settles_with\":[{\"amount\":50,\"partner\":\"c1\"}]");
    closing_says(closing_of(&closed, "c1"),
                 "\"settles_with\":[{\"amount\":-50,\"partner\":\"p2\"}]");
    books_verify(&b);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("close");
    TCase *cases = tcase_create("close");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, test_labels);
    tcase_add_test(cases, test_month);
    tcase_add_test(cases, test_late_refund);
    tcase_add_test(cases, test_refusals);
    tcase_add_test(cases, test_after_the_end);
    tcase_add_test(cases, test_verify);
    tcase_add_test(cases, test_adjustments);
    tcase_add_test(cases, test_payments);
    tcase_add_test(cases, test_due);
    tcase_add_test(cases, test_windows);
    tcase_add_test(cases, test_one_transaction);
    tcase_add_test(cases, test_promoter);
    tcase_add_test(cases, test_quarter);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
