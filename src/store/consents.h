/**
 * Consents of learners as typed rows: part of the journal, appended, never changed.
 */
#ifndef STORE_CONSENTS_H
#define STORE_CONSENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "store/learners.h"
#include "store/store.h"

enum consent_purpose {
    CONSENT_ANALYTICS,
    CONSENT_RECOMMEND,
    CONSENT_SHARE_PROVIDER,
    CONSENT_MARKETING,
};
extern const char *const consent_purpose_names[]; /**< ends with NULL */

/** A learner of a partner granted or withdrew a purpose; the latest stands. */
struct consent_row {
    int64_t seq;
    const char *partner;
    uint8_t learner[LEARNER_BYTES];
    enum consent_purpose purpose;
    bool granted;
    instant_us occurred_at;
    const char *event_id;
};
enum accord_error store_consents_insert(struct db *db, const struct consent_row *rows,
                                        size_t count);
/** Whether just this row stands, for checking it against its fact. */
enum accord_error store_consent_stands(struct db *db, const struct consent_row *row, bool *ret);

#endif
