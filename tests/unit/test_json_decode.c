#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "json/decode.h"

struct line_body {
    struct slice line_id;
    int64_t paid;
    int64_t tax;
    bool has_tax;
};
static const struct json_field line_fields[] = {
    JSON_ID(struct line_body, line_id, 1, 8),
    JSON_AMOUNT(struct line_body, paid),
    JSON_AMOUNT_OPT(struct line_body, tax, has_tax),
};
static const struct json_object line_spec = JSON_OBJECT(struct line_body, line_fields);

static const char *const levels[] = {"all", "beginner", "advanced", NULL};
static const struct json_field tag_element = JSON_ELEMENT(JSON_KIND_ID, 1, 10);
static const struct json_field level_element = JSON_ELEMENT_ENUM(levels);
static const struct json_field int_element = JSON_ELEMENT(JSON_KIND_INT, 0, 9);

struct body {
    struct slice id, note, extra, raw;
    struct slice slug;
    int64_t count, quantity, rating;
    bool has_rating, live, dry, has_level, has_at, has_sub;
    int level, kind;
    instant_us at;
    struct accord_currency currency;
    struct line_body sub;
    struct json_array lines, tags, levels, numbers, answers, names;
};
static const struct json_field fields[] = {
    JSON_ID(struct body, id, 1, 16),
    JSON_STRING_OPT(struct body, note, 0, 20),
    JSON_RAW_OPT(struct body, raw),
    JSON_SLUG_OPT(struct body, slug),
    JSON_INT(struct body, count, INT64_MIN, INT64_MAX),
    JSON_INT_OR(struct body, quantity, 1, 100, 1),
    JSON_DECIMAL_OPT(struct body, rating, has_rating, 3, 0, 5000),
    JSON_BOOLEAN_OR(struct body, live, true),
    JSON_BOOLEAN_OR(struct body, dry, false),
    JSON_ENUM_OPT(struct body, level, has_level, levels),
    JSON_ENUM_OR(struct body, kind, levels, 2),
    JSON_TIME_OPT(struct body, at, has_at),
    JSON_CURRENCY_OPT(struct body, currency),
    JSON_SUB_OPT(struct body, sub, has_sub, &line_spec),
    JSON_ARRAY_OF_OPT(struct body, lines, &line_spec, 1, 3),
    JSON_ARRAY_SCALAR_OPT(struct body, tags, &tag_element, 0, 3),
    JSON_ARRAY_SCALAR_OPT(struct body, levels, &level_element, 0, 3),
    JSON_ARRAY_SCALAR_OPT(struct body, numbers, &int_element, 0, 3),
    JSON_MAP_OPT(struct body, answers, NULL, 0, 3),
    JSON_MAP_OPT(struct body, names, &tag_element, 0, 3),
};
static const struct json_object spec = JSON_OBJECT(struct body, fields);
static const struct json_object open_spec = JSON_OBJECT_OPEN(struct body, fields, extra);

static struct arena *arena;
static struct json_problems problems;

static void setup(void)
{
    arena = arena_new(64u << 20);
    memset(&problems, 0, sizeof problems);
}

static void teardown(void)
{
    arena_free(arena);
}

/* Decodes from a copy of the exact size, so that the sanitizers see a read behind it. */
static enum accord_error decode_bytes(const struct json_object *object, const char *text,
                                      size_t len, struct body *ret)
{
    char *copy = malloc(len == 0 ? 1 : len);
    memcpy(copy, text, len);
    const enum accord_error error =
        json_decode(arena, (struct slice){copy, len}, object, "/7", ret, &problems);
    free(copy);
    return error;
}

static enum accord_error decode(const struct json_object *object, const char *text,
                                struct body *ret)
{
    return decode_bytes(object, text, strlen(text), ret);
}

#define ck_assert_slice(slice, text)                                                               \
    do {                                                                                           \
        ck_assert_uint_eq((slice).len, strlen(text));                                              \
        ck_assert_str_eq((slice).data, text);                                                      \
    } while (0)

