/* figures_sweeps.c: figure 9, tables 3 to 5, less clean text, the controls. */
#include <math.h>
#include "findings.h"

/* ---- figure 9 ---- */
/* A number of the paper at a ratio. */
typedef struct at_ratio {
    double ratio, value;
} at_ratio;

enum { PAPER_RATIOS = 6, PAPER_SELF_RATIOS = 5 };

static const at_ratio paper_scores[PAPER_RATIOS] = {{0.4, 12.85}, {0.5, 14.0}, {0.6, 14.85},
                                                    {0.7, 10.6},  {0.8, 7.45}, {1.0, 4.4}};

/* Gains over plain training with the reference trained on the noisy corpus. */
static const at_ratio paper_self_gains[PAPER_SELF_RATIOS] = {
    {0.9, 1.9}, {0.8, 1.9}, {0.7, 2.4}, {0.6, 1.5}, {0.5, -0.8}};

/* NaN: the ratio was not tried. */
static double paper_at(const at_ratio *list, size_t n, double ratio) {
    for (size_t k = 0; k < n; k++)
        if (fabs(ratio - list[k].ratio) < 1e-8) return list[k].value;
    return NAN;
}

static void draw_ratios_by(findings *all, const char *name, const char *what, data_column y) {
    const data_group *list[MAX_SWEEP];
    size_t n = data_sweep(&all->d, "ratio", "slm", list);
    double plain = data_mean_end(data_find_plain(&all->d, "ratio"), y);
    double *x = new_numbers(n);
    const figure_rule rule = {plain * metric_scale(y), 0, "plain (CLM)"};
    char caption[400] = "100% must be plain training exactly.  Paper (mean of GSM8K and MATH):";
    curve_set set = {.n = 0};
    for (size_t i = 0; i < n; i++)
        x[i] = 100 * data_ratio(list[i]);
    add_ends(&set, list, x, n, y);
    for (size_t i = 0; i < n && set.n > 0; i++)
        set.paper[0][i] = paper_at(paper_scores, PAPER_RATIOS, data_ratio(list[i]));
    set.series[0].name = "selective (SLM)";
    for (size_t i = 0; i < PAPER_RATIOS; i++)
        SAY(caption, "%s %.0f%%: %.1f", i == 0 ? "" : ",", 100 * paper_scores[i].ratio,
            paper_scores[i].value);
    SAY(caption, "; best at 60%%.");
    const drawing d = {.f = {.title = make_text("Paper's figure 9: %s at the end by the ratio that "
                                                "is kept",
                                                what),
                             .x = {.label = "tokens kept (%)"},
                             .y = {.label = metric_label("builtin", y)},
                             .rules = &rule,
                             .n_rules = 1},
                       .name = make_text("fig9_builtin_%s", name),
                       .caption = caption,
                       .axis = "ratio_percent",
                       .set = &set};
    (void)draw(all, &d);
}

int draw_ratios(findings *all) {
    if (data_find(&all->d, "builtin", "ratio", "slm")->n == 0) return 0;
    draw_ratios_by(all, "loss", "target loss", TARGET_LOSS);
    draw_ratios_by(all, "accuracy", "accuracy", TARGET_ACCURACY);
    return 1;
}

/* ---- tables 3, 4 and 5: where selective training ends, less where plain training ends ---- */
static number_table new_gains(void) {
    static const char *const cols[1] = {""};
    return new_table(cols, 1);
}

static void add_gain(number_table *t, const findings *all, const data_group *g, double paper,
                     const char *label) {
    data_column y = best_metric(&all->d, "builtin");
    add_row(t, label);
    set_cell(t, 0, data_difference(g, data_find_plain(&all->d, g->set), y),
             metric_scale(y));
    t->paper[t->t.n_rows - 1] = paper;
}

/* words: title, name, caption. */
static int draw_gains(findings *all, number_table *t, const drawing *words) {
    const int by_accuracy = best_metric(&all->d, "builtin") == TARGET_ACCURACY;
    drawing d = *words;
    t->t.digits = by_accuracy ? 1 : 3;
    d.f.subtitle = by_accuracy ? "accuracy at the end less plain training's, points; right of 0 is "
                                 "better; 95% interval (Student's t) over paired seeds"
                               : "target loss at the end less plain training's; left of 0 is "
                                 "better; 95% interval (Student's t) over paired seeds";
    d.table = t;
    return t->n_values > 0 && draw(all, &d);
}

