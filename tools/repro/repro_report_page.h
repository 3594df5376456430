/* repro_report_page.h: the page: which sections it has, in which order.  Part of repro_report.h. */
#ifndef REPRO_REPORT_PAGE_H
#define REPRO_REPORT_PAGE_H
#include "repro_report_limits.h"
#include "repro_report_tokens.h"

static const char *const report_corpora[] = {"builtin", "openstax", "gsm8k", "user"};

enum { REPORT_CORPORA = 4 };

static inline int report_has_corpus(const findings *r, const char *corpus) {
    return data_find(&r->d, corpus, "main", "clm")->n > 0;
}

enum { REPORT_PARTS = 4 };

static const char *const report_parts[REPORT_PARTS] = {
    "Is it sooner?", "Does it give what the clean text alone cannot?",
    "Is the mechanism the paper's?", "Other references, and controls"};

/* The one picture: plain, selective and random, with the arrow: result.svg, and the first figure of the page. */
static inline void report_picture(findings *r) {
    static const char *const corpora[2] = {"builtin", "openstax"};
    static const curves_family family = {"", "", {"clm", "slm", "random", NULL}};
    const char *corpus = report_has_corpus(r, "builtin") ? corpora[0] : corpora[1];
    const data_group *clm = data_find(&r->d, corpus, "main", "clm"),
                     *slm = data_find(&r->d, corpus, "main", "slm");
    data_column y = curves_has_accuracy(r, corpus) ? TARGET_ACCURACY : TARGET_LOSS;
    double scale = y == TARGET_ACCURACY ? 100 : 1, level = data_mean_end(&r->d, clm, y) * scale,
           end = data_mean_end(&r->d, clm, TOKENS);
    sooner s = data_sooner(&r->d, slm, clm, TOKENS, y);
    char label[FIGURE_MAX_SERIES][64], text[64] = "", note[200], subtitle[200];
    figure_series series[FIGURE_MAX_SERIES];
    figure_arrow arrow = {end, level, end / s.e.value, level, text, y != TARGET_ACCURACY};
    figure f;
    size_t n = curves_collect(r, corpus, &family, TOKENS, y, series, label);
    if (n == 0) {
        return;
    }
    memset(&f, 0, sizeof f);
    SAY(text, "%.1fx sooner", s.e.value);
    if (s.seeds > 1) {
        SAY(text, " [%.1f, %.1f]", s.e.low, s.e.high);
    }
    f.title = y == TARGET_ACCURACY ? "Selective against plain training: right results on the target"
                                   : "Selective against plain training: loss on the target";
    snprintf(subtitle, sizeof subtitle,
             "%s; the same base, the same text in the same order; %s is better",
             draw_corpus_name(corpus, 1), y == TARGET_ACCURACY ? "higher" : "lower");
    snprintf(note, sizeof note, "make repro; %zu seed%s%s", clm->n, clm->n == 1 ? "" : "s",
             clm->n > 1 ? " (thin) and the 95% interval of their mean (band)" : "");
    f.subtitle = subtitle;
    f.note = note;
    f.x.label = "tokens processed";
    f.y.label =
        y == TARGET_ACCURACY ? "probability of a right result (%)" : draw_loss_label(corpus, 1);
    if (isfinite(s.e.value) && s.e.value > 1.15) {
        f.arrows = &arrow;
        f.n_arrows = 1;
    }
    r->set = "main";
    draw_series(r, figure_lines, "result", &f, series, n, "tokens", NULL,
                "The arrow leads from plain training's end to where "
                "selective training has passed it; in brackets the "
                "95% bootstrap interval over seeds.");
    r->set = NULL;
}

