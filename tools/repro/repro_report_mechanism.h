/* repro_report_mechanism.h: what goes on inside: figures 3, 6, 7, 8 and what is selected.  Part of repro_report.h. */
#ifndef REPRO_REPORT_MECHANISM_H
#define REPRO_REPORT_MECHANISM_H
#include "repro_report_draw.h"

/* The different texts of a column, in the order of the file. */
static inline size_t mechanism_different(const csv_table *t, const char *column, const char **list,
                                         size_t most) {
    int c = csv_column(t, column);
    size_t n = 0;
    for (size_t row = 0; row < t->rows; row++) {
        size_t i = 0;
        while (i < n && strcmp(list[i], csv_text(t, row, c)) != 0) {
            i++;
        }
        if (i == n && n < most) {
            list[n++] = csv_text(t, row, c);
        }
    }
    return n;
}

static inline int mechanism_is(const csv_table *t, size_t row, const char *column,
                               const char *value) {
    return strcmp(csv_text(t, row, csv_column(t, column)), value) == 0;
}

/* ---- figure 3: four classes of tokens by their loss over plain training ---- */
static const char *const mechanism_classes[4] = {"HL", "LH", "HH", "LL"};

/* Share of the class (0 to 1), one number per seed. */
static inline size_t mechanism_shares(const data *d, const char *class_name, const char *null,
                                      double *share, const char **seeds) {
    const csv_table *t = &d->trajectories;
    size_t n = mechanism_different(t, "seed", seeds, STATS_SEEDS);
    for (size_t k = 0; k < n; k++) {
        share[k] = NAN;
        for (size_t row = 0; row < t->rows; row++) {
            if (mechanism_is(t, row, "seed", seeds[k]) && mechanism_is(t, row, "null", null) &&
                mechanism_is(t, row, "class", class_name)) {
                share[k] = csv_number(t, row, csv_column(t, "share"));
            }
        }
    }
    return n;
}

/* Share among real checkpoints less share among shuffled ones, by seed. */
static inline estimate mechanism_above_null(const data *d, const char *class_name) {
    double real[STATS_SEEDS], null[STATS_SEEDS];
    const char *seeds[STATS_SEEDS];
    size_t n = mechanism_shares(d, class_name, "0", real, seeds);
    (void)mechanism_shares(d, class_name, "1", null, seeds);
    for (size_t k = 0; k < n; k++) {
        real[k] -= null[k];
    }
    return stats_estimate(real, n);
}

static inline estimate mechanism_share(const data *d, const char *class_name, const char *null) {
    double share[STATS_SEEDS];
    const char *seeds[STATS_SEEDS];
    return stats_estimate(share, mechanism_shares(d, class_name, null, share, seeds));
}

static inline void mechanism_share_figure(findings *r) {
    static const char *const rows[4] = {"here", "here, checkpoints shuffled", "paper, TinyLlama",
                                        "paper, Mistral"};
    static const char *const cols[4] = {"high to low", "low to high", "stays high", "stays low"};
    static const double theirs[2][4] = {{26, 12, 11, 51}, {28, 13, 8, 51}};
    double *value = draw_numbers(r, 16), *low = draw_numbers(r, 16), *high = draw_numbers(r, 16),
           *paper = draw_numbers(r, 16);
    figure f;
    figure_table t;
    for (size_t j = 0; j < 4; j++) {
        for (size_t i = 0; i < 2; i++) {
            estimate e = mechanism_share(&r->d, mechanism_classes[j], i == 0 ? "0" : "1");
            value[4 * i + j] = 100 * e.value;
            low[4 * i + j] = 100 * e.low;
            high[4 * i + j] = 100 * e.high;
            value[4 * (i + 2) + j] = theirs[i][j];
        }
        paper[j] = theirs[0][j];
    }
    memset(&f, 0, sizeof f);
    memset(&t, 0, sizeof t);
    f.title = "Paper's figure 3: the four classes of tokens, and what chance alone makes of them";
    f.subtitle = "least-squares line through each held-out token's loss over plain training; high "
                 "to low: it falls by more than "
                 "0.2";
    t.rows = rows;
    t.cols = cols;
    t.n_rows = t.n_cols = 4;
    t.value = value;
    t.low = low;
    t.high = high;
    t.unit = "%";
    draw_table(r, figure_shares, "fig3_shares", &f, &t, paper,
               "Shares in percent, mean over seeds.  Shuffled: the same losses, each token's "
               "checkpoints in random order, so that "
               "no trend is left.");
}

