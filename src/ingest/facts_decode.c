#include <stdio.h>
#include <string.h>

#include "ingest/facts_raw.h"
#include "json/split.h"

/* ---- the tables ---- */

enum {
    EVENT_ID_MAX = 128,
    COURSE_ID_MAX = 255,
    TEXT_MAX = 65536,
    ITEM_BYTES_MAX = 4 << 20,
    SECONDS_MAX = 86400 * 31,
    COUNT_MAX = 1000000000,
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
    JSON_ID_OPT(struct raw_fact, refund_id, 1, EVENT_ID_MAX),
    JSON_FIELD_HAS(struct raw_fact, amount, has_amount, JSON_KIND_AMOUNT, 1, ACCORD_AMOUNT_MAX),
    JSON_AMOUNT_OPT(struct raw_fact, tax_returned, has_tax_returned),
    JSON_AMOUNT_OPT(struct raw_fact, fee_returned, has_fee_returned),
    JSON_STRING_OPT(struct raw_fact, reason, 0, 1000),

    JSON_ID_OPT(struct raw_fact, text_hash, 64, 64),
};
enum { FIELDS = sizeof fact_fields / sizeof fact_fields[0] };

static const struct json_object posted_spec = {.fields = fact_fields,
                                               .count = FIELDS - STORED_FIELDS,
                                               .size = sizeof(struct raw_fact),
                                               .rest = SIZE_MAX};
static const struct json_object stored_spec = {.fields = fact_fields + HEAD_FIELDS,
                                               .count = FIELDS - HEAD_FIELDS,
                                               .size = sizeof(struct raw_fact),
                                               .rest = SIZE_MAX};

/* ---- which type has which fields ---- */

enum {
    HAS_COURSE = 1 << 0, /* provider and course_id together */
    HAS_SUPERSEDES = 1 << 1,
    HAS_VALUE = 1 << 2,
    HAS_TEXT = 1 << 3,
    HAS_LANGUAGE = 1 << 4,
    HAS_ANSWERS = 1 << 5,
    HAS_QUESTION = 1 << 6,
    HAS_DAY = 1 << 7,
    HAS_TARGET = 1 << 8,
    HAS_PROGRESS = 1 << 9,
    HAS_COUNT = 1 << 10,
    HAS_OFFER = 1 << 11,
    HAS_LINK = 1 << 12,
    HAS_SECONDS = 1 << 13,
    HAS_FROM = 1 << 14,
    HAS_TO = 1 << 15,
    HAS_ORDER_ID = 1 << 16,
    HAS_CURRENCY = 1 << 17,
    HAS_LINES = 1 << 18,
    HAS_TAX = 1 << 19,
    HAS_STORE_FEE = 1 << 20,
    HAS_PAYMENT_FEE = 1 << 21,
    HAS_DISCOUNTS = 1 << 22,
    HAS_TOUCH = 1 << 23,
    HAS_REFUND_ID = 1 << 24,
    HAS_AMOUNT = 1 << 25,
    HAS_TAX_RETURNED = 1 << 26,
    HAS_FEE_RETURNED = 1 << 27,
    HAS_REASON = 1 << 28,
    HAS_LEARNER = 1 << 29,
};

static const char *const has_names[] = {
    "provider",  "supersedes", "value",        "text",         "language",  "answers",
    "question",  "day",        "target",       "progress_ppm", "count",     "offer",
    "link",      "seconds",    "from",         "to",           "order_id",  "currency",
    "lines",     "tax",        "store_fee",    "payment_fee",  "discounts", "touch",
    "refund_id", "amount",     "tax_returned", "fee_returned", "reason",    "learner",
};
enum { HAS_COUNT_OF_NAMES = sizeof has_names / sizeof *has_names };

enum {
    EVERYWHERE = HAS_SUPERSEDES | HAS_LEARNER,
    REFUND = HAS_LINES | HAS_AMOUNT | HAS_TAX_RETURNED | HAS_FEE_RETURNED | HAS_REASON,
};

