/* repro_report_verdicts.h: verdicts on figures 3, 6, 7, 8, 9, tables 3 to 5, the mechanism, the map.  Part of repro_report.h. */
#ifndef REPRO_REPORT_VERDICTS_H
#define REPRO_REPORT_VERDICTS_H
#include "repro_report_claims.h"
#include "repro_report_selection.h"

/* What a column ends with less what it began with, by seed. */
static inline estimate verdict_change(const data *d, const data_group *g, data_column c) {
    double v[STATS_SEEDS];
    for (size_t k = 0; k < g->n; k++) {
        v[k] = data_end(d, &g->run[k], c) - data_at(d, &g->run[k], 0, c);
    }
    return stats_estimate(v, g->n);
}

static inline void verdict_figure6(findings *r, const char *corpus) {
    const data_group *slm = data_find(&r->d, corpus, "main", "slm"),
                     *clm = data_find(&r->d, corpus, "main", "clm");
    estimate kept = verdict_change(&r->d, slm, FIXED_KEPT),
             dropped = verdict_change(&r->d, slm, FIXED_DROPPED),
             plain = verdict_change(&r->d, clm, FIXED_DROPPED);
    estimate apart = data_difference(&r->d, slm, clm, FIXED_DROPPED),
             all = data_difference(&r->d, slm, clm, FIXED_ALL);
    char title[200];
    if (dropped.n == 0 && strcmp(corpus, "builtin") != 0) {
        return;
    }
    snprintf(
        title, sizeof title,
        "On %s selective training lowers the loss on selected tokens and raises it on the others",
        draw_corpus_name(corpus, 0));
    claim *c = claims_add(r, "figure-6", corpus, "main", title,
                          "selected 1.015 to 0.981 against plain, unselected 2.83 to 3.52, "
                          "all about 1.74 to 2.00",
                          "the loss on unselected tokens falls as in plain training");
    claims_brief(c, "selected ", &kept, 3, "");
    claims_brief(c, "unselected ", &dropped, 3, "");
    claims_number(c, "From start to end: selected ", &kept, 3, "");
    claims_number(c, ", unselected ", &dropped, 3, "");
    claims_number(c, "; plain training, unselected ", &plain, 3, "");
    claims_number(c, ".  All tokens of the noisy corpus, against plain at the end: ", &all, 3, ".");
    if (!claims_enough(c, dropped.n)) {
        return;
    }
    int up = stats_side(&dropped, 0), more = stats_side(&apart, 0), down = stats_side(&kept, 0);
    if (down < 0 && up > 0) {
        claims_say(c, PAGE_HOLDS, NULL);
    } else if (down < 0 && up < 0 && more > 0) {
        claims_say(c, PAGE_DEPENDS, "in part: falls less than in plain");
    } else if (up < 0 || down > 0) {
        claims_say(c, PAGE_FAILS, NULL);
    } else {
        claims_say(c, PAGE_OPEN, "open: within seed noise");
    }
}

static inline void verdict_figure7(findings *r) {
    const data_group *slm = data_find(&r->d, "builtin", "main", "slm");
    estimate kept = mechanism_correlation(&r->d, slm, FIXED_KEPT),
             dropped = mechanism_correlation(&r->d, slm, FIXED_DROPPED);
    claim *c = claims_add(r, "figure-7", NULL, "main",
                          "Less loss on selected tokens goes with more accuracy, less loss on "
                          "unselected tokens with less",
                          "both, over five checkpoints of one run",
                          "accuracy does not rise with the loss on unselected tokens");
    claims_brief(c, "r selected ", &kept, 2, "");
    claims_brief(c, "unselected ", &dropped, 2, "");
    claims_number(c,
                  "Correlation of accuracy with the loss over the checkpoints of selective "
                  "training: selected ",
                  &kept, 2, "");
    claims_number(c, ", unselected ", &dropped, 2, ".");
    if (!claims_enough(c, dropped.n)) {
        return;
    }
    int a = stats_side(&kept, 0), b = stats_side(&dropped, 0);
    claims_say(c,
               a < 0 && b > 0   ? PAGE_HOLDS
               : b < 0 || a > 0 ? PAGE_FAILS
                                : PAGE_OPEN,
               a < 0 && b > 0   ? NULL
               : b < 0 || a > 0 ? NULL
                                : "open: within seed noise");
}

