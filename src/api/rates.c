/* Exchange rates: days as they are published, corrections, and what applies on a day. */
#include "api/rates.h"

#include <stdio.h>

#include "base/number.h"
#include "ingest/rates.h"

enum { RATES_BODY_MAX = 64 * 1024, CURRENCIES_MAX = 400, REASON_MAX = 1000 };

/* Rates of the base's time are published in its day, which may begin 14 hours before UTC's. */
static const int64_t ahead_us = INT64_C(14) * 3600 * CLOCK_SECOND_US;

struct rates_call {
    struct slice base; /* of the body */
    struct json_array given;
    struct slice reason;
    struct rates_given day;
    /* what is answered */
    struct rate_head head;
    struct rate_day stands;
    struct rate_row *rates;
    size_t rate_count;
    bool created;
    bool not_modified;
};

static const struct json_field rate_element = JSON_ELEMENT(JSON_KIND_ID, 1, 40);
static const struct json_field put_fields[] = {
    JSON_ID_OPT(struct rates_call, base, 3, 3),
    {.name = "rates",
     .kind = JSON_KIND_MAP,
     .offset = offsetof(struct rates_call, given),
     .has_offset = SIZE_MAX,
     .min = 1,
     .max = CURRENCIES_MAX,
     .element = &rate_element},
    JSON_STRING_OPT(struct rates_call, reason, 1, REASON_MAX),
};
static const struct json_object put_spec = JSON_OBJECT(struct rates_call, put_fields);

/* The date of the path; a text that is none names nothing. */
static struct rates_call *begin(struct call *call)
{
    struct rates_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state != NULL && !rates_parse_day(slice_of(call_arg(call, 0)), &state->day.day))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    return call->failed ? NULL : state;
}

/* ---- PUT /v1/exchange-rates/{date} ---- */

static void check_rates(struct call *call, struct rates_call *state, struct json_problems *problems)
{
    static const struct accord_currency base = {RATES_BASE};
    const struct json_entry *entries = state->given.items;
    state->day.rates = arena_array(call->arena, state->given.count, sizeof *state->day.rates);
    if (state->day.rates == NULL) {
        call_check(call, ACCORD_E_OUT_OF_MEMORY);
        return;
    }
    for (size_t i = 0; i < state->given.count; i++) {
        const struct json_entry *entry = &entries[i];
        struct rate_row *row = &state->day.rates[i];
        struct accord_rate rate;
        char pointer[JSON_POINTER_MAX];
        snprintf(pointer, sizeof pointer, "/rates/%.*s", (int)entry->name.len, entry->name.data);
        enum accord_error error =
            accord_currency_parse(entry->name.data, entry->name.len, &row->currency);
        if (error == ACCORD_OK && accord_currency_equal(row->currency, base))
            error = ACCORD_E_VALUE_UNKNOWN;
        if (error == ACCORD_OK)
            error = accord_rate_parse(entry->value.data, entry->value.len, &rate);
        if (error != ACCORD_OK)
            json_problem_add(problems, error, pointer, "%s", accord_error_title(error));
        row->rate = entry->value.data;
    }
    state->day.count = state->given.count;
}

static void put_prepare(struct call *call)
{
    struct rates_call *state = begin(call);
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (state == NULL || problems == NULL)
        return;
    const int64_t day = state->day.day;
    if (!call_decode(call, &put_spec, state))
        return;
    state->day.day = day;
    state->day.reason = state->reason.data == NULL ? "" : state->reason.data;
    if (state->base.data != NULL && !slice_equal(state->base, SLICE(RATES_BASE)))
        json_problem_add(problems, ACCORD_E_VALUE_UNKNOWN, "/base", "Only " RATES_BASE);
    check_rates(call, state, problems);
    if (day * CLOCK_DAY_US > clock_now_us() + ahead_us)
        json_problem_add(problems, ACCORD_E_VALUE_OUT_OF_RANGE, "",
                         "The date of the path lies in the future");
    if (!call->failed && problems->total > 0)
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
}

/* What stands of the day, and its rates. */
static enum accord_error load_day(struct call *call, struct rates_call *state)
{
    const enum accord_error error = store_rates_head(call->db, RATES_BASE, &state->head);
    return error != ACCORD_OK ? error
                              : store_rates_days(call->db, call->arena, RATES_BASE, &state->day.day,
                                                 1, &state->stands);
}

static enum accord_error load_applying(struct call *call, struct rates_call *state)
{
    return store_rates_applying(call->db, call->arena, RATES_BASE, state->day.day, &state->rates,
                                &state->rate_count);
}

static enum accord_error put_write(struct call *call)
{
    struct rates_call *state = call->state;
    enum accord_error error = load_day(call, state);
    if (error != ACCORD_OK)
        return error;
    const bool known = state->stands.version > 0;
    if (!call_precondition(call, known ? state->head.seq : 0))
        return ACCORD_OK;
    state->created = !known;
    error = ingest_rates_put(call->tx, &state->day, 1, call->caller.partner);
    if (error == ACCORD_OK && state->day.is_unreasonable) {
        struct json_problems *problems = call_alloc(call, sizeof *problems);
        if (problems == NULL)
            return ACCORD_OK;
        json_problem_add(problems, ACCORD_E_FIELD_MISSING, "/reason",
                         "A correction needs its reason");
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
        return ACCORD_OK;
    }
    if (error == ACCORD_OK)
        error = load_day(call, state);
    return error == ACCORD_OK ? load_applying(call, state) : error;
}

