/* Cursors and versions as clients hand them back: only what was given is taken. */
#include "unit.h"

#include "api/cursor.h"

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new((size_t)64 << 20);
}

static void tear_down(void)
{
    arena_free(arena);
}

START_TEST(round_trips)
{
    uint64_t random = 7;
    for (int round = 0; round < 2000; round++) {
        char bytes[4][300];
        struct slice parts[4];
        struct slice back[4];
        const size_t count = (size_t)random_below(&random, 5);
        const uint32_t binding = (uint32_t)random_next(&random);
        for (size_t i = 0; i < count; i++) {
            parts[i] = (struct slice){bytes[i], (size_t)random_below(&random, 300)};
            for (size_t k = 0; k < parts[i].len; k++)
                bytes[i][k] = (char)(1 + random_below(&random, 127)); /* a text */
        }
        const char *text = cursor_encode(arena, binding, parts, count);
        ck_assert_ptr_nonnull(text);
        ck_assert_uint_eq(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_"),
                          strlen(text));
        ck_assert(cursor_decode(arena, binding, slice_of(text), count, back));
        for (size_t i = 0; i < count; i++) {
            ck_assert(slice_equal(parts[i], back[i]));
            ck_assert_int_eq(back[i].data[back[i].len], '\0');
        }
        ck_assert(!cursor_decode(arena, binding + 1, slice_of(text), count, back));
        ck_assert(!cursor_decode(arena, binding, slice_of(text), count + 1, back));
        if (count > 0)
            ck_assert(!cursor_decode(arena, binding, slice_of(text), count - 1, back));
        arena_reset(arena);
    }
}
END_TEST

/* Whatever comes in: refused, or it is exactly what encoding its parts gives. */
static void check_any(const char *text, size_t len, size_t count)
{
    struct slice parts[4];
    const struct slice given = {text, len};
    if (!cursor_decode(arena, 0, given, count, parts))
        return;
    const char *again = cursor_encode(arena, 0, parts, count);
    ck_assert(slice_equal(slice_of(again), given));
}

START_TEST(fuzz)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=\n";
    uint64_t random = 11;
    for (int round = 0; round < 200000; round++) {
        char text[64];
        const size_t len = (size_t)random_below(&random, sizeof text);
        for (size_t i = 0; i < len; i++)
            text[i] = random_below(&random, 20) == 0
                          ? (char)random_next(&random)
                          : alphabet[random_below(&random, sizeof alphabet - 1)];
        if (len >= 6 && random_below(&random, 2) == 0)
            memcpy(text, "AAAAAA", 6); /* the right binding, so that more than it is read */
        check_any(text, len, (size_t)random_below(&random, 5));
        arena_reset(arena);
    }
}
END_TEST

START_TEST(changed_texts)
{
    const struct slice parts[] = {SLICE("coursera"), SLICE("python")};
    struct slice back[2];
    const char *text = cursor_encode(arena, 99, parts, 2);
    const size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        ck_assert(!cursor_decode(arena, 99, (struct slice){text, i}, 2, back));
    char longer[128];
    memcpy(longer, text, len);
    longer[len] = 'A';
    ck_assert(!cursor_decode(arena, 99, (struct slice){longer, len + 1}, 2, back));
}
END_TEST

START_TEST(versions)
{
    static const int64_t values[] = {0,     1,          63,        255,       256,          65535,
                                     65536, 4294967295, 999999999, INT64_MAX, INT64_MAX - 1};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        int64_t back = -1;
        const char *text = cursor_of_version(arena, 0xabcd1234, values[i]);
        ck_assert(cursor_to_version(0xabcd1234, slice_of(text), &back));
        ck_assert_int_eq(back, values[i]);
        ck_assert(!cursor_to_version(0xabcd1235, slice_of(text), &back));
    }
    ck_assert_str_eq(cursor_of_version(arena, 0, 0), "AAAA");
    static const char *const wrong[] = {
        "", "A", "AB", "AAA", "AAAAE", "=AAA", "AAA=", "nonsense", "AACAAAAAAAAAAA", "A AA"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t back = -1;
        ck_assert_msg(!cursor_to_version(0, slice_of(wrong[i]), &back), "%s", wrong[i]);
        ck_assert_int_eq(back, -1);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("api_cursor");
    TCase *cases = tcase_create("all");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, round_trips);
    tcase_add_test(cases, fuzz);
    tcase_add_test(cases, changed_texts);
    tcase_add_test(cases, versions);
    suite_add_tcase(suite, cases);
    return suite;
}

UNIT_MAIN(make_suite)
