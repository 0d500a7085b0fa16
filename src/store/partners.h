/**
 * Partners, the history of their state, and the version of what each of them can see.
 * Texts that are returned live in the arena given.
 */
#ifndef STORE_PARTNERS_H
#define STORE_PARTNERS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

struct partner_row {
    const char *id;
    const char *name;
    const char *legal_name; /**< "" when not given; never NULL, like every text here */
    const char *tax_id;
    uint32_t roles; /**< 1 provider, 2 channel, 4 promoter, 8 platform */
    const char *currency;
    const char *time_zone;
    const char *profile;    /**< canonical JSON object */
    const char *column_map; /**< "field:column,…" or "" */
    bool suspended;
    int64_t version; /**< 1, 2, 3 … */
    instant_us created_at;
    instant_us updated_at;
};

/** One partner; *ret_found false (and *ret unwritten) when there is none with this id. */
enum accord_error store_partner_get(struct db *db, struct arena *arena, const char *id,
                                    struct partner_row *ret, bool *ret_found);

/**
 * Partners in order of their ids.
 *
 * @param after  only ids behind this one; "" from the start
 * @param limit  at most this many rows
 */
enum accord_error store_partner_list(struct db *db, struct arena *arena, const char *after,
                                     int64_t limit, struct partner_row **ret, size_t *ret_count);

/** What a statement says of a partner; the row of an unknown id keeps empty texts. */
struct partner_name {
    const char *id; /**< in */
    const char *legal_name;
    const char *tax_id;
};
enum accord_error store_partner_names(struct db *db, struct arena *arena,
                                      struct partner_name *names, size_t count);

/** Adds a partner and the first row of its state's history; *ret_added false when the id is taken.
 */
enum accord_error store_partner_insert(struct db *db, const struct partner_row *row,
                                       bool *ret_added);

/** Writes every field but id and created_at when row->version - 1 still stands, and a row of the
 *  history when the state is another; *ret_updated false when it does not stand. */
enum accord_error store_partner_update(struct db *db, const struct partner_row *row,
                                       bool state_changed, bool *ret_updated);

/** The operator, on whose account memberships are: of the partners with the role platform the one
 *  that was there first, so that another one changes nothing. "" when there is none. */
enum accord_error store_partner_operator(struct db *db, struct arena *arena, const char **ret);

/** seq of the last change that the partner can see; 0 when there was none. */
enum accord_error store_partner_version(struct db *db, const char *partner, int64_t *ret);

#endif
