#include "api/payments.h"

#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "api/settlement_call.h"
#include "ingest/facts.h"
#include "store/operator_facts.h"
#include "store/payments.h"
#include "store/statement_states.h"

enum { BODY_MAX = 256 << 10, ID_MAX = 128, STATEMENTS_MAX = 1000 };

struct payment_call {
    /* of a body */
    struct slice payment_id;
    struct slice event_id;
    instant_us occurred_at;
    bool has_occurred_at;
    struct slice payer;
    struct slice payee;
    struct accord_currency currency;
    int64_t amount;
    struct json_array statements; /* struct slice */
    struct slice reference;
    int state; /* of later_names */
    /* of the request */
    const char *id;
    enum payment_state reaches;
    struct fact_batch batch;
    unsigned status;
    /* what is answered */
    struct payment_summary payment;
    bool not_modified;
};

static const struct json_field statement_id = JSON_ELEMENT(JSON_KIND_ID, 1, ID_MAX);
/* The first state is where a payment begins. */
static const char *const later_names[] = {"sent", "confirmed", "failed", NULL};
static const enum payment_state later_states[] = {PAYMENT_SENT, PAYMENT_CONFIRMED, PAYMENT_FAILED};

static const struct json_field create_fields[] = {
    JSON_ID(struct payment_call, payment_id, 1, ID_MAX),
    JSON_ID_OPT(struct payment_call, event_id, 1, ID_MAX),
    JSON_TIME_OPT(struct payment_call, occurred_at, has_occurred_at),
    JSON_SLUG(struct payment_call, payer),
    JSON_SLUG(struct payment_call, payee),
    JSON_CURRENCY(struct payment_call, currency),
    JSON_FIELD(struct payment_call, amount, JSON_KIND_AMOUNT, 1, ACCORD_AMOUNT_MAX),
    JSON_ARRAY_SCALAR_OPT(struct payment_call, statements, &statement_id, 0, STATEMENTS_MAX),
    JSON_ID_OPT(struct payment_call, reference, 1, ID_MAX),
};
static const struct json_field move_fields[] = {
    JSON_ENUM(struct payment_call, state, later_names),
    JSON_ID_OPT(struct payment_call, event_id, 1, ID_MAX),
    JSON_TIME_OPT(struct payment_call, occurred_at, has_occurred_at),
    JSON_ID_OPT(struct payment_call, reference, 1, ID_MAX),
};
static const struct json_object create_spec = JSON_OBJECT(struct payment_call, create_fields);
static const struct json_object move_spec = JSON_OBJECT(struct payment_call, move_fields);

/* ---- the fact that says so ---- */

static void write_fact(struct json_writer *w, const struct payment_call *state,
                       const char *event_id)
{
    const struct slice *statements = state->statements.items;
    jw_array(w);
    jw_object(w);
    jw_key_str(w, "event_id", event_id);
    jw_key_str(w, "type", fact_type_name(FACT_PAYMENT));
    jw_key_time(w, "occurred_at", state->has_occurred_at ? state->occurred_at : clock_now_us());
    jw_key_slice(w, "payment_id", state->payment_id);
    jw_key_slice(w, "payer", state->payer);
    jw_key_slice(w, "payee", state->payee);
    jw_key_str(w, "currency", state->currency.code);
    jw_key_int(w, "amount", state->amount);
    jw_key_str(w, "state", payment_state_names[state->reaches]);
    jw_key(w, "statements");
    jw_array(w);
    for (size_t i = 0; i < state->statements.count; i++)
        jw_slice(w, statements[i]);
    jw_array_end(w);
    if (state->reference.data != NULL)
        jw_key_slice(w, "reference", state->reference);
    jw_object_end(w);
    jw_array_end(w);
}

