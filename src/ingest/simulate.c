#include "ingest/simulate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/facts_raw.h"
#include "ingest/post.h"
#include "ingest/rates.h"
#include "ingest/referral.h"
#include "ingest/settled.h"
#include "ingest/simulate_parts.h"
#include "store/statement_inputs.h"

enum { BATCH = 200, LINES_BYTES_MAX = 64 << 20 };

static const size_t scratch_bytes_max = (size_t)1 << 30;

/* ---- other terms ---- */

struct body_parts {
    struct slice terms;
    struct slice rest;
};
static const struct json_field body_fields[] = {JSON_RAW(struct body_parts, terms)};
static const struct json_object body_spec = JSON_OBJECT_OPEN(struct body_parts, body_fields, rest);

static enum accord_error decode_changed(struct simulating *s, size_t index,
                                        struct agreement_version *ret)
{
    const struct closing *c = s->c;
    struct body_parts parts;
    struct json_problems own = {.count = 0};
    const enum accord_error error =
        json_decode(s->arena, c->periods.bodies[index], &body_spec, "", &parts, &own);
    if (error != ACCORD_OK)
        return error == ACCORD_E_OUT_OF_MEMORY ? error : ACCORD_E_DATABASE_ERROR;
    const char *body = arena_printf(s->arena, "%.*s,\"terms\":%.*s}", (int)(parts.rest.len - 1),
                                    parts.rest.data, (int)s->ask->terms.len, s->ask->terms.data);
    if (body == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return agreement_decode(s->arena, slice_of(body), s->ask->agreement,
                            c->periods.versions[index].terms.version, false, NULL, NULL, ret,
                            s->problems);
}

/* The version that governs gets the terms from the beginning of the period on. It keeps its place
 * for what was settled before; the other stands behind all versions, for windows of the period and
 * for what is settled now. */
static enum accord_error change_terms(struct simulating *s)
{
    struct closing *c = s->c;
    const size_t count = c->periods.version_count;
    const size_t index = (size_t)(c->governs - c->periods.versions);
    struct agreement_version *versions = arena_array(s->arena, count + 1, sizeof *versions);
    if (versions == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = decode_changed(s, index, &versions[count]);
    if (error != ACCORD_OK)
        return error;
    memcpy(versions, c->periods.versions, count * sizeof *versions);
    versions[count].terms.effective_to_us = versions[index].terms.effective_to_us;
    c->periods.versions = versions;
    if (c->sheet.count == 0 && windows_any(&versions[count].terms)) {
        const struct agreement_version before = versions[index];
        versions[index] = versions[count];
        error = windows_sheet_read(c->db, c->arena, &c->periods, c->day, &c->sheet);
        versions[index] = before;
    }
    for (size_t i = 0; i < c->sheet.count; i++)
        if (c->sheet.parts[i].version == index && c->sheet.parts[i].first == c->day)
            c->sheet.parts[i].version = count;
    c->governs = s->changed = &versions[count];
    s->changed_from = period_from(&c->periods, c->day);
    return error;
}

/* ---- totals ---- */

static enum accord_error add_payee(struct simulating *s, const char *payee, int64_t amount,
                                   bool today)
{
    const struct key key = key_of(payee, NULL);
    struct simulation *ret = s->ret;
    size_t *at;
    enum accord_error error = keymap_at(&s->payee_index, &key, ret->payee_count, &at);
    if (error != ACCORD_OK)
        return error;
    if (*at == ret->payee_count) {
        struct simulation_payee *payees =
            arena_room(s->arena, ret->payees, ret->payee_count, &s->payee_cap, sizeof *payees);
        if (payees == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        ret->payees = payees;
        const char *name = arena_strdup(s->arena, slice_of(payee));
        if (name == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        ret->payees[ret->payee_count++] = (struct simulation_payee){.payee = name};
    }
    int64_t *sum = today ? &ret->payees[*at].today : &ret->payees[*at].amount;
    return accord_add(*sum, amount, sum);
}

static enum accord_error add_payees(struct simulating *s, const struct statement_line *line,
                                    bool today)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < line->payee_count; i++)
        error = add_payee(s, line->payees[i].payee, line->payees[i].amount, today);
    return error;
}

/* The operator sees every line, a partner its own. */
static enum accord_error see(const struct simulating *s, const struct statement_line *line,
                             struct statement_part *part, bool *ret_seen)
{
    const enum accord_error error = statement_part_of(line, s->viewer, part);
    *ret_seen = error == ACCORD_OK && (part->visible || s->ask->viewer == NULL);
    return error;
}

/* A line as the books have it today. */
static enum accord_error take_today(void *context, const struct statement_line *line)
{
    struct simulating *s = context;
    struct statement_part part;
    bool seen;
    enum accord_error error = see(s, line, &part, &seen);
    if (error == ACCORD_OK && seen)
        error = add_payees(s, line, true);
    if (error == ACCORD_OK && !line->is_window)
        error = closing_add_booked(s->c, line);
    return error;
}

/* A line of the simulation. */
static enum accord_error take_line(void *context, const struct statement_line *line)
{
    struct simulating *s = context;
    struct simulation *ret = s->ret;
    struct statement_part part;
    bool seen = false;
    enum accord_error error = closing_take_line(s->c, line);
    if (error == ACCORD_OK)
        error = see(s, line, &part, &seen);
    if (error == ACCORD_OK && seen)
        error = add_payees(s, line, false);
    if (error != ACCORD_OK || !seen || ret->line_count++ >= SIMULATION_LINES_MAX)
        return error;
    if (ret->lines.len > 0)
        buf_add_char(&ret->lines, ',');
    statement_line_write(&ret->lines, line, &part);
    return buf_error(&ret->lines);
}

/* ---- settling ---- */

enum accord_error simulate_choose(struct simulating *s, const char *channel,
                                  const char *const *providers, size_t count, instant_us at,
                                  struct agreement_choice *ret)
{
    struct agreement_choice choice;
    const enum accord_error error =
        agreement_book_choose(s->book, s->scratch, channel, providers, count, &choice);
    if (error != ACCORD_OK)
        return error;
    const struct accord_agreement_version **terms =
        arena_array(s->scratch, choice.count + 1, sizeof *terms);
    const struct agreement_version **versions =
        arena_array(s->scratch, choice.count + 1, sizeof *versions);
    if (terms == NULL || versions == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < choice.count; i++) {
        versions[i] = choice.versions[i];
        if (s->changed != NULL && at >= s->changed_from &&
            versions[i]->terms.version == s->changed->terms.version &&
            strcmp(versions[i]->terms.agreement, s->ask->agreement) == 0)
            versions[i] = s->changed;
        terms[i] = &versions[i]->terms;
    }
    *ret = (struct agreement_choice){terms, versions, choice.count};
    return ACCORD_OK;
}

static enum accord_error settle_order(struct simulating *s, const struct sale_view *view,
                                      struct settled *ret)
{
    struct agreement_choice choice;
    struct accord_order order = *view->order;
    struct sale_view converted = *view;
    const char **providers = arena_array(s->scratch, order.line_count + 1, sizeof *providers);
    if (providers == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < order.line_count; i++)
        providers[i] = order.lines[i].provider;
    enum accord_error error = simulate_choose(s, order.channel, providers, order.line_count,
                                              order.occurred_at_us, &choice);
    converted.order = &order;
    if (error == ACCORD_OK)
        error = rate_book_pins(s->rates, s->scratch, &order, choice.versions, choice.count,
                               &order.rates);
    return error != ACCORD_OK ? error : settled_with(&choice, s->scratch, &converted, ret);
}

static bool is_own(const struct simulating *s, const struct entry_row *row, int64_t line)
{
    return row->line == line && *row->held == '\0' &&
           strcmp(row->agreement, s->ask->agreement) == 0;
}

static enum accord_error add_rows(struct simulating *s, struct statement_groups *groups,
                                  const struct entry_row *row, int sign)
{
    struct entry_row *group = statement_group_of(
        s->scratch, groups, period_of_day(s->c->periods.quarterly, row->day), row->version);
    return group == NULL ? ACCORD_E_OUT_OF_MEMORY : entry_add(group, row, sign);
}

/* Of a closed period what the line comes to in it, or has come to in the entries, whenever they
 * were booked: told once, with the first of them. */
static enum accord_error give_past(struct simulating *s, const struct statement_line *head,
                                   const struct entry_list *list, const struct settled *settled)
{
    const struct closing *c = s->c;
    struct statement_groups groups = {.count = 0};
    const struct entry_row *rows = s->today ? list->rows : settled->rows;
    const size_t count = s->today ? list->count : settled->count;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->rows[i].agreement, s->ask->agreement) == 0 &&
            list->rows[i].booked >= c->day && list->rows[i].booked < s->booked)
            return ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        if (is_own(s, &rows[i], head->line) &&
            period_of_day(c->periods.quarterly, rows[i].day) == c->day)
            error = add_rows(s, &groups, &rows[i], 1);
    return error == ACCORD_OK ? statement_sale_lines(&c->periods, c->day, head, &groups,
                                                     s->today ? take_today : take_line, s)
                              : error;
}

