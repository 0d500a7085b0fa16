/*
 * The fields of facts: what each is, which type has which, and what must go together. One table
 * serves all types, so that a field means the same wherever it stands.
 */
#include <stdio.h>
#include <string.h>

#include "base/zone.h"
#include "ingest/facts_raw.h"
#include "store/consents.h"
#include "store/operator_facts.h"
#include "store/touches.h"

/* ---- the tables ---- */

enum {
    EVENT_ID_MAX = 128,
    COURSE_ID_MAX = 255,
    TEXT_MAX = 65536,
    SECONDS_MAX = 86400 * 31,
    COUNT_MAX = 1000000000,
    TERM_DAYS_MAX = 3653, /* of a membership: ten years */
};

const char *const fact_funder_names[] = {"provider", "channel", "platform", NULL};

static const struct json_field discount_fields[] = {
    JSON_AMOUNT(struct raw_discount, amount),
    JSON_ENUM(struct raw_discount, funder, fact_funder_names),
};
static const struct json_object discount_spec = JSON_OBJECT(struct raw_discount, discount_fields);

static const struct json_field line_fields[] = {
    JSON_ID(struct raw_line, line_id, 1, EVENT_ID_MAX),
    JSON_SLUG_OPT(struct raw_line, provider),
    JSON_ID_OPT(struct raw_line, course_id, 1, COURSE_ID_MAX),
    JSON_INT_OPT(struct raw_line, quantity, has_quantity, 1, COUNT_MAX),
    JSON_AMOUNT_OPT(struct raw_line, paid, has_paid),
    JSON_AMOUNT_OPT(struct raw_line, tax, has_tax),
    JSON_FIELD_HAS(struct raw_line, amount, has_amount, JSON_KIND_AMOUNT, 1, ACCORD_AMOUNT_MAX),
    JSON_ARRAY_OF_OPT(struct raw_line, discounts, &discount_spec, 0, 20),
};
static const struct json_object line_spec = JSON_OBJECT(struct raw_line, line_fields);

/* The head stands in columns of its own once a fact is stored; the hash of its text is only there
 * then. So what is posted is this table without its end, and a stored body is it without its
 * beginning. */
