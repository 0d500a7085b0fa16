/**
 * What statements were made from: each one's file of inputs, in pieces, as it was when the period
 * was closed. Texts of results live in the arena given.
 */
#ifndef STORE_STATEMENT_INPUTS_H
#define STORE_STATEMENT_INPUTS_H

#include "base/arena.h"
#include "store/store.h"

/** Stores piece `number` (0, 1, 2 …) of a statement's file. */
enum accord_error store_statement_input_insert(struct db *db, const char *statement, int64_t number,
                                               struct slice body);
/** Calls back with all pieces from `from` on, in order, up to `limit` of them; each is valid during
 *  the call only. */
typedef enum accord_error statement_input_fn(void *context, int64_t number, struct slice body);
enum accord_error store_statement_inputs_each(struct db *db, const char *statement, int64_t from,
                                              int64_t limit, statement_input_fn *each,
                                              void *context);

/** Up to `limit` sales behind `after` of which something settled is booked in a period, by seq. */
enum accord_error store_booked_sales(struct db *db, const char *agreement, int64_t booked,
                                     int64_t after, int64_t limit, int64_t *ret, size_t *ret_count);

#endif
