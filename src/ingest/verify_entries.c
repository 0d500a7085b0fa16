/* Entries of a sale or term against what it should come to. */
#include <inttypes.h>
#include <string.h>

#include "ingest/settled.h"
#include "ingest/verify_parts.h"
#include "store/challenges.h"
#include "store/memberships.h"

enum { SALES_AT_ONCE = 1000 };

void verify_entry_differs(struct verify *v, const struct order_name *name, int64_t sale_seq,
                          int64_t line, const char *what)
{
    verify_differs(v, "entry", "sale %" PRId64 " line %" PRId64 " (%s %s): %s", sale_seq, line,
                   name->channel, name->order_id, what);
}

/* Takes a line's entries off what it should be; what is left over must be nothing. */
static enum accord_error compare_line(struct verify *v, const struct order_name *name,
                                      const struct entry_row *rows, size_t count,
                                      const struct entry_row *want, size_t want_count)
{
    struct entry_row *groups = arena_array(v->arena, want_count + count + 1, sizeof *groups);
    size_t group_count = 0;
    if (groups == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (; group_count < want_count; group_count++)
        groups[group_count] = want[group_count];
    for (size_t i = 0; i < count; i++) {
        size_t j = 0;
        while (j < group_count && !entry_same_group(&groups[j], &rows[i]))
            j++;
        if (j == group_count) {
            groups[j] = rows[i];
            memset(groups[j].numbers, 0, sizeof groups[j].numbers);
            groups[j].share_count = 0;
            group_count++;
        }
        if (entry_add(&groups[j], &rows[i], -1) != ACCORD_OK) {
            verify_entry_differs(v, name, rows[i].sale_seq, rows[i].line,
                                 "amounts that cannot be added");
            return ACCORD_OK;
        }
        if (rows[i].number != (int64_t)i)
            verify_entry_differs(v, name, rows[i].sale_seq, rows[i].line,
                                 "entries are not numbered");
        if (rows[i].seq < rows[i].sale_seq || (i > 0 && rows[i].seq < rows[i - 1].seq))
            verify_entry_differs(v, name, rows[i].sale_seq, rows[i].line, "seq is out of order");
        if (rows[i].generation < 0 ||
            rows[i].generation > (v->head.staging > 0 ? v->head.staging : v->head.visible))
            verify_entry_differs(v, name, rows[i].sale_seq, rows[i].line, "no such generation");
    }
    for (size_t j = 0; j < group_count; j++)
        if (!entry_is_zero(&groups[j]))
            verify_entry_differs(v, name, groups[j].sale_seq, groups[j].line,
                                 "its entries do not add up to what was settled");
    return ACCORD_OK;
}

/* Staged entries count for the stage, not yet for what reports read. */
static enum accord_error expect_staged(struct verify *v, const struct entry_row *row)
{
    if (row->generation <= v->head.visible)
        return ACCORD_OK;
    enum accord_error error = rollup_batch_entry(v->expected, row);
    struct entry_row off = *row;
    off.generation = 0;
    memset(off.numbers, 0, sizeof off.numbers);
    off.share_count = 0;
    if (error == ACCORD_OK)
        error = entry_add(&off, row, -1);
    if (error == ACCORD_OK)
        error = rollup_batch_entry(v->expected, &off);
    return error;
}

/* Lines that are held for their course, by what stands in the entries. */
static enum accord_error check_unmatched(struct verify *v, const struct order_name *name,
                                         const struct entry_list *list)
{
    for (size_t i = 0; i < list->count;) {
        const struct entry_row *first = &list->rows[i];
        int64_t held = 0;
        for (; i < list->count && list->rows[i].line == first->line; i++)
            if (strcmp(list->rows[i].held, "unmatched") == 0)
                held += list->rows[i].numbers[ENTRY_LINES];
        if (held == 0)
            continue;
        const struct unmatched_row row = {first->provider, first->course_id, first->sale_seq,
                                          first->line};
        bool found;
        const enum accord_error error = store_unmatched_known(v->db, &row, 1, &found);
        if (error != ACCORD_OK)
            return error;
        if (!found)
            verify_entry_differs(v, name, first->sale_seq, first->line,
                                 "held, but not found when its "
                                 "course arrives");
        v->counts.unmatched++;
    }
    return ACCORD_OK;
}

enum accord_error verify_sale(struct verify *v, const struct order_name *name,
                              const struct entry_list *list, const struct settled *want,
                              bool waiting)
{
    enum accord_error error = ACCORD_OK;
    v->summary.entries += (int64_t)list->count;
    error = verify_take_learners(v, list->rows, list->count);
    for (size_t i = 0; error == ACCORD_OK && i < list->count; i++) {
        if (list->rows[i].booked != verify_booked(v, &list->rows[i]))
            verify_entry_differs(v, name, list->sale_seq, list->rows[i].line,
                                 "booked in a period that was closed, or in one too late");
        error = expect_staged(v, &list->rows[i]);
        if (error == ACCORD_OK && waiting) {
            struct entry_row row = list->rows[i];
            row.generation = 0;
            error = rollup_batch_entry(v->expected, &row);
        }
    }
    if (error == ACCORD_OK)
        error = check_unmatched(v, name, list);
    if (waiting)
        return error;
    size_t compared = 0;
    for (size_t i = 0; error == ACCORD_OK && i < list->count;) {
        size_t end = i;
        while (end < list->count && list->rows[end].line == list->rows[i].line)
            end++;
        /* The rows of a line stand together. */
        size_t first = 0;
        size_t rows = 0;
        while (first < want->count && want->rows[first].line != list->rows[i].line)
            first++;
        while (first + rows < want->count && want->rows[first + rows].line == list->rows[i].line)
            rows++;
        compared += rows;
        error = compare_line(v, name, &list->rows[i], end - i,
                             rows == 0 ? NULL : &want->rows[first], rows);
        i = end;
    }
    for (size_t j = 0; error == ACCORD_OK && j < want->count; j++)
        error = rollup_batch_entry(v->expected, &want->rows[j]);
    if (compared < want->count)
        verify_entry_differs(v, name, list->sale_seq, 0, "a line has no entries");
    return error;
}

enum accord_error verify_strays(struct verify *v)
{
    int64_t seqs[SALES_AT_ONCE];
    struct order_name names[SALES_AT_ONCE] = {{0}};
    struct membership_name terms[SALES_AT_ONCE] = {{0}};
    struct challenge_name entries[SALES_AT_ONCE] = {{0}};
    size_t count = SALES_AT_ONCE;
    int64_t after = INT64_MIN;
    enum accord_error error = ACCORD_OK;
    while (error == ACCORD_OK && count == SALES_AT_ONCE) {
        arena_reset(v->arena);
        error = store_entry_sales(v->db, after, SALES_AT_ONCE, seqs, &count);
        if (error == ACCORD_OK && count > 0)
            error = store_orders_of_sales(v->db, v->arena, seqs, count, names);
        if (error == ACCORD_OK && count > 0)
            error = store_memberships_of_terms(v->db, v->arena, seqs, count, terms);
        if (error == ACCORD_OK && count > 0)
            error = store_challenges_of_facts(v->db, v->arena, seqs, count, entries);
        for (size_t i = 0; error == ACCORD_OK && i < count; i++)
            if (names[i].channel == NULL && terms[i].channel == NULL && entries[i].channel == NULL)
                verify_differs(v, "entry", "sale %" PRId64 " does not exist", seqs[i]);
        if (error == ACCORD_OK && count > 0)
            after = seqs[count - 1];
    }
    int64_t orphans = 0;
    if (error == ACCORD_OK)
        error = store_shares_orphaned(v->db, &orphans);
    if (error == ACCORD_OK && orphans > 0)
        verify_differs(v, "entry_share", "%" PRId64 " shares of no entry", orphans);
    return error;
}
