/** A small pool of threads with a bounded queue, for reads and imports that take milliseconds. */
#ifndef SERVICE_JOBS_H
#define SERVICE_JOBS_H

#include <stddef.h>

#include "accord/error.h"

struct jobs;

/** `thread` is the index of the pool's thread, so that it can use its own connection. */
typedef void job_fn(void *self, unsigned thread);

/** At least one thread is started; the queue holds jobs that no thread has taken yet. */
enum accord_error jobs_start(unsigned threads, size_t queue_max, struct jobs **ret);
/** From any thread, a job's too. ACCORD_E_QUEUE_FULL or ACCORD_E_SHUTTING_DOWN when refused. */
enum accord_error jobs_submit(struct jobs *jobs, job_fn *run, void *self);
/** The next part of what was taken on before; its memory is the caller's until it runs. */
struct job_part {
    job_fn *run;
    void *self;
    struct job_part *next;
};
/** Queues a part. It is never refused: whoever holds one has been let in by jobs_submit(). Parts
 * and jobs take turns, so that neither waits for all of the other. Not after jobs_stop() began. */
void jobs_continue(struct jobs *jobs, struct job_part *part);
/** Jobs and parts that wait; those that run are not counted. */
size_t jobs_depth(const struct jobs *jobs);
/** Finishes what runs and what is queued, then frees. NULL is a no-op. */
void jobs_stop(struct jobs *jobs);

#endif
