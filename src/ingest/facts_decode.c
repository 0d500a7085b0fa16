#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/facts_raw.h"
#include "ingest/referral.h"
#include "store/consents.h"
#include "store/operator_facts.h"
#include "json/split.h"

enum { EVENT_ID_MAX = 128, ITEM_BYTES_MAX = 4 << 20 };

static void problem(struct json_problems *problems, enum accord_error code, const char *field)
{
    char pointer[JSON_POINTER_MAX];
    snprintf(pointer, sizeof pointer, "/%s", field);
    json_problem_add(problems, code, pointer, "%s", accord_error_title(code));
}

/* ---- from raw to typed ---- */

static const char *text_or(struct slice text, const char *missing)
{
    return text.data == NULL ? missing : text.data; /* NUL-terminated by decoding */
}

static int64_t measure_of(const struct raw_fact *raw, enum fact_type type)
{
    switch (type) {
    case FACT_RATING:
    case FACT_REVIEW:
        return raw->has_value ? raw->value : 0;
    case FACT_PROGRESS:
        return raw->progress_ppm;
    case FACT_IMPRESSION:
    case FACT_CLICK:
    case FACT_TOUCH:
    case FACT_ENROLMENT:
        return raw->has_count ? raw->count : 1;
    case FACT_USAGE:
        return raw->seconds;
    case FACT_SURVEY:
    case FACT_QUESTION:
    case FACT_ANSWER:
    case FACT_COMMENT:
    case FACT_CHECKIN:
    case FACT_SHARE:
    case FACT_COMPLETION:
    case FACT_ORDER_PAID:
    case FACT_ORDER_REFUNDED:
    case FACT_ORDER_CHARGED_BACK:
    case FACT_ORDER_CHARGEBACK_REVERSED:
    case FACT_MEMBERSHIP_STARTED:
    case FACT_MEMBERSHIP_RENEWED:
    case FACT_MEMBERSHIP_CANCELLED:
    case FACT_CHALLENGE_JOINED:
    case FACT_CHALLENGE_WITHDRAWN:
    case FACT_CONSENT:
    case FACT_ADJUSTMENT:
    case FACT_PAYMENT:
    case FACT_VOID:
    case FACT_TYPES:
        break;
    }
    return 0;
}

/* What a fact is about, where that has an id of its own or is one part of something: a correction
 * keeps it. */
static void name_subject(const struct raw_fact *raw, struct fact *fact)
{
    switch (fact_class_of(fact->type)) {
    case FACT_CLASS_MEMBERSHIP:
        fact->subject_id = text_or(raw->membership_id, NULL);
        fact->subject_part = text_or(raw->term_id, "");
        break;
    case FACT_CLASS_CHALLENGE:
        fact->subject_id = text_or(raw->entry_id, NULL);
        break;
    case FACT_CLASS_FEEDBACK: /* a check-in of a challenge */
        fact->subject_id = text_or(raw->entry, NULL);
        break;
    case FACT_CLASS_CONSENT:
        fact->subject_part = consent_purpose_names[raw->purpose];
        break;
    case FACT_CLASS_OPERATOR:
        fact->subject_id = fact->type == FACT_PAYMENT ? text_or(raw->payment_id, NULL)
                                                      : text_or(raw->adjustment_id, NULL);
        fact->subject_part = fact->type == FACT_PAYMENT ? payment_state_names[raw->state] : NULL;
        break;
    case FACT_CLASS_REACH:
    case FACT_CLASS_USAGE:
    case FACT_CLASS_ORDER:
    case FACT_CLASS_VOID:
    case FACT_CLASS_ALL:
        break;
    }
}

/* Whether a type's `reason` or proof is free text that can be erased. An adjustment's reason is
 * what the books say of it. */
static struct slice text_of(const struct raw_fact *raw, enum fact_type type)
{
    const struct slice none = {NULL, 0};
    if (raw->text.data != NULL)
        return raw->text;
    if (raw->proof.data != NULL)
        return raw->proof;
    return type == FACT_ADJUSTMENT ? none : raw->reason;
}

