/** Exchange rates: days as they are published, corrections, and what applies on a day. */
#ifndef API_RATES_H
#define API_RATES_H

#include "api/call.h"

extern const struct operation rate_operations[];
extern const size_t rate_operation_count;

#endif