START_TEST(every_kind_is_decoded)
{
    struct body body;
    const char *text =
        "\xef\xbb\xbf "
        "{\"id\":\"o-1\",\"note\":\"\\u8bfe\\n\\ud83d\\ude00\",\"count\":-9223372036854775808,"
        "\"raw\":{\"b\":[1.50,{}],\"a\":\"\\u002f\"},\"slug\":\"net_ease-1\",\"quantity\":100,"
        "\"rating\":4.9,\"live\":false,\"level\":\"beginner\",\"at\":\"2026-01-15T20:03:11+08:00\","
        "\"currency\":\"CNY\",\"sub\":{\"line_id\":\"x\",\"paid\":0},"
        "\"lines\":[{\"line_id\":\"a\",\"paid\":10000000000000,\"tax\":5},{\"paid\":1,"
        "\"line_id\":\"b\"}],\"tags\":[\"js\",\"\\u8bfe\"],\"levels\":[\"advanced\",\"all\"],"
        "\"numbers\":[],\"answers\":{\"q2\":\"yes\",\"q1\":-3,\"q3\":true},\"names\":{}}";
    ck_assert_int_eq(decode(&spec, text, &body), ACCORD_OK);
    ck_assert_slice(body.id, "o-1");
    ck_assert_slice(body.note, "课\n\xf0\x9f\x98\x80");
    ck_assert_slice(body.raw, "{\"a\":\"/\",\"b\":[1.50,{}]}");
    ck_assert_slice(body.slug, "net_ease-1");
    ck_assert(body.count == INT64_MIN && body.quantity == 100);
    ck_assert(body.rating == 4900 && body.has_rating);
    ck_assert(!body.live && !body.dry);
    ck_assert(body.level == 1 && body.has_level && body.kind == 2);
    ck_assert(body.at == INT64_C(1768478591000000) && body.has_at);
    ck_assert_str_eq(body.currency.code, "CNY");
    ck_assert(body.has_sub && body.sub.paid == 0 && !body.sub.has_tax);
    ck_assert_uint_eq(body.lines.count, 2);
    const struct line_body *lines = body.lines.items;
    ck_assert_slice(lines[0].line_id, "a");
    ck_assert(lines[0].paid == INT64_C(10000000000000) && lines[0].tax == 5 && lines[0].has_tax);
    ck_assert_slice(lines[1].line_id, "b");
    ck_assert(!lines[1].has_tax);
    const struct slice *tags = body.tags.items;
    ck_assert_uint_eq(body.tags.count, 2);
    ck_assert_slice(tags[1], "课");
    ck_assert_int_eq(((int *)body.levels.items)[0], 2);
    ck_assert_int_eq(((int *)body.levels.items)[1], 0);
    ck_assert_ptr_nonnull(body.numbers.items);
    ck_assert_uint_eq(body.numbers.count, 0);
    const struct json_entry *answers = body.answers.items;
    ck_assert_uint_eq(body.answers.count, 3);
    ck_assert_slice(answers[0].name, "q2");
    ck_assert_slice(answers[0].value, "yes");
    ck_assert(answers[0].is_text && !answers[1].is_text);
    ck_assert_slice(answers[1].value, "-3");
    ck_assert_slice(answers[2].value, "true");
    ck_assert_ptr_nonnull(body.names.items);
    ck_assert_uint_eq(problems.total, 0);
}
END_TEST

START_TEST(absence_shows)
{
    struct body body;
    ck_assert_int_eq(decode(&spec, "{\"id\":\"a\",\"count\":0}", &body), ACCORD_OK);
    ck_assert(body.note.data == NULL && body.raw.data == NULL && body.slug.data == NULL);
    ck_assert(body.quantity == 1 && body.live && !body.dry && body.kind == 2);
    ck_assert(!body.has_rating && !body.has_level && !body.has_at && !body.has_sub);
    ck_assert_str_eq(body.currency.code, "");
    ck_assert(body.lines.items == NULL && body.tags.items == NULL && body.answers.items == NULL);
    /* Present but empty is not absent. */
    ck_assert_int_eq(decode(&spec, "{\"id\":\"a\",\"count\":0,\"note\":\"\"}", &body), ACCORD_OK);
    ck_assert(body.note.data != NULL && body.note.len == 0);
}
END_TEST

