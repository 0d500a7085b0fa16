#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/engine.h"
#include "db/migrate.h"
#include "temp_dir.h"

DB_SQL(sql_insert, "INSERT INTO item (id, name, data, amount) VALUES ($1, $2, $3, $4)");
DB_SQL(sql_swapped, "SELECT name FROM item WHERE name = $2 AND id = $1");
DB_SQL(sql_all, "SELECT id, name, data, amount FROM item ORDER BY name, id");
DB_SQL(sql_count, "SELECT COUNT(*) FROM item");
DB_SQL(sql_by_id, "SELECT id, amount FROM item WHERE id = $1");
DB_SQL(sql_add, "UPDATE item SET amount = amount + $2 WHERE id = $1");
DB_SQL(sql_plus, "SELECT amount + 1 FROM item WHERE id = $1");
DB_SQL(sql_sum, "SELECT CAST(SUM(amount) AS BIGINT) FROM item");
DB_SQL(sql_gap, "SELECT id FROM item WHERE id = $2");
DB_SQL(sql_named, "SELECT id FROM item WHERE id = :id");
DB_SQL(sql_two, "SELECT 1; SELECT 2");
DB_SQL(sql_wrong, "SELECT nothing FROM nowhere");
DB_SQL(sql_quoted, "SELECT \"no_such_column\" FROM item");
DB_SQL(sql_long, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                 " SELECT CAST(SUM(i) AS BIGINT) FROM n");

static const char schema[] = "CREATE TABLE item (id @int64 NOT NULL PRIMARY KEY,"
                             " name @text NOT NULL, data @bytes, amount @int64 NOT NULL) @strict";

static char dir[TEMP_DIR_MAX];
static char url[TEMP_DIR_MAX + 32];
static struct db *db;

static void setup(void)
{
    temp_dir_make(dir);
    snprintf(url, sizeof url, "sqlite:%s/books.db", dir);
    ck_assert_int_eq(db_open(url, DB_READ_WRITE, &db), ACCORD_OK);
    ck_assert_int_eq(db_script(db, schema), ACCORD_OK);
}

static void teardown(void)
{
    db_close(db);
    temp_dir_remove(dir);
}

static enum accord_error insert(struct db *on, int64_t id, const char *name, int64_t amount)
{
    const struct db_value row[] = {db_int(id), db_str(name), db_null(), db_int(amount)};
    return db_run(on, &sql_insert, row, 4, 1, NULL);
}

static enum accord_error read_int(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    *(int64_t *)context = db_get_int(row, 0);
    return ACCORD_OK;
}

static int64_t count_items(struct db *on)
{
    int64_t count = -1;
    ck_assert_int_eq(db_query(on, &sql_count, NULL, 0, 1, read_int, &count), ACCORD_OK);
    return count;
}

struct seen {
    char text[512];
    size_t rows;
};

static enum accord_error see(void *context, size_t param_row, const struct db_row *row)
{
    struct seen *seen = context;
    const struct slice name = db_get_text(row, 1);
    const struct slice data = db_get_bytes(row, 2);
    char line[128];
    snprintf(line, sizeof line, "%zu:%lld,%.*s,%s%zu,%lld;", param_row,
             (long long)db_get_int(row, 0), (int)name.len, name.data,
             db_is_null(row, 2) ? "null" : "", data.len, (long long)db_get_int(row, 3));
    strncat(seen->text, line, sizeof seen->text - strlen(seen->text) - 1);
    seen->rows++;
    return ACCORD_OK;
}

START_TEST(rows_go_in_and_come_out)
{
    const struct db_value rows[] = {
        db_int(INT64_MAX),
        db_str("b"),
        db_bytes("\0\1\2", 3),
        db_int(INT64_MIN), /* */
        db_int(2),
        db_str("课程"),
        db_null(),
        db_int(-1), /* */
        db_int(3),
        db_str("B"),
        db_bytes(NULL, 0),
        db_int(0), /* */
        db_int(4),
        db_text((struct slice){NULL, 0}),
        db_null(),
        db_int(7),
    };
    int64_t changes = 0;
    ck_assert_int_eq(db_run(db, &sql_insert, rows, 4, 4, &changes), ACCORD_OK);
    ck_assert_int_eq(changes, 4);
    struct seen seen = {.rows = 0};
    ck_assert_int_eq(db_query(db, &sql_all, NULL, 0, 1, see, &seen), ACCORD_OK);
    /* Bytewise: the empty text, then B (0x42), b (0x62), 课 (0xe8). */
    ck_assert_str_eq(seen.text, "0:4,,null0,7;0:3,B,0,0;"
                                "0:9223372036854775807,b,3,-9223372036854775808;"
                                "0:2,课程,null0,-1;");
}
END_TEST

