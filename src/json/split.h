/**
 * Cuts a JSON array, the array in one member of an object, or NDJSON into element texts, without a
 * tree: jansson only ever sees one element. Everything it passes over, skipped members included,
 * is checked against the grammar of RFC 8259 and for depth; what lies inside strings beyond that
 * (UTF-8, surrogates) is left to decoding, so that it spoils one element and not its neighbours.
 * Works on a contiguous text (memory or a mapped file). A byte order mark before the text is passed
 * over. Not thread-safe; no allocation; linear time.
 *
 * An array is found unsound only where it is: elements before that place have been handed out, so a
 * caller writes nothing for good before the end is reached.
 */
#ifndef JSON_SPLIT_H
#define JSON_SPLIT_H

#include <stdint.h>

#include "accord/error.h"
#include "base/slice.h"

enum json_split_shape {
    JSON_SPLIT_ARRAY,  /**< [ … ], or an object with the member `member` holding the array */
    JSON_SPLIT_NDJSON, /**< one value a line; blank lines are skipped */
};

struct json_splitter {
    struct slice text;
    size_t at;
    uint64_t line;  /**< of the first byte of the element last returned or refused, 1-based */
    uint64_t index; /**< of the same, 0-based */
    enum json_split_shape shape;
    const char *member;
    size_t element_max;  /**< bytes */
    const char *reason;  /**< after a refusal: why, for people; static storage */
    uint64_t error_line; /**< after a refusal: where, 1-based; */
    size_t error_at;     /**< and the byte's offset in the text */
    uint64_t next_line;  /* line of `at` */
    uint64_t next_index;
    int state;
};

/**
 * @param member       NULL, or the member that holds the array when the text is an object; must
 *                     outlive the splitter
 * @param element_max  bytes of the largest element taken
 * @return ACCORD_OK, or ACCORD_E_JSON_INVALID when neither is found; s->reason says why
 */
enum accord_error json_split_begin(struct json_splitter *s, struct slice text,
                                   enum json_split_shape shape, const char *member,
                                   size_t element_max);

/**
 * The next element. *ret_element.data is NULL after the last one.
 *
 * @return ACCORD_OK; ACCORD_E_JSON_INVALID (for an array: the whole text is refused, and every
 *         later call says so again; for NDJSON: this line only, the next call goes on);
 *         ACCORD_E_ELEMENT_TOO_LARGE (this element only, in both shapes)
 */
enum accord_error json_split_next(struct json_splitter *s, struct slice *ret_element);

#endif
