/* The real program under test: started on a folder of its own, stopped, killed, started again. */
#ifndef ACCORD_TESTS_API_SERVER_H
#define ACCORD_TESTS_API_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

enum { SERVER_ENV_MAX = 16 };

struct server {
    pid_t pid;                       /* 0: not running */
    char dir[128];                   /* holds the database, the log, what sanitizers reported */
    char address[64];                /* "127.0.0.1:40123" */
    char base[80];                   /* "http://127.0.0.1:40123" */
    const char *env[SERVER_ENV_MAX]; /* further "NAME=value", ended by NULL */
};

/* The operator's key of every server of this suite. */
extern const char operator_key[];

/* Makes a folder under $TMPDIR; fails the test when it cannot. */
void server_prepare(struct server *server);
/* Starts `accord serve` and waits until its log says that it is ready. */
void server_start(struct server *server);
/* SIGTERM; the exit status must be 0 and no sanitizer may have reported anything. */
void server_stop(struct server *server);
/* SIGKILL: what a crash or a power cut leaves behind. */
void server_kill(struct server *server);
/* Runs `accord COMMAND` on the server's database; returns its exit status. */
int server_command(const struct server *server, const char *command);
/* Removes the folder. */
void server_remove(struct server *server);
/* True when the log has this text in it. */
bool server_log_has(const struct server *server, const char *text);

#endif