enum accord_error simulate_line(struct simulating *s, const struct statement_line *head,
                                const struct entry_list *list, const struct settled *settled)
{
    const struct closing *c = s->c;
    struct statement_groups groups = {.count = 0};
    enum accord_error error = ACCORD_OK;
    if (c->past)
        return give_past(s, head, list, settled);
    for (size_t i = 0; error == ACCORD_OK && i < settled->count; i++)
        if (is_own(s, &settled->rows[i], head->line) &&
            period_of_day(c->periods.quarterly, settled->rows[i].day) <= c->day)
            error = add_rows(s, &groups, &settled->rows[i], 1);
    for (size_t i = 0; error == ACCORD_OK && i < list->count; i++)
        if (is_own(s, &list->rows[i], head->line) && list->rows[i].booked < c->day)
            error = add_rows(s, &groups, &list->rows[i], -1);
    return error == ACCORD_OK
               ? statement_sale_lines(&c->periods, c->day, head, &groups, take_line, s)
               : error;
}

static enum accord_error give_place(struct simulating *s, const struct stored_order *stored,
                                    const struct stored_sale *sale, const struct entry_list *list,
                                    const struct settled *settled, size_t place)
{
    const struct accord_line *line = &sale->lines[place];
    const struct statement_line head = {
        .sale_seq = list->sale_seq,
        .line = (int64_t)place,
        .channel = stored->name.channel,
        .order_id = stored->name.order_id,
        .line_id = line->line_id,
        .provider = line->provider,
        .course_id = line->course_id,
        .currency = sale->currency.code,
        .occurred_at = sale->occurred_at,
    };
    return simulate_line(s, &head, list, settled);
}

