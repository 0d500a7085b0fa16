/*
 * The least that reading JSON costs with jansson: every line of a file, as a value that is dropped.
 *
 *   parse FILE.ndjson
 *
 * Prints lines and seconds.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    FILE *copy = open_memstream(&text, &len);
    if (file == NULL || copy == NULL)
        return 2;
    for (int c = getc(file); c != EOF; c = getc(file))
        putc(c, copy);
    fclose(file);
    fclose(copy);
    size_t lines = 0;
    const double began = now();
    for (const char *at = text; *at != '\0';) {
        const size_t line = strcspn(at, "\n");
        json_error_t error;
        json_t *value = json_loadb(at, line, 0, &error);
        if (value == NULL) {
            fprintf(stderr, "line %zu: %s\n", lines + 1, error.text);
            return 1;
        }
        json_decref(value);
        lines++;
        at += line + (at[line] == '\n' ? 1 : 0);
    }
    printf("{\"lines\":%zu,\"seconds\":%.6f}\n", lines, now() - began);
    free(text);
    return 0;
}
