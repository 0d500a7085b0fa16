#include "ingest/agreement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/agreement_names.h"

/* ---- the body as it is written in JSON ---- */

struct scope_course {
    struct slice provider;
    struct slice course_id;
};

struct scope_body {
    struct json_array providers; /* struct slice */
    struct json_array channels;  /* struct slice */
    struct json_array courses;   /* struct scope_course */
};

struct effective_body {
    instant_us from;
    instant_us to;
    bool has_to;
};

struct period_body {
    int kind;
    struct slice time_zone;
};

struct deduction_body {
    bool deduct;
    int64_t rate_ppm;
    bool has_rate;
    int of;
};

struct discounts_body {
    int by[ACCORD_FUNDERS]; /* 0: deduct, 1: add_back */
};

struct base_body {
    struct deduction_body tax;
    bool has_tax;
    struct deduction_body store_fee;
    bool has_store_fee;
    struct deduction_body payment_fee;
    bool has_payment_fee;
    struct discounts_body discounts;
};

struct funders_body {
    struct slice by[ACCORD_FUNDERS];
};

struct refund_body {
    int basis;
};

struct term_body {
    int kind;
    struct slice payee;
    int64_t share_ppm;
    bool has_share;
    int64_t amount_minor;
    bool has_amount;
};

struct version_body {
    struct slice id;
    struct slice name;
    struct json_array parties; /* struct slice */
    struct slice collector;
    int clearing;
    bool is_default;
    struct scope_body scope;
    struct effective_body effective;
    bool retroactive;
    struct accord_currency currency;
    struct period_body period;
    bool has_period;
    int64_t priority;
    struct base_body base;
    struct funders_body funders;
    struct refund_body refund;
    struct json_array terms; /* struct term_body */
};

const char *const agreement_clearing_names[] = {"operator", "direct", NULL};
const char *const agreement_period_names[] = {"month", "quarter", NULL};
const char *const agreement_fee_base_names[] = {"gross", "ex_tax", "running", NULL};
const char *const agreement_discount_names[] = {"deduct", "add_back", NULL};
const char *const agreement_funder_names[ACCORD_FUNDERS] = {"provider", "channel", "platform"};
const char *const agreement_basis_names[] = {"original", NULL};
const char *const agreement_term_names[] = {"share", "amount", "residual", NULL};

/* clang-format off */
#define NAMED(text, type, member, k, ...) \
    {.name = (text), .kind = (k), .offset = offsetof(type, member), .has_offset = SIZE_MAX, __VA_ARGS__}
#define FIELD(type, member, k, ...) NAMED(#member, type, member, k, __VA_ARGS__)
#define OPTIONAL .optional = true, .nullable_as_absent = true
/* clang-format on */

static const struct json_field slug_element = {
    .name = "", .kind = JSON_KIND_SLUG, .has_offset = SIZE_MAX, .min = 1, .max = 63};

static const struct json_field course_fields[] = {
    FIELD(struct scope_course, provider, JSON_KIND_SLUG, .min = 1, .max = 63),
    FIELD(struct scope_course, course_id, JSON_KIND_ID, .min = 1, .max = 255),
};
static const struct json_object course_spec = JSON_OBJECT(struct scope_course, course_fields);

static const struct json_field scope_fields[] = {
    FIELD(struct scope_body, providers, JSON_KIND_ARRAY, .min = 0, .max = ACCORD_PARTIES_MAX,
          .element = &slug_element, OPTIONAL),
    FIELD(struct scope_body, channels, JSON_KIND_ARRAY, .min = 0, .max = ACCORD_PARTIES_MAX,
          .element = &slug_element, OPTIONAL),
    FIELD(struct scope_body, courses, JSON_KIND_ARRAY, .min = 0, .max = ACCORD_SCOPE_MAX,
          .object = &course_spec, OPTIONAL),
};
static const struct json_object scope_spec = JSON_OBJECT(struct scope_body, scope_fields);

