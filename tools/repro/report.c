/* report.c: the page: a table of its sections, in their order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cli.h"
#include "rules.h"
#include "slm.h"

/* A section, or without a title another part of the section before it. */
typedef struct section {
    const char *title, *intro;
    const char *set; /* the runs that its figures need */
    section_body *body;
    const char *what, *why; /* is missing, where the body says so */
} section;

static const section sections[] = {
    {"Where it holds: noise and ratio",
     "Each cell of the map is a plain and a selective training from the same base.", "map",
     draw_maps, "the map", "curves.csv has no rows of set `map`."},
    {"The ratio", "Figure 9 of the paper.", "ratio", draw_ratios, "figure 9",
     "curves.csv has no rows of set `ratio`."},
    {"Less clean text",
     "The question the paper does not ask: what does selection give that the clean text alone does "
     "not?",
     "clean", draw_clean, "the sweep of the clean text", "curves.csv has no rows of set `clean`."},
    {"Other references", "Tables 3 to 5 of the paper.", "self", draw_self, "self-reference",
     "curves.csv has no rows of set `self`."},
    {NULL, NULL, "weak", draw_weak, "weak-to-strong", "curves.csv has no rows of set `weak`."},
    {"More text, larger models", "Two questions of scale that a laptop can ask.", "multiplier",
     draw_multiplier, "the multiplier", "curves.csv has no rows of set `multiplier`."},
    {NULL, NULL, "sizes", draw_sizes, "the sizes", "curves.csv has no rows of set `sizes`."},
    {"Documents, other rules, remedies",
     "What others keep or weigh, with the same reference, and what was tried against the blind "
     "spot.  Each against selective training of the same seed.",
     "documents", draw_documents, "documents", "curves.csv has no rows of set `documents`."},
    {NULL, NULL, "followers", draw_followers, "other rules",
     "curves.csv has no rows of set `followers`."},
    {NULL, NULL, "remedies", draw_remedies, "remedies",
     "curves.csv has no rows of set `remedies`."},
    {NULL, NULL, "labels", draw_labels, "wrong results alone",
     "curves.csv has no rows of corpus `labels`."},
    {"Controls", NULL, "control", draw_control, "the negative control",
     "curves.csv has no rows of set `control`."},
    {NULL, NULL, "scratch", draw_scratch, "training from scratch",
     "curves.csv has no rows of set `scratch`."},
    {"What selective training learns, and what it leaves alone",
     "Figures 6 and 7 of the paper.  The tokens of a fixed held-out piece of the noisy corpus are "
     "split once, by the starting model's excess loss; every arm is measured on both halves.",
     "main", draw_figure6, "figure 6 on the built-in corpus",
     "curves.csv has no losses on the fixed piece."},
    {NULL, NULL, "main", draw_figure7, NULL, NULL},
    {NULL, NULL, "main", draw_correlations, NULL, NULL},
    {"What is selected",
     "The built-in corpus knows the truth about every token, so that the selection can be marked.",
     "main", draw_selection, NULL, NULL},
    {NULL, NULL, "main", draw_kinds, "shares by kind", "curves.csv has no counts by kind."},
    {NULL, NULL, "main", draw_ranks, "the ranking by kind", "There is no ranks.csv."},
    {"Four classes of tokens", "Figure 3 of the paper, with the null that it lacks.", "main",
     draw_figure3, "figure 3", "There is no trajectories.csv."},
    {NULL, NULL, "main", draw_real_classes, "figure 3 on real text",
     "There is no trajectories_real.csv."},
    {NULL, NULL, "main", draw_real_kinds, "what is kept of real text",
     "curves.csv has no counts by kind of real text."},
    {"Does a selection peak where it was made?",
     "Figure 8 of the paper, with a control against regression to the mean.", "main", draw_figure8,
     "figure 8", "There is no selections.csv."}};

static void report_missing(findings *all, const char *what, const char *why) {
    page_text(&all->page, make_text("Left out: %s. %s", what, why));
}