/* The id of the fact, when none is given: always the same for a state of a payment. */
static const char *event_id_of(struct call *call, const struct payment_call *state)
{
    const char *name = payment_state_names[state->reaches];
    char hex[HASH_HEX_MAX];
    if (state->event_id.data != NULL)
        return state->event_id.data;
    if (state->payment_id.len + 1 + strlen(name) <= ID_MAX)
        return arena_printf(call->arena, "%s:%s", state->payment_id.data, name);
    /* Together they are longer than an id may be. */
    const struct hash hash = hash_of(state->payment_id);
    hash_hex(&hash, hex);
    return arena_printf(call->arena, "%s:%s", hex, name);
}

/* Makes the fact, through the one way in that facts have. */
static void make_fact(struct call *call, struct payment_call *state)
{
    const char *event_id = event_id_of(call, state);
    const char *why = NULL;
    struct buf text;
    struct json_writer w;
    if (event_id == NULL) {
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
        return;
    }
    buf_init(&text, (size_t)1 << 20);
    jw_init(&w, &text);
    write_fact(&w, state, event_id);
    state->batch.partner = call->caller.partner;
    state->batch.posted_by = "";
    enum accord_error error = buf_error(&text);
    const char *copy = error == ACCORD_OK ? arena_strdup(call->arena, buf_slice(&text)) : NULL;
    if (error == ACCORD_OK)
        error = copy == NULL
                    ? ACCORD_E_OUT_OF_MEMORY
                    : facts_decode(call->arena, (struct slice){copy, text.len}, FACT_SHAPE_ARRAY,
                                   FACT_CLASS_OPERATOR, clock_now_us(),
                                   call->book->tx->config->learner_key, &state->batch, &why);
    buf_done(&text);
    call_check(call, error);
}

/* A field of the fact has the same name in the body. */
static void refuse(struct call *call, const struct fact *fact)
{
    const bool in_field = accord_error_status(fact->code) == 422 && fact->code_pointer != NULL &&
                          *fact->code_pointer != '\0';
    if (!in_field) {
        call_fail(call, fact->code, fact->message == NULL ? NULL : "%s", fact->message);
        return;
    }
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    if (problems == NULL)
        return;
    json_problem_add(problems, fact->code, fact->code_pointer, "%s",
                     fact->message != NULL ? fact->message : accord_error_title(fact->code));
    call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
}

static enum accord_error write_state(struct call *call)
{
    struct payment_call *state = call->state;
    struct fact_batch *batch = &state->batch;
    bool found;
    enum accord_error error = facts_write(call->tx, &batch, 1);
    if (error != ACCORD_OK)
        return error;
    const struct fact *fact = &batch->facts[0];
    if (batch->refused != ACCORD_OK) {
        call_fail(call, batch->refused, NULL);
        return ACCORD_OK;
    }
    if (fact->status != FACT_ACCEPTED && fact->status != FACT_DUPLICATE) {
        refuse(call, fact);
        return ACCORD_OK;
    }
    error = store_payment_find(call->db, call->arena, call->caller.partner, state->id, NULL, &found,
                               &state->payment);
    return error == ACCORD_OK && !found ? ACCORD_E_INTERNAL : error;
}

/* ---- approving ---- */

static struct payment_call *begin(struct call *call, const struct json_object *spec)
{
    struct payment_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL || (spec != NULL && !call_decode(call, spec, state)))
        return NULL;
    return state;
}

static void prepare_create(struct call *call)
{
    struct payment_call *state = begin(call, &create_spec);
    if (state == NULL)
        return;
    state->id = state->payment_id.data;
    state->reaches = PAYMENT_APPROVED;
    state->status = 201;
    make_fact(call, state);
}

/* Does the payment move what is still to be paid of it, and in its direction? */
static bool settles(const struct payment_call *state, const struct statement_summary *statement)
{
    return strcmp(statement->currency, state->currency.code) == 0 &&
           ((statement->payable > 0 && strcmp(statement->partner, state->payee.data) == 0) ||
            (statement->payable < 0 && strcmp(statement->partner, state->payer.data) == 0));
}

