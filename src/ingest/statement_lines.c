#include "ingest/statement_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/settled.h"
#include "store/booked.h"
#include "json/write.h"

/* ---- ids ---- */

static bool take_number(struct slice *text, int64_t *ret)
{
    size_t len = 0;
    int64_t number = 0;
    while (len < text->len && text->data[len] >= '0' && text->data[len] <= '9') {
        const int digit = text->data[len++] - '0';
        if (number > (INT64_MAX - digit) / 10)
            return false;
        number = 10 * number + digit;
    }
    if (len == 0 || (len > 1 && text->data[0] == '0'))
        return false;
    *text = (struct slice){text->data + len, text->len - len};
    *ret = number;
    return true;
}

static bool take_char(struct slice *text, char c)
{
    if (text->len == 0 || text->data[0] != c)
        return false;
    *text = (struct slice){text->data + 1, text->len - 1};
    return true;
}

bool statement_place_of(struct slice id, struct statement_place *ret)
{
    struct statement_place place = {.begun = true};
    if (take_char(&id, 'w')) {
        place.is_window = true;
        if (!take_number(&id, &place.number))
            return false;
    } else if (!take_char(&id, 's') || !take_number(&id, &place.sale_seq) || !take_char(&id, '.') ||
               !take_number(&id, &place.line) || !take_char(&id, '.') ||
               !take_number(&id, &place.k)) {
        return false;
    }
    if (id.len != 0)
        return false;
    *ret = place;
    return true;
}

/* ---- reading ---- */

struct reading {
    const struct agreement_periods *periods;
    int64_t booked;
    const struct statement_place *after;
    statement_line_fn *each;
    void *context;
    struct arena *arena; /* of the sale line at hand */
    bool begun;
    struct statement_groups groups;
    int64_t number; /* of the entry at hand */
    struct statement_line line;
};

static const struct agreement_version *find_version(const struct agreement_periods *periods,
                                                    int64_t version)
{
    for (size_t i = 0; i < periods->version_count; i++)
        if (periods->versions[i].terms.version == version)
            return &periods->versions[i];
    return NULL;
}

static int by_period(const void *a, const void *b)
{
    const struct entry_row *x = a;
    const struct entry_row *y = b;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return (x->version > y->version) - (x->version < y->version);
}

static int by_payee(const void *a, const void *b)
{
    return strcmp(((const struct entry_share *)a)->payee, ((const struct entry_share *)b)->payee);
}

static bool begin_line(struct reading *r, int64_t period, int64_t version)
{
    struct statement_line *line = &r->line;
    line->period = period;
    line->difference = period != r->booked;
    line->version = version;
    line->terms = find_version(r->periods, version);
    line->payee_count = 0;
    line->open = 0;
    period_label(r->periods->quarterly, period, line->label);
    return line->terms != NULL;
}

static enum accord_error give_group(struct reading *r, const struct entry_row *group, int64_t k)
{
    struct statement_line *line = &r->line;
    const struct statement_place *after = r->after;
    if (after != NULL && after->begun && line->sale_seq == after->sale_seq &&
        (line->line < after->line || (line->line == after->line && k <= after->k)))
        return ACCORD_OK;
    if (!begin_line(r, group->day, group->version))
        return ACCORD_E_DATABASE_ERROR; /* booked under a version that settles nothing */
    snprintf(line->id, sizeof line->id, "s%" PRId64 ".%" PRId64 ".%" PRId64, line->sale_seq,
             line->line, k);
    memcpy(line->numbers, group->numbers, sizeof line->numbers);
    for (size_t i = 0; i < group->share_count; i++) {
        if (strcmp(group->shares[i].payee, ACCORD_PAYEE_WINDOW) == 0)
            line->open = group->shares[i].amount;
        else if (group->shares[i].amount != 0)
            line->payees[line->payee_count++] = group->shares[i];
    }
    if (line->payee_count > 1)
        qsort(line->payees, line->payee_count, sizeof *line->payees, by_payee);
    return r->each(r->context, line);
}

/* Ends a sale line: what has come to nothing is no line of the statement. */
static enum accord_error give_groups(struct reading *r)
{
    enum accord_error error = ACCORD_OK;
    int64_t k = 0;
    if (r->groups.count > 1)
        qsort(r->groups.items, r->groups.count, sizeof *r->groups.items, by_period);
    for (size_t i = 0; error == ACCORD_OK && i < r->groups.count; i++)
        if (!entry_is_zero(&r->groups.items[i]))
            error = give_group(r, &r->groups.items[i], k++);
    r->groups.count = 0;
    return error;
}

instant_us statement_month_begins(const struct agreement_periods *periods, instant_us term_from,
                                  int64_t day)
{
    return zone_day(periods->zone, term_from) == day ? term_from
                                                     : zone_day_start(periods->zone, (int32_t)day);
}

static const char *kind_of(bool is_term, bool is_entry)
{
    return is_term ? "membership" : is_entry ? "challenge" : "sale";
}

