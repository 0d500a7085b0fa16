/** Whether a database can serve. */
#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H

#include "store/store.h"

/** ACCORD_OK when the database answers and has this program's schema; else what is wrong. */
enum accord_error store_ready(struct db *db);

/** The number of the last fact or change that is committed. */
enum accord_error store_last_seq(struct db *db, int64_t *ret);

#endif
