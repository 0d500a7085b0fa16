/** The tables of the resources; api/operations.c makes one of them. */
#ifndef API_OPERATIONS_H
#define API_OPERATIONS_H

#include "api/call.h"

extern const struct operation partner_operations[];
extern const size_t partner_operation_count;
extern const struct operation key_operations[];
extern const size_t key_operation_count;
extern const struct operation system_operations[];
extern const size_t system_operation_count;

#endif
