/* Terms as they are written in JSON: a table of fields for each kind. */
#include <stdio.h>

#include "accord/withholding.h"
#include "ingest/agreement_names.h"
#include "ingest/agreement_parts.h"

struct tier_body {
    int64_t from;
    int64_t share_ppm;
    bool has_share;
    int64_t amount_micro;
    bool has_micro;
};

/* What any kind has; a kind's table says which of them. */
struct agreement_term_body {
    int kind;
    struct slice payee;
    struct slice funded_by;
    int64_t share_ppm;
    int64_t amount_minor;
    int64_t floor_minor;
    int64_t cap_minor;
    int64_t minimum_minor;
    int per;
    int metric;
    int mode;
    int window;
    int recoup;
    struct json_array levels_ppm; /* int64_t */
    int64_t window_days;
    int model;
    bool coupon_beats_click;
    struct json_array steps; /* struct tier_body, struct accord_withholding_step */
    int64_t rate_ppm;
    bool has_rate;
    int base;
    struct slice channel;
    struct slice pool;
    int64_t version;
};

const char *const agreement_term_names[] = {
    "share",     "amount",  "residual", "cpa", "referral", "tiered",      "greater_of",
    "guarantee", "advance", "floor",    "cap", "pool",     "withholding", NULL};
const char *const agreement_window_names[] = {"period", "year", "life", NULL};
const char *const agreement_metric_names[] = {"net", "lines", "units", "learners", NULL};
const char *const agreement_per_names[] = {"line", "unit", "learner", NULL};
const char *const agreement_mode_names[] = {"marginal", "whole", NULL};
const char *const agreement_model_names[] = {"last", "first", NULL};
const char *const agreement_recoup_names[] = {"none", "future", NULL};
const char *const agreement_withholding_base_names[] = {"earned", "after_recoupment", NULL};

