/* Why a line of a statement says what it says. */
#include <string.h>

#include "api/challenges.h"
#include "api/explain.h"
#include "api/membership_explain.h"
#include "api/order_explain.h"
#include "api/pool_explain.h"
#include "api/settlement_call.h"
#include "api/statement_call.h"
#include "api/statement_lines.h"
#include "ingest/statement_lines.h"
#include "store/statements.h"

enum { STEPS_MAX = 4096 };

struct explain_call {
    const char *id;
    const char *line_id;
    struct statement_summary statement;
    struct statement_row row;
    struct agreement_periods periods;
    struct statement_line line; /* its texts are the arena's */
    struct statement_part part;
    struct order_line_explained after;
    struct order_line_explained before;
    struct membership_line_explained term_after; /* of a month of a membership */
    struct membership_line_explained term_before;
    struct challenge_line_explained entry; /* of a challenge */
    struct accord_step *steps;             /* of a window */
    size_t step_count;
    struct pool_explained pools; /* of a share of a pool */
    bool out_of_memory;
    bool exact;
    bool not_modified;
};

static void prepare(struct call *call)
{
    struct explain_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return;
    state->id = call_arg(call, 0);
    state->line_id = call_arg(call, 1);
}

/* ---- a sale, or a month of a membership ---- */

static bool explain_at(struct call *call, struct explain_call *state, int64_t cutoff, bool before)
{
    if (state->line.is_term) {
        const struct membership_line_ask ask = {.name = {state->line.channel, state->line.order_id},
                                                .seq = state->line.sale_seq,
                                                .line = state->line.line,
                                                .agreement = state->row.agreement,
                                                .partner = state->row.partner,
                                                .cutoff = cutoff};
        return membership_line_explain(call, &ask,
                                       before ? &state->term_before : &state->term_after);
    }
    const struct order_line_ask ask = {.channel = state->line.channel,
                                       .order_id = state->line.order_id,
                                       .line = state->line.line,
                                       .agreement = state->row.agreement,
                                       .partner = state->row.partner,
                                       .cutoff = cutoff};
    return order_line_explain(call, &ask, before ? &state->before : &state->after);
}

static int64_t earned_by(const struct explain_call *state, int64_t version, int64_t earned)
{
    return version == state->line.version ? earned : 0;
}

/* A difference is what the line came to when this period was closed, less what it had come to when
 * the one before was. */
static void explain_sale(struct call *call, struct explain_call *state)
{
    struct statement_row previous;
    bool found = false;
    if (!explain_at(call, state, state->row.seq - 1, false))
        return;
    if (state->line.difference && *state->row.previous != '\0' &&
        (call_check(call, store_statement_find(call->db, call->arena, state->row.previous, &found,
                                               &previous)) ||
         (found && !explain_at(call, state, previous.seq - 1, true))))
        return;
    const bool term = state->line.is_term;
    const int64_t after = earned_by(state, term ? state->term_after.version : state->after.version,
                                    term ? state->term_after.earned : state->after.earned);
    const int64_t before =
        earned_by(state, term ? state->term_before.version : state->before.version,
                  term ? state->term_before.earned : state->before.earned);
    state->exact = state->part.earned == after - before; /* cannot overflow: both are amounts */
}

/* As it stands now: a round is settled as a whole. */
static void explain_entry(struct call *call, struct explain_call *state)
{
    const struct challenge_name name = {state->line.channel, state->line.order_id};
    if (challenge_line_explain(call, &name, state->row.agreement, state->row.partner,
                               &state->entry))
        state->exact =
            !state->line.difference &&
            state->part.earned == earned_by(state, state->entry.version, state->entry.earned);
}

/* ---- a window ---- */

static void collect(void *context, size_t line, const struct accord_step *step)
{
    struct explain_call *state = context;
    (void)line;
    if (state->step_count < STEPS_MAX)
        state->steps[state->step_count++] = *step;
    else
        state->out_of_memory = true;
}

static bool is_same(const struct window_row *row, const struct statement_line *line)
{
    return row->day == line->period && row->version == line->version &&
           strcmp(row->kind, line->kind) == 0 && strcmp(row->payee, line->payees[0].payee) == 0;
}

static int64_t sum_of(const struct window_row *rows, size_t count,
                      const struct statement_line *line)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        if (is_same(&rows[i], line))
            sum += rows[i].amount; /* parts of what was added up when it was settled */
    return sum;
}

