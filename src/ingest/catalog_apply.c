/* From staged rows to the switch, and what must follow every switch. */
#include <stdlib.h>

#include "ingest/catalog_stage.h"

enum { APPLY_ROWS = 500, WITHDRAW_ROWS = 500, RECOVER_AT_ONCE = 16 };

enum accord_error catalog_changed(struct ingest_tx *tx, const char *provider, struct slice import,
                                  bool new_courses)
{
    enum accord_error e = store_import_supersede(tx->db, provider, import, tx->now);
    const char **watchers = NULL;
    size_t count = 0;
    if (e == ACCORD_OK)
        e = store_catalog_watchers(tx->db, tx->arena, provider, &watchers, &count);
    for (size_t i = 0; i < count && e == ACCORD_OK; i++)
        e = ingest_touch(tx, watchers[i]);
    if (e == ACCORD_OK && new_courses)
        e = ingest_courses_arrived(tx, provider);
    return e;
}

/* ---- applying ---- */

struct apply {
    struct slice id;
    bool more;
    struct store_course_place withdrawn; /* up to where, by chunks that are committed */
    struct store_course_place next;      /* once this chunk is, which may run twice */
};

static enum accord_error finish(struct ingest_tx *tx, struct store_import *import)
{
    const char *provider = arena_strdup(tx->arena, import->provider);
    if (provider == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    const struct store_import_counts *counts = &import->counts;
    const bool changed = counts->created + counts->updated + counts->withdrawn != 0;
    enum accord_error e = changed ? store_catalog_switch(tx->db, provider, import->generation + 1,
                                                         import->active_after)
                                  : store_catalog_release(tx->db, provider, import->id);
    if (e == ACCORD_OK && changed)
        e = catalog_changed(tx, provider, import->id, counts->created != 0);
    if (e != ACCORD_OK)
        return e;
    import->state = IMPORT_APPLIED;
    import->reason = SLICE("");
    import->finished_at = tx->now;
    return store_import_update(tx->db, import);
}

/* One chunk: some withdrawals, else some rows, else the switch. */
static enum accord_error apply_chunk(void *self, struct ingest_tx *tx)
{
    struct apply *apply = self;
    struct store_import import;
    bool found = false;
    apply->more = false;
    enum accord_error e = store_import_get(tx->db, tx->arena, apply->id, &found, &import);
    if (e != ACCORD_OK || !found || import.state != IMPORT_APPLYING)
        return e;
    int64_t count = 0;
    apply->more = true;
    if (import.full && !import.adding) {
        apply->next = apply->withdrawn;
        e = store_apply_withdrawals(tx->db, tx->arena, &import, tx->now, WITHDRAW_ROWS,
                                    &apply->next, &count);
        if (e != ACCORD_OK || count == WITHDRAW_ROWS)
            return e;
        /* From here on staged rows disappear: absence can no longer be seen. */
        import.adding = true;
        return store_import_update(tx->db, &import);
    }
    e = store_apply_rows(tx->db, &import, tx->now, APPLY_ROWS, &count);
    if (e != ACCORD_OK || count != 0)
        return e;
    apply->more = false;
    return finish(tx, &import);
}

/* ---- rows of imports that were superseded while they waited for approval ---- */

struct leftover {
    struct arena *arena;
    struct store_import import;
    bool found;
};

static enum accord_error read_leftover(void *self, struct db *db)
{
    struct leftover *l = self;
    return store_import_leftover(db, l->arena, &l->found, &l->import);
}

static enum accord_error sweep(const struct catalog_host *host)
{
    struct leftover l = {.arena = arena_new((size_t)1 << 20)};
    if (l.arena == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    enum accord_error e;
    do {
        arena_reset(l.arena);
        l.found = false;
        e = host->read(host->context, read_leftover, &l);
        if (e == ACCORD_OK && l.found)
            e = catalog_drop_rows(host, l.import.id);
    } while (e == ACCORD_OK && l.found);
    arena_free(l.arena);
    return e;
}

enum accord_error catalog_apply(const struct catalog_host *host, const char *import)
{
    struct apply apply = {.id = slice_of(import), .more = true};
    enum accord_error e = ACCORD_OK;
    while (apply.more && e == ACCORD_OK) {
        e = host->write(host->context, apply_chunk, &apply);
        apply.withdrawn = apply.next;
    }
    if (e != ACCORD_OK)
        return e;
    /* The import is done, whatever becomes of this; the next one tries again. */
    sweep(host);
    return ACCORD_OK;
}

enum accord_error catalog_approve(struct ingest_tx *tx, struct slice id)
{
    struct store_import import;
    bool found = false;
    enum accord_error e = store_import_get(tx->db, tx->arena, id, &found, &import);
    if (e != ACCORD_OK || !found)
        return e != ACCORD_OK ? e : ACCORD_E_NOT_FOUND;
    if (import.state != IMPORT_BLOCKED || import.dry_run)
        return ACCORD_E_IMPORT_STATE;
    const char *provider = arena_strdup(tx->arena, import.provider);
    if (provider == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    struct store_catalog catalog;
    e = store_catalog_get(tx->db, tx->arena, provider, &catalog);
    if (e != ACCORD_OK)
        return e;
    if (catalog.applying.len != 0)
        return ACCORD_E_CATALOG_BUSY;
    if (catalog.generation != import.generation)
        return ACCORD_E_IMPORT_STATE;
    bool taken;
    e = store_catalog_take(tx->db, provider, id, &taken);
    if (e != ACCORD_OK || !taken)
        return e != ACCORD_OK ? e : ACCORD_E_CATALOG_BUSY;
    import.state = IMPORT_APPLYING;
    return store_import_update(tx->db, &import);
}

/* ---- after a stop ---- */

struct unfinished {
    struct arena *arena;
    struct store_import rows[RECOVER_AT_ONCE];
    size_t count;
};

static enum accord_error read_unfinished(void *self, struct db *db)
{
    struct unfinished *u = self;
    return store_import_unfinished(db, u->arena, RECOVER_AT_ONCE, u->rows, &u->count);
}

static enum accord_error recover_some(const struct catalog_host *host, struct unfinished *u)
{
    enum accord_error e = host->read(host->context, read_unfinished, u);
    for (size_t i = 0; i < u->count && e == ACCORD_OK; i++) {
        const char *id = u->rows[i].id.data; /* NUL-terminated: a copy in the arena */
        e = u->rows[i].state == IMPORT_APPLYING ? catalog_apply(host, id)
                                                : catalog_fail(host, id, "interrupted");
    }
    return e;
}

enum accord_error catalog_recover(const struct catalog_host *host)
{
    struct unfinished *u = calloc(1, sizeof *u);
    struct arena *arena = arena_new((size_t)1 << 20);
    enum accord_error e = u == NULL || arena == NULL ? ACCORD_E_OUT_OF_MEMORY : ACCORD_OK;
    if (e == ACCORD_OK) {
        u->arena = arena;
        u->count = RECOVER_AT_ONCE;
    }
    while (e == ACCORD_OK && u->count == RECOVER_AT_ONCE) {
        u->count = 0;
        arena_reset(arena);
        e = recover_some(host, u);
    }
    arena_free(arena);
    free(u);
    return e;
}