enum { HEAD_FIELDS = 6, STORED_FIELDS = 1 };
static const struct json_field statement_element = JSON_ELEMENT(JSON_KIND_ID, 1, EVENT_ID_MAX);
static const struct json_field fact_fields[] = {
    JSON_ID(struct raw_fact, event_id, 1, EVENT_ID_MAX),
    JSON_ID(struct raw_fact, type, 1, 64),
    JSON_TIME(struct raw_fact, occurred_at),
    JSON_ID_OPT(struct raw_fact, learner, 1, 255),
    JSON_SLUG_OPT(struct raw_fact, provider),
    JSON_ID_OPT(struct raw_fact, course_id, 1, COURSE_ID_MAX),

    JSON_ID_OPT(struct raw_fact, supersedes, 1, EVENT_ID_MAX),
    JSON_INT_OPT(struct raw_fact, value, has_value, 1, 5),
    JSON_STRING_OPT(struct raw_fact, text, 1, TEXT_MAX),
    JSON_ID_OPT(struct raw_fact, language, 2, 35),
    JSON_MAP_OPT(struct raw_fact, answers, NULL, 1, 50),
    JSON_ID_OPT(struct raw_fact, question, 1, EVENT_ID_MAX),
    JSON_ID_OPT(struct raw_fact, day, 10, 10),
    JSON_ID_OPT(struct raw_fact, target, 1, 255),
    JSON_INT_OPT(struct raw_fact, progress_ppm, has_progress, 0, ACCORD_PPM_WHOLE),
    JSON_INT_OPT(struct raw_fact, count, has_count, 1, COUNT_MAX),
    JSON_ID_OPT(struct raw_fact, offer, 1, 128),
    JSON_ID_OPT(struct raw_fact, link, 1, 255),
    JSON_INT_OPT(struct raw_fact, seconds, has_seconds, 0, SECONDS_MAX),
    JSON_TIME_OPT(struct raw_fact, from, has_from),
    JSON_TIME_OPT(struct raw_fact, to, has_to),
    JSON_ID_OPT(struct raw_fact, order_id, 1, EVENT_ID_MAX),
    JSON_CURRENCY_OPT(struct raw_fact, currency),
    JSON_ARRAY_OF_OPT(struct raw_fact, lines, &line_spec, 1, ACCORD_LINES_MAX),
    JSON_AMOUNT_OPT(struct raw_fact, tax, has_tax),
    JSON_AMOUNT_OPT(struct raw_fact, store_fee, has_store_fee),
    JSON_AMOUNT_OPT(struct raw_fact, payment_fee, has_payment_fee),
    JSON_ARRAY_OF_OPT(struct raw_fact, discounts, &discount_spec, 0, 20),
    JSON_ID_OPT(struct raw_fact, touch, 1, EVENT_ID_MAX),
    JSON_ENUM_OPT(struct raw_fact, touch_kind, has_touch_kind, touch_kind_names),
    JSON_ID_OPT(struct raw_fact, refund_id, 1, EVENT_ID_MAX),
    JSON_FIELD_HAS(struct raw_fact, amount, has_amount, JSON_KIND_AMOUNT, 1, ACCORD_AMOUNT_MAX),
    JSON_AMOUNT_OPT(struct raw_fact, tax_returned, has_tax_returned),
    JSON_AMOUNT_OPT(struct raw_fact, fee_returned, has_fee_returned),
    JSON_STRING_OPT(struct raw_fact, reason, 0, 1000),

    JSON_ID_OPT(struct raw_fact, membership_id, 1, EVENT_ID_MAX),
    JSON_ID_OPT(struct raw_fact, term_id, 1, EVENT_ID_MAX),
    JSON_AMOUNT_OPT(struct raw_fact, paid, has_paid),
    JSON_ID_OPT(struct raw_fact, entry_id, 1, EVENT_ID_MAX),
    JSON_ID_OPT(struct raw_fact, entry, 1, EVENT_ID_MAX),
    JSON_ID_OPT(struct raw_fact, time_zone, 1, 64),
    JSON_BOOLEAN_OPT(struct raw_fact, makeup, has_makeup),
    JSON_ENUM_OPT(struct raw_fact, kind, has_kind, touch_kind_names),
    JSON_ENUM_OPT(struct raw_fact, purpose, has_purpose, consent_purpose_names),
    JSON_BOOLEAN_OPT(struct raw_fact, granted, has_granted),
    JSON_STRING_OPT(struct raw_fact, proof, 1, 1000),
    JSON_ID_OPT(struct raw_fact, adjustment_id, 1, EVENT_ID_MAX),
    JSON_SLUG_OPT(struct raw_fact, agreement),
    JSON_SLUG_OPT(struct raw_fact, payee),
    JSON_SLUG_OPT(struct raw_fact, funded_by),
    JSON_ID_OPT(struct raw_fact, of_period, 7, 7),
    JSON_ID_OPT(struct raw_fact, statement, 1, EVENT_ID_MAX),
    JSON_ID_OPT(struct raw_fact, line, 1, EVENT_ID_MAX),
    JSON_ID_OPT(struct raw_fact, payment_id, 1, EVENT_ID_MAX),
    JSON_SLUG_OPT(struct raw_fact, payer),
    JSON_ENUM_OPT(struct raw_fact, state, has_state, payment_state_names),
    JSON_ARRAY_SCALAR_OPT(struct raw_fact, statements, &statement_element, 0, 1000),
    JSON_ID_OPT(struct raw_fact, reference, 1, 255),

    JSON_ID_OPT(struct raw_fact, text_hash, 64, 64),
};
enum { FIELDS = sizeof fact_fields / sizeof fact_fields[0] };

const struct json_object fact_posted_spec = {.fields = fact_fields,
                                             .count = FIELDS - STORED_FIELDS,
                                             .size = sizeof(struct raw_fact),
                                             .rest = SIZE_MAX};
const struct json_object fact_stored_spec = {.fields = fact_fields + HEAD_FIELDS,
                                             .count = FIELDS - HEAD_FIELDS,
                                             .size = sizeof(struct raw_fact),
                                             .rest = SIZE_MAX};
