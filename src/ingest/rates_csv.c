/* The file of rates that the European Central Bank publishes. */
#include <stdlib.h>
#include <string.h>

#include "ingest/csv.h"
#include "ingest/rates.h"

enum { ROW_MAX = 8192 };

bool rates_parse_day(struct slice text, int64_t *ret)
{
    static const char midnight[] = "T00:00:00Z";
    char whole[32];
    instant_us at;
    if (text.len != 10)
        return false;
    memcpy(whole, text.data, 10);
    memcpy(whole + 10, midnight, sizeof midnight);
    if (clock_parse(slice_of(whole), &at) != ACCORD_OK)
        return false;
    *ret = at / CLOCK_DAY_US;
    return true;
}

struct reading {
    struct arena *arena;
    struct accord_currency columns[CSV_CELLS_MAX]; /* "": passed over */
    size_t column_count;
    struct rates_given *days;
    size_t count;
    size_t cap;
};

static bool read_names(struct reading *r, const struct csv_row *row)
{
    bool any = false;
    if (!slice_equal(row->cells[0], SLICE("Date")))
        return false;
    for (size_t i = 1; i < row->count && i < CSV_CELLS_MAX; i++) {
        struct accord_currency currency;
        if (accord_currency_parse(row->cells[i].data, row->cells[i].len, &currency) != ACCORD_OK)
            continue;
        for (size_t j = 1; j < i; j++)
            if (accord_currency_equal(r->columns[j], currency))
                return false;
        r->columns[i] = currency;
        any = true;
    }
    r->column_count = row->count;
    return any;
}

static enum accord_error add_day(struct reading *r, const struct csv_row *row)
{
    struct rates_given given = {.reason = ""};
    if (row->count > r->column_count || !rates_parse_day(row->cells[0], &given.day))
        return ACCORD_E_CSV_INVALID;
    given.rates = arena_array(r->arena, row->count, sizeof *given.rates);
    if (given.rates == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 1; i < row->count; i++) {
        const struct slice cell = row->cells[i];
        struct accord_rate rate;
        if (r->columns[i].code[0] == '\0' || cell.len == 0 || slice_equal(cell, SLICE("N/A")))
            continue;
        if (accord_rate_parse(cell.data, cell.len, &rate) != ACCORD_OK)
            return ACCORD_E_CSV_INVALID;
        struct rate_row *to = &given.rates[given.count++];
        to->currency = r->columns[i];
        to->rate = arena_strdup(r->arena, cell);
        if (to->rate == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    if (given.count == 0)
        return ACCORD_OK;
    struct rates_given *days = arena_room(r->arena, r->days, r->count, &r->cap, sizeof *days);
    if (days == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    r->days = days;
    r->days[r->count++] = given;
    return ACCORD_OK;
}

static int by_day(const void *a, const void *b)
{
    const struct rates_given *x = a;
    const struct rates_given *y = b;
    return x->day < y->day ? -1 : x->day > y->day;
}

static enum accord_error read_rows(struct reading *r, struct csv_reader *reader, uint64_t *ret_line)
{
    for (;;) {
        struct csv_row row;
        enum accord_error error = csv_next(reader, &row);
        *ret_line = row.line;
        if (error == ACCORD_OK && row.count == 0)
            return r->column_count == 0 ? ACCORD_E_CSV_INVALID : ACCORD_OK;
        if (error == ACCORD_OK && r->column_count > 0)
            error = add_day(r, &row);
        else if (error == ACCORD_OK && !read_names(r, &row))
            error = ACCORD_E_CSV_INVALID;
        if (error != ACCORD_OK)
            return error == ACCORD_E_OUT_OF_MEMORY ? error : ACCORD_E_CSV_INVALID;
    }
}

enum accord_error rates_read_csv(struct arena *arena, struct slice text, struct rates_given **ret,
                                 size_t *ret_count, uint64_t *ret_line)
{
    struct csv_reader *reader;
    struct reading *r = arena_alloc(arena, sizeof *r);
    if (r == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    r->arena = arena;
    enum accord_error error = csv_open(text, ROW_MAX, &reader);
    if (error != ACCORD_OK)
        return error;
    error = read_rows(r, reader, ret_line);
    csv_close(reader);
    if (error != ACCORD_OK)
        return error;
    if (r->count > 0)
        qsort(r->days, r->count, sizeof *r->days, by_day);
    for (size_t i = 1; i < r->count; i++)
        if (r->days[i].day == r->days[i - 1].day)
            return ACCORD_E_CSV_INVALID;
    *ret = r->days;
    *ret_count = r->count;
    return ACCORD_OK;
}
