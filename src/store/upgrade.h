/** Bringing a database to this program's schema. */
#ifndef STORE_UPGRADE_H
#define STORE_UPGRADE_H

#include "store/store.h"

/** Runs the migrations that are missing, under a lock; makes the database when there is none. `why`
 *  gets the reason of a failure in words. */
enum accord_error store_upgrade(const char *url, char *why, size_t why_size);

#endif
