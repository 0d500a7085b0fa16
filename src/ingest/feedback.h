/** Feedback, reach and usage facts: counts per course, live ratings, reviews. */
#ifndef INGEST_FEEDBACK_H
#define INGEST_FEEDBACK_H

#include "ingest/facts.h"
#include "store/feedback.h"

/** A fact that is new, or one that was just superseded or voided. */
struct feedback_item {
    int sign; /**< 1: new; -1: taken back */
    enum fact_type type;
    const char *partner;
    const char *event_id;
    int64_t seq;
    instant_us occurred_at;
    const char *provider;
    const char *course_id;
    bool has_learner;
    uint8_t learner[LEARNER_BYTES];
    int64_t measure;
    const char *language; /**< of a new review */
};

/** Applies items of any type (those of money are passed over) whose facts are in the journal. */
enum accord_error ingest_feedback(struct ingest_tx *tx, const struct feedback_item *items,
                                  size_t count);

/** What a fact adds to the counts of its course: calls back with (kind, amount). */
typedef enum accord_error feedback_kind_fn(void *context, const char *kind, int64_t amount);
enum accord_error feedback_kinds(enum fact_type type, int64_t measure, feedback_kind_fn *each,
                                 void *context);
/** True for facts that give stars. */
bool feedback_is_rating(enum fact_type type, int64_t measure);
/** Who the rater of a fact is. */
struct rater feedback_rater(const char *provider, const char *course_id, bool has_learner,
                            const uint8_t learner[LEARNER_BYTES], const char *partner,
                            const char *event_id);
/** "rating.1" … "rating.5" */
const char *feedback_stars(int64_t value);

#endif
