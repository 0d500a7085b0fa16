/**
 * Typed decoding: a table of fields bound to a C struct, every error reported at once.
 *
 *     struct line_body { struct slice line_id; int64_t paid; int64_t tax; bool has_tax; };
 *     static const struct json_field line_fields[] = {
 *         JSON_ID(struct line_body, line_id, 1, 128),
 *         JSON_AMOUNT(struct line_body, paid),
 *         JSON_AMOUNT_OPT(struct line_body, tax, has_tax),
 *     };
 *     static const struct json_object line_spec = JSON_OBJECT(struct line_body, line_fields);
 *
 *     struct order_body {
 *         struct slice order_id, note;      // note.data is NULL when it is absent
 *         struct accord_currency currency;
 *         int64_t quantity;                 // 1 when it is absent
 *         struct json_array lines;          // of struct line_body
 *         struct slice extra;               // unknown fields as a canonical JSON object
 *     };
 *     static const struct json_field order_fields[] = {
 *         JSON_ID(struct order_body, order_id, 1, 128),
 *         JSON_STRING_OPT(struct order_body, note, 0, 4000),
 *         JSON_CURRENCY(struct order_body, currency),
 *         JSON_INT_OR(struct order_body, quantity, 1, 1000000, 1),
 *         JSON_ARRAY_OF(struct order_body, lines, &line_spec, 1, 2000),
 *     };
 *     static const struct json_object order_spec =
 *         JSON_OBJECT_OPEN(struct order_body, order_fields, extra);
 *
 * Whatever the table says: numbers are read from their text, never through a double; an integer is
 * plain digits (`-0` is 0; `1e2`, `1.0` and `19.90` are refused); one beyond int64 is out of range.
 * Text is UTF-8 without U+0000. Duplicate keys, nesting deeper than JSON_DEPTH_MAX and unknown
 * fields (unless the object is open) are refused. A byte order mark before the text is passed over.
 * Everything decoded lives in the arena. Thread-safe: no state but the arguments.
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

enum {
    JSON_POINTER_MAX = 256,
    JSON_MESSAGE_MAX = 160,
    JSON_PROBLEMS_MAX = 32,
    JSON_FIELDS_MAX = 64, /**< of one object's table */
    JSON_DEPTH_MAX = 32,  /**< arrays and objects inside one another, the outermost included */
};

struct json_problem {
    char pointer[JSON_POINTER_MAX]; /**< RFC 6901, "" is the whole document; cut when too long */
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
    JSON_KIND_STRING,   /**< struct slice; min..max bytes, NUL-terminated behind its end; free text:
                             no control characters but tab, line feed and carriage return */
    JSON_KIND_ID,       /**< the same without any control character: ids, names, labels */
    JSON_KIND_INT,      /**< int64_t; min..max */
    JSON_KIND_AMOUNT,   /**< int64_t; min..max, out of it is `amount_out_of_range` */
    JSON_KIND_DECIMAL,  /**< int64_t: a number or text such as 4.9 times 10^scale; min..max after
                             scaling. No exponent; more decimals than `scale` only when zeros */
    JSON_KIND_BOOL,     /**< bool */
    JSON_KIND_TIME,     /**< instant_us, from RFC 3339 */
    JSON_KIND_CURRENCY, /**< struct accord_currency */
    JSON_KIND_ENUM,     /**< int: index into `names`, NULL-terminated */
    JSON_KIND_SLUG,     /**< struct slice: [a-z0-9][a-z0-9_-]{0,62} */
    JSON_KIND_OBJECT,   /**< embedded struct of `object` */
    JSON_KIND_ARRAY,    /**< struct json_array; elements per `object` or `element` */
    JSON_KIND_MAP,      /**< struct json_array of struct json_entry, in the order of the text: an
                             object with names of the sender's choice; min..max members */
    JSON_KIND_RAW,      /**< struct slice: canonical JSON text of any value */
};

struct json_array {
    void *items; /**< contiguous elements of the element's C type; NULL only when absent */
    size_t count;
};

