#include "api/cursor.h"

enum { CURSOR_PARTS_LIMIT = 8, CURSOR_TEXT_MAX = 8192, BINDING_BYTES = 4 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *base64url(struct arena *arena, const uint8_t *bytes, size_t len)
{
    char *text = arena_alloc(arena, (len * 4 + 2) / 3 + 1);
    if (text == NULL)
        return NULL;
    char *out = text;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | bytes[i]) & 0xffff;
        held += 8;
        while (held >= 6) {
            held -= 6;
            *out++ = digits[bits >> held & 63];
        }
    }
    if (held > 0)
        *out++ = digits[bits << (6 - held) & 63];
    *out = '\0';
    return text;
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

/* Without padding; bits behind the last byte must be zero, so every text has one meaning. `ret`
 * holds at least text.len * 3 / 4 bytes. */
static bool from_base64url(struct slice text, uint8_t *ret, size_t *ret_len)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        const int value = digit_value(text.data[i]);
        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            ret[len++] = (uint8_t)(bits >> held);
        }
    }
    if (held >= 6 || (bits & ((1U << held) - 1)) != 0)
        return false;
    *ret_len = len;
    return true;
}

char *cursor_encode(struct arena *arena, uint32_t binding, const struct slice *parts, size_t count)
{
    size_t len = BINDING_BYTES;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > UINT16_MAX)
            return NULL;
        len += 2 + parts[i].len;
    }
    uint8_t *bytes = arena_alloc(arena, len);
    if (bytes == NULL)
        return NULL;
    uint8_t *out = bytes;
    for (unsigned shift = 32; shift > 0; shift -= 8)
        *out++ = (uint8_t)(binding >> (shift - 8));
    for (size_t i = 0; i < count; i++) {
        *out++ = (uint8_t)(parts[i].len >> 8);
        *out++ = (uint8_t)parts[i].len;
        if (parts[i].len > 0)
            memcpy(out, parts[i].data, parts[i].len);
        out += parts[i].len;
    }
    return base64url(arena, bytes, len);
}

bool cursor_decode(struct arena *arena, uint32_t binding, struct slice text, size_t count,
                   struct slice *ret_parts)
{
    if (count > CURSOR_PARTS_LIMIT || text.len > CURSOR_TEXT_MAX)
        return false;
    size_t len = 0;
    uint8_t *bytes = arena_alloc(arena, text.len + 1);
    if (bytes == NULL || !from_base64url(text, bytes, &len) || len < BINDING_BYTES)
        return false;
    uint32_t bound = 0;
    for (unsigned i = 0; i < BINDING_BYTES; i++)
        bound = bound << 8 | bytes[i];
    if (bound != binding)
        return false;

    struct slice parts[CURSOR_PARTS_LIMIT];
    size_t at = BINDING_BYTES;
    for (size_t i = 0; i < count; i++) {
        if (len - at < 2)
            return false;
        const size_t part_len = (size_t)bytes[at] << 8 | bytes[at + 1];
        at += 2;
        if (len - at < part_len)
            return false;
        const struct slice part = {(const char *)bytes + at, part_len};
        parts[i] = (struct slice){arena_strdup(arena, part), part_len};
        if (parts[i].data == NULL)
            return false;
        at += part_len;
    }
    if (at != len)
        return false;
    for (size_t i = 0; i < count; i++)
        ret_parts[i] = parts[i];
    return true;
}

enum { CHECK_BYTES = 2 };

char *cursor_of_version(struct arena *arena, uint32_t binding, int64_t version)
{
    uint8_t bytes[CHECK_BYTES + 8];
    size_t len = CHECK_BYTES;
    bytes[0] = (uint8_t)(binding >> 8);
    bytes[1] = (uint8_t)binding;
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        const uint8_t byte = (uint8_t)((uint64_t)version >> (shift - 8));
        if (byte != 0 || len > CHECK_BYTES || shift == 8)
            bytes[len++] = byte;
    }
    return base64url(arena, bytes, len);
}

bool cursor_to_version(uint32_t binding, struct slice text, int64_t *ret)
{
    uint8_t bytes[12];
    size_t len = 0;
    if (text.len > 14 || !from_base64url(text, bytes, &len) || len <= CHECK_BYTES)
        return false;
    const uint8_t *number = bytes + CHECK_BYTES;
    const size_t count = len - CHECK_BYTES;
    if (bytes[0] != (uint8_t)(binding >> 8) || bytes[1] != (uint8_t)binding)
        return false;
    /* No leading zeros, no sign: every version has one text. */
    if (count > 8 || (count > 1 && number[0] == 0) || (count == 8 && number[0] > 0x7f))
        return false;
    uint64_t version = 0;
    for (size_t i = 0; i < count; i++)
        version = version << 8 | number[i];
    *ret = (int64_t)version;
    return true;
}
