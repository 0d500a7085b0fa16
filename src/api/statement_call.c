#include "api/statement_call.h"

#include <string.h>

#include "api/reply.h"
#include "api/settlement_call.h"

bool statement_visible(struct call *call, const char *id, instant_us now,
                       struct statement_summary *ret)
{
    struct statement_summary statement;
    bool found = false;
    if (strlen(id) <= STATEMENT_PATH_MAX &&
        call_check(call,
                   store_statement_summary(call->db, call->arena, id, now, &found, &statement)))
        return false;
    if (!found || !settlement_owns(call, statement.partner)) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return false;
    }
    *ret = statement;
    return true;
}

bool statement_own(struct call *call, const struct statement_summary *statement)
{
    if (strcmp(statement->partner, call->caller.partner) == 0)
        return true;
    call_fail(call, ACCORD_E_ROLE_MISSING, "only the partner whose statement it is");
    return false;
}

void statement_write_summary(struct call *call, struct json_writer *w,
                             const struct statement_summary *statement)
{
    const struct accord_currency currency = settlement_currency(statement->currency);
    char hash[HASH_HEX_MAX];
    hash_hex(&statement->hash, hash);
    jw_key_str(w, "id", statement->id);
    jw_key_str(w, "partner", statement->partner);
    jw_key_str(w, "agreement", statement->agreement);
    jw_key_str(w, "period", statement->label);
    jw_key_str(w, "state", statement->state);
    jw_key_money(w, "opening", statement->opening, currency);
    jw_key_money(w, "earned", statement->earned, currency);
    jw_key_money(w, "closing", statement->closing, currency);
    jw_key_money(w, "due", statement->due, currency);
    jw_key_money(w, "payable", statement->payable, currency);
    jw_key_str(w, "hash", hash);
    jw_key_time(w, "published_at", statement->published_at);
    jw_key_time(w, "dispute_until", statement->dispute_until);
    jw_key(w, "links");
    jw_object(w);
    settlement_link(call, w, "self", "/v1/statements/%s", statement->id);
    settlement_link(call, w, "lines", "/v1/statements/%s/lines", statement->id);
    settlement_link(call, w, "disputes", "/v1/statements/%s/disputes", statement->id);
    jw_object_end(w);
}

bool statement_etag(struct call *call, const struct hash *hash, const char *suffix)
{
    char hex[HASH_HEX_MAX];
    hash_hex(hash, hex);
    const char *etag = arena_printf(call->arena, "\"%s%s\"", hex, suffix);
    if (etag == NULL) {
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
        return false;
    }
    call_header(call, "ETag", etag);
    call_header(call, "Cache-Control", "private, no-cache");
    const struct slice wanted = http_header(call->http, "If-None-Match");
    if (wanted.data == NULL || !api_reply_etag_listed(wanted, etag))
        return false;
    call_empty(call, 304);
    return true;
}
