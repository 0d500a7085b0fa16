/** Operations on offers. */
#ifndef API_OFFERS_H
#define API_OFFERS_H

#include "api/call.h"

extern const struct operation offer_operations[];
extern const size_t offer_operation_count;

#endif
