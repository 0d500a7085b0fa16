#include "ingest/inputs_decode.h"

#include "ingest/inputs.h"
#include "ingest/pool.h"

/* Amounts of a file are sums as often as not: any int64. */
#define ANY(type, member) JSON_INT(type, member, INT64_MIN, INT64_MAX)
#define COUNT(type, member) JSON_INT(type, member, 0, INT64_MAX)
/* What a fact says, or -1: it does not. */
#define SAID(type, member) JSON_INT(type, member, -1, ACCORD_AMOUNT_MAX)
#define FACT(type, member) JSON_INT(type, member, 0, ACCORD_AMOUNT_MAX)
#define ID(type, member) JSON_ID(type, member, 1, 255)
#define DAY(type, member) JSON_ID(type, member, 10, 10)
#define HASH(type, member) JSON_ID(type, member, 64, 64)

enum {
    GROUPS_MAX = 1 << 20,
    REFUNDS_MAX = 1 << 20,
    VERSIONS_MAX = 1 << 16,
    PAYEES_MAX = 1 << 20,
    TOUCHES_MAX = 1 << 20,
    MONTHS_MAX = 1 << 12
};

static const struct json_field any_int = JSON_ELEMENT(JSON_KIND_INT, INT64_MIN, INT64_MAX);
static const struct json_field count = JSON_ELEMENT(JSON_KIND_INT, 0, INT64_MAX);

static const struct json_field discount = JSON_ELEMENT(JSON_KIND_INT, 0, ACCORD_AMOUNT_MAX);

static const struct json_field head_fields[] = {
    ID(struct inputs_head_row, agreement),
    ANY(struct inputs_head_row, cutoff),
    JSON_BOOLEAN(struct inputs_head_row, derived),
    JSON_INT(struct inputs_head_row, format, INPUTS_FORMAT, INPUTS_FORMAT),
    JSON_TIME(struct inputs_head_row, from),
    ANY(struct inputs_head_row, governs),
    ID(struct inputs_head_row, kind),
    ANY(struct inputs_head_row, opening),
    ID(struct inputs_head_row, partner),
    ID(struct inputs_head_row, period),
    JSON_RAW_OPT(struct inputs_head_row, previous),
    JSON_ID(struct inputs_head_row, statement, 1, STATEMENT_ID_MAX - 1),
    ID(struct inputs_head_row, time_zone),
    JSON_TIME(struct inputs_head_row, to),
    HASH(struct inputs_head_row, zone_hash),
};
const struct json_object inputs_head_spec = JSON_OBJECT(struct inputs_head_row, head_fields);

static const struct json_field version_fields[] = {
    JSON_RAW(struct inputs_version_row, body),
    JSON_INT_OR(struct inputs_version_row, effective_to, INT64_MIN, INT64_MAX, INT64_MAX),
    ID(struct inputs_version_row, kind),
    JSON_INT(struct inputs_version_row, version, 1, INT64_MAX),
};
const struct json_object inputs_version_spec =
    JSON_OBJECT(struct inputs_version_row, version_fields);

static const struct json_field settings_fields[] = {
    ID(struct inputs_settings_row, kind),
    COUNT(struct inputs_settings_row, min_payout),
    JSON_INT(struct inputs_settings_row, reserve_ppm, 0, ACCORD_PPM_WHOLE),
};
const struct json_object inputs_settings_spec =
    JSON_OBJECT(struct inputs_settings_row, settings_fields);

static const struct json_field part_fields[] = {
    ANY(struct inputs_part_row, base),
    COUNT(struct inputs_part_row, days),
    JSON_INT(struct inputs_part_row, days_of_period, 1, 366),
    JSON_BOOLEAN(struct inputs_part_row, ends_life),
    JSON_BOOLEAN(struct inputs_part_row, ends_period),
    JSON_BOOLEAN(struct inputs_part_row, ends_year),
    JSON_BOOLEAN(struct inputs_part_row, first_of_life),
    ID(struct inputs_part_row, kind),
    JSON_ARRAY_SCALAR(struct inputs_part_row, learners, &count, ACCORD_WINDOWS, ACCORD_WINDOWS),
    ANY(struct inputs_part_row, lines),
    ANY(struct inputs_part_row, net),
    COUNT(struct inputs_part_row, number),
    ANY(struct inputs_part_row, open),
    DAY(struct inputs_part_row, period),
    JSON_ARRAY_SCALAR(struct inputs_part_row, shares, &any_int, 0, ACCORD_PARTIES_MAX),
    ANY(struct inputs_part_row, units),
    ANY(struct inputs_part_row, version),
    DAY(struct inputs_part_row, year),
};
const struct json_object inputs_part_spec = JSON_OBJECT(struct inputs_part_row, part_fields);

