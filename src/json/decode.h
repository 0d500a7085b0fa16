/**
 * Typed decoding: a table of fields bound to a C struct, every error reported at once.
 *
 *     struct refund_body { struct slice order_id; int64_t amount; bool has_amount; };
 *     static const struct json_field refund_fields[] = {
 *         JSON_STRING(struct refund_body, order_id, 1, 128),
 *         JSON_OPTIONAL(JSON_AMOUNT(struct refund_body, amount), struct refund_body, has_amount),
 *     };
 *     static const struct json_object refund_spec = JSON_OBJECT(struct refund_body, refund_fields);
 *
 * Numbers must be plain integers: a fraction or an exponent is refused wherever an integer is due.
 * Strings must be UTF-8 without U+0000. Duplicate keys, depth over 32 and unknown fields (unless
 * the object is open) are refused. Everything decoded lives in the arena.
 */
#ifndef JSON_DECODE_H
#define JSON_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"
#include "accord/money.h"
#include "base/arena.h"
#include "base/clock.h"

enum { JSON_POINTER_MAX = 256, JSON_MESSAGE_MAX = 160, JSON_PROBLEMS_MAX = 32 };

struct json_problem {
    char pointer[JSON_POINTER_MAX]; /**< RFC 6901, "" is the whole document */
    enum accord_error code;
    char message[JSON_MESSAGE_MAX];
};

struct json_problems {
    struct json_problem items[JSON_PROBLEMS_MAX];
    size_t count; /**< stored */
    size_t total; /**< found; more than `count` when some were left off */
};

/** Adds a problem (also for domain checks after decoding). */
void json_problem_add(struct json_problems *problems, enum accord_error code, const char *pointer,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

enum json_kind {
    JSON_KIND_STRING,   /**< struct slice; min..max bytes, NUL-terminated behind its end */
    JSON_KIND_INT,      /**< int64_t; min..max */
    JSON_KIND_BOOL,     /**< bool */
    JSON_KIND_TIME,     /**< instant_us, from RFC 3339 */
    JSON_KIND_CURRENCY, /**< struct accord_currency */
    JSON_KIND_ENUM,     /**< int: index into `names`, NULL-terminated */
    JSON_KIND_SLUG,     /**< struct slice: [a-z0-9][a-z0-9_-]{0,62} */
    JSON_KIND_OBJECT,   /**< embedded struct of `object` */
    JSON_KIND_ARRAY,    /**< struct json_array; elements per `element` */
    JSON_KIND_RAW,      /**< struct slice: canonical JSON text of any value */
};

struct json_array {
    void *items; /**< contiguous elements of the element's C type */
    size_t count;
};

struct json_object;

struct json_field {
    const char *name;
    enum json_kind kind;
    size_t offset;
    bool optional;
    bool nullable_as_absent; /**< null counts as absent (optional fields only) */
    size_t has_offset;       /**< bool set when present; SIZE_MAX: none */
    int64_t min;             /**< value, bytes or elements */
    int64_t max;
    const char *const *names;         /**< ENUM */
    const struct json_object *object; /**< OBJECT, or element object of ARRAY */
    const struct json_field *element; /**< ARRAY of scalars: its kind, min, max, names */
};

struct json_object {
    const struct json_field *fields;
    size_t count;
    size_t size; /**< of the C struct */
    bool open;   /**< unknown fields are passed over */
    size_t rest; /**< open: offset of a struct slice that gets the unknown fields as canonical
                      JSON object text; SIZE_MAX: drop them */
};

/* clang-format off */
#define JSON_FIELD(type, member, k, lo, hi) \
    {.name = #member, .kind = (k), .offset = offsetof(type, member), .has_offset = SIZE_MAX, \
     .min = (lo), .max = (hi)}
#define JSON_STRING(type, member, lo, hi) JSON_FIELD(type, member, JSON_KIND_STRING, lo, hi)
#define JSON_INT(type, member, lo, hi) JSON_FIELD(type, member, JSON_KIND_INT, lo, hi)
/** 0 .. ACCORD_AMOUNT_MAX; out of it is `amount_out_of_range`. */
#define JSON_AMOUNT(type, member) JSON_FIELD(type, member, JSON_KIND_INT, 0, ACCORD_AMOUNT_MAX)
#define JSON_BOOLEAN(type, member) JSON_FIELD(type, member, JSON_KIND_BOOL, 0, 0)
#define JSON_TIME(type, member) JSON_FIELD(type, member, JSON_KIND_TIME, 0, 0)
#define JSON_CURRENCY(type, member) JSON_FIELD(type, member, JSON_KIND_CURRENCY, 0, 0)
#define JSON_SLUG(type, member) JSON_FIELD(type, member, JSON_KIND_SLUG, 1, 63)
#define JSON_RAW(type, member) JSON_FIELD(type, member, JSON_KIND_RAW, 0, 0)
#define JSON_ENUM(type, member, list) \
    {.name = #member, .kind = JSON_KIND_ENUM, .offset = offsetof(type, member), \
     .has_offset = SIZE_MAX, .names = (list)}
#define JSON_SUB(type, member, spec) \
    {.name = #member, .kind = JSON_KIND_OBJECT, .offset = offsetof(type, member), \
     .has_offset = SIZE_MAX, .object = (spec)}
#define JSON_ARRAY_OF(type, member, spec, lo, hi) \
    {.name = #member, .kind = JSON_KIND_ARRAY, .offset = offsetof(type, member), \
     .has_offset = SIZE_MAX, .min = (lo), .max = (hi), .object = (spec)}
#define JSON_ARRAY_SCALAR(type, member, elem, lo, hi) \
    {.name = #member, .kind = JSON_KIND_ARRAY, .offset = offsetof(type, member), \
     .has_offset = SIZE_MAX, .min = (lo), .max = (hi), .element = (elem)}
#define JSON_OBJECT(type, list) \
    {.fields = (list), .count = sizeof(list) / sizeof((list)[0]), .size = sizeof(type), \
     .rest = SIZE_MAX}
/* clang-format on */
/* An optional field is written with designated initializers added by the table's author:
 *     {.name = "tax", .kind = JSON_KIND_INT, .offset = …, .optional = true, .has_offset = …} */

/**
 * Decodes one JSON text into *ret (of spec->size, zeroed first).
 *
 * @param problems  appended to; pointers are prefixed with `prefix` ("" or "/3")
 * @return ACCORD_OK; ACCORD_E_JSON_INVALID when the text is no JSON (one problem with the place);
 *         ACCORD_E_FIELDS_INVALID when problems were added; ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error json_decode(struct arena *arena, struct slice text,
                              const struct json_object *spec, const char *prefix, void *ret,
                              struct json_problems *problems);

/**
 * Rewrites one JSON text canonically: keys sorted bytewise, no blanks, shortest escapes. Numbers
 * keep their text. Used for hashes and for what is stored as a body.
 */
enum accord_error json_canonical(struct arena *arena, struct slice text, struct slice *ret);

#endif
