/* limits.c: "when it does not help", found in the data; the table of all arms. */
#include <math.h>
#include "findings.h"

/* ---- when it does not help ---- */
static void add_item(findings *all, size_t *n, const char *text) {
    if ((*n)++ == 0) page_list_begin(&all->page);
    page_list_item(&all->page, text);
}

/* What is said if arm a does not end better than arm b, as far as the seeds can tell. */
typedef struct comparison {
    const char *set, *a, *b, *sentence;
} comparison;

static const comparison comparisons[] = {
    {"main", "slm", "clm", "plain training ends at least as well."},
    {"main", "slm", "reference",
     "the reference itself, tuned on the clean text alone, is at least as good: with that much "
     "clean text, tune on it."},
    {"main", "slm", "mixed", "mixing the clean text into plain training is at least as good."},
    {"main", "slm", "clm_tuned",
     "plain training followed by the clean text, at equal total tokens, is at least as good."},
    {"main", "slm_tuned", "clm_tuned",
     "once both are tuned on the clean text, nothing is left of the lead."},
    {"main", "slm_tuned", "reference",
     "even tuned on the clean text afterwards it does not pass the reference."},
    {"main", "slm", "filtered", "taking out known noise beforehand is at least as good."},
    {"main", "slm", "random", "random selection ends at least as well."},
    {"control", "slm", "clm",
     "on clean text of the target's own distribution there is nothing to gain (the negative "
     "control)."},
    {"scratch", "slm", "clm",
     "from scratch, without a base, plain training ends at least as well."},
    {"main", "null_reference", "clm",
     "with the starting model as its own reference plain training ends at least as well."}};

static void list_comparison(findings *all, size_t *n, const char *corpus,
                            const comparison *arms) {
    const data_group *a = data_find(&all->d, corpus, arms->set, arms->a);
    const data_group *b = data_find(&all->d, corpus, arms->set, arms->b);
    estimate e = data_difference(a, b, TARGET_LOSS);
    side where = stats_side(e, 0);
    char text[600] = "";
    if (e.n == 0 || where == BELOW || (e.n < ENOUGH_SEEDS && e.value < 0)) return;
    SAY(text, "%s: %s Target loss %.3f against %.3f", corpus_name(corpus, IN_TITLE),
        arms->sentence, data_mean_end(a, TARGET_LOSS), data_mean_end(b, TARGET_LOSS));
    if (e.n == 1)
        SAY(text, " (one seed).");
    else
        SAY(text, ", difference %.4f [%.4f, %.4f]%s", e.value, e.low, e.high,
            where == ABOVE ? "." : ": within seed noise.");
    add_item(all, n, text);
}

static void list_cost(findings *all, size_t *n, const char *corpus) {
    const data_group *clm = data_main(&all->d, corpus, "clm");
    const data_group *slm = data_main(&all->d, corpus, "slm");
    sooner s = data_sooner(slm, clm, FLOPS_ALL, TARGET_LOSS);
    estimate e = data_difference(slm, clm, FIXED_ALL);
    const char *name = corpus_name(corpus, IN_TITLE);
    if (s.seeds > 0 && !(s.e.value > 1))
        add_item(all, n, make_text("%s: counting the arithmetic of reference and scoring, it is "
                                   "not sooner.", name));
    if (e.n > 0 && e.value > 0)
        add_item(all, n, make_text("%s: by the loss on all tokens of the noisy corpus it is worse "
                                   "than plain training, by %.3f.  That is its point, and who "
                                   "judges by that number will find that it fails.",
                                   name, e.value));
}

static void list_ratios(findings *all, size_t *n) {
    const data_group *list[MAX_SWEEP];
    const data_group *plain = data_find_plain(&all->d, "ratio");
    size_t n_groups = data_sweep(&all->d, "ratio", "slm", list);
    size_t bad = 0;
    char text[400] = "Ratios that do not end below plain training's target loss:";
    for (size_t i = 0; i < n_groups; i++) {
        estimate e = data_difference(list[i], plain, TARGET_LOSS);
        if (list[i]->ratio > 0.999 || e.n == 0 || stats_side(e, 0) == BELOW) continue;
        SAY(text, "%s %.0f%%", bad++ == 0 ? "" : ",", 100 * list[i]->ratio);
    }
    SAY(text, ".");
    if (bad > 0) add_item(all, n, text);
}

