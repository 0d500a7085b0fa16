#include "store/reports.h"

static const char *const grain_names[] = {
    [REPORT_PERIOD] = "period", [REPORT_DAY] = "day", [REPORT_COURSE] = "course"};

#define ROLLUP_COLUMNS                                                                             \
    "r.agreement, r.version, r.day, r.held, r.provider, r.course_id, r.channel, r.currency, "      \
    "r.sale_currency"
#define ROLLUP_SUMS                                                                                \
    ", r.line_count, r.quantity, r.gross, r.refunded, r.tax, r.store_fee, r.payment_fee, "         \
    "r.admin_fee, r.net_sale, r.net, r.added_back, r.base, r.lines_qualified, r.units_qualified "
/* Versions are walked in order, from the one that the place lies in, and each version's rows of the
 * window are one range of the primary key. CROSS JOIN keeps versions the outer loop on SQLite, and
 * the CASE keeps its planner from walking all rollups behind the place instead. */
#define VERSIONS_OF_ALL "FROM agreement_version p "
#define VERSIONS_OF_PARTNER "FROM agreement_party p "
#define ROLLUP_WINDOW(rollups)                                                                     \
    "CROSS JOIN " rollups " r WHERE (p.agreement, p.version) >= ($4, $5) "                         \
    "AND r.agreement = p.agreement AND r.version = p.version AND r.grain = $1 AND r.staged = 0 "   \
    "AND r.day >= $2 AND r.day < $3 "                                                              \
    "AND CASE WHEN (r.agreement, r.version, r.sale_currency, r.day, r.held, r.provider, "          \
    "r.course_id, r.channel) > ($4, $5, $6, $7, $8, $9, $10, $11) THEN 1 ELSE 0 END = 1 "
#define OF_PARTNER "AND p.partner = $12 "
#define ROLLUP_ORDER                                                                               \
    "ORDER BY p.agreement, p.version, r.sale_currency, r.day, r.held, r.provider, r.course_id, "   \
    "r.channel"

DB_SQL(sql_rows_all,
       "SELECT " ROLLUP_COLUMNS ROLLUP_SUMS VERSIONS_OF_ALL ROLLUP_WINDOW("rollup") ROLLUP_ORDER);
DB_SQL(sql_rows_of, "SELECT " ROLLUP_COLUMNS ROLLUP_SUMS VERSIONS_OF_PARTNER ROLLUP_WINDOW("rollup")
                        OF_PARTNER ROLLUP_ORDER);
DB_SQL(sql_shares_all,
       "SELECT " ROLLUP_COLUMNS ", r.payee, r.amount " VERSIONS_OF_ALL ROLLUP_WINDOW("rollup_share")
           ROLLUP_ORDER);
DB_SQL(sql_shares_of, "SELECT " ROLLUP_COLUMNS
                      ", r.payee, r.amount " VERSIONS_OF_PARTNER ROLLUP_WINDOW("rollup_share")
                          OF_PARTNER ROLLUP_ORDER);

/* What no agreement covers stands under version 0 of ''. */
#define UNCOVERED                                                                                  \
    "SELECT " ROLLUP_COLUMNS ROLLUP_SUMS "FROM rollup r WHERE r.agreement = '' AND "               \
    "r.version = 0 AND r.grain = 'period' AND r.staged = 0 AND r.day >= $1 AND r.day < $2 "
#define UNCOVERED_ORDER "ORDER BY r.day, r.held, r.provider, r.course_id, r.channel, r.currency"
DB_SQL(sql_uncovered_all, UNCOVERED UNCOVERED_ORDER);
DB_SQL(sql_uncovered_channel, UNCOVERED "AND r.channel = $3 " UNCOVERED_ORDER);
DB_SQL(sql_uncovered_provider, UNCOVERED "AND r.provider = $3 " UNCOVERED_ORDER);

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
        .sale_currency = db_get_text(row, 8),
    };
}

/* Agreements of the channels at which the promoter has links. */
DB_SQL(sql_referrals,
       "SELECT r.agreement, r.version, r.currency, CAST(SUM(r.amount) AS BIGINT) FROM "
       "(SELECT DISTINCT p.agreement, p.version FROM link l JOIN agreement_party p ON "
       "p.partner = l.channel WHERE l.promoter = $1) v CROSS JOIN rollup_share r WHERE "
       "r.agreement = v.agreement AND r.version = v.version AND r.staged = 0 AND "
       "r.grain = 'period' AND r.day >= $2 AND r.day < $3 AND r.held = '' AND r.payee = $1 "
       "AND NOT EXISTS (SELECT 1 FROM agreement_party o WHERE o.agreement = r.agreement AND "
       "o.version = r.version AND o.partner = $1) GROUP BY r.agreement, r.version, r.currency "
       "ORDER BY r.agreement, r.version, r.currency");

struct referring {
    report_referral_fn *each;
    void *context;
};

static enum accord_error take_referral(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    const struct referring *referring = context;
    const struct report_referral referral = {db_get_text(row, 0), db_get_int(row, 1),
                                             db_get_text(row, 2), db_get_int(row, 3)};
    return referring->each(referring->context, &referral);
}

enum accord_error store_report_referrals(struct db *db, const char *promoter, int64_t day_from,
                                         int64_t day_to, report_referral_fn *each, void *context)
{
    struct referring referring = {each, context};
    const struct db_value params[] = {db_str(promoter), db_int(day_from), db_int(day_to)};
    return db_query(db, &sql_referrals, params, 3, 1, take_referral, &referring);
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
        .line_count = db_get_int(row, 9),
        .quantity = db_get_int(row, 10),
        .gross = db_get_int(row, 11),
        .refunded = db_get_int(row, 12),
        .tax = db_get_int(row, 13),
        .store_fee = db_get_int(row, 14),
        .payment_fee = db_get_int(row, 15),
        .admin_fee = db_get_int(row, 16),
        .net_sale = db_get_int(row, 17),
        .net = db_get_int(row, 18),
        .added_back = db_get_int(row, 19),
        .base = db_get_int(row, 20),
        .lines_qualified = db_get_int(row, 21),
        .units_qualified = db_get_int(row, 22),
    };
    return reading->row(reading->context, &key, &sums);
}

static enum accord_error take_share(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    const struct reading *reading = context;
    const struct report_key key = key_of(row);
    return reading->share(reading->context, &key, db_get_text(row, 9), db_get_int(row, 10));
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
        text_or_empty(after->sale_currency),
        db_int(after->day),
        text_or_empty(after->held),
        text_or_empty(after->provider),
        text_or_empty(after->course_id),
        text_or_empty(after->channel),
        db_str(filter->partner),
    };
    if (filter->partner == NULL)
        return db_query(db, all, params, 11, 1, each, reading);
    return db_query(db, of, params, 12, 1, each, reading);
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
