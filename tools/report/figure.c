/* figure.c: the frame of every figure: text, colours, scales, axes, rules, arrows, legend. */
#include <math.h>
#include <string.h>
#include "common/text.h"
#include "figure_frame.h"

#define FIGURE__FONT                                                                               \
    "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, "        \
    "sans-serif\""
#define FIGURE__GRID "class=\"f-grid\" stroke=\"#e4e7eb\""
#define FIGURE__HALO                                                                               \
    "class=\"f-ink f-halo\" fill=\"#1f2328\" stroke=\"#ffffff\" stroke-width=\"4\" "               \
    "paint-order=\"stroke\" stroke-linejoin=\"round\""

#define LINE_HEIGHT 1.35 /* distance of lines, as a multiple of the size */
#define BOLD_SHARE 0.9   /* the title is bold: this share of a line's characters fits */

static const figure__type title_type = {17, "start", "font-weight=\"600\" " FIGURE__INK};
static const figure__type subtitle_type = {13, "start", FIGURE__SOFT};
static const figure__type note_type = {11.5, "start", FIGURE__SOFT};
static const figure__type label_x_type = {12.5, "middle", FIGURE__SOFT};
static const figure__type label_y_type = {12.5, "start", FIGURE__SOFT};
static const figure__type legend_type = {12.5, "start", FIGURE__INK};

/* Ticks of one axis.  A logarithmic one adds those of the next power of ten while it has fewer than
   LOG_TICKS. */
enum { MAX_TICKS = 32, LOG_TICKS = 30 };

static const char *const light_colors[FIGURE__STYLES] = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4b5563", "#8c6d1f"};
static const char *const dark_colors[FIGURE__STYLES] = {"#4da6e8", "#ff8b4d", "#2fcf9f", "#e8a3cb",
                                                        "#f7c04a", "#a5dcfb", "#b6bec8", "#d3b25c"};

const char *const figure__dash[FIGURE__STYLES] = {"none", "7 4", "2 4", "10 4 2 4",
                                                  "14 4", "4 3", "1 3", "10 3 2 3 2 3"};

double figure__min(double a, double b) {
    return a < b ? a : b;
}

double figure__max(double a, double b) {
    return a > b ? a : b;
}

size_t figure__style(int style, size_t place) {
    return style > 0 ? (size_t)(style - 1) % FIGURE__STYLES : place % FIGURE__STYLES;
}

/* ---- text ---- */
/* Width of a character, as a share of the font's size. */
static double char_width(unsigned char c) {
    if ((c & 0xC0) == 0x80) return 0; /* the rest of a UTF-8 character */
    if (strchr("iljtf.,:;'|!()[] /-", c) != NULL) return 0.36;
    if (strchr("mwMW%@", c) != NULL) return 0.88;
    return c >= 'A' && c <= 'Z' ? 0.68 : 0.58;
}

static double width_of(const char *text, size_t n, double size) {
    double em = 0;
    for (size_t i = 0; i < n; i++)
        em += char_width((unsigned char)text[i]);
    return em * size;
}

double figure__text_width(const char *text, double size) {
    return text == NULL ? 0 : width_of(text, strlen(text), size);
}

static void put_text(FILE *out, double x, double y, const figure__type *type, const char *text,
                     size_t n) {
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" text-anchor=\"%s\" %s>", x, y,
            type->size, type->anchor, type->look);
    escape_markup_n(out, text, n);
    fputs("</text>\n", out);
}

void figure__text(FILE *out, double x, double y, const figure__type *type, const char *text) {
    put_text(out, x, y, type, text, text == NULL ? 0 : strlen(text));
}

/* How much of the text fits into a line: at least its first word. */
static size_t line_end(const char *text, double size, double width) {
    size_t end = strcspn(text, " ");
    while (text[end] != '\0') {
        size_t next = end + 1 + strcspn(text + end + 1, " ");
        if (width_of(text, next, size) > width) break;
        end = next;
    }
    return end;
}

int figure__wrap(FILE *out, double x, double y, double width, const figure__type *type,
                 const char *text) {
    int lines = 0;
    while (text != NULL && *text != '\0') {
        size_t end = line_end(text, type->size, width);
        if (out != NULL) put_text(out, x, y + lines * type->size * LINE_HEIGHT, type, text, end);
        text += end + strspn(text + end, " ");
        lines++;
    }
    return lines;
}

static double wrapped_height(double width, const figure__type *type, const char *text) {
    return figure__wrap(NULL, 0, 0, width, type, text) * type->size * LINE_HEIGHT;
}

