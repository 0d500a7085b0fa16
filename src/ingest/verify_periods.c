/*
 * Closed periods: their statements must be what was booked in them. Nothing is booked in a closed
 * period any more, so their lines can be read again at any time.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/closing.h"
#include "ingest/verify_parts.h"
#include "store/booked.h"
#include "store/pool_months.h"
#include "store/postings.h"
#include "store/statement_inputs.h"

enum { CLOSINGS_BYTES_MAX = 1 << 30, LINE_BYTES_MAX = 1 << 20 };

/* ---- when periods were closed ---- */

struct closings {
    struct arena *arena;
    struct closing_mark {
        const char *agreement;
        int64_t day;
        int64_t seq;
    } * marks; /* by agreement and day */
    size_t count;
    size_t cap;
};

static enum accord_error add_mark(void *context, const struct period_row *row)
{
    struct closings *closings = context;
    const struct closing_mark *last =
        closings->count == 0 ? NULL : &closings->marks[closings->count - 1];
    const char *agreement = last != NULL && strcmp(last->agreement, row->agreement) == 0
                                ? last->agreement
                                : arena_strdup(closings->arena, slice_of(row->agreement));
    if (agreement == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct closing_mark *marks = arena_room(closings->arena, closings->marks, closings->count,
                                            &closings->cap, sizeof *marks);
    if (marks == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    closings->marks = marks;
    marks[closings->count++] = (struct closing_mark){agreement, row->day, row->closed_seq};
    return ACCORD_OK;
}

enum accord_error verify_closings_load(struct verify *v)
{
    v->closings = calloc(1, sizeof *v->closings);
    if (v->closings == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    v->closings->arena = arena_new(CLOSINGS_BYTES_MAX);
    if (v->closings->arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return store_periods_each(v->db, add_mark, v->closings);
}

void verify_closings_free(struct verify *v)
{
    if (v->closings != NULL)
        arena_free(v->closings->arena);
    free(v->closings);
    v->closings = NULL;
}

int64_t verify_booked(const struct verify *v, const struct entry_row *entry)
{
    const struct agreement_version *version =
        agreement_book_find(v->book, entry->agreement, entry->version);
    if (version == NULL)
        return 0;
    /* The last mark of the agreement that was set before the entry was known. */
    size_t low = 0;
    size_t high = v->closings->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct closing_mark *mark = &v->closings->marks[middle];
        const int order = strcmp(mark->agreement, entry->agreement);
        if (order < 0 || (order == 0 && mark->seq < entry->seq))
            low = middle + 1;
        else
            high = middle;
    }
    int64_t closed = PERIOD_NONE;
    if (low > 0 && strcmp(v->closings->marks[low - 1].agreement, entry->agreement) == 0)
        closed = v->closings->marks[low - 1].day;
    return period_booked(version->quarterly, period_of_day(version->quarterly, entry->day), closed);
}

/* ---- learners ---- */

/* A number that does not depend on the order of rows, so that nothing has to be kept. */
static uint64_t learner_number(const struct window_learner_row *row)
{
    struct key key = key_of(row->agreement, NULL);
    key_number(&key, row->day);
    key_number(&key, row->version);
    key_bytes(&key, row->learner, sizeof row->learner);
    const struct hash hash = hash_of((struct slice){key.bytes, key.len});
    uint64_t number;
    memcpy(&number, hash.bytes, sizeof number);
    return number * (uint64_t)row->line_count;
}

static uint64_t member_number(const struct pool_member_row *row)
{
    struct key key = key_of(row->channel, row->pool, NULL);
    key_number(&key, row->day);
    key_bytes(&key, row->learner, row->has_learner ? sizeof row->learner : 0);
    const struct hash hash = hash_of((struct slice){key.bytes, key.len});
    uint64_t number;
    memcpy(&number, hash.bytes, sizeof number);
    return number * (uint64_t)row->fee_minor;
}

static enum accord_error take_members(struct verify *v, const struct entry_row *entries,
                                      size_t count)
{
    struct pool_member_row *rows;
    size_t row_count;
    const enum accord_error error =
        pool_members_of(v->db, v->arena, entries, count, &rows, &row_count);
    for (size_t i = 0; error == ACCORD_OK && i < row_count; i++)
        v->members += member_number(&rows[i]);
    return error;
}

static enum accord_error take_off_member(void *context, const struct pool_member_row *row)
{
    struct verify *v = context;
    v->members -= member_number(row);
    return ACCORD_OK;
}

enum accord_error verify_take_learners(struct verify *v, const struct entry_row *entries,
                                       size_t count)
{
    struct window_learner_row *rows;
    size_t row_count;
    const enum accord_error error =
        windows_learners_of(v->db, v->arena, v->book, entries, count, &rows, &row_count);
    for (size_t i = 0; error == ACCORD_OK && i < row_count; i++)
        v->learners += learner_number(&rows[i]);
    return error != ACCORD_OK ? error : take_members(v, entries, count);
}

static enum accord_error take_off_learner(void *context, const struct window_learner_row *row)
{
    struct verify *v = context;
    v->learners -= learner_number(row);
    return ACCORD_OK;
}

/* ---- one closed period ---- */

static void statement_differs(struct verify *v, const struct statement_row *row, const char *what)
{
    verify_differs(v, "statement", "%s of %s, %s %s: %s", row->id, row->partner, row->agreement,
                   row->label, what);
}

static enum accord_error check_postings(struct verify *v, const struct statement_row *row,
                                        const struct closing_account *account)
{
    int64_t earnings = 0;
    int64_t withheld = 0;
    int64_t kept = 0;
    int64_t balance = 0;
    enum accord_error error =
        store_posted(v->db, "earnings", row->id, row->partner, POSTING_SETTLEMENT, &earnings);
    if (error == ACCORD_OK)
        error = store_posted(v->db, "withholding", row->id, row->partner, POSTING_SETTLEMENT,
                             &withheld);
    if (error == ACCORD_OK)
        error =
            store_posted(v->db, "withholding", row->id, row->partner, POSTING_TAX_WITHHELD, &kept);
    if (error == ACCORD_OK)
        error = store_statement_balance(v->db, row->partner, row->agreement, row->seq, &balance);
    if (error != ACCORD_OK)
        return error;
    if (balance != row->closing)
        statement_differs(v, row, "closing is not the balance of the account");
    if (earnings != account->total.position || withheld != -kept)
        statement_differs(v, row, "its postings are not what its lines come to");
    return ACCORD_OK;
}

static enum accord_error take_input(void *context, int64_t number, struct slice body)
{
    (void)number;
    hash_add(context, body);
    return ACCORD_OK;
}

static enum accord_error check_inputs(struct verify *v, const struct statement_row *row)
{
    struct hash_stream stream;
    char hex[HASH_HEX_MAX];
    hash_begin(&stream);
    const enum accord_error error =
        store_statement_inputs_each(v->db, row->id, 0, INT32_MAX, take_input, &stream);
    if (error != ACCORD_OK)
        return error;
    const struct hash inputs = hash_end(&stream);
    hash_hex(&inputs, hex);
    if (strstr(row->body.data, hex) == NULL)
        statement_differs(v, row, "its inputs are not those that it was made from");
    return ACCORD_OK;
}

static enum accord_error check_statement(struct verify *v, struct closing *c,
                                         const struct statement_row *row,
                                         const struct statement_row *previous)
{
    struct closing_account *account;
    char id[STATEMENT_ID_MAX];
    char hex[HASH_HEX_MAX];
    const struct hash body = hash_of(row->body);
    if (!hash_equal(&body, &row->hash))
        statement_differs(v, row, "the hash is not that of the body");
    hash_hex(&row->lines_hash, hex);
    if (strstr(row->body.data, hex) == NULL)
        statement_differs(v, row, "the body names another hash of its lines");
    close_statement_id(row->partner, row->agreement, row->day, id);
    if (strcmp(row->id, id) != 0)
        statement_differs(v, row, "the id is not that of its series");
    if (strcmp(row->previous, previous == NULL ? "" : previous->id) != 0)
        statement_differs(v, row, "previous is not the statement before");
    if (row->opening != (previous == NULL ? 0 : previous->closing))
        statement_differs(v, row, "it does not open with what the one before closed with");
    enum accord_error error = closing_account_of(c, row->partner, &account);
    if (error != ACCORD_OK)
        return error;
    const struct hash lines = hash_end(&account->lines_hash);
    if (!hash_equal(&lines, &row->lines_hash))
        statement_differs(v, row, "its lines are not those that were published");
    if (row->earned != account->total.earned)
        statement_differs(v, row, "earned is not the sum of its lines");
    error = check_inputs(v, row);
    return error != ACCORD_OK ? error : check_postings(v, row, account);
}

static const struct statement_row *find_partner(const struct statement_row *rows, size_t count,
                                                const char *partner)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].partner, partner) == 0)
            return &rows[i];
    return NULL;
}

