#include "json/decode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/number.h"
#include "base/utf8.h"
#include "json/scan.h"
#include "json/tree.h"

/* The way from the document to a value: a link on the C stack for each array and object, rendered
 * as a pointer only when there is a problem to report. */
struct path {
    const struct path *up; /* NULL: this is the document */
    const char *name;      /* NULL: an element */
    size_t index;
};

struct decoder {
    struct arena *arena;
    struct json_tree tree;
    const char *prefix;
    struct json_problems *problems;
    enum accord_error failure; /* not the sender's fault: out of memory, a table too long */
};

void json_problem_add(struct json_problems *problems, enum accord_error code, const char *pointer,
                      const char *format, ...)
{
    problems->total++;
    if (problems->count == JSON_PROBLEMS_MAX)
        return;
    struct json_problem *problem = &problems->items[problems->count++];
    problem->code = code;
    const struct slice fits = utf8_prefix(slice_of(pointer), JSON_POINTER_MAX - 1);
    memcpy(problem->pointer, fits.data, fits.len);
    problem->pointer[fits.len] = '\0';
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(problem->message, JSON_MESSAGE_MAX, format, args);
    va_end(args);
    if (len < 0)
        problem->message[0] = '\0';
    else if (len >= JSON_MESSAGE_MAX) /* do not end in half a code point */
        problem->message[utf8_prefix(slice_of(problem->message), JSON_MESSAGE_MAX - 4).len] = '\0';
}

static size_t render(const struct decoder *d, const struct path *path, char pointer[])
{
    if (path == NULL || path->up == NULL) {
        const struct slice prefix = utf8_prefix(slice_of(d->prefix), JSON_POINTER_MAX - 1);
        memcpy(pointer, prefix.data, prefix.len);
        pointer[prefix.len] = '\0';
        return prefix.len;
    }
    const size_t len = render(d, path->up, pointer);
    char number[24];
    snprintf(number, sizeof number, "%zu", path->index);
    return json_pointer_push(pointer, JSON_POINTER_MAX, len,
                             slice_of(path->name != NULL ? path->name : number));
}

__attribute__((format(printf, 4, 5))) static void complain(struct decoder *d,
                                                           const struct path *path,
                                                           enum accord_error code,
                                                           const char *format, ...)
{
    char pointer[JSON_POINTER_MAX];
    char message[JSON_MESSAGE_MAX];
    render(d, path, pointer);
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    json_problem_add(d->problems, code, pointer, "%s", message);
}

static void *allocate(struct decoder *d, size_t count, size_t size)
{
    void *memory = arena_array(d->arena, count, size);
    if (memory == NULL)
        d->failure = ACCORD_E_OUT_OF_MEMORY;
    return memory;
}

static struct slice keep(struct decoder *d, struct slice text)
{
    const char *copy = arena_strdup(d->arena, text);
    if (copy == NULL)
        d->failure = ACCORD_E_OUT_OF_MEMORY;
    return (struct slice){copy, copy == NULL ? 0 : text.len};
}

static void decode_text(struct decoder *d, const struct path *path, const struct json_field *field,
                        const json_t *value, struct slice *ret)
{
    if (!json_is_string(value)) {
        complain(d, path, ACCORD_E_TYPE_WRONG, "must be a text");
        return;
    }
    const struct slice text = json_tree_string(value);
    if (text.len < (uint64_t)field->min || text.len > (uint64_t)field->max)
        complain(d, path, ACCORD_E_TEXT_LENGTH,
                 "must be %" PRId64 " to %" PRId64 " bytes of UTF-8, not %zu", field->min,
                 field->max, text.len);
    else if (field->kind == JSON_KIND_ID ? !utf8_is_id(text) : !utf8_is_text(text))
        complain(d, path, ACCORD_E_TEXT_INVALID, "must not hold control characters");
    else
        *ret = keep(d, text);
}

static void decode_slug(struct decoder *d, const struct path *path, const json_t *value,
                        struct slice *ret)
{
    if (!json_is_string(value)) {
        complain(d, path, ACCORD_E_TYPE_WRONG, "must be a text");
        return;
    }
    const struct slice text = json_tree_string(value);
    bool good = text.len >= 1 && text.len <= 63;
    for (size_t i = 0; good && i < text.len; i++) {
        const char c = text.data[i];
        good =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i > 0 && (c == '-' || c == '_'));
    }
    if (good)
        *ret = keep(d, text);
    else
        complain(d, path, ACCORD_E_SLUG_INVALID,
                 "must be 1 to 63 of a-z 0-9 _ - and begin with a letter or digit");
}

