/* Catalogs in their three formats, the guard, the receipts; courses as they are found again. */
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

static struct response *import(const char *key, const char *query, const char *type,
                               const char *body)
{
    return client_send(&(struct request){.method = "POST",
                                         .path = text("/v1/catalogs%s", query),
                                         .key = key,
                                         .type = type,
                                         .body = body});
}

/* Polls a receipt until the import is done with. */
static struct response *finished(const char *key, const char *id)
{
    for (int i = 0; i < 3000; i++) {
        struct response *is = get(key, "/v1/catalogs/%s", id);
        expect_status(is, 200);
        const char *state = text_at(is, "/state");
        if (strcmp(state, "staged") != 0 && strcmp(state, "applying") != 0)
            return is;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    ck_abort_msg("import %s did not finish", id);
}

#define EXPECT_COUNTS(r, received, created, updated, unchanged, withdrawn, rejected)               \
    do {                                                                                           \
        expect_int((r), "/counts/received", (received));                                           \
        expect_int((r), "/counts/created", (created));                                             \
        expect_int((r), "/counts/updated", (updated));                                             \
        expect_int((r), "/counts/unchanged", (unchanged));                                         \
        expect_int((r), "/counts/withdrawn", (withdrawn));                                         \
        expect_int((r), "/counts/rejected", (rejected));                                           \
    } while (0)

static const char mixed[] =
    "{\"courses\":["
    "{\"course_id\":\"python\",\"title\":\"Python 编程入门\",\"language\":\"zh\",\"level\":"
    "\"beginner\",\"subjects\":[\"编程\"],\"format\":[\"video\"],\"offers\":[{\"mode\":\"buy\","
    "\"price\":{\"amount\":19900,\"currency\":\"CNY\"}},{\"mode\":\"rent\",\"price\":{\"amount\":"
    "4900,\"currency\":\"CNY\"}}],\"rating\":{\"value\":4.62,\"best\":5,\"count\":12},"
    "\"enrolments\":310,\"house_code\":\"A-17\"},"
    "{\"course_id\":\"ds\",\"title\":\"Data Science\"},"
    "{\"course_id\":\"bad-price\",\"title\":\"Bad\",\"offers\":[{\"mode\":\"buy\",\"price\":"
    "{\"amount\":19.90,\"currency\":\"CNY\"}}]},"
    "{\"title\":\"No id\"},"
    "{\"course_id\":\"ds\",\"title\":\"Data Science\"},"
    "{\"course_id\":\"ds\",\"title\":\"Other content\"}]}";

START_TEST(a_json_catalog_is_taken_row_by_row)
{
    const char *key = make_partner_key("cat-json", "\"provider\"");
    struct response *is = import(key, "", NULL, mixed);
    expect_status(is, 200);
    expect_text(is, "/state", "applied");
    expect_text(is, "/format", "json");
    expect_text(is, "/mode", "delta");
    /* The same content again counts as unchanged, other content is rejected. */
    EXPECT_COUNTS(is, 6, 2, 0, 1, 0, 3);
    const char *problem = find(is, "/problems", "course_id", "bad-price");
    expect_int(is, text("%s/line", problem), 3);
    expect_text(is, text("%s/code", problem), "number_not_integer");
    expect_text(is, text("%s/code", find(is, "/problems", "course_id", "ds")), "course_repeated");

    struct response *course = get(key, "/v1/courses/cat-json/python");
    expect_status(course, 200);
    expect_text(course, "/title", "Python 编程入门");
    expect_money(course, "/offers/0/price", 19900, "CNY");
    expect_money(course, "/min_price", 4900, "CNY");
    expect_text(course, "/rating/value", "4.62");
    expect_text(course, "/rating/best", "5");
    expect_int(course, "/rating/count", 12);
    expect_int(course, "/enrolments", 310);
    expect_text(course, "/extra/house_code", "A-17");
    expect_text(course, "/kind", "course");
    expect_text(course, "/state", "active");
    expect_int(course, "/version", 1);
    /* By the opaque id too. */
    struct response *same = get(key, "/v1/courses/cat-json/%s", text_at(course, "/id"));
    expect_status(same, 200);
    ck_assert(json_equal(course->json, same->json));

    struct response *again = import(key, "", NULL, mixed);
    EXPECT_COUNTS(again, 6, 0, 0, 3, 0, 3);
    expect_int(get(key, "/v1/courses/cat-json/python"), "/version", 1);

    struct response *receipt = get(key, "/v1/catalogs/%s", text_at(is, "/id"));
    expect_status(receipt, 200);
    expect_text(receipt, "/state", "applied");
    struct response *list = get(key, "/v1/catalogs");
    expect_count(list, "/items", 2);
    expect_text(list, "/items/0/id", text_at(again, "/id"));
}
END_TEST

START_TEST(ndjson_and_arrays_are_the_same_courses)
{
    const char *key = make_partner_key("cat-nd", "\"provider\"");
    struct response *is = import(key, "", "application/x-ndjson",
                                 "{\"course_id\":\"a\",\"title\":\"A\",\"language\":\"en\"}\n"
                                 "not json\n"
                                 "\n"
                                 "{\"course_id\":\"b\",\"title\":\"B\"}");
    expect_status(is, 200);
    expect_text(is, "/format", "ndjson");
    EXPECT_COUNTS(is, 3, 2, 0, 0, 0, 1);
    expect_int(is, "/problems/0/line", 2);
    expect_text(is, "/problems/0/code", "json_invalid");
    expect_text(get(key, "/v1/courses/cat-nd/a"), "/language", "en");
    is = import(key, "", NULL,
                "[{\"title\":\"A\",\"language\":\"en\",\"course_id\":\"a\"},{\"course_id\":\"b\","
                "\"title\":\"B2\"}]");
    EXPECT_COUNTS(is, 2, 0, 1, 1, 0, 0);
    expect_int(get(key, "/v1/courses/cat-nd/b"), "/version", 2);
}
END_TEST

START_TEST(a_partners_own_csv_goes_in_as_it_is)
{
    const char *key = make_partner_key("cat-csv", "\"provider\"");
    const char *csv = "\xef\xbb\xbfid,course_title,price,stars,note\r\n"
                      "1001,\"Python, 入门\",199.00,4.7,x\r\n"
                      "1002,\"Say \"\"hi\"\"\",0,,\r\n"
                      "1003,Broken price,19.999,,\r\n"
                      "1004,\"two\nlines\",20,,\r\n";
    struct response *is = import(key,
                                 "?columns=course_id:id,title:course_title,price:price,rating:stars"
                                 "&currency=CNY&language=zh",
                                 "text/csv", csv);
    expect_status(is, 200);
    expect_text(is, "/format", "csv");
    EXPECT_COUNTS(is, 4, 3, 0, 0, 0, 1);
    expect_text(is, "/problems/0/course_id", "1003");
    expect_text(is, "/problems/0/code", "amount_precision");
    expect_int(is, "/problems/0/line", 4);
    struct response *course = get(key, "/v1/courses/cat-csv/1001");
    expect_text(course, "/title", "Python, 入门");
    expect_money(course, "/min_price", 19900, "CNY");
    expect_text(course, "/rating/value", "4.7");
    expect_text(get(key, "/v1/courses/cat-csv/1002"), "/title", "Say \"hi\"");

    /* The map can be stored on the partner. */
    const char *tag = text("If-Match: %s", header(get(key, "/v1/partners/cat-csv"), "etag"));
    expect_status(patch(key, "/v1/partners/cat-csv", tag,
                        "{\"column_map\":\"course_id:id,title:course_title,price:price,"
                        "rating:stars\"}"),
                  200);
    is = import(key, "?currency=CNY&language=zh", "text/csv", csv);
    EXPECT_COUNTS(is, 4, 0, 0, 3, 0, 1);
    is = import(key, "?columns=title:nowhere", "text/csv", csv);
    ck_assert_int_ge(is->status, 400);
    expect_text(is, "/code", "column_unknown");
}
END_TEST

START_TEST(a_full_catalog_withdraws_but_the_guard_asks_first)
{
    const char *key = make_partner_key("cat-full", "\"provider\"");
    char body[16384] = "[";
    for (int i = 0; i < 100; i++) {
        const size_t len = strlen(body);
        snprintf(body + len, sizeof body - len, "%s{\"course_id\":\"c%d\",\"title\":\"Course %d\"}",
                 i == 0 ? "" : ",", i, i);
    }
    const char *whole = text("%s]", body);
    struct response *is = import(key, "?mode=full", NULL, whole);
    EXPECT_COUNTS(is, 100, 100, 0, 0, 0, 0);
    expect_text(is, "/mode", "full");

    /* 99 of 100: withdraws one. */
    char *cut = text("%s", body);
    *strstr(cut, ",{\"course_id\":\"c99\"") = '\0';
    is = import(key, "?mode=full", NULL, text("%s]", cut));
    expect_text(is, "/state", "applied");
    EXPECT_COUNTS(is, 99, 0, 0, 99, 1, 0);
    expect_text(get(key, "/v1/courses/cat-full/c99"), "/state", "withdrawn");
    expect_count(get(key, "/v1/courses?provider=cat-full&limit=1000"), "/items", 99);

    /* Nearly nothing: blocked, nothing changed until approved. */
    is = import(key, "?mode=full", NULL, "[{\"course_id\":\"c0\",\"title\":\"Course 0\"}]");
    expect_status(is, 200);
    expect_text(is, "/state", "blocked");
    ck_assert(json_is_string(at(is, "/reason")));
    expect_count(get(key, "/v1/courses?provider=cat-full&limit=1000"), "/items", 99);
    const char *id = text_at(is, "/id");
    const char *other = make_partner_key("cat-full-other", "\"provider\"");
    expect_problem(post(other, text("/v1/catalogs/%s/approve", id), NULL), 404, "not_found");
    is = post(key, text("/v1/catalogs/%s/approve", id), NULL);
    expect_status(is, 200);
    is = finished(key, id);
    expect_text(is, "/state", "applied");
    EXPECT_COUNTS(is, 1, 0, 0, 1, 98, 0);
    expect_count(get(key, "/v1/courses?provider=cat-full&limit=1000"), "/items", 1);
    expect_problem(post(key, text("/v1/catalogs/%s/approve", id), NULL), 409, "import_state");
}
END_TEST

START_TEST(a_dry_run_changes_nothing)
{
    const char *key = make_partner_key("cat-dry", "\"provider\"");
    struct response *is = import(key, "?dry_run=true", NULL, mixed);
    expect_status(is, 200);
    expect_bool(is, "/dry_run", true);
    EXPECT_COUNTS(is, 6, 2, 0, 1, 0, 3);
    expect_problem(get(key, "/v1/courses/cat-dry/python"), 404, "not_found");
    is = import(key, "", NULL, mixed);
    EXPECT_COUNTS(is, 6, 2, 0, 1, 0, 3);
}
END_TEST

START_TEST(a_large_catalog_is_polled)
{
    const char *key = make_partner_key("cat-large", "\"provider\"");
    enum { ROWS = 12000 };
    char *body = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&body, &len);
    for (int i = 0; i < ROWS; i++)
        fprintf(out, "{\"course_id\":\"c%d\",\"title\":\"Course %d\",\"summary\":\"%0450d\"%s}\n",
                i, i, i, i % 100 == 99 ? ",\"level\":\"expert\"" : "");
    fclose(out);
    ck_assert_int_gt((int)len, 5 << 20);
    struct response *is = import(key, "", "application/x-ndjson", body);
    expect_status(is, 202);
    ck_assert_str_eq(header(is, "location"), text("/v1/catalogs/%s", text_at(is, "/id")));
    struct response *done = finished(key, text_at(is, "/id"));
    expect_text(done, "/state", "applied");
    EXPECT_COUNTS(done, ROWS, ROWS - ROWS / 100, 0, 0, 0, ROWS / 100);
    expect_count(done, "/problems", 100);
    /* The rest of the problems by cursor. */
    size_t problems = 0;
    const char *cursor = "";
    while (cursor != NULL) {
        struct response *page =
            get(key, "/v1/catalogs/%s/problems?limit=50%s", text_at(is, "/id"), cursor);
        expect_status(page, 200);
        problems += json_array_size(at(page, "/items"));
        cursor =
            json_is_null(at(page, "/next")) ? NULL : text("&cursor=%s", text_at(page, "/next"));
    }
    ck_assert_uint_eq(problems, ROWS / 100);

