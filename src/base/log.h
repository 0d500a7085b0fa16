/**
 * JSON-lines log: one object a line, to standard error or ACCORD_LOG_FILE.
 *
 *   {"time":"2026-01-15T12:03:11.004512Z","level":"info","event":"request","status":200,…}
 *
 * Only main, http and service log; library code returns errors. Never a secret, a body or a text
 * that a learner wrote. Thread-safe: one write(2) a line, or of the lines that a thread holds
 * (log_hold()). Neither has more than LOG_LINE_MAX bytes,
 * so that lines of several writers of one pipe never mix; a text that does not fit is cut, and the
 * line says "truncated":true.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum { LOG_LINE_MAX = 4096 };

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/** Before the first line; without it lines go to standard error at LOG_INFO. */
void log_open(int fd, enum log_level level);
/** Changes the level at once, from any thread. */
void log_set_level(enum log_level level);

/** One field of a line: text (NULL is left out) or, when is_number, a number. */
struct log_field {
    const char *name;
    const char *text;
    int64_t number;
    int is_number;
};
#define LOG_TEXT(field, value) ((struct log_field){.name = (field), .text = (value)})
#define LOG_INT(field, value)                                                                      \
    ((struct log_field){.name = (field), .number = (int64_t)(value), .is_number = 1})

/** Bytes of a text that are not UTF-8 become U+FFFD. errno is kept. */
void log_write(enum log_level level, const char *event, const struct log_field *fields,
               unsigned count);
/** From now on lines of this thread wait for log_release(), or one of LOG_WARN or LOG_ERROR, or for
 * so many that they fill LOG_LINE_MAX bytes: for loops that log again and again. */
void log_hold(void);
void log_release(void);
/** At least one field; an event without fields calls log_write() with NULL and 0. */
#define LOG(level, event, ...)                                                                     \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__},                           \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
