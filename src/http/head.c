#include "http/head.h"

#include <strings.h>

bool head_name_is(struct slice field, struct slice name)
{
    return field.len == name.len && strncasecmp(field.data, name.data, name.len) == 0;
}

static bool starts_with(struct slice field, struct slice name)
{
    return field.len >= name.len && strncasecmp(field.data, name.data, name.len) == 0;
}

struct slice head_find(const struct http_pair *headers, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (head_name_is(headers[i].name, name))
            return headers[i].value;
    }
    return (struct slice){NULL, 0};
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        if (!is_alnum(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return text.len > 0;
}

static bool is_value(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_host(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        if (!is_alnum(c) && (c == '\0' || strchr("-._~%!$&'()*+,;=:[]", c) == NULL))
            return false;
    }
    return true;
}

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

/* Takes the next element of a comma-separated list, trimmed. */
static struct slice take_element(struct slice *rest)
{
    const char *comma = rest->len == 0 ? NULL : memchr(rest->data, ',', rest->len);
    const size_t len = comma == NULL ? rest->len : (size_t)(comma - rest->data);
    const struct slice element = {rest->data, len};
    const size_t skip = comma == NULL ? len : len + 1;
    rest->data += skip;
    rest->len -= skip;
    return trim(element);
}

static bool parse_length(struct slice text, uint64_t *ret)
{
    uint64_t length = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(length, 10, &length) ||
            __builtin_add_overflow(length, (uint64_t)(c - '0'), &length))
            return false;
    }
    *ret = length;
    return true;
}

/* One coding, or "identity"; a list of codings is more than this server undoes. */
static enum head_coding parse_coding(struct slice value)
{
    value = trim(value);
    if (value.len == 0 || head_name_is(value, SLICE("identity")))
        return HEAD_IDENTITY;
    if (head_name_is(value, SLICE("gzip")) || head_name_is(value, SLICE("x-gzip")))
        return HEAD_GZIP;
    if (head_name_is(value, SLICE("zstd")))
        return HEAD_ZSTD;
    return HEAD_CODING_UNKNOWN;
}

/* What would mean something else to whoever reads the other one of two. */
static const struct slice single[] = {
    {"Authorization", 13}, {"Content-Type", 12}, {"Idempotency-Key", 15}, {"X-Request-Id", 12}};

struct seen {
    unsigned singles[sizeof single / sizeof single[0]];
    unsigned hosts;
    unsigned lengths;
    unsigned transfers;
    unsigned codings;
    bool chunked;
};

static enum accord_error check_one(const struct http_pair *header, struct seen *seen,
                                   struct head_framing *framing, const char **ret_detail)
{
    static const struct slice length = {"Content-Length", 14};
    static const struct slice transfer = {"Transfer-Encoding", 17};
    if (!is_token(header->name) || !is_value(header->value)) {
        *ret_detail = "A header's name or value has characters that are not allowed.";
        return ACCORD_E_HEADER_INVALID;
    }
    if (head_name_is(header->name, length)) {
        seen->lengths++;
        if (!parse_length(trim(header->value), &framing->length)) {
            *ret_detail = "Content-Length is not a number.";
            return ACCORD_E_FRAMING_INVALID;
        }
    } else if (head_name_is(header->name, transfer)) {
        seen->transfers++;
        /* Not trimmed: libmicrohttpd does not take "chunked " for chunked, and would never end. */
        seen->chunked = head_name_is(header->value, SLICE("chunked"));
    } else if (starts_with(header->name, length) || starts_with(header->name, transfer)) {
        /* What libmicrohttpd makes of a folded line: its value glued to the name. */
        *ret_detail = "Header lines may not be folded.";
        return ACCORD_E_FRAMING_INVALID;
    } else if (head_name_is(header->name, SLICE("Host"))) {
        seen->hosts++;
        if (!is_host(trim(header->value))) {
            *ret_detail = "Host is not a host.";
            return ACCORD_E_HEADER_INVALID;
        }
    } else if (head_name_is(header->name, SLICE("Content-Encoding"))) {
        framing->coding = seen->codings++ == 0 ? parse_coding(header->value) : HEAD_CODING_UNKNOWN;
    }
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
        if (head_name_is(header->name, single[i]) && seen->singles[i]++ > 0) {
            *ret_detail = "A header that may stand once stands twice.";
            return ACCORD_E_HEADER_INVALID;
        }
    }
    return ACCORD_OK;
}

static bool method_has_body(struct slice method)
{
    return slice_equal(method, SLICE("POST")) || slice_equal(method, SLICE("PUT")) ||
           slice_equal(method, SLICE("PATCH"));
}

