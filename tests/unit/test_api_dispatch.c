/*
 * Requests through the whole of api/, without a socket: exchanges are made here, the writer, the
 * jobs and the databases are real.
 */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "api/app.h"
#include "api/auth.h"
#include "api/bootstrap.h"
#include "api/dispatch.h"
#include "api/kept.h"
#include "base/config.h"
#include "base/log.h"
#include "http/internal.h"

enum { HEADERS = 8, IN_FLIGHT = 64 };

/* ---- a service in a folder of its own ---- */

static char folder[64];
static char database[96];
static const char *rate;
static struct config config;
static struct app *app;
static struct http_app handlers;
static char operator_secret[AUTH_SECRET_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;

static const char *look_up(void *context, const char *variable)
{
    (void)context;
    if (strcmp(variable, "ACCORD_DATABASE") == 0)
        return database;
    if (strcmp(variable, "ACCORD_OPERATOR_KEY") == 0)
        return operator_secret;
    if (strcmp(variable, "ACCORD_WORKERS") == 0)
        return "1";
    if (strcmp(variable, "ACCORD_JOB_THREADS") == 0)
        return "2";
    return strcmp(variable, "ACCORD_RATE_PER_SECOND") == 0 ? rate : NULL;
}

static void wake(struct http_exchange *exchange)
{
    pthread_mutex_lock(&lock);
    *(bool *)((struct exchange *)exchange)->next = true;
    pthread_cond_broadcast(&woken);
    pthread_mutex_unlock(&lock);
}

static void open_app(void)
{
    char why[APP_WHY_MAX];
    log_open(STDERR_FILENO, LOG_ERROR);
    ck_assert_int_eq(config_load(look_up, NULL, &config, why), ACCORD_OK);
    ck_assert_msg(app_open(&config, wake, &app, why) == ACCORD_OK, "%s", why);
    handlers = dispatch_http(app->dispatch);
}

static void close_app(void)
{
    app_stop(app, 0);
    config_done(&config);
}

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/accord-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(database, sizeof database, "sqlite:%s/books.db", folder);
    auth_secret_make(AUTH_LIVE, operator_secret);
    open_app();
}

