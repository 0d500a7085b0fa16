/* CSV: rows as they stand in files, cells as values, columns as fields. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "ingest/catalog_map.h"
#include "ingest/csv.h"
#include "ingest/csv_value.h"

/* All rows as "line:cell|cell;…"; a row that cannot be read as "line!code;". */
static void rows_of(struct slice text, size_t row_max, char *ret, size_t size)
{
    struct csv_reader *reader;
    struct buf out;
    buf_init(&out, size - 1);
    ck_assert_int_eq(csv_open(text, row_max, &reader), ACCORD_OK);
    for (;;) {
        struct csv_row row;
        const enum accord_error e = csv_next(reader, &row);
        if (csv_is_broken(reader)) {
            buf_add_str(&out, "broken");
            break;
        }
        if (e != ACCORD_OK) {
            buf_printf(&out, "%llu!%s;", (unsigned long long)row.line, accord_error_code(e));
            continue;
        }
        if (row.count == 0)
            break;
        buf_printf(&out, "%llu:", (unsigned long long)row.line);
        for (size_t i = 0; i < row.count; i++) {
            buf_add_str(&out, i == 0 ? "" : "|");
            buf_add_slice(&out, row.cells[i]);
        }
        buf_add_char(&out, ';');
    }
    csv_close(reader);
    ck_assert_int_eq(buf_error(&out), ACCORD_OK);
    if (out.len != 0)
        memcpy(ret, out.data, out.len);
    ret[out.len] = '\0';
    buf_done(&out);
}

static const struct {
    const char *text;
    const char *rows;
} files[] = {
    {"", ""},
    {"\n\r\n  \n", ""},
    {"a,b\n1,2\n", "1:a|b;2:1|2;"},
    {"a,b\r\n1,2\r\n", "1:a|b;2:1|2;"},
    {"a,b\r1,2", "1:a|b;2:1|2;"},
    {"\xef\xbb\xbf"
     "课程,价格\n高等数学,99\n",
     "1:课程|价格;2:高等数学|99;"},
    {"a,\"x,y\"\n", "1:a|x,y;"},
    {"a,\"line\r\nbreak\"\n\nb,\"\"\n", "1:a|line\r\nbreak;4:b|;"},
    {"a,\"say \"\"hi\"\"\"\n", "1:a|say \"hi\";"},
    {" a , b \n", "1:a|b;"},
    {",\n", "1:|;"},
    {"a,b", "1:a|b;"},
    {"a,\"b\"", "1:a|b;"},
    /* A quote that is not closed costs its own row. */
    {"a,\"b\nc,d\ne,f\n", "1!csv_invalid;2:c|d;3:e|f;"},
    /* So does one inside a cell, or text behind a closing one. */
    {"a\"b,c\nd,e\n", "1!csv_invalid;2:d|e;"},
    {"\"a\"b,c\nd,e\n", "1!csv_invalid;2:d|e;"},
    {"\"a\n\"b\nc\n", "1!csv_invalid;2!csv_invalid;3:c;"},
    /* Longer than the 40 bytes that these tests take. */
    {"a\n1234567890123456789012345678901234567890,\nb\n", "1:a;2!element_too_large;3:b;"},
    {"a\n\"1234567890\n1234567890\n1234567890\n1234567890\nb\n",
     "1:a;2!element_too_large;3:1234567890;4:1234567890;5:1234567890;6:b;"},
};

START_TEST(rows_of_files)
{
    char rows[1000];
    rows_of(slice_of(files[_i].text), 40, rows, sizeof rows);
    ck_assert_str_eq(rows, files[_i].rows);
}
END_TEST

START_TEST(one_row_may_be_large)
{
    enum { CELL = 1 << 20 };
    char *text = malloc(CELL + 100);
    char *rows = malloc(CELL + 200);
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(rows);
    memset(text, 'x', CELL);
    memcpy(text + CELL, ",1\nnext,2\n", 11);
    rows_of(slice_of(text), CELL + 10, rows, CELL + 200);
    ck_assert_uint_eq(strlen(rows), 2 + CELL + 3 + strlen("2:next|2;"));
    rows_of(slice_of(text), CELL, rows, CELL + 200);
    ck_assert_str_eq(rows, "1!element_too_large;2:next|2;");
    free(text);
    free(rows);
}
END_TEST

