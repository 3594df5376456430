/* figures_tokens.c: what goes on inside: figures 3, 6, 7, 8, and what is selected, held against the
 * truth. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "findings.h"

enum { MAX_POINTS = 256, MAX_SETS = 12, CLASSES = 4 };

/* ---- figure 3: four classes of tokens by their loss over plain training ---- */
static const char *const class_ids[CLASSES] = {"HL", "LH", "HH", "LL"};
static const char *const class_names[CLASSES] = {"high to low", "low to high", "stays high",
                                                 "stays low"};

static int is_class_row(const csv_table *t, size_t row, const char *class_name, const char *null) {
    return data_cell_is(t, row, "class", class_name) && data_cell_is(t, row, "null", null);
}

/* Shares of a class, one per seed; returns how many. */
static size_t class_shares(const data *d, const char *class_name, const char *null, double *share) {
    const csv_table *t = &d->trajectories;
    const char *seeds[MAX_SEEDS];
    size_t n = data_distinct(t, "seed", seeds, MAX_SEEDS);
    for (size_t k = 0; k < n; k++) {
        share[k] = NAN;
        for (size_t row = 0; row < t->rows; row++)
            if (data_cell_is(t, row, "seed", seeds[k]) && is_class_row(t, row, class_name, null))
                share[k] = csv_number(t, row, csv_column(t, "share"));
    }
    return n;
}

estimate class_share(const data *d, const char *class_name, const char *null) {
    double share[MAX_SEEDS] = {0};
    return stats_estimate(share, class_shares(d, class_name, null, share));
}

estimate class_above_null(const data *d, const char *class_name) {
    double real[MAX_SEEDS] = {0}, null[MAX_SEEDS] = {0};
    size_t n = class_shares(d, class_name, "0", real);
    (void)class_shares(d, class_name, "1", null);
    for (size_t k = 0; k < n; k++)
        real[k] -= null[k];
    return stats_estimate(real, n);
}

static void draw_class_shares(findings *all) {
    static const char *const rows[4] = {"here", "here, checkpoints shuffled", "paper, TinyLlama",
                                        "paper, Mistral"};
    static const double theirs[2][CLASSES] = {{26, 12, 11, 51}, {28, 13, 8, 51}};
    number_table t = new_table(all, 4, CLASSES);
    for (size_t j = 0; j < CLASSES; j++) {
        estimate real = class_share(&all->d, class_ids[j], "0");
        estimate null = class_share(&all->d, class_ids[j], "1");
        set_cell(&t, j, &real, 100);
        set_cell(&t, CLASSES + j, &null, 100);
        t.value[2 * CLASSES + j] = theirs[0][j];
        t.value[3 * CLASSES + j] = theirs[1][j];
        t.paper[j] = theirs[0][j];
    }
    t.t.rows = rows;
    t.t.cols = class_names;
    t.t.unit = "%";
    const drawing d = {
        .f = {.title = "Paper's figure 3: the four classes of tokens, and what chance alone makes "
                       "of them",
              .subtitle = "least-squares line through each held-out token's loss over plain "
                          "training; high to low: it falls by more than 0.2"},
        .name = "fig3_shares",
        .caption = "Shares in percent, mean over seeds.  Shuffled: the same losses, each token's "
                   "checkpoints in random order, so that no trend is left."};
    draw_shares(all, &d, &t);
}

static size_t index_of(const char *text, const char *const *list, size_t n) {
    size_t i = 0;
    while (i < n && strcmp(text, list[i]) != 0)
        i++;
    return i;
}

/* The mean loss of a class at each point, one row per seed. */
static void add_class(findings *all, curve_set *set, const char *class_name, const char *null,
                      const char *label) {
    const csv_table *t = &all->d.trajectories;
    const char *seeds[MAX_SEEDS], *points[MAX_POINTS];
    size_t n = data_distinct(t, "point", points, MAX_POINTS);
    size_t runs = data_distinct(t, "seed", seeds, MAX_SEEDS);
    double *x = new_numbers(all, n + 1);
    double *y = new_numbers(all, n * runs + 1);
    for (size_t row = 0; row < t->rows; row++) {
        if (!is_class_row(t, row, class_name, null)) continue;
        size_t i = index_of(csv_text(t, row, csv_column(t, "point")), points, n);
        size_t k = index_of(csv_text(t, row, csv_column(t, "seed")), seeds, runs);
        if (i == n || k == runs) continue;
        x[i] = csv_number(t, row, csv_column(t, "tokens"));
        y[k * n + i] = csv_number(t, row, csv_column(t, "mean_loss"));
    }
    set->series[set->n] = (figure_series){.name = label, .x = x, .y = y, .n = n, .runs = runs};
    set->paper[set->n] = NULL;
    set->n++;
}

