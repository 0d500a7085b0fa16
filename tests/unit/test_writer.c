#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "db/db.h"
#include "service/writer.h"
#include "temp_dir.h"

DB_SQL(sql_insert, "INSERT INTO item (id, amount) VALUES ($1, $2)");
DB_SQL(sql_sum, "SELECT COUNT(*), CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM item");
DB_SQL(sql_flushed, "UPDATE flushed SET total = total + $1 WHERE id = 1");
DB_SQL(sql_total, "SELECT total FROM flushed WHERE id = 1");

static const char schema[] =
    "CREATE TABLE item (id @int64 NOT NULL PRIMARY KEY, amount @int64 NOT NULL) @strict;"
    "CREATE TABLE flushed (id @int64 NOT NULL PRIMARY KEY, total @int64 NOT NULL) @strict;"
    "INSERT INTO flushed (id, total) VALUES (1, 0);";

/* What the tests' writer carries: a sum that is coalesced and written once per transaction. */
struct books {
    int64_t coalesced;
    int64_t idle_left;
    int64_t idle_errors;
    atomic_int idle_calls;
    atomic_int flushes;
    atomic_int drops;
    atomic_int largest_batch;
    atomic_bool hold; /* tasks wait while it is set */
    bool fail_flush;
    atomic_bool holding;
};

struct item {
    struct write_task task;
    int64_t id;
    int64_t amount;
    bool bad;
    atomic_int done;
};

static char dir[TEMP_DIR_MAX];
static char url[TEMP_DIR_MAX + 32];
static struct books books;
static struct writer *writer;

static enum accord_error run_items(void *context, struct db *db, struct write_task *const *tasks,
                                   size_t count)
{
    struct books *carried = context;
    if ((int)count > atomic_load(&carried->largest_batch))
        atomic_store(&carried->largest_batch, (int)count);
    atomic_store(&carried->holding, true);
    while (atomic_load(&carried->hold))
        usleep(500);
    for (size_t i = 0; i < count; i++) {
        const struct item *item = tasks[i]->self;
        const struct db_value row[] = {db_int(item->id), db_int(item->amount)};
        const enum accord_error error = db_run(db, &sql_insert, row, 2, 1, NULL);
        if (error != ACCORD_OK)
            return error;
        carried->coalesced += item->amount;
        if (item->bad)
            return ACCORD_E_INTERNAL;
    }
    return ACCORD_OK;
}

static const struct write_kind kind_a = {"a", run_items};
static const struct write_kind kind_b = {"b", run_items};

static enum accord_error flush(void *context, struct db *db)
{
    struct books *carried = context;
    const struct db_value sum = db_int(carried->coalesced);
    atomic_fetch_add(&carried->flushes, 1);
    const enum accord_error error = db_run(db, &sql_flushed, &sum, 1, 1, NULL);
    if (error != ACCORD_OK)
        return error;
    carried->coalesced = 0;
    return carried->fail_flush ? ACCORD_E_INTERNAL : ACCORD_OK;
}

static void drop(void *context)
{
    struct books *carried = context;
    carried->coalesced = 0;
    atomic_fetch_add(&carried->drops, 1);
}

static enum accord_error idle(void *context, struct db *db, bool *ret_more)
{
    struct books *carried = context;
    ck_assert(db_in_transaction(db));
    atomic_fetch_add(&carried->idle_calls, 1);
    if (carried->idle_errors > 0) {
        carried->idle_errors--;
        return ACCORD_E_INTERNAL;
    }
    if (carried->idle_left > 0) {
        carried->idle_left--;
        carried->coalesced += 1;
    }
    *ret_more = carried->idle_left > 0;
    return ACCORD_OK;
}

static void item_done(struct write_task *task)
{
    struct item *item = task->self;
    atomic_fetch_add(&item->done, 1);
}

static struct item make_item(const struct write_kind *kind, int64_t id, int64_t amount)
{
    return (struct item){.task = {.kind = kind, .done = item_done}, .id = id, .amount = amount};
}

static enum accord_error submit(struct item *item)
{
    item->task.self = item;
    return writer_submit(writer, &item->task);
}

