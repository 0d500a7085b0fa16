/** Agreements: drafting, proposing, signing, rejecting, ending, and which one covers a sale. */
#ifndef API_AGREEMENTS_H
#define API_AGREEMENTS_H

#include "api/call.h"

extern const struct operation agreement_operations[];
extern const size_t agreement_operation_count;

#endif