double figure__head(const figure *f, double width) {
    double room = width - 2 * FIGURE__EDGE;
    double title = wrapped_height(room * BOLD_SHARE, &title_type, f->title);
    double subtitle = wrapped_height(room, &subtitle_type, f->subtitle);
    return FIGURE__EDGE + title + subtitle + 14;
}

double figure__foot(const figure *f, double width) {
    return FIGURE__EDGE + wrapped_height(width - 2 * FIGURE__EDGE, &note_type, f->note);
}

static void put_style(FILE *out) {
    fputs("<style>@media (prefers-color-scheme: dark) {"
          " .f-bg { fill: #14171b } .f-ink { fill: #e8eaed } .f-soft { fill: #a3acb6 }"
          " .f-halo { stroke: #14171b }"
          " .f-grid { stroke: #2b3138 } .f-axis { stroke: #6d7681 } .f-error { stroke: #e8eaed }"
          " .f-under { stroke: #14171b }"
          " .f-on { fill: #101418 }",
          out);
    for (int i = 0; i < FIGURE__STYLES; i++)
        fprintf(out, " .f-c%d { color: %s }", i, dark_colors[i]);
    fputs(" }</style>\n", out);
}

void figure__open(FILE *out, const figure *f, double width, double height) {
    double room = width - 2 * FIGURE__EDGE;
    double y = FIGURE__EDGE + 15;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
            "height=\"%.0f\" role=\"img\" aria-label=\"",
            width, height, width, height);
    escape_markup(out, f->title);
    fputs("\" " FIGURE__FONT ">\n", out);
    put_style(out);
    fprintf(out, "<rect class=\"f-bg\" fill=\"#ffffff\" width=\"%.0f\" height=\"%.0f\"/>\n", width,
            height);

    figure__wrap(out, FIGURE__EDGE, y, room * BOLD_SHARE, &title_type, f->title);
    y += wrapped_height(room * BOLD_SHARE, &title_type, f->title);
    figure__wrap(out, FIGURE__EDGE, y - 2, room, &subtitle_type, f->subtitle);
    y = height - figure__foot(f, width) + 14;
    figure__wrap(out, FIGURE__EDGE, y, room, &note_type, f->note);
}

void figure__color(FILE *out, size_t style) {
    fprintf(out, "<g class=\"f-c%zu\" color=\"%s\">\n", style, light_colors[style]);
}

void figure__shape(FILE *out, double x, double y, double r, size_t style) {
    double d = 1.3 * r;
    switch (style % 4) {
    case 0:
        fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y, r);
        break;
    case 1:
        fprintf(out, "<path d=\"M%.1f %.1fh%.1fv%.1fh%.1fz\"", x - r * .9, y - r * .9, 1.8 * r,
                1.8 * r, -1.8 * r);
        break;
    case 2:
        fprintf(out, "<path d=\"M%.1f %.1fl%.1f %.1fh%.1fz\"", x, y - 1.2 * r, 1.2 * r, 2 * r,
                -2.4 * r);
        break;
    default:
        fprintf(out, "<path d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz\"", x - d, y, d, -d, d, d,
                -d, d);
        break;
    }
    fputs(" fill=\"currentColor\"/>\n", out);
}

void figure__number(FILE *out, double v, int digits, const char *unit) {
    fprintf(out, "%s%.*f", v < 0 ? "\xE2\x88\x92" : "", digits, fabs(v));
    escape_markup(out, unit);
}

/* ---- scales ---- */
/* Products and powers are rounded: a number that misses an end of the axis, or a multiple of the
   step, by no more than this share counts as lying on it. */
#define ROUNDING 1e-9

/* Into how many parts an axis is cut at most: numbers need their room. */
static double parts_of(double from, double to) {
    const double room = 50; /* pixels for a number */
    return figure__max(2, figure__min(6, floor(fabs(to - from) / room)));
}

/* The smallest of 1, 2, 2.5, 5 times a power of ten that cuts `span` into at most `parts`. */
static double round_step(double span, double parts) {
    static const double round[5] = {1, 2, 2.5, 5, 10};
    double power = pow(10, floor(log10(span / parts)));
    for (int i = 0; i < 5; i++)
        if (span / (round[i] * power) <= parts * (1 + ROUNDING)) return round[i] * power;
    return 10 * power;
}

