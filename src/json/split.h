/**
 * Cuts a JSON array, the array in one member of an object, or NDJSON into element texts, without a
 * tree: jansson only ever sees one element. Checks depth, strings and a maximum per element.
 * Works on a contiguous text (memory or a mapped file). Not thread-safe; no allocation.
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
    uint64_t line; /**< of the element last returned, 1-based */
    enum json_split_shape shape;
    size_t element_max; /**< bytes */
    int state;
};

/**
 * @param member  NULL, or the member that holds the array when the text is an object
 * @return ACCORD_OK, or ACCORD_E_JSON_INVALID when neither is found
 */
enum accord_error json_split_begin(struct json_splitter *s, struct slice text,
                                   enum json_split_shape shape, const char *member,
                                   size_t element_max);

/**
 * The next element. *ret_element.data is NULL after the last one.
 *
 * @return ACCORD_OK; ACCORD_E_JSON_INVALID (for an array: the whole text is refused; for NDJSON:
 *         this line only, the next call goes on); ACCORD_E_ELEMENT_TOO_LARGE likewise
 */
enum accord_error json_split_next(struct json_splitter *s, struct slice *ret_element);

#endif
