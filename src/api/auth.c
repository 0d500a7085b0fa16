#include "api/auth.h"

enum { PREFIX_LEN = 12, SECRET_LEN = 43, SECRET_BYTES = 32 };

static const char live_prefix[] = "accord_live_";
static const char test_prefix[] = "accord_test_";
static const char test_key_prefix[] = "key_test_";

static const struct {
    const char *name;
    uint32_t bit;
} scopes[] = {
    {"admin", SCOPE_ADMIN},
    {"catalog:read", SCOPE_CATALOG_READ},
    {"catalog:write", SCOPE_CATALOG_WRITE},
    {"events:read", SCOPE_EVENTS_READ},
    {"events:write", SCOPE_EVENTS_WRITE},
    {"agreements:read", SCOPE_AGREEMENTS_READ},
    {"agreements:write", SCOPE_AGREEMENTS_WRITE},
    {"revenue:read", SCOPE_REVENUE_READ},
    {"statements:read", SCOPE_STATEMENTS_READ},
    {"statements:write", SCOPE_STATEMENTS_WRITE},
};

const char *auth_scope_name(unsigned number)
{
    return number < sizeof scopes / sizeof scopes[0] ? scopes[number].name : NULL;
}

uint32_t auth_scope_find(struct slice name)
{
    for (unsigned i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
        if (slice_equal(name, slice_of(scopes[i].name)))
            return scopes[i].bit;
    return 0;
}

static bool is_base64url(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

enum auth_mode auth_secret_mode(struct slice secret)
{
    if (secret.len != PREFIX_LEN + SECRET_LEN)
        return AUTH_NONE;
    for (size_t i = PREFIX_LEN; i < secret.len; i++)
        if (!is_base64url(secret.data[i]))
            return AUTH_NONE;
    if (memcmp(secret.data, live_prefix, PREFIX_LEN) == 0)
        return AUTH_LIVE;
    return memcmp(secret.data, test_prefix, PREFIX_LEN) == 0 ? AUTH_TEST : AUTH_NONE;
}

void auth_secret_make(enum auth_mode mode, char text[AUTH_SECRET_MAX])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[SECRET_BYTES];
    random_bytes(bytes, sizeof bytes);
    memcpy(text, mode == AUTH_TEST ? test_prefix : live_prefix, PREFIX_LEN);
    char *out = text + PREFIX_LEN;
    uint32_t bits = 0;
    unsigned held = 0;
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bits = (bits << 8 | bytes[i]) & 0xffff;
        for (held += 8; held >= 6; held -= 6)
            *out++ = digits[bits >> (held - 6) & 63];
    }
    *out++ = digits[bits << (6 - held) & 63];
    *out = '\0';
}

struct slice auth_bearer(struct slice header)
{
    static const char scheme[] = "bearer ";
    const size_t scheme_len = sizeof scheme - 1;
    if (header.data == NULL || header.len <= scheme_len)
        return (struct slice){NULL, 0};
    for (size_t i = 0; i < scheme_len; i++) {
        const char c = header.data[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c + 32) : c) != scheme[i])
            return (struct slice){NULL, 0};
    }
    struct slice token = {header.data + scheme_len, header.len - scheme_len};
    while (token.len > 0 && token.data[0] == ' ') {
        token.data++;
        token.len--;
    }
    return token;
}

void auth_key_id(enum auth_mode mode, char text[RANDOM_ID_MAX])
{
    random_id(mode == AUTH_TEST ? test_key_prefix : "key_", text);
}

enum auth_mode auth_key_id_mode(const char *id)
{
    return strncmp(id, test_key_prefix, sizeof test_key_prefix - 1) == 0 ? AUTH_TEST : AUTH_LIVE;
}

enum accord_error auth_decide(const struct operation *operation, const struct key_owner *owner,
                              instant_us now)
{
    if (operation->scope == SCOPE_PUBLIC)
        return ACCORD_OK;
    if (owner == NULL || owner->key.revoked_at != INT64_MAX || owner->key.expires_at <= now)
        return ACCORD_E_UNAUTHENTICATED;
    if (owner->suspended)
        return ACCORD_E_PARTNER_SUSPENDED;
    const bool is_operator = (owner->roles & ROLE_PLATFORM) != 0;
    uint32_t held = owner->key.scopes | SCOPE_ANY;
    if (!is_operator)
        held &= ~(uint32_t)SCOPE_ADMIN; /* it once was the operator's */
    if ((operation->scope & held) == 0)
        return ACCORD_E_SCOPE_MISSING;
    if (operation->roles != 0 && !is_operator && (operation->roles & owner->roles) == 0)
        return ACCORD_E_ROLE_MISSING;
    return ACCORD_OK;
}
