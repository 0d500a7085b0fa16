/* /v1/catalogs: imports of whole catalogs and their receipts. */
#include "api/catalogs.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/catalog_host.h"
#include "base/config.h"
#include "base/log.h"
#include "store/partners.h"

enum {
    BODY_MAX = 64 << 20,
    AT_ONCE_BYTES = 5 << 20, /* larger bodies are worked on in the background */
    AT_ONCE_ROWS = 20000,    /* larger imports are applied in the background once approved */
    RECEIPT_PROBLEMS = 100,
    ANSWER_MAX = 16 << 20,
};

/* ---- encoding ---- */

static void write_problem(struct json_writer *w, const struct store_problem *problem)
{
    jw_object(w);
    jw_key_int(w, "line", problem->line);
    jw_key_slice(w, "course_id", problem->course_id);
    jw_key_slice(w, "field", problem->field);
    jw_key_slice(w, "code", problem->code);
    jw_key_slice(w, "message", problem->message);
    jw_object_end(w);
}

static void write_counts(struct json_writer *w, const struct store_import_counts *counts)
{
    jw_key(w, "counts");
    jw_object(w);
    jw_key_int(w, "received", counts->received);
    jw_key_int(w, "created", counts->created);
    jw_key_int(w, "updated", counts->updated);
    jw_key_int(w, "unchanged", counts->unchanged);
    jw_key_int(w, "withdrawn", counts->withdrawn);
    jw_key_int(w, "rejected", counts->rejected);
    jw_object_end(w);
}

/* Without its closing brace, for problems to follow. */
static void write_receipt(struct json_writer *w, const struct store_import *import)
{
    jw_object(w);
    jw_key_slice(w, "id", import->id);
    jw_key_slice(w, "provider", import->provider);
    jw_key_str(w, "state", import_state_name(import->state));
    if (import->reason.len != 0)
        jw_key_slice(w, "reason", import->reason);
    jw_key_str(w, "mode", import->full ? "full" : "delta");
    jw_key_slice(w, "format", import->format);
    jw_key_bool(w, "dry_run", import->dry_run);
    jw_key_time(w, "created_at", import->created_at);
    if (import->finished_at != 0)
        jw_key_time(w, "finished_at", import->finished_at);
    else
        jw_key_null(w, "finished_at");
    write_counts(w, &import->counts);
}

static enum accord_error each_problem(void *context, const struct store_problem *problem)
{
    write_problem(context, problem);
    return ACCORD_OK;
}

/* The receipt with its first problems, from one read. */
struct receipt {
    struct slice id;
    struct arena *arena;
    struct json_writer *w;
    bool found;
    struct store_import import;
};

static enum accord_error read_receipt(void *self, struct db *db)
{
    struct receipt *r = self;
    enum accord_error error = store_import_get(db, r->arena, r->id, &r->found, &r->import);
    if (error != ACCORD_OK || !r->found)
        return error;
    write_receipt(r->w, &r->import);
    jw_key(r->w, "problems");
    jw_array(r->w);
    error = store_problems_list(db, r->id, 0, RECEIPT_PROBLEMS, each_problem, r->w);
    jw_array_end(r->w);
    jw_object_end(r->w);
    return error;
}

static bool may_see(const struct call *call, struct slice provider)
{
    return call->caller.is_operator || slice_equal(slice_of(call->caller.partner), provider);
}

/* ---- POST /v1/catalogs ---- */

struct post_state {
    struct catalog_request request;
    bool columns_given;
    struct json_problems problems;
};

static enum catalog_format format_of(const char *media)
{
    if (strcmp(media, "text/csv") == 0)
        return CATALOG_CSV;
    return strcmp(media, "application/x-ndjson") == 0 ? CATALOG_NDJSON : CATALOG_JSON;
}

/* One of two words; the first when it is not given. */
static bool query_choice(struct call *call, const char *name, const char *first, const char *second)
{
    const char *value = call_query(call, name);
    if (value == NULL || strcmp(value, first) == 0)
        return false;
    if (strcmp(value, second) != 0)
        call_fail(call, ACCORD_E_QUERY_INVALID, "%s is %s or %s", name, first, second);
    return true;
}

