/* repro_report_limits.h: "when it does not help", found in the data; the table of all arms.  Part of repro_report.h. */
#ifndef REPRO_REPORT_LIMITS_H
#define REPRO_REPORT_LIMITS_H
#include "repro_report_verdicts.h"

/* ---- when it does not help ---- */
static inline void limits_item(findings *r, size_t *n, const char *text) {
    if ((*n)++ == 0) page_list_begin(&r->page);
    page_list_item(&r->page, text);
}

/* An arm that ends at least as well as selective training, as far as the seeds can tell. */
static inline void limits_arm(findings *r, size_t *n, const char *corpus, const char *set,
                              const char *a, const char *b, const char *sentence) {
    const data_group *ga = data_find(&r->d, corpus, set, a), *gb = data_find(&r->d, corpus, set, b);
    estimate e = data_difference(&r->d, ga, gb, TARGET_LOSS);
    char text[600] = "";
    if (e.n == 0 || stats_side(&e, 0) < 0 || (e.n < CLAIMS_SEEDS && e.value < 0)) {
        return;
    }
    SAY(text, "%s: ", draw_corpus_name(corpus, 1));
    SAY(text, "%s Target loss %.3f against %.3f", sentence, data_mean_end(&r->d, ga, TARGET_LOSS),
        data_mean_end(&r->d, gb, TARGET_LOSS));
    if (e.n > 1) {
        SAY(text, ", difference %.4f [%.4f, %.4f]", e.value, e.low, e.high);
    }
    SAY(text, e.n == 1 ? " (one seed)." : stats_side(&e, 0) > 0 ? "." : ": within seed noise.");
    limits_item(r, n, text);
}

static inline void limits_map(findings *r, size_t *n) {
    map_grid m = curves_grid(r);
    char text[900] = "Settings of the map in which it is less than 1.5 times as soon by loss:";
    size_t bad = 0;
    for (size_t k = 0; k < m.n_target; k++) {
        for (size_t i = 0; i < m.n_noise; i++) {
            for (size_t j = 0; j < m.n_ratio; j++) {
                sooner s = curves_map_cell(r, m.noise[i], m.target[k], m.ratio[j], TARGET_LOSS);
                if (s.seeds == 0 || s.e.value >= 1.5) {
                    continue;
                }
                SAY(text, bad++ == 0 ? " " : "; ");
                if (m.n_target > 1) {
                    SAY(text, "target %.0f%%, ", 100 * m.target[k]);
                }
                SAY(text, "noise %.0f%%, keep %.0f%%: ", 100 * m.noise[i], 100 * m.ratio[j]);
                SAY(text, isfinite(s.e.value) ? "%.1fx" : "never", s.e.value);
            }
        }
    }
    SAY(text, ".");
    if (bad > 0) {
        limits_item(r, n, text);
    }
}

static inline void limits_ratios(findings *r, size_t *n) {
    const data_group *list[SWEEP_MOST], *plain = sweep_plain(r, "builtin", "ratio");
    size_t count = sweep_collect(r, "builtin", "ratio", "slm", 0, list), bad = 0;
    char text[400] = "Ratios that do not end below plain training's target loss:";
    for (size_t i = 0; i < count; i++) {
        estimate e = data_difference(&r->d, list[i], plain, TARGET_LOSS);
        if (list[i]->ratio > 0.999 || e.n == 0 || stats_side(&e, 0) < 0) {
            continue;
        }
        SAY(text, "%s %.0f%%", bad++ == 0 ? "" : ",", 100 * list[i]->ratio);
    }
    SAY(text, ".");
    if (bad > 0) {
        limits_item(r, n, text);
    }
}

