/* /v1/partners: who takes part. */
#include "api/partners.h"

#include <stdio.h>

#include "api/operations.h"
#include "base/zone.h"
#include "ingest/catalog_map.h"
#include "ingest/referral.h"

enum {
    NAME_MAX_CHARS = 255,
    TAX_ID_MAX_CHARS = 64,
    UTF8_MAX = 4, /* bytes of a character */
    ZONE_NAME_MAX = 64,
    COLUMN_MAP_MAX = 4096,
    BODY_MAX = 64 << 10,
};

/* In the order of their bits, enum role. */
static const char *const role_names[] = {"provider", "channel", "promoter", "platform", NULL};
static const char *const state_names[] = {"active", "suspended", NULL};

struct profile_body {
    struct slice audience;
    struct json_array languages;
    struct json_array payment_modes;
    struct json_array territories;
};

struct partner_body {
    struct slice id;
    struct slice name;
    struct slice legal_name;
    struct slice tax_id;
    struct json_array roles; /* int */
    struct accord_currency currency;
    struct slice time_zone;
    struct profile_body profile;
    bool has_profile;
    struct slice column_map;
    int state;
    bool has_state;
};

struct partner_state {
    struct partner_body body;
    const char *id;
    const char *profile; /* canonical, when has_profile */
    struct partner_row row;
    struct partner_row *rows;
    size_t row_count;
    struct list_page page;
    bool more;
};

static const struct json_field language = JSON_ELEMENT(JSON_KIND_ID, 2, 35);
static const struct json_field payment_mode = JSON_ELEMENT(JSON_KIND_ID, 1, 64);
static const struct json_field territory = JSON_ELEMENT(JSON_KIND_ID, 1, 16);
static const struct json_field role = JSON_ELEMENT_ENUM(role_names);

static const struct json_field profile_fields[] = {
    JSON_STRING_OPT(struct profile_body, audience, 0, 1000 * UTF8_MAX),
    JSON_ARRAY_SCALAR_OPT(struct profile_body, languages, &language, 0, 100),
    JSON_ARRAY_SCALAR_OPT(struct profile_body, payment_modes, &payment_mode, 0, 50),
    JSON_ARRAY_SCALAR_OPT(struct profile_body, territories, &territory, 0, 300),
};
static const struct json_object profile_spec = JSON_OBJECT(struct profile_body, profile_fields);

static const struct json_field create_fields[] = {
    JSON_SLUG(struct partner_body, id),
    JSON_ID(struct partner_body, name, 1, NAME_MAX_CHARS *UTF8_MAX),
    JSON_ID_OPT(struct partner_body, legal_name, 0, NAME_MAX_CHARS *UTF8_MAX),
    JSON_ID_OPT(struct partner_body, tax_id, 0, TAX_ID_MAX_CHARS *UTF8_MAX),
    JSON_ARRAY_SCALAR(struct partner_body, roles, &role, 1, 4),
    JSON_CURRENCY(struct partner_body, currency),
    JSON_ID(struct partner_body, time_zone, 1, ZONE_NAME_MAX),
    JSON_SUB_OPT(struct partner_body, profile, has_profile, &profile_spec),
    JSON_ID_OPT(struct partner_body, column_map, 0, COLUMN_MAP_MAX),
};
static const struct json_object create_spec = JSON_OBJECT(struct partner_body, create_fields);

static const struct json_field update_fields[] = {
    JSON_ID_OPT(struct partner_body, name, 1, NAME_MAX_CHARS *UTF8_MAX),
    JSON_ID_OPT(struct partner_body, legal_name, 0, NAME_MAX_CHARS *UTF8_MAX),
    JSON_ID_OPT(struct partner_body, tax_id, 0, TAX_ID_MAX_CHARS *UTF8_MAX),
    JSON_ARRAY_SCALAR_OPT(struct partner_body, roles, &role, 1, 4),
    JSON_CURRENCY_OPT(struct partner_body, currency),
    JSON_ID_OPT(struct partner_body, time_zone, 1, ZONE_NAME_MAX),
    JSON_SUB_OPT(struct partner_body, profile, has_profile, &profile_spec),
    JSON_ID_OPT(struct partner_body, column_map, 0, COLUMN_MAP_MAX),
    JSON_ENUM_OPT(struct partner_body, state, has_state, state_names),
};
static const struct json_object update_spec = JSON_OBJECT(struct partner_body, update_fields);

