#include "service/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    /* While the queue never empties, background work gets a turn after this many transactions. */
    TRANSACTIONS_PER_IDLE = 16,
    IDLE_RETRY_US = 1000000,
};

struct writer {
    struct writer_config config;
    char *url;
    pthread_t thread;

    pthread_mutex_t mutex; /* guards the queue and the flags behind it */
    pthread_cond_t wake;
    struct write_task *first;
    struct write_task **last;
    bool stopping;
    bool idle_due; /* idle() may have work */
    bool woken;    /* it has, whatever it said */

    atomic_size_t depth;
    atomic_int_fast64_t transactions;
    atomic_int_fast64_t tasks;
    atomic_int_fast64_t failed;
    atomic_int_fast64_t retried;
    atomic_int_fast64_t idle_runs;

    /* The thread's own. */
    struct db *db;
    struct write_task **batch; /* batch_tasks_max places */
    unsigned since_idle;
    int64_t idle_not_before_us;
    bool idle_failed; /* then it is left alone until that time, whatever comes */
    _Atomic uint64_t changes;
};

/* writer_call(): who waits for a task. */
struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    bool is_done;
};

static void count(atomic_int_fast64_t *counter, size_t n)
{
    atomic_fetch_add_explicit(counter, (int_fast64_t)n, memory_order_relaxed);
}

static void finish(struct writer *writer, struct write_task *task, enum accord_error result)
{
    if (result != ACCORD_OK)
        count(&writer->failed, 1);
    task->result = result;
    struct waiter *waiter = task->waiter;
    if (waiter == NULL) {
        task->done(task);
        return;
    }
    pthread_mutex_lock(&waiter->mutex);
    waiter->is_done = true;
    pthread_cond_signal(&waiter->done);
    pthread_mutex_unlock(&waiter->mutex);
}

/* ---- transactions ---- */

static void roll_back(struct writer *writer)
{
    db_rollback(writer->db);
    if (writer->config.rolled_back != NULL)
        writer->config.rolled_back(writer->config.context);
    if (db_in_transaction(writer->db)) {
        /* It does not even roll back: begin() opens another connection. */
        db_close(writer->db);
        writer->db = NULL;
    }
}

static void log_failure(struct writer *writer, const char *event, enum accord_error error)
{
    LOG(LOG_WARN, event, LOG_TEXT("code", accord_error_code(error)),
        LOG_TEXT("message", writer->db == NULL ? NULL : db_message(writer->db)));
}

static enum accord_error begin(struct writer *writer)
{
    if (writer->db == NULL) {
        const enum accord_error error = db_open(writer->url, DB_READ_WRITE, &writer->db);
        if (error != ACCORD_OK)
            return error;
    }
    return db_begin(writer->db);
}

static enum accord_error commit(struct writer *writer)
{
    enum accord_error error = ACCORD_OK;
    if (writer->config.before_commit != NULL)
        error = writer->config.before_commit(writer->config.context, writer->db);
    if (error == ACCORD_OK) {
        error = db_commit(writer->db);
        atomic_fetch_add(&writer->changes, 1); /* an outcome may be unknown: whatever it says */
    }
    return error;
}

/* Runs of one kind, one after the other. */
static enum accord_error run_tasks(struct writer *writer, struct write_task *const *tasks,
                                   size_t task_count)
{
    for (size_t from = 0; from < task_count;) {
        const struct write_kind *kind = tasks[from]->kind;
        size_t to = from + 1;
        while (to < task_count && tasks[to]->kind == kind)
            to++;
        const enum accord_error error =
            kind->run(writer->config.context, writer->db, tasks + from, to - from);
        if (error != ACCORD_OK)
            return error;
        from = to;
    }
    return ACCORD_OK;
}

/* One transaction, from BEGIN to a durable COMMIT or to the roll-back. */
static enum accord_error transact(struct writer *writer, struct write_task *const *tasks,
                                  size_t task_count)
{
    enum accord_error error = begin(writer);
    if (error != ACCORD_OK) {
        log_failure(writer, "transaction_failed", error);
        return error;
    }
    error = run_tasks(writer, tasks, task_count);
    if (error == ACCORD_OK)
        error = commit(writer);
    if (error != ACCORD_OK) {
        log_failure(writer, "transaction_failed", error);
        roll_back(writer);
        return error;
    }
    count(&writer->transactions, 1);
    count(&writer->tasks, task_count);
    return ACCORD_OK;
}

/* The cause lies in the database, not in a task: each task alone would meet it too, and each might
 * wait for it as long. */
