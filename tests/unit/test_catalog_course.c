/* Courses: from JSON and CSV to the canonical body. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "ingest/course_csv.h"

static struct arena *arena;
static struct json_problems problems;

static void setup(void)
{
    arena = arena_new((size_t)64 << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

/* "pointer code" of each problem, separated by blanks. */
static const char *problem_text(void)
{
    static char text[4000];
    text[0] = '\0';
    for (size_t i = 0; i < problems.count; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s %s", i == 0 ? "" : " ",
                 problems.items[i].pointer, accord_error_code(problems.items[i].code));
    }
    return text;
}

static const char *body_of(const struct course *course, struct store_course *row)
{
    *row = (struct store_course){0};
    ck_assert_int_eq(course_encode(arena, course, row), ACCORD_OK);
    const struct hash hash = hash_of(row->body);
    ck_assert(hash_equal(&hash, &row->content_hash));
    return arena_strdup(arena, row->body);
}

static struct course decoded(const char *json)
{
    struct course course;
    problems = (struct json_problems){0};
    const enum accord_error e =
        course_decode(arena, slice_of(json), false, NULL, &course, &problems);
    ck_assert_msg(e == ACCORD_OK, "%s", problem_text());
    return course;
}

START_TEST(the_canonical_body)
{
    const struct course course = decoded(
        "{\"title\":\"Python 编程\",\"course_id\":\"a/1\",\"summary\":\"一\\n二\",\"language\":"
        "\"ZH_hans-cn\",\"level\":\"beginner\",\"subjects\":[\"数据\",\"数据\",\"AI\"],"
        "\"format\":[\"video\",\"text\"],\"purpose\":[\"certification\"],\"kind\":\"column\","
        "\"duration_minutes\":90,\"url\":\"https://x.example/\",\"offers\":[{\"mode\":\"rent\","
        "\"price\":{\"amount\":500,\"currency\":\"CNY\"}},{\"mode\":\"buy\",\"price\":{\"amount\":"
        "300,\"currency\":\"CNY\"}},{\"mode\":\"buy\",\"price\":{\"amount\":1,\"currency\":"
        "\"USD\"}},{\"mode\":\"free\"}],\"rights\":{\"channels\":[\"c1\"],\"bundle\":false},"
        "\"available\":{\"from\":\"2026-01-01T08:00:00+08:00\"},\"rating\":{\"value\":4.60,"
        "\"count\":7},\"enrolments\":12,\"z\":{\"b\":1,\"a\":[]},\"extra\":{\"y\":true},"
        "\"tags\":null,\"id\":\"own\"}");
    struct store_course row;
    ck_assert_str_eq(
        body_of(&course, &row),
        "{\"course_id\":\"a/1\",\"title\":\"Python 编程\",\"summary\":\"一\\n二\",\"language\":"
        "\"zh-Hans-CN\",\"level\":\"beginner\",\"subjects\":[\"数据\",\"AI\"],\"tags\":[],"
        "\"instructors\":[],\"format\":[\"video\",\"text\"],\"purpose\":[\"certification\"],"
        "\"kind\":\"column\",\"duration_minutes\":90,\"url\":\"https://x.example/\",\"offers\":"
        "[{\"mode\":\"rent\",\"price\":{\"amount\":500,\"currency\":\"CNY\"}},{\"mode\":\"buy\","
        "\"price\":{\"amount\":300,\"currency\":\"CNY\"}},{\"mode\":\"buy\",\"price\":{\"amount\":"
        "1,\"currency\":\"USD\"}},{\"mode\":\"free\"}],\"min_price\":{\"amount\":300,\"currency\":"
        "\"CNY\"},\"rights\":{\"territories\":[],\"channels\":[\"c1\"],\"bundle\":false},"
        "\"available\":{\"from\":\"2026-01-01T00:00:00Z\"},\"rating\":{\"value\":\"4.6\",\"best\":"
        "\"5\",\"count\":7},\"enrolments\":12,\"extra\":{\"id\":\"own\",\"y\":true,\"z\":{\"a\":"
        "[],\"b\":1}}}");
    ck_assert_int_eq(row.price_amount, 300);
    ck_assert(slice_equal(row.price_currency, SLICE("CNY")));
    ck_assert_int_eq(row.rating_ppm, 920000);
    ck_assert_int_eq(row.formats, 1 | 4);
    ck_assert_int_eq(row.purposes, 8);
    ck_assert_uint_eq(row.subject_count, 2);
}
END_TEST

