/** Facts: POST /v1/events, /v1/feedback, /v1/orders, GET /v1/events. */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "api/call.h"

extern const struct operation event_operations[];
extern const size_t event_operation_count;

#endif
