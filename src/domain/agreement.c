/* Which version of which agreement covers a sale. */
#include <string.h>

#include "accord/settle.h"
#include "domain/terms.h"

static bool lists(const char *const *list, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], id) == 0)
            return true;
    return false;
}

/* A list that is not named does not restrict. */
static bool admits(const char *const *list, size_t count, const char *id)
{
    return count == 0 || lists(list, count, id);
}

/* Also of a version that was never checked no more than there can be is read. */
static uint32_t party_count(const struct accord_agreement_version *version)
{
    return version->party_count < ACCORD_PARTIES_MAX ? version->party_count : ACCORD_PARTIES_MAX;
}

static bool is_party(const struct accord_agreement_version *version, const char *id)
{
    return lists(version->parties, party_count(version), id);
}

static bool lists_course(const struct accord_agreement_version *version, const char *provider,
                         const char *course_id)
{
    for (size_t i = 0; i < version->course_count; i++)
        if (strcmp(version->courses[i].course_id, course_id) == 0 &&
            strcmp(version->courses[i].provider, provider) == 0)
            return true;
    return false;
}

/* ---- check ---- */

/* *ret_field: the list at fault. */
static enum accord_error check_scope(const struct accord_agreement_version *version,
                                     const char **ret_field)
{
    *ret_field = "scope";
    if (version->provider_count > ACCORD_SCOPE_MAX || version->channel_count > ACCORD_SCOPE_MAX ||
        version->course_count > ACCORD_SCOPE_MAX)
        return ACCORD_E_COUNT_OUT_OF_RANGE;
    if (version->provider_count + version->channel_count + version->course_count == 0 &&
        !version->is_default)
        return ACCORD_E_SCOPE_EMPTY;
    *ret_field = "scope/providers";
    for (size_t i = 0; i < version->provider_count; i++)
        if (!is_party(version, version->providers[i]))
            return ACCORD_E_SCOPE_FOREIGN;
    *ret_field = "scope/channels";
    for (size_t i = 0; i < version->channel_count; i++)
        if (!is_party(version, version->channels[i]))
            return ACCORD_E_SCOPE_FOREIGN;
    /* A course of a provider that the scope leaves out could never match: a mistake, too. */
    *ret_field = "scope/courses";
    for (size_t i = 0; i < version->course_count; i++)
        if (!is_party(version, version->courses[i].provider) ||
            !admits(version->providers, version->provider_count, version->courses[i].provider))
            return ACCORD_E_SCOPE_FOREIGN;
    *ret_field = NULL;
    return ACCORD_OK;
}

enum accord_error agreement_check_at(const struct accord_agreement_version *version,
                                     struct terms_fault *ret_fault)
{
    enum accord_error err = terms_check_at(version, ret_fault);
    for (uint32_t i = 1; err == ACCORD_OK && i < version->party_count; i++)
        if (lists(version->parties, i, version->parties[i])) {
            ret_fault->field = "parties";
            err = ACCORD_E_PARTY_REPEATED;
        }
    if (err == ACCORD_OK)
        err = check_scope(version, &ret_fault->field);
    if (err == ACCORD_OK && version->effective_from_us >= version->effective_to_us) {
        ret_fault->field = "effective/to";
        err = ACCORD_E_EFFECTIVE_EMPTY;
    }
    return err;
}

enum accord_error accord_agreement_check(const struct accord_agreement_version *version,
                                         uint32_t *ret_term)
{
    struct terms_fault fault;
    const enum accord_error err = agreement_check_at(version, &fault);
    if (err != ACCORD_OK && ret_term != NULL)
        *ret_term = fault.term;
    return err;
}

/* ---- precedence ---- */

const char *accord_rank_name(enum accord_rank rank)
{
    switch (rank) {
    case ACCORD_RANK_COURSE:
        return "course";
    case ACCORD_RANK_PROVIDER_CHANNEL:
        return "provider_channel";
    case ACCORD_RANK_PROVIDER:
        return "provider";
    case ACCORD_RANK_CHANNEL:
        return "channel";
    case ACCORD_RANK_DEFAULT:
        return "default";
    case ACCORD_RANK_NONE:
        break;
    }
    return "none";
}

/* The rank that a version has for whatever it covers. */
static enum accord_rank rank_of(const struct accord_agreement_version *version)
{
    if (version->is_default)
        return ACCORD_RANK_DEFAULT;
    if (version->course_count > 0)
        return ACCORD_RANK_COURSE;
    if (version->provider_count > 0)
        return version->channel_count > 0 ? ACCORD_RANK_PROVIDER_CHANNEL : ACCORD_RANK_PROVIDER;
    return version->channel_count > 0 ? ACCORD_RANK_CHANNEL : ACCORD_RANK_NONE;
}

