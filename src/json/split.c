#include "json/split.h"

#include "json/decode.h"
#include "json/scan.h"

/* Where an array's text has been read to. */
enum {
    AT_FIRST,  /* behind the array's [ */
    AT_NEXT,   /* behind an element */
    AT_END,    /* everything is read */
    AT_REFUSED /* the text is unsound */
};

static struct json_scanner scanner_at(const struct json_splitter *s)
{
    return (struct json_scanner){.text = s->text, .at = s->at, .line = s->next_line};
}

static void follow(struct json_splitter *s, const struct json_scanner *scanner)
{
    s->at = scanner->at;
    s->next_line = scanner->line;
}

static char here(const struct json_scanner *s)
{
    return s->at < s->text.len ? s->text.data[s->at] : '\0';
}

static enum accord_error refuse(struct json_splitter *s, const struct json_scanner *scanner,
                                const char *reason)
{
    follow(s, scanner);
    s->state = AT_REFUSED;
    s->reason = scanner->at >= s->text.len ? "the text ends too early" : reason;
    s->error_at = scanner->at;
    s->error_line = scanner->line;
    return ACCORD_E_JSON_INVALID;
}

/* From a member's name to its value; false when it is unsound. */
static bool enter_member(struct json_scanner *scanner, struct slice *ret_name)
{
    scanner->reason = "a member's name in double quotes is due";
    if (here(scanner) != '"' || !json_scan_string(scanner, ret_name))
        return false;
    json_scan_blanks(scanner);
    scanner->reason = "a colon is due";
    if (here(scanner) != ':')
        return false;
    scanner->at++;
    json_scan_blanks(scanner);
    return true;
}

/* Passes over members from a name on, up to the wanted array or the object's end. */
static enum accord_error find_member(struct json_splitter *s, struct json_scanner *scanner)
{
    for (;;) {
        struct slice name;
        if (!enter_member(scanner, &name))
            return refuse(s, scanner, scanner->reason);
        if (json_raw_equals(name, s->member)) {
            if (here(scanner) != '[')
                return refuse(s, scanner, "the member that holds the elements is no array");
            scanner->at++;
            s->state = AT_FIRST;
            follow(s, scanner);
            return ACCORD_OK;
        }
        if (!json_scan_value(scanner, JSON_DEPTH_MAX))
            return refuse(s, scanner, scanner->reason);
        json_scan_blanks(scanner);
        if (here(scanner) == '}')
            return refuse(s, scanner, "the object has no member with the elements");
        if (here(scanner) != ',')
            return refuse(s, scanner, "a comma or } is due");
        scanner->at++;
        json_scan_blanks(scanner);
    }
}

enum accord_error json_split_begin(struct json_splitter *s, struct slice text,
                                   enum json_split_shape shape, const char *member,
                                   size_t element_max)
{
    *s = (struct json_splitter){.text = json_without_bom(text),
                                .shape = shape,
                                .member = member,
                                .element_max = element_max,
                                .line = 1,
                                .next_line = 1};
    if (shape == JSON_SPLIT_NDJSON)
        return ACCORD_OK;
    struct json_scanner scanner = scanner_at(s);
    json_scan_blanks(&scanner);
    if (here(&scanner) == '[') {
        s->member = NULL; /* nothing stands around the array */
        scanner.at++;
        follow(s, &scanner);
        return ACCORD_OK;
    }
    if (here(&scanner) != '{' || member == NULL)
        return refuse(s, &scanner, "an array is due");
    scanner.at++;
    json_scan_blanks(&scanner);
    if (here(&scanner) == '}')
        return refuse(s, &scanner, "the object has no member with the elements");
    return find_member(s, &scanner);
}

