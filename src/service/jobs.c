#include "service/jobs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct job {
    job_fn *run;
    void *self;
};

struct jobs_thread {
    struct jobs *jobs;
    pthread_t thread;
    unsigned number;
};

struct jobs {
    pthread_mutex_t mutex; /* guards the ring, the parts and stopping */
    pthread_cond_t wake;
    struct job *ring;
    size_t queue_max;
    size_t head; /* the place of the oldest job */
    size_t queued;
    struct job_part *parts_first;
    struct job_part *parts_last;
    size_t parts;
    bool part_next; /* whose turn it is */
    bool stopping;
    atomic_size_t depth; /* = queued + parts, for readers without the mutex */
    struct jobs_thread *threads;
    unsigned thread_count; /* those that were started */
};

static void show_depth(struct jobs *jobs)
{
    atomic_store_explicit(&jobs->depth, jobs->queued + jobs->parts, memory_order_relaxed);
}

/* The oldest job or the oldest part, by turns. */
static bool take(struct jobs *jobs, struct job *ret)
{
    if (jobs->queued == 0 && jobs->parts == 0)
        return false;
    if (jobs->parts > 0 && (jobs->part_next || jobs->queued == 0)) {
        const struct job_part *part = jobs->parts_first;
        *ret = (struct job){part->run, part->self};
        jobs->parts_first = part->next;
        jobs->parts--;
        jobs->part_next = false;
    } else {
        *ret = jobs->ring[jobs->head];
        jobs->head = (jobs->head + 1) % jobs->queue_max;
        jobs->queued--;
        jobs->part_next = true;
    }
    show_depth(jobs);
    return true;
}

static void *jobs_main(void *context)
{
    const struct jobs_thread *thread = context;
    struct jobs *jobs = thread->jobs;
    pthread_mutex_lock(&jobs->mutex);
    for (;;) {
        struct job job;
        if (take(jobs, &job)) {
            pthread_mutex_unlock(&jobs->mutex);
            job.run(job.self, thread->number);
            pthread_mutex_lock(&jobs->mutex);
        } else if (jobs->stopping) {
            break;
        } else {
            pthread_cond_wait(&jobs->wake, &jobs->mutex);
        }
    }
    pthread_mutex_unlock(&jobs->mutex);
    return NULL;
}

enum accord_error jobs_start(unsigned threads, size_t queue_max, struct jobs **ret)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (threads == 0)
        threads = 1;
    jobs->queue_max = queue_max == 0 ? 1 : queue_max;
    jobs->ring = calloc(jobs->queue_max, sizeof *jobs->ring);
    jobs->threads = calloc(threads, sizeof *jobs->threads);
    pthread_mutex_init(&jobs->mutex, NULL);
    pthread_cond_init(&jobs->wake, NULL);
    bool failed = jobs->ring == NULL || jobs->threads == NULL;
    while (!failed && jobs->thread_count < threads) {
        struct jobs_thread *thread = &jobs->threads[jobs->thread_count];
        *thread = (struct jobs_thread){.jobs = jobs, .number = jobs->thread_count};
        failed = pthread_create(&thread->thread, NULL, jobs_main, thread) != 0;
        if (!failed)
            jobs->thread_count++;
    }
    if (failed) {
        jobs_stop(jobs);
        return ACCORD_E_OUT_OF_MEMORY;
    }
    *ret = jobs;
    return ACCORD_OK;
}

enum accord_error jobs_submit(struct jobs *jobs, job_fn *run, void *self)
{
    enum accord_error error = ACCORD_OK;
    pthread_mutex_lock(&jobs->mutex);
    if (jobs->stopping) {
        error = ACCORD_E_SHUTTING_DOWN;
    } else if (jobs->queued == jobs->queue_max) {
        error = ACCORD_E_QUEUE_FULL;
    } else {
        jobs->ring[(jobs->head + jobs->queued) % jobs->queue_max] = (struct job){run, self};
        jobs->queued++;
        show_depth(jobs);
        pthread_cond_signal(&jobs->wake);
    }
    pthread_mutex_unlock(&jobs->mutex);
    return error;
}

void jobs_continue(struct jobs *jobs, struct job_part *part)
{
    pthread_mutex_lock(&jobs->mutex);
    part->next = NULL;
    if (jobs->parts == 0)
        jobs->parts_first = part;
    else
        jobs->parts_last->next = part;
    jobs->parts_last = part;
    jobs->parts++;
    show_depth(jobs);
    pthread_cond_signal(&jobs->wake);
    pthread_mutex_unlock(&jobs->mutex);
}

size_t jobs_depth(const struct jobs *jobs)
{
    return atomic_load_explicit(&jobs->depth, memory_order_relaxed);
}

void jobs_stop(struct jobs *jobs)
{
    if (jobs == NULL)
        return;
    pthread_mutex_lock(&jobs->mutex);
    jobs->stopping = true;
    pthread_cond_broadcast(&jobs->wake);
    pthread_mutex_unlock(&jobs->mutex);
    for (unsigned i = 0; i < jobs->thread_count; i++)
        pthread_join(jobs->threads[i].thread, NULL);
    pthread_cond_destroy(&jobs->wake);
    pthread_mutex_destroy(&jobs->mutex);
    free(jobs->threads);
    free(jobs->ring);
    free(jobs);
}
