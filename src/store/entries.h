/**
 * Entries: what settle gave for each sale line, as signed differences; and what waits to be settled
 * again. Texts of results live in the arena given.
 */
#ifndef STORE_ENTRIES_H
#define STORE_ENTRIES_H

#include <stdint.h>

#include "accord/settle.h"
#include "base/arena.h"
#include "store/store.h"

/** The numbers of an entry or a rollup, in the order of their columns. */
enum entry_number {
    ENTRY_LINES, /**< line_count */
    ENTRY_QUANTITY,
    ENTRY_GROSS,
    ENTRY_REFUNDED,
    ENTRY_TAX,
    ENTRY_STORE_FEE,
    ENTRY_PAYMENT_FEE,
    ENTRY_ADMIN_FEE,
    ENTRY_NET_SALE,
    ENTRY_NET,
    ENTRY_ADDED_BACK,
    ENTRY_BASE, /**< what shares and tiers are taken of */
    ENTRY_LINES_QUALIFIED,
    ENTRY_UNITS_QUALIFIED,
    ENTRY_NUMBERS, /**< how many there are */
};
#define ENTRY_NUMBER_COLUMNS                                                                       \
    "line_count, quantity, gross, refunded, tax, store_fee, payment_fee, admin_fee, net_sale, "    \
    "net, "                                                                                        \
    "added_back, base, lines_qualified, units_qualified"

/** Line of the entries for what was refunded beyond what was paid. */
enum { ENTRY_LINE_EXCESS = -1 };

/** One share: of a party, of a promoter, of a pool (ACCORD_PAYEE_POOL), or of ACCORD_PAYEE_WINDOW.
 */
struct entry_share {
    const char *payee;
    int64_t amount;
};
/** Parties, the window, and promoters and pools: those of what stood, of what stands now, and of
 *  what is being added up to it. */
enum { ENTRY_SHARES_MAX = ACCORD_PARTIES_MAX + 1 + 3 * (ACCORD_LEVELS_MAX + 1) };

struct entry_row {
    int64_t sale_seq;
    int64_t line;
    int64_t number;
    int64_t seq;
    int64_t generation; /**< 0: counts at once; else see resettle_head */
    const char *agreement;
    int64_t version;
    const char *held;
    int64_t day;
    int64_t booked; /**< first day of the period that it is posted in; 0: without agreement */
    const char *channel;
    const char *provider;
    const char *course_id;
    const char *currency;      /**< of net, added_back and shares */
    const char *sale_currency; /**< of the numbers before them */
    int64_t numbers[ENTRY_NUMBERS];
    struct entry_share shares[ENTRY_SHARES_MAX];
    size_t share_count;
};

enum accord_error store_entries_insert(struct db *db, const struct entry_row *rows, size_t count);

struct entry_list {
    int64_t sale_seq; /**< in */
    struct entry_row *rows;
    size_t count;
    size_t cap; /* the store's */
};
/** Loads all entries of sales, by line and number. */
enum accord_error store_entries_load(struct db *db, struct arena *arena, struct entry_list *lists,
                                     size_t count);
/** Sales that have entries behind `after`, by seq: to find those of no known sale. */
enum accord_error store_entry_sales(struct db *db, int64_t after, int64_t limit, int64_t *ret,
                                    size_t *ret_count);
/** Shares whose entry is not there: 0 in sound books. */
enum accord_error store_shares_orphaned(struct db *db, int64_t *ret);

struct unmatched_row {
    const char *provider;
    const char *course_id;
    int64_t sale_seq;
    int64_t line;
};
enum accord_error store_unmatched_insert(struct db *db, const struct unmatched_row *rows,
                                         size_t count);
enum accord_error store_unmatched_delete(struct db *db, const struct unmatched_row *rows,
                                         size_t count);
/** Is it there? ret[i] belongs to rows[i]. */
enum accord_error store_unmatched_known(struct db *db, const struct unmatched_row *rows,
                                        size_t count, bool *ret);
enum accord_error store_unmatched_count(struct db *db, int64_t *ret);

/* ---- settling again ---- */

struct resettle_head {
    int64_t visible; /**< generations up to it count */
    int64_t staging; /**< generation of the job at work; 0: none */
    int64_t waiting; /**< sales in the queue */
};
enum accord_error store_resettle_head(struct db *db, struct resettle_head *ret);
/** Begins (staging > 0) or ends (0) a job. */
enum accord_error store_resettle_head_set(struct db *db, int64_t visible, int64_t staging);
/** True while numbers of a report are about to change by a job at work. */
enum accord_error store_resettle_pending(struct db *db, bool *ret);
/** Which of these sales wait in the queue. */
enum accord_error store_resettle_queued(struct db *db, const int64_t *seqs, size_t count,
                                        bool *ret);
/** The first of the queue: up to `sales_max`, together of up to `lines_max` lines, but at least
 *  one. */
enum accord_error store_resettle_take(struct db *db, int64_t sales_max, int64_t lines_max,
                                      int64_t *ret, size_t *ret_count);
enum accord_error store_resettle_remove(struct db *db, const int64_t *seqs, size_t count);

/** Which sales a change may touch. */
struct resettle_scope {
    const char *provider;
    const char *channel;
    const char *currency; /**< of the sale; "": any */
    int64_t from_us;      /**< occurred in [from, to) */
    int64_t to_us;
};
/** Up to `limit` of their current sales' seqs, in no particular order, one per line. */
enum accord_error store_resettle_find(struct db *db, const struct resettle_scope *scope,
                                      int64_t limit, int64_t *ret, size_t *ret_count);
enum accord_error store_resettle_queue(struct db *db, const struct resettle_scope *scope,
                                       int64_t seq);
/** Queues sales that were found in another way. */
enum accord_error store_resettle_queue_sales(struct db *db, const int64_t *sales, size_t count,
                                             int64_t seq);
/** The same for lines held `unmatched` whose course is known now. */
enum accord_error store_resettle_find_arrived(struct db *db, const char *provider, int64_t limit,
                                              int64_t *ret, size_t *ret_count);
enum accord_error store_resettle_queue_arrived(struct db *db, const char *provider, int64_t seq);

#endif
