/* figure_plot.h: the figures drawn from series: lines with their seeds and intervals, points with least-squares lines.
 * Part of figure.h, which declares them and brings this file in. */
#ifndef FIGURE_PLOT_H
#define FIGURE_PLOT_H
#include "figure.h"

static inline size_t figure_mean(const figure_series *s, size_t i, double *mean, double *low,
                                 double *high) {
    static const double t[11] = {
        0,     12.706, 4.303, 3.182, 2.776, 2.571,
        2.447, 2.365,  2.306, 2.262, 2.228}; /* 97.5%, by degrees of freedom */
    size_t n = 0, runs = s->runs == 0 ? 1 : s->runs;
    double sum = 0, squares = 0;
    *mean = *low = *high = NAN;
    for (size_t r = 0; r < runs; r++) {
        if (isfinite(s->y[r * s->n + i])) {
            sum += s->y[r * s->n + i];
            n++;
        }
    }
    if (n == 0) {
        return 0;
    }
    *mean = sum / (double)n;
    for (size_t r = 0; r < runs; r++) {
        double d = s->y[r * s->n + i] - *mean;
        if (isfinite(d)) {
            squares += d * d;
        }
    }
    if (n > 1) {
        double half = (n <= 11 ? t[n - 1] : 1.96 + 2.6 / (double)(n - 1)) *
                      sqrt(squares / (double)(n - 1) / (double)n);
        *low = *mean - half;
        *high = *mean + half;
    }
    if (s->low != NULL && s->high != NULL) {
        *low = s->low[i];
        *high = s->high[i];
    }
    return n;
}

static inline void figure__bounds(const figure_series *series, size_t n, int log_x, int log_y,
                                  double *b) {
    b[0] = b[2] = INFINITY;
    b[1] = b[3] = -INFINITY;
    for (size_t k = 0; k < n; k++) {
        const figure_series *s = &series[k];
        for (size_t i = 0; i < s->n * (s->runs == 0 ? 1 : s->runs); i++) {
            double x = s->x[i % s->n], y[3] = {s->y[i], NAN, NAN};
            if (s->low != NULL && s->high != NULL && i < s->n) {
                y[1] = s->low[i];
                y[2] = s->high[i];
            }
            if (!isfinite(x) || !isfinite(y[0]) || (log_x && x <= 0)) {
                continue;
            }
            b[0] = figure__least(b[0], x);
            b[1] = figure__most(b[1], x);
            for (int j = 0; j < 3; j++) {
                if (isfinite(y[j]) && (!log_y || y[j] > 0)) {
                    b[2] = figure__least(b[2], y[j]);
                    b[3] = figure__most(b[3], y[j]);
                }
            }
        }
    }
}

/* A path through the points, broken at gaps.  get: 0 the mean, 1 + r the run r. */
static inline void figure__line(FILE *out, const figure_series *s, size_t get,
                                const figure__scale *x, const figure__scale *y, const char *look) {
    int pen = 0;
    fputs("<path d=\"", out);
    for (size_t i = 0; i < s->n; i++) {
        double v, low, high;
        if (get == 0) {
            figure_mean(s, i, &v, &low, &high);
        } else {
            v = s->y[(get - 1) * s->n + i];
        }
        double px = figure__at(x, s->x[i]), py = figure__at(y, v);
        if (!isfinite(px) || !isfinite(py)) {
            pen = 0;
            continue;
        }
        fprintf(out, pen ? "L%.1f %.1f" : "M%.1f %.1fh0", px, py);
        pen = 1;
    }
    fprintf(out,
            "\" fill=\"none\" stroke=\"currentColor\" stroke-linejoin=\"round\" "
            "stroke-linecap=\"round\" %s/>\n",
            look);
}

/* The interval as an area: each stretch without gaps forth along the top and back along the bottom. */
static inline void figure__band(FILE *out, const figure_series *s, const figure__scale *x,
                                const figure__scale *y) {
    double mean, low, high;
    fputs("<path d=\"", out);
    for (size_t i = 0, first; i < s->n; i++) {
        for (first = i; i < s->n; i++) {
            figure_mean(s, i, &mean, &low, &high);
            if (y->log && low <= 0) {
                low = y->low;
            }
            if (!isfinite(figure__at(x, s->x[i])) || !isfinite(low) ||
                !isfinite(figure__at(y, high))) {
                break;
            }
            fprintf(out, "%s%.1f %.1f", i == first ? "M" : "L", figure__at(x, s->x[i]),
                    figure__at(y, high));
        }
        for (size_t j = i; j-- > first;) {
            figure_mean(s, j, &mean, &low, &high);
            if (y->log && low <= 0) {
                low = y->low;
            }
            fprintf(out, "L%.1f %.1f%s", figure__at(x, s->x[j]), figure__at(y, low),
                    j == first ? "z" : "");
        }
    }
    fputs("\" fill=\"currentColor\" fill-opacity=\"0.16\" stroke=\"none\"/>\n", out);
}

