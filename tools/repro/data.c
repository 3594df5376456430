/* data.c: the numbers of a folder's CSVs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "findings.h"

const char *const data_kinds[DATA_KINDS] = {"problem", "step", "result", "other",
                                            "wrong",   "id",   "stamp",  "markup"};

static const char *const column_names[SEEN] = {
    "tokens",         "trained",         "flops",           "flops_all",
    "target_loss",    "target_accuracy", "valid_loss",      "all_loss",
    "kept_loss",      "dropped_loss",    "fixed_kept_loss", "fixed_dropped_loss",
    "fixed_all_loss", "precision",       "recall",          "auc"};

/* What is found where there is nothing to be found, so that a group is never NULL. */
static const data_group no_group = {.corpus = "",
                                    .set = "",
                                    .arm = "",
                                    .ratio = NAN,
                                    .noise = NAN,
                                    .target = NAN,
                                    .size = NAN,
                                    .clean = NAN,
                                    .run = {{.seed = "", .name = ""}}};

/* ---- groups ---- */
static int same_number(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) < 1e-9;
}

int data_is(const data_group *g, const char *corpus, const char *set, const char *arm) {
    return strcmp(g->corpus, corpus) == 0 && strcmp(g->set, set) == 0 && strcmp(g->arm, arm) == 0;
}

static int same_keys(const data_group *a, const data_group *b) {
    return data_is(a, b->corpus, b->set, b->arm) && same_number(a->ratio, b->ratio) &&
           same_number(a->noise, b->noise) && same_number(a->target, b->target) &&
           same_number(a->size, b->size) && same_number(a->clean, b->clean);
}

static data_group keys_of_row(const csv_table *t, size_t row) {
    data_group g;
    memset(&g, 0, sizeof g);
    g.corpus = csv_text(t, row, csv_column(t, "corpus"));
    g.set = csv_text(t, row, csv_column(t, "set"));
    g.arm = csv_text(t, row, csv_column(t, "arm"));
    g.ratio = csv_number(t, row, csv_column(t, "ratio"));
    if (!(g.ratio > 0)) g.ratio = NAN; /* nothing is selected */
    g.noise = csv_number(t, row, csv_column(t, "noise"));
    g.target = csv_number(t, row, csv_column(t, "target_share"));
    g.size = csv_number(t, row, csv_column(t, "size"));
    g.clean = csv_number(t, row, csv_column(t, "clean_bytes"));
    return g;
}

/* The group of these keys, made if there is none; `last` is looked at first.  NULL: no memory. */
static data_group *group_of(data *d, const data_group *keys, size_t last) {
    if (last < d->n_groups && same_keys(&d->group[last], keys)) return &d->group[last];
    for (size_t i = 0; i < d->n_groups; i++)
        if (same_keys(&d->group[i], keys)) return &d->group[i];
    void *grown = realloc(d->group, (d->n_groups + 1) * sizeof *d->group);
    if (grown == NULL) return NULL;
    d->group = (data_group *)grown;
    d->group[d->n_groups] = *keys;
    return &d->group[d->n_groups++];
}

/* Adds a row to the last run of its group, or begins a new run: a run is a stretch of rows of one
   seed. */
static void add_row(const csv_table *t, data_group *g, size_t row) {
    const char *seed = csv_text(t, row, csv_column(t, "seed"));
    data_run *last = g->n > 0 ? &g->run[g->n - 1] : NULL;
    if (last != NULL && last->first + last->n == row && strcmp(last->seed, seed) == 0) {
        last->n++;
        return;
    }
    if (g->n == MAX_SEEDS) return;
    data_run *run = &g->run[g->n++];
    run->seed = seed;
    run->name = csv_text(t, row, csv_column(t, "run"));
    run->lr = csv_number(t, row, csv_column(t, "lr"));
    run->first = row;
    run->n = 1;
}

static int make_groups(data *d) {
    size_t last = 0;
    for (size_t row = 0; row < d->curves.rows; row++) {
        data_group keys = keys_of_row(&d->curves, row);
        data_group *g = group_of(d, &keys, last);
        if (g == NULL) return 0;
        last = (size_t)(g - d->group);
        add_row(&d->curves, g, row);
    }
    return 1;
}

