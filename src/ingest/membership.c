#include "ingest/membership.h"

#include <stdlib.h>
#include <string.h>

#include "accord/membership.h"

bool membership_is_term(const struct stored_term *term)
{
    return !term->superseded && term->row.kind != MEMBERSHIP_CANCELLED;
}

/* ---- what a cancellation stops ---- */

enum standing { RUNNING, ENDED, UPCOMING };

static enum standing standing_at(const struct membership_row *term, instant_us at)
{
    if (at < term->from)
        return UPCOMING;
    return at < term->to ? RUNNING : ENDED;
}

/* Of two terms the one that a cancellation at `at` that names none stops: what runs then, else what
 * ended last, else what begins first. */
static bool is_nearer(const struct membership_row *a, const struct membership_row *b, instant_us at)
{
    const enum standing x = standing_at(a, at);
    const enum standing y = standing_at(b, at);
    if (x != y)
        return x < y;
    switch (x) {
    case RUNNING:
        return a->from != b->from ? a->from > b->from : a->seq > b->seq;
    case ENDED:
        return a->to != b->to ? a->to > b->to : a->seq > b->seq;
    case UPCOMING:
        break;
    }
    return a->from != b->from ? a->from < b->from : a->seq > b->seq;
}

/* The row of the term that a cancellation stops, or SIZE_MAX. */
static size_t stopped_by(const struct stored_membership *membership,
                         const struct membership_row *cancelled)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < membership->count; i++) {
        const struct membership_row *term = &membership->terms[i].row;
        if (!membership_is_term(&membership->terms[i]))
            continue;
        if (*cancelled->term_id != '\0') {
            if (strcmp(cancelled->term_id, term->term_id) == 0)
                return i;
        } else if (found == SIZE_MAX ||
                   is_nearer(term, &membership->terms[found].row, cancelled->occurred_at)) {
            found = i;
        }
    }
    return found;
}

