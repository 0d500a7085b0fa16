/* From a draft to an agreement in force, and to its end: propose, sign, reject, terminate. */
#include "api/agreement_call.h"
#include "api/agreements.h"
#include "ingest/periods.h"
#include "ingest/pool.h"

enum { STEP_BODY_MAX = 16 * 1024 };

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
    JSON_TIME_OPT(struct agreement_call, effective_to, has_effective_to),
};
static const struct json_object step_spec = JSON_OBJECT(struct agreement_call, step_fields);
static const struct json_object reject_spec = JSON_OBJECT(struct agreement_call, reject_fields);
static const struct json_object end_spec = JSON_OBJECT(struct agreement_call, end_fields);

static void prepare_step(struct call *call, const struct json_object *spec, bool body_optional)
{
    struct agreement_call *state = agreement_begin(call);
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

/* The version that a step is about, in the state that it needs; NULL: refused. */
static enum accord_error step_version(struct call *call, enum agreement_state needed,
                                      const struct agreement_version_row **ret)
{
    struct agreement_call *state = call->state;
    bool found;
    const enum accord_error error = agreement_load(call, state, &found);
    *ret = NULL;
    if (error != ACCORD_OK || !found)
        return error;
    const struct agreement_version_row *version = agreement_version_of(state, state->number);
    if (version == NULL)
        call_fail(call, ACCORD_E_NOT_FOUND, "version %lld", (long long)state->number);
    else if (version->state != needed)
        call_fail(call, ACCORD_E_AGREEMENT_STATE, "version %lld is %s", (long long)version->version,
                  agreement_state_name(version->state));
    else
        *ret = version;
    return ACCORD_OK;
}

/* A version takes the place of those before it, never of one that came into force after it was
 * written: whoever signs could not have meant that. */
static bool is_overtaken(struct call *call, const struct agreement_version_row *version)
{
    const struct agreement_call *state = call->state;
    for (size_t i = 0; i < state->all_count; i++)
        if (state->all[i].version > version->version && agreement_settles(&state->all[i])) {
            call_fail(call, ACCORD_E_AGREEMENT_STATE, "a later version has been signed by all");
            return true;
        }
    return false;
}

/* Refuses when somebody's version would end who has no say in this one. */
static bool is_trespass(struct call *call, const struct agreement_version_row *version)
{
    const struct agreement_call *state = call->state;
    for (size_t i = 0; i < state->all_count; i++) {
        const struct agreement_version_row *older = &state->all[i];
        if (older->state != AGREEMENT_ACTIVE &&
            !(agreement_settles(older) && older->effective_to > version->effective_from))
            continue;
        for (uint32_t p = 0; p < older->party_count; p++)
            if (!agreement_is_party(version, older->parties[p].partner)) {
                call_fail(call, ACCORD_E_AGREEMENT_STATE,
                          "a party of version %lld, which would end, is no party of this one",
                          (long long)older->version);
                return true;
            }
    }
    return false;
}

/* Refuses a version that joins a pool that is not there, or is of another kind. */
static enum accord_error pool_check(struct call *call, const struct agreement_version *given)
{
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return ACCORD_OK;
    const enum accord_error error = pool_check_terms(call->db, call->arena, given, problems);
    if (error == ACCORD_OK && problems->total > 0)
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
    return error;
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
        error = agreement_touch(call, version);
    return error == ACCORD_OK ? agreement_reload(call, version->version, 200) : error;
}

static enum accord_error write_propose(struct call *call)
{
    const struct agreement_version_row *version;
    struct agreement_version given;
    enum accord_error error = step_version(call, AGREEMENT_DRAFT, &version);
    if (error != ACCORD_OK || version == NULL || is_overtaken(call, version) ||
        is_trespass(call, version))
        return error;
    error = agreement_decode_row(call->arena, version, &given);
    if (error == ACCORD_OK)
        error = pool_check(call, &given);
    if (error != ACCORD_OK || call->failed)
        return error;
    return move(call, version, AGREEMENT_PROPOSED, "");
}

/* Only a party signs or rejects; the operator that is none may look, not decide. */
static bool party_needed(struct call *call, const struct agreement_version_row *version)
{
    if (agreement_is_party(version, call->caller.partner))
        return true;
    call_fail(call, ACCORD_E_ROLE_MISSING, "only a party of version %lld",
              (long long)version->version);
    return false;
}

static enum accord_error write_reject(struct call *call)
{
    const struct agreement_call *state = call->state;
    const struct agreement_version_row *version;
    const enum accord_error error = step_version(call, AGREEMENT_PROPOSED, &version);
    if (error != ACCORD_OK || version == NULL || !party_needed(call, version))
        return error;
    const char *reason = arena_strdup(call->arena, state->reason);
    return reason == NULL ? ACCORD_E_OUT_OF_MEMORY
                          : move(call, version, AGREEMENT_REJECTED, reason);
}

/* ---- signing ---- */

/* Refuses when an agreement of this party could win the same sale with equal rank and priority. */
static enum accord_error overlap_with(struct call *call, const struct agreement_version *given,
                                      const char *party)
{
    struct agreement_version *others;
    size_t count;
    const enum accord_error error =
        agreement_load_settling(call->db, call->arena, party, &others, &count);
    for (size_t i = 0; error == ACCORD_OK && i < count && !call->failed; i++) {
        const struct accord_agreement_version *other = &others[i].terms;
        if (!accord_agreement_overlap(&given->terms, other))
            continue;
        bool visible = call->caller.is_operator;
        for (uint32_t p = 0; p < other->party_count; p++)
            visible = visible || strcmp(other->parties[p], call->caller.partner) == 0;
        call_fail(call, ACCORD_E_AGREEMENT_OVERLAP, visible ? "agreement %s, version %lld" : NULL,
                  other->agreement, (long long)other->version);
    }
    return error;
}

/* What begins in a closed period changes what has been published: that must have been agreed. */
static enum accord_error past_check(struct call *call, const struct agreement_version *given)
{
    int64_t closed;
    const enum accord_error error =
        store_periods_last(call->db, &given->terms.agreement, 1, &closed);
    if (error != ACCORD_OK || closed == PERIOD_NONE || given->retroactive)
        return error;
    const int64_t open = period_after(given->quarterly, closed);
    if (given->terms.effective_from_us < zone_day_start(given->zone, (int32_t)open))
        call_fail(call, ACCORD_E_PERIOD_CLOSED,
                  "the version begins in a closed period and is not `retroactive`");
    return ACCORD_OK;
}

/* Two versions that cover one sale have its channel and provider as parties. */
static enum accord_error overlap_check(struct call *call, const struct agreement_version *given)
{
    enum accord_error error = ACCORD_OK;
    for (uint32_t i = 0; error == ACCORD_OK && i < given->terms.party_count && !call->failed; i++)
        error = overlap_with(call, given, given->terms.parties[i]);
    return error;
}

/* Ends a version that settles, no later than at `end`. */
static enum accord_error end_version(struct call *call, const struct agreement_version_row *older,
                                     instant_us end, int64_t seq)
{
    if (older->effective_to <= end)
        return ACCORD_OK;
    /* What has not begun by then never begins. */
    const instant_us at = older->effective_from > end ? older->effective_from : end;
    struct agreement_version was;
    enum accord_error error = agreement_decode_row(call->arena, older, &was);
    if (error == ACCORD_OK)
        error = store_agreement_end(call->db, older->agreement, older->version, at, seq);
    if (error == ACCORD_OK)
        error = agreement_grant(call->db, call->arena, &was, at);
    return error == ACCORD_OK ? agreement_touch(call, older) : error;
}

/* From its beginning on, a version takes the place of those before it. */
static enum accord_error end_older(struct call *call, const struct agreement_version_row *version,
                                   int64_t seq)
{
    const struct agreement_call *state = call->state;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < state->all_count; i++) {
        const struct agreement_version_row *older = &state->all[i];
        if (older->version == version->version || !agreement_settles(older))
            continue;
        bool moved;
        if (older->state == AGREEMENT_ACTIVE) {
            error = store_agreement_move(call->db, older->agreement, older->version,
                                         AGREEMENT_ACTIVE, AGREEMENT_SUPERSEDED, "", seq, &moved);
            if (error == ACCORD_OK)
                error = agreement_touch(call, older);
        }
        if (error == ACCORD_OK)
            error = end_version(call, older, version->effective_from, seq);
    }
    return error;
}

