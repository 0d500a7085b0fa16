/* `accord backup` and `accord restore`: both books, each as it stands at one instant. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/app.h"
#include "cli.h"
#include "store/store.h"

enum { MESSAGE_MAX = 640, URL_MAX = 4096 };

static const char *path_of(const char *url)
{
    return url + strlen("sqlite:");
}

static int copy(const char *from, const char *to)
{
    char why[MESSAGE_MAX] = "";
    const enum accord_error error = db_copy(from, to, why, sizeof why);
    if (error != ACCORD_OK) {
        fprintf(stderr, "accord: %s\n", why[0] == '\0' ? accord_error_title(error) : why);
        return EXIT_FAILED;
    }
    printf("%s\n", path_of(to));
    return EXIT_OK;
}

/* The live books, then the test books beside them. */
static int copy_both(const char *from, const char *to)
{
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow further is an error like a full disk */
    char *from_test = app_test_url(from);
    char *to_test = app_test_url(to);
    int status = from_test == NULL || to_test == NULL ? EXIT_FAILED : copy(from, to);
    if (status == EXIT_OK)
        status = copy(from_test, to_test);
    free(from_test);
    free(to_test);
    return status;
}

static bool is_sqlite(const struct config *config)
{
    if (strncmp(config->database, "sqlite:", strlen("sqlite:")) == 0)
        return true;
    fprintf(stderr, "accord: only SQLite's books are copied by this; use the tools of the other "
                    "database\n");
    return false;
}

int cli_backup(const struct config *config, char *const *argv)
{
    char to[URL_MAX];
    if (argv[0] == NULL || argv[1] != NULL)
        return cli_usage("backup FILE\nThe test books go beside it: FILE books.db, books-test.db.");
    if (!is_sqlite(config))
        return EXIT_FAILED;
    const int len = snprintf(to, sizeof to, "sqlite:%s", argv[0]);
    return len < 0 || (size_t)len >= sizeof to ? EXIT_FAILED : copy_both(config->database, to);
}

int cli_restore(const struct config *config, char *const *argv)
{
    char from[URL_MAX];
    struct db_claim *claim;
    if (argv[0] == NULL || argv[1] != NULL)
        return cli_usage("restore FILE\nThe books of ACCORD_DATABASE must not be there.");
    if (!is_sqlite(config))
        return EXIT_FAILED;
    const int len = snprintf(from, sizeof from, "sqlite:%s", argv[0]);
    if (len < 0 || (size_t)len >= sizeof from)
        return EXIT_FAILED;
    const enum accord_error error = db_claim(config->database, &claim);
    if (error != ACCORD_OK) {
        fprintf(stderr, "accord: %s: %s\n", path_of(config->database),
                error == ACCORD_E_DATABASE_BUSY ? "another process serves these books"
                                                : accord_error_title(error));
        return EXIT_FAILED;
    }
    const int status = copy_both(from, config->database);
    db_unclaim(claim);
    return status;
}
