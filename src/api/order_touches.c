/* Why a sale is paid to one promoter and not to another. */
#include "api/order_explain.h"

static const struct accord_term *referral_of(const struct accord_agreement_version *terms)
{
    for (uint32_t i = 0; i < terms->term_count; i++)
        if (terms->terms[i].kind == ACCORD_TERM_REFERRAL)
            return &terms->terms[i];
    return NULL;
}

bool order_attribution_rules(const struct accord_agreement_version *terms,
                             struct accord_attribution_rules *ret)
{
    const struct accord_term *term = referral_of(terms);
    if (term == NULL)
        return false;
    *ret = (struct accord_attribution_rules){
        .window_us = term->attribution_window_us,
        .model = term->first_touch ? ACCORD_TOUCH_FIRST : ACCORD_TOUCH_LAST,
        .coupon_beats_click = term->coupon_beats_click,
    };
    return true;
}

const char *const order_touch_kinds[] = {[ACCORD_TOUCH_CLICK] = "click",
                                         [ACCORD_TOUCH_SHARE] = "share",
                                         [ACCORD_TOUCH_COUPON] = "coupon"};

void order_write_touches(struct call *call, struct json_writer *w, const struct accord_order *order,
                         const struct accord_agreement_version *terms)
{
    struct accord_attribution_rules rules;
    if (!order_attribution_rules(terms, &rules))
        return;
    enum accord_touch_outcome *outcomes =
        arena_array(call->arena, order->touch_count + 1, sizeof *outcomes);
    size_t winner;
    if (outcomes == NULL ||
        accord_attribute(order->touches, order->touch_count, order->occurred_at_us, &rules,
                         outcomes, &winner) != ACCORD_OK)
        return; /* it was attributed by the same rules just now */
    jw_key(w, "touches");
    jw_array(w);
    for (size_t i = 0; i < order->touch_count; i++) {
        const struct accord_touch *touch = &order->touches[i];
        jw_object(w);
        jw_key_str(w, "event_id", touch->event_id);
        jw_key_str(w, "kind", order_touch_kinds[touch->kind]);
        jw_key_time(w, "occurred_at", touch->occurred_at_us);
        jw_key_str(w, "promoter", order->promoters[touch->promoter].id);
        jw_key_str(w, "outcome", accord_touch_outcome_name(outcomes[i]));
        jw_object_end(w);
    }
    jw_array_end(w);
}
