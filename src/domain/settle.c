/* From the facts of one order to what everybody earned. */
#include "accord/settle.h"

#include <stdlib.h>
#include <string.h>

#include "domain/refunds.h"
#include "domain/terms.h"
#include "domain/trace.h"

enum { LINES_INLINE = 8 };

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

/* A line on its way from gross to shares. An overflow sticks in `err`, so that the arithmetic below
 * reads as what it computes. */
struct work {
    const struct accord_line *line;
    size_t index;
    const struct line_refunds *refunds;
    const struct accord_agreement_version *version;
    const struct accord_rate_pin *rate; /* NULL: the agreement has the currency of the sale */
    struct accord_currency sale_currency;
    struct accord_currency currency; /* of what is computed now */
    const struct trace *trace;
    enum accord_error err;
};

static int64_t plus(struct work *work, int64_t a, int64_t b)
{
    int64_t sum = 0;
    const enum accord_error err = accord_add(a, b, &sum);
    if (err != ACCORD_OK)
        work->err = err;
    return sum;
}

static int64_t minus(struct work *work, int64_t a, int64_t b)
{
    int64_t difference = 0;
    const enum accord_error err = accord_sub(a, b, &difference);
    if (err != ACCORD_OK)
        work->err = err;
    return difference;
}

static int64_t scale(struct work *work, int64_t amount, int64_t num, int64_t den,
                     struct accord_step *step)
{
    int64_t result = 0;
    const enum accord_error err =
        trace_scale(amount, num, den, &result, work->trace->step != NULL ? step : NULL);
    if (err != ACCORD_OK)
        work->err = err;
    return result;
}

/* amount · remaining / paid; the whole of it when nothing is refunded, also of a line without
 * price.
 */
static int64_t scale_to(struct work *work, int64_t amount, int64_t remaining,
                        struct accord_step *step)
{
    if (remaining == work->line->paid)
        return amount;
    return scale(work, amount, remaining, work->line->paid, step);
}

static void emit(const struct work *work, const struct accord_step *step)
{
    struct accord_step told = *step;
    told.currency = work->currency;
    if (work->err == ACCORD_OK)
        trace_step(work->trace, work->index, &told);
}

