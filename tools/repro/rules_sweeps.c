/* rules_sweeps.c: the same comparison over a sweep: of clean text, ratios, references, text,
 * sizes. */
#include <math.h>
#include "rules.h"

/* Adds the two tests of "a ends better than b", and one of several differences to the text:
   "LEADNAME: loss -0.05 [-0.06, -0.04], accuracy 3.1 [2.0, 4.2] points". */
static void add_entry(claim *c, const char *lead, const char *name, const data_group *a,
                      const data_group *b) {
    estimate loss = data_difference(a, b, TARGET_LOSS);
    estimate points = stats_scale(data_difference(a, b, TARGET_ACCURACY), 100);
    if (loss.n == 0) return;
    SAY(c->found, "%s%s: loss ", c->found[0] == '\0' ? lead : "; ", name);
    claim_number(c, "", loss, 4, "");
    claim_number(c, ", accuracy ", points, 1, " points");
    claim_brief(c, make_text("%s: loss ", name), loss, 3, "");
    if (points.n > 0) SAY(c->brief, ", accuracy %.1f", points.value);
    claim_test(c, loss, 0, BELOW);
    claim_test(c, points, 0, ABOVE);
}

static void end_entries(claim *c) {
    if (c->found[0] != '\0') SAY(c->found, ".");
    claim_judge(c);
}

void rule_less_clean(claim *c) {
    const data_list sizes = data_clean_sizes(c->data);
    for (size_t i = 0; i < sizes.n; i++)
        add_entry(c, "Differences, with clean text of ", make_text("%.0f kB", sizes.x[i] / 1000),
                  data_find_clean(c->data, c->row->a, sizes.x[i]),
                  data_find_clean(c->data, c->row->b, sizes.x[i]));
    end_entries(c);
}

static size_t sweep_of(const claim *c, const data_group **list) {
    return data_sweep(c->data, c->row->set, c->row->a, list);
}

/* At every ratio of 60 to 90% the reference of the noisy corpus itself gives a gain. */
void rule_self(claim *c) {
    const data_group *list[MAX_SWEEP];
    const data_group *plain = data_find_plain(c->data, c->row->set);
    size_t n = sweep_of(c, list);
    for (size_t i = 0; i < n; i++)
        if (list[i]->ratio > 0.599 && list[i]->ratio < 0.901)
            add_entry(c, "Against plain training, ", make_text("at %.0f%%", 100 * list[i]->ratio),
                      list[i], plain);
    end_entries(c);
}

/* Every reference that is smaller than the model gives a gain. */
void rule_weak(claim *c) {
    const data_group *list[MAX_SWEEP];
    const data_group *plain = data_find_plain(c->data, c->row->set);
    size_t n = sweep_of(c, list);
    for (size_t i = 0; i < n; i++)
        if (list[i]->size < 0.9)
            add_entry(c, "Against plain training, reference of ",
                      make_text("%.3g times the size", list[i]->size), list[i], plain);
    end_entries(c);
}

/* ---- the ratio ---- */
/* Of the ratios between the ends, the one with the lowest loss on the valid part; the target has
   no say in it. */
static size_t best_between(const data_group *const *list, size_t n) {
    size_t best = 1;
    for (size_t i = 2; i + 1 < n; i++)
        if (data_mean_end(list[i], VALID_LOSS) < data_mean_end(list[best], VALID_LOSS)) best = i;
    return best;
}

