/** What a month of a pool was divided into. */
#ifndef API_POOL_MONTHS_H
#define API_POOL_MONTHS_H

#include "api/call.h"

extern const struct operation pool_month_operations[];
extern const size_t pool_month_operation_count;

#endif
