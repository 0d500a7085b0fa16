/**
 * Agreements as partners write them: the JSON body of a version, and what settle needs of it.
 *
 * A version's stored body is canonical JSON with every default written out: what is signed says
 * everything that it means. It is read into typed form once, when the books are opened or a version
 * changes; settling never parses it.
 */
#ifndef INGEST_AGREEMENT_H
#define INGEST_AGREEMENT_H

#include "accord/settle.h"
#include "base/arena.h"
#include "base/zone.h"
#include "store/agreements.h"
#include "json/decode.h"

/** A version's body, decoded. Everything lives in the arena given. */
struct agreement_version {
    struct accord_agreement_version terms; /**< what settle reads */
    const char *time_zone;                 /**< of its periods: an IANA name */
    const struct zone *zone;
    bool quarterly; /**< period kind: quarter; else month */
    bool retroactive;
};

/**
 * Decodes and checks a version's body, a request's or a stored one.
 *
 * @param body      one JSON object; `id` and `name` beside the version's own fields are passed over
 *                  when `with_head` is true, and then stand in *ret_id (may be empty) and *ret_name
 * @param agreement id, borrowed into ret->terms
 * @return ACCORD_OK; ACCORD_E_FIELDS_INVALID or ACCORD_E_JSON_INVALID with `problems`;
 *         ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error agreement_decode(struct arena *arena, struct slice body, const char *agreement,
                                   int64_t version, bool with_head, struct slice *ret_id,
                                   struct slice *ret_name, struct agreement_version *ret,
                                   struct json_problems *problems);

/** Decodes a stored version; its end is the row's: a later version or a termination may have
 *  brought it forward. A body that does not decode is ACCORD_E_DATABASE_ERROR. */
enum accord_error agreement_decode_row(struct arena *arena, const struct agreement_version_row *row,
                                       struct agreement_version *ret);

/** Every version that settles sales, decoded, in order of (agreement, version): of all agreements
 *  or, with `partner`, of those that it is a party of. */
enum accord_error agreement_load_settling(struct db *db, struct arena *arena, const char *partner,
                                          struct agreement_version **ret, size_t *ret_count);

/** Writes what a version lets channels see of catalogs: every channel that it names (all parties
 *  when it names none) sees the courses or providers that it names (those of all parties when it
 *  names neither), from its beginning until `to`. */
enum accord_error agreement_grant(struct db *db, struct arena *arena,
                                  const struct agreement_version *version, instant_us to);

/** The canonical body of a decoded version: the text that is stored, hashed and signed. */
enum accord_error agreement_encode(struct arena *arena, const struct agreement_version *version,
                                   struct slice *ret_body);

#endif
