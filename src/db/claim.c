/* A lock beside the database, not on its file: SQLite's own locks there would be lost by opening
 * and closing it once more in this process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "db/db.h"

struct db_claim {
    int fd;
};

static bool sqlite_lock_path(const char *url, char *path, size_t size)
{
    static const char scheme[] = "sqlite:";
    const int len = strncmp(url, scheme, sizeof scheme - 1) == 0
                        ? snprintf(path, size, "%s-serving", url + sizeof scheme - 1)
                        : -1;
    return len >= 0 && (size_t)len < size;
}

enum accord_error db_claim(const char *url, struct db_claim **ret)
{
    char path[4096];
    struct db_claim *claim = malloc(sizeof *claim);
    if (claim == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    claim->fd = -1;
    if (sqlite_lock_path(url, path, sizeof path)) {
        claim->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
        if (claim->fd < 0 || flock(claim->fd, LOCK_EX | LOCK_NB) != 0) {
            const bool taken = claim->fd >= 0 && errno == EWOULDBLOCK;
            db_unclaim(claim);
            return taken ? ACCORD_E_DATABASE_BUSY : ACCORD_E_DATABASE_UNAVAILABLE;
        }
    }
    *ret = claim;
    return ACCORD_OK;
}

void db_unclaim(struct db_claim *claim)
{
    if (claim == NULL)
        return;
    if (claim->fd >= 0)
        close(claim->fd);
    free(claim);
}