_Static_assert((int)FIELDS <= (int)JSON_FIELDS_MAX, "one table of fields holds them all");

/* ---- which type has which fields ---- */

enum has {
    HAS_COURSE, /* provider and course_id together */
    HAS_LEARNER,
    HAS_SUPERSEDES,
    HAS_VALUE,
    HAS_TEXT,
    HAS_LANGUAGE,
    HAS_ANSWERS,
    HAS_QUESTION,
    HAS_DAY,
    HAS_TARGET,
    HAS_PROGRESS,
    HAS_COUNT,
    HAS_OFFER,
    HAS_LINK,
    HAS_SECONDS,
    HAS_FROM,
    HAS_TO,
    HAS_ORDER_ID,
    HAS_CURRENCY,
    HAS_LINES,
    HAS_TAX,
    HAS_STORE_FEE,
    HAS_PAYMENT_FEE,
    HAS_DISCOUNTS,
    HAS_TOUCH,
    HAS_TOUCH_KIND,
    HAS_REFUND_ID,
    HAS_AMOUNT,
    HAS_TAX_RETURNED,
    HAS_FEE_RETURNED,
    HAS_REASON,
    HAS_MEMBERSHIP_ID,
    HAS_TERM_ID,
    HAS_PAID,
    HAS_ENTRY_ID,
    HAS_ENTRY,
    HAS_TIME_ZONE,
    HAS_MAKEUP,
    HAS_KIND,
    HAS_PURPOSE,
    HAS_GRANTED,
    HAS_PROOF,
    HAS_ADJUSTMENT_ID,
    HAS_AGREEMENT,
    HAS_PAYEE,
    HAS_FUNDED_BY,
    HAS_OF_PERIOD,
    HAS_STATEMENT,
    HAS_LINE,
    HAS_PAYMENT_ID,
    HAS_PAYER,
    HAS_STATE,
    HAS_STATEMENTS,
    HAS_REFERENCE,
    HAS_ALL,
};

#define BIT(field) (UINT64_C(1) << HAS_##field)

/* Fees that a sale may name. */
#define FEES (BIT(TAX) | BIT(STORE_FEE) | BIT(PAYMENT_FEE))
#define RETURNED (BIT(AMOUNT) | BIT(TAX_RETURNED) | BIT(FEE_RETURNED))
#define TERM (BIT(MEMBERSHIP_ID) | BIT(LEARNER) | BIT(CURRENCY) | BIT(PAID) | BIT(FROM) | BIT(TO))