static void list_map(findings *all, size_t *n) {
    const data_grid grid = data_map(&all->d);
    size_t bad = 0;
    char text[900] = "Settings of the map in which it is less than 1.5 times as soon by loss:";
    for (size_t i = 0; i < grid.n; i++) {
        data_setting at = data_map_setting(&all->d, &grid, i, TARGET_LOSS);
        if (at.s.seeds == 0 || at.s.e.value >= 1.5) continue;
        SAY(text, "%s%s, keep %.0f%%: ", bad++ == 0 ? " " : "; ", at.name,
            100 * grid.ratio.x[at.ratio]);
        SAY(text, isfinite(at.s.e.value) ? "%.1fx" : "never", at.s.e.value);
    }
    SAY(text, ".");
    if (bad > 0) add_item(all, n, text);
}

void report_limits(findings *all) {
    size_t n = 0;
    page_section(&all->page, "When it does not help",
                 "Worked out from the same numbers: every comparison in which selective training "
                 "is not better, or not to be told apart from something simpler.");
    for (size_t i = 0; i < N_CORPORA; i++) {
        for (size_t k = 0; k < COUNT(comparisons); k++)
            list_comparison(all, &n, corpora[i], &comparisons[k]);
        list_cost(all, &n, corpora[i]);
    }
    list_ratios(all, &n);
    list_map(all, &n);
    if (n > 0)
        page_list_end(&all->page);
    else
        page_text(&all->page, "No such comparison was found among those that were run.");
}

/* ---- all arms ---- */
enum { ARM_COLUMNS = 8 };

#define DASH "\xE2\x80\x93"

/* "0.412 \xC2\xB1 0.003": the mean and half the interval. */
static const char *mean_text(const data_group *g, data_column c, int digits) {
    estimate e = stats_scale(data_over_seeds(g, run_end, c), metric_scale(c));
    if (e.n == 0) return DASH;
    if (e.n == 1) return make_text("%.*f", digits, e.value);
    return make_text("%.*f \xC2\xB1 %.*f", digits, e.value, digits, e.high - e.value);
}

static const char *sooner_cell(const data_group *g, const data_group *clm, data_column x,
                               data_column y) {
    sooner s = data_sooner(g, clm, x, y);
    if (g->is_measure_only) return DASH;
    return s.seeds > 0 && !isfinite(s.e.value) ? "<1x" : sooner_text(&s, 1);
}

void report_arms(findings *all, const char *corpus) {
    static const char *const header[ARM_COLUMNS] = {
        "arm",    "seeds",           "rate",        "target loss",
        "acc. %", "sooner, by loss", "by accuracy", "all arithmetic"};
    const char *cells[MAX_ARMS * ARM_COLUMNS];
    const data_group *list[MAX_ARMS];
    const data_group *clm = data_main(&all->d, corpus, "clm");
    size_t n = data_arms(&all->d, corpus, list);
    for (size_t i = 0; i < n; i++) {
        const data_group *g = list[i];
        const char **cell = cells + i * ARM_COLUMNS;
        cell[0] = g->label;
        cell[1] = make_text("%zu", g->n);
        cell[2] = isfinite(g->run[0].lr) ? make_text("%g", g->run[0].lr) : DASH;
        cell[3] = mean_text(g, TARGET_LOSS, 3);
        cell[4] = mean_text(g, TARGET_ACCURACY, 1);
        cell[5] = sooner_cell(g, clm, TOKENS, TARGET_LOSS);
        cell[6] = sooner_cell(g, clm, TOKENS, TARGET_ACCURACY);
        cell[7] = sooner_cell(g, clm, FLOPS_ALL, TARGET_LOSS);
    }
    page_table(&all->page,
               make_text("%s.  At the end: mean and half the 95%% interval (Student's t).  Sooner: "
                         "geometric mean, 95%% interval over paired seeds; <1x: most "
                         "seeds never pass plain training's end; all arithmetic: by loss, "
                         "reference and scoring counted.",
                         corpus_name(corpus, IN_TITLE)),
               header, ARM_COLUMNS, cells, n);
}
