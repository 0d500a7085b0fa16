/* A partner downloads the inputs of its statement and computes it again with the program itself. */
#include "support/deal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct settled {
    int status;
    char out[4096]; /* of both streams */
};

static const char *write_file(const char *name, const char *body)
{
    const char *dir = getenv("TMPDIR");
    const char *path =
        text("%s/accord-%s-%d.ndjson", dir == NULL ? "/tmp" : dir, name, (int)getpid());
    FILE *file = fopen(path, "wbe");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(body, 1, strlen(body), file), strlen(body));
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

static struct settled settle(const char *options)
{
    struct settled is = {.out = ""};
    FILE *pipe = popen(text("%s settle %s 2>&1", getenv("ACCORD_BINARY"), options), "re");
    ck_assert_ptr_nonnull(pipe);
    is.out[fread(is.out, 1, sizeof is.out - 1, pipe)] = '\0';
    const int status = pclose(pipe);
    is.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return is;
}

static void expect_out(const struct settled *is, const char *what)
{
    ck_assert_msg(strstr(is->out, what) != NULL, "%s is not in\n%s", what, is->out);
}

static char *read_file(const char *path)
{
    static char bytes[1 << 16];
    FILE *file = fopen(path, "rbe");
    ck_assert_ptr_nonnull(file);
    bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
    fclose(file);
    return bytes;
}

/* The statement, its hashes and its lines, from the file alone. */
static void expect_again(const char *key, const char *id)
{
    struct response *statement = get(key, "/v1/statements/%s", id);
    struct response *inputs = get(key, "/v1/statements/%s/inputs", id);
    expect_status(inputs, 200);
    ck_assert_str_eq(header(inputs, "content-type"), "application/x-ndjson");
    const char *path = write_file(id, inputs->body);
    const char *lines = text("%s.lines", path);
    const struct settled is = settle(text("--inputs %s --lines %s", path, lines));
    ck_assert_msg(is.status == 0, "%s", is.out);
    expect_out(&is, "\nagrees\n");
    expect_out(&is, text("inputs_hash  %s\n", text_at(statement, "/inputs_hash")));
    expect_out(&is, text("lines_hash   %s\n", text_at(statement, "/lines_hash")));
    expect_out(&is, text("closing      %lld\n", int_at(statement, "/closing")));
    expect_out(&is, text("due          %lld\n", int_at(statement, "/due")));
    struct response *published =
        client_send(&(struct request){.method = "GET",
                                      .path = text("/v1/statements/%s/lines", id),
                                      .key = key,
                                      .headers = {"Accept: application/x-ndjson"}});
    ck_assert_str_eq(read_file(lines), published->body);
    unlink(lines);
    unlink(path);
}

START_TEST(a_downloaded_file_gives_the_statement)
{
    const struct deal deal = deal_make("again", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    struct response *january = deal_close(&deal, "2025-01");
    deal_refund(&deal, "o1", "2025-02-11", 3333);
    deal_sell(&deal, "o2", "2025-02-10", 2001);
    struct response *february = deal_close(&deal, "2025-02");
    expect_again(deal.school, deal_statement(&deal, january, "school"));
    expect_again(deal.shop, deal_statement(&deal, january, "shop"));
    expect_again(deal.school, deal_statement(&deal, february, "school"));
    expect_again(deal.shop, deal_statement(&deal, february, "shop"));
}
END_TEST

START_TEST(what_was_changed_does_not_agree)
{
    const struct deal deal = deal_make("forged", "");
    deal_sell(&deal, "o1", "2025-01-10", 10000);
    const char *id = deal_statement(&deal, deal_close(&deal, "2025-01"), "school");
    struct response *inputs = get(deal.school, "/v1/statements/%s/inputs", id);
    char *forged = strdup(inputs->body);
    char *paid = strstr(forged, "\"paid\":10000");
    ck_assert_ptr_nonnull(paid);
    paid[sizeof "\"paid\":" - 1] = '2';
    const char *path = write_file(id, forged);
    struct settled is = settle(text("--inputs %s", path));
    ck_assert_int_eq(is.status, 1);
    /* 70 % of 20000 */
    expect_out(&is, "differs: earned is 14000, the statement says 7000\n");
    *strstr(forged, "\"order\"") = 'x';
    write_file(id, forged);
    is = settle(text("--inputs %s", path));
    ck_assert_int_eq(is.status, 1);
    expect_out(&is, ": line 3: ");
    unlink(path);
    is = settle(text("--inputs %s", path));
    ck_assert_int_eq(is.status, 1);
    ck_assert_int_eq(settle("").status, 2);
    ck_assert_int_eq(settle("--inputs").status, 2);
    ck_assert_int_eq(settle("--other x").status, 2);
    free(forged);
    /* It never changes. */
    struct response *again = client_send(
        &(struct request){.method = "GET",
                          .path = text("/v1/statements/%s/inputs", id),
                          .key = deal.school,
                          .headers = {text("If-None-Match: %s", header(inputs, "etag"))}});
    expect_status(again, 304);
    expect_problem(get(deal.school, "/v1/statements/%s/inputs?cursor=x", id), 400, "query_invalid");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("statement-inputs");
    TCase *tc = tcase_create("statement-inputs");
    tcase_set_timeout(tc, 300);
    tcase_add_unchecked_fixture(tc, world_setup, world_teardown);
    tcase_add_checked_fixture(tc, NULL, test_teardown);
    tcase_add_test(tc, a_downloaded_file_gives_the_statement);
    tcase_add_test(tc, what_was_changed_does_not_agree);
    suite_add_tcase(suite, tc);
    return suite;
}

API_MAIN(make_suite, "statement-inputs")
