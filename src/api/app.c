#include "api/app.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/bootstrap.h"
#include "api/catalogs.h"
#include "api/dispatch.h"
#include "api/docs.h"
#include "api/kept.h"
#include "api/limits.h"
#include "api/metering.h"
#include "base/config.h"
#include "base/log.h"
#include "store/settings.h"
#include "store/upgrade.h"

static const size_t docs_bytes_max = (size_t)16 << 20;

char *app_test_url(const char *live_url)
{
    const char *slash = strrchr(live_url, '/');
    const char *name = slash == NULL ? live_url : slash + 1;
    const char *dot = strrchr(name, '.');
    /* A dot at the front of the name is not an extension's. */
    const char *end = dot == NULL || dot == name ? live_url + strlen(live_url) : dot;
    char *url = NULL;
    if (asprintf(&url, "%.*s-test%s", (int)(end - live_url), live_url, end) < 0)
        return NULL;
    return url;
}

/* ---- maintenance: checkpoints, on a thread and on connections of their own ---- */

struct maintenance {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    const struct app *app;
    struct db *books[2];
    enum accord_error last[2];
};

static void checkpoint(struct maintenance *work, unsigned index, const struct book *book)
{
    int64_t left = 0;
    enum accord_error error = ACCORD_OK;
    if (work->books[index] == NULL)
        error = db_open(book->database_url, DB_READ_WRITE, &work->books[index]);
    if (error == ACCORD_OK)
        error = db_checkpoint(work->books[index], work->app->config->wal_bytes_max, &left);
    /* Busy is ordinary: the next round comes in a second. Others are told once. */
    if (error != ACCORD_OK && error != ACCORD_E_DATABASE_BUSY && error != work->last[index])
        LOG(LOG_WARN, "checkpoint_failed", LOG_TEXT("book", book->name),
            LOG_TEXT("code", accord_error_code(error)),
            LOG_TEXT("message",
                     work->books[index] == NULL ? NULL : db_message(work->books[index])));
    work->last[index] = error;
}

