/* Courses as native JSON: the table of fields, and the canonical body. */
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "ingest/course.h"
#include "ingest/csv_value.h"
#include "json/write.h"

static const struct json_field word = JSON_ELEMENT(JSON_KIND_ID, 1, COURSE_WORD_MAX);
static const struct json_field format_name = JSON_ELEMENT_ENUM(course_formats);
static const struct json_field purpose_name = JSON_ELEMENT_ENUM(course_purposes);

static const struct json_field price_fields[] = {
    JSON_AMOUNT(struct course_price, amount),
    JSON_CURRENCY_OPT(struct course_price, currency),
};
static const struct json_object price_spec = JSON_OBJECT(struct course_price, price_fields);

static const struct json_field offer_fields[] = {
    JSON_ENUM(struct course_offer, mode, course_offer_modes),
    JSON_SUB_OPT(struct course_offer, price, has_price, &price_spec),
};
static const struct json_object offer_spec = JSON_OBJECT(struct course_offer, offer_fields);

static const struct json_field rights_fields[] = {
    JSON_ARRAY_SCALAR_OPT(struct course_rights, territories, &word, 0, 300),
    JSON_ARRAY_SCALAR_OPT(struct course_rights, channels, &word, 0, 1000),
    JSON_BOOLEAN_OPT(struct course_rights, bundle, has_bundle),
    JSON_BOOLEAN_OPT(struct course_rights, membership, has_membership),
    JSON_TIME_OPT(struct course_rights, exclusive_until, has_exclusive_until),
};
static const struct json_object rights_spec = JSON_OBJECT(struct course_rights, rights_fields);

struct available {
    instant_us from, to;
    bool has_from, has_to;
};
static const struct json_field available_fields[] = {
    JSON_TIME_OPT(struct available, from, has_from),
    JSON_TIME_OPT(struct available, to, has_to),
};
static const struct json_object available_spec = JSON_OBJECT(struct available, available_fields);

/* Ratings are read as text, so that 4.365384615 can be rounded instead of refused. */
struct rating {
    struct slice value, best;
    int64_t count;
    bool has_count;
};
static const struct json_field rating_fields[] = {
    JSON_RAW(struct rating, value),
    JSON_RAW_OPT(struct rating, best),
    JSON_INT_OPT(struct rating, count, has_count, 0, COURSE_COUNT_MAX),
};
static const struct json_object rating_spec = JSON_OBJECT(struct rating, rating_fields);

/* What is decoded before it is a course. */
struct element {
    struct course course;
    struct available available;
    bool has_available;
    struct rating rating;
    bool has_rating;
    struct slice extra;   /* the member `extra` as sent */
    struct slice unknown; /* the fields that no table knows */
    struct slice passed;  /* Accord's own, passed over */
};

#define C(member) course.member
/* clang-format off */
#define ELEMENT_FIELDS \
    JSON_FIELD_AS("course_id", struct element, C(course_id), JSON_KIND_ID, 1, COURSE_ID_MAX), \
    JSON_FIELD_AS("title", struct element, C(title), JSON_KIND_ID, 1, COURSE_TITLE_MAX), \
    JSON_FIELD_OPT_AS("summary", struct element, C(summary), JSON_KIND_STRING, 0, COURSE_SUMMARY_MAX), \
    JSON_FIELD_OPT_AS("language", struct element, C(language), JSON_KIND_ID, 2, 35), \
    {.name = "level", .kind = JSON_KIND_ENUM, .offset = offsetof(struct element, C(level)), \
     .optional = true, .has_offset = offsetof(struct element, C(has_level)), .names = course_levels}, \
    LIST("subjects", subjects, word), \
    LIST("tags", tags, word), \
    LIST("instructors", instructors, word), \
    LIST("format", formats, format_name), \
    LIST("purpose", purposes, purpose_name), \
    {.name = "kind", .kind = JSON_KIND_ENUM, .offset = offsetof(struct element, C(kind)), \
     .optional = true, .has_fallback = true, .has_offset = SIZE_MAX, .fallback = COURSE_COURSE, \
     .names = course_kinds}, \
    JSON_FIELD_HAS_AS("duration_minutes", struct element, C(duration_minutes), \
                      C(has_duration_minutes), JSON_KIND_INT, 0, COURSE_MINUTES_MAX), \
    JSON_FIELD_OPT_AS("url", struct element, C(url), JSON_KIND_ID, 1, COURSE_URL_MAX), \
    JSON_FIELD_OPT_AS("image_url", struct element, C(image_url), JSON_KIND_ID, 1, COURSE_URL_MAX), \
    {.name = "offers", .kind = JSON_KIND_ARRAY, .offset = offsetof(struct element, C(offers)), \
     .optional = true, .has_offset = SIZE_MAX, .min = 0, .max = COURSE_OFFERS_MAX, \
     .object = &offer_spec}, \
    {.name = "rights", .kind = JSON_KIND_OBJECT, .offset = offsetof(struct element, C(rights)), \
     .optional = true, .has_offset = offsetof(struct element, C(has_rights)), \
     .object = &rights_spec}, \
    JSON_SUB_OPT(struct element, available, has_available, &available_spec), \
    JSON_SUB_OPT(struct element, rating, has_rating, &rating_spec), \
    JSON_FIELD_HAS_AS("enrolments", struct element, C(enrolments), C(has_enrolments), \
                      JSON_KIND_INT, 0, COURSE_COUNT_MAX), \
    JSON_RAW_OPT(struct element, extra)