static inline void verdict_figure3(findings *r) {
    estimate fall = mechanism_above_null(&r->d, "HL"), rise = mechanism_above_null(&r->d, "LH"),
             share = mechanism_share(&r->d, "HL", "0");
    estimate fall_null = mechanism_share(&r->d, "HL", "1"),
             rise_share = mechanism_share(&r->d, "LH", "0"),
             rise_null = mechanism_share(&r->d, "LH", "1");
    claim *c = claims_add(r, "figure-3", NULL, "main",
                          "Under plain training a minority of tokens falls (high to low), others "
                          "rise, more than by chance",
                          "high to low 26%, low to high 12%, high 11%, low 51%; no null",
                          "the shares are those of shuffled checkpoints");
    if (fall.n > 0) {
        SAY(c->found,
            "High to low %.1f%% (shuffled %.1f%%), low to high %.1f%% (shuffled %.1f%%), ",
            100 * share.value, 100 * fall_null.value, 100 * rise_share.value,
            100 * rise_null.value);
        SAY(c->found, "%zu seed%s.", fall.n, fall.n == 1 ? "" : "s");
        SAY(c->brief, "%.1f%% fall (by chance %.1f%%), %.1f%% rise (%.1f%%)", 100 * share.value,
            100 * fall_null.value, 100 * rise_share.value, 100 * rise_null.value);
    }
    if (!claims_enough(c, fall.n)) {
        return;
    }
    int a = stats_side(&fall, 0), b = stats_side(&rise, 0);
    if (a > 0 && b > 0 && share.high < 0.5) {
        claims_say(c, PAGE_HOLDS, NULL);
    } else if (a > 0) {
        claims_say(c, PAGE_DEPENDS,
                   share.high >= 0.5 ? "in part: not a minority" : "in part: falling, not rising");
    } else {
        claims_say(c, a < 0 ? PAGE_FAILS : PAGE_OPEN, a < 0 ? NULL : "open: within seed noise");
    }
}

static inline void verdict_figure8(findings *r) {
    estimate own = selection_bump(&r->d, "own", NULL),
             cross = selection_bump(&r->d, "cross_seed", NULL);
    claim *c =
        claims_add(r, "figure-8", NULL, "main",
                   "What a checkpoint selects has its highest perplexity at that checkpoint, "
                   "because training learns it",
                   "every set peaks at its own checkpoint; no control",
                   "the peak vanishes when another seed's checkpoint "
                   "selects: regression to the mean");
    claims_brief(c, "peak ", &own, 2, "%");
    claims_brief(c, "by another seed ", &cross, 2, "%");
    claims_number(c,
                  "At its own checkpoint a selection's perplexity stands above the two checkpoints "
                  "beside it by (%) ",
                  &own, 2, "");
    claims_number(c, "; selected by another seed ", &cross, 2, "");
    if (own.n > 0) {
        SAY(c->found, ".");
    }
    if (!claims_enough(c, own.n)) {
        return;
    }
    if (stats_side(&own, 0) <= 0) {
        claims_say(c, stats_side(&own, 0) < 0 ? PAGE_FAILS : PAGE_OPEN,
                   stats_side(&own, 0) < 0 ? "does not hold: no peak" : "open: within seed noise");
        return;
    }
    if (!claims_enough(c, cross.n)) {
        return;
    }
    if (stats_side(&cross, 0) > 0 && cross.value >= own.value / 2) {
        claims_say(c, PAGE_HOLDS, NULL);
    } else if (stats_side(&cross, 0) > 0) {
        claims_say(c, PAGE_DEPENDS, "in part: mostly an artefact");
    } else if (cross.t_high < own.value / 2) {
        claims_say(c, PAGE_FAILS, "does not hold: an artefact");
    } else {
        claims_say(c, PAGE_OPEN, "open: within seed noise");
    }
}

