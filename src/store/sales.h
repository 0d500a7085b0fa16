/**
 * Money facts as typed rows: sales with their lines, refunds, charge-backs and reversals. They are
 * part of the journal: appended, never changed, but for the lines of an offer sold as a whole,
 * which follow its versions. Texts of results live in the arena given.
 */
#ifndef STORE_SALES_H
#define STORE_SALES_H

#include <stdint.h>

#include "accord/settle.h"
#include "base/arena.h"
#include "base/clock.h"
#include "store/learners.h"
#include "store/store.h"

struct order_name {
    const char *channel;
    const char *order_id;
};

/** Which orders exist: ret[i] is the seq of the first fact of names[i], or 0. */
enum accord_error store_orders_known(struct db *db, const struct order_name *names, size_t count,
                                     int64_t *ret);

struct refund_name {
    const char *channel;
    const char *order_id;
    const char *refund_id;
    bool reversal;
    int64_t seq; /**< only for inserting */
};
/** Which refund ids are taken: ret[i] is the seq of the fact that took it, or 0. */
enum accord_error store_refunds_known(struct db *db, const struct refund_name *names, size_t count,
                                      int64_t *ret);
enum accord_error store_refund_names_insert(struct db *db, const struct refund_name *names,
                                            size_t count);

/** One order.paid fact. */
struct sale_row {
    int64_t seq;
    const char *id; /**< opaque */
    const char *event_id;
    bool has_learner;
    uint8_t learner[LEARNER_BYTES];
    bool first; /**< makes the order: order_key gets a row */
    const struct accord_order *order;
};
enum accord_error store_sales_insert(struct db *db, const struct sale_row *rows, size_t count);
/** Gives sales (their seq and order) other lines: those of a whole offer only. */
enum accord_error store_sale_lines_replace(struct db *db, const struct sale_row *rows,
                                           size_t count);

enum refund_kind { REFUND_PLAIN, REFUND_CHARGE_BACK, REFUND_REVERSAL };

struct refund_row {
    int64_t seq;
    int64_t line;
    const char *channel;
    const char *order_id;
    const char *refund_id;
    enum refund_kind kind;
    const char *event_id;
    instant_us occurred_at;
    const char *line_id; /**< NULL: of the whole order */
    int64_t amount;
    int64_t tax_returned; /**< -1: pro rata */
    int64_t fee_returned;
    bool superseded; /**< or voided; only read */
};
enum accord_error store_refunds_insert(struct db *db, const struct refund_row *rows, size_t count);

/** A sale as it is stored. */
struct stored_sale {
    int64_t seq;
    const char *id;
    const char *event_id;
    instant_us occurred_at;
    struct accord_currency currency;
    bool has_learner;
    uint8_t learner[LEARNER_BYTES];
    bool superseded;           /**< or voided */
    struct accord_line *lines; /**< of a current sale only; course_known is not filled */
    size_t line_count;
};

/** All that the journal holds of one order. At most one of its sales is current. */
struct stored_order {
    struct order_name name; /**< in */
    struct stored_sale *sales;
    size_t sale_count;
    struct stored_sale *current; /**< or NULL: not there (yet), or voided */
    struct refund_row *refunds;  /**< by seq, line; superseded ones too */
    size_t refund_count;
};
/** The name of an order by the opaque id of one of its sales. */
enum accord_error store_order_by_id(struct db *db, struct arena *arena, const char *id,
                                    bool *ret_found, struct order_name *ret);
/** Loads orders by their names: all their sales and refunds. */
enum accord_error store_orders_load(struct db *db, struct arena *arena, struct stored_order *orders,
                                    size_t count);
/** Loads only refunds, for orders whose sale the caller holds. */
enum accord_error store_order_refunds_load(struct db *db, struct arena *arena,
                                           struct stored_order *orders, size_t count);
/** Names of the orders of sales; a name of NULLs for a seq that is no sale. */
enum accord_error store_orders_of_sales(struct db *db, struct arena *arena, const int64_t *seqs,
                                        size_t count, struct order_name *ret);
/** Up to `limit` names behind `after` in (channel, order_id). */
enum accord_error store_orders_list(struct db *db, struct arena *arena, struct order_name after,
                                    int64_t limit, struct order_name *ret, size_t *ret_count);

/** The typed row of one fact, and all lines of it, for checking them against the fact's body. */
enum accord_error store_sale_of_fact(struct db *db, struct arena *arena, int64_t seq,
                                     struct stored_sale *ret, struct order_name *ret_name,
                                     bool *ret_found);
enum accord_error store_refund_of_fact(struct db *db, struct arena *arena, int64_t seq,
                                       struct refund_row **ret, size_t *ret_count);

#endif
