/* repro_report_selection.h: figure 8 with its control; what is selected, held against the truth.  Part of repro_report.h. */
#ifndef REPRO_REPORT_SELECTION_H
#define REPRO_REPORT_SELECTION_H
#include "repro_report_mechanism.h"

enum { SELECTION_SETS = 12 };

/* Perplexity of the tokens that checkpoint `by` selects, at checkpoint `at`; NaN: not measured. */
static inline double selection_perplexity(const data *d, const char *seed, const char *kind,
                                          const char *by, const char *at, double *tokens) {
    const csv_table *t = &d->selections;
    for (size_t row = 0; row < t->rows; row++) {
        if (mechanism_is(t, row, "seed", seed) && mechanism_is(t, row, "kind", kind) &&
            mechanism_is(t, row, "selected_by", by) && mechanism_is(t, row, "measured_at", at)) {
            if (tokens != NULL) {
                *tokens = csv_number(t, row, csv_column(t, "tokens"));
            }
            return csv_number(t, row, csv_column(t, "perplexity"));
        }
    }
    return NAN;
}

/* How much a selection's perplexity at its own checkpoint stands above the mean of the checkpoints before and after it, in
   percent; one number per seed.  by NULL: the mean over all selections that have both neighbours. */
static inline estimate selection_bump(const data *d, const char *kind, const char *by) {
    const char *seeds[STATS_SEEDS], *sets[SELECTION_SETS], *at[256];
    size_t n_seeds = mechanism_different(&d->selections, "seed", seeds, STATS_SEEDS);
    size_t n_sets = mechanism_different(&d->selections, "selected_by", sets, SELECTION_SETS);
    size_t n_at = mechanism_different(&d->selections, "measured_at", at, 256);
    double bump[STATS_SEEDS];
    for (size_t k = 0; k < n_seeds; k++) {
        double each[SELECTION_SETS];
        for (size_t s = 0; s < n_sets; s++) {
            size_t own = 0;
            while (own < n_at && strcmp(at[own], sets[s]) != 0) {
                own++;
            }
            each[s] = NAN;
            if (own == 0 || own + 1 >= n_at || (by != NULL && strcmp(by, sets[s]) != 0)) {
                continue;
            }
            double here = selection_perplexity(d, seeds[k], kind, sets[s], at[own], NULL);
            double before = selection_perplexity(d, seeds[k], kind, sets[s], at[own - 1], NULL);
            double after = selection_perplexity(d, seeds[k], kind, sets[s], at[own + 1], NULL);
            each[s] = 100 * (log(here) - 0.5 * (log(before) + log(after)));
        }
        bump[k] = stats_mean(each, n_sets);
    }
    return stats_estimate(bump, n_seeds);
}

static inline void selection_figure8(findings *r) {
    static const struct {
        const char *kind, *name, *title, *caption;
    } both[2] = {
        {"own", "fig8_own",
         "Paper's figure 8: perplexity over training of what five checkpoints select",
         "Each line: the tokens that one checkpoint of "
         "selective training selects, measured at every checkpoint of the same run.  In the paper "
         "each line peaks at its own "
         "checkpoint: the set of 2B tokens begins at 2.60, has 2.665 there and ends at 2.39."},
        {"cross_seed", "fig8_cross_seed",
         "The control: selected by one seed, measured with another",
         "A token whose loss is high by chance at a checkpoint "
         "is selected there and falls back elsewhere: regression to the mean.  With another seed's "
         "checkpoints that chance is "
         "gone, a real peak stays."}};

    const char *seeds[STATS_SEEDS], *sets[SELECTION_SETS], *at[256];
    size_t runs = mechanism_different(&r->d.selections, "seed", seeds, STATS_SEEDS),
           n = mechanism_different(&r->d.selections, "measured_at", at, 256);
    size_t n_sets = mechanism_different(&r->d.selections, "selected_by", sets, SELECTION_SETS);
    for (size_t b = 0; b < 2; b++) {
        figure_series series[SELECTION_SETS];
        char label[SELECTION_SETS][48];
        figure f;
        size_t used = 0;
        for (size_t s = 0; s < n_sets; s++) {
            double *x = draw_numbers(r, n + 1), *y = draw_numbers(r, n * runs + 1),
                   *mean = draw_numbers(r, n + 1), low, high, own = NAN;
            for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < runs; k++) {
                    y[k * n + i] =
                        selection_perplexity(&r->d, seeds[k], both[b].kind, sets[s], at[i], &x[i]);
                }
                if (strcmp(at[i], sets[s]) == 0) {
                    own = x[i];
                }
            }
            memset(&series[used], 0, sizeof series[used]);
            series[used].x = x;
            series[used].y = y;
            series[used].n = n;
            series[used].runs = runs;
            for (size_t i = 0; i < n; i++) {
                (void)figure_mean(&series[used], i, &mean[i], &low, &high);
            }
            series[used].y = mean; /* five lines with all their seeds would be a thicket */
            series[used].runs = 1;
            snprintf(label[used], sizeof label[used],
                     own >= 1e6 ? "selected at %.2fM" : "selected at %.0fk",
                     own >= 1e6 ? own / 1e6 : own / 1e3);
            series[used].name = label[used];
            used += (size_t)draw_has(&series[used]);
        }
        if (used == 0) {
            continue;
        }
        memset(&f, 0, sizeof f);
        f.title = both[b].title;
        f.x.label = "tokens processed";
        f.y.label = "perplexity";
        draw_series(r, figure_lines, both[b].name, &f, series, used, "tokens", NULL,
                    both[b].caption);
    }
}