static const struct json_field effective_fields[] = {
    FIELD(struct effective_body, from, JSON_KIND_TIME, .optional = false),
    {.name = "to",
     .kind = JSON_KIND_TIME,
     .offset = offsetof(struct effective_body, to),
     .has_offset = offsetof(struct effective_body, has_to),
     OPTIONAL},
};
static const struct json_object effective_spec =
    JSON_OBJECT(struct effective_body, effective_fields);

static const struct json_field period_fields[] = {
    FIELD(struct period_body, kind, JSON_KIND_ENUM, .names = agreement_period_names),
    FIELD(struct period_body, time_zone, JSON_KIND_STRING, .min = 1, .max = 64),
};
static const struct json_object period_spec = JSON_OBJECT(struct period_body, period_fields);

/* A tax has no `of`: it is included in the gross. */
static const struct json_field tax_fields[] = {
    FIELD(struct deduction_body, deduct, JSON_KIND_BOOL, .optional = false),
    {.name = "rate_ppm",
     .kind = JSON_KIND_INT,
     .offset = offsetof(struct deduction_body, rate_ppm),
     .has_offset = offsetof(struct deduction_body, has_rate),
     .min = 0,
     .max = ACCORD_PPM_WHOLE,
     OPTIONAL},
};
static const struct json_object tax_spec = JSON_OBJECT(struct deduction_body, tax_fields);

static const struct json_field fee_fields[] = {
    FIELD(struct deduction_body, deduct, JSON_KIND_BOOL, .optional = false),
    {.name = "rate_ppm",
     .kind = JSON_KIND_INT,
     .offset = offsetof(struct deduction_body, rate_ppm),
     .has_offset = offsetof(struct deduction_body, has_rate),
     .min = 0,
     .max = ACCORD_PPM_WHOLE,
     OPTIONAL},
    FIELD(struct deduction_body, of, JSON_KIND_ENUM, .names = agreement_fee_base_names, OPTIONAL),
};
static const struct json_object fee_spec = JSON_OBJECT(struct deduction_body, fee_fields);

static const struct json_field discount_fields[] = {
    NAMED("provider", struct discounts_body, by[ACCORD_FUNDER_PROVIDER], JSON_KIND_ENUM,
          .names = agreement_discount_names, OPTIONAL),
    NAMED("channel", struct discounts_body, by[ACCORD_FUNDER_CHANNEL], JSON_KIND_ENUM,
          .names = agreement_discount_names, OPTIONAL),
    NAMED("platform", struct discounts_body, by[ACCORD_FUNDER_PLATFORM], JSON_KIND_ENUM,
          .names = agreement_discount_names, OPTIONAL),
};
static const struct json_object discounts_spec =
    JSON_OBJECT(struct discounts_body, discount_fields);

static const struct json_field base_fields[] = {
    {.name = "tax",
     .kind = JSON_KIND_OBJECT,
     .offset = offsetof(struct base_body, tax),
     .has_offset = offsetof(struct base_body, has_tax),
     .object = &tax_spec,
     OPTIONAL},
    {.name = "store_fee",
     .kind = JSON_KIND_OBJECT,
     .offset = offsetof(struct base_body, store_fee),
     .has_offset = offsetof(struct base_body, has_store_fee),
     .object = &fee_spec,
     OPTIONAL},
    {.name = "payment_fee",
     .kind = JSON_KIND_OBJECT,
     .offset = offsetof(struct base_body, payment_fee),
     .has_offset = offsetof(struct base_body, has_payment_fee),
     .object = &fee_spec,
     OPTIONAL},
    FIELD(struct base_body, discounts, JSON_KIND_OBJECT, .object = &discounts_spec, OPTIONAL),
};
static const struct json_object base_spec = JSON_OBJECT(struct base_body, base_fields);

