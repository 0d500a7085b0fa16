#include "ingest/offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/rates.h"
#include "store/courses.h"

const char *const offer_kind_names[] = {"single", "bundle", "membership", "challenge", NULL};
const char *const offer_allocation_names[] = {
    [ACCORD_BUNDLE_LIST_PRICE] = "list_price",
    [ACCORD_BUNDLE_WEIGHT] = "weight",
    [ACCORD_BUNDLE_DURATION] = "duration",
    [ACCORD_BUNDLE_EQUAL] = "equal",
    NULL,
};
static const char *const reward_names[] = {"pot", "pro_rata", NULL};
static const char *const split_names[] = {"equal", "by_days", NULL};
static const char *const none_names[] = {"refund", "charity", "next_round", NULL};

enum { TITLE_MAX = 1000, COURSE_ID_MAX = 255, DAYS_MAX = 3660 };
#define WEIGHT_MAX INT64_C(1000000000000)

static const struct json_field item_fields[] = {
    JSON_SLUG(struct offer_item, provider),
    JSON_ID(struct offer_item, course_id, 1, COURSE_ID_MAX),
    JSON_INT_OPT(struct offer_item, weight, has_weight, 0, WEIGHT_MAX),
};
static const struct json_object item_spec = JSON_OBJECT(struct offer_item, item_fields);

/* Members of structs without a name: their fields count from the beginning of the struct. Names of
 * members take no parentheses. */
// NOLINTNEXTLINE(bugprone-macro-parentheses)
#define INNER(part, member) (offsetof(struct offer, part.member) - offsetof(struct offer, part))
#define INNER_INT(part, member, lo, hi)                                                            \
    {                                                                                              \
        .name = #member, .kind = JSON_KIND_INT, .offset = INNER(part, member),                     \
        .has_offset = SIZE_MAX, .min = (lo), .max = (hi)                                           \
    }
#define INNER_INT_OR(part, member, hi)                                                             \
    {                                                                                              \
        .name = #member, .kind = JSON_KIND_INT, .offset = INNER(part, member), .optional = true,   \
        .has_fallback = true, .has_offset = SIZE_MAX, .max = (hi)                                  \
    }
#define INNER_ENUM(part, member, list)                                                             \
    {                                                                                              \
        .name = #member, .kind = JSON_KIND_ENUM, .offset = INNER(part, member),                    \
        .has_offset = SIZE_MAX, .names = (list)                                                    \
    }

static const struct json_field valid_fields[] = {
    {.name = "from", .kind = JSON_KIND_TIME, .offset = INNER(valid, from), .has_offset = SIZE_MAX},
    {.name = "to",
     .kind = JSON_KIND_TIME,
     .offset = INNER(valid, to),
     .optional = true,
     .has_offset = INNER(valid, has_to)},
};
static const struct json_field membership_fields[] = {
    INNER_INT(membership, days, 1, DAYS_MAX),
    INNER_INT_OR(membership, trial_days, DAYS_MAX),
    {.name = "pool",
     .kind = JSON_KIND_SLUG,
     .offset = INNER(membership, pool),
     .optional = true,
     .has_offset = SIZE_MAX,
     .min = 1,
     .max = 63},
};
#define INNER_ENUM_OR(part, member, list)                                                          \
    {                                                                                              \
        .name = #member, .kind = JSON_KIND_ENUM, .offset = INNER(part, member), .optional = true,  \
        .has_fallback = true, .has_offset = SIZE_MAX, .names = (list)                              \
    }
static const struct json_field challenge_fields[] = {
    {.name = "starts_on",
     .kind = JSON_KIND_ID,
     .offset = INNER(challenge, starts_on),
     .optional = true,
     .has_offset = SIZE_MAX,
     .min = 10,
     .max = 10},
    {.name = "deposit",
     .kind = JSON_KIND_AMOUNT,
     .offset = INNER(challenge, deposit),
     .has_offset = SIZE_MAX,
     .max = ACCORD_AMOUNT_MAX},
    INNER_INT(challenge, need_days, 1, DAYS_MAX),
    INNER_INT(challenge, window_days, 1, DAYS_MAX),
    INNER_INT_OR(challenge, makeups, DAYS_MAX),
    INNER_INT_OR(challenge, fee_ppm, ACCORD_PPM_WHOLE),
    INNER_ENUM_OR(challenge, reward, reward_names),
    INNER_ENUM_OR(challenge, split, split_names),
    INNER_ENUM_OR(challenge, none, none_names),
};
#define INNER_OBJECT(part, list)                                                                   \
    {                                                                                              \
        .fields = (list), .count = sizeof(list) / sizeof((list)[0]),                               \
        .size = sizeof(((struct offer *)NULL)->part), .rest = SIZE_MAX                             \
    }