static const struct json_field pool_fields[] = {
    ANY(struct inputs_pool_row, amount),
    ID(struct inputs_pool_row, channel),
    JSON_STRING(struct inputs_pool_row, exact, 0, ACCORD_EXACT_TEXT),
    ID(struct inputs_pool_row, kind),
    DAY(struct inputs_pool_row, month),
    ID(struct inputs_pool_row, pool),
    COUNT(struct inputs_pool_row, pool_version),
    ID(struct inputs_pool_row, provider),
    HASH(struct inputs_pool_row, sheet_hash),
    COUNT(struct inputs_pool_row, term),
    COUNT(struct inputs_pool_row, units),
    COUNT(struct inputs_pool_row, version),
};
const struct json_object inputs_pool_spec = JSON_OBJECT(struct inputs_pool_row, pool_fields);

static const struct json_field sheet_fields[] = {
    ANY(struct inputs_sheet_row, amount),
    COUNT(struct inputs_sheet_row, cap_units),
    ID(struct inputs_sheet_row, channel),
    ANY(struct inputs_sheet_row, fees),
    JSON_ENUM(struct inputs_sheet_row, idle, pool_idle_names),
    ID(struct inputs_sheet_row, kind),
    COUNT(struct inputs_sheet_row, lambda_ppm),
    JSON_ENUM(struct inputs_sheet_row, method, pool_method_names),
    COUNT(struct inputs_sheet_row, min_units),
    DAY(struct inputs_sheet_row, month),
    JSON_INT_OR(struct inputs_sheet_row, own, 0, INT32_MAX, -1),
    ID(struct inputs_sheet_row, pool),
    ANY(struct inputs_sheet_row, unclaimed),
    JSON_ARRAY_SCALAR(struct inputs_sheet_row, weights_ppm, &count, 0, PAYEES_MAX),
};
const struct json_object inputs_sheet_spec = JSON_OBJECT(struct inputs_sheet_row, sheet_fields);

static const struct json_field member_fields[] = {
    ANY(struct inputs_member_row, fee),
    ID(struct inputs_member_row, kind),
    JSON_ID_OPT(struct inputs_member_row, learner, 1, 64),
    JSON_ARRAY_SCALAR(struct inputs_member_row, units, &count, 0, 2 * PAYEES_MAX),
};
const struct json_object inputs_member_spec = JSON_OBJECT(struct inputs_member_row, member_fields);

static const struct json_field posted_fields[] = {
    ANY(struct inputs_posted_row, amount),
    ID(struct inputs_posted_row, kind),
    ID(struct inputs_posted_row, of),
    ID(struct inputs_posted_row, payee),
    DAY(struct inputs_posted_row, period),
    JSON_INT(struct inputs_posted_row, term, 0, ACCORD_TERMS_MAX - 1),
    ANY(struct inputs_posted_row, version),
};
const struct json_object inputs_posted_spec = JSON_OBJECT(struct inputs_posted_row, posted_fields);

static const struct json_field line_fields[] = {
    ID(struct inputs_line_row, course_id),
    JSON_ARRAY_SCALAR(struct inputs_line_row, discounts, &discount, ACCORD_FUNDERS, ACCORD_FUNDERS),
    COUNT(struct inputs_line_row, line),
    ID(struct inputs_line_row, line_id),
    FACT(struct inputs_line_row, paid),
    SAID(struct inputs_line_row, payment_fee),
    ID(struct inputs_line_row, provider),
    FACT(struct inputs_line_row, quantity),
    SAID(struct inputs_line_row, store_fee),
    SAID(struct inputs_line_row, tax),
};
static const struct json_object line_spec = JSON_OBJECT(struct inputs_line_row, line_fields);

static const struct json_field share_fields[] = {
    ANY(struct inputs_share_row, amount),
    ID(struct inputs_share_row, payee),
};
static const struct json_object share_spec = JSON_OBJECT(struct inputs_share_row, share_fields);

static const struct json_field group_fields[] = {
    ID(struct inputs_group_row, course_id),
    COUNT(struct inputs_group_row, line),
    ID(struct inputs_group_row, line_id),
    JSON_ARRAY_SCALAR(struct inputs_group_row, numbers, &any_int, ENTRY_NUMBERS, ENTRY_NUMBERS),
    DAY(struct inputs_group_row, period),
    ID(struct inputs_group_row, provider),
    JSON_ARRAY_OF(struct inputs_group_row, shares, &share_spec, 0, ENTRY_SHARES_MAX),
    ANY(struct inputs_group_row, version),
};
static const struct json_object group_spec = JSON_OBJECT(struct inputs_group_row, group_fields);

