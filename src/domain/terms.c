/* What a version's terms must be like: each by itself, and beside one another. */
#include "domain/terms.h"

#include <string.h>

#include "accord/withholding.h"

enum { DAYS_MAX = 3660 };
static const int64_t day_us = INT64_C(86400000000);

/* ---- kinds ---- */

bool terms_cpa_has_window(const struct accord_term *cpa)
{
    return cpa->floor_minor >= 0 || cpa->cap_minor >= 0 || cpa->metric == ACCORD_METRIC_LEARNERS;
}

static bool term_has_window(const struct accord_term *term)
{
    switch (term->kind) {
    case ACCORD_TERM_CPA:
        return terms_cpa_has_window(term);
    case ACCORD_TERM_TIERED:
    case ACCORD_TERM_GREATER_OF:
    case ACCORD_TERM_GUARANTEE:
    case ACCORD_TERM_ADVANCE:
    case ACCORD_TERM_FLOOR:
    case ACCORD_TERM_CAP:
        return true;
    case ACCORD_TERM_SHARE:
    case ACCORD_TERM_AMOUNT:
    case ACCORD_TERM_RESIDUAL:
    case ACCORD_TERM_REFERRAL:
    case ACCORD_TERM_POOL:
    case ACCORD_TERM_WITHHOLDING:
    case ACCORD_TERM_KINDS:
        break;
    }
    return false;
}

bool accord_agreement_has_window(const struct accord_agreement_version *version)
{
    for (uint32_t i = 0; i < version->term_count; i++)
        if (term_has_window(&version->terms[i]))
            return true;
    return false;
}

/* True when the rates of a tiered term are shares of net, not amounts for each one counted. */
static bool rates_are_shares(const struct accord_term *term)
{
    return term->metric == ACCORD_METRIC_NET || (term->whole && term->of_net);
}

/* ---- one term ---- */

/* Names the place; what is right has none. */
static enum accord_error in(struct terms_fault *fault, const char *field, enum accord_error error)
{
    if (error != ACCORD_OK)
        fault->field = field;
    return error;
}

static bool in_range(int64_t value, int64_t least, int64_t most)
{
    return value >= least && value <= most;
}

static enum accord_error amount_ok(int64_t amount, int64_t least)
{
    if (!in_range(amount, least, ACCORD_AMOUNT_MAX))
        return amount == 0 ? ACCORD_E_AMOUNT_ZERO : ACCORD_E_AMOUNT_OUT_OF_RANGE;
    return ACCORD_OK;
}

static enum accord_error rate_ok(int64_t ppm, int64_t least)
{
    return in_range(ppm, least, ACCORD_PPM_WHOLE) ? ACCORD_OK : ACCORD_E_VALUE_OUT_OF_RANGE;
}

/* How the place of a step relates to the one before it. */
static enum accord_error step_ok(const int64_t *before, int64_t from)
{
    if (before == NULL)
        return from == 0 ? ACCORD_OK : ACCORD_E_STEPS_NOT_FROM_ZERO;
    if (from == *before)
        return ACCORD_E_STEPS_OVERLAP;
    return from > *before ? ACCORD_OK : ACCORD_E_STEPS_UNSORTED;
}

static enum accord_error check_tiers(const struct accord_term *term, struct terms_fault *fault)
{
    const bool shares = rates_are_shares(term);
    const int64_t most = shares ? ACCORD_PPM_WHOLE : ACCORD_TIER_MICRO_MAX;
    bool pays = false;
    if (term->tier_count == 0)
        return in(fault, "steps", ACCORD_E_STEPS_MISSING);
    if (term->tier_count > ACCORD_TIERS_MAX)
        return in(fault, "steps", ACCORD_E_COUNT_OUT_OF_RANGE);
    for (uint32_t i = 0; i < term->tier_count; i++) {
        const struct accord_tier *tier = &term->tiers[i];
        enum accord_error err =
            in(fault, "from", step_ok(i == 0 ? NULL : &term->tiers[i - 1].from, tier->from));
        if (err == ACCORD_OK && tier->from > ACCORD_AMOUNT_MAX)
            err = in(fault, "from", ACCORD_E_VALUE_OUT_OF_RANGE);
        if (err == ACCORD_OK && !in_range(tier->rate, 0, most))
            err = in(fault, shares ? "share_ppm" : "amount_micro", ACCORD_E_VALUE_OUT_OF_RANGE);
        if (err != ACCORD_OK) {
            fault->step = i;
            return err;
        }
        pays = pays || tier->rate > 0;
    }
    return pays ? ACCORD_OK : in(fault, "steps", ACCORD_E_RATES_ZERO);
}

