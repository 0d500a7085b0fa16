/* What the store suite shares: a fresh book with all migrations, in a folder of its own. */
#ifndef ACCORD_TESTS_STORE_TEST_H
#define ACCORD_TESTS_STORE_TEST_H

#include <stdio.h>

#include "../unit/temp_dir.h"
#include "../unit/unit.h"
#include "db/migrate.h"
#include "store/store.h"

static char store_dir[TEMP_DIR_MAX];
static char store_url[TEMP_DIR_MAX + 32];
static struct db *store_db;

static inline void store_open(void)
{
    char why[DB_WHY_MAX] = "";
    temp_dir_make(store_dir);
    snprintf(store_url, sizeof store_url, "sqlite:%s/books.db", store_dir);
    ck_assert_msg(db_migrate(store_url, NULL, why) == ACCORD_OK, "%s", why);
    ck_assert_int_eq(db_open(store_url, DB_READ_WRITE, &store_db), ACCORD_OK);
}

static inline void store_close(void)
{
    db_close(store_db);
    store_db = NULL;
    temp_dir_remove(store_dir);
}

#endif
