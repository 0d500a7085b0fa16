/**
 * Facts: what partners post. From the text of a batch to typed facts with their canonical bodies
 * (facts_decode.c, facts_body.c: no database, any thread), and from there into the journal
 * (facts_write.c: in the writer's transaction).
 */
#ifndef INGEST_FACTS_H
#define INGEST_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "accord/settle.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "ingest/tx.h"
#include "store/bundles.h"
#include "store/facts.h"
#include "json/decode.h"

enum { FACTS_ITEMS_MAX = 10000, FACTS_BYTES_MAX = 16 << 20, FACTS_FUTURE_MAX_S = 300 };
/** A touch that is older when it comes is refused. */
enum { FACTS_TOUCH_AGE_MAX_S = 72 * 3600 };

enum fact_type {
    FACT_RATING,
    FACT_REVIEW,
    FACT_SURVEY,
    FACT_QUESTION,
    FACT_ANSWER,
    FACT_COMMENT,
    FACT_CHECKIN,
    FACT_SHARE,
    FACT_PROGRESS,
    FACT_COMPLETION,
    FACT_IMPRESSION,
    FACT_CLICK,
    FACT_TOUCH,
    FACT_ENROLMENT,
    FACT_USAGE,
    FACT_ORDER_PAID,
    FACT_ORDER_REFUNDED,
    FACT_ORDER_CHARGED_BACK,
    FACT_ORDER_CHARGEBACK_REVERSED,
    FACT_MEMBERSHIP_STARTED,
    FACT_MEMBERSHIP_RENEWED,
    FACT_MEMBERSHIP_CANCELLED,
    FACT_CHALLENGE_JOINED,
    FACT_CHALLENGE_WITHDRAWN,
    FACT_CONSENT,
    FACT_ADJUSTMENT,
    FACT_PAYMENT,
    FACT_VOID,
    FACT_TYPES, /**< how many there are */
};

/** Bits: which types an operation takes, and who may post them. */
enum fact_class {
    FACT_CLASS_FEEDBACK = 1 << 0, /**< a channel, or the provider about its own courses */
    FACT_CLASS_REACH = 1 << 1,    /**< only the channel, like the others */
    FACT_CLASS_USAGE = 1 << 2,
    FACT_CLASS_ORDER = 1 << 3,
    FACT_CLASS_MEMBERSHIP = 1 << 4,
    FACT_CLASS_CHALLENGE = 1 << 5,
    FACT_CLASS_CONSENT = 1 << 6,  /**< a channel or a provider, about its own learners */
    FACT_CLASS_OPERATOR = 1 << 7, /**< only the operator, as itself */
    FACT_CLASS_VOID = 1 << 8,     /**< everybody */
    FACT_CLASS_ALL = (1 << 9) - 1,
};

const char *fact_type_name(enum fact_type type); /* "order.paid" */
enum fact_class fact_class_of(enum fact_type type);
/** False: there is no such type. */
bool fact_type_find(struct slice name, enum fact_type *ret);

struct raw_fact; /* as decoded from JSON: ingest/facts_raw.h */

enum fact_status { FACT_ACCEPTED, FACT_DUPLICATE, FACT_CONFLICT, FACT_REJECTED };
const char *fact_status_name(enum fact_status status);

/** One item of a batch. What is not found by decoding is filled by writing, anew each time. */
struct fact {
    enum accord_error error; /**< found by decoding; not OK: nothing below but event_id is filled */
    const char *event_id;    /**< NULL: there is none that can be read */
    const char *pointer;     /**< of the first problem; "" is the item itself */
    const char *message;

