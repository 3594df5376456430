/* figures_training.c: figure 1 against five measures of cost, "N times sooner", the map; figure 9,
 * tables 3 to 5, less clean text, the controls. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "findings.h"

/* ---- figure 1 ---- */
typedef struct family {
    const char *ending, *title, *arms[12];
} family;

static const family families[3] = {
    {"", "plain, selective and the two naive selections", {"clm", "slm", "random", "loss"}},
    {"_scores",
     "other scores and references",
     {"clm", "slm", "slm_sequence", "ref", "entropy", "intersect", "union", "null_reference"}},
    {"_clean",
     "what clean text and known truth give",
     {"clm", "slm", "oracle", "filtered", "mixed", "clm_tuned", "slm_tuned"}}};

enum { NAIVE, SCORES, CLEAN };

typedef struct cost {
    data_column column;
    const char *name, *label, *title;
} cost;

static const cost costs[5] = {
    {TOKENS, "tokens", "tokens processed", "tokens processed"},
    {TRAINED, "trained", "tokens trained on", "tokens trained on"},
    {FLOPS, "flops", "training arithmetic (flop)", "arithmetic of the training alone"},
    {FLOPS_ALL, "flops_all", "arithmetic with reference and scoring (flop)",
     "arithmetic, reference and scoring counted"},
    {SECONDS, "seconds", "seconds of training", "seconds of one core of this machine"}};

/* What is said about a metric of the target, and what the paper's plain and selective training end
   with: loss on MetaMath; mean of GSM8K and MATH in percent. */
typedef struct metric_words {
    const char *name, *title, *direction, *result_title, *paper;
    double paper_plain, paper_selective;
} metric_words;

static const metric_words *words_of(data_column metric) {
    static const metric_words accuracy = {
        "accuracy",
        "Target accuracy",
        "Higher",
        "Selective against plain training: right results on the target",
        "Paper, 1.1B, mean of GSM8K and MATH in percent: from 3.0 to 5.6 plain, to 21.9 "
        "selective.",
        5.6,
        21.9};
    static const metric_words loss = {
        "loss",
        "Target loss",
        "Lower",
        "Selective against plain training: loss on the target",
        "Paper, loss on MetaMath after 4B tokens: 0.965 plain, 0.859 selective.",
        0.965,
        0.859};
    return metric == TARGET_ACCURACY ? &accuracy : &loss;
}

