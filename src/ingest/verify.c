#include "ingest/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ingest/feedback.h"
#include "ingest/verify_parts.h"
#include "store/facts.h"

enum { ARENA_BYTES_MAX = 1 << 30 };

void verify_differs(struct verify *v, const char *table, const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    v->summary.differences++;
    if (v->report != NULL)
        v->report(v->context, table, what);
}

/* ---- rollups ---- */

static void key_differs(struct verify *v, const char *table, const struct rollup_key *key,
                        const char *what, int64_t stands, int64_t should)
{
    verify_differs(v, table,
                   "%s/%" PRId64 " %s day %" PRId64 " %s %s/%s/%s %s %s%s%s%s: %s is %" PRId64
                   ", should be %" PRId64,
                   *key->agreement == '\0' ? "-" : key->agreement, key->version, key->grain,
                   key->day, *key->held == '\0' ? "settled" : key->held, key->channel,
                   key->provider, key->course_id, key->currency, key->sale_currency,
                   key->payee == NULL ? "" : " ", key->payee == NULL ? "" : key->payee,
                   key->staged ? " (staged)" : "", what, stands, should);
}

static void numbers_differ(struct verify *v, const struct rollup_key *key, const int64_t *stands,
                           const int64_t *should)
{
    static const char *const names[ENTRY_NUMBERS] = {
        "line_count", "quantity",    "gross",           "refunded",        "tax",
        "store_fee",  "payment_fee", "admin_fee",       "net_sale",        "net",
        "added_back", "base",        "lines_qualified", "units_qualified",
    };
    for (size_t i = 0; i < ENTRY_NUMBERS; i++)
        if (stands[i] != should[i])
            key_differs(v, "rollup", key, names[i], stands[i], should[i]);
}

static const int64_t zeros[ENTRY_NUMBERS];

static enum accord_error compare_row(void *context, const struct rollup_row *row)
{
    struct verify *v = context;
    const int64_t *should = rollup_batch_numbers(v->expected, &row->key);
    v->summary.rollups++;
    numbers_differ(v, &row->key, row->numbers, should == NULL ? zeros : should);
    return ACCORD_OK;
}

static enum accord_error compare_share(void *context, const struct rollup_share *share)
{
    struct verify *v = context;
    const int64_t *should = rollup_batch_amount(v->expected, &share->key);
    v->summary.rollups++;
    if (share->amount != (should == NULL ? 0 : *should))
        key_differs(v, "rollup_share", &share->key, "amount", share->amount,
                    should == NULL ? 0 : *should);
    return ACCORD_OK;
}

static void count_differs(struct verify *v, const struct feedback_count *count, int64_t stands,
                          int64_t should)
{
    verify_differs(v, "feedback_rollup", "%s/%s %s is %" PRId64 ", should be %" PRId64,
                   count->provider, count->course_id, count->kind, stands, should);
}

static enum accord_error compare_count(void *context, const struct feedback_count *count)
{
    struct verify *v = context;
    const int64_t *should =
        rollup_batch_total(v->expected, count->provider, count->course_id, count->kind);
    if (count->total != (should == NULL ? 0 : *should))
        count_differs(v, count, count->total, should == NULL ? 0 : *should);
    return ACCORD_OK;
}

static enum accord_error missing_row(void *context, const struct rollup_row *row)
{
    numbers_differ(context, &row->key, zeros, row->numbers);
    return ACCORD_OK;
}

static enum accord_error missing_share(void *context, const struct rollup_share *share)
{
    key_differs(context, "rollup_share", &share->key, "amount", 0, share->amount);
    return ACCORD_OK;
}

static enum accord_error missing_count(void *context, const struct feedback_count *count)
{
    count_differs(context, count, 0, count->total);
    return ACCORD_OK;
}

