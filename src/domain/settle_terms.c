/* From net to shares: what the terms of a version hand out of one line. */
#include "domain/settle_work.h"
#include "domain/terms.h"

/* What is added to net before it is shared, and whom that is charged to. */
struct charges {
    int64_t discounts[ACCORD_FUNDERS];
    int64_t kept_fees;
};

/* Handed out as a fixed sum: amounts, and CPA that is known with the line. */
static bool is_fixed(const struct accord_term *term)
{
    return term->kind == ACCORD_TERM_AMOUNT ||
           (term->kind == ACCORD_TERM_CPA && !terms_cpa_has_window(term));
}

static bool is_split(const struct accord_term *term)
{
    return term->kind == ACCORD_TERM_SHARE || term->kind == ACCORD_TERM_RESIDUAL;
}

static void credit(struct work *work, struct accord_line_result *result, uint32_t party,
                   int64_t amount)
{
    result->shares[party] = work_add(work, result->shares[party], amount);
}

/* ---- the pool ---- */

/* What of a share base goes into the line's pool; below zero the mirror. */
static int64_t pool_part(struct work *work, int64_t base, struct accord_step *step)
{
    const struct accord_pool_funding *pool = work->line->pool;
    if (pool == NULL)
        return 0;
    const bool negative = base < 0;
    const int64_t part = work_scale(work, negative ? work_sub(work, 0, base) : base,
                                    pool->share_ppm, ACCORD_PPM_WHOLE, step);
    step->exact_negative = negative;
    return negative ? -part : part;
}

static int64_t fund_pool(struct work *work, int64_t base, struct accord_line_result *result)
{
    const struct accord_pool_funding *pool = work->line->pool;
    if (pool == NULL)
        return base;
    struct accord_step step = {.op = "pool", .payee = pool->payee, .rate_ppm = pool->share_ppm};
    step.amount = result->pooled = pool_part(work, base, &step);
    work_emit(work, &step);
    return work_sub(work, base, step.amount);
}

/* ---- what is added and charged ---- */

/* An amount of the sale in the agreement's currency: tells it under `op` first when the two
 * differ, and begins the step anew. */
static int64_t to_agreed(struct work *work, const char *op, int64_t amount,
                         struct accord_step *step)
{
    if (work->rate == NULL)
        return amount;
    const struct accord_currency agreed = work->currency;
    const char *const agreed_op = step->op;
    step->op = op;
    step->amount = amount;
    work->currency = work->order->currency;
    if (amount != 0)
        work_emit(work, step);
    work->currency = agreed;
    *step = (struct accord_step){.op = agreed_op, .payee = step->payee, .rate_ppm = -1};
    return work_convert(work, amount, step);
}

/* Adds back what funders and whoever bears the kept fees pay for. */
static int64_t add_back(struct work *work, int64_t kept_fees, struct charges *ret,
                        struct accord_line_result *result)
{
    const struct accord_agreement_version *version = work->version;
    *ret = (struct charges){.kept_fees = 0};
    for (unsigned f = 0; f < ACCORD_FUNDERS; f++) {
        if (!version->add_back[f])
            continue;
        struct accord_step step = {.op = "added_back",
                                   .payee = version->parties[version->funder_party[f]],
                                   .rate_ppm = -1};
        const int64_t discount =
            work_scale_to(work, work->line->discounts[f], work_remaining(work), &step);
        step.amount = ret->discounts[f] = to_agreed(work, "discount", discount, &step);
        result->added_back = work_add(work, result->added_back, step.amount);
        if (step.amount != 0)
            work_emit(work, &step);
    }
    if (kept_fees != 0) {
        struct accord_step step = {.op = "fees_added_back",
                                   .payee = version->parties[version->fee_borne_by],
                                   .rate_ppm = -1};
        step.amount = ret->kept_fees = to_agreed(work, "kept_fees", kept_fees, &step);
        if (step.amount != 0)
            work_emit(work, &step);
    }
    return work_add(work, result->added_back, ret->kept_fees);
}

static void charge(struct work *work, const char *op, uint32_t party, int64_t amount,
                   struct accord_line_result *result)
{
    if (amount == 0)
        return;
    const struct accord_step step = {
        .op = op, .payee = work->version->parties[party], .amount = -amount, .rate_ppm = -1};
    credit(work, result, party, -amount);
    work_emit(work, &step);
}

/* ---- the line as sold ---- */

/* What a fixed term is of the line as sold. */
static int64_t fixed_as_sold(struct work *work, const struct accord_term *term)
{
    struct accord_step unsaid;
    if (term->kind == ACCORD_TERM_CPA && term->metric == ACCORD_METRIC_UNITS)
        return work_scale(work, term->amount_minor, work->line->quantity, 1, &unsaid);
    return term->amount_minor;
}

static int64_t all_fixed_as_sold(struct work *work)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < work->version->term_count; i++)
        if (is_fixed(&work->version->terms[i]))
            sum = work_add(work, sum, fixed_as_sold(work, &work->version->terms[i]));
    return sum;
}