START_TEST(placeholders_are_bound_by_name)
{
    ck_assert_int_eq(insert(db, 1, "one", 10), ACCORD_OK);
    ck_assert_int_eq(insert(db, 2, "two", 20), ACCORD_OK);
    struct seen seen = {.rows = 0};
    /* $2 appears first in the statement. */
    const struct db_value values[] = {db_int(2), db_str("two")};
    int64_t ignored = 0;
    ck_assert_int_eq(db_query(db, &sql_swapped, values, 2, 1, see, &seen),
                     ACCORD_E_DATABASE_ERROR); /* it has one column; see() reads four */
    ck_assert_uint_eq(seen.rows, 1);
    const struct db_value add[] = {db_int(1), db_int(5), db_int(2), db_int(-5)};
    ck_assert_int_eq(db_run(db, &sql_add, add, 2, 2, &ignored), ACCORD_OK);
    ck_assert_int_eq(ignored, 2);
    const struct db_value two = db_int(2);
    int64_t plus = 0;
    ck_assert_int_eq(db_query(db, &sql_plus, &two, 1, 1, read_int, &plus), ACCORD_OK);
    ck_assert_int_eq(plus, 16);
}
END_TEST

static enum accord_error note_row(void *context, size_t param_row, const struct db_row *row)
{
    char *text = context;
    char item[32];
    snprintf(item, sizeof item, "%zu=%lld ", param_row, (long long)db_get_int(row, 0));
    strncat(text, item, 200);
    return param_row == 3 ? ACCORD_E_NOT_FOUND : ACCORD_OK;
}

START_TEST(one_query_for_many_rows)
{
    for (int64_t id = 1; id <= 3; id++)
        ck_assert_int_eq(insert(db, id, "x", id), ACCORD_OK);
    const struct db_value ids[] = {db_int(3), db_int(9), db_int(1), db_int(2), db_int(1)};
    char text[256] = "";
    ck_assert_int_eq(db_query(db, &sql_by_id, ids, 1, 3, note_row, text), ACCORD_OK);
    ck_assert_str_eq(text, "0=3 2=1 ");
    text[0] = '\0';
    /* What the callback returns stops the query and is returned. */
    ck_assert_int_eq(db_query(db, &sql_by_id, ids, 1, 5, note_row, text), ACCORD_E_NOT_FOUND);
    ck_assert_str_eq(text, "0=3 2=1 3=2 ");
    ck_assert_int_eq(db_query(db, &sql_by_id, ids, 1, 0, note_row, text), ACCORD_OK);
}
END_TEST

static enum accord_error nested(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    (void)row;
    int64_t *results = context;
    int64_t id = 0;
    const struct db_value one = db_int(1);
    results[0] = db_query(db, &sql_by_id, &one, 1, 1, read_int, &id);
    results[1] = db_query(db, &sql_all, NULL, 0, 1, read_int, &id);
    return ACCORD_OK;
}

START_TEST(a_callback_may_run_other_statements)
{
    ck_assert_int_eq(insert(db, 1, "one", 10), ACCORD_OK);
    int64_t results[2] = {-1, -1};
    ck_assert_int_eq(db_query(db, &sql_all, NULL, 0, 1, nested, results), ACCORD_OK);
    ck_assert_int_eq(results[0], ACCORD_OK);
    ck_assert_int_eq(results[1], ACCORD_E_DATABASE_ERROR);
}
END_TEST

