/* The terms of a pool from anybody: refused with problems, or sound: the body reads back as the
 * same, is canonical, and a pool can be made of it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ingest/pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(struct slice text, struct arena *arena, struct json_problems *problems)
{
    struct pool pool;
    struct pool again;
    struct slice canonical;
    const enum accord_error error = pool_decode(arena, text, &pool, problems);
    if (error != ACCORD_OK) {
        if (problems->total == 0 && error == ACCORD_E_FIELDS_INVALID)
            abort(); /* refused without a reason */
        return;
    }
    if (pool.share_ppm < 0 || pool.share_ppm > ACCORD_PPM_WHOLE || pool.min_units < 0)
        abort();
    const struct slice body = pool_encode(arena, &pool);
    if (body.data == NULL)
        return;
    problems->count = problems->total = 0;
    if (pool_decode(arena, body, &again, problems) != ACCORD_OK || again.from_day != pool.from_day)
        abort();
    const struct slice same = pool_encode(arena, &again);
    if (same.data != NULL && !slice_equal(body, same))
        abort();
    if (json_canonical(arena, body, &canonical) == ACCORD_OK && !slice_equal(body, canonical))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct json_problems *problems = calloc(1, sizeof *problems);
    if (arena != NULL && problems != NULL)
        one((struct slice){(const char *)data, size}, arena, problems);
    free(problems);
    arena_free(arena);
    return 0;
}
