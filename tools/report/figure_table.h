/* figure_table.h: the figures drawn from a table: grouped bars with error bars, stacked shares, a map with numbers.
 * Part of figure.h, which declares them and brings this file in. */
#ifndef FIGURE_TABLE_H
#define FIGURE_TABLE_H
#include "figure.h"

static inline double figure__rows_width(const figure_table *t, double width) {
    double most = 0;
    for (size_t i = 0; i < t->n_rows; i++) {
        most = figure__most(most, figure__length(t->rows[i], 12.5));
    }
    return figure__least(most, width * 0.4);
}

/* A row's name, right-aligned, its lines centred on `middle`. */
static inline void figure__row_name(FILE *out, const figure_table *t, size_t i, double right,
                                    double middle) {
    double room = right - FIGURE__EDGE;
    int lines = figure__wrap(NULL, 0, 0, 12.5, room, "", "", t->rows[i]);
    figure__wrap(out, right, middle + 4.3 - (lines - 1) * 8.4, 12.5, room, "end", FIGURE__INK,
                 t->rows[i]);
}

static inline void figure__bar(FILE *out, const figure_table *t, size_t cell, size_t style,
                               const figure__scale *x, double y, double thick) {
    double v = t->value[cell],
           zero = figure__at(x, figure__least(figure__most(0, x->low), x->high)),
           to = figure__at(x, v), end = to;
    int dots = x->low > 0 || x->high < 0;
    if (!isfinite(to)) {
        figure__text(out, zero + 6, y + thick / 2 + 4, 12, "start", FIGURE__SOFT,
                     t->none != NULL ? t->none : "no value");
        return;
    }
    figure__color(out, style);
    if (dots) {
        figure__shape(out, to, y + thick / 2, 5, style);
    } else {
        fprintf(out,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"1.5\" "
                "fill=\"currentColor\"/>\n",
                figure__least(zero, to), y, fabs(to - zero), thick);
    }
    double a = t->low == NULL ? NAN : figure__at(x, t->low[cell]),
           b = t->high == NULL ? NAN : figure__at(x, t->high[cell]), mid = y + thick / 2;
    if (isfinite(a) && isfinite(b)) {
        for (int under = dots ? 0 : 1; under >= 0;
             under--) { /* on bars: first a wider line in the colour of the background */
            fprintf(out,
                    "<path d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\" fill=\"none\" "
                    "stroke-linecap=\"round\" %s/>\n",
                    a, mid, b, a, mid - 4, b, mid - 4,
                    under  ? "class=\"f-under\" stroke=\"#ffffff\" stroke-width=\"4\" "
                             "stroke-opacity=\"0.8\""
                    : dots ? "stroke=\"currentColor\" stroke-width=\"1.6\""
                           : "class=\"f-error\" stroke=\"#1f2328\" stroke-width=\"1.4\"");
        }
        end = figure__most(end, figure__most(a, b));
    }
    fprintf(out, "</g>\n<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" " FIGURE__INK ">",
            figure__most(end, zero) + 7, y + thick / 2 + 4);
    figure__number(out, v, t->digits, t->unit);
    fputs("</text>\n", out);
}

static inline void figure_bars(FILE *out, const figure *f, const figure_table *t) {
    double width = f->width > 0 ? f->width : 760, thick = t->n_cols > 1 ? 15 : 20,
           group = (double)t->n_cols * (thick + 2) + 12;
    double head = figure__head(f, width),
           top = head +
                 (t->n_cols > 1 ? figure__legend(NULL, 0, width, t->cols, NULL, t->n_cols) : 0);
    double height =
        f->height > 0 ? f->height : top + group * (double)t->n_rows + 50 + figure__foot(f, width);
    double bottom = height - figure__foot(f, width) - 50;
    double low = f->x.log ? INFINITY : 0, high = -INFINITY,
           left = FIGURE__EDGE + figure__rows_width(t, width) + 12;
    for (size_t i = 0; i < t->n_rows * t->n_cols; i++) {
        double v[3] = {t->value[i], t->low == NULL ? NAN : t->low[i],
                       t->high == NULL ? NAN : t->high[i]};
        for (int j = 0; j < 3; j++) {
            if (isfinite(v[j]) && (!f->x.log || v[j] > 0)) {
                low = figure__least(low, v[j]);
                high = figure__most(high, v[j]);
            }
        }
    }
    figure__scale x = figure__scaled(&f->x, low, high, left, width - FIGURE__EDGE - 52, 0);
    figure__open(out, f, width, height);
    if (t->n_cols > 1) {
        figure__legend(out, head, width, t->cols, NULL, t->n_cols);
    }
    figure__axis_x(out, f, &x, top, bottom, 1);
    for (size_t i = 0; i < t->n_rows; i++) {
        double y = top + 8 + (bottom - top - 4) / (double)t->n_rows * (double)i;
        figure__row_name(out, t, i, left - 10, y + (group - 14) / 2);
        for (size_t j = 0; j < t->n_cols; j++) {
            figure__bar(out, t, i * t->n_cols + j, j % 8, &x, y + (double)j * (thick + 2), thick);
        }
    }
    figure__marks(out, f, &x, &(figure__scale){0, 1, bottom, top, 0});
    fputs("</svg>\n", out);
}

/* "#rrggbb" of a mix: t = 0 gives a, 1 gives b; *light: whether dark text reads on it. */
static inline void figure__mix(char *color, const int *a, const int *b, double t, int *light) {
    int c[3];
    for (int i = 0; i < 3; i++) {
        c[i] = a[i] + (int)floor((b[i] - a[i]) * t + 0.5);
    }
    snprintf(color, 8, "#%02x%02x%02x", (unsigned)c[0] & 255u, (unsigned)c[1] & 255u,
             (unsigned)c[2] & 255u);
    *light = 299 * c[0] + 587 * c[1] + 114 * c[2] > 140000;
}

