/* figure_table.c: the figures drawn from a table: grouped bars with error bars, stacked shares, a
 * map with numbers. */
#include <math.h>
#include <string.h>
#include "figure_frame.h"

static const figure__type row_type = {12.5, "end", FIGURE__INK};
static const figure__type column_type = {12.5, "middle", FIGURE__INK};
static const figure__type label_x_type = {12.5, "middle", FIGURE__SOFT};
static const figure__type label_y_type = {12.5, "start", FIGURE__SOFT};
static const figure__type none_type = {12, "start", FIGURE__SOFT};

/* Where a cell is drawn. */
typedef struct place {
    double x, y, size;
} place;

static double names_width(const figure_table *t, double width) {
    double widest = 0;
    for (size_t i = 0; i < t->n_rows; i++)
        widest = figure__max(widest, figure__text_width(t->rows[i], row_type.size));
    return figure__min(widest, width * 0.4);
}

/* A row's name, right-aligned, its lines centred on `middle`. */
static void draw_row_name(FILE *out, const figure_table *t, size_t i, double right, double middle) {
    double room = right - FIGURE__EDGE;
    int lines = figure__wrap(NULL, 0, 0, room, &row_type, t->rows[i]);
    figure__wrap(out, right, middle + 4.3 - (lines - 1) * 8.4, room, &row_type, t->rows[i]);
}

/* The style of a cell: that of its column. */
static size_t style_of(const figure_table *t, size_t cell) {
    return cell % t->n_cols % FIGURE__STYLES;
}

static double or_nan(const double *array, size_t i) {
    return array == NULL ? NAN : array[i];
}

/* ---- bars ---- */
static void put_error_bar(FILE *out, double from, double to, double y, const char *look) {
    fprintf(out,
            "<path d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\" fill=\"none\" "
            "stroke-linecap=\"round\" %s/>\n",
            from, y, to, from, y - 4, to, y - 4, look);
}

/* On a bar the error bar gets a wider line below it, in the colour of the background. */
static void draw_error_bar(FILE *out, double from, double to, double y, int on_bar) {
    if (!on_bar) {
        put_error_bar(out, from, to, y, "stroke=\"currentColor\" stroke-width=\"1.6\"");
        return;
    }
    put_error_bar(out, from, to, y,
                  "class=\"f-under\" stroke=\"#ffffff\" stroke-width=\"4\" stroke-opacity=\"0.8\"");
    put_error_bar(out, from, to, y, "class=\"f-error\" stroke=\"#1f2328\" stroke-width=\"1.4\"");
}

static void draw_bar(FILE *out, const figure_table *t, size_t cell, const figure__scale *x,
                     const place *at) {
    const double thick = at->size;
    const double y = at->y;
    int on_bar = x->low <= 0 && x->high >= 0;
    double zero = figure__pixel(x, figure__min(figure__max(0, x->low), x->high));
    double value = figure__pixel(x, t->value[cell]);
    double middle = y + thick / 2;
    double end = value;
    if (!isfinite(value)) {
        const char *none = t->none != NULL ? t->none : "no value";
        figure__text(out, zero + 6, middle + 4, &none_type, none);
        return;
    }
    figure__color(out, style_of(t, cell));
    if (on_bar)
        fprintf(out,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"1.5\" "
                "fill=\"currentColor\"/>\n",
                figure__min(zero, value), y, fabs(value - zero), thick);
    else
        figure__shape(out, value, middle, 5, style_of(t, cell));

    double low = figure__pixel(x, or_nan(t->low, cell));
    double high = figure__pixel(x, or_nan(t->high, cell));
    if (isfinite(low) && isfinite(high)) {
        draw_error_bar(out, low, high, middle, on_bar);
        end = figure__max(end, figure__max(low, high));
    }
    fprintf(out, "</g>\n<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" " FIGURE__INK ">",
            figure__max(end, zero) + 7, middle + 4);
    figure__number(out, t->value[cell], t->digits, t->unit);
    fputs("</text>\n", out);
}

/* The lowest and the highest value, with the ends of the error bars. */
static void table_bounds(const figure_table *t, int log, double *low, double *high) {
    *low = log ? INFINITY : 0;
    *high = -INFINITY;
    for (size_t i = 0; i < t->n_rows * t->n_cols; i++) {
        double v[3] = {t->value[i], or_nan(t->low, i), or_nan(t->high, i)};
        for (int j = 0; j < 3; j++) {
            if (!isfinite(v[j]) || (log && v[j] <= 0)) continue;
            *low = figure__min(*low, v[j]);
            *high = figure__max(*high, v[j]);
        }
    }
}