/* A pixel is at most this many lengths of the axis away from its low end.  Without a bound, 1e300
   on an axis from 0 to 1 would be written into the SVG with 300 digits.  With a bound
   near 1, a line to such a pixel would be seen to have the wrong slope. */
#define FARTHEST 100

double figure__pixel(const figure__scale *s, double v) {
    double part; /* 0 at the low end of the axis, 1 at its high end */
    if (!isfinite(v) || (s->log && v <= 0)) return NAN;
    if (s->log)
        part = (log(v) - log(s->low)) / (log(s->high) - log(s->low));
    else
        part = (v - s->low) / (s->high - s->low);
    part = figure__max(-FARTHEST, figure__min(FARTHEST, part));
    return s->from + part * (s->to - s->from);
}

/* Returns 1 if the figure sets ends of the axis that can be drawn; if not, the data set them. */
static int has_ends(const figure_axis *axis) {
    return axis->low < axis->high && isfinite(axis->low) && isfinite(axis->high) &&
           (!axis->log || axis->low > 0);
}

/* The data lie in low..high, which is empty (low > high) if there are none.  A logarithmic axis
   gets a little room where a linear one would get round ends. */
figure__scale figure__fitted(const figure_axis *axis, double low, double high, double from,
                             double to, figure__fit fit) {
    figure__scale s = {axis->low, axis->high, from, to, axis->log};
    if (has_ends(axis)) return s;
    if (!(low <= high)) {
        low = axis->log ? 0.1 : 0;
        high = 1;
    }
    if (!(low < high)) {
        double room = fabs(low) > 0 ? fabs(low) / 2 : 1;
        low -= room;
        high += room;
    }
    if (fit != FIGURE__FIT_EXACT && axis->log) {
        double room = pow(high / low, 0.05);
        low /= room;
        high *= room;
    } else if (fit == FIGURE__FIT_LOOSE) {
        double room = (high - low) * 0.04;
        low -= room;
        high += room;
    } else if (fit == FIGURE__FIT_ROUND) {
        double step = round_step(high - low, parts_of(from, to));
        low = floor(low / step + ROUNDING) * step;
        high = ceil(high / step - ROUNDING) * step;
    }
    s.low = low;
    s.high = high;
    return s;
}

/* Powers of ten, and where the axis spans few of them also 2 and 5 times these. */
static size_t log_ticks(const figure__scale *s, double *tick) {
    static const int factors[3] = {1, 2, 5};
    double decade = fabs(s->to - s->from) / log10(s->high / s->low); /* pixels */
    int n_factors = s->high / s->low < 150 && decade > 90 ? 3 : 1;
    int last = (int)floor(log10(s->high));
    size_t n = 0;
    /* The exponent is counted, because the power of ten may be 0 for the smallest numbers. */
    for (int exponent = (int)floor(log10(s->low)); exponent <= last && n < LOG_TICKS; exponent++) {
        double power = pow(10, exponent);
        for (int i = 0; i < n_factors && n < MAX_TICKS; i++) {
            double v = factors[i] * power;
            if (v >= s->low * (1 - ROUNDING) && v <= s->high * (1 + ROUNDING)) tick[n++] = v;
        }
    }
    return n;
}

static size_t linear_ticks(const figure__scale *s, double step, double *tick) {
    size_t n = 0;
    double k = ceil(s->low / step - ROUNDING);
    for (; n < MAX_TICKS && k * step <= s->high + step * ROUNDING; k++)
        tick[n++] = k * step;
    return n;
}

/* Finds the ticks: round numbers on the axis, and their distance (0 on a logarithmic axis).
   Returns how many there are. */
static size_t ticks_of(const figure__scale *s, double *tick, double *step) {
    *step = s->log ? 0 : round_step(s->high - s->low, parts_of(s->from, s->to));
    return s->log ? log_ticks(s, tick) : linear_ticks(s, *step, tick);
}

/* 0, 0.25, 500k, 2.5M: one unit for the whole axis, as many digits as the step needs. */
static void put_tick(FILE *out, double v, double biggest, double step) {
    static const struct {
        double from, unit;
        const char *name;
    } units[4] = {{1e9, 1e9, "G"}, {1e6, 1e6, "M"}, {1e4, 1e3, "k"}, {-INFINITY, 1, ""}};

    int digits = 0, k = 0;
    while (k < 3 && !(biggest >= units[k].from))
        k++;
    double rest = step / units[k].unit;
    while (digits < 6 && fabs(rest - floor(rest + 0.5)) > 1e-6 * figure__max(rest, 1)) {
        rest *= 10;
        digits++;
    }
    if (fabs(v) < step * 1e-6)
        fputs("0", out);
    else
        figure__number(out, v / units[k].unit, digits, units[k].name);
}

