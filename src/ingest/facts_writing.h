/** What the phases of writing facts share (facts_lookup.c, facts_decide.c, facts_write.c). */
#ifndef INGEST_FACTS_WRITING_H
#define INGEST_FACTS_WRITING_H

#include "ingest/facts.h"
#include "ingest/keymap.h"
#include "store/memberships.h"
#include "store/operator_facts.h"
#include "store/sales.h"
#include "store/subjects.h"

enum { ROLE_PROVIDER_BIT = 1, ROLE_CHANNEL_BIT = 2, ROLE_PLATFORM_BIT = 8 };

/* What stands, or comes to stand, under one (partner, event_id). */
struct slot {
    struct fact_name name;
    struct fact_known known;
    const struct fact *fact; /* accepted in this run */
    bool is_target;
    struct fact_target target; /* of a stored one that is to be superseded */
    bool superseded;
};

struct order_slot {
    struct order_name name;
    bool taken;
    bool touched;
    const struct fact
        *sale;   /* its first sale, accepted in this run, as long as nothing replaces it */
    int64_t seq; /* of the last fact that touches it */
    size_t post; /* index of what is posted */
};

struct membership_slot {
    struct membership_name name;
    bool touched;
    int64_t seq; /* of the last fact that touches it */
    size_t post; /* index of what is posted */
};

struct refund_slot {
    struct refund_name name;
    bool taken;
};

/* An id that is taken for ever, or comes to be. */
struct subject_slot {
    struct subject_name name;
    bool taken;
};

struct agreement_slot {
    const char *id;
    bool known;
    struct accord_currency currency; /* when it is known: that of all its versions */
};

struct item {
    struct fact_batch *batch;
    struct fact *fact;
    size_t slot;
    size_t target;     /* slot of what it supersedes; SIZE_MAX: nothing */
    size_t learner;    /* SIZE_MAX: none */
    size_t course;     /* SIZE_MAX: none */
    size_t order;      /* order_slot it touches; SIZE_MAX: none */
    size_t refund;     /* refund_slot of its id; SIZE_MAX: none */
    size_t subject;    /* subject_slot of the id that it takes; SIZE_MAX: none */
    size_t membership; /* membership_slot it touches; SIZE_MAX: none */
    size_t payment;    /* payment_standing that it is a state of; SIZE_MAX: none */
};

/* A growing table with an index by key. */
struct table {
    struct keymap index;
    char *rows;
    size_t size;
    size_t count;
    size_t cap;
};

struct writing {
    struct ingest_tx *tx;
    struct item *items;
    size_t count;
    struct table partners;    /* struct partner_slot */
    struct table slots;       /* struct slot */
    struct table orders;      /* struct order_slot */
    struct table refunds;     /* struct refund_slot */
    struct table learners;    /* struct learner_slot */
    struct table courses;     /* struct course_slot */
    struct table subjects;    /* struct subject_slot */
    struct table memberships; /* struct membership_slot */
    struct table payments;    /* struct payment_standing */
    struct table agreements;  /* struct agreement_slot */
    size_t accepted;
    struct item **kept; /* accepted items, in order */
};

struct partner_slot {
    const char *id;
    uint32_t roles;
};

struct learner_slot {
    struct learner_row row;
    bool used; /* by an accepted fact */
};

struct course_slot {
    struct course_name name;
    bool known;
};

enum accord_error facts_table_init(struct table *table, struct arena *arena, size_t size,
                                   size_t expected);
/** The row of a key, zeroed when it is new; *ret its place. */
enum accord_error facts_table_at(struct table *table, const struct key *key, size_t *ret,
                                 bool *ret_new);
/** The row at a place of a table. */
void *facts_row_at(const struct table *table, size_t place);

/** Phase 1: which keys the items name, and what stands under them. */
enum accord_error facts_note_partner(struct writing *w, const char *id);
enum accord_error facts_look_up(struct writing *w);
uint32_t facts_roles_of(const struct writing *w, const char *id);
enum accord_error facts_note_order(struct writing *w, const char *channel, const char *order_id,
                                   size_t *ret);
enum accord_error facts_note_membership(struct writing *w, const char *channel,
                                        const char *membership_id, size_t *ret);
struct refund_slot *facts_refund_of(const struct writing *w, const char *channel,
                                    const struct fact *fact);

const struct agreement_slot *facts_agreement_of(const struct writing *w, const char *id);

/* Payments (facts_payments.c). */
enum accord_error facts_note_payment(struct writing *w, const char *partner, const char *payment_id,
                                     size_t *ret);
enum accord_error facts_ask_payments(struct writing *w);
/** Whether a state may come now and says what the others say; else the code, and where. */
enum accord_error facts_check_payment(const struct writing *w, const struct item *item,
                                      const char **ret_pointer);
/** False: the item is a void of a state that is not the payment's last. */
bool facts_may_void_payment(const struct writing *w, const struct item *item);
void facts_accept_payment(struct writing *w, const struct item *item);
/** Of phase 4: brings the books to what stands of the payments that changed. */
enum accord_error facts_post_payments(struct writing *w);

/** Phase 2: gives an item its status; what is accepted is seen by the items behind it. */
enum accord_error facts_decide(struct writing *w, struct item *item);
/** A fact as a row of the journal; received_at and supersedes are left out. */
struct fact_row facts_journal_row(const struct item *item, struct slice body);

/** Of phase 3: ids taken, and typed rows beside those of orders (facts_insert.c). */
enum accord_error facts_insert_typed(struct writing *w);

#endif
