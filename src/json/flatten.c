#include "json/flatten.h"

#include "json/tree.h"

struct flattening {
    struct arena *arena;
    const struct json_tree *tree;
    json_scalar_fn *each;
    void *context;
};

/* "/" and the name of a member, escaped as RFC 6901 has it. */
static char *member_pointer(struct arena *arena, const char *pointer, const char *name)
{
    struct buf text;
    buf_init(&text, (size_t)1 << 20);
    buf_add_str(&text, pointer);
    buf_add_char(&text, '/');
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '~')
            buf_add_str(&text, "~0");
        else if (*at == '/')
            buf_add_str(&text, "~1");
        else
            buf_add_char(&text, *at);
    }
    char *copy = buf_error(&text) == ACCORD_OK ? arena_strdup(arena, buf_slice(&text)) : NULL;
    buf_done(&text);
    return copy;
}

static enum accord_error scalar(const struct flattening *f, const char *pointer,
                                const json_t *value)
{
    if (json_is_string(value))
        return f->each(f->context, pointer, json_tree_string(value), true);
    if (json_is_null(value))
        return f->each(f->context, pointer, SLICE(""), false);
    struct buf text;
    buf_init(&text, (size_t)1 << 20);
    enum accord_error error = json_tree_write(f->arena, f->tree, value, &text);
    if (error == ACCORD_OK)
        error = buf_error(&text);
    if (error == ACCORD_OK)
        error = f->each(f->context, pointer, buf_slice(&text), false);
    buf_done(&text);
    return error;
}

/* Depth is bounded by the scan that made the tree. */
static enum accord_error walk(const struct flattening *f, const char *pointer, json_t *value)
{
    enum accord_error error = ACCORD_OK;
    if (json_is_array(value)) {
        for (size_t i = 0; error == ACCORD_OK && i < json_array_size(value); i++) {
            const char *place = arena_printf(f->arena, "%s/%zu", pointer, i);
            error =
                place == NULL ? ACCORD_E_OUT_OF_MEMORY : walk(f, place, json_array_get(value, i));
        }
        return error;
    }
    if (!json_is_object(value))
        return scalar(f, pointer, value);
    for (void *i = json_object_iter(value); error == ACCORD_OK && i != NULL;
         i = json_object_iter_next(value, i)) {
        const char *place = member_pointer(f->arena, pointer, json_object_iter_key(i));
        error = place == NULL ? ACCORD_E_OUT_OF_MEMORY : walk(f, place, json_object_iter_value(i));
    }
    return error;
}

enum accord_error json_flatten(struct arena *arena, struct slice text, json_scalar_fn *each,
                               void *context)
{
    struct json_tree tree;
    struct json_fault fault;
    enum accord_error error = json_tree_load(arena, text, &tree, &fault);
    if (error != ACCORD_OK)
        return error;
    const struct flattening flattening = {arena, &tree, each, context};
    error = walk(&flattening, "", tree.root);
    json_tree_done(&tree);
    return error;
}
