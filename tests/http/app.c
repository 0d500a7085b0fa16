#include "app.h"

#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

void sleep_ms(int ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

/* The test's log: overrides the one of base. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[65536];
static size_t log_len;

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               unsigned count)
{
    (void)level;
    pthread_mutex_lock(&log_lock);
    size_t room = sizeof log_text - log_len;
    if (room > 2048) {
        log_len += (size_t)snprintf(log_text + log_len, room, "%s", event);
        for (unsigned i = 0; i < count; i++) {
            room = sizeof log_text - log_len;
            if (fields[i].is_number)
                log_len += (size_t)snprintf(log_text + log_len, room, " %s=%lld", fields[i].name,
                                            (long long)fields[i].number);
            else if (fields[i].text != NULL)
                log_len += (size_t)snprintf(log_text + log_len, room, " %s=%s", fields[i].name,
                                            fields[i].text);
        }
        log_len += (size_t)snprintf(log_text + log_len, sizeof log_text - log_len, "\n");
    }
    pthread_mutex_unlock(&log_lock);
}

const char *test_log(void)
{
    static char copy[sizeof log_text];
    pthread_mutex_lock(&log_lock);
    memcpy(copy, log_text, sizeof copy);
    pthread_mutex_unlock(&log_lock);
    return copy;
}

static bool path_is(const struct http_exchange *x, const char *name)
{
    return x->request.segment_count > 0 && slice_equal(x->request.segments[0], slice_of(name));
}

static long query_number(const struct http_exchange *x, const char *name)
{
    const struct slice value = http_query(x, name);
    return value.data == NULL ? 0 : strtol(value.data, NULL, 10);
}

/* Routes: /tiny takes 16 bytes, /none no body, /refuse refuses at the headers, the rest 8 MiB. */
static bool begin(void *context, struct http_exchange *x, size_t *ret_body_max)
{
    struct test_app *app = context;
    atomic_fetch_add(&app->begun, 1);
    x->user = malloc(1); /* a leak or a double free tells of a wrong number of end() */
    x->route = "test";
    x->partner = "tester";
    if (path_is(x, "refuse")) {
        x->reply.status = 401;
        x->reply.content_type = "text/plain";
        buf_add_str(&x->reply.body, "who are you");
        return false;
    }
    *ret_body_max = path_is(x, "tiny") ? 16 : path_is(x, "none") ? 0 : 8 << 20;
    return true;
}

/* /path: what the target was decoded to. */
static void show_path(struct http_exchange *x)
{
    struct buf *out = &x->reply.body;
    buf_add_slice(out, x->request.method);
    for (size_t i = 0; i < x->request.segment_count; i++) {
        buf_add_char(out, '|');
        buf_add_slice(out, x->request.segments[i]);
    }
    for (size_t i = 0; i < x->request.query_count; i++) {
        buf_add_char(out, '&');
        buf_add_slice(out, x->request.query[i].name);
        buf_add_char(out, '=');
        buf_add_slice(out, x->request.query[i].value);
    }
}

/* /big?n=: n bytes of JSON-like text that compresses. */
static void show_big(struct http_exchange *x)
{
    const size_t want = (size_t)query_number(x, "n");
    x->reply.content_type = "application/json";
    http_reply_header(x, "ETag", "\"v1\"");
    if (http_etag_matches(http_header(x, "If-None-Match"), "\"v1\"")) {
        x->reply.status = 304;
        x->reply.content_type = NULL;
        return;
    }
    for (unsigned i = 0; x->reply.body.len + 16 <= want; i++)
        buf_printf(&x->reply.body, "{\"i\":%09u},", i % 1000);
    while (x->reply.body.len < want)
        buf_add_char(&x->reply.body, '.');
}

/* /stream?pieces=&size=&fail=&ms=&now=: a body of so many pieces, the first of them at once; the
 * piece `fail` fails; each takes `ms` on the thread of pieces, or (now=1) is made on the worker;
 * the piece `hold` waits for the test. */
struct stream {
    long at; /* the next piece */
    size_t offset;
    long pieces;
    long size;
    long fail;
    long hold;
    int ms;
    bool now;
};

enum { STREAM_PERIOD = 23 };

static char stream_text[65536 + STREAM_PERIOD];

char test_stream_byte(size_t offset)
{
    return (char)('a' + offset % STREAM_PERIOD);
}

static void fill_stream_text(void)
{
    for (size_t i = 0; i < sizeof stream_text; i++)
        stream_text[i] = test_stream_byte(i);
}

static void make_piece(struct http_exchange *x)
{
    struct stream *stream = x->user;
    const bool failed = stream->at == stream->fail;
    if (!failed)
        buf_add(&x->reply.body, stream_text + stream->offset % STREAM_PERIOD, (size_t)stream->size);
    stream->offset += (size_t)stream->size;
    stream->at++;
    x->reply.stream = failed ? HTTP_FAILED : stream->at >= stream->pieces ? HTTP_LAST : HTTP_MORE;
    if (failed)
        x->error_code = "no_piece";
}

static void begin_stream(struct http_exchange *x)
{
    struct stream *stream = calloc(1, sizeof *stream);
    *stream = (struct stream){
        .pieces = query_number(x, "pieces"),
        .size = query_number(x, "size"),
        .fail = http_query(x, "fail").data == NULL ? -1 : query_number(x, "fail"),
        .hold = http_query(x, "hold").data == NULL ? -1 : query_number(x, "hold"),
        .ms = (int)query_number(x, "ms"),
        .now = query_number(x, "now") != 0,
    };
    free(x->user);
    x->user = stream;
    x->reply.content_type = "application/x-ndjson";
    http_reply_header(x, "ETag", "\"s1\"");
    make_piece(x);
}

static void answer(struct http_exchange *x)
{
    x->reply.status = 200;
    x->reply.content_type = "text/plain";
    if (path_is(x, "path") || slice_equal(x->request.target, SLICE("*")))
        show_path(x);
    else if (path_is(x, "big"))
        show_big(x);
    else if (path_is(x, "size"))
        buf_printf(&x->reply.body, "%zu %d %d", x->request.body.len, x->request.body_length_known,
                   x->request.body.len == 0 ? 0 : x->request.body.data[x->request.body.len - 1]);
    else if (path_is(x, "echo"))
        buf_add_slice(&x->reply.body, x->request.body);
    else if (path_is(x, "stream"))
        begin_stream(x);
    else if (path_is(x, "empty"))
        x->reply.status = 204, x->reply.content_type = NULL;
    else if (path_is(x, "unfilled"))
        x->reply.status = 0;
    else if (path_is(x, "close"))
        x->reply.close = true, buf_add_str(&x->reply.body, "bye");
    else
        buf_add_str(&x->reply.body, "hello");
}

/* The thread of pieces: one for all streams, as a small pool would be. */
static pthread_mutex_t maker_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t maker_wake = PTHREAD_COND_INITIALIZER;
static pthread_t maker;
static bool maker_runs, maker_stops;
static struct http_exchange *waiting[1024];
static size_t waiting_from, waiting_count;

static void *make_pieces(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&maker_lock);
    while (waiting_count > 0 || !maker_stops) {
        if (waiting_count == 0) {
            pthread_cond_wait(&maker_wake, &maker_lock);
            continue;
        }
        struct http_exchange *x = waiting[waiting_from];
        waiting_from = (waiting_from + 1) % 1024;
        waiting_count--;
        pthread_mutex_unlock(&maker_lock);
        const struct stream *stream = x->user;
        if (stream->ms > 0)
            sleep_ms(stream->ms);
        make_piece(x);
        http_wake(x);
        pthread_mutex_lock(&maker_lock);
    }
    pthread_mutex_unlock(&maker_lock);
    return NULL;
}

