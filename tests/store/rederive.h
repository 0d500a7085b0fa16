/* A statement computed again from the inputs that its close kept: it must be the same. */
#ifndef ACCORD_TESTS_REDERIVE_H
#define ACCORD_TESTS_REDERIVE_H

#include "closing.h"
#include "ingest/inputs.h"
#include "store/statement_inputs.h"

static inline enum accord_error rederive_take_piece(void *context, int64_t number,
                                                    struct slice body)
{
    (void)number;
    buf_add_slice(context, body);
    return ACCORD_OK;
}

static inline void rederive_take_line(void *context, struct slice line)
{
    buf_add_slice(context, line);
    buf_add_char(context, '\n');
}

/* The file of inputs, in the arena of the books. */
static inline struct slice rederive_file(struct books *b, const char *statement)
{
    struct buf out;
    buf_init(&out, (size_t)64 << 20);
    ck_assert_int_eq(
        store_statement_inputs_each(b->db, statement, 0, INT32_MAX, rederive_take_piece, &out),
        ACCORD_OK);
    const size_t len = out.len;
    const char *file = arena_strdup(b->arena, buf_slice(&out));
    buf_done(&out);
    return (struct slice){file, len};
}

/* Reads a file in pieces of `step` bytes. */
static inline enum accord_error rederive_read(struct slice file, size_t step, struct buf *lines,
                                              struct inputs_result *ret)
{
    struct inputs_reader *reader;
    ck_assert_int_eq(inputs_reader_new(lines == NULL ? NULL : rederive_take_line, lines, &reader),
                     ACCORD_OK);
    for (size_t at = 0; at < file.len; at += step)
        inputs_reader_take(
            reader, (struct slice){file.data + at, file.len - at < step ? file.len - at : step});
    const enum accord_error error = inputs_reader_end(reader, ret);
    inputs_reader_free(reader);
    return error;
}

/* Returns the file. */
static inline struct slice rederive(struct books *b, const struct statement_row *row)
{
    struct inputs_result result = {.why = ""};
    struct buf lines;
    char hex[HASH_HEX_MAX];
    const struct slice file = rederive_file(b, row->id);
    const char *given = closing_lines(b, row);
    buf_init(&lines, (size_t)64 << 20);
    const enum accord_error error = rederive_read(file, 1 + file.len / 7, &lines, &result);
    ck_assert_msg(error == ACCORD_OK && result.agrees, "%s: %s\n%s\nlines:\n%.*s\nnot\n%s",
                  row->partner, result.why, file.data, (int)lines.len, lines.data, given);
    ck_assert(slice_equal(buf_slice(&lines), slice_of(given)));
    ck_assert(hash_equal(&result.lines_hash, &row->lines_hash));
    ck_assert_int_eq(result.closing, row->closing);
    ck_assert_int_eq(result.due, row->due);
    ck_assert(!result.zone_differs);
    ck_assert_str_eq(result.statement, row->id);
    hash_hex(&result.inputs_hash, hex);
    closing_says(row, books_text(b, "\"inputs_hash\":\"%s\"", hex));
    buf_done(&lines);
    return file;
}

#endif
