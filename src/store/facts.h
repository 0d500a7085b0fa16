/**
 * The journal: facts, their keys, their erasable texts, and the order of knowledge.
 * Texts of results live in the arena given. Not thread-safe beyond what struct db is.
 */
#ifndef STORE_FACTS_H
#define STORE_FACTS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/learners.h"
#include "store/store.h"

/** Version of the canonical form that this program writes. */
enum { FACT_CANON = 1, FACT_SALT_BYTES = 32 };

/** Takes `count` numbers of the order of knowledge. The journal's head is locked from here to the
 *  commit: the last step before rows that carry a number. */
enum accord_error store_journal_take(struct db *db, int64_t count, int64_t *ret_first);
enum accord_error store_journal_head(struct db *db, int64_t *ret_seq);

struct fact_name {
    const char *partner;
    const char *event_id;
};

/** What stands under a name. */
struct fact_known {
    bool found;
    int64_t seq;
    struct hash body_hash;
    bool has_text; /**< its text is still there */
    uint8_t salt[FACT_SALT_BYTES];
};
/** Looks `count` names up; ret[i] belongs to names[i]. */
enum accord_error store_facts_known(struct db *db, const struct fact_name *names, size_t count,
                                    struct fact_known *ret);

/** A stored fact that another one wants to supersede or void. */
struct fact_target {
    int64_t seq; /**< in: which one */
    bool found;
    bool superseded;
    const char *type;
    const char *provider;
    const char *course_id;
    bool has_learner;
    uint8_t learner[LEARNER_BYTES];
    int64_t measure;
    instant_us occurred_at;
    const char *order_id;   /**< of money facts, else NULL */
    const char *refund_id;  /**< of refunds, charge-backs and reversals, else NULL */
    const char *subject_id; /**< of a membership, challenge entry, adjustment or payment, or NULL */
    const char
        *subject_part; /**< term_id, "" for the first; state of a payment; purpose; or NULL */
    bool had_text;     /**< its body has the hash of a text */
    const char *touch; /**< of a touch, or a sale that names one: code of its link; or NULL */
    const char *touch_kind;
};
enum accord_error store_fact_targets(struct db *db, struct arena *arena, struct fact_target *rows,
                                     size_t count);

/** A fact as it stands in the journal. */
struct fact_row {
    int64_t seq;
    const char *partner;
    const char *posted_by; /**< operator that posted for the partner, or "" */
    const char *event_id;
    const char *type;
    instant_us occurred_at;
    instant_us received_at;
    bool has_learner;
    uint8_t learner[LEARNER_BYTES];
    const char *provider; /**< or "" */
    const char *course_id;
    int64_t measure;
    struct slice body; /**< canonical JSON */
    int64_t canon;
    struct hash body_hash;
    int64_t supersedes; /**< seq; 0: none */
    struct slice text;  /**< data NULL: none, or erased */
    uint8_t salt[FACT_SALT_BYTES];
    const char *superseded_by; /**< event_id, or NULL; only read */
    int64_t superseded_seq;    /**< what the one that supersedes it names; only read by
                                    store_facts_each(), as is */
    struct hash key_hash;      /**< of fact_key */
};
/** Inserts facts with their keys, texts and supersessions. */
enum accord_error store_facts_insert(struct db *db, const struct fact_row *rows, size_t count);

/** A partner's own facts behind `after`, in the order of knowledge, at most `limit`.
 *  @param type  NULL: all types */
enum accord_error store_facts_of(struct db *db, struct arena *arena, const char *partner,
                                 const char *type, int64_t after, int64_t limit,
                                 struct fact_row **ret, size_t *ret_count);

/** Up to `limit` facts of everybody behind `after`; texts are valid during the call only. */
typedef enum accord_error fact_row_fn(void *context, const struct fact_row *row);
enum accord_error store_facts_each(struct db *db, int64_t after, int64_t limit, fact_row_fn *each,
                                   void *context);

/** Roles of partners, 0 for an unknown one; ret[i] belongs to ids[i]. */
enum accord_error store_roles_of(struct db *db, const char *const *ids, size_t count,
                                 uint32_t *ret);
/** Calls back with the id of every partner that has a role of `roles`. */
typedef enum accord_error partner_id_fn(void *context, const char *id);
enum accord_error store_partners_with(struct db *db, uint32_t roles, partner_id_fn *each,
                                      void *context);
/** Sets the version of what each partner can see. */
enum accord_error store_partner_versions_set(struct db *db, const char *const *partners,
                                             size_t count, int64_t seq);

struct course_name {
    const char *provider;
    const char *course_id;
};
/** Which courses a visible catalog has or had: a withdrawn course stays known. */
enum accord_error store_courses_known(struct db *db, const struct course_name *names, size_t count,
                                      bool *ret);

#endif
