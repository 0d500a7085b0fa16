#include "api/simulations.h"

#include <string.h>

#include "api/agreement_call.h"
#include "api/app.h"
#include "ingest/simulate.h"

enum { BODY_MAX = 4 << 20 };

struct simulation_body {
    struct slice agreement;
    struct slice period;
    struct slice terms;      /* data NULL: today's */
    struct slice add_facts;  /* data NULL: none */
    struct json_array pools; /* of struct simulation_pool */
    struct slice partner;    /* whose facts they are; data NULL: the caller's */
};

enum { POOLS_MAX = 16 };
static const struct json_field pool_fields[] = {
    JSON_SLUG(struct simulation_pool, channel),
    JSON_SLUG(struct simulation_pool, pool),
    JSON_RAW(struct simulation_pool, terms),
};
static const struct json_object pool_spec = JSON_OBJECT(struct simulation_pool, pool_fields);

static const struct json_field body_fields[] = {
    JSON_SLUG(struct simulation_body, agreement),
    JSON_ID(struct simulation_body, period, 1, 16),
    JSON_RAW_OPT(struct simulation_body, terms),
    JSON_RAW_OPT(struct simulation_body, add_facts),
    JSON_ARRAY_OF_OPT(struct simulation_body, pools, &pool_spec, 1, POOLS_MAX),
    JSON_SLUG_OPT(struct simulation_body, partner),
};
static const struct json_object body_spec = JSON_OBJECT(struct simulation_body, body_fields);

struct simulation_call {
    struct simulation_body body;
    struct simulation_ask ask;
    struct fact_batch facts;
    struct agreement_call agreement;
    struct json_problems problems;
};

/* Facts are those of one's own; the operator says whose. */
static void take_facts(struct call *call, struct simulation_call *state)
{
    const char *why = NULL;
    const struct slice given = state->body.partner;
    if (!call->caller.is_operator && given.data != NULL &&
        !slice_equal(given, slice_of(call->caller.partner))) {
        call_fail(call, ACCORD_E_ROLE_MISSING, "facts are to be those of one's own");
        return;
    }
    state->facts.partner = given.data == NULL ? call->caller.partner : given.data;
    state->facts.posted_by = "";
    const enum accord_error error =
        facts_decode(call->arena, state->body.add_facts, FACT_SHAPE_ARRAY, FACT_CLASS_ORDER | FACT_CLASS_MEMBERSHIP,
                     clock_now_us(), call->book->tx->config->learner_key, &state->facts, &why);
    if (error == ACCORD_OK && state->facts.count > SIMULATION_FACTS_MAX)
        call_fail(call, ACCORD_E_BATCH_TOO_LARGE, NULL);
    else if (error != ACCORD_OK)
        call_fail(call, error, why == NULL ? NULL : "add_facts: %s", why);
    state->ask.facts = &state->facts;
}

static void prepare(struct call *call)
{
    struct simulation_call *state = call_alloc(call, sizeof *state);
    bool quarterly;
    int64_t first;
    call->state = state;
    if (state == NULL || !call_decode(call, &body_spec, &state->body))
        return;
    state->ask.agreement = state->agreement.id = state->body.agreement.data;
    state->ask.label = state->body.period.data;
    state->ask.terms = state->body.terms;
    state->ask.pools = state->body.pools.items;
    state->ask.pool_count = state->body.pools.count;
    state->ask.viewer = call->caller.is_operator ? NULL : call->caller.partner;
    if (!period_parse(state->body.period, &quarterly, &first))
        call_fail(call, ACCORD_E_PERIOD_INVALID, NULL);
    else if (state->body.add_facts.data != NULL)
        take_facts(call, state);
}

static void write_payees(struct json_writer *w, const struct simulation *simulation)
{
    jw_key(w, "totals");
    jw_array(w);
    for (size_t i = 0; i < simulation->payee_count; i++) {
        const struct simulation_payee *payee = &simulation->payees[i];
        jw_object(w);
        jw_key_str(w, "payee", payee->payee);
        jw_key_int(w, "amount", payee->amount);
        jw_key_int(w, "today", payee->today);
        jw_key_int(w, "difference", payee->amount - payee->today);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_statements(struct json_writer *w, const struct call *call,
                             const struct close_result *result)
{
    jw_key(w, "statements");
    jw_array(w);
    for (size_t i = 0; i < result->count; i++) {
        const struct statement_row *row = &result->statements[i];
        char hash[HASH_HEX_MAX];
        if (!call->caller.is_operator && strcmp(row->partner, call->caller.partner) != 0)
            continue;
        hash_hex(&row->hash, hash);
        jw_object(w);
        jw_key_str(w, "id", row->id);
        jw_key_str(w, "partner", row->partner);
        jw_key_str(w, "hash", hash);
        jw_key_raw(w, "body", row->body);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void answer(struct call *call, const struct simulation_call *state,
                   const struct simulation *simulation)
{
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "agreement", state->ask.agreement);
    jw_key_str(&w, "period", state->ask.label);
    jw_key_str(&w, "currency", simulation->currency);
    jw_key_int(&w, "line_count", simulation->line_count);
    jw_key(&w, "lines");
    jw_array(&w);
    if (simulation->line_count > 0)
        jw_raw(&w, buf_slice(&simulation->lines));
    jw_array_end(&w);
    write_payees(&w, simulation);
    write_statements(&w, call, &simulation->result);
    jw_object_end(&w);
}

/* The party of a version that was in force sees it; a draft is no business of a stranger. */
static void read(struct call *call)
{
    struct simulation_call *state = call->state;
    struct simulation simulation;
    bool found;
    if (call_check(call, agreement_load(call, &state->agreement, &found)) || !found)
        return;
    const enum accord_error error =
        simulate(call->db, call->arena, &state->ask, &simulation, &state->problems);
    if (state->problems.count > 0)
        call_problems(call, ACCORD_E_FIELDS_INVALID, &state->problems);
    else if (!call_check(call, error))
        answer(call, state, &simulation);
    buf_done(&simulation.lines);
}

const struct operation simulation_operations[] = {
    {.id = "simulate",
     .method = "POST",
     .pattern = "/v1/simulations",
     .scope = SCOPE_STATEMENTS_READ,
     .run = RUN_JOB,
     .body_max = BODY_MAX,
     .media = "application/json",
     .prepare = prepare,
     .read = read},
};
const size_t simulation_operation_count =
    sizeof simulation_operations / sizeof simulation_operations[0];