static inline figure_series mechanism_class_curve(findings *r, const char *class_name,
                                                  const char *null, const char *label) {
    const csv_table *t = &r->d.trajectories;
    const char *seeds[STATS_SEEDS], *points[256];
    size_t n = mechanism_different(t, "point", points, 256),
           runs = mechanism_different(t, "seed", seeds, STATS_SEEDS);
    double *x = draw_numbers(r, n + 1), *y = draw_numbers(r, n * runs + 1);
    figure_series s;
    memset(&s, 0, sizeof s);
    for (size_t row = 0; row < t->rows; row++) {
        size_t i = 0, k = 0;
        if (!mechanism_is(t, row, "class", class_name) || !mechanism_is(t, row, "null", null)) {
            continue;
        }
        while (i < n && !mechanism_is(t, row, "point", points[i])) {
            i++;
        }
        while (k < runs && !mechanism_is(t, row, "seed", seeds[k])) {
            k++;
        }
        if (i == n || k == runs) {
            continue;
        }
        x[i] = csv_number(t, row, csv_column(t, "tokens"));
        y[k * n + i] = csv_number(t, row, csv_column(t, "mean_loss"));
    }
    s.name = label;
    s.x = x;
    s.y = y;
    s.n = n;
    s.runs = runs;
    return s;
}

static inline void mechanism_figure3(findings *r) {
    static const char *const labels[4] = {"high to low", "low to high", "stays high", "stays low"};
    static const double last[4] = {2.51, 3.85, 3.74, 0.211};
    figure_series s[4];
    figure f;
    memset(&f, 0, sizeof f);
    mechanism_share_figure(r);
    for (int null = 0; null < 2; null++) {
        const double *paper[4];
        for (size_t j = 0; j < 4; j++) {
            s[j] = mechanism_class_curve(r, mechanism_classes[j], null ? "1" : "0", labels[j]);
            paper[j] = draw_last(r, &s[j], last[j]);
        }
        f.title = null ? "The same, checkpoints shuffled: classes without any learning"
                       : "Paper's figure 3: mean loss of each class over plain training";
        f.x.label = "tokens processed by plain training";
        f.y.label = "loss (nats per byte)";
        draw_series(r, figure_lines, null ? "fig3_curves_null" : "fig3_curves", &f, s, 4, "tokens",
                    null ? NULL : paper,
                    null ? "Fitting lines to noise makes classes whose means rise and fall too; "
                           "only what differs from this is "
                           "learning."
                         : "Names are those of the paper and describe the trend, not the level.");
    }
}

/* ---- figure 6: loss on selected, unselected and all tokens; figure 7: accuracy against them ---- */
static inline void mechanism_figure6(findings *r, const char *corpus) {
    static const struct {
        data_column column;
        const char *name, *title, *caption;
        double clm, slm;
    } panels[3] = {
        {FIXED_KEPT, "selected", "Paper's figure 6: loss on the tokens that selection is for",
         "A fixed held-out piece of the noisy corpus, its top tokens by the "
         "starting model's excess loss.  Paper, end of 4B tokens: 1.015 plain, 0.981 selective.",
         1.015, 0.981},
        {FIXED_DROPPED, "unselected", "Paper's figure 6: loss on the other tokens",
         "The rest of the same piece.  Paper: 2.83 plain, 3.52 selective: it "
         "rises, and that is meant.",
         2.83, 3.52},
        {FIXED_ALL, "all", "Paper's figure 6: loss on all tokens of the noisy corpus",
         "Who judges by this number finds selective training worse.  "
         "Paper, worked out from its figure 6: about 1.74 plain, 2.00 selective.",
         1.74, 2.00}};

    static const char *const arms[3] = {"clm", "slm", "random"};
    for (size_t p = 0; p < 3; p++) {
        char label[3][64], name[96];
        const double *paper[3];
        figure_series s[3];
        figure f;
        size_t n = 0;
        for (size_t a = 0; a < 3; a++) {
            s[n] = draw_curve(r, data_find(&r->d, corpus, "main", arms[a]), TOKENS,
                              panels[p].column, label[n], sizeof label[n]);
            paper[n] = draw_last(r, &s[n], a == 0 ? panels[p].clm : a == 1 ? panels[p].slm : NAN);
            n += (size_t)draw_has(&s[n]);
        }
        if (n == 0) {
            continue;
        }
        memset(&f, 0, sizeof f);
        f.title = panels[p].title;
        f.subtitle = draw_corpus_name(corpus, 1);
        f.x.label = "tokens processed";
        f.y.label = draw_loss_label(corpus, 0);
        f.height = 400;
        snprintf(name, sizeof name, "fig6_%.40s_%s", corpus, panels[p].name);
        draw_series(r, figure_lines, name, &f, s, n, "tokens", paper, panels[p].caption);
    }
}

