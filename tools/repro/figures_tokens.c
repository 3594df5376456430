/* figures_tokens.c: what goes on inside: figures 3, 6, 7, 8, and what is selected, held against the
 * truth. */
#include <math.h>
#include <string.h>
#include "findings.h"

enum { MAX_SETS = 12, CLASSES = 4 };

/* ---- figure 3: four classes of tokens by their loss over plain training ---- */
static const char *const class_ids[CLASSES] = {"HL", "LH", "HH", "LL"};
static const char *const class_names[CLASSES] = {"high to low", "low to high", "stays high",
                                                 "stays low"};

static double share_of_seed(const csv_table *t, const char *seed, const char *class_name,
                            const char *null) {
    size_t row = data_row(t, "seed", seed, "class", class_name, "null", null, NULL);
    return data_number(t, row, "share");
}

estimate class_share(const data *d, const char *class_name, const char *null, const char *less) {
    const csv_table *t = &d->csv[TRAJECTORIES];
    const char *seeds[MAX_SEEDS];
    size_t n = data_distinct(t, "seed", seeds, MAX_SEEDS);
    double share[MAX_SEEDS] = {0};
    for (size_t k = 0; k < n; k++) {
        share[k] = share_of_seed(t, seeds[k], class_name, null);
        if (less != NULL) share[k] -= share_of_seed(t, seeds[k], class_name, less);
    }
    return stats_estimate(share, n);
}

static void draw_class_shares(findings *all) {
    static const char *const rows[4] = {"here", "here, checkpoints shuffled", "paper, TinyLlama",
                                        "paper, Mistral"};
    static const double theirs[2][CLASSES] = {{26, 12, 11, 51}, {28, 13, 8, 51}};
    number_table t = new_table(class_names, CLASSES);
    for (size_t i = 0; i < 4; i++) {
        add_row(&t, rows[i]);
        for (size_t j = 0; j < CLASSES && i < 2; j++)
            set_cell(&t, j, class_share(&all->d, class_ids[j], i == 0 ? "0" : "1", NULL), 100);
    }
    memcpy(t.value + (size_t)2 * CLASSES, theirs, sizeof theirs);
    memcpy(t.paper, theirs[0], sizeof theirs[0]);
    t.t.unit = "%";
    const drawing d = {
        .f = {.title = "Paper's figure 3: the four classes of tokens, and what chance alone makes "
                       "of them",
              .subtitle = "least-squares line through each held-out token's loss over plain "
                          "training; high to low: it falls by more than 0.2"},
        .name = "fig3_shares",
        .caption = "Shares in percent, mean over seeds, of one held-out piece of 8 kB that all "
                   "seeds share.  Shuffled: the same losses, each token's checkpoints in random "
                   "order, so that no trend is left.",
        .chart = figure_shares,
        .table = &t};
    (void)draw(all, &d);
}

/* Column y of a CSV at each of its points, one row per seed, of the rows with these texts in two
   columns: column, text, column, text. */
static figure_series read_series(const csv_table *t, const char *point, const char *y,
                                 const char *const of[4]) {
    const char *seeds[MAX_SEEDS], *points[MAX_POINTS];
    size_t n = data_distinct(t, point, points, MAX_POINTS);
    size_t runs = data_distinct(t, "seed", seeds, MAX_SEEDS);
    double *x = new_numbers(n);
    double *value = new_numbers(n * runs);
    for (size_t i = 0; i < n * runs; i++) {
        size_t row = data_row(t, of[0], of[1], of[2], of[3], point, points[i % n], "seed",
                              seeds[i / n], NULL);
        if (row == t->rows) continue;
        x[i % n] = data_number(t, row, "tokens");
        value[i] = data_number(t, row, y);
    }
    return (figure_series){.x = x, .y = value, .n = n, .runs = runs};
}

/* The mean loss of each class at each point; paper: at the last one, or NULL. */
static void draw_classes(findings *all, const char *null, const drawing *words,
                         const double *paper) {
    curve_set set = {.n = CLASSES};
    drawing d = *words;
    for (size_t j = 0; j < CLASSES; j++) {
        const char *const of[4] = {"class", class_ids[j], "null", null};
        figure_series *s = &set.series[j];
        *s = read_series(&all->d.csv[TRAJECTORIES], "point", "mean_loss", of);
        s->name = class_names[j];
        set.paper[j] = new_numbers(s->n);
        if (paper != NULL) set.paper[j][s->n - 1] = paper[j];
    }
    d.f.x.label = "tokens processed by plain training";
    d.f.y.label = "loss (nats per byte)";
    d.set = &set;
    (void)draw(all, &d);
}