/* clang-format off */
#define TERM struct agreement_term_body
#define KIND JSON_ENUM(TERM, kind, agreement_term_names)
#define PAYEE JSON_SLUG(TERM, payee)
#define FUNDED_BY JSON_SLUG(TERM, funded_by)
#define AMOUNT JSON_AMOUNT(TERM, amount_minor)
#define SHARE JSON_INT(TERM, share_ppm, 0, ACCORD_PPM_WHOLE)
#define PER JSON_ENUM(TERM, per, agreement_per_names)
#define WINDOW JSON_ENUM(TERM, window, agreement_window_names)
#define WINDOW_OR_PERIOD JSON_ENUM_OR(TERM, window, agreement_window_names, ACCORD_WINDOW_PERIOD)
#define NO_AMOUNT(member) \
    JSON_FIELD_OR_AS(#member, TERM, member, JSON_KIND_AMOUNT, 0, ACCORD_AMOUNT_MAX, -1)
#define KIND_TABLE(list) AGREEMENT_OBJECT(TERM, list)
/* clang-format on */

static const struct json_field tier_fields[] = {
    JSON_INT(struct tier_body, from, 0, ACCORD_AMOUNT_MAX),
    JSON_INT_OPT(struct tier_body, share_ppm, has_share, 0, ACCORD_PPM_WHOLE),
    JSON_INT_OPT(struct tier_body, amount_micro, has_micro, 0, ACCORD_TIER_MICRO_MAX),
};
static const struct json_object tier_spec = AGREEMENT_OBJECT(struct tier_body, tier_fields);

static const struct json_field withholding_step_fields[] = {
    JSON_AMOUNT(struct accord_withholding_step, over_minor),
    JSON_AMOUNT_OR(struct accord_withholding_step, deduct_minor, 0),
    JSON_INT_OR(struct accord_withholding_step, deduct_ppm, 0, ACCORD_PPM_WHOLE, 0),
    JSON_INT(struct accord_withholding_step, rate_ppm, 0, ACCORD_PPM_WHOLE),
    JSON_AMOUNT_OR(struct accord_withholding_step, quick_deduction_minor, 0),
};
static const struct json_object withholding_step_spec =
    AGREEMENT_OBJECT(struct accord_withholding_step, withholding_step_fields);

static const struct json_field level_element = JSON_ELEMENT(JSON_KIND_INT, 0, ACCORD_PPM_WHOLE);

/* That there is at least one step is for the domain to say, under its own code. */
static const struct json_field share_fields[] = {KIND, PAYEE, SHARE};
static const struct json_field amount_fields[] = {KIND, PAYEE, AMOUNT};
static const struct json_field residual_fields[] = {KIND, PAYEE};
static const struct json_field cpa_fields[] = {
    KIND, PAYEE, AMOUNT, PER, WINDOW_OR_PERIOD, NO_AMOUNT(floor_minor), NO_AMOUNT(cap_minor)};
static const struct json_field referral_fields[] = {
    KIND,
    JSON_ARRAY_SCALAR(TERM, levels_ppm, &level_element, 1, ACCORD_LEVELS_MAX),
    JSON_INT(TERM, window_days, 1, 366),
    JSON_ENUM_OR(TERM, model, agreement_model_names, 0),
    JSON_BOOLEAN_OR(TERM, coupon_beats_click, true),
};
static const struct json_field tiered_fields[] = {
    KIND,
    PAYEE,
    JSON_ENUM(TERM, metric, agreement_metric_names),
    JSON_ENUM(TERM, mode, agreement_mode_names),
    WINDOW,
    JSON_ARRAY_OF(TERM, steps, &tier_spec, 0, ACCORD_TIERS_MAX),
};
static const struct json_field greater_of_fields[] = {KIND,   PAYEE, SHARE,
                                                      AMOUNT, PER,   WINDOW_OR_PERIOD};
static const struct json_field guarantee_fields[] = {
    KIND, PAYEE, FUNDED_BY, AMOUNT, WINDOW, JSON_ENUM(TERM, recoup, agreement_recoup_names)};
static const struct json_field advance_fields[] = {KIND, PAYEE, FUNDED_BY, AMOUNT,
                                                   JSON_AMOUNT_OR(TERM, minimum_minor, 0)};
static const struct json_field floor_fields[] = {KIND, PAYEE, FUNDED_BY, AMOUNT, WINDOW};
static const struct json_field cap_fields[] = {KIND, PAYEE, AMOUNT, WINDOW};
static const struct json_field pool_fields[] = {
    KIND, JSON_SLUG(TERM, channel), JSON_SLUG(TERM, pool), JSON_INT(TERM, version, 1, INT32_MAX)};
static const struct json_field withholding_fields[] = {
    KIND,
    PAYEE,
    JSON_ARRAY_OF_OPT(TERM, steps, &withholding_step_spec, 0, ACCORD_WITHHOLDING_STEPS_MAX),
    JSON_INT_OPT(TERM, rate_ppm, has_rate, 0, ACCORD_PPM_WHOLE),
    JSON_ENUM_OR(TERM, base, agreement_withholding_base_names, 0),
};
static const struct json_object kind_specs[ACCORD_TERM_KINDS] = {
    [ACCORD_TERM_SHARE] = KIND_TABLE(share_fields),
    [ACCORD_TERM_AMOUNT] = KIND_TABLE(amount_fields),
    [ACCORD_TERM_RESIDUAL] = KIND_TABLE(residual_fields),
    [ACCORD_TERM_CPA] = KIND_TABLE(cpa_fields),
    [ACCORD_TERM_REFERRAL] = KIND_TABLE(referral_fields),
    [ACCORD_TERM_TIERED] = KIND_TABLE(tiered_fields),
    [ACCORD_TERM_GREATER_OF] = KIND_TABLE(greater_of_fields),
    [ACCORD_TERM_GUARANTEE] = KIND_TABLE(guarantee_fields),
    [ACCORD_TERM_ADVANCE] = KIND_TABLE(advance_fields),
    [ACCORD_TERM_FLOOR] = KIND_TABLE(floor_fields),
    [ACCORD_TERM_CAP] = KIND_TABLE(cap_fields),
    [ACCORD_TERM_POOL] = KIND_TABLE(pool_fields),
    [ACCORD_TERM_WITHHOLDING] = KIND_TABLE(withholding_fields),
};

/* Looked at first: it chooses the table. */
static const struct json_field kind_field[] = {KIND};
static const struct json_object kind_spec = {
    .fields = kind_field, .count = 1, .size = sizeof(TERM), .open = true, .rest = SIZE_MAX};

const struct json_field agreement_term_element = JSON_ELEMENT(JSON_KIND_RAW, 0, 0);

/* ---- fields that go together ---- */

/* A step gives shares of net or amounts for each one counted: net and a count that is taken
 * marginally leave no choice, else the first step makes it for all of the term. */
static bool steps_are_shares(const struct agreement_term_body *body)
{
    const struct tier_body *steps = body->steps.items;
    if (body->metric == ACCORD_METRIC_NET)
        return true;
    return body->mode == 1 && body->steps.count > 0 && steps[0].has_share;
}

static void check_steps(struct agreement_decoding *d, const struct agreement_term_body *body,
                        const char *prefix)
{
    const struct tier_body *steps = body->steps.items;
    const bool shares = steps_are_shares(body);
    for (size_t i = 0; i < body->steps.count; i++) {
        if (shares != steps[i].has_share)
            agreement_problem(d, shares ? ACCORD_E_FIELD_MISSING : ACCORD_E_FIELD_UNKNOWN,
                              "%s/steps/%zu/share_ppm", prefix, i);
        if (shares == steps[i].has_micro)
            agreement_problem(d, shares ? ACCORD_E_FIELD_UNKNOWN : ACCORD_E_FIELD_MISSING,
                              "%s/steps/%zu/amount_micro", prefix, i);
    }
}

static void check_together(struct agreement_decoding *d, const struct agreement_term_body *body,
                           const char *prefix)
{
    if (body->kind == ACCORD_TERM_TIERED)
        check_steps(d, body, prefix);
    if (body->kind != ACCORD_TERM_WITHHOLDING)
        return;
    const bool has_steps = body->steps.items != NULL;
    if (has_steps == body->has_rate) /* a table or a flat rate */
        agreement_problem(d, has_steps ? ACCORD_E_FIELD_UNKNOWN : ACCORD_E_FIELD_MISSING,
                          "%s/rate_ppm", prefix);
}

enum accord_error agreement_read_terms(struct agreement_decoding *d, const struct json_array *raw,
                                       struct agreement_term_body **ret)
{
    const struct slice *texts = raw->items;
    struct agreement_term_body *bodies = arena_array(d->arena, raw->count + 1, sizeof *bodies);
    if (bodies == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < raw->count; i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "/terms/%zu", i);
        enum accord_error error =
            json_decode(d->arena, texts[i], &kind_spec, prefix, &bodies[i], d->problems);
        if (error == ACCORD_OK)
            error = json_decode(d->arena, texts[i], &kind_specs[bodies[i].kind], prefix, &bodies[i],
                                d->problems);
        if (error == ACCORD_E_OUT_OF_MEMORY)
            return error;
        if (error == ACCORD_OK)
            check_together(d, &bodies[i], prefix);
    }
    *ret = bodies;
    return ACCORD_OK;
}

