/* Which version of which agreement covers a sale, and what it beat. */
#include "api/agreements.h"
#include "api/etag.h"
#include "ingest/agreement.h"

struct ranked {
    const struct accord_agreement_version *terms;
    enum accord_rank rank;
};

struct resolving {
    struct accord_sale_key sale;
    struct ranked winner;
    struct ranked *losers; /* those that the caller sees */
    size_t loser_count;
    int64_t hidden;
    bool not_modified;
};

static void prepare(struct call *call)
{
    struct resolving *resolving = call_alloc(call, sizeof *resolving);
    call->state = resolving;
    if (resolving == NULL)
        return;
    const char *at = call_query(call, "at");
    resolving->sale = (struct accord_sale_key){.provider = call_query(call, "provider"),
                                               .channel = call_query(call, "channel"),
                                               .course_id = call_query(call, "course_id"),
                                               .occurred_at_us = clock_now_us()};
    if (resolving->sale.provider == NULL || resolving->sale.channel == NULL ||
        resolving->sale.course_id == NULL)
        call_fail(call, ACCORD_E_QUERY_INVALID, "provider, course_id and channel are needed");
    else if (at != NULL && clock_parse(slice_of(at), &resolving->sale.occurred_at_us) != ACCORD_OK)
        call_fail(call, ACCORD_E_QUERY_INVALID, "at: an RFC 3339 time with an offset is needed");
}

static bool sees(const struct call *call, const struct accord_agreement_version *terms)
{
    for (uint32_t i = 0; i < terms->party_count; i++)
        if (strcmp(terms->parties[i], call->caller.partner) == 0)
            return true;
    return call->caller.is_operator;
}

static enum accord_error resolve(struct call *call, struct resolving *resolving)
{
    struct agreement_version *versions;
    size_t count;
    /* Whatever covers a sale has its channel as a party, and ends where a later version begins that
     * has not. */
    const enum accord_error error =
        agreement_load_settling(call->db, call->arena, resolving->sale.channel, &versions, &count);
    if (error != ACCORD_OK)
        return error;
    const struct accord_agreement_version **terms =
        arena_array(call->arena, count + 1, sizeof *terms);
    resolving->losers = arena_array(call->arena, count + 1, sizeof *resolving->losers);
    if (terms == NULL || resolving->losers == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        terms[i] = &versions[i].terms;
    const struct accord_sale_key *sale = &resolving->sale;
    struct ranked *winner = &resolving->winner;
    const size_t won = accord_agreement_resolve(terms, count, sale, &winner->rank);
    if (won == SIZE_MAX || !sees(call, terms[won])) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return ACCORD_OK;
    }
    winner->terms = terms[won];
    for (size_t i = 0; i < count; i++) {
        const enum accord_rank rank = accord_agreement_rank(terms[i], sale);
        if (i == won || rank == ACCORD_RANK_NONE ||
            !accord_agreement_in_force(terms, count, i, sale->occurred_at_us))
            continue;
        if (sees(call, terms[i]))
            resolving->losers[resolving->loser_count++] = (struct ranked){terms[i], rank};
        else
            resolving->hidden++;
    }
    return ACCORD_OK;
}

static void add_to_tag(struct buf *text, const struct ranked *ranked)
{
    buf_printf(text, "%s %lld %s\n", ranked->terms->agreement, (long long)ranked->terms->version,
               accord_rank_name(ranked->rank));
}

/* The answer changes by itself as time passes, and with agreements that the caller does not see:
 * its tag is that of what it says. */
static enum accord_error tag_of(const struct resolving *resolving, int64_t *ret)
{
    struct buf text;
    buf_init(&text, (size_t)16 << 20);
    add_to_tag(&text, &resolving->winner);
    for (size_t i = 0; i < resolving->loser_count; i++)
        add_to_tag(&text, &resolving->losers[i]);
    buf_printf(&text, "%lld", (long long)resolving->hidden);
    const enum accord_error error = buf_error(&text);
    if (error == ACCORD_OK)
        *ret = etag_of_bytes(buf_slice(&text));
    buf_done(&text);
    return error;
}

static void read(struct call *call)
{
    struct resolving *resolving = call->state;
    int64_t tag = 0;
    if (!call_check(call, resolve(call, resolving)) && !call->failed &&
        !call_check(call, tag_of(resolving, &tag)))
        resolving->not_modified = call_etag(call, tag);
}

static void write_ranked(struct json_writer *w, const struct ranked *ranked)
{
    jw_object(w);
    jw_key_str(w, "agreement", ranked->terms->agreement);
    jw_key_int(w, "version", ranked->terms->version);
    jw_key_str(w, "rank", accord_rank_name(ranked->rank));
    jw_object_end(w);
}

static void answer(struct call *call)
{
    const struct resolving *resolving = call->state;
    if (resolving->not_modified)
        return;
    struct json_writer w = call_json(call, 200);
    jw_object(&w);
    jw_key(&w, "winner");
    write_ranked(&w, &resolving->winner);
    jw_key(&w, "losers");
    jw_array(&w);
    for (size_t i = 0; i < resolving->loser_count; i++)
        write_ranked(&w, &resolving->losers[i]);
    jw_array_end(&w);
    jw_key_int(&w, "hidden_losers", resolving->hidden);
    jw_object_end(&w);
}

const struct operation agreement_resolve_operations[] = {
    {.id = "resolveAgreement",
     .method = "GET",
     .pattern = "/v1/agreements/resolve",
     .scope = SCOPE_AGREEMENTS_READ,
     .run = RUN_JOB,
     .query = "provider course_id channel at",
     .prepare = prepare,
     .read = read,
     .answer = answer},
};
const size_t agreement_resolve_operation_count =
    sizeof agreement_resolve_operations / sizeof agreement_resolve_operations[0];
