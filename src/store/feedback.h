/**
 * Feedback: facts that give stars as typed rows, the live rating of each learner, counts per course
 * and the list of reviews. Texts of results live in the arena given.
 */
#ifndef STORE_FEEDBACK_H
#define STORE_FEEDBACK_H

#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

enum { RATER_BYTES_MAX = 32 };

/** Who rates what. A learner has 16 bytes; a rating without one stands for itself, under a hash of
 *  its own key (32 bytes). */
struct rater {
    const char *provider;
    const char *course_id;
    uint8_t bytes[RATER_BYTES_MAX];
    size_t len;
};

/** Stars given by one fact. */
struct rating_row {
    struct rater rater;
    instant_us occurred_at;
    const char *partner;
    const char *event_id;
    int64_t seq;
    int64_t value; /**< 1..5; 0: there is none */
};

enum accord_error store_rating_facts_insert(struct db *db, const struct rating_row *rows,
                                            size_t count);
/** The live rating of each of `rows` by its rater; value 0 where there is none. */
enum accord_error store_ratings_live(struct db *db, struct arena *arena, struct rating_row *rows,
                                     size_t count);
/** The latest by (occurred_at, partner, event_id) of a rater's facts that are not superseded;
 *  value 0 where there is none. */
enum accord_error store_ratings_latest(struct db *db, struct arena *arena, struct rating_row *rows,
                                       size_t count);
/** Sets live ratings; value 0 removes one. */
enum accord_error store_ratings_set(struct db *db, const struct rating_row *rows, size_t count);

/** True when `a` is later than `b`: the order that decides which of two ratings is live. */
bool rating_is_later(const struct rating_row *a, const struct rating_row *b);

struct feedback_count {
    const char *provider;
    const char *course_id;
    const char *kind; /**< "rating.1" … "rating.5", a type of fact, or "usage.seconds" */
    int64_t total;
};
/** Adds to what stands. */
enum accord_error store_feedback_add(struct db *db, const struct feedback_count *rows,
                                     size_t count);
/** All counts of one course. */
enum accord_error store_feedback_of(struct db *db, struct arena *arena, const char *provider,
                                    const char *course_id, struct feedback_count **ret,
                                    size_t *ret_count);

struct review_row {
    const char *provider;
    const char *course_id;
    instant_us occurred_at;
    int64_t seq;
    const char *partner; /**< where it comes from */
    const char *event_id;
    int64_t value;        /**< stars; 0: none given */
    const char *language; /**< or "" */
    struct slice text;    /**< only read; data NULL: erased */
};
enum accord_error store_reviews_insert(struct db *db, const struct review_row *rows, size_t count);
enum accord_error store_reviews_delete(struct db *db, const struct review_row *rows, size_t count);
/** The latest reviews of a course, newest first, at most `limit`. */
enum accord_error store_reviews_of(struct db *db, struct arena *arena, const char *provider,
                                   const char *course_id, int64_t limit, struct review_row **ret,
                                   size_t *ret_count);

/* ---- for checking: every row, in order; texts are valid during the call only ---- */

typedef enum accord_error rating_row_fn(void *context, const struct rating_row *row);
/** Facts with stars, by rater; `live` true for what is not superseded. */
enum accord_error store_rating_facts_each(struct db *db, rating_row_fn *each, void *context);
enum accord_error store_ratings_each(struct db *db, rating_row_fn *each, void *context);
typedef enum accord_error feedback_count_fn(void *context, const struct feedback_count *row);
enum accord_error store_feedback_each(struct db *db, feedback_count_fn *each, void *context);
/** The row of one review by its fact; *ret_found false when there is none. */
typedef enum accord_error review_row_fn(void *context, const struct review_row *row);
enum accord_error store_reviews_each(struct db *db, review_row_fn *each, void *context);

#endif
