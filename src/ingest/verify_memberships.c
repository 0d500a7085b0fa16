/* Memberships: their terms settled anew from typed rows, and compared with their entries. */
#include "ingest/membership.h"
#include "ingest/verify_parts.h"
#include "store/partners.h"

enum { MEMBERSHIPS_AT_ONCE = 200 };

static enum accord_error check_membership(struct verify *v, const char *operator_id,
                                          const struct stored_membership *stored,
                                          const struct entry_list *lists, const bool *queued)
{
    const struct order_name name = {stored->name.channel, stored->name.membership_id};
    struct settled *want;
    int64_t months = 0;
    bool waiting = false;
    size_t terms = 0;
    for (size_t i = 0; i < stored->count; i++)
        if (stored->terms[i].row.kind != MEMBERSHIP_CANCELLED)
            waiting |= queued[terms++];
    enum accord_error error = membership_settled_all(v->book, v->rates, v->pools, v->arena,
                                                     operator_id, stored, &want, &months);
    if (error != ACCORD_OK && error != ACCORD_E_OUT_OF_MEMORY) {
        verify_entry_differs(v, &name, stored->terms[0].row.seq, 0,
                             "the membership cannot be settled");
        return ACCORD_OK;
    }
    v->summary.memberships++;
    v->summary.waiting += waiting;
    v->summary.lines += months;
    terms = 0;
    for (size_t i = 0; error == ACCORD_OK && i < stored->count; i++)
        if (stored->terms[i].row.kind != MEMBERSHIP_CANCELLED)
            error = verify_sale(v, &name, &lists[terms++], &want[i], waiting);
    return error;
}

static enum accord_error check_memberships(struct verify *v, struct stored_membership *stored,
                                           size_t count)
{
    const char *operator_id;
    enum accord_error error = store_partner_operator(v->db, v->arena, &operator_id);
    if (error == ACCORD_OK)
        error = store_memberships_load(v->db, v->arena, stored, count);
    if (error != ACCORD_OK)
        return error;
    size_t terms = 0;
    for (size_t i = 0; i < count; i++)
        terms += stored[i].count;
    struct entry_list *lists = arena_array(v->arena, terms + 1, sizeof *lists);
    int64_t *seqs = arena_array(v->arena, terms + 1, sizeof *seqs);
    bool *queued = arena_array(v->arena, terms + 1, sizeof *queued);
    if (lists == NULL || seqs == NULL || queued == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < stored[i].count; j++)
            if (stored[i].terms[j].row.kind != MEMBERSHIP_CANCELLED) {
                seqs[n] = lists[n].sale_seq = stored[i].terms[j].row.seq;
                n++;
            }
    error = store_entries_load(v->db, v->arena, lists, n);
    if (error == ACCORD_OK)
        error = store_resettle_queued(v->db, seqs, n, queued);
    n = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        error = check_membership(v, operator_id, &stored[i], &lists[n], &queued[n]);
        for (size_t j = 0; j < stored[i].count; j++)
            n += stored[i].terms[j].row.kind != MEMBERSHIP_CANCELLED;
    }
    return error;
}

enum accord_error verify_memberships(struct verify *v)
{
    struct arena *names = arena_new(1 << 20); /* of the last name of a piece */
    if (names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct membership_name found[MEMBERSHIPS_AT_ONCE];
    struct membership_name after = {"", ""};
    size_t count = MEMBERSHIPS_AT_ONCE;
    enum accord_error error = ACCORD_OK;
    while (error == ACCORD_OK && count == MEMBERSHIPS_AT_ONCE) {
        arena_reset(v->arena);
        error = store_memberships_list(v->db, v->arena, after, MEMBERSHIPS_AT_ONCE, found, &count);
        if (error != ACCORD_OK || count == 0)
            break;
        struct stored_membership *stored = arena_array(v->arena, count, sizeof *stored);
        if (stored == NULL) {
            error = ACCORD_E_OUT_OF_MEMORY;
            break;
        }
        for (size_t i = 0; i < count; i++)
            stored[i].name = found[i];
        error = check_memberships(v, stored, count);
        /* One that is broken must not hide the others: they are looked at one by one. */
        for (size_t i = 0; error == ACCORD_E_DATABASE_ERROR && i < count; i++) {
            struct stored_membership one = {.name = found[i]};
            const enum accord_error alone = check_memberships(v, &one, 1);
            if (alone == ACCORD_E_DATABASE_ERROR)
                verify_differs(v, "entry", "%s %s: its rows do not fit together", found[i].channel,
                               found[i].membership_id);
            else if (alone != ACCORD_OK)
                error = alone;
        }
        if (error == ACCORD_E_DATABASE_ERROR)
            error = ACCORD_OK;
        arena_reset(names);
        after =
            (struct membership_name){arena_strdup(names, slice_of(found[count - 1].channel)),
                                     arena_strdup(names, slice_of(found[count - 1].membership_id))};
        if (error == ACCORD_OK && (after.channel == NULL || after.membership_id == NULL))
            error = ACCORD_E_OUT_OF_MEMORY;
    }
    arena_free(names);
    return error;
}
