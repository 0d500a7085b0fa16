#include "store/check.h"

DB_SQL(sql_counts, "SELECT "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM fact), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM fact_key), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM fact_superseded), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM fact_text), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM order_key), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM sale), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM sale_line), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM refund_key), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM refund_line), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM rating_fact), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM rating), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM review), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM unmatched_line), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM subject_key), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM membership_term), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM challenge_fact), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM usage_fact), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM touch_fact), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM consent_fact), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM adjustment_fact), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM payment_fact), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM payment_statement), "
                   "(SELECT CAST(COUNT(*) AS BIGINT) FROM bundle_sale)");

static enum accord_error take_counts(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(struct row_counts *)context = (struct row_counts){
        .facts = db_get_int(row, 0),
        .fact_keys = db_get_int(row, 1),
        .superseded = db_get_int(row, 2),
        .texts = db_get_int(row, 3),
        .orders = db_get_int(row, 4),
        .sales = db_get_int(row, 5),
        .sale_lines = db_get_int(row, 6),
        .refund_keys = db_get_int(row, 7),
        .refund_lines = db_get_int(row, 8),
        .rating_facts = db_get_int(row, 9),
        .ratings = db_get_int(row, 10),
        .reviews = db_get_int(row, 11),
        .unmatched = db_get_int(row, 12),
        .subject_keys = db_get_int(row, 13),
        .memberships = db_get_int(row, 14),
        .challenges = db_get_int(row, 15),
        .usage = db_get_int(row, 16),
        .touches = db_get_int(row, 17),
        .consents = db_get_int(row, 18),
        .adjustments = db_get_int(row, 19),
        .payments = db_get_int(row, 20),
        .payment_statements = db_get_int(row, 21),
        .bundles = db_get_int(row, 22),
    };
    return ACCORD_OK;
}

enum accord_error store_row_counts(struct db *db, struct row_counts *ret)
{
    return db_query(db, &sql_counts, NULL, 0, 1, take_counts, ret);
}

DB_SQL(sql_rating_fact, "SELECT occurred_at, partner, event_id, value FROM rating_fact "
                        "WHERE provider = $1 AND course_id = $2 AND rater = $3 AND seq = $4");
DB_SQL(sql_review, "SELECT partner, event_id, value, language FROM review "
                   "WHERE provider = $1 AND course_id = $2 AND occurred_at = $3 AND seq = $4");

struct finding {
    struct arena *arena;
    struct rating_row *rating;
    struct review_row *review;
    bool found;
};

static enum accord_error take_rating(void *context, size_t param_row, const struct db_row *row)
{
    struct finding *finding = context;
    (void)param_row;
    finding->rating->occurred_at = db_get_int(row, 0);
    finding->rating->partner = arena_strdup(finding->arena, db_get_text(row, 1));
    finding->rating->event_id = arena_strdup(finding->arena, db_get_text(row, 2));
    finding->rating->value = db_get_int(row, 3);
    return finding->rating->partner == NULL || finding->rating->event_id == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

enum accord_error store_rating_fact_find(struct db *db, struct arena *arena, struct rating_row *row)
{
    struct finding finding = {.arena = arena, .rating = row};
    const struct db_value params[] = {db_str(row->rater.provider), db_str(row->rater.course_id),
                                      db_bytes(row->rater.bytes, row->rater.len), db_int(row->seq)};
    row->value = 0;
    return db_query(db, &sql_rating_fact, params, 4, 1, take_rating, &finding);
}

static enum accord_error take_review(void *context, size_t param_row, const struct db_row *row)
{
    struct finding *finding = context;
    (void)param_row;
    finding->review->partner = arena_strdup(finding->arena, db_get_text(row, 0));
    finding->review->event_id = arena_strdup(finding->arena, db_get_text(row, 1));
    finding->review->value = db_get_int(row, 2);
    finding->review->language = arena_strdup(finding->arena, db_get_text(row, 3));
    finding->found = true;
    return finding->review->partner == NULL || finding->review->event_id == NULL ||
                   finding->review->language == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

enum accord_error store_review_find(struct db *db, struct arena *arena, struct review_row *row,
                                    bool *ret_found)
{
    struct finding finding = {.arena = arena, .review = row};
    const struct db_value params[] = {db_str(row->provider), db_str(row->course_id),
                                      db_int(row->occurred_at), db_int(row->seq)};
    const enum accord_error error = db_query(db, &sql_review, params, 4, 1, take_review, &finding);
    if (error == ACCORD_OK)
        *ret_found = finding.found;
    return error;
}

/* ---- postings ---- */

DB_SQL(sql_unbalanced,
       "SELECT seq, currency, CAST(SUM(amount) AS BIGINT) FROM posting "
       "GROUP BY seq, currency HAVING CAST(SUM(amount) AS BIGINT) <> 0 ORDER BY seq, currency");
DB_SQL(sql_posted, "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM posting "
                   "WHERE reference = $2 AND kind = $1 AND partner = $3 AND account = $4");

struct sums {
    posting_sum_fn *each;
    void *context;
};

static enum accord_error take_sum(void *context, size_t param_row, const struct db_row *row)
{
    const struct sums *sums = context;
    char currency[16];
    const struct slice text = db_get_text(row, 1);
    (void)param_row;
    if (text.len >= sizeof currency)
        return ACCORD_E_DATABASE_ERROR;
    memcpy(currency, text.data, text.len);
    currency[text.len] = '\0';
    return sums->each(sums->context, db_get_int(row, 0), currency, db_get_int(row, 2));
}

enum accord_error store_postings_unbalanced(struct db *db, posting_sum_fn *each, void *context)
{
    struct sums sums = {each, context};
    return db_query(db, &sql_unbalanced, NULL, 0, 1, take_sum, &sums);
}

static enum accord_error take_posted(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

enum accord_error store_posted(struct db *db, const char *kind, const char *reference,
                               const char *partner, const char *account, int64_t *ret)
{
    const struct db_value params[] = {db_str(kind), db_str(reference), db_str(partner),
                                      db_str(account)};
    return db_query(db, &sql_posted, params, 4, 1, take_posted, ret);
}
