/* rules_tokens.c: the mechanism: figures 3, 6, 7, 8 and the ranking of noise. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "rules.h"

void rule_figure6(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data *d = &all->d;
    const data_group *slm = data_main(&all->d, corpus, row->a);
    const data_group *clm = data_main(&all->d, corpus, row->b);
    estimate kept = data_change(d, slm, FIXED_KEPT);
    estimate dropped = data_change(d, slm, FIXED_DROPPED);
    estimate plain = data_change(d, clm, FIXED_DROPPED);
    estimate apart = data_difference(d, slm, clm, FIXED_DROPPED);
    estimate everything = data_difference(d, slm, clm, FIXED_ALL);
    side down = stats_side(&kept, 0);
    side up = stats_side(&dropped, 0);
    side more = stats_side(&apart, 0);
    claim_brief(c, "selected ", &kept, 3, "");
    claim_brief(c, "unselected ", &dropped, 3, "");
    claim_number(c, "From start to end: selected ", &kept, 3, "");
    claim_number(c, ", unselected ", &dropped, 3, "");
    claim_number(c, "; plain training, unselected ", &plain, 3, "");
    claim_number(c, ".  All tokens of the noisy corpus, against plain at the end: ", &everything, 3,
                 ".");
    if (claim_has_seeds(c, dropped.n))
        claim_decide(c, down == BELOW && up == ABOVE, down == BELOW && up == BELOW && more == ABOVE,
                     "in part: falls less than in plain", up == BELOW || down == ABOVE);
}

void rule_figure7(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *slm = data_main(&all->d, corpus, row->a);
    estimate kept = accuracy_correlation(&all->d, slm, FIXED_KEPT);
    estimate dropped = accuracy_correlation(&all->d, slm, FIXED_DROPPED);
    side a = stats_side(&kept, 0);
    side b = stats_side(&dropped, 0);
    claim_brief(c, "r selected ", &kept, 2, "");
    claim_brief(c, "unselected ", &dropped, 2, "");
    claim_number(c,
                 "Correlation of accuracy with the loss over the checkpoints of selective "
                 "training: selected ",
                 &kept, 2, "");
    claim_number(c, ", unselected ", &dropped, 2, ".");
    if (claim_has_seeds(c, dropped.n))
        claim_decide(c, a == BELOW && b == ABOVE, 0, NULL, b == BELOW || a == ABOVE);
}

/* The mean of AUC over a run. */
static estimate mean_auc(const data *d, const data_group *g) {
    double mean[MAX_SEEDS] = {0};
    for (size_t k = 0; k < g->n; k++) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < g->run[k].n; i++) {
            double v = data_at(d, &g->run[k], i, AUC);
            if (!isfinite(v)) continue;
            sum += v;
            n++;
        }
        mean[k] = n > 0 ? sum / n : NAN;
    }
    return stats_estimate(mean, g->n);
}

void rule_mechanism(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const double chance = 0.5;
    estimate slm = mean_auc(&all->d, data_main(&all->d, corpus, row->a));
    estimate loss = mean_auc(&all->d, data_main(&all->d, corpus, row->b));
    side a = stats_side(&slm, chance);
    side b = loss.n == 0 ? BELOW : stats_side(&loss, chance);
    claim_brief(c, "AUC ", &slm, 3, "");
    claim_brief(c, "own loss ", &loss, 3, "");
    claim_number(c, "AUC over training: excess loss ", &slm, 3, "");
    claim_number(c, ", highest own loss ", &loss, 3, ".");
    if (claim_has_seeds(c, slm.n))
        claim_decide(c, a == ABOVE && b == BELOW, a == ABOVE,
                     b == ABOVE ? "in part: own loss ranks it low too" : "holds for excess loss",
                     a == BELOW);
}

void rule_figure3(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data *d = &all->d;
    estimate fall = class_above_null(d, "HL");
    estimate rise = class_above_null(d, "LH");
    estimate fall_share = class_share(d, "HL", "0");
    estimate fall_null = class_share(d, "HL", "1");
    estimate rise_share = class_share(d, "LH", "0");
    estimate rise_null = class_share(d, "LH", "1");
    side a = stats_side(&fall, 0);
    side b = stats_side(&rise, 0);
    int is_minority = !(fall_share.high >= 0.5);
    (void)row;
    (void)corpus;
    if (fall.n > 0) {
        SAY(c->found,
            "High to low %.1f%% (shuffled %.1f%%), low to high %.1f%% (shuffled %.1f%%), ",
            100 * fall_share.value, 100 * fall_null.value, 100 * rise_share.value,
            100 * rise_null.value);
        SAY(c->found, "%zu seed%s.", fall.n, plural(fall.n));
        SAY(c->brief, "%.1f%% fall (by chance %.1f%%), %.1f%% rise (%.1f%%)",
            100 * fall_share.value, 100 * fall_null.value, 100 * rise_share.value,
            100 * rise_null.value);
    }
    if (claim_has_seeds(c, fall.n))
        claim_decide(c, a == ABOVE && b == ABOVE && fall_share.high < 0.5, a == ABOVE,
                     is_minority ? "in part: falling, not rising" : "in part: not a minority",
                     a == BELOW);
}

void rule_figure8(findings *all, const claim_row *row, const char *corpus, claim *c) {
    estimate own = selection_peak(&all->d, "own");
    estimate cross = selection_peak(&all->d, "cross_seed");
    side a = stats_side(&own, 0);
    side b = stats_side(&cross, 0);
    (void)row;
    (void)corpus;
    claim_brief(c, "peak ", &own, 2, "%");
    claim_brief(c, "by another seed ", &cross, 2, "%");
    claim_number(c,
                 "At its own checkpoint a selection's perplexity stands above the two checkpoints "
                 "beside it by (%) ",
                 &own, 2, "");
    claim_number(c, "; selected by another seed ", &cross, 2, "");
    if (own.n > 0) SAY(c->found, ".");
    if (!claim_has_seeds(c, own.n)) return;
    if (a == BELOW) {
        claim_say(c, PAGE_FAILS, "does not hold: no peak");
    } else if (a == UNDECIDED) {
        claim_decide(c, 0, 0, NULL, 0);
    } else if (claim_has_seeds(c, cross.n)) {
        int is_artefact = b != ABOVE && cross.t_high < own.value / 2;
        claim_decide(c, b == ABOVE && cross.value >= own.value / 2, b == ABOVE,
                     "in part: mostly an artefact", 0);
        if (is_artefact) claim_say(c, PAGE_FAILS, "does not hold: an artefact");
    }
}