/* ---- the page ---- */
static inline void report_figure1(findings *r, const char *corpus) {
    char title[80];
    snprintf(title, sizeof title, "Figure 1: %.60s", draw_corpus_name(corpus, 1));
    page_section(&r->page, title,
                   "All arms start from the same base and see the same text in the same order; the "
                   "learning rate "
                   "of each was chosen on a "
                   "validation part.  N x sooner: tokens of plain training / tokens until its "
                   "final target metric is passed.");
    r->set = "main";
    curves_figure(r, corpus, &curves_families[0], 0, TARGET_LOSS);
    curves_figure(r, corpus, &curves_families[0], 0, TARGET_ACCURACY);
    curves_bars(r, corpus);
    limits_arms(r, corpus);
    curves_figure(r, corpus, &curves_families[2], 0, TARGET_LOSS);
    curves_figure(r, corpus, &curves_families[2], 0, TARGET_ACCURACY);
    curves_figure(r, corpus, &curves_families[1], 0, TARGET_LOSS);
    page_details_begin(&r->page, "The same against tokens trained on, arithmetic and seconds");
    for (size_t cost = 1; cost < 5; cost++) {
        curves_figure(r, corpus, &curves_families[0], cost, TARGET_LOSS);
        curves_figure(r, corpus, &curves_families[0], cost, TARGET_ACCURACY);
    }
    page_details_end(&r->page);
}

static inline void report_mechanism(findings *r) {
    page_section(
        &r->page, "What selective training learns, and what it leaves alone",
        "Figures 6 and 7 of the paper.  The tokens of a fixed held-out piece of the noisy "
        "corpus are split once, by the starting model's excess loss; every arm is measured on both "
        "halves.");
    for (size_t i = 0; i < REPORT_CORPORA; i++) {
        mechanism_figure6(r, report_corpora[i]);
    }
    if (verdict_change(&r->d, data_find(&r->d, "builtin", "main", "slm"), FIXED_KEPT).n == 0) {
        draw_missing(r, "figure 6 on the built-in corpus",
                     "curves.csv has no losses on the fixed piece.");
    }
    for (size_t i = 0; i < REPORT_CORPORA; i++) {
        mechanism_figure7(r, report_corpora[i]);
    }
    page_section(
        &r->page, "What is selected",
        "The built-in corpus knows the truth about every token, so that the selection can "
        "be marked.");
    selection_over_training(r, "builtin");
    if (!selection_by_kind(r, "builtin")) {
        draw_missing(r, "shares by kind", "curves.csv has no counts by kind.");
    }
    page_section(&r->page, "Four classes of tokens",
                   "Figure 3 of the paper, with the null that it lacks.");
    if (r->d.trajectories.rows > 0) {
        mechanism_figure3(r);
    } else {
        draw_missing(r, "figure 3", "There is no trajectories.csv.");
    }
    page_section(&r->page, "Does a selection peak where it was made?",
                   "Figure 8 of the paper, with a control against regression "
                   "to the mean.");
    if (r->d.selections.rows > 0) {
        selection_figure8(r);
    } else {
        draw_missing(r, "figure 8", "There is no selections.csv.");
    }
}

static inline void report_sweeps(findings *r) {
    page_section(&r->page, "Where it holds: noise and ratio",
                   "Each cell of the map is a plain and a selective training from the "
                   "same base.");
    r->set = "map";
    int loss = curves_map(r, TARGET_LOSS), accuracy = curves_map(r, TARGET_ACCURACY);
    if (!loss && !accuracy) {
        draw_missing(r, "the map", "curves.csv has no rows of set `map`.");
    }
    page_section(&r->page, "The ratio", "Figure 9 of the paper.");
    r->set = "ratio";
    if (!sweep_ratio(r, "builtin")) {
        draw_missing(r, "figure 9", "curves.csv has no rows of set `ratio`.");
    }
    page_section(
        &r->page, "Less clean text",
        "The question the paper does not ask: what does selection give that the clean text "
        "alone does not?");
    r->set = "clean";
    if (!sweep_clean(r)) {
        draw_missing(r, "the sweep of the clean text", "curves.csv has no rows of set `clean`.");
    }
    page_section(&r->page, "Other references", "Tables 3 to 5 of the paper.");
    r->set = "self";
    if (!sweep_self(r)) {
        draw_missing(r, "self-reference", "curves.csv has no rows of set `self`.");
    }
    r->set = "weak";
    if (!sweep_weak(r)) {
        draw_missing(r, "weak-to-strong", "curves.csv has no rows of set `weak`.");
    }
    page_section(&r->page, "Controls", NULL);
    r->set = "control";
    if (!sweep_pair(r, "builtin", "control",
                    "Negative control: clean text of the target's own distribution",
                    "No gain is the right answer here.")) {
        draw_missing(r, "the negative control", "curves.csv has no rows of set `control`.");
    }
    r->set = "scratch";
    if (!sweep_pair(r, "builtin", "scratch", "From scratch: both arms begin with random weights",
                    "Not in the paper, which always continues from a strong base.")) {
        draw_missing(r, "training from scratch", "curves.csv has no rows of set `scratch`.");
    }
    r->set = NULL;
}

