#include "json/tree.h"

#include <inttypes.h>
#include <stdlib.h>

#include "json/decode.h"
#include "json/scan.h"
#include "json/write.h"

/* jansson reads a number with a fraction or exponent as a double, and fails on an integer beyond
 * int64. So each of these is replaced, in a copy of the text, by a short real of the same length;
 * afterwards the reals of the tree, in document order, get their place in `numbers` as value. */
static struct slice replace_numbers(struct arena *arena, struct slice text,
                                    const struct json_numbers *numbers)
{
    char *copy = arena_strdup(arena, text);
    if (copy == NULL)
        return (struct slice){NULL, 0};
    for (size_t i = 0; i < numbers->count; i++) {
        char *number = copy + (numbers->items[i].data - text.data);
        memset(number, ' ', numbers->items[i].len);
        number[0] = '0'; /* such a number has three characters at least */
        number[1] = 'e';
        number[2] = '0';
    }
    return (struct slice){copy, text.len};
}

/* Objects keep the order of the text (and a name never stands twice), so this walk meets the reals
 * in the order the scan met them. Depth is bounded by the scan. */
static void number_reals(json_t *value, size_t *place)
{
    if (json_is_real(value)) {
        json_real_set(value, (double)(*place)++);
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            number_reals(json_array_get(value, i), place);
    } else if (json_is_object(value)) {
        for (void *i = json_object_iter(value); i != NULL; i = json_object_iter_next(value, i))
            number_reals(json_object_iter_value(i), place);
    }
}

