// SPDX-License-Identifier: Apache-2.0
/* roster_watch.h — notices that the roster file is another one.
 *
 *   stat every so often ─► not as loaded, and the same twice in a row? ─► load it
 *
 * Time, size and inode of the file are compared, through links, so that an editor's rename and a
 * link that is set anew count as well. A file that is still being written changes from look to look
 * and is left alone until it rests. A file that is gone is no reason to load anything.
 *
 * THREADS   One thread. COST A stat() each interval. ERRORS None: what cannot be looked at has not
 * changed; the load says what is wrong with it.
 */
#ifndef CM_ENGINE_ROSTER_WATCH_H
#define CM_ENGINE_ROSTER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct cm_file_stamp {
    int64_t mtime_ns;
    uint64_t bytes, inode;
    bool there;
};

struct cm_roster_watch {
    const char *path; /* borrowed; NULL: nothing to watch */
    int64_t every_ns, next_ns;
    struct cm_file_stamp loaded, seen;
};

/* every_ms 0: never. The file as it is now counts as loaded. */
void cm_roster_watch_init(struct cm_roster_watch *watch, const char *path, int64_t every_ms,
                          int64_t now_mono_ns);
/* Whether it is time to load the file; what is there then counts as loaded, whether or not it can
 * be. */
bool cm_roster_watch_poll(struct cm_roster_watch *watch, int64_t now_mono_ns);
/* Loaded just now, for another reason. */
void cm_roster_watch_loaded(struct cm_roster_watch *watch);

#endif
