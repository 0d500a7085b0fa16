/**
 * The inputs of a statement: one file of canonical JSON lines from which its lines, its closing
 * balance and what is due follow, offline. Its hash stands in the statement's body; this file says
 * what it holds, the close writes it, and inputs_reader computes the statement again.
 *
 *     {"kind":"inputs", …}     whose statement it is, what was known (cutoff), the opening balance
 *                              and the statement before. derived: lines follow from orders; else
 *                              they are given. That is so for a promoter, who may not see the
 *                              whole of a line, for a party that is not one of all versions
 *                              concerned, and where memberships or challenges are among the lines
 *                              for all but their channel and the operator
 *     {"kind":"version", …}    an agreement version that the partner signed; effective_to is where
 *                              its time ended, in microseconds
 *     {"kind":"settings", …}   instead of the version that governs payment, where the partner is no
 *                              party of it
 *     {"kind":"part", …}       what the lines of earlier statements brought to a version in a
 *                              period: the sums that windows are folded over; `learners` is that
 *                              of now, by window
 *     {"kind":"posted", …}     window lines of earlier statements, summed up
 *     {"kind":"pool", …}       what a provider gets of a month of a pool, with the hash of all that
 *                              the month was divided by
 *     {"kind":"sheet", …}      how a month of a pool that is open (`open_inputs`) was divided, and
 *                              what the statement's partner (`own`, its place in the weights) got
 *                              of it in all; of months divided since the statement before
 *     {"kind":"member", …}     then each member, under a name of this statement: what it put in,
 *                              and pairs of a provider's place and units
 *     {"kind":"order", …}      an order with a line in this statement: what counts of it, and what
 *                              earlier statements say of its lines. spread: other lines are left
 *                              out, and refunds of the whole order stand as they reached each
 *                              line. touches: those that a referral may be paid on, with what was
 *                              known of their promoters
 *     {"kind":"term", …}       likewise a term of a membership: what was bought, the cancellations
 *                              that stop it, and its months with lines in this statement
 *     {"kind":"entry", …}      likewise an entry of a challenge: its part of its round's fee
 *     {"kind":"line", …}       a line that is given
 *     {"kind":"adjustment", …} {"kind":"payment", …}
 *     {"kind":"hold", …}       what is not due yet: earnings of young sales, reserves of statements
 *                              before
 *     {"kind":"end", …}        what the statement says
 *
 * They come in this order; orders, terms and entries together by their numbers. Facts that were
 * superseded, voided or reversed are not in it.
 */
#ifndef INGEST_INPUTS_H
#define INGEST_INPUTS_H

#include "base/buf.h"
#include "base/hash.h"
#include "ingest/periods.h"
#include "ingest/windows.h"
#include "store/entries.h"
#include "store/statements.h"

enum { INPUTS_FORMAT = 1 };

/* ---- what an order's row says ---- */

/** A line of an order that earlier statements speak of. */
struct inputs_posted {
    int64_t line;
    const char *line_id;
    const char *provider;
    const char *course_id;
    const struct entry_row *group; /**< sums of one own period and version; day: the period's first
                                    */
};

struct inputs_order {
    int64_t sale_seq;
    const struct accord_order *order; /**< lines: those that stand; `rates` by version */
    const int64_t *places;            /**< of each line in the order as sold */
    const struct accord_refund *refunds;
    size_t refund_count;
    bool spread;
    const struct agreement_version *versions; /**< what rates belong to */
    size_t version_count;
    const struct inputs_posted *posted;
    size_t posted_count;
};
extern const char *const inputs_touch_kinds[]; /**< by enum accord_touch_kind; ends with NULL */
struct json_writer;
/** Writes the rates of an order, by version; `pins` may be NULL. */
void inputs_write_rates(struct json_writer *w, const struct accord_rate_pin *pins,
                        const struct agreement_version *versions, size_t count);
/** Writes what earlier statements say of a line, as an object. */
void inputs_write_posted(struct json_writer *w, const struct inputs_posted *posted);
/** Writes it as one line. */
void inputs_write_order(struct buf *out, const struct inputs_order *order);

/* ---- again ---- */

/** What a file comes to, and what it says that it comes to. */
struct inputs_result {
    char statement[STATEMENT_ID_MAX];
    struct hash inputs_hash; /**< of the bytes read */
    struct hash lines_hash;
    int64_t lines;
    int64_t closing;
    int64_t due;
    bool agrees;
    bool zone_differs; /**< this machine's data of the time zone is of another version */
    char why[256];     /**< of a refusal, with the line's number; or what does not agree */
};

struct inputs_reader;
/** Gets each line of the statement, as its NDJSON has it. */
typedef void inputs_line_fn(void *context, struct slice line);

/** @param each  may be NULL */
enum accord_error inputs_reader_new(inputs_line_fn *each, void *context,
                                    struct inputs_reader **ret);
/** NULL is a no-op. */
void inputs_reader_free(struct inputs_reader *reader);
/** Takes the next bytes of the file. After an error, inputs_reader_end() says why. */
enum accord_error inputs_reader_take(struct inputs_reader *reader, struct slice bytes);
/**
 * Ends the file.
 *
 * @return ACCORD_OK: ret->agrees says whether it comes to what it says; ACCORD_E_JSON_INVALID,
 *         ACCORD_E_FIELDS_INVALID and others: it is no such file, ret->why says where;
 *         ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error inputs_reader_end(struct inputs_reader *reader, struct inputs_result *ret);

#endif
