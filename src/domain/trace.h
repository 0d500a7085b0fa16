/* How the code that computes tells what it does: steps and their exact values. */
#ifndef ACCORD_DOMAIN_TRACE_H
#define ACCORD_DOMAIN_TRACE_H

#include "accord/settle.h"
#include "domain/fraction.h"

/** Where the steps go; a NULL function: nowhere. */
struct trace {
    accord_step_fn *step;
    void *context;
};

static inline void trace_step(const struct trace *trace, size_t line,
                              const struct accord_step *step)
{
    if (trace->step != NULL)
        trace->step(trace->context, line, step);
}

/** amount · num / den rounded half to even, for amount >= 0, 0 <= num, 0 < den. Fills the exact
 *  value, lowest terms, and the rounding of `ret_step` unless it is NULL; not its amount. */
enum accord_error trace_scale(int64_t amount, int64_t num, int64_t den, int64_t *ret,
                              struct accord_step *ret_step);

/** Sets a step's exact value num / den, lowest terms, |num / den| < 2^64, and its rounding. */
void trace_exact(wide num, uint64_t den, const char *rounding, struct accord_step *ret_step);

/** Sets a step's exact value and rounding from one part of a split of `whole` over weights that
 *  add up to weight_sum. */
void trace_share(const struct accord_share *share, int64_t whole, int64_t weight_sum,
                 struct accord_step *ret_step);

#endif
