/** What `accord verify` asks beside what everybody asks: row counts, single projections. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/feedback.h"

struct row_counts {
    int64_t facts;
    int64_t fact_keys;
    int64_t superseded;
    int64_t texts;
    int64_t orders;
    int64_t sales;
    int64_t sale_lines;
    int64_t refund_keys;
    int64_t refund_lines;
    int64_t rating_facts;
    int64_t ratings;
    int64_t reviews;
    int64_t unmatched;
    int64_t subject_keys;
    int64_t memberships;
    int64_t challenges;
    int64_t usage;
    int64_t touches;
    int64_t consents;
    int64_t adjustments;
    int64_t payments;
    int64_t payment_statements;
    int64_t bundles;
};
enum accord_error store_row_counts(struct db *db, struct row_counts *ret);

/** The typed row of a fact that gives stars, by rater and seq; value 0: there is none. */
enum accord_error store_rating_fact_find(struct db *db, struct arena *arena,
                                         struct rating_row *row);
/** The row of a review by course, time and seq; *ret_found false: there is none. */
enum accord_error store_review_find(struct db *db, struct arena *arena, struct review_row *row,
                                    bool *ret_found);

/** What a transaction posted, where it does not add up to zero. */
typedef enum accord_error posting_sum_fn(void *context, int64_t seq, const char *currency,
                                         int64_t sum);
enum accord_error store_postings_unbalanced(struct db *db, posting_sum_fn *each, void *context);
/** What postings of a kind with this reference come to in an account of a partner. */
enum accord_error store_posted(struct db *db, const char *kind, const char *reference,
                               const char *partner, const char *account, int64_t *ret);

#endif