START_TEST(open_objects_keep_what_they_do_not_know)
{
    struct body body;
    const char *text = "{\"zeta\":[1e2,{\"b\":0.10,\"a\":123456789012345678901}],\"id\":\"a\","
                       "\"rating\":\"4.25\",\"count\":3,\"level\":null,\"Alpha\":null,\"raw\":null,"
                       "\"quantity\":null,\"lines\":null}";
    ck_assert_int_eq(decode(&open_spec, text, &body), ACCORD_OK);
    ck_assert_slice(body.extra,
                    "{\"Alpha\":null,\"zeta\":[1e2,{\"a\":123456789012345678901,\"b\":0.10}]}");
    ck_assert(body.rating == 4250 && !body.has_level && body.raw.data == NULL);
    ck_assert(body.quantity == 1 && body.lines.items == NULL);
    ck_assert_int_eq(decode(&open_spec, "{\"id\":\"a\",\"count\":3}", &body), ACCORD_OK);
    ck_assert_ptr_null(body.extra.data);
}
END_TEST

/* One text, and what is wrong with it as "pointer=code" pieces in the order found. */
static const struct {
    const char *text;
    const char *expected;
} wrongs[] = {
    {"{}", "/7/id=field_missing /7/count=field_missing"},
    {"[]", "/7=type_wrong"},
    {"null", "/7=type_wrong"},
    {"12.5", "/7=type_wrong"},
    {"{\"id\":1,\"count\":\"1\",\"live\":0,\"level\":true,\"at\":5,\"currency\":[],\"sub\":[],"
     "\"lines\":{},\"tags\":\"a\",\"answers\":[],\"slug\":{},\"rating\":true,\"note\":null}",
     "/7/id=type_wrong /7/count=type_wrong /7/live=type_wrong /7/level=type_wrong /7/at=type_wrong "
     "/7/currency=type_wrong /7/sub=type_wrong /7/lines=type_wrong /7/tags=type_wrong "
     "/7/answers=type_wrong /7/slug=type_wrong /7/rating=type_wrong /7/note=type_wrong"},
    {"{\"id\":\"a\",\"count\":1,\"a/b\":1,\"m~n\":{\"x\":1.5},\"\":0}",
     "/7/a~1b=field_unknown /7/m~0n=field_unknown /7/=field_unknown"},
    {"{\"id\":\"a\",\"count\":1,\"quantity\":0}", "/7/quantity=value_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"quantity\":101}", "/7/quantity=value_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"quantity\":1.0}", "/7/quantity=number_not_integer"},
    {"{\"id\":\"a\",\"count\":1,\"quantity\":1e2}", "/7/quantity=number_not_integer"},
    {"{\"id\":\"a\",\"count\":1E0}", "/7/count=number_not_integer"},
    {"{\"id\":\"a\",\"count\":19.90}", "/7/count=number_not_integer"},
    {"{\"id\":\"a\",\"count\":1e999999}", "/7/count=number_not_integer"},
    {"{\"id\":\"a\",\"count\":9223372036854775808}", "/7/count=value_out_of_range"},
    {"{\"id\":\"a\",\"count\":-9223372036854775809}", "/7/count=value_out_of_range"},
    {"{\"id\":\"a\",\"count\":99999999999999999999999999}", "/7/count=value_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"sub\":{\"line_id\":\"\",\"paid\":-1,\"tax\":10000000000001}}",
     "/7/sub/line_id=text_length /7/sub/paid=amount_out_of_range /7/sub/tax=amount_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"lines\":[{\"line_id\":\"a\",\"paid\":19.90},{\"line_id\":"
     "\"123456789\",\"paid\":9223372036854775808},{\"paid\":1e2}]}",
     "/7/lines/0/paid=number_not_integer /7/lines/1/line_id=text_length "
     "/7/lines/1/paid=amount_out_of_range /7/lines/2/paid=number_not_integer "
     "/7/lines/2/line_id=field_missing"},
    {"{\"id\":\"a\",\"count\":1,\"lines\":[]}", "/7/lines=count_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"lines\":[1,2,3,4]}", "/7/lines=count_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"tags\":[\"\",\"a\\nb\",null,3],\"numbers\":[1,10,1.5],"
     "\"levels\":[\"all\",\"ALL\"]}",
     "/7/tags=count_out_of_range /7/numbers/1=value_out_of_range /7/numbers/2=number_not_integer "
     "/7/levels/1=value_unknown"},
    {"{\"id\":\"a\",\"count\":1,\"tags\":[\"\",\"a\\nb\",null]}",
     "/7/tags/0=text_length /7/tags/1=text_invalid /7/tags/2=type_wrong"},
    {"{\"id\":\"a\\tb\",\"count\":1}", "/7/id=text_invalid"},
    {"{\"id\":\"a\\u0000b\",\"count\":1}", "/7/id=text_invalid"},
    {"{\"id\":\"a\\u0085b\",\"count\":1}", "/7/id=text_invalid"},
    {"{\"id\":\"12345678901234567\",\"count\":1}", "/7/id=text_length"},
    {"{\"id\":\"a\",\"count\":1,\"note\":\"\\u0000\"}", "/7/note=text_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"note\":\"\\u001b[1m\"}", "/7/note=text_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"note\":\"\\ud800\"}", "/7/note=text_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"note\":\"\\udc00\"}", "/7/note=text_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"raw\":[{\"x\":\"\\ud83d \\ude00\"}]}", "/7/raw/0/x=text_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"raw\":[\"\\u0000\"]}", "/7/raw=text_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"raw\":[{\"\\u0000\":1}]}", "/7/raw/0/\\u0000=text_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"id\":\"a\"}", "/7/id=field_duplicate"},
    {"{\"id\":\"a\",\"count\":1,\"i\\u0064\":\"b\"}", "/7/id=field_duplicate"},
    {"{\"id\":\"a\",\"lines\":[{},{\"paid\":1,\"x\":{},\"paid\":2}]}",
     "/7/lines/1/paid=field_duplicate"},
    {"{\"id\":\"a\",\"count\":1,\"raw\":{\"a~/\":[[],{\"b\":1,\"b\":1}]}}",
     "/7/raw/a~0~1/1/b=field_duplicate"},
    {"{\"id\":\"a\",\"count\":1,\"slug\":\"\"}", "/7/slug=slug_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"slug\":\"-a\"}", "/7/slug=slug_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"slug\":\"A\"}", "/7/slug=slug_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"slug\":\"a.b\"}", "/7/slug=slug_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"slug\":\"a\\u0000\"}", "/7/slug=slug_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"at\":\"2026-01-15\"}", "/7/at=time_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"currency\":\"cny\"}", "/7/currency=currency_unknown"},
    {"{\"id\":\"a\",\"count\":1,\"currency\":\"XXX\"}", "/7/currency=currency_unknown"},
    {"{\"id\":\"a\",\"count\":1,\"level\":\"Beginner\"}", "/7/level=value_unknown"},
    {"{\"id\":\"a\",\"count\":1,\"rating\":4.9001}", "/7/rating=decimal_precision"},
    {"{\"id\":\"a\",\"count\":1,\"rating\":\"4.9001\"}", "/7/rating=decimal_precision"},
    {"{\"id\":\"a\",\"count\":1,\"rating\":5.001}", "/7/rating=value_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"rating\":-0.001}", "/7/rating=value_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"rating\":6}", "/7/rating=value_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"rating\":9223372036854775807}", "/7/rating=value_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"rating\":92233720368547758070}", "/7/rating=value_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"rating\":4.9e0}", "/7/rating=decimal_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"rating\":\"4,9\"}", "/7/rating=decimal_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"rating\":\"\"}", "/7/rating=decimal_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"answers\":{\"a\":1.5,\"b\":null,\"c\":[]}}",
     "/7/answers/a=number_not_integer /7/answers/b=type_wrong /7/answers/c=type_wrong"},
    {"{\"id\":\"a\",\"count\":1,\"answers\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1}}",
     "/7/answers=count_out_of_range"},
    {"{\"id\":\"a\",\"count\":1,\"answers\":{\"\":1,\"a\\nb\":1}}",
     "/7/answers/=text_length /7/answers/a\nb=text_invalid"},
    {"{\"id\":\"a\",\"count\":1,\"names\":{\"x\":1,\"y\":\"12345678901\"}}",
     "/7/names/x=type_wrong /7/names/y=text_length"},
    {"", "/7=json_invalid"},
    {" ", "/7=json_invalid"},
    {"{", "/7=json_invalid"},
    {"{\"id\":\"a\"", "/7=json_invalid"},
    {"{\"id\":\"a\",}", "/7=json_invalid"},
    {"{\"id\":\"a\"}}", "/7=json_invalid"},
    {"{\"id\":\"a\"} {}", "/7=json_invalid"},
    {"{'id':1}", "/7=json_invalid"},
    {"{\"id\":\"\xff\"}", "/7=json_invalid"},
    {"{\"id\":\"\xc0\x80\"}", "/7=json_invalid"},
    {"{\"id\":\"\xed\xa0\x80\"}", "/7=json_invalid"},
    {"{\"id\":\"\xe8\xaf\"}", "/7=json_invalid"},
    {"{\"id\":\"a\nb\"}", "/7=json_invalid"},
    {"{\"id\":01}", "/7=json_invalid"},
    {"\xfe\xff", "/7=json_invalid"},
};

