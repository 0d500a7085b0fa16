/* Challenges: entries and rounds worked out again from their facts, and compared with what stands:
 * rows, postings, and the entries of their revenue. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ingest/challenge_rounds.h"
#include "ingest/keymap.h"
#include "ingest/verify_parts.h"
#include "store/partners.h"
#include "store/postings.h"

enum { ENTRIES_AT_ONCE = 200, SUMS_BYTES_MAX = 1 << 28, LABEL_MAX = 400 };

/* What accounts should come to. */
struct sums {
    struct arena *arena;
    struct keymap index;
    int64_t *amounts;
    size_t count;
    size_t cap;
};

static enum accord_error add_sum(struct sums *sums, const char *channel, const char *account,
                                 const char *currency, int64_t amount)
{
    const struct key key = key_of(channel, account, currency, NULL);
    size_t *at;
    if (amount == 0)
        return ACCORD_OK;
    const enum accord_error error = keymap_at(&sums->index, &key, sums->count, &at);
    if (error != ACCORD_OK)
        return error;
    if (*at == sums->count) {
        sums->amounts =
            arena_room(sums->arena, sums->amounts, sums->count, &sums->cap, sizeof *sums->amounts);
        if (sums->amounts == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        sums->amounts[sums->count++] = 0;
    }
    return accord_add(sums->amounts[*at], amount, &sums->amounts[*at]);
}

struct checking {
    struct verify *v;
    struct sums sums;
    const char *operator_id;
};

static void entry_differs(struct verify *v, const struct challenge_entry_row *row, const char *what)
{
    verify_differs(v, "challenge_entry", "%s/%s: %s", row->channel, row->entry_id, what);
}

/* ---- entries ---- */

static enum accord_error find_round(struct verify *v, const struct challenge_entry_row *row,
                                    struct challenge_round_row *ret, bool *ret_settled)
{
    bool found = false;
    *ret_settled = false;
    if (*row->round == '\0')
        return ACCORD_OK;
    const enum accord_error error = store_challenge_round_find(v->db, v->arena, row->channel,
                                                               row->offer, row->round, ret, &found);
    if (error == ACCORD_OK && !found)
        entry_differs(v, row, "its round is not there");
    *ret_settled = found && ret->settled_seq != 0;
    return error;
}

static bool is_same(const struct challenge_entry_row *row, const struct challenge_view *view)
{
    return row->seq == view->joined->seq && strcmp(row->offer, view->joined->offer) == 0 &&
           strcmp(row->round, view->round) == 0 &&
           strcmp(row->currency, view->joined->currency) == 0 &&
           row->first_day == view->first_day && row->last_day == view->last_day;
}

static enum accord_error check_revenue(struct checking *c, const struct stored_challenge *stored,
                                       const struct challenge_entry_row *row)
{
    struct verify *v = c->v;
    struct entry_list *lists = arena_array(v->arena, stored->count + 1, sizeof *lists);
    int64_t *seqs = arena_array(v->arena, stored->count + 1, sizeof *seqs);
    bool *queued = arena_array(v->arena, stored->count + 1, sizeof *queued);
    struct agreement_choice choice;
    struct settled want;
    const struct settled nothing = {.count = 0};
    const struct order_name name = {row->channel, row->entry_id};
    size_t count = 0;
    if (lists == NULL || seqs == NULL || queued == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < stored->count; i++)
        if (stored->facts[i].row.kind == CHALLENGE_JOINED) {
            seqs[count] = lists[count].sale_seq = stored->facts[i].row.seq;
            count++;
        }
    enum accord_error error =
        agreement_book_choose(v->book, v->arena, row->channel, &c->operator_id, 1, &choice);
    if (error == ACCORD_OK)
        error = challenge_settled(&choice, v->rates, v->arena, c->operator_id, row, &want);
    if (error == ACCORD_OK)
        error = store_entries_load(v->db, v->arena, lists, count);
    if (error == ACCORD_OK)
        error = store_resettle_queued(v->db, seqs, count, queued);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = verify_sale(v, &name, &lists[i], seqs[i] == row->seq ? &want : &nothing, queued[i]);
    return error;
}

static enum accord_error check_entry(struct checking *c, struct challenge_book *book,
                                     const struct stored_challenge *stored,
                                     const struct challenge_entry_row *row)
{
    struct verify *v = c->v;
    struct challenge_view view;
    struct challenge_round_row round;
    bool settled = false;
    enum accord_error error = challenge_view_of(book, v->arena, stored, &view);
    if (error == ACCORD_OK)
        error = find_round(v, row, &round, &settled);
    if (error != ACCORD_OK)
        return error;
    if (view.joined == NULL ? row->seq != 0 || *row->round != '\0' : !is_same(row, &view))
        entry_differs(v, row, "not what its facts say");
    /* What settled rounds come to is looked at with them. */
    const int64_t held = settled ? 0 : challenge_held(&view);
    if (row->held != held || (!settled && (row->cash != held || row->fee != 0)))
        entry_differs(v, row, "what stands of the deposit is not what its facts say");
    error = add_sum(&c->sums, row->channel, POSTING_DEPOSIT, row->currency, -row->held);
    if (error == ACCORD_OK)
        error = add_sum(&c->sums, row->channel, POSTING_CASH, row->currency, row->cash);
    return error == ACCORD_OK ? check_revenue(c, stored, row) : error;
}

static enum accord_error check_entries(struct checking *c)
{
    struct verify *v = c->v;
    struct challenge_name after = {"", ""};
    char channel[LABEL_MAX] = "";
    char entry_id[LABEL_MAX] = "";
    size_t count = ENTRIES_AT_ONCE;
    enum accord_error error = ACCORD_OK;
    while (error == ACCORD_OK && count == ENTRIES_AT_ONCE) {
        struct challenge_entry_row *rows;
        arena_reset(v->arena);
        after = (struct challenge_name){channel, entry_id};
        error =
            store_challenge_entries_page(v->db, v->arena, after, ENTRIES_AT_ONCE, &rows, &count);
        struct stored_challenge *stored = arena_array(v->arena, count + 1, sizeof *stored);
        struct challenge_book *book = challenge_book_new(v->db, v->arena);
        if (error != ACCORD_OK || stored == NULL || book == NULL)
            return error != ACCORD_OK ? error : ACCORD_E_OUT_OF_MEMORY;
        for (size_t i = 0; i < count; i++)
            stored[i].name = (struct challenge_name){rows[i].channel, rows[i].entry_id};
        error = store_challenges_load(v->db, v->arena, stored, count);
        for (size_t i = 0; error == ACCORD_OK && i < count; i++)
            error = check_entry(c, book, &stored[i], &rows[i]);
        if (count > 0) {
            snprintf(channel, sizeof channel, "%s", rows[count - 1].channel);
            snprintf(entry_id, sizeof entry_id, "%s", rows[count - 1].entry_id);
        }
    }
    return error;
}

/* ---- rounds ---- */

static bool same_entry(const struct challenge_entry_row *a, const struct challenge_entry_row *b)
{
    return a->done_days == b->done_days && a->makeups == b->makeups && a->payout == b->payout &&
           a->forfeited == b->forfeited && a->fee == b->fee;
}

static bool same_round(const struct challenge_round_row *a, const struct challenge_round_row *b)
{
    return a->entries == b->entries && a->finishers == b->finishers && a->deposits == b->deposits &&
           a->payouts == b->payouts && a->forfeited == b->forfeited && a->fee == b->fee &&
           a->pot == b->pot && a->charity == b->charity && a->carried == b->carried;
}

static enum accord_error check_round(struct checking *c, const struct challenge_round_row *round,
                                     int64_t carried_in)
{
    struct verify *v = c->v;
    struct challenge_round_row want;
    struct challenge_entry_row *entries;
    struct challenge_entry_row *stand;
    size_t count;
    size_t stand_count;
    if (round->settled_seq == 0)
        return ACCORD_OK;
    enum accord_error error =
        challenge_round_draft(v->db, v->arena, round, &want, &entries, &count);
    if (error == ACCORD_OK)
        error = store_challenge_entries_of(v->db, v->arena, round->channel, round->offer,
                                           round->round, "", INT64_MAX, &stand, &stand_count);
    if (error != ACCORD_OK)
        return error;
    bool same = same_round(round, &want) && count == stand_count && round->carried_in == carried_in;
    for (size_t i = 0; same && i < count; i++)
        same = same_entry(&entries[i], &stand[i]);
    if (!same)
        verify_differs(v, "challenge_round", "%s/%s %s: not what its entries come to",
                       round->channel, round->offer, round->round);
    error = add_sum(&c->sums, round->channel, POSTING_FORFEITS, round->currency, -round->fee);
    if (error == ACCORD_OK)
        error =
            add_sum(&c->sums, round->channel, POSTING_CHARITY, round->currency, -round->charity);
    return error == ACCORD_OK ? add_sum(&c->sums, round->channel, POSTING_CARRIED, round->currency,
                                        round->carried_in - round->carried)
                              : error;
}

static enum accord_error check_rounds(struct checking *c)
{
    struct challenge_round_row *rounds;
    size_t count;
    int64_t carried = 0;
    enum accord_error error = store_challenge_rounds_all(c->v->db, c->sums.arena, &rounds, &count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        if (i == 0 || strcmp(rounds[i].channel, rounds[i - 1].channel) != 0 ||
            strcmp(rounds[i].offer, rounds[i - 1].offer) != 0)
            carried = 0;
        arena_reset(c->v->arena);
        error = check_round(c, &rounds[i], carried);
        carried = rounds[i].settled_seq == 0 ? carried : rounds[i].carried;
    }
    return error;
}

static enum accord_error take_off(void *context, const char *partner, const char *account,
                                  const char *currency, int64_t sum)
{
    struct checking *c = context;
    const struct key key = key_of(partner, account, currency, NULL);
    const size_t *at = keymap_find(&c->sums.index, &key);
    if ((at == NULL ? 0 : c->sums.amounts[*at]) != sum)
        verify_differs(c->v, "posting", "%s %s %s: challenges come to %" PRId64 ", not %" PRId64,
                       partner, account, currency, at == NULL ? (int64_t)0 : c->sums.amounts[*at],
                       sum);
    if (at != NULL)
        c->sums.amounts[*at] = 0;
    return ACCORD_OK;
}

enum accord_error verify_challenges(struct verify *v)
{
    struct checking c = {.v = v, .sums = {.arena = arena_new(SUMS_BYTES_MAX)}};
    int64_t missing = 0;
    enum accord_error error = c.sums.arena == NULL ? ACCORD_E_OUT_OF_MEMORY
                                                   : keymap_init(&c.sums.index, c.sums.arena, 16);
    if (error == ACCORD_OK)
        error = store_partner_operator(v->db, c.sums.arena, &c.operator_id);
    if (error == ACCORD_OK)
        error = check_entries(&c);
    if (error == ACCORD_OK)
        error = check_rounds(&c);
    if (error == ACCORD_OK)
        error = store_postings_sums(v->db, "challenge", take_off, &c);
    for (size_t i = 0; error == ACCORD_OK && i < c.sums.count; i++)
        if (c.sums.amounts[i] != 0)
            verify_differs(v, "posting", "challenges are not posted: %" PRId64, c.sums.amounts[i]);
    if (error == ACCORD_OK)
        error = store_challenge_entries_missing(v->db, &missing);
    if (error == ACCORD_OK && missing > 0)
        verify_differs(v, "challenge_entry", "%" PRId64 " facts joined without one", missing);
    arena_free(c.sums.arena);
    return error;
}
