/* figure.h: figures as SVG, readable on their own: lines, bars, shares, a map with numbers, points with a line.
 *
 *     figure f = { .title = "Target loss", .x = { .label = "tokens" }, .y = { .label = "nats per byte" } };
 *     figure_series s[2] = { { .name = "CLM", .x = x, .y = clm, .n = n, .runs = 5 }, { .name = "SLM", ... } };
 *     figure_lines(out, &f, s, 2);
 *
 * Arrays stay the caller's; NaN is a gap; a field left zero means its default.  Every figure has its own background, follows
 * light and dark, and tells series apart by colour (Okabe and Ito's, safe for the colour-blind) and by dash or shape.
 * Nothing is kept between calls, so that the same input gives the same bytes.  libc and libm only. */
#ifndef FIGURE_H
#define FIGURE_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"

typedef struct figure_axis {
    const char *label; /* with its unit: "target loss (nats per byte)" */
    double low, high;  /* ends of the axis; equal: taken from the data */
    int log;           /* 1: logarithmic; what is not above zero is a gap */
} figure_axis;

typedef struct figure_arrow {
    double x0, y0, x1, y1;
    const char *text;
    int below;
} figure_arrow; /* in data units; the head is at 1 */

typedef struct figure_rule {
    double at;
    int vertical;
    const char *text;
} figure_rule; /* a dotted line across the plot */

typedef struct figure {
    const char *title, *subtitle; /* what it shows; how to read it */
    const char *note;             /* small print below: seeds, source */
    figure_axis x, y;
    const figure_arrow *arrows;
    size_t n_arrows;
    const figure_rule *rules;
    size_t n_rules;
    double width, height; /* pixels; 0: 760, and what the content needs */
} figure;

typedef struct figure_series {
    const char *name;
    const double *x, *y; /* (n), (runs x n): one row per seed */
    size_t n,
        runs; /* runs 0 = 1; with 2 or more: thin lines, their mean, its 95% interval (Student's t) */
    const double *low, *high; /* (n) or NULL: an interval of your own, e.g. from a bootstrap */
    int style;                /* 1 to 8: colour, dash and shape; 0: by its place in the list */
} figure_series;

typedef struct figure_table { /* rows x cols numbers */
    const char *const *rows, *const *cols;
    size_t n_rows, n_cols;
    const double *value;      /* (n_rows x n_cols) */
    const double *low, *high; /* (n_rows x n_cols) or NULL: error bars */
    int digits;
    const char *unit; /* how numbers are written: 1, "x" gives 3.2x */
    double
        center; /* map: above 0, two-sided colours around it by ratio (speed-up: 1); 0: from low to high */
    const char *none; /* bars: what stands where there is no value; NULL: "no value" */
} figure_table;

static inline void figure_lines(FILE *out, const figure *f, const figure_series *series,
                                size_t n); /* at most 16 series */
static inline void figure_points(FILE *out, const figure *f, const figure_series *series,
                                 size_t n); /* with least-squares lines and r */
static inline void figure_bars(
    FILE *out, const figure *f,
    const figure_table *t); /* a group per row; dots if 0 is off the axis */
static inline void figure_shares(FILE *out, const figure *f,
                                 const figure_table *t); /* a stacked bar per row */
static inline void figure_map(FILE *out, const figure *f,
                              const figure_table *t); /* the table itself, coloured */
/* Mean and 95% interval of the mean over the runs at point i; returns how many runs have it. */
static inline size_t figure_mean(const figure_series *s, size_t i, double *mean, double *low,
                                 double *high);

/* ---- drawing: text and colours.  Attributes carry the light theme, so that programs without CSS show it too ---- */
#define FIGURE__FONT                                                                               \
    "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, "        \
    "sans-serif\""
#define FIGURE__INK "class=\"f-ink\" fill=\"#1f2328\""
#define FIGURE__SOFT "class=\"f-soft\" fill=\"#59636e\""
#define FIGURE__GRID "class=\"f-grid\" stroke=\"#e4e7eb\""
#define FIGURE__AXIS "class=\"f-axis\" stroke=\"#8b949e\""
#define FIGURE__HALO                                                                               \
    "class=\"f-ink f-halo\" fill=\"#1f2328\" stroke=\"#ffffff\" stroke-width=\"4\" "               \
    "paint-order=\"stroke\" stroke-linejoin=\"round\""
