/* What each statement is made from, as a file of its own: see ingest/inputs.h. Orders are read in
 * batches, in the order of the statement's lines. */
#include <string.h>

#include "domain/refunds.h"
#include "ingest/closing.h"
#include "ingest/inputs.h"
#include "ingest/rates.h"
#include "ingest/settled.h"
#include "store/statement_inputs.h"
#include "json/write.h"

enum { CHUNK_BYTES = 64 << 10, FILE_BUFFER_MAX = 64 << 20, BATCH = 200 };

/* ---- files ---- */

static enum accord_error flush(const struct closing *c, struct closing_account *account,
                               size_t keep_below)
{
    struct closing_inputs *inputs = &account->inputs;
    enum accord_error error = buf_error(&inputs->bytes);
    if (error != ACCORD_OK || inputs->bytes.len < keep_below)
        return error;
    hash_add(&inputs->hash, buf_slice(&inputs->bytes));
    if (c->publishes) {
        char id[STATEMENT_ID_MAX];
        close_statement_id(account->partner, c->governs->terms.agreement, c->day, id);
        error = store_statement_input_insert(c->db, id, inputs->chunks, buf_slice(&inputs->bytes));
    }
    inputs->chunks++;
    inputs->bytes.len = 0;
    return error;
}

void closing_done(struct closing *c)
{
    for (size_t i = 0; i < c->count; i++)
        buf_done(&c->accounts[i]->inputs.bytes);
}

static void write_hash(struct json_writer *w, const char *name, const struct hash *hash)
{
    char hex[HASH_HEX_MAX];
    hash_hex(hash, hex);
    jw_key_str(w, name, hex);
}

/* ---- whose lines follow from orders ---- */

static bool is_party(const struct agreement_version *version, const char *partner)
{
    for (uint32_t i = 0; i < version->terms.party_count; i++)
        if (strcmp(version->terms.parties[i], partner) == 0)
            return true;
    return false;
}

/* What a promoter gets depends on touches that only some parties may see. */
static bool needs_more_than_orders(const struct agreement_version *version)
{
    for (uint32_t i = 0; i < version->terms.term_count; i++)
        if (version->terms.terms[i].kind == ACCORD_TERM_REFERRAL ||
            version->terms.terms[i].kind == ACCORD_TERM_POOL)
            return true;
    return false;
}

/* A version that a line of the period belongs to, or could. */
static bool is_concerned(const struct closing *c, size_t version)
{
    const struct accord_agreement_version *terms = &c->periods.versions[version].terms;
    if (terms->effective_from_us < period_to(&c->periods, c->day) &&
        period_version_end(&c->periods, version) > period_from(&c->periods, c->day))
        return true;
    for (size_t i = 0; i < c->count; i++)
        if (c->accounts[i]->versions[version])
            return true;
    for (size_t i = 0; i < c->sheet.count; i++)
        if (c->sheet.parts[i].version == version && c->sheet.parts[i].takes_part)
            return true;
    return false;
}

static void choose_derived(struct closing *c)
{
    for (size_t i = 0; i < c->count; i++)
        c->accounts[i]->inputs.derived = c->accounts[i]->party && !c->memberships;
    for (size_t v = 0; v < c->periods.version_count; v++) {
        if (!is_concerned(c, v))
            continue;
        const struct agreement_version *version = &c->periods.versions[v];
        for (size_t i = 0; i < c->count; i++)
            if (needs_more_than_orders(version) || !is_party(version, c->accounts[i]->partner))
                c->accounts[i]->inputs.derived = false;
    }
}

/* ---- what comes before the lines ---- */

