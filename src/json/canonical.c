#include "json/decode.h"
#include "json/scan.h"
#include "json/tree.h"

enum accord_error json_canonical(struct arena *arena, struct slice text, struct slice *ret)
{
    text = json_without_bom(text);
    struct json_tree tree;
    struct json_fault fault;
    enum accord_error error = json_tree_load(arena, text, &tree, &fault);
    if (error != ACCORD_OK)
        return error;
    struct buf out;
    buf_init(&out, text.len);
    error = json_tree_write(arena, &tree, tree.root, &out);
    json_tree_done(&tree);
    /* The maximum is never met: each part is written at most as long as it was read. */
    if (error == ACCORD_OK)
        error = buf_error(&out);
    if (error == ACCORD_OK) {
        const char *copy = arena_strdup(arena, buf_slice(&out));
        if (copy != NULL)
            *ret = (struct slice){copy, out.len};
        else
            error = ACCORD_E_OUT_OF_MEMORY;
    }
    buf_done(&out);
    return error;
}

bool json_peek_text(struct slice text, const char *name, char *ret, size_t size)
{
    struct json_scanner s = {.text = json_without_bom(text), .line = 1};
    json_scan_blanks(&s);
    if (s.at == s.text.len || s.text.data[s.at] != '{')
        return false;
    do {
        struct slice raw;
        s.at++;
        json_scan_blanks(&s);
        if (s.at == s.text.len || s.text.data[s.at] != '"' || !json_scan_string(&s, &raw))
            return false;
        json_scan_blanks(&s);
        if (s.at == s.text.len || s.text.data[s.at] != ':')
            return false;
        s.at++;
        json_scan_blanks(&s);
        if (json_raw_equals(raw, name))
            return s.at < s.text.len && s.text.data[s.at] == '"' && json_scan_string(&s, &raw) &&
                   json_raw_text(raw, ret, size);
        if (s.at == s.text.len || !json_scan_value(&s, JSON_DEPTH_MAX))
            return false;
        json_scan_blanks(&s);
    } while (s.at < s.text.len && s.text.data[s.at] == ',');
    return false;
}
