/** A line of an order as it was settled at a position of the order of knowledge, explained: for
 *  lines of statements. The code that computes says why, as in the order's own explanation. */
#ifndef API_ORDER_EXPLAIN_H
#define API_ORDER_EXPLAIN_H

#include "accord/settle.h"
#include "api/call.h"

struct order_call;

struct order_line_ask {
    const char *channel;
    const char *order_id;
    int64_t line;          /**< its place in the order */
    const char *agreement; /**< whose statement asks */
    const char *partner;
    int64_t cutoff; /**< facts up to this number count */
};

struct order_line_explained {
    struct order_call *state; /**< NULL: nothing of the agreement's was there then, or the order has
                                   been corrected since and cannot be seen as it was */
    size_t line;
    int64_t version; /**< 0: held */
    int64_t earned;  /**< by the partner */
    int64_t net;
    bool party; /**< of the version: it sees everything */
    const char *partner;
};

/** In read(). False: the call has failed. */
bool order_line_explain(struct call *call, const struct order_line_ask *ask,
                        struct order_line_explained *ret);
/** Writes it as an object, or null. */
void order_line_write(struct call *call, struct json_writer *w,
                      const struct order_line_explained *explained);
/** The rules by which a version's referral finds its touch. False: it has no referral. */
bool order_attribution_rules(const struct accord_agreement_version *terms,
                             struct accord_attribution_rules *ret);
extern const char *const order_touch_kinds[]; /**< by enum accord_touch_kind */
/** "touches": those that a line's referral goes by, and why each of them won or did not; nothing
 *  where the terms have no referral. */
void order_write_touches(struct call *call, struct json_writer *w, const struct accord_order *order,
                         const struct accord_agreement_version *terms);

#endif
