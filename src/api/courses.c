/* /v1/courses: what may be seen of the catalogs, and single courses. */
#include "api/courses.h"

#include <stdlib.h>

#include "base/number.h"
#include "ingest/catalog.h"
#include "store/partners.h"

enum {
    COURSE_BODY_MAX = COURSE_ELEMENT_MAX,
    ANSWER_MAX = 512 << 20,  /* 1,000 courses of the largest kind */
    SEARCH_ROWS = 500,       /* read at once */
    SEARCH_ROWS_MAX = 20000, /* looked at for one page; the next page goes on behind them */
    SEARCH_WORDS_MAX = 8,
};

/* ---- shared ---- */

static bool is_own(const struct call *call, const char *provider)
{
    return call->caller.is_operator || strcmp(call->caller.partner, provider) == 0;
}

/* The course of the path, when the caller may see it; else the call fails with not_found. */
static bool find_visible(struct call *call, struct store_course *ret)
{
    const char *provider = call_arg(call, 0);
    const char *course_id = call_arg(call, 1);
    bool found = false;
    bool visible = is_own(call, provider);
    if (call_check(call, store_course_find(call->db, call->arena, provider, slice_of(course_id),
                                           &found, ret)))
        return false;
    if (found && !visible &&
        call_check(call, store_course_may_see(call->db, call->caller.partner, provider,
                                              ret->course_id, clock_now_us(), &visible)))
        return false;
    if (!found || !visible)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    return !call->failed;
}

/* What the read step has built is the answer. */
static void answered(struct call *call)
{
    (void)call;
}

/* A page under way. */
struct page {
    struct buf items;
    int64_t shown;
    int64_t limit;
    bool more;
    struct arena *arena;
    struct store_course_cursor last; /* of the last row shown or passed over */
};

static void page_begin(struct page *page, struct arena *arena, int64_t limit)
{
    *page = (struct page){.arena = arena, .limit = limit};
    buf_init(&page->items, ANSWER_MAX);
    buf_add_char(&page->items, '[');
}

static void page_add(struct page *page, const struct store_course *row)
{
    if (page->shown++ != 0)
        buf_add_char(&page->items, ',');
    course_answer(&page->items, row);
}

static void page_end(struct call *call, struct page *page, const struct slice *parts, size_t count)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, ANSWER_MAX);
    buf_add_char(&page->items, ']');
    call_check(call, buf_error(&page->items));
    jw_init(&w, &body);
    jw_object(&w);
    jw_key_raw(&w, "items", buf_slice(&page->items));
    buf_done(&page->items);
    call_page_next(call, &w, parts, count, page->more);
    jw_object_end(&w);
    call_json_hashed(call, &body);
}

static bool cursor_number(struct call *call, struct slice part, int64_t *ret)
{
    if (number_parse_int(part, ret) == ACCORD_OK)
        return true;
    call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
    return false;
}

/* ---- GET /v1/courses ---- */

struct list_state {
    struct list_page page;
    struct store_course_filter filter;
    enum store_course_sort sort;
    bool descending;
    struct slice words[SEARCH_WORDS_MAX]; /* that the title must have */
    size_t word_count;
    struct store_course_cursor cursor;

    struct page out;
    int64_t rows; /* of the read under way */
};

static void take_sort(struct call *call, struct list_state *state)
{
    static const struct {
        const char *name;
        enum store_course_sort sort;
    } sorts[] = {
        {"title", STORE_COURSES_BY_TITLE},
        {"changed_at", STORE_COURSES_BY_CHANGED},
        {"price", STORE_COURSES_BY_PRICE},
        {"rating", STORE_COURSES_BY_RATING},
    };
    const char *name = call_query(call, "sort");
    if (name == NULL)
        return;
    state->descending = name[0] == '-';
    for (size_t i = 0; i < sizeof sorts / sizeof sorts[0]; i++)
        if (strcmp(name + state->descending, sorts[i].name) == 0) {
            state->sort = sorts[i].sort;
            return;
        }
    call_fail(call, ACCORD_E_QUERY_INVALID,
              "sort is title, changed_at, price or rating, or one of "
              "these with a minus before it");
}