/* ---- files ---- */
/* times.csv has run,tokens,seconds; gives each point of a run its seconds. */
static void set_seconds(data *d, const data_run *run) {
    const csv_table *t = &d->times;
    int tokens = csv_column(t, "tokens");
    int seconds = csv_column(t, "seconds");
    size_t row = 0;
    while (row < t->rows && !data_cell_is(t, row, "run", run->name))
        row++;
    for (; row < t->rows && data_cell_is(t, row, "run", run->name); row++) {
        for (size_t p = run->first; p < run->first + run->n; p++)
            if (csv_number(&d->curves, p, d->column[TOKENS]) == csv_number(t, row, tokens))
                d->seconds[p] = csv_number(t, row, seconds);
    }
}

static void find_columns(data *d) {
    char name[64];
    for (int c = 0; c < SEEN; c++)
        d->column[c] = csv_column(&d->curves, column_names[c]);
    for (int k = 0; k < DATA_KINDS; k++) {
        snprintf(name, sizeof name, "seen_%s", data_kinds[k]);
        d->column[SEEN + k] = csv_column(&d->curves, name);
        snprintf(name, sizeof name, "kept_%s", data_kinds[k]);
        d->column[KEPT + k] = csv_column(&d->curves, name);
    }
    d->column[SECONDS] = -1;
}

void data_free(data *d) {
    csv_free(&d->curves);
    csv_free(&d->times);
    csv_free(&d->trajectories);
    csv_free(&d->selections);
    csv_free(&d->settings);
    csv_free(&d->tuning);
    free(d->seconds);
    free(d->group);
}

static csv_status load_csv(csv_table *t, const char *dir, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.csv", dir, name);
    return csv_load(t, path);
}

int data_load(data *d, const char *dir) {
    memset(d, 0, sizeof *d);
    csv_status status = load_csv(&d->curves, dir, "curves");
    if (status != CSV_READ) {
        fprintf(stderr, "%.300s/curves.csv: %s\n", dir,
                status == CSV_MISSING ? "there is none, or nothing in it; make repro writes it"
                                      : "cannot be read");
        return 0;
    }
    find_columns(d);
    (void)load_csv(&d->times, dir, "times");
    (void)load_csv(&d->trajectories, dir, "trajectories");
    (void)load_csv(&d->selections, dir, "selections");
    (void)load_csv(&d->settings, dir, "settings");
    (void)load_csv(&d->tuning, dir, "tuning");
    d->seconds = (double *)malloc(d->curves.rows * sizeof *d->seconds);
    for (size_t i = 0; d->seconds != NULL && i < d->curves.rows; i++)
        d->seconds[i] = NAN;
    if (d->seconds == NULL || !make_groups(d)) {
        fprintf(stderr, "%.300s/curves.csv: out of memory\n", dir);
        data_free(d);
        return 0;
    }
    for (size_t i = 0; i < d->n_groups; i++)
        for (size_t k = 0; k < d->group[i].n; k++)
            set_seconds(d, &d->group[i].run[k]);
    return 1;
}

size_t data_distinct(const csv_table *t, const char *column, const char **list, size_t max) {
    int c = csv_column(t, column);
    size_t n = 0;
    for (size_t row = 0; row < t->rows; row++) {
        size_t i = 0;
        while (i < n && strcmp(list[i], csv_text(t, row, c)) != 0)
            i++;
        if (i == n && n < max) list[n++] = csv_text(t, row, c);
    }
    return n;
}

int data_cell_is(const csv_table *t, size_t row, const char *column, const char *value) {
    return strcmp(csv_text(t, row, csv_column(t, column)), value) == 0;
}

/* ---- numbers of a run ---- */
double data_at(const data *d, const data_run *run, size_t point, data_column c) {
    size_t row = run->first + point;
    if (point >= run->n) return NAN;
    return c == SECONDS ? d->seconds[row] : csv_number(&d->curves, row, d->column[c]);
}

double data_end(const data *d, const data_run *run, data_column c) {
    return run->n == 0 ? NAN : data_at(d, run, run->n - 1, c);
}

/* ---- groups by name ---- */
const data_group *data_find(const data *d, const char *corpus, const char *set, const char *arm) {
    const data_group *best = &no_group;
    for (size_t i = 0; i < d->n_groups; i++) {
        const data_group *g = &d->group[i];
        if (!data_is(g, corpus, set, arm) || g->n < best->n) continue;
        if (g->n > best->n || data_mean_end(d, g, VALID_LOSS) < data_mean_end(d, best, VALID_LOSS))
            best = g;
    }
    return best;
}

