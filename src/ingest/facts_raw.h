/** A fact as it stands in JSON, between the files that decode, write and type it. */
#ifndef INGEST_FACTS_RAW_H
#define INGEST_FACTS_RAW_H

#include "ingest/facts.h"

struct raw_discount {
    int64_t amount;
    int funder; /* enum accord_funder */
};

struct raw_line {
    struct slice line_id;
    struct slice provider;
    struct slice course_id;
    int64_t quantity;
    bool has_quantity;
    int64_t paid;
    bool has_paid;
    int64_t tax;
    bool has_tax;
    int64_t amount;
    bool has_amount;
    struct json_array discounts; /* struct raw_discount */
};

struct raw_fact {
    struct slice event_id;
    struct slice type;
    instant_us occurred_at;
    struct slice learner;
    struct slice provider;
    struct slice course_id;
    struct slice supersedes;

    int64_t value;
    bool has_value;
    struct slice text;
    struct slice language;
    struct json_array answers; /* struct json_entry */
    struct slice question;
    struct slice day;
    struct slice target;
    int64_t progress_ppm;
    bool has_progress;
    int64_t count;
    bool has_count;
    struct slice offer;
    struct slice link;
    int64_t seconds;
    bool has_seconds;
    instant_us from;
    bool has_from;
    instant_us to;
    bool has_to;

    struct slice order_id;
    struct accord_currency currency;
    struct json_array lines; /* struct raw_line */
    int64_t tax;
    bool has_tax;
    int64_t store_fee;
    bool has_store_fee;
    int64_t payment_fee;
    bool has_payment_fee;
    struct json_array discounts; /* struct raw_discount */
    struct slice touch;          /* code of a link */
    int touch_kind;              /* enum touch_kind; absent: a click */
    bool has_touch_kind;
    struct slice refund_id;
    int64_t amount;
    bool has_amount;
    int64_t tax_returned;
    bool has_tax_returned;
    int64_t fee_returned;
    bool has_fee_returned;
    struct slice reason;

    struct slice membership_id;
    struct slice term_id;
    int64_t paid;
    bool has_paid;
    struct slice entry_id;
    struct slice entry;
    struct slice time_zone;
    bool makeup;
    bool has_makeup;
    int kind; /* enum touch_kind; absent: a click */
    bool has_kind;
    int purpose; /* enum consent_purpose */
    bool has_purpose;
    bool granted;
    bool has_granted;
    struct slice proof;
    struct slice adjustment_id;
    struct slice agreement;
    struct slice payee;
    struct slice funded_by;
    struct slice of_period;
    struct slice statement;
    struct slice line;
    struct slice payment_id;
    struct slice payer;
    int state; /* enum payment_state */
    bool has_state;
    struct json_array statements; /* struct slice, in bytewise order */
    struct slice reference;

    struct slice text_hash; /* only in stored bodies */
};

extern const char *const fact_funder_names[];

/** The tables of a posted fact, and of a stored body (facts_fields.c). */
extern const struct json_object fact_posted_spec;
extern const struct json_object fact_stored_spec;
/** Whether a fact has the fields of its type, with values that go together. */
void fact_check_fields(const struct raw_fact *raw, enum fact_type type, bool stored,
                       struct json_problems *problems);
/** Days since 1970-01-01 of a `day` that was checked. */
int32_t fact_day(struct slice day);

/** Answers of a survey as one canonical text. data NULL: out of memory. */
struct slice fact_answers_text(struct arena *arena, const struct raw_fact *raw);

/** Builds the typed order or refund rows of a decoded fact; problems go to `problems`. */
enum accord_error fact_build_money(struct arena *arena, const char *partner, struct fact *fact,
                                   struct json_problems *problems);

#endif
