/* figure_plot.c: the figures drawn from series: lines with their seeds and intervals, points with
 * least-squares lines. */
#include <math.h>
#include "figure_frame.h"

static const figure__type name_type = {12.5, "start", FIGURE__INK};

/* Ends of the data on both axes. */
typedef struct bounds {
    double x_low, x_high, y_low, y_high;
} bounds;

/* What a line is drawn through: the mean over the runs, or one run. */
enum { MEAN_OF_RUNS = -1 };

static size_t n_runs(const figure_series *s) {
    return s->runs == 0 ? 1 : s->runs;
}

/* 97.5% quantile of Student's t. */
static double student_t(size_t degrees_of_freedom) {
    static const double t[11] = {0,     12.706, 4.303, 3.182, 2.776, 2.571,
                                 2.447, 2.365,  2.306, 2.262, 2.228};
    return degrees_of_freedom <= 10 ? t[degrees_of_freedom]
                                    : 1.96 + 2.6 / (double)degrees_of_freedom;
}

size_t figure_mean(const figure_series *s, size_t i, double *mean, double *low, double *high) {
    size_t n = 0;
    double sum = 0, squares = 0;
    *mean = *low = *high = NAN;
    for (size_t r = 0; r < n_runs(s); r++) {
        double y = s->y[r * s->n + i];
        if (!isfinite(y)) continue;
        sum += y;
        n++;
    }
    if (n == 0) return 0;
    *mean = sum / (double)n;

    for (size_t r = 0; r < n_runs(s); r++) {
        double d = s->y[r * s->n + i] - *mean;
        if (isfinite(d)) squares += d * d;
    }
    if (n > 1) {
        double half = student_t(n - 1) * sqrt(squares / (double)(n - 1) / (double)n);
        *low = *mean - half;
        *high = *mean + half;
    }
    if (s->low != NULL && s->high != NULL) {
        *low = s->low[i];
        *high = s->high[i];
    }
    return n;
}

static void include_y(bounds *b, double y, int log_y) {
    if (!isfinite(y) || (log_y && y <= 0)) return;
    b->y_low = figure__min(b->y_low, y);
    b->y_high = figure__max(b->y_high, y);
}

static bounds bounds_of(const figure_series *series, size_t n, int log_x, int log_y) {
    bounds b = {INFINITY, -INFINITY, INFINITY, -INFINITY};
    for (size_t k = 0; k < n; k++) {
        const figure_series *s = &series[k];
        for (size_t i = 0; i < s->n * n_runs(s); i++) {
            double x = s->x[i % s->n];
            if (!isfinite(x) || !isfinite(s->y[i]) || (log_x && x <= 0)) continue;
            b.x_low = figure__min(b.x_low, x);
            b.x_high = figure__max(b.x_high, x);
            include_y(&b, s->y[i], log_y);
            if (s->low == NULL || s->high == NULL || i >= s->n) continue;
            include_y(&b, s->low[i], log_y);
            include_y(&b, s->high[i], log_y);
        }
    }
    return b;
}

/* ---- lines ---- */
/* A path through the points of a run, or of the mean, broken at gaps. */
static void draw_line(FILE *out, const figure_series *s, int run, const figure__axes *axes,
                      const char *look) {
    int pen_down = 0;
    fputs("<path d=\"", out);
    for (size_t i = 0; i < s->n; i++) {
        double v, low, high;
        if (run == MEAN_OF_RUNS)
            figure_mean(s, i, &v, &low, &high);
        else
            v = s->y[(size_t)run * s->n + i];
        double px = figure__pixel(&axes->x, s->x[i]);
        double py = figure__pixel(&axes->y, v);
        if (!isfinite(px) || !isfinite(py)) {
            pen_down = 0;
            continue;
        }
        fprintf(out, pen_down ? "L%.1f %.1f" : "M%.1f %.1fh0", px, py);
        pen_down = 1;
    }
    fprintf(out,
            "\" fill=\"none\" stroke=\"currentColor\" stroke-linejoin=\"round\" "
            "stroke-linecap=\"round\" %s/>\n",
            look);
}

/* The interval's pixels at a point; px NaN: a gap. */
typedef struct interval {
    double px, top, bottom;
} interval;

