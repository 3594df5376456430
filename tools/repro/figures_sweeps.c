/* figures_sweeps.c: figure 9, tables 3 to 5, less clean text, the controls. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "findings.h"

/* ---- a series over a sweep: one point per group, one row per seed ---- */
typedef struct sweep {
    const char *name;
    int style;
    const double *x;               /* (n) */
    const data_group *const *list; /* (n) */
    size_t n;
} sweep;

/* Adds where the groups end.  Returns 0 if there is no value. */
static int add_sweep(findings *all, curve_set *set, const sweep *w, data_column y) {
    size_t runs = 0;
    for (size_t i = 0; i < w->n; i++)
        runs = w->list[i]->n > runs ? w->list[i]->n : runs;
    double *value = new_numbers(all, w->n * runs + 1);
    for (size_t i = 0; i < w->n; i++) {
        const data_group *g = w->list[i];
        for (size_t k = 0; k < g->n; k++)
            value[k * w->n + i] = data_end(&all->d, &g->run[k], y) * metric_scale(y);
    }
    set->series[set->n] = (figure_series){
        .name = w->name, .x = w->x, .y = value, .n = w->n, .runs = runs, .style = w->style};
    return keep_series(set);
}

/* ---- figure 9 ---- */
static const struct {
    double ratio, score;
} paper_ratios[6] = {{0.4, 12.85}, {0.5, 14.0}, {0.6, 14.85}, {0.7, 10.6}, {0.8, 7.45}, {1.0, 4.4}};

static void draw_ratios_by(findings *all, const char *name, const char *title, data_column y) {
    const data_group *list[MAX_SWEEP];
    const data_group *plain = data_find_plain(&all->d, "builtin", "ratio");
    size_t n = data_sweep(&all->d, "ratio", "slm", BY_RATIO, list);
    double *x = new_numbers(all, n + 1);
    double *paper = new_numbers(all, n + 1);
    const figure_rule rule = {data_mean_end(&all->d, plain, y) * metric_scale(y), 0, "plain (CLM)"};
    char caption[400];
    curve_set set;
    set.n = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = 100 * data_ratio(list[i]);
        for (size_t k = 0; k < 6; k++)
            if (fabs(x[i] - 100 * paper_ratios[k].ratio) < 1e-6) paper[i] = paper_ratios[k].score;
    }
    const sweep w = {"selective (SLM)", arm_style("slm"), x, list, n};
    if (!add_sweep(all, &set, &w, y)) return;
    set.paper[0] = paper;
    snprintf(caption, sizeof caption,
             "100%% must be plain training exactly.  Paper (mean of GSM8K and MATH):");
    for (size_t i = 0; i < 6; i++)
        SAY(caption, "%s %.0f%%: %.1f", i == 0 ? "" : ",", 100 * paper_ratios[i].ratio,
            paper_ratios[i].score);
    SAY(caption, "; best at 60%%.");
    const drawing d = {.f = {.title = title,
                             .x = {.label = "tokens kept (%)"},
                             .y = {.label = metric_label("builtin", y)},
                             .rules = &rule,
                             .n_rules = 1},
                       .name = name,
                       .caption = caption,
                       .axis = "ratio_percent"};
    draw_lines(all, &d, &set);
}

int draw_ratios(findings *all) {
    const data_group *list[MAX_SWEEP];
    if (data_sweep(&all->d, "ratio", "slm", BY_RATIO, list) == 0) return 0;
    draw_ratios_by(all, "fig9_builtin_loss",
                   "Paper's figure 9: target loss at the end by the ratio that is kept",
                   TARGET_LOSS);
    draw_ratios_by(all, "fig9_builtin_accuracy",
                   "Paper's figure 9: accuracy at the end by the ratio that is kept",
                   TARGET_ACCURACY);
    return 1;
}

/* ---- tables 3, 4 and 5: where selective training ends, less where plain training ends ---- */
typedef struct bar_rows {
    const data_group *group[MAX_SWEEP];
    char label[MAX_SWEEP][80];
    double paper[MAX_SWEEP];
    size_t n;
} bar_rows;

static void add_bar(bar_rows *rows, const data_group *g, double paper, const char *format,
                    double number) {
    if (g->n == 0 || rows->n == MAX_SWEEP) return;
    rows->group[rows->n] = g;
    rows->paper[rows->n] = paper;
    snprintf(rows->label[rows->n], sizeof rows->label[0], format, number);
    rows->n++;
}

/* words: title, name, caption. */
static int draw_gains(findings *all, const bar_rows *rows, const data_group *plain,
                      const drawing *words) {
    static const char *const cols[1] = {""};
    static const char *const by_accuracy =
        "accuracy at the end less plain training's, points; right of 0 is better; 95% bootstrap "
        "interval over paired seeds";
    static const char *const by_loss =
        "target loss at the end less plain training's; left of 0 is better; 95% bootstrap interval "
        "over paired seeds";
    const data_column y = best_metric(all, plain->corpus);
    const char *labels[MAX_SWEEP];
    drawing d = *words;
    number_table t = new_table(all, rows->n, 1);
    for (size_t i = 0; i < rows->n; i++) {
        estimate e = data_difference(&all->d, rows->group[i], plain, y);
        set_cell(&t, i, &e, metric_scale(y));
        t.paper[i] = rows->paper[i];
        labels[i] = rows->label[i];
    }
    t.t.rows = labels;
    t.t.cols = cols;
    t.t.digits = y == TARGET_ACCURACY ? 1 : 3;
    d.f.subtitle = y == TARGET_ACCURACY ? by_accuracy : by_loss;
    if (t.n_values > 0) draw_bars(all, &d, &t);
    return t.n_values > 0;
}

