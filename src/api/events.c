#include "api/events.h"

#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "api/metering.h"
#include "ingest/facts.h"

/* ---- posting ---- */

/* Facts of another partner are posted by the operator only, and say so. */
static bool take_partner(struct call *call, struct fact_batch *batch)
{
    const char *other = call_query(call, "on_behalf_of");
    batch->partner = call->caller.partner;
    batch->posted_by = "";
    if (other == NULL)
        return true;
    if (!call->caller.is_operator) {
        call_fail(call, ACCORD_E_ROLE_MISSING, "on_behalf_of is for the operator");
        return false;
    }
    if (strlen(other) > 63) {
        call_fail(call, ACCORD_E_PARTNER_UNKNOWN, NULL);
        return false;
    }
    batch->partner = other;
    batch->posted_by = call->caller.partner;
    return true;
}

/* A long batch is written in parts, each durable: others do not wait for the whole of it. */
enum { PART_ITEMS = 500 };

struct post {
    struct fact_batch whole;
    struct fact_batch part; /* that is being written */
    size_t at;              /* items that are durable */
};

static void prepare_post(struct call *call, unsigned classes)
{
    struct post *post = call_alloc(call, sizeof *post);
    struct fact_batch *batch = post == NULL ? NULL : &post->whole;
    if (batch == NULL || !take_partner(call, batch))
        return;
    const enum fact_shape shape = strcmp(call_media(call), "application/x-ndjson") == 0
                                      ? FACT_SHAPE_NDJSON
                                      : FACT_SHAPE_ARRAY;
    const struct slice body = call->http->request.body;
    const char *why = NULL;
    const enum accord_error error =
        body.len == 0 ? ACCORD_E_BODY_EMPTY
                      : facts_decode(call->arena, body, shape, classes, clock_now_us(),
                                     call->book->tx->config->learner_key, batch, &why);
    if (error != ACCORD_OK)
        call_fail(call, error, why == NULL ? NULL : "%s", why);
    else
        call->state = post;
}

static void prepare_events(struct call *call)
{
    prepare_post(call, FACT_CLASS_ALL);
}

static void prepare_feedback(struct call *call)
{
    prepare_post(call, FACT_CLASS_FEEDBACK | FACT_CLASS_VOID);
}

static void prepare_orders(struct call *call)
{
    prepare_post(call, FACT_CLASS_ORDER | FACT_CLASS_VOID);
}

static enum accord_error write_posts(struct ingest_tx *tx, struct call *const *calls, size_t count)
{
    struct fact_batch **batches = arena_array(tx->arena, count, sizeof *batches);
    if (batches == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct post *post = calls[i]->state;
        const size_t left = post->whole.count - post->at;
        post->part = post->whole;
        if (left > 0)
            post->part.facts += post->at;
        post->part.count = left < PART_ITEMS ? left : PART_ITEMS;
        batches[i] = &post->part;
    }
    const enum accord_error error = facts_write(tx, batches, count);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        if (batches[i]->refused != ACCORD_OK)
            call_fail(calls[i], batches[i]->refused, NULL);
    return error;
}

static bool write_more_posts(struct call *call)
{
    struct post *post = call->state;
    for (int status = FACT_ACCEPTED; status <= FACT_REJECTED; status++)
        post->whole.counts[status] += post->part.counts[status];
    post->whole.as_of = post->part.as_of;
    post->at += post->part.count;
    return !call->failed && post->at < post->whole.count;
}

static void write_result(struct json_writer *w, const struct fact *fact)
{
    jw_object(w);
    jw_key_str(w, "event_id", fact->event_id);
    jw_key_str(w, "status", fact_status_name(fact->status));
    if (fact->code != ACCORD_OK) {
        jw_key_str(w, "code", accord_error_code(fact->code));
        jw_key_str(w, "pointer", fact->code_pointer);
        jw_key_str(w, "message",
                   fact->message != NULL ? fact->message : accord_error_title(fact->code));
    }
    if (fact->held != ACCORD_HELD_NOT)
        jw_key_str(w, "held", accord_held_name(fact->held));
    jw_object_end(w);
}

static void answer_post(struct call *call)
{
    const struct post *post = call->state;
    const struct fact_batch *batch = &post->whole;
    const char *as_of = call_as_of(call, batch->as_of);
    if (call->failed)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    for (int status = FACT_ACCEPTED; status <= FACT_REJECTED; status++)
        jw_key_int(&w, fact_status_name((enum fact_status)status), (int64_t)batch->counts[status]);
    jw_key_str(&w, "as_of", as_of);
    jw_key(&w, "results");
    jw_array(&w);
    for (size_t i = 0; i < batch->count; i++)
        write_result(&w, &batch->facts[i]);
    jw_array_end(&w);
    jw_object_end(&w);
    metering_facts(call, (int64_t)batch->counts[FACT_ACCEPTED],
                   (int64_t)batch->counts[FACT_DUPLICATE], (int64_t)batch->counts[FACT_CONFLICT],
                   (int64_t)batch->counts[FACT_REJECTED]);
}

