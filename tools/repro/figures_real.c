/* figures_real.c: noise in real text: figure 3 of text that was filtered, and what is kept of raw
 * text by the form of its tokens. */
#include <math.h>
#include "common/options.h"
#include "findings.h"

enum { CLASSES = 4 };

/* ---- figure 3 on real text ---- */
/* A text that was trained on, and held-out text of its kind measured on the way. */
typedef struct source {
    const char *corpus, *arm, *name;
} source;

static const source sources[] = {{"openstax", "clean", "clean prose (OpenStax)"},
                                 {"gsm8k", "clean", "clean records (GSM8K)"},
                                 {"openstax", "clm", "raw text with markup (OpenStax)"}};

/* The share of a class over the seeds that were measured. */
static estimate real_share(const data *d, const source *s, const char *class_name,
                           const char *null) {
    const csv_table *t = &d->csv[TRAJECTORIES_REAL];
    const char *seeds[MAX_SEEDS];
    size_t n = data_distinct(t, "seed", seeds, MAX_SEEDS);
    double share[MAX_SEEDS] = {0};
    for (size_t k = 0; k < n; k++) {
        size_t row = data_row(t, "corpus", s->corpus, "arm", s->arm, "seed", seeds[k], "class",
                              class_name, "null", null, NULL);
        share[k] = row < t->rows ? data_number(t, row, "share") : NAN;
    }
    return stats_estimate(share, n);
}

static void add_source(number_table *t, const data *d, const source *s, const char *null,
                       const char *ending) {
    static const char *const ids[CLASSES] = {"HL", "LH", "HH", "LL"};
    if (real_share(d, s, ids[0], null).n == 0) return;
    add_row(t, make_text("%s%s", s->name, ending));
    for (size_t j = 0; j < CLASSES; j++)
        set_cell(t, j, real_share(d, s, ids[j], null), 100);
}

int draw_real_classes(findings *all) {
    static const char *const names[CLASSES] = {"high to low", "low to high", "stays high",
                                               "stays low"};
    number_table t = new_table(names, CLASSES);
    for (size_t i = 0; i < COUNT(sources); i++) {
        add_source(&t, &all->d, &sources[i], "0", "");
        add_source(&t, &all->d, &sources[i], "1", ", checkpoints shuffled");
    }
    t.t.unit = "%";
    const drawing d = {
        .f = {.title = "Is text that was filtered still full of noisy tokens?",
              .subtitle = "the four classes of figure 3 on held-out text of the kind that was "
                          "trained on, and what chance alone makes of them"},
        .name = "fig3_real",
        .caption = "Noisy tokens would be those that rise, or stay high, more often than with the "
                   "checkpoints shuffled.  Shares in percent, mean over seeds.",
        .chart = figure_shares,
        .table = &t};
    return t.n_values > 0 && draw(all, &d);
}

/* ---- what is kept of raw text ---- */
int draw_real_kinds(findings *all) {
    static const struct {
        corpus_kind kind;
        const char *name;
    } kinds[] = {{CORPUS_PROBLEM, "the target: prose, or records"},
                 {CORPUS_OTHER, "prose around the records"},
                 {CORPUS_MARKUP, "tags"},
                 {CORPUS_ID, "what tags hold in quotes"}};
    static const char *const cols[2] = {"OpenStax", "GSM8K in OpenStax"};
    number_table t = new_table(cols, 2);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const data_column seen = (data_column)(SEEN + (int)kinds[i].kind);
        add_row(&t, kinds[i].name);
        for (size_t k = 0; k < 2; k++) {
            const data_group *slm = data_main(&all->d, k == 0 ? "openstax" : "gsm8k", "slm");
            set_cell(&t, k, data_over_seeds(slm, kept_in_last_third, seen), 1);
        }
    }
    t.t.unit = "%";
    const drawing d = {
        .f = {.title = "What selection keeps of raw text, by the form of the tokens",
              .subtitle = "last third of training",
              .x = {.label = "kept (%)"}},
        .name = "selection_real_kinds",
        .caption = "Tags tell themselves; more is not known of real text.  95% interval (Student's "
                   "t) over seeds.",
        .table = &t};
    return t.n_values > 0 && draw(all, &d);
}
