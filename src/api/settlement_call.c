#include "api/settlement_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/app.h"
#include "base/number.h"
#include "store/facts.h"

bool settlement_owns(const struct call *call, const char *payee)
{
    const struct slice pool = SLICE(ACCORD_PAYEE_POOL);
    const size_t len = strlen(call->caller.partner);
    if (call->caller.is_operator || strcmp(payee, call->caller.partner) == 0)
        return true;
    return strncmp(payee, pool.data, pool.len) == 0 &&
           strncmp(payee + pool.len, call->caller.partner, len) == 0 &&
           payee[pool.len + len] == '/';
}

bool settlement_partner(struct call *call, const char **ret)
{
    const char *partner = call_query(call, "partner");
    if (partner != NULL && !settlement_owns(call, partner)) {
        call_fail(call, ACCORD_E_NOT_FOUND, NULL);
        return false;
    }
    *ret = partner != NULL || call->caller.is_operator ? partner : call->caller.partner;
    return !call->failed;
}

bool settlement_position(struct call *call, int64_t position)
{
    int64_t head;
    if (call_check(call, store_journal_head(call->db, &head)))
        return false;
    if (position <= head)
        return true;
    call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
    return false;
}

struct accord_currency settlement_currency(const char *code)
{
    struct accord_currency currency = {{0}};
    const size_t len = strlen(code);
    if (len < sizeof currency.code)
        memcpy(currency.code, code, len);
    return currency;
}

bool settlement_part_int(struct call *call, struct slice part, int64_t *ret)
{
    if (number_parse_int(part, ret) == ACCORD_OK)
        return true;
    call_fail(call, ACCORD_E_CURSOR_INVALID, NULL);
    return false;
}

struct slice settlement_int_part(struct call *call, int64_t number)
{
    const char *text = arena_printf(call->arena, "%lld", (long long)number);
    if (text == NULL)
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
    return text == NULL ? SLICE("") : slice_of(text);
}

void settlement_link(struct call *call, struct json_writer *w, const char *name, const char *format,
                     ...)
{
    char path[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    const char *text = arena_printf(call->arena, "%s%s", call->app->public_path, path);
    if (text == NULL)
        call_fail(call, ACCORD_E_OUT_OF_MEMORY, NULL);
    jw_key_str(w, name, text);
}
