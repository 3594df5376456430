/* repro_report_claims.h: each claim's verdict, worked out from the numbers by a rule.  Part of repro_report.h.
 *
 * The rules need three seeds; with fewer a claim is open.  "Better" or "above" means that both 95% intervals (bootstrap and
 * Student's t, over paired seeds) lie on that side; where they do not, the claim is open: within seed noise. */
#ifndef REPRO_REPORT_CLAIMS_H
#define REPRO_REPORT_CLAIMS_H
#include "repro_report_sweeps.h"

enum { CLAIMS_SEEDS = 3 };

#define CLAIMS_GOAL 5.0     /* times sooner */
#define CLAIMS_GOAL_LOW 3.0 /* the interval's lower end */

static inline claim *claims_add(findings *r, const char *id, const char *corpus, const char *set,
                                const char *title, const char *paper, const char *falsifier) {
    static claim spare;
    claim *c = r->n_claims < CLAIMS_MOST ? &r->claims[r->n_claims++] : &spare;
    memset(c, 0, sizeof *c);
    snprintf(c->id, sizeof c->id, "%s%s%s", id, corpus == NULL ? "" : "-",
             corpus == NULL ? "" : corpus);
    snprintf(c->title, sizeof c->title, "%s", title);
    snprintf(c->paper, sizeof c->paper, "%s", paper);
    snprintf(c->falsifier, sizeof c->falsifier, "%s", falsifier);
    snprintf(c->set, sizeof c->set, "%s", set);
    c->verdict = PAGE_OPEN;
    c->part = r->part;
    return c;
}

static inline void claims_say(claim *c, page_verdict verdict, const char *words) {
    static const char *const names[] = {"holds", "does not hold", "holds in part", "open"};
    c->verdict = verdict;
    snprintf(c->words, sizeof c->words, "%s", words != NULL ? words : names[verdict]);
}

/* 1: there are seeds enough for a verdict; else the claim stays open and says why. */
static inline int claims_enough(claim *c, size_t seeds) {
    if (seeds >= CLAIMS_SEEDS) {
        return 1;
    }
    claims_say(c, PAGE_OPEN,
               seeds == 0   ? "open: not measured"
               : seeds == 1 ? "open: one seed"
                            : "open: two seeds");
    if (seeds == 0) {
        SAY(c->found, "%sNot measured in this run of make repro.", c->found[0] ? "  " : "");
    }
    return 0;
}

/* "0.052 [0.041, 0.060]" */
static inline void claims_number(claim *c, const char *before, const estimate *e, int digits,
                                 const char *after) {
    char text[3][32];
    if (e->n == 0) {
        return;
    }
    SAY(c->found, "%s%s", before, draw_fixed(text[0], sizeof text[0], e->value, digits));
    if (e->n > 1) {
        SAY(c->found, " [%s, %s]", draw_fixed(text[1], sizeof text[1], e->low, digits),
            draw_fixed(text[2], sizeof text[2], e->high, digits));
    }
    SAY(c->found, "%s", after);
}

/* The same, into the brief text, at most 160 bytes of it. */
static inline void claims_brief(claim *c, const char *before, const estimate *e, int digits,
                                const char *after) {
    char text[3][32];
    if (e->n == 0) {
        return;
    }
    SAY(c->brief, "%s%s%s", c->brief[0] ? "; " : "", before,
        draw_fixed(text[0], sizeof text[0], e->value, digits));
    if (e->n > 1) {
        SAY(c->brief, " [%s, %s]", draw_fixed(text[1], sizeof text[1], e->low, digits),
            draw_fixed(text[2], sizeof text[2], e->high, digits));
    }
    SAY(c->brief, "%s", after);
}

static inline void claims_sooner_words(claim *c, const char *before, const sooner *s) {
    char text[120];
    SAY(c->found, "%s%s", before, curves_sooner_text(text, sizeof text, s, 2));
}

