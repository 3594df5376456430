/* rules_training.c: one arm against another, how many times sooner, the map. */
#include <math.h>
#include "common/cli.h"
#include "rules.h"

/* The claims of verdicts.c say "at least five times fewer tokens".  To hold, the mean must reach
   GOAL and the lower ends of both 95% intervals must lie above GOAL_LOW. */
#define GOAL 5.0
#define GOAL_LOW 3.0

static const data_group *main_arm(const claim *c, const char *arm) {
    return data_main(c->data, c->corpus, arm);
}

/* ---- one arm against another ---- */
/* Adds "A ends at target loss 0.41, "B" at 0.44: difference ..." and the same for accuracy.
   Returns the difference of the losses. */
static estimate say_comparison(claim *c, const data_group *a, const data_group *b) {
    estimate loss = data_difference(a, b, TARGET_LOSS);
    estimate points = stats_scale(data_difference(a, b, TARGET_ACCURACY), 100);
    if (loss.n == 0) return loss;
    SAY(c->found, "%s%s ends at target loss %.3f, \"%s\" at %.3f", c->found[0] ? "  " : "",
        a->label, data_mean_end(a, TARGET_LOSS), b->label, data_mean_end(b, TARGET_LOSS));
    claim_number(c, ": difference ", loss, 4, "");
    claim_number(c, "; in accuracy ", points, 1, " points");
    SAY(c->found, " (%zu seed%s).", loss.n, plural(loss.n));
    claim_brief(c, "loss ", loss, 3, make_text(" against %s", b->label));
    return loss;
}

/* a ends at a lower target loss than b. */
void rule_better(claim *c) {
    estimate e = say_comparison(c, c->a, c->b);
    side where = stats_side(e, 0);
    claim_decide(c, e.n, where == BELOW, 0, NULL, where == ABOVE);
}

/* Selective training beats both naive selections. */
void rule_controls(claim *c) {
    estimate random = say_comparison(c, main_arm(c, "slm"), c->a);
    estimate loss = say_comparison(c, main_arm(c, "slm"), c->b);
    size_t n = loss.n > 0 && loss.n < random.n ? loss.n : random.n;
    side a = stats_side(random, 0);
    side b = loss.n == 0 ? a : stats_side(loss, 0);
    claim_decide(c, n, a == BELOW && b == BELOW, 0, NULL, a == ABOVE || b == ABOVE);
}

/* No gain is the right answer, and it takes seeds enough to say so: the whole interval must lie
   near zero, within a quarter of what selection gains on the noisy corpus. */
void rule_no_gain(claim *c) {
    estimate e = say_comparison(c, c->a, c->b);
    double noisy =
        data_difference(main_arm(c, c->row->a), main_arm(c, c->row->b), TARGET_LOSS).value;
    double little = noisy < 0 ? noisy / 4 : 0;
    int wins = stats_side(e, 0) == BELOW;
    if (e.n > 0) SAY(c->found, "  On the noisy corpus the difference is %.4f.", noisy);
    claim_decide(c, e.n, !wins && e.t_low > little, wins && !(e.value < little),
                 "in part: a little", wins && e.value < little);
}

/* ---- sooner: how many times fewer tokens an arm needs to reach the end of plain training ---- */
/* Appends the number to what was found; nothing if no seed gives one. */
static void say_sooner(claim *c, const char *before, const sooner *s, const char *after) {
    if (s->seeds > 0) SAY(c->found, "%s%s%s", before, sooner_text(s, 2), after);
}

/* Returns 1 if the control's interval reaches that of selective training.  A control that mostly
   never comes so far has no value and is not as soon; one of a single seed, which has no interval,
   counts as being so.  With too few seeds for intervals the values are compared. */
static int is_as_soon(const sooner *control, const sooner *slm) {
    if (slm->seeds < ENOUGH_SEEDS) return control->e.value >= slm->e.value;
    return isfinite(control->e.value) && !(control->e.high < slm->e.low);
}

static void decide_sooner(claim *c, const sooner *slm, const sooner *random, const sooner *loss) {
    int is_sooner = isfinite(slm->e.value) && slm->e.value > 1;
    int fails = !is_sooner || is_as_soon(random, slm) || is_as_soon(loss, slm);
    int reaches_goal = slm->e.value >= GOAL;
    int holds = !fails && reaches_goal && stats_side(slm->e, GOAL_LOW) == ABOVE;
    int partly = !fails && !holds && stats_side(slm->e, 1) == ABOVE;
    const char *how = reaches_goal ? "loosely" : "only";
    claim_decide(c, slm->seeds, holds, partly, make_text("holds at %.1fx %s", slm->e.value, how),
                 fails);
}

