/* decision.c: the page for the one who decides: for each situation what to do, by rule, from where
 * the arms ended.  Also as decision.md.
 *
 * Of the arms that were run in a situation, the best is the one with the highest mean accuracy on
 * the valid part, or where there is none the lowest mean loss.  Of those whose difference to it
 * there is within seed noise, the one with the least arithmetic is what to do.  The target, whose
 * numbers are shown, has no say in it: the best of many would look better there than it is. */
#include <math.h>
#include <stdio.h>
#include "common/cli.h"
#include "findings.h"

/* What can be done, the simplest first.  Arms that need the truth about the text are not here. */
typedef struct choice {
    const char *arm, *what;
    int is_selective;
} choice;

static const choice choices[] = {
    {"clm", "train on all of it", 0},
    {"reference", "tune the base on the clean text, and nothing else", 0},
    {"clean", "tune the base on the clean text for as many steps as training has", 0},
    {"clm_tuned", "train on all of it, then on the clean text", 0},
    {"mixed", "mix the clean text in", 0},
    {"doc", "keep the documents that the reference likes best, train on them", 0},
    {"doc_ppl", "keep the documents that the reference finds likeliest, train on them", 0},
    {"doc_tuned", "keep the documents that the reference likes best, then the clean text", 0},
    {"veto", "train on all but the tokens that the reference likes far less than the base", 1},
    {"doc_veto", "keep the documents that the reference likes best, without such tokens", 1},
    {"slm", "selective training", 1},
    {"slm_tuned", "selective training, then the clean text", 1},
    {"doc_slm", "keep the documents that the reference likes best, select among their tokens", 1},
    {"doc_slm_tuned", "the same, then the clean text", 1}};

enum { CHOICES = COUNT(choices) };

/* Where a situation was measured: sets of one corpus; NaN: any. */
typedef struct situation {
    const char *you_have, *corpus;
    const char *sets[3];
    double clean, wrong;
    const char *clean_corpus; /* whose set main has the arms that read the clean text only, where
                                 base, clean text and target are the same there; or NULL */
} situation;

static const situation situations[] = {
    {"Clean text enough for many steps (60 kB for 0.2 million weights); a noisy corpus with noise, "
     "wrong results and much off the target",
     "builtin", {"main", "documents"}, 60000, NAN, NULL},
    {"Little clean text (4 kB); the same noisy corpus", "builtin", {"clean", "main"}, 4000, NAN,
     NULL},
    {"Facts that only the noisy corpus holds", "facts", {"main"}, NAN, NAN, NULL},
    {"Three wrong results in ten, nothing off the target; clean text for many steps", "labels",
     {"labels"}, NAN, 0.3, "builtin"},
    {"Six wrong results in ten, nothing off the target; clean text for many steps", "labels",
     {"labels"}, NAN, 0.6, "builtin"},
    {"Real text with markup (OpenStax, in stretches of at most 4 kB), clean prose of such books",
     "openstax",
     {"main", "documents"}, NAN, NAN, NULL},
    {"Records (GSM8K) strewn into such text, clean text of their kind", "gsm8k",
     {"main", "documents"}, NAN, NAN, NULL},
    {"No clean text: the reference is trained on the noisy corpus itself", "builtin", {"self"}, NAN,
     NAN, NULL},
    {"A text that is already the target", "builtin", {"control"}, NAN, NAN, NULL},
    {"No base: the models begin with random weights", "builtin", {"scratch"}, NAN, NAN, NULL},
    {"Your corpus", "user", {"main", "documents"}, NAN, NAN, NULL}};

enum { SITUATIONS = COUNT(situations) };

/* What is found in a situation. */
typedef struct advice {
    const situation *in;
    const choice *choice;      /* NULL: not measured */
    const data_group *group;   /* of the choice */
    const data_group *plain, *selective;
    const choice *by_loss; /* what ends ahead of the choice by loss on the valid part, or NULL */
    data_column metric;    /* of the target */
    size_t seeds, tried;
    size_t as_good, behind; /* others, beside the best: not told apart from it, or behind it */
} advice;

/* ---- the rule ---- */
/* Plain training knows of no clean text: it is the same with any amount. */
static int is_measured_in(const situation *in, const data_group *g) {
    const int sees_clean = !same_text(g->arm, "clm");
    if (sees_clean && isfinite(in->clean) && fabs(g->clean - in->clean) > 0.5) return 0;
    return !isfinite(in->wrong) || fabs(g->wrong - in->wrong) < 1e-6;
}

/* The arm's group with most seeds; of several ratios the one with the lowest loss on the valid
   part.  NULL: none. */
