/** A month of a membership's term as it was settled at a position of the order of knowledge,
 *  explained: for lines of statements. */
#ifndef API_MEMBERSHIP_EXPLAIN_H
#define API_MEMBERSHIP_EXPLAIN_H

#include "api/call.h"
#include "store/memberships.h"

struct membership_call;

struct membership_line_ask {
    struct membership_name name;
    int64_t seq;           /**< of the term's fact */
    int64_t line;          /**< months since that in which it begins */
    const char *agreement; /**< whose statement asks */
    const char *partner;
    int64_t cutoff; /**< facts up to this number count */
};

struct membership_line_explained {
    const struct membership_call *state; /**< NULL: nothing of the agreement's was there then, or
                                              the term has been corrected since */
    size_t term;
    size_t month;
    int64_t version; /**< 0: held */
    int64_t earned;  /**< by the partner */
};

/** In read(). False: the call has failed. */
bool membership_line_explain(struct call *call, const struct membership_line_ask *ask,
                             struct membership_line_explained *ret);
/** Writes it as an object, or null. */
void membership_line_write(struct json_writer *w,
                           const struct membership_line_explained *explained);

#endif