START_TEST(misuse_is_an_error)
{
    const struct db_value values[] = {db_int(1), db_int(2)};
    int64_t value = 0;
    ck_assert_int_eq(db_query(db, &sql_by_id, values, 2, 1, read_int, &value),
                     ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_query(db, &sql_gap, values, 2, 1, read_int, &value),
                     ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_query(db, &sql_named, values, 1, 1, read_int, &value),
                     ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_run(db, &sql_two, NULL, 0, 1, NULL), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_run(db, &sql_wrong, NULL, 0, 1, NULL), ACCORD_E_DATABASE_ERROR);
    ck_assert_ptr_nonnull(strstr(db_message(db), "nowhere"));
    ck_assert_int_eq(db_run(db, &sql_quoted, NULL, 0, 1, NULL), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_script(db, "CREATE TABLE x (a @int32)"), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_query(db, &sql_by_id, NULL, 1, 1, read_int, &value),
                     ACCORD_E_DATABASE_ERROR);
    /* A NUL byte would be the end of the text on one engine and an error on another. */
    const struct db_value nul[] = {db_int(1), db_text((struct slice){"a\0b", 3}), db_null(),
                                   db_int(1)};
    ck_assert_int_eq(db_run(db, &sql_insert, nul, 4, 1, NULL), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_commit(db), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_savepoint(db), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_release(db), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_rollback_to(db), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_begin(db), ACCORD_OK);
    ck_assert_int_eq(db_begin(db), ACCORD_E_DATABASE_ERROR);
    db_rollback(db);
    db_rollback(db);
    ck_assert_int_eq(count_items(db), 0);
    db_close(NULL);
}
END_TEST

START_TEST(int64_never_wraps)
{
    ck_assert_int_eq(insert(db, 1, "most", INT64_MAX), ACCORD_OK);
    ck_assert_int_eq(insert(db, 2, "one", 1), ACCORD_OK);
    const struct db_value one = db_int(1);
    int64_t value = 77;
    ck_assert_int_eq(db_query(db, &sql_plus, &one, 1, 1, read_int, &value), ACCORD_E_OVERFLOW);
    ck_assert_int_eq(db_query(db, &sql_sum, NULL, 0, 1, read_int, &value), ACCORD_E_OVERFLOW);
    const struct db_value add[] = {db_int(1), db_int(1)};
    ck_assert_int_eq(db_run(db, &sql_add, add, 2, 1, NULL), ACCORD_E_OVERFLOW);
    const struct db_value less[] = {db_int(1), db_int(-1)};
    ck_assert_int_eq(db_run(db, &sql_add, less, 2, 1, NULL), ACCORD_OK);
    ck_assert_int_eq(db_query(db, &sql_sum, NULL, 0, 1, read_int, &value), ACCORD_OK);
    ck_assert(value == INT64_MAX);
}
END_TEST