static enum accord_error take_sales(struct simulating *s, struct stored_order *orders,
                                    struct entry_list *lists, size_t count)
{
    struct accord_order *current = arena_array(s->scratch, count + 1, sizeof *current);
    struct accord_order **known = arena_array(s->scratch, count + 1, sizeof *known);
    struct referred_order *referred = arena_array(s->scratch, count + 1, sizeof *referred);
    size_t known_count = 0;
    if (current == NULL || known == NULL || referred == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct stored_sale *sale = orders[i].current;
        if (sale == NULL || sale->seq != lists[i].sale_seq)
            continue;
        current[i] = (struct accord_order){.channel = orders[i].name.channel,
                                           .order_id = orders[i].name.order_id,
                                           .occurred_at_us = sale->occurred_at,
                                           .currency = sale->currency,
                                           .lines = sale->lines,
                                           .line_count = sale->line_count};
        referred[known_count] =
            (struct referred_order){&current[i], sale->has_learner ? sale->learner : NULL,
                                    sale->id == NULL ? 0 : sale->seq}; /* 0: of an added fact */
        known[known_count++] = &current[i];
    }
    enum accord_error error = ingest_fill_courses(s->c->db, s->scratch, known, known_count);
    if (error == ACCORD_OK)
        error = ingest_fill_touches(s->c->db, s->scratch, s->window_us, referred, known_count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        const struct stored_sale *sale;
        struct settled settled = {.count = 0};
        error = closing_sale_of(s->c->db, s->scratch, &orders[i], lists[i].sale_seq, &sale);
        if (error == ACCORD_OK)
            error = simulate_refunds(s, &orders[i]);
        if (error == ACCORD_OK && current[i].lines != NULL) {
            const struct sale_view view = {lists[i].sale_seq, &current[i], orders[i].refunds,
                                           orders[i].refund_count};
            error = settle_order(s, &view, &settled);
        }
        for (size_t j = 0; error == ACCORD_OK && j < sale->line_count; j++)
            error = give_place(s, &orders[i], sale, &lists[i], &settled, j);
    }
    return error;
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The next sales in order: those that something is booked of, and those that facts are about. */
static enum accord_error next_sales(struct simulating *s, int64_t after, int64_t *seqs,
                                    size_t *ret_count)
{
    size_t count;
    enum accord_error error =
        store_booked_sales(s->c->db, s->ask->agreement, s->booked, after, BATCH, seqs, &count);
    if (error != ACCORD_OK)
        return error;
    const bool last = count < BATCH;
    const int64_t until = last ? INT64_MAX : seqs[count - 1];
    while (s->extra_at < s->extra_count && s->extra[s->extra_at] <= until && count < 2 * BATCH)
        seqs[count++] = s->extra[s->extra_at++];
    qsort(seqs, count, sizeof *seqs, by_number);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const bool told =
            s->booked > s->c->day && s->extra_count > 0 &&
            bsearch(&seqs[i], s->extra, s->extra_count, sizeof *s->extra, by_number) != NULL;
        if (seqs[i] > after && !told && (kept == 0 || seqs[i] != seqs[kept - 1]))
            seqs[kept++] = seqs[i];
    }
    *ret_count = kept;
    return ACCORD_OK;
}