static void tear_down(void)
{
    close_app();
    static const char *const names[] = {"books.db",      "books.db-wal",      "books.db-shm",
                                        "books-test.db", "books-test.db-wal", "books-test.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* ---- requests ---- */

struct request {
    const char *method, *path, *query, *key, *body;
    const char *headers[HEADERS][2];
};

struct sent {
    struct exchange exchange;
    struct slice text[HTTP_SEGMENTS_MAX];
    bool pending;
    bool is_awake;
    char authorization[128];
    char length[24];
};

static void add_header(struct sent *sent, const char *name, const char *value)
{
    sent->exchange.headers[sent->exchange.header_count++] =
        (struct http_pair){slice_of(name), slice_of(value)};
}

static void add_query(struct http_request *request, const char *query)
{
    while (query != NULL && *query != '\0') {
        const size_t len = strcspn(query, "&");
        const size_t name = strcspn(query, "=");
        request->query[request->query_count++] =
            (struct http_pair){{query, name}, {query + name + 1, len - name - 1}};
        query += len + (query[len] == '&');
    }
}

/* begin() and run(): what a worker does. */
static struct sent *start(const struct request *wanted)
{
    struct sent *sent = calloc(1, sizeof *sent);
    struct http_exchange *http = &sent->exchange.pub;
    struct http_request *request = &http->request;
    size_t body_max = 0;
    http->arena = arena_new((size_t)16 << 20);
    request->method = slice_of(wanted->method);
    request->target = slice_of(wanted->path);
    request->body_length_known = true;
    snprintf(request->request_id, sizeof request->request_id, "test-1");
    for (const char *at = wanted->path; *at == '/';) {
        const size_t len = strcspn(++at, "/");
        request->segments[request->segment_count++] = (struct slice){at, len};
        at += len;
    }
    add_query(request, wanted->query);
    if (wanted->key != NULL) {
        snprintf(sent->authorization, sizeof sent->authorization, "Bearer %s", wanted->key);
        add_header(sent, "Authorization", sent->authorization);
    }
    for (size_t i = 0; i < HEADERS && wanted->headers[i][0] != NULL; i++)
        add_header(sent, wanted->headers[i][0], wanted->headers[i][1]);
    if (wanted->body != NULL) {
        snprintf(sent->length, sizeof sent->length, "%zu", strlen(wanted->body));
        add_header(sent, "Content-Length", sent->length);
    }
    sent->exchange.next = (struct exchange *)&sent->is_awake;
    if (!handlers.begin(handlers.context, http, &body_max))
        return sent;
    request->body = slice_of(wanted->body);
    ck_assert_uint_le(request->body.len, body_max + 16384);
    sent->pending = handlers.run(handlers.context, http) == HTTP_PENDING;
    return sent;
}

static void finish(struct sent *sent)
{
    if (sent->pending) {
        pthread_mutex_lock(&lock);
        while (!sent->is_awake)
            pthread_cond_wait(&woken, &lock);
        pthread_mutex_unlock(&lock);
        handlers.resumed(handlers.context, &sent->exchange.pub);
    }
    handlers.finished(handlers.context, &sent->exchange.pub, 1);
}

static void drop(struct sent *sent)
{
    handlers.end(handlers.context, &sent->exchange.pub);
    buf_done(&sent->exchange.pub.reply.body);
    arena_free(sent->exchange.pub.arena);
    free(sent);
}

static struct sent *call(struct request wanted)
{
    struct sent *sent = start(&wanted);
    finish(sent);
    return sent;
}

static const char *header(const struct sent *sent, const char *name)
{
    const struct http_reply *reply = &sent->exchange.pub.reply;
    for (size_t i = 0; i < reply->header_count; i++)
        if (slice_equal(reply->headers[i].name, slice_of(name)))
            return reply->headers[i].value.data;
    return NULL;
}

static unsigned status(const struct sent *sent)
{
    return sent->exchange.pub.reply.status;
}

/* The reply's body as a text of the exchange's arena. */
static const char *body(const struct sent *sent)
{
    return arena_strdup(sent->exchange.pub.arena, buf_slice(&sent->exchange.pub.reply.body));
}

/* A text member of the reply's object. */
static const char *member(const struct sent *sent, const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *at = strstr(body(sent), quoted);
    if (at == NULL)
        return NULL;
    at += strlen(quoted);
    return arena_strdup(sent->exchange.pub.arena, (struct slice){at, strcspn(at, "\"")});
}

#define JSON_BODY                                                                                  \
    {                                                                                              \
        "Content-Type", "application/json"                                                         \
    }

static void expect(struct sent *sent, unsigned want_status, const char *code)
{
    const char *got = member(sent, "code");
    ck_assert_msg(
        status(sent) == want_status && (code == NULL || (got != NULL && strcmp(got, code) == 0)),
        "want %u %s, got %u %s", want_status, code == NULL ? "" : code, status(sent), body(sent));
    drop(sent);
}

static const char coursera[] =
    "{\"id\":\"coursera\",\"name\":\"Coursera\",\"roles\":[\"provider\"],"
    "\"currency\":\"USD\",\"time_zone\":\"UTC\"}";

static struct request post(const char *path, const char *text)
{
    return (struct request){"POST", path, NULL, operator_secret, text, {JSON_BODY}};
}

static struct request get(const char *path, const char *key)
{
    return (struct request){.method = "GET", .path = path, .key = key};
}

static void make_partner(void)
{
    expect(call(post("/v1/partners", coursera)), 201, NULL);
}

/* A key of coursera; returns its secret, and its id. */
static void make_key(const char *text, char secret[AUTH_SECRET_MAX], char id[RANDOM_ID_MAX])
{
    struct sent *sent = call(post("/v1/partners/coursera/keys", text));
    ck_assert_msg(status(sent) == 201, "%s", body(sent));
    snprintf(secret, AUTH_SECRET_MAX, "%s", member(sent, "secret"));
    snprintf(id, RANDOM_ID_MAX, "%s", member(sent, "id"));
    drop(sent);
}

/* ---- tests ---- */

START_TEST(refusals_before_the_body)
{
    struct sent *sent;
    expect(call(get("/v1/nothing", operator_secret)), 404, "not_found");
    expect(call(get("/v1/me", NULL)), 401, "unauthenticated");
    expect(call(get("/v1/me", "accord_live_short")), 401, "unauthenticated");

    char other[AUTH_SECRET_MAX];
    auth_secret_make(AUTH_LIVE, other);
    sent = call(get("/v1/me", other));
    ck_assert_str_eq(header(sent, "WWW-Authenticate"), "Bearer realm=\"accord\"");
    ck_assert_str_eq(sent->exchange.pub.reply.content_type, "application/problem+json");
    ck_assert_str_eq(body(sent), "{\"type\":\"/docs#unauthenticated\",\"title\":\"No valid key was "
                                 "given\",\"status\":401,\"code\":\"unauthenticated\","
                                 "\"request_id\":\"test-1\"}");
    ck_assert_str_eq(sent->exchange.pub.error_code, "unauthenticated");
    drop(sent);

    struct request request = get("/v1/me", operator_secret);
    request.method = "POST";
    sent = call(request);
    ck_assert_str_eq(header(sent, "Allow"), "GET, HEAD, OPTIONS");
    expect(sent, 405, "method_not_allowed");

    request = get("/v1/partners", NULL);
    request.method = "OPTIONS";
    sent = call(request);
    ck_assert_str_eq(header(sent, "Allow"), "POST, GET, HEAD, OPTIONS");
    ck_assert_uint_eq(sent->exchange.pub.reply.body.len, 0);
    expect(sent, 204, NULL);

    request = get("/v1/partners", operator_secret);
    request.query = "limit=5&color=red";
    expect(call(request), 400, "query_invalid");
    request.query = "limit=5&limit=6";
    expect(call(request), 400, "query_invalid");
    request.query = "limit=0";
    expect(call(request), 400, "query_invalid");
    request.query = "limit=1001";
    expect(call(request), 400, "query_invalid");
    request.query = "limit=+5";
    expect(call(request), 400, "query_invalid");
    request.query = "cursor=AAAA";
    expect(call(request), 400, "cursor_invalid");
}
END_TEST

START_TEST(media_types)
{
    static const struct {
        const char *type;
        unsigned want;
    } bodies[] = {
        {"application/json", 201},
        {"application/JSON; charset=UTF-8", 409},
        {"application/json;charset=\"utf-8\"", 409},
        {"application/json; charset=latin1", 415},
        {"text/json", 415},
        {"application/jsonx", 415},
        {"", 415},
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct request request = post("/v1/partners", coursera);
        request.headers[0][1] = bodies[i].type;
        expect(call(request), bodies[i].want, NULL);
    }
    struct request none = post("/v1/partners", coursera);
    none.headers[0][0] = NULL;
    expect(call(none), 415, "media_type_unsupported");

    static const struct {
        const char *accept;
        unsigned want;
    } accepts[] = {
        {"application/json", 200},
        {"*/*", 200},
        {"application/*", 200},
        {"text/html, application/json;q=0.1", 200},
        {"text/html", 406},
        {"application/json;q=0", 406},
        {"application/json;q=0, */*", 406},
        {"text/*;q=1, application/*;q=0.0", 406},
        {"APPLICATION/JSON; q=0.5", 200},
        {"", 406},
    };
    for (size_t i = 0; i < sizeof accepts / sizeof accepts[0]; i++) {
        struct request request = get("/v1/me", operator_secret);
        request.headers[0][0] = "Accept";
        request.headers[0][1] = accepts[i].accept;
        struct sent *sent = call(request);
        ck_assert_msg(status(sent) == accepts[i].want, "Accept: %s: %u", accepts[i].accept,
                      status(sent));
        drop(sent);
    }
}
END_TEST

START_TEST(field_errors_come_together)
{
    struct sent *sent = call(post("/v1/partners", "{\"id\":\"No\",\"name\":\"\",\"roles\":[],"
                                                  "\"currency\":\"XXQ\",\"time_zone\":1,\"x\":0}"));
    static const char *const pointers[] = {"/id",       "/name",      "/roles",
                                           "/currency", "/time_zone", "/x"};
    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"pointer\":\"%s\"", pointers[i]);
        ck_assert_msg(strstr(body(sent), quoted) != NULL, "%s in %s", pointers[i], body(sent));
    }
    expect(sent, 422, "fields_invalid");
    expect(call(post("/v1/partners", "{\"id\":")), 400, "json_invalid");
    expect(call(post("/v1/partners", "")), 400, "body_empty");
    sent = call(post("/v1/partners", "{\"id\":\"a\",\"name\":\"A\",\"roles\":[\"channel\"],"
                                     "\"currency\":\"CNY\",\"time_zone\":\"Asia/Nowhere\","
                                     "\"column_map\":\"title\"}"));
    ck_assert_ptr_nonnull(strstr(body(sent), "time_zone_unknown"));
    ck_assert_ptr_nonnull(strstr(body(sent), "column_unknown"));
    expect(sent, 422, "fields_invalid");
}
END_TEST