static bool concerns_all(enum accord_error error)
{
    return error == ACCORD_E_DATABASE_BUSY || error == ACCORD_E_DATABASE_UNAVAILABLE ||
           error == ACCORD_E_OUTCOME_UNKNOWN;
}

/* A task whose part is done goes behind what waits, even while the writer is stopping. */
static void put_back(struct writer *writer, struct write_task *task)
{
    pthread_mutex_lock(&writer->mutex);
    task->next = NULL;
    *writer->last = task;
    writer->last = &task->next;
    atomic_fetch_add_explicit(&writer->depth, 1, memory_order_relaxed);
    pthread_mutex_unlock(&writer->mutex);
}

static void finish_part(struct writer *writer, struct write_task *task, enum accord_error error)
{
    if (error == ACCORD_OK && task->more != NULL && task->more(task))
        put_back(writer, task);
    else
        finish(writer, task, error);
}

static void run_batch(struct writer *writer, size_t task_count)
{
    struct write_task **batch = writer->batch;
    enum accord_error error = transact(writer, batch, task_count);
    if (error == ACCORD_OK || task_count == 1 || concerns_all(error)) {
        for (size_t i = 0; i < task_count; i++)
            finish_part(writer, batch[i], error);
        return;
    }
    count(&writer->retried, 1);
    bool given_up = false;
    for (size_t i = 0; i < task_count; i++) {
        if (!given_up)
            error = transact(writer, &batch[i], 1);
        /* This task's commit alone is unknown; the next ones were not begun. */
        finish_part(writer, batch[i], error);
        given_up = error == ACCORD_E_DATABASE_BUSY || error == ACCORD_E_DATABASE_UNAVAILABLE;
    }
}

/* ---- background work ---- */

/* Returns whether more is left to do at once. */
static bool run_idle(struct writer *writer)
{
    bool more = false;
    writer->since_idle = 0;
    enum accord_error error = begin(writer);
    if (error == ACCORD_OK) {
        error = writer->config.idle(writer->config.context, writer->db, &more);
        if (error == ACCORD_OK)
            error = commit(writer);
        if (error != ACCORD_OK)
            roll_back(writer);
    }
    if (error != ACCORD_OK) {
        log_failure(writer, "background_work_failed", error);
        writer->idle_failed = true;
        writer->idle_not_before_us = clock_monotonic_us() + IDLE_RETRY_US;
        return true;
    }
    writer->idle_failed = false;
    count(&writer->idle_runs, 1);
    if (!more && writer->config.idle_every_us > 0) {
        writer->idle_not_before_us = clock_monotonic_us() + writer->config.idle_every_us;
        return true;
    }
    return more;
}

/* ---- the thread ---- */

/* Takes the next transaction's tasks off the queue; the mutex is held. */
static size_t take_batch(struct writer *writer)
{
    size_t taken = 0;
    size_t weight = 0;
    const size_t weight_max = writer->config.batch_weight_max;
    while (writer->first != NULL && taken < writer->config.batch_tasks_max) {
        struct write_task *task = writer->first;
        const size_t more = task->weight == 0 ? 1 : task->weight;
        if (taken > 0 && weight_max != 0 && (weight >= weight_max || more > weight_max - weight))
            break;
        weight = more > SIZE_MAX - weight ? SIZE_MAX : weight + more;
        writer->first = task->next;
        task->next = NULL;
        writer->batch[taken++] = task;
    }
    if (writer->first == NULL)
        writer->last = &writer->first;
    atomic_fetch_sub_explicit(&writer->depth, taken, memory_order_relaxed);
    return taken;
}

/* Waits for a task or the stop, or until idle() may be tried again; the mutex is held. */
static void wait_for_work(struct writer *writer)
{
    if (!writer->idle_due) {
        pthread_cond_wait(&writer->wake, &writer->mutex);
        return;
    }
    const int64_t until = writer->idle_not_before_us;
    const struct timespec at = {.tv_sec = until / CLOCK_SECOND_US,
                                .tv_nsec = until % CLOCK_SECOND_US * 1000};
    pthread_cond_timedwait(&writer->wake, &writer->mutex, &at);
}

static bool idle_may_run(const struct writer *writer)
{
    const bool its_time = clock_monotonic_us() >= writer->idle_not_before_us ||
                          (writer->woken && !writer->idle_failed);
    return writer->idle_due && !writer->stopping && its_time &&
           (writer->first == NULL || writer->since_idle >= TRANSACTIONS_PER_IDLE);
}