/* ---- shared ---- */

bool partner_visible(const struct call *call, const char *id)
{
    return call->caller.is_operator || strcmp(call->caller.partner, id) == 0;
}

void partner_write_roles(struct json_writer *w, uint32_t roles)
{
    jw_key(w, "roles");
    jw_array(w);
    for (unsigned i = 0; role_names[i] != NULL; i++)
        if ((roles & 1U << i) != 0)
            jw_str(w, role_names[i]);
    jw_array_end(w);
}

enum accord_error partner_touch(struct call *call, const char *id)
{
    /* The test books need not know the partner of a live key that makes keys there. */
    const enum accord_error error = ingest_touch(call->tx, id);
    return error == ACCORD_OK ? ingest_touch(call->tx, call->caller.partner) : error;
}

static uint32_t role_bits(struct json_array roles)
{
    const int *items = roles.items;
    uint32_t bits = 0;
    for (size_t i = 0; i < roles.count; i++)
        bits |= 1U << items[i];
    return bits;
}

static size_t characters(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

static void check_length(struct json_problems *problems, const char *pointer, struct slice text,
                         size_t max)
{
    if (characters(text) > max)
        json_problem_add(problems, ACCORD_E_TEXT_LENGTH, pointer, "at most %zu characters", max);
}

/* Checks beyond the types, on what is present. */
static void check_body(struct call *call, const struct partner_body *body)
{
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    const struct zone *zone = NULL;
    if (problems == NULL)
        return;
    check_length(problems, "/name", body->name, NAME_MAX_CHARS);
    check_length(problems, "/legal_name", body->legal_name, NAME_MAX_CHARS);
    check_length(problems, "/tax_id", body->tax_id, TAX_ID_MAX_CHARS);
    check_length(problems, "/profile/audience", body->profile.audience, 1000);
    if (body->time_zone.data != NULL && zone_find(body->time_zone, &zone) != ACCORD_OK)
        json_problem_add(problems, ACCORD_E_TIME_ZONE_UNKNOWN, "/time_zone",
                         "not a time zone that is known here");
    catalog_map_check(body->column_map, "/column_map", problems);
    if (problems->total > 0)
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
}

static void write_texts(struct json_writer *w, const char *name, struct json_array texts)
{
    const struct slice *items = texts.items;
    if (items == NULL)
        return;
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < texts.count; i++)
        jw_slice(w, items[i]);
    jw_array_end(w);
}

/* The canonical text of a profile: names in bytewise order. */
static const char *profile_text(struct call *call, const struct profile_body *profile)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, BODY_MAX);
    jw_init(&w, &out);
    jw_object(&w);
    if (profile->audience.data != NULL)
        jw_key_slice(&w, "audience", profile->audience);
    write_texts(&w, "languages", profile->languages);
    write_texts(&w, "payment_modes", profile->payment_modes);
    write_texts(&w, "territories", profile->territories);
    jw_object_end(&w);
    const char *text =
        buf_error(&out) == ACCORD_OK ? arena_strdup(call->arena, buf_slice(&out)) : NULL;
    buf_done(&out);
    if (text == NULL)
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
    return text;
}

static void write_partner(struct json_writer *w, const struct partner_row *row)
{
    jw_object(w);
    jw_key_str(w, "id", row->id);
    jw_key_str(w, "name", row->name);
    jw_key_str(w, "legal_name", row->legal_name);
    jw_key_str(w, "tax_id", row->tax_id);
    partner_write_roles(w, row->roles);
    jw_key_str(w, "currency", row->currency);
    jw_key_str(w, "time_zone", row->time_zone);
    jw_key(w, "profile");
    jw_raw(w, slice_of(row->profile));
    jw_key_str(w, "column_map", row->column_map);
    jw_key_str(w, "state", state_names[row->suspended ? 1 : 0]);
    jw_key_int(w, "version", row->version);
    jw_key_time(w, "created_at", row->created_at);
    jw_key_time(w, "updated_at", row->updated_at);
    jw_object_end(w);
}

/* ---- POST /v1/partners ---- */

static const char *or_empty(struct slice text)
{
    return text.data == NULL ? "" : text.data; /* decoded texts end with a NUL */
}

