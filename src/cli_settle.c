/* `accord settle`: computes a statement again from its file of inputs, without any books. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "ingest/inputs.h"

static const char usage[] =
    "settle --inputs FILE [--lines FILE]\n"
    "Computes the lines, the closing balance and what is due of a statement again from its inputs\n"
    "(GET /v1/statements/{statement}/inputs; - reads standard input) and says whether they agree\n"
    "with it. inputs_hash is to be the one in the statement. Lines go to the other file.";

struct options {
    const char *inputs;
    const char *lines;
};

static bool parse_options(char *const *argv, struct options *ret)
{
    for (; *argv != NULL; argv += 2) {
        if (argv[1] == NULL)
            return false;
        if (strcmp(argv[0], "--inputs") == 0)
            ret->inputs = argv[1];
        else if (strcmp(argv[0], "--lines") == 0)
            ret->lines = argv[1];
        else
            return false;
    }
    return ret->inputs != NULL;
}

static void write_line(void *context, struct slice line)
{
    FILE *out = context;
    fwrite(line.data, 1, line.len, out);
    fputc('\n', out);
}

static int complain(const char *path)
{
    fprintf(stderr, "accord: %s: %s\n", path, strerror(errno));
    return EXIT_FAILED;
}

static int print(const char *path, const struct inputs_result *result)
{
    char hex[HASH_HEX_MAX];
    printf("statement    %s\n", result->statement);
    hash_hex(&result->inputs_hash, hex);
    printf("inputs_hash  %s\n", hex);
    hash_hex(&result->lines_hash, hex);
    printf("lines_hash   %s\nlines        %" PRId64 "\nclosing      %" PRId64
           "\ndue          %" PRId64 "\n",
           hex, result->lines, result->closing, result->due);
    if (result->zone_differs)
        fprintf(stderr,
                "accord: %s: this machine's time zone data is of another version than that of the "
                "statement\n",
                path);
    if (!result->agrees) {
        printf("differs: %s\n", result->why);
        return EXIT_FAILED;
    }
    printf("agrees\n");
    return EXIT_OK;
}

static int settle(const char *path, FILE *in, FILE *lines)
{
    struct inputs_reader *reader;
    struct inputs_result result = {.why = ""};
    enum { BYTES = 1 << 16 };
    char *bytes = malloc(BYTES);
    enum accord_error error =
        bytes == NULL ? ACCORD_E_OUT_OF_MEMORY
                      : inputs_reader_new(lines == NULL ? NULL : write_line, lines, &reader);
    if (error != ACCORD_OK) {
        free(bytes);
        fprintf(stderr, "accord: %s\n", accord_error_title(error));
        return EXIT_FAILED;
    }
    for (size_t len; error == ACCORD_OK && (len = fread(bytes, 1, BYTES, in)) > 0;)
        error = inputs_reader_take(reader, (struct slice){bytes, len});
    if (error == ACCORD_OK && ferror(in) != 0)
        error = ACCORD_E_IO_ERROR;
    const enum accord_error ended = inputs_reader_end(reader, &result);
    inputs_reader_free(reader);
    free(bytes);
    if (error == ACCORD_E_IO_ERROR)
        return complain(path);
    if (ended != ACCORD_OK) {
        fprintf(stderr, "accord: %s: %s\n", path, result.why);
        return EXIT_FAILED;
    }
    return print(path, &result);
}

int cli_settle(const struct config *config, char *const *argv)
{
    struct options options = {NULL, NULL};
    FILE *lines = NULL;
    (void)config;
    if (!parse_options(argv, &options))
        return cli_usage(usage);
    const bool is_stdin = strcmp(options.inputs, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(options.inputs, "rbe");
    if (in == NULL)
        return complain(options.inputs);
    int status = EXIT_OK;
    if (options.lines != NULL) {
        lines = fopen(options.lines, "wbe");
        if (lines == NULL)
            status = complain(options.lines);
    }
    if (status == EXIT_OK)
        status = settle(options.inputs, in, lines);
    if (lines != NULL && (ferror(lines) | fclose(lines)) != 0)
        status = complain(options.lines);
    if (!is_stdin)
        fclose(in);
    return status;
}