/** One member of a JSON_KIND_MAP. Names are 1..JSON_MAP_NAME_MAX bytes, no control characters. */
enum { JSON_MAP_NAME_MAX = 128 };
struct json_entry {
    struct slice name;
    struct slice value; /**< a text itself, or `true`, `false`, or the digits of an integer */
    bool is_text;
};

struct json_object;

struct json_field {
    const char *name;
    enum json_kind kind;
    size_t offset;
    bool optional;
    bool nullable_as_absent; /**< null counts as absent (optional fields only) */
    bool has_fallback;       /**< INT, AMOUNT, DECIMAL, BOOL, ENUM, TIME: value when absent */
    unsigned scale;          /**< DECIMAL: 0..9 */
    size_t has_offset;       /**< bool set when present; SIZE_MAX: none */
    int64_t min;             /**< value, bytes or elements */
    int64_t max;
    int64_t fallback;
    const char *const *names;         /**< ENUM */
    const struct json_object *object; /**< OBJECT, or element object of ARRAY */
    const struct json_field *element; /**< ARRAY of scalars: its kind, min, max, names. MAP: NULL
                                           (texts, integers and booleans) or a STRING or ID */
};

struct json_object {
    const struct json_field *fields;
    size_t count;      /**< at most JSON_FIELDS_MAX */
    size_t size;       /**< of the C struct */
    bool open;         /**< unknown fields are passed over */
    bool nulls_absent; /**< null in any optional field counts as absent */
    size_t rest;       /**< open: offset of a struct slice that gets the unknown fields as canonical
                            JSON object text (data NULL: there were none); SIZE_MAX: drop them */
};

/* clang-format off */

/* ---- required fields: the JSON name is the member's ---- */
#define JSON_FIELD_AS(json_name, type, member, k, lo, hi) \
    {.name = (json_name), .kind = (k), .offset = offsetof(type, member), .has_offset = SIZE_MAX, \
     .min = (lo), .max = (hi)}
#define JSON_FIELD(type, member, k, lo, hi) JSON_FIELD_AS(#member, type, member, k, lo, hi)
#define JSON_STRING(type, member, lo, hi) JSON_FIELD(type, member, JSON_KIND_STRING, lo, hi)
#define JSON_ID(type, member, lo, hi) JSON_FIELD(type, member, JSON_KIND_ID, lo, hi)
#define JSON_INT(type, member, lo, hi) JSON_FIELD(type, member, JSON_KIND_INT, lo, hi)
/** 0 .. ACCORD_AMOUNT_MAX; out of it is `amount_out_of_range`. */
#define JSON_AMOUNT(type, member) JSON_FIELD(type, member, JSON_KIND_AMOUNT, 0, ACCORD_AMOUNT_MAX)
#define JSON_BOOLEAN(type, member) JSON_FIELD(type, member, JSON_KIND_BOOL, 0, 0)
#define JSON_TIME(type, member) JSON_FIELD(type, member, JSON_KIND_TIME, 0, 0)
#define JSON_CURRENCY(type, member) JSON_FIELD(type, member, JSON_KIND_CURRENCY, 0, 0)
#define JSON_SLUG(type, member) JSON_FIELD(type, member, JSON_KIND_SLUG, 1, 63)
#define JSON_RAW(type, member) JSON_FIELD(type, member, JSON_KIND_RAW, 0, 0)
/** `lo` and `hi` in units of 10^-digits: 0..5000 with 3 digits takes 0 to 5.000. */
#define JSON_DECIMAL(type, member, digits, lo, hi) \
    {.name = #member, .kind = JSON_KIND_DECIMAL, .offset = offsetof(type, member), \
     .has_offset = SIZE_MAX, .scale = (digits), .min = (lo), .max = (hi)}
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
/** `elem`: NULL, or the STRING or ID that every value must be. */
#define JSON_MAP(type, member, elem, lo, hi) \
    {.name = #member, .kind = JSON_KIND_MAP, .offset = offsetof(type, member), \
     .has_offset = SIZE_MAX, .min = (lo), .max = (hi), .element = (elem)}