static void put_tick_label(FILE *out, const figure__scale *s, double v, double step) {
    if (step > 0)
        put_tick(out, v, figure__max(fabs(s->low), fabs(s->high)), step);
    else
        put_tick(out, v, v, v);
    fputs("</text>\n", out);
}

/* Where a horizontal axis has its parts, in pixels below its line. */
enum { TICK_END = 5, TICK_NUMBER = 20, AXIS_LABEL = 42 };

void figure__axis_x(FILE *out, const figure *f, const figure__scale *x, double top, double bottom,
                    figure__grid grid) {
    const double up_to = grid == FIGURE__WITH_GRID ? top : bottom;
    double tick[MAX_TICKS], step;
    size_t n = ticks_of(x, tick, &step);
    for (size_t i = 0; i < n; i++) {
        double px = figure__pixel(x, tick[i]);
        fprintf(out, "<path d=\"M%.1f %.1fV%.1f\" %s/>\n", px, bottom + TICK_END, up_to,
                grid == FIGURE__WITH_GRID ? FIGURE__GRID : FIGURE__AXIS);
        fprintf(out,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" text-anchor=\"middle\" " FIGURE__SOFT
                ">",
                px, bottom + TICK_NUMBER);
        put_tick_label(out, x, tick[i], step);
    }
    fprintf(out, "<path d=\"M%.1f %.1fH%.1f\" " FIGURE__AXIS "/>\n", x->from, bottom, x->to);
    if (f->x.label == NULL) return;
    figure__text(out, (x->from + x->to) / 2, bottom + AXIS_LABEL, &label_x_type, f->x.label);
}

/* The numbers end 8 pixels left of the axis; 4 lower than its tick, a number is centred on it.  The
   label lies above the upper end. */
void figure__axis_y(FILE *out, const figure *f, const figure__axes *axes) {
    const figure__scale *x = &axes->x;
    const figure__scale *y = &axes->y;
    double tick[MAX_TICKS], step;
    size_t n = ticks_of(y, tick, &step);
    for (size_t i = 0; i < n; i++) {
        double py = figure__pixel(y, tick[i]);
        fprintf(out, "<path d=\"M%.1f %.1fH%.1f\" " FIGURE__GRID "/>\n", x->from, py, x->to);
        fprintf(out,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" text-anchor=\"end\" " FIGURE__SOFT
                ">",
                x->from - 8, py + 4);
        put_tick_label(out, y, tick[i], step);
    }
    if (f->y.label == NULL) return;
    figure__text(out, FIGURE__EDGE, figure__min(y->from, y->to) - 14, &label_y_type, f->y.label);
}

/* ---- rules and arrows ---- */
static int inside(const figure__scale *s, double pixel) {
    return isfinite(pixel) && pixel >= figure__min(s->from, s->to) - 1 &&
           pixel <= figure__max(s->from, s->to) + 1;
}

/* Whether the text to the right of an upright rule would run into the next rule, or off a narrow
   figure. */
static int runs_into_next(const figure *f, const figure__scale *x, const figure_rule *r) {
    double end = figure__pixel(x, r->value) + 6 + figure__text_width(r->text, 12);
    if (r->vertical && f->width > 0 && f->width < FIGURE__NARROW && end > f->width) return 1;
    for (size_t i = 0; r->vertical && i < f->n_rules; i++) {
        double gap = figure__pixel(x, f->rules[i].value) - figure__pixel(x, r->value);
        double needed = figure__text_width(r->text, 12) + 12;
        if (f->rules[i].vertical && gap > 0 && gap < needed) return 1;
    }
    return 0;
}

static void draw_rule(FILE *out, const figure *f, const figure_rule *r, const figure__axes *axes) {
    static const figure__type right_type = {12, "start", FIGURE__HALO};
    static const figure__type left_type = {12, "end", FIGURE__HALO};
    const figure__scale *x = &axes->x;
    const figure__scale *y = &axes->y;
    const figure__scale *along = r->vertical ? x : y;
    int text_left = runs_into_next(f, x, r);
    double pixel = figure__pixel(along, r->value);
    double text_x = pixel + 6;
    double text_y = y->to + 12;
    if (!inside(along, pixel)) return;
    if (text_left) text_x = pixel - 6;
    if (r->vertical) {
        fprintf(out, "<path d=\"M%.1f %.1fV%.1f\"", pixel, y->from, y->to);
    } else {
        text_x = x->from + 6;
        text_y = pixel - 6;
        fprintf(out, "<path d=\"M%.1f %.1fH%.1f\"", x->from, pixel, x->to);
    }
    fputs(" " FIGURE__AXIS " stroke-width=\"1.2\" stroke-dasharray=\"1 3\" "
          "stroke-linecap=\"round\"/>\n",
          out);
    figure__text(out, text_x, text_y, text_left ? &left_type : &right_type, r->text);
}

