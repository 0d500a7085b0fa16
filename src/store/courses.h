/**
 * Courses and their versions, what of them is visible, and who may see it.
 *
 * A provider's catalog has a generation (struct store_catalog). The version of a course that stands
 * at generation G is the one with gen_from <= G < gen_to; every course has at most one. What an
 * import writes stands at G + 1 until the switch. Texts of results live in the arena given.
 */
#ifndef STORE_COURSES_H
#define STORE_COURSES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/store.h"

/** gen_to of a version that nothing has replaced yet. */
#define STORE_GENERATION_OPEN INT64_MAX

/** One version of a course. */
struct store_course {
    struct slice provider;
    struct slice course_id;
    int64_t version;
    int64_t gen_from;
    int64_t gen_to;
    struct slice id; /**< opaque; of all versions */
    bool active;     /**< false: withdrawn */
    struct hash content_hash;
    struct hash raw_hash; /**< zeros: unknown */
    struct slice title;
    struct slice language; /**< "" none */
    struct slice level;
    struct slice kind;
    int64_t purposes; /**< bits in the order of course_purposes[] */
    int64_t formats;
    int64_t price_amount; /**< lowest offer; -1: no price */
    struct slice price_currency;
    int64_t rating_ppm; /**< value / best; -1: none */
    int64_t enrolments; /**< -1: unknown */
    struct slice body;  /**< canonical JSON object */
    struct slice source;
    instant_us changed_at;
    const struct slice *subjects; /**< for writing only */
    size_t subject_count;
};

/** What an import needs to know of the version that stands. version 0: there is none. */
struct store_course_head {
    int64_t version;
    bool active;
    struct slice id;
    struct hash content_hash;
    struct hash raw_hash;
};

/* ---- a provider's catalog ---- */

struct store_catalog {
    int64_t generation;    /**< 0: nothing yet */
    struct slice applying; /**< id of the import at work, or "" */
    int64_t active_courses;
};

/** A provider without a row has a zeroed catalog. */
enum accord_error store_catalog_get(struct db *db, struct arena *arena, const char *provider,
                                    struct store_catalog *ret);
/** Takes the catalog for an import. *ret_taken is false when another one has it. */
enum accord_error store_catalog_take(struct db *db, const char *provider, struct slice import,
                                     bool *ret_taken);
/** Gives it back without a change. */
enum accord_error store_catalog_release(struct db *db, const char *provider, struct slice import);
/** The switch: what stands at `generation` becomes visible, and the catalog is given back. */
enum accord_error store_catalog_switch(struct db *db, const char *provider, int64_t generation,
                                       int64_t active_courses);
/** Who sees a change of this catalog beside the operator: the provider, channels with a grant. */
enum accord_error store_catalog_watchers(struct db *db, struct arena *arena, const char *provider,
                                         const char ***ret, size_t *ret_count);

/* ---- looking up, at a generation ---- */

enum accord_error store_course_heads(struct db *db, struct arena *arena, const char *provider,
                                     int64_t generation, const struct slice *course_ids,
                                     size_t count, struct store_course_head *ret);
/** A content that a course may get, and how often it got it since an instant. */
struct store_course_return {
    struct slice course_id;   /**< in */
    struct hash content_hash; /**< in */
    int64_t count;
};
enum accord_error store_course_returns(struct db *db, const char *provider, int64_t generation,
                                       instant_us since, struct store_course_return *rows,
                                       size_t count);
/** Active courses whose raw hash is known: ret_ids[i].data is NULL where there is none. */
enum accord_error store_course_by_raw(struct db *db, struct arena *arena, const char *provider,
                                      int64_t generation, const struct hash *raw, size_t count,
                                      struct slice *ret_ids, struct hash *ret_content);
/* ---- writing ---- */

/** Adds versions (with their subjects). gen_to is open. */
enum accord_error store_course_add(struct db *db, const struct store_course *rows, size_t count);
/** Ends the version that stands, at a generation. */
enum accord_error store_course_close(struct db *db, const char *provider, struct slice course_id,
                                     int64_t version, int64_t generation);

/** Ends versions and adds ones in state withdrawn after them, with the same content. */
enum accord_error store_course_withdraw(struct db *db, struct arena *arena, struct slice provider,
                                        const struct slice *course_ids, const int64_t *versions,
                                        size_t count, int64_t generation, struct slice source,
                                        instant_us now);

/* ---- reading ---- */

/** The visible version, by the provider's own id or the opaque one (then provider must agree). */
enum accord_error store_course_find(struct db *db, struct arena *arena, const char *provider,
                                    struct slice course_id, bool *ret_found,
                                    struct store_course *ret);
/** May `partner` see it: the provider itself, or a channel with a grant that covers it now. */
enum accord_error store_course_may_see(struct db *db, const char *partner, const char *provider,
                                       struct slice course_id, instant_us now, bool *ret);

typedef enum accord_error store_course_fn(void *context, const struct store_course *row);
/** Visible history, newest first, versions below `before` (INT64_MAX: all). Rows handed to `each`
 *  are valid until it returns. */
enum accord_error store_course_versions(struct db *db, const char *provider, struct slice course_id,
                                        int64_t before, int64_t limit, store_course_fn *each,
                                        void *context);

enum store_course_sort {
    STORE_COURSES_BY_TITLE,
    STORE_COURSES_BY_CHANGED,
    STORE_COURSES_BY_PRICE, /**< needs filter.currency */
    STORE_COURSES_BY_RATING,
};

struct store_course_filter {
    const char *partner;  /**< who asks; NULL: the operator, who sees all */
    instant_us now;       /**< of its grants */
    const char *provider; /**< NULL: any; texts below likewise */
    const char *subject;
    const char *language; /**< "zh" also takes "zh-CN" */
    const char *level;
    const char *kind;
    const char *currency;
    int64_t formats;    /**< any of these bits; 0: any */
    int64_t purposes;   /**< likewise */
    int64_t price_min;  /**< -1: none */
    int64_t price_max;  /**< -1: none */
    int64_t rating_min; /**< ppm of the best value; -1: none */
    const char *state;  /**< "active", "withdrawn"; NULL: both */
};

/** Where a page goes on: the keys of the last row shown. */
struct store_course_cursor {
    struct slice text; /**< BY_TITLE: its title */
    int64_t number;    /**< the others: its changed_at, price, rating */
    struct slice provider;
    struct slice course_id;
};

/**
 * At most `limit` rows behind the cursor (NULL: from the start), in order. `each` may end it early
 * by returning an error of its own choice.
 */
enum accord_error store_course_list(struct db *db, const struct store_course_filter *filter,
                                    enum store_course_sort sort, bool descending,
                                    const struct store_course_cursor *cursor, int64_t limit,
                                    store_course_fn *each, void *context);

/* ---- grants: which channel sees what of whom, from active agreements ---- */

struct store_grant {
    struct slice channel;
    struct slice provider;
    struct slice course_id; /**< "": all of the provider's */
};
/** Replaces the grants of one agreement version; count 0: it grants nothing (any more). */
enum accord_error store_grants_set(struct db *db, const char *agreement, int64_t version,
                                   instant_us from, instant_us to, const struct store_grant *grants,
                                   size_t count);

#endif
