/* Files of inputs: what they hold, for whom, that a statement follows from each, and that what is
 * no such file is refused. The random worlds of test_close_properties are read again, too. */
#include "closing.h"

#include "ingest/rates.h"
#include "ingest/referral.h"

static struct books b;

static void setup(void)
{
    books_open(&b);
    books_course(&b, "p1", "python");
    books_course(&b, "p2", "go");
    books_agreement(&b, "a", 1, AGREEMENT_P1_C1);
}

static void teardown(void)
{
    books_close(&b);
}

#define LINE(id, provider, course, paid)                                                           \
    "{\"line_id\":\"" id "\",\"provider\":\"" provider "\",\"course_id\":\"" course                \
    "\",\"quantity\":1,\"paid\":" paid "}"

static void sell(const char *order, const char *day, const char *currency, const char *lines)
{
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"%s\",\"type\":\"order.paid\",\"occurred_at\":"
                            "\"%sT10:00:00+08:00\",\"order_id\":\"%s\",\"currency\":\"%s\","
                            "\"lines\":[%s]}",
                            order, day, order, currency, lines));
}

static void refund(const char *order, const char *id, const char *day, const char *amount)
{
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"%s\",\"type\":\"order.refunded\",\"occurred_at\":"
                            "\"%sT10:00:00+08:00\",\"order_id\":\"%s\",\"refund_id\":\"%s\","
                            "\"amount\":%s}",
                            id, day, order, id, amount));
}

static void expect_in(struct slice file, const char *text)
{
    ck_assert_msg(strstr(file.data, text) != NULL, "%s is not in\n%s", text, file.data);
}

static void expect_not_in(struct slice file, const char *text)
{
    ck_assert_msg(strstr(file.data, text) == NULL, "%s is in\n%s", text, file.data);
}

static struct slice file_of(const struct close_result *closed, const char *partner)
{
    return rederive_file(&b, closing_of(closed, partner)->id);
}

/* Every row is canonical as it stands. */
static void expect_canonical(struct slice file)
{
    for (const char *at = file.data; *at != '\0';) {
        const char *end = strchr(at, '\n');
        struct slice canonical;
        ck_assert_ptr_nonnull(end);
        const struct slice row = {at, (size_t)(end - at)};
        ck_assert_int_eq(json_canonical(b.arena, row, &canonical), ACCORD_OK);
        ck_assert_msg(slice_equal(row, canonical), "%.*s", (int)row.len, row.data);
        at = end + 1;
    }
}

/* An order of two providers: neither sees the other's line, and each can compute its part of the
 * refunds of the whole order. */
