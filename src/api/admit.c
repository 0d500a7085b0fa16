#include "api/admit.h"

#include "api/app.h"
#include "api/auth.h"
#include "api/idempotency.h"
#include "api/limits.h"

static struct slice trim(struct slice text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* Cuts what stands before `separator` off the front of `rest`; false when nothing is left. */
static bool next_part(struct slice *rest, char separator, struct slice *ret)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->data, separator, rest->len);
    const size_t len = end == NULL ? rest->len : (size_t)(end - rest->data);
    *ret = trim((struct slice){rest->data, len});
    const size_t used = end == NULL ? len : len + 1;
    rest->data += used;
    rest->len -= used;
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool equal_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

/* ---- the key ---- */

static void check_key(struct flight *flight)
{
    struct call *call = &flight->call;
    struct http_exchange *http = call->http;
    call->book = &call->app->live;
    if (call->operation->scope == SCOPE_PUBLIC)
        return;
    const struct slice secret = auth_bearer(http_header(http, "Authorization"));
    const enum auth_mode mode = auth_secret_mode(secret);
    struct key_owner owner;
    bool found = false;
    if (mode != AUTH_NONE) {
        const struct hash hash = hash_of(secret);
        call->book = mode == AUTH_TEST ? &call->app->test : &call->app->live;
        if (call_check(call, store_key_find(call->book->readers[http->worker], call->arena, &hash,
                                            &owner, &found)))
            return;
    }
    if (found) {
        http->partner = owner.key.partner;
        call->caller = (struct caller){
            .partner = owner.key.partner,
            .key_id = owner.key.id,
            .roles = owner.roles,
            .scopes = owner.key.scopes,
            .is_operator = (owner.roles & ROLE_PLATFORM) != 0,
        };
        flight->partner_name = owner.partner_name;
        flight->key_expires_at = owner.key.expires_at;
    }
    call_check(call, auth_decide(call->operation, found ? &owner : NULL, clock_now_us()));
}

static void check_rate(struct flight *flight)
{
    struct call *call = &flight->call;
    struct limit_state state;
    if (call->app->limits == NULL || call->caller.key_id == NULL)
        return;
    const bool taken =
        limits_take(call->app->limits, call->caller.key_id, clock_monotonic_us(), &state);
    flight->limited = true;
    flight->limit = state.limit;
    flight->limit_remaining = state.remaining;
    flight->limit_wait_s = state.wait_s;
    if (!taken)
        call_fail(call, ACCORD_E_RATE_LIMITED, "this key may send %lld requests per second",
                  (long long)state.limit);
}

/* ---- query and headers ---- */

static bool name_listed(const char *names, struct slice name)
{
    struct slice rest = slice_of(names);
    struct slice one;
    while (next_part(&rest, ' ', &one))
        if (one.len > 0 && slice_equal(one, name))
            return true;
    return false;
}

static void check_query(struct call *call)
{
    const struct http_request *request = &call->http->request;
    for (size_t i = 0; i < request->query_count; i++) {
        const struct slice name = request->query[i].name;
        const struct slice value = request->query[i].value;
        const int shown = name.len > 64 ? 64 : (int)name.len;
        if (!name_listed(call->operation->query, name))
            call_fail(call, ACCORD_E_QUERY_INVALID, "the parameter '%.*s' is not known", shown,
                      name.data == NULL ? "" : name.data);
        else if (value.len > 0 && memchr(value.data, '\0', value.len) != NULL)
            call_fail(call, ACCORD_E_QUERY_INVALID, "the parameter '%.*s' holds a NUL", shown,
                      name.data);
        for (size_t k = 0; k < i; k++)
            if (slice_equal(request->query[k].name, name))
                call_fail(call, ACCORD_E_QUERY_INVALID, "the parameter '%.*s' is given twice",
                          shown, name.data);
    }
}

/* The entry of a blank-separated list that equals `media`, as a text of the arena; NULL: none. */
static const char *media_in(struct call *call, const char *list, struct slice media)
{
    struct slice rest = slice_of(list);
    struct slice one;
    while (next_part(&rest, ' ', &one))
        if (one.len > 0 && equal_nocase(one, media))
            return arena_strdup(call->arena, one);
    return NULL;
}

static bool charset_is_utf8(struct slice parameters)
{
    struct slice one;
    while (next_part(&parameters, ';', &one)) {
        if (one.len < 8 || !equal_nocase((struct slice){one.data, 8}, SLICE("charset=")))
            continue;
        struct slice charset = {one.data + 8, one.len - 8};
        if (charset.len >= 2 && charset.data[0] == '"') {
            charset.data++;
            charset.len -= 2;
        }
        if (!equal_nocase(charset, SLICE("utf-8")) && !equal_nocase(charset, SLICE("us-ascii")))
            return false;
    }
    return true;
}

static bool announces_body(const struct call *call)
{
    const struct slice length = http_header(call->http, "Content-Length");
    if (http_header(call->http, "Transfer-Encoding").data != NULL)
        return true;
    for (size_t i = 0; i < length.len; i++)
        if (length.data[i] != '0')
            return true;
    return false;
}

