/** What the parts of the reader of inputs share. */
#ifndef INGEST_INPUTS_READING_H
#define INGEST_INPUTS_READING_H

#include "ingest/book.h"
#include "ingest/closing.h"
#include "ingest/inputs_decode.h"
#include "ingest/settled.h"

/* In the order of the file. */
enum row_kind {
    ROW_HEAD,
    ROW_VERSION,
    ROW_SETTINGS,
    ROW_PART,
    ROW_POSTED,
    ROW_POOL,
    ROW_SHEET,
    ROW_MEMBER,
    ROW_ORDER,
    ROW_TERM, /* in any mix with the one before and the one behind */
    ROW_ENTRY,
    ROW_GIVEN,
    ROW_ADJUSTMENT,
    ROW_PAYMENT,
    ROW_HOLD,
    ROW_END,
    ROW_KINDS,
};

struct inputs_sheet; /* a month of a pool that is being divided again */

struct inputs_reader {
    struct arena *arena; /* of what is kept */
    struct arena *row;   /* of the row at hand */
    struct buf partial;  /* of a row whose end has not come */
    struct hash_stream hash;
    inputs_line_fn *each;
    void *context;
    int64_t number; /* of the row at hand, from 1 */
    enum row_kind kind;
    struct inputs_head_row head;
    struct closing c;
    struct closing_account *account; /* NULL: versions are still coming */
    struct statement_row previous;
    struct agreement_choice choice;
    size_t version_cap;
    size_t part_cap;
    size_t posted_cap;
    struct inputs_sheet *pool_sheet; /* NULL: none is at hand */
    char differs[192];               /* what a sheet comes to that the file says otherwise */
    bool settings;
    bool windows_done;
    struct inputs_end_row end;
    enum accord_error error;
    char why[256];
};

/** Says what is wrong with the row at hand, the first time; returns the error. */
enum accord_error inputs_refuse(struct inputs_reader *r, enum accord_error error,
                                const char *format, ...) __attribute__((format(printf, 3, 4)));
/** Decodes a row; refuses with its first problem. */
enum accord_error inputs_decode(struct inputs_reader *r, struct arena *arena, struct slice text,
                                const struct json_object *spec, void *ret);
/** A version of the file by its number, or NULL. */
const struct agreement_version *inputs_find_version(const struct inputs_reader *r, int64_t number,
                                                    size_t *ret_index);
/** Reads the first day of a period up to that of the statement. */
bool inputs_take_period(const struct inputs_reader *r, struct slice text, int64_t *ret);
/** Takes a line of the statement (a statement_line_fn). */
enum accord_error inputs_take_statement_line(void *context, const struct statement_line *line);
/** Takes rows of pools (ingest/inputs_pools.c). */
enum accord_error inputs_take_pool(struct inputs_reader *r, struct slice text);
enum accord_error inputs_take_sheet(struct inputs_reader *r, struct slice text);
enum accord_error inputs_take_member(struct inputs_reader *r, struct slice text);
/** Divides the sheet at hand, if there is one, and compares. */
enum accord_error inputs_end_sheet(struct inputs_reader *r);
/** NULL is a no-op. */
void inputs_sheet_free(struct inputs_sheet *sheet);
/** Takes an order's row (ingest/inputs_order.c). */
enum accord_error inputs_take_order(struct inputs_reader *r, struct slice text);
/** Takes what follows from no order (ingest/inputs_others.c). */
enum accord_error inputs_take_term(struct inputs_reader *r, struct slice text);
enum accord_error inputs_take_entry(struct inputs_reader *r, struct slice text);

/** Rates by the versions of the file, of struct inputs_rate_row. */
enum accord_error inputs_read_rates(struct inputs_reader *r, const struct json_array *rates,
                                    const struct accord_rate_pin **ret);
/** Adds what stands for a line, up to the period. */
enum accord_error inputs_add_settled(struct inputs_reader *r, const struct settled *settled,
                                     int64_t line, struct statement_groups *groups);
/** Takes away what was posted of a line. */
enum accord_error inputs_take_away(struct inputs_reader *r, const struct inputs_group_row *posted,
                                   struct statement_groups *groups);

#endif
