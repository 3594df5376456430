/* limits.c: "when it does not help", found in the data; the table of all arms. */
#include <math.h>
#include "common/cli.h"
#include "findings.h"

/* ---- when it does not help ---- */
static void add_item(findings *all, size_t *n, const char *text) {
    if ((*n)++ == 0) page_list_begin(&all->page);
    page_list_item(&all->page, text);
}

/* Two arms, of which the second is simpler; and what to do where it is ahead, or NULL. */
typedef struct comparison {
    const char *set, *a, *b, *advice;
} comparison;

static const comparison comparisons[] = {
    {"main", "slm", "clm", NULL},
    {"main", "slm", "reference", "with that much clean text, tune on it"},
    {"main", "slm", "clean", "with that much clean text, train on it alone"},
    {"main", "slm", "mixed", "mix the clean text in"},
    {"main", "slm", "clm_tuned", "train on all of it, then on the clean text"},
    {"main", "slm_tuned", "clm_tuned", "selection before the clean text is not what helps"},
    {"main", "slm_tuned", "reference", "with that much clean text, tune on it"},
    {"main", "slm_tuned", "clean", "with that much clean text, train on it alone"},
    {"main", "slm", "filtered", "take known noise out beforehand"},
    {"main", "slm", "random", NULL},
    {"documents", "slm", "doc", "keep whole documents"},
    {"documents", "doc_slm", "doc", "train on all tokens of the documents that are kept"},
    {"control", "slm", "clm", "of a text that is already the target, train on all"},
    {"scratch", "slm", "clm", "without a base, train on all of it"},
    {"main", "null_reference", "clm", "take no starting model as its own reference"}};

/* By one metric: "loss 0.409 against 0.412, difference -0.0030 [...]"; and where g stands: ABOVE
   where it is ahead of the other, BELOW where it is behind, as far as the seeds can tell. */
static side put_metric(char *text, size_t size, const data_group *g, const data_group *other,
                       data_column y) {
    const int by_accuracy = y == TARGET_ACCURACY;
    const double scale = by_accuracy ? 100 : 1;
    const int digits = by_accuracy ? 1 : 3;
    estimate e = stats_scale(data_difference(g, other, y), scale);
    if (e.n == 0) return UNDECIDED;
    append_text(text, size, "; %s %.*f against %.*f", by_accuracy ? "accuracy (%)" : "loss", digits,
                scale * data_mean_end(g, y), digits, scale * data_mean_end(other, y));
    if (e.n > 1)
        append_text(text, size, ", difference %.*f [%.*f, %.*f]", digits + 1, e.value, digits + 1,
                    e.low, digits + 1, e.high);
    side where = stats_side(e, 0);
    return by_accuracy ? where : (side)-where;
}

/* Where the second arm stands beside the first. */
static const char *describe_place(side by_loss, side by_accuracy) {
    static const char *const by_one[3] = {"is behind by %s", "is not told apart from it by %s",
                                          "ends ahead by %s"};
    if (by_loss == by_accuracy)
        return by_loss == ABOVE ? "ends ahead" : "is not told apart from it";
    return make_text("%s, and %s", make_text(by_one[by_loss + 1], "loss"),
                     make_text(by_one[by_accuracy + 1], "accuracy"));
}

/* Lists the comparison unless the first arm is ahead by loss and, where there is one, by
   accuracy. */
static void list_comparison(findings *all, size_t *n, const char *corpus,
                            const comparison *arms) {
    const data_group *a = data_find_arm(&all->d, corpus, arms->set, arms->a);
    const data_group *b = data_find_arm(&all->d, corpus, arms->set, arms->b);
    const int is_apart = same_text(arms->set, "control") || same_text(arms->set, "scratch");
    estimate loss = data_difference(a, b, TARGET_LOSS);
    char numbers[400] = "", text[900] = "";
    side by_loss = put_metric(numbers, sizeof numbers, b, a, TARGET_LOSS);
    side by_accuracy = by_loss;
    if (data_difference(a, b, TARGET_ACCURACY).n > 0)
        by_accuracy = put_metric(numbers, sizeof numbers, b, a, TARGET_ACCURACY);
    if (loss.n == 0 || (by_loss == BELOW && by_accuracy == BELOW)) return;
    SAY(text, "%s%s: \"%s\" beside \"%s\": it %s", corpus_name(corpus, IN_TITLE),
        is_apart ? make_text(", set `%s`", arms->set) : "", b->label, a->label,
        describe_place(by_loss, by_accuracy));
    if (loss.n < ENOUGH_SEEDS) SAY(text, " (%zu seed%s: no verdict)", loss.n, plural(loss.n));
    SAY(text, "%s.", numbers);
    if (by_loss == ABOVE && by_accuracy == ABOVE && arms->advice != NULL)
        SAY(text, "  Then %s.", data_wording(arms->advice, corpus));
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
                                   "not sooner by loss (%s).", name, sooner_text(&s, 1)));
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
    char text[400] = "Ratios that are not shown to end below plain training's target loss:";
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
                 "Worked out from the same numbers, without a correction for their number: every "
                 "comparison in which selection is not ahead of something simpler by loss and, "
                 "where there is one, by accuracy.  Not told apart is not the same as equal.");
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
enum { ARM_COLUMNS = 9 };

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

/* Share of the answers that are right in every byte; of none but those of facts it is known. */
static const char *exact_text(const data_group *g) {
    estimate e = stats_scale(data_over_seeds(g, run_end, EXACT), 100);
    if (e.n < 2) return e.n == 0 ? DASH : make_text("%.1f", e.value);
    return make_text("%.1f \xC2\xB1 %.1f", e.value, e.high - e.value);
}

void report_arms(findings *all, const char *corpus) {
    static const char *const header[ARM_COLUMNS] = {
        "arm",    "seeds",           "rate",        "target loss",
        "acc. %", "sooner, by loss", "by accuracy", "all arithmetic",
        "all right %"};
    const char *cells[MAX_ARMS * ARM_COLUMNS];
    const data_group *list[MAX_ARMS];
    const data_group *clm = data_main(&all->d, corpus, "clm");
    const size_t n_cols = isfinite(data_mean_end(clm, EXACT)) ? ARM_COLUMNS : ARM_COLUMNS - 1;
    size_t n = data_arms(&all->d, corpus, list);
    for (size_t i = 0; i < n; i++) {
        const data_group *g = list[i];
        const char **cell = cells + i * n_cols;
        cell[0] = g->label;
        cell[1] = make_text("%zu", g->n);
        cell[2] = isfinite(g->run[0].lr) ? make_text("%g", g->run[0].lr) : DASH;
        cell[3] = mean_text(g, TARGET_LOSS, 3);
        cell[4] = mean_text(g, TARGET_ACCURACY, 1);
        cell[5] = sooner_cell(g, clm, TOKENS, TARGET_LOSS);
        cell[6] = sooner_cell(g, clm, TOKENS, TARGET_ACCURACY);
        cell[7] = sooner_cell(g, clm, FLOPS_ALL, TARGET_LOSS);
        if (n_cols == ARM_COLUMNS) cell[8] = exact_text(g);
    }
    page_table(&all->page,
               make_text("%s.  At the end: mean and half the 95%% interval (Student's t).  Sooner: "
                         "geometric mean, 95%% interval over paired seeds; <1x: most "
                         "seeds never pass plain training's end; all arithmetic: by loss, "
                         "reference and scoring counted%s.",
                         corpus_name(corpus, IN_TITLE),
                         n_cols == ARM_COLUMNS ? "; all right: answers without a wrong byte" : ""),
               header, n_cols, cells, n);
}
