#include "ingest/catalog_stage.h"

#include <stdlib.h>

enum { CHUNK_ITEMS = 500, CHUNK_BYTES = 1 << 20, SLOTS = 1024 };

struct item {
    struct catalog_element element; /* its row's cells are copied into the arena */
    struct hash raw;
    bool known;   /* an active course was sent in the same words: not decoded */
    bool refused; /* problems were found */
    bool flaps;   /* it would get back once more what it keeps losing */
    struct store_course course;
    struct store_course_head head;
    struct store_import_seen seen; /* by an earlier chunk */
};

struct chunk {
    struct item items[CHUNK_ITEMS];
    size_t count;
    bool last;

    struct slice ids[CHUNK_ITEMS]; /* of the items, "" where there is none */
    struct store_course_head heads[CHUNK_ITEMS];
    struct store_import_seen seen[CHUNK_ITEMS];
    struct hash raw[CHUNK_ITEMS];
    struct slice raw_ids[CHUNK_ITEMS];
    struct hash raw_content[CHUNK_ITEMS];

    struct store_import_row rows[CHUNK_ITEMS];
    size_t row_count;
    struct store_course_return returns[CHUNK_ITEMS];
    size_t return_count;
    uint16_t slots[SLOTS]; /* open addressing by course_id: 1 + index of a row */

    struct store_problem *problems;
    size_t problem_count, problem_room;
};

/* ---- fill ---- */

