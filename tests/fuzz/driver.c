// SPDX-License-Identifier: Apache-2.0
/* driver.c — replays files through a fuzz target, for compilers without libFuzzer and for CTest.
 *
 *   decoder_fuzz FILE|DIRECTORY …
 *
 * A directory stands for the plain files in it, in the order of their names. Each file is given in
 * a heap block of its very size, so that the address sanitizer sees a read behind it. Exit status 0
 * when all of them passed, 1 when there was nothing to replay or a file cannot be read; a finding
 * aborts.
 */
#include "driver.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_BYTES_MAX (1u << 20)

static char *read_whole(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return NULL;
    }
    char *buffer = malloc(INPUT_BYTES_MAX);
    if (buffer == NULL) {
        perror("malloc");
        (void)fclose(file);
        return NULL;
    }
    *len = fread(buffer, 1, INPUT_BYTES_MAX, file);
    int failed = ferror(file);
    (void)fclose(file);
    if (failed != 0) {
        perror(path);
        free(buffer);
        return NULL;
    }
    char *exact = malloc(*len > 0 ? *len : 1);
    if (exact != NULL) {
        memcpy(exact, buffer, *len);
    }
    free(buffer);
    return exact;
}

/* How many inputs were replayed: 1, or -1 on an error. */
static long replay_file(const char *path)
{
    size_t len = 0;
    char *bytes = read_whole(path, &len);
    if (bytes == NULL) {
        return -1;
    }
    (void)LLVMFuzzerTestOneInput((const uint8_t *)bytes, len);
    free(bytes);
    return 1;
}

static long replay_directory(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    long replayed = 0;
    if (count < 0) {
        perror(path);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        char name[4096];
        struct stat status;
        int len = snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        free(entries[i]);
        if (replayed < 0 || len < 0 || (size_t)len >= sizeof name || stat(name, &status) != 0 ||
            !S_ISREG(status.st_mode)) {
            continue;
        }
        long one = replay_file(name);
        replayed = one < 0 ? -1 : replayed + one;
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv)
{
    long total = 0;
    for (int i = 1; i < argc; i++) {
        struct stat status;
        if (stat(argv[i], &status) != 0) {
            perror(argv[i]);
            return 1;
        }
        long count = S_ISDIR(status.st_mode) ? replay_directory(argv[i]) : replay_file(argv[i]);
        if (count < 0) {
            return 1;
        }
        total += count;
    }
    if (total == 0) {
        (void)fprintf(stderr, "usage: %s FILE|DIRECTORY ... (nothing to replay)\n", argv[0]);
        return 1;
    }
    (void)printf("%ld inputs replayed\n", total);
    return 0;
}
