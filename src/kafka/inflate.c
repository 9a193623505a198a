// SPDX-License-Identifier: Apache-2.0
#include "kafka/inflate.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "kafka/inflate_codec.h"

struct codec {
    const char *name;
    void *(*create)(void);
    void (*destroy)(void *context);
    int (*size)(const struct cm_inflate_input *input, uint64_t *bound);
    int (*begin)(void *context);
    int (*piece)(void *context, struct cm_inflate_input *input, struct cm_inflate_output *output);
};

#define CODEC(name)                                                                                \
    {                                                                                              \
#name, cm_inflate_##name##_create, cm_inflate_##name##_destroy, cm_inflate_##name##_size,  \
            cm_inflate_##name##_begin, cm_inflate_##name##_piece                                   \
    }

static const struct codec codecs[CM_CODEC_COUNT] = {
    [CM_CODEC_NONE] = {.name = "none"}, [CM_CODEC_GZIP] = CODEC(gzip),
    [CM_CODEC_SNAPPY] = CODEC(snappy),  [CM_CODEC_LZ4] = CODEC(lz4),
    [CM_CODEC_ZSTD] = CODEC(zstd),
};

struct cm_inflate {
    uint32_t most_bytes;
    void *context[CM_CODEC_COUNT]; /* made when first needed */
    uint8_t *room;
    size_t room_bytes;
    uint64_t turn;
    /* the batch */
    const struct codec *codec; /* NULL: none was begun */
    void *codec_context;
    struct cm_inflate_input input;
    size_t begin; /* of its output in the room */
    size_t len;
    int over; /* MORE: not over; END, or the error that ended it */
    char why[128];
    void *scratch;
    size_t scratch_bytes;
};

const char *cm_codec_name(uint32_t codec)
{
    return codec < CM_CODEC_COUNT ? codecs[codec].name : "?";
}

struct cm_inflate *cm_inflate_create(uint32_t most_bytes)
{
    CM_ASSERT(most_bytes > 0);
    struct cm_inflate *inflate = cm_alloc(1, sizeof(*inflate));
    inflate->most_bytes = most_bytes;
    return inflate;
}

void cm_inflate_destroy(struct cm_inflate *inflate)
{
    if (inflate == NULL) {
        return;
    }
    for (uint32_t i = 0; i < CM_CODEC_COUNT; i++) {
        if (codecs[i].destroy != NULL) {
            codecs[i].destroy(inflate->context[i]);
        }
    }
    free(inflate->room);
    free(inflate->scratch);
    free(inflate);
}

int cm_inflate_too_much(const struct cm_inflate_output *output)
{
    return cm_fail(CM_ERR_CORRUPT, "more than %u bytes come out of it", output->most_bytes);
}

/* Makes room where nothing is kept. */
static void make_room(struct cm_inflate *inflate, size_t bytes)
{
    if (bytes < CM_INFLATE_KEEP_BYTES) {
        bytes = CM_INFLATE_KEEP_BYTES;
    }
    if (bytes > inflate->room_bytes) {
        free(inflate->room);
        inflate->room = NULL;
        inflate->room = cm_realloc(NULL, bytes, 1);
        inflate->room_bytes = bytes;
    }
}

static int remember(struct cm_inflate *inflate, int error)
{
    inflate->over = error;
    const char *text = cm_fail_text();
    size_t len = strnlen(text, sizeof(inflate->why) - 1);
    memcpy(inflate->why, text, len);
    inflate->why[len] = '\0';
    return error;
}

int cm_inflate_begin(struct cm_inflate *inflate, uint32_t codec, const void *bytes, size_t len,
                     bool keep)
{
    if (codec >= CM_CODEC_COUNT || codecs[codec].create == NULL) {
        return cm_fail(CM_ERR_UNSUPPORTED, "codec %u", codec);
    }
    const struct codec *with = &codecs[codec];
    struct cm_inflate_input input = {bytes, (const uint8_t *)bytes + len};
    uint64_t bound = 0;
    int rc = with->size(&input, &bound);
    if (rc < 0) {
        return rc;
    }
    size_t need = bound < inflate->most_bytes ? (size_t)bound : inflate->most_bytes;
    size_t begin = keep ? inflate->begin + inflate->len : 0;
    if (keep && (inflate->room == NULL || need > inflate->room_bytes - begin)) {
        return CM_INFLATE_FULL;
    }
    if (inflate->context[codec] == NULL) {
        inflate->context[codec] = with->create();
    }
    rc = with->begin(inflate->context[codec]);
    if (rc < 0) {
        return rc;
    }
    if (!keep) {
        make_room(inflate, need);
        inflate->turn++;
    }
    inflate->codec = with;
    inflate->codec_context = inflate->context[codec];
    inflate->input = input;
    inflate->begin = begin;
    inflate->len = 0;
    inflate->over = CM_INFLATE_MORE;
    return CM_INFLATE_MORE;
}

/* Room that gzip turns out to need beyond what its trailer promised. */
static void grow_room(struct cm_inflate *inflate)
{
    size_t most = inflate->begin + inflate->most_bytes;
    size_t bytes = inflate->room_bytes * 2;
    bytes = bytes < most ? bytes : most;
    inflate->room = cm_realloc(inflate->room, bytes, 1);
    inflate->room_bytes = bytes;
}

int cm_inflate_more(struct cm_inflate *inflate, bool move)
{
    CM_ASSERT(inflate->codec != NULL);
    if (inflate->over != CM_INFLATE_MORE) {
        return inflate->over < 0 ? cm_fail((enum cm_error) - inflate->over, "%s", inflate->why)
                                 : CM_INFLATE_END;
    }
    for (;;) {
        size_t room = inflate->room_bytes - inflate->begin;
        struct cm_inflate_output output = {
            .begin = inflate->room + inflate->begin,
            .len = inflate->len,
            .room = room < inflate->most_bytes ? room : inflate->most_bytes,
            .most_bytes = inflate->most_bytes,
        };
        int rc = inflate->codec->piece(inflate->codec_context, &inflate->input, &output);
        CM_ASSERT(output.len <= output.room);
        inflate->len = output.len;
        if (rc == CM_INFLATE_MORE) {
            return rc;
        }
        if (rc != CM_INFLATE_FULL) {
            return remember(inflate, rc);
        }
        if (output.room == inflate->most_bytes) {
            return remember(inflate, cm_inflate_too_much(&output));
        }
        if (!move) {
            return CM_INFLATE_FULL;
        }
        grow_room(inflate);
    }
}

const uint8_t *cm_inflate_bytes(const struct cm_inflate *inflate, size_t *len)
{
    *len = inflate->len;
    return inflate->room + inflate->begin;
}

uint64_t cm_inflate_turn(const struct cm_inflate *inflate)
{
    return inflate->turn;
}

void *cm_inflate_scratch(struct cm_inflate *inflate, size_t bytes)
{
    if (bytes > inflate->scratch_bytes) {
        free(inflate->scratch);
        inflate->scratch = NULL;
        inflate->scratch = cm_alloc(bytes, 1);
        inflate->scratch_bytes = bytes;
    }
    return inflate->scratch;
}
