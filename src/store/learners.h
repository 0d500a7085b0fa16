/**
 * Learners: a random internal id behind a keyed hash of (partner, external id). The external id
 * itself is stored nowhere.
 */
#ifndef STORE_LEARNERS_H
#define STORE_LEARNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

enum { LEARNER_BYTES = 16 };

struct learner_row {
    struct hash lookup;
    bool found;
    uint8_t learner[LEARNER_BYTES];
};

/** Fills `found` and `learner` of every row by its `lookup`. */
enum accord_error store_learners_find(struct db *db, struct learner_row *rows, size_t count);
/** Inserts rows whose look-up is new. */
enum accord_error store_learners_insert(struct db *db, const struct learner_row *rows,
                                        size_t count);
/** False: no external id leads to this learner any more: it was erased. */
enum accord_error store_learner_known(struct db *db, const uint8_t learner[LEARNER_BYTES],
                                      bool *ret);

#endif
