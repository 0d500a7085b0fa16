/**
 * The agreement book: every version that may cover a sale, in memory, as settle reads it. Loaded
 * from the store and never changed: after a change a new one takes its place.
 */
#ifndef INGEST_BOOK_H
#define INGEST_BOOK_H

#include "ingest/agreement.h"
#include "store/store.h"

struct agreement_book;

/** Loads the versions that settle sales (active, superseded, terminated) of a book of accounts. */
enum accord_error agreement_book_load(struct db *db, struct agreement_book **ret);
/** NULL is a no-op. */
void agreement_book_free(struct agreement_book *book);

/** Versions that may cover sales of a channel: what accord_settle_order() is given. */
struct agreement_choice {
    const struct accord_agreement_version *const *terms;
    const struct agreement_version *const *versions; /**< the same, with their zones */
    size_t count;
};

/**
 * The versions in which the channel and at least one of the providers are parties: a superset of
 * those that cover a line, small whatever the size of the book. Fills a cache: not thread-safe.
 *
 * @param scratch  where a choice goes that is not worth keeping
 */
enum accord_error agreement_book_choose(struct agreement_book *book, struct arena *scratch,
                                        const char *channel, const char *const *providers,
                                        size_t count, struct agreement_choice *ret);

/** A version by its name, or NULL. */
const struct agreement_version *agreement_book_find(const struct agreement_book *book,
                                                    const char *agreement, int64_t version);

/** The longest attribution window of all referral terms; 0: there is none. */
int64_t agreement_book_window(const struct agreement_book *book);

/**
 * Calls back with every version whose sales in [from_us, to_us) another version, or none, may win
 * in the one book than in the other. A version ends where a later one of its agreement begins, so
 * a change of one version concerns the scopes of all of them from then on.
 *
 * @param before  NULL: not known; then everything that `after` holds is new
 */
typedef enum accord_error agreement_changed_fn(void *context,
                                               const struct accord_agreement_version *version,
                                               int64_t from_us, int64_t to_us);
enum accord_error agreement_book_compare(const struct agreement_book *before,
                                         const struct agreement_book *after,
                                         agreement_changed_fn *each, void *context);

#endif
