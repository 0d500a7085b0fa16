/**
 * What channels posted about entries of challenges, as typed rows: part of the journal, appended,
 * never changed.
 */
#ifndef STORE_CHALLENGES_H
#define STORE_CHALLENGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/learners.h"
#include "store/store.h"

enum challenge_kind { CHALLENGE_JOINED, CHALLENGE_WITHDRAWN, CHALLENGE_CHECKIN };

/** An entry was made or withdrawn, or its learner checked in. */
struct challenge_row {
    int64_t seq;
    const char *channel;
    const char *entry_id;
    enum challenge_kind kind;
    const char *event_id;
    instant_us occurred_at;
    const char *offer; /**< of joined, else "", as are currency and time_zone */
    bool has_learner;
    uint8_t learner[LEARNER_BYTES];
    const char *currency;
    const char *time_zone;
    int64_t deposit;
    int64_t payment_fee; /**< -1: not given */
    int64_t refunded;
    bool has_day;
    int32_t day; /**< days since 1970-01-01; absent: that of occurred_at in the entry's zone */
    bool makeup;
};
enum accord_error store_challenges_insert(struct db *db, const struct challenge_row *rows,
                                          size_t count);
/** Whether just this row stands, for checking it against its fact. */
enum accord_error store_challenge_stands(struct db *db, const struct challenge_row *row, bool *ret);

struct challenge_name {
    const char *channel;
    const char *entry_id;
};

struct stored_challenge_fact {
    struct challenge_row row;
    bool superseded; /**< or voided */
};

/** All that the journal holds of one entry, by seq. */
struct stored_challenge {
    struct challenge_name name; /**< in */
    struct stored_challenge_fact *facts;
    size_t count;
};
/** Loads entries by their names; count 0: there is none of this name. */
enum accord_error store_challenges_load(struct db *db, struct arena *arena,
                                        struct stored_challenge *entries, size_t count);
/** Names of the entries that facts are about; a name of NULLs for a seq that is no such fact. */
enum accord_error store_challenges_of_facts(struct db *db, struct arena *arena, const int64_t *seqs,
                                            size_t count, struct challenge_name *ret);

#endif
