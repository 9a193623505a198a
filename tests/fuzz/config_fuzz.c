// SPDX-License-Identifier: Apache-2.0
/* config_fuzz.c — any text loads or is refused with a reason; what loads prints to a configuration
 * that loads again to the same figures, and prints to the same text but for where its values came
 * from.
 */
#include <stdbool.h>
#include <string.h>

#include "base/fail.h"
#include "base/text.h"
#include "config/config.h"
#include "driver.h"

/* Without the comments that say where a value came from: they name the input, and lines of it. */
static void print_plain(const struct cm_config *config, struct cm_text *out)
{
    struct cm_text full = {0};
    cm_config_print(config, &full);
    const char *line = full.data;
    const char *end = full.data + full.len;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        FUZZ_REQUIRE(newline != NULL);
        const char *stop = newline;
        for (const char *p = line; p + 4 <= newline; p++) {
            stop =
                memcmp(p, "  # ", 4) == 0 ? p : stop; /* the last one; values quote theirs before */
        }
        cm_text_add(out, line, (size_t)(stop - line));
        cm_text_addc(out, '\n');
        line = newline + 1;
    }
    cm_text_free(&full);
}

static bool has_secret(const struct cm_config *config)
{
    for (uint32_t i = 0; i < config->properties.count; i++) {
        if (config->properties.at[i].secret) {
            return true;
        }
    }
    return false;
}

static void check_again(const struct cm_config *config)
{
    struct cm_text first = {0};
    struct cm_text second = {0};
    struct cm_config *again = NULL;
    print_plain(config, &first);
    int rc = cm_config_parse("again.yaml", first.data, first.len, NULL, 0, &again);
    if (rc != 0) {
        (void)fprintf(stderr, "%.*s\n%s\n", (int)first.len, first.data, cm_fail_text());
    }
    FUZZ_REQUIRE(rc == 0);
    FUZZ_REQUIRE(again->hash == config->hash);
    print_plain(again, &second);
    FUZZ_REQUIRE(first.len > 0 && second.data != NULL);
    FUZZ_REQUIRE(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    cm_config_free(again);
    cm_text_free(&first);
    cm_text_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size > 0 ? (const char *)data : "";
    struct cm_config *config = NULL;
    /* `file:` in a secret would read whatever path comes up. */
    if (size > 65536 || memmem(text, size, "file:", 5) != NULL) {
        return 0;
    }
    int rc = cm_config_parse("fuzz.yaml", text, size, NULL, 0, &config);
    if (rc != 0) {
        FUZZ_REQUIRE(rc == -CM_ERR_CONFIG);
        FUZZ_REQUIRE(config == NULL);
        FUZZ_REQUIRE(cm_fail_text()[0] != '\0');
        return 0;
    }
    FUZZ_REQUIRE(config != NULL);
    if (!has_secret(config)) {
        check_again(config);
    }
    cm_config_free(config);
    return 0;
}