    /* Of unknown length: 202 as well. */
    is = client_send(&(struct request){.method = "POST",
                                       .path = "/v1/catalogs",
                                       .key = key,
                                       .body = "[{\"course_id\":\"x\",\"title\":\"X\"}]",
                                       .chunked = true});
    expect_status(is, 202);
    done = finished(key, text_at(is, "/id"));
    EXPECT_COUNTS(done, 1, 1, 0, 0, 0, 0);
    free(body);
}
END_TEST

START_TEST(gzip_bodies_are_decoded)
{
    const char *key = make_partner_key("cat-gzip", "\"provider\"");
    unsigned char packed[4096];
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)mixed,
                       .avail_in = sizeof mixed - 1,
                       .next_out = packed,
                       .avail_out = sizeof packed};
    ck_assert(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    ck_assert(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    const size_t len = stream.total_out;
    deflateEnd(&stream);
    struct request request = {.method = "POST",
                              .path = "/v1/catalogs",
                              .key = key,
                              .body = (const char *)packed,
                              .body_len = len,
                              .headers = {"Content-Encoding: gzip"}};
    struct response *is = client_send(&request);
    expect_status(is, 200);
    EXPECT_COUNTS(is, 6, 2, 0, 1, 0, 3);
    packed[len / 2] ^= 0xff;
    is = client_send(&request);
    ck_assert_int_ge(is->status, 400);
    ck_assert_int_lt(is->status, 500);
    request.headers[0] = "Content-Encoding: br";
    expect_problem(client_send(&request), 415, "body_encoding");
}
END_TEST

static const struct {
    const char *query;
    const char *ids; /* in the order of the answer */
} searches[] = {
    {"", "advanced,basics,draft,chinese"}, /* by title: A, B, D, 数 */
    {"&sort=-title", "chinese,draft,basics,advanced"},
    {"&language=zh", "chinese"},
    {"&level=advanced", "advanced"},
    {"&subject=%E6%95%B0%E6%8D%AE", "chinese"},
    {"&format=live", "basics"},
    {"&purpose=certification", "advanced"},
    {"&kind=ebook", "draft"},
    {"&currency=CNY&price_min=10000", "chinese"},
    {"&currency=CNY&price_max=9999&sort=price", "draft,basics"},
    {"&currency=USD", "advanced"},
    {"&rating_min=4.5", "chinese"},
    {"&q=%E7%A7%91%E5%AD%A6", "chinese"},
    {"&state=withdrawn", "gone"},
};

START_TEST(courses_are_found_by_what_they_are)
{
    const char *key = _i == 0 ? make_partner_key("find", "\"provider\"") : make_key("find", NULL);
    if (_i == 0) {
        struct response *is = import(
            key, "", NULL,
            "[{\"course_id\":\"basics\",\"title\":\"Basics\",\"language\":\"en\",\"level\":"
            "\"beginner\",\"format\":[\"live\",\"text\"],\"offers\":[{\"mode\":\"buy\",\"price\":"
            "{\"amount\":9900,\"currency\":\"CNY\"}}],\"rating\":{\"value\":\"4.499\"}},"
            "{\"course_id\":\"advanced\",\"title\":\"Advanced\",\"language\":\"en\",\"level\":"
            "\"advanced\",\"format\":[\"video\"],\"purpose\":[\"certification\"],\"offers\":"
            "[{\"mode\":\"buy\",\"price\":{\"amount\":4900,\"currency\":\"USD\"}}]},"
            "{\"course_id\":\"chinese\",\"title\":\"数据科学导论\",\"language\":\"zh\","
            "\"subjects\":"
            "[\"数据\",\"统计\"],\"offers\":[{\"mode\":\"buy\",\"price\":{\"amount\":19900,"
            "\"currency\":\"CNY\"}}],\"rating\":{\"value\":\"9.2\",\"best\":\"10\"}},"
            "{\"course_id\":\"draft\",\"title\":\"Draft book\",\"kind\":\"ebook\",\"offers\":"
            "[{\"mode\":\"buy\",\"price\":{\"amount\":100,\"currency\":\"CNY\"}}]},"
            "{\"course_id\":\"gone\",\"title\":\"Gone\"}]");
        EXPECT_COUNTS(is, 5, 5, 0, 0, 0, 0);
        expect_status(del(key, "/v1/courses/find/gone"), 204);
        expect_status(del(key, "/v1/courses/find/gone"), 204);
    }
    /* In pages of two, so that every sort has a cursor that works. */
    char ids[256] = "";
    const char *cursor = "";
    while (cursor != NULL) {
        struct response *page =
            get(key, "/v1/courses?provider=find&limit=2%s%s", searches[_i].query, cursor);
        expect_status(page, 200);
        size_t index;
        const json_t *item;
        json_array_foreach(at(page, "/items"), index, item)
        {
            const size_t len = strlen(ids);
            snprintf(ids + len, sizeof ids - len, "%s%s", len > 0 ? "," : "",
                     json_string_value(json_object_get(item, "course_id")));
        }
        cursor =
            json_is_null(at(page, "/next")) ? NULL : text("&cursor=%s", text_at(page, "/next"));
    }
    ck_assert_str_eq(ids, searches[_i].ids);
}
END_TEST

START_TEST(every_change_keeps_its_history)
{
    const char *key = make_partner_key("hist", "\"provider\"");
    make_course(key, "hist", "c", 100, "CNY");
    const char *tag = text("If-Match: %s", header(get(key, "/v1/courses/hist/c"), "etag"));
    expect_status(put(key, "/v1/courses/hist/c", tag, "{\"course_id\":\"c\",\"title\":\"Second\"}"),
                  200);
    expect_status(del(key, "/v1/courses/hist/c"), 204);
    struct response *is = get(key, "/v1/courses/hist/c/versions");
    expect_status(is, 200);
    expect_count(is, "/items", 3);
    expect_text(is, "/items/0/state", "withdrawn");
    expect_text(is, "/items/1/title", "Second");
    expect_int(is, "/items/1/version", 2);
    expect_text(is, "/items/2/title", "Course c");
    expect_money(is, "/items/2/min_price", 100, "CNY");
    expect_text(get(key, "/v1/courses/hist/c"), "/state", "withdrawn");
    expect_problem(get(key, "/v1/courses/hist/none/versions"), 404, "not_found");
    /* Ids that cannot stand in a path are reached by percent-encoding or by the opaque id. */
    struct response *made =
        import(key, "", NULL,
               "[{\"course_id\":\"编程 1\",\"title\":\"T\"},{\"course_id\":\"a/b\","
               "\"title\":\"U\"}]");
    EXPECT_COUNTS(made, 2, 2, 0, 0, 0, 0);
    expect_text(get(key, "/v1/courses/hist/%%E7%%BC%%96%%E7%%A8%%8B%%201"), "/title", "T");
    struct response *list = get(key, "/v1/courses?provider=hist");
    const char *odd = find(list, "/items", "course_id", "a/b");
    expect_text(get(key, "/v1/courses/hist/%s", text_at(list, text("%s/id", odd))), "/title", "U");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("catalogs");
    TCase *all = tcase_create("catalogs");
    tcase_add_unchecked_fixture(all, world_setup, world_teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, a_json_catalog_is_taken_row_by_row);
    tcase_add_test(all, ndjson_and_arrays_are_the_same_courses);
    tcase_add_test(all, a_partners_own_csv_goes_in_as_it_is);
    tcase_add_test(all, a_full_catalog_withdraws_but_the_guard_asks_first);
    tcase_add_test(all, a_dry_run_changes_nothing);
    tcase_add_test(all, a_large_catalog_is_polled);
    tcase_add_test(all, gzip_bodies_are_decoded);
    tcase_add_loop_test(all, courses_are_found_by_what_they_are, 0,
                        sizeof searches / sizeof searches[0]);
    tcase_add_test(all, every_change_keeps_its_history);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "catalogs")
