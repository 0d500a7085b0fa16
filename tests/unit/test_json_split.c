#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "json/split.h"

/* Runs a splitter over a text that ends where a page ends no sooner than its last byte: a copy of
 * the exact size, so that the sanitizers see a read behind it. Writes what came as
 * "line:index:element" pieces separated by spaces, and the error's code last. */
static char *split(const char *text, size_t len, enum json_split_shape shape, const char *member,
                   size_t element_max)
{
    char *copy = malloc(len == 0 ? 1 : len);
    memcpy(copy, text, len);
    char *log = calloc(1, 10000);
    size_t at = 0;
    struct json_splitter s;
    enum accord_error error =
        json_split_begin(&s, (struct slice){copy, len}, shape, member, element_max);
    while (at < 9000) {
        struct slice element = {"unset", 5};
        if (error == ACCORD_OK)
            error = json_split_next(&s, &element);
        if (error == ACCORD_OK && element.data == NULL)
            break;
        if (error == ACCORD_OK) {
            at += (size_t)snprintf(log + at, 10000 - at, "%d:%d:%.*s ", (int)s.line, (int)s.index,
                                   (int)element.len, element.data);
            continue;
        }
        ck_assert_ptr_nonnull(s.reason);
        at += (size_t)snprintf(log + at, 10000 - at, "%d:%s ", (int)s.error_line,
                               accord_error_code(error));
        if (error == ACCORD_E_JSON_INVALID && shape == JSON_SPLIT_ARRAY) {
            ck_assert_int_eq(json_split_next(&s, &element), ACCORD_E_JSON_INVALID);
            break;
        }
        error = ACCORD_OK;
    }
    free(copy);
    if (at > 0)
        log[at - 1] = '\0';
    return log;
}

static void check(const char *text, enum json_split_shape shape, const char *member,
                  const char *expected)
{
    char *got = split(text, strlen(text), shape, member, 20);
    ck_assert_msg(strcmp(got, expected) == 0, "%s\n gives %s\n not   %s", text, got, expected);
    free(got);
}

static const struct {
    const char *text;
    const char *expected;
} arrays[] = {
    {"[]", ""},
    {" [ ] \n", ""},
    {"[1]", "1:0:1"},
    {"[1,\"a,]\\\"\",{\"b\":[2]},null]", "1:0:1 1:1:\"a,]\\\"\" 1:2:{\"b\":[2]} 1:3:null"},
    {"\n[\n {\n},\n\n 2]\n", "3:0:{\n} 6:1:2"},
    {"\xef\xbb\xbf[1]", "1:0:1"},
    {"[[[]],-1.5e+3]", "1:0:[[]] 1:1:-1.5e+3"},
    {"[\"0123456789012345678901\",3]", "1:element_too_large 1:1:3"},
    {"[\"ab\xff\"]", "1:0:\"ab\xff\""}, /* UTF-8 is left to decoding: one element, not all */
    {"", "1:json_invalid"},
    {"  ", "1:json_invalid"},
    {"[", "1:json_invalid"},
    {"[1", "1:0:1 1:json_invalid"},
    {"[1,", "1:0:1 1:json_invalid"},
    {"[1,]", "1:0:1 1:json_invalid"},
    {"[,1]", "1:json_invalid"},
    {"[1 2]", "1:0:1 1:json_invalid"},
    {"[1]]", "1:0:1 1:json_invalid"},
    {"[1] x", "1:0:1 1:json_invalid"},
    {"[1][2]", "1:0:1 1:json_invalid"},
    {"[1}", "1:0:1 1:json_invalid"},
    {"[\n{\"a\" 1}]", "2:json_invalid"},
    {"[{\"a\":1,}]", "1:json_invalid"},
    {"[{\"a\":1]", "1:json_invalid"},
    {"[{a:1}]", "1:json_invalid"},
    {"[tru]", "1:json_invalid"},
    {"[nulls]", "1:0:null 1:json_invalid"},
    {"[01]", "1:json_invalid"},
    {"[1.]", "1:json_invalid"},
    {"[.5]", "1:json_invalid"},
    {"[+1]", "1:json_invalid"},
    {"[1e]", "1:json_invalid"},
    {"[NaN]", "1:json_invalid"},
    {"['a']", "1:json_invalid"},
    {"[\"a]", "1:json_invalid"},
    {"[\"a\nb\"]", "1:json_invalid"},
    {"[\"\\x\"]", "1:json_invalid"},
    {"[\"\\u12g4\"]", "1:json_invalid"},
    {"[\"\\", "1:json_invalid"},
    {"[\"\\u12", "1:json_invalid"},
    {"[1 /* c */]", "1:0:1 1:json_invalid"},
    {"{\"courses\":[1,2]}", "1:0:1 1:1:2"},
    {"{\"courses\":[]}", ""},
    {"{\"v\":{\"courses\":[9]},\n\"courses\":[1],\"x\":[[\"y\"]]}", "2:0:1"},
    {"{\"c\\u006furses\":[1]}", "1:0:1"},
    {"{\"courses\":{}}", "1:json_invalid"},
    {"{\"course\":[1]}", "1:json_invalid"},
    {"{}", "1:json_invalid"},
    {"{\"courses\":[1],\"courses\":[2]}", "1:0:1 1:json_invalid"},
    {"{\"courses\":[1],\"x\":[}", "1:0:1 1:json_invalid"},
    {"{\"courses\":[1],}", "1:0:1 1:json_invalid"},
    {"{\"courses\":[1]", "1:0:1 1:json_invalid"},
    {"{\"courses\":[1]} 1", "1:0:1 1:json_invalid"},
    {"{\"x\":tru,\"courses\":[1]}", "1:json_invalid"},
    {"{\"x\"", "1:json_invalid"},
    {"{\"x\":", "1:json_invalid"},
    {"{\"courses\":", "1:json_invalid"},
    {"{\"courses", "1:json_invalid"},
    {"{1:2}", "1:json_invalid"},
    {"\"courses\"", "1:json_invalid"},
    {"12", "1:json_invalid"},
};

