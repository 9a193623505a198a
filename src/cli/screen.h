// SPDX-License-Identifier: Apache-2.0
/* screen.h — lines of styled text for a terminal, or plain ones for a file.
 *
 *   begin ─► cell, text, to ... ─► end_line ─► ... ─► end
 *
 * A pen writes from left to right and never beyond the width; what does not fit is cut. Ids may be
 * of any script: widths are those of the characters (two cells for CJK, none for combining ones),
 * and control characters and bytes that are not UTF-8 are shown as `?`, so nobody's data can move
 * the cursor.
 *
 * THREADS   One. OWNERSHIP The text belongs to the caller.
 */
#ifndef CM_CLI_SCREEN_H
#define CM_CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum cm_screen_mode {
    CM_SCREEN_PLAIN, /* no escape codes */
    CM_SCREEN_MONO,  /* bold, dim, reverse only: NO_COLOR */
    CM_SCREEN_COLOUR
};

enum cm_style {
    CM_STYLE_NORMAL,
    CM_STYLE_DIM,
    CM_STYLE_BOLD,
    CM_STYLE_BAR, /* the title line */
    CM_STYLE_HEAD,
    CM_STYLE_GOOD,
    CM_STYLE_WARN,
    CM_STYLE_BAD,
    CM_STYLE_ACCENT,
    CM_STYLE_COUNT
};

struct cm_pen {
    struct cm_text *out;
    uint32_t width, height; /* cells, lines; height 0: no bound */
    enum cm_screen_mode mode;
    const char *cut;    /* one cell: shown where a cell's text is cut; NULL: nothing */
    bool selected;      /* this line is in reverse */
    enum cm_style base; /* of what has no style of its own, for this line */
    uint32_t column;    /* cells written in this line */
    uint32_t lines;     /* ended */
    int current;        /* style in force in the terminal; -1: the default */
    size_t line_at;     /* where the line begins in the text */
};

/* Cells of the character at *p (moved behind it, never beyond end): 0, 1 or 2; *bytes: how many of
 * them; 0 when they are to be shown as `?` (one cell). */
uint32_t cm_screen_cells(const char **p, const char *end, uint32_t *bytes);
uint32_t cm_screen_width(const char *text, size_t len);

/* The environment speaks UTF-8: LC_ALL, LC_CTYPE, LANG. */
bool cm_screen_is_utf8(void);

void cm_pen_begin(struct cm_pen *pen, struct cm_text *out, uint32_t width, uint32_t height,
                  enum cm_screen_mode mode);
void cm_pen_text(struct cm_pen *pen, enum cm_style style, const char *text);
void cm_pen_textf(struct cm_pen *pen, enum cm_style style, const char *format, ...) CM_PRINTF(3, 4);
/* Exactly `cells` wide: cut at the end, or padded at the other side of where it is aligned to. */
void cm_pen_cell(struct cm_pen *pen, enum cm_style style, uint32_t cells, bool right,
                 const char *text);
/* Blanks up to that column. */
void cm_pen_to(struct cm_pen *pen, uint32_t column);
/* Lines that are left; UINT32_MAX without a bound. */
uint32_t cm_pen_left(const struct cm_pen *pen);
/* Ends the line; `fill`: its style goes on to the right edge. */
void cm_pen_end_line(struct cm_pen *pen, bool fill);
/* Nothing of an older frame is left below. */
void cm_pen_end(struct cm_pen *pen);

#endif