static void wait_done(struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while (atomic_load(&items[i].done) == 0)
            usleep(500);
    }
}

static void start(size_t queue_max, size_t batch_max, size_t weight_max, bool with_idle)
{
    const struct writer_config config = {
        .database_url = url,
        .queue_max = queue_max,
        .batch_tasks_max = batch_max,
        .batch_weight_max = weight_max,
        .context = &books,
        .before_commit = flush,
        .rolled_back = drop,
        .idle = with_idle ? idle : NULL,
    };
    ck_assert_int_eq(writer_start(&config, &writer), ACCORD_OK);
}

static void setup(void)
{
    log_open(-1, LOG_ERROR);
    memset(&books, 0, sizeof books);
    temp_dir_make(dir);
    snprintf(url, sizeof url, "sqlite:%s/books.db", dir);
    struct db *db;
    ck_assert_int_eq(db_open(url, DB_READ_WRITE, &db), ACCORD_OK);
    ck_assert_int_eq(db_script(db, schema), ACCORD_OK);
    db_close(db);
}

static void teardown(void)
{
    temp_dir_remove(dir);
}

static enum accord_error read_two(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    int64_t *values = context;
    values[0] = db_get_int(row, 0);
    values[1] = db_get_int(row, 1);
    return ACCORD_OK;
}