START_TEST(test_other_lines_are_left_out)
{
    books_agreement(
        &b, "z", 1,
        "{\"parties\":[\"p2\",\"c1\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":[\"c1\"]},"
        "\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\","
        "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},\"refund\":{\"basis\":"
        "\"in_period\"},\"terms\":[{\"kind\":\"share\",\"payee\":\"p2\",\"share_ppm\":500000},"
        "{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
    sell("o1", "2025-01-10", "CNY",
         LINE("1", "p2", "go", "10001") "," LINE("2", "p1", "python", "5003") "," LINE("3", "p2",
                                                                                       "go", "77"));
    refund("o1", "r1", "2025-01-20", "101");
    refund("o1", "r2", "2025-02-03", "1000");
    for (int month = 1; month <= 3; month++) {
        const char *label = books_text(&b, "2025-0%d", month);
        const struct close_result a = closing_do(&b, "a", label);
        const struct close_result z = closing_do(&b, "z", label);
        expect_canonical(file_of(&a, "p1"));
        if (month == 1) {
            const struct slice file = file_of(&a, "p1");
            expect_in(file, "\"spread\":true");
            /* 101 over 10001, 5003, 77 is 66.98, 33.506, 0.516: the units left go to the others */
            expect_in(file, "\"amount\":33,");
            expect_not_in(file, "\"p2\"");
            expect_not_in(file, "\"go\"");
            expect_not_in(file_of(&z, "p2"), "python");
        }
        refund("o1", books_text(&b, "late-%d", month),
               books_text(&b, "2025-0%d-25", month == 1 ? 2 : month), "333");
    }
    books_verify(&b);
}
END_TEST

/* Who has not signed the whole of it is given its lines. */
START_TEST(test_given_lines)
{
    sell("o1", "2025-01-10", "CNY", LINE("1", "p1", "python", "10000"));
    const struct close_result first = closing_do(&b, "a", "2025-01");
    expect_in(file_of(&first, "p1"), "\"derived\":true");
    expect_not_in(file_of(&first, "p1"), "\"kind\":\"line\"");
    books_agreement(
        &b, "a", 2,
        "{\"parties\":[\"p1\",\"c1\",\"op\"],\"scope\":{\"providers\":[\"p1\"],\"channels\":"
        "[\"c1\"]},\"effective\":{\"from\":\"2025-02-15T00:00:00+08:00\"},\"currency\":\"CNY\","
        "\"period\":{\"kind\":\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":["
        "{\"kind\":\"share\",\"payee\":\"p1\",\"share_ppm\":500000},{\"kind\":\"share\",\"payee\":"
        "\"op\",\"share_ppm\":100000},{\"kind\":\"residual\",\"payee\":\"c1\"}]}");
    sell("o2", "2025-02-10", "CNY", LINE("1", "p1", "python", "1000"));
    sell("o3", "2025-02-20", "CNY", LINE("1", "p1", "python", "2000"));
    const struct close_result second = closing_do(&b, "a", "2025-02");
    const struct slice file = file_of(&second, "op");
    expect_in(file, "\"derived\":false");
    expect_in(file, "{\"kind\":\"line\",\"text\":{");
    expect_not_in(file, "\"o2\"");
    expect_not_in(file, "600000"); /* of version 1 */
    ck_assert_int_eq(closing_of(&second, "op")->earned, 200);
    expect_in(file_of(&second, "p1"), "\"derived\":true");
    /* All versions that are concerned from then on are its own. */
    sell("o4", "2025-03-20", "CNY", LINE("1", "p1", "python", "300"));
    const struct close_result third = closing_do(&b, "a", "2025-03");
    expect_in(file_of(&third, "op"), "\"derived\":true");
}
END_TEST

/* A correction takes back what was posted of the sale before it, and names its lines. */
START_TEST(test_corrections)
{
    sell("o1", "2025-01-10", "CNY",
         LINE("1", "p1", "python", "10000") "," LINE("2", "p1", "python", "200"));
    closing_do(&b, "a", "2025-01");
    books_accept(&b, "c1",
                 "{\"event_id\":\"o1x\",\"type\":\"order.paid\",\"occurred_at\":"
                 "\"2025-01-10T10:00:00+08:00\",\"supersedes\":\"o1\",\"order_id\":\"o1\","
                 "\"currency\":\"CNY\",\"lines\":[" LINE("9", "p1", "python", "9000") "]}");
    const struct close_result second = closing_do(&b, "a", "2025-02");
    const struct slice file = file_of(&second, "p1");
    expect_in(file, "\"line_id\":\"2\"");
    expect_in(file, "\"line_id\":\"9\"");
    /* 60 % of 9000 less 60 % of 10200 */
    ck_assert_int_eq(closing_of(&second, "p1")->earned, -720);
    expect_canonical(file);
}
END_TEST

/* Rates are pinned in the file. */
START_TEST(test_currencies)
{
    struct rate_row rates[] = {{.currency = {"USD"}, .rate = "1.0832"},
                               {.currency = {"CNY"}, .rate = "7.7960"}};
    struct rate_row later[] = {{.currency = {"USD"}, .rate = "1.0833"},
                               {.currency = {"CNY"}, .rate = "7.7961"}};
    /* days from 1970-01-01 to 2025-01-13: 55 · 365 + 14 + 12 */
    struct rates_given days[] = {{.day = 20101, .rates = rates, .count = 2, .reason = ""},
                                 {.day = 20130, .rates = later, .count = 2, .reason = ""}};
    books_begin(&b);
    ck_assert_int_eq(ingest_rates_put(b.tx, days, 2, "op"), ACCORD_OK);
    books_commit(&b);
    sell("o1", "2025-01-13", "USD", LINE("1", "p1", "python", "10000"));
    const struct close_result first = closing_do(&b, "a", "2025-01");
    expect_in(file_of(&first, "p1"), "\"text\":\"7.7960/1.0832\"");
    refund("o1", "r1", "2025-02-03", "3333");
    closing_do(&b, "a", "2025-02");
    /* 10000 · 7.7960 / 1.0832 = 71971.9…; 60 % of 71972 */
    ck_assert_int_eq(closing_of(&first, "p1")->earned, 43183);
}
END_TEST

/* Minutes from now on, as a text. */
static const char *when(int minutes)
{
    char text[CLOCK_TEXT_MAX];
    clock_format(clock_now_us() + minutes * 60 * CLOCK_SECOND_US, text);
    return arena_strdup(b.arena, slice_of(text));
}

static void put_link(const char *code, const char *promoter)
{
    struct link_row row = {
        .channel = "c1", .code = code, .promoter = promoter, .parent = "", .created_at = 1};
    books_begin(&b);
    row.accepted_at = b.tx->now;
    ck_assert_int_eq(ingest_seq(b.tx, 1, &row.seq), ACCORD_OK);
    ck_assert_int_eq(store_link_put(b.db, &row), ACCORD_OK);
    ck_assert_int_eq(ingest_link_changed(b.tx, &row), ACCORD_OK);
    books_commit(&b);
}

/* Closes the oldest period as if it were over. */
static struct close_result close_early(const char *agreement)
{
    struct agreement_periods periods;
    struct close_result result;
    char label[PERIOD_LABEL_MAX];
    bool found;
    ck_assert_int_eq(periods_of(b.db, b.arena, agreement, &found, &periods), ACCORD_OK);
    period_label(periods.quarterly, periods.open, label);
    books_begin(&b);
    b.tx->now = period_to(&periods, periods.open);
    const enum accord_error error = close_period(b.tx, agreement, label, "op", &result);
    ck_assert_msg(error == ACCORD_OK, "%s", accord_error_code(error));
    struct statement_row *rows = arena_array(b.arena, result.count + 1, sizeof *rows);
    for (size_t i = 0; i < result.count; i++) {
        rows[i] = result.statements[i];
        rows[i].id = arena_strdup(b.arena, slice_of(rows[i].id));
        rows[i].partner = arena_strdup(b.arena, slice_of(rows[i].partner));
        rows[i].agreement = agreement;
        rows[i].body.data = arena_strdup(b.arena, rows[i].body);
    }
    result.statements = rows;
    books_commit(&b);
    return result;
}

/* Parties have the touches that the referral goes by, with what was known of the promoters, and
 * attribute again; a promoter is given its own amounts only. */
START_TEST(test_promoters)
{
    books_partner(&b, "lin", 4);
    books_agreement(
        &b, "r", 1,
        books_text(&b,
                   "{\"parties\":[\"p2\",\"c1\"],\"scope\":{\"providers\":[\"p2\"],\"channels\":"
                   "[\"c1\"]},\"effective\":{\"from\":\"%s\"},\"currency\":\"CNY\",\"period\":"
                   "{\"kind\":\"quarter\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":["
                   "{\"kind\":\"referral\",\"levels_ppm\":[100000],\"window_days\":7},"
                   "{\"kind\":\"share\",\"payee\":\"p2\",\"share_ppm\":600000},"
                   "{\"kind\":\"residual\",\"payee\":\"c1\"}]}",
                   when(-45)));
    put_link("L", "lin");
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"t1\",\"type\":\"touch\",\"provider\":\"p2\","
                            "\"course_id\":\"go\",\"occurred_at\":\"%s\",\"learner\":\"u1\","
                            "\"link\":\"L\",\"kind\":\"click\"}",
                            when(-60)));
    books_accept(&b, "c1",
                 books_text(&b,
                            "{\"event_id\":\"o1\",\"type\":\"order.paid\",\"occurred_at\":\"%s\","
                            "\"learner\":\"u1\",\"order_id\":\"o1\",\"currency\":\"CNY\","
                            "\"lines\":[" LINE("1", "p2", "go", "10000") "]}",
                            when(-30)));
    struct close_result closed = close_early("r");
    if (closed.count < 3) /* a quarter began between the agreement and the sale */
        closed = close_early("r");
    for (size_t i = 0; i < closed.count; i++)
        rederive(&b, &closed.statements[i]);
    ck_assert_int_eq(closing_of(&closed, "lin")->earned, 1000);
    const struct slice file = file_of(&closed, "lin");
    expect_in(file, "\"earned\":1000,");
    expect_in(file, "\"kind\":\"settings\"");
    expect_not_in(file, "\"gross\"");
    expect_not_in(file, "600000");
    const struct slice own = file_of(&closed, "p2");
    expect_in(own, "\"derived\":true");
    expect_in(own, "\"touches\":[{\"event_id\":\"t1\",\"kind\":\"click\"");
    expect_not_in(own, "u1");
    /* A promoter who was suspended earns nothing, and another comes out. */
    char *forged = arena_strdup(b.arena, own);
    memcpy(strstr(forged, "\"suspended\":false"), "\"suspended\":true ", 17);
    struct inputs_result result = {.why = ""};
    ck_assert_int_eq(rederive_read(slice_of(forged), 4096, NULL, &result), ACCORD_OK);
    ck_assert(!result.agrees);
    /* 60 % of 10000 instead of 60 % of what the promoter left. */
    ck_assert_str_eq(result.why, "earned is 6000, the statement says 5400");
}
END_TEST

/* ---- bad files ---- */

static void refuse(const char *file, const char *why)
{
    struct inputs_result result = {.why = ""};
    ck_assert_int_ne(rederive_read(slice_of(file), 4096, NULL, &result), ACCORD_OK);
    ck_assert_msg(strncmp(result.why, why, strlen(why)) == 0, "%s, not %s", result.why, why);
}

/* The file without its line `number` (from 1), or, with a text, with that one in its place. */
static const char *changed(struct slice file, int number, const char *text)
{
    const char *at = file.data;
    for (int i = 1; i < number; i++)
        at = strchr(at, '\n') + 1;
    return arena_printf(b.arena, "%.*s%s%s", (int)(at - file.data), file.data, text,
                        strchr(at, '\n') + 1);
}

START_TEST(test_bad_files)
{
    sell("o1", "2025-01-10", "CNY", LINE("1", "p1", "python", "10000"));
    const struct close_result closed = closing_do(&b, "a", "2025-01");
    const struct slice file = file_of(&closed, "p1"); /* inputs version order hold end */
    struct inputs_result result = {.why = ""};
    for (size_t step = 1; step < 5; step++) {
        ck_assert_int_eq(rederive_read(file, step, NULL, &result), ACCORD_OK);
        ck_assert(result.agrees);
    }
    refuse("", "line 1: the file is cut off");
    refuse("\n", "line 1: no object with a kind");
    refuse("[]\n", "line 1: no object with a kind");
    refuse("{\"kind\":\"other\"}\n", "line 1: /kind: is none");
    refuse("{\"kind\":\"hold\"}\n", "line 1: /kind: stands out of order");
    refuse(changed(file, 1, ""), "line 1: /kind: stands out of order");
    refuse(changed(file, 2, ""), "line 2: the version that governs does not stand above");
    refuse(changed(file, 4, ""), "line 4: /kind: stands out of order");
    refuse(changed(file, 5, ""), "line 5: the file is cut off");
    refuse(changed(file, 3, "{\"kind\":\"order\"}\n"), "line 3: /");
    refuse(changed(file, 2, "{\"kind\":\"version\",\"version\":1,\"body\":{}}\n"), "line 2: /body");
    refuse(books_text(&b, "%sx\n", file.data), "line 6: ");
    refuse(books_text(&b, "%sx", file.data), "line 6: the file is cut off");
    /* Without its order it is a file, but not this statement's. */
    ck_assert_int_eq(rederive_read(slice_of(changed(file, 3, "")), 4096, NULL, &result), ACCORD_OK);
    ck_assert(!result.agrees);
    ck_assert_str_eq(result.why, "the number of lines is 0, the statement says 1");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("inputs");
    TCase *cases = tcase_create("inputs");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, test_other_lines_are_left_out);
    tcase_add_test(cases, test_given_lines);
    tcase_add_test(cases, test_corrections);
    tcase_add_test(cases, test_currencies);
    tcase_add_test(cases, test_promoters);
    tcase_add_test(cases, test_bad_files);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