static void read_statements(struct call *call)
{
    const struct payment_call *state = call->state;
    const struct slice *ids = state->statements.items;
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    for (size_t i = 0; problems != NULL && i < state->statements.count; i++) {
        struct statement_summary statement;
        bool found;
        char pointer[48];
        if (call_check(call, store_statement_summary(call->db, call->arena, ids[i].data, INT64_MIN,
                                                     &found, &statement)))
            return;
        if (found && settles(state, &statement))
            continue;
        snprintf(pointer, sizeof pointer, "/statements/%zu", i);
        json_problem_add(problems, ACCORD_E_STATEMENT_UNKNOWN, pointer, "%s",
                         accord_error_title(ACCORD_E_STATEMENT_UNKNOWN));
    }
    if (problems != NULL && problems->total > 0)
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
}

/* ---- moving on ---- */

static void prepare_move(struct call *call)
{
    struct payment_call *state = begin(call, &move_spec);
    if (state == NULL)
        return;
    state->id = call_arg(call, 0);
    state->reaches = later_states[state->state];
    state->status = 200;
}

/* What is paid stands in the payment: only its state is new. */
static void read_move(struct call *call)
{
    struct payment_call *state = call->state;
    struct payment_summary *payment = &state->payment;
    bool found = false;
    if (strlen(state->id) <= ID_MAX &&
        call_check(call, store_payment_find(call->db, call->arena, call->caller.partner, state->id,
                                            NULL, &found, payment)))
        return;
    if (!found) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    struct slice *statements =
        arena_array(call->arena, payment->statement_count + 1, sizeof *statements);
    if (statements == NULL) {
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
        return;
    }
    for (size_t i = 0; i < payment->statement_count; i++)
        statements[i] = slice_of(payment->statements[i]);
    state->payment_id = slice_of(state->id);
    state->payer = slice_of(payment->payer);
    state->payee = slice_of(payment->payee);
    state->currency = settlement_currency(payment->currency);
    state->amount = payment->amount;
    state->statements = (struct json_array){statements, payment->statement_count};
    if (state->reference.data == NULL && *payment->reference != '\0')
        state->reference = slice_of(payment->reference);
    make_fact(call, state);
}

/* ---- answers ---- */

static void write_payment(struct json_writer *w, const struct payment_summary *payment)
{
    jw_object(w);
    jw_key_str(w, "payment_id", payment->payment_id);
    jw_key_str(w, "payer", payment->payer);
    jw_key_str(w, "payee", payment->payee);
    jw_key_money(w, "amount", payment->amount, settlement_currency(payment->currency));
    jw_key_str(w, "state", payment->state);
    jw_key_str(w, "reference", *payment->reference == '\0' ? NULL : payment->reference);
    jw_key(w, "statements");
    jw_array(w);
    for (size_t i = 0; i < payment->statement_count; i++)
        jw_str(w, payment->statements[i]);
    jw_array_end(w);
    jw_key_time(w, "changed_at", payment->changed_at);
    jw_object_end(w);
}

