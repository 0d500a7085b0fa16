/* Links: a channel proposes one to a promoter, who accepts it; from then on its touches count. */
#include "api/links.h"

#include <string.h>

#include "api/app.h"
#include "ingest/referral.h"
#include "store/partners.h"

enum { BODY_MAX = 16 << 10, LEARNER_MAX = 255 };

struct link_call {
    const char *channel;
    struct slice promoter; /* of the body, like the two behind it */
    struct slice parent;
    struct slice learner;
    struct link_row row;
    bool created;
    bool not_modified;
};

static const struct json_field put_fields[] = {
    JSON_SLUG(struct link_call, promoter),
    JSON_SLUG_OPT(struct link_call, parent),
    JSON_ID_OPT(struct link_call, learner, 1, LEARNER_MAX),
};
static const struct json_object put_spec = JSON_OBJECT(struct link_call, put_fields);

/* Codes belong to a channel: the query's, else the caller. */
static struct link_call *begin(struct call *call)
{
    struct link_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL)
        return NULL;
    const char *channel = call_query(call, "channel");
    state->channel = channel == NULL ? call->caller.partner : channel;
    return state;
}

static bool is_channel(const struct call *call, const struct link_call *state)
{
    return call->caller.is_operator || strcmp(state->channel, call->caller.partner) == 0;
}

static bool is_promoter(const struct call *call, const struct link_call *state)
{
    return strcmp(state->row.promoter, call->caller.partner) == 0;
}

/* Finds the link that the caller may see; false: the call has failed. */
static bool find(struct call *call, struct link_call *state)
{
    bool found = false;
    if (call_check(call, store_link_get(call->db, call->arena, state->channel, call_arg(call, 0),
                                        &state->row, &found)))
        return false;
    if (found && (is_channel(call, state) || is_promoter(call, state)))
        return true;
    call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    return false;
}

/* ---- PUT /v1/links/{code} ---- */

static void put_prepare(struct call *call)
{
    struct link_call *state = begin(call);
    if (state == NULL)
        return;
    const char *const channel = state->channel;
    if (!is_channel(call, state))
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    else if (!call->caller.is_operator && (call->caller.roles & ROLE_CHANNEL) == 0)
        call_fail(call, ACCORD_E_ROLE_MISSING, "only a channel has links");
    else if (call_decode(call, &put_spec, state))
        state->channel = channel;
}

static enum accord_error has_role(struct call *call, const char *partner, uint32_t role, bool *ret)
{
    struct partner_row row;
    bool found = false;
    const enum accord_error error = store_partner_get(call->db, call->arena, partner, &row, &found);
    if (error == ACCORD_OK)
        *ret = found && (row.roles & role) != 0;
    return error;
}

/* What the body says against what stands: two levels at most, so that nobody comes to bring itself;
 * one parent of a promoter at a channel, whichever link a buyer came by. */
static enum accord_error check(struct call *call, const struct link_call *state,
                               struct json_problems *problems)
{
    const char *const code = call_arg(call, 0);
    const char *const promoter = state->promoter.data;
    const char *const parent = state->parent.data == NULL ? "" : state->parent.data;
    struct link_kin kin;
    struct link_kin above = {.accepted = true, .parent = ""};
    bool known = false;
    bool sells = false;
    enum accord_error error = has_role(call, promoter, ROLE_PROMOTER, &known);
    if (error == ACCORD_OK)
        error = has_role(call, state->channel, ROLE_CHANNEL, &sells);
    if (error == ACCORD_OK)
        error = store_link_kin(call->db, call->arena, state->channel, promoter, code, &kin);
    if (error == ACCORD_OK && *parent != '\0')
        error = store_link_kin(call->db, call->arena, state->channel, parent, code, &above);
    if (error != ACCORD_OK)
        return error;
    if (!sells)
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
    if (!known)
        json_problem_add(problems, ACCORD_E_PARTNER_UNKNOWN, "/promoter", "no such promoter");
    if (*parent != '\0' && (strcmp(parent, promoter) == 0 || !above.accepted ||
                            *above.parent != '\0' || kin.is_parent))
        json_problem_add(problems, ACCORD_E_LINK_PARENT, "/parent", "%s",
                         accord_error_title(ACCORD_E_LINK_PARENT));
    else if (kin.found && strcmp(kin.parent, parent) != 0)
        json_problem_add(problems, ACCORD_E_LINK_PARENT_DIFFERS, "/parent", "%s",
                         accord_error_title(ACCORD_E_LINK_PARENT_DIFFERS));
    return ACCORD_OK;
}

