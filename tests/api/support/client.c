#include "support/client.h"

#include <arpa/inet.h>
#include <check.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_TIMEOUT_S = 120, RECORD_BODY_MAX = 1 << 20 };

static char base_url[128];
static char record_path[256];

/* ---- what lives until the end of a test ---- */

struct kept {
    struct kept *next;
    struct response *response;
    char *text;
};
static struct kept *kept_list;

static void keep(struct response *response, char *string)
{
    struct kept *kept = calloc(1, sizeof *kept);
    ck_assert(kept != NULL);
    *kept = (struct kept){kept_list, response, string};
    kept_list = kept;
}

void client_free_all(void)
{
    while (kept_list != NULL) {
        struct kept *next = kept_list->next;
        if (kept_list->response != NULL) {
            free(kept_list->response->headers);
            free(kept_list->response->body);
            json_decref(kept_list->response->json);
            free(kept_list->response);
        }
        free(kept_list->text);
        free(kept_list);
        kept_list = next;
    }
}

char *text(const char *format, ...)
{
    char *made = NULL;
    va_list arguments;
    va_start(arguments, format);
    ck_assert(vasprintf(&made, format, arguments) >= 0);
    va_end(arguments);
    keep(NULL, made);
    return made;
}

/* ---- recording ---- */

void client_use(const char *base)
{
    snprintf(base_url, sizeof base_url, "%s", base);
}

void client_record_begin(const char *program)
{
    const char *dir = getenv("ACCORD_API_RECORD");
    if (dir == NULL)
        return;
    snprintf(record_path, sizeof record_path, "%s/%s.jsonl", dir, program);
    const int fd = open(record_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) { /* no test is running yet that could fail */
        perror(record_path);
        exit(EXIT_FAILURE);
    }
    close(fd);
}

static json_t *headers_object(const char *headers)
{
    json_t *object = json_object();
    const char *line = headers;
    while (line != NULL && *line != '\0') {
        const char *end = strchr(line, '\n');
        const char *colon = strchr(line, ':');
        if (end == NULL || colon == NULL || colon > end)
            break;
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)(colon - line), line);
        const char *value = colon + 1 + strspn(colon + 1, " ");
        json_object_set_new(object, name, json_stringn_nocheck(value, (size_t)(end - value)));
        line = end + 1;
    }
    return object;
}

static void record(const struct request *request, const struct response *response)
{
    if (record_path[0] == '\0' || response->status == 0 ||
        header(response, "content-encoding") != NULL) /* the contract is of what it decodes to */
        return;
    json_t *line = json_object();
    json_object_set_new(line, "method", json_string(request->method));
    json_object_set_new(line, "path", json_string(request->path));
    json_object_set_new(line, "status", json_integer(response->status));
    json_object_set_new(line, "headers", headers_object(response->headers));
    const char *type = header(response, "content-type");
    json_object_set_new(line, "content_type", type == NULL ? json_null() : json_string(type));
    json_t *body = json_stringn(response->body, response->body_len);
    json_object_set_new(line, "body", body == NULL ? json_null() : body);
    const size_t sent = request->body == NULL   ? 0
                        : request->body_len > 0 ? request->body_len
                                                : strlen(request->body);
    if (request->body != NULL && sent <= RECORD_BODY_MAX) {
        json_t *request_body = json_stringn(request->body, sent);
        if (request_body != NULL)
            json_object_set_new(line, "request_body", request_body);
        json_object_set_new(
            line, "request_content_type",
            json_string(request->type == NULL ? "application/json" : request->type));
    }
    char *dump = json_dumps(line, JSON_COMPACT);
    json_decref(line);
    ck_assert(dump != NULL);
    char *whole = NULL;
    const int len = asprintf(&whole, "%s\n", dump);
    free(dump);
    ck_assert(len > 0);
    const int fd = open(record_path, O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert(fd >= 0);
    /* One write a line: programs with several threads append whole lines. */
    ck_assert(write(fd, whole, (size_t)len) == len);
    close(fd);
    free(whole);
}

/* ---- sending ---- */

struct sink {
    FILE *out;
};

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    const struct sink *sink = context;
    return fwrite(bytes, size, count, sink->out) * size;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    const struct sink *sink = context;
    const size_t len = size * count;
    if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        return len;
    bool in_name = true;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == ':')
            in_name = false;
        if (bytes[i] != '\r')
            fputc(in_name ? tolower((unsigned char)bytes[i]) : bytes[i], sink->out);
    }
    return len;
}

struct source {
    const char *bytes;
    size_t left;
};

static size_t give_body(char *bytes, size_t size, size_t count, void *context)
{
    struct source *source = context;
    size_t take = size * count;
    if (take > source->left)
        take = source->left;
    memcpy(bytes, source->bytes, take);
    source->bytes += take;
    source->left -= take;
    return take;
}

