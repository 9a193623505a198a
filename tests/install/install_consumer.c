// SPDX-License-Identifier: Apache-2.0
/* install_consumer.c — somebody else's program, built against what was installed: one leg in, its
 * rows out.
 */
#include <stdio.h>
#include <string.h>

#include <callmill/callmill.h>

static int print_row(void *context, const char *json, size_t len)
{
    return fwrite(json, 1, len, context) == len && fputc('\n', context) != EOF ? 0 : 1;
}

int main(void)
{
    static const char leg[] = "{\"type\":\"cdr\",\"id\":\"1\",\"ts\":\"2026-11-02T09:00:00Z\","
                              "\"seat\":\"s1\",\"outcome\":\"answered\",\"talk_ms\":90000}";
    struct cm_engine *engine = NULL;
    if (cm_engine_create("windows: [5m/5s]\nperiods: []\n", &engine) < 0) {
        fprintf(stderr, "%s\n", cm_engine_error());
        return 1;
    }
    cm_engine_push(engine, leg, strlen(leg), NULL);
    int rc = cm_engine_rows(engine, CM_ENGINE_LATEST, print_row, stdout);
    cm_engine_destroy(engine);
    return rc == 0 ? 0 : 1;
}