const data_group *data_main(const data *d, const char *corpus, const char *arm) {
    return data_find(d, corpus, "main", arm);
}

static const data_group *find_clean_in(const data *d, const char *set, const char *arm,
                                       double bytes) {
    for (size_t i = 0; i < d->n_groups; i++) {
        const data_group *g = &d->group[i];
        if (data_is(g, "builtin", set, arm) && fabs(g->clean - bytes) < 0.5) return g;
    }
    return &no_group;
}

const data_group *data_find_clean(const data *d, const char *arm, double bytes) {
    const data_group *own = find_clean_in(d, "clean", arm, bytes);
    return own->n > 0 ? own : find_clean_in(d, "main", arm, bytes);
}

const data_group *data_find_plain(const data *d, const char *corpus, const char *set) {
    const data_group *own = data_find(d, corpus, set, "clm");
    return own->n > 0 ? own : data_main(d, corpus, "clm");
}

const data_run *data_seed(const data_group *g, const char *seed) {
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->run[i].seed, seed) == 0) return &g->run[i];
    return NULL;
}

/* The run that an arm's run is compared with: of the same seed; a reference or base that all seeds
   share goes with each of them. */
static const data_run *paired_run(const data_group *g, const char *seed) {
    const data_run *run = data_seed(g, seed);
    if (run == NULL && g->n == 1 && is_measure_only(g)) return &g->run[0];
    return run;
}

int data_has_corpus(const data *d, const char *corpus) {
    return data_main(d, corpus, "clm")->n > 0;
}

int data_has_accuracy(const data *d, const char *corpus) {
    return isfinite(data_mean_end(d, data_main(d, corpus, "clm"), TARGET_ACCURACY));
}

/* ---- sweeps ---- */
double data_ratio(const data_group *g) {
    return isnan(g->ratio) ? 1 : g->ratio;
}

static double sweep_key(const data_group *g, sweep_order order) {
    return order == BY_SIZE ? g->size : data_ratio(g);
}

size_t data_sweep(const data *d, const char *set, const char *arm, sweep_order order,
                  const data_group **list) {
    size_t n = 0;
    for (size_t i = 0; i < d->n_groups && n < MAX_SWEEP; i++) {
        const data_group *g = &d->group[i];
        if (!data_is(g, "builtin", set, arm)) continue;
        size_t place = n++;
        for (; place > 0 && sweep_key(list[place - 1], order) > sweep_key(g, order); place--)
            list[place] = list[place - 1];
        list[place] = g;
    }
    return n;
}

/* Inserts a number into a rising list without repetitions.  Returns the new length. */
static size_t insert_number(double *list, size_t n, size_t max, double v) {
    size_t place = 0;
    while (place < n && list[place] < v - 1e-9)
        place++;
    if (!isfinite(v) || n == max || (place < n && fabs(list[place] - v) < 1e-9)) return n;
    memmove(list + place + 1, list + place, (n - place) * sizeof *list);
    list[place] = v;
    return n + 1;
}

size_t data_clean_sizes(const data *d, double sizes[MAX_SWEEP]) {
    size_t n = 0;
    for (size_t i = 0; i < d->n_groups; i++) {
        const data_group *g = &d->group[i];
        if (strcmp(g->set, "clean") == 0 && strcmp(g->arm, "slm") == 0)
            n = insert_number(sizes, n, MAX_SWEEP, g->clean);
    }
    return n;
}

data_grid data_map(const data *d) {
    data_grid grid;
    memset(&grid, 0, sizeof grid);
    for (size_t i = 0; i < d->n_groups; i++) {
        const data_group *g = &d->group[i];
        if (strcmp(g->set, "map") != 0 || strcmp(g->arm, "slm") != 0) continue;
        grid.n_noise = insert_number(grid.noise, grid.n_noise, MAX_GRID, g->noise);
        grid.n_ratio = insert_number(grid.ratio, grid.n_ratio, MAX_GRID, g->ratio);
        grid.n_target = insert_number(grid.target, grid.n_target, MAX_GRID, g->target);
    }
    if (grid.n_target == 0) {
        grid.target[0] = NAN;
        grid.n_target = 1;
    }
    return grid;
}

