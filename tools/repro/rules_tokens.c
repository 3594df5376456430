/* rules_tokens.c: the mechanism: figures 3, 6, 7, 8 and the ranking of noise. */
#include "rules.h"

void rule_figure6(claim *c) {
    estimate kept = data_over_seeds(c->a, run_change, FIXED_KEPT);
    estimate dropped = data_over_seeds(c->a, run_change, FIXED_DROPPED);
    claim_both(c, "selected ", "From start to end: selected ", kept, 3);
    claim_both(c, "unselected ", ", unselected ", dropped, 3);
    claim_number(c, "; plain training, unselected ",
                 data_over_seeds(c->b, run_change, FIXED_DROPPED), 3, "");
    claim_number(c, ".  All tokens of the noisy corpus, against plain at the end: ",
                 data_difference(c->a, c->b, FIXED_ALL), 3, ".");
    claim_test(c, "the loss on selected tokens of the held-out piece", kept, 0, BELOW);
    claim_test(c, "the loss on unselected tokens of the held-out piece", dropped, 0, ABOVE);
    claim_judge(c);
}

/* ---- figure 7: does accuracy go with the loss on selected and unselected tokens? ---- */
/* Adds one arm's correlations, and the tests that they have the paper's signs. */
static void add_correlations(claim *c, const data_group *g, const char *before) {
    estimate kept = data_over_seeds(g, accuracy_correlation, FIXED_KEPT);
    estimate dropped = data_over_seeds(g, accuracy_correlation, FIXED_DROPPED);
    claim_test(c, g->label, kept, 0, BELOW);
    claim_test(c, g->label, dropped, 0, ABOVE);
    if (dropped.n == 0) return;
    SAY(c->found, "%s%s: selected ", before, g->label);
    claim_number(c, "", kept, 2, "");
    claim_number(c, ", unselected ", dropped, 2, "");
}

void rule_figure7(claim *c) {
    add_correlations(c, c->a, "Correlation of accuracy with the loss over the checkpoints.  ");
    claim_brief(c, "r selected ", data_over_seeds(c->a, accuracy_correlation, FIXED_KEPT), 2, "");
    claim_brief(c, "unselected ", data_over_seeds(c->a, accuracy_correlation, FIXED_DROPPED), 2,
                "");
    if (c->found[0] != '\0') SAY(c->found, ".");
    claim_judge(c);
}

/* The same in every arm of set main that does not select by excess loss. */
void rule_figure7_law(claim *c) {
    static const char *const arms[] = {"clm",   "random",   "loss",  "ref",       "entropy",
                                       "union", "filtered", "mixed", "clm_tuned", "intersect",
                                       "clean", "oracle"};
    size_t measured = 0, with_sign = 0;
    for (size_t i = 0; i < COUNT(arms); i++) {
        const data_group *g = data_main(c->data, "builtin", arms[i]);
        estimate r = data_over_seeds(g, accuracy_correlation, FIXED_DROPPED);
        add_correlations(c, g, measured == 0 ? "" : "; ");
        measured += r.n > 0;
        with_sign += r.value > 0;
    }
    if (measured > 0) {
        SAY(c->found, ".");
        SAY(c->brief, "less loss on unselected tokens goes with less accuracy in %zu of %zu arms",
            with_sign, measured);
    }
    claim_judge(c);
}

/* ---- the ranking ---- */
/* The mean of a column over a run. */
static double run_mean(const data_run *run, data_column column) {
    double v[MAX_POINTS];
    size_t n = 0;
    for (; n < run->n && n < MAX_POINTS; n++)
        v[n] = run_at(run, n, column);
    return stats_mean(v, n);
}

void rule_mechanism(claim *c) {
    const double chance = 0.5;
    estimate slm = data_over_seeds(c->a, run_mean, AUC);
    estimate loss = data_over_seeds(c->b, run_mean, AUC);
    claim_both(c, "AUC ", "AUC over training: excess loss ", slm, 3);
    claim_both(c, "own loss ", ", highest own loss ", loss, 3);
    if (loss.n > 0) SAY(c->found, ".");
    claim_test(c, c->a->label, slm, chance, ABOVE);
    claim_test(c, c->b->label, loss, chance, BELOW);
    claim_judge(c);
}

/* Each kind of noise is ranked below the rest, on the held-out piece, by the excess loss of the
   starting model. */
void rule_noise_kinds(claim *c) {
    static const char *const kinds[4] = {"id", "stamp", "markup", "wrong"};
    for (int i = 0; i < 4; i++) {
        estimate auc = rank_of_kind(c->data, "excess", "start", kinds[i], "auc");
        estimate kept = rank_of_kind(c->data, "excess", "start", kinds[i], "kept");
        claim_test(c, kinds[i], auc, 0.5, BELOW);
        if (auc.n == 0) continue;
        SAY(c->found, "%s%s: AUC ", c->found[0] != '\0' ? "; " : "", kinds[i]);
        claim_number(c, "", auc, 3, "");
        SAY(c->found, ", %.0f%% kept", 100 * kept.value);
        claim_brief(c, make_text("%s ", kinds[i]), auc, 2, "");
    }
    if (c->found[0] != '\0') SAY(c->found, ".");
    claim_judge(c);
}

void rule_figure3(claim *c) {
    const data *d = c->data;
    estimate fall = class_share(d, "HL", "0", NULL);
    double fall_null = 100 * class_share(d, "HL", "1", NULL).value;
    double rise = 100 * class_share(d, "LH", "0", NULL).value;
    double rise_null = 100 * class_share(d, "LH", "1", NULL).value;
    if (fall.n > 0) {
        SAY(c->found,
            "High to low %.1f%% (shuffled %.1f%%), low to high %.1f%% (shuffled %.1f%%).",
            100 * fall.value, fall_null, rise, rise_null);
        SAY(c->brief, "%.1f%% fall (by chance %.1f%%), %.1f%% rise (%.1f%%)", 100 * fall.value,
            fall_null, rise, rise_null);
    }
    claim_test(c, "high to low", fall, 0.5, BELOW);
    claim_test(c, "high to low against chance", class_share(d, "HL", "0", "1"), 0, ABOVE);
    claim_test(c, "low to high against chance", class_share(d, "LH", "0", "1"), 0, ABOVE);
    claim_judge(c);
}

/* With another seed's checkpoints at least half of the peak must be there. */
void rule_figure8(claim *c) {
    estimate own = selection_peak(c->data, "own", NULL);
    estimate cross = selection_peak(c->data, "cross_seed", NULL);
    claim_brief(c, "peak ", own, 2, "%");
    claim_brief(c, "by another seed ", cross, 2, "%");
    claim_number(c,
                 "At its own checkpoint a selection's perplexity stands above the two checkpoints "
                 "beside it by (%) ",
                 own, 2, "");
    claim_number(c, "; selected by another seed ", cross, 2, "");
    if (own.n > 0) SAY(c->found, ".");
    claim_test(c, "the seed's own checkpoints", own, 0, ABOVE);
    claim_test(c, "another seed's checkpoints", selection_peak(c->data, "cross_seed", "own"), 0,
               ABOVE);
    claim_judge(c);
}
