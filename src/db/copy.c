/* A copy of a whole SQLite database as it stands at one instant, made while others read and write.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"

enum { PATH_BYTES = 4096, STEP_PAGES = 1024, BUSY_MS = 10000 };

struct copying {
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    char part[PATH_BYTES]; /* `to` while it is not complete */
    sqlite3 *source;
    sqlite3 *target;
    char *why;
    size_t why_size;
};

static enum accord_error refuse(const struct copying *c, enum accord_error error, const char *path,
                                const char *reason)
{
    snprintf(c->why, c->why_size, "%s: %s", path, reason);
    return error;
}

static bool take_path(const char *url, char path[PATH_BYTES])
{
    static const char scheme[] = "sqlite:";
    if (strncmp(url, scheme, sizeof scheme - 1) != 0 || url[sizeof scheme - 1] == '\0')
        return false;
    const char *name = url + sizeof scheme - 1;
    /* "./" keeps SQLite from reading a meaning into names like ":memory:". */
    const int len = snprintf(path, PATH_BYTES, "%s%s", *name == '/' ? "" : "./", name);
    return len > 0 && len < PATH_BYTES - 16;
}

static enum accord_error fail(const struct copying *c, sqlite3 *handle, const char *path, int code)
{
    const enum accord_error error = (code & 0xff) == SQLITE_FULL    ? ACCORD_E_DATABASE_FULL
                                    : (code & 0xff) == SQLITE_BUSY  ? ACCORD_E_DATABASE_BUSY
                                    : (code & 0xff) == SQLITE_NOMEM ? ACCORD_E_OUT_OF_MEMORY
                                                                    : ACCORD_E_DATABASE_UNAVAILABLE;
    return refuse(c, error, path, handle == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(handle));
}

/* One read transaction for the whole of it: what is committed meanwhile is not in the copy, and
 * does not make it begin again. */
static enum accord_error open_source(struct copying *c)
{
    int code = sqlite3_open_v2(c->from, &c->source, SQLITE_OPEN_READONLY, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(c->source, BUSY_MS);
        code =
            sqlite3_exec(c->source, "BEGIN; SELECT COUNT(*) FROM sqlite_schema", NULL, NULL, NULL);
    }
    return code == SQLITE_OK ? ACCORD_OK : fail(c, c->source, c->from, code);
}

/* The file is made here, so that two copies to one name do not meet; what a stopped one left is
 * written over. */
static enum accord_error open_target(struct copying *c)
{
    if (access(c->to, F_OK) == 0)
        return refuse(c, ACCORD_E_DATABASE_UNAVAILABLE, c->to, "is there already");
    const int fd = open(c->part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return refuse(c, ACCORD_E_DATABASE_UNAVAILABLE, c->part, strerror(errno));
    close(fd);
    int code = sqlite3_open_v2(c->part, &c->target, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK) /* it counts only once it is whole and on the disk */
        code = sqlite3_exec(c->target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL,
                            NULL, NULL);
    return code == SQLITE_OK ? ACCORD_OK : fail(c, c->target, c->part, code);
}

static enum accord_error copy_pages(struct copying *c)
{
    int code = SQLITE_OK;
    sqlite3_backup *backup = sqlite3_backup_init(c->target, "main", c->source, "main");
    if (backup == NULL)
        return fail(c, c->target, c->part, sqlite3_errcode(c->target));
    while (code == SQLITE_OK)
        code = sqlite3_backup_step(backup, STEP_PAGES);
    sqlite3_backup_finish(backup);
    if (code == SQLITE_DONE) /* no write-ahead log: one file that can be read from anywhere */
        code = sqlite3_exec(c->target, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    return code == SQLITE_OK ? ACCORD_OK : fail(c, c->target, c->part, code);
}

static bool sync_path(const char *path, int flags)
{
    const int fd = open(path, flags | O_CLOEXEC);
    const bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* On the disk first, then under its name. */
static enum accord_error give_name(struct copying *c)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", c->to);
    *(strrchr(folder, '/') + 1) = '\0'; /* there is one: see take_path() */
    if (!sync_path(c->part, O_RDWR) || link(c->part, c->to) != 0)
        return refuse(c, errno == ENOSPC ? ACCORD_E_DATABASE_FULL : ACCORD_E_DATABASE_UNAVAILABLE,
                      c->to, strerror(errno));
    unlink(c->part);
    return sync_path(folder, O_RDONLY | O_DIRECTORY)
               ? ACCORD_OK
               : refuse(c, ACCORD_E_DATABASE_UNAVAILABLE, folder, strerror(errno));
}

enum accord_error db_copy(const char *from_url, const char *to_url, char *why, size_t why_size)
{
    struct copying *c = calloc(1, sizeof *c);
    if (c == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    c->why = why;
    c->why_size = why_size;
    enum accord_error error = ACCORD_OK;
    if (!take_path(from_url, c->from) || !take_path(to_url, c->to))
        error = refuse(c, ACCORD_E_DATABASE_UNSUPPORTED, from_url,
                       "only sqlite:PATH is copied, to sqlite:PATH");
    snprintf(c->part, sizeof c->part, "%.*s-part", PATH_BYTES - 16, c->to);
    if (error == ACCORD_OK)
        error = open_source(c);
    if (error == ACCORD_OK)
        error = open_target(c);
    if (error == ACCORD_OK)
        error = copy_pages(c);
    sqlite3_close_v2(c->target);
    sqlite3_close_v2(c->source);
    if (error == ACCORD_OK)
        error = give_name(c);
    if (error != ACCORD_OK && c->target != NULL)
        unlink(c->part);
    free(c);
    return error;
}