static inline void figure__one_series(FILE *out, const figure_series *s, size_t style,
                                      const figure__scale *x, const figure__scale *y) {
    char look[96];
    figure__color(out, style);
    figure__band(out, s, x, y);
    for (size_t r = 0; s->runs > 1 && r < s->runs; r++) {
        figure__line(out, s, r + 1, x, y, "stroke-width=\"0.9\" stroke-opacity=\"0.45\"");
    }
    snprintf(look, sizeof look, "stroke-width=\"2.4\" stroke-dasharray=\"%s\"",
             figure__dash[style]);
    figure__line(out, s, 0, x, y, look);
    for (size_t i = 0; s->n <= 16 && i < s->n; i++) {
        double mean, low, high;
        if (figure_mean(s, i, &mean, &low, &high) > 0 && isfinite(figure__at(x, s->x[i])) &&
            isfinite(figure__at(y, mean))) {
            figure__shape(out, figure__at(x, s->x[i]), figure__at(y, mean), 3.8, style);
        }
    }
    fputs("</g>\n", out);
}

/* Names at the right, beside the ends of their lines: sorted by height, pushed apart where they would touch. */
static inline void figure__labels(FILE *out, const figure_series *series, size_t n,
                                  const figure__scale *x, const figure__scale *y) {
    double px[FIGURE__MOST], py[FIGURE__MOST], at[FIGURE__MOST], low, high, mean;
    size_t order[FIGURE__MOST], used = 0;
    for (size_t k = 0; k < n; k++) {
        px[k] = py[k] = NAN;
        for (size_t i = series[k].n; i-- > 0 && !isfinite(py[k]);) {
            figure_mean(&series[k], i, &mean, &low, &high);
            px[k] = figure__at(x, series[k].x[i]);
            py[k] = figure__at(y, mean);
        }
        if (!isfinite(px[k]) || !isfinite(py[k])) {
            continue;
        }
        size_t j = used++;
        for (; j > 0 && py[order[j - 1]] > py[k]; j--) {
            order[j] = order[j - 1];
        }
        order[j] = k;
    }
    for (size_t j = 0; j < used; j++) {
        at[j] = figure__most(py[order[j]], y->to + 4);
        if (j > 0) {
            at[j] = figure__most(at[j], at[j - 1] + 18);
        }
    }
    for (size_t j = used; j-- > 0;) {
        at[j] = figure__least(at[j], j + 1 == used ? y->from : at[j + 1] - 18);
    }
    for (size_t j = 0; j < used; j++) {
        size_t k = order[j], style = figure__style(series[k].style, k);
        figure__color(out, style);
        fprintf(
            out,
            "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"currentColor\" stroke-opacity=\"0.5\"/>\n",
            px[k] + 5, py[k], x->to + 12, at[j]);
        fprintf(out,
                "<path d=\"M%.1f %.1fh22\" stroke=\"currentColor\" stroke-width=\"2.4\" "
                "stroke-dasharray=\"%s\"/>\n</g>\n",
                x->to + 14, at[j], figure__dash[style]);
        figure__text(out, x->to + 41, at[j] + 4, 12.5, "start", FIGURE__INK, series[k].name);
    }
}

/* Begins an inner svg that clips what leaves the axes; its viewBox keeps the outer coordinates. */
static inline void figure__clip(FILE *out, const figure__scale *x, double top, double bottom) {
    fprintf(out,
            "<svg x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" viewBox=\"%.1f %.1f %.1f "
            "%.1f\">\n",
            x->from - 6, top - 6, x->to - x->from + 12, bottom - top + 12, x->from - 6, top - 6,
            x->to - x->from + 12, bottom - top + 12);
}