static const struct {
    uint64_t required;
    uint64_t optional;
} rules[FACT_TYPES] = {
    [FACT_RATING] = {BIT(COURSE) | BIT(VALUE), 0},
    [FACT_REVIEW] = {BIT(COURSE) | BIT(TEXT), BIT(VALUE) | BIT(LANGUAGE)},
    [FACT_SURVEY] = {BIT(COURSE) | BIT(ANSWERS), 0},
    [FACT_QUESTION] = {BIT(COURSE) | BIT(TEXT), 0},
    [FACT_ANSWER] = {BIT(COURSE) | BIT(TEXT), BIT(QUESTION)},
    [FACT_COMMENT] = {BIT(COURSE) | BIT(TEXT), 0},
    [FACT_CHECKIN] = {BIT(COURSE), BIT(DAY) | BIT(ENTRY) | BIT(MAKEUP)},
    [FACT_SHARE] = {BIT(COURSE), BIT(TARGET)},
    [FACT_PROGRESS] = {BIT(COURSE) | BIT(PROGRESS), 0},
    [FACT_COMPLETION] = {BIT(COURSE), 0},
    [FACT_IMPRESSION] = {BIT(COURSE), BIT(COUNT) | BIT(OFFER)},
    [FACT_CLICK] = {BIT(COURSE), BIT(COUNT) | BIT(OFFER) | BIT(LINK)},
    [FACT_TOUCH] = {BIT(COURSE) | BIT(LEARNER) | BIT(LINK), BIT(COUNT) | BIT(OFFER) | BIT(KIND)},
    [FACT_ENROLMENT] = {BIT(COURSE), BIT(COUNT) | BIT(OFFER)},
    [FACT_USAGE] = {BIT(COURSE) | BIT(SECONDS), BIT(FROM) | BIT(TO)},
    [FACT_ORDER_PAID] = {BIT(ORDER_ID) | BIT(CURRENCY), BIT(LINES) | BIT(OFFER) | BIT(PAID) | FEES |
                                                            BIT(DISCOUNTS) | BIT(TOUCH) |
                                                            BIT(TOUCH_KIND)},
    [FACT_ORDER_REFUNDED] = {BIT(ORDER_ID) | BIT(REFUND_ID), BIT(LINES) | RETURNED | BIT(REASON)},
    [FACT_ORDER_CHARGED_BACK] = {BIT(ORDER_ID) | BIT(REFUND_ID),
                                 BIT(LINES) | RETURNED | BIT(REASON)},
    [FACT_ORDER_CHARGEBACK_REVERSED] = {BIT(ORDER_ID) | BIT(REFUND_ID), 0},
    [FACT_MEMBERSHIP_STARTED] = {TERM | BIT(OFFER), FEES},
    [FACT_MEMBERSHIP_RENEWED] = {TERM | BIT(TERM_ID), FEES | BIT(OFFER)},
    [FACT_MEMBERSHIP_CANCELLED] = {BIT(MEMBERSHIP_ID), BIT(TERM_ID) | RETURNED},
    [FACT_CHALLENGE_JOINED] = {BIT(ENTRY_ID) | BIT(OFFER) | BIT(LEARNER) | BIT(CURRENCY) |
                                   BIT(PAID) | BIT(TIME_ZONE),
                               BIT(PAYMENT_FEE)},
    [FACT_CHALLENGE_WITHDRAWN] = {BIT(ENTRY_ID), BIT(AMOUNT)},
    [FACT_CONSENT] = {BIT(LEARNER) | BIT(PURPOSE) | BIT(GRANTED), BIT(PROOF)},
    [FACT_ADJUSTMENT] = {BIT(ADJUSTMENT_ID) | BIT(AGREEMENT) | BIT(PAYEE) | BIT(FUNDED_BY) |
                             BIT(CURRENCY) | BIT(AMOUNT) | BIT(REASON),
                         BIT(OF_PERIOD) | BIT(STATEMENT) | BIT(LINE)},
    [FACT_PAYMENT] = {BIT(PAYMENT_ID) | BIT(PAYER) | BIT(PAYEE) | BIT(CURRENCY) | BIT(AMOUNT) |
                          BIT(STATE) | BIT(STATEMENTS),
                      BIT(REFERENCE)},
    [FACT_VOID] = {BIT(SUPERSEDES), 0},
};

struct presence {
    const char *name;
    bool is;
};

