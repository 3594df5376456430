/* repro_report_sweeps.h: figure 9, tables 3 to 5, and the arms that say where it does not help.  Part of repro_report.h. */
#ifndef REPRO_REPORT_SWEEPS_H
#define REPRO_REPORT_SWEEPS_H
#include "repro_report_curves.h"

enum { SWEEP_MOST = 24 };

/* The groups of an arm in a set, by rising ratio (by_size: by rising size of the reference); returns how many. */
static inline size_t sweep_collect(const findings *r, const char *corpus, const char *set,
                                   const char *arm, int by_size, const data_group **list) {
    size_t n = 0;
    for (size_t i = 0; i < r->d.n_groups && n < SWEEP_MOST; i++) {
        const data_group *g = &r->d.group[i];
        if (strcmp(g->corpus, corpus) != 0 || strcmp(g->set, set) != 0 ||
            strcmp(g->arm, arm) != 0) {
            continue;
        }
        double key = by_size ? g->size : isnan(g->ratio) ? 1 : g->ratio;
        size_t at = n++;
        for (; at > 0 && (by_size                      ? list[at - 1]->size
                          : isnan(list[at - 1]->ratio) ? 1
                                                       : list[at - 1]->ratio) > key;
             at--) {
            list[at] = list[at - 1];
        }
        list[at] = g;
    }
    return n;
}

/* Plain training that a set is compared with: its own, or that of set main (same base, data and seeds). */
static inline const data_group *sweep_plain(const findings *r, const char *corpus,
                                            const char *set) {
    const data_group *own = data_find(&r->d, corpus, set, "clm");
    return own->n > 0 ? own : data_find(&r->d, corpus, "main", "clm");
}

/* ---- figure 9 ---- */
static inline void sweep_ratio_panel(findings *r, const char *corpus, data_column y) {
    static const struct {
        double ratio, score;
    } theirs[6] = {{0.4, 12.85}, {0.5, 14.0}, {0.6, 14.85}, {0.7, 10.6}, {0.8, 7.45}, {1.0, 4.4}};

    const data_group *list[SWEEP_MOST];
    size_t n = sweep_collect(r, corpus, "ratio", "slm", 0, list), runs = 0, any = 0;
    double *x = draw_numbers(r, n + 1), *paper = draw_numbers(r, n + 1), *value,
           scale = y == TARGET_ACCURACY ? 100 : 1;
    const double *same = paper;
    char name[96], caption[400];
    figure_rule rule = {data_mean_end(&r->d, sweep_plain(r, corpus, "ratio"), y) * scale, 0,
                        "plain (CLM)"};
    figure_series s;
    figure f;
    for (size_t i = 0; i < n; i++) {
        runs = list[i]->n > runs ? list[i]->n : runs;
    }
    value = draw_numbers(r, n * runs + 1);
    for (size_t i = 0; i < n; i++) {
        x[i] = 100 * (isnan(list[i]->ratio) ? 1 : list[i]->ratio);
        for (size_t k = 0; k < 6; k++) {
            paper[i] = fabs(x[i] - 100 * theirs[k].ratio) < 1e-6 ? theirs[k].score : paper[i];
        }
        for (size_t k = 0; k < list[i]->n; k++) {
            value[k * n + i] = data_end(&r->d, &list[i]->run[k], y) * scale;
            any += isfinite(value[k * n + i]);
        }
    }
    if (any == 0) {
        return;
    }
    memset(&f, 0, sizeof f);
    memset(&s, 0, sizeof s);
    s.name = "selective (SLM)";
    s.x = x;
    s.y = value;
    s.n = n;
    s.runs = runs;
    s.style = 2;
    f.title = y == TARGET_ACCURACY
                  ? "Paper's figure 9: accuracy at the end by the ratio that is kept"
                  : "Paper's figure 9: target loss at the end by the ratio that is kept";
    f.x.label = "tokens kept (%)";
    f.y.label =
        y == TARGET_ACCURACY ? "probability of a right result (%)" : draw_loss_label(corpus, 1);
    f.rules = &rule;
    f.n_rules = 1;
    snprintf(name, sizeof name, "fig9_%.40s_%s", corpus,
             y == TARGET_ACCURACY ? "accuracy" : "loss");
    snprintf(caption, sizeof caption,
             "100%% must be plain training exactly.  Paper (mean of GSM8K and MATH):");
    for (size_t i = 0; i < 6; i++) {
        SAY(caption, "%s %.0f%%: %.1f", i == 0 ? "" : ",", 100 * theirs[i].ratio, theirs[i].score);
    }
    SAY(caption, "; best at 60%%.");
    draw_series(r, figure_lines, name, &f, &s, 1, "ratio_percent", &same, caption);
}

