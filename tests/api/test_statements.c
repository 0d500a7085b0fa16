/* Periods and statements over HTTP: closing them, the poll, the statement, its lines. */
#include "support/deal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct response *get_as(const char *key, const char *path, const char *accept,
                               const char *condition)
{
    return client_send(&(struct request){
        .method = "GET", .path = path, .key = key, .headers = {accept, condition}});
}

/* January: 10000 at 70 : 30. February: 2000, and half of January's given back.
 *   school  7000 | 1400 - 3500 = -2100, closing 4900
 *   shop    3000, holds 10000: -7000 | 600 - 1500, holds 2000 - 5000: +2100, closing -4900 */
START_TEST(a_statement_never_changes_and_later_ones_say_what_differs)
{
    const struct deal deal = deal_make("months", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *closed = deal_close(&deal, "2025-01");
    expect_count(closed, "/statements", 2);
    expect_bool(closed, "/dry_run", false);
    const char *january = deal_statement(&deal, closed, "school");
    struct response *first = get(deal.school, "/v1/statements/%s", january);
    expect_status(first, 200);
    expect_int(first, "/opening", 0);
    expect_int(first, "/lines/count", 1);
    expect_int(first, "/lines/earned", 7000);
    expect_int(first, "/closing", 7000);
    expect_int(first, "/payable", 7000);
    expect_null(first, "/previous");
    expect_text(first, "/collector", "months-shop");

    deal_sell(&deal, "o2", "2025-02-10", 2000);
    deal_refund(&deal, "o1", "2025-02-11", 5000);
    closed = deal_close(&deal, "2025-02");
    struct response *second =
        get(deal.school, "/v1/statements/%s", deal_statement(&deal, closed, "school"));
    expect_int(second, "/opening", 7000);
    expect_int(second, "/lines/earned", 1400);
    expect_count(second, "/differences", 1);
    expect_text(second, "/differences/0/period", "2025-01");
    expect_int(second, "/differences/0/earned", -3500);
    expect_int(second, "/closing", 4900);
    expect_text(second, "/previous/id", january);
    struct response *shop =
        get(deal.shop, "/v1/statements/%s", deal_statement(&deal, closed, "shop"));
    expect_int(shop, "/opening", -7000);
    expect_int(shop, "/lines/position", 600 - 2000);
    expect_int(shop, "/differences/0/position", -1500 + 5000);
    expect_int(shop, "/closing", -4900);
    expect_int(shop, "/payable", -4900);

    struct response *again = get(deal.school, "/v1/statements/%s", january);
    ck_assert_str_eq(again->body, first->body);
    ck_assert_str_eq(header(again, "etag"), header(first, "etag"));
}
END_TEST

START_TEST(the_hash_of_the_bytes_is_the_tag)
{
    const struct deal deal = deal_make("tags", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *closed = deal_close(&deal, "2025-01");
    const char *id = deal_statement(&deal, closed, "school");
    struct response *list = get(deal.school, "/v1/statements");
    const char *path = text("/v1/statements/%s", id);
    struct response *json = get(deal.school, "%s", path);
    /* Bodies this long may be sent gzipped, with a tag of their own; this client takes none. */
    ck_assert_str_eq(header(json, "etag"), text("\"%s\"", text_at(list, "/items/0/hash")));
    struct response *is =
        get_as(deal.school, path, NULL, text("If-None-Match: %s", header(json, "etag")));
    expect_status(is, 304);
    struct response *csv = get_as(deal.school, path, "Accept: text/csv", NULL);
    expect_status(csv, 200);
    ck_assert_str_eq(header(csv, "content-type"), "text/csv; charset=utf-8");
    ck_assert_str_ne(header(csv, "etag"), header(json, "etag"));
    ck_assert_ptr_nonnull(strstr(csv->body, "field,value\r\n"));
    ck_assert_ptr_nonnull(strstr(csv->body, "\r\n/closing,7000\r\n"));
    ck_assert_ptr_nonnull(strstr(csv->body, "\r\n/partner/id,tags-school\r\n"));
    expect_problem(get_as(deal.school, path, "Accept: image/png", NULL), 406, "not_acceptable");
    expect_problem(get(deal.school, "/v1/statements/stm_00000000000000000000000000"), 404,
                   "not_found");
}
END_TEST

START_TEST(the_poll_brings_what_changed)
{
    const struct deal deal = deal_make("polled", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *before = get(deal.school, "/v1/statements");
    expect_count(before, "/items", 0);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    struct response *is = get(deal.school, "/v1/statements?since=%s", text_at(before, "/as_of"));
    expect_status(is, 200);
    expect_count(is, "/items", 1);
    expect_text(is, "/items/0/id", id);
    expect_text(is, "/items/0/state", "published");
    expect_text(is, "/items/0/period", "2025-01");
    expect_money(is, "/items/0/payable", 7000, "CNY");
    expect_text(is, "/items/0/links/lines", text("/v1/statements/%s/lines", id));
    const char *path = text("/v1/statements?since=%s", text_at(is, "/as_of"));
    struct response *none = get(deal.school, "%s", path);
    expect_count(none, "/items", 0);
    expect_status(get_as(deal.school, path, NULL, text("If-None-Match: %s", header(none, "etag"))),
                  304);
    /* Its acceptance is a change. */
    expect_status(post(deal.school, text("/v1/statements/%s/accept", id), NULL), 200);
    is = get(deal.school, "%s", path);
    expect_count(is, "/items", 1);
    expect_text(is, "/items/0/state", "accepted");
    expect_count(get(deal.school, "/v1/statements?state=accepted"), "/items", 1);
    expect_count(get(deal.school, "/v1/statements?state=published"), "/items", 0);
    expect_count(get(deal.school, "/v1/statements?agreement=polled"), "/items", 1);
    expect_count(get(deal.school, "/v1/statements?agreement=other"), "/items", 0);
    expect_problem(get(deal.school, "/v1/statements?state=lost"), 400, "query_invalid");
    expect_problem(get(deal.school, "/v1/statements?since=x"), 400, "cursor_invalid");
    expect_count(get(operator_key, "/v1/statements?agreement=polled"), "/items", 2);
    expect_count(get(operator_key, "/v1/statements?partner=polled-school"), "/items", 1);
    /* Page by page. */
    is = get(operator_key, "/v1/statements?agreement=polled&limit=1");
    expect_count(is, "/items", 1);
    is = get(operator_key, "/v1/statements?agreement=polled&limit=1&cursor=%s",
             text_at(is, "/next"));
    expect_count(is, "/items", 1);
    expect_null(is, "/next");
}
END_TEST

START_TEST(only_its_partner_accepts_a_statement)
{
    const struct deal deal = deal_make("accepts", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    const char *path = text("/v1/statements/%s/accept", id);
    expect_problem(post(deal.shop, path, NULL), 404, "not_found");
    expect_problem(post(operator_key, path, NULL), 403, "role_missing");
    expect_text(post(deal.school, path, NULL), "/state", "accepted");
    struct response *again = post(deal.school, path, NULL);
    expect_status(again, 200);
    expect_text(again, "/state", "accepted");
}
END_TEST

START_TEST(a_deadline_that_has_passed_accepts)
{
    const struct deal deal = deal_make("late", "\"dispute_days\":0,");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    struct response *is = get(deal.school, "/v1/statements");
    expect_text(is, "/items/0/state", "accepted");
    expect_count(get(deal.school, "/v1/statements?state=accepted"), "/items", 1);
    expect_count(get(deal.school, "/v1/statements?state=published"), "/items", 0);
    expect_problem(
        post(deal.school, text("/v1/statements/%s/disputes", id), "{\"reason\":\"too late\"}"), 409,
        "dispute_late");
}
END_TEST

/* One line a page; as NDJSON and CSV all of them; amounts by hand as above. */
START_TEST(lines_in_three_forms)
{
    const struct deal deal = deal_make("lines", "");
    deal_sell(&deal, "=1+1", "2025-01-10", 10000);
    deal_sell(&deal, "-5", "2025-01-11", 4000);
    struct response *closed = deal_close(&deal, "2025-01");
    const char *school = deal_statement(&deal, closed, "school");
    const char *shop = deal_statement(&deal, closed, "shop");
    struct response *page = get(deal.school, "/v1/statements/%s/lines?limit=1", school);
    expect_status(page, 200);
    expect_count(page, "/items", 1);
    expect_text(page, "/items/0/kind", "sale");
    expect_text(page, "/items/0/order_id", "=1+1");
    expect_int(page, "/items/0/net", 10000);
    expect_int(page, "/items/0/earned", 7000);
    expect_int(page, "/items/0/position", 7000);
    ck_assert_ptr_nonnull(header(page, "link"));
    struct response *next = get(deal.school, "/v1/statements/%s/lines?limit=1&cursor=%s", school,
                                text_at(page, "/next"));
    expect_count(next, "/items", 1);
    expect_text(next, "/items/0/order_id", "-5");
    expect_int(next, "/items/0/earned", 2800);
    expect_null(next, "/next");
    expect_problem(get(deal.school, "/v1/statements/%s/lines?cursor=x", school), 400,
                   "cursor_invalid");

    struct response *ndjson = get_as(deal.school, text("/v1/statements/%s/lines", school),
                                     "Accept: application/x-ndjson", NULL);
    expect_status(ndjson, 200);
    ck_assert_str_eq(header(ndjson, "content-type"), "application/x-ndjson");
    size_t lines = 0;
    for (const char *at = ndjson->body; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    ck_assert_uint_eq(lines, 2);
    ck_assert_ptr_nonnull(strstr(ndjson->body, "\"order_id\":\"=1+1\""));
    ck_assert_ptr_null(header(ndjson, "link"));

    struct response *csv =
        get_as(deal.shop, text("/v1/statements/%s/lines", shop), "Accept: text/csv", NULL);
    expect_status(csv, 200);
    ck_assert_ptr_nonnull(strstr(csv->body, "line,kind,period,adjusts,version,channel,order_id,"));
    /* A text that looks like a formula is kept from being one; a negative number stays a number. */
    ck_assert_ptr_nonnull(strstr(csv->body, ",lines-shop,'=1+1,1,,,,lines-school,c,"));
    ck_assert_ptr_nonnull(strstr(csv->body, ",lines-shop,'-5,1,,,,lines-school,c,"));
    ck_assert_ptr_nonnull(strstr(csv->body,
                                 ",CNY,100.00,0.00,0.00,0.00,0.00,0.00,100.00,CNY,30.00,-70.00,"
                                 "\"lines-school 70.00; lines-shop 30.00\"\r\n"));
    /* In pieces, with the header row once, it is the same text. */
    struct response *head =
        get_as(deal.shop, text("/v1/statements/%s/lines?limit=1", shop), "Accept: text/csv", NULL);
    const char *link = header(head, "link");
    ck_assert_ptr_nonnull(link);
    const char *end = strchr(link, '>');
    struct response *tail =
        get_as(deal.shop, text("%.*s", (int)(end - link - 1), link + 1), "Accept: text/csv", NULL);
    expect_status(tail, 200);
    ck_assert_str_eq(text("%s%s", head->body, tail->body), csv->body);
}
END_TEST

/* Some hundred bytes a line: many pieces of a stream, whose bytes are those of all pages together.
 */
START_TEST(a_long_statement_is_streamed)
{
    enum { ORDERS = 30, LINES = 50 };
    const struct deal deal = deal_make("long", "");
    for (int i = 0; i < ORDERS; i++) {
        const char *lines = "";
        for (int k = 0; k < LINES; k++)
            lines = text("%s%s{\"line_id\":\"%d\",\"provider\":\"long-school\",\"course_id\":\"c\","
                         "\"quantity\":1,\"paid\":%d}",
                         lines, k == 0 ? "" : ",", k, 100 + k);
        post_facts(deal.shop, text("{\"event_id\":\"o%d\",\"type\":\"order.paid\",\"occurred_at\":"
                                   "\"2025-01-10T12:00:00Z\",\"order_id\":\"o%d\",\"currency\":"
                                   "\"CNY\",\"lines\":[%s]}",
                                   i, i, lines));
    }
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    static const char *const forms[] = {"Accept: application/x-ndjson", "Accept: text/csv"};
    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        const char *path = text("/v1/statements/%s/lines", id);
        struct response *whole = get_as(deal.school, path, forms[form], "Accept-Encoding: gzip");
        expect_status(whole, 200);
        ck_assert_str_eq(header(whole, "transfer-encoding"), "chunked");
        ck_assert_ptr_null(header(whole, "content-encoding"));
        ck_assert_ptr_null(header(whole, "link"));
        ck_assert_uint_gt(whole->body_len, 3 * 65536);
        const char *pages = "";
        int count = 0;
        const char *next = text("%s?limit=400", path);
        while (next != NULL) {
            struct response *page = get_as(deal.school, next, forms[form], NULL);
            expect_status(page, 200);
            pages = text("%s%s", pages, page->body);
            count++;
            const char *link = header(page, "link");
            next = link == NULL ? NULL : text("%.*s", (int)(strcspn(link, ">") - 1), link + 1);
        }
        ck_assert_int_eq(count, 4); /* 1500 lines by 400 */
        ck_assert(strcmp(whole->body, pages) == 0);
        /* The rest behind a place, too. */
        struct response *first = get_as(deal.school, text("%s?limit=7", path), forms[form], NULL);
        const char *link = header(first, "link");
        const char *cursor = strstr(link, "cursor=");
        ck_assert_ptr_nonnull(cursor);
        struct response *rest =
            get_as(deal.school, text("%s?%.*s", path, (int)strcspn(cursor, ">"), cursor),
                   forms[form], NULL);
        expect_status(rest, 200);
        ck_assert(strcmp(text("%s%s", first->body, rest->body), whole->body) == 0);
        /* It has the tag of what it is. */
        struct response *same = get_as(deal.school, path, forms[form],
                                       text("If-None-Match: %s", header(whole, "etag")));
        expect_status(same, 304);
        struct response *head = client_send(&(struct request){
            .method = "HEAD", .path = path, .key = deal.school, .headers = {forms[form]}});
        expect_status(head, 200);
        ck_assert_uint_eq(head->body_len, 0);
        ck_assert_str_eq(header(head, "etag"), header(whole, "etag"));
    }
    /* Who leaves in the middle harms nobody. */
    const char *request = text("GET /v1/statements/%s/lines HTTP/1.1\r\nHost: a\r\nAccept: "
                               "text/csv\r\nAuthorization: Bearer %s\r\n\r\n",
                               id, deal.school);
    for (int i = 0; i < 20; i++) {
        char some[2000];
        const int fd = raw_connect();
        ck_assert_uint_eq(raw_send(fd, request, strlen(request)), strlen(request));
        if (i % 4 != 0)
            ck_assert_int_gt(read(fd, some, sizeof some), 0);
        close(fd);
    }
    expect_status(get(deal.school, "/v1/statements/%s/lines", id), 200);
}
END_TEST

START_TEST(a_difference_says_which_period_it_adjusts)
{
    const struct deal deal = deal_make("diff", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    deal_close(&deal, "2025-01");
    deal_refund(&deal, "o1", "2025-02-11", 10000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-02"), "school");
    struct response *is = get(deal.school, "/v1/statements/%s/lines", id);
    expect_count(is, "/items", 1);
    expect_text(is, "/items/0/adjusts", "2025-01");
    expect_text(is, "/items/0/period", "2025-01");
    expect_int(is, "/items/0/refunded", 10000);
    expect_int(is, "/items/0/earned", -7000);
}
END_TEST

/* The line of a path, explained. */
static struct response *explain(const char *key, const char *statement, const char *place)
{
    struct response *is = get(key, "/v1/statements/%s/lines", statement);
    expect_status(is, 200);
    is = get(key, "/v1/statements/%s/lines/%s/explain", statement,
             text_at(is, text("/items/%s/line", place)));
    expect_status(is, 200);
    return is;
}

static size_t steps_of(const struct response *is, const char *side, const char *op)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(at(is, text("%s/steps", side))); i++)
        count += strcmp(text_at(is, text("%s/steps/%zu/op", side, i)), op) == 0;
    return count;
}

/* January's statement knows nothing of the refund in February, even when it is asked after it. */
START_TEST(a_line_is_explained_as_it_was_closed)
{
    const struct deal deal = deal_make("why", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *january = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    deal_refund(&deal, "o1", "2025-02-11", 4000);
    const char *february = deal_statement(&deal, deal_close(&deal, "2025-02"), "school");
    struct response *is = explain(deal.school, january, "0");
    expect_text(is, "/kind", "sale");
    expect_bool(is, "/difference", false);
    expect_bool(is, "/exact", true);
    expect_money(is, "/earned", 7000, "CNY");
    expect_null(is, "/before");
    expect_text(is, "/after/agreement/agreement", "why");
    ck_assert_uint_eq(steps_of(is, "/after", "refund"), 0);
    expect_money(is, text("%s/amount", find(is, "/after/shares", "payee", "why-school")), 7000,
                 "CNY");
    /* 70 % of 6000 is 4200: 2800 less than before. */
    is = explain(deal.school, february, "0");
    expect_bool(is, "/difference", true);
    expect_bool(is, "/exact", true);
    expect_money(is, "/earned", -2800, "CNY");
    ck_assert_uint_eq(steps_of(is, "/after", "refund"), 1);
    ck_assert_uint_eq(steps_of(is, "/before", "refund"), 0);
    expect_money(is, text("%s/amount", find(is, "/after/shares", "payee", "why-school")), 4200,
                 "CNY");
    expect_money(is, text("%s/amount", find(is, "/before/shares", "payee", "why-school")), 7000,
                 "CNY");
    expect_problem(get(deal.school, "/v1/statements/%s/lines/s1.0.0/explain", january), 404,
                   "not_found");
    expect_problem(get(deal.school, "/v1/statements/%s/lines/w0/explain", january), 404,
                   "not_found");
    expect_problem(get(deal.school, "/v1/statements/%s/lines/x/explain", january), 404,
                   "not_found");
}
END_TEST

/* Net 10000 of the month: 50 % of the first 4000 and 80 % of the rest, 2000 + 4800 = 6800. */
START_TEST(a_window_is_explained_by_its_steps)
{
    const char *school = make_partner_key("tier-school", "\"provider\"");
    const char *shop = make_partner_key("tier-shop", "\"channel\"");
    const struct deal deal = {"tier", school, shop};
    make_course(school, "tier-school", "c", 10000, "CNY");
    make_agreement("tier",
                   "\"parties\":[\"tier-school\",\"tier-shop\"],\"scope\":{\"providers\":"
                   "[\"tier-school\"],\"channels\":[\"tier-shop\"]},\"effective\":{\"from\":"
                   "\"2025-01-01T00:00:00Z\"},\"currency\":\"CNY\",\"terms\":[{\"kind\":\"tiered\","
                   "\"payee\":\"tier-school\",\"metric\":\"net\",\"mode\":\"marginal\",\"window\":"
                   "\"period\",\"steps\":[{\"from\":0,\"share_ppm\":500000},{\"from\":4000,"
                   "\"share_ppm\":800000}]},{\"kind\":\"residual\",\"payee\":\"tier-shop\"}]",
                   (const char *const[]){school, shop, NULL});
    deal_sell(&deal, "o1", "2025-01-10", 7000);
    deal_sell(&deal, "o2", "2025-01-11", 3000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    struct response *is = get(school, "/v1/statements/%s/lines", id);
    const char *place = find(is, "/items", "kind", "tiered");
    expect_int(is, text("%s/earned", place), 6800);
    is = explain(school, id, place + strlen("/items/"));
    expect_text(is, "/kind", "tiered");
    expect_bool(is, "/exact", true);
    expect_money(is, "/earned", 6800, "CNY");
    ck_assert_uint_eq(steps_of(is, "/after", "tier"), 2);
    struct response *csv =
        get_as(school, text("/v1/statements/%s/lines", id), "Accept: text/csv", NULL);
    ck_assert_ptr_nonnull(strstr(csv->body, ",tiered,2025-01,,1,,,,,,,,,,,,,,,,,,CNY,68.00,68.00,"));
}
END_TEST

/* In force for January and February; half and half, 10 % in reserve for 3 periods. Behind the end
 * nothing is sold any more, but reserves come free and an adjustment is told, each in its period:
 * January 5000 less 500; February 10000 less 1000; March 10333 less 1000; April less 500; May 0. */
START_TEST(what_is_held_back_comes_free_behind_the_end)
{
    static const struct {
        const char *period;
        int closing;
        int due;
    } months[] = {{"2025-01", 5000, 4500},
                  {"2025-02", 10000, 9000},
                  {"2025-03", 10333, 9333},
                  {"2025-04", 10333, 9833},
                  {"2025-05", 10333, 10333}};
    const struct deal deal = {.name = "ended",
                              .school = make_partner_key("ended-school", "\"provider\""),
                              .shop = make_partner_key("ended-shop", "\"channel\"")};
    make_course(deal.school, "ended-school", "c", 10000, "CNY");
    make_agreement("ended",
                   "\"parties\":[\"ended-school\",\"ended-shop\"],\"scope\":{\"providers\":"
                   "[\"ended-school\"],\"channels\":[\"ended-shop\"]},\"effective\":{\"from\":"
                   "\"2025-01-01T00:00:00+08:00\",\"to\":\"2025-03-01T00:00:00+08:00\"},"
                   "\"currency\":\"CNY\",\"period\":{\"kind\":\"month\",\"time_zone\":"
                   "\"Asia/Shanghai\"},\"reserve\":{\"ppm\":100000,\"periods\":3},\"terms\":["
                   "{\"kind\":\"share\",\"payee\":\"ended-school\",\"share_ppm\":500000},"
                   "{\"kind\":\"residual\",\"payee\":\"ended-shop\"}]",
                   (const char *const[]){deal.school, deal.shop, NULL});
    deal_sell(&deal, "ended-1", "2025-01-10", 10000);
    deal_sell(&deal, "ended-2", "2025-02-10", 10000);
    for (size_t i = 0; i < sizeof months / sizeof *months; i++) {
        if (i == 2)
            post_facts(operator_key,
                       "{\"event_id\":\"ended-adj\",\"type\":\"adjustment\",\"occurred_at\":"
                       "\"2025-03-20T00:00:00Z\",\"adjustment_id\":\"ended\",\"agreement\":"
                       "\"ended\",\"payee\":\"ended-school\",\"funded_by\":\"ended-shop\","
                       "\"currency\":\"CNY\",\"amount\":333,\"reason\":\"late\"}");
        expect_text(get(deal.school, "/v1/periods?agreement=ended"), text("/items/%zu/state", i),
                    "open");
        struct response *closed = deal_close(&deal, months[i].period);
        struct response *is =
            get(deal.school, "/v1/statements/%s", deal_statement(&deal, closed, "school"));
        expect_int(is, "/closing", months[i].closing);
        expect_int(is, "/due", months[i].due);
    }
    expect_problem(post(operator_key, "/v1/agreements/ended/periods/2025-06/close", NULL), 404,
                   "not_found");
    expect_count(get(deal.school, "/v1/periods?agreement=ended"), "/items", 5);
}
END_TEST

START_TEST(periods_are_listed_and_closed_in_order)
{
    const struct deal deal = deal_make("order", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *is = get(deal.school, "/v1/periods?agreement=order&limit=2");
    expect_status(is, 200);
    expect_text(is, "/items/0/period", "2025-01");
    expect_text(is, "/items/0/state", "open");
    expect_text(is, "/items/0/from", "2024-12-31T16:00:00Z");
    expect_text(is, "/items/0/to", "2025-01-31T16:00:00Z");
    expect_null(is, "/items/0/closed_at");
    is = get(deal.school, "/v1/periods?agreement=order&limit=2&cursor=%s", text_at(is, "/next"));
    expect_text(is, "/items/0/period", "2025-03");

#define CLOSE_PATH(period, query) "/v1/agreements/order/periods/" period "/close" query
#define CLOSE(period, query) post(operator_key, CLOSE_PATH(period, query), NULL)
    expect_problem(CLOSE("2025-02", ""), 409, "period_not_oldest");
    expect_problem(CLOSE("2199-01", ""), 409, "period_not_over");
    expect_problem(CLOSE("2025-13", ""), 422, "period_invalid");
    expect_problem(CLOSE("january", ""), 422, "period_invalid");
    expect_problem(CLOSE("2025-Q1", ""), 404, "not_found");
    expect_problem(CLOSE("2025-01", "?dry_run=maybe"), 400, "query_invalid");
    expect_problem(post(operator_key, "/v1/agreements/nothing/periods/2025-01/close", NULL), 404,
                   "not_found");
    expect_problem(post(deal.school, CLOSE_PATH("2025-01", ""), NULL), 403, "scope_missing");

    /* A draft is what the close publishes, and writes nothing. */
    struct response *draft = CLOSE("2025-01", "?dry_run=true");
    expect_status(draft, 200);
    expect_bool(draft, "/dry_run", true);
    expect_null(draft, "/closed_at");
    expect_count(get(deal.school, "/v1/statements"), "/items", 0);
    struct response *closed = CLOSE("2025-01", "");
    expect_status(closed, 200);
    for (int i = 0; i < 2; i++) {
        expect_text(closed, text("/statements/%d/id", i),
                    text_at(draft, text("/statements/%d/id", i)));
        expect_text(closed, text("/statements/%d/hash", i),
                    text_at(draft, text("/statements/%d/hash", i)));
    }
    expect_problem(CLOSE("2025-01", ""), 409, "period_closed");
    is = get(deal.shop, "/v1/periods?agreement=order");
    expect_text(is, "/items/0/state", "closed");
    expect_text(is, "/items/0/closed_by", operator_id());
    expect_text(is, "/items/1/state", "open");
    expect_problem(get(deal.school, "/v1/periods"), 400, "query_invalid");
    expect_problem(get(deal.school, "/v1/periods?agreement=nothing"), 404, "not_found");
#undef CLOSE
#undef CLOSE_PATH
}
END_TEST

/* Each by itself: one that must wait does not hold up the others. */
START_TEST(all_of_a_label_are_closed_at_once)
{
    const struct deal ready = deal_make("ready", "");
    const struct deal waits = deal_make("waits", "");
    deal_sell(&ready, "o1", "2025-02-10", 10000);
    deal_close(&ready, "2025-01");
    struct response *draft = post(operator_key, "/v1/periods/2025-02/close?dry_run=true", NULL);
    expect_status(draft, 200);
    const char *place = find(draft, "/results", "agreement", "ready");
    expect_text(draft, text("%s/result", place), "draft");
    struct response *is = post(operator_key, "/v1/periods/2025-02/close", NULL);
    expect_status(is, 200);
    expect_bool(is, "/more", false);
    place = find(is, "/results", "agreement", "ready");
    expect_text(is, text("%s/result", place), "closed");
    expect_count(is, text("%s/statements", place), 2);
    place = find(is, "/results", "agreement", waits.name);
    expect_text(is, text("%s/result", place), "refused");
    expect_text(is, text("%s/code", place), "period_not_oldest");
    struct response *statement = get(ready.school, "/v1/statements?limit=1000");
    expect_count(statement, "/items", 2);
    expect_problem(post(operator_key, "/v1/periods/soon/close", NULL), 422, "period_invalid");
    /* The rest of the server's books were touched by nobody. */
    expect_count(get(waits.school, "/v1/statements"), "/items", 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("statements");
    TCase *all = tcase_create("statements");
    tcase_add_unchecked_fixture(all, world_setup, world_teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, a_statement_never_changes_and_later_ones_say_what_differs);
    tcase_add_test(all, the_hash_of_the_bytes_is_the_tag);
    tcase_add_test(all, the_poll_brings_what_changed);
    tcase_add_test(all, only_its_partner_accepts_a_statement);
    tcase_add_test(all, a_deadline_that_has_passed_accepts);
    tcase_add_test(all, lines_in_three_forms);
    tcase_add_test(all, a_long_statement_is_streamed);
    tcase_add_test(all, a_difference_says_which_period_it_adjusts);
    tcase_add_test(all, a_line_is_explained_as_it_was_closed);
    tcase_add_test(all, a_window_is_explained_by_its_steps);
    tcase_add_test(all, periods_are_listed_and_closed_in_order);
    tcase_add_test(all, what_is_held_back_comes_free_behind_the_end);
    tcase_add_test(all, all_of_a_label_are_closed_at_once);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "statements")
