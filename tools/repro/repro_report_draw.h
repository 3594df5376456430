/* repro_report_draw.h: one figure = one SVG, one CSV with its numbers, and its place in the page.  Part of repro_report.h.
 *
 * The CSVs: series,n,AXIS,mean,low,high,paper for lines and points; row,column,value,low,high,paper for tables.  low, high: 95%. */
#ifndef REPRO_REPORT_DRAW_H
#define REPRO_REPORT_DRAW_H
#include <stdarg.h>
#include "report/page.h"
#include "report/figure.h"
#include "repro_report_data.h"

enum { CLAIMS_MOST = 64 };

typedef struct claim {
    page_verdict verdict;
    char id[64]; /* "sooner-builtin" */
    char words[80], title[200], found[900], brief[160], paper[300], falsifier[300],
        set[32]; /* brief: found, for a table */
    int part;    /* of the page */
} claim;

typedef struct draw_room {
    struct draw_room *next;
    double x[1];
} draw_room;

typedef struct findings {
    const char *dir;
    data d;
    page page;
    claim claims[CLAIMS_MOST];
    size_t n_claims;
    int part;         /* the next claims belong to */
    const char *set;  /* the set of runs that the next figures need; NULL: all */
    draw_room *rooms; /* arrays of the figures, freed at the end */
    int failed;       /* a file could not be written */
} findings;

/* ---- small things ---- */
/* (n) numbers, all NaN, until the end. */
static inline double *draw_numbers(findings *r, size_t n) {
    draw_room *room = (draw_room *)must_have(malloc(sizeof *room + n * sizeof room->x[0]));
    room->next = r->rooms;
    r->rooms = room;
    for (size_t i = 0; i < n; i++) {
        room->x[i] = NAN;
    }
    return room->x;
}

/* Appends to a text of a fixed size; what has no place is cut. */
static inline void draw_say(char *text, size_t size, const char *format, ...) {
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    if (used + 1 < size) {
        (void)vsnprintf(text + used, size - used, format, args);
    }
    va_end(args);
}

#define SAY(text, ...) draw_say(text, sizeof(text), __VA_ARGS__)

static inline void draw_dash(char *text, size_t size) {
    snprintf(text, size, "\xE2\x80\x93");
}

static inline FILE *draw_open(findings *r, const char *name, const char *ending) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s%s", r->dir, name, ending);
    FILE *out = fopen(path, "wb");
    if (out == NULL) {
        fprintf(stderr, "%s: cannot be written\n", path);
        r->failed = 1;
    }
    return out;
}

static inline void draw_close(findings *r, FILE *out, const char *name) {
    int wrong = ferror(out);
    if (fclose(out) != 0 || wrong) {
        fprintf(stderr, "%s/%s: could not be written whole\n", r->dir, name);
        r->failed = 1;
    }
}

/* "loss (nats per byte)": the unit is the corpus' token. */
static inline const char *draw_loss_label(const char *corpus, int target) {
    int bytes = strcmp(corpus, "builtin") == 0;
    return target  ? bytes ? "target loss (nats per byte)" : "target loss (nats per token)"
           : bytes ? "loss (nats per byte)"
                   : "loss (nats per token)";
}

/* For the middle of a sentence, or (title) for its beginning. */
static inline const char *draw_corpus_name(const char *corpus, int title) {
    static const char *const names[][3] = {
        {"builtin", "the built-in corpus", "Built-in corpus"},
        {"openstax", "OpenStax textbooks", "OpenStax textbooks"},
        {"gsm8k", "OpenStax mixed with GSM8K", "OpenStax mixed with GSM8K"},
        {"user", "your corpus", "Your corpus"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(corpus, names[i][0]) == 0) {
            return names[i][title ? 2 : 1];
        }
    }
    return corpus;
}

