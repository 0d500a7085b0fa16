/** A JSON text as a list of its scalars, each with its place: what tables are made of. */
#ifndef JSON_FLATTEN_H
#define JSON_FLATTEN_H

#include <stdbool.h>

#include "accord/error.h"
#include "base/arena.h"

/** @param pointer  RFC 6901
 *  @param text     of a string its bytes; else as it is written, "" for null */
typedef enum accord_error json_scalar_fn(void *context, const char *pointer, struct slice text,
                                         bool is_string);

/**
 * Calls back with every string, number, true, false and null, in the order of the text; empty
 * objects and arrays have none. The first error of the callback ends it.
 *
 * @return ACCORD_OK; the callback's error; ACCORD_E_JSON_INVALID, ACCORD_E_FIELD_DUPLICATE or
 *         ACCORD_E_TEXT_INVALID; ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error json_flatten(struct arena *arena, struct slice text, json_scalar_fn *each,
                               void *context);

#endif