/* What there is to share out of the line as sold. */
static int64_t base_as_sold(struct work *work, const struct deductions *cut)
{
    struct accord_step unsaid = {0};
    int64_t base = work_convert(work, cut->net_as_sold, &unsaid);
    for (unsigned f = 0; f < ACCORD_FUNDERS; f++)
        if (work->version->add_back[f])
            base = work_add(work, base, work_convert(work, work->line->discounts[f], &unsaid));
    return work_sub(work, base, pool_part(work, base, &unsaid));
}

bool settle_over_allocated(struct work *work, const struct deductions *cut)
{
    const int64_t fixed = all_fixed_as_sold(work);
    return fixed != 0 && fixed > base_as_sold(work, cut);
}

/* ---- handing out ---- */

/* Hands out amounts and CPA; returns their sum. An amount is for what is left of the line, CPA for
 * that the line counts. */
static int64_t give_fixed(struct work *work, bool qualifies, struct accord_line_result *result)
{
    const struct accord_agreement_version *version = work->version;
    int64_t sum = 0;
    for (uint32_t i = 0; i < version->term_count; i++) {
        const struct accord_term *term = &version->terms[i];
        if (!is_fixed(term))
            continue;
        struct accord_step step = {.payee = version->parties[term->payee], .rate_ppm = -1};
        if (term->kind == ACCORD_TERM_CPA) {
            step.op = "cpa";
            step.amount = qualifies ? fixed_as_sold(work, term) : 0;
        } else {
            step.op = "amount";
            step.amount = work_scale_to(work, term->amount_minor, work_remaining(work), &step);
        }
        sum = work_add(work, sum, step.amount);
        credit(work, result, term->payee, step.amount);
        work_emit(work, &step);
    }
    return sum;
}

/* Pays the promoters; a refund lowers what they get, or does not. */
static int64_t give_referral(struct work *work, const struct deductions *cut, int64_t left,
                             struct accord_line_result *result)
{
    if (work->version->referral_kept)
        left = work_sub(work, base_as_sold(work, cut), all_fixed_as_sold(work));
    /* Promoters bear no loss. */
    return settle_refer(work, left < 0 ? 0 : left, result);
}

/* Splits what is left between shares and residual. */
static void give_shares(struct work *work, int64_t rest, struct accord_line_result *result)
{
    const struct accord_agreement_version *version = work->version;
    const bool has_window = accord_agreement_has_window(version);
    const bool traced = work->trace->step != NULL;
    int64_t weights[ACCORD_TERMS_MAX];
    int64_t parts[ACCORD_TERMS_MAX];
    struct accord_share shares[ACCORD_TERMS_MAX];
    const struct accord_term *terms[ACCORD_TERMS_MAX];
    size_t count = 0;
    int64_t residual = ACCORD_PPM_WHOLE;

    for (uint32_t i = 0; i < version->term_count; i++)
        if (version->terms[i].kind == ACCORD_TERM_SHARE)
            residual -= version->terms[i].share_ppm;
    for (uint32_t i = 0; i < version->term_count; i++) {
        if (!is_split(&version->terms[i]))
            continue;
        terms[count] = &version->terms[i];
        weights[count++] =
            version->terms[i].kind == ACCORD_TERM_SHARE ? version->terms[i].share_ppm : residual;
    }
    const enum accord_error err =
        accord_apportion(rest, weights, count, parts, traced ? shares : NULL);
    if (err != ACCORD_OK) {
        work->err = err;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct accord_step step = {.op = "share", .amount = parts[i], .rate_ppm = weights[i]};
        if (terms[i]->kind == ACCORD_TERM_RESIDUAL && has_window) {
            step.op = "open";
            result->open = parts[i];
        } else {
            if (terms[i]->kind == ACCORD_TERM_RESIDUAL)
                step.op = "residual";
            step.payee = version->parties[terms[i]->payee];
            credit(work, result, terms[i]->payee, parts[i]);
        }
        if (traced)
            trace_share(&shares[i], rest, ACCORD_PPM_WHOLE, &step);
        work_emit(work, &step);
    }
}

void settle_hand_out(struct work *work, const struct deductions *cut, int64_t net,
                     struct accord_line_result *result)
{
    const struct accord_agreement_version *version = work->version;
    const bool qualifies = settle_qualifies(work);
    struct charges charges;
    const int64_t added = add_back(work, cut->kept_fees, &charges, result);
    int64_t rest = work_add(work, net, added);
    if (added != 0)
        work_emit_amount(work, "share_base", rest);
    rest = fund_pool(work, rest, result);
    const int64_t fixed = give_fixed(work, qualifies, result);
    rest = work_sub(work, rest, fixed);
    const int64_t referral = give_referral(work, cut, rest, result);
    rest = work_sub(work, rest, referral);
    if (fixed != 0 || referral != 0 || result->pooled != 0)
        work_emit_amount(work, "to_share", rest);
    give_shares(work, rest, result);
    for (unsigned f = 0; f < ACCORD_FUNDERS; f++)
        charge(work, "funded", version->funder_party[f], charges.discounts[f], result);
    charge(work, "fees_charged", version->fee_borne_by, charges.kept_fees, result);
    result->net = net;
    result->base = rest;
    result->lines_qualified = qualifies;
    result->units_qualified = qualifies ? work->line->quantity : 0;
}
