/* What follows from no order in a file of inputs: a term of a membership, whose months are
 * scheduled and settled anew, and an entry of a challenge, whose part of the fee is. */
#include "ingest/challenge.h"
#include "ingest/inputs_reading.h"
#include "ingest/membership.h"
#include "ingest/rates.h"

/* The lines of a statement that one line of a fact has; `at`: what was posted that is not taken
 * yet. `settled` holds what stands. */
static enum accord_error give_line(struct inputs_reader *r, const struct statement_line *head,
                                   const struct settled *settled, const struct json_array *posted,
                                   size_t *at)
{
    const struct inputs_group_row *before = posted->items;
    struct statement_groups groups = {.count = 0};
    enum accord_error error = inputs_add_settled(r, settled, head->line, &groups);
    while (error == ACCORD_OK && *at < posted->count && before[*at].line == head->line)
        error = inputs_take_away(r, &before[(*at)++], &groups);
    return error != ACCORD_OK ? error
                              : statement_sale_lines(&r->c.periods, r->c.day, head, &groups,
                                                     inputs_take_statement_line, r);
}

static enum accord_error all_taken(struct inputs_reader *r, const struct json_array *posted,
                                   size_t at)
{
    return at == posted->count
               ? ACCORD_OK
               : inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/posted/%zu: is of no line", at);
}

/* ---- memberships ---- */

/* The term and what stops it, as the journal has them. */
static enum accord_error read_membership(struct inputs_reader *r, const struct inputs_term_row *row,
                                         struct stored_membership *ret)
{
    const struct inputs_cancellation_row *stops = row->cancellations.items;
    const size_t count = row->cancellations.count + 1;
    struct stored_term *terms = arena_array(r->row, count, sizeof *terms);
    if (terms == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    terms[0].row = (struct membership_row){
        .seq = row->sale,
        .channel = row->channel.data,
        .membership_id = row->membership_id.data,
        .term_id = row->term_id.data,
        .kind = MEMBERSHIP_STARTED,
        .event_id = "",
        .occurred_at = row->from,
        .offer = row->offer.data,
        .currency = row->currency.code,
        .from = row->from,
        .to = row->to,
        .paid = row->paid,
        .tax = row->tax,
        .store_fee = row->store_fee,
        .payment_fee = row->payment_fee,
    };
    for (size_t i = 1; i < count; i++)
        terms[i].row = (struct membership_row){
            .channel = row->channel.data,
            .membership_id = row->membership_id.data,
            .term_id = row->term_id.data,
            .kind = MEMBERSHIP_CANCELLED,
            .event_id = stops[i - 1].event_id.data,
            .occurred_at = stops[i - 1].occurred_at,
            .offer = "",
            .currency = "",
            .refunded = stops[i - 1].refunded,
            .tax_returned = stops[i - 1].tax_returned,
            .fee_returned = stops[i - 1].fee_returned,
        };
    *ret = (struct stored_membership){
        .name = {row->channel.data, row->membership_id.data}, .terms = terms, .count = count};
    return ACCORD_OK;
}

/* Leaves of a schedule the months that stand in this statement, with what settling them needs. */
static enum accord_error choose_months(struct inputs_reader *r, const struct inputs_term_row *row,
                                       struct membership_schedule *schedule)
{
    const struct inputs_month_row *rows = row->months.items;
    size_t kept = 0;
    size_t at = 0;
    for (size_t i = 0; i < row->months.count; i++) {
        if (!rows[i].stands)
            continue;
        while (at < schedule->count && schedule->months[at].line < rows[i].line)
            at++;
        if (at == schedule->count || schedule->months[at].line != rows[i].line)
            return inputs_refuse(r, ACCORD_E_FIELDS_INVALID,
                                 "/months/%zu: the term recognises nothing in it", i);
        struct membership_month month = schedule->months[at++];
        if (rows[i].has_pool) {
            struct accord_pool_funding *pool = arena_alloc(r->row, sizeof *pool);
            if (pool == NULL)
                return ACCORD_E_OUT_OF_MEMORY;
            *pool = (struct accord_pool_funding){rows[i].pool.payee.data, rows[i].pool.share_ppm,
                                                 rows[i].pool.currency};
            month.pool = pool;
        }
        const enum accord_error error = inputs_read_rates(r, &rows[i].rates, &month.rates);
        if (error != ACCORD_OK)
            return error;
        schedule->months[kept++] = month;
    }
    schedule->count = kept;
    schedule->excess_count = 0;
    return ACCORD_OK;
}

static enum accord_error settle_term(struct inputs_reader *r, const struct inputs_term_row *row,
                                     struct settled *ret)
{
    const struct zone *zone;
    struct stored_membership membership;
    struct membership_schedule schedule;
    const struct inputs_month_row *months = row->months.items;
    bool any = false;
    for (size_t i = 0; i < row->months.count; i++)
        any |= months[i].stands;
    if (!any)
        return ACCORD_OK;
    if (row->from >= row->to)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/to: is not after /from");
    if (zone_find(row->time_zone, &zone) != ACCORD_OK)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID,
                             "/time_zone: is not known to this machine");
    enum accord_error error = read_membership(r, row, &membership);
    if (error == ACCORD_OK)
        error =
            membership_schedule_in(r->row, zone, row->operator_id.data, &membership, 0, &schedule);
    if (error == ACCORD_OK)
        error = choose_months(r, row, &schedule);
    return error != ACCORD_OK ? error
                              : membership_settled(&r->choice, NULL, r->row, &schedule, ret);
}