static inline void verdict_figure9(findings *r) {
    const data_group *list[SWEEP_MOST], *plain = sweep_plain(r, "builtin", "ratio");
    size_t n = sweep_collect(r, "builtin", "ratio", "slm", 0, list), best = 0, exact = 0, pairs = 0;
    claim *c = claims_add(r, "figure-9", NULL, "ratio",
                          "The best ratio lies between: neither the fewest tokens nor all of them",
                          "best at 60% (40 to 100% tried)",
                          "the target gets better all the way to one end");
    for (size_t i = 0; i < n; i++) {
        if (data_mean_end(&r->d, list[i], TARGET_LOSS) <
            data_mean_end(&r->d, list[best], TARGET_LOSS)) {
            best = i;
        }
    }
    if (n > 0) {
        estimate low = data_difference(&r->d, list[best], list[0], TARGET_LOSS),
                 high = data_difference(&r->d, list[best], list[n - 1], TARGET_LOSS);
        SAY(c->brief, "best at %.0f%% (%.0f to %.0f%% tried)", 100 * list[best]->ratio,
            100 * list[0]->ratio, 100 * list[n - 1]->ratio);
        SAY(c->found, "Lowest target loss at %.0f%%: %.4f; at %.0f%% %.4f, at %.0f%% %.4f.",
            100 * list[best]->ratio, data_mean_end(&r->d, list[best], TARGET_LOSS),
            100 * list[0]->ratio, data_mean_end(&r->d, list[0], TARGET_LOSS),
            100 * list[n - 1]->ratio, data_mean_end(&r->d, list[n - 1], TARGET_LOSS));
        if (claims_enough(c, high.n) && n > 2) {
            if (best == 0 || best + 1 == n) {
                claims_say(c, PAGE_FAILS,
                           best == 0 ? "does not hold: fewest is best"
                                     : "does not hold: all is best");
            } else if (stats_side(&low, 0) < 0 && stats_side(&high, 0) < 0) {
                claims_say(c, PAGE_HOLDS, NULL);
            } else {
                claims_say(c, PAGE_OPEN, "open: within seed noise");
            }
        }
    } else {
        (void)claims_enough(c, 0);
    }
    c = claims_add(r, "ratio-one", NULL, "ratio", "Selecting 100% is plain training, to the bit",
                   "its 100% point is another run (15B tokens)", "any digit differs");
    for (size_t k = 0; n > 0 && list[n - 1]->ratio > 0.999 && k < list[n - 1]->n; k++) {
        const data_run *pair = data_seed(plain, list[n - 1]->run[k].seed);
        if (pair == NULL) {
            continue;
        }
        pairs++;
        exact += data_end(&r->d, pair, TARGET_LOSS) ==
                 data_end(&r->d, &list[n - 1]->run[k], TARGET_LOSS);
    }
    if (pairs == 0) {
        (void)claims_enough(c, 0);
        return;
    }
    SAY(c->found, "The final target loss is the same in %zu of %zu seeds.", exact, pairs);
    SAY(c->brief, "%zu of %zu seeds", exact, pairs);
    claims_say(c, exact == pairs ? PAGE_HOLDS : PAGE_FAILS, NULL);
}

