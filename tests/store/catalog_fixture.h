/* A book on a file of its own, and imports run over one connection. A host may be made to die at
 * its nth write: what is not committed by then is lost, as in a crash. */
#ifndef ACCORD_TESTS_CATALOG_FIXTURE_H
#define ACCORD_TESTS_CATALOG_FIXTURE_H

#include <string.h>

#include "../unit/temp_dir.h"
#include "db/migrate.h"
#include "ingest/catalog.h"
#include "store/partners.h"

struct fixture {
    char dir[TEMP_DIR_MAX];
    char url[TEMP_DIR_MAX + 32];
    struct ingest_config config;
    struct ingest_tx *tx;
    struct db *db;
    struct arena *arena;
    struct catalog_host host;
    int writes_left; /* -1: without end */
    bool twice;      /* each write is rolled back first, and run again: as the writer may do */
    int writes;
};

static inline enum accord_error fixture_write(void *context, catalog_write_fn *work, void *self)
{
    struct fixture *f = context;
    if (f->writes_left == 0)
        return ACCORD_E_DATABASE_UNAVAILABLE;
    if (f->writes_left > 0)
        f->writes_left--;
    f->writes++;
    if (f->twice) {
        ck_assert_int_eq(db_begin(f->db), ACCORD_OK);
        ck_assert_int_eq(ingest_tx_enter(f->tx, f->db), ACCORD_OK);
        ck_assert_int_eq(work(self, f->tx), ACCORD_OK);
        db_rollback(f->db);
        ingest_tx_rolled_back(f->tx);
    }
    enum accord_error e = db_begin(f->db);
    if (e == ACCORD_OK)
        e = ingest_tx_enter(f->tx, f->db);
    if (e == ACCORD_OK)
        e = work(self, f->tx);
    if (e == ACCORD_OK)
        e = ingest_tx_before_commit(f->tx, f->db);
    if (e == ACCORD_OK)
        return db_commit(f->db);
    db_rollback(f->db);
    ingest_tx_rolled_back(f->tx);
    return e;
}

static inline enum accord_error fixture_read(void *context, catalog_read_fn *work, void *self)
{
    struct fixture *f = context;
    enum accord_error e = db_begin(f->db);
    if (e == ACCORD_OK)
        e = work(self, f->db);
    db_rollback(f->db);
    return e;
}

static inline enum accord_error fixture_add_partner(void *self, struct ingest_tx *tx)
{
    const char *id = self;
    const struct partner_row row = {.id = id,
                                    .name = id,
                                    .legal_name = "",
                                    .tax_id = "",
                                    .roles = 3,
                                    .currency = "CNY",
                                    .time_zone = "Asia/Shanghai",
                                    .profile = "{}",
                                    .column_map = "",
                                    .version = 1,
                                    .created_at = tx->now,
                                    .updated_at = tx->now};
    bool added;
    return store_partner_insert(tx->db, &row, &added);
}

static inline void fixture_open(struct fixture *f)
{
    char why[DB_WHY_MAX];
    *f = (struct fixture){
        .config = {.catalog_drop_max_ppm = 200000, .catalog_guard_min = 5, .catalog_flaps_max = 3},
        .writes_left = -1,
    };
    temp_dir_make(f->dir);
    snprintf(f->url, sizeof f->url, "sqlite:%s/accord.db", f->dir);
    ck_assert_int_eq(db_migrate(f->url, NULL, why), ACCORD_OK);
    ck_assert_int_eq(db_open(f->url, DB_READ_WRITE, &f->db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_new(&f->config, &f->tx), ACCORD_OK);
    f->arena = arena_new((size_t)64 << 20);
    f->host = (struct catalog_host){f, &f->config, fixture_write, fixture_read};
    static const char *const partners[] = {"mooc", "other", "shop"};
    for (size_t i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "%s", partners[i]);
        ck_assert_int_eq(fixture_write(f, fixture_add_partner, id), ACCORD_OK);
    }
}

static inline void fixture_close(struct fixture *f)
{
    ingest_tx_free(f->tx);
    db_close(f->db);
    arena_free(f->arena);
    temp_dir_remove(f->dir);
}

/* The host after a crash: a new process on the same file. */
static inline void fixture_restart(struct fixture *f)
{
    ingest_tx_free(f->tx);
    db_close(f->db);
    f->writes_left = -1;
    ck_assert_int_eq(db_open(f->url, DB_READ_WRITE, &f->db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_new(&f->config, &f->tx), ACCORD_OK);
}

static inline struct store_import fixture_receipt(struct fixture *f, const char *import)
{
    struct store_import row = {0};
    bool found = false;
    ck_assert_int_eq(store_import_get(f->db, f->arena, slice_of(import), &found, &row), ACCORD_OK);
    ck_assert(found);
    return row;
}

/* Begins and runs; the receipt as it stands then. */
static inline struct store_import
fixture_import(struct fixture *f, const struct catalog_request *request, const char *body)
{
    char import[RANDOM_ID_MAX];
    ck_assert_int_eq(catalog_begin(&f->host, request, import), ACCORD_OK);
    ck_assert_int_eq(catalog_run(&f->host, request, import, slice_of(body)), ACCORD_OK);
    return fixture_receipt(f, import);
}

#endif