static const struct json_object valid_spec = INNER_OBJECT(valid, valid_fields);
static const struct json_object membership_spec = INNER_OBJECT(membership, membership_fields);
static const struct json_object challenge_spec = INNER_OBJECT(challenge, challenge_fields);

static const struct json_field offer_fields[] = {
    JSON_ENUM(struct offer, kind, offer_kind_names),
    JSON_STRING(struct offer, title, 1, TITLE_MAX),
    JSON_CURRENCY(struct offer, currency),
    JSON_AMOUNT(struct offer, price),
    JSON_SUB(struct offer, valid, &valid_spec),
    JSON_INT_OPT(struct offer, refund_days, has_refund_days, 0, DAYS_MAX),
    JSON_ARRAY_OF(struct offer, items, &item_spec, 0, ACCORD_BUNDLE_ITEMS_MAX),
    JSON_ENUM_OPT(struct offer, allocation, has_allocation, offer_allocation_names),
    JSON_SUB_OPT(struct offer, membership, has_membership, &membership_spec),
    JSON_SUB_OPT(struct offer, challenge, has_challenge, &challenge_spec),
};
static const struct json_object offer_spec = JSON_OBJECT(struct offer, offer_fields);

bool offer_id_valid(struct slice id)
{
    for (size_t i = 0; i < id.len; i++) {
        const char c = id.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && (i == 0 || (c != '-' && c != '_')))
            return false;
    }
    return id.len >= 1 && id.len <= OFFER_ID_MAX;
}

/* ---- checks ---- */

static void problem(struct json_problems *problems, enum accord_error code, const char *pointer)
{
    json_problem_add(problems, code, pointer, "%s", accord_error_title(code));
}

static void item_problem(struct json_problems *problems, enum accord_error code, size_t item,
                         const char *field)
{
    char pointer[JSON_POINTER_MAX];
    snprintf(pointer, sizeof pointer, "/items/%zu%s", item, field);
    problem(problems, code, pointer);
}

static int by_course(const void *a, const void *b)
{
    const struct offer_item *x = *(const struct offer_item *const *)a;
    const struct offer_item *y = *(const struct offer_item *const *)b;
    int order = slice_compare(x->provider, y->provider);
    if (order == 0)
        order = slice_compare(x->course_id, y->course_id);
    return order != 0 ? order : (x > y) - (x < y);
}

static enum accord_error check_items(struct arena *arena, const struct offer *offer,
                                     struct json_problems *problems)
{
    const struct offer_item *items = offer->items.items;
    const size_t count = offer->items.count;
    const struct offer_item **sorted = arena_array(arena, count + 1, sizeof *sorted);
    if (sorted == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &items[i];
        if (items[i].has_weight &&
            (offer->kind != OFFER_BUNDLE || offer->allocation == ACCORD_BUNDLE_EQUAL))
            item_problem(problems, ACCORD_E_FIELD_UNKNOWN, i, "/weight");
        if (!items[i].has_weight && offer->kind == OFFER_BUNDLE &&
            offer->allocation == ACCORD_BUNDLE_WEIGHT)
            item_problem(problems, ACCORD_E_FIELD_MISSING, i, "/weight");
    }
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, by_course);
    for (size_t i = 1; i < count; i++)
        if (slice_equal(sorted[i - 1]->provider, sorted[i]->provider) &&
            slice_equal(sorted[i - 1]->course_id, sorted[i]->course_id))
            item_problem(problems, ACCORD_E_FIELD_DUPLICATE, (size_t)(sorted[i] - items), "");
    return ACCORD_OK;
}

static void check_part(bool has, bool wanted, const char *pointer, struct json_problems *problems)
{
    if (has != wanted)
        problem(problems, has ? ACCORD_E_FIELD_UNKNOWN : ACCORD_E_FIELD_MISSING, pointer);
}

static void check_counts(const struct offer *offer, struct json_problems *problems)
{
    const size_t count = offer->items.count;
    switch ((enum offer_kind)offer->kind) {
    case OFFER_SINGLE:
        if (count != 1)
            problem(problems, ACCORD_E_COUNT_OUT_OF_RANGE, "/items");
        break;
    case OFFER_BUNDLE:
        if (count < 2)
            problem(problems, ACCORD_E_COUNT_OUT_OF_RANGE, "/items");
        break;
    case OFFER_MEMBERSHIP:
    case OFFER_CHALLENGE:
        break;
    }
}

