/* Catalogs from upload to switch, against what a plain reading of the rules expects. */
#include "catalog_fixture.h"

#include "store/agreements.h"

static struct fixture fixture;
static struct fixture *const f = &fixture;

static void setup(void)
{
    fixture_open(f);
}

static void teardown(void)
{
    fixture_close(f);
}

static const struct catalog_request delta = {.provider = "mooc", .format = CATALOG_JSON};
static const struct catalog_request full = {
    .provider = "mooc", .format = CATALOG_JSON, .full = true};

/* ---- looking ---- */

static struct store_catalog catalog_now(void)
{
    struct store_catalog catalog;
    ck_assert_int_eq(store_catalog_get(f->db, f->arena, "mooc", &catalog), ACCORD_OK);
    return catalog;
}

static bool find(const char *id, struct store_course *ret)
{
    bool found = false;
    ck_assert_int_eq(store_course_find(f->db, f->arena, "mooc", slice_of(id), &found, ret),
                     ACCORD_OK);
    return found;
}

/* "active 2", "withdrawn 3", or "none". */
static const char *state_of(const char *id)
{
    static char text[64];
    struct store_course course;
    if (!find(id, &course))
        return "none";
    snprintf(text, sizeof text, "%s %lld", course.active ? "active" : "withdrawn",
             (long long)course.version);
    return text;
}

static void check_counts(const struct store_import *import, int64_t received, int64_t created,
                         int64_t updated, int64_t unchanged, int64_t withdrawn, int64_t rejected)
{
    const struct store_import_counts *c = &import->counts;
    ck_assert_int_eq(c->received, received);
    ck_assert_int_eq(c->created, created);
    ck_assert_int_eq(c->updated, updated);
    ck_assert_int_eq(c->unchanged, unchanged);
    ck_assert_int_eq(c->withdrawn, withdrawn);
    ck_assert_int_eq(c->rejected, rejected);
    ck_assert_int_eq(received, created + updated + unchanged + rejected);
}

static enum accord_error count_row(void *context, const struct store_course *row)
{
    (void)row;
    ++*(int64_t *)context;
    return ACCORD_OK;
}

static int64_t count_active(void)
{
    const struct store_course_filter filter = {
        .provider = "mooc", .price_min = -1, .price_max = -1, .rating_min = -1, .state = "active"};
    int64_t count = 0;
    ck_assert_int_eq(store_course_list(f->db, &filter, STORE_COURSES_BY_TITLE, false, NULL, 100000,
                                       count_row, &count),
                     ACCORD_OK);
    return count;
}

static int64_t count_versions(const char *id)
{
    int64_t count = 0;
    ck_assert_int_eq(
        store_course_versions(f->db, "mooc", slice_of(id), INT64_MAX, 100000, count_row, &count),
        ACCORD_OK);
    return count;
}

/* No row of an upload is left behind. */
static int64_t rows_left(const struct store_import *import)
{
    bool left = false;
    int64_t count = 0;
    do {
        ck_assert_int_eq(store_rows_drop(f->db, import->id, 1, &left), ACCORD_OK);
        count += left;
    } while (left);
    return count;
}

/* ---- writing ---- */

static void add_course(struct buf *out, int id, int content)
{
    buf_printf(out, "%s{\"course_id\":\"c%04d\",\"title\":\"T%d\",\"subjects\":[\"s%d\"]}",
               out->len > 1 ? "," : "", id, content, content % 3);
}

/* `[…]` of courses c<first> … c<last>, with one content. */
static const char *range(int first, int last, int content)
{
    struct buf out;
    buf_init(&out, (size_t)8 << 20);
    buf_add_char(&out, '[');
    for (int i = first; i <= last; i++)
        add_course(&out, i, content);
    buf_add_char(&out, ']');
    ck_assert_int_eq(buf_error(&out), ACCORD_OK);
    const char *text = arena_strdup(f->arena, buf_slice(&out));
    buf_done(&out);
    return text;
}

/* ---- the life of courses ---- */

START_TEST(delta_creates_changes_and_never_withdraws)
{
    struct store_import import = fixture_import(f, &delta, range(1, 3, 1));
    ck_assert_int_eq(import.state, IMPORT_APPLIED);
    check_counts(&import, 3, 3, 0, 0, 0, 0);
    ck_assert_int_ne(import.finished_at, 0);
    ck_assert_str_eq(state_of("c0001"), "active 1");
    ck_assert_int_eq(catalog_now().generation, 1);

    /* The same again: recognised by its words, and nothing moves. */
    import = fixture_import(f, &delta, range(1, 3, 1));
    check_counts(&import, 3, 0, 0, 3, 0, 0);
    ck_assert_int_eq(import.state, IMPORT_APPLIED);
    ck_assert_int_eq(catalog_now().generation, 1);

    /* The same in other words: nothing moves, and the next time it is recognised again. */
    import = fixture_import(f, &delta,
                            "[{\"title\":\"T1\", \"subjects\":[\"s1\"],\"course_id\":\"c0001\"}]");
    check_counts(&import, 1, 0, 0, 1, 0, 0);
    ck_assert_str_eq(state_of("c0001"), "active 1");

    import = fixture_import(f, &delta, range(2, 4, 2));
    check_counts(&import, 3, 1, 2, 0, 0, 0);
    ck_assert_str_eq(state_of("c0001"), "active 1");
    ck_assert_str_eq(state_of("c0002"), "active 2");
    ck_assert_str_eq(state_of("c0004"), "active 1");
    ck_assert_int_eq(count_versions("c0002"), 2);
    ck_assert_int_eq(catalog_now().active_courses, 4);
    ck_assert_uint_eq(catalog_now().applying.len, 0);
    ck_assert_int_eq(rows_left(&import), 0);
}
END_TEST

