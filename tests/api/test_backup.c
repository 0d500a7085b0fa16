/* Books are copied while they are served and written to; the copy is whole, and can be served. */
#include "support/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 50 };

static char *shop;

static void once(void)
{
    world_setup();
    const char *key = make_partner_key("shop", "\"channel\"");
    const char *school = make_partner_key("school", "\"provider\"");
    make_course(school, "school", "c", 100, "CNY");
    make_agreement("a",
                   "\"parties\":[\"school\",\"shop\"],\"scope\":{\"providers\":[\"school\"],"
                   "\"channels\":[\"shop\"]},\"effective\":{\"from\":"
                   "\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\",\"period\":{\"kind\":"
                   "\"month\",\"time_zone\":\"Asia/Shanghai\"},\"terms\":[{\"kind\":\"share\","
                   "\"payee\":\"school\",\"share_ppm\":600000},{\"kind\":\"residual\",\"payee\":"
                   "\"shop\"}]",
                   (const char *const[]){key, school, NULL});
    shop = strdup(key);
    client_free_all();
}

static void at_end(void)
{
    free(shop);
    world_teardown();
}

static const char *batch(int number)
{
    char *body = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&body, &len);
    for (int i = 0; i < BATCH; i++)
        fprintf(out,
                "%s{\"event_id\":\"%d-%d\",\"type\":\"order.paid\",\"occurred_at\":"
                "\"2025-01-10T00:00:00Z\",\"order_id\":\"%d-%d\",\"currency\":\"CNY\",\"lines\":["
                "{\"line_id\":\"1\",\"provider\":\"school\",\"course_id\":\"c\",\"quantity\":1,"
                "\"paid\":1000}]}",
                i == 0 ? "[" : ",", number, i, number, i);
    fputc(']', out);
    fclose(out);
    const char *kept = text("%s", body);
    free(body);
    return kept;
}

/* Runs `accord COMMAND` on the books of a folder; returns its exit status and what it said. */
static int tool(const char *dir, const char *command, char said[4096])
{
    FILE *pipe = popen(text("ACCORD_DATABASE=sqlite:%s/accord.db %s %s 2>&1", dir,
                            getenv("ACCORD_BINARY"), command),
                       "re");
    ck_assert_ptr_nonnull(pipe);
    said[fread(said, 1, 4095, pipe)] = '\0';
    const int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_tool(const char *dir, const char *command, int status, const char *what)
{
    char said[4096] = "";
    const int is = tool(dir, command, said);
    ck_assert_msg(is == status && strstr(said, what) != NULL, "accord %s: %d: %s", command, is,
                  said);
}

static long long gross(void)
{
    return int_at(get(shop, "/v1/revenue?period=2025-01"), "/rows/0/gross/amount");
}

/* A process that posts one batch after another; the parent goes on. */
static pid_t post_on(void)
{
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    for (int i = 100;; i++) {
        post(shop, "/v1/events", batch(i));
        client_free_all();
    }
}

START_TEST(a_copy_is_whole)
{
    struct server copy = {.pid = 0};
    struct server again = {.pid = 0};
    for (int i = 0; i < 20; i++)
        expect_status(post(shop, "/v1/events", batch(i)), 200);
    struct response *closed = post(operator_key, "/v1/agreements/a/periods/2025-01/close", NULL);
    expect_status(closed, 200);
    const char *lines = text("/v1/statements/%s/lines", text_at(closed, "/statements/0/id"));
    struct response *lines_are = get(operator_key, "%s", lines);
    expect_status(lines_are, 200);
    const long long before = gross();
    ck_assert_int_eq(before, 20 * BATCH * 1000);

    server_prepare(&copy);
    const pid_t poster = post_on();
    for (int i = 0; i < 5; i++)
        expect_tool(world_server.dir, text("backup %s/copy-%d.db", copy.dir, i), 0, "copy-");
    expect_tool(world_server.dir, text("backup %s/accord.db", copy.dir), 0, "accord-test.db");
    kill(poster, SIGKILL);
    waitpid(poster, NULL, 0);
    const long long after = gross();
    ck_assert_int_gt(after, before);

    /* What stood before is in it, whole batches only, and everything agrees with the journal. */
    for (int i = 0; i < 5; i++) {
        char said[4096] = "";
        const int status = WEXITSTATUS(
            system(text("ACCORD_DATABASE=sqlite:%s/copy-%d.db %s verify >/dev/null 2>&1", copy.dir,
                        i, getenv("ACCORD_BINARY"))));
        ck_assert_msg(status == 0, "copy %d: %s", i, said);
    }
    server_start(&copy);
    client_use(copy.base);
    const long long is = gross();
    ck_assert_int_ge(is, before);
    ck_assert_int_le(is, after);
    ck_assert_int_eq(is % (BATCH * 1000), 0);
    struct response *same = get(operator_key, "%s", lines);
    ck_assert_str_eq(same->body, lines_are->body);
    expect_status(post(shop, "/v1/events", batch(99999)), 200);
    client_use(world_server.base);
    server_stop(&copy);

    /* Nothing is written over. */
    expect_tool(world_server.dir, text("backup %s/accord.db", copy.dir), 1, "is there already");
    expect_tool(world_server.dir, text("restore %s/copy-1.db", copy.dir), 1,
                "another process serves these books");
    expect_tool(copy.dir, text("restore %s/copy-1.db", copy.dir), 1, "is there already");
    expect_tool(copy.dir, text("backup %s/no/such/folder.db", copy.dir), 1, "No such file");
    expect_tool("/nowhere", text("backup %s/other.db", copy.dir), 1, "/nowhere/accord.db");
    expect_tool(copy.dir, "backup", 2, "usage");

    server_prepare(&again);
    expect_tool(again.dir, text("restore %s/copy-1.db", copy.dir), 0, "accord-test.db");
    server_start(&again);
    client_use(again.base);
    ck_assert_int_ge(gross(), before);
    client_use(world_server.base);
    server_stop(&again);
    const char *why = server_verify(&again);
    ck_assert_msg(why == NULL, "%s", why);
    server_remove(&again);
    server_remove(&copy);
}
END_TEST

/* No room for the copy: nothing of it is left, and the books go on. */
START_TEST(a_copy_without_room)
{
    struct stat status;
    const char *copy = text("%s/full.db", world_server.dir);
    char said[4096] = "";
    FILE *pipe = popen(text("ulimit -f 64; ACCORD_DATABASE=sqlite:%s/accord.db %s backup %s 2>&1",
                            world_server.dir, getenv("ACCORD_BINARY"), copy),
                       "re");
    ck_assert_ptr_nonnull(pipe);
    said[fread(said, 1, sizeof said - 1, pipe)] = '\0';
    ck_assert_int_ne(pclose(pipe), 0);
    ck_assert_int_ne(stat(copy, &status), 0);
    ck_assert_int_ne(stat(text("%s-part", copy), &status), 0);
    expect_status(post(shop, "/v1/events", batch(50000)), 200);
    expect_tool(world_server.dir, text("backup %s", copy), 0, "full-test.db");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("backup");
    TCase *all = tcase_create("backup");
    tcase_add_unchecked_fixture(all, once, at_end);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, a_copy_is_whole);
    tcase_add_test(all, a_copy_without_room);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "backup")