static void take_provider(struct call *call, struct catalog_request *request)
{
    const char *provider = call_query(call, "provider");
    request->provider = provider != NULL ? provider : call->caller.partner;
    if (call->caller.is_operator && provider == NULL)
        call_fail(call, ACCORD_E_QUERY_INVALID, "an operator says whose catalog it is: provider=");
    else if (!call->caller.is_operator && strcmp(request->provider, call->caller.partner) != 0)
        call_fail(call, ACCORD_E_ROLE_MISSING, "only an operator imports for another partner");
}

static void post_prepare(struct call *call)
{
    struct post_state *state = call_alloc(call, sizeof *state);
    if (state == NULL)
        return;
    call->state = state;
    struct catalog_request *request = &state->request;
    request->format = format_of(call_media(call));
    request->full = query_choice(call, "mode", "delta", "full");
    request->dry_run = query_choice(call, "dry_run", "false", "true");
    take_provider(call, request);
    const char *columns = call_query(call, "columns");
    state->columns_given = columns != NULL;
    request->columns = columns == NULL ? SLICE("") : slice_of(columns);
    const char *currency = call_query(call, "currency");
    if (currency != NULL &&
        accord_currency_parse(currency, strlen(currency), &request->defaults.currency) != ACCORD_OK)
        call_fail(call, ACCORD_E_CURRENCY_UNKNOWN, "currency");
    const char *language = call_query(call, "language");
    if (language != NULL && (strlen(language) < 2 || strlen(language) > 35))
        call_fail(call, ACCORD_E_QUERY_INVALID, "language is a tag such as zh or en-GB");
    request->defaults.language = slice_of(language);
}

static void post_read(struct call *call)
{
    struct post_state *state = call->state;
    struct partner_row partner;
    bool found = false;
    if (call_check(call, store_partner_get(call->db, call->arena, state->request.provider, &partner,
                                           &found)))
        return;
    if (!found || (partner.roles & ROLE_PROVIDER) == 0)
        call_fail(call, ACCORD_E_PROVIDER_UNKNOWN, NULL);
    else if (!state->columns_given && state->request.format == CATALOG_CSV)
        state->request.columns = slice_of(partner.column_map);
    if (!call->failed && state->request.format != CATALOG_CSV)
        state->request.columns = SLICE("");
}

/* An import that goes on after its request was answered. */
struct background {
    struct app *app;
    struct book *book;
    char import[RANDOM_ID_MAX];
    struct arena *arena; /* of the request's texts */
    struct catalog_request request;
    struct catalog_upload upload; /* data NULL: only apply */
};

static void background_free(struct background *job)
{
    if (job == NULL)
        return;
    catalog_upload_free(&job->upload);
    arena_free(job->arena);
    free(job);
}

static void run_background(void *self, unsigned thread)
{
    struct background *job = self;
    struct catalog_thread host;
    catalog_thread_init(&host, job->book, job->app->worker_count + thread);
    host.stop = &job->app->draining; /* a large import must not hold up a stop */
    const struct slice body = {job->upload.data, job->upload.len};
    const enum accord_error error = job->upload.data == NULL
                                        ? catalog_apply(&host.host, job->import)
                                        : catalog_run(&host.host, &job->request, job->import, body);
    if (error != ACCORD_OK)
        LOG(LOG_ERROR, "import_stopped", LOG_TEXT("import", job->import),
            LOG_TEXT("code", accord_error_code(error)));
    background_free(job);
}

static struct background *background_new(struct call *call, const char *import)
{
    struct background *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->app = call->app;
    job->book = call->book;
    snprintf(job->import, sizeof job->import, "%s", import);
    return job;
}

