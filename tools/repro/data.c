/* data.c: the numbers of a folder's CSVs. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "findings.h"

static const char *const column_names[SECONDS] = {
    "tokens",          "trained",            "flops",          "flops_all",
    "target_loss",     "target_accuracy",    "valid_loss",
    "valid_accuracy",  "target_exact",
    "fixed_kept_loss", "fixed_dropped_loss", "fixed_all_loss",
    "precision",       "recall",             "auc",
    "seen_problem",    "seen_step",          "seen_result",    "seen_other",
    "seen_wrong",      "seen_id",            "seen_stamp",     "seen_markup",
    "kept_problem",    "kept_step",          "kept_result",    "kept_other",
    "kept_wrong",      "kept_id",            "kept_stamp",     "kept_markup"};

/* In the order in which arms are told.  Two arms that share a style are never in the same
   figure. */
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
            {"clean", "Clean text alone", 5},
            {"slm_by_clean", "SLM, reference: clean text alone", 6},
            {"doc", "Documents by excess", 3},
            {"doc_ppl", "Documents by reference loss", 4},
            {"doc_random", "Random documents", 1},
            {"page", "Ten documents in a row, by excess", 6},
            {"window", "Windows by excess", 7},
            {"rho_sequences", "Sequences by excess (RHO-LOSS)", 8},
            {"doc_tuned", "Documents, then clean text", 6},
            {"doc_slm", "SLM on these documents", 5},
            {"doc_slm_tuned", "SLM on them, then clean text", 7},
            {"cleaned", "Token Cleaning", 3},
            {"evolving", "Token Cleaning, self-evolving", 4},
            {"soft", "Soft weights", 5},
            {"stochastic", "Stochastic selection", 6},
            {"smooth", "Smoothed over neighbours", 7},
            {"eslm", "ESLM, by entropy", 8},
            {"second", "The second reference itself", 1},
            {"slm_by_second", "SLM, second reference", 3},
            {"slm_by_both", "SLM, the better of two references", 2},
            {"veto", "All but vetoed tokens", 6},
            {"doc_veto", "Documents without vetoed tokens", 7},
            {"explore", "SLM with random tokens", 4},
            {"floor", "SLM, excess not below a floor", 5},
            {"blend", "SLM, tokens and documents blended", 6},
            {"split", "SLM, part by documents", 7},
            {"reference", "The reference itself", 8},
            {"base", "The base", 1}};

enum { N_ARMS = COUNT(arms) };

int data_is_real(const char *corpus) {
    static const char *const generated[] = {"builtin", "facts", "labels", ""};
    for (size_t i = 0; i < COUNT(generated); i++)
        if (same_text(corpus, generated[i])) return 0;
    return 1;
}

/* Puts "stretches" in the place of "documents", small or large. */
const char *data_wording(const char *text, const char *corpus) {
    static const char from[] = "ocuments";
    static const char to[] = "tretches";
    char *out = (char *)make_text("%s", text);
    if (!data_is_real(corpus)) return text;
    for (char *at = out + 1; *at != '\0'; at++) {
        if (strncmp(at, from, sizeof from - 1) != 0) continue;
        memcpy(at, to, sizeof to - 1);
        at[-1] = at[-1] == 'D' ? 'S' : 's';
    }
    return out;
}

const char *data_label(const char *arm) {
    for (size_t i = 0; i < N_ARMS; i++)
        if (same_text(arm, arms[i].arm)) return arms[i].name;
    return arm;
}

/* What is found where there is nothing to be found, so that a group is never NULL: one for each
   arm, which knows its name. */
static const data_group *no_group(const char *arm) {
    static data_group none[N_ARMS + 1];
    size_t i = 0;
    while (i < N_ARMS && !same_text(arm, arms[i].arm))
        i++;
    none[i] = (data_group){.corpus = "",
                           .set = "",
                           .arm = "",
                           .label = data_label(arm),
                           .ratio = NAN,
                           .noise = NAN,
                           .target = NAN,
                           .size = NAN,
                           .clean = NAN,
                           .wrong = NAN,
                           .steps = NAN};
    if (i < N_ARMS) none[i].arm = arms[i].arm;
    return &none[i];
}

