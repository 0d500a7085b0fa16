/* The type tokens of migrations: @int64 @bytes @text @strict @clustered. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "db/engine.h"

enum { SCRIPT_BYTES_MAX = 4 << 20 };

static size_t token_length(const char *text)
{
    size_t len = 0;
    while ((text[len] >= 'a' && text[len] <= 'z') || (text[len] >= '0' && text[len] <= '9'))
        len++;
    return len;
}

static const char *token_value(const struct db_dialect *dialect, struct slice token)
{
    const struct {
        struct slice name;
        const char *value;
    } tokens[] = {
        {SLICE("int64"), dialect->int64},         {SLICE("bytes"), dialect->bytes},
        {SLICE("text"), dialect->text},           {SLICE("strict"), dialect->strict},
        {SLICE("clustered"), dialect->clustered},
    };
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        if (slice_equal(token, tokens[i].name))
            return tokens[i].value;
    }
    return NULL;
}

enum accord_error db_expand(const struct db_dialect *dialect, const char *script, char **ret)
{
    struct buf buf;
    buf_init(&buf, SCRIPT_BYTES_MAX);
    for (const char *at = script; *at != '\0';) {
        const size_t plain = strcspn(at, "@");
        buf_add(&buf, at, plain);
        at += plain;
        if (*at == '\0')
            break;
        const struct slice token = {at + 1, token_length(at + 1)};
        const char *value = token_value(dialect, token);
        if (value == NULL) {
            buf_done(&buf);
            return ACCORD_E_DATABASE_ERROR;
        }
        buf_add_str(&buf, value);
        at += 1 + token.len;
    }
    buf_add_char(&buf, '\0');
    const enum accord_error error = buf_error(&buf);
    if (error != ACCORD_OK) {
        buf_done(&buf);
        return error == ACCORD_E_OUT_OF_MEMORY ? error : ACCORD_E_DATABASE_ERROR;
    }
    size_t len;
    *ret = buf_steal(&buf, &len);
    return ACCORD_OK;
}