static interval interval_at(const figure_series *s, size_t i, const figure__axes *axes) {
    interval out;
    double mean, low, high;
    figure_mean(s, i, &mean, &low, &high);
    if (axes->y.log && low <= 0) low = axes->y.low;
    out.px = figure__pixel(&axes->x, s->x[i]);
    out.top = figure__pixel(&axes->y, high);
    out.bottom = figure__pixel(&axes->y, low);
    if (!isfinite(low) || !isfinite(out.top)) out.px = NAN;
    return out;
}

/* The interval as an area: each stretch without gaps forth along the top, back along the bottom. */
static void draw_band(FILE *out, const figure_series *s, const figure__axes *axes) {
    size_t i = 0;
    fputs("<path d=\"", out);
    while (i < s->n) {
        size_t first = i;
        for (; i < s->n; i++) {
            interval at = interval_at(s, i, axes);
            if (!isfinite(at.px)) break;
            fprintf(out, "%s%.1f %.1f", i == first ? "M" : "L", at.px, at.top);
        }
        for (size_t j = i; j-- > first;) {
            interval at = interval_at(s, j, axes);
            fprintf(out, "L%.1f %.1f%s", at.px, at.bottom, j == first ? "z" : "");
        }
        i++;
    }
    fputs("\" fill=\"currentColor\" fill-opacity=\"0.16\" stroke=\"none\"/>\n", out);
}

static void draw_series(FILE *out, const figure_series *s, size_t style, const figure__axes *axes) {
    enum { MAX_MARKED_POINTS = 16 };

    char look[96];
    figure__color(out, style);
    draw_band(out, s, axes);
    for (size_t r = 0; s->runs > 1 && r < s->runs; r++)
        draw_line(out, s, (int)r, axes, "stroke-width=\"0.9\" stroke-opacity=\"0.45\"");
    snprintf(look, sizeof look, "stroke-width=\"2.4\" stroke-dasharray=\"%s\"",
             figure__dash[style]);
    draw_line(out, s, MEAN_OF_RUNS, axes, look);

    for (size_t i = 0; s->n <= MAX_MARKED_POINTS && i < s->n; i++) {
        double mean, low, high;
        if (figure_mean(s, i, &mean, &low, &high) == 0) continue;
        double px = figure__pixel(&axes->x, s->x[i]);
        double py = figure__pixel(&axes->y, mean);
        if (isfinite(px) && isfinite(py)) figure__shape(out, px, py, 3.8, style);
    }
    fputs("</g>\n", out);
}

/* The last point of a series that has a mean. */
static void last_point(const figure_series *s, const figure__axes *axes, double *px, double *py) {
    double mean, low, high;
    *px = *py = NAN;
    for (size_t i = s->n; i-- > 0 && !isfinite(*py);) {
        figure_mean(s, i, &mean, &low, &high);
        *px = figure__pixel(&axes->x, s->x[i]);
        *py = figure__pixel(&axes->y, mean);
    }
}

/* Names at the right, beside the ends of their lines: sorted by height, and pushed apart where they
   would touch. */
static void draw_labels(FILE *out, const figure_series *series, size_t n,
                        const figure__axes *axes) {
    const figure__scale *x = &axes->x;
    const figure__scale *y = &axes->y;
    const double line = 18;
    double px[FIGURE_MAX_SERIES], py[FIGURE_MAX_SERIES], text_y[FIGURE_MAX_SERIES];
    size_t order[FIGURE_MAX_SERIES];
    size_t used = 0;
    for (size_t k = 0; k < n; k++) {
        last_point(&series[k], axes, &px[k], &py[k]);
        if (!isfinite(px[k]) || !isfinite(py[k])) continue;
        size_t j = used++;
        for (; j > 0 && py[order[j - 1]] > py[k]; j--)
            order[j] = order[j - 1];
        order[j] = k;
    }

    for (size_t j = 0; j < used; j++) {
        text_y[j] = figure__max(py[order[j]], y->to + 4);
        if (j > 0) text_y[j] = figure__max(text_y[j], text_y[j - 1] + line);
    }
    for (size_t j = used; j-- > 0;)
        text_y[j] = figure__min(text_y[j], j + 1 == used ? y->from : text_y[j + 1] - line);

    for (size_t j = 0; j < used; j++) {
        size_t k = order[j];
        size_t style = figure__style(series[k].style, k);
        figure__color(out, style);
        fprintf(out,
                "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"currentColor\" "
                "stroke-opacity=\"0.5\"/>\n",
                px[k] + 5, py[k], x->to + 12, text_y[j]);
        fprintf(out,
                "<path d=\"M%.1f %.1fh22\" stroke=\"currentColor\" stroke-width=\"2.4\" "
                "stroke-dasharray=\"%s\"/>\n</g>\n",
                x->to + 14, text_y[j], figure__dash[style]);
        figure__text(out, x->to + 41, text_y[j] + 4, &name_type, series[k].name);
    }
}

