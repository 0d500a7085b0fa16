/* target_parse(): what comes out of a target is safe to route by. */
#include <stdlib.h>

#include "base/utf8.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 20);
    struct http_request request = {.method = SLICE("OPTIONS"),
                                   .target = {(const char *)data, size}};
    if (arena != NULL && target_parse(&request, arena) == ACCORD_OK) {
        require(request.segment_count <= HTTP_SEGMENTS_MAX);
        for (size_t i = 0; i < request.segment_count; i++) {
            const struct slice segment = request.segments[i];
            require(segment.len > 0 && utf8_valid(segment));
            require(memchr(segment.data, '/', segment.len) == NULL);
            require(memchr(segment.data, '\0', segment.len) == NULL);
            require(!slice_equal(segment, SLICE(".")) && !slice_equal(segment, SLICE("..")));
        }
        require(request.query_count <= HTTP_QUERY_MAX);
        for (size_t i = 0; i < request.query_count; i++) {
            require(request.query[i].name.len > 0 && utf8_valid(request.query[i].name));
            require(utf8_valid(request.query[i].value));
            require(request.query[i].value.len == 0 ||
                    memchr(request.query[i].value.data, '\0', request.query[i].value.len) == NULL);
        }
    }
    arena_free(arena);
    return 0;
}
