/* Rows of files of inputs for what follows from no order. Members stand in bytewise order of their
 * names: the text is canonical as it is written. */
#include <string.h>

#include "ingest/challenge.h"
#include "ingest/closing.h"
#include "ingest/inputs.h"
#include "ingest/membership.h"
#include "ingest/rates.h"
#include "json/write.h"

/* The lines of this agreement that something is booked of in the period, with what was posted of
 * them before. */
struct own_lines {
    const struct entry_row **first; /* booked in the period, of each line */
    bool *stands;                   /* whether the line is still settled under the agreement */
    size_t count;
    struct inputs_posted *posted;
    size_t posted_count;
};

static bool is_own(const struct closing *c, const struct entry_row *row)
{
    return *row->held == '\0' && strcmp(row->agreement, c->governs->terms.agreement) == 0;
}

static enum accord_error add_line(const struct closing *c, struct arena *arena,
                                  const struct entry_list *list, const struct entry_row *first,
                                  struct own_lines *ret)
{
    struct statement_groups before = {.count = 0};
    int64_t standing = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct entry_row *row = &list->rows[i];
        if (row->line != first->line || !is_own(c, row))
            continue;
        standing += row->numbers[ENTRY_LINES];
        if (row->booked >= c->day)
            continue;
        struct entry_row *group = statement_group_of(
            arena, &before, period_of_day(c->periods.quarterly, row->day), row->version);
        const enum accord_error error =
            group == NULL ? ACCORD_E_OUT_OF_MEMORY : entry_add(group, row, 1);
        if (error != ACCORD_OK)
            return error;
    }
    for (size_t i = 0; i < before.count; i++)
        if (!entry_is_zero(&before.items[i]))
            ret->posted[ret->posted_count++] = (struct inputs_posted){
                first->line, "-", first->provider, first->course_id, &before.items[i]};
    ret->first[ret->count] = first;
    ret->stands[ret->count++] = standing != 0;
    return ACCORD_OK;
}

static enum accord_error find_lines(const struct closing *c, struct arena *arena,
                                    const struct entry_list *list, struct own_lines *ret)
{
    struct own_lines own = {.first = arena_array(arena, list->count + 1, sizeof *own.first),
                            .stands = arena_array(arena, list->count + 1, sizeof *own.stands),
                            .posted = arena_array(arena, list->count + 1, sizeof *own.posted)};
    enum accord_error error = own.first == NULL || own.stands == NULL || own.posted == NULL
                                  ? ACCORD_E_OUT_OF_MEMORY
                                  : ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < list->count; i++) {
        const struct entry_row *row = &list->rows[i];
        if (!is_own(c, row) || row->booked != c->day ||
            (own.count > 0 && own.first[own.count - 1]->line == row->line))
            continue;
        error = add_line(c, arena, list, row, &own);
    }
    if (error == ACCORD_OK)
        *ret = own;
    return error;
}

static void write_posted(struct json_writer *w, const struct own_lines *own)
{
    jw_key(w, "posted");
    jw_array(w);
    for (size_t i = 0; i < own->posted_count; i++)
        inputs_write_posted(w, &own->posted[i]);
    jw_array_end(w);
}

enum accord_error closing_inputs_pins(struct closing_others *o, struct accord_order *order)
{
    const struct closing *c = o->c;
    enum accord_error error = ACCORD_OK;
    if (accord_currency_equal(order->currency, c->governs->terms.currency))
        return ACCORD_OK;
    if (o->rates == NULL) {
        error = rate_book_new(&o->rates);
        if (error == ACCORD_OK)
            error = rate_book_enter(o->rates, c->db);
    }
    return error != ACCORD_OK ? error
                              : rate_book_pins(o->rates, o->arena, order, o->versions,
                                               c->periods.version_count, &order->rates);
}

/* ---- memberships ---- */

