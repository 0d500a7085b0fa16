/** What the parts of a close share: the accounts of those who get a statement. */
#ifndef INGEST_CLOSING_H
#define INGEST_CLOSING_H

#include "ingest/close.h"
#include "ingest/keymap.h"
#include "ingest/statement_lines.h"
#include "store/challenges.h"
#include "store/memberships.h"
#include "store/sales.h"

/** Kinds of lines, in the order in which a statement lists them. */
enum line_kind {
    LINE_SALE,
    LINE_MEMBERSHIP,
    LINE_CHALLENGE,
    LINE_TIERED,
    LINE_CPA,
    LINE_GREATER_OF,
    LINE_RESIDUAL,
    LINE_POOL,
    LINE_LATE_USAGE,
    LINE_GUARANTEE,
    LINE_RECOUPMENT,
    LINE_ADVANCE,
    LINE_TRUE_UP,
    LINE_FLOOR,
    LINE_CAP,
    LINE_KINDS,
};
extern const char *const line_kind_names[LINE_KINDS];

struct line_sums {
    int64_t count;
    int64_t earned;
    int64_t position;
};

/** What the lines of one earlier period are changed by. */
struct closing_difference {
    int64_t period; /**< its first day */
    struct line_sums sums;
};

/** What a partner gets from a collector. */
struct closing_flow {
    const char *collector;
    int64_t amount;
};

/** The file of a statement's inputs while it is written: see ingest/inputs.h. */
struct closing_inputs {
    bool derived; /**< its lines follow from orders; else they are given */
    struct buf bytes;
    struct hash_stream hash;
    int64_t chunks; /**< that are stored */
};

/** What a statement comes to. */
struct closing_amounts {
    int64_t opening;
    int64_t withholding_base;
    int64_t withheld;
    size_t withholding_term; /**< SIZE_MAX: none */
    int64_t closing;
    int64_t pending;
    int64_t reserve;
    int64_t due;
    int64_t payable;
};

struct closing_account {
    const char *partner;
    bool party;   /**< of a version in force, or of a line's; else a promoter */
    bool partial; /**< has lines of a term or an entry that it may not see the whole of */
    struct hash_stream lines_hash;
    struct line_sums kinds[LINE_KINDS]; /**< of lines of the period itself */
    struct closing_difference *differences;
    size_t difference_count;
    size_t difference_cap;
    struct line_sums total; /**< of all lines */
    int64_t unearned;       /**< of them advances and their recoupment: no income */
    struct closing_flow *flows;
    size_t flow_count;
    size_t flow_cap;
    bool collects;                        /**< others get something from it */
    bool *versions;                       /**< which its lines belong to */
    const struct statement_row *previous; /**< or NULL */
    int64_t recent;                       /**< earned by sales that are younger than hold_days */
    int64_t reserve_before;               /**< of the statements before that still hold one */
    int64_t adjusted;                     /**< by the adjustments that it is a side of */
    int64_t paid;                         /**< payments made less those received */
    const struct partner_name *name;
    struct closing_inputs inputs;
};

/** An adjustment that this close takes in, or takes back. */
struct closing_adjustment {
    const struct statement_adjustment *row;
    int64_t amount; /**< negative when it is taken back */
};

struct closing {
    struct db *db;
    struct arena *arena;
    struct agreement_periods periods;
    int64_t day;                             /**< first of the period */
    int64_t next;                            /**< first of the next one */
    const struct agreement_version *governs; /**< whose settings for payment hold */
    int64_t cutoff;                          /**< what was known: the last number before */
    struct hash zone_hash;
    char label[PERIOD_LABEL_MAX];
    struct window_sheet sheet;   /**< what windows are folded over */
    struct window_lines windows; /**< to be posted */
    struct window_held *held;
    size_t held_count;
    int64_t known; /**< number of the close before; 0: there is none */
    struct closing_adjustment *adjustments;
    size_t adjustment_count;
    struct statement_payment *payments;
    size_t payment_count;
    struct keymap index; /* of accounts */
    struct closing_account **accounts;
    size_t count;
    size_t cap;
    const char *only;        /**< NULL, or the one partner whose account is kept */
    bool publishes;          /**< inputs are stored, too */
    bool what_if;            /**< of any period, for a simulation */
    bool past;               /**< then: one that is closed. Only its lines are asked for */
    struct buf line;         /* of the line at hand */
    const char *operator_id; /**< or NULL: there is none */
};

