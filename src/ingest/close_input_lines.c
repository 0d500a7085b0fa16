/* The lines of files of inputs: orders, or, for those who may not see these, lines as they are.
 * They are read in batches, in the order of the statement's lines. */
#include <inttypes.h>
#include <string.h>

#include "domain/refunds.h"
#include "ingest/closing.h"
#include "ingest/inputs.h"
#include "ingest/rates.h"
#include "ingest/referral.h"
#include "ingest/settled.h"
#include "store/statement_inputs.h"

enum { BATCH = 200, ROW_BYTES_MAX = 64 << 20 };

enum accord_error closing_load_sales(struct db *db, struct arena *arena, const int64_t *seqs,
                                     size_t count, struct stored_order **ret_orders,
                                     struct entry_list **ret_lists)
{
    struct order_name *names = arena_array(arena, count, sizeof *names);
    struct stored_order *orders = arena_array(arena, count, sizeof *orders);
    struct entry_list *lists = arena_array(arena, count, sizeof *lists);
    if (names == NULL || orders == NULL || lists == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = store_orders_of_sales(db, arena, seqs, count, names);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        orders[i].name = names[i];
        lists[i].sale_seq = seqs[i];
        if (names[i].channel == NULL)
            error = ACCORD_E_DATABASE_ERROR;
    }
    if (error == ACCORD_OK)
        error = store_orders_load(db, arena, orders, count);
    if (error == ACCORD_OK)
        error = store_entries_load(db, arena, lists, count);
    if (error == ACCORD_OK) {
        *ret_orders = orders;
        *ret_lists = lists;
    }
    return error;
}

enum accord_error closing_sale_of(struct db *db, struct arena *arena,
                                  const struct stored_order *stored, int64_t seq,
                                  const struct stored_sale **ret)
{
    struct order_name name;
    bool found = false;
    *ret = stored->current;
    if (stored->current != NULL && stored->current->seq == seq)
        return ACCORD_OK;
    struct stored_sale *past = arena_alloc(arena, sizeof *past);
    if (past == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error = store_sale_of_fact(db, arena, seq, past, &name, &found);
    *ret = past;
    return error != ACCORD_OK ? error : found ? ACCORD_OK : ACCORD_E_DATABASE_ERROR;
}

struct gathering {
    struct closing *c;
    struct arena *arena;                       /* of a batch */
    const struct agreement_version **versions; /* all of the agreement */
    struct closing_others others;
    int64_t window_us; /* of the versions' referrals; 0: there are none */
    bool any_derived;
    bool any_given;
    struct buf row;
};

/* Writes a line for those to whom lines are given. */
static enum accord_error give_line(void *context, const struct statement_line *line)
{
    const struct gathering *g = context;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < g->c->count; i++) {
        struct closing_account *account = g->c->accounts[i];
        struct statement_part part;
        if (account->inputs.derived)
            continue;
        error = statement_part_of(line, account->partner, &part);
        if (error != ACCORD_OK || !part.visible)
            continue;
        struct buf *out = &account->inputs.bytes;
        buf_add_str(out, "{\"kind\":\"line\",\"text\":");
        statement_line_write(out, line, &part);
        buf_add_str(out, "}\n");
        error = closing_inputs_flush(g->c, account, CLOSING_CHUNK_BYTES);
    }
    return error;
}

/* The row at hand, for those whose lines are derived. */
static enum accord_error give_row(struct gathering *g)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < g->c->count; i++) {
        if (!g->c->accounts[i]->inputs.derived)
            continue;
        buf_add_slice(&g->c->accounts[i]->inputs.bytes, buf_slice(&g->row));
        error = closing_inputs_flush(g->c, g->c->accounts[i], CLOSING_CHUNK_BYTES);
    }
    return error;
}

/* An order on its way into files. */
struct taking {
    struct gathering *g;
    int64_t sale_seq;
    const struct stored_order *stored;
    const struct stored_sale *sale; /* with its lines */
    bool current;
    struct accord_line *lines; /* that stand */
    int64_t *places;
    size_t line_count;
    struct inputs_posted *posted;
    size_t posted_count;
    struct accord_refund *parts; /* refunds as they reached lines */
    size_t part_count;
    size_t part_cap;
};

