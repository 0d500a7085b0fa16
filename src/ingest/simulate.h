/**
 * What if: the draft of a period's statements with other terms, or with facts that there are not.
 * Settles the facts of the period anew, with the functions of the close, and writes nothing.
 */
#ifndef INGEST_SIMULATE_H
#define INGEST_SIMULATE_H

#include "base/buf.h"
#include "ingest/agreement.h"
#include "ingest/close.h"
#include "ingest/facts.h"

enum { SIMULATION_LINES_MAX = 1000, SIMULATION_FACTS_MAX = 1000 };

struct simulation_ask {
    const char *agreement;
    const char *label;
    struct slice terms; /**< instead of those of the version that governs the period, for its sales
                             of the period and its windows of it; data NULL: today's */
    const struct fact_batch *facts; /**< orders and refunds, or NULL */
    const char *viewer;             /**< whose lines are shown; NULL: the collector's */
};

struct simulation_payee {
    const char *payee;
    int64_t amount;
    int64_t today;
};

struct simulation {
    struct close_result result; /**< as close_draft() has it */
    struct buf lines;           /**< the first lines, JSON, with commas between them; to be freed
                                     with buf_done(), also after a failure */
    int64_t line_count;         /**< of all that the viewer sees */
    struct simulation_payee *payees; /**< of all lines, by id */
    size_t payee_count;
};

/**
 * Reads one snapshot (a read transaction should be open).
 *
 * @param problems  what is wrong with the terms (under /terms) or facts (under /add_facts)
 * @return ACCORD_OK; ACCORD_E_FIELDS_INVALID with problems; the refusals of close_draft(), except
 *         that a period may be one that is not over
 */
enum accord_error simulate(struct db *db, struct arena *arena, const struct simulation_ask *ask,
                           struct simulation *ret, struct json_problems *problems);

#endif
