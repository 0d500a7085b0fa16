#include "api/agreements.h"

#include <stdio.h>

#include "ingest/agreement.h"
#include "store/agreements.h"

/* A version's body with a scope of many courses. */
enum { AGREEMENT_BODY_MAX = 1024 * 1024, REQUEST_BODY_MAX = 16 * 1024 };

struct agreement_call {
    const char *id;
    /* of a request that brings a version */
    struct slice given_id;
    struct slice given_name;
    struct agreement_version given;
    struct slice body;
    struct hash body_hash;
    /* of a request about a version */
    int64_t number;
    struct slice reason;
    instant_us effective_to;
    bool has_effective_to;
    /* what stands, and what is answered */
    struct agreement_row row;
    struct agreement_version_row *versions;
    size_t version_count;
    const struct agreement_version_row *shown;
    unsigned status;
    bool version_only;
    bool not_modified;
};

static struct agreement_call *begin(struct call *call)
{
    struct agreement_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    return state;
}

/* ---- what stands ---- */

static bool is_party(const struct agreement_version_row *version, const char *partner)
{
    for (uint32_t i = 0; i < version->party_count; i++)
        if (strcmp(version->parties[i].partner, partner) == 0)
            return true;
    return false;
}

/* What no version of names the caller does not exist for it. */
static bool is_visible(const struct call *call, const struct agreement_version_row *versions,
                       size_t count)
{
    if (call->caller.is_operator)
        return true;
    for (size_t i = 0; i < count; i++)
        if (is_party(&versions[i], call->caller.partner))
            return true;
    return false;
}

/* Loads an agreement with all of its versions; fails the call with not_found. */
static bool load(struct call *call, const char *id)
{
    struct agreement_call *state = call->state;
    bool found;
    if (call_check(call, store_agreement_find(call->db, call->arena, id, &found, &state->row)))
        return false;
    if (found &&
        call_check(call, store_agreement_versions(call->db, call->arena, &id, 1, &state->versions,
                                                  &state->version_count)))
        return false;
    if (!found || !is_visible(call, state->versions, state->version_count)) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return false;
    }
    return true;
}

static const struct agreement_version_row *version_of(const struct agreement_version_row *versions,
                                                      size_t count, int64_t number)
{
    for (size_t i = 0; i < count; i++)
        if (versions[i].version == number)
            return &versions[i];
    return NULL;
}

/* The one that stands for the agreement: what is active, else the newest. */
static const struct agreement_version_row *current(const struct agreement_version_row *versions,
                                                   size_t count)
{
    for (size_t i = count; i-- > 0;)
        if (versions[i].state == AGREEMENT_ACTIVE)
            return &versions[i];
    return &versions[count - 1];
}

static int64_t last_change(const struct agreement_call *state)
{
    int64_t seq = 0;
    for (size_t i = 0; i < state->version_count; i++)
        if (state->versions[i].changed_seq > seq)
            seq = state->versions[i].changed_seq;
    return seq;
}

/* ---- answers ---- */

static void write_version(struct json_writer *w, const struct agreement_version_row *version)
{
    char hash[HASH_HEX_MAX];
    hash_hex(&version->body_hash, hash);
    jw_key_int(w, "version", version->version);
    jw_key_str(w, "state", agreement_state_name(version->state));
    jw_key_time(w, "created_at", version->created_at);
    if (version->reason[0] != '\0')
        jw_key_str(w, "reason", version->reason);
    jw_key_str(w, "hash", hash);
    jw_key(w, "ends_at");
    if (version->effective_to == INT64_MAX)
        jw_null(w);
    else
        jw_time(w, version->effective_to);
    jw_key(w, "signatures");
    jw_array(w);
    for (uint32_t i = 0; i < version->party_count; i++) {
        const struct agreement_signature *party = &version->parties[i];
        jw_object(w);
        jw_key_str(w, "party", party->partner);
        jw_key(w, "signed_at");
        if (party->signed_)
            jw_time(w, party->signed_at);
        else
            jw_null(w);
        jw_object_end(w);
    }
    jw_array_end(w);
    /* The body is an object of its own in the store, and members of this one in the answer. */
    jw_members(w, version->body);
}

