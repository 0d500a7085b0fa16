/** What learners said of a course: ratings, counts, the latest reviews. */
#ifndef API_FEEDBACK_H
#define API_FEEDBACK_H

#include "api/call.h"

extern const struct operation feedback_operations[];
extern const size_t feedback_operation_count;

#endif
