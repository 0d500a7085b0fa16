/* What settle relies on before it follows a version's indexes. */
#ifndef ACCORD_DOMAIN_TERMS_H
#define ACCORD_DOMAIN_TERMS_H

#include "accord/settle.h"

/** Where a version is at fault: the most precise place that can be named. */
struct terms_fault {
    uint32_t term;     /**< index; UINT32_MAX: not a term's fault */
    uint32_t step;     /**< of the term's table; UINT32_MAX: not a step's fault */
    const char *field; /**< of the step or term, else a path from the version's root
                            ("effective/to"), as the JSON form names them; NULL: the whole of it */
};

/** The part of accord_agreement_check() that concerns parties, base and terms; cheap enough to run
 *  for every line. *ret_term is always written. */
enum accord_error terms_check(const struct accord_agreement_version *version, uint32_t *ret_term);

/** The same, with the place. *ret_fault is always written. */
enum accord_error terms_check_at(const struct accord_agreement_version *version,
                                 struct terms_fault *ret_fault);

/** accord_agreement_check() with the place. *ret_fault is always written. */
enum accord_error agreement_check_at(const struct accord_agreement_version *version,
                                     struct terms_fault *ret_fault);

/** True of CPA that is settled per window, having a floor or a cap or counting learners; else it is
 *  known with the line. */
bool terms_cpa_has_window(const struct accord_term *cpa);

#endif
