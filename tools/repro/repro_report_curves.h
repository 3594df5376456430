/* repro_report_curves.h: figure 1: target loss and accuracy against five measures of cost, "N x sooner", the map.
 * Part of repro_report.h. */
#ifndef REPRO_REPORT_CURVES_H
#define REPRO_REPORT_CURVES_H
#include "repro_report_draw.h"

typedef struct curves_family {
    const char *ending, *title, *arms[12];
} curves_family;

static const curves_family curves_families[3] = {
    {"", "plain, selective and the two naive selections", {"clm", "slm", "random", "loss", NULL}},
    {"_scores",
     "other scores and references",
     {"clm", "slm", "slm_sequence", "ref", "entropy", "intersect", "union", "null_reference",
      NULL}},
    {"_clean",
     "what clean text and known truth give",
     {"clm", "slm", "oracle", "filtered", "mixed", "clm_tuned", "slm_tuned", NULL}}};

static const struct {
    data_column column;
    const char *name, *label, *title;
} curves_costs[5] = {
    {TOKENS, "tokens", "tokens processed", "tokens processed"},
    {TRAINED, "trained", "tokens trained on", "tokens trained on"},
    {FLOPS, "flops", "training arithmetic (flop)", "arithmetic of the training alone"},
    {FLOPS_ALL, "flops_all", "arithmetic with reference and scoring (flop)",
     "arithmetic, reference and scoring counted"},
    {SECONDS, "seconds", "seconds of training", "seconds of one core of this machine"}};

static inline int curves_has_accuracy(const findings *r, const char *corpus) {
    return isfinite(data_mean_end(&r->d, data_find(&r->d, corpus, "main", "clm"), TARGET_ACCURACY));
}

/* The arms of a family that are there, each ratio a curve of its own; returns how many. */
/* Another style for a series whose own is taken: of an arm at two ratios. */
static inline void curves_restyle(figure_series *series, size_t n) {
    for (size_t i = 1; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (series[k].style == series[i].style) {
                series[i].style = series[i].style % 8 + 1;
                k = (size_t)-1;
            }
        }
    }
}

static inline size_t curves_collect(findings *r, const char *corpus, const curves_family *family,
                                    data_column x, data_column y, figure_series *series,
                                    char (*label)[64]) {
    size_t n = 0;
    for (size_t a = 0; family->arms[a] != NULL; a++) {
        for (size_t i = 0; i < r->d.n_groups && n < FIGURE_MAX_SERIES; i++) {
            const data_group *g = &r->d.group[i];
            if (strcmp(g->corpus, corpus) != 0 || strcmp(g->set, "main") != 0 ||
                strcmp(g->arm, family->arms[a]) != 0) {
                continue;
            }
            series[n] = draw_curve(r, g, x, y, label[n], sizeof label[n]);
            n += (size_t)(series[n].n > 1 && draw_has(&series[n]));
        }
    }
    curves_restyle(series, n < 9 ? n : 8);
    return n;
}

/* Whether it has any arm besides plain and selective. */
static inline int curves_has_family(const findings *r, const char *corpus,
                                    const curves_family *family) {
    for (size_t a = 2; family->arms[a] != NULL; a++) {
        if (data_find(&r->d, corpus, "main", family->arms[a])->n > 0) {
            return 1;
        }
    }
    return 0;
}

/* What the paper's plain and selective training end with: MetaMath loss, mean of GSM8K and MATH in percent. */
static const double curves_paper[2][2] = {{0.965, 0.859}, {5.6, 21.9}};