/* ---- optional fields whose C value itself shows absence: slice.data NULL, array.items NULL,
        currency.code "" ---- */
#define JSON_FIELD_OPT_AS(json_name, type, member, k, lo, hi) \
    {.name = (json_name), .kind = (k), .offset = offsetof(type, member), .optional = true, \
     .has_offset = SIZE_MAX, .min = (lo), .max = (hi)}
#define JSON_FIELD_OPT(type, member, k, lo, hi) JSON_FIELD_OPT_AS(#member, type, member, k, lo, hi)
#define JSON_STRING_OPT(type, member, lo, hi) JSON_FIELD_OPT(type, member, JSON_KIND_STRING, lo, hi)
#define JSON_ID_OPT(type, member, lo, hi) JSON_FIELD_OPT(type, member, JSON_KIND_ID, lo, hi)
#define JSON_CURRENCY_OPT(type, member) JSON_FIELD_OPT(type, member, JSON_KIND_CURRENCY, 0, 0)
#define JSON_SLUG_OPT(type, member) JSON_FIELD_OPT(type, member, JSON_KIND_SLUG, 1, 63)
#define JSON_RAW_OPT(type, member) JSON_FIELD_OPT(type, member, JSON_KIND_RAW, 0, 0)
#define JSON_ARRAY_OF_OPT(type, member, spec, lo, hi) \
    {.name = #member, .kind = JSON_KIND_ARRAY, .offset = offsetof(type, member), .optional = true, \
     .has_offset = SIZE_MAX, .min = (lo), .max = (hi), .object = (spec)}
#define JSON_ARRAY_SCALAR_OPT(type, member, elem, lo, hi) \
    {.name = #member, .kind = JSON_KIND_ARRAY, .offset = offsetof(type, member), .optional = true, \
     .has_offset = SIZE_MAX, .min = (lo), .max = (hi), .element = (elem)}
#define JSON_MAP_OPT(type, member, elem, lo, hi) \
    {.name = #member, .kind = JSON_KIND_MAP, .offset = offsetof(type, member), .optional = true, \
     .has_offset = SIZE_MAX, .min = (lo), .max = (hi), .element = (elem)}

/* ---- optional fields with a bool member `has` that is set when the field is present ---- */
#define JSON_FIELD_HAS_AS(json_name, type, member, has, k, lo, hi) \
    {.name = (json_name), .kind = (k), .offset = offsetof(type, member), .optional = true, \
     .has_offset = offsetof(type, has), .min = (lo), .max = (hi)}