/* Room above the bars of a narrow figure for the texts of its upright rules, which lie on no bar in
   a wide one. */
static double room_for_rules(const figure *f, double width) {
    if (width >= FIGURE__NARROW) return 0;
    for (size_t i = 0; i < f->n_rules; i++)
        if (f->rules[i].vertical) return 16;
    return 0;
}

void figure_bars(FILE *out, const figure *f, const figure_table *t) {
    const int with_legend = t->n_cols > 1;
    double width = f->width > 0 ? f->width : FIGURE__WIDTH;
    double thick = with_legend ? 15 : 20;
    double group = (double)t->n_cols * (thick + 2) + 12;
    double head = figure__head(f, width);
    double foot = figure__foot(f, width);
    double top = head;
    if (with_legend)
        top += figure__legend(NULL, 0, width, FIGURE__SQUARE, t->cols, NULL, t->n_cols);
    double room = room_for_rules(f, width);
    double needed = top + room + group * (double)t->n_rows + 50 + foot;
    double height = f->height > 0 ? f->height : needed;
    double bottom = height - foot - 50;
    double left = FIGURE__EDGE + names_width(t, width) + 12;
    double right = width - FIGURE__EDGE - 52;
    double low, high;
    table_bounds(t, f->x.log, &low, &high);
    figure__axes axes = {{0, 1, left, right, 0}, {0, 1, bottom, top, 0}};
    axes.x = figure__fitted(&f->x, low, high, left, right, FIGURE__FIT_ROUND);

    figure__open(out, f, width, height);
    if (with_legend)
        figure__legend(out, head, width, FIGURE__SQUARE, t->cols, NULL, t->n_cols);
    figure__axis_x(out, f, &axes.x, top, bottom, FIGURE__WITH_GRID);
    for (size_t i = 0; i < t->n_rows; i++) {
        double step = (bottom - top - room - 4) / (double)t->n_rows;
        double row = top + room + 8 + step * (double)i;
        draw_row_name(out, t, i, left - 10, row + (group - 14) / 2);
        for (size_t j = 0; j < t->n_cols; j++) {
            const place at = {left, row + (double)j * (thick + 2), thick};
            draw_bar(out, t, i * t->n_cols + j, &axes.x, &at);
        }
    }
    figure__marks(out, f, &axes);
    fputs("</svg>\n", out);
}

/* ---- shares ---- */
static double largest_sum(const figure_table *t) {
    double largest = 0;
    for (size_t i = 0; i < t->n_rows; i++) {
        double sum = 0;
        for (size_t j = 0; j < t->n_cols; j++) {
            double v = t->value[i * t->n_cols + j];
            sum += isfinite(v) ? v : 0;
        }
        largest = figure__max(largest, sum);
    }
    return largest;
}

static void draw_share(FILE *out, const figure_table *t, size_t cell, const place *at) {
    const double x = at->x;
    const double y = at->y;
    const double size = at->size;
    const size_t style = style_of(t, cell);
    static const char *const ink[FIGURE__STYLES] = {"#ffffff", "#ffffff", "#101418", "#101418",
                                                    "#101418", "#101418", "#ffffff", "#ffffff"};
    int unit = t->unit == NULL ? 0 : (int)strlen(t->unit);
    if (size > 0) {
        figure__color(out, style);
        fprintf(out,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"28\" rx=\"1.5\" "
                "fill=\"currentColor\"/></g>\n",
                x, y, figure__max(size - 1.5, 0.5));
    }
    if (size <= 12 + 7.5 * (t->digits + 2 + unit)) return; /* too narrow for its number */
    fprintf(out,
            "<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" font-weight=\"600\" "
            "text-anchor=\"middle\" "
            "class=\"f-on\" fill=\"%s\">",
            x + size / 2, y + 18.5, ink[style]);
    figure__number(out, t->value[cell], t->digits, t->unit);
    fputs("</text>\n", out);
}