static enum accord_error verify_rollups(struct verify *v)
{
    enum accord_error error = store_rollups_each(v->db, compare_row, v);
    if (error == ACCORD_OK)
        error = store_rollup_shares_each(v->db, compare_share, v);
    if (error == ACCORD_OK)
        error = store_feedback_each(v->db, compare_count, v);
    if (error == ACCORD_OK)
        error = rollup_batch_unseen(v->expected, missing_row, missing_share, missing_count, v);
    return error;
}

/* ---- ratings: the latest of each rater's facts is live ---- */

enum { RATINGS_AT_ONCE = 500 };

struct ratings {
    struct verify *v;
    struct arena *arena; /* of what waits to be compared */
    struct rating_row waiting[RATINGS_AT_ONCE];
    size_t count;
    struct rating_row latest; /* of the rater at hand; value 0: none yet */
};

static enum accord_error compare_ratings(struct ratings *r)
{
    struct verify *v = r->v;
    struct rating_row live[RATINGS_AT_ONCE];
    memcpy(live, r->waiting, sizeof live);
    enum accord_error error = store_ratings_live(v->db, r->arena, live, r->count);
    for (size_t i = 0; error == ACCORD_OK && i < r->count; i++) {
        const struct rating_row *should = &r->waiting[i];
        if (live[i].seq != should->seq || live[i].value != should->value ||
            live[i].occurred_at != should->occurred_at ||
            (live[i].value != 0 && (strcmp(live[i].partner, should->partner) != 0 ||
                                    strcmp(live[i].event_id, should->event_id) != 0)))
            verify_differs(v, "rating", "%s/%s: %s %s with %" PRId64 " should be live",
                           should->rater.provider, should->rater.course_id, should->partner,
                           should->event_id, should->value);
        error = rollup_batch_feedback(v->expected, should->rater.provider, should->rater.course_id,
                                      feedback_stars(should->value), 1);
    }
    v->counts.ratings += (int64_t)r->count;
    r->count = 0;
    return error;
}

static enum accord_error end_of_rater(struct ratings *r)
{
    if (r->latest.value == 0)
        return ACCORD_OK;
    r->waiting[r->count++] = r->latest;
    r->latest.value = 0;
    if (r->count < RATINGS_AT_ONCE)
        return ACCORD_OK;
    const enum accord_error error = compare_ratings(r);
    arena_reset(r->arena);
    return error;
}

