#include "unit.h"

#include <pthread.h>
#include <string.h>

#include "service/metrics.h"

static struct metrics *metrics;
static struct buf out;

static const struct metric_family facts = {"accord_facts_total", "Facts taken.", METRIC_COUNTER};
static const struct metric_family depth = {"accord_queue_depth", "Waiting.", METRIC_GAUGE};
static const struct metric_family times = {"accord_x_seconds", "Times.", METRIC_HISTOGRAM};

static void setup(void)
{
    ck_assert_int_eq(metrics_new(3, &metrics), ACCORD_OK);
    buf_init(&out, 1 << 20);
}

static void teardown(void)
{
    buf_done(&out);
    metrics_free(metrics);
}

static const char *written(void)
{
    out.len = 0;
    metrics_write(metrics, &out);
    buf_add_char(&out, '\0');
    ck_assert_int_eq(buf_error(&out), ACCORD_OK);
    return out.data;
}

static int64_t read_seven(void *context)
{
    return *(const int64_t *)context;
}

START_TEST(text_format)
{
    struct metric *a;
    struct metric *b;
    struct metric *gauge;
    int64_t seven = 7;
    const struct metric_label odd[] = {{"type", "a\"b\\c\nd"}, {"book", "live"}};
    const struct metric_label plain[] = {{"book", "test"}};
    ck_assert_int_eq(metrics_add(metrics, &facts, odd, 2, &a), ACCORD_OK);
    ck_assert_int_eq(metrics_add(metrics, &depth, NULL, 0, &gauge), ACCORD_OK);
    ck_assert_int_eq(metrics_add(metrics, &facts, NULL, 0, &b), ACCORD_OK);
    ck_assert_int_eq(metrics_add_read(metrics, &depth, plain, 1, read_seven, &seven), ACCORD_OK);
    ck_assert_int_eq(metrics_add_read(metrics, &times, plain, 1, read_seven, &seven),
                     ACCORD_E_INTERNAL);
    metric_add(a, 0, 2);
    metric_add(a, 1, 3);
    metric_add(a, 2, 4);
    metric_add(a, 1000, 5);
    metric_set(gauge, 40);
    metric_add(gauge, 2, 2);
    metric_add(NULL, 0, 1);
    metric_set(a, 999); /* not a gauge */
    ck_assert_str_eq(written(), "# HELP accord_facts_total Facts taken.\n"
                                "# TYPE accord_facts_total counter\n"
                                "accord_facts_total{type=\"a\\\"b\\\\c\\nd\",book=\"live\"} 14\n"
                                "accord_facts_total 0\n"
                                "# HELP accord_queue_depth Waiting.\n"
                                "# TYPE accord_queue_depth gauge\n"
                                "accord_queue_depth 42\n"
                                "accord_queue_depth{book=\"test\"} 7\n");
}
END_TEST

START_TEST(histograms)
{
    struct metric *metric;
    ck_assert_int_eq(metrics_add(metrics, &times, NULL, 0, &metric), ACCORD_OK);
    /* On a bound a value belongs below it. */
    metric_observe(metric, 0, 100);
    metric_observe(metric, 1, 101);
    metric_observe(metric, 2, 30000001);
    metric_observe(metric, 0, -5);
    metric_observe(metric, 0, 1000000);
    const char *text = written();
    ck_assert_ptr_nonnull(strstr(text, "accord_x_seconds_bucket{le=\"0.0001\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(text, "accord_x_seconds_bucket{le=\"0.00025\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "accord_x_seconds_bucket{le=\"0.5\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "accord_x_seconds_bucket{le=\"1\"} 4\n"));
    ck_assert_ptr_nonnull(strstr(text, "accord_x_seconds_bucket{le=\"30\"} 4\n"));
    ck_assert_ptr_nonnull(strstr(text, "accord_x_seconds_bucket{le=\"+Inf\"} 5\n"));
    ck_assert_ptr_nonnull(strstr(text, "accord_x_seconds_sum 31.000202\n"));
    ck_assert_ptr_nonnull(strstr(text, "accord_x_seconds_count 5\n"));
}
END_TEST

START_TEST(routes)
{
    struct metric_route me;
    struct metric_route courses;
    ck_assert_int_eq(metrics_add_route(metrics, "GET /v1/me", &me), ACCORD_OK);
    ck_assert_int_eq(metrics_add_route(metrics, "GET /v1/courses", &courses), ACCORD_OK);
    metric_route_count(&me, 0, 200, 150);
    metric_route_count(&me, 1, 404, 150);
    metric_route_count(&me, 1, 499, 150);
    metric_route_count(&courses, 1, 777, 150);
    const char *text = written();
    ck_assert_ptr_nonnull(
        strstr(text, "accord_http_requests_total{route=\"GET /v1/me\",status=\"2xx\"} 1\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "accord_http_requests_total{route=\"GET /v1/me\",status=\"4xx\"} 2\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "accord_http_requests_total{route=\"GET /v1/courses\",status=\"other\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(
        text, "accord_http_request_duration_seconds_bucket{route=\"GET /v1/me\",le=\"0.00025\"} "
              "3\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "accord_http_request_duration_seconds_sum{route=\"GET /v1/me\"} 0.000450\n"));
    /* One head for a family, however many routes. */
    const char *head = strstr(text, "# TYPE accord_http_requests_total counter\n");
    ck_assert_ptr_nonnull(head);
    ck_assert_ptr_null(strstr(head + 1, "# TYPE accord_http_requests_total counter\n"));
}
END_TEST

enum { THREADS = 4, EACH = 20000 };

struct counting {
    unsigned number;
    struct metric *counter;
    struct metric *histogram;
};

static void *count(void *context)
{
    const struct counting *counting = context;
    for (int i = 0; i < EACH; i++) {
        metric_add(counting->counter, counting->number, 1);
        metric_observe(counting->histogram, counting->number, i);
    }
    return NULL;
}

START_TEST(threads_lose_nothing)
{
    pthread_t threads[THREADS];
    struct counting counting[THREADS];
    struct metric *counter;
    struct metric *histogram;
    ck_assert_int_eq(metrics_add(metrics, &facts, NULL, 0, &counter), ACCORD_OK);
    ck_assert_int_eq(metrics_add(metrics, &times, NULL, 0, &histogram), ACCORD_OK);
    for (unsigned i = 0; i < THREADS; i++) { /* more threads than shards */
        counting[i] = (struct counting){i, counter, histogram};
        pthread_create(&threads[i], NULL, count, &counting[i]);
    }
    (void)written();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const char *text = written();
    ck_assert_ptr_nonnull(strstr(text, "\naccord_facts_total 80000\n"));
    ck_assert_ptr_nonnull(strstr(text, "\naccord_x_seconds_count 80000\n"));
    /* 4 * (0 + 1 + … + 19999) microseconds */
    ck_assert_ptr_nonnull(strstr(text, "\naccord_x_seconds_sum 799.960000\n"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tests = tcase_create("metrics");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, text_format);
    tcase_add_test(tests, histograms);
    tcase_add_test(tests, routes);
    tcase_add_test(tests, threads_lose_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