static enum accord_error copy_request(struct background *job, const struct catalog_request *from)
{
    job->arena = arena_new((size_t)1 << 20);
    if (job->arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    job->request = *from;
    job->request.claim = NULL;
    job->request.provider = arena_strdup(job->arena, slice_of(from->provider));
    job->request.columns.data = arena_strdup(job->arena, from->columns);
    if (from->defaults.language.data != NULL)
        job->request.defaults.language.data = arena_strdup(job->arena, from->defaults.language);
    return job->request.provider == NULL || job->request.columns.data == NULL
               ? ACCORD_E_OUT_OF_MEMORY
               : ACCORD_OK;
}

static enum accord_error start_background(struct call *call, const char *import)
{
    const struct post_state *state = call->state;
    struct background *job = background_new(call, import);
    if (job == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error error = copy_request(job, &state->request);
    if (error == ACCORD_OK)
        error = catalog_upload_copy(call->app->spill_dir, call->http->request.body,
                                    &job->upload);
    if (error == ACCORD_OK)
        error = jobs_submit(call->app->jobs, run_background, job);
    if (error != ACCORD_OK)
        background_free(job);
    return error;
}

struct remember {
    struct call *call;
};

static enum accord_error remember(void *self, struct ingest_tx *tx)
{
    const struct remember *r = self;
    return call_remember(r->call, tx);
}

static void answer_receipt(struct call *call, const struct catalog_host *host, const char *import,
                           unsigned status)
{
    struct json_writer w = call_json(call, status);
    struct receipt receipt = {.id = slice_of(import), .arena = call->arena, .w = &w};
    if (call_check(call, host->read(host->context, read_receipt, &receipt)))
        return;
    if (!receipt.found)
        call_fail(call, ACCORD_E_INTERNAL, NULL);
    else if (status == 202)
        call_location(call, "/v1/catalogs/%s", import);
}

/* Under an Idempotency-Key: the transaction that begins the import keeps the receipt's address as
 * the answer, so that of several requests at once one begins it and the others are pointed to it.
 */
static enum accord_error claim_before(void *self, struct ingest_tx *tx, bool *ret_go_on)
{
    return call_claim(self, tx, ret_go_on);
}

static enum accord_error claim_begun(void *self, struct ingest_tx *tx, const char *import)
{
    struct call *call = self;
    struct json_writer w = call_json(call, 202);
    struct receipt receipt = {.id = slice_of(import), .arena = call->arena, .w = &w};
    const enum accord_error error = read_receipt(&receipt, tx->db);
    if (error != ACCORD_OK)
        return error;
    call_location(call, "/v1/catalogs/%s", import);
    return call_remember(call, tx);
}

static enum accord_error forget(void *self, struct ingest_tx *tx)
{
    return call_forget(self, tx);
}

/* The whole import, or its begin; on a job thread, through a host of its own. */
static void post_answer(struct call *call)
{
    struct post_state *state = call->state;
    const struct slice body = call->http->request.body;
    struct catalog_thread thread;
    catalog_thread_init(&thread, call->book, call->reader);
    const struct catalog_host *host = &thread.host;
    char import[RANDOM_ID_MAX];
    enum accord_error error = catalog_check(call->arena, &state->request, body, &state->problems);
    if (error != ACCORD_OK && state->problems.count != 0) {
        call_problems(call, error, &state->problems);
        return;
    }
    const struct catalog_claim claim = {call, claim_before, claim_begun};
    state->request.claim = call_has_key(call) ? &claim : NULL;
    if (error == ACCORD_OK)
        error = catalog_begin(host, &state->request, import);
    state->request.claim = NULL;
    if (error == ACCORD_OK && *import == '\0')
        return; /* the answer that was kept */
    call_reply_anew(call);
    if (call_check(call, error))
        return;
    const bool at_once = call->http->request.body_length_known && body.len <= AT_ONCE_BYTES;
    if (at_once)
        error = catalog_run(host, &state->request, import, body);
    else
        answer_receipt(call, host, import, 202);
    if (!at_once && !call->failed)
        error = start_background(call, import);
    if (!at_once && (call->failed || error != ACCORD_OK))
        catalog_fail(host, import,
                     accord_error_code(error == ACCORD_OK ? ACCORD_E_INTERNAL : error));
    if (!call_check(call, error) && at_once)
        answer_receipt(call, host, import, 200);
    struct remember kept = {call};
    if (!call->failed)
        call_check(call, host->write(host->context, remember, &kept));
    if (call->failed)
        host->write(host->context, forget, call); /* else it leads to the failed import */
}

/* ---- GET /v1/catalogs ---- */

struct list_state {
    struct list_page page;
    struct buf items;
    struct json_writer w;
    int64_t shown;
    bool more;
    struct slice last[2]; /* created_at and id, or the number of a problem */
    struct arena *arena;
};

static void list_prepare(struct call *call)
{
    struct list_state *state = call_alloc(call, sizeof *state);
    if (state == NULL || !call_page(call, 2, &state->page))
        return;
    state->arena = call->arena;
    call->state = state;
}

static enum accord_error remember_last(struct list_state *state, int64_t number, struct slice id)
{
    const char *text = arena_printf(state->arena, "%lld", (long long)number);
    const char *copy = arena_strdup(state->arena, id);
    if (text == NULL || copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    state->last[0] = slice_of(text);
    state->last[1] = (struct slice){copy, id.len};
    return ACCORD_OK;
}

static enum accord_error each_import(void *context, const struct store_import *row)
{
    struct list_state *state = context;
    if (state->shown == state->page.limit) {
        state->more = true;
        return ACCORD_OK;
    }
    write_receipt(&state->w, row);
    jw_object_end(&state->w);
    state->shown++;
    return remember_last(state, row->created_at, row->id);
}

static bool cursor_number(struct call *call, struct slice part, int64_t *ret)
{
    char *end;
    const long long number = strtoll(part.data, &end, 10);
    if (part.len == 0 || *end != '\0') {
        call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
        return false;
    }
    *ret = number;
    return true;
}

static void begin_list(struct list_state *state)
{
    buf_init(&state->items, ANSWER_MAX);
    jw_init(&state->w, &state->items);
    jw_object(&state->w);
    jw_key(&state->w, "items");
    jw_array(&state->w);
}

static void end_list(struct call *call, struct list_state *state, size_t parts)
{
    jw_array_end(&state->w);
    call_page_next(call, &state->w, state->last, parts, state->more);
    jw_object_end(&state->w);
    call_json_hashed(call, &state->items);
}

static void list_read(struct call *call)
{
    struct list_state *state = call->state;
    int64_t before = INT64_MAX;
    struct slice before_id = SLICE("");
    if (state->page.has_cursor) {
        before_id = state->page.parts[1];
        if (!cursor_number(call, state->page.parts[0], &before))
            return;
    }
    begin_list(state);
    const char *provider = call->caller.is_operator ? NULL : call->caller.partner;
    const char *asked = call_query(call, "provider");
    if (asked != NULL && may_see(call, slice_of(asked)))
        provider = asked;
    else if (asked != NULL)
        state->page.limit = 0; /* another's: none of them can be seen */
    if (state->page.limit != 0)
        call_check(call, store_import_list(call->db, provider, before, before_id,
                                           state->page.limit + 1, each_import, state));
    end_list(call, state, 2);
}

/* What the read step has built is the answer. */
static void answered(struct call *call)
{
    (void)call;
}

/* ---- GET /v1/catalogs/{import} ---- */

static void get_read(struct call *call)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, ANSWER_MAX);
    jw_init(&w, &body);
    struct receipt receipt = {.id = slice_of(call_arg(call, 0)), .arena = call->arena, .w = &w};
    if (!call_check(call, read_receipt(&receipt, call->db)) &&
        (!receipt.found || !may_see(call, receipt.import.provider)))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    call_json_hashed(call, &body);
}

/* ---- GET /v1/catalogs/{import}/problems ---- */

static void problems_prepare(struct call *call)
{
    struct list_state *state = call_alloc(call, sizeof *state);
    if (state == NULL || !call_page(call, 1, &state->page))
        return;
    state->arena = call->arena;
    call->state = state;
}

static enum accord_error each_listed_problem(void *context, const struct store_problem *problem)
{
    struct list_state *state = context;
    if (state->shown == state->page.limit) {
        state->more = true;
        return ACCORD_OK;
    }
    write_problem(&state->w, problem);
    state->shown++;
    return remember_last(state, problem->number, SLICE(""));
}

static void problems_read(struct call *call)
{
    struct list_state *state = call->state;
    const struct slice id = slice_of(call_arg(call, 0));
    struct store_import import;
    bool found = false;
    int64_t after = 0;
    if (call_check(call, store_import_get(call->db, call->arena, id, &found, &import)))
        return;
    if (!found || !may_see(call, import.provider)) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return;
    }
    if (state->page.has_cursor && !cursor_number(call, state->page.parts[0], &after))
        return;
    begin_list(state);
    call_check(call, store_problems_list(call->db, id, after, state->page.limit + 1,
                                         each_listed_problem, state));
    end_list(call, state, 1);
}

