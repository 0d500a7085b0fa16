/* A statement computed again from its file of inputs: the same functions that the close calls, with
 * a file in the place of the books. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/inputs_reading.h"
#include "ingest/rates.h"
#include "ingest/window_pools.h"

enum { ROW_BYTES_MAX = 64 << 20, LINE_BYTES_MAX = 1 << 20 };

static const size_t arena_bytes_max = (size_t)1 << 30;

static const char *const row_names[ROW_KINDS] = {
    "inputs", "version", "settings", "part", "posted",     "pool",    "sheet", "member",
    "order",  "term",    "entry",    "line", "adjustment", "payment", "hold",  "end"};

enum accord_error inputs_reader_new(inputs_line_fn *each, void *context, struct inputs_reader **ret)
{
    struct inputs_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    r->arena = arena_new(arena_bytes_max);
    r->row = arena_new(arena_bytes_max);
    buf_init(&r->partial, ROW_BYTES_MAX);
    buf_init(&r->c.line, LINE_BYTES_MAX);
    hash_begin(&r->hash);
    r->each = each;
    r->context = context;
    if (r->arena == NULL || r->row == NULL) {
        inputs_reader_free(r);
        return ACCORD_E_OUT_OF_MEMORY;
    }
    *ret = r;
    return ACCORD_OK;
}

void inputs_reader_free(struct inputs_reader *r)
{
    if (r == NULL)
        return;
    arena_free(r->arena);
    arena_free(r->row);
    buf_done(&r->partial);
    buf_done(&r->c.line);
    inputs_sheet_free(r->pool_sheet);
    free(r);
}

enum accord_error inputs_refuse(struct inputs_reader *r, enum accord_error error,
                                const char *format, ...)
{
    va_list args;
    if (r->why[0] != '\0')
        return error;
    const int len = snprintf(r->why, sizeof r->why, "line %" PRId64 ": ", r->number);
    va_start(args, format);
    vsnprintf(r->why + len, sizeof r->why - (size_t)len, format, args);
    va_end(args);
    return error;
}

enum accord_error inputs_decode(struct inputs_reader *r, struct arena *arena, struct slice text,
                                const struct json_object *spec, void *ret)
{
    struct json_problems problems = {.count = 0};
    const enum accord_error error = json_decode(arena, text, spec, "", ret, &problems);
    if (error != ACCORD_OK && problems.count > 0)
        return inputs_refuse(r, error, "%s: %s", problems.items[0].pointer,
                             problems.items[0].message);
    return error;
}

/* ---- what the statement is of ---- */

static enum accord_error take_head(struct inputs_reader *r, struct slice text)
{
    struct inputs_head_row *head = &r->head;
    struct closing *c = &r->c;
    enum accord_error error = inputs_decode(r, r->arena, text, &inputs_head_spec, head);
    if (error != ACCORD_OK)
        return error;
    if (!period_parse(head->period, &c->periods.quarterly, &c->day))
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/period: is none");
    if (zone_find(head->time_zone, &c->periods.zone) != ACCORD_OK)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID,
                             "/time_zone: is not known to this machine");
    c->periods.time_zone = head->time_zone.data;
    c->next = period_after(c->periods.quarterly, c->day);
    c->cutoff = head->cutoff;
    c->arena = r->arena;
    c->only = head->partner.data;
    r->previous.closing = head->opening;
    return keymap_init(&c->index, r->arena, 16);
}

