/* `accord serve`. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/app.h"
#include "base/log.h"
#include "cli.h"

/* Of the ten seconds that a stop may take; the rest is for what is already being written. */
enum { STOP_DEADLINE_MS = 8000 };

extern char **environ;

static int open_log(const struct config *config)
{
    int fd = STDERR_FILENO;
    if (config->log_file[0] != '\0') {
        fd = open(config->log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
        if (fd < 0) {
            fprintf(stderr, "accord: ACCORD_LOG_FILE: %s: %s\n", config->log_file, strerror(errno));
            return -1;
        }
    }
    log_open(fd, config->log_level);
    return fd;
}

static void warn_of_unknown_settings(void)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        char name[64];
        const size_t len = strcspn(*entry, "=");
        if (strncmp(*entry, "ACCORD_", 7) != 0 || len >= sizeof name)
            continue;
        memcpy(name, *entry, len);
        name[len] = '\0';
        if (!config_is_known(name))
            LOG(LOG_WARN, "setting_unknown", LOG_TEXT("variable", name));
    }
}

/* Blocked in every thread, taken by this one alone. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow further is an error like a full disk */
}

static int wait_for_stop(const sigset_t *set)
{
    for (;;) {
        const int number = sigwaitinfo(set, NULL);
        if (number == SIGTERM || number == SIGINT)
            return number;
        /* SIGHUP: a terminal has gone, or somebody asks for a reload that there is not. */
    }
}

int cli_serve(const struct config *config, char *const *argv)
{
    char address[128];
    char why[APP_WHY_MAX];
    struct app *app = NULL;
    sigset_t signals;
    if (argv[0] != NULL)
        return cli_usage("serve");
    block_signals(&signals);
    const int log = open_log(config);
    if (log < 0)
        return EXIT_FAILED;
    warn_of_unknown_settings();
    enum accord_error error = app_open(config, http_wake, &app, why);
    if (error == ACCORD_OK)
        error = app_listen(app, address, why);
    if (error != ACCORD_OK) {
        LOG(LOG_ERROR, "start_failed", LOG_TEXT("code", accord_error_code(error)),
            LOG_TEXT("message", why));
        if (log != STDERR_FILENO)
            fprintf(stderr, "accord: %s\n", why);
        app_stop(app, 0);
        return EXIT_FAILED;
    }
    LOG(LOG_INFO, "ready", LOG_TEXT("version", ACCORD_VERSION), LOG_TEXT("address", address),
        LOG_TEXT("database", config->database), LOG_INT("workers", app->worker_count));
    const int signal_number = wait_for_stop(&signals);
    LOG(LOG_INFO, "stopping", LOG_TEXT("signal", signal_number == SIGINT ? "INT" : "TERM"));
    app_stop(app, STOP_DEADLINE_MS);
    log_write(LOG_INFO, "stopped", NULL, 0);
    if (log != STDERR_FILENO)
        close(log);
    return EXIT_OK;
}