/* ---- F1: sooner ---- */
static inline void claims_sooner(findings *r, const char *corpus, data_column y) {
    int accuracy = y == TARGET_ACCURACY;
    const data_group *clm = data_find(&r->d, corpus, "main", "clm"),
                     *slm = data_find(&r->d, corpus, "main", "slm");
    sooner s = data_sooner(&r->d, slm, clm, TOKENS, y),
           random = data_sooner(&r->d, data_find(&r->d, corpus, "main", "random"), clm, TOKENS, y);
    sooner loss = data_sooner(&r->d, data_find(&r->d, corpus, "main", "loss"), clm, TOKENS, y);
    char title[200], label[64], words[64];
    snprintf(title, sizeof title,
             "On %s, selective training passes plain training's final target %s in at least five "
             "times fewer "
             "tokens",
             draw_corpus_name(corpus, 0), accuracy ? "accuracy" : "loss");
    claim *c = claims_add(
        r, accuracy ? "sooner-accuracy" : "sooner", corpus, "main", title,
        "10x (1.1B) and 5x (7B) by accuracy, one run each; from its curves 13x and 4.8x",
        "the interval of N reaches below 3, or random or highest-loss selection is as soon");
    if (s.seeds > 0 || s.at_once > 0) {
        SAY(c->found, "%s: ", draw_label(label, sizeof label, slm));
    }
    if (s.seeds > 0) {
        claims_sooner_words(c, "", &s);
        (void)curves_sooner_text(c->brief, sizeof c->brief, &s, 1);
        if (isfinite(s.e.t_low)) {
            SAY(c->found, " (Student's t: [%.2f, %.2f])", s.e.t_low, s.e.t_high);
        }
        SAY(c->found, ", %zu seed%s.", s.seeds, s.seeds == 1 ? "" : "s");
    } else if (s.at_once > 0) {
        SAY(c->found, "plain training ends no better than it began, so that there is nothing to be "
                      "sooner than.");
        claims_say(c, PAGE_OPEN, "open: plain does not improve");
        return;
    }
    if (random.seeds > 0) {
        claims_sooner_words(c, "  Random: ", &random);
        SAY(c->found, ".");
    }
    if (loss.seeds > 0) {
        claims_sooner_words(c, "  Highest own loss: ", &loss);
        SAY(c->found, ".");
    }
    if (!claims_enough(c, s.seeds)) {
        return;
    }
    int control = (isfinite(random.e.value) && !(random.e.high < s.e.low)) ||
                  (isfinite(loss.e.value) && !(loss.e.high < s.e.low));
    if (!isfinite(s.e.value) || s.e.value <= 1 || control) {
        claims_say(c, PAGE_FAILS, NULL);
        return;
    }
    if (s.e.value >= CLAIMS_GOAL && stats_side(&s.e, CLAIMS_GOAL_LOW) > 0) {
        claims_say(c, PAGE_HOLDS, NULL);
        return;
    }
    if (stats_side(&s.e, 1) > 0) {
        snprintf(words, sizeof words,
                 s.e.value >= CLAIMS_GOAL ? "holds at %.1fx loosely" : "holds at %.1fx only",
                 s.e.value);
        claims_say(c, PAGE_DEPENDS, words);
        return;
    }
    claims_say(c, PAGE_OPEN, "open: within seed noise");
}

static inline void claims_cost(findings *r, const char *corpus) {
    const data_group *clm = data_find(&r->d, corpus, "main", "clm"),
                     *slm = data_find(&r->d, corpus, "main", "slm");
    sooner s = data_sooner(&r->d, slm, clm, FLOPS_ALL, TARGET_LOSS);
    char title[200];
    snprintf(title, sizeof title,
             "On %s it is still sooner when the reference and the scoring are counted",
             draw_corpus_name(corpus, 0));
    claim *c = claims_add(r, "cost", corpus, "main", title,
                          "left out of its figures; worked out from its settings: about 5x "
                          "(1.1B) and 2.7x (7B)",
                          "plain training, given all of that arithmetic, is as far");
    if (s.seeds > 0) {
        claims_sooner_words(c, "In arithmetic with reference and scoring: ", &s);
        SAY(c->found, ".");
        (void)curves_sooner_text(c->brief, sizeof c->brief, &s, 1);
    }
    if (!claims_enough(c, s.seeds)) {
        return;
    }
    if (!isfinite(s.e.value) || stats_side(&s.e, 1) < 0) {
        claims_say(c, PAGE_FAILS, NULL);
        return;
    }
    claims_say(c, stats_side(&s.e, 1) > 0 ? PAGE_HOLDS : PAGE_OPEN,
               stats_side(&s.e, 1) > 0 ? NULL : "open: within seed noise");
}

/* ---- one arm against another ---- */
/* By how much g ends better than other: accuracy points where there is accuracy, else target loss; above 0 is better. */
static inline estimate claims_gain(const findings *r, const data_group *g,
                                   const data_group *other) {
    estimate e = data_difference(&r->d, g, other, TARGET_ACCURACY), back;
    double scale = 100;
    if (e.n == 0) {
        e = data_difference(&r->d, g, other, TARGET_LOSS);
        scale = -1;
    }
    back = e;
    e.value = back.value * scale;
    e.low = (scale > 0 ? back.low : back.high) * scale;
    e.high = (scale > 0 ? back.high : back.low) * scale;
    e.t_low = (scale > 0 ? back.t_low : back.t_high) * scale;
    e.t_high = (scale > 0 ? back.t_high : back.t_low) * scale;
    return e;
}

