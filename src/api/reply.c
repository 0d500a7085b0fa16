#include "api/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "api/app.h"
#include "api/cursor.h"
#include "api/dispatch.h"
#include "api/kept.h"
#include "api/openapi.h"
#include "store/partners.h"

static const size_t problem_bytes_max = (size_t)1 << 20;
static const size_t json_bytes_max = (size_t)64 << 20;

void api_reply_reset(struct http_reply *reply)
{
    buf_done(&reply->body);
    *reply = (struct http_reply){.status = 0};
}

bool api_reply_header(struct http_reply *reply, const char *name, const char *value)
{
    if (reply->header_count == sizeof reply->headers / sizeof reply->headers[0])
        return false;
    reply->headers[reply->header_count++] = (struct http_pair){slice_of(name), slice_of(value)};
    return true;
}

void api_reply_problem(struct http_reply *reply, enum accord_error error, const char *detail,
                       const char *request_id, const struct json_problems *problems)
{
    const char *code = accord_error_code(error);
    char type[96];
    snprintf(type, sizeof type, "/docs#%s", code);
    api_reply_reset(reply);
    reply->status = accord_error_status(error);
    reply->content_type = "application/problem+json";
    buf_init(&reply->body, problem_bytes_max);
    struct json_writer w;
    jw_init(&w, &reply->body);
    jw_object(&w);
    jw_key_str(&w, "type", type);
    jw_key_str(&w, "title", accord_error_title(error));
    jw_key_int(&w, "status", (int64_t)reply->status);
    jw_key_str(&w, "code", code);
    if (detail != NULL && detail[0] != '\0')
        jw_key_str(&w, "detail", detail);
    jw_key_str(&w, "request_id", request_id);
    if (problems != NULL && problems->count > 0) {
        jw_key(&w, "errors");
        jw_array(&w);
        for (size_t i = 0; i < problems->count; i++) {
            jw_object(&w);
            jw_key_str(&w, "pointer", problems->items[i].pointer);
            jw_key_str(&w, "code", accord_error_code(problems->items[i].code));
            jw_key_str(&w, "message", problems->items[i].message);
            jw_object_end(&w);
        }
        jw_array_end(&w);
    }
    jw_object_end(&w);
    api_reply_header(reply, "Cache-Control", "no-store");
    if (error == ACCORD_E_UNAUTHENTICATED)
        api_reply_header(reply, "WWW-Authenticate", "Bearer realm=\"accord\"");
    if (reply->status == 503)
        api_reply_header(reply, "Retry-After", "1");
}

/* Refusals are only noted here and made into a reply at the end (flight_finish): a step that goes
 * on encoding after one does no harm. */