START_TEST(partners_change_under_their_version)
{
    char etag[64];
    make_partner();
    struct sent *sent = call(get("/v1/partners/coursera", operator_secret));
    snprintf(etag, sizeof etag, "%s", header(sent, "ETag"));
    ck_assert_str_eq(header(sent, "Cache-Control"), "private, no-cache");
    expect(sent, 200, NULL);

    struct request again = get("/v1/partners/coursera", operator_secret);
    again.headers[0][0] = "If-None-Match";
    again.headers[0][1] = etag;
    sent = call(again);
    ck_assert_uint_eq(sent->exchange.pub.reply.body.len, 0);
    ck_assert_str_eq(header(sent, "ETag"), etag);
    expect(sent, 304, NULL);
    char weak[80];
    snprintf(weak, sizeof weak, "\"zzz\", W/%.*s-gz\"", (int)strlen(etag) - 1, etag);
    again.headers[0][1] = weak; /* as a proxy that compresses hands it back */
    expect(call(again), 304, NULL);

    struct request change = post("/v1/partners/coursera", "{\"name\":\"C\"}");
    change.method = "PATCH";
    expect(call(change), 428, "if_match_required");
    change.headers[1][0] = "If-Match";
    change.headers[1][1] = "\"9-00000000\"";
    expect(call(change), 412, "version_mismatch");
    change.headers[1][1] = etag;
    sent = call(change);
    ck_assert_str_eq(member(sent, "name"), "C");
    ck_assert_str_ne(header(sent, "ETag"), etag);
    expect(sent, 200, NULL);
    expect(call(change), 412, "version_mismatch"); /* it is another version now */
    expect(call(again), 200, NULL);
    change.path = "/v1/partners/nobody";
    expect(call(change), 404, "not_found");

    change.path = "/v1/partners/operator";
    change.headers[1][1] = "*";
    change.body = "{\"state\":\"suspended\"}";
    expect(call(change), 422, "fields_invalid"); /* the operator does not lock itself out */
    change.body = "{\"roles\":[\"channel\"]}";
    expect(call(change), 422, "fields_invalid");
}
END_TEST

