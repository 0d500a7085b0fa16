#include "api/statement_lines.h"

#include <string.h>

#include "api/csv_write.h"
#include "api/settlement_call.h"
#include "api/statement_call.h"
#include "ingest/statement_lines.h"
#include "store/statements.h"

static const size_t page_bytes_max = (size_t)64 << 20;

enum form { FORM_JSON, FORM_NDJSON, FORM_CSV };

/* Says that enough has been read; never leaves this file. */
#define ENOUGH ACCORD_E_COUNT_OUT_OF_RANGE

struct lines_call {
    const char *id;
    struct statement_summary statement;
    struct list_page page;
    struct statement_place after;
    enum form form;
    bool paged;
    /* while reading */
    struct call *call;
    struct buf *out;
    struct csv_writer csv;
    int64_t count;
    char last[STATEMENT_LINE_ID_MAX];
    bool more;
    bool not_modified;
};

/* ---- finding them ---- */

static enum accord_error each_line(struct db *db, struct arena *arena, const char *statement,
                                   const struct statement_place *after, statement_line_fn *each,
                                   void *context)
{
    struct statement_row row;
    struct agreement_periods periods;
    bool found;
    enum accord_error error = store_statement_find(db, arena, statement, &found, &row);
    if (error == ACCORD_OK && found)
        error = periods_of(db, arena, row.agreement, &found, &periods);
    if (error != ACCORD_OK || !found)
        return error;
    return statement_lines_each(db, &periods, row.day, NULL, after, each, context);
}

struct search {
    struct arena *arena;
    const char *partner;
    struct slice id;
    bool found;
    struct statement_line line;
    struct statement_part part;
};

static bool copy_text(struct arena *arena, const char **text)
{
    if (*text != NULL)
        *text = arena_strdup(arena, slice_of(*text));
    return *text != NULL;
}

/* Its texts are those of the callback. */
static enum accord_error keep_line(struct search *search)
{
    struct statement_line *line = &search->line;
    const char **texts[] = {&line->kind,     &line->channel,   &line->order_id, &line->line_id,
                            &line->provider, &line->course_id, &line->currency};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (*texts[i] != NULL && !copy_text(search->arena, texts[i]))
            return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < line->payee_count; i++)
        if (!copy_text(search->arena, &line->payees[i].payee))
            return ACCORD_E_OUT_OF_MEMORY;
    return ACCORD_OK;
}

static enum accord_error note_line(void *context, const struct statement_line *line)
{
    struct search *search = context;
    struct statement_part part;
    enum accord_error error = statement_part_of(line, search->partner, &part);
    if (error != ACCORD_OK)
        return error;
    if (part.visible && slice_equal(search->id, slice_of(line->id))) {
        search->line = *line;
        search->part = part;
        error = keep_line(search);
        search->found = error == ACCORD_OK;
    }
    return error == ACCORD_OK ? ENOUGH : error;
}

/* Behind the line before it: then it is the first that comes. */
static struct statement_place before(struct statement_place place)
{
    if (place.is_window)
        place.number--;
    else
        place.k--;
    return place;
}

enum accord_error statement_line_load(struct db *db, struct arena *arena, const char *statement,
                                      struct slice id, bool *ret_found,
                                      struct statement_row *ret_row,
                                      struct agreement_periods *ret_periods,
                                      struct statement_line *ret_line,
                                      struct statement_part *ret_part)
{
    struct statement_row row;
    struct agreement_periods periods;
    struct statement_place place;
    struct search search = {.arena = arena, .id = id};
    bool found;
    enum accord_error error = store_statement_find(db, arena, statement, &found, &row);
    if (error == ACCORD_OK && found)
        error = periods_of(db, arena, row.agreement, &found, &periods);
    if (error != ACCORD_OK)
        return error;
    if (found && statement_place_of(id, &place)) {
        search.partner = row.partner;
        place = before(place);
        error = statement_lines_each(db, &periods, row.day, NULL, &place, note_line, &search);
        if (error != ACCORD_OK && error != ENOUGH)
            return error;
    }
    *ret_found = search.found;
    if (search.found) {
        *ret_row = row;
        *ret_periods = periods;
        *ret_line = search.line;
        *ret_part = search.part;
    }
    return ACCORD_OK;
}

