/**
 * Offers: what a channel sells, from JSON to its canonical body and back. Pure but for
 * offer_weigh(), which looks courses up; any thread.
 */
#ifndef INGEST_OFFER_H
#define INGEST_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "accord/bundle.h"
#include "accord/money.h"
#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"
#include "json/decode.h"
#include "json/write.h"

enum offer_kind { OFFER_SINGLE, OFFER_BUNDLE, OFFER_MEMBERSHIP, OFFER_CHALLENGE };
/** What becomes of deposits: those who finish share what the others lose, or everybody gets back a
 *  part for every day done. */
enum offer_reward { OFFER_REWARD_POT, OFFER_REWARD_PRO_RATA };
extern const char *const offer_kind_names[];       /**< ends with NULL */
extern const char *const offer_allocation_names[]; /**< by enum accord_bundle_basis */

struct offer_item {
    struct slice provider;
    struct slice course_id;
    int64_t weight; /**< of a bundle */
    bool has_weight;
};

struct offer {
    int kind; /**< enum offer_kind */
    struct slice title;
    struct accord_currency currency;
    int64_t price; /**< minor units */
    struct {
        instant_us from;
        instant_us to; /**< exclusive */
        bool has_to;
    } valid;
    int64_t refund_days;
    bool has_refund_days;
    struct json_array items; /**< of struct offer_item */
    int allocation;          /**< enum accord_bundle_basis; of a bundle */
    bool has_allocation;
    struct {
        int64_t days;
        int64_t trial_days;
        struct slice pool; /**< that it funds; data NULL: none */
    } membership;
    bool has_membership;
    struct {
        struct slice starts_on; /**< the day on which the window of all begins; data NULL: on that
                                   of joining */
        int64_t starts_day;     /**< of that, since 1970-01-01 */
        int64_t deposit;
        int64_t need_days;
        int64_t window_days;
        int64_t makeups;
        int64_t fee_ppm;
        int reward; /**< enum offer_reward */
        int split;
        int none;
    } challenge;
    bool has_challenge;
};

enum { OFFER_BODY_MAX = 512 << 10, OFFER_ID_MAX = 128 };

/** Whether a text may be the id of an offer: as facts name it. */
bool offer_id_valid(struct slice id);

/**
 * Decodes and checks an offer.
 *
 * @return ACCORD_OK; ACCORD_E_FIELDS_INVALID with at least one problem; ACCORD_E_JSON_INVALID;
 *         ACCORD_E_OUT_OF_MEMORY. *ret is unwritten on failure
 */
enum accord_error offer_decode(struct arena *arena, struct slice text, struct offer *ret,
                               struct json_problems *problems);

/** Gives the items of a bundle their weights where none is given: the list price or the duration of
 *  the course as `channel` sees it now, or 1. What cannot be had, and weights by which the price
 *  cannot be divided, go to `problems`. */
enum accord_error offer_weigh(struct db *db, struct arena *arena, const char *channel,
                              instant_us now, struct offer *offer, struct json_problems *problems);

/** The canonical body; decoding it gives the same offer. data NULL: out of memory. */
struct slice offer_encode(struct arena *arena, const struct offer *offer);

/** Members "challenge" and "membership", where the offer has them. */
void offer_write_terms(struct json_writer *w, const struct offer *offer);

/** What of the price each item of a single offer or a weighed bundle gets. */
enum accord_error offer_divide(struct arena *arena, const struct offer *offer, int64_t **ret);

#endif
