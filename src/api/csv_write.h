/**
 * CSV (RFC 4180) that is safe to open in a spreadsheet: a text that a program would take for a
 * formula gets a leading apostrophe; numbers stay numbers. Rows end with CR LF.
 */
#ifndef API_CSV_WRITE_H
#define API_CSV_WRITE_H

#include "accord/money.h"
#include "base/buf.h"

struct csv_writer {
    struct buf *out;
    bool begun; /* a cell stands before the next one of the row */
};

void csv_writer_init(struct csv_writer *csv, struct buf *out);
/** A text: one that begins with = + - @, a tab or CR gets an apostrophe before it. */
void csv_text(struct csv_writer *csv, struct slice text);
void csv_str(struct csv_writer *csv, const char *text);
/** A number as it is written, or nothing. */
void csv_number(struct csv_writer *csv, struct slice number);
void csv_int(struct csv_writer *csv, int64_t number);
/** An amount in units of its currency, exactly: 19900 fen are 199.00. */
void csv_amount(struct csv_writer *csv, int64_t amount_minor, struct accord_currency currency);
void csv_empty(struct csv_writer *csv);
void csv_row_end(struct csv_writer *csv);

#endif