#define LIST(json_name, member, elem) \
    {.name = (json_name), .kind = JSON_KIND_ARRAY, .offset = offsetof(struct element, C(member)), \
     .optional = true, .has_offset = SIZE_MAX, .min = 0, .max = COURSE_LIST_MAX, \
     .element = &(elem)}
#define PASSED(json_name) \
    JSON_FIELD_OPT_AS(json_name, struct element, passed, JSON_KIND_RAW, 0, 0)

static const struct json_field element_fields[] = { ELEMENT_FIELDS };
static const struct json_field answered_fields[] = {
    ELEMENT_FIELDS,
    PASSED("id"), PASSED("provider"), PASSED("version"), PASSED("content_hash"),
    PASSED("min_price"), PASSED("state"), PASSED("changed_at"),
};
/* clang-format on */
static const struct json_object element_spec =
    JSON_OBJECT_OPEN(struct element, element_fields, unknown);
static const struct json_object answered_spec =
    JSON_OBJECT_OPEN(struct element, answered_fields, unknown);

/* 4.9 or "4.9". */
static struct slice unquoted(struct slice raw)
{
    if (raw.len >= 2 && raw.data[0] == '"')
        return (struct slice){raw.data + 1, raw.len - 2};
    return raw;
}

static int64_t read_milli(struct slice raw, const char *pointer, struct json_problems *problems)
{
    int64_t milli = 0;
    const enum accord_error e = csv_milli(unquoted(raw), COURSE_RATING_MAX_MILLI, &milli);
    if (e != ACCORD_OK)
        json_problem_add(problems, e, pointer, "must be a decimal such as 4.6, from 0 to 1000");
    return milli;
}

static void take_rating(struct element *element, struct json_problems *problems)
{
    struct course *course = &element->course;
    if (!element->has_rating)
        return;
    course->has_rating = true;
    course->rating_milli = read_milli(element->rating.value, "/rating/value", problems);
    course->rating_best_milli = 5000;
    if (element->rating.best.data != NULL)
        course->rating_best_milli = read_milli(element->rating.best, "/rating/best", problems);
    if (course->rating_best_milli == 0)
        json_problem_add(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "/rating/best", "must exceed 0");
    course->has_rating_count = element->rating.has_count;
    course->rating_count = element->rating.count;
}

