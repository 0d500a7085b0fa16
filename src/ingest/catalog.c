#include "ingest/catalog.h"

#include <stdlib.h>

#include "ingest/catalog_stage.h"

enum {
    CHUNK_ARENA_MAX = 256 << 20,
    DROP_ROWS = 2000,
};

/* ---- begin ---- */

struct begin {
    const struct catalog_request *request;
    const char *id;
    bool declined; /* by the claim */
    bool busy;
};

static enum accord_error begin(void *self, struct ingest_tx *tx)
{
    struct begin *b = self;
    const struct catalog_claim *claim = b->request->claim;
    const struct slice id = slice_of(b->id);
    bool taken = true;
    bool go_on = true;
    enum accord_error e = ACCORD_OK;
    b->busy = false;
    if (claim != NULL)
        e = claim->before(claim->self, tx, &go_on);
    b->declined = !go_on;
    if (e != ACCORD_OK || !go_on)
        return e;
    if (!b->request->dry_run)
        e = store_catalog_take(tx->db, b->request->provider, id, &taken);
    b->busy = !taken;
    struct store_catalog catalog;
    if (e == ACCORD_OK && taken)
        e = store_catalog_get(tx->db, tx->arena, b->request->provider, &catalog);
    if (e != ACCORD_OK || !taken)
        return e;
    const struct store_import row = {
        .id = id,
        .provider = slice_of(b->request->provider),
        .created_at = tx->now,
        .state = IMPORT_STAGED,
        .reason = SLICE(""),
        .full = b->request->full,
        .format = slice_of(catalog_format_name(b->request->format)),
        .dry_run = b->request->dry_run,
        .generation = catalog.generation,
    };
    e = store_import_add(tx->db, &row);
    return e == ACCORD_OK && claim != NULL ? claim->begun(claim->self, tx, b->id) : e;
}

enum accord_error catalog_begin(const struct catalog_host *host,
                                const struct catalog_request *request,
                                char ret_import[RANDOM_ID_MAX])
{
    char id[RANDOM_ID_MAX];
    random_id("imp_", id);
    struct begin b = {.request = request, .id = id};
    const enum accord_error e = host->write(host->context, begin, &b);
    if (e != ACCORD_OK)
        return e;
    if (b.busy)
        return ACCORD_E_CATALOG_BUSY;
    if (b.declined)
        *ret_import = '\0';
    else
        memcpy(ret_import, id, sizeof id);
    return ACCORD_OK;
}

/* ---- the end of an import that is not applied ---- */

struct drop {
    struct slice import;
    bool left;
};

static enum accord_error drop_rows(void *self, struct ingest_tx *tx)
{
    struct drop *drop = self;
    return store_rows_drop(tx->db, drop->import, DROP_ROWS, &drop->left);
}

enum accord_error catalog_drop_rows(const struct catalog_host *host, struct slice import)
{
    struct drop drop = {import, true};
    enum accord_error e = ACCORD_OK;
    while (drop.left && e == ACCORD_OK)
        e = host->write(host->context, drop_rows, &drop);
    return e;
}

struct fail {
    struct slice import;
    const char *reason;
};

static enum accord_error mark_failed(void *self, struct ingest_tx *tx)
{
    const struct fail *fail = self;
    struct store_import import;
    bool found = false;
    enum accord_error e = store_import_get(tx->db, tx->arena, fail->import, &found, &import);
    if (e != ACCORD_OK || !found || import.state != IMPORT_STAGED || import.finished_at != 0)
        return e;
    import.state = IMPORT_FAILED;
    import.reason = slice_of(fail->reason);
    import.finished_at = tx->now;
    e = store_import_update(tx->db, &import);
    const char *provider = arena_strdup(tx->arena, import.provider);
    if (provider == NULL)
        return ACCORD_E_OUT_OF_MEMORY;
    return e != ACCORD_OK ? e : store_catalog_release(tx->db, provider, import.id);
}

enum accord_error catalog_fail(const struct catalog_host *host, const char *import,
                               const char *reason)
{
    struct fail fail = {slice_of(import), reason};
    const enum accord_error e = catalog_drop_rows(host, fail.import);
    return e != ACCORD_OK ? e : host->write(host->context, mark_failed, &fail);
}

/* ---- check and guard ---- */