static const struct {
    unsigned required;
    unsigned optional;
} rules[FACT_TYPES] = {
    [FACT_RATING] = {HAS_COURSE | HAS_VALUE, 0},
    [FACT_REVIEW] = {HAS_COURSE | HAS_TEXT, HAS_VALUE | HAS_LANGUAGE},
    [FACT_SURVEY] = {HAS_COURSE | HAS_ANSWERS, 0},
    [FACT_QUESTION] = {HAS_COURSE | HAS_TEXT, 0},
    [FACT_ANSWER] = {HAS_COURSE | HAS_TEXT, HAS_QUESTION},
    [FACT_COMMENT] = {HAS_COURSE | HAS_TEXT, 0},
    [FACT_CHECKIN] = {HAS_COURSE, HAS_DAY},
    [FACT_SHARE] = {HAS_COURSE, HAS_TARGET},
    [FACT_PROGRESS] = {HAS_COURSE | HAS_PROGRESS, 0},
    [FACT_COMPLETION] = {HAS_COURSE, 0},
    [FACT_IMPRESSION] = {HAS_COURSE, HAS_COUNT | HAS_OFFER},
    [FACT_CLICK] = {HAS_COURSE, HAS_COUNT | HAS_OFFER | HAS_LINK},
    [FACT_TOUCH] = {HAS_COURSE, HAS_COUNT | HAS_OFFER | HAS_LINK},
    [FACT_ENROLMENT] = {HAS_COURSE, HAS_COUNT | HAS_OFFER},
    [FACT_USAGE] = {HAS_COURSE | HAS_SECONDS, HAS_FROM | HAS_TO},
    [FACT_ORDER_PAID] = {HAS_ORDER_ID | HAS_CURRENCY | HAS_LINES,
                         HAS_OFFER | HAS_TAX | HAS_STORE_FEE | HAS_PAYMENT_FEE | HAS_DISCOUNTS |
                             HAS_TOUCH},
    [FACT_ORDER_REFUNDED] = {HAS_ORDER_ID | HAS_REFUND_ID, REFUND},
    [FACT_ORDER_CHARGED_BACK] = {HAS_ORDER_ID | HAS_REFUND_ID, REFUND},
    [FACT_ORDER_CHARGEBACK_REVERSED] = {HAS_ORDER_ID | HAS_REFUND_ID, 0},
    [FACT_VOID] = {HAS_SUPERSEDES, 0},
};

static unsigned present(const struct raw_fact *raw)
{
    const struct {
        bool is;
        unsigned bit;
    } all[] = {
        {raw->provider.data != NULL || raw->course_id.data != NULL, HAS_COURSE},
        {raw->supersedes.data != NULL, HAS_SUPERSEDES},
        {raw->has_value, HAS_VALUE},
        {raw->text.data != NULL, HAS_TEXT},
        {raw->language.data != NULL, HAS_LANGUAGE},
        {raw->answers.items != NULL, HAS_ANSWERS},
        {raw->question.data != NULL, HAS_QUESTION},
        {raw->day.data != NULL, HAS_DAY},
        {raw->target.data != NULL, HAS_TARGET},
        {raw->has_progress, HAS_PROGRESS},
        {raw->has_count, HAS_COUNT},
        {raw->offer.data != NULL, HAS_OFFER},
        {raw->link.data != NULL, HAS_LINK},
        {raw->has_seconds, HAS_SECONDS},
        {raw->has_from, HAS_FROM},
        {raw->has_to, HAS_TO},
        {raw->order_id.data != NULL, HAS_ORDER_ID},
        {raw->currency.code[0] != '\0', HAS_CURRENCY},
        {raw->lines.items != NULL, HAS_LINES},
        {raw->has_tax, HAS_TAX},
        {raw->has_store_fee, HAS_STORE_FEE},
        {raw->has_payment_fee, HAS_PAYMENT_FEE},
        {raw->discounts.items != NULL, HAS_DISCOUNTS},
        {raw->touch.data != NULL, HAS_TOUCH},
        {raw->refund_id.data != NULL, HAS_REFUND_ID},
        {raw->has_amount, HAS_AMOUNT},
        {raw->has_tax_returned, HAS_TAX_RETURNED},
        {raw->has_fee_returned, HAS_FEE_RETURNED},
        {raw->reason.data != NULL, HAS_REASON},
        {raw->learner.data != NULL, HAS_LEARNER},
    };
    unsigned bits = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        bits |= all[i].is ? all[i].bit : 0;
    return bits;
}