/* ---- into the version ---- */

static uint32_t take_party(struct agreement_decoding *d, struct slice id, size_t at,
                           const char *field, enum accord_error stranger)
{
    if (id.len == 0) /* the kind has none */
        return 0;
    const uint32_t party = agreement_party(d->terms, id);
    if (party == UINT32_MAX)
        agreement_problem(d, stranger, "/terms/%zu/%s", at, field);
    return party;
}

static void take_tiers(struct agreement_decoding *d, const struct agreement_term_body *body,
                       struct accord_term *term)
{
    const struct tier_body *steps = body->steps.items;
    struct accord_tier *tiers = arena_array(d->arena, body->steps.count + 1, sizeof *tiers);
    if (tiers == NULL) {
        d->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < body->steps.count; i++)
        tiers[i] = (struct accord_tier){steps[i].from, steps[i].has_share ? steps[i].share_ppm
                                                                          : steps[i].amount_micro};
    term->tiers = tiers;
    term->tier_count = (uint32_t)body->steps.count;
    term->of_net = body->metric != ACCORD_METRIC_NET && steps_are_shares(body);
}

static void take_withholding(struct agreement_decoding *d, const struct agreement_term_body *body,
                             struct accord_term *term)
{
    const struct accord_withholding_step *steps = body->steps.items;
    struct accord_withholding *table = arena_alloc(d->arena, sizeof *table);
    if (table == NULL) {
        d->out_of_memory = true;
        return;
    }
    *table = (struct accord_withholding){.step_count = 1, .steps = {{.rate_ppm = body->rate_ppm}}};
    if (!body->has_rate) {
        table->step_count = (uint32_t)body->steps.count;
        for (size_t i = 0; i < body->steps.count; i++)
            table->steps[i] = steps[i];
    }
    term->withholding = table;
}

