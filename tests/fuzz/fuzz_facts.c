/* Whatever the bytes: a batch is refused as a whole or has a verdict for each item; what is
 * accepted has a canonical body, from which the same typed rows can be read again. */
#include <stdlib.h>
#include <string.h>

#include "ingest/facts_typed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static int64_t sum_of(const struct accord_order *order)
{
    int64_t sum = 0;
    for (size_t i = 0; i < order->line_count; i++) {
        const struct accord_line *line = &order->lines[i];
        must(line->paid >= 0 && line->quantity >= 1 && line->tax >= -1);
        must(line->store_fee >= -1 && line->payment_fee >= -1);
        for (size_t funder = 0; funder < ACCORD_FUNDERS; funder++)
            must(line->discounts[funder] >= 0 && line->discounts[funder] <= ACCORD_AMOUNT_MAX);
        sum += line->paid;
    }
    return sum;
}

static void check_order(const struct accord_order *a, const struct accord_order *b)
{
    must(a->line_count == b->line_count && a->line_count >= 1);
    must(sum_of(a) <= ACCORD_AMOUNT_MAX && sum_of(a) == sum_of(b));
    for (size_t i = 0; i < a->line_count; i++) {
        const struct accord_line *x = &a->lines[i];
        const struct accord_line *y = &b->lines[i];
        must(strcmp(x->line_id, y->line_id) == 0 && strcmp(x->provider, y->provider) == 0);
        must(x->tax == y->tax && x->store_fee == y->store_fee);
        must(x->payment_fee == y->payment_fee);
        must(memcmp(x->discounts, y->discounts, sizeof x->discounts) == 0);
    }
}

static void check_fact(struct arena *arena, const struct fact *fact)
{
    struct slice canonical;
    must(json_canonical(arena, fact->body, &canonical) == ACCORD_OK);
    must(slice_equal(canonical, fact->body));
    struct fact_row row = {
        .partner = "c1",
        .event_id = fact->event_id,
        .type = fact_type_name(fact->type),
        .occurred_at = fact->occurred_at,
        .has_learner = fact->has_learner,
        .provider = fact->provider,
        .course_id = fact->course_id,
        .measure = fact->measure,
        .body = fact->body,
        .text = fact->text,
    };
    struct fact again;
    must(fact_reread(arena, &row, &again) == ACCORD_OK);
    must(again.error == ACCORD_OK && again.type == fact->type);
    must(again.measure == fact->measure && again.row_count == fact->row_count);
    for (size_t i = 0; i < fact->row_count; i++)
        must(fact->rows[i].amount >= 1 && again.rows[i].amount == fact->rows[i].amount &&
             again.rows[i].tax_returned == fact->rows[i].tax_returned &&
             again.rows[i].fee_returned == fact->rows[i].fee_returned);
    /* Typed rows are made of the raw fields, and all of them come back. */
    must(fact_table_of(&again) == fact_table_of(fact));
    again.text = fact->text;
    must(slice_equal(fact_body(arena, &again, fact->salt), fact->body));
    must((fact->subject_id == NULL) == (again.subject_id == NULL) &&
         (fact->subject_part == NULL) == (again.subject_part == NULL));
    must(fact->subject_id == NULL || strcmp(fact->subject_id, again.subject_id) == 0);
    must(fact->subject_part == NULL || strcmp(fact->subject_part, again.subject_part) == 0);
    must((fact->order != NULL) == (again.order != NULL));
    if (fact->order != NULL)
        check_order(fact->order, again.order);
    must(json_canonical(arena, fact_body_with_text(arena, &row), &canonical) == ACCORD_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32] = {7};
    const struct slice text = {(const char *)data, size};
    for (int shape = FACT_SHAPE_ARRAY; shape <= FACT_SHAPE_NDJSON; shape++) {
        struct arena *arena = arena_new((size_t)64 << 20);
        struct fact_batch batch = {.partner = "c1", .posted_by = ""};
        const char *why;
        must(arena != NULL);
        if (facts_decode(arena, text, (enum fact_shape)shape, FACT_CLASS_ALL,
                         INT64_C(1800000000000000), key, &batch, &why) == ACCORD_OK) {
            must(batch.count >= 1 && batch.count <= FACTS_ITEMS_MAX);
            for (size_t i = 0; i < batch.count; i++) {
                must(batch.facts[i].error == ACCORD_OK || batch.facts[i].pointer != NULL);
                if (batch.facts[i].error == ACCORD_OK)
                    check_fact(arena, &batch.facts[i]);
            }
        }
        arena_free(arena);
    }
    return 0;
}
