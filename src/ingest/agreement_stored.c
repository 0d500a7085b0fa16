/* Agreement versions as they stand in the store: decoded, and what they let channels see. */
#include <string.h>

#include "ingest/agreement.h"
#include "store/courses.h"

enum accord_error agreement_decode_row(struct arena *arena, const struct agreement_version_row *row,
                                       struct agreement_version *ret)
{
    struct json_problems problems = {.count = 0};
    const enum accord_error error = agreement_decode(arena, row->body, row->agreement, row->version,
                                                     false, NULL, NULL, ret, &problems);
    if (error != ACCORD_OK)
        return error == ACCORD_E_OUT_OF_MEMORY ? error : ACCORD_E_DATABASE_ERROR;
    ret->terms.effective_to_us = row->effective_to;
    return ACCORD_OK;
}

enum accord_error agreement_load_settling(struct db *db, struct arena *arena, const char *partner,
                                          struct agreement_version **ret, size_t *ret_count)
{
    struct agreement_version_row *rows;
    size_t count;
    enum accord_error error = store_agreement_settling(db, arena, partner, &rows, &count);
    if (error != ACCORD_OK)
        return error;
    struct agreement_version *versions = arena_array(arena, count, sizeof *versions);
    if (versions == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count && error == ACCORD_OK; i++)
        error = agreement_decode_row(arena, &rows[i], &versions[i]);
    if (error != ACCORD_OK)
        return error;
    *ret = versions;
    *ret_count = count;
    return ACCORD_OK;
}

enum accord_error agreement_grant(struct db *db, struct arena *arena,
                                  const struct agreement_version *version, instant_us to)
{
    const struct accord_agreement_version *terms = &version->terms;
    const bool all_channels = terms->channel_count == 0;
    const bool all_providers = terms->provider_count == 0;
    const char *const *channels = all_channels ? terms->parties : terms->channels;
    const size_t channel_count = all_channels ? terms->party_count : terms->channel_count;
    const char *const *providers = all_providers ? terms->parties : terms->providers;
    const size_t provider_count = all_providers ? terms->party_count : terms->provider_count;
    const size_t seen = terms->course_count > 0 ? terms->course_count : provider_count;
    struct store_grant *grants = arena_array(arena, channel_count * seen + 1, sizeof *grants);
    if (grants == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < channel_count; i++)
        for (size_t j = 0; j < seen; j++) {
            const bool one = terms->course_count > 0;
            const char *provider = one ? terms->courses[j].provider : providers[j];
            if (strcmp(channels[i], provider) != 0)
                grants[count++] = (struct store_grant){
                    .channel = slice_of(channels[i]),
                    .provider = slice_of(provider),
                    .course_id = slice_of(one ? terms->courses[j].course_id : "")};
        }
    return store_grants_set(db, terms->agreement, terms->version, terms->effective_from_us, to,
                            grants, count);
}
