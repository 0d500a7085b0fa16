/** What is decided from request headers alone. Pure over a list of headers; thread-safe. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "http/http.h"

enum { HEAD_HEADERS_MAX = 64 };

enum head_coding { HEAD_IDENTITY, HEAD_GZIP, HEAD_ZSTD, HEAD_CODING_UNKNOWN };

/** How the body is framed. */
struct head_framing {
    bool has_body; /**< chunked, or a Content-Length above 0 */
    bool chunked;
    bool length_known;
    bool length_missing; /**< of a POST, PUT or PATCH: its body is empty, if it may be */
    uint64_t length;     /**< 0 when not known */
    enum head_coding coding;
};

/**
 * Checks names, values, Host and the framing of a body.
 *
 * @param http_1_0  the request is HTTP/1.0: Host may be missing, chunked may not be used
 * @param ret_detail  on an error: what is wrong, static
 * ACCORD_E_HEADER_INVALID, ACCORD_E_FRAMING_INVALID.
 */
enum accord_error head_check(const struct http_pair *headers, size_t count, struct slice method,
                             bool http_1_0, struct head_framing *ret, const char **ret_detail);
/** The first value of a header; data NULL when absent. */
struct slice head_find(const struct http_pair *headers, size_t count, struct slice name);
/** Whether a field name is this, ignoring case. */
bool head_name_is(struct slice field, struct slice name);
/** Whether an Accept-Encoding field takes gzip: "gzip" or "*" with a weight above 0. */
bool head_accepts_gzip(struct slice field);
/** Whether an X-Request-Id is taken over: [A-Za-z0-9._-]{1,63}. */
bool head_request_id(struct slice value);
/** Whether an If-None-Match field names the gzipped form of a strong ETag. */
bool head_etag_gzipped(struct slice field, const char *etag);

#endif
