/* From a decoded version to its canonical body. */
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

static void write_deduction(struct json_writer *w, const char *name,
                            const struct accord_deduction *deduction, bool is_fee)
{
    jw_key(w, name);
    jw_object(w);
    jw_key_bool(w, "deduct", deduction->deduct);
    if (deduction->rate_ppm >= 0)
        jw_key_int(w, "rate_ppm", deduction->rate_ppm);
    if (is_fee)
        jw_key_str(w, "of", agreement_fee_base_names[deduction->base]);
    jw_object_end(w);
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
    write_deduction(w, "tax", &terms->tax, false);
    write_deduction(w, "store_fee", &terms->store_fee, true);
    write_deduction(w, "payment_fee", &terms->payment_fee, true);
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

static void write_terms(struct json_writer *w, const struct accord_agreement_version *terms)
{
    jw_key(w, "terms");
    jw_array(w);
    for (uint32_t i = 0; i < terms->term_count; i++) {
        const struct accord_term *term = &terms->terms[i];
        jw_object(w);
        jw_key_str(w, "kind", agreement_term_names[term->kind]);
        jw_key_str(w, "payee", terms->parties[term->payee]);
        if (term->kind == ACCORD_TERM_SHARE)
            jw_key_int(w, "share_ppm", term->share_ppm);
        if (term->kind == ACCORD_TERM_AMOUNT)
            jw_key_int(w, "amount_minor", term->amount_minor);
        jw_object_end(w);
    }
    jw_array_end(w);
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
    jw_key(&w, "refund");
    jw_object(&w);
    jw_key_str(&w, "basis", agreement_basis_names[0]);
    jw_object_end(&w);
    write_terms(&w, terms);
    jw_object_end(&w);
    enum accord_error error = buf_error(&out);
    if (error == ACCORD_OK)
        error = json_canonical(arena, buf_slice(&out), ret_body);
    buf_done(&out);
    return error;
}
