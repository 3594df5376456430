/* repro_report_data.h: the numbers of build/repro/curves.csv as runs (one seed of one arm) and groups (all seeds of it).
 * Part of repro_report.h.  Everything missing is an empty group or NaN, never an error. */
#ifndef REPRO_REPORT_DATA_H
#define REPRO_REPORT_DATA_H
#include "common/text.h"
#include "repro_stats.h"

#define DATA_KINDS 8
static const char *const data_kinds[DATA_KINDS] = {"problem", "step", "result", "other",
                                                   "wrong",   "id",   "stamp",  "markup"};

/* The columns that are numbers; data_columns has their names. */
typedef enum data_column {
    TOKENS,
    TRAINED,
    FLOPS,
    FLOPS_ALL,
    TARGET_LOSS,
    TARGET_ACCURACY,
    VALID_LOSS,
    ALL_LOSS,
    KEPT_LOSS,
    DROPPED_LOSS,
    FIXED_KEPT,
    FIXED_DROPPED,
    FIXED_ALL,
    PRECISION,
    RECALL,
    AUC,
    SEEN,
    KEPT = SEEN + DATA_KINDS,
    SECONDS = KEPT + DATA_KINDS,
    DATA_COLUMNS
} data_column;

static const char *const data_columns[SEEN] = {
    "tokens",         "trained",         "flops",           "flops_all",
    "target_loss",    "target_accuracy", "valid_loss",      "all_loss",
    "kept_loss",      "dropped_loss",    "fixed_kept_loss", "fixed_dropped_loss",
    "fixed_all_loss", "precision",       "recall",          "auc"};

typedef struct data_run {
    const char *seed, *name;
    size_t first, n;
    double lr;
} data_run; /* rows first .. first + n - 1 */

typedef struct data_group {
    const char *corpus, *set, *arm;
    double ratio, noise, target, size,
        clean; /* NaN: the column is empty; clean: bytes of clean text */
    data_run run[STATS_SEEDS];
    size_t n; /* runs; 0: there is no such group */
} data_group;

typedef struct data {
    csv_table curves, times, trajectories, selections, settings, tuning;
    int column[DATA_COLUMNS]; /* in curves; -1: none */
    double *seconds;          /* (rows of curves) NaN: unknown */
    data_group *group;
    size_t n_groups;
} data;

static inline int data__same(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) < 1e-9;
}

static inline int data__is_of(const data_group *g, const data_group *other) {
    return strcmp(g->corpus, other->corpus) == 0 && strcmp(g->set, other->set) == 0 &&
           strcmp(g->arm, other->arm) == 0 && data__same(g->ratio, other->ratio) &&
           data__same(g->noise, other->noise) && data__same(g->target, other->target) &&
           data__same(g->size, other->size) && data__same(g->clean, other->clean);
}

static inline data_group data__row(const csv_table *t, size_t row) {
    data_group g;
    memset(&g, 0, sizeof g);
    g.corpus = csv_text(t, row, csv_column(t, "corpus"));
    g.set = csv_text(t, row, csv_column(t, "set"));
    g.arm = csv_text(t, row, csv_column(t, "arm"));
    g.ratio = csv_number(t, row, csv_column(t, "ratio"));
    g.noise = csv_number(t, row, csv_column(t, "noise"));
    g.target = csv_number(t, row, csv_column(t, "target_share"));
    g.clean = csv_number(t, row, csv_column(t, "clean_bytes"));
    if (!(g.ratio > 0)) {
        g.ratio = NAN;
    } /* no selection */
    g.size = csv_number(t, row, csv_column(t, "size"));
    return g;
}

/* Each row goes to the run of its seed in the group of its keys; a run is a stretch of rows.  0: no memory. */
static inline int data__groups(data *d) {
    const csv_table *t = &d->curves;
    int seed = csv_column(t, "seed"), lr = csv_column(t, "lr"), name = csv_column(t, "run");
    size_t last = 0;
    for (size_t row = 0; row < t->rows; row++) {
        data_group key = data__row(t, row);
        data_group *g =
            d->n_groups > 0 && data__is_of(&d->group[last], &key) ? &d->group[last] : NULL;
        for (size_t i = 0; g == NULL && i < d->n_groups; i++) {
            if (data__is_of(&d->group[i], &key)) {
                g = &d->group[i];
            }
        }
        if (g == NULL) {
            data_group *more = (data_group *)realloc(d->group, (d->n_groups + 1) * sizeof *more);
            if (more == NULL) {
                return 0;
            }
            d->group = more;
            g = &d->group[d->n_groups++];
            *g = key;
        }
        last = (size_t)(g - d->group);
        data_run *run = g->n > 0 ? &g->run[g->n - 1] : NULL;
        if (run != NULL && run->first + run->n == row &&
            strcmp(run->seed, csv_text(t, row, seed)) == 0) {
            run->n++;
            continue;
        }
        if (g->n == STATS_SEEDS) {
            continue;
        }
        g->run[g->n].seed = csv_text(t, row, seed);
        g->run[g->n].name = csv_text(t, row, name);
        g->run[g->n].lr = csv_number(t, row, lr);
        g->run[g->n].first = row;
        g->run[g->n++].n = 1;
    }
    return 1;
}

