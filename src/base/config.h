/**
 * Settings: one table (name, environment variable, type, default, range, secret?, help) that drives
 * parsing, the output of `accord config`, and the documentation page.
 *
 * Every setting NAME is read from the environment variable ACCORD_NAME; a secret may also be put in
 * a file whose path stands in ACCORD_NAME_FILE.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accord/error.h"
#include "base/buf.h"
#include "base/log.h"

/** A key of 32 bytes that may be absent. */
struct config_key {
    bool given;
    uint8_t bytes[32];
};

/** Texts are never NULL; an optional one that is not set is "". What each means: config.c. */
struct config {
    char *listen;
    char *public_path;
    unsigned workers; /**< 0: one per core */
    unsigned connections_max;
    int64_t head_timeout_ms;
    int64_t idle_timeout_ms;
    int64_t run_timeout_ms;
    size_t body_rate_min;
    int64_t rate_per_second; /**< 0: no limit */

    size_t body_memory;
    size_t body_files;
    size_t spill_bytes;
    size_t cache_bytes;
    char *spill_dir;
    size_t decoded_max;

    char *database;
    size_t queue_max;
    size_t batch_tasks_max;
    size_t batch_rows_max;
    int64_t wal_bytes_max;
    unsigned job_threads;
    size_t job_queue_max;

    enum log_level log_level;
    char *log_file; /**< "": standard error */

    char *operator_key; /**< secret; "": none */
    struct config_key learner_key;

    int64_t rating_prior_mean_milli;
    int64_t rating_prior_weight;
    int64_t catalog_drop_max_ppm;
    int64_t catalog_guard_min;
    int64_t catalog_flaps_max;
    char *zoneinfo;
};

/** Where a setting comes from: the value of an environment variable, or NULL. */
typedef const char *config_lookup(void *context, const char *variable);

enum { CONFIG_WHY_MAX = 256 };

/**
 * Reads all settings. On failure *ret is untouched and `why` names the variable and says what is
 * wrong with it, without repeating a secret. ACCORD_E_CONFIG_INVALID, ACCORD_E_OUT_OF_MEMORY.
 *
 * @param lookup  NULL: the process's environment
 */
enum accord_error config_load(config_lookup *lookup, void *context, struct config *ret,
                              char why[CONFIG_WHY_MAX]);
/** Frees the contents, and wipes secrets. */
void config_done(struct config *config);

/** True for ACCORD_… variables of the table. Others are probably misspelt: worth a warning. */
bool config_is_known(const char *variable);

/** What `accord config` prints: `ACCORD_NAME=value` lines with comments; secrets are masked. */
void config_print(const struct config *config, struct buf *out);
/** The documentation page of all settings, in Markdown. */
void config_document(struct buf *out);

#endif
