/**
 * A course as a provider describes it: the one model behind native JSON, CSV and single PUTs.
 *
 * decode (JSON element or CSV row) → course_check() → course_encode(): the canonical body, which is
 * stored and answered as it is, and the hash over it. Every problem of an element is named. Texts
 * of a struct course live in the arena or the element they were decoded from.
 */
#ifndef INGEST_COURSE_H
#define INGEST_COURSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "store/courses.h"
#include "json/decode.h"

enum {
    COURSE_ID_MAX = 255,
    COURSE_TITLE_MAX = 1000,
    COURSE_SUMMARY_MAX = 65536,
    COURSE_WORD_MAX = 255, /**< a subject, a tag, an instructor */
    COURSE_LIST_MAX = 100,
    COURSE_URL_MAX = 2048,
    COURSE_OFFERS_MAX = 20,
    COURSE_EXTRA_MAX = 262144,   /**< canonical JSON of the unknown fields */
    COURSE_ELEMENT_MAX = 1 << 20 /**< bytes of one element or row as sent */
};
#define COURSE_MINUTES_MAX INT64_C(10000000)
#define COURSE_COUNT_MAX INT64_C(1000000000000)
#define COURSE_RATING_MAX_MILLI INT64_C(1000000)

enum course_level { COURSE_ALL_LEVELS, COURSE_BEGINNER, COURSE_INTERMEDIATE, COURSE_ADVANCED };
enum course_kind { COURSE_COURSE, COURSE_COLUMN, COURSE_EBOOK, COURSE_EXAM, COURSE_SERVICE };
enum course_offer_mode { COURSE_BUY, COURSE_RENT, COURSE_SUBSCRIBE, COURSE_FREE };

/* Names as they stand in JSON, NULL-terminated; the bit of a format or purpose is 1 << index. */
extern const char *const course_levels[];
extern const char *const course_kinds[];
extern const char *const course_offer_modes[];
extern const char *const course_formats[];
extern const char *const course_purposes[];
/** Index of a name, or -1. */
int course_name_index(const char *const *names, struct slice name);

struct course_price {
    int64_t amount; /**< minor units */
    struct accord_currency currency;
};

struct course_offer {
    int mode; /**< enum course_offer_mode */
    struct course_price price;
    bool has_price; /**< false only for COURSE_FREE */
};

struct course_rights {
    struct json_array territories; /**< of struct slice */
    struct json_array channels;    /**< of struct slice: partner ids */
    bool bundle;
    bool membership;
    bool has_bundle;
    bool has_membership;
    instant_us exclusive_until;
    bool has_exclusive_until;
};

struct course {
    struct slice course_id;
    struct slice title;
    struct slice summary;  /**< data NULL: none */
    struct slice language; /**< BCP 47, in its usual case ("zh-Hans-CN"); data NULL: none */
    int level;
    bool has_level;
    int kind;
    struct json_array subjects, tags, instructors; /**< of struct slice */
    struct json_array formats, purposes;           /**< of int */
    int64_t duration_minutes;
    bool has_duration_minutes;
    struct slice url;
    struct slice image_url;
    struct json_array offers; /**< of struct course_offer */
    struct course_rights rights;
    bool has_rights;
    instant_us available_from;
    instant_us available_to;
    bool has_available_from;
    bool has_available_to;
    int64_t rating_milli; /**< what it is of `rating_best_milli` */
    int64_t rating_best_milli;
    int64_t rating_count;
    bool has_rating;
    bool has_rating_count;
    int64_t enrolments;
    bool has_enrolments;
    struct slice extra; /**< unknown fields: canonical JSON object; data NULL: none */
};

/** What a course without a value of its own gets; from the query of the upload. */
struct course_defaults {
    struct accord_currency currency; /**< code "": none */
    struct slice language;           /**< data NULL: none */
};

/**
 * Decodes a native JSON element and checks it.
 *
 * Unknown fields go to `extra`. With `answered` the fields that only Accord gives (id, provider,
 * version, content_hash, min_price, state, changed_at) are passed over, so that what was read can
 * be changed and sent back.
 *
 * @param defaults  NULL: none
 * @return ACCORD_OK; ACCORD_E_FIELDS_INVALID or ACCORD_E_JSON_INVALID with problems;
 *         ACCORD_E_OUT_OF_MEMORY. *ret is unwritten on failure
 */
enum accord_error course_decode(struct arena *arena, struct slice element, bool answered,
                                const struct course_defaults *defaults, struct course *ret,
                                struct json_problems *problems);

/** The course_id of an element that may be refused otherwise; "" when it cannot be read. */
struct slice course_peek_id(struct arena *arena, struct slice element);

/**
 * Normalises (language, repeated words) and checks what the types do not say. Decoders call it
 * last. @return ACCORD_OK, ACCORD_E_FIELDS_INVALID with problems, ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error course_check(struct arena *arena, struct course *course,
                               struct json_problems *problems);

/**
 * The canonical body (without the fields that only Accord gives), its hash, and the columns that
 * lists filter and sort by. Fills `body`, `content_hash`, `title` … `subjects` of *ret; leaves the
 * rest of it.
 *
 * @return ACCORD_OK, ACCORD_E_OUT_OF_MEMORY
 */
enum accord_error course_encode(struct arena *arena, const struct course *course,
                                struct store_course *ret);

/** A course as it is answered: the canonical body with Accord's own fields in front. */
void course_answer(struct buf *out, const struct store_course *row);

#endif