static void stop_maker(void)
{
    pthread_mutex_lock(&maker_lock);
    const bool runs = maker_runs;
    maker_stops = true;
    pthread_cond_signal(&maker_wake);
    pthread_mutex_unlock(&maker_lock);
    if (runs)
        pthread_join(maker, NULL);
    maker_runs = maker_stops = false;
}

static enum http_result more(void *context, struct http_exchange *x)
{
    struct test_app *app = context;
    const struct stream *stream = x->user;
    ck_assert_uint_eq(x->reply.body.len, 0);
    atomic_fetch_add(&app->pieces, 1);
    if (stream->now) {
        make_piece(x);
        return HTTP_DONE;
    }
    if (stream->at == stream->hold) {
        atomic_store(&app->held, x);
        return HTTP_PENDING;
    }
    pthread_mutex_lock(&maker_lock);
    if (!maker_runs)
        ck_assert_int_eq(pthread_create(&maker, NULL, make_pieces, NULL), 0);
    maker_runs = true;
    ck_assert_uint_lt(waiting_count, 1024);
    waiting[(waiting_from + waiting_count++) % 1024] = x;
    pthread_cond_signal(&maker_wake);
    pthread_mutex_unlock(&maker_lock);
    return HTTP_PENDING;
}

/* A thread that works on an exchange and wakes it, as a writer would. */
struct late {
    struct http_exchange *x;
    int ms;
};

