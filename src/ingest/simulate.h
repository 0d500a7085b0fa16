/**
 * What if: the draft of a period's statements with other terms, or with facts that there are not.
 * Settles the facts of the period anew, with the functions of the close, and writes nothing.
 *
 * Of a period behind the oldest open one the draft opens with what the last close closed with, and
 * has no lines of those between. Of a closed one there is none: its lines are what its facts come
 * to now, whenever they were booked, beside what they come to with the terms of today.
 */
#ifndef INGEST_SIMULATE_H
#define INGEST_SIMULATE_H

#include "base/buf.h"
#include "ingest/agreement.h"
#include "ingest/close.h"
#include "ingest/facts.h"

enum { SIMULATION_LINES_MAX = 1000, SIMULATION_FACTS_MAX = 1000 };

/** Other terms for a pool. */
struct simulation_pool {
    struct slice channel;
    struct slice pool;
    struct slice terms; /**< JSON, as a pool is put */
};

struct simulation_ask {
    const char *agreement;
    const char *label;
    struct slice terms; /**< instead of those of the version that governs the period, for its sales
                             of the period and its windows of it; data NULL: today's */
    const struct simulation_pool *pools; /**< divided otherwise in the period */
    size_t pool_count;
    const struct fact_batch *facts; /**< orders and refunds, or NULL */
    const char *viewer;             /**< whose lines are shown; NULL: the collector's */
};

struct simulation_payee {
    const char *payee;
    int64_t amount;
    int64_t today;
};

struct simulation {
    struct close_result result; /**< as close_draft() has it; no statements of a period that is
                                     closed */
    const char *currency;       /**< of all amounts */
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
 *         that a period may be any: one that is not over, is closed, or is not the oldest
 */
enum accord_error simulate(struct db *db, struct arena *arena, const struct simulation_ask *ask,
                           struct simulation *ret, struct json_problems *problems);

#endif
