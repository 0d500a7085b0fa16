#include "ingest/course_csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "ingest/csv_value.h"
#include "json/write.h"

struct row_reader {
    struct arena *arena;
    const struct catalog_map *map;
    const struct csv_row *row;
    struct json_problems *problems;
    enum accord_error error; /* out of memory, once */
};

static struct slice cell(const struct row_reader *r, enum course_column column)
{
    for (size_t i = 0; i < r->map->fields[column].count; i++) {
        const struct slice text = csv_trim(r->row->cells[r->map->fields[column].cell[i]]);
        if (!csv_absent(text))
            return text;
    }
    return SLICE("");
}

/* The same for numbers, where -1 means unknown. */
static struct slice number_cell(const struct row_reader *r, enum course_column column)
{
    for (size_t i = 0; i < r->map->fields[column].count; i++) {
        const struct slice text = csv_trim(r->row->cells[r->map->fields[column].cell[i]]);
        if (!csv_absent_number(text))
            return text;
    }
    return SLICE("");
}

__attribute__((format(printf, 4, 5))) static void problem(const struct row_reader *r,
                                                          enum course_column column,
                                                          enum accord_error code,
                                                          const char *format, ...)
{
    char message[JSON_MESSAGE_MAX];
    char pointer[64];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    snprintf(pointer, sizeof pointer, "/%s", course_column_name(column));
    json_problem_add(r->problems, code, pointer, "%s", message);
}

static void bad_value(const struct row_reader *r, enum course_column column, enum accord_error code,
                      struct slice text)
{
    problem(r, column, code, "'%.*s': %s", (int)utf8_prefix(text, 60).len, text.data,
            accord_error_title(code));
}

/* ---- texts ---- */

/* Cleans a text and checks its length. False: refused, with its problem. */
static bool take_text(struct row_reader *r, enum course_column column, struct slice text,
                      size_t max, bool keep_lines, struct slice *ret)
{
    if (text.len > max) {
        problem(r, column, ACCORD_E_TEXT_LENGTH, "is %zu bytes long; at most %zu are taken",
                text.len, max);
        return false;
    }
    struct slice clean;
    const enum accord_error e = csv_clean(r->arena, text, keep_lines, &clean);
    if (e == ACCORD_OK) {
        clean = csv_trim(clean);
        *ret = clean;
        return clean.len != 0;
    }
    if (e == ACCORD_E_TEXT_INVALID)
        problem(r, column, e, "is not UTF-8");
    else
        r->error = e;
    return false;
}

static struct slice text_of(struct row_reader *r, enum course_column column, size_t max,
                            bool keep_lines)
{
    struct slice text = cell(r, column);
    if (text.len == 0 || !take_text(r, column, text, max, keep_lines, &text))
        return (struct slice){NULL, 0};
    return text;
}

/* The title, taken as it is: "N/A" may be one. */
static struct slice title_of(struct row_reader *r)
{
    struct slice text = csv_trim(r->row->cells[r->map->fields[COLUMN_TITLE].cell[0]]);
    if (text.len != 0 && take_text(r, COLUMN_TITLE, text, COURSE_TITLE_MAX, false, &text))
        return text;
    if (text.len == 0)
        problem(r, COLUMN_TITLE, ACCORD_E_FIELD_MISSING, "the cell is empty");
    return SLICE("");
}

/* The id of a course is never cleaned: it must be what orders and feedback will say. */
static struct slice id_of(const struct row_reader *r)
{
    const struct slice text = csv_trim(r->row->cells[r->map->fields[COLUMN_COURSE_ID].cell[0]]);
    if (text.len == 0)
        problem(r, COLUMN_COURSE_ID, ACCORD_E_FIELD_MISSING, "the cell is empty");
    else if (text.len > COURSE_ID_MAX)
        problem(r, COLUMN_COURSE_ID, ACCORD_E_TEXT_LENGTH,
                "is %zu bytes long; at most %d are taken", text.len, (int)COURSE_ID_MAX);
    else if (!utf8_is_id(text))
        problem(r, COLUMN_COURSE_ID, ACCORD_E_TEXT_INVALID,
                "is not UTF-8, or has control characters in it");
    return text;
}