static enum accord_error check_period(struct verify *v, const struct agreement_periods *periods,
                                      int64_t day)
{
    const char *agreement = periods->versions[0].terms.agreement;
    struct closing c = {.db = v->db, .arena = v->arena, .periods = *periods, .day = day};
    struct statement_row *rows;
    struct statement_row *before;
    size_t count;
    size_t before_count;
    enum accord_error error = keymap_init(&c.index, v->arena, 16);
    buf_init(&c.line, LINE_BYTES_MAX);
    if (error == ACCORD_OK)
        error = statement_lines_each(v->db, periods, day, NULL, NULL, closing_take_line, &c);
    buf_done(&c.line);
    if (error == ACCORD_OK)
        error = store_statements_of_period(v->db, v->arena, agreement, day, &rows, &count);
    if (error == ACCORD_OK)
        error = store_statements_last(v->db, v->arena, agreement, day, &before, &before_count);
    if (error != ACCORD_OK)
        return error;
    int64_t sum = 0;
    for (size_t i = 0; i < c.count; i++) {
        if (find_partner(rows, count, c.accounts[i]->partner) == NULL)
            verify_differs(v, "statement", "%s has none of %s from day %" PRId64,
                           c.accounts[i]->partner, agreement, day);
        sum += c.accounts[i]->total.position;
    }
    if (sum != 0)
        verify_differs(v, "statement", "%s from day %" PRId64 ": positions add up to %" PRId64,
                       agreement, day, sum);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error =
            check_statement(v, &c, &rows[i], find_partner(before, before_count, rows[i].partner));
    return error;
}

