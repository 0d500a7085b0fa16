/**
 * Usage, completions and starts as typed rows: part of the journal, appended, never changed.
 */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "store/learners.h"
#include "store/store.h"

enum usage_kind { USAGE_TIME, USAGE_COMPLETION, USAGE_START };

/** A learner used, finished or began a course. */
struct usage_row {
    int64_t seq;
    const char *channel; /**< who posted it */
    enum usage_kind kind;
    bool has_learner;
    uint8_t learner[LEARNER_BYTES];
    const char *provider;
    const char *course_id;
    instant_us occurred_at;
    const char *event_id;
    int64_t seconds;
    bool has_from;
    instant_us from;
    bool has_to;
    instant_us to;
};
enum accord_error store_usage_insert(struct db *db, const struct usage_row *rows, size_t count);
/** By its name; false when it is none. */
bool usage_kind_find(struct slice name, enum usage_kind *ret);
/** Whether just this row stands, for checking it against its fact. */
enum accord_error store_usage_stands(struct db *db, const struct usage_row *row, bool *ret);

#endif