/* times.csv has run,tokens,seconds; a row without tokens is the whole run's. */
static inline void data__seconds(data *d) {
    const csv_table *t = &d->times;
    int name = csv_column(t, "run"), tokens = csv_column(t, "tokens"),
        seconds = csv_column(t, "seconds");
    for (size_t i = 0; i < d->n_groups; i++) {
        for (size_t k = 0; k < d->group[i].n; k++) {
            const data_run *run = &d->group[i].run[k];
            size_t row = 0;
            while (row < t->rows && strcmp(csv_text(t, row, name), run->name) != 0) {
                row++;
            }
            for (; row < t->rows && strcmp(csv_text(t, row, name), run->name) == 0; row++) {
                for (size_t p = run->first; p < run->first + run->n; p++) {
                    if (csv_number(&d->curves, p, d->column[TOKENS]) ==
                        csv_number(t, row, tokens)) {
                        d->seconds[p] = csv_number(t, row, seconds);
                    }
                }
            }
        }
    }
}

static inline const char *data__path(char *path, size_t size, const char *dir, const char *name) {
    snprintf(path, size, "%s/%s", dir, name);
    return path;
}

static inline void data__columns(data *d) {
    char name[64];
    for (int c = 0; c < SEEN; c++) {
        d->column[c] = csv_column(&d->curves, data_columns[c]);
    }
    for (int k = 0; k < DATA_KINDS; k++) {
        snprintf(name, sizeof name, "seen_%s", data_kinds[k]);
        d->column[SEEN + k] = csv_column(&d->curves, name);
        snprintf(name, sizeof name, "kept_%s", data_kinds[k]);
        d->column[KEPT + k] = csv_column(&d->curves, name);
    }
    d->column[SECONDS] = -1;
}

static inline void data_free(data *d) {
    csv_free(&d->curves);
    csv_free(&d->times);
    csv_free(&d->trajectories);
    csv_free(&d->selections);
    csv_free(&d->settings);
    csv_free(&d->tuning);
    free(d->seconds);
    free(d->group);
}

/* 1: curves.csv is there; 0: it is not, and why says so.  The other files may be missing. */
static inline int data_load(data *d, const char *dir, char *why, size_t size) {
    char path[1024];
    memset(d, 0, sizeof *d);
    csv_status status = csv_load(&d->curves, data__path(path, sizeof path, dir, "curves.csv"));
    if (status != CSV_READ) {
        snprintf(why, size, "%.300s: %s", path,
                 status == CSV_MISSING ? "there is none, or nothing in it; make repro writes it"
                                       : "cannot be read");
        return 0;
    }
    data__columns(d);
    (void)csv_load(&d->times, data__path(path, sizeof path, dir, "times.csv"));
    (void)csv_load(&d->trajectories, data__path(path, sizeof path, dir, "trajectories.csv"));
    (void)csv_load(&d->selections, data__path(path, sizeof path, dir, "selections.csv"));
    (void)csv_load(&d->settings, data__path(path, sizeof path, dir, "settings.csv"));
    (void)csv_load(&d->tuning, data__path(path, sizeof path, dir, "tuning.csv"));
    d->seconds = (double *)malloc(d->curves.rows * sizeof *d->seconds);
    for (size_t i = 0; d->seconds != NULL && i < d->curves.rows; i++) {
        d->seconds[i] = NAN;
    }
    if (d->seconds == NULL || !data__groups(d)) {
        snprintf(why, size, "%.300s: out of memory", path);
        data_free(d);
        return 0;
    }
    data__seconds(d);
    return 1;
}

/* ---- asking ---- */
static inline double data_at(const data *d, const data_run *run, size_t point, data_column c) {
    if (point >= run->n) {
        return NAN;
    }
    return c == SECONDS ? d->seconds[run->first + point]
                        : csv_number(&d->curves, run->first + point, d->column[c]);
}

static inline double data_end(const data *d, const data_run *run, data_column c) {
    return run->n == 0 ? NAN : data_at(d, run, run->n - 1, c);
}

/* What is found where there is nothing to be found; so that a group is never NULL. */
static const data_group data_none = {"", "", "", NAN, NAN, NAN, NAN, NAN, {{"", "", 0, 0, 0}}, 0};

/* The mean of a column at the end, over the seeds. */
static inline double data_mean_end(const data *d, const data_group *g, data_column c) {
    double v[STATS_SEEDS];
    for (size_t i = 0; i < g->n; i++) {
        v[i] = data_end(d, &g->run[i], c);
    }
    return stats_mean(v, g->n);
}