static enum accord_error begin_sale_line(struct reading *r, const struct booked_row *row)
{
    arena_reset(r->arena);
    r->begun = true;
    r->groups = (struct statement_groups){.count = 0};
    r->number = -1;
    r->line = (struct statement_line){
        .kind = kind_of(row->is_term, row->is_entry),
        .is_term = row->is_term,
        .is_entry = row->is_entry,
        .sale_seq = row->sale_seq,
        .line = row->line,
        .channel = arena_strdup(r->arena, row->channel),
        .order_id = arena_strdup(r->arena, row->order_id),
        .line_id = arena_strdup(r->arena, row->line_id),
        .provider = arena_strdup(r->arena, row->provider),
        .course_id = arena_strdup(r->arena, row->course_id),
        .currency = arena_strdup(r->arena, row->currency),
        .occurred_at = row->is_term ? statement_month_begins(r->periods, row->occurred_at, row->day)
                                    : row->occurred_at,
    };
    const struct statement_line *line = &r->line;
    return line->channel == NULL || line->order_id == NULL || line->line_id == NULL ||
                   line->provider == NULL || line->course_id == NULL || line->currency == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

struct entry_row *statement_group_of(struct arena *arena, struct statement_groups *groups,
                                     int64_t period, int64_t version)
{
    for (size_t i = 0; i < groups->count; i++)
        if (groups->items[i].day == period && groups->items[i].version == version)
            return &groups->items[i];
    struct entry_row *items =
        arena_room(arena, groups->items, groups->count, &groups->cap, sizeof *items);
    if (items == NULL)
        return NULL;
    groups->items = items;
    struct entry_row *group = &items[groups->count++];
    *group = (struct entry_row){.day = period, .version = version};
    return group;
}

static enum accord_error take_row(void *context, const struct booked_row *row)
{
    struct reading *r = context;
    enum accord_error error = ACCORD_OK;
    if (!r->begun || r->line.sale_seq != row->sale_seq || r->line.line != row->line) {
        if (r->begun)
            error = give_groups(r);
        if (error == ACCORD_OK)
            error = begin_sale_line(r, row);
        if (error != ACCORD_OK)
            return error;
    }
    struct entry_row *group = statement_group_of(
        r->arena, &r->groups, period_of_day(r->periods->quarterly, row->day), row->version);
    struct entry_row part = {.share_count = 0};
    if (group == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (row->number != r->number) /* numbers come again with each share of the entry */
        memcpy(part.numbers, row->numbers, sizeof part.numbers);
    r->number = row->number;
    if (row->has_payee) {
        part.shares[part.share_count++] =
            (struct entry_share){arena_strdup(r->arena, row->payee), row->amount};
        if (part.shares[0].payee == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    return entry_add(group, &part, 1);
}

static enum accord_error give_windows(struct reading *r, const struct window_row *rows,
                                      size_t count)
{
    enum accord_error error = ACCORD_OK;
    const struct statement_place *after = r->after;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct statement_line *line = &r->line;
        if (after != NULL && after->is_window && rows[i].number <= after->number)
            continue;
        *line = (struct statement_line){.kind = rows[i].kind, .is_window = true};
        if (!begin_line(r, rows[i].day, rows[i].version))
            return ACCORD_E_DATABASE_ERROR;
        snprintf(line->id, sizeof line->id, "w%" PRId64, rows[i].number);
        line->payees[line->payee_count++] = (struct entry_share){rows[i].payee, rows[i].amount};
        error = r->each(r->context, line);
    }
    return error;
}

enum accord_error statement_sale_lines(const struct agreement_periods *periods, int64_t booked,
                                       const struct statement_line *head,
                                       const struct statement_groups *groups,
                                       statement_line_fn *each, void *context)
{
    struct reading r = {.periods = periods,
                        .booked = booked,
                        .each = each,
                        .context = context,
                        .groups = *groups,
                        .line = *head};
    r.line.kind = kind_of(head->is_term, head->is_entry);
    return give_groups(&r);
}

enum accord_error statement_window_lines(const struct agreement_periods *periods, int64_t booked,
                                         const struct window_lines *windows,
                                         statement_line_fn *each, void *context)
{
    struct reading r = {.periods = periods, .booked = booked, .each = each, .context = context};
    return give_windows(&r, windows->rows, windows->count);
}

enum accord_error statement_lines_each(struct db *db, const struct agreement_periods *periods,
                                       int64_t booked, const struct window_lines *windows,
                                       const struct statement_place *after, statement_line_fn *each,
                                       void *context)
{
    /* Texts of one sale line; its rows are as many as it was changed. */
    enum { LINE_BYTES_MAX = 64 << 20 };
    const char *agreement = periods->versions[0].terms.agreement;
    struct reading r = {.periods = periods,
                        .booked = booked,
                        .after = after,
                        .each = each,
                        .context = context,
                        .arena = arena_new(LINE_BYTES_MAX)};
    struct window_lines stored = {NULL, 0};
    enum accord_error error = r.arena == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    if (error == ACCORD_OK && (after == NULL || !after->is_window)) {
        error = store_booked_each(db, agreement, booked, after == NULL ? 0 : after->sale_seq,
                                  take_row, &r);
        if (error == ACCORD_OK && r.begun)
            error = give_groups(&r);
    }
    if (r.arena != NULL)
        arena_reset(r.arena);
    if (error == ACCORD_OK && windows == NULL) {
        error = store_window_lines(db, r.arena, agreement, booked, &stored.rows, &stored.count);
        windows = &stored;
    }
    if (error == ACCORD_OK)
        error = give_windows(&r, windows->rows, windows->count);
    arena_free(r.arena);
    return error;
}

/* ---- what it is to a partner ---- */

enum accord_error statement_part_of(const struct statement_line *line, const char *partner,
                                    struct statement_part *ret)
{
    struct statement_part part = {.visible = false};
    const struct accord_agreement_version *terms = &line->terms->terms;
    bool collector = false;
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (strcmp(terms->parties[i], partner) == 0) {
            part.visible = part.party = true;
            collector = i == terms->collector;
        }
    for (size_t i = 0; i < line->payee_count; i++)
        if (strcmp(line->payees[i].payee, partner) == 0) {
            part.visible = true;
            part.earned = line->payees[i].amount;
        }
    part.position = part.earned;
    enum accord_error error = ACCORD_OK;
    if (collector && !line->is_window)
        error = accord_sub(part.earned, line->numbers[ENTRY_NET], &part.position);
    if (error == ACCORD_OK)
        *ret = part;
    return error;
}

/* ---- writing ---- */

/* Members stand in bytewise order of their names: the text is canonical as it is written. */
static void write_sale(struct json_writer *w, const struct statement_line *line,
                       const struct statement_part *part)
{
    const int64_t *n = line->numbers;
    if (part->party)
        jw_key_int(w, "admin_fee", n[ENTRY_ADMIN_FEE]);
    jw_key_int(w, "base", n[ENTRY_BASE]);
    jw_key_str(w, "channel", line->channel);
    jw_key_str(w, "course_id", line->course_id);
    jw_key_str(w, "currency", line->currency);
    jw_key_int(w, "earned", part->earned);
    if (line->is_entry)
        jw_key_str(w, "entry_id", line->order_id);
    if (part->party)
        jw_key_int(w, "gross", n[ENTRY_GROSS]);
    jw_key_str(w, "kind", line->kind);
    jw_key_str(w, "line", line->id);
    if (line->is_term)
        jw_key_str(w, "membership_id", line->order_id);
    else if (!line->is_entry)
        jw_key_str(w, "line_id", line->line_id);
    if (part->party)
        jw_key_int(w, "net", n[ENTRY_NET]);
    jw_key_time(w, "occurred_at", line->occurred_at);
    if (part->party)
        jw_key_int(w, "open", line->open);
    if (!line->is_term && !line->is_entry)
        jw_key_str(w, "order_id", line->order_id);
}

static void write_payees(struct json_writer *w, const struct statement_line *line)
{
    jw_key(w, "payees");
    jw_array(w);
    for (size_t i = 0; i < line->payee_count; i++) {
        jw_object(w);
        jw_key_int(w, "amount", line->payees[i].amount);
        jw_key_str(w, "payee", line->payees[i].payee);
        jw_object_end(w);
    }
    jw_array_end(w);
}

void statement_line_write(struct buf *out, const struct statement_line *line,
                          const struct statement_part *part)
{
    struct json_writer w;
    const int64_t *n = line->numbers;
    jw_init(&w, out);
    jw_object(&w);
    if (line->difference)
        jw_key_str(&w, "adjusts", line->label);
    if (!line->is_window) {
        write_sale(&w, line, part);
    } else {
        jw_key_int(&w, "earned", part->earned);
        jw_key_str(&w, "kind", line->kind);
        jw_key_str(&w, "line", line->id);
    }
    if (part->party) {
        write_payees(&w, line);
        if (!line->is_window)
            jw_key_int(&w, "payment_fee", n[ENTRY_PAYMENT_FEE]);
    }
    jw_key_str(&w, "period", line->label);
    jw_key_int(&w, "position", part->position);
    if (!line->is_window)
        jw_key_str(&w, "provider", line->provider);
    if (!line->is_window && part->party) {
        jw_key_int(&w, "refunded", n[ENTRY_REFUNDED]);
        jw_key_int(&w, "store_fee", n[ENTRY_STORE_FEE]);
        jw_key_int(&w, "tax", n[ENTRY_TAX]);
    }
    if (line->is_term)
        jw_key_str(&w, "term_id", line->line_id);
    jw_key_int(&w, "version", line->version);
    jw_object_end(&w);
}