/* Ratios at which a set's selective arm gains on plain training; for tables 3 to 5. */
static inline void verdict_self(findings *r) {
    const data_group *list[SWEEP_MOST], *plain = sweep_plain(r, "builtin", "self");
    size_t n = sweep_collect(r, "builtin", "self", "slm", 0, list), seeds = 0, gains = 0,
           losses = 0, tried = 0;
    claim *c = claims_add(r, "self-reference", NULL, "self",
                          "A reference trained on the noisy corpus itself, no clean text, still "
                          "gives a small gain at 60 to 90%",
                          "+1.5 to +2.4 points at 60 to 90%, \xE2\x88\x92"
                          "0.8 at 50%",
                          "no ratio of 60 to 90% gains");
    for (size_t i = 0; i < n; i++) {
        estimate e = claims_gain(r, list[i], plain);
        char before[64];
        seeds = e.n > seeds ? e.n : seeds;
        snprintf(before, sizeof before, "%sat %.0f%%: ", i == 0 ? "Better than plain by, " : "; ",
                 100 * list[i]->ratio);
        claims_number(c, before, &e, curves_has_accuracy(r, "builtin") ? 1 : 4, "");
        snprintf(before, sizeof before, "at %.0f%%: ", 100 * list[i]->ratio);
        claims_brief(c, before, &e, curves_has_accuracy(r, "builtin") ? 1 : 3, "");
        if (list[i]->ratio < 0.599 || list[i]->ratio > 0.901) {
            continue;
        }
        tried++;
        gains += stats_side(&e, 0) > 0;
        losses += stats_side(&e, 0) < 0;
    }
    if (n > 0) {
        SAY(c->found,
            curves_has_accuracy(r, "builtin") ? " points of accuracy." : " of target loss.");
    }
    if (!claims_enough(c, seeds)) {
        return;
    }
    if (gains == tried && tried > 0) {
        claims_say(c, PAGE_HOLDS, NULL);
    } else if (gains > 0) {
        claims_say(c, PAGE_DEPENDS, "holds at some ratios");
    } else {
        claims_say(c, losses == tried ? PAGE_FAILS : PAGE_OPEN,
                   losses == tried ? NULL : "open: within seed noise");
    }
}

static inline void verdict_weak(findings *r) {
    const data_group *list[SWEEP_MOST], *plain = sweep_plain(r, "builtin", "weak");
    size_t n = sweep_collect(r, "builtin", "weak", "slm", 1, list), seeds = 0, least = 0;
    char words[64];
    claim *c = claims_add(r, "weak-to-strong", NULL, "weak",
                          "A reference much smaller than the model still guides it",
                          "+0.9 points with a reference of 0.16 times the size",
                          "the gain with the small reference is within seed noise");
    for (size_t i = n; i-- > 0;) {
        estimate e = claims_gain(r, list[i], plain);
        char before[64];
        seeds = e.n > seeds ? e.n : seeds;
        snprintf(before, sizeof before, "%s%.3g times the size: ",
                 i + 1 == n ? "Better than plain by, reference of " : "; ", list[i]->size);
        claims_number(c, before, &e, curves_has_accuracy(r, "builtin") ? 1 : 4, "");
        snprintf(before, sizeof before, "%.3gx: ", list[i]->size);
        claims_brief(c, before, &e, curves_has_accuracy(r, "builtin") ? 1 : 3, "");
        if (stats_side(&e, 0) > 0 && least == n - 1 - i) {
            least++;
        }
    }
    if (n > 0) {
        SAY(c->found,
            curves_has_accuracy(r, "builtin") ? " points of accuracy." : " of target loss.");
    }
    if (!claims_enough(c, seeds)) {
        return;
    }
    snprintf(words, sizeof words, "holds from %.3g times the size",
             least > 0 ? list[n - least]->size : 0);
    claims_say(c,
               least == n  ? PAGE_HOLDS
               : least > 0 ? PAGE_DEPENDS
                           : PAGE_FAILS,
               least == n || least == 0 ? NULL : words);
}