/* style: the same look in every figure; two arms that share one are never in the same figure. */
static const struct {
    const char *arm, *name;
    int style;
} draw_arms[] = {{"clm", "Plain (CLM)", 1},
                 {"slm", "Selective (SLM)", 2},
                 {"slm_sequence", "SLM, ranked per sequence", 5},
                 {"random", "Random", 3},
                 {"loss", "Highest own loss", 4},
                 {"ref", "Lowest reference loss", 6},
                 {"entropy", "Lowest reference entropy", 7},
                 {"intersect", "Low reference loss and entropy", 3},
                 {"union", "Low reference loss or entropy", 4},
                 {"oracle", "Oracle mask (known truth)", 3},
                 {"filtered", "CLM, noise removed", 4},
                 {"mixed", "CLM, clean text mixed in", 5},
                 {"clm_tuned", "CLM, then clean text", 6},
                 {"slm_tuned", "SLM, then clean text", 7},
                 {"null_reference", "SLM, null reference", 8},
                 {"reference", "The reference itself", 8},
                 {"base", "The base", 1}};

/* "selective (SLM) 40%" */
static inline const char *draw_label(char *text, size_t size, const data_group *g) {
    const char *name = g->arm;
    for (size_t i = 0; i < sizeof draw_arms / sizeof draw_arms[0]; i++) {
        if (strcmp(g->arm, draw_arms[i].arm) == 0) {
            name = draw_arms[i].name;
        }
    }
    snprintf(text, size, g->ratio > 0 && g->ratio < 1 ? "%s %.0f%%" : "%s", name, 100 * g->ratio);
    return text;
}

static inline int draw_style(const char *arm) {
    for (size_t i = 0; i < sizeof draw_arms / sizeof draw_arms[0]; i++) {
        if (strcmp(arm, draw_arms[i].arm) == 0) {
            return draw_arms[i].style;
        }
    }
    return 0;
}

/* A number without "-0.0". */
static inline const char *draw_fixed(char *text, size_t size, double v, int digits) {
    snprintf(text, size, "%.*f", digits, v);
    if (text[0] == '-' && strspn(text + 1, "0.") == strlen(text + 1)) {
        memmove(text, text + 1, strlen(text));
    }
    return text;
}

/* ---- figures ---- */
static inline void draw__series_csv(FILE *out, const figure_series *s, const char *axis,
                                    const double *paper, int header) {
    if (header) {
        fprintf(out, "series,n,%s,mean,low,high,paper\n", axis);
    }
    for (size_t i = 0; i < s->n; i++) {
        double v[5], mean, low, high;
        size_t runs = figure_mean(s, i, &mean, &low, &high);
        v[0] = s->x[i];
        v[1] = mean;
        v[2] = low;
        v[3] = high;
        v[4] = paper == NULL ? NAN : paper[i];
        csv_write(out, s->name);
        fprintf(out, ",%zu", runs);
        for (int j = 0; j < 5; j++) {
            fputc(',', out);
            csv_write_number(out, v[j]);
        }
        fputc('\n', out);
    }
}

static inline void draw__table_csv(FILE *out, const figure_table *t, const double *paper) {
    fputs("row,column,value,low,high,paper\n", out);
    for (size_t i = 0; i < t->n_rows * t->n_cols; i++) {
        csv_write(out, t->rows[i / t->n_cols]);
        fputc(',', out);
        csv_write(out, t->cols[i % t->n_cols]);
        fputc(',', out);
        csv_write_number(out, t->value[i]);
        fputc(',', out);
        csv_write_number(out, t->low == NULL ? NAN : t->low[i]);
        fputc(',', out);
        csv_write_number(out, t->high == NULL ? NAN : t->high[i]);
        fputc(',', out);
        csv_write_number(out, paper == NULL ? NAN : paper[i]);
        fputc('\n', out);
    }
}

/* The command that makes a figure or decides a claim: the runs of one set, then the report. */
static inline const char *draw_command(char *text, size_t size, const char *set) {
    snprintf(text, size,
             set == NULL ? "make repro%s"
                         : "build/reproduce run --only %s && build/reproduce report",
             set == NULL ? "" : set);
    return text;
}

static inline void draw__place(findings *r, const char *name, const char *caption) {
    char csv[128], command[160];
    snprintf(csv, sizeof csv, "%s.csv", name);
    page_figure_end(&r->page, caption, draw_command(command, sizeof command, r->set), csv);
}