static void write_head(const struct closing *c, const struct closing_account *account,
                       struct buf *out)
{
    struct json_writer w;
    char id[STATEMENT_ID_MAX];
    const struct statement_row *previous = account->previous;
    close_statement_id(account->partner, c->governs->terms.agreement, c->day, id);
    jw_init(&w, out);
    jw_object(&w);
    jw_key_str(&w, "agreement", c->governs->terms.agreement);
    jw_key_int(&w, "cutoff", c->cutoff);
    jw_key_bool(&w, "derived", account->inputs.derived);
    jw_key_int(&w, "format", INPUTS_FORMAT);
    jw_key_time(&w, "from", period_from(&c->periods, c->day));
    jw_key_int(&w, "governs", c->governs->terms.version);
    jw_key_str(&w, "kind", "inputs");
    jw_key_int(&w, "opening", previous == NULL ? 0 : previous->closing);
    jw_key_str(&w, "partner", account->partner);
    jw_key_str(&w, "period", c->label);
    if (previous != NULL) {
        jw_key(&w, "previous");
        jw_object(&w);
        write_hash(&w, "hash", &previous->hash);
        jw_key_str(&w, "id", previous->id);
        jw_object_end(&w);
    }
    jw_key_str(&w, "statement", id);
    jw_key_str(&w, "time_zone", c->periods.time_zone);
    jw_key_time(&w, "to", period_to(&c->periods, c->day));
    write_hash(&w, "zone_hash", &c->zone_hash);
    jw_object_end(&w);
    buf_add_char(out, '\n');
}

static void write_version(const struct closing *c, size_t version, struct buf *out)
{
    struct json_writer w;
    const instant_us end = period_version_end(&c->periods, version);
    jw_init(&w, out);
    jw_object(&w);
    jw_key_raw(&w, "body", c->periods.bodies[version]);
    if (end != INT64_MAX)
        jw_key_int(&w, "effective_to", end);
    jw_key_str(&w, "kind", "version");
    jw_key_int(&w, "version", c->periods.versions[version].terms.version);
    jw_object_end(&w);
    buf_add_char(out, '\n');
}

static void write_settings(const struct closing *c, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_str(&w, "kind", "settings");
    jw_key_int(&w, "min_payout", c->governs->terms.min_payout_minor);
    jw_key_int(&w, "reserve_ppm", c->governs->terms.reserve_ppm);
    jw_object_end(&w);
    buf_add_char(out, '\n');
}

static enum accord_error write_part(const struct closing *c, const struct window_part *part,
                                    struct buf *out)
{
    struct json_writer w;
    struct accord_window_sums sums;
    const struct accord_agreement_version *terms = &c->periods.versions[part->version].terms;
    const struct accord_window_period *period = &part->period;
    const enum accord_error error = windows_part_before(part, &sums);
    if (error != ACCORD_OK)
        return error;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_int(&w, "base", sums.base);
    jw_key_int(&w, "days", period->days);
    jw_key_int(&w, "days_of_period", period->days_of_period);
    jw_key_bool(&w, "ends_life", period->ends_life);
    jw_key_bool(&w, "ends_period", period->ends_period);
    jw_key_bool(&w, "ends_year", period->ends_year);
    jw_key_bool(&w, "first_of_life", period->first_of_life);
    jw_key_str(&w, "kind", "part");
    jw_key(&w, "learners");
    jw_array(&w);
    for (size_t i = 0; i < ACCORD_WINDOWS; i++)
        jw_int(&w, sums.new_learners[i]);
    jw_array_end(&w);
    jw_key_int(&w, "lines", sums.lines);
    jw_key_int(&w, "net", sums.net);
    jw_key_int(&w, "number", period->period);
    jw_key_int(&w, "open", sums.open);
    jw_key_day(&w, "period", part->first);
    jw_key(&w, "shares");
    jw_array(&w);
    for (uint32_t i = 0; i < terms->party_count; i++)
        jw_int(&w, sums.shares[i]);
    jw_array_end(&w);
    jw_key_int(&w, "units", sums.units);
    jw_key_int(&w, "version", terms->version);
    jw_key_day(&w, "year", period->year);
    jw_object_end(&w);
    buf_add_char(out, '\n');
    return ACCORD_OK;
}

static void write_posted(const struct window_row *row, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_int(&w, "amount", row->amount);
    jw_key_str(&w, "kind", "posted");
    jw_key_str(&w, "of", row->kind);
    jw_key_str(&w, "payee", row->payee);
    jw_key_day(&w, "period", row->day);
    jw_key_int(&w, "term", row->term);
    jw_key_int(&w, "version", row->version);
    jw_object_end(&w);
    buf_add_char(out, '\n');
}