START_TEST(full_withdraws_what_is_absent_and_a_return_is_a_version)
{
    fixture_import(f, &full, range(1, 4, 1));
    struct store_course first;
    ck_assert(find("c0004", &first));
    struct store_import import = fixture_import(f, &full, range(1, 3, 1));
    check_counts(&import, 3, 0, 0, 3, 1, 0);
    ck_assert_str_eq(state_of("c0004"), "withdrawn 2");
    ck_assert_int_eq(catalog_now().active_courses, 3);
    ck_assert_int_eq(count_active(), 3);

    import = fixture_import(f, &full, range(1, 4, 1));
    check_counts(&import, 4, 0, 1, 3, 0, 0);
    ck_assert_str_eq(state_of("c0004"), "active 3");
    struct store_course again;
    ck_assert(find("c0004", &again));
    ck_assert(slice_equal(again.id, first.id));
    ck_assert(hash_equal(&again.content_hash, &first.content_hash));
    struct store_course opaque;
    ck_assert(find(first.id.data, &opaque));
    ck_assert(slice_equal(opaque.course_id, SLICE("c0004")));
}
END_TEST

START_TEST(back_and_forth_are_versions)
{
    for (int round = 0; round < 5; round++) {
        const struct store_import import = fixture_import(f, &delta, range(1, 2, round % 2));
        check_counts(&import, 2, round == 0 ? 2 : 0, round == 0 ? 0 : 2, 0, 0, 0);
    }
    ck_assert_str_eq(state_of("c0001"), "active 5");
    ck_assert_int_eq(count_versions("c0001"), 5);
    const struct store_import import = fixture_import(f, &delta, range(1, 2, 0));
    check_counts(&import, 2, 0, 0, 2, 0, 0);
}
END_TEST

START_TEST(repeated_and_refused_rows)
{
    fixture_import(f, &full, range(1, 3, 1));
    const struct store_import import =
        fixture_import(f, &full,
                       "[{\"course_id\":\"c0001\",\"title\":\"new\"},"
                       "{\"course_id\":\"c0001\",\"title\":\"new\"},"   /* the same: unchanged */
                       "{\"course_id\":\"c0001\",\"title\":\"other\"}," /* another: refused */
                       "{\"course_id\":\"c0002\",\"title\":\"\"},"   /* refused, but not absent */
                       "{\"course_id\":\"c0003\"},"                  /* refused … */
                       "{\"course_id\":\"c0003\",\"title\":\"T3\"}," /* … and then good */
                       "{\"course_id\":\"c0003\"}," /* refused: the good one stands */
                       "17, {\"title\":\"no id\"}]");
    check_counts(&import, 9, 0, 2, 1, 0, 6);
    ck_assert_int_eq(import.state, IMPORT_APPLIED);
    ck_assert_str_eq(state_of("c0001"), "active 2");
    ck_assert_str_eq(state_of("c0002"), "active 1");
    ck_assert_str_eq(state_of("c0003"), "active 2");
    ck_assert_int_eq(catalog_now().active_courses, 3);
    ck_assert_int_eq(rows_left(&import), 0);
}
END_TEST

struct problems {
    char text[2000];
};

static enum accord_error add_problem(void *context, const struct store_problem *p)
{
    struct problems *all = context;
    const size_t used = strlen(all->text);
    snprintf(all->text + used, sizeof all->text - used, "%lld %.*s %.*s %.*s\n", (long long)p->line,
             (int)p->course_id.len, p->course_id.data, (int)p->field.len, p->field.data,
             (int)p->code.len, p->code.data);
    return ACCORD_OK;
}

START_TEST(problems_name_line_course_field_and_code)
{
    const struct catalog_request ndjson = {.provider = "mooc", .format = CATALOG_NDJSON};
    const struct store_import import = fixture_import(
        f, &ndjson,
        "{\"course_id\":\"a\",\"title\":\"数学\"}\n"
        "\n"
        "{\"course_id\":\"b\",\"title\":\"x\",\"duration_minutes\":1.5,\"level\":\"hard\"}\n"
        "{\"course_id\":\"c\",\n"
        "{\"course_id\":\"d\",\"title\":\"x\",\"offers\":[{\"mode\":\"buy\"}]}\n"
        "{\"course_id\":\"a\",\"title\":\"物理\"}\n");
    check_counts(&import, 5, 1, 0, 0, 0, 4);
    ck_assert_int_eq(import.problems, 5);
    struct problems all = {""};
    ck_assert_int_eq(store_problems_list(f->db, import.id, 0, 100, add_problem, &all), ACCORD_OK);
    ck_assert_str_eq(all.text, "3 b duration_minutes number_not_integer\n"
                               "3 b level value_unknown\n"
                               "4   json_invalid\n"
                               "5 d offers/0/price field_missing\n"
                               "6 a course_id course_repeated\n");
}
END_TEST

DB_SQL(a_day_passes, "UPDATE course SET changed_at = changed_at - $1");

/* A feed that says A and B in turns: each is had three times in a day, then what stands stays, and
 * nobody hears of it any more; another content passes, and so does the same a day later. */
START_TEST(a_row_that_alternates_is_held)
{
    for (int round = 0; round < 6; round++)
        fixture_import(f, &delta, range(1, 1, round % 2));
    ck_assert_str_eq(state_of("c0001"), "active 6");
    const int64_t generation = catalog_now().generation;
    for (int round = 6; round < 10; round++) {
        const struct store_import import = fixture_import(f, &delta, range(1, 2, round % 2));
        ck_assert_int_eq(import.state, IMPORT_APPLIED);
        /* The other course goes with it, as long as it may. B stands: saying B is no change. */
        check_counts(&import, 2, round == 6, round > 6, round % 2 == 1, 0, round % 2 == 0);
    }
    ck_assert_str_eq(state_of("c0001"), "active 6");
    ck_assert_int_eq(count_versions("c0001"), 6);
    ck_assert_int_eq(catalog_now().generation, generation + 4);
    const struct store_import held = fixture_import(f, &delta, range(1, 1, 0));
    struct problems all_held = {""};
    ck_assert_int_eq(store_problems_list(f->db, held.id, 0, 100, add_problem, &all_held),
                     ACCORD_OK);
    ck_assert_str_eq(all_held.text, "1 c0001 course_id course_flapping\n");
    ck_assert_int_eq(catalog_now().generation, generation + 4);
    /* In a full import it is there all the same. */
    const struct store_import all = fixture_import(f, &full, range(1, 3, 0));
    ck_assert_int_eq(all.counts.withdrawn, 0);
    ck_assert_str_eq(state_of("c0001"), "active 6");
    /* Something new is no return. */
    fixture_import(f, &delta, range(1, 1, 2));
    ck_assert_str_eq(state_of("c0001"), "active 7");
    const struct db_value day[] = {db_int(CLOCK_DAY_US)};
    ck_assert_int_eq(db_run(f->db, &a_day_passes, day, 1, 1, NULL), ACCORD_OK);
    fixture_import(f, &delta, range(1, 1, 0));
    ck_assert_str_eq(state_of("c0001"), "active 8");
}
END_TEST

