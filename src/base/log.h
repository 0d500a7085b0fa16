/**
 * JSON-lines log: one object a line, to standard error or ACCORD_LOG_FILE.
 *
 * Only main, http and service log; library code returns errors. Never a secret, a body or a text
 * that a learner wrote. Thread-safe: one write(2) a line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_open(int fd, enum log_level level);
/** Changes the level at once, from any thread. */
void log_set_level(enum log_level level);

/** One field of a line: text (NULL is left out) or, when text_is_int, a number. */
struct log_field {
    const char *name;
    const char *text;
    int64_t number;
    int is_number;
};
#define LOG_TEXT(field, value) ((struct log_field){.name = (field), .text = (value)})
#define LOG_INT(field, value)                                                                      \
    ((struct log_field){.name = (field), .number = (int64_t)(value), .is_number = 1})

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               unsigned count);
#define LOG(level, event, ...)                                                                     \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__},                           \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