/* Adds "target loss 0.41 against 0.44, lower by 0.03 [..]" and the same for accuracy.  Returns the difference of the losses. */
static inline estimate claims_compare(const findings *r, claim *c, const data_group *g,
                                      const data_group *other) {
    estimate loss = data_difference(&r->d, g, other, TARGET_LOSS),
             accuracy = data_difference(&r->d, g, other, TARGET_ACCURACY);
    char a[64], b[64];
    if (loss.n == 0) {
        return loss;
    }
    SAY(c->found, "%s%s ends at target loss %.3f, \"%s\" at %.3f", c->found[0] ? "  " : "",
        draw_label(a, sizeof a, g), data_mean_end(&r->d, g, TARGET_LOSS),
        draw_label(b, sizeof b, other), data_mean_end(&r->d, other, TARGET_LOSS));
    claims_number(c, ": difference ", &loss, 4, "");
    snprintf(a, sizeof a, " against %.50s", b);
    claims_brief(c, "loss ", &loss, 3, a);
    if (accuracy.n > 0) {
        estimate points = accuracy;
        points.value *= 100;
        points.low *= 100;
        points.high *= 100;
        claims_number(c, "; accuracy higher by ", &points, 1, " points");
    }
    SAY(c->found, " (%zu seed%s).", loss.n, loss.n == 1 ? "" : "s");
    return loss;
}

/* The claim "a ends at a lower target loss than b". */
static inline claim *claims_better(findings *r, const char *id, const char *corpus,
                                   const data_group *a, const data_group *b, const char *title,
                                   const char *paper, const char *falsifier) {
    claim *c = claims_add(r, id, corpus, "main", title, paper, falsifier);
    estimate e = claims_compare(r, c, a, b);
    if (!claims_enough(c, e.n)) {
        return c;
    }
    int side = stats_side(&e, 0);
    claims_say(c,
               side < 0   ? PAGE_HOLDS
               : side > 0 ? PAGE_FAILS
                          : PAGE_OPEN,
               side == 0 ? "open: within seed noise" : NULL);
    return c;
}

static inline void claims_controls(findings *r, const char *corpus) {
    const data_group *slm = data_find(&r->d, corpus, "main", "slm");
    char title[200];
    snprintf(
        title, sizeof title,
        "On %s it matters which tokens are kept: selection beats random-k and the highest own loss",
        draw_corpus_name(corpus, 0));
    claim *c = claims_add(r, "controls", corpus, "main", title, "no such arm in the paper",
                          "either of the two ends as well as selection by excess loss");
    estimate random = claims_compare(r, c, slm, data_find(&r->d, corpus, "main", "random"));
    estimate loss = claims_compare(r, c, slm, data_find(&r->d, corpus, "main", "loss"));
    size_t n = random.n < loss.n ? random.n : loss.n;
    if (!claims_enough(c, loss.n == 0 ? random.n : n)) {
        return;
    }
    int a = stats_side(&random, 0), b = loss.n == 0 ? a : stats_side(&loss, 0);
    claims_say(c,
               a < 0 && b < 0   ? PAGE_HOLDS
               : a > 0 || b > 0 ? PAGE_FAILS
                                : PAGE_OPEN,
               a < 0 && b < 0   ? NULL
               : a > 0 || b > 0 ? NULL
                                : "open: within seed noise");
}

/* What the clean text alone gives, and what knowing the noise gives. */
static inline void claims_clean(findings *r, const char *corpus) {
    static const struct {
        const char *id, *a, *b, *title, *falsifier;
    } list[] = {
        {"beats-mixing", "slm", "mixed",
         "selective training beats mixing the clean text into plain training",
         "plain training with the clean text mixed in ends as well"},
        {"beats-reference", "slm", "reference",
         "selective training beats the reference itself, tuned on the clean text alone",
         "the reference, which saw the clean text only, stands as well"},
        {"tuned-after", "slm_tuned", "clm_tuned",
         "after tuning both on the clean text, the selectively trained model is still "
         "ahead",
         "tuning on the clean text closes the gap at equal total tokens"},
        {"adds-to-clean", "slm_tuned", "reference",
         "selective training and then the clean text give more than the clean text "
         "alone",
         "the reference stands as well"},
        {"beyond-noise", "slm", "filtered",
         "the gain is more than noise removal: it beats plain training on the text without its "
         "noise",
         "plain training with the known noise taken out ends as well"}};

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        const data_group *a = data_find(&r->d, corpus, "main", list[i].a),
                         *b = data_find(&r->d, corpus, "main", list[i].b);
        char title[200];
        if (a->n == 0 || b->n == 0) {
            if (strcmp(corpus, "builtin") != 0) {
                continue;
            }
        }
        snprintf(title, sizeof title, "On %s, %s", draw_corpus_name(corpus, 0), list[i].title);
        (void)claims_better(r, list[i].id, corpus, a, b, title,
                            i == 2 ? "after the same tuning most of its gap closes: +2.2 "
                                     "points (1.1B, MATH)"
                                   : "no such arm in the paper",
                            list[i].falsifier);
    }
}

