/**
 * Metrics in Prometheus' text format.
 *
 * Series are added while one thread starts the program; after that counting and writing need no
 * lock: each thread counts in its own shard, a scrape adds the shards up.
 */
#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H

#include <stdint.h>

#include "accord/error.h"
#include "base/buf.h"

struct metrics;
struct metric;

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/** What one name stands for; static, and told apart by its address. */
struct metric_family {
    const char *name; /**< accord_…; counters end in _total, durations in _seconds */
    const char *help;
    enum metric_kind kind;
};

/** Borrowed until the call returns. */
struct metric_label {
    const char *name;
    const char *value;
};

/** @param shards  how many threads count: workers, job threads, writers. Any shard number is fine
 *                 in the calls below; two threads of one shard are only slower. */
enum accord_error metrics_new(unsigned shards, struct metrics **ret);
/** When no thread counts any more; NULL is a no-op. */
void metrics_free(struct metrics *metrics);

/** Adds a series, which lives as long as `metrics`. Not thread-safe. */
enum accord_error metrics_add(struct metrics *metrics, const struct metric_family *family,
                              const struct metric_label *labels, unsigned label_count,
                              struct metric **ret);
/** Adds a counter or gauge that is read when it is asked for: a queue's depth, a file's size. */
enum accord_error metrics_add_read(struct metrics *metrics, const struct metric_family *family,
                                   const struct metric_label *labels, unsigned label_count,
                                   int64_t (*read)(void *context), void *context);

/* From any thread; a NULL metric is a no-op. */
void metric_add(struct metric *metric, unsigned shard, int64_t n);
/** Gauges only. */
void metric_set(struct metric *metric, int64_t value);
/** Histograms only. */
void metric_observe(struct metric *metric, unsigned shard, int64_t duration_us);

/** All series, in the order in which their families were first added. */
void metrics_write(const struct metrics *metrics, struct buf *out);

/** The series of one route: requests by class of status, and how long they took. */
struct metric_route {
    struct metric *requests[6]; /**< other, 1xx … 5xx */
    struct metric *duration;
};
/** @param route  "GET /v1/courses" */
enum accord_error metrics_add_route(struct metrics *metrics, const char *route,
                                    struct metric_route *ret);
void metric_route_count(const struct metric_route *route, unsigned shard, unsigned status,
                        int64_t duration_us);

#endif