#define FIGURE__EDGE 20.0 /* white space around everything */
#define FIGURE__MOST 16   /* series in one figure */
static const char *const figure__light[8] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                             "#e69f00", "#56b4e9", "#4b5563", "#8c6d1f"};
static const char *const figure__dark[8] = {"#4da6e8", "#ff8b4d", "#2fcf9f", "#e8a3cb",
                                            "#f7c04a", "#a5dcfb", "#b6bec8", "#d3b25c"};
static const char *const figure__dash[8] = {"none", "7 4", "2 4", "10 4 2 4",
                                            "14 4", "4 3", "1 3", "10 3 2 3 2 3"};

static inline size_t figure__style(int style, size_t place) {
    return style > 0 ? (size_t)(style - 1) % 8 : place % 8;
}

static inline double figure__least(double a, double b) {
    return a < b ? a : b;
}

static inline double figure__most(double a, double b) {
    return a > b ? a : b;
}

/* About how wide a text is: system fonts differ by some 5%, and we would rather leave too much room. */
static inline double figure__width(const char *s, size_t n, double size) {
    double em = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if ((c & 0xC0) == 0x80) {
            continue;
        }
        em += strchr("iljtf.,:;'|!()[] /-", c) != NULL ? 0.36
              : strchr("mwMW%@", c) != NULL            ? 0.88
              : c >= 'A' && c <= 'Z'                   ? 0.68
                                                       : 0.58;
    }
    return em * size;
}

static inline double figure__length(const char *s, double size) {
    return s == NULL ? 0 : figure__width(s, strlen(s), size);
}

static inline void figure__text(FILE *out, double x, double y, double size, const char *anchor,
                                const char *look, const char *text) {
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" text-anchor=\"%s\" %s>", x, y, size,
            anchor, look);
    escape_markup(out, text);
    fputs("</text>\n", out);
}

/* Breaks at spaces into lines of at most `width`; returns how many.  out NULL: only counts. */
static inline int figure__wrap(FILE *out, double x, double y, double size, double width,
                               const char *anchor, const char *look, const char *text) {
    int lines = 0;
    while (text != NULL && *text != '\0') {
        size_t end = strcspn(text, " ");
        for (size_t next = end; text[end] != '\0'; end = next) {
            next = end + 1 + strcspn(text + end + 1, " ");
            if (figure__width(text, next, size) > width) {
                break;
            }
        }
        if (out != NULL) {
            fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" text-anchor=\"%s\" %s>", x,
                    y + lines * size * 1.35, size, anchor, look);
            escape_markup_n(out, text, end);
            fputs("</text>\n", out);
        }
        text += end + strspn(text + end, " ");
        lines++;
    }
    return lines;
}

/* Room that title (bold, so wider) and subtitle take, the white space above included. */
static inline double figure__head(const figure *f, double width) {
    double room = width - 2 * FIGURE__EDGE;
    return FIGURE__EDGE + figure__wrap(NULL, 0, 0, 17, room * 0.9, "", "", f->title) * 17 * 1.35 +
           figure__wrap(NULL, 0, 0, 13, room, "", "", f->subtitle) * 13 * 1.35 + 14;
}

static inline double figure__foot(const figure *f, double width) {
    return FIGURE__EDGE +
           figure__wrap(NULL, 0, 0, 11.5, width - 2 * FIGURE__EDGE, "", "", f->note) * 11.5 * 1.35;
}

static inline void figure__open(FILE *out, const figure *f, double width, double height) {
    double room = width - 2 * FIGURE__EDGE, y = FIGURE__EDGE + 15;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
            "height=\"%.0f\" role=\"img\" aria-label=\"",
            width, height, width, height);
    escape_markup(out, f->title);
    fputs("\" " FIGURE__FONT ">\n<style>@media (prefers-color-scheme: dark) {"
          " .f-bg { fill: #14171b } .f-ink { fill: #e8eaed } .f-soft { fill: #a3acb6 } .f-halo { "
          "stroke: #14171b }"
          " .f-grid { stroke: #2b3138 } .f-axis { stroke: #6d7681 } .f-error { stroke: #e8eaed } "
          ".f-under { stroke: #14171b }"
          " .f-on { fill: #101418 }",
          out);
    for (int i = 0; i < 8; i++) {
        fprintf(out, " .f-c%d { color: %s }", i, figure__dark[i]);
    }
    fprintf(out,
            " }</style>\n<rect class=\"f-bg\" fill=\"#ffffff\" width=\"%.0f\" height=\"%.0f\"/>\n",
            width, height);
    y += figure__wrap(out, FIGURE__EDGE, y, 17, room * 0.9, "start",
                      "font-weight=\"600\" " FIGURE__INK, f->title) *
         17 * 1.35;
    figure__wrap(out, FIGURE__EDGE, y - 2, 13, room, "start", FIGURE__SOFT, f->subtitle);
    figure__wrap(out, FIGURE__EDGE, height - figure__foot(f, width) + 14, 11.5, room, "start",
                 FIGURE__SOFT, f->note);
}