static void write_agreement(struct json_writer *w, const struct agreement_row *row,
                            const struct agreement_version_row *shown)
{
    jw_key_str(w, "id", row->id);
    jw_key_str(w, "name", row->name);
    jw_key_str(w, "created_by", row->created_by);
    write_version(w, shown);
}

static void answer_agreement(struct call *call)
{
    const struct agreement_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, state->status);
    jw_object(&w);
    if (state->version_only) {
        write_version(&w, state->shown);
        jw_object_end(&w);
        return;
    }
    write_agreement(&w, &state->row, state->shown);
    jw_key(&w, "versions");
    jw_array(&w);
    for (size_t i = state->version_count; i-- > 0;) {
        jw_object(&w);
        write_version(&w, &state->versions[i]);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    jw_object_end(&w);
}

/* ---- drafting ---- */

/* Decodes a version, alone or (create) with the agreement's id and name. */
static void prepare_version(struct call *call, const char *id, bool with_head)
{
    struct agreement_call *state = begin(call);
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
    bool own = call->caller.is_operator;
    for (uint32_t i = 0; i < state->given.terms.party_count; i++)
        own = own || strcmp(state->given.terms.parties[i], call->caller.partner) == 0;
    if (!own) {
        json_problem_add(problems, ACCORD_E_PARTY_MISSING, "/parties", "%s",
                         accord_error_title(ACCORD_E_PARTY_MISSING));
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
    }
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
static bool parties_known(struct call *call)
{
    const struct agreement_call *state = call->state;
    const struct accord_agreement_version *terms = &state->given.terms;
    size_t unknown;
    if (call_check(call, store_agreement_unknown_party(call->db, terms->parties, terms->party_count,
                                                       &unknown)))
        return false;
    if (unknown == terms->party_count)
        return true;
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return false;
    char pointer[32];
    snprintf(pointer, sizeof pointer, "/parties/%zu", unknown);
    json_problem_add(problems, ACCORD_E_PARTNER_UNKNOWN, pointer, "%s",
                     accord_error_title(ACCORD_E_PARTNER_UNKNOWN));
    call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
    return false;
}

static void read_parties(struct call *call)
{
    parties_known(call);
}

static enum accord_error touch_parties(struct call *call,
                                       const struct agreement_version_row *version)
{
    enum accord_error error = ACCORD_OK;
    for (uint32_t i = 0; i < version->party_count && error == ACCORD_OK; i++)
        error = ingest_touch(call->tx, version->parties[i].partner);
    return error;
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
    return error == ACCORD_OK ? touch_parties(call, &row) : error;
}

/* After a change: what is answered is what stands now. */
static enum accord_error reload(struct call *call, int64_t number, unsigned status)
{
    struct agreement_call *state = call->state;
    if (!load(call, state->id))
        return call->failed ? ACCORD_OK : ACCORD_E_INTERNAL;
    state->shown = version_of(state->versions, state->version_count, number);
    state->status = status;
    call_etag(call, last_change(state));
    return state->shown == NULL ? ACCORD_E_INTERNAL : ACCORD_OK;
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
    return reload(call, 1, 201);
}

static enum accord_error write_new_version(struct call *call)
{
    struct agreement_call *state = call->state;
    if (!load(call, state->id))
        return ACCORD_OK;
    const int64_t number = state->versions[state->version_count - 1].version + 1;
    int64_t seq;
    enum accord_error error = ingest_seq(call->tx, 1, &seq);
    if (error == ACCORD_OK)
        error = insert_version(call, number, seq);
    if (error != ACCORD_OK)
        return error;
    state->version_only = true;
    call_location(call, "/v1/agreements/%s/versions", state->id);
    return reload(call, number, 201);
}

/* ---- proposing, signing, rejecting, ending ---- */

/* clang-format off */
#define VERSION_FIELD \
    {.name = "version", .kind = JSON_KIND_INT, .offset = offsetof(struct agreement_call, number), \
     .has_offset = SIZE_MAX, .min = 1, .max = INT32_MAX}
/* clang-format on */
static const struct json_field step_fields[] = {VERSION_FIELD};
static const struct json_field reject_fields[] = {
    VERSION_FIELD,
    JSON_STRING_OPT(struct agreement_call, reason, 0, 1000),
};
static const struct json_field end_fields[] = {
    {.name = "effective_to",
     .kind = JSON_KIND_TIME,
     .offset = offsetof(struct agreement_call, effective_to),
     .optional = true,
     .has_offset = offsetof(struct agreement_call, has_effective_to)},
};
static const struct json_object step_spec = JSON_OBJECT(struct agreement_call, step_fields);
static const struct json_object reject_spec = JSON_OBJECT(struct agreement_call, reject_fields);
static const struct json_object end_spec = JSON_OBJECT(struct agreement_call, end_fields);

static void prepare_step(struct call *call, const struct json_object *spec, bool body_optional)
{
    struct agreement_call *state = begin(call);
    if (state == NULL)
        return;
    if ((!body_optional || call->http->request.body.len > 0) && !call_decode(call, spec, state))
        return;
    state->id = call_arg(call, 0);
}

static void prepare_version_step(struct call *call)
{
    prepare_step(call, &step_spec, false);
}

static void prepare_reject(struct call *call)
{
    prepare_step(call, &reject_spec, false);
}

static void prepare_terminate(struct call *call)
{
    prepare_step(call, &end_spec, true);
}

/* The version that a step is about, in the state that it needs. */
static const struct agreement_version_row *step_version(struct call *call,
                                                        enum agreement_state needed)
{
    struct agreement_call *state = call->state;
    if (!load(call, state->id))
        return NULL;
    const struct agreement_version_row *version =
        version_of(state->versions, state->version_count, state->number);
    if (version == NULL) {
        call_fail(call, ACCORD_E_NOT_FOUND, "version %lld", (long long)state->number);
        return NULL;
    }
    if (version->state != needed) {
        call_fail(call, ACCORD_E_AGREEMENT_STATE, "version %lld is %s", (long long)version->version,
                  agreement_state_name(version->state));
        return NULL;
    }
    return version;
}

/* Moves a version on, tells its parties, and answers what stands then. */
static enum accord_error move(struct call *call, const struct agreement_version_row *version,
                              enum agreement_state to, const char *reason)
{
    int64_t seq;
    bool moved;
    enum accord_error error = ingest_seq(call->tx, 1, &seq);
    if (error == ACCORD_OK)
        error = store_agreement_move(call->db, version->agreement, version->version, version->state,
                                     to, reason, seq, &moved);
    if (error == ACCORD_OK)
        error = touch_parties(call, version);
    return error == ACCORD_OK ? reload(call, version->version, 200) : error;
}

static enum accord_error write_propose(struct call *call)
{
    const struct agreement_version_row *version = step_version(call, AGREEMENT_DRAFT);
    return version == NULL ? ACCORD_OK : move(call, version, AGREEMENT_PROPOSED, "");
}

/* Only a party signs or rejects; the operator that is none may look, not decide. */
static bool party_needed(struct call *call, const struct agreement_version_row *version)
{
    if (is_party(version, call->caller.partner))
        return true;
    call_fail(call, ACCORD_E_ROLE_MISSING, "only a party of this version");
    return false;
}

static enum accord_error write_reject(struct call *call)
{
    struct agreement_call *state = call->state;
    const struct agreement_version_row *version = step_version(call, AGREEMENT_PROPOSED);
    if (version == NULL || !party_needed(call, version))
        return ACCORD_OK;
    const char *reason = arena_strdup(call->arena, state->reason);
    return reason == NULL ? ACCORD_E_OUT_OF_MEMORY
                          : move(call, version, AGREEMENT_REJECTED, reason);
}

/* Refuses when an agreement that settles could win the same sale with equal rank and priority. */
static enum accord_error overlap_check(struct call *call, const struct agreement_version *given)
{
    struct agreement_version *others;
    size_t count;
    const enum accord_error error =
        agreement_load_settling(call->db, call->arena, NULL, &others, &count);
    if (error != ACCORD_OK)
        return error;
    for (size_t i = 0; i < count; i++) {
        const struct accord_agreement_version *other = &others[i].terms;
        if (strcmp(other->agreement, given->terms.agreement) == 0 ||
            !accord_agreement_overlap(&given->terms, other))
            continue;
        bool visible = call->caller.is_operator;
        for (uint32_t p = 0; p < other->party_count; p++)
            visible = visible || strcmp(other->parties[p], call->caller.partner) == 0;
        call_fail(call, ACCORD_E_AGREEMENT_OVERLAP, visible ? "agreement %s, version %lld" : NULL,
                  other->agreement, (long long)other->version);
        return ACCORD_OK;
    }
    return ACCORD_OK;
}

/* From its beginning on, a version takes the place of those before it. */
static enum accord_error end_older(struct call *call, const struct agreement_version_row *version,
                                   int64_t seq)
{
    const struct agreement_call *state = call->state;
    for (size_t i = 0; i < state->version_count; i++) {
        const struct agreement_version_row *older = &state->versions[i];
        const bool settles = older->state == AGREEMENT_ACTIVE ||
                             older->state == AGREEMENT_SUPERSEDED ||
                             older->state == AGREEMENT_TERMINATED;
        if (older->version == version->version || !settles)
            continue;
        enum accord_error error = ACCORD_OK;
        bool moved;
        if (older->state == AGREEMENT_ACTIVE)
            error = store_agreement_move(call->db, older->agreement, older->version,
                                         AGREEMENT_ACTIVE, AGREEMENT_SUPERSEDED, "", seq, &moved);
        struct agreement_version was;
        if (error == ACCORD_OK)
            error = agreement_decode_row(call->arena, older, &was);
        if (error == ACCORD_OK && older->effective_to > version->effective_from) {
            const instant_us end = older->effective_from > version->effective_from
                                       ? older->effective_from
                                       : version->effective_from;
            error = store_agreement_end(call->db, older->agreement, older->version, end, seq);
            if (error == ACCORD_OK)
                error = agreement_grant(call->db, call->arena, &was, end);
            if (error == ACCORD_OK)
                error = ingest_agreement_changed(call->tx, &was.terms);
        }
        if (error == ACCORD_OK)
            error = touch_parties(call, older);
        if (error != ACCORD_OK)
            return error;
    }
    return ACCORD_OK;
}

static enum accord_error activate(struct call *call, const struct agreement_version_row *version,
                                  const struct agreement_version *given, int64_t seq)
{
    bool moved;
    enum accord_error error =
        store_agreement_move(call->db, version->agreement, version->version, AGREEMENT_PROPOSED,
                             AGREEMENT_ACTIVE, "", seq, &moved);
    if (error == ACCORD_OK)
        error = store_agreement_activated(call->db, version->agreement, version->version, seq);
    if (error == ACCORD_OK)
        error = agreement_grant(call->db, call->arena, given, version->effective_to);
    if (error == ACCORD_OK)
        error = end_older(call, version, seq);
    return error == ACCORD_OK ? ingest_agreement_changed(call->tx, &given->terms) : error;
}

static enum accord_error write_sign(struct call *call)
{
    const struct agreement_version_row *version = step_version(call, AGREEMENT_PROPOSED);
    if (version == NULL || !party_needed(call, version))
        return ACCORD_OK;
    uint32_t missing = 0;
    bool own_missing = false;
    for (uint32_t i = 0; i < version->party_count; i++) {
        missing += version->parties[i].signed_ ? 0 : 1;
        own_missing =
            own_missing || (!version->parties[i].signed_ &&
                            strcmp(version->parties[i].partner, call->caller.partner) == 0);
    }
    if (!own_missing) {
        call_fail(call, ACCORD_E_ALREADY_SIGNED, NULL);
        return ACCORD_OK;
    }
    struct agreement_version given;
    enum accord_error error = agreement_decode_row(call->arena, version, &given);
    if (error == ACCORD_OK && missing == 1)
        error = overlap_check(call, &given);
    if (error != ACCORD_OK || call->failed)
        return error;

    int64_t seq;
    bool signed_now;
    error = ingest_seq(call->tx, 1, &seq);
    if (error == ACCORD_OK)
        error = store_agreement_sign(call->db, version->agreement, version->version,
                                     call->caller.partner, call->tx->now, call->caller.key_id,
                                     &version->body_hash, seq, &signed_now);
    if (error == ACCORD_OK)
        error = touch_parties(call, version);
    if (error == ACCORD_OK && missing == 1)
        error = activate(call, version, &given, seq);
    return error == ACCORD_OK ? reload(call, version->version, 200) : error;
}

static enum accord_error write_terminate(struct call *call)
{
    struct agreement_call *state = call->state;
    if (!load(call, state->id))
        return ACCORD_OK;
    const struct agreement_version_row *version = current(state->versions, state->version_count);
    if (version->state != AGREEMENT_ACTIVE) {
        call_fail(call, ACCORD_E_AGREEMENT_STATE, "no version is active");
        return ACCORD_OK;
    }
    if (!call->caller.is_operator && !party_needed(call, version))
        return ACCORD_OK;
    const instant_us end = state->has_effective_to ? state->effective_to : call->tx->now;
    /* What was agreed for the past, or ends sooner already, is not for one party to change. */
    if (end < call->tx->now || end > version->effective_to) {
        call_fail(call, ACCORD_E_VALUE_OUT_OF_RANGE,
                  "effective_to lies before now or behind the agreement's end");
        return ACCORD_OK;
    }
    struct agreement_version was;
    enum accord_error error = agreement_decode_row(call->arena, version, &was);
    int64_t seq;
    bool moved;
    if (error == ACCORD_OK)
        error = ingest_seq(call->tx, 1, &seq);
    if (error == ACCORD_OK)
        error = store_agreement_move(call->db, version->agreement, version->version,
                                     AGREEMENT_ACTIVE, AGREEMENT_TERMINATED, "", seq, &moved);
    if (error == ACCORD_OK)
        error = store_agreement_end(call->db, version->agreement, version->version, end, seq);
    if (error == ACCORD_OK)
        error = agreement_grant(call->db, call->arena, &was, end);
    if (error == ACCORD_OK)
        error = touch_parties(call, version);
    if (error == ACCORD_OK)
        error = ingest_agreement_changed(call->tx, &was.terms);
    return error == ACCORD_OK ? reload(call, version->version, 200) : error;
}

/* ---- reading ---- */

static void prepare_get(struct call *call)
{
    struct agreement_call *state = begin(call);
    if (state != NULL)
        state->id = call_arg(call, 0);
}

static void read_one(struct call *call)
{
    struct agreement_call *state = call->state;
    if (!load(call, state->id))
        return;
    state->shown = current(state->versions, state->version_count);
    state->status = 200;
    state->not_modified = call_etag(call, last_change(state));
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
    call_check(call, store_agreement_versions(call->db, call->arena, ids, list->row_count,
                                              &list->versions, &list->version_count));
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
        write_agreement(&w, &list->rows[i], current(&list->versions[first], at - first));
        jw_object_end(&w);
    }
    jw_array_end(&w);
    const struct slice last =
        list->row_count == 0 ? SLICE("") : slice_of(list->rows[list->row_count - 1].id);
    call_page_next(call, &w, &last, 1, list->more);
    jw_object_end(&w);
}