static enum accord_error write_beginning(const struct closing *c, struct closing_account *account)
{
    struct buf *out = &account->inputs.bytes;
    bool governed = false;
    enum accord_error error = ACCORD_OK;
    buf_init(out, FILE_BUFFER_MAX);
    hash_begin(&account->inputs.hash);
    write_head(c, account, out);
    for (size_t v = 0; v < c->periods.version_count; v++) {
        const struct agreement_version *version = &c->periods.versions[v];
        if (!is_party(version, account->partner) ||
            (version != c->governs &&
             version->terms.effective_from_us >= period_to(&c->periods, c->day)))
            continue;
        governed |= version == c->governs;
        write_version(c, v, out);
    }
    if (!governed)
        write_settings(c, out);
    for (size_t i = 0; error == ACCORD_OK && account->inputs.derived && i < c->sheet.count; i++)
        if (c->sheet.parts[i].takes_part)
            error = write_part(c, &c->sheet.parts[i], out);
    for (size_t i = 0; account->inputs.derived && i < c->sheet.posted_count; i++)
        write_posted(&c->sheet.posted[i], out);
    return error != ACCORD_OK ? error : flush(c, account, CHUNK_BYTES);
}

/* ---- orders ---- */

struct gathering {
    struct closing *c;
    struct arena *arena; /* of a batch */
    struct rate_book *rates;
    const struct agreement_version **versions; /* all of the agreement */
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
        error = flush(g->c, account, CHUNK_BYTES);
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
    const struct entry_row *entries; /* settled ones of this agreement, by line */
    size_t entry_count;
    bool *stands;              /* by line of the sale */
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
    if (place < 0 || (size_t)place >= t->sale->line_count)
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
    const struct accord_line *line = &t->sale->lines[place];
    if (standing != 0 && t->current) {
        t->places[t->line_count] = place;
        t->lines[t->line_count] = *line;
        t->lines[t->line_count++].course_known = true;
        t->stands[place] = true;
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
        if (t->part_count == t->part_cap) {
            const size_t cap = t->part_cap == 0 ? 8 : 2 * t->part_cap;
            struct accord_refund *parts = arena_array(t->g->arena, cap, sizeof *parts);
            if (parts == NULL)
                return ACCORD_E_OUT_OF_MEMORY;
            if (t->part_count > 0)
                memcpy(parts, t->parts, t->part_count * sizeof *parts);
            t->parts = parts;
            t->part_cap = cap;
        }
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
    if (error == ACCORD_OK && t->line_count > 0 &&
        !accord_currency_equal(order.currency, c->governs->terms.currency)) {
        if (g->rates == NULL) {
            error = rate_book_new(&g->rates);
            if (error == ACCORD_OK)
                error = rate_book_enter(g->rates, c->db);
        }
        if (error == ACCORD_OK)
            error = rate_book_pins(g->rates, g->arena, &order, g->versions,
                                   c->periods.version_count, &order.rates);
    }
    if (error != ACCORD_OK)
        return error;
    g->row.len = 0;
    inputs_write_order(&g->row, &row);
    error = buf_error(&g->row);
    for (size_t i = 0; error == ACCORD_OK && i < c->count; i++) {
        if (!c->accounts[i]->inputs.derived)
            continue;
        buf_add_slice(&c->accounts[i]->inputs.bytes, buf_slice(&g->row));
        error = flush(c, c->accounts[i], CHUNK_BYTES);
    }
    return error;
}

static enum accord_error take_sale(struct gathering *g, const struct entry_list *list,
                                   const struct stored_order *stored)
{
    struct taking t = {.g = g, .sale_seq = list->sale_seq, .stored = stored};
    const char *agreement = g->c->governs->terms.agreement;
    struct stored_sale past;
    enum accord_error error = ACCORD_OK;
    t.current = stored->current != NULL && stored->current->seq == list->sale_seq;
    t.sale = stored->current;
    if (!t.current) { /* what it was is taken back; only its lines' names are needed */
        struct order_name name;
        bool found = false;
        error = store_sale_of_fact(g->c->db, g->arena, list->sale_seq, &past, &name, &found);
        if (error != ACCORD_OK || !found)
            return error != ACCORD_OK ? error : ACCORD_E_DATABASE_ERROR;
        t.sale = &past;
    }
    struct entry_row *entries = arena_array(g->arena, list->count + 1, sizeof *entries);
    t.posted = arena_array(g->arena, list->count + 1, sizeof *t.posted);
    t.stands = arena_array(g->arena, t.sale->line_count + 1, sizeof *t.stands);
    t.lines = arena_array(g->arena, t.sale->line_count + 1, sizeof *t.lines);
    t.places = arena_array(g->arena, t.sale->line_count + 1, sizeof *t.places);
    if (entries == NULL || t.posted == NULL || t.stands == NULL || t.lines == NULL ||
        t.places == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->rows[i].agreement, agreement) == 0 && *list->rows[i].held == '\0')
            entries[t.entry_count++] = list->rows[i];
    t.entries = entries;
    for (size_t from = 0; error == ACCORD_OK && from < t.entry_count;) {
        size_t end = from + 1;
        while (end < t.entry_count && entries[end].line == entries[from].line)
            end++;
        error = take_line(&t, &entries[from], end - from);
        from = end;
    }
    if (error == ACCORD_OK && g->any_derived)
        error = write_order(&t);
    return error;
}

