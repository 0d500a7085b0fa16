#include "ingest/feedback.h"

#include <string.h>

#include "ingest/keymap.h"
#include "ingest/rollup.h"

const char *feedback_stars(int64_t value)
{
    static const char *const names[] = {"rating.1", "rating.2", "rating.3", "rating.4", "rating.5"};
    return names[value < 1 ? 0 : value > 5 ? 4 : value - 1];
}

bool feedback_is_rating(enum fact_type type, int64_t measure)
{
    return (type == FACT_RATING || type == FACT_REVIEW) && measure >= 1 && measure <= 5;
}

/* What is said of a course. */
static bool feedback_counts(enum fact_type type)
{
    const unsigned counted = FACT_CLASS_FEEDBACK | FACT_CLASS_REACH | FACT_CLASS_USAGE;
    return ((unsigned)fact_class_of(type) & counted) != 0;
}

enum accord_error feedback_kinds(enum fact_type type, int64_t measure, feedback_kind_fn *each,
                                 void *context)
{
    const enum fact_class kind = fact_class_of(type);
    if (!feedback_counts(type))
        return ACCORD_OK;
    enum accord_error error =
        each(context, fact_type_name(type), kind == FACT_CLASS_REACH ? measure : 1);
    if (error == ACCORD_OK && kind == FACT_CLASS_USAGE)
        error = each(context, "usage.seconds", measure);
    return error;
}

struct rater feedback_rater(const char *provider, const char *course_id, bool has_learner,
                            const uint8_t learner[LEARNER_BYTES], const char *partner,
                            const char *event_id)
{
    struct rater rater = {.provider = provider, .course_id = course_id};
    if (has_learner) {
        memcpy(rater.bytes, learner, LEARNER_BYTES);
        rater.len = LEARNER_BYTES;
        return rater;
    }
    const struct key key = key_of(partner, event_id, NULL);
    const struct hash hash = hash_of((struct slice){key.bytes, key.len});
    memcpy(rater.bytes, hash.bytes, HASH_BYTES);
    rater.len = HASH_BYTES;
    return rater;
}

/* One (rater, course) that the items touch. */
struct touched_rating {
    struct rating_row best; /* of the new ones; value 0: none */
    bool taken_back;
};

struct work {
    struct ingest_tx *tx;
    struct keymap index;
    struct touched_rating *ratings;
    size_t rating_count;
    struct rating_row *facts;
    size_t fact_count;
    struct review_row *reviews; /* new ones from the front, those taken back in `gone` */
    size_t review_count;
    struct review_row *gone;
    size_t gone_count;
    const struct feedback_item *item; /* being counted */
};

static enum accord_error count_kind(void *context, const char *kind, int64_t amount)
{
    const struct work *work = context;
    return rollup_batch_feedback(work->tx->rollups, work->item->provider, work->item->course_id,
                                 kind, work->item->sign * amount);
}

static enum accord_error take_rating(struct work *work, const struct feedback_item *item)
{
    const struct rating_row row = {
        .rater = feedback_rater(item->provider, item->course_id, item->has_learner, item->learner,
                                item->partner, item->event_id),
        .occurred_at = item->occurred_at,
        .partner = item->partner,
        .event_id = item->event_id,
        .seq = item->seq,
        .value = item->measure,
    };
    struct key key = key_of(item->provider, item->course_id, NULL);
    key_bytes(&key, row.rater.bytes, row.rater.len);
    size_t *at;
    const enum accord_error error = keymap_at(&work->index, &key, work->rating_count, &at);
    if (error != ACCORD_OK)
        return error;
    struct touched_rating *rating = &work->ratings[*at];
    if (*at == work->rating_count) {
        work->rating_count++;
        rating->best = (struct rating_row){.rater = row.rater};
    }
    if (item->sign < 0) {
        rating->taken_back = true;
        return ACCORD_OK;
    }
    work->facts[work->fact_count++] = row;
    if (rating->best.value == 0 || rating_is_later(&row, &rating->best))
        rating->best = row;
    return ACCORD_OK;
}

