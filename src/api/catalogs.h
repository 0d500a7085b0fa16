/** /v1/catalogs: imports of whole catalogs and their receipts. */
#ifndef API_CATALOGS_H
#define API_CATALOGS_H

#include "api/app.h"

extern const struct operation catalog_operations[];
extern const size_t catalog_operation_count;

/**
 * Finishes or fails what a stop interrupted, in one book. At the start, once its writer runs and
 * before requests are taken: it uses the connection of the first reader.
 */
enum accord_error catalogs_recover(struct book *book);

#endif