static void draw_classes(findings *all, const char *null, const drawing *d, const double *paper) {
    curve_set set;
    set.n = 0;
    for (size_t j = 0; j < CLASSES; j++) {
        add_class(all, &set, class_ids[j], null, class_names[j]);
        if (paper != NULL) set_paper(all, &set, j, paper[j]);
    }
    draw_lines(all, d, &set);
}

int draw_figure3(findings *all) {
    static const double paper[CLASSES] = {2.51, 3.85, 3.74, 0.211};
    const figure_axis x = {.label = "tokens processed by plain training"};
    const figure_axis y = {.label = "loss (nats per byte)"};
    const drawing real = {
        .f = {.title = "Paper's figure 3: mean loss of each class over plain training",
              .x = x,
              .y = y},
        .name = "fig3_curves",
        .caption = "Names are those of the paper and describe the trend, not the level."};
    const drawing null = {
        .f = {.title = "The same, checkpoints shuffled: classes without any learning",
              .x = x,
              .y = y},
        .name = "fig3_curves_null",
        .caption = "Fitting lines to noise makes classes whose means rise and fall too; only what "
                   "differs from this is learning."};
    if (all->d.trajectories.rows == 0) return 0;
    draw_class_shares(all);
    draw_classes(all, "0", &real, paper);
    draw_classes(all, "1", &null, NULL);
    return 1;
}

/* ---- panels: the same arms by one column after the other ---- */
typedef struct panel {
    data_column column;
    const char *prefix, *name; /* of its files: PREFIX_CORPUS_NAME */
    const char *title, *caption;
    const char *y_label;                 /* NULL: the loss */
    double paper_plain, paper_selective; /* at the end; NaN: none */
} panel;

/* Draws the arms of set main that have values; returns 0 if there are none.  f: subtitle,
   height and rules of the figure. */
static int draw_panel(findings *all, const char *corpus, const panel *p, const char *const *arms,
                      size_t n_arms, const figure *f) {
    char name[96];
    curve_set set;
    set.n = 0;
    for (size_t a = 0; a < n_arms; a++) {
        const data_group *g = data_main(&all->d, corpus, arms[a]);
        if (!add_curve(all, &set, g, TOKENS, p->column, 0)) continue;
        if (strcmp(arms[a], "clm") == 0) set_paper(all, &set, set.n - 1, p->paper_plain);
        if (strcmp(arms[a], "slm") == 0) set_paper(all, &set, set.n - 1, p->paper_selective);
    }
    if (set.n == 0) return 0;
    snprintf(name, sizeof name, "%s_%.40s_%s", p->prefix, corpus, p->name);
    drawing d = {.f = *f, .name = name, .caption = p->caption};
    d.f.title = p->title;
    d.f.x.label = "tokens processed";
    d.f.y.label = p->y_label != NULL ? p->y_label : loss_label(corpus);
    draw_lines(all, &d, &set);
    return 1;
}

/* ---- figure 6: loss on selected, unselected and all tokens ---- */
static void draw_figure6_of(findings *all, const char *corpus) {
    static const char *const arms[3] = {"clm", "slm", "random"};
    static const panel panels[3] = {
        {FIXED_KEPT, "fig6", "selected",
         "Paper's figure 6: loss on the tokens that selection is for",
         "A fixed held-out piece of the noisy corpus, its top tokens by the starting model's "
         "excess loss.  Paper, end of 4B tokens: 1.015 plain, 0.981 selective.",
         NULL, 1.015, 0.981},
        {FIXED_DROPPED, "fig6", "unselected", "Paper's figure 6: loss on the other tokens",
         "The rest of the same piece.  Paper: 2.83 plain, 3.52 selective: it rises, and that is "
         "meant.",
         NULL, 2.83, 3.52},
        {FIXED_ALL, "fig6", "all", "Paper's figure 6: loss on all tokens of the noisy corpus",
         "Who judges by this number finds selective training worse.  Paper, worked out from its "
         "figure 6: about 1.74 plain, 2.00 selective.",
         NULL, 1.74, 2.00}};
    const figure f = {.subtitle = corpus_name(corpus, IN_TITLE), .height = 400};
    for (size_t i = 0; i < 3; i++)
        (void)draw_panel(all, corpus, &panels[i], arms, 3, &f);
}

