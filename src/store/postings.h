/**
 * Postings: the double entry of settlement. What a transaction posts adds up to zero per currency;
 * an amount above zero says that the partner is owed. Appended, never changed. Texts of results
 * live in the arena given. Not thread-safe beyond what struct db is.
 */
#ifndef STORE_POSTINGS_H
#define STORE_POSTINGS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

/** Accounts of a partner. */
#define POSTING_SETTLEMENT "settlement"     /**< what is settled between partners */
#define POSTING_TAX_WITHHELD "tax_withheld" /**< what was kept back from a payee */
#define POSTING_DEPOSIT "deposit"           /**< deposits of learners that it owes them */
#define POSTING_CASH "cash"                 /**< what it has of them */
#define POSTING_CHARITY "charity"           /**< forfeited deposits that it owes to charity */
#define POSTING_CARRIED "carried"           /**< and to the next round */
#define POSTING_FORFEITS "forfeits"         /**< and that have become revenue */

struct posting_row {
    int64_t seq;    /**< of the transaction */
    int64_t number; /**< 0, 1, 2 … within it */
    const char *kind;
    const char *partner;
    const char *account;
    const char *agreement; /**< or "" */
    const char *currency;
    int64_t amount;        /**< minor units */
    const char *reference; /**< id of a statement or a payment */
    instant_us posted_at;
};

enum accord_error store_postings_insert(struct db *db, const struct posting_row *rows,
                                        size_t count);

/** Calls back with the sums of one kind by partner, account and currency; texts are valid during
 * the call only. Reads every posting. */
typedef enum accord_error posting_account_fn(void *context, const char *partner,
                                             const char *account, const char *currency,
                                             int64_t sum);
enum accord_error store_postings_sums(struct db *db, const char *kind, posting_account_fn *each,
                                      void *context);

/** Where a list of postings goes on. */
struct posting_place {
    int64_t seq;
    int64_t number;
};
/**
 * Postings behind a place, in the order of knowledge, at most `limit`.
 *
 * @param partner  NULL: of everybody
 */
enum accord_error store_postings_list(struct db *db, struct arena *arena, const char *partner,
                                      struct posting_place after, int64_t limit,
                                      struct posting_row **ret, size_t *ret_count);
/** All postings of one kind with this reference, by (seq, number). */
enum accord_error store_postings_of(struct db *db, struct arena *arena, const char *kind,
                                    const char *reference, struct posting_row **ret,
                                    size_t *ret_count);

struct balance_row {
    const char *partner; /**< "" in a trial balance, as the next two are */
    const char *account;
    const char *agreement;
    const char *currency;
    int64_t amount;
};

/** Which postings count for a balance. */
struct balance_ask {
    const char *partner;      /**< NULL: of everybody */
    int64_t seq_max;          /**< known up to this number */
    instant_us at;            /**< posted up to this instant */
    struct balance_row after; /**< the list goes on behind this row's key */
    int64_t limit;
};
/** Sums per (partner, account, agreement, currency), in that order; zero ones too. */
enum accord_error store_balances(struct db *db, struct arena *arena, const struct balance_ask *ask,
                                 struct balance_row **ret, size_t *ret_count);
/** Sums over everybody per currency: each is zero in sound books. Reads every posting. */
enum accord_error store_trial_balance(struct db *db, struct arena *arena,
                                      const struct balance_ask *ask, struct balance_row **ret,
                                      size_t *ret_count);

#endif
