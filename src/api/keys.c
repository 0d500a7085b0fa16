/* /v1/partners/{partner}/keys and /v1/me. */
#include "api/app.h"
#include "api/auth.h"
#include "api/dispatch.h"
#include "api/operations.h"
#include "api/partners.h"

enum { LABEL_MAX_BYTES = 1020, BODY_MAX = 16 << 10 };

static const char *const mode_names[] = {"live", "test", NULL};
/* In the order of auth_scope_name(). */
static const char *const scope_names[] = {"admin",
                                          "catalog:read",
                                          "catalog:write",
                                          "events:read",
                                          "events:write",
                                          "agreements:read",
                                          "agreements:write",
                                          "revenue:read",
                                          "statements:read",
                                          "statements:write",
                                          NULL};

struct key_body {
    struct json_array scopes; /* int: index of scope_names */
    struct slice label;
    instant_us expires_at;
    bool has_expires_at;
    int mode;
    bool has_mode;
};

struct key_state {
    struct key_body body;
    const char *partner;
    bool is_test;
    struct partner_row owner; /* of the caller's book */
    struct key_row row;
    char id[RANDOM_ID_MAX];
    char secret[AUTH_SECRET_MAX];

    struct list_page page;
    struct key_row *live;
    size_t live_count;
    struct key_row *test;
    size_t test_count;
    bool more;
    int64_t as_of;
};

static const struct json_field scope = JSON_ELEMENT_ENUM(scope_names);
static const struct json_field create_fields[] = {
    JSON_ARRAY_SCALAR(struct key_body, scopes, &scope, 1, 10),
    JSON_ID_OPT(struct key_body, label, 0, LABEL_MAX_BYTES),
    JSON_TIME_OPT(struct key_body, expires_at, has_expires_at),
    JSON_ENUM_OPT(struct key_body, mode, has_mode, mode_names),
};
static const struct json_object create_spec = JSON_OBJECT(struct key_body, create_fields);

static bool calls_live(const struct call *call)
{
    return call->book == &call->app->live;
}

static void write_scopes(struct json_writer *w, uint32_t scopes)
{
    jw_key(w, "scopes");
    jw_array(w);
    for (unsigned i = 0; auth_scope_name(i) != NULL; i++)
        if ((scopes & auth_scope_find(slice_of(auth_scope_name(i)))) != 0)
            jw_str(w, auth_scope_name(i));
    jw_array_end(w);
}

static void write_time_or_null(struct json_writer *w, const char *name, instant_us at)
{
    jw_key(w, name);
    if (at == INT64_MAX)
        jw_null(w);
    else
        jw_time(w, at);
}

/* The members that a created and a listed key have in common. */
static void write_key(struct json_writer *w, const struct key_row *row)
{
    jw_key_str(w, "id", row->id);
    jw_key_str(w, "partner", row->partner);
    jw_key_str(w, "mode", auth_key_id_mode(row->id) == AUTH_TEST ? "test" : "live");
    write_scopes(w, row->scopes);
    jw_key_str(w, "label", row->label);
    jw_key_time(w, "created_at", row->created_at);
    write_time_or_null(w, "expires_at", row->expires_at);
}

/* ---- POST /v1/partners/{partner}/keys ---- */

static void check_create(struct call *call, const struct key_state *state)
{
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return;
    if (state->body.has_expires_at && state->body.expires_at <= clock_now_us())
        json_problem_add(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "/expires_at",
                         "must lie in the future");
    if (problems->total > 0)
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
}

static void create_prepare(struct call *call)
{
    struct key_state *state = call_alloc(call, sizeof *state);
    if (state == NULL || !call_decode(call, &create_spec, &state->body))
        return;
    const struct key_body *body = &state->body;
    call->state = state;
    state->partner = call_arg(call, 0);
    state->is_test = body->has_mode ? body->mode == 1 : !calls_live(call);
    if (!state->is_test && !calls_live(call)) {
        call_fail(call, ACCORD_E_MODE_MISMATCH, "a test key makes test keys only");
        return;
    }
    check_create(call, state);
    auth_key_id(state->is_test ? AUTH_TEST : AUTH_LIVE, state->id);
    auth_secret_make(state->is_test ? AUTH_TEST : AUTH_LIVE, state->secret);
    state->row = (struct key_row){
        .id = state->id,
        .partner = state->partner,
        .label = body->label.data == NULL ? "" : body->label.data,
        .expires_at = body->has_expires_at ? body->expires_at : INT64_MAX,
        .revoked_at = INT64_MAX,
    };
    const int *items = body->scopes.items;
    for (size_t i = 0; i < body->scopes.count; i++)
        state->row.scopes |= auth_scope_find(slice_of(scope_names[items[i]]));
}