static inline void mechanism_figure7(findings *r, const char *corpus) {
    static const char *const arms[2] = {"slm", "clm"};
    for (int dropped = 0; dropped < 2; dropped++) {
        char label[2][64], name[96];
        figure_series s[2];
        figure f;
        size_t n = 0;
        for (
            size_t a = 0; a < 2;
            a++) { /* one point per checkpoint, the mean over the seeds: seeds are not checkpoints */
            figure_series acc = draw_curve(r, data_find(&r->d, corpus, "main", arms[a]),
                                           dropped ? FIXED_DROPPED : FIXED_KEPT, TARGET_ACCURACY,
                                           label[n], sizeof label[n]);
            double *y = draw_numbers(r, acc.n + 1), low, high;
            for (size_t i = 0; i < acc.n; i++) {
                (void)figure_mean(&acc, i, &y[i], &low, &high);
            }
            s[n] = acc;
            s[n].y = y;
            s[n].runs = 1;
            if (acc.n > 0) {
                s[n].x++;
                s[n].y++;
                s[n].n--;
            } /* without the start, before any training: it is no checkpoint */
            n += (size_t)draw_has(&s[n]);
        }
        if (n == 0) {
            return;
        }
        memset(&f, 0, sizeof f);
        f.title = dropped ? "Paper's figure 7: accuracy against the loss on unselected tokens"
                          : "Paper's figure 7: accuracy against the loss on selected tokens";
        f.subtitle = dropped ? "does less loss on the noise go with less accuracy?"
                             : "less loss on these should go with more accuracy";
        f.x.label = draw_loss_label(corpus, 0);
        f.y.label = "probability of a right result (%)";
        snprintf(name, sizeof name, "fig7_%.40s_%s", corpus, dropped ? "unselected" : "selected");
        draw_series(r, figure_points, name, &f, s, n, "loss", NULL,
                    dropped ? "One point per checkpoint, mean over seeds.  Paper: accuracy rises "
                              "from 5 to 22.5 while this loss rises from 3.53 to "
                              "3.65."
                            : "One point per checkpoint, mean over seeds.  Paper: accuracy rises "
                              "from 5 to 22.5 while this loss falls from 0.955 "
                              "to 0.875.");
    }
}

/* Correlation of accuracy with the loss on (un)selected tokens over a run's checkpoints, one number per seed. */
static inline estimate mechanism_correlation(const data *d, const data_group *g, data_column loss) {
    double r[STATS_SEEDS], x[512], y[512];
    for (size_t k = 0; k < g->n; k++) {
        size_t n = g->run[k].n < 512 ? g->run[k].n : 512;
        for (size_t i = 0; i < n; i++) {
            x[i] = data_at(d, &g->run[k], i, loss);
            y[i] = data_at(d, &g->run[k], i, TARGET_ACCURACY);
        }
        r[k] = n > 1 ? stats_correlation(x + 1, y + 1, n - 1)
                     : NAN; /* without the start: it is no checkpoint */
    }
    return stats_estimate(r, g->n);
}
#endif
