/* Requests to the server under test and what they answer. Every answer is recorded for the
 * validation against the contract. Responses and texts live until client_free_all(). */
#ifndef ACCORD_TESTS_API_CLIENT_H
#define ACCORD_TESTS_API_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct request {
    const char *method;
    const char *path;       /* with query */
    const char *key;        /* secret, or NULL */
    const char *body;       /* or NULL */
    size_t body_len;        /* 0: strlen(body) */
    const char *type;       /* NULL: application/json when there is a body */
    const char *headers[6]; /* further "Name: value" */
    bool chunked;           /* the length is not told in advance */
};

struct response {
    long status;   /* 0: the connection was closed without an answer */
    char *headers; /* lines, names in lower case */
    char *body;    /* NUL-terminated */
    size_t body_len;
    json_t *json; /* NULL: the body is not JSON */
    char method[8];
    char path[256];
};

/* Where requests go: "http://127.0.0.1:40123". */
void client_use(const char *base);
/* Begins the recording of this program in $ACCORD_API_RECORD, if that is set. */
void client_record_begin(const char *program);
void client_free_all(void);

/* A connection that fails is an answer with status 0. */
struct response *client_send(const struct request *request);

struct response *get(const char *key, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct response *post(const char *key, const char *path, const char *body);
struct response *put(const char *key, const char *path, const char *condition, const char *body);
struct response *patch(const char *key, const char *path, const char *condition, const char *body);
struct response *del(const char *key, const char *path);

/* Value of a response header ("etag"), or NULL. */
const char *header(const struct response *response, const char *name);
/* A formatted text. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Bytes over a socket of one's own, for what no decent client sends. */
int raw_connect(void);
/* Sends all of it; stops quietly when the peer closes. Returns how much was sent. */
size_t raw_send(int fd, const char *bytes, size_t len);
/* Reads until the peer closes or `timeout_ms` pass without a byte. */
char *raw_read(int fd, long timeout_ms, bool *ret_closed);
/* All of it: connects, sends, reads, closes. */
char *raw(const char *bytes, size_t len);
/* The status of a raw answer; 0: none. */
long raw_status(const char *answer);

#endif