static inline int sweep_ratio(findings *r, const char *corpus) {
    const data_group *list[SWEEP_MOST];
    if (sweep_collect(r, corpus, "ratio", "slm", 0, list) == 0) {
        return 0;
    }
    sweep_ratio_panel(r, corpus, TARGET_LOSS);
    sweep_ratio_panel(r, corpus, TARGET_ACCURACY);
    return 1;
}

/* ---- tables 3, 4 and 5, and every other set that is a selective arm against plain training ---- */
/* Bars of what selective training ends with less what plain training ends with. */
typedef struct sweep_rows {
    const data_group *group[SWEEP_MOST];
    char label[SWEEP_MOST][80];
    double paper[SWEEP_MOST];
    size_t n;
} sweep_rows;

static inline void sweep_add(sweep_rows *rows, const data_group *g, double paper,
                             const char *format, double a) {
    if (g->n == 0 || rows->n == SWEEP_MOST) {
        return;
    }
    rows->group[rows->n] = g;
    rows->paper[rows->n] = paper;
    snprintf(rows->label[rows->n++], sizeof rows->label[0], format, a);
}

static inline int sweep_bars(findings *r, const sweep_rows *rows, const data_group *plain,
                             const char *name, const char *title, const char *caption) {
    static const char *const cols[1] = {""};
    const char *labels[SWEEP_MOST];
    double *value = draw_numbers(r, rows->n), *low = draw_numbers(r, rows->n),
           *high = draw_numbers(r, rows->n);
    figure f;
    figure_table t;
    int accuracy = curves_has_accuracy(r, plain->corpus);
    size_t any = 0;
    for (size_t i = 0; i < rows->n; i++) {
        estimate e =
            data_difference(&r->d, rows->group[i], plain, accuracy ? TARGET_ACCURACY : TARGET_LOSS);
        labels[i] = rows->label[i];
        value[i] = e.value * (accuracy ? 100 : 1);
        low[i] = e.low * (accuracy ? 100 : 1);
        high[i] = e.high * (accuracy ? 100 : 1);
        any += isfinite(value[i]);
    }
    if (any == 0) {
        return 0;
    }
    memset(&f, 0, sizeof f);
    memset(&t, 0, sizeof t);
    f.title = title;
    f.subtitle = accuracy ? "accuracy at the end less plain training's, points; right of 0 is "
                            "better; 95% bootstrap interval over "
                            "paired seeds"
                          : "target loss at the end less plain training's; left of 0 is better; "
                            "95% bootstrap interval over paired "
                            "seeds";
    t.rows = labels;
    t.cols = cols;
    t.n_rows = rows->n;
    t.n_cols = 1;
    t.value = value;
    t.low = low;
    t.high = high;
    t.digits = accuracy ? 1 : 3;
    draw_table(r, figure_bars, name, &f, &t, rows->paper, caption);
    return 1;
}

static inline int sweep_self(findings *r) {
    static const struct {
        double ratio, gain;
    } theirs[5] = {{0.9, 1.9}, {0.8, 1.9}, {0.7, 2.4}, {0.6, 1.5}, {0.5, -0.8}};

    static const char *const arms[5][2] = {{"slm", "excess loss, keep %.0f%%"},
                                           {"ref", "reference loss, keep %.0f%%"},
                                           {"entropy", "entropy, keep %.0f%%"},
                                           {"intersect", "both, at %.0f%%"},
                                           {"union", "either, at %.0f%%"}};
    sweep_rows rows;
    rows.n = 0;
    for (size_t a = 0; a < 5; a++) {
        const data_group *list[SWEEP_MOST];
        size_t n = sweep_collect(r, "builtin", "self", arms[a][0], 0, list);
        for (size_t i = 0; i < n; i++) {
            double paper = NAN;
            for (size_t k = 0; k < 5 && a < 2; k++) {
                if (fabs(list[i]->ratio - theirs[k].ratio) < 1e-9) {
                    paper = theirs[k].gain;
                }
            }
            sweep_add(&rows, list[i], paper, arms[a][1], 100 * list[i]->ratio);
        }
    }
    if (rows.n == 0) {
        return 0;
    }
    return sweep_bars(r, &rows, sweep_plain(r, "builtin", "self"), "table3_self",
                      "Paper's tables 3 and 4: the reference trained "
                      "on the noisy corpus itself",
                      "No clean text at all.  Paper (score: reference loss): +1.9 at 90% and 80%, "
                      "+2.4 at 70%, +1.5 at 60%, "
                      "\xE2\x88\x92"
                      "0.8 at 50%; with a "
                      "curated reference +16.5.");
}

static inline int sweep_weak(findings *r) {
    const data_group *list[SWEEP_MOST];
    size_t n = sweep_collect(r, "builtin", "weak", "slm", 1, list);
    sweep_rows rows;
    rows.n = 0;
    for (size_t i = 0; i < n; i++) {
        sweep_add(&rows, list[i], list[i]->size < 0.9 ? 0.9 : NAN,
                  "reference %.3g times the model's size", list[i]->size);
    }
    if (n == 0) {
        return 0;
    }
    return sweep_bars(
        r, &rows, sweep_plain(r, "builtin", "weak"), "table5_weak",
        "Paper's table 5: a small reference guides a larger model",
        "Paper: a 1.1B reference guides a 7B model (0.16 times its size): +0.9 points on average.");
}

