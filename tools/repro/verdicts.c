/* verdicts.c: every claim is a row of the table at the end, and a rule decides it from the numbers.
 *
 * The rules need three seeds; with fewer a claim is open.  "Better" or "above" means that both 95%
 * intervals (bootstrap and Student's t, over paired seeds) lie on that side; where they do not, the
 * claim is open: within seed noise. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "findings.h"

#define GOAL 5.0     /* times sooner */
#define GOAL_LOW 3.0 /* the interval's lower end */

typedef struct claim_row claim_row;

/* Works out a claim on a corpus: what was found, and the verdict. */
typedef void claim_rule(findings *all, const claim_row *row, const char *corpus, claim *c);

typedef enum claim_scope {
    ONCE,     /* on the built-in corpus */
    ON_GOALS, /* on each corpus; on the first two also if it was not run: then it is open */
    ON_GOALS_BY_ACCURACY, /* the same, where there is accuracy */
    ON_CORPORA,           /* on each corpus that was run */
    ON_CORPORA_WITH_ARMS, /* ... and on all but the built-in one only if its arms were run */
    ON_CORPORA_WITH_PIECE /* ... or only if losses on the fixed piece were measured */
} claim_scope;

struct claim_row {
    const char *id;
    int part;
    claim_scope scope;
    const char *set;   /* the runs that decide it */
    const char *title; /* of a claim on corpora: what follows "On the built-in corpus" */
    const char *paper, *falsifier;
    claim_rule *rule;
    const char *a, *b; /* arms that the rule compares, where it does not know them itself */
    data_column metric;
};

/* ---- what rules share ---- */
/* holds, partly, fails: at most one of them is true; none: the claim is open. */
static void decide(claim *c, int holds, int partly, const char *words, int fails) {
    if (holds)
        claim_say(c, PAGE_HOLDS, NULL);
    else if (partly)
        claim_say(c, PAGE_DEPENDS, words);
    else if (fails)
        claim_say(c, PAGE_FAILS, NULL);
    else
        claim_say(c, PAGE_OPEN, "open: within seed noise");
}

static const data_group *main_arm(const findings *all, const char *corpus, const char *arm) {
    return data_find(&all->d, corpus, "main", arm);
}

static const char *plural(size_t n) {
    return n == 1 ? "" : "s";
}

static void say_sooner(claim *c, const char *before, const sooner *s) {
    char text[120];
    if (s->seeds == 0) return;
    SAY(c->found, "%s%s", before, sooner_text(text, sizeof text, s, 2));
}

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

/* Adds "A ends at target loss 0.41, "B" at 0.44: difference ..." and the same for accuracy.  Returns
   the difference of the losses. */
static estimate say_comparison(const findings *all, claim *c, const data_group *a,
                               const data_group *b) {
    estimate loss = data_difference(&all->d, a, b, TARGET_LOSS);
    estimate points = stats_scale(data_difference(&all->d, a, b, TARGET_ACCURACY), 100);
    char a_name[64], b_name[64], after[80];
    if (loss.n == 0) return loss;
    SAY(c->found, "%s%s ends at target loss %.3f, \"%s\" at %.3f", c->found[0] ? "  " : "",
        arm_label(a_name, sizeof a_name, a), data_mean_end(&all->d, a, TARGET_LOSS),
        arm_label(b_name, sizeof b_name, b), data_mean_end(&all->d, b, TARGET_LOSS));
    claim_number(c, ": difference ", &loss, 4, "");
    claim_number(c, "; accuracy higher by ", &points, 1, " points");
    SAY(c->found, " (%zu seed%s).", loss.n, plural(loss.n));
    snprintf(after, sizeof after, " against %.50s", b_name);
    claim_brief(c, "loss ", &loss, 3, after);
    return loss;
}

/* ---- one arm against another ---- */
/* a ends at a lower target loss than b. */
static void rule_better(findings *all, const claim_row *row, const char *corpus, claim *c) {
    estimate e = say_comparison(all, c, data_find(&all->d, corpus, row->set, row->a),
                                data_find(&all->d, corpus, row->set, row->b));
    side where = stats_side(&e, 0);
    if (claim_has_seeds(c, e.n)) decide(c, where == BELOW, 0, NULL, where == ABOVE);
}