static void *maintain(void *self)
{
    struct maintenance *work = self;
    pthread_mutex_lock(&work->lock);
    while (!work->stopping) {
        struct timespec until;
        pthread_mutex_unlock(&work->lock);
        checkpoint(work, 0, &work->app->live);
        checkpoint(work, 1, &work->app->test);
        pthread_mutex_lock(&work->lock);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        while (!work->stopping &&
               pthread_cond_timedwait(&work->wake, &work->lock, &until) != ETIMEDOUT) {
        }
    }
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

static enum accord_error maintenance_start(struct app *app)
{
    struct maintenance *work = calloc(1, sizeof *work);
    pthread_condattr_t attributes;
    if (work == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    work->app = app;
    pthread_mutex_init(&work->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&work->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&work->thread, NULL, maintain, work) != 0) {
        free(work);
        return ACCORD_E_OUT_OF_MEMORY;
    }
    app->maintenance = work;
    return ACCORD_OK;
}

static void maintenance_stop(struct maintenance *work)
{
    if (work == NULL)
        return;
    pthread_mutex_lock(&work->lock);
    work->stopping = true;
    pthread_cond_signal(&work->wake);
    pthread_mutex_unlock(&work->lock);
    pthread_join(work->thread, NULL);
    db_close(work->books[0]);
    db_close(work->books[1]);
    pthread_cond_destroy(&work->wake);
    pthread_mutex_destroy(&work->lock);
    free(work);
}

/* ---- books ---- */

static enum accord_error explain(char why[APP_WHY_MAX], const char *what, enum accord_error error)
{
    if (error != ACCORD_OK && why[0] == '\0')
        snprintf(why, APP_WHY_MAX, "%s: %s", what, accord_error_title(error));
    return error;
}

/* What a book is told once, on a connection that is closed again. */
static enum accord_error prepare_book(const struct config *config, struct book *book, bool is_live)
{
    struct db *db = NULL;
    enum accord_error error = db_open(book->database_url, DB_READ_WRITE, &db);
    if (error == ACCORD_OK && config->learner_key.given)
        memcpy(book->ingest.learner_key, config->learner_key.bytes,
               sizeof book->ingest.learner_key);
    else if (error == ACCORD_OK)
        error = store_setting_secret(db, "learner_key", book->ingest.learner_key);
    if (error == ACCORD_OK && is_live && config->operator_key[0] != '\0') {
        const struct partner_row operator_row = bootstrap_operator_row();
        const struct bootstrap_key key = {
            .partner = bootstrap_operator,
            .scopes = bootstrap_scopes(ROLE_PLATFORM),
            .label = "ACCORD_OPERATOR_KEY",
            .expires_at = INT64_MAX,
            .otherwise = &operator_row,
        };
        char id[RANDOM_ID_MAX];
        error = bootstrap_key_create(db, &key, config->operator_key, id);
    }
    db_close(db);
    return error;
}

static enum accord_error open_readers(struct book *book, size_t count)
{
    book->readers = calloc(count, sizeof book->readers[0]);
    if (book->readers == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    book->reader_count = count;
    enum accord_error error = ACCORD_OK;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = db_open(book->database_url, DB_READ_ONLY, &book->readers[i]);
    return error;
}

static enum accord_error start_book(struct app *app, struct book *book, char why[APP_WHY_MAX])
{
    const struct config *config = app->config;
    book->ingest = (struct ingest_config){
        .rating_prior_milli = config->rating_prior_mean_milli,
        .rating_prior_weight = config->rating_prior_weight,
        .catalog_drop_max_ppm = config->catalog_drop_max_ppm,
        .catalog_guard_min = config->catalog_guard_min,
        .catalog_flaps_max = config->catalog_flaps_max,
    };
    enum accord_error error = db_claim(book->database_url, &book->claim);
    if (error == ACCORD_E_DATABASE_BUSY)
        snprintf(why, APP_WHY_MAX, "%s: another process serves these books", book->database_url);
    if (error != ACCORD_OK)
        return explain(why, book->database_url, error);
    error = store_upgrade(book->database_url, why, APP_WHY_MAX);
    if (error != ACCORD_OK)
        return explain(why, book->database_url, error);
    error = prepare_book(config, book, book == &app->live);
    if (error == ACCORD_OK)
        error = ingest_tx_new(&book->ingest, &book->tx);
    if (error != ACCORD_OK)
        return explain(why, book->database_url, error);
    const struct writer_config writer = {
        .database_url = book->database_url,
        .queue_max = config->queue_max,
        .batch_tasks_max = config->batch_tasks_max,
        .batch_weight_max = config->batch_rows_max,
        .context = book->tx,
        .before_commit = ingest_tx_before_commit,
        .rolled_back = ingest_tx_rolled_back,
        .idle = ingest_tx_idle,
        .idle_every_us = CLOCK_SECOND_US,
    };
    error = writer_start(&writer, &book->writer);
    if (error == ACCORD_OK)
        error = open_readers(book, app->worker_count + app->job_count);
    if (error == ACCORD_OK)
        error = catalogs_recover(book);
    return explain(why, book->database_url, error);
}

static void stop_book(struct book *book)
{
    writer_stop(book->writer);
    ingest_tx_free(book->tx);
    for (size_t i = 0; i < book->reader_count; i++)
        db_close(book->readers[i]);
    free(book->readers);
    db_unclaim(book->claim);
    free(book->database_url);
}

/* ---- the whole ---- */

/* The folder of the books, unless another one is set: the root of a hardened container is
 * read-only, and its /tmp is memory. */
static char *spill_dir_of(const struct config *config)
{
    const char *path = strchr(config->database, ':');
    const char *end = path == NULL ? NULL : strrchr(path + 1, '/');
    if (config->spill_dir[0] != '\0')
        return strdup(config->spill_dir);
    if (end == NULL)
        return strdup(".");
    return end == path + 1 ? strdup("/") : strndup(path + 1, (size_t)(end - path - 1));
}

static unsigned cores(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > 256 ? 256 : (unsigned)online;
}

enum accord_error app_listen(struct app *app, char ret_address[128], char why[APP_WHY_MAX])
{
    const struct config *config = app->config;
    const struct http_config http = {
        .listen = config->listen,
        .workers = app->worker_count,
        .connections_max = config->connections_max,
        .head_timeout_ms = config->head_timeout_ms,
        .idle_timeout_ms = config->idle_timeout_ms,
        .run_timeout_ms = config->run_timeout_ms,
        .body_rate_min = config->body_rate_min,
        .spill_bytes = config->spill_bytes,
        .bodies_memory = config->body_memory,
        .bodies_files = config->body_files,
        .spill_dir = app->spill_dir,
        .decoded_max = config->decoded_max,
    };
    const struct http_app handlers = dispatch_http(app->dispatch);
    why[0] = '\0';
    struct http_server *server = NULL;
    const enum accord_error error = http_start(&http, &handlers, &server, ret_address);
    if (error == ACCORD_E_IO_ERROR)
        snprintf(why, APP_WHY_MAX, "cannot listen on %s: %s", config->listen, strerror(errno));
    app->server = server;
    return explain(why, config->listen, error);
}

enum accord_error app_open(const struct config *config,
                           void (*wake)(struct http_exchange *exchange), struct app **ret,
                           char why[APP_WHY_MAX])
{
    struct app *app = calloc(1, sizeof *app);
    enum accord_error error = ACCORD_E_OUT_OF_MEMORY;
    why[0] = '\0';
    if (app == NULL)
        return explain(why, "start", error);
    app->config = config;
    app->public_path = config->public_path;
    app->worker_count = config->workers == 0 ? cores() : config->workers;
    app->job_count = config->job_threads;
    app->live.name = "live";
    app->test.name = "test";
    app->live.database_url = strdup(config->database);
    app->test.database_url = app_test_url(config->database);
    buf_init(&app->docs, docs_bytes_max);
    docs_write(&app->docs);
    if (app->live.database_url == NULL || app->test.database_url == NULL ||
        buf_error(&app->docs) != ACCORD_OK)
        goto failed;
    app->spill_dir = spill_dir_of(config);
    if (app->spill_dir == NULL)
        goto failed;
    app->kept = calloc(app->worker_count, sizeof(struct kept *));
    for (unsigned i = 0; app->kept != NULL && i < app->worker_count; i++)
        if (kept_new(config->cache_bytes / app->worker_count, &app->kept[i]) != ACCORD_OK)
            goto failed;
    if (app->kept == NULL)
        goto failed;
    if (config->rate_per_second > 0) {
        app->limits = limits_new(config->rate_per_second);
        if (app->limits == NULL)
            goto failed;
    }
    error = start_book(app, &app->live, why);
    if (error == ACCORD_OK)
        error = start_book(app, &app->test, why);
    if (error == ACCORD_OK)
        error = jobs_start(app->job_count, config->job_queue_max, &app->jobs);
    if (error == ACCORD_OK)
        error = metering_new(app);
    if (error == ACCORD_OK)
        error = dispatch_new(app, wake, &app->dispatch);
    if (error == ACCORD_OK)
        error = maintenance_start(app);
    if (error != ACCORD_OK)
        goto failed;
    *ret = app;
    return ACCORD_OK;

failed:
    explain(why, "start", error);
    app_stop(app, 0);
    return error;
}

void app_stop(struct app *app, int64_t deadline_ms)
{
    if (app == NULL)
        return;
    atomic_store(&app->draining, true);
    /* Exchanges may wait for jobs and writers: those go on until the server has let go. */
    if (app->server != NULL)
        http_stop(app->server, deadline_ms);
    jobs_stop(app->jobs);
    maintenance_stop(app->maintenance);
    stop_book(&app->live);
    stop_book(&app->test);
    dispatch_free(app->dispatch);
    metering_free(app);
    limits_free(app->limits);
    for (unsigned i = 0; app->kept != NULL && i < app->worker_count; i++)
        kept_free(app->kept[i]);
    free(app->kept);
    free(app->spill_dir);
    buf_done(&app->docs);
    free(app);
}