static enum accord_error scan_text(struct arena *arena, struct slice text,
                                   struct json_numbers *numbers, struct json_fault *fault)
{
    struct json_scanner scanner = {.text = text, .line = 1, .numbers = numbers};
    json_scan_blanks(&scanner);
    if (scanner.at == text.len)
        scanner.reason = "the text is empty";
    else if (json_scan_value(&scanner, JSON_DEPTH_MAX)) {
        json_scan_blanks(&scanner);
        if (scanner.at < text.len)
            scanner.reason = "something follows the end of the JSON text";
    }
    if (scanner.reason != NULL) {
        *fault = (struct json_fault){scanner.at, scanner.reason};
        return ACCORD_E_JSON_INVALID;
    }
    if (numbers->count <= numbers->cap)
        return ACCORD_OK;
    /* More than fitted: make room for all, and look again. */
    numbers->cap = numbers->count;
    numbers->items = arena_array(arena, numbers->cap, sizeof *numbers->items);
    if (numbers->items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    numbers->count = 0;
    return scan_text(arena, text, numbers, fault);
}

/* The scan took the text, so few things are left that jansson can dislike. */
static enum accord_error explain(const json_error_t *error, struct json_fault *fault)
{
    fault->place = error->position > 0 ? (size_t)error->position : 0;
    const enum json_error_code code = json_error_code(error);
    if (code == json_error_duplicate_key) {
        fault->reason = "the field stands twice";
        return ACCORD_E_FIELD_DUPLICATE;
    }
    if (code == json_error_invalid_utf8) {
        fault->reason = "not UTF-8";
        return ACCORD_E_JSON_INVALID;
    }
    if (code == json_error_null_byte_in_key) {
        fault->reason = "a field's name holds U+0000";
        return ACCORD_E_TEXT_INVALID;
    }
    if (code == json_error_invalid_syntax) {
        fault->reason = "an escape is half of a surrogate pair";
        return ACCORD_E_TEXT_INVALID;
    }
    return ACCORD_E_OUT_OF_MEMORY;
}

enum accord_error json_tree_load(struct arena *arena, struct slice text, struct json_tree *ret,
                                 struct json_fault *ret_fault)
{
    struct slice few[16];
    struct json_numbers numbers = {.items = few, .cap = sizeof few / sizeof few[0]};
    enum accord_error error = scan_text(arena, text, &numbers, ret_fault);
    if (error != ACCORD_OK)
        return error;
    struct slice readable = text;
    struct slice *kept = NULL;
    if (numbers.count > 0) {
        readable = replace_numbers(arena, text, &numbers);
        kept = arena_array(arena, numbers.count, sizeof *kept);
        if (readable.data == NULL || kept == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        memcpy(kept, numbers.items, numbers.count * sizeof *kept);
    }
    json_error_t trouble;
    json_t *root = json_loadb(readable.data, readable.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &trouble);
    if (root == NULL)
        return explain(&trouble, ret_fault);
    if (numbers.count > 0) {
        size_t place = 0;
        number_reals(root, &place);
    }
    *ret = (struct json_tree){.root = root, .numbers = kept};
    return ACCORD_OK;
}

void json_tree_done(struct json_tree *tree)
{
    json_decref(tree->root);
    tree->root = NULL;
}

struct slice json_tree_number(const struct json_tree *tree, const json_t *real)
{
    return tree->numbers[(size_t)json_real_value(real)];
}

struct slice json_tree_string(const json_t *string)
{
    return (struct slice){json_string_value(string), json_string_length(string)};
}

static int compare_members(const void *a, const void *b)
{
    return slice_compare(((const struct json_tree_member *)a)->name,
                         ((const struct json_tree_member *)b)->name);
}

enum accord_error json_tree_write_members(struct arena *arena, const struct json_tree *tree,
                                          struct json_tree_member *members, size_t count,
                                          struct buf *out)
{
    if (count > 1)
        qsort(members, count, sizeof *members, compare_members);
    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        json_escape(out, members[i].name);
        buf_add_char(out, ':');
        const enum accord_error error = json_tree_write(arena, tree, members[i].value, out);
        if (error != ACCORD_OK)
            return error;
    }
    buf_add_char(out, '}');
    return ACCORD_OK;
}

static enum accord_error write_object(struct arena *arena, const struct json_tree *tree,
                                      const json_t *value, struct buf *out)
{
    const size_t count = json_object_size(value);
    struct json_tree_member *members = arena_array(arena, count, sizeof *members);
    if (members == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t at = 0;
    /* jansson's iterator takes the object without const, and does not change it. */
    json_t *object = (json_t *)(uintptr_t)value;
    for (void *i = json_object_iter(object); i != NULL && at < count;
         i = json_object_iter_next(object, i), at++)
        members[at] =
            (struct json_tree_member){slice_of(json_object_iter_key(i)), json_object_iter_value(i)};
    return json_tree_write_members(arena, tree, members, at, out);
}

static enum accord_error write_array(struct arena *arena, const struct json_tree *tree,
                                     const json_t *value, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (i > 0)
            buf_add_char(out, ',');
        const enum accord_error error = json_tree_write(arena, tree, json_array_get(value, i), out);
        if (error != ACCORD_OK)
            return error;
    }
    buf_add_char(out, ']');
    return ACCORD_OK;
}

enum accord_error json_tree_write(struct arena *arena, const struct json_tree *tree,
                                  const json_t *value, struct buf *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return write_object(arena, tree, value, out);
    case JSON_ARRAY:
        return write_array(arena, tree, value, out);
    case JSON_STRING:
        if (memchr(json_string_value(value), '\0', json_string_length(value)) != NULL)
            return ACCORD_E_TEXT_INVALID;
        json_escape(out, json_tree_string(value));
        return ACCORD_OK;
    case JSON_INTEGER:
        buf_printf(out, "%" PRId64, (int64_t)json_integer_value(value));
        return ACCORD_OK;
    case JSON_REAL:
        buf_add_slice(out, json_tree_number(tree, value));
        return ACCORD_OK;
    case JSON_TRUE:
        buf_add_str(out, "true");
        return ACCORD_OK;
    case JSON_FALSE:
        buf_add_str(out, "false");
        return ACCORD_OK;
    case JSON_NULL:
        buf_add_str(out, "null");
        return ACCORD_OK;
    }
    return ACCORD_E_INTERNAL;
}