/* ---- groups ---- */
static int same_number(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) < 1e-9;
}

static int is_group(const data_group *g, const char *corpus, const char *set, const char *arm) {
    return same_text(g->corpus, corpus) && same_text(g->set, set) && same_text(g->arm, arm);
}

static int same_keys(const data_group *a, const data_group *b) {
    return is_group(a, b->corpus, b->set, b->arm) && same_number(a->ratio, b->ratio) &&
           same_number(a->noise, b->noise) && same_number(a->target, b->target) &&
           same_number(a->size, b->size) && same_number(a->clean, b->clean) &&
           same_number(a->wrong, b->wrong) && same_number(a->steps, b->steps);
}

const char *data_text(const csv_table *t, size_t row, const char *column) {
    return csv_text(t, row, csv_column(t, column));
}

double data_number(const csv_table *t, size_t row, const char *column) {
    return csv_number(t, row, csv_column(t, column));
}

static data_group keys_of_row(const csv_table *t, size_t row) {
    double ratio = data_number(t, row, "ratio");
    return (data_group){.corpus = data_text(t, row, "corpus"),
                        .set = data_text(t, row, "set"),
                        .arm = data_text(t, row, "arm"),
                        .ratio = ratio > 0 ? ratio : NAN, /* NaN: nothing is selected */
                        .noise = data_number(t, row, "noise"),
                        .target = data_number(t, row, "target_share"),
                        .size = data_number(t, row, "size"),
                        .clean = data_number(t, row, "clean_bytes"),
                        .wrong = data_number(t, row, "wrong"),
                        .steps = data_number(t, row, "steps")};
}

static void name_group(data_group *g) {
    size_t i = 0;
    while (i < N_ARMS && !same_text(g->arm, arms[i].arm))
        i++;
    g->style = i < N_ARMS ? arms[i].style : 0;
    g->label = i < N_ARMS ? data_wording(arms[i].name, g->corpus) : g->arm;
    const int keeps_all = same_text(g->arm, "soft"); /* its ratio means nothing */
    if (g->ratio > 0 && g->ratio < 1 && !keeps_all)
        g->label = make_text("%s %.0f%%", g->label, 100 * g->ratio);
    g->is_measure_only = same_text(g->arm, "reference") || same_text(g->arm, "base");
}

/* The group of these keys, made if there is none. */
static data_group *group_of(data *d, const data_group *keys) {
    data_group **place = &d->groups;
    while (*place != NULL && !same_keys(*place, keys))
        place = &(*place)->next;
    if (*place == NULL) {
        *place = (data_group *)new_room(sizeof *keys);
        **place = *keys;
        name_group(*place);
    }
    return *place;
}

/* Adds a row to the last run of its group, or begins a new run: a run is a stretch of rows of one
   seed. */
static void add_to_run(const data *d, data_group *g, size_t row) {
    const csv_table *t = &d->csv[CURVES];
    const char *seed = data_text(t, row, "seed");
    data_run *last = g->n > 0 ? &g->run[g->n - 1] : NULL;
    if (last != NULL && last->first + last->n == row && same_text(last->seed, seed))
        last->n++;
    else if (g->n < MAX_SEEDS)
        g->run[g->n++] = (data_run){d, seed, data_text(t, row, "run"), row, 1,
                                    data_number(t, row, "lr")};
}

/* ---- files ---- */
size_t data_row(const csv_table *t, ...) {
    size_t row = 0;
    int is_found = 0;
    while (row < t->rows && !is_found) {
        const char *column;
        va_list args;
        is_found = 1;
        va_start(args, t);
        while ((column = va_arg(args, const char *)) != NULL)
            is_found &= same_text(data_text(t, row, column), va_arg(args, const char *));
        va_end(args);
        row += !is_found;
    }
    return row;
}

