/** Strict UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). Pure. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/** Takes one code point off the front; false, and nothing taken, when it is none or text is empty.
 */
bool utf8_next(struct slice *text, uint32_t *ret);
bool utf8_valid(struct slice text);
/** Number of code points of a valid text; a byte that is none counts as one. */
size_t utf8_count(struct slice text);
/** The longest part of at most `bytes_max` bytes that does not cut a code point. */
struct slice utf8_prefix(struct slice text, size_t bytes_max);

/** Fit for an id, a name or a label: valid, and no control character (C0, DEL, C1). */
bool utf8_is_id(struct slice text);
/** Fit for free text: valid, and of C0 and DEL only tab, line feed and carriage return. */
bool utf8_is_text(struct slice text);

#endif