START_TEST(a_partner_sees_itself_alone)
{
    char secret[AUTH_SECRET_MAX];
    char id[RANDOM_ID_MAX];
    make_partner();
    expect(
        call(post("/v1/partners", "{\"id\":\"udemy\",\"name\":\"Udemy\",\"roles\":[\"provider\"],"
                                  "\"currency\":\"USD\",\"time_zone\":\"UTC\"}")),
        201, NULL);
    make_key("{\"scopes\":[\"catalog:read\",\"agreements:write\"]}", secret, id);
    expect(call(get("/v1/partners/udemy", secret)), 404, "not_found");
    expect(call(get("/v1/partners/udemy/keys", secret)), 404, "not_found");
    expect(call(get("/v1/partners/coursera", secret)), 200, NULL);
    struct sent *sent = call(get("/v1/partners", secret));
    ck_assert_ptr_null(strstr(body(sent), "udemy"));
    ck_assert_ptr_null(strstr(body(sent), "operator"));
    ck_assert_ptr_nonnull(strstr(body(sent), "coursera"));
    expect(sent, 200, NULL);
    struct request request = post("/v1/partners", coursera);
    request.key = secret;
    expect(call(request), 403, "scope_missing");
    request.path = "/v1/partners/udemy";
    request.method = "PATCH";
    request.body = "{\"name\":\"x\"}";
    request.headers[1][0] = "If-Match";
    request.headers[1][1] = "*";
    expect(call(request), 404, "not_found");
    request.path = "/v1/partners/coursera";
    expect(call(request), 200, NULL);
    request.body = "{\"state\":\"suspended\"}";
    expect(call(request), 403, "role_missing");
    /* A key that only reads leaves the partner as it is. */
    make_key("{\"scopes\":[\"catalog:read\"]}", secret, id);
    request.body = "{\"legal_name\":\"x\"}";
    expect(call(request), 403, "scope_missing");
}
END_TEST

START_TEST(lists_go_on_where_they_stopped)
{
    for (int i = 0; i < 7; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{\"id\":\"p%d\",\"name\":\"P\",\"roles\":[\"channel\"],\"currency\":\"CNY\","
                 "\"time_zone\":\"Asia/Shanghai\"}",
                 i);
        expect(call(post("/v1/partners", text)), 201, NULL);
    }
    char query[256] = "limit=3";
    char seen[256] = "";
    int pages = 0;
    for (;;) {
        struct request request = get("/v1/partners", operator_secret);
        request.query = query;
        struct sent *sent = call(request);
        ck_assert_uint_eq(status(sent), 200);
        for (const char *at = body(sent); (at = strstr(at, "{\"id\":\"")) != NULL; at++) {
            strncat(seen, at + 7, strcspn(at + 7, "\""));
            strcat(seen, " ");
        }
        pages++;
        const char *next = member(sent, "next");
        const char *link = header(sent, "Link");
        ck_assert((next == NULL) == (link == NULL));
        if (next != NULL) {
            char want[256];
            snprintf(want, sizeof want, "</v1/partners?limit=3&cursor=%s>; rel=\"next\"", next);
            ck_assert_str_eq(link, want);
            snprintf(query, sizeof query, "limit=3&cursor=%s", next);
        }
        drop(sent);
        if (next == NULL)
            break;
    }
    ck_assert_str_eq(seen, "operator p0 p1 p2 p3 p4 p5 p6 ");
    ck_assert_int_eq(pages, 3);
    /* A cursor is of one list and one caller. */
    make_partner();
    struct request other = get("/v1/partners/coursera/keys", operator_secret);
    other.query = strstr(query, "cursor=");
    expect(call(other), 400, "cursor_invalid");
}
END_TEST

