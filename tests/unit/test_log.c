#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static int ends[2];
static char text[3 * LOG_LINE_MAX];

static void setup(void)
{
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    log_open(ends[1], LOG_INFO);
}

static void teardown(void)
{
    log_open(STDERR_FILENO, LOG_INFO);
    close(ends[0]);
    close(ends[1]);
}

/* What was logged since, after the time (whose form is checked). */
static const char *logged(void)
{
    const ssize_t len = read(ends[0], text, sizeof text - 1);
    text[len < 0 ? 0 : len] = '\0';
    if (len <= 0)
        return "";
    int fields[7];
    int end = 0;
    ck_assert_int_eq(sscanf(text, "{\"time\":\"%4d-%2d-%2dT%2d:%2d:%2d.%6dZ\"%n", &fields[0],
                            &fields[1], &fields[2], &fields[3], &fields[4], &fields[5], &fields[6],
                            &end) >= 6,
                     1);
    return strstr(text, "Z\"") + 2;
}

START_TEST(lines)
{
    LOG(LOG_INFO, "request", LOG_TEXT("route", "GET /v1/me"), LOG_INT("status", 200),
        LOG_TEXT("partner", NULL), LOG_INT("least", INT64_MIN));
    ck_assert_str_eq(logged(), ",\"level\":\"info\",\"event\":\"request\",\"route\":\"GET /v1/me\","
                               "\"status\":200,\"least\":-9223372036854775808}\n");
    log_write(LOG_ERROR, "stop", NULL, 0);
    ck_assert_str_eq(logged(), ",\"level\":\"error\",\"event\":\"stop\"}\n");
}
END_TEST

START_TEST(levels)
{
    log_write(LOG_DEBUG, "detail", NULL, 0);
    ck_assert_str_eq(logged(), "");
    log_set_level(LOG_DEBUG);
    log_write(LOG_DEBUG, "detail", NULL, 0);
    ck_assert_str_eq(logged(), ",\"level\":\"debug\",\"event\":\"detail\"}\n");
    log_set_level(LOG_ERROR);
    log_write(LOG_WARN, "detail", NULL, 0);
    ck_assert_str_eq(logged(), "");
}
END_TEST

START_TEST(escapes)
{
    LOG(LOG_WARN, "x", LOG_TEXT("t", "a\"b\\c\nd\te\x01\x7f/课😀"),
        LOG_TEXT("bad", "\xc3(\xff\xe8\xaf\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf"));
    ck_assert_str_eq(logged(), ",\"level\":\"warn\",\"event\":\"x\",\"t\":\"a\\\"b\\\\c\\nd\\u0009e"
                               "\\u0001\\u007f/课😀\",\"bad\":\"\\ufffd(\\ufffd\\ufffd\\ufffd"
                               "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\""
                               "}\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
    static char huge[2 * LOG_LINE_MAX];
    /* Every length around the limit, with characters of two bytes, so that cuts fall everywhere. */
    for (size_t len = LOG_LINE_MAX - 200; len < LOG_LINE_MAX + 40; len++) {
        memset(huge, 'x', len);
        huge[len] = '\0';
        for (size_t i = len - 100; i + 1 < len; i += 2)
            memcpy(huge + i, "é", 2);
        LOG(LOG_INFO, "x", LOG_TEXT("t", huge), LOG_INT("n", 123456), LOG_TEXT("u", "end"));
        (void)logged();
        const size_t got = strlen(text);
        ck_assert_uint_le(got, LOG_LINE_MAX);
        ck_assert_ptr_null(strstr(text, "ufffd"));
        const char *end = text[got - 3] == '"' ? "\"u\":\"end\"}\n" : "\"truncated\":true}\n";
        ck_assert_str_eq(text + got - strlen(end), end);
    }
}
END_TEST

START_TEST(errno_is_kept)
{
    log_open(-1, LOG_INFO);
    errno = ENOSPC;
    log_write(LOG_INFO, "x", NULL, 0);
    ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

static int count_lines(const char *of)
{
    int count = 0;
    for (; *of != '\0'; of++)
        count += *of == '\n';
    return count;
}

/* Lines that a thread holds come together, in their order, none too late to warn of something and
 * none cut by the next. */
START_TEST(lines_are_held)
{
    static char all[1 << 18];
    size_t len = 0;
    log_hold();
    log_write(LOG_INFO, "one", NULL, 0);
    log_write(LOG_INFO, "two", NULL, 0);
    ck_assert_str_eq(logged(), "");
    log_release();
    ck_assert_int_eq(count_lines(logged()), 2);
    log_release();
    ck_assert_str_eq(logged(), "");
    log_write(LOG_INFO, "three", NULL, 0);
    log_write(LOG_WARN, "four", NULL, 0);
    const char *both = logged();
    ck_assert_int_eq(count_lines(both), 2);
    ck_assert(strstr(both, "three") < strstr(both, "four"));
    for (int i = 0; i < 500; i++) {
        LOG(LOG_INFO, "many", LOG_INT("i", i));
        const ssize_t got = read(ends[0], all + len, sizeof all - len);
        ck_assert_int_le(got, LOG_LINE_MAX);
        ck_assert(got <= 0 || all[len + (size_t)got - 1] == '\n');
        len += got < 0 ? 0 : (size_t)got;
    }
    log_release();
    len += (size_t)read(ends[0], all + len, sizeof all - len);
    all[len] = '\0';
    const char *at = all;
    for (int i = 0; i < 500; i++) {
        char want[40];
        snprintf(want, sizeof want, "\"i\":%d}\n", i);
        at = strstr(at, want);
        ck_assert_ptr_nonnull(at);
    }
    ck_assert_int_eq(count_lines(all), 500);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("log");
    TCase *tests = tcase_create("log");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, lines);
    tcase_add_test(tests, levels);
    tcase_add_test(tests, escapes);
    tcase_add_test(tests, long_lines_are_cut);
    tcase_add_test(tests, errno_is_kept);
    tcase_add_test(tests, lines_are_held);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