static const struct json_field funder_fields[] = {
    NAMED("provider", struct funders_body, by[ACCORD_FUNDER_PROVIDER], JSON_KIND_SLUG, .min = 1,
          .max = 63, OPTIONAL),
    NAMED("channel", struct funders_body, by[ACCORD_FUNDER_CHANNEL], JSON_KIND_SLUG, .min = 1,
          .max = 63, OPTIONAL),
    NAMED("platform", struct funders_body, by[ACCORD_FUNDER_PLATFORM], JSON_KIND_SLUG, .min = 1,
          .max = 63, OPTIONAL),
};
static const struct json_object funders_spec = JSON_OBJECT(struct funders_body, funder_fields);

static const struct json_field refund_fields[] = {
    FIELD(struct refund_body, basis, JSON_KIND_ENUM, .names = agreement_basis_names),
};
static const struct json_object refund_spec = JSON_OBJECT(struct refund_body, refund_fields);

static const struct json_field term_fields[] = {
    FIELD(struct term_body, kind, JSON_KIND_ENUM, .names = agreement_term_names),
    FIELD(struct term_body, payee, JSON_KIND_SLUG, .min = 1, .max = 63),
    {.name = "share_ppm",
     .kind = JSON_KIND_INT,
     .offset = offsetof(struct term_body, share_ppm),
     .has_offset = offsetof(struct term_body, has_share),
     .min = 0,
     .max = ACCORD_PPM_WHOLE,
     .optional = true},
    {.name = "amount_minor",
     .kind = JSON_KIND_AMOUNT,
     .offset = offsetof(struct term_body, amount_minor),
     .has_offset = offsetof(struct term_body, has_amount),
     .min = 0,
     .max = ACCORD_AMOUNT_MAX,
     .optional = true},
};
static const struct json_object term_spec = JSON_OBJECT(struct term_body, term_fields);

/* The head (id, name) stands first, so that a version alone is the table without it. */
enum { HEAD_FIELDS = 2 };
static const struct json_field version_fields[] = {
    FIELD(struct version_body, id, JSON_KIND_SLUG, .min = 1, .max = 63, OPTIONAL),
    FIELD(struct version_body, name, JSON_KIND_ID, .min = 1, .max = 255),
    FIELD(struct version_body, parties, JSON_KIND_ARRAY, .min = 2, .max = ACCORD_PARTIES_MAX,
          .element = &slug_element),
    FIELD(struct version_body, collector, JSON_KIND_SLUG, .min = 1, .max = 63, OPTIONAL),
    FIELD(struct version_body, clearing, JSON_KIND_ENUM, .names = agreement_clearing_names,
          OPTIONAL),
    NAMED("default", struct version_body, is_default, JSON_KIND_BOOL, OPTIONAL),
    FIELD(struct version_body, scope, JSON_KIND_OBJECT, .object = &scope_spec),
    FIELD(struct version_body, effective, JSON_KIND_OBJECT, .object = &effective_spec),
    FIELD(struct version_body, retroactive, JSON_KIND_BOOL, OPTIONAL),
    FIELD(struct version_body, currency, JSON_KIND_CURRENCY, .optional = false),
    {.name = "period",
     .kind = JSON_KIND_OBJECT,
     .offset = offsetof(struct version_body, period),
     .has_offset = offsetof(struct version_body, has_period),
     .object = &period_spec,
     OPTIONAL},
    FIELD(struct version_body, priority, JSON_KIND_INT, .min = -1000000, .max = 1000000, OPTIONAL),
    FIELD(struct version_body, base, JSON_KIND_OBJECT, .object = &base_spec, OPTIONAL),
    FIELD(struct version_body, funders, JSON_KIND_OBJECT, .object = &funders_spec, OPTIONAL),
    FIELD(struct version_body, refund, JSON_KIND_OBJECT, .object = &refund_spec, OPTIONAL),
    FIELD(struct version_body, terms, JSON_KIND_ARRAY, .min = 1, .max = ACCORD_TERMS_MAX,
          .object = &term_spec),
};
static const struct json_object headed_spec = JSON_OBJECT(struct version_body, version_fields);
static const struct json_object version_spec = {
    .fields = version_fields + HEAD_FIELDS,
    .count = sizeof version_fields / sizeof version_fields[0] - HEAD_FIELDS,
    .size = sizeof(struct version_body),
    .rest = SIZE_MAX,
};