START_TEST(keys_end_at_once)
{
    char secret[AUTH_SECRET_MAX];
    char id[RANDOM_ID_MAX];
    char path[128];
    make_partner();
    make_key("{\"scopes\":[\"catalog:read\"],\"label\":\"ci\"}", secret, id);
    struct sent *sent = call(get("/v1/me", secret));
    ck_assert_ptr_nonnull(strstr(body(sent), "\"scopes\":[\"catalog:read\"],\"expires_at\":null"));
    expect(sent, 200, NULL);
    snprintf(path, sizeof path, "/v1/partners/coursera/keys/%s", id);
    struct request revoke = {.method = "DELETE", .path = path, .key = operator_secret};
    struct request elsewhere = revoke;
    elsewhere.path = "/v1/partners/operator/keys/key_x";
    expect(call(elsewhere), 404, "not_found");
    expect(call(revoke), 204, NULL);
    expect(call(get("/v1/me", secret)), 401, "unauthenticated");
    expect(call(revoke), 204, NULL);
    sent = call(get("/v1/partners/coursera/keys", operator_secret));
    ck_assert_ptr_null(strstr(body(sent), "secret"));
    ck_assert_ptr_null(strstr(body(sent), "\"revoked_at\":null"));
    expect(sent, 200, NULL);

    char soon[CLOCK_TEXT_MAX];
    char text[160];
    clock_format(clock_now_us() + 300000, soon);
    snprintf(text, sizeof text, "{\"scopes\":[\"catalog:read\"],\"expires_at\":\"%s\"}", soon);
    make_key(text, secret, id);
    expect(call(get("/v1/me", secret)), 200, NULL);
    usleep(320000);
    expect(call(get("/v1/me", secret)), 401, "unauthenticated");
    expect(call(post("/v1/partners/coursera/keys", text)), 422, "fields_invalid");

    expect(call(post("/v1/partners/coursera/keys", "{\"scopes\":[\"admin\"]}")), 422,
           "fields_invalid");
    expect(call(post("/v1/partners/operator/keys", "{\"scopes\":[\"events:read\"]}")), 422,
           "fields_invalid");
    expect(call(post("/v1/partners/nobody/keys", "{\"scopes\":[\"events:read\"]}")), 404,
           "not_found");
}
END_TEST

START_TEST(suspended_partners_are_refused)
{
    char secret[AUTH_SECRET_MAX];
    char id[RANDOM_ID_MAX];
    make_partner();
    make_key("{\"scopes\":[\"catalog:read\"]}", secret, id);
    struct request change = post("/v1/partners/coursera", "{\"state\":\"suspended\"}");
    change.method = "PATCH";
    change.headers[1][0] = "If-Match";
    change.headers[1][1] = "*";
    expect(call(change), 200, NULL);
    expect(call(get("/v1/me", secret)), 403, "partner_suspended");
    change.body = "{\"state\":\"active\"}";
    expect(call(change), 200, NULL);
    expect(call(get("/v1/me", secret)), 200, NULL);
}
END_TEST