static void words_of(struct row_reader *r, enum course_column column, size_t most,
                     struct json_array *ret)
{
    struct slice rest = cell(r, column);
    struct slice word;
    size_t count = 0;
    for (struct slice s = rest; csv_list_next(&s, &word);)
        count++;
    if (count > most) {
        problem(r, column, ACCORD_E_COUNT_OUT_OF_RANGE, "has %zu words; at most %zu are taken",
                count, most);
        return;
    }
    struct slice *items = arena_array(r->arena, count, sizeof *items);
    if (items == NULL) {
        r->error = ACCORD_E_OUT_OF_MEMORY;
        return;
    }
    size_t kept = 0;
    while (csv_list_next(&rest, &word))
        if (take_text(r, column, word, COURSE_WORD_MAX, false, &items[kept]))
            kept++;
    *ret = (struct json_array){items, kept};
}

/* ---- names ---- */

static int level_of(struct slice text)
{
    static const struct {
        const char *alias;
        enum course_level level;
    } aliases[] = {
        {"all", COURSE_ALL_LEVELS},
        {"all levels", COURSE_ALL_LEVELS},
        {"any", COURSE_ALL_LEVELS},
        {"mixed", COURSE_ALL_LEVELS},
        {"不限", COURSE_ALL_LEVELS},
        {"全部", COURSE_ALL_LEVELS},
        {"所有级别", COURSE_ALL_LEVELS},
        {"beginner", COURSE_BEGINNER},
        {"beginner level", COURSE_BEGINNER},
        {"beginners", COURSE_BEGINNER},
        {"introductory", COURSE_BEGINNER},
        {"入门", COURSE_BEGINNER},
        {"初级", COURSE_BEGINNER},
        {"intermediate", COURSE_INTERMEDIATE},
        {"intermediate level", COURSE_INTERMEDIATE},
        {"中级", COURSE_INTERMEDIATE},
        {"进阶", COURSE_INTERMEDIATE},
        {"advanced", COURSE_ADVANCED},
        {"advanced level", COURSE_ADVANCED},
        {"expert", COURSE_ADVANCED},
        {"expert level", COURSE_ADVANCED},
        {"高级", COURSE_ADVANCED},
    };
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (csv_same(text, aliases[i].alias))
            return (int)aliases[i].level;
    return -1;
}

static int name_of(const char *const *names, struct slice text)
{
    for (int i = 0; names[i] != NULL; i++)
        if (csv_same(text, names[i]))
            return i;
    return -1;
}

static void names_of(struct row_reader *r, enum course_column column, const char *const *names,
                     struct json_array *ret)
{
    struct json_array words = {0};
    words_of(r, column, COURSE_LIST_MAX, &words);
    int *numbers = arena_array(r->arena, words.count, sizeof *numbers);
    if (numbers == NULL && words.count != 0) {
        r->error = ACCORD_E_OUT_OF_MEMORY;
        return;
    }
    const struct slice *items = words.items;
    size_t kept = 0;
    for (size_t i = 0; i < words.count; i++) {
        const int number = name_of(names, items[i]);
        if (number < 0)
            bad_value(r, column, ACCORD_E_VALUE_UNKNOWN, items[i]);
        else
            numbers[kept++] = number;
    }
    *ret = (struct json_array){numbers, kept};
}

/* ---- numbers and times ---- */

static bool integer_of(const struct row_reader *r, enum course_column column, int64_t max,
                       int64_t *ret)
{
    const struct slice text = number_cell(r, column);
    if (text.len == 0)
        return false;
    const enum accord_error e = csv_integer(text, max, ret);
    if (e != ACCORD_OK)
        bad_value(r, column, e, text);
    return e == ACCORD_OK;
}

static bool time_of(const struct row_reader *r, enum course_column column, instant_us *ret)
{
    const struct slice text = number_cell(r, column);
    if (text.len == 0)
        return false;
    const enum accord_error e = csv_time(text, ret);
    if (e != ACCORD_OK)
        bad_value(r, column, e, text);
    return e == ACCORD_OK;
}

static bool boolean_of(const struct row_reader *r, enum course_column column, bool *ret)
{
    const struct slice text = cell(r, column);
    if (text.len == 0)
        return false;
    const enum accord_error e = csv_boolean(text, ret);
    if (e != ACCORD_OK)
        bad_value(r, column, e, text);
    return e == ACCORD_OK;
}

static void take_duration(const struct row_reader *r, struct course *course)
{
    course->has_duration_minutes =
        integer_of(r, COLUMN_DURATION_MINUTES, COURSE_MINUTES_MAX, &course->duration_minutes);
    const struct slice hours = number_cell(r, COLUMN_DURATION_HOURS);
    if (course->has_duration_minutes || hours.len == 0)
        return;
    const enum accord_error e = csv_hours(hours, COURSE_MINUTES_MAX, &course->duration_minutes);
    if (e != ACCORD_OK)
        bad_value(r, COLUMN_DURATION_HOURS, e, hours);
    course->has_duration_minutes = e == ACCORD_OK;
}