/* Each line opens a quote that the next one closes wrongly: reading goes on, but not for ever. */
START_TEST(stray_quotes_do_not_cost_their_square)
{
    enum { LINES = 400000 };
    char *text = malloc((size_t)LINES * 2 + 1);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < LINES; i++)
        memcpy(text + 2 * i, i % 2 == 0 ? "\"\n" : "a\n", 2);
    struct csv_reader *reader;
    ck_assert_int_eq(csv_open((struct slice){text, (size_t)LINES * 2}, 1 << 20, &reader),
                     ACCORD_OK);
    size_t calls = 0;
    struct csv_row row;
    do {
        csv_next(reader, &row);
        calls++;
    } while (!csv_is_broken(reader) && (row.count != 0 || row.line != 0));
    ck_assert_uint_le(calls, LINES + 1);
    csv_close(reader);
    free(text);
}
END_TEST

/* ---- cells ---- */

#define CNY ((struct accord_currency){"CNY"})
#define JPY ((struct accord_currency){"JPY"})
#define NONE ((struct accord_currency){""})

static void check_price(const char *cell, struct accord_currency currency, int64_t want)
{
    int64_t minor = -7;
    ck_assert_msg(csv_price(slice_of(cell), currency, &minor) == ACCORD_OK, "%s", cell);
    ck_assert_msg(minor == want, "%s: %lld", cell, (long long)minor);
}

static void refuse_price(const char *cell, struct accord_currency currency, enum accord_error want)
{
    int64_t minor = -7;
    const enum accord_error e = csv_price(slice_of(cell), currency, &minor);
    ck_assert_msg(e == want, "%s: %s", cell, accord_error_code(e));
    ck_assert_int_eq(minor, -7);
}