/* What the paper's arm of this look ends with; NaN: it is neither plain nor selective. */
static double paper_end(const metric_words *words, int style) {
    if (style == arm_style("clm")) return words->paper_plain;
    return style == arm_style("slm") ? words->paper_selective : NAN;
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

/* The arms of a family that were run, each ratio a curve of its own. */
static void collect_family(findings *all, curve_set *set, const char *corpus, const family *of,
                           data_column x, data_column y) {
    set->n = 0;
    for (size_t a = 0; of->arms[a] != NULL; a++)
        for (size_t i = 0; i < all->d.n_groups; i++)
            if (data_is(&all->d.group[i], corpus, "main", of->arms[a]))
                (void)add_curve(all, set, &all->d.group[i], x, y, 2);
    restyle(set->series, set->n < 9 ? set->n : 8);
}

/* Whether any arm of the family besides plain and selective was run. */
static int has_family(const findings *all, const char *corpus, const family *of) {
    for (size_t a = 2; of->arms[a] != NULL; a++)
        if (data_find(&all->d, corpus, "main", of->arms[a])->n > 0) return 1;
    return 0;
}

/* The arrow from plain training's end to where selective training has passed it. */
typedef struct lead {
    figure_arrow arrow;
    char text[64];
    sooner s;
} lead;

static void set_lead(const findings *all, lead *out, const char *corpus, data_column x,
                     data_column y) {
    const data_group *clm = data_find(&all->d, corpus, "main", "clm");
    const data_group *slm = data_find(&all->d, corpus, "main", "slm");
    double level = data_mean_end(&all->d, clm, y) * metric_scale(y);
    double end = data_mean_end(&all->d, clm, x);
    out->s = data_sooner(&all->d, slm, clm, x, y);
    snprintf(out->text, sizeof out->text, "%.1fx sooner", out->s.e.value);
    out->arrow.x0 = end;
    out->arrow.x1 = end / out->s.e.value;
    out->arrow.y0 = out->arrow.y1 = level;
    out->arrow.text = out->text;
    out->arrow.below = y != TARGET_ACCURACY;
}

static void show_lead(figure *f, const lead *l) {
    if (!isfinite(l->s.e.value) || l->s.e.value <= 1.15) return; /* too short to be seen */
    f->arrows = &l->arrow;
    f->n_arrows = 1;
}

static void draw_family(findings *all, const char *corpus, const family *of, const cost *x,
                        data_column y) {
    const metric_words *words = words_of(y);
    const data_group *clm = data_find(&all->d, corpus, "main", "clm");
    const data_group *ref = data_find(&all->d, corpus, "main", "reference");
    const figure_rule rule = {data_mean_end(&all->d, ref, y) * metric_scale(y), 0,
                              "the reference itself"};
    char name[128], title[200], caption[500], note[200];
    curve_set set;
    lead l;
    collect_family(all, &set, corpus, of, x->column, y);
    if (set.n == 0 || (of != &families[NAIVE] && !has_family(all, corpus, of))) return;
    for (size_t i = 0; i < set.n; i++)
        set_paper(all, &set, i, paper_end(words, set.series[i].style));
    snprintf(name, sizeof name, "fig1_%.40s_%s_%s%s", corpus, words->name, x->name, of->ending);
    snprintf(title, sizeof title, "%s against %s: %s", words->title, x->title, of->title);
    snprintf(note, sizeof note, "%s; %zu seed%s, paired: same base, data and order.",
             corpus_name(corpus, IN_TITLE), clm->n, clm->n == 1 ? "" : "s");
    if (clm->n > 1) SAY(note, "  Thin: seeds; band: 95%% interval of the mean (Student's t).");
    snprintf(caption, sizeof caption,
             "%s is better.  The arrow leads from plain training's end to where selective training "
             "has passed it.  %s",
             words->direction, words->paper);
    drawing d = {.f = {.title = title,
                       .note = note,
                       .x = {.label = x->label},
                       .y = {.label = metric_label(corpus, y)},
                       .height = 460},
                 .name = name,
                 .caption = caption,
                 .axis = x->name};
    if (isfinite(rule.value)) {
        d.f.rules = &rule;
        d.f.n_rules = 1;
    }
    set_lead(all, &l, corpus, x->column, y);
    show_lead(&d.f, &l);
    draw_lines(all, &d, &set);
}

/* The one picture: plain, selective and random, with the arrow. */
void draw_result(findings *all) {
    static const family picture = {"", "", {"clm", "slm", "random"}};
    const char *corpus = data_has_corpus(&all->d, "builtin") ? "builtin" : "openstax";
    const data_group *clm = data_find(&all->d, corpus, "main", "clm");
    data_column y = best_metric(all, corpus);
    char note[200], subtitle[200];
    curve_set set;
    lead l;
    collect_family(all, &set, corpus, &picture, TOKENS, y);
    if (set.n == 0) return;
    snprintf(subtitle, sizeof subtitle,
             "%s; the same base, the same text in the same order; %s is better",
             corpus_name(corpus, IN_TITLE), y == TARGET_ACCURACY ? "higher" : "lower");
    snprintf(note, sizeof note, "make repro; %zu seed%s", clm->n, clm->n == 1 ? "" : "s");
    if (clm->n > 1) SAY(note, " (thin) and the 95%% interval of their mean (band)");
    drawing d = {.f = {.title = words_of(y)->result_title,
                       .subtitle = subtitle,
                       .note = note,
                       .x = {.label = "tokens processed"},
                       .y = {.label = metric_label(corpus, y)}},
                 .name = "result",
                 .caption = "The arrow leads from plain training's end to where selective training "
                            "has passed it; in brackets the 95% bootstrap interval over seeds."};
    set_lead(all, &l, corpus, TOKENS, y);
    if (l.s.seeds > 1) SAY(l.text, " [%.1f, %.1f]", l.s.e.low, l.s.e.high);
    show_lead(&d.f, &l);
    all->set = "main";
    draw_lines(all, &d, &set);
    all->set = NULL;
}

/* ---- N times sooner ---- */
static void draw_sooner(findings *all, const char *corpus) {
    static const char *const cols[2] = {"by target loss", "by target accuracy"};
    static const data_column metrics[2] = {TARGET_LOSS, TARGET_ACCURACY};
    static const figure_rule rules[3] = {{1, 1, ""}, {5, 1, "paper, 7B"}, {10, 1, "paper, 1.1B"}};
    const data_group *list[32], *clm = data_find(&all->d, corpus, "main", "clm");
    size_t n = main_groups(all, corpus, list, 32), used = 0;
    size_t n_cols = data_has_accuracy(&all->d, corpus) ? 2 : 1;
    double lowest = 0.45, highest = 12;
    char label[32][64], name[96];
    const char *rows[32];
    number_table t = new_table(all, n, n_cols);
    for (size_t i = 0; i < n; i++) {
        if (is_measure_only(list[i])) continue;
        for (size_t j = 0; j < n_cols; j++) {
            sooner s = data_sooner(&all->d, list[i], clm, TOKENS, metrics[j]);
            set_cell(&t, used * n_cols + j, &s.e, 1);
            if (s.e.value > highest) highest = s.e.value;
            if (s.e.high > highest) highest = s.e.high;
            if (s.e.low < lowest) lowest = s.e.low;
        }
        if (strcmp(list[i]->arm, "slm") == 0) t.paper[(used + 1) * n_cols - 1] = 10;
        rows[used] = arm_label(label[used], sizeof label[used], list[i]);
        used++;
    }
    if (used == 0) return;
    t.t.rows = rows;
    t.t.cols = cols;
    t.t.n_rows = used;
    t.t.digits = 2;
    t.t.unit = "x";
    t.t.none = "not reached";
    snprintf(name, sizeof name, "fig1_%.40s_sooner", corpus);
    const drawing d = {
        .f = {.title = "How many times sooner does each arm pass plain training's end?",
              .subtitle = "tokens of plain training / tokens until its final target metric is "
                          "passed; 95% bootstrap interval over seeds",
              .x = {.label = "times sooner (logarithmic)",
                    .log = 1,
                    .low = lowest / 1.1,
                    .high = highest * 1.15},
              .rules = rules,
              .n_rules = 3},
        .name = name,
        .caption = "Paired by seed; geometric mean.  Not reached: at least half of the seeds never "
                   "pass it.  Dotted: the paper's two claims."};
    draw_bars(all, &d, &t);
}

void draw_figure1(findings *all, const char *corpus) {
    char title[80];
    snprintf(title, sizeof title, "Figure 1: %.60s", corpus_name(corpus, IN_TITLE));
    page_section(&all->page, title,
                 "All arms start from the same base and see the same text in the same order; the "
                 "learning rate of each was chosen on a validation part.  N x sooner: tokens of "
                 "plain training / tokens until its final target metric is passed.");
    all->set = "main";
    draw_family(all, corpus, &families[NAIVE], &costs[0], TARGET_LOSS);
    draw_family(all, corpus, &families[NAIVE], &costs[0], TARGET_ACCURACY);
    draw_sooner(all, corpus);
    report_arms(all, corpus);
    draw_family(all, corpus, &families[CLEAN], &costs[0], TARGET_LOSS);
    draw_family(all, corpus, &families[CLEAN], &costs[0], TARGET_ACCURACY);
    draw_family(all, corpus, &families[SCORES], &costs[0], TARGET_LOSS);
    page_details_begin(&all->page, "The same against tokens trained on, arithmetic and seconds");
    for (int i = 1; i < 5; i++) {
        draw_family(all, corpus, &families[NAIVE], &costs[i], TARGET_LOSS);
        draw_family(all, corpus, &families[NAIVE], &costs[i], TARGET_ACCURACY);
    }
    page_details_end(&all->page);
}

/* ---- the map: noise share by ratio ---- */
static void name_row(char *text, size_t size, const data_grid *grid, size_t target, size_t noise) {
    *text = '\0';
    if (grid->n_target > 1) append_text(text, size, "target %.0f%%, ", 100 * grid->target[target]);
    append_text(text, size, "noise %.0f%%", 100 * grid->noise[noise]);
}

static int draw_map_of(findings *all, const char *name, const char *title, data_column y) {
    const data_grid grid = data_map(&all->d);
    const char *rows[MAX_GRID * MAX_GRID], *cols[MAX_GRID];
    char row[MAX_GRID * MAX_GRID][64], col[MAX_GRID][16];
    size_t n_rows = grid.n_noise * grid.n_target;
    number_table t = new_table(all, n_rows, grid.n_ratio);
    for (size_t i = 0; i < n_rows; i++) {
        size_t target = i / grid.n_noise, noise = i % grid.n_noise;
        name_row(row[i], sizeof row[i], &grid, target, noise);
        rows[i] = row[i];
        for (size_t j = 0; j < grid.n_ratio; j++) {
            sooner s = data_map_sooner(&all->d, &grid, noise, target, j, y);
            if (s.seeds > 0 && !isfinite(s.e.value)) s.e.value = NOT_REACHED;
            set_cell(&t, i * grid.n_ratio + j, &s.e, 1);
        }
    }
    for (size_t j = 0; j < grid.n_ratio; j++) {
        snprintf(col[j], sizeof col[j], "%.0f%%", 100 * grid.ratio[j]);
        cols[j] = col[j];
    }
    t.t.rows = rows;
    t.t.cols = cols;
    t.t.digits = 1;
    t.t.unit = "x";
    t.t.center = 1;
    const drawing d = {.f = {.title = title,
                             .subtitle = "blue: selective training passes plain training's end "
                                         "sooner; orange: later or never (shown as 0.5x)",
                             .x = {.label = "ratio: tokens kept"}},
                       .name = name,
                       .caption = "Noise: share of the bytes that are ids, stamps and markup.  A "
                                  "dash: not measured.  The paper has one point of this map."};
    if (t.n_values > 0) draw_map(all, &d, &t);
    return t.n_values > 0;
}

int draw_maps(findings *all) {
    int by_loss =
        draw_map_of(all, "fig1_map_loss",
                    "Where it helps, by loss: times sooner, by noise and ratio", TARGET_LOSS);
    int by_accuracy = draw_map_of(all, "fig1_map_accuracy",
                                  "Where it helps, by accuracy: times sooner, by noise and ratio",
                                  TARGET_ACCURACY);
    return by_loss || by_accuracy;
}

/* ---- a series over a sweep: one point per group, one row per seed ---- */
/* Adds where the groups (n) end; x (n) is the caller's. */
static int add_sweep(findings *all, curve_set *set, const char *name, int style, const double *x,
                     const data_group *const *list, size_t n, data_column y) {
    figure_series *s = &set->series[set->n];
    size_t runs = 0;
    for (size_t i = 0; i < n; i++)
        runs = list[i]->n > runs ? list[i]->n : runs;
    double *value = new_numbers(all, n * runs + 1);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < list[i]->n; k++)
            value[k * n + i] = data_end(&all->d, &list[i]->run[k], y) * metric_scale(y);
    *s = (figure_series){.name = name, .x = x, .y = value, .n = n, .runs = runs, .style = style};
    return keep_series(set);
}