static inline void figure_shares(FILE *out, const figure *f, const figure_table *t) {
    double width = f->width > 0 ? f->width : 760, head = figure__head(f, width);
    double top = head + figure__legend(NULL, 0, width, t->cols, NULL, t->n_cols) + 4;
    double height =
        f->height > 0 ? f->height : top + 38 * (double)t->n_rows + figure__foot(f, width);
    double left = FIGURE__EDGE + figure__rows_width(t, width) + 12, most = 0;
    for (size_t i = 0; i < t->n_rows; i++) {
        double sum = 0;
        for (size_t j = 0; j < t->n_cols; j++) {
            sum += isfinite(t->value[i * t->n_cols + j]) ? t->value[i * t->n_cols + j] : 0;
        }
        most = figure__most(most, sum);
    }
    double scale = most > 0 ? (width - FIGURE__EDGE - left) / most : 0;
    figure__open(out, f, width, height);
    figure__legend(out, head, width, t->cols, NULL, t->n_cols);
    for (size_t i = 0; i < t->n_rows; i++) {
        double x = left, y = top + 38 * (double)i;
        figure__row_name(out, t, i, left - 10, y + 14);
        for (size_t j = 0; j < t->n_cols; j++) {
            double v = t->value[i * t->n_cols + j], size = isfinite(v) && v > 0 ? v * scale : 0;
            if (size > 0) {
                figure__color(out, j % 8);
                fprintf(out,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"28\" rx=\"1.5\" "
                        "fill=\"currentColor\"/></g>\n",
                        x, y, figure__most(size - 1.5, 0.5));
            }
            if (size > 12 + 7.5 * (t->digits + 2 + (t->unit == NULL ? 0 : (int)strlen(t->unit)))) {
                fprintf(out,
                        "<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" font-weight=\"600\" "
                        "text-anchor=\"middle\" "
                        "class=\"f-on\" fill=\"%s\">",
                        x + size / 2, y + 18.5,
                        j % 8 == 0 || j % 8 == 1 || j % 8 == 6 || j % 8 == 7 ? "#ffffff"
                                                                             : "#101418");
                figure__number(out, v, t->digits, t->unit);
                fputs("</text>\n", out);
            }
            x += size;
        }
    }
    fputs("</svg>\n", out);
}

/* How far a cell is from the palest colour, -1..1; 0 where there is no telling. */
static inline double figure__heat(const figure_table *t, double v, double low, double high) {
    double heat = (v - low) / (high - low);
    if (t->center > 0) {
        heat = log(v / t->center) /
               figure__most(fabs(log(low / t->center)), fabs(log(high / t->center)));
    }
    return isfinite(heat) ? figure__most(-1, figure__least(1, heat)) : 0;
}

static inline void figure_map(FILE *out, const figure *f, const figure_table *t) {
    static const int pale[3] = {246, 245, 242}, good[3] = {0, 96, 160}, bad[3] = {201, 84, 0};
    double width = f->width > 0 ? f->width : 760,
           left = FIGURE__EDGE + figure__rows_width(t, width) + 12,
           top = figure__head(f, width) + 22;
    double cell = figure__least(
               (width - FIGURE__EDGE - left) / (double)(t->n_cols > 0 ? t->n_cols : 1), 104),
           low = INFINITY, high = -INFINITY;
    double bottom = top + 42 * (double)t->n_rows,
           height = f->height > 0 ? f->height : bottom + 50 + figure__foot(f, width);
    for (size_t i = 0; i < t->n_rows * t->n_cols; i++) {
        if (!isfinite(t->value[i]) || (t->center > 0 && t->value[i] <= 0)) {
            continue;
        }
        low = figure__least(low, t->value[i]);
        high = figure__most(high, t->value[i]);
    }
    figure__open(out, f, width, height);
    if (f->y.label != NULL) {
        figure__text(out, FIGURE__EDGE, top - 10, 12.5, "start", FIGURE__SOFT, f->y.label);
    }
    for (size_t i = 0; i < t->n_rows; i++) {
        double y = top + 42 * (double)i;
        figure__row_name(out, t, i, left - 10, y + 20);
        for (size_t j = 0; j < t->n_cols; j++) {
            double v = t->value[i * t->n_cols + j], x = left + cell * (double)j,
                   heat = figure__heat(t, v, low, high);
            char color[8];
            int light;
            figure__mix(color, pale, heat < 0 ? bad : good, fabs(heat), &light);
            fprintf(
                out,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"40\" rx=\"2\" fill=\"%s\"/>\n",
                x, y, cell - 2, color);
            fprintf(
                out,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"13\" text-anchor=\"middle\" fill=\"%s\">",
                x + cell / 2 - 1, y + 24.5, light ? "#1f2328" : "#ffffff");
            if (isfinite(v)) {
                figure__number(out, v, t->digits, t->unit);
            } else {
                fputs("\xE2\x80\x93", out);
            }
            fputs("</text>\n", out);
        }
    }
    for (size_t j = 0; j < t->n_cols; j++) {
        figure__text(out, left + cell * ((double)j + 0.5) - 1, bottom + 16, 12.5, "middle",
                     FIGURE__INK, t->cols[j]);
    }
    if (f->x.label != NULL) {
        figure__text(out, left + cell * (double)t->n_cols / 2, bottom + 40, 12.5, "middle",
                     FIGURE__SOFT, f->x.label);
    }
    fputs("</svg>\n", out);
}
#endif