/** Gives all lines to closing_take_line(), and fills `windows`. */
typedef enum accord_error closing_lines_fn(void *context, struct closing *c);
/** A draft with other lines than those that are booked: see close_draft(). */
enum accord_error closing_draft(struct db *db, struct arena *arena, const char *agreement,
                                const char *label, instant_us now, closing_lines_fn *lines,
                                void *context, struct close_result *ret);

/** Orders of sales and the entries of those sales, in the order of `seqs`. */
enum accord_error closing_load_sales(struct db *db, struct arena *arena, const int64_t *seqs,
                                     size_t count, struct stored_order **ret_orders,
                                     struct entry_list **ret_lists);
/** A sale with its lines' names, whether or not it is current; in the arena. */
enum accord_error closing_sale_of(struct db *db, struct arena *arena,
                                  const struct stored_order *stored, int64_t seq,
                                  const struct stored_sale **ret);

/** The account of a partner, once they are in the order of ids; NULL: it has none. */
const struct closing_account *closing_find(const struct closing *c, const char *partner);
/** The account of a partner; made when it has none. */
enum accord_error closing_account_of(struct closing *c, const char *partner,
                                     struct closing_account **ret);
/** Takes a line to the accounts of all who see it (a statement_line_fn). */
enum accord_error closing_take_line(void *context, const struct statement_line *line);

/** What the account comes to. */
enum accord_error closing_work_out(const struct closing *c, const struct closing_account *account,
                                   struct closing_amounts *ret);

/** Writes what statements are made from, up to what is not in lines; accounts are in order. */
enum accord_error closing_inputs(struct closing *c);
/** Of that what pools gave (ingest/close_input_pools.c). */
enum accord_error closing_inputs_pools(struct closing *c);
/** Of that the lines (ingest/close_input_lines.c). */
enum accord_error closing_inputs_lines(struct closing *c);
enum { CLOSING_CHUNK_BYTES = 64 << 10 }; /**< of a piece of a file, about */
/** Of that what follows from no order: what is looked up for it, and writing the row of a term of a
 *  membership or of an entry of a challenge (ingest/close_input_others.c). */
struct closing_others {
    const struct closing *c;
    struct arena *arena;                             /**< of the rows at hand */
    const struct agreement_version *const *versions; /**< all of the agreement */
    struct agreement_book *book;                     /**< NULL: not loaded yet */
    struct rate_book *rates;                         /**< likewise */
    struct pool_book *pools;                         /**< likewise; in the arena */
};
enum accord_error closing_inputs_term(struct closing_others *o, const struct entry_list *list,
                                      const struct stored_membership *stored, struct buf *row);
enum accord_error closing_inputs_entry(struct closing_others *o, const struct entry_list *list,
                                       const struct stored_challenge *stored, struct buf *row);
/** The rates of an order by version, if its currency is another one than the agreement's. */
enum accord_error closing_inputs_pins(struct closing_others *o, struct accord_order *order);
/** Hashes what has been written of a file, and stores it if the close does; does nothing while it
 *  is shorter than `keep_below`. */
enum accord_error closing_inputs_flush(const struct closing *c, struct closing_account *account,
                                       size_t keep_below);
/** Writes the rest of an account's, and says its hash. */
enum accord_error closing_inputs_end(struct closing *c, struct closing_account *account,
                                     const struct closing_amounts *amounts,
                                     const struct hash *lines_hash, struct hash *ret);
/** The lines that a term brings to the period; `list` holds all its entries. */
enum accord_error closing_term_lines(const struct closing *c, struct arena *arena,
                                     const struct entry_list *list,
                                     const struct membership_row *term, statement_line_fn *each,
                                     void *context);
/** Likewise of an entry of a challenge. */
enum accord_error closing_entry_lines(const struct closing *c, struct arena *arena,
                                      const struct entry_list *list,
                                      const struct challenge_row *joined, statement_line_fn *each,
                                      void *context);
/** Frees what is not in the arena. */
void closing_done(struct closing *c);

/** Adds a sale line to what the period brings to the sums of windows. */
enum accord_error closing_add_booked(struct closing *c, const struct statement_line *line);

/** Works out and writes the statement of an account. */
enum accord_error closing_statement(struct closing *c, struct closing_account *account,
                                    struct statement_row *ret, int64_t *ret_withheld);

/** Says which zone it is, and which version of its data this machine has. */
struct hash closing_zone_hash(const char *time_zone);
/** First day of the earliest period whose statements still hold a reserve at this close. */
int64_t closing_reserve_from(const struct closing *c);
/** The reserve that one statement holds. */
enum accord_error closing_reserve_of(const struct closing *c, int64_t earned, int64_t *ret);

#endif