START_TEST(problems_are_named)
{
    struct body body;
    memset(&body, 0x5a, sizeof body);
    const enum accord_error error = decode(&spec, wrongs[_i].text, &body);
    char got[4000] = "";
    size_t at = 0;
    for (size_t i = 0; i < problems.count; i++) {
        const struct json_problem *problem = &problems.items[i];
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%s=%s", i == 0 ? "" : " ",
                               problem->pointer, accord_error_code(problem->code));
        ck_assert_uint_gt(strlen(problem->message), 0);
    }
    ck_assert_msg(strcmp(got, wrongs[_i].expected) == 0, "%s\n gives %s\n not   %s",
                  wrongs[_i].text, got, wrongs[_i].expected);
    ck_assert_int_eq(error, strstr(got, "json_invalid") != NULL ? ACCORD_E_JSON_INVALID
                                                                : ACCORD_E_FIELDS_INVALID);
    /* The output is unwritten on failure. */
    for (size_t i = 0; i < sizeof body; i++)
        ck_assert_int_eq(((unsigned char *)&body)[i], 0x5a);
}
END_TEST

START_TEST(minus_zero_is_zero)
{
    struct body body;
    ck_assert_int_eq(decode(&spec, "{\"id\":\"a\",\"count\":-0,\"raw\":-0}", &body), ACCORD_OK);
    ck_assert_int_eq(body.count, 0);
    ck_assert_slice(body.raw, "0");
}
END_TEST

