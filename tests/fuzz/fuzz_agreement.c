/* Whatever the bytes: an agreement's body that is taken is written canonically, reads back as the
 * same version, and is acceptable to settle; what is refused names a problem. */
#include <stdlib.h>
#include <string.h>

#include "accord/withholding.h"
#include "ingest/agreement.h"

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void same_texts(const char *const *a, const char *const *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        need(strcmp(a[i], b[i]) == 0);
}

static void same_deduction(const struct accord_deduction *a, const struct accord_deduction *b)
{
    need(a->deduct == b->deduct && a->rate_ppm == b->rate_ppm && a->base == b->base &&
         a->fixed_minor == b->fixed_minor);
}

static void same_withholding(const struct accord_withholding *a, const struct accord_withholding *b)
{
    need((a == NULL) == (b == NULL));
    if (a == NULL)
        return;
    need(a->step_count == b->step_count);
    for (uint32_t i = 0; i < a->step_count; i++)
        need(a->steps[i].over_minor == b->steps[i].over_minor &&
             a->steps[i].deduct_minor == b->steps[i].deduct_minor &&
             a->steps[i].deduct_ppm == b->steps[i].deduct_ppm &&
             a->steps[i].rate_ppm == b->steps[i].rate_ppm &&
             a->steps[i].quick_deduction_minor == b->steps[i].quick_deduction_minor);
}

static void same_term(const struct accord_term *a, const struct accord_term *b)
{
    need(a->kind == b->kind && a->payee == b->payee && a->funded_by == b->funded_by &&
         a->share_ppm == b->share_ppm && a->amount_minor == b->amount_minor &&
         a->window == b->window && a->metric == b->metric && a->whole == b->whole &&
         a->of_net == b->of_net && a->tier_count == b->tier_count &&
         a->floor_minor == b->floor_minor && a->cap_minor == b->cap_minor &&
         a->recoup == b->recoup && a->minimum_minor == b->minimum_minor &&
         a->level_count == b->level_count && a->levels_ppm[0] == b->levels_ppm[0] &&
         a->levels_ppm[1] == b->levels_ppm[1] &&
         a->attribution_window_us == b->attribution_window_us && a->first_touch == b->first_touch &&
         a->coupon_beats_click == b->coupon_beats_click && a->pool_version == b->pool_version &&
         a->after_recoupment == b->after_recoupment);
    for (uint32_t i = 0; i < a->tier_count; i++)
        need(a->tiers[i].from == b->tiers[i].from && a->tiers[i].rate == b->tiers[i].rate);
    need((a->pool == NULL) == (b->pool == NULL));
    need(a->pool == NULL || strcmp(a->pool, b->pool) == 0);
    same_withholding(a->withholding, b->withholding);
}

static void same_policies(const struct accord_agreement_version *a,
                          const struct accord_agreement_version *b)
{
    need(a->refund_basis == b->refund_basis && a->kept_fees_charged == b->kept_fees_charged &&
         a->fee_borne_by == b->fee_borne_by && a->referral_kept == b->referral_kept &&
         a->late_usage == b->late_usage && a->late_usage_days == b->late_usage_days &&
         a->qualify_days == b->qualify_days && a->fx_policy == b->fx_policy &&
         a->hold_days == b->hold_days && a->reserve_ppm == b->reserve_ppm &&
         a->reserve_periods == b->reserve_periods && a->min_payout_minor == b->min_payout_minor &&
         a->tail_days == b->tail_days && a->dispute_days == b->dispute_days);
}

static void same(const struct agreement_version *x, const struct agreement_version *y)
{
    const struct accord_agreement_version *a = &x->terms;
    const struct accord_agreement_version *b = &y->terms;
    need(x->retroactive == y->retroactive && x->quarterly == y->quarterly && x->zone == y->zone);
    need(strcmp(x->time_zone, y->time_zone) == 0);
    need(a->party_count == b->party_count && a->provider_count == b->provider_count &&
         a->channel_count == b->channel_count && a->course_count == b->course_count &&
         a->term_count == b->term_count);
    same_texts(a->parties, b->parties, a->party_count);
    same_texts(a->providers, b->providers, a->provider_count);
    same_texts(a->channels, b->channels, a->channel_count);
    for (size_t i = 0; i < a->course_count; i++)
        need(strcmp(a->courses[i].provider, b->courses[i].provider) == 0 &&
             strcmp(a->courses[i].course_id, b->courses[i].course_id) == 0);
    for (uint32_t i = 0; i < a->term_count; i++)
        same_term(&a->terms[i], &b->terms[i]);
    same_policies(a, b);
    for (size_t i = 0; i < ACCORD_FUNDERS; i++)
        need(a->add_back[i] == b->add_back[i] && a->funder_party[i] == b->funder_party[i]);
    same_deduction(&a->tax, &b->tax);
    same_deduction(&a->store_fee, &b->store_fee);
    same_deduction(&a->payment_fee, &b->payment_fee);
    same_deduction(&a->admin_fee, &b->admin_fee);
    need(a->collector == b->collector && a->clearing_direct == b->clearing_direct &&
         a->is_default == b->is_default && a->priority == b->priority &&
         a->effective_from_us == b->effective_from_us && a->effective_to_us == b->effective_to_us &&
         strcmp(a->currency.code, b->currency.code) == 0);
}

static enum accord_error decode(struct arena *arena, struct slice body, bool with_head,
                                struct agreement_version *ret, struct json_problems *problems)
{
    struct slice id = SLICE("");
    struct slice name = SLICE("");
    *problems = (struct json_problems){.count = 0};
    return agreement_decode(arena, body, "agr", 1, with_head, &id, &name, ret, problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    static struct json_problems problems;
    struct agreement_version version;
    if (arena == NULL)
        return 0;
    const struct slice body = {(const char *)data, size};
    for (int head = 0; head < 2; head++) {
        const enum accord_error error = decode(arena, body, head == 1, &version, &problems);
        if (error != ACCORD_OK) {
            need(error == ACCORD_E_OUT_OF_MEMORY || problems.count > 0);
            continue;
        }
        struct slice once;
        struct slice twice;
        struct agreement_version again;
        need(accord_agreement_check(&version.terms, NULL) == ACCORD_OK);
        need(agreement_encode(arena, &version, &once) == ACCORD_OK);
        need(decode(arena, once, false, &again, &problems) == ACCORD_OK);
        same(&version, &again);
        need(agreement_encode(arena, &again, &twice) == ACCORD_OK && slice_equal(once, twice));
    }
    arena_free(arena);
    return 0;
}