/* What is a sale, and what a term, of facts in the order of their numbers. */
struct batch {
    const int64_t *seqs;
    size_t count;
    struct order_name *names;      /* NULLs: a term */
    struct stored_order *orders;   /* those that are sales, in order */
    struct membership_name *terms; /* NULLs: a sale */
    struct stored_membership *memberships;
    struct entry_list *lists;
};

static enum accord_error load_batch(struct gathering *g, struct batch *batch)
{
    struct arena *arena = g->arena;
    struct db *db = g->c->db;
    const size_t count = batch->count;
    size_t orders = 0;
    size_t terms = 0;
    batch->names = arena_array(arena, count, sizeof *batch->names);
    batch->orders = arena_array(arena, count, sizeof *batch->orders);
    batch->terms = arena_array(arena, count, sizeof *batch->terms);
    batch->memberships = arena_array(arena, count, sizeof *batch->memberships);
    batch->lists = arena_array(arena, count, sizeof *batch->lists);
    if (batch->names == NULL || batch->orders == NULL || batch->terms == NULL ||
        batch->memberships == NULL || batch->lists == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = store_orders_of_sales(db, arena, batch->seqs, count, batch->names);
    if (error == ACCORD_OK)
        error = store_memberships_of_terms(db, arena, batch->seqs, count, batch->terms);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        batch->lists[i].sale_seq = batch->seqs[i];
        if (batch->names[i].channel != NULL)
            batch->orders[orders++].name = batch->names[i];
        else if (batch->terms[i].channel != NULL)
            batch->memberships[terms++].name = batch->terms[i];
        else
            error = ACCORD_E_DATABASE_ERROR;
    }
    if (error == ACCORD_OK)
        error = store_orders_load(db, arena, batch->orders, orders);
    if (error == ACCORD_OK && g->any_given)
        error = store_memberships_load(db, arena, batch->memberships, terms);
    return error != ACCORD_OK ? error : store_entries_load(db, arena, batch->lists, count);
}

/* Where lines follow from orders, no term has any. */
static enum accord_error take_term(struct gathering *g, const struct entry_list *list,
                                   const struct stored_membership *stored)
{
    if (!g->any_given)
        return ACCORD_OK;
    for (size_t i = 0; i < stored->count; i++)
        if (stored->terms[i].row.seq == list->sale_seq)
            return closing_term_lines(g->c, g->arena, list, &stored->terms[i].row, give_line, g);
    return ACCORD_E_DATABASE_ERROR;
}

static enum accord_error take_batch(struct gathering *g, const int64_t *seqs, size_t count)
{
    struct batch batch = {.seqs = seqs, .count = count};
    size_t orders = 0;
    size_t terms = 0;
    enum accord_error error = load_batch(g, &batch);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = batch.names[i].channel != NULL
                    ? take_sale(g, &batch.lists[i], &batch.orders[orders++])
                    : take_term(g, &batch.lists[i], &batch.memberships[terms++]);
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
    }
    if (error == ACCORD_OK && g->any_given)
        error = statement_window_lines(&c->periods, c->day, &c->windows, give_line, g);
    return error;
}

