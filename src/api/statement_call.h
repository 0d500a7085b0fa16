/** What the operations on one statement share. */
#ifndef API_STATEMENT_CALL_H
#define API_STATEMENT_CALL_H

#include "api/call.h"
#include "store/statement_states.h"

enum { STATEMENT_PATH_MAX = 128 }; /**< bytes of an id that is looked for at all */

/**
 * A statement as its caller finds it: its own partner's, or any for the operator.
 *
 * @param now  decides whether what was published counts as accepted
 * @return false: the call has failed
 */
bool statement_visible(struct call *call, const char *id, instant_us now,
                       struct statement_summary *ret);
/** Only the statement's partner decides about it; the operator may look. */
bool statement_own(struct call *call, const struct statement_summary *statement);

/** The members of a summary. */
void statement_write_summary(struct call *call, struct json_writer *w,
                             const struct statement_summary *statement);

/**
 * A strong ETag that is a text, and Cache-Control. True: If-None-Match matched and the reply is a
 * 304.
 */
bool statement_etag(struct call *call, const struct hash *hash, const char *suffix);

#endif
