/** How a line of a statement that is a share of a pool came about: the months that were divided. */
#ifndef API_POOL_EXPLAIN_H
#define API_POOL_EXPLAIN_H

#include "api/call.h"
#include "ingest/statement_lines.h"
#include "store/pool_months.h"

struct pool_explained {
    struct pool_share_row *shares; /**< by month; those that the line is made of */
    struct pool_month_row *months; /**< of each the month */
    size_t count;
};

/** As the months are divided now. @param line  of a window, of kind `pool` or `late_usage` */
enum accord_error pool_explain(struct call *call, const struct agreement_periods *periods,
                               const char *agreement, const struct statement_line *line,
                               struct pool_explained *ret);
/** Writes the member `pools` of an object. */
void pool_explained_write(struct json_writer *w, const struct pool_explained *pools,
                          struct accord_currency currency);

/** Writes of a month what all who share in it may know, as members of an object. */
void pool_month_write(struct json_writer *w, const struct pool_month_row *month,
                      struct accord_currency currency);

#endif
