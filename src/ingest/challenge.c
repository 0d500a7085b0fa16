#include "ingest/challenge.h"

#include <stdlib.h>
#include <string.h>

#include "ingest/keymap.h"
#include "store/offers.h"

/* ---- offers ---- */

struct offered {
    const char *offer;
    instant_us from;
    struct offer terms;
};

struct shelf {
    struct offered *offers; /* by offer and version */
    size_t count;
};

struct challenge_book {
    struct db *db;
    struct arena *arena;
    struct keymap index; /* of channels */
    struct shelf *shelves;
    size_t count;
    size_t cap;
};

struct challenge_book *challenge_book_new(struct db *db, struct arena *arena)
{
    struct challenge_book *book = arena_alloc(arena, sizeof *book);
    if (book == NULL)
        return NULL;
    *book = (struct challenge_book){.db = db, .arena = arena};
    return keymap_init(&book->index, arena, 4) == ACCORD_OK ? book : NULL;
}

static enum accord_error read_shelf(struct challenge_book *book, const char *channel,
                                    struct shelf *ret)
{
    struct offer_version_row *rows;
    struct shelf shelf = {NULL, 0};
    enum accord_error error = store_offer_versions(
        book->db, book->arena, channel, offer_kind_names[OFFER_CHALLENGE], &rows, &shelf.count);
    if (error != ACCORD_OK)
        return error;
    shelf.offers = arena_array(book->arena, shelf.count + 1, sizeof *shelf.offers);
    struct json_problems *unused = arena_alloc(book->arena, sizeof *unused);
    if (shelf.offers == NULL || unused == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < shelf.count; i++) {
        unused->count = unused->total = 0;
        shelf.offers[i] = (struct offered){.offer = rows[i].offer, .from = rows[i].from_at};
        error = offer_decode(book->arena, rows[i].body, &shelf.offers[i].terms, unused);
        if (error != ACCORD_OK)
            return error == ACCORD_E_OUT_OF_MEMORY ? error : ACCORD_E_DATABASE_ERROR;
    }
    *ret = shelf;
    return ACCORD_OK;
}