typedef void draw_plot(FILE *out, const figure *f, const figure_series *series, size_t n);
typedef void draw_chart(FILE *out, const figure *f, const figure_table *t);

/* plot: figure_lines or figure_points.  axis: the name of x in the CSV.  paper NULL, or for each series the paper's values at its
   points, or NULL. */
static inline void draw_series(findings *r, draw_plot *plot, const char *name, const figure *f,
                               const figure_series *series, size_t n, const char *axis,
                               const double *const *paper, const char *caption) {
    FILE *out = draw_open(r, name, ".svg");
    if (out != NULL) {
        plot(out, f, series, n);
        draw_close(r, out, name);
    }
    out = draw_open(r, name, ".csv");
    for (size_t k = 0; out != NULL && k < n; k++) {
        draw__series_csv(out, &series[k], axis, paper == NULL ? NULL : paper[k], k == 0);
    }
    if (out != NULL) {
        draw_close(r, out, name);
    }
    page_figure_begin(&r->page);
    plot(r->page.out, f, series, n);
    draw__place(r, name, caption);
}

/* chart: figure_bars, figure_shares or figure_map.  paper (rows x cols) or NULL. */
static inline void draw_table(findings *r, draw_chart *chart, const char *name, const figure *f,
                              const figure_table *t, const double *paper, const char *caption) {
    FILE *out = draw_open(r, name, ".svg");
    if (out != NULL) {
        chart(out, f, t);
        draw_close(r, out, name);
    }
    out = draw_open(r, name, ".csv");
    if (out != NULL) {
        draw__table_csv(out, t, paper);
        draw_close(r, out, name);
    }
    page_figure_begin(&r->page);
    chart(r->page.out, f, t);
    draw__place(r, name, caption);
}

/* A point at which at least one seed has a value. */
static inline int draw__has_point(const findings *r, const data_group *g, size_t i, data_column y) {
    for (size_t k = 0; k < g->n; k++) {
        if (isfinite(data_at(&r->d, &g->run[k], i, y))) {
            return 1;
        }
    }
    return 0;
}

/* A group's curve of column y over column x: one row per seed; x is the mean over the seeds; points that no seed has measured are
   left out.  label: room for the name. */
static inline figure_series draw_curve(findings *r, const data_group *g, data_column x,
                                       data_column y, char *label, size_t size) {
    figure_series s;
    memset(&s, 0, sizeof s);
    s.name = draw_label(label, size, g);
    s.style = draw_style(g->arm);
    s.runs = g->n;
    size_t points = 0, p = 0;
    for (size_t k = 0; k < g->n; k++) {
        points = k == 0 || g->run[k].n < points ? g->run[k].n : points;
    }
    for (size_t i = 0; i < points; i++) {
        s.n += (size_t)draw__has_point(r, g, i, y);
    }
    double *at = draw_numbers(r, s.n + 1), *value = draw_numbers(r, s.n * s.runs + 1),
           every[STATS_SEEDS];
    for (size_t i = 0; i < points; i++) {
        if (!draw__has_point(r, g, i, y)) {
            continue;
        }
        for (size_t k = 0; k < g->n; k++) {
            every[k] = data_at(&r->d, &g->run[k], i, x);
            value[k * s.n + p] =
                data_at(&r->d, &g->run[k], i, y) * (y == TARGET_ACCURACY ? 100 : 1);
        }
        at[p++] = stats_mean(every, g->n);
    }
    s.x = at;
    s.y = value;
    return s;
}

/* The paper's value at a series' last point; no others. */
static inline const double *draw_last(findings *r, const figure_series *s, double value) {
    double *paper = draw_numbers(r, s->n + 1);
    if (s->n > 0) {
        paper[s->n - 1] = value;
    }
    return paper;
}

static inline int draw_has(const figure_series *s) {
    for (size_t i = 0; i < s->n * s->runs; i++) {
        if (isfinite(s->y[i]) && isfinite(s->x[i % s->n])) {
            return 1;
        }
    }
    return 0;
}

static inline void draw_missing(findings *r, const char *what, const char *why) {
    char text[400];
    snprintf(text, sizeof text, "Left out: %s. %s", what, why);
    page_text(&r->page, text);
}
#endif
