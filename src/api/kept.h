/**
 * What a worker keeps of answers: whole replies of GETs, and keys that it has looked up, so that a
 * poll of something that has not changed costs no query.
 *
 * Both hold while nothing is written to the books, which is seen by db_data_version() of the
 * worker's own connection, whichever process writes. An answer holds no longer than it said itself
 * (call_keep()), and where the books have changed its ETag may still be that of what stands: then
 * its body is sent without being made again.
 *
 * One for each worker, used by its thread only; answers are counted references, whose ETag and body
 * never change, and may be read and released by any thread.
 */
#ifndef API_KEPT_H
#define API_KEPT_H

#include "base/clock.h"
#include "base/hash.h"
#include "http/http.h"
#include "store/keys.h"

struct book;
struct kept;

/** @param bytes_max  of all answers together; 0: none is kept, keys are */
enum accord_error kept_new(size_t bytes_max, struct kept **ret);
/** NULL is a no-op. */
void kept_free(struct kept *kept);

/* ---- answers ---- */

struct kept_answer;

/** The answer to what is asked, by a hash of all that it depends on but the books; NULL: none.
 *  To be released. */
struct kept_answer *kept_find(struct kept *kept, const struct hash *asked);
/** Keeps a copy of a complete reply with an ETag, unless it is too large: of status 200, or 304,
 *  which says no more than that the tag is that of what stands.
 *  @param until  when it ends, whatever happens */
void kept_put(struct kept *kept, const struct hash *asked, const struct http_reply *reply,
              int64_t data_version, instant_us until);
/** The books have changed, the answer has not. */
void kept_renew(struct kept_answer *answer, int64_t data_version, instant_us until);
bool kept_holds(const struct kept_answer *answer, int64_t data_version, instant_us now);
const char *kept_etag(const struct kept_answer *answer);
/** It was of status 200: it can be sent. */
bool kept_is_whole(const struct kept_answer *answer);
/** Fills a reply with the whole answer; its headers are borrowed from it. False: out of memory. */
bool kept_send(const struct kept_answer *answer, struct http_reply *reply);
/** The same, on the worker of the exchange: with the gzipped form, made now if it is not there yet
 *  and the client takes it. */
bool kept_send_coded(struct kept_answer *answer, struct http_exchange *exchange);
/** NULL is a no-op. */
void kept_release(struct kept_answer *answer);

/* ---- keys ---- */

/** Whose a key is, as it was looked up at that version of the books; NULL: not known. Valid until
 *  the next kept_key_put(). */
const struct key_owner *kept_key_find(const struct kept *kept, const struct book *book,
                                      const struct hash *secret, int64_t data_version);
void kept_key_put(struct kept *kept, const struct book *book, const struct hash *secret,
                  int64_t data_version, const struct key_owner *owner);

#endif
