/** A row of a partner's CSV file as a course. */
#ifndef INGEST_COURSE_CSV_H
#define INGEST_COURSE_CSV_H

#include "ingest/catalog_map.h"
#include "ingest/course.h"

/**
 * Reads and checks one row; texts are borrowed from its cells or live in the arena. The rules of
 * each kind of cell stand in csv_value.h.
 *
 * @return as course_decode(); problems point at fields as a map names them ("/price")
 */
enum accord_error course_from_row(struct arena *arena, const struct catalog_map *map,
                                  const struct csv_row *row, const struct course_defaults *defaults,
                                  struct course *ret, struct json_problems *problems);

/** The course_id cell of a row that may be refused otherwise; "" when it is not acceptable. */
struct slice course_row_id(const struct catalog_map *map, const struct csv_row *row);

#endif
