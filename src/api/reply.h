/** What replies are made of, inside api/. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/call.h"

/** Empties a reply: status 0, no headers, no body. */
void api_reply_reset(struct http_reply *reply);
/** Adds a header; false when there is no room. */
bool api_reply_header(struct http_reply *reply, const char *name, const char *value);
/**
 * Makes the reply an application/problem+json answer. Allocates nothing but the body.
 *
 * @param detail    NULL: none
 * @param problems  field errors, or NULL
 */
void api_reply_problem(struct http_reply *reply, enum accord_error error, const char *detail,
                       const char *request_id, const struct json_problems *problems);
/** What opaque versions of this caller are bound to: its partner and its books. */
uint32_t api_caller_binding(const struct call *call);
/** A number of the query's parameters, whatever their order; without `limit` and `cursor` when
 *  paging is false. */
uint32_t api_query_binding(const struct call *call, bool paging);
/** The strong ETag of a version of what this call answers; in the arena, NULL when out of memory.
 */
const char *api_reply_etag(struct call *call, int64_t version);
/** True when one of the tags of an If-Match or If-None-Match header is `etag`, or is `*`. Compares
 *  weakly: proxies weaken tags and append to them when they compress. */
/** Whether If-None-Match names it. */
bool api_reply_unchanged(struct call *call, const char *etag);
bool api_reply_etag_listed(struct slice header, const char *etag);
/** Whether If-None-Match lists it. */
bool api_reply_unchanged(struct call *call, const char *etag);

#endif
