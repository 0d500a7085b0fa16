/** One order: what it came to, line by line, and why. */
#ifndef API_ORDERS_H
#define API_ORDERS_H

#include "api/call.h"

extern const struct operation order_operations[];
extern const size_t order_operation_count;
extern const struct operation order_attribution_operations[];
extern const size_t order_attribution_operation_count;

#endif