static inline void curves_figure(findings *r, const char *corpus, const curves_family *family,
                                 size_t cost, data_column y) {
    char label[FIGURE_MAX_SERIES][64], name[128], title[200], caption[500], text[64] = "", note[200];
    figure_series series[FIGURE_MAX_SERIES];
    const double *paper[FIGURE_MAX_SERIES];
    figure f;
    const data_group *clm = data_find(&r->d, corpus, "main", "clm"),
                     *slm = data_find(&r->d, corpus, "main", "slm");
    const data_group *ref = data_find(&r->d, corpus, "main", "reference");
    double scale = y == TARGET_ACCURACY ? 100 : 1, level = data_mean_end(&r->d, clm, y) * scale;
    double end = data_mean_end(&r->d, clm, curves_costs[cost].column);
    sooner s = data_sooner(&r->d, slm, clm, curves_costs[cost].column, y);
    figure_rule rule = {data_mean_end(&r->d, ref, y) * scale, 0, "the reference itself"};
    figure_arrow arrow = {end, level, end / s.e.value, level, text, y != TARGET_ACCURACY};
    size_t n = curves_collect(r, corpus, family, curves_costs[cost].column, y, series, label);
    if (n == 0 || (family != &curves_families[0] && !curves_has_family(r, corpus, family))) {
        return;
    }
    memset(&f, 0, sizeof f);
    snprintf(name, sizeof name, "fig1_%.40s_%s_%s%s", corpus,
             y == TARGET_ACCURACY ? "accuracy" : "loss", curves_costs[cost].name, family->ending);
    snprintf(title, sizeof title, "%s against %s: %s",
             y == TARGET_ACCURACY ? "Target accuracy" : "Target loss", curves_costs[cost].title,
             family->title);
    SAY(text, "%.1fx sooner", s.e.value);
    snprintf(note, sizeof note, "%s; %zu seed%s, paired: same base, data and order.%s",
             draw_corpus_name(corpus, 1), clm->n, clm->n == 1 ? "" : "s",
             clm->n > 1 ? "  Thin: seeds; band: 95% interval of the mean (Student's t)." : "");
    f.title = title;
    f.note = note;
    f.x.label = curves_costs[cost].label;
    f.y.label =
        y == TARGET_ACCURACY ? "probability of a right result (%)" : draw_loss_label(corpus, 1);
    f.height = 460;
    if (isfinite(rule.value)) {
        f.rules = &rule;
        f.n_rules = 1;
    }
    if (isfinite(s.e.value) && s.e.value > 1.15) {
        f.arrows = &arrow;
        f.n_arrows = 1;
    }
    for (size_t i = 0; i < n; i++) { /* styles 1 and 2 are plain and selective */
        paper[i] = draw_last(
            r, &series[i],
            series[i].style > 2 ? NAN : curves_paper[y == TARGET_ACCURACY][series[i].style - 1]);
    }
    snprintf(
        caption, sizeof caption,
        "%s is better.  The arrow leads from plain training's end to where selective training has "
        "passed it.  %s",
        y == TARGET_ACCURACY ? "Higher" : "Lower",
        y == TARGET_ACCURACY
            ? "Paper, 1.1B, mean of GSM8K and MATH in percent: from 3.0 to 5.6 plain, to 21.9 "
              "selective."
            : "Paper, loss on MetaMath after 4B tokens: 0.965 plain, 0.859 selective.");
    draw_series(r, figure_lines, name, &f, series, n, curves_costs[cost].name, paper, caption);
}

/* ---- N x sooner ---- */
/* "3.5x [3.1, 3.9]", "3.5x" with one seed, or why there is no number. */
static inline const char *curves_sooner_text(char *text, size_t size, const sooner *s, int digits) {
    *text = '\0';
    if (s->seeds == 0) {
        draw_say(text, size, "%s",
                 s->at_once > 0 ? "plain ends no better than it began" : "\xE2\x80\x93");
        return text;
    }
    if (!isfinite(s->e.value)) {
        draw_say(text, size, "not reached (%zu of %zu seeds)", s->reached, s->seeds);
        return text;
    }
    draw_say(text, size, "%.*fx", digits, s->e.value);
    if (s->seeds > 1) {
        draw_say(text, size, " [%.*f, %.*f]", digits, s->e.low, digits, s->e.high);
    }
    if (s->reached < s->seeds) {
        draw_say(text, size, ", %zu of %zu seeds reach it", s->reached, s->seeds);
    }
    return text;
}

static inline size_t curves_main_groups(const findings *r, const char *corpus,
                                        const data_group **list, size_t most) {
    size_t n = 0;
    for (size_t a = 0; a < sizeof draw_arms / sizeof draw_arms[0]; a++) {
        for (size_t i = 0; i < r->d.n_groups && n < most; i++) {
            const data_group *g = &r->d.group[i];
            if (strcmp(g->corpus, corpus) == 0 && strcmp(g->set, "main") == 0 &&
                strcmp(g->arm, draw_arms[a].arm) == 0) {
                list[n++] = g;
            }
        }
    }
    return n;
}