/* The fold stands on the sums of now: it is what was posted as long as these have not changed. */
static void explain_window(struct call *call, struct explain_call *state)
{
    const struct statement_line *line = &state->line;
    const struct windows_steps steps = {line->period, line->version, collect, state};
    struct window_lines now;
    struct window_row *posted;
    size_t count;
    state->steps = arena_array(call->arena, STEPS_MAX, sizeof *state->steps);
    if (call_check(call, state->steps == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK) ||
        call_check(call, windows_explain(call->db, call->arena, &state->periods, state->row.day,
                                         &steps, &now)) ||
        call_check(call, store_window_posted(call->db, call->arena, state->row.agreement,
                                             period_after(state->periods.quarterly, state->row.day),
                                             &posted, &count)))
        return;
    if (state->out_of_memory) {
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
        return;
    }
    state->exact = sum_of(now.rows, now.count, line) == sum_of(posted, count, line);
    if (strcmp(line->kind, "pool") == 0 || strcmp(line->kind, "late_usage") == 0)
        call_check(call,
                   pool_explain(call, &state->periods, state->row.agreement, line, &state->pools));
}

/* ---- both ---- */

static void read(struct call *call)
{
    struct explain_call *state = call->state;
    bool found;
    if (!statement_visible(call, state->id, INT64_MIN, &state->statement) ||
        call_check(call, statement_line_load(call->db, call->arena, state->id,
                                             slice_of(state->line_id), &found, &state->row,
                                             &state->periods, &state->line, &state->part)))
        return;
    if (!found)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (state->line.is_window)
        explain_window(call, state);
    else if (state->line.is_entry)
        explain_entry(call, state);
    else
        explain_sale(call, state);
}

static void write_window(struct json_writer *w, const struct explain_call *state)
{
    jw_key(w, "after");
    jw_object(w);
    jw_key(w, "steps");
    jw_array(w);
    for (size_t i = 0; i < state->step_count; i++) {
        struct accord_step step = state->steps[i];
        if (step.currency.code[0] == '\0')
            step.currency = settlement_currency(state->row.currency);
        explain_write_step(w, &step);
    }
    jw_array_end(w);
    if (state->pools.count > 0)
        pool_explained_write(w, &state->pools, settlement_currency(state->row.currency));
    jw_object_end(w);
    jw_key_null(w, "before");
}

static void answer(struct call *call)
{
    const struct explain_call *state = call->state;
    const struct accord_currency currency = settlement_currency(state->row.currency);
    struct buf body;
    struct json_writer w;
    buf_init(&body, (size_t)16 << 20);
    jw_init(&w, &body);
    jw_object(&w);
    jw_key_str(&w, "statement", state->id);
    jw_key_str(&w, "line", state->line_id);
    jw_key_str(&w, "kind", state->line.kind);
    jw_key_str(&w, "period", state->line.label);
    jw_key_bool(&w, "difference", state->line.difference);
    jw_key_int(&w, "version", state->line.version);
    jw_key_money(&w, "earned", state->part.earned, currency);
    jw_key_money(&w, "position", state->part.position, currency);
    jw_key_bool(&w, "exact", state->exact);
    if (state->line.is_window) {
        write_window(&w, state);
    } else if (state->line.is_entry) {
        jw_key(&w, "after");
        challenge_line_write(&w, &state->entry);
        jw_key_null(&w, "before");
    } else if (state->line.is_term) {
        jw_key(&w, "after");
        membership_line_write(&w, &state->term_after);
        jw_key(&w, "before");
        membership_line_write(&w, &state->term_before);
    } else {
        jw_key(&w, "after");
        order_line_write(call, &w, &state->after);
        jw_key(&w, "before");
        order_line_write(call, &w, &state->before);
    }
    jw_object_end(&w);
    call_json_hashed(call, &body);
}

const struct operation statement_explain_operations[] = {
    {.id = "explainStatementLine",
     .method = "GET",
     .pattern = "/v1/statements/{statement}/lines/{line}/explain",
     .scope = SCOPE_STATEMENTS_READ,
     .run = RUN_JOB,
     .prepare = prepare,
     .read = read,
     .answer = answer},
};
const size_t statement_explain_operation_count =
    sizeof statement_explain_operations / sizeof statement_explain_operations[0];
