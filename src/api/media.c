#include "api/media.h"

static struct slice trim(struct slice text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* Cuts what stands before `separator` off the front of `rest`; false when nothing is left. */
static bool next_part(struct slice *rest, char separator, struct slice *ret)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->data, separator, rest->len);
    const size_t len = end == NULL ? rest->len : (size_t)(end - rest->data);
    *ret = trim((struct slice){rest->data, len});
    const size_t used = end == NULL ? len : len + 1;
    rest->data += used;
    rest->len -= used;
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool equal_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

bool media_word_listed(const char *list, struct slice word)
{
    struct slice rest = slice_of(list);
    struct slice one;
    while (next_part(&rest, ' ', &one))
        if (one.len > 0 && slice_equal(one, word))
            return true;
    return false;
}

static bool charset_is_utf8(struct slice parameters)
{
    struct slice one;
    while (next_part(&parameters, ';', &one)) {
        if (one.len < 8 || !equal_nocase((struct slice){one.data, 8}, SLICE("charset=")))
            continue;
        struct slice charset = {one.data + 8, one.len - 8};
        if (charset.len >= 2 && charset.data[0] == '"') {
            charset.data++;
            charset.len -= 2;
        }
        if (!equal_nocase(charset, SLICE("utf-8")) && !equal_nocase(charset, SLICE("us-ascii")))
            return false;
    }
    return true;
}

bool media_of_body(const char *taken, struct slice header, struct slice *ret)
{
    struct slice media;
    struct slice rest = slice_of(taken);
    struct slice one;
    if (!next_part(&header, ';', &media) || !charset_is_utf8(header))
        return false;
    while (next_part(&rest, ' ', &one)) {
        if (one.len > 0 && equal_nocase(one, media)) {
            *ret = one;
            return true;
        }
    }
    return false;
}

/* The quality of a range's parameters in thousandths; 1000 without `q`. */
static unsigned quality(struct slice parameters)
{
    struct slice one;
    while (next_part(&parameters, ';', &one)) {
        if (one.len < 3 || lower(one.data[0]) != 'q' || one.data[1] != '=')
            continue;
        if (one.data[2] == '1')
            return 1000;
        unsigned value = 0;
        unsigned unit = 100;
        for (size_t i = 4; i < one.len && i < 7 && one.data[i] >= '0' && one.data[i] <= '9'; i++) {
            value += (unsigned)(one.data[i] - '0') * unit;
            unit /= 10;
        }
        return value;
    }
    return 1000;
}

/* How well `accept` takes `media`, in thousandths. */
static unsigned acceptance(struct slice accept, struct slice media)
{
    const char *slash = memchr(media.data, '/', media.len);
    const size_t type_len = slash == NULL ? media.len : (size_t)(slash - media.data) + 1;
    unsigned best = 0;
    unsigned best_rank = 0;
    struct slice range;
    while (next_part(&accept, ',', &range)) {
        struct slice name;
        unsigned rank = 0;
        if (!next_part(&range, ';', &name))
            continue;
        if (equal_nocase(name, media))
            rank = 3;
        else if (name.len == type_len + 1 && name.data[type_len] == '*' &&
                 equal_nocase((struct slice){name.data, type_len},
                              (struct slice){media.data, type_len}))
            rank = 2;
        else if (slice_equal(name, SLICE("*/*")))
            rank = 1;
        if (rank > best_rank) {
            best_rank = rank;
            best = quality(range);
        }
    }
    return best;
}

bool media_accepted(const char *offered, struct slice header, struct slice *ret)
{
    struct slice rest = slice_of(offered);
    struct slice media;
    struct slice chosen = {NULL, 0};
    unsigned best = 0;
    while (next_part(&rest, ' ', &media)) {
        const unsigned taken = header.data == NULL ? 1000 : acceptance(header, media);
        if (media.len > 0 && taken > best) {
            best = taken;
            chosen = media;
        }
    }
    if (chosen.data == NULL)
        return false;
    *ret = chosen;
    return true;
}
