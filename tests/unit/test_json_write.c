#include "unit.h"

#include <string.h>

#include "json/write.h"

static struct buf out;
static struct json_writer w;

static void begin(void)
{
    buf_init(&out, 100000);
    jw_init(&w, &out);
}

static void expect(const char *text)
{
    ck_assert_int_eq(buf_error(&out), ACCORD_OK);
    char *got = strndup(out.data, out.len);
    ck_assert_str_eq(got, text);
    free(got);
    buf_done(&out);
}

START_TEST(commas_stand_between_values_only)
{
    begin();
    jw_object(&w);
    jw_key(&w, "items");
    jw_array(&w);
    jw_array_end(&w);
    jw_key(&w, "more");
    jw_array(&w);
    jw_int(&w, INT64_MIN);
    jw_object(&w);
    jw_object_end(&w);
    jw_array(&w);
    jw_null(&w);
    jw_bool(&w, true);
    jw_array_end(&w);
    jw_raw(&w, SLICE("{\"b\":1}"));
    jw_array_end(&w);
    jw_key_str(&w, "next", NULL);
    jw_object_end(&w);
    expect("{\"items\":[],\"more\":[-9223372036854775808,{},[null,true],{\"b\":1}],\"next\":null}");
}
END_TEST

START_TEST(values_have_their_form)
{
    struct accord_currency cny;
    ck_assert_int_eq(accord_currency_parse("CNY", 3, &cny), ACCORD_OK);
    begin();
    jw_object(&w);
    jw_key_money(&w, "price", 19900, cny);
    jw_key_time(&w, "at", INT64_C(1768478591000000));
    jw_key_decimal(&w, "rating", 4900, 3);
    jw_key_decimal(&w, "zero", 0, 3);
    jw_key_bool(&w, "closed", false);
    jw_key_slice(&w, "part", (struct slice){"abcdef", 3});
    jw_key_slice(&w, "none", (struct slice){NULL, 0});
    jw_key_null(&w, "null");
    jw_key_raw(&w, "raw", SLICE("[1]"));
    jw_object_end(&w);
    expect("{\"price\":{\"amount\":19900,\"currency\":\"CNY\"},\"at\":\"2026-01-15T12:03:11Z\","
           "\"rating\":4.9,\"zero\":0,\"closed\":false,\"part\":\"abc\",\"none\":null,"
           "\"null\":null,\"raw\":[1]}");
}
END_TEST

START_TEST(strings_are_escaped)
{
    begin();
    jw_array(&w);
    jw_slice(&w, (struct slice){"\"\\/\b\f\n\r\t\x01\x1f\x7f\0", 12});
    jw_str(&w, "课程 \xf0\x9f\x98\x80");
    jw_str(&w, "a\xff\xe8\xaf-\xed\xa0\x80"); /* no UTF-8: each byte is replaced */
    jw_str(&w, "");
    jw_array_end(&w);
    expect("[\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\",\"课程 \xf0\x9f\x98\x80\","
           "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd-\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"\"]");
}
END_TEST

START_TEST(a_full_buffer_says_so)
{
    buf_init(&out, 10);
    jw_init(&w, &out);
    jw_str(&w, "0123456789");
    ck_assert_int_eq(buf_error(&out), ACCORD_E_BODY_TOO_LARGE);
    buf_done(&out);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("json_write");
    TCase *tests = tcase_create("json_write");
    tcase_add_test(tests, commas_stand_between_values_only);
    tcase_add_test(tests, values_have_their_form);
    tcase_add_test(tests, strings_are_escaped);
    tcase_add_test(tests, a_full_buffer_says_so);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