static enum accord_error take_line(struct taking *t, const struct entry_row *entries, size_t count)
{
    const struct closing *c = t->g->c;
    const int64_t place = entries->line;
    struct statement_groups before = {.count = 0};
    struct statement_groups now = {.count = 0};
    int64_t standing = 0;
    if (place < 0)
        return ACCORD_E_DATABASE_ERROR;
    for (size_t i = 0; i < count; i++) {
        const struct entry_row *entry = &entries[i];
        standing += entry->numbers[ENTRY_LINES];
        if (entry->booked > c->day)
            continue;
        struct entry_row *group =
            statement_group_of(t->g->arena, entry->booked == c->day ? &now : &before,
                               period_of_day(c->periods.quarterly, entry->day), entry->version);
        if (group == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        const enum accord_error error = entry_add(group, entry, 1);
        if (error != ACCORD_OK)
            return error;
    }
    /* An offer sold as a whole may have fewer courses than when it was closed before. */
    const struct accord_line gone = {.line_id = arena_printf(t->g->arena, "%" PRId64, place),
                                     .provider = entries->provider,
                                     .course_id = entries->course_id};
    const bool is_there = (size_t)place < t->sale->line_count;
    const struct accord_line *line = is_there ? &t->sale->lines[place] : &gone;
    if (gone.line_id == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (!is_there && standing != 0)
        return ACCORD_E_DATABASE_ERROR;
    if (standing != 0 && t->current) {
        t->places[t->line_count] = place;
        t->lines[t->line_count] = *line;
        t->lines[t->line_count++].course_known = true;
    }
    for (size_t i = 0; i < before.count; i++)
        if (!entry_is_zero(&before.items[i]))
            t->posted[t->posted_count++] = (struct inputs_posted){
                place, line->line_id, line->provider, line->course_id, &before.items[i]};
    if (!t->g->any_given)
        return ACCORD_OK;
    const struct statement_line head = {
        .sale_seq = t->sale_seq,
        .line = place,
        .channel = t->stored->name.channel,
        .order_id = t->stored->name.order_id,
        .line_id = line->line_id,
        .provider = line->provider,
        .course_id = line->course_id,
        .currency = t->sale->currency.code,
        .occurred_at = t->sale->occurred_at,
    };
    return statement_sale_lines(&c->periods, c->day, &head, &now, give_line, t->g);
}

static enum accord_error take_part(void *context, const struct accord_refund *part)
{
    struct taking *t = context;
    for (size_t i = 0; i < t->line_count; i++) {
        if (strcmp(t->lines[i].line_id, part->line_id) != 0)
            continue;
        struct accord_refund *parts =
            arena_room(t->g->arena, t->parts, t->part_count, &t->part_cap, sizeof *parts);
        if (parts == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        t->parts = parts;
        t->parts[t->part_count++] = *part;
    }
    return ACCORD_OK;
}

/* The refunds that count; where some of the order's lines are left out, as they were spread. */
static enum accord_error take_refunds(struct taking *t, struct inputs_order *row)
{
    const struct accord_order whole = {
        .channel = t->stored->name.channel,
        .order_id = t->stored->name.order_id,
        .occurred_at_us = t->sale->occurred_at,
        .currency = t->sale->currency,
        .lines = t->sale->lines,
        .line_count = t->sale->line_count,
    };
    const struct sale_view view = {t->sale_seq, &whole, t->stored->refunds,
                                   t->stored->refund_count};
    struct accord_refund *refunds;
    size_t count;
    enum accord_error error = settled_refunds(&view, t->g->arena, &refunds, &count);
    if (error == ACCORD_OK && row->spread) {
        error = refunds_spread(&whole, refunds, count, take_part, t);
        refunds = t->parts;
        count = t->part_count;
    }
    if (error == ACCORD_OK) {
        row->refunds = refunds;
        row->refund_count = count;
    }
    return error;
}

static enum accord_error write_order(struct taking *t)
{
    struct gathering *g = t->g;
    struct closing *c = g->c;
    struct accord_order order = {
        .channel = t->stored->name.channel,
        .order_id = t->stored->name.order_id,
        .occurred_at_us = t->sale->occurred_at,
        .currency = t->sale->currency,
        .lines = t->lines,
        .line_count = t->line_count,
    };
    struct inputs_order row = {
        .sale_seq = t->sale_seq,
        .order = &order,
        .places = t->places,
        .spread = t->line_count > 0 && t->line_count < t->sale->line_count,
        .versions = c->periods.versions,
        .version_count = c->periods.version_count,
        .posted = t->posted,
        .posted_count = t->posted_count,
    };
    enum accord_error error = ACCORD_OK;
    if (t->line_count > 0)
        error = take_refunds(t, &row);
    if (error == ACCORD_OK && t->line_count > 0)
        error = closing_inputs_pins(&g->others, &order);
    if (error != ACCORD_OK)
        return error;
    const struct referred_order referred = {&order, t->sale->has_learner ? t->sale->learner : NULL,
                                            t->sale_seq};
    if (t->line_count > 0)
        error = ingest_fill_touches(c->db, g->arena, g->window_us, &referred, 1);
    if (error != ACCORD_OK)
        return error;
    g->row.len = 0;
    inputs_write_order(&g->row, &row);
    error = buf_error(&g->row);
    return error != ACCORD_OK ? error : give_row(g);
}

static enum accord_error take_sale(struct gathering *g, const struct entry_list *list,
                                   const struct stored_order *stored)
{
    struct taking t = {.g = g, .sale_seq = list->sale_seq, .stored = stored};
    const char *agreement = g->c->governs->terms.agreement;
    t.current = stored->current != NULL && stored->current->seq == list->sale_seq;
    enum accord_error error = closing_sale_of(g->c->db, g->arena, stored, list->sale_seq, &t.sale);
    if (error != ACCORD_OK)
        return error;
    struct entry_row *entries = arena_array(g->arena, list->count + 1, sizeof *entries);
    size_t entry_count = 0; /* settled ones of this agreement, by line */
    t.posted = arena_array(g->arena, list->count + 1, sizeof *t.posted);
    t.lines = arena_array(g->arena, t.sale->line_count + 1, sizeof *t.lines);
    t.places = arena_array(g->arena, t.sale->line_count + 1, sizeof *t.places);
    if (entries == NULL || t.posted == NULL || t.lines == NULL || t.places == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->rows[i].agreement, agreement) == 0 && *list->rows[i].held == '\0')
            entries[entry_count++] = list->rows[i];
    for (size_t from = 0; error == ACCORD_OK && from < entry_count;) {
        size_t end = from + 1;
        while (end < entry_count && entries[end].line == entries[from].line)
            end++;
        error = take_line(&t, &entries[from], end - from);
        from = end;
    }
    if (error == ACCORD_OK && g->any_derived)
        error = write_order(&t);
    return error;
}

/* What is a sale, what a term, and what an entry, of facts in the order of their numbers. */
struct batch {
    const int64_t *seqs;
    size_t count;
    struct order_name *names;      /* NULLs: no sale */
    struct stored_order *orders;   /* those that are sales, in order */
    struct membership_name *terms; /* NULLs: no term */
    struct stored_membership *memberships;
    struct challenge_name *entries; /* NULLs: no entry */
    struct stored_challenge *challenges;
    struct entry_list *lists;
};

static enum accord_error load_batch(struct gathering *g, struct batch *batch)
{
    struct arena *arena = g->arena;
    struct db *db = g->c->db;
    const size_t count = batch->count;
    size_t orders = 0;
    size_t terms = 0;
    size_t entries = 0;
    batch->entries = arena_array(arena, count, sizeof *batch->entries);
    batch->challenges = arena_array(arena, count, sizeof *batch->challenges);
    batch->names = arena_array(arena, count, sizeof *batch->names);
    batch->orders = arena_array(arena, count, sizeof *batch->orders);
    batch->terms = arena_array(arena, count, sizeof *batch->terms);
    batch->memberships = arena_array(arena, count, sizeof *batch->memberships);
    batch->lists = arena_array(arena, count, sizeof *batch->lists);
    if (batch->names == NULL || batch->orders == NULL || batch->terms == NULL ||
        batch->memberships == NULL || batch->lists == NULL || batch->entries == NULL ||
        batch->challenges == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = store_orders_of_sales(db, arena, batch->seqs, count, batch->names);
    if (error == ACCORD_OK)
        error = store_memberships_of_terms(db, arena, batch->seqs, count, batch->terms);
    if (error == ACCORD_OK)
        error = store_challenges_of_facts(db, arena, batch->seqs, count, batch->entries);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        batch->lists[i].sale_seq = batch->seqs[i];
        if (batch->names[i].channel != NULL)
            batch->orders[orders++].name = batch->names[i];
        else if (batch->terms[i].channel != NULL)
            batch->memberships[terms++].name = batch->terms[i];
        else if (batch->entries[i].channel != NULL)
            batch->challenges[entries++].name = batch->entries[i];
        else
            error = ACCORD_E_DATABASE_ERROR;
    }
    if (error == ACCORD_OK)
        error = store_orders_load(db, arena, batch->orders, orders);
    if (error == ACCORD_OK)
        error = store_memberships_load(db, arena, batch->memberships, terms);
    if (error == ACCORD_OK)
        error = store_challenges_load(db, arena, batch->challenges, entries);
    return error != ACCORD_OK ? error : store_entries_load(db, arena, batch->lists, count);
}

static enum accord_error take_term(struct gathering *g, const struct entry_list *list,
                                   const struct stored_membership *stored)
{
    enum accord_error error = ACCORD_OK;
    g->row.len = 0;
    if (g->any_derived)
        error = closing_inputs_term(&g->others, list, stored, &g->row);
    if (error == ACCORD_OK)
        error = give_row(g);
    if (error != ACCORD_OK || !g->any_given)
        return error;
    for (size_t i = 0; i < stored->count; i++)
        if (stored->terms[i].row.seq == list->sale_seq)
            return closing_term_lines(g->c, g->arena, list, &stored->terms[i].row, give_line, g);
    return ACCORD_E_DATABASE_ERROR;
}

static enum accord_error take_entry(struct gathering *g, const struct entry_list *list,
                                    const struct stored_challenge *stored)
{
    enum accord_error error = ACCORD_OK;
    g->row.len = 0;
    if (g->any_derived)
        error = closing_inputs_entry(&g->others, list, stored, &g->row);
    if (error == ACCORD_OK)
        error = give_row(g);
    if (error != ACCORD_OK || !g->any_given)
        return error;
    for (size_t i = 0; i < stored->count; i++)
        if (stored->facts[i].row.seq == list->sale_seq)
            return closing_entry_lines(g->c, g->arena, list, &stored->facts[i].row, give_line, g);
    return ACCORD_E_DATABASE_ERROR;
}

static enum accord_error take_batch(struct gathering *g, const int64_t *seqs, size_t count)
{
    struct batch batch = {.seqs = seqs, .count = count};
    size_t orders = 0;
    size_t terms = 0;
    size_t entries = 0;
    enum accord_error error = load_batch(g, &batch);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = batch.names[i].channel != NULL
                    ? take_sale(g, &batch.lists[i], &batch.orders[orders++])
                : batch.terms[i].channel != NULL
                    ? take_term(g, &batch.lists[i], &batch.memberships[terms++])
                    : take_entry(g, &batch.lists[i], &batch.challenges[entries++]);
    return error;
}

static enum accord_error gather(struct gathering *g)
{
    const struct closing *c = g->c;
    int64_t seqs[BATCH];
    size_t count = BATCH;
    int64_t after = 0;
    enum accord_error error = ACCORD_OK;
    while (error == ACCORD_OK && count == BATCH) {
        error = store_booked_sales(c->db, c->governs->terms.agreement, c->day, after, BATCH, seqs,
                                   &count);
        if (error != ACCORD_OK || count == 0)
            break;
        after = seqs[count - 1];
        error = take_batch(g, seqs, count);
        arena_reset(g->arena);
        g->others.pools = NULL;
    }
    if (error == ACCORD_OK && g->any_given)
        error = statement_window_lines(&c->periods, c->day, &c->windows, give_line, g);
    return error;
}

enum accord_error closing_inputs_lines(struct closing *c)
{
    enum { BATCH_BYTES_MAX = 1 << 30 };
    struct gathering g = {.c = c, .arena = arena_new(BATCH_BYTES_MAX)};
    enum accord_error error = g.arena == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    g.versions = arena_array(c->arena, c->periods.version_count, sizeof *g.versions);
    if (g.versions == NULL)
        error = ACCORD_E_OUT_OF_MEMORY;
    g.others = (struct closing_others){.c = c, .arena = g.arena, .versions = g.versions};
    for (size_t i = 0; error == ACCORD_OK && i < c->periods.version_count; i++)
        g.versions[i] = &c->periods.versions[i];
    for (size_t i = 0; error == ACCORD_OK && i < c->periods.version_count; i++) {
        const struct accord_agreement_version *terms = &c->periods.versions[i].terms;
        const int64_t window = referral_window(&terms, 1);
        g.window_us = window > g.window_us ? window : g.window_us;
    }
    for (size_t i = 0; i < c->count; i++) {
        g.any_derived |= c->accounts[i]->inputs.derived;
        g.any_given |= !c->accounts[i]->inputs.derived;
    }
    buf_init(&g.row, ROW_BYTES_MAX);
    if (error == ACCORD_OK)
        error = gather(&g);
    buf_done(&g.row);
    rate_book_free(g.others.rates);
    agreement_book_free(g.others.book);
    arena_free(g.arena);
    return error;
}