void figure_shares(FILE *out, const figure *f, const figure_table *t) {
    const double row = 38;
    double width = f->width > 0 ? f->width : FIGURE__WIDTH;
    double head = figure__head(f, width);
    double legend = figure__legend(NULL, 0, width, FIGURE__SQUARE, t->cols, NULL, t->n_cols);
    double top = head + legend + 4;
    double needed = top + row * (double)t->n_rows + figure__foot(f, width);
    double left = FIGURE__EDGE + names_width(t, width) + 12;
    double largest = largest_sum(t);
    double scale = largest > 0 ? (width - FIGURE__EDGE - left) / largest : 0;

    figure__open(out, f, width, f->height > 0 ? f->height : needed);
    figure__legend(out, head, width, FIGURE__SQUARE, t->cols, NULL, t->n_cols);
    for (size_t i = 0; i < t->n_rows; i++) {
        double x = left;
        double y = top + row * (double)i;
        draw_row_name(out, t, i, left - 10, y + 14);
        for (size_t j = 0; j < t->n_cols; j++) {
            double v = t->value[i * t->n_cols + j];
            const place at = {x, y, isfinite(v) && v > 0 ? v * scale : 0};
            draw_share(out, t, i * t->n_cols + j, &at);
            x += at.size;
        }
    }
    fputs("</svg>\n", out);
}

/* ---- the map ---- */
/* Writes "#rrggbb" of a mix: 0 gives a, 1 gives b.  Returns whether dark text reads on it. */
static int mix_color(char *color, const int *a, const int *b, double t) {
    int c[3];
    for (int i = 0; i < 3; i++)
        c[i] = a[i] + (int)floor((b[i] - a[i]) * t + 0.5);
    snprintf(color, 8, "#%02x%02x%02x", (unsigned)c[0] & 255u, (unsigned)c[1] & 255u,
             (unsigned)c[2] & 255u);
    return 299 * c[0] + 587 * c[1] + 114 * c[2] > 140000; /* perceived brightness, times 1000 */
}

/* How far a cell is from the palest colour, -1 to 1; 0 where there is no telling. */
static double heat_of(const figure_table *t, double v, double low, double high) {
    double heat = (v - low) / (high - low);
    if (t->center > 0) {
        double below = fabs(log(low / t->center));
        double above = fabs(log(high / t->center));
        heat = log(v / t->center) / figure__max(below, above);
    }
    return isfinite(heat) ? figure__max(-1, figure__min(1, heat)) : 0;
}

static void draw_cell(FILE *out, const figure_table *t, double v, double heat, const place *at) {
    const double x = at->x;
    const double y = at->y;
    const double size = at->size;
    static const int pale[3] = {246, 245, 242};
    static const int good[3] = {0, 96, 160};
    static const int bad[3] = {201, 84, 0};
    char color[8];
    int light = mix_color(color, pale, heat < 0 ? bad : good, fabs(heat));
    fprintf(out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"40\" rx=\"2\" fill=\"%s\"/>\n", x,
            y, size - 2, color);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"13\" text-anchor=\"middle\" fill=\"%s\">",
            x + size / 2 - 1, y + 24.5, light ? "#1f2328" : "#ffffff");
    if (isfinite(v))
        figure__number(out, v, t->digits, t->unit);
    else
        fputs("\xE2\x80\x93", out);
    fputs("</text>\n", out);
}

void figure_map(FILE *out, const figure *f, const figure_table *t) {
    const double row = 42, widest_cell = 104;
    const double n_cols = t->n_cols > 0 ? (double)t->n_cols : 1;
    double width = f->width > 0 ? f->width : FIGURE__WIDTH;
    double left = FIGURE__EDGE + names_width(t, width) + 12;
    double top = figure__head(f, width) + 22;
    double cell = figure__min((width - FIGURE__EDGE - left) / n_cols, widest_cell);
    double bottom = top + row * (double)t->n_rows;
    double needed = bottom + 50 + figure__foot(f, width);
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < t->n_rows * t->n_cols; i++) {
        if (!isfinite(t->value[i]) || (t->center > 0 && t->value[i] <= 0)) continue;
        low = figure__min(low, t->value[i]);
        high = figure__max(high, t->value[i]);
    }

    figure__open(out, f, width, f->height > 0 ? f->height : needed);
    if (f->y.label != NULL) figure__text(out, FIGURE__EDGE, top - 10, &label_y_type, f->y.label);
    for (size_t i = 0; i < t->n_rows; i++) {
        double y = top + row * (double)i;
        draw_row_name(out, t, i, left - 10, y + 20);
        for (size_t j = 0; j < t->n_cols; j++) {
            double v = t->value[i * t->n_cols + j];
            const place at = {left + cell * (double)j, y, cell};
            draw_cell(out, t, v, heat_of(t, v, low, high), &at);
        }
    }
    for (size_t j = 0; j < t->n_cols; j++)
        figure__text(out, left + cell * ((double)j + 0.5) - 1, bottom + 16, &column_type,
                     t->cols[j]);
    if (f->x.label != NULL)
        figure__text(out, left + cell * (double)t->n_cols / 2, bottom + 40, &label_x_type,
                     f->x.label);
    fputs("</svg>\n", out);
}
