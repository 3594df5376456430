/* figure.h: figures as SVG that can be read on their own: lines, bars, shares, a map with numbers,
 * points with a fitted line.
 *
 *     figure f = { .title = "Target loss", .x = { .label = "tokens" }, .y = { .label = "nats" } };
 *     figure_series s[2] = { { .name = "CLM", .x = x, .y = clm, .n = n, .runs = 5 }, ... };
 *     figure_lines(out, &f, s, 2);
 *
 * Arrays stay the caller's, NaN is a gap, and a field left zero means its default.  Every figure
 * has its own background, follows light and dark, and tells series apart by colour (Okabe and
 * Ito's, which the colour-blind can tell apart) and by dash or shape.  Nothing is kept between
 * calls, so the same input gives the same bytes.  Uses libc and libm only. */
#ifndef FIGURE_H
#define FIGURE_H
#include <stddef.h>
#include <stdio.h>

enum { FIGURE_MAX_SERIES = 16 };

typedef struct figure_axis {
    const char *label; /* with its unit: "target loss (nats per byte)" */
    double low, high;  /* ends of the axis; if equal, they are taken from the data */
    int log;           /* 1: logarithmic; values that are not above zero are gaps */
} figure_axis;

typedef struct figure_arrow {
    double x0, y0, x1, y1; /* in data units; the head is at 1 */
    const char *text;
    int below; /* 1: the text goes below the arrow */
} figure_arrow;

/* A dotted line across the plot, at a value of y or, if vertical, of x. */
typedef struct figure_rule {
    double value;
    int vertical;
    const char *text;
} figure_rule;

typedef struct figure {
    const char *title;    /* what the figure shows */
    const char *subtitle; /* how to read it */
    const char *note;     /* small print below: seeds, source */
    figure_axis x, y;
    const figure_arrow *arrows;
    size_t n_arrows;
    const figure_rule *rules;
    size_t n_rules;
    double width, height; /* pixels; 0: 760, and what the content needs */
} figure;

/* With two runs or more: thin lines, their mean and its 95% interval (Student's t). */
typedef struct figure_series {
    const char *name;
    const double *x, *y;      /* (n), (runs x n): one row per seed */
    size_t n, runs;           /* runs 0 means 1 */
    const double *low, *high; /* (n) or NULL: the caller's own interval, e.g. from a bootstrap */
    int style;                /* 1 to 8: colour, dash and shape; 0: by its place in the list */
} figure_series;

typedef struct figure_table {
    const char *const *rows, *const *cols;
    size_t n_rows, n_cols;
    const double *value;      /* (n_rows x n_cols) */
    const double *low, *high; /* (n_rows x n_cols) or NULL: error bars */
    int digits;               /* how numbers are written: 1 and "x" give 3.2x */
    const char *unit;
    double center;    /* map: if above 0, two-sided colours around it by ratio (speed-up: 1) */
    const char *none; /* bars: the text where there is no value; NULL: "no value" */
} figure_table;

/* Draws at most FIGURE_MAX_SERIES series. */
void figure_lines(FILE *out, const figure *f, const figure_series *series, size_t n);

/* Draws points with their least-squares lines and correlations. */
void figure_points(FILE *out, const figure *f, const figure_series *series, size_t n);

/* Draws a group of bars per row, or dots if 0 is off the axis. */
void figure_bars(FILE *out, const figure *f, const figure_table *t);

/* Draws one stacked bar per row. */
void figure_shares(FILE *out, const figure *f, const figure_table *t);

/* Draws the table itself, coloured. */
void figure_map(FILE *out, const figure *f, const figure_table *t);

/* Gives the mean over the runs at point i and the mean's 95% interval.  Returns how many runs have
   a value there. */
size_t figure_mean(const figure_series *s, size_t i, double *mean, double *low, double *high);
#endif
