/* `accord migrate`, `verify`, `config`, `health`. */
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/app.h"
#include "cli.h"
#include "ingest/verify.h"
#include "store/health.h"
#include "store/upgrade.h"

enum { MESSAGE_MAX = 640, HEALTH_TIMEOUT_S = 5 };

static int migrate_one(const char *url)
{
    char why[MESSAGE_MAX] = "";
    const enum accord_error error = store_upgrade(url, why, sizeof why);
    if (error != ACCORD_OK) {
        fprintf(stderr, "accord: %s: %s\n", url, why[0] == '\0' ? accord_error_title(error) : why);
        return EXIT_FAILED;
    }
    printf("%s is up to date\n", url);
    return EXIT_OK;
}

int cli_migrate(const struct config *config, char *const *argv)
{
    if (argv[0] != NULL)
        return cli_usage("migrate");
    char *test_url = app_test_url(config->database);
    if (test_url == NULL)
        return EXIT_FAILED;
    int status = migrate_one(config->database);
    if (status == EXIT_OK)
        status = migrate_one(test_url);
    free(test_url);
    return status;
}

int cli_config(const struct config *config, char *const *argv)
{
    struct buf out;
    if (argv[0] != NULL)
        return cli_usage("config");
    buf_init(&out, (size_t)1 << 20);
    config_print(config, &out);
    const bool good = buf_error(&out) == ACCORD_OK;
    if (good)
        fwrite(out.data, 1, out.len, stdout);
    buf_done(&out);
    return good ? EXIT_OK : EXIT_FAILED;
}

/* ---- verify ---- */

static void print_difference(void *context, const char *table, const char *what)
{
    printf("%s: %s: %s\n", (const char *)context, table, what);
}

static int verify_one(const char *name, const char *url)
{
    struct db *db = NULL;
    struct verify_summary found;
    char title[16];
    snprintf(title, sizeof title, "%s", name);
    enum accord_error error = db_open(url, DB_READ_ONLY, &db);
    if (error == ACCORD_OK)
        error = store_ready(db);
    if (error == ACCORD_OK)
        error = ingest_verify(db, print_difference, title, &found);
    if (error != ACCORD_OK) {
        fprintf(stderr, "accord: %s: %s\n", url, accord_error_title(error));
        db_close(db);
        return EXIT_FAILED;
    }
    db_close(db);
    printf("%s: %" PRId64 " facts, %" PRId64 " orders, %" PRId64 " memberships, %" PRId64
           " lines, %" PRId64 " entries, %" PRId64 " rollups, %" PRId64 " ratings, %" PRId64
           " waiting: %" PRId64 " differences\n",
           name, found.facts, found.orders, found.memberships, found.lines, found.entries,
           found.rollups, found.ratings, found.waiting, found.differences);
    return found.differences == 0 ? EXIT_OK : EXIT_FAILED;
}

int cli_verify(const struct config *config, char *const *argv)
{
    if (argv[0] != NULL)
        return cli_usage("verify");
    char *test_url = app_test_url(config->database);
    if (test_url == NULL)
        return EXIT_FAILED;
    /* Both are looked at, whatever the first says. */
    const int live = verify_one("live", config->database);
    const int test = verify_one("test", test_url);
    free(test_url);
    return live == EXIT_OK ? test : live;
}

/* ---- health ---- */

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int connect_tcp(const char *listen)
{
    char host[256];
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || (size_t)(colon - listen) >= sizeof host)
        return -1;
    const bool bracketed = listen[0] == '[';
    snprintf(host, sizeof host, "%.*s", (int)(colon - listen) - (bracketed ? 2 : 0),
             listen + (bracketed ? 1 : 0));
    /* What listens on every address is asked on this machine's own. */
    const bool any4 = strcmp(host, "0.0.0.0") == 0 || host[0] == '\0';
    const bool any6 = strcmp(host, "::") == 0;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (getaddrinfo(any4 ? "127.0.0.1" : any6 ? "::1" : host, colon + 1, &hints, &found) != 0)
        return -1;
    int fd = -1;
    for (const struct addrinfo *one = found; one != NULL && fd < 0; one = one->ai_next) {
        fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
        if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static bool send_all(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        const ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        text += sent;
        left -= (size_t)sent;
    }
    return true;
}

/* The status line: "HTTP/1.1 200 OK". */
static int read_status(int fd)
{
    char line[64] = "";
    size_t len = 0;
    while (len < 12) {
        const ssize_t got = recv(fd, line + len, sizeof line - 1 - len, 0);
        if (got <= 0)
            return 0;
        len += (size_t)got;
    }
    line[len] = '\0';
    if (strncmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
        return 0;
    return (int)strtol(line + 9, NULL, 10);
}

int cli_health(const struct config *config, char *const *argv)
{
    static const char request[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n"
                                  "Connection: close\r\n\r\n";
    const struct timeval timeout = {.tv_sec = HEALTH_TIMEOUT_S};
    if (argv[0] != NULL)
        return cli_usage("health");
    const bool is_unix = strncmp(config->listen, "unix:", 5) == 0;
    const int fd = is_unix ? connect_unix(config->listen + 5) : connect_tcp(config->listen);
    if (fd < 0) {
        fprintf(stderr, "accord: nothing answers at %s\n", config->listen);
        return EXIT_FAILED;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    const int status = send_all(fd, request) ? read_status(fd) : 0;
    close(fd);
    if (status != 200) {
        fprintf(stderr, "accord: %s answered with status %d\n", config->listen, status);
        return EXIT_FAILED;
    }
    printf("ready\n");
    return EXIT_OK;
}
