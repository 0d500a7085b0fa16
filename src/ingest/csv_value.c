#include "ingest/csv_value.h"

#include <string.h>

#include "base/utf8.h"

/* Bytes of the blank at the front: ASCII, or the ideographic space. */
static size_t blank_front(struct slice s)
{
    if (s.len == 0)
        return 0;
    if (strchr(" \t\r\n", s.data[0]) != NULL && s.data[0] != '\0')
        return 1;
    return s.len >= 3 && memcmp(s.data, "\xe3\x80\x80", 3) == 0 ? 3 : 0;
}

static size_t blank_back(struct slice s)
{
    if (s.len == 0)
        return 0;
    const char last = s.data[s.len - 1];
    if (last != '\0' && strchr(" \t\r\n", last) != NULL)
        return 1;
    return s.len >= 3 && memcmp(s.data + s.len - 3, "\xe3\x80\x80", 3) == 0 ? 3 : 0;
}

struct slice csv_trim(struct slice cell)
{
    for (size_t n; (n = blank_front(cell)) != 0;)
        cell = (struct slice){cell.data + n, cell.len - n};
    for (size_t n; (n = blank_back(cell)) != 0;)
        cell.len -= n;
    return cell;
}

static bool is_control(uint32_t c, bool keep_lines)
{
    if (keep_lines && (c == '\t' || c == '\n' || c == '\r'))
        return false;
    return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

enum accord_error csv_clean(struct arena *arena, struct slice cell, bool keep_lines,
                            struct slice *ret)
{
    bool dirty = false;
    uint32_t c;
    for (struct slice rest = cell; rest.len != 0;) {
        if (!utf8_next(&rest, &c) || c == 0)
            return ACCORD_E_TEXT_INVALID;
        dirty |= is_control(c, keep_lines);
    }
    if (!dirty) {
        *ret = cell;
        return ACCORD_OK;
    }
    char *copy = arena_alloc(arena, cell.len + 1);
    if (copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t len = 0;
    for (struct slice rest = cell; rest.len != 0;) {
        const struct slice before = rest;
        if (!utf8_next(&rest, &c))
            return ACCORD_E_TEXT_INVALID;
        const size_t used = before.len - rest.len;
        if (is_control(c, keep_lines)) {
            copy[len++] = ' ';
        } else {
            memcpy(copy + len, before.data, used);
            len += used;
        }
    }
    *ret = (struct slice){copy, len};
    return ACCORD_OK;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool csv_same(struct slice a, const char *b)
{
    const size_t len = strlen(b);
    if (a.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(a.data[i]) != lower(b[i]))
            return false;
    return true;
}

bool csv_absent(struct slice cell)
{
    return cell.len == 0 || csv_same(cell, "-") || csv_same(cell, "n/a") || csv_same(cell, "na") ||
           csv_same(cell, "null") || csv_same(cell, "none");
}

bool csv_absent_number(struct slice cell)
{
    return csv_absent(cell) || csv_same(cell, "-1") || csv_same(cell, "-1.0");
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum { NUMBER_MAX = 32 };

/* Digits with an optional fraction, grouping commas taken out ("1,299.00" → "1299.00"). */
static bool plain_number(struct slice cell, char ret[NUMBER_MAX], size_t *ret_len)
{
    size_t len = 0;
    size_t group = 0; /* digits since the last comma */
    bool grouped = false;
    size_t i = 0;
    for (; i < cell.len && cell.data[i] != '.'; i++) {
        if (cell.data[i] == ',') {
            if (group == 0 || group > 3 || (grouped && group != 3))
                return false;
            grouped = true;
            group = 0;
            continue;
        }
        if (!is_digit(cell.data[i]) || len == NUMBER_MAX)
            return false;
        ret[len++] = cell.data[i];
        group++;
    }
    if (len == 0 || (grouped && group != 3))
        return false;
    if (i < cell.len) { /* the fraction */
        if (i + 1 == cell.len)
            return false;
        for (; i < cell.len; i++) {
            if (cell.data[i] != '.' && !is_digit(cell.data[i]))
                return false;
            if (cell.data[i] == '.' && memchr(ret, '.', len) != NULL)
                return false;
            if (len == NUMBER_MAX)
                return false;
            ret[len++] = cell.data[i];
        }
    }
    *ret_len = len;
    return true;
}

enum accord_error csv_integer(struct slice cell, int64_t max, int64_t *ret)
{
    char text[NUMBER_MAX];
    size_t len;
    if (!plain_number(cell, text, &len))
        return ACCORD_E_NUMBER_NOT_INTEGER;
    int64_t value = 0;
    size_t i = 0;
    for (; i < len && text[i] != '.'; i++) {
        const int64_t digit = text[i] - '0';
        if (value > (max - digit) / 10)
            return ACCORD_E_VALUE_OUT_OF_RANGE;
        value = value * 10 + digit;
    }
    for (i++; i < len; i++)
        if (text[i] != '0')
            return ACCORD_E_NUMBER_NOT_INTEGER;
    *ret = value;
    return ACCORD_OK;
}

enum accord_error csv_price(struct slice cell, struct accord_currency currency, int64_t *ret_minor)
{
    if (csv_same(cell, "free") || csv_same(cell, "\xe5\x85\x8d\xe8\xb4\xb9")) {
        *ret_minor = 0;
        return ACCORD_OK;
    }
    char text[NUMBER_MAX];
    size_t len;
    if (!plain_number(cell, text, &len))
        return ACCORD_E_AMOUNT_INVALID;
    if (currency.code[0] == '\0') {
        for (size_t i = 0; i < len; i++)
            if (text[i] != '0' && text[i] != '.')
                return ACCORD_E_FIELD_MISSING;
        *ret_minor = 0;
        return ACCORD_OK;
    }
    return accord_amount_parse(text, len, currency, ret_minor);
}

/* A plain number as units of 10^-12 of a whole: what is below is cut off. */
#define FRACTION_WHOLE INT64_C(1000000000000)

static bool split_number(const char *text, size_t len, int64_t whole_max, int64_t *ret_whole,
                         int64_t *ret_fraction)
{
    int64_t whole = 0;
    int64_t fraction = 0;
    int64_t unit = FRACTION_WHOLE;
    bool after_point = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.') {
            after_point = true;
            continue;
        }
        const int64_t digit = text[i] - '0';
        if (after_point) {
            unit /= 10;
            fraction += digit * unit;
        } else {
            if (whole > (whole_max - digit) / 10)
                return false;
            whole = whole * 10 + digit;
        }
    }
    *ret_whole = whole;
    *ret_fraction = fraction;
    return true;
}

/* cell * factor, half to even. */
static enum accord_error scaled(struct slice cell, int64_t factor, int64_t max, int64_t *ret)
{
    char text[NUMBER_MAX];
    size_t len;
    if (!plain_number(cell, text, &len))
        return ACCORD_E_DECIMAL_INVALID;
    int64_t whole;
    int64_t fraction;
    if (!split_number(text, len, max / factor, &whole, &fraction))
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    int64_t part;
    const enum accord_error e = accord_mul_div(fraction, factor, FRACTION_WHOLE, &part);
    if (e != ACCORD_OK)
        return e;
    if (whole * factor + part > max)
        return ACCORD_E_VALUE_OUT_OF_RANGE;
    *ret = whole * factor + part;
    return ACCORD_OK;
}

enum accord_error csv_hours(struct slice cell, int64_t minutes_max, int64_t *ret_minutes)
{
    return scaled(cell, 60, minutes_max, ret_minutes);
}

enum accord_error csv_milli(struct slice cell, int64_t max_milli, int64_t *ret_milli)
{
    return scaled(cell, 1000, max_milli, ret_milli);
}

enum accord_error csv_boolean(struct slice cell, bool *ret)
{
    static const char *const yes[] = {"true", "yes", "y", "1", "\xe6\x98\xaf"};
    static const char *const no[] = {"false", "no", "n", "0", "\xe5\x90\xa6"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (csv_same(cell, yes[i])) {
            *ret = true;
            return ACCORD_OK;
        }
        if (csv_same(cell, no[i])) {
            *ret = false;
            return ACCORD_OK;
        }
    }
    return ACCORD_E_VALUE_UNKNOWN;
}

enum accord_error csv_time(struct slice cell, instant_us *ret)
{
    if (cell.len != 10)
        return clock_parse(cell, ret);
    char text[21];
    memcpy(text, cell.data, 10);
    memcpy(text + 10, "T00:00:00Z", 11);
    return clock_parse((struct slice){text, 20}, ret);
}

/* Bytes of the list separator at the front; the full-width semicolon has three. */
static size_t separator(struct slice s)
{
    if (s.data[0] == ';' || s.data[0] == '|')
        return 1;
    return s.len >= 3 && memcmp(s.data, "\xef\xbc\x9b", 3) == 0 ? 3 : 0;
}

bool csv_list_next(struct slice *rest, struct slice *ret_element)
{
    while (rest->len != 0) {
        size_t end = 0;
        size_t skip = 0;
        for (; end < rest->len; end++) {
            skip = separator((struct slice){rest->data + end, rest->len - end});
            if (skip != 0)
                break;
        }
        const struct slice element = csv_trim((struct slice){rest->data, end});
        const size_t used = end + skip;
        *rest = (struct slice){rest->data + used, rest->len - used};
        if (element.len != 0) {
            *ret_element = element;
            return true;
        }
    }
    return false;
}
