/** Rounds of challenges and their entries: what they are, and settling a round. */
#ifndef API_CHALLENGES_H
#define API_CHALLENGES_H

#include "accord/settle.h"
#include "api/call.h"
#include "api/explain.h"
#include "ingest/challenge_rounds.h"

extern const struct operation challenge_operations[];
extern const size_t challenge_operation_count;
extern const struct operation challenge_entry_operations[];
extern const size_t challenge_entry_operation_count;

/** Writes a round as an object; `draft`: the sums of one that is not settled, as they would be now,
 *  or NULL. */
void challenge_round_write(struct json_writer *w, const struct challenge_round_row *round,
                           const struct challenge_round_row *draft, instant_us now);
/** Writes what an entry came to, as an object. */
void challenge_entry_write(struct json_writer *w, const struct challenge_entry_row *entry);

/** The revenue of an entry in a statement, explained. */
struct challenge_line_explained {
    const struct challenge_entry_row *entry; /**< NULL: nothing is left of it */
    struct challenge_round_row round;
    struct explain_steps steps;
    int64_t version; /**< 0: held */
    int64_t earned;  /**< by the partner */
};
/** In read(), as it stands now. False: the call has failed. */
bool challenge_line_explain(struct call *call, const struct challenge_name *name,
                            const char *agreement, const char *partner,
                            struct challenge_line_explained *ret);
/** Writes it as an object, or null. */
void challenge_line_write(struct json_writer *w, const struct challenge_line_explained *explained);

#endif
