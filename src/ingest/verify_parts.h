/** What the parts of verify share. */
#ifndef INGEST_VERIFY_PARTS_H
#define INGEST_VERIFY_PARTS_H

#include "ingest/book.h"
#include "ingest/pool.h"
#include "ingest/rates.h"
#include "ingest/rollup.h"
#include "ingest/settled.h"
#include "ingest/verify.h"
#include "store/check.h"
#include "store/sales.h"

struct verify {
    struct db *db;
    struct arena *arena; /* of one order or fact at a time */
    struct agreement_book *book;
    struct rate_book *rates;
    struct pool_book *pools;
    struct rollup_batch *expected; /* what rollups and counts should be */
    struct resettle_head head;
    struct closings *closings; /* which periods were closed when */
    uint64_t learners;         /* what distinct learners should add up to, as one number */
    uint64_t members;          /* likewise what learners put into pools */
    struct row_counts counts;  /* of rows that facts and orders account for */
    verify_report_fn *report;
    void *context;
    struct verify_summary summary;
};

void verify_differs(struct verify *v, const char *table, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum accord_error verify_facts(struct verify *v);
enum accord_error verify_orders(struct verify *v);
enum accord_error verify_memberships(struct verify *v);
enum accord_error verify_challenges(struct verify *v);
/** Entries of sales and terms that are none. */
enum accord_error verify_strays(struct verify *v);
enum accord_error verify_ratings(struct verify *v);
enum accord_error verify_periods(struct verify *v);
enum accord_error verify_pools(struct verify *v);

void verify_entry_differs(struct verify *v, const struct order_name *name, int64_t sale_seq,
                          int64_t line, const char *what);
/** One sale's entries against what it should come to; a sale that waits counts as it stands.
 *  @param name  what a report calls it: of a term its channel and membership */
enum accord_error verify_sale(struct verify *v, const struct order_name *name,
                              const struct entry_list *list, const struct settled *want,
                              bool waiting);

/** Reads when periods were closed: what says where an entry belongs. */
enum accord_error verify_closings_load(struct verify *v);
void verify_closings_free(struct verify *v);
/** Where an entry should be booked. */
int64_t verify_booked(const struct verify *v, const struct entry_row *entry);
/** Takes what entries say of distinct learners, and of what they put into pools. */
enum accord_error verify_take_learners(struct verify *v, const struct entry_row *entries,
                                       size_t count);

#endif