/* Index of a name among those of a field, or -1 when it is not asked for. */
static int query_name(struct call *call, const char *name, const char *const *names)
{
    const char *value = call_query(call, name);
    if (value == NULL)
        return -1;
    const int index = course_name_index(names, slice_of(value));
    if (index < 0)
        call_fail(call, ACCORD_E_QUERY_INVALID, "%s is not one of the values that there are", name);
    return index;
}

static void take_price(struct call *call, struct store_course_filter *filter,
                       enum store_course_sort sort)
{
    struct accord_currency parsed;
    filter->currency = call_query(call, "currency");
    filter->price_min = call_query_int(call, "price_min", 0, ACCORD_AMOUNT_MAX, -1);
    filter->price_max = call_query_int(call, "price_max", 0, ACCORD_AMOUNT_MAX, -1);
    if (filter->currency != NULL &&
        accord_currency_parse(filter->currency, strlen(filter->currency), &parsed) != ACCORD_OK)
        call_fail(call, ACCORD_E_QUERY_INVALID, "currency is not an ISO 4217 code");
    const bool needed =
        filter->price_min >= 0 || filter->price_max >= 0 || sort == STORE_COURSES_BY_PRICE;
    if (needed && filter->currency == NULL)
        call_fail(call, ACCORD_E_QUERY_INVALID,
                  "prices are compared within one currency: give "
                  "currency=");
}

static void take_rating(struct call *call, struct store_course_filter *filter)
{
    const char *text = call_query(call, "rating_min");
    int64_t milli = 0;
    filter->rating_min = -1;
    if (text == NULL)
        return;
    if (number_parse_decimal(slice_of(text), 3, &milli) != ACCORD_OK || milli < 0 || milli > 5000)
        call_fail(call, ACCORD_E_QUERY_INVALID, "rating_min is a decimal from 0 to 5");
    filter->rating_min = milli * ACCORD_PPM_WHOLE / 5000;
}

static void take_state(struct call *call, struct store_course_filter *filter)
{
    const char *state = call_query(call, "state");
    filter->state = state == NULL ? "active" : state;
    if (strcmp(filter->state, "any") == 0)
        filter->state = NULL;
    else if (strcmp(filter->state, "active") != 0 && strcmp(filter->state, "withdrawn") != 0)
        call_fail(call, ACCORD_E_QUERY_INVALID, "state is active, withdrawn or any");
}

static void take_words(struct call *call, struct list_state *state)
{
    const char *at = call_query(call, "q");
    if (at == NULL)
        return;
    if (strlen(at) > 800) {
        call_fail(call, ACCORD_E_QUERY_INVALID, "q is too long");
        return;
    }
    while (*at != '\0') {
        const size_t len = strcspn(at, " \t");
        if (len != 0 && state->word_count == SEARCH_WORDS_MAX) {
            call_fail(call, ACCORD_E_QUERY_INVALID, "q has more than %d words",
                      (int)SEARCH_WORDS_MAX);
            return;
        }
        if (len != 0)
            state->words[state->word_count++] = (struct slice){at, len};
        at += len + (at[len] != '\0');
    }
}

