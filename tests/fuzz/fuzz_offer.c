/* An offer from anybody: refused with problems, or sound: its body reads back as the same, and what
 * of the price each item gets adds up to it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ingest/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void divide(struct arena *arena, const struct offer *offer)
{
    int64_t *parts;
    int64_t sum = 0;
    if (offer->items.count == 0)
        return;
    const enum accord_error error = offer_divide(arena, offer, &parts);
    if (error == ACCORD_E_OUT_OF_MEMORY || error == ACCORD_E_WEIGHTS_ZERO)
        return;
    if (error != ACCORD_OK)
        abort();
    for (size_t i = 0; i < offer->items.count; i++) {
        if (parts[i] < 0)
            abort();
        sum += parts[i];
    }
    if (sum != offer->price)
        abort();
}

static void one(struct slice text, struct arena *arena, struct json_problems *problems)
{
    struct offer offer;
    struct offer again;
    const enum accord_error error = offer_decode(arena, text, &offer, problems);
    if (error == ACCORD_E_OUT_OF_MEMORY)
        return;
    if (error != ACCORD_OK) {
        if (problems->total == 0 && error == ACCORD_E_FIELDS_INVALID)
            abort(); /* refused without a reason */
        return;
    }
    divide(arena, &offer);
    const struct slice body = offer_encode(arena, &offer);
    if (body.data == NULL)
        return;
    problems->count = problems->total = 0;
    if (offer_decode(arena, body, &again, problems) != ACCORD_OK)
        abort();
    const struct slice same = offer_encode(arena, &again);
    struct slice canonical;
    if (same.data != NULL && !slice_equal(body, same))
        abort();
    if (json_canonical(arena, body, &canonical) == ACCORD_OK && !slice_equal(body, canonical))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)256 << 20);
    struct json_problems *problems = calloc(1, sizeof *problems);
    if (arena != NULL && problems != NULL)
        one((struct slice){(const char *)data, size}, arena, problems);
    free(problems);
    arena_free(arena);
    return 0;
}
