// SPDX-License-Identifier: Apache-2.0
/* board_show.c — see board_show.h. */
#include "cli/board_show.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "cli/board_draw.h"
#include "cli/board_feed.h"
#include "cli/screen.h"
#include "cli/terminal.h"

#define WAIT_NS      (50 * CM_NS_PER_MS)
#define REDRAW_NS    (250 * CM_NS_PER_MS) /* ages go on between two readings */
#define RING_ENTRIES 32
#define KEYS_BYTES   64

struct show {
    const struct cm_board_show *options;
    struct cm_ring *ring;
    struct cm_board_feed *feed;
    struct cm_text frame;
    struct cm_op key_op;
    bool keys_ended, over, redraw;
    int64_t begin_ns, next_draw_ns, next_plain_ns;
};

static void on_key(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)op; /* it has ended the wait, which is all that it is for */
    (void)result;
    (void)flags;
}

static enum cm_screen_mode mode_of(const struct cm_board_show *options)
{
    const char *none = getenv("NO_COLOR");
    return options->plain                    ? CM_SCREEN_PLAIN
           : none != NULL && none[0] != '\0' ? CM_SCREEN_MONO
                                             : CM_SCREEN_COLOUR;
}

static int draw(struct show *s)
{
    const struct cm_board_show *o = s->options;
    struct cm_board_look look = {
        .mode = mode_of(o),
        .unicode = cm_screen_is_utf8(),
        .keys = !o->plain,
        .now_ms = o->now_ms != NULL ? o->now_ms(o->context) : cm_clock_wall_ms(),
        .zone = o->config->zone,
        .note = o->note,
        .waiting = o->waiting,
    };
    cm_terminal_size(&look.width, &look.height);
    look.height = o->plain ? 0 : look.height;
    cm_board_draw(o->board, &look, &s->frame);
    if (o->plain && !o->once) {
        cm_text_addc(&s->frame, '\n');
    }
    if (!cm_terminal_write(s->frame.data, s->frame.len)) {
        return cm_fail(CM_ERR_IO, "standard output: %s", strerror(errno));
    }
    return 0;
}

static void take_keys(struct show *s)
{
    char bytes[KEYS_BYTES];
    size_t used = 0;
    size_t len = cm_terminal_read(bytes, sizeof(bytes), &s->keys_ended);
    for (size_t at = 0; at < len; at += used) {
        enum cm_board_key key = cm_board_key(bytes + at, len - at, &used);
        uint64_t view = s->options->board->view;
        s->over = s->over || key == CM_BOARD_KEY_QUIT;
        cm_board_press(s->options->board, key);
        s->redraw = true;
        if (view != s->options->board->view) {
            cm_board_feed_hurry(s->feed);
        }
    }
    if (!s->keys_ended && cm_terminal_has_keys() && !s->key_op.in_flight) {
        cm_ring_poll(s->ring, &s->key_op, STDIN_FILENO, POLLIN);
    }
}

static int turn_screen(struct show *s, int64_t now_ns, bool changed)
{
    take_keys(s);
    bool resized = cm_terminal_is_changed();
    if (!changed && !resized && !s->redraw && now_ns < s->next_draw_ns) {
        return 0;
    }
    s->redraw = false;
    s->next_draw_ns = now_ns + REDRAW_NS;
    return draw(s);
}

static int turn_plain(struct show *s, int64_t now_ns)
{
    const struct cm_board_show *o = s->options;
    bool whole = o->board->filled && o->board->connected && cm_board_feed_is_settled(s->feed);
    if (!o->once) {
        bool due = now_ns >= s->next_plain_ns && whole;
        s->next_plain_ns = due ? now_ns + o->plain_every_ms * CM_NS_PER_MS : s->next_plain_ns;
        return due ? draw(s) : 0;
    }
    if (whole) {
        s->over = true;
        return draw(s);
    }
    if (now_ns - s->begin_ns < o->patience_ms * CM_NS_PER_MS) {
        return 0;
    }
    s->over = true;
    if (o->board->filled && o->board->connected) {
        return draw(s); /* it says what is missing */
    }
    return cm_fail(CM_ERR_REDIS, "Redis %s: %s", o->config->redis_address,
                   o->board->trouble[0] != '\0' ? o->board->trouble : "no answer");
}

int cm_board_show(const struct cm_board_show *options)
{
    struct show s = {.options = options, .key_op = {.done = on_key}};
    int rc = cm_ring_open(RING_ENTRIES, CM_RING_AUTO, &s.ring);
    if (rc < 0) {
        return rc;
    }
    s.feed = cm_board_feed_create(s.ring, options->config, options->board, options->interval_ms);
    s.begin_ns = cm_clock_mono_ns();
    s.redraw = true;
    if (!options->plain) {
        cm_terminal_enter();
    }
    while (rc == 0 && !s.over && !cm_terminal_is_stopped()) {
        int64_t now_ns = cm_clock_mono_ns();
        bool changed = cm_board_feed_poll(s.feed, now_ns);
        if (options->turn != NULL && !options->turn(options->context)) {
            break;
        }
        rc = options->plain ? turn_plain(&s, now_ns) : turn_screen(&s, now_ns, changed);
        (void)cm_ring_wait(s.ring, s.over ? 0 : WAIT_NS);
    }
    cm_terminal_leave();
    cm_board_feed_destroy(s.feed);
    cm_ring_destroy(s.ring);
    cm_text_free(&s.frame);
    return rc;
}
