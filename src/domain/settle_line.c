/* From gross to net: what one line is cut by before it is handed out. */
#include "domain/settle_work.h"

static const int64_t day_us = INT64_C(86400000000);

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool settle_qualifies(const struct work *work)
{
    const int64_t paid = work->line->paid;
    if (paid == 0 || work->refunds->refunded < paid)
        return true;
    if (work->version->qualify_days < 0)
        return false;
    int64_t days_us = 0;
    int64_t until = 0;
    /* Beyond the end of time every refund is in time. */
    if (accord_mul_div(work->version->qualify_days, day_us, 1, &days_us) != ACCORD_OK ||
        accord_add(work->order->occurred_at_us, days_us, &until) != ACCORD_OK)
        return false;
    return work->refunds->full_at_us > until;
}

/* The tax that a part of gross holds. */
static int64_t tax_in(struct work *work, int64_t gross, struct accord_step *step)
{
    const int64_t rate = work->version->tax.rate_ppm;
    *step = (struct accord_step){.op = "tax", .rate_ppm = rate};
    if (rate >= 0)
        return work_scale(work, gross, rate, ACCORD_PPM_WHOLE + rate, step);
    return work->line->tax < 0 ? 0 : work_scale_to(work, work->line->tax, gross, step);
}

/* A fee on its way. */
struct fee {
    const struct accord_deduction *rule;
    int64_t given; /* with the order; -1: not */
    int64_t sold;  /* as sold: fees are kept when the sale is refunded */
    int64_t fixed; /* the part of it that no rate gives */
    int64_t back;  /* what came back of it */
    struct accord_step step;
};

/* Fees are taken of the line as sold; returns what is left after this one. */
static int64_t take_fee(struct work *work, struct fee *fee, const char *op, int64_t tax,
                        int64_t running)
{
    int64_t base = 0;
    fee->step = (struct accord_step){.op = op, .rate_ppm = fee->rule->rate_ppm};
    if (fee->rule->rate_ppm < 0) {
        fee->sold = fee->given < 0 ? 0 : fee->given;
    } else {
        switch (fee->rule->base) {
        case ACCORD_FEE_ON_GROSS:
            base = work->line->paid;
            break;
        case ACCORD_FEE_ON_EX_TAX:
            base = work_sub(work, work->line->paid, tax);
            break;
        case ACCORD_FEE_ON_RUNNING:
            base = running;
            break;
        }
        const int64_t of_rate = work_scale(work, base < 0 ? 0 : base, fee->rule->rate_ppm,
                                           ACCORD_PPM_WHOLE, &fee->step);
        fee->sold = work_add(work, of_rate, fee->fixed);
    }
    return fee->rule->deduct ? work_sub(work, running, fee->sold) : running;
}

/* Tells what a deduction takes. */
static void tell_deduction(const struct work *work, struct accord_step *step, int64_t amount)
{
    step->amount = -amount;
    if (amount != 0 || step->rate_ppm >= 0)
        work_emit(work, step);
}

/* What stands of a fee; adds what came back to ret_back. */
static int64_t stands(struct work *work, struct fee *fee, int64_t *ret_back)
{
    if (!fee->rule->deduct)
        return 0;
    tell_deduction(work, &fee->step, fee->sold - fee->fixed);
    if (fee->fixed != 0)
        work_emit_amount(work, fee->step.op, -fee->fixed);
    *ret_back += fee->back; /* of both together at most what the refunds state */
    return fee->sold - fee->back;
}

/* What of the standing fees is more than what is left of the line would bear. */
static int64_t kept(struct work *work, const struct deductions *cut, const struct fee *const *fees,
                    size_t count)
{
    struct accord_step unsaid;
    int64_t sold = 0;
    int64_t now = work_add(work, cut->store_fee, cut->payment_fee);
    now = work_add(work, now, cut->admin_fee);
    for (size_t i = 0; i < count; i++)
        if (fees[i]->rule->deduct)
            sold = work_add(work, sold, fees[i]->sold);
    const int64_t over =
        work_sub(work, now, work_scale_to(work, sold, work_remaining(work), &unsaid));
    return over > 0 ? over : 0;
}

struct deductions settle_deduct(struct work *work)
{
    const struct accord_agreement_version *version = work->version;
    const struct accord_line *line = work->line;
    const struct line_refunds *refunds = work->refunds;
    struct fee store = {.rule = &version->store_fee, .given = line->store_fee};
    struct fee payment = {.rule = &version->payment_fee, .given = line->payment_fee};
    struct fee admin = {.rule = &version->admin_fee, .given = -1};
    struct deductions got = {0};
    struct accord_step tax_step;

    /* Where nothing is paid there is no payment. */
    if (version->payment_fee.rate_ppm >= 0 && line->paid > 0)
        payment.fixed = version->payment_fee.fixed_minor;

    /* As sold: this is what fees are taken of. */
    const int64_t tax_sold = tax_in(work, line->paid, &tax_step);
    int64_t running = version->tax.deduct ? work_sub(work, line->paid, tax_sold) : line->paid;
    running = take_fee(work, &store, "store_fee", tax_sold, running);
    running = take_fee(work, &payment, "payment_fee", tax_sold, running);
    got.net_as_sold = take_fee(work, &admin, "admin_fee", tax_sold, running);

    /* As it stands: less the tax of what was refunded and less the fees that came back. */
    const int64_t tax_now = tax_in(work, line->paid - refunds->pro_rata, &tax_step);
    const int64_t tax_back = least(refunds->tax_returned, tax_now);
    int64_t fee_back = 0;
    payment.back = least(refunds->fee_returned, payment.sold);
    store.back = least(refunds->fee_returned - payment.back, store.sold);
    if (version->tax.deduct) {
        got.tax = tax_now - tax_back;
        tell_deduction(work, &tax_step, tax_now);
        if (tax_back != 0)
            work_emit_amount(work, "tax_returned", tax_back);
    }
    got.store_fee = stands(work, &store, &fee_back);
    got.payment_fee = stands(work, &payment, &fee_back);
    got.admin_fee = stands(work, &admin, &fee_back);
    if (fee_back != 0)
        work_emit_amount(work, "fee_returned", fee_back);
    if (version->kept_fees_charged) {
        const struct fee *const fees[] = {&store, &payment, &admin};
        got.kept_fees = kept(work, &got, fees, 3);
    }
    return got;
}
