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

/* Seed by seed, how much more a gains on b in the control than row->level times what it gains on
   the noisy corpus; below 0 is less. */
static estimate excess_gain(const claim *c, data_column y) {
    const data_group *noisy_a = main_arm(c, c->row->a);
    const data_group *noisy_b = main_arm(c, c->row->b);
    const double sign = y == TARGET_ACCURACY ? 1 : -1;
    double v[MAX_SEEDS] = {0};
    for (size_t i = 0; i < c->a->n; i++) {
        const data_run *control = &c->a->run[i];
        const data_run *control_b = data_seed(c->b, control->seed);
        const data_run *noisy = data_seed(noisy_a, control->seed);
        const data_run *plain = data_seed(noisy_b, control->seed);
        v[i] = NAN;
        if (control_b == NULL || noisy == NULL || plain == NULL) continue;
        double here = sign * (run_end(control, y) - run_end(control_b, y));
        double there = sign * (run_end(noisy, y) - run_end(plain, y));
        v[i] = here - c->row->level * there;
    }
    return stats_estimate(v, c->a->n);
}

/* No gain is the right answer, and it takes seeds enough to say so: the whole interval of "the gain
   here less row->level of the gain on the noisy corpus" must lie below zero.  Both gains are those
   of the seed. */
void rule_no_gain(claim *c) {
    const data_group *noisy_a = main_arm(c, c->row->a);
    const data_group *noisy_b = main_arm(c, c->row->b);
    const char *what = "the same arms on the noisy corpus and on the control";
    const estimate loss = excess_gain(c, TARGET_LOSS);
    const estimate points = stats_scale(excess_gain(c, TARGET_ACCURACY), 100);
    claim_say_ends(c, c->a, c->b);
    claim_number(c, "  On the noisy corpus the loss differs by ",
                 data_difference(noisy_a, noisy_b, TARGET_LOSS), 4, "");
    claim_number(c, ", the accuracy (points) by ",
                 stats_scale(data_difference(noisy_a, noisy_b, TARGET_ACCURACY), 100), 1, "");
    if (c->found[0] != '\0') SAY(c->found, ".");
    claim_number(c, "  Gain here less a quarter of the gain there, seed by seed: by loss ", loss, 4,
                 "");
    claim_number(c, ", by accuracy (points) ", points, 1, "");
    if (loss.n > 0) SAY(c->found, ".");
    claim_brief(c, "gain here less a quarter of that there: loss ", loss, 3, "");
    claim_brief(c, "accuracy ", points, 1, " points");
    claim_test(c, what, loss, 0, BELOW);
    if (data_has_accuracy(c->data, c->corpus)) claim_test(c, what, points, 0, BELOW);
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

static int is_metric_of(const claim *c, data_column metric) {
    return metric != TARGET_ACCURACY || data_has_accuracy(c->data, c->corpus);
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
        const char *what = make_text("%s and %s, by %s", slm->label, clm->label, metric_names[i]);
        if (!is_metric_of(c, metrics[i])) continue;
        if (s.seeds + s.at_once == 0) {
            claim_test(c, what, s.logs, 0, ABOVE);
            continue;
        }
        SAY(c->found, "%sBy %s: %s, %zu seed%s.", c->found[0] ? "  " : "", metric_names[i],
            sooner_text(&s, 2), s.seeds, plural(s.seeds));
        SAY(c->brief, "%sby %s %s", separator, metric_names[i], sooner_text(&s, 1));
        say_plain(c, clm, metrics[i]);
        claim_test(c, what, s.seeds > 0 ? s.logs : nothing_to_gain(c, &s), log(c->row->level),
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
        const char *by = metric_names[i % 2];
        sooner s = data_sooner(other, clm, TOKENS, metric);
        lead l = data_sooner_than(slm, other, clm, TOKENS, metric);
        const char *least = l.at_least > 0 ? "at least " : "";
        if (!is_metric_of(c, metric)) continue;
        claim_test(c, make_text("%s, by %s", other->label, by), l.logs, 0, ABOVE);
        if (l.logs.n == 0) continue;
        SAY(c->found, "%s%s, by %s: %s; selective training's number is %s",
            c->found[0] ? "  " : "", other->label, by, sooner_text(&s, 2), least);
        claim_number(c, "", stats_exp(l.logs), 1, " times that");
        if (l.at_least > 0)
            SAY(c->found, " (in %zu seed%s the other never comes there and counts as 1x)",
                l.at_least, plural(l.at_least));
        if (l.neither > 0)
            SAY(c->found, " (in %zu seed%s neither comes there: no difference)", l.neither,
                plural(l.neither));
        if (l.at_once > 0)
            SAY(c->found, " (%zu seed%s not counted: there before any training)", l.at_once,
                plural(l.at_once));
        SAY(c->found, ".");
        claim_brief(c, make_text("%s, by %s: %s", other->label, by, least), stats_exp(l.logs), 1,
                    "x");
    }
    claim_judge(c);
}

static const double map_noise[] = {0, 0.2, 0.4, 0.6};
static const double map_ratios[] = {0.2, 0.4, 0.6};

/* "0.9x", "never", "nothing to gain". */
static const char *cell_text(const sooner *s) {
    if (s->seeds == 0) return "no number";
    return isfinite(s->e.value) ? make_text("%.1fx", s->e.value) : "never";
}

/* One setting of the map by one metric.  Where plain training ends no better than it began there is
   no number, and it is not shown that selection is sooner. */
static sooner test_setting(claim *c, const char *name, double noise, double ratio,
                           data_column y) {
    sooner s = data_map_sooner(c->data, noise, ratio, y);
    const char *what = make_text("%s, by %s", name, y == TARGET_ACCURACY ? "accuracy" : "loss");
    claim_test(c, what, s.seeds + s.at_once > 0 && s.seeds == 0 ? nothing_to_gain(c, &s) : s.logs,
               log(c->row->level), ABOVE);
    return s;
}

/* At every noise share and ratio at least row->level times sooner. */
void rule_map(claim *c) {
    size_t cells = 0, good = 0;
    for (size_t i = 0; i < COUNT(map_noise) * COUNT(map_ratios); i++) {
        const double noise = map_noise[i / COUNT(map_ratios)];
        const double ratio = map_ratios[i % COUNT(map_ratios)];
        const char *name = make_text("noise %.0f%%, keep %.0f%%", 100 * noise, 100 * ratio);
        sooner loss = test_setting(c, name, noise, ratio, TARGET_LOSS);
        sooner accuracy = {.seeds = 0};
        if (is_metric_of(c, TARGET_ACCURACY))
            accuracy = test_setting(c, name, noise, ratio, TARGET_ACCURACY);
        if (loss.seeds + loss.at_once == 0) continue;
        int is_good = loss.e.value >= c->row->level;
        SAY(c->found, "%s%s: %s", cells == 0 ? "By loss and accuracy: " : "; ", name,
            cell_text(&loss));
        cells++;
        if (accuracy.seeds + accuracy.at_once > 0) {
            is_good &= accuracy.e.value >= c->row->level;
            SAY(c->found, " and %s", cell_text(&accuracy));
        }
        good += is_good != 0;
    }
    if (cells > 0) {
        SAY(c->found, ".");
        SAY(c->brief, "the means reach it in %zu of %zu settings", good, cells);
    }
    claim_judge(c);
}
