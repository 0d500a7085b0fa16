/* From the facts of one order to what everybody earned. */
#include "accord/settle.h"

#include <stdlib.h>
#include <string.h>

#include "domain/settle_work.h"
#include "domain/terms.h"

enum { LINES_INLINE = 8, TOUCHES_INLINE = 16 };

const char *accord_held_name(enum accord_held held)
{
    switch (held) {
    case ACCORD_HELD_NOT:
        break;
    case ACCORD_HELD_UNMATCHED:
        return "unmatched";
    case ACCORD_HELD_UNASSIGNED:
        return "unassigned";
    case ACCORD_HELD_NO_RATE:
        return "no_rate";
    case ACCORD_HELD_EXCESS_REFUND:
        return "excess_refund";
    case ACCORD_HELD_OVER_ALLOCATED:
        return "over_allocated";
    }
    return "";
}

enum accord_error accord_spread(int64_t total, const int64_t *paid, size_t count, int64_t *ret)
{
    const enum accord_error err = accord_apportion(total, paid, count, ret, NULL);
    if (err != ACCORD_E_WEIGHTS_ZERO || count == 0)
        return err;
    /* Equal weights need none: what does not divide goes one each to the first lines. */
    if (count > INT64_MAX)
        return ACCORD_E_OVERFLOW;
    const int64_t each = total / (int64_t)count;
    const int64_t rest = total % (int64_t)count;
    const int64_t unit = total < 0 ? -1 : 1;
    for (size_t i = 0; i < count; i++)
        ret[i] = each + ((int64_t)i < rest * unit ? unit : 0);
    return ACCORD_OK;
}

/* ---- one line ---- */

/* False when some amount of the line might come to more, converted, than JSON can carry. Whatever
 * the agreement deducts by a rate is at most what was paid, each time. */
static bool is_convertible(const struct accord_line *line,
                           const struct accord_agreement_version *version,
                           const struct accord_rate_pin *rate)
{
    enum { RATES = 4 }; /* tax and the fees */
    const int64_t given[] = {line->tax, line->store_fee, line->payment_fee,
                             version->payment_fee.fixed_minor};
    int64_t sum = 0;
    int64_t converted = 0;
    bool fits = __builtin_mul_overflow(line->paid, 1 + RATES, &sum) == 0;
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        fits = fits && (given[i] < 0 || accord_add(sum, given[i], &sum) == ACCORD_OK);
    for (unsigned f = 0; f < ACCORD_FUNDERS; f++)
        fits = fits && accord_add(sum, line->discounts[f], &sum) == ACCORD_OK;
    return fits && accord_rate_convert(sum, rate, &converted) == ACCORD_OK &&
           converted <= ACCORD_JSON_INT_MAX;
}

/* Fills everything of a result but what the precedence decided. */
static enum accord_error distribute(struct work *work, struct accord_line_result *result)
{
    const int64_t remaining = work_remaining(work);
    const struct deductions cut = settle_deduct(work);
    int64_t net = work_sub(work, remaining, cut.tax);
    net = work_sub(work, net, cut.store_fee);
    net = work_sub(work, net, cut.payment_fee);
    net = work_sub(work, net, cut.admin_fee);
    work_emit_amount(work, "net", net);
    if (settle_over_allocated(work, &cut)) {
        result->held = ACCORD_HELD_OVER_ALLOCATED;
        work_emit_amount(work, "held", remaining);
        return work->err;
    }
    result->tax = cut.tax;
    result->store_fee = cut.store_fee;
    result->payment_fee = cut.payment_fee;
    result->admin_fee = cut.admin_fee;
    result->net_sale = net;
    work->currency = work->version->currency;
    if (work->rate != NULL) {
        struct accord_step step = {.op = "convert", .rate_ppm = -1};
        net = step.amount = work_convert(work, net, &step);
        work_emit(work, &step);
    }
    settle_hand_out(work, &cut, net, result);
    return work->err;
}

static bool line_ok(const struct accord_line *line)
{
    if (line->paid < 0 || line->quantity < 0 || line->tax < -1 || line->store_fee < -1 ||
        line->payment_fee < -1)
        return false;
    if (line->pool != NULL &&
        (line->pool->share_ppm < 0 || line->pool->share_ppm > ACCORD_PPM_WHOLE))
        return false;
    for (unsigned f = 0; f < ACCORD_FUNDERS; f++)
        if (line->discounts[f] < 0)
            return false;
    return true;
}

/* ---- one order ---- */

/* What one run of the function is given. */
struct run {
    const struct accord_order *order;
    const struct accord_agreement_version *const *versions;
    size_t version_count;
    struct attributed *attributed;
    struct trace trace;
};

static enum accord_error settle_line(const struct run *run, size_t index,
                                     const struct line_refunds *refunds,
                                     struct accord_line_result *result)
{
    const struct accord_line *line = &run->order->lines[index];
    const struct accord_sale_key key = {.provider = line->provider,
                                        .channel = run->order->channel,
                                        .course_id = line->course_id,
                                        .occurred_at_us = run->order->occurred_at_us};
    struct work work = {.order = run->order,
                        .line = line,
                        .index = index,
                        .refunds = refunds,
                        .currency = run->order->currency,
                        .attributed = run->attributed,
                        .trace = &run->trace};
    uint32_t term = 0;