/* times.csv has run,tokens,seconds; gives each point of a run its seconds. */
static void set_seconds(data *d, const data_run *run) {
    const csv_table *t = &d->csv[TIMES];
    for (size_t row = data_row(t, "run", run->name, NULL); row < t->rows; row++) {
        if (!same_text(data_text(t, row, "run"), run->name)) return;
        for (size_t p = 0; p < run->n; p++)
            if (run_at(run, p, TOKENS) == data_number(t, row, "tokens"))
                d->seconds[run->first + p] = data_number(t, row, "seconds");
    }
}

void data_free(data *d) {
    for (int i = 0; i < DATA_FILES; i++)
        csv_free(&d->csv[i]);
}

int data_load(data *d, const char *dir) {
    static const char *const names[DATA_FILES] = {"curves",     "times",    "trajectories",
                                                  "selections", "settings", "tuning",
                                                  "ranks",      "leaks",    "unseen",
                                                  "trajectories_real", "run"};
    csv_status status[DATA_FILES];
    memset(d, 0, sizeof *d);
    for (int i = 0; i < DATA_FILES; i++)
        status[i] = csv_load(&d->csv[i], make_text("%s/%s.csv", dir, names[i]));
    if (status[CURVES] != CSV_READ) {
        fprintf(stderr, "%.300s/curves.csv: %s\n", dir,
                status[CURVES] == CSV_MISSING
                    ? "there is none, or nothing in it; make repro writes it"
                    : "cannot be read");
        data_free(d);
        return 0;
    }
    for (int c = 0; c < SECONDS; c++)
        d->column[c] = csv_column(&d->csv[CURVES], column_names[c]);
    d->seconds = new_numbers(d->csv[CURVES].rows);
    for (size_t row = 0; row < d->csv[CURVES].rows; row++) {
        data_group keys = keys_of_row(&d->csv[CURVES], row);
        add_to_run(d, group_of(d, &keys), row);
    }
    for (data_group *g = d->groups; g != NULL; g = g->next)
        for (size_t k = 0; k < g->n; k++)
            set_seconds(d, &g->run[k]);
    return 1;
}

size_t data_distinct(const csv_table *t, const char *column, const char **list, size_t max) {
    size_t n = 0;
    for (size_t row = 0; row < t->rows; row++) {
        const char *text = data_text(t, row, column);
        if (data_row(t, column, text, NULL) == row && n < max) list[n++] = text;
    }
    return n;
}

/* ---- groups by name ---- */
const data_group *data_next(const data *d, const data_group *last, const char *corpus,
                            const char *set, const char *arm) {
    const data_group *g = last == NULL ? d->groups : last->next;
    while (g != NULL && !is_group(g, corpus, set, arm))
        g = g->next;
    return g;
}

const data_group *data_find(const data *d, const char *corpus, const char *set, const char *arm) {
    const data_group *best = no_group(arm);
    const data_group *g = NULL;
    while ((g = data_next(d, g, corpus, set, arm)) != NULL) {
        if (g->n > best->n || (g->n == best->n &&
                               data_mean_end(g, VALID_LOSS) < data_mean_end(best, VALID_LOSS)))
            best = g;
    }
    return best;
}

size_t data_count_ratios(const data *d, const data_group *g) {
    const data_group *other = NULL;
    size_t n = 0;
    while ((other = data_next(d, other, g->corpus, g->set, g->arm)) != NULL)
        n++;
    return n;
}

const data_group *data_main(const data *d, const char *corpus, const char *arm) {
    return data_find(d, corpus, "main", arm);
}

const data_group *data_find_arm(const data *d, const char *corpus, const char *set,
                                const char *arm) {
    static const char *const alike[] = {"main", "documents", "followers", "remedies"};
    const data_group *g = data_find(d, corpus, set, arm);
    int is_alike = 0;
    for (size_t i = 0; i < COUNT(alike); i++)
        is_alike |= same_text(set, alike[i]);
    for (size_t i = 0; i < COUNT(alike) && g->n == 0 && is_alike; i++)
        g = data_find(d, corpus, alike[i], arm);
    return g;
}