static enum accord_error add_version(struct inputs_reader *r, struct agreement_version **ret)
{
    struct agreement_periods *periods = &r->c.periods;
    periods->versions = arena_room(r->arena, periods->versions, periods->version_count,
                                   &r->version_cap, sizeof *periods->versions);
    if (periods->versions == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *ret = &periods->versions[periods->version_count++];
    return ACCORD_OK;
}

static enum accord_error take_version(struct inputs_reader *r, struct slice text)
{
    const struct agreement_periods *periods = &r->c.periods;
    struct inputs_version_row row;
    struct agreement_version version;
    struct agreement_version *place;
    struct json_problems problems = {.count = 0};
    enum accord_error error = inputs_decode(r, r->arena, text, &inputs_version_spec, &row);
    if (error == ACCORD_OK)
        error = agreement_decode(r->arena, row.body, r->head.agreement.data, row.version, false,
                                 NULL, NULL, &version, &problems);
    if (error != ACCORD_OK && problems.count > 0)
        return inputs_refuse(r, error, "/body%s: %s", problems.items[0].pointer,
                             problems.items[0].message);
    if (error != ACCORD_OK)
        return error;
    if (periods->version_count > 0 &&
        periods->versions[periods->version_count - 1].terms.version >= row.version)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/version: is not above the one before");
    if (version.quarterly != periods->quarterly || version.zone != periods->zone)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID,
                             "/body/period: is not that of the statement");
    version.terms.effective_to_us = row.effective_to;
    error = add_version(r, &place);
    if (error == ACCORD_OK)
        *place = version;
    return error;
}

/* Stands for the version that governs, with what a stranger may know of it. */
static enum accord_error take_settings(struct inputs_reader *r, struct slice text)
{
    struct inputs_settings_row row;
    struct agreement_version *place;
    enum accord_error error = inputs_decode(r, r->row, text, &inputs_settings_spec, &row);
    if (error == ACCORD_OK && (r->settings || r->head.derived))
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "settings stand here without need");
    if (error == ACCORD_OK)
        error = add_version(r, &place);
    if (error != ACCORD_OK)
        return error;
    *place = (struct agreement_version){.quarterly = r->c.periods.quarterly};
    place->zone = r->c.periods.zone;
    place->terms.agreement = r->head.agreement.data;
    place->terms.version = r->head.governs;
    place->terms.parties[0] = "";
    place->terms.min_payout_minor = row.min_payout;
    place->terms.reserve_ppm = row.reserve_ppm;
    r->settings = true;
    return ACCORD_OK;
}

/* No more versions come: opens the account. */
static enum accord_error seal(struct inputs_reader *r)
{
    struct closing *c = &r->c;
    const size_t count = c->periods.version_count;
    const struct accord_agreement_version **terms = arena_array(r->arena, count + 1, sizeof *terms);
    const struct agreement_version **versions = arena_array(r->arena, count + 1, sizeof *versions);
    if (terms == NULL || versions == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        versions[i] = &c->periods.versions[i];
        terms[i] = &versions[i]->terms;
        if (terms[i]->version == r->head.governs)
            c->governs = versions[i];
    }
    if (c->governs == NULL)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID,
                             "the version that governs does not stand above");
    r->choice = (struct agreement_choice){terms, versions, count};
    const enum accord_error error = closing_account_of(c, c->only, &r->account);
    if (error == ACCORD_OK)
        r->account->previous = &r->previous;
    return error;
}

/* ---- windows ---- */

const struct agreement_version *inputs_find_version(const struct inputs_reader *r, int64_t number,
                                                    size_t *ret_index)
{
    for (size_t i = 0; i < r->choice.count; i++)
        if (r->choice.terms[i]->version == number) {
            *ret_index = i;
            return r->choice.versions[i];
        }
    return NULL;
}

bool inputs_take_period(const struct inputs_reader *r, struct slice text, int64_t *ret)
{
    return rates_parse_day(text, ret) && period_of_day(r->c.periods.quarterly, *ret) == *ret &&
           *ret <= r->c.day;
}

