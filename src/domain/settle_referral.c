/* What the promoters of the attributed touch get out of one line. */
#include "domain/settle_work.h"

static const struct accord_term *referral_of(const struct accord_agreement_version *version)
{
    for (uint32_t i = 0; i < version->term_count; i++)
        if (version->terms[i].kind == ACCORD_TERM_REFERRAL)
            return &version->terms[i];
    return NULL;
}

/* Finds the touch that the term pays on, once for all lines that it is the term of. */
static size_t winner_of(struct work *work, const struct accord_term *term)
{
    struct attributed *attributed = work->attributed;
    const struct accord_attribution_rules rules = {
        .window_us = term->attribution_window_us,
        .model = term->first_touch ? ACCORD_TOUCH_FIRST : ACCORD_TOUCH_LAST,
        .coupon_beats_click = term->coupon_beats_click,
    };
    if (attributed->term == term)
        return attributed->winner;
    size_t winner = SIZE_MAX;
    const enum accord_error err =
        accord_attribute(work->order->touches, work->order->touch_count,
                         work->order->occurred_at_us, &rules, attributed->outcomes, &winner);
    if (err != ACCORD_OK) {
        work->err = err;
        return SIZE_MAX;
    }
    attributed->term = term;
    attributed->winner = winner;
    return winner;
}

/* The promoter of a touch, and who brought that one. */
static size_t chain_of(const struct accord_order *order, const struct accord_touch *touch,
                       struct accord_referrer ret[ACCORD_LEVELS_MAX])
{
    size_t count = 0;
    ret[count++] =
        (struct accord_referrer){touch->promoter, touch->self_referral, touch->promoter_suspended};
    uint32_t at = order->promoters[touch->promoter].parent;
    while (at != ACCORD_PROMOTER_NONE && count < ACCORD_LEVELS_MAX) {
        const struct accord_promoter *promoter = &order->promoters[at];
        ret[count++] = (struct accord_referrer){at, promoter->self_referral, promoter->suspended};
        at = promoter->parent;
    }
    return count;
}

int64_t settle_refer(struct work *work, int64_t whole, struct accord_line_result *result)
{
    const struct accord_order *order = work->order;
    const struct accord_term *term = referral_of(work->version);
    struct accord_referrer chain[ACCORD_LEVELS_MAX];
    struct accord_referral_part parts[ACCORD_LEVELS_MAX];
    int64_t left = 0;
    if (term == NULL || order->touch_count == 0)
        return 0;
    const size_t winner = winner_of(work, term);
    if (winner == SIZE_MAX)
        return 0;
    const size_t chain_count = chain_of(order, &order->touches[winner], chain);
    const enum accord_error err = accord_referral_split(whole, term->levels_ppm, term->level_count,
                                                        chain, chain_count, parts, &left);
    if (err != ACCORD_OK) {
        work->err = err;
        return 0;
    }
    for (uint32_t i = 0; i < term->level_count; i++) {
        if (parts[i].outcome != ACCORD_REFERRAL_PAID)
            continue;
        struct accord_step step = {.op = "referral",
                                   .payee = order->promoters[parts[i].promoter].id,
                                   .event_id = i == 0 ? order->touches[winner].event_id : NULL,
                                   .amount = parts[i].amount,
                                   .rate_ppm = term->levels_ppm[i]};
        trace_share(&parts[i].exact, whole, ACCORD_PPM_WHOLE, &step);
        result->referral[i] = parts[i].amount;
        result->promoters[i] = step.payee;
        work_emit(work, &step);
    }
    return work_sub(work, whole, left);
}
