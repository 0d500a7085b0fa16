#include "api/feedback.h"

#include "accord/rating.h"
#include "api/app.h"
#include "api/etag.h"
#include "base/config.h"
#include "store/courses.h"
#include "store/feedback.h"

enum { REVIEWS_MAX = 100, REVIEWS_DEFAULT = 20 };

struct feedback_call {
    const char *provider;
    const char *course_id;
    int64_t review_limit;
    int64_t histogram[ACCORD_RATING_BEST];
    struct accord_rating_prior prior;
    struct accord_rating rating;
    struct feedback_count *counts;
    size_t count;
    struct review_row *reviews;
    size_t review_count;
    int64_t as_of;
    bool not_modified;
};

static void prepare(struct call *call)
{
    struct feedback_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return;
    state->provider = call_arg(call, 0);
    state->course_id = call_arg(call, 1);
    state->review_limit = call_query_int(call, "reviews", 0, REVIEWS_MAX, REVIEWS_DEFAULT);
    state->prior =
        (struct accord_rating_prior){.mean_milli = call->app->config->rating_prior_mean_milli,
                                     .weight = call->app->config->rating_prior_weight};
    /* Feedback belongs to the provider: others do not find it. */
    if (!call->caller.is_operator && strcmp(state->provider, call->caller.partner) != 0)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
}

/* The place of "rating.N" in the histogram, or -1. */
static int stars_of(const char *kind)
{
    static const char prefix[] = "rating.";
    if (strncmp(kind, prefix, sizeof prefix - 1) != 0)
        return -1;
    const char digit = kind[sizeof prefix - 1];
    return digit >= '1' && digit <= '0' + ACCORD_RATING_BEST ? digit - '1' : -1;
}

static enum accord_error read_feedback(struct call *call, struct feedback_call *state)
{
    enum accord_error error = store_feedback_of(call->db, call->arena, state->provider,
                                                state->course_id, &state->counts, &state->count);
    if (error == ACCORD_OK)
        error = store_reviews_of(call->db, call->arena, state->provider, state->course_id,
                                 state->review_limit, &state->reviews, &state->review_count);
    if (error != ACCORD_OK)
        return error;
    for (size_t i = 0; i < state->count; i++) {
        const int stars = stars_of(state->counts[i].kind);
        if (stars >= 0)
            state->histogram[stars] = state->counts[i].total;
    }
    return accord_rating_of(state->histogram, state->prior, &state->rating);
}

static void read(struct call *call)
{
    struct feedback_call *state = call->state;
    bool found;
    struct store_course course;
    if (call_check(call, store_course_find(call->db, call->arena, state->provider,
                                           slice_of(state->course_id), &found, &course)))
        return;
    if (!found) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    /* The course may have been named by its opaque id. */
    state->course_id = arena_strdup(call->arena, course.course_id);
    if (state->course_id == NULL) {
        call_check(call, ACCORD_E_OUT_OF_MEMORY);
        return;
    }
    state->as_of = call_partner_version(call);
    /* The prior is a matter of configuration. */
    const int64_t parts[] = {state->as_of, state->prior.mean_milli, state->prior.weight};
    state->not_modified = call_etag(call, etag_of(parts, 3));
    if (!state->not_modified)
        call_check(call, read_feedback(call, state));
}

static void write_ratings(struct json_writer *w, const struct feedback_call *state)
{
    jw_key(w, "ratings");
    jw_object(w);
    jw_key_int(w, "count", state->rating.count);
    jw_key(w, "histogram");
    jw_object(w);
    for (int i = 0; i < ACCORD_RATING_BEST; i++) {
        const char stars[] = {(char)('1' + i), '\0'};
        jw_key_int(w, stars, state->histogram[i]);
    }
    jw_object_end(w);
    if (state->rating.count == 0)
        jw_key_null(w, "mean_milli");
    else
        jw_key_int(w, "mean_milli", state->rating.mean_milli);
    jw_key_int(w, "bayesian_milli", state->rating.bayesian_milli);
    jw_key(w, "prior");
    jw_object(w);
    jw_key_int(w, "mean_milli", state->prior.mean_milli);
    jw_key_int(w, "weight", state->prior.weight);
    jw_object_end(w);
    jw_object_end(w);
}

static void write_reviews(struct json_writer *w, const struct feedback_call *state)
{
    jw_key(w, "reviews");
    jw_array(w);
    for (size_t i = 0; i < state->review_count; i++) {
        const struct review_row *review = &state->reviews[i];
        if (review->text.data == NULL)
            continue; /* erased */
        jw_object(w);
        jw_key_str(w, "event_id", review->event_id);
        jw_key_time(w, "occurred_at", review->occurred_at);
        if (review->value > 0)
            jw_key_int(w, "value", review->value);
        jw_key_slice(w, "text", review->text);
        if (review->language[0] != '\0')
            jw_key_str(w, "language", review->language);
        jw_key_str(w, "source", review->partner);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void answer(struct call *call)
{
    const struct feedback_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "provider", state->provider);
    jw_key_str(&w, "course_id", state->course_id);
    write_ratings(&w, state);
    jw_key(&w, "counts");
    jw_object(&w);
    for (size_t i = 0; i < state->count; i++)
        /* "rating.5" and "usage.seconds" are sums of another kind than how many facts there are. */
        if (strchr(state->counts[i].kind, '.') == NULL && state->counts[i].total != 0)
            jw_key_int(&w, state->counts[i].kind, state->counts[i].total);
    jw_object_end(&w);
    write_reviews(&w, state);
    jw_key_str(&w, "as_of", call_as_of(call, state->as_of));
    jw_object_end(&w);
}

const struct operation feedback_operations[] = {
    {.id = "getCourseFeedback",
     .method = "GET",
     .pattern = "/v1/courses/{provider}/{course_id}/feedback",
     .scope = SCOPE_EVENTS_READ,
     .query = "reviews",
     .prepare = prepare,
     .read = read,
     .answer = answer},
};
const size_t feedback_operation_count = sizeof feedback_operations / sizeof feedback_operations[0];
