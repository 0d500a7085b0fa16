/* A small application on the HTTP server, and a raw client, for the tests of src/http. */
#ifndef ACCORD_TESTS_HTTP_APP_H
#define ACCORD_TESTS_HTTP_APP_H

#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"

/* The application: what it does stands at its routes in app.c. */
struct test_app {
    struct http_server *server;
    char address[128];
    char dir[64]; /* a temporary folder, for spilled bodies and the Unix socket */
    _Atomic unsigned begun;
    _Atomic unsigned resumed;
    _Atomic unsigned finished;
    _Atomic unsigned ended;
    _Atomic unsigned last_status;
    _Atomic unsigned pieces;            /* of streams; made, or failed */
    struct http_exchange *_Atomic held; /* of /hold: to be woken by the test */
};

/* A configuration that suits most tests; change what the test is about, then start. */
struct http_config test_config(void);
void test_start(struct test_app *app, struct http_config config);
/* Like test_start(), on "unix:<dir>/socket". */
void test_start_unix(struct test_app *app, struct http_config config);
/* Stops, checks that every exchange that began has ended, removes the folder. */
void test_stop(struct test_app *app);
void test_stop_within(struct test_app *app, int64_t ms);
/* What stands at a place of the body of /stream. */
char test_stream_byte(size_t offset);
/* Waits up to 5 s until the counter has that value. */
void test_wait_for(_Atomic unsigned *counter, unsigned value);
void test_wait_connections(const struct test_app *app, unsigned value);
/* Waits for /hold and takes it. */
struct http_exchange *test_take_held(struct test_app *app);

/* The log lines of requests since the start of the process, as text; what log_write() got. */
const char *test_log(void);

/* One answer as the client saw it. */
struct answer {
    unsigned status; /* 0: none came */
    char head[8192];
    char *body; /* NUL-terminated; freed by answer_done() */
    size_t body_len;
};

int client_connect(const struct test_app *app);
/* False when the server does not take it (any more). */
bool client_send(int fd, const void *data, size_t len);
bool client_text(int fd, const char *text);
/* Reads one answer, at most 10 s. `head`: it answers a HEAD. */
struct answer client_read(int fd, bool head);
void answer_done(struct answer *answer);
/* The value of a header in answer->head, or NULL; static storage. */
const char *answer_header(const struct answer *answer, const char *name);
/* Whether the server closes within `ms`, whatever it still sends. */
bool client_closed(int fd, int ms);
/* One request on a connection of its own. *ret_closed (may be NULL): the server closed after it. */
struct answer client_once(const struct test_app *app, const void *request, size_t len,
                          bool *ret_closed);
struct answer client_get(const struct test_app *app, const char *target, const char *headers);

int count_fds(void);
void sleep_ms(int ms);

#endif
