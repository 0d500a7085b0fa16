/* What follows from no order among what a statement is made from: months of memberships, and what
 * entries of challenges left. */
#include <string.h>

#include "ingest/closing.h"
#include "ingest/settled.h"

static bool is_of(const struct closing *c, const struct entry_row *entry)
{
    return entry->booked == c->day && *entry->held == '\0' &&
           strcmp(entry->agreement, c->governs->terms.agreement) == 0;
}

/* `head` says what a line is of; the rest of it is filled. */
static enum accord_error fact_lines(const struct closing *c, struct arena *arena,
                                    const struct entry_row *entries, size_t count,
                                    struct statement_line head, statement_line_fn *each,
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
    if (head.is_term)
        head.occurred_at = statement_month_begins(&c->periods, head.occurred_at, first->day);
    head.line = first->line;
    head.provider = first->provider;
    head.course_id = first->course_id;
    head.currency = first->sale_currency;
    return statement_sale_lines(&c->periods, c->day, &head, &groups, each, context);
}

/* Entries of one line are neighbours. */
static enum accord_error all_lines(const struct closing *c, struct arena *arena,
                                   const struct entry_list *list, const struct statement_line *head,
                                   statement_line_fn *each, void *context)
{
    enum accord_error error = ACCORD_OK;
    for (size_t from = 0; error == ACCORD_OK && from < list->count;) {
        size_t end = from + 1;
        while (end < list->count && list->rows[end].line == list->rows[from].line)
            end++;
        error = fact_lines(c, arena, &list->rows[from], end - from, *head, each, context);
        from = end;
    }
    return error;
}

enum accord_error closing_term_lines(const struct closing *c, struct arena *arena,
                                     const struct entry_list *list,
                                     const struct membership_row *term, statement_line_fn *each,
                                     void *context)
{
    const struct statement_line head = {
        .is_term = true,
        .sale_seq = term->seq,
        .channel = term->channel,
        .order_id = term->membership_id,
        .line_id = term->term_id,
        .occurred_at = term->from,
    };
    return all_lines(c, arena, list, &head, each, context);
}

enum accord_error closing_entry_lines(const struct closing *c, struct arena *arena,
                                      const struct entry_list *list,
                                      const struct challenge_row *joined, statement_line_fn *each,
                                      void *context)
{
    const struct statement_line head = {
        .is_entry = true,
        .sale_seq = joined->seq,
        .channel = joined->channel,
        .order_id = joined->entry_id,
        .line_id = "",
        .occurred_at = joined->occurred_at,
    };
    return all_lines(c, arena, list, &head, each, context);
}
