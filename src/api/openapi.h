/** The contract and its page, built into the program from api/openapi.yaml and api/errors.tsv. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include <stdbool.h>
#include <stddef.h>

/** Version of the contract with a hash of its text: part of every ETag. */
extern const char openapi_version[];
/** The document as JSON. */
extern const unsigned char openapi_json[];
extern const size_t openapi_json_len;

/** One operation as the contract states it; lists are sorted and separated by blanks. */
struct openapi_operation {
    const char *id;
    const char *method;
    const char *path;
    const char *scopes;
    const char *roles;
    const char *query;
    const char *media;
    bool is_public;
    bool idempotency_key;
};
extern const struct openapi_operation openapi_operations[];
extern const size_t openapi_operations_count;

/** The page of /docs, before and behind the table of the configuration. */
extern const unsigned char docs_head[];
extern const size_t docs_head_len;
extern const unsigned char docs_tail[];
extern const size_t docs_tail_len;

#endif
