#include "ingest/posting.h"

#include <stdlib.h>
#include <string.h>

#include "ingest/keymap.h"
#include "ingest/periods.h"
#include "ingest/pool.h"
#include "ingest/rollup.h"
#include "ingest/windows.h"
#include "store/pool_months.h"

/* An item on its way: what stands of it. */
struct work {
    struct posting_item *item;
    struct entry_list *lists; /* entries of its sales; of a fresh one none */
    bool staged;
};

/* A growing list of rows in the transaction's arena. */
struct list {
    void *items;
    size_t count;
    size_t cap;
};

static void *list_add(struct arena *arena, struct list *list, size_t size)
{
    void *items = arena_room(arena, list->items, list->count, &list->cap, size);
    if (items == NULL)
        return NULL;
    list->items = items;
    return (char *)list->items + size * list->count++;
}

struct posting {
    struct ingest_tx *tx;
    struct agreement_book *book;
    struct resettle_head head;
    struct work *work;
    size_t count;
    struct list entries;   /* struct entry_row */
    struct list groups;    /* struct entry_row: of the line at work; its room serves the next one */
    struct list matched;   /* struct unmatched_row: to be deleted */
    struct list unmatched; /* struct unmatched_row */
};

/* ---- what stands ---- */

static enum accord_error load_entries(struct posting *p)
{
    struct arena *arena = p->tx->arena;
    size_t sales = 0;
    for (size_t i = 0; i < p->count; i++)
        sales += p->work[i].item->sale_count;
    struct entry_list *all = arena_array(arena, sales + 1, sizeof *all);
    struct entry_list *lists = arena_array(arena, sales + 1, sizeof *lists);
    int64_t *seqs = arena_array(arena, sales + 1, sizeof *seqs);
    bool *queued = arena_array(arena, sales + 1, sizeof *queued);
    if (all == NULL || lists == NULL || seqs == NULL || queued == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t n = 0;
    size_t known = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct posting_item *item = p->work[i].item;
        p->work[i].lists = &all[n];
        for (size_t j = 0; j < item->sale_count; j++, n++) {
            all[n].sale_seq = item->sales[j].seq;
            if (!item->sales[j].fresh)
                seqs[known] = lists[known].sale_seq = item->sales[j].seq, known++;
        }
    }
    if (known == 0)
        return ACCORD_OK;
    enum accord_error error = store_entries_load(p->tx->db, arena, lists, known);
    if (error == ACCORD_OK && p->head.staging > 0)
        error = store_resettle_queued(p->tx->db, seqs, known, queued);
    if (error != ACCORD_OK)
        return error;
    /* While a job is at work, an item that it has settled or will settle belongs to it: its
     * changes become visible with the job's. */
    known = 0;
    for (size_t i = 0; i < p->count; i++) {
        struct work *work = &p->work[i];
        for (size_t j = 0; j < work->item->sale_count; j++) {
            if (work->item->sales[j].fresh)
                continue;
            work->lists[j] = lists[known];
            work->staged |= p->head.staging > 0 && queued[known];
            for (size_t k = 0; p->head.staging > 0 && k < lists[known].count; k++)
                work->staged |= lists[known].rows[k].generation == p->head.staging;
            known++;
        }
    }
    return ACCORD_OK;
}

/* ---- differences ---- */

static enum accord_error touch_entry(struct posting *p, const struct work *work,
                                     const struct entry_row *entry)
{
    enum accord_error error = ingest_touch(p->tx, entry->channel);
    /* Promoters need not be parties. */
    for (size_t i = 0; error == ACCORD_OK && i < entry->share_count; i++)
        error = ingest_touch(p->tx, entry->shares[i].payee);
    if (*entry->agreement != '\0') {
        const struct agreement_version *version =
            agreement_book_find(p->book, entry->agreement, entry->version);
        for (uint32_t i = 0;
             error == ACCORD_OK && version != NULL && i < version->terms.party_count; i++)
            error = ingest_touch(p->tx, version->terms.parties[i]);
    } else if (*entry->provider != '\0') {
        if (error == ACCORD_OK)
            error = ingest_touch(p->tx, entry->provider);
    } else if (work->item->order != NULL) {
        for (size_t i = 0; error == ACCORD_OK && i < work->item->order->line_count; i++)
            if (*work->item->order->lines[i].provider != '\0') /* an unknown offer has none */
                error = ingest_touch(p->tx, work->item->order->lines[i].provider);
    }
    return error;
}

