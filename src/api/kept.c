#include "api/kept.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { SLOTS = 4096, KEY_SLOTS = 256, ANSWER_PARTS = 8, GZIP_MIN = 1024, KEY_BYTES_MAX = 16 << 10 };

struct kept_answer {
    _Atomic unsigned references;
    struct hash asked;
    int64_t data_version;
    instant_us until;
    bool whole;
    const char *etag;
    const char *content_type; /* static */
    struct http_pair headers[sizeof((struct http_reply *)0)->headers / sizeof(struct http_pair)];
    size_t header_count;
    struct slice body;
    bool gzip_tried;
    struct buf gzip;
    size_t bytes; /* that it is counted as */
    char texts[]; /* that the above point to */
};

struct kept_key {
    const struct book *book; /* NULL: an empty slot */
    struct hash secret;
    int64_t data_version;
    struct key_owner owner;
    struct arena *arena;
};

struct kept {
    size_t bytes_max;
    size_t bytes;
    size_t hand; /* where the next answer is dropped when room is needed */
    struct kept_answer *slots[SLOTS];
    struct kept_key keys[KEY_SLOTS];
};

enum accord_error kept_new(size_t bytes_max, struct kept **ret)
{
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    kept->bytes_max = bytes_max;
    *ret = kept;
    return ACCORD_OK;
}

