/* A course from anybody as JSON: refused with problems, or sound and stable. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ingest/course.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(struct slice text, struct arena *arena, struct json_problems *problems)
{
    struct course course;
    struct course again;
    struct store_course stored = {0};
    struct store_course same = {0};
    course_peek_id(arena, text);
    const enum accord_error e = course_decode(arena, text, false, NULL, &course, problems);
    if (e == ACCORD_E_OUT_OF_MEMORY)
        return;
    if (e != ACCORD_OK) {
        if (problems->total == 0)
            abort(); /* refused without a reason */
        return;
    }
    if (course_encode(arena, &course, &stored) != ACCORD_OK)
        return;
    problems->count = 0;
    if (course_decode(arena, stored.body, true, NULL, &again, problems) != ACCORD_OK ||
        course_encode(arena, &again, &same) != ACCORD_OK || !slice_equal(stored.body, same.body))
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