static enum accord_error check_withholding(const struct accord_withholding *table,
                                           struct terms_fault *fault)
{
    if (table == NULL || table->step_count == 0)
        return in(fault, "steps", ACCORD_E_STEPS_MISSING);
    if (table->step_count > ACCORD_WITHHOLDING_STEPS_MAX)
        return in(fault, "steps", ACCORD_E_COUNT_OUT_OF_RANGE);
    enum accord_error err = ACCORD_OK;
    for (uint32_t i = 0; err == ACCORD_OK && i < table->step_count; i++) {
        err = in(
            fault, "over_minor",
            step_ok(i == 0 ? NULL : &table->steps[i - 1].over_minor, table->steps[i].over_minor));
        if (err != ACCORD_OK)
            fault->step = i;
    }
    return err == ACCORD_OK ? accord_withholding_check(table, &fault->step) : err;
}

static enum accord_error check_cpa(const struct accord_term *term, struct terms_fault *fault)
{
    enum accord_error err = ACCORD_OK;
    if (!in_range(term->floor_minor, -1, ACCORD_AMOUNT_MAX))
        err = in(fault, "floor_minor", ACCORD_E_AMOUNT_OUT_OF_RANGE);
    if (err == ACCORD_OK && term->cap_minor != -1)
        err = in(fault, "cap_minor", amount_ok(term->cap_minor, 1));
    if (err == ACCORD_OK && term->cap_minor != -1 && term->floor_minor > term->cap_minor)
        err = in(fault, "cap_minor", ACCORD_E_CAP_BELOW_FLOOR);
    return err;
}

static enum accord_error check_referral(const struct accord_term *term, struct terms_fault *fault)
{
    int64_t sum = 0;
    if (term->level_count < 1 || term->level_count > ACCORD_LEVELS_MAX)
        return in(fault, "levels_ppm", ACCORD_E_COUNT_OUT_OF_RANGE);
    for (uint32_t i = 0; i < term->level_count; i++) {
        if (rate_ok(term->levels_ppm[i], 0) != ACCORD_OK)
            return in(fault, "levels_ppm", ACCORD_E_VALUE_OUT_OF_RANGE);
        sum += term->levels_ppm[i];
    }
    if (sum > ACCORD_PPM_WHOLE)
        return in(fault, "levels_ppm", ACCORD_E_REFERRAL_EXCEEDS_WHOLE);
    if (sum == 0)
        return in(fault, "levels_ppm", ACCORD_E_RATES_ZERO);
    if (!in_range(term->attribution_window_us, 1, 366 * day_us))
        return in(fault, "window_days", ACCORD_E_VALUE_OUT_OF_RANGE);
    return ACCORD_OK;
}

static enum accord_error check_pool(const struct accord_term *term, struct terms_fault *fault)
{
    if (term->pool == NULL || term->pool[0] == '\0')
        return in(fault, "pool", ACCORD_E_FIELD_MISSING);
    return in(fault, "version", term->pool_version >= 1 ? ACCORD_OK : ACCORD_E_VALUE_OUT_OF_RANGE);
}

/* Which of the fields that several kinds have a kind reads. */
struct kind_fields {
    bool payee;
    bool funded_by;
    bool window;
    bool counts; /* `metric` is a count, never net */
    bool amount; /* above zero */
};
static const struct kind_fields kinds[ACCORD_TERM_KINDS] = {
    [ACCORD_TERM_SHARE] = {.payee = true},
    [ACCORD_TERM_AMOUNT] = {.payee = true}, /* of zero, too */
    [ACCORD_TERM_RESIDUAL] = {.payee = true},
    [ACCORD_TERM_CPA] = {.payee = true, .window = true, .counts = true, .amount = true},
    [ACCORD_TERM_REFERRAL] = {.payee = false},
    [ACCORD_TERM_TIERED] = {.payee = true, .window = true},
    [ACCORD_TERM_GREATER_OF] = {.payee = true, .window = true, .counts = true, .amount = true},
    [ACCORD_TERM_GUARANTEE] = {.payee = true, .funded_by = true, .window = true, .amount = true},
    [ACCORD_TERM_ADVANCE] = {.payee = true, .funded_by = true, .amount = true},
    [ACCORD_TERM_FLOOR] = {.payee = true, .funded_by = true, .window = true, .amount = true},
    [ACCORD_TERM_CAP] = {.payee = true, .window = true, .amount = true},
    [ACCORD_TERM_POOL] = {.payee = false},
    [ACCORD_TERM_WITHHOLDING] = {.payee = true},
};