static enum accord_error activate(struct call *call, const struct agreement_version_row *version,
                                  const struct agreement_version *given, int64_t seq)
{
    /* What settles again is the difference to the book as it stood: it must be there. */
    struct agreement_book *before;
    bool moved;
    enum accord_error error = ingest_agreements(call->tx, &before);
    if (error == ACCORD_OK)
        error = store_agreement_move(call->db, version->agreement, version->version,
                                     AGREEMENT_PROPOSED, AGREEMENT_ACTIVE, "", seq, &moved);
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
    const struct agreement_version_row *version;
    enum accord_error error = step_version(call, AGREEMENT_PROPOSED, &version);
    if (error != ACCORD_OK || version == NULL || !party_needed(call, version) ||
        is_overtaken(call, version) || is_trespass(call, version))
        return error;
    uint32_t missing = 0;
    bool own_missing = false;
    for (uint32_t i = 0; i < version->party_count; i++) {
        if (version->parties[i].signed_)
            continue;
        missing++;
        own_missing = own_missing || strcmp(version->parties[i].partner, call->caller.partner) == 0;
    }
    if (!own_missing) {
        call_fail(call, ACCORD_E_ALREADY_SIGNED, NULL);
        return ACCORD_OK;
    }
    struct agreement_version given;
    error = agreement_decode_row(call->arena, version, &given);
    if (error == ACCORD_OK && missing == 1)
        error = past_check(call, &given);
    if (error == ACCORD_OK && missing == 1 && !call->failed)
        error = overlap_check(call, &given);
    if (error == ACCORD_OK && missing == 1 && !call->failed)
        error = pool_check(call, &given);
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
        error = agreement_touch(call, version);
    if (error == ACCORD_OK && missing == 1)
        error = activate(call, version, &given, seq);
    return error == ACCORD_OK ? agreement_reload(call, version->version, 200) : error;
}