/* The offer as it was at an instant, or NULL. */
static enum accord_error find_offer(struct challenge_book *book, const struct challenge_row *joined,
                                    const struct offer **ret)
{
    const struct key key = key_of(joined->channel, NULL);
    size_t *at;
    *ret = NULL;
    enum accord_error error = keymap_at(&book->index, &key, book->count, &at);
    if (error != ACCORD_OK)
        return error;
    if (*at == book->count) {
        struct shelf *shelves =
            arena_room(book->arena, book->shelves, book->count, &book->cap, sizeof *book->shelves);
        if (shelves == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        book->shelves = shelves;
        error = read_shelf(book, joined->channel, &book->shelves[book->count]);
        if (error != ACCORD_OK)
            return error;
        book->count++;
    }
    const struct shelf *shelf = &book->shelves[*at];
    for (size_t i = 0; i < shelf->count; i++)
        if (strcmp(shelf->offers[i].offer, joined->offer) == 0 &&
            shelf->offers[i].from <= joined->occurred_at)
            *ret = &shelf->offers[i].terms;
    if (*ret != NULL && strcmp((*ret)->currency.code, joined->currency) != 0)
        *ret = NULL;
    return ACCORD_OK;
}

/* ---- an entry ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static enum accord_error name_round(struct arena *arena, struct challenge_view *view)
{
    char label[PERIOD_LABEL_MAX];
    if (view->offer->challenge.starts_on.data != NULL) {
        view->round = arena_strdup(arena, view->offer->challenge.starts_on);
        view->round_last_day = view->last_day;
    } else {
        const int64_t month = period_of_day(false, view->last_day);
        period_label(false, month, label);
        view->round = arena_strdup(arena, slice_of(label));
        view->round_last_day = period_after(false, month) - 1;
    }
    return view->round == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

static enum accord_error count_days(struct arena *arena, const struct stored_challenge *stored,
                                    struct challenge_view *view)
{
    struct accord_challenge_checkin *checkins =
        arena_array(arena, stored->count + 1, sizeof *checkins);
    size_t count = 0;
    if (checkins == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < stored->count; i++) {
        const struct challenge_row *row = &stored->facts[i].row;
        if (row->kind == CHALLENGE_CHECKIN && !stored->facts[i].superseded)
            checkins[count++] = (struct accord_challenge_checkin){
                .day = row->has_day ? row->day : zone_day(view->zone, row->occurred_at),
                .makeup = row->makeup};
    }
    const struct accord_challenge_window window = {.first_day = view->first_day,
                                                   .last_day = view->last_day,
                                                   .makeups_allowed =
                                                       view->offer->challenge.makeups};
    return accord_challenge_days(&window, checkins, count, &view->done_days, &view->makeups);
}

enum accord_error challenge_view_of(struct challenge_book *book, struct arena *arena,
                                    const struct stored_challenge *stored,
                                    struct challenge_view *ret)
{
    struct challenge_view view = {.round = ""};
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; i < stored->count; i++)
        if (stored->facts[i].row.kind == CHALLENGE_JOINED && !stored->facts[i].superseded)
            view.joined = &stored->facts[i].row;
    if (view.joined == NULL) {
        *ret = view;
        return ACCORD_OK;
    }
    error = find_offer(book, view.joined, &view.offer);
    if (error == ACCORD_OK)
        error = zone_find(slice_of(view.joined->time_zone), &view.zone);
    if (error != ACCORD_OK)
        return error;
    if (view.offer != NULL) {
        view.first_day = view.offer->challenge.starts_on.data != NULL
                             ? view.offer->challenge.starts_day
                             : zone_day(view.zone, view.joined->occurred_at);
        view.last_day = view.first_day + view.offer->challenge.window_days - 1;
    }
    for (size_t i = 0; i < stored->count; i++) {
        const struct challenge_row *row = &stored->facts[i].row;
        if (row->kind == CHALLENGE_WITHDRAWN && !stored->facts[i].superseded &&
            (view.offer == NULL || zone_day(view.zone, row->occurred_at) <= view.last_day))
            view.withdrawn = row;
    }
    if (view.offer != NULL) {
        error = name_round(arena, &view);
        if (error == ACCORD_OK)
            error = count_days(arena, stored, &view);
    }
    if (error == ACCORD_OK)
        *ret = view;
    return error;
}

/* What a withdrawn entry had back. */
static int64_t refunded_of(const struct challenge_view *view)
{
    return view->withdrawn == NULL ? 0 : least(view->withdrawn->refunded, view->joined->deposit);
}

int64_t challenge_held(const struct challenge_view *view)
{
    return view->joined == NULL ? 0 : view->joined->deposit - refunded_of(view);
}

instant_us challenge_due_at(int64_t last_day)
{
    /* The last place where the day ends is twelve hours behind; three days for what is offline. */
    return (last_day + 1) * CLOCK_DAY_US + CLOCK_DAY_US / 2 + 3 * CLOCK_DAY_US;
}

/* ---- a round ---- */

struct place {
    const struct challenge_view *view;
    struct challenge_entry_row *entry;
};

static int by_joining(const void *a, const void *b)
{
    const struct challenge_row *x = ((const struct place *)a)->view->joined;
    const struct challenge_row *y = ((const struct place *)b)->view->joined;
    if (x->occurred_at != y->occurred_at)
        return x->occurred_at < y->occurred_at ? -1 : 1;
    return strcmp(x->event_id, y->event_id);
}

/* A part for each day; what is not given back is kept. What was carried is for finishers of a pot:
 * it waits for the next round. */
static enum accord_error settle_pro_rata(const struct place *places, size_t count,
                                         int64_t carried_in, int64_t *payouts,
                                         struct accord_challenge_result *result)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        const struct challenge_view *view = places[i].view;
        const int64_t needed = view->offer->challenge.need_days;
        if (view->withdrawn != NULL)
            payouts[i] = refunded_of(view);
        else
            error = accord_challenge_pro_rata(view->joined->deposit, view->done_days, needed,
                                              &payouts[i]);
        result->finishers += view->withdrawn == NULL && view->done_days >= needed;
        if (error == ACCORD_OK)
            error = accord_add(result->forfeited, view->joined->deposit - payouts[i],
                               &result->forfeited);
    }
    result->fee = result->forfeited;
    result->carried = carried_in;
    return error;
}

