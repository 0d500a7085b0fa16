/** /v1/statements: the poll, the statement itself, its acceptance. */
#ifndef API_STATEMENTS_H
#define API_STATEMENTS_H

#include "api/call.h"

extern const struct operation statement_operations[];
extern const size_t statement_operation_count;

#endif
