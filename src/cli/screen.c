// SPDX-License-Identifier: Apache-2.0
/* screen.c — see screen.h. A frame begins at the home position and clears to the end of each line
 * behind its text, so that nothing flickers: no cell is blank in between. */
#include "cli/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/fail.h"

/* ---- widths --------------------------------------------------------------------------------- */

struct range {
    uint32_t first, last;
};

/* Marks that stand above or below the character before them, and joiners. */
static const struct range no_cells[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},  {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948},  {0x094d, 0x094d}, {0x0e31, 0x0e31},
    {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff},  {0x1dc0, 0x1dff}, {0x200b, 0x200f},
    {0x202a, 0x202e}, {0x2060, 0x206f}, {0x20d0, 0x20ff},  {0x3099, 0x309a}, {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef}};

/* East Asian Wide and Fullwidth, and pictures. */
static const struct range two_cells[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

static bool within(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count && ranges[i].first <= code; i++) {
        if (code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

/* Bytes of the well-formed character at p, 0 when there is none; *code: what it is. */
static uint32_t decode(const unsigned char *p, size_t left, uint32_t *code)
{
    uint32_t bytes = p[0] < 0x80                   ? 1
                     : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                     : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                     : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                                   : 0;
    if (bytes == 0 || bytes > left) {
        return 0;
    }
    *code = bytes == 1 ? p[0] : p[0] & (0x7fu >> bytes);
    for (uint32_t i = 1; i < bytes; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (p[i] & 0x3fu);
    }
    bool longer = (bytes == 3 && *code < 0x800) || (bytes == 4 && *code < 0x10000);
    bool beyond = *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff);
    return longer || beyond ? 0 : bytes;
}

uint32_t cm_screen_cells(const char **p, const char *end, uint32_t *bytes)
{
    uint32_t code = 0;
    *bytes = decode((const unsigned char *)*p, (size_t)(end - *p), &code);
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
    if (*bytes == 0 || control) {
        *p += *bytes == 0 ? 1 : *bytes;
        *bytes = 0;
        return 1;
    }
    *p += *bytes;
    return within(code, no_cells, CM_ARRAY_LEN(no_cells))     ? 0
           : within(code, two_cells, CM_ARRAY_LEN(two_cells)) ? 2
                                                              : 1;
}

uint32_t cm_screen_width(const char *text, size_t len)
{
    uint32_t cells = 0;
    uint32_t bytes;
    for (const char *p = text; p < text + len;) {
        cells += cm_screen_cells(&p, text + len, &bytes);
    }
    return cells;
}

bool cm_screen_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *value = NULL;
    for (size_t i = 0; i < CM_ARRAY_LEN(names) && (value == NULL || value[0] == '\0'); i++) {
        value = getenv(names[i]);
    }
    return value != NULL &&
           (strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL);
}

/* ---- the pen -------------------------------------------------------------------------------- */

static const char *const codes_colour[CM_STYLE_COUNT] = {
    [CM_STYLE_NORMAL] = "",      [CM_STYLE_DIM] = ";90",   [CM_STYLE_BOLD] = ";1",
    [CM_STYLE_BAR] = ";44;97;1", [CM_STYLE_HEAD] = ";36",  [CM_STYLE_GOOD] = ";32",
    [CM_STYLE_WARN] = ";33",     [CM_STYLE_BAD] = ";31;1", [CM_STYLE_ACCENT] = ";36;1"};
static const char *const codes_mono[CM_STYLE_COUNT] = {
    [CM_STYLE_NORMAL] = "", [CM_STYLE_DIM] = ";2",  [CM_STYLE_BOLD] = ";1",
    [CM_STYLE_BAR] = ";7",  [CM_STYLE_HEAD] = ";4", [CM_STYLE_GOOD] = "",
    [CM_STYLE_WARN] = ";1", [CM_STYLE_BAD] = ";1",  [CM_STYLE_ACCENT] = ";1"};

void cm_pen_begin(struct cm_pen *pen, struct cm_text *out, uint32_t width, uint32_t height,
                  enum cm_screen_mode mode)
{
    *pen = (struct cm_pen){.out = out,
                           .width = width,
                           .height = height,
                           .mode = mode,
                           .current = CM_STYLE_NORMAL,
                           .line_at = out->len};
    if (mode != CM_SCREEN_PLAIN) {
        cm_text_adds(out, "\x1b[0m\x1b[H");
    }
}

static void set_style(struct cm_pen *pen, enum cm_style style)
{
    style = style == CM_STYLE_NORMAL ? pen->base : style;
    int wanted = (int)style + (pen->selected ? CM_STYLE_COUNT : 0);
    if (pen->mode == CM_SCREEN_PLAIN || pen->current == wanted) {
        return;
    }
    const char *const *codes = pen->mode == CM_SCREEN_COLOUR ? codes_colour : codes_mono;
    cm_text_adds(pen->out, "\x1b[0");
    cm_text_adds(pen->out, codes[style]);
    if (pen->selected) {
        cm_text_adds(pen->out, ";7");
    }
    cm_text_addc(pen->out, 'm');
    pen->current = wanted;
}

static void put(struct cm_pen *pen, enum cm_style style, const char *text, size_t len,
                uint32_t cells_max)
{
    const char *end = text + len;
    uint32_t left = pen->width > pen->column ? pen->width - pen->column : 0;
    left = left < cells_max ? left : cells_max;
    if (cm_pen_left(pen) == 0) {
        return; /* there is no line to write on */
    }
    set_style(pen, style);
    for (const char *p = text; p < end;) {
        const char *from = p;
        uint32_t bytes;
        uint32_t cells = cm_screen_cells(&p, end, &bytes);
        if (cells > left) {
            return;
        }
        if (bytes == 0) {
            cm_text_addc(pen->out, '?');
        } else {
            cm_text_add(pen->out, from, bytes);
        }
        left -= cells;
        pen->column += cells;
    }
}

void cm_pen_text(struct cm_pen *pen, enum cm_style style, const char *text)
{
    put(pen, style, text, strlen(text), UINT32_MAX);
}

void cm_pen_textf(struct cm_pen *pen, enum cm_style style, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    cm_pen_text(pen, style, text);
}

void cm_pen_to(struct cm_pen *pen, uint32_t column)
{
    column = column < pen->width ? column : pen->width;
    while (pen->column < column && cm_pen_left(pen) > 0) {
        put(pen, CM_STYLE_NORMAL, " ", 1, 1);
    }
}

void cm_pen_cell(struct cm_pen *pen, enum cm_style style, uint32_t cells, bool right,
                 const char *text)
{
    size_t len = strlen(text);
    uint32_t width = cm_screen_width(text, len);
    uint32_t start = pen->column;
    if (right && width < cells) {
        cm_pen_to(pen, start + cells - width);
    }
    if (width > cells && pen->cut != NULL) {
        put(pen, style, text, len, cells - 1);
        cm_pen_text(pen, style, pen->cut);
    } else {
        put(pen, style, text, len, cells);
    }
    cm_pen_to(pen, start + cells);
}

uint32_t cm_pen_left(const struct cm_pen *pen)
{
    return pen->height == 0 ? UINT32_MAX : pen->lines >= pen->height ? 0 : pen->height - pen->lines;
}

void cm_pen_end_line(struct cm_pen *pen, bool fill)
{
    if (cm_pen_left(pen) == 0) {
        return;
    }
    if (fill && pen->mode != CM_SCREEN_PLAIN) {
        cm_pen_to(pen, pen->width);
    }
    bool full = pen->column >= pen->width;
    pen->selected = false;
    pen->base = CM_STYLE_NORMAL;
    pen->lines++;
    pen->column = 0;
    if (pen->mode == CM_SCREEN_PLAIN) {
        while (pen->out->len > pen->line_at && pen->out->data[pen->out->len - 1] == ' ') {
            pen->out->len--;
        }
        cm_text_addc(pen->out, '\n');
    } else {
        set_style(pen, CM_STYLE_NORMAL);
        /* Behind the last cell the cursor still stands on it: clearing would take it away. */
        cm_text_adds(pen->out, full ? "" : "\x1b[K");
        /* A new line behind the last one would make the terminal scroll. */
        cm_text_adds(pen->out, cm_pen_left(pen) > 0 ? "\r\n" : "");
    }
    pen->line_at = pen->out->len;
}

void cm_pen_end(struct cm_pen *pen)
{
    if (pen->mode != CM_SCREEN_PLAIN && cm_pen_left(pen) > 0) {
        cm_text_adds(pen->out, "\x1b[J");
    }
}