static inline void report_token_views(findings *r) {
    static const struct {
        const char *folder, *corpus, *title;
    } places[2] = {{"models", "builtin", "Built-in corpus"},
                   {"models_openstax", "openstax", "OpenStax"}};

    page_section(
        &r->page, "Token by token",
        "Text of the noisy corpus that no model was trained on.  Colour: excess loss, the "
        "model's minus the reference's; the slider keeps the "
        "top k%.  Choose another text to see the same tokens after training.");
    for (size_t i = 0; i < 2; i++) {
        const data_group *slm = data_find(&r->d, places[i].corpus, "main", "slm");
        slm_error err = {SLM_OK, ""};
        char why[700];
        size_t skip = strlen(r->dir);
        if (tokens_section(r, places[i].folder, places[i].title,
                           slm->ratio > 0 && slm->ratio < 1 ? slm->ratio : 0.4, &err)) {
            continue;
        }
        skip = strncmp(err.text, r->dir, skip) == 0 && err.text[skip] == '/'
                   ? skip + 1
                   : 0; /* the same text, wherever the folder is */
        snprintf(why, sizeof why, "The saved models are not there or cannot be read (%s).",
                 err.text + skip);
        draw_missing(r, places[i].title, why);
    }
}

static inline void report_settings(findings *r) {
    const csv_table *t = &r->d.settings, *u = &r->d.tuning;
    static const char *const header[2] = {"setting", "value"}, *const tuned[5] = {
                                                                   "corpus", "arm", "learning rate",
                                                                   "loss on the valid part",
                                                                   "chosen"};
    page_section(
        &r->page, "Settings",
        "Everything that was set.  Results do not depend on the number of jobs or threads.");
    if (t->rows > 0 && t->cols == 2) {
        page_details_begin(&r->page, "All settings");
        page_table(&r->page, NULL, header, 2, t->cell, t->rows);
        page_details_end(&r->page);
    } else {
        draw_missing(r, "the settings", "There is no settings.csv.");
    }
    if (u->rows > 0 && u->cols == 5) {
        page_details_begin(&r->page, "Learning rates tried");
        page_table(&r->page, "One seed; the lowest loss on the valid part is chosen.", tuned, 5,
                     u->cell, u->rows);
        page_details_end(&r->page);
    }
}

static inline const char *report_setting(const findings *r, const char *key) {
    const csv_table *t = &r->d.settings;
    for (size_t row = 0; row < t->rows && t->cols > 1; row++) {
        if (strcmp(csv_text(t, row, 0), key) == 0) {
            return csv_text(t, row, 1);
        }
    }
    return NULL;
}

/* "AMD EPYC 7B13, 2 processors": where the report is made; empty where the system does not say. */
static inline void report_machine(char *text, size_t size) {
    char line[300];
    size_t processors = 0;
    FILE *f = fopen("/proc/cpuinfo", "r");
    *text = '\0';
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "model name", 10) != 0 || strchr(line, ':') == NULL) {
            continue;
        }
        line[strcspn(line, "\n")] = '\0';
        snprintf(text, size, "%.100s", strchr(line, ':') + 1 + strspn(strchr(line, ':') + 1, " "));
        processors++;
    }
    if (f != NULL) {
        fclose(f);
    }
    if (processors > 0) {
        draw_say(text, size, ", %zu processor%s", processors, processors == 1 ? "" : "s");
    }
}