static const data_group *find_clean_in(const data *d, const char *set, const char *arm,
                                       double bytes) {
    const data_group *g = NULL;
    while ((g = data_next(d, g, "builtin", set, arm)) != NULL)
        if (fabs(g->clean - bytes) < 0.5) return g;
    return no_group(arm);
}

const data_group *data_find_clean(const data *d, const char *arm, double bytes) {
    const data_group *own = find_clean_in(d, "clean", arm, bytes);
    return own->n > 0 ? own : find_clean_in(d, "main", arm, bytes);
}

const data_group *data_find_plain(const data *d, const char *set) {
    const data_group *own = data_find(d, "builtin", set, "clm");
    return own->n > 0 ? own : data_main(d, "builtin", "clm");
}

size_t data_arms(const data *d, const char *corpus, const data_group **list) {
    size_t n = 0;
    for (size_t a = 0; a < N_ARMS; a++) {
        const data_group *g = NULL;
        while ((g = data_next(d, g, corpus, "main", arms[a].arm)) != NULL)
            if (n < MAX_ARMS) list[n++] = g;
    }
    return n;
}

const data_run *data_seed(const data_group *g, const char *seed) {
    for (size_t i = 0; i < g->n; i++)
        if (same_text(g->run[i].seed, seed)) return &g->run[i];
    return NULL;
}

const data_run *data_pair(const data_group *g, const char *seed) {
    if (g->n == 1 && g->is_measure_only) return &g->run[0];
    return data_seed(g, seed);
}

int data_selects_by_excess(const data_group *g) {
    return strncmp(g->arm, "slm", 3) == 0 || same_text(g->arm, "null_reference");
}

int data_has_corpus(const data *d, const char *corpus) {
    return data_main(d, corpus, "clm")->n > 0;
}

int data_has_accuracy(const data *d, const char *corpus) {
    for (const data_group *g = d->groups; g != NULL; g = g->next)
        if (same_text(g->corpus, corpus) && isfinite(data_mean_end(g, TARGET_ACCURACY))) return 1;
    return 0;
}

/* ---- sweeps ---- */
double data_ratio(const data_group *g) {
    return isnan(g->ratio) ? 1 : g->ratio;
}

static int comes_after(const data_group *a, const data_group *b) {
    if (a->size < b->size || a->size > b->size) return a->size > b->size;
    if (data_ratio(a) < data_ratio(b) || data_ratio(a) > data_ratio(b))
        return data_ratio(a) > data_ratio(b);
    return a->steps > b->steps;
}

size_t data_sweep(const data *d, const char *set, const char *arm, const data_group **list) {
    const data_group *g = NULL;
    size_t n = 0;
    while ((g = data_next(d, g, "builtin", set, arm)) != NULL) {
        if (n == MAX_SWEEP) break;
        size_t place = n++;
        for (; place > 0 && comes_after(list[place - 1], g); place--)
            list[place] = list[place - 1];
        list[place] = g;
    }
    return n;
}

/* Inserts a number into a list that has it not yet. */
static void insert_number(data_list *list, double v) {
    size_t place = 0;
    while (place < list->n && list->x[place] < v - 1e-9)
        place++;
    if (!isfinite(v) || list->n == MAX_SWEEP) return;
    if (place < list->n && same_number(list->x[place], v)) return;
    memmove(list->x + place + 1, list->x + place, (list->n - place) * sizeof v);
    list->x[place] = v;
    list->n++;
}

data_list data_clean_sizes(const data *d) {
    data_list sizes = {.n = 0};
    const data_group *g = NULL;
    while ((g = data_next(d, g, "builtin", "clean", "slm")) != NULL)
        insert_number(&sizes, g->clean);
    return sizes;
}

