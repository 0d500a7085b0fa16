/* Facts: each against its hash and key, its typed rows against its body. */
#include <inttypes.h>
#include <string.h>

#include "ingest/bundles.h"
#include "ingest/facts_raw.h"
#include "ingest/facts_typed.h"
#include "ingest/feedback.h"
#include "ingest/verify_parts.h"
#include "store/sales.h"

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void fact_differs(struct verify *v, const char *table, const struct fact_row *row,
                         const char *what)
{
    verify_differs(v, table, "seq %" PRId64 " (%s %s): %s", row->seq, row->partner, row->event_id,
                   what);
}

static bool same_line(const struct accord_line *a, const struct accord_line *b)
{
    return strcmp(a->line_id, b->line_id) == 0 && strcmp(a->provider, b->provider) == 0 &&
           strcmp(a->course_id, b->course_id) == 0 && a->quantity == b->quantity &&
           a->paid == b->paid && a->tax == b->tax && a->store_fee == b->store_fee &&
           a->payment_fee == b->payment_fee &&
           memcmp(a->discounts, b->discounts, sizeof a->discounts) == 0;
}

static enum accord_error check_sale(struct verify *v, const struct fact_row *row,
                                    const struct fact *fact)
{
    struct stored_sale sale;
    struct order_name name;
    bool found;
    enum accord_error error = store_sale_of_fact(v->db, v->arena, row->seq, &sale, &name, &found);
    if (error == ACCORD_E_DATABASE_ERROR) {
        fact_differs(v, "sale_line", row, "lines are not numbered as they should be");
        return ACCORD_OK;
    }
    if (error != ACCORD_OK)
        return error;
    if (!found) {
        fact_differs(v, "sale", row, "the typed row is missing");
        return ACCORD_OK;
    }
    v->counts.sales++;
    v->counts.sale_lines += (int64_t)sale.line_count;
    const struct accord_order *order = fact->order;
    struct accord_order divided = *fact->order;
    if (fact->bundle != NULL) {
        struct bundle_row bundle = *fact->bundle;
        bool stands;
        bundle.seq = row->seq;
        error = store_bundle_stands(v->db, &bundle, &stands);
        if (error == ACCORD_OK && !stands)
            fact_differs(v, "bundle_sale", row, "the typed row says something else than the fact");
        if (error == ACCORD_OK)
            error = ingest_bundle_lines(v->db, v->arena, &bundle, 1, &divided);
        if (error != ACCORD_OK)
            return error;
        order = &divided;
        v->counts.bundles++;
    }
    if (strcmp(name.channel, row->partner) != 0 || strcmp(name.order_id, order->order_id) != 0 ||
        strcmp(sale.event_id, row->event_id) != 0 || sale.occurred_at != row->occurred_at ||
        !accord_currency_equal(sale.currency, order->currency))
        fact_differs(v, "sale", row, "the typed row says something else than the fact");
    bool same = sale.line_count == order->line_count;
    for (size_t i = 0; same && i < sale.line_count; i++)
        same = same_line(&sale.lines[i], &order->lines[i]);
    if (!same)
        fact_differs(v, "sale_line", row, "the typed rows say something else than the fact");
    int64_t first;
    error = store_orders_known(v->db, &name, 1, &first);
    if (error == ACCORD_OK &&
        (first == 0 || first > row->seq || (row->supersedes == 0 && first != row->seq)))
        fact_differs(v, "order_key", row, "the order's key names another fact");
    v->counts.orders += row->supersedes == 0;
    return error;
}

