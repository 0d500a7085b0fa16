/**
 * Which statements payments settle, and how much of each. Appended as signed differences. Texts of
 * results live in the arena given. Not thread-safe beyond what struct db is.
 */
#ifndef STORE_PAYMENT_COVERS_H
#define STORE_PAYMENT_COVERS_H

#include <stdint.h>

#include "base/arena.h"
#include "store/store.h"

/** How a payment is referred to by its postings and covers: operator, '/', payment_id. NULL when
 *  out of memory. */
const char *payment_reference(struct arena *arena, const char *partner, const char *payment_id);

/** How much of a payment settles a statement; as a row, a signed difference. */
struct payment_cover {
    const char *statement;
    const char *payment; /**< payment_reference() */
    int64_t seq;
    int64_t amount; /**< >= 0 as a sum, in the direction in which the statement is to be paid */
};
enum accord_error store_payment_covers_insert(struct db *db, const struct payment_cover *rows,
                                              size_t count);
/** What of a payment settles which statements now, by statement; zero sums are left out. */
enum accord_error store_payment_covers(struct db *db, struct arena *arena, const char *payment,
                                       struct payment_cover **ret, size_t *ret_count);
/** What all payments together have settled of a statement. */
enum accord_error store_statement_covered(struct db *db, const char *statement, int64_t *ret);

#endif
