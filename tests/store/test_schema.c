/* What the schema itself promises: nothing but 64-bit integers where numbers are due, no wrapping,
 * bytewise order, one head of the journal. */
#include "store_test.h"

DB_SQL(sql_tables, "SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name");
DB_SQL(sql_head, "SELECT seq FROM journal_head");
DB_SQL(sql_advance, "UPDATE journal_head SET seq = seq + $1 WHERE id = 1 RETURNING seq");
DB_SQL(sql_second_head, "INSERT INTO journal_head (id, seq) VALUES (2, 0)");
DB_SQL(sql_version, "INSERT INTO partner_version (partner, seq) VALUES ($1, $2)");
DB_SQL(sql_versions, "SELECT seq FROM partner_version ORDER BY partner");
DB_SQL(sql_key, "INSERT INTO fact_key (partner, event_id, seq, body_hash) VALUES ($1, $2, $3, $4)");

struct numbers {
    int64_t values[8];
    size_t count;
};

static enum accord_error add_number(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    struct numbers *numbers = context;
    ck_assert_uint_lt(numbers->count, 8);
    numbers->values[numbers->count++] = db_get_int(row, 0);
    return ACCORD_OK;
}

static enum accord_error check_table(void *context, size_t param_row, const struct db_row *row)
{
    (void)param_row;
    const struct slice sql = db_get_text(row, 1);
    const char *strict = memmem(sql.data, sql.len, ") STRICT", 8);
    ck_assert_msg(strict != NULL, "not strict: %.*s", (int)sql.len, sql.data);
    ++*(size_t *)context;
    return ACCORD_OK;
}

START_TEST(every_table_is_strict)
{
    size_t tables = 0;
    ck_assert_int_eq(db_query(store_db, &sql_tables, NULL, 0, 1, check_table, &tables), ACCORD_OK);
    ck_assert_uint_gt(tables, 25);
}
END_TEST

START_TEST(the_journal_has_one_head)
{
    struct numbers numbers = {.count = 0};
    const struct db_value three = db_int(3);
    ck_assert_int_eq(db_query(store_db, &sql_head, NULL, 0, 1, add_number, &numbers), ACCORD_OK);
    ck_assert_int_eq(db_query(store_db, &sql_advance, &three, 1, 1, add_number, &numbers),
                     ACCORD_OK);
    ck_assert_int_eq(db_query(store_db, &sql_advance, &three, 1, 1, add_number, &numbers),
                     ACCORD_OK);
    ck_assert_uint_eq(numbers.count, 3);
    ck_assert_int_eq(numbers.values[0], 0);
    ck_assert_int_eq(numbers.values[1], 3);
    ck_assert_int_eq(numbers.values[2], 6);
    ck_assert_int_eq(db_run(store_db, &sql_second_head, NULL, 0, 1, NULL), ACCORD_E_DATABASE_ERROR);
    const struct db_value most = db_int(INT64_MAX);
    ck_assert_int_eq(db_query(store_db, &sql_advance, &most, 1, 1, add_number, &numbers),
                     ACCORD_E_OVERFLOW);
}
END_TEST

START_TEST(ids_compare_bytewise)
{
    const struct db_value rows[] = {
        db_str("b"),  db_int(4), db_str("Z"), db_int(2), db_str("中"), db_int(6),
        db_str("a-"), db_int(3), db_str("ñ"), db_int(5), db_str(""),   db_int(1),
    };
    struct numbers numbers = {.count = 0};
    ck_assert_int_eq(db_run(store_db, &sql_version, rows, 2, 6, NULL), ACCORD_OK);
    ck_assert_int_eq(db_query(store_db, &sql_versions, NULL, 0, 1, add_number, &numbers),
                     ACCORD_OK);
    ck_assert_uint_eq(numbers.count, 6);
    for (int64_t i = 0; i < 6; i++)
        ck_assert_int_eq(numbers.values[i], i + 1);
}
END_TEST

START_TEST(types_are_kept)
{
    const struct hash hash = hash_of(SLICE("x"));
    const struct db_value good[] = {db_str("p"), db_str("e"), db_int(1), db_hash(&hash)};
    const struct db_value text_seq[] = {db_str("p"), db_str("f"), db_str("one"), db_hash(&hash)};
    const struct db_value text_hash[] = {db_str("p"), db_str("g"), db_int(1), db_str("hash")};
    const struct db_value missing[] = {db_str("p"), db_null(), db_int(1), db_hash(&hash)};
    ck_assert_int_eq(db_run(store_db, &sql_key, good, 4, 1, NULL), ACCORD_OK);
    ck_assert_int_eq(db_run(store_db, &sql_key, good, 4, 1, NULL), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_run(store_db, &sql_key, text_seq, 4, 1, NULL), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_run(store_db, &sql_key, text_hash, 4, 1, NULL), ACCORD_E_DATABASE_ERROR);
    ck_assert_int_eq(db_run(store_db, &sql_key, missing, 4, 1, NULL), ACCORD_E_DATABASE_ERROR);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("schema");
    TCase *tests = tcase_create("schema");
    tcase_add_checked_fixture(tests, store_open, store_close);
    tcase_add_test(tests, every_table_is_strict);
    tcase_add_test(tests, the_journal_has_one_head);
    tcase_add_test(tests, ids_compare_bytewise);
    tcase_add_test(tests, types_are_kept);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