static void write_day(struct json_writer *w, const struct rates_call *state)
{
    const struct rate_day *stands = &state->stands;
    jw_object(w);
    jw_key_day(w, "date", state->day.day);
    jw_key_str(w, "source", RATES_SOURCE);
    jw_key_str(w, "base", RATES_BASE);
    jw_key_bool(w, "final", state->head.known && state->day.day < state->head.newest_day);
    if (stands->version > 0) {
        jw_key_int(w, "version", stands->version);
        jw_key_time(w, "loaded_at", stands->loaded_at);
        if (*stands->reason != '\0')
            jw_key_str(w, "reason", stands->reason);
    }
    jw_key(w, "rates");
    jw_array(w);
    for (size_t i = 0; i < state->rate_count; i++) {
        jw_object(w);
        jw_key_str(w, "currency", state->rates[i].currency.code);
        jw_key_str(w, "rate", state->rates[i].rate);
        jw_key_day(w, "day", state->rates[i].day);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
}

static void put_answer(struct call *call)
{
    const struct rates_call *state = call->state;
    struct json_writer w = call_json(call, state->created ? 201 : 200);
    call_etag(call, state->head.seq);
    if (state->created)
        call_location(call, "/v1/exchange-rates/%s", call_arg(call, 0));
    write_day(&w, state);
}

/* ---- GET /v1/exchange-rates/{date} ---- */

static void get_prepare(struct call *call)
{
    begin(call);
}

static void get_read(struct call *call)
{
    struct rates_call *state = call->state;
    if (call_check(call, load_day(call, state)))
        return;
    state->not_modified = call_etag(call, state->head.seq);
    if (!state->not_modified)
        call_check(call, load_applying(call, state));
}

static void get_answer(struct call *call)
{
    const struct rates_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    write_day(&w, state);
}

/* ---- GET /v1/exchange-rates ---- */

struct rates_list {
    struct list_page page;
    int64_t after;
    struct rate_head head;
    struct rate_day *days;
    size_t count;
    bool more;
    bool not_modified;
};

static void list_prepare(struct call *call)
{
    struct rates_list *list = call_alloc(call, sizeof *list);
    call->state = list;
    if (list == NULL || !call_page(call, 1, &list->page))
        return;
    const char *from = call_query(call, "from");
    list->after = INT64_MIN;
    if (from != NULL && rates_parse_day(slice_of(from), &list->after))
        list->after--;
    else if (from != NULL)
        call_fail(call, ACCORD_E_QUERY_INVALID, "from: a day is needed, as 2026-01-31");
    if (list->page.has_cursor && number_parse_int(list->page.parts[0], &list->after) != ACCORD_OK)
        call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
}

static void list_read(struct call *call)
{
    struct rates_list *list = call->state;
    if (call_check(call, store_rates_head(call->db, RATES_BASE, &list->head)))
        return;
    list->not_modified = call_etag(call, list->head.seq);
    if (list->not_modified ||
        call_check(call, store_rates_list(call->db, call->arena, RATES_BASE, list->after,
                                          list->page.limit + 1, &list->days, &list->count)))
        return;
    list->more = list->count > (size_t)list->page.limit;
    if (list->more)
        list->count--;
}

static void list_answer(struct call *call)
{
    const struct rates_list *list = call->state;
    if (list->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key(&w, "items");
    jw_array(&w);
    int64_t last = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct rate_day *day = &list->days[i];
        jw_object(&w);
        jw_key_day(&w, "date", day->day);
        jw_key_str(&w, "source", day->source);
        jw_key_str(&w, "base", day->base);
        jw_key_bool(&w, "final", day->day < list->head.newest_day);
        jw_key_int(&w, "version", day->version);
        jw_key_time(&w, "loaded_at", day->loaded_at);
        if (*day->reason != '\0')
            jw_key_str(&w, "reason", day->reason);
        jw_object_end(&w);
        last = day->day;
    }
    jw_array_end(&w);
    const struct slice place = slice_of(arena_printf(call->arena, "%lld", (long long)last));
    call_page_next(call, &w, &place, 1, list->more);
    jw_object_end(&w);
}

const struct operation rate_operations[] = {
    {.id = "listExchangeRates",
     .method = "GET",
     .pattern = "/v1/exchange-rates",
     .scope = SCOPE_REVENUE_READ,
     .query = "from limit cursor",
     .prepare = list_prepare,
     .read = list_read,
     .answer = list_answer},
    {.id = "getExchangeRates",
     .method = "GET",
     .pattern = "/v1/exchange-rates/{date}",
     .scope = SCOPE_REVENUE_READ,
     .prepare = get_prepare,
     .read = get_read,
     .answer = get_answer},
    {.id = "putExchangeRates",
     .method = "PUT",
     .pattern = "/v1/exchange-rates/{date}",
     .scope = SCOPE_ADMIN,
     .flags = OP_IF_MATCH,
     .body_max = RATES_BODY_MAX,
     .media = "application/json",
     .prepare = put_prepare,
     .write = put_write,
     .answer = put_answer},
};
const size_t rate_operation_count = sizeof rate_operations / sizeof rate_operations[0];