START_TEST(prices)
{
    check_price("199", CNY, 19900);
    check_price("199.0", CNY, 19900);
    check_price("19.99", CNY, 1999);
    check_price("1,299.00", CNY, 129900);
    check_price("1,234,567", CNY, 123456700);
    check_price("0", CNY, 0);
    check_price("0.00", NONE, 0);
    check_price("Free", NONE, 0);
    check_price("FREE", CNY, 0);
    check_price("免费", NONE, 0);
    check_price("1200", JPY, 1200);
    check_price("1200.0", JPY, 1200);
    refuse_price("19.999", CNY, ACCORD_E_AMOUNT_PRECISION);
    refuse_price("1200.5", JPY, ACCORD_E_AMOUNT_PRECISION);
    refuse_price("19.99", NONE, ACCORD_E_FIELD_MISSING);
    static const char *const wrong[] = {
        "$19.99", "¥199", "1e2", "19,99", "1,29",  "12,34,567", "1,2345", ",123", "123,", "1.",
        ".5",     "-5",   "+5",  "1 299", "1.2.3", "",          "19.9.",  "0x10", "nan",  "１９９"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refuse_price(wrong[i], CNY, ACCORD_E_AMOUNT_INVALID);
    refuse_price("99999999999999", CNY, ACCORD_E_AMOUNT_OUT_OF_RANGE);
}
END_TEST

START_TEST(lengths_and_ratings)
{
    static const struct {
        const char *cell;
        int64_t minutes;
    } hours[] = {{"1.5", 90},   {"39.0", 2340},  {"0", 0},     {"0.13333333333333333", 8},
                 {"0.5", 30},   {"2", 120},      {"0.45", 27}, {"0.6666666666666666", 40},
                 {"1.008", 60}, {"1,000", 60000}};
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
        int64_t minutes;
        ck_assert_int_eq(csv_hours(slice_of(hours[i].cell), 1000000, &minutes), ACCORD_OK);
        ck_assert_int_eq(minutes, hours[i].minutes);
    }
    int64_t value = -7;
    ck_assert_int_eq(csv_hours(SLICE("17"), 1000, &value), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(csv_hours(SLICE("99999999999999999999"), 1000, &value),
                     ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(csv_hours(SLICE("1 hour"), 1000, &value), ACCORD_E_DECIMAL_INVALID);
    ck_assert_int_eq(value, -7);
    ck_assert_int_eq(csv_milli(SLICE("4.9"), 5000, &value), ACCORD_OK);
    ck_assert_int_eq(value, 4900);
    ck_assert_int_eq(csv_milli(SLICE("4.365384615384615"), 5000, &value), ACCORD_OK);
    ck_assert_int_eq(value, 4365);
    ck_assert_int_eq(csv_milli(SLICE("4.3655"), 5000, &value), ACCORD_OK);
    ck_assert_int_eq(value, 4366); /* half to even */
    ck_assert_int_eq(csv_milli(SLICE("5.001"), 5000, &value), ACCORD_E_VALUE_OUT_OF_RANGE);
}
END_TEST

START_TEST(counts_flags_times_and_absence)
{
    int64_t n = -7;
    ck_assert_int_eq(csv_integer(SLICE("124,980"), 1000000, &n), ACCORD_OK);
    ck_assert_int_eq(n, 124980);
    ck_assert_int_eq(csv_integer(SLICE("12.0"), 100, &n), ACCORD_OK);
    ck_assert_int_eq(n, 12);
    ck_assert_int_eq(csv_integer(SLICE("101"), 100, &n), ACCORD_E_VALUE_OUT_OF_RANGE);
    ck_assert_int_eq(csv_integer(SLICE("1.5"), 100, &n), ACCORD_E_NUMBER_NOT_INTEGER);
    ck_assert_int_eq(csv_integer(SLICE("many"), 100, &n), ACCORD_E_NUMBER_NOT_INTEGER);
    bool flag = false;
    ck_assert_int_eq(csv_boolean(SLICE("True"), &flag), ACCORD_OK);
    ck_assert(flag);
    ck_assert_int_eq(csv_boolean(SLICE("否"), &flag), ACCORD_OK);
    ck_assert(!flag);
    ck_assert_int_eq(csv_boolean(SLICE("maybe"), &flag), ACCORD_E_VALUE_UNKNOWN);
    instant_us at = 0;
    ck_assert_int_eq(csv_time(SLICE("2017-01-18T20:58:58Z"), &at), ACCORD_OK);
    ck_assert_int_eq(at, INT64_C(1484773138000000));
    ck_assert_int_eq(csv_time(SLICE("1970-01-02"), &at), ACCORD_OK);
    ck_assert_int_eq(at, CLOCK_DAY_US);
    ck_assert_int_eq(csv_time(SLICE("18.01.2017"), &at), ACCORD_E_TIME_INVALID);
    ck_assert(csv_absent(SLICE("")));
    ck_assert(csv_absent(SLICE("N/A")));
    ck_assert(!csv_absent(SLICE("-1")));
    ck_assert(csv_absent_number(SLICE("-1")));
    ck_assert(!csv_absent_number(SLICE("0")));
    const struct slice trimmed = csv_trim(SLICE(" \t\xe3\x80\x80 数学 \xe3\x80\x80\r\n"));
    ck_assert(slice_equal(trimmed, SLICE("数学")));
    ck_assert_uint_eq(csv_trim(SLICE(" \t ")).len, 0);
}
END_TEST

START_TEST(lists)
{
    char joined[200] = "";
    struct slice rest = SLICE("数据 ; ;Business|设计；音乐;");
    struct slice word;
    while (csv_list_next(&rest, &word)) {
        const size_t used = strlen(joined);
        snprintf(joined + used, sizeof joined - used, "%.*s,", (int)word.len, word.data);
    }
    ck_assert_str_eq(joined, "数据,Business,设计,音乐,");
}
END_TEST

START_TEST(cleaning)
{
    struct arena *arena = arena_new(100000);
    struct slice text;
    ck_assert_int_eq(csv_clean(arena, SLICE("a\tb\x01\xc2\x94数\n"), false, &text), ACCORD_OK);
    ck_assert(slice_equal(text, SLICE("a b  数 ")));
    ck_assert_int_eq(csv_clean(arena, SLICE("a\tb\x01\n"), true, &text), ACCORD_OK);
    ck_assert(slice_equal(text, SLICE("a\tb \n")));
    static const char *const bad[] = {"\xff",          "\xc3",
                                      "a\xed\xa0\x80", "\xf5\x80\x80\x80",
                                      "\xc0\xaf",      "\xca\xfd\xbe\xdd" /* GBK 数据 */};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_int_eq(csv_clean(arena, slice_of(bad[i]), true, &text), ACCORD_E_TEXT_INVALID);
    ck_assert_int_eq(csv_clean(arena, (struct slice){"a\0b", 3}, true, &text),
                     ACCORD_E_TEXT_INVALID);
    arena_free(arena);
}
END_TEST

/* ---- columns ---- */

static enum accord_error bind(struct arena *arena, const char *map, const char *header,
                              struct catalog_map **ret, struct json_problems *problems)
{
    struct csv_reader *reader;
    struct csv_row row;
    *problems = (struct json_problems){0};
    ck_assert_int_eq(csv_open(slice_of(header), 10000, &reader), ACCORD_OK);
    ck_assert_int_eq(csv_next(reader, &row), ACCORD_OK);
    const enum accord_error e = catalog_map_bind(arena, slice_of(map), &row, ret, problems);
    csv_close(reader);
    return e;
}

START_TEST(column_maps)
{
    struct arena *arena = arena_new(1000000);
    static struct json_problems problems;
    struct catalog_map *map;
    ck_assert_int_eq(bind(arena, "", "title,course_id,zeta,alpha,zeta,", &map, &problems),
                     ACCORD_OK);
    ck_assert_uint_eq(map->fields[COLUMN_TITLE].cell[0], 0);
    ck_assert_uint_eq(map->fields[COLUMN_COURSE_ID].cell[0], 1);
    ck_assert_uint_eq(map->extra_count, 3); /* alpha, "column 6", zeta: once, sorted */
    ck_assert_uint_eq(map->extra[0], 3);
    ck_assert_uint_eq(map->extra[1], 5);
    ck_assert_uint_eq(map->extra[2], 2);

    ck_assert_int_eq(bind(arena, "title:课程 名,price:现价,price:原价,-:url,level:",
                          "course_id,课程 名,原价,现价,url,level", &map, &problems),
                     ACCORD_OK);
    ck_assert_uint_eq(map->fields[COLUMN_TITLE].cell[0], 1);
    ck_assert_uint_eq(map->fields[COLUMN_PRICE].count, 2);
    ck_assert_uint_eq(map->fields[COLUMN_PRICE].cell[0], 3);
    ck_assert_uint_eq(map->fields[COLUMN_PRICE].cell[1], 2);
    ck_assert_uint_eq(map->fields[COLUMN_URL].count, 0);
    ck_assert_uint_eq(map->fields[COLUMN_LEVEL].count, 0);
    ck_assert_uint_eq(map->extra_count, 1); /* level, which nothing takes now */

    static const struct {
        const char *map;
        const char *header;
        const char *says;
    } wrong[] = {
        {"titel:a", "course_id,title,a", "'titel' is not a field of a course"},
        {"title:b", "course_id,a", "the file has no column 'b'"},
        {"title", "course_id,title", "'title' is not of the form field:column"},
        {"", "course_id,name", "no column holds the field title"},
        {"title:", "course_id,title", "no column holds the field title"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_int_eq(bind(arena, wrong[i].map, wrong[i].header, &map, &problems),
                         ACCORD_E_COLUMN_UNKNOWN);
        ck_assert_ptr_nonnull(strstr(problems.items[0].message, wrong[i].says));
    }
    ck_assert_int_eq(bind(arena, "", "course_id,\xff", &map, &problems), ACCORD_E_TEXT_INVALID);
    problems = (struct json_problems){0};
    ck_assert_int_eq(catalog_map_check(SLICE("title:a,price:b"), "/column_map", &problems),
                     ACCORD_OK);
    ck_assert_int_eq(catalog_map_check(SLICE("title:a,prize:b,x"), "/column_map", &problems),
                     ACCORD_E_COLUMN_UNKNOWN);
    ck_assert_uint_eq(problems.total, 2);
    arena_free(arena);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("catalog csv");
    TCase *rows = tcase_create("rows");
    tcase_add_loop_test(rows, rows_of_files, 0, (int)(sizeof files / sizeof files[0]));
    tcase_add_test(rows, one_row_may_be_large);
    tcase_add_test(rows, stray_quotes_do_not_cost_their_square);
    suite_add_tcase(suite, rows);
    TCase *cells = tcase_create("cells");
    tcase_add_test(cells, prices);
    tcase_add_test(cells, lengths_and_ratings);
    tcase_add_test(cells, counts_flags_times_and_absence);
    tcase_add_test(cells, lists);
    tcase_add_test(cells, cleaning);
    tcase_add_test(cells, column_maps);
    suite_add_tcase(suite, cells);
    return suite;
}
UNIT_MAIN(make_suite)
