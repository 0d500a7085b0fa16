/**
 * The writer: one thread per book that takes many tasks into one transaction.
 *
 * Tasks of one kind that stand next to each other in the queue are run together (a batch). When a
 * run fails with an error the transaction is rolled back and its tasks run again one by one, each
 * in a transaction of its own, so one bad task never harms another. done() is called after the
 * commit is durable (or with the error), on the writer's thread.
 */
#ifndef SERVICE_WRITER_H
#define SERVICE_WRITER_H

#include <stddef.h>

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
    struct write_task *next; /**< the writer's */
};

struct writer_config {
    const char *database_url;
    size_t queue_max; /**< tasks; beyond it writer_submit() refuses */
    size_t batch_tasks_max;
    void *context;
    /** Called in each transaction after its tasks, before COMMIT; e.g. to flush coalesced rows. */
    enum accord_error (*before_commit)(void *context, struct db *db);
    /** Called when a transaction was rolled back: drop what was coalesced for it. */
    void (*rolled_back)(void *context);
};

enum accord_error writer_start(const struct writer_config *config, struct writer **ret);
/** Queues a task; ACCORD_E_QUEUE_FULL or ACCORD_E_SHUTTING_DOWN when refused (done() not called).
 */
enum accord_error writer_submit(struct writer *writer, struct write_task *task);
/** Submits and waits: for background threads only. Returns task->result. */
enum accord_error writer_call(struct writer *writer, struct write_task *task);
size_t writer_depth(const struct writer *writer);
/** Finishes what is queued, then stops. */
void writer_stop(struct writer *writer);

#endif
