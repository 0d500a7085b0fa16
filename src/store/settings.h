/** Named values of a book: secrets made at its first start, and the like. */
#ifndef STORE_SETTINGS_H
#define STORE_SETTINGS_H

#include <stdint.h>

#include "base/arena.h"
#include "store/store.h"

/** A setting's bytes, in the arena; ret->data is NULL when there is none. */
enum accord_error store_setting_get(struct db *db, struct arena *arena, const char *name,
                                    struct slice *ret);
/** Sets it, also over an older value. */
enum accord_error store_setting_put(struct db *db, const char *name, struct slice value);
/** The 32 random bytes of a secret: those stored, or, at the first call of a book, new ones. Needs
 *  a read-write connection; opens a transaction when none is open. */
enum accord_error store_setting_secret(struct db *db, const char *name, uint8_t ret[32]);

#endif