/* True when the value lies in the field's range; complains otherwise. */
static bool in_range(struct decoder *d, const struct path *path, const struct json_field *field,
                     enum accord_error error, int64_t value)
{
    if (error == ACCORD_OK && value >= field->min && value <= field->max)
        return true;
    char low[NUMBER_TEXT_MAX];
    char high[NUMBER_TEXT_MAX];
    const unsigned scale = field->kind == JSON_KIND_DECIMAL ? field->scale : 0;
    number_format_decimal(field->min, scale, low);
    number_format_decimal(field->max, scale, high);
    complain(d, path,
             field->kind == JSON_KIND_AMOUNT ? ACCORD_E_AMOUNT_OUT_OF_RANGE
                                             : ACCORD_E_VALUE_OUT_OF_RANGE,
             "must be %s to %s", low, high);
    return false;
}

static void decode_int(struct decoder *d, const struct path *path, const struct json_field *field,
                       const json_t *value, int64_t *ret)
{
    int64_t number = 0;
    enum accord_error error = ACCORD_OK;
    if (json_is_integer(value))
        number = json_integer_value(value);
    else if (json_is_real(value))
        error = number_parse_int(json_tree_number(&d->tree, value), &number);
    else
        error = ACCORD_E_TYPE_WRONG;
    if (error == ACCORD_E_TYPE_WRONG)
        complain(d, path, error, "must be an integer");
    else if (error == ACCORD_E_NUMBER_NOT_INTEGER)
        complain(d, path, error, "must be an integer without decimals or exponent");
    else if (in_range(d, path, field, error, number))
        *ret = number;
}

static void decode_decimal(struct decoder *d, const struct path *path,
                           const struct json_field *field, const json_t *value, int64_t *ret)
{
    char digits[NUMBER_TEXT_MAX];
    struct slice text;
    if (json_is_integer(value)) {
        number_format_decimal(json_integer_value(value), 0, digits);
        text = slice_of(digits);
    } else if (json_is_real(value)) {
        text = json_tree_number(&d->tree, value);
    } else if (json_is_string(value)) {
        text = json_tree_string(value);
    } else {
        complain(d, path, ACCORD_E_TYPE_WRONG, "must be a number, or a text that holds one");
        return;
    }
    int64_t number = 0;
    const enum accord_error error = number_parse_decimal(text, field->scale, &number);
    if (error == ACCORD_E_DECIMAL_INVALID)
        complain(d, path, error, "must be a plain decimal number such as 4.9");
    else if (error == ACCORD_E_DECIMAL_PRECISION)
        complain(d, path, error, "must have at most %u decimals", field->scale);
    else if (in_range(d, path, field, error, number))
        *ret = number;
}

static void decode_time(struct decoder *d, const struct path *path, const json_t *value,
                        instant_us *ret)
{
    if (!json_is_string(value))
        complain(d, path, ACCORD_E_TYPE_WRONG, "must be a text");
    else if (clock_parse(json_tree_string(value), ret) != ACCORD_OK)
        complain(d, path, ACCORD_E_TIME_INVALID,
                 "must be an RFC 3339 time with an offset, such as 2026-01-15T20:03:11+08:00");
}

static void decode_currency(struct decoder *d, const struct path *path, const json_t *value,
                            struct accord_currency *ret)
{
    if (!json_is_string(value))
        complain(d, path, ACCORD_E_TYPE_WRONG, "must be a text");
    else if (accord_currency_parse(json_string_value(value), json_string_length(value), ret) !=
             ACCORD_OK)
        complain(d, path, ACCORD_E_CURRENCY_UNKNOWN, "must be an ISO 4217 code such as CNY");
}

static void decode_enum(struct decoder *d, const struct path *path, const struct json_field *field,
                        const json_t *value, int *ret)
{
    if (!json_is_string(value)) {
        complain(d, path, ACCORD_E_TYPE_WRONG, "must be a text");
        return;
    }
    for (int i = 0; field->names[i] != NULL; i++) {
        if (slice_equal(json_tree_string(value), slice_of(field->names[i]))) {
            *ret = i;
            return;
        }
    }
    char list[JSON_MESSAGE_MAX] = "";
    size_t len = 0;
    for (int i = 0; field->names[i] != NULL && len < sizeof list - 1; i++) {
        const int more =
            snprintf(list + len, sizeof list - len, "%s%s", i == 0 ? "" : ", ", field->names[i]);
        len += more > 0 ? (size_t)more : 0;
    }
    complain(d, path, ACCORD_E_VALUE_UNKNOWN, "must be one of: %s", list);
}

