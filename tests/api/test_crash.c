/* kill -9 while batches are being written: what was acknowledged is there, nothing is there twice,
 * what was not acknowledged is absent or complete, and the books agree. */
#include "support/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 6, BATCH = 25, PAID = 997, BATCHES_MAX = 20000, WRITERS = 2 };

static const char *batch_body(int round, int writer, int batch)
{
    char *body = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&body, &len);
    fputc('[', out);
    for (int i = 0; i < BATCH; i++)
        fprintf(out,
                "%s{\"event_id\":\"%d-%d-%d-%d\",\"type\":\"order.paid\",\"occurred_at\":"
                "\"2025-01-10T00:00:00Z\",\"order_id\":\"%d-%d-%d-%d\",\"currency\":\"CNY\","
                "\"lines\":[{\"line_id\":\"1\",\"provider\":\"crash-p\",\"course_id\":\"c\","
                "\"quantity\":1,\"paid\":%d}]}",
                i == 0 ? "" : ",", round, writer, batch, i, round, writer, batch, i, PAID);
    fputc(']', out);
    fclose(out);
    const char *kept = text("%s", body);
    free(body);
    return kept;
}

/* A process that posts batch after batch until the server is gone, and tells which were
 * acknowledged. */
static pid_t start_writer(const char *key, int round, int writer, int report)
{
    const pid_t pid = fork();
    ck_assert(pid >= 0);
    if (pid > 0)
        return pid;
    char secret[128]; /* outlives client_free_all() */
    snprintf(secret, sizeof secret, "%s", key);
    for (int batch = 0; batch < BATCHES_MAX; batch++) {
        const struct response *is = post(secret, "/v1/orders", batch_body(round, writer, batch));
        if (is->status != 200)
            break;
        const int told[2] = {writer, batch};
        if (write(report, told, sizeof told) != (ssize_t)sizeof told)
            break;
        client_free_all();
    }
    _exit(0);
}

struct seen {
    int last[ROUNDS][WRITERS]; /* the highest batch acknowledged; -1: none */
};

static void run_until_killed(struct server *server, const char *key, int round, struct seen *seen)
{
    int pipes[2];
    ck_assert(pipe(pipes) == 0);
    pid_t writers[WRITERS];
    for (int w = 0; w < WRITERS; w++) {
        seen->last[round][w] = -1;
        writers[w] = start_writer(key, round, w, pipes[1]);
    }
    close(pipes[1]);
    /* Not at once: some batches get through. Then at an instant of no meaning. */
    int told[2];
    int batches = 0;
    while (batches < 4 && read(pipes[0], told, sizeof told) == (ssize_t)sizeof told) {
        ck_assert_int_eq(told[1], seen->last[round][told[0]] + 1);
        seen->last[round][told[0]] = told[1];
        batches++;
    }
    ck_assert_int_eq(batches, 4);
    nanosleep(&(struct timespec){.tv_nsec = 3000000 + 17000000L * round}, NULL);
    server_kill(server);
    while (read(pipes[0], told, sizeof told) == (ssize_t)sizeof told)
        seen->last[round][told[0]] = told[1];
    close(pipes[0]);
    for (int w = 0; w < WRITERS; w++)
        waitpid(writers[w], NULL, 0);
}

/* Counts the facts by (round, writer, batch); each event may stand once. */
static size_t count_facts(const char *key, int *counts, int batches)
{
    size_t total = 0;
    const char *since = "";
    for (;;) {
        struct response *page = get(key, "/v1/events?limit=1000%s", since);
        expect_status(page, 200);
        size_t index;
        const json_t *item;
        json_array_foreach(at(page, "/items"), index, item)
        {
            int round;
            int writer;
            int batch;
            int i;
            ck_assert_int_eq(sscanf(json_string_value(json_object_get(item, "event_id")),
                                    "%d-%d-%d-%d", &round, &writer, &batch, &i),
                             4);
            ck_assert(batch < batches);
            const size_t place =
                ((size_t)(round * WRITERS + writer) * (size_t)batches + (size_t)batch) * BATCH +
                (size_t)i;
            ck_assert_msg(counts[place] == 0, "%d-%d-%d-%d stands twice", round, writer, batch, i);
            counts[place] = 1;
            total++;
        }
        if (json_array_size(at(page, "/items")) == 0)
            return total;
        since = text("&since=%s", text_at(page, "/next"));
    }
}

