/**
 * The typed row that a fact has beside its body: what settling reads, without parsing JSON. Writing
 * inserts it, verify derives it again from the body and asks whether just it stands. Sales and
 * refunds, which have several rows, go their own way.
 */
#ifndef INGEST_FACTS_TYPED_H
#define INGEST_FACTS_TYPED_H

#include "ingest/facts.h"
#include "store/subjects.h"

/** One table of typed rows. */
struct fact_table {
    const char *name;
    size_t row_size;
    /** The row of a fact that stands in the journal as `row`. */
    void (*row_of)(const struct fact *fact, const struct fact_row *row, void *ret);
    enum accord_error (*insert)(struct db *db, const void *rows, size_t count);
    enum accord_error (*stands)(struct db *db, const void *row, bool *ret);
};

enum { FACT_TABLES = 7 };
extern const struct fact_table fact_tables[FACT_TABLES];
/** Where in fact_tables a fact has its row; FACT_TABLES: it has none. */
size_t fact_table_of(const struct fact *fact);

/** Whether it says that a learner came by a link: a touch, or a sale that names one. */
bool fact_has_touch(const struct fact *fact);

/** The id that a fact takes for ever; seq is not filled. False: it takes none. */
bool fact_subject_name(const struct fact *fact, const char *partner, struct subject_name *ret);

#endif
