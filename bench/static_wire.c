// SPDX-License-Identifier: Apache-2.0
#include "bench/static_wire.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "kafka/record_fields.h"

#define NODE      1
#define LIST_MOST 10000u

enum {
    PRODUCE = 0,
    FETCH = 1,
    LIST_OFFSETS = 2,
    METADATA = 3,
    OFFSET_COMMIT = 8,
    OFFSET_FETCH = 9,
    FIND_COORDINATOR = 10,
    JOIN_GROUP = 11,
    HEARTBEAT = 12,
    LEAVE_GROUP = 13,
    SYNC_GROUP = 14,
    API_VERSIONS = 18
};

enum { OFFSET_OUT_OF_RANGE = 1, UNKNOWN_TOPIC = 3, UNKNOWN_MEMBER = 25, UNSUPPORTED_VERSION = 35 };

/* ---- writing */

static void put8(struct cm_text *out, int8_t value)
{
    cm_text_addc(out, (char)value);
}

static void put16(struct cm_text *out, int16_t value)
{
    char bytes[2] = {(char)((uint16_t)value >> 8), (char)value};
    cm_text_add(out, bytes, sizeof bytes);
}

static void set32(char *at, uint32_t value)
{
    for (uint32_t i = 0; i < 4; i++) {
        at[i] = (char)(value >> (24 - 8 * i));
    }
}

static void put32(struct cm_text *out, int32_t value)
{
    set32(cm_text_room(out, 4), (uint32_t)value);
    out->len += 4;
}

static void put64(struct cm_text *out, int64_t value)
{
    put32(out, (int32_t)(value >> 32));
    put32(out, (int32_t)value);
}

static void put_string(struct cm_text *out, struct cm_str s)
{
    put16(out, (int16_t)s.len);
    cm_text_add(out, s.p, s.len);
}

static void put_bytes(struct cm_text *out, struct cm_str s)
{
    put32(out, (int32_t)s.len);
    cm_text_add(out, s.p, s.len);
}

static struct cm_str str(const char *s)
{
    return (struct cm_str){s, (uint32_t)strlen(s)};
}

/* ---- reading: what is cut off gives 0 and makes the request a bad one */

struct request {
    const uint8_t *at, *end;
    bool bad;
};

static const uint8_t *take(struct request *request, size_t bytes)
{
    static const uint8_t nothing[8];
    if (request->bad || (size_t)(request->end - request->at) < bytes) {
        request->bad = true;
        return bytes <= sizeof nothing ? nothing : NULL;
    }
    request->at += bytes;
    return request->at - bytes;
}

static int16_t get16(struct request *request)
{
    return (int16_t)cm_be16(take(request, 2));
}

static int32_t get32(struct request *request)
{
    return (int32_t)cm_be32(take(request, 4));
}

static int64_t get64(struct request *request)
{
    return cm_be64(take(request, 8));
}

static struct cm_str get_run(struct request *request, int32_t len)
{
    const uint8_t *p = len <= 0 ? NULL : take(request, (size_t)len);
    return p == NULL || request->bad ? (struct cm_str){"", 0}
                                     : (struct cm_str){(const char *)p, (uint32_t)len};
}

static struct cm_str get_string(struct request *request)
{
    return get_run(request, get16(request));
}

static struct cm_str get_bytes(struct request *request)
{
    return get_run(request, get32(request));
}

/* How many items follow; null is none. */
static uint32_t get_count(struct request *request)
{
    int32_t count = get32(request);
    request->bad |= count > (int32_t)LIST_MOST;
    return count < 0 || request->bad ? 0 : (uint32_t)count;
}

/* ---- the topic */

struct exchange {
    struct static_broker *broker;
    struct request in;
    struct cm_text *out;
    struct static_reply *reply;
};

/* Walks [topic [partition ..]] of a request and repeats it in the reply; `each` reads and writes
 * what comes behind the number of a partition. NULL for the partition: it does not exist. */