static enum accord_error check_refund(struct verify *v, const struct fact_row *row,
                                      const struct fact *fact)
{
    struct refund_row *rows;
    size_t count;
    enum accord_error error = store_refund_of_fact(v->db, v->arena, row->seq, &rows, &count);
    if (error != ACCORD_OK)
        return error;
    const bool reversal = fact->type == FACT_ORDER_CHARGEBACK_REVERSED;
    const enum refund_kind kind = reversal                            ? REFUND_REVERSAL
                                  : fact->type == FACT_ORDER_REFUNDED ? REFUND_PLAIN
                                                                      : REFUND_CHARGE_BACK;
    bool same = count == (reversal ? 1 : fact->row_count);
    for (size_t i = 0; same && i < count; i++) {
        static const struct accord_refund none = {.tax_returned = -1};
        const struct accord_refund *should = reversal ? &none : &fact->rows[i];
        same = rows[i].line == (int64_t)i && rows[i].kind == kind &&
               strcmp(rows[i].channel, row->partner) == 0 &&
               strcmp(rows[i].order_id, fact->order_id) == 0 &&
               strcmp(rows[i].refund_id, fact->refund_id) == 0 &&
               strcmp(rows[i].event_id, row->event_id) == 0 &&
               rows[i].occurred_at == row->occurred_at &&
               same_text(rows[i].line_id, should->line_id) && rows[i].amount == should->amount &&
               rows[i].tax_returned == should->tax_returned &&
               rows[i].fee_returned == should->fee_returned;
    }
    if (!same)
        fact_differs(v, "refund_line", row, "the typed rows say something else than the fact");
    v->counts.refund_lines += (int64_t)count;
    if (row->supersedes == 0) {
        const struct refund_name name = {row->partner, fact->order_id, fact->refund_id, reversal,
                                         0};
        int64_t first;
        error = store_refunds_known(v->db, &name, 1, &first);
        if (error == ACCORD_OK && first != row->seq)
            fact_differs(v, "refund_key", row, "the refund's key names another fact");
        v->counts.refund_keys++;
    }
    return error;
}

static enum accord_error count_kind(void *context, const char *kind, int64_t amount)
{
    void *const *both = context;
    struct verify *v = both[0];
    const struct fact_row *row = both[1];
    return rollup_batch_feedback(v->expected, row->provider, row->course_id, kind, amount);
}

static enum accord_error check_review(struct verify *v, const struct fact_row *row,
                                      const struct fact *fact)
{
    struct review_row review = {.provider = row->provider,
                                .course_id = row->course_id,
                                .occurred_at = row->occurred_at,
                                .seq = row->seq};
    bool found;
    const enum accord_error error = store_review_find(v->db, v->arena, &review, &found);
    if (error != ACCORD_OK)
        return error;
    if (!found || review.value != row->measure || strcmp(review.partner, row->partner) != 0 ||
        strcmp(review.event_id, row->event_id) != 0 || strcmp(review.language, fact->language) != 0)
        fact_differs(v, "review", row, "the review's row is missing or says something else");
    v->counts.reviews++;
    return ACCORD_OK;
}

static enum accord_error check_feedback(struct verify *v, const struct fact_row *row,
                                        const struct fact *fact)
{
    enum accord_error error = ACCORD_OK;
    if (feedback_is_rating(fact->type, row->measure)) {
        struct rating_row rating = {
            .rater = feedback_rater(row->provider, row->course_id, row->has_learner, row->learner,
                                    row->partner, row->event_id),
            .seq = row->seq,
        };
        error = store_rating_fact_find(v->db, v->arena, &rating);
        if (error == ACCORD_OK &&
            (rating.value != row->measure || rating.occurred_at != row->occurred_at ||
             strcmp(rating.partner, row->partner) != 0 ||
             strcmp(rating.event_id, row->event_id) != 0))
            fact_differs(v, "rating_fact", row, "the typed row says something else than the fact");
        v->counts.rating_facts++;
    }
    if (error != ACCORD_OK || row->superseded_by != NULL)
        return error;
    const void *both[] = {v, row};
    error = feedback_kinds(fact->type, row->measure, count_kind, (void *)both);
    if (error == ACCORD_OK && fact->type == FACT_REVIEW)
        error = check_review(v, row, fact);
    return error;
}

/* The hash that the body names is that of the text, as long as the text is there. */
static void check_text(struct verify *v, const struct fact_row *row, const struct fact *fact)
{
    v->counts.texts += row->text.data != NULL;
    if (row->text.data == NULL)
        return;
    char hex[HASH_HEX_MAX];
    const struct hash hash = hash_keyed(row->salt, row->text);
    hash_hex(&hash, hex);
    if (!slice_equal(fact->raw->text_hash, slice_of(hex)))
        fact_differs(v, "fact_text", row, "the text is not the one that the fact was posted with");
}

static int64_t *count_of(struct verify *v, size_t table)
{
    int64_t *const counts[FACT_TABLES] = {
        &v->counts.memberships, &v->counts.challenges,  &v->counts.usage,    &v->counts.touches,
        &v->counts.consents,    &v->counts.adjustments, &v->counts.payments,
    };
    return counts[table];
}

