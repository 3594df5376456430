/* draw.c: names and labels; one figure = one SVG, one CSV with its numbers, and its place in the
 * page.
 *
 * The CSVs have the columns series,n,AXIS,mean,low,high,paper for lines and points, and
 * row,column,value,low,high,paper for tables.  low and high are 95%. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "csv_out.h"
#include "findings.h"

/* ---- memory, texts, files ---- */
struct numbers {
    struct numbers *next;
    double x[1];
};

double *new_numbers(findings *all, size_t n) {
    struct numbers *room = (struct numbers *)malloc(sizeof *room + n * sizeof room->x[0]);
    if (room == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(4);
    }
    room->next = all->rooms;
    all->rooms = room;
    for (size_t i = 0; i < n; i++)
        room->x[i] = NAN;
    return room->x;
}

void free_numbers(findings *all) {
    while (all->rooms != NULL) {
        struct numbers *next = all->rooms->next;
        free(all->rooms);
        all->rooms = next;
    }
}

void append_text(char *text, size_t size, const char *format, ...) {
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    if (used + 1 < size) (void)vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

FILE *open_output(findings *all, const char *name, const char *ending) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s%s", all->dir, name, ending);
    FILE *out = fopen(path, "wb");
    if (out == NULL) {
        fprintf(stderr, "%s: cannot be written\n", path);
        all->failed = 1;
    }
    return out;
}

void close_output(findings *all, FILE *out, const char *name, const char *ending) {
    int failed = ferror(out);
    if (fclose(out) == 0 && !failed) return;
    fprintf(stderr, "%s/%s%s: could not be written whole\n", all->dir, name, ending);
    all->failed = 1;
}

const char *command_of(char *text, size_t size, const char *set) {
    if (set == NULL)
        snprintf(text, size, "make repro");
    else
        snprintf(text, size, "build/reproduce run --only %s && build/reproduce report", set);
    return text;
}

/* ---- names ---- */
const char *const corpora[N_CORPORA] = {"builtin", "openstax", "gsm8k", "user"};

const char *corpus_name(const char *corpus, name_place place) {
    static const char *const names[N_CORPORA][2] = {
        {"the built-in corpus", "Built-in corpus"},
        {"OpenStax textbooks", "OpenStax textbooks"},
        {"OpenStax mixed with GSM8K", "OpenStax mixed with GSM8K"},
        {"your corpus", "Your corpus"}};
    for (size_t i = 0; i < N_CORPORA; i++)
        if (strcmp(corpus, corpora[i]) == 0) return names[i][place];
    return corpus;
}

const char *loss_label(const char *corpus) {
    return strcmp(corpus, "builtin") == 0 ? "loss (nats per byte)" : "loss (nats per token)";
}

const char *metric_label(const char *corpus, data_column metric) {
    if (metric == TARGET_ACCURACY) return "probability of a right result (%)";
    return strcmp(corpus, "builtin") == 0 ? "target loss (nats per byte)"
                                          : "target loss (nats per token)";
}

double metric_scale(data_column metric) {
    return metric == TARGET_ACCURACY ? 100 : 1;
}

data_column best_metric(const findings *all, const char *corpus) {
    return data_has_accuracy(&all->d, corpus) ? TARGET_ACCURACY : TARGET_LOSS;
}

/* In the order in which arms are told.  style: the same look in every figure; two arms that share
   one are never in the same figure. */