static enum accord_error touch(struct call *call, const struct link_row *row)
{
    const enum accord_error error = ingest_touch(call->tx, row->channel);
    return error == ACCORD_OK ? ingest_touch(call->tx, row->promoter) : error;
}

static enum accord_error put_write(struct call *call)
{
    struct link_call *state = call->state;
    struct json_problems *problems = call_alloc(call, sizeof *problems);
    struct link_row *row = &state->row;
    bool found = false;
    if (problems == NULL)
        return ACCORD_OK;
    enum accord_error error =
        store_link_get(call->db, call->arena, state->channel, call_arg(call, 0), row, &found);
    if (error != ACCORD_OK || !call_precondition(call, found ? row->seq : 0))
        return error;
    if (found && link_state_of(row) != LINK_PROPOSED) {
        call_fail(call, ACCORD_E_LINK_STATE, "only a proposal is changed");
        return ACCORD_OK;
    }
    error = check(call, state, problems);
    if (error == ACCORD_OK && !call->failed && problems->total > 0)
        call_problems(call, ACCORD_E_FIELDS_INVALID, problems);
    if (error != ACCORD_OK || call->failed)
        return error;
    state->created = !found;
    if (found) /* whom it was proposed to before */
        error = touch(call, row);
    *row = (struct link_row){
        .channel = state->channel,
        .code = call_arg(call, 0),
        .promoter = state->promoter.data,
        .parent = state->parent.data == NULL ? "" : state->parent.data,
        .has_learner = state->learner.data != NULL,
        .created_at = found ? row->created_at : call->tx->now,
    };
    if (row->has_learner)
        row->learner_lookup = referral_learner_lookup(call->book->tx->config->learner_key,
                                                      row->channel, state->learner);
    if (error == ACCORD_OK)
        error = touch(call, row);
    if (error == ACCORD_OK)
        error = ingest_seq(call->tx, 1, &row->seq);
    return error == ACCORD_OK ? store_link_put(call->db, row) : error;
}

static void write_link(struct json_writer *w, const struct link_row *row)
{
    jw_object(w);
    jw_key_str(w, "channel", row->channel);
    jw_key_str(w, "code", row->code);
    jw_key_str(w, "promoter", row->promoter);
    if (*row->parent != '\0')
        jw_key_str(w, "parent", row->parent);
    jw_key_bool(w, "has_learner", row->has_learner);
    jw_key_str(w, "state", link_state_name(link_state_of(row)));
    jw_key_time(w, "created_at", row->created_at);
    if (row->accepted_at != 0)
        jw_key_time(w, "accepted_at", row->accepted_at);
    if (row->closed_at != 0)
        jw_key_time(w, "closed_at", row->closed_at);
    jw_object_end(w);
}

static void answer(struct call *call)
{
    const struct link_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, state->created ? 201 : 200);
    call_etag(call, state->row.seq);
    if (state->created)
        call_location(call, "/v1/links/%s?channel=%s", call_arg(call, 0), state->channel);
    write_link(&w, &state->row);
}

/* ---- GET /v1/links/{code} ---- */

static void prepare(struct call *call)
{
    begin(call);
}

static void get_read(struct call *call)
{
    struct link_call *state = call->state;
    if (find(call, state))
        state->not_modified = call_etag(call, state->row.seq);
}

static void get_answer(struct call *call)
{
    const struct link_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    write_link(&w, &state->row);
}

/* ---- POST /v1/links/{code}/accept, …/close ---- */

static enum accord_error move(struct call *call, struct link_row *row)
{
    enum accord_error error = touch(call, row);
    if (error == ACCORD_OK)
        error = ingest_seq(call->tx, 1, &row->seq);
    if (error == ACCORD_OK)
        error = store_link_put(call->db, row);
    return error == ACCORD_OK ? ingest_link_changed(call->tx, row) : error;
}

static enum accord_error accept_write(struct call *call)
{
    struct link_call *state = call->state;
    if (!find(call, state))
        return ACCORD_OK;
    if (!is_promoter(call, state))
        call_fail(call, ACCORD_E_ROLE_MISSING, "only the promoter accepts");
    else if (link_state_of(&state->row) != LINK_PROPOSED)
        call_fail(call, ACCORD_E_LINK_STATE, NULL);
    if (call->failed)
        return ACCORD_OK;
    state->row.accepted_at = call->tx->now;
    return move(call, &state->row);
}

