#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 8192 };

struct block {
    struct block *next;
    size_t used;
    size_t size;
    max_align_t data[];
};

struct arena {
    struct block *blocks; /* the one in use first */
    size_t total;
    size_t max;
};

struct arena *arena_new(size_t bytes_max)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena != NULL)
        arena->max = bytes_max;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    for (struct block *block = arena->blocks; block != NULL;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    free(arena);
}

void arena_reset(struct arena *arena)
{
    struct block *keep = arena->blocks;
    if (keep == NULL)
        return;
    /* The first block made is the last of the list. */
    while (keep->next != NULL) {
        struct block *next = keep->next;
        free(keep);
        keep = next;
    }
    keep->used = 0;
    arena->blocks = keep;
    arena->total = keep->size;
}

static struct block *add_block(struct arena *arena, size_t bytes)
{
    const size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    if (size > arena->max - arena->total)
        return NULL;
    struct block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->used = 0;
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->total += size;
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    const size_t align = _Alignof(max_align_t);
    if (bytes > arena->max || bytes > SIZE_MAX - align)
        return NULL;
    const size_t need = (bytes == 0 ? align : bytes + align - 1) / align * align;
    struct block *block = arena->blocks;
    if (block == NULL || block->size - block->used < need) {
        block = add_block(arena, need);
        if (block == NULL)
            return NULL;
    }
    void *memory = (char *)block->data + block->used;
    block->used += need;
    return memset(memory, 0, need);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return arena_alloc(arena, bytes);
}

void *arena_room(struct arena *arena, void *items, size_t count, size_t *cap, size_t size)
{
    enum { FIRST = 8 };
    if (count < *cap)
        return items;
    const size_t more = *cap == 0 ? FIRST : 2 * *cap;
    void *room = arena_array(arena, more, size);
    if (room == NULL)
        return NULL;
    if (count > 0)
        memcpy(room, items, count * size);
    *cap = more;
    return room;
}

char *arena_strdup(struct arena *arena, struct slice text)
{
    if (text.len == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(arena, text.len + 1);
    if (copy != NULL && text.len > 0)
        memcpy(copy, text.data, text.len);
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;
    char *text = arena_alloc(arena, (size_t)len + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}
