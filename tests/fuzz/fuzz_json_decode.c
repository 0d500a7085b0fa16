/* Whatever the bytes: what is decoded keeps the table's bounds; what is refused names a problem;
 * canonical text is a fixed point with the meaning of the original. */
#include <jansson.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "json/decode.h"

struct line_body {
    struct slice line_id;
    int64_t paid;
};
static const struct json_field line_fields[] = {
    JSON_ID(struct line_body, line_id, 1, 8),
    JSON_AMOUNT(struct line_body, paid),
};
static const struct json_object line_spec = JSON_OBJECT(struct line_body, line_fields);

static const char *const levels[] = {"all", "beginner", NULL};
static const struct json_field tag = JSON_ELEMENT(JSON_KIND_STRING, 0, 10);
static const struct json_field number = JSON_ELEMENT(JSON_KIND_INT, -5, 5);

/* Names of one letter, so that a fuzzer finds them. */
struct body {
    struct slice a, b, c, d, rest;
    int64_t i, q, m, r;
    bool has_m, has_r, t, has_e, has_w, has_o;
    int e;
    instant_us w;
    struct accord_currency y;
    struct line_body o;
    struct json_array l, g, n, x;
};
static const struct json_field fields[] = {
    JSON_ID_OPT(struct body, a, 1, 8),
    JSON_STRING_OPT(struct body, b, 0, 20),
    JSON_RAW_OPT(struct body, c),
    JSON_SLUG_OPT(struct body, d),
    JSON_INT_OR(struct body, i, INT64_MIN, INT64_MAX, 7),
    JSON_INT_OR(struct body, q, 1, 100, 1),
    JSON_AMOUNT_OPT(struct body, m, has_m),
    JSON_DECIMAL_OPT(struct body, r, has_r, 3, -100, 5000),
    JSON_BOOLEAN_OR(struct body, t, true),
    JSON_ENUM_OPT(struct body, e, has_e, levels),
    JSON_TIME_OPT(struct body, w, has_w),
    JSON_CURRENCY_OPT(struct body, y),
    JSON_SUB_OPT(struct body, o, has_o, &line_spec),
    JSON_ARRAY_OF_OPT(struct body, l, &line_spec, 1, 3),
    JSON_ARRAY_SCALAR_OPT(struct body, g, &tag, 0, 3),
    JSON_ARRAY_SCALAR_OPT(struct body, n, &number, 0, 3),
    JSON_MAP_OPT(struct body, x, NULL, 0, 3),
};
static const struct json_object closed = JSON_OBJECT(struct body, fields);
static const struct json_object open = JSON_OBJECT_OPEN(struct body, fields, rest);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void must_be_canonical(struct arena *arena, struct slice text)
{
    struct slice again;
    must(json_canonical(arena, text, &again) == ACCORD_OK && slice_equal(text, again));
}

static void must_be_text(struct slice text, size_t max)
{
    must(text.len <= max && (text.data == NULL || text.data[text.len] == '\0') &&
         utf8_is_text(text));
}

static void see_body(struct arena *arena, const struct body *body)
{
    must_be_text(body->a, 8);
    must(utf8_is_id(body->a));
    must_be_text(body->b, 20);
    must_be_text(body->d, 63);
    if (body->c.data != NULL)
        must_be_canonical(arena, body->c);
    if (body->rest.data != NULL)
        must_be_canonical(arena, body->rest);
    must(body->q >= 1 && body->q <= 100);
    must(body->m >= 0 && body->m <= ACCORD_AMOUNT_MAX);
    must(body->r >= -100 && body->r <= 5000);
    must(body->e >= 0 && body->e <= 1);
    must(body->l.count <= 3 && body->g.count <= 3 && body->n.count <= 3 && body->x.count <= 3);
    for (size_t i = 0; i < body->l.count; i++)
        must(((struct line_body *)body->l.items)[i].line_id.len > 0);
    for (size_t i = 0; i < body->g.count; i++)
        must_be_text(((struct slice *)body->g.items)[i], 10);
    for (size_t i = 0; i < body->n.count; i++)
        must(((int64_t *)body->n.items)[i] >= -5 && ((int64_t *)body->n.items)[i] <= 5);
    for (size_t i = 0; i < body->x.count; i++) {
        const struct json_entry *entry = &((struct json_entry *)body->x.items)[i];
        must(entry->name.len > 0 && utf8_is_id(entry->name) && utf8_is_text(entry->value));
    }
}

static void decode(struct slice text, const struct json_object *spec)
{
    struct arena *arena = arena_new(1u << 26);
    static struct json_problems problems;
    struct body body;
    must(arena != NULL);
    problems.count = 0;
    problems.total = 0;
    const enum accord_error error = json_decode(arena, text, spec, "/0", &body, &problems);
    must((problems.total == 0) == (error == ACCORD_OK));
    must(error == ACCORD_OK || error == ACCORD_E_JSON_INVALID || error == ACCORD_E_FIELDS_INVALID);
    for (size_t i = 0; i < problems.count; i++) {
        must(utf8_valid(slice_of(problems.items[i].pointer)) &&
             utf8_valid(slice_of(problems.items[i].message)) &&
             strncmp(problems.items[i].pointer, "/0", 2) == 0);
    }
    if (error == ACCORD_OK)
        see_body(arena, &body);
    arena_free(arena);
}

/* Canonical text against jansson's own reading of both. */
static void compare(struct slice text)
{
    struct arena *arena = arena_new(1u << 26);
    struct slice canonical;
    json_error_t error;
    must(arena != NULL);
    if (json_canonical(arena, text, &canonical) == ACCORD_OK) {
        must(canonical.len <= text.len);
        must_be_canonical(arena, canonical);
        json_t *before = json_loadb(text.data, text.len, JSON_DECODE_ANY, &error);
        json_t *after = json_loadb(canonical.data, canonical.len, JSON_DECODE_ANY, &error);
        if (before != NULL) /* else a huge number, or a byte order mark */
            must(json_equal(before, after));
        json_decref(before);
        json_decref(after);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = {(const char *)data, size};
    char kind[8];
    decode(text, &closed);
    decode(text, &open);
    compare(text);
    if (json_peek_text(text, "a", kind, sizeof kind))
        must(strlen(kind) < sizeof kind);
    return 0;
}
