/* The months of memberships among what a statement is made from. */
#include <string.h>

#include "ingest/closing.h"
#include "ingest/settled.h"

static bool is_of(const struct closing *c, const struct entry_row *entry)
{
    return entry->booked == c->day && *entry->held == '\0' &&
           strcmp(entry->agreement, c->governs->terms.agreement) == 0;
}

static enum accord_error month_lines(const struct closing *c, struct arena *arena,
                                     const struct entry_row *entries, size_t count,
                                     const struct membership_row *term, statement_line_fn *each,
                                     void *context)
{
    struct statement_groups groups = {.count = 0};
    const struct entry_row *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!is_of(c, &entries[i]))
            continue;
        if (first == NULL)
            first = &entries[i];
        struct entry_row *group =
            statement_group_of(arena, &groups, period_of_day(c->periods.quarterly, entries[i].day),
                               entries[i].version);
        if (group == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        const enum accord_error error = entry_add(group, &entries[i], 1);
        if (error != ACCORD_OK)
            return error;
    }
    if (first == NULL)
        return ACCORD_OK;
    const struct statement_line head = {
        .is_term = true,
        .sale_seq = term->seq,
        .line = first->line,
        .channel = term->channel,
        .order_id = term->membership_id,
        .line_id = term->term_id,
        .provider = first->provider,
        .course_id = first->course_id,
        .currency = first->sale_currency,
        .occurred_at = statement_month_begins(&c->periods, term->from, first->day),
    };
    return statement_sale_lines(&c->periods, c->day, &head, &groups, each, context);
}

enum accord_error closing_term_lines(const struct closing *c, struct arena *arena,
                                     const struct entry_list *list,
                                     const struct membership_row *term, statement_line_fn *each,
                                     void *context)
{
    enum accord_error error = ACCORD_OK;
    for (size_t from = 0; error == ACCORD_OK && from < list->count;) {
        size_t end = from + 1;
        while (end < list->count && list->rows[end].line == list->rows[from].line)
            end++;
        error = month_lines(c, arena, &list->rows[from], end - from, term, each, context);
        from = end;
    }
    return error;
}
