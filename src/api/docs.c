#include "api/docs.h"

#include "api/openapi.h"
#include "base/config.h"

static void add_escaped(struct buf *out, struct slice text)
{
    bool code = false;
    for (size_t i = 0; i < text.len; i++) {
        switch (text.data[i]) {
        case '&':
            buf_add_str(out, "&amp;");
            break;
        case '<':
            buf_add_str(out, "&lt;");
            break;
        case '>':
            buf_add_str(out, "&gt;");
            break;
        case '`':
            buf_add_str(out, code ? "</code>" : "<code>");
            code = !code;
            break;
        case '\\': /* Markdown's own escape: the next character stands for itself */
            break;
        default:
            buf_add_char(out, text.data[i]);
        }
    }
    if (code)
        buf_add_str(out, "</code>");
}

static struct slice trim(struct slice text)
{
    while (text.len > 0 && text.data[0] == ' ') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* "| a | b |" */
static void add_row(struct buf *out, struct slice line, const char *cell)
{
    size_t at = 1;
    buf_add_str(out, "<tr>");
    while (at < line.len) {
        size_t end = at;
        while (end < line.len && (line.data[end] != '|' || line.data[end - 1] == '\\'))
            end++;
        if (end == line.len)
            break;
        buf_printf(out, "<%s>", cell);
        add_escaped(out, trim((struct slice){line.data + at, end - at}));
        buf_printf(out, "</%s>", cell);
        at = end + 1;
    }
    buf_add_str(out, "</tr>");
}

void docs_table(struct slice markdown, struct buf *out)
{
    size_t rows = 0;
    buf_add_str(out, "<table>");
    for (size_t at = 0; at < markdown.len;) {
        const char *line = markdown.data + at;
        const char *end = memchr(line, '\n', markdown.len - at);
        const size_t len = end == NULL ? markdown.len - at : (size_t)(end - line);
        const bool is_rule = len > 3 && memcmp(line, "| -", 3) == 0;
        if (len > 1 && line[0] == '|' && !is_rule)
            add_row(out, (struct slice){line, len}, rows++ == 0 ? "th" : "td");
        at += len + 1;
    }
    buf_add_str(out, "</table>");
}

void docs_write(struct buf *out)
{
    struct buf settings;
    buf_init(&settings, (size_t)1 << 20);
    config_document(&settings);
    buf_add(out, docs_head, docs_head_len);
    buf_add_str(out, "<p>Read from the environment when the program starts; <code>accord "
                     "config</code> prints what is in force. A secret may also stand in a file "
                     "whose path is given in the variable's name with <code>_FILE</code> behind "
                     "it.</p>");
    docs_table(buf_slice(&settings), out);
    buf_add(out, docs_tail, docs_tail_len);
    buf_done(&settings);
}