struct version_list {
    struct agreement_call agreement; /* first: load() works on it */
    struct list_page page;
    int64_t after;
};

static void prepare_versions(struct call *call)
{
    struct version_list *list = call_alloc(call, sizeof *list);
    call->state = list;
    if (list == NULL || !call_page(call, 1, &list->page))
        return;
    list->agreement.id = call_arg(call, 0);
    for (const char *digit = list->page.has_cursor ? list->page.parts[0].data : ""; *digit != '\0';
         digit++) {
        if (*digit < '0' || *digit > '9' || list->after > INT32_MAX) {
            call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
            return;
        }
        list->after = list->after * 10 + (*digit - '0');
    }
}

static void read_versions(struct call *call)
{
    struct version_list *list = call->state;
    if (load(call, list->agreement.id))
        list->agreement.not_modified = call_etag(call, last_change(&list->agreement));
}

static void answer_versions(struct call *call)
{
    const struct version_list *list = call->state;
    const struct agreement_call *state = &list->agreement;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key(&w, "items");
    jw_array(&w);
    int64_t shown = 0;
    int64_t last = 0;
    size_t i = 0;
    for (; i < state->version_count && shown < list->page.limit; i++) {
        if (state->versions[i].version <= list->after)
            continue;
        jw_object(&w);
        write_version(&w, &state->versions[i]);
        jw_object_end(&w);
        last = state->versions[i].version;
        shown++;
    }
    jw_array_end(&w);
    const char *place = arena_printf(call->arena, "%lld", (long long)last);
    const struct slice part = slice_of(place);
    call_page_next(call, &w, &part, 1, i < state->version_count);
    jw_object_end(&w);
}

