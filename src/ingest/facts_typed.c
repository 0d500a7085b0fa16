#include "ingest/facts_typed.h"

#include <string.h>

#include "ingest/facts_raw.h"
#include "store/challenges.h"
#include "store/consents.h"
#include "store/memberships.h"
#include "store/operator_facts.h"
#include "store/touches.h"
#include "store/usage.h"

static const char *text_or_empty(struct slice text)
{
    return text.data == NULL ? "" : text.data; /* NUL-terminated by decoding */
}

static int64_t amount_or_none(int64_t amount, bool has)
{
    return has ? amount : -1;
}

static void membership_of(const struct fact *fact, const struct fact_row *row, void *ret)
{
    const struct raw_fact *raw = fact->raw;
    const bool cancelled = fact->type == FACT_MEMBERSHIP_CANCELLED;
    struct membership_row membership = {
        .seq = row->seq,
        .channel = row->partner,
        .membership_id = text_or_empty(raw->membership_id),
        .term_id = text_or_empty(raw->term_id),
        .kind = cancelled                               ? MEMBERSHIP_CANCELLED
                : fact->type == FACT_MEMBERSHIP_RENEWED ? MEMBERSHIP_RENEWED
                                                        : MEMBERSHIP_STARTED,
        .event_id = row->event_id,
        .occurred_at = row->occurred_at,
        .offer = text_or_empty(raw->offer),
        .has_learner = row->has_learner,
        .currency = raw->currency.code,
        .from = raw->from,
        .to = raw->to,
        .paid = raw->paid,
        .tax = amount_or_none(raw->tax, raw->has_tax),
        .store_fee = amount_or_none(raw->store_fee, raw->has_store_fee),
        .payment_fee = amount_or_none(raw->payment_fee, raw->has_payment_fee),
        .refunded = raw->amount,
        .tax_returned = amount_or_none(raw->tax_returned, raw->has_tax_returned),
        .fee_returned = raw->fee_returned,
    };
    memcpy(membership.learner, row->learner, LEARNER_BYTES);
    *(struct membership_row *)ret = membership;
}

static void challenge_of(const struct fact *fact, const struct fact_row *row, void *ret)
{
    const struct raw_fact *raw = fact->raw;
    const bool checkin = fact->type == FACT_CHECKIN;
    struct challenge_row challenge = {
        .seq = row->seq,
        .channel = row->partner,
        .entry_id = text_or_empty(checkin ? raw->entry : raw->entry_id),
        .kind = checkin                               ? CHALLENGE_CHECKIN
                : fact->type == FACT_CHALLENGE_JOINED ? CHALLENGE_JOINED
                                                      : CHALLENGE_WITHDRAWN,
        .event_id = row->event_id,
        .occurred_at = row->occurred_at,
        .offer = text_or_empty(raw->offer),
        .has_learner = row->has_learner,
        .currency = raw->currency.code,
        .time_zone = text_or_empty(raw->time_zone),
        .deposit = raw->paid,
        .payment_fee = amount_or_none(raw->payment_fee, raw->has_payment_fee),
        .refunded = raw->amount,
        .has_day = raw->day.data != NULL,
        .day = raw->day.data != NULL ? fact_day(raw->day) : 0,
        .makeup = raw->makeup,
    };
    memcpy(challenge.learner, row->learner, LEARNER_BYTES);
    *(struct challenge_row *)ret = challenge;
}

static void usage_of(const struct fact *fact, const struct fact_row *row, void *ret)
{
    const struct raw_fact *raw = fact->raw;
    struct usage_row usage = {
        .seq = row->seq,
        .channel = row->partner,
        .kind = fact->type == FACT_USAGE        ? USAGE_TIME
                : fact->type == FACT_COMPLETION ? USAGE_COMPLETION
                                                : USAGE_START,
        .has_learner = row->has_learner,
        .provider = row->provider,
        .course_id = row->course_id,
        .occurred_at = row->occurred_at,
        .event_id = row->event_id,
        .seconds = raw->seconds,
        .has_from = raw->has_from,
        .from = raw->from,
        .has_to = raw->has_to,
        .to = raw->to,
    };
    memcpy(usage.learner, row->learner, LEARNER_BYTES);
    *(struct usage_row *)ret = usage;
}