static enum accord_error check_common(const struct accord_agreement_version *version,
                                      const struct accord_term *term, struct terms_fault *fault)
{
    const struct kind_fields *reads = &kinds[term->kind];
    if (reads->payee && term->payee >= version->party_count)
        return in(fault, "payee", ACCORD_E_PAYEE_NOT_PARTY);
    if (reads->funded_by && term->funded_by >= version->party_count)
        return in(fault, "funded_by", ACCORD_E_FUNDER_NOT_PARTY);
    if (reads->funded_by && term->funded_by == term->payee)
        return in(fault, "funded_by", ACCORD_E_FUNDER_IS_PAYEE);
    if (reads->window && (unsigned)term->window >= ACCORD_WINDOWS)
        return in(fault, "window", ACCORD_E_VALUE_UNKNOWN);
    if (reads->counts &&
        ((unsigned)term->metric >= ACCORD_METRICS || term->metric == ACCORD_METRIC_NET))
        return in(fault, "per", ACCORD_E_VALUE_UNKNOWN);
    return reads->amount ? in(fault, "amount_minor", amount_ok(term->amount_minor, 1)) : ACCORD_OK;
}

static enum accord_error check_term(const struct accord_agreement_version *version,
                                    const struct accord_term *term, struct terms_fault *fault)
{
    if ((unsigned)term->kind >= ACCORD_TERM_KINDS)
        return in(fault, "kind", ACCORD_E_VALUE_UNKNOWN);
    const enum accord_error err = check_common(version, term, fault);
    if (err != ACCORD_OK)
        return err;
    switch (term->kind) {
    case ACCORD_TERM_SHARE:
        return in(fault, "share_ppm", rate_ok(term->share_ppm, 0));
    case ACCORD_TERM_AMOUNT:
        return in(fault, "amount_minor", amount_ok(term->amount_minor, 0));
    case ACCORD_TERM_CPA:
        return check_cpa(term, fault);
    case ACCORD_TERM_REFERRAL:
        return check_referral(term, fault);
    case ACCORD_TERM_TIERED:
        if ((unsigned)term->metric >= ACCORD_METRICS)
            return in(fault, "metric", ACCORD_E_VALUE_UNKNOWN);
        return check_tiers(term, fault);
    case ACCORD_TERM_GREATER_OF:
        return in(fault, "share_ppm", rate_ok(term->share_ppm, 1));
    case ACCORD_TERM_ADVANCE:
        return in(fault, "minimum_minor", amount_ok(term->minimum_minor, 0));
    case ACCORD_TERM_POOL:
        return check_pool(term, fault);
    case ACCORD_TERM_WITHHOLDING:
        return check_withholding(term->withholding, fault);
    case ACCORD_TERM_RESIDUAL:
    case ACCORD_TERM_GUARANTEE:
    case ACCORD_TERM_FLOOR:
    case ACCORD_TERM_CAP:
    case ACCORD_TERM_KINDS:
        break;
    }
    return ACCORD_OK;
}

/* ---- terms beside one another ---- */

/* True when two terms of one kind want the same place. */
static bool is_repeated(const struct accord_term *a, const struct accord_term *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case ACCORD_TERM_REFERRAL:
        return true;
    case ACCORD_TERM_ADVANCE:
    case ACCORD_TERM_WITHHOLDING:
        return a->payee == b->payee;
    case ACCORD_TERM_GUARANTEE:
    case ACCORD_TERM_FLOOR:
    case ACCORD_TERM_CAP:
        return a->payee == b->payee && a->window == b->window;
    case ACCORD_TERM_POOL:
        return strcmp(a->pool, b->pool) == 0;
    case ACCORD_TERM_RESIDUAL: /* has a code of its own */
    case ACCORD_TERM_SHARE:
    case ACCORD_TERM_AMOUNT:
    case ACCORD_TERM_CPA:
    case ACCORD_TERM_TIERED:
    case ACCORD_TERM_GREATER_OF:
    case ACCORD_TERM_KINDS:
        break;
    }
    return false;
}