static void *wake_late(void *argument)
{
    struct late *late = argument;
    if (late->ms > 0)
        sleep_ms(late->ms);
    late->x->user = realloc(late->x->user, 2); /* it is ours until the wake */
    late->x->error_code = "worked";
    buf_add_str(&late->x->reply.body, "late:");
    http_wake(late->x);
    free(late);
    return NULL;
}

/* /pend?ms=: woken by a thread of its own; /now: within run(); /hold: by the test. */
static enum http_result run(void *context, struct http_exchange *x)
{
    struct test_app *app = context;
    if (path_is(x, "now")) {
        http_wake(x);
        return HTTP_PENDING;
    }
    if (path_is(x, "hold")) {
        atomic_store(&app->held, x);
        return HTTP_PENDING;
    }
    if (path_is(x, "pend")) {
        struct late *late = malloc(sizeof *late);
        *late = (struct late){x, (int)query_number(x, "ms")};
        pthread_attr_t attributes;
        pthread_t thread;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 256 * 1024);
        ck_assert_int_eq(pthread_create(&thread, &attributes, wake_late, late), 0);
        pthread_attr_destroy(&attributes);
        return HTTP_PENDING;
    }
    answer(x);
    return HTTP_DONE;
}

static void resumed(void *context, struct http_exchange *x)
{
    struct test_app *app = context;
    atomic_fetch_add(&app->resumed, 1);
    answer(x);
}

static void end(void *context, struct http_exchange *x)
{
    struct test_app *app = context;
    free(x->user);
    atomic_fetch_add(&app->ended, 1);
}

static void finished(void *context, const struct http_exchange *x, int64_t duration_us)
{
    struct test_app *app = context;
    ck_assert_int_ge(duration_us, 0);
    atomic_store(&app->last_status, x->reply.status);
    atomic_fetch_add(&app->finished, 1);
}

struct http_config test_config(void)
{
    return (struct http_config){
        .listen = "127.0.0.1:0",
        .workers = 1,
        .connections_max = 1000,
        .head_timeout_ms = 5000,
        .idle_timeout_ms = 5000,
        .run_timeout_ms = 5000,
        .body_rate_min = 100,
        .rate_grace_ms = 5000,
        .spill_bytes = 1 << 20,
        .bodies_memory = (size_t)64 << 20,
        .bodies_files = (size_t)1 << 30,
        .decoded_max = 8 << 20,
    };
}

