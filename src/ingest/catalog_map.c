#include "ingest/catalog_map.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "ingest/csv_value.h"

static const char *const column_names[COURSE_COLUMNS] = {
    [COLUMN_COURSE_ID] = "course_id",
    [COLUMN_TITLE] = "title",
    [COLUMN_SUMMARY] = "summary",
    [COLUMN_LANGUAGE] = "language",
    [COLUMN_LEVEL] = "level",
    [COLUMN_SUBJECTS] = "subjects",
    [COLUMN_TAGS] = "tags",
    [COLUMN_INSTRUCTORS] = "instructors",
    [COLUMN_FORMAT] = "format",
    [COLUMN_PURPOSE] = "purpose",
    [COLUMN_KIND] = "kind",
    [COLUMN_DURATION_MINUTES] = "duration_minutes",
    [COLUMN_DURATION_HOURS] = "duration_hours",
    [COLUMN_URL] = "url",
    [COLUMN_IMAGE_URL] = "image_url",
    [COLUMN_OFFER_MODE] = "offer_mode",
    [COLUMN_PRICE] = "price",
    [COLUMN_CURRENCY] = "currency",
    [COLUMN_TERRITORIES] = "territories",
    [COLUMN_CHANNELS] = "channels",
    [COLUMN_BUNDLE] = "bundle",
    [COLUMN_MEMBERSHIP] = "membership",
    [COLUMN_EXCLUSIVE_UNTIL] = "exclusive_until",
    [COLUMN_AVAILABLE_FROM] = "available_from",
    [COLUMN_AVAILABLE_TO] = "available_to",
    [COLUMN_RATING] = "rating",
    [COLUMN_RATING_BEST] = "rating_best",
    [COLUMN_RATING_COUNT] = "rating_count",
    [COLUMN_ENROLMENTS] = "enrolments",
};

const char *course_column_name(enum course_column column)
{
    return column_names[column];
}

/* One `field:column` of a map. */
struct pair {
    struct slice field;
    struct slice column;
};

/* Takes the next pair; false at the end. A pair without ':' has column.data NULL. */
static bool next_pair(struct slice *rest, struct pair *ret)
{
    if (rest->len == 0)
        return false;
    const char *comma = memchr(rest->data, ',', rest->len);
    const size_t len = comma == NULL ? rest->len : (size_t)(comma - rest->data);
    const struct slice text = {rest->data, len};
    const size_t used = comma == NULL ? len : len + 1;
    *rest = (struct slice){rest->data + used, rest->len - used};
    const char *colon = len == 0 ? NULL : memchr(text.data, ':', text.len);
    if (colon == NULL) {
        *ret = (struct pair){.field = csv_trim(text)};
        return true;
    }
    const size_t at = (size_t)(colon - text.data);
    ret->field = csv_trim((struct slice){text.data, at});
    ret->column = csv_trim((struct slice){colon + 1, text.len - at - 1});
    return true;
}

static int field_of(struct slice name)
{
    for (int i = 0; i < COURSE_COLUMNS; i++)
        if (slice_equal(slice_of(column_names[i]), name))
            return i;
    return slice_equal(name, SLICE("price_currency")) ? COLUMN_CURRENCY : -1;
}

static bool leaves_out(const struct pair *pair)
{
    return slice_equal(pair->field, SLICE("-"));
}

static int shown(struct slice text)
{
    return (int)utf8_prefix(text, 60).len;
}

enum accord_error catalog_map_check(struct slice map, const char *pointer,
                                    struct json_problems *problems)
{
    const size_t before = problems->total;
    struct pair pair;
    while (next_pair(&map, &pair)) {
        if (pair.column.data == NULL)
            json_problem_add(problems, ACCORD_E_COLUMN_UNKNOWN, pointer,
                             "'%.*s' is not of the form field:column", shown(pair.field),
                             pair.field.data);
        else if (!leaves_out(&pair) && field_of(pair.field) < 0)
            json_problem_add(problems, ACCORD_E_COLUMN_UNKNOWN, pointer,
                             "'%.*s' is not a field of a course", shown(pair.field),
                             pair.field.data);
    }
    return problems->total == before ? ACCORD_OK : ACCORD_E_COLUMN_UNKNOWN;
}

static size_t cell_of(const struct catalog_map *map, struct slice name)
{
    for (size_t i = 0; i < map->cells; i++)
        if (slice_equal(map->names[i], name))
            return i;
    return SIZE_MAX;
}

