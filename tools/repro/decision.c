/* decision.c: the page for the one who decides: for each situation what to do, by rule, from where
 * the arms ended.  Also as decision.md.
 *
 * Of the arms that were run in a situation, the best is the one with the highest mean accuracy, or
 * where there is none the lowest mean loss.  As good are those whose difference to it is within
 * seed noise.  Of these the one with the least arithmetic is what to do. */
#include <math.h>
#include <stdio.h>
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
} situation;

static const situation situations[] = {
    {"Clean text enough for many steps (60 kB for 0.2 million weights); a noisy corpus with noise, "
     "wrong results and much off the target",
     "builtin", {"main", "documents"}, 60000, NAN},
    {"Little clean text (4 kB); the same noisy corpus", "builtin", {"clean", "main"}, 4000, NAN},
    {"Facts that only the noisy corpus holds", "facts", {"main"}, NAN, NAN},
    {"Three wrong results in ten, nothing off the target", "labels", {"labels"}, NAN, 0.3},
    {"Six wrong results in ten, nothing off the target", "labels", {"labels"}, NAN, 0.6},
    {"Real text with markup (OpenStax), clean prose of such books", "openstax",
     {"main", "documents"}, NAN, NAN},
    {"Records (GSM8K) strewn into other text, clean text of their kind", "gsm8k",
     {"main", "documents"}, NAN, NAN},
    {"No clean text: the reference is trained on the noisy corpus itself", "builtin", {"self"}, NAN,
     NAN},
    {"A text that is already the target", "builtin", {"control"}, NAN, NAN},
    {"No base: the models begin with random weights", "builtin", {"scratch"}, NAN, NAN},
    {"Your corpus", "user", {"main", "documents"}, NAN, NAN}};

enum { SITUATIONS = COUNT(situations) };

/* What is found in a situation. */
typedef struct advice {
    const situation *in;
    const choice *choice;      /* NULL: not measured */
    const data_group *group;   /* of the choice */
    const data_group *plain, *selective;
    data_column metric;
    size_t seeds, tried, as_good;
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
    const data_group *best = NULL;
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
    return stats_scale(data_difference(a, b, metric), metric == TARGET_ACCURACY ? -1 : 1);
}

static double price(const data_group *g, data_column column) {
    return data_mean_end(g, column);
}

static advice advise(const data *d, const situation *in) {
    const data_group *group[CHOICES];
    advice a = {.in = in, .metric = TARGET_LOSS};
    size_t best = CHOICES;
    for (size_t i = 0; i < CHOICES; i++) {
        group[i] = find_group(d, in, choices[i].arm);
        if (group[i] == NULL) continue;
        a.tried++;
        if (same_text(choices[i].arm, "clm")) a.plain = group[i];
        if (same_text(choices[i].arm, "slm")) a.selective = group[i];
    }
    if (a.plain == NULL || a.tried < 2) return a;
    if (isfinite(data_mean_end(a.plain, TARGET_ACCURACY))) a.metric = TARGET_ACCURACY;
    for (size_t i = 0; i < CHOICES; i++) {
        if (group[i] == NULL || !isfinite(data_mean_end(group[i], a.metric))) continue;
        if (best == CHOICES || shortfall(group[best], group[i], a.metric).value > 0) best = i;
    }
    if (best == CHOICES) return a;
    a.choice = &choices[best];
    a.group = group[best];
    a.seeds = group[best]->n;
    for (size_t i = 0; i < CHOICES; i++) {
        if (group[i] == NULL || i == best) continue;
        estimate e = shortfall(group[i], group[best], a.metric);
        if (e.n < ENOUGH_SEEDS || stats_side(e, 0) != UNDECIDED) continue;
        a.as_good++;
        if (!(price(group[i], FLOPS_ALL) < price(a.group, FLOPS_ALL))) continue;
        a.choice = &choices[i];
        a.group = group[i];
    }
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
    if (a->choice == NULL) return "not measured in this run of make repro";
    const char *few = a->seeds < ENOUGH_SEEDS ? " (one seed points there)" : "";
    if (a->as_good == 0) return make_text("**%s**%s", a->choice->what, few);
    return make_text("**%s**: the cheapest of %zu that are equally good%s", a->choice->what,
                     a->as_good + 1, few);
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
        "arms that were run in that situation the best is taken, then of those that are not to be "
        "told apart from it the one with the least arithmetic.  Where something simpler than "
        "selection wins, it stands first.");
    page_table(&all->page,
               "At equal numbers of tokens, but for \"and nothing else\".  Accuracy is the mean "
               "probability that the model gives to the right result (of facts: to the right "
               "answer) after it has read the text before it; it solves nothing by itself.  Loss "
               "is the mean loss on the target, in nats per byte (of real text: per token).  "
               "Price: arithmetic, that of plain training being 1.  One run pays for the "
               "reference and for scoring; of many runs by the same scores each pays for itself "
               "alone.",
               header, COLUMNS, cells, n);
}