enum accord_error head_check(const struct http_pair *headers, size_t count, struct slice method,
                             bool http_1_0, struct head_framing *ret, const char **ret_detail)
{
    struct seen seen = {0};
    struct head_framing framing = {.coding = HEAD_IDENTITY};
    if (!is_token(method)) {
        *ret_detail = "The method is not a token.";
        return ACCORD_E_FRAMING_INVALID;
    }
    for (size_t i = 0; i < count; i++) {
        const enum accord_error error = check_one(&headers[i], &seen, &framing, ret_detail);
        if (error != ACCORD_OK)
            return error;
    }
    if (seen.hosts > 1 || (seen.hosts == 0 && !http_1_0)) {
        *ret_detail = "Exactly one Host header is needed.";
        return ACCORD_E_HEADER_INVALID;
    }
    if (seen.lengths + seen.transfers > 1) {
        *ret_detail = "Content-Length and Transfer-Encoding may stand once, and not both.";
        return ACCORD_E_FRAMING_INVALID;
    }
    if (seen.transfers == 1 && (!seen.chunked || http_1_0)) {
        *ret_detail = "The only Transfer-Encoding taken is chunked, in HTTP/1.1.";
        return ACCORD_E_FRAMING_INVALID;
    }
    framing.chunked = seen.transfers == 1;
    framing.length_known = seen.lengths == 1;
    framing.length_missing = seen.lengths + seen.transfers == 0 && method_has_body(method);
    framing.has_body = framing.chunked || framing.length > 0;
    *ret = framing;
    return ACCORD_OK;
}

bool head_accepts_gzip(struct slice field)
{
    int gzip = -1; /* not named */
    int any = -1;
    while (field.len > 0) {
        struct slice element = take_element(&field);
        const char *semicolon = element.len == 0 ? NULL : memchr(element.data, ';', element.len);
        struct slice weight = {NULL, 0};
        if (semicolon != NULL) {
            const size_t len = (size_t)(semicolon - element.data);
            weight = trim((struct slice){semicolon + 1, element.len - len - 1});
            element = trim((struct slice){element.data, len});
        }
        /* Only whether the weight is 0 matters: "q=0", "q=0.000". */
        bool zero = starts_with(weight, SLICE("q=0"));
        for (size_t i = 3; i < weight.len; i++)
            zero = zero && (weight.data[i] == '.' || weight.data[i] == '0');
        if (head_name_is(element, SLICE("gzip")) || head_name_is(element, SLICE("x-gzip")))
            gzip = !zero;
        else if (slice_equal(element, SLICE("*")))
            any = !zero;
    }
    return gzip == 1 || (gzip == -1 && any == 1);
}

bool head_request_id(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        const char c = value.data[i];
        if (!is_alnum(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return value.len > 0 && value.len <= 63;
}

/* Whether `tag` is `etag` or its gzipped form: the same with "-gz" before the closing quote. */
static bool same_tag(struct slice tag, struct slice etag, bool plain, bool gzipped)
{
    if (plain && slice_equal(tag, etag))
        return true;
    return gzipped && etag.len >= 2 && tag.len == etag.len + 3 &&
           memcmp(tag.data, etag.data, etag.len - 1) == 0 &&
           memcmp(tag.data + etag.len - 1, "-gz\"", 4) == 0;
}

/* Takes the next entity tag of a list, with its quotes; commas may stand inside them. */
static bool take_tag(struct slice *rest, struct slice *ret_tag, bool *ret_weak)
{
    while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t' || rest->data[0] == ','))
        *rest = (struct slice){rest->data + 1, rest->len - 1};
    *ret_weak = rest->len >= 2 && rest->data[0] == 'W' && rest->data[1] == '/';
    if (*ret_weak)
        *rest = (struct slice){rest->data + 2, rest->len - 2};
    if (rest->len < 2 || rest->data[0] != '"')
        return false;
    const char *close = memchr(rest->data + 1, '"', rest->len - 1);
    if (close == NULL)
        return false;
    *ret_tag = (struct slice){rest->data, (size_t)(close - rest->data) + 1};
    *rest = (struct slice){close + 1, rest->len - ret_tag->len};
    return true;
}

static bool etag_in(struct slice field, const char *etag, bool weak, bool plain, bool any)
{
    const struct slice want = slice_of(etag);
    if (field.data == NULL)
        return false;
    if (any && slice_equal(trim(field), SLICE("*")))
        return true;
    struct slice tag;
    for (bool is_weak; take_tag(&field, &tag, &is_weak);) {
        if ((weak || !is_weak) && same_tag(tag, want, plain, true))
            return true;
    }
    return false;
}

bool http_etag_matches(struct slice field, const char *etag)
{
    return etag_in(field, etag, true, true, true);
}

bool http_etag_matches_strong(struct slice field, const char *etag)
{
    return etag_in(field, etag, false, true, true);
}

bool head_etag_gzipped(struct slice field, const char *etag)
{
    return etag_in(field, etag, true, false, false);
}
