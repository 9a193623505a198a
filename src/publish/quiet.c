// SPDX-License-Identifier: Apache-2.0
/* quiet.c — see quiet.h. CLIENT REPLY OFF has no answer, CLIENT REPLY ON has one: so three answers
 * come for a bracket. */
#include "publish/quiet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "publish/quiet_stats.h"
#include "publish/resp.h"

#define FIRST_SPELL_NS (60 * CM_NS_PER_S)
#define LAST_SPELL_NS  (1440 * FIRST_SPELL_NS)

enum step { STEP_BEFORE, STEP_ON, STEP_AFTER };

struct cm_quiet {
    cm_quiet_checked_fn checked;
    void *context;
    struct cm_redis *redis; /* NULL: not connected */
    bool on_known, able;    /* what this Redis has answered */
    bool open;              /* between begin and end */
    bool owed;              /* between end and its last answer */
    enum step step;         /* of the next answer */
    bool readable;
    struct cm_quiet_stats before;
    uint32_t commands;
    int64_t now_ns;
    int64_t until_ns; /* answers until then */
    int64_t spell_ns; /* and after the next doubt for so long */
    uint64_t taken, doubts;
};

struct cm_quiet *cm_quiet_create(cm_quiet_checked_fn checked, void *context)
{
    struct cm_quiet *quiet = cm_alloc(1, sizeof(*quiet));
    quiet->checked = checked;
    quiet->context = context;
    quiet->until_ns = INT64_MIN;
    quiet->spell_ns = FIRST_SPELL_NS;
    return quiet;
}

void cm_quiet_destroy(struct cm_quiet *quiet)
{
    free(quiet);
}

/* --- the words --- */

static void add_words(struct cm_text *out, const char *const *words, size_t count)
{
    cm_resp_array(out, count);
    for (size_t i = 0; i < count; i++) {
        cm_resp_word(out, words[i]);
    }
}

static void add_info(struct cm_text *out)
{
    static const char *const words[] = {"INFO", "commandstats"};
    add_words(out, words, CM_ARRAY_LEN(words));
}

static void add_reply(struct cm_text *out, const char *mode)
{
    const char *words[] = {"CLIENT", "REPLY", mode};
    add_words(out, words, CM_ARRAY_LEN(words));
}

static bool is_ok(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0;
}

/* Answers for a spell, and the next time for twice as long. */
static void prefer_answers(struct cm_quiet *quiet)
{
    quiet->until_ns = quiet->now_ns + quiet->spell_ns;
    quiet->spell_ns = quiet->spell_ns * 2 < LAST_SPELL_NS ? quiet->spell_ns * 2 : LAST_SPELL_NS;
}

/* --- what Redis can do --- */

static void ability_answered(void *context, const struct redisReply *reply)
{
    struct cm_quiet *quiet = context;
    if (reply == NULL) {
        return;
    }
    if (quiet->step == STEP_ON) {
        quiet->on_known = is_ok(reply);
        quiet->step = STEP_AFTER;
        return;
    }
    struct cm_quiet_stats stats;
    quiet->able = cm_quiet_stats_read(reply, &stats) && quiet->on_known;
    if (!quiet->able) {
        cm_log(CM_LOG_INFO, "publish.answers",
               "note=\"this Redis answers every row: CLIENT REPLY or INFO commandstats is not to be"
               " had, or does not count what was refused\"");
    }
}

void cm_quiet_connected(struct cm_quiet *quiet, struct cm_redis *redis)
{
    quiet->redis = redis;
    quiet->step = STEP_ON;
    struct cm_text *out = cm_redis_buffer(redis);
    add_reply(out, "ON");
    add_info(out);
    cm_redis_added(redis, 2, ability_answered, quiet);
}

void cm_quiet_lost(struct cm_quiet *quiet)
{
    if (quiet->owed) {
        prefer_answers(quiet); /* perhaps it was silent for too long */
    }
    quiet->redis = NULL;
    quiet->able = quiet->open = quiet->owed = false;
}

/* --- a bracket --- */

static void judge(struct cm_quiet *quiet, const struct redisReply *reply)
{
    struct cm_quiet_stats after;
    quiet->owed = false;
    bool all_taken = cm_quiet_stats_read(reply, &after) && quiet->readable &&
                     cm_quiet_stats_taken(&quiet->before, &after, quiet->commands);
    if (all_taken) {
        quiet->taken++;
    } else {
        quiet->doubts++;
        cm_log(CM_LOG_WARN, "publish.doubt",
               "note=\"an HSET was refused, ours or another client's: all goes out again, with "
               "answers\" answers_s=%" PRId64,
               quiet->spell_ns / CM_NS_PER_S);
        prefer_answers(quiet);
    }
    quiet->checked(quiet->context, all_taken);
}

static void answered(void *context, const struct redisReply *reply)
{
    struct cm_quiet *quiet = context;
    if (reply == NULL) {
        return; /* cm_quiet_lost() follows */
    }
    switch (quiet->step) {
    case STEP_BEFORE:
        quiet->readable = cm_quiet_stats_read(reply, &quiet->before);
        quiet->step = STEP_ON;
        return;
    case STEP_ON:
        quiet->step = STEP_AFTER;
        if (!is_ok(reply)) {
            /* It was OFF that was refused, and now each row has an answer, which nobody awaits. */
            cm_redis_drop(quiet->redis, "CLIENT REPLY was refused");
        }
        return;
    case STEP_AFTER:
        judge(quiet, reply);
        return;
    }
}

bool cm_quiet_begin(struct cm_quiet *quiet, uint64_t rows, int64_t now_ns)
{
    quiet->now_ns = now_ns;
    if (!quiet->able || rows < CM_QUIET_ROWS_MIN || rows > CM_QUIET_ROWS_MAX ||
        now_ns < quiet->until_ns) {
        return false;
    }
    CM_ASSERT(!quiet->open);
    quiet->open = true;
    quiet->step = STEP_BEFORE;
    struct cm_text *out = cm_redis_buffer(quiet->redis);
    add_info(out);
    add_reply(out, "OFF");
    return true;
}

void cm_quiet_end(struct cm_quiet *quiet, uint32_t commands)
{
    CM_ASSERT(quiet->open);
    quiet->open = false;
    quiet->owed = true;
    quiet->commands = commands;
    struct cm_text *out = cm_redis_buffer(quiet->redis);
    add_reply(out, "ON");
    add_info(out);
    cm_redis_added(quiet->redis, 3, answered, quiet);
}

uint64_t cm_quiet_taken(const struct cm_quiet *quiet)
{
    return quiet->taken;
}

uint64_t cm_quiet_doubts(const struct cm_quiet *quiet)
{
    return quiet->doubts;
}