void rule_figure9(claim *c) {
    const data_group *list[MAX_SWEEP];
    size_t n = sweep_of(c, list);
    if (n >= 3) {
        const data_group *best = list[best_between(list, n)];
        const char *name = make_text("%.0f%% of the tokens", 100 * best->ratio);
        SAY(c->brief, "chosen %.0f%%", 100 * best->ratio);
        const char *fewest = make_text("%s against %.0f%%", name, 100 * list[0]->ratio);
        const char *most = make_text("%s against %.0f%%", name, 100 * list[n - 1]->ratio);
        add_entry(c, "By the valid part ", fewest, best, list[0]);
        add_entry(c, "", most, best, list[n - 1]);
    }
    end_entries(c);
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
        claim_judge(c);
        return;
    }
    SAY(c->found, "The final target loss is the same in %zu of %zu seeds.", exact, pairs);
    SAY(c->brief, "%zu of %zu seeds", exact, pairs);
    claim_judge_exact(c, exact == pairs);
}

/* ---- more text ---- */
/* Plain training needs at least row->level times the tokens. */
void rule_multiplier(claim *c) {
    static const data_column metrics[2] = {TARGET_LOSS, TARGET_ACCURACY};
    static const char *const names[2] = {"loss", "accuracy"};
    for (int i = 0; i < 2; i++) {
        sooner s = data_multiplier(c->data, metrics[i]);
        if (s.seeds == 0) continue;
        SAY(c->found, "%sBy %s plain training comes there with ", i > 0 ? "  " : "", names[i]);
        claim_number(c, "", s.e, 1, " times the tokens");
        SAY(c->found, " (%zu of %zu seeds do; the others count as the most that was tried).",
            s.reached, s.seeds);
        claim_brief(c, make_text("by %s ", names[i]), s.e, 1, "x");
        if (s.reached < s.seeds) SAY(c->brief, " (%zu of %zu come there)", s.reached, s.seeds);
        claim_test(c, s.logs, log(c->row->level), ABOVE);
    }
    claim_judge(c);
}

/* ---- labels, remedies ---- */
static const data_group *with_wrong(const data *d, const char *arm, double wrong) {
    const data_group *g = NULL;
    while ((g = data_next(d, g, "labels", "labels", arm)) != NULL)
        if (fabs(g->wrong - wrong) < 1e-9) return g;
    return data_find(d, "", "", "");
}

/* At every share of wrong results row->a ends ahead of row->b. */
void rule_labels(claim *c) {
    const data_group *g = NULL;
    while ((g = data_next(c->data, g, "labels", "labels", c->row->a)) != NULL)
        add_entry(c, make_text("Against %s, with ", c->row->b),
                  make_text("%.0f%% wrong", 100 * g->wrong), g,
                  with_wrong(c->data, c->row->b, g->wrong));
    end_entries(c);
}

/* Row->a ends ahead of selective training on the facts, on the built-in corpus, and on real text
   where it was run there. */
void rule_remedy(claim *c) {
    static const char *const where[4][2] = {{"facts", "main"},
                                            {"builtin", "remedies"},
                                            {"openstax", "documents"},
                                            {"gsm8k", "documents"}};
    for (int i = 0; i < 4; i++) {
        const data_group *remedy = data_find(c->data, where[i][0], where[i][1], c->row->a);
        const data_group *slm = data_find(c->data, where[i][0], where[i][1], "slm");
        add_entry(c, "Against selective training, ",
                  make_text("on %s", corpus_name(where[i][0], IN_SENTENCE)), remedy, slm);
    }
    end_entries(c);
}

/* ---- larger models ---- */
static const data_group *plain_of_size(const data *d, double size) {
    const data_group *list[MAX_SWEEP];
    size_t n = data_sweep(d, "sizes", "clm", list);
    for (size_t i = 0; i < n; i++)
        if (fabs(list[i]->size - size) < 1e-9) return list[i];
    return data_find(d, "", "", "");
}

/* At every size selective training ends ahead of plain training on the same tokens. */
void rule_sizes(claim *c) {
    const data_group *list[MAX_SWEEP];
    size_t n = sweep_of(c, list);
    for (size_t i = 0; i < n; i++)
        add_entry(c, "Against plain training, with ",
                  make_text("%.2g million weights", list[i]->size), list[i],
                  plain_of_size(c->data, list[i]->size));
    end_entries(c);
}