/* ---- from the body to what settle reads ---- */

struct decoding {
    struct arena *arena;
    struct json_problems *problems;
    struct accord_agreement_version *terms;
    bool out_of_memory;
};

static const char *text_of(struct decoding *d, struct slice text)
{
    const char *copy = arena_strdup(d->arena, text);
    if (copy == NULL) {
        d->out_of_memory = true;
        return "";
    }
    return copy;
}

static void problem(struct decoding *d, enum accord_error code, const char *pointer)
{
    json_problem_add(d->problems, code, pointer, "%s", accord_error_title(code));
}

/* Index of a party, or UINT32_MAX. */
static uint32_t party_of(const struct accord_agreement_version *terms, struct slice id)
{
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (slice_equal(slice_of(terms->parties[i]), id))
            return i;
    return UINT32_MAX;
}

static void take_parties(struct decoding *d, const struct json_array *parties)
{
    const struct slice *ids = parties->items;
    for (size_t i = 0; i < parties->count; i++) {
        if (party_of(d->terms, ids[i]) != UINT32_MAX) {
            char pointer[32];
            snprintf(pointer, sizeof pointer, "/parties/%zu", i);
            problem(d, ACCORD_E_PARTY_REPEATED, pointer);
            continue;
        }
        d->terms->parties[d->terms->party_count++] = text_of(d, ids[i]);
    }
}

/* ---- scope lists are sets: in one order, nothing twice ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_course(const void *a, const void *b)
{
    const struct accord_course_ref *x = a;
    const struct accord_course_ref *y = b;
    const int order = strcmp(x->provider, y->provider);
    return order != 0 ? order : strcmp(x->course_id, y->course_id);
}

/* Sorts, and closes up over what is there twice; returns how many are left. */
static size_t make_set(void *items, size_t count, size_t size,
                       int (*compare)(const void *a, const void *b))
{
    char *bytes = items;
    size_t left = 0;
    qsort(items, count, size, compare);
    for (size_t i = 0; i < count; i++)
        if (left == 0 || compare(bytes + (left - 1) * size, bytes + i * size) != 0)
            memmove(bytes + left++ * size, bytes + i * size, size);
    return left;
}

static const char *const *take_partners(struct decoding *d, const struct json_array *list,
                                        const char *member, size_t *ret_count)
{
    const struct slice *ids = list->items;
    const char **ret = arena_array(d->arena, list->count + 1, sizeof *ret);
    if (ret == NULL) {
        d->out_of_memory = true;
        return NULL;
    }
    for (size_t i = 0; i < list->count; i++) {
        ret[i] = text_of(d, ids[i]);
        if (party_of(d->terms, ids[i]) == UINT32_MAX) {
            char pointer[48];
            snprintf(pointer, sizeof pointer, "/scope/%s/%zu", member, i);
            problem(d, ACCORD_E_SCOPE_FOREIGN, pointer);
        }
    }
    *ret_count = make_set(ret, list->count, sizeof *ret, by_text);
    return ret;
}

static void take_scope(struct decoding *d, const struct scope_body *scope)
{
    d->terms->providers =
        take_partners(d, &scope->providers, "providers", &d->terms->provider_count);
    d->terms->channels = take_partners(d, &scope->channels, "channels", &d->terms->channel_count);
    struct accord_course_ref *courses =
        arena_array(d->arena, scope->courses.count + 1, sizeof *courses);
    if (courses == NULL) {
        d->out_of_memory = true;
        return;
    }
    const struct scope_course *given = scope->courses.items;
    for (size_t i = 0; i < scope->courses.count; i++) {
        courses[i].provider = text_of(d, given[i].provider);
        courses[i].course_id = text_of(d, given[i].course_id);
        if (party_of(d->terms, given[i].provider) == UINT32_MAX) {
            char pointer[48];
            snprintf(pointer, sizeof pointer, "/scope/courses/%zu/provider", i);
            problem(d, ACCORD_E_SCOPE_FOREIGN, pointer);
        }
    }
    d->terms->courses = courses;
    d->terms->course_count = make_set(courses, scope->courses.count, sizeof *courses, by_course);
    if (!d->terms->is_default &&
        scope->providers.count + scope->channels.count + scope->courses.count == 0)
        problem(d, ACCORD_E_SCOPE_EMPTY, "/scope");
}