static enum accord_error append(struct posting *p, struct work *work,
                                const struct entry_row *change, int64_t *number)
{
    if (entry_is_zero(change))
        return ACCORD_OK;
    struct entry_row *entry = list_add(p->tx->arena, &p->entries, sizeof *entry);
    if (entry == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *entry = *change;
    size_t shares = 0;
    for (size_t i = 0; i < entry->share_count; i++)
        if (entry->shares[i].amount != 0)
            entry->shares[shares++] = entry->shares[i];
    entry->share_count = shares;
    entry->number = (*number)++;
    entry->seq = work->item->seq;
    entry->generation = work->staged ? p->head.staging : 0;
    if (entry->line == ENTRY_LINE_EXCESS && entry->numbers[ENTRY_REFUNDED] > 0)
        work->item->excess_grew = true;
    return touch_entry(p, work, entry);
}

/* The wanted row of a group, or `count`. */
static size_t find_wanted(const struct entry_row *want, size_t count, const struct entry_row *group)
{
    size_t i = 0;
    while (i < count && !entry_same_group(group, &want[i]))
        i++;
    return i;
}

static bool same_course(const struct entry_row *a, const struct entry_row *b)
{
    return strcmp(a->provider, b->provider) == 0 && strcmp(a->course_id, b->course_id) == 0;
}

static enum accord_error note_unmatched(struct arena *arena, struct list *list,
                                        const struct entry_row *about)
{
    struct unmatched_row *row = list_add(arena, list, sizeof *row);
    if (row == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *row = (struct unmatched_row){about->provider, about->course_id, about->sale_seq, about->line};
    return ACCORD_OK;
}

/* One line of a sale: `rows` are its entries, `want` what they should add up to. */
static enum accord_error post_line(struct posting *p, struct work *work,
                                   const struct entry_row *rows, size_t count,
                                   const struct entry_row *want, size_t want_count)
{
    static const char unmatched_name[] = "unmatched";
    struct arena *arena = p->tx->arena;
    struct list *groups = &p->groups;
    int64_t number = rows == NULL || count == 0 ? 0 : rows[count - 1].number + 1;
    const struct entry_row *was_unmatched = NULL;
    groups->count = 0;
    bool *have = arena_array(arena, want_count + 1, sizeof *have);
    enum accord_error error = have == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct entry_row *group = NULL;
        for (size_t j = 0; j < groups->count && group == NULL; j++)
            if (entry_same_group((struct entry_row *)groups->items + j, &rows[i]))
                group = (struct entry_row *)groups->items + j;
        if (group == NULL) {
            group = list_add(arena, groups, sizeof *group);
            if (group == NULL)
                return ACCORD_E_OUT_OF_MEMORY;
            *group = rows[i];
            memset(group->numbers, 0, sizeof group->numbers);
            group->share_count = 0;
        }
        error = entry_add(group, &rows[i], 1);
    }
    /* First what no longer stands is taken back, then what stands is brought up to what it is. */
    for (size_t i = 0; error == ACCORD_OK && i < groups->count; i++) {
        const struct entry_row *group = (struct entry_row *)groups->items + i;
        if (group->numbers[ENTRY_LINES] != 0 && strcmp(group->held, unmatched_name) == 0)
            was_unmatched = group;
        struct entry_row change = *group;
        memset(change.numbers, 0, sizeof change.numbers);
        change.share_count = 0;
        const size_t wanted = find_wanted(want, want_count, group);
        if (wanted < want_count) {
            have[wanted] = true;
            error = entry_add(&change, &want[wanted], 1);
        }
        if (error == ACCORD_OK)
            error = entry_add(&change, group, -1);
        if (error == ACCORD_OK)
            error = append(p, work, &change, &number);
    }
    for (size_t i = 0; error == ACCORD_OK && i < want_count; i++)
        if (!have[i])
            error = append(p, work, &want[i], &number);

    const struct entry_row *is_unmatched =
        want_count > 0 && strcmp(want->held, unmatched_name) == 0 ? want : NULL;
    if (was_unmatched != NULL && is_unmatched != NULL && same_course(was_unmatched, is_unmatched))
        return error;
    if (error == ACCORD_OK && was_unmatched != NULL)
        error = note_unmatched(arena, &p->matched, was_unmatched);
    if (error == ACCORD_OK && is_unmatched != NULL)
        error = note_unmatched(arena, &p->unmatched, is_unmatched);
    return error;
}

/* One sale: entries are by line; so are the wanted rows, but for the excess (-1) at their end. */
static enum accord_error post_sale(struct posting *p, struct work *work,
                                   const struct entry_list *list, const struct settled *want)
{
    enum accord_error error = ACCORD_OK;
    size_t wanted = 0; /* rows of lines */
    const struct entry_row *excess = NULL;
    if (want != NULL) {
        wanted = want->count;
        if (wanted > 0 && want->rows[wanted - 1].line == ENTRY_LINE_EXCESS)
            excess = &want->rows[--wanted];
    }
    size_t end = 0;
    while (end < list->count && list->rows[end].line == ENTRY_LINE_EXCESS)
        end++;
    if (end > 0 || excess != NULL)
        error = post_line(p, work, end > 0 ? list->rows : NULL, end, excess, excess != NULL);
    size_t want_end = 0;
    while (error == ACCORD_OK && (end < list->count || want_end < wanted)) {
        const size_t at = end;
        const size_t want_at = want_end;
        int64_t line = end < list->count ? list->rows[end].line : want->rows[want_end].line;
        if (want_end < wanted && want->rows[want_end].line < line)
            line = want->rows[want_end].line;
        while (end < list->count && list->rows[end].line == line)
            end++;
        while (want_end < wanted && want->rows[want_end].line == line)
            want_end++;
        error = post_line(p, work, end > at ? &list->rows[at] : NULL, end - at,
                          want_end > want_at ? &want->rows[want_at] : NULL, want_end - want_at);
    }
    return error;
}

/* ---- writing ---- */

/* A closed period takes nothing more: what concerns one is booked in the oldest open one. Taking a
 * seq has made this transaction wait for every close before it. */
static enum accord_error book_entries(struct posting *p)
{
    struct entry_row *entries = p->entries.items;
    struct arena *arena = p->tx->arena;
    struct keymap map;
    const char **agreements = arena_array(arena, p->entries.count + 1, sizeof *agreements);
    size_t *places = arena_array(arena, p->entries.count + 1, sizeof *places);
    if (agreements == NULL || places == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t distinct = 0;
    enum accord_error error = keymap_init(&map, arena, 16);
    for (size_t i = 0; error == ACCORD_OK && i < p->entries.count; i++) {
        if (*entries[i].agreement == '\0')
            continue;
        const struct key key = key_of(entries[i].agreement, NULL);
        size_t *at;
        error = keymap_at(&map, &key, distinct, &at);
        if (error == ACCORD_OK && *at == distinct)
            agreements[distinct++] = entries[i].agreement;
        if (error == ACCORD_OK)
            places[i] = *at;
    }
    int64_t *closed = arena_array(arena, distinct + 1, sizeof *closed);
    if (error == ACCORD_OK && closed == NULL)
        error = ACCORD_E_OUT_OF_MEMORY;
    if (error == ACCORD_OK)
        error = store_periods_last(p->tx->db, agreements, distinct, closed);
    for (size_t i = 0; error == ACCORD_OK && i < p->entries.count; i++) {
        entries[i].booked = 0;
        if (*entries[i].agreement == '\0')
            continue;
        const struct agreement_version *version =
            agreement_book_find(p->book, entries[i].agreement, entries[i].version);
        if (version == NULL)
            return ACCORD_E_DATABASE_ERROR; /* what stands was settled with it */
        entries[i].booked =
            period_booked(version->quarterly, period_of_day(version->quarterly, entries[i].day),
                          closed[places[i]]);
    }
    return error;
}

static int by_learner(const void *a, const void *b)
{
    const struct window_learner_row *x = a;
    const struct window_learner_row *y = b;
    int order = strcmp(x->agreement, y->agreement);
    if (order == 0)
        order = (x->day > y->day) - (x->day < y->day);
    if (order == 0)
        order = (x->version > y->version) - (x->version < y->version);
    return order != 0 ? order : memcmp(x->learner, y->learner, sizeof x->learner);
}

/* What a job stages counts at once here: nothing is closed before its switch. */
static enum accord_error write_learners(struct posting *p)
{
    struct window_learner_row *rows;
    size_t count;
    const enum accord_error error = windows_learners_of(
        p->tx->db, p->tx->arena, p->book, p->entries.items, p->entries.count, &rows, &count);
    if (error != ACCORD_OK || count == 0)
        return error;
    qsort(rows, count, sizeof *rows, by_learner);
    return store_window_learners_add(p->tx->db, rows, count);
}

static int by_member(const void *a, const void *b)
{
    const struct pool_member_row *x = a;
    const struct pool_member_row *y = b;
    int order = strcmp(x->channel, y->channel);
    if (order == 0)
        order = strcmp(x->pool, y->pool);
    if (order == 0)
        order = (x->day > y->day) - (x->day < y->day);
    if (order == 0)
        order = x->has_learner - y->has_learner;
    return order != 0 ? order : memcmp(x->learner, y->learner, sizeof x->learner);
}

static enum accord_error write_members(struct posting *p)
{
    struct pool_member_row *rows;
    size_t count;
    const enum accord_error error =
        pool_members_of(p->tx->db, p->tx->arena, p->entries.items, p->entries.count, &rows, &count);
    if (error != ACCORD_OK || count == 0)
        return error;
    qsort(rows, count, sizeof *rows, by_member);
    const enum accord_error added = store_pool_members_add(p->tx->db, rows, count);
    return added != ACCORD_OK ? added : store_pool_month_came(p->tx->db, rows, count);
}

static enum accord_error write_entries(struct posting *p)
{
    const struct entry_row *entries = p->entries.items;
    enum accord_error error = book_entries(p);
    if (error == ACCORD_OK)
        error = store_entries_insert(p->tx->db, entries, p->entries.count);
    if (error == ACCORD_OK)
        error = write_learners(p);
    if (error == ACCORD_OK)
        error = write_members(p);
    for (size_t i = 0; error == ACCORD_OK && i < p->entries.count; i++)
        error = rollup_batch_entry(p->tx->rollups, &entries[i]);
    if (error == ACCORD_OK)
        error = store_unmatched_delete(p->tx->db, p->matched.items, p->matched.count);
    if (error == ACCORD_OK)
        error = store_unmatched_insert(p->tx->db, p->unmatched.items, p->unmatched.count);
    return error;
}

enum accord_error ingest_post_entries(struct ingest_tx *tx, struct agreement_book *book,
                                      struct posting_item *items, size_t count)
{
    struct posting posting = {.tx = tx, .book = book, .count = count};
    struct posting *p = &posting;
    p->work = arena_array(tx->arena, count + 1, sizeof *p->work);
    if (p->work == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        items[i].excess_grew = false;
        p->work[i].item = &items[i];
    }
    enum accord_error error = store_resettle_head(tx->db, &p->head);
    if (error == ACCORD_OK)
        error = load_entries(p);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        for (size_t j = 0; error == ACCORD_OK && j < items[i].sale_count; j++)
            error = post_sale(p, &p->work[i], &p->work[i].lists[j], items[i].sales[j].want);
    return error != ACCORD_OK ? error : write_entries(p);
}
