/* Agreements: drafting them and their versions, reading and listing them. */
#include "api/agreements.h"

#include <stdio.h>

#include "api/agreement_call.h"
#include "base/number.h"

/* A version's body with a scope of many courses. */
enum { AGREEMENT_BODY_MAX = 1024 * 1024 };

/* "/v1/agreements/resolve" is an operation of its own. */
#define RESERVED_ID "resolve"

/* ---- drafting ---- */

/* Decodes a version, alone or (create) with the agreement's id and name. */
static void prepare_version(struct call *call, const char *id, bool with_head)
{
    struct agreement_call *state = agreement_begin(call);
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (state == NULL || problems == NULL)
        return;
    state->id = id;
    const struct slice body = call->http->request.body;
    if (body.len == 0) {
        call_fail(call, ACCORD_E_BODY_EMPTY, NULL);
        return;
    }
    enum accord_error error =
        agreement_decode(call->arena, body, "", 0, with_head, &state->given_id, &state->given_name,
                         &state->given, problems);
    if (error == ACCORD_E_FIELDS_INVALID || error == ACCORD_E_JSON_INVALID) {
        call_problems(call, error, problems);
        return;
    }
    if (error == ACCORD_OK)
        error = agreement_encode(call->arena, &state->given, &state->body);
    if (call_check(call, error))
        return;
    state->body_hash = hash_of(state->body);
    if (slice_equal(state->given_id, SLICE(RESERVED_ID)))
        json_problem_add(problems, ACCORD_E_SLUG_INVALID, "/id", "This id is not free to take");
    bool own = call->caller.is_operator;
    for (uint32_t i = 0; i < state->given.terms.party_count; i++)
        own = own || strcmp(state->given.terms.parties[i], call->caller.partner) == 0;
    if (!own)
        json_problem_add(problems, ACCORD_E_PARTY_MISSING, "/parties", "%s",
                         accord_error_title(ACCORD_E_PARTY_MISSING));
    if (problems->total > 0)
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
}

static void prepare_create(struct call *call)
{
    prepare_version(call, NULL, true);
    struct agreement_call *state = call->state;
    if (call->failed)
        return;
    if (state->given_id.len > 0) {
        state->id = arena_strdup(call->arena, state->given_id);
    } else {
        char id[RANDOM_ID_MAX];
        random_id("agr-", id);
        state->id = arena_strdup(call->arena, slice_of(id));
    }
    if (state->id == NULL)
        call_check(call, ACCORD_E_OUT_OF_MEMORY);
}

static void prepare_new_version(struct call *call)
{
    prepare_version(call, call_arg(call, 0), false);
}

/* Every party must be a partner. */
static void read_parties(struct call *call)
{
    const struct agreement_call *state = call->state;
    const struct accord_agreement_version *terms = &state->given.terms;
    size_t unknown;
    if (call_check(call, store_agreement_unknown_party(call->db, terms->parties, terms->party_count,
                                                       &unknown)) ||
        unknown == terms->party_count)
        return;
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return;
    char pointer[32];
    snprintf(pointer, sizeof pointer, "/parties/%zu", unknown);
    json_problem_add(problems, ACCORD_E_PARTNER_UNKNOWN, pointer, "%s",
                     accord_error_title(ACCORD_E_PARTNER_UNKNOWN));
    call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
}

static enum accord_error insert_version(struct call *call, int64_t number, int64_t seq)
{
    struct agreement_call *state = call->state;
    const struct accord_agreement_version *terms = &state->given.terms;
    struct agreement_version_row row = {
        .agreement = state->id,
        .version = number,
        .state = AGREEMENT_DRAFT,
        .effective_from = terms->effective_from_us,
        .effective_to = terms->effective_to_us,
        .body = state->body,
        .body_hash = state->body_hash,
        .reason = "",
        .created_at = call->tx->now,
        .changed_seq = seq,
        .party_count = terms->party_count,
    };
    for (uint32_t i = 0; i < terms->party_count; i++)
        row.parties[i].partner = terms->parties[i];
    enum accord_error error = store_agreement_version_insert(call->db, &row);
    return error == ACCORD_OK ? agreement_touch(call, &row) : error;
}