    enum fact_type type;
    instant_us occurred_at;
    const char *provider; /**< or "" */
    const char *course_id;
    const char *supersedes; /**< own event_id, or NULL */
    bool has_learner;
    struct hash learner_lookup;
    int64_t measure;
    const char *language; /**< of a review, or "" */
    struct slice text;    /**< erasable; data NULL: the type has none */
    uint8_t salt[FACT_SALT_BYTES];
    struct slice body; /**< canonical; holds the text's hash under `salt` */
    const struct raw_fact *raw;
    const char *order_id;             /**< of order.*, else NULL */
    const char *refund_id;            /**< of refunds, charge-backs, reversals, else NULL */
    const char *subject_id;           /**< of a membership, entry, adjustment, payment, else NULL */
    const char *subject_part;         /**< term_id, "" for the first; state; purpose; else NULL */
    const struct accord_order *order; /**< of order.paid; of a whole offer: without lines */
    const struct bundle_row *bundle; /**< of order.paid for a whole offer: all but seq; else NULL */
    const struct accord_refund *rows; /**< of a refund or charge-back: one, or one a line */
    size_t row_count;

    enum fact_status status; /**< after writing */
    enum accord_error code;  /**< why not accepted */
    const char *code_pointer;
    enum accord_held held; /**< accepted, but waits */
    int64_t seq;
    uint8_t learner[LEARNER_BYTES];
    struct hash body_hash;
};

/** What was posted by one request. Lives in the request's arena. */
struct fact_batch {
    const char *partner;   /**< whose facts they are */
    const char *posted_by; /**< operator that posts for it, or "" */
    struct arena *arena;   /**< of the request: what outlives the transaction goes there */
    struct fact *facts;
    size_t count;
    enum accord_error refused; /**< after writing: the batch as a whole (partner_unknown) */
    int64_t as_of;             /**< after writing: the partner's version */
    size_t counts[FACT_REJECTED + 1];
};

enum fact_shape { FACT_SHAPE_ARRAY, FACT_SHAPE_NDJSON };

/**
 * Decodes a batch.
 *
 * @param classes      types taken, bits of enum fact_class
 * @param now          of the wall clock: what lies far behind it is refused
 * @param learner_key  keys the look-up of learners
 * @param ret          facts and count are filled; partner is read
 * @param ret_why      what is wrong with the text as a whole, in words; in the arena
 * @return ACCORD_OK (each fact has its own error); ACCORD_E_JSON_INVALID, ACCORD_E_BODY_EMPTY,
 *         ACCORD_E_BATCH_TOO_LARGE: nothing of it may be written; ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error facts_decode(struct arena *arena, struct slice text, enum fact_shape shape,
                               unsigned classes, instant_us now, const uint8_t learner_key[32],
                               struct fact_batch *ret, const char **ret_why);

/** Decodes one item; what is wrong with it stands in *ret. ACCORD_E_OUT_OF_MEMORY only. */
enum accord_error fact_decode(struct arena *arena, struct slice text, const char *partner,
                              unsigned classes, instant_us now, const uint8_t learner_key[32],
                              struct fact *ret);

/** The canonical body of a fact, with the hash of its text under a salt. NULL data: out of memory.
 */
struct slice fact_body(struct arena *arena, const struct fact *fact,
                       const uint8_t salt[FACT_SALT_BYTES]);
/** Hash of a fact as it is stored: over everything that it says, its learner's internal id and its
 *  body included. */
struct hash fact_hash(const struct fact_row *row);
/** The body as its partner sees it: the text in the place of its hash. data NULL: out of memory. */
struct slice fact_body_with_text(struct arena *arena, const struct fact_row *row);
/**
 * Reads a stored fact back into what decoding gave: type, order, rows, measure. For checking typed
 * rows against the body.
 *
 * @return ACCORD_OK (ret->error says whether it could be read); ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error fact_reread(struct arena *arena, const struct fact_row *row, struct fact *ret);

/** Writes batches into the journal and posts them, in the open transaction: all of them, each item
 *  with its status. May run again for the same batches after a roll-back. */
enum accord_error facts_write(struct ingest_tx *tx, struct fact_batch *const *batches,
                              size_t count);

#endif