/* ---- which version covers a sale ---- */

struct resolving {
    struct accord_sale_key sale;
    struct agreement_version *versions;
    const struct accord_agreement_version **terms; /* of the same */
    size_t count;
    size_t winner;
    enum accord_rank rank;
    bool not_modified;
};

static void prepare_resolve(struct call *call)
{
    struct resolving *resolving = call_alloc(call, sizeof *resolving);
    call->state = resolving;
    if (resolving == NULL)
        return;
    const char *at = call_query(call, "at");
    resolving->sale = (struct accord_sale_key){.provider = call_query(call, "provider"),
                                               .channel = call_query(call, "channel"),
                                               .course_id = call_query(call, "course_id"),
                                               .occurred_at_us = clock_now_us()};
    if (resolving->sale.provider == NULL || resolving->sale.channel == NULL ||
        resolving->sale.course_id == NULL)
        call_fail(call, ACCORD_E_QUERY_INVALID, "provider, course_id and channel are needed");
    else if (at != NULL && clock_parse(slice_of(at), &resolving->sale.occurred_at_us) != ACCORD_OK)
        call_fail(call, ACCORD_E_QUERY_INVALID, "at: an RFC 3339 time with an offset is needed");
}

static bool sees(const struct call *call, const struct agreement_version *version)
{
    for (uint32_t i = 0; i < version->terms.party_count; i++)
        if (strcmp(version->terms.parties[i], call->caller.partner) == 0)
            return true;
    return call->caller.is_operator;
}