static void problem(struct json_problems *problems, enum accord_error code, const char *field)
{
    char pointer[JSON_POINTER_MAX];
    snprintf(pointer, sizeof pointer, "/%s", field);
    json_problem_add(problems, code, pointer, "%s", accord_error_title(code));
}

/* ---- checks of one type's fields ---- */

static bool is_day(struct slice text)
{
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        if (i == 4 || i == 7 ? c != '-' : c < '0' || c > '9')
            return false;
        if (i < 4)
            year = 10 * year + (c - '0');
        else if (i == 5 || i == 6)
            month = 10 * month + (unsigned)(c - '0');
        else if (i > 7)
            day = 10 * day + (unsigned)(c - '0');
    }
    if (year < 1970 || year > 2199 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    int year_back;
    unsigned month_back;
    unsigned day_back;
    clock_civil_from_days(clock_days_from_civil(year, month, day), &year_back, &month_back,
                          &day_back);
    return month_back == month && day_back == day;
}

static void check_fields(const struct raw_fact *raw, enum fact_type type, bool stored,
                         struct json_problems *problems)
{
    unsigned has = present(raw);
    unsigned required = rules[type].required;
    const unsigned allowed = required | rules[type].optional | EVERYWHERE;
    if (stored) { /* the head stands elsewhere, the text as its hash */
        has |= HAS_COURSE & required;
        required &= ~(unsigned)(HAS_TEXT | HAS_ANSWERS);
    }
    for (unsigned i = 0; i < HAS_COUNT_OF_NAMES; i++) {
        const unsigned bit = 1U << i;
        if ((has & bit) != 0 && (allowed & bit) == 0)
            problem(problems, ACCORD_E_FIELD_UNKNOWN, has_names[i]);
        if ((has & bit) == 0 && (required & bit) != 0)
            problem(problems, ACCORD_E_FIELD_MISSING, has_names[i]);
    }
    if ((has & HAS_COURSE) != 0 && (allowed & HAS_COURSE) != 0 && !stored) {
        if (raw->provider.data == NULL)
            problem(problems, ACCORD_E_FIELD_MISSING, "provider");
        if (raw->course_id.data == NULL)
            problem(problems, ACCORD_E_FIELD_MISSING, "course_id");
    }
    if ((has & HAS_DAY) != 0 && !is_day(raw->day))
        problem(problems, ACCORD_E_TIME_INVALID, "day");
    if (raw->has_from && raw->has_to && raw->from > raw->to)
        problem(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "to");
    if (type == FACT_ORDER_REFUNDED || type == FACT_ORDER_CHARGED_BACK) {
        if ((has & HAS_LINES) == 0 && (has & HAS_AMOUNT) == 0)
            problem(problems, ACCORD_E_FIELD_MISSING, "amount");
        if ((has & HAS_LINES) != 0 && (has & HAS_AMOUNT) != 0)
            problem(problems, ACCORD_E_FIELD_UNKNOWN, "amount");
    }
}

/* ---- from raw to typed ---- */

static const char *text_or(struct slice text, const char *missing)
{
    return text.data == NULL ? missing : text.data; /* NUL-terminated by decoding */
}

static int64_t measure_of(const struct raw_fact *raw, enum fact_type type)
{
    switch (type) {
    case FACT_RATING:
    case FACT_REVIEW:
        return raw->has_value ? raw->value : 0;
    case FACT_PROGRESS:
        return raw->progress_ppm;
    case FACT_IMPRESSION:
    case FACT_CLICK:
    case FACT_TOUCH:
    case FACT_ENROLMENT:
        return raw->has_count ? raw->count : 1;
    case FACT_USAGE:
        return raw->seconds;
    case FACT_SURVEY:
    case FACT_QUESTION:
    case FACT_ANSWER:
    case FACT_COMMENT:
    case FACT_CHECKIN:
    case FACT_SHARE:
    case FACT_COMPLETION:
    case FACT_ORDER_PAID:
    case FACT_ORDER_REFUNDED:
    case FACT_ORDER_CHARGED_BACK:
    case FACT_ORDER_CHARGEBACK_REVERSED:
    case FACT_VOID:
    case FACT_TYPES:
        break;
    }
    return 0;
}