static void touch_of(const struct fact *fact, const struct fact_row *row, void *ret)
{
    const bool sale = fact->type == FACT_ORDER_PAID;
    struct touch_row touch = {
        .seq = row->seq,
        .channel = row->partner,
        .has_learner = row->has_learner,
        .link = text_or_empty(sale ? fact->raw->touch : fact->raw->link),
        .kind = (enum touch_kind)(sale ? fact->raw->touch_kind : fact->raw->kind),
        .occurred_at = row->occurred_at,
        .event_id = row->event_id,
    };
    memcpy(touch.learner, row->learner, LEARNER_BYTES);
    *(struct touch_row *)ret = touch;
}

static void consent_of(const struct fact *fact, const struct fact_row *row, void *ret)
{
    struct consent_row consent = {
        .seq = row->seq,
        .partner = row->partner,
        .purpose = (enum consent_purpose)fact->raw->purpose,
        .granted = fact->raw->granted,
        .occurred_at = row->occurred_at,
        .event_id = row->event_id,
    };
    memcpy(consent.learner, row->learner, LEARNER_BYTES);
    *(struct consent_row *)ret = consent;
}

static void adjustment_of(const struct fact *fact, const struct fact_row *row, void *ret)
{
    const struct raw_fact *raw = fact->raw;
    *(struct adjustment_row *)ret = (struct adjustment_row){
        .seq = row->seq,
        .partner = row->partner,
        .adjustment_id = text_or_empty(raw->adjustment_id),
        .event_id = row->event_id,
        .occurred_at = row->occurred_at,
        .agreement = text_or_empty(raw->agreement),
        .payee = text_or_empty(raw->payee),
        .funded_by = text_or_empty(raw->funded_by),
        .currency = raw->currency.code,
        .amount = raw->amount,
        .reason = text_or_empty(raw->reason),
        .of_period = text_or_empty(raw->of_period),
        .statement = text_or_empty(raw->statement),
        .line = text_or_empty(raw->line),
    };
}

static void payment_of(const struct fact *fact, const struct fact_row *row, void *ret)
{
    const struct raw_fact *raw = fact->raw;
    *(struct payment_row *)ret = (struct payment_row){
        .seq = row->seq,
        .partner = row->partner,
        .payment_id = text_or_empty(raw->payment_id),
        .event_id = row->event_id,
        .occurred_at = row->occurred_at,
        .payer = text_or_empty(raw->payer),
        .payee = text_or_empty(raw->payee),
        .currency = raw->currency.code,
        .amount = raw->amount,
        .state = (enum payment_state)raw->state,
        .reference = text_or_empty(raw->reference),
        .statements = raw->statements.items,
        .statement_count = raw->statements.count,
    };
}