int draw_figure3(findings *all) {
    static const double paper[CLASSES] = {2.51, 3.85, 3.74, 0.211};
    const drawing real = {
        .f = {.title = "Paper's figure 3: mean loss of each class over plain training"},
        .name = "fig3_curves",
        .caption = "Names are those of the paper and describe the trend, not the level."};
    const drawing null = {
        .f = {.title = "The same, checkpoints shuffled: classes without any learning"},
        .name = "fig3_curves_null",
        .caption = "Fitting lines to noise makes classes whose means rise and fall too; only what "
                   "differs from this is learning."};
    if (all->d.csv[TRAJECTORIES].rows == 0) return 0;
    draw_class_shares(all);
    draw_classes(all, "0", &real, paper);
    draw_classes(all, "1", &null, NULL);
    return 1;
}

/* ---- panels: the same arms of set main by one column after the other ---- */
typedef struct panel {
    data_column column;
    const char *name; /* of its files: PREFIX_CORPUS_NAME */
    const char *title, *caption;
    double plain, selective; /* of the paper, at the end; NaN: none */
} panel;

/* Draws three panels, where there are values.  f: subtitle, height and rules of the figures. */
static void draw_panels(findings *all, const char *corpus, const char *prefix, const panel *panels,
                        const char *const *arms, const figure *f) {
    for (const panel *p = panels; p < panels + 3; p++) {
        const curve_choice choice = {corpus,    "main",     arms,     TOKENS,
                                     p->column, BEST_RATIO, p->plain, p->selective};
        drawing d = {.f = *f,
                     .name = make_text("%s_%.40s_%s", prefix, corpus, p->name),
                     .caption = p->caption};
        d.f.title = p->title;
        if (p->column != AUC) d.f.n_rules = 0; /* only of AUC is it known what chance gives */
        (void)draw_curves(all, &choice, &d);
    }
}

/* ---- figure 6: loss on selected, unselected and all tokens ---- */
int draw_figure6(findings *all) {
    static const char *const arms[] = {"clm", "slm", "random", NULL};
    static const panel panels[3] = {
        {FIXED_KEPT, "selected", "Paper's figure 6: loss on the tokens that selection is for",
         "A fixed held-out piece of the noisy corpus, its top tokens by the starting model's "
         "excess loss.  Paper, end of 4B tokens: 1.015 plain, 0.981 selective.",
         1.015, 0.981},
        {FIXED_DROPPED, "unselected", "Paper's figure 6: loss on the other tokens",
         "The rest of the same piece.  Paper: 2.83 plain, 3.52 selective: it rises, and that is "
         "meant.",
         2.83, 3.52},
        {FIXED_ALL, "all", "Paper's figure 6: loss on all tokens of the noisy corpus",
         "By this number the paper's selective training is the worse one: worked out from its "
         "figure 6 about 1.74 plain, 2.00 selective.",
         1.74, 2.00}};
    for (size_t i = 0; i < N_CORPORA; i++) {
        const figure f = {.subtitle = corpus_name(corpora[i], IN_TITLE), .height = 400};
        draw_panels(all, corpora[i], "fig6", panels, arms, &f);
    }
    return data_over_seeds(data_main(&all->d, "builtin", "slm"), run_change, FIXED_KEPT).n > 0;
}

/* ---- figure 7: accuracy against these losses ---- */
/* The mean over the seeds. */
static figure_series mean_series(figure_series s) {
    double *mean = new_numbers(s.n);
    double low, high;
    for (size_t i = 0; i < s.n; i++)
        (void)figure_mean(&s, i, &mean[i], &low, &high);
    s.y = mean;
    s.runs = 1;
    return s;
}

/* Adds one point per checkpoint of a curve: seeds are not checkpoints.  The start is before any
   training: it is no checkpoint either. */
static void add_checkpoints(curve_set *set, const figure_series *curve) {
    figure_series s = mean_series(*curve);
    s.x++;
    s.y++;
    s.n--;
    (void)add_series(set, &s);
}

