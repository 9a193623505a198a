// SPDX-License-Identifier: Apache-2.0
#include "bench/sized.h"

uint32_t cm_bench_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

void cm_bench_sized_leg(struct cm_text *out, uint64_t *seed, uint32_t bytes, int64_t ts_ms)
{
    static const char *const outcomes[] = {"answered", "abandoned", "no_answer", "timeout"};
    static const char *const queues[] = {"faults", "complaints", "mobile", "new-cards"};
    static const char *const flags[] = {"true", "false", "null"};
    uint32_t a = cm_bench_random(seed), b = cm_bench_random(seed), c = cm_bench_random(seed);
    out->len = 0;
    cm_text_addf(out,
                 "{\"type\":\"cdr\",\"id\":\"c%08x-1\",\"ts\":%lld,\"call\":\"c%08x\","
                 "\"seat\":\"s%04u\",\"queue\":\"%s\",\"outcome\":\"%s\",\"talk_ms\":%u",
                 a, (long long)ts_ms, a, b % 1240, queues[c % 4], outcomes[b % 4], c % 200000);
    if (bytes >= 300) {
        cm_text_addf(out,
                     ",\"agent\":\"a%05u\",\"centre\":\"main\",\"ch\":\"voice\",\"wait_ms\":%u,"
                     "\"hold_ms\":%u,\"acw_ms\":%u,\"end\":\"caller\",\"on_hold\":%s,\"checks\""
                     ":{\"greeting\":%s,\"identity\":%s}",
                     b % 3720, a % 60000, a % 3000, b % 30000, flags[a % 2], flags[b % 3],
                     flags[c % 3]);
    }
    if (bytes >= 600) {
        cm_text_addf(out,
                     ",\"site\":\"building %u\",\"trunk\":\"sip/%u.example.org\",\"codec\":"
                     "\"opus\",\"from\":\"+86 10 %08u\",\"to\":\"+86 400 %07u\",\"recording\":"
                     "\"https://records.example.org/%08x/%08x.ogg\",\"note\":\"%s, then %s\","
                     "\"priority\":%u,\"vip\":%s,\"skills\":[\"zh\",\"%s\"]",
                     a % 7, b % 40, c % 100000000, a % 10000000, a, b, queues[a % 4], queues[b % 4],
                     c % 10, flags[a % 3], queues[c % 4]);
    }
    cm_text_addc(out, '}');
}
