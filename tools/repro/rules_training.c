/* rules_training.c: one arm against another, how many times sooner, the map. */
#include <math.h>
#include "common/cli.h"
#include "rules.h"

static const data_group *main_arm(const claim *c, const char *arm) {
    return data_main(c->data, c->corpus, arm);
}

static const data_column metrics[2] = {TARGET_LOSS, TARGET_ACCURACY};
static const char *const metric_names[2] = {"loss", "accuracy"};

/* ---- one arm against another ---- */
void rule_better(claim *c) {
    claim_better(c, c->a, c->b);
    claim_judge(c);
}

/* Selective training beats both naive selections. */
void rule_controls(claim *c) {
    claim_better(c, main_arm(c, "slm"), c->a);
    claim_better(c, main_arm(c, "slm"), c->b);
    claim_judge(c);
}

/* No gain is the right answer, and it takes seeds enough to say so: the whole interval must lie
   near zero, within row->level of what selection gains on the noisy corpus. */
void rule_no_gain(claim *c) {
    const data_group *noisy_a = main_arm(c, c->row->a);
    const data_group *noisy_b = main_arm(c, c->row->b);
    double loss = data_difference(noisy_a, noisy_b, TARGET_LOSS).value;
    double accuracy = data_difference(noisy_a, noisy_b, TARGET_ACCURACY).value;
    claim_say_ends(c, c->a, c->b);
    if (c->found[0] != '\0') SAY(c->found, "  On the noisy corpus the loss differs by %.4f", loss);
    if (isfinite(accuracy)) SAY(c->found, ", the accuracy by %.1f points", 100 * accuracy);
    if (c->found[0] != '\0') SAY(c->found, ".");
    claim_test(c, data_difference(c->a, c->b, TARGET_LOSS), fmin(0, loss) * c->row->level, ABOVE);
    claim_test(c, data_difference(c->a, c->b, TARGET_ACCURACY),
               fmax(0, accuracy) * c->row->level, BELOW);
    claim_judge(c);
}

/* ---- sooner: how many times fewer tokens an arm needs to come where plain training ends ---- */
/* "Plain training itself moved the loss from 0.433 by -0.035 [...]": what the number is made of. */
static void say_plain(claim *c, const data_group *clm, data_column y) {
    double scale = metric_scale(y);
    int digits = y == TARGET_ACCURACY ? 1 : 3;
    estimate moved = stats_scale(data_over_seeds(clm, run_change, y), scale);
    double start = scale * (data_mean_end(clm, y) - moved.value / scale);
    if (moved.n == 0) return;
    SAY(c->found, "  Plain training moved the %s from %.*f by ",
        y == TARGET_ACCURACY ? "accuracy (in %)" : "loss", digits, start);
    claim_number(c, "", moved, digits, ".");
    SAY(c->brief, " (plain training moved it from %.*f by %.*f)", digits, start, digits,
        moved.value);
}

/* Where plain training ends no better than it began, nothing can be sooner or later. */
static estimate nothing_to_gain(const claim *c, const sooner *s) {
    return (estimate){log(c->row->level), -INFINITY, INFINITY, s->at_once};
}

/* By row->column, tokens or arithmetic, at least row->level times sooner, by loss and by
   accuracy. */
void rule_sooner(claim *c) {
    const data_group *clm = main_arm(c, "clm");
    const data_group *slm = main_arm(c, "slm");
    for (int i = 0; i < 2; i++) {
        sooner s = data_sooner(slm, clm, c->row->column, metrics[i]);
        const char *separator = c->brief[0] != '\0' ? "; " : "";
        if (s.seeds + s.at_once == 0) continue;
        SAY(c->found, "%sBy %s: %s, %zu seed%s.", c->found[0] ? "  " : "", metric_names[i],
            sooner_text(&s, 2), s.seeds, plural(s.seeds));
        SAY(c->brief, "%sby %s %s", separator, metric_names[i], sooner_text(&s, 1));
        say_plain(c, clm, metrics[i]);
        claim_test(c, s.seeds > 0 ? s.logs : nothing_to_gain(c, &s), log(c->row->level),
                   ABOVE);
    }
    claim_judge(c);
}

/* It comes there sooner than with random tokens or those of the highest own loss. */
void rule_sooner_than_naive(claim *c) {
    const data_group *clm = main_arm(c, "clm");
    const data_group *slm = main_arm(c, "slm");
    const data_group *others[2] = {c->a, c->b};
    for (int i = 0; i < 4; i++) {
        const data_group *other = others[i / 2];
        const data_column metric = metrics[i % 2];
        sooner s = data_sooner(other, clm, TOKENS, metric);
        estimate lead = data_sooner_than(slm, other, clm, TOKENS, metric);
        if (lead.n == 0) continue;
        SAY(c->found, "%s%s, by %s: %s; selective training's number is ", c->found[0] ? "  " : "",
            other->label, metric_names[i % 2], sooner_text(&s, 2));
        claim_number(c, "", stats_exp(lead), 1, " times that.");
        claim_brief(c, make_text("%s, by %s: ", other->label, metric_names[i % 2]),
                    stats_exp(lead), 1, "x");
        claim_test(c, lead, 0, ABOVE);
    }
    claim_judge(c);
}

/* At every noise share and ratio at least row->level times sooner. */
void rule_map(claim *c) {
    const data_grid grid = data_map(c->data);
    size_t cells = 0, good = 0;
    for (size_t i = 0; i < grid.n; i++) {
        data_setting loss = data_map_setting(c->data, &grid, i, TARGET_LOSS);
        data_setting accuracy = data_map_setting(c->data, &grid, i, TARGET_ACCURACY);
        double worst = loss.s.e.value;
        if (loss.s.seeds == 0) continue;
        if (accuracy.s.seeds > 0) worst = fmin(worst, accuracy.s.e.value);
        cells++;
        good += worst >= c->row->level;
        claim_test(c, loss.s.logs, log(c->row->level), ABOVE);
        claim_test(c, accuracy.s.logs, log(c->row->level), ABOVE);
        SAY(c->found, "%s%s, keep %.0f%%: ", cells == 1 ? "By loss and accuracy: " : "; ",
            loss.name, 100 * grid.ratio.x[loss.ratio]);
        SAY(c->found, isfinite(loss.s.e.value) ? "%.1fx" : "never", loss.s.e.value);
        if (accuracy.s.seeds > 0)
            SAY(c->found, isfinite(accuracy.s.e.value) ? " and %.1fx" : " and never",
                accuracy.s.e.value);
    }
    if (cells > 0) {
        SAY(c->found, ".");
        SAY(c->brief, "the means reach it in %zu of %zu settings", good, cells);
    }
    claim_judge(c);
}
