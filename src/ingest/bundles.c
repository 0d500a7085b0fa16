#include "ingest/bundles.h"

#include "accord/bundle.h"
#include "store/sales.h"

/* Spreads an amount of the whole over the lines; -1: every line has -1. */
static enum accord_error spread(int64_t total, const int64_t *paid, size_t count, int64_t *ret)
{
    if (total >= 0)
        return accord_spread(total, paid, count, ret);
    for (size_t i = 0; i < count; i++)
        ret[i] = -1;
    return ACCORD_OK;
}

static enum accord_error divide(struct arena *arena, const struct bundle_row *sale,
                                const struct bundle_offer *offer, int64_t *ret)
{
    struct accord_bundle_item *items = arena_array(arena, offer->count, sizeof *items);
    int64_t *weights = arena_array(arena, offer->count, sizeof *weights);
    if (items == NULL || weights == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < offer->count; i++)
        items[i].weight = offer->items[i].weight;
    enum accord_error error = accord_bundle_allocate(sale->paid, ACCORD_BUNDLE_WEIGHT, items,
                                                     offer->count, weights, ret, NULL);
    /* Offered for nothing without weights, and yet something was paid. */
    if (error == ACCORD_E_WEIGHTS_ZERO)
        error = accord_bundle_allocate(sale->paid, ACCORD_BUNDLE_EQUAL, items, offer->count,
                                       weights, ret, NULL);
    return error;
}

static enum accord_error lines_of(struct arena *arena, const struct bundle_row *sale,
                                  const struct bundle_offer *offer, struct accord_order *ret)
{
    const size_t count = offer->count == 0 ? 1 : offer->count;
    struct accord_line *lines = arena_array(arena, count, sizeof *lines);
    int64_t *paid = arena_array(arena, count, sizeof *paid);
    int64_t *parts = arena_array(arena, count, sizeof *parts);
    enum accord_error error = ACCORD_OK;
    if (lines == NULL || paid == NULL || parts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (offer->count == 0)
        paid[0] = sale->paid;
    else
        error = divide(arena, sale, offer, paid);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        lines[i] = (struct accord_line){
            .line_id = arena_printf(arena, "%zu", i),
            .provider = offer->count == 0 ? "" : offer->items[i].provider,
            .course_id = offer->count == 0 ? "" : offer->items[i].course_id,
            .quantity = 1,
            .paid = paid[i],
        };
        if (lines[i].line_id == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    if (error == ACCORD_OK)
        error = spread(sale->tax, paid, count, parts);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        lines[i].tax = parts[i];
    if (error == ACCORD_OK)
        error = spread(sale->store_fee, paid, count, parts);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        lines[i].store_fee = parts[i];
    if (error == ACCORD_OK)
        error = spread(sale->payment_fee, paid, count, parts);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        lines[i].payment_fee = parts[i];
    for (size_t f = 0; error == ACCORD_OK && f < ACCORD_FUNDERS; f++) {
        error = accord_spread(sale->discounts[f], paid, count, parts);
        for (size_t i = 0; error == ACCORD_OK && i < count; i++)
            lines[i].discounts[f] = parts[i];
    }
    if (error != ACCORD_OK)
        return error;
    ret->lines = lines;
    ret->line_count = count;
    return ACCORD_OK;
}

enum accord_error ingest_bundle_lines(struct db *db, struct arena *arena,
                                      const struct bundle_row *sales, size_t count,
                                      struct accord_order *ret)
{
    struct bundle_offer *offers = arena_array(arena, count + 1, sizeof *offers);
    if (offers == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        offers[i] = (struct bundle_offer){
            .channel = sales[i].channel, .offer = sales[i].offer, .at = sales[i].occurred_at};
    enum accord_error error = store_bundle_items(db, arena, offers, count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = lines_of(arena, &sales[i], &offers[i], &ret[i]);
    return error;
}

enum accord_error ingest_offer_changed(struct ingest_tx *tx, const char *channel, const char *offer,
                                       instant_us from)
{
    struct bundle_row *sales;
    size_t count;
    enum accord_error error =
        store_bundles_of(tx->db, tx->arena, channel, offer, from, &sales, &count);
    if (error != ACCORD_OK || count == 0)
        return error;
    struct accord_order *orders = arena_array(tx->arena, count, sizeof *orders);
    struct sale_row *rows = arena_array(tx->arena, count, sizeof *rows);
    int64_t *seqs = arena_array(tx->arena, count, sizeof *seqs);
    if (orders == NULL || rows == NULL || seqs == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    error = ingest_bundle_lines(tx->db, tx->arena, sales, count, orders);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        rows[i] = (struct sale_row){.seq = sales[i].seq, .order = &orders[i]};
        seqs[i] = sales[i].seq;
    }
    if (error == ACCORD_OK)
        error = store_sale_lines_replace(tx->db, rows, count);
    return error == ACCORD_OK ? ingest_sales_changed(tx, seqs, count) : error;
}