/* The arm's group; of several (ratios), the one with most seeds, and among these the lowest loss on the valid part at the end:
   the target has no say in it. */
static inline const data_group *data_find(const data *d, const char *corpus, const char *set,
                                          const char *arm) {
    const data_group *best = &data_none;
    for (size_t i = 0; i < d->n_groups; i++) {
        const data_group *g = &d->group[i];
        if (strcmp(g->corpus, corpus) != 0 || strcmp(g->set, set) != 0 ||
            strcmp(g->arm, arm) != 0) {
            continue;
        }
        if (g->n > best->n || (g->n == best->n && data_mean_end(d, g, VALID_LOSS) <
                                                      data_mean_end(d, best, VALID_LOSS))) {
            best = g;
        }
    }
    return best;
}

static inline const data_run *data_seed(const data_group *g, const char *seed) {
    for (size_t i = 0; i < g->n; i++) {
        if (strcmp(g->run[i].seed, seed) == 0) {
            return &g->run[i];
        }
    }
    return NULL;
}

/* The run that an arm's run is compared with: of the same seed; a reference or base that all seeds share goes with each of them. */
static inline const data_run *data_pair(const data_group *g, const char *seed) {
    const data_run *run = data_seed(g, seed);
    int shared = g->n == 1 && (strcmp(g->arm, "reference") == 0 || strcmp(g->arm, "base") == 0);
    return run == NULL && shared ? &g->run[0] : run;
}

/* What the arm ends with less what the other one ends with, seed by seed. */
static inline estimate data_difference(const data *d, const data_group *g, const data_group *other,
                                       data_column c) {
    double v[STATS_SEEDS];
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        const data_run *pair = data_pair(other, g->run[i].seed);
        if (pair != NULL) {
            v[n++] = data_end(d, &g->run[i], c) - data_end(d, pair, c);
        }
    }
    return stats_estimate(v, n);
}

static inline estimate data_estimate_end(const data *d, const data_group *g, data_column c) {
    double v[STATS_SEEDS];
    for (size_t i = 0; i < g->n; i++) {
        v[i] = data_end(d, &g->run[i], c);
    }
    return stats_estimate(v, g->n);
}

/* ---- sooner ---- */
/* x where the run first reaches the level of metric y, on the straight line between two points; NaN: never. */
static inline double data_reaches(const data *d, const data_run *run, data_column x, data_column y,
                                  double level) {
    double sign = y == TARGET_ACCURACY ? 1 : -1, x0 = NAN, y0 = NAN;
    for (size_t i = 0; i < run->n; i++) {
        double xi = data_at(d, run, i, x), yi = data_at(d, run, i, y);
        if (!isfinite(xi) || !isfinite(yi)) {
            continue;
        }
        if (sign * yi >= sign * level) {
            return isnan(x0) ? xi : x0 + (xi - x0) * (level - y0) / (yi - y0);
        }
        x0 = xi;
        y0 = yi;
    }
    return NAN;
}

#define DATA_NOT_REACHED                                                                           \
    0.5 /* what a seed counts that never reaches the level: slower, by how much is not known */

/* at_once: seeds that stand at the level before training, because the baseline ends no better than it began; they do not count. */
typedef struct sooner {
    estimate e;
    size_t seeds, reached, at_once;
} sooner;

/* (x at the end of the baseline) / (x where the arm reaches the baseline's end), seed by seed; the mean is geometric.
   No value if fewer than half of the seeds reach it. */
static inline sooner data_sooner(const data *d, const data_group *g, const data_group *base,
                                 data_column x, data_column y) {
    sooner s = {{NAN, NAN, NAN, NAN, NAN, 0}, 0, 0, 0};
    double v[STATS_SEEDS] = {0};
    for (size_t i = 0; i < g->n; i++) {
        const data_run *pair = data_pair(base, g->run[i].seed);
        if (pair == NULL) {
            continue;
        }
        double end = data_end(d, pair, x), level = data_end(d, pair, y);
        if (!isfinite(end) || !isfinite(level) || !isfinite(data_end(d, &g->run[i], x))) {
            continue;
        }
        double at = data_reaches(d, &g->run[i], x, y, level);
        if (at <= data_at(d, &g->run[i], 0, x)) {
            s.at_once++;
            continue;
        }
        s.reached += isfinite(at);
        v[s.seeds++] = log(isfinite(at) ? end / at : DATA_NOT_REACHED);
    }
    s.e = stats_exp(stats_estimate(v, s.seeds));
    if (2 * s.reached < s.seeds || s.seeds == 0) {
        s.e.value = s.e.low = s.e.high = s.e.t_low = s.e.t_high = NAN;
    }
    return s;
}
#endif