static void decode_raw(struct decoder *d, const struct path *path, const json_t *value,
                       struct slice *ret)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    const enum accord_error error = json_tree_write(d->arena, &d->tree, value, &out);
    if (error == ACCORD_E_TEXT_INVALID)
        complain(d, path, error, "must not hold U+0000");
    else if (error != ACCORD_OK || buf_error(&out) != ACCORD_OK)
        d->failure = ACCORD_E_OUT_OF_MEMORY;
    else
        *ret = keep(d, buf_slice(&out));
    buf_done(&out);
}

static bool count_fits(struct decoder *d, const struct path *path, const struct json_field *field,
                       size_t count, const char *what)
{
    if (count >= (uint64_t)field->min && count <= (uint64_t)field->max)
        return true;
    complain(d, path, ACCORD_E_COUNT_OUT_OF_RANGE,
             "must have %" PRId64 " to %" PRId64 " %s, not %zu", field->min, field->max, what,
             count);
    return false;
}

static void decode_entry(struct decoder *d, const struct path *path,
                         const struct json_field *element, json_t *value, struct json_entry *ret)
{
    if (element != NULL) {
        ret->is_text = true;
        decode_text(d, path, element, value, &ret->value);
    } else if (json_is_string(value)) {
        static const struct json_field any = {.kind = JSON_KIND_STRING, .max = INT64_MAX};
        ret->is_text = true;
        decode_text(d, path, &any, value, &ret->value);
    } else if (json_is_integer(value) || json_is_boolean(value)) {
        decode_raw(d, path, value, &ret->value);
    } else if (json_is_real(value)) {
        complain(d, path, ACCORD_E_NUMBER_NOT_INTEGER,
                 "must be a text, an integer of 64 bits, or a boolean");
    } else {
        complain(d, path, ACCORD_E_TYPE_WRONG, "must be a text, an integer, or a boolean");
    }
}

static void decode_map(struct decoder *d, const struct path *path, const struct json_field *field,
                       json_t *value, struct json_array *ret)
{
    if (!json_is_object(value)) {
        complain(d, path, ACCORD_E_TYPE_WRONG, "must be an object");
        return;
    }
    const size_t count = json_object_size(value);
    if (!count_fits(d, path, field, count, "fields"))
        return;
    struct json_entry *entries = allocate(d, count, sizeof *entries);
    if (entries == NULL)
        return;
    size_t at = 0;
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        const struct path here = {.up = path, .name = name};
        const struct slice text = slice_of(name);
        if (text.len == 0 || text.len > JSON_MAP_NAME_MAX)
            complain(d, &here, ACCORD_E_TEXT_LENGTH, "a field's name must be 1 to %d bytes",
                     JSON_MAP_NAME_MAX);
        else if (!utf8_is_id(text))
            complain(d, &here, ACCORD_E_TEXT_INVALID,
                     "a field's name must not hold control characters");
        else
            entries[at].name = keep(d, text);
        decode_entry(d, &here, field->element, member, &entries[at]);
        at++;
    }
    *ret = (struct json_array){entries, count};
}

static size_t size_of_kind(enum json_kind kind)
{
    switch (kind) {
    case JSON_KIND_STRING:
    case JSON_KIND_ID:
    case JSON_KIND_SLUG:
    case JSON_KIND_RAW:
        return sizeof(struct slice);
    case JSON_KIND_INT:
    case JSON_KIND_AMOUNT:
    case JSON_KIND_DECIMAL:
        return sizeof(int64_t);
    case JSON_KIND_BOOL:
        return sizeof(bool);
    case JSON_KIND_TIME:
        return sizeof(instant_us);
    case JSON_KIND_CURRENCY:
        return sizeof(struct accord_currency);
    case JSON_KIND_ENUM:
        return sizeof(int);
    case JSON_KIND_ARRAY:
    case JSON_KIND_MAP:
        return sizeof(struct json_array);
    case JSON_KIND_OBJECT:
        break; /* its spec says */
    }
    return 0;
}

static void decode_object(struct decoder *d, const struct path *path,
                          const struct json_object *spec, json_t *value, char *ret);