/* The party that the collector is when it is not named: the one channel of the scope. */
static void take_collector(struct decoding *d, const struct version_body *body)
{
    if (body->collector.len > 0) {
        d->terms->collector = party_of(d->terms, body->collector);
        if (d->terms->collector == UINT32_MAX)
            problem(d, ACCORD_E_COLLECTOR_NOT_PARTY, "/collector");
        return;
    }
    if (d->terms->channel_count == 1)
        d->terms->collector = party_of(d->terms, slice_of(d->terms->channels[0]));
    else
        problem(d, ACCORD_E_FIELD_MISSING, "/collector");
}

static struct accord_deduction take_deduction(const struct deduction_body *body, bool given)
{
    /* What is not said is deducted as the order gives it. */
    if (!given)
        return (struct accord_deduction){.deduct = true, .rate_ppm = -1};
    return (struct accord_deduction){.deduct = body->deduct,
                                     .rate_ppm = body->has_rate ? body->rate_ppm : -1,
                                     .base = (enum accord_fee_base)body->of};
}

/* Who is charged for a discount: who is named, else the one partner of the scope in that role. */
static void take_funders(struct decoding *d, const struct version_body *body)
{
    const char *const unique[ACCORD_FUNDERS] = {
        [ACCORD_FUNDER_PROVIDER] = d->terms->provider_count == 1 ? d->terms->providers[0] : NULL,
        [ACCORD_FUNDER_CHANNEL] = d->terms->channel_count == 1 ? d->terms->channels[0] : NULL,
    };
    for (size_t i = 0; i < ACCORD_FUNDERS; i++) {
        const struct slice named = body->funders.by[i];
        char pointer[48];
        snprintf(pointer, sizeof pointer, "/funders/%s", agreement_funder_names[i]);
        d->terms->add_back[i] = body->base.discounts.by[i] == 1;
        d->terms->funder_party[i] = UINT32_MAX;
        if (named.len > 0)
            d->terms->funder_party[i] = party_of(d->terms, named);
        else if (unique[i] != NULL)
            d->terms->funder_party[i] = party_of(d->terms, slice_of(unique[i]));
        if (d->terms->funder_party[i] == UINT32_MAX && (named.len > 0 || d->terms->add_back[i]))
            problem(d, ACCORD_E_FUNDER_NOT_PARTY, pointer);
    }
}

static void take_terms(struct decoding *d, const struct json_array *terms)
{
    const struct term_body *given = terms->items;
    for (size_t i = 0; i < terms->count; i++) {
        const struct term_body *term = &given[i];
        char pointer[48];
        snprintf(pointer, sizeof pointer, "/terms/%zu/payee", i);
        const uint32_t payee = party_of(d->terms, term->payee);
        if (payee == UINT32_MAX)
            problem(d, ACCORD_E_PAYEE_NOT_PARTY, pointer);
        const enum accord_term_kind kind = (enum accord_term_kind)term->kind;
        const bool wants_share = kind == ACCORD_TERM_SHARE;
        const bool wants_amount = kind == ACCORD_TERM_AMOUNT;
        snprintf(pointer, sizeof pointer, "/terms/%zu/share_ppm", i);
        if (wants_share != term->has_share)
            problem(d, wants_share ? ACCORD_E_FIELD_MISSING : ACCORD_E_FIELD_UNKNOWN, pointer);
        snprintf(pointer, sizeof pointer, "/terms/%zu/amount_minor", i);
        if (wants_amount != term->has_amount)
            problem(d, wants_amount ? ACCORD_E_FIELD_MISSING : ACCORD_E_FIELD_UNKNOWN, pointer);
        d->terms->terms[d->terms->term_count++] =
            (struct accord_term){.kind = kind,
                                 .payee = payee,
                                 .share_ppm = term->share_ppm,
                                 .amount_minor = term->amount_minor};
    }
}

