/** Entries as statements read them: all that was booked in a period, as a stream. */
#ifndef STORE_BOOKED_H
#define STORE_BOOKED_H

#include "base/clock.h"
#include "store/entries.h"

/** One share of an entry, with what is said of its sale; an entry without shares is one row without
 *  a payee. Texts are valid during the call only. */
struct booked_row {
    int64_t sale_seq;
    int64_t line;
    int64_t number;
    int64_t day;
    int64_t version;
    struct slice channel;
    struct slice provider;
    struct slice course_id;
    struct slice currency;
    bool is_term;  /**< of a membership: order_id is that, line_id the term's */
    bool is_entry; /**< of a challenge: order_id is that */
    struct slice order_id;
    struct slice line_id;
    instant_us occurred_at; /**< of a term: when it begins; of an entry: when it joined */
    int64_t numbers[ENTRY_NUMBERS];
    bool has_payee;
    struct slice payee;
    int64_t amount;
};

typedef enum accord_error booked_row_fn(void *context, const struct booked_row *row);

/** Settled entries of an agreement in period `booked`, of sales from `from_sale` on, by (sale,
 * line, number); the first error of the callback ends it. */
enum accord_error store_booked_each(struct db *db, const char *agreement, int64_t booked,
                                    int64_t from_sale, booked_row_fn *each, void *context);

/** Has anything been booked in a period, or behind it? */
enum accord_error store_booked_from(struct db *db, const char *agreement, int64_t booked,
                                    bool *ret);

#endif
