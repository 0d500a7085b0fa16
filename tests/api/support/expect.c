#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

static const char *about(const struct response *response, const char *what)
{
    return text("%s %s: %s; answered %ld: %.1500s", response->method, response->path, what,
                response->status, response->body);
}

json_t *at(const struct response *response, const char *pointer)
{
    json_t *value = response->json;
    const char *part = pointer;
    while (value != NULL && *part == '/') {
        part++;
        const size_t len = strcspn(part, "/");
        char name[512];
        size_t out = 0;
        for (size_t i = 0; i < len && out + 1 < sizeof name; i++) {
            const bool escaped = part[i] == '~' && i + 1 < len;
            name[out++] = !escaped ? part[i] : part[i + 1] == '1' ? '/' : '~';
            i += escaped;
        }
        name[out] = '\0';
        value = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10))
                                     : json_object_get(value, name);
        part += len;
    }
    return value;
}

const char *text_at(const struct response *response, const char *pointer)
{
    const json_t *value = at(response, pointer);
    ck_assert_msg(json_is_string(value), "%s", about(response, text("%s is not a text", pointer)));
    return json_string_value(value);
}

json_int_t int_at(const struct response *response, const char *pointer)
{
    const json_t *value = at(response, pointer);
    ck_assert_msg(json_is_integer(value), "%s",
                  about(response, text("%s is not an integer", pointer)));
    return json_integer_value(value);
}

const char *find(const struct response *response, const char *array, const char *member,
                 const char *value)
{
    json_t *items = at(response, array);
    size_t index;
    json_t *item;
    json_array_foreach(items, index, item)
    {
        const char *is = json_string_value(json_object_get(item, member));
        if (is != NULL && strcmp(is, value) == 0)
            return text("%s/%zu", array, index);
    }
    ck_abort_msg("%s",
                 about(response, text("%s has no element with %s \"%s\"", array, member, value)));
}

const char *check_status(const struct response *response, long status)
{
    return response->status == status ? NULL : about(response, text("want status %ld", status));
}

const char *check_problem(const struct response *response, long status, const char *code)
{
    const char *type = header(response, "content-type");
    if (response->status != status)
        return about(response, text("want %ld %s", status, code));
    if (type == NULL || strcmp(type, "application/problem+json") != 0)
        return about(response, "want application/problem+json");
    return check_text(response, "/code", code);
}

const char *check_field_problem(const struct response *response, const char *pointer,
                                const char *code)
{
    const json_t *errors = at(response, "/errors");
    size_t index;
    const json_t *error;
    json_array_foreach(errors, index, error)
    {
        if (strcmp(json_string_value(json_object_get(error, "pointer")), pointer) == 0 &&
            strcmp(json_string_value(json_object_get(error, "code")), code) == 0)
            return NULL;
    }
    return about(response, text("want an error %s at %s", code, pointer));
}

const char *check_int(const struct response *response, const char *pointer, json_int_t value)
{
    const json_t *is = at(response, pointer);
    if (json_is_integer(is) && json_integer_value(is) == value)
        return NULL;
    return about(response, text("want %s = %lld", pointer, (long long)value));
}

const char *check_text(const struct response *response, const char *pointer, const char *value)
{
    const json_t *is = at(response, pointer);
    if (json_is_string(is) && strcmp(json_string_value(is), value) == 0)
        return NULL;
    return about(response, text("want %s = \"%s\"", pointer, value));
}

const char *check_bool(const struct response *response, const char *pointer, bool value)
{
    const json_t *is = at(response, pointer);
    if (value ? json_is_true(is) : json_is_false(is))
        return NULL;
    return about(response, text("want %s = %s", pointer, value ? "true" : "false"));
}

const char *check_null(const struct response *response, const char *pointer)
{
    return json_is_null(at(response, pointer)) ? NULL
                                               : about(response, text("want %s = null", pointer));
}

const char *check_absent(const struct response *response, const char *pointer)
{
    return at(response, pointer) == NULL ? NULL : about(response, text("want no %s", pointer));
}

const char *check_count(const struct response *response, const char *pointer, size_t count)
{
    const json_t *is = at(response, pointer);
    if (json_is_array(is) && json_array_size(is) == count)
        return NULL;
    return about(response, text("want %zu elements in %s", count, pointer));
}

const char *check_money(const struct response *response, const char *pointer, json_int_t amount,
                        const char *currency)
{
    const char *why_not = check_int(response, text("%s/amount", pointer), amount);
    return why_not != NULL ? why_not : check_text(response, text("%s/currency", pointer), currency);
}
