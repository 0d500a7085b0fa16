/* head_check() and the parsers of single fields, over "name:value" lines. */
#include <stdlib.h>

#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static size_t count_named(const struct http_pair *headers, size_t count, struct slice name)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += head_name_is(headers[i].name, name);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_pair headers[HEAD_HEADERS_MAX] = {0};
    size_t count = 0;
    const char *at = (const char *)data;
    const char *end = at + size;
    while (at < end && count < HEAD_HEADERS_MAX) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL)
            line_end = end;
        const char *colon = memchr(at, ':', (size_t)(line_end - at));
        if (colon != NULL)
            headers[count++] = (struct http_pair){{at, (size_t)(colon - at)},
                                                  {colon + 1, (size_t)(line_end - colon) - 1}};
        at = line_end < end ? line_end + 1 : end;
    }
    struct head_framing framing;
    const char *detail;
    if (head_check(headers, count, SLICE("POST"), false, &framing, &detail) == ACCORD_OK) {
        const size_t lengths = count_named(headers, count, SLICE("content-length"));
        const size_t transfers = count_named(headers, count, SLICE("transfer-encoding"));
        require(lengths + transfers == 1);
        require(framing.chunked == (transfers == 1) && framing.length_known == (lengths == 1));
        require(count_named(headers, count, SLICE("host")) == 1);
    }
    for (size_t i = 0; i < count; i++) {
        const bool weak = http_etag_matches(headers[i].value, "\"v1\"");
        const bool strong = http_etag_matches_strong(headers[i].value, "\"v1\"");
        require(weak || !strong);
        require(weak || !head_etag_gzipped(headers[i].value, "\"v1\""));
        head_accepts_gzip(headers[i].value);
        if (head_request_id(headers[i].value))
            require(headers[i].value.len > 0 && headers[i].value.len <= 63);
    }
    return 0;
}
