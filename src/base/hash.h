/** BLAKE2b-256 (libsodium), for content hashes, key hashes and keyed look-ups. Thread-safe. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { HASH_BYTES = 32, HASH_HEX_MAX = 65 };

struct hash {
    uint8_t bytes[HASH_BYTES];
};

struct hash hash_of(struct slice data);

/** A hash of what comes in pieces: begin, add, end. The same as hash_of() the whole. */
struct hash_stream {
    unsigned char state[384];
};
void hash_begin(struct hash_stream *stream);
void hash_add(struct hash_stream *stream, struct slice data);
struct hash hash_end(const struct hash_stream *stream);

/** Keyed; `key` holds 32 bytes. */
struct hash hash_keyed(const uint8_t key[32], struct slice data);
/** 64 keyed bits (SipHash-2-4), for tables in memory that outsiders' ids are put in. */
uint64_t hash_short(const uint8_t key[16], struct slice data);
bool hash_equal(const struct hash *a, const struct hash *b); /* constant time */
void hash_hex(const struct hash *hash, char text[HASH_HEX_MAX]);
/** Fills with random bytes from the system. */
void random_bytes(void *ret, size_t len);
/** A random opaque id: `prefix` and 26 characters [0-9a-z]; time-ordered in its first 10. */
enum { RANDOM_ID_MAX = 40 };
void random_id(const char *prefix, char text[RANDOM_ID_MAX]);

#endif