static struct curl_slist *make_headers(const struct request *request)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    char line[1024];
    if (request->key != NULL) {
        snprintf(line, sizeof line, "Authorization: Bearer %s", request->key);
        list = curl_slist_append(list, line);
    }
    if (request->body != NULL) {
        snprintf(line, sizeof line, "Content-Type: %s",
                 request->type == NULL ? "application/json" : request->type);
        list = curl_slist_append(list, line);
    }
    if (request->chunked)
        list = curl_slist_append(list, "Transfer-Encoding: chunked");
    for (size_t i = 0; i < sizeof request->headers / sizeof request->headers[0]; i++)
        if (request->headers[i] != NULL)
            list = curl_slist_append(list, request->headers[i]);
    return list;
}

struct response *client_send(const struct request *request)
{
    struct response *response = calloc(1, sizeof *response);
    ck_assert(response != NULL);
    keep(response, NULL);
    snprintf(response->method, sizeof response->method, "%s", request->method);
    snprintf(response->path, sizeof response->path, "%s", request->path);
    size_t headers_len = 0;
    struct sink headers = {open_memstream(&response->headers, &headers_len)};
    struct sink body = {open_memstream(&response->body, &response->body_len)};
    struct curl_slist *list = make_headers(request);
    CURL *curl = curl_easy_init();
    ck_assert(headers.out != NULL && body.out != NULL && curl != NULL);
    const char *url = text("%s%s", base_url, request->path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)REQUEST_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &headers);
    struct source source = {request->body, 0};
    if (request->body != NULL) {
        source.left = request->body_len > 0 ? request->body_len : strlen(request->body);
        if (request->chunked) {
            curl_easy_setopt(curl, CURLOPT_POST, 1L);
            curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
            curl_easy_setopt(curl, CURLOPT_READDATA, &source);
        } else {
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)source.left);
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        }
    } else if (strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response->status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(list);
    fclose(headers.out);
    fclose(body.out);
    const char *type = header(response, "content-type");
    if (type != NULL && strstr(type, "json") != NULL && response->body_len > 0)
        response->json = json_loadb(response->body, response->body_len,
                                    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    record(request, response);
    return response;
}

const char *header(const struct response *response, const char *name)
{
    const size_t len = strlen(name);
    const char *line = response->headers;
    while (line != NULL && *line != '\0') {
        const char *end = strchr(line, '\n');
        if (end == NULL)
            break;
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            const char *value = line + len + 1 + strspn(line + len + 1, " ");
            return text("%.*s", (int)(end - value), value);
        }
        line = end + 1;
    }
    return NULL;
}

struct response *get(const char *key, const char *format, ...)
{
    char *path = NULL;
    va_list arguments;
    va_start(arguments, format);
    ck_assert(vasprintf(&path, format, arguments) >= 0);
    va_end(arguments);
    keep(NULL, path);
    return client_send(&(struct request){.method = "GET", .path = path, .key = key});
}

struct response *post(const char *key, const char *path, const char *body)
{
    return client_send(&(struct request){.method = "POST", .path = path, .key = key, .body = body});
}

struct response *put(const char *key, const char *path, const char *condition, const char *body)
{
    return client_send(&(struct request){
        .method = "PUT", .path = path, .key = key, .body = body, .headers = {condition}});
}

struct response *patch(const char *key, const char *path, const char *condition, const char *body)
{
    return client_send(&(struct request){
        .method = "PATCH", .path = path, .key = key, .body = body, .headers = {condition}});
}

struct response *del(const char *key, const char *path)
{
    return client_send(&(struct request){.method = "DELETE", .path = path, .key = key});
}

/* ---- raw ---- */

int raw_connect(void)
{
    char host[64];
    int port = 0;
    ck_assert(sscanf(base_url, "http://%63[0-9.]:%d", host, &port) == 2);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    ck_assert(inet_pton(AF_INET, host, &address.sin_addr) == 1);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(fd >= 0);
    ck_assert_msg(connect(fd, (const struct sockaddr *)&address, sizeof address) == 0,
                  "cannot connect: %s", strerror(errno));
    return fd;
}

size_t raw_send(int fd, const char *bytes, size_t len)
{
    size_t sent = 0;
    while (sent < len) {
        const ssize_t put_now = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
        if (put_now <= 0)
            break;
        sent += (size_t)put_now;
    }
    return sent;
}

char *raw_read(int fd, long timeout_ms, bool *ret_closed)
{
    char *answer = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&answer, &len);
    ck_assert(out != NULL);
    bool closed = false;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (poll(&wait, 1, (int)timeout_ms) > 0) {
        char part[4096];
        const ssize_t got = recv(fd, part, sizeof part, 0);
        if (got <= 0) {
            closed = true;
            break;
        }
        fwrite(part, 1, (size_t)got, out);
    }
    fclose(out);
    keep(NULL, answer);
    if (ret_closed != NULL)
        *ret_closed = closed;
    return answer;
}

char *raw(const char *bytes, size_t len)
{
    const int fd = raw_connect();
    raw_send(fd, bytes, len);
    char *answer = raw_read(fd, 2000, NULL);
    close(fd);
    return answer;
}

long raw_status(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? strtol(answer + 9, NULL, 10) : 0;
}