/* ---- figure 9 ---- */
static const struct {
    double ratio, score;
} paper_ratios[6] = {{0.4, 12.85}, {0.5, 14.0}, {0.6, 14.85}, {0.7, 10.6}, {0.8, 7.45}, {1.0, 4.4}};

static void draw_ratios_by(findings *all, const char *title, data_column y) {
    const data_group *list[MAX_SWEEP], *plain = data_find_plain(&all->d, "builtin", "ratio");
    size_t n = data_sweep(&all->d, "ratio", "slm", BY_RATIO, list);
    double *x = new_numbers(all, n + 1), *paper = new_numbers(all, n + 1);
    const figure_rule rule = {data_mean_end(&all->d, plain, y) * metric_scale(y), 0, "plain (CLM)"};
    char name[96], caption[400];
    curve_set set;
    set.n = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = 100 * data_ratio(list[i]);
        for (size_t k = 0; k < 6; k++)
            if (fabs(x[i] - 100 * paper_ratios[k].ratio) < 1e-6) paper[i] = paper_ratios[k].score;
    }
    if (!add_sweep(all, &set, "selective (SLM)", arm_style("slm"), x, list, n, y)) return;
    set.paper[0] = paper;
    snprintf(name, sizeof name, "fig9_builtin_%s", words_of(y)->name);
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
    draw_ratios_by(all, "Paper's figure 9: target loss at the end by the ratio that is kept",
                   TARGET_LOSS);
    draw_ratios_by(all, "Paper's figure 9: accuracy at the end by the ratio that is kept",
                   TARGET_ACCURACY);
    return 1;
}

