#include "json/scan.h"

#include <stdio.h>

#include "base/utf8.h"

enum { DEPTH_LIMIT = 64 }; /* bits of the stack below; JSON_DEPTH_MAX is smaller */

static const char unfinished[] = "the text ends too early";

static bool fail(struct json_scanner *s, const char *reason)
{
    s->reason = s->at >= s->text.len ? unfinished : reason;
    return false;
}

/* The byte at `at`, or 0, which is no byte of a sound text outside strings. */
static char here(const struct json_scanner *s)
{
    return s->at < s->text.len ? s->text.data[s->at] : '\0';
}

struct slice json_without_bom(struct slice text)
{
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        return (struct slice){text.data + 3, text.len - 3};
    return text;
}

void json_scan_blanks(struct json_scanner *s)
{
    for (; s->at < s->text.len; s->at++) {
        const char c = s->text.data[s->at];
        if (c == '\n')
            s->line++;
        else if (c != ' ' && c != '\t' && c != '\r')
            return;
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool scan_escape(struct json_scanner *s)
{
    s->at++;
    switch (here(s)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        s->at++;
        return true;
    case 'u':
        s->at++;
        for (int i = 0; i < 4; i++, s->at++)
            if (hex_digit(here(s)) < 0)
                return fail(s, "\\u takes four hexadecimal digits");
        return true;
    default:
        return fail(s, "not an escape of JSON");
    }
}

bool json_scan_string(struct json_scanner *s, struct slice *ret)
{
    s->at++;
    const size_t begin = s->at;
    while (s->at < s->text.len) {
        const unsigned char c = (unsigned char)s->text.data[s->at];
        if (c == '"') {
            *ret = (struct slice){s->text.data + begin, s->at - begin};
            s->at++;
            return true;
        }
        if (c < 0x20)
            return fail(s, "a control character in a string must be escaped");
        if (c != '\\')
            s->at++;
        else if (!scan_escape(s))
            return false;
    }
    return fail(s, unfinished);
}

static size_t scan_digits(struct json_scanner *s)
{
    const size_t begin = s->at;
    while (here(s) >= '0' && here(s) <= '9')
        s->at++;
    return s->at - begin;
}

static bool beyond_int64(const char *digits, size_t count, bool negative)
{
    const char *edge = negative ? "9223372036854775808" : "9223372036854775807";
    return count > 19 || (count == 19 && memcmp(digits, edge, 19) > 0);
}

static bool scan_number(struct json_scanner *s)
{
    const size_t begin = s->at;
    const bool negative = here(s) == '-';
    if (negative)
        s->at++;
    const size_t count = scan_digits(s);
    if (count == 0)
        return fail(s, "not a value of JSON");
    const char *digits = s->text.data + s->at - count;
    if (count > 1 && digits[0] == '0')
        return fail(s, "a number begins with a zero");
    bool odd = beyond_int64(digits, count, negative);
    if (here(s) == '.') {
        odd = true;
        s->at++;
        if (scan_digits(s) == 0)
            return fail(s, "digits are due after the decimal point");
    }
    if (here(s) == 'e' || here(s) == 'E') {
        odd = true;
        s->at++;
        if (here(s) == '+' || here(s) == '-')
            s->at++;
        if (scan_digits(s) == 0)
            return fail(s, "digits are due in an exponent");
    }
    if (odd && s->numbers != NULL) {
        if (s->numbers->count < s->numbers->cap)
            s->numbers->items[s->numbers->count] =
                (struct slice){s->text.data + begin, s->at - begin};
        s->numbers->count++;
    }
    return true;
}

static bool scan_word(struct json_scanner *s, const char *word)
{
    for (; *word != '\0'; word++, s->at++)
        if (here(s) != *word)
            return fail(s, "not a value of JSON");
    return true;
}

static bool scan_scalar(struct json_scanner *s)
{
    struct slice raw;
    switch (here(s)) {
    case '"':
        return json_scan_string(s, &raw);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        return scan_number(s);
    }
}

/* A member's name, the colon, and the blanks up to the value. */
static bool scan_name(struct json_scanner *s, struct slice *ret)
{
    if (here(s) != '"')
        return fail(s, "a member's name in double quotes is due");
    if (!json_scan_string(s, ret))
        return false;
    json_scan_blanks(s);
    if (here(s) != ':')
        return fail(s, "a colon is due");
    s->at++;
    json_scan_blanks(s);
    return true;
}

/* Where the scan is inside arrays and objects, for whom it concerns. */
struct level {
    bool array;
    uint64_t index;    /* of the value begun last */
    struct slice name; /* raw */
};

/*
 * One loop over values: `stack` holds a bit for each open container (1: an object), the innermost
 * lowest. With `levels` (of `depth_max`) it keeps the way to the value and stops at the first that
 * begins at or behind `place`.
 */
static bool scan(struct json_scanner *s, unsigned depth_max, size_t place, struct level *levels,
                 unsigned *ret_depth)
{
    uint64_t stack = 0;
    unsigned depth = 0;
    struct slice name = {NULL, 0};
    for (;;) {
        if (levels != NULL && s->at >= place)
            break;
        const char c = here(s);
        if (c == '{' || c == '[') {
            if (depth == depth_max || depth == DEPTH_LIMIT)
                return fail(s, "too deeply nested");
            s->at++;
            json_scan_blanks(s);
            if (here(s) != (c == '{' ? '}' : ']')) {
                stack = stack << 1 | (c == '{');
                if (levels != NULL)
                    levels[depth] = (struct level){.array = c == '['};
                depth++;
                if (c == '{') {
                    if (levels != NULL && s->at >= place)
                        break;
                    if (!scan_name(s, &name))
                        return false;
                    if (levels != NULL)
                        levels[depth - 1].name = name;
                }
                continue;
            }
            s->at++;
        } else if (!scan_scalar(s)) {
            return false;
        }
        /* A value has ended: close what ends with it, or go on to the next one. */
        for (;;) {
            if (depth == 0 || (levels != NULL && s->at >= place)) {
                *ret_depth = depth;
                return true;
            }
            json_scan_blanks(s);
            const bool object = (stack & 1) != 0;
            if (here(s) == ',') {
                s->at++;
                json_scan_blanks(s);
                if (levels != NULL && s->at >= place) {
                    *ret_depth = depth;
                    return true;
                }
                if (object && !scan_name(s, &name))
                    return false;
                if (levels != NULL) {
                    levels[depth - 1].index++;
                    levels[depth - 1].name = name;
                }
                break;
            }
            if (here(s) != (object ? '}' : ']'))
                return fail(s, object ? "a comma or } is due" : "a comma or ] is due");
            s->at++;
            stack >>= 1;
            depth--;
        }
    }
    *ret_depth = depth;
    return true;
}

bool json_scan_value(struct json_scanner *s, unsigned depth_max)
{
    unsigned depth;
    return scan(s, depth_max, 0, NULL, &depth);
}

bool json_raw_text(struct slice raw, char *ret, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        int c = (unsigned char)raw.data[i];
        if (c == '\\') {
            /* Lone backslashes do not get past the scan; the bounds hold anyway. */
            if (++i >= raw.len)
                return false;
            static const char from[] = "\"\\/bfnrt";
            static const char to[] = "\"\\/\b\f\n\r\t";
            const char *known = strchr(from, raw.data[i]);
            if (raw.data[i] == 'u' && raw.len - i > 4) {
                c = 0;
                for (int place = 0; place < 4; place++) {
                    const int digit = hex_digit(raw.data[++i]);
                    if (digit < 0)
                        return false;
                    c = c * 16 + digit;
                }
                if (c == 0 || c > 0x7f)
                    return false;
            } else if (raw.data[i] != '\0' && known != NULL) {
                c = (unsigned char)to[known - from];
            } else {
                return false;
            }
        }
        if (len + 1 >= size)
            return false;
        ret[len++] = (char)c;
    }
    if (len >= size)
        return false;
    ret[len] = '\0';
    return true;
}

bool json_raw_equals(struct slice raw, const char *name)
{
    char text[128];
    return json_raw_text(raw, text, sizeof text) && strcmp(text, name) == 0;
}

size_t json_pointer_push(char *pointer, size_t size, size_t len, struct slice name)
{
    char piece[4];
    if (len + 1 >= size)
        return len;
    pointer[len++] = '/';
    while (name.len > 0) {
        struct slice next = name;
        uint32_t code;
        size_t take = utf8_next(&next, &code) ? name.len - next.len : 1;
        memcpy(piece, name.data, take);
        name.data += take;
        name.len -= take;
        if (take == 1 && (piece[0] == '~' || piece[0] == '/')) {
            piece[1] = piece[0] == '~' ? '0' : '1';
            piece[0] = '~';
            take = 2;
        } else if (take == 1 && (piece[0] & 0x80) != 0) {
            piece[0] = '?'; /* no UTF-8: a pointer must stay text */
        }
        if (len + take >= size)
            break;
        memcpy(pointer + len, piece, take);
        len += take;
    }
    pointer[len] = '\0';
    return len;
}

void json_scan_pointer(struct slice text, size_t place, char *ret, size_t size)
{
    struct level levels[DEPTH_LIMIT];
    unsigned depth = 0;
    struct json_scanner s = {.text = text, .line = 1};
    json_scan_blanks(&s);
    if (!scan(&s, DEPTH_LIMIT, place, levels, &depth))
        return;
    size_t len = strlen(ret);
    for (unsigned i = 0; i < depth; i++) {
        if (!levels[i].array && levels[i].name.data == NULL)
            return; /* the place lies before the first name of this object */
        char number[24];
        snprintf(number, sizeof number, "%llu", (unsigned long long)levels[i].index);
        char name[256];
        struct slice part = slice_of(number);
        if (!levels[i].array)
            part =
                json_raw_text(levels[i].name, name, sizeof name) ? slice_of(name) : levels[i].name;
        len = json_pointer_push(ret, size, len, part);
    }
}