static inline void figure_lines(FILE *out, const figure *f, const figure_series *series, size_t n) {
    double width = f->width > 0 ? f->width : 760, height = f->height > 0 ? f->height : 430,
           names = 0, b[4];
    n = n > FIGURE__MOST ? FIGURE__MOST : n;
    for (size_t k = 0; k < n; k++) {
        names = figure__most(names, figure__length(series[k].name, 12.5));
    }
    double right = width - FIGURE__EDGE - (n > 0 ? figure__least(names, width / 3) + 42 : 0),
           top = figure__head(f, width) + 26;
    double bottom = height - figure__foot(f, width) - 46;
    figure__bounds(series, n, f->x.log, f->y.log, b);
    figure__scale x = figure__scaled(&f->x, b[0], b[1], FIGURE__EDGE + 44, right, 1),
                  y = figure__scaled(&f->y, b[2], b[3], bottom, top, 0);
    figure__open(out, f, width, height);
    figure__axis_y(out, f, &y, x.from, x.to);
    figure__axis_x(out, f, &x, top, bottom, 0);
    figure__clip(out, &x, top, bottom);
    for (size_t k = 0; k < n; k++) {
        figure__one_series(out, &series[k], figure__style(series[k].style, k), &x, &y);
    }
    fputs("</svg>\n", out);
    figure__labels(out, series, n, &x, &y);
    figure__marks(out, f, &x, &y);
    fputs("</svg>\n", out);
}

/* Least squares through the finite points: y = a + b x; returns Pearson's r, NaN where there is none. */
static inline double figure__fit(const figure_series *s, double *a, double *b) {
    double n = 0, mx = 0, my = 0, xx = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (isfinite(s->x[i]) && isfinite(s->y[i])) {
            n++;
            mx += s->x[i];
            my += s->y[i];
        }
    }
    mx /= n;
    my /= n;
    for (size_t i = 0; i < s->n; i++) {
        double dx = s->x[i] - mx, dy = s->y[i] - my;
        if (isfinite(dx) && isfinite(dy)) {
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
    }
    *b = xy / xx;
    *a = my - *b * mx;
    return xy / sqrt(xx * yy);
}

static inline void figure_points(FILE *out, const figure *f, const figure_series *series,
                                 size_t n) {
    double width = f->width > 0 ? f->width : 760, height = f->height > 0 ? f->height : 430, b[4],
           slope, base;
    char text[FIGURE__MOST][96];
    const char *names[FIGURE__MOST];
    int styles[FIGURE__MOST];
    n = n > FIGURE__MOST ? FIGURE__MOST : n;
    for (size_t k = 0; k < n; k++) {
        double r = figure__fit(&series[k], &base, &slope);
        if (isfinite(r)) {
            snprintf(text[k], sizeof text[k], "%.70s (r = %s%.2f)", series[k].name,
                     r < 0 ? "\xE2\x88\x92" : "", fabs(r));
        } else {
            snprintf(text[k], sizeof text[k], "%.70s", series[k].name);
        }
        names[k] = text[k];
        styles[k] = (int)figure__style(series[k].style, k) + 1;
    }
    double head = figure__head(f, width),
           top = head + figure__legend(NULL, 0, width, names, styles, n) + 26;
    double bottom = height - figure__foot(f, width) - 46;
    figure__bounds(series, n, f->x.log, f->y.log, b);
    figure__scale x =
        figure__scaled(&f->x, b[0], b[1], FIGURE__EDGE + 44, width - FIGURE__EDGE - 8, 2);
    figure__scale y = figure__scaled(&f->y, b[2], b[3], bottom, top, 0);
    figure__open(out, f, width, height);
    figure__legend(out, head, width, names, styles, n);
    figure__axis_y(out, f, &y, x.from, x.to);
    figure__axis_x(out, f, &x, top, bottom, 0);
    figure__clip(out, &x, top, bottom);
    for (size_t k = 0; k < n; k++) {
        const figure_series *s = &series[k];
        figure__color(out, (size_t)styles[k] - 1);
        if (isfinite(figure__fit(s, &base, &slope)) && !x.log && !y.log) {
            figure__bounds(s, 1, 0, 0, b);
            double y0 = figure__at(&y, base + slope * b[0]),
                   y1 = figure__at(&y, base + slope * b[1]);
            if (isfinite(y0) && isfinite(y1)) {
                fprintf(out,
                        "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"currentColor\" "
                        "stroke-width=\"1.6\" stroke-dasharray=\"%s\"/>\n",
                        figure__at(&x, b[0]), y0, figure__at(&x, b[1]), y1,
                        figure__dash[styles[k] - 1]);
            }
        }
        for (size_t i = 0; i < s->n; i++) {
            double px = figure__at(&x, s->x[i]), py = figure__at(&y, s->y[i]);
            if (isfinite(px) && isfinite(py)) {
                figure__shape(out, px, py, 4, (size_t)styles[k] - 1);
            }
        }
        fputs("</g>\n", out);
    }
    fputs("</svg>\n", out);
    figure__marks(out, f, &x, &y);
    fputs("</svg>\n", out);
}
#endif