int draw_figure7(findings *all) {
    static const char *const arms[] = {"slm", "clm", NULL};
    static const data_column losses[2] = {FIXED_KEPT, FIXED_DROPPED};
    static const drawing words[2] = {
        {.f = {.title = "Paper's figure 7: accuracy against the loss on selected tokens",
               .subtitle = "less loss on these should go with more accuracy"},
         .name = "selected",
         .caption = "One point per checkpoint, mean over seeds.  Paper: accuracy rises from 5 to "
                    "22.5 while this loss falls from 0.955 to 0.875."},
        {.f = {.title = "Paper's figure 7: accuracy against the loss on unselected tokens",
               .subtitle = "does less loss on the noise go with less accuracy?"},
         .name = "unselected",
         .caption = "One point per checkpoint, mean over seeds.  Paper: accuracy rises from 5 to "
                    "22.5 while this loss rises from 3.53 to 3.65."}};
    for (size_t i = 0; i < N_CORPORA * 2; i++) {
        const char *corpus = corpora[i / 2];
        const curve_choice choice = {corpus,          "main",     arms, losses[i % 2],
                                     TARGET_ACCURACY, BEST_RATIO, NAN,  NAN};
        curve_set curves, set = {.n = 0};
        drawing d = words[i % 2];
        choose_curves(&curves, &all->d, &choice);
        for (size_t k = 0; k < curves.n; k++)
            add_checkpoints(&set, &curves.series[k]);
        d.name = make_text("fig7_%.40s_%s", corpus, d.name);
        d.axis = "loss";
        d.f.x.label = metric_label(corpus, losses[i % 2]);
        d.f.y.label = metric_label(corpus, TARGET_ACCURACY);
        d.plot = figure_points;
        d.set = &set;
        (void)draw(all, &d);
    }
    return 1;
}

/* The first point is before any training: it is no checkpoint. */
double accuracy_correlation(const data_run *run, data_column loss) {
    double x[MAX_POINTS], y[MAX_POINTS];
    size_t n = 0;
    for (size_t i = 1; i < run->n && n < MAX_POINTS; i++) {
        x[n] = run_at(run, i, loss);
        y[n] = run_at(run, i, TARGET_ACCURACY);
        if (isfinite(x[n]) && isfinite(y[n])) n++;
    }
    return stats_correlation(x, y, n);
}

/* The correlations of every arm: the paper's sign is that of one. */
int draw_correlations(findings *all) {
    static const char *const cols[2] = {"selected tokens", "unselected tokens"};
    static const figure_rule none = {0, 1, ""};
    const data_group *list[MAX_ARMS];
    size_t n = data_arms(&all->d, "builtin", list);
    number_table t = new_table(cols, 2);
    for (size_t i = 0; i < n; i++) {
        estimate kept = data_over_seeds(list[i], accuracy_correlation, FIXED_KEPT);
        estimate dropped = data_over_seeds(list[i], accuracy_correlation, FIXED_DROPPED);
        if (dropped.n == 0 || list[i]->is_measure_only) continue;
        add_row(&t, list[i]->label);
        set_cell(&t, 0, kept, 1);
        set_cell(&t, 1, dropped, 1);
    }
    t.t.digits = 2;
    t.t.unit = "";
    const drawing d = {
        .f = {.title = "Figure 7 in every arm: correlation of accuracy with the two losses",
              .subtitle = "below 0: less loss goes with more accuracy; above 0: with less",
              .x = {.label = "Pearson's r over checkpoints",
                    .low = -1.1,
                    .high = 1.1},
              .rules = &none,
              .n_rules = 1},
        .name = "fig7_arms",
        .caption = "The paper shows one run.  Where the sign for unselected tokens differs between "
                   "arms it is no law of training, but of what the arm trains on.  95% interval "
                   "(Student's t) over seeds.",
        .table = &t};
    return t.t.n_rows > 0 && draw(all, &d);
}

/* ---- figure 8: perplexity over training of what checkpoints select ---- */
/* What checkpoint `by` selects, measured at checkpoint `at`; NaN: not measured. */
static double perplexity(const csv_table *t, const char *seed, const char *kind, const char *by,
                         const char *at) {
    size_t row =
        data_row(t, "seed", seed, "kind", kind, "selected_by", by, "measured_at", at, NULL);
    return data_number(t, row, "perplexity");
}