static void take_rating(const struct row_reader *r, struct course *course)
{
    const struct slice value = number_cell(r, COLUMN_RATING);
    const struct slice best = number_cell(r, COLUMN_RATING_BEST);
    course->has_rating_count =
        integer_of(r, COLUMN_RATING_COUNT, COURSE_COUNT_MAX, &course->rating_count);
    if (value.len == 0)
        return;
    course->has_rating = true;
    course->rating_best_milli = 5000;
    enum accord_error e = csv_milli(value, COURSE_RATING_MAX_MILLI, &course->rating_milli);
    if (e != ACCORD_OK)
        bad_value(r, COLUMN_RATING, e, value);
    if (best.len == 0)
        return;
    e = csv_milli(best, COURSE_RATING_MAX_MILLI, &course->rating_best_milli);
    if (e == ACCORD_OK && course->rating_best_milli == 0)
        e = ACCORD_E_VALUE_OUT_OF_RANGE;
    if (e != ACCORD_OK)
        bad_value(r, COLUMN_RATING_BEST, e, best);
}

/* ---- offer and rights ---- */

static void take_offer(struct row_reader *r, const struct course_defaults *defaults,
                       struct course *course)
{
    struct course_offer offer = {.mode = COURSE_BUY, .price.currency = defaults->currency};
    const struct slice code = cell(r, COLUMN_CURRENCY);
    if (code.len != 0 &&
        accord_currency_parse(code.data, code.len, &offer.price.currency) != ACCORD_OK)
        bad_value(r, COLUMN_CURRENCY, ACCORD_E_CURRENCY_UNKNOWN, code);
    const struct slice mode = cell(r, COLUMN_OFFER_MODE);
    if (mode.len != 0) {
        offer.mode = name_of(course_offer_modes, mode);
        if (offer.mode < 0)
            bad_value(r, COLUMN_OFFER_MODE, ACCORD_E_VALUE_UNKNOWN, mode);
    }
    const struct slice text = number_cell(r, COLUMN_PRICE);
    if (text.len == 0) {
        if (mode.len == 0 || offer.mode != COURSE_FREE)
            return; /* no price known, no offer */
        offer.price.amount = 0;
    } else {
        const enum accord_error e = csv_price(text, offer.price.currency, &offer.price.amount);
        if (e == ACCORD_E_FIELD_MISSING)
            problem(r, COLUMN_CURRENCY, e,
                    "there is a price, but no currency: name its column, or give ?currency=");
        else if (e != ACCORD_OK)
            bad_value(r, COLUMN_PRICE, e, text);
        if (e != ACCORD_OK)
            return;
    }
    if (offer.price.amount == 0)
        offer.mode = COURSE_FREE;
    offer.has_price = offer.price.currency.code[0] != '\0';
    struct course_offer *items = arena_array(r->arena, 1, sizeof *items);
    if (items == NULL) {
        r->error = ACCORD_E_OUT_OF_MEMORY;
        return;
    }
    items[0] = offer;
    course->offers = (struct json_array){items, 1};
}

static void take_rights(struct row_reader *r, struct course *course)
{
    struct course_rights *rights = &course->rights;
    words_of(r, COLUMN_TERRITORIES, COURSE_LIST_MAX, &rights->territories);
    words_of(r, COLUMN_CHANNELS, COURSE_LIST_MAX, &rights->channels);
    rights->has_bundle = boolean_of(r, COLUMN_BUNDLE, &rights->bundle);
    rights->has_membership = boolean_of(r, COLUMN_MEMBERSHIP, &rights->membership);
    rights->has_exclusive_until = time_of(r, COLUMN_EXCLUSIVE_UNTIL, &rights->exclusive_until);
    course->has_rights = rights->territories.count != 0 || rights->channels.count != 0 ||
                         rights->has_bundle || rights->has_membership ||
                         rights->has_exclusive_until;
}

/* ---- columns that nothing takes ---- */

