#include "api/admit.h"

#include "api/app.h"
#include "api/auth.h"
#include "api/idempotency.h"
#include "api/kept.h"
#include "api/limits.h"
#include "api/media.h"

/* ---- the key ---- */

/* A key that was looked up before is still the same while nothing is written to the books. */
static enum accord_error find_key(struct flight *flight, struct slice secret,
                                  struct key_owner *owner, bool *found)
{
    const struct call *call = &flight->call;
    struct kept *kept = call->app->kept[call->http->worker];
    struct db *db = call->book->readers[call->http->worker];
    const struct hash hash = hash_of(secret);
    flight->data_version = kept_data_version(
        kept, call->book, db, writer_changes(call->book->writer), clock_monotonic_us());
    const struct key_owner *known = kept_key_find(kept, call->book, &hash, flight->data_version);
    if (known == NULL) {
        const enum accord_error error = store_key_find(db, call->arena, &hash, owner, found);
        if (error == ACCORD_OK && *found)
            kept_key_put(kept, call->book, &hash, flight->data_version, owner);
        return error;
    }
    *owner = *known;
    owner->key.id = arena_strdup(call->arena, slice_of(known->key.id));
    owner->key.partner = arena_strdup(call->arena, slice_of(known->key.partner));
    owner->partner_name = arena_strdup(call->arena, slice_of(known->partner_name));
    *found = true;
    return owner->key.id == NULL || owner->key.partner == NULL || owner->partner_name == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

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
        call->book = mode == AUTH_TEST ? &call->app->test : &call->app->live;
        if (call_check(call, find_key(flight, secret, &owner, &found)))
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

static void check_query(struct call *call)
{
    const struct http_request *request = &call->http->request;
    for (size_t i = 0; i < request->query_count; i++) {
        const struct slice name = request->query[i].name;
        const struct slice value = request->query[i].value;
        const int shown = name.len > 64 ? 64 : (int)name.len;
        if (!media_word_listed(call->operation->query, name))
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
    struct slice media = {NULL, 0};
    if (taken == NULL || !flight->has_body)
        return;
    if (!media_of_body(taken, http_header(call->http, "Content-Type"), &media)) {
        call_fail(call, ACCORD_E_MEDIA_TYPE_UNSUPPORTED, "this operation takes: %s", taken);
        return;
    }
    flight->media = arena_strdup(call->arena, media);
}

static void check_accept(struct flight *flight)
{
    struct call *call = &flight->call;
    const char *offered =
        call->operation->produces == NULL ? "application/json" : call->operation->produces;
    struct slice media = {NULL, 0};
    if (!media_accepted(offered, http_header(call->http, "Accept"), &media)) {
        call_fail(call, ACCORD_E_NOT_ACCEPTABLE, "this operation answers with: %s", offered);
        return;
    }
    flight->produces = arena_strdup(call->arena, media);
}

static void check_condition(struct call *call)
{
    if ((call->operation->flags & OP_IF_MATCH) == 0)
        return;
    if (http_header(call->http, "If-Match").data != NULL)
        return;
    const struct slice none = http_header(call->http, "If-None-Match");
    if (none.data == NULL || !slice_equal(none, SLICE("*")))
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
