/**
 * Windows in the store: the sums that they are settled on, the lines that they came to, and the
 * distinct learners of each month. Texts of results live in the arena given.
 */
#ifndef STORE_WINDOWS_H
#define STORE_WINDOWS_H

#include "accord/window.h"
#include "base/arena.h"
#include "store/learners.h"
#include "store/store.h"

/* ---- sums ---- */

/** Visible, settled numbers of a version in a month. */
struct window_month {
    int64_t version;
    int64_t day; /**< first of the month */
    int64_t net;
    int64_t base;
    int64_t lines; /**< that qualify */
    int64_t units;
};
/** Likewise, of one payee; ACCORD_PAYEE_WINDOW for what was left open. */
struct window_month_share {
    int64_t version;
    int64_t day;
    const char *payee;
    int64_t amount;
};
/** Of versions of an agreement, in months before `to_day`, by the order of `versions` and day. */
enum accord_error store_window_months(struct db *db, struct arena *arena, const char *agreement,
                                      const int64_t *versions, size_t count, int64_t to_day,
                                      struct window_month **ret, size_t *ret_count);
enum accord_error store_window_shares(struct db *db, struct arena *arena, const char *agreement,
                                      const int64_t *versions, size_t count, int64_t to_day,
                                      struct window_month_share **ret, size_t *ret_count);

/** What payees get of sales of days in [from_day, to_day), by version and payee. */
enum accord_error store_window_recent(struct db *db, struct arena *arena, const char *agreement,
                                      const int64_t *versions, size_t count, int64_t from_day,
                                      int64_t to_day, struct window_month_share **ret,
                                      size_t *ret_count);

/** What is held under versions of an agreement, of days before `to_day`. */
struct window_held {
    const char *reason;
    int64_t lines;
    int64_t gross;        /**< less what was refunded of it */
    const char *currency; /**< of the sales */
};
enum accord_error store_window_held(struct db *db, struct arena *arena, const char *agreement,
                                    const int64_t *versions, size_t count, int64_t to_day,
                                    struct window_held **ret, size_t *ret_count);

/* ---- lines ---- */

struct window_row {
    const char *agreement;
    int64_t booked; /**< first day of the period that it was posted in */
    int64_t number; /**< 0, 1, 2 … of that period */
    int64_t day;    /**< first day of the period that it is about */
    int64_t version;
    int64_t term; /**< index of the term */
    const char *kind;
    const char *payee;
    int64_t amount;
};
enum accord_error store_window_lines_insert(struct db *db, const struct window_row *rows,
                                            size_t count);
/** Those posted in one period, by number. */
enum accord_error store_window_lines(struct db *db, struct arena *arena, const char *agreement,
                                     int64_t booked, struct window_row **ret, size_t *ret_count);
/** What was posted in periods before `booked`: sums by (day, version, term, kind, payee), in that
 *  order, without those that are zero. */
enum accord_error store_window_posted(struct db *db, struct arena *arena, const char *agreement,
                                      int64_t booked, struct window_row **ret, size_t *ret_count);

/* ---- learners ---- */

struct window_learner_row {
    const char *agreement;
    int64_t day; /**< first of the month */
    int64_t version;
    uint8_t learner[LEARNER_BYTES];
    int64_t line_count; /**< that qualify; as a change, signed */
};
/** Adds to what stands; counts that come to zero leave their rows behind, and do not count. */
enum accord_error store_window_learners_add(struct db *db, const struct window_learner_row *rows,
                                            size_t count);
/** Learners of sales; ret_known[i] is false where the sale names none. */
enum accord_error store_sale_learners(struct db *db, const int64_t *seqs, size_t count,
                                      uint8_t (*ret)[LEARNER_BYTES], bool *ret_known);
/** Calls back with every row; texts are valid during the call only. */
typedef enum accord_error window_learner_fn(void *context, const struct window_learner_row *row);
enum accord_error store_window_learners_each(struct db *db, window_learner_fn *each, void *context);
/** How many learners have a qualifying line of a version in days [from, to), and none of it or
 *  another version in [since, from), and none of an earlier version in [from, to). */
struct window_learners_ask {
    const char *agreement;
    int64_t version;
    int64_t since;
    int64_t from;
    int64_t to;
};
enum accord_error store_window_new_learners(struct db *db, const struct window_learners_ask *asks,
                                            size_t count, int64_t *ret);

#endif
