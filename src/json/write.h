/**
 * Writes JSON into a buf, compact, in the order of the calls. Commas are put by the writer.
 * Strings are escaped; bytes that are no UTF-8 (decoding refuses them, but a detail may quote a
 * request) come out as U+FFFD. After the last call the caller checks buf_error().
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "accord/money.h"
#include "base/buf.h"
#include "base/clock.h"

struct json_writer {
    struct buf *out;
    bool comma; /* a value stands before the next one */
};

void jw_init(struct json_writer *w, struct buf *out);
void jw_object(struct json_writer *w); /* { */
void jw_object_end(struct json_writer *w);
void jw_array(struct json_writer *w); /* [ */
void jw_array_end(struct json_writer *w);
void jw_key(struct json_writer *w, const char *name);
void jw_slice(struct json_writer *w, struct slice text); /* data NULL writes null */
void jw_str(struct json_writer *w, const char *text);    /* NULL writes null */
void jw_int(struct json_writer *w, int64_t value);
void jw_bool(struct json_writer *w, bool value);
void jw_null(struct json_writer *w);
/** A number with decimals, exactly: 4900 with scale 3 is 4.9. Scale 0..9. */
void jw_decimal(struct json_writer *w, int64_t value, unsigned scale);
void jw_time(struct json_writer *w, instant_us at);
/** {"amount":19900,"currency":"CNY"} */
void jw_money(struct json_writer *w, int64_t amount_minor, struct accord_currency currency);
/** A value that is JSON text already (a stored body). */
void jw_raw(struct json_writer *w, struct slice json);

/** The members of a stored, non-empty object as members of the object that is open. */
void jw_members(struct json_writer *w, struct slice object);

/* A key with its value. */
void jw_key_str(struct json_writer *w, const char *name, const char *text);
void jw_key_slice(struct json_writer *w, const char *name, struct slice text);
void jw_key_int(struct json_writer *w, const char *name, int64_t value);
void jw_key_bool(struct json_writer *w, const char *name, bool value);
void jw_key_null(struct json_writer *w, const char *name);
void jw_key_decimal(struct json_writer *w, const char *name, int64_t value, unsigned scale);
void jw_key_time(struct json_writer *w, const char *name, instant_us at);
/** A civil day, "2026-01-31", from days since 1970-01-01. */
void jw_key_day(struct json_writer *w, const char *name, int64_t day);
void jw_key_money(struct json_writer *w, const char *name, int64_t amount_minor,
                  struct accord_currency currency);
void jw_key_raw(struct json_writer *w, const char *name, struct slice json);

/** One string with its quotes and the shortest escapes, as every string of the writer is. */
void json_escape(struct buf *out, struct slice text);

#endif