static enum accord_error fill(struct arena *arena, const char *partner, const struct raw_fact *raw,
                              bool stored, struct fact *fact, struct json_problems *problems)
{
    fact->raw = raw;
    fact->supersedes = text_or(raw->supersedes, NULL);
    fact->order_id = text_or(raw->order_id, NULL);
    fact->refund_id = text_or(raw->refund_id, NULL);
    fact->language = text_or(raw->language, "");
    fact->measure = measure_of(raw, fact->type);
    check_fields(raw, fact->type, stored, problems);
    return problems->total > 0 ? ACCORD_OK : fact_build_money(arena, partner, fact, problems);
}

static enum accord_error give_up(struct arena *arena, const struct json_problems *problems,
                                 struct fact *fact)
{
    const struct json_problem *first = &problems->items[0];
    fact->error = first->code;
    fact->pointer = arena_strdup(arena, slice_of(first->pointer));
    fact->message = arena_strdup(arena, slice_of(first->message));
    return fact->pointer == NULL || fact->message == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

/* The id of an item that does not decode, so that its sender finds it again. */
static const char *peek_event_id(struct arena *arena, struct slice text)
{
    char id[EVENT_ID_MAX + 1];
    if (!json_peek_text(text, "event_id", id, sizeof id))
        return NULL;
    return arena_strdup(arena, slice_of(id));
}

static struct hash learner_lookup(const uint8_t key[32], const char *partner, struct slice learner)
{
    enum { PARTNER_MAX = 63, LEARNER_MAX = 255 };
    char text[PARTNER_MAX + 1 + LEARNER_MAX];
    const size_t len = strnlen(partner, PARTNER_MAX);
    memcpy(text, partner, len);
    text[len] = '\0';
    memcpy(text + len + 1, learner.data, learner.len);
    return hash_keyed(key, (struct slice){text, len + 1 + learner.len});
}

/* Who the item is from and what it says; false: not as it should be, or (ret) no memory. */
static enum accord_error take_item(struct arena *arena, const struct raw_fact *raw,
                                   const char *partner, unsigned classes, instant_us now,
                                   const uint8_t learner_key[32], struct fact *fact,
                                   struct json_problems *problems)
{
    fact->event_id = raw->event_id.data;
    if (!fact_type_find(raw->type, &fact->type) || (fact_class_of(fact->type) & classes) == 0) {
        problem(problems, ACCORD_E_EVENT_TYPE_UNKNOWN, "type");
        return ACCORD_OK;
    }
    fact->occurred_at = raw->occurred_at;
    if (raw->occurred_at > now + FACTS_FUTURE_MAX_S * CLOCK_SECOND_US)
        problem(problems, ACCORD_E_TIME_IN_FUTURE, "occurred_at");
    fact->provider = text_or(raw->provider, "");
    fact->course_id = text_or(raw->course_id, "");
    fact->has_learner = raw->learner.data != NULL;
    if (fact->has_learner)
        fact->learner_lookup = learner_lookup(learner_key, partner, raw->learner);
    return fill(arena, partner, raw, false, fact, problems);
}

enum accord_error fact_decode(struct arena *arena, struct slice text, const char *partner,
                              unsigned classes, instant_us now, const uint8_t learner_key[32],
                              struct fact *ret)
{
    struct json_problems problems;
    problems.count = problems.total = 0;
    struct raw_fact *raw = arena_alloc(arena, sizeof *raw);
    if (raw == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *ret = (struct fact){.provider = "", .course_id = "", .language = ""};
    enum accord_error error = json_decode(arena, text, &posted_spec, "", raw, &problems);
    if (error == ACCORD_E_OUT_OF_MEMORY)
        return error;
    if (error != ACCORD_OK) {
        ret->event_id = peek_event_id(arena, text);
        return give_up(arena, &problems, ret);
    }
    error = take_item(arena, raw, partner, classes, now, learner_key, ret, &problems);
    if (error != ACCORD_OK)
        return error;
    if (problems.total > 0)
        return give_up(arena, &problems, ret);
    ret->text = raw->text.data != NULL ? raw->text : raw->reason;
    if (raw->answers.items != NULL) {
        ret->text = fact_answers_text(arena, raw);
        if (ret->text.data == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    if (ret->text.data != NULL)
        random_bytes(ret->salt, sizeof ret->salt);
    ret->body = fact_body(arena, ret, ret->salt);
    return ret->body.data == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error fact_reread(struct arena *arena, const struct fact_row *row, struct fact *ret)
{
    struct json_problems problems;
    problems.count = problems.total = 0;
    struct raw_fact *raw = arena_alloc(arena, sizeof *raw);
    if (raw == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *ret = (struct fact){
        .event_id = row->event_id,
        .occurred_at = row->occurred_at,
        .provider = row->provider,
        .course_id = row->course_id,
        .has_learner = row->has_learner,
    };
    if (!fact_type_find(slice_of(row->type), &ret->type)) {
        ret->error = ACCORD_E_EVENT_TYPE_UNKNOWN;
        return ACCORD_OK;
    }
    enum accord_error error = json_decode(arena, row->body, &stored_spec, "", raw, &problems);
    if (error == ACCORD_E_OUT_OF_MEMORY)
        return error;
    if (error == ACCORD_OK)
        error = fill(arena, row->partner, raw, true, ret, &problems);
    if (problems.total > 0)
        return give_up(arena, &problems, ret);
    return error;
}

/* ---- batches ---- */

static enum accord_error grow(struct arena *arena, struct fact_batch *batch, size_t *cap)
{
    if (batch->count < *cap)
        return ACCORD_OK;
    const size_t more = *cap == 0 ? 64 : 2 * *cap;
    struct fact *facts = arena_array(arena, more, sizeof *facts);
    if (facts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (batch->count > 0)
        memcpy(facts, batch->facts, batch->count * sizeof *facts);
    batch->facts = facts;
    *cap = more;
    return ACCORD_OK;
}

/* An item that is no element: too large, or a line of NDJSON that is no JSON. */
static struct fact refused_item(enum accord_error error, const char *reason)
{
    return (struct fact){.error = error,
                         .pointer = "",
                         .message = reason == NULL ? accord_error_title(error) : reason,
                         .provider = "",
                         .course_id = "",
                         .language = ""};
}

enum accord_error facts_decode(struct arena *arena, struct slice text, enum fact_shape shape,
                               unsigned classes, instant_us now, const uint8_t learner_key[32],
                               struct fact_batch *ret, const char **ret_why)
{
    const bool is_array = shape == FACT_SHAPE_ARRAY;
    struct fact_batch batch = *ret;
    struct json_splitter splitter;
    size_t cap = 0;
    batch.arena = arena;
    batch.facts = NULL;
    batch.count = 0;
    *ret_why = NULL;
    enum accord_error error = json_split_begin(
        &splitter, text, is_array ? JSON_SPLIT_ARRAY : JSON_SPLIT_NDJSON, NULL, ITEM_BYTES_MAX);
    if (error != ACCORD_OK) {
        *ret_why = splitter.reason;
        return error;
    }
    for (;;) {
        struct slice element = {NULL, 0};
        error = json_split_next(&splitter, &element);
        if (error == ACCORD_E_JSON_INVALID && is_array) {
            *ret_why = arena_printf(arena, "line %llu: %s", (unsigned long long)splitter.error_line,
                                    splitter.reason);
            return error;
        }
        if (error == ACCORD_OK && element.data == NULL)
            break;
        if (error != ACCORD_OK && error != ACCORD_E_JSON_INVALID &&
            error != ACCORD_E_ELEMENT_TOO_LARGE)
            return error;
        if (batch.count == FACTS_ITEMS_MAX)
            return ACCORD_E_BATCH_TOO_LARGE;
        const enum accord_error memory = grow(arena, &batch, &cap);
        if (memory != ACCORD_OK)
            return memory;
        struct fact *fact = &batch.facts[batch.count++];
        if (error != ACCORD_OK) {
            *fact = refused_item(error, splitter.reason);
            continue;
        }
        error = fact_decode(arena, element, batch.partner, classes, now, learner_key, fact);
        if (error != ACCORD_OK)
            return error;
        /* What jansson refuses inside an element spoils that item: its neighbours are sound. */
    }
    if (batch.count == 0)
        return ACCORD_E_BODY_EMPTY;
    *ret = batch;
    return ACCORD_OK;
}