/* ---- guard, approval, dry run ---- */

START_TEST(guard_blocks_until_approved)
{
    fixture_import(f, &full, range(1, 10, 1));
    /* Three of ten are more than 20 %. */
    struct store_import import = fixture_import(f, &full, range(1, 7, 2));
    ck_assert_int_eq(import.state, IMPORT_BLOCKED);
    ck_assert_str_eq(import.reason.data, "withdraws_too_many");
    check_counts(&import, 7, 0, 7, 0, 3, 0);
    ck_assert_str_eq(state_of("c0001"), "active 1");
    ck_assert_int_eq(count_active(), 10);
    ck_assert_uint_eq(catalog_now().applying.len, 0);

    ck_assert_int_eq(db_begin(f->db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_enter(f->tx, f->db), ACCORD_OK);
    ck_assert_int_eq(catalog_approve(f->tx, import.id), ACCORD_OK);
    ck_assert_int_eq(catalog_approve(f->tx, import.id), ACCORD_E_IMPORT_STATE);
    ck_assert_int_eq(ingest_tx_before_commit(f->tx, f->db), ACCORD_OK);
    ck_assert_int_eq(db_commit(f->db), ACCORD_OK);
    ck_assert_int_eq(catalog_apply(&f->host, import.id.data), ACCORD_OK);
    import = fixture_receipt(f, import.id.data);
    ck_assert_int_eq(import.state, IMPORT_APPLIED);
    check_counts(&import, 7, 0, 7, 0, 3, 0);
    ck_assert_str_eq(state_of("c0001"), "active 2");
    ck_assert_str_eq(state_of("c0010"), "withdrawn 2");
    ck_assert_int_eq(count_active(), 7);
    ck_assert_int_eq(catalog_now().active_courses, 7);
}
END_TEST

START_TEST(guard_lets_a_share_and_small_catalogs_pass)
{
    fixture_import(f, &full, range(1, 10, 1));
    /* Exactly 20 %. */
    ck_assert_int_eq(fixture_import(f, &full, range(1, 8, 1)).state, IMPORT_APPLIED);
    ck_assert_int_eq(count_active(), 8);
    f->config.catalog_guard_min = 9;
    ck_assert_int_eq(fixture_import(f, &full, range(1, 1, 1)).state, IMPORT_APPLIED);
    ck_assert_int_eq(count_active(), 1);
    const struct store_import empty = fixture_import(f, &full, "{\"courses\":[]}");
    ck_assert_int_eq(empty.state, IMPORT_BLOCKED);
    ck_assert_str_eq(empty.reason.data, "no_good_rows");
    const struct store_import bad = fixture_import(f, &full, "[{}]");
    ck_assert_str_eq(bad.reason.data, "no_good_rows");
    ck_assert_int_eq(fixture_import(f, &delta, "[]").state, IMPORT_APPLIED);
}
END_TEST

START_TEST(a_change_supersedes_what_was_blocked)
{
    fixture_import(f, &full, range(1, 10, 1));
    const struct store_import blocked = fixture_import(f, &full, range(1, 2, 1));
    ck_assert_int_eq(blocked.state, IMPORT_BLOCKED);
    fixture_import(f, &delta, range(20, 20, 1));
    const struct store_import now = fixture_receipt(f, blocked.id.data);
    ck_assert_int_eq(now.state, IMPORT_FAILED);
    ck_assert_str_eq(now.reason.data, "superseded");
    ck_assert_int_eq(rows_left(&now), 0);
    ck_assert_int_eq(db_begin(f->db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_enter(f->tx, f->db), ACCORD_OK);
    ck_assert_int_eq(catalog_approve(f->tx, blocked.id), ACCORD_E_IMPORT_STATE);
    db_rollback(f->db);
    ingest_tx_rolled_back(f->tx);
}
END_TEST

START_TEST(dry_run_changes_nothing)
{
    fixture_import(f, &full, range(1, 10, 1));
    struct catalog_request dry = full;
    dry.dry_run = true;
    const struct store_import import = fixture_import(f, &dry, range(2, 11, 1));
    ck_assert_int_eq(import.state, IMPORT_STAGED);
    ck_assert_int_ne(import.finished_at, 0);
    check_counts(&import, 10, 1, 0, 9, 1, 0);
    ck_assert_int_eq(rows_left(&import), 0);
    ck_assert_str_eq(state_of("c0011"), "none");
    ck_assert_str_eq(state_of("c0001"), "active 1");
    ck_assert_int_eq(catalog_now().generation, 1);
    ck_assert_int_eq(catalog_recover(&f->host), ACCORD_OK);
    ck_assert_int_eq(fixture_receipt(f, import.id.data).state, IMPORT_STAGED);

    const struct store_import blocked = fixture_import(f, &dry, range(1, 1, 1));
    ck_assert_int_eq(blocked.state, IMPORT_BLOCKED);
    ck_assert_int_ne(blocked.finished_at, 0);
}
END_TEST

START_TEST(one_import_at_a_time)
{
    char first[RANDOM_ID_MAX];
    char second[RANDOM_ID_MAX];
    ck_assert_int_eq(catalog_begin(&f->host, &delta, first), ACCORD_OK);
    ck_assert_int_eq(catalog_begin(&f->host, &delta, second), ACCORD_E_CATALOG_BUSY);
    const struct catalog_request other = {.provider = "other", .format = CATALOG_JSON};
    ck_assert_int_eq(catalog_begin(&f->host, &other, second), ACCORD_OK);
    ck_assert_int_eq(catalog_run(&f->host, &delta, first, slice_of(range(1, 1, 1))), ACCORD_OK);
    ck_assert_int_eq(catalog_begin(&f->host, &delta, first), ACCORD_OK);
    ck_assert_int_eq(catalog_fail(&f->host, first, "interrupted"), ACCORD_OK);
    ck_assert_int_eq(fixture_receipt(f, first).state, IMPORT_FAILED);
    ck_assert_uint_eq(catalog_now().applying.len, 0);
}
END_TEST

/* ---- crashes ---- */

enum { MANY = 1300 };

/* A full import with every kind of row, stopped before its nth write; then a restart. */
static void crash_at(int writes)
{
    struct store_import import = fixture_import(f, &full, range(1, MANY, 1));
    ck_assert_int_eq(import.state, IMPORT_APPLIED);

    char id[RANDOM_ID_MAX];
    ck_assert_int_eq(catalog_begin(&f->host, &full, id), ACCORD_OK);
    struct buf out;
    buf_init(&out, (size_t)8 << 20);
    buf_add_char(&out, '[');
    for (int i = 101; i <= MANY + 100; i++)
        add_course(&out, i, i % 2 == 0 ? 1 : 2);
    buf_add_char(&out, ']');
    f->writes_left = writes;
    const enum accord_error e = catalog_run(&f->host, &full, id, buf_slice(&out));
    const bool died = f->writes_left == 0 && e != ACCORD_OK;
    fixture_restart(f);
    const struct store_import at_crash = fixture_receipt(f, id);
    /* Until the switch everybody sees the old catalog, after it the new one. */
    ck_assert_int_eq(count_active(), MANY);
    ck_assert_str_eq(state_of("c0001"),
                     at_crash.state == IMPORT_APPLIED ? "withdrawn 2" : "active 1");

    ck_assert_int_eq(catalog_recover(&f->host), ACCORD_OK);
    ck_assert_int_eq(catalog_recover(&f->host), ACCORD_OK);
    import = fixture_receipt(f, id);
    ck_assert_int_eq(import.state,
                     at_crash.state == IMPORT_STAGED ? IMPORT_FAILED : IMPORT_APPLIED);
    if (import.state == IMPORT_FAILED) {
        ck_assert(died);
        ck_assert_str_eq(import.reason.data, "interrupted");
        ck_assert_str_eq(state_of("c0101"), "active 1");
        buf_add_char(&out, '\0'); /* it takes a text */
        import = fixture_import(f, &full, out.data);
        buf_done(&out);
        ck_assert_int_eq(import.state, IMPORT_APPLIED);
    } else {
        buf_done(&out);
    }
    check_counts(&import, MANY, 100, (MANY - 100) / 2, (MANY - 100) / 2, 100, 0);
    ck_assert_int_eq(count_active(), MANY);
    ck_assert_int_eq(catalog_now().active_courses, MANY);
    ck_assert_uint_eq(catalog_now().applying.len, 0);
    ck_assert_str_eq(state_of("c0001"), "withdrawn 2");
    ck_assert_str_eq(state_of("c0101"), "active 2");
    ck_assert_str_eq(state_of("c0102"), "active 1");
    ck_assert_str_eq(state_of("c1400"), "active 1");
    ck_assert_int_eq(count_versions("c0101"), 2);
    ck_assert_int_eq(rows_left(&import), 0);
}

START_TEST(a_crash_between_chunks_is_rolled_forward_or_back)
{
    crash_at(_i);
}
END_TEST

START_TEST(chunks_may_run_twice)
{
    f->config.catalog_drop_max_ppm = 1000000;
    fixture_import(f, &full, range(1, MANY, 0));
    f->twice = true;
    const struct store_import import = fixture_import(f, &full, range(MANY - 1, MANY + 1, 1));
    f->twice = false;
    check_counts(&import, 3, 1, 2, 0, MANY - 2, 0);
    ck_assert_int_eq(count_active(), 3);
    ck_assert_int_eq(catalog_now().active_courses, 3);
    ck_assert_str_eq(state_of("c0001"), "withdrawn 2");
    ck_assert_str_eq(state_of("c0777"), "withdrawn 2");
    ck_assert_int_eq(rows_left(&import), 0);
}
END_TEST

/* ---- one course at a time ---- */

static enum accord_error put(const char *json, struct store_course *ret, bool *ret_changed)
{
    struct course course;
    static struct json_problems problems;
    const enum accord_error decoded =
        course_decode(f->arena, slice_of(json), true, NULL, &course, &problems);
    ck_assert_msg(decoded == ACCORD_OK, "%s: %s", problems.items[0].pointer,
                  problems.items[0].message);
    ck_assert_int_eq(db_begin(f->db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_enter(f->tx, f->db), ACCORD_OK);
    enum accord_error e = catalog_put_course(f->tx, f->arena, "mooc", &course, ret, ret_changed);
    if (e == ACCORD_OK)
        e = ingest_tx_before_commit(f->tx, f->db);
    if (e == ACCORD_OK)
        return db_commit(f->db);
    db_rollback(f->db);
    ingest_tx_rolled_back(f->tx);
    return e;
}

static enum accord_error withdraw(const char *id)
{
    ck_assert_int_eq(db_begin(f->db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_enter(f->tx, f->db), ACCORD_OK);
    enum accord_error e = catalog_withdraw_course(f->tx, "mooc", slice_of(id));
    if (e == ACCORD_OK)
        e = ingest_tx_before_commit(f->tx, f->db);
    if (e == ACCORD_OK)
        return db_commit(f->db);
    db_rollback(f->db);
    ingest_tx_rolled_back(f->tx);
    return e;
}

START_TEST(single_courses)
{
    struct store_course now;
    bool changed;
    ck_assert_int_eq(put("{\"course_id\":\"a\",\"title\":\"甲\"}", &now, &changed), ACCORD_OK);
    ck_assert(changed);
    ck_assert_int_eq(now.version, 1);
    ck_assert_int_eq(put("{\"title\":\"甲\",\"course_id\":\"a\"}", &now, &changed), ACCORD_OK);
    ck_assert(!changed);
    ck_assert_str_eq(state_of("a"), "active 1");
    /* What is answered can be sent back. */
    struct buf out;
    buf_init(&out, 100000);
    course_answer(&out, &now);
    buf_add_char(&out, '\0');
    ck_assert_int_eq(put(out.data, &now, &changed), ACCORD_OK);
    buf_done(&out);
    ck_assert(!changed);
    ck_assert_int_eq(withdraw("a"), ACCORD_OK);
    ck_assert_str_eq(state_of("a"), "withdrawn 2");
    ck_assert_int_eq(withdraw("a"), ACCORD_E_NOT_FOUND);
    ck_assert_int_eq(catalog_now().active_courses, 0);
    ck_assert_int_eq(put("{\"course_id\":\"a\",\"title\":\"甲\"}", &now, &changed), ACCORD_OK);
    ck_assert_str_eq(state_of("a"), "active 3");
    ck_assert_int_eq(catalog_now().active_courses, 1);
    ck_assert_int_eq(catalog_now().generation, 3);

    char id[RANDOM_ID_MAX];
    ck_assert_int_eq(catalog_begin(&f->host, &delta, id), ACCORD_OK);
    ck_assert_int_eq(put("{\"course_id\":\"b\",\"title\":\"x\"}", &now, &changed),
                     ACCORD_E_CATALOG_BUSY);
    ck_assert_int_eq(withdraw("a"), ACCORD_E_CATALOG_BUSY);
    ck_assert_int_eq(
        catalog_run(&f->host, &delta, id, SLICE("[{\"course_id\":\"a\",\"title\":\"甲\"}]")),
        ACCORD_OK);
    check_counts(&(struct store_import[]){fixture_receipt(f, id)}[0], 1, 0, 0, 1, 0, 0);
}
END_TEST

/* ---- random sequences against a naive model ---- */

enum { IDS = 25, STEPS = 120 };

struct model {
    int content[IDS]; /* of the version that stands */
    bool active[IDS];
    int versions[IDS];
};

struct expected {
    int64_t received, created, updated, unchanged, withdrawn, rejected;
};

/* One element of the upload; kind 0 good, 1 refused with its id, 2 refused without. */
struct sent {
    int id, content, kind;
};

static void write_upload(struct buf *out, const struct sent *sent, size_t count, bool lines)
{
    if (!lines)
        buf_add_str(out, "[");
    for (size_t i = 0; i < count; i++) {
        if (i != 0 && !lines)
            buf_add_str(out, ",");
        if (sent[i].kind == 0)
            buf_printf(out, "{\"course_id\":\"m%d\",\"title\":\"T%d\"}", sent[i].id,
                       sent[i].content);
        else if (sent[i].kind == 1)
            buf_printf(out, "{\"course_id\":\"m%d\",\"title\":7}", sent[i].id);
        else
            buf_add_str(out, "{\"title\":\"none\"}");
        if (lines)
            buf_add_str(out, "\n");
    }
    if (!lines)
        buf_add_str(out, "]");
    buf_add_char(out, '\0');
}

static struct expected apply_model(struct model *m, const struct sent *sent, size_t count,
                                   bool is_full)
{
    struct expected x = {.received = (int64_t)count};
    bool seen[IDS] = {false};
    int first[IDS];
    for (int i = 0; i < IDS; i++)
        first[i] = -1;
    for (size_t i = 0; i < count; i++) {
        const int id = sent[i].id;
        if (sent[i].kind == 2) {
            x.rejected++;
            continue;
        }
        seen[id] = true;
        if (sent[i].kind == 1) {
            x.rejected++;
        } else if (first[id] >= 0) {
            if (first[id] == sent[i].content)
                x.unchanged++;
            else
                x.rejected++;
        } else {
            first[id] = sent[i].content;
            if (m->versions[id] == 0)
                x.created++;
            else if (m->active[id] && m->content[id] == first[id])
                x.unchanged++;
            else
                x.updated++;
        }
    }
    if (is_full && x.received == x.rejected)
        return x; /* blocked: nothing changes */
    for (int id = 0; id < IDS; id++) {
        if (first[id] >= 0 && !(m->active[id] && m->content[id] == first[id])) {
            m->active[id] = true;
            m->content[id] = first[id];
            m->versions[id]++;
        } else if (is_full && m->active[id] && !seen[id]) {
            m->active[id] = false;
            m->versions[id]++;
            x.withdrawn++;
        }
    }
    return x;
}

static void check_model(const struct model *m)
{
    int64_t active = 0;
    for (int id = 0; id < IDS; id++) {
        char name[16];
        char want[64];
        snprintf(name, sizeof name, "m%d", id);
        snprintf(want, sizeof want, "%s %d", m->active[id] ? "active" : "withdrawn",
                 m->versions[id]);
        ck_assert_str_eq(state_of(name), m->versions[id] == 0 ? "none" : want);
        ck_assert_int_eq(count_versions(name), m->versions[id]);
        active += m->active[id];
        struct store_course course;
        if (m->versions[id] != 0 && find(name, &course)) {
            snprintf(want, sizeof want, "T%d", m->content[id]);
            ck_assert_str_eq(course.title.data, want);
        }
    }
    ck_assert_int_eq(count_active(), active);
    ck_assert_int_eq(catalog_now().active_courses, active);
}

START_TEST(any_sequence_of_imports_is_the_naive_model)
{
    uint64_t random = (uint64_t)_i + 1;
    struct model model = {0};
    f->config.catalog_drop_max_ppm = ACCORD_PPM_WHOLE;
    f->config.catalog_flaps_max = 0;
    for (int step = 0; step < STEPS; step++) {
        struct sent sent[40];
        const size_t count = 1 + (size_t)random_below(&random, 39);
        for (size_t i = 0; i < count; i++) {
            const int64_t kind = random_below(&random, 12);
            sent[i] = (struct sent){.id = (int)random_below(&random, IDS),
                                    .content = (int)random_below(&random, 3),
                                    .kind = kind < 2 ? (int)kind + 1 : 0};
        }
        struct catalog_request request = delta;
        request.full = random_below(&random, 2) == 0;
        request.dry_run = random_below(&random, 6) == 0;
        request.format = random_below(&random, 2) == 0 ? CATALOG_JSON : CATALOG_NDJSON;
        struct buf out;
        buf_init(&out, 100000);
        write_upload(&out, sent, count, request.format == CATALOG_NDJSON);
        struct model next = model;
        const struct expected x = apply_model(&next, sent, count, request.full);
        const bool blocked = request.full && x.received == x.rejected;
        const struct store_import import = fixture_import(f, &request, out.data);
        buf_done(&out);
        ck_assert_int_eq(import.state, blocked           ? IMPORT_BLOCKED
                                       : request.dry_run ? IMPORT_STAGED
                                                         : IMPORT_APPLIED);
        if (!blocked)
            check_counts(&import, x.received, x.created, x.updated, x.unchanged, x.withdrawn,
                         x.rejected);
        if (!request.dry_run)
            model = next;
        if (step % 10 == 9)
            check_model(&model);
        arena_reset(f->arena);
    }
}
END_TEST

/* ---- lists ---- */

struct seen_rows {
    char keys[400][64];
    size_t count;
    struct store_course_cursor last;
    char last_text[3][64];
};

static void keep_text(char copy[64], struct slice text, struct slice *ret)
{
    ck_assert_uint_lt(text.len, 64);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *ret = (struct slice){copy, text.len};
}

static int list_sort;

static enum accord_error see(void *context, const struct store_course *row)
{
    struct seen_rows *rows = context;
    snprintf(rows->keys[rows->count++], 64, "%.*s", (int)row->course_id.len, row->course_id.data);
    keep_text(rows->last_text[0], row->title, &rows->last.text);
    keep_text(rows->last_text[1], row->provider, &rows->last.provider);
    keep_text(rows->last_text[2], row->course_id, &rows->last.course_id);
    rows->last.number = list_sort == STORE_COURSES_BY_CHANGED ? row->changed_at
                        : list_sort == STORE_COURSES_BY_PRICE ? row->price_amount
                                                              : row->rating_ppm;
    return ACCORD_OK;
}

/* The course_ids of all pages of `limit`, joined. */
static void all_pages(const struct store_course_filter *filter, enum store_course_sort sort,
                      bool descending, int64_t limit, struct seen_rows *rows)
{
    *rows = (struct seen_rows){0};
    list_sort = (int)sort;
    size_t before;
    do {
        /* The cursor's texts are borrowed while rows come in. */
        char texts[3][64];
        memcpy(texts, rows->last_text, sizeof texts);
        const struct store_course_cursor from = {.text = slice_of(texts[0]),
                                                 .number = rows->last.number,
                                                 .provider = slice_of(texts[1]),
                                                 .course_id = slice_of(texts[2])};
        before = rows->count;
        ck_assert_int_eq(store_course_list(f->db, filter, sort, descending,
                                           before == 0 ? NULL : &from, limit, see, rows),
                         ACCORD_OK);
        ck_assert_uint_le(rows->count - before, (size_t)limit);
    } while (rows->count != before);
}

static const struct store_course_filter every = {
    .price_min = -1, .price_max = -1, .rating_min = -1, .state = "active"};

static void import_varied(const char *provider)
{
    struct buf out;
    buf_init(&out, 1000000);
    buf_add_char(&out, '[');
    for (int i = 0; i < 60; i++) {
        if (i != 0)
            buf_add_char(&out, ',');
        buf_printf(&out,
                   "{\"course_id\":\"%s-%02d\",\"title\":\"%s %d\",\"language\":\"%s\","
                   "\"subjects\":[\"%s\"],\"format\":[\"%s\"],\"level\":\"%s\","
                   "\"offers\":[{\"mode\":\"buy\",\"price\":{\"amount\":%d,\"currency\":\"%s\"}}]",
                   provider, i, i % 2 == 0 ? "数学" : "Maths", i % 7,
                   i % 3 == 0 ? "zh" : (i % 3 == 1 ? "zh-CN" : "en"),
                   i % 4 == 0 ? "科学" : "Science", i % 2 == 0 ? "video" : "text",
                   i % 5 == 0 ? "beginner" : "all", i % 6 * 100, i % 10 == 0 ? "USD" : "CNY");
        if (i % 3 != 0)
            buf_printf(&out, ",\"rating\":{\"value\":%d.%d}", i % 5, i % 10);
        buf_add_char(&out, '}');
    }
    buf_add_str(&out, "]");
    buf_add_char(&out, '\0');
    const struct catalog_request request = {.provider = provider, .format = CATALOG_JSON};
    ck_assert_int_eq(fixture_import(f, &request, out.data).counts.created, 60);
    buf_done(&out);
}

START_TEST(pages_join_to_the_whole_in_every_order)
{
    import_varied("mooc");
    import_varied("other");
    for (int sort = STORE_COURSES_BY_TITLE; sort <= STORE_COURSES_BY_RATING; sort++)
        for (int own = 0; own < 2; own++) {
            struct store_course_filter filter = every;
            filter.provider = own ? "other" : NULL;
            filter.currency = sort == STORE_COURSES_BY_PRICE ? "CNY" : NULL;
            static struct seen_rows whole, pages, back;
            all_pages(&filter, (enum store_course_sort)sort, false, 300, &whole);
            all_pages(&filter, (enum store_course_sort)sort, false, 7, &pages);
            all_pages(&filter, (enum store_course_sort)sort, true, 11, &back);
            const size_t want = (sort == STORE_COURSES_BY_PRICE ? 54U : 60U) * (own ? 1U : 2U);
            ck_assert_uint_eq(whole.count, want);
            ck_assert_uint_eq(pages.count, want);
            ck_assert_uint_eq(back.count, want);
            for (size_t i = 0; i < want; i++) {
                ck_assert_str_eq(pages.keys[i], whole.keys[i]);
                ck_assert_str_eq(back.keys[want - 1 - i], whole.keys[i]);
                for (size_t k = 0; k < i; k++)
                    ck_assert_str_ne(whole.keys[k], whole.keys[i]);
            }
        }
}
END_TEST

static size_t count_with(const struct store_course_filter *filter)
{
    static struct seen_rows rows;
    all_pages(filter, STORE_COURSES_BY_TITLE, false, 100, &rows);
    return rows.count;
}

START_TEST(filters)
{
    import_varied("mooc");
    struct store_course_filter filter = every;
    ck_assert_uint_eq(count_with(&filter), 60);
    filter.language = "zh"; /* zh and zh-CN */
    ck_assert_uint_eq(count_with(&filter), 40);
    filter.language = "zh-CN";
    ck_assert_uint_eq(count_with(&filter), 20);
    filter = every;
    filter.subject = "科学";
    ck_assert_uint_eq(count_with(&filter), 15);
    filter = every;
    filter.formats = 1 << 2; /* text */
    ck_assert_uint_eq(count_with(&filter), 30);
    filter = every;
    filter.level = "beginner";
    ck_assert_uint_eq(count_with(&filter), 12);
    filter = every;
    filter.currency = "USD";
    ck_assert_uint_eq(count_with(&filter), 6);
    filter.currency = "CNY";
    filter.price_min = 200;
    filter.price_max = 300;
    size_t want = 0;
    for (int i = 0; i < 60; i++)
        want += i % 10 != 0 && (i % 6 == 2 || i % 6 == 3);
    ck_assert_uint_eq(count_with(&filter), want);
    filter = every;
    filter.rating_min = 800000; /* 4 of 5 */
    want = 0;
    for (int i = 0; i < 60; i++)
        want += i % 3 != 0 && i % 5 == 4;
    ck_assert_uint_eq(count_with(&filter), want);
    ck_assert_int_eq(withdraw("mooc-01"), ACCORD_OK);
    filter = every;
    ck_assert_uint_eq(count_with(&filter), 59);
    filter.state = "withdrawn";
    ck_assert_uint_eq(count_with(&filter), 1);
    filter.subject = "Science";
    ck_assert_uint_eq(count_with(&filter), 1);
    filter.state = NULL;
    filter.subject = NULL;
    ck_assert_uint_eq(count_with(&filter), 60);
}
END_TEST

START_TEST(channels_see_what_they_were_granted)
{
    import_varied("mooc");
    import_varied("other");
    const struct store_grant grants[] = {
        {SLICE("shop"), SLICE("mooc"), SLICE("")},
        {SLICE("shop"), SLICE("other"), SLICE("other-05")},
    };
    ck_assert_int_eq(store_grants_set(f->db, "a1", 1, 1000, 2000, grants, 2), ACCORD_OK);
    struct store_course_filter filter = every;
    filter.partner = "shop";
    filter.now = 1000;
    ck_assert_uint_eq(count_with(&filter), 61);
    filter.provider = "other";
    ck_assert_uint_eq(count_with(&filter), 1);
    filter.provider = NULL;
    filter.now = 999;
    ck_assert_uint_eq(count_with(&filter), 0);
    filter.now = 2000;
    ck_assert_uint_eq(count_with(&filter), 0);
    filter.partner = "other"; /* its own, whatever the time */
    ck_assert_uint_eq(count_with(&filter), 60);

    bool seen;
    ck_assert_int_eq(store_course_may_see(f->db, "shop", "other", SLICE("other-05"), 1500, &seen),
                     ACCORD_OK);
    ck_assert(seen);
    ck_assert_int_eq(store_course_may_see(f->db, "shop", "other", SLICE("other-06"), 1500, &seen),
                     ACCORD_OK);
    ck_assert(!seen);
    ck_assert_int_eq(store_course_may_see(f->db, "shop", "mooc", SLICE("mooc-06"), 1500, &seen),
                     ACCORD_OK);
    ck_assert(seen);
    ck_assert_int_eq(store_grants_set(f->db, "a1", 1, 1000, 2000, NULL, 0), ACCORD_OK);
    ck_assert_int_eq(store_course_may_see(f->db, "shop", "mooc", SLICE("mooc-06"), 1500, &seen),
                     ACCORD_OK);
    ck_assert(!seen);
}
END_TEST

/* Inserts a version in force from `from` on and has its grants worked out. */
static void agree(int64_t version, enum agreement_state state, instant_us from, const char *scope)
{
    const char *body = arena_printf(
        f->arena,
        "{\"parties\":[\"mooc\",\"shop\"],\"scope\":%s,\"effective\":{\"from\":"
        "\"2026-01-01T00:00:00Z\"},\"currency\":\"CNY\",\"terms\":[{\"kind\":\"share\",\"payee\":"
        "\"mooc\",\"share_ppm\":500000},{\"kind\":\"residual\",\"payee\":\"shop\"}]}",
        scope);
    const struct agreement_version_row row = {
        .agreement = "deal",
        .version = version,
        .state = state,
        .effective_from = from,
        .effective_to = INT64_MAX,
        .body = slice_of(body),
        .reason = "",
        .parties = {{.partner = "mooc", .signed_key = ""}, {.partner = "shop", .signed_key = ""}},
        .party_count = 2};
    ck_assert_int_eq(db_begin(f->db), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_enter(f->tx, f->db), ACCORD_OK);
    ck_assert_int_eq(store_agreement_version_insert(f->db, &row), ACCORD_OK);
    ck_assert_int_eq(catalog_grants_changed(f->tx, "deal"), ACCORD_OK);
    ck_assert_int_eq(ingest_tx_before_commit(f->tx, f->db), ACCORD_OK);
    ck_assert_int_eq(db_commit(f->db), ACCORD_OK);
}

START_TEST(agreements_grant_while_they_are_in_force)
{
    import_varied("mooc");
    import_varied("other");
    instant_us start;
    ck_assert_int_eq(clock_parse(SLICE("2026-01-01T00:00:00Z"), &start), ACCORD_OK);
    struct store_course_filter filter = every;
    filter.partner = "shop";
    filter.now = start + CLOCK_DAY_US;
    agree(1, AGREEMENT_DRAFT, start, "{\"providers\":[\"mooc\"],\"channels\":[\"shop\"]}");
    ck_assert_uint_eq(count_with(&filter), 0);
    agree(2, AGREEMENT_ACTIVE, start, "{\"providers\":[\"mooc\"],\"channels\":[\"shop\"]}");
    ck_assert_uint_eq(count_with(&filter), 60);
    /* From the third day on a narrower version is in force. */
    agree(3, AGREEMENT_ACTIVE, start + 2 * CLOCK_DAY_US,
          "{\"courses\":[{\"provider\":\"mooc\",\"course_id\":\"mooc-03\"}],\"channels\":"
          "[\"shop\"]}");
    ck_assert_uint_eq(count_with(&filter), 60);
    filter.now = start + 3 * CLOCK_DAY_US;
    ck_assert_uint_eq(count_with(&filter), 1);
    filter.now = start - 1;
    ck_assert_uint_eq(count_with(&filter), 0);
}
END_TEST

/* ---- CSV, whole ---- */

START_TEST(csv_with_a_column_map)
{
    struct catalog_request csv = {.provider = "mooc",
                                  .format = CATALOG_CSV,
                                  .full = true,
                                  .columns = SLICE("title:课程,course_id:编号,price:现价,"
                                                   "price:原价,-:来源"),
                                  .defaults.language = SLICE("zh")};
    memcpy(csv.defaults.currency.code, "CNY", 4);
    const char *body = "\xef\xbb\xbf来源,编号,课程,现价,原价,level,人数\r\n"
                       "a,1,\"数据,\n分析\",99.0,199.0,All Levels,7\r\n"
                       "b,1,\"数据,\n分析\",99.0,199.0,All Levels,7\r\n" /* the same but for 来源 */
                       "a,2,免费课,,0.0,初级,\r\n"
                       "a,3,\"开头,199,1,,\r\n" /* a quote is not closed */
                       "a,4,\xff\xfe,1,1,,\r\n"
                       "a,5,少了\r\n"
                       "a,6,\"贵\",\"1,299.00\",,Expert Level,-1\r\n";
    const struct store_import import = fixture_import(f, &csv, body);
    check_counts(&import, 7, 3, 0, 1, 0, 3);
    struct problems all = {""};
    ck_assert_int_eq(store_problems_list(f->db, import.id, 0, 100, add_problem, &all), ACCORD_OK);
    ck_assert_str_eq(all.text, "7   csv_invalid\n"
                               "8 4 title text_invalid\n"
                               "9 5  csv_invalid\n");
    struct store_course course;
    ck_assert(find("1", &course));
    ck_assert_str_eq(course.title.data, "数据, 分析");
    ck_assert_int_eq(course.price_amount, 9900);
    ck_assert(find("6", &course));
    ck_assert_int_eq(course.price_amount, 129900);
    ck_assert(find("2", &course));
    ck_assert_int_eq(course.price_amount, 0);
    const struct store_import again = fixture_import(f, &csv, body);
    check_counts(&again, 7, 0, 0, 4, 0, 3);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("courses");
    TCase *life = tcase_create("life");
    tcase_add_checked_fixture(life, setup, teardown);
    tcase_set_timeout(life, 60);
    tcase_add_test(life, delta_creates_changes_and_never_withdraws);
    tcase_add_test(life, full_withdraws_what_is_absent_and_a_return_is_a_version);
    tcase_add_test(life, back_and_forth_are_versions);
    tcase_add_test(life, a_row_that_alternates_is_held);
    tcase_add_test(life, repeated_and_refused_rows);
    tcase_add_test(life, problems_name_line_course_field_and_code);
    tcase_add_test(life, guard_blocks_until_approved);
    tcase_add_test(life, guard_lets_a_share_and_small_catalogs_pass);
    tcase_add_test(life, a_change_supersedes_what_was_blocked);
    tcase_add_test(life, dry_run_changes_nothing);
    tcase_add_test(life, one_import_at_a_time);
    tcase_add_loop_test(life, a_crash_between_chunks_is_rolled_forward_or_back, 0, 12);
    tcase_add_test(life, chunks_may_run_twice);
    tcase_add_test(life, single_courses);
    tcase_add_loop_test(life, any_sequence_of_imports_is_the_naive_model, 0, 3);
    tcase_add_test(life, csv_with_a_column_map);
    suite_add_tcase(suite, life);
    TCase *lists = tcase_create("lists");
    tcase_add_checked_fixture(lists, setup, teardown);
    tcase_set_timeout(lists, 60);
    tcase_add_test(lists, pages_join_to_the_whole_in_every_order);
    tcase_add_test(lists, filters);
    tcase_add_test(lists, channels_see_what_they_were_granted);
    tcase_add_test(lists, agreements_grant_while_they_are_in_force);
    suite_add_tcase(suite, lists);
    return suite;
}
UNIT_MAIN(make_suite)
