/**
 * Exchange rates as settling reads them, and how they come in.
 *
 * The rates of a sale are those of the source's day that the agreement's policy names: the local
 * day of the order, the last day of its period, or the mean of what was published in its period. A
 * day is final once a later one is known; a final day without a rate of a currency takes the last
 * one before it, and a period without any takes that of its last day. Until the day (of a period:
 * its last) is final, and where there is no rate at all, the line is held `no_rate`.
 */
#ifndef INGEST_RATES_H
#define INGEST_RATES_H

#include "ingest/agreement.h"
#include "store/rates.h"

/** The one source that there is, and its base. */
#define RATES_SOURCE "ecb"
#define RATES_BASE "EUR"

/** Rates in memory, read from the store as they are needed. Not thread-safe. */
struct rate_book;

enum accord_error rate_book_new(struct rate_book **ret);
/** NULL is a no-op. */
void rate_book_free(struct rate_book *book);
/** Reads from `db` from now on, in its transaction; what is in memory is kept if no rate has
 *  changed since. Called at the beginning of a transaction and after a change. */
enum accord_error rate_book_enter(struct rate_book *book, struct db *db);
/** Forgets everything: a transaction was rolled back. */
void rate_book_forget(struct rate_book *book);

/** The change that the book has seen last: 0 before the first. */
int64_t rate_book_seq(const struct rate_book *book);
/** Whether a day's rates are final. */
bool rate_book_is_final(const struct rate_book *book, int64_t day);

/**
 * The conversions that apply to an order: what stands in accord_order.rates.
 *
 * @param ret  by version; NULL when none of them has another currency than the order
 */
enum accord_error rate_book_pins(struct rate_book *book, struct arena *arena,
                                 const struct accord_order *order,
                                 const struct agreement_version *const *versions, size_t count,
                                 const struct accord_rate_pin **ret);

/** First and last day of a version's period that a local day lies in. */
void rates_period(const struct agreement_version *version, int64_t day, int64_t *ret_first,
                  int64_t *ret_last);

/* ---- coming in (ingest/rates_put.c) ---- */

struct ingest_tx;

/** A day as it was published. */
struct rates_given {
    int64_t day;
    struct rate_row *rates; /**< day and version are filled in; count > 0 */
    size_t count;
    const char *reason;   /**< why it is corrected, or "" */
    int64_t version;      /**< out: that it got; that which stood when it brought nothing new */
    bool same;            /**< out: it brought nothing new, and was not written */
    bool is_unreasonable; /**< out: it would correct a day without a reason, and was not written */
};

/**
 * Writes days, each as a new version when it differs from what stands, and settles again (or
 * queues) the sales whose rate may be another one now.
 *
 * @param loaded_by  partner, or ""
 */
enum accord_error ingest_rates_put(struct ingest_tx *tx, struct rates_given *days, size_t count,
                                   const char *loaded_by);

/** Reads a day, "2026-01-31", of the years 1970 to 2199. */
bool rates_parse_day(struct slice text, int64_t *ret);

/**
 * Reads the file that the European Central Bank publishes: a row of names, "Date" and currencies,
 * then a row per day; "N/A" and empty cells are passed over, as are currencies that no longer are.
 *
 * @param ret_line  on failure: where
 * @return ACCORD_OK; ACCORD_E_CSV_INVALID (no such row of names, or a cell that is no day or rate,
 *         a day that comes twice); ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error rates_read_csv(struct arena *arena, struct slice text, struct rates_given **ret,
                                 size_t *ret_count, uint64_t *ret_line);

#endif