/* What only the whole shows: one residual, shares within one whole, times in order. */
static void check_whole(struct decoding *d)
{
    uint32_t term = UINT32_MAX;
    const enum accord_error error = accord_agreement_check(d->terms, &term);
    if (error == ACCORD_OK)
        return;
    char pointer[48] = "";
    if (term != UINT32_MAX)
        snprintf(pointer, sizeof pointer, "/terms/%u", term);
    else if (error == ACCORD_E_EFFECTIVE_EMPTY)
        snprintf(pointer, sizeof pointer, "/effective/to");
    else if (error == ACCORD_E_SCOPE_FOREIGN) /* a course of a provider that is not listed */
        snprintf(pointer, sizeof pointer, "/scope/courses");
    else if (error == ACCORD_E_RESIDUAL_MISSING || error == ACCORD_E_SHARES_EXCEED_WHOLE)
        snprintf(pointer, sizeof pointer, "/terms");
    problem(d, error, pointer);
}

enum accord_error agreement_decode(struct arena *arena, struct slice body, const char *agreement,
                                   int64_t version, bool with_head, struct slice *ret_id,
                                   struct slice *ret_name, struct agreement_version *ret,
                                   struct json_problems *problems)
{
    struct version_body *decoded = arena_alloc(arena, sizeof *decoded);
    struct agreement_version result = {0};
    if (decoded == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error error =
        json_decode(arena, body, with_head ? &headed_spec : &version_spec, "", decoded, problems);
    if (error != ACCORD_OK)
        return error;

    struct accord_agreement_version *terms = &result.terms;
    struct decoding d = {.arena = arena, .problems = problems, .terms = terms};
    const size_t before = problems->total;
    terms->agreement = agreement;
    terms->version = version;
    terms->is_default = decoded->is_default;
    terms->clearing_direct = decoded->clearing == 1;
    terms->priority = decoded->priority;
    terms->currency = decoded->currency;
    terms->effective_from_us = decoded->effective.from;
    terms->qualify_days = -1;
    terms->effective_to_us = decoded->effective.has_to ? decoded->effective.to : INT64_MAX;
    terms->tax = take_deduction(&decoded->base.tax, decoded->base.has_tax);
    terms->store_fee = take_deduction(&decoded->base.store_fee, decoded->base.has_store_fee);
    terms->payment_fee = take_deduction(&decoded->base.payment_fee, decoded->base.has_payment_fee);
    take_parties(&d, &decoded->parties);
    take_scope(&d, &decoded->scope);
    take_collector(&d, decoded);
    take_funders(&d, decoded);
    take_terms(&d, &decoded->terms);
    result.retroactive = decoded->retroactive;
    result.quarterly = decoded->has_period && decoded->period.kind == 1;
    result.time_zone = decoded->has_period ? text_of(&d, decoded->period.time_zone) : "UTC";
    if (zone_find(slice_of(result.time_zone), &result.zone) != ACCORD_OK)
        problem(&d, ACCORD_E_TIME_ZONE_UNKNOWN, "/period/time_zone");
    if (d.out_of_memory)
        return ACCORD_E_OUT_OF_MEMORY;
    if (problems->total == before)
        check_whole(&d);
    if (problems->total != before)
        return ACCORD_E_FIELDS_INVALID;
    if (with_head) {
        *ret_id = decoded->id;
        *ret_name = decoded->name;
    }
    *ret = result;
    return ACCORD_OK;
}