/* The reference and the base are not trained on the noisy corpus: where they stand counts, not how they got there. */
static inline int curves_is_measure(const data_group *g) {
    return strcmp(g->arm, "reference") == 0 || strcmp(g->arm, "base") == 0;
}

static inline void curves_bars(findings *r, const char *corpus) {
    static const char *const cols[2] = {"by target loss", "by target accuracy"};
    const data_group *list[32], *clm = data_find(&r->d, corpus, "main", "clm");
    char label[32][64], name[96];
    const char *rows[32];
    figure_rule rules[3] = {{1, 1, ""}, {5, 1, "paper, 7B"}, {10, 1, "paper, 1.1B"}};
    figure f;
    figure_table t;
    size_t n = curves_main_groups(r, corpus, list, 32), used = 0;
    double least = 0.45, most = 12;
    memset(&f, 0, sizeof f);
    memset(&t, 0, sizeof t);
    t.n_cols = curves_has_accuracy(r, corpus) ? 2 : 1;
    double *value = draw_numbers(r, 2 * n), *low = draw_numbers(r, 2 * n),
           *high = draw_numbers(r, 2 * n), *paper = draw_numbers(r, 2 * n);
    for (size_t i = 0; i < n; i++) {
        if (curves_is_measure(list[i])) {
            continue;
        }
        for (size_t j = 0; j < t.n_cols; j++) {
            sooner s =
                data_sooner(&r->d, list[i], clm, TOKENS, j == 0 ? TARGET_LOSS : TARGET_ACCURACY);
            value[used * t.n_cols + j] = s.e.value;
            low[used * t.n_cols + j] = s.e.low;
            high[used * t.n_cols + j] = s.e.high;
            if (s.e.value > most) {
                most = s.e.value;
            }
            if (s.e.high > most) {
                most = s.e.high;
            }
            if (s.e.low < least) {
                least = s.e.low;
            }
            paper[used * t.n_cols + j] =
                j == t.n_cols - 1 && strcmp(list[i]->arm, "slm") == 0 ? 10 : NAN;
        }
        rows[used] = draw_label(label[used], sizeof label[used], list[i]);
        used++;
    }
    if (used == 0) {
        return;
    }
    t.rows = rows;
    t.cols = cols;
    t.n_rows = used;
    t.value = value;
    t.low = low;
    t.high = high;
    t.digits = 2;
    t.unit = "x";
    t.none = "not reached";
    f.title = "How many times sooner does each arm pass plain training's end?";
    f.subtitle = "tokens of plain training / tokens until its final target metric is passed; 95% "
                 "bootstrap interval over seeds";
    f.x.label = "times sooner (logarithmic)";
    f.x.log = 1;
    f.x.low = least / 1.1;
    f.x.high = most * 1.15;
    f.rules = rules;
    f.n_rules = 3;
    snprintf(name, sizeof name, "fig1_%.40s_sooner", corpus);
    draw_table(r, figure_bars, name, &f, &t, paper,
               "Paired by seed; geometric mean.  Not reached: at least half of the seeds never "
               "pass it.  Dotted: the paper's two "
               "claims.");
}

/* ---- the map: noise share x ratio ---- */
static inline size_t curves_insert(double *list, size_t n, size_t most, double v) {
    size_t at = 0;
    while (at < n && list[at] < v - 1e-9) {
        at++;
    }
    if (!isfinite(v) || n == most || (at < n && fabs(list[at] - v) < 1e-9)) {
        return n;
    }
    memmove(list + at + 1, list + at, (n - at) * sizeof *list);
    list[at] = v;
    return n + 1;
}

static inline const data_group *curves_cell(const findings *r, const char *arm, double noise,
                                            double target, double ratio) {
    for (size_t i = 0; i < r->d.n_groups; i++) {
        const data_group *g = &r->d.group[i];
        if (strcmp(g->set, "map") == 0 && strcmp(g->arm, arm) == 0 &&
            fabs(g->noise - noise) < 1e-9 && (isnan(target) || fabs(g->target - target) < 1e-9) &&
            (isnan(ratio) || fabs(g->ratio - ratio) < 1e-9)) {
            return g;
        }
    }
    return &data_none;
}

