/**
 * The grammar of JSON (RFC 8259), checked without a tree, recursion or allocation. Only for json/:
 * it runs before jansson sees a text, and it cuts uploads into elements.
 *
 * Inside strings it checks escapes and control characters, not UTF-8 or surrogate pairs: jansson
 * does that.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/** Texts of the numbers that are no int64 (a fraction, an exponent, too many digits), in order. */
struct json_numbers {
    struct slice *items;
    size_t cap;
    size_t count; /**< found; more than `cap` when some did not fit */
};

struct json_scanner {
    struct slice text;
    size_t at;
    uint64_t line;                /**< of `at`, 1-based */
    const char *reason;           /**< after a failure; `at` is the place */
    struct json_numbers *numbers; /**< or NULL */
};

/** The text without a leading byte order mark. */
struct slice json_without_bom(struct slice text);
void json_scan_blanks(struct json_scanner *s);
/** Passes over one string, `at` being its opening quote; *ret is what stands between the quotes. */
bool json_scan_string(struct json_scanner *s, struct slice *ret);
/** Passes over one value, `at` being its first byte; at most `depth_max` arrays and objects deep.
 *  On failure reason is set; `at` lies within the text or at its end. */
bool json_scan_value(struct json_scanner *s, unsigned depth_max);

/** What stands between the quotes of a string is `name` (ASCII), written with or without escapes.
 */
bool json_raw_equals(struct slice raw, const char *name);
/** Resolves escapes of ASCII characters; false when there are others, or `size` is too small. */
bool json_raw_text(struct slice raw, char *ret, size_t size);

/**
 * Writes the RFC 6901 pointer of the innermost value that begins before `place` in a text that
 * json_scan_value() accepts, behind what *ret already holds.
 *
 * @param size  of `ret`; a longer pointer is cut
 */
void json_scan_pointer(struct slice text, size_t place, char *ret, size_t size);

/** Appends "/" and a name, escaped as RFC 6901 says, to a NUL-terminated pointer; cuts it at a
 *  code point when it does not fit. Returns the new length. */
size_t json_pointer_push(char *pointer, size_t size, size_t len, struct slice name);

#endif
