/** What /metrics says: counted over the requests, and read from the service when it is asked. */
#ifndef API_METERING_H
#define API_METERING_H

#include "api/call.h"

/** Makes app->metrics and app->metering, before the threads start. */
enum accord_error metering_new(struct app *app);
void metering_free(struct app *app);

/** One finished request. @param operation  index in the route table; SIZE_MAX: it reached none */
void metering_request(struct app *app, unsigned worker, size_t operation, unsigned status,
                      int64_t duration_us);

/** An answer that was kept was given: it still held, or its tag was that of what stands. */
void metering_kept(const struct app *app, unsigned worker, bool held);
/** What became of the items of one batch of facts; `accepted` counts those that are durable. */
void metering_facts(const struct call *call, int64_t accepted, int64_t duplicate, int64_t conflict,
                    int64_t rejected);

/** Writes everything in the Prometheus text format. In a read transaction of the call. */
void metering_write(struct call *call, struct buf *out);

#endif
