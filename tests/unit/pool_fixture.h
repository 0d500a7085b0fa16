/* Members and payees as a table of units, for what tests pools. */
#ifndef ACCORD_TESTS_POOL_FIXTURE_H
#define ACCORD_TESTS_POOL_FIXTURE_H

#include "accord/pool.h"

#include <stdbool.h>
#include <string.h>

#include "unit.h"

__extension__ typedef __int128 i128;

enum { PAYEES = 8, MEMBERS = 12 };

/* Exact shares are compared in billionths of a minor unit. */
static const int64_t nano = 1000000000;

struct instance {
    size_t members;
    uint32_t payees;
    int64_t fees[MEMBERS];
    int64_t units[MEMBERS][PAYEES];
};

struct outcome {
    int64_t amounts[PAYEES];
    int64_t unclaimed;
    i128 exact[PAYEES]; /* before rounding, in nano */
    char texts[PAYEES][ACCORD_EXACT_TEXT];
    int64_t counted[PAYEES];
    struct accord_step steps[PAYEES];
    int64_t fees;
    int64_t idle;
    int64_t told_unclaimed;
};

/* An assertion that passes costs a write, and there are hundreds of thousands of pools. */
static inline void must_be_ok(enum accord_error err)
{
    if (err != ACCORD_OK)
        ck_abort_msg("error %d", (int)err);
}

static inline void see_pool_step(void *context, size_t line, const struct accord_step *step)
{
    struct outcome *outcome = context;
    if (line == SIZE_MAX) {
        if (strcmp(step->op, "fees") == 0)
            outcome->fees = step->amount;
        else if (strcmp(step->op, "idle") == 0)
            outcome->idle = step->amount;
        else if (strcmp(step->op, "unclaimed") == 0)
            outcome->told_unclaimed = step->amount;
        else
            ck_abort_msg("step %s of nobody", step->op);
        return;
    }
    if (line >= PAYEES)
        ck_abort_msg("a step of payee %zu", line);
    if (strcmp(step->op, "units") == 0) {
        outcome->counted[line] = step->amount;
        return;
    }
    if (strcmp(step->op, "pool") != 0)
        ck_abort_msg("step %s of a payee", step->op);
    outcome->steps[line] = *step;
    accord_step_exact_text(step, outcome->texts[line]);
    const i128 magnitude =
        (i128)step->exact_floor * nano + (i128)step->exact_num * nano / (i128)step->exact_den;
    outcome->exact[line] = step->exact_negative ? -magnitude : magnitude;
}

static inline enum accord_error add_member(struct accord_pool *pool,
                                           const struct instance *instance, size_t member)
{
    struct accord_pool_cell cells[PAYEES];
    size_t count = 0;
    for (uint32_t i = 0; i < instance->payees; i++)
        if (instance->units[member][i] > 0)
            cells[count++] =
                (struct accord_pool_cell){.payee = i, .units = instance->units[member][i]};
    return accord_pool_user(pool, instance->fees[member], cells, count);
}

/* Divides an instance; leaves out one member (SIZE_MAX: none). */
static inline struct outcome divide_without(const struct accord_pool_terms *terms,
                                            const struct instance *instance, size_t left_out)
{
    struct outcome outcome = {0};
    struct accord_pool *pool = NULL;
    struct accord_pool_terms of_size = *terms;
    of_size.payee_count = instance->payees;
    must_be_ok(accord_pool_new(&of_size, &pool));
    for (size_t u = 0; u < instance->members; u++)
        if (u != left_out)
            must_be_ok(add_member(pool, instance, u));
    must_be_ok(
        accord_pool_explain(pool, outcome.amounts, &outcome.unclaimed, see_pool_step, &outcome));
    accord_pool_free(pool);
    return outcome;
}

static inline struct outcome divide_pool(const struct accord_pool_terms *terms,
                                         const struct instance *instance)
{
    return divide_without(terms, instance, SIZE_MAX);
}

#endif
