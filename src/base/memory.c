// SPDX-License-Identifier: Apache-2.0
/* memory.c — malloc with the answer "no" taken out.
 *
 * THREADS   Any thread. OWNERSHIP  All blocks are plain malloc blocks: free() gives them back.
 * ERRORS    None is returned: when memory ends, one line goes to standard error and the process
 * ends with status 1 at once, without unwinding into code that would want memory again.
 */
#include "base/memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/compiler.h"

_Noreturn static void out_of_memory(size_t count, size_t size_bytes)
{
    char line[96];
    int len = snprintf(line, sizeof line, "callmill: out of memory (%zu x %zu bytes wanted)\n",
                       count, size_bytes);
    if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0) {
        _exit(1);
    }
    _exit(1);
}

#define HUGE_BYTES  ((uintptr_t)2 << 20)
#define PAGE_BYTES  ((uintptr_t)4 << 10)
#define LARGE_BYTES HUGE_BYTES

/* Blocks that could have huge pages are mappings of their own: malloc would raise that bound with
 * every one that is freed, and make the next ones of memory that has its small pages already. */
__attribute__((constructor)) static void keep_large_apart(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, (int)LARGE_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, 8 * (int)LARGE_BYTES);
#endif
}

/* A wish: the huge pages that lie within a mapping are made of one piece each. It fails where they
 * are forbidden, and then nothing is lost. What is written before has its small pages already. */
static void *advise_huge(void *block, size_t bytes)
{
    uintptr_t begin = (uintptr_t)block & ~(PAGE_BYTES - 1);
    uintptr_t end = ((uintptr_t)block + bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
    return block;
}

static void *in_huge_pages(void *block, size_t bytes)
{
    return CM_UNLIKELY(bytes >= LARGE_BYTES) ? advise_huge(block, bytes) : block;
}

/* realloc() of one that becomes large: it copies into small pages, before anybody can wish. */
static void *become_large(void *old, size_t bytes)
{
    void *block = malloc(bytes);
    if (CM_UNLIKELY(block == NULL)) {
        out_of_memory(1, bytes);
    }
    (void)advise_huge(block, bytes);
    if (old != NULL) {
        memcpy(block, old, malloc_usable_size(old)); /* less than LARGE_BYTES */
        free(old);
    }
    return block;
}

void *cm_alloc(size_t count, size_t size_bytes)
{
    /* calloc(0, n) may be NULL elsewhere than in glibc; ours never is. */
    void *block = calloc(count == 0 ? 1 : count, size_bytes == 0 ? 1 : size_bytes);
    if (CM_UNLIKELY(block == NULL)) {
        out_of_memory(count, size_bytes);
    }
    return in_huge_pages(block, count * size_bytes);
}

void *cm_realloc(void *old, size_t count, size_t size_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size_bytes, &bytes)) {
        out_of_memory(count, size_bytes);
    }
    if (CM_UNLIKELY(bytes >= LARGE_BYTES) &&
        (old == NULL || malloc_usable_size(old) < LARGE_BYTES)) {
        return become_large(old, bytes);
    }
    /* realloc(p, 0) frees p in glibc, which would leave the caller with a dead pointer. */
    void *block = realloc(old, bytes == 0 ? 1 : bytes);
    if (CM_UNLIKELY(block == NULL)) {
        out_of_memory(count, size_bytes);
    }
    return in_huge_pages(block, bytes);
}

void *cm_alloc_lines(size_t size_bytes)
{
    size_t lines = size_bytes / CM_CACHE_LINE + (size_bytes % CM_CACHE_LINE != 0);
    lines = lines == 0 ? 1 : lines;
    if (lines > SIZE_MAX / CM_CACHE_LINE) {
        out_of_memory(1, size_bytes);
    }
    void *block = aligned_alloc(CM_CACHE_LINE, lines * CM_CACHE_LINE);
    if (CM_UNLIKELY(block == NULL)) {
        out_of_memory(1, size_bytes);
    }
    return memset(in_huge_pages(block, lines * CM_CACHE_LINE), 0, lines * CM_CACHE_LINE);
}

void *cm_alloc_huge(size_t size_bytes)
{
    size_t pages = size_bytes / HUGE_BYTES + (size_bytes % HUGE_BYTES != 0);
    void *block = aligned_alloc(HUGE_BYTES, pages * HUGE_BYTES);
    if (CM_UNLIKELY(block == NULL)) {
        out_of_memory(1, size_bytes);
    }
    return advise_huge(block, pages * HUGE_BYTES);
}

char *cm_strdup(const char *text)
{
    return cm_strndup(text, strlen(text));
}

char *cm_strndup(const char *text, size_t len)
{
    size_t used = len == 0 ? 0 : strnlen(text, len);
    if (used == SIZE_MAX) {
        out_of_memory(1, used);
    }
    char *copy = cm_realloc(NULL, used + 1, 1);
    if (used > 0) {
        memcpy(copy, text, used);
    }
    copy[used] = '\0';
    return copy;
}

size_t cm_memory_resident_bytes(void)
{
    char line[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t got = read(fd, line, sizeof line - 1);
    close(fd);
    if (got <= 0) {
        return 0;
    }
    line[got] = '\0';
    /* "size resident shared ...", in pages. */
    char *resident = strchr(line, ' ');
    long page_bytes = sysconf(_SC_PAGESIZE);
    if (resident == NULL || page_bytes <= 0) {
        return 0;
    }
    return (size_t)strtoull(resident + 1, NULL, 10) * (size_t)page_bytes;
}
