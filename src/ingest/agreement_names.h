/** The words of an agreement's body, in the order of the enums that they stand for. */
#ifndef INGEST_AGREEMENT_NAMES_H
#define INGEST_AGREEMENT_NAMES_H

#include "accord/settle.h"

extern const char *const agreement_clearing_names[]; /* operator, direct */
extern const char *const agreement_period_names[];   /* month, quarter */
extern const char *const agreement_fee_base_names[]; /* enum accord_fee_base */
extern const char *const agreement_discount_names[]; /* deduct, add_back */
extern const char *const agreement_funder_names[ACCORD_FUNDERS];
extern const char *const agreement_basis_names[]; /* original */
extern const char *const agreement_term_names[];  /* enum accord_term_kind */

#endif