static enum accord_error schedule_of(struct closing_others *o,
                                     const struct stored_membership *stored, size_t index,
                                     struct membership_schedule *ret)
{
    const char *operator_id = o->c->operator_id;
    struct agreement_choice choice;
    enum accord_error error = operator_id == NULL ? ACCORD_E_DATABASE_ERROR : ACCORD_OK;
    if (error == ACCORD_OK && o->book == NULL)
        error = agreement_book_load(o->c->db, &o->book);
    if (error == ACCORD_OK && o->pools == NULL) {
        o->pools = pool_book_new(o->c->db, o->arena);
        error = o->pools == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    }
    if (error == ACCORD_OK)
        error = agreement_book_choose(o->book, o->arena, stored->name.channel, &operator_id, 1,
                                      &choice);
    return error != ACCORD_OK
               ? error
               : membership_schedule(o->arena, &choice, o->pools, operator_id, stored, index, ret);
}

static void write_cancellations(struct json_writer *w, const struct stored_membership *stored,
                                size_t term)
{
    jw_key(w, "cancellations");
    jw_array(w);
    for (size_t i = 0; i < stored->count; i++) {
        const struct membership_row *row = &stored->terms[i].row;
        if (!membership_stops(stored, i, term))
            continue;
        jw_object(w);
        jw_key_str(w, "event_id", row->event_id);
        jw_key_int(w, "fee_returned", row->fee_returned);
        jw_key_int(w, "occurred_at", row->occurred_at);
        jw_key_int(w, "refunded", row->refunded);
        jw_key_int(w, "tax_returned", row->tax_returned);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_pool(struct json_writer *w, const struct accord_pool_funding *pool)
{
    jw_key(w, "pool");
    jw_object(w);
    jw_key_str(w, "currency", pool->currency.code);
    jw_key_str(w, "payee", pool->payee);
    jw_key_int(w, "share_ppm", pool->share_ppm);
    jw_object_end(w);
}

/* What settling a month that stands needs beyond its term. */
static enum accord_error write_month(struct closing_others *o, struct json_writer *w,
                                     const struct membership_schedule *schedule, int64_t line)
{
    size_t at = 0;
    struct accord_order *order = NULL;
    while (at < schedule->count && schedule->months[at].line != line)
        at++;
    enum accord_error error = at == schedule->count ? ACCORD_E_DATABASE_ERROR : ACCORD_OK;
    for (unsigned taken_back = 0; error == ACCORD_OK && order == NULL && taken_back <= 1;
         taken_back++)
        error = membership_order(o->arena, schedule, at, taken_back != 0, &order);
    if (error == ACCORD_OK)
        error = order == NULL ? ACCORD_E_DATABASE_ERROR : closing_inputs_pins(o, order);
    if (error != ACCORD_OK)
        return error;
    if (schedule->months[at].pool != NULL)
        write_pool(w, schedule->months[at].pool);
    inputs_write_rates(w, order->rates, o->c->periods.versions, o->c->periods.version_count);
    return ACCORD_OK;
}

static enum accord_error write_months(struct closing_others *o, struct json_writer *w,
                                      const struct own_lines *own,
                                      const struct membership_schedule *schedule)
{
    enum accord_error error = ACCORD_OK;
    jw_key(w, "months");
    jw_array(w);
    for (size_t i = 0; error == ACCORD_OK && i < own->count; i++) {
        jw_object(w);
        jw_key_day(w, "day", own->first[i]->day);
        jw_key_int(w, "line", own->first[i]->line);
        jw_key_str(w, "offer", own->first[i]->course_id);
        if (own->stands[i])
            error = write_month(o, w, schedule, own->first[i]->line);
        jw_key_bool(w, "stands", own->stands[i]);
        jw_object_end(w);
    }
    jw_array_end(w);
    return error;
}

/* The zone of the version whose months count: of any agreement. */
static const char *zone_name(const struct closing_others *o, const char *channel,
                             const struct zone *zone)
{
    struct agreement_choice choice;
    if (zone != NULL && agreement_book_choose(o->book, o->arena, channel, &o->c->operator_id, 1,
                                              &choice) == ACCORD_OK)
        for (size_t i = 0; i < choice.count; i++)
            if (choice.versions[i]->zone == zone)
                return choice.versions[i]->time_zone;
    return "UTC";
}

static enum accord_error write_term(struct closing_others *o, const struct own_lines *own,
                                    const struct stored_membership *stored, size_t index,
                                    struct buf *out)
{
    const struct membership_row *term = &stored->terms[index].row;
    struct membership_schedule schedule = {.offer = term->offer};
    struct json_writer w;
    enum accord_error error = ACCORD_OK;
    if (membership_is_term(&stored->terms[index]))
        error = schedule_of(o, stored, index, &schedule);
    if (error != ACCORD_OK)
        return error;
    jw_init(&w, out);
    jw_object(&w);
    write_cancellations(&w, stored, index);
    jw_key_str(&w, "channel", term->channel);
    jw_key_str(&w, "currency", term->currency);
    jw_key_int(&w, "from", term->from);
    jw_key_str(&w, "kind", "term");
    jw_key_str(&w, "membership_id", term->membership_id);
    error = write_months(o, &w, own, &schedule);
    jw_key_str(&w, "offer", schedule.offer);
    jw_key_str(&w, "operator", own->first[0]->provider);
    jw_key_int(&w, "paid", term->paid);
    jw_key_int(&w, "payment_fee", term->payment_fee);
    write_posted(&w, own);
    jw_key_int(&w, "sale", term->seq);
    jw_key_int(&w, "store_fee", term->store_fee);
    jw_key_int(&w, "tax", term->tax);
    jw_key_str(&w, "term_id", term->term_id);
    jw_key_str(&w, "time_zone", zone_name(o, term->channel, schedule.zone));
    jw_key_int(&w, "to", term->to);
    jw_object_end(&w);
    buf_add_char(out, '\n');
    return error != ACCORD_OK ? error : buf_error(out);
}

enum accord_error closing_inputs_term(struct closing_others *o, const struct entry_list *list,
                                      const struct stored_membership *stored, struct buf *row)
{
    struct own_lines own;
    const enum accord_error error = find_lines(o->c, o->arena, list, &own);
    if (error != ACCORD_OK)
        return error;
    for (size_t i = 0; own.count > 0 && i < stored->count; i++)
        if (stored->terms[i].row.seq == list->sale_seq)
            return write_term(o, &own, stored, i, row);
    return ACCORD_E_DATABASE_ERROR;
}

/* ---- challenges ---- */

static enum accord_error write_entry(struct closing_others *o, const struct own_lines *own,
                                     const struct challenge_row *joined,
                                     const struct challenge_entry_row *entry, struct buf *out)
{
    const char *operator_id = own->first[0]->provider;
    struct accord_order *order = NULL;
    struct json_writer w;
    enum accord_error error = ACCORD_OK;
    if (own->stands[0]) {
        order = challenge_order(o->arena, operator_id, entry);
        error = order == NULL ? ACCORD_E_OUT_OF_MEMORY : closing_inputs_pins(o, order);
    }
    if (error != ACCORD_OK)
        return error;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_str(&w, "channel", joined->channel);
    jw_key_str(&w, "currency", joined->currency);
    jw_key_str(&w, "entry_id", joined->entry_id);
    jw_key_int(&w, "fee", own->stands[0] ? entry->fee : 0);
    jw_key_int(&w, "joined_at", joined->occurred_at);
    jw_key_str(&w, "kind", "entry");
    jw_key_int(&w, "last_day", entry->last_day);
    jw_key_str(&w, "offer", own->first[0]->course_id);
    jw_key_str(&w, "operator", operator_id);
    write_posted(&w, own);
    inputs_write_rates(&w, order == NULL ? NULL : order->rates, o->c->periods.versions,
                       o->c->periods.version_count);
    jw_key_int(&w, "sale", joined->seq);
    jw_object_end(&w);
    buf_add_char(out, '\n');
    return buf_error(out);
}

enum accord_error closing_inputs_entry(struct closing_others *o, const struct entry_list *list,
                                       const struct stored_challenge *stored, struct buf *row)
{
    struct challenge_entry_row entry = {.seq = 0};
    struct own_lines own;
    enum accord_error error = find_lines(o->c, o->arena, list, &own);
    if (error == ACCORD_OK)
        error = store_challenge_entries_find(o->c->db, o->arena, &stored->name, 1, &entry);
    if (error != ACCORD_OK)
        return error;
    for (size_t i = 0; own.count == 1 && i < stored->count; i++)
        if (stored->facts[i].row.seq == list->sale_seq)
            return write_entry(o, &own, &stored->facts[i].row, &entry, row);
    return ACCORD_E_DATABASE_ERROR;
}