/* The members of `extra` and the unknown fields become one object. */
static enum accord_error take_extra(struct arena *arena, struct element *element,
                                    struct json_problems *problems)
{
    const struct slice given = element->extra;
    const struct slice unknown = element->unknown;
    struct slice *extra = &element->course.extra;
    *extra = unknown;
    if (given.data == NULL || slice_equal(given, SLICE("{}")))
        return ACCORD_OK;
    if (given.data[0] != '{') {
        json_problem_add(problems, ACCORD_E_TYPE_WRONG, "/extra", "must be an object");
        return ACCORD_OK;
    }
    *extra = given;
    if (unknown.data == NULL || unknown.len <= 2)
        return ACCORD_OK;
    char *joined = arena_printf(arena, "%.*s,%.*s", (int)(given.len - 1), given.data,
                                (int)(unknown.len - 1), unknown.data + 1);
    if (joined == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const enum accord_error e = json_canonical(arena, slice_of(joined), extra);
    if (e == ACCORD_E_OUT_OF_MEMORY)
        return e;
    if (e != ACCORD_OK)
        json_problem_add(problems, e, "/extra", "a field stands both in extra and beside it");
    return ACCORD_OK;
}

static void take_defaults(struct course *course, const struct course_defaults *defaults,
                          struct json_problems *problems)
{
    struct course_offer *offers = course->offers.items;
    if (course->language.data == NULL && defaults != NULL)
        course->language = defaults->language;
    for (size_t i = 0; i < course->offers.count; i++) {
        char pointer[64];
        if (!offers[i].has_price || offers[i].price.currency.code[0] != '\0')
            continue;
        if (defaults != NULL)
            offers[i].price.currency = defaults->currency;
        snprintf(pointer, sizeof pointer, "/offers/%zu/price/currency", i);
        if (offers[i].price.currency.code[0] == '\0')
            json_problem_add(problems, ACCORD_E_FIELD_MISSING, pointer, "is required");
    }
}

enum accord_error course_decode(struct arena *arena, struct slice element, bool answered,
                                const struct course_defaults *defaults, struct course *ret,
                                struct json_problems *problems)
{
    struct element *decoded = arena_alloc(arena, sizeof *decoded);
    if (decoded == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error e = json_decode(arena, element, answered ? &answered_spec : &element_spec, "",
                                      decoded, problems);
    if (e != ACCORD_OK)
        return e;
    const size_t before = problems->total;
    decoded->course.has_available_from = decoded->available.has_from;
    decoded->course.has_available_to = decoded->available.has_to;
    decoded->course.available_from = decoded->available.from;
    decoded->course.available_to = decoded->available.to;
    take_rating(decoded, problems);
    take_defaults(&decoded->course, defaults, problems);
    e = take_extra(arena, decoded, problems);
    if (e == ACCORD_OK)
        e = course_check(arena, &decoded->course, problems);
    if (e == ACCORD_E_OUT_OF_MEMORY)
        return e;
    if (problems->total != before)
        return ACCORD_E_FIELDS_INVALID;
    *ret = decoded->course;
    return ACCORD_OK;
}

struct id_only {
    struct slice course_id;
    struct slice rest;
};
static const struct json_field id_fields[] = {
    JSON_ID(struct id_only, course_id, 1, COURSE_ID_MAX),
};
static const struct json_object id_spec = {.fields = id_fields,
                                           .count = 1,
                                           .size = sizeof(struct id_only),
                                           .open = true,
                                           .rest = SIZE_MAX};

struct slice course_peek_id(struct arena *arena, struct slice element)
{
    struct id_only found = {0};
    struct json_problems *ignored = arena_alloc(arena, sizeof *ignored);
    if (ignored == NULL || json_decode(arena, element, &id_spec, "", &found, ignored) != ACCORD_OK)
        return SLICE("");
    return found.course_id;
}

/* ---- the canonical body ---- */

static void write_words(struct json_writer *w, const char *name, const struct json_array *words)
{
    jw_key(w, name);
    jw_array(w);
    const struct slice *items = words->items;
    for (size_t i = 0; i < words->count; i++)
        jw_slice(w, items[i]);
    jw_array_end(w);
}

static void write_names(struct json_writer *w, const char *name, const struct json_array *numbers,
                        const char *const *names)
{
    jw_key(w, name);
    jw_array(w);
    const int *items = numbers->items;
    for (size_t i = 0; i < numbers->count; i++)
        jw_str(w, names[items[i]]);
    jw_array_end(w);
}

static void write_optional(struct json_writer *w, const char *name, struct slice text)
{
    if (text.data != NULL)
        jw_key_slice(w, name, text);
}

/* The lowest offer in the currency of the first offer with a price. */
static const struct course_price *lowest_price(const struct course *course)
{
    const struct course_price *lowest = NULL;
    const struct course_offer *offers = course->offers.items;
    for (size_t i = 0; i < course->offers.count; i++) {
        const struct course_price *price = &offers[i].price;
        if (offers[i].has_price &&
            (lowest == NULL || (accord_currency_equal(lowest->currency, price->currency) &&
                                price->amount < lowest->amount)))
            lowest = price;
    }
    return lowest;
}

static void write_offers(struct json_writer *w, const struct course *course)
{
    const struct course_offer *offers = course->offers.items;
    jw_key(w, "offers");
    jw_array(w);
    for (size_t i = 0; i < course->offers.count; i++) {
        jw_object(w);
        jw_key_str(w, "mode", course_offer_modes[offers[i].mode]);
        if (offers[i].has_price)
            jw_key_money(w, "price", offers[i].price.amount, offers[i].price.currency);
        jw_object_end(w);
    }
    jw_array_end(w);
    const struct course_price *lowest = lowest_price(course);
    if (lowest != NULL)
        jw_key_money(w, "min_price", lowest->amount, lowest->currency);
}

static void write_rights(struct json_writer *w, const struct course *course)
{
    const struct course_rights *rights = &course->rights;
    if (!course->has_rights)
        return;
    jw_key(w, "rights");
    jw_object(w);
    write_words(w, "territories", &rights->territories);
    write_words(w, "channels", &rights->channels);
    if (rights->has_bundle)
        jw_key_bool(w, "bundle", rights->bundle);
    if (rights->has_membership)
        jw_key_bool(w, "membership", rights->membership);
    if (rights->has_exclusive_until)
        jw_key_time(w, "exclusive_until", rights->exclusive_until);
    jw_object_end(w);
}

/* A text, so that no client makes a double of it. */
static void write_milli(struct json_writer *w, const char *name, int64_t milli)
{
    char text[NUMBER_TEXT_MAX];
    number_format_decimal(milli, 3, text);
    jw_key_str(w, name, text);
}

static void write_rest(struct json_writer *w, const struct course *course)
{
    if (course->has_available_from || course->has_available_to) {
        jw_key(w, "available");
        jw_object(w);
        if (course->has_available_from)
            jw_key_time(w, "from", course->available_from);
        if (course->has_available_to)
            jw_key_time(w, "to", course->available_to);
        jw_object_end(w);
    }
    if (course->has_rating) {
        jw_key(w, "rating");
        jw_object(w);
        write_milli(w, "value", course->rating_milli);
        write_milli(w, "best", course->rating_best_milli);
        if (course->has_rating_count)
            jw_key_int(w, "count", course->rating_count);
        jw_object_end(w);
    }
    if (course->has_enrolments)
        jw_key_int(w, "enrolments", course->enrolments);
    if (course->extra.data != NULL && course->extra.len > 2)
        jw_key_raw(w, "extra", course->extra);
}

static void write_body(struct json_writer *w, const struct course *course)
{
    jw_object(w);
    jw_key_slice(w, "course_id", course->course_id);
    jw_key_slice(w, "title", course->title);
    write_optional(w, "summary", course->summary);
    write_optional(w, "language", course->language);
    if (course->has_level)
        jw_key_str(w, "level", course_levels[course->level]);
    write_words(w, "subjects", &course->subjects);
    write_words(w, "tags", &course->tags);
    write_words(w, "instructors", &course->instructors);
    write_names(w, "format", &course->formats, course_formats);
    write_names(w, "purpose", &course->purposes, course_purposes);
    jw_key_str(w, "kind", course_kinds[course->kind]);
    if (course->has_duration_minutes)
        jw_key_int(w, "duration_minutes", course->duration_minutes);
    write_optional(w, "url", course->url);
    write_optional(w, "image_url", course->image_url);
    write_offers(w, course);
    write_rights(w, course);
    write_rest(w, course);
    jw_object_end(w);
}

static int64_t bits_of(const struct json_array *numbers)
{
    const int *items = numbers->items;
    int64_t bits = 0;
    for (size_t i = 0; i < numbers->count; i++)
        bits |= INT64_C(1) << items[i];
    return bits;
}

enum accord_error course_encode(struct arena *arena, const struct course *course,
                                struct store_course *ret)
{
    struct buf out;
    buf_init(&out, (size_t)8 * COURSE_ELEMENT_MAX);
    struct json_writer w;
    jw_init(&w, &out);
    write_body(&w, course);
    char *body = buf_error(&out) == ACCORD_OK ? arena_strdup(arena, buf_slice(&out)) : NULL;
    const size_t body_len = out.len;
    buf_done(&out);
    char *currency = arena_alloc(arena, sizeof(struct accord_currency));
    if (body == NULL || currency == NULL)
        return ACCORD_E_OUT_OF_MEMORY;

