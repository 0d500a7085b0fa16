#include "api/route.h"

#include <stdlib.h>

#include "base/buf.h"

enum { ROUTE_SEGMENTS_MAX = HTTP_SEGMENTS_MAX, PATH_METHODS_MAX = 8, ALLOW_MAX = 96 };

/* One path with the operations that answer on it. */
struct route_path {
    const char *pattern;
    struct slice segments[ROUTE_SEGMENTS_MAX]; /* a parameter has data NULL */
    size_t segment_count;
    size_t operations[PATH_METHODS_MAX];
    size_t operation_count;
    char allow[ALLOW_MAX];
};

struct route_table {
    const struct operation *(*at)(size_t index);
    struct route_path *paths;
    size_t path_count;
};

static bool split_pattern(const char *pattern, struct route_path *ret)
{
    size_t params = 0;
    const char *from = pattern;
    while (*from == '/') {
        from++;
        const size_t len = strcspn(from, "/");
        if (len == 0 || ret->segment_count == ROUTE_SEGMENTS_MAX)
            return false;
        const bool is_param = from[0] == '{';
        if (is_param && (from[len - 1] != '}' || ++params > 4))
            return false;
        ret->segments[ret->segment_count++] =
            is_param ? (struct slice){NULL, 0} : (struct slice){from, len};
        from += len;
    }
    return *from == '\0' && ret->segment_count > 0;
}

static struct route_path *path_of(struct route_table *table, const char *pattern)
{
    for (size_t i = 0; i < table->path_count; i++)
        if (strcmp(table->paths[i].pattern, pattern) == 0)
            return &table->paths[i];
    struct route_path *path = &table->paths[table->path_count];
    path->pattern = pattern;
    if (!split_pattern(pattern, path))
        return NULL;
    table->path_count++;
    return path;
}

static void write_allow(const struct route_table *table, struct route_path *path)
{
    struct buf text;
    buf_init(&text, ALLOW_MAX - 1);
    for (size_t i = 0; i < path->operation_count; i++) {
        const char *method = table->at(path->operations[i])->method;
        buf_add_str(&text, method);
        buf_add_str(&text, strcmp(method, "GET") == 0 ? ", HEAD, " : ", ");
    }
    buf_add_str(&text, "OPTIONS");
    memcpy(path->allow, text.data, text.len);
    path->allow[text.len] = '\0';
    buf_done(&text);
}

enum accord_error route_table_new(size_t count, const struct operation *(*at)(size_t index),
                                  struct route_table **ret)
{
    struct route_table *table = calloc(1, sizeof *table);
    enum accord_error error = ACCORD_E_OUT_OF_MEMORY;
    if (table == NULL)
        return error;
    table->at = at;
    table->paths = calloc(count + 1, sizeof table->paths[0]);
    if (table->paths == NULL)
        goto failed;
    error = ACCORD_E_INTERNAL; /* a wrong row of the table: found by the first test that starts */
    for (size_t i = 0; i < count; i++) {
        struct route_path *path = path_of(table, at(i)->pattern);
        if (path == NULL || path->operation_count == PATH_METHODS_MAX)
            goto failed;
        for (size_t k = 0; k < path->operation_count; k++)
            if (strcmp(at(path->operations[k])->method, at(i)->method) == 0)
                goto failed;
        path->operations[path->operation_count++] = i;
    }
    for (size_t i = 0; i < table->path_count; i++)
        write_allow(table, &table->paths[i]);
    *ret = table;
    return ACCORD_OK;

failed:
    route_table_free(table);
    return error;
}

void route_table_free(struct route_table *table)
{
    if (table == NULL)
        return;
    free(table->paths);
    free(table);
}

static bool path_matches(const struct route_path *path, const struct slice *segments, size_t count)
{
    if (path->segment_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (path->segments[i].data != NULL && !slice_equal(path->segments[i], segments[i]))
            return false;
        if (path->segments[i].data == NULL &&
            (segments[i].len == 0 || memchr(segments[i].data, '\0', segments[i].len) != NULL))
            return false;
    }
    return true;
}

/* Of two patterns that match one path: the one with a literal at the first place they differ. */
static bool more_literal(const struct route_path *a, const struct route_path *b)
{
    for (size_t i = 0; i < a->segment_count; i++) {
        const bool a_literal = a->segments[i].data != NULL;
        const bool b_literal = b->segments[i].data != NULL;
        if (a_literal != b_literal)
            return a_literal;
    }
    return false;
}

struct route_match route_find(const struct route_table *table, struct slice method,
                              const struct slice *segments, size_t count)
{
    struct route_match match = {.operation = SIZE_MAX};
    const struct route_path *best = NULL;
    for (size_t i = 0; i < table->path_count; i++) {
        const struct route_path *path = &table->paths[i];
        if (path_matches(path, segments, count) && (best == NULL || more_literal(path, best)))
            best = path;
    }
    if (best == NULL)
        return match;
    match.allow = best->allow;
    match.path = best->pattern;
    size_t args = 0;
    for (size_t i = 0; i < count; i++)
        if (best->segments[i].data == NULL)
            match.args[args++] = segments[i];
    const struct slice wanted = slice_equal(method, SLICE("HEAD")) ? SLICE("GET") : method;
    for (size_t i = 0; i < best->operation_count; i++)
        if (slice_equal(wanted, slice_of(table->at(best->operations[i])->method)))
            match.operation = best->operations[i];
    return match;
}
