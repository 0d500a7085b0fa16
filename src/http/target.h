/** The request target: split and percent-decoded by own rules, because libmicrohttpd's decoding
 *  loses what %2F, %00 and ".." were. Pure; thread-safe. */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "http/http.h"

/**
 * Splits request->target into segments and query.
 *
 * Origin form only ("/a/b?c=d"); "*" is taken for OPTIONS and has no segments.
 * ACCORD_E_TARGET_INVALID: another form, a bad escape, a control character, %2F, invalid UTF-8, an
 * empty segment or one that is "." or "..", or more segments than HTTP_SEGMENTS_MAX.
 * ACCORD_E_QUERY_INVALID: the same in the query, or more than HTTP_QUERY_MAX parameters.
 * ACCORD_E_OUT_OF_MEMORY.
 */
enum accord_error target_parse(struct http_request *request, struct arena *arena);

#endif
