/**
 * From what the journal holds of an order to what its entries should add up to: the one way to
 * settle that posting and verify share. Reads typed rows only; no database.
 */
#ifndef INGEST_SETTLED_H
#define INGEST_SETTLED_H

#include "ingest/book.h"
#include "ingest/rates.h"
#include "store/entries.h"
#include "store/sales.h"

/** An order's current sale, ready to be settled. */
struct sale_view {
    int64_t seq;
    const struct accord_order *order; /**< course_known filled */
    const struct refund_row *refunds; /**< of the order; superseded ones are passed over */
    size_t refund_count;
};

/** What stands for one line: numbers, and shares that are not zero, in the form of an entry
 * (number, seq and generation are 0). */
struct settled {
    /** By line: one on the day of the sale, then, where refunds count in the period in which they
     *  occur, what each later day's refunds changed; at the end perhaps one for the excess. */
    struct entry_row *rows;
    size_t count;
    enum accord_held held; /**< of the first line that is held */
};

/** The refunds of a view that count: without what was superseded, voided or reversed. */
enum accord_error settled_refunds(const struct sale_view *view, struct arena *arena,
                                  struct accord_refund **ret, size_t *ret_count);

/** Settles a sale with the terms of the book and the rates. Texts are borrowed from the view and
 *  the book. */
enum accord_error settled_of(struct agreement_book *book, struct rate_book *rates,
                             struct arena *arena, const struct sale_view *view,
                             struct settled *ret);

/** The same with versions that may cover it, instead of those that the book chooses, and the rates
 *  that stand in the order. */
enum accord_error settled_with(const struct agreement_choice *choice, struct arena *arena,
                               const struct sale_view *view, struct settled *ret);

/** True when two rows stand for the same thing: they can be added up. */
bool entry_same_group(const struct entry_row *a, const struct entry_row *b);
/** Adds `row`, `sign` times (1 or -1), to `sum`: numbers and shares. ACCORD_E_OVERFLOW. */
enum accord_error entry_add(struct entry_row *sum, const struct entry_row *row, int sign);
/** True when all numbers and shares are zero. */
bool entry_is_zero(const struct entry_row *row);

#endif