/* True when `cap` cuts below what `least` promises. */
static bool undercuts(const struct accord_term *cap, const struct accord_term *least)
{
    return cap->kind == ACCORD_TERM_CAP &&
           (least->kind == ACCORD_TERM_FLOOR || least->kind == ACCORD_TERM_GUARANTEE) &&
           cap->payee == least->payee && cap->window == least->window &&
           cap->amount_minor < least->amount_minor;
}

/* A term beside those before it. */
static enum accord_error check_pairs(const struct accord_agreement_version *version, uint32_t at,
                                     struct terms_fault *fault)
{
    const struct accord_term *term = &version->terms[at];
    for (uint32_t i = 0; i < at; i++) {
        const struct accord_term *before = &version->terms[i];
        const bool cap_first = undercuts(before, term);
        if (is_repeated(before, term))
            return ACCORD_E_TERM_REPEATED;
        if (cap_first || undercuts(term, before)) {
            fault->term = cap_first ? i : at;
            return in(fault, "amount_minor", ACCORD_E_CAP_BELOW_FLOOR);
        }
    }
    return ACCORD_OK;
}

/* The most of the whole that a term can take, and the step that does. */
static int64_t highest_share(const struct accord_term *term, uint32_t *ret_step)
{
    *ret_step = UINT32_MAX;
    if (term->kind == ACCORD_TERM_SHARE || term->kind == ACCORD_TERM_GREATER_OF)
        return term->share_ppm;
    if (term->kind != ACCORD_TERM_TIERED || !rates_are_shares(term))
        return 0;
    int64_t highest = -1;
    for (uint32_t i = 0; i < term->tier_count; i++)
        if (term->tiers[i].rate > highest) {
            highest = term->tiers[i].rate;
            *ret_step = i;
        }
    return highest;
}

/* What is cut from the payee of the residual would come back to it. */
static enum accord_error check_caps(const struct accord_agreement_version *version,
                                    uint32_t residual, struct terms_fault *fault)
{
    for (uint32_t i = 0; i < version->term_count; i++)
        if (version->terms[i].kind == ACCORD_TERM_CAP &&
            version->terms[i].payee == version->terms[residual].payee) {
            fault->term = i;
            return in(fault, "payee", ACCORD_E_CAP_ON_RESIDUAL);
        }
    return ACCORD_OK;
}

static enum accord_error check_terms(const struct accord_agreement_version *version,
                                     struct terms_fault *fault)
{
    int64_t shares = 0;
    uint32_t residual = UINT32_MAX;
    if (version->term_count > ACCORD_TERMS_MAX)
        return in(fault, "terms", ACCORD_E_COUNT_OUT_OF_RANGE);
    for (uint32_t i = 0; i < version->term_count; i++) {
        const struct accord_term *term = &version->terms[i];
        uint32_t step;
        fault->term = i;
        enum accord_error err = check_term(version, term, fault);
        if (err != ACCORD_OK)
            return err;
        shares += highest_share(term, &step);
        if (shares > ACCORD_PPM_WHOLE) {
            fault->step = step;
            return in(fault, "share_ppm", ACCORD_E_SHARES_EXCEED_WHOLE);
        }
        if (term->kind == ACCORD_TERM_RESIDUAL) {
            if (residual != UINT32_MAX)
                return ACCORD_E_RESIDUAL_REPEATED;
            residual = i;
        }
        err = check_pairs(version, i, fault);
        if (err != ACCORD_OK)
            return err;
    }
    fault->term = UINT32_MAX;
    return residual == UINT32_MAX ? in(fault, "terms", ACCORD_E_RESIDUAL_MISSING)
                                  : check_caps(version, residual, fault);
}

/* ---- base and policies ---- */