int draw_figure6(findings *all) {
    for (size_t i = 0; i < N_CORPORA; i++)
        draw_figure6_of(all, corpora[i]);
    return data_change(&all->d, data_main(&all->d, "builtin", "slm"), FIXED_KEPT).n > 0;
}

/* ---- figure 7: accuracy against these losses ---- */
/* One point per checkpoint, the mean over the seeds: seeds are not checkpoints.  The start is
   before any training: it is no checkpoint either. */
static void add_checkpoints(findings *all, curve_set *set, const data_group *g, data_column loss) {
    if (!add_curve(all, set, g, loss, TARGET_ACCURACY, 0)) return;
    figure_series *s = &set->series[--set->n];
    double *mean = new_numbers(all, s->n + 1);
    double low, high;
    for (size_t i = 0; i < s->n; i++)
        (void)figure_mean(s, i, &mean[i], &low, &high);
    s->x = s->x + 1;
    s->y = mean + 1;
    s->n--;
    s->runs = 1;
    (void)keep_series(set);
}

/* Returns 0 if there is nothing to draw. */
static int draw_figure7_of(findings *all, const char *corpus, const char *name, data_column loss,
                           const drawing *words) {
    static const char *const arms[2] = {"slm", "clm"};
    char file[96];
    drawing d = *words;
    curve_set set;
    set.n = 0;
    for (size_t a = 0; a < 2; a++)
        add_checkpoints(all, &set, data_main(&all->d, corpus, arms[a]), loss);
    if (set.n == 0) return 0;
    snprintf(file, sizeof file, "fig7_%.40s_%s", corpus, name);
    d.name = file;
    d.axis = "loss";
    d.f.x.label = loss_label(corpus);
    d.f.y.label = "probability of a right result (%)";
    draw_points(all, &d, &set);
    return 1;
}

int draw_figure7(findings *all) {
    const drawing kept = {
        .f = {.title = "Paper's figure 7: accuracy against the loss on selected tokens",
              .subtitle = "less loss on these should go with more accuracy"},
        .caption = "One point per checkpoint, mean over seeds.  Paper: accuracy rises from 5 to "
                   "22.5 while this loss falls from 0.955 to 0.875."};
    const drawing dropped = {
        .f = {.title = "Paper's figure 7: accuracy against the loss on unselected tokens",
              .subtitle = "does less loss on the noise go with less accuracy?"},
        .caption = "One point per checkpoint, mean over seeds.  Paper: accuracy rises from 5 to "
                   "22.5 while this loss rises from 3.53 to 3.65."};
    for (size_t i = 0; i < N_CORPORA; i++)
        if (draw_figure7_of(all, corpora[i], "selected", FIXED_KEPT, &kept))
            (void)draw_figure7_of(all, corpora[i], "unselected", FIXED_DROPPED, &dropped);
    return 1;
}

/* The first point is before any training: it is no checkpoint. */
estimate accuracy_correlation(const data *d, const data_group *g, data_column loss) {
    enum { MAX_CHECKPOINTS = 512 };

    double r[MAX_SEEDS] = {0}, x[MAX_CHECKPOINTS], y[MAX_CHECKPOINTS];
    for (size_t k = 0; k < g->n; k++) {
        size_t n = 0;
        for (size_t i = 1; i < g->run[k].n && n < MAX_CHECKPOINTS - 1; i++) {
            x[n] = data_at(d, &g->run[k], i, loss);
            y[n++] = data_at(d, &g->run[k], i, TARGET_ACCURACY);
        }
        r[k] = n > 0 ? stats_correlation(x, y, n) : NAN;
    }
    return stats_estimate(r, g->n);
}

/* ---- figure 8: perplexity over training of what checkpoints select ---- */
/* Names a row of selections.csv: what checkpoint `by` selects, measured at checkpoint `at`. */
typedef struct row_key {
    const char *seed, *kind, *by, *at;
} row_key;

/* Perplexity of those tokens, and the tokens processed at that checkpoint (or NULL); NaN: not
   measured. */
