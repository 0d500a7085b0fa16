/** What the operations on periods, statements, payments and balances share. */
#ifndef API_SETTLEMENT_CALL_H
#define API_SETTLEMENT_CALL_H

#include "api/call.h"

/** Whether the caller may see the account of a payee: its own, those of its pools, all for the
 *  operator. */
bool settlement_owns(const struct call *call, const char *payee);

/**
 * Whose numbers a list is about: the query's `partner`, which the caller must own; else the
 * caller's.
 *
 * @param ret  NULL: everybody's (the operator, without `partner`)
 * @return false: the call has failed; another partner's numbers are not found
 */
bool settlement_partner(struct call *call, const char **ret);
/** `since` or `as_of`, in read(): a position that no answer can have given fails the call. */
bool settlement_position(struct call *call, int64_t position);
/** A currency of a stored row. */
struct accord_currency settlement_currency(const char *code);
/** Part of a cursor that is an integer; fails the call otherwise. */
bool settlement_part_int(struct call *call, struct slice part, int64_t *ret);
/** An integer as a part of a cursor. */
struct slice settlement_int_part(struct call *call, int64_t number);
/** Where a resource is, behind the public base path; in the arena. */
void settlement_link(struct call *call, struct json_writer *w, const char *name, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

#endif
