/* Terms in a version's canonical body. */
#include "accord/withholding.h"
#include "ingest/agreement_encode.h"
#include "ingest/agreement_names.h"

static const int64_t day_us = INT64_C(86400000000);

static void write_window(struct json_writer *w, const struct accord_term *term)
{
    jw_key_str(w, "window", agreement_window_names[term->window]);
}

/* "line" for ACCORD_METRIC_LINES, and so on. */
static void write_per(struct json_writer *w, const struct accord_term *term)
{
    jw_key_str(w, "per", agreement_per_names[(int)term->metric - (int)ACCORD_METRIC_LINES]);
}

static void write_limit(struct json_writer *w, const char *name, int64_t amount)
{
    if (amount >= 0)
        jw_key_int(w, name, amount);
    else
        jw_key_null(w, name);
}

static void write_tiers(struct json_writer *w, const struct accord_term *term)
{
    const bool shares = term->metric == ACCORD_METRIC_NET || term->of_net;
    jw_key_str(w, "metric", agreement_metric_names[term->metric]);
    jw_key_str(w, "mode", agreement_mode_names[term->whole ? 1 : 0]);
    write_window(w, term);
    jw_key(w, "steps");
    jw_array(w);
    for (uint32_t i = 0; i < term->tier_count; i++) {
        jw_object(w);
        jw_key_int(w, "from", term->tiers[i].from);
        jw_key_int(w, shares ? "share_ppm" : "amount_micro", term->tiers[i].rate);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_referral(struct json_writer *w, const struct accord_term *term)
{
    jw_key(w, "levels_ppm");
    jw_array(w);
    for (uint32_t i = 0; i < term->level_count; i++)
        jw_int(w, term->levels_ppm[i]);
    jw_array_end(w);
    jw_key_int(w, "window_days", term->attribution_window_us / day_us);
    jw_key_str(w, "model", agreement_model_names[term->first_touch ? 1 : 0]);
    jw_key_bool(w, "coupon_beats_click", term->coupon_beats_click);
}

/* A flat rate is a table of one step: one way to say it. */
static void write_withholding(struct json_writer *w, const struct accord_term *term)
{
    const struct accord_withholding *table = term->withholding;
    jw_key(w, "steps");
    jw_array(w);
    for (uint32_t i = 0; i < table->step_count; i++) {
        jw_object(w);
        jw_key_int(w, "over_minor", table->steps[i].over_minor);
        jw_key_int(w, "deduct_minor", table->steps[i].deduct_minor);
        jw_key_int(w, "deduct_ppm", table->steps[i].deduct_ppm);
        jw_key_int(w, "rate_ppm", table->steps[i].rate_ppm);
        jw_key_int(w, "quick_deduction_minor", table->steps[i].quick_deduction_minor);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_key_str(w, "base", agreement_withholding_base_names[term->after_recoupment ? 1 : 0]);
}

static void write_funded(struct json_writer *w, const struct accord_agreement_version *version,
                         const struct accord_term *term)
{
    jw_key_str(w, "funded_by", version->parties[term->funded_by]);
    jw_key_int(w, "amount_minor", term->amount_minor);
}

/* "channel/pool". */
static void write_pool(struct json_writer *w, const char *name)
{
    const char *slash = strchr(name, '/');
    jw_key_slice(w, "channel", (struct slice){name, (size_t)(slash - name)});
    jw_key_str(w, "pool", slash + 1);
}

static void write_rest(struct json_writer *w, const struct accord_agreement_version *version,
                       const struct accord_term *term)
{
    switch (term->kind) {
    case ACCORD_TERM_SHARE:
        jw_key_int(w, "share_ppm", term->share_ppm);
        return;
    case ACCORD_TERM_AMOUNT:
        jw_key_int(w, "amount_minor", term->amount_minor);
        return;
    case ACCORD_TERM_CPA:
        jw_key_int(w, "amount_minor", term->amount_minor);
        write_per(w, term);
        write_window(w, term);
        write_limit(w, "floor_minor", term->floor_minor);
        write_limit(w, "cap_minor", term->cap_minor);
        return;
    case ACCORD_TERM_REFERRAL:
        write_referral(w, term);
        return;
    case ACCORD_TERM_TIERED:
        write_tiers(w, term);
        return;
    case ACCORD_TERM_GREATER_OF:
        jw_key_int(w, "share_ppm", term->share_ppm);
        jw_key_int(w, "amount_minor", term->amount_minor);
        write_per(w, term);
        write_window(w, term);
        return;
    case ACCORD_TERM_GUARANTEE:
        write_funded(w, version, term);
        write_window(w, term);
        jw_key_str(w, "recoup", agreement_recoup_names[term->recoup ? 1 : 0]);
        return;
    case ACCORD_TERM_ADVANCE:
        write_funded(w, version, term);
        jw_key_int(w, "minimum_minor", term->minimum_minor);
        return;
    case ACCORD_TERM_FLOOR:
        write_funded(w, version, term);
        write_window(w, term);
        return;
    case ACCORD_TERM_CAP:
        jw_key_int(w, "amount_minor", term->amount_minor);
        write_window(w, term);
        return;
    case ACCORD_TERM_POOL:
        write_pool(w, term->pool);
        jw_key_int(w, "version", term->pool_version);
        return;
    case ACCORD_TERM_WITHHOLDING:
        write_withholding(w, term);
        return;
    case ACCORD_TERM_RESIDUAL:
    case ACCORD_TERM_KINDS:
        return;
    }
}

void agreement_write_terms(struct json_writer *w, const struct accord_agreement_version *version)
{
    jw_key(w, "terms");
    jw_array(w);
    for (uint32_t i = 0; i < version->term_count; i++) {
        const struct accord_term *term = &version->terms[i];
        jw_object(w);
        jw_key_str(w, "kind", agreement_term_names[term->kind]);
        if (term->kind != ACCORD_TERM_REFERRAL && term->kind != ACCORD_TERM_POOL)
            jw_key_str(w, "payee", version->parties[term->payee]);
        write_rest(w, version, term);
        jw_object_end(w);
    }
    jw_array_end(w);
}