/* ---- precision, recall, AUC; share kept by kind ---- */
static inline void selection_over_training(findings *r, const char *corpus) {
    static const struct {
        data_column column;
        const char *name, *title, *caption;
        double rule;
    } panels[3] = {{AUC, "auc", "How well the score ranks useful tokens above noise (AUC)",
                    "Area under the curve: 0.5 is chance, 1 perfect. "
                    " Useful: story, steps and "
                    "right results of problems, by the corpus' own truth.",
                    0.5},
                   {PRECISION, "precision",
                    "Precision: share of the selected tokens that are useful",
                    "By the known truth, since the last point.", NAN},
                   {RECALL, "recall", "Recall: share of the useful tokens that are selected",
                    "By the known truth, since the last point.", NAN}};

    static const char *const arms[] = {"slm", "slm_sequence", "random",        "loss",
                                       "ref", "entropy",      "null_reference"};
    for (size_t p = 0; p < 3; p++) {
        char label[8][64], name[96];
        figure_series s[8];
        figure_rule rule = {panels[p].rule, 0, "chance"};
        figure f;
        size_t n = 0;
        for (size_t a = 0; a < sizeof arms / sizeof arms[0]; a++) {
            s[n] = draw_curve(r, data_find(&r->d, corpus, "main", arms[a]), TOKENS,
                              panels[p].column, label[n], sizeof label[n]);
            n += (size_t)draw_has(&s[n]);
        }
        if (n == 0) {
            continue;
        }
        memset(&f, 0, sizeof f);
        f.title = panels[p].title;
        f.x.label = "tokens processed";
        f.y.label = p == 0 ? "AUC" : panels[p].name;
        f.rules = &rule;
        f.n_rules = 1;
        snprintf(name, sizeof name, "selection_%.40s_%s", corpus, panels[p].name);
        draw_series(r, figure_lines, name, &f, s, n, "tokens", NULL, panels[p].caption);
    }
}

/* Share of a kind's tokens that are kept, in percent, over the first or the last third of the run; one number per seed. */
static inline estimate selection_kept(const data *d, const data_group *g, int kind, int last) {
    double share[STATS_SEEDS];
    for (size_t k = 0; k < g->n; k++) {
        size_t third = (g->run[k].n + 2) / 3, from = last ? g->run[k].n - third : 0;
        double seen = 0, kept = 0;
        for (size_t i = from; i < from + third; i++) {
            double a = data_at(d, &g->run[k], i, (data_column)(SEEN + kind)),
                   b = data_at(d, &g->run[k], i, (data_column)(KEPT + kind));
            if (isfinite(a) && isfinite(b)) {
                seen += a;
                kept += b;
            }
        }
        share[k] = seen > 0 ? 100 * kept / seen : NAN;
    }
    return stats_estimate(share, g->n);
}

static inline int selection_by_kind(findings *r, const char *corpus) {
    static const char *const cols[3] = {"SLM, first third of training", "SLM, last third",
                                        "highest own loss, last third"};
    const data_group *slm = data_find(&r->d, corpus, "main", "slm"),
                     *loss = data_find(&r->d, corpus, "main", "loss");
    double *value = draw_numbers(r, 3 * DATA_KINDS), *low = draw_numbers(r, 3 * DATA_KINDS),
           *high = draw_numbers(r, 3 * DATA_KINDS);
    size_t n_cols = loss->n > 0 ? 3 : 2, any = 0;
    char name[96];
    figure f;
    figure_table t;
    for (int k = 0; k < DATA_KINDS; k++) {
        for (size_t j = 0; j < n_cols; j++) {
            estimate e = selection_kept(&r->d, j < 2 ? slm : loss, k, j > 0);
            size_t cell = (size_t)k * n_cols + j;
            value[cell] = e.value;
            low[cell] = e.low;
            high[cell] = e.high;
            any += isfinite(e.value);
        }
    }
    if (any == 0) {
        return 0;
    }
    memset(&f, 0, sizeof f);
    memset(&t, 0, sizeof t);
    f.title = "Share of each kind of token that is kept";
    f.subtitle =
        "problem, step, result: the target; other: learnable, off the target; the rest is noise";
    f.x.label = "kept (%)";
    t.rows = data_kinds;
    t.cols = cols;
    t.n_rows = DATA_KINDS;
    t.n_cols = n_cols;
    t.value = value;
    t.low = low;
    t.high = high;
    t.unit = "%";
    snprintf(name, sizeof name, "selection_%.40s_kinds", corpus);
    draw_table(
        r, figure_bars, name, &f, &t, NULL,
        "Kinds are the corpus' own truth, per token.  Noise that is kept, and target "
        "that is dropped, is where "
        "the reference is wrong (or the model already right).  95% bootstrap interval over seeds.");
    return 1;
}
#endif