static enum accord_error copy_row(struct arena *arena, struct csv_row *row)
{
    struct slice *cells = arena_array(arena, row->count, sizeof *cells);
    if (cells == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < row->count; i++) {
        const char *copy = arena_strdup(arena, row->cells[i]);
        if (copy == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        cells[i] = (struct slice){copy, row->cells[i].len};
    }
    row->cells = cells;
    return ACCORD_OK;
}

static enum accord_error fill(struct staging *s, struct chunk *chunk)
{
    size_t bytes = 0;
    while (chunk->count < CHUNK_ITEMS && bytes < CHUNK_BYTES) {
        struct item *item = &chunk->items[chunk->count];
        bool more;
        enum accord_error e = catalog_source_next(s->source, &item->element, &more);
        if (e != ACCORD_OK)
            return e;
        if (!more) {
            chunk->last = true;
            return ACCORD_OK;
        }
        chunk->count++;
        bytes += item->element.bytes;
        if (item->element.refused != ACCORD_OK)
            continue;
        item->raw = catalog_source_hash(s->source, &item->element, &s->scratch);
        if (item->element.row.count != 0) {
            e = copy_row(s->arena, &item->element.row);
            if (e != ACCORD_OK)
                return e;
        }
    }
    return ACCORD_OK;
}

/* ---- what the database knows ---- */

struct lookup {
    struct staging *staging;
    struct chunk *chunk;
};

static enum accord_error read_raw(void *self, struct db *db)
{
    const struct lookup *lookup = self;
    struct staging *s = lookup->staging;
    struct chunk *c = lookup->chunk;
    return store_course_by_raw(db, s->arena, s->request->provider, s->import.generation, c->raw,
                               c->count, c->raw_ids, c->raw_content);
}

static enum accord_error read_heads(void *self, struct db *db)
{
    const struct lookup *lookup = self;
    struct staging *s = lookup->staging;
    struct chunk *c = lookup->chunk;
    const enum accord_error e = store_rows_seen(db, s->import.id, c->ids, c->count, c->seen);
    if (e != ACCORD_OK)
        return e;
    return store_course_heads(db, s->arena, s->request->provider, s->import.generation, c->ids,
                              c->count, c->heads);
}

static bool is_change(const struct item *item)
{
    return !item->refused && item->head.active &&
           !hash_equal(&item->head.content_hash, &item->course.content_hash);
}

static enum accord_error read_returns(void *self, struct db *db)
{
    const struct lookup *lookup = self;
    const struct staging *s = lookup->staging;
    struct chunk *c = lookup->chunk;
    return store_course_returns(db, s->request->provider, s->import.generation,
                                s->import.created_at - CLOCK_DAY_US, c->returns, c->return_count);
}

/* Which courses go to and fro: feeds that are put together from two sources do that for ever, and
 * every channel would hear of it each time. */
static enum accord_error find_flapping(struct staging *s, struct chunk *c)
{
    const int64_t flaps_max = s->host->config->catalog_flaps_max;
    size_t places[CHUNK_ITEMS];
    for (size_t i = 0; i < c->count && flaps_max > 0; i++) {
        if (!is_change(&c->items[i]))
            continue;
        places[c->return_count] = i;
        c->returns[c->return_count++] = (struct store_course_return){
            c->items[i].course.course_id, c->items[i].course.content_hash, 0};
    }
    if (c->return_count == 0)
        return ACCORD_OK;
    struct lookup lookup = {s, c};
    const enum accord_error e = s->host->read(s->host->context, read_returns, &lookup);
    for (size_t i = 0; i < c->return_count && e == ACCORD_OK; i++)
        c->items[places[i]].flaps = c->returns[i].count >= flaps_max;
    return e;
}

static enum accord_error recognise(struct staging *s, struct chunk *c)
{
    for (size_t i = 0; i < c->count; i++)
        c->raw[i] = c->items[i].raw;
    struct lookup lookup = {s, c};
    const enum accord_error e = s->host->read(s->host->context, read_raw, &lookup);
    if (e != ACCORD_OK)
        return e;
    for (size_t i = 0; i < c->count; i++) {
        struct item *item = &c->items[i];
        if (item->element.refused != ACCORD_OK || c->raw_ids[i].data == NULL)
            continue;
        item->known = true;
        item->course.course_id = c->raw_ids[i];
        item->course.content_hash = c->raw_content[i];
    }
    return ACCORD_OK;
}

/* ---- problems ---- */

static enum accord_error add_problem(struct staging *s, struct chunk *c, const struct item *item,
                                     const char *field, enum accord_error code, const char *message)
{
    s->import.problems++;
    if (s->import.problems > CATALOG_PROBLEMS_STORED_MAX)
        return ACCORD_OK;
    if (c->problem_count == c->problem_room) {
        const size_t room = c->problem_room == 0 ? 64 : c->problem_room * 2;
        struct store_problem *grown = arena_array(s->arena, room, sizeof *grown);
        if (grown == NULL)
            return ACCORD_E_OUT_OF_MEMORY;
        if (c->problem_count != 0)
            memcpy(grown, c->problems, c->problem_count * sizeof *grown);
        c->problems = grown;
        c->problem_room = room;
    }
    const char *field_copy = arena_strdup(s->arena, slice_of(field));
    const char *message_copy = arena_strdup(s->arena, slice_of(message));
    if (field_copy == NULL || message_copy == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    c->problems[c->problem_count++] = (struct store_problem){
        .number = s->import.problems,
        .line = (int64_t)item->element.line,
        .course_id = item->course.course_id,
        .field = slice_of(field_copy),
        .code = slice_of(accord_error_code(code)),
        .message = slice_of(message_copy),
    };
    return ACCORD_OK;
}

static enum accord_error add_problems(struct staging *s, struct chunk *c, const struct item *item,
                                      const struct json_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct json_problem *problem = &problems->items[i];
        const char *field = problem->pointer[0] == '/' ? problem->pointer + 1 : problem->pointer;
        const enum accord_error e = add_problem(s, c, item, field, problem->code, problem->message);
        if (e != ACCORD_OK)
            return e;
    }
    /* What an element has beyond the list is counted, not kept. */
    s->import.problems += (int64_t)(problems->total - problems->count);
    return ACCORD_OK;
}

/* ---- decode ---- */

static enum accord_error refuse_element(struct staging *s, struct chunk *c, struct item *item)
{
    item->refused = true;
    item->course.course_id = SLICE("");
    const enum accord_error code = item->element.refused;
    return add_problem(s, c, item, "", code,
                       item->element.reason == NULL ? accord_error_title(code)
                                                    : item->element.reason);
}

static enum accord_error decode(struct staging *s, struct chunk *c, struct item *item,
                                struct json_problems *problems)
{
    if (item->element.refused != ACCORD_OK)
        return refuse_element(s, c, item);
    if (item->known)
        return ACCORD_OK;
    problems->count = 0;
    problems->total = 0;
    struct course course;
    const struct catalog_map *map = s->source->map;
    enum accord_error e = map != NULL ? course_from_row(s->arena, map, &item->element.row,
                                                        &s->request->defaults, &course, problems)
                                      : course_decode(s->arena, item->element.text, false,
                                                      &s->request->defaults, &course, problems);
    if (e == ACCORD_OK) {
        e = course_encode(s->arena, &course, &item->course);
        item->course.raw_hash = item->raw;
        return e;
    }
    if (e == ACCORD_E_OUT_OF_MEMORY)
        return e;
    item->refused = true;
    item->course.course_id = map != NULL ? course_row_id(map, &item->element.row)
                                         : course_peek_id(s->arena, item->element.text);
    return add_problems(s, c, item, problems);
}

/* ---- decide ---- */

/* The slot of a course_id: empty, or that of its row in this chunk. */
static uint16_t *slot_of(struct chunk *c, struct slice course_id)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < course_id.len; i++)
        h = (h ^ (unsigned char)course_id.data[i]) * UINT64_C(0x100000001b3);
    size_t at = (size_t)(h ^ (h >> 32)) % SLOTS;
    while (c->slots[at] != 0 && !slice_equal(c->rows[c->slots[at] - 1].course.course_id, course_id))
        at = (at + 1) % SLOTS;
    return &c->slots[at];
}

