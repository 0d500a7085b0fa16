#include "api/agreement_call.h"

struct agreement_call *agreement_begin(struct call *call)
{
    struct agreement_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    return state;
}

/* ---- what stands ---- */

bool agreement_is_party(const struct agreement_version_row *version, const char *partner)
{
    for (uint32_t i = 0; i < version->party_count; i++)
        if (strcmp(version->parties[i].partner, partner) == 0)
            return true;
    return false;
}

bool agreement_settles(const struct agreement_version_row *version)
{
    return version->state == AGREEMENT_ACTIVE || version->state == AGREEMENT_SUPERSEDED ||
           version->state == AGREEMENT_TERMINATED;
}

enum accord_error agreement_visible(struct call *call, struct agreement_version_row *all,
                                    size_t count, struct agreement_version_row **ret,
                                    size_t *ret_count)
{
    struct agreement_version_row *versions = all;
    size_t seen = count;
    if (!call->caller.is_operator) {
        versions = arena_array(call->arena, count, sizeof *versions);
        if (versions == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        seen = 0;
        for (size_t i = 0; i < count; i++)
            if (agreement_is_party(&all[i], call->caller.partner))
                versions[seen++] = all[i];
    }
    *ret = versions;
    *ret_count = seen;
    return ACCORD_OK;
}

enum accord_error agreement_load(struct call *call, struct agreement_call *state, bool *ret_found)
{
    bool found;
    enum accord_error error =
        store_agreement_find(call->db, call->arena, state->id, &found, &state->row);
    if (error == ACCORD_OK && found)
        error = store_agreement_versions(call->db, call->arena, &state->id, 1, &state->all,
                                         &state->all_count);
    if (error == ACCORD_OK && found)
        error = agreement_visible(call, state->all, state->all_count, &state->versions,
                                  &state->version_count);
    if (error != ACCORD_OK)
        return error;
    *ret_found = found && state->version_count > 0;
    if (!*ret_found)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    return ACCORD_OK;
}

const struct agreement_version_row *agreement_version_of(const struct agreement_call *state,
                                                         int64_t number)
{
    for (size_t i = 0; i < state->version_count; i++)
        if (state->versions[i].version == number)
            return &state->versions[i];
    return NULL;
}

const struct agreement_version_row *agreement_current(const struct agreement_version_row *versions,
                                                      size_t count)
{
    for (size_t i = count; i-- > 0;)
        if (versions[i].state == AGREEMENT_ACTIVE)
            return &versions[i];
    return &versions[count - 1];
}

int64_t agreement_last_change(const struct agreement_call *state)
{
    int64_t seq = 0;
    for (size_t i = 0; i < state->version_count; i++)
        if (state->versions[i].changed_seq > seq)
            seq = state->versions[i].changed_seq;
    return seq;
}

enum accord_error agreement_reload(struct call *call, int64_t number, unsigned status)
{
    struct agreement_call *state = call->state;
    bool found;
    const enum accord_error error = agreement_load(call, state, &found);
    if (error != ACCORD_OK)
        return error;
    state->shown = agreement_version_of(state, number);
    state->status = status;
    /* Whoever changed it sees it. */
    if (!found || state->shown == NULL)
        return ACCORD_E_INTERNAL;
    call_etag(call, agreement_last_change(state));
    return ACCORD_OK;
}

enum accord_error agreement_touch(struct call *call, const struct agreement_version_row *version)
{
    enum accord_error error = ACCORD_OK;
    for (uint32_t i = 0; i < version->party_count && error == ACCORD_OK; i++)
        error = ingest_touch(call->tx, version->parties[i].partner);
    return error;
}

/* ---- answers ---- */

void agreement_write_version(struct json_writer *w, const struct agreement_version_row *version)
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

void agreement_write(struct json_writer *w, const struct agreement_row *row,
                     const struct agreement_version_row *shown)
{
    jw_key_str(w, "id", row->id);
    jw_key_str(w, "name", row->name);
    jw_key_str(w, "created_by", row->created_by);
    agreement_write_version(w, shown);
}

void agreement_answer(struct call *call)
{
    const struct agreement_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, state->status);
    jw_object(&w);
    if (state->version_only) {
        agreement_write_version(&w, state->shown);
        jw_object_end(&w);
        return;
    }
    agreement_write(&w, &state->row, state->shown);
    jw_key(&w, "versions");
    jw_array(&w);
    for (size_t i = 0; i < state->version_count; i++) {
        jw_object(&w);
        agreement_write_version(&w, &state->versions[i]);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    jw_object_end(&w);
}