START_TEST(int64_edges)
{
    struct body body;
    ck_assert_int_eq(decode(&spec, "{\"id\":\"a\",\"count\":9223372036854775807}", &body),
                     ACCORD_OK);
    ck_assert(body.count == INT64_MAX);
    ck_assert_int_eq(decode(&spec, "{\"id\":\"a\",\"count\":-9223372036854775808}", &body),
                     ACCORD_OK);
    ck_assert(body.count == INT64_MIN);
}
END_TEST

START_TEST(invalid_text_says_where)
{
    struct body body;
    ck_assert_int_eq(decode(&spec, "{\n \"id\": \"a\",\n \"count\" 1}", &body),
                     ACCORD_E_JSON_INVALID);
    ck_assert_str_eq(problems.items[0].message, "line 3, byte 10: a colon is due");
    ck_assert_int_eq(decode(&spec, "{\"id\":\"a\"", &body), ACCORD_E_JSON_INVALID);
    ck_assert_str_eq(problems.items[1].message, "line 1, byte 10: the text ends too early");
}
END_TEST

START_TEST(depth_is_bounded)
{
    enum { DEEP = 3000 };
    static const char front[] = "{\"id\":\"a\",\"count\":1,\"raw\":";
    char text[sizeof front + 2 * (size_t)DEEP];
    struct body body;
    for (size_t nested = JSON_DEPTH_MAX - 1; nested <= JSON_DEPTH_MAX; nested++) {
        memset(text, ' ', sizeof text);
        memcpy(text, front, sizeof front - 1);
        memset(text + sizeof front - 1, '[', nested);
        memset(text + sizeof front - 1 + nested, ']', nested);
        text[sizeof text - 1] = '}';
        ck_assert_int_eq(decode_bytes(&spec, text, sizeof text, &body),
                         nested < JSON_DEPTH_MAX ? ACCORD_OK : ACCORD_E_JSON_INVALID);
    }
    memset(text, '[', sizeof text);
    ck_assert_int_eq(decode_bytes(&spec, text, sizeof text, &body), ACCORD_E_JSON_INVALID);
    ck_assert_ptr_nonnull(strstr(problems.items[1].message, "too deeply nested"));
}
END_TEST