enum accord_error inputs_take_term(struct inputs_reader *r, struct slice text)
{
    struct inputs_term_row row;
    struct settled settled = {.count = 0};
    size_t at = 0;
    enum accord_error error = inputs_decode(r, r->row, text, &inputs_term_spec, &row);
    if (error == ACCORD_OK && !r->head.derived)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "a term, where lines are given");
    if (error == ACCORD_OK)
        error = settle_term(r, &row, &settled);
    const struct inputs_month_row *months = row.months.items;
    for (size_t i = 0; error == ACCORD_OK && i < row.months.count; i++) {
        int64_t day;
        if (i > 0 && months[i].line <= months[i - 1].line)
            return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/months/%zu: is out of order", i);
        if (!rates_parse_day(months[i].day, &day))
            return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/months/%zu/day: is no day", i);
        const struct statement_line head = {
            .is_term = true,
            .sale_seq = row.sale,
            .line = months[i].line,
            .channel = row.channel.data,
            .order_id = row.membership_id.data,
            .line_id = row.term_id.data,
            .provider = row.operator_id.data,
            .course_id = months[i].offer.data,
            .currency = row.currency.code,
            .occurred_at = statement_month_begins(&r->c.periods, row.from, day),
        };
        error = give_line(r, &head, &settled, &row.posted, &at);
    }
    return error != ACCORD_OK ? error : all_taken(r, &row.posted, at);
}

/* ---- challenges ---- */

static enum accord_error settle_entry(struct inputs_reader *r, const struct inputs_entry_row *row,
                                      struct settled *ret)
{
    const struct challenge_entry_row entry = {
        .channel = row->channel.data,
        .entry_id = row->entry_id.data,
        .seq = row->sale,
        .offer = row->offer.data,
        .round = "",
        .currency = row->currency.code,
        .last_day = row->last_day,
        .fee = row->fee,
    };
    if (row->fee == 0)
        return ACCORD_OK;
    struct accord_order *order = challenge_order(r->row, row->operator_id.data, &entry);
    if (order == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = inputs_read_rates(r, &row->rates, &order->rates);
    const struct sale_view view = {.seq = row->sale, .order = order};
    return error != ACCORD_OK ? error : settled_with(&r->choice, r->row, &view, ret);
}

enum accord_error inputs_take_entry(struct inputs_reader *r, struct slice text)
{
    struct inputs_entry_row row;
    struct settled settled = {.count = 0};
    size_t at = 0;
    enum accord_error error = inputs_decode(r, r->row, text, &inputs_entry_spec, &row);
    if (error == ACCORD_OK && !r->head.derived)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "an entry, where lines are given");
    if (error == ACCORD_OK)
        error = settle_entry(r, &row, &settled);
    if (error != ACCORD_OK)
        return error;
    const struct statement_line head = {
        .is_entry = true,
        .sale_seq = row.sale,
        .channel = row.channel.data,
        .order_id = row.entry_id.data,
        .line_id = "",
        .provider = row.operator_id.data,
        .course_id = row.offer.data,
        .currency = row.currency.code,
        .occurred_at = row.joined_at,
    };
    error = give_line(r, &head, &settled, &row.posted, &at);
    return error != ACCORD_OK ? error : all_taken(r, &row.posted, at);
}