static void draw_arrow(FILE *out, const figure_arrow *a, const figure__axes *axes) {
    static const figure__type beside_type = {13.5, "start", "font-weight=\"600\" " FIGURE__HALO};
    static const figure__type middle_type = {13.5, "middle", "font-weight=\"600\" " FIGURE__HALO};
    const figure__scale *x = &axes->x;
    const figure__scale *y = &axes->y;
    double x0 = figure__pixel(x, a->x0);
    double y0 = figure__pixel(y, a->y0);
    double x1 = figure__pixel(x, a->x1);
    double y1 = figure__pixel(y, a->y1);
    double size = hypot(x1 - x0, y1 - y0);
    double dx = size > 0 ? (x1 - x0) / size : 0;
    double dy = size > 0 ? (y1 - y0) / size : 1;
    if (!inside(x, x0) || !inside(x, x1) || !inside(y, y0) || !inside(y, y1)) return;
    fprintf(out, "<path d=\"M%.1f %.1fL%.1f %.1f\" " FIGURE__AXIS " stroke-width=\"1.6\"/>\n", x0,
            y0, x1 - dx * 7, y1 - dy * 7);
    fprintf(out, "<path d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fz\" " FIGURE__SOFT "/>\n", x1, y1,
            x1 - dx * 9 + dy * 4, y1 - dy * 9 - dx * 4, x1 - dx * 9 - dy * 4, y1 - dy * 9 + dx * 4);

    double text_x = (x0 + x1) / 2;
    double text_y = (y0 + y1) / 2;
    int upright = fabs(dy) > fabs(dx);
    if (upright) {
        text_x += 9;
        text_y += 4;
    } else {
        text_y += a->below ? 18 : -9;
    }
    figure__text(out, text_x, text_y, upright ? &beside_type : &middle_type, a->text);
}

void figure__marks(FILE *out, const figure *f, const figure__axes *axes) {
    for (size_t i = 0; i < f->n_rules; i++)
        draw_rule(out, f, &f->rules[i], axes);
    for (size_t i = 0; i < f->n_arrows; i++)
        draw_arrow(out, &f->arrows[i], axes);
}

/* ---- legend ---- */
static void draw_square(FILE *out, double x, double y) {
    fprintf(out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" rx=\"2\" "
            "fill=\"currentColor\"/>\n",
            x, y);
}

static void draw_sign(FILE *out, double x, double y, figure__sign sign, size_t style) {
    figure__color(out, style);
    if (sign == FIGURE__SQUARE) draw_square(out, x, y);
    if (sign == FIGURE__POINT) figure__shape(out, x + 6, y + 6, 4.5, style);
    if (sign == FIGURE__LINE)
        fprintf(out,
                "<path d=\"M%.1f %.1fh22\" stroke=\"currentColor\" stroke-width=\"2.4\" "
                "stroke-dasharray=\"%s\"/>\n",
                x, y + 6, figure__dash[style]);
    fputs("</g>\n", out);
}

double figure__legend(FILE *out, double y, double width, figure__sign sign,
                      const char *const *names, const int *styles, size_t n) {
    const double name_at = sign == FIGURE__LINE ? 28 : 18; /* right of the sign */
    double x = FIGURE__EDGE;
    double rows = 1;
    for (size_t i = 0; i < n; i++) {
        double size = figure__text_width(names[i], legend_type.size) + name_at + 16;
        size_t style = figure__style(styles == NULL ? 0 : styles[i], i);
        if (x + size > width - FIGURE__EDGE && i > 0) {
            x = FIGURE__EDGE;
            rows++;
        }
        double row_y = y + 20 * (rows - 1);
        if (out != NULL) {
            draw_sign(out, x, row_y, sign, style);
            figure__text(out, x + name_at, row_y + 10.5, &legend_type, names[i]);
        }
        x += size;
    }
    return rows * 20 + 10;
}