START_TEST(long_input_is_cut_not_followed)
{
    /* A text of 1 MiB, a name of 1 MiB, and more problems than are kept. */
    enum { BIG = 1 << 20 };
    char *text = malloc(BIG + 100);
    struct body body;
    size_t at = (size_t)sprintf(text, "{\"id\":\"");
    memset(text + at, 'x', BIG);
    ck_assert_int_eq(decode_bytes(&spec, text, at + BIG, &body), ACCORD_E_JSON_INVALID);
    sprintf(text + at + BIG, "\",\"count\":1}");
    ck_assert_int_eq(decode(&spec, text, &body), ACCORD_E_FIELDS_INVALID);
    ck_assert_int_eq(problems.items[1].code, ACCORD_E_TEXT_LENGTH);
    at = (size_t)sprintf(text, "{\"");
    for (size_t i = 0; i < BIG / 3; i++)
        memcpy(text + at + 3 * i, "课", 3);
    sprintf(text + at + BIG / 3 * 3, "\":1,\"id\":\"a\",\"count\":1}");
    ck_assert_int_eq(decode(&spec, text, &body), ACCORD_E_FIELDS_INVALID);
    ck_assert_int_eq(problems.items[2].code, ACCORD_E_FIELD_UNKNOWN);
    ck_assert_uint_eq(strlen(problems.items[2].pointer), 3 + 84 * 3); /* "/7/" and whole points */
    at = (size_t)sprintf(text, "{\"id\":\"a\",\"count\":1");
    for (int i = 0; i < 1000; i++)
        at += (size_t)sprintf(text + at, ",\"f%d\":1", i);
    sprintf(text + at, "}");
    ck_assert_int_eq(decode(&spec, text, &body), ACCORD_E_FIELDS_INVALID);
    ck_assert_uint_eq(problems.count, JSON_PROBLEMS_MAX);
    ck_assert_uint_eq(problems.total, 1003);
    free(text);
}
END_TEST

START_TEST(memory_has_a_maximum)
{
    struct body body;
    arena_free(arena);
    arena = arena_new(100);
    ck_assert_int_eq(decode(&spec, "{\"id\":\"a\",\"count\":1}", &body), ACCORD_E_OUT_OF_MEMORY);
    ck_assert_uint_eq(problems.total, 0);
}
END_TEST