#define JSON_FIELD_HAS(type, member, has, k, lo, hi) \
    JSON_FIELD_HAS_AS(#member, type, member, has, k, lo, hi)
#define JSON_INT_OPT(type, member, has, lo, hi) \
    JSON_FIELD_HAS(type, member, has, JSON_KIND_INT, lo, hi)
#define JSON_AMOUNT_OPT(type, member, has) \
    JSON_FIELD_HAS(type, member, has, JSON_KIND_AMOUNT, 0, ACCORD_AMOUNT_MAX)
#define JSON_BOOLEAN_OPT(type, member, has) JSON_FIELD_HAS(type, member, has, JSON_KIND_BOOL, 0, 0)
#define JSON_TIME_OPT(type, member, has) JSON_FIELD_HAS(type, member, has, JSON_KIND_TIME, 0, 0)
#define JSON_DECIMAL_OPT(type, member, has, digits, lo, hi) \
    {.name = #member, .kind = JSON_KIND_DECIMAL, .offset = offsetof(type, member), \
     .optional = true, .has_offset = offsetof(type, has), .scale = (digits), .min = (lo), \
     .max = (hi)}
#define JSON_ENUM_OPT(type, member, has, list) \
    {.name = #member, .kind = JSON_KIND_ENUM, .offset = offsetof(type, member), .optional = true, \
     .has_offset = offsetof(type, has), .names = (list)}
#define JSON_SUB_OPT(type, member, has, spec) \
    {.name = #member, .kind = JSON_KIND_OBJECT, .offset = offsetof(type, member), \
     .optional = true, .has_offset = offsetof(type, has), .object = (spec)}

/* ---- optional fields with a value to take when absent ---- */
#define JSON_FIELD_OR_AS(json_name, type, member, k, lo, hi, value) \
    {.name = (json_name), .kind = (k), .offset = offsetof(type, member), .optional = true, \
     .has_fallback = true, .has_offset = SIZE_MAX, .min = (lo), .max = (hi), .fallback = (value)}
#define JSON_INT_OR(type, member, lo, hi, value) \
    JSON_FIELD_OR_AS(#member, type, member, JSON_KIND_INT, lo, hi, value)
#define JSON_AMOUNT_OR(type, member, value) \
    JSON_FIELD_OR_AS(#member, type, member, JSON_KIND_AMOUNT, 0, ACCORD_AMOUNT_MAX, value)
#define JSON_BOOLEAN_OR(type, member, value) \
    JSON_FIELD_OR_AS(#member, type, member, JSON_KIND_BOOL, 0, 0, value)
#define JSON_ENUM_OR(type, member, list, value) \
    {.name = #member, .kind = JSON_KIND_ENUM, .offset = offsetof(type, member), .optional = true, \
     .has_fallback = true, .has_offset = SIZE_MAX, .fallback = (value), .names = (list)}

/** The element of a JSON_ARRAY_SCALAR, or of a JSON_MAP. */
#define JSON_ELEMENT(k, lo, hi) \
    {.name = "", .kind = (k), .has_offset = SIZE_MAX, .min = (lo), .max = (hi)}
#define JSON_ELEMENT_ENUM(list) \
    {.name = "", .kind = JSON_KIND_ENUM, .has_offset = SIZE_MAX, .names = (list)}

#define JSON_OBJECT(type, list) \
    {.fields = (list), .count = sizeof(list) / sizeof((list)[0]), .size = sizeof(type), \
     .rest = SIZE_MAX}
/** For what partners send as they have it: unknown fields go to the slice `rest_member`, and null
 *  in an optional field counts as absent. */
#define JSON_OBJECT_OPEN(type, list, rest_member) \
    {.fields = (list), .count = sizeof(list) / sizeof((list)[0]), .size = sizeof(type), \
     .open = true, .nulls_absent = true, .rest = offsetof(type, rest_member)}
/* clang-format on */

/**
 * Decodes one JSON text into *ret (of spec->size; unwritten on failure).
 *
 * @param problems  appended to; pointers are prefixed with `prefix` ("" or "/3")
 * @return ACCORD_OK; ACCORD_E_JSON_INVALID when the text is no JSON (one problem with the place);
 *         ACCORD_E_FIELDS_INVALID when problems were added; ACCORD_E_OUT_OF_MEMORY (also when the
 *         arena's maximum is reached)
 */
enum accord_error json_decode(struct arena *arena, struct slice text,
                              const struct json_object *spec, const char *prefix, void *ret,
                              struct json_problems *problems);

/**
 * Rewrites one JSON text canonically: keys sorted bytewise, no blanks, shortest escapes. Numbers
 * keep their text (only `-0` becomes 0). Idempotent; never longer than the text. Used for hashes
 * and for what is stored as a body.
 *
 * @return ACCORD_OK; ACCORD_E_JSON_INVALID; ACCORD_E_FIELD_DUPLICATE; ACCORD_E_TEXT_INVALID
 *         (U+0000, half a surrogate pair); ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error json_canonical(struct arena *arena, struct slice text, struct slice *ret);

/**
 * Reads the text member `name` of an object text without decoding the rest: to choose the table by
 * a discriminating field. Says nothing about the soundness of the text: decoding does.
 *
 * @param size  of `ret`, its NUL included
 * @return false, and *ret unwritten, when there is no such member, it is no text, it does not fit,
 *         or it has escapes other than of ASCII characters
 */
bool json_peek_text(struct slice text, const char *name, char *ret, size_t size);

#endif
