/** One membership: what is recognised of its terms in which month, what that came to, and why. */
#ifndef API_MEMBERSHIPS_H
#define API_MEMBERSHIPS_H

#include "api/call.h"

extern const struct operation membership_operations[];
extern const size_t membership_operation_count;

#endif