/* ---- facts in the order of lines ---- */

static enum accord_error take_facts(struct simulating *s, const int64_t *seqs, size_t count)
{
    struct order_name *names = arena_array(s->scratch, count, sizeof *names);
    enum accord_error error = names == NULL
                                  ? ACCORD_E_OUT_OF_MEMORY
                                  : store_orders_of_sales(s->c->db, s->scratch, seqs, count, names);
    for (size_t from = 0; error == ACCORD_OK && from < count;) {
        struct stored_order *orders;
        struct entry_list *lists;
        size_t end = from;
        while (end < count && names[end].channel != NULL)
            end++;
        if (end == from) {
            error = simulate_other(s, seqs[from++]);
            continue;
        }
        error = closing_load_sales(s->c->db, s->scratch, &seqs[from], end - from, &orders, &lists);
        if (error == ACCORD_OK)
            error = take_sales(s, orders, lists, end - from);
        from = end;
    }
    return error;
}

/* Facts that something is booked of in the period; of a closed one also those behind it, which may
 * have differences of its own. */
static enum accord_error take_booked(struct simulating *s)
{
    const struct closing *c = s->c;
    const int64_t last = c->past ? c->periods.open : c->day;
    int64_t seqs[2 * BATCH];
    enum accord_error error = ACCORD_OK;
    for (s->booked = c->day; error == ACCORD_OK && s->booked <= last;
         s->booked = period_after(c->periods.quarterly, s->booked)) {
        size_t count = 1;
        for (int64_t after = 0; error == ACCORD_OK && count > 0;) {
            error = next_sales(s, after, seqs, &count);
            if (error != ACCORD_OK || count == 0)
                break;
            after = seqs[count - 1];
            error = take_facts(s, seqs, count);
            arena_reset(s->scratch);
        }
    }
    return error;
}

static enum accord_error simulate_sales(struct simulating *s)
{
    const struct fact_batch *facts = s->ask->facts;
    struct stored_order *fresh = NULL;
    size_t fresh_count = 0;
    enum accord_error error = ACCORD_OK;
    if (facts != NULL) {
        fresh = arena_array(s->arena, facts->count + 1, sizeof *fresh);
        error = fresh == NULL ? ACCORD_E_OUT_OF_MEMORY : simulate_facts(s, fresh, &fresh_count);
    }
    if (error == ACCORD_OK)
        error = take_booked(s);
    struct entry_list *none = arena_array(s->arena, fresh_count + 1, sizeof *none);
    if (none == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < fresh_count; i++)
        none[i].sale_seq = fresh[i].current->seq;
    if (error == ACCORD_OK && fresh_count > 0)
        error = take_sales(s, fresh, none, fresh_count);
    return error == ACCORD_OK ? simulate_fresh_terms(s) : error;
}

/* ---- all of it ---- */

static enum accord_error read_terms(struct simulating *s)
{
    enum accord_error error = agreement_book_load(s->c->db, &s->book);
    if (error == ACCORD_OK)
        error = rate_book_new(&s->rates);
    if (error == ACCORD_OK)
        error = rate_book_enter(s->rates, s->c->db);
    if (error == ACCORD_OK)
        error = keymap_init(&s->payee_index, s->arena, 16);
    return error;
}

