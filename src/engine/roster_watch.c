// SPDX-License-Identifier: Apache-2.0
#include "engine/roster_watch.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

static struct cm_file_stamp look(const char *path)
{
    struct stat info;
    if (path == NULL || stat(path, &info) != 0) {
        return (struct cm_file_stamp){0};
    }
    return (struct cm_file_stamp){(int64_t)info.st_mtim.tv_sec * CM_NS_PER_S + info.st_mtim.tv_nsec,
                                  (uint64_t)info.st_size, (uint64_t)info.st_ino, true};
}

static bool same(const struct cm_file_stamp *a, const struct cm_file_stamp *b)
{
    return a->mtime_ns == b->mtime_ns && a->bytes == b->bytes && a->inode == b->inode &&
           a->there == b->there;
}

void cm_roster_watch_init(struct cm_roster_watch *watch, const char *path, int64_t every_ms,
                          int64_t now_mono_ns)
{
    memset(watch, 0, sizeof(*watch));
    watch->path = path;
    watch->every_ns = every_ms * CM_NS_PER_MS;
    watch->next_ns = now_mono_ns + watch->every_ns;
    cm_roster_watch_loaded(watch);
}

void cm_roster_watch_loaded(struct cm_roster_watch *watch)
{
    watch->loaded = watch->seen = look(watch->path);
}

bool cm_roster_watch_poll(struct cm_roster_watch *watch, int64_t now_mono_ns)
{
    if (watch->path == NULL || watch->every_ns == 0 || now_mono_ns < watch->next_ns) {
        return false;
    }
    watch->next_ns = now_mono_ns + watch->every_ns;
    struct cm_file_stamp before = watch->seen;
    watch->seen = look(watch->path);
    if (!watch->seen.there || same(&watch->seen, &watch->loaded) || !same(&watch->seen, &before)) {
        return false;
    }
    watch->loaded = watch->seen;
    return true;
}