static enum accord_error take_part(struct inputs_reader *r, struct slice text)
{
    struct window_sheet *sheet = &r->c.sheet;
    struct inputs_part_row row;
    struct window_part part = {.has_sums = true, .takes_part = true};
    enum accord_error error = inputs_decode(r, r->row, text, &inputs_part_spec, &row);
    if (error != ACCORD_OK)
        return error;
    const struct agreement_version *version = inputs_find_version(r, row.version, &part.version);
    if (version == NULL)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/version: does not stand above");
    if (!inputs_take_period(r, row.period, &part.first))
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID,
                             "/period: is none of the agreement up to now");
    if (!rates_parse_day(row.year, &part.period.year))
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/year: is no day");
    if (row.shares.count != version->terms.party_count)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/shares: not one for each party");
    if (sheet->count > 0) {
        const struct window_part *last = &sheet->parts[sheet->count - 1];
        if (last->first > part.first ||
            (last->first == part.first && last->version >= part.version))
            return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "parts are out of order");
    }
    part.period.period = row.number;
    part.period.days = row.days;
    part.period.days_of_period = row.days_of_period;
    part.period.first_of_life = row.first_of_life;
    part.period.ends_period = row.ends_period;
    part.period.ends_year = row.ends_year;
    part.period.ends_life = row.ends_life;
    part.sums.net = row.net;
    part.sums.base = row.base;
    part.sums.open = row.open;
    part.sums.lines = row.lines;
    part.sums.units = row.units;
    memcpy(part.sums.new_learners, row.learners.items, sizeof part.sums.new_learners);
    if (row.shares.count > 0)
        memcpy(part.sums.shares, row.shares.items, row.shares.count * sizeof(int64_t));
    sheet->parts =
        arena_room(r->arena, sheet->parts, sheet->count, &r->part_cap, sizeof *sheet->parts);
    if (sheet->parts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    sheet->parts[sheet->count++] = part;
    return ACCORD_OK;
}

static enum accord_error take_posted(struct inputs_reader *r, struct slice text)
{
    struct window_sheet *sheet = &r->c.sheet;
    struct inputs_posted_row row;
    int64_t period;
    size_t unused;
    enum accord_error error = inputs_decode(r, r->arena, text, &inputs_posted_spec, &row);
    if (error != ACCORD_OK)
        return error;
    if (inputs_find_version(r, row.version, &unused) == NULL)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/version: does not stand above");
    if (!inputs_take_period(r, row.period, &period))
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID,
                             "/period: is none of the agreement up to now");
    sheet->posted = arena_room(r->arena, sheet->posted, sheet->posted_count, &r->posted_cap,
                               sizeof *sheet->posted);
    if (sheet->posted == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    sheet->posted[sheet->posted_count++] = (struct window_row){.agreement = r->head.agreement.data,
                                                               .day = period,
                                                               .version = row.version,
                                                               .term = row.term,
                                                               .kind = row.of.data,
                                                               .payee = row.payee.data,
                                                               .amount = row.amount};
    return ACCORD_OK;
}

enum accord_error inputs_take_statement_line(void *context, const struct statement_line *line)
{
    struct inputs_reader *r = context;
    const enum accord_error error = closing_take_line(&r->c, line);
    if (error == ACCORD_OK && r->each != NULL)
        r->each(r->context, (struct slice){r->c.line.data, r->c.line.len - 1});
    return error;
}

/* Behind the lines of orders: adds to the sums what they brought, and folds. */
static enum accord_error settle_windows(struct inputs_reader *r)
{
    struct closing *c = &r->c;
    enum accord_error error = ACCORD_OK;
    r->windows_done = true;
    for (size_t i = 0; error == ACCORD_OK && i < c->sheet.count; i++)
        error = windows_part_add_booked(&c->sheet.parts[i]);
    if (error == ACCORD_OK)
        error = window_pools_keep(r->arena, &c->periods, &c->sheet);
    if (error == ACCORD_OK && c->sheet.count > 0)
        error = windows_sheet_post(r->arena, &c->periods, &c->sheet, c->day, &c->windows);
    if (error == ACCORD_OK)
        error =
            statement_window_lines(&c->periods, c->day, &c->windows, inputs_take_statement_line, r);
    return error;
}

/* ---- the rest ---- */

static enum accord_error take_given(struct inputs_reader *r, struct slice text)
{
    struct inputs_given_row row;
    struct inputs_given_line line;
    struct line_sums *total = &r->account->total;
    enum accord_error error = inputs_decode(r, r->row, text, &inputs_given_spec, &row);
    if (error == ACCORD_OK && r->head.derived)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "a line, where they follow from orders");
    if (error == ACCORD_OK)
        error = inputs_decode(r, r->row, row.text, &inputs_given_line_spec, &line);
    if (error != ACCORD_OK)
        return error;
    hash_add(&r->account->lines_hash, row.text);
    hash_add(&r->account->lines_hash, SLICE("\n"));
    if (r->each != NULL)
        r->each(r->context, row.text);
    total->count++;
    error = accord_add(total->earned, line.earned, &total->earned);
    if (error == ACCORD_OK)
        error = accord_add(total->position, line.position, &total->position);
    if (error == ACCORD_OK && (slice_equal(line.kind, slice_of(line_kind_names[LINE_ADVANCE])) ||
                               slice_equal(line.kind, slice_of(line_kind_names[LINE_RECOUPMENT]))))
        error = accord_add(r->account->unearned, line.earned, &r->account->unearned);
    return error;
}