static void presence_of(const struct raw_fact *raw, struct presence ret[HAS_ALL])
{
    const struct presence all[HAS_ALL] = {
        [HAS_COURSE] = {"provider", raw->provider.data != NULL || raw->course_id.data != NULL},
        [HAS_LEARNER] = {"learner", raw->learner.data != NULL},
        [HAS_SUPERSEDES] = {"supersedes", raw->supersedes.data != NULL},
        [HAS_VALUE] = {"value", raw->has_value},
        [HAS_TEXT] = {"text", raw->text.data != NULL},
        [HAS_LANGUAGE] = {"language", raw->language.data != NULL},
        [HAS_ANSWERS] = {"answers", raw->answers.items != NULL},
        [HAS_QUESTION] = {"question", raw->question.data != NULL},
        [HAS_DAY] = {"day", raw->day.data != NULL},
        [HAS_TARGET] = {"target", raw->target.data != NULL},
        [HAS_PROGRESS] = {"progress_ppm", raw->has_progress},
        [HAS_COUNT] = {"count", raw->has_count},
        [HAS_OFFER] = {"offer", raw->offer.data != NULL},
        [HAS_LINK] = {"link", raw->link.data != NULL},
        [HAS_SECONDS] = {"seconds", raw->has_seconds},
        [HAS_FROM] = {"from", raw->has_from},
        [HAS_TO] = {"to", raw->has_to},
        [HAS_ORDER_ID] = {"order_id", raw->order_id.data != NULL},
        [HAS_CURRENCY] = {"currency", raw->currency.code[0] != '\0'},
        [HAS_LINES] = {"lines", raw->lines.items != NULL},
        [HAS_TAX] = {"tax", raw->has_tax},
        [HAS_STORE_FEE] = {"store_fee", raw->has_store_fee},
        [HAS_PAYMENT_FEE] = {"payment_fee", raw->has_payment_fee},
        [HAS_DISCOUNTS] = {"discounts", raw->discounts.items != NULL},
        [HAS_TOUCH] = {"touch", raw->touch.data != NULL},
        [HAS_TOUCH_KIND] = {"touch_kind", raw->has_touch_kind},
        [HAS_REFUND_ID] = {"refund_id", raw->refund_id.data != NULL},
        [HAS_AMOUNT] = {"amount", raw->has_amount},
        [HAS_TAX_RETURNED] = {"tax_returned", raw->has_tax_returned},
        [HAS_FEE_RETURNED] = {"fee_returned", raw->has_fee_returned},
        [HAS_REASON] = {"reason", raw->reason.data != NULL},
        [HAS_MEMBERSHIP_ID] = {"membership_id", raw->membership_id.data != NULL},
        [HAS_TERM_ID] = {"term_id", raw->term_id.data != NULL},
        [HAS_PAID] = {"paid", raw->has_paid},
        [HAS_ENTRY_ID] = {"entry_id", raw->entry_id.data != NULL},
        [HAS_ENTRY] = {"entry", raw->entry.data != NULL},
        [HAS_TIME_ZONE] = {"time_zone", raw->time_zone.data != NULL},
        [HAS_MAKEUP] = {"makeup", raw->has_makeup},
        [HAS_KIND] = {"kind", raw->has_kind},
        [HAS_PURPOSE] = {"purpose", raw->has_purpose},
        [HAS_GRANTED] = {"granted", raw->has_granted},
        [HAS_PROOF] = {"proof", raw->proof.data != NULL},
        [HAS_ADJUSTMENT_ID] = {"adjustment_id", raw->adjustment_id.data != NULL},
        [HAS_AGREEMENT] = {"agreement", raw->agreement.data != NULL},
        [HAS_PAYEE] = {"payee", raw->payee.data != NULL},
        [HAS_FUNDED_BY] = {"funded_by", raw->funded_by.data != NULL},
        [HAS_OF_PERIOD] = {"of_period", raw->of_period.data != NULL},
        [HAS_STATEMENT] = {"statement", raw->statement.data != NULL},
        [HAS_LINE] = {"line", raw->line.data != NULL},
        [HAS_PAYMENT_ID] = {"payment_id", raw->payment_id.data != NULL},
        [HAS_PAYER] = {"payer", raw->payer.data != NULL},
        [HAS_STATE] = {"state", raw->has_state},
        [HAS_STATEMENTS] = {"statements", raw->statements.items != NULL},
        [HAS_REFERENCE] = {"reference", raw->reference.data != NULL},
    };
    memcpy(ret, all, sizeof all);
}

/* ---- checks of one type's fields ---- */

static void problem(struct json_problems *problems, enum accord_error code, const char *field)
{
    char pointer[JSON_POINTER_MAX];
    snprintf(pointer, sizeof pointer, "/%s", field);
    json_problem_add(problems, code, pointer, "%s", accord_error_title(code));
}

/* Digits of a text as a number; the caller knows that they are digits. */
static int digits(struct slice text, size_t from, size_t count)
{
    int number = 0;
    for (size_t i = from; i < from + count; i++)
        number = 10 * number + (text.data[i] - '0');
    return number;
}

/* A text like "2025-01-10": a digit where the pattern has a 0, else just its character. */
static bool is_like(struct slice text, const char *pattern)
{
    if (text.len != strlen(pattern))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (pattern[i] == '0' ? text.data[i] < '0' || text.data[i] > '9'
                              : text.data[i] != pattern[i])
            return false;
    return true;
}