static bool covers_channel(const struct accord_agreement_version *version, const char *channel)
{
    return is_party(version, channel) && admits(version->channels, version->channel_count, channel);
}

static bool covers_provider(const struct accord_agreement_version *version, const char *provider)
{
    return is_party(version, provider) &&
           admits(version->providers, version->provider_count, provider);
}

static bool covers_course(const struct accord_agreement_version *version, const char *provider,
                          const char *course_id)
{
    return covers_provider(version, provider) &&
           (version->course_count == 0 || lists_course(version, provider, course_id));
}

enum accord_rank accord_agreement_rank(const struct accord_agreement_version *version,
                                       const struct accord_sale_key *sale)
{
    if (sale->occurred_at_us < version->effective_from_us ||
        sale->occurred_at_us >= version->effective_to_us ||
        !covers_channel(version, sale->channel) ||
        !covers_course(version, sale->provider, sale->course_id))
        return ACCORD_RANK_NONE;
    return rank_of(version);
}

bool accord_agreement_in_force(const struct accord_agreement_version *const *versions, size_t count,
                               size_t index, int64_t at_us)
{
    const struct accord_agreement_version *version = versions[index];
    if (at_us < version->effective_from_us || at_us >= version->effective_to_us)
        return false;
    for (size_t i = 0; i < count; i++)
        if (versions[i]->version > version->version && versions[i]->effective_from_us <= at_us &&
            strcmp(versions[i]->agreement, version->agreement) == 0)
            return false;
    return true;
}

static bool beats(const struct accord_agreement_version *a, enum accord_rank a_rank,
                  const struct accord_agreement_version *b, enum accord_rank b_rank)
{
    if (a_rank != b_rank)
        return a_rank < b_rank;
    if (a->priority != b->priority)
        return a->priority > b->priority;
    return strcmp(a->agreement, b->agreement) < 0;
}

size_t accord_agreement_resolve(const struct accord_agreement_version *const *versions,
                                size_t count, const struct accord_sale_key *sale,
                                enum accord_rank *ret_rank)
{
    size_t winner = SIZE_MAX;
    enum accord_rank winner_rank = ACCORD_RANK_NONE;
    for (size_t i = 0; i < count; i++) {
        const enum accord_rank rank = accord_agreement_rank(versions[i], sale);
        if (rank == ACCORD_RANK_NONE ||
            (winner != SIZE_MAX && !beats(versions[i], rank, versions[winner], winner_rank)) ||
            !accord_agreement_in_force(versions, count, i, sale->occurred_at_us))
            continue;
        winner = i;
        winner_rank = rank;
    }
    *ret_rank = winner_rank;
    return winner;
}

/* ---- overlap ---- */

static bool share_channel(const struct accord_agreement_version *a,
                          const struct accord_agreement_version *b)
{
    for (uint32_t i = 0; i < party_count(a); i++)
        if (covers_channel(a, a->parties[i]) && covers_channel(b, a->parties[i]))
            return true;
    return false;
}

static bool share_course(const struct accord_agreement_version *a,
                         const struct accord_agreement_version *b)
{
    /* Whose courses are named decides; when neither names any, a provider in common is enough. */
    if (a->course_count == 0 && b->course_count > 0)
        return share_course(b, a);
    for (size_t i = 0; i < a->course_count; i++)
        if (covers_provider(a, a->courses[i].provider) &&
            covers_course(b, a->courses[i].provider, a->courses[i].course_id))
            return true;
    if (a->course_count > 0)
        return false;
    for (uint32_t i = 0; i < party_count(a); i++)
        if (covers_provider(a, a->parties[i]) && covers_provider(b, a->parties[i]))
            return true;
    return false;
}

bool accord_agreement_overlap(const struct accord_agreement_version *a,
                              const struct accord_agreement_version *b)
{
    const int64_t from =
        a->effective_from_us > b->effective_from_us ? a->effective_from_us : b->effective_from_us;
    const int64_t to =
        a->effective_to_us < b->effective_to_us ? a->effective_to_us : b->effective_to_us;
    return rank_of(a) != ACCORD_RANK_NONE && rank_of(a) == rank_of(b) &&
           a->priority == b->priority && from < to && strcmp(a->agreement, b->agreement) != 0 &&
           share_channel(a, b) && share_course(a, b);
}
