#include "support/server.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char operator_key[] = "accord_live_operatoroperatoroperatoroperatoroperator_00";

enum { READY_TIMEOUT_MS = 60000, STOP_TIMEOUT_MS = 20000, STEP_MS = 5 };

static void sleep_ms(long ms)
{
    const struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&wait, NULL);
}

static const char *binary(void)
{
    const char *path = getenv("ACCORD_BINARY");
    ck_assert_msg(path != NULL, "ACCORD_BINARY must name the program under test");
    return path;
}

void server_prepare(struct server *server)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(server->dir, sizeof server->dir, "%s/accord-api-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    ck_assert_msg(mkdtemp(server->dir) != NULL, "no temporary folder %s", server->dir);
    server->pid = 0;
}

static void set_env(const char *name, const char *before, const char *value, const char *after)
{
    char text[512];
    snprintf(text, sizeof text, "%s%s%s", before, value, after);
    setenv(name, text, 1);
}

/* In the child: the environment and the open files of the program. */
static void become(const struct server *server, const char *command)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    set_env("ACCORD_DATABASE", "sqlite:", server->dir, "/accord.db");
    setenv("ACCORD_OPERATOR_KEY", operator_key, 1);
    setenv("ACCORD_LISTEN", "127.0.0.1:0", 1);
    set_env("ASAN_OPTIONS", "detect_leaks=1:exitcode=99:log_path=", server->dir, "/sanitizer");
    set_env("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1:log_path=", server->dir,
            "/sanitizer");
    set_env("TSAN_OPTIONS", "second_deadlock_stack=1:exitcode=99:log_path=", server->dir,
            "/sanitizer");
    for (int i = 0; i < SERVER_ENV_MAX && server->env[i] != NULL; i++) {
        char name[128];
        const char *equals = strchr(server->env[i], '=');
        snprintf(name, sizeof name, "%.*s", (int)(equals - server->env[i]), server->env[i]);
        setenv(name, equals + 1, 1);
    }
    char log[160];
    snprintf(log, sizeof log, "%s/log", server->dir);
    const int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(126);
    execl(binary(), "accord", command, (char *)NULL);
    _exit(127);
}

/* The whole log as text; the caller frees it. NULL: there is none. */
static char *read_log(const struct server *server)
{
    char path[160];
    snprintf(path, sizeof path, "%s/log", server->dir);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    char part[4096];
    size_t got;
    while ((got = fread(part, 1, sizeof part, file)) > 0)
        fwrite(part, 1, got, out);
    fclose(file);
    fclose(out);
    return text;
}

bool server_log_has(const struct server *server, const char *text)
{
    char *log = read_log(server);
    const bool has = log != NULL && strstr(log, text) != NULL;
    free(log);
    return has;
}

/* The last line that says "ready" names the address: an earlier one is of an earlier start. */
static bool find_address(struct server *server, size_t skip)
{
    char *log = read_log(server);
    bool found = false;
    const char *line = log == NULL || strlen(log) < skip ? NULL : log + skip;
    while (line != NULL && !found) {
        const char *end = strchr(line, '\n');
        const char *ready = strstr(line, "\"ready\"");
        if (end == NULL || ready == NULL)
            break;
        if (ready < end) {
            const char *address = strstr(line, "127.0.0.1:");
            size_t len = address == NULL ? 0 : strspn(address, "0123456789.:");
            if (address != NULL && address < end && len < sizeof server->address) {
                snprintf(server->address, sizeof server->address, "%.*s", (int)len, address);
                snprintf(server->base, sizeof server->base, "http://%s", server->address);
                found = true;
            }
        }
        line = end + 1;
    }
    free(log);
    return found;
}

/* What went wrong with the end of the log: enough to see why. Static storage. */
static const char *with_log(const struct server *server, const char *what)
{
    static char message[4096];
    char *log = read_log(server);
    const size_t len = log == NULL ? 0 : strlen(log);
    snprintf(message, sizeof message, "%s; the end of its log:\n%s", what,
             log == NULL ? "" : log + (len > 3000 ? len - 3000 : 0));
    free(log);
    return message;
}

void server_start(struct server *server)
{
    char path[160];
    snprintf(path, sizeof path, "%s/log", server->dir);
    struct stat info;
    const size_t skip = stat(path, &info) == 0 ? (size_t)info.st_size : 0;
    server->pid = fork();
    ck_assert_msg(server->pid >= 0, "fork failed");
    if (server->pid == 0)
        become(server, "serve");
    for (long waited = 0; waited < READY_TIMEOUT_MS; waited += STEP_MS) {
        int status;
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            server->pid = 0;
            ck_abort_msg("%s", with_log(server, "accord serve ended instead of starting"));
        }
        if (find_address(server, skip))
            return;
        sleep_ms(STEP_MS);
    }
    server_kill(server);
    ck_abort_msg("%s", with_log(server, "accord serve did not say that it is ready"));
}

/* Sanitizers write to files sanitizer.PID in the folder. NULL: there are none. */
static const char *sanitizer_report(const struct server *server)
{
    static char message[8192];
    DIR *dir = opendir(server->dir);
    const struct dirent *entry;
    const char *found = NULL;
    while (dir != NULL && found == NULL && (entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, "sanitizer.", 10) != 0)
            continue;
        char path[512];
        snprintf(path, sizeof path, "%s/%s", server->dir, entry->d_name);
        FILE *file = fopen(path, "re");
        const size_t head = (size_t)snprintf(message, sizeof message, "a sanitizer reported:\n");
        if (file != NULL) {
            message[head + fread(message + head, 1, sizeof message - head - 1, file)] = '\0';
            fclose(file);
        }
        found = message;
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

const char *server_end(struct server *server)
{
    if (server->pid == 0)
        return NULL;
    const pid_t pid = server->pid;
    server->pid = 0;
    kill(pid, SIGTERM);
    for (long waited = 0; waited < STOP_TIMEOUT_MS; waited += STEP_MS) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid) {
            const char *report = sanitizer_report(server);
            if (report != NULL)
                return report;
            return WIFEXITED(status) && WEXITSTATUS(status) == 0
                       ? NULL
                       : with_log(server, "accord serve did not stop with exit status 0");
        }
        sleep_ms(STEP_MS);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return with_log(server, "accord serve did not stop in time");
}

void server_stop(struct server *server)
{
    const char *why_not = server_end(server);
    ck_assert_msg(why_not == NULL, "%s", why_not);
}

void server_kill(struct server *server)
{
    if (server->pid == 0)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

const char *server_verify(const struct server *server)
{
    const pid_t pid = fork();
    if (pid == 0)
        become(server, "verify");
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        return with_log(server, "accord verify does not agree");
    return sanitizer_report(server);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

void server_remove(struct server *server)
{
    nftw(server->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