static enum accord_error settle_pot(struct arena *arena, const struct place *places, size_t count,
                                    int64_t carried_in, int64_t *payouts,
                                    struct accord_challenge_result *result)
{
    struct accord_challenge_entry *entries = arena_array(arena, count + 1, sizeof *entries);
    if (entries == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct offer *first = places[0].view->offer;
    const struct accord_challenge_terms terms = {
        .fee_ppm = first->challenge.fee_ppm,
        .split = (enum accord_challenge_split)first->challenge.split,
        .none = (enum accord_challenge_none)first->challenge.none,
        .carried_in = carried_in,
    };
    for (size_t i = 0; i < count; i++) {
        const struct challenge_view *view = places[i].view;
        entries[i] = (struct accord_challenge_entry){
            .deposit_minor = view->joined->deposit,
            .needed_days = view->offer->challenge.need_days,
            .done_days = view->done_days,
            .withdrawn = view->withdrawn != NULL,
            .refunded_minor = refunded_of(view),
        };
    }
    return accord_challenge_settle(&terms, entries, count, payouts, result);
}

static enum accord_error spread_fee(struct arena *arena, const struct place *places, size_t count,
                                    int64_t fee)
{
    int64_t *weights = arena_array(arena, count + 1, sizeof *weights);
    int64_t *parts = arena_array(arena, count + 1, sizeof *parts);
    if (weights == NULL || parts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        weights[i] = places[i].entry->forfeited;
    const enum accord_error error = accord_spread(fee, weights, count, parts);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        places[i].entry->fee = parts[i];
    return error;
}

enum accord_error challenge_settle(struct arena *arena, const struct challenge_view *views,
                                   struct challenge_entry_row *entries, size_t count,
                                   struct challenge_round_row *ret)
{
    struct place *places = arena_array(arena, count + 1, sizeof *places);
    int64_t *payouts = arena_array(arena, count + 1, sizeof *payouts);
    struct accord_challenge_result result = {.finishers = 0};
    struct challenge_round_row round = *ret;
    enum accord_error error = ACCORD_OK;
    if (places == NULL || payouts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){&views[i], &entries[i]};
    if (count > 1)
        qsort(places, count, sizeof *places, by_joining);
    if (count == 0)
        result.carried = round.carried_in; /* all were taken back */
    else if (places[0].view->offer->challenge.reward == OFFER_REWARD_PRO_RATA)
        error = settle_pro_rata(places, count, round.carried_in, payouts, &result);
    else
        error = settle_pot(arena, places, count, round.carried_in, payouts, &result);
    round.deposits = round.payouts = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        const struct challenge_view *view = places[i].view;
        struct challenge_entry_row *entry = places[i].entry;
        const int64_t deposit = view->joined->deposit;
        entry->done_days = view->done_days;
        entry->makeups = view->makeups;
        entry->payout = payouts[i];
        entry->forfeited = payouts[i] < deposit ? deposit - payouts[i] : 0;
        error = accord_add(round.deposits, deposit, &round.deposits);
        if (error == ACCORD_OK)
            error = accord_add(round.payouts, payouts[i], &round.payouts);
    }
    if (error == ACCORD_OK)
        error = spread_fee(arena, places, count, result.fee);
    if (error != ACCORD_OK)
        return error;
    round.entries = (int64_t)count;
    round.finishers = (int64_t)result.finishers;
    round.forfeited = result.forfeited;
    round.fee = result.fee;
    round.pot = result.pot;
    round.charity = result.charity;
    round.carried = result.carried;
    *ret = round;
    return ACCORD_OK;
}

/* ---- revenue ---- */

struct accord_order *challenge_order(struct arena *arena, const char *operator_id,
                                     const struct challenge_entry_row *entry)
{
    struct accord_order *order = arena_alloc(arena, sizeof *order);
    struct accord_line *line = arena_alloc(arena, sizeof *line);
    if (order == NULL || line == NULL)
        return NULL;
    *line = (struct accord_line){
        .line_id = entry->round,
        .provider = operator_id,
        .course_id = entry->offer,
        .course_known = true,
        .quantity = 1,
        .paid = entry->fee,
        .tax = -1,
        .store_fee = -1,
        .payment_fee = -1,
    };
    *order = (struct accord_order){
        .channel = entry->channel,
        .order_id = entry->entry_id,
        /* Noon of the day in the middle of the world's zones. */
        .occurred_at_us = entry->last_day * CLOCK_DAY_US + CLOCK_DAY_US / 2,
        .lines = line,
        .line_count = 1,
    };
    return accord_currency_parse(entry->currency, strlen(entry->currency), &order->currency) ==
                   ACCORD_OK
               ? order
               : NULL;
}

enum accord_error challenge_settled(const struct agreement_choice *choice, struct rate_book *rates,
                                    struct arena *arena, const char *operator_id,
                                    const struct challenge_entry_row *entry, struct settled *ret)
{
    struct settled settled = {.count = 0};
    if (entry->seq == 0 || entry->fee == 0) {
        *ret = settled;
        return ACCORD_OK;
    }
    struct accord_order *order = challenge_order(arena, operator_id, entry);
    if (order == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error =
        rate_book_pins(rates, arena, order, choice->versions, choice->count, &order->rates);
    const struct sale_view view = {.seq = entry->seq, .order = order};
    if (error == ACCORD_OK)
        error = settled_with(choice, arena, &view, &settled);
    if (error == ACCORD_OK)
        *ret = settled;
    return error;
}