static void take_review(struct work *work, const struct feedback_item *item)
{
    const struct review_row row = {
        .provider = item->provider,
        .course_id = item->course_id,
        .occurred_at = item->occurred_at,
        .seq = item->seq,
        .partner = item->partner,
        .event_id = item->event_id,
        .value = item->measure,
        .language = item->language,
    };
    if (item->sign > 0)
        work->reviews[work->review_count++] = row;
    else
        work->gone[work->gone_count++] = row;
}

/* Which rating is live now, for every rater touched: what was live, or a later one that is new;
 * where one was taken back, the latest of all that stand. */
static enum accord_error restate(struct work *work)
{
    struct ingest_tx *tx = work->tx;
    const size_t count = work->rating_count;
    struct rating_row *live = arena_array(tx->arena, count + 1, sizeof *live);
    struct rating_row *latest = arena_array(tx->arena, count + 1, sizeof *latest);
    struct rating_row *changed = arena_array(tx->arena, count + 1, sizeof *changed);
    if (live == NULL || latest == NULL || changed == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        live[i].rater = work->ratings[i].best.rater;
        if (work->ratings[i].taken_back)
            latest[asked++].rater = live[i].rater;
    }
    enum accord_error error = store_ratings_live(tx->db, tx->arena, live, count);
    if (error == ACCORD_OK)
        error = store_ratings_latest(tx->db, tx->arena, latest, asked);
    size_t change_count = 0;
    asked = 0;
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        struct rating_row now = live[i];
        const struct rating_row *best = &work->ratings[i].best;
        if (work->ratings[i].taken_back)
            now = latest[asked++];
        else if (best->value != 0 && (now.value == 0 || rating_is_later(best, &now)))
            now = *best;
        if (now.seq == live[i].seq && now.value == live[i].value)
            continue;
        changed[change_count++] = now;
        if (live[i].value != 0)
            error = rollup_batch_feedback(tx->rollups, now.rater.provider, now.rater.course_id,
                                          feedback_stars(live[i].value), -1);
        if (error == ACCORD_OK && now.value != 0)
            error = rollup_batch_feedback(tx->rollups, now.rater.provider, now.rater.course_id,
                                          feedback_stars(now.value), 1);
    }
    return error != ACCORD_OK ? error : store_ratings_set(tx->db, changed, change_count);
}

enum accord_error ingest_feedback(struct ingest_tx *tx, const struct feedback_item *items,
                                  size_t count)
{
    if (count == 0)
        return ACCORD_OK;
    struct work work = {.tx = tx};
    work.ratings = arena_array(tx->arena, count, sizeof *work.ratings);
    work.facts = arena_array(tx->arena, count, sizeof *work.facts);
    work.reviews = arena_array(tx->arena, count, sizeof *work.reviews);
    work.gone = arena_array(tx->arena, count, sizeof *work.gone);
    if (work.ratings == NULL || work.facts == NULL || work.reviews == NULL || work.gone == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = keymap_init(&work.index, tx->arena, count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++) {
        const struct feedback_item *item = &items[i];
        if (!feedback_counts(item->type))
            continue;
        work.item = item;
        error = feedback_kinds(item->type, item->measure, count_kind, &work);
        if (error == ACCORD_OK && feedback_is_rating(item->type, item->measure))
            error = take_rating(&work, item);
        if (error == ACCORD_OK && item->type == FACT_REVIEW)
            take_review(&work, item);
        if (error == ACCORD_OK)
            error = ingest_touch(tx, item->provider);
    }
    if (error == ACCORD_OK)
        error = store_rating_facts_insert(tx->db, work.facts, work.fact_count);
    if (error == ACCORD_OK)
        error = store_reviews_insert(tx->db, work.reviews, work.review_count);
    if (error == ACCORD_OK)
        error = store_reviews_delete(tx->db, work.gone, work.gone_count);
    return error != ACCORD_OK ? error : restate(&work);
}
