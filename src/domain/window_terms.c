#include "domain/window_terms.h"

#include "domain/terms.h"

/* Amounts on their way are in millionths of a minor unit: rates are. */
static const int64_t millionths = ACCORD_PPM_WHOLE;

bool window_term_is_cut_from_open(const struct accord_term *term)
{
    switch (term->kind) {
    case ACCORD_TERM_TIERED:
    case ACCORD_TERM_GREATER_OF:
        return true;
    case ACCORD_TERM_CPA:
        return terms_cpa_has_window(term);
    case ACCORD_TERM_SHARE:
    case ACCORD_TERM_AMOUNT:
    case ACCORD_TERM_RESIDUAL:
    case ACCORD_TERM_REFERRAL:
    case ACCORD_TERM_GUARANTEE:
    case ACCORD_TERM_ADVANCE:
    case ACCORD_TERM_FLOOR:
    case ACCORD_TERM_CAP:
    case ACCORD_TERM_POOL:
    case ACCORD_TERM_WITHHOLDING:
    case ACCORD_TERM_KINDS:
        break;
    }
    return false;
}

static bool fits(wide value)
{
    return value >= INT64_MIN && value <= INT64_MAX;
}

/* ---- tiers ---- */

/* A count that decides the rate of what shares are taken of. */
static bool of_net(const struct accord_term *term)
{
    return term->whole && term->of_net && term->metric != ACCORD_METRIC_NET;
}

/* How much of `reached` lies in a bracket. The first one goes on below zero, so that what is
 * negative is borne at its rate, as it is under a share. */
static wide in_tier(const struct accord_term *term, uint32_t tier, int64_t reached)
{
    const int64_t from = term->tiers[tier].from;
    const bool last = tier + 1 == term->tier_count;
    const int64_t upto =
        last || reached < term->tiers[tier + 1].from ? reached : term->tiers[tier + 1].from;
    return upto > from || tier == 0 ? (wide)upto - from : 0;
}

static int64_t rate_at(const struct accord_term *term, int64_t reached)
{
    uint32_t tier = 0;
    while (tier + 1 < term->tier_count && term->tiers[tier + 1].from <= reached)
        tier++;
    return term->tiers[tier].rate;
}

static wide tiered(const struct accord_term *term, const int64_t reached[ACCORD_METRICS])
{
    const int64_t metric = reached[term->metric];
    wide sum = 0; /* the parts add up to the metric, so the sum is below 2^126 */
    if (of_net(term))
        return (wide)rate_at(term, metric) * reached[ACCORD_METRIC_NET];
    if (term->whole)
        return (wide)rate_at(term, metric) * metric;
    for (uint32_t i = 0; i < term->tier_count; i++)
        sum += in_tier(term, i, metric) * term->tiers[i].rate;
    return sum;
}

/* ---- amounts for each one counted ---- */

static enum accord_error counted(const struct accord_term *term, int64_t count, bool ends,
                                 wide *ret)
{
    wide amount = (wide)term->amount_minor * count;
    if (term->kind == ACCORD_TERM_CPA) {
        if (term->cap_minor >= 0 && amount > term->cap_minor)
            amount = term->cap_minor;
        if (ends && term->floor_minor >= 0 && amount < term->floor_minor)
            amount = term->floor_minor;
    }
    if (!fits(amount))
        return ACCORD_E_OVERFLOW;
    *ret = amount * millionths;
    return ACCORD_OK;
}

/* f of a term, in millionths. */
static enum accord_error value_at(const struct accord_term *term,
                                  const int64_t reached[ACCORD_METRICS], bool ends, wide *ret)
{
    enum accord_error err = ACCORD_OK;
    wide value = 0;
    if (term->kind == ACCORD_TERM_TIERED) {
        value = tiered(term, reached);
    } else {
        err = counted(term, reached[term->metric], ends, &value);
        if (err == ACCORD_OK && term->kind == ACCORD_TERM_GREATER_OF) {
            const wide share = (wide)term->share_ppm * reached[ACCORD_METRIC_NET];
            value = share > value ? share : value;
        }
    }
    if (err == ACCORD_OK)
        *ret = value;
    return err;
}

/* ---- steps ---- */

static void emit(const struct trace *trace, const char *op, int64_t amount, int64_t rate,
                 wide exact)
{
    struct accord_step step = {.op = op, .amount = amount, .rate_ppm = rate};
    /* A count may come to more than is paid for it: a cap is there. */
    if (fits(exact / millionths))
        trace_exact(exact, (uint64_t)millionths, NULL, &step);
    trace_step(trace, 0, &step);
}

static void emit_counted(const struct accord_term *term, const struct window_reach *reach,
                         const struct trace *trace)
{
    const int64_t count = reach->after[term->metric];
    /* Below 2^127: an amount has at most 44 bits. */
    emit(trace, "counted", count, -1, (wide)term->amount_minor * millionths * count);
}

static void emit_tiers(const struct accord_term *term, const struct window_reach *reach,
                       const struct trace *trace)
{
    const int64_t before = reach->before[term->metric];
    const int64_t after = reach->after[term->metric];
    if (term->whole) {
        emit(trace, "tier", after, rate_at(term, after), tiered(term, reach->after));
        return;
    }
    for (uint32_t i = 0; i < term->tier_count; i++) {
        const wide part = in_tier(term, i, after) - in_tier(term, i, before);
        if (part != 0 && fits(part))
            emit(trace, "tier", (int64_t)part, term->tiers[i].rate, part * term->tiers[i].rate);
    }
}

static void emit_term(const struct accord_term *term, const struct window_reach *reach,
                      const struct trace *trace, int64_t paid_before, wide before)
{
    if (trace->step == NULL)
        return;
    if (term->kind == ACCORD_TERM_TIERED)
        emit_tiers(term, reach, trace);
    if (term->kind == ACCORD_TERM_GREATER_OF)
        emit(trace, "share", reach->after[ACCORD_METRIC_NET], term->share_ppm,
             (wide)term->share_ppm * reach->after[ACCORD_METRIC_NET]);
    if (term->kind != ACCORD_TERM_TIERED)
        emit_counted(term, reach, trace);
    /* Brackets are told as what went into them; all others as the whole less what came before. */
    const bool marginal = term->kind == ACCORD_TERM_TIERED && !term->whole;
    if (before != 0 && !marginal)
        emit(trace, "so_far", -paid_before, -1, -before);
}

enum accord_error window_term_amount(const struct accord_term *term,
                                     const struct window_reach *reach, const struct trace *trace,
                                     int64_t *ret, struct accord_step *ret_step)
{
    wide before = 0;
    wide after = 0;
    enum accord_error err = value_at(term, reach->before, false, &before);
    if (err == ACCORD_OK)
        err = value_at(term, reach->after, reach->ends, &after);
    if (err != ACCORD_OK)
        return err;
    const wide paid_before = fraction_round(before, millionths);
    const wide paid_after = fraction_round(after, millionths);
    if (!fits(paid_before) || !fits(paid_after) || !fits(paid_after - paid_before))
        return ACCORD_E_OVERFLOW;
    *ret = (int64_t)(paid_after - paid_before);
    *ret_step = (struct accord_step){.rate_ppm = -1};
    trace_exact(after - before, (uint64_t)millionths, "half_even", ret_step);
    emit_term(term, reach, trace, (int64_t)paid_before, before);
    return ACCORD_OK;
}