static void decode_value(struct decoder *d, const struct path *path, const struct json_field *field,
                         json_t *value, void *ret);

static void decode_array(struct decoder *d, const struct path *path, const struct json_field *field,
                         json_t *value, struct json_array *ret)
{
    if (!json_is_array(value)) {
        complain(d, path, ACCORD_E_TYPE_WRONG, "must be an array");
        return;
    }
    const size_t count = json_array_size(value);
    if (!count_fits(d, path, field, count, "elements"))
        return;
    const size_t size =
        field->object != NULL ? field->object->size : size_of_kind(field->element->kind);
    char *items = allocate(d, count, size);
    if (items == NULL)
        return;
    for (size_t i = 0; i < count && d->failure == ACCORD_OK; i++) {
        const struct path here = {.up = path, .index = i};
        if (field->object != NULL)
            decode_object(d, &here, field->object, json_array_get(value, i), items + i * size);
        else
            decode_value(d, &here, field->element, json_array_get(value, i), items + i * size);
    }
    *ret = (struct json_array){items, count};
}

static void decode_value(struct decoder *d, const struct path *path, const struct json_field *field,
                         json_t *value, void *ret)
{
    switch (field->kind) {
    case JSON_KIND_STRING:
    case JSON_KIND_ID:
        decode_text(d, path, field, value, ret);
        return;
    case JSON_KIND_INT:
    case JSON_KIND_AMOUNT:
        decode_int(d, path, field, value, ret);
        return;
    case JSON_KIND_DECIMAL:
        decode_decimal(d, path, field, value, ret);
        return;
    case JSON_KIND_BOOL:
        if (json_is_boolean(value))
            *(bool *)ret = json_is_true(value);
        else
            complain(d, path, ACCORD_E_TYPE_WRONG, "must be true or false");
        return;
    case JSON_KIND_TIME:
        decode_time(d, path, value, ret);
        return;
    case JSON_KIND_CURRENCY:
        decode_currency(d, path, value, ret);
        return;
    case JSON_KIND_ENUM:
        decode_enum(d, path, field, value, ret);
        return;
    case JSON_KIND_SLUG:
        decode_slug(d, path, value, ret);
        return;
    case JSON_KIND_OBJECT:
        decode_object(d, path, field->object, value, ret);
        return;
    case JSON_KIND_ARRAY:
        decode_array(d, path, field, value, ret);
        return;
    case JSON_KIND_MAP:
        decode_map(d, path, field, value, ret);
        return;
    case JSON_KIND_RAW:
        decode_raw(d, path, value, ret);
        return;
    }
}

/* An optional field is absent: gives it the table's value, if there is one. */
static void fall_back(const struct json_field *field, char *ret)
{
    if (!field->has_fallback)
        return;
    void *at = ret + field->offset;
    switch (field->kind) {
    case JSON_KIND_INT:
    case JSON_KIND_AMOUNT:
    case JSON_KIND_DECIMAL:
    case JSON_KIND_TIME:
        *(int64_t *)at = field->fallback;
        return;
    case JSON_KIND_BOOL:
        *(bool *)at = field->fallback != 0;
        return;
    case JSON_KIND_ENUM:
        *(int *)at = (int)field->fallback;
        return;
    case JSON_KIND_STRING:
    case JSON_KIND_ID:
    case JSON_KIND_CURRENCY:
    case JSON_KIND_SLUG:
    case JSON_KIND_OBJECT:
    case JSON_KIND_ARRAY:
    case JSON_KIND_MAP:
    case JSON_KIND_RAW:
        return; /* absence shows in the value itself */
    }
}

/* What an open object keeps of the fields it does not know. */
struct unknown {
    struct json_tree_member *members;
    size_t count;
};

static void write_rest(struct decoder *d, const struct path *path, const struct unknown *unknown,
                       struct slice *ret)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    const enum accord_error error =
        json_tree_write_members(d->arena, &d->tree, unknown->members, unknown->count, &out);
    if (error == ACCORD_E_TEXT_INVALID)
        complain(d, path, error, "an unknown field holds U+0000");
    else if (error != ACCORD_OK || buf_error(&out) != ACCORD_OK)
        d->failure = ACCORD_E_OUT_OF_MEMORY;
    else
        *ret = keep(d, buf_slice(&out));
    buf_done(&out);
}