START_TEST(test_keys_stay_in_test_books)
{
    char secret[AUTH_SECRET_MAX];
    char id[RANDOM_ID_MAX];
    make_partner();
    make_key("{\"scopes\":[\"catalog:read\"],\"mode\":\"test\"}", secret, id);
    ck_assert_int_eq(auth_secret_mode(slice_of(secret)), AUTH_TEST);
    struct sent *sent = call(get("/v1/me", secret));
    ck_assert_str_eq(member(sent, "mode"), "test");
    expect(sent, 200, NULL);

    /* A change of the live partner does not reach its copy. */
    struct request change = post("/v1/partners/coursera", "{\"name\":\"Other\"}");
    change.method = "PATCH";
    change.headers[1][0] = "If-Match";
    change.headers[1][1] = "*";
    expect(call(change), 200, NULL);
    sent = call(get("/v1/partners/coursera", secret));
    ck_assert_str_eq(member(sent, "name"), "Coursera");
    expect(sent, 200, NULL);

    /* The operator of the test books. */
    struct sent *made =
        call(post("/v1/partners/operator/keys", "{\"scopes\":[\"admin\"],\"mode\":\"test\"}"));
    char operator_test[AUTH_SECRET_MAX];
    snprintf(operator_test, sizeof operator_test, "%s", member(made, "secret"));
    expect(made, 201, NULL);
    struct request request = post("/v1/partners/coursera/keys", "{\"scopes\":[\"catalog:read\"]}");
    request.key = operator_test;
    made = call(request);
    ck_assert_str_eq(member(made, "mode"), "test"); /* that of the calling key */
    expect(made, 201, NULL);
    request.body = "{\"scopes\":[\"catalog:read\"],\"mode\":\"live\"}";
    expect(call(request), 403, "mode_mismatch");

    /* A live caller sees both, live keys first; a test caller those of its books. */
    char live[AUTH_SECRET_MAX];
    char live_id[RANDOM_ID_MAX];
    make_key("{\"scopes\":[\"catalog:read\"]}", live, live_id);
    struct request list = get("/v1/partners/coursera/keys", operator_secret);
    list.query = "limit=1";
    sent = call(list);
    ck_assert_ptr_nonnull(strstr(body(sent), live_id));
    char query[256];
    snprintf(query, sizeof query, "limit=1&cursor=%s", member(sent, "next"));
    drop(sent);
    list.query = query;
    sent = call(list);
    ck_assert_str_eq(member(sent, "mode"), "test");
    drop(sent);
    sent = call(get("/v1/partners/coursera/keys", secret));
    ck_assert_ptr_null(strstr(body(sent), live_id));
    ck_assert_ptr_nonnull(strstr(body(sent), id));
    drop(sent);

    char path[128];
    snprintf(path, sizeof path, "/v1/partners/coursera/keys/%s", live_id);
    struct request revoke = {.method = "DELETE", .path = path, .key = operator_test};
    expect(call(revoke), 404, "not_found");
    snprintf(path, sizeof path, "/v1/partners/coursera/keys/%s", id);
    revoke.key = operator_secret;
    expect(call(revoke), 204, NULL);
    expect(call(get("/v1/me", secret)), 401, "unauthenticated");
    expect(call(get("/v1/me", live)), 200, NULL);
}
END_TEST

START_TEST(idempotency)
{
    struct request request = post("/v1/partners", coursera);
    request.headers[1][0] = "Idempotency-Key";
    request.headers[1][1] = "k-1";
    struct sent *first = call(request);
    struct sent *second = call(request);
    ck_assert_uint_eq(status(first), 201);
    ck_assert_uint_eq(status(second), 201);
    ck_assert_str_eq(body(first), body(second));
    ck_assert_str_eq(header(first, "ETag"), header(second, "ETag"));
    ck_assert_str_eq(header(first, "Location"), header(second, "Location"));
    ck_assert_ptr_null(header(first, "Idempotency-Replayed"));
    ck_assert_str_eq(header(second, "Idempotency-Replayed"), "true");
    drop(first);
    drop(second);

    struct request other = request;
    other.body = "{\"id\":\"other\",\"name\":\"O\",\"roles\":[\"channel\"],\"currency\":\"CNY\","
                 "\"time_zone\":\"UTC\"}";
    expect(call(other), 409, "idempotency_mismatch");
    expect(call(get("/v1/partners/other", operator_secret)), 404, "not_found");

    /* A refusal of the transaction is kept too. */
    request.headers[1][1] = "k-2";
    expect(call(request), 409, "partner_exists");
    second = call(request);
    ck_assert_str_eq(header(second, "Idempotency-Replayed"), "true");
    expect(second, 409, "partner_exists");

    /* One that never got that far is not: the corrected request may use the key. */
    request.headers[1][1] = "k-3";
    request.body = "{\"id\":\"third\"}";
    expect(call(request), 422, "fields_invalid");
    request.body = "{\"id\":\"third\",\"name\":\"T\",\"roles\":[\"channel\"],\"currency\":\"CNY\","
                   "\"time_zone\":\"UTC\"}";
    expect(call(request), 201, NULL);

    request = post("/v1/partners/coursera/keys", "{\"scopes\":[\"catalog:read\"]}");
    request.headers[1][0] = "Idempotency-Key";
    request.headers[1][1] = "k-4";
    expect(call(request), 201, NULL);
    second = call(request);
    ck_assert_ptr_null(strstr(body(second), "accord_live_"));
    expect(second, 409, "secret_already_shown");

    request.headers[1][1] = "with blank";
    expect(call(request), 400, "header_invalid");
    request.headers[1][1] = "";
    expect(call(request), 400, "header_invalid");

    /* It is kept for ever: also over a restart. */
    close_app();
    open_app();
    request.headers[1][1] = "k-4";
    expect(call(request), 409, "secret_already_shown");
}
END_TEST

