/** What the operations on agreements share: an agreement as its caller sees it, and its answer. */
#ifndef API_AGREEMENT_CALL_H
#define API_AGREEMENT_CALL_H

#include "api/call.h"
#include "ingest/agreement.h"
#include "store/agreements.h"

/** A request about one agreement, between its steps. */
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
    /* what stands */
    struct agreement_row row;
    struct agreement_version_row *all; /* oldest first */
    size_t all_count;
    struct agreement_version_row *versions; /* those of them that the caller sees */
    size_t version_count;
    /* what is answered */
    const struct agreement_version_row *shown;
    unsigned status;
    bool version_only;
    bool not_modified;
};

/** The state of a new call; NULL: it has failed. */
struct agreement_call *agreement_begin(struct call *call);

bool agreement_is_party(const struct agreement_version_row *version, const char *partner);

/** True for versions whose time counts for sales, whether it has ended or not. */
bool agreement_settles(const struct agreement_version_row *version);

/** Of these versions those that the caller sees: that it is a party of (the operator: all). */
enum accord_error agreement_visible(struct call *call, struct agreement_version_row *all,
                                    size_t count, struct agreement_version_row **ret,
                                    size_t *ret_count);

/**
 * Loads state->id with its versions.
 *
 * An agreement of which the caller sees no version is not found for it.
 *
 * @param ret_found  false: the call has failed with not_found
 */
enum accord_error agreement_load(struct call *call, struct agreement_call *state, bool *ret_found);

/** A visible version by its number, or NULL. */
const struct agreement_version_row *agreement_version_of(const struct agreement_call *state,
                                                         int64_t number);

/** The one of these (count > 0, oldest first) that stands for the agreement: what is active, else
 *  the newest. */
const struct agreement_version_row *agreement_current(const struct agreement_version_row *versions,
                                                      size_t count);

/** The last change of what the caller sees of the agreement: its ETag. */
int64_t agreement_last_change(const struct agreement_call *state);

/** After a change, in write(): loads what stands now, to be answered with version `number`. */
enum accord_error agreement_reload(struct call *call, int64_t number, unsigned status);

/** Every party of a version sees a change. */
enum accord_error agreement_touch(struct call *call, const struct agreement_version_row *version);

/** The members of a version, or of an agreement that stands with it. */
void agreement_write_version(struct json_writer *w, const struct agreement_version_row *version);
void agreement_write(struct json_writer *w, const struct agreement_row *row,
                     const struct agreement_version_row *shown);

/** Answers what was loaded: the agreement with its versions, or the version alone. */
void agreement_answer(struct call *call);

#endif
