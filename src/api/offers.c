/* Offers: what a channel sells, in versions; what of the price is which course's. */
#include "api/offers.h"

#include <string.h>

#include "ingest/bundles.h"
#include "ingest/challenge_rounds.h"
#include "ingest/offer.h"
#include "store/offers.h"
#include "store/partners.h"
#include "store/pools.h"

/* One offer and its version. */
struct shown {
    struct offer_row row;
    struct offer offer;
    int64_t *parts; /* by item; NULL: its price is not divided */
};

struct offer_call {
    const char *channel;
    const char *id;
    struct shown shown;
    struct slice body; /* canonical, of what is put */
    bool created;
    bool not_modified;
    /* a list */
    struct list_page page;
    struct shown *rows;
    size_t count;
    bool more;
    int64_t version;
};

/* Offers belong to a channel: the query's, else the caller. */
static struct offer_call *begin(struct call *call)
{
    struct offer_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return NULL;
    const char *channel = call_query(call, "channel");
    state->channel = channel == NULL ? call->caller.partner : channel;
    return state;
}

static bool sees_all(const struct call *call, const char *channel)
{
    return call->caller.is_operator || strcmp(channel, call->caller.partner) == 0;
}

static bool is_divided(const struct offer *offer)
{
    return offer->kind == OFFER_SINGLE || offer->kind == OFFER_BUNDLE;
}

/* ---- PUT /v1/offers/{offer} ---- */

static void put_prepare(struct call *call)
{
    struct offer_call *state = begin(call);
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (state == NULL || problems == NULL)
        return;
    state->id = call_arg(call, 0);
    if (!sees_all(call, state->channel))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (!call->caller.is_operator && (call->caller.roles & ROLE_CHANNEL) == 0)
        call_fail(call, ACCORD_E_ROLE_MISSING, "only a channel has offers");
    else if (!offer_id_valid(slice_of(state->id)))
        call_fail(call, ACCORD_E_SLUG_INVALID, "the id of an offer");
    else if (call->http->request.body.len == 0)
        call_fail(call, ACCORD_E_BODY_EMPTY, NULL);
    if (call->failed)
        return;
    const enum accord_error error =
        offer_decode(call->arena, call->http->request.body, &state->shown.offer, problems);
    if (problems->total > 0)
        call_problems(call, error, problems);
    else if (error != ACCORD_OK)
        call_fail(call, error, NULL);
}

/* The pool that memberships fund is one of the channel's. */
static enum accord_error check_pool(struct call *call, struct json_problems *problems)
{
    const struct offer_call *state = call->state;
    const struct slice pool = state->shown.offer.membership.pool;
    struct pool_row row;
    bool found = true;
    enum accord_error error = ACCORD_OK;
    if (pool.data != NULL)
        error = store_pool_get(call->db, call->arena, state->channel, pool.data, 0, &row, &found);
    if (!found)
        json_problem_add(problems, ACCORD_E_VALUE_UNKNOWN, "/membership/pool", "%s",
                         accord_error_title(ACCORD_E_VALUE_UNKNOWN));
    return error;
}

/* Weights are what courses say now, and stay so. */
static void put_read(struct call *call)
{
    struct offer_call *state = call->state;
    struct offer *offer = &state->shown.offer;
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    struct partner_row partner;
    bool found = false;
    if (problems == NULL || call_check(call, store_partner_get(call->db, call->arena,
                                                               state->channel, &partner, &found)))
        return;
    if (!found || (partner.roles & ROLE_CHANNEL) == 0) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    if (call_check(call, offer_weigh(call->db, call->arena, state->channel, clock_now_us(), offer,
                                     problems)) ||
        call_check(call, check_pool(call, problems)))
        return;
    if (problems->total > 0) {
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
        return;
    }
    state->body = offer_encode(call->arena, offer);
    if (state->body.data == NULL)
        call_check(call, ACCORD_E_OUT_OF_MEMORY);
    else if (is_divided(offer))
        call_check(call, offer_divide(call->arena, offer, &state->shown.parts));
}

