#include "api/idempotency.h"

#include "api/reply.h"
#include "store/idempotency.h"

enum { KEY_MAX = 255 };

void idempotency_read_key(struct flight *flight)
{
    struct call *call = &flight->call;
    if ((call->operation->flags & OP_IDEMPOTENCY_KEY) == 0)
        return;
    const struct slice key = http_header(call->http, "Idempotency-Key");
    if (key.data == NULL)
        return;
    bool good = key.len >= 1 && key.len <= KEY_MAX;
    for (size_t i = 0; good && i < key.len; i++)
        good = key.data[i] > ' ' && key.data[i] < 0x7f;
    if (!good) {
        call_fail(call, ACCORD_E_HEADER_INVALID,
                  "Idempotency-Key takes 1 to %d printable ASCII characters", KEY_MAX);
        return;
    }
    flight->idempotency_key = arena_strdup(call->arena, key);
    if (flight->idempotency_key == NULL)
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
}

void idempotency_hash(struct flight *flight)
{
    const struct http_request *request = &flight->call.http->request;
    /* Method and target hold no blank, so the parts cannot run into one another. */
    struct hash body = hash_of(request->body);
    struct buf head;
    buf_init(&head, (size_t)64 << 10);
    buf_add_slice(&head, request->method);
    buf_add_char(&head, ' ');
    buf_add_slice(&head, request->target);
    flight->request_hash = hash_keyed(body.bytes, buf_slice(&head));
    buf_done(&head);
}

/* Headers are kept as "Name: value" lines. */
static enum accord_error load_headers(struct flight *flight, struct slice lines)
{
    struct arena *arena = flight->call.arena;
    size_t at = 0;
    while (at < lines.len) {
        const char *line = lines.data + at;
        const char *end = memchr(line, '\n', lines.len - at);
        const size_t len = end == NULL ? lines.len - at : (size_t)(end - line);
        const char *colon = memchr(line, ':', len);
        if (colon == NULL || len < (size_t)(colon - line) + 2)
            return ACCORD_E_DATABASE_ERROR;
        const struct slice name = {line, (size_t)(colon - line)};
        const struct slice value = {colon + 2, len - name.len - 2};
        const char *name_text = arena_strdup(arena, name);
        const char *value_text = arena_strdup(arena, value);
        if (name_text == NULL || value_text == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (!api_reply_header(flight->call.reply, name_text, value_text))
            return ACCORD_E_DATABASE_ERROR;
        at += len + 1;
    }
    return ACCORD_OK;
}

enum accord_error idempotency_replay(struct flight *flight, struct db *db)
{
    struct call *call = &flight->call;
    struct idempotency_row row;
    bool found = false;
    if (flight->idempotency_key == NULL)
        return ACCORD_OK;
    enum accord_error error = store_idempotency_find(db, call->arena, call->caller.partner,
                                                     flight->idempotency_key, &row, &found);
    if (error != ACCORD_OK || !found)
        return error;
    flight->done = true;
    if (!hash_equal(&row.request_hash, &flight->request_hash)) {
        call_fail(call, ACCORD_E_IDEMPOTENCY_MISMATCH, NULL);
        return ACCORD_OK;
    }
    if ((call->operation->flags & OP_ANSWER_ONCE) != 0 && row.status < 300) {
        call_fail(call, ACCORD_E_SECRET_ALREADY_SHOWN, NULL);
        return ACCORD_OK;
    }
    api_reply_reset(call->reply);
    call->reply->status = row.status;
    call->reply->content_type = row.content_type.len == 0 ? NULL : row.content_type.data;
    buf_init(&call->reply->body, row.body.len + 1);
    buf_add_slice(&call->reply->body, row.body);
    error = load_headers(flight, row.headers);
    if (error != ACCORD_OK)
        return error;
    call_header(call, "Idempotency-Replayed", "true");
    flight->finished = true;
    return buf_error(&call->reply->body);
}

enum accord_error idempotency_keep(struct flight *flight, struct db *db, instant_us now)
{
    const struct call *call = &flight->call;
    const struct http_reply *reply = call->reply;
    if (flight->idempotency_key == NULL || reply->status >= 500 || reply->status == 429)
        return ACCORD_OK;
    struct buf headers;
    buf_init(&headers, (size_t)64 << 10);
    for (size_t i = 0; i < reply->header_count; i++) {
        buf_add_slice(&headers, reply->headers[i].name);
        buf_add_str(&headers, ": ");
        buf_add_slice(&headers, reply->headers[i].value);
        buf_add_char(&headers, '\n');
    }
    const bool secret = (call->operation->flags & OP_ANSWER_ONCE) != 0 && reply->status < 300;
    const struct idempotency_row row = {
        .partner = call->caller.partner,
        .key = flight->idempotency_key,
        .request_hash = flight->request_hash,
        .status = reply->status,
        .content_type = slice_of(reply->content_type),
        .headers = secret ? SLICE("") : buf_slice(&headers),
        .body = secret ? SLICE("") : buf_slice(&reply->body),
        .created_at = now,
    };
    bool added = true;
    enum accord_error error = buf_error(&headers);
    if (error == ACCORD_OK)
        error = flight->claimed ? store_idempotency_replace(db, &row)
                                : store_idempotency_insert(db, &row, &added);
    buf_done(&headers);
    /* Looked up in this transaction before: a row can only be there when an operation keeps twice.
     */
    if (error == ACCORD_OK && !added)
        error = ACCORD_E_INTERNAL;
    return error;
}

enum accord_error call_remember(struct call *call, struct ingest_tx *tx)
{
    struct flight *flight = flight_of(call);
    enum accord_error error = ACCORD_OK;
    /* Two requests with one key may have been at work beside each other: the first answer stands.
     */
    if (!flight->claimed)
        error = idempotency_replay(flight, tx->db);
    if (error != ACCORD_OK || flight->done)
        return error;
    flight_finish(flight);
    error = idempotency_keep(flight, tx->db, tx->now);
    if (error == ACCORD_OK)
        flight->claimed = flight->idempotency_key != NULL;
    return error;
}

void call_reply_anew(struct call *call)
{
    api_reply_reset(call->reply);
    call->failed = false;
    flight_of(call)->finished = false;
}

bool call_has_key(struct call *call)
{
    return flight_of(call)->idempotency_key != NULL;
}

enum accord_error call_claim(struct call *call, struct ingest_tx *tx, bool *ret_new)
{
    struct flight *flight = flight_of(call);
    call_reply_anew(call);
    flight->claimed = false; /* a roll-back has taken it back */
    flight->done = false;
    const enum accord_error error = idempotency_replay(flight, tx->db);
    if (error == ACCORD_OK)
        *ret_new = !flight->done;
    return error;
}

enum accord_error call_forget(struct call *call, struct ingest_tx *tx)
{
    const struct flight *flight = flight_of(call);
    return flight->claimed
               ? store_idempotency_forget(tx->db, call->caller.partner, flight->idempotency_key)
               : ACCORD_OK;
}