/* Selective training beats both naive selections. */
static void rule_controls(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *slm = main_arm(all, corpus, "slm");
    estimate random = say_comparison(all, c, slm, main_arm(all, corpus, row->a));
    estimate loss = say_comparison(all, c, slm, main_arm(all, corpus, row->b));
    size_t n = loss.n > 0 && loss.n < random.n ? loss.n : random.n;
    side a = stats_side(&random, 0), b = loss.n == 0 ? a : stats_side(&loss, 0);
    if (claim_has_seeds(c, n))
        decide(c, a == BELOW && b == BELOW, 0, NULL, a == ABOVE || b == ABOVE);
}

/* No gain is the right answer, and it takes seeds enough to say so: the whole interval must lie near
   zero, within a quarter of what selection gains on the noisy corpus. */
static void rule_no_gain(findings *all, const claim_row *row, const char *corpus, claim *c) {
    estimate e = say_comparison(all, c, data_find(&all->d, corpus, row->set, row->a),
                                data_find(&all->d, corpus, row->set, row->b));
    estimate noisy = data_difference(&all->d, main_arm(all, corpus, row->a),
                                     main_arm(all, corpus, row->b), TARGET_LOSS);
    double little = noisy.value < 0 ? noisy.value / 4 : 0;
    int wins = stats_side(&e, 0) == BELOW;
    if (e.n > 0) SAY(c->found, "  On the noisy corpus the difference is %.4f.", noisy.value);
    if (claim_has_seeds(c, e.n))
        decide(c, !wins && e.t_low > little, wins && !(e.value < little), "in part: a little",
               wins && e.value < little);
}

/* ---- sooner ---- */
/* Whether an arm's interval reaches that of selective training. */
static int is_as_soon(const sooner *control, const sooner *slm) {
    return isfinite(control->e.value) && !(control->e.high < slm->e.low);
}

static void rule_sooner(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data *d = &all->d;
    const data_group *clm = main_arm(all, corpus, "clm"), *slm = main_arm(all, corpus, "slm");
    sooner s = data_sooner(d, slm, clm, TOKENS, row->metric);
    sooner random = data_sooner(d, main_arm(all, corpus, row->a), clm, TOKENS, row->metric);
    sooner loss = data_sooner(d, main_arm(all, corpus, row->b), clm, TOKENS, row->metric);
    char label[64], words[64];
    if (s.seeds > 0 || s.at_once > 0) SAY(c->found, "%s: ", arm_label(label, sizeof label, slm));
    if (s.seeds == 0 && s.at_once > 0) {
        SAY(c->found, "plain training ends no better than it began, so that there is nothing to be "
                      "sooner than.");
        claim_say(c, PAGE_OPEN, "open: plain does not improve");
        return;
    }
    if (s.seeds > 0) {
        say_sooner(c, "", &s);
        (void)sooner_text(c->brief, sizeof c->brief, &s, 1);
        if (isfinite(s.e.t_low))
            SAY(c->found, " (Student's t: [%.2f, %.2f])", s.e.t_low, s.e.t_high);
        SAY(c->found, ", %zu seed%s.", s.seeds, plural(s.seeds));
    }
    say_sooner(c, "  Random: ", &random);
    if (random.seeds > 0) SAY(c->found, ".");
    say_sooner(c, "  Highest own loss: ", &loss);
    if (loss.seeds > 0) SAY(c->found, ".");
    if (!claim_has_seeds(c, s.seeds)) return;

    int fails =
        !isfinite(s.e.value) || s.e.value <= 1 || is_as_soon(&random, &s) || is_as_soon(&loss, &s);
    int reaches_goal = s.e.value >= GOAL;
    int holds = !fails && reaches_goal && stats_side(&s.e, GOAL_LOW) == ABOVE;
    int partly = !fails && !holds && stats_side(&s.e, 1) == ABOVE;
    snprintf(words, sizeof words, "holds at %.1fx %s", s.e.value,
             reaches_goal ? "loosely" : "only");
    decide(c, holds, partly, words, fails);
}

static void rule_cost(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *clm = main_arm(all, corpus, "clm"), *slm = main_arm(all, corpus, "slm");
    sooner s = data_sooner(&all->d, slm, clm, FLOPS_ALL, row->metric);
    side where = stats_side(&s.e, 1);
    say_sooner(c, "In arithmetic with reference and scoring: ", &s);
    if (s.seeds > 0) {
        SAY(c->found, ".");
        (void)sooner_text(c->brief, sizeof c->brief, &s, 1);
    }
    if (claim_has_seeds(c, s.seeds))
        decide(c, where == ABOVE, 0, NULL, where == BELOW || !isfinite(s.e.value));
}

