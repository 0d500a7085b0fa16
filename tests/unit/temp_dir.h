/* A folder of its own for a test, removed with what is in it. */
#ifndef ACCORD_TESTS_TEMP_DIR_H
#define ACCORD_TESTS_TEMP_DIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

enum { TEMP_DIR_MAX = 256 };

static inline void temp_dir_make(char dir[TEMP_DIR_MAX])
{
    const char *base = getenv("TMPDIR");
    snprintf(dir, TEMP_DIR_MAX, "%s/accord-test-XXXXXX", base == NULL ? "/tmp" : base);
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static inline int temp_dir_remove_one(const char *path, const struct stat *status, int type,
                                      struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static inline void temp_dir_remove(const char *dir)
{
    nftw(dir, temp_dir_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