static double perplexity(const data *d, const row_key *key, double *tokens) {
    const csv_table *t = &d->selections;
    for (size_t row = 0; row < t->rows; row++) {
        if (!data_cell_is(t, row, "seed", key->seed) || !data_cell_is(t, row, "kind", key->kind) ||
            !data_cell_is(t, row, "selected_by", key->by) ||
            !data_cell_is(t, row, "measured_at", key->at))
            continue;
        if (tokens != NULL) *tokens = csv_number(t, row, csv_column(t, "tokens"));
        return csv_number(t, row, csv_column(t, "perplexity"));
    }
    return NAN;
}

/* What selections.csv holds. */
typedef struct selections {
    const char *seeds[MAX_SEEDS], *sets[MAX_SETS], *points[MAX_POINTS];
    size_t n_seeds, n_sets, n_points;
} selections;

static selections list_selections(const csv_table *t) {
    selections s;
    s.n_seeds = data_distinct(t, "seed", s.seeds, MAX_SEEDS);
    s.n_sets = data_distinct(t, "selected_by", s.sets, MAX_SETS);
    s.n_points = data_distinct(t, "measured_at", s.points, MAX_POINTS);
    return s;
}

/* The mean over all selections that have both neighbours, one number per seed. */
estimate selection_peak(const data *d, const char *kind) {
    const selections s = list_selections(&d->selections);
    double peak[MAX_SEEDS] = {0};
    for (size_t k = 0; k < s.n_seeds; k++) {
        double each[MAX_SETS] = {0};
        for (size_t i = 0; i < s.n_sets; i++) {
            size_t own = index_of(s.sets[i], s.points, s.n_points);
            each[i] = NAN;
            if (own == 0 || own + 1 >= s.n_points) continue;
            row_key key = {s.seeds[k], kind, s.sets[i], s.points[own]};
            double here = perplexity(d, &key, NULL);
            key.at = s.points[own - 1];
            double before = perplexity(d, &key, NULL);
            key.at = s.points[own + 1];
            double after = perplexity(d, &key, NULL);
            each[i] = 100 * (log(here) - 0.5 * (log(before) + log(after)));
        }
        peak[k] = stats_mean(each, s.n_sets);
    }
    return stats_estimate(peak, s.n_seeds);
}

/* Adds the mean over the seeds: five lines with all their seeds would be a thicket. */
static void add_selection(findings *all, curve_set *set, const selections *s, const char *kind,
                          const char *by) {
    size_t n = s->n_points;
    double *x = new_numbers(all, n + 1);
    double *mean = new_numbers(all, n + 1);
    double own = NAN;
    for (size_t i = 0; i < n; i++) {
        double y[MAX_SEEDS] = {0};
        for (size_t k = 0; k < s->n_seeds; k++) {
            const row_key key = {s->seeds[k], kind, by, s->points[i]};
            y[k] = perplexity(&all->d, &key, &x[i]);
        }
        mean[i] = stats_mean(y, s->n_seeds);
        if (strcmp(s->points[i], by) == 0) own = x[i];
    }
    char *label = set->label[set->n];
    if (own >= 1e6)
        snprintf(label, sizeof set->label[0], "selected at %.2fM", own / 1e6);
    else
        snprintf(label, sizeof set->label[0], "selected at %.0fk", own / 1e3);
    set->series[set->n] = (figure_series){.name = label, .x = x, .y = mean, .n = n, .runs = 1};
    (void)keep_series(set);
}

static void draw_selections(findings *all, const char *kind, const drawing *d) {
    const selections s = list_selections(&all->d.selections);
    curve_set set;
    set.n = 0;
    for (size_t i = 0; i < s.n_sets; i++)
        add_selection(all, &set, &s, kind, s.sets[i]);
    if (set.n > 0) draw_lines(all, d, &set);
}

int draw_figure8(findings *all) {
    const figure_axis x = {.label = "tokens processed"};
    const figure_axis y = {.label = "perplexity"};
    const drawing own = {
        .f = {.title = "Paper's figure 8: perplexity over training of what five checkpoints select",
              .x = x,
              .y = y},
        .name = "fig8_own",
        .caption = "Each line: the tokens that one checkpoint of selective training selects, "
                   "measured at every checkpoint of the same run.  In the paper each line peaks at "
                   "its own checkpoint: the set of 2B tokens begins at 2.60, has 2.665 there and "
                   "ends at 2.39."};
    const drawing cross = {
        .f = {.title = "The control: selected by one seed, measured with another", .x = x, .y = y},
        .name = "fig8_cross_seed",
        .caption = "A token whose loss is high by chance at a checkpoint is selected there and "
                   "falls back elsewhere: regression to the mean.  With another seed's "
                   "checkpoints that chance is gone, a real peak stays."};
    if (all->d.selections.rows == 0) return 0;
    draw_selections(all, "own", &own);
    draw_selections(all, "cross_seed", &cross);
    return 1;
}

