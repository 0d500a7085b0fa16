#include "http/target.h"

#include "base/utf8.h"

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

/* A byte that may stand undecoded in a target. */
static bool may_stand(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && c != '#' && c != '\\';
}

struct rules {
    bool plus_is_blank;
    bool is_segment; /* no '/', no control character may come out of an escape */
};

/* Decodes one component; *ret borrows from `raw` when there is nothing to decode. */
static enum accord_error decode(struct slice raw, struct rules rules, struct arena *arena,
                                enum accord_error refusal, struct slice *ret)
{
    bool escaped = false;
    for (size_t i = 0; i < raw.len; i++) {
        if (!may_stand(raw.data[i]))
            return refusal;
        escaped = escaped || raw.data[i] == '%' || (rules.plus_is_blank && raw.data[i] == '+');
    }
    if (!escaped) {
        *ret = raw;
        return utf8_valid(raw) ? ACCORD_OK : refusal;
    }
    char *text = arena_alloc(arena, raw.len + 1);
    if (text == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];
        if (c == '+' && rules.plus_is_blank) {
            c = ' ';
        } else if (c == '%') {
            const int high = i + 2 < raw.len ? hex_digit(raw.data[i + 1]) : -1;
            const int low = i + 2 < raw.len ? hex_digit(raw.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return refusal;
            c = (char)(high * 16 + low);
            i += 2;
            if (c == '\0')
                return refusal;
            if (rules.is_segment && (c == '/' || (unsigned char)c < ' ' || c == 0x7f))
                return refusal;
        }
        text[len++] = c;
    }
    *ret = (struct slice){text, len};
    return utf8_valid(*ret) ? ACCORD_OK : refusal;
}

/* Takes what stands before the next `stop` off the front, and the stop itself. */
static struct slice take_until(struct slice *rest, char stop)
{
    const char *found = rest->len == 0 ? NULL : memchr(rest->data, stop, rest->len);
    const size_t len = found == NULL ? rest->len : (size_t)(found - rest->data);
    const struct slice taken = {rest->data, len};
    const size_t skip = found == NULL ? len : len + 1;
    rest->data += skip;
    rest->len -= skip;
    return taken;
}

static enum accord_error parse_path(struct slice path, struct http_request *request,
                                    struct arena *arena)
{
    static const struct rules rules = {.is_segment = true};
    if (path.len == 0 || path.data[0] != '/')
        return ACCORD_E_TARGET_INVALID;
    request->segment_count = 0;
    if (path.len == 1)
        return ACCORD_OK;
    if (path.data[path.len - 1] == '/')
        return ACCORD_E_TARGET_INVALID;
    struct slice rest = {path.data + 1, path.len - 1};
    while (rest.len > 0) {
        if (request->segment_count == HTTP_SEGMENTS_MAX)
            return ACCORD_E_TARGET_INVALID;
        struct slice *segment = &request->segments[request->segment_count];
        const enum accord_error error =
            decode(take_until(&rest, '/'), rules, arena, ACCORD_E_TARGET_INVALID, segment);
        if (error != ACCORD_OK)
            return error;
        if (segment->len == 0 || slice_equal(*segment, SLICE(".")) ||
            slice_equal(*segment, SLICE("..")))
            return ACCORD_E_TARGET_INVALID;
        request->segment_count++;
    }
    return ACCORD_OK;
}

static enum accord_error parse_query(struct slice query, struct http_request *request,
                                     struct arena *arena)
{
    static const struct rules rules = {.plus_is_blank = true};
    request->query_count = 0;
    while (query.len > 0) {
        struct slice value = take_until(&query, '&');
        if (value.len == 0)
            continue;
        if (request->query_count == HTTP_QUERY_MAX)
            return ACCORD_E_QUERY_INVALID;
        const struct slice name = take_until(&value, '=');
        struct http_pair *pair = &request->query[request->query_count];
        enum accord_error error = decode(name, rules, arena, ACCORD_E_QUERY_INVALID, &pair->name);
        if (error == ACCORD_OK)
            error = decode(value, rules, arena, ACCORD_E_QUERY_INVALID, &pair->value);
        if (error == ACCORD_OK && pair->name.len == 0)
            error = ACCORD_E_QUERY_INVALID;
        if (error != ACCORD_OK)
            return error;
        request->query_count++;
    }
    return ACCORD_OK;
}

enum accord_error target_parse(struct http_request *request, struct arena *arena)
{
    request->segment_count = 0;
    request->query_count = 0;
    if (slice_equal(request->target, SLICE("*")) && slice_equal(request->method, SLICE("OPTIONS")))
        return ACCORD_OK;
    struct slice query = request->target;
    const struct slice path = take_until(&query, '?');
    const enum accord_error error = parse_path(path, request, arena);
    return error != ACCORD_OK ? error : parse_query(query, request, arena);
}
