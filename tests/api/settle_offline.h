/* What `accord settle` makes of a downloaded file of inputs. */
#ifndef ACCORD_TESTS_API_SETTLE_OFFLINE_H
#define ACCORD_TESTS_API_SETTLE_OFFLINE_H

#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct settled {
    int status;
    char out[4096]; /* of both streams */
};

static inline const char *write_file(const char *name, const char *body)
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

static inline struct settled settle(const char *options)
{
    struct settled is = {.out = ""};
    FILE *pipe = popen(text("%s settle %s 2>&1", getenv("ACCORD_BINARY"), options), "re");
    ck_assert_ptr_nonnull(pipe);
    is.out[fread(is.out, 1, sizeof is.out - 1, pipe)] = '\0';
    const int status = pclose(pipe);
    is.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return is;
}

static inline void expect_out(const struct settled *is, const char *what)
{
    ck_assert_msg(strstr(is->out, what) != NULL, "%s is not in\n%s", what, is->out);
}

static inline char *read_file(const char *path)
{
    static char bytes[1 << 16];
    FILE *file = fopen(path, "rbe");
    ck_assert_ptr_nonnull(file);
    bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
    fclose(file);
    return bytes;
}

/* The statement, its hashes and its lines, from the file alone. */
static inline void expect_again(const char *key, const char *id)
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

#endif
