/* What an operation asks of its request: path, query, body, media types, pages of a list. */
#include "api/call.h"

#include <stdio.h>

#include "api/app.h"
#include "api/cursor.h"
#include "api/dispatch.h"
#include "api/reply.h"
#include "base/hash.h"
#include "base/utf8.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

void *call_alloc(struct call *call, size_t bytes)
{
    void *memory = arena_alloc(call->arena, bytes);
    if (memory == NULL)
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
    return memory;
}

static const char *call_text(struct call *call, struct slice text)
{
    const char *copy = arena_strdup(call->arena, text);
    if (copy == NULL) {
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
        return "";
    }
    return copy;
}

const char *call_arg(struct call *call, unsigned place)
{
    return call_text(call, call->args[place]);
}

const char *call_query(struct call *call, const char *name)
{
    const struct http_request *request = &call->http->request;
    for (size_t i = 0; i < request->query_count; i++)
        if (slice_equal(request->query[i].name, slice_of(name)))
            return call_text(call, request->query[i].value);
    return NULL;
}

int64_t call_query_int(struct call *call, const char *name, int64_t min, int64_t max,
                       int64_t missing)
{
    const char *text = call_query(call, name);
    if (text == NULL || call->failed)
        return missing;
    const bool negative = text[0] == '-';
    const char *digits = negative ? text + 1 : text;
    const size_t len = strlen(digits);
    int64_t value = 0;
    bool good = len > 0 && len <= 18; /* cannot overflow */
    for (size_t i = 0; good && i < len; i++) {
        good = digits[i] >= '0' && digits[i] <= '9';
        value = value * 10 + (digits[i] - '0');
    }
    if (negative)
        value = -value;
    if (good && value >= min && value <= max)
        return value;
    call_fail(call, ACCORD_E_QUERY_INVALID, "%s must be an integer from %lld to %lld", name,
              (long long)min, (long long)max);
    return missing;
}

int64_t call_query_since(struct call *call, const char *name, int64_t missing)
{
    const char *text = call_query(call, name);
    int64_t version = missing;
    if (text != NULL && !call->failed &&
        !cursor_to_version(api_caller_binding(call), slice_of(text), &version))
        call_fail(call, ACCORD_E_CURSOR_INVALID, "%s is not a value that an answer gave", name);
    return version;
}

const char *call_media(struct call *call)
{
    const char *media = flight_of(call)->media;
    return media == NULL ? "" : media;
}

const char *call_produces(struct call *call)
{
    const char *media = flight_of(call)->produces;
    return media == NULL ? "application/json" : media;
}

bool call_decode(struct call *call, const struct json_object *spec, void *ret)
{
    const struct slice body = call->http->request.body;
    if (call->failed)
        return false;
    if (body.len == 0) {
        call_fail(call, ACCORD_E_BODY_EMPTY, NULL);
        return false;
    }
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return false;
    const enum accord_error error = json_decode(call->arena, body, spec, "", ret, problems);
    if (error == ACCORD_OK)
        return true;
    if (problems->count > 0)
        call_problems(call, error, problems);
    else
        call_fail(call, error, NULL);
    return false;
}

/* ---- lists ---- */

/* A cursor belongs to one list: an operation, what its path names, a caller, its filters. */
static uint32_t list_binding(const struct call *call)
{
    struct buf text;
    buf_init(&text, 4096);
    buf_add_str(&text, call->operation->id);
    for (size_t i = 0; i < 4 && call->args[i].data != NULL; i++) {
        buf_add_char(&text, '\n');
        buf_add_slice(&text, call->args[i]);
    }
    const struct hash hash = hash_of(buf_slice(&text));
    uint32_t binding;
    memcpy(&binding, hash.bytes, sizeof binding);
    buf_done(&text);
    return (binding ^ api_caller_binding(call)) + api_query_binding(call, false);
}

/* A cursor can be made by anybody, and its parts go into statements. */
static bool are_texts(const struct slice *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!utf8_valid(parts[i]) || strlen(parts[i].data) != parts[i].len)
            return false;
    return true;
}

bool call_page(struct call *call, size_t parts, struct list_page *ret)
{
    struct list_page page = {.limit = call_query_int(call, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT)};
    const char *cursor = call_query(call, "cursor");
    if (call->failed)
        return false;
    if (cursor != NULL) {
        if (!cursor_decode(call->arena, list_binding(call), slice_of(cursor), parts, page.parts) ||
            !are_texts(page.parts, parts)) {
            call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
            return false;
        }
        page.has_cursor = true;
        page.part_count = parts;
    }
    *ret = page;
    return true;
}

static void add_encoded(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain)
            buf_add_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static const char *next_link(struct call *call, const char *cursor)
{
    const struct http_request *request = &call->http->request;
    struct buf link;
    buf_init(&link, (size_t)64 << 10);
    buf_add_char(&link, '<');
    buf_add_str(&link, call->app->public_path);
    for (size_t i = 0; i < request->segment_count; i++) {
        buf_add_char(&link, '/');
        add_encoded(&link, request->segments[i]);
    }
    buf_add_char(&link, '?');
    for (size_t i = 0; i < request->query_count; i++) {
        if (slice_equal(request->query[i].name, SLICE("cursor")))
            continue;
        add_encoded(&link, request->query[i].name);
        buf_add_char(&link, '=');
        add_encoded(&link, request->query[i].value);
        buf_add_char(&link, '&');
    }
    buf_add_str(&link, "cursor=");
    buf_add_str(&link, cursor);
    buf_add_str(&link, ">; rel=\"next\"");
    const char *text =
        buf_error(&link) == ACCORD_OK ? arena_strdup(call->arena, buf_slice(&link)) : NULL;
    buf_done(&link);
    return text;
}

void call_page_next(struct call *call, struct json_writer *w, const struct slice *parts,
                    size_t count, bool more)
{
    jw_key(w, "next");
    if (!more) {
        jw_null(w);
        return;
    }
    const char *cursor = cursor_encode(call->arena, list_binding(call), parts, count);
    if (cursor == NULL) {
        jw_null(w);
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
        return;
    }
    jw_str(w, cursor);
    call_header(call, "Link", next_link(call, cursor));
}

void call_json_hashed(struct call *call, struct buf *body)
{
    int64_t version = 0;
    if (!call_check(call, buf_error(body))) {
        const struct hash hash = hash_of(buf_slice(body));
        memcpy(&version, hash.bytes, sizeof version);
    }
    if (!call->failed && !call_etag(call, version & INT64_MAX)) {
        struct json_writer w = call_json(call, 200);
        jw_raw(&w, buf_slice(body));
    }
    buf_done(body);
}
