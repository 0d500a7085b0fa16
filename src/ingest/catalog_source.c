#include "ingest/catalog_source.h"

#include <stdlib.h>

#include "ingest/csv_value.h"

/* Part of every raw hash: raise it when decoding changes, so that unchanged rows are read again. */
static const char decoder_version[] = "course 1";

const char *catalog_format_name(enum catalog_format format)
{
    switch (format) {
    case CATALOG_JSON:
        return "json";
    case CATALOG_NDJSON:
        return "ndjson";
    case CATALOG_CSV:
        return "csv";
    }
    return "";
}

static void add_part(struct buf *out, struct slice part)
{
    const uint64_t len = part.len;
    buf_add(out, &len, sizeof len);
    buf_add_slice(out, part);
}

static enum accord_error make_key(struct catalog_source *source)
{
    const struct catalog_request *request = source->request;
    struct buf parts;
    buf_init(&parts, (size_t)4 << 20);
    add_part(&parts, slice_of(decoder_version));
    add_part(&parts, slice_of(catalog_format_name(request->format)));
    add_part(&parts, request->columns);
    add_part(&parts, slice_of(request->defaults.currency.code));
    add_part(&parts, request->defaults.language);
    for (size_t i = 0; source->map != NULL && i < source->map->cells; i++)
        add_part(&parts, source->map->names[i]);
    const enum accord_error e = buf_error(&parts);
    if (e == ACCORD_OK)
        source->key = hash_of(buf_slice(&parts));
    buf_done(&parts);
    return e;
}

static enum accord_error open_csv(struct arena *arena, struct catalog_source *source,
                                  struct json_problems *problems)
{
    struct csv_row header;
    enum accord_error e = csv_open(source->body, COURSE_ELEMENT_MAX, &source->csv);
    if (e != ACCORD_OK)
        return e;
    e = csv_next(source->csv, &header);
    if (e == ACCORD_E_OUT_OF_MEMORY)
        return e;
    if (e != ACCORD_OK || header.count == 0) {
        json_problem_add(problems, ACCORD_E_CSV_INVALID, "", "there is no readable header row");
        return ACCORD_E_CSV_INVALID;
    }
    e = catalog_map_bind(arena, source->request->columns, &header, &source->map, problems);
    if (e == ACCORD_E_TEXT_INVALID) {
        json_problem_add(problems, ACCORD_E_CSV_INVALID, "", "the header row is not UTF-8");
        return ACCORD_E_CSV_INVALID;
    }
    return e;
}

static enum accord_error open_json(struct catalog_source *source, struct json_problems *problems)
{
    const enum json_split_shape shape =
        source->request->format == CATALOG_JSON ? JSON_SPLIT_ARRAY : JSON_SPLIT_NDJSON;
    const enum accord_error e =
        json_split_begin(&source->splitter, source->body, shape, "courses", COURSE_ELEMENT_MAX);
    if (e != ACCORD_OK)
        json_problem_add(problems, e, "", "line %llu: %s",
                         (unsigned long long)source->splitter.error_line, source->splitter.reason);
    return e;
}

enum accord_error catalog_source_open(struct arena *arena, const struct catalog_request *request,
                                      struct slice body, struct catalog_source *ret,
                                      struct json_problems *problems)
{
    struct catalog_source source = {.request = request, .body = body};
    if (csv_trim(body).len == 0) {
        json_problem_add(problems, ACCORD_E_BODY_EMPTY, "", "there is nothing in the body");
        return ACCORD_E_BODY_EMPTY;
    }
    enum accord_error e = request->format == CATALOG_CSV ? open_csv(arena, &source, problems)
                                                         : open_json(&source, problems);
    if (e == ACCORD_OK)
        e = make_key(&source);
    if (e != ACCORD_OK)
        catalog_source_close(&source);
    else
        *ret = source;
    return e;
}

void catalog_source_close(struct catalog_source *source)
{
    csv_close(source->csv);
    source->csv = NULL;
}

static enum accord_error next_row(struct catalog_source *source, struct catalog_element *ret,
                                  bool *ret_more)
{
    *ret = (struct catalog_element){0};
    const enum accord_error e = csv_next(source->csv, &ret->row);
    ret->line = ret->row.line;
    if (e == ACCORD_E_OUT_OF_MEMORY)
        return e;
    if (csv_is_broken(source->csv))
        return ACCORD_E_CSV_INVALID;
    ret->refused = e;
    if (e == ACCORD_E_CSV_INVALID)
        ret->reason = "a quote is not closed, or stands inside a cell that is not quoted";
    else if (e == ACCORD_E_ELEMENT_TOO_LARGE)
        ret->reason = "the row is longer than 1 MiB; is a quote not closed?";
    for (size_t i = 0; i < ret->row.count; i++)
        ret->bytes += ret->row.cells[i].len + sizeof ret->row.cells[i];
    *ret_more = e != ACCORD_OK || ret->row.count != 0;
    return ACCORD_OK;
}

static enum accord_error next_text(struct catalog_source *source, struct catalog_element *ret,
                                   bool *ret_more)
{
    *ret = (struct catalog_element){0};
    const enum accord_error e = json_split_next(&source->splitter, &ret->text);
    if (e == ACCORD_E_JSON_INVALID && source->request->format == CATALOG_JSON)
        return e;
    ret->line = source->request->format == CATALOG_JSON ? source->splitter.index + 1
                                                        : source->splitter.line;
    ret->refused = e;
    ret->reason = source->splitter.reason;
    ret->bytes = ret->text.len;
    *ret_more = e != ACCORD_OK || ret->text.data != NULL;
    return ACCORD_OK;
}

enum accord_error catalog_source_next(struct catalog_source *source, struct catalog_element *ret,
                                      bool *ret_more)
{
    return source->csv != NULL ? next_row(source, ret, ret_more) : next_text(source, ret, ret_more);
}

struct hash catalog_source_hash(const struct catalog_source *source,
                                const struct catalog_element *element, struct buf *scratch)
{
    if (source->csv == NULL)
        return hash_keyed(source->key.bytes, element->text);
    scratch->len = 0;
    for (size_t i = 0; i < element->row.count; i++)
        add_part(scratch, element->row.cells[i]);
    return hash_keyed(source->key.bytes, buf_slice(scratch));
}

enum accord_error catalog_check(struct arena *arena, const struct catalog_request *request,
                                struct slice body, struct json_problems *problems)
{
    struct catalog_source source;
    enum accord_error e = catalog_source_open(arena, request, body, &source, problems);
    if (e != ACCORD_OK)
        return e;
    /* An array that is unsound somewhere is refused whole, before anything is written. */
    bool more = request->format == CATALOG_JSON;
    while (more && e == ACCORD_OK) {
        struct catalog_element element;
        e = catalog_source_next(&source, &element, &more);
    }
    if (e == ACCORD_E_JSON_INVALID)
        json_problem_add(problems, e, "", "line %llu: %s",
                         (unsigned long long)source.splitter.error_line, source.splitter.reason);
    catalog_source_close(&source);
    return e;
}
