#include "ingest/csv.h"

#include <csv.h>
#include <stdlib.h>

#include "base/buf.h"

/* What may be read a second time after broken rows, beyond once the whole text: a file of stray
 * quotes must not cost its length squared. */
enum { REREAD_BYTES = 16 * 1024 * 1024 };

struct csv_reader {
    struct csv_parser parser;
    struct slice text;
    size_t at;
    uint64_t line; /* of `at` */
    size_t row_max;
    size_t reread_left;
    bool broken;

    struct buf data; /* cells of the row so far, one behind the other */
    size_t ends[CSV_CELLS_MAX];
    struct slice cells[CSV_CELLS_MAX];
    size_t cell_count;
    bool complete;
    bool too_many;
};

static void on_cell(void *data, size_t len, void *context)
{
    struct csv_reader *r = context;
    if (r->cell_count == CSV_CELLS_MAX) {
        r->too_many = true;
        return;
    }
    buf_add(&r->data, data, len);
    r->ends[r->cell_count++] = r->data.len;
}

static void on_row(int terminator, void *context)
{
    (void)terminator;
    struct csv_reader *r = context;
    r->complete = true;
}

/* csv_init() fails on a null pointer only, and csv_fini() keeps its state after an error. */
static void begin_parser(struct csv_reader *r)
{
    csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_blk_size(&r->parser, 4096);
}

enum accord_error csv_open(struct slice text, size_t row_max, struct csv_reader **ret)
{
    struct csv_reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    begin_parser(r);
    buf_init(&r->data, row_max);
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        text = (struct slice){text.data + 3, text.len - 3};
    r->text = text;
    r->line = 1;
    r->row_max = row_max;
    r->reread_left = text.len + REREAD_BYTES;
    *ret = r;
    return ACCORD_OK;
}

void csv_close(struct csv_reader *reader)
{
    if (reader == NULL)
        return;
    csv_free(&reader->parser);
    buf_done(&reader->data);
    free(reader);
}

bool csv_is_broken(const struct csv_reader *reader)
{
    return reader->broken;
}

/* The end of the line that begins at `at`, its CR, LF or CRLF included. */
static size_t line_end(const struct csv_reader *r, size_t at)
{
    const char *data = r->text.data;
    while (at < r->text.len && data[at] != '\n' && data[at] != '\r')
        at++;
    if (at < r->text.len && data[at] == '\r')
        at++;
    else if (at < r->text.len)
        return at + 1;
    return at < r->text.len && data[at - 1] == '\r' && data[at] == '\n' ? at + 1 : at;
}

static bool is_blank(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != ' ' && text.data[i] != '\t' && text.data[i] != '\r' &&
            text.data[i] != '\n')
            return false;
    return true;
}

/* Drops the row that began at `start` and goes on at the line behind its first. */
static enum accord_error give_up_row(struct csv_reader *r, size_t start, uint64_t start_line,
                                     enum accord_error error)
{
    csv_free(&r->parser);
    begin_parser(r);
    const size_t next = line_end(r, start);
    const size_t again = r->at > next ? r->at - next : 0;
    r->broken = again > r->reread_left;
    r->reread_left -= r->broken ? r->reread_left : again;
    r->at = next;
    r->line = start_line + 1;
    return error;
}

static enum accord_error finish_row(struct csv_reader *r, struct csv_row *ret)
{
    if (buf_error(&r->data) == ACCORD_E_OUT_OF_MEMORY)
        return ACCORD_E_OUT_OF_MEMORY;
    if (buf_error(&r->data) != ACCORD_OK || r->too_many)
        return ACCORD_E_ELEMENT_TOO_LARGE;
    size_t from = 0;
    for (size_t i = 0; i < r->cell_count; i++) {
        r->cells[i] =
            (struct slice){r->ends[i] == from ? "" : r->data.data + from, r->ends[i] - from};
        from = r->ends[i];
    }
    ret->cells = r->cells;
    ret->count = r->cell_count;
    return ACCORD_OK;
}

static void reset_row(struct csv_reader *r)
{
    r->data.len = 0;
    r->data.error = ACCORD_OK;
    r->cell_count = 0;
    r->complete = false;
    r->too_many = false;
}

enum accord_error csv_next(struct csv_reader *r, struct csv_row *ret)
{
    *ret = (struct csv_row){0};
    reset_row(r);
    bool inside = false; /* a row has begun */
    size_t start = r->at;
    uint64_t start_line = r->line;
    while (!r->broken && r->at < r->text.len) {
        const size_t end = line_end(r, r->at);
        const struct slice piece = {r->text.data + r->at, end - r->at};
        if (!inside && is_blank(piece)) {
            r->at = end;
            r->line++;
            continue;
        }
        if (!inside) {
            start = r->at;
            start_line = r->line;
            ret->line = start_line;
            inside = true;
        }
        if (end - start > r->row_max) {
            r->at = end;
            return give_up_row(r, start, start_line, ACCORD_E_ELEMENT_TOO_LARGE);
        }
        const size_t taken = csv_parse(&r->parser, piece.data, piece.len, on_cell, on_row, r);
        r->at = end;
        r->line++;
        if (taken != piece.len) {
            if (csv_error(&r->parser) == CSV_ENOMEM)
                return ACCORD_E_OUT_OF_MEMORY;
            return give_up_row(r, start, start_line, ACCORD_E_CSV_INVALID);
        }
        if (r->complete)
            return finish_row(r, ret);
    }
    if (!inside)
        return ACCORD_OK;
    /* The text ends without a line break: the last row is taken, unless a quote is open. */
    if (csv_fini(&r->parser, on_cell, on_row, r) != 0)
        return give_up_row(r, start, start_line, ACCORD_E_CSV_INVALID);
    return finish_row(r, ret);
}