static enum accord_error close_write(struct call *call)
{
    struct link_call *state = call->state;
    if (!find(call, state))
        return ACCORD_OK;
    if (link_state_of(&state->row) == LINK_CLOSED) {
        call_fail(call, ACCORD_E_LINK_STATE, NULL);
        return ACCORD_OK;
    }
    state->row.closed_at = call->tx->now;
    return move(call, &state->row);
}

/* ---- GET /v1/links ---- */

enum { LINK_PARTS = 2 };

struct links_call {
    struct link_ask asks[2];
    size_t ask_count;
    struct list_page page;
    int64_t version; /* of what the caller sees */
    bool not_modified;
    struct link_row *rows;
    size_t count;
    bool more;
};

/* Of everybody but the operator: the links of a channel that it is, and those that name it. */
static void list_prepare(struct call *call)
{
    struct links_call *state = call_alloc(call, sizeof *state);
    call->state = state;
    if (state == NULL || !call_page(call, LINK_PARTS, &state->page))
        return;
    const char *const own = call->caller.partner;
    const struct link_ask ask = {call_query(call, "channel"), call_query(call, "promoter")};
    if (call->caller.is_operator) {
        state->asks[state->ask_count++] = ask;
        return;
    }
    if (ask.channel == NULL || strcmp(ask.channel, own) == 0)
        state->asks[state->ask_count++] = (struct link_ask){own, ask.promoter};
    if (ask.promoter == NULL || strcmp(ask.promoter, own) == 0)
        state->asks[state->ask_count++] = (struct link_ask){ask.channel, own};
}

static void list_read(struct call *call)
{
    struct links_call *state = call->state;
    const bool on = state->page.has_cursor;
    state->version = call_partner_version(call);
    if (call->failed)
        return;
    state->not_modified = call_etag(call, state->version);
    if (state->not_modified ||
        call_check(call, store_links_list(call->db, call->arena, state->asks, state->ask_count,
                                          on ? state->page.parts[0].data : "",
                                          on ? state->page.parts[1].data : "",
                                          state->page.limit + 1, &state->rows, &state->count)))
        return;
    state->more = state->count > (size_t)state->page.limit;
    if (state->more)
        state->count--;
}

static void list_answer(struct call *call)
{
    const struct links_call *state = call->state;
    if (state->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key_str(&w, "as_of", call_as_of(call, state->version));
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < state->count; i++)
        write_link(&w, &state->rows[i]);
    jw_array_end(&w);
    struct slice place[LINK_PARTS] = {SLICE(""), SLICE("")};
    if (state->count > 0) {
        place[0] = slice_of(state->rows[state->count - 1].channel);
        place[1] = slice_of(state->rows[state->count - 1].code);
    }
    call_page_next(call, &w, place, LINK_PARTS, state->more);
    jw_object_end(&w);
}

const struct operation link_operations[] = {
    {.id = "listLinks",
     .method = "GET",
     .pattern = "/v1/links",
     .scope = SCOPE_AGREEMENTS_READ,
     .query = "promoter channel limit cursor",
     .prepare = list_prepare,
     .read = list_read,
     .answer = list_answer},
    {.id = "putLink",
     .method = "PUT",
     .pattern = "/v1/links/{code}",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .flags = OP_IF_MATCH,
     .body_max = BODY_MAX,
     .media = "application/json",
     .query = "channel",
     .prepare = put_prepare,
     .write = put_write,
     .answer = answer},
    {.id = "getLink",
     .method = "GET",
     .pattern = "/v1/links/{code}",
     .scope = SCOPE_AGREEMENTS_READ,
     .query = "channel",
     .prepare = prepare,
     .read = get_read,
     .answer = get_answer},
    {.id = "acceptLink",
     .method = "POST",
     .pattern = "/v1/links/{code}/accept",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .query = "channel",
     .prepare = prepare,
     .write = accept_write,
     .answer = answer},
    {.id = "closeLink",
     .method = "POST",
     .pattern = "/v1/links/{code}/close",
     .scope = SCOPE_AGREEMENTS_WRITE,
     .query = "channel",
     .prepare = prepare,
     .write = close_write,
     .answer = answer},
};
const size_t link_operation_count = sizeof link_operations / sizeof link_operations[0];
