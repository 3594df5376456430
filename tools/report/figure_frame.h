/* figure_frame.h: what the figures of this room share: text, colours, scales, axes, legend.
 * Private to figure.c, figure_plot.c and figure_table.c. */
#ifndef FIGURE_FRAME_H
#define FIGURE_FRAME_H
#include "figure.h"

/* Attributes carry the light theme, so that programs without CSS show it too. */
#define FIGURE__INK "class=\"f-ink\" fill=\"#1f2328\""
#define FIGURE__SOFT "class=\"f-soft\" fill=\"#59636e\""
#define FIGURE__AXIS "class=\"f-axis\" stroke=\"#8b949e\""

enum { FIGURE__STYLES = 8 };

#define FIGURE__EDGE 20.0   /* white space around everything, in pixels */
#define FIGURE__WIDTH 760.0 /* width of a figure that asks for none */
#define FIGURE__NARROW 520  /* below this width, names do not fit beside the plot */

/* Maps data low..high to pixels from..to. */
typedef struct figure__scale {
    double low, high, from, to;
    int log;
} figure__scale;

typedef struct figure__axes {
    figure__scale x, y;
} figure__axes;

/* How a text is set. */
typedef struct figure__type {
    double size;        /* pixels */
    const char *anchor; /* "start", "middle" or "end" */
    const char *look;   /* attributes: FIGURE__INK, ... */
} figure__type;

/* How an axis without ends of its own is fitted to its data. */
typedef enum figure__fit {
    FIGURE__FIT_ROUND, /* widened to round numbers */
    FIGURE__FIT_EXACT, /* from the lowest to the highest value */
    FIGURE__FIT_LOOSE  /* a little room at both ends */
} figure__fit;

typedef enum figure__grid { FIGURE__NO_GRID, FIGURE__WITH_GRID } figure__grid;

extern const char *const figure__dash[FIGURE__STYLES];

double figure__min(double a, double b);
double figure__max(double a, double b);

/* Gives the index of a look, 0 to 7, from a series' style (1 to 8, or 0: by its place). */
size_t figure__style(int style, size_t place);

/* Estimates the width of a text.  System fonts differ by some 5%; the estimate is on the wide
   side. */
double figure__text_width(const char *text, double size);

void figure__text(FILE *out, double x, double y, const figure__type *type, const char *text);

/* Breaks at spaces into lines of at most `width`.  Returns how many.  out NULL: only counts. */
int figure__wrap(FILE *out, double x, double y, double width, const figure__type *type,
                 const char *text);

/* Height of title and subtitle, and of the note, each with the white space outside it. */
double figure__head(const figure *f, double width);
double figure__foot(const figure *f, double width);

/* Begins the SVG: background, title, subtitle, note. */
void figure__open(FILE *out, const figure *f, double width, double height);

/* Opens a group in the colour of a style; the caller closes it with </g>. */
void figure__color(FILE *out, size_t style);

/* A point's shape by style: circle, square, triangle, diamond. */
void figure__shape(FILE *out, double x, double y, double r, size_t style);

void figure__number(FILE *out, double v, int digits, const char *unit);

/* Gives the pixel of a value, or NaN for a gap.  What is far off the axis is moved nearer. */
double figure__pixel(const figure__scale *s, double v);

figure__scale figure__fitted(const figure_axis *axis, double low, double high, double from,
                             double to, figure__fit fit);

void figure__axis_x(FILE *out, const figure *f, const figure__scale *x, double top, double bottom,
                    figure__grid grid);
void figure__axis_y(FILE *out, const figure *f, const figure__axes *axes);

/* Draws rules and arrows.  One that is off the axes or lacks a value is left out. */
void figure__marks(FILE *out, const figure *f, const figure__axes *axes);

/* What stands before a name in the legend: a square, a point's shape or a piece of the line. */
typedef enum figure__sign { FIGURE__SQUARE, FIGURE__POINT, FIGURE__LINE } figure__sign;

/* Draws names with their colours in rows above the plot; returns their height.  styles (n) or NULL:
   by their places.  out NULL: only measures. */
double figure__legend(FILE *out, double y, double width, figure__sign sign,
                      const char *const *names, const int *styles, size_t n);
#endif
