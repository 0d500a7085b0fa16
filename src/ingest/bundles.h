/** Sales of offers as a whole: from what was paid to lines, by the offer that was in force. */
#ifndef INGEST_BUNDLES_H
#define INGEST_BUNDLES_H

#include "ingest/tx.h"
#include "store/bundles.h"

/**
 * The lines of sales, in the arena: of each course its part of what was paid, by largest remainder
 * over the weights of the version in force at the sale; amounts of the whole order are spread over
 * them. line_id is the course's rank. Where there is no such version one line has everything and
 * names no course: it waits, held `unmatched`.
 *
 * @param ret  `count` orders; lines and line_count are filled
 */
enum accord_error ingest_bundle_lines(struct db *db, struct arena *arena,
                                      const struct bundle_row *sales, size_t count,
                                      struct accord_order *ret);

/** A version of an offer came that applies from an instant on: its sales since then get their
 *  lines anew and are settled again (or queued). Called after the rows have changed. */
enum accord_error ingest_offer_changed(struct ingest_tx *tx, const char *channel, const char *offer,
                                       instant_us from);

#endif
