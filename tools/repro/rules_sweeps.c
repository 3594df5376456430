/* rules_sweeps.c: the same comparison over a sweep: of clean text, ratios, references. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "rules.h"

/* One of several differences: "LEADNAME: 0.05 [0.04, 0.06]", or after the first "; NAME: ...". */
static void say_entry(claim *c, int is_first, const char *lead, const char *name, const estimate *e,
                      int digits) {
    char before[160];
    snprintf(before, sizeof before, "%s%s: ", is_first ? lead : "; ", name);
    claim_number(c, before, e, digits, "");
}

static void say_brief_entry(claim *c, const char *name, const estimate *e, int digits) {
    char before[80];
    snprintf(before, sizeof before, "%s: ", name);
    claim_brief(c, before, e, digits, "");
}

/* At which amounts of clean text tuning on it afterwards does not close the gap. */
void rule_less_clean(findings *all, const claim_row *row, const char *corpus, claim *c) {
    double sizes[MAX_SWEEP];
    size_t n = data_clean_sizes(&all->d, sizes);
    size_t ahead = 0, behind = 0, seeds = 0;
    char words[80] = "holds at";
    (void)corpus;
    for (size_t i = 0; i < n; i++) {
        const data_group *a = data_find_clean(&all->d, row->a, sizes[i]);
        const data_group *b = data_find_clean(&all->d, row->b, sizes[i]);
        estimate e = data_difference(&all->d, a, b, TARGET_LOSS);
        side where = stats_side(&e, 0);
        char name[32];
        snprintf(name, sizeof name, "%.0f kB", sizes[i] / 1000);
        say_entry(c, i == 0, "Difference of the target losses, with clean text of ", name, &e, 4);
        say_brief_entry(c, name, &e, 3);
        seeds = e.n > seeds ? e.n : seeds;
        behind += where == ABOVE;
        if (where == BELOW) SAY(words, "%s %s", ahead++ > 0 ? "," : "", name);
    }
    if (n > 0) SAY(c->found, ".");
    if (claim_has_seeds(c, seeds)) claim_decide(c, ahead == n, ahead > 0, words, behind > 0);
}

/* Digits of a gain: points of accuracy, or losses. */
static int gain_digits(const findings *all, int of_loss) {
    return data_has_accuracy(&all->d, "builtin") ? 1 : of_loss;
}

static void say_gain_unit(const findings *all, claim *c) {
    SAY(c->found,
        data_has_accuracy(&all->d, "builtin") ? " points of accuracy." : " of target loss.");
}

/* The ratios of 60 to 90% at which the reference of the noisy corpus itself gives a gain. */
void rule_self(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *list[MAX_SWEEP];
    const data_group *plain = data_find_plain(&all->d, corpus, row->set);
    size_t n = data_sweep(&all->d, row->set, row->a, BY_RATIO, list);
    size_t seeds = 0, gains = 0, losses = 0, tried = 0;
    for (size_t i = 0; i < n; i++) {
        estimate e = data_gain(&all->d, list[i], plain);
        side where = stats_side(&e, 0);
        char name[32];
        snprintf(name, sizeof name, "at %.0f%%", 100 * list[i]->ratio);
        say_entry(c, i == 0, "Better than plain by, ", name, &e, gain_digits(all, 4));
        say_brief_entry(c, name, &e, gain_digits(all, 3));
        seeds = e.n > seeds ? e.n : seeds;
        if (list[i]->ratio < 0.599 || list[i]->ratio > 0.901) continue;
        tried++;
        gains += where == ABOVE;
        losses += where == BELOW;
    }
    if (n > 0) say_gain_unit(all, c);
    if (claim_has_seeds(c, seeds))
        claim_decide(c, gains == tried && tried > 0, gains > 0, "holds at some ratios",
                     losses == tried);
}