/* Begins an inner svg that clips what leaves the axes; its viewBox keeps the outer coordinates. */
static void open_clip(FILE *out, const figure__scale *x, double top, double bottom) {
    const double room = 6;
    double left = x->from - room;
    double above = top - room;
    double width = x->to - x->from + 2 * room;
    double height = bottom - top + 2 * room;
    fprintf(out,
            "<svg x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" viewBox=\"%.1f %.1f %.1f "
            "%.1f\">\n",
            left, above, width, height, left, above, width, height);
}

/* The height of a figure.  A narrow one, whose title and legend take more lines, keeps that of its
   plot. */
static double height_of(const figure *f, double width, double around) {
    const double usual = 430, plot = 220;
    if (width < FIGURE__NARROW) return around + plot;
    return f->height > 0 ? f->height : usual;
}

/* The names of series and their styles, as the legend wants them. */
typedef struct series_names {
    const char *name[FIGURE_MAX_SERIES];
    int style[FIGURE_MAX_SERIES];
    double widest; /* pixels */
} series_names;

static series_names names_of(const figure_series *series, size_t n) {
    series_names out = {.widest = 0};
    for (size_t k = 0; k < n; k++) {
        out.name[k] = series[k].name;
        out.style[k] = (int)figure__style(series[k].style, k) + 1;
        out.widest = figure__max(out.widest, figure__text_width(out.name[k], name_type.size));
    }
    return out;
}

void figure_lines(FILE *out, const figure *f, const figure_series *series, size_t n) {
    double width = f->width > 0 ? f->width : FIGURE__WIDTH;
    int narrow = width < FIGURE__NARROW; /* the names go above the plot, not beside it */
    double beside = 0;
    double above = 0;
    n = n > FIGURE_MAX_SERIES ? FIGURE_MAX_SERIES : n;
    series_names names = names_of(series, n);
    double head = figure__head(f, width);
    if (n > 0 && narrow)
        above = figure__legend(NULL, 0, width, FIGURE__LINE, names.name, names.style, n);
    else if (n > 0)
        beside = figure__min(names.widest, width / 3) + 42;

    double top = head + above + 26;
    double below = figure__foot(f, width) + 46;
    double height = height_of(f, width, top + below);
    double bottom = height - below;
    double left = FIGURE__EDGE + 44;
    double right = width - FIGURE__EDGE - beside;
    bounds b = bounds_of(series, n, f->x.log, f->y.log);
    figure__axes axes;
    axes.x = figure__fitted(&f->x, b.x_low, b.x_high, left, right, FIGURE__FIT_EXACT);
    axes.y = figure__fitted(&f->y, b.y_low, b.y_high, bottom, top, FIGURE__FIT_ROUND);

    figure__open(out, f, width, height);
    if (above > 0)
        figure__legend(out, head, width, FIGURE__LINE, names.name, names.style, n);
    figure__axis_y(out, f, &axes);
    figure__axis_x(out, f, &axes.x, top, bottom, FIGURE__NO_GRID);
    open_clip(out, &axes.x, top, bottom);
    for (size_t k = 0; k < n; k++)
        draw_series(out, &series[k], figure__style(series[k].style, k), &axes);
    fputs("</svg>\n", out);
    if (!narrow) draw_labels(out, series, n, &axes);
    figure__marks(out, f, &axes);
    fputs("</svg>\n", out);
}

