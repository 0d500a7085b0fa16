/* Runs a fuzz target once for each file of the folders given: `fuzz-NAME FOLDER…`. Fails when a
 * folder holds none, so that a misplaced corpus is noticed. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static bool run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(INPUT_MAX);
    bool ran = false;
    if (file != NULL && bytes != NULL) {
        const size_t size = fread(bytes, 1, INPUT_MAX, file);
        /* As large as the input, so that a sanitizer sees a read beyond it. */
        uint8_t *exact = malloc(size > 0 ? size : 1);
        if (exact != NULL && ferror(file) == 0) {
            for (size_t i = 0; i < size; i++)
                exact[i] = bytes[i];
            LLVMFuzzerTestOneInput(exact, size);
            ran = true;
        }
        free(exact);
    }
    if (!ran)
        perror(path);
    free(bytes);
    if (file != NULL)
        (void)fclose(file);
    return ran;
}

/* Number of files run, or -1. */
static int run_folder(const char *folder)
{
    DIR *open_folder = opendir(folder);
    int count = 0;
    if (open_folder == NULL) {
        perror(folder);
        return -1;
    }
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        const int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof path || !run_file(path)) {
            count = -1;
            break;
        }
        count++;
    }
    closedir(open_folder);
    return count;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const int count = run_folder(argv[i]);
        if (count <= 0)
            return EXIT_FAILURE;
        printf("%s: %d inputs\n", argv[i], count);
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