static int by_text(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static enum accord_error fill(struct arena *arena, const char *partner, const struct raw_fact *raw,
                              bool stored, struct fact *fact, struct json_problems *problems)
{
    fact->raw = raw;
    fact->supersedes = text_or(raw->supersedes, NULL);
    fact->order_id = text_or(raw->order_id, NULL);
    fact->refund_id = text_or(raw->refund_id, NULL);
    fact->language = text_or(raw->language, "");
    fact->measure = measure_of(raw, fact->type);
    name_subject(raw, fact);
    struct slice *statements = raw->statements.items;
    if (raw->statements.count > 1) /* in whatever order they come, they mean the same */
        qsort(statements, raw->statements.count, sizeof *statements, by_text);
    fact_check_fields(raw, fact->type, stored, problems);
    return problems->total > 0 ? ACCORD_OK : fact_build_money(arena, partner, fact, problems);
}

static enum accord_error give_up(struct arena *arena, const struct json_problems *problems,
                                 struct fact *fact)
{
    const struct json_problem *first = &problems->items[0];
    fact->error = first->code;
    fact->pointer = arena_strdup(arena, slice_of(first->pointer));
    fact->message = arena_strdup(arena, slice_of(first->message));
    return fact->pointer == NULL || fact->message == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

/* The id of an item that does not decode, so that its sender finds it again. */
static const char *peek_event_id(struct arena *arena, struct slice text)
{
    char id[EVENT_ID_MAX + 1];
    if (!json_peek_text(text, "event_id", id, sizeof id))
        return NULL;
    return arena_strdup(arena, slice_of(id));
}

/* Who the item is from and what it says; false: not as it should be, or (ret) no memory. */
static enum accord_error take_item(struct arena *arena, const struct raw_fact *raw,
                                   const char *partner, unsigned classes, instant_us now,
                                   const uint8_t learner_key[32], struct fact *fact,
                                   struct json_problems *problems)
{
    fact->event_id = raw->event_id.data;
    if (!fact_type_find(raw->type, &fact->type) || (fact_class_of(fact->type) & classes) == 0) {
        problem(problems, ACCORD_E_EVENT_TYPE_UNKNOWN, "type");
        return ACCORD_OK;
    }
    fact->occurred_at = raw->occurred_at;
    if (raw->occurred_at > now + FACTS_FUTURE_MAX_S * CLOCK_SECOND_US)
        problem(problems, ACCORD_E_TIME_IN_FUTURE, "occurred_at");
    fact->provider = text_or(raw->provider, "");
    fact->course_id = text_or(raw->course_id, "");
    fact->has_learner = raw->learner.data != NULL;
    if (fact->has_learner)
        fact->learner_lookup = referral_learner_lookup(learner_key, partner, raw->learner);
    return fill(arena, partner, raw, false, fact, problems);
}

enum accord_error fact_decode(struct arena *arena, struct slice text, const char *partner,
                              unsigned classes, instant_us now, const uint8_t learner_key[32],
                              struct fact *ret)
{
    struct json_problems problems;
    problems.count = problems.total = 0;
    struct raw_fact *raw = arena_alloc(arena, sizeof *raw);
    if (raw == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *ret = (struct fact){.provider = "", .course_id = "", .language = ""};
    enum accord_error error = json_decode(arena, text, &fact_posted_spec, "", raw, &problems);
    if (error == ACCORD_E_OUT_OF_MEMORY)
        return error;
    if (error != ACCORD_OK) {
        ret->event_id = peek_event_id(arena, text);
        return give_up(arena, &problems, ret);
    }
    error = take_item(arena, raw, partner, classes, now, learner_key, ret, &problems);
    if (error != ACCORD_OK)
        return error;
    if (problems.total > 0)
        return give_up(arena, &problems, ret);
    ret->text = text_of(raw, ret->type);
    if (raw->answers.items != NULL) {
        ret->text = fact_answers_text(arena, raw);
        if (ret->text.data == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
    }
    if (ret->text.data != NULL)
        random_bytes(ret->salt, sizeof ret->salt);
    ret->body = fact_body(arena, ret, ret->salt);
    return ret->body.data == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

enum accord_error fact_reread(struct arena *arena, const struct fact_row *row, struct fact *ret)
{
    struct json_problems problems;
    problems.count = problems.total = 0;
    struct raw_fact *raw = arena_alloc(arena, sizeof *raw);
    if (raw == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    *ret = (struct fact){
        .event_id = row->event_id,
        .occurred_at = row->occurred_at,
        .provider = row->provider,
        .course_id = row->course_id,
        .has_learner = row->has_learner,
    };
    if (!fact_type_find(slice_of(row->type), &ret->type)) {
        ret->error = ACCORD_E_EVENT_TYPE_UNKNOWN;
        return ACCORD_OK;
    }
    enum accord_error error = json_decode(arena, row->body, &fact_stored_spec, "", raw, &problems);
    if (error == ACCORD_E_OUT_OF_MEMORY)
        return error;
    if (error == ACCORD_OK)
        error = fill(arena, row->partner, raw, true, ret, &problems);
    if (problems.total > 0)
        return give_up(arena, &problems, ret);
    return error;
}

/* ---- batches ---- */

static enum accord_error grow(struct arena *arena, struct fact_batch *batch, size_t *cap)
{
    if (batch->count < *cap)
        return ACCORD_OK;
    const size_t more = *cap == 0 ? 64 : 2 * *cap;
    struct fact *facts = arena_array(arena, more, sizeof *facts);
    if (facts == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    if (batch->count > 0)
        memcpy(facts, batch->facts, batch->count * sizeof *facts);
    batch->facts = facts;
    *cap = more;
    return ACCORD_OK;
}

/* An item that is no element: too large, or a line of NDJSON that is no JSON. */
static struct fact refused_item(enum accord_error error, const char *reason)
{
    return (struct fact){.error = error,
                         .pointer = "",
                         .message = reason == NULL ? accord_error_title(error) : reason,
                         .provider = "",
                         .course_id = "",
                         .language = ""};
}

enum accord_error facts_decode(struct arena *arena, struct slice text, enum fact_shape shape,
                               unsigned classes, instant_us now, const uint8_t learner_key[32],
                               struct fact_batch *ret, const char **ret_why)
{
    const bool is_array = shape == FACT_SHAPE_ARRAY;
    struct fact_batch batch = *ret;
    struct json_splitter splitter;
    size_t cap = 0;
    batch.arena = arena;
    batch.facts = NULL;
    batch.count = 0;
    *ret_why = NULL;
    enum accord_error error = json_split_begin(
        &splitter, text, is_array ? JSON_SPLIT_ARRAY : JSON_SPLIT_NDJSON, NULL, ITEM_BYTES_MAX);
    if (error != ACCORD_OK) {
        *ret_why = splitter.reason;
        return error;
    }
    for (;;) {
        struct slice element = {NULL, 0};
        error = json_split_next(&splitter, &element);
        if (error == ACCORD_E_JSON_INVALID && is_array) {
            *ret_why = arena_printf(arena, "line %llu: %s", (unsigned long long)splitter.error_line,
                                    splitter.reason);
            return error;
        }
        if (error == ACCORD_OK && element.data == NULL)
            break;
        if (error != ACCORD_OK && error != ACCORD_E_JSON_INVALID &&
            error != ACCORD_E_ELEMENT_TOO_LARGE)
            return error;
        if (batch.count == FACTS_ITEMS_MAX)
            return ACCORD_E_BATCH_TOO_LARGE;
        const enum accord_error memory = grow(arena, &batch, &cap);
        if (memory != ACCORD_OK)
            return memory;
        struct fact *fact = &batch.facts[batch.count++];
        if (error != ACCORD_OK) {
            *fact = refused_item(error, splitter.reason);
            continue;
        }
        error = fact_decode(arena, element, batch.partner, classes, now, learner_key, fact);
        if (error != ACCORD_OK)
            return error;
        /* What jansson refuses inside an element spoils that item: its neighbours are sound. */
    }
    if (batch.count == 0)
        return ACCORD_E_BODY_EMPTY;
    *ret = batch;
    return ACCORD_OK;
}
