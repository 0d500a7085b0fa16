/** /v1/statements/{statement}/lines: in pages, as NDJSON, as CSV. */
#ifndef API_STATEMENT_LINES_H
#define API_STATEMENT_LINES_H

#include "api/call.h"

extern const struct operation statement_line_operations[];
extern const size_t statement_line_operation_count;

extern const struct operation statement_explain_operations[];
extern const size_t statement_explain_operation_count;

struct statement_row;
struct statement_line;
struct statement_part;
struct agreement_periods;
/** A line of a statement with what it is to its partner; *ret_found false (and the rest unwritten)
 *  when there is no such line, or the partner does not see it. Texts live in the arena. */
enum accord_error statement_line_load(struct db *db, struct arena *arena, const char *statement,
                                      struct slice id, bool *ret_found,
                                      struct statement_row *ret_row,
                                      struct agreement_periods *ret_periods,
                                      struct statement_line *ret_line,
                                      struct statement_part *ret_part);
/** Is there a line of that id in a statement, which its partner sees? */
enum accord_error statement_line_known(struct db *db, struct arena *arena, const char *statement,
                                       struct slice line, bool *ret);

#endif