    ret->course_id = course->course_id;
    ret->body = (struct slice){body, body_len};
    ret->content_hash = hash_of(ret->body);
    ret->title = course->title;
    ret->language = course->language.data == NULL ? SLICE("") : course->language;
    ret->level = course->has_level ? slice_of(course_levels[course->level]) : SLICE("");
    ret->kind = slice_of(course_kinds[course->kind]);
    ret->purposes = bits_of(&course->purposes);
    ret->formats = bits_of(&course->formats);
    ret->price_amount = -1;
    ret->price_currency = SLICE("");
    const struct course_price *lowest = lowest_price(course);
    if (lowest != NULL) {
        memcpy(currency, lowest->currency.code, 4);
        ret->price_amount = lowest->amount;
        ret->price_currency = (struct slice){currency, 3};
    }
    ret->rating_ppm = -1;
    if (course->has_rating &&
        accord_mul_div(course->rating_milli, ACCORD_PPM_WHOLE, course->rating_best_milli,
                       &ret->rating_ppm) != ACCORD_OK)
        ret->rating_ppm = -1;
    ret->enrolments = course->has_enrolments ? course->enrolments : -1;
    ret->subjects = course->subjects.items;
    ret->subject_count = course->subjects.count;
    return ACCORD_OK;
}

void course_answer(struct buf *out, const struct store_course *row)
{
    char hash[HASH_HEX_MAX];
    hash_hex(&row->content_hash, hash);
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_key_slice(&w, "id", row->id);
    jw_key_slice(&w, "provider", row->provider);
    jw_key_int(&w, "version", row->version);
    jw_key_str(&w, "content_hash", hash);
    jw_key_str(&w, "state", row->active ? "active" : "withdrawn");
    jw_key_time(&w, "changed_at", row->changed_at);
    /* The stored body is an object with members: its own closes this one. */
    buf_add_char(out, ',');
    buf_add(out, row->body.data + 1, row->body.len - 1);
}