static inline estimate verdict_auc(const findings *r, const char *arm) {
    const data_group *g = data_find(&r->d, "builtin", "main", arm);
    double mean[STATS_SEEDS];
    for (size_t k = 0; k < g->n; k++) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < g->run[k].n; i++) {
            double v = data_at(&r->d, &g->run[k], i, AUC);
            if (isfinite(v)) {
                sum += v;
                n++;
            }
        }
        mean[k] = n > 0 ? sum / n : NAN;
    }
    return stats_estimate(mean, g->n);
}

static inline void verdict_mechanism(findings *r) {
    estimate slm = verdict_auc(r, "slm"), loss = verdict_auc(r, "loss");
    claim *c = claims_add(r, "mechanism", NULL, "main",
                          "Excess loss ranks noise low; the model's own loss ranks it high",
                          "shown on coloured text only",
                          "the area under the curve (useful tokens above noise) is about 0.5");
    claims_brief(c, "AUC ", &slm, 3, "");
    claims_brief(c, "own loss ", &loss, 3, "");
    claims_number(c, "AUC over training: excess loss ", &slm, 3, "");
    claims_number(c, ", highest own loss ", &loss, 3, ".");
    if (!claims_enough(c, slm.n)) {
        return;
    }
    int a = stats_side(&slm, 0.5), b = loss.n == 0 ? -1 : stats_side(&loss, 0.5);
    if (a > 0 && b < 0) {
        claims_say(c, PAGE_HOLDS, NULL);
    } else if (a > 0) {
        claims_say(c, PAGE_DEPENDS,
                   b > 0 ? "in part: own loss ranks it low too" : "holds for excess loss");
    } else {
        claims_say(c, a < 0 ? PAGE_FAILS : PAGE_OPEN, a < 0 ? NULL : "open: within seed noise");
    }
}

/* Holds when: the least noise from which on, at the best ratio of each row, selection is at least twice as soon. */
static inline void verdict_map(findings *r) {
    map_grid m = curves_grid(r);
    size_t seeds = 0, cells = 0, good = 0, from = m.n_noise;
    double best_of[MAP_MOST];
    char words[80];
    claim *c = claims_add(
        r, "map", NULL, "map", "The speed-up does not hang on one setting of noise and ratio",
        "one corpus, one ratio per model size", "it is found in a corner of the map only");
    for (size_t i = 0; i < m.n_noise; i++) {
        best_of[i] = 0;
        for (size_t j = 0; j < m.n_ratio * m.n_target; j++) {
            sooner s = curves_map_cell(r, m.noise[i], m.target[j / m.n_ratio],
                                       m.ratio[j % m.n_ratio], TARGET_LOSS);
            if (s.seeds == 0) {
                continue;
            }
            seeds = s.seeds > seeds ? s.seeds : seeds;
            cells++;
            good += s.e.value >= 2;
            if (s.e.value > best_of[i]) {
                best_of[i] = s.e.value;
            }
        }
    }
    while (from > 0 && best_of[from - 1] >= 2) {
        from--;
    }
    if (cells > 0) {
        SAY(c->brief, "twice as soon in %zu of %zu settings", good, cells);
        SAY(c->found,
            "At least twice as soon by loss in %zu of %zu settings.  Best ratio of each noise "
            "share:",
            good, cells);
        for (size_t i = 0; i < m.n_noise; i++) {
            SAY(c->found, "%s %.0f%%: ", i == 0 ? "" : ",", 100 * m.noise[i]);
            SAY(c->found, best_of[i] > 0 ? "%.1fx" : "never", best_of[i]);
        }
        SAY(c->found, ".");
    }
    if (cells == 0) {
        (void)claims_enough(c, 0);
        return;
    }
    snprintf(words, sizeof words,
             from < m.n_noise ? "holds when noise is %.0f%% or more" : "holds when: see the map",
             100 * m.noise[from < m.n_noise ? from : 0]);
    if (good == cells) {
        claims_say(c, PAGE_HOLDS, NULL);
    } else {
        claims_say(c, good == 0 ? PAGE_FAILS : PAGE_DEPENDS, good == 0 ? NULL : words);
    }
}
#endif
