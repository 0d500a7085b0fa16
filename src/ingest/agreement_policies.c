/* What a version says about refunds, late knowledge, currencies, and when earnings are due. */
#include "ingest/agreement_names.h"
#include "ingest/agreement_parts.h"

const char *const agreement_basis_names[] = {"original", "in_period", NULL};
const char *const agreement_late_usage_names[] = {"both", "up_only", "ignore_after", NULL};
const char *const agreement_fx_policy_names[] = {"order_day", "period_average", "close_day", NULL};
const char *const agreement_fx_source_names[] = {"ecb", NULL};

static const struct json_field refund_fields[] = {
    JSON_ENUM_OR(struct agreement_refund_body, basis, agreement_basis_names,
                 ACCORD_REFUND_ORIGINAL),
    JSON_SLUG_OPT(struct agreement_refund_body, fee_borne_by),
    JSON_BOOLEAN_OR(struct agreement_refund_body, referral_clawback, true),
};
const struct json_object agreement_refund_spec =
    AGREEMENT_OBJECT(struct agreement_refund_body, refund_fields);

static const struct json_field late_usage_fields[] = {
    JSON_ENUM(struct agreement_late_usage_body, policy, agreement_late_usage_names),
    JSON_INT_OPT(struct agreement_late_usage_body, days, has_days, 0, 366),
};
const struct json_object agreement_late_usage_spec =
    AGREEMENT_OBJECT(struct agreement_late_usage_body, late_usage_fields);

static const struct json_field fx_fields[] = {
    JSON_ENUM(struct agreement_fx_body, policy, agreement_fx_policy_names),
    JSON_ENUM_OR(struct agreement_fx_body, source, agreement_fx_source_names, 0),
};
const struct json_object agreement_fx_spec = AGREEMENT_OBJECT(struct agreement_fx_body, fx_fields);

static const struct json_field reserve_fields[] = {
    JSON_INT(struct agreement_reserve_body, ppm, 0, ACCORD_PPM_WHOLE),
    JSON_INT_OR(struct agreement_reserve_body, periods, 0, 120, 0),
};
const struct json_object agreement_reserve_spec =
    AGREEMENT_OBJECT(struct agreement_reserve_body, reserve_fields);

static void take_refund(struct agreement_decoding *d, const struct agreement_refund_body *body)
{
    d->terms->refund_basis = (enum accord_refund_basis)body->basis;
    d->terms->referral_kept = !body->referral_clawback;
    d->terms->kept_fees_charged = body->fee_borne_by.len > 0;
    if (!d->terms->kept_fees_charged)
        return;
    d->terms->fee_borne_by = agreement_party(d->terms, body->fee_borne_by);
    if (d->terms->fee_borne_by == UINT32_MAX)
        agreement_problem(d, ACCORD_E_FUNDER_NOT_PARTY, "/refund/fee_borne_by");
}

void agreement_take_policies(struct agreement_decoding *d,
                             const struct agreement_policies_body *body)
{
    struct accord_agreement_version *terms = d->terms;
    const struct agreement_late_usage_body *late = &body->late_usage;
    if (body->has_refund)
        take_refund(d, &body->refund);
    terms->late_usage = (enum accord_late_usage)late->policy;
    terms->late_usage_days = late->days;
    if ((terms->late_usage == ACCORD_LATE_IGNORE_AFTER) != late->has_days)
        agreement_problem(d, late->has_days ? ACCORD_E_FIELD_UNKNOWN : ACCORD_E_FIELD_MISSING,
                          "/late_usage/days");
    terms->fx_policy = (enum accord_fx_policy)body->fx.policy;
    terms->reserve_ppm = body->reserve.ppm;
    terms->reserve_periods = body->reserve.periods;
    terms->qualify_days = body->qualify_days;
    terms->hold_days = body->hold_days;
    terms->min_payout_minor = body->min_payout_minor;
    terms->tail_days = body->tail_days;
    terms->dispute_days = body->dispute_days;
}