static size_t find_field(const struct json_object *spec, const char *name)
{
    size_t i = 0;
    while (i < spec->count && strcmp(spec->fields[i].name, name) != 0)
        i++;
    return i;
}

static void meet_unknown(struct decoder *d, const struct path *path, const struct json_object *spec,
                         json_t *object, const char *name, json_t *member, struct unknown *unknown)
{
    if (!spec->open) {
        complain(d, path, ACCORD_E_FIELD_UNKNOWN, "is not a field of this object");
        return;
    }
    if (spec->rest == SIZE_MAX)
        return;
    if (unknown->members == NULL)
        unknown->members = allocate(d, json_object_size(object), sizeof *unknown->members);
    if (unknown->members != NULL)
        unknown->members[unknown->count++] =
            (struct json_tree_member){.name = slice_of(name), .value = member};
}

static void decode_object(struct decoder *d, const struct path *path,
                          const struct json_object *spec, json_t *value, char *ret)
{
    if (!json_is_object(value)) {
        complain(d, path, ACCORD_E_TYPE_WRONG, "must be an object");
        return;
    }
    if (spec->count > JSON_FIELDS_MAX) {
        d->failure = ACCORD_E_INTERNAL;
        return;
    }
    bool seen[JSON_FIELDS_MAX] = {false};
    bool present[JSON_FIELDS_MAX] = {false};
    struct unknown unknown = {NULL, 0};
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        if (d->failure != ACCORD_OK)
            return;
        const struct path here = {.up = path, .name = name};
        const size_t i = find_field(spec, name);
        if (i == spec->count) {
            meet_unknown(d, &here, spec, value, name, member, &unknown);
            continue;
        }
        const struct json_field *field = &spec->fields[i];
        seen[i] = true;
        present[i] = !(json_is_null(member) && field->optional &&
                       (field->nullable_as_absent || spec->nulls_absent));
        if (!present[i])
            continue;
        decode_value(d, &here, field, member, ret + field->offset);
        if (field->has_offset != SIZE_MAX)
            *(bool *)(ret + field->has_offset) = true;
    }
    for (size_t i = 0; i < spec->count; i++) {
        const struct path here = {.up = path, .name = spec->fields[i].name};
        if (!present[i])
            fall_back(&spec->fields[i], ret);
        if (!seen[i] && !spec->fields[i].optional)
            complain(d, &here, ACCORD_E_FIELD_MISSING, "is required");
    }
    if (unknown.count > 0)
        write_rest(d, path, &unknown, (struct slice *)(void *)(ret + spec->rest));
}

/* A text that is no tree: one problem, with its place. */
static void complain_of_text(struct decoder *d, struct slice text, enum accord_error error,
                             const struct json_fault *fault)
{
    char pointer[JSON_POINTER_MAX];
    render(d, NULL, pointer);
    if (error != ACCORD_E_JSON_INVALID) {
        json_scan_pointer(text, fault->place, pointer, sizeof pointer);
        json_problem_add(d->problems, error, pointer, "%s", fault->reason);
        return;
    }
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < fault->place && i < text.len; i++) {
        column = text.data[i] == '\n' ? 1 : column + 1;
        line += text.data[i] == '\n';
    }
    json_problem_add(d->problems, error, pointer, "line %zu, byte %zu: %s", line, column,
                     fault->reason);
}

enum accord_error json_decode(struct arena *arena, struct slice text,
                              const struct json_object *spec, const char *prefix, void *ret,
                              struct json_problems *problems)
{
    struct decoder d = {.arena = arena, .prefix = prefix, .problems = problems};
    struct json_fault fault = {0, NULL};
    text = json_without_bom(text);
    const enum accord_error error = json_tree_load(arena, text, &d.tree, &fault);
    if (error == ACCORD_E_OUT_OF_MEMORY)
        return error;
    if (error != ACCORD_OK) {
        complain_of_text(&d, text, error, &fault);
        return error == ACCORD_E_JSON_INVALID ? error : ACCORD_E_FIELDS_INVALID;
    }
    const size_t before = problems->total;
    const struct path document = {.up = NULL};
    void *work = allocate(&d, 1, spec->size);
    if (work != NULL)
        decode_object(&d, &document, spec, d.tree.root, work);
    json_tree_done(&d.tree);
    if (d.failure != ACCORD_OK)
        return d.failure;
    if (problems->total != before)
        return ACCORD_E_FIELDS_INVALID;
    memcpy(ret, work, spec->size);
    return ACCORD_OK;
}