static void prepare(struct test_app *app)
{
    *app = (struct test_app){0};
    strcpy(app->dir, "/tmp/accord-http-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(app->dir));
}

void test_start(struct test_app *app, struct http_config config)
{
    if (app->dir[0] == '\0')
        prepare(app);
    const struct http_app callbacks = {.context = app,
                                       .begin = begin,
                                       .run = run,
                                       .resumed = resumed,
                                       .more = more,
                                       .end = end,
                                       .finished = finished};
    config.spill_dir = app->dir;
    fill_stream_text();
    ck_assert_int_eq(http_start(&config, &callbacks, &app->server, app->address), ACCORD_OK);
}

void test_start_unix(struct test_app *app, struct http_config config)
{
    char listen[128];
    prepare(app);
    snprintf(listen, sizeof listen, "unix:%s/socket", app->dir);
    config.listen = listen;
    test_start(app, config);
}

void test_stop(struct test_app *app)
{
    test_stop_within(app, 2000);
}

void test_stop_within(struct test_app *app, int64_t ms)
{
    http_stop(app->server, ms);
    stop_maker();
    ck_assert_uint_eq(atomic_load(&app->begun), atomic_load(&app->ended));
    ck_assert_uint_ge(atomic_load(&app->finished), atomic_load(&app->ended));
    ck_assert_int_eq(rmdir(app->dir), 0); /* nothing is left in it */
}

void test_wait_for(_Atomic unsigned *counter, unsigned value)
{
    for (int i = 0; i < 500 && atomic_load(counter) != value; i++)
        sleep_ms(10);
    ck_assert_uint_eq(atomic_load(counter), value);
}

void test_wait_connections(const struct test_app *app, unsigned value)
{
    for (int i = 0; i < 500 && http_connections(app->server) != value; i++)
        sleep_ms(10);
    ck_assert_uint_eq(http_connections(app->server), value);
}

struct http_exchange *test_take_held(struct test_app *app)
{
    struct http_exchange *held = NULL;
    for (int i = 0; i < 500 && held == NULL; i++) {
        held = atomic_exchange(&app->held, NULL);
        if (held == NULL)
            sleep_ms(10);
    }
    ck_assert_ptr_nonnull(held);
    return held;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

int client_connect(const struct test_app *app)
{
    if (strncmp(app->address, "unix:", 5) == 0)
        return connect_unix(app->address + 5);
    char host[128];
    snprintf(host, sizeof host, "%s", app->address);
    char *colon = strrchr(host, ':');
    *colon = '\0';
    char *name = host;
    if (name[0] == '[') {
        name++;
        name[strlen(name) - 1] = '\0';
    }
    struct addrinfo *info;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    ck_assert_int_eq(getaddrinfo(name, colon + 1, &hints, &info), 0);
    const int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, info->ai_addr, info->ai_addrlen), 0);
    freeaddrinfo(info);
    return fd;
}

bool client_send(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        const ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

bool client_text(int fd, const char *text)
{
    return client_send(fd, text, strlen(text));
}

/* One byte or more; 0 at the end, on an error or after 10 s. */
static size_t receive(int fd, void *data, size_t max)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, 10000) <= 0)
        return 0;
    const ssize_t got = recv(fd, data, max, 0);
    return got <= 0 ? 0 : (size_t)got;
}

struct answer client_read(int fd, bool head)
{
    struct answer a = {0};
    do {
        size_t len = 0;
        while (len < sizeof a.head - 1 && receive(fd, a.head + len, 1) == 1) {
            len++;
            if (len >= 4 && memcmp(a.head + len - 4, "\r\n\r\n", 4) == 0)
                break;
        }
        a.head[len] = '\0';
        a.status = 0;
        if (sscanf(a.head, "HTTP/1.1 %u ", &a.status) != 1)
            return a;
    } while (a.status == 100);
    const char *length = answer_header(&a, "Content-Length");
    const size_t want = length == NULL || head || a.status == 204 || a.status == 304
                            ? 0
                            : strtoul(length, NULL, 10);
    a.body = calloc(1, want + 1);
    while (a.body_len < want) {
        const size_t got = receive(fd, a.body + a.body_len, want - a.body_len);
        if (got == 0)
            break;
        a.body_len += got;
    }
    return a;
}

void answer_done(struct answer *a)
{
    free(a->body);
    *a = (struct answer){0};
}

const char *answer_header(const struct answer *a, const char *name)
{
    static char value[1024];
    const size_t len = strlen(name);
    for (const char *line = strstr(a->head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            const char *from = line + len + 1 + strspn(line + len + 1, " ");
            snprintf(value, sizeof value, "%.*s", (int)strcspn(from, "\r"), from);
            return value;
        }
    }
    return NULL;
}

bool client_closed(int fd, int ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char scrap[4096];
    while (poll(&wait, 1, ms) > 0) {
        if (recv(fd, scrap, sizeof scrap, 0) <= 0)
            return true;
    }
    return false;
}

struct answer client_once(const struct test_app *app, const void *request, size_t len,
                          bool *ret_closed)
{
    const int fd = client_connect(app);
    client_send(fd, request, len);
    const struct answer a = client_read(fd, false);
    if (ret_closed != NULL)
        *ret_closed = client_closed(fd, 300);
    close(fd);
    return a;
}

struct answer client_get(const struct test_app *app, const char *target, const char *headers)
{
    char request[4096];
    const int len =
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", target, headers);
    return client_once(app, request, (size_t)len, NULL);
}

int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}