static enum accord_error read_one(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

/* What is in the books: rows, their sum, and the sum that was coalesced, which must be equal but
 * for what background work added. */
static void check_books(int64_t rows, int64_t sum, int64_t background)
{
    struct db *db;
    int64_t values[2] = {-1, -1};
    int64_t total = -1;
    ck_assert_int_eq(db_open(url, DB_READ_ONLY, &db), ACCORD_OK);
    ck_assert_int_eq(db_query(db, &sql_sum, NULL, 0, 1, read_two, values), ACCORD_OK);
    ck_assert_int_eq(db_query(db, &sql_total, NULL, 0, 1, read_one, &total), ACCORD_OK);
    db_close(db);
    ck_assert_int_eq(values[0], rows);
    ck_assert_int_eq(values[1], sum);
    ck_assert_int_eq(total, sum + background);
}

enum { SUBMITTERS = 6, EACH = 200 };

static void *submit_many(void *context)
{
    struct item *items = context;
    for (int i = 0; i < EACH; i++) {
        while (submit(&items[i]) != ACCORD_OK)
            usleep(200);
        if (i % 50 == 7)
            ck_assert_uint_le(writer_depth(writer), 100);
    }
    wait_done(items, EACH);
    return NULL;
}

START_TEST(many_threads_submit)
{
    static struct item items[SUBMITTERS][EACH];
    pthread_t threads[SUBMITTERS];
    int64_t sum = 0;
    int64_t rows = 0;
    start(100, 32, 0, true);
    for (int t = 0; t < SUBMITTERS; t++) {
        for (int i = 0; i < EACH; i++) {
            items[t][i] = make_item(i % 5 == 0 ? &kind_b : &kind_a, t * EACH + i, i);
            items[t][i].bad = i % 40 == 39;
            sum += items[t][i].bad ? 0 : i;
            rows += items[t][i].bad ? 0 : 1;
        }
        pthread_create(&threads[t], NULL, submit_many, items[t]);
    }
    for (int t = 0; t < SUBMITTERS; t++)
        pthread_join(threads[t], NULL);
    const struct writer_stats stats = writer_stats(writer);
    writer_stop(writer);
    for (int t = 0; t < SUBMITTERS; t++) {
        for (int i = 0; i < EACH; i++) {
            ck_assert_int_eq(atomic_load(&items[t][i].done), 1);
            ck_assert_int_eq(items[t][i].task.result,
                             items[t][i].bad ? ACCORD_E_INTERNAL : ACCORD_OK);
        }
    }
    check_books(rows, sum, 0);
    ck_assert_int_eq(stats.tasks, rows);
    ck_assert_int_eq(stats.failed, SUBMITTERS * EACH - rows);
}
END_TEST

/* Holds the writer in a task, so that what is submitted meanwhile meets in one transaction. */
static struct item holder;

static void hold(void)
{
    static int64_t holder_id = 1000000;
    holder = make_item(&kind_a, holder_id++, 0);
    atomic_store(&books.hold, true);
    atomic_store(&books.holding, false);
    ck_assert_int_eq(submit(&holder), ACCORD_OK);
    while (!atomic_load(&books.holding))
        usleep(500);
}

START_TEST(tasks_share_a_transaction)
{
    struct item items[20];
    start(100, 8, 0, false);
    hold();
    for (int i = 0; i < 20; i++) {
        items[i] = make_item(i < 10 ? &kind_a : &kind_b, i, 1);
        ck_assert_int_eq(submit(&items[i]), ACCORD_OK);
    }
    ck_assert_uint_eq(writer_depth(writer), 20);
    atomic_store(&books.hold, false);
    wait_done(items, 20);
    /* The holder alone; then 8 of a; 2 of a and 6 of b; 4 of b. */
    ck_assert_int_eq(writer_stats(writer).transactions, 4);
    ck_assert_int_eq(atomic_load(&books.largest_batch), 8);
    ck_assert_int_eq(atomic_load(&books.flushes), 4);
    writer_stop(writer);
    check_books(21, 20, 0);
}
END_TEST

START_TEST(weight_bounds_a_transaction)
{
    struct item items[4];
    const size_t weights[] = {90, 10, 500, 0};
    start(100, 8, 100, false);
    hold();
    for (int i = 0; i < 4; i++) {
        items[i] = make_item(&kind_a, i, 1);
        items[i].task.weight = weights[i];
        ck_assert_int_eq(submit(&items[i]), ACCORD_OK);
    }
    atomic_store(&books.hold, false);
    wait_done(items, 4);
    /* The holder; 90 and 10; 500, however heavy; the last one. */
    ck_assert_int_eq(writer_stats(writer).transactions, 4);
    writer_stop(writer);
    check_books(5, 4, 0);
}
END_TEST

START_TEST(a_bad_task_harms_no_other)
{
    struct item items[6];
    start(100, 8, 0, false);
    hold();
    for (int i = 0; i < 6; i++) {
        items[i] = make_item(&kind_a, i, 1 << i);
        items[i].bad = i == 2;
        ck_assert_int_eq(submit(&items[i]), ACCORD_OK);
    }
    items[4].id = 3; /* a key that is there: an error of the engine */
    atomic_store(&books.hold, false);
    wait_done(items, 6);
    ck_assert_int_eq(writer_stats(writer).retried, 1);
    writer_stop(writer);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(items[i].task.result, i == 2   ? ACCORD_E_INTERNAL
                                               : i == 4 ? ACCORD_E_DATABASE_ERROR
                                                        : ACCORD_OK);
    check_books(5, 1 + 2 + 8 + 32, 0);
    /* The whole, and the two bad ones alone. */
    ck_assert_int_eq(atomic_load(&books.drops), 3);
}
END_TEST

START_TEST(a_failed_hook_rolls_back)
{
    start(100, 8, 0, false);
    books.fail_flush = true;
    struct item item = make_item(&kind_a, 1, 5);
    ck_assert_int_eq(submit(&item), ACCORD_OK);
    wait_done(&item, 1);
    writer_stop(writer);
    ck_assert_int_eq(item.task.result, ACCORD_E_INTERNAL);
    check_books(0, 0, 0);
    ck_assert_int_eq(atomic_load(&books.drops), 1);
}
END_TEST

START_TEST(the_queue_is_bounded)
{
    struct item items[3];
    start(2, 8, 0, false);
    hold();
    for (int i = 0; i < 3; i++) {
        items[i] = make_item(&kind_a, i, 1);
        ck_assert_int_eq(submit(&items[i]), i < 2 ? ACCORD_OK : ACCORD_E_QUEUE_FULL);
    }
    atomic_store(&books.hold, false);
    wait_done(items, 2);
    writer_stop(writer);
    ck_assert_int_eq(atomic_load(&items[2].done), 0);
    check_books(3, 2, 0);
}
END_TEST

static void *release_later(void *context)
{
    (void)context;
    usleep(100000);
    atomic_store(&books.hold, false);
    return NULL;
}

START_TEST(stopping_finishes_the_queue)
{
    struct item items[30];
    pthread_t releaser;
    start(100, 4, 0, true);
    hold();
    for (int i = 0; i < 30; i++) {
        items[i] = make_item(&kind_a, i, 1);
        ck_assert_int_eq(submit(&items[i]), ACCORD_OK);
    }
    pthread_create(&releaser, NULL, release_later, NULL);
    writer_stop(writer);
    pthread_join(releaser, NULL);
    for (int i = 0; i < 30; i++)
        ck_assert_int_eq(atomic_load(&items[i].done), 1);
    check_books(31, 30, 0);
    writer_stop(NULL);
}
END_TEST

/* A task of three parts, and one of a single part that came after it: that is done after the first
 * part. A part that fails is the end of its task; what was durable stays. */
struct parts {
    struct item item;
    int left;
    int seen; /* others that were done when this one was */
    struct item *other;
};

static bool part_is_done(struct write_task *task)
{
    struct parts *parts = (struct parts *)task->self;
    parts->item.id += 100;
    parts->item.bad = parts->item.bad || parts->left < 0;
    return --parts->left != 0 && parts->left > -3;
}

static void parts_are_done(struct write_task *task)
{
    struct parts *parts = (struct parts *)task->self;
    parts->seen = atomic_load(&parts->other->done);
    atomic_fetch_add(&parts->item.done, 1);
}

START_TEST(long_tasks_let_others_pass)
{
    struct item other;
    start(100, 1, 0, true);
    hold();
    other = make_item(&kind_b, 1000, 5);
    struct parts three = {.item = make_item(&kind_a, 1, 7), .left = 3, .other = &other};
    struct parts fails = {.item = make_item(&kind_a, 2, 7), .left = 0, .other = &other};
    three.item.task.self = &three.item;
    fails.item.task.self = &fails.item;
    three.item.task.more = fails.item.task.more = part_is_done;
    three.item.task.done = fails.item.task.done = parts_are_done;
    ck_assert_int_eq(writer_submit(writer, &three.item.task), ACCORD_OK);
    ck_assert_int_eq(writer_submit(writer, &fails.item.task), ACCORD_OK);
    ck_assert_int_eq(submit(&other), ACCORD_OK);
    atomic_store(&books.hold, false);
    writer_stop(writer);
    ck_assert_int_eq(atomic_load(&three.item.done), 1);
    ck_assert_int_eq(three.item.task.result, ACCORD_OK);
    ck_assert_int_eq(three.seen, 1);
    ck_assert_int_eq(atomic_load(&fails.item.done), 1);
    ck_assert_int_eq(fails.item.task.result, ACCORD_E_INTERNAL);
    ck_assert_int_eq(fails.seen, 1);
    /* held, 3 of three, 2 of fails, the other */
    check_books(1 + 3 + 2 + 1, 3 * 7 + 2 * 7 + 5, 0);
}
END_TEST

START_TEST(calls_wait)
{
    start(100, 8, 0, false);
    struct item good = make_item(&kind_a, 1, 7);
    struct item bad = make_item(&kind_a, 2, 7);
    bad.bad = true;
    good.task.self = &good;
    bad.task.self = &bad;
    ck_assert_int_eq(writer_call(writer, &good.task), ACCORD_OK);
    ck_assert_int_eq(writer_call(writer, &bad.task), ACCORD_E_INTERNAL);
    ck_assert_int_eq(atomic_load(&good.done), 0);
    writer_stop(writer);
    check_books(1, 7, 0);
}
END_TEST

START_TEST(background_work_runs_when_the_queue_is_empty)
{
    books.idle_left = 20;
    start(100, 8, 0, true);
    while (writer_stats(writer).idle_runs < 20)
        usleep(500);
    struct item item = make_item(&kind_a, 1, 5);
    ck_assert_int_eq(submit(&item), ACCORD_OK);
    wait_done(&item, 1);
    /* It is asked again after tasks, and when it is woken. */
    while (writer_stats(writer).idle_runs < 21)
        usleep(500);
    writer_wake(writer);
    while (writer_stats(writer).idle_runs < 22)
        usleep(500);
    writer_stop(writer);
    check_books(1, 5, 20);
}
END_TEST

START_TEST(background_work_gets_a_turn_while_the_queue_is_full)
{
    struct item items[64];
    books.idle_left = 1000;
    start(100, 1, 0, true);
    hold();
    const int before = atomic_load(&books.idle_calls);
    for (int i = 0; i < 64; i++) {
        items[i] = make_item(&kind_a, i, 1);
        ck_assert_int_eq(submit(&items[i]), ACCORD_OK);
    }
    atomic_store(&books.hold, false);
    wait_done(items, 64);
    const int turns = atomic_load(&books.idle_calls) - before;
    writer_stop(writer);
    ck_assert_int_ge(turns, 3);
}
END_TEST

START_TEST(background_errors_are_retried_later)
{
    books.idle_left = 1;
    books.idle_errors = 1;
    start(100, 8, 0, true);
    usleep(300000);
    ck_assert_int_eq(atomic_load(&books.idle_calls), 1);
    while (writer_stats(writer).idle_runs < 1)
        usleep(5000);
    writer_stop(writer);
    check_books(0, 0, 1);
}
END_TEST

/* Files may not grow: the COMMIT's write of the log fails half-way. */
START_TEST(a_commit_that_fails_is_an_unknown_outcome)
{
    struct item items[3];
    signal(SIGXFSZ, SIG_IGN);
    start(100, 8, 0, false);
    hold();
    for (int i = 0; i < 2; i++) {
        items[i] = make_item(&kind_a, i, 1);
        ck_assert_int_eq(submit(&items[i]), ACCORD_OK);
    }
    atomic_store(&books.hold, false);
    wait_done(&holder, 1);
    wait_done(items, 2);
    hold();
    holder.task.result = ACCORD_OK;
    const struct rlimit small = {1000, RLIM_INFINITY};
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    atomic_store(&books.hold, false);
    wait_done(&holder, 1);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    ck_assert_int_eq(holder.task.result, ACCORD_E_OUTCOME_UNKNOWN);
    ck_assert_int_eq(atomic_load(&books.drops), 1);
    items[2] = make_item(&kind_a, 2, 1);
    ck_assert_int_eq(submit(&items[2]), ACCORD_OK);
    wait_done(&items[2], 1);
    writer_stop(writer);
    ck_assert_int_eq(items[2].task.result, ACCORD_OK);
    check_books(4, 3, 0);
}
END_TEST

START_TEST(a_missing_database_is_an_error_at_the_start)
{
    const struct writer_config config = {.database_url = "sqlite:/no/such/folder/x.db",
                                         .queue_max = 1};
    ck_assert_int_eq(writer_start(&config, &writer), ACCORD_E_DATABASE_UNAVAILABLE);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("writer");
    TCase *tests = tcase_create("writer");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, many_threads_submit);
    tcase_add_test(tests, tasks_share_a_transaction);
    tcase_add_test(tests, weight_bounds_a_transaction);
    tcase_add_test(tests, a_bad_task_harms_no_other);
    tcase_add_test(tests, a_failed_hook_rolls_back);
    tcase_add_test(tests, the_queue_is_bounded);
    tcase_add_test(tests, stopping_finishes_the_queue);
    tcase_add_test(tests, long_tasks_let_others_pass);
    tcase_add_test(tests, calls_wait);
    tcase_add_test(tests, background_work_runs_when_the_queue_is_empty);
    tcase_add_test(tests, background_work_gets_a_turn_while_the_queue_is_full);
    tcase_add_test(tests, background_errors_are_retried_later);
    tcase_add_test(tests, a_commit_that_fails_is_an_unknown_outcome);
    tcase_add_test(tests, a_missing_database_is_an_error_at_the_start);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