enum accord_error statement_line_known(struct db *db, struct arena *arena, const char *statement,
                                       struct slice line, bool *ret)
{
    struct statement_row row;
    struct agreement_periods periods;
    struct statement_line found;
    struct statement_part part;
    return statement_line_load(db, arena, statement, line, ret, &row, &periods, &found, &part);
}

/* ---- writing them ---- */

static void write_header(struct csv_writer *csv)
{
    static const char *const names[] = {
        "line",      "kind",        "period",        "adjusts", "version",  "channel",
        "order_id",  "line_id",     "membership_id", "term_id", "entry_id", "provider",
        "course_id", "occurred_at", "sale_currency", "gross",   "refunded", "tax",
        "store_fee", "payment_fee", "admin_fee",     "net",     "currency", "earned",
        "position",  "payees"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        csv_str(csv, names[i]);
    csv_row_end(csv);
}

static void write_empty(struct csv_writer *csv, int count)
{
    for (int i = 0; i < count; i++)
        csv_empty(csv);
}

static void write_sale_cells(struct csv_writer *csv, const struct statement_line *line,
                             const struct statement_part *part, struct accord_currency currency)
{
    static const enum entry_number before_net[] = {ENTRY_GROSS,       ENTRY_REFUNDED,
                                                   ENTRY_TAX,         ENTRY_STORE_FEE,
                                                   ENTRY_PAYMENT_FEE, ENTRY_ADMIN_FEE};
    const struct accord_currency sold_in = settlement_currency(line->currency);
    char when[CLOCK_TEXT_MAX];
    clock_format(line->occurred_at, when);
    csv_str(csv, line->channel);
    for (int term = 0; term <= 1; term++) {
        if ((term == 1) == line->is_term && !line->is_entry) {
            csv_str(csv, line->order_id);
            csv_str(csv, line->line_id);
        } else {
            write_empty(csv, 2);
        }
    }
    if (line->is_entry)
        csv_str(csv, line->order_id);
    else
        csv_empty(csv);
    csv_str(csv, line->provider);
    csv_str(csv, line->course_id);
    csv_str(csv, when);
    csv_str(csv, line->currency);
    if (!part->party) {
        write_empty(csv, 7);
        return;
    }
    for (size_t i = 0; i < sizeof before_net / sizeof *before_net; i++)
        csv_amount(csv, line->numbers[before_net[i]], sold_in);
    csv_amount(csv, line->numbers[ENTRY_NET], currency);
}

/* "coursera 138.47; udemy 59.34" */
static void write_payees(struct csv_writer *csv, const struct statement_line *line,
                         struct accord_currency currency)
{
    struct buf text;
    struct csv_writer amount;
    buf_init(&text, (size_t)1 << 16);
    for (size_t i = 0; i < line->payee_count; i++) {
        if (i > 0)
            buf_add_str(&text, "; ");
        buf_add_str(&text, line->payees[i].payee);
        buf_add_char(&text, ' ');
        csv_writer_init(&amount, &text);
        csv_amount(&amount, line->payees[i].amount, currency);
    }
    csv_text(csv, buf_slice(&text));
    buf_done(&text);
}

static void write_csv(struct lines_call *state, const struct statement_line *line,
                      const struct statement_part *part)
{
    struct csv_writer *csv = &state->csv;
    const struct accord_currency currency = settlement_currency(state->statement.currency);
    csv_str(csv, line->id);
    csv_str(csv, line->kind);
    csv_str(csv, line->label);
    if (line->difference)
        csv_str(csv, line->label);
    else
        csv_empty(csv);
    csv_int(csv, line->version);
    if (line->is_window)
        write_empty(csv, 17);
    else
        write_sale_cells(csv, line, part, currency);
    csv_str(csv, state->statement.currency);
    csv_amount(csv, part->earned, currency);
    csv_amount(csv, part->position, currency);
    if (part->party)
        write_payees(csv, line, currency);
    else
        csv_empty(csv);
    csv_row_end(csv);
}

static void write_line(struct lines_call *state, const struct statement_line *line,
                       const struct statement_part *part)
{
    if (state->form == FORM_CSV) {
        write_csv(state, line, part);
    } else {
        if (state->form == FORM_JSON && state->count > 0)
            buf_add_char(state->out, ',');
        statement_line_write(state->out, line, part);
        if (state->form == FORM_NDJSON)
            buf_add_char(state->out, '\n');
    }
    state->count++;
    memcpy(state->last, line->id, sizeof state->last);
}

static enum accord_error take_line(void *context, const struct statement_line *line)
{
    struct lines_call *state = context;
    struct statement_part part;
    enum accord_error error = statement_part_of(line, state->statement.partner, &part);
    if (error != ACCORD_OK)
        return error;
    if (part.visible && state->paged && state->count == state->page.limit) {
        state->more = true;
        return ENOUGH;
    }
    if (part.visible)
        write_line(state, line, &part);
    if (!state->paged) {
        statement_place_of(slice_of(line->id), &state->after);
        if (call_piece_full(state->call, state->out))
            return ENOUGH;
    }
    return buf_error(state->out);
}

/* ---- the operation ---- */

static enum form form_of(const char *media)
{
    if (strcmp(media, "text/csv") == 0)
        return FORM_CSV;
    return strcmp(media, "application/x-ndjson") == 0 ? FORM_NDJSON : FORM_JSON;
}

static void prepare(struct call *call)
{
    struct lines_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL || !call_page(call, 1, &state->page))
        return;
    state->id = call_arg(call, 0);
    state->call = call;
    state->form = form_of(call_produces(call));
    state->paged = state->form == FORM_JSON || call_query(call, "limit") != NULL;
    if (state->page.has_cursor && !statement_place_of(state->page.parts[0], &state->after))
        call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
}

