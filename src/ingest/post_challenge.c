/* The revenue of entries of challenges: as the lines of orders, by the fact that joined. */
#include "ingest/challenge_rounds.h"
#include "ingest/posting.h"
#include "store/partners.h"

/* All facts that joined, those that were corrected or taken back with nothing. */
static enum accord_error make_item(struct ingest_tx *tx, const struct agreement_choice *choice,
                                   const char *operator_id, const struct stored_challenge *stored,
                                   const struct challenge_entry_row *entry, int64_t seq,
                                   struct posting_item *ret)
{
    struct posting_sale *sales = arena_array(tx->arena, stored->count + 1, sizeof *sales);
    struct settled *settled = arena_alloc(tx->arena, sizeof *settled);
    if (sales == NULL || settled == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error =
        challenge_settled(choice, tx->rates, tx->arena, operator_id, entry, settled);
    *ret = (struct posting_item){.seq = seq, .sales = sales};
    for (size_t i = 0; error == ACCORD_OK && i < stored->count; i++)
        if (stored->facts[i].row.kind == CHALLENGE_JOINED)
            sales[ret->sale_count++] = (struct posting_sale){
                .seq = stored->facts[i].row.seq,
                .want = stored->facts[i].row.seq == entry->seq ? settled : NULL};
    return error;
}

enum accord_error ingest_post_challenges(struct ingest_tx *tx, const struct challenge_name *names,
                                         size_t count, int64_t seq)
{
    if (count == 0)
        return ACCORD_OK;
    struct stored_challenge *stored = arena_array(tx->arena, count, sizeof *stored);
    struct challenge_entry_row *entries = arena_array(tx->arena, count, sizeof *entries);
    struct posting_item *items = arena_array(tx->arena, count, sizeof *items);
    struct agreement_book *book;
    struct agreement_choice choice;
    const char *operator_id;
    if (stored == NULL || entries == NULL || items == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        stored[i].name = names[i];
    enum accord_error error = ingest_agreements(tx, &book);
    if (error == ACCORD_OK)
        error = store_partner_operator(tx->db, tx->arena, &operator_id);
    if (error == ACCORD_OK)
        error = store_challenges_load(tx->db, tx->arena, stored, count);
    if (error == ACCORD_OK)
        error = store_challenge_entries_find(tx->db, tx->arena, names, count, entries);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        error = agreement_book_choose(book, tx->arena, names[i].channel, &operator_id, 1, &choice);
        if (error == ACCORD_OK)
            error = make_item(tx, &choice, operator_id, &stored[i], &entries[i], seq, &items[i]);
    }
    return error == ACCORD_OK ? ingest_post_entries(tx, book, items, count) : error;
}