enum accord_error closing_inputs(struct closing *c)
{
    enum { BATCH_BYTES_MAX = 1 << 30 };
    struct gathering g = {.c = c, .arena = arena_new(BATCH_BYTES_MAX)};
    enum accord_error error = g.arena == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    g.versions = arena_array(c->arena, c->periods.version_count, sizeof *g.versions);
    if (g.versions == NULL)
        error = ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; error == ACCORD_OK && i < c->periods.version_count; i++)
        g.versions[i] = &c->periods.versions[i];
    buf_init(&g.row, FILE_BUFFER_MAX);
    choose_derived(c);
    for (size_t i = 0; error == ACCORD_OK && i < c->count; i++) {
        g.any_derived |= c->accounts[i]->inputs.derived;
        g.any_given |= !c->accounts[i]->inputs.derived;
        error = write_beginning(c, c->accounts[i]);
    }
    if (error == ACCORD_OK)
        error = gather(&g);
    buf_done(&g.row);
    rate_book_free(g.rates);
    arena_free(g.arena);
    return error;
}

/* ---- what comes behind the lines ---- */

static void write_adjustments(const struct closing *c, const struct closing_account *account,
                              struct buf *out)
{
    for (size_t i = 0; i < c->adjustment_count; i++) {
        const struct statement_adjustment *row = c->adjustments[i].row;
        const bool receives = strcmp(row->payee, account->partner) == 0;
        const bool bears = strcmp(row->funded_by, account->partner) == 0;
        struct json_writer w;
        if (receives == bears)
            continue;
        jw_init(&w, out);
        jw_object(&w);
        jw_key_str(&w, "adjustment", row->adjustment_id);
        jw_key_int(&w, "amount", receives ? c->adjustments[i].amount : -c->adjustments[i].amount);
        jw_key_str(&w, "kind", "adjustment");
        jw_object_end(&w);
        buf_add_char(out, '\n');
    }
}

static void write_payments(const struct closing *c, const struct closing_account *account,
                           struct buf *out)
{
    for (size_t i = 0; i < c->payment_count; i++) {
        struct json_writer w;
        if (strcmp(c->payments[i].partner, account->partner) != 0 ||
            strcmp(c->payments[i].currency, c->governs->terms.currency.code) != 0)
            continue;
        jw_init(&w, out);
        jw_object(&w);
        jw_key_int(&w, "amount", c->payments[i].amount);
        jw_key_str(&w, "kind", "payment");
        jw_key_str(&w, "payment", c->payments[i].payment);
        jw_object_end(&w);
        buf_add_char(out, '\n');
    }
}

enum accord_error closing_inputs_end(struct closing *c, struct closing_account *account,
                                     const struct closing_amounts *amounts,
                                     const struct hash *lines_hash, struct hash *ret)
{
    struct buf *out = &account->inputs.bytes;
    struct json_writer w;
    write_adjustments(c, account, out);
    write_payments(c, account, out);
    jw_init(&w, out);
    jw_object(&w);
    jw_key_str(&w, "kind", "hold");
    jw_key_int(&w, "pending", account->recent);
    jw_key_int(&w, "reserve", account->reserve_before);
    jw_object_end(&w);
    buf_add_char(out, '\n');
    jw_init(&w, out);
    jw_object(&w);
    jw_key_int(&w, "closing", amounts->closing);
    jw_key_int(&w, "due", amounts->due);
    jw_key_int(&w, "earned", account->total.earned);
    jw_key_str(&w, "kind", "end");
    jw_key_int(&w, "lines", account->total.count);
    write_hash(&w, "lines_hash", lines_hash);
    jw_key_int(&w, "payable", amounts->payable);
    jw_key_int(&w, "withheld", amounts->withheld);
    jw_object_end(&w);
    buf_add_char(out, '\n');
    const enum accord_error error = flush(c, account, 0);
    if (error == ACCORD_OK)
        *ret = hash_end(&account->inputs.hash);
    return error;
}
