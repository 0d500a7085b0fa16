/**
 * Reads CSV (RFC 4180) row by row from a contiguous text: memory or a mapped file. Quoted line
 * breaks, CR, LF and CRLF row ends, and a UTF-8 byte order mark are understood; the delimiter is a
 * comma. Memory is bounded by the longest row that is accepted. Tokenising is libcsv's.
 *
 * A row that cannot be read (a stray or an unclosed quote, too many bytes) is reported alone: the
 * reader goes on at the line after the one where that row began, so one stray quote does not
 * swallow the rest of a file. Not thread-safe.
 */
#ifndef INGEST_CSV_H
#define INGEST_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"
#include "base/slice.h"

struct csv_reader;

enum { CSV_CELLS_MAX = 1024 };

struct csv_row {
    const struct slice *cells; /**< valid until the next call */
    size_t count;              /**< 0: no more rows */
    uint64_t line;             /**< where the row begins, 1-based */
};

/**
 * @param text     borrowed until csv_close()
 * @param row_max  bytes of one row, quotes and line breaks included
 */
enum accord_error csv_open(struct slice text, size_t row_max, struct csv_reader **ret);
void csv_close(struct csv_reader *reader);

/**
 * The next row that is not blank.
 *
 * @return ACCORD_OK (count 0 at the end); ACCORD_E_CSV_INVALID or ACCORD_E_ELEMENT_TOO_LARGE: this
 *         row only (ret->line is set, count is 0) unless csv_is_broken(); ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error csv_next(struct csv_reader *reader, struct csv_row *ret);

/** So much had to be read again after broken rows that the reader gave up: the rest is unread. */
bool csv_is_broken(const struct csv_reader *reader);

#endif