START_TEST(acknowledged_is_durable)
{
    struct server server = {.env = {NULL}};
    server_prepare(&server);
    server_start(&server);
    client_use(server.base);
    const char *provider = make_partner_key("crash-p", "\"provider\"");
    const char *key = make_partner_key("crash-c", "\"channel\"");
    make_course(provider, "crash-p", "c", PAID, "CNY");
    make_agreement("crash",
                   "\"parties\":[\"crash-p\",\"crash-c\"],\"scope\":{\"providers\":[\"crash-p\"],"
                   "\"channels\":[\"crash-c\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},"
                   "\"currency\":\"CNY\",\"terms\":[{\"kind\":\"share\",\"payee\":\"crash-p\","
                   "\"share_ppm\":500000},{\"kind\":\"residual\",\"payee\":\"crash-c\"}]",
                   (const char *const[]){provider, key, NULL});
    struct seen seen;
    int most = 0;
    for (int round = 0; round < ROUNDS; round++) {
        run_until_killed(&server, key, round, &seen);
        server_start(&server);
        client_use(server.base);
        for (int w = 0; w < WRITERS; w++)
            if (seen.last[round][w] > most)
                most = seen.last[round][w];
    }
    /* One batch more may be there: written, but its answer was lost. */
    const int batches = most + 2;
    int *counts = calloc((size_t)(ROUNDS * WRITERS * batches) * BATCH, sizeof *counts);
    ck_assert_ptr_nonnull(counts);
    const size_t total = count_facts(key, counts, batches);
    for (int round = 0; round < ROUNDS; round++)
        for (int w = 0; w < WRITERS; w++)
            for (int batch = 0; batch < batches; batch++) {
                int sum = 0;
                for (int i = 0; i < BATCH; i++)
                    sum +=
                        counts[((size_t)(round * WRITERS + w) * (size_t)batches + (size_t)batch) *
                                   BATCH +
                               (size_t)i];
                if (batch <= seen.last[round][w])
                    ck_assert_msg(sum == BATCH, "%d-%d-%d was acknowledged: %d of %d", round, w,
                                  batch, sum, BATCH);
                else
                    ck_assert_msg(sum == 0 || sum == BATCH, "%d-%d-%d is half there: %d", round, w,
                                  batch, sum);
            }
    free(counts);
    struct response *is = revenue_settled(key, "/v1/revenue?period=2025-01");
    expect_int(is, "/rows/0/lines", (json_int_t)total);
    expect_money(is, "/rows/0/gross", (json_int_t)total * PAID, "CNY");
    /* 997 in two: 498.5 each, the odd one to the provider. */
    expect_money(is, text("%s/amount", find(is, "/rows/0/payees", "payee", "crash-p")),
                 (json_int_t)total * 499, "CNY");
    /* Posting everything again changes nothing that was there. */
    for (int round = 0; round < ROUNDS; round++)
        for (int w = 0; w < WRITERS; w++)
            for (int batch = 0; batch <= seen.last[round][w]; batch += 7) {
                is = post(key, "/v1/orders", batch_body(round, w, batch));
                expect_status(is, 200);
                expect_int(is, "/duplicate", BATCH);
            }
    server_stop(&server);
    EXPECT(server_verify(&server));
    server_remove(&server);
}
END_TEST

