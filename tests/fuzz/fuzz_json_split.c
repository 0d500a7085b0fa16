/* Every element lies inside the text, in order; an array that is taken whole is one that jansson
 * takes, with as many elements; and one that jansson takes is refused for its depth only. */
#include <jansson.h>
#include <stdlib.h>

#include "json/decode.h"
#include "json/split.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Runs to the end; the number of elements, or -1 when the text was refused. */
static long run(struct slice text, enum json_split_shape shape, const char *member)
{
    struct json_splitter s;
    struct slice element;
    const char *before = text.data;
    uint64_t line = 1;
    uint64_t index = 0;
    long count = 0;
    if (json_split_begin(&s, text, shape, member, 4096) != ACCORD_OK) {
        must(s.reason != NULL && s.error_at <= text.len);
        return -1;
    }
    for (;;) {
        const enum accord_error error = json_split_next(&s, &element);
        if (error == ACCORD_E_JSON_INVALID && shape == JSON_SPLIT_ARRAY) {
            must(s.reason != NULL && json_split_next(&s, &element) == error);
            return -1;
        }
        if (error == ACCORD_OK && element.data == NULL)
            return count;
        must(s.line >= line && s.index == index);
        line = s.line;
        index++;
        count++;
        if (error != ACCORD_OK) {
            must(s.reason != NULL && s.error_at <= text.len);
            continue;
        }
        must(element.data >= before && element.len > 0 && element.len <= 4096);
        before = element.data + element.len;
        must(before <= text.data + text.len);
    }
}

static unsigned depth_of(const json_t *value)
{
    unsigned deepest = 0;
    size_t i;
    json_t *element;
    const char *name;
    if (json_is_array(value)) {
        json_array_foreach(value, i, element)
        {
            const unsigned depth = depth_of(element);
            deepest = depth > deepest ? depth : deepest;
        }
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, name, element)
        {
            const unsigned depth = depth_of(element);
            deepest = depth > deepest ? depth : deepest;
        }
    } else {
        return 0;
    }
    return deepest + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = {(const char *)data, size};
    const long count = run(text, JSON_SPLIT_ARRAY, NULL);
    run(text, JSON_SPLIT_ARRAY, "courses");
    run(text, JSON_SPLIT_NDJSON, NULL);

    json_error_t error;
    json_t *tree = json_loadb(text.data == NULL ? "" : text.data, text.len,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (size > 0 && memchr(data, 0, size) != NULL) {
        must(count < 0); /* jansson passes over U+0000 behind a number */
    } else if (json_is_array(tree)) {
        if (count < 0)
            must(depth_of(tree) > JSON_DEPTH_MAX + 1);
        else
            must((size_t)count == json_array_size(tree));
    } else if (count >= 0 && !(size >= 3 && data[0] == 0xef)) {
        /* What jansson minds about a sound array: what is inside its strings, or huge numbers. */
        const enum json_error_code code = json_error_code(&error);
        must(tree == NULL &&
             (code == json_error_invalid_utf8 || code == json_error_null_byte_in_key ||
              code == json_error_numeric_overflow || code == json_error_invalid_syntax));
    }
    json_decref(tree);
    return 0;
}
