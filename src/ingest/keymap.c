#include "ingest/keymap.h"

#include <stdarg.h>
#include <string.h>

#include "base/hash.h"

void key_bytes(struct key *key, const void *bytes, size_t len)
{
    if (key->len + len > KEY_BYTES_MAX) {
        key->len = KEY_BYTES_MAX + 1;
        return;
    }
    memcpy(key->bytes + key->len, bytes, len);
    key->len += len;
}

void key_text(struct key *key, const char *text)
{
    key_bytes(key, text, strlen(text) + 1);
}

void key_number(struct key *key, int64_t number)
{
    key_bytes(key, &number, sizeof number);
}

struct key key_of(const char *first, ...)
{
    struct key key;
    key.len = 0;
    va_list texts;
    va_start(texts, first);
    for (const char *text = first; text != NULL; text = va_arg(texts, const char *))
        key_text(&key, text);
    va_end(texts);
    return key;
}

enum accord_error keymap_init(struct keymap *map, struct arena *arena, size_t expected)
{
    size_t cap = 16;
    while (cap < 2 * expected)
        cap *= 2;
    *map = (struct keymap){.arena = arena, .cap = cap};
    random_bytes(map->secret, sizeof map->secret);
    map->slots = arena_array(arena, cap, sizeof *map->slots);
    return map->slots == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
}

static struct keymap_slot *slot_of(const struct keymap *map, uint64_t hash, struct slice key)
{
    for (size_t i = (size_t)hash;; i++) {
        struct keymap_slot *slot = &map->slots[i & (map->cap - 1)];
        if (slot->key == NULL || (slot->hash == hash && slot->len == key.len &&
                                  memcmp(slot->key, key.data, key.len) == 0))
            return slot;
    }
}

static enum accord_error grow(struct keymap *map)
{
    struct keymap bigger = *map;
    bigger.cap = 2 * map->cap;
    bigger.slots = arena_array(map->arena, bigger.cap, sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < map->cap; i++) {
        const struct keymap_slot *slot = &map->slots[i];
        if (slot->key != NULL)
            *slot_of(&bigger, slot->hash, (struct slice){slot->key, slot->len}) = *slot;
    }
    *map = bigger;
    return ACCORD_OK;
}

enum accord_error keymap_at(struct keymap *map, const struct key *key, size_t fresh,
                            size_t **ret_value)
{
    if (key->len > KEY_BYTES_MAX)
        return ACCORD_E_INTERNAL;
    const struct slice text = {key->bytes, key->len};
    const uint64_t hash = hash_short(map->secret, text);
    struct keymap_slot *slot = slot_of(map, hash, text);
    if (slot->key == NULL) {
        if (4 * (map->count + 1) > 3 * map->cap) {
            const enum accord_error error = grow(map);
            if (error != ACCORD_OK)
                return error;
            slot = slot_of(map, hash, text);
        }
        char *copy = arena_alloc(map->arena, key->len + 1);
        if (copy == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        memcpy(copy, key->bytes, key->len);
        *slot = (struct keymap_slot){hash, copy, key->len, fresh};
        map->count++;
    }
    *ret_value = &slot->value;
    return ACCORD_OK;
}

size_t *keymap_find(const struct keymap *map, const struct key *key)
{
    if (key->len > KEY_BYTES_MAX)
        return NULL;
    const struct slice text = {key->bytes, key->len};
    struct keymap_slot *slot = slot_of(map, hash_short(map->secret, text), text);
    return slot->key == NULL ? NULL : &slot->value;
}