static void *writer_main(void *context)
{
    struct writer *writer = context;
    pthread_mutex_lock(&writer->mutex);
    for (;;) {
        if (idle_may_run(writer)) {
            writer->idle_due = writer->woken = false;
            pthread_mutex_unlock(&writer->mutex);
            const bool more = run_idle(writer);
            pthread_mutex_lock(&writer->mutex);
            writer->idle_due = writer->idle_due || more;
        } else if (writer->first != NULL) {
            const size_t taken = take_batch(writer);
            pthread_mutex_unlock(&writer->mutex);
            run_batch(writer, taken);
            writer->since_idle++;
            pthread_mutex_lock(&writer->mutex);
            writer->idle_due = writer->config.idle != NULL;
            if (!writer->idle_failed)
                writer->idle_not_before_us = 0;
        } else if (writer->stopping) {
            break;
        } else {
            wait_for_work(writer);
        }
    }
    pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

static void free_writer(struct writer *writer)
{
    db_close(writer->db);
    free(writer->batch);
    free(writer->url);
    free(writer);
}

enum accord_error writer_start(const struct writer_config *config, struct writer **ret)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    writer->config = *config;
    writer->last = &writer->first;
    writer->idle_due = config->idle != NULL;
    if (writer->config.batch_tasks_max == 0)
        writer->config.batch_tasks_max = 1;
    writer->url = strdup(config->database_url);
    writer->batch = calloc(writer->config.batch_tasks_max, sizeof(struct write_task *));
    enum accord_error error = ACCORD_OK;
    if (writer->url == NULL || writer->batch == NULL)
        error = ACCORD_E_OUT_OF_MEMORY;
    if (error == ACCORD_OK)
        error = db_open(writer->url, DB_READ_WRITE, &writer->db);
    if (error != ACCORD_OK) {
        free_writer(writer);
        return error;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0) {
        pthread_cond_destroy(&writer->wake);
        pthread_mutex_destroy(&writer->mutex);
        free_writer(writer);
        return ACCORD_E_OUT_OF_MEMORY;
    }
    *ret = writer;
    return ACCORD_OK;
}

static enum accord_error enqueue(struct writer *writer, struct write_task *task)
{
    enum accord_error error = ACCORD_OK;
    pthread_mutex_lock(&writer->mutex);
    if (writer->stopping) {
        error = ACCORD_E_SHUTTING_DOWN;
    } else if (atomic_load_explicit(&writer->depth, memory_order_relaxed) >=
               writer->config.queue_max) {
        error = ACCORD_E_QUEUE_FULL;
    } else {
        task->next = NULL;
        *writer->last = task;
        writer->last = &task->next;
        atomic_fetch_add_explicit(&writer->depth, 1, memory_order_relaxed);
        pthread_cond_signal(&writer->wake);
    }
    pthread_mutex_unlock(&writer->mutex);
    return error;
}

enum accord_error writer_submit(struct writer *writer, struct write_task *task)
{
    task->waiter = NULL;
    return enqueue(writer, task);
}

enum accord_error writer_call(struct writer *writer, struct write_task *task)
{
    struct waiter waiter = {.is_done = false};
    pthread_mutex_init(&waiter.mutex, NULL);
    pthread_cond_init(&waiter.done, NULL);
    /* cppcheck-suppress autoVariables; the task leaves the writer before this returns */
    task->waiter = &waiter;
    enum accord_error error = enqueue(writer, task);
    if (error == ACCORD_OK) {
        pthread_mutex_lock(&waiter.mutex);
        while (!waiter.is_done)
            pthread_cond_wait(&waiter.done, &waiter.mutex);
        pthread_mutex_unlock(&waiter.mutex);
        error = task->result;
    }
    task->waiter = NULL;
    pthread_cond_destroy(&waiter.done);
    pthread_mutex_destroy(&waiter.mutex);
    return error;
}

void writer_wake(struct writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    writer->idle_due = writer->config.idle != NULL;
    writer->woken = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
}

uint64_t writer_changes(const struct writer *writer)
{
    return atomic_load(&writer->changes);
}

size_t writer_depth(const struct writer *writer)
{
    return atomic_load_explicit(&writer->depth, memory_order_relaxed);
}

struct writer_stats writer_stats(const struct writer *writer)
{
    return (struct writer_stats){
        .transactions = atomic_load_explicit(&writer->transactions, memory_order_relaxed),
        .tasks = atomic_load_explicit(&writer->tasks, memory_order_relaxed),
        .failed = atomic_load_explicit(&writer->failed, memory_order_relaxed),
        .retried = atomic_load_explicit(&writer->retried, memory_order_relaxed),
        .idle_runs = atomic_load_explicit(&writer->idle_runs, memory_order_relaxed),
    };
}

void writer_stop(struct writer *writer)
{
    if (writer == NULL)
        return;
    pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->mutex);
    free_writer(writer);
}