void call_fail(struct call *call, enum accord_error error, const char *format, ...)
{
    struct flight *flight = flight_of(call);
    if (call->failed)
        return;
    call->failed = true;
    flight->error = error;
    flight->detail[0] = '\0';
    flight->problems = NULL;
    if (format == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(flight->detail, sizeof flight->detail, format, arguments);
    va_end(arguments);
}

void call_problems(struct call *call, enum accord_error error, const struct json_problems *problems)
{
    struct flight *flight = flight_of(call);
    if (call->failed)
        return;
    struct json_problems *kept = arena_alloc(call->arena, sizeof *kept);
    if (kept == NULL) {
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
        return;
    }
    *kept = *problems;
    call_fail(call, error == ACCORD_OK ? ACCORD_E_FIELDS_INVALID : error, NULL);
    flight->problems = kept;
    if (kept->total > kept->count)
        snprintf(flight->detail, sizeof flight->detail,
                 "%zu fields are not acceptable; the first %zu are listed", kept->total,
                 kept->count);
}

bool call_check(struct call *call, enum accord_error error)
{
    if (error != ACCORD_OK)
        call_fail(call, error, NULL);
    return error != ACCORD_OK;
}

struct json_writer call_json(struct call *call, unsigned status)
{
    struct json_writer w;
    buf_done(&call->reply->body);
    buf_init(&call->reply->body, json_bytes_max);
    call->reply->status = status;
    call->reply->content_type = "application/json";
    jw_init(&w, &call->reply->body);
    return w;
}

void call_empty(struct call *call, unsigned status)
{
    buf_done(&call->reply->body);
    call->reply->status = status;
    call->reply->content_type = NULL;
}

void call_header(struct call *call, const char *name, const char *value)
{
    if (value == NULL || !api_reply_header(call->reply, name, value))
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
}

static uint32_t number_of(struct hash hash)
{
    uint32_t number;
    memcpy(&number, hash.bytes, sizeof number);
    return number;
}

uint32_t api_caller_binding(const struct call *call)
{
    const struct slice partner = slice_of(call->caller.partner);
    const struct hash book = hash_of(slice_of(call->book == NULL ? "" : call->book->name));
    return number_of(hash_keyed(book.bytes, partner.data == NULL ? SLICE("") : partner));
}

uint32_t api_query_binding(const struct call *call, bool paging)
{
    const struct http_request *request = &call->http->request;
    uint32_t sum = 0;
    for (size_t i = 0; i < request->query_count; i++) {
        const struct http_pair *pair = &request->query[i];
        const bool pages =
            slice_equal(pair->name, SLICE("cursor")) || slice_equal(pair->name, SLICE("limit"));
        if (pages && !paging)
            continue;
        const struct hash value = hash_of(pair->value);
        sum += number_of(hash_keyed(value.bytes, pair->name));
    }
    return sum;
}

/* What a version is a version of: a tag of one partner, book, query, media type or release of the
 * contract never matches another's. */
static uint32_t etag_scope(struct call *call)
{
    const struct hash contract = hash_of(slice_of(openapi_version));
    const struct hash media = hash_keyed(contract.bytes, slice_of(call_produces(call)));
    return (number_of(media) ^ api_caller_binding(call)) + api_query_binding(call, true);
}

const char *api_reply_etag(struct call *call, int64_t version)
{
    return arena_printf(call->arena, "\"%lld-%08x\"", (long long)version,
                        (unsigned)etag_scope(call));
}

bool api_reply_etag_listed(struct slice header, const char *etag)
{
    /* `etag` is quoted and holds no quote inside. */
    const size_t inner = strlen(etag) - 1; /* with the quote before it */
    size_t at = 0;
    while (at < header.len) {
        const char c = header.data[at];
        if (c == ' ' || c == '\t' || c == ',') {
            at++;
            continue;
        }
        if (c == '*')
            return true;
        if (c == 'W' && at + 1 < header.len && header.data[at + 1] == '/')
            at += 2;
        if (at >= header.len || header.data[at] != '"')
            return false;
        const char *close = memchr(header.data + at + 1, '"', header.len - at - 1);
        if (close == NULL)
            return false;
        const size_t len = (size_t)(close - header.data) - at;
        if (len >= inner && memcmp(header.data + at, etag, inner) == 0 &&
            (len == inner || header.data[at + inner] == '-'))
            return true;
        at += len + 1;
    }
    return false;
}

bool api_reply_unchanged(struct call *call, const char *etag)
{
    const struct slice wanted = http_header(call->http, "If-None-Match");
    return wanted.data != NULL && api_reply_etag_listed(wanted, etag);
}

bool call_etag(struct call *call, int64_t version)
{
    const char *etag = api_reply_etag(call, version);
    call_header(call, "ETag", etag);
    call_header(call, "Cache-Control", "private, no-cache");
    if (call->failed || !flight_of(call)->is_read)
        return false;
    if (api_reply_unchanged(call, etag)) {
        call_empty(call, 304);
        return true;
    }
    struct flight *flight = flight_of(call);
    flight->from_kept = flight->kept != NULL && kept_is_whole(flight->kept) &&
                        strcmp(kept_etag(flight->kept), etag) == 0;
    if (flight->from_kept && !kept_send(flight->kept, call->reply))
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
    return flight->from_kept;
}

void call_keep(struct call *call, instant_us until)
{
    flight_of(call)->keep_until = until;
}

bool call_precondition(struct call *call, int64_t version)
{
    const struct slice match = http_header(call->http, "If-Match");
    const struct slice none = http_header(call->http, "If-None-Match");
    const char *etag = api_reply_etag(call, version);
    if (etag == NULL) {
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
        return false;
    }
    if (match.data != NULL && (version == 0 || !api_reply_etag_listed(match, etag))) {
        call_fail(call, ACCORD_E_VERSION_MISMATCH,
                  version == 0 ? "there is no such resource yet"
                               : "If-Match names another version");
        return false;
    }
    if (none.data != NULL && version != 0 && api_reply_etag_listed(none, etag)) {
        call_fail(call, ACCORD_E_VERSION_MISMATCH, "the resource exists already");
        return false;
    }
    return true;
}

int64_t call_partner_version(struct call *call)
{
    int64_t version = 0;
    if (call->caller.partner != NULL)
        call_check(call, store_partner_version(call->db, call->caller.partner, &version));
    return version;
}

const char *call_as_of(struct call *call, int64_t version)
{
    const char *text = cursor_of_version(call->arena, api_caller_binding(call), version);
    if (text == NULL)
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
    return text;
}

void call_location(struct call *call, const char *format, ...)
{
    struct buf text;
    buf_init(&text, 4096);
    buf_add_str(&text, call->app->public_path);
    char path[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    buf_add_str(&text, path);
    call_header(call, "Location", arena_strdup(call->arena, buf_slice(&text)));
    buf_done(&text);
}
