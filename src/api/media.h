/** Media types of requests and answers. Pure. Lists of the service's own are separated by blanks.
 */
#ifndef API_MEDIA_H
#define API_MEDIA_H

#include <stdbool.h>

#include "base/slice.h"

/** Whether a word stands in a list; a NULL list is empty. Case counts. */
bool media_word_listed(const char *list, struct slice word);

/**
 * The entry of `taken` that a Content-Type header names. Parameters other than a charset are passed
 * over; the charset must be UTF-8.
 *
 * @param header  data NULL: absent
 * @return false (*ret unwritten) when it names none of them
 */
bool media_of_body(const char *taken, struct slice header, struct slice *ret);

/**
 * The entry of `offered` that an Accept header likes best, the earlier of equals. The most specific
 * range decides about an entry. Without a header: the first.
 *
 * @return false (*ret unwritten) when it accepts none of them
 */
bool media_accepted(const char *offered, struct slice header, struct slice *ret);

#endif