/* Where the page goes on, in `next` or, for what is no object, in the header alone. */
static void write_next(struct call *call, struct lines_call *state, struct json_writer *w)
{
    const struct slice place = slice_of(state->last);
    call_page_next(call, w, &place, 1, state->more);
}

static const char *const types[] = {[FORM_JSON] = "application/json",
                                    [FORM_NDJSON] = "application/x-ndjson",
                                    [FORM_CSV] = "text/csv; charset=utf-8"};

/* As far as a page or a piece goes. True: there is, or may be, more. */
static bool write_lines(struct call *call, struct lines_call *state, struct buf *out)
{
    const struct statement_place after = state->after;
    state->out = out;
    csv_writer_init(&state->csv, out);
    if (state->form == FORM_CSV && !after.begun)
        write_header(&state->csv);
    const enum accord_error error =
        each_line(call->db, call->arena, state->id, &after, take_line, state);
    if (error != ENOUGH)
        call_check(call, error);
    return error == ENOUGH;
}

static bool write_piece(struct call *call, struct buf *out)
{
    return write_lines(call, call->state, out);
}

static void write_page(struct call *call, struct lines_call *state)
{
    struct buf *out = &call->reply->body;
    buf_done(out);
    buf_init(out, page_bytes_max);
    call->reply->status = 200;
    call->reply->content_type = types[state->form];
    if (state->form == FORM_JSON)
        buf_add_str(out, "{\"items\":[");
    write_lines(call, state, out);
    if (call->failed)
        return;
    if (state->form == FORM_JSON) {
        struct json_writer w = {.out = out, .comma = true};
        buf_add_char(out, ']');
        write_next(call, state, &w);
        buf_add_char(out, '}');
    } else if (state->more) {
        struct buf unused;
        struct json_writer w;
        buf_init(&unused, (size_t)1 << 16);
        jw_init(&w, &unused);
        write_next(call, state, &w);
        buf_done(&unused);
    }
    call_check(call, buf_error(out));
}

/* The lines of a statement never change: neither does the tag of a page of them. */
static void read(struct call *call)
{
    static const char *const suffixes[] = {
        [FORM_JSON] = ".lines", [FORM_NDJSON] = ".ndjson", [FORM_CSV] = ".lines-csv"};
    struct lines_call *state = call->state;
    if (!statement_visible(call, state->id, INT64_MIN, &state->statement))
        return;
    state->not_modified = statement_etag(call, &state->statement.hash, suffixes[state->form]);
    if (state->not_modified || call->failed)
        return;
    if (state->paged)
        write_page(call, state);
    else
        call_stream(call, types[state->form], write_piece);
}

const struct operation statement_line_operations[] = {
    {.id = "listStatementLines",
     .method = "GET",
     .pattern = "/v1/statements/{statement}/lines",
     .scope = SCOPE_STATEMENTS_READ,
     .run = RUN_JOB,
     .produces = "application/json application/x-ndjson text/csv",
     .query = "limit cursor",
     .prepare = prepare,
     .read = read},
};
const size_t statement_line_operation_count =
    sizeof statement_line_operations / sizeof statement_line_operations[0];
