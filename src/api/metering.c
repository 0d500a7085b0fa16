#include "api/metering.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "api/app.h"
#include "api/dispatch.h"
#include "service/metrics.h"
#include "store/health.h"

enum kept_use { KEPT_HELD, KEPT_SAME, KEPT_USES };
enum result { ACCEPTED, DUPLICATE, CONFLICT, REJECTED, RESULTS };

struct metering {
    struct metric_route *routes; /* by operation; the last: requests that reached none */
    struct metric *facts[RESULTS];
    struct metric *seq[2];
    struct metric *kept[KEPT_USES];
};

static const struct metric_family facts_family = {
    "accord_facts_total", "Items of posted batches, by what became of them", METRIC_COUNTER};
static const struct metric_family kept_family = {
    "accord_kept_answers_total",
    "Answers that were kept: held, as nothing was written; same, by their tag", METRIC_COUNTER};
static const struct metric_family seq_family = {
    "accord_journal_seq", "The number of the last committed fact or change", METRIC_GAUGE};
static const struct metric_family queue_family = {"accord_writer_queue_tasks",
                                                  "Requests that wait to be written", METRIC_GAUGE};
static const struct metric_family transactions_family = {
    "accord_writer_transactions_total", "Write transactions committed", METRIC_COUNTER};
static const struct metric_family tasks_family = {
    "accord_writer_tasks_total", "Requests written by those transactions", METRIC_COUNTER};
static const struct metric_family failed_family = {
    "accord_database_errors_total", "Requests that were not written because of an error",
    METRIC_COUNTER};
static const struct metric_family retried_family = {
    "accord_writer_retries_total", "Transactions rolled back and run again one by one",
    METRIC_COUNTER};
static const struct metric_family jobs_family = {
    "accord_jobs_queue", "Long reads and imports that wait for a thread", METRIC_GAUGE};
static const struct metric_family connections_family = {"accord_http_connections",
                                                        "Open connections", METRIC_GAUGE};
static const struct metric_family size_family = {"accord_database_bytes",
                                                 "Size of the database's files", METRIC_GAUGE};
static const struct metric_family build_family = {
    "accord_build_info", "Always 1; the labels say what runs", METRIC_GAUGE};

static int64_t read_queue(void *context)
{
    const struct book *book = context;
    return (int64_t)writer_depth(book->writer);
}

static int64_t read_transactions(void *context)
{
    const struct book *book = context;
    return writer_stats(book->writer).transactions;
}

static int64_t read_tasks(void *context)
{
    const struct book *book = context;
    return writer_stats(book->writer).tasks;
}

static int64_t read_failed(void *context)
{
    const struct book *book = context;
    return writer_stats(book->writer).failed;
}

static int64_t read_retried(void *context)
{
    const struct book *book = context;
    return writer_stats(book->writer).retried;
}

static int64_t read_jobs(void *context)
{
    const struct app *app = context;
    return (int64_t)jobs_depth(app->jobs);
}

static int64_t read_connections(void *context)
{
    const struct app *app = context;
    const struct http_server *server = app->server;
    return server == NULL ? 0 : (int64_t)http_connections(server);
}

static int64_t file_size(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}

static int64_t read_size(void *context)
{
    const struct book *book = context;
    const char *colon = strchr(book->database_url, ':');
    char wal[1100];
    struct buf name;
    if (colon == NULL)
        return 0;
    buf_init(&name, sizeof wal - 1);
    buf_add_str(&name, colon + 1);
    buf_add_str(&name, "-wal");
    int64_t size = file_size(colon + 1);
    if (buf_error(&name) == ACCORD_OK) {
        memcpy(wal, name.data, name.len);
        wal[name.len] = '\0';
        size += file_size(wal);
    }
    buf_done(&name);
    return size;
}

static int64_t read_one(void *context)
{
    (void)context;
    return 1;
}

static enum accord_error add_book(struct app *app, struct book *book, struct metric **ret_seq)
{
    static const struct {
        const struct metric_family *family;
        int64_t (*read)(void *context);
    } rows[] = {
        {&queue_family, read_queue},     {&transactions_family, read_transactions},
        {&tasks_family, read_tasks},     {&failed_family, read_failed},
        {&retried_family, read_retried}, {&size_family, read_size},
    };
    const struct metric_label label = {"book", book->name};
    enum accord_error error = metrics_add(app->metrics, &seq_family, &label, 1, ret_seq);
    for (size_t i = 0; error == ACCORD_OK && i < sizeof rows / sizeof rows[0]; i++)
        error = metrics_add_read(app->metrics, rows[i].family, &label, 1, rows[i].read, book);
    return error;
}