/* The paper's gain at a ratio, with the reference trained on the noisy corpus; NaN: not tried. */
static double paper_self_gain(double ratio) {
    static const struct {
        double ratio, gain;
    } theirs[5] = {{0.9, 1.9}, {0.8, 1.9}, {0.7, 2.4}, {0.6, 1.5}, {0.5, -0.8}};

    for (size_t k = 0; k < 5; k++)
        if (fabs(ratio - theirs[k].ratio) < 1e-9) return theirs[k].gain;
    return NAN;
}

int draw_self(findings *all) {
    static const struct {
        const char *arm, *label;
        int in_paper;
    } arms[5] = {{"slm", "excess loss, keep %.0f%%", 1},
                 {"ref", "reference loss, keep %.0f%%", 1},
                 {"entropy", "entropy, keep %.0f%%", 0},
                 {"intersect", "both, at %.0f%%", 0},
                 {"union", "either, at %.0f%%", 0}};

    bar_rows rows;
    rows.n = 0;
    for (size_t a = 0; a < 5; a++) {
        const data_group *list[MAX_SWEEP];
        size_t n = data_sweep(&all->d, "self", arms[a].arm, BY_RATIO, list);
        for (size_t i = 0; i < n; i++)
            add_bar(&rows, list[i], arms[a].in_paper ? paper_self_gain(list[i]->ratio) : NAN,
                    arms[a].label, 100 * list[i]->ratio);
    }
    const drawing d = {
        .f = {.title = "Paper's tables 3 and 4: the reference trained on the noisy corpus itself"},
        .name = "table3_self",
        .caption = "No clean text at all.  Paper (score: reference loss): +1.9 at 90% and 80%, "
                   "+2.4 at 70%, +1.5 at 60%, \xE2\x88\x92"
                   "0.8 at 50%; with a curated reference +16.5."};
    if (rows.n == 0) return 0;
    return draw_gains(all, &rows, data_find_plain(&all->d, "builtin", "self"), &d);
}

int draw_weak(findings *all) {
    const data_group *list[MAX_SWEEP];
    size_t n = data_sweep(&all->d, "weak", "slm", BY_SIZE, list);
    bar_rows rows;
    rows.n = 0;
    for (size_t i = 0; i < n; i++)
        add_bar(&rows, list[i], list[i]->size < 0.9 ? 0.9 : NAN,
                "reference %.3g times the model's size", list[i]->size);
    const drawing d = {
        .f = {.title = "Paper's table 5: a small reference guides a larger model"},
        .name = "table5_weak",
        .caption =
            "Paper: a 1.1B reference guides a 7B model (0.16 times its size): +0.9 points on "
            "average."};
    if (rows.n == 0) return 0;
    return draw_gains(all, &rows, data_find_plain(&all->d, "builtin", "weak"), &d);
}

/* ---- as the clean text shrinks ---- */
/* Plain training does not know of the clean text: it is the same at every size. */
int draw_clean(findings *all) {
    static const char *const arms[6] = {"clm",       "slm",   "slm_tuned",
                                        "clm_tuned", "mixed", "reference"};
    const data_column y = best_metric(all, "builtin");
    double *sizes = new_numbers(all, MAX_SWEEP);
    size_t n = data_clean_sizes(&all->d, sizes);
    curve_set set;
    set.n = 0;
    for (size_t a = 0; a < 6 && n > 0; a++) {
        const data_group *list[MAX_SWEEP];
        const data_group *named = NULL;
        for (size_t i = 0; i < n; i++) {
            list[i] = a == 0 ? data_find(&all->d, "builtin", "clean", "clm")
                             : data_find_clean(&all->d, arms[a], sizes[i]);
            if (list[i]->n > 0) named = list[i];
        }
        if (named == NULL) continue;
        const char *name = arm_label(set.label[set.n], sizeof set.label[0], named);
        const sweep w = {name, arm_style(arms[a]), sizes, list, n};
        (void)add_sweep(all, &set, &w, y);
    }
    const drawing d = {
        .f = {.title = "What selective training adds, as the clean text shrinks",
              .subtitle = "where each arm ends; \"then clean text\": the last steps are on the "
                          "clean text, at equal total tokens",
              .x = {.label = "bytes of clean text (logarithmic)", .log = 1},
              .y = {.label = metric_label("builtin", y)}},
        .name = "clean_builtin",
        .caption = "Not in the paper.  The reference, tuned on the clean text alone, is the line "
                   "to beat.",
        .axis = "clean_bytes"};
    if (set.n > 0) draw_lines(all, &d, &set);
    return set.n > 0;
}

/* ---- the controls: plain and selective curves of a set of its own ---- */
static int draw_pair(findings *all, const char *set_name, const char *title, const char *caption) {
    static const char *const arms[2] = {"clm", "slm"};
    char name[96];
    curve_set set;
    set.n = 0;
    for (size_t a = 0; a < 2; a++)
        (void)add_curve(all, &set, data_find(&all->d, "builtin", set_name, arms[a]), TOKENS,
                        TARGET_LOSS, 2);
    if (set.n < 2) return 0;
    snprintf(name, sizeof name, "%.40s_builtin", set_name);
    const drawing d = {.f = {.title = title,
                             .x = {.label = "tokens processed"},
                             .y = {.label = metric_label("builtin", TARGET_LOSS)},
                             .height = 380},
                       .name = name,
                       .caption = caption};
    draw_lines(all, &d, &set);
    return 1;
}

int draw_control(findings *all) {
    return draw_pair(all, "control",
                     "Negative control: clean text of the target's own distribution",
                     "No gain is the right answer here.");
}

int draw_scratch(findings *all) {
    return draw_pair(all, "scratch", "From scratch: both arms begin with random weights",
                     "Not in the paper, which always continues from a strong base.");
}
