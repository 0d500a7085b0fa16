/** POST /v1/simulations: what if. */
#ifndef API_SIMULATIONS_H
#define API_SIMULATIONS_H

#include "api/call.h"

extern const struct operation simulation_operations[];
extern const size_t simulation_operation_count;

#endif