/* Holds when: the least noise from which on, at the best ratio of each row, selection is at least
   twice as soon. */
static void rule_map(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_grid grid = data_map(&all->d);
    size_t cells = 0, good = 0, from = grid.n_noise;
    double best[MAX_GRID] = {0};
    char words[80] = "holds when: see the map";
    (void)corpus;
    for (size_t i = 0; i < grid.n_noise; i++) {
        for (size_t j = 0; j < grid.n_ratio * grid.n_target; j++) {
            sooner s =
                data_map_sooner(&all->d, &grid, i, j / grid.n_ratio, j % grid.n_ratio, row->metric);
            if (s.seeds == 0) continue;
            cells++;
            good += s.e.value >= 2;
            if (s.e.value > best[i]) best[i] = s.e.value;
        }
    }
    if (cells == 0) {
        (void)claim_has_seeds(c, 0);
        return;
    }
    SAY(c->brief, "twice as soon in %zu of %zu settings", good, cells);
    SAY(c->found,
        "At least twice as soon by loss in %zu of %zu settings.  Best ratio of each noise share:",
        good, cells);
    for (size_t i = 0; i < grid.n_noise; i++) {
        SAY(c->found, "%s %.0f%%: ", i == 0 ? "" : ",", 100 * grid.noise[i]);
        if (best[i] > 0)
            SAY(c->found, "%.1fx", best[i]);
        else
            SAY(c->found, "never");
    }
    SAY(c->found, ".");
    while (from > 0 && best[from - 1] >= 2)
        from--;
    if (from < grid.n_noise)
        snprintf(words, sizeof words, "holds when noise is %.0f%% or more", 100 * grid.noise[from]);
    decide(c, good == cells, good > 0, words, good == 0);
}

