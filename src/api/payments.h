/** /v1/payments: what the operator pays and is paid, and in what state each payment is. */
#ifndef API_PAYMENTS_H
#define API_PAYMENTS_H

#include "api/call.h"

extern const struct operation payment_operations[];
extern const size_t payment_operation_count;

#endif
