/** /v1/statements/{statement}/disputes: opened by its partner, resolved by the operator. */
#ifndef API_DISPUTES_H
#define API_DISPUTES_H

#include "api/call.h"

extern const struct operation dispute_operations[];
extern const size_t dispute_operation_count;

#endif
