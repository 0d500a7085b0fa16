/** GET /v1/revenue: what a partner's sales of one month came to. */
#ifndef API_REVENUE_H
#define API_REVENUE_H

#include "api/call.h"

extern const struct operation revenue_operations[];
extern const size_t revenue_operation_count;

#endif
