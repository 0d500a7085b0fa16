/* Closing periods of a test's books, and what its statements say. */
#ifndef ACCORD_TESTS_CLOSING_H
#define ACCORD_TESTS_CLOSING_H

#include <inttypes.h>

#include "books.h"
#include "ingest/close.h"
#include "ingest/inputs.h"
#include "ingest/simulate.h"
#include "ingest/statement_lines.h"
#include "store/statement_inputs.h"
#include "store/statements.h"
#include "json/decode.h"

/* Tries to close; copies what was published into the arena of the books. */
static inline enum accord_error closing_try(struct books *b, const char *agreement,
                                            const char *label, struct close_result *ret)
{
    struct close_result result = {.count = 0};
    books_begin(b);
    const enum accord_error error = close_period(b->tx, agreement, label, "op", &result);
    if (error != ACCORD_OK) {
        books_roll_back(b);
        return error;
    }
    *ret = result;
    ret->statements = arena_array(b->arena, result.count + 1, sizeof *ret->statements);
    for (size_t i = 0; i < result.count; i++) {
        struct statement_row *row = &ret->statements[i];
        *row = result.statements[i];
        row->id = arena_strdup(b->arena, slice_of(row->id));
        row->partner = arena_strdup(b->arena, slice_of(row->partner));
        row->previous = arena_strdup(b->arena, slice_of(row->previous));
        row->body.data = arena_strdup(b->arena, row->body);
    }
    books_commit(b);
    return ACCORD_OK;
}

static inline void closing_refuse(struct books *b, const char *agreement, const char *label,
                                  enum accord_error why)
{
    struct close_result result;
    ck_assert_str_eq(accord_error_code(closing_try(b, agreement, label, &result)),
                     accord_error_code(why));
}

/* What closing would publish now. */
static inline struct close_result closing_draft(struct books *b, const char *agreement,
                                                const char *label)
{
    struct close_result result;
    ck_assert_int_eq(db_begin(b->db), ACCORD_OK);
    const enum accord_error error =
        close_draft(b->db, b->arena, agreement, label, clock_now_us(), &result);
    ck_assert_msg(error == ACCORD_OK, "%s %s: %s", agreement, label, accord_error_code(error));
    db_rollback(b->db);
    return result;
}

static inline const struct statement_row *closing_of(const struct close_result *result,
                                                     const char *partner)
{
    for (size_t i = 0; i < result->count; i++)
        if (strcmp(result->statements[i].partner, partner) == 0)
            return &result->statements[i];
    ck_abort_msg("%s has no statement", partner);
    return NULL;
}

/* Does the body say this? */
static inline void closing_says(const struct statement_row *row, const char *text)
{
    ck_assert_msg(strstr(row->body.data, text) != NULL, "%s is not in %s", text, row->body.data);
}

/* ---- lines ---- */

struct closing_reading {
    const char *partner;
    struct arena *arena;
    struct buf *out;
};

static inline enum accord_error closing_take(void *context, const struct statement_line *line)
{
    const struct closing_reading *reading = context;
    struct statement_part part;
    ck_assert_int_eq(statement_part_of(line, reading->partner, &part), ACCORD_OK);
    if (!part.visible)
        return ACCORD_OK;
    struct buf one;
    struct slice canonical;
    buf_init(&one, 1 << 20);
    statement_line_write(&one, line, &part);
    ck_assert_int_eq(buf_error(&one), ACCORD_OK);
    ck_assert_int_eq(json_canonical(reading->arena, buf_slice(&one), &canonical), ACCORD_OK);
    ck_assert_msg(slice_equal(canonical, buf_slice(&one)), "not canonical: %.*s", (int)one.len,
                  one.data);
    buf_add_slice(reading->out, canonical);
    buf_add_char(reading->out, '\n');
    buf_done(&one);
    return ACCORD_OK;
}

