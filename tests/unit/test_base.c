#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"

START_TEST(arena_keeps_its_maximum)
{
    struct arena *arena = arena_new(20000);
    ck_assert_ptr_nonnull(arena_alloc(arena, 1));
    ck_assert_ptr_nonnull(arena_alloc(arena, 9000));
    ck_assert_ptr_null(arena_alloc(arena, 9000));
    ck_assert_ptr_null(arena_array(arena, SIZE_MAX / 2, 4));
    arena_reset(arena);
    char *text = arena_printf(arena, "%s-%d", "课程", 7);
    ck_assert_str_eq(text, "课程-7");
    ck_assert_ptr_nonnull(arena_alloc(arena, 9000));
    arena_free(arena);
    arena_free(NULL);
}
END_TEST

START_TEST(buf_keeps_its_maximum)
{
    struct buf buf;
    buf_init(&buf, 10);
    buf_add_str(&buf, "0123456789");
    ck_assert_int_eq(buf_error(&buf), ACCORD_OK);
    buf_add_char(&buf, 'x');
    ck_assert_int_eq(buf_error(&buf), ACCORD_E_BODY_TOO_LARGE);
    ck_assert_uint_eq(buf.len, 10);
    buf_done(&buf);
    buf_init(&buf, 100000);
    for (int i = 0; i < 3000; i++)
        buf_printf(&buf, "%d,", i);
    char *long_text = malloc(2001);
    memset(long_text, 'y', 2000);
    long_text[2000] = '\0';
    buf_printf(&buf, "%s", long_text);
    free(long_text);
    ck_assert_int_eq(buf_error(&buf), ACCORD_OK);
    size_t len;
    char *data = buf_steal(&buf, &len);
    ck_assert_uint_eq(len, 10 * 2 + 90 * 3 + 900 * 4 + 2000 * 5 + 2000);
    ck_assert_mem_eq(data, "0,1,2,", 6);
    free(data);
}
END_TEST

static const struct {
    const char *text;
    int64_t us; /* -1: refused */
} times[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-01-15T20:03:11+08:00", INT64_C(1768478591000000)},
    {"2026-01-15T12:03:11Z", INT64_C(1768478591000000)},
    {"2024-02-29T23:59:59.5Z", INT64_C(1709251199500000)},
    {"2000-03-01t00:00:00.000001z", INT64_C(951868800000001)},
    {"2199-12-31T23:59:59Z", INT64_C(7258118399000000)},
    {"2023-02-29T00:00:00Z", -1},
    {"2100-02-29T00:00:00Z", -1},
    {"2026-01-15T12:03:11", -1},
    {"2026-01-15", -1},
    {"2026-01-15T24:00:00Z", -1},
    {"2026-01-15T12:03:60Z", -1},
    {"2026-13-15T12:03:11Z", -1},
    {"1969-12-31T23:59:59Z", -1},
    {"1970-01-01T00:00:00+00:01", -1},
    {"2199-12-31T23:59:59-00:01", -1},
    {"2199-12-31T23:59:59+00:01", INT64_C(7258118339000000)},
    {"2026-01-15T12:03:11.Z", -1},
    {"2026-01-15T12:03:11.1234567Z", -1},
    {"2026-01-15T12:03:11+8:00", -1},
    {"2026-01-15T12:03:11+24:00", -1},
    {"2026-01-15T12:03:11Zx", -1},
    {"", -1},
};

START_TEST(times_parse)
{
    int64_t us = -2;
    const enum accord_error error = clock_parse(slice_of(times[_i].text), &us);
    if (times[_i].us < 0) {
        ck_assert_int_eq(error, ACCORD_E_TIME_INVALID);
        ck_assert_int_eq(us, -2);
    } else {
        ck_assert_int_eq(error, ACCORD_OK);
        ck_assert_int_eq(us, times[_i].us);
    }
}
END_TEST

START_TEST(times_round_trip)
{
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        const int64_t at = random_below(&seed, INT64_C(7258118400000000));
        char text[CLOCK_TEXT_MAX];
        clock_format(at, text);
        int64_t back;
        if (clock_parse(slice_of(text), &back) != ACCORD_OK || back != at)
            ck_abort_msg("%s", text);
    }
    for (int32_t day = -200000; day < 200000; day++) {
        int year;
        unsigned month;
        unsigned of_month;
        clock_civil_from_days(day, &year, &month, &of_month);
        if (clock_days_from_civil(year, month, of_month) != day)
            ck_abort_msg("day %d", day);
    }
}
END_TEST

START_TEST(hashes)
{
    /* BLAKE2b-256 of "abc", as published with the reference implementation's test vectors. */
    char hex[HASH_HEX_MAX];
    struct hash hash = hash_of(SLICE("abc"));
    hash_hex(&hash, hex);
    ck_assert_str_eq(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    const uint8_t key[32] = {1};
    const struct hash keyed = hash_keyed(key, SLICE("abc"));
    ck_assert(!hash_equal(&hash, &keyed));
    char a[RANDOM_ID_MAX];
    char b[RANDOM_ID_MAX];
    random_id("ord_", a);
    random_id("ord_", b);
    ck_assert_uint_eq(strlen(a), 30);
    ck_assert_str_ne(a, b);
    ck_assert_int_eq(strncmp(a, b, 9), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("base");
    TCase *tests = tcase_create("base");
    tcase_add_test(tests, arena_keeps_its_maximum);
    tcase_add_test(tests, buf_keeps_its_maximum);
    tcase_add_loop_test(tests, times_parse, 0, sizeof times / sizeof times[0]);
    tcase_add_test(tests, times_round_trip);
    tcase_add_test(tests, hashes);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
