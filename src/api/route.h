/** Matching paths with the operations' patterns. Pure; built once, then read by every thread. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/call.h"

struct route_table;

/** What a request's path and method lead to. */
struct route_match {
    size_t operation;  /**< index in the table given; SIZE_MAX: none has the method */
    const char *allow; /**< "GET, HEAD, OPTIONS": what the path takes; NULL: no such path */
    const char *path;  /**< the pattern; NULL: no such path */
    struct slice args[4];
};

/** @param at  gives operation i; the operations live as long as the table */
enum accord_error route_table_new(size_t count, const struct operation *(*at)(size_t index),
                                  struct route_table **ret);
void route_table_free(struct route_table *table);

/** A literal segment goes before a parameter; HEAD is answered by GET. */
struct route_match route_find(const struct route_table *table, struct slice method,
                              const struct slice *segments, size_t count);

#endif
