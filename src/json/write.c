#include "json/write.h"

#include <inttypes.h>

#include "base/number.h"
#include "base/utf8.h"

void json_escape(struct buf *out, struct slice text)
{
    buf_add_char(out, '"');
    size_t plain = 0; /* bytes at the front that go out as they are */
    while (plain < text.len) {
        const unsigned char c = (unsigned char)text.data[plain];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            plain++;
            continue;
        }
        struct slice rest = {text.data + plain, text.len - plain};
        uint32_t code;
        if (c >= 0x80 && utf8_next(&rest, &code)) {
            plain = text.len - rest.len;
            continue;
        }
        buf_add(out, text.data, plain);
        text.data += plain + 1;
        text.len -= plain + 1;
        plain = 0;
        static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
        const char *found = NULL;
        for (size_t i = 0; i + 1 < sizeof shorts && found == NULL; i += 2)
            if (shorts[i] == (char)c)
                found = &shorts[i + 1];
        if (c >= 0x80)
            buf_add_str(out, "\xef\xbf\xbd");
        else if (found != NULL)
            buf_add(out, (const char[]){'\\', *found}, 2);
        else
            buf_printf(out, "\\u%04x", (unsigned)c);
    }
    buf_add(out, text.data, plain);
    buf_add_char(out, '"');
}

static void begin_value(struct json_writer *w)
{
    if (w->comma)
        buf_add_char(w->out, ',');
    w->comma = true;
}

static void open_container(struct json_writer *w, char bracket)
{
    begin_value(w);
    buf_add_char(w->out, bracket);
    w->comma = false;
}

static void close_container(struct json_writer *w, char bracket)
{
    buf_add_char(w->out, bracket);
    w->comma = true;
}

void jw_init(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

void jw_object(struct json_writer *w)
{
    open_container(w, '{');
}

void jw_object_end(struct json_writer *w)
{
    close_container(w, '}');
}

void jw_array(struct json_writer *w)
{
    open_container(w, '[');
}

void jw_array_end(struct json_writer *w)
{
    close_container(w, ']');
}

void jw_key(struct json_writer *w, const char *name)
{
    jw_slice(w, slice_of(name));
    buf_add_char(w->out, ':');
    w->comma = false;
}

void jw_slice(struct json_writer *w, struct slice text)
{
    if (text.data == NULL) {
        jw_null(w);
        return;
    }
    begin_value(w);
    json_escape(w->out, text);
}

void jw_str(struct json_writer *w, const char *text)
{
    if (text == NULL)
        jw_null(w);
    else
        jw_slice(w, slice_of(text));
}

void jw_int(struct json_writer *w, int64_t value)
{
    begin_value(w);
    buf_printf(w->out, "%" PRId64, value);
}

void jw_bool(struct json_writer *w, bool value)
{
    begin_value(w);
    buf_add_str(w->out, value ? "true" : "false");
}

void jw_null(struct json_writer *w)
{
    begin_value(w);
    buf_add_str(w->out, "null");
}

void jw_decimal(struct json_writer *w, int64_t value, unsigned scale)
{
    char text[NUMBER_TEXT_MAX];
    number_format_decimal(value, scale, text);
    begin_value(w);
    buf_add_str(w->out, text);
}

void jw_time(struct json_writer *w, instant_us at)
{
    char text[CLOCK_TEXT_MAX];
    clock_format(at, text);
    jw_str(w, text);
}

void jw_money(struct json_writer *w, int64_t amount_minor, struct accord_currency currency)
{
    jw_object(w);
    jw_key_int(w, "amount", amount_minor);
    jw_key_str(w, "currency", currency.code);
    jw_object_end(w);
}

void jw_raw(struct json_writer *w, struct slice json)
{
    begin_value(w);
    buf_add_slice(w->out, json);
}

void jw_key_str(struct json_writer *w, const char *name, const char *text)
{
    jw_key(w, name);
    jw_str(w, text);
}

void jw_key_slice(struct json_writer *w, const char *name, struct slice text)
{
    jw_key(w, name);
    jw_slice(w, text);
}

void jw_key_int(struct json_writer *w, const char *name, int64_t value)
{
    jw_key(w, name);
    jw_int(w, value);
}

void jw_key_bool(struct json_writer *w, const char *name, bool value)
{
    jw_key(w, name);
    jw_bool(w, value);
}

void jw_key_null(struct json_writer *w, const char *name)
{
    jw_key(w, name);
    jw_null(w);
}

void jw_key_decimal(struct json_writer *w, const char *name, int64_t value, unsigned scale)
{
    jw_key(w, name);
    jw_decimal(w, value, scale);
}

void jw_key_time(struct json_writer *w, const char *name, instant_us at)
{
    jw_key(w, name);
    jw_time(w, at);
}

void jw_key_day(struct json_writer *w, const char *name, int64_t day)
{
    int year;
    unsigned month;
    unsigned of_month;
    clock_civil_from_days((int32_t)day, &year, &month, &of_month);
    jw_key(w, name);
    begin_value(w);
    buf_printf(w->out, "\"%04d-%02u-%02u\"", year, month, of_month);
}

void jw_key_money(struct json_writer *w, const char *name, int64_t amount_minor,
                  struct accord_currency currency)
{
    jw_key(w, name);
    jw_money(w, amount_minor, currency);
}

void jw_key_raw(struct json_writer *w, const char *name, struct slice json)
{
    jw_key(w, name);
    jw_raw(w, json);
}

void jw_members(struct json_writer *w, struct slice object)
{
    if (object.len <= 2)
        return;
    begin_value(w);
    buf_add(w->out, object.data + 1, object.len - 2);
    w->comma = true;
}
