/* figures_training.c: figure 1 against five measures of cost, "N times sooner", the map. */
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
        if (data_main(&all->d, corpus, of->arms[a])->n > 0) return 1;
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
    const data_group *clm = data_main(&all->d, corpus, "clm");
    const data_group *slm = data_main(&all->d, corpus, "slm");
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
    const data_group *clm = data_main(&all->d, corpus, "clm");
    const data_group *ref = data_main(&all->d, corpus, "reference");
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
             corpus_name(corpus, IN_TITLE), clm->n, plural(clm->n));
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
    const data_group *clm = data_main(&all->d, corpus, "clm");
    data_column y = best_metric(all, corpus);
    char note[200], subtitle[200];
    curve_set set;
    lead l;
    collect_family(all, &set, corpus, &picture, TOKENS, y);
    if (set.n == 0) return;
    snprintf(subtitle, sizeof subtitle,
             "%s; the same base, the same text in the same order; %s is better",
             corpus_name(corpus, IN_TITLE), y == TARGET_ACCURACY ? "higher" : "lower");
    snprintf(note, sizeof note, "make repro; %zu seed%s", clm->n, plural(clm->n));
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
    const data_group *list[32];
    const data_group *clm = data_main(&all->d, corpus, "clm");
    size_t n = main_groups(all, corpus, list, 32);
    size_t used = 0;
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
        size_t target = i / grid.n_noise;
        size_t noise = i % grid.n_noise;
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