/* Where, over the amount of clean text, tuning on it afterwards does not close the gap. */
static inline void claims_less_clean(findings *r) {
    double sizes[SWEEP_MOST];
    size_t n = sweep_clean_sizes(r, sizes), ahead = 0, behind = 0, seeds = 0;
    char words[80] = "holds at";
    claim *c = claims_add(r, "less-clean-text", NULL, "clean",
                          "However much or little clean text there is, selection and then "
                          "clean text beats plain training and then clean text",
                          "not varied", "at some amount of clean text the two end alike");
    for (size_t i = 0; i < n; i++) {
        estimate e = data_difference(&r->d, sweep_clean_group(r, "slm_tuned", sizes[i]),
                                     sweep_clean_group(r, "clm_tuned", sizes[i]), TARGET_LOSS);
        char before[80];
        snprintf(before, sizeof before, "%s%.0f kB: ",
                 i == 0 ? "Difference of the target losses, with clean text of " : "; ",
                 sizes[i] / 1000);
        claims_number(c, before, &e, 4, "");
        snprintf(before, sizeof before, "%.0f kB: ", sizes[i] / 1000);
        claims_brief(c, before, &e, 3, "");
        seeds = e.n > seeds ? e.n : seeds;
        behind += stats_side(&e, 0) > 0;
        if (stats_side(&e, 0) < 0) {
            SAY(words, "%s %.0f kB", ahead++ > 0 ? "," : "", sizes[i] / 1000);
        }
    }
    if (n > 0) {
        SAY(c->found, ".");
    }
    if (!claims_enough(c, seeds)) {
        return;
    }
    claims_say(c,
               ahead == n   ? PAGE_HOLDS
               : ahead > 0  ? PAGE_DEPENDS
               : behind > 0 ? PAGE_FAILS
                            : PAGE_OPEN,
               ahead == n || (ahead == 0 && behind > 0) ? NULL
               : ahead > 0                              ? words
                                                        : "open: within seed noise");
}

static inline void claims_null(findings *r) {
    const data_group *slm = data_find(&r->d, "builtin", "main", "slm"),
                     *null = data_find(&r->d, "builtin", "main", "null_reference");
    (void)claims_better(r, "needs-reference", NULL, slm, null,
                        "The gain needs a reference that knows the target: the starting "
                        "model as reference does not give it",
                        "no such arm; two public failures had no reference of this kind",
                        "the starting model as reference does as well");
}

/* No gain is the right answer, and it takes seeds enough to say so: the whole interval must lie near zero. */
static inline void claims_negative(findings *r) {
    const data_group *slm = data_find(&r->d, "builtin", "control", "slm"),
                     *clm = data_find(&r->d, "builtin", "control", "clm");
    claim *c = claims_add(r, "negative-control", NULL, "control",
                          "On clean text of the target's own distribution selection brings "
                          "nothing",
                          "no such arm in the paper", "selection wins there: a leak or a bug");
    estimate e = claims_compare(r, c, slm, clm);
    estimate noisy = data_difference(&r->d, data_find(&r->d, "builtin", "main", "slm"),
                                     data_find(&r->d, "builtin", "main", "clm"), TARGET_LOSS);
    double little =
        noisy.value < 0 ? noisy.value / 4 : 0; /* a quarter of what it gains on the noisy corpus */
    if (e.n > 0) {
        SAY(c->found, "  On the noisy corpus the difference is %.4f.", noisy.value);
    }
    if (!claims_enough(c, e.n)) {
        return;
    }
    int wins = stats_side(&e, 0) < 0;
    if (wins) {
        claims_say(c, e.value < little ? PAGE_FAILS : PAGE_DEPENDS,
                   e.value < little ? NULL : "in part: a little");
    } else {
        claims_say(c, e.t_low > little ? PAGE_HOLDS : PAGE_OPEN,
                   e.t_low > little ? NULL : "open: within seed noise");
    }
}

static inline void claims_scratch(findings *r) {
    claim *c = claims_better(r, "from-scratch", NULL, data_find(&r->d, "builtin", "scratch", "slm"),
                             data_find(&r->d, "builtin", "scratch", "clm"),
                             "It also helps from scratch, without a base",
                             "nothing is trained from scratch in the paper; public "
                             "attempts failed",
                             "plain training from scratch ends as well");
    snprintf(c->set, sizeof c->set, "scratch");
}
#endif
