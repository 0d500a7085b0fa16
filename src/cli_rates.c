/* `accord rates`: works on the books themselves, whether or not a service is running. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/app.h"
#include "cli.h"
#include "ingest/rates.h"
#include "store/upgrade.h"

static const char usage[] =
    "rates load --file FILE [--base EUR] [--reason TEXT]\n"
    "Loads the file that the European Central Bank publishes into the live and the test books.\n"
    "Days that are known already stay; with a reason, those that differ are corrected.";

enum { MESSAGE_MAX = 640 };
static const size_t file_max = (size_t)1 << 26;
static const size_t arena_max = (size_t)1 << 30;

struct options {
    const char *file;
    const char *base;
    const char *reason;
};

static bool parse_options(char *const *argv, struct options *ret)
{
    const struct {
        const char *name;
        const char **value;
    } known[] = {{"--file", &ret->file}, {"--base", &ret->base}, {"--reason", &ret->reason}};
    for (; *argv != NULL; argv += 2) {
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] && strcmp(argv[0], known[i].name) != 0)
            i++;
        if (i == sizeof known / sizeof known[0] || argv[1] == NULL)
            return false;
        *known[i].value = argv[1];
    }
    return ret->file != NULL && strcmp(ret->base, RATES_BASE) == 0;
}

static enum accord_error read_file(struct arena *arena, const char *path, struct slice *ret)
{
    struct stat stat;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ACCORD_E_IO_ERROR;
    enum accord_error error =
        fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || (uintmax_t)stat.st_size > file_max
            ? ACCORD_E_IO_ERROR
            : ACCORD_OK;
    const size_t size = error == ACCORD_OK ? (size_t)stat.st_size : 0;
    char *bytes = error == ACCORD_OK ? arena_alloc(arena, size + 1) : NULL;
    if (error == ACCORD_OK && bytes == NULL)
        error = ACCORD_E_OUT_OF_MEMORY;
    size_t len = 0;
    while (error == ACCORD_OK && len < size) {
        const ssize_t got = read(fd, bytes + len, size - len);
        if (got <= 0)
            error = ACCORD_E_IO_ERROR;
        else
            len += (size_t)got;
    }
    close(fd);
    if (error == ACCORD_OK)
        *ret = (struct slice){bytes, len};
    return error;
}

static enum accord_error commit(struct ingest_tx *tx, struct db *db, enum accord_error error)
{
    if (error == ACCORD_OK)
        error = ingest_tx_before_commit(tx, db);
    if (error == ACCORD_OK)
        error = db_commit(db);
    if (error != ACCORD_OK) {
        db_rollback(db);
        ingest_tx_rolled_back(tx);
    }
    return error;
}

static enum accord_error put(struct ingest_tx *tx, struct db *db, struct rates_given *days,
                             size_t count)
{
    enum accord_error error = db_begin(db);
    if (error != ACCORD_OK)
        return error;
    error = ingest_tx_enter(tx, db);
    if (error == ACCORD_OK)
        error = ingest_rates_put(tx, days, count, "");
    return commit(tx, db, error);
}

/* What was queued to be settled again: no service may be there to do it. */
static enum accord_error settle_queue(struct ingest_tx *tx, struct db *db)
{
    bool more = true;
    enum accord_error error = ACCORD_OK;
    while (error == ACCORD_OK && more) {
        error = db_begin(db);
        if (error == ACCORD_OK)
            error = commit(tx, db, ingest_tx_idle(tx, db, &more));
    }
    return error;
}

static int report(const char *name, const struct rates_given *days, size_t count)
{
    size_t same = 0;
    size_t fresh = 0;
    size_t refused = 0;
    for (size_t i = 0; i < count; i++) {
        same += days[i].same;
        refused += days[i].is_unreasonable;
        fresh += !days[i].same && !days[i].is_unreasonable && days[i].version == 1;
    }
    printf("%s: %zu days: %zu new, %zu corrected, %zu unchanged, %zu refused\n", name, count, fresh,
           count - fresh - same - refused, same, refused);
    if (refused > 0)
        fprintf(stderr, "accord: days that are known differ: --reason corrects them\n");
    return refused > 0 ? EXIT_FAILED : EXIT_OK;
}

static int load_into(const char *name, const char *url, struct rates_given *days, size_t count)
{
    static const struct ingest_config config; /* rates need none of it */
    char why[MESSAGE_MAX] = "";
    struct db *db = NULL;
    struct ingest_tx *tx = NULL;
    enum accord_error error = store_upgrade(url, why, sizeof why);
    if (error == ACCORD_OK)
        error = db_open(url, DB_READ_WRITE, &db);
    if (error == ACCORD_OK)
        error = ingest_tx_new(&config, &tx);
    if (error == ACCORD_OK)
        error = put(tx, db, days, count);
    if (error == ACCORD_OK)
        error = settle_queue(tx, db);
    if (error != ACCORD_OK)
        fprintf(stderr, "accord: %s: %s\n", url, why[0] == '\0' ? accord_error_title(error) : why);
    ingest_tx_free(tx);
    db_close(db);
    return error == ACCORD_OK ? report(name, days, count) : EXIT_FAILED;
}

static int load(const struct config *config, struct arena *arena, const struct options *options)
{
    struct slice text;
    struct rates_given *days;
    size_t count = 0;
    uint64_t line = 0;
    enum accord_error error = read_file(arena, options->file, &text);
    if (error == ACCORD_OK)
        error = rates_read_csv(arena, text, &days, &count, &line);
    if (error != ACCORD_OK) {
        fprintf(stderr, "accord: %s: line %" PRIu64 ": %s\n", options->file, line,
                accord_error_title(error));
        return EXIT_FAILED;
    }
    if (count > 0 && days[count - 1].day > clock_now_us() / CLOCK_DAY_US + 1) {
        fprintf(stderr, "accord: %s: a day lies in the future\n", options->file);
        return EXIT_FAILED;
    }
    for (size_t i = 0; i < count; i++)
        days[i].reason = options->reason;
    char *test_url = app_test_url(config->database);
    if (test_url == NULL)
        return EXIT_FAILED;
    const int live = load_into("live", config->database, days, count);
    const int test = load_into("test", test_url, days, count);
    free(test_url);
    return live == EXIT_OK ? test : live;
}

int cli_rates(const struct config *config, char *const *argv)
{
    struct options options = {.base = RATES_BASE, .reason = ""};
    if (argv[0] == NULL || strcmp(argv[0], "load") != 0 || !parse_options(argv + 1, &options))
        return cli_usage(usage);
    struct arena *arena = arena_new(arena_max);
    if (arena == NULL)
        return EXIT_FAILED;
    const int status = load(config, arena, &options);
    arena_free(arena);
    return status;
}