static inline void figure__color(FILE *out, size_t style) {
    fprintf(out, "<g class=\"f-c%zu\" color=\"%s\">\n", style, figure__light[style]);
}

/* A point's shape: circle, square, triangle, diamond, by style. */
static inline void figure__shape(FILE *out, double x, double y, double r, size_t style) {
    if (style % 4 == 0) {
        fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y, r);
    } else if (style % 4 == 1) {
        fprintf(out, "<path d=\"M%.1f %.1fh%.1fv%.1fh%.1fz\"", x - r * .9, y - r * .9, 1.8 * r,
                1.8 * r, -1.8 * r);
    } else if (style % 4 == 2) {
        fprintf(out, "<path d=\"M%.1f %.1fl%.1f %.1fh%.1fz\"", x, y - 1.2 * r, 1.2 * r, 2 * r,
                -2.4 * r);
    } else {
        double d = 1.3 * r;
        fprintf(out, "<path d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz\"", x - d, y, d, -d, d, d,
                -d, d);
    }
    fputs(" fill=\"currentColor\"/>\n", out);
}

/* ---- numbers and axes ---- */
static inline void figure__number(FILE *out, double v, int digits, const char *unit) {
    fprintf(out, "%s%.*f", v < 0 ? "\xE2\x88\x92" : "", digits, fabs(v));
    escape_markup(out, unit);
}

/* The smallest of 1, 2, 2.5, 5 times a power of ten that cuts `span` into at most `most` parts. */
static inline double figure__step(double span, double most) {
    static const double round[5] = {1, 2, 2.5, 5, 10};
    double power = pow(10, floor(log10(span / most)));
    for (int i = 0; i < 5; i++) {
        if (span / (round[i] * power) <= most * (1 + 1e-9)) {
            return round[i] * power;
        }
    }
    return 10 * power;
}

typedef struct figure__scale {
    double low, high, from, to;
    int log;
} figure__scale; /* data low..high, pixels from..to */

/* Where a value stands, NaN for a gap; what is far off the axis is only somewhat far off the figure. */
static inline double figure__at(const figure__scale *s, double v) {
    if (!isfinite(v) || (s->log && v <= 0)) {
        return NAN;
    }
    double part = s->log ? (log(v) - log(s->low)) / (log(s->high) - log(s->low))
                         : (v - s->low) / (s->high - s->low);
    return s->from + figure__most(-100, figure__least(100, part)) * (s->to - s->from);
}

/* The axis from the data's low..high: widened to round numbers, or snug (1: as it is; 2: a little room at both ends). */
static inline figure__scale figure__scaled(const figure_axis *axis, double low, double high,
                                           double from, double to, int snug) {
    figure__scale s = {axis->low, axis->high, from, to, axis->log};
    if (axis->low < axis->high && isfinite(axis->low) && isfinite(axis->high) &&
        (!axis->log || axis->low > 0)) {
        return s;
    }
    if (!(low <= high)) {
        low = axis->log ? 0.1 : 0;
        high = 1;
    }
    if (!(low < high)) {
        double room = fabs(low) > 0 ? fabs(low) / 2 : 1;
        low -= room;
        high += room;
    }
    if (snug != 1 && axis->log) {
        double room = pow(high / low, 0.05);
        low /= room;
        high *= room;
    } else if (snug == 2) {
        double room = (high - low) * 0.04;
        low -= room;
        high += room;
    } else if (snug == 0) {
        double step = figure__step(high - low, 6);
        low = floor(low / step + 1e-9) * step;
        high = ceil(high / step - 1e-9) * step;
    }
    s.low = low;
    s.high = high;
    return s;
}