/* Gives a staged row its action by what stands now, and counts it. */
static void settle_row(struct staging *s, const struct item *item, struct store_import_row *row)
{
    const struct store_course_head *head = &item->head;
    row->base_version = head->version;
    if (head->version == 0) {
        row->action = IMPORT_CREATE;
        s->import.counts.created++;
    } else if (item->flaps) {
        row->action = IMPORT_KEEP;
        s->import.counts.rejected++;
    } else if (!head->active || !hash_equal(&head->content_hash, &row->course.content_hash)) {
        row->action = IMPORT_UPDATE;
        s->import.counts.updated++;
        s->revived += !head->active;
    } else {
        const bool same_words = item->known || hash_equal(&head->raw_hash, &item->raw);
        row->action = same_words ? IMPORT_KEEP : IMPORT_TOUCH;
        s->import.counts.unchanged++;
        s->touched += !same_words;
    }
}

/* The opaque id and, where nothing is written of it, no more than that of the course. */
static enum accord_error dress_row(struct staging *s, const struct item *item,
                                   struct store_import_row *row)
{
    const struct slice none = SLICE("");
    if (row->action != IMPORT_CREATE && row->action != IMPORT_UPDATE)
        row->course = (struct store_course){.course_id = row->course.course_id,
                                            .content_hash = row->course.content_hash,
                                            .raw_hash = item->raw,
                                            .title = none,
                                            .language = none,
                                            .level = none,
                                            .kind = none,
                                            .price_currency = none,
                                            .body = none};
    row->course.id = item->head.id.data == NULL ? none : item->head.id;
    if (row->action != IMPORT_CREATE)
        return ACCORD_OK;
    char text[RANDOM_ID_MAX];
    random_id("crs_", text);
    const char *id = arena_strdup(s->arena, slice_of(text));
    if (id == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    row->course.id = slice_of(id);
    return ACCORD_OK;
}

static enum accord_error decide(struct staging *s, struct chunk *c, struct item *item)
{
    s->import.counts.received++;
    const struct slice course_id = item->course.course_id;
    if (item->refused)
        s->import.counts.rejected++;
    if (course_id.len == 0)
        return ACCORD_OK;