static enum accord_error write_create(struct call *call)
{
    struct agreement_call *state = call->state;
    bool found;
    struct agreement_row row;
    enum accord_error error = store_agreement_find(call->db, call->arena, state->id, &found, &row);
    if (error != ACCORD_OK)
        return error;
    if (found) {
        call_fail(call, ACCORD_E_AGREEMENT_EXISTS, NULL);
        return ACCORD_OK;
    }
    row = (struct agreement_row){.id = state->id,
                                 .name = arena_strdup(call->arena, state->given_name),
                                 .created_by = call->caller.partner,
                                 .created_at = call->tx->now};
    if (row.name == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    int64_t seq;
    error = ingest_seq(call->tx, 1, &seq);
    if (error == ACCORD_OK)
        error = store_agreement_insert(call->db, &row);
    if (error == ACCORD_OK)
        error = insert_version(call, 1, seq);
    if (error != ACCORD_OK)
        return error;
    call_location(call, "/v1/agreements/%s", state->id);
    return agreement_reload(call, 1, 201);
}

static void refuse(struct json_problems *problems, enum accord_error code, const char *pointer)
{
    json_problem_add(problems, code, pointer, "%s", accord_error_title(code));
}

/* Periods, windows and statements of an agreement go on from version to version: what they are
 * measured in stays. The first version decides, also one that was never signed: an older draft can
 * still be signed beside a newer one. */
static enum accord_error check_fixed(struct call *call)
{
    const struct agreement_call *state = call->state;
    const struct agreement_version *given = &state->given;
    struct agreement_version first;
    const enum accord_error error = agreement_decode_row(call->arena, &state->all[0], &first);
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (error != ACCORD_OK || problems == NULL)
        return error;
    if (strcmp(given->terms.currency.code, first.terms.currency.code) != 0)
        refuse(problems, ACCORD_E_CURRENCY_FIXED, "/currency");
    if (given->quarterly != first.quarterly)
        refuse(problems, ACCORD_E_PERIOD_FIXED, "/period/kind");
    if (strcmp(given->time_zone, first.time_zone) != 0)
        refuse(problems, ACCORD_E_PERIOD_FIXED, "/period/time_zone");
    if (problems->total > 0)
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
    return ACCORD_OK;
}

static enum accord_error write_new_version(struct call *call)
{
    struct agreement_call *state = call->state;
    bool found;
    enum accord_error error = agreement_load(call, state, &found);
    if (error == ACCORD_OK && found)
        error = check_fixed(call);
    if (error != ACCORD_OK || call->failed)
        return error;
    const int64_t number = state->all[state->all_count - 1].version + 1;
    int64_t seq;
    error = ingest_seq(call->tx, 1, &seq);
    if (error == ACCORD_OK)
        error = insert_version(call, number, seq);
    if (error != ACCORD_OK)
        return error;
    state->version_only = true;
    call_location(call, "/v1/agreements/%s/versions", state->id);
    return agreement_reload(call, number, 201);
}

/* ---- reading ---- */

static void prepare_get(struct call *call)
{
    struct agreement_call *state = agreement_begin(call);
    if (state != NULL)
        state->id = call_arg(call, 0);
}

static void read_one(struct call *call)
{
    struct agreement_call *state = call->state;
    bool found;
    if (call_check(call, agreement_load(call, state, &found)) || !found)
        return;
    state->shown = agreement_current(state->versions, state->version_count);
    state->status = 200;
    state->not_modified = call_etag(call, agreement_last_change(state));
}

struct agreement_list {
    struct list_page page;
    const char *state;
    struct agreement_row *rows;
    size_t row_count;
    struct agreement_version_row *versions;
    size_t version_count;
    bool more;
    bool not_modified;
};

static void prepare_list(struct call *call)
{
    struct agreement_list *list = call_alloc(call, sizeof *list);
    call->state = list;
    if (list == NULL || !call_page(call, 1, &list->page))
        return;
    list->state = call_query(call, "state");
    if (list->state == NULL)
        list->state = "";
    bool known = list->state[0] == '\0';
    for (int i = AGREEMENT_DRAFT; i <= AGREEMENT_TERMINATED; i++)
        known = known || strcmp(list->state, agreement_state_name((enum agreement_state)i)) == 0;
    if (!known)
        call_fail(call, ACCORD_E_QUERY_INVALID, "state");
}

static void read_list(struct call *call)
{
    struct agreement_list *list = call->state;
    list->not_modified = call_etag(call, call_partner_version(call));
    if (list->not_modified)
        return;
    const char *after = list->page.has_cursor ? list->page.parts[0].data : "";
    if (call_check(call, store_agreement_list(
                             call->db, call->arena,
                             call->caller.is_operator ? NULL : call->caller.partner, list->state,
                             after, list->page.limit + 1, &list->rows, &list->row_count)))
        return;
    list->more = list->row_count > (size_t)list->page.limit;
    if (list->more)
        list->row_count--;
    const char **ids = arena_array(call->arena, list->row_count, sizeof *ids);
    if (ids == NULL) {
        call_check(call, ACCORD_E_OUT_OF_MEMORY);
        return;
    }
    for (size_t i = 0; i < list->row_count; i++)
        ids[i] = list->rows[i].id;
    struct agreement_version_row *all;
    size_t count;
    if (!call_check(call, store_agreement_versions(call->db, call->arena, ids, list->row_count,
                                                   &all, &count)))
        call_check(call,
                   agreement_visible(call, all, count, &list->versions, &list->version_count));
}

static void answer_list(struct call *call)
{
    const struct agreement_list *list = call->state;
    if (list->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key(&w, "items");
    jw_array(&w);
    /* The versions come in the order of their agreements. */
    for (size_t i = 0, at = 0; i < list->row_count; i++) {
        const size_t first = at;
        while (at < list->version_count &&
               strcmp(list->versions[at].agreement, list->rows[i].id) == 0)
            at++;
        jw_object(&w);
        agreement_write(&w, &list->rows[i], agreement_current(&list->versions[first], at - first));
        jw_object_end(&w);
    }
    jw_array_end(&w);
    const struct slice last =
        list->row_count == 0 ? SLICE("") : slice_of(list->rows[list->row_count - 1].id);
    call_page_next(call, &w, &last, 1, list->more);
    jw_object_end(&w);
}

struct version_list {
    struct agreement_call agreement;
    struct list_page page;
    int64_t after; /* only versions above it */
};

static void prepare_versions(struct call *call)
{
    struct version_list *list = call_alloc(call, sizeof *list);
    call->state = list;
    if (list == NULL || !call_page(call, 1, &list->page))
        return;
    list->agreement.id = call_arg(call, 0);
    if (list->page.has_cursor && number_parse_int(list->page.parts[0], &list->after) != ACCORD_OK)
        call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
}

static void read_versions(struct call *call)
{
    struct version_list *list = call->state;
    bool found;
    if (!call_check(call, agreement_load(call, &list->agreement, &found)) && found)
        list->agreement.not_modified = call_etag(call, agreement_last_change(&list->agreement));
}

static void answer_versions(struct call *call)
{
    const struct version_list *list = call->state;
    const struct agreement_call *state = &list->agreement;
    if (state->not_modified)
        return;
    size_t at = 0;
    while (at < state->version_count && state->versions[at].version <= list->after)
        at++;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key(&w, "items");
    jw_array(&w);
    int64_t last = 0;
    for (int64_t shown = 0; at < state->version_count && shown < list->page.limit; shown++) {
        const struct agreement_version_row *version = &state->versions[at++];
        jw_object(&w);
        agreement_write_version(&w, version);
        jw_object_end(&w);
        last = version->version;
    }
    jw_array_end(&w);
    const struct slice place = slice_of(arena_printf(call->arena, "%lld", (long long)last));
    call_page_next(call, &w, &place, 1, at < state->version_count);
    jw_object_end(&w);
}

/* ---- the operations ---- */

const struct operation agreement_operations[] = {
    {.id = "createAgreement",
     .method = "POST",
     .pattern = "/v1/agreements",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .flags = OP_IDEMPOTENCY_KEY,
     .body_max = AGREEMENT_BODY_MAX,
     .media = "application/json",
     .prepare = prepare_create,
     .read = read_parties,
     .write = write_create,
     .answer = agreement_answer},
    {.id = "listAgreements",
     .method = "GET",
     .pattern = "/v1/agreements",
     .scope = SCOPE_AGREEMENTS_READ,
     .query = "state limit cursor",
     .prepare = prepare_list,
     .read = read_list,
     .answer = answer_list},
    {.id = "getAgreement",
     .method = "GET",
     .pattern = "/v1/agreements/{agreement}",
     .scope = SCOPE_AGREEMENTS_READ,
     .prepare = prepare_get,
     .read = read_one,
     .answer = agreement_answer},
    {.id = "createAgreementVersion",
     .method = "POST",
     .pattern = "/v1/agreements/{agreement}/versions",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .flags = OP_IDEMPOTENCY_KEY,
     .body_max = AGREEMENT_BODY_MAX,
     .media = "application/json",
     .prepare = prepare_new_version,
     .read = read_parties,
     .write = write_new_version,
     .answer = agreement_answer},
    {.id = "listAgreementVersions",
     .method = "GET",
     .pattern = "/v1/agreements/{agreement}/versions",
     .scope = SCOPE_AGREEMENTS_READ,
     .query = "limit cursor",
     .prepare = prepare_versions,
     .read = read_versions,
     .answer = answer_versions},
};
const size_t agreement_operation_count =
    sizeof agreement_operations / sizeof agreement_operations[0];