static enum accord_error take_amount(struct inputs_reader *r, struct slice text, int64_t *sum)
{
    struct inputs_amount_row row;
    const enum accord_error error = inputs_decode(r, r->row, text, &inputs_amount_spec, &row);
    return error != ACCORD_OK ? error : accord_add(*sum, row.amount, sum);
}

static enum accord_error take_hold(struct inputs_reader *r, struct slice text)
{
    struct inputs_hold_row row;
    const enum accord_error error = inputs_decode(r, r->row, text, &inputs_hold_spec, &row);
    if (error != ACCORD_OK)
        return error;
    r->account->recent = row.pending;
    r->account->reserve_before = row.reserve;
    return ACCORD_OK;
}

static enum accord_error take_row(struct inputs_reader *r, enum row_kind kind, struct slice text)
{
    switch (kind) {
    case ROW_HEAD:
        return take_head(r, text);
    case ROW_VERSION:
        return take_version(r, text);
    case ROW_SETTINGS:
        return take_settings(r, text);
    case ROW_PART:
        return take_part(r, text);
    case ROW_POSTED:
        return take_posted(r, text);
    case ROW_POOL:
        return inputs_take_pool(r, text);
    case ROW_SHEET:
        return inputs_take_sheet(r, text);
    case ROW_MEMBER:
        return inputs_take_member(r, text);
    case ROW_ORDER:
        return inputs_take_order(r, text);
    case ROW_TERM:
        return inputs_take_term(r, text);
    case ROW_ENTRY:
        return inputs_take_entry(r, text);
    case ROW_GIVEN:
        return take_given(r, text);
    case ROW_ADJUSTMENT:
        return take_amount(r, text, &r->account->adjusted);
    case ROW_PAYMENT:
        return take_amount(r, text, &r->account->paid);
    case ROW_HOLD:
        return take_hold(r, text);
    case ROW_END:
        return inputs_decode(r, r->arena, text, &inputs_end_spec, &r->end);
    case ROW_KINDS:
        break;
    }
    return ACCORD_E_INTERNAL;
}

/* Whether lines follow from rows of this kind. */
static bool is_derived(enum row_kind kind)
{
    return kind >= ROW_ORDER && kind <= ROW_ENTRY;
}

/* Which row may come behind which. */
static bool may_follow(const struct inputs_reader *r, enum row_kind kind)
{
    if (r->number == 1 || kind == ROW_HEAD)
        return r->number == 1 && kind == ROW_HEAD;
    if (r->kind == ROW_END || (kind == r->kind && kind == ROW_HOLD))
        return false;
    if (kind == ROW_END)
        return r->kind == ROW_HOLD;
    if (kind == ROW_SHEET && r->kind == ROW_MEMBER)
        return true;
    if (is_derived(r->kind) && kind <= ROW_GIVEN)
        return is_derived(kind);
    return kind >= r->kind;
}

static enum accord_error take_text(struct inputs_reader *r, struct slice text)
{
    char name[16];
    enum row_kind kind = ROW_HEAD;
    r->number++;
    if (!json_peek_text(text, "kind", name, sizeof name))
        return inputs_refuse(r, ACCORD_E_JSON_INVALID, "no object with a kind");
    while (kind < ROW_KINDS && strcmp(row_names[kind], name) != 0)
        kind++;
    if (kind == ROW_KINDS)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/kind: is none");
    if (!may_follow(r, kind))
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/kind: stands out of order");
    r->kind = kind;
    enum accord_error error = ACCORD_OK;
    if (kind > ROW_SETTINGS && r->account == NULL)
        error = seal(r);
    if (error == ACCORD_OK && kind != ROW_MEMBER)
        error = inputs_end_sheet(r);
    if (error == ACCORD_OK && kind > ROW_GIVEN && !r->windows_done)
        error = settle_windows(r);
    if (error == ACCORD_OK)
        error = take_row(r, kind, text);
    arena_reset(r->row);
    if (error != ACCORD_OK)
        inputs_refuse(r, error, "%s", accord_error_title(error));
    return error;
}