/* What is to be posted of windows, without those of open periods before: these have statements of
 * their own. Of a closed period what its windows come to. */
static enum accord_error post_windows(struct simulating *s, struct window_lines *ret)
{
    struct closing *c = s->c;
    struct window_lines lines;
    size_t kept = 0;
    const enum accord_error error =
        c->past ? windows_fold(c->arena, &c->periods, &c->sheet, &lines)
                : windows_sheet_post(c->arena, &c->periods, &c->sheet, c->day, &lines);
    if (error != ACCORD_OK)
        return error;
    for (size_t i = 0; i < lines.count; i++) {
        const int64_t day = lines.rows[i].day;
        if (c->past ? day != c->day : day >= c->periods.open && day < c->day)
            continue;
        lines.rows[kept] = lines.rows[i];
        lines.rows[kept].number = (int64_t)kept;
        kept++;
    }
    lines.count = kept;
    *ret = lines;
    return ACCORD_OK;
}

/* What is booked today, for the difference; takes it out of the sums of windows. */
static enum accord_error read_today(struct simulating *s)
{
    struct closing *c = s->c;
    struct window_lines windows;
    enum accord_error error = post_windows(s, &windows);
    if (error == ACCORD_OK && s->ask->terms.data != NULL)
        error = change_terms(s);
    if (error == ACCORD_OK && c->past) {
        s->today = true;
        error = take_booked(s);
        s->today = false;
        if (error == ACCORD_OK)
            error = statement_window_lines(&c->periods, c->day, &windows, take_today, s);
    }
    if (error == ACCORD_OK && !c->past)
        error = statement_lines_each(c->db, &c->periods, c->day, &windows, NULL, take_today, s);
    for (size_t i = 0; error == ACCORD_OK && i < c->sheet.count; i++) {
        struct window_part *part = &c->sheet.parts[i];
        error = windows_part_before(part, &part->sums);
        part->booked = (struct accord_window_sums){.net = 0};
    }
    return error == ACCORD_OK && s->ask->pool_count > 0 ? simulate_pools(s) : error;
}

static enum accord_error simulate_lines(void *context, struct closing *c)
{
    struct simulating *s = context;
    s->c = c;
    s->ret->currency = c->governs->terms.currency.code;
    s->viewer = s->ask->viewer != NULL ? s->ask->viewer
                                       : c->governs->terms.parties[c->governs->terms.collector];
    enum accord_error error = read_terms(s);
    if (error == ACCORD_OK) {
        s->window_us = agreement_book_window(s->book);
        error = read_today(s);
    }
    if (error == ACCORD_OK) {
        const struct accord_agreement_version *terms = &c->governs->terms;
        const int64_t window = referral_window(&terms, 1);
        if (window > s->window_us)
            s->window_us = window;
        error = simulate_sales(s);
    }
    for (size_t i = 0; error == ACCORD_OK && i < c->sheet.count; i++)
        error = windows_part_add_booked(&c->sheet.parts[i]);
    if (error == ACCORD_OK)
        error = post_windows(s, &c->windows);
    return error != ACCORD_OK
               ? error
               : statement_window_lines(&c->periods, c->day, &c->windows, take_line, s);
}

static int by_payee(const void *a, const void *b)
{
    return strcmp(((const struct simulation_payee *)a)->payee,
                  ((const struct simulation_payee *)b)->payee);
}

enum accord_error simulate(struct db *db, struct arena *arena, const struct simulation_ask *ask,
                           struct simulation *ret, struct json_problems *problems)
{
    struct simulating s = {.ask = ask,
                           .arena = arena,
                           .scratch = arena_new(scratch_bytes_max),
                           .ret = ret,
                           .problems = problems};
    *ret = (struct simulation){.line_count = 0};
    buf_init(&ret->lines, LINES_BYTES_MAX);
    if (s.scratch == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    /* A period that still runs may be simulated: every instant is behind its end. */
    const enum accord_error error = closing_draft(db, arena, ask->agreement, ask->label, INT64_MAX,
                                                  simulate_lines, &s, &ret->result);
    agreement_book_free(s.book);
    rate_book_free(s.rates);
    arena_free(s.scratch);
    if (error == ACCORD_OK && ret->payee_count > 1)
        qsort(ret->payees, ret->payee_count, sizeof *ret->payees, by_payee);
    return error;
}
