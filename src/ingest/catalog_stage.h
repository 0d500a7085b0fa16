/** Staging one upload: chunk by chunk from elements to rows, counts and problems. */
#ifndef INGEST_CATALOG_STAGE_H
#define INGEST_CATALOG_STAGE_H

#include "ingest/catalog_source.h"

struct staging {
    const struct catalog_host *host;
    const struct catalog_request *request;
    struct store_import import; /* the receipt as it grows */
    int64_t matched_active;     /* staged courses that are active now */
    int64_t revived;            /* withdrawn courses that come back */
    int64_t touched;            /* rows of which only the raw hash changes */
    struct catalog_source *source;
    struct arena *arena; /* of one chunk */
    struct buf scratch;
};

/** Stages everything that the source holds. On an error the caller fails the import. */
enum accord_error catalog_stage(struct staging *staging);

/** Deletes the staged rows of an import that will not be applied, chunk by chunk. */
enum accord_error catalog_drop_rows(const struct catalog_host *host, struct slice import);

#endif