enum accord_error inputs_reader_take(struct inputs_reader *r, struct slice bytes)
{
    hash_add(&r->hash, bytes);
    while (r->error == ACCORD_OK && bytes.len > 0) {
        const char *end = memchr(bytes.data, '\n', bytes.len);
        const size_t len = end == NULL ? bytes.len : (size_t)(end - bytes.data);
        struct slice row = {bytes.data, len};
        if (end == NULL || r->partial.len > 0) {
            buf_add_slice(&r->partial, row);
            row = buf_slice(&r->partial);
            r->error = buf_error(&r->partial);
        }
        if (end == NULL)
            break;
        if (r->error == ACCORD_OK)
            r->error = take_text(r, row);
        r->partial.len = 0;
        bytes = (struct slice){end + 1, bytes.len - len - 1};
    }
    if (r->error != ACCORD_OK)
        inputs_refuse(r, r->error, "%s", accord_error_title(r->error));
    return r->error;
}

/* ---- what it comes to ---- */

static bool says(struct inputs_result *result, const char *what, int64_t said, int64_t is)
{
    if (said == is)
        return true;
    snprintf(result->why, sizeof result->why, "%s is %" PRId64 ", the statement says %" PRId64,
             what, is, said);
    return false;
}

static enum accord_error compare(struct inputs_reader *r, struct inputs_result *result)
{
    struct closing_amounts a;
    char hex[HASH_HEX_MAX];
    const enum accord_error error = closing_work_out(&r->c, r->account, &a);
    if (error != ACCORD_OK)
        return inputs_refuse(r, error, "%s", accord_error_title(error));
    result->lines_hash = hash_end(&r->account->lines_hash);
    result->lines = r->account->total.count;
    result->closing = a.closing;
    result->due = a.due;
    hash_hex(&result->lines_hash, hex);
    result->agrees = says(result, "the number of lines", r->end.lines, result->lines) &&
                     says(result, "earned", r->end.earned, r->account->total.earned) &&
                     says(result, "withheld", r->end.withheld, a.withheld) &&
                     says(result, "closing", r->end.closing, a.closing) &&
                     says(result, "due", r->end.due, a.due) &&
                     says(result, "payable", r->end.payable, a.payable);
    if (result->agrees && r->differs[0] != '\0') {
        result->agrees = false;
        snprintf(result->why, sizeof result->why, "%s", r->differs);
    }
    if (result->agrees && !slice_equal(r->end.lines_hash, slice_of(hex))) {
        result->agrees = false;
        snprintf(result->why, sizeof result->why, "the hash of the lines is another one");
    }
    return ACCORD_OK;
}

enum accord_error inputs_reader_end(struct inputs_reader *r, struct inputs_result *ret)
{
    struct inputs_result result = {.inputs_hash = hash_end(&r->hash)};
    if (r->error == ACCORD_OK && (r->kind != ROW_END || r->partial.len > 0)) {
        r->number++;
        r->error = inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "the file is cut off");
    }
    if (r->error == ACCORD_OK)
        r->error = compare(r, &result);
    if (r->error != ACCORD_OK) {
        snprintf(ret->why, sizeof ret->why, "%s", r->why);
        return r->error;
    }
    char hex[HASH_HEX_MAX];
    const struct hash zone = closing_zone_hash(r->c.periods.time_zone);
    hash_hex(&zone, hex);
    result.zone_differs = !slice_equal(r->head.zone_hash, slice_of(hex));
    snprintf(result.statement, sizeof result.statement, "%s", r->head.statement.data);
    *ret = result;
    return ACCORD_OK;
}