int draw_self(findings *all) {
    static const struct {
        const char *arm, *label;
        size_t n_paper;
    } arms[5] = {{"slm", "excess loss (not in the paper), keep %.0f%%", 0},
                 {"ref", "reference loss, keep %.0f%%", PAPER_SELF_RATIOS},
                 {"entropy", "entropy, keep %.0f%%", 0},
                 {"intersect", "both, at %.0f%%", 0},
                 {"union", "either, at %.0f%%", 0}};

    number_table t = new_gains();
    for (size_t a = 0; a < 5; a++) {
        const data_group *list[MAX_SWEEP];
        size_t n = data_sweep(&all->d, "self", arms[a].arm, list);
        for (size_t i = 0; i < n; i++)
            add_gain(&t, all, list[i], paper_at(paper_self_gains, arms[a].n_paper, list[i]->ratio),
                     make_text(arms[a].label, 100 * list[i]->ratio));
    }
    const drawing d = {
        .f = {.title = "Paper's tables 3 and 4: the reference trained on the noisy corpus itself"},
        .name = "table3_self",
        .caption = "No clean text at all.  Paper (score: reference loss): +1.9 at 90% and 80%, "
                   "+2.4 at 70%, +1.5 at 60%, \xE2\x88\x92"
                   "0.8 at 50%; with a curated reference +16.5."};
    return draw_gains(all, &t, &d);
}

int draw_weak(findings *all) {
    const data_group *list[MAX_SWEEP];
    size_t n = data_sweep(&all->d, "weak", "slm", list);
    number_table t = new_gains();
    for (size_t i = 0; i < n; i++)
        add_gain(&t, all, list[i], list[i]->size < 0.9 ? 0.9 : NAN,
                 make_text("reference %.3g times the model's size", list[i]->size));
    const drawing d = {
        .f = {.title = "Paper's table 5: a small reference guides a larger model"},
        .name = "table5_weak",
        .caption =
            "Paper: a 1.1B reference guides a 7B model (0.16 times its size): +0.9 points on "
            "average.  The rates of small bases and references are those of the model times its "
            "width over theirs; they are not tuned."};
    return draw_gains(all, &t, &d);
}

/* ---- as the clean text shrinks ---- */
/* Plain training does not know of the clean text: it is the same at every size. */
int draw_clean(findings *all) {
    static const char *const arms[8] = {"clm",   "slm",       "slm_tuned", "clm_tuned",
                                        "mixed", "reference", "doc",       "clean"};
    const data_column y = best_metric(&all->d, "builtin");
    const data_list sizes = data_clean_sizes(&all->d);
    curve_set set = {.n = 0};
    for (size_t a = 0; a < COUNT(arms); a++) {
        const data_group *list[MAX_SWEEP];
        const size_t n_before = set.n;
        for (size_t i = 0; i < sizes.n; i++)
            list[i] = a == 0 ? data_find(&all->d, "builtin", "clean", "clm")
                             : data_find_clean(&all->d, arms[a], sizes.x[i]);
        add_ends(&set, list, sizes.x, sizes.n, y);
        if (set.n > n_before) set.series[n_before].style = (int)a + 1;
    }
    const drawing d = {
        .f = {.title = "What selective training adds, as the clean text shrinks",
              .subtitle = "where each arm ends; \"then clean text\": the last steps are on the "
                          "clean text, at equal total tokens",
              .x = {.label = "bytes of clean text (logarithmic)", .log = 1},
              .y = {.label = metric_label("builtin", y)}},
        .name = "clean_builtin",
        .caption = "Not in the paper.  The reference and the clean text alone, for as many steps "
                   "as training has, are the lines to beat.  The reference goes eight times "
                   "through 4 and 15 kB, 3.4 times through 60 kB, at 1e-3, a rate that was not "
                   "tuned.",
        .axis = "clean_bytes",
        .set = &set};
    return draw(all, &d);
}

/* ---- the controls: plain and selective curves of a set of its own ---- */
static int draw_pair(findings *all, const char *set_name, const char *title, const char *caption) {
    static const char *const arms[] = {"clm", "slm", NULL};
    const curve_choice choice = {"builtin",   set_name,   arms, TOKENS,
                                 TARGET_LOSS, EACH_RATIO, NAN,  NAN};
    curve_set set;
    choose_curves(&set, &all->d, &choice);
    const drawing d = {.f = {.title = title,
                             .y = {.label = metric_label("builtin", TARGET_LOSS)},
                             .height = 380},
                       .name = make_text("%s_builtin", set_name),
                       .caption = caption,
                       .set = &set};
    return set.n >= 2 && draw(all, &d);
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