/* An import runs beside the writer, so two with one key may come at once: one begins it, the other
 * is answered with what it said, or with the address of its receipt. */
START_TEST(one_key_beside_itself)
{
    static char keys[20][8];
    expect(call(post("/v1/partners", coursera)), 201, NULL);
    for (int round = 0; round < 20; round++) {
        struct request request = post("/v1/catalogs", "[{\"course_id\":\"a\",\"title\":\"A\"}]");
        request.query = "dry_run=true&provider=coursera";
        snprintf(keys[round], sizeof keys[round], "d-%d", round);
        request.headers[1][0] = "Idempotency-Key";
        request.headers[1][1] = keys[round];
        struct sent *first = start(&request);
        struct sent *second = start(&request);
        finish(first);
        finish(second);
        const bool first_began = header(first, "Idempotency-Replayed") == NULL;
        struct sent *began = first_began ? first : second;
        struct sent *other = first_began ? second : first;
        ck_assert_msg(status(began) == 200, "%s", body(began));
        ck_assert_msg(status(other) == 200 || status(other) == 202, "%s", body(other));
        ck_assert_str_eq(header(other, "Idempotency-Replayed"), "true");
        /* {"id":"imp_...",: one import */
        ck_assert(strncmp(body(began), body(other), strcspn(body(began), ",")) == 0);
        drop(first);
        drop(second);
    }
}
END_TEST

START_TEST(many_at_once)
{
    struct sent *flying[IN_FLIGHT];
    struct request request = post("/v1/partners", coursera);
    unsigned created = 0;
    unsigned replayed = 0;
    request.headers[1][0] = "Idempotency-Key";
    request.headers[1][1] = "same";
    /* The same request by many clients before any is answered: one effect. */
    for (size_t i = 0; i < IN_FLIGHT; i++)
        flying[i] = start(&request);
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        finish(flying[i]);
        ck_assert_msg(status(flying[i]) == 201, "%s", body(flying[i]));
        if (header(flying[i], "Idempotency-Replayed") == NULL)
            created++;
        else
            replayed++;
        drop(flying[i]);
    }
    ck_assert_uint_eq(created, 1);
    ck_assert_uint_eq(replayed, IN_FLIGHT - 1);

    /* Without a key: one is created, the others meet it, in whatever batches they are written. */
    request.headers[1][0] = NULL;
    request.body = "{\"id\":\"once\",\"name\":\"O\",\"roles\":[\"channel\"],\"currency\":\"CNY\","
                   "\"time_zone\":\"UTC\"}";
    created = 0;
    for (size_t i = 0; i < IN_FLIGHT; i++)
        flying[i] = start(&request);
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        finish(flying[i]);
        created += status(flying[i]) == 201;
        expect(flying[i], status(flying[i]) == 201 ? 201 : 409, NULL);
    }
    ck_assert_uint_eq(created, 1);
}
END_TEST

START_TEST(rate_limit)
{
    close_app();
    rate = "3";
    open_app();
    for (int i = 0; i < 3; i++) {
        struct sent *sent = call(get("/v1/me", operator_secret));
        ck_assert_str_eq(header(sent, "RateLimit-Policy"), "\"key\";q=3;w=1");
        ck_assert_ptr_nonnull(header(sent, "RateLimit"));
        expect(sent, 200, NULL);
    }
    struct sent *sent = call(get("/v1/me", operator_secret));
    ck_assert_str_eq(header(sent, "Retry-After"), "1");
    ck_assert_str_eq(header(sent, "RateLimit"), "\"key\";r=0;t=1");
    expect(sent, 429, "rate_limited");
    expect(call(get("/healthz", NULL)), 200, NULL);
    rate = NULL;
}
END_TEST

