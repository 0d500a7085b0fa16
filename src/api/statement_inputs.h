/** What statements were made from. */
#ifndef API_STATEMENT_INPUTS_H
#define API_STATEMENT_INPUTS_H

#include "api/call.h"

extern const struct operation statement_input_operations[];
extern const size_t statement_input_operation_count;

#endif