static void list_prepare(struct call *call)
{
    struct list_state *state = call_alloc(call, sizeof *state);
    if (state == NULL || !call_page(call, 3, &state->page))
        return;
    call->state = state;
    take_sort(call, state);
    struct store_course_filter *filter = &state->filter;
    filter->partner = call->caller.is_operator ? NULL : call->caller.partner;
    filter->now = clock_now_us();
    filter->provider = call_query(call, "provider");
    filter->subject = call_query(call, "subject");
    filter->language = call_query(call, "language");
    const int level = query_name(call, "level", course_levels);
    const int kind = query_name(call, "kind", course_kinds);
    const int format = query_name(call, "format", course_formats);
    const int purpose = query_name(call, "purpose", course_purposes);
    filter->level = level < 0 ? NULL : course_levels[level];
    filter->kind = kind < 0 ? NULL : course_kinds[kind];
    filter->formats = format < 0 ? 0 : INT64_C(1) << format;
    filter->purposes = purpose < 0 ? 0 : INT64_C(1) << purpose;
    take_price(call, filter, state->sort);
    take_rating(call, filter);
    take_state(call, filter);
    take_words(call, state);
    /* A provider's own catalog is the page that is asked for most: it has an index. */
    if (filter->provider == NULL && filter->partner != NULL &&
        (call->caller.roles & ~(uint32_t)ROLE_PROVIDER) == 0)
        filter->provider = filter->partner;
    if (!state->page.has_cursor)
        return;
    const struct slice *parts = state->page.parts;
    state->cursor =
        (struct store_course_cursor){.text = parts[0], .provider = parts[1], .course_id = parts[2]};
    if (state->sort != STORE_COURSES_BY_TITLE)
        cursor_number(call, parts[0], &state->cursor.number);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Case of ASCII letters is ignored. */
static bool contains(struct slice text, struct slice word)
{
    for (size_t at = 0; at + word.len <= text.len; at++) {
        size_t i = 0;
        while (i < word.len && lower(text.data[at + i]) == lower(word.data[i]))
            i++;
        if (i == word.len)
            return true;
    }
    return false;
}

static bool matches(const struct list_state *state, struct slice title)
{
    for (size_t i = 0; i < state->word_count; i++)
        if (!contains(title, state->words[i]))
            return false;
    return true;
}

static int64_t sort_number(enum store_course_sort sort, const struct store_course *row)
{
    switch (sort) {
    case STORE_COURSES_BY_TITLE:
        return 0;
    case STORE_COURSES_BY_CHANGED:
        return row->changed_at;
    case STORE_COURSES_BY_PRICE:
        return row->price_amount;
    case STORE_COURSES_BY_RATING:
        return row->rating_ppm;
    }
    return 0;
}

static enum accord_error keep(struct arena *arena, struct slice text, struct slice *ret)
{
    const char *copy = arena_strdup(arena, text);
    if (copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *ret = (struct slice){copy, text.len};
    return ACCORD_OK;
}

static enum accord_error each_listed(void *context, const struct store_course *row)
{
    struct list_state *state = context;
    struct page *out = &state->out;
    state->rows++;
    const bool match = matches(state, row->title);
    if (match && out->shown == out->limit) {
        out->more = true;
        return ACCORD_OK;
    }
    if (out->more)
        return ACCORD_OK;
    if (match)
        page_add(out, row);
    out->last.number = sort_number(state->sort, row);
    enum accord_error error = keep(out->arena, row->title, &out->last.text);
    if (error == ACCORD_OK)
        error = keep(out->arena, row->provider, &out->last.provider);
    if (error == ACCORD_OK)
        error = keep(out->arena, row->course_id, &out->last.course_id);
    return error;
}

static void list_read(struct call *call)
{
    struct list_state *state = call->state;
    struct page *out = &state->out;
    page_begin(out, call->arena, state->page.limit);
    const bool search = state->word_count != 0;
    const int64_t at_once = search ? SEARCH_ROWS : out->limit + 1;
    const struct store_course_cursor *from = state->page.has_cursor ? &state->cursor : NULL;
    int64_t looked_at = 0;
    do {
        state->rows = 0;
        if (call_check(call,
                       store_course_list(call->db, &state->filter, state->sort, state->descending,
                                         from, at_once, each_listed, state)))
            break;
        from = &out->last;
        looked_at += state->rows;
        if (search && state->rows == at_once && looked_at >= SEARCH_ROWS_MAX)
            out->more = true;
    } while (search && !out->more && state->rows == at_once);
    struct slice parts[] = {out->last.text, out->last.provider, out->last.course_id};
    if (state->sort != STORE_COURSES_BY_TITLE) {
        const char *number = arena_printf(call->arena, "%lld", (long long)out->last.number);
        if (number == NULL)
            call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
        parts[0] = slice_of(number);
    }
    page_end(call, out, parts, 3);
}

/* ---- GET /v1/courses/{provider}/{course_id} ---- */

static void get_read(struct call *call)
{
    struct store_course *course = call_alloc(call, sizeof *course);
    call->state = course;
    if (course != NULL && find_visible(call, course))
        call_etag(call, course->version);
}

static void get_answer(struct call *call)
{
    const struct store_course *course = call->state;
    call_json(call, 200);
    course_answer(&call->reply->body, course);
}

/* ---- GET /v1/courses/{provider}/{course_id}/versions ---- */

static void versions_prepare(struct call *call)
{
    struct list_state *state = call_alloc(call, sizeof *state);
    if (state != NULL && call_page(call, 1, &state->page))
        call->state = state;
}

static enum accord_error each_version(void *context, const struct store_course *row)
{
    struct page *out = context;
    if (out->shown == out->limit) {
        out->more = true;
        return ACCORD_OK;
    }
    page_add(out, row);
    out->last.number = row->version;
    return ACCORD_OK;
}

static void versions_read(struct call *call)
{
    struct list_state *state = call->state;
    struct store_course course;
    int64_t before = INT64_MAX;
    if (!find_visible(call, &course) ||
        (state->page.has_cursor && !cursor_number(call, state->page.parts[0], &before)))
        return;
    page_begin(&state->out, call->arena, state->page.limit);
    call_check(call, store_course_versions(call->db, call_arg(call, 0), course.course_id, before,
                                           state->page.limit + 1, each_version, &state->out));
    const char *number = arena_printf(call->arena, "%lld", (long long)state->out.last.number);
    if (number == NULL)
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
    const struct slice part = slice_of(number);
    page_end(call, &state->out, &part, 1);
}

/* ---- PUT /v1/courses/{provider}/{course_id} ---- */

struct put_state {
    const char *provider;
    struct slice path_id;
    struct course course;
    struct json_problems problems;
    struct store_course now;
    bool created;
};

static void put_prepare(struct call *call)
{
    struct put_state *state = call_alloc(call, sizeof *state);
    if (state == NULL)
        return;
    call->state = state;
    state->provider = call_arg(call, 0);
    state->path_id = slice_of(call_arg(call, 1));
    if (!is_own(call, state->provider)) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    const struct slice body = call->http->request.body;
    const enum accord_error error = body.len == 0 ? ACCORD_E_BODY_EMPTY
                                                  : course_decode(call->arena, body, true, NULL,
                                                                  &state->course, &state->problems);
    if (error == ACCORD_E_FIELDS_INVALID || error == ACCORD_E_JSON_INVALID)
        call_problems(call, error, &state->problems);
    else
        call_check(call, error);
}

static void put_read(struct call *call)
{
    const struct put_state *state = call->state;
    struct partner_row partner;
    bool found = false;
    if (call_check(call,
                   store_partner_get(call->db, call->arena, state->provider, &partner, &found)))
        return;
    if (!found || (partner.roles & ROLE_PROVIDER) == 0)
        call_fail(call, ACCORD_E_PROVIDER_UNKNOWN, NULL);
}

/* The body names the course of the path, which may be given by its opaque id. */
static bool names_same(struct call *call, struct put_state *state, bool found)
{
    const struct slice expected = found ? state->now.course_id : state->path_id;
    if (slice_equal(state->course.course_id, expected))
        return true;
    state->problems.count = 0;
    state->problems.total = 0;
    json_problem_add(&state->problems, ACCORD_E_VALUE_UNKNOWN, "/course_id",
                     "is not the course of the path");
    call_problems(call, ACCORD_E_FIELDS_INVALID, &state->problems);
    return false;
}

static enum accord_error put_write(struct call *call)
{
    struct put_state *state = call->state;
    bool found = false;
    bool changed;
    enum accord_error error = store_course_find(call->db, call->arena, state->provider,
                                                state->path_id, &found, &state->now);
    if (error != ACCORD_OK || !names_same(call, state, found) ||
        !call_precondition(call, found ? state->now.version : 0))
        return error;
    state->created = !found;
    error = catalog_put_course(call->tx, call->arena, state->provider, &state->course, &state->now,
                               &changed);
    if (error != ACCORD_E_CATALOG_BUSY)
        return error;
    call_fail(call, error, NULL);
    return ACCORD_OK;
}

/* By the provider's own id, unless that cannot stand in a path. */
static void locate(struct call *call, const struct put_state *state)
{
    struct slice id = state->now.course_id;
    if (memchr(id.data, '/', id.len) != NULL || id.data[0] == '.')
        id = state->now.id;
    struct buf path;
    buf_init(&path, 4096);
    for (size_t i = 0; i < id.len; i++) {
        const unsigned char c = (unsigned char)id.data[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain)
            buf_add_char(&path, (char)c);
        else
            buf_printf(&path, "%%%02X", c);
    }
    if (!call_check(call, buf_error(&path)))
        call_location(call, "/v1/courses/%s/%.*s", state->provider, (int)path.len, path.data);
    buf_done(&path);
}

static void put_answer(struct call *call)
{
    const struct put_state *state = call->state;
    call_json(call, state->created ? 201 : 200);
    call_etag(call, state->now.version);
    if (state->created)
        locate(call, state);
    course_answer(&call->reply->body, &state->now);
}

/* ---- DELETE /v1/courses/{provider}/{course_id} ---- */

static void withdraw_prepare(struct call *call)
{
    if (!is_own(call, call_arg(call, 0)))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
}

static enum accord_error withdraw_write(struct call *call)
{
    const char *provider = call_arg(call, 0);
    struct store_course course;
    bool found = false;
    enum accord_error error = store_course_find(call->db, call->arena, provider,
                                                slice_of(call_arg(call, 1)), &found, &course);
    if (error != ACCORD_OK)
        return error;
    if (!found) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return ACCORD_OK;
    }
    if (http_header(call->http, "If-Match").data != NULL &&
        !call_precondition(call, course.version))
        return ACCORD_OK;
    if (!course.active)
        return ACCORD_OK;
    error = catalog_withdraw_course(call->tx, provider, course.course_id);
    if (error != ACCORD_E_CATALOG_BUSY && error != ACCORD_E_NOT_FOUND)
        return error;
    call_fail(call, error, NULL);
    return ACCORD_OK;
}

static void withdraw_answer(struct call *call)
{
    call_empty(call, 204);
}

const struct operation course_operations[] = {
    {.id = "listCourses",
     .method = "GET",
     .pattern = "/v1/courses",
     .scope = SCOPE_CATALOG_READ,
     .run = RUN_JOB,
     .query = "provider subject language level format purpose kind currency price_min price_max "
              "rating_min q state sort limit cursor",
     .prepare = list_prepare,
     .read = list_read,
     .answer = answered},
    {.id = "getCourse",
     .method = "GET",
     .pattern = "/v1/courses/{provider}/{course_id}",
     .scope = SCOPE_CATALOG_READ,
     .read = get_read,
     .answer = get_answer},
    {.id = "putCourse",
     .method = "PUT",
     .pattern = "/v1/courses/{provider}/{course_id}",
     .scope = SCOPE_CATALOG_WRITE,
     .roles = ROLE_PROVIDER,
     .flags = OP_IF_MATCH,
     .body_max = COURSE_BODY_MAX,
     .media = "application/json",
     .prepare = put_prepare,
     .read = put_read,
     .write = put_write,
     .answer = put_answer},
    {.id = "withdrawCourse",
     .method = "DELETE",
     .pattern = "/v1/courses/{provider}/{course_id}",
     .scope = SCOPE_CATALOG_WRITE,
     .roles = ROLE_PROVIDER,
     .prepare = withdraw_prepare,
     .write = withdraw_write,
     .answer = withdraw_answer},
    {.id = "listCourseVersions",
     .method = "GET",
     .pattern = "/v1/courses/{provider}/{course_id}/versions",
     .scope = SCOPE_CATALOG_READ,
     .query = "limit cursor",
     .prepare = versions_prepare,
     .read = versions_read,
     .answer = answered},
};
const size_t course_operation_count = sizeof course_operations / sizeof course_operations[0];
