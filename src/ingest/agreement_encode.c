/* From a decoded version to its canonical body. */
#include "ingest/agreement_encode.h"
#include "ingest/agreement.h"
#include "ingest/agreement_names.h"
#include "json/write.h"

static void write_partners(struct json_writer *w, const char *name, const char *const *ids,
                           size_t count)
{
    if (count == 0)
        return;
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < count; i++)
        jw_str(w, ids[i]);
    jw_array_end(w);
}

static void begin_deduction(struct json_writer *w, const char *name,
                            const struct accord_deduction *deduction)
{
    jw_key(w, name);
    jw_object(w);
    jw_key_bool(w, "deduct", deduction->deduct);
    if (deduction->rate_ppm >= 0)
        jw_key_int(w, "rate_ppm", deduction->rate_ppm);
}

static void begin_fee(struct json_writer *w, const char *name, const struct accord_deduction *fee)
{
    begin_deduction(w, name, fee);
    jw_key_str(w, "of", agreement_fee_base_names[fee->base]);
}

static void write_scope(struct json_writer *w, const struct accord_agreement_version *terms)
{
    jw_key(w, "scope");
    jw_object(w);
    write_partners(w, "providers", terms->providers, terms->provider_count);
    write_partners(w, "channels", terms->channels, terms->channel_count);
    if (terms->course_count > 0) {
        jw_key(w, "courses");
        jw_array(w);
        for (size_t i = 0; i < terms->course_count; i++) {
            jw_object(w);
            jw_key_str(w, "provider", terms->courses[i].provider);
            jw_key_str(w, "course_id", terms->courses[i].course_id);
            jw_object_end(w);
        }
        jw_array_end(w);
    }
    jw_object_end(w);
}

static void write_base(struct json_writer *w, const struct accord_agreement_version *terms)
{
    jw_key(w, "base");
    jw_object(w);
    begin_deduction(w, "tax", &terms->tax);
    jw_object_end(w);
    begin_fee(w, "store_fee", &terms->store_fee);
    jw_object_end(w);
    begin_fee(w, "payment_fee", &terms->payment_fee);
    jw_key_int(w, "fixed_minor", terms->payment_fee.fixed_minor);
    jw_object_end(w);
    begin_fee(w, "admin_fee", &terms->admin_fee);
    jw_object_end(w);
    jw_key(w, "discounts");
    jw_object(w);
    for (size_t i = 0; i < ACCORD_FUNDERS; i++)
        jw_key_str(w, agreement_funder_names[i],
                   agreement_discount_names[terms->add_back[i] ? 1 : 0]);
    jw_object_end(w);
    jw_object_end(w);
    jw_key(w, "funders");
    jw_object(w);
    for (size_t i = 0; i < ACCORD_FUNDERS; i++)
        if (terms->funder_party[i] != UINT32_MAX)
            jw_key_str(w, agreement_funder_names[i], terms->parties[terms->funder_party[i]]);
    jw_object_end(w);
}

static void write_policies(struct json_writer *w, const struct accord_agreement_version *terms)
{
    jw_key(w, "refund");
    jw_object(w);
    jw_key_str(w, "basis", agreement_basis_names[terms->refund_basis]);
    if (terms->kept_fees_charged)
        jw_key_str(w, "fee_borne_by", terms->parties[terms->fee_borne_by]);
    else
        jw_key_null(w, "fee_borne_by");
    jw_key_bool(w, "referral_clawback", !terms->referral_kept);
    jw_object_end(w);
    jw_key(w, "late_usage");
    jw_object(w);
    jw_key_str(w, "policy", agreement_late_usage_names[terms->late_usage]);
    if (terms->late_usage == ACCORD_LATE_IGNORE_AFTER)
        jw_key_int(w, "days", terms->late_usage_days);
    jw_object_end(w);
    jw_key(w, "fx");
    jw_object(w);
    jw_key_str(w, "policy", agreement_fx_policy_names[terms->fx_policy]);
    jw_key_str(w, "source", agreement_fx_source_names[0]);
    jw_object_end(w);
    jw_key(w, "reserve");
    jw_object(w);
    jw_key_int(w, "ppm", terms->reserve_ppm);
    jw_key_int(w, "periods", terms->reserve_periods);
    jw_object_end(w);
    if (terms->qualify_days >= 0)
        jw_key_int(w, "qualify_days", terms->qualify_days);
    else
        jw_key_null(w, "qualify_days");
    jw_key_int(w, "hold_days", terms->hold_days);
    jw_key_int(w, "min_payout_minor", terms->min_payout_minor);
    jw_key_int(w, "tail_days", terms->tail_days);
    jw_key_int(w, "dispute_days", terms->dispute_days);
}

enum accord_error agreement_encode(struct arena *arena, const struct agreement_version *version,
                                   struct slice *ret_body)
{
    /* A scope of ACCORD_SCOPE_MAX courses with the longest ids, escaped, stays below this. */
    enum { BODY_MAX = 4 * 1024 * 1024 };
    const struct accord_agreement_version *terms = &version->terms;
    struct buf out;
    struct json_writer w;
    buf_init(&out, BODY_MAX);
    jw_init(&w, &out);
    jw_object(&w);
    write_partners(&w, "parties", terms->parties, terms->party_count);
    jw_key_str(&w, "collector", terms->parties[terms->collector]);
    jw_key_str(&w, "clearing", agreement_clearing_names[terms->clearing_direct ? 1 : 0]);
    jw_key_bool(&w, "default", terms->is_default);
    write_scope(&w, terms);
    jw_key(&w, "effective");
    jw_object(&w);
    jw_key_time(&w, "from", terms->effective_from_us);
    if (terms->effective_to_us == INT64_MAX)
        jw_key_null(&w, "to");
    else
        jw_key_time(&w, "to", terms->effective_to_us);
    jw_object_end(&w);
    jw_key_bool(&w, "retroactive", version->retroactive);
    jw_key_str(&w, "currency", terms->currency.code);
    jw_key(&w, "period");
    jw_object(&w);
    jw_key_str(&w, "kind", agreement_period_names[version->quarterly ? 1 : 0]);
    jw_key_str(&w, "time_zone", version->time_zone);
    jw_object_end(&w);
    jw_key_int(&w, "priority", terms->priority);
    write_base(&w, terms);
    write_policies(&w, terms);
    agreement_write_terms(&w, terms);
    jw_object_end(&w);
    enum accord_error error = buf_error(&out);
    if (error == ACCORD_OK)
        error = json_canonical(arena, buf_slice(&out), ret_body);
    buf_done(&out);
    return error;
}