static void create_prepare(struct call *call)
{
    struct partner_state *state = call_alloc(call, sizeof *state);
    if (state == NULL || !call_decode(call, &create_spec, &state->body))
        return;
    call->state = state;
    check_body(call, &state->body);
    if (!call->failed)
        state->profile = profile_text(call, &state->body.profile);
}

static enum accord_error create_write(struct call *call)
{
    struct partner_state *state = call->state;
    const struct partner_body *body = &state->body;
    bool added = false;
    state->row = (struct partner_row){
        .id = body->id.data,
        .name = body->name.data,
        .legal_name = or_empty(body->legal_name),
        .tax_id = or_empty(body->tax_id),
        .roles = role_bits(body->roles),
        .currency = body->currency.code,
        .time_zone = body->time_zone.data,
        .profile = state->profile,
        .column_map = or_empty(body->column_map),
        .version = 1,
        .created_at = call->tx->now,
        .updated_at = call->tx->now,
    };
    const enum accord_error error = store_partner_insert(call->db, &state->row, &added);
    if (error != ACCORD_OK)
        return error;
    if (!added) {
        call_fail(call, ACCORD_E_PARTNER_EXISTS, NULL);
        return ACCORD_OK;
    }
    return partner_touch(call, state->row.id);
}

static void create_answer(struct call *call)
{
    const struct partner_state *state = call->state;
    struct json_writer w = call_json(call, 201);
    call_etag(call, state->row.version);
    call_location(call, "/v1/partners/%s", state->row.id);
    write_partner(&w, &state->row);
}

/* ---- GET /v1/partners ---- */

static void list_prepare(struct call *call)
{
    struct partner_state *state = call_alloc(call, sizeof *state);
    if (state != NULL && call_page(call, 1, &state->page))
        call->state = state;
}

static void list_read(struct call *call)
{
    struct partner_state *state = call->state;
    const char *after = state->page.has_cursor ? state->page.parts[0].data : "";
    const int64_t version = call_partner_version(call);
    if (call->failed || call_etag(call, version))
        return;
    if (call->caller.is_operator) {
        if (call_check(call, store_partner_list(call->db, call->arena, after, state->page.limit + 1,
                                                &state->rows, &state->row_count)))
            return;
        state->more = state->row_count > (size_t)state->page.limit;
        if (state->more)
            state->row_count--;
        return;
    }
    bool found = false;
    state->rows = &state->row;
    if (strcmp(call->caller.partner, after) > 0 &&
        !call_check(call, store_partner_get(call->db, call->arena, call->caller.partner,
                                            &state->row, &found)))
        state->row_count = found ? 1 : 0;
}

static void list_answer(struct call *call)
{
    const struct partner_state *state = call->state;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < state->row_count; i++)
        write_partner(&w, &state->rows[i]);
    jw_array_end(&w);
    const struct slice last =
        state->row_count == 0 ? SLICE("") : slice_of(state->rows[state->row_count - 1].id);
    call_page_next(call, &w, &last, 1, state->more);
    jw_object_end(&w);
}

/* ---- GET /v1/partners/{partner} ---- */

static void get_read(struct call *call)
{
    struct partner_state *state = call_alloc(call, sizeof *state);
    const char *id = call_arg(call, 0);
    bool found = false;
    if (state == NULL)
        return;
    call->state = state;
    if (partner_visible(call, id) &&
        call_check(call, store_partner_get(call->db, call->arena, id, &state->row, &found)))
        return;
    if (!found)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else
        call_etag(call, state->row.version);
}

static void get_answer(struct call *call)
{
    const struct partner_state *state = call->state;
    struct json_writer w = call_json(call, 200);
    write_partner(&w, &state->row);
}

/* ---- PATCH /v1/partners/{partner} ---- */

static void update_prepare(struct call *call)
{
    struct partner_state *state = call_alloc(call, sizeof *state);
    if (state == NULL)
        return;
    const struct partner_body *body = &state->body;
    call->state = state;
    state->id = call_arg(call, 0);
    if (!partner_visible(call, state->id)) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    if (call->caller.is_operator && (call->caller.scopes & SCOPE_ADMIN) == 0) {
        call_fail(call, ACCORD_E_SCOPE_MISSING, "the operator changes partners with scope admin");
        return;
    }
    if (!call_decode(call, &update_spec, &state->body))
        return;
    if (!call->caller.is_operator && (body->roles.items != NULL || body->currency.code[0] != '\0' ||
                                      body->time_zone.data != NULL || body->has_state)) {
        call_fail(call, ACCORD_E_ROLE_MISSING,
                  "only the operator changes roles, currency, time_zone and state");
        return;
    }
    check_body(call, body);
    if (!call->failed && body->has_profile)
        state->profile = profile_text(call, &body->profile);
}

