#include "base/hash.h"

#include <sodium.h>

#include "base/clock.h"

struct hash hash_of(struct slice data)
{
    struct hash hash;
    crypto_generichash(hash.bytes, sizeof hash.bytes, (const unsigned char *)data.data, data.len,
                       NULL, 0);
    return hash;
}

/* libsodium wants its state aligned more strictly than what holds a stream may be. */
void hash_begin(struct hash_stream *stream)
{
    crypto_generichash_state state;
    _Static_assert(sizeof stream->state >= sizeof state, "room for the state");
    crypto_generichash_init(&state, NULL, 0, HASH_BYTES);
    memcpy(stream->state, &state, sizeof state);
}

void hash_add(struct hash_stream *stream, struct slice data)
{
    crypto_generichash_state state;
    memcpy(&state, stream->state, sizeof state);
    crypto_generichash_update(&state, (const unsigned char *)data.data, data.len);
    memcpy(stream->state, &state, sizeof state);
}

struct hash hash_end(const struct hash_stream *stream)
{
    crypto_generichash_state state;
    struct hash hash;
    memcpy(&state, stream->state, sizeof state);
    crypto_generichash_final(&state, hash.bytes, sizeof hash.bytes);
    return hash;
}

struct hash hash_keyed(const uint8_t key[32], struct slice data)
{
    struct hash hash;
    crypto_generichash(hash.bytes, sizeof hash.bytes, (const unsigned char *)data.data, data.len,
                       key, 32);
    return hash;
}

uint64_t hash_short(const uint8_t key[16], struct slice data)
{
    uint64_t hash;
    _Static_assert(crypto_shorthash_BYTES == sizeof hash, "64 bits");
    crypto_shorthash((unsigned char *)&hash, (const unsigned char *)data.data, data.len, key);
    return hash;
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
    return sodium_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void hash_hex(const struct hash *hash, char text[HASH_HEX_MAX])
{
    sodium_bin2hex(text, HASH_HEX_MAX, hash->bytes, sizeof hash->bytes);
}

void random_bytes(void *ret, size_t len)
{
    randombytes_buf(ret, len);
}

void random_id(const char *prefix, char text[RANDOM_ID_MAX])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    enum { TIME_DIGITS = 10, RANDOM_DIGITS = 16, PREFIX_MAX = 12 };
    size_t at = strnlen(prefix, PREFIX_MAX);
    memcpy(text, prefix, at);
    uint64_t millis = (uint64_t)(clock_now_us() / 1000);
    for (size_t i = TIME_DIGITS; i-- > 0; millis /= 36)
        text[at + i] = digits[millis % 36];
    at += TIME_DIGITS;
    /* One call for all of them; bytes from 252 on would favour the first digits. */
    uint8_t random[2 * RANDOM_DIGITS];
    size_t left = 0;
    for (size_t i = 0; i < RANDOM_DIGITS;) {
        if (left == 0) {
            randombytes_buf(random, sizeof random);
            left = sizeof random;
        }
        const uint8_t byte = random[--left];
        if (byte < 252) {
            text[at++] = digits[byte % 36];
            i++;
        }
    }
    text[at] = '\0';
}
