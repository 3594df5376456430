/* draw.c: names and labels; one figure = one SVG, one CSV with its numbers, and its place in the
 * page.
 *
 * The CSVs have the columns series,n,AXIS,mean,low,high,paper for lines and points, and
 * row,column,value,low,high,paper for tables.  low and high are 95%. */
#include <math.h>
#include <stdio.h>
#include "common/cli.h"
#include "csv_out.h"
#include "findings.h"

/* ---- files ---- */
FILE *open_output(findings *all, const char *name, const char *ending) {
    const char *path = make_text("%s/%s%s", all->dir, name, ending);
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

const char *command_of(const char *set) {
    if (set == NULL) return "make repro";
    return make_text("build/reproduce run --only %s && build/reproduce report", set);
}

/* ---- names ---- */
const char *const corpora[N_CORPORA] = {"builtin", "openstax", "gsm8k", "facts", "user"};

const char *corpus_name(const char *corpus, name_place place) {
    static const char *const names[N_CORPORA][2] = {
        {"the built-in corpus", "Built-in corpus"},
        {"OpenStax textbooks", "OpenStax textbooks"},
        {"OpenStax mixed with GSM8K", "OpenStax mixed with GSM8K"},
        {"the corpus of facts", "Facts that only the noisy text holds"},
        {"your corpus", "Your corpus"}};
    for (size_t i = 0; i < N_CORPORA; i++)
        if (same_text(corpus, corpora[i])) return names[i][place];
    return corpus;
}

const char *metric_label(const char *corpus, data_column metric) {
    const int is_generated = same_text(corpus, "builtin") || same_text(corpus, "facts") ||
                             same_text(corpus, "labels");
    const char *token = is_generated ? "byte" : "token";
    switch (metric) {
    case TARGET_ACCURACY:
        return "probability of a right result (%)";
    case AUC:
        return "AUC";
    case PRECISION:
        return "precision";
    case RECALL:
        return "recall";
    default:
        if (metric == TARGET_LOSS && same_text(corpus, "facts"))
            return "loss of the answers (nats per byte)";
        return make_text("%sloss (nats per %s)", metric == TARGET_LOSS ? "target " : "", token);
    }
}

double metric_scale(data_column metric) {
    return metric == TARGET_ACCURACY ? 100 : 1;
}

data_column best_metric(const data *d, const char *corpus) {
    return data_has_accuracy(d, corpus) ? TARGET_ACCURACY : TARGET_LOSS;
}

const char *sooner_text(const sooner *s, int digits) {
    char text[120] = "";
    if (s->seeds == 0)
        return s->at_once > 0 ? "plain ends no better than it began" : "\xE2\x80\x93";
    if (!isfinite(s->e.value))
        return make_text("not reached (%zu of %zu seeds)", s->reached, s->seeds);
    SAY(text, "%.*fx", digits, s->e.value);
    if (s->seeds > 1) SAY(text, " [%.*f, %.*f]", digits, s->e.low, digits, s->e.high);
    if (s->reached < s->seeds) SAY(text, ", %zu of %zu seeds reach it", s->reached, s->seeds);
    if (s->at_once > 0)
        SAY(text, ", %zu seed%s not counted: at that level before any training", s->at_once,
            plural(s->at_once));
    return make_text("%s", text);
}

/* ---- curves ---- */
int add_series(curve_set *set, const figure_series *s) {
    for (size_t i = 0; i < s->n * s->runs && set->n < FIGURE_MAX_SERIES; i++) {
        if (!isfinite(s->y[i]) || !isfinite(s->x[i % s->n])) continue;
        set->paper[set->n] = new_numbers(s->n);
        set->series[set->n++] = *s;
        return 1;
    }
    return 0;
}

void add_ends(curve_set *set, const data_group *const *list, const double *x, size_t n,
              data_column y) {
    figure_series s = {.name = "", .x = x, .n = n};
    for (size_t i = 0; i < n; i++) {
        if (list[i]->n > s.runs) s.runs = list[i]->n;
        if (list[i]->n == 0) continue;
        s.name = list[i]->label;
        s.style = list[i]->style;
    }
    double *value = new_numbers(n * s.runs);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < list[i]->n; k++)
            value[k * n + i] = run_end(&list[i]->run[k], y) * metric_scale(y);
    s.y = value;
    (void)add_series(set, &s);
}

/* Lists the points at which any seed has a value, as far as all runs go.  Returns how many. */
static size_t list_points(const data_group *g, data_column y, size_t *points) {
    size_t n = 0;
    for (size_t i = 0; i < MAX_POINTS; i++) {
        int has_value = 0;
        for (size_t k = 0; k < g->n; k++) {
            if (i >= g->run[k].n) return n;
            has_value |= isfinite(run_at(&g->run[k], i, y)) != 0;
        }
        if (has_value) points[n++] = i;
    }
    return n;
}

static void add_curve(curve_set *set, const data_group *g, const curve_choice *choice) {
    size_t points[MAX_POINTS];
    size_t n = list_points(g, choice->y, points);
    double *x = new_numbers(n);
    double *y = new_numbers(n * g->n);
    for (size_t i = 0; i < n; i++) {
        double seeds[MAX_SEEDS];
        for (size_t k = 0; k < g->n; k++) {
            seeds[k] = run_at(&g->run[k], points[i], choice->x);
            y[k * n + i] = run_at(&g->run[k], points[i], choice->y) * metric_scale(choice->y);
        }
        x[i] = stats_mean(seeds, g->n);
    }
    const figure_series s = {
        .name = g->label, .x = x, .y = y, .n = n, .runs = g->n, .style = g->style};
    if (n >= 2 || choice->ratios == BEST_RATIO) (void)add_series(set, &s);
}