static void check_challenge(struct offer *offer, struct json_problems *problems)
{
    if (offer->challenge.need_days > offer->challenge.window_days)
        problem(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "/challenge/need_days");
    if (offer->challenge.starts_on.data != NULL &&
        !rates_parse_day(offer->challenge.starts_on, &offer->challenge.starts_day))
        problem(problems, ACCORD_E_TIME_INVALID, "/challenge/starts_on");
    /* Without a pot there is none to share, to take a fee of or to send anywhere. */
    if (offer->challenge.reward == OFFER_REWARD_PRO_RATA &&
        (offer->challenge.fee_ppm != 0 || offer->challenge.split != 0 ||
         offer->challenge.none != 0))
        problem(problems, ACCORD_E_FIELD_UNKNOWN, "/challenge/reward");
}

enum accord_error offer_decode(struct arena *arena, struct slice text, struct offer *ret,
                               struct json_problems *problems)
{
    struct offer offer = {.kind = 0};
    enum accord_error error = json_decode(arena, text, &offer_spec, "", &offer, problems);
    if (error != ACCORD_OK)
        return error;
    check_counts(&offer, problems);
    check_part(offer.has_allocation, offer.kind == OFFER_BUNDLE, "/allocation", problems);
    check_part(offer.has_membership, offer.kind == OFFER_MEMBERSHIP, "/membership", problems);
    check_part(offer.has_challenge, offer.kind == OFFER_CHALLENGE, "/challenge", problems);
    if (offer.valid.has_to && offer.valid.to <= offer.valid.from)
        problem(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "/valid/to");
    if (offer.has_challenge)
        check_challenge(&offer, problems);
    error = check_items(arena, &offer, problems);
    if (error != ACCORD_OK)
        return error;
    if (problems->total > 0)
        return ACCORD_E_FIELDS_INVALID;
    *ret = offer;
    return ACCORD_OK;
}

/* ---- weights ---- */

struct course_duration {
    int64_t duration_minutes;
    bool has_duration_minutes;
    struct slice rest;
};
static const struct json_field duration_fields[] = {
    JSON_INT_OPT(struct course_duration, duration_minutes, has_duration_minutes, 0, INT64_MAX),
};
static const struct json_object duration_spec =
    JSON_OBJECT_OPEN(struct course_duration, duration_fields, rest);

/* What the course says of itself, to a channel that may see it. */
static enum accord_error weigh_item(struct db *db, struct arena *arena, const char *channel,
                                    instant_us now, const struct offer *offer,
                                    struct offer_item *item)
{
    struct store_course course;
    bool found = false;
    bool visible = strcmp(channel, item->provider.data) == 0;
    enum accord_error error =
        store_course_find(db, arena, item->provider.data, item->course_id, &found, &course);
    if (error == ACCORD_OK && found && !visible)
        error =
            store_course_may_see(db, channel, item->provider.data, course.course_id, now, &visible);
    if (error != ACCORD_OK || !found || !visible)
        return error;
    if (offer->allocation == ACCORD_BUNDLE_LIST_PRICE) {
        item->has_weight = course.price_amount >= 0 &&
                           slice_equal(course.price_currency, slice_of(offer->currency.code));
        item->weight = item->has_weight ? course.price_amount : 0;
        return ACCORD_OK;
    }
    struct course_duration duration = {.has_duration_minutes = false};
    struct json_problems *unused = arena_alloc(arena, sizeof *unused);
    if (unused == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    memset(unused, 0, sizeof *unused);
    if (json_decode(arena, course.body, &duration_spec, "", &duration, unused) == ACCORD_OK &&
        duration.has_duration_minutes && duration.duration_minutes <= WEIGHT_MAX) {
        item->has_weight = true;
        item->weight = duration.duration_minutes;
    }
    return ACCORD_OK;
}

enum accord_error offer_weigh(struct db *db, struct arena *arena, const char *channel,
                              instant_us now, struct offer *offer, struct json_problems *problems)
{
    struct offer_item *items = offer->items.items;
    enum accord_error error = ACCORD_OK;
    if (offer->kind != OFFER_BUNDLE)
        return ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < offer->items.count; i++) {
        if (items[i].has_weight || offer->allocation == ACCORD_BUNDLE_EQUAL)
            continue;
        error = weigh_item(db, arena, channel, now, offer, &items[i]);
        if (error == ACCORD_OK && !items[i].has_weight)
            item_problem(problems, ACCORD_E_FIELD_MISSING, i, "/weight");
    }
    int64_t *parts;
    if (error != ACCORD_OK || problems->total > 0)
        return error;
    error = offer_divide(arena, offer, &parts);
    if (error == ACCORD_E_WEIGHTS_ZERO) {
        problem(problems, error, "/items");
        return ACCORD_OK;
    }
    return error;
}