/* The array has ended: what follows it must be sound, and must not hold the member again. */
static enum accord_error finish(struct json_splitter *s, struct json_scanner *scanner,
                                struct slice *ret_element)
{
    if (s->member != NULL) {
        json_scan_blanks(scanner);
        while (here(scanner) == ',') {
            struct slice name;
            scanner->at++;
            json_scan_blanks(scanner);
            const size_t begin = scanner->at;
            if (!enter_member(scanner, &name))
                return refuse(s, scanner, scanner->reason);
            if (json_raw_equals(name, s->member)) {
                scanner->at = begin;
                return refuse(s, scanner, "the member that holds the elements stands twice");
            }
            if (!json_scan_value(scanner, JSON_DEPTH_MAX))
                return refuse(s, scanner, scanner->reason);
            json_scan_blanks(scanner);
        }
        if (here(scanner) != '}')
            return refuse(s, scanner, "a comma or } is due");
        scanner->at++;
    }
    json_scan_blanks(scanner);
    if (scanner->at < s->text.len)
        return refuse(s, scanner, "something follows the end of the JSON text");
    follow(s, scanner);
    s->state = AT_END;
    *ret_element = (struct slice){NULL, 0};
    return ACCORD_OK;
}

static enum accord_error next_of_array(struct json_splitter *s, struct slice *ret_element)
{
    if (s->state == AT_REFUSED)
        return ACCORD_E_JSON_INVALID;
    if (s->state == AT_END) {
        *ret_element = (struct slice){NULL, 0};
        return ACCORD_OK;
    }
    struct json_scanner scanner = scanner_at(s);
    json_scan_blanks(&scanner);
    if (here(&scanner) == ']') {
        scanner.at++;
        return finish(s, &scanner, ret_element);
    }
    if (s->state == AT_NEXT) {
        if (here(&scanner) != ',')
            return refuse(s, &scanner, "a comma or ] is due");
        scanner.at++;
        json_scan_blanks(&scanner);
    }
    const size_t begin = scanner.at;
    s->line = scanner.line;
    s->index = s->next_index++;
    if (!json_scan_value(&scanner, JSON_DEPTH_MAX))
        return refuse(s, &scanner, scanner.reason);
    s->state = AT_NEXT;
    follow(s, &scanner);
    if (scanner.at - begin > s->element_max) {
        s->reason = "the element is too large";
        s->error_at = begin;
        s->error_line = s->line;
        return ACCORD_E_ELEMENT_TOO_LARGE;
    }
    *ret_element = (struct slice){s->text.data + begin, scanner.at - begin};
    return ACCORD_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static enum accord_error next_of_lines(struct json_splitter *s, struct slice *ret_element)
{
    while (s->at < s->text.len) {
        const size_t begin = s->at;
        const char *newline = memchr(s->text.data + begin, '\n', s->text.len - begin);
        const size_t end = newline != NULL ? (size_t)(newline - s->text.data) : s->text.len;
        const uint64_t line = s->next_line;
        s->at = newline != NULL ? end + 1 : end;
        s->next_line += newline != NULL;
        struct slice text = {s->text.data + begin, end - begin};
        while (text.len > 0 && is_blank(text.data[0])) {
            text.data++;
            text.len--;
        }
        while (text.len > 0 && is_blank(text.data[text.len - 1]))
            text.len--;
        if (text.len == 0)
            continue;
        s->line = line;
        s->error_line = line;
        s->index = s->next_index++;
        if (text.len > s->element_max) {
            s->reason = "the line is too long";
            s->error_at = begin;
            return ACCORD_E_ELEMENT_TOO_LARGE;
        }
        struct json_scanner scanner = {.text = text, .line = line};
        if (json_scan_value(&scanner, JSON_DEPTH_MAX) && scanner.at < text.len)
            scanner.reason = "something follows the value on its line";
        if (scanner.reason != NULL) {
            s->reason = scanner.reason;
            s->error_at = (size_t)(text.data - s->text.data) + scanner.at;
            return ACCORD_E_JSON_INVALID;
        }
        *ret_element = text;
        return ACCORD_OK;
    }
    *ret_element = (struct slice){NULL, 0};
    return ACCORD_OK;
}

enum accord_error json_split_next(struct json_splitter *s, struct slice *ret_element)
{
    switch (s->shape) {
    case JSON_SPLIT_ARRAY:
        return next_of_array(s, ret_element);
    case JSON_SPLIT_NDJSON:
        return next_of_lines(s, ret_element);
    }
    return ACCORD_E_INTERNAL;
}