/* ---- ending ---- */

/* What was agreed for the past, or ends sooner already, is not for one party to change. */
static bool end_acceptable(struct call *call, const struct agreement_version_row *version,
                           instant_us end)
{
    if (end >= call->tx->now && end <= version->effective_to)
        return true;
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return false;
    json_problem_add(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "/effective_to", "%s",
                     end < call->tx->now ? "It lies in the past"
                                         : "It lies behind the end of the agreement");
    call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
    return false;
}

/* The version to be ended: the newest of those whose end lies ahead. */
static const struct agreement_version_row *running(const struct agreement_call *state,
                                                   instant_us now)
{
    for (size_t i = state->version_count; i-- > 0;) {
        const struct agreement_version_row *version = &state->versions[i];
        if (agreement_settles(version) && version->effective_to > now &&
            version->effective_to > version->effective_from)
            return version;
    }
    return NULL;
}

static enum accord_error write_terminate(struct call *call)
{
    struct agreement_call *state = call->state;
    bool found;
    enum accord_error error = agreement_load(call, state, &found);
    if (error != ACCORD_OK || !found)
        return error;
    const struct agreement_version_row *version = running(state, call->tx->now);
    if (version == NULL) {
        call_fail(call, ACCORD_E_AGREEMENT_STATE, "no version is active");
        return ACCORD_OK;
    }
    const instant_us end = state->has_effective_to ? state->effective_to : call->tx->now;
    if (!end_acceptable(call, version, end))
        return ACCORD_OK;
    /* An older one may still be in force, until the active one begins. */
    for (size_t i = 0; i < state->all_count; i++)
        if (agreement_settles(&state->all[i]) && state->all[i].effective_to > end &&
            !call->caller.is_operator && !party_needed(call, &state->all[i]))
            return ACCORD_OK;

    struct agreement_book *before;
    struct agreement_version was;
    int64_t seq;
    bool moved;
    error = ingest_agreements(call->tx, &before);
    if (error == ACCORD_OK)
        error = agreement_decode_row(call->arena, version, &was);
    if (error == ACCORD_OK)
        error = ingest_seq(call->tx, 1, &seq);
    if (error == ACCORD_OK)
        error = store_agreement_move(call->db, version->agreement, version->version, version->state,
                                     AGREEMENT_TERMINATED, "", seq, &moved);
    if (error == ACCORD_OK)
        error = agreement_touch(call, version);
    for (size_t i = 0; error == ACCORD_OK && i < state->all_count; i++)
        if (agreement_settles(&state->all[i]))
            error = end_version(call, &state->all[i], end, seq);
    if (error == ACCORD_OK)
        error = ingest_agreement_changed(call->tx, &was.terms);
    return error == ACCORD_OK ? agreement_reload(call, version->version, 200) : error;
}

/* ---- the operations ---- */

const struct operation agreement_step_operations[] = {
    {.id = "proposeAgreement",
     .method = "POST",
     .pattern = "/v1/agreements/{agreement}/propose",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .body_max = STEP_BODY_MAX,
     .media = "application/json",
     .prepare = prepare_version_step,
     .write = write_propose,
     .answer = agreement_answer},
    {.id = "signAgreement",
     .method = "POST",
     .pattern = "/v1/agreements/{agreement}/sign",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .body_max = STEP_BODY_MAX,
     .media = "application/json",
     .prepare = prepare_version_step,
     .write = write_sign,
     .answer = agreement_answer},
    {.id = "rejectAgreement",
     .method = "POST",
     .pattern = "/v1/agreements/{agreement}/reject",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .body_max = STEP_BODY_MAX,
     .media = "application/json",
     .prepare = prepare_reject,
     .write = write_reject,
     .answer = agreement_answer},
    {.id = "terminateAgreement",
     .method = "POST",
     .pattern = "/v1/agreements/{agreement}/terminate",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .body_max = STEP_BODY_MAX,
     .media = "application/json",
     .prepare = prepare_terminate,
     .write = write_terminate,
     .answer = agreement_answer},
};
const size_t agreement_step_operation_count =
    sizeof agreement_step_operations / sizeof agreement_step_operations[0];
