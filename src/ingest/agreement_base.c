/* What comes off gross before the split, and who is charged for discounts. */
#include <stdio.h>

#include "ingest/agreement_names.h"
#include "ingest/agreement_parts.h"

const char *const agreement_fee_base_names[] = {"gross", "ex_tax", "running", NULL};
const char *const agreement_discount_names[] = {"deduct", "add_back", NULL};
const char *const agreement_funder_names[ACCORD_FUNDERS] = {"provider", "channel", "platform"};

/* clang-format off */
#define RATE \
    JSON_FIELD_OR_AS("rate_ppm", struct agreement_deduction_body, rate_ppm, JSON_KIND_INT, 0, \
                     ACCORD_PPM_WHOLE, -1)
#define FEE(usual_base) \
    JSON_BOOLEAN(struct agreement_deduction_body, deduct), \
    RATE, \
    JSON_ENUM_OR(struct agreement_deduction_body, of, agreement_fee_base_names, usual_base)
#define DISCOUNT(text, funder) \
    {.name = (text), .kind = JSON_KIND_ENUM, .optional = true, .has_offset = SIZE_MAX, \
     .offset = offsetof(struct agreement_discounts_body, by[funder]), \
     .names = agreement_discount_names}
/* clang-format on */

/* A tax has no `of`: it is included in the gross. */
static const struct json_field tax_fields[] = {
    JSON_BOOLEAN(struct agreement_deduction_body, deduct),
    RATE,
};
static const struct json_field store_fields[] = {FEE(ACCORD_FEE_ON_GROSS)};
static const struct json_field payment_fields[] = {
    FEE(ACCORD_FEE_ON_GROSS),
    JSON_AMOUNT_OR(struct agreement_deduction_body, fixed_minor, 0),
};
static const struct json_field admin_fields[] = {FEE(ACCORD_FEE_ON_RUNNING)};
static const struct json_object tax_spec =
    AGREEMENT_OBJECT(struct agreement_deduction_body, tax_fields);
static const struct json_object store_spec =
    AGREEMENT_OBJECT(struct agreement_deduction_body, store_fields);
static const struct json_object payment_spec =
    AGREEMENT_OBJECT(struct agreement_deduction_body, payment_fields);
static const struct json_object admin_spec =
    AGREEMENT_OBJECT(struct agreement_deduction_body, admin_fields);

static const struct json_field discount_fields[] = {
    DISCOUNT("provider", ACCORD_FUNDER_PROVIDER),
    DISCOUNT("channel", ACCORD_FUNDER_CHANNEL),
    DISCOUNT("platform", ACCORD_FUNDER_PLATFORM),
};
static const struct json_object discounts_spec =
    AGREEMENT_OBJECT(struct agreement_discounts_body, discount_fields);

static const struct json_field base_fields[] = {
    JSON_SUB_OPT(struct agreement_base_body, tax, tax.given, &tax_spec),
    JSON_SUB_OPT(struct agreement_base_body, store_fee, store_fee.given, &store_spec),
    JSON_SUB_OPT(struct agreement_base_body, payment_fee, payment_fee.given, &payment_spec),
    JSON_SUB_OPT(struct agreement_base_body, admin_fee, admin_fee.given, &admin_spec),
    {.name = "discounts",
     .kind = JSON_KIND_OBJECT,
     .offset = offsetof(struct agreement_base_body, discounts),
     .has_offset = SIZE_MAX,
     .optional = true,
     .object = &discounts_spec},
};
const struct json_object agreement_base_spec =
    AGREEMENT_OBJECT(struct agreement_base_body, base_fields);

static const struct json_field funder_fields[] = {
    JSON_FIELD_OPT_AS("provider", struct agreement_funders_body, by[ACCORD_FUNDER_PROVIDER],
                      JSON_KIND_SLUG, 1, 63),
    JSON_FIELD_OPT_AS("channel", struct agreement_funders_body, by[ACCORD_FUNDER_CHANNEL],
                      JSON_KIND_SLUG, 1, 63),
    JSON_FIELD_OPT_AS("platform", struct agreement_funders_body, by[ACCORD_FUNDER_PLATFORM],
                      JSON_KIND_SLUG, 1, 63),
};
const struct json_object agreement_funders_spec =
    AGREEMENT_OBJECT(struct agreement_funders_body, funder_fields);

/* What is not said is deducted as the order gives it. */
static struct accord_deduction take_deduction(const struct agreement_deduction_body *body)
{
    if (!body->given)
        return (struct accord_deduction){.deduct = true, .rate_ppm = -1};
    return (struct accord_deduction){.deduct = body->deduct,
                                     .rate_ppm = body->rate_ppm,
                                     .base = (enum accord_fee_base)body->of,
                                     .fixed_minor = body->fixed_minor};
}

/* No order gives an administration fee: unsaid there is none. */
static struct accord_deduction take_admin_fee(struct agreement_decoding *d,
                                              const struct agreement_deduction_body *body)
{
    if (!body->given)
        return (struct accord_deduction){.rate_ppm = -1, .base = ACCORD_FEE_ON_RUNNING};
    if (body->deduct && body->rate_ppm < 0)
        agreement_problem(d, ACCORD_E_FIELD_MISSING, "/base/admin_fee/rate_ppm");
    return take_deduction(body);
}

/* Who is charged for a discount: who is named, else the one partner of the scope in that role. */
static void take_funder(struct agreement_decoding *d, size_t funder, bool add_back,
                        struct slice named)
{
    struct accord_agreement_version *terms = d->terms;
    const char *const unique[ACCORD_FUNDERS] = {
        [ACCORD_FUNDER_PROVIDER] = terms->provider_count == 1 ? terms->providers[0] : NULL,
        [ACCORD_FUNDER_CHANNEL] = terms->channel_count == 1 ? terms->channels[0] : NULL,
    };
    terms->add_back[funder] = add_back;
    terms->funder_party[funder] = UINT32_MAX;
    if (named.len > 0)
        terms->funder_party[funder] = agreement_party(terms, named);
    else if (unique[funder] != NULL)
        terms->funder_party[funder] = agreement_party(terms, slice_of(unique[funder]));
    if (terms->funder_party[funder] == UINT32_MAX && (named.len > 0 || add_back))
        agreement_problem(d, ACCORD_E_FUNDER_NOT_PARTY, "/funders/%s",
                          agreement_funder_names[funder]);
}

void agreement_take_base(struct agreement_decoding *d, const struct agreement_base_body *base,
                         const struct agreement_funders_body *funders)
{
    d->terms->tax = take_deduction(&base->tax);
    d->terms->store_fee = take_deduction(&base->store_fee);
    d->terms->payment_fee = take_deduction(&base->payment_fee);
    d->terms->admin_fee = take_admin_fee(d, &base->admin_fee);
    /* What stands beside an amount that orders give is in that amount. */
    if (base->payment_fee.fixed_minor > 0 && base->payment_fee.rate_ppm < 0)
        agreement_problem(d, ACCORD_E_FIELD_MISSING, "/base/payment_fee/rate_ppm");
    for (size_t i = 0; i < ACCORD_FUNDERS; i++)
        take_funder(d, i, base->discounts.by[i] == 1, funders->by[i]);
}