static void take_term(struct agreement_decoding *d, const struct agreement_term_body *body,
                      size_t at)
{
    struct accord_term *term = &d->terms->terms[d->terms->term_count++];
    *term = (struct accord_term){
        .kind = (enum accord_term_kind)body->kind,
        .payee = take_party(d, body->payee, at, "payee", ACCORD_E_PAYEE_NOT_PARTY),
        .funded_by = take_party(d, body->funded_by, at, "funded_by", ACCORD_E_FUNDER_NOT_PARTY),
        .share_ppm = body->share_ppm,
        .amount_minor = body->amount_minor,
        .window = (enum accord_window)body->window,
        .floor_minor = body->floor_minor,
        .cap_minor = body->cap_minor,
        .recoup = body->recoup == 1,
        .minimum_minor = body->minimum_minor,
        .level_count = (uint32_t)body->levels_ppm.count,
        .attribution_window_us = body->window_days * CLOCK_DAY_US,
        .first_touch = body->model == 1,
        .coupon_beats_click = body->coupon_beats_click,
        .pool_version = body->version,
        .after_recoupment = body->base == 1,
    };
    for (size_t i = 0; i < body->levels_ppm.count; i++)
        term->levels_ppm[i] = ((const int64_t *)body->levels_ppm.items)[i];
    switch (term->kind) {
    case ACCORD_TERM_CPA:
    case ACCORD_TERM_GREATER_OF:
        term->metric = (enum accord_metric)(ACCORD_METRIC_LINES + body->per);
        break;
    case ACCORD_TERM_TIERED:
        term->metric = (enum accord_metric)body->metric;
        term->whole = body->mode == 1;
        take_tiers(d, body, term);
        break;
    case ACCORD_TERM_POOL:
        /* That there is such a pool is looked at when it is proposed, and when all have signed. */
        take_party(d, body->channel, at, "channel", ACCORD_E_PAYEE_NOT_PARTY);
        term->pool = arena_printf(d->arena, "%s/%s", body->channel.data, body->pool.data);
        d->out_of_memory |= term->pool == NULL;
        break;
    case ACCORD_TERM_WITHHOLDING:
        take_withholding(d, body, term);
        break;
    case ACCORD_TERM_SHARE:
    case ACCORD_TERM_AMOUNT:
    case ACCORD_TERM_RESIDUAL:
    case ACCORD_TERM_REFERRAL:
    case ACCORD_TERM_GUARANTEE:
    case ACCORD_TERM_ADVANCE:
    case ACCORD_TERM_FLOOR:
    case ACCORD_TERM_CAP:
    case ACCORD_TERM_KINDS:
        break;
    }
}

void agreement_take_terms(struct agreement_decoding *d, const struct agreement_term_body *bodies,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        take_term(d, &bodies[i], i);
}
