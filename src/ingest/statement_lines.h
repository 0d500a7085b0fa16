/**
 * The lines of a statement, from entries and window lines: one set of rows for the hash, for JSON,
 * NDJSON and CSV.
 *
 * A statement's lines are what was booked in its period: for each sale line, own period and version
 * the sum of its entries, in order of (sale, line, own period, version), then the lines of windows.
 * A party of the version sees all of a line; a promoter only its own amount, of lines that give it
 * one.
 */
#ifndef INGEST_STATEMENT_LINES_H
#define INGEST_STATEMENT_LINES_H

#include "base/buf.h"
#include "ingest/windows.h"
#include "store/entries.h"

enum { STATEMENT_LINE_ID_MAX = 72 };

/** A line as everybody together sees it. Texts are valid during the callback only. */
struct statement_line {
    char id[STATEMENT_LINE_ID_MAX]; /**< "s<sale_seq>.<line>.<k>", "w<number>" */
    const char *kind;               /**< "sale", "membership", "challenge", or of
                                         accord_window_line */
    bool is_window;                 /**< then only period, version and payees are filled */
    int64_t period;                 /**< first day of its own period */
    char label[PERIOD_LABEL_MAX];   /**< of that */
    bool difference;                /**< its own period was closed before */
    int64_t version;
    const struct agreement_version *terms;
    int64_t sale_seq;
    int64_t line;
    const char *channel;
    bool is_term;         /**< a month of a membership's term */
    bool is_entry;        /**< what an entry of a challenge left of its deposit */
    const char *order_id; /**< or the membership's or entry's id */
    const char *line_id;  /**< or the term's id, "" for the first; not of an entry */
    const char *provider;
    const char *course_id;
    const char *currency;   /**< of the sale: of all amounts above net */
    instant_us occurred_at; /**< of a month: when the first of it that is recognised begins; of an
                                 entry: when it joined */
    int64_t numbers[ENTRY_NUMBERS];
    struct entry_share payees[ENTRY_SHARES_MAX]; /**< not ACCORD_PAYEE_WINDOW; none is zero */
    size_t payee_count;
    int64_t open; /**< left to the window */
};

typedef enum accord_error statement_line_fn(void *context, const struct statement_line *line);

/** Where reading goes on: behind that line. Zeroed with begun = false: at the beginning. */
struct statement_place {
    bool begun;
    bool is_window;
    int64_t sale_seq;
    int64_t line;
    int64_t k;
    int64_t number; /**< of a window line */
};
/** Reads a line's id; false when it is none. */
bool statement_place_of(struct slice id, struct statement_place *ret);

/**
 * Calls back with every line booked in a period, for all parties; stops with the first error.
 *
 * @param windows  window lines of the period; NULL: the stored ones
 */
enum accord_error statement_lines_each(struct db *db, const struct agreement_periods *periods,
                                       int64_t booked, const struct window_lines *windows,
                                       const struct statement_place *after, statement_line_fn *each,
                                       void *context);

/** What one sale line comes to, by own period and version: `day` is the period's first. */
struct statement_groups {
    struct entry_row *items;
    size_t count;
    size_t cap;
};
/** The group of a period and version, made when there is none; NULL when out of memory. */
struct entry_row *statement_group_of(struct arena *arena, struct statement_groups *groups,
                                     int64_t period, int64_t version);
/** When what is recognised of a term in a month begins: with the day, in the first month with the
 *  term. */
instant_us statement_month_begins(const struct agreement_periods *periods, instant_us term_from,
                                  int64_t day);
/** Calls back with the lines of one sale line; sorts its groups. `head` says which one it is: what
 *  all its lines have in common. */
enum accord_error statement_sale_lines(const struct agreement_periods *periods, int64_t booked,
                                       const struct statement_line *head,
                                       const struct statement_groups *groups,
                                       statement_line_fn *each, void *context);
/** Calls back with the lines of windows. */
enum accord_error statement_window_lines(const struct agreement_periods *periods, int64_t booked,
                                         const struct window_lines *windows,
                                         statement_line_fn *each, void *context);

/** What a line is to one partner. */
struct statement_part {
    bool visible;
    bool party; /**< of the version: sees all of it */
    int64_t earned;
    int64_t position; /**< earned; of the collector on a sale line earned less net */
};
enum accord_error statement_part_of(const struct statement_line *line, const char *partner,
                                    struct statement_part *ret);

/** Writes a line for a partner as canonical JSON, without a line break. */
void statement_line_write(struct buf *out, const struct statement_line *line,
                          const struct statement_part *part);

#endif
