/** Periods of agreements: listing them and closing them. */
#ifndef API_PERIODS_H
#define API_PERIODS_H

#include "api/call.h"

extern const struct operation period_operations[];
extern const size_t period_operation_count;

#endif
