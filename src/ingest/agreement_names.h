/** The words of an agreement's body, in the order of the enums that they stand for. */
#ifndef INGEST_AGREEMENT_NAMES_H
#define INGEST_AGREEMENT_NAMES_H

#include "accord/settle.h"

extern const char *const agreement_clearing_names[]; /* operator, direct */
extern const char *const agreement_period_names[];   /* month, quarter */
extern const char *const agreement_fee_base_names[]; /* enum accord_fee_base */
extern const char *const agreement_discount_names[]; /* deduct, add_back */
extern const char *const agreement_funder_names[ACCORD_FUNDERS];
extern const char *const agreement_basis_names[];      /* enum accord_refund_basis */
extern const char *const agreement_late_usage_names[]; /* enum accord_late_usage */
extern const char *const agreement_fx_policy_names[];  /* enum accord_fx_policy */
extern const char *const agreement_fx_source_names[];  /* ecb */
extern const char *const agreement_term_names[];       /* enum accord_term_kind */
extern const char *const agreement_window_names[];     /* enum accord_window */
extern const char *const agreement_metric_names[];     /* enum accord_metric */
extern const char *const agreement_per_names[];        /* of a count: enum accord_metric less net */
extern const char *const agreement_mode_names[];       /* marginal, whole */
extern const char *const agreement_model_names[];      /* last, first */
extern const char *const agreement_recoup_names[];     /* none, future */
extern const char *const agreement_withholding_base_names[]; /* earned, after_recoupment */

#endif
