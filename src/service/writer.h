/**
 * The writer: one thread per book that takes many tasks into one transaction.
 *
 * A transaction takes what stands in the queue, in order, up to a bound; tasks of one kind that
 * stand next to each other are run together (a batch). When anything in it fails the transaction is
 * rolled back and its tasks run again one by one, each in a transaction of its own, so one bad task
 * never harms another. done() is called after the commit is durable (or with the error), on the
 * writer's thread.
 */
#ifndef SERVICE_WRITER_H
#define SERVICE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"
#include "store/store.h"

struct writer;
struct write_task;

struct write_kind {
    const char *name;
    /**
     * Runs inside the open transaction. A task that is refused (a conflict, a duplicate) records
     * that in itself, writes nothing, and counts as run. An error return rolls everything back.
     * May be called again for the same tasks after a roll-back: it starts from scratch each time.
     *
     * @param context  the writer's, from writer_start()
     */
    enum accord_error (*run)(void *context, struct db *db, struct write_task *const *tasks,
                             size_t count);
};

struct write_task {
    const struct write_kind *kind;
    void *self;
    enum accord_error result; /**< OK, or why nothing of it was written */
    void (*done)(struct write_task *task);
    /** NULL, or called after each durable commit, on the writer's thread: true when this was a part
     *  of the task only. It is run once more then, behind what waits, so that a long task does not
     *  keep others waiting; what is durable stays so if a later part fails. */
    bool (*more)(struct write_task *task);
    /** How many rows it writes, roughly; 0 counts as 1. Bounds a transaction. */
    size_t weight;
    struct write_task *next; /**< the writer's */
    void *waiter;            /**< the writer's */
};

struct writer_config {
    const char *database_url;
    size_t queue_max; /**< tasks; beyond it writer_submit() refuses */
    size_t batch_tasks_max;
    /** A transaction takes no further task once it weighs this much; 0: no such bound. */
    size_t batch_weight_max;
    void *context;
    /** Called in each transaction after its tasks, before COMMIT; e.g. to flush coalesced rows. */
    enum accord_error (*before_commit)(void *context, struct db *db);
    /** Called when a transaction was rolled back (or its outcome is unknown): drop what was
     *  coalesced for it. */
    void (*rolled_back)(void *context);
    /**
     * Work in the background, or NULL: called in a transaction of its own (before_commit and
     * rolled_back apply) at the start and whenever the queue has become empty, and again as long as
     * *ret_more says that work is left; now and then too while the queue never empties. Each call
     * does a small piece, for tasks wait meanwhile. After an error it is left alone for a second.
     */
    enum accord_error (*idle)(void *context, struct db *db, bool *ret_more);
    /** And again so long after it said that nothing was left: some work waits for its time. 0: no.
     */
    int64_t idle_every_us;
};

/** Counts since the start; for metrics. */
struct writer_stats {
    int64_t transactions; /**< committed with tasks in them */
    int64_t tasks;        /**< committed */
    int64_t failed;       /**< tasks that were answered with an error */
    int64_t retried;      /**< transactions that were rolled back and run one by one */
    int64_t idle_runs;    /**< pieces of background work committed */
};

enum accord_error writer_start(const struct writer_config *config, struct writer **ret);
/** Queues a task; ACCORD_E_QUEUE_FULL or ACCORD_E_SHUTTING_DOWN when refused (done() not called).
 */
enum accord_error writer_submit(struct writer *writer, struct write_task *task);
/** Submits and waits: for background threads only. Returns task->result. done() is not called. */
enum accord_error writer_call(struct writer *writer, struct write_task *task);
/** Calls idle() again soon although it said that nothing was left: work came from elsewhere. */
void writer_wake(struct writer *writer);
/** A number that is another one after each transaction that may have been committed, before anybody
 *  is told of it. From any thread. */
uint64_t writer_changes(const struct writer *writer);
size_t writer_depth(const struct writer *writer);
struct writer_stats writer_stats(const struct writer *writer);
/** Finishes what is queued, then stops and frees. NULL is a no-op. */
void writer_stop(struct writer *writer);

#endif