static void report_sections(findings *all) {
    for (size_t i = 0; i < COUNT(sections); i++) {
        const section *s = &sections[i];
        if (s->title != NULL) page_section(&all->page, s->title, s->intro);
        all->set = s->set;
        if (!s->body(all)) report_missing(all, s->what, s->why);
    }
    all->set = NULL;
}

/* ---- how it was made ---- */
/* How many arms were tuned, and how many of them chose an end of all rates: a better one may lie
   beyond it. */
static const char *describe_rates(const csv_table *tuning) {
    size_t arms = 0, at_end = 0;
    for (size_t row = 0; row < tuning->rows; row++) {
        if (!same_text(data_text(tuning, row, "chosen"), "1")) continue;
        arms++;
        at_end += same_text(data_text(tuning, row, "edge"), "1");
    }
    return make_text("One seed; of each arm the rate with the lowest loss on the valid part is "
                     "chosen.  %zu of %zu arms chose an outermost rate of all that may be tried: "
                     "for %s a better one may lie beyond it.",
                     at_end, arms, at_end == 0 ? "none of them" : "these");
}

static void report_rates(findings *all) {
    enum { COLUMNS = 6 };

    static const char *const header[COLUMNS] = {
        "corpus", "arm", "learning rate", "loss on the valid part", "chosen", "edge"};
    const csv_table *tuning = &all->d.csv[TUNING];
    if (tuning->rows == 0 || tuning->cols != COLUMNS) {
        report_missing(all, "the learning rates that were tried",
                       "There is no tuning.csv, or it has other columns.");
        return;
    }
    page_text(&all->page, describe_rates(tuning));
    page_details_begin(&all->page, "Learning rates tried");
    page_table(&all->page, "Edge: the rate is the lowest or the highest of all that may be tried.",
               header, COLUMNS, tuning->cell, tuning->rows);
    page_details_end(&all->page);
}

static void report_settings(findings *all) {
    static const char *const header[2] = {"setting", "value"};
    const csv_table *settings = &all->d.csv[SETTINGS];
    page_section(
        &all->page, "Settings",
        "Everything that was set.  Results do not depend on the number of jobs or threads.");
    if (settings->rows > 0 && settings->cols == 2) {
        page_details_begin(&all->page, "All settings");
        page_table(&all->page, NULL, header, 2, settings->cell, settings->rows);
        page_details_end(&all->page);
    } else {
        report_missing(all, "the settings", "There is no settings.csv.");
    }
    report_rates(all);
}

/* The value of a key in a table of two columns, key and value; "" if there is none. */
static const char *value_of(const csv_table *t, const char *key) {
    return data_text(t, data_row(t, "key", key, NULL), "value");
}

/* Where the runs were made, and whether they are all that were planned: from run.csv, which they
   leave. */
static void add_run(char *text, size_t size, const csv_table *run) {
    const char *machine = value_of(run, "machine");
    const char *commit = value_of(run, "commit");
    const char *planned = value_of(run, "runs planned");
    const char *finished = value_of(run, "runs finished");
    if (finished[0] != '\0')
        append_text(text, size, "; %s of %s planned runs%s", finished, planned,
                    same_text(planned, finished) ? "" : ", so that it is unfinished");
    if (machine[0] != '\0')
        append_text(text, size, "; on %s, %s processors", machine, value_of(run, "processors"));
    if (commit[0] != '\0') append_text(text, size, "; commit %.12s", commit);
}

/* "5 seeds of each main arm; 212 jobs, 74 minutes of one core in all; ...". */
static const char *describe_runs(const data *d) {
    const csv_table *times = &d->csv[TIMES];
    const char *corpus = data_has_corpus(d, "builtin") ? "builtin" : "openstax";
    const char *compiler = value_of(&d->csv[SETTINGS], "compiler");
    size_t seeds = data_main(d, corpus, "clm")->n;
    size_t jobs = 0;
    double seconds = 0;
    char text[600] = "";
    for (size_t row = 0; row < times->rows; row++) {
        double s = data_number(times, row, "seconds");
        /* A row without tokens is the whole run's. */
        if (data_text(times, row, "tokens")[0] != '\0') continue;
        seconds += isfinite(s) ? s : 0;
        jobs++;
    }
    SAY(text, "%zu seed%s of plain training", seeds, plural(seeds));
    if (jobs > 0) SAY(text, "; %zu jobs, %.0f minutes of one core in all", jobs, seconds / 60);
    add_run(text, sizeof text, &d->csv[RUN]);
    if (compiler[0] != '\0') SAY(text, "; %s", compiler);
    SAY(text, "; made by `make repro`");
    return make_text("%s", text);
}

