// SPDX-License-Identifier: Apache-2.0
/* memory.h — allocation that either works or ends the process with a clear line.
 *
 * A stream processor that runs out of memory in the middle of an update has no good half-way state;
 * the log replays. So there is no error return here. Bounds are kept by the callers (window
 * retention, dedupe horizon, queue limits).
 */
#ifndef CM_BASE_MEMORY_H
#define CM_BASE_MEMORY_H

#include <stddef.h>

/* Blocks of 2 MiB and more are mappings of their own, in huge pages where the system allows it
 * (madvise): tables that are read here and there miss the TLB less. */

/* Zeroed; never NULL. Free with free(). */
void *cm_alloc(size_t count, size_t size_bytes);
/* Grown or shrunk; new bytes are not zeroed; never NULL. */
void *cm_realloc(void *old, size_t count, size_t size_bytes);
/* Zeroed, aligned to a cache line; free with free(). */
void *cm_alloc_lines(size_t size_bytes);
/* Not zeroed, of whole huge pages (2 MiB) that begin and end with them; free with free(). */
void *cm_alloc_huge(size_t size_bytes);
char *cm_strdup(const char *text);
char *cm_strndup(const char *text, size_t len);

/* Resident bytes of this process now (from /proc/self/statm); 0 when unknown. */
size_t cm_memory_resident_bytes(void);

#endif