static enum accord_error touch(struct call *call, const struct offer_item_row *items, size_t count)
{
    const struct offer_call *state = call->state;
    enum accord_error error = ingest_touch(call->tx, state->channel);
    for (size_t i = 0; error == ACCORD_OK && i < count; i++)
        error = ingest_touch(call->tx, items[i].provider.data);
    return error;
}

static struct offer_item_row *rows_of(struct call *call, const struct offer *offer)
{
    const struct offer_item *items = offer->items.items;
    struct offer_item_row *rows = arena_array(call->arena, offer->items.count + 1, sizeof *rows);
    const bool equal = offer->kind != OFFER_BUNDLE || offer->allocation == ACCORD_BUNDLE_EQUAL;
    for (size_t i = 0; rows != NULL && i < offer->items.count; i++)
        rows[i] = (struct offer_item_row){items[i].provider, items[i].course_id,
                                          equal ? 1 : items[i].weight};
    return rows;
}

/* Providers whose course it was sold with before see the change, too. */
static enum accord_error touch_older(struct call *call, const struct offer_row *row,
                                     bool *ret_funds_pool)
{
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    struct offer older;
    if (problems == NULL)
        return ACCORD_OK;
    if (offer_decode(call->arena, row->body, &older, problems) != ACCORD_OK)
        return ACCORD_E_DATABASE_ERROR;
    *ret_funds_pool |= older.membership.pool.data != NULL;
    const struct offer_item_row *rows = rows_of(call, &older);
    return rows == NULL ? ACCORD_E_OUT_OF_MEMORY : touch(call, rows, older.items.count);
}

/* Whether a version may follow the last one: what was sold under that goes on. */
static enum accord_error check_follows(struct call *call, const struct offer_row *last,
                                       struct json_problems *problems)
{
    const struct offer_call *state = call->state;
    const struct offer *offer = &state->shown.offer;
    struct offer before;
    if (offer_decode(call->arena, last->body, &before, problems) != ACCORD_OK)
        return ACCORD_E_DATABASE_ERROR;
    if (offer->valid.from <= last->from_at)
        json_problem_add(problems, ACCORD_E_OFFER_NOT_LATER, "/valid/from", "%s",
                         accord_error_title(ACCORD_E_OFFER_NOT_LATER));
    if (offer->kind != before.kind)
        json_problem_add(problems, ACCORD_E_KIND_FIXED, "/kind", "%s",
                         accord_error_title(ACCORD_E_KIND_FIXED));
    /* Deposits of a round are one sum, and so is what is carried to the next one. */
    else if (offer->kind == OFFER_CHALLENGE &&
             !accord_currency_equal(offer->currency, before.currency))
        json_problem_add(problems, ACCORD_E_CURRENCY_FIXED, "/currency", "%s",
                         accord_error_title(ACCORD_E_CURRENCY_FIXED));
    return ACCORD_OK;
}