static void take_extra(struct row_reader *r, struct course *course)
{
    struct buf out;
    buf_init(&out, (size_t)8 * COURSE_ELEMENT_MAX);
    struct json_writer w;
    jw_init(&w, &out);
    jw_object(&w);
    bool any = false;
    for (size_t i = 0; i < r->map->extra_count; i++) {
        const size_t at = r->map->extra[i];
        struct slice text = r->row->cells[at];
        if (text.len == 0)
            continue;
        const enum accord_error e = csv_clean(r->arena, text, true, &text);
        if (e == ACCORD_E_OUT_OF_MEMORY)
            r->error = e;
        else if (e != ACCORD_OK)
            json_problem_add(r->problems, e, "/extra", "column '%.*s' is not UTF-8",
                             (int)utf8_prefix(r->map->names[at], 60).len, r->map->names[at].data);
        if (e != ACCORD_OK)
            continue;
        any = true;
        jw_key_slice(&w, r->map->names[at].data, text);
    }
    jw_object_end(&w);
    if (any) {
        const char *copy =
            buf_error(&out) == ACCORD_OK ? arena_strdup(r->arena, buf_slice(&out)) : NULL;
        if (copy == NULL)
            r->error = ACCORD_E_OUT_OF_MEMORY;
        else
            course->extra = (struct slice){copy, out.len};
    }
    buf_done(&out);
}

static bool has_all_cells(const struct row_reader *r)
{
    if (r->row->count < r->map->cells)
        return false;
    for (size_t i = r->map->cells; i < r->row->count; i++)
        if (csv_trim(r->row->cells[i]).len != 0)
            return false;
    return true;
}

enum accord_error course_from_row(struct arena *arena, const struct catalog_map *map,
                                  const struct csv_row *row, const struct course_defaults *defaults,
                                  struct course *ret, struct json_problems *problems)
{
    struct row_reader reader = {.arena = arena, .map = map, .row = row, .problems = problems};
    struct row_reader *r = &reader;
    const size_t before = problems->total;
    if (!has_all_cells(r)) {
        json_problem_add(problems, ACCORD_E_CSV_INVALID, "",
                         "has %zu cells where the header has %zu", row->count, map->cells);
        return ACCORD_E_FIELDS_INVALID;
    }
    struct course course = {.kind = COURSE_COURSE};
    course.course_id = id_of(r);
    course.title = title_of(r);
    course.summary = text_of(r, COLUMN_SUMMARY, COURSE_SUMMARY_MAX, true);
    course.language = text_of(r, COLUMN_LANGUAGE, 35, false);
    if (course.language.data == NULL)
        course.language = defaults->language;
    const struct slice level = cell(r, COLUMN_LEVEL);
    if (level.len != 0) {
        course.level = level_of(level);
        course.has_level = course.level >= 0;
        if (!course.has_level)
            bad_value(r, COLUMN_LEVEL, ACCORD_E_VALUE_UNKNOWN, level);
    }
    words_of(r, COLUMN_SUBJECTS, COURSE_LIST_MAX, &course.subjects);
    words_of(r, COLUMN_TAGS, COURSE_LIST_MAX, &course.tags);
    words_of(r, COLUMN_INSTRUCTORS, COURSE_LIST_MAX, &course.instructors);
    names_of(r, COLUMN_FORMAT, course_formats, &course.formats);
    names_of(r, COLUMN_PURPOSE, course_purposes, &course.purposes);
    const struct slice kind = cell(r, COLUMN_KIND);
    if (kind.len != 0) {
        course.kind = name_of(course_kinds, kind);
        if (course.kind < 0)
            bad_value(r, COLUMN_KIND, ACCORD_E_VALUE_UNKNOWN, kind);
    }
    take_duration(r, &course);
    course.url = text_of(r, COLUMN_URL, COURSE_URL_MAX, false);
    course.image_url = text_of(r, COLUMN_IMAGE_URL, COURSE_URL_MAX, false);
    take_offer(r, defaults, &course);
    take_rights(r, &course);
    course.has_available_from = time_of(r, COLUMN_AVAILABLE_FROM, &course.available_from);
    course.has_available_to = time_of(r, COLUMN_AVAILABLE_TO, &course.available_to);
    take_rating(r, &course);
    course.has_enrolments = integer_of(r, COLUMN_ENROLMENTS, COURSE_COUNT_MAX, &course.enrolments);
    take_extra(r, &course);
    if (r->error == ACCORD_OK && course_check(arena, &course, problems) == ACCORD_E_OUT_OF_MEMORY)
        r->error = ACCORD_E_OUT_OF_MEMORY;
    if (r->error != ACCORD_OK)
        return r->error;
    if (problems->total != before)
        return ACCORD_E_FIELDS_INVALID;
    *ret = course;
    return ACCORD_OK;
}

struct slice course_row_id(const struct catalog_map *map, const struct csv_row *row)
{
    const size_t at = map->fields[COLUMN_COURSE_ID].cell[0];
    if (at >= row->count)
        return SLICE("");
    const struct slice text = csv_trim(row->cells[at]);
    return text.len <= COURSE_ID_MAX && utf8_is_id(text) ? text : SLICE("");
}
