#include "service/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64, LABELS_MAX = 1024 };

/* Upper bounds of the buckets, in microseconds and as they are written. */
static const struct {
    int64_t us;
    const char *text;
} bounds[] = {
    {100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},     {1000, "0.001"},  {2500, "0.0025"},
    {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"},    {50000, "0.05"},  {100000, "0.1"},
    {250000, "0.25"}, {500000, "0.5"},  {1000000, "1"},      {2500000, "2.5"}, {5000000, "5"},
    {10000000, "10"}, {30000000, "30"}, {INT64_MAX, "+Inf"},
};
enum { BUCKETS = sizeof bounds / sizeof bounds[0] };

/* What a shard of a series counts: one number, or the buckets and then the sum. */
typedef atomic_int_fast64_t cell;

struct metric {
    struct metric *next;
    enum metric_kind kind;
    char *labels; /* `route="…",status="2xx"`, or "" */
    unsigned shards;
    size_t stride; /* cells from one shard to the next: whole cache lines */
    cell *cells;
    int64_t (*read)(void *context);
    void *context;
};

struct family {
    struct family *next;
    const struct metric_family *about;
    struct metric *first;
    struct metric **last;
};

struct metrics {
    unsigned shards;
    struct family *first;
    struct family **last;
};

enum accord_error metrics_new(unsigned shards, struct metrics **ret)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    metrics->shards = shards == 0 ? 1 : shards;
    metrics->last = &metrics->first;
    *ret = metrics;
    return ACCORD_OK;
}

static void free_metric(struct metric *metric)
{
    if (metric == NULL)
        return;
    free(metric->labels);
    free(metric->cells);
    free(metric);
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (struct family *family = metrics->first; family != NULL;) {
        struct family *next_family = family->next;
        for (struct metric *metric = family->first; metric != NULL;) {
            struct metric *next = metric->next;
            free_metric(metric);
            metric = next;
        }
        free(family);
        family = next_family;
    }
    free(metrics);
}

static struct family *find_family(struct metrics *metrics, const struct metric_family *about)
{
    for (struct family *family = metrics->first; family != NULL; family = family->next) {
        if (family->about == about)
            return family;
    }
    struct family *family = calloc(1, sizeof *family);
    if (family == NULL)
        return NULL;
    family->about = about;
    family->last = &family->first;
    *metrics->last = family;
    metrics->last = &family->next;
    return family;
}

static enum accord_error print_labels(const struct metric_label *labels, unsigned label_count,
                                      char **ret)
{
    struct buf buf;
    buf_init(&buf, LABELS_MAX);
    for (unsigned i = 0; i < label_count; i++) {
        buf_printf(&buf, "%s%s=\"", i == 0 ? "" : ",", labels[i].name);
        for (const char *at = labels[i].value; *at != '\0'; at++) {
            if (*at == '\n')
                buf_add_str(&buf, "\\n");
            else if (*at == '"' || *at == '\\')
                buf_printf(&buf, "\\%c", *at);
            else
                buf_add_char(&buf, *at);
        }
        buf_add_char(&buf, '"');
    }
    buf_add_char(&buf, '\0');
    const enum accord_error error = buf_error(&buf);
    if (error != ACCORD_OK) {
        buf_done(&buf);
        return error;
    }
    size_t len;
    *ret = buf_steal(&buf, &len);
    return ACCORD_OK;
}