static const data_group *find_group(const data *d, const situation *in, const char *arm) {
    const int reads_clean_only = same_text(arm, "reference") || same_text(arm, "clean");
    const data_group *best = NULL;
    if (reads_clean_only && in->clean_corpus != NULL) {
        best = data_main(d, in->clean_corpus, arm);
        return best->n > 0 ? best : NULL;
    }
    for (size_t i = 0; i < COUNT(in->sets) && in->sets[i] != NULL; i++) {
        const data_group *g = NULL;
        while ((g = data_next(d, g, in->corpus, in->sets[i], arm)) != NULL) {
            if (!is_measured_in(in, g)) continue;
            int is_better = best == NULL || g->n > best->n ||
                            (g->n == best->n &&
                             data_mean_end(g, VALID_LOSS) < data_mean_end(best, VALID_LOSS));
            if (is_better) best = g;
        }
    }
    return best;
}

/* By how much b is better than a, in the metric's unit. */
static estimate shortfall(const data_group *a, const data_group *b, data_column metric) {
    const int is_accuracy = metric == TARGET_ACCURACY || metric == VALID_ACCURACY;
    return stats_scale(data_difference(a, b, metric), is_accuracy ? -1 : 1);
}

static double price(const data_group *g, data_column column) {
    return data_mean_end(g, column);
}

/* Of the groups (CHOICES, NULL: not run) the one with the best mean; CHOICES if there is none. */
static size_t best_of(const data_group *const *group, data_column metric) {
    size_t best = CHOICES;
    for (size_t i = 0; i < CHOICES; i++) {
        if (group[i] == NULL || !isfinite(data_mean_end(group[i], metric))) continue;
        if (best == CHOICES || shortfall(group[best], group[i], metric).value > 0) best = i;
    }
    return best;
}

/* The cheapest of those that are not told apart from the best; counts them. */
static void choose(advice *a, const data_group *const *group, size_t best, data_column metric) {
    a->choice = &choices[best];
    a->group = group[best];
    a->seeds = group[best]->n;
    for (size_t i = 0; i < CHOICES; i++) {
        if (group[i] == NULL || i == best) continue;
        estimate e = shortfall(group[i], group[best], metric);
        if (e.n < ENOUGH_SEEDS) continue;
        a->behind += stats_side(e, 0) != UNDECIDED;
        if (stats_side(e, 0) != UNDECIDED) continue;
        a->as_good++;
        if (!(price(group[i], FLOPS_ALL) < price(a->group, FLOPS_ALL))) continue;
        a->choice = &choices[i];
        a->group = group[i];
        a->seeds = e.n;
    }
}

/* Whether loss says otherwise: another group's is lower, beyond seed noise. */
static void ask_loss(advice *a, const data_group *const *group) {
    size_t best = best_of(group, VALID_LOSS);
    if (best == CHOICES || group[best] == a->group) return;
    estimate e = data_difference(group[best], a->group, VALID_LOSS);
    if (e.n >= ENOUGH_SEEDS && stats_side(e, 0) == BELOW) a->by_loss = &choices[best];
}

static advice advise(const data *d, const situation *in) {
    const data_group *group[CHOICES];
    advice a = {.in = in, .metric = TARGET_LOSS};
    for (size_t i = 0; i < CHOICES; i++) {
        group[i] = find_group(d, in, choices[i].arm);
        if (group[i] == NULL) continue;
        a.tried++;
        if (same_text(choices[i].arm, "clm")) a.plain = group[i];
        if (same_text(choices[i].arm, "slm")) a.selective = group[i];
    }
    if (a.plain == NULL || a.tried < 2) return a;
    if (isfinite(data_mean_end(a.plain, VALID_ACCURACY))) a.metric = TARGET_ACCURACY;
    const data_column metric = a.metric == TARGET_ACCURACY ? VALID_ACCURACY : VALID_LOSS;
    size_t best = best_of(group, metric);
    if (best == CHOICES) return a;
    choose(&a, group, best, metric);
    if (a.metric == TARGET_ACCURACY) ask_loss(&a, group);
    return a;
}

/* ---- how it is written ---- */
enum { COLUMNS = 6 };

static const char *const header[COLUMNS] = {
    "you have", "do this", "it ends at", "plain training", "selective training",
    "price: one run; many"};

static const char *end_text(const data_group *g, data_column metric) {
    if (g == NULL) return "not run";
    estimate e = stats_scale(data_over_seeds(g, run_end, metric), metric_scale(metric));
    const char *name = metric == TARGET_ACCURACY ? "accuracy" : "loss";
    int digits = metric == TARGET_ACCURACY ? 1 : 3;
    const char *unit = metric == TARGET_ACCURACY ? "%" : "";
    if (e.n < 2) return make_text("%s %.*f%s", name, digits, e.value, unit);
    return make_text("%s %.*f%s [%.*f, %.*f]", name, digits, e.value, unit, digits, e.low, digits,
                     e.high);
}