static void add_encoded(struct buf *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        const char c = *at;
        const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        if (plain)
            buf_add_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static void answer_payment(struct call *call)
{
    const struct payment_call *state = call->state;
    if (state->not_modified)
        return;
    if (state->status == 201) {
        struct buf path;
        buf_init(&path, 4096);
        add_encoded(&path, state->payment.payment_id);
        call_location(call, "/v1/payments/%.*s", (int)path.len, path.data);
        buf_done(&path);
    }
    struct json_writer w = call_json(call, state->status);
    write_payment(&w, &state->payment);
}

/* ---- reading ---- */

/* Everybody else sees its own statements only. */
static const char *viewer(const struct call *call)
{
    return call->caller.is_operator ? NULL : call->caller.partner;
}

static void prepare_get(struct call *call)
{
    struct payment_call *state = begin(call, NULL);
    if (state == NULL)
        return;
    state->id = call_arg(call, 0);
    state->status = 200;
}

static void read_get(struct call *call)
{
    struct payment_call *state = call->state;
    bool found = false;
    if (strlen(state->id) <= ID_MAX &&
        call_check(call, store_payment_find(call->db, call->arena, NULL, state->id, viewer(call),
                                            &found, &state->payment)))
        return;
    if (!found ||
        (!call->caller.is_operator && strcmp(state->payment.payer, call->caller.partner) != 0 &&
         strcmp(state->payment.payee, call->caller.partner) != 0)) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    state->not_modified = call_etag(call, state->payment.seq);
}

struct payment_list {
    const char *party;
    struct list_page page;
    int64_t since;
    int64_t after;
    int64_t version;
    bool not_modified;
    struct payment_summary *rows;
    size_t count;
    bool more;
};

static void prepare_list(struct call *call)
{
    struct payment_list *list = call_alloc(call, sizeof *list);
    call->state = list;
    if (list == NULL || !settlement_partner(call, &list->party) || !call_page(call, 1, &list->page))
        return;
    list->since = call_query_since(call, "since", 0);
    list->after = list->since;
    if (list->page.has_cursor)
        settlement_part_int(call, list->page.parts[0], &list->after);
}

static void read_list(struct call *call)
{
    struct payment_list *list = call->state;
    if (!settlement_position(call, list->since))
        return;
    list->version = call_partner_version(call);
    if (call->failed)
        return;
    list->not_modified = call_etag(call, list->version);
    if (list->not_modified ||
        call_check(call,
                   store_payment_list(call->db, call->arena, list->party, viewer(call), list->after,
                                      list->page.limit + 1, &list->rows, &list->count)))
        return;
    list->more = list->count > (size_t)list->page.limit;
    if (list->more)
        list->count--;
}

static void answer_list(struct call *call)
{
    const struct payment_list *list = call->state;
    if (list->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "as_of", call_as_of(call, list->version));
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < list->count; i++)
        write_payment(&w, &list->rows[i]);
    jw_array_end(&w);
    const struct slice place =
        list->more ? settlement_int_part(call, list->rows[list->count - 1].seq) : SLICE("");
    call_page_next(call, &w, &place, 1, list->more);
    jw_object_end(&w);
}

const struct operation payment_operations[] = {
    {.id = "createPayment",
     .method = "POST",
     .pattern = "/v1/payments",
     .scope = SCOPE_ADMIN,
     .roles = ROLE_PLATFORM,
     .flags = OP_IDEMPOTENCY_KEY,
     .body_max = BODY_MAX,
     .media = "application/json",
     .prepare = prepare_create,
     .read = read_statements,
     .write = write_state,
     .answer = answer_payment},
    {.id = "listPayments",
     .method = "GET",
     .pattern = "/v1/payments",
     .scope = SCOPE_STATEMENTS_READ,
     .query = "partner since limit cursor",
     .prepare = prepare_list,
     .read = read_list,
     .answer = answer_list},
    {.id = "getPayment",
     .method = "GET",
     .pattern = "/v1/payments/{payment}",
     .scope = SCOPE_STATEMENTS_READ,
     .prepare = prepare_get,
     .read = read_get,
     .answer = answer_payment},
    {.id = "movePayment",
     .method = "POST",
     .pattern = "/v1/payments/{payment}/state",
     .scope = SCOPE_ADMIN,
     .roles = ROLE_PLATFORM,
     .flags = OP_IDEMPOTENCY_KEY,
     .body_max = BODY_MAX,
     .media = "application/json",
     .prepare = prepare_move,
     .read = read_move,
     .write = write_state,
     .answer = answer_payment},
};
const size_t payment_operation_count = sizeof payment_operations / sizeof payment_operations[0];
