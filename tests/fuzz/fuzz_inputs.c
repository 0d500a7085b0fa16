/* Whatever the bytes: a file of inputs is computed or refused with the number of the line at fault,
 * and in pieces as in one. */
#include <stdlib.h>
#include <string.h>

#include "ingest/inputs.h"

static void need(bool holds)
{
    if (!holds)
        abort();
}

static enum accord_error read_file(struct slice file, size_t step, struct inputs_result *ret)
{
    struct inputs_reader *reader;
    need(inputs_reader_new(NULL, NULL, &reader) == ACCORD_OK);
    for (size_t at = 0; at < file.len; at += step)
        inputs_reader_take(
            reader, (struct slice){file.data + at, file.len - at < step ? file.len - at : step});
    const enum accord_error error = inputs_reader_end(reader, ret);
    inputs_reader_free(reader);
    return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice file = {(const char *)data, size};
    struct inputs_result once = {.why = ""};
    struct inputs_result twice = {.why = ""};
    const enum accord_error error = read_file(file, size + 1, &once);
    need(read_file(file, 7, &twice) == error);
    if (error != ACCORD_OK) {
        need(strncmp(once.why, "line ", 5) == 0 && strcmp(once.why, twice.why) == 0);
    } else {
        need(hash_equal(&once.inputs_hash, &twice.inputs_hash) &&
             hash_equal(&once.lines_hash, &twice.lines_hash) && once.agrees == twice.agrees &&
             once.closing == twice.closing && once.due == twice.due);
        need(once.agrees == (once.why[0] == '\0'));
    }
    return 0;
}
