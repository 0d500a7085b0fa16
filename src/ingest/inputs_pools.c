/* Pools in a file of inputs: shares go to the sums of windows, and sheets are divided again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/inputs_reading.h"
#include "ingest/pool.h"
#include "ingest/rates.h"
#include "ingest/window_pools.h"

/* A month that is being divided again. */
struct inputs_sheet {
    struct accord_pool *pool;
    uint32_t payee_count;
    bool has_own;
    uint32_t own;
    int64_t fees;
    int64_t added; /* of members so far */
    int64_t amount;
    int64_t unclaimed;
    char month[16];
};

enum accord_error inputs_take_pool(struct inputs_reader *r, struct slice text)
{
    struct inputs_pool_row row;
    struct pool_share_row share;
    int64_t day;
    enum accord_error error = inputs_decode(r, r->row, text, &inputs_pool_spec, &row);
    if (error == ACCORD_OK && !r->head.derived)
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "a share, where lines are given");
    if (error != ACCORD_OK)
        return error;
    if (!rates_parse_day(row.month, &day))
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/month: is no day");
    share = (struct pool_share_row){.day = day,
                                    .provider = row.provider.data,
                                    .version = row.version,
                                    .term = row.term,
                                    .amount = row.amount};
    error = window_pools_add(r->arena, &r->c.periods, &r->c.sheet, &share);
    return error == ACCORD_E_VALUE_UNKNOWN
               ? inputs_refuse(r, ACCORD_E_FIELDS_INVALID,
                               "/provider: no party of a part that stands above")
               : error;
}

/* ---- sheets ---- */

void inputs_sheet_free(struct inputs_sheet *sheet)
{
    if (sheet != NULL)
        accord_pool_free(sheet->pool);
    free(sheet);
}

enum accord_error inputs_take_sheet(struct inputs_reader *r, struct slice text)
{
    struct inputs_sheet_row row;
    enum accord_error error = inputs_decode(r, r->row, text, &inputs_sheet_spec, &row);
    if (error != ACCORD_OK)
        return error;
    if (row.own != -1 && (row.own < 0 || row.own >= (int64_t)row.weights_ppm.count))
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/own: none of the weights");
    const struct accord_pool_terms terms = {
        .method = (enum accord_pool_method)row.method,
        .idle = (enum accord_pool_idle)row.idle,
        .payee_count = (uint32_t)row.weights_ppm.count,
        .weights_ppm = row.weights_ppm.items,
        .lambda_ppm = row.lambda_ppm,
        .min_units = row.min_units,
        .cap_units = row.cap_units,
    };
    struct inputs_sheet *sheet = calloc(1, sizeof *sheet);
    if (sheet == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    r->pool_sheet = sheet;
    sheet->payee_count = terms.payee_count;
    sheet->has_own = row.own >= 0;
    sheet->own = (uint32_t)row.own;
    sheet->fees = row.fees;
    sheet->amount = row.amount;
    sheet->unclaimed = row.unclaimed;
    snprintf(sheet->month, sizeof sheet->month, "%.7s", row.month.data);
    return accord_pool_new(&terms, &sheet->pool);
}

enum accord_error inputs_take_member(struct inputs_reader *r, struct slice text)
{
    struct inputs_sheet *sheet = r->pool_sheet;
    struct inputs_member_row row;
    enum accord_error error = inputs_decode(r, r->row, text, &inputs_member_spec, &row);
    if (error == ACCORD_OK && (sheet == NULL || row.units.count % 2 != 0))
        return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "a member of no sheet, or half a pair");
    if (error != ACCORD_OK)
        return error;
    const int64_t *units = row.units.items;
    struct accord_pool_cell *cells = arena_array(r->row, row.units.count / 2 + 1, sizeof *cells);
    if (cells == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < row.units.count / 2; i++) {
        if (units[2 * i] < 0 || units[2 * i] >= sheet->payee_count)
            return inputs_refuse(r, ACCORD_E_FIELDS_INVALID, "/units: of nobody who joined");
        cells[i] = (struct accord_pool_cell){(uint32_t)units[2 * i], units[2 * i + 1]};
    }
    error = accord_add(sheet->added, row.fee, &sheet->added);
    return error != ACCORD_OK ? error
                              : accord_pool_user(sheet->pool, row.fee, cells, row.units.count / 2);
}

enum accord_error inputs_end_sheet(struct inputs_reader *r)
{
    struct inputs_sheet *sheet = r->pool_sheet;
    int64_t unclaimed = 0;
    if (sheet == NULL)
        return ACCORD_OK;
    int64_t *amounts = arena_array(r->row, sheet->payee_count + (size_t)1, sizeof *amounts);
    const enum accord_error error = amounts == NULL
                                        ? ACCORD_E_OUT_OF_MEMORY
                                        : accord_pool_finish(sheet->pool, amounts, &unclaimed);
    const int64_t own = error == ACCORD_OK && sheet->has_own ? amounts[sheet->own] : 0;
    if (error == ACCORD_OK && r->differs[0] == '\0' &&
        (sheet->added != sheet->fees || unclaimed != sheet->unclaimed || own != sheet->amount))
        snprintf(r->differs, sizeof r->differs,
                 "the pool of %s gives %" PRId64 " and leaves %" PRId64 " of %" PRId64
                 ", the file says %" PRId64 ", %" PRId64 " and %" PRId64,
                 sheet->month, own, unclaimed, sheet->added, sheet->amount, sheet->unclaimed,
                 sheet->fees);
    inputs_sheet_free(sheet);
    r->pool_sheet = NULL;
    return error;
}