static const struct json_field rate_fields[] = {
    DAY(struct inputs_rate_row, day),
    JSON_INT(struct inputs_rate_row, den, 1, INT64_MAX),
    JSON_INT(struct inputs_rate_row, num, 1, INT64_MAX),
    JSON_ID(struct inputs_rate_row, text, 0, ACCORD_RATE_PIN_TEXT - 1),
    ANY(struct inputs_rate_row, version),
};
static const struct json_object rate_spec = JSON_OBJECT(struct inputs_rate_row, rate_fields);

/* The times that a civil day can be told of. */
#define DAY_LIMIT (INT64_C(9999) * 366)
#define TIME_LIMIT (DAY_LIMIT * 86400 * 1000000)

static const struct json_field refund_fields[] = {
    FACT(struct inputs_refund_row, amount),
    ID(struct inputs_refund_row, event_id),
    FACT(struct inputs_refund_row, fee_returned),
    JSON_ID_OPT(struct inputs_refund_row, line_id, 1, 255),
    JSON_INT(struct inputs_refund_row, occurred_at, -TIME_LIMIT, TIME_LIMIT),
    ID(struct inputs_refund_row, partner),
    JSON_INT(struct inputs_refund_row, row, 0, UINT32_MAX),
    SAID(struct inputs_refund_row, tax_returned),
};
static const struct json_object refund_spec = JSON_OBJECT(struct inputs_refund_row, refund_fields);

static const struct json_field promoter_fields[] = {
    ID(struct inputs_promoter_row, id),
    JSON_INT_OR(struct inputs_promoter_row, parent, 0, TOUCHES_MAX, -1),
    JSON_BOOLEAN(struct inputs_promoter_row, self_referral),
    JSON_BOOLEAN(struct inputs_promoter_row, suspended),
};
static const struct json_object promoter_spec =
    JSON_OBJECT(struct inputs_promoter_row, promoter_fields);

static const struct json_field touch_fields[] = {
    ID(struct inputs_touch_row, event_id),
    JSON_ENUM(struct inputs_touch_row, kind, inputs_touch_kinds),
    JSON_INT(struct inputs_touch_row, occurred_at, 0, TIME_LIMIT),
    ID(struct inputs_touch_row, partner),
    JSON_INT(struct inputs_touch_row, promoter, 0, TOUCHES_MAX),
};
static const struct json_object touch_spec = JSON_OBJECT(struct inputs_touch_row, touch_fields);

static const struct json_field order_fields[] = {
    ID(struct inputs_order_row, channel),
    JSON_CURRENCY(struct inputs_order_row, currency),
    ID(struct inputs_order_row, kind),
    JSON_ARRAY_OF(struct inputs_order_row, lines, &line_spec, 0, ACCORD_LINES_MAX),
    JSON_INT(struct inputs_order_row, occurred_at, 0, TIME_LIMIT),
    ID(struct inputs_order_row, order_id),
    JSON_ARRAY_OF(struct inputs_order_row, posted, &group_spec, 0, GROUPS_MAX),
    JSON_ARRAY_OF_OPT(struct inputs_order_row, promoters, &promoter_spec, 0, TOUCHES_MAX),
    JSON_ARRAY_OF(struct inputs_order_row, rates, &rate_spec, 0, VERSIONS_MAX),
    JSON_ARRAY_OF(struct inputs_order_row, refunds, &refund_spec, 0, REFUNDS_MAX),
    COUNT(struct inputs_order_row, sale),
    JSON_BOOLEAN_OR(struct inputs_order_row, spread, 0),
    JSON_ARRAY_OF_OPT(struct inputs_order_row, touches, &touch_spec, 0, TOUCHES_MAX),
};
const struct json_object inputs_order_spec = JSON_OBJECT(struct inputs_order_row, order_fields);

static const struct json_field cancellation_fields[] = {
    ID(struct inputs_cancellation_row, event_id),
    FACT(struct inputs_cancellation_row, fee_returned),
    JSON_INT(struct inputs_cancellation_row, occurred_at, -TIME_LIMIT, TIME_LIMIT),
    FACT(struct inputs_cancellation_row, refunded),
    SAID(struct inputs_cancellation_row, tax_returned),
};
static const struct json_object cancellation_spec =
    JSON_OBJECT(struct inputs_cancellation_row, cancellation_fields);

static const struct json_field funding_fields[] = {
    JSON_CURRENCY(struct inputs_funding_row, currency),
    JSON_ID(struct inputs_funding_row, payee, 1, ACCORD_ID_MAX),
    JSON_INT(struct inputs_funding_row, share_ppm, 0, ACCORD_PPM_WHOLE),
};
static const struct json_object funding_spec =
    JSON_OBJECT(struct inputs_funding_row, funding_fields);