/* Why the import must not be applied unseen; "" when nothing speaks against it. */
static const char *guard(const struct store_import *import, int64_t active,
                         const struct ingest_config *config)
{
    if (!import->full)
        return "";
    if (import->counts.received == import->counts.rejected)
        return "no_good_rows";
    const int64_t gone = import->counts.withdrawn;
    if (gone == 0 || active < config->catalog_guard_min)
        return "";
    /* Counts of courses are far below 2^40, so that the products fit. */
    return gone * ACCORD_PPM_WHOLE > active * config->catalog_drop_max_ppm ? "withdraws_too_many"
                                                                           : "";
}

struct close_staging {
    struct staging *staging;
    bool apply;
};

static enum accord_error close_staging(void *self, struct ingest_tx *tx)
{
    struct close_staging *c = self;
    const struct staging *s = c->staging;
    struct store_import import = s->import;
    struct store_catalog catalog;
    enum accord_error e = store_catalog_get(tx->db, tx->arena, s->request->provider, &catalog);
    if (e != ACCORD_OK)
        return e;
    if (import.full)
        import.counts.withdrawn = catalog.active_courses - s->matched_active;
    import.active_after =
        catalog.active_courses + import.counts.created + s->revived - import.counts.withdrawn;
    import.reason = slice_of(guard(&import, catalog.active_courses, tx->config));
    c->apply = false;
    if (import.reason.len != 0)
        import.state = IMPORT_BLOCKED;
    else if (!import.dry_run)
        import.state = IMPORT_APPLYING;
    if (import.dry_run)
        import.finished_at = tx->now;
    else if (import.state == IMPORT_BLOCKED)
        e = store_catalog_release(tx->db, s->request->provider, import.id);
    c->apply = import.state == IMPORT_APPLYING;
    return e != ACCORD_OK ? e : store_import_update(tx->db, &import);
}

static enum accord_error run_staging(struct staging *s, bool *ret_apply)
{
    enum accord_error e = catalog_stage(s);
    /* The rows of a dry run go before it says that it has finished. */
    if (e == ACCORD_OK && s->request->dry_run)
        e = catalog_drop_rows(s->host, s->import.id);
    struct close_staging close = {.staging = s};
    if (e == ACCORD_OK)
        e = s->host->write(s->host->context, close_staging, &close);
    if (e == ACCORD_OK)
        *ret_apply = close.apply;
    return e;
}

struct load {
    struct slice id;
    struct arena *arena;
    struct store_import import;
    bool found;
};

static enum accord_error load_import(void *self, struct db *db)
{
    struct load *load = self;
    return store_import_get(db, load->arena, load->id, &load->found, &load->import);
}

/* Whether an error speaks of the upload, not of the database. */
static bool is_upload_error(enum accord_error e)
{
    return e == ACCORD_E_JSON_INVALID || e == ACCORD_E_CSV_INVALID ||
           e == ACCORD_E_COLUMN_UNKNOWN || e == ACCORD_E_BODY_EMPTY;
}

enum accord_error catalog_run(const struct catalog_host *host,
                              const struct catalog_request *request, const char *import,
                              struct slice body)
{
    struct catalog_source source = {0};
    struct staging s = {.host = host, .request = request, .source = &source};
    struct arena *own = arena_new(CHUNK_ARENA_MAX);
    s.arena = arena_new(CHUNK_ARENA_MAX);
    buf_init(&s.scratch, (size_t)4 * COURSE_ELEMENT_MAX);
    struct json_problems *problems = own == NULL ? NULL : arena_alloc(own, sizeof *problems);
    struct load load = {.id = slice_of(import), .arena = own};
    bool apply = false;
    enum accord_error e = ACCORD_E_OUT_OF_MEMORY;
    if (problems == NULL || s.arena == NULL)
        goto done;
    e = host->read(host->context, load_import, &load);
    if (e == ACCORD_OK && !load.found)
        e = ACCORD_E_NOT_FOUND;
    if (e != ACCORD_OK)
        goto done;
    s.import = load.import;
    e = catalog_source_open(own, request, body, &source, problems);
    if (e == ACCORD_OK)
        e = run_staging(&s, &apply);
done:
    catalog_source_close(&source);
    buf_done(&s.scratch);
    arena_free(s.arena);
    arena_free(own);
    if (e == ACCORD_OK && apply)
        return catalog_apply(host, import);
    if (e == ACCORD_OK)
        return e;
    const enum accord_error failed = catalog_fail(host, import, accord_error_code(e));
    return is_upload_error(e) ? failed : e;
}