START_TEST(arrays_are_cut)
{
    check(arrays[_i].text, JSON_SPLIT_ARRAY, "courses", arrays[_i].expected);
}
END_TEST

START_TEST(an_object_without_a_member_to_look_in_is_refused)
{
    check("{\"courses\":[1]}", JSON_SPLIT_ARRAY, NULL, "1:json_invalid");
    check("[1]", JSON_SPLIT_ARRAY, NULL, "1:0:1");
}
END_TEST

static const struct {
    const char *text;
    const char *expected;
} lines[] = {
    {"", ""},
    {"\n\n \t\r\n", ""},
    {"{\"a\":1}\n[2]", "1:0:{\"a\":1} 2:1:[2]"},
    {"\xef\xbb\xbf{}\r\n\r\n 3 \r\n", "1:0:{} 3:1:3"},
    {"{\"a\":\n1}\n2\n", "1:json_invalid 2:json_invalid 3:2:2"},
    {"1 2\n3", "1:json_invalid 2:1:3"},
    {"{},\n{}", "1:json_invalid 2:1:{}"},
    {"\"0123456789012345678901\"\n4\n", "1:element_too_large 2:1:4"},
    {"\"\\\n5", "1:json_invalid 2:1:5"},
    {"6\n\"trunc", "1:0:6 2:json_invalid"},
};

START_TEST(lines_are_cut)
{
    check(lines[_i].text, JSON_SPLIT_NDJSON, NULL, lines[_i].expected);
}
END_TEST

/* Nesting is bounded and not paid with stack. */
START_TEST(depth_is_bounded)
{
    enum { DEEP = 3000, MOST = 32 };
    char text[2 * DEEP + 1];
    for (size_t depth = MOST; depth <= MOST + 1; depth++) {
        /* The array around the elements is not counted. */
        memset(text, '[', depth + 1);
        memset(text + depth + 1, ']', depth + 1);
        char *log = split(text, 2 * depth + 2, JSON_SPLIT_ARRAY, NULL, 1000);
        ck_assert_str_eq(log + (depth == MOST ? 4 + 2 * depth : 0),
                         depth == MOST ? "" : "1:json_invalid");
        free(log);
    }
    memset(text, '[', 2 * DEEP);
    char *log = split(text, 2 * DEEP, JSON_SPLIT_ARRAY, NULL, 10000);
    ck_assert_str_eq(log, "1:json_invalid");
    free(log);
    memset(text + DEEP, ']', DEEP);
    log = split(text, 2 * DEEP, JSON_SPLIT_NDJSON, NULL, 10000);
    ck_assert_str_eq(log, "1:json_invalid");
    free(log);
}
END_TEST

/* Whatever the text is cut off at, the splitter ends, in bounds, with an error or what came whole.
 */
START_TEST(every_truncation_is_refused)
{
    static const char text[] = "{\"a\":{\"b\":[1,\"\\u00e9\\n\"]},\"courses\":[{\"x\":-1.5e3},true,"
                               "[],\"\xe8\xaf\xbe\"],\"z\":null}";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        char *log = split(text, len, JSON_SPLIT_ARRAY, "courses", 100);
        const size_t log_len = strlen(log);
        ck_assert_uint_ge(log_len, 14);
        ck_assert_str_eq(log + log_len - 14, "1:json_invalid");
        free(log);
    }
    char *log = split(text, sizeof text - 1, JSON_SPLIT_ARRAY, "courses", 100);
    ck_assert_str_eq(log, "1:0:{\"x\":-1.5e3} 1:1:true 1:2:[] 1:3:\"\xe8\xaf\xbe\"");
    free(log);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("json_split");
    TCase *tests = tcase_create("json_split");
    tcase_add_loop_test(tests, arrays_are_cut, 0, sizeof arrays / sizeof arrays[0]);
    tcase_add_test(tests, an_object_without_a_member_to_look_in_is_refused);
    tcase_add_loop_test(tests, lines_are_cut, 0, sizeof lines / sizeof lines[0]);
    tcase_add_test(tests, depth_is_bounded);
    tcase_add_test(tests, every_truncation_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