int32_t fact_day(struct slice day)
{
    return clock_days_from_civil(digits(day, 0, 4), (unsigned)digits(day, 5, 2),
                                 (unsigned)digits(day, 8, 2));
}

static bool is_day(struct slice text)
{
    if (!is_like(text, "0000-00-00"))
        return false;
    const int year = digits(text, 0, 4);
    const int month = digits(text, 5, 2);
    const int day = digits(text, 8, 2);
    if (year < 1970 || year > 2199 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    int year_back;
    unsigned month_back;
    unsigned day_back;
    clock_civil_from_days(fact_day(text), &year_back, &month_back, &day_back);
    return (int)month_back == month && (int)day_back == day;
}

static bool is_period(struct slice text)
{
    if (is_like(text, "0000-00"))
        return digits(text, 5, 2) >= 1 && digits(text, 5, 2) <= 12;
    return is_like(text, "0000-Q0") && digits(text, 6, 1) >= 1 && digits(text, 6, 1) <= 4;
}

static bool is_slug(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && (i == 0 || (c != '-' && c != '_')))
            return false;
    }
    return true;
}

static void check_term(const struct raw_fact *raw, struct json_problems *problems)
{
    if (raw->has_from && raw->has_to &&
        (raw->from >= raw->to || raw->to - raw->from > TERM_DAYS_MAX * 86400 * CLOCK_SECOND_US))
        json_problem_add(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "/to", "%s",
                         "A term ends after it begins, at most ten years later");
}

/* Of what is sold under an offer. */
static void check_offer(const struct raw_fact *raw, struct json_problems *problems)
{
    if (raw->offer.data != NULL && !is_slug(raw->offer))
        json_problem_add(problems, ACCORD_E_SLUG_INVALID, "/offer", "%s",
                         "Not [a-z0-9][a-z0-9_-]*, at most 128 characters");
}

static void check_zone(const struct raw_fact *raw, bool stored, struct json_problems *problems)
{
    const struct zone *zone;
    /* What was once a zone stays one: what is stored does not hang on the zone data of today. */
    if (!stored && raw->time_zone.data != NULL && zone_find(raw->time_zone, &zone) != ACCORD_OK)
        problem(problems, ACCORD_E_TIME_ZONE_UNKNOWN, "time_zone");
}

static void check_checkin(const struct raw_fact *raw, bool stored, struct json_problems *problems)
{
    if (raw->has_makeup && raw->entry.data == NULL)
        problem(problems, ACCORD_E_FIELD_MISSING, "entry");
    if (raw->entry.data != NULL && raw->learner.data == NULL && !stored)
        problem(problems, ACCORD_E_FIELD_MISSING, "learner");
}

/* Lines, or what was paid for an offer as a whole. */
static void check_sale(const struct raw_fact *raw, struct json_problems *problems)
{
    if (raw->has_paid && raw->lines.items != NULL)
        problem(problems, ACCORD_E_FIELD_UNKNOWN, "paid");
    else if (!raw->has_paid && raw->lines.items == NULL)
        problem(problems, ACCORD_E_FIELD_MISSING, "lines");
    else if (raw->has_paid && raw->offer.data == NULL)
        problem(problems, ACCORD_E_FIELD_MISSING, "offer");
    else if (raw->has_paid)
        check_offer(raw, problems);
    if (raw->has_touch_kind && raw->touch.data == NULL)
        problem(problems, ACCORD_E_FIELD_MISSING, "touch");
}

static void check_refund(const struct raw_fact *raw, struct json_problems *problems)
{
    if (raw->lines.items == NULL && !raw->has_amount)
        problem(problems, ACCORD_E_FIELD_MISSING, "amount");
    if (raw->lines.items != NULL && raw->has_amount)
        problem(problems, ACCORD_E_FIELD_UNKNOWN, "amount");
}

static void check_adjustment(const struct raw_fact *raw, struct json_problems *problems)
{
    if (raw->reason.data != NULL && raw->reason.len == 0)
        problem(problems, ACCORD_E_TEXT_LENGTH, "reason");
    if (raw->of_period.data != NULL && !is_period(raw->of_period))
        problem(problems, ACCORD_E_TIME_INVALID, "of_period");
    if (raw->payee.data != NULL && slice_equal(raw->payee, raw->funded_by))
        problem(problems, ACCORD_E_PARTY_REPEATED, "funded_by");
}

