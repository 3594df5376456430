/* rules_tokens.c: the mechanism: figures 3, 6, 7, 8 and the ranking of noise. */
#include "common/cli.h"
#include "rules.h"

void rule_figure6(claim *c) {
    estimate kept = data_over_seeds(c->a, run_change, FIXED_KEPT);
    estimate dropped = data_over_seeds(c->a, run_change, FIXED_DROPPED);
    estimate plain = data_over_seeds(c->b, run_change, FIXED_DROPPED);
    side down = stats_side(kept, 0);
    side up = stats_side(dropped, 0);
    side more = stats_side(data_difference(c->a, c->b, FIXED_DROPPED), 0);
    claim_both(c, "selected ", "From start to end: selected ", kept, 3);
    claim_both(c, "unselected ", ", unselected ", dropped, 3);
    claim_number(c, "; plain training, unselected ", plain, 3, "");
    claim_number(c, ".  All tokens of the noisy corpus, against plain at the end: ",
                 data_difference(c->a, c->b, FIXED_ALL), 3, ".");
    claim_decide(c, dropped.n, down == BELOW && up == ABOVE,
                 down == BELOW && up == BELOW && more == ABOVE, "in part: falls less than in plain",
                 up == BELOW || down == ABOVE);
}

void rule_figure7(claim *c) {
    estimate kept = data_over_seeds(c->a, accuracy_correlation, FIXED_KEPT);
    estimate dropped = data_over_seeds(c->a, accuracy_correlation, FIXED_DROPPED);
    side a = stats_side(kept, 0);
    side b = stats_side(dropped, 0);
    claim_both(c, "r selected ",
               "Correlation of accuracy with the loss over the checkpoints of selective training: "
               "selected ",
               kept, 2);
    claim_both(c, "unselected ", ", unselected ", dropped, 2);
    if (dropped.n > 0) SAY(c->found, ".");
    claim_decide(c, dropped.n, a == BELOW && b == ABOVE, 0, NULL, b == BELOW || a == ABOVE);
}

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
    side a = stats_side(slm, chance);
    side b = loss.n == 0 ? BELOW : stats_side(loss, chance);
    claim_both(c, "AUC ", "AUC over training: excess loss ", slm, 3);
    claim_both(c, "own loss ", ", highest own loss ", loss, 3);
    if (loss.n > 0) SAY(c->found, ".");
    claim_decide(c, slm.n, a == ABOVE && b == BELOW, a == ABOVE,
                 b == ABOVE ? "in part: own loss ranks it low too" : "holds for excess loss",
                 a == BELOW);
}

void rule_figure3(claim *c) {
    estimate above_null = class_share(c->data, "HL", "0", "1");
    size_t seeds = above_null.n;
    side falls = stats_side(above_null, 0);
    side rises = stats_side(class_share(c->data, "LH", "0", "1"), 0);
    double most = class_share(c->data, "HL", "0", NULL).high;
    double fall = 100 * class_share(c->data, "HL", "0", NULL).value;
    double fall_null = 100 * class_share(c->data, "HL", "1", NULL).value;
    double rise = 100 * class_share(c->data, "LH", "0", NULL).value;
    double rise_null = 100 * class_share(c->data, "LH", "1", NULL).value;
    if (seeds > 0) {
        SAY(c->found,
            "High to low %.1f%% (shuffled %.1f%%), low to high %.1f%% (shuffled %.1f%%), "
            "%zu seed%s.",
            fall, fall_null, rise, rise_null, seeds, plural(seeds));
        SAY(c->brief, "%.1f%% fall (by chance %.1f%%), %.1f%% rise (%.1f%%)", fall, fall_null, rise,
            rise_null);
    }
    claim_decide(c, seeds, falls == ABOVE && rises == ABOVE && most < 0.5, falls == ABOVE,
                 most >= 0.5 ? "in part: not a minority" : "in part: falling, not rising",
                 falls == BELOW);
}

void rule_figure8(claim *c) {
    estimate own = selection_peak(c->data, "own");
    estimate cross = selection_peak(c->data, "cross_seed");
    side a = stats_side(own, 0);
    side b = stats_side(cross, 0);
    claim_brief(c, "peak ", own, 2, "%");
    claim_brief(c, "by another seed ", cross, 2, "%");
    claim_number(c,
                 "At its own checkpoint a selection's perplexity stands above the two checkpoints "
                 "beside it by (%) ",
                 own, 2, "");
    claim_number(c, "; selected by another seed ", cross, 2, "");
    if (own.n > 0) SAY(c->found, ".");
    if (!claim_has_seeds(c, own.n)) return;
    if (a == BELOW) {
        claim_say(c, PAGE_FAILS, "does not hold: no peak");
    } else if (a == UNDECIDED) {
        claim_decide(c, own.n, 0, 0, NULL, 0);
    } else if (claim_has_seeds(c, cross.n)) {
        int is_artefact = b != ABOVE && cross.t_high < own.value / 2;
        claim_decide(c, cross.n, b == ABOVE && cross.value >= own.value / 2, b == ABOVE,
                     "in part: mostly an artefact", 0);
        if (is_artefact) claim_say(c, PAGE_FAILS, "does not hold: an artefact");
    }
}