/* A group of the map; target or ratio NaN: any. */
static const data_group *map_group(const data *d, const char *arm, double noise, double target,
                                   double ratio) {
    for (size_t i = 0; i < d->n_groups; i++) {
        const data_group *g = &d->group[i];
        if (strcmp(g->set, "map") == 0 && strcmp(g->arm, arm) == 0 &&
            fabs(g->noise - noise) < 1e-9 && (isnan(target) || fabs(g->target - target) < 1e-9) &&
            (isnan(ratio) || fabs(g->ratio - ratio) < 1e-9))
            return g;
    }
    return &no_group;
}

sooner data_map_sooner(const data *d, const data_grid *grid, size_t noise, size_t target,
                       size_t ratio, data_column y) {
    double n = grid->noise[noise];
    double t = grid->target[target];
    const data_group *slm = map_group(d, "slm", n, t, grid->ratio[ratio]);
    return data_sooner(d, slm, map_group(d, "clm", n, t, NAN), TOKENS, y);
}

/* ---- estimates over the seeds ---- */
estimate data_estimate_end(const data *d, const data_group *g, data_column c) {
    double v[MAX_SEEDS] = {0};
    for (size_t i = 0; i < g->n; i++)
        v[i] = data_end(d, &g->run[i], c);
    return stats_estimate(v, g->n);
}

double data_mean_end(const data *d, const data_group *g, data_column c) {
    double v[MAX_SEEDS] = {0};
    for (size_t i = 0; i < g->n; i++)
        v[i] = data_end(d, &g->run[i], c);
    return stats_mean(v, g->n);
}

estimate data_change(const data *d, const data_group *g, data_column c) {
    double v[MAX_SEEDS] = {0};
    for (size_t i = 0; i < g->n; i++)
        v[i] = data_end(d, &g->run[i], c) - data_at(d, &g->run[i], 0, c);
    return stats_estimate(v, g->n);
}

estimate data_difference(const data *d, const data_group *g, const data_group *other,
                         data_column c) {
    double v[MAX_SEEDS] = {0};
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        const data_run *pair = paired_run(other, g->run[i].seed);
        if (pair != NULL) v[n++] = data_end(d, &g->run[i], c) - data_end(d, pair, c);
    }
    return stats_estimate(v, n);
}

estimate data_gain(const data *d, const data_group *g, const data_group *other) {
    estimate accuracy = data_difference(d, g, other, TARGET_ACCURACY);
    if (accuracy.n > 0) return stats_scale(accuracy, 100);
    return stats_scale(data_difference(d, g, other, TARGET_LOSS), -1);
}

/* ---- sooner ---- */
/* x where the run first reaches the level of metric y, on the straight line between two points; NaN
   if it never does. */
static double reaches(const data *d, const data_run *run, data_column x, data_column y,
                      double level) {
    double sign = y == TARGET_ACCURACY ? 1 : -1;
    double x0 = NAN, y0 = NAN;
    for (size_t i = 0; i < run->n; i++) {
        double xi = data_at(d, run, i, x);
        double yi = data_at(d, run, i, y);
        if (!isfinite(xi) || !isfinite(yi)) continue;
        if (sign * yi >= sign * level)
            return isnan(x0) ? xi : x0 + (xi - x0) * (level - y0) / (yi - y0);
        x0 = xi;
        y0 = yi;
    }
    return NAN;
}

sooner data_sooner(const data *d, const data_group *g, const data_group *base, data_column x,
                   data_column y) {
    sooner s = {{NAN, NAN, NAN, NAN, NAN, 0}, 0, 0, 0};
    double v[MAX_SEEDS] = {0};
    for (size_t i = 0; i < g->n; i++) {
        const data_run *run = &g->run[i];
        const data_run *pair = paired_run(base, run->seed);
        if (pair == NULL) continue;
        double end = data_end(d, pair, x);
        double level = data_end(d, pair, y);
        if (!isfinite(end) || !isfinite(level) || !isfinite(data_end(d, run, x))) continue;
        double reached = reaches(d, run, x, y, level);
        if (reached <= data_at(d, run, 0, x)) {
            s.at_once++;
            continue;
        }
        s.reached += isfinite(reached) ? 1 : 0;
        v[s.seeds++] = log(isfinite(reached) ? end / reached : NOT_REACHED);
    }
    s.e = stats_exp(stats_estimate(v, s.seeds));
    if (2 * s.reached < s.seeds || s.seeds == 0)
        s.e.value = s.e.low = s.e.high = s.e.t_low = s.e.t_high = NAN;
    return s;
}
