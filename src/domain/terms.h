/* What settle relies on before it follows a version's indexes. */
#ifndef ACCORD_DOMAIN_TERMS_H
#define ACCORD_DOMAIN_TERMS_H

#include "accord/settle.h"

/** The part of accord_agreement_check() that concerns parties, base and terms; cheap enough to run
 *  for every line. *ret_term is always written. */
enum accord_error terms_check(const struct accord_agreement_version *version, uint32_t *ret_term);

#endif