/* From which size on, going down from the largest, references give a gain. */
void rule_weak(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *list[MAX_SWEEP];
    const data_group *plain = data_find_plain(&all->d, corpus, row->set);
    size_t n = data_sweep(&all->d, row->set, row->a, BY_SIZE, list);
    size_t seeds = 0, good = 0;
    char words[64] = "";
    for (size_t i = 0; i < n; i++) {
        const data_group *g = list[n - 1 - i];
        estimate e = data_gain(&all->d, g, plain);
        char name[64];
        snprintf(name, sizeof name, "%.3g times the size", g->size);
        say_entry(c, i == 0, "Better than plain by, reference of ", name, &e, gain_digits(all, 4));
        snprintf(name, sizeof name, "%.3gx", g->size);
        say_brief_entry(c, name, &e, gain_digits(all, 3));
        seeds = e.n > seeds ? e.n : seeds;
        if (stats_side(&e, 0) == ABOVE && good == i) good++;
    }
    if (n > 0) say_gain_unit(all, c);
    if (good > 0)
        snprintf(words, sizeof words, "holds from %.3g times the size", list[n - good]->size);
    if (claim_has_seeds(c, seeds)) claim_decide(c, good == n, good > 0, words, good == 0);
}

/* ---- the ratio ---- */
void rule_figure9(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data *d = &all->d;
    const data_group *list[MAX_SWEEP];
    size_t n = data_sweep(d, row->set, row->a, BY_RATIO, list);
    size_t best = 0;
    double loss[MAX_SWEEP];
    (void)corpus;
    if (n == 0) {
        (void)claim_has_seeds(c, 0);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        loss[i] = data_mean_end(d, list[i], TARGET_LOSS);
        if (loss[i] < loss[best]) best = i;
    }
    double at_best = 100 * list[best]->ratio;
    double at_low = 100 * list[0]->ratio;
    double at_high = 100 * list[n - 1]->ratio;
    estimate low = data_difference(d, list[best], list[0], TARGET_LOSS);
    estimate high = data_difference(d, list[best], list[n - 1], TARGET_LOSS);
    SAY(c->brief, "best at %.0f%% (%.0f to %.0f%% tried)", at_best, at_low, at_high);
    SAY(c->found, "Lowest target loss at %.0f%%: %.4f; at %.0f%% %.4f, at %.0f%% %.4f.", at_best,
        loss[best], at_low, loss[0], at_high, loss[n - 1]);
    if (!claim_has_seeds(c, high.n) || n < 3) return;
    if (best == 0)
        claim_say(c, PAGE_FAILS, "does not hold: fewest is best");
    else if (best + 1 == n)
        claim_say(c, PAGE_FAILS, "does not hold: all is best");
    else
        claim_decide(c, stats_side(&low, 0) == BELOW && stats_side(&high, 0) == BELOW, 0, NULL, 0);
}

void rule_ratio_one(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *list[MAX_SWEEP];
    const data_group *plain = data_find_plain(&all->d, corpus, row->set);
    size_t n = data_sweep(&all->d, row->set, row->a, BY_RATIO, list);
    size_t exact = 0, pairs = 0;
    const data_group *whole = n > 0 && list[n - 1]->ratio > 0.999 ? list[n - 1] : NULL;
    for (size_t k = 0; whole != NULL && k < whole->n; k++) {
        const data_run *pair = data_seed(plain, whole->run[k].seed);
        if (pair == NULL) continue;
        double loss = data_end(&all->d, &whole->run[k], TARGET_LOSS);
        pairs++;
        exact += data_end(&all->d, pair, TARGET_LOSS) == loss;
    }
    if (pairs == 0) {
        (void)claim_has_seeds(c, 0);
        return;
    }
    SAY(c->found, "The final target loss is the same in %zu of %zu seeds.", exact, pairs);
    SAY(c->brief, "%zu of %zu seeds", exact, pairs);
    claim_say(c, exact == pairs ? PAGE_HOLDS : PAGE_FAILS, NULL);
}