static enum accord_error check_base(const struct accord_agreement_version *version,
                                    struct terms_fault *fault)
{
    static const char *const rate_fields[] = {"base/tax/rate_ppm", "base/store_fee/rate_ppm",
                                              "base/payment_fee/rate_ppm",
                                              "base/admin_fee/rate_ppm"};
    static const char *const of_fields[] = {"base/tax", "base/store_fee/of", "base/payment_fee/of",
                                            "base/admin_fee/of"};
    const struct accord_deduction *const all[] = {&version->tax, &version->store_fee,
                                                  &version->payment_fee, &version->admin_fee};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!in_range(all[i]->rate_ppm, -1, ACCORD_PPM_WHOLE))
            return in(fault, rate_fields[i], ACCORD_E_VALUE_OUT_OF_RANGE);
        if (i > 0 && (unsigned)all[i]->base > (unsigned)ACCORD_FEE_ON_RUNNING)
            return in(fault, of_fields[i], ACCORD_E_VALUE_UNKNOWN);
    }
    return in(fault, "base/payment_fee/fixed_minor",
              amount_ok(version->payment_fee.fixed_minor, 0));
}

static enum accord_error check_policies(const struct accord_agreement_version *version,
                                        struct terms_fault *fault)
{
    if ((unsigned)version->refund_basis > (unsigned)ACCORD_REFUND_IN_PERIOD)
        return in(fault, "refund/basis", ACCORD_E_VALUE_UNKNOWN);
    if (version->kept_fees_charged && version->fee_borne_by >= version->party_count)
        return in(fault, "refund/fee_borne_by", ACCORD_E_FUNDER_NOT_PARTY);
    if ((unsigned)version->late_usage > (unsigned)ACCORD_LATE_IGNORE_AFTER)
        return in(fault, "late_usage/policy", ACCORD_E_VALUE_UNKNOWN);
    if ((unsigned)version->fx_policy > (unsigned)ACCORD_FX_CLOSE_DAY)
        return in(fault, "fx/policy", ACCORD_E_VALUE_UNKNOWN);
    const struct {
        const char *field;
        int64_t value;
        int64_t least;
        int64_t most;
    } ranges[] = {
        {"late_usage/days", version->late_usage_days, 0, DAYS_MAX},
        {"qualify_days", version->qualify_days, -1, 366},
        {"hold_days", version->hold_days, 0, 366},
        {"reserve/ppm", version->reserve_ppm, 0, ACCORD_PPM_WHOLE},
        {"reserve/periods", version->reserve_periods, 0, 120},
        {"tail_days", version->tail_days, 0, DAYS_MAX},
        {"dispute_days", version->dispute_days, 0, 366},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (!in_range(ranges[i].value, ranges[i].least, ranges[i].most))
            return in(fault, ranges[i].field, ACCORD_E_VALUE_OUT_OF_RANGE);
    if (version->reserve_ppm > 0 && version->reserve_periods == 0)
        return in(fault, "reserve/periods", ACCORD_E_RESERVE_WITHOUT_PERIODS);
    return in(fault, "min_payout_minor", amount_ok(version->min_payout_minor, 0));
}

enum accord_error terms_check_at(const struct accord_agreement_version *version,
                                 struct terms_fault *ret_fault)
{
    static const char *const funders[ACCORD_FUNDERS] = {"funders/provider", "funders/channel",
                                                        "funders/platform"};
    *ret_fault = (struct terms_fault){.term = UINT32_MAX, .step = UINT32_MAX};
    if (version->party_count < 1 || version->party_count > ACCORD_PARTIES_MAX)
        return in(ret_fault, "parties", ACCORD_E_COUNT_OUT_OF_RANGE);
    if (version->collector >= version->party_count)
        return in(ret_fault, "collector", ACCORD_E_COLLECTOR_NOT_PARTY);
    enum accord_error err = check_base(version, ret_fault);
    for (unsigned f = 0; err == ACCORD_OK && f < ACCORD_FUNDERS; f++)
        if (version->add_back[f] && version->funder_party[f] >= version->party_count)
            err = in(ret_fault, funders[f], ACCORD_E_FUNDER_NOT_PARTY);
    if (err == ACCORD_OK)
        err = check_policies(version, ret_fault);
    return err == ACCORD_OK ? check_terms(version, ret_fault) : err;
}

enum accord_error terms_check(const struct accord_agreement_version *version, uint32_t *ret_term)
{
    struct terms_fault fault;
    const enum accord_error err = terms_check_at(version, &fault);
    *ret_term = fault.term;
    return err;
}
