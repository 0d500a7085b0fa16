/** Agreements: drafting, proposing, signing, rejecting, ending, and which one covers a sale. */
#ifndef API_AGREEMENTS_H
#define API_AGREEMENTS_H

#include "api/call.h"

/* Drafting and reading (agreements.c). */
extern const struct operation agreement_operations[];
extern const size_t agreement_operation_count;
/* Proposing, signing, rejecting, ending (agreement_steps.c). */
extern const struct operation agreement_step_operations[];
extern const size_t agreement_step_operation_count;
/* Which version covers a sale (agreement_resolve.c). */
extern const struct operation agreement_resolve_operations[];
extern const size_t agreement_resolve_operation_count;

#endif