START_TEST(system_operations)
{
    struct sent *sent = call(get("/healthz", NULL));
    ck_assert_str_eq(body(sent), "{\"status\":\"ok\"}");
    expect(sent, 200, NULL);
    sent = call(get("/readyz", NULL));
    ck_assert_str_eq(body(sent), "{\"status\":\"ready\"}");
    expect(sent, 200, NULL);
    atomic_store(&app->draining, true);
    sent = call(get("/readyz", NULL));
    ck_assert_str_eq(header(sent, "Retry-After"), "1");
    expect(sent, 503, "shutting_down");
    expect(call(get("/healthz", NULL)), 200, NULL);

    sent = call(get("/openapi.json", NULL));
    ck_assert_int_eq(strncmp(body(sent), "{\"openapi\":\"3.1", 15), 0);
    char etag[64];
    snprintf(etag, sizeof etag, "%s", header(sent, "ETag"));
    expect(sent, 200, NULL);
    struct request again = get("/openapi.json", NULL);
    again.headers[0][0] = "If-None-Match";
    again.headers[0][1] = etag;
    expect(call(again), 304, NULL);

    sent = call(get("/docs", NULL));
    ck_assert_ptr_nonnull(strstr(body(sent), "id=\"rate_limited\""));
    ck_assert_ptr_nonnull(strstr(body(sent), "<code>ACCORD_LISTEN</code>"));
    ck_assert_ptr_null(strstr(body(sent), "src="));
    expect(sent, 200, NULL);

    sent = call(get("/metrics", NULL));
    ck_assert_ptr_nonnull(strstr(body(sent), "accord_http_requests_total{route=\"GET /healthz\","
                                             "status=\"2xx\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(body(sent), "accord_journal_seq{book=\"live\"}"));
    expect(sent, 200, NULL);
}
END_TEST

START_TEST(the_operators_key_is_made_once)
{
    close_app();
    open_app(); /* the same ACCORD_OPERATOR_KEY again */
    struct sent *sent = call(get("/v1/partners/operator/keys", operator_secret));
    const char *first = strstr(body(sent), "\"id\":");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "\"id\":"));
    ck_assert_ptr_nonnull(strstr(body(sent), "\"label\":\"ACCORD_OPERATOR_KEY\""));
    expect(sent, 200, NULL);
}
END_TEST

START_TEST(another_process_makes_and_revokes_keys)
{
    struct db *db = NULL;
    char secret[AUTH_SECRET_MAX];
    char id[RANDOM_ID_MAX];
    bool found = false;
    make_partner();
    auth_secret_make(AUTH_LIVE, secret);
    const struct bootstrap_key key = {
        .partner = "coursera", .scopes = SCOPE_EVENTS_READ, .label = "", .expires_at = INT64_MAX};
    struct bootstrap_key stranger = key;
    struct bootstrap_key admin = key;
    stranger.partner = "nobody";
    admin.scopes |= SCOPE_ADMIN;
    expect(call(get("/v1/me", secret)), 401, "unauthenticated");
    ck_assert_int_eq(db_open(database, DB_READ_WRITE, &db), ACCORD_OK);
    ck_assert_int_eq(bootstrap_key_create(db, &stranger, secret, id), ACCORD_E_PARTNER_UNKNOWN);
    ck_assert_int_eq(bootstrap_key_create(db, &admin, secret, id), ACCORD_E_SCOPE_MISSING);
    ck_assert_int_eq(bootstrap_key_create(db, &key, secret, id), ACCORD_OK);
    expect(call(get("/v1/me", secret)), 200, NULL);
    ck_assert_int_eq(bootstrap_key_revoke(db, id, &found), ACCORD_OK);
    ck_assert(found);
    usleep(2 * KEPT_STALE_US); /* what another process writes is seen within that */
    expect(call(get("/v1/me", secret)), 401, "unauthenticated");
    ck_assert_int_eq(bootstrap_key_revoke(db, "key_none", &found), ACCORD_OK);
    ck_assert(!found);
    db_close(db);
}
END_TEST

START_TEST(test_urls)
{
    static const char *const cases[][2] = {
        {"sqlite:accord.db", "sqlite:accord-test.db"},
        {"sqlite:/var/lib/accord/accord.db", "sqlite:/var/lib/accord/accord-test.db"},
        {"sqlite:/var/lib.d/accord", "sqlite:/var/lib.d/accord-test"},
        {"sqlite:/data/a.b.sqlite", "sqlite:/data/a.b-test.sqlite"},
        {"sqlite:/data/.hidden", "sqlite:/data/.hidden-test"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *url = app_test_url(cases[i][0]);
        ck_assert_str_eq(url, cases[i][1]);
        free(url);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("api_dispatch");
    TCase *cases = tcase_create("all");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, refusals_before_the_body);
    tcase_add_test(cases, media_types);
    tcase_add_test(cases, field_errors_come_together);
    tcase_add_test(cases, partners_change_under_their_version);
    tcase_add_test(cases, a_partner_sees_itself_alone);
    tcase_add_test(cases, lists_go_on_where_they_stopped);
    tcase_add_test(cases, keys_end_at_once);
    tcase_add_test(cases, suspended_partners_are_refused);
    tcase_add_test(cases, test_keys_stay_in_test_books);
    tcase_add_test(cases, idempotency);
    tcase_add_test(cases, one_key_beside_itself);
    tcase_add_test(cases, many_at_once);
    tcase_add_test(cases, rate_limit);
    tcase_add_test(cases, system_operations);
    tcase_add_test(cases, the_operators_key_is_made_once);
    tcase_add_test(cases, another_process_makes_and_revokes_keys);
    tcase_add_test(cases, test_urls);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