/* The lines of a published statement as NDJSON, whose hash is what the statement says. */
static inline const char *closing_lines(struct books *b, const struct statement_row *row)
{
    struct agreement_periods periods;
    bool found;
    struct buf out;
    buf_init(&out, 1 << 24);
    struct closing_reading reading = {row->partner, b->arena, &out};
    ck_assert_int_eq(periods_of(b->db, b->arena, row->agreement, &found, &periods), ACCORD_OK);
    ck_assert(found);
    ck_assert_int_eq(
        statement_lines_each(b->db, &periods, row->day, NULL, NULL, closing_take, &reading),
        ACCORD_OK);
    ck_assert_int_eq(buf_error(&out), ACCORD_OK);
    const struct hash hash = hash_of(buf_slice(&out));
    ck_assert(hash_equal(&hash, &row->lines_hash));
    const char *lines = arena_strdup(b->arena, buf_slice(&out));
    buf_done(&out);
    return lines;
}

/* ---- computed again from the inputs that the close kept ---- */

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

/* Closes books that a test has tampered with: their facts do not give the statement. */
static inline struct close_result closing_forged(struct books *b, const char *agreement,
                                                 const char *label)
{
    struct close_result result;
    const enum accord_error error = closing_try(b, agreement, label, &result);
    ck_assert_msg(error == ACCORD_OK, "%s %s: %s (%s)", agreement, label, accord_error_code(error),
                  db_message(b->db));
    return result;
}

/* Closes a period; every statement is computed again. */
static inline struct close_result closing_do(struct books *b, const char *agreement,
                                             const char *label)
{
    const struct close_result result = closing_forged(b, agreement, label);
    for (size_t i = 0; i < result.count; i++)
        rederive(b, &result.statements[i]);
    return result;
}

/* ---- simulations ---- */

struct body_terms {
    struct slice terms;
    struct slice rest;
};
static const struct json_field body_terms_fields[] = {JSON_RAW(struct body_terms, terms)};
static const struct json_object body_terms_spec =
    JSON_OBJECT_OPEN(struct body_terms, body_terms_fields, rest);

/* With the terms of today in the place of those of today a simulation is the draft. */
static inline void closing_simulate(struct books *b, const char *agreement, const char *label,
                                    const struct close_result *draft)
{
    struct agreement_periods periods;
    bool found;
    ck_assert_int_eq(periods_of(b->db, b->arena, agreement, &found, &periods), ACCORD_OK);
    size_t governs = 0; /* the last that begins before the period ends */
    for (size_t i = 0; i < periods.version_count; i++)
        if (periods.versions[i].terms.effective_from_us < period_to(&periods, periods.open))
            governs = i;
    for (int same = 0; same < 2; same++) {
        struct simulation_ask ask = {.agreement = agreement, .label = label};
        struct simulation simulation;
        struct body_terms body = {.terms = {NULL, 0}};
        struct json_problems problems = {.count = 0};
        ck_assert_int_eq(
            json_decode(b->arena, periods.bodies[governs], &body_terms_spec, "", &body, &problems),
            ACCORD_OK);
        if (same == 1)
            ask.terms = body.terms;
        const enum accord_error error = simulate(b->db, b->arena, &ask, &simulation, &problems);
        ck_assert_msg(error == ACCORD_OK, "%s: %s %s", label, accord_error_code(error),
                      problems.items[0].message);
        ck_assert_uint_eq(simulation.result.count, draft->count);
        for (size_t i = 0; i < draft->count; i++)
            ck_assert_msg(
                slice_equal(simulation.result.statements[i].body, draft->statements[i].body),
                "%d: %s\nnot\n%s", same, simulation.result.statements[i].body.data,
                draft->statements[i].body.data);
        for (size_t i = 0; i < simulation.payee_count; i++)
            ck_assert_int_eq(simulation.payees[i].amount, simulation.payees[i].today);
        buf_done(&simulation.lines);
    }
}

#endif
