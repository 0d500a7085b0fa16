/** What /metrics says: counted over the requests, and read from the books. */
#ifndef API_METERING_H
#define API_METERING_H

#include "api/call.h"

/** One finished request. @param operation  index in the route table; SIZE_MAX: it reached none */
void metering_request(struct app *app, size_t operation, unsigned status, int64_t duration_us);
/** Writes everything in the Prometheus text format; in a read transaction of the call. */
void metering_write(struct call *call, struct buf *out);

#endif
