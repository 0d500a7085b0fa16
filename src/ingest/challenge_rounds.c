#include "ingest/challenge_rounds.h"

#include <stdio.h>
#include <string.h>

#include "ingest/keymap.h"
#include "store/postings.h"

/* A round that a change concerns. */
struct round_work {
    struct challenge_round_row row;
    bool again; /* it is settled, and may come to something else */
};

/* A leg of the transaction: a sum for one account. */
struct leg {
    const char *channel;
    const char *currency;
    const char *account;
    const char *reference;
    int64_t amount;
};

struct applying {
    struct ingest_tx *tx;
    struct arena *arena;
    struct challenge_book *book;
    int64_t seq;
    struct keymap round_index;
    struct round_work **rounds;
    size_t round_count;
    size_t round_cap;
    struct keymap leg_index;
    struct leg *legs;
    size_t leg_count;
    size_t leg_cap;
    struct keymap post_index;
    struct challenge_name *posts; /* whose revenue is to be settled again */
    size_t post_count;
    size_t post_cap;
};

static enum accord_error begin(struct applying *a, struct ingest_tx *tx)
{
    *a = (struct applying){.tx = tx, .arena = tx->arena};
    a->book = challenge_book_new(tx->db, tx->arena);
    if (a->book == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = keymap_init(&a->round_index, a->arena, 16);
    if (error == ACCORD_OK)
        error = keymap_init(&a->leg_index, a->arena, 16);
    if (error == ACCORD_OK)
        error = keymap_init(&a->post_index, a->arena, 16);
    return error == ACCORD_OK ? ingest_seq(tx, 1, &a->seq) : error;
}

/* ---- postings ---- */

static enum accord_error add_leg(struct applying *a, const struct challenge_round_row *round,
                                 const char *account, int64_t amount)
{
    const struct key key =
        key_of(round->channel, round->offer, round->round, round->currency, account, NULL);
    size_t *at;
    if (amount == 0)
        return ACCORD_OK;
    const enum accord_error error = keymap_at(&a->leg_index, &key, a->leg_count, &at);
    if (error != ACCORD_OK)
        return error;
    if (*at == a->leg_count) {
        a->legs = arena_room(a->arena, a->legs, a->leg_count, &a->leg_cap, sizeof *a->legs);
        if (a->legs == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        struct leg *leg = &a->legs[a->leg_count++];
        *leg = (struct leg){
            .channel = round->channel,
            .currency = round->currency,
            .account = account,
            .reference = arena_printf(a->arena, "%s/%s", round->offer, round->round),
        };
        if (leg->reference == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    return accord_add(a->legs[*at].amount, amount, &a->legs[*at].amount);
}

static enum accord_error write_postings(struct applying *a)
{
    struct posting_row *rows = arena_array(a->arena, a->leg_count + 1, sizeof *rows);
    size_t count = 0;
    enum accord_error error = rows == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < a->leg_count; i++) {
        const struct leg *leg = &a->legs[i];
        if (leg->amount == 0)
            continue;
        rows[count] = (struct posting_row){
            .seq = a->seq,
            .number = (int64_t)count,
            .kind = "challenge",
            .partner = leg->channel,
            .account = leg->account,
            .agreement = "",
            .currency = leg->currency,
            .amount = leg->amount,
            .reference = leg->reference,
            .posted_at = a->tx->now,
        };
        count++;
        error = ingest_touch(a->tx, leg->channel);
    }
    return error != ACCORD_OK || count == 0 ? error : store_postings_insert(a->tx->db, rows, count);
}

/* ---- entries ---- */

static enum accord_error note_post(struct applying *a, const struct challenge_entry_row *entry)
{
    const struct key key = key_of(entry->channel, entry->entry_id, NULL);
    size_t *at;
    const enum accord_error error = keymap_at(&a->post_index, &key, a->post_count, &at);
    if (error != ACCORD_OK || *at < a->post_count)
        return error;
    a->posts = arena_room(a->arena, a->posts, a->post_count, &a->post_cap, sizeof *a->posts);
    if (a->posts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    a->posts[a->post_count++] = (struct challenge_name){entry->channel, entry->entry_id};
    return ACCORD_OK;
}

/* Brings what is posted of an entry's deposit to what should be. */
static enum accord_error bring(struct applying *a, const struct challenge_round_row *round,
                               struct challenge_entry_row *entry, int64_t held, int64_t cash)
{
    enum accord_error error = add_leg(a, round, POSTING_DEPOSIT, entry->held - held);
    if (error == ACCORD_OK)
        error = add_leg(a, round, POSTING_CASH, cash - entry->cash);
    entry->held = held;
    entry->cash = cash;
    return error;
}

/* ---- rounds ---- */

static enum accord_error round_of(struct applying *a, const struct challenge_entry_row *entry,
                                  int64_t last_day, struct round_work **ret)
{
    const struct key key = key_of(entry->channel, entry->offer, entry->round, NULL);
    size_t *at;
    enum accord_error error = keymap_at(&a->round_index, &key, a->round_count, &at);
    if (error != ACCORD_OK)
        return error;
    if (*at < a->round_count) {
        *ret = a->rounds[*at];
        return ACCORD_OK;
    }
    struct round_work *work = arena_alloc(a->arena, sizeof *work);
    a->rounds =
        arena_room(a->arena, a->rounds, a->round_count, &a->round_cap, sizeof(struct round_work *));
    if (work == NULL || a->rounds == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    bool found = false;
    error = store_challenge_round_find(a->tx->db, a->arena, entry->channel, entry->offer,
                                       entry->round, &work->row, &found);
    if (error != ACCORD_OK)
        return error;
    if (!found)
        work->row = (struct challenge_round_row){
            .channel = entry->channel,
            .offer = entry->offer,
            .round = entry->round,
            .last_day = last_day,
            .due_at = challenge_due_at(last_day),
            .settled_by = "",
            .currency = entry->currency,
        };
    a->rounds[a->round_count++] = work;
    *ret = work;
    return ACCORD_OK;
}

/* All entries of a round, and what they are. */
static enum accord_error load_round(struct db *db, struct arena *arena, struct challenge_book *book,
                                    const struct challenge_round_row *round,
                                    struct challenge_entry_row **ret_entries,
                                    struct challenge_view **ret_views, size_t *ret_count)
{
    struct challenge_entry_row *entries;
    size_t count;
    enum accord_error error = store_challenge_entries_of(
        db, arena, round->channel, round->offer, round->round, "", INT64_MAX, &entries, &count);
    if (error != ACCORD_OK)
        return error;
    struct stored_challenge *stored = arena_array(arena, count + 1, sizeof *stored);
    struct challenge_view *views = arena_array(arena, count + 1, sizeof *views);
    if (stored == NULL || views == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        stored[i].name = (struct challenge_name){entries[i].channel, entries[i].entry_id};
    error = store_challenges_load(db, arena, stored, count);
    size_t kept = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        error = challenge_view_of(book, arena, &stored[i], &views[kept]);
        if (error != ACCORD_OK || views[kept].joined == NULL)
            continue;
        entries[kept] = entries[i];
        kept++;
    }
    *ret_entries = entries;
    *ret_views = views;
    *ret_count = kept;
    return error;
}

/* The next one that is settled: what this one leaves is its, whatever lies between and is not. */
static enum accord_error next_round(struct applying *a, const struct challenge_round_row *round,
                                    struct round_work **ret)
{
    struct challenge_round_row *rows;
    size_t count;
    size_t at = 0;
    *ret = NULL;
    const enum accord_error error = store_challenge_rounds_of(
        a->tx->db, a->arena, round->channel, round->offer, round->round, INT64_MAX, &rows, &count);
    while (error == ACCORD_OK && at < count && rows[at].settled_seq == 0)
        at++;
    if (error != ACCORD_OK || at == count)
        return error;
    const struct challenge_entry_row name = {.channel = rows[at].channel,
                                             .offer = rows[at].offer,
                                             .round = rows[at].round,
                                             .currency = rows[at].currency};
    return round_of(a, &name, rows[at].last_day, ret);
}

/* Settles a round, for the first time or again. */
static enum accord_error settle_round(struct applying *a, struct round_work *work,
                                      int64_t carried_in)
{
    const struct challenge_round_row before = work->row;
    struct challenge_round_row *round = &work->row;
    struct challenge_entry_row *entries;
    struct challenge_view *views;
    size_t count;
    enum accord_error error =
        load_round(a->tx->db, a->arena, a->book, round, &entries, &views, &count);
    if (error != ACCORD_OK)
        return error;
    int64_t *fees = arena_array(a->arena, count + 1, sizeof *fees);
    if (fees == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        fees[i] = entries[i].fee;
    round->carried_in = carried_in;
    error = challenge_settle(a->arena, views, entries, count, round);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        error = bring(a, round, &entries[i], 0, views[i].joined->deposit - entries[i].payout);
        if (error == ACCORD_OK && (entries[i].fee != fees[i] || entries[i].fee != 0))
            error = note_post(a, &entries[i]);
    }
    if (error == ACCORD_OK)
        error = add_leg(a, round, POSTING_FORFEITS, before.fee - round->fee);
    if (error == ACCORD_OK)
        error = add_leg(a, round, POSTING_CHARITY, before.charity - round->charity);
    if (error == ACCORD_OK)
        error =
            add_leg(a, round, POSTING_CARRIED,
                    (before.carried - before.carried_in) - (round->carried - round->carried_in));
    if (error == ACCORD_OK)
        error = store_challenge_entries_put(a->tx->db, entries, count);
    if (error == ACCORD_OK)
        error = store_challenge_rounds_put(a->tx->db, round, 1);
    work->again = false;
    struct round_work *next = NULL;
    if (error == ACCORD_OK)
        error = next_round(a, round, &next);
    if (error != ACCORD_OK || next == NULL || next->row.carried_in == round->carried)
        return error;
    return settle_round(a, next, round->carried);
}

/* ---- what a change does ---- */

/* An entry in a round that is not settled, or in none: the channel holds the deposit. */
static enum accord_error hold(struct applying *a, const struct challenge_round_row *round,
                              const struct challenge_view *view, struct challenge_entry_row *entry)
{
    const int64_t held = challenge_held(view);
    enum accord_error error = ACCORD_OK;
    if (entry->fee != 0)
        error = note_post(a, entry);
    entry->done_days = entry->makeups = entry->payout = entry->forfeited = entry->fee = 0;
    return error == ACCORD_OK ? bring(a, round, entry, held, held) : error;
}

static enum accord_error apply_entry(struct applying *a, const struct challenge_view *view,
                                     struct challenge_entry_row *entry)
{
    struct round_work *old = NULL;
    struct round_work *now = NULL;
    enum accord_error error = ACCORD_OK;
    if (*entry->round != '\0')
        error = round_of(a, entry, 0, &old);
    if (error != ACCORD_OK)
        return error;
    if (old != NULL) {
        old->row.touched_at = a->tx->now;
        old->again = old->row.settled_seq != 0;
    }
    if (view->joined == NULL) {
        const struct challenge_round_row none = {.channel = entry->channel,
                                                 .offer = entry->offer,
                                                 .round = "",
                                                 .currency = entry->currency};
        error = hold(a, old != NULL ? &old->row : &none, view, entry);
        entry->seq = 0;
        entry->round = "";
        return error;
    }
    entry->seq = view->joined->seq;
    entry->offer = view->joined->offer;
    entry->round = view->round;
    entry->first_day = view->first_day;
    entry->last_day = view->last_day;
    if (*entry->round != '\0')
        error = round_of(a, entry, view->round_last_day, &now);
    if (error != ACCORD_OK)
        return error;
    if (now != NULL) {
        now->row.touched_at = a->tx->now;
        now->again = now->row.settled_seq != 0;
    }
    /* Settled rounds say themselves what stands of their entries. */
    if (now != NULL && now->again)
        return ACCORD_OK;
    const struct challenge_round_row none = {.channel = entry->channel,
                                             .offer = entry->offer,
                                             .round = "",
                                             .currency = view->joined->currency};
    entry->currency = view->joined->currency;
    return hold(a, now != NULL ? &now->row : &none, view, entry);
}

static enum accord_error finish(struct applying *a)
{
    enum accord_error error = ACCORD_OK;
    /* Settling one again may add its next one. */
    for (size_t i = 0; error == ACCORD_OK && i < a->round_count; i++) {
        struct round_work *work = a->rounds[i];
        if (work->again)
            error = settle_round(a, work, work->row.carried_in);
        else
            error = store_challenge_rounds_put(a->tx->db, &work->row, 1);
    }
    if (error == ACCORD_OK)
        error = write_postings(a);
    return error == ACCORD_OK ? ingest_post_challenges(a->tx, a->posts, a->post_count, a->seq)
                              : error;
}

static enum accord_error distinct_names(struct arena *arena, const struct challenge_name *names,
                                        size_t count, struct challenge_name **ret,
                                        size_t *ret_count)
{
    struct challenge_name *kept = arena_array(arena, count + 1, sizeof *kept);
    struct keymap seen;
    size_t distinct = 0;
    enum accord_error error =
        kept == NULL ? ACCORD_E_OUT_OF_MEMORY : keymap_init(&seen, arena, count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        size_t *at;
        if (names[i].channel == NULL)
            continue;
        const struct key key = key_of(names[i].channel, names[i].entry_id, NULL);
        error = keymap_at(&seen, &key, distinct, &at);
        if (error == ACCORD_OK && *at == distinct)
            kept[distinct++] = names[i];
    }
    *ret = kept;
    *ret_count = distinct;
    return error;
}

enum accord_error challenge_entries_changed(struct ingest_tx *tx, const struct challenge_name *all,
                                            size_t all_count)
{
    struct applying a;
    struct challenge_name *names;
    size_t count;
    if (all_count == 0)
        return ACCORD_OK;
    enum accord_error error = distinct_names(tx->arena, all, all_count, &names, &count);
    if (error != ACCORD_OK || count == 0)
        return error;
    error = begin(&a, tx);
    struct stored_challenge *stored = arena_array(tx->arena, count, sizeof *stored);
    struct challenge_entry_row *entries = arena_array(tx->arena, count, sizeof *entries);
    if (stored == NULL || entries == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        stored[i].name = names[i];
    if (error == ACCORD_OK)
        error = store_challenges_load(tx->db, tx->arena, stored, count);
    if (error == ACCORD_OK)
        error = store_challenge_entries_find(tx->db, tx->arena, names, count, entries);
    size_t kept = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct challenge_view view;
        error = challenge_view_of(a.book, tx->arena, &stored[i], &view);
        if (error != ACCORD_OK)
            break;
        if (entries[i].entry_id == NULL && view.joined == NULL)
            continue; /* check-ins of an entry that is not known yet */
        if (entries[i].entry_id == NULL)
            entries[i] = (struct challenge_entry_row){.channel = names[i].channel,
                                                      .entry_id = names[i].entry_id,
                                                      .offer = view.joined->offer,
                                                      .round = "",
                                                      .currency = view.joined->currency};
        error = apply_entry(&a, &view, &entries[i]);
        entries[kept++] = entries[i];
    }
    if (error == ACCORD_OK)
        error = store_challenge_entries_put(tx->db, entries, kept);
    return error == ACCORD_OK ? finish(&a) : error;
}

enum accord_error challenge_offer_changed(struct ingest_tx *tx, const char *channel,
                                          const char *offer)
{
    struct challenge_entry_row *entries;
    size_t count;
    const enum accord_error error =
        store_challenge_entries_of_offer(tx->db, tx->arena, channel, offer, &entries, &count);
    if (error != ACCORD_OK || count == 0)
        return error;
    struct challenge_name *names = arena_array(tx->arena, count, sizeof *names);
    if (names == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        names[i] = (struct challenge_name){entries[i].channel, entries[i].entry_id};
    return challenge_entries_changed(tx, names, count);
}

/* ---- settling ---- */

/* What the round before has left, and whether there is one that is not settled. */
static enum accord_error look_before(struct db *db, struct arena *arena,
                                     const struct challenge_round_row *round, int64_t *ret_carried,
                                     bool *ret_open)
{
    struct challenge_round_row *rows;
    size_t count;
    const enum accord_error error = store_challenge_rounds_of(
        db, arena, round->channel, round->offer, "", INT64_MAX, &rows, &count);
    *ret_carried = 0;
    *ret_open = false;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        if (strcmp(rows[i].round, round->round) >= 0)
            break;
        *ret_open |= rows[i].settled_seq == 0;
        *ret_carried = rows[i].settled_seq == 0 ? *ret_carried : rows[i].carried;
    }
    return error;
}

enum accord_error challenge_round_check(struct db *db, struct arena *arena, const char *channel,
                                        const char *offer, const char *round, instant_us now,
                                        struct challenge_round_row *ret)
{
    bool found = false;
    bool open = false;
    enum accord_error error =
        store_challenge_round_find(db, arena, channel, offer, round, ret, &found);
    if (error != ACCORD_OK || !found)
        return error != ACCORD_OK ? error : ACCORD_E_NOT_FOUND;
    if (ret->settled_seq != 0)
        return ACCORD_OK;
    if (ret->due_at > now)
        return ACCORD_E_ROUND_NOT_OVER;
    error = look_before(db, arena, ret, &ret->carried_in, &open);
    return error == ACCORD_OK && open ? ACCORD_E_ROUND_NOT_OLDEST : error;
}

enum accord_error challenge_round_draft(struct db *db, struct arena *arena,
                                        const struct challenge_round_row *round,
                                        struct challenge_round_row *ret,
                                        struct challenge_entry_row **ret_entries, size_t *ret_count)
{
    struct challenge_book *book = challenge_book_new(db, arena);
    struct challenge_view *views;
    struct challenge_round_row drafted = *round;
    if (book == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = load_round(db, arena, book, round, ret_entries, &views, ret_count);
    if (error == ACCORD_OK)
        error = challenge_settle(arena, views, *ret_entries, *ret_count, &drafted);
    if (error == ACCORD_OK)
        *ret = drafted;
    return error;
}

enum accord_error challenge_round_settle(struct ingest_tx *tx, const char *channel,
                                         const char *offer, const char *round, const char *by,
                                         struct challenge_round_row *ret)
{
    struct applying a;
    struct challenge_round_row row;
    enum accord_error error =
        challenge_round_check(tx->db, tx->arena, channel, offer, round, tx->now, &row);
    if (error == ACCORD_OK && row.settled_seq != 0)
        *ret = row;
    if (error != ACCORD_OK || row.settled_seq != 0)
        return error;
    error = begin(&a, tx);
    struct round_work *work = NULL;
    const struct challenge_entry_row name = {
        .channel = row.channel, .offer = row.offer, .round = row.round, .currency = row.currency};
    if (error == ACCORD_OK)
        error = round_of(&a, &name, row.last_day, &work);
    if (error != ACCORD_OK)
        return error;
    work->row.settled_seq = a.seq;
    work->row.settled_at = tx->now;
    work->row.settled_by = by;
    error = settle_round(&a, work, row.carried_in);
    if (error == ACCORD_OK)
        error = finish(&a);
    if (error == ACCORD_OK)
        *ret = work->row;
    return error;
}

enum accord_error challenge_settle_due(struct ingest_tx *tx, bool *ret_more)
{
    enum { QUIET_HOURS = 1 };
    struct challenge_round_row due;
    struct challenge_round_row unused;
    bool found = false;
    enum accord_error error = store_challenge_round_due(
        tx->db, tx->arena, tx->now, tx->now - QUIET_HOURS * 3600 * CLOCK_SECOND_US, &due, &found);
    *ret_more = found;
    if (error != ACCORD_OK || !found)
        return error;
    error = challenge_round_settle(tx, due.channel, due.offer, due.round, "", &unused);
    /* An earlier one was heard of lately: this one's turn comes with it. */
    if (error == ACCORD_E_ROUND_NOT_OLDEST) {
        *ret_more = false;
        error = ACCORD_OK;
    }
    return error;
}
