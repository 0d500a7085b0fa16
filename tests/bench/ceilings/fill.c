/*
 * Fills books with orders, faster than they can be posted: the same code settles and writes them,
 * without a network and without waiting for the disk.
 *
 *   fill sqlite:PATH CHANNEL PROVIDER COURSES MONTHS FIRST LAST
 *
 * Order i is of one line, in month 1 + i % MONTHS of 2025; what it is else follows from i alone
 * (order_text), so that others can compute the same sums. Only for books that nobody serves.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "db/db.h"
#include "ingest/facts.h"
#include "store/settings.h"

enum { PER_FACTS_WRITE = 5000, PER_COMMIT = 50000, BYTES_MAX = 256 << 20 };

struct shape {
    const char *channel;
    const char *provider;
    int64_t courses;
    int64_t months;
};

static void check(enum accord_error error, struct db *db, const char *what)
{
    if (error == ACCORD_OK)
        return;
    fprintf(stderr, "%s: %s %s\n", what, accord_error_code(error),
            db == NULL ? "" : db_message(db));
    exit(1);
}

static void order_text(const struct shape *shape, int64_t i, struct buf *out)
{
    const int64_t course = i * 7919 % 1000003 % shape->courses;
    buf_printf(out,
               "{\"event_id\":\"o%010" PRId64 "\",\"type\":\"order.paid\",\"occurred_at\":"
               "\"2025-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64
               ":00Z\",\"order_id\":\"o%010" PRId64 "\",\"currency\":\"EUR\",\"lines\":"
               "[{\"line_id\":\"1\",\"provider\":\"%s\",\"course_id\":\"c%" PRId64
               "\",\"quantity\":1,\"paid\":%" PRId64 "}]}\n",
               i, 1 + i % shape->months, 1 + i / shape->months % 28, i % 24, i % 60, i,
               shape->provider, course, 500 + i * 7919 % 20011);
}

static void write_some(struct ingest_tx *tx, struct db *db, const struct shape *shape,
                       int64_t first, int64_t last)
{
    struct arena *arena = arena_new(BYTES_MAX);
    struct fact_batch batch = {.partner = shape->channel, .posted_by = "", .arena = arena};
    struct fact_batch *batches[] = {&batch};
    const char *why = NULL;
    struct buf text;
    buf_init(&text, BYTES_MAX);
    for (int64_t i = first; i < last; i++)
        order_text(shape, i, &text);
    check(facts_decode(arena, buf_slice(&text), FACT_SHAPE_NDJSON, FACT_CLASS_ALL, clock_now_us(),
                       tx->config->learner_key, &batch, &why),
          NULL, "decoding");
    check(facts_write(tx, batches, 1), db, "writing");
    if (batch.refused != ACCORD_OK || batch.counts[FACT_ACCEPTED] != (size_t)(last - first)) {
        fprintf(stderr, "orders %" PRId64 " to %" PRId64 ": not all were accepted\n", first, last);
        exit(1);
    }
    buf_done(&text);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    if (argc != 8)
        return 2;
    const struct shape shape = {.channel = argv[2],
                                .provider = argv[3],
                                .courses = strtoll(argv[4], NULL, 10),
                                .months = strtoll(argv[5], NULL, 10)};
    const int64_t last = strtoll(argv[7], NULL, 10);
    struct ingest_config config = {.catalog_guard_min = 0};
    struct ingest_tx *tx = NULL;
    struct db *db = NULL;
    check(db_open(argv[1], DB_READ_WRITE, &db), NULL, argv[1]);
    check(db_script(db, "PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000"), db, "settings");
    check(store_setting_secret(db, "learner_key", config.learner_key), db, "learner_key");
    check(ingest_tx_new(&config, &tx), NULL, "starting");
    for (int64_t at = strtoll(argv[6], NULL, 10); at < last;) {
        int64_t log_bytes;
        check(db_begin(db), db, "BEGIN");
        check(ingest_tx_enter(tx, db), db, "entering");
        for (int64_t in = 0; in < PER_COMMIT && at < last; in += PER_FACTS_WRITE) {
            const int64_t end = last - at < PER_FACTS_WRITE ? last : at + PER_FACTS_WRITE;
            write_some(tx, db, &shape, at, end);
            at = end;
        }
        check(ingest_tx_before_commit(tx, db), db, "before COMMIT");
        check(db_commit(db), db, "COMMIT");
        check(db_checkpoint(db, 0, &log_bytes), db, "checkpoint");
    }
    ingest_tx_free(tx);
    db_close(db);
    return 0;
}
