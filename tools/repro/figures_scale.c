/* figures_scale.c: more text, larger models: the sets multiplier and sizes. */
#include <math.h>
#include "findings.h"

static const data_column metrics[2] = {TARGET_LOSS, TARGET_ACCURACY};
static const char *const names[2] = {"loss", "accuracy"};

/* ---- plain training on more text ---- */
/* Where plain training ends, over the tokens that it saw; and where selective training ends. */
static int draw_multiplier_by(findings *all, int metric) {
    const data *d = &all->d;
    const data_column y = metrics[metric];
    const data_group *lengths[MAX_SWEEP];
    const data_group *slm = data_find(d, "builtin", "multiplier", "slm");
    const figure_rule rule = {data_mean_end(slm, y) * metric_scale(y), 0, slm->label};
    size_t n = data_sweep(d, "multiplier", "clm", lengths);
    sooner s = data_multiplier(d, y);
    curve_set set = {.n = 0};
    if (s.seeds == 0) return 0;
    double *x = new_numbers(n);
    for (size_t i = 0; i < n; i++)
        x[i] = data_over_seeds(lengths[i], run_end, TOKENS).value;
    add_ends(&set, lengths, x, n, y);
    set.series[0].name = "Plain (CLM), so many tokens";
    set.series[0].style = 1;
    const drawing drawn = {
        .f = {.title = make_text("How much more noisy text is worth a selection, by %s",
                                 names[metric]),
              .subtitle = "each point is a whole plain training, on tokens that are all fresh",
              .x = {.label = "tokens of plain training (logarithmic)", .log = 1},
              .y = {.label = metric_label("builtin", y)},
              .rules = &rule,
              .n_rules = 1},
        .name = make_text("multiplier_builtin_%s", names[metric]),
        .caption = make_text("Dotted: where selective training ends on the shortest of them.  "
                             "Plain training comes there with %s the tokens (%zu of %zu seeds come "
                             "there at all).  Plain training has a rate of its own at each length, "
                             "chosen with seed 1.  The paper compares 15B tokens with another "
                             "model's 500B.",
                             sooner_text(&s, 1), s.reached, s.seeds),
        .axis = "tokens",
        .set = &set};
    return draw(all, &drawn);
}

int draw_multiplier(findings *all) {
    int by_loss = draw_multiplier_by(all, 0);
    return draw_multiplier_by(all, 1) || by_loss;
}

/* ---- larger models ---- */
/* Adds where an arm ends, over the sizes. */
static void add_sizes(curve_set *set, const data *d, const char *arm, data_column y) {
    const data_group *list[MAX_SWEEP];
    size_t n = data_sweep(d, "sizes", arm, list);
    double *x = new_numbers(n);
    for (size_t i = 0; i < n; i++)
        x[i] = list[i]->size;
    add_ends(set, list, x, n, y);
}

static int draw_sizes_by(findings *all, int metric) {
    static const char *const arms[] = {"clm", "slm", "reference"};
    curve_set set = {.n = 0};
    for (size_t a = 0; a < 3; a++)
        add_sizes(&set, &all->d, arms[a], metrics[metric]);
    const drawing d = {
        .f = {.title = make_text("Does it hold for larger models?  By %s", names[metric]),
              .subtitle = "base, reference and arms of each size are trained on the same tokens, "
                          "fewer than in the other sets",
              .x = {.label = "million weights (logarithmic)", .log = 1},
              .y = {.label = metric_label("builtin", metrics[metric])}},
        .name = make_text("sizes_builtin_%s", names[metric]),
        .caption = "Learning rates are those of the built-in model times its width over the new "
                   "one; they are not tuned at each size.",
        .axis = "million_weights",
        .set = &set};
    return draw(all, &d);
}

int draw_sizes(findings *all) {
    int by_loss = draw_sizes_by(all, 0);
    return draw_sizes_by(all, 1) || by_loss;
}