static void check_content_type(struct flight *flight)
{
    struct call *call = &flight->call;
    const char *taken = call->operation->media;
    if (taken == NULL || !flight->has_body)
        return;
    struct slice rest = http_header(call->http, "Content-Type");
    struct slice media;
    if (rest.data != NULL && next_part(&rest, ';', &media) && charset_is_utf8(rest))
        flight->media = media_in(call, taken, media);
    if (flight->media == NULL)
        call_fail(call, ACCORD_E_MEDIA_TYPE_UNSUPPORTED, "this operation takes: %s", taken);
}

/* The quality of a range's parameters in thousandths; 1000 without `q`, 0 when it is not valid. */
static unsigned quality(struct slice parameters)
{
    struct slice one;
    while (next_part(&parameters, ';', &one)) {
        if (one.len < 3 || lower(one.data[0]) != 'q' || one.data[1] != '=')
            continue;
        if (one.data[2] == '1')
            return 1000;
        unsigned value = 0;
        unsigned unit = 100;
        for (size_t i = 4; i < one.len && i < 7 && one.data[i] >= '0' && one.data[i] <= '9'; i++) {
            value += (unsigned)(one.data[i] - '0') * unit;
            unit /= 10;
        }
        return value;
    }
    return 1000;
}

/* How well `accept` takes `media`: the most specific range decides. */
static unsigned acceptance(struct slice accept, struct slice media)
{
    const char *slash = memchr(media.data, '/', media.len);
    const size_t type_len = (size_t)(slash - media.data) + 1;
    unsigned best = 0;
    unsigned best_rank = 0;
    struct slice range;
    while (next_part(&accept, ',', &range)) {
        struct slice name;
        unsigned rank = 0;
        if (!next_part(&range, ';', &name))
            continue;
        if (equal_nocase(name, media))
            rank = 3;
        else if (name.len == type_len + 1 && name.data[type_len] == '*' &&
                 equal_nocase((struct slice){name.data, type_len},
                              (struct slice){media.data, type_len}))
            rank = 2;
        else if (slice_equal(name, SLICE("*/*")))
            rank = 1;
        if (rank > best_rank) {
            best_rank = rank;
            best = quality(range);
        }
    }
    return best;
}

static void check_accept(struct flight *flight)
{
    struct call *call = &flight->call;
    const char *produces = call->operation->produces;
    const struct slice accept = http_header(call->http, "Accept");
    struct slice rest = slice_of(produces == NULL ? "application/json" : produces);
    struct slice media;
    struct slice chosen = {NULL, 0};
    unsigned best = 0;
    while (next_part(&rest, ' ', &media)) {
        const unsigned taken = accept.data == NULL ? 1000 : acceptance(accept, media);
        if (media.len > 0 && taken > best) {
            best = taken;
            chosen = media;
        }
    }
    if (chosen.data == NULL) {
        call_fail(call, ACCORD_E_NOT_ACCEPTABLE, "this operation answers with: %s",
                  produces == NULL ? "application/json" : produces);
        return;
    }
    flight->produces = arena_strdup(call->arena, chosen);
}

static void check_condition(struct call *call)
{
    if ((call->operation->flags & OP_IF_MATCH) == 0)
        return;
    if (http_header(call->http, "If-Match").data != NULL)
        return;
    const struct slice none = http_header(call->http, "If-None-Match");
    if (none.data == NULL || !slice_equal(trim(none), SLICE("*")))
        call_fail(call, ACCORD_E_IF_MATCH_REQUIRED, NULL);
}

void admit(struct flight *flight, const struct route_table *routes)
{
    struct call *call = &flight->call;
    const struct http_request *request = &call->http->request;
    const struct route_match match =
        route_find(routes, request->method, request->segments, request->segment_count);
    flight->has_body = announces_body(call);
    flight->allow = match.allow;
    if (match.path == NULL) {
        call->http->route = "none";
        call_fail(call, ACCORD_E_NOT_FOUND, "there is no such path");
        return;
    }
    call->http->route = match.path;
    if (match.operation == SIZE_MAX) {
        if (!slice_equal(request->method, SLICE("OPTIONS"))) {
            call_fail(call, ACCORD_E_METHOD_NOT_ALLOWED, "this path takes: %s", match.allow);
            return;
        }
        call_empty(call, 204);
        call_header(call, "Allow", match.allow);
        flight->done = true;
        return;
    }
    call->operation = operations_at(match.operation);
    flight->operation_index = match.operation;
    memcpy(call->args, match.args, sizeof call->args);
    flight->is_read = strcmp(call->operation->method, "GET") == 0;

    check_key(flight);
    if (!call->failed)
        check_rate(flight);
    if (!call->failed)
        check_query(call);
    if (!call->failed)
        check_content_type(flight);
    if (!call->failed)
        check_accept(flight);
    if (!call->failed)
        idempotency_read_key(flight);
    if (!call->failed)
        check_condition(call);
}