    uint16_t *slot = slot_of(c, course_id);
    struct store_import_row *prior = *slot == 0 ? NULL : &c->rows[*slot - 1];
    const bool stands = prior != NULL ? prior->action != IMPORT_SEEN
                                      : item->seen.found && item->seen.action != IMPORT_SEEN;
    if (item->refused && (prior != NULL || item->seen.found))
        return ACCORD_OK;
    if (stands) {
        const struct hash *first =
            prior != NULL ? &prior->course.content_hash : &item->seen.content_hash;
        if (hash_equal(first, &item->course.content_hash)) {
            s->import.counts.unchanged++;
            return ACCORD_OK;
        }
        s->import.counts.rejected++;
        return add_problem(s, c, item, "course_id", ACCORD_E_COURSE_REPEATED,
                           "stands in this upload before, with other content: the first is kept");
    }
    if (prior == NULL && !item->seen.found)
        s->matched_active += item->head.active;
    if (prior == NULL) {
        prior = &c->rows[c->row_count++];
        *slot = (uint16_t)c->row_count;
    }
    *prior = (struct store_import_row){
        .line = (int64_t)item->element.line, .action = IMPORT_SEEN, .course = item->course};
    if (!item->refused)
        settle_row(s, item, prior);
    enum accord_error e = dress_row(s, item, prior);
    if (e == ACCORD_OK && item->flaps)
        e = add_problem(s, c, item, "course_id", ACCORD_E_COURSE_FLAPPING,
                        accord_error_title(ACCORD_E_COURSE_FLAPPING));
    return e;
}

/* ---- write ---- */

struct stage_write {
    struct staging *staging;
    struct chunk *chunk;
};

static enum accord_error write_chunk(void *self, struct ingest_tx *tx)
{
    const struct stage_write *write = self;
    struct staging *s = write->staging;
    struct chunk *c = write->chunk;
    enum accord_error e = store_rows_add(tx->db, s->import.id, c->rows, c->row_count);
    if (e == ACCORD_OK)
        e = store_problems_add(tx->db, s->import.id, c->problems, c->problem_count);
    if (e == ACCORD_OK)
        e = store_import_update(tx->db, &s->import);
    return e;
}

static enum accord_error stage_chunk(struct staging *s, struct chunk *c)
{
    enum accord_error e = fill(s, c);
    if (e == ACCORD_OK)
        e = recognise(s, c);
    struct json_problems *problems = arena_alloc(s->arena, sizeof *problems);
    if (problems == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    for (size_t i = 0; i < c->count && e == ACCORD_OK; i++)
        e = decode(s, c, &c->items[i], problems);
    if (e != ACCORD_OK)
        return e;
    for (size_t i = 0; i < c->count; i++)
        c->ids[i] = c->items[i].course.course_id;
    struct lookup lookup = {s, c};
    e = s->host->read(s->host->context, read_heads, &lookup);
    for (size_t i = 0; i < c->count; i++) {
        c->items[i].head = c->heads[i];
        c->items[i].seen = c->seen[i];
    }
    if (e == ACCORD_OK)
        e = find_flapping(s, c);
    for (size_t i = 0; i < c->count && e == ACCORD_OK; i++)
        e = decide(s, c, &c->items[i]);
    if (e != ACCORD_OK || c->count == 0)
        return e;
    struct stage_write write = {s, c};
    return s->host->write(s->host->context, write_chunk, &write);
}

enum accord_error catalog_stage(struct staging *staging)
{
    struct chunk *chunk = malloc(sizeof *chunk);
    if (chunk == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error e = ACCORD_OK;
    for (bool last = false; !last && e == ACCORD_OK; last = chunk->last) {
        memset(chunk, 0, sizeof *chunk);
        arena_reset(staging->arena);
        e = stage_chunk(staging, chunk);
    }
    free(chunk);
    return e;
}
