/** A fact as it stands in JSON; between facts_decode.c and facts_body.c only. */
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
    struct slice touch;
    struct slice refund_id;
    int64_t amount;
    bool has_amount;
    int64_t tax_returned;
    bool has_tax_returned;
    int64_t fee_returned;
    bool has_fee_returned;
    struct slice reason;
    struct slice text_hash; /* only in stored bodies */
};

extern const char *const fact_funder_names[];

/** Answers of a survey as one canonical text. data NULL: out of memory. */
struct slice fact_answers_text(struct arena *arena, const struct raw_fact *raw);

/** Builds the typed order or refund rows of a decoded fact; problems go to `problems`. */
enum accord_error fact_build_money(struct arena *arena, const char *partner, struct fact *fact,
                                   struct json_problems *problems);

#endif
