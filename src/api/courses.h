/** /v1/courses: what may be seen of the catalogs, and single courses. */
#ifndef API_COURSES_H
#define API_COURSES_H

#include "api/call.h"

extern const struct operation course_operations[];
extern const size_t course_operation_count;

#endif