/* Selective training reaches the end of plain training, by row->metric, in fewer tokens.
       holds              at least GOAL times sooner, and the intervals above GOAL_LOW
       holds loosely      the mean reaches GOAL, the intervals are above 1 but not above GOAL_LOW
       holds at N only    the mean is below GOAL, the intervals are above 1
       does not hold      it is not sooner; or the naive selections row->a (random) or row->b (the
                          highest own loss) may be as soon, so that excess loss is not what helps
       open               anything else, also where plain training itself does not improve */
void rule_sooner(claim *c) {
    const data_group *clm = main_arm(c, "clm");
    const data_group *slm = main_arm(c, "slm");
    sooner s = data_sooner(slm, clm, TOKENS, c->row->metric);
    sooner random = data_sooner(c->a, clm, TOKENS, c->row->metric);
    sooner loss = data_sooner(c->b, clm, TOKENS, c->row->metric);
    if (s.seeds > 0 || s.at_once > 0) SAY(c->found, "%s: ", slm->label);
    if (s.seeds == 0 && s.at_once > 0) {
        SAY(c->found, "plain training ends no better than it began, so that there is nothing to be "
                      "sooner than.");
        claim_say(c, PAGE_OPEN, "open: plain does not improve");
        return;
    }
    if (s.seeds > 0) {
        say_sooner(c, "", &s, "");
        SAY(c->brief, "%s", sooner_text(&s, 1));
        if (isfinite(s.e.t_low))
            SAY(c->found, " (Student's t: [%.2f, %.2f])", s.e.t_low, s.e.t_high);
        SAY(c->found, ", %zu seed%s.", s.seeds, plural(s.seeds));
    }
    say_sooner(c, "  Random: ", &random, ".");
    say_sooner(c, "  Highest own loss: ", &loss, ".");
    decide_sooner(c, &s, &random, &loss);
}

/* The same counted in arithmetic instead of tokens, with that of the reference and of scoring.  It
   holds if selective training is sooner at all, beyond seed noise. */
void rule_cost(claim *c) {
    sooner s = data_sooner(main_arm(c, "slm"), main_arm(c, "clm"), FLOPS_ALL, c->row->metric);
    side where = stats_side(s.e, 1);
    say_sooner(c, "In arithmetic with reference and scoring: ", &s, ".");
    if (s.seeds > 0) SAY(c->brief, "%s", sooner_text(&s, 1));
    claim_decide(c, s.seeds, where == ABOVE, 0, NULL, where == BELOW || !isfinite(s.e.value));
}

/* Holds when: the least noise from which on, at the best ratio of each row, selection is at least
   twice as soon. */
void rule_map(claim *c) {
    const data_grid grid = data_map(c->data);
    size_t cells = 0, good = 0;
    size_t from = grid.noise.n;
    double best[MAX_SWEEP] = {0};
    const char *words = "holds when: see the map";
    for (size_t i = 0; i < grid.n; i++) {
        data_setting at = data_map_setting(c->data, &grid, i, c->row->metric);
        if (at.s.seeds == 0) continue;
        cells++;
        good += at.s.e.value >= 2;
        best[at.noise] = fmax(best[at.noise], at.s.e.value);
    }
    if (cells == 0) {
        (void)claim_has_seeds(c, 0);
        return;
    }
    SAY(c->brief, "twice as soon in %zu of %zu settings", good, cells);
    SAY(c->found,
        "At least twice as soon by loss in %zu of %zu settings.  Best ratio of each noise share:",
        good, cells);
    for (size_t i = 0; i < grid.noise.n; i++) {
        SAY(c->found, "%s %.0f%%: ", i == 0 ? "" : ",", 100 * grid.noise.x[i]);
        SAY(c->found, best[i] > 0 ? "%.1fx" : "never", best[i]);
    }
    SAY(c->found, ".");
    while (from > 0 && best[from - 1] >= 2)
        from--;
    if (from < grid.noise.n)
        words = make_text("holds when noise is %.0f%% or more", 100 * grid.noise.x[from]);
    /* One seed is enough: there are many settings. */
    claim_decide(c, ENOUGH_SEEDS, good == cells, good > 0, words, good == 0);
}