void kept_free(struct kept *kept)
{
    if (kept == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        kept_release(kept->slots[i]);
    for (size_t i = 0; i < KEY_SLOTS; i++)
        arena_free(kept->keys[i].arena);
    free(kept);
}

/* Hashes are of secret or hashed texts: their bytes are as good as random. */
static size_t slot_of(const struct hash *hash, size_t slots)
{
    uint32_t number;
    memcpy(&number, hash->bytes, sizeof number);
    return number % slots;
}

/* ---- answers ---- */

void kept_release(struct kept_answer *answer)
{
    if (answer == NULL || atomic_fetch_sub(&answer->references, 1) != 1)
        return;
    buf_done(&answer->gzip);
    free(answer);
}

static void drop(struct kept *kept, size_t slot)
{
    if (kept->slots[slot] == NULL)
        return;
    kept->bytes -= kept->slots[slot]->bytes;
    kept_release(kept->slots[slot]);
    kept->slots[slot] = NULL;
}

struct kept_answer *kept_find(struct kept *kept, const struct hash *asked)
{
    struct kept_answer *answer = kept->slots[slot_of(asked, SLOTS)];
    if (answer == NULL || memcmp(&answer->asked, asked, sizeof *asked) != 0)
        return NULL;
    atomic_fetch_add(&answer->references, 1);
    return answer;
}

static size_t texts_of(const struct http_reply *reply)
{
    size_t bytes = reply->body.len;
    for (size_t i = 0; i < reply->header_count; i++)
        bytes += reply->headers[i].value.len + 1;
    return bytes;
}

static struct kept_answer *copy_of(const struct http_reply *reply)
{
    const size_t bytes = sizeof(struct kept_answer) + texts_of(reply);
    struct kept_answer *answer = malloc(bytes);
    if (answer == NULL)
        return NULL;
    char *at = answer->texts;
    *answer = (struct kept_answer){.whole = reply->status == 200,
                                   .content_type = reply->content_type,
                                   .header_count = reply->header_count,
                                   .bytes = bytes + reply->body.len}; /* gzipped, too */
    atomic_init(&answer->references, 1);
    for (size_t i = 0; i < reply->header_count; i++) {
        const struct slice value = reply->headers[i].value;
        memcpy(at, value.data, value.len);
        at[value.len] = '\0';
        answer->headers[i] = (struct http_pair){reply->headers[i].name, {at, value.len}};
        if (slice_equal(reply->headers[i].name, SLICE("ETag")))
            answer->etag = at;
        at += value.len + 1;
    }
    if (reply->body.len > 0)
        memcpy(at, reply->body.data, reply->body.len);
    answer->body = (struct slice){at, reply->body.len};
    return answer;
}

void kept_put(struct kept *kept, const struct hash *asked, const struct http_reply *reply,
              int64_t data_version, instant_us until)
{
    const size_t slot = slot_of(asked, SLOTS);
    if (reply->body.len > kept->bytes_max / ANSWER_PARTS)
        return;
    struct kept_answer *answer = copy_of(reply);
    if (answer == NULL || answer->etag == NULL) {
        free(answer);
        return;
    }
    answer->asked = *asked;
    answer->data_version = data_version;
    answer->until = until;
    drop(kept, slot);
    for (size_t i = 0; i < SLOTS && kept->bytes + answer->bytes > kept->bytes_max; i++) {
        drop(kept, kept->hand);
        kept->hand = (kept->hand + 1) % SLOTS;
    }
    kept->slots[slot] = answer;
    kept->bytes += answer->bytes;
}

void kept_renew(struct kept_answer *answer, int64_t data_version, instant_us until)
{
    answer->data_version = data_version;
    answer->until = until;
}

bool kept_holds(const struct kept_answer *answer, int64_t data_version, instant_us now)
{
    return data_version != 0 && answer->data_version == data_version && now < answer->until;
}

const char *kept_etag(const struct kept_answer *answer)
{
    return answer->etag;
}

bool kept_is_whole(const struct kept_answer *answer)
{
    return answer->whole;
}

bool kept_send(const struct kept_answer *answer, struct http_reply *reply)
{
    buf_done(&reply->body);
    buf_init(&reply->body, answer->body.len + 1);
    buf_add_slice(&reply->body, answer->body);
    reply->status = 200;
    reply->content_type = answer->content_type;
    memcpy(reply->headers, answer->headers, sizeof reply->headers);
    reply->header_count = answer->header_count;
    return buf_error(&reply->body) == ACCORD_OK;
}

bool kept_send_coded(struct kept_answer *answer, struct http_exchange *exchange)
{
    if (!kept_send(answer, &exchange->reply))
        return false;
    if (answer->body.len < GZIP_MIN || !http_takes_gzip(exchange))
        return true;
    if (!answer->gzip_tried) {
        answer->gzip_tried = true;
        buf_init(&answer->gzip, answer->body.len);
        if (!http_gzip(exchange, answer->body, &answer->gzip))
            buf_done(&answer->gzip);
    }
    exchange->reply.gzipped = buf_slice(&answer->gzip);
    return true;
}

/* ---- keys ---- */

const struct key_owner *kept_key_find(const struct kept *kept, const struct book *book,
                                      const struct hash *secret, int64_t data_version)
{
    const struct kept_key *key = &kept->keys[slot_of(secret, KEY_SLOTS)];
    return data_version != 0 && key->book == book && key->data_version == data_version &&
                   hash_equal(&key->secret, secret)
               ? &key->owner
               : NULL;
}

void kept_key_put(struct kept *kept, const struct book *book, const struct hash *secret,
                  int64_t data_version, const struct key_owner *owner)
{
    struct kept_key *key = &kept->keys[slot_of(secret, KEY_SLOTS)];
    key->book = NULL;
    if (key->arena == NULL)
        key->arena = arena_new(KEY_BYTES_MAX);
    if (key->arena == NULL || data_version == 0)
        return;
    arena_reset(key->arena);
    key->owner = *owner;
    key->owner.key.id = arena_strdup(key->arena, slice_of(owner->key.id));
    key->owner.key.partner = arena_strdup(key->arena, slice_of(owner->key.partner));
    key->owner.key.label = "";
    key->owner.partner_name = arena_strdup(key->arena, slice_of(owner->partner_name));
    if (key->owner.key.id == NULL || key->owner.key.partner == NULL ||
        key->owner.partner_name == NULL)
        return;
    key->secret = *secret;
    key->data_version = data_version;
    key->book = book;
}
