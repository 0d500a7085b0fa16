/**
 * Rollups: sums of entries, by what a report groups by. Reports read rows with staged = 0; see
 * resettle_head for the others.
 */
#ifndef STORE_ROLLUPS_H
#define STORE_ROLLUPS_H

#include "store/entries.h"

enum rollup_grain { ROLLUP_PERIOD, ROLLUP_DAY, ROLLUP_COURSE, ROLLUP_GRAINS };
const char *rollup_grain_name(enum rollup_grain grain); /* "period", "day", "course" */

struct rollup_key {
    bool staged;
    const char *agreement;
    int64_t version;
    const char *grain;
    int64_t day;
    const char *held;
    const char *channel;
    const char *provider;
    const char *course_id;
    const char *currency;
    const char *sale_currency;
    const char *payee; /**< of a share; NULL: the row with the numbers */
};

struct rollup_row {
    struct rollup_key key;
    int64_t numbers[ENTRY_NUMBERS];
};

struct rollup_share {
    struct rollup_key key;
    int64_t amount;
};

/** Bytewise order of keys, as their tables have it. */
int rollup_key_compare(const struct rollup_key *a, const struct rollup_key *b);

/** Adds to what stands under each key. */
enum accord_error store_rollups_add(struct db *db, const struct rollup_row *rows, size_t count);
enum accord_error store_rollup_shares_add(struct db *db, const struct rollup_share *rows,
                                          size_t count);

/** Adds all staged rows to those that reports read, and empties the stage. */
enum accord_error store_rollups_publish(struct db *db);

/** Calls back with every row; texts are valid during the call only. */
typedef enum accord_error rollup_row_fn(void *context, const struct rollup_row *row);
typedef enum accord_error rollup_share_fn(void *context, const struct rollup_share *share);
enum accord_error store_rollups_each(struct db *db, rollup_row_fn *each, void *context);
enum accord_error store_rollup_shares_each(struct db *db, rollup_share_fn *each, void *context);

/** Calls back with the key of every staged row of the grain `period`. */
enum accord_error store_rollups_staged(struct db *db, rollup_row_fn *each, void *context);
/** Likewise with every staged share of that grain. */
enum accord_error store_rollup_shares_staged(struct db *db, rollup_share_fn *each, void *context);

#endif