/* Another style for a series whose own is taken: of an arm at two ratios. */
static void restyle(figure_series *series, size_t n) {
    for (size_t i = 1; i < n; i++) {
        size_t k = 0;
        while (k < i) {
            if (series[k].style != series[i].style) {
                k++;
                continue;
            }
            series[i].style = series[i].style % 8 + 1;
            k = 0;
        }
    }
}

void choose_curves(curve_set *set, const data *d, const curve_choice *choice) {
    const double paper[3] = {NAN, choice->plain, choice->selective}; /* by style */
    set->n = 0;
    for (size_t a = 0; choice->arms[a] != NULL; a++) {
        const char *arm = choice->arms[a];
        const data_group *g = NULL;
        if (choice->ratios == BEST_RATIO) {
            add_curve(set, data_find(d, choice->corpus, choice->set, arm), choice);
            continue;
        }
        while ((g = data_next(d, g, choice->corpus, choice->set, arm)) != NULL)
            add_curve(set, g, choice);
    }
    restyle(set->series, set->n < 9 ? set->n : 8);
    for (size_t i = 0; i < set->n; i++) {
        const figure_series *s = &set->series[i];
        if (s->style <= 2) set->paper[i][s->n - 1] = paper[s->style];
    }
}

/* ---- tables of numbers ---- */
number_table new_table(const char *const *cols, size_t n_cols) {
    size_t cells = MAX_ROWS * n_cols;
    number_table t = {.value = new_numbers(cells),
                      .low = new_numbers(cells),
                      .high = new_numbers(cells),
                      .paper = new_numbers(cells)};
    t.t = (figure_table){
        .cols = cols, .n_cols = n_cols, .value = t.value, .low = t.low, .high = t.high};
    return t;
}

void add_row(number_table *t, const char *label) {
    t->rows[t->t.n_rows++] = label;
}

void set_cell(number_table *t, size_t column, estimate e, double scale) {
    size_t cell = (t->t.n_rows - 1) * t->t.n_cols + column;
    t->value[cell] = e.value * scale;
    t->low[cell] = e.low * scale;
    t->high[cell] = e.high * scale;
    t->n_values += isfinite(t->value[cell]) != 0;
}

/* ---- figures ---- */
static void render(FILE *out, double width, const void *user) {
    const drawing *d = (const drawing *)user;
    figure f = d->f;
    f.width = width;
    if (d->set != NULL) {
        if (f.x.label == NULL) f.x.label = "tokens processed";
        (d->plot != NULL ? d->plot : figure_lines)(out, &f, d->set->series, d->set->n);
        return;
    }
    figure_table t = d->table->t;
    t.rows = d->table->rows;
    (d->chart != NULL ? d->chart : figure_bars)(out, &f, &t);
}

static void put_series(csv_out *out, const figure_series *s, const double *paper) {
    for (size_t i = 0; i < s->n; i++) {
        double mean, low, high;
        size_t runs = figure_mean(s, i, &mean, &low, &high);
        const double numbers[5] = {s->x[i], mean, low, high, paper[i]};
        csv_put_text(out, s->name);
        csv_put(out, "%zu", runs);
        csv_put_numbers(out, numbers, 5);
        csv_end_row(out);
    }
}

static void put_table(csv_out *out, const number_table *t) {
    size_t n_cols = t->t.n_cols;
    for (size_t i = 0; i < t->t.n_rows * n_cols; i++) {
        const double numbers[4] = {t->value[i], t->low[i], t->high[i], t->paper[i]};
        csv_put_text(out, t->rows[i / n_cols]);
        csv_put_text(out, t->t.cols[i % n_cols]);
        csv_put_numbers(out, numbers, 4);
        csv_end_row(out);
    }
}

static void write_numbers(findings *all, const drawing *d) {
    const char *header = "row,column,value,low,high,paper\n";
    csv_out out;
    if (d->set != NULL)
        header = make_text("series,n,%s,mean,low,high,paper\n",
                           d->axis != NULL ? d->axis : "tokens");
    if (!csv_open(&out, all->dir, d->name, header)) {
        all->failed = 1;
        return;
    }
    for (size_t k = 0; d->set != NULL && k < d->set->n; k++)
        put_series(&out, &d->set->series[k], d->set->paper[k]);
    if (d->table != NULL) put_table(&out, d->table);
    if (!csv_close(&out)) all->failed = 1;
}

int draw(findings *all, const drawing *d) {
    if (d->set != NULL && d->set->n == 0) return 0;
    FILE *out = open_output(all, d->name, ".svg");
    if (out != NULL) {
        render(out, 0, d);
        close_output(all, out, d->name, ".svg");
    }
    write_numbers(all, d);
    page_figure(&all->page, render, d, d->caption, command_of(all->set),
                make_text("%s.csv", d->name));
    return 1;
}

int draw_curves(findings *all, const curve_choice *choice, const drawing *d) {
    curve_set set;
    drawing drawn = *d;
    choose_curves(&set, &all->d, choice);
    drawn.f.y.label = metric_label(choice->corpus, choice->y);
    drawn.set = &set;
    return draw(all, &drawn);
}
