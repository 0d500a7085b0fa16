/**
 * Ids that a partner may use once, for ever: of memberships, their terms, challenge entries,
 * adjustments. Part of the journal.
 */
#ifndef STORE_SUBJECTS_H
#define STORE_SUBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

enum subject_kind {
    SUBJECT_MEMBERSHIP,
    SUBJECT_TERM,
    SUBJECT_ENTRY,
    SUBJECT_WITHDRAWAL,
    SUBJECT_ADJUSTMENT,
};

struct subject_name {
    const char *partner;
    enum subject_kind kind;
    const char *id;
    const char *part; /**< term_id of a term, else "" */
    int64_t seq;      /**< only for inserting */
};

/** Which are taken: ret[i] is the seq of the fact that took names[i], or 0. */
enum accord_error store_subjects_known(struct db *db, const struct subject_name *names,
                                       size_t count, int64_t *ret);
enum accord_error store_subjects_insert(struct db *db, const struct subject_name *names,
                                        size_t count);

#endif