static const char *choice_text(const advice *a) {
    char text[500] = "";
    if (a->choice == NULL) return "not measured in this run of make repro";
    const char *what = data_wording(a->choice->what, a->in->corpus);
    if (a->seeds < ENOUGH_SEEDS)
        SAY(text, "%s (of %zu tried; %s)", what, a->tried,
            a->seeds == 1 ? "one seed points there" : "two seeds point there");
    else
        SAY(text, "**%s**", what);
    if (a->as_good > 0)
        SAY(text, ": the cheapest of %zu that these seeds do not tell apart", a->as_good + 1);
    else if (a->behind > 0)
        SAY(text, ": ahead of %zu other%s", a->behind, plural(a->behind));
    size_t untold = a->tried - 1 - a->as_good - a->behind;
    if (a->seeds >= ENOUGH_SEEDS && untold > 0)
        SAY(text, " (%zu more with too few seeds)", untold);
    if (a->by_loss != NULL) SAY(text, "; by loss \"%s\" ends ahead of "
                                      "it", data_wording(a->by_loss->what, a->in->corpus));
    return make_text("%s", text);
}

static const char *price_text(const advice *a) {
    if (a->choice == NULL) return "";
    return make_text("%.2f; %.2f", price(a->group, FLOPS_ALL) / price(a->plain, FLOPS),
                     price(a->group, FLOPS) / price(a->plain, FLOPS));
}

static void fill_row(const char **cell, const advice *a) {
    cell[0] = a->in->you_have;
    cell[1] = choice_text(a);
    cell[2] = a->choice != NULL ? end_text(a->group, a->metric) : "";
    cell[3] = a->choice != NULL ? end_text(a->plain, a->metric) : "";
    cell[4] = a->choice != NULL ? end_text(a->selective, a->metric) : "";
    cell[5] = price_text(a);
}

/* What is simpler and better comes first, then selection, then what was not measured. */
static int place_of(const advice *a) {
    if (a->choice == NULL) return 2;
    return a->choice->is_selective;
}

/* Fills the rows in the order in which they are told.  Returns how many. */
static size_t fill_rows(const char **cells, const data *d, int places) {
    size_t n = 0;
    for (int place = 0; place < places; place++) {
        for (size_t i = 0; i < SITUATIONS; i++) {
            advice a = advise(d, &situations[i]);
            int is_users = same_text(situations[i].corpus, "user");
            if (place_of(&a) != place || (a.choice == NULL && is_users)) continue;
            fill_row(cells + COLUMNS * n++, &a);
        }
    }
    return n;
}

static void write_markdown(findings *all, const char *const *cells, size_t n) {
    FILE *out = open_output(all, "decision", ".md");
    if (out == NULL) return;
    for (size_t k = 0; k < COLUMNS; k++)
        fprintf(out, "| %s ", header[k]);
    fputs("|\n|---|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < n * COLUMNS; i++)
        fprintf(out, "| %s %s", cells[i], (i + 1) % COLUMNS == 0 ? "|\n" : "");
    close_output(all, out, "decision", ".md");
}

/* The page has no bold words in its tables. */
static const char *without_stars(const char *text) {
    char *out = (char *)make_text("%s", text);
    char *end = out;
    for (const char *c = text; *c != '\0'; c++)
        if (*c != '*') *end++ = *c;
    *end = '\0';
    return out;
}

void report_decision(findings *all) {
    const char *cells[SITUATIONS * COLUMNS];
    size_t n = fill_rows(cells, &all->d, 3);
    write_markdown(all, cells, n);
    for (size_t i = 0; i < n * COLUMNS; i++)
        cells[i] = without_stars(cells[i]);
    page_section(
        &all->page, "What to do",
        "For the one who decides.  Each line is worked out by rule from the runs below: of the "
        "arms that were run in that situation the best on the valid part is taken, then of those "
        "that are not to be told apart from it the one with the least arithmetic.  The numbers are "
        "those of the target, which has no say in the choice.  Not told apart does not mean "
        "equal.  With fewer than three seeds it is a direction and no advice.  Where something "
        "simpler than selection wins, it stands first.");
    page_table(&all->page,
               "At equal numbers of tokens, but for \"and nothing else\".  Accuracy is the mean "
               "probability that the model gives to the right result (of facts: to the right "
               "answer) after it has read the text before it; it solves nothing by itself.  Loss "
               "is the mean loss on the target, in nats per byte (of real text: per token; of "
               "facts: of the answers).  Price: arithmetic, that of plain training being 1.  One "
               "run pays for the reference and for scoring; of many runs by the same scores each "
               "pays for itself alone.",
               header, COLUMNS, cells, n);
}