static enum accord_error add_routes(struct app *app)
{
    const size_t count = operations_count();
    struct metric_route *routes = calloc(count + 1, sizeof routes[0]);
    enum accord_error error = ACCORD_OK;
    if (routes == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    app->metering->routes = routes;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        const struct operation *operation = operations_at(i);
        struct buf name;
        char text[160];
        buf_init(&name, sizeof text - 1);
        buf_printf(&name, "%s %s", operation->method, operation->pattern);
        error = buf_error(&name);
        if (error == ACCORD_OK) {
            memcpy(text, name.data, name.len);
            text[name.len] = '\0';
            error = metrics_add_route(app->metrics, text, &routes[i]);
        }
        buf_done(&name);
    }
    return error == ACCORD_OK ? metrics_add_route(app->metrics, "none", &routes[count]) : error;
}

static enum accord_error add_facts(struct app *app)
{
    static const char *const names[RESULTS] = {"accepted", "duplicate", "conflict", "rejected"};
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < RESULTS; i++) {
        const struct metric_label label = {"result", names[i]};
        error = metrics_add(app->metrics, &facts_family, &label, 1, &app->metering->facts[i]);
    }
    return error;
}

static enum accord_error add_kept(struct app *app)
{
    static const char *const names[KEPT_USES] = {"held", "same"};
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < KEPT_USES; i++) {
        const struct metric_label label = {"use", names[i]};
        error = metrics_add(app->metrics, &kept_family, &label, 1, &app->metering->kept[i]);
    }
    return error;
}

enum accord_error metering_new(struct app *app)
{
    const unsigned shards = app->worker_count + app->job_count + 2;
    const struct metric_label version = {"version", ACCORD_VERSION};
    app->metering = calloc(1, sizeof *app->metering);
    if (app->metering == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = metrics_new(shards, &app->metrics);
    if (error == ACCORD_OK)
        error = add_routes(app);
    if (error == ACCORD_OK)
        error = add_facts(app);
    if (error == ACCORD_OK)
        error = add_kept(app);
    if (error == ACCORD_OK)
        error = add_book(app, &app->live, &app->metering->seq[0]);
    if (error == ACCORD_OK)
        error = add_book(app, &app->test, &app->metering->seq[1]);
    if (error == ACCORD_OK)
        error = metrics_add_read(app->metrics, &jobs_family, NULL, 0, read_jobs, app);
    if (error == ACCORD_OK)
        error = metrics_add_read(app->metrics, &connections_family, NULL, 0, read_connections, app);
    if (error == ACCORD_OK)
        error = metrics_add_read(app->metrics, &build_family, &version, 1, read_one, NULL);
    return error;
}

void metering_free(struct app *app)
{
    if (app->metering != NULL)
        free(app->metering->routes);
    free(app->metering);
    metrics_free(app->metrics);
    app->metering = NULL;
    app->metrics = NULL;
}

void metering_request(struct app *app, unsigned worker, size_t operation, unsigned status,
                      int64_t duration_us)
{
    const size_t index = operation == SIZE_MAX ? operations_count() : operation;
    if (app->metering != NULL)
        metric_route_count(&app->metering->routes[index], worker, status, duration_us);
}

void metering_kept(const struct app *app, unsigned worker, bool held)
{
    metric_add(app->metering->kept[held ? KEPT_HELD : KEPT_SAME], worker, 1);
}

void metering_facts(const struct call *call, int64_t accepted, int64_t duplicate, int64_t conflict,
                    int64_t rejected)
{
    const int64_t counts[RESULTS] = {accepted, duplicate, conflict, rejected};
    if (call->app->metering == NULL)
        return;
    for (size_t i = 0; i < RESULTS; i++)
        metric_add(call->app->metering->facts[i], call->http->worker, counts[i]);
}

void metering_write(struct call *call, struct buf *out)
{
    struct app *app = call->app;
    int64_t seq = 0;
    if (store_last_seq(call->db, &seq) == ACCORD_OK)
        metric_set(app->metering->seq[0], seq);
    if (store_last_seq(app->test.readers[call->reader], &seq) == ACCORD_OK)
        metric_set(app->metering->seq[1], seq);
    metrics_write(app->metrics, out);
}