static void create_read(struct call *call)
{
    struct key_state *state = call->state;
    bool found = false;
    if (call_check(call,
                   store_partner_get(call->db, call->arena, state->partner, &state->owner, &found)))
        return;
    if (!found) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    const bool admin = (state->row.scopes & SCOPE_ADMIN) != 0;
    const bool platform = (state->owner.roles & ROLE_PLATFORM) != 0;
    if (admin != platform) {
        struct json_problems *problems = call_alloc(call, sizeof *problems);
        if (problems == NULL)
            return;
        json_problem_add(problems, ACCORD_E_VALUE_UNKNOWN, "/scopes",
                         platform ? "a key of the operator has admin among its scopes"
                                  : "admin is for keys of the operator");
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
        return;
    }
    if (state->is_test)
        call->book = &call->app->test;
}

static enum accord_error create_write(struct call *call)
{
    struct key_state *state = call->state;
    struct hash hash = hash_of(slice_of(state->secret));
    struct partner_row there;
    bool found = false;
    bool added = false;
    enum accord_error error =
        store_partner_get(call->db, call->arena, state->partner, &there, &found);
    if (error == ACCORD_OK && !found) {
        /* A partner of the live books comes into the test books with its first test key. */
        struct partner_row copy = state->owner;
        copy.version = 1;
        copy.created_at = copy.updated_at = call->tx->now;
        error = store_partner_insert(call->db, &copy, &added);
    }
    state->row.created_at = call->tx->now;
    if (error == ACCORD_OK)
        error = store_key_insert(call->db, &state->row, &hash, &added);
    if (error == ACCORD_OK && !added)
        error = ACCORD_E_INTERNAL; /* 256 random bits were there before */
    return error == ACCORD_OK ? partner_touch(call, state->partner) : error;
}

static void create_answer(struct call *call)
{
    const struct key_state *state = call->state;
    struct json_writer w = call_json(call, 201);
    call_header(call, "Cache-Control", "no-store");
    jw_object(&w);
    write_key(&w, &state->row);
    jw_key_str(&w, "secret", state->secret);
    jw_object_end(&w);
}

/* ---- GET /v1/partners/{partner}/keys ---- */

static void list_prepare(struct call *call)
{
    struct key_state *state = call_alloc(call, sizeof *state);
    if (state == NULL || !call_page(call, 2, &state->page))
        return;
    call->state = state;
    state->partner = call_arg(call, 0);
    if (!partner_visible(call, state->partner))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
}

/* A live caller sees its live keys and then its test keys, which stand in the other books. */
static enum accord_error read_keys(struct call *call, struct key_state *state, struct db *test)
{
    const struct list_page *page = &state->page;
    const bool in_test = page->has_cursor && slice_equal(page->parts[0], SLICE("test"));
    const char *after = page->has_cursor ? page->parts[1].data : "";
    const int64_t wanted = page->limit + 1;
    enum accord_error error = ACCORD_OK;
    if (!in_test && calls_live(call))
        error = store_key_list(call->db, call->arena, state->partner, after, wanted, &state->live,
                               &state->live_count);
    const int64_t left = wanted - (int64_t)state->live_count;
    if (error == ACCORD_OK && left > 0)
        error = store_key_list(test, call->arena, state->partner, in_test ? after : "", left,
                               &state->test, &state->test_count);
    return error;
}

static void list_read(struct call *call)
{
    struct key_state *state = call->state;
    struct db *test = calls_live(call) ? call->app->test.readers[call->reader] : call->db;
    struct partner_row owner;
    bool found = false;
    int64_t test_version = 0;
    if (call_check(call, store_partner_get(call->db, call->arena, state->partner, &owner, &found)))
        return;
    if (!found) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    const int64_t version = call_partner_version(call);
    if (calls_live(call) &&
        call_check(call, store_partner_version(test, call->caller.partner, &test_version)))
        return;
    /* Both only grow: their sum changes whenever one of them does. */
    if (call->failed || call_etag(call, version + test_version))
        return;
    if (call_check(call, read_keys(call, state, test)))
        return;
    state->more = state->live_count + state->test_count > (size_t)state->page.limit;
    if (state->more && state->test_count > 0)
        state->test_count--;
    else if (state->more)
        state->live_count--;
}

