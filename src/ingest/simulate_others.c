/* What follows from no order, settled anew: months of memberships and what challenges left. */
#include <string.h>

#include "ingest/challenge.h"
#include "ingest/membership.h"
#include "ingest/simulate_parts.h"
#include "store/partners.h"

/* The first entry of a line that this period has, or what it is settled as now. */
static const struct entry_row *first_of(const struct simulating *s, const struct entry_list *list,
                                        const struct settled *settled, int64_t line)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i].line == line && list->rows[i].booked == s->c->day &&
            *list->rows[i].held == '\0' && strcmp(list->rows[i].agreement, s->ask->agreement) == 0)
            return &list->rows[i];
    for (size_t i = 0; i < settled->count; i++)
        if (settled->rows[i].line == line)
            return &settled->rows[i];
    return NULL;
}

/* All lines of a fact, in order; `head` says what they have in common. */
static enum accord_error give_lines(struct simulating *s, struct statement_line head,
                                    instant_us term_from, const struct entry_list *list,
                                    const struct settled *settled)
{
    int64_t last = -1;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; i < list->count; i++)
        last = list->rows[i].line > last ? list->rows[i].line : last;
    for (size_t i = 0; i < settled->count; i++)
        last = settled->rows[i].line > last ? settled->rows[i].line : last;
    for (int64_t line = 0; error == ACCORD_OK && line <= last; line++) {
        const struct entry_row *first = first_of(s, list, settled, line);
        if (first == NULL)
            continue;
        head.line = line;
        head.provider = first->provider;
        head.course_id = first->course_id;
        head.currency = first->sale_currency;
        if (head.is_term)
            head.occurred_at = statement_month_begins(&s->c->periods, term_from, first->day);
        error = simulate_line(s, &head, list, settled);
    }
    return error;
}

/* ---- memberships ---- */

/* A month is settled with the terms of the simulation from its period on: of months before, what
 * other terms would come to is not asked. */
static enum accord_error settle_term(struct simulating *s, const char *operator_id,
                                     const struct stored_membership *stored, size_t index,
                                     struct settled *ret)
{
    const char *channel = stored->name.channel;
    struct pool_book *pools = pool_book_new(s->c->db, s->scratch);
    struct agreement_choice before;
    struct agreement_choice after;
    struct membership_schedule schedule;
    struct settled old;
    struct settled now;
    if (pools == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = simulate_choose(s, channel, &operator_id, 1, INT64_MIN, &before);
    if (error == ACCORD_OK)
        error = simulate_choose(s, channel, &operator_id, 1, INT64_MAX, &after);
    if (error == ACCORD_OK)
        error =
            membership_schedule(s->scratch, &before, pools, operator_id, stored, index, &schedule);
    if (error == ACCORD_OK)
        error = membership_settled(&before, s->rates, s->scratch, &schedule, &old);
    if (error == ACCORD_OK)
        error = membership_settled(&after, s->rates, s->scratch, &schedule, &now);
    if (error != ACCORD_OK)
        return error;
    struct settled settled = {
        .rows = arena_array(s->scratch, old.count + now.count + 1, sizeof *settled.rows)};
    if (settled.rows == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < schedule.count; i++) {
        const struct settled *from =
            s->changed != NULL && schedule.months[i].at >= s->changed_from ? &now : &old;
        for (size_t j = 0; j < from->count; j++)
            if (from->rows[j].line == schedule.months[i].line)
                settled.rows[settled.count++] = from->rows[j];
    }
    *ret = settled;
    return ACCORD_OK;
}

enum accord_error simulate_term(struct simulating *s, const struct stored_membership *stored,
                                const struct entry_list *list)
{
    const char *operator_id;
    const enum accord_error found = store_partner_operator(s->c->db, s->scratch, &operator_id);
    if (found != ACCORD_OK)
        return found;
    for (size_t i = 0; i < stored->count; i++) {
        const struct membership_row *term = &stored->terms[i].row;
        struct settled settled = {.count = 0};
        if (term->seq != list->sale_seq)
            continue;
        const enum accord_error error = membership_is_term(&stored->terms[i])
                                            ? settle_term(s, operator_id, stored, i, &settled)
                                            : ACCORD_OK;
        const struct statement_line head = {.is_term = true,
                                            .sale_seq = term->seq,
                                            .channel = term->channel,
                                            .order_id = term->membership_id,
                                            .line_id = term->term_id};
        return error == ACCORD_OK ? give_lines(s, head, term->from, list, &settled) : error;
    }
    return ACCORD_E_DATABASE_ERROR;
}

/* ---- challenges ---- */

static enum accord_error take_entry(struct simulating *s, const char *operator_id,
                                    const struct stored_challenge *stored,
                                    const struct entry_list *list)
{
    struct challenge_entry_row row;
    struct agreement_choice choice;
    struct settled settled = {.count = 0};
    enum accord_error error =
        store_challenge_entries_find(s->c->db, s->scratch, &stored->name, 1, &row);
    if (error == ACCORD_OK && row.seq == list->sale_seq && row.fee != 0) {
        const struct accord_order *order = challenge_order(s->scratch, operator_id, &row);
        if (order == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        error = simulate_choose(s, row.channel, &operator_id, 1, order->occurred_at_us, &choice);
        if (error == ACCORD_OK)
            error = challenge_settled(&choice, s->rates, s->scratch, operator_id, &row, &settled);
    }
    for (size_t i = 0; error == ACCORD_OK && i < stored->count; i++) {
        const struct challenge_row *joined = &stored->facts[i].row;
        if (joined->seq != list->sale_seq)
            continue;
        const struct statement_line head = {.is_entry = true,
                                            .sale_seq = joined->seq,
                                            .channel = joined->channel,
                                            .order_id = joined->entry_id,
                                            .line_id = "",
                                            .occurred_at = joined->occurred_at};
        return give_lines(s, head, 0, list, &settled);
    }
    return error == ACCORD_OK ? ACCORD_E_DATABASE_ERROR : error;
}

enum accord_error simulate_other(struct simulating *s, int64_t seq)
{
    struct membership_name membership;
    struct challenge_name entry = {NULL, NULL};
    struct entry_list list = {.sale_seq = seq};
    struct db *db = s->c->db;
    const char *operator_id;
    enum accord_error error = store_partner_operator(db, s->scratch, &operator_id);
    if (error == ACCORD_OK)
        error = store_entries_load(db, s->scratch, &list, 1);
    if (error == ACCORD_OK)
        error = store_memberships_of_terms(db, s->scratch, &seq, 1, &membership);
    if (error == ACCORD_OK && membership.channel == NULL)
        error = store_challenges_of_facts(db, s->scratch, &seq, 1, &entry);
    if (error != ACCORD_OK)
        return error;
    if (membership.channel != NULL) {
        struct stored_membership stored = {.name = membership};
        error = store_memberships_load(db, s->scratch, &stored, 1);
        simulate_join(s, &stored);
        return error == ACCORD_OK ? simulate_term(s, &stored, &list) : error;
    }
    if (entry.channel == NULL)
        return ACCORD_E_DATABASE_ERROR;
    struct stored_challenge stored = {.name = entry};
    error = store_challenges_load(db, s->scratch, &stored, 1);
    return error == ACCORD_OK ? take_entry(s, operator_id, &stored, &list) : error;
}
