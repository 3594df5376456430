/* rules_sweeps.c: the same comparison over a sweep: of clean text, ratios, references. */
#include "rules.h"

/* One of several differences: "LEADNAME: 0.05 [0.04, 0.06]", or after the first "; NAME: ...".
   The brief text has its own name and, unless there is one only, a digit less. */
static void say_entry(claim *c, const char *lead, const char *name, const char *brief, estimate e,
                      int digits) {
    const char *before = c->found[0] == '\0' ? lead : "; ";
    claim_number(c, make_text("%s%s: ", before, name), e, digits, "");
    claim_brief(c, make_text("%s: ", brief), e, digits == 1 ? 1 : digits - 1, "");
}

/* At which amounts of clean text tuning on it afterwards does not close the gap. */
void rule_less_clean(claim *c) {
    const data_list sizes = data_clean_sizes(c->data);
    size_t ahead = 0, behind = 0, seeds = 0;
    char words[80] = "holds at";
    for (size_t i = 0; i < sizes.n; i++) {
        estimate e = data_difference(data_find_clean(c->data, c->row->a, sizes.x[i]),
                                     data_find_clean(c->data, c->row->b, sizes.x[i]), TARGET_LOSS);
        const char *name = make_text("%.0f kB", sizes.x[i] / 1000);
        side where = stats_side(e, 0);
        say_entry(c, "Difference of the target losses, with clean text of ", name, name, e, 4);
        seeds = e.n > seeds ? e.n : seeds;
        behind += where == ABOVE;
        if (where == BELOW) SAY(words, "%s %s", ahead++ > 0 ? "," : "", name);
    }
    if (sizes.n > 0) SAY(c->found, ".");
    claim_decide(c, seeds, ahead == sizes.n, ahead > 0, words, behind > 0);
}

static size_t sweep_of(const claim *c, const data_group **list) {
    return data_sweep(c->data, c->row->set, c->row->a, list);
}

/* What a group of the sweep gains over plain training. */
static estimate say_gain(claim *c, const data_group *g, const char *lead, const char *name,
                         const char *brief) {
    estimate e = data_gain(g, data_find_plain(c->data, c->row->set));
    say_entry(c, lead, name, brief, e, data_has_accuracy(c->data, "builtin") ? 1 : 4);
    return e;
}

static void say_gain_unit(claim *c) {
    SAY(c->found,
        data_has_accuracy(c->data, "builtin") ? " points of accuracy." : " of target loss.");
}

/* The ratios of 60 to 90% at which the reference of the noisy corpus itself gives a gain. */
void rule_self(claim *c) {
    const data_group *list[MAX_SWEEP];
    size_t n = sweep_of(c, list);
    size_t seeds = 0, gains = 0, losses = 0, tried = 0;
    for (size_t i = 0; i < n; i++) {
        const char *name = make_text("at %.0f%%", 100 * list[i]->ratio);
        estimate e = say_gain(c, list[i], "Better than plain by, ", name, name);
        seeds = e.n > seeds ? e.n : seeds;
        if (list[i]->ratio < 0.599 || list[i]->ratio > 0.901) continue;
        tried++;
        gains += stats_side(e, 0) == ABOVE;
        losses += stats_side(e, 0) == BELOW;
    }
    if (n > 0) say_gain_unit(c);
    claim_decide(c, seeds, gains == tried && tried > 0, gains > 0, "holds at some ratios",
                 losses == tried);
}

/* From which size on, going down from the largest, references give a gain. */
void rule_weak(claim *c) {
    const data_group *list[MAX_SWEEP];
    size_t n = sweep_of(c, list);
    size_t seeds = 0, good = 0;
    const char *words = NULL;
    for (size_t i = 0; i < n; i++) {
        const data_group *g = list[n - 1 - i];
        estimate e = say_gain(c, g, "Better than plain by, reference of ",
                              make_text("%.3g times the size", g->size),
                              make_text("%.3gx", g->size));
        seeds = e.n > seeds ? e.n : seeds;
        if (stats_side(e, 0) != ABOVE || good != i) continue;
        words = make_text("holds from %.3g times the size", g->size);
        good++;
    }
    if (n > 0) say_gain_unit(c);
    claim_decide(c, seeds, good == n, good > 0, words, good == 0);
}

/* ---- the ratio ---- */
void rule_figure9(claim *c) {
    const data_group *list[MAX_SWEEP];
    size_t n = sweep_of(c, list);
    size_t best = 0;
    double loss[MAX_SWEEP], percent[MAX_SWEEP];
    for (size_t i = 0; i < n; i++) {
        loss[i] = data_mean_end(list[i], TARGET_LOSS);
        percent[i] = 100 * list[i]->ratio;
        if (loss[i] < loss[best]) best = i;
    }
    if (n == 0) {
        (void)claim_has_seeds(c, 0);
        return;
    }
    estimate low = data_difference(list[best], list[0], TARGET_LOSS);
    estimate high = data_difference(list[best], list[n - 1], TARGET_LOSS);
    SAY(c->brief, "best at %.0f%% (%.0f to %.0f%% tried)", percent[best], percent[0],
        percent[n - 1]);
    SAY(c->found, "Lowest target loss at %.0f%%: %.4f; at %.0f%% %.4f, at %.0f%% %.4f.",
        percent[best], loss[best], percent[0], loss[0], percent[n - 1], loss[n - 1]);
    if (!claim_has_seeds(c, high.n) || n < 3) return;
    if (best == 0)
        claim_say(c, PAGE_FAILS, "does not hold: fewest is best");
    else if (best + 1 == n)
        claim_say(c, PAGE_FAILS, "does not hold: all is best");
    else
        claim_decide(c, high.n, stats_side(low, 0) == BELOW && stats_side(high, 0) == BELOW, 0,
                     NULL, 0);
}

void rule_ratio_one(claim *c) {
    const data_group *list[MAX_SWEEP];
    const data_group *plain = data_find_plain(c->data, c->row->set);
    size_t n = sweep_of(c, list);
    size_t exact = 0, pairs = 0;
    const data_group *whole = n > 0 && list[n - 1]->ratio > 0.999 ? list[n - 1] : NULL;
    for (size_t k = 0; whole != NULL && k < whole->n; k++) {
        const data_run *pair = data_seed(plain, whole->run[k].seed);
        if (pair == NULL) continue;
        pairs++;
        exact += run_end(pair, TARGET_LOSS) == run_end(&whole->run[k], TARGET_LOSS);
    }
    if (pairs == 0) {
        (void)claim_has_seeds(c, 0);
        return;
    }
    SAY(c->found, "The final target loss is the same in %zu of %zu seeds.", exact, pairs);
    SAY(c->brief, "%zu of %zu seeds", exact, pairs);
    claim_say(c, exact == pairs ? PAGE_HOLDS : PAGE_FAILS, NULL);
}