static void walk_partitions(struct exchange *x,
                            void (*each)(struct exchange *x,
                                         const struct static_partition *partition))
{
    uint32_t topics = get_count(&x->in);
    put32(x->out, (int32_t)topics);
    for (; topics > 0 && !x->in.bad; topics--) {
        struct cm_str topic = get_string(&x->in);
        bool ours = cm_str_eq(topic, str(x->broker->topic));
        put_string(x->out, topic);
        uint32_t count = get_count(&x->in);
        put32(x->out, (int32_t)count);
        for (; count > 0 && !x->in.bad; count--) {
            int32_t number = get32(&x->in);
            bool there = ours && number >= 0 && (uint32_t)number < x->broker->log.partitions;
            put32(x->out, number);
            each(x, there ? &x->broker->log.at[number] : NULL);
        }
    }
}

static void put_node(struct exchange *x)
{
    put32(x->out, NODE);
    put_string(x->out, str(x->broker->host));
    put32(x->out, x->broker->port);
}

static void metadata(struct exchange *x)
{
    const struct static_broker *broker = x->broker;
    int32_t asked = get32(&x->in);
    uint32_t others = 0;
    struct request names = x->in;
    for (int32_t i = 0; i < asked && !x->in.bad; i++) {
        others += !cm_str_eq(get_string(&x->in), str(broker->topic));
    }
    bool ours = asked < 0 || (uint32_t)asked > others;
    put32(x->out, 0); /* throttle */
    put32(x->out, 1);
    put_node(x);
    put16(x->out, -1); /* rack */
    put16(x->out, -1); /* cluster */
    put32(x->out, NODE);
    put32(x->out, (int32_t)(others + (ours ? 1 : 0)));
    for (int32_t i = 0; i < asked && !x->in.bad; i++) {
        struct cm_str name = get_string(&names);
        if (!cm_str_eq(name, str(broker->topic))) {
            put16(x->out, UNKNOWN_TOPIC);
            put_string(x->out, name);
            put8(x->out, 0);
            put32(x->out, 0);
        }
    }
    if (!ours) {
        return;
    }
    put16(x->out, 0);
    put_string(x->out, str(broker->topic));
    put8(x->out, 0); /* not internal */
    put32(x->out, (int32_t)broker->log.partitions);
    for (uint32_t i = 0; i < broker->log.partitions; i++) {
        put16(x->out, 0);
        put32(x->out, (int32_t)i);
        put32(x->out, NODE); /* leader, replicas, those in sync */
        for (int list = 0; list < 2; list++) {
            put32(x->out, 1);
            put32(x->out, NODE);
        }
    }
}

static void list_offset(struct exchange *x, const struct static_partition *partition)
{
    int64_t ms = get64(&x->in);
    int64_t made_ms = x->broker->log.made_ms;
    put16(x->out, partition == NULL ? UNKNOWN_TOPIC : 0);
    if (partition == NULL || ms > made_ms) {
        put64(x->out, -1);
        put64(x->out, -1);
    } else {
        put64(x->out, ms >= 0 ? made_ms : -1);
        put64(x->out, ms == -1 ? static_log_end(partition) : 0);
    }
}

static void list_offsets(struct exchange *x)
{
    (void)get32(&x->in); /* replica */
    walk_partitions(x, list_offset);
}

/* ---- fetching */

struct fetch_room {
    int64_t left; /* of the bytes of the response */
    bool any;
};

static struct cm_str read_log(struct exchange *x, const struct static_partition *partition,
                              int64_t offset, int32_t most, struct fetch_room *room)
{
    int64_t fits = most < room->left ? most : room->left;
    struct cm_str bytes =
        static_log_read(partition, offset, fits < 0 ? 0 : (uint32_t)fits, !room->any);
    room->left -= bytes.len;
    room->any |= bytes.len > 0;
    x->broker->log_bytes += bytes.len;
    return bytes;
}