/* The typed row beside a body that is no order's, and the id that the fact took. */
static enum accord_error check_typed(struct verify *v, const struct fact_row *row,
                                     const struct fact *fact)
{
    const size_t at = fact_table_of(fact);
    enum accord_error error = ACCORD_OK;
    if (at < FACT_TABLES) {
        const struct fact_table *table = &fact_tables[at];
        void *should = arena_alloc(v->arena, table->row_size);
        if (should == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        table->row_of(fact, row, should);
        bool stands;
        error = table->stands(v->db, should, &stands);
        if (error == ACCORD_OK && !stands)
            fact_differs(v, table->name, row, "the typed row is missing or says something else");
        (*count_of(v, at))++;
        if (fact->type == FACT_PAYMENT)
            v->counts.payment_statements += (int64_t)fact->raw->statements.count;
    }
    struct subject_name name;
    if (error != ACCORD_OK || row->supersedes != 0 || !fact_subject_name(fact, row->partner, &name))
        return error;
    int64_t first;
    error = store_subjects_known(v->db, &name, 1, &first);
    if (error == ACCORD_OK && first != row->seq)
        fact_differs(v, "subject_key", row, "the key of its id names another fact");
    v->counts.subject_keys++;
    return error;
}

static enum accord_error check_fact(void *context, const struct fact_row *row)
{
    struct verify *v = context;
    arena_reset(v->arena);
    v->summary.facts++;
    v->counts.facts++;
    v->counts.fact_keys++;
    v->counts.superseded += row->supersedes != 0;
    const struct hash hash = fact_hash(row);
    if (!hash_equal(&hash, &row->body_hash))
        fact_differs(v, "fact", row, "what is stored does not give its hash");
    if (!hash_equal(&row->key_hash, &row->body_hash))
        fact_differs(v, "fact_key", row, "the key is missing or has another hash");
    if (row->superseded_by != NULL && row->superseded_seq != row->seq)
        fact_differs(v, "fact_superseded", row, "it is superseded by a fact that names another");

    struct fact fact;
    enum accord_error error = fact_reread(v->arena, row, &fact);
    if (error != ACCORD_OK)
        return error;
    if (fact.error != ACCORD_OK) {
        fact_differs(v, "fact", row, "its body cannot be read");
        return ACCORD_OK;
    }
    if (fact.measure != row->measure || (fact.supersedes != NULL) != (row->supersedes != 0))
        fact_differs(v, "fact", row, "its columns say something else than its body");
    check_text(v, row, &fact);
    error = check_typed(v, row, &fact);
    if (error != ACCORD_OK)
        return error;
    switch (fact_class_of(fact.type)) {
    case FACT_CLASS_ORDER:
        return fact.type == FACT_ORDER_PAID ? check_sale(v, row, &fact)
                                            : check_refund(v, row, &fact);
    case FACT_CLASS_FEEDBACK:
    case FACT_CLASS_REACH:
    case FACT_CLASS_USAGE:
        return check_feedback(v, row, &fact);
    case FACT_CLASS_MEMBERSHIP:
    case FACT_CLASS_CHALLENGE:
    case FACT_CLASS_CONSENT:
    case FACT_CLASS_OPERATOR:
    case FACT_CLASS_VOID:
    case FACT_CLASS_ALL:
        break;
    }
    return ACCORD_OK;
}

struct walk {
    struct verify *v;
    int64_t last;
};

static enum accord_error step(void *context, const struct fact_row *row)
{
    struct walk *walk = context;
    walk->last = row->seq;
    return check_fact(walk->v, row);
}

enum accord_error verify_facts(struct verify *v)
{
    enum { AT_ONCE = 1000 };
    struct walk walk = {v, 0};
    int64_t head;
    enum accord_error error = store_journal_head(v->db, &head);
    for (int64_t from = -1; error == ACCORD_OK && walk.last != from;) {
        from = walk.last;
        error = store_facts_each(v->db, from, AT_ONCE, step, &walk);
    }
    if (error == ACCORD_OK && walk.last > head)
        verify_differs(v, "journal_head", "%" PRId64 " lies behind fact %" PRId64, head, walk.last);
    return error;
}