    *result = (struct accord_line_result){.version = SIZE_MAX,
                                          .rank = ACCORD_RANK_NONE,
                                          .gross = line->paid,
                                          .refunded = refunds->refunded};
    work_emit_amount(&work, "gross", line->paid);
    if (refunds->refunded != 0)
        work_emit_amount(&work, "refunded", -refunds->refunded);
    if (!line->course_known) {
        result->held = ACCORD_HELD_UNMATCHED;
    } else {
        result->version =
            accord_agreement_resolve(run->versions, run->version_count, &key, &result->rank);
        if (result->version == SIZE_MAX)
            result->held = ACCORD_HELD_UNASSIGNED;
        else if (!accord_currency_equal(run->versions[result->version]->currency,
                                        run->order->currency)) {
            work.rate = run->order->rates == NULL ? NULL : &run->order->rates[result->version];
            if (work.rate == NULL || work.rate->den <= 0 ||
                !is_convertible(line, run->versions[result->version], work.rate))
                result->held = ACCORD_HELD_NO_RATE;
        }
        if (result->held == ACCORD_HELD_NOT && line->pool != NULL &&
            !accord_currency_equal(run->versions[result->version]->currency, line->pool->currency))
            result->held = ACCORD_HELD_NO_RATE;
    }
    if (result->held != ACCORD_HELD_NOT) {
        work_emit_amount(&work, "held", line->paid - refunds->refunded);
        return ACCORD_OK;
    }
    work.version = run->versions[result->version];
    const enum accord_error err = terms_check(work.version, &term);
    return err != ACCORD_OK ? err : distribute(&work, result);
}

static enum accord_error check_order(const struct accord_order *order)
{
    int64_t sum = 0;
    if (order->line_count > ACCORD_LINES_MAX)
        return ACCORD_E_COUNT_OUT_OF_RANGE;
    for (size_t i = 0; i < order->line_count; i++) {
        if (!line_ok(&order->lines[i]))
            return ACCORD_E_VALUE_OUT_OF_RANGE;
        if (accord_add(sum, order->lines[i].paid, &sum) != ACCORD_OK)
            return ACCORD_E_OVERFLOW;
    }
    for (size_t i = 0; i < order->touch_count; i++)
        if (order->touches[i].promoter >= order->promoter_count)
            return ACCORD_E_VALUE_OUT_OF_RANGE;
    for (size_t i = 0; i < order->promoter_count; i++)
        if (order->promoters[i].parent != ACCORD_PROMOTER_NONE &&
            order->promoters[i].parent >= order->promoter_count)
            return ACCORD_E_VALUE_OUT_OF_RANGE;
    return ACCORD_OK;
}

/* Settles into scratch first, so that a failure leaves the caller's results alone. */
static enum accord_error settle_with(const struct run *run, const struct accord_refund *refunds,
                                     size_t refund_count, struct line_refunds *states,
                                     struct accord_line_result *results,
                                     struct accord_line_result *ret,
                                     struct accord_excess *ret_excess)
{
    const size_t count = run->order->line_count;
    struct accord_excess excess = {0};
    enum accord_error err = ACCORD_OK;
    if (refund_count > 0)
        err = refunds_apply(run->order, refunds, refund_count, &run->trace, states, &excess);
    for (size_t i = 0; err == ACCORD_OK && i < count; i++)
        err = settle_line(run, i, &states[i], &results[i]);
    if (err != ACCORD_OK)
        return err;
    if (count > 0)
        memcpy(ret, results, count * sizeof *ret);
    *ret_excess = excess;
    return ACCORD_OK;
}

enum accord_error accord_explain_order(const struct accord_order *order,
                                       const struct accord_refund *refunds, size_t refund_count,
                                       const struct accord_agreement_version *const *versions,
                                       size_t version_count, struct accord_line_result *ret,
                                       struct accord_excess *ret_excess, accord_step_fn *step,
                                       void *context)
{
    enum accord_touch_outcome inline_outcomes[TOUCHES_INLINE];
    struct attributed attributed = {.outcomes = inline_outcomes};
    const struct run run = {.order = order,
                            .versions = versions,
                            .version_count = version_count,
                            .attributed = &attributed,
                            .trace = {.step = step, .context = context}};
    struct line_refunds inline_states[LINES_INLINE] = {0};
    struct accord_line_result inline_results[LINES_INLINE];
    struct line_refunds *states = inline_states;
    struct accord_line_result *results = inline_results;
    enum accord_error err = check_order(order);

    if (err != ACCORD_OK)
        return err;
    if (order->line_count > LINES_INLINE) {
        states = calloc(order->line_count, sizeof *states);
        results = calloc(order->line_count, sizeof *results);
    }
    if (order->touch_count > TOUCHES_INLINE)
        attributed.outcomes = calloc(order->touch_count, sizeof *attributed.outcomes);
    err = states == NULL || results == NULL || attributed.outcomes == NULL
              ? ACCORD_E_OUT_OF_MEMORY
              : settle_with(&run, refunds, refund_count, states, results, ret, ret_excess);
    if (states != inline_states)
        free(states);
    if (results != inline_results)
        free(results);
    if (attributed.outcomes != inline_outcomes)
        free(attributed.outcomes);
    return err;
}

enum accord_error accord_settle_order(const struct accord_order *order,
                                      const struct accord_refund *refunds, size_t refund_count,
                                      const struct accord_agreement_version *const *versions,
                                      size_t version_count, struct accord_line_result *ret,
                                      struct accord_excess *ret_excess)
{
    return accord_explain_order(order, refunds, refund_count, versions, version_count, ret,
                                ret_excess, NULL, NULL);
}
