/** The elements of an upload, one after the other, whatever its format. */
#ifndef INGEST_CATALOG_SOURCE_H
#define INGEST_CATALOG_SOURCE_H

#include "ingest/catalog.h"
#include "json/split.h"

struct catalog_source {
    const struct catalog_request *request;
    struct slice body;
    struct json_splitter splitter; /* JSON, NDJSON */
    struct csv_reader *csv;
    struct catalog_map *map; /* CSV; in the arena given to open */
    struct hash key;         /* of the raw hashes: format, map, defaults */
};

struct catalog_element {
    uint64_t line; /**< CSV, NDJSON: where it begins; JSON: its place in the array; from 1 */
    enum accord_error refused; /**< why it cannot be read, or ACCORD_OK */
    const char *reason;        /**< for people; static */
    struct slice text;         /**< JSON, borrowed from the body */
    struct csv_row row;        /**< CSV; valid until the next call */
    size_t bytes;              /**< about so many */
};

/** As catalog_check(), and finds the array or reads the header. */
enum accord_error catalog_source_open(struct arena *arena, const struct catalog_request *request,
                                      struct slice body, struct catalog_source *ret,
                                      struct json_problems *problems);
void catalog_source_close(struct catalog_source *source);

/** *ret_more is false behind the last one. An error spoils the whole upload. */
enum accord_error catalog_source_next(struct catalog_source *source, struct catalog_element *ret,
                                      bool *ret_more);

/** Hash of the element as sent, with everything that decides what it means. `scratch` is used. */
struct hash catalog_source_hash(const struct catalog_source *source,
                                const struct catalog_element *element, struct buf *scratch);

#endif