START_TEST(a_failed_statement_spoils_its_transaction)
{
    ck_assert_int_eq(db_begin(db), ACCORD_OK);
    ck_assert(db_in_transaction(db));
    ck_assert_int_eq(insert(db, 1, "one", 1), ACCORD_OK);
    ck_assert_int_eq(insert(db, 1, "again", 1), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(insert(db, 2, "two", 1), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_commit(db), ACCORD_E_DATABASE_ERROR);
    ck_assert(!db_in_transaction(db));
    ck_assert_int_eq(count_items(db), 0);
    ck_assert_int_eq(insert(db, 2, "two", 1), ACCORD_OK);
    ck_assert_int_eq(count_items(db), 1);
}
END_TEST

START_TEST(savepoints_heal)
{
    ck_assert_int_eq(db_begin(db), ACCORD_OK);
    ck_assert_int_eq(insert(db, 1, "one", 1), ACCORD_OK);
    ck_assert_int_eq(db_savepoint(db), ACCORD_OK);
    ck_assert_int_eq(insert(db, 2, "two", 1), ACCORD_OK);
    ck_assert_int_eq(db_savepoint(db), ACCORD_OK);
    ck_assert_int_eq(insert(db, 3, "three", 1), ACCORD_OK);
    ck_assert_int_eq(insert(db, 3, "three", 1), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_release(db), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_rollback_to(db), ACCORD_OK);
    ck_assert_int_eq(insert(db, 4, "four", 1), ACCORD_OK);
    ck_assert_int_eq(db_release(db), ACCORD_OK);
    ck_assert_int_eq(db_release(db), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_commit(db), ACCORD_OK);
    struct seen seen = {.rows = 0};
    ck_assert_int_eq(db_query(db, &sql_all, NULL, 0, 1, see, &seen), ACCORD_OK);
    ck_assert_str_eq(seen.text, "0:4,four,null0,1;0:1,one,null0,1;0:2,two,null0,1;");
}
END_TEST

START_TEST(many_rows_are_all_or_none)
{
    const struct db_value rows[] = {
        db_int(1), db_str("a"), db_null(), db_int(1), /* */
        db_int(1), db_str("b"), db_null(), db_int(1),
    };
    int64_t changes = 99;
    ck_assert_int_eq(db_run(db, &sql_insert, rows, 4, 2, &changes), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(changes, 99);
    ck_assert(!db_in_transaction(db));
    ck_assert_int_eq(count_items(db), 0);
}
END_TEST

START_TEST(readers_read)
{
    struct db *reader;
    ck_assert_int_eq(db_open(url, DB_READ_ONLY, &reader), ACCORD_OK);
    int64_t before = 0;
    int64_t after = 0;
    ck_assert_int_eq(db_data_version(reader, &before), ACCORD_OK);
    ck_assert_int_eq(db_data_version(reader, &after), ACCORD_OK);
    ck_assert_int_eq(before, after);
    ck_assert_int_eq(insert(db, 1, "one", 1), ACCORD_OK);
    ck_assert_int_eq(db_data_version(reader, &after), ACCORD_OK);
    ck_assert_int_ne(before, after);
    ck_assert_int_eq(insert(reader, 2, "two", 1), ACCORD_E_DATABASE_ERROR);
    /* A read transaction sees one state. */
    ck_assert_int_eq(db_begin(reader), ACCORD_OK);
    ck_assert_int_eq(count_items(reader), 1);
    ck_assert_int_eq(insert(db, 2, "two", 1), ACCORD_OK);
    ck_assert_int_eq(count_items(reader), 1);
    ck_assert_int_eq(db_commit(reader), ACCORD_OK);
    ck_assert_int_eq(count_items(reader), 2);
    db_close(reader);
}
END_TEST

START_TEST(opening_says_why_it_cannot)
{
    struct db *none = NULL;
    char why[256];
    ck_assert_int_eq(db_open_explained("postgres://h/d", DB_READ_WRITE, &none, why, sizeof why),
                     ACCORD_E_DATABASE_UNSUPPORTED);
    ck_assert_int_eq(db_open_explained("sqlite:", DB_READ_WRITE, &none, why, sizeof why),
                     ACCORD_E_DATABASE_UNSUPPORTED);
    char bad[sizeof url + 32];
    snprintf(bad, sizeof bad, "sqlite:%s/no/such.db", dir);
    ck_assert_int_eq(db_open_explained(bad, DB_READ_WRITE, &none, why, sizeof why),
                     ACCORD_E_DATABASE_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(why, "no/such.db"));
    snprintf(bad, sizeof bad, "sqlite:%s/missing.db", dir);
    ck_assert_int_eq(db_open_explained(bad, DB_READ_ONLY, &none, why, sizeof why),
                     ACCORD_E_DATABASE_UNAVAILABLE);
    snprintf(bad, sizeof bad, "%s/text.db", dir);
    FILE *file = fopen(bad, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database\n", file);
    fclose(file);
    snprintf(bad, sizeof bad, "sqlite:%s/text.db", dir);
    ck_assert_int_eq(db_open_explained(bad, DB_READ_WRITE, &none, why, sizeof why),
                     ACCORD_E_DATABASE_ERROR);
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(a_deadline_stops_a_statement)
{
    int64_t sum = 0;
    db_set_deadline(db, clock_monotonic_us() + 20000);
    ck_assert_int_eq(db_query(db, &sql_long, NULL, 0, 1, read_int, &sum),
                     ACCORD_E_DEADLINE_EXCEEDED);
    db_set_deadline(db, 0);
    ck_assert_int_eq(insert(db, 1, "one", 1), ACCORD_OK);
}
END_TEST

/* A limit on the size of files stands in for a full disk: writes fail inside the transaction or at
 * its COMMIT, and either way nothing of it is there afterwards and the connection goes on. */
START_TEST(a_full_disk_loses_nothing_and_ends_nothing)
{
    ck_assert_int_eq(insert(db, 1, "kept", 1), ACCORD_OK);
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit small = {300 * 1024, RLIM_INFINITY};
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    char name[5001];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    enum accord_error error = db_begin(db);
    for (int64_t id = 100; id < 300 && error == ACCORD_OK; id++)
        error = insert(db, id, name, 1);
    if (error == ACCORD_OK)
        error = db_commit(db);
    else
        db_rollback(db);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    ck_assert(error == ACCORD_E_DATABASE_FULL || error == ACCORD_E_OUTCOME_UNKNOWN ||
              error == ACCORD_E_DATABASE_UNAVAILABLE);
    ck_assert(!db_in_transaction(db));
    ck_assert_int_eq(count_items(db), 1);
    ck_assert_int_eq(insert(db, 2, "next", 1), ACCORD_OK);
    ck_assert_int_eq(count_items(db), 2);
}
END_TEST

START_TEST(a_locked_database_is_busy)
{
    struct db *other;
    ck_assert_int_eq(db_open(url, DB_READ_WRITE, &other), ACCORD_OK);
    ck_assert_int_eq(db_begin(other), ACCORD_OK);
    const int64_t start = clock_monotonic_us();
    ck_assert_int_eq(db_begin(db), ACCORD_E_DATABASE_BUSY);
    ck_assert_int_ge(clock_monotonic_us() - start, 4000000);
    ck_assert(!db_in_transaction(db));
    ck_assert_int_eq(db_commit(other), ACCORD_OK);
    ck_assert_int_eq(db_begin(db), ACCORD_OK);
    ck_assert_int_eq(db_commit(db), ACCORD_OK);
    db_close(other);
}
END_TEST

static int64_t log_bytes(void)
{
    char path[TEMP_DIR_MAX + 32];
    struct stat status;
    snprintf(path, sizeof path, "%s/books.db-wal", dir);
    return stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}

static void fill(int64_t first, int64_t transactions)
{
    static char name[60001];
    memset(name, 'n', sizeof name - 1);
    for (int64_t id = first; id < first + transactions; id++)
        ck_assert_int_eq(insert(db, id, name, 1), ACCORD_OK);
}

START_TEST(the_log_is_copied_back_and_emptied)
{
    struct db *keeper;
    ck_assert_int_eq(db_open(url, DB_READ_WRITE, &keeper), ACCORD_OK);
    fill(1, 50);
    ck_assert_int_gt(log_bytes(), 3000000);
    int64_t left = -1;
    ck_assert_int_eq(db_checkpoint(keeper, 100000000, &left), ACCORD_OK);
    ck_assert_int_gt(left, 3000000);
    ck_assert_int_eq(db_checkpoint(keeper, 1000000, &left), ACCORD_OK);
    ck_assert_int_eq(left, 0);
    ck_assert_int_eq(log_bytes(), 0);
    ck_assert_int_eq(count_items(db), 50);
    /* An open writer is waited for only shortly, and is no error. */
    ck_assert_int_eq(db_begin(db), ACCORD_OK);
    ck_assert_int_eq(insert(db, 900, "open", 1), ACCORD_OK);
    ck_assert_int_eq(db_checkpoint(keeper, 0, &left), ACCORD_OK);
    ck_assert_int_eq(db_commit(db), ACCORD_OK);
    db_close(keeper);
}
END_TEST

START_TEST(without_a_checkpoint_thread_the_log_is_bounded)
{
    /* 300 MB of pages in all; the writer itself copies from 64 MiB on. */
    ck_assert_int_eq(db_begin(db), ACCORD_OK);
    fill(1, 1);
    ck_assert_int_eq(db_commit(db), ACCORD_OK);
    for (int64_t batch = 1; batch <= 50; batch++) {
        ck_assert_int_eq(db_begin(db), ACCORD_OK);
        fill(batch * 1000, 100);
        ck_assert_int_eq(db_commit(db), ACCORD_OK);
        ck_assert_int_lt(log_bytes(), INT64_C(90) << 20);
    }
}
END_TEST

/* ---- migrations ---- */

static const struct db_migration two[] = {
    {1, "first", "CREATE TABLE a (id @int64 NOT NULL PRIMARY KEY, t @text, b @bytes) @strict;"},
    {2, "second",
     "CREATE TABLE c (x @text NOT NULL PRIMARY KEY) @clustered;"
     "INSERT INTO c (x) VALUES ('课');"},
};

START_TEST(migrations_run_once)
{
    char why[DB_WHY_MAX];
    size_t applied = 0;
    int64_t version = -1;
    ck_assert_int_eq(db_schema_version(db, &version), ACCORD_OK);
    ck_assert_int_eq(version, 0);
    ck_assert_int_eq(db_migrate_list(db, two, 1, &applied, why), ACCORD_OK);
    ck_assert_uint_eq(applied, 1);
    ck_assert_int_eq(db_migrate_list(db, two, 2, &applied, why), ACCORD_OK);
    ck_assert_uint_eq(applied, 1);
    ck_assert_int_eq(db_migrate_list(db, two, 2, &applied, why), ACCORD_OK);
    ck_assert_uint_eq(applied, 0);
    ck_assert_int_eq(db_schema_version(db, &version), ACCORD_OK);
    ck_assert_int_eq(version, 2);
}
END_TEST

START_TEST(migrations_refuse_what_they_do_not_know)
{
    char why[DB_WHY_MAX];
    ck_assert_int_eq(db_migrate_list(db, two, 2, NULL, why), ACCORD_OK);
    ck_assert_int_eq(db_migrate_list(db, two, 1, NULL, why), ACCORD_E_DATABASE_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(why, "migration 2 (second)"));
    ck_assert_ptr_nonnull(strstr(why, "newer"));
    struct db_migration changed[] = {two[0], two[1]};
    changed[0].script = "CREATE TABLE a (id @int64 NOT NULL PRIMARY KEY, t @text) @strict;";
    ck_assert_int_eq(db_migrate_list(db, changed, 2, NULL, why), ACCORD_E_DATABASE_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(why, "migration 1 (first)"));
    ck_assert(!db_in_transaction(db));
}
END_TEST

START_TEST(a_failed_migration_leaves_nothing)
{
    const struct db_migration bad[] = {
        two[0],
        {2, "bad", "CREATE TABLE d (x @int64) @strict; CREATE TABLE d (x @int64) @strict;"}};
    char why[DB_WHY_MAX];
    int64_t version = -1;
    ck_assert_int_eq(db_migrate_list(db, bad, 2, NULL, why), ACCORD_E_DATABASE_ERROR);
    ck_assert_ptr_nonnull(strstr(why, "migration 2 (bad)"));
    ck_assert_int_eq(db_schema_version(db, &version), ACCORD_OK);
    ck_assert_int_eq(version, 0);
    ck_assert_int_eq(db_migrate_list(db, two, 2, NULL, why), ACCORD_OK);
}
END_TEST

static void *migrate_thread(void *context)
{
    char why[DB_WHY_MAX];
    *(enum accord_error *)context = db_migrate(url, NULL, why);
    return NULL;
}

START_TEST(the_programs_migrations_run_beside_each_other)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    enum accord_error errors[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, migrate_thread, &errors[i]);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(errors[i], ACCORD_OK);
    }
    int64_t version = 0;
    ck_assert_int_eq(db_schema_version(db, &version), ACCORD_OK);
    ck_assert_int_eq(version, db_schema_latest());
    ck_assert_int_ge(version, 1);
}
END_TEST

START_TEST(tokens_follow_the_dialect)
{
    static const struct db_dialect postgres = {"postgres",           "BIGINT", "BYTEA",
                                               "TEXT COLLATE \"C\"", "",       ""};
    char *text = NULL;
    ck_assert_int_eq(db_expand(&postgres, "a @int64, b @text c @bytes) @strict;@clustered", &text),
                     ACCORD_OK);
    ck_assert_str_eq(text, "a BIGINT, b TEXT COLLATE \"C\" c BYTEA) ;");
    free(text);
    ck_assert_int_eq(db_expand(&postgres, "a @int64x", &text), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_expand(&postgres, "a @", &text), ACCORD_E_DATABASE_ERROR);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("db");
    TCase *tests = tcase_create("db");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, rows_go_in_and_come_out);
    tcase_add_test(tests, placeholders_are_bound_by_name);
    tcase_add_test(tests, one_query_for_many_rows);
    tcase_add_test(tests, a_callback_may_run_other_statements);
    tcase_add_test(tests, misuse_is_an_error);
    tcase_add_test(tests, int64_never_wraps);
    tcase_add_test(tests, a_failed_statement_spoils_its_transaction);
    tcase_add_test(tests, savepoints_heal);
    tcase_add_test(tests, many_rows_are_all_or_none);
    tcase_add_test(tests, readers_read);
    tcase_add_test(tests, opening_says_why_it_cannot);
    tcase_add_test(tests, a_deadline_stops_a_statement);
    tcase_add_test(tests, a_full_disk_loses_nothing_and_ends_nothing);
    tcase_add_test(tests, a_locked_database_is_busy);
    tcase_add_test(tests, the_log_is_copied_back_and_emptied);
    tcase_add_test(tests, without_a_checkpoint_thread_the_log_is_bounded);
    tcase_add_test(tests, migrations_run_once);
    tcase_add_test(tests, migrations_refuse_what_they_do_not_know);
    tcase_add_test(tests, a_failed_migration_leaves_nothing);
    tcase_add_test(tests, the_programs_migrations_run_beside_each_other);
    tcase_add_test(tests, tokens_follow_the_dialect);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
