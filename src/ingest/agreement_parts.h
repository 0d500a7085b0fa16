/** What the files that decode an agreement's body share: its sections, each with its table of
 * fields and what takes it into the version. */
#ifndef INGEST_AGREEMENT_PARTS_H
#define INGEST_AGREEMENT_PARTS_H

#include "ingest/agreement.h"

/* In an agreement null says the same as nothing. */
/* clang-format off */
#define AGREEMENT_OBJECT(type, list) \
    {.fields = (list), .count = sizeof(list) / sizeof((list)[0]), .size = sizeof(type), \
     .nulls_absent = true, .rest = SIZE_MAX}
/* clang-format on */

/** One body on its way to a version. */
struct agreement_decoding {
    struct arena *arena;
    struct json_problems *problems;
    struct accord_agreement_version *terms;
    bool out_of_memory;
};

/** A copy in the arena; "" when there is no room, which is noted. */
const char *agreement_text(struct agreement_decoding *d, struct slice text);

/** Adds a problem under the code's own title. */
void agreement_problem(struct agreement_decoding *d, enum accord_error code, const char *pointer,
                       ...) __attribute__((format(printf, 3, 4)));

/** Index of a party, or UINT32_MAX. */
uint32_t agreement_party(const struct accord_agreement_version *terms, struct slice id);

/* ---- base and funders ---- */

struct agreement_deduction_body {
    bool deduct;
    int64_t rate_ppm;
    int of;
    int64_t fixed_minor;
    bool given;
};

struct agreement_discounts_body {
    int by[ACCORD_FUNDERS]; /* agreement_discount_names */
};

struct agreement_base_body {
    struct agreement_deduction_body tax;
    struct agreement_deduction_body store_fee;
    struct agreement_deduction_body payment_fee;
    struct agreement_deduction_body admin_fee;
    struct agreement_discounts_body discounts;
};

struct agreement_funders_body {
    struct slice by[ACCORD_FUNDERS];
};

extern const struct json_object agreement_base_spec;
extern const struct json_object agreement_funders_spec;

/** After parties and scope: who funds a discount may be the one partner of the scope. */
void agreement_take_base(struct agreement_decoding *d, const struct agreement_base_body *base,
                         const struct agreement_funders_body *funders);

/* ---- policies ---- */

struct agreement_refund_body {
    int basis;
    struct slice fee_borne_by;
    bool referral_clawback;
};

struct agreement_late_usage_body {
    int policy;
    int64_t days;
    bool has_days;
};

struct agreement_fx_body {
    int policy;
    int source;
};

struct agreement_reserve_body {
    int64_t ppm;
    int64_t periods;
};

struct agreement_policies_body {
    struct agreement_refund_body refund;
    bool has_refund;
    struct agreement_late_usage_body late_usage;
    struct agreement_fx_body fx;
    struct agreement_reserve_body reserve;
    int64_t qualify_days;
    int64_t hold_days;
    int64_t min_payout_minor;
    int64_t tail_days;
    int64_t dispute_days;
};

extern const struct json_object agreement_refund_spec;
extern const struct json_object agreement_late_usage_spec;
extern const struct json_object agreement_fx_spec;
extern const struct json_object agreement_reserve_spec;

void agreement_take_policies(struct agreement_decoding *d,
                             const struct agreement_policies_body *body);

/* ---- terms ---- */

struct agreement_term_body;

/** The element of the array `terms`: each is decoded by the table of its kind. */
extern const struct json_field agreement_term_element;

/**
 * Decodes terms by the tables of their kinds; what is wrong becomes a problem.
 *
 * @param raw  array of struct slice
 * @param ret  raw->count bodies in the arena
 * @return ACCORD_OK (also with problems), or ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error agreement_read_terms(struct agreement_decoding *d, const struct json_array *raw,
                                       struct agreement_term_body **ret);

/** After parties. */
void agreement_take_terms(struct agreement_decoding *d, const struct agreement_term_body *bodies,
                          size_t count);

#endif
