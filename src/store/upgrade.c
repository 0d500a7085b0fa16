#include "store/upgrade.h"

#include <stdio.h>

#include "db/migrate.h"

enum accord_error store_upgrade(const char *url, char *why, size_t why_size)
{
    char reason[DB_WHY_MAX] = "";
    const enum accord_error error = db_migrate(url, NULL, reason);
    if (error != ACCORD_OK)
        snprintf(why, why_size, "%s", reason);
    return error;
}
