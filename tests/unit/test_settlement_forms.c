/* The forms in which settlement is handed out: CSV for spreadsheets, a JSON text as a table. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "api/csv_write.h"
#include "json/flatten.h"

static struct accord_currency currency(const char *code)
{
    struct accord_currency ret;
    ck_assert_int_eq(accord_currency_parse(code, strlen(code), &ret), ACCORD_OK);
    return ret;
}

static void expect_cell(const char *text, const char *cell)
{
    struct buf out;
    struct csv_writer csv;
    buf_init(&out, 4096);
    csv_writer_init(&csv, &out);
    csv_str(&csv, text);
    buf_add_char(&out, '\0');
    ck_assert_str_eq(out.data, cell);
    buf_done(&out);
}

START_TEST(texts_are_no_formulas)
{
    expect_cell("", "");
    expect_cell("python", "python");
    expect_cell("=1+1", "'=1+1");
    expect_cell("+1", "'+1");
    expect_cell("-1", "'-1");
    expect_cell("@SUM(A1)", "'@SUM(A1)");
    expect_cell("\tx", "\"'\tx\"");
    expect_cell("\rx", "\"'\rx\"");
    expect_cell("a=1", "a=1");
    expect_cell("=a,\"b\"", "\"'=a,\"\"b\"\"\"");
    expect_cell("two words", "\"two words\"");
    expect_cell("a\r\nb", "\"a\r\nb\"");
    expect_cell("退款", "退款");
}
END_TEST

START_TEST(amounts_stay_numbers)
{
    static const struct {
        int64_t amount;
        const char *currency;
        const char *cell;
    } cases[] = {
        {0, "CNY", "0.00"},
        {5, "CNY", "0.05"},
        {-5, "CNY", "-0.05"},
        {19900, "CNY", "199.00"},
        {-19901, "USD", "-199.01"},
        {1500, "JPY", "1500"},
        {-1, "JPY", "-1"},
        {1234, "KWD", "1.234"},
        {INT64_MAX, "CNY", "92233720368547758.07"},
        {INT64_MIN, "CNY", "-92233720368547758.08"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;
        struct csv_writer csv;
        buf_init(&out, 4096);
        csv_writer_init(&csv, &out);
        csv_int(&csv, -7);
        csv_amount(&csv, cases[i].amount, currency(cases[i].currency));
        csv_empty(&csv);
        csv_row_end(&csv);
        buf_add_char(&out, '\0');
        char row[64];
        snprintf(row, sizeof row, "-7,%s,\r\n", cases[i].cell);
        ck_assert_str_eq(out.data, row);
        buf_done(&out);
    }
}
END_TEST

static enum accord_error add_scalar(void *context, const char *pointer, struct slice text,
                                    bool is_string)
{
    struct buf *out = context;
    buf_add_str(out, pointer);
    buf_add_str(out, is_string ? "~" : "=");
    buf_add_slice(out, text);
    buf_add_char(out, ';');
    return strcmp(pointer, "/stop") == 0 ? ACCORD_E_COUNT_OUT_OF_RANGE : ACCORD_OK;
}

static enum accord_error flatten(const char *text, const char *expected)
{
    struct arena *arena = arena_new((size_t)1 << 20);
    struct buf out;
    buf_init(&out, 4096);
    const enum accord_error error = json_flatten(arena, slice_of(text), add_scalar, &out);
    buf_add_char(&out, '\0');
    ck_assert_str_eq(out.data, expected);
    buf_done(&out);
    arena_free(arena);
    return error;
}

START_TEST(a_text_becomes_a_table)
{
    ck_assert_int_eq(flatten("{\"a\":[1,\"x\",{\"b\":null,\"c/d\":true,\"e~f\":-0.50}],\"g\":{}}",
                             "/a/0=1;/a/1~x;/a/2/b=;/a/2/c~1d=true;/a/2/e~0f=-0.50;"),
                     ACCORD_OK);
    ck_assert_int_eq(flatten("7", "=7;"), ACCORD_OK);
    ck_assert_int_eq(flatten("[]", ""), ACCORD_OK);
    ck_assert_int_eq(flatten("{\"stop\":\"\\u9000\",\"more\":1}", "/stop~退;"),
                     ACCORD_E_COUNT_OUT_OF_RANGE);
    ck_assert_int_eq(flatten("{\"a\":", ""), ACCORD_E_JSON_INVALID);
    ck_assert_int_eq(flatten("{\"a\":1,\"a\":2}", ""), ACCORD_E_FIELD_DUPLICATE);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("settlement_forms");
    TCase *all = tcase_create("all");
    tcase_add_test(all, texts_are_no_formulas);
    tcase_add_test(all, amounts_stay_numbers);
    tcase_add_test(all, a_text_becomes_a_table);
    suite_add_tcase(suite, all);
    return suite;
}

UNIT_MAIN(make_suite)
