// SPDX-License-Identifier: Apache-2.0
#include "plan/curves.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"

#define BLOCK_BYTES  4096
#define FILE_BYTES   ((size_t)16 << 20)
#define MISTAKES_MAX 20

struct curve {
    const char *name;
    double value;
    const char *unit, *what, *command;
};

#define X(name, value, unit, what, command) {#name, value, unit, what, command},
static const struct curve table[] = {CM_CURVES(X)};
#undef X

void cm_curves_builtin(struct cm_curves *out)
{
    *out = (struct cm_curves){0};
    for (int i = 0; i < CM_CURVE_COUNT; i++) {
        out->value[i] = table[i].value;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct cm_str trim(const char *from, const char *to)
{
    while (from < to && is_blank(*from)) {
        from++;
    }
    while (to > from && is_blank(to[-1])) {
        to--;
    }
    return (struct cm_str){from, (uint32_t)(to - from)};
}

/* A number, the whole of it, finite and not negative. */
static bool parse_value(struct cm_str text, double *value)
{
    char copy[48], *end = copy;
    if (text.len == 0 || text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    *value = strtod(copy, &end);
    return *end == '\0' && isfinite(*value) && *value >= 0;
}

/* Takes `name: value`; what is wrong with it, or NULL. */
static const char *take(struct cm_curves *curves, struct cm_str line)
{
    const char *colon = memchr(line.p, ':', line.len);
    double value = 0;
    if (colon == NULL) {
        return "not `name: value`";
    }
    struct cm_str name = trim(line.p, colon);
    if (!parse_value(trim(colon + 1, line.p + line.len), &value)) {
        return "not a number of 0 or more";
    }
    for (int i = 0; i < CM_CURVE_COUNT; i++) {
        if (strlen(table[i].name) != name.len || memcmp(table[i].name, name.p, name.len) != 0) {
            continue;
        }
        if (curves->from_file[i]) {
            return "given twice";
        }
        curves->value[i] = value;
        curves->from_file[i] = true;
        curves->read++;
        return NULL;
    }
    return "no such curve; `callmill plan --show-curves` prints them all";
}

int cm_curves_parse(const char *name, const char *bytes, size_t len, struct cm_curves *curves)
{
    struct cm_text mistakes = {0};
    uint32_t number = 0, bad = 0;
    for (size_t at = 0; at < len;) {
        const char *line = bytes + at;
        const char *feed = memchr(line, '\n', len - at);
        const char *end = feed == NULL ? bytes + len : feed;
        at = (size_t)(end - bytes) + 1;
        number++;
        const char *comment = memchr(line, '#', (size_t)(end - line));
        struct cm_str text = trim(line, comment == NULL ? end : comment);
        const char *wrong = text.len == 0 ? NULL : take(curves, text);
        if (wrong != NULL && bad++ < MISTAKES_MAX) {
            cm_text_addf(&mistakes, "%s%s:%u: `%.*s`: %s", bad > 1 ? "\n" : "", name, number,
                         (int)(text.len < 60 ? text.len : 60), text.p, wrong);
        }
    }
    int rc = bad == 0 ? 0 : cm_fail(CM_ERR_CONFIG, "%s", cm_text_cstr(&mistakes));
    cm_text_free(&mistakes);
    return rc;
}

int cm_plan_read_file(const char *path, struct cm_text *out)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return cm_fail(CM_ERR_CONFIG, "%s: %s", path, strerror(errno));
    }
    size_t got = 0;
    do {
        got = fread(cm_text_room(out, BLOCK_BYTES), 1, BLOCK_BYTES, file);
        out->len += got;
    } while (got > 0 && out->len <= FILE_BYTES);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error != 0) {
        return cm_fail(CM_ERR_CONFIG, "%s: %s", path, strerror(error));
    }
    if (out->len > FILE_BYTES) {
        return cm_fail(CM_ERR_CONFIG, "%s: larger than 16 MiB", path);
    }
    return 0;
}

int cm_curves_load(const char *path, struct cm_curves *curves)
{
    struct cm_text text = {0};
    int rc = cm_plan_read_file(path, &text);
    if (rc == 0) {
        rc = cm_curves_parse(path, cm_text_cstr(&text), text.len, curves);
    }
    cm_text_free(&text);
    return rc;
}

void cm_curves_print(const struct cm_curves *curves, struct cm_text *out)
{
    if (curves->read < CM_CURVE_COUNT) {
        cm_text_addf(out, "# Built in: measured on %s.\n", CM_CURVES_MACHINE);
    }
    for (int i = 0; i < CM_CURVE_COUNT; i++) {
        cm_text_addf(out, "%s: %.9g  # %s%s (%s)\n", table[i].name, curves->value[i],
                     curves->from_file[i] ? "" : "built in: ", table[i].what, table[i].command);
    }
}

double cm_curve_at(const struct cm_curves *curves, enum cm_curve first, double seats)
{
    double place = log10(seats > 1 ? seats : 1) - 3;
    place = place < 0 ? 0 : place > 3 ? 3 : place;
    int below = place < 2 ? (int)place : 2;
    const double *at = curves->value + first + below;
    return at[0] + (at[1] - at[0]) * (place - below);
}