static enum accord_error take_rating(void *context, const struct rating_row *row)
{
    struct ratings *r = context;
    const struct rater *rater = &row->rater;
    const bool same = r->latest.value != 0 && rater->len == r->latest.rater.len &&
                      memcmp(rater->bytes, r->latest.rater.bytes, rater->len) == 0 &&
                      strcmp(rater->provider, r->latest.rater.provider) == 0 &&
                      strcmp(rater->course_id, r->latest.rater.course_id) == 0;
    enum accord_error error = same ? ACCORD_OK : end_of_rater(r);
    if (error != ACCORD_OK || (same && !rating_is_later(row, &r->latest)))
        return error;
    r->latest = *row;
    r->latest.rater.provider = arena_strdup(r->arena, slice_of(rater->provider));
    r->latest.rater.course_id = arena_strdup(r->arena, slice_of(rater->course_id));
    r->latest.partner = arena_strdup(r->arena, slice_of(row->partner));
    r->latest.event_id = arena_strdup(r->arena, slice_of(row->event_id));
    return r->latest.rater.provider == NULL || r->latest.rater.course_id == NULL ||
                   r->latest.partner == NULL || r->latest.event_id == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

enum accord_error verify_ratings(struct verify *v)
{
    struct ratings *r = arena_alloc(v->arena, sizeof *r);
    if (r == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    r->v = v;
    r->arena = arena_new(ARENA_BYTES_MAX);
    if (r->arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = store_rating_facts_each(v->db, take_rating, r);
    if (error == ACCORD_OK)
        error = end_of_rater(r);
    if (error == ACCORD_OK && r->count > 0)
        error = compare_ratings(r);
    arena_free(r->arena);
    v->summary.ratings = v->counts.ratings;
    return error;
}

/* ---- all of it ---- */

/* A row that nothing accounts for shows in the count of its table. */
static enum accord_error verify_counts(struct verify *v)
{
    struct row_counts stand;
    const enum accord_error error = store_row_counts(v->db, &stand);
    if (error != ACCORD_OK)
        return error;
    const struct row_counts *should = &v->counts;
    const struct {
        const char *table;
        int64_t stands;
        int64_t should;
    } all[] = {
        {"fact", stand.facts, should->facts},
        {"fact_key", stand.fact_keys, should->fact_keys},
        {"fact_superseded", stand.superseded, should->superseded},
        {"fact_text", stand.texts, should->texts},
        {"order_key", stand.orders, should->orders},
        {"sale", stand.sales, should->sales},
        {"sale_line", stand.sale_lines, should->sale_lines},
        {"refund_key", stand.refund_keys, should->refund_keys},
        {"refund_line", stand.refund_lines, should->refund_lines},
        {"rating_fact", stand.rating_facts, should->rating_facts},
        {"rating", stand.ratings, should->ratings},
        {"review", stand.reviews, should->reviews},
        {"unmatched_line", stand.unmatched, should->unmatched},
        {"subject_key", stand.subject_keys, should->subject_keys},
        {"membership_term", stand.memberships, should->memberships},
        {"challenge_fact", stand.challenges, should->challenges},
        {"usage_fact", stand.usage, should->usage},
        {"touch_fact", stand.touches, should->touches},
        {"consent_fact", stand.consents, should->consents},
        {"adjustment_fact", stand.adjustments, should->adjustments},
        {"payment_fact", stand.payments, should->payments},
        {"payment_statement", stand.payment_statements, should->payment_statements},
        {"bundle_sale", stand.bundles, should->bundles},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].stands != all[i].should)
            verify_differs(v, all[i].table, "%" PRId64 " rows, should be %" PRId64, all[i].stands,
                           all[i].should);
    return ACCORD_OK;
}

static enum accord_error verify_snapshot(struct verify *v)
{
    static enum accord_error (*const steps[])(struct verify *) = {
        verify_facts,   verify_orders,  verify_memberships, verify_challenges, verify_strays,
        verify_ratings, verify_rollups, verify_counts,      verify_pools,      verify_periods};
    struct arena *pools = arena_new(ARENA_BYTES_MAX);
    v->pools = pools == NULL ? NULL : pool_book_new(v->db, pools);
    enum accord_error error =
        v->pools == NULL ? ACCORD_E_OUT_OF_MEMORY : agreement_book_load(v->db, &v->book);
    if (error == ACCORD_OK)
        error = rate_book_new(&v->rates);
    if (error == ACCORD_OK)
        error = rate_book_enter(v->rates, v->db);
    if (error == ACCORD_OK)
        error = store_resettle_head(v->db, &v->head);
    if (error == ACCORD_OK)
        error = verify_closings_load(v);
    for (size_t i = 0; error == ACCORD_OK && i < sizeof steps / sizeof *steps; i++) {
        arena_reset(v->arena);
        error = steps[i](v);
    }
    rate_book_free(v->rates);
    verify_closings_free(v);
    agreement_book_free(v->book);
    arena_free(pools);
    return error;
}

enum accord_error ingest_verify(struct db *db, verify_report_fn *report, void *context,
                                struct verify_summary *ret)
{
    struct verify verify = {.db = db, .report = report, .context = context};
    const bool own = !db_in_transaction(db);
    verify.arena = arena_new(ARENA_BYTES_MAX);
    verify.expected = rollup_batch_new();
    enum accord_error error =
        verify.arena == NULL || verify.expected == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    if (error == ACCORD_OK && own)
        error = db_begin(db);
    if (error == ACCORD_OK) {
        error = verify_snapshot(&verify);
        if (own)
            db_rollback(db);
    }
    rollup_batch_free(verify.expected);
    arena_free(verify.arena);
    if (error == ACCORD_OK)
        *ret = verify.summary;
    return error;
}
