/**
 * Usage: from what a learner did in a month to the units that a pool is divided by.
 *
 * Events count in the order of (begin, event_id), where an event begins when its session does, or
 * when it occurred where that is not known. So nothing depends on the order of arrival.
 *
 *     seconds      seconds of use. Sessions that overlap are one: of each counts what no session
 *                  before it covers, and never more than its seconds
 *     learners     1 for each payee who was used for a second or more
 *     starts       1 for each course that was begun
 *     completions  1 for each course that was completed
 *
 * Caps cut what goes beyond them, in that same order: what came first counts.
 *
 * Pure; any thread. Allocates scratch for its events, and nothing that outlives the call.
 */
#ifndef ACCORD_USAGE_H
#define ACCORD_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

enum accord_usage_basis {
    ACCORD_USAGE_SECONDS,
    ACCORD_USAGE_LEARNERS,
    ACCORD_USAGE_STARTS,
    ACCORD_USAGE_COMPLETIONS,
};

enum accord_usage_kind { ACCORD_USAGE_TIME, ACCORD_USAGE_COMPLETION, ACCORD_USAGE_START };

/** Most units that count of one learner in a month; 0: no such cap. What one payee may have of one
 *  learner is capped in the pool (struct accord_pool_terms). */
struct accord_usage_caps {
    int64_t learner;
    int64_t learner_day;
    int64_t learner_course;
};

struct accord_usage_event {
    enum accord_usage_kind kind;
    uint32_t payee;
    uint32_t course; /**< a number of the course, the same for all learners or not */
    int64_t day;     /**< that it counts for, of the calendar in the pool's zone */
    int64_t occurred_at_us;
    const char *event_id; /**< none stands twice; borrowed */
    int64_t seconds;      /**< >= 0 */
    bool has_session;     /**< from_us and to_us are known */
    int64_t from_us;
    int64_t to_us; /**< >= from_us */
};

/**
 * The cells of one learner.
 *
 * @param events     of one learner and month; they are sorted
 * @param ret_cells  room for `count`; one for each payee with units, ascending
 * @return ACCORD_OK; ACCORD_E_VALUE_OUT_OF_RANGE for negative seconds or caps, a session that ends
 *         before it begins or a basis that does not exist; ACCORD_E_OVERFLOW;
 * ACCORD_E_OUT_OF_MEMORY. On failure ret_count is unwritten, and what is in ret_cells void
 */
enum accord_error accord_usage_cells(enum accord_usage_basis basis,
                                     const struct accord_usage_caps *caps,
                                     struct accord_usage_event *events, size_t count,
                                     struct accord_pool_cell *ret_cells, size_t *ret_count);

#ifdef __cplusplus
}
#endif

#endif
