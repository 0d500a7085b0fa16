/** What is decided about a request at its headers, before its body is read. */
#ifndef API_ADMIT_H
#define API_ADMIT_H

#include "api/dispatch.h"
#include "api/route.h"

/**
 * Route, key, rate, query, media types, Idempotency-Key, conditions, in this order. On the
 * exchange's worker. A refusal fails the call; OPTIONS is answered at once (flight->done).
 */
void admit(struct flight *flight, const struct route_table *routes);

#endif