static int by_time(const void *a, const void *b)
{
    const struct membership_row *x = *(const struct membership_row *const *)a;
    const struct membership_row *y = *(const struct membership_row *const *)b;
    if (x->occurred_at != y->occurred_at)
        return x->occurred_at < y->occurred_at ? -1 : 1;
    return strcmp(x->event_id, y->event_id);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* One refund, up to what the ones before it left: tax goes back pro rata, and fees do not, unless
 * it says so. */
static enum accord_error give_back(struct membership_schedule *schedule, const int64_t *whole,
                                   const struct membership_row *row)
{
    int64_t *returned = schedule->returned;
    const int64_t paid_left = whole[MEMBERSHIP_PAID] - returned[MEMBERSHIP_PAID];
    const int64_t tax_left = whole[MEMBERSHIP_TAX] - returned[MEMBERSHIP_TAX];
    const int64_t applied = least(row->refunded, paid_left);
    int64_t tax = 0;
    enum accord_error error = ACCORD_OK;
    if (applied < row->refunded) {
        schedule->excess_count++;
        error = accord_add(schedule->excess, row->refunded - applied, &schedule->excess);
    }
    if (error != ACCORD_OK || (row->refunded > 0 && applied == 0))
        return error;
    if (row->tax_returned >= 0)
        tax = least(row->tax_returned, tax_left);
    else if (applied > 0)
        error = accord_mul_div(tax_left, applied, paid_left, &tax);
    if (error != ACCORD_OK)
        return error;
    const int64_t payment_fee =
        least(row->fee_returned, whole[MEMBERSHIP_PAYMENT_FEE] - returned[MEMBERSHIP_PAYMENT_FEE]);
    const int64_t store_fee = least(row->fee_returned - payment_fee,
                                    whole[MEMBERSHIP_STORE_FEE] - returned[MEMBERSHIP_STORE_FEE]);
    returned[MEMBERSHIP_PAID] += applied;
    returned[MEMBERSHIP_TAX] += tax;
    returned[MEMBERSHIP_PAYMENT_FEE] += payment_fee;
    returned[MEMBERSHIP_STORE_FEE] += store_fee;
    return ACCORD_OK;
}

/* The first cancellation stops the term; further ones can only give back more. */
static enum accord_error apply_cancellations(struct arena *arena,
                                             const struct stored_membership *membership,
                                             size_t index, const int64_t *whole,
                                             struct membership_schedule *schedule)
{
    const struct membership_row **rows = arena_array(arena, membership->count + 1, sizeof *rows);
    size_t count = 0;
    if (rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < membership->count; i++)
        if (membership_stops(membership, i, index))
            rows[count++] = &membership->terms[i].row;
    if (count == 0)
        return ACCORD_OK;
    qsort(rows, count, sizeof(const struct membership_row *), by_time);
    schedule->cancelled = true;
    schedule->cancelled_at = rows[0]->occurred_at;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = give_back(schedule, whole, rows[i]);
    return error;
}

/* ---- months ---- */

/* The zone of the version that covers a day of the term first: all versions of an agreement have
 * the same. */
static enum accord_error find_zone(const struct agreement_choice *choice,
                                   const struct membership_schedule *schedule,
                                   const struct zone **ret)
{
    const struct membership_row *term = schedule->term;
    struct accord_sale_key sale = {
        .provider = schedule->operator_id, .channel = term->channel, .course_id = schedule->offer};
    instant_us first = term->to;
    for (size_t i = 0; i < choice->count; i++) {
        const instant_us from = choice->terms[i]->effective_from_us;
        sale.occurred_at_us = from > term->from ? from : term->from;
        if (sale.occurred_at_us < first &&
            accord_agreement_rank(choice->terms[i], &sale) != ACCORD_RANK_NONE &&
            accord_agreement_in_force(choice->terms, choice->count, i, sale.occurred_at_us))
            first = sale.occurred_at_us;
    }
    if (first == term->to)
        return zone_find(slice_of("UTC"), ret);
    enum accord_rank unused;
    sale.occurred_at_us = first;
    const size_t winner = accord_agreement_resolve(choice->terms, choice->count, &sale, &unused);
    if (winner == SIZE_MAX)
        return ACCORD_E_INTERNAL;
    *ret = choice->versions[winner]->zone;
    return ACCORD_OK;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum accord_error make_months(struct arena *arena, struct membership_schedule *schedule,
                                     const int64_t *whole)
{
    const struct membership_row *term = schedule->term;
    const struct zone *zone = schedule->zone;
    struct accord_membership parts[MEMBERSHIP_AMOUNTS];
    const int64_t from = zone_day(zone, term->from);
    const int64_t to = zone_day(zone, term->to - 1) + (int64_t)1;
    /* The day on which what is taken back stands; the days before it are recognised. */
    const int64_t stop =
        schedule->cancelled ? most(from, zone_day(zone, schedule->cancelled_at)) : to;
    const int64_t end = schedule->cancelled ? most(to, stop + 1) : to;
    for (unsigned i = 0; i < MEMBERSHIP_AMOUNTS; i++)
        parts[i] = (struct accord_membership){.paid_minor = whole[i],
                                              .from_day = from,
                                              .to_day = to,
                                              .cancelled = schedule->cancelled,
                                              .cancel_day = stop,
                                              .refunded_minor = schedule->returned[i],
                                              .on_cancel = ACCORD_ON_CANCEL_DAY};
    /* The shortest month has 28 days. */
    const size_t cap = (size_t)((end - from) / 28 + 2);
    schedule->months = arena_array(arena, cap, sizeof *schedule->months);
    if (schedule->months == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    int64_t line = 0;
    for (int64_t first = period_of_day(false, from), next = 0; first < end; first = next, line++) {
        struct membership_month month = {.line = line};
        next = period_after(false, first);
        bool any = false;
        for (unsigned i = 0; i < MEMBERSHIP_AMOUNTS; i++) {
            const enum accord_error error =
                accord_membership_recognised(&parts[i], first, next, &month.amounts[i]);
            if (error != ACCORD_OK)
                return error;
            any |= month.amounts[i] != 0;
        }
        month.day = most(first, from);
        if (month.day >= least(to, stop)) { /* nothing of the term is left */
            if (!any)
                continue;
            month.day = stop;
        }
        month.at = month.day == from ? term->from : zone_day_start(zone, (int32_t)month.day);
        period_label(false, first, month.label);
        schedule->months[schedule->count++] = month;
    }
    return ACCORD_OK;
}

/* A further term is one of the membership's offer unless it names its own. */
static const char *offer_of(const struct stored_membership *membership,
                            const struct membership_row *term)
{
    for (size_t i = 0; *term->offer == '\0' && i < membership->count; i++)
        if (!membership->terms[i].superseded && membership->terms[i].row.kind == MEMBERSHIP_STARTED)
            return membership->terms[i].row.offer;
    return term->offer;
}

/* Of each month what the pool takes: of the offer as it was when the term was sold. */
static enum accord_error find_pools(struct pool_book *pools, struct membership_schedule *schedule)
{
    const struct membership_row *term = schedule->term;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < schedule->count; i++)
        error = pool_book_funding(pools, term->channel, schedule->offer, term->occurred_at,
                                  period_of_day(false, schedule->months[i].day),
                                  &schedule->months[i].pool);
    return error;
}

enum accord_error membership_schedule_in(struct arena *arena, const struct zone *zone,
                                         const char *operator_id,
                                         const struct stored_membership *membership, size_t index,
                                         struct membership_schedule *ret)
{
    const struct membership_row *term = &membership->terms[index].row;
    const int64_t amounts[MEMBERSHIP_AMOUNTS] = {term->paid, term->tax, term->store_fee,
                                                 term->payment_fee};
    int64_t whole[MEMBERSHIP_AMOUNTS];
    struct membership_schedule schedule = {.term = term,
                                           .operator_id = operator_id,
                                           .offer = offer_of(membership, term),
                                           .zone = zone};
    enum accord_error error =
        accord_currency_parse(term->currency, strlen(term->currency), &schedule.currency);
    if (error != ACCORD_OK)
        return ACCORD_E_DATABASE_ERROR;
    for (unsigned i = 0; i < MEMBERSHIP_AMOUNTS; i++) {
        schedule.given[i] = amounts[i] >= 0;
        whole[i] = schedule.given[i] ? amounts[i] : 0;
    }
    error = apply_cancellations(arena, membership, index, whole, &schedule);
    if (error == ACCORD_OK)
        error = make_months(arena, &schedule, whole);
    if (error == ACCORD_OK)
        *ret = schedule;
    return error;
}

bool membership_stops(const struct stored_membership *membership, size_t cancellation, size_t term)
{
    const struct stored_term *row = &membership->terms[cancellation];
    return !row->superseded && row->row.kind == MEMBERSHIP_CANCELLED &&
           stopped_by(membership, &row->row) == term;
}

enum accord_error membership_schedule(struct arena *arena, const struct agreement_choice *choice,
                                      struct pool_book *pools, const char *operator_id,
                                      const struct stored_membership *membership, size_t index,
                                      struct membership_schedule *ret)
{
    const struct membership_schedule sought = {
        .term = &membership->terms[index].row,
        .operator_id = operator_id,
        .offer = offer_of(membership, &membership->terms[index].row)};
    struct membership_schedule schedule;
    const struct zone *zone;
    enum accord_error error = find_zone(choice, &sought, &zone);
    if (error == ACCORD_OK)
        error = membership_schedule_in(arena, zone, operator_id, membership, index, &schedule);
    if (error == ACCORD_OK)
        error = find_pools(pools, &schedule);
    if (error == ACCORD_OK)
        *ret = schedule;
    return error;
}

/* ---- settling ---- */

enum accord_error membership_order(struct arena *arena, const struct membership_schedule *schedule,
                                   size_t month, bool taken_back, struct accord_order **ret)
{
    const struct membership_month *at = &schedule->months[month];
    int64_t amounts[MEMBERSHIP_AMOUNTS];
    bool any[2] = {false, false};
    for (unsigned i = 0; i < MEMBERSHIP_AMOUNTS; i++) {
        const int64_t amount = at->amounts[i];
        any[0] |= amount > 0;
        any[1] |= amount < 0;
        amounts[i] = taken_back ? most(-amount, 0) : most(amount, 0);
        if (!schedule->given[i])
            amounts[i] = -1;
    }
    *ret = NULL;
    /* A month of a trial is settled, too: as nothing. */
    if (!any[taken_back] && (taken_back || any[1]))
        return ACCORD_OK;
    struct accord_order *order = arena_alloc(arena, sizeof *order);
    struct accord_line *line = arena_alloc(arena, sizeof *line);
    if (order == NULL || line == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *line = (struct accord_line){
        .line_id = at->label,
        .provider = schedule->operator_id,
        .course_id = schedule->offer,
        .course_known = true,
        .quantity = 1,
        .paid = amounts[MEMBERSHIP_PAID],
        .tax = amounts[MEMBERSHIP_TAX],
        .store_fee = amounts[MEMBERSHIP_STORE_FEE],
        .payment_fee = amounts[MEMBERSHIP_PAYMENT_FEE],
        .pool = at->pool,
    };
    *order = (struct accord_order){
        .channel = schedule->term->channel,
        .order_id = schedule->term->membership_id,
        .occurred_at_us = at->at,
        .currency = schedule->currency,
        .lines = line,
        .line_count = 1,
    };
    *ret = order;
    return ACCORD_OK;
}

/* What counts lines, units and what qualifies: a month is one, whatever is taken back in it. */
static const enum entry_number counts[] = {ENTRY_LINES, ENTRY_QUANTITY, ENTRY_LINES_QUALIFIED,
                                           ENTRY_UNITS_QUALIFIED};

static enum accord_error negative_of(const struct entry_row *row, bool counted,
                                     struct entry_row *ret)
{
    struct entry_row negative = *row;
    memset(negative.numbers, 0, sizeof negative.numbers);
    negative.share_count = 0;
    const enum accord_error error = entry_add(&negative, row, -1);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        negative.numbers[counts[i]] = counted ? 0 : row->numbers[counts[i]];
    if (error == ACCORD_OK)
        *ret = negative;
    return error;
}

static enum accord_error settle_month(const struct agreement_choice *choice,
                                      struct rate_book *rates, struct arena *arena,
                                      const struct membership_schedule *schedule, size_t month,
                                      struct settled *settled)
{
    bool counted = false;
    for (unsigned taken_back = 0; taken_back <= 1; taken_back++) {
        struct accord_order *order;
        struct settled part = {.count = 0};
        enum accord_error error = membership_order(arena, schedule, month, taken_back != 0, &order);
        if (error != ACCORD_OK)
            return error;
        if (order == NULL)
            continue;
        order->rates = schedule->months[month].rates;
        if (rates != NULL)
            error =
                rate_book_pins(rates, arena, order, choice->versions, choice->count, &order->rates);
        const struct sale_view view = {.seq = schedule->term->seq, .order = order};
        if (error == ACCORD_OK)
            error = settled_with(choice, arena, &view, &part);
        if (error != ACCORD_OK)
            return error;
        struct entry_row row = part.rows[0];
        row.line = schedule->months[month].line;
        if (*row.agreement == '\0')
            row.day = schedule->months[month].day; /* an order's is that of UTC */
        if (settled->held == ACCORD_HELD_NOT)
            settled->held = part.held;
        if (taken_back != 0)
            error = negative_of(&row, counted, &row);
        if (error == ACCORD_OK && counted &&
            entry_same_group(&settled->rows[settled->count - 1], &row))
            error = entry_add(&settled->rows[settled->count - 1], &row, 1);
        else
            settled->rows[settled->count++] = row;
        if (error != ACCORD_OK)
            return error;
        counted = true;
    }
    return ACCORD_OK;
}

static int64_t utc_day(instant_us at)
{
    return (at - (at % CLOCK_DAY_US + CLOCK_DAY_US) % CLOCK_DAY_US) / CLOCK_DAY_US;
}

enum accord_error membership_settled(const struct agreement_choice *choice, struct rate_book *rates,
                                     struct arena *arena,
                                     const struct membership_schedule *schedule,
                                     struct settled *ret)
{
    const struct membership_row *term = schedule->term;
    struct settled settled = {
        .rows = arena_array(arena, 2 * schedule->count + 1, sizeof *settled.rows)};
    enum accord_error error = settled.rows == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < schedule->count; i++)
        error = settle_month(choice, rates, arena, schedule, i, &settled);
    if (error == ACCORD_OK && schedule->excess_count > 0)
        settled.rows[settled.count++] = (struct entry_row){
            .sale_seq = term->seq,
            .line = ENTRY_LINE_EXCESS,
            .agreement = "",
            .held = accord_held_name(ACCORD_HELD_EXCESS_REFUND),
            .day = utc_day(term->from),
            .channel = term->channel,
            .provider = schedule->operator_id,
            .course_id = "",
            .currency = term->currency,
            .sale_currency = term->currency,
            .numbers =
                {[ENTRY_LINES] = schedule->excess_count, [ENTRY_REFUNDED] = schedule->excess},
        };
    if (error == ACCORD_OK)
        *ret = settled;
    return error;
}

enum accord_error membership_settled_all(struct agreement_book *book, struct rate_book *rates,
                                         struct pool_book *pools, struct arena *arena,
                                         const char *operator_id,
                                         const struct stored_membership *membership,
                                         struct settled **ret, int64_t *ret_months)
{
    struct settled *settled = arena_array(arena, membership->count + 1, sizeof *settled);
    struct agreement_choice choice;
    int64_t months = 0;
    if (settled == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error =
        agreement_book_choose(book, arena, membership->name.channel, &operator_id, 1, &choice);
    for (size_t i = 0; error == ACCORD_OK && i < membership->count; i++) {
        struct membership_schedule *schedule = arena_alloc(arena, sizeof *schedule);
        settled[i] = (struct settled){.count = 0};
        if (schedule == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (!membership_is_term(&membership->terms[i]))
            continue;
        error = membership_schedule(arena, &choice, pools, operator_id, membership, i, schedule);
        if (error == ACCORD_OK)
            error = membership_settled(&choice, rates, arena, schedule, &settled[i]);
        if (error == ACCORD_OK)
            months += (int64_t)schedule->count;
    }
    if (error == ACCORD_OK) {
        *ret = settled;
        *ret_months = months;
    }
    return error;
}
