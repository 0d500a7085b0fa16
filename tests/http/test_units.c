/* The pure parts: entity tags, Accept-Encoding, request ids, targets. */
#include <string.h>

#include "../unit/unit.h"
#include "http/head.h"
#include "http/target.h"

START_TEST(etags)
{
    static const struct {
        const char *field;
        bool weak;
        bool strong;
    } cases[] = {
        {"\"a\"", true, true},
        {"\"a-gz\"", true, true},
        {"W/\"a\"", true, false},
        {"W/\"a-gz\"", true, false},
        {"*", true, true},
        {" * ", true, true},
        {"\"b\", \"a\"", true, true},
        {"\"b\",W/\"a\"", true, false},
        {"\"b\" , ,\"a-gz\" ", true, true},
        {"\"x,\", \"a\"", true, true},
        {"\"x\"a\"", false, false},
        {"\"b\"", false, false},
        {"\"a", false, false},
        {"a", false, false},
        {"\"a-gz", false, false},
        {"\"a-g\"", false, false},
        {"\"a-gzz\"", false, false},
        {"w/\"a\"", false, false},
        {"\"A\"", false, false},
        {"\"*\"", false, false},
        {"\"\"", false, false},
        {"\"", false, false},
        {"W/", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct slice field = slice_of(cases[i].field);
        ck_assert_msg(http_etag_matches(field, "\"a\"") == cases[i].weak, "%s", cases[i].field);
        ck_assert_msg(http_etag_matches_strong(field, "\"a\"") == cases[i].strong, "%s",
                      cases[i].field);
    }
    ck_assert(!http_etag_matches((struct slice){NULL, 0}, "\"a\""));
    ck_assert(head_etag_gzipped(SLICE("\"b\", W/\"a-gz\""), "\"a\""));
    ck_assert(!head_etag_gzipped(SLICE("\"a\", *"), "\"a\""));
}
END_TEST

START_TEST(accept_encoding)
{
    static const struct {
        const char *field;
        bool gzip;
    } cases[] = {
        {"gzip", true},
        {"GZIP", true},
        {"x-gzip", true},
        {"br, gzip;q=0.8", true},
        {"br , gzip ; q=0.001", true},
        {"*", true},
        {"*;q=0.5", true},
        {"gzip;q=0", false},
        {"gzip;q=0.000", false},
        {"gzip;Q=0", false},
        {"*;q=0", false},
        {"gzip;q=0, *", false},
        {"*;q=0, gzip", true},
        {"br", false},
        {"gzipped", false},
        {"identity", false},
        {",,", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(head_accepts_gzip(slice_of(cases[i].field)) == cases[i].gzip, "%s",
                      cases[i].field);
    ck_assert(!head_accepts_gzip((struct slice){NULL, 0}));
}
END_TEST

START_TEST(request_ids)
{
    char long_id[65];
    memset(long_id, 'a', 64);
    long_id[64] = '\0';
    ck_assert(head_request_id(SLICE("a.B-9_")));
    ck_assert(head_request_id((struct slice){long_id, 63}));
    ck_assert(!head_request_id((struct slice){long_id, 64}));
    ck_assert(!head_request_id(SLICE("")));
    ck_assert(!head_request_id(SLICE("a b")));
    ck_assert(!head_request_id(SLICE("a\"b")));
    ck_assert(!head_request_id(SLICE("\xe4\xb8\xad")));
}
END_TEST

static enum accord_error parse(const char *method, const char *target, struct http_request *request)
{
    struct arena *arena = arena_new(1 << 20);
    *request = (struct http_request){.method = slice_of(method), .target = slice_of(target)};
    const enum accord_error error = target_parse(request, arena);
    /* Only counts are looked at afterwards, and texts that were not escaped. */
    arena_free(arena);
    return error;
}

START_TEST(targets)
{
    static const struct {
        const char *target;
        enum accord_error error;
        size_t segments;
        size_t parameters;
    } cases[] = {
        {"/", ACCORD_OK, 0, 0},
        {"/a/b", ACCORD_OK, 2, 0},
        {"/a?", ACCORD_OK, 1, 0},
        {"/?a", ACCORD_OK, 0, 1},
        {"/a?b=c&d", ACCORD_OK, 1, 2},
        {"/a?&&b&", ACCORD_OK, 1, 1},
        {"/a?b=c=d", ACCORD_OK, 1, 1},
        {"/a?b=%2F%0A", ACCORD_OK, 1, 1},
        {"/a?b=/?", ACCORD_OK, 1, 1},
        {"/...", ACCORD_OK, 1, 0},
        {"/%e4%b8%ad/\xe6\x96\x87", ACCORD_OK, 2, 0},
        {"", ACCORD_E_TARGET_INVALID, 0, 0},
        {"*", ACCORD_E_TARGET_INVALID, 0, 0},
        {"a", ACCORD_E_TARGET_INVALID, 0, 0},
        {"?a", ACCORD_E_TARGET_INVALID, 0, 0},
        {"//", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a/", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a//b", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/.", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a/..", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a/.%2e/b", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a%2fb", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a%00", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a%0a", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a%7f", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a%", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a%4", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a%g1", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a%+1", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/%c0%af", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/%ed%a0%80", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/\xff", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a b", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a\\b", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a#b", ACCORD_E_TARGET_INVALID, 0, 0},
        {"/a?b#c", ACCORD_E_QUERY_INVALID, 0, 0},
        {"/a?b=%00", ACCORD_E_QUERY_INVALID, 0, 0},
        {"/a?b=%ff", ACCORD_E_QUERY_INVALID, 0, 0},
        {"/a?b=%", ACCORD_E_QUERY_INVALID, 0, 0},
        {"/a?=b", ACCORD_E_QUERY_INVALID, 0, 0},
    };
    struct http_request request;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const enum accord_error error = parse("GET", cases[i].target, &request);
        ck_assert_msg(error == cases[i].error, "%s: %s", cases[i].target, accord_error_code(error));
        if (error == ACCORD_OK) {
            ck_assert_msg(request.segment_count == cases[i].segments, "%s", cases[i].target);
            ck_assert_msg(request.query_count == cases[i].parameters, "%s", cases[i].target);
        }
    }
    ck_assert_int_eq(parse("OPTIONS", "*", &request), ACCORD_OK);
    char many[HTTP_QUERY_MAX * 2 + 8] = "/?";
    for (int i = 0; i < HTTP_QUERY_MAX; i++)
        strcat(many, "a&");
    ck_assert_int_eq(parse("GET", many, &request), ACCORD_OK);
    ck_assert_uint_eq(request.query_count, HTTP_QUERY_MAX);
    strcat(many, "a");
    ck_assert_int_eq(parse("GET", many, &request), ACCORD_E_QUERY_INVALID);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("http units");
    TCase *tests = tcase_create("units");
    tcase_add_test(tests, etags);
    tcase_add_test(tests, accept_encoding);
    tcase_add_test(tests, request_ids);
    tcase_add_test(tests, targets);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