/* What is answered, sent back as it is, has the same content. */
START_TEST(an_answer_can_be_sent_back)
{
    const struct course course = decoded(
        "{\"course_id\":\"课\",\"title\":\"T\",\"offers\":[{\"mode\":\"buy\",\"price\":{\"amount\":"
        "1,\"currency\":\"CNY\"}}],\"rating\":{\"value\":\"4.365384\",\"best\":\"5\"},\"own\":1}");
    struct store_course row;
    const char *body = body_of(&course, &row);
    row.id = SLICE("crs_1");
    row.provider = SLICE("p");
    row.version = 3;
    row.active = true;
    struct buf out;
    buf_init(&out, 10000);
    course_answer(&out, &row);
    struct course again;
    problems = (struct json_problems){0};
    ck_assert_int_eq(course_decode(arena, buf_slice(&out), true, NULL, &again, &problems),
                     ACCORD_OK);
    ck_assert_str_eq(body_of(&again, &row), body);
    buf_done(&out);
}
END_TEST

static const struct {
    const char *json;
    const char *problems;
} refused[] = {
    {"{\"title\":\"T\"}", "/course_id field_missing"},
    {"{\"course_id\":\"\",\"title\":\"\"}", "/course_id text_length /title text_length"},
    {"{\"course_id\":7,\"title\":\"T\"}", "/course_id type_wrong"},
    {"{\"course_id\":\"a\\u0001\",\"title\":\"T\"}", "/course_id text_invalid"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"language\":\"chinese language\"}",
     "/language value_unknown"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"level\":\"All Levels\"}", "/level value_unknown"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"format\":[\"video\",\"film\"]}",
     "/format/1 value_unknown"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"duration_minutes\":1e2}",
     "/duration_minutes number_not_integer"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"url\":\"javascript:alert(1)\"}", "/url text_invalid"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"image_url\":\"https://a b\"}",
     "/image_url text_invalid"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"offers\":[{\"mode\":\"buy\"},{\"mode\":\"free\","
     "\"price\":{\"amount\":5,\"currency\":\"CNY\"}}]}",
     "/offers/0/price field_missing /offers/1/price value_out_of_range"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"offers\":[{\"mode\":\"buy\",\"price\":{\"amount\":"
     "19.90,\"currency\":\"CNY\"}}]}",
     "/offers/0/price/amount number_not_integer"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"offers\":[{\"mode\":\"buy\",\"price\":{\"amount\":1}}]"
     "}",
     "/offers/0/price/currency field_missing"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"rating\":{\"value\":6}}",
     "/rating/value value_out_of_range"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"rating\":{\"value\":1e1}}",
     "/rating/value decimal_invalid"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"rating\":{\"value\":0,\"best\":0}}",
     "/rating/best value_out_of_range"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"available\":{\"from\":\"2026-01-02T00:00:00Z\","
     "\"to\":\"2026-01-02T08:00:00+08:00\"}}",
     "/available/to value_out_of_range"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"extra\":[1]}", "/extra type_wrong"},
    {"{\"course_id\":\"a\",\"title\":\"T\",\"extra\":{\"k\":1},\"k\":2}", "/extra field_duplicate"},
};

START_TEST(every_problem_is_named)
{
    struct course course;
    problems = (struct json_problems){0};
    ck_assert_int_eq(
        course_decode(arena, slice_of(refused[_i].json), false, NULL, &course, &problems),
        ACCORD_E_FIELDS_INVALID);
    ck_assert_str_eq(problem_text(), refused[_i].problems);
}
END_TEST

START_TEST(large_fields_are_refused_one_by_one)
{
    enum { LARGE = 1 << 20 };
    struct buf json;
    buf_init(&json, 4 * LARGE);
    buf_add_str(&json, "{\"course_id\":\"a\",\"title\":\"");
    for (int i = 0; i < LARGE; i++)
        buf_add_char(&json, 'x');
    buf_add_str(&json, "\",\"own\":\"");
    for (int i = 0; i < LARGE; i++)
        buf_add_char(&json, 'y');
    buf_add_str(&json, "\"}");
    struct course course;
    problems = (struct json_problems){0};
    ck_assert_int_eq(course_decode(arena, buf_slice(&json), false, NULL, &course, &problems),
                     ACCORD_E_FIELDS_INVALID);
    ck_assert_str_eq(problem_text(), "/title text_length");
    ck_assert(slice_equal(course_peek_id(arena, buf_slice(&json)), SLICE("a")));
    json.len = 0;
    buf_add_str(&json, "{\"course_id\":\"a\",\"title\":\"T\",\"own\":\"");
    for (int i = 0; i < LARGE; i++)
        buf_add_char(&json, 'y');
    buf_add_str(&json, "\"}");
    problems = (struct json_problems){0};
    ck_assert_int_eq(course_decode(arena, buf_slice(&json), false, NULL, &course, &problems),
                     ACCORD_E_FIELDS_INVALID);
    ck_assert_str_eq(problem_text(), "/extra text_length");
    buf_done(&json);
}
END_TEST