/* ---- the page ---- */
static void begin_page(findings *all, FILE *out) {
    size_t count[PAGE_OPEN + 1] = {0};
    size_t corrected[PAGE_OPEN + 1] = {0};
    size_t unmeasured = 0;
    for (size_t i = 0; i < all->n_claims; i++) {
        count[all->claims[i].verdict]++;
        corrected[all->claims[i].corrected]++;
        unmeasured += !all->claims[i].measured;
    }
    page_begin(
        &all->page, out, "Does selective language modeling hold on a laptop?",
        make_text("The claims of the Rho-1 paper, each with the control it lacks, on a small "
                  "corpus whose noise is known and on real textbooks: of %zu, corrected for their "
                  "number, %zu hold, %zu do not hold, %zu are open, among these %zu that no run "
                  "here bears on.  Before the correction %zu hold, %zu do not.",
                  all->n_claims, corrected[PAGE_HOLDS], corrected[PAGE_FAILS],
                  corrected[PAGE_OPEN], unmeasured, count[PAGE_HOLDS], count[PAGE_FAILS]),
        describe_runs(&all->d));
}

/* The claims of a part that these runs bear on, or those that they do not.  Returns how many there
   are; page NULL: only counts. */
static size_t put_claims(page *p, const findings *all, int part, int measured) {
    size_t n = 0;
    for (size_t i = 0; i < all->n_claims; i++) {
        const claim *c = &all->claims[i];
        const char *before = make_text("uncorrected: %s", verdict_name(c->verdict));
        const page_finding finding = {.verdict = c->corrected,
                                      .words = verdict_name(c->corrected),
                                      .claim = c->title,
                                      .found = c->found,
                                      .paper = c->row->paper,
                                      .falsifier = c->row->falsifier,
                                      .beside = measured ? before : NULL,
                                      .beside_verdict = c->verdict};
        if (c->row->part != part || c->measured != measured) continue;
        if (p != NULL) page_claim(p, &finding);
        n++;
    }
    return n;
}

static void report_claims(findings *all) {
    for (int part = 0; part < N_PARTS; part++) {
        page_section(&all->page, parts[part], NULL);
        if (part == 0) draw_result(all);
        put_claims(&all->page, all, part, 1);
        size_t n = put_claims(NULL, all, part, 0);
        if (n == 0) continue;
        page_details_begin(&all->page, make_text("%zu claim%s not measured in this run", n,
                                                 plural(n)));
        put_claims(&all->page, all, part, 0);
        page_details_end(&all->page);
    }
}

static void report_corpora(findings *all) {
    for (size_t i = 0; i < N_CORPORA; i++)
        if (data_has_corpus(&all->d, corpora[i])) draw_figure1(all, corpora[i]);
    if (data_has_corpus(&all->d, "openstax") || data_has_corpus(&all->d, "user")) return;
    page_section(&all->page, "Figure 1: real text", NULL);
    report_missing(all, "OpenStax",
                   "Its files were not there when the runs were made (../shared/data/openstax); "
                   "name your own with `--corpus --clean --eval`.");
}

/* How far from zero the mean of the claim with the smallest p must be, in standard errors, to stay
   once it is corrected. */
static const char *describe_correction(const findings *all) {
    const double p = 0.05 / (double)all->family[EXPLORED];
    const double p_announced = 0.05 / (double)all->family[ANNOUNCED];
    return make_text(
        "The verdict that counts, the first badge, is corrected by Holm's method: of twenty "
        "comparisons without any difference one would show one by chance.  The family are the "
        "claims of the full plan, whether they were run or not, %zu of them (and those on a corpus "
        "of your own, where there is one); the small badge is the verdict before the correction.  "
        "That asks for much: the claim with the smallest p needs a mean of %.1f standard errors "
        "with five seeds (without correction %.1f), of %.0f with three (%.1f).  \"Open\" says "
        "that these seeds do not tell, not that there is no difference.  The %zu claims that were "
        "announced before their run are a family of their own: with three seeds the first of them "
        "needs %.1f standard errors.",
        all->family[EXPLORED], stats_t_of_p(p, 4), stats_t_95(4), stats_t_of_p(p, 2),
        stats_t_95(2), all->family[ANNOUNCED], stats_t_of_p(p_announced, 2));
}