/* The operator may not lock itself out. */
static bool keeps_operator(struct call *call, const struct partner_row *row)
{
    if (strcmp(row->id, call->caller.partner) != 0 || !call->caller.is_operator)
        return true;
    if (!row->suspended && (row->roles & ROLE_PLATFORM) != 0)
        return true;
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return false;
    json_problem_add(problems, ACCORD_E_VALUE_UNKNOWN, row->suspended ? "/state" : "/roles",
                     "the operator's own partner stays active and keeps the role platform");
    call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
    return false;
}

static void apply(struct partner_row *row, const struct partner_state *state)
{
    const struct partner_body *body = &state->body;
    if (body->name.data != NULL)
        row->name = body->name.data;
    if (body->legal_name.data != NULL)
        row->legal_name = body->legal_name.data;
    if (body->tax_id.data != NULL)
        row->tax_id = body->tax_id.data;
    if (body->roles.items != NULL)
        row->roles = role_bits(body->roles);
    if (body->currency.code[0] != '\0')
        row->currency = body->currency.code;
    if (body->time_zone.data != NULL)
        row->time_zone = body->time_zone.data;
    if (body->has_profile)
        row->profile = state->profile;
    if (body->column_map.data != NULL)
        row->column_map = body->column_map.data;
    if (body->has_state)
        row->suspended = body->state == 1;
}

static enum accord_error update_write(struct call *call)
{
    struct partner_state *state = call->state;
    bool found = false;
    bool updated = false;
    enum accord_error error =
        store_partner_get(call->db, call->arena, state->id, &state->row, &found);
    if (error != ACCORD_OK)
        return error;
    if (!found) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return ACCORD_OK;
    }
    if (!call_precondition(call, state->row.version))
        return ACCORD_OK;
    const bool was_suspended = state->row.suspended;
    apply(&state->row, state);
    if (!keeps_operator(call, &state->row))
        return ACCORD_OK;
    state->row.version++;
    state->row.updated_at = call->tx->now;
    error = store_partner_update(call->db, &state->row, state->row.suspended != was_suspended,
                                 &updated);
    if (error == ACCORD_OK && !updated)
        error = ACCORD_E_INTERNAL; /* read in this very transaction */
    if (error == ACCORD_OK && state->row.suspended != was_suspended)
        error = ingest_promoter_changed(call->tx, state->id, state->row.updated_at);
    return error == ACCORD_OK ? partner_touch(call, state->id) : error;
}

static void update_answer(struct call *call)
{
    const struct partner_state *state = call->state;
    struct json_writer w = call_json(call, 200);
    call_etag(call, state->row.version);
    write_partner(&w, &state->row);
}

const struct operation partner_operations[] = {
    {
        .id = "createPartner",
        .method = "POST",
        .pattern = "/v1/partners",
        .scope = SCOPE_ADMIN,
        .roles = ROLE_PLATFORM,
        .flags = OP_IDEMPOTENCY_KEY,
        .body_max = BODY_MAX,
        .media = "application/json",
        .prepare = create_prepare,
        .write = create_write,
        .answer = create_answer,
    },
    {
        .id = "listPartners",
        .method = "GET",
        .pattern = "/v1/partners",
        .scope = SCOPE_ANY,
        .query = "limit cursor",
        .prepare = list_prepare,
        .read = list_read,
        .answer = list_answer,
    },
    {
        .id = "getPartner",
        .method = "GET",
        .pattern = "/v1/partners/{partner}",
        .scope = SCOPE_ANY,
        .read = get_read,
        .answer = get_answer,
    },
    {
        .id = "updatePartner",
        .method = "PATCH",
        .pattern = "/v1/partners/{partner}",
        .scope = SCOPE_ADMIN | SCOPE_AGREEMENTS_WRITE,
        .flags = OP_IF_MATCH,
        .body_max = BODY_MAX,
        .media = "application/json",
        .prepare = update_prepare,
        .write = update_write,
        .answer = update_answer,
    },
};
const size_t partner_operation_count = sizeof partner_operations / sizeof partner_operations[0];