/* The store's functions take their own kinds of rows; these take any. */
/* NOLINTBEGIN(bugprone-macro-parentheses): names take none */
#define ANY_ROW(one, many)                                                                         \
    static enum accord_error insert_##many(struct db *db, const void *rows, size_t count)          \
    {                                                                                              \
        return store_##many##_insert(db, rows, count);                                             \
    }                                                                                              \
    static enum accord_error one##_stands(struct db *db, const void *row, bool *ret)               \
    {                                                                                              \
        return store_##one##_stands(db, row, ret);                                                 \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

ANY_ROW(membership, memberships)
ANY_ROW(challenge, challenges)
ANY_ROW(usage, usage)
ANY_ROW(touch, touches)
ANY_ROW(consent, consents)
ANY_ROW(adjustment, adjustments)
ANY_ROW(payment, payments)

enum {
    MEMBERSHIP_TABLE,
    CHALLENGE_TABLE,
    USAGE_TABLE,
    TOUCH_TABLE,
    CONSENT_TABLE,
    ADJUSTMENT_TABLE,
    PAYMENT_TABLE,
};

const struct fact_table fact_tables[FACT_TABLES] = {
    [MEMBERSHIP_TABLE] = {"membership_term", sizeof(struct membership_row), membership_of,
                          insert_memberships, membership_stands},
    [CHALLENGE_TABLE] = {"challenge_fact", sizeof(struct challenge_row), challenge_of,
                         insert_challenges, challenge_stands},
    [USAGE_TABLE] = {"usage_fact", sizeof(struct usage_row), usage_of, insert_usage, usage_stands},
    [TOUCH_TABLE] = {"touch_fact", sizeof(struct touch_row), touch_of, insert_touches,
                     touch_stands},
    [CONSENT_TABLE] = {"consent_fact", sizeof(struct consent_row), consent_of, insert_consents,
                       consent_stands},
    [ADJUSTMENT_TABLE] = {"adjustment_fact", sizeof(struct adjustment_row), adjustment_of,
                          insert_adjustments, adjustment_stands},
    [PAYMENT_TABLE] = {"payment_fact", sizeof(struct payment_row), payment_of, insert_payments,
                       payment_stands},
};

bool fact_has_touch(const struct fact *fact)
{
    return fact_table_of(fact) == TOUCH_TABLE;
}

size_t fact_table_of(const struct fact *fact)
{
    switch (fact->type) {
    case FACT_MEMBERSHIP_STARTED:
    case FACT_MEMBERSHIP_RENEWED:
    case FACT_MEMBERSHIP_CANCELLED:
        return MEMBERSHIP_TABLE;
    case FACT_CHALLENGE_JOINED:
    case FACT_CHALLENGE_WITHDRAWN:
        return CHALLENGE_TABLE;
    case FACT_CHECKIN:
        return fact->raw->entry.data != NULL ? CHALLENGE_TABLE : FACT_TABLES;
    case FACT_USAGE:
        return USAGE_TABLE; /* of nobody known, too */
    case FACT_COMPLETION:
    case FACT_ENROLMENT:
        return fact->has_learner ? USAGE_TABLE : FACT_TABLES; /* what counts learners needs one */
    case FACT_TOUCH:
        return TOUCH_TABLE;
    case FACT_ORDER_PAID: /* beside the rows of the sale */
        return fact->raw->touch.data != NULL ? TOUCH_TABLE : FACT_TABLES;
    case FACT_CONSENT:
        return CONSENT_TABLE;
    case FACT_ADJUSTMENT:
        return ADJUSTMENT_TABLE;
    case FACT_PAYMENT:
        return PAYMENT_TABLE;
    case FACT_RATING:
    case FACT_REVIEW:
    case FACT_SURVEY:
    case FACT_QUESTION:
    case FACT_ANSWER:
    case FACT_COMMENT:
    case FACT_SHARE:
    case FACT_PROGRESS:
    case FACT_IMPRESSION:
    case FACT_CLICK:
    case FACT_ORDER_REFUNDED:
    case FACT_ORDER_CHARGED_BACK:
    case FACT_ORDER_CHARGEBACK_REVERSED:
    case FACT_VOID:
    case FACT_TYPES:
        break;
    }
    return FACT_TABLES;
}

static bool take_name(const struct fact *fact, const char *partner, enum subject_kind kind,
                      struct subject_name *ret)
{
    *ret = (struct subject_name){.partner = partner,
                                 .kind = kind,
                                 .id = fact->subject_id,
                                 .part = kind == SUBJECT_TERM ? fact->subject_part : ""};
    return true;
}

bool fact_subject_name(const struct fact *fact, const char *partner, struct subject_name *ret)
{
    switch (fact->type) {
    case FACT_MEMBERSHIP_STARTED:
        return take_name(fact, partner, SUBJECT_MEMBERSHIP, ret);
    case FACT_MEMBERSHIP_RENEWED:
        return take_name(fact, partner, SUBJECT_TERM, ret);
    case FACT_CHALLENGE_JOINED:
        return take_name(fact, partner, SUBJECT_ENTRY, ret);
    case FACT_CHALLENGE_WITHDRAWN:
        return take_name(fact, partner, SUBJECT_WITHDRAWAL, ret);
    case FACT_ADJUSTMENT:
        return take_name(fact, partner, SUBJECT_ADJUSTMENT, ret);
    case FACT_RATING:
    case FACT_REVIEW:
    case FACT_SURVEY:
    case FACT_QUESTION:
    case FACT_ANSWER:
    case FACT_COMMENT:
    case FACT_CHECKIN:
    case FACT_SHARE:
    case FACT_PROGRESS:
    case FACT_COMPLETION:
    case FACT_IMPRESSION:
    case FACT_CLICK:
    case FACT_TOUCH:
    case FACT_ENROLMENT:
    case FACT_USAGE:
    case FACT_ORDER_PAID:
    case FACT_ORDER_REFUNDED:
    case FACT_ORDER_CHARGED_BACK:
    case FACT_ORDER_CHARGEBACK_REVERSED:
    case FACT_MEMBERSHIP_CANCELLED:
    case FACT_CONSENT:
    case FACT_PAYMENT:
    case FACT_VOID:
    case FACT_TYPES:
        break;
    }
    return false;
}