static void fetch_partition(struct exchange *x, bool ours, struct fetch_room *room)
{
    struct static_reply *reply = x->reply;
    int32_t number = get32(&x->in);
    (void)get32(&x->in); /* leader epoch */
    int64_t offset = get64(&x->in);
    (void)get64(&x->in); /* where a follower's log starts */
    int32_t most = get32(&x->in);
    bool there = ours && number >= 0 && (uint32_t)number < x->broker->log.partitions;
    const struct static_partition *partition = there ? &x->broker->log.at[number] : NULL;
    int64_t end = there ? static_log_end(partition) : -1;
    bool in_range = there && offset >= 0 && offset <= end;
    struct cm_str bytes = {"", 0};
    if (in_range && reply->pieces_count < CM_ARRAY_LEN(reply->pieces)) {
        bytes = read_log(x, partition, offset, most, room);
    }
    put32(x->out, number);
    put16(x->out, in_range ? 0 : there ? OFFSET_OUT_OF_RANGE : UNKNOWN_TOPIC);
    put64(x->out, end); /* of the log; of what is stable; its begin */
    put64(x->out, end);
    put64(x->out, 0);
    put32(x->out, -1); /* no aborted transactions */
    put32(x->out, -1); /* no other replica */
    put32(x->out, (int32_t)bytes.len);
    room->any |= !in_range; /* tell it at once */
    if (bytes.len > 0) {
        reply->pieces[reply->pieces_count++] = (struct static_piece){x->out->len, bytes};
    }
}

static void fetch(struct exchange *x)
{
    struct fetch_room room = {0};
    (void)get32(&x->in); /* replica */
    int32_t wait_ms = get32(&x->in);
    (void)get32(&x->in); /* least bytes: one batch is more than that, or nothing ever comes */
    room.left = get32(&x->in);
    (void)take(&x->in, 1 + 4 + 4); /* isolation, session and its epoch: no sessions here */
    put32(x->out, 0);              /* throttle */
    put16(x->out, 0);
    put32(x->out, 0); /* session */
    uint32_t topics = get_count(&x->in);
    put32(x->out, (int32_t)topics);
    for (; topics > 0 && !x->in.bad; topics--) {
        struct cm_str topic = get_string(&x->in);
        bool ours = cm_str_eq(topic, str(x->broker->topic));
        uint32_t count = get_count(&x->in);
        put_string(x->out, topic);
        put32(x->out, (int32_t)count);
        for (; count > 0 && !x->in.bad; count--) {
            fetch_partition(x, ours, &room);
        }
    }
    x->reply->wait_ms = room.any ? 0 : wait_ms;
}

/* ---- the group */

static void member_name(const struct static_broker *broker, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "member-%d", (int)broker->generation);
}

static int16_t check_member(const struct static_broker *broker, struct cm_str member)
{
    char name[32];
    member_name(broker, name, sizeof name);
    return cm_str_eq(member, str(name)) ? 0 : UNKNOWN_MEMBER;
}

static void find_coordinator(struct exchange *x)
{
    put16(x->out, 0);
    put_node(x);
}

static void join_group(struct exchange *x)
{
    char name[32];
    (void)get_string(&x->in); /* group */
    (void)get32(&x->in);      /* session timeout */
    (void)get_string(&x->in); /* who it was */
    (void)get_string(&x->in); /* type of the protocol */
    uint32_t protocols = get_count(&x->in);
    struct cm_str protocol = get_string(&x->in); /* the first one of its list */
    struct cm_str subscription = get_bytes(&x->in);
    x->in.bad |= protocols == 0;
    x->broker->generation++;
    member_name(x->broker, name, sizeof name);
    put16(x->out, 0);
    put32(x->out, x->broker->generation);
    put_string(x->out, protocol);
    put_string(x->out, str(name)); /* the leader: itself */
    put_string(x->out, str(name));
    put32(x->out, 1);
    put_string(x->out, str(name));
    put_bytes(x->out, subscription);
}

/* The leader says who gets what; the one who asks gets its own. */
static void sync_group(struct exchange *x)
{
    (void)get_string(&x->in); /* group */
    (void)get32(&x->in);      /* generation */
    int16_t error = check_member(x->broker, get_string(&x->in));
    struct cm_str assignment = {"", 0};
    for (uint32_t count = get_count(&x->in); count > 0 && !x->in.bad; count--) {
        struct cm_str member = get_string(&x->in);
        struct cm_str bytes = get_bytes(&x->in);
        assignment = check_member(x->broker, member) == 0 ? bytes : assignment;
    }
    put16(x->out, error);
    put_bytes(x->out, assignment);
}