static void read_resolve(struct call *call)
{
    struct resolving *resolving = call->state;
    if (call_check(call, agreement_load_settling(call->db, call->arena, NULL, &resolving->versions,
                                                 &resolving->count)))
        return;
    resolving->terms = arena_array(call->arena, resolving->count + 1, sizeof *resolving->terms);
    if (resolving->terms == NULL) {
        call_check(call, ACCORD_E_OUT_OF_MEMORY);
        return;
    }
    for (size_t i = 0; i < resolving->count; i++)
        resolving->terms[i] = &resolving->versions[i].terms;
    resolving->winner = accord_agreement_resolve(resolving->terms, resolving->count,
                                                 &resolving->sale, &resolving->rank);
    if (resolving->winner == SIZE_MAX || !sees(call, &resolving->versions[resolving->winner]))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else
        resolving->not_modified = call_etag(call, call_partner_version(call));
}

static void write_ranked(struct json_writer *w, const struct agreement_version *version,
                         enum accord_rank rank)
{
    jw_object(w);
    jw_key_str(w, "agreement", version->terms.agreement);
    jw_key_int(w, "version", version->terms.version);
    jw_key_str(w, "rank", accord_rank_name(rank));
    jw_object_end(w);
}

static void answer_resolve(struct call *call)
{
    const struct resolving *resolving = call->state;
    if (resolving->not_modified)
        return;
    int64_t hidden = 0;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key(&w, "winner");
    write_ranked(&w, &resolving->versions[resolving->winner], resolving->rank);
    jw_key(&w, "losers");
    jw_array(&w);
    for (size_t i = 0; i < resolving->count; i++) {
        const struct agreement_version *version = &resolving->versions[i];
        const enum accord_rank rank = accord_agreement_rank(&version->terms, &resolving->sale);
        if (i == resolving->winner || rank == ACCORD_RANK_NONE ||
            !accord_agreement_in_force(resolving->terms, resolving->count, i,
                                       resolving->sale.occurred_at_us))
            continue;
        if (sees(call, version))
            write_ranked(&w, version, rank);
        else
            hidden++;
    }
    jw_array_end(&w);
    jw_key_int(&w, "hidden_losers", hidden);
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
     .answer = answer_agreement},
    {.id = "listAgreements",
     .method = "GET",
     .pattern = "/v1/agreements",
     .scope = SCOPE_AGREEMENTS_READ,
     .query = "state limit cursor",
     .prepare = prepare_list,
     .read = read_list,
     .answer = answer_list},
    {.id = "resolveAgreement",
     .method = "GET",
     .pattern = "/v1/agreements/resolve",
     .scope = SCOPE_AGREEMENTS_READ,
     .run = RUN_JOB,
     .query = "provider course_id channel at",
     .prepare = prepare_resolve,
     .read = read_resolve,
     .answer = answer_resolve},
    {.id = "getAgreement",
     .method = "GET",
     .pattern = "/v1/agreements/{agreement}",
     .scope = SCOPE_AGREEMENTS_READ,
     .prepare = prepare_get,
     .read = read_one,
     .answer = answer_agreement},
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
     .answer = answer_agreement},
    {.id = "listAgreementVersions",
     .method = "GET",
     .pattern = "/v1/agreements/{agreement}/versions",
     .scope = SCOPE_AGREEMENTS_READ,
     .query = "limit cursor",
     .prepare = prepare_versions,
     .read = read_versions,
     .answer = answer_versions},
    {.id = "proposeAgreement",
     .method = "POST",
     .pattern = "/v1/agreements/{agreement}/propose",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .body_max = REQUEST_BODY_MAX,
     .media = "application/json",
     .prepare = prepare_version_step,
     .write = write_propose,
     .answer = answer_agreement},
    {.id = "signAgreement",
     .method = "POST",
     .pattern = "/v1/agreements/{agreement}/sign",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .body_max = REQUEST_BODY_MAX,
     .media = "application/json",
     .prepare = prepare_version_step,
     .write = write_sign,
     .answer = answer_agreement},
    {.id = "rejectAgreement",
     .method = "POST",
     .pattern = "/v1/agreements/{agreement}/reject",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .body_max = REQUEST_BODY_MAX,
     .media = "application/json",
     .prepare = prepare_reject,
     .write = write_reject,
     .answer = answer_agreement},
    {.id = "terminateAgreement",
     .method = "POST",
     .pattern = "/v1/agreements/{agreement}/terminate",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .body_max = REQUEST_BODY_MAX,
     .media = "application/json",
     .prepare = prepare_terminate,
     .write = write_terminate,
     .answer = answer_agreement},
};
const size_t agreement_operation_count =
    sizeof agreement_operations / sizeof agreement_operations[0];
