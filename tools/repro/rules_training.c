/* rules_training.c: one arm against another, how many times sooner, the map. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "rules.h"

/* The claims of verdicts.c say "at least five times fewer tokens".  To hold, the mean must reach
   GOAL and the lower ends of both 95% intervals must lie above GOAL_LOW. */
#define GOAL 5.0
#define GOAL_LOW 3.0

/* ---- one arm against another ---- */
/* Adds "A ends at target loss 0.41, "B" at 0.44: difference ..." and the same for accuracy.
   Returns the difference of the losses. */
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

/* a ends at a lower target loss than b. */
void rule_better(findings *all, const claim_row *row, const char *corpus, claim *c) {
    estimate e = say_comparison(all, c, data_find(&all->d, corpus, row->set, row->a),
                                data_find(&all->d, corpus, row->set, row->b));
    side where = stats_side(&e, 0);
    if (claim_has_seeds(c, e.n)) claim_decide(c, where == BELOW, 0, NULL, where == ABOVE);
}

/* Selective training beats both naive selections. */
void rule_controls(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *slm = data_main(&all->d, corpus, "slm");
    estimate random = say_comparison(all, c, slm, data_main(&all->d, corpus, row->a));
    estimate loss = say_comparison(all, c, slm, data_main(&all->d, corpus, row->b));
    size_t n = loss.n > 0 && loss.n < random.n ? loss.n : random.n;
    side a = stats_side(&random, 0);
    side b = loss.n == 0 ? a : stats_side(&loss, 0);
    if (claim_has_seeds(c, n))
        claim_decide(c, a == BELOW && b == BELOW, 0, NULL, a == ABOVE || b == ABOVE);
}

/* No gain is the right answer, and it takes seeds enough to say so: the whole interval must lie
   near zero, within a quarter of what selection gains on the noisy corpus. */
void rule_no_gain(findings *all, const claim_row *row, const char *corpus, claim *c) {
    estimate e = say_comparison(all, c, data_find(&all->d, corpus, row->set, row->a),
                                data_find(&all->d, corpus, row->set, row->b));
    estimate noisy = data_difference(&all->d, data_main(&all->d, corpus, row->a),
                                     data_main(&all->d, corpus, row->b), TARGET_LOSS);
    double little = noisy.value < 0 ? noisy.value / 4 : 0;
    int wins = stats_side(&e, 0) == BELOW;
    if (e.n > 0) SAY(c->found, "  On the noisy corpus the difference is %.4f.", noisy.value);
    if (claim_has_seeds(c, e.n))
        claim_decide(c, !wins && e.t_low > little, wins && !(e.value < little), "in part: a little",
                     wins && e.value < little);
}

/* ---- sooner: how many times fewer tokens an arm needs to reach the end of plain training ---- */
/* Appends the number to what was found; nothing if no seed gives one. */
static void say_sooner(claim *c, const char *before, const sooner *s) {
    char text[120];
    if (s->seeds == 0) return;
    SAY(c->found, "%s%s", before, sooner_text(text, sizeof text, s, 2));
}

/* Returns 1 if the control's interval reaches that of selective training.  A control that mostly
   never comes so far has no value and is not as soon; one of a single seed, which has no interval,
   counts as being so. */
static int is_as_soon(const sooner *control, const sooner *slm) {
    return isfinite(control->e.value) && !(control->e.high < slm->e.low);
}

static void decide_sooner(claim *c, const sooner *slm, const sooner *random, const sooner *loss) {
    int is_sooner = isfinite(slm->e.value) && slm->e.value > 1;
    int is_matched = is_as_soon(random, slm) || is_as_soon(loss, slm);
    int fails = !is_sooner || is_matched;
    int reaches_goal = slm->e.value >= GOAL;
    int holds = !fails && reaches_goal && stats_side(&slm->e, GOAL_LOW) == ABOVE;
    int partly = !fails && !holds && stats_side(&slm->e, 1) == ABOVE;
    char words[64];
    snprintf(words, sizeof words, "holds at %.1fx %s", slm->e.value,
             reaches_goal ? "loosely" : "only");
    claim_decide(c, holds, partly, words, fails);
}

/* Selective training reaches the end of plain training, by row->metric, in fewer tokens.
       holds              at least GOAL times sooner, and the intervals above GOAL_LOW
       holds loosely      the mean reaches GOAL, the intervals are above 1 but not above GOAL_LOW
       holds at N only    the mean is below GOAL, the intervals are above 1
       does not hold      it is not sooner; or the naive selections row->a (random) or row->b (the
                          highest own loss) may be as soon, so that excess loss is not what helps
       open               anything else, also where plain training itself does not improve */
void rule_sooner(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data *d = &all->d;
    const data_group *clm = data_main(d, corpus, "clm");
    const data_group *slm = data_main(d, corpus, "slm");
    sooner s = data_sooner(d, slm, clm, TOKENS, row->metric);
    sooner random = data_sooner(d, data_main(d, corpus, row->a), clm, TOKENS, row->metric);
    sooner loss = data_sooner(d, data_main(d, corpus, row->b), clm, TOKENS, row->metric);
    char label[64];
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
    if (claim_has_seeds(c, s.seeds)) decide_sooner(c, &s, &random, &loss);
}

/* The same counted in arithmetic instead of tokens, with that of the reference and of scoring.  It
   holds if selective training is sooner at all, beyond seed noise. */
void rule_cost(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_group *clm = data_main(&all->d, corpus, "clm");
    const data_group *slm = data_main(&all->d, corpus, "slm");
    sooner s = data_sooner(&all->d, slm, clm, FLOPS_ALL, row->metric);
    side where = stats_side(&s.e, 1);
    say_sooner(c, "In arithmetic with reference and scoring: ", &s);
    if (s.seeds > 0) {
        SAY(c->found, ".");
        (void)sooner_text(c->brief, sizeof c->brief, &s, 1);
    }
    if (claim_has_seeds(c, s.seeds))
        claim_decide(c, where == ABOVE, 0, NULL, where == BELOW || !isfinite(s.e.value));
}

/* Holds when: the least noise from which on, at the best ratio of each row, selection is at least
   twice as soon. */
void rule_map(findings *all, const claim_row *row, const char *corpus, claim *c) {
    const data_grid grid = data_map(&all->d);
    size_t cells = 0, good = 0;
    size_t from = grid.n_noise;
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
    claim_decide(c, good == cells, good > 0, words, good == 0);
}
