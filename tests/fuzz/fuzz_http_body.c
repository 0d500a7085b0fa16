/* A body in pieces: the first byte chooses coding and size of the pieces. No limit is ever passed,
 * and what is stored is what was decoded. */
#include <stdlib.h>

#include "http/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DECODED_MAX = 100000, WIRE_MAX = 50000, SPILL = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum head_coding codings[] = {HEAD_GZIP, HEAD_ZSTD, HEAD_IDENTITY, HEAD_GZIP};
    static struct body_budget budget = {.memory_max = 8000, .files_max = 50000};
    static const struct body_limits limits = {.wire_max = WIRE_MAX,
                                              .decoded_max = DECODED_MAX,
                                              .spill_bytes = SPILL,
                                              .budget = &budget,
                                              .spill_dir = "/tmp"};
    if (size == 0)
        return 0;
    struct body body = BODY_EMPTY;
    enum accord_error error = body_open(&limits, codings[data[0] & 3], &body);
    const size_t piece = (size_t)(data[0] >> 2) * 16 + 1;
    for (size_t at = 1; error == ACCORD_OK && at < size; at += piece)
        error = body_add(&body, data + at, at + piece < size ? piece : size - at);
    struct slice all;
    if (error == ACCORD_OK && body_finish(&body, &all) == ACCORD_OK) {
        if (all.len != body.decoded || all.len > DECODED_MAX || body.wire > WIRE_MAX)
            abort();
        if ((data[0] & 3) == 2 &&
            !slice_equal(all, (struct slice){(const char *)data + 1, size - 1}))
            abort();
    }
    body_done(&body);
    if (budget.memory != 0 || budget.files != 0)
        abort();
    return 0;
}