/* ---- POST /v1/catalogs/{import}/approve ---- */

struct approve_state {
    struct store_import import;
    enum accord_error refused;
};

static void approve_read(struct call *call)
{
    struct approve_state *state = call_alloc(call, sizeof *state);
    if (state == NULL)
        return;
    call->state = state;
    bool found = false;
    if (!call_check(call, store_import_get(call->db, call->arena, slice_of(call_arg(call, 0)),
                                           &found, &state->import)) &&
        (!found || !may_see(call, state->import.provider)))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
}

static enum accord_error approve(void *self, struct ingest_tx *tx)
{
    struct approve_state *state = self;
    const enum accord_error error = catalog_approve(tx, state->import.id);
    const bool refusal = error == ACCORD_E_IMPORT_STATE || error == ACCORD_E_CATALOG_BUSY ||
                         error == ACCORD_E_NOT_FOUND;
    state->refused = refusal ? error : ACCORD_OK;
    return refusal ? ACCORD_OK : error;
}

static void approve_answer(struct call *call)
{
    struct approve_state *state = call->state;
    const char *import = state->import.id.data; /* NUL-terminated: a copy in the arena */
    struct catalog_thread thread;
    catalog_thread_init(&thread, call->book, call->reader);
    const struct catalog_host *host = &thread.host;
    enum accord_error error = host->write(host->context, approve, state);
    if (call_check(call, error) || call_check(call, state->refused))
        return;
    struct background *job = NULL;
    if (state->import.counts.received + state->import.counts.withdrawn > AT_ONCE_ROWS)
        job = background_new(call, import);
    if (job == NULL || jobs_submit(call->app->jobs, run_background, job) != ACCORD_OK) {
        background_free(job);
        error = catalog_apply(host, import);
    }
    if (!call_check(call, error))
        answer_receipt(call, host, import, 200);
}