static void emit_amount(const struct work *work, const char *op, int64_t amount)
{
    const struct accord_step step = {.op = op, .amount = amount, .rate_ppm = -1};
    emit(work, &step);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* An amount of the sale in the agreement's currency; fills a step of it. */
static int64_t convert(struct work *work, int64_t amount, struct accord_step *step)
{
    if (work->rate == NULL)
        return amount;
    int64_t result = 0;
    const bool negative = amount < 0;
    const int64_t magnitude = negative ? minus(work, 0, amount) : amount;
    result = scale(work, magnitude, work->rate->num, work->rate->den, step);
    step->exact_negative = negative;
    step->rate = work->rate;
    return negative ? -result : result;
}

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

/* The tax that a part of gross holds. */
static int64_t tax_in(struct work *work, int64_t gross, struct accord_step *step)
{
    const int64_t rate = work->version->tax.rate_ppm;
    *step = (struct accord_step){.op = "tax", .rate_ppm = rate};
    if (rate >= 0)
        return scale(work, gross, rate, ACCORD_PPM_WHOLE + rate, step);
    return work->line->tax < 0 ? 0 : scale_to(work, work->line->tax, gross, step);
}

/* A fee as sold: fees are kept when the sale is refunded. */
static int64_t fee_as_sold(struct work *work, const struct accord_deduction *fee, const char *op,
                           int64_t given, int64_t tax, int64_t running, struct accord_step *step)
{
    int64_t base = 0;
    *step = (struct accord_step){.op = op, .rate_ppm = fee->rate_ppm};
    if (fee->rate_ppm < 0)
        return given < 0 ? 0 : given;
    switch (fee->base) {
    case ACCORD_FEE_ON_GROSS:
        base = work->line->paid;
        break;
    case ACCORD_FEE_ON_EX_TAX:
        base = minus(work, work->line->paid, tax);
        break;
    case ACCORD_FEE_ON_RUNNING:
        base = running;
        break;
    }
    return scale(work, base < 0 ? 0 : base, fee->rate_ppm, ACCORD_PPM_WHOLE, step);
}

/* Emits what a deduction takes. */
static void emit_deduction(const struct work *work, struct accord_step *step, int64_t amount)
{
    step->amount = -amount;
    if (amount != 0 || step->rate_ppm >= 0)
        emit(work, step);
}

/* What is cut between gross and net, each deduction only where the agreement says so. */
struct deductions {
    int64_t net_as_sold;
    int64_t tax;
    int64_t store_fee;
    int64_t payment_fee;
};

static struct deductions deduct(struct work *work)
{
    const struct accord_agreement_version *version = work->version;
    const struct accord_line *line = work->line;
    struct deductions got = {0};
    struct accord_step tax_step;
    struct accord_step store_step;
    struct accord_step payment_step;

    /* As sold: this is what fees are taken of. */
    const int64_t tax_sold = tax_in(work, line->paid, &tax_step);
    int64_t running = line->paid;
    if (version->tax.deduct)
        running = minus(work, running, tax_sold);
    const int64_t store_sold = fee_as_sold(work, &version->store_fee, "store_fee", line->store_fee,
                                           tax_sold, running, &store_step);
    if (version->store_fee.deduct)
        running = minus(work, running, store_sold);
    const int64_t payment_sold = fee_as_sold(work, &version->payment_fee, "payment_fee",
                                             line->payment_fee, tax_sold, running, &payment_step);
    if (version->payment_fee.deduct)
        running = minus(work, running, payment_sold);
    got.net_as_sold = running;

    /* As it stands: less the tax of what was refunded and less the fees that came back. */
    const int64_t tax_now = tax_in(work, line->paid - work->refunds->pro_rata, &tax_step);
    const int64_t tax_back = least(work->refunds->tax_returned, tax_now);
    const int64_t payment_back = least(work->refunds->fee_returned, payment_sold);
    const int64_t store_back = least(work->refunds->fee_returned - payment_back, store_sold);
    int64_t fee_back = 0;
    if (version->tax.deduct) {
        got.tax = tax_now - tax_back;
        emit_deduction(work, &tax_step, tax_now);
        if (tax_back != 0)
            emit_amount(work, "tax_returned", tax_back);
    }
    if (version->store_fee.deduct) {
        got.store_fee = store_sold - store_back;
        emit_deduction(work, &store_step, store_sold);
        fee_back = store_back;
    }
    if (version->payment_fee.deduct) {
        got.payment_fee = payment_sold - payment_back;
        emit_deduction(work, &payment_step, payment_sold);
        fee_back += payment_back; /* together at most fee_returned */
    }
    if (fee_back != 0)
        emit_amount(work, "fee_returned", fee_back);
    return got;
}

/* Emits what a funder pays for, in the currency of the sale, and begins the step anew. */
static void tell_discount(struct work *work, struct accord_step *step, int64_t discount)
{
    const struct accord_currency agreed = work->currency;
    step->op = "discount";
    step->amount = discount;
    work->currency = work->sale_currency;
    if (discount != 0)
        emit(work, step);
    work->currency = agreed;
    *step = (struct accord_step){.op = "added_back", .payee = step->payee, .rate_ppm = -1};
}

/* Adds back what funders pay for; ret_charges is what each of them is charged. */
static int64_t add_back(struct work *work, int64_t remaining, int64_t ret_charges[ACCORD_FUNDERS])
{
    const struct accord_agreement_version *version = work->version;
    int64_t sum = 0;
    for (unsigned f = 0; f < ACCORD_FUNDERS; f++) {
        ret_charges[f] = 0;
        if (!version->add_back[f])
            continue;
        struct accord_step step = {.op = "added_back",
                                   .payee = version->parties[version->funder_party[f]],
                                   .rate_ppm = -1};
        int64_t discount = scale_to(work, work->line->discounts[f], remaining, &step);
        if (work->rate != NULL) {
            tell_discount(work, &step, discount);
            discount = convert(work, discount, &step);
        }
        ret_charges[f] = discount;
        sum = plus(work, sum, ret_charges[f]);
        step.amount = ret_charges[f];
        if (step.amount != 0)
            emit(work, &step);
    }
    return sum;
}

/* True when the terms' amounts exceed what there is to share out of the line as sold. */
static bool over_allocated(struct work *work, int64_t net_as_sold)
{
    const struct accord_agreement_version *version = work->version;
    int64_t amounts = 0; /* at most ACCORD_TERMS_MAX * ACCORD_AMOUNT_MAX */
    for (uint32_t i = 0; i < version->term_count; i++)
        if (version->terms[i].kind == ACCORD_TERM_AMOUNT)
            amounts += version->terms[i].amount_minor;
    if (amounts == 0)
        return false;
    struct accord_step unsaid = {0};
    int64_t base = convert(work, net_as_sold, &unsaid);
    for (unsigned f = 0; f < ACCORD_FUNDERS; f++)
        if (version->add_back[f])
            base = plus(work, base, convert(work, work->line->discounts[f], &unsaid));
    return amounts > base;
}

static void credit(struct work *work, struct accord_line_result *result, uint32_t party,
                   int64_t amount)
{
    result->shares[party] = plus(work, result->shares[party], amount);
}

/* Hands out the amounts; returns their sum. */
static int64_t give_amounts(struct work *work, int64_t remaining, struct accord_line_result *result)
{
    const struct accord_agreement_version *version = work->version;
    int64_t sum = 0;
    for (uint32_t i = 0; i < version->term_count; i++) {
        const struct accord_term *term = &version->terms[i];
        if (term->kind != ACCORD_TERM_AMOUNT)
            continue;
        struct accord_step step = {
            .op = "amount", .payee = version->parties[term->payee], .rate_ppm = -1};
        step.amount = scale_to(work, term->amount_minor, remaining, &step);
        sum = plus(work, sum, step.amount);
        credit(work, result, term->payee, step.amount);
        emit(work, &step);
    }
    return sum;
}

/* Splits what is left between shares and residual. */
static void give_shares(struct work *work, int64_t rest, struct accord_line_result *result)
{
    const struct accord_agreement_version *version = work->version;
    int64_t weights[ACCORD_TERMS_MAX];
    int64_t parts[ACCORD_TERMS_MAX];
    struct accord_share shares[ACCORD_TERMS_MAX];
    const struct accord_term *terms[ACCORD_TERMS_MAX];
    const bool has_window = accord_agreement_has_window(version);
    size_t count = 0;
    int64_t residual = ACCORD_PPM_WHOLE;

    for (uint32_t i = 0; i < version->term_count; i++)
        if (version->terms[i].kind == ACCORD_TERM_SHARE)
            residual -= version->terms[i].share_ppm;
    for (uint32_t i = 0; i < version->term_count; i++) {
        if (version->terms[i].kind != ACCORD_TERM_SHARE &&
            version->terms[i].kind != ACCORD_TERM_RESIDUAL)
            continue;
        terms[count] = &version->terms[i];
        weights[count++] =
            version->terms[i].kind == ACCORD_TERM_SHARE ? version->terms[i].share_ppm : residual;
    }
    const bool traced = work->trace->step != NULL;
    const enum accord_error err =
        accord_apportion(rest, weights, count, parts, traced ? shares : NULL);
    if (err != ACCORD_OK) {
        work->err = err;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const bool open = terms[i]->kind == ACCORD_TERM_RESIDUAL && has_window;
        if (open)
            result->open = parts[i];
        else
            credit(work, result, terms[i]->payee, parts[i]);
        if (!traced)
            continue;
        struct accord_step step = {.op = open                                  ? "open"
                                         : terms[i]->kind == ACCORD_TERM_SHARE ? "share"
                                                                               : "residual",
                                   .payee = open ? NULL : version->parties[terms[i]->payee],
                                   .amount = parts[i],
                                   .rate_ppm = weights[i]};
        trace_share(&shares[i], rest, ACCORD_PPM_WHOLE, &step);
        emit(work, &step);
    }
}

static void charge_funders(struct work *work, const int64_t charges[ACCORD_FUNDERS],
                           struct accord_line_result *result)
{
    for (unsigned f = 0; f < ACCORD_FUNDERS; f++) {
        if (charges[f] == 0)
            continue;
        const uint32_t party = work->version->funder_party[f];
        const struct accord_step step = {.op = "funded",
                                         .payee = work->version->parties[party],
                                         .amount = -charges[f],
                                         .rate_ppm = -1};
        credit(work, result, party, -charges[f]);
        emit(work, &step);
    }
}

/* Fills everything of a result but what the precedence decided. */
static enum accord_error distribute(struct work *work, struct accord_line_result *result)
{
    const int64_t remaining = work->line->paid - work->refunds->refunded;
    const struct deductions cut = deduct(work);
    int64_t net = minus(work, remaining, cut.tax);
    int64_t charges[ACCORD_FUNDERS];

    net = minus(work, net, cut.store_fee);
    net = minus(work, net, cut.payment_fee);
    emit_amount(work, "net", net);
    if (over_allocated(work, cut.net_as_sold)) {
        result->held = ACCORD_HELD_OVER_ALLOCATED;
        emit_amount(work, "held", remaining);
        return work->err;
    }
    const int64_t net_sale = net;
    work->currency = work->version->currency;
    if (work->rate != NULL) {
        struct accord_step step = {.op = "convert", .rate_ppm = -1};
        net = step.amount = convert(work, net_sale, &step);
        emit(work, &step);
    }
    const int64_t added = add_back(work, remaining, charges);
    const int64_t base = plus(work, net, added);
    if (added != 0)
        emit_amount(work, "share_base", base);
    const int64_t amounts = give_amounts(work, remaining, result);
    const int64_t rest = minus(work, base, amounts);
    if (amounts != 0)
        emit_amount(work, "to_share", rest);
    give_shares(work, rest, result);
    charge_funders(work, charges, result);

    result->tax = cut.tax;
    result->store_fee = cut.store_fee;
    result->payment_fee = cut.payment_fee;
    result->net_sale = net_sale;
    result->net = net;
    result->added_back = added;
    result->base = rest;
    /* Refunded in full it counts no longer. */
    result->lines_qualified = work->refunds->refunded == 0 || remaining > 0;
    result->units_qualified = result->lines_qualified * work->line->quantity;
    return work->err;
}

static bool line_ok(const struct accord_line *line)
{
    if (line->paid < 0 || line->tax < -1 || line->store_fee < -1 || line->payment_fee < -1)
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
    struct work work = {.line = line,
                        .index = index,
                        .refunds = refunds,
                        .sale_currency = run->order->currency,
                        .currency = run->order->currency,
                        .trace = &run->trace};
    uint32_t term = 0;

    *result = (struct accord_line_result){.version = SIZE_MAX,
                                          .rank = ACCORD_RANK_NONE,
                                          .gross = line->paid,
                                          .refunded = refunds->refunded};
    emit_amount(&work, "gross", line->paid);
    if (refunds->refunded != 0)
        emit_amount(&work, "refunded", -refunds->refunded);
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
    }
    if (result->held != ACCORD_HELD_NOT) {
        emit_amount(&work, "held", line->paid - refunds->refunded);
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
    const struct run run = {.order = order,
                            .versions = versions,
                            .version_count = version_count,
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
    err = states == NULL || results == NULL
              ? ACCORD_E_OUT_OF_MEMORY
              : settle_with(&run, refunds, refund_count, states, results, ret, ret_excess);
    if (states != inline_states)
        free(states);
    if (results != inline_results)
        free(results);
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