static const struct {
    const char *text;
    const char *canonical; /* NULL: an error */
    enum accord_error error;
} canonicals[] = {
    {" { \"b\" : 1 , \"a\" : [ ] } ", "{\"a\":[],\"b\":1}", ACCORD_OK},
    {"{\"a\":{\"z\":1,\"Z\":2,\"\":3,\"课\":4,\"z1\":5}}",
     "{\"a\":{\"\":3,\"Z\":2,\"z\":1,\"z1\":5,\"课\":4}}", ACCORD_OK},
    {"\"\\u0041\\/\\u00e9\\u001F\\u0009\\ud83d\\ude00\"", "\"A/é\\u001f\\t\xf0\x9f\x98\x80\"",
     ACCORD_OK},
    {"[1.0,1.00,1e2,1E+2,-0,-0.0,0.1,100000000000000000000,1e999,-1e-999]",
     "[1.0,1.00,1e2,1E+2,0,-0.0,0.1,100000000000000000000,1e999,-1e-999]", ACCORD_OK},
    {"{\"b\":2.5,\"a\":1.5,\"c\":{\"y\":4.5,\"x\":3.5}}",
     "{\"a\":1.5,\"b\":2.5,\"c\":{\"x\":3.5,\"y\":4.5}}", ACCORD_OK},
    {"[0.01,0.02,0.03,0.04,0.05,0.06,0.07,0.08,0.09,0.10,0.11,0.12,0.13,0.14,0.15,0.16,0.17,0.18]",
     "[0.01,0.02,0.03,0.04,0.05,0.06,0.07,0.08,0.09,0.10,0.11,0.12,0.13,0.14,0.15,0.16,0.17,0.18]",
     ACCORD_OK},
    {"true", "true", ACCORD_OK},
    {"null", "null", ACCORD_OK},
    {"\xef\xbb\xbf{}", "{}", ACCORD_OK},
    {"{\"a\":1,\"a\":1}", NULL, ACCORD_E_FIELD_DUPLICATE},
    {"\"\\u0000\"", NULL, ACCORD_E_TEXT_INVALID},
    {"\"\\ud800\"", NULL, ACCORD_E_TEXT_INVALID},
    {"\"\xff\"", NULL, ACCORD_E_JSON_INVALID},
    {"[1,]", NULL, ACCORD_E_JSON_INVALID},
    {"", NULL, ACCORD_E_JSON_INVALID},
};

START_TEST(canonical_form)
{
    struct slice text = {NULL, 0};
    const enum accord_error error = json_canonical(arena, slice_of(canonicals[_i].text), &text);
    ck_assert_int_eq(error, canonicals[_i].error);
    if (error != ACCORD_OK) {
        ck_assert_ptr_null(text.data);
        return;
    }
    ck_assert_slice(text, canonicals[_i].canonical);
    struct slice again;
    ck_assert_int_eq(json_canonical(arena, text, &again), ACCORD_OK);
    ck_assert_slice(again, canonicals[_i].canonical);
}
END_TEST

/* A random document, written with random blanks, escapes and member order. */
struct writer {
    char *text;
    size_t len;
    uint64_t *order; /* decides layout only */
    uint64_t *seed;  /* decides content */
};

static void put(struct writer *w, const char *text)
{
    static const char *const blanks[] = {"", "", "", " ", "\n\t", "\r\n  "};
    w->len += (size_t)sprintf(w->text + w->len, "%s%s", text, blanks[random_below(w->order, 6)]);
}

static void put_value(struct writer *w, int depth)
{
    static const char *const scalars[] = {"1",     "-0.50", "1e2",  "9223372036854775807",
                                          "true",  "null",  "1.00", "99999999999999999999",
                                          "false", "\"\"",  "0.1"};
    const int64_t kind = random_below(w->seed, depth > 4 ? 6 : 12);
    if (kind < 5) {
        put(w, scalars[random_below(w->seed, sizeof scalars / sizeof scalars[0])]);
    } else if (kind < 7) {
        static const char *const plain[] = {"\"é/\"", "\"a\\nb\"", "\"\xf0\x9f\x98\x80\""};
        static const char *const escaped[] = {"\"\\u00e9\\/\"", "\"\\u0061\\u000Ab\"",
                                              "\"\\uD83D\\ude00\""};
        const int64_t which = random_below(w->seed, 3);
        put(w, random_below(w->order, 2) == 0 ? plain[which] : escaped[which]);
    } else if (kind < 9) {
        const int64_t count = random_below(w->seed, 4);
        put(w, "[");
        for (int64_t i = 0; i < count; i++) {
            if (i > 0)
                put(w, ",");
            put_value(w, depth + 1);
        }
        put(w, "]");
    } else {
        /* Each member's content comes from a seed of its own, so that their order is free. */
        static const char *const names[] = {"\"a\":", "\"b\":", "\"B\":", "\"\\u8bfe\":"};
        const uint64_t base = random_next(w->seed);
        const int64_t first = random_below(w->order, 4);
        put(w, "{");
        for (int64_t i = 0; i < 4; i++) {
            const int64_t which = (first + i) % 4;
            uint64_t seed = base + (uint64_t)which;
            struct writer member = {w->text, w->len, w->order, &seed};
            if (i > 0)
                put(&member, ",");
            put(&member, names[which]);
            put_value(&member, depth + 1);
            w->len = member.len;
        }
        put(w, "}");
    }
}

