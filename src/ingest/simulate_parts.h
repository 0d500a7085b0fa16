/** What the parts of a simulation share. */
#ifndef INGEST_SIMULATE_PARTS_H
#define INGEST_SIMULATE_PARTS_H

#include "ingest/closing.h"
#include "ingest/settled.h"
#include "ingest/simulate.h"

struct simulating {
    const struct simulation_ask *ask;
    struct closing *c;
    struct arena *arena;   /* of the call */
    struct arena *scratch; /* of a batch */
    struct agreement_book *book;
    struct rate_book *rates;
    const struct agreement_version *changed; /* or NULL */
    instant_us changed_from;
    int64_t window_us; /* the longest of referrals */
    const char *viewer;
    struct keymap payee_index;
    size_t payee_cap;
    int64_t booked; /* whose facts are being read: of a closed period also those behind it */
    bool today;     /* of a closed period: lines as they stand, not as they would be */
    int64_t *extra; /* sales and terms that facts are about */
    size_t extra_count;
    size_t extra_at;
    struct stored_membership *memberships; /* that facts are about, with these */
    size_t membership_count;
    struct simulation *ret;
    struct json_problems *problems;
};

/** The versions that may cover what happened at an instant, with the terms of the simulation. */
enum accord_error simulate_choose(struct simulating *s, const char *channel,
                                  const char *const *providers, size_t count, instant_us at,
                                  struct agreement_choice *ret);
/** One line: what it comes to now less what was posted before. `head` says which. */
enum accord_error simulate_line(struct simulating *s, const struct statement_line *head,
                                const struct entry_list *list, const struct settled *settled);
/** Adds the refunds among the facts of the simulation to those of an order. */
enum accord_error simulate_refunds(struct simulating *s, struct stored_order *stored);
/** Checks the facts: every one is sound, and says something about an order that is, or is among
 *  them, or about a membership. Puts the orders into `fresh`, and the sales that refunds are about
 * into s->extra. */
enum accord_error simulate_facts(struct simulating *s, struct stored_order *fresh,
                                 size_t *ret_fresh);
/** Takes the facts about memberships (ingest/simulate_members.c). */
enum accord_error simulate_memberships(struct simulating *s);
/** How many terms there are of those memberships, and, unless NULL, which. */
size_t simulate_terms(const struct simulating *s, int64_t *ret_seqs);
/** Puts one with those facts into the place of one without. */
void simulate_join(const struct simulating *s, struct stored_membership *stored);
/** The lines of terms that are among the facts, and of one term. */
enum accord_error simulate_fresh_terms(struct simulating *s);
enum accord_error simulate_term(struct simulating *s, const struct stored_membership *stored,
                                const struct entry_list *list);
/** The lines of what is no sale: a term of a membership, or an entry of a challenge. */
enum accord_error simulate_other(struct simulating *s, int64_t seq);
/** Other terms of pools: divides the months of the period anew, and puts the shares in the place of
 *  those of the sheet. */
enum accord_error simulate_pools(struct simulating *s);

#endif