/* Round numbers on the axis, at most 32; *step is their distance (0: logarithmic). */
static inline size_t figure__ticks(const figure__scale *s, double *tick, double *step) {
    size_t n = 0;
    *step = 0;
    if (!s->log) {
        *step = figure__step(s->high - s->low, 6);
        for (double k = ceil(s->low / *step - 1e-9); n < 32 && k * *step <= s->high + *step * 1e-9;
             k++) {
            tick[n++] = k * *step;
        }
        return n;
    }
    int fine = s->high / s->low < 150;
    for (double power = pow(10, floor(log10(s->low))); power <= s->high && n < 30; power *= 10) {
        for (int i = 1; i <= (fine ? 5 : 1) && n < 32; i += i == 2 ? 3 : 1) {
            double v = i * power;
            if (v >= s->low * (1 - 1e-9) && v <= s->high * (1 + 1e-9)) {
                tick[n++] = v;
            }
        }
    }
    return n;
}

/* 0, 0.25, 500k, 2.5M: one unit for the whole axis, as many digits as the step needs. */
static inline void figure__tick(FILE *out, double v, double biggest, double step) {
    double unit = biggest >= 1e9 ? 1e9 : biggest >= 1e6 ? 1e6 : biggest >= 1e4 ? 1e3 : 1;
    double rest = step / unit;
    int digits = 0;
    while (digits < 6 && fabs(rest - floor(rest + 0.5)) > 1e-6 * figure__most(rest, 1)) {
        rest *= 10;
        digits++;
    }
    if (fabs(v) < step * 1e-6) {
        fputs("0", out);
        return;
    }
    figure__number(out, v / unit, digits,
                   unit > 1e8   ? "G"
                   : unit > 1e5 ? "M"
                   : unit > 1   ? "k"
                                : "");
}

static inline void figure__axis_x(FILE *out, const figure *f, const figure__scale *x, double top,
                                  double bottom, int grid) {
    double tick[32], step;
    size_t n = figure__ticks(x, tick, &step);
    for (size_t i = 0; i < n; i++) {
        double at = figure__at(x, tick[i]);
        fprintf(out, "<path d=\"M%.1f %.1fV%.1f\" %s/>\n", at, bottom + 5, grid ? top : bottom,
                grid ? FIGURE__GRID : FIGURE__AXIS);
        fprintf(out,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" text-anchor=\"middle\" " FIGURE__SOFT
                ">",
                at, bottom + 20);
        figure__tick(out, tick[i], step > 0 ? figure__most(fabs(x->low), fabs(x->high)) : tick[i],
                     step > 0 ? step : tick[i]);
        fputs("</text>\n", out);
    }
    fprintf(out, "<path d=\"M%.1f %.1fH%.1f\" " FIGURE__AXIS "/>\n", x->from, bottom, x->to);
    if (f->x.label != NULL) {
        figure__text(out, (x->from + x->to) / 2, bottom + 42, 12.5, "middle", FIGURE__SOFT,
                     f->x.label);
    }
}

static inline void figure__axis_y(FILE *out, const figure *f, const figure__scale *y, double left,
                                  double right) {
    double tick[32], step;
    size_t n = figure__ticks(y, tick, &step);
    for (size_t i = 0; i < n; i++) {
        double at = figure__at(y, tick[i]);
        fprintf(out, "<path d=\"M%.1f %.1fH%.1f\" " FIGURE__GRID "/>\n", left, at, right);
        fprintf(out,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" text-anchor=\"end\" " FIGURE__SOFT
                ">",
                left - 8, at + 4);
        figure__tick(out, tick[i], step > 0 ? figure__most(fabs(y->low), fabs(y->high)) : tick[i],
                     step > 0 ? step : tick[i]);
        fputs("</text>\n", out);
    }
    if (f->y.label != NULL) {
        figure__text(out, FIGURE__EDGE, figure__least(y->from, y->to) - 14, 12.5, "start",
                     FIGURE__SOFT, f->y.label);
    }
}

/* Does the text to the right of an upright rule run into the next one? */
static inline int figure__crowded(const figure *f, const figure__scale *x, const figure_rule *r) {
    for (size_t i = 0; r->vertical && i < f->n_rules; i++) {
        double gap = figure__at(x, f->rules[i].at) - figure__at(x, r->at);
        if (f->rules[i].vertical && gap > 0 && gap < figure__length(r->text, 12) + 12) {
            return 1;
        }
    }
    return 0;
}