START_TEST(canonical_form_does_not_depend_on_layout)
{
    char *a = malloc(1u << 20);
    char *b = malloc(1u << 20);
    uint64_t order = 99;
    for (uint64_t round = 0; round < 2000; round++) {
        uint64_t seed = round;
        struct writer one = {a, 0, &order, &seed};
        put_value(&one, 0);
        seed = round;
        struct writer two = {b, 0, &order, &seed};
        put_value(&two, 0);
        struct slice first;
        struct slice second;
        struct slice third;
        arena_reset(arena);
        ck_assert_int_eq(json_canonical(arena, (struct slice){a, one.len}, &first), ACCORD_OK);
        ck_assert_int_eq(json_canonical(arena, (struct slice){b, two.len}, &second), ACCORD_OK);
        ck_assert_msg(slice_equal(first, second), "round %d:\n%s\n%s", (int)round, first.data,
                      second.data);
        ck_assert_int_eq(json_canonical(arena, first, &third), ACCORD_OK);
        ck_assert(slice_equal(first, third));
        ck_assert_uint_le(first.len, one.len);
    }
    free(a);
    free(b);
}
END_TEST

START_TEST(peek)
{
    char type[16] = "";
    const char *text = " {\"a\":{\"type\":\"no\"}, \"t\\u0079pe\" : \"ra\\u0074ing\\/x\" }";
    ck_assert(json_peek_text(slice_of(text), "type", type, sizeof type));
    ck_assert_str_eq(type, "rating/x");
    ck_assert(!json_peek_text(slice_of(text), "type", type, 8));
    ck_assert(!json_peek_text(slice_of(text), "other", type, sizeof type));
    static const char *const none[] = {"",
                                       "[\"type\"]",
                                       "{",
                                       "{\"type\"",
                                       "{\"type\":",
                                       "{\"type\":1}",
                                       "{\"a\":tru",
                                       "{\"type\":\"a",
                                       "{}",
                                       "{\"a\":",
                                       "{\"type\":\"\\u8bfe\"}"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        ck_assert(!json_peek_text(slice_of(none[i]), "type", type, sizeof type));
    ck_assert_str_eq(type, "rating/x");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("json_decode");
    TCase *tests = tcase_create("json_decode");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_kind_is_decoded);
    tcase_add_test(tests, absence_shows);
    tcase_add_test(tests, open_objects_keep_what_they_do_not_know);
    tcase_add_loop_test(tests, problems_are_named, 0, sizeof wrongs / sizeof wrongs[0]);
    tcase_add_test(tests, minus_zero_is_zero);
    tcase_add_test(tests, int64_edges);
    tcase_add_test(tests, invalid_text_says_where);
    tcase_add_test(tests, depth_is_bounded);
    tcase_add_test(tests, long_input_is_cut_not_followed);
    tcase_add_test(tests, memory_has_a_maximum);
    tcase_add_loop_test(tests, canonical_form, 0, sizeof canonicals / sizeof canonicals[0]);
    tcase_add_test(tests, canonical_form_does_not_depend_on_layout);
    tcase_add_test(tests, peek);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