/* ---- reading ---- */

struct listing {
    const char *type; /* NULL: all */
    int64_t limit;
    int64_t since;
    struct fact_row *rows;
    size_t count;
};

static void prepare_list(struct call *call)
{
    struct listing *listing = call_alloc(call, sizeof *listing);
    if (listing == NULL)
        return;
    listing->type = call_query(call, "type");
    listing->limit = call_query_int(call, "limit", 1, 1000, 100);
    listing->since = call->failed ? 0 : call_query_since(call, "since", 0);
    enum fact_type type;
    if (!call->failed && listing->type != NULL && !fact_type_find(slice_of(listing->type), &type))
        call_fail(call, ACCORD_E_QUERY_INVALID, "type");
    call->state = listing;
}

static void read_list(struct call *call)
{
    struct listing *listing = call->state;
    const int64_t version = call_partner_version(call);
    int64_t head;
    if (call->failed || call_check(call, store_journal_head(call->db, &head)))
        return;
    /* A position that no answer can have given. */
    if (listing->since > head) {
        call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
        return;
    }
    if (call_etag(call, version))
        return;
    call_check(call,
               store_facts_of(call->db, call->arena, call->caller.partner, listing->type,
                              listing->since, listing->limit, &listing->rows, &listing->count));
}

/* A link to the page behind this one, for clients that follow links. */
static void link_next(struct call *call, const struct listing *listing, const char *next)
{
    const char *type = listing->type == NULL ? "" : listing->type;
    const char *value =
        arena_printf(call->arena, "</v1/events?since=%s&limit=%lld%s%s>; rel=\"next\"", next,
                     (long long)listing->limit, *type == '\0' ? "" : "&type=", type);
    if (value != NULL)
        call_header(call, "Link", value);
}

static void write_stored(struct call *call, struct json_writer *w, const struct fact_row *row)
{
    const struct slice body = fact_body_with_text(call->arena, row);
    jw_object(w);
    jw_key_str(w, "event_id", row->event_id);
    jw_key_str(w, "type", row->type);
    jw_key_time(w, "occurred_at", row->occurred_at);
    jw_key_time(w, "received_at", row->received_at);
    if (*row->course_id != '\0') {
        jw_key_str(w, "provider", row->provider);
        jw_key_str(w, "course_id", row->course_id);
    }
    if (row->superseded_by != NULL)
        jw_key_str(w, "superseded_by", row->superseded_by);
    jw_key_raw(w, "body", body.data == NULL ? SLICE("{}") : body);
    jw_object_end(w);
}

static void answer_list(struct call *call)
{
    const struct listing *listing = call->state;
    const char *next = NULL;
    if (listing->count > 0) {
        next = call_as_of(call, listing->rows[listing->count - 1].seq);
        if (next == NULL) {
            call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
            return;
        }
        link_next(call, listing, next);
    }
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < listing->count; i++)
        write_stored(call, &w, &listing->rows[i]);
    jw_array_end(&w);
    jw_key_str(&w, "next", next);
    jw_object_end(&w);
}

/* ---- the operations ---- */

#define POSTED "application/json application/x-ndjson"

const struct operation event_operations[] = {
    {
        .id = "postEvents",
        .method = "POST",
        .pattern = "/v1/events",
        .scope = SCOPE_EVENTS_WRITE,
        .run = RUN_FAST,
        .body_max = FACTS_BYTES_MAX,
        .media = POSTED,
        .query = "on_behalf_of",
        .prepare = prepare_events,
        .write_many = write_posts,
        .write_more = write_more_posts,
        .answer = answer_post,
    },
    {
        .id = "postFeedback",
        .method = "POST",
        .pattern = "/v1/feedback",
        .scope = SCOPE_EVENTS_WRITE,
        .run = RUN_FAST,
        .body_max = FACTS_BYTES_MAX,
        .media = POSTED,
        .query = "on_behalf_of",
        .prepare = prepare_feedback,
        .write_many = write_posts,
        .write_more = write_more_posts,
        .answer = answer_post,
    },
    {
        .id = "postOrders",
        .method = "POST",
        .pattern = "/v1/orders",
        .scope = SCOPE_EVENTS_WRITE,
        .roles = ROLE_CHANNEL,
        .run = RUN_FAST,
        .body_max = FACTS_BYTES_MAX,
        .media = POSTED,
        .query = "on_behalf_of",
        .prepare = prepare_orders,
        .write_many = write_posts,
        .write_more = write_more_posts,
        .answer = answer_post,
    },
    {
        .id = "listEvents",
        .method = "GET",
        .pattern = "/v1/events",
        .scope = SCOPE_EVENTS_READ,
        .run = RUN_FAST,
        .query = "since type limit",
        .prepare = prepare_list,
        .read = read_list,
        .answer = answer_list,
    },
};
const size_t event_operation_count = sizeof event_operations / sizeof event_operations[0];