/* ---- start ---- */

enum accord_error catalogs_recover(struct book *book)
{
    struct catalog_thread thread;
    catalog_thread_init(&thread, book, 0);
    return catalog_recover(&thread.host);
}

const struct operation catalog_operations[] = {
    {.id = "importCatalog",
     .method = "POST",
     .pattern = "/v1/catalogs",
     .scope = SCOPE_CATALOG_WRITE,
     .roles = ROLE_PROVIDER,
     .run = RUN_JOB,
     .flags = OP_IDEMPOTENCY_KEY,
     .body_max = BODY_MAX,
     .media = "application/json application/x-ndjson text/csv",
     .query = "mode dry_run provider columns currency language",
     .prepare = post_prepare,
     .read = post_read,
     .answer = post_answer},
    {.id = "listCatalogs",
     .method = "GET",
     .pattern = "/v1/catalogs",
     .scope = SCOPE_CATALOG_READ,
     .query = "provider limit cursor",
     .prepare = list_prepare,
     .read = list_read,
     .answer = answered},
    {.id = "getCatalog",
     .method = "GET",
     .pattern = "/v1/catalogs/{import}",
     .scope = SCOPE_CATALOG_READ,
     .read = get_read,
     .answer = answered},
    {.id = "listCatalogProblems",
     .method = "GET",
     .pattern = "/v1/catalogs/{import}/problems",
     .scope = SCOPE_CATALOG_READ,
     .query = "limit cursor",
     .prepare = problems_prepare,
     .read = problems_read,
     .answer = answered},
    {.id = "approveCatalog",
     .method = "POST",
     .pattern = "/v1/catalogs/{import}/approve",
     .scope = SCOPE_CATALOG_WRITE,
     .run = RUN_JOB,
     .read = approve_read,
     .answer = approve_answer},
};
const size_t catalog_operation_count = sizeof catalog_operations / sizeof catalog_operations[0];