/* How the verdicts come about, with the coverage of the intervals, simulated on the spot. */
static void report_rules(findings *all) {
    enum { EXPERIMENTS = 20000 };

    const size_t seeds = data_main(&all->d, "builtin", "clm")->n;
    page_section(
        &all->page, "How the verdicts are reached",
        "By rule, from the numbers (`claims.csv`), never by hand.  Seeds are paired: the same "
        "base, data and order; on real text all seeds share the texts, so that the interval is of "
        "the training only.  A claim is one or several comparisons, by loss and, where there is "
        "one, by accuracy.  It holds if all of them were run, every mean lies on the side that is "
        "claimed and the 95% interval of each leaves the threshold out.  It does not hold if an "
        "interval lies on the other side, with the p of that comparison taken times the number of "
        "the claim's comparisons.  Else it is open.  Fewer than three seeds: open.");
    page_text(&all->page, describe_correction(all));
    page_text(
        &all->page,
        "N x sooner: the tokens after which plain training first has the value that it ends with, "
        "divided by those after which the arm has it; plain training against itself is 1x.  The "
        "mean over the seeds is geometric; a seed that never comes there counts as 0.5x, and an "
        "arm of which fewer than half of the seeds come there has no number.  Where an arm is "
        "compared with another one by this number, the other counts as 1x in a seed in which it "
        "never comes there, and what is said is \"at least\".  The number divides by what plain "
        "training gained, which is why that stands beside it.\n\n"
        "Where an arm was run at several ratios, the one with the lowest loss on the valid part "
        "stands for it; the target has no say in it.  That is a choice that arms with one ratio do "
        "not have: 40 and 60% were tried of selective training on OpenStax and on the facts, and "
        "of documents on the built-in corpus; a claim says so where it applies.");
    if (seeds < 2 || seeds > 16) return;
    page_text(&all->page,
              make_text("Intervals are Student's t.  Simulated with %zu seeds, 95%% intervals held "
                        "the true mean in %.1f%% of %d experiments with normal noise, %.1f%% with "
                        "Laplace's, %.1f%% with exponential noise (`build/reproduce coverage`).",
                        seeds, 100 * coverage_of(BY_STUDENT, NORMAL, seeds, EXPERIMENTS),
                        EXPERIMENTS, 100 * coverage_of(BY_STUDENT, LAPLACE, seeds, EXPERIMENTS),
                        100 * coverage_of(BY_STUDENT, EXPONENTIAL, seeds, EXPERIMENTS)));
}

static void report_page(findings *all, FILE *out) {
    begin_page(all, out);
    report_decision(all);
    report_claims(all);
    report_limits(all);
    report_untestable(all);
    report_corpora(all);
    report_sections(all);
    report_token_views(all);
    report_leaks(all);
    report_changes(all);
    report_rules(all);
    report_settings(all);
    page_end(&all->page, "Made by slm.h " SLM_VERSION
                         ": make repro.  The numbers of each figure are in the CSV beside it.");
}

int repro_report(const char *dir) {
    static findings all;
    memset(&all, 0, sizeof all);
    all.dir = dir;
    if (!data_load(&all.d, dir)) return 1;
    decide_claims(&all);
    claims_write_csv(&all);
    claims_write_markdown(&all);
    FILE *out = open_output(&all, "report", ".html");
    if (out != NULL) {
        report_page(&all, out);
        close_output(&all, out, "report", ".html");
    }
    data_free(&all.d);
    free_rooms();
    if (!all.failed)
        printf("%s/report.html: %zu claims, %d figures\n", dir, all.n_claims, all.page.figures);
    return all.failed;
}
