#include "ingest/post_membership.h"

#include "ingest/membership.h"
#include "ingest/posting.h"
#include "store/partners.h"

/* All terms of a membership, those that were corrected or taken back with nothing. */
static enum accord_error make_item(struct ingest_tx *tx, struct agreement_book *book,
                                   struct pool_book *pools, const char *operator_id,
                                   const struct stored_membership *stored,
                                   struct post_membership *post, struct posting_item *ret)
{
    struct posting_sale *sales = arena_array(tx->arena, stored->count + 1, sizeof *sales);
    struct settled *settled;
    int64_t unused;
    if (sales == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = membership_settled_all(book, tx->rates, pools, tx->arena,
                                                           operator_id, stored, &settled, &unused);
    if (error != ACCORD_OK)
        return error;
    *ret = (struct posting_item){.seq = post->seq, .sales = sales};
    for (size_t i = 0; i < stored->count; i++) {
        if (stored->terms[i].row.kind == MEMBERSHIP_CANCELLED)
            continue;
        sales[ret->sale_count++] =
            (struct posting_sale){.seq = stored->terms[i].row.seq, .want = &settled[i]};
        if (post->held == ACCORD_HELD_NOT)
            post->held = settled[i].held;
    }
    return ACCORD_OK;
}

enum accord_error ingest_post_memberships(struct ingest_tx *tx, struct post_membership *memberships,
                                          size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    struct stored_membership *stored = arena_array(tx->arena, count, sizeof *stored);
    struct posting_item *items = arena_array(tx->arena, count, sizeof *items);
    struct agreement_book *book;
    const char *operator_id;
    struct pool_book *pools = pool_book_new(tx->db, tx->arena);
    if (stored == NULL || items == NULL || pools == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        stored[i].name = memberships[i].name;
        memberships[i].held = ACCORD_HELD_NOT;
    }
    enum accord_error error = ingest_agreements(tx, &book);
    if (error == ACCORD_OK)
        error = store_partner_operator(tx->db, tx->arena, &operator_id);
    if (error == ACCORD_OK)
        error = store_memberships_load(tx->db, tx->arena, stored, count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = make_item(tx, book, pools, operator_id, &stored[i], &memberships[i], &items[i]);
    if (error == ACCORD_OK)
        error = ingest_post_entries(tx, book, items, count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        memberships[i].excess_grew = items[i].excess_grew;
    return error;
}