static void check_payment(const struct raw_fact *raw, struct json_problems *problems)
{
    const struct slice *statements = raw->statements.items;
    if (raw->payer.data != NULL && slice_equal(raw->payer, raw->payee))
        problem(problems, ACCORD_E_PARTY_REPEATED, "payee");
    for (size_t i = 1; i < raw->statements.count; i++)
        if (slice_equal(statements[i - 1], statements[i])) {
            json_problem_add(problems, ACCORD_E_FIELD_DUPLICATE, "/statements", "%s",
                             "A statement stands twice");
            return;
        }
}

static void check_together(const struct raw_fact *raw, enum fact_type type, bool stored,
                           struct json_problems *problems)
{
    switch (type) {
    case FACT_CHECKIN:
        check_checkin(raw, stored, problems);
        break;
    case FACT_ORDER_PAID:
        check_sale(raw, problems);
        break;
    case FACT_ORDER_REFUNDED:
    case FACT_ORDER_CHARGED_BACK:
        check_refund(raw, problems);
        break;
    case FACT_MEMBERSHIP_STARTED:
    case FACT_MEMBERSHIP_RENEWED:
        check_term(raw, problems);
        check_offer(raw, problems);
        break;
    case FACT_CHALLENGE_JOINED:
        check_offer(raw, problems);
        check_zone(raw, stored, problems);
        break;
    case FACT_ADJUSTMENT:
        check_adjustment(raw, problems);
        break;
    case FACT_PAYMENT:
        check_payment(raw, problems);
        break;
    case FACT_RATING:
    case FACT_REVIEW:
    case FACT_SURVEY:
    case FACT_QUESTION:
    case FACT_ANSWER:
    case FACT_COMMENT:
    case FACT_SHARE:
    case FACT_PROGRESS:
    case FACT_COMPLETION:
    case FACT_IMPRESSION:
    case FACT_CLICK:
    case FACT_TOUCH:
    case FACT_ENROLMENT:
    case FACT_USAGE:
    case FACT_ORDER_CHARGEBACK_REVERSED:
    case FACT_MEMBERSHIP_CANCELLED:
    case FACT_CHALLENGE_WITHDRAWN:
    case FACT_CONSENT:
    case FACT_VOID:
    case FACT_TYPES:
        break;
    }
}

void fact_check_fields(const struct raw_fact *raw, enum fact_type type, bool stored,
                       struct json_problems *problems)
{
    /* The head stands elsewhere once it is stored, a text as its hash. */
    const uint64_t elsewhere = stored ? BIT(COURSE) | BIT(LEARNER) | BIT(TEXT) | BIT(ANSWERS) : 0;
    const uint64_t required = rules[type].required & ~elsewhere;
    uint64_t allowed = rules[type].required | rules[type].optional | BIT(SUPERSEDES);
    if (fact_class_of(type) != FACT_CLASS_OPERATOR)
        allowed |= BIT(LEARNER);
    struct presence has[HAS_ALL];
    presence_of(raw, has);
    for (size_t i = 0; i < HAS_ALL; i++) {
        const uint64_t bit = UINT64_C(1) << i;
        if (has[i].is && (allowed & bit) == 0)
            problem(problems, ACCORD_E_FIELD_UNKNOWN, has[i].name);
        if (!has[i].is && (required & bit) != 0)
            problem(problems, ACCORD_E_FIELD_MISSING, has[i].name);
    }
    if (has[HAS_COURSE].is && (allowed & BIT(COURSE)) != 0 && !stored) {
        if (raw->provider.data == NULL)
            problem(problems, ACCORD_E_FIELD_MISSING, "provider");
        if (raw->course_id.data == NULL)
            problem(problems, ACCORD_E_FIELD_MISSING, "course_id");
    }
    if (has[HAS_DAY].is && !is_day(raw->day))
        problem(problems, ACCORD_E_TIME_INVALID, "day");
    if (raw->has_from && raw->has_to && raw->from > raw->to)
        problem(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "to");
    check_together(raw, type, stored, problems);
}