/* ---- as the clean text shrinks ---- */
/* An arm with so many bytes of clean text: from set clean, or set main. */
static inline const data_group *sweep_clean_group(const findings *r, const char *arm,
                                                  double clean) {
    for (int main_too = 0; main_too < 2; main_too++) {
        for (size_t i = 0; i < r->d.n_groups; i++) {
            const data_group *g = &r->d.group[i];
            if (strcmp(g->corpus, "builtin") == 0 &&
                strcmp(g->set, main_too ? "main" : "clean") == 0 && strcmp(g->arm, arm) == 0 &&
                fabs(g->clean - clean) < 0.5) {
                return g;
            }
        }
    }
    return &data_none;
}

static inline size_t sweep_clean_sizes(const findings *r, double *sizes) {
    size_t n = 0;
    for (size_t i = 0; i < r->d.n_groups; i++) {
        const data_group *g = &r->d.group[i];
        if (strcmp(g->set, "clean") == 0 && strcmp(g->arm, "slm") == 0) {
            n = curves_insert(sizes, n, SWEEP_MOST, g->clean);
        }
    }
    return n;
}

static inline int sweep_clean(findings *r) {
    static const char *const arms[6] = {"clm",       "slm",   "slm_tuned",
                                        "clm_tuned", "mixed", "reference"};
    data_column y = curves_has_accuracy(r, "builtin") ? TARGET_ACCURACY : TARGET_LOSS;
    double sizes[SWEEP_MOST], scale = y == TARGET_ACCURACY ? 100 : 1;
    size_t n = sweep_clean_sizes(r, sizes), used = 0;
    figure_series s[6];
    char label[6][64];
    figure f;
    for (size_t a = 0; a < 6 && n > 0; a++) {
        double *x = draw_numbers(r, n), *v = draw_numbers(r, n * STATS_SEEDS);
        size_t runs = 0;
        memset(&s[used], 0, sizeof s[used]);
        for (size_t i = 0; i < n;
             i++) { /* plain training does not know of the clean text: the same at every size */
            const data_group *g = a == 0 ? data_find(&r->d, "builtin", "clean", "clm")
                                         : sweep_clean_group(r, arms[a], sizes[i]);
            x[i] = sizes[i];
            for (size_t k = 0; k < g->n; k++) {
                v[k * n + i] = data_end(&r->d, &g->run[k], y) * scale;
            }
            runs = g->n > runs ? g->n : runs;
            if (g->n > 0) {
                s[used].name = draw_label(label[used], sizeof label[used], g);
            }
        }
        s[used].x = x;
        s[used].y = v;
        s[used].n = n;
        s[used].runs = runs;
        s[used].style = draw_style(arms[a]);
        used += (size_t)draw_has(&s[used]);
    }
    if (used == 0) {
        return 0;
    }
    memset(&f, 0, sizeof f);
    f.title = "What selective training adds, as the clean text shrinks";
    f.subtitle = "where each arm ends; \"then clean text\": the last steps are on the clean text, "
                 "at equal total tokens";
    f.x.label = "bytes of clean text (logarithmic)";
    f.x.log = 1;
    f.y.label =
        y == TARGET_ACCURACY ? "probability of a right result (%)" : draw_loss_label("builtin", 1);
    draw_series(
        r, figure_lines, "clean_builtin", &f, s, used, "clean_bytes", NULL,
        "Not in the paper.  The reference, tuned on the clean text alone, is the line to beat.");
    return 1;
}

/* Plain and selective curves of a set of its own: scratch, control. */
static inline int sweep_pair(findings *r, const char *corpus, const char *set, const char *title,
                             const char *caption) {
    static const char *const arms[2] = {"clm", "slm"};
    char label[2][64], name[96];
    figure_series s[2];
    figure f;
    size_t n = 0;
    for (size_t a = 0; a < 2; a++) {
        s[n] = draw_curve(r, data_find(&r->d, corpus, set, arms[a]), TOKENS, TARGET_LOSS, label[n],
                          sizeof label[n]);
        n += (size_t)(draw_has(&s[n]) && s[n].n > 1);
    }
    if (n < 2) {
        return 0;
    }
    memset(&f, 0, sizeof f);
    f.title = title;
    f.x.label = "tokens processed";
    f.y.label = draw_loss_label(corpus, 1);
    f.height = 380;
    snprintf(name, sizeof name, "%.40s_%.40s", set, corpus);
    draw_series(r, figure_lines, name, &f, s, n, "tokens", NULL, caption);
    return 1;
}
#endif
