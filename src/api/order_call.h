/**
 * The steps that the operations on one order have in common: it is read and settled as it stands,
 * the numbers of an answer are never read from entries.
 */
#ifndef API_ORDER_CALL_H
#define API_ORDER_CALL_H

#include "api/call.h"
#include "api/explain.h"
#include "ingest/agreement.h"
#include "ingest/referral.h"
#include "store/sales.h"

struct order_call {
    struct order_name name;
    struct stored_order stored;
    struct accord_order order;
    struct accord_line_result *results;
    struct accord_excess excess;
    struct explain_steps *steps; /* by line */
    struct agreement_version *versions;
    const struct accord_agreement_version **terms; /* of the same */
    size_t version_count;
    int64_t rates_seq; /* of the last change of rates; 0: nothing is converted */
    bool whole;        /* the caller sees the order, not only lines of it */
    bool not_modified;
    bool out_of_memory; /* while steps were collected */
    struct arena *arena;
};

/** prepare(): the order that the path names. NULL: the call has failed. */
struct order_call *order_call_begin(struct call *call);
/** In read(): finds the order, also by its opaque id, and settles it. False: the call has failed.
 */
bool order_call_load(struct call *call, struct order_call *state);
/** In read(): settles state->stored. */
enum accord_error order_call_settle(struct call *call, struct order_call *state);

/** The order, its current sale and who bought. */
struct referred_order order_call_referred(struct order_call *state);
bool order_has_party(const struct accord_agreement_version *terms, const char *partner);
/** A line is there for the parties of the version that won it. */
bool order_sees_line(const struct call *call, const struct order_call *state, size_t line);
/** What names an order, at the head of an answer about it. */
void order_write_head(struct json_writer *w, const struct order_call *state);

#endif
