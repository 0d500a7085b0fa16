#include "ingest/agreement.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/terms.h"
#include "ingest/agreement_names.h"
#include "ingest/agreement_parts.h"

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
    struct agreement_base_body base;
    struct agreement_funders_body funders;
    struct agreement_policies_body policies;
    struct json_array terms; /* struct slice: by kind, see agreement_terms.c */
};

const char *const agreement_clearing_names[] = {"operator", "direct", NULL};
const char *const agreement_period_names[] = {"month", "quarter", NULL};
static const struct json_field slug_element = JSON_ELEMENT(JSON_KIND_SLUG, 1, 63);

static const struct json_field course_fields[] = {
    JSON_SLUG(struct scope_course, provider),
    JSON_ID(struct scope_course, course_id, 1, 255),
};
static const struct json_object course_spec = JSON_OBJECT(struct scope_course, course_fields);

static const struct json_field scope_fields[] = {
    JSON_ARRAY_SCALAR_OPT(struct scope_body, providers, &slug_element, 0, ACCORD_PARTIES_MAX),
    JSON_ARRAY_SCALAR_OPT(struct scope_body, channels, &slug_element, 0, ACCORD_PARTIES_MAX),
    JSON_ARRAY_OF_OPT(struct scope_body, courses, &course_spec, 0, ACCORD_SCOPE_MAX),
};
static const struct json_object scope_spec = AGREEMENT_OBJECT(struct scope_body, scope_fields);

static const struct json_field effective_fields[] = {
    JSON_TIME(struct effective_body, from),
    JSON_TIME_OPT(struct effective_body, to, has_to),
};
static const struct json_object effective_spec =
    AGREEMENT_OBJECT(struct effective_body, effective_fields);

static const struct json_field period_fields[] = {
    JSON_ENUM(struct period_body, kind, agreement_period_names),
    JSON_STRING(struct period_body, time_zone, 1, 64),
};
static const struct json_object period_spec = JSON_OBJECT(struct period_body, period_fields);

/* clang-format off */
#define SECTION(text, member, spec) \
    {.name = (text), .kind = JSON_KIND_OBJECT, .offset = offsetof(struct version_body, member), \
     .optional = true, .has_offset = SIZE_MAX, .object = (spec)}
#define NUMBER_OR(text, member, lo, hi, value) \
    JSON_FIELD_OR_AS(text, struct version_body, member, JSON_KIND_INT, lo, hi, value)
/* clang-format on */

/* The head (id, name) stands first, so that a version alone is the table without it. */
enum { HEAD_FIELDS = 2 };
static const struct json_field version_fields[] = {
    JSON_SLUG_OPT(struct version_body, id),
    JSON_ID(struct version_body, name, 1, 255),
    JSON_ARRAY_SCALAR(struct version_body, parties, &slug_element, 2, ACCORD_PARTIES_MAX),
    JSON_SLUG_OPT(struct version_body, collector),
    JSON_ENUM_OR(struct version_body, clearing, agreement_clearing_names, 0),
    JSON_FIELD_OPT_AS("default", struct version_body, is_default, JSON_KIND_BOOL, 0, 0),
    JSON_SUB(struct version_body, scope, &scope_spec),
    JSON_SUB(struct version_body, effective, &effective_spec),
    JSON_BOOLEAN_OR(struct version_body, retroactive, false),
    JSON_CURRENCY(struct version_body, currency),
    JSON_SUB_OPT(struct version_body, period, has_period, &period_spec),
    JSON_INT_OR(struct version_body, priority, -1000000, 1000000, 0),
    SECTION("base", base, &agreement_base_spec),
    SECTION("funders", funders, &agreement_funders_spec),
    {.name = "refund",
     .kind = JSON_KIND_OBJECT,
     .offset = offsetof(struct version_body, policies.refund),
     .optional = true,
     .has_offset = offsetof(struct version_body, policies.has_refund),
     .object = &agreement_refund_spec},
    SECTION("late_usage", policies.late_usage, &agreement_late_usage_spec),
    SECTION("fx", policies.fx, &agreement_fx_spec),
    SECTION("reserve", policies.reserve, &agreement_reserve_spec),
    NUMBER_OR("qualify_days", policies.qualify_days, 0, 366, -1),
    NUMBER_OR("hold_days", policies.hold_days, 0, 366, 0),
    JSON_FIELD_OR_AS("min_payout_minor", struct version_body, policies.min_payout_minor,
                     JSON_KIND_AMOUNT, 0, ACCORD_AMOUNT_MAX, 0),
    NUMBER_OR("tail_days", policies.tail_days, 0, 3660, 0),
    NUMBER_OR("dispute_days", policies.dispute_days, 0, 366, 30),
    JSON_ARRAY_SCALAR(struct version_body, terms, &agreement_term_element, 1, ACCORD_TERMS_MAX),
};
static const struct json_object headed_spec = AGREEMENT_OBJECT(struct version_body, version_fields);
static const struct json_object version_spec = {
    .fields = version_fields + HEAD_FIELDS,
    .count = sizeof version_fields / sizeof version_fields[0] - HEAD_FIELDS,
    .size = sizeof(struct version_body),
    .nulls_absent = true,
    .rest = SIZE_MAX,
};