static enum accord_error put_write(struct call *call)
{
    struct offer_call *state = call->state;
    struct offer_row *row = &state->shown.row;
    const struct offer *offer = &state->shown.offer;
    const struct hash hash = hash_of(state->body);
    bool funds_pool = offer->membership.pool.data != NULL;
    const struct offer_item_row *items = rows_of(call, offer);
    bool found = false;
    enum accord_error error = items == NULL ? ACCORD_E_OUT_OF_MEMORY
                                            : store_offer_get(call->db, call->arena, state->channel,
                                                              state->id, row, &found);
    if (error != ACCORD_OK || !call_precondition(call, found ? row->seq : 0))
        return error;
    state->created = !found;
    if (found && hash_equal(&hash, &row->hash))
        return ACCORD_OK; /* it says what stands */
    if (found) {
        struct json_problems *problems = call_alloc(call, sizeof *problems);
        if (problems == NULL)
            return ACCORD_OK;
        error = check_follows(call, row, problems);
        if (error == ACCORD_OK && problems->total > 0) {
            call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
            return ACCORD_OK;
        }
    }
    if (error == ACCORD_OK && found)
        error = touch_older(call, row, &funds_pool);
    *row = (struct offer_row){
        .channel = state->channel,
        .offer = state->id,
        .version = found ? row->version + 1 : 1,
        .from_at = offer->valid.from,
        .kind = offer_kind_names[offer->kind],
        .body = state->body,
        .hash = hash,
        .created_at = call->tx->now,
    };
    if (error == ACCORD_OK)
        error = touch(call, items, offer->items.count);
    if (error == ACCORD_OK)
        error = ingest_seq(call->tx, 1, &row->seq);
    if (error == ACCORD_OK)
        error = store_offer_insert(call->db, row, items, offer->items.count);
    /* Whoever bought before may have done so under this version: the sale decides. */
    if (error == ACCORD_OK && funds_pool)
        error = ingest_pools_changed(call->tx, state->channel, INT64_MIN);
    if (error == ACCORD_OK)
        error = challenge_offer_changed(call->tx, state->channel, state->id);
    return error == ACCORD_OK
               ? ingest_offer_changed(call->tx, state->channel, state->id, row->from_at)
               : error;
}

/* ---- what is answered ---- */

/* A provider sees its own courses only. */
static void write_offer(struct call *call, struct json_writer *w, const struct shown *shown)
{
    const struct offer *offer = &shown->offer;
    const struct offer_item *items = offer->items.items;
    const bool all = sees_all(call, shown->row.channel);
    jw_object(w);
    jw_key_str(w, "channel", shown->row.channel);
    jw_key_str(w, "offer", shown->row.offer);
    jw_key_int(w, "version", shown->row.version);
    jw_key_time(w, "created_at", shown->row.created_at);
    jw_key_str(w, "kind", offer_kind_names[offer->kind]);
    jw_key_slice(w, "title", offer->title);
    jw_key_money(w, "price", offer->price, offer->currency);
    jw_key(w, "valid");
    jw_object(w);
    jw_key_time(w, "from", offer->valid.from);
    if (offer->valid.has_to)
        jw_key_time(w, "to", offer->valid.to);
    jw_object_end(w);
    if (offer->has_refund_days)
        jw_key_int(w, "refund_days", offer->refund_days);
    if (offer->has_allocation)
        jw_key_str(w, "allocation", offer_allocation_names[offer->allocation]);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < offer->items.count; i++) {
        if (!all && !slice_equal(items[i].provider, slice_of(call->caller.partner)))
            continue;
        jw_object(w);
        jw_key_int(w, "rank", (int64_t)i);
        jw_key_slice(w, "provider", items[i].provider);
        jw_key_slice(w, "course_id", items[i].course_id);
        if (items[i].has_weight)
            jw_key_int(w, "weight", items[i].weight);
        if (shown->parts != NULL)
            jw_key_money(w, "part", shown->parts[i], offer->currency);
        jw_object_end(w);
    }
    jw_array_end(w);
    if (all)
        offer_write_terms(w, offer);
    jw_object_end(w);
}

static void put_answer(struct call *call)
{
    const struct offer_call *state = call->state;
    struct json_writer w = call_json(call, state->created ? 201 : 200);
    call_etag(call, state->shown.row.seq);
    if (state->created)
        call_location(call, "/v1/offers/%s?channel=%s", state->id, state->channel);
    write_offer(call, &w, &state->shown);
}

/* ---- GET /v1/offers/{offer} ---- */

static void get_prepare(struct call *call)
{
    struct offer_call *state = begin(call);
    if (state != NULL)
        state->id = call_arg(call, 0);
}