enum accord_error offer_divide(struct arena *arena, const struct offer *offer, int64_t **ret)
{
    const struct offer_item *items = offer->items.items;
    const size_t count = offer->items.count;
    struct accord_bundle_item *weighed = arena_array(arena, count + 1, sizeof *weighed);
    int64_t *weights = arena_array(arena, count + 1, sizeof *weights);
    int64_t *parts = arena_array(arena, count + 1, sizeof *parts);
    if (weighed == NULL || weights == NULL || parts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const bool equal = offer->kind != OFFER_BUNDLE || offer->allocation == ACCORD_BUNDLE_EQUAL;
    for (size_t i = 0; i < count; i++)
        weighed[i].weight = items[i].weight;
    const enum accord_error error =
        accord_bundle_allocate(offer->price, equal ? ACCORD_BUNDLE_EQUAL : ACCORD_BUNDLE_WEIGHT,
                               weighed, count, weights, parts, NULL);
    if (error == ACCORD_OK)
        *ret = parts;
    return error;
}

/* ---- the canonical body: members in bytewise order ---- */

static void write_items(struct json_writer *w, const struct offer *offer)
{
    const struct offer_item *items = offer->items.items;
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < offer->items.count; i++) {
        jw_object(w);
        jw_key_slice(w, "course_id", items[i].course_id);
        jw_key_slice(w, "provider", items[i].provider);
        if (items[i].has_weight)
            jw_key_int(w, "weight", items[i].weight);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_challenge(struct json_writer *w, const struct offer *offer)
{
    if (offer->has_challenge) {
        jw_key(w, "challenge");
        jw_object(w);
        jw_key_int(w, "deposit", offer->challenge.deposit);
        jw_key_int(w, "fee_ppm", offer->challenge.fee_ppm);
        jw_key_int(w, "makeups", offer->challenge.makeups);
        jw_key_int(w, "need_days", offer->challenge.need_days);
        jw_key_str(w, "none", none_names[offer->challenge.none]);
        jw_key_str(w, "reward", reward_names[offer->challenge.reward]);
        jw_key_str(w, "split", split_names[offer->challenge.split]);
        if (offer->challenge.starts_on.data != NULL)
            jw_key_slice(w, "starts_on", offer->challenge.starts_on);
        jw_key_int(w, "window_days", offer->challenge.window_days);
        jw_object_end(w);
    }
}

static void write_membership(struct json_writer *w, const struct offer *offer)
{
    if (offer->has_membership) {
        jw_key(w, "membership");
        jw_object(w);
        jw_key_int(w, "days", offer->membership.days);
        if (offer->membership.pool.data != NULL)
            jw_key_slice(w, "pool", offer->membership.pool);
        jw_key_int(w, "trial_days", offer->membership.trial_days);
        jw_object_end(w);
    }
}

void offer_write_terms(struct json_writer *w, const struct offer *offer)
{
    write_challenge(w, offer);
    write_membership(w, offer);
}

struct slice offer_encode(struct arena *arena, const struct offer *offer)
{
    struct slice ret = {NULL, 0};
    struct buf buf;
    struct json_writer writer;
    struct json_writer *w = &writer;
    buf_init(&buf, 2 * OFFER_BODY_MAX);
    jw_init(w, &buf);
    jw_object(w);
    if (offer->has_allocation)
        jw_key_str(w, "allocation", offer_allocation_names[offer->allocation]);
    write_challenge(w, offer);
    jw_key_str(w, "currency", offer->currency.code);
    write_items(w, offer);
    jw_key_str(w, "kind", offer_kind_names[offer->kind]);
    write_membership(w, offer);
    jw_key_int(w, "price", offer->price);
    if (offer->has_refund_days)
        jw_key_int(w, "refund_days", offer->refund_days);
    jw_key_slice(w, "title", offer->title);
    jw_key(w, "valid");
    jw_object(w);
    jw_key_time(w, "from", offer->valid.from);
    if (offer->valid.has_to)
        jw_key_time(w, "to", offer->valid.to);
    jw_object_end(w);
    jw_object_end(w);
    if (buf_error(&buf) == ACCORD_OK) {
        ret.data = arena_strdup(arena, buf_slice(&buf));
        ret.len = ret.data == NULL ? 0 : buf.len;
    }
    buf_done(&buf);
    return ret;
}