/* The terms alone, of a body that has other faults. */
static const struct json_field terms_fields[] = {
    JSON_ARRAY_SCALAR(struct version_body, terms, &agreement_term_element, 1, ACCORD_TERMS_MAX),
};
static const struct json_object terms_spec = {.fields = terms_fields,
                                              .count = 1,
                                              .size = sizeof(struct version_body),
                                              .open = true,
                                              .rest = SIZE_MAX};

/* ---- from the body to what settle reads ---- */

const char *agreement_text(struct agreement_decoding *d, struct slice text)
{
    const char *copy = arena_strdup(d->arena, text);
    if (copy == NULL) {
        d->out_of_memory = true;
        return "";
    }
    return copy;
}

void agreement_problem(struct agreement_decoding *d, enum accord_error code, const char *pointer,
                       ...)
{
    char text[JSON_POINTER_MAX];
    va_list args;
    va_start(args, pointer);
    vsnprintf(text, sizeof text, pointer, args);
    va_end(args);
    json_problem_add(d->problems, code, text, "%s", accord_error_title(code));
}

uint32_t agreement_party(const struct accord_agreement_version *terms, struct slice id)
{
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (slice_equal(slice_of(terms->parties[i]), id))
            return i;
    return UINT32_MAX;
}

static void take_parties(struct agreement_decoding *d, const struct json_array *parties)
{
    const struct slice *ids = parties->items;
    for (size_t i = 0; i < parties->count; i++) {
        if (agreement_party(d->terms, ids[i]) != UINT32_MAX) {
            agreement_problem(d, ACCORD_E_PARTY_REPEATED, "/parties/%zu", i);
            continue;
        }
        d->terms->parties[d->terms->party_count++] = agreement_text(d, ids[i]);
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

static const char *const *take_partners(struct agreement_decoding *d, const struct json_array *list,
                                        const char *member, size_t *ret_count)
{
    const struct slice *ids = list->items;
    const char **ret = arena_array(d->arena, list->count + 1, sizeof *ret);
    if (ret == NULL) {
        d->out_of_memory = true;
        return NULL;
    }
    for (size_t i = 0; i < list->count; i++) {
        ret[i] = agreement_text(d, ids[i]);
        if (agreement_party(d->terms, ids[i]) == UINT32_MAX)
            agreement_problem(d, ACCORD_E_SCOPE_FOREIGN, "/scope/%s/%zu", member, i);
    }
    *ret_count = make_set(ret, list->count, sizeof *ret, by_text);
    return ret;
}

static void take_scope(struct agreement_decoding *d, const struct scope_body *scope)
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
        courses[i].provider = agreement_text(d, given[i].provider);
        courses[i].course_id = agreement_text(d, given[i].course_id);
        if (agreement_party(d->terms, given[i].provider) == UINT32_MAX)
            agreement_problem(d, ACCORD_E_SCOPE_FOREIGN, "/scope/courses/%zu/provider", i);
    }
    d->terms->courses = courses;
    d->terms->course_count = make_set(courses, scope->courses.count, sizeof *courses, by_course);
    if (!d->terms->is_default &&
        scope->providers.count + scope->channels.count + scope->courses.count == 0)
        agreement_problem(d, ACCORD_E_SCOPE_EMPTY, "/scope");
}

/* The party that the collector is when it is not named: the one channel of the scope. */
static void take_collector(struct agreement_decoding *d, const struct version_body *body)
{
    if (body->collector.len > 0) {
        d->terms->collector = agreement_party(d->terms, body->collector);
        if (d->terms->collector == UINT32_MAX)
            agreement_problem(d, ACCORD_E_COLLECTOR_NOT_PARTY, "/collector");
        return;
    }
    if (d->terms->channel_count == 1)
        d->terms->collector = agreement_party(d->terms, slice_of(d->terms->channels[0]));
    else
        agreement_problem(d, ACCORD_E_FIELD_MISSING, "/collector");
}