/* ---- points ---- */
/* Least squares through the finite points: y = base + slope x.  Returns Pearson's r, or NaN. */
static double fit_line(const figure_series *s, double *base, double *slope) {
    double n = 0, mx = 0, my = 0, xx = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!isfinite(s->x[i]) || !isfinite(s->y[i])) continue;
        n++;
        mx += s->x[i];
        my += s->y[i];
    }
    mx /= n;
    my /= n;
    for (size_t i = 0; i < s->n; i++) {
        double dx = s->x[i] - mx;
        double dy = s->y[i] - my;
        if (!isfinite(dx) || !isfinite(dy)) continue;
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    *slope = xy / xx;
    *base = my - *slope * mx;
    return xy / sqrt(xx * yy);
}

static void name_with_correlation(const figure_series *s, char *text, size_t size) {
    double base, slope;
    double r = fit_line(s, &base, &slope);
    if (isfinite(r))
        snprintf(text, size, "%.70s (r = %s%.2f)", s->name, r < 0 ? "\xE2\x88\x92" : "", fabs(r));
    else
        snprintf(text, size, "%.70s", s->name);
}

static void draw_fit(FILE *out, const figure_series *s, size_t style, const figure__axes *axes) {
    double base, slope;
    const figure__scale *x = &axes->x;
    const figure__scale *y = &axes->y;
    if (!isfinite(fit_line(s, &base, &slope)) || x->log || y->log) return;
    bounds b = bounds_of(s, 1, 0, 0);
    double y0 = figure__pixel(y, base + slope * b.x_low);
    double y1 = figure__pixel(y, base + slope * b.x_high);
    if (!isfinite(y0) || !isfinite(y1)) return;
    fprintf(out,
            "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"currentColor\" stroke-width=\"1.6\" "
            "stroke-dasharray=\"%s\"/>\n",
            figure__pixel(x, b.x_low), y0, figure__pixel(x, b.x_high), y1, figure__dash[style]);
}

static void draw_cloud(FILE *out, const figure_series *s, size_t style, const figure__axes *axes) {
    figure__color(out, style);
    draw_fit(out, s, style, axes);
    for (size_t i = 0; i < s->n; i++) {
        double px = figure__pixel(&axes->x, s->x[i]);
        double py = figure__pixel(&axes->y, s->y[i]);
        if (isfinite(px) && isfinite(py)) figure__shape(out, px, py, 4, style);
    }
    fputs("</g>\n", out);
}

void figure_points(FILE *out, const figure *f, const figure_series *series, size_t n) {
    double width = f->width > 0 ? f->width : FIGURE__WIDTH;
    char text[FIGURE_MAX_SERIES][96];
    const char *names[FIGURE_MAX_SERIES];
    int styles[FIGURE_MAX_SERIES];
    n = n > FIGURE_MAX_SERIES ? FIGURE_MAX_SERIES : n;
    for (size_t k = 0; k < n; k++) {
        name_with_correlation(&series[k], text[k], sizeof text[k]);
        names[k] = text[k];
        styles[k] = (int)figure__style(series[k].style, k) + 1;
    }

    double head = figure__head(f, width);
    double top = head + figure__legend(NULL, 0, width, FIGURE__POINT, names, styles, n) + 26;
    double below = figure__foot(f, width) + 46;
    double height = height_of(f, width, top + below);
    double bottom = height - below;
    double left = FIGURE__EDGE + 44;
    double right = width - FIGURE__EDGE - 8;
    bounds b = bounds_of(series, n, f->x.log, f->y.log);
    figure__axes axes;
    axes.x = figure__fitted(&f->x, b.x_low, b.x_high, left, right, FIGURE__FIT_LOOSE);
    axes.y = figure__fitted(&f->y, b.y_low, b.y_high, bottom, top, FIGURE__FIT_ROUND);

    figure__open(out, f, width, height);
    figure__legend(out, head, width, FIGURE__POINT, names, styles, n);
    figure__axis_y(out, f, &axes);
    figure__axis_x(out, f, &axes.x, top, bottom, FIGURE__NO_GRID);
    open_clip(out, &axes.x, top, bottom);
    for (size_t k = 0; k < n; k++)
        draw_cloud(out, &series[k], (size_t)styles[k] - 1, &axes);
    fputs("</svg>\n", out);
    figure__marks(out, f, &axes);
    fputs("</svg>\n", out);
}