/* "5 seeds; 212 runs; 74 minutes of training in all; gcc 12". */
static inline void report_facts(const findings *r, char *text, size_t size) {
    const data_group *clm =
        data_find(&r->d, report_has_corpus(r, "builtin") ? "builtin" : "openstax", "main", "clm");
    const char *compiler = report_setting(r, "compiler");
    char machine[160];
    double seconds = 0;
    size_t runs = 0;
    int tokens = csv_column(&r->d.times, "tokens"), time = csv_column(&r->d.times, "seconds");
    for (size_t row = 0; row < r->d.times.rows; row++) {
        if (*csv_text(&r->d.times, row, tokens) != '\0') {
            continue;
        }
        double s = csv_number(&r->d.times, row, time);
        runs++;
        seconds += isfinite(s) ? s : 0;
    }
    *text = '\0';
    draw_say(text, size, "%zu seed%s of each main arm", clm->n, clm->n == 1 ? "" : "s");
    if (runs > 0) {
        draw_say(text, size, "; %zu jobs, %.0f minutes of one core in all", runs, seconds / 60);
    }
    report_machine(machine, sizeof machine);
    if (*machine != '\0') {
        draw_say(text, size, "; %s", machine);
    }
    if (compiler != NULL) {
        draw_say(text, size, "; %s", compiler);
    }
    draw_say(text, size, "; made by `make repro`");
}

static inline void report_page(findings *r, FILE *out) {
    char facts[400];
    size_t count[4] = {0, 0, 0, 0};
    char lede[300];
    for (size_t i = 0; i < r->n_claims; i++) {
        count[r->claims[i].verdict]++;
    }
    snprintf(lede, sizeof lede,
             "The claims of the Rho-1 paper, each with the control it lacks, on a small corpus "
             "whose noise is "
             "known and on real textbooks: %zu hold, %zu hold in "
             "part, %zu do not hold, %zu are open.",
             count[PAGE_HOLDS], count[PAGE_DEPENDS], count[PAGE_FAILS], count[PAGE_OPEN]);
    report_facts(r, facts, sizeof facts);
    page_begin(&r->page, out, "Does selective language modeling hold on a laptop?", lede, facts);
    for (int part = 0; part < REPORT_PARTS; part++) {
        page_section(&r->page, report_parts[part], NULL);
        if (part == 0) {
            report_picture(r);
        }
        for (size_t i = 0; i < r->n_claims; i++) {
            const claim *c = &r->claims[i];
            if (c->part == part) {
                page_finding finding = {c->verdict, c->words, c->title, c->found, c->paper, c->falsifier};
                page_claim(&r->page, &finding);
            }
        }
    }
    limits_section(r);
    for (size_t i = 0; i < REPORT_CORPORA; i++) {
        if (report_has_corpus(r, report_corpora[i])) {
            report_figure1(r, report_corpora[i]);
        }
    }
    if (!report_has_corpus(r, "openstax") && !report_has_corpus(r, "user")) {
        page_section(&r->page, "Figure 1: real text", NULL);
        draw_missing(r, "OpenStax",
                     "Its files were not there when the runs were made (../shared/data/openstax); "
                     "name your own "
                     "with `--corpus --clean --eval`.");
    }
    report_sweeps(r);
    r->set = "main";
    report_mechanism(r);
    r->set = NULL;
    report_token_views(r);
    page_section(&r->page, "How the verdicts are reached",
                   "By rule, from the numbers (`claims.csv`), never by hand.  Seeds are "
                   "paired: the same base, data and order.  "
                   "A difference counts only if both of its 95% intervals, by bootstrap (10000 "
                   "resamples of the seeds) and by "
                   "Student's t, exclude zero; else the claim is open.  "
                   "Fewer than three seeds: open.  Many claims are tested at once: of "
                   "twenty comparisons without any difference one is expected to show one.\n\n"
                   "N x sooner: a seed that never reaches plain training's end counts as 0.5x; an "
                   "arm of which fewer than half of "
                   "the seeds reach it has no number.  "
                   "The goal, five times with an interval above three, was set before the runs.  "
                   "Of several ratios the one with "
                   "the lowest loss on the valid part stands for "
                   "selective training; the target has no say in it.");
    report_settings(r);
    page_end(&r->page, "Made by slm.h " SLM_VERSION
                         ": make repro.  The numbers of each figure are in the CSV beside it.");
}
#endif
