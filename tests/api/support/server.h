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
/* SIGTERM; the exit status must be 0 and no sanitizer may have reported anything. NULL, or why it
 * is not so: for where no test is running. */
const char *server_end(struct server *server);
/* The same within a test, which fails when it is not so. */
void server_stop(struct server *server);
/* SIGKILL: what a crash or a power cut leaves behind. */
void server_kill(struct server *server);
/* Runs `accord verify` on the database: NULL when journal, entries and rollups agree. */
const char *server_verify(const struct server *server);
/* Removes the folder. */
void server_remove(struct server *server);
/* True when the log has this text in it. */
bool server_log_has(const struct server *server, const char *text);

#endif