/* Of one seed: the mean over all selections that have both neighbours. */
static double peak_of_seed(const csv_table *t, const char *seed, const char *kind) {
    const char *sets[MAX_SETS], *points[MAX_POINTS];
    size_t n_sets = data_distinct(t, "selected_by", sets, MAX_SETS);
    size_t n_points = data_distinct(t, "measured_at", points, MAX_POINTS);
    double each[MAX_SETS] = {0};
    for (size_t i = 0; i < n_sets; i++) {
        double beside[3] = {NAN, NAN, NAN};
        size_t own = 0;
        while (own < n_points && !same_text(sets[i], points[own]))
            own++;
        for (size_t j = 0; j < 3 && own > 0 && own + 1 < n_points; j++)
            beside[j] = log(perplexity(t, seed, kind, sets[i], points[own - 1 + j]));
        each[i] = 100 * (beside[1] - 0.5 * (beside[0] + beside[2]));
    }
    return stats_mean(each, n_sets);
}

estimate selection_peak(const data *d, const char *kind, const char *half_of) {
    const csv_table *t = &d->csv[SELECTIONS];
    const char *seeds[MAX_SEEDS];
    size_t n_seeds = data_distinct(t, "seed", seeds, MAX_SEEDS);
    double peak[MAX_SEEDS] = {0};
    for (size_t k = 0; k < n_seeds; k++) {
        peak[k] = peak_of_seed(t, seeds[k], kind);
        if (half_of != NULL) peak[k] -= 0.5 * peak_of_seed(t, seeds[k], half_of);
    }
    return stats_estimate(peak, n_seeds);
}

/* Adds the mean over the seeds: five lines with all their seeds would be a thicket. */
static void add_selection(curve_set *set, const csv_table *t, const char *kind, const char *by) {
    const char *const of[4] = {"kind", kind, "selected_by", by};
    figure_series s = mean_series(read_series(t, "measured_at", "perplexity", of));
    size_t row = data_row(t, "kind", kind, "selected_by", by, "measured_at", by, NULL);
    double own = data_number(t, row, "tokens");
    s.name = own >= 1e6 ? make_text("selected at %.2fM", own / 1e6)
                        : make_text("selected at %.0fk", own / 1e3);
    (void)add_series(set, &s);
}

int draw_figure8(findings *all) {
    static const drawing words[2] = {
        {.f = {.title =
                   "Paper's figure 8: perplexity over training of what five checkpoints select"},
         .name = "own",
         .caption =
             "Each line: the tokens that one checkpoint of selective training selects, measured at "
             "every checkpoint of the same run.  In the paper each line peaks at its own "
             "checkpoint: the set of 2B tokens begins at 2.60, has 2.665 there and ends at 2.39.  "
             "Here the tokens are those of one piece of 8 kB that all seeds share."},
        {.f = {.title = "The control: selected by one seed, measured with another"},
         .name = "cross_seed",
         .caption = "A token whose loss is high by chance at a checkpoint is selected there and "
                    "falls back elsewhere: regression to the mean.  With another seed's "
                    "checkpoints that chance is gone, a real peak stays."}};
    const csv_table *t = &all->d.csv[SELECTIONS];
    const char *sets[MAX_SETS];
    size_t n = data_distinct(t, "selected_by", sets, MAX_SETS);
    for (size_t j = 0; j < 2; j++) {
        curve_set set = {.n = 0};
        drawing d = words[j];
        for (size_t i = 0; i < n; i++)
            add_selection(&set, t, d.name, sets[i]);
        d.name = make_text("fig8_%s", d.name);
        d.f.y.label = "perplexity";
        d.set = &set;
        (void)draw(all, &d);
    }
    return t->rows > 0;
}

/* ---- how each kind of token is ranked ---- */
estimate rank_of_kind(const data *d, const char *by, const char *at, const char *kind,
                      const char *column) {
    const csv_table *t = &d->csv[RANKS];
    const char *seeds[MAX_SEEDS];
    size_t n = data_distinct(t, "seed", seeds, MAX_SEEDS);
    double v[MAX_SEEDS] = {0};
    for (size_t k = 0; k < n; k++) {
        size_t row =
            data_row(t, "seed", seeds[k], "by", by, "at", at, "kind", kind, NULL);
        v[k] = data_number(t, row, column);
    }
    return stats_estimate(v, n);
}

