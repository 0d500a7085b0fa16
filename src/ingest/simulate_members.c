/* Memberships that there are not: terms, and cancellations of those that there are. */
#include <stdlib.h>
#include <string.h>

#include "ingest/facts_typed.h"
#include "ingest/membership.h"
#include "ingest/simulate_parts.h"

static bool is_membership(const struct fact *fact)
{
    return fact->type == FACT_MEMBERSHIP_STARTED || fact->type == FACT_MEMBERSHIP_RENEWED ||
           fact->type == FACT_MEMBERSHIP_CANCELLED;
}

/* The membership of a fact, loaded when it is the first of it. */
static enum accord_error membership_of(struct simulating *s, const struct fact *fact,
                                       struct stored_membership **ret)
{
    for (size_t i = 0; i < s->membership_count; i++) {
        *ret = &s->memberships[i];
        if (strcmp((*ret)->name.membership_id, fact->subject_id) == 0)
            return ACCORD_OK;
    }
    *ret = &s->memberships[s->membership_count++];
    **ret = (struct stored_membership){.name = {s->ask->facts->partner, fact->subject_id}};
    return store_memberships_load(s->c->db, s->arena, *ret, 1);
}

/* A name that was taken stays so, even if its fact was taken back. */
static bool is_taken(const struct stored_membership *membership, const struct membership_row *row)
{
    for (size_t i = 0; i < membership->count; i++) {
        const struct membership_row *there = &membership->terms[i].row;
        if (there->kind == row->kind &&
            (row->kind == MEMBERSHIP_STARTED || strcmp(there->term_id, row->term_id) == 0))
            return row->kind != MEMBERSHIP_CANCELLED;
    }
    return false;
}

static enum accord_error add_fact(struct simulating *s, size_t at)
{
    const struct fact_batch *facts = s->ask->facts;
    const struct fact *fact = &facts->facts[at];
    const struct fact_row name = {.seq = s->c->cutoff + 1 + (int64_t)at,
                                  .partner = facts->partner,
                                  .event_id = fact->event_id,
                                  .occurred_at = fact->occurred_at};
    struct stored_membership *membership;
    struct membership_row row;
    enum accord_error error = membership_of(s, fact, &membership);
    if (error != ACCORD_OK)
        return error;
    fact_tables[fact_table_of(fact)].row_of(fact, &name, &row);
    if (is_taken(membership, &row)) {
        const bool starts = row.kind == MEMBERSHIP_STARTED;
        json_problem_add(
            s->problems, starts ? ACCORD_E_MEMBERSHIP_EXISTS : ACCORD_E_TERM_EXISTS,
            arena_printf(s->arena, "/add_facts/%zu/%s", at, starts ? "membership_id" : "term_id"),
            "it is there already");
        return ACCORD_E_FIELDS_INVALID;
    }
    struct stored_term *terms = arena_array(s->arena, membership->count + 1, sizeof *terms);
    if (terms == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (membership->count > 0)
        memcpy(terms, membership->terms, membership->count * sizeof *terms);
    terms[membership->count++].row = row;
    membership->terms = terms;
    return ACCORD_OK;
}

enum accord_error simulate_memberships(struct simulating *s)
{
    const struct fact_batch *facts = s->ask->facts;
    enum accord_error error = ACCORD_OK;
    s->memberships = arena_array(s->arena, facts->count + 1, sizeof *s->memberships);
    if (s->memberships == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; error == ACCORD_OK && i < facts->count; i++)
        if (is_membership(&facts->facts[i]))
            error = add_fact(s, i);
    return error;
}

size_t simulate_terms(const struct simulating *s, int64_t *ret_seqs)
{
    size_t count = 0;
    for (size_t i = 0; i < s->membership_count; i++)
        for (size_t j = 0; j < s->memberships[i].count; j++) {
            const struct membership_row *row = &s->memberships[i].terms[j].row;
            if (row->seq > s->c->cutoff || row->kind == MEMBERSHIP_CANCELLED)
                continue;
            if (ret_seqs != NULL)
                ret_seqs[count] = row->seq;
            count++;
        }
    return count;
}

void simulate_join(const struct simulating *s, struct stored_membership *stored)
{
    for (size_t i = 0; i < s->membership_count; i++)
        if (!s->today && strcmp(s->memberships[i].name.channel, stored->name.channel) == 0 &&
            strcmp(s->memberships[i].name.membership_id, stored->name.membership_id) == 0)
            *stored = s->memberships[i];
}

enum accord_error simulate_fresh_terms(struct simulating *s)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < s->membership_count; i++)
        for (size_t j = 0; error == ACCORD_OK && j < s->memberships[i].count; j++) {
            const struct stored_term *term = &s->memberships[i].terms[j];
            const struct entry_list none = {.sale_seq = term->row.seq};
            if (term->row.seq > s->c->cutoff && membership_is_term(term))
                error = simulate_term(s, &s->memberships[i], &none);
            arena_reset(s->scratch);
        }
    return error;
}