/* ---- CSV ---- */

static const struct course_defaults yuan = {.currency = {"CNY"}, .language = {"zh", 2}};

static enum accord_error from_csv(const char *map_text, const char *text,
                                  const struct course_defaults *defaults, struct course *ret)
{
    struct csv_reader *reader;
    struct csv_row row;
    struct catalog_map *map;
    problems = (struct json_problems){0};
    ck_assert_int_eq(csv_open(slice_of(text), COURSE_ELEMENT_MAX, &reader), ACCORD_OK);
    ck_assert_int_eq(csv_next(reader, &row), ACCORD_OK);
    ck_assert_int_eq(catalog_map_bind(arena, slice_of(map_text), &row, &map, &problems), ACCORD_OK);
    ck_assert_int_eq(csv_next(reader, &row), ACCORD_OK);
    /* The reader goes, the cells' texts stay. */
    struct slice *cells = arena_array(arena, row.count, sizeof *cells);
    for (size_t i = 0; i < row.count; i++)
        cells[i] = (struct slice){arena_strdup(arena, row.cells[i]), row.cells[i].len};
    row.cells = cells;
    csv_close(reader);
    return course_from_row(arena, map, &row, defaults, ret, &problems);
}

static void check_row(const char *map, const char *text, const char *body)
{
    struct course course;
    struct store_course row;
    const enum accord_error e = from_csv(map, text, &yuan, &course);
    ck_assert_msg(e == ACCORD_OK, "%s", problem_text());
    ck_assert_str_eq(body_of(&course, &row), body);
}

#define EMPTY_LISTS                                                                                \
    "\"subjects\":[],\"tags\":[],\"instructors\":[],\"format\":[],\"purpose\":[],\"kind\":"        \
    "\"course\""

START_TEST(rows_become_courses)
{
    check_row("title:course_title,duration_hours:content_duration,subjects:subject",
              "course_id,course_title,url,is_paid,price,level,content_duration,subject\r\n"
              "7,\"GST, & more\",https://x.example/a/,True,1,Expert Level,1.5,Business Finance\r\n",
              "{\"course_id\":\"7\",\"title\":\"GST, & more\",\"language\":\"zh\",\"level\":"
              "\"advanced\",\"subjects\":[\"Business Finance\"],\"tags\":[],\"instructors\":[],"
              "\"format\":[],\"purpose\":[],\"kind\":\"course\",\"duration_minutes\":90,\"url\":"
              "\"https://x.example/a/\",\"offers\":[{\"mode\":\"buy\",\"price\":{\"amount\":100,"
              "\"currency\":\"CNY\"}}],\"min_price\":{\"amount\":100,\"currency\":\"CNY\"},"
              "\"extra\":{\"is_paid\":\"True\"}}");
    /* What several platforms write for nothing. */
    check_row("",
              "course_id,title,price,enrolments,rating,rating_count,level,duration_minutes\n"
              "a,N/A,-1,,-1,,,-1\n",
              "{\"course_id\":\"a\",\"title\":\"N/A\",\"language\":\"zh\"," EMPTY_LISTS
              ",\"offers\":[]}");
    check_row("",
              "course_id,title,price,currency,language,offer_mode,tags,rating,rating_best,"
              "rating_count,territories,bundle,available_from\n"
              "a,T,19.9,USD,en-us,rent,x;y|x,9.25,10,\"1,204\",CN;SG,yes,2026-01-01\n",
              "{\"course_id\":\"a\",\"title\":\"T\",\"language\":\"en-US\",\"subjects\":[],"
              "\"tags\":[\"x\",\"y\"],\"instructors\":[],\"format\":[],\"purpose\":[],\"kind\":"
              "\"course\",\"offers\":[{\"mode\":\"rent\",\"price\":{\"amount\":1990,\"currency\":"
              "\"USD\"}}],\"min_price\":{\"amount\":1990,\"currency\":\"USD\"},\"rights\":"
              "{\"territories\":[\"CN\",\"SG\"],\"channels\":[],\"bundle\":true},\"available\":"
              "{\"from\":\"2026-01-01T00:00:00Z\"},\"rating\":{\"value\":\"9.25\",\"best\":\"10\","
              "\"count\":1204}}");
    check_row("", "course_id,title,price\na,T,Free\n",
              "{\"course_id\":\"a\",\"title\":\"T\",\"language\":\"zh\"," EMPTY_LISTS
              ",\"offers\":[{\"mode\":\"free\",\"price\":{\"amount\":0,\"currency\":\"CNY\"}}],"
              "\"min_price\":{\"amount\":0,\"currency\":\"CNY\"}}");
}
END_TEST