static inline void limits_section(findings *r) {
    static const char *const corpora[] = {"builtin", "openstax", "gsm8k", "user"};
    size_t n = 0;
    page_section(&r->page, "When it does not help",
                   "Worked out from the same numbers: every comparison in which selective "
                   "training is not better, or not "
                   "to be told apart from something simpler.");
    for (size_t i = 0; i < sizeof corpora / sizeof corpora[0]; i++) {
        const char *c = corpora[i];
        char text[300] = "";
        sooner cost = data_sooner(&r->d, data_find(&r->d, c, "main", "slm"),
                                  data_find(&r->d, c, "main", "clm"), FLOPS_ALL, TARGET_LOSS);
        limits_arm(r, &n, c, "main", "slm", "clm", "plain training ends at least as well.");
        limits_arm(r, &n, c, "main", "slm", "reference",
                   "the reference itself, tuned on the clean text alone, is at least as "
                   "good: with that much clean text, tune on it.");
        limits_arm(r, &n, c, "main", "slm", "mixed",
                   "mixing the clean text into plain training is at least as good.");
        limits_arm(r, &n, c, "main", "slm", "clm_tuned",
                   "plain training followed by the clean text, at equal total tokens, is at "
                   "least as good.");
        limits_arm(r, &n, c, "main", "slm_tuned", "clm_tuned",
                   "once both are tuned on the clean text, nothing is left of the "
                   "lead.");
        limits_arm(r, &n, c, "main", "slm_tuned", "reference",
                   "even tuned on the clean text afterwards it does not pass the "
                   "reference.");
        limits_arm(r, &n, c, "main", "slm", "filtered",
                   "taking out known noise beforehand is at least as good.");
        limits_arm(r, &n, c, "main", "slm", "random", "random selection ends at least as well.");
        limits_arm(r, &n, c, "control", "slm", "clm",
                   "on clean text of the target's own distribution there is nothing to gain "
                   "(the negative control).");
        limits_arm(r, &n, c, "scratch", "slm", "clm",
                   "from scratch, without a base, plain training ends at least as well.");
        limits_arm(r, &n, c, "main", "null_reference", "clm",
                   "with the starting model as its own reference plain training ends at "
                   "least as well.");
        if (cost.seeds > 0 && !(cost.e.value > 1)) {
            SAY(text, "%s: counting the arithmetic of reference and scoring, it is not sooner.",
                draw_corpus_name(c, 1));
            limits_item(r, &n, text);
        }
        estimate all = data_difference(&r->d, data_find(&r->d, c, "main", "slm"),
                                       data_find(&r->d, c, "main", "clm"), FIXED_ALL);
        if (all.n > 0 && all.value > 0) {
            text[0] = '\0';
            SAY(text,
                "%s: by the loss on all tokens of the noisy corpus it is worse than plain "
                "training, by %.3f.  That is its "
                "point, and who judges by "
                "that number will find that it fails.",
                draw_corpus_name(c, 1), all.value);
            limits_item(r, &n, text);
        }
    }
    limits_ratios(r, &n);
    limits_map(r, &n);
    if (n > 0) {
        page_list_end(&r->page);
    } else {
        page_text(&r->page, "No such comparison was found among those that were run.");
    }
}

/* ---- all arms ---- */
static inline void limits_cell(char *text, size_t size, const estimate *e, double scale,
                               int digits) {
    *text = '\0';
    if (e->n == 0) {
        draw_dash(text, size);
        return;
    }
    draw_say(text, size, "%.*f", digits, e->value * scale);
    if (e->n > 1) {
        draw_say(text, size, " \xC2\xB1 %.*f", digits, (e->t_high - e->value) * scale);
    }
}

static inline void limits_arms(findings *r, const char *corpus) {
    static const char *const header[8] = {"arm",         "seeds",         "rate",
                                          "target loss", "acc. %",        "sooner, by loss",
                                          "by accuracy", "all arithmetic"};
    static char cell[32 * 8][72];
    const char *cells[32 * 8];
    const data_group *list[32], *clm = data_find(&r->d, corpus, "main", "clm");
    size_t n = curves_main_groups(r, corpus, list, 32);
    char caption[400];
    for (size_t i = 0; i < n; i++) {
        const data_group *g = list[i];
        estimate loss = data_estimate_end(&r->d, g, TARGET_LOSS),
                 accuracy = data_estimate_end(&r->d, g, TARGET_ACCURACY);
        char(*c)[72] = &cell[i * 8];
        (void)draw_label(c[0], sizeof c[0], g);
        snprintf(c[1], sizeof c[1], "%zu", g->n);
        if (isfinite(g->run[0].lr)) {
            snprintf(c[2], sizeof c[2], "%g", g->run[0].lr);
        } else {
            draw_dash(c[2], sizeof c[2]);
        }
        limits_cell(c[3], sizeof c[3], &loss, 1, 3);
        limits_cell(c[4], sizeof c[4], &accuracy, 100, 1);
        for (size_t j = 0; j < 3; j++) {
            sooner s = data_sooner(&r->d, g, clm, j == 2 ? FLOPS_ALL : TOKENS,
                                   j == 1 ? TARGET_ACCURACY : TARGET_LOSS);
            if (curves_is_measure(g)) {
                draw_dash(c[5 + j], sizeof c[5 + j]);
            } else if (s.seeds > 0 && !isfinite(s.e.value)) {
                snprintf(c[5 + j], sizeof c[5 + j], "<1x");
            } else {
                (void)curves_sooner_text(c[5 + j], sizeof c[5 + j], &s, 1);
            }
        }
        for (size_t j = 0; j < 8; j++) {
            cells[i * 8 + j] = c[j];
        }
    }
    snprintf(
        caption, sizeof caption,
        "%s.  At the end: mean and half the 95%% interval (Student's t).  Sooner: geometric mean, "
        "95%% bootstrap interval over paired "
        "seeds; <1x: most seeds never pass plain training's end; all arithmetic: by loss, "
        "reference and scoring counted.",
        draw_corpus_name(corpus, 1));
    page_table(&r->page, caption, header, 8, cells, n);
}
#endif