START_TEST(an_import_is_whole_or_absent)
{
    struct server server = {.env = {NULL}};
    server_prepare(&server);
    server_start(&server);
    client_use(server.base);
    const char *key = make_partner_key("crash-i", "\"provider\"");
    char *body = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&body, &len);
    enum { ROWS = 8000 };
    for (int i = 0; i < ROWS; i++)
        fprintf(out, "{\"course_id\":\"c%d\",\"title\":\"Course %d\"}\n", i, i);
    fclose(out);
    for (int round = 0; round < 3; round++) {
        const pid_t pid = fork();
        ck_assert(pid >= 0);
        if (pid == 0) {
            client_send(&(struct request){.method = "POST",
                                          .path = "/v1/catalogs",
                                          .key = key,
                                          .body = body,
                                          .type = "application/x-ndjson"});
            _exit(0);
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000L + 60000000L * round}, NULL);
        server_kill(&server);
        waitpid(pid, NULL, 0);
        server_start(&server);
        client_use(server.base);
        /* An import in the middle of its switch may be finished by the restart. */
        size_t courses = 1;
        for (int i = 0; i < 500 && courses != 0 && courses != ROWS; i++) {
            courses = 0;
            const char *cursor = "";
            while (cursor != NULL) {
                struct response *page = get(key, "/v1/courses?limit=1000%s", cursor);
                expect_status(page, 200);
                courses += json_array_size(at(page, "/items"));
                cursor = json_is_null(at(page, "/next"))
                             ? NULL
                             : text("&cursor=%s", text_at(page, "/next"));
            }
            ck_assert_msg(courses == 0 || courses == ROWS, "%zu courses are visible", courses);
        }
    }
    /* What the last kill left is finished or dropped soon; then the provider can go on. */
    struct response *is = NULL;
    for (int i = 0; i < 500; i++) {
        is = client_send(&(struct request){.method = "POST",
                                           .path = "/v1/catalogs",
                                           .key = key,
                                           .body = body,
                                           .type = "application/x-ndjson"});
        if (is->status != 409)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    expect_status(is, 200);
    expect_text(is, "/state", "applied");
    ck_assert_int_eq(int_at(is, "/counts/created") + int_at(is, "/counts/unchanged"), ROWS);
    free(body);
    server_stop(&server);
    EXPECT(server_verify(&server));
    server_remove(&server);
}
END_TEST

START_TEST(a_file_at_its_limit_is_a_refusal)
{
    struct server server = {.env = {NULL}};
    server_prepare(&server);
    struct rlimit before;
    ck_assert(getrlimit(RLIMIT_FSIZE, &before) == 0);
    const struct rlimit small = {.rlim_cur = 2 << 20, .rlim_max = before.rlim_max};
    ck_assert(setrlimit(RLIMIT_FSIZE, &small) == 0);
    server_start(&server);
    ck_assert(setrlimit(RLIMIT_FSIZE, &before) == 0);
    client_use(server.base);
    make_partner_key("crash-p", "\"provider\"");
    const char *key = make_partner_key("crash-c", "\"channel\"");
    long status = 200;
    int kept = 0;
    for (; status == 200 && kept < 400; kept += status == 200)
        status = post(key, "/v1/orders", batch_body(0, 0, kept))->status;
    ck_assert_msg(status == 507 || status == 503, "%ld", status);
    struct response *is = get(key, "/v1/revenue?period=2025-01");
    expect_status(is, 200);
    server_stop(&server);
    /* With room again it goes on where it was. */
    server_start(&server);
    client_use(server.base);
    is = post(key, "/v1/orders", batch_body(0, 0, kept));
    expect_status(is, 200);
    for (int batch = 0; batch < kept; batch += 5) {
        is = post(key, "/v1/orders", batch_body(0, 0, batch));
        expect_status(is, 200);
        expect_int(is, "/duplicate", BATCH);
    }
    server_stop(&server);
    EXPECT(server_verify(&server));
    server_remove(&server);
}
END_TEST

/* What a process keeps in memory is right only if nobody else posts: a second one does not start,
 * and one that was killed is no hindrance to the next. */
START_TEST(books_are_served_by_one_process)
{
    struct server server = {.pid = 0};
    char said[4096] = "";
    server_prepare(&server);
    server_start(&server);
    FILE *second = popen(text("ACCORD_DATABASE=sqlite:%s/accord.db ACCORD_LISTEN=127.0.0.1:0 "
                              "timeout 20 %s serve 2>&1",
                              server.dir, getenv("ACCORD_BINARY")),
                         "re");
    ck_assert_ptr_nonnull(second);
    said[fread(said, 1, sizeof said - 1, second)] = '\0';
    const int status = pclose(second);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%d: %s", status, said);
    ck_assert_msg(strstr(said, "another process serves these books") != NULL, "%s", said);
    server_kill(&server);
    server_start(&server);
    server_stop(&server);
    server_remove(&server);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("crash");
    TCase *all = tcase_create("crash");
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_set_timeout(all, 400);
    tcase_add_test(all, acknowledged_is_durable);
    tcase_add_test(all, an_import_is_whole_or_absent);
    tcase_add_test(all, a_file_at_its_limit_is_a_refusal);
    tcase_add_test(all, books_are_served_by_one_process);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "crash")
