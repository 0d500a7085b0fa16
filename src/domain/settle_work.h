/* One line on its way from gross to shares: what is known of it, and its arithmetic. */
#ifndef ACCORD_DOMAIN_SETTLE_WORK_H
#define ACCORD_DOMAIN_SETTLE_WORK_H

#include "domain/refunds.h"
#include "domain/trace.h"

/** Which touch an order's sales are paid on, kept from line to line: as one term has it. */
struct attributed {
    enum accord_touch_outcome *outcomes; /**< room for those of all touches */
    const struct accord_term *term;      /**< NULL: not yet asked */
    size_t winner;                       /**< SIZE_MAX: nobody */
};

/** A line. An overflow sticks in `err`, so that the arithmetic reads as what it computes. */
struct work {
    const struct accord_order *order;
    const struct accord_line *line;
    size_t index;
    const struct line_refunds *refunds;
    const struct accord_agreement_version *version;
    const struct accord_rate_pin *rate; /**< NULL: the agreement has the currency of the sale */
    struct accord_currency currency;    /**< of what is computed now */
    struct attributed *attributed;
    const struct trace *trace;
    enum accord_error err;
};

/** What is cut between gross and net, each deduction only where the agreement says so; all in the
 *  currency of the sale. */
struct deductions {
    int64_t net_as_sold;
    int64_t tax;
    int64_t store_fee;
    int64_t payment_fee;
    int64_t admin_fee;
    int64_t kept_fees; /**< of the fees that stand: more than what is left of the line bears */
};

/** Cuts what the agreement deducts, and tells the steps of it. */
struct deductions settle_deduct(struct work *work);

/** Hands out what is left: everything of a result behind net_sale. The currency of `work` is the
 *  agreement's. */
void settle_hand_out(struct work *work, const struct deductions *cut, int64_t net,
                     struct accord_line_result *result);

/** True when the terms' amounts exceed what there is to share out of the line as sold. */
bool settle_over_allocated(struct work *work, const struct deductions *cut);

/** True when the line counts for metrics. */
bool settle_qualifies(const struct work *work);

/** Pays the promoters of the attributed touch out of `whole`; returns what they get. */
int64_t settle_refer(struct work *work, int64_t whole, struct accord_line_result *result);

static inline int64_t work_add(struct work *work, int64_t a, int64_t b)
{
    int64_t sum = 0;
    const enum accord_error err = accord_add(a, b, &sum);
    if (err != ACCORD_OK)
        work->err = err;
    return sum;
}

static inline int64_t work_sub(struct work *work, int64_t a, int64_t b)
{
    int64_t difference = 0;
    const enum accord_error err = accord_sub(a, b, &difference);
    if (err != ACCORD_OK)
        work->err = err;
    return difference;
}

/** amount · num / den, half to even; fills the exact value of a step. */
static inline int64_t work_scale(struct work *work, int64_t amount, int64_t num, int64_t den,
                                 struct accord_step *step)
{
    int64_t result = 0;
    const enum accord_error err =
        trace_scale(amount, num, den, &result, work->trace->step != NULL ? step : NULL);
    if (err != ACCORD_OK)
        work->err = err;
    return result;
}

/** amount · remaining / paid; the whole of it when nothing is refunded, also of a line without
 *  price. */
static inline int64_t work_scale_to(struct work *work, int64_t amount, int64_t remaining,
                                    struct accord_step *step)
{
    if (remaining == work->line->paid)
        return amount;
    return work_scale(work, amount, remaining, work->line->paid, step);
}

/** What of the line is not refunded. */
static inline int64_t work_remaining(const struct work *work)
{
    return work->line->paid - work->refunds->refunded;
}

/** An amount of the sale in the agreement's currency; fills a step of it. */
static inline int64_t work_convert(struct work *work, int64_t amount, struct accord_step *step)
{
    if (work->rate == NULL)
        return amount;
    const bool negative = amount < 0;
    const int64_t magnitude = negative ? work_sub(work, 0, amount) : amount;
    const int64_t result = work_scale(work, magnitude, work->rate->num, work->rate->den, step);
    step->exact_negative = negative;
    step->rate = work->rate;
    return negative ? -result : result;
}

static inline void work_emit(const struct work *work, const struct accord_step *step)
{
    struct accord_step told = *step;
    told.currency = work->currency;
    if (work->err == ACCORD_OK)
        trace_step(work->trace, work->index, &told);
}

static inline void work_emit_amount(const struct work *work, const char *op, int64_t amount)
{
    const struct accord_step step = {.op = op, .amount = amount, .rate_ppm = -1};
    work_emit(work, &step);
}

#endif
