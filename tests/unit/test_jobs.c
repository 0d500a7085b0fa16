#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "service/jobs.h"

enum { THREADS = 4, SUBMITTERS = 4, EACH = 2000 };

static struct jobs *jobs;
static atomic_int ran;
static atomic_int by_thread[THREADS];
static atomic_int in_thread[THREADS];
static atomic_bool released;

static void reset(void)
{
    atomic_store(&ran, 0);
    atomic_store(&released, false);
    for (int i = 0; i < THREADS; i++)
        atomic_store(&by_thread[i], 0);
}

static void count_job(void *self, unsigned thread)
{
    (void)self;
    ck_assert_uint_lt(thread, THREADS);
    /* A thread's number is its own: nobody else runs under it meanwhile. */
    ck_assert_int_eq(atomic_fetch_add(&in_thread[thread], 1), 0);
    atomic_fetch_add(&by_thread[thread], 1);
    atomic_fetch_add(&ran, 1);
    atomic_fetch_sub(&in_thread[thread], 1);
}

static void blocked_job(void *self, unsigned thread)
{
    (void)self;
    (void)thread;
    while (!atomic_load(&released))
        usleep(1000);
    atomic_fetch_add(&ran, 1);
}

static void *submit_many(void *context)
{
    int *accepted = context;
    for (int i = 0; i < EACH; i++) {
        while (jobs_submit(jobs, count_job, NULL) != ACCORD_OK)
            usleep(100);
        ++*accepted;
    }
    return NULL;
}

START_TEST(every_job_runs_once)
{
    pthread_t threads[SUBMITTERS];
    int accepted[SUBMITTERS] = {0};
    reset();
    ck_assert_int_eq(jobs_start(THREADS, 64, &jobs), ACCORD_OK);
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_create(&threads[i], NULL, submit_many, &accepted[i]);
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(threads[i], NULL);
    jobs_stop(jobs);
    ck_assert_int_eq(atomic_load(&ran), SUBMITTERS * EACH);
    int sum = 0;
    for (int i = 0; i < THREADS; i++)
        sum += atomic_load(&by_thread[i]);
    ck_assert_int_eq(sum, SUBMITTERS * EACH);
}
END_TEST

START_TEST(the_queue_is_bounded)
{
    reset();
    ck_assert_int_eq(jobs_start(1, 2, &jobs), ACCORD_OK);
    ck_assert_int_eq(jobs_submit(jobs, blocked_job, NULL), ACCORD_OK);
    while (jobs_depth(jobs) != 0)
        usleep(1000);
    ck_assert_int_eq(jobs_submit(jobs, blocked_job, NULL), ACCORD_OK);
    ck_assert_int_eq(jobs_submit(jobs, blocked_job, NULL), ACCORD_OK);
    ck_assert_int_eq(jobs_submit(jobs, blocked_job, NULL), ACCORD_E_QUEUE_FULL);
    ck_assert_uint_eq(jobs_depth(jobs), 2);
    atomic_store(&released, true);
    jobs_stop(jobs);
    ck_assert_int_eq(atomic_load(&ran), 3);
}
END_TEST

static void note_turn(void *self, unsigned thread)
{
    (void)thread;
    *(int *)self = atomic_fetch_add(&ran, 1);
}

/* A part is taken although the queue is full, and they take turns: 0 is the job that holds all up.
 */
START_TEST(parts_are_never_refused)
{
    int turns[5] = {0};
    struct job_part parts[3];
    reset();
    ck_assert_int_eq(jobs_start(1, 2, &jobs), ACCORD_OK);
    ck_assert_int_eq(jobs_submit(jobs, blocked_job, NULL), ACCORD_OK);
    while (jobs_depth(jobs) != 0)
        usleep(1000);
    ck_assert_int_eq(jobs_submit(jobs, note_turn, &turns[0]), ACCORD_OK);
    ck_assert_int_eq(jobs_submit(jobs, note_turn, &turns[1]), ACCORD_OK);
    ck_assert_int_eq(jobs_submit(jobs, note_turn, NULL), ACCORD_E_QUEUE_FULL);
    for (int i = 0; i < 3; i++) {
        parts[i] = (struct job_part){.run = note_turn, .self = &turns[2 + i]};
        jobs_continue(jobs, &parts[i]);
    }
    ck_assert_uint_eq(jobs_depth(jobs), 5);
    atomic_store(&released, true);
    jobs_stop(jobs);
    ck_assert_int_eq(atomic_load(&ran), 6);
    ck_assert_int_eq(turns[2], 1);
    ck_assert_int_eq(turns[0], 2);
    ck_assert_int_eq(turns[3], 3);
    ck_assert_int_eq(turns[1], 4);
    ck_assert_int_eq(turns[4], 5);
}
END_TEST

static void *stop_thread(void *context)
{
    jobs_stop(context);
    return NULL;
}

static void late_job(void *self, unsigned thread)
{
    (void)thread;
    enum accord_error *error = self;
    while (!atomic_load(&released))
        usleep(1000);
    usleep(50000);
    *error = jobs_submit(jobs, blocked_job, NULL);
}

START_TEST(stopping_finishes_the_queue_and_takes_no_more)
{
    pthread_t stopper;
    enum accord_error late = ACCORD_OK;
    reset();
    ck_assert_int_eq(jobs_start(1, 8, &jobs), ACCORD_OK);
    ck_assert_int_eq(jobs_submit(jobs, late_job, &late), ACCORD_OK);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(jobs_submit(jobs, blocked_job, NULL), ACCORD_OK);
    pthread_create(&stopper, NULL, stop_thread, jobs);
    usleep(50000);
    atomic_store(&released, true);
    pthread_join(stopper, NULL);
    ck_assert_int_eq(late, ACCORD_E_SHUTTING_DOWN);
    ck_assert_int_eq(atomic_load(&ran), 5);
    jobs_stop(NULL);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("jobs");
    TCase *tests = tcase_create("jobs");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_job_runs_once);
    tcase_add_test(tests, the_queue_is_bounded);
    tcase_add_test(tests, parts_are_never_refused);
    tcase_add_test(tests, stopping_finishes_the_queue_and_takes_no_more);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
