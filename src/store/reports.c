#include "store/reports.h"

static const char *const grain_names[] = {
    [REPORT_PERIOD] = "period", [REPORT_DAY] = "day", [REPORT_COURSE] = "course"};

#define ROLLUP_COLUMNS                                                                             \
    "r.agreement, r.version, r.day, r.held, r.provider, r.course_id, r.channel, r.currency"
#define ROLLUP_SUMS                                                                                \
    ", r.line_count, r.quantity, r.gross, r.refunded, r.tax, r.store_fee, r.payment_fee, r.net, "  \
    "r.added_back "
#define ROLLUP_WINDOW                                                                              \
    "r.grain = $1 AND r.staged = 0 AND r.agreement <> '' AND r.day >= $2 AND r.day < $3 AND "      \
    "(r.agreement, r.version, r.day, r.held, r.provider, r.course_id, r.channel) > "               \
    "($4, $5, $6, $7, $8, $9, $10) "
#define ROLLUP_ORDER                                                                               \
    "ORDER BY r.agreement, r.version, r.day, r.held, r.provider, r.course_id, r.channel, "         \
    "r.currency"
/* By way of the versions, so that a month costs what it has, not what all months have: a CROSS
 * JOIN, for SQLite would rather begin with the rollups. */
#define OF_PARTNER(table)                                                                          \
    "FROM agreement_party p CROSS JOIN " table " r WHERE r.agreement = p.agreement AND "           \
    "r.version = p.version AND p.agreement >= $4 AND p.partner = $11 AND "
#define OF_ALL(table)                                                                              \
    "FROM agreement_version v CROSS JOIN " table " r WHERE r.agreement = v.agreement AND "         \
    "r.version = v.version AND v.agreement >= $4 AND "

DB_SQL(sql_rows_all,
       "SELECT " ROLLUP_COLUMNS ROLLUP_SUMS OF_ALL("rollup") ROLLUP_WINDOW ROLLUP_ORDER);
DB_SQL(sql_rows_of,
       "SELECT " ROLLUP_COLUMNS ROLLUP_SUMS OF_PARTNER("rollup") ROLLUP_WINDOW ROLLUP_ORDER);
DB_SQL(sql_shares_all, "SELECT " ROLLUP_COLUMNS ", r.payee, r.amount " OF_ALL("rollup_share")
                           ROLLUP_WINDOW ROLLUP_ORDER);
DB_SQL(sql_shares_of, "SELECT " ROLLUP_COLUMNS ", r.payee, r.amount " OF_PARTNER("rollup_share")
                          ROLLUP_WINDOW ROLLUP_ORDER);

#define UNCOVERED                                                                                  \
    "SELECT " ROLLUP_COLUMNS ROLLUP_SUMS "FROM rollup r WHERE r.agreement = '' AND "               \
    "r.version = 0 AND "                                                                           \
    "r.grain = 'period' AND r.staged = 0 AND r.day >= $1 AND r.day < $2 "
DB_SQL(sql_uncovered_all, UNCOVERED ROLLUP_ORDER);
DB_SQL(sql_uncovered_channel, UNCOVERED "AND r.channel = $3 " ROLLUP_ORDER);
DB_SQL(sql_uncovered_provider, UNCOVERED "AND r.provider = $3 " ROLLUP_ORDER);

static struct report_key key_of(const struct db_row *row)
{
    return (struct report_key){
        .agreement = db_get_text(row, 0),
        .version = db_get_int(row, 1),
        .day = db_get_int(row, 2),
        .held = db_get_text(row, 3),
        .provider = db_get_text(row, 4),
        .course_id = db_get_text(row, 5),
        .channel = db_get_text(row, 6),
        .currency = db_get_text(row, 7),
    };
}

struct reading {
    report_row_fn *row;
    report_share_fn *share;
    void *context;
};

static enum accord_error take_row(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    const struct reading *reading = context;
    const struct report_key key = key_of(row);
    const struct report_sums sums = {
        .line_count = db_get_int(row, 8),
        .quantity = db_get_int(row, 9),
        .gross = db_get_int(row, 10),
        .refunded = db_get_int(row, 11),
        .tax = db_get_int(row, 12),
        .store_fee = db_get_int(row, 13),
        .payment_fee = db_get_int(row, 14),
        .net = db_get_int(row, 15),
        .added_back = db_get_int(row, 16),
    };
    return reading->row(reading->context, &key, &sums);
}

static enum accord_error take_share(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    const struct reading *reading = context;
    const struct report_key key = key_of(row);
    return reading->share(reading->context, &key, db_get_text(row, 8), db_get_int(row, 9));
}

/* A zeroed key has no texts: everything lies behind the empty one. */
static struct db_value text_or_empty(struct slice text)
{
    return db_text(text.data == NULL ? SLICE("") : text);
}

static enum accord_error query_window(struct db *db, const struct db_sql *all,
                                      const struct db_sql *of, const struct report_filter *filter,
                                      db_row_fn *each, struct reading *reading)
{
    const struct report_key *after = &filter->after;
    const struct db_value params[] = {
        db_str(grain_names[filter->grain]),
        db_int(filter->day_from),
        db_int(filter->day_to),
        text_or_empty(after->agreement),
        db_int(after->version),
        db_int(after->day),
        text_or_empty(after->held),
        text_or_empty(after->provider),
        text_or_empty(after->course_id),
        text_or_empty(after->channel),
        db_str(filter->partner),
    };
    if (filter->partner == NULL)
        return db_query(db, all, params, 10, 1, each, reading);
    return db_query(db, of, params, 11, 1, each, reading);
}

enum accord_error store_report_rows(struct db *db, const struct report_filter *filter,
                                    report_row_fn *each, void *context)
{
    struct reading reading = {.row = each, .context = context};
    return query_window(db, &sql_rows_all, &sql_rows_of, filter, take_row, &reading);
}

enum accord_error store_report_shares(struct db *db, const struct report_filter *filter,
                                      report_share_fn *each, void *context)
{
    struct reading reading = {.share = each, .context = context};
    return query_window(db, &sql_shares_all, &sql_shares_of, filter, take_share, &reading);
}

enum accord_error store_report_uncovered(struct db *db, enum report_side side, const char *partner,
                                         int64_t day_from, int64_t day_to, report_row_fn *each,
                                         void *context)
{
    struct reading reading = {.row = each, .context = context};
    const struct db_value params[] = {db_int(day_from), db_int(day_to), db_str(partner)};
    switch (side) {
    case REPORT_AS_OPERATOR:
        return db_query(db, &sql_uncovered_all, params, 2, 1, take_row, &reading);
    case REPORT_AS_CHANNEL:
        return db_query(db, &sql_uncovered_channel, params, 3, 1, take_row, &reading);
    case REPORT_AS_PROVIDER:
        return db_query(db, &sql_uncovered_provider, params, 3, 1, take_row, &reading);
    }
    return ACCORD_E_INTERNAL;
}
