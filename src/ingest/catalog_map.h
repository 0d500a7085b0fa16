/**
 * Which column of a partner's CSV file holds which field of a course.
 *
 * A map is text: `field:column,field:column,…`. A field may be named several times: the first of
 * its columns that has a value is taken. `-:column` leaves a column out. A field that the map does
 * not name is taken from the column of exactly its name, if there is one; `field:` (no column)
 * prevents that (`price_currency` is another name of `currency`). Columns that nothing takes go to
 * the course's `extra`. Nothing is guessed.
 */
#ifndef INGEST_CATALOG_MAP_H
#define INGEST_CATALOG_MAP_H

#include "ingest/csv.h"
#include "json/decode.h"

enum course_column {
    COLUMN_COURSE_ID,
    COLUMN_TITLE,
    COLUMN_SUMMARY,
    COLUMN_LANGUAGE,
    COLUMN_LEVEL,
    COLUMN_SUBJECTS,
    COLUMN_TAGS,
    COLUMN_INSTRUCTORS,
    COLUMN_FORMAT,
    COLUMN_PURPOSE,
    COLUMN_KIND,
    COLUMN_DURATION_MINUTES,
    COLUMN_DURATION_HOURS,
    COLUMN_URL,
    COLUMN_IMAGE_URL,
    COLUMN_OFFER_MODE,
    COLUMN_PRICE,
    COLUMN_CURRENCY,
    COLUMN_TERRITORIES,
    COLUMN_CHANNELS,
    COLUMN_BUNDLE,
    COLUMN_MEMBERSHIP,
    COLUMN_EXCLUSIVE_UNTIL,
    COLUMN_AVAILABLE_FROM,
    COLUMN_AVAILABLE_TO,
    COLUMN_RATING,
    COLUMN_RATING_BEST,
    COLUMN_RATING_COUNT,
    COLUMN_ENROLMENTS,
    COURSE_COLUMNS
};
/** The field's name in a map ("course_id", …). */
const char *course_column_name(enum course_column column);

enum { MAP_ALTERNATIVES_MAX = 4 };

/** A map bound to the header of one file. Lives in the arena with copies of the header's names. */
struct catalog_map {
    size_t cells; /**< of the header */
    struct {
        size_t cell[MAP_ALTERNATIVES_MAX];
        size_t count;
    } fields[COURSE_COLUMNS];
    const struct slice *names; /**< of the cells */
    const size_t *extra;       /**< cells that nothing takes, sorted by name */
    size_t extra_count;
};

/**
 * Checks a map's text alone, as it is stored with a partner ("" is fine).
 *
 * @return ACCORD_OK, or ACCORD_E_COLUMN_UNKNOWN with problems at `pointer`
 */
enum accord_error catalog_map_check(struct slice map, const char *pointer,
                                    struct json_problems *problems);

/**
 * Binds a map to a header row.
 *
 * @return ACCORD_OK; ACCORD_E_COLUMN_UNKNOWN with problems (a field or column that does not exist,
 *         no column for course_id or title); ACCORD_E_TEXT_INVALID (the header is not UTF-8);
 *         ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error catalog_map_bind(struct arena *arena, struct slice map,
                                   const struct csv_row *header, struct catalog_map **ret,
                                   struct json_problems *problems);

#endif