/* From the stored body to what is shown of it. */
static bool reread(struct call *call, struct shown *shown)
{
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return false;
    if (offer_decode(call->arena, shown->row.body, &shown->offer, problems) != ACCORD_OK)
        return !call_check(call, ACCORD_E_DATABASE_ERROR);
    return !is_divided(&shown->offer) ||
           !call_check(call, offer_divide(call->arena, &shown->offer, &shown->parts));
}

static bool has_course_of(const struct offer *offer, const char *provider)
{
    const struct offer_item *items = offer->items.items;
    for (size_t i = 0; i < offer->items.count; i++)
        if (slice_equal(items[i].provider, slice_of(provider)))
            return true;
    return false;
}

static void get_read(struct call *call)
{
    struct offer_call *state = call->state;
    bool found = false;
    if (call_check(call, store_offer_get(call->db, call->arena, state->channel, state->id,
                                         &state->shown.row, &found)))
        return;
    if (found && !reread(call, &state->shown))
        return;
    if (!found || (!sees_all(call, state->channel) &&
                   !has_course_of(&state->shown.offer, call->caller.partner)))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else
        state->not_modified = call_etag(call, state->shown.row.seq);
}

static void get_answer(struct call *call)
{
    const struct offer_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    write_offer(call, &w, &state->shown);
}

/* ---- GET /v1/offers ---- */

static void list_prepare(struct call *call)
{
    struct offer_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state != NULL)
        call_page(call, 2, &state->page);
}

static void list_read(struct call *call)
{
    struct offer_call *state = call->state;
    const bool on = state->page.has_cursor;
    struct offer_row *rows;
    state->version = call_partner_version(call);
    state->not_modified = call_etag(call, state->version);
    call_keep(call, INT64_MAX);
    if (state->not_modified ||
        call_check(call, store_offer_list(call->db, call->arena,
                                          call->caller.is_operator ? NULL : call->caller.partner,
                                          on ? state->page.parts[0].data : "",
                                          on ? state->page.parts[1].data : "",
                                          state->page.limit + 1, &rows, &state->count)))
        return;
    state->more = state->count > (size_t)state->page.limit;
    if (state->more)
        state->count--;
    state->rows = call_alloc(call, (state->count + 1) * sizeof *state->rows);
    for (size_t i = 0; state->rows != NULL && i < state->count; i++) {
        state->rows[i].row = rows[i];
        if (!reread(call, &state->rows[i]))
            return;
    }
}

static void list_answer(struct call *call)
{
    const struct offer_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "as_of", call_as_of(call, state->version));
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < state->count; i++)
        write_offer(call, &w, &state->rows[i]);
    jw_array_end(&w);
    struct slice place[2] = {SLICE(""), SLICE("")};
    if (state->count > 0) {
        place[0] = slice_of(state->rows[state->count - 1].row.channel);
        place[1] = slice_of(state->rows[state->count - 1].row.offer);
    }
    call_page_next(call, &w, place, 2, state->more);
    jw_object_end(&w);
}

const struct operation offer_operations[] = {
    {.id = "listOffers",
     .method = "GET",
     .pattern = "/v1/offers",
     .scope = SCOPE_AGREEMENTS_READ,
     .run = RUN_JOB,
     .query = "limit cursor",
     .prepare = list_prepare,
     .read = list_read,
     .answer = list_answer},
    {.id = "getOffer",
     .method = "GET",
     .pattern = "/v1/offers/{offer}",
     .scope = SCOPE_AGREEMENTS_READ,
     .query = "channel",
     .prepare = get_prepare,
     .read = get_read,
     .answer = get_answer},
    {.id = "putOffer",
     .method = "PUT",
     .pattern = "/v1/offers/{offer}",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .run = RUN_JOB,
     .flags = OP_IF_MATCH,
     .body_max = OFFER_BODY_MAX,
     .media = "application/json",
     .query = "channel",
     .prepare = put_prepare,
     .read = put_read,
     .write = put_write,
     .answer = put_answer},
};
const size_t offer_operation_count = sizeof offer_operations / sizeof offer_operations[0];