/* ---- precision, recall, AUC ---- */
int draw_selection(findings *all) {
    static const char *const arms[] = {"slm", "slm_sequence", "random",        "loss",
                                       "ref", "entropy",      "null_reference"};
    static const char *const truth = "By the known truth, since the last point.";
    static const figure_rule chance = {0.5, 0, "chance"};
    const panel auc = {AUC,
                       "selection",
                       "auc",
                       "How well the score ranks useful tokens above noise (AUC)",
                       "Area under the curve: 0.5 is chance, 1 perfect.  Useful: story, steps and "
                       "right results of problems, by the corpus' own truth.",
                       "AUC",
                       NAN,
                       NAN};
    const panel precision = {PRECISION,   "selection",
                             "precision", "Precision: share of the selected tokens that are useful",
                             truth,       "precision",
                             NAN,         NAN};
    const panel recall = {
        RECALL, "selection", "recall", "Recall: share of the useful tokens that are selected",
        truth,  "recall",    NAN,      NAN};
    const figure with_chance = {.rules = &chance, .n_rules = 1};
    const figure plain = {.title = NULL};
    const size_t n = sizeof arms / sizeof arms[0];
    (void)draw_panel(all, "builtin", &auc, arms, n, &with_chance);
    (void)draw_panel(all, "builtin", &precision, arms, n, &plain);
    (void)draw_panel(all, "builtin", &recall, arms, n, &plain);
    return 1;
}

/* ---- share kept by kind ---- */
typedef enum third { FIRST_THIRD, LAST_THIRD } third;

/* Share of a kind's tokens that are kept over a third of the run, one number per seed. */
static estimate kept_share(const data *d, const data_group *g, int kind, third which) {
    double share[MAX_SEEDS] = {0};
    for (size_t k = 0; k < g->n; k++) {
        const data_run *run = &g->run[k];
        size_t points = (run->n + 2) / 3;
        size_t from = which == LAST_THIRD ? run->n - points : 0;
        double seen = 0, kept = 0;
        for (size_t i = from; i < from + points; i++) {
            double a = data_at(d, run, i, (data_column)(SEEN + kind));
            double b = data_at(d, run, i, (data_column)(KEPT + kind));
            if (!isfinite(a) || !isfinite(b)) continue;
            seen += a;
            kept += b;
        }
        share[k] = seen > 0 ? 100 * kept / seen : NAN;
    }
    return stats_estimate(share, g->n);
}

int draw_kinds(findings *all) {
    static const char *const cols[3] = {"SLM, first third of training", "SLM, last third",
                                        "highest own loss, last third"};
    const data_group *slm = data_main(&all->d, "builtin", "slm");
    const data_group *loss = data_main(&all->d, "builtin", "loss");
    const data_group *const groups[3] = {slm, slm, loss};
    size_t n_cols = loss->n > 0 ? 3 : 2;
    number_table t = new_table(all, DATA_KINDS, n_cols);
    for (int k = 0; k < DATA_KINDS; k++) {
        for (size_t j = 0; j < n_cols; j++) {
            estimate e = kept_share(&all->d, groups[j], k, j == 0 ? FIRST_THIRD : LAST_THIRD);
            set_cell(&t, (size_t)k * n_cols + j, &e, 1);
        }
    }
    t.t.rows = data_kinds;
    t.t.cols = cols;
    t.t.unit = "%";
    const drawing d = {
        .f = {.title = "Share of each kind of token that is kept",
              .subtitle = "problem, step, result: the target; other: learnable, off the target; "
                          "the rest is noise",
              .x = {.label = "kept (%)"}},
        .name = "selection_builtin_kinds",
        .caption = "Kinds are the corpus' own truth, per token.  Noise that is kept, and target "
                   "that is dropped, is where the reference is wrong (or the model already right). "
                   " 95% bootstrap interval over seeds."};
    if (t.n_values > 0) draw_bars(all, &d, &t);
    return t.n_values > 0;
}