static enum accord_error copy_names(struct arena *arena, const struct csv_row *header,
                                    struct catalog_map *map)
{
    struct slice *names = arena_array(arena, header->count, sizeof *names);
    if (names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < header->count; i++) {
        const struct slice name = csv_trim(header->cells[i]);
        if (!utf8_is_text(name))
            return ACCORD_E_TEXT_INVALID;
        const char *copy =
            name.len == 0 ? arena_printf(arena, "column %zu", i + 1) : arena_strdup(arena, name);
        if (copy == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        names[i] = slice_of(copy);
    }
    map->names = names;
    map->cells = header->count;
    return ACCORD_OK;
}

static void add_alternative(struct catalog_map *map, int field, size_t cell)
{
    if (map->fields[field].count < MAP_ALTERNATIVES_MAX)
        map->fields[field].cell[map->fields[field].count++] = cell;
}

/* Fields by the map, then by their own names. */
static void bind_fields(struct catalog_map *map, struct slice text, bool *taken,
                        struct json_problems *problems)
{
    bool named[COURSE_COLUMNS] = {false};
    struct pair pair;
    while (next_pair(&text, &pair)) {
        const int field = leaves_out(&pair) ? -1 : field_of(pair.field);
        if (field >= 0)
            named[field] = true;
        if (pair.column.len == 0)
            continue;
        const size_t cell = cell_of(map, pair.column);
        if (cell == SIZE_MAX) {
            json_problem_add(problems, ACCORD_E_COLUMN_UNKNOWN, "/columns",
                             "the file has no column '%.*s'", shown(pair.column), pair.column.data);
            continue;
        }
        taken[cell] = true;
        if (field >= 0)
            add_alternative(map, field, cell);
    }
    for (int field = 0; field < COURSE_COLUMNS; field++) {
        if (named[field])
            continue;
        size_t cell = cell_of(map, slice_of(column_names[field]));
        if (cell == SIZE_MAX && field == COLUMN_CURRENCY)
            cell = cell_of(map, SLICE("price_currency"));
        if (cell == SIZE_MAX || taken[cell])
            continue;
        taken[cell] = true;
        add_alternative(map, field, cell);
    }
}

static int by_name(const void *a, const void *b, void *names)
{
    const size_t *left = a;
    const size_t *right = b;
    const struct slice *all = names;
    return slice_compare(all[*left], all[*right]);
}

static enum accord_error collect_extra(struct arena *arena, struct catalog_map *map,
                                       const bool *taken)
{
    size_t *extra = arena_array(arena, map->cells, sizeof *extra);
    struct slice *names = arena_array(arena, map->cells, sizeof *names);
    if (extra == NULL || names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memcpy(names, map->names, map->cells * sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < map->cells; i++)
        if (!taken[i] && cell_of(map, map->names[i]) == i) /* of repeated names the first */
            extra[count++] = i;
    qsort_r(extra, count, sizeof *extra, by_name, names);
    map->extra = extra;
    map->extra_count = count;
    return ACCORD_OK;
}

enum accord_error catalog_map_bind(struct arena *arena, struct slice map,
                                   const struct csv_row *header, struct catalog_map **ret,
                                   struct json_problems *problems)
{
    enum accord_error e = catalog_map_check(map, "/columns", problems);
    if (e != ACCORD_OK)
        return e;
    struct catalog_map *bound = arena_alloc(arena, sizeof *bound);
    bool *taken = arena_array(arena, header->count, sizeof *taken);
    if (bound == NULL || taken == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    e = copy_names(arena, header, bound);
    if (e != ACCORD_OK)
        return e;
    const size_t before = problems->total;
    bind_fields(bound, map, taken, problems);
    static const enum course_column required[] = {COLUMN_COURSE_ID, COLUMN_TITLE};
    for (size_t i = 0; i < 2; i++)
        if (bound->fields[required[i]].count == 0)
            json_problem_add(problems, ACCORD_E_COLUMN_UNKNOWN, "/columns",
                             "no column holds the field %s: name it as %s:column in ?columns=",
                             column_names[required[i]], column_names[required[i]]);
    if (problems->total != before)
        return ACCORD_E_COLUMN_UNKNOWN;
    e = collect_extra(arena, bound, taken);
    if (e == ACCORD_OK)
        *ret = bound;
    return e;
}
