/** The rows of a file of inputs, in typed form. Everything decoded lives in the arena given. */
#ifndef INGEST_INPUTS_DECODE_H
#define INGEST_INPUTS_DECODE_H

#include "ingest/inputs.h"
#include "json/decode.h"

struct inputs_head_row {
    struct slice agreement;
    int64_t cutoff;
    bool derived;
    int64_t format;
    instant_us from;
    int64_t governs;
    struct slice kind;
    int64_t opening;
    struct slice partner;
    struct slice period;
    struct slice previous; /**< data NULL: none */
    struct slice statement;
    struct slice time_zone;
    instant_us to;
    struct slice zone_hash;
};

struct inputs_version_row {
    struct slice body;
    int64_t effective_to;
    struct slice kind;
    int64_t version;
};

struct inputs_settings_row {
    struct slice kind;
    int64_t min_payout;
    int64_t reserve_ppm;
};

struct inputs_part_row {
    int64_t base;
    int64_t days;
    int64_t days_of_period;
    bool ends_life;
    bool ends_period;
    bool ends_year;
    bool first_of_life;
    struct slice kind;
    struct json_array learners; /**< of int64_t */
    int64_t lines;
    int64_t net;
    int64_t number;
    int64_t open;
    struct slice period;
    struct json_array shares; /**< of int64_t, by party */
    int64_t units;
    int64_t version;
    struct slice year;
};

struct inputs_posted_row {
    int64_t amount;
    struct slice kind;
    struct slice of;
    struct slice payee;
    struct slice period;
    int64_t term;
    int64_t version;
};

struct inputs_pool_row {
    int64_t amount;
    struct slice channel;
    struct slice exact;
    struct slice kind;
    struct slice month;
    struct slice pool;
    int64_t pool_version;
    struct slice provider;
    struct slice sheet_hash;
    int64_t term;
    int64_t units;
    int64_t version;
};

struct inputs_sheet_row {
    int64_t amount;
    int64_t cap_units;
    struct slice channel;
    int64_t fees;
    int idle; /**< enum accord_pool_idle */
    struct slice kind;
    int64_t lambda_ppm;
    int method; /**< enum accord_pool_method */
    int64_t min_units;
    struct slice month;
    int64_t own; /**< -1: did not join */
    struct slice pool;
    int64_t unclaimed;
    struct json_array weights_ppm; /**< of int64_t, by provider */
};

struct inputs_member_row {
    int64_t fee;
    struct slice kind;
    struct slice learner;
    struct json_array units; /**< of int64_t: places of providers and units, in turns */
};

struct inputs_line_row {
    struct slice course_id;
    struct json_array discounts; /**< of int64_t */
    int64_t line;
    struct slice line_id;
    int64_t paid;
    int64_t payment_fee;
    struct slice provider;
    int64_t quantity;
    int64_t store_fee;
    int64_t tax;
};

struct inputs_share_row {
    int64_t amount;
    struct slice payee;
};

struct inputs_group_row {
    struct slice course_id;
    int64_t line;
    struct slice line_id;
    struct json_array numbers; /**< of int64_t */
    struct slice period;
    struct slice provider;
    struct json_array shares; /**< of struct inputs_share_row */
    int64_t version;
};

struct inputs_rate_row {
    struct slice day;
    int64_t den;
    int64_t num;
    struct slice text;
    int64_t version;
};

struct inputs_refund_row {
    int64_t amount;
    struct slice event_id;
    int64_t fee_returned;
    struct slice line_id; /**< data NULL: of the whole order */
    int64_t occurred_at;
    struct slice partner;
    int64_t row;
    int64_t tax_returned;
};

struct inputs_promoter_row {
    struct slice id;
    int64_t parent; /**< its place among the promoters; -1: none */
    bool self_referral;
    bool suspended;
};

struct inputs_touch_row {
    struct slice event_id;
    int kind; /**< enum accord_touch_kind */
    int64_t occurred_at;
    struct slice partner;
    int64_t promoter; /**< its place among the promoters */
};

struct inputs_order_row {
    struct slice channel;
    struct accord_currency currency;
    struct slice kind;
    struct json_array lines; /**< of struct inputs_line_row */
    int64_t occurred_at;
    struct slice order_id;
    struct json_array posted;    /**< of struct inputs_group_row */
    struct json_array promoters; /**< of struct inputs_promoter_row */
    struct json_array rates;     /**< of struct inputs_rate_row */
    struct json_array refunds;   /**< of struct inputs_refund_row */
    int64_t sale;
    bool spread;
    struct json_array touches; /**< of struct inputs_touch_row */
};

struct inputs_cancellation_row {
    struct slice event_id;
    int64_t fee_returned;
    int64_t occurred_at;
    int64_t refunded;
    int64_t tax_returned;
};

struct inputs_funding_row {
    struct accord_currency currency;
    struct slice payee;
    int64_t share_ppm;
};

struct inputs_month_row {
    struct slice day;
    int64_t line;
    struct slice offer;
    bool has_pool;
    struct inputs_funding_row pool;
    struct json_array rates; /**< of struct inputs_rate_row */
    bool stands;
};

struct inputs_term_row {
    struct json_array cancellations; /**< of struct inputs_cancellation_row */
    struct slice channel;
    struct accord_currency currency;
    int64_t from;
    struct slice kind;
    struct slice membership_id;
    struct json_array months; /**< of struct inputs_month_row */
    struct slice offer;
    struct slice operator_id;
    int64_t paid;
    int64_t payment_fee;
    struct json_array posted; /**< of struct inputs_group_row */
    int64_t sale;
    int64_t store_fee;
    int64_t tax;
    struct slice term_id;
    struct slice time_zone;
    int64_t to;
};

struct inputs_entry_row {
    struct slice channel;
    struct accord_currency currency;
    struct slice entry_id;
    int64_t fee;
    int64_t joined_at;
    struct slice kind;
    int64_t last_day;
    struct slice offer;
    struct slice operator_id;
    struct json_array posted; /**< of struct inputs_group_row */
    struct json_array rates;  /**< of struct inputs_rate_row */
    int64_t sale;
};

struct inputs_given_row {
    struct slice kind;
    struct slice text;
};
/** What is added up of a line that is given. */
struct inputs_given_line {
    int64_t earned;
    struct slice kind;
    int64_t position;
    struct slice rest;
};

/** An adjustment or a payment. */
struct inputs_amount_row {
    struct slice adjustment;
    int64_t amount;
    struct slice kind;
    struct slice payment;
};

struct inputs_hold_row {
    struct slice kind;
    int64_t pending;
    int64_t reserve;
};

struct inputs_end_row {
    int64_t closing;
    int64_t due;
    int64_t earned;
    struct slice kind;
    int64_t lines;
    struct slice lines_hash;
    int64_t payable;
    int64_t withheld;
};

extern const struct json_object inputs_head_spec;
extern const struct json_object inputs_version_spec;
extern const struct json_object inputs_settings_spec;
extern const struct json_object inputs_part_spec;
extern const struct json_object inputs_pool_spec;
extern const struct json_object inputs_sheet_spec;
extern const struct json_object inputs_member_spec;
extern const struct json_object inputs_posted_spec;
extern const struct json_object inputs_order_spec;
extern const struct json_object inputs_term_spec;
extern const struct json_object inputs_entry_spec;
extern const struct json_object inputs_given_spec;
extern const struct json_object inputs_given_line_spec;
extern const struct json_object inputs_amount_spec;
extern const struct json_object inputs_hold_spec;
extern const struct json_object inputs_end_spec;

#endif