static enum accord_error make_cells(struct metric *metric)
{
    const size_t cells = metric->kind == METRIC_HISTOGRAM ? BUCKETS + 1 : 1;
    const size_t bytes = (cells * sizeof(cell) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    metric->stride = bytes / sizeof(cell);
    metric->cells = aligned_alloc(CACHE_LINE, bytes * metric->shards);
    if (metric->cells == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < metric->stride * metric->shards; i++)
        atomic_init(&metric->cells[i], 0);
    return ACCORD_OK;
}

static enum accord_error add(struct metrics *metrics, const struct metric_family *about,
                             const struct metric_label *labels, unsigned label_count,
                             struct metric **ret)
{
    struct family *family = find_family(metrics, about);
    struct metric *metric = calloc(1, sizeof *metric);
    if (family == NULL || metric == NULL) {
        free(metric);
        return ACCORD_E_OUT_OF_MEMORY;
    }
    metric->kind = about->kind;
    metric->shards = about->kind == METRIC_GAUGE ? 1 : metrics->shards;
    enum accord_error error = print_labels(labels, label_count, &metric->labels);
    if (error == ACCORD_OK)
        error = make_cells(metric);
    if (error != ACCORD_OK) {
        free_metric(metric);
        return error;
    }
    *family->last = metric;
    family->last = &metric->next;
    *ret = metric;
    return ACCORD_OK;
}

enum accord_error metrics_add(struct metrics *metrics, const struct metric_family *family,
                              const struct metric_label *labels, unsigned label_count,
                              struct metric **ret)
{
    return add(metrics, family, labels, label_count, ret);
}

enum accord_error metrics_add_read(struct metrics *metrics, const struct metric_family *family,
                                   const struct metric_label *labels, unsigned label_count,
                                   int64_t (*read)(void *context), void *context)
{
    struct metric *metric;
    if (family->kind == METRIC_HISTOGRAM)
        return ACCORD_E_INTERNAL;
    const enum accord_error error = add(metrics, family, labels, label_count, &metric);
    if (error != ACCORD_OK)
        return error;
    metric->read = read;
    metric->context = context;
    return ACCORD_OK;
}

static cell *shard_cells(const struct metric *metric, unsigned shard)
{
    return metric->cells + (shard % metric->shards) * metric->stride;
}

void metric_add(struct metric *metric, unsigned shard, int64_t n)
{
    if (metric != NULL && metric->kind != METRIC_HISTOGRAM)
        atomic_fetch_add_explicit(shard_cells(metric, shard), n, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    if (metric != NULL && metric->kind == METRIC_GAUGE)
        atomic_store_explicit(metric->cells, value, memory_order_relaxed);
}

void metric_observe(struct metric *metric, unsigned shard, int64_t duration_us)
{
    if (metric == NULL || metric->kind != METRIC_HISTOGRAM)
        return;
    if (duration_us < 0)
        duration_us = 0;
    unsigned bucket = 0;
    while (duration_us > bounds[bucket].us)
        bucket++;
    cell *cells = shard_cells(metric, shard);
    atomic_fetch_add_explicit(&cells[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&cells[BUCKETS], duration_us, memory_order_relaxed);
}

/* ---- output ---- */

static int64_t sum_of(const struct metric *metric, size_t place)
{
    int64_t sum = 0;
    for (unsigned shard = 0; shard < metric->shards; shard++)
        sum += atomic_load_explicit(&shard_cells(metric, shard)[place], memory_order_relaxed);
    return sum;
}

static const char *kind_name(enum metric_kind kind)
{
    switch (kind) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_HISTOGRAM:
        return "histogram";
    }
    return "untyped";
}

static void write_series(const char *name, const char *suffix, const char *labels, int64_t value,
                         struct buf *out)
{
    const bool labelled = labels[0] != '\0';
    buf_printf(out, "%s%s%s%s%s %" PRId64 "\n", name, suffix, labelled ? "{" : "", labels,
               labelled ? "}" : "", value);
}

static void write_histogram(const char *name, const struct metric *metric, struct buf *out)
{
    const char *labels = metric->labels;
    const bool labelled = labels[0] != '\0';
    int64_t count = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        count += sum_of(metric, i);
        buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %" PRId64 "\n", name, labels, labelled ? "," : "",
                   bounds[i].text, count);
    }
    const int64_t sum_us = sum_of(metric, BUCKETS);
    buf_printf(out, "%s_sum%s%s%s %" PRId64 ".%06" PRId64 "\n", name, labelled ? "{" : "", labels,
               labelled ? "}" : "", sum_us / 1000000, sum_us % 1000000);
    write_series(name, "_count", labels, count, out);
}

void metrics_write(const struct metrics *metrics, struct buf *out)
{
    for (const struct family *family = metrics->first; family != NULL; family = family->next) {
        const char *name = family->about->name;
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, family->about->help, name,
                   kind_name(family->about->kind));
        for (const struct metric *metric = family->first; metric != NULL; metric = metric->next) {
            if (metric->kind == METRIC_HISTOGRAM)
                write_histogram(name, metric, out);
            else
                write_series(
                    name, "", metric->labels,
                    metric->read != NULL ? metric->read(metric->context) : sum_of(metric, 0), out);
        }
    }
}

/* ---- routes ---- */

static const struct metric_family requests_family = {
    "accord_http_requests_total", "Requests answered, by route and class of status.",
    METRIC_COUNTER};
static const struct metric_family duration_family = {
    "accord_http_request_duration_seconds",
    "Time from a request's first byte to the end of its answer, by route.", METRIC_HISTOGRAM};

enum accord_error metrics_add_route(struct metrics *metrics, const char *route,
                                    struct metric_route *ret)
{
    static const char *const classes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    struct metric_route made;
    const struct metric_label by_route = {"route", route};
    enum accord_error error = metrics_add(metrics, &duration_family, &by_route, 1, &made.duration);
    for (unsigned i = 0; i < 6 && error == ACCORD_OK; i++) {
        const struct metric_label labels[] = {by_route, {"status", classes[i]}};
        error = metrics_add(metrics, &requests_family, labels, 2, &made.requests[i]);
    }
    if (error == ACCORD_OK)
        *ret = made;
    return error;
}

void metric_route_count(const struct metric_route *route, unsigned shard, unsigned status,
                        int64_t duration_us)
{
    const unsigned class = status / 100;
    metric_add(route->requests[class <= 5 ? class : 0], shard, 1);
    metric_observe(route->duration, shard, duration_us);
}