/* As long as nothing has come after the last close, windows come to what is posted. */
static enum accord_error check_windows(struct verify *v, const struct agreement_periods *periods,
                                       int64_t closed_seq)
{
    const char *agreement = periods->versions[0].terms.agreement;
    const int64_t last = periods->last_closed;
    struct window_lines lines;
    struct agreement_version_row *versions;
    size_t version_count;
    bool later;
    enum accord_error error =
        store_booked_from(v->db, agreement, period_after(periods->quarterly, last), &later);
    if (error == ACCORD_OK)
        error = store_agreement_versions(v->db, v->arena, &agreement, 1, &versions, &version_count);
    int64_t divided = 0;
    if (error == ACCORD_OK)
        error = store_pool_months_seq(v->db, agreement, period_after(periods->quarterly, last),
                                      &divided);
    later |= divided > closed_seq;
    for (size_t i = 0; error == ACCORD_OK && i < version_count; i++)
        later |= versions[i].changed_seq > closed_seq;
    if (error != ACCORD_OK || later || v->head.staging > 0)
        return error;
    error = windows_to_post(v->db, v->arena, periods, last, &lines);
    struct window_row *stored;
    size_t count;
    if (error == ACCORD_OK)
        error = store_window_lines(v->db, v->arena, agreement, last, &stored, &count);
    if (error != ACCORD_OK)
        return error;
    bool same = lines.count == count;
    for (size_t i = 0; same && i < count; i++)
        same = lines.rows[i].day == stored[i].day && lines.rows[i].version == stored[i].version &&
               lines.rows[i].term == stored[i].term && lines.rows[i].amount == stored[i].amount &&
               strcmp(lines.rows[i].kind, stored[i].kind) == 0 &&
               strcmp(lines.rows[i].payee, stored[i].payee) == 0;
    if (!same)
        verify_differs(v, "window_line", "%s from day %" PRId64 ": not what its windows come to",
                       agreement, last);
    return ACCORD_OK;
}

static enum accord_error check_agreement(struct verify *v, const struct closing_mark *marks,
                                         size_t count)
{
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct agreement_periods periods;
        bool found;
        arena_reset(v->arena);
        error = periods_of(v->db, v->arena, marks[i].agreement, &found, &periods);
        if (error != ACCORD_OK)
            return error;
        if (!found) {
            verify_differs(v, "period", "%s has no version in force", marks[i].agreement);
            return ACCORD_OK;
        }
        if (i > 0 && (marks[i].day != period_after(periods.quarterly, marks[i - 1].day) ||
                      marks[i].seq <= marks[i - 1].seq))
            verify_differs(v, "period", "%s from day %" PRId64 ": closed out of order",
                           marks[i].agreement, marks[i].day);
        error = check_period(v, &periods, marks[i].day);
        if (error == ACCORD_OK && i == count - 1)
            error = check_windows(v, &periods, marks[i].seq);
    }
    return error;
}

static enum accord_error unbalanced(void *context, int64_t seq, const char *currency, int64_t sum)
{
    verify_differs(context, "posting", "seq %" PRId64 ": adds up to %" PRId64 " %s", seq, sum,
                   currency);
    return ACCORD_OK;
}

enum accord_error verify_periods(struct verify *v)
{
    const struct closings *closings = v->closings;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < closings->count;) {
        size_t end = i;
        while (end < closings->count &&
               strcmp(closings->marks[end].agreement, closings->marks[i].agreement) == 0)
            end++;
        error = check_agreement(v, &closings->marks[i], end - i);
        i = end;
    }
    if (error == ACCORD_OK)
        error = store_window_learners_each(v->db, take_off_learner, v);
    if (error == ACCORD_OK && v->learners != 0)
        verify_differs(v, "window_learner", "not what entries say of learners");
    if (error == ACCORD_OK)
        error = store_pool_members_each(v->db, take_off_member, v);
    if (error == ACCORD_OK && v->members != 0)
        verify_differs(v, "pool_member", "not what entries say that learners put in");
    if (error == ACCORD_OK)
        error = store_postings_unbalanced(v->db, unbalanced, v);
    return error;
}