/* Rules and arrows; one that is off the axes, or that has no place because a value is missing, is left out. */
static inline int figure__inside(const figure__scale *s, double at) {
    return isfinite(at) && at >= figure__least(s->from, s->to) - 1 &&
           at <= figure__most(s->from, s->to) + 1;
}

static inline void figure__marks(FILE *out, const figure *f, const figure__scale *x,
                                 const figure__scale *y) {
    for (size_t i = 0; i < f->n_rules; i++) {
        const figure_rule *r = &f->rules[i];
        int left = figure__crowded(f, x, r);
        double at = figure__at(r->vertical ? x : y, r->at), tx = !r->vertical ? x->from + 6
                                                                 : left       ? at - 6
                                                                              : at + 6;
        double ty = r->vertical ? y->to + 12 : at - 6;
        if (!figure__inside(r->vertical ? x : y, at)) {
            continue;
        }
        fprintf(out, r->vertical ? "<path d=\"M%.1f %.1fV%.1f\"" : "<path d=\"M%.1f %.1fH%.1f\"",
                r->vertical ? at : x->from, r->vertical ? y->from : at,
                r->vertical ? y->to : x->to);
        fputs(" " FIGURE__AXIS
              " stroke-width=\"1.2\" stroke-dasharray=\"1 3\" stroke-linecap=\"round\"/>\n",
              out);
        figure__text(out, tx, ty, 12, left ? "end" : "start", FIGURE__HALO, r->text);
    }
    for (size_t i = 0; i < f->n_arrows; i++) {
        const figure_arrow *a = &f->arrows[i];
        double x0 = figure__at(x, a->x0), y0 = figure__at(y, a->y0), x1 = figure__at(x, a->x1),
               y1 = figure__at(y, a->y1);
        double size = hypot(x1 - x0, y1 - y0), dx = size > 0 ? (x1 - x0) / size : 0,
               dy = size > 0 ? (y1 - y0) / size : 1;
        int upright = fabs(dy) > fabs(dx);
        if (!figure__inside(x, x0) || !figure__inside(x, x1) || !figure__inside(y, y0) ||
            !figure__inside(y, y1)) {
            continue;
        }
        fprintf(out,
                "<path d=\"M%.1f %.1fL%.1f %.1f\" class=\"f-axis\" stroke=\"#8b949e\" "
                "stroke-width=\"1.6\"/>\n",
                x0, y0, x1 - dx * 7, y1 - dy * 7);
        fprintf(out, "<path d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fz\" " FIGURE__SOFT "/>\n", x1, y1,
                x1 - dx * 9 + dy * 4, y1 - dy * 9 - dx * 4, x1 - dx * 9 - dy * 4,
                y1 - dy * 9 + dx * 4);
        figure__text(out, (x0 + x1) / 2 + (upright ? 9 : 0),
                     (y0 + y1) / 2 + (upright    ? 4
                                      : a->below ? 18
                                                 : -9),
                     13.5, upright ? "start" : "middle", "font-weight=\"600\" " FIGURE__HALO,
                     a->text);
    }
}

/* Names with their colours in a row above the plot; returns its height.  out NULL: only measures. */
static inline double figure__legend(FILE *out, double y, double width, const char *const *names,
                                    const int *styles, size_t n) {
    double x = FIGURE__EDGE, rows = 1;
    for (size_t i = 0; i < n; i++) {
        double size = figure__length(names[i], 12.5) + 34;
        if (x + size > width - FIGURE__EDGE && i > 0) {
            x = FIGURE__EDGE;
            rows++;
        }
        if (out != NULL) {
            double at = y + 20 * (rows - 1);
            size_t style = figure__style(styles == NULL ? 0 : styles[i], i);
            figure__color(out, style);
            if (styles != NULL) {
                figure__shape(out, x + 6, at + 6, 4.5, style);
            } else {
                fprintf(out,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" rx=\"2\" "
                        "fill=\"currentColor\"/>\n",
                        x, at);
            }
            fputs("</g>\n", out);
            figure__text(out, x + 18, at + 10.5, 12.5, "start", FIGURE__INK, names[i]);
        }
        x += size;
    }
    return rows * 20 + 10;
}

#include "figure_plot.h"
#include "figure_table.h"
#endif