/* What only the whole shows: one residual, shares within one whole, times in order. */
static void check_whole(struct agreement_decoding *d)
{
    struct terms_fault fault;
    const enum accord_error error = agreement_check_at(d->terms, &fault);
    if (error == ACCORD_OK)
        return;
    char place[64] = "";
    const bool in_step = fault.step != UINT32_MAX;
    if (fault.term != UINT32_MAX)
        snprintf(place, sizeof place, in_step ? "/terms/%u/steps/%u" : "/terms/%u", fault.term,
                 fault.step);
    agreement_problem(d, error, "%s%s%s", place, fault.field == NULL ? "" : "/",
                      fault.field == NULL ? "" : fault.field);
}

/* A body that is refused: names what is wrong with its terms, too. */
static void read_terms_only(struct agreement_decoding *d, struct slice body)
{
    struct version_body *decoded = arena_alloc(d->arena, sizeof *decoded);
    struct json_problems *known = arena_alloc(d->arena, sizeof *known);
    struct agreement_term_body *bodies;
    if (decoded == NULL || known == NULL)
        return;
    *known = (struct json_problems){.count = 0};
    if (json_decode(d->arena, body, &terms_spec, "", decoded, known) == ACCORD_OK)
        (void)agreement_read_terms(d, &decoded->terms, &bodies);
}

/* From the decoded body to the version; what is wrong becomes a problem. */
static void take_version(struct agreement_decoding *d, const struct version_body *body,
                         const struct agreement_term_body *term_bodies,
                         struct agreement_version *ret)
{
    struct accord_agreement_version *terms = d->terms;
    const size_t before = d->problems->total;
    terms->is_default = body->is_default;
    terms->clearing_direct = body->clearing == 1;
    terms->priority = body->priority;
    terms->currency = body->currency;
    terms->effective_from_us = body->effective.from;
    terms->effective_to_us = body->effective.has_to ? body->effective.to : INT64_MAX;
    take_parties(d, &body->parties);
    take_scope(d, &body->scope);
    take_collector(d, body);
    agreement_take_base(d, &body->base, &body->funders);
    agreement_take_policies(d, &body->policies);
    agreement_take_terms(d, term_bodies, body->terms.count);
    ret->retroactive = body->retroactive;
    ret->quarterly = body->has_period && body->period.kind == 1;
    ret->time_zone = body->has_period ? agreement_text(d, body->period.time_zone) : "UTC";
    if (zone_find(slice_of(ret->time_zone), &ret->zone) != ACCORD_OK)
        agreement_problem(d, ACCORD_E_TIME_ZONE_UNKNOWN, "/period/time_zone");
    if (!d->out_of_memory && d->problems->total == before)
        check_whole(d);
}

enum accord_error agreement_decode(struct arena *arena, struct slice body, const char *agreement,
                                   int64_t version, bool with_head, struct slice *ret_id,
                                   struct slice *ret_name, struct agreement_version *ret,
                                   struct json_problems *problems)
{
    struct version_body *decoded = arena_alloc(arena, sizeof *decoded);
    struct agreement_term_body *term_bodies = NULL;
    struct agreement_version result = {.terms = {.agreement = agreement, .version = version}};
    struct agreement_decoding d = {.arena = arena, .problems = problems, .terms = &result.terms};
    const size_t before = problems->total;
    if (decoded == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error =
        json_decode(arena, body, with_head ? &headed_spec : &version_spec, "", decoded, problems);
    if (error == ACCORD_E_FIELDS_INVALID)
        read_terms_only(&d, body);
    if (error == ACCORD_OK)
        error = agreement_read_terms(&d, &decoded->terms, &term_bodies);
    if (error == ACCORD_OK && problems->total == before)
        take_version(&d, decoded, term_bodies, &result);
    if (error == ACCORD_OK && d.out_of_memory)
        error = ACCORD_E_OUT_OF_MEMORY;
    if (error == ACCORD_OK && problems->total != before)
        error = ACCORD_E_FIELDS_INVALID;
    if (error != ACCORD_OK)
        return error;
    if (with_head) {
        *ret_id = decoded->id;
        *ret_name = decoded->name;
    }
    *ret = result;
    return ACCORD_OK;
}
