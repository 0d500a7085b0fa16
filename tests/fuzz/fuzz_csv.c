/* CSV from anybody: rows, columns, cells, and the courses that they make. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ingest/course_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The rows of a text until its end; each cell must lie within what was given. */
static void read_rows(struct slice text, struct arena *arena, struct json_problems *problems)
{
    struct csv_reader *reader;
    struct csv_row row;
    struct catalog_map *map = NULL;
    const struct course_defaults defaults = {.currency = {"CNY"}, .language = {"zh", 2}};
    uint64_t line = 0;
    size_t rows = 0;
    if (csv_open(text, 4096, &reader) != ACCORD_OK)
        return;
    for (;;) {
        const enum accord_error e = csv_next(reader, &row);
        if (csv_is_broken(reader) || (e == ACCORD_OK && row.count == 0))
            break;
        if (row.line <= line || ++rows > text.len + 1)
            abort(); /* lines go up, and there are not more rows than bytes */
        line = row.line;
        if (e != ACCORD_OK)
            continue;
        if (map == NULL) {
            if (catalog_map_bind(arena, SLICE("course_id:a,title:b,price:c,-:d"), &row, &map,
                                 problems) != ACCORD_OK &&
                catalog_map_bind(arena, SLICE(""), &row, &map, problems) != ACCORD_OK)
                break;
            continue;
        }
        struct course course;
        struct store_course stored = {0};
        problems->count = 0;
        if (course_from_row(arena, map, &row, &defaults, &course, problems) == ACCORD_OK &&
            course_encode(arena, &course, &stored) == ACCORD_OK) {
            /* What is accepted is sound: its body decodes to the same content. */
            struct course again;
            struct store_course same = {0};
            if (course_decode(arena, stored.body, true, NULL, &again, problems) != ACCORD_OK ||
                course_encode(arena, &again, &same) != ACCORD_OK ||
                !slice_equal(stored.body, same.body))
                abort();
        }
    }
    csv_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)256 << 20);
    struct json_problems *problems = calloc(1, sizeof *problems);
    if (arena != NULL && problems != NULL)
        read_rows((struct slice){(const char *)data, size}, arena, problems);
    free(problems);
    arena_free(arena);
    return 0;
}