static const struct {
    const char *level;
    const char *want;
} levels[] = {
    {"All Levels", "all"},          {"beginner", "beginner"},
    {"Beginner Level", "beginner"}, {"INTERMEDIATE LEVEL", "intermediate"},
    {"Expert Level", "advanced"},   {"Advanced", "advanced"},
    {"初级", "beginner"},           {"中级", "intermediate"},
    {"高级", "advanced"},           {"不限", "all"},
};

START_TEST(level_aliases)
{
    struct course course;
    char text[200];
    snprintf(text, sizeof text, "course_id,title,level\na,T,%s\n", levels[_i].level);
    ck_assert_int_eq(from_csv("", text, &yuan, &course), ACCORD_OK);
    ck_assert(course.has_level);
    ck_assert_str_eq(course_levels[course.level], levels[_i].want);
}
END_TEST

static const struct {
    const char *text;
    const char *problems;
} bad_rows[] = {
    {"course_id,title\na\n", " csv_invalid"},
    {"course_id,title\na,b,c\n", " csv_invalid"},
    {"course_id,title\n,\n", "/course_id field_missing /title field_missing"},
    {"course_id,title\n\"a\nb\",T\n", "/course_id text_invalid"},
    {"course_id,title,price,level\na,T,$5,guru\n", "/level value_unknown /price amount_invalid"},
    {"course_id,title,price,currency\na,T,5,EURO\n", "/currency currency_unknown"},
    {"course_id,title,summary,own\na,T,\xff,\xfe\n", "/summary text_invalid /extra text_invalid"},
    {"course_id,title,format,kind\na,T,video;film,movie\n",
     "/format value_unknown /kind value_unknown"},
    {"course_id,title,enrolments,duration_hours,bundle,available_to\na,T,x,y,z,1/2/2020\n",
     "/duration_hours decimal_invalid /bundle value_unknown /available_to time_invalid "
     "/enrolments number_not_integer"},
};

START_TEST(bad_rows_name_every_cell)
{
    struct course course;
    ck_assert_int_eq(from_csv("", bad_rows[_i].text, &yuan, &course), ACCORD_E_FIELDS_INVALID);
    ck_assert_str_eq(problem_text(), bad_rows[_i].problems);
}
END_TEST

START_TEST(a_price_needs_a_currency)
{
    static const struct course_defaults none = {.language = {NULL, 0}};
    struct course course;
    ck_assert_int_eq(from_csv("", "course_id,title,price\na,T,5\n", &none, &course),
                     ACCORD_E_FIELDS_INVALID);
    ck_assert_str_eq(problem_text(), "/currency field_missing");
    ck_assert_int_eq(from_csv("", "course_id,title,price\na,T,0\n", &none, &course), ACCORD_OK);
    const struct course_offer *offers = course.offers.items;
    ck_assert_uint_eq(course.offers.count, 1);
    ck_assert_int_eq(offers[0].mode, COURSE_FREE);
    ck_assert(!offers[0].has_price);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("catalog course");
    TCase *json = tcase_create("json");
    tcase_add_checked_fixture(json, setup, teardown);
    tcase_add_test(json, the_canonical_body);
    tcase_add_test(json, an_answer_can_be_sent_back);
    tcase_add_loop_test(json, every_problem_is_named, 0, (int)(sizeof refused / sizeof refused[0]));
    tcase_add_test(json, large_fields_are_refused_one_by_one);
    suite_add_tcase(suite, json);
    TCase *csv = tcase_create("csv");
    tcase_add_checked_fixture(csv, setup, teardown);
    tcase_add_test(csv, rows_become_courses);
    tcase_add_loop_test(csv, level_aliases, 0, (int)(sizeof levels / sizeof levels[0]));
    tcase_add_loop_test(csv, bad_rows_name_every_cell, 0,
                        (int)(sizeof bad_rows / sizeof bad_rows[0]));
    tcase_add_test(csv, a_price_needs_a_currency);
    suite_add_tcase(suite, csv);
    return suite;
}
UNIT_MAIN(make_suite)
