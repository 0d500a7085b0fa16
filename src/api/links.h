/** Operations on the links of promoters. */
#ifndef API_LINKS_H
#define API_LINKS_H

#include "api/call.h"

extern const struct operation link_operations[];
extern const size_t link_operation_count;

#endif
