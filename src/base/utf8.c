#include "base/utf8.h"

bool utf8_next(struct slice *text, uint32_t *ret)
{
    if (text->len == 0)
        return false;
    const unsigned char *s = (const unsigned char *)text->data;
    size_t len;
    uint32_t code;
    uint32_t least; /* below it the form is overlong */
    if (s[0] < 0x80) {
        len = 1;
        code = s[0];
        least = 0;
    } else if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        len = 2;
        code = s[0] & 0x1fU;
        least = 0x80;
    } else if ((s[0] & 0xf0U) == 0xe0) {
        len = 3;
        code = s[0] & 0x0fU;
        least = 0x800;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        len = 4;
        code = s[0] & 0x07U;
        least = 0x10000;
    } else {
        return false;
    }
    if (text->len < len)
        return false;
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0U) != 0x80)
            return false;
        code = code << 6 | (s[i] & 0x3fU);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return false;
    text->data += len;
    text->len -= len;
    *ret = code;
    return true;
}

bool utf8_valid(struct slice text)
{
    uint32_t code;
    while (text.len > 0)
        if (!utf8_next(&text, &code))
            return false;
    return true;
}

size_t utf8_count(struct slice text)
{
    size_t count = 0;
    for (uint32_t code; text.len > 0; count++) {
        if (!utf8_next(&text, &code)) {
            text.data++;
            text.len--;
        }
    }
    return count;
}

struct slice utf8_prefix(struct slice text, size_t bytes_max)
{
    if (text.len <= bytes_max)
        return text;
    size_t len = bytes_max;
    /* Bytes 10xxxxxx continue a code point; at most three of them do. */
    for (int i = 0; i < 3 && len > 0 && ((unsigned char)text.data[len] & 0xc0U) == 0x80; i++)
        len--;
    return (struct slice){text.data, len};
}

bool utf8_is_id(struct slice text)
{
    for (uint32_t code; text.len > 0;)
        if (!utf8_next(&text, &code) || code < 0x20 || (code >= 0x7f && code < 0xa0))
            return false;
    return true;
}

bool utf8_is_text(struct slice text)
{
    for (uint32_t code; text.len > 0;)
        if (!utf8_next(&text, &code) || code == 0x7f ||
            (code < 0x20 && code != '\t' && code != '\n' && code != '\r'))
            return false;
    return true;
}