static const struct {
    const char *arm, *name;
    int style;
} arms[] = {{"clm", "Plain (CLM)", 1},
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

enum { N_ARMS = sizeof arms / sizeof arms[0] };

/* N_ARMS if it is not in the table. */
static size_t arm_index(const char *arm) {
    size_t i = 0;
    while (i < N_ARMS && strcmp(arm, arms[i].arm) != 0)
        i++;
    return i;
}

const char *plural(size_t n) {
    return n == 1 ? "" : "s";
}

const char *arm_label(char *text, size_t size, const data_group *g) {
    size_t i = arm_index(g->arm);
    const char *name = i < N_ARMS ? arms[i].name : g->arm;
    if (g->ratio > 0 && g->ratio < 1)
        snprintf(text, size, "%s %.0f%%", name, 100 * g->ratio);
    else
        snprintf(text, size, "%s", name);
    return text;
}

int arm_style(const char *arm) {
    size_t i = arm_index(arm);
    return i < N_ARMS ? arms[i].style : 0;
}

int is_measure_only(const data_group *g) {
    return strcmp(g->arm, "reference") == 0 || strcmp(g->arm, "base") == 0;
}

size_t main_groups(const findings *all, const char *corpus, const data_group **list, size_t max) {
    size_t n = 0;
    for (size_t a = 0; a < N_ARMS; a++)
        for (size_t i = 0; i < all->d.n_groups && n < max; i++)
            if (data_is(&all->d.group[i], corpus, "main", arms[a].arm))
                list[n++] = &all->d.group[i];
    return n;
}

const char *sooner_text(char *text, size_t size, const sooner *s, int digits) {
    *text = '\0';
    if (s->seeds == 0) {
        append_text(text, size, "%s",
                    s->at_once > 0 ? "plain ends no better than it began" : "\xE2\x80\x93");
        return text;
    }
    if (!isfinite(s->e.value)) {
        append_text(text, size, "not reached (%zu of %zu seeds)", s->reached, s->seeds);
        return text;
    }
    append_text(text, size, "%.*fx", digits, s->e.value);
    if (s->seeds > 1) append_text(text, size, " [%.*f, %.*f]", digits, s->e.low, digits, s->e.high);
    if (s->reached < s->seeds)
        append_text(text, size, ", %zu of %zu seeds reach it", s->reached, s->seeds);
    return text;
}

/* ---- curves ---- */
/* Whether any seed has a value at the point. */
static int has_point(const findings *all, const data_group *g, size_t point, data_column y) {
    for (size_t k = 0; k < g->n; k++)
        if (isfinite(data_at(&all->d, &g->run[k], point, y))) return 1;
    return 0;
}

static size_t shortest_run(const data_group *g) {
    size_t points = g->n > 0 ? g->run[0].n : 0;
    for (size_t k = 1; k < g->n; k++)
        if (g->run[k].n < points) points = g->run[k].n;
    return points;
}

int keep_series(curve_set *set) {
    const figure_series *s = &set->series[set->n];
    for (size_t i = 0; i < s->n * s->runs; i++) {
        if (!isfinite(s->y[i]) || !isfinite(s->x[i % s->n])) continue;
        set->paper[set->n++] = NULL;
        return 1;
    }
    return 0;
}

int add_curve(findings *all, curve_set *set, const data_group *g, data_column x, data_column y,
              size_t points) {
    figure_series *s = &set->series[set->n];
    size_t shortest = shortest_run(g);
    size_t used = 0;
    if (set->n == FIGURE_MAX_SERIES) return 0;
    memset(s, 0, sizeof *s);
    s->name = arm_label(set->label[set->n], sizeof set->label[set->n], g);
    s->style = arm_style(g->arm);
    s->runs = g->n;
    for (size_t i = 0; i < shortest; i++)
        s->n += (size_t)has_point(all, g, i, y);

    double *mean_x = new_numbers(all, s->n + 1);
    double *value = new_numbers(all, s->n * s->runs + 1);
    for (size_t i = 0; i < shortest; i++) {
        double seeds[MAX_SEEDS] = {0};
        if (!has_point(all, g, i, y)) continue;
        for (size_t k = 0; k < g->n; k++) {
            seeds[k] = data_at(&all->d, &g->run[k], i, x);
            value[k * s->n + used] = data_at(&all->d, &g->run[k], i, y) * metric_scale(y);
        }
        mean_x[used++] = stats_mean(seeds, g->n);
    }
    s->x = mean_x;
    s->y = value;
    return s->n >= points && keep_series(set);
}

void set_paper(findings *all, curve_set *set, size_t index, double value) {
    const figure_series *s = &set->series[index];
    double *paper = new_numbers(all, s->n + 1);
    if (s->n > 0) paper[s->n - 1] = value;
    set->paper[index] = paper;
}

/* ---- figures ---- */
typedef void plot_function(FILE *out, const figure *f, const figure_series *series, size_t n);
typedef void chart_function(FILE *out, const figure *f, const figure_table *t);

/* What a figure is drawn from, and how: either curves or a table. */
typedef struct plan {
    const drawing *d;
    plot_function *plot;
    const curve_set *set;
    chart_function *chart;
    const number_table *table;
} plan;

static void render(FILE *out, const plan *p) {
    if (p->plot != NULL)
        p->plot(out, &p->d->f, p->set->series, p->set->n);
    else
        p->chart(out, &p->d->f, &p->table->t);
}

static void put_series(csv_out *out, const figure_series *s, const double *paper) {
    for (size_t i = 0; i < s->n; i++) {
        double mean, low, high;
        size_t runs = figure_mean(s, i, &mean, &low, &high);
        csv_put_text(out, s->name);
        csv_put(out, "%zu", runs);
        csv_put_number(out, s->x[i]);
        csv_put_number(out, mean);
        csv_put_number(out, low);
        csv_put_number(out, high);
        csv_put_number(out, paper == NULL ? NAN : paper[i]);
        csv_end_row(out);
    }
}

static void put_table(csv_out *out, const number_table *table) {
    const figure_table *t = &table->t;
    for (size_t i = 0; i < t->n_rows * t->n_cols; i++) {
        csv_put_text(out, t->rows[i / t->n_cols]);
        csv_put_text(out, t->cols[i % t->n_cols]);
        csv_put_number(out, t->value[i]);
        csv_put_number(out, t->low == NULL ? NAN : t->low[i]);
        csv_put_number(out, t->high == NULL ? NAN : t->high[i]);
        csv_put_number(out, table->paper[i]);
        csv_end_row(out);
    }
}

static void write_numbers(findings *all, const plan *p) {
    char header[160] = "row,column,value,low,high,paper\n";
    csv_out out;
    if (p->plot != NULL)
        snprintf(header, sizeof header, "series,n,%s,mean,low,high,paper\n",
                 p->d->axis != NULL ? p->d->axis : "tokens");
    if (!csv_open(&out, all->dir, p->d->name, header)) {
        all->failed = 1;
        return;
    }
    for (size_t k = 0; p->plot != NULL && k < p->set->n; k++)
        put_series(&out, &p->set->series[k], p->set->paper[k]);
    if (p->chart != NULL) put_table(&out, p->table);
    if (!csv_close(&out)) all->failed = 1;
}

static void draw(findings *all, const plan *p) {
    char csv[128], command[160];
    FILE *out = open_output(all, p->d->name, ".svg");
    if (out != NULL) {
        render(out, p);
        close_output(all, out, p->d->name, ".svg");
    }
    write_numbers(all, p);
    page_figure_begin(&all->page);
    render(all->page.out, p);
    snprintf(csv, sizeof csv, "%s.csv", p->d->name);
    page_figure_end(&all->page, p->d->caption, command_of(command, sizeof command, all->set), csv);
}

void draw_lines(findings *all, const drawing *d, const curve_set *set) {
    const plan p = {d, figure_lines, set, NULL, NULL};
    draw(all, &p);
}

void draw_points(findings *all, const drawing *d, const curve_set *set) {
    const plan p = {d, figure_points, set, NULL, NULL};
    draw(all, &p);
}

/* ---- tables of numbers ---- */
number_table new_table(findings *all, size_t max_rows, size_t cols) {
    number_table t;
    size_t cells = max_rows * cols + 1;
    memset(&t, 0, sizeof t);
    t.value = new_numbers(all, cells);
    t.low = new_numbers(all, cells);
    t.high = new_numbers(all, cells);
    t.paper = new_numbers(all, cells);
    t.t.value = t.value;
    t.t.low = t.low;
    t.t.high = t.high;
    t.t.n_rows = max_rows;
    t.t.n_cols = cols;
    return t;
}

void set_cell(number_table *t, size_t cell, const estimate *e, double scale) {
    t->value[cell] = e->value * scale;
    t->low[cell] = e->low * scale;
    t->high[cell] = e->high * scale;
    t->n_values += isfinite(t->value[cell]) != 0;
}

void draw_bars(findings *all, const drawing *d, const number_table *t) {
    const plan p = {d, NULL, NULL, figure_bars, t};
    draw(all, &p);
}

void draw_shares(findings *all, const drawing *d, const number_table *t) {
    const plan p = {d, NULL, NULL, figure_shares, t};
    draw(all, &p);
}

void draw_map(findings *all, const drawing *d, const number_table *t) {
    const plan p = {d, NULL, NULL, figure_map, t};
    draw(all, &p);
}
