/** Operations on pools. */
#ifndef API_POOLS_H
#define API_POOLS_H

#include "api/call.h"

extern const struct operation pool_operations[];
extern const size_t pool_operation_count;

#endif
