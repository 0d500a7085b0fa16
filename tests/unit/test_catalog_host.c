#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "api/catalog_host.h"
#include "db/migrate.h"
#include "temp_dir.h"

static char dir[TEMP_DIR_MAX];
static char url[TEMP_DIR_MAX + 32];
static struct ingest_config config;
static struct book book;
static atomic_bool hold;
static atomic_bool holding;
static atomic_int finished;

static enum accord_error run_held(void *context, struct db *db, struct write_task *const *tasks,
                                  size_t count)
{
    (void)context;
    (void)db;
    (void)tasks;
    (void)count;
    atomic_store(&holding, true);
    while (atomic_load(&hold))
        usleep(500);
    return ACCORD_OK;
}

static const struct write_kind held = {"held", run_held};

static void note_finished(struct write_task *task)
{
    (void)task;
    atomic_fetch_add(&finished, 1);
}

static enum accord_error count_up(void *self, struct ingest_tx *tx)
{
    (void)tx;
    ++*(int *)self;
    return ACCORD_OK;
}

static void *release(void *argument)
{
    (void)argument;
    usleep(400000);
    atomic_store(&hold, false);
    return NULL;
}

static void setup(void)
{
    char why[DB_WHY_MAX];
    temp_dir_make(dir);
    snprintf(url, sizeof url, "sqlite:%s/accord.db", dir);
    ck_assert_int_eq(db_migrate(url, NULL, why), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_new(&config, &book.tx), ACCORD_OK);
    const struct writer_config writer = {.database_url = url,
                                         .queue_max = 1,
                                         .batch_tasks_max = 1,
                                         .context = book.tx,
                                         .before_commit = ingest_tx_before_commit,
                                         .rolled_back = ingest_tx_rolled_back};
    ck_assert_int_eq(writer_start(&writer, &book.writer), ACCORD_OK);
}

static void teardown(void)
{
    writer_stop(book.writer);
    ingest_tx_free(book.tx);
    temp_dir_remove(dir);
}

START_TEST(a_full_queue_is_waited_out)
{
    struct db *readers[] = {NULL};
    book.readers = readers;
    struct catalog_thread thread;
    catalog_thread_init(&thread, &book, 0);
    struct write_task tasks[2] = {{.kind = &held, .done = note_finished},
                                  {.kind = &held, .done = note_finished}};
    atomic_store(&hold, true);
    ck_assert_int_eq(writer_submit(book.writer, &tasks[0]), ACCORD_OK);
    while (!atomic_load(&holding))
        usleep(500);
    ck_assert_int_eq(writer_submit(book.writer, &tasks[1]), ACCORD_OK);
    pthread_t releaser;
    ck_assert_int_eq(pthread_create(&releaser, NULL, release, NULL), 0);
    int runs = 0;
    ck_assert_int_eq(thread.host.write(thread.host.context, count_up, &runs), ACCORD_OK);
    ck_assert_int_eq(runs, 1);
    pthread_join(releaser, NULL);
    ck_assert_int_eq(atomic_load(&finished), 2);

    /* Once the work must not go on, nothing is written and nothing is waited for. */
    const _Atomic bool stop = true;
    thread.stop = &stop;
    ck_assert_int_eq(thread.host.write(thread.host.context, count_up, &runs),
                     ACCORD_E_SHUTTING_DOWN);
    ck_assert_int_eq(runs, 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("catalog_host");
    TCase *tc = tcase_create("catalog_host");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_full_queue_is_waited_out);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
