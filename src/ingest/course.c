#include "ingest/course.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

const char *const course_levels[] = {"all", "beginner", "intermediate", "advanced", NULL};
const char *const course_kinds[] = {"course", "column", "ebook", "exam", "service", NULL};
const char *const course_offer_modes[] = {"buy", "rent", "subscribe", "free", NULL};
const char *const course_formats[] = {"video", "audio", "text", "live", "interactive", NULL};
const char *const course_purposes[] = {"course",        "corporate_training", "public_education",
                                       "certification", "exam_preparation",   NULL};

int course_name_index(const char *const *names, struct slice name)
{
    for (int i = 0; names[i] != NULL; i++)
        if (slice_equal(slice_of(names[i]), name))
            return i;
    return -1;
}

/* ---- language tags ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alphanumeric(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

static char in_case(char c, bool upper)
{
    if (upper && c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

/* Puts a BCP 47 tag into its usual case: "ZH-hans-cn" → "zh-Hans-CN"; '_' counts as '-'. */
static bool language_normalise(struct slice tag, char *ret)
{
    size_t start = 0;
    for (size_t i = 0; i <= tag.len; i++) {
        if (i < tag.len && tag.data[i] != '-' && tag.data[i] != '_') {
            if (!is_alphanumeric(tag.data[i]) || (start == 0 && !is_letter(tag.data[i])))
                return false;
            continue;
        }
        const size_t len = i - start;
        if (len == 0 || len > 8 || (start == 0 && len < 2))
            return false;
        const bool region = start != 0 && len == 2;
        const bool script = start != 0 && len == 4 && is_letter(tag.data[start]);
        for (size_t k = start; k < i; k++)
            ret[k] = in_case(tag.data[k], region || (script && k == start));
        if (i < tag.len)
            ret[i] = '-';
        start = i + 1;
    }
    return true;
}

static enum accord_error check_language(struct arena *arena, struct course *course,
                                        struct json_problems *problems)
{
    if (course->language.data == NULL)
        return ACCORD_OK;
    char *tag = arena_alloc(arena, course->language.len + 1);
    if (tag == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (!language_normalise(course->language, tag))
        json_problem_add(problems, ACCORD_E_VALUE_UNKNOWN, "/language",
                         "not a language tag such as zh, zh-CN or en");
    course->language.data = tag;
    return ACCORD_OK;
}

/* ---- lists ---- */

/* Takes out repeated words and keeps the first of each; lists are short. */
static void drop_repeated(struct json_array *words)
{
    struct slice *items = words->items;
    size_t kept = 0;
    for (size_t i = 0; i < words->count; i++) {
        bool seen = false;
        for (size_t k = 0; k < kept && !seen; k++)
            seen = slice_equal(items[k], items[i]);
        if (!seen)
            items[kept++] = items[i];
    }
    words->count = kept;
}

static void drop_repeated_numbers(struct json_array *numbers)
{
    int *items = numbers->items;
    size_t kept = 0;
    for (size_t i = 0; i < numbers->count; i++) {
        bool seen = false;
        for (size_t k = 0; k < kept && !seen; k++)
            seen = items[k] == items[i];
        if (!seen)
            items[kept++] = items[i];
    }
    numbers->count = kept;
}

/* ---- the rest ---- */

static void check_url(struct slice url, const char *pointer, struct json_problems *problems)
{
    if (url.data == NULL)
        return;
    const bool http = url.len > 7 && memcmp(url.data, "http://", 7) == 0;
    const bool https = url.len > 8 && memcmp(url.data, "https://", 8) == 0;
    bool clean = http || https;
    for (size_t i = 0; i < url.len && clean; i++)
        clean = (unsigned char)url.data[i] > ' ' && strchr("<>\"`", url.data[i]) == NULL;
    if (!clean)
        json_problem_add(problems, ACCORD_E_TEXT_INVALID, pointer,
                         "an address begins with https:// or http:// and has no blanks");
}

static void check_offers(const struct course *course, struct json_problems *problems)
{
    const struct course_offer *offers = course->offers.items;
    for (size_t i = 0; i < course->offers.count; i++) {
        char pointer[64];
        snprintf(pointer, sizeof pointer, "/offers/%zu/price", i);
        if (!offers[i].has_price && offers[i].mode != COURSE_FREE)
            json_problem_add(problems, ACCORD_E_FIELD_MISSING, pointer,
                             "an offer that is not free needs a price");
        if (offers[i].has_price && offers[i].mode == COURSE_FREE && offers[i].price.amount != 0)
            json_problem_add(problems, ACCORD_E_VALUE_OUT_OF_RANGE, pointer,
                             "the price of a free offer is 0");
    }
}

enum accord_error course_check(struct arena *arena, struct course *course,
                               struct json_problems *problems)
{
    const size_t before = problems->total;
    const enum accord_error e = check_language(arena, course, problems);
    if (e != ACCORD_OK)
        return e;
    drop_repeated(&course->subjects);
    drop_repeated(&course->tags);
    drop_repeated(&course->instructors);
    drop_repeated(&course->rights.territories);
    drop_repeated(&course->rights.channels);
    drop_repeated_numbers(&course->formats);
    drop_repeated_numbers(&course->purposes);
    check_url(course->url, "/url", problems);
    check_url(course->image_url, "/image_url", problems);
    check_offers(course, problems);
    if (course->has_available_from && course->has_available_to &&
        course->available_to <= course->available_from)
        json_problem_add(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "/available/to",
                         "must lie after available.from");
    if (course->has_rating && course->rating_milli > course->rating_best_milli)
        json_problem_add(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "/rating/value",
                         "is greater than the best value");
    if (course->extra.len > COURSE_EXTRA_MAX)
        json_problem_add(problems, ACCORD_E_TEXT_LENGTH, "/extra",
                         "the fields that Accord does not know take more than %d bytes together",
                         (int)COURSE_EXTRA_MAX);
    return problems->total == before ? ACCORD_OK : ACCORD_E_FIELDS_INVALID;
}