enum { MAP_MOST = 12 };

typedef struct map_grid {
    double noise[MAP_MOST], ratio[MAP_MOST], target[MAP_MOST];
    size_t n_noise, n_ratio, n_target;
} map_grid;

static inline map_grid curves_grid(const findings *r) {
    map_grid m;
    memset(&m, 0, sizeof m);
    for (size_t i = 0; i < r->d.n_groups; i++) {
        const data_group *g = &r->d.group[i];
        if (strcmp(g->set, "map") != 0 || strcmp(g->arm, "slm") != 0) {
            continue;
        }
        m.n_noise = curves_insert(m.noise, m.n_noise, MAP_MOST, g->noise);
        m.n_ratio = curves_insert(m.ratio, m.n_ratio, MAP_MOST, g->ratio);
        m.n_target = curves_insert(m.target, m.n_target, MAP_MOST, g->target);
    }
    if (m.n_target == 0) {
        m.target[0] = NAN;
        m.n_target = 1;
    }
    return m;
}

static inline sooner curves_map_cell(const findings *r, double noise, double target, double ratio,
                                     data_column y) {
    return data_sooner(&r->d, curves_cell(r, "slm", noise, target, ratio),
                       curves_cell(r, "clm", noise, target, NAN), TOKENS, y);
}

static inline int curves_map(findings *r, data_column y) {
    map_grid m = curves_grid(r);
    const char *rows[MAP_MOST * MAP_MOST], *cols[MAP_MOST];
    char row[MAP_MOST * MAP_MOST][64], col[MAP_MOST][16];
    size_t n = 0, any = 0, cells = m.n_noise * m.n_target * m.n_ratio + 1;
    double *value = draw_numbers(r, cells), *low = draw_numbers(r, cells),
           *high = draw_numbers(r, cells);
    figure f;
    figure_table t;
    for (size_t k = 0; k < m.n_target; k++) {
        for (size_t i = 0; i < m.n_noise; i++, n++) {
            row[n][0] = '\0';
            if (m.n_target > 1) {
                SAY(row[n], "target %.0f%%, ", 100 * m.target[k]);
            }
            SAY(row[n], "noise %.0f%%", 100 * m.noise[i]);
            rows[n] = row[n];
            for (size_t j = 0; j < m.n_ratio; j++) {
                sooner s = curves_map_cell(r, m.noise[i], m.target[k], m.ratio[j], y);
                double v = isfinite(s.e.value) ? s.e.value : s.seeds > 0 ? DATA_NOT_REACHED : NAN;
                value[n * m.n_ratio + j] = v;
                low[n * m.n_ratio + j] = s.e.low;
                high[n * m.n_ratio + j] = s.e.high;
                any += isfinite(v);
            }
        }
    }
    if (any == 0) {
        return 0;
    }
    for (size_t j = 0; j < m.n_ratio; j++) {
        snprintf(col[j], sizeof col[j], "%.0f%%", 100 * m.ratio[j]);
        cols[j] = col[j];
    }
    memset(&f, 0, sizeof f);
    memset(&t, 0, sizeof t);
    f.title = y == TARGET_ACCURACY ? "Where it helps, by accuracy: times sooner, by noise and ratio"
                                   : "Where it helps, by loss: times sooner, by noise and ratio";
    f.subtitle = "blue: selective training passes plain training's end sooner; orange: later or "
                 "never (shown as 0.5x)";
    f.x.label = "ratio: tokens kept";
    t.rows = rows;
    t.cols = cols;
    t.n_rows = n;
    t.n_cols = m.n_ratio;
    t.value = value;
    t.low = low;
    t.high = high;
    t.digits = 1;
    t.unit = "x";
    t.center = 1;
    draw_table(r, figure_map, y == TARGET_ACCURACY ? "fig1_map_accuracy" : "fig1_map_loss", &f, &t,
               NULL,
               "Noise: share of the bytes that are ids, stamps and markup.  A dash: not measured.  "
               "The paper has one point of "
               "this map.");
    return 1;
}
#endif