/* ---- tables 3, 4 and 5: what selective training ends with less what plain training ends with ---- */
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

static int draw_gains(findings *all, const bar_rows *rows, const data_group *plain,
                      const char *name, const char *title, const char *caption) {
    static const char *const cols[1] = {""};
    const data_column y = best_metric(all, plain->corpus);
    const char *labels[MAX_SWEEP];
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
    const drawing d = {
        .f = {.title = title,
              .subtitle = y == TARGET_ACCURACY
                              ? "accuracy at the end less plain training's, points; right of 0 is "
                                "better; 95% bootstrap interval over paired seeds"
                              : "target loss at the end less plain training's; left of 0 is "
                                "better; 95% bootstrap interval over paired seeds"},
        .name = name,
        .caption = caption};
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
    if (rows.n == 0) return 0;
    return draw_gains(all, &rows, data_find_plain(&all->d, "builtin", "self"), "table3_self",
                      "Paper's tables 3 and 4: the reference trained on the noisy corpus itself",
                      "No clean text at all.  Paper (score: reference loss): +1.9 at 90% and 80%, "
                      "+2.4 at 70%, +1.5 at 60%, \xE2\x88\x92"
                      "0.8 at 50%; with a curated reference +16.5.");
}

int draw_weak(findings *all) {
    const data_group *list[MAX_SWEEP];
    size_t n = data_sweep(&all->d, "weak", "slm", BY_SIZE, list);
    bar_rows rows;
    rows.n = 0;
    for (size_t i = 0; i < n; i++)
        add_bar(&rows, list[i], list[i]->size < 0.9 ? 0.9 : NAN,
                "reference %.3g times the model's size", list[i]->size);
    if (rows.n == 0) return 0;
    return draw_gains(all, &rows, data_find_plain(&all->d, "builtin", "weak"), "table5_weak",
                      "Paper's table 5: a small reference guides a larger model",
                      "Paper: a 1.1B reference guides a 7B model (0.16 times its size): +0.9 "
                      "points on average.");
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
        const data_group *list[MAX_SWEEP], *named = NULL;
        for (size_t i = 0; i < n; i++) {
            list[i] = a == 0 ? data_find(&all->d, "builtin", "clean", "clm")
                             : data_find_clean(&all->d, arms[a], sizes[i]);
            if (list[i]->n > 0) named = list[i];
        }
        if (named == NULL) continue;
        const char *name = arm_label(set.label[set.n], sizeof set.label[0], named);
        (void)add_sweep(all, &set, name, arm_style(arms[a]), sizes, list, n, y);
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