static void list_answer(struct call *call)
{
    const struct key_state *state = call->state;
    struct json_writer w = call_json(call, 200);
    struct slice last[2] = {SLICE("live"), SLICE("")};
    jw_object(&w);
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < state->live_count + state->test_count; i++) {
        const bool is_test = i >= state->live_count;
        const struct key_row *row = is_test ? &state->test[i - state->live_count] : &state->live[i];
        last[0] = is_test ? SLICE("test") : SLICE("live");
        last[1] = slice_of(row->id);
        jw_object(&w);
        write_key(&w, row);
        write_time_or_null(&w, "revoked_at", row->revoked_at);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    call_page_next(call, &w, last, 2, state->more);
    jw_object_end(&w);
}

/* ---- DELETE /v1/partners/{partner}/keys/{key} ---- */

static void revoke_prepare(struct call *call)
{
    struct key_state *state = call_alloc(call, sizeof *state);
    if (state == NULL)
        return;
    call->state = state;
    state->partner = call_arg(call, 0);
    state->row.id = call_arg(call, 1);
    state->is_test = auth_key_id_mode(state->row.id) == AUTH_TEST;
    if (!state->is_test && !calls_live(call))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (state->is_test)
        call->book = &call->app->test;
}

static enum accord_error revoke_write(struct call *call)
{
    struct key_state *state = call->state;
    const char *owner = NULL;
    const enum accord_error error = store_key_revoke(call->db, call->arena, state->partner,
                                                     state->row.id, call->tx->now, &owner);
    if (error != ACCORD_OK)
        return error;
    if (owner == NULL) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return ACCORD_OK;
    }
    return partner_touch(call, state->partner);
}

static void revoke_answer(struct call *call)
{
    call_empty(call, 204);
}

/* ---- GET /v1/me ---- */

static void me_read(struct call *call)
{
    struct key_state *state = call_alloc(call, sizeof *state);
    if (state == NULL)
        return;
    call->state = state;
    state->as_of = call_partner_version(call);
    /* The answer is also about the key: another key of the partner must not match. */
    const struct hash hash = hash_of(slice_of(call->caller.key_id));
    const int64_t key = hash.bytes[0] << 8 | hash.bytes[1];
    call_etag(call, state->as_of << 16 | key);
}

static void me_answer(struct call *call)
{
    const struct key_state *state = call->state;
    const struct flight *flight = flight_of(call);
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "partner", call->caller.partner);
    jw_key_str(&w, "name", flight->partner_name);
    partner_write_roles(&w, call->caller.roles);
    jw_key_str(&w, "mode", call->book->name);
    jw_key(&w, "key");
    jw_object(&w);
    jw_key_str(&w, "id", call->caller.key_id);
    write_scopes(&w, call->caller.scopes);
    write_time_or_null(&w, "expires_at", flight->key_expires_at);
    jw_object_end(&w);
    jw_key_str(&w, "as_of", call_as_of(call, state->as_of));
    jw_object_end(&w);
}

const struct operation key_operations[] = {
    {
        .id = "createKey",
        .method = "POST",
        .pattern = "/v1/partners/{partner}/keys",
        .scope = SCOPE_ADMIN,
        .roles = ROLE_PLATFORM,
        .flags = OP_IDEMPOTENCY_KEY | OP_ANSWER_ONCE,
        .body_max = BODY_MAX,
        .media = "application/json",
        .prepare = create_prepare,
        .read = create_read,
        .write = create_write,
        .answer = create_answer,
    },
    {
        .id = "listKeys",
        .method = "GET",
        .pattern = "/v1/partners/{partner}/keys",
        .scope = SCOPE_ANY,
        .query = "limit cursor",
        .prepare = list_prepare,
        .read = list_read,
        .answer = list_answer,
    },
    {
        .id = "revokeKey",
        .method = "DELETE",
        .pattern = "/v1/partners/{partner}/keys/{key}",
        .scope = SCOPE_ADMIN,
        .roles = ROLE_PLATFORM,
        .prepare = revoke_prepare,
        .write = revoke_write,
        .answer = revoke_answer,
    },
    {
        .id = "getMe",
        .method = "GET",
        .pattern = "/v1/me",
        .scope = SCOPE_ANY,
        .read = me_read,
        .answer = me_answer,
    },
};
const size_t key_operation_count = sizeof key_operations / sizeof key_operations[0];