/* ---- the same comparison over a sweep ---- */
/* At which amounts of clean text tuning on it afterwards does not close the gap. */
static void rule_less_clean(findings *all, const claim_row *row, const char *corpus, claim *c) {
    double sizes[MAX_SWEEP];
    size_t n = data_clean_sizes(&all->d, sizes), ahead = 0, behind = 0, seeds = 0;
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
    if (claim_has_seeds(c, seeds)) decide(c, ahead == n, ahead > 0, words, behind > 0);
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
static void rule_self(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *list[MAX_SWEEP], *plain = data_find_plain(&all->d, corpus, row->set);
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
        decide(c, gains == tried && tried > 0, gains > 0, "holds at some ratios", losses == tried);
}

/* From which size on, going down from the largest, references give a gain. */
static void rule_weak(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *list[MAX_SWEEP], *plain = data_find_plain(&all->d, corpus, row->set);
    size_t n = data_sweep(&all->d, row->set, row->a, BY_SIZE, list), seeds = 0, good = 0;
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
    if (claim_has_seeds(c, seeds)) decide(c, good == n, good > 0, words, good == 0);
}

/* ---- the mechanism ---- */
static void rule_figure6(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data *d = &all->d;
    const data_group *slm = main_arm(all, corpus, row->a), *clm = main_arm(all, corpus, row->b);
    estimate kept = data_change(d, slm, FIXED_KEPT), dropped = data_change(d, slm, FIXED_DROPPED);
    estimate plain = data_change(d, clm, FIXED_DROPPED);
    estimate apart = data_difference(d, slm, clm, FIXED_DROPPED);
    estimate everything = data_difference(d, slm, clm, FIXED_ALL);
    side down = stats_side(&kept, 0), up = stats_side(&dropped, 0), more = stats_side(&apart, 0);
    claim_brief(c, "selected ", &kept, 3, "");
    claim_brief(c, "unselected ", &dropped, 3, "");
    claim_number(c, "From start to end: selected ", &kept, 3, "");
    claim_number(c, ", unselected ", &dropped, 3, "");
    claim_number(c, "; plain training, unselected ", &plain, 3, "");
    claim_number(c, ".  All tokens of the noisy corpus, against plain at the end: ", &everything, 3,
                 ".");
    if (claim_has_seeds(c, dropped.n))
        decide(c, down == BELOW && up == ABOVE, down == BELOW && up == BELOW && more == ABOVE,
               "in part: falls less than in plain", up == BELOW || down == ABOVE);
}

static void rule_figure7(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *slm = main_arm(all, corpus, row->a);
    estimate kept = accuracy_correlation(&all->d, slm, FIXED_KEPT);
    estimate dropped = accuracy_correlation(&all->d, slm, FIXED_DROPPED);
    side a = stats_side(&kept, 0), b = stats_side(&dropped, 0);
    claim_brief(c, "r selected ", &kept, 2, "");
    claim_brief(c, "unselected ", &dropped, 2, "");
    claim_number(c,
                 "Correlation of accuracy with the loss over the checkpoints of selective "
                 "training: selected ",
                 &kept, 2, "");
    claim_number(c, ", unselected ", &dropped, 2, ".");
    if (claim_has_seeds(c, dropped.n))
        decide(c, a == BELOW && b == ABOVE, 0, NULL, b == BELOW || a == ABOVE);
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

static void rule_mechanism(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const double chance = 0.5;
    estimate slm = mean_auc(&all->d, main_arm(all, corpus, row->a));
    estimate loss = mean_auc(&all->d, main_arm(all, corpus, row->b));
    side a = stats_side(&slm, chance), b = loss.n == 0 ? BELOW : stats_side(&loss, chance);
    claim_brief(c, "AUC ", &slm, 3, "");
    claim_brief(c, "own loss ", &loss, 3, "");
    claim_number(c, "AUC over training: excess loss ", &slm, 3, "");
    claim_number(c, ", highest own loss ", &loss, 3, ".");
    if (claim_has_seeds(c, slm.n))
        decide(c, a == ABOVE && b == BELOW, a == ABOVE,
               b == ABOVE ? "in part: own loss ranks it low too" : "holds for excess loss",
               a == BELOW);
}

static void rule_figure3(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data *d = &all->d;
    estimate fall = class_above_null(d, "HL"), rise = class_above_null(d, "LH");
    estimate fall_share = class_share(d, "HL", "0"), fall_null = class_share(d, "HL", "1");
    estimate rise_share = class_share(d, "LH", "0"), rise_null = class_share(d, "LH", "1");
    side a = stats_side(&fall, 0), b = stats_side(&rise, 0);
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
        decide(c, a == ABOVE && b == ABOVE && fall_share.high < 0.5, a == ABOVE,
               is_minority ? "in part: falling, not rising" : "in part: not a minority",
               a == BELOW);
}

static void rule_figure8(findings *all, const claim_row *row, const char *corpus, claim *c) {
    estimate own = selection_peak(&all->d, "own"), cross = selection_peak(&all->d, "cross_seed");
    side a = stats_side(&own, 0), b = stats_side(&cross, 0);
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
        decide(c, 0, 0, NULL, 0);
    } else if (claim_has_seeds(c, cross.n)) {
        int is_artefact = b != ABOVE && cross.t_high < own.value / 2;
        decide(c, b == ABOVE && cross.value >= own.value / 2, b == ABOVE,
               "in part: mostly an artefact", 0);
        if (is_artefact) claim_say(c, PAGE_FAILS, "does not hold: an artefact");
    }
}

/* ---- the ratio ---- */
static void rule_figure9(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data *d = &all->d;
    const data_group *list[MAX_SWEEP];
    size_t n = data_sweep(d, row->set, row->a, BY_RATIO, list), best = 0;
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
    double at_best = 100 * list[best]->ratio, at_low = 100 * list[0]->ratio;
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
        decide(c, stats_side(&low, 0) == BELOW && stats_side(&high, 0) == BELOW, 0, NULL, 0);
}

static void rule_ratio_one(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *list[MAX_SWEEP], *plain = data_find_plain(&all->d, corpus, row->set);
    size_t n = data_sweep(&all->d, row->set, row->a, BY_RATIO, list), exact = 0, pairs = 0;
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

/* ---- the claims ---- */
#define NO_SUCH_ARM "no such arm in the paper"
#define SOONER_IN_PAPER                                                                            \
    "10x (1.1B) and 5x (7B) by accuracy, one run each; from its curves 13x and 4.8x"
#define NOT_SOONER                                                                                 \
    "the interval of N reaches below 3, or random or highest-loss selection is as soon"

static const claim_row rows[] = {
    {"sooner", 0, ON_GOALS, "main",
     ", selective training passes plain training's final target loss in at least five times fewer "
     "tokens",
     SOONER_IN_PAPER, NOT_SOONER, rule_sooner, "random", "loss", TARGET_LOSS},
    {"sooner-accuracy", 0, ON_GOALS_BY_ACCURACY, "main",
     ", selective training passes plain training's final target accuracy in at least five times "
     "fewer tokens",
     SOONER_IN_PAPER, NOT_SOONER, rule_sooner, "random", "loss", TARGET_ACCURACY},
    {"controls", 0, ON_CORPORA, "main",
     " it matters which tokens are kept: selection beats random-k and the highest own loss",
     NO_SUCH_ARM, "either of the two ends as well as selection by excess loss", rule_controls,
     "random", "loss", TARGET_LOSS},
    {"cost", 0, ON_CORPORA, "main",
     " it is still sooner when the reference and the scoring are counted",
     "left out of its figures; worked out from its settings: about 5x (1.1B) and 2.7x (7B)",
     "plain training, given all of that arithmetic, is as far", rule_cost, NULL, NULL, TARGET_LOSS},
    {"map", 0, ONCE, "map", "The speed-up does not hang on one setting of noise and ratio",
     "one corpus, one ratio per model size", "it is found in a corner of the map only", rule_map,
     NULL, NULL, TARGET_LOSS},

    {"beats-mixing", 1, ON_CORPORA_WITH_ARMS, "main",
     ", selective training beats mixing the clean text into plain training", NO_SUCH_ARM,
     "plain training with the clean text mixed in ends as well", rule_better, "slm", "mixed",
     TARGET_LOSS},
    {"beats-reference", 1, ON_CORPORA_WITH_ARMS, "main",
     ", selective training beats the reference itself, tuned on the clean text alone", NO_SUCH_ARM,
     "the reference, which saw the clean text only, stands as well", rule_better, "slm",
     "reference", TARGET_LOSS},
    {"tuned-after", 1, ON_CORPORA_WITH_ARMS, "main",
     ", after tuning both on the clean text, the selectively trained model is still ahead",
     "after the same tuning most of its gap closes: +2.2 points (1.1B, MATH)",
     "tuning on the clean text closes the gap at equal total tokens", rule_better, "slm_tuned",
     "clm_tuned", TARGET_LOSS},
    {"adds-to-clean", 1, ON_CORPORA_WITH_ARMS, "main",
     ", selective training and then the clean text give more than the clean text alone",
     NO_SUCH_ARM, "the reference stands as well", rule_better, "slm_tuned", "reference",
     TARGET_LOSS},
    {"beyond-noise", 1, ON_CORPORA_WITH_ARMS, "main",
     ", the gain is more than noise removal: it beats plain training on the text without its noise",
     NO_SUCH_ARM, "plain training with the known noise taken out ends as well", rule_better, "slm",
     "filtered", TARGET_LOSS},
    {"less-clean-text", 1, ONCE, "clean",
     "However much or little clean text there is, selection and then clean text beats plain "
     "training and then clean text",
     "not varied", "at some amount of clean text the two end alike", rule_less_clean, "slm_tuned",
     "clm_tuned", TARGET_LOSS},

    {"figure-6", 2, ON_CORPORA_WITH_PIECE, "main",
     " selective training lowers the loss on selected tokens and raises it on the others",
     "selected 1.015 to 0.981 against plain, unselected 2.83 to 3.52, all about 1.74 to 2.00",
     "the loss on unselected tokens falls as in plain training", rule_figure6, "slm", "clm",
     FIXED_DROPPED},
    {"figure-7", 2, ONCE, "main",
     "Less loss on selected tokens goes with more accuracy, less loss on unselected tokens with "
     "less",
     "both, over five checkpoints of one run",
     "accuracy does not rise with the loss on unselected tokens", rule_figure7, "slm", NULL,
     TARGET_ACCURACY},
    {"mechanism", 2, ONCE, "main",
     "Excess loss ranks noise low; the model's own loss ranks it high",
     "shown on coloured text only",
     "the area under the curve (useful tokens above noise) is about 0.5", rule_mechanism, "slm",
     "loss", AUC},
    {"figure-3", 2, ONCE, "main",
     "Under plain training a minority of tokens falls (high to low), others rise, more than by "
     "chance",
     "high to low 26%, low to high 12%, high 11%, low 51%; no null",
     "the shares are those of shuffled checkpoints", rule_figure3, NULL, NULL, TARGET_LOSS},
    {"figure-8", 2, ONCE, "main",
     "What a checkpoint selects has its highest perplexity at that checkpoint, because training "
     "learns it",
     "every set peaks at its own checkpoint; no control",
     "the peak vanishes when another seed's checkpoint selects: regression to the mean",
     rule_figure8, NULL, NULL, TARGET_LOSS},
    {"figure-9", 2, ONCE, "ratio",
     "The best ratio lies between: neither the fewest tokens nor all of them",
     "best at 60% (40 to 100% tried)", "the target gets better all the way to one end",
     rule_figure9, "slm", NULL, TARGET_LOSS},
    {"ratio-one", 2, ONCE, "ratio", "Selecting 100% is plain training, to the bit",
     "its 100% point is another run (15B tokens)", "any digit differs", rule_ratio_one, "slm", NULL,
     TARGET_LOSS},

    {"self-reference", 3, ONCE, "self",
     "A reference trained on the noisy corpus itself, no clean text, still gives a small gain at "
     "60 to 90%",
     "+1.5 to +2.4 points at 60 to 90%, \xE2\x88\x92"
     "0.8 at 50%",
     "no ratio of 60 to 90% gains", rule_self, "slm", NULL, TARGET_LOSS},
    {"weak-to-strong", 3, ONCE, "weak", "A reference much smaller than the model still guides it",
     "+0.9 points with a reference of 0.16 times the size",
     "the gain with the small reference is within seed noise", rule_weak, "slm", NULL, TARGET_LOSS},
    {"needs-reference", 3, ONCE, "main",
     "The gain needs a reference that knows the target: the starting model as reference does not "
     "give it",
     "no such arm; two public failures had no reference of this kind",
     "the starting model as reference does as well", rule_better, "slm", "null_reference",
     TARGET_LOSS},
    {"negative-control", 3, ONCE, "control",
     "On clean text of the target's own distribution selection brings nothing", NO_SUCH_ARM,
     "selection wins there: a leak or a bug", rule_no_gain, "slm", "clm", TARGET_LOSS},
    {"from-scratch", 3, ONCE, "scratch", "It also helps from scratch, without a base",
     "nothing is trained from scratch in the paper; public attempts failed",
     "plain training from scratch ends as well", rule_better, "slm", "clm", TARGET_LOSS}};

enum { N_ROWS = sizeof rows / sizeof rows[0], GOAL_CORPORA = 2 };

static int applies(const findings *all, const claim_row *row, size_t corpus_index) {
    const char *corpus = corpora[corpus_index];
    const int has = data_has_corpus(&all->d, corpus), is_first = corpus_index == 0;
    const int is_goal = corpus_index < GOAL_CORPORA;
    switch (row->scope) {
    case ON_GOALS:
        return has || is_goal;
    case ON_GOALS_BY_ACCURACY:
        return (has || is_goal) && data_has_accuracy(&all->d, corpus);
    case ON_CORPORA:
        return has;
    case ON_CORPORA_WITH_ARMS:
        return has && (is_first || (main_arm(all, corpus, row->a)->n > 0 &&
                                    main_arm(all, corpus, row->b)->n > 0));
    case ON_CORPORA_WITH_PIECE:
        return has &&
               (is_first || data_change(&all->d, main_arm(all, corpus, row->a), row->metric).n > 0);
    default:
        return 0;
    }
}

static void add_claim(findings *all, const claim_row *row, const char *corpus) {
    if (all->n_claims == MAX_CLAIMS) return;
    claim *c = &all->claims[all->n_claims++];
    memset(c, 0, sizeof *c);
    if (row->scope == ONCE) {
        snprintf(c->id, sizeof c->id, "%s", row->id);
        snprintf(c->title, sizeof c->title, "%s", row->title);
    } else {
        snprintf(c->id, sizeof c->id, "%s-%s", row->id, corpus);
        snprintf(c->title, sizeof c->title, "On %s%s", corpus_name(corpus, IN_SENTENCE),
                 row->title);
    }
    c->paper = row->paper;
    c->falsifier = row->falsifier;
    c->set = row->set;
    c->part = row->part;
    c->verdict = PAGE_OPEN;
    row->rule(all, row, corpus, c);
}

/* Part by part, so that claims.csv and the page have the same order. */
void decide_claims(findings *all) {
    for (int part = 0; part < N_PARTS; part++) {
        for (size_t i = 0; i < N_CORPORA; i++)
            for (size_t k = 0; k < N_ROWS; k++)
                if (rows[k].part == part && applies(all, &rows[k], i))
                    add_claim(all, &rows[k], corpora[i]);
        for (size_t k = 0; k < N_ROWS; k++)
            if (rows[k].part == part && rows[k].scope == ONCE) add_claim(all, &rows[k], corpora[0]);
    }
}
