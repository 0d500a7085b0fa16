/** What the parts of verify share. */
#ifndef INGEST_VERIFY_PARTS_H
#define INGEST_VERIFY_PARTS_H

#include "ingest/book.h"
#include "ingest/rates.h"
#include "ingest/rollup.h"
#include "ingest/verify.h"
#include "store/check.h"

struct verify {
    struct db *db;
    struct arena *arena; /* of one order or fact at a time */
    struct agreement_book *book;
    struct rate_book *rates;
    struct rollup_batch *expected; /* what rollups and counts should be */
    struct resettle_head head;
    struct row_counts counts; /* of rows that facts and orders account for */
    verify_report_fn *report;
    void *context;
    struct verify_summary summary;
};

void verify_differs(struct verify *v, const char *table, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum accord_error verify_facts(struct verify *v);
enum accord_error verify_orders(struct verify *v);
enum accord_error verify_ratings(struct verify *v);

#endif
