/** GET /v1/balances and /v1/postings: the double entry of settlement, as sums and row by row. */
#ifndef API_BALANCES_H
#define API_BALANCES_H

#include "api/call.h"

extern const struct operation balance_operations[];
extern const size_t balance_operation_count;

#endif
