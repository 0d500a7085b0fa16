#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static atomic_int log_fd = STDERR_FILENO;
static atomic_int log_level = LOG_INFO;

void log_open(int fd, enum log_level level)
{
    atomic_store(&log_fd, fd);
    atomic_store(&log_level, (int)level);
}

void log_set_level(enum log_level level)
{
    atomic_store(&log_level, (int)level);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return "error";
    case LOG_WARN:
        return "warn";
    case LOG_INFO:
        return "info";
    case LOG_DEBUG:
        return "debug";
    }
    return "error";
}

static const char line_end[] = ",\"truncated\":true}\n";

struct line {
    char text[LOG_LINE_MAX];
    size_t len;
    bool truncated;
};

/* Room that is left before what the end of a cut line needs: a closing quote and line_end. */
static size_t room(const struct line *line)
{
    const size_t usable = sizeof line->text - sizeof line_end - 1;
    return line->len < usable ? usable - line->len : 0;
}

static bool add(struct line *line, const char *text, size_t len)
{
    if (len > room(line)) {
        line->truncated = true;
        return false;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
    return true;
}

/* Length of the well-formed UTF-8 sequence at the front, or 0 (RFC 3629, table of section 4). */
static size_t utf8_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        return (s[1] & 0xc0) == 0x80 ? 2 : 0;
    if (s[0] >= 0xe0 && s[0] <= 0xef) {
        const unsigned low = s[0] == 0xe0 ? 0xa0 : 0x80;
        const unsigned high = s[0] == 0xed ? 0x9f : 0xbf;
        return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        const unsigned low = s[0] == 0xf0 ? 0x90 : 0x80;
        const unsigned high = s[0] == 0xf4 ? 0x8f : 0xbf;
        return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80 ? 4
                                                                                             : 0;
    }
    return 0;
}

static bool add_escaped(struct line *line, const char *text)
{
    while (*text != '\0') {
        const unsigned char c = (unsigned char)*text;
        const size_t length = utf8_length(text);
        char escape[8];
        bool fits;
        if (length == 0)
            fits = add(line, "\\ufffd", 6);
        else if (c == '"' || c == '\\')
            fits = add(line, (const char[]){'\\', *text}, 2);
        else if (c == '\n')
            fits = add(line, "\\n", 2);
        else if (c < 0x20 || c == 0x7f)
            fits = add(line, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
        else
            fits = add(line, text, length);
        if (!fits)
            return false;
        text += length == 0 ? 1 : length;
    }
    return true;
}

/* ,"name":"text" — nothing at all when not even the name fits, and cut when the text does not. */
static void add_text(struct line *line, const char *name, const char *text)
{
    const size_t before = line->len;
    if (!add(line, ",\"", 2) || !add_escaped(line, name) || !add(line, "\":\"", 3)) {
        line->len = before;
        return;
    }
    (void)add_escaped(line, text);
    line->text[line->len++] = '"'; /* room() keeps a place for it */
}

static void add_number(struct line *line, const char *name, int64_t number)
{
    char text[24];
    const int len = snprintf(text, sizeof text, "%" PRId64, number);
    const size_t before = line->len;
    if (!add(line, ",\"", 2) || !add_escaped(line, name) || !add(line, "\":", 2) ||
        !add(line, text, (size_t)len))
        line->len = before;
}

static void write_line(const char *text, size_t len)
{
    const int fd = atomic_load(&log_fd);
    while (len > 0) {
        const ssize_t wrote = write(fd, text, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return; /* nowhere to say so */
        text += wrote;
        len -= (size_t)wrote;
    }
}

/* As clock_format() has it; within one second only the microseconds are written anew. */
static void add_time(struct line *line, int64_t now_us)
{
    enum { FRACTION = 20, DIGITS = 6 }; /* "2026-01-15T12:03:11." */
    static _Thread_local struct {
        int64_t second;
        char text[CLOCK_TEXT_MAX];
    } last = {.second = INT64_MIN};
    if (now_us / 1000000 != last.second || strlen(last.text) != FRACTION + DIGITS + 1) {
        clock_format(now_us, last.text);
        last.second = now_us / 1000000;
    } else {
        int64_t fraction = now_us % 1000000;
        for (int i = DIGITS - 1; i >= 0; i--, fraction /= 10)
            last.text[FRACTION + i] = (char)('0' + fraction % 10);
    }
    (void)add(line, last.text, strlen(last.text));
}

/* Of this thread, while it holds them. */
static _Thread_local struct {
    bool holds;
    size_t len;
    char text[LOG_LINE_MAX];
} held;

void log_hold(void)
{
    held.holds = true;
}

void log_release(void)
{
    write_line(held.text, held.len);
    held.len = 0;
}

static void hold_line(const struct line *line)
{
    if (line->len > sizeof held.text - held.len)
        log_release();
    memcpy(held.text + held.len, line->text, line->len);
    held.len += line->len;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               unsigned count)
{
    if ((int)level > atomic_load_explicit(&log_level, memory_order_relaxed))
        return;
    const int saved = errno;
    struct line line;
    line.len = 0;
    line.truncated = false;
    (void)add(&line, "{\"time\":\"", 9);
    add_time(&line, clock_now_us());
    (void)add(&line, "\"", 1);
    add_text(&line, "level", level_name(level));
    add_text(&line, "event", event);
    for (unsigned i = 0; i < count && !line.truncated; i++) {
        if (fields[i].is_number)
            add_number(&line, fields[i].name, fields[i].number);
        else if (fields[i].text != NULL)
            add_text(&line, fields[i].name, fields[i].text);
    }
    const char *end = line.truncated ? line_end : "}\n";
    memcpy(line.text + line.len, end, strlen(end));
    line.len += strlen(end);
    if (held.holds) {
        hold_line(&line);
        if (level <= LOG_WARN)
            log_release();
    } else {
        write_line(line.text, line.len);
    }
    errno = saved;
}