int draw_ranks(findings *all) {
    static const char *const cols[3] = {"excess loss, at the start", "excess loss, at the end",
                                        "own loss, at the start"};
    static const char *const by[3] = {"excess", "excess", "loss"};
    static const char *const at[3] = {"start", "end", "start"};
    static const figure_rule chance = {0.5, 1, "as the rest"};
    number_table t = new_table(cols, 3);
    for (int k = 0; k < DATA_KINDS; k++) {
        add_row(&t, corpus_kind_names[k]);
        for (size_t j = 0; j < 3; j++)
            set_cell(&t, j, rank_of_kind(&all->d, by[j], at[j], corpus_kind_names[k], "auc"), 1);
    }
    t.t.digits = 2;
    t.t.unit = "";
    const drawing d = {
        .f = {.title = "How each kind of token is ranked (AUC against all others)",
              .subtitle = "0.5: kept as often as the rest; above: more often; below: less",
              .x = {.label = "AUC", .low = 0.1, .high = 0.9},
              .rules = &chance,
              .n_rules = 1},
        .name = "ranks_builtin",
        .caption = "On one held-out piece of 8 kB that all seeds share, by selective training's "
                   "own scores: the interval (95%, Student's t over seeds) is of the models, not "
                   "of the text.  Ids are random, so that neither model can predict them: whether "
                   "their excess loss ranks them low is for the figure to say.",
        .table = &t};
    return t.n_values > 0 && draw(all, &d);
}

/* ---- precision, recall, AUC ---- */
int draw_selection(findings *all) {
    static const char *const arms[] = {"slm", "slm_sequence", "random",         "loss",
                                       "ref", "entropy",      "null_reference", NULL};
    static const figure_rule chance = {0.5, 0, "chance"};
    static const panel panels[3] = {
        {AUC, "auc", "How well the score ranks useful tokens above noise (AUC)",
         "Area under the curve: 0.5 is chance, 1 perfect.  Useful: story, steps and right results "
         "of problems, by the corpus' own truth.",
         NAN, NAN},
        {PRECISION, "precision", "Precision: share of the selected tokens that are useful",
         "By the known truth, since the last point.", NAN, NAN},
        {RECALL, "recall", "Recall: share of the useful tokens that are selected",
         "By the known truth, since the last point.", NAN, NAN}};
    const figure f = {.rules = &chance, .n_rules = 1};
    draw_panels(all, "builtin", "selection", panels, arms, &f);
    return 1;
}

/* ---- share kept by kind ---- */
/* Percentage of a kind's tokens that are kept over the points from .. from + n - 1. */
static double kept_share(const data_run *run, data_column seen_column, size_t from, size_t n) {
    double seen = 0, kept = 0;
    for (size_t i = from; i < from + n; i++) {
        double a = run_at(run, i, seen_column);
        double b = run_at(run, i, (data_column)(seen_column + KEPT - SEEN));
        if (!isfinite(a) || !isfinite(b)) continue;
        seen += a;
        kept += b;
    }
    return seen > 0 ? 100 * kept / seen : NAN;
}

static double kept_in_first_third(const data_run *run, data_column seen) {
    return kept_share(run, seen, 0, (run->n + 2) / 3);
}

double kept_in_last_third(const data_run *run, data_column seen) {
    size_t n = (run->n + 2) / 3;
    return kept_share(run, seen, run->n - n, n);
}

int draw_kinds(findings *all) {
    static const char *const cols[3] = {"SLM, first third of training", "SLM, last third",
                                        "highest own loss, last third"};
    const data_group *slm = data_main(&all->d, "builtin", "slm");
    const data_group *loss = data_main(&all->d, "builtin", "loss");
    number_table t = new_table(cols, loss->n > 0 ? 3 : 2);
    for (int k = 0; k < DATA_KINDS; k++) {
        data_column seen = (data_column)(SEEN + k);
        add_row(&t, corpus_kind_names[k]);
        set_cell(&t, 0, data_over_seeds(slm, kept_in_first_third, seen), 1);
        set_cell(&t, 1, data_over_seeds(slm, kept_in_last_third, seen), 1);
        if (loss->n > 0) set_cell(&t, 2, data_over_seeds(loss, kept_in_last_third, seen), 1);
    }
    t.t.unit = "%";
    const drawing d = {
        .f = {.title = "Share of each kind of token that is kept",
              .subtitle = "problem, step, result: the target; other: learnable, off the target; "
                          "the rest is noise",
              .x = {.label = "kept (%)"}},
        .name = "selection_builtin_kinds",
        .caption = "Kinds are the corpus' own truth, per token.  Noise that is kept, and target "
                   "that is dropped, is where the reference is wrong (or the model already right). "
                   "  95% interval (Student's t) over seeds.",
        .table = &t};
    return t.n_values > 0 && draw(all, &d);
}
