/** /v1/statements/{statement}/lines: in pages, as NDJSON, as CSV. */
#ifndef API_STATEMENT_LINES_H
#define API_STATEMENT_LINES_H

#include "api/call.h"

extern const struct operation statement_line_operations[];
extern const size_t statement_line_operation_count;

/** Is there a line of that id in a statement, which its partner sees? */
enum accord_error statement_line_known(struct db *db, struct arena *arena, const char *statement,
                                       struct slice line, bool *ret);

#endif