data_grid data_map(const data *d) {
    data_grid grid = {.noise = {.n = 0}};
    const data_group *g = NULL;
    while ((g = data_next(d, g, "builtin", "map", "slm")) != NULL) {
        insert_number(&grid.noise, g->noise);
        insert_number(&grid.ratio, g->ratio);
        insert_number(&grid.target, g->target);
    }
    if (grid.target.n == 0) grid.target.x[grid.target.n++] = NAN;
    grid.n = grid.ratio.n * grid.noise.n * grid.target.n;
    return grid;
}

/* A group of the map; target or ratio NaN: any. */
static const data_group *map_group(const data *d, const char *arm, double noise, double target,
                                   double ratio) {
    const data_group *g = NULL;
    while ((g = data_next(d, g, "builtin", "map", arm)) != NULL)
        if (same_number(g->noise, noise) && (isnan(target) || same_number(g->target, target)) &&
            (isnan(ratio) || same_number(g->ratio, ratio)))
            return g;
    return no_group(arm);
}

sooner data_map_sooner(const data *d, double noise, double ratio, data_column y) {
    const data_group *plain = map_group(d, "clm", noise, NAN, NAN);
    return data_sooner(map_group(d, "slm", noise, NAN, ratio), plain, TOKENS, y);
}

data_setting data_map_setting(const data *d, const data_grid *grid, size_t index, data_column y) {
    data_setting at = {.ratio = index % grid->ratio.n,
                       .noise = index / grid->ratio.n % grid->noise.n,
                       .target = index / grid->ratio.n / grid->noise.n};
    double noise = grid->noise.x[at.noise];
    double target = grid->target.x[at.target];
    const data_group *slm = map_group(d, "slm", noise, target, grid->ratio.x[at.ratio]);
    at.s = data_sooner(slm, map_group(d, "clm", noise, target, NAN), TOKENS, y);
    at.name = make_text("noise %.0f%%", 100 * noise);
    if (grid->target.n > 1) at.name = make_text("target %.0f%%, %s", 100 * target, at.name);
    return at;
}

/* ---- numbers of a run, and estimates over the seeds ---- */
double run_at(const data_run *run, size_t point, data_column c) {
    size_t row = run->first + point;
    if (point >= run->n) return NAN;
    if (c == SECONDS) return run->data->seconds[row];
    return csv_number(&run->data->csv[CURVES], row, run->data->column[c]);
}

double run_end(const data_run *run, data_column c) {
    return run_at(run, run->n - 1, c);
}

double run_change(const data_run *run, data_column c) {
    return run_end(run, c) - run_at(run, 0, c);
}

estimate data_over_seeds(const data_group *g, run_number *number, data_column c) {
    double v[MAX_SEEDS] = {0};
    for (size_t i = 0; i < g->n; i++)
        v[i] = number(&g->run[i], c);
    return stats_estimate(v, g->n);
}

double data_mean_end(const data_group *g, data_column c) {
    return data_over_seeds(g, run_end, c).value;
}

estimate data_difference_without(const char *seed, const data_group *g, const data_group *other,
                                 data_column c) {
    double v[MAX_SEEDS] = {0};
    for (size_t i = 0; i < g->n; i++) {
        const data_run *pair = data_pair(other, g->run[i].seed);
        const int is_left_out = same_text(g->run[i].seed, seed);
        v[i] = pair == NULL || is_left_out ? NAN : run_end(&g->run[i], c) - run_end(pair, c);
    }
    return stats_estimate(v, g->n);
}

estimate data_difference(const data_group *g, const data_group *other, data_column c) {
    return data_difference_without("", g, other, c);
}

estimate data_gain(const data_group *g, const data_group *other) {
    estimate accuracy = data_difference(g, other, TARGET_ACCURACY);
    if (accuracy.n > 0) return stats_scale(accuracy, 100);
    return stats_scale(data_difference(g, other, TARGET_LOSS), -1);
}