static void heartbeat(struct exchange *x)
{
    (void)get_string(&x->in);
    (void)get32(&x->in);
    put16(x->out, check_member(x->broker, get_string(&x->in)));
}

static void leave_group(struct exchange *x)
{
    (void)get_string(&x->in);
    put16(x->out, check_member(x->broker, get_string(&x->in)));
}

static void fetch_offset(struct exchange *x, const struct static_partition *partition)
{
    put64(x->out, -1); /* none is known */
    put16(x->out, 0);  /* no metadata */
    put16(x->out, partition == NULL ? UNKNOWN_TOPIC : 0);
}

static void offset_fetch(struct exchange *x)
{
    (void)get_string(&x->in);
    walk_partitions(x, fetch_offset);
}

static void commit_offset(struct exchange *x, const struct static_partition *partition)
{
    (void)get64(&x->in);
    (void)get_string(&x->in);
    put16(x->out, partition == NULL ? UNKNOWN_TOPIC : 0);
}

static void offset_commit(struct exchange *x)
{
    (void)get_string(&x->in); /* group */
    (void)get32(&x->in);      /* generation */
    (void)get_string(&x->in); /* member */
    (void)get64(&x->in);      /* retention */
    walk_partitions(x, commit_offset);
}

/* ---- */

static void versions(struct exchange *x);

static const struct {
    int16_t key, version;
    void (*serve)(struct exchange *x); /* NULL: announced only */
} apis[] = {
    {PRODUCE, 7, NULL},
    {FETCH, 11, fetch},
    {LIST_OFFSETS, 1, list_offsets},
    {METADATA, 4, metadata},
    {OFFSET_COMMIT, 2, offset_commit},
    {OFFSET_FETCH, 1, offset_fetch},
    {FIND_COORDINATOR, 0, find_coordinator},
    {JOIN_GROUP, 0, join_group},
    {HEARTBEAT, 0, heartbeat},
    {LEAVE_GROUP, 0, leave_group},
    {SYNC_GROUP, 0, sync_group},
    {API_VERSIONS, 0, versions},
};

static void put_versions(struct cm_text *out, int16_t error)
{
    put16(out, error);
    put32(out, (int32_t)CM_ARRAY_LEN(apis));
    for (size_t i = 0; i < CM_ARRAY_LEN(apis); i++) {
        put16(out, apis[i].key);
        put16(out, 0);
        put16(out, apis[i].version);
    }
}

static void versions(struct exchange *x)
{
    put_versions(x->out, 0);
}

bool static_answer(struct static_broker *broker, struct cm_str bytes, struct static_reply *reply)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    struct exchange x = {broker, {.at = p, .end = p + bytes.len}, &reply->text, reply};
    int16_t key = get16(&x.in);
    int16_t version = get16(&x.in);
    reply->text.len = 0;
    reply->pieces_count = 0;
    reply->wait_ms = 0;
    put32(x.out, 0); /* the length, known at the end */
    put32(x.out, get32(&x.in));
    (void)get_string(&x.in); /* client id */
    bool known = false;
    for (size_t i = 0; i < CM_ARRAY_LEN(apis) && !known; i++) {
        known = apis[i].key == key && apis[i].version == version && apis[i].serve != NULL;
        if (known) {
            apis[i].serve(&x);
        }
    }
    if (!known && key == API_VERSIONS) {
        put_versions(x.out, UNSUPPORTED_VERSION);
        known = true;
    }
    size_t len = reply->text.len - 4;
    for (uint32_t i = 0; i < reply->pieces_count; i++) {
        len += reply->pieces[i].bytes.len;
    }
    set32(reply->text.data, (uint32_t)len);
    broker->requests++;
    return known && !x.in.bad;
}