static const struct json_field month_fields[] = {
    DAY(struct inputs_month_row, day),
    COUNT(struct inputs_month_row, line),
    ID(struct inputs_month_row, offer),
    JSON_SUB_OPT(struct inputs_month_row, pool, has_pool, &funding_spec),
    JSON_ARRAY_OF_OPT(struct inputs_month_row, rates, &rate_spec, 0, VERSIONS_MAX),
    JSON_BOOLEAN(struct inputs_month_row, stands),
};
static const struct json_object month_spec = JSON_OBJECT(struct inputs_month_row, month_fields);

static const struct json_field term_fields[] = {
    JSON_ARRAY_OF(struct inputs_term_row, cancellations, &cancellation_spec, 0, REFUNDS_MAX),
    ID(struct inputs_term_row, channel),
    JSON_CURRENCY(struct inputs_term_row, currency),
    JSON_INT(struct inputs_term_row, from, -TIME_LIMIT, TIME_LIMIT),
    ID(struct inputs_term_row, kind),
    ID(struct inputs_term_row, membership_id),
    JSON_ARRAY_OF(struct inputs_term_row, months, &month_spec, 1, MONTHS_MAX),
    JSON_STRING(struct inputs_term_row, offer, 0, 255),
    JSON_FIELD_AS("operator", struct inputs_term_row, operator_id, JSON_KIND_ID, 1, 255),
    FACT(struct inputs_term_row, paid),
    SAID(struct inputs_term_row, payment_fee),
    JSON_ARRAY_OF(struct inputs_term_row, posted, &group_spec, 0, GROUPS_MAX),
    COUNT(struct inputs_term_row, sale),
    SAID(struct inputs_term_row, store_fee),
    SAID(struct inputs_term_row, tax),
    JSON_STRING(struct inputs_term_row, term_id, 0, 255),
    ID(struct inputs_term_row, time_zone),
    JSON_INT(struct inputs_term_row, to, -TIME_LIMIT, TIME_LIMIT),
};
const struct json_object inputs_term_spec = JSON_OBJECT(struct inputs_term_row, term_fields);

static const struct json_field entry_fields[] = {
    ID(struct inputs_entry_row, channel),
    JSON_CURRENCY(struct inputs_entry_row, currency),
    ID(struct inputs_entry_row, entry_id),
    FACT(struct inputs_entry_row, fee),
    JSON_INT(struct inputs_entry_row, joined_at, -TIME_LIMIT, TIME_LIMIT),
    ID(struct inputs_entry_row, kind),
    JSON_INT(struct inputs_entry_row, last_day, -DAY_LIMIT, DAY_LIMIT),
    ID(struct inputs_entry_row, offer),
    JSON_FIELD_AS("operator", struct inputs_entry_row, operator_id, JSON_KIND_ID, 1, 255),
    JSON_ARRAY_OF(struct inputs_entry_row, posted, &group_spec, 0, GROUPS_MAX),
    JSON_ARRAY_OF(struct inputs_entry_row, rates, &rate_spec, 0, VERSIONS_MAX),
    COUNT(struct inputs_entry_row, sale),
};
const struct json_object inputs_entry_spec = JSON_OBJECT(struct inputs_entry_row, entry_fields);

static const struct json_field given_fields[] = {
    ID(struct inputs_given_row, kind),
    JSON_RAW(struct inputs_given_row, text),
};
const struct json_object inputs_given_spec = JSON_OBJECT(struct inputs_given_row, given_fields);

static const struct json_field given_line_fields[] = {
    ANY(struct inputs_given_line, earned),
    ID(struct inputs_given_line, kind),
    ANY(struct inputs_given_line, position),
};
const struct json_object inputs_given_line_spec =
    JSON_OBJECT_OPEN(struct inputs_given_line, given_line_fields, rest);

static const struct json_field amount_fields[] = {
    JSON_ID_OPT(struct inputs_amount_row, adjustment, 1, 255),
    ANY(struct inputs_amount_row, amount),
    ID(struct inputs_amount_row, kind),
    JSON_ID_OPT(struct inputs_amount_row, payment, 1, 255),
};
const struct json_object inputs_amount_spec = JSON_OBJECT(struct inputs_amount_row, amount_fields);

static const struct json_field hold_fields[] = {
    ID(struct inputs_hold_row, kind),
    ANY(struct inputs_hold_row, pending),
    ANY(struct inputs_hold_row, reserve),
};
const struct json_object inputs_hold_spec = JSON_OBJECT(struct inputs_hold_row, hold_fields);

static const struct json_field end_fields[] = {
    ANY(struct inputs_end_row, closing), ANY(struct inputs_end_row, due),
    ANY(struct inputs_end_row, earned),  ID(struct inputs_end_row, kind),
    COUNT(struct inputs_end_row, lines), HASH(struct inputs_end_row, lines_hash),
    ANY(struct inputs_end_row, payable), ANY(struct inputs_end_row, withheld),
};
const struct json_object inputs_end_spec = JSON_OBJECT(struct inputs_end_row, end_fields);
